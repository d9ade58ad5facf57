package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Validation is what there is to say about one policy document.
type Validation struct {
	File     string                 // as the user named it
	Name     string                 // what the document is, where its file has several
	Target   string                 // whose it is: the ARN of a principal or resource; "" if it is attached to several, or nobody said
	Type     evaluator.DocumentType // "" if the text is no document, and nobody said
	Assumed  bool                   // nobody said the type: it was told by the document's look
	Findings []evaluator.Finding
}

// Counts are numbers of findings, by severity.
type Counts struct{ Files, Errors, Warnings, Suggestions int }

func (c *Counts) add(v Validation) {
	c.Files++
	for _, f := range v.Findings {
		switch f.Severity {
		case evaluator.SeverityError:
			c.Errors++
		case evaluator.SeverityWarning:
			c.Warnings++
		default:
			c.Suggestions++
		}
	}
}

// A ValidationRenderer writes what validate finds, document by document.
type ValidationRenderer interface {
	Validation(Validation) error
	Close() error // writes the summary
}

// validationFormats are the formats that can write validations.
var validationFormats = []struct {
	name string
	open func(io.Writer, Options) ValidationRenderer
}{
	{"text", func(w io.Writer, o Options) ValidationRenderer { return &textValidation{page: page{w: w, opts: o}} }},
	{"json", func(w io.Writer, _ Options) ValidationRenderer { return &jsonValidation{w: w} }},
}

// NewValidation returns the renderer for the named format, or an error that lists them.
func NewValidation(format string, w io.Writer, opts Options) (ValidationRenderer, error) {
	names := []string{}
	for _, f := range validationFormats {
		if f.name == format {
			return f.open(w, opts), nil
		}
		names = append(names, f.name)
	}
	return nil, fmt.Errorf("unknown output %q: have %s", format, strings.Join(names, ", "))
}

// A textValidation writes each finding on a line that editors can jump from, and below
// it what to do.
type textValidation struct {
	page
	counts Counts
	hidden int
	// written says that a document was written, and block that the last one took several lines.
	written, block bool
}

// severityStyles are how each severity looks.
var severityStyles = map[evaluator.Severity]style{
	evaluator.SeverityError: bad, evaluator.SeverityWarning: doubtful, evaluator.SeveritySuggestion: faint,
}

// maxIndent is how far what to do about a finding is indented at most, to stand below what is wrong.
const maxIndent = 44

// severityWidth is that of the widest severity that is shown.
func (t *textValidation) severityWidth() int {
	if t.opts.Verbose {
		return len("suggestion")
	}
	return len("warning")
}

func (t *textValidation) Validation(v Validation) error {
	t.counts.add(v)
	shown := v.Findings
	if !t.opts.Verbose {
		shown = slices.DeleteFunc(slices.Clone(shown), func(f evaluator.Finding) bool { return f.Severity == evaluator.SeveritySuggestion })
		t.hidden += len(v.Findings) - len(shown)
	}
	if len(shown) == 0 && !v.Assumed && !t.opts.Verbose {
		return t.err
	}
	if t.block || len(shown) > 0 && t.written {
		t.blank()
	}
	t.block, t.written = len(shown) > 0, true
	head := []span{{v.File, strong}}
	if v.Name != "" {
		head = append(head, span{"  " + v.Name, strong})
	}
	if kind, holder, ok := strings.Cut(v.Target[strings.LastIndexByte(v.Target, ':')+1:], "/"); ok && holder != v.Name && strings.HasPrefix(v.Target, "arn:") {
		head = append(head, span{" of " + kind + " " + holder[strings.LastIndexByte(holder, '/')+1:], plain})
	}
	what := "  " + v.Type.Word()
	if v.Type == "" {
		what = ""
	}
	if v.Assumed {
		what += " (assumed; --type says what it is)"
	}
	if len(shown) == 0 {
		what += ": nothing wrong"
	}
	t.line(0, append(head, span{what, plain})...)
	width := 0
	for _, f := range shown {
		width = max(width, lipgloss.Width(Clean(f.Pos.String())))
	}
	for _, f := range shown {
		t.finding(f, width)
	}
	return t.err
}

// finding writes one finding; width is that of the widest place.
func (t *textValidation) finding(f evaluator.Finding, width int) {
	at := Clean(f.Pos.String())
	word := f.Severity.String()
	t.line(2, span{at, plain}, span{strings.Repeat(" ", width-lipgloss.Width(at)+gap), plain},
		span{word, severityStyles[f.Severity]}, span{strings.Repeat(" ", t.severityWidth()-len(word)+gap), plain}, span{f.Message, plain})
	indent := 2 + width + gap + t.severityWidth() + gap
	if indent > maxIndent {
		indent = 6
	}
	if f.Fix != "" {
		t.line(indent, span{"→ " + f.Fix, plain})
	}
	if f.AWS != "" {
		t.line(indent, span{"AWS: " + f.AWS, faint})
	}
}

func (t *textValidation) Close() error {
	c := t.counts
	if t.block {
		t.blank()
	}
	parts := []string{number(c.Errors, "error"), number(c.Warnings, "warning"), number(c.Suggestions, "suggestion")}
	text := number(c.Files, "document") + ": " + strings.Join(parts, ", ")
	if t.hidden > 0 {
		text += " (-v shows suggestions)"
	}
	look := good
	switch {
	case c.Errors > 0:
		look = bad
	case c.Warnings > 0:
		look = doubtful
	}
	t.line(0, span{text, look})
	return t.err
}

// number writes a number and its noun: "1 error", "3 errors".
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// The JSON form is a contract: fields are added, never renamed. A list is never null.
type (
	jsonValidated struct {
		File     string           `json:"file"`
		Name     string           `json:"name,omitempty"`
		Target   string           `json:"target,omitempty"`
		Type     string           `json:"type"`
		Assumed  bool             `json:"assumed"`
		Findings []jsonValidateIt `json:"findings"`
	}
	jsonValidateIt struct {
		Severity string `json:"severity"`
		Code     string `json:"code"`
		Rule     string `json:"rule"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Message  string `json:"message"`
		Fix      string `json:"fix"`
		AWS      string `json:"aws,omitempty"`
	}
)

// A jsonValidation writes one object.
type jsonValidation struct {
	w      io.Writer
	counts Counts
}

func (j *jsonValidation) Validation(v Validation) error {
	before := ",\n    "
	if j.counts.Files == 0 {
		before = "{\n  \"files\": [\n    "
	}
	j.counts.add(v)
	out := jsonValidated{File: v.File, Name: v.Name, Target: v.Target, Type: string(v.Type), Assumed: v.Assumed, Findings: []jsonValidateIt{}}
	for _, f := range v.Findings {
		out.Findings = append(out.Findings, jsonValidateIt{
			Severity: f.Severity.String(), Code: f.Code, Rule: f.Rule, Line: f.Pos.Line, Column: f.Pos.Col, Message: f.Message, Fix: f.Fix, AWS: f.AWS,
		})
	}
	text, err := marshal(out, "    ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.w, before+text)
	return err
}

func (j *jsonValidation) Close() error {
	list := "\n  ]"
	if j.counts.Files == 0 {
		list = "{\n  \"files\": []"
	}
	c := j.counts
	_, err := fmt.Fprintf(j.w, "%s,\n  \"summary\": {\n    \"files\": %d,\n    \"errors\": %d,\n    \"warnings\": %d,\n    \"suggestions\": %d\n  }\n}\n",
		list, c.Files, c.Errors, c.Warnings, c.Suggestions)
	return err
}
