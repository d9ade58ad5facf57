package jsontree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep the values of a file that Parse reads may be nested.
const MaxDepth = 100

// maxDuplicates is how many duplicate names are reported of one text.
const maxDuplicates = 20

// An Error is something wrong with the text at a byte offset.
type Error struct {
	Offset int
	Msg    string
	// Related is what RefMsg says of another place: "first used at" and its
	// offset. RefMsg is "" if there is no other place to speak of.
	Related int
	RefMsg  string
}

// Error returns the message with offsets, for callers that have nothing better.
func (e *Error) Error() string {
	return "offset " + strconv.Itoa(e.Offset) + ": " + e.Message(func(o int) string { return "offset " + strconv.Itoa(o) })
}

// Message returns the message without e.Offset; place says how another offset is written.
func (e *Error) Message(place func(offset int) string) string {
	if e.RefMsg == "" {
		return e.Msg
	}
	return e.Msg + " (" + e.RefMsg + " " + place(e.Related) + ")"
}

// Errors are all errors of one text, in its order.
type Errors []*Error

// Error returns all messages, one a line.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each error.
func (es Errors) Unwrap() []error {
	list := make([]error, len(es))
	for i, e := range es {
		list[i] = e
	}
	return list
}

// Limits bound what is read. Zero means no bound of that kind.
type Limits struct {
	Depth int // of arrays and objects in one another
	Size  int // in bytes, of the value
}

// Parse reads a file that is one JSON value, nested at most MaxDepth deep,
// with or without a byte order mark. The error is of type Errors. If it is
// about duplicate member names alone, the tree is there all the same, with the
// duplicates in it; after any other error the Node is the zero Node. data
// must not change afterwards.
func Parse(data []byte) (Node, error) {
	p := newParser(data, SkipSpace(data, 0), Limits{Depth: MaxDepth})
	root, err := p.value()
	if err != nil {
		return Node{}, Errors{err}
	}
	if end := SkipSpace(data, root.End()); end < len(data) {
		return Node{}, Errors{{Offset: end, Msg: "expected the end of the file, found " + Found(data[end:])}}
	}
	return root, p.duplicateErrors()
}

// ParseValue reads the one JSON value that starts at offset, be it after
// blanks, and doesn't look at what follows it. Offsets are those of data. Its error is
// that of Parse.
func ParseValue(data []byte, offset int, limits Limits) (Node, error) {
	if offset < 0 || offset > len(data) {
		return Node{}, Errors{{Offset: len(data), Msg: fmt.Sprintf("no value at offset %d of %d bytes", offset, len(data))}}
	}
	p := newParser(data, SkipSpace(data, offset), limits)
	root, err := p.value()
	if err != nil {
		return Node{}, Errors{err}
	}
	return root, p.duplicateErrors()
}

// SkipSpace returns the offset of what follows JSON's blanks at offset; at the start of
// the text it skips a byte order mark as well.
func SkipSpace(data []byte, offset int) int {
	if offset == 0 && bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		offset = 3
	}
	for offset < len(data) {
		switch data[offset] {
		case ' ', '\t', '\n', '\r':
			offset++
		default:
			return offset
		}
	}
	return offset
}

// Found names what stands at the start of text, for messages: '"', 'x', a comment.
func Found(text []byte) string {
	if len(text) == 0 {
		return "the end of the text"
	}
	if bytes.HasPrefix(text, []byte("//")) || bytes.HasPrefix(text, []byte("/*")) {
		return "a comment, which JSON doesn't have"
	}
	r, size := utf8.DecodeRune(text)
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("invalid UTF-8 (byte 0x%02x)", text[0])
	}
	return strconv.QuoteRune(r)
}

// A parser reads one value of a text into a tree.
type parser struct {
	tree
	dec        *jsontext.Decoder
	start      int // what the decoder's offsets count from
	last       int // offset after the last token
	limits     Limits
	stack      []frame
	duplicates Errors
	dropped    int // duplicates not kept
}

// A frame is an array or object that is open.
type frame struct {
	index  int32 // its entry
	atName bool  // the next token is a member's name or the object's end
}

func newParser(data []byte, start int, limits Limits) *parser {
	return &parser{
		tree: tree{data: data},
		// A bytes.Buffer is what the decoder reads without copying.
		dec:    jsontext.NewDecoder(bytes.NewBuffer(data[start:len(data):len(data)]), jsontext.AllowDuplicateNames(true)),
		start:  start,
		last:   start,
		limits: limits,
	}
}

// value reads one value with all that is in it.
func (p *parser) value() (Node, *Error) {
	if len(p.data) > math.MaxInt32 {
		return Node{}, &Error{Msg: "text is larger than 2 GiB"}
	}
	for {
		if err := p.token(); err != nil {
			return Node{}, err
		}
		if p.limits.Size > 0 && p.last-p.start > p.limits.Size {
			return Node{}, &Error{Offset: p.start, Msg: fmt.Sprintf("value is larger than %d bytes", p.limits.Size)}
		}
		if len(p.stack) == 0 {
			t := p.tree
			return Node{tree: &t}, nil
		}
	}
}

// token reads the next token into the tree.
func (p *parser) token() *Error {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return p.syntaxError(err)
	}
	offset, end := p.tokenStart(), p.start+int(p.dec.InputOffset())
	p.last = end
	switch kind := tok.Kind(); kind {
	case '{', '[':
		if p.limits.Depth > 0 && len(p.stack) == p.limits.Depth {
			return &Error{Offset: offset, Msg: fmt.Sprintf("nested deeper than %d levels", p.limits.Depth)}
		}
		p.stack = append(p.stack, frame{p.add(offset, end, kinds[kind]), kind == '{'})
	case '}', ']':
		p.closeTop(end)
		p.valueDone()
	default:
		p.add(offset, end, kinds[kind])
		if p.atName() {
			p.stack[len(p.stack)-1].atName = false
		} else {
			p.valueDone()
		}
	}
	return nil
}

var kinds = [256]Kind{'{': Object, '[': Array, '"': String, '0': Number, 't': Bool, 'f': Bool, 'n': Null}

// tokenStart finds the token that was just read, after what may stand between two tokens.
func (p *parser) tokenStart() int {
	i := p.last
	for {
		switch p.data[i] {
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
		default:
			return i
		}
	}
}

func (p *parser) add(offset, end int, kind Kind) int32 {
	i := int32(len(p.entries))
	p.entries = append(p.entries, entry{offset: int32(offset), end: int32(end), next: i + 1, kind: kind})
	return i
}

func (p *parser) closeTop(end int) {
	i := p.stack[len(p.stack)-1].index
	p.stack = p.stack[:len(p.stack)-1]
	e := &p.entries[i]
	e.end, e.next = int32(end), int32(len(p.entries))
	if e.kind == Object {
		p.findDuplicates(Node{&p.tree, i})
	}
}

// atName reports whether the next token of the object that is open is a name.
func (p *parser) atName() bool { return len(p.stack) > 0 && p.stack[len(p.stack)-1].atName }

// valueDone notes that the value of a member is complete.
func (p *parser) valueDone() {
	if top := len(p.stack) - 1; top >= 0 && p.entries[p.stack[top].index].kind == Object {
		p.stack[top].atName = true
	}
}

// findDuplicates marks and reports the names that an object has twice. Most
// objects are small, and comparing all with all is quicker than a map.
func (p *parser) findDuplicates(object Node) {
	const small = 12
	var few [small]int32
	n := 0
	var many map[string]int32
	for i, e := range object.names() {
		name := p.unquoted(e)
		first := int32(-1)
		if many == nil {
			for _, j := range few[:n] {
				if bytes.Equal(p.unquoted(p.entries[j]), name) {
					first = j
					break
				}
			}
		} else if j, ok := many[string(name)]; ok {
			first = j
		}
		switch {
		case first >= 0:
			p.duplicate(i, first)
		case n < small:
			few[n] = i
			n++
		default:
			if many == nil {
				many = make(map[string]int32)
				for _, j := range few {
					many[string(p.unquoted(p.entries[j]))] = j
				}
			}
			many[string(name)] = i
		}
	}
}

func (p *parser) duplicate(second, first int32) {
	p.entries[second].duplicate = true
	if len(p.duplicates) == maxDuplicates {
		p.dropped++
		return
	}
	p.duplicates = append(p.duplicates, &Error{
		Offset:  int(p.entries[second].offset),
		Msg:     "member name " + Quote(string(p.unquoted(p.entries[second]))) + " is used twice in one object",
		Related: int(p.entries[first].offset),
		RefMsg:  "first at",
	})
}

// duplicateErrors returns the duplicate names as an error in the order of the
// text; they were found as the objects ended, inner ones first.
func (p *parser) duplicateErrors() error {
	if len(p.duplicates) == 0 {
		return nil
	}
	slices.SortFunc(p.duplicates, func(a, b *Error) int { return a.Offset - b.Offset })
	if p.dropped > 0 {
		last := p.duplicates[len(p.duplicates)-1]
		last.Msg += fmt.Sprintf(", as are %d more names", p.dropped)
	}
	return p.duplicates
}

// Quote quotes a string of the text for a message, cut if it is very long.
func Quote(s string) string {
	const most = 80
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "..."
}

// syntaxError says what was found and what would be right, at its exact place.
// The decoder knows what is wrong inside a token; between two tokens the place
// and the choices are better known here.
func (p *parser) syntaxError(err error) *Error {
	at := SkipSpace(p.data, p.last)
	want, delimiter := p.expected()
	missing := delimiter != 0
	if missing && at < len(p.data) && p.data[at] == delimiter {
		missing = false
		at = SkipSpace(p.data, at+1)
		want = p.expectedAfter(delimiter)
	}
	if at == len(p.data) {
		return &Error{Offset: at, Msg: "the text ends too early: expected " + want}
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && !missing {
		if inside := p.start + int(syntax.ByteOffset); inside > at {
			if errors.Is(syntax.Err, io.ErrUnexpectedEOF) {
				return &Error{Offset: at, Msg: unfinished(p.data[at])}
			}
			return &Error{Offset: inside, Msg: syntax.Err.Error()}
		}
	}
	e := &Error{Offset: at, Msg: "expected " + want + ", found " + Found(p.data[at:])}
	if missing && delimiter == ',' {
		e.Related, e.RefMsg = p.last, "the value before it ends at"
	}
	return e
}

// expected says what may follow the last token, and which delimiter has to.
func (p *parser) expected() (want string, delimiter byte) {
	if len(p.stack) == 0 {
		return "a JSON value", 0
	}
	top := p.stack[len(p.stack)-1]
	empty := int(top.index) == len(p.entries)-1
	switch {
	case p.entries[top.index].kind == Array && empty:
		return "a value or ']'", 0
	case p.entries[top.index].kind == Array:
		return "',' or ']'", ','
	case empty:
		return "a member name or '}'", 0
	case top.atName:
		return "',' or '}'", ','
	}
	return "':'", ':'
}

// expectedAfter says what must follow a delimiter.
func (p *parser) expectedAfter(delimiter byte) string {
	if delimiter == ',' && p.atName() {
		return "a member name after ','"
	}
	return fmt.Sprintf("a value after %q", delimiter)
}

// unfinished says of a token that the text ends within it.
func unfinished(first byte) string {
	if first == '"' {
		return "string without its closing quote"
	}
	return "the text ends within a value"
}
