// Package yaml reads YAML and JSON into one tree whose nodes know where they
// stand. It is the only place that knows the YAML library.
//
// The tree keeps what a policy needs and a decoder would lose: the order of
// keys, keys that are used twice (rule G7), and numbers as they are written
// (rule G4). A date such as 2012-10-17 is a string. Text from strangers is expected: depth and
// what aliases expand to are bounded.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxDepth is how deep mappings and lists may nest.
const MaxDepth = 100

// maxIndent bounds the depth that indentation alone can build up.
const maxIndent = 2000

// A Kind says what a node is.
type Kind int8

// The kinds of node.
const (
	Null Kind = iota
	Bool
	Number
	String
	Map
	List
)

// String returns the kind as a message names it.
func (k Kind) String() string {
	return [...]string{"nothing", "a boolean", "a number", "a string", "a mapping", "a list"}[k]
}

// A Node is a value and its place. A node that an alias repeats is
// shared, so a tree must not be changed.
type Node struct {
	Kind      Kind
	Line, Col int    // from 1, Col in bytes
	Offset    int    // of a value in JSON text; -1 in YAML
	Text      string // of a scalar: a number as written, a boolean as true or false
	Tag       string // an application's tag, such as !Sub; the core tags are resolved
	Pairs     []Pair // of a Map, in the order of the text, keys used twice included
	Items     []*Node
}

// A Pair is a key of a Map and its value.
type Pair struct{ Key, Value *Node }

// An Error is text that can't be read, and where.
type Error struct {
	Line, Col int
	Msg       string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg) }

// Parse reads YAML, or JSON, which it recognises by its text: not all JSON is
// YAML. It returns one node for each document that isn't empty.
func Parse(data []byte) ([]*Node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if LooksLikeJSON(data) {
		if root, err := ParseJSON(data); err == nil {
			return []*Node{root}, nil
		}
	}
	return parseYAML(data)
}

// LooksLikeJSON reports whether the text starts as a JSON object or array does.
func LooksLikeJSON(data []byte) bool {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	return len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[')
}

func parseYAML(data []byte) ([]*Node, error) {
	if !utf8.Valid(data) {
		line, col := invalidUTF8(data)
		return nil, &Error{line, col, "not UTF-8 text"}
	}
	b := &builder{
		lines:   strings.Split(lineBreaks.Replace(string(data)), "\n"),
		anchors: map[string]*Node{},
		sizes:   map[*Node]int64{},
		limit:   20*int64(len(data)) + 1<<20,
	}
	text, err := b.hideColons(string(data))
	if err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(text)
	if err := b.checkDepth(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, b.syntaxError(err)
	}
	var roots []*Node
	for _, doc := range file.Docs {
		clear(b.anchors) // anchors end with their document
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		root, err := b.node(doc.Body, 0)
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
	}
	return roots, nil
}

// lineBreaks makes one of YAML's three line breaks.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func invalidUTF8(data []byte) (line, col int) {
	line, col = 1, 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			return line, col
		case r == '\n':
			line, col = line+1, 1
		default:
			col += n
		}
		data = data[n:]
	}
	return line, col
}

// A builder makes our nodes of the library's.
type builder struct {
	lines   []string // the text as given
	colon   string   // stands for a colon that separates nothing
	anchors map[string]*Node
	sizes   map[*Node]int64 // what a node expands to, aliases written out
	limit   int64
	last    struct{ line, char, byte int } // where pos was: char from 1, byte from 0
}

// hideColons puts a rune that the text doesn't have in place of every colon that
// can't separate a key from its value, because text follows it at once. The library takes
// such a colon for a separator inside { } and [ ], and so reads
// {aws:SourceIp: x} as the key aws; YAML's own rule asks for a blank after it.
// After a quote or a bracket a colon separates even so: {"a":1}.
func (b *builder) hideColons(text string) (string, error) {
	b.colon = unusedRune(text)
	if b.colon == "" {
		return "", &Error{1, 1, "the text uses every private use character of Unicode"}
	}
	var out strings.Builder
	out.Grow(len(text) + len(text)/16)
	for i := 0; i < len(text); i++ {
		if text[i] == ':' && i+1 < len(text) && !strings.ContainsRune(" \t\r\n,[]{}", rune(text[i+1])) &&
			(i == 0 || !strings.ContainsRune("\"'}]", rune(text[i-1]))) {
			out.WriteString(b.colon)
			continue
		}
		out.WriteByte(text[i])
	}
	return out.String(), nil
}

// unusedRune returns a private use character that isn't in the text.
func unusedRune(text string) string {
	for r := rune(0xE000); r <= 0xF8FF; r++ {
		if !strings.ContainsRune(text, r) {
			return string(r)
		}
	}
	return ""
}

func (b *builder) restore(s string) string { return strings.ReplaceAll(s, b.colon, ":") }

// checkDepth refuses text that nests too deep, before the library's parser,
// which calls itself once a level, sees it.
func (b *builder) checkDepth(tokens token.Tokens) error {
	flow, run, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line = t.Position.Line
			if t.Position.Column > maxIndent && flow == 0 {
				return b.errorAt(t.Position, "nested too deep")
			}
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			run++
		case token.MappingEndType, token.SequenceEndType:
			flow--
			run = 0
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.TagType, token.AliasType, token.MergeKeyType:
			run++
		case token.CommentType:
		default:
			run = 0
		}
		if flow > MaxDepth || run > 2*MaxDepth {
			return b.errorAt(t.Position, "nested too deep")
		}
	}
	return nil
}

// pos makes a place in bytes of the library's, which counts characters. It
// goes on from the place that was asked for last, so that a file of one long line
// isn't read once a node.
func (b *builder) pos(p *token.Position) (line, col int) {
	if p == nil || p.Line < 1 {
		return 1, 1
	}
	if p.Line > len(b.lines) {
		return p.Line, max(p.Column, 1)
	}
	text := b.lines[p.Line-1]
	if b.last.line != p.Line {
		b.last.line, b.last.char, b.last.byte = p.Line, 1, 0
	}
	for b.last.char < p.Column && b.last.byte < len(text) {
		_, size := utf8.DecodeRuneInString(text[b.last.byte:])
		b.last.char, b.last.byte = b.last.char+1, b.last.byte+size
	}
	for b.last.char > p.Column && b.last.byte > 0 {
		_, size := utf8.DecodeLastRuneInString(text[:b.last.byte])
		b.last.char, b.last.byte = b.last.char-1, b.last.byte-size
	}
	return p.Line, b.last.byte + 1
}

func (b *builder) errorAt(p *token.Position, format string, args ...any) error {
	line, col := b.pos(p)
	return &Error{line, col, fmt.Sprintf(format, args...)}
}

func (b *builder) syntaxError(err error) error {
	var syntax *goyaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		return b.errorAt(syntax.Token.Position, "%s", b.restore(syntax.Message))
	}
	return &Error{1, 1, b.restore(firstLine(err.Error()))}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// node makes our node of the library's; depth counts our levels.
func (b *builder) node(n ast.Node, depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, b.errorAt(n.GetToken().Position, "nested too deep")
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		return b.mapping(v, v.Values, depth)
	case *ast.MappingValueNode:
		return b.mapping(v, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		return b.sequence(v, depth)
	case *ast.AnchorNode:
		value, err := b.node(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		// Only now: an alias inside its own anchor is unknown, so there are no cycles.
		b.anchors[v.Name.GetToken().Value] = value
		return value, nil
	case *ast.AliasNode:
		name := v.Value.GetToken().Value
		value, ok := b.anchors[name]
		if !ok {
			return nil, b.errorAt(v.Start.Position, "nothing is named by the alias *%s (quote a text that starts with an asterisk)", b.restore(name))
		}
		return value, nil
	case *ast.TagNode:
		return b.tagged(v, depth)
	}
	return b.scalar(n)
}

func (b *builder) scalar(n ast.Node) (*Node, error) {
	node := b.at(n.GetToken())
	switch v := n.(type) {
	case *ast.NullNode:
		node.Kind = Null
	case *ast.BoolNode:
		node.Kind, node.Text = Bool, fmt.Sprint(v.Value)
	case *ast.IntegerNode:
		node.Kind, node.Text = Number, v.Token.Value
	case *ast.FloatNode:
		node.Kind, node.Text = Number, v.Token.Value
	case *ast.InfinityNode, *ast.NanNode:
		node.Kind, node.Text = String, n.GetToken().Value
	case *ast.StringNode:
		node.Kind, node.Text = String, b.restore(v.Value)
	case *ast.LiteralNode:
		node.Kind, node.Text = String, b.restore(v.Value.Value)
	default:
		return nil, b.errorAt(n.GetToken().Position, "unexpected %s", strings.ToLower(n.Type().String()))
	}
	return node, b.measure(node, int64(len(node.Text)))
}

// at returns an empty node in the place of a token.
func (b *builder) at(t *token.Token) *Node {
	line, col := b.pos(t.Position)
	return &Node{Line: line, Col: col, Offset: -1}
}

// measure records what a node expands to, and refuses what aliases have blown up.
func (b *builder) measure(n *Node, size int64) error {
	size += 16
	for _, p := range n.Pairs {
		size += b.sizes[p.Key] + b.sizes[p.Value]
	}
	for _, item := range n.Items {
		size += b.sizes[item]
	}
	if size > b.limit {
		return &Error{n.Line, n.Col, "aliases expand to too much text"}
	}
	b.sizes[n] = size
	return nil
}

func (b *builder) sequence(v *ast.SequenceNode, depth int) (*Node, error) {
	list := b.at(v.GetToken())
	list.Kind = List
	for _, item := range v.Values {
		n, err := b.node(item, depth+1)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, n)
	}
	return list, b.measure(list, 0)
}

func (b *builder) mapping(n ast.Node, values []*ast.MappingValueNode, depth int) (*Node, error) {
	m := b.at(n.GetToken())
	m.Kind = Map
	var merged []Pair
	for _, mv := range values {
		value, err := b.node(mv.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if _, ok := mv.Key.(*ast.MergeKeyNode); ok {
			pairs, err := b.merge(mv, value)
			if err != nil {
				return nil, err
			}
			merged = append(merged, pairs...)
			continue
		}
		key, err := b.key(mv.Key)
		if err != nil {
			return nil, err
		}
		m.Pairs = append(m.Pairs, Pair{key, value})
	}
	// A block mapping's own token is its first colon; people look for its first key.
	if len(m.Pairs) > 0 {
		if first := m.Pairs[0].Key; n.GetToken().Type != token.MappingStartType {
			m.Line, m.Col = first.Line, first.Col
		}
	}
	addMissing(m, merged)
	return m, b.measure(m, 0)
}

func (b *builder) key(k ast.MapKeyNode) (*Node, error) {
	var n ast.Node = k
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	key, err := b.node(n, MaxDepth)
	if err != nil {
		return nil, err
	}
	if key.Kind == Map || key.Kind == List {
		return nil, &Error{key.Line, key.Col, "a key is " + key.Kind.String() + ", not a string"}
	}
	if key.Kind == Null {
		key.Text = k.GetToken().Value
	}
	return key, nil
}

// merge returns the pairs that a merge key, <<, brings in.
func (b *builder) merge(mv *ast.MappingValueNode, value *Node) ([]Pair, error) {
	maps := []*Node{value}
	if value.Kind == List {
		maps = value.Items
	}
	var pairs []Pair
	for _, m := range maps {
		if m.Kind != Map {
			return nil, b.errorAt(mv.Key.GetToken().Position, "<< merges mappings, not %s", m.Kind)
		}
		pairs = append(pairs, m.Pairs...)
		if int64(len(pairs))*16 > b.limit {
			return nil, b.errorAt(mv.Key.GetToken().Position, "aliases expand to too much text")
		}
	}
	return pairs, nil
}

// addMissing adds merged pairs whose keys the mapping doesn't have; of several
// with one key the first wins.
func addMissing(m *Node, merged []Pair) {
	if len(merged) == 0 {
		return
	}
	have := make(map[string]bool, len(m.Pairs)+len(merged))
	for _, p := range m.Pairs {
		have[p.Key.Text] = true
	}
	for _, p := range merged {
		if !have[p.Key.Text] {
			have[p.Key.Text] = true
			m.Pairs = append(m.Pairs, p)
		}
	}
}

// tagged resolves YAML's core tags and keeps the others for whoever knows them.
func (b *builder) tagged(v *ast.TagNode, depth int) (*Node, error) {
	name := b.restore(v.Start.Value)
	if v.Value == nil {
		node := b.at(v.Start)
		node.Tag = name
		return node, b.measure(node, 0)
	}
	value, err := b.node(v.Value, depth+1)
	if err != nil {
		return nil, err
	}
	tagged := *value
	tagged.Line, tagged.Col = b.pos(v.Start.Position)
	switch name {
	case "!!str":
		if tagged.Kind == Map || tagged.Kind == List {
			return nil, b.errorAt(v.Start.Position, "!!str before %s", tagged.Kind)
		}
		tagged.Kind = String
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp":
	default:
		tagged.Tag = name
	}
	return &tagged, b.measure(&tagged, int64(len(tagged.Text)))
}
