// Package policy reads IAM policy documents. It keeps what the text says and
// where it says it, for every element, and judges nothing: whether a statement
// applies to a request is package evaluator's business.
//
// Most callers need Parse, or File.Parse for a document that stands inside a
// larger file. It follows the grammar of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
// (rules G1 to G21) and does not know which actions or condition keys exist.
package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// A Pos is a place in a file. Line and Col count from 1, Col in bytes. The
// zero Pos means the element has no text.
type Pos struct {
	File      string
	Line, Col int
}

// IsZero reports whether p is no place at all.
func (p Pos) IsZero() bool { return p.Line == 0 }

// String returns file:line:col, the form that editors jump to.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// A Text is a string of the document, as written, and its place.
type Text struct {
	Value string
	Pos   Pos
}

// An Effect is the Effect of a statement. The zero Effect is neither: the
// statement's Effect is missing or misspelt, and Defects says so.
type Effect int8

// The effects of a statement.
const (
	NoEffect Effect = iota
	Allow
	Deny
)

// String returns the effect as a policy spells it.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	}
	return ""
}

// The two values of Version (rule G10).
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// A Document is one policy document: immutable once parsed, shared freely.
type Document struct {
	Pos        Pos
	Version    Text // the Value is "" if the document has none, which means Version2008
	ID         Text
	Statements []Statement
	Defects    []Defect // of the document, outside its statements: they make every statement uninterpretable (rule G21)
	Text       []byte   // the document as written
}

// A Statement is one statement of a document. Action and NotAction, Resource
// and NotResource, Principal and NotPrincipal are nil where the statement
// doesn't have them.
type Statement struct {
	Index        int // from 0, in the order of the text
	Pos          Pos
	Sid          Text
	Effect       Effect
	EffectPos    Pos
	Action       *List
	NotAction    *List
	Resource     *List
	NotResource  *List
	Principal    *Principals
	NotPrincipal *Principals
	Condition    []Condition
	ConditionPos Pos
	// Defects are what makes the statement uninterpretable: an unknown element, a wrong
	// JSON type, a missing Effect. Whether such a statement applies is
	// unknown, never false (rule G21).
	Defects []Defect
}

// A List is the value of an element that takes one string or several (rule G3).
type List struct {
	Pos    Pos
	Values []Text
}

// Principals is the value of a Principal or NotPrincipal element. "*" and
// {"AWS": "*"} are the same (rule P4): both are an AWS entry with Value "*".
type Principals struct {
	Pos     Pos
	Entries []PrincipalEntry
}

// A PrincipalEntry is one value of the Principal element. Kind is the map
// key as written: AWS, Service, Federated or CanonicalUser.
type PrincipalEntry struct {
	Kind  string
	Value Text
}

// A Condition is one key of one operator block: {"StringEquals": {"aws:x": ["a", "b"]}}.
// Operator is as written, with its set prefix and its IfExists suffix. Values
// are strings; numbers keep their literal text, booleans are "true" and "false" (rule G4).
type Condition struct {
	Operator    string
	OperatorPos Pos
	Key         Text
	Values      []Text
}

// A Defect is something wrong in a document that can be read all the same.
type Defect struct {
	Pos Pos
	Msg string // no capital, no full stop: `unknown element "Actions" (Action?)`
}

// String returns the defect with its position.
func (d Defect) String() string { return d.Pos.String() + ": " + d.Msg }

// A SyntaxError reports text that is not a policy document: not JSON, a
// member name used twice (rule G7), no Statement, a Version that doesn't exist.
type SyntaxError struct {
	Pos Pos
	Msg string
}

func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Msg }

// AllDefects returns the document's defects and those of its statements, in
// the order of the text.
func (d *Document) AllDefects() []Defect {
	all := append([]Defect(nil), d.Defects...)
	for _, s := range d.Statements {
		all = append(all, s.Defects...)
	}
	slices.SortStableFunc(all, func(a, b Defect) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return all
}
