package render

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A textRenderer writes for people: the answer first, then what it rests on.
type textRenderer struct {
	page
	subject        Subject
	items          int
	rows           []denied // denied calls, kept until the width of every column is known
	passed, failed int
}

func newText(w io.Writer, s Subject, opts Options) Renderer {
	return &textRenderer{page: page{w: w, opts: opts}, subject: s}
}

func (t *textRenderer) Denial(d correlate.Denial) error {
	cells := row(d)
	for i, cell := range cells {
		cells[i] = Clean(cell)
	}
	call := denied{cells: cells}
	if t.opts.Verbose {
		call.requests = requestLines(d)
	}
	t.rows = append(t.rows, call)
	return nil
}

// A denied is a denied call as text has it.
type denied struct {
	cells    []string
	requests []string // what the call asked of IAM, if that is wanted
}

// requestLines are the requests that a denied call stands for, the one that AWS named first.
func requestLines(d correlate.Denial) []string {
	var lines []string
	for _, q := range d.Requests() {
		need := "needs "
		if !q.Required {
			need = "may need "
		}
		lines = append(lines, Clean(need+call(q.Request)))
	}
	return lines
}

// gap stands between two columns.
const gap = 2

// table writes the denied calls, oldest first: as a table, or where a terminal
// is too narrow for one, each as a few lines.
func (t *textRenderer) table() {
	if len(t.rows) == 0 {
		return
	}
	slices.SortStableFunc(t.rows, func(a, b denied) int { return strings.Compare(a.cells[0], b.cells[0]) })
	widths := make([]int, len(columns))
	total := 0
	for i := range columns {
		widths[i] = lipgloss.Width(columns[i])
		for _, row := range t.rows {
			widths[i] = max(widths[i], width(row.cells[i]))
		}
		total += widths[i] + gap
	}
	if t.opts.Width > 0 && total-gap > t.opts.Width {
		t.blocks()
		return
	}
	t.tableRow(columns, widths, strong)
	for _, row := range t.rows {
		t.tableRow(row.cells, widths, plain)
		t.requests(row)
	}
}

func (t *textRenderer) requests(row denied) {
	for _, line := range row.requests {
		t.line(2, span{line, faint})
	}
}

func (t *textRenderer) tableRow(cells []string, widths []int, s style) {
	var b strings.Builder
	for i, cell := range cells {
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-width(cell)+gap))
		}
	}
	t.write(t.paint(span{strings.TrimRight(b.String(), " "), s}) + "\n")
}

// width is how many columns of a terminal a cell takes.
func width(cell string) int {
	if plainText(cell) {
		return len(cell)
	}
	return lipgloss.Width(cell)
}

func (t *textRenderer) blocks() {
	for _, row := range t.rows {
		c := row.cells
		t.line(0, span{c[0], strong}, span{"  " + c[3] + " " + c[4] + "  ", plain}, span{c[5], bad})
		t.line(2, span{c[1], plain})
		if c[6] != "" {
			t.line(2, span{c[6], plain})
		}
		t.line(2, span{"event " + c[2], faint})
		t.requests(row)
	}
}

func (t *textRenderer) Finding(f correlate.Finding) error {
	if t.items++; t.items > 1 {
		t.blank()
	}
	b := mainBlocker(f)
	kind := f.Denial.Message.PolicyType
	if b != nil {
		kind = b.PolicyType
	}
	head := verdict(f.Decision, layerWord(evaluator.LayerName(f.Layer), kind))
	if f.Decision == evaluator.Indeterminate {
		head = "DENIED, and nothing says why"
		if f.Layer != "" && f.Layer != correlate.LayerUnknown {
			head = "DENIED, perhaps by " + layerWord(evaluator.LayerName(f.Layer), kind)
		}
	}
	t.head(fmt.Sprintf("%-3d", t.items), span{head, bad}, span{call(f.Request.Request), strong},
		span{strings.TrimSpace(fmt.Sprintf("×%d  %s", f.Count, between(f.FirstSeen, f.LastSeen))), faint})
	t.who(f)
	t.mainBlocker(f, b)
	if b == nil && f.Layer == correlate.LayerUnknown && f.Explanation != nil && len(f.Explanation.DeniedIf) > 0 {
		t.line(body, span{f.Reason, plain}) // what can have denied it (rule U16)
	}
	for i := range f.Blockers {
		if other := &f.Blockers[i]; other != b {
			t.also(*other, f.Request.Request)
		}
	}
	if b == nil && len(f.Blockers) == 0 && f.Reason != "" {
		t.line(body, span{f.Reason, plain})
	}
	if f.Explanation != nil && f.Decision == evaluator.Indeterminate {
		t.undecided(f.Explanation.Undecided)
	}
	t.evidence(f)
	t.changes(f)
	t.fixes(f.Fixes)
	for _, n := range f.Notes {
		t.line(body, span{"Note: " + n, plain})
	}
	return t.err
}

// call says what was asked: s3:PutObject → arn:….
func call(q evaluator.Request) string {
	if q.Resource.ARN == "" {
		return q.Action
	}
	if q.Resource.Pattern {
		return q.Action + " → " + q.Resource.ARN + " (known only in part)"
	}
	return q.Action + " → " + q.Resource.ARN
}

func (t *textRenderer) who(f correlate.Finding) {
	who := f.Request.Principal.ARN
	if who == "" && f.Denial.Event != nil {
		who = caller(f.Denial)
	}
	if who == "" {
		who = cmp.Or(string(f.Request.Principal.Type), f.Denial.Message.Principal)
	}
	if who == "" {
		return
	}
	if len(f.Sessions) > 1 {
		who += fmt.Sprintf("  (%d sessions)", len(f.Sessions))
	}
	if f.PermissionSet != nil {
		who += "  (permission set " + f.PermissionSet.Name + ")"
	}
	t.line(body, span{who, plain})
}

// mainBlocker writes what is responsible: the statement, and why it applies or doesn't.
func (t *textRenderer) mainBlocker(f correlate.Finding, b *evaluator.Blocker) {
	switch {
	case b != nil && b.Kind == evaluator.KindExplicitDeny && b.Policy != nil:
		t.statement(*b)
	case b != nil: // no statement, but a missing allow, or a service's own rule
		t.line(body, span{sentence(blockerSentence(*b, f.Request.Request)), plain})
		t.details(*b)
	case f.Policy != nil || f.Statement != nil:
		t.line(body, span{place(f.Policy, f.Statement), strong}, span{position(where(f.Policy, f.Statement).String()), faint})
	case f.PolicyARN != "":
		t.line(body, span{f.PolicyARN, strong})
	}
}

// sentence begins a line of its own.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func position(at string) string {
	if at == "" {
		return ""
	}
	return "     " + at
}

// statement writes a statement that denies, and the conditions that made it apply.
func (t *textRenderer) statement(b evaluator.Blocker) {
	t.line(body, span{place(b.Policy, b.Statement), strong}, span{position(where(b.Policy, b.Statement).String()), faint})
	t.details(b)
}

// details writes what a blocker knows beside its first line. Of the near misses
// it writes the nearest, and those that are as near.
func (t *textRenderer) details(b evaluator.Blocker) {
	for _, n := range b.NearMisses {
		if n.Statement == b.Statement { // the statement that denies: what made it apply
			for _, e := range n.Mismatch {
				t.line(body+2, span{match(e), plain})
			}
			continue
		}
		if len(n.Mismatch) > len(b.NearMisses[0].Mismatch) {
			break
		}
		t.line(body+2, span{"Nearest: ", plain}, span{place(n.Policy, n.Statement), strong}, span{position(where(n.Policy, n.Statement).String()), faint})
		for _, e := range n.Mismatch {
			t.line(body+4, span{mismatch(e), plain})
		}
	}
	if b.Note != "" {
		t.line(body+2, span{b.Note, plain})
	}
}

// also writes a further blocker.
func (t *textRenderer) also(b evaluator.Blocker, q evaluator.Request) {
	switch b.Kind {
	case evaluator.KindNotCollected:
		t.line(body, span{"Not known: " + blockerSentence(b, q), doubtful})
	case evaluator.KindExplicitDeny:
		t.line(body, span{"Also denied once that is solved: " + blockerSentence(b, q), plain}, span{position(where(b.Policy, b.Statement).String()), faint})
	default:
		t.line(body, span{"Also missing once that is solved: " + blockerSentence(b, q), plain})
	}
	t.details(b)
}

// evidence writes what AWS said, and where the two part.
func (t *textRenderer) evidence(f correlate.Finding) {
	if basis := basisWords[f.Basis]; basis != "" {
		t.line(body, span{"Known from: " + basis, plain})
	}
	if f.Era != nil {
		t.line(body, span{"By the policies collected at " + timeText(f.Era.Of), plain})
	}
	if said := awsSaid(f); said != "" {
		t.line(body, span{"AWS said: " + said, plain})
	}
	if d := f.Disagreement; d != nil {
		t.line(body, span{"Disagreement: ", doubtful}, span{"AWS says " + d.Message + ", the snapshot says " + d.Evaluation, plain})
		if d.LikelyCause != "" {
			t.line(body+2, span{"Likely cause: " + d.LikelyCause, plain})
		}
	}
}

// changes writes what changed between the policies and the calls, or among these.
func (t *textRenderer) changes(f correlate.Finding) {
	for _, c := range f.Changes {
		when := "Changed between the calls: "
		switch {
		case f.FirstSeen.IsZero():
			when = "Changed since the snapshot: "
		case c.Time.After(f.LastSeen):
			when = "Changed since the call: "
		case c.Time.Before(f.FirstSeen):
			when = "Changed between snapshot and call: "
		}
		what := c.Name
		switch {
		case c.Policy != "":
			what += " " + c.Policy + " on " + c.Target
		case c.Target != "":
			what += " " + c.Target
		}
		t.line(body, span{when, doubtful}, span{what, strong},
			span{" by " + cmp.Or(c.By, "somebody who isn't recorded") + " at " + timeText(c.Time), plain})
	}
}

func (t *textRenderer) fixes(fixes []evaluator.Fix) {
	for i, x := range fixes {
		head := "Fix: "
		if len(fixes) > 1 {
			head = fmt.Sprintf("Fix, %d of %d that are all needed: ", i+1, len(fixes))
		}
		t.line(body, span{head, good}, span{fixHead(x), plain}, span{position(where(x.Policy, x.Statement).String()), faint})
		change := x.Document
		if x.Addition != nil { // the whole of the statement is in the JSON output
			change = x.Addition
		}
		t.verbatim(body+2, indented(change))
		if x.Note != "" {
			t.line(body+2, span{x.Note, plain})
		}
	}
}

// indented is JSON with two blanks a level; what isn't JSON stays as it is.
func indented(doc []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, doc, "", "  "); err != nil {
		return string(doc)
	}
	return b.String()
}

// headStyles are the colours of a decision.
var headStyles = map[evaluator.Decision]style{
	evaluator.Allowed: good, evaluator.Indeterminate: doubtful, evaluator.ExplicitDeny: bad, evaluator.ImplicitDeny: bad,
}

func (t *textRenderer) Check(c Check) error {
	e := c.Explanation
	layer := ""
	if len(e.Blockers) > 0 {
		layer = layerWord(e.Blockers[0].Layer, e.Blockers[0].PolicyType)
	}
	t.head("", span{verdict(e.Decision, layer), headStyles[e.Decision]}, span{call(c.Request), strong})
	t.line(body, span{c.Request.Principal.ARN, plain})
	t.explanation(e, c.Request)
	t.settle(e)
	t.fixes(c.Fixes)
	if len(e.Caveats) > 0 {
		t.caveats(e.Caveats)
	}
	return t.err
}

// caveats names what the answer takes for true without AWS's word for it.
func (t *textRenderer) caveats(rules []string) {
	t.line(body, span{"Rests on what AWS doesn't document:", faint})
	for _, rule := range rules {
		t.line(body+2, span{fmt.Sprintf("%-4s %s", rule, evaluator.Caveat(rule)), faint})
	}
}

// endpointFlag tells whether, and through which endpoint, a call comes.
const endpointFlag = "-c aws:SourceVpce=… (or -c aws:SourceIp=… for a call over the internet)"

// sessionFlag takes away what no log tells of a role's session.
const sessionFlag = "--assume-no-session-policy"

// settle says how to ask so that the answer doesn't hang on context keys.
func (t *textRenderer) settle(e evaluator.Explanation) {
	var flags []string
	for _, u := range e.Undecided {
		if u.Layer == evaluator.LayerSession && u.Policy == nil && !slices.Contains(flags, sessionFlag) {
			flags = append(flags, sessionFlag)
		}
		if u.Layer == evaluator.LayerEndpoint && u.Policy == nil && !slices.Contains(flags, endpointFlag) {
			flags = append(flags, endpointFlag)
		}
		if flag := "-c " + u.Element.Key + "=…"; u.Element.Key != "" && !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
	}
	if len(flags) > 0 {
		t.line(body, span{"To settle it, give " + strings.Join(flags, " ") + ", or --closed-context if the request has nothing but what is given", plain})
	}
}

// explanation writes why a decision is as it is.
func (t *textRenderer) explanation(e evaluator.Explanation, q evaluator.Request) {
	switch e.Decision {
	case evaluator.Allowed:
		t.allowing(e)
	case evaluator.Indeterminate:
		t.undecided(e.Undecided)
		for _, line := range conditions(e) {
			t.line(body, span{line, plain})
		}
		for _, b := range e.Blockers {
			if !slices.ContainsFunc(e.Undecided, func(u evaluator.Undecided) bool { return u.Layer == b.Layer && u.Missing != "" }) {
				t.also(b, q)
			}
		}
	default:
		for i, b := range e.Blockers {
			switch {
			case i > 0:
				t.also(b, q)
			case b.Kind == evaluator.KindExplicitDeny:
				t.statement(b)
			default:
				t.line(body, span{sentence(blockerSentence(b, q)), plain})
				t.details(b)
			}
		}
	}
}

// allowing names the statements that allow, layer by layer.
func (t *textRenderer) allowing(e evaluator.Explanation) {
	for _, l := range e.Trace {
		for _, s := range l.Statements {
			if s.Match != evaluator.Matched {
				continue
			}
			kind := ""
			if s.Policy != nil {
				kind = s.Policy.Type
			}
			t.line(body, span{layerWord(l.Layer, kind) + ": ", plain}, span{place(s.Policy, s.Statement), strong},
				span{position(where(s.Policy, s.Statement).String()), faint})
		}
	}
}

// undecided says what a decision hangs on, and what would settle it.
func (t *textRenderer) undecided(list []evaluator.Undecided) {
	for _, u := range list {
		head := "Undecided: "
		kind := ""
		if u.Policy != nil {
			kind = u.Policy.Type
		}
		if layer := layerWord(u.Layer, kind); layer != "" && u.Missing == "" {
			head = "Hangs on the " + layer + ": "
		}
		t.line(body, span{head, doubtful}, span{unknown(u), plain})
		if u.Statement == nil {
			continue
		}
		t.line(body+2, span{place(u.Policy, u.Statement), strong}, span{position(where(u.Policy, u.Statement).String()), faint})
		if u.Element.Element == "" {
			continue // it is the layer that isn't known to apply
		}
		asks := mismatch
		if u.Statement != nil && u.Statement.Effect == policy.Deny {
			asks = match
		}
		t.line(body+4, span{asks(u.Element), plain})
	}
}

func (t *textRenderer) Result(r casefile.Result) error {
	switch {
	case r.Pass:
		t.passed++
		if t.opts.Verbose {
			t.line(0, span{"pass  ", good}, span{r.Case.Name, plain})
		}
	case r.Err != nil:
		t.failed++
		t.line(0, span{"ERROR ", bad}, span{r.Case.Name, strong})
		t.line(6, span{r.Err.Error(), plain})
	default:
		t.failed++
		t.line(0, span{"FAIL  ", bad}, span{r.Case.Name, strong}, span{position(r.Case.Pos.String()), faint})
		t.line(6, span{r.Why, plain})
		t.base = 3
		t.explanation(r.Explanation, requestOfResult(r))
		t.base = 0
	}
	return t.err
}

// requestOfResult is the request that a result's explanation is about.
func requestOfResult(r casefile.Result) evaluator.Request {
	if len(r.Case.Requests) == 0 {
		return evaluator.Request{}
	}
	return r.Case.Requests[0]
}

func (t *textRenderer) Close(correlate.Summary) error {
	switch t.subject {
	case Denials:
		t.table()
	case Results:
		s := good
		if t.failed > 0 {
			s = bad
		}
		t.line(0, span{fmt.Sprintf("%d passed, %d failed", t.passed, t.failed), s})
	}
	return t.err
}
