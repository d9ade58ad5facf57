package evaluator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/nearest"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Severity says how bad a finding is. The zero value is SeverityError.
type Severity int8

// The severities.
const (
	SeverityError      Severity = iota // AWS refuses to save the document as a policy of this type
	SeverityWarning                    // accepted, but something in it never matches, or does what few expect
	SeveritySuggestion                 // works; could be safer or plainer
)

// String returns the severity in one lower-case word.
func (s Severity) String() string {
	switch s {
	case SeverityError:
		return "error"
	case SeverityWarning:
		return "warning"
	}
	return "suggestion"
}

// A Finding is one thing that Validate has to say about a document.
type Finding struct {
	Severity Severity
	Code     string // which check: unknownAction. Codes are stable
	Rule     string // the rule of evaluation.md that the check rests on, if there is one
	Pos      policy.Pos
	Message  string // what is wrong; no capital, no full stop
	Fix      string // what to do about it; may be ""
	AWS      string // how AWS words its refusal, where that is known
}

// ValidateOptions say what is known of a document beside its type.
type ValidateOptions struct {
	// AWSManaged says that AWS wrote the policy: the limits for customers don't hold.
	AWSManaged bool
	// Assumed says that the type is only what the document looks like: it may be saved as a
	// similar one, with other limits.
	Assumed bool
	// Collected says that the document was read back from AWS, so that its whitespace
	// isn't what was saved.
	Collected bool
}

// maxFindings bounds what is said of one document.
const maxFindings = 1000

// Validate says what AWS would refuse to save in a document of a type, and what it
// would accept that can never match or surprises. The findings stand in the order of the
// text. What makes a text no policy document at all is the parser's to say: see
// SyntaxFindings.
//
// Actions, resource types and condition keys are looked up in package serviceref; a name that AWS added
// after the date of that data is reported as unknown.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func Validate(doc *policy.Document, typ DocumentType, opts ValidateOptions) []Finding {
	c := &checker{doc: doc, rules: rulesOf(typ), opts: opts, work: maxWork, variables: doc.Version.Value == policy.Version2012}
	if c.rules.typ == DocumentRCP && isRCPFullAWSAccess(doc) {
		return nil
	}
	c.document()
	for i := range doc.Statements {
		(&statementCheck{checker: c, s: &doc.Statements[i]}).run()
	}
	c.keyLockout()
	c.defects()
	return c.sorted()
}

// A checker gathers what is found in one document.
type checker struct {
	doc       *policy.Document
	rules     *typeRules
	opts      ValidateOptions
	variables bool // policy variables exist (rules G10, G11, V1)
	findings  []Finding
	work      int // what may still be spent on comparing patterns and names
	concretes map[string]expansion
	bucket    string // the one that a bucket policy is about
}

// maxWork bounds the comparing of patterns and names; a document made to need more isn't
// looked at any further in these respects.
const maxWork = 20_000_000

// spend takes from what may be spent, and reports whether that was there.
func (c *checker) spend(n int) bool {
	if c.work < n {
		return false
	}
	c.work -= n
	return true
}

// add notes a finding. Where there are too many, errors go on being noted for as many again.
func (c *checker) add(f Finding) {
	if len(c.findings) < maxFindings || f.Severity == SeverityError && len(c.findings) < 2*maxFindings {
		c.findings = append(c.findings, f)
	}
}

// refuse is the severity of what one type's service refuses and the others may save.
func (c *checker) refuse(refused bool) Severity {
	if refused {
		return SeverityError
	}
	return SeverityWarning
}

// sorted returns the findings in the order of the text, the worst first where they
// stand at one place.
func (c *checker) sorted() []Finding {
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Severity, b.Severity))
	})
	return slices.Compact(c.findings)
}

// defects adds what the parser and the compiler found uninterpretable and no check of
// this file has told already (rule G21).
func (c *checker) defects() {
	id := func(f Finding) string { return f.Pos.String() }
	if c.embedded() {
		id = func(f Finding) string { return f.Code } // all positions are the same: they tell nothing apart
	}
	told := map[string]bool{}
	for _, f := range c.findings {
		if f.Severity == SeverityError {
			told[id(f)] = true
			if f.Code == "nullIfExists" {
				f.Code = "unknownOperator" // as the compiler has it
				told[id(f)] = true
			}
		}
	}
	parsed := len(c.doc.AllDefects())
	for i, d := range Compile(c.doc).Defects() {
		if f := c.defect(d); (i < parsed || !told[id(f)]) && !isExplained(d) {
			c.add(f)
		}
	}
}

// defect words a defect as a finding.
func (c *checker) defect(d policy.Defect) Finding {
	f := Finding{Severity: SeverityError, Code: "syntax", Rule: "G21", Pos: d.Pos, Message: d.Msg, AWS: c.rules.grammarRefusal}
	for _, k := range defectKinds {
		if strings.Contains(d.Msg, k.part) {
			f.Code, f.Rule = k.code, k.rule
			break
		}
	}
	switch {
	case f.Code == "missingAction":
		f.AWS = c.identityWords(iamNoActions)
		if c.rules.typ == DocumentBucket {
			f.AWS = bucketElement
		}
	case f.Code == "invalidEffect" && isEffectInOtherCase(d.Msg):
		f.AWS = c.identityWords(iamLegacy)
	}
	return f
}

// isEffectInOtherCase reports whether a defect is of an Effect that is right but for its case.
func isEffectInOtherCase(msg string) bool {
	msg = strings.ToLower(msg)
	return strings.Contains(msg, `but "allow"`) || strings.Contains(msg, `but "deny"`)
}

// isExplained reports whether a defect follows from a misspelt element, which is a defect of its own.
func isExplained(d policy.Defect) bool {
	return strings.HasPrefix(d.Msg, "statement has ") && strings.Contains(d.Msg, `" isn't `)
}

// defectKinds are the parser's defects by a part of their message.
var defectKinds = []struct{ part, code, rule string }{
	{"unknown element", "unknownElement", "G9"},
	{"has no Effect", "missingEffect", "G2"},
	{"Effect is", "invalidEffect", "G5"},
	{"has neither Action", "missingAction", "G2"},
	{"statement has both", "excludingElements", "G2"},
	{"unknown kind of principal", "unknownPrincipalKind", "P3"},
	{"is no principal: only AWS takes", "wildcardPrincipal", "P5"},
	{": expected", "wrongType", "G4"},
	{"policy variable", "malformedVariable", "V4"},
	{"has no service prefix", "actionWithoutService", "A3"},
	{"condition operator", "unknownOperator", "C8"},
}

// SyntaxFindings turns the error of policy.Parse into findings: what makes a text no
// policy document, which no service saves (rules G1, G7, G10).
func SyntaxFindings(err error, typ DocumentType) []Finding {
	if err == nil {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Finding
		for _, e := range several.Unwrap() {
			all = append(all, SyntaxFindings(e, typ)...)
		}
		return all
	}
	f := Finding{Severity: SeverityError, Code: "json", Rule: "G1", Message: err.Error(), AWS: rulesOf(typ).grammarRefusal}
	var syntax *policy.SyntaxError
	if errors.As(err, &syntax) {
		f.Pos, f.Message = syntax.Pos, syntax.Msg
	}
	for _, k := range []struct{ part, code, rule string }{
		{"has no Statement", "missingStatement", "G1"},
		{"which is one JSON object, found", "notADocument", "G1"},
		{"Version", "invalidVersion", "G10"},
		{"twice", "duplicateMember", "G7"},
		{"duplicate", "duplicateMember", "G7"},
	} {
		if strings.Contains(f.Message, k.part) {
			f.Code, f.Rule = k.code, k.rule
			break
		}
	}
	for _, k := range syntaxFixes {
		if strings.Contains(f.Message, k.part) {
			f.Fix = k.fix
			break
		}
	}
	switch {
	case typ == DocumentTrust && f.Code == "json":
		f.AWS = trustJSON
	case typ == DocumentBucket && (f.Code == "json" || f.Code == "notADocument") && f.Pos.Line == 1 && f.Pos.Col == 1:
		f.AWS = bucketFirstByte
	}
	return []Finding{f}
}

// syntaxFixes are what to do about a syntax error, by a part of its message.
var syntaxFixes = []struct{ part, fix string }{
	{"found a comment", "remove the comment"},
	{"after ',', found ']'", "remove the comma before it"},
	{"after ',', found '}'", "remove the comma before it"},
	{`found '\''`, "write strings in double quotes"},
	{"found '“'", "write straight double quotes"},
	{"found '”'", "write straight double quotes"},
	{"found '‘'", "write straight double quotes"},
	{"the text ends too early", "the end is missing: close what is open"},
	{"twice", "keep one of them"},
	{"duplicate", "keep one of them"},
	{"Version ", `write "Version": "2012-10-17"`},
}

// embedded reports whether the document was a string in a file, so that every element has
// the position of the string.
func (c *checker) embedded() bool {
	return len(c.doc.Statements) > 0 && c.doc.Statements[0].Pos == c.doc.Pos
}

// posAt is the place of a byte of the document's text.
func (c *checker) posAt(offset int) policy.Pos {
	if c.embedded() || c.doc.Pos.IsZero() {
		return c.doc.Pos
	}
	p := c.doc.Pos
	before := string(c.doc.Text[:min(offset, len(c.doc.Text))])
	if n := strings.Count(before, "\n"); n > 0 {
		return policy.Pos{File: p.File, Line: p.Line + n, Col: len(before) - strings.LastIndexByte(before, '\n')}
	}
	p.Col += len(before)
	return p
}

// A statementCheck checks one statement.
type statementCheck struct {
	*checker
	s               *policy.Statement
	unknownServices map[string]bool // prefixes that were reported
	expanded        []expansion     // of the values of Action
	unfit           bool            // a resource was reported to match nothing: what follows from that isn't told again
}

// run makes every check of a statement. The order is that of the elements; sorted puts
// the findings in that of the text.
func (c *statementCheck) run() {
	c.elements()
	c.emptyLists()
	c.broadAllow()
	c.principals()
	c.actions()
	c.resources()
	c.applicability()
	c.conditions()
}

// add notes a finding, with its statement where the position doesn't tell it.
func (c *statementCheck) add(f Finding) {
	if c.embedded() {
		name := fmt.Sprint(c.s.Index + 1)
		if c.s.Sid.Value != "" {
			name = quote(c.s.Sid.Value)
		}
		f.Message = "statement " + name + ": " + f.Message
	}
	c.checker.add(f)
}

// found adds a finding about the statement.
func (c *statementCheck) found(s Severity, code, rule string, pos policy.Pos, fix, format string, args ...any) {
	c.add(Finding{Severity: s, Code: code, Rule: rule, Pos: pos, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// refused adds an error with AWS's words.
func (c *statementCheck) refused(code, rule string, pos policy.Pos, aws, fix, format string, args ...any) {
	c.add(Finding{Severity: SeverityError, Code: code, Rule: rule, Pos: pos, Message: fmt.Sprintf(format, args...), Fix: fix, AWS: aws})
}

// closest returns the known name that a word was probably meant to be, or ""; of several that are
// equally near, the first.
func (c *checker) closest(word string, known func(yield func(string) bool)) string {
	best, least := "", min(max(1, len(word)/4), len(word)-1)
	for k := range known {
		if abs(len(k)-len(word)) > least || !c.spend(len(k)*len(word)/4+1) {
			continue
		}
		if d := nearest.Distance(word, k); d < least || d == least && best == "" {
			best, least = k, d
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// didYouMean is the fix for a misspelt name.
func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "did you mean " + name + "?"
}
