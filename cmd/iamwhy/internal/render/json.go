package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// The JSON forms. They are a contract (product.md §5 and §6): fields are added,
// never renamed. A list is never null.
type (
	jsonFinding struct {
		EventIDs     []string          `json:"eventIds"`
		Count        int               `json:"count"`
		FirstSeen    string            `json:"firstSeen"`
		LastSeen     string            `json:"lastSeen"`
		Request      jsonRequest       `json:"request"`
		Decision     string            `json:"decision"`
		Layer        string            `json:"layer"`
		Policy       jsonPolicy        `json:"policy"`
		Statement    *jsonStatement    `json:"statement"`
		Basis        string            `json:"basis"`
		Reason       string            `json:"reason"`
		Blockers     []jsonBlocker     `json:"blockers"`
		Fixes        []jsonFix         `json:"fixes"`
		Disagreement *jsonDisagreement `json:"disagreement"`
		Agreement    string            `json:"agreement"`
		Message      string            `json:"message"`
		ErrorCode    string            `json:"errorCode"`
		Sessions     []string          `json:"sessions"`
		Undecided    []jsonUndecided   `json:"undecided"`
		Caveats      []string          `json:"caveats"`
		Notes        []string          `json:"notes"`

		PermissionSet *jsonPermissionSet `json:"permissionSet,omitempty"` // of IAM Identity Center, behind the caller's role
		History       *jsonEra           `json:"history,omitempty"`
		Changes       []jsonChange       `json:"changes,omitempty"` // of the policies between snapshot and calls
	}
	// A jsonEra says of which time the policies are.
	jsonEra struct {
		PoliciesOf      string `json:"policiesOf"`      // one of the two
		CollectedAt     string `json:"collectedAt"`     // last before the calls, "" if never
		NextCollectedAt string `json:"nextCollectedAt"` // first after them, "" if never
		Changed         bool   `json:"changed"`         // those that concern the request differ between the two
	}
	jsonChange struct {
		Time      string `json:"time"`
		By        string `json:"by"`
		EventName string `json:"eventName"`
		Target    string `json:"target"`
		Policy    string `json:"policy"` // that was put, attached or taken away; "" if none is named besides target
		EventID   string `json:"eventId"`
	}
	jsonPermissionSet struct {
		Name string `json:"name"`
		ARN  string `json:"arn"` // "" if the snapshot doesn't have it
	}
	jsonCheck struct {
		Request   jsonRequest     `json:"request"`
		Decision  string          `json:"decision"`
		Layer     string          `json:"layer"`
		Policy    jsonPolicy      `json:"policy"`
		Statement *jsonStatement  `json:"statement"`
		Reason    string          `json:"reason"`
		Blockers  []jsonBlocker   `json:"blockers"`
		Undecided []jsonUndecided `json:"undecided"`
		AllowedIf [][]jsonTerm    `json:"allowedIf"` // sets of unknowns: each allows, if all in it are so
		DeniedIf  [][]jsonTerm    `json:"deniedIf"`
		Fixes     []jsonFix       `json:"fixes"`
		Caveats   []string        `json:"caveats"`
	}
	jsonTerm struct {
		Layer     string         `json:"layer"`
		Policy    jsonPolicy     `json:"policy"`
		Statement *jsonStatement `json:"statement"`
		Missing   string         `json:"missing"`
		// Good is whether the unknown would have to be good for the request: an Allow that applies, a Deny that doesn't,
		// a layer that lets it pass.
		Good bool `json:"good"`
	}
	jsonRequest struct {
		Principal       string              `json:"principal"`
		PrincipalType   string              `json:"principalType"`
		Action          string              `json:"action"`
		Resources       []string            `json:"resources"`
		ResourcePattern bool                `json:"resourcePattern,omitempty"` // * and ? in resources stand for what isn't known
		Account         string              `json:"account"`
		ResourceAccount string              `json:"resourceAccount"`
		Context         map[string][]string `json:"context"`
		Unknown         []string            `json:"unknown"`
	}
	jsonPolicy struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		ARN    string `json:"arn"`
		Target string `json:"target"`
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	jsonStatement struct {
		Sid   string `json:"sid"`
		Index int    `json:"index"`
	}
	jsonBlocker struct {
		Layer      string         `json:"layer"`
		Kind       string         `json:"kind"`
		Policy     jsonPolicy     `json:"policy"`
		Statement  *jsonStatement `json:"statement"`
		NearMisses []jsonNearMiss `json:"nearMisses"`
		Note       string         `json:"note"`
	}
	jsonNearMiss struct {
		Policy    jsonPolicy     `json:"policy"`
		Statement *jsonStatement `json:"statement"`
		Mismatch  []jsonElement  `json:"mismatch"`
	}
	jsonElement struct {
		Element  string   `json:"element"`
		Operator string   `json:"operator"`
		Key      string   `json:"key"`
		Want     []string `json:"want"`
		Got      []string `json:"got"`
		GotState string   `json:"gotState"` // present, absent, unknown, presentUnknown, partial
		Note     string   `json:"note"`
	}
	jsonUndecided struct {
		Layer     string         `json:"layer"`
		Policy    jsonPolicy     `json:"policy"`
		Statement *jsonStatement `json:"statement"`
		Element   *jsonElement   `json:"element"`
		Missing   string         `json:"missing"`
		IfMatched string         `json:"ifMatched"`
		IfNot     string         `json:"ifNot"`
	}
	jsonFix struct {
		Layer    string          `json:"layer"`
		Policy   jsonPolicy      `json:"policy"`
		Change   string          `json:"change"`
		Document json.RawMessage `json:"document"`
		Verified bool            `json:"verified"`
		Note     string          `json:"note"`
	}
	jsonDisagreement struct {
		Agreement   string `json:"agreement"`
		Message     string `json:"message"`
		Evaluation  string `json:"evaluation"`
		LikelyCause string `json:"likelyCause"`
	}
	jsonSummary struct {
		Events   int            `json:"events"`
		Denials  int            `json:"denials"`
		Findings int            `json:"findings"`
		Skipped  int            `json:"skipped"`
		ByLayer  map[string]int `json:"byLayer"`
		Partial  bool           `json:"partial,omitempty"` // there is more than what was read
	}
	jsonResult struct {
		Name     string   `json:"name"`
		File     string   `json:"file"`
		Decision string   `json:"decision"`
		Layers   []string `json:"layers"`
		Pass     bool     `json:"pass"`
		Error    string   `json:"error"`
		Why      string   `json:"why,omitempty"`
	}
)

// A jsonRenderer writes findings and results as items of one object, checks as one
// object, and denied calls as one object a line.
type jsonRenderer struct {
	w              io.Writer
	subject        Subject
	items          int
	passed, failed int
	line           []byte // of a denied call, for the next to use
}

func newJSON(w io.Writer, s Subject, _ Options) Renderer { return &jsonRenderer{w: w, subject: s} }

// arrays are the names of the lists that subjects are items of.
var arrays = map[Subject]string{Findings: "findings", Results: "results"}

// item writes one item of the list, and before the first what precedes it.
func (j *jsonRenderer) item(v any) error {
	before := ",\n    "
	if j.items == 0 {
		before = fmt.Sprintf("{\n  %q: [\n    ", arrays[j.subject])
	}
	j.items++
	return j.write(before, v, "    ", "")
}

// end writes what follows the list; rest are the members after it.
func (j *jsonRenderer) end(rest string) error {
	list := "\n  ]"
	if j.items == 0 {
		list = fmt.Sprintf("{\n  %q: []", arrays[j.subject])
	}
	_, err := io.WriteString(j.w, list+rest+"\n}\n")
	return err
}

func (j *jsonRenderer) write(before string, v any, prefix, after string) error {
	text, err := marshal(v, prefix)
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.w, before+text+after)
	return err
}

// marshal writes a value with two blanks a level, or on one line if prefix is "-".
// What a terminal would act on is escaped as JSON has it.
func marshal(v any, prefix string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if prefix != "-" {
		e.SetIndent(prefix, "  ")
	}
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return escapeJSON(strings.TrimSuffix(b.String(), "\n")), nil
}

// escapeJSON escapes the characters that Clean would spell out. In JSON text they can
// stand inside strings only, but for the encoder's own line breaks.
func escapeJSON(s string) string {
	risky := func(r rune) bool { return r > 0x7e && unsafe(r) }
	if strings.IndexFunc(s, risky) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !risky(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func (j *jsonRenderer) Finding(f correlate.Finding) error {
	p := policyOf(f.Policy, f.Statement)
	if f.Policy == nil {
		p = policyOfBlocker(mainBlocker(f))
		p.ARN = f.PolicyARN // as AWS named it
	}
	out := jsonFinding{
		EventIDs: list(f.EventIDs), Count: f.Count, FirstSeen: timeText(f.FirstSeen), LastSeen: timeText(f.LastSeen),
		Request:  requestOf(f.Request.Request),
		Decision: f.Decision.String(), Layer: f.Layer, Policy: p, Statement: statementOf(f.Statement),
		Basis: f.Basis, Reason: f.Reason,
		Blockers: blockersOf(f.Blockers), Fixes: fixesOf(f.Fixes), Disagreement: disagreementOf(f.Disagreement),
		Agreement: string(f.Agreement), Message: text(f.Denial), ErrorCode: f.Denial.Code,
		Sessions: list(f.Sessions), Undecided: []jsonUndecided{}, Caveats: []string{}, Notes: list(f.Notes),
	}
	if s := f.PermissionSet; s != nil {
		out.PermissionSet = &jsonPermissionSet{s.Name, s.ARN}
	}
	if e := f.Era; e != nil {
		out.History = &jsonEra{timeText(e.Of), timeText(e.Begin), timeText(e.End), e.Changed}
	}
	for _, c := range f.Changes {
		out.Changes = append(out.Changes, jsonChange{timeText(c.Time), c.By, c.Name, c.Target, c.Policy, c.EventID})
	}
	if f.Explanation != nil {
		out.Undecided, out.Caveats = undecidedOf(f.Explanation.Undecided), list(f.Explanation.Caveats)
	}
	return j.item(out)
}

// mainBlocker is the blocker that a finding names, by its statement or else its layer;
// nil if there is none.
func mainBlocker(f correlate.Finding) *evaluator.Blocker {
	for i, b := range f.Blockers {
		if f.Statement != nil && b.Statement == f.Statement && string(b.Layer) == f.Layer {
			return &f.Blockers[i]
		}
	}
	for i, b := range f.Blockers {
		if string(b.Layer) == f.Layer {
			return &f.Blockers[i]
		}
	}
	return nil
}

func (j *jsonRenderer) Check(c Check) error { return j.write("", checkOf(c), "", "\n") }

func checkOf(c Check) jsonCheck {
	e := c.Explanation
	out := jsonCheck{
		Request: requestOf(c.Request), Decision: e.Decision.String(), Reason: reason(c),
		Blockers: blockersOf(e.Blockers), Undecided: undecidedOf(e.Undecided), Fixes: fixesOf(c.Fixes), Caveats: list(e.Caveats),
		AllowedIf: termsOf(e.AllowedIf), DeniedIf: termsOf(e.DeniedIf),
	}
	if len(e.Blockers) > 0 {
		b := out.Blockers[0]
		out.Layer, out.Policy, out.Statement = b.Layer, b.Policy, b.Statement
	}
	return out
}

func (j *jsonRenderer) Result(r casefile.Result) error {
	out := jsonResult{Name: r.Case.Name, File: r.Case.Pos.File, Layers: []string{}, Pass: r.Pass, Why: r.Why}
	for _, l := range r.Layers {
		out.Layers = append(out.Layers, string(l))
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	} else {
		out.Decision = r.Decision.String()
	}
	if r.Pass {
		j.passed++
	} else {
		j.failed++
	}
	return j.item(out)
}

func (j *jsonRenderer) Close(s correlate.Summary) error {
	switch j.subject {
	case Results:
		return j.end(fmt.Sprintf(",\n  \"passed\": %d,\n  \"failed\": %d", j.passed, j.failed))
	case Findings:
		if s.ByLayer == nil {
			s.ByLayer = map[string]int{}
		}
		text, err := marshal(jsonSummary(s), "  ")
		if err != nil {
			return err
		}
		return j.end(",\n  \"summary\": " + text)
	}
	return nil
}

// list makes the nil list an empty one.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// requestOf writes a context as a case file has it: keys with their values,
// those not known apart. A key that may have more values is in both.
func requestOf(q evaluator.Request) jsonRequest {
	out := jsonRequest{
		Principal: q.Principal.ARN, PrincipalType: string(q.Principal.Type), Account: q.Principal.Account,
		Action: q.Action, Resources: []string{}, ResourceAccount: q.Resource.Account,
		Context: map[string][]string{}, Unknown: []string{},
	}
	out.ResourcePattern = q.Resource.Pattern
	if q.Resource.ARN != "" {
		out.Resources = append(out.Resources, q.Resource.ARN)
	}
	for _, v := range q.Context.All() {
		if v.Pattern { // only in part known
			out.Unknown = append(out.Unknown, v.Name)
			continue
		}
		switch v.State {
		case evaluator.Present:
			out.Context[v.Name] = list(v.Values)
		case evaluator.Partial:
			out.Context[v.Name] = list(v.Values)
			out.Unknown = append(out.Unknown, v.Name)
		case evaluator.PresentUnknown, evaluator.UnknownKey:
			out.Unknown = append(out.Unknown, v.Name)
		}
	}
	return out
}

func policyOf(p *evaluator.Policy, s *policy.Statement) jsonPolicy {
	pos := where(p, s)
	out := jsonPolicy{File: pos.File, Line: pos.Line, Column: pos.Col}
	if p != nil {
		out.Type, out.Name, out.ARN, out.Target = p.Type, p.Name, p.ARN, p.Target
	}
	return out
}

// policyOfBlocker knows the type and the target even where there is no policy.
func policyOfBlocker(b *evaluator.Blocker) jsonPolicy {
	if b == nil {
		return jsonPolicy{}
	}
	out := policyOf(b.Policy, b.Statement)
	if b.Policy == nil {
		out.Type, out.Target = b.PolicyType, b.Target
	}
	return out
}

func statementOf(s *policy.Statement) *jsonStatement {
	if s == nil {
		return nil
	}
	return &jsonStatement{s.Sid.Value, s.Index}
}

func blockersOf(blockers []evaluator.Blocker) []jsonBlocker {
	out := []jsonBlocker{}
	for _, b := range blockers {
		near := []jsonNearMiss{}
		for _, n := range b.NearMisses {
			near = append(near, jsonNearMiss{policyOf(n.Policy, n.Statement), statementOf(n.Statement), elementsOf(n.Mismatch)})
		}
		out = append(out, jsonBlocker{
			Layer: string(b.Layer), Kind: string(b.Kind), Policy: policyOfBlocker(&b), Statement: statementOf(b.Statement),
			NearMisses: near, Note: b.Note,
		})
	}
	return out
}

// stateWords are the states of a context key.
var stateWords = map[evaluator.KeyState]string{
	evaluator.Present: "present", evaluator.Absent: "absent", evaluator.UnknownKey: "unknown",
	evaluator.PresentUnknown: "presentUnknown", evaluator.Partial: "partial",
}

func elementsOf(elements []evaluator.ElementTrace) []jsonElement {
	out := []jsonElement{}
	for _, e := range elements {
		out = append(out, elementOf(e))
	}
	return out
}

func elementOf(e evaluator.ElementTrace) jsonElement {
	state := stateWords[e.GotState]
	if e.Element != "Condition" {
		state = "present" // an element other than Condition asks for what every request has
	}
	return jsonElement{e.Element, e.Operator, e.Key, list(e.Want), list(e.Got), state, e.Note}
}

func undecidedOf(undecided []evaluator.Undecided) []jsonUndecided {
	out := []jsonUndecided{}
	for _, u := range undecided {
		v := jsonUndecided{
			Layer: string(u.Layer), Policy: policyOf(u.Policy, u.Statement), Statement: statementOf(u.Statement), Missing: u.Missing,
			IfMatched: u.IfMatched.String(), IfNot: u.IfNot.String(),
		}
		if u.Element.Element != "" {
			e := elementOf(u.Element)
			v.Element = &e
		}
		out = append(out, v)
	}
	return out
}

func termsOf(sets [][]evaluator.Term) [][]jsonTerm {
	out := make([][]jsonTerm, len(sets))
	for i, set := range sets {
		out[i] = []jsonTerm{}
		for _, t := range set {
			out[i] = append(out[i], jsonTerm{string(t.Layer), policyOf(t.Policy, t.Statement), statementOf(t.Statement), t.Missing, t.Good})
		}
	}
	return out
}

func fixesOf(fixes []evaluator.Fix) []jsonFix {
	out := []jsonFix{}
	for _, x := range fixes {
		f := jsonFix{Layer: string(x.Layer), Policy: policyOf(x.Policy, x.Statement), Change: x.Change, Document: slices.Clone(x.Document), Verified: true, Note: x.Note}
		if x.Policy == nil {
			f.Policy.Target = x.Target
		}
		if !json.Valid(f.Document) {
			f.Document = json.RawMessage("{}")
		}
		out = append(out, f)
	}
	return out
}

func disagreementOf(d *correlate.Disagreement) *jsonDisagreement {
	if d == nil {
		return nil
	}
	return &jsonDisagreement{string(d.Agreement), d.Message, d.Evaluation, d.LikelyCause}
}
