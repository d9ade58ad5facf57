package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// document makes a policy document ready to be evaluated. Its positions are
// those of the case file. A node that aliases repeat is parsed once.
func (r *reader) document(n *yaml.Node) (*evaluator.Compiled, error) {
	if c, ok := r.compiled[n]; ok {
		return c, nil
	}
	doc, err := r.parseDocument(n)
	if err != nil {
		return nil, err
	}
	c := evaluator.Compile(doc)
	r.compiled[n] = c
	return c, nil
}

func (r *reader) parseDocument(n *yaml.Node) (*policy.Document, error) {
	switch {
	case n.Kind == yaml.String:
		doc, err := policy.ParseString(r.pos(n), n.Text)
		return doc, oneLine(err)
	case n.Kind != yaml.Map:
		return nil, r.errorf(n, "document is %s: want a policy document", n.Kind)
	case r.json != nil:
		doc, err := r.json.Parse(n.Offset)
		return doc, oneLine(err)
	}
	j := jsonText{reader: r}
	if err := j.write(n); err != nil {
		return nil, err
	}
	doc, err := policy.Parse(r.name, j.text.Bytes())
	if err != nil {
		return nil, oneLine(j.moveErrors(err))
	}
	j.moveDocument(doc)
	return doc, nil
}

// A jsonText is a YAML document as JSON, one token a line, so that the line
// of a token says where it came from.
type jsonText struct {
	*reader
	text  bytes.Buffer
	lines []policy.Pos // the place in the case file of what stands on each line
}

func (j *jsonText) line(at *yaml.Node, s string) {
	j.text.WriteString(s)
	j.text.WriteByte('\n')
	j.lines = append(j.lines, j.pos(at))
}

func (j *jsonText) write(n *yaml.Node) error {
	if n.Tag != "" {
		return j.errorf(n, "the tag %s has no meaning in a policy document", n.Tag)
	}
	switch n.Kind {
	case yaml.Map:
		return j.writeObject(n)
	case yaml.List:
		j.line(n, "[")
		for i, item := range n.Items {
			if i > 0 {
				j.line(item, ",")
			}
			if err := j.write(item); err != nil {
				return err
			}
		}
		j.line(n, "]")
	case yaml.Null:
		j.line(n, "null")
	case yaml.Bool:
		j.line(n, n.Text)
	case yaml.Number:
		// YAML has numbers that JSON hasn't, 0x1F and 012; in a policy a number and
		// its text are the same (rule G4).
		if json.Valid([]byte(n.Text)) {
			j.line(n, n.Text)
			break
		}
		j.line(n, quote(n.Text))
	case yaml.String:
		j.line(n, quote(n.Text))
	}
	return nil
}

func (j *jsonText) writeObject(n *yaml.Node) error {
	first := make(map[string]*yaml.Node, len(n.Pairs))
	j.line(n, "{")
	for i, p := range n.Pairs {
		if before, twice := first[p.Key.Text]; twice { // rule G7; here, for the first place to be right, too
			return j.errorf(p.Key, "member %q used twice (first at %d:%d)", p.Key.Text, before.Line, before.Col)
		}
		first[p.Key.Text] = p.Key
		if i > 0 {
			j.line(p.Key, ",")
		}
		j.line(p.Key, quote(p.Key.Text))
		j.line(p.Key, ":")
		if err := j.write(p.Value); err != nil {
			return err
		}
	}
	j.line(n, "}")
	return nil
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// move makes a place in the JSON text one in the case file.
func (j *jsonText) move(p *policy.Pos) {
	if p.Line > 0 && p.Line <= len(j.lines) {
		*p = j.lines[p.Line-1]
	}
}

func (j *jsonText) moveText(t *policy.Text) { j.move(&t.Pos) }

// moveDocument moves a document that nobody else has seen yet.
func (j *jsonText) moveDocument(d *policy.Document) {
	j.move(&d.Pos)
	j.moveText(&d.Version)
	j.moveText(&d.ID)
	j.moveDefects(d.Defects)
	for i := range d.Statements {
		j.moveStatement(&d.Statements[i])
	}
}

func (j *jsonText) moveStatement(s *policy.Statement) {
	j.move(&s.Pos)
	j.moveText(&s.Sid)
	j.move(&s.EffectPos)
	for _, l := range []*policy.List{s.Action, s.NotAction, s.Resource, s.NotResource} {
		if l == nil {
			continue
		}
		j.move(&l.Pos)
		for i := range l.Values {
			j.moveText(&l.Values[i])
		}
	}
	for _, p := range []*policy.Principals{s.Principal, s.NotPrincipal} {
		if p == nil {
			continue
		}
		j.move(&p.Pos)
		for i := range p.Entries {
			j.moveText(&p.Entries[i].Value)
		}
	}
	j.move(&s.ConditionPos)
	for i := range s.Condition {
		c := &s.Condition[i]
		j.move(&c.OperatorPos)
		j.moveText(&c.Key)
		for k := range c.Values {
			j.moveText(&c.Values[k])
		}
	}
	j.moveDefects(s.Defects)
}

func (j *jsonText) moveDefects(list []policy.Defect) {
	for i := range list {
		j.move(&list[i].Pos)
	}
}

// moveErrors moves what policy.Parse says, one error or several.
func (j *jsonText) moveErrors(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var moved []error
		for _, e := range several.Unwrap() {
			moved = append(moved, j.moveErrors(e))
		}
		return errors.Join(moved...)
	}
	var syntax *policy.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	moved := *syntax
	j.move(&moved.Pos)
	return &moved
}

// oneLine makes errors that are joined read as one line.
func oneLine(err error) error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	list := several.Unwrap()
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Errorf("%w (and %d more)", list[0], len(list)-1)
}
