// Package render writes results in the output formats: text for people, whose
// words may change, and JSON, which is a promise (product.md §5 and §6).
//
// A renderer decides nothing. What it is given comes from logs and policies that
// strangers may have written; no control character of theirs gets out (see Clean).
package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
)

// A Renderer writes results in one format, as they come.
type Renderer interface {
	Denial(correlate.Denial) error
	Finding(correlate.Finding) error
	Check(Check) error
	Command(Command) error
	Result(casefile.Result) error
	// Close writes what the format needs last; only findings have a summary.
	Close(correlate.Summary) error
}

// A Check is the answer to one request.
type Check struct {
	Request     evaluator.Request
	Explanation evaluator.Explanation
	Fixes       []evaluator.Fix
}

// A Subject is what a renderer is asked to write.
type Subject string

// The subjects.
const (
	Denials  Subject = "denials"
	Findings Subject = "findings"
	Checks   Subject = "checks"
	Results  Subject = "results"
)

// Options say what the output goes to.
type Options struct {
	Color   bool
	Width   int // of the terminal, in columns; 0 is no terminal, and no line is broken
	Verbose bool
}

// formats are the output formats and what each can write.
var formats = []struct {
	name     string
	subjects []Subject
	open     func(io.Writer, Subject, Options) Renderer
}{
	{"text", []Subject{Denials, Findings, Checks, Results}, newText},
	{"json", []Subject{Denials, Findings, Checks, Results}, newJSON},
	{"csv", []Subject{Denials}, newCSV},
}

// Names returns the names of the formats that can write a subject.
func Names(s Subject) []string {
	var names []string
	for _, f := range formats {
		if slices.Contains(f.subjects, s) {
			names = append(names, f.name)
		}
	}
	return names
}

// New returns the renderer for the named format, or an error that lists those
// that can write the subject.
func New(format string, s Subject, w io.Writer, opts Options) (Renderer, error) {
	for _, f := range formats {
		if f.name == format && slices.Contains(f.subjects, s) {
			return f.open(w, s, opts), nil
		}
	}
	return nil, fmt.Errorf("unknown output %q: have %s", format, strings.Join(Names(s), ", "))
}
