package snapshot

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A decoder reads one file of a snapshot and notes what is wrong in it. What
// it can't read is left out and said to be; it never stops at the first error.
type decoder struct {
	file     *policy.File
	root     jsontree.Node
	problems []Problem
	repeated []*jsontree.Error // member names used twice
	docs     []span            // where the policy documents are
	// broken is why the file as a whole can't be relied on; "" if it can.
	broken string
}

type span struct{ start, end int }

// newDecoder reads the text of a file; what isn't JSON is broken.
func newDecoder(name string, data []byte) *decoder {
	d := &decoder{file: policy.NewFile(name, data)}
	root, err := jsontree.Parse(data)
	d.root = root
	var list jsontree.Errors
	switch {
	case errors.As(err, &list) && root.Exists():
		d.repeated = list
	case errors.As(err, &list) && len(list) > 0:
		d.fail(list[0].Offset, "%s", list[0].Message(d.place))
	case err != nil:
		d.fail(0, "%s", err)
	}
	return d
}

func (d *decoder) place(offset int) string {
	p := d.file.Pos(offset)
	return fmt.Sprintf("%d:%d", p.Line, p.Col)
}

// note records a problem of a value.
func (d *decoder) note(at jsontree.Node, format string, args ...any) {
	d.noteAt(at.Offset(), format, args...)
}

func (d *decoder) noteAt(offset int, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: d.file.Pos(offset).String(), Msg: fmt.Sprintf(format, args...)})
}

// fail records a problem that makes the whole file useless.
func (d *decoder) fail(offset int, format string, args ...any) {
	d.noteAt(offset, format, args...)
	if d.broken == "" {
		d.broken = d.problems[len(d.problems)-1].String()
	}
}

// finish looks at the member names used twice. Inside a policy document they
// spoil that document, and its parser has said so; anywhere else nobody knows which
// of the two values is meant (rule G7).
func (d *decoder) finish() {
	for _, e := range d.repeated {
		inDocument := slices.ContainsFunc(d.docs, func(s span) bool { return s.start <= e.Offset && e.Offset < s.end })
		if !inDocument || len(d.repeated) >= maxRepeated {
			d.fail(e.Offset, "%s", e.Message(d.place))
		}
	}
}

// maxRepeated is from how many repeated names on jsontree may not report all of them.
const maxRepeated = 20

// str returns the string that is a member of n, "" if there is none.
func (d *decoder) str(n jsontree.Node, name string) string {
	v := n.Get(name)
	if s, ok := v.String(); ok {
		return s
	}
	if v.Exists() && v.Kind() != jsontree.Null {
		d.note(v, "expected a string as %s, found %s", name, v.Kind())
	}
	return ""
}

// list returns the items of a list that is a member of n. ok is false if the
// member isn't a list; none at all is an empty list.
func (d *decoder) list(n jsontree.Node, name string) (items iter.Seq[jsontree.Node], ok bool) {
	v := n.Get(name)
	switch v.Kind() {
	case jsontree.Missing, jsontree.Null, jsontree.Array:
		return v.Items(), true
	}
	d.note(v, "expected a list as %s, found %s", name, v.Kind())
	return v.Items(), false
}

// strings returns a member of n that is a list of strings.
func (d *decoder) strings(n jsontree.Node, name string) (values []string, ok bool) {
	items, ok := d.list(n, name)
	for item := range items {
		s, isString := item.String()
		if !isString {
			d.note(item, "expected a string in %s, found %s", name, item.Kind())
			ok = false
			continue
		}
		values = append(values, s)
	}
	return values, ok
}

// A document is a policy document of the snapshot, or why it can't be read.
type document struct {
	body *evaluator.Compiled // nil if it can't be read
	why  string
}

// document reads and compiles a policy document: an object, or a string that
// holds one. Documents are compiled once, here.
func (d *decoder) document(n jsontree.Node) document {
	d.docs = append(d.docs, span{n.Offset(), n.End()})
	var doc *policy.Document
	var err error
	switch n.Kind() {
	case jsontree.Object:
		doc, err = d.file.Parse(n.Offset())
	case jsontree.String:
		text, _ := n.String()
		doc, err = policy.ParseString(d.file.Pos(n.Offset()), text)
	case jsontree.Missing:
		return document{why: "there is no document"}
	default:
		d.note(n, "expected a policy document, found %s", n.Kind())
		return document{why: d.problems[len(d.problems)-1].String()}
	}
	if err != nil {
		d.noteErr(err)
		return document{why: firstError(err).Error()}
	}
	for _, defect := range doc.AllDefects() {
		d.problems = append(d.problems, Problem{File: defect.Pos.String(), Msg: defect.Msg})
	}
	return document{body: evaluator.Compile(doc)}
}

// noteErr records the errors of a policy parser, each in its place.
func (d *decoder) noteErr(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			d.noteErr(e)
		}
		return
	}
	var syntax *policy.SyntaxError
	if errors.As(err, &syntax) {
		d.problems = append(d.problems, Problem{File: syntax.Pos.String(), Msg: syntax.Msg})
		return
	}
	d.problems = append(d.problems, Problem{File: d.file.Name, Msg: err.Error()})
}

func firstError(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		if list := joined.Unwrap(); len(list) > 0 {
			return list[0]
		}
	}
	return err
}

// A layerBuilder gathers the policies of a layer, and what is missing of it.
type layerBuilder struct {
	policies []evaluator.Policy
	missing  []string
}

// add puts a policy into the layer, or says that it can't be read.
func (b *layerBuilder) add(p evaluator.Policy, doc document) {
	if doc.body == nil {
		b.lacks("%s policy %s of %s: %s", p.Type, p.Name, p.Target, doc.why)
		return
	}
	p.Body = doc.body
	b.policies = append(b.policies, p)
}

func (b *layerBuilder) lacks(format string, args ...any) {
	b.missing = append(b.missing, fmt.Sprintf(format, args...))
}

// layer returns what was gathered: it applies, or isn't whole (rule U6).
func (b *layerBuilder) layer() evaluator.Layer {
	l := evaluator.Layer{State: evaluator.Applies, Policies: slices.Clip(b.policies)}
	if len(b.missing) > 0 {
		l.State, l.Missing = evaluator.NotCollected, joinMissing(b.missing)
	}
	return l
}

// maxMissing is how many missing things a message lists.
const maxMissing = 5

func joinMissing(missing []string) string {
	text := ""
	for i, m := range missing {
		if i == maxMissing {
			return fmt.Sprintf("%s; and %d more", text, len(missing)-i)
		}
		if i > 0 {
			text += "; "
		}
		text += m
	}
	return text
}
