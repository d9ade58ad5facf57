// Package jsontree reads JSON text as a tree in which every value and every
// member name knows its byte offset. It is for files that contain policies,
// where a finding has to point into the file; nothing is bound to Go types.
//
// Parse reads a whole file, ParseValue a value that stands inside one. A Node
// is a small value to pass around: it stands for sixteen bytes of index for
// each value and the text itself, which is kept and not copied. Strings are made only when
// asked for, so that a tree of a file of tens of megabytes stays small.
package jsontree

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// A Kind is what a JSON value is. The zero Kind is that of the zero Node.
type Kind uint8

// The kinds of JSON values.
const (
	Missing Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind as a message names it: "an object".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return "nothing"
}

// A Node is one value of a tree. The zero Node is a value that isn't there:
// its Kind is Missing, it has no children, and Get gives the zero Node again,
// so that a path can be followed without asking at each step. Nodes are
// immutable and may be shared by all goroutines.
type Node struct {
	tree  *tree
	index int32
}

// A Member is one member of an object.
type Member struct {
	Name      string // unquoted
	Offset    int    // of the opening quote of the name
	NameEnd   int    // after its closing quote
	Value     Node
	Duplicate bool // an earlier member has the same name
}

// A tree holds values in the order of the text. The descendants of an entry
// follow it; a member is its name's entry and then its value's.
type tree struct {
	data    []byte
	entries []entry
}

type entry struct {
	offset, end int32
	next        int32 // index of the entry after this one's descendants
	kind        Kind
	duplicate   bool // for the name of a member
}

// Kind says what the value is.
func (n Node) Kind() Kind {
	if n.tree == nil {
		return Missing
	}
	return n.entry().kind
}

// Exists reports whether n is a value, be it null.
func (n Node) Exists() bool { return n.tree != nil }

// Offset is the place of the value's first byte in the text; 0 for the zero Node.
func (n Node) Offset() int { return int(n.entry().offset) }

// End is the place after the value's last byte; 0 for the zero Node.
func (n Node) End() int { return int(n.entry().end) }

// Text returns the value as written. It is part of the text that was parsed
// and must not be changed.
func (n Node) Text() []byte {
	if n.tree == nil {
		return nil
	}
	return n.tree.raw(n.entry())
}

// String returns the value of a string, unquoted. ok is false for anything else.
func (n Node) String() (s string, ok bool) {
	if n.Kind() != String {
		return "", false
	}
	return string(n.tree.unquoted(n.entry())), true
}

// Scalar returns the text of a string, unquoted, of a number, as written, or of
// a boolean: "true" or "false". ok is false for anything else.
func (n Node) Scalar() (s string, ok bool) {
	switch n.Kind() {
	case String:
		return n.String()
	case Number, Bool:
		return string(n.Text()), true
	}
	return "", false
}

// Bool returns the value of a boolean. ok is false for anything else.
func (n Node) Bool() (value, ok bool) {
	if n.Kind() != Bool {
		return false, false
	}
	return n.Text()[0] == 't', true
}

// Len counts the items of an array or the members of an object.
func (n Node) Len() int {
	count := 0
	switch n.Kind() {
	case Array:
		for range n.Items() {
			count++
		}
	case Object:
		for range n.names() {
			count++
		}
	}
	return count
}

// Items yields the items of an array, and nothing of anything else.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.Kind() != Array {
			return
		}
		for i, end := n.index+1, n.entry().next; i < end; i = n.tree.entries[i].next {
			if !yield(Node{n.tree, i}) {
				return
			}
		}
	}
}

// Members yields the members of an object in the order of the text, also those
// whose name is a duplicate, and nothing of anything else.
func (n Node) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for i, name := range n.names() {
			m := Member{
				Name:      string(n.tree.unquoted(name)),
				Offset:    int(name.offset),
				NameEnd:   int(name.end),
				Value:     Node{n.tree, i + 1},
				Duplicate: name.duplicate,
			}
			if !yield(m) {
				return
			}
		}
	}
}

// Get returns the value of the member of that very name, the first if there
// are several, or the zero Node.
func (n Node) Get(name string) Node {
	for i, e := range n.names() {
		if string(n.tree.unquoted(e)) == name { // compares without copying
			return Node{n.tree, i + 1}
		}
	}
	return Node{}
}

// names yields the index and the entry of every member name of an object.
func (n Node) names() iter.Seq2[int32, entry] {
	return func(yield func(int32, entry) bool) {
		if n.Kind() != Object {
			return
		}
		for i, end := n.index+1, n.entry().next; i < end; i = n.tree.entries[i+1].next {
			if !yield(i, n.tree.entries[i]) {
				return
			}
		}
	}
}

func (n Node) entry() entry {
	if n.tree == nil {
		return entry{}
	}
	return n.tree.entries[n.index]
}

func (t *tree) raw(e entry) []byte { return t.data[e.offset:e.end:e.end] }

// unquoted returns what a string stands for; part of the text itself where
// nothing in it is escaped.
func (t *tree) unquoted(e entry) []byte {
	raw := t.raw(e)
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	// The text was found valid when it was parsed.
	s, _ := jsontext.AppendUnquote(nil, raw)
	return s
}
