package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

var update = flag.Bool("update", false, "rewrite golden files")

// attached makes a policy of a document.
func attached(t *testing.T, p evaluator.Policy, file, doc string) *evaluator.Policy {
	t.Helper()
	parsed, err := policy.Parse(file, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	p.Body = evaluator.Compile(parsed)
	return &p
}

func statement(p *evaluator.Policy, i int) *policy.Statement {
	return &p.Body.Document().Statements[i]
}

// A world is the data that the goldens are made of.
type world struct {
	scp, identity *evaluator.Policy
	request       evaluator.Request
	blockers      []evaluator.Blocker
	region, when  evaluator.ElementTrace
}

func newWorld(t *testing.T) world {
	var w world
	w.scp = attached(t, evaluator.Policy{Name: "eu-only", ARN: "arn:aws:organizations::999999999999:policy/o-acme/service_control_policy/p-4k2x9q1z", Type: "scp", Target: "ou-prod"},
		"organization/scp/p-4k2x9q1z.json", `{"Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*"},
  {"Sid": "DenyOutsideEU", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}}]}`)
	w.identity = attached(t, evaluator.Policy{Name: "deploy", Type: "inline", Target: "arn:aws:iam::222222222222:role/deploy"},
		"accounts/222222222222/iam.json", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::acme-data/*"}}`)
	w.request = evaluator.Request{
		Principal: evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::222222222222:assumed-role/deploy/ci", RoleARN: "arn:aws:iam::222222222222:role/deploy", Account: "222222222222"},
		Action:    "s3:PutObject",
		Resource:  evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/app.log", Account: "111111111111"},
	}
	w.request.Context.Open = true
	w.request.Context.Set("aws:RequestedRegion", "us-east-1")
	w.request.Context.SetState("aws:MultiFactorAuthAge", evaluator.UnknownKey)
	w.request.Context.SetState("aws:SourceVpce", evaluator.Absent)
	w.region = evaluator.ElementTrace{
		Element: "Condition", Operator: "StringNotEquals", Key: "aws:RequestedRegion", Match: evaluator.Matched,
		Want: []string{"eu-west-1", "eu-central-1"}, Got: []string{"us-east-1"}, GotState: evaluator.Present,
	}
	w.when = evaluator.ElementTrace{
		Element: "Condition", Operator: "NumericLessThan", Key: "aws:MultiFactorAuthAge", Match: evaluator.Unknown,
		Want: []string{"3600"}, GotState: evaluator.UnknownKey,
	}
	w.blockers = []evaluator.Blocker{
		{Layer: evaluator.LayerSCP, Kind: evaluator.KindExplicitDeny, Policy: w.scp, Statement: statement(w.scp, 1), Target: "ou-prod", PolicyType: "scp",
			NearMisses: []evaluator.NearMiss{{Policy: w.scp, Statement: statement(w.scp, 1), Mismatch: []evaluator.ElementTrace{w.region}}}},
		{Layer: evaluator.LayerIdentity, Kind: evaluator.KindNoAllow, Policy: w.identity, Target: "arn:aws:iam::222222222222:role/deploy", PolicyType: "inline",
			NearMisses: []evaluator.NearMiss{{Policy: w.identity, Statement: statement(w.identity, 0), Mismatch: []evaluator.ElementTrace{
				{Element: "Resource", Want: []string{"arn:aws:s3:::acme-data/*"}, Got: []string{"arn:aws:s3:::acme-logs/app.log"}, GotState: evaluator.Present}}},
				{Policy: w.scp, Statement: statement(w.scp, 0), Mismatch: []evaluator.ElementTrace{
					{Element: "Action", Want: []string{"s3:GetObject"}, Got: []string{"s3:PutObject"}}, {Element: "Resource", Want: []string{"arn:aws:s3:::b"}, Got: []string{"arn:aws:s3:::acme-logs/app.log"}}}}}},
		{Layer: evaluator.LayerResource, Kind: evaluator.KindNoAllow, Target: "arn:aws:s3:::acme-logs/app.log", PolicyType: "bucket"},
		{Layer: evaluator.LayerRCP, Kind: evaluator.KindNotCollected, Target: "111111111111", Note: "organizations:ListPolicies was denied"},
	}
	return w
}

func (w world) fixes() []evaluator.Fix {
	return []evaluator.Fix{
		{Layer: evaluator.LayerSCP, Policy: w.scp, Change: "editStatement", Document: []byte(`{"Effect":"Deny","NotAction":"s3:PutObject"}`), Note: "this weakens a guardrail of ou-prod"},
		{Layer: evaluator.LayerResource, Target: "arn:aws:s3:::acme-logs", Change: "attachPolicy", Document: []byte(`{"Effect":"Allow","Action":"s3:PutObject"}`)},
	}
}

func (w world) finding() correlate.Finding {
	e := evaluator.Explanation{Decision: evaluator.ExplicitDeny, Blockers: w.blockers, Caveats: []string{"E39"}}
	d := correlate.Denial{
		Event: &correlate.Event{ID: "e-1", Source: "s3.amazonaws.com", Name: "PutObject", Time: time.Date(2026, 1, 2, 9, 12, 0, 0, time.UTC)},
		Code:  "AccessDenied", Principal: w.request.Principal,
		Message: correlate.Message{Text: "User: x is not authorized to perform: s3:PutObject with an explicit deny in a service control policy", Claim: correlate.ClaimExplicitDeny, Layer: "scp", Action: "s3:PutObject"},
	}.WithRequests(correlate.Request{Request: w.request})
	return correlate.Finding{
		EventIDs: []string{"e-1", "e-2"}, Count: 14,
		FirstSeen: time.Date(2026, 1, 2, 9, 12, 0, 0, time.UTC), LastSeen: time.Date(2026, 1, 2, 10, 40, 0, 0, time.FixedZone("", 3600)),
		Denial: d, Request: correlate.Request{Request: w.request}, Explanation: &e,
		Decision: evaluator.ExplicitDeny, Layer: "scp", Policy: w.scp, PolicyARN: w.scp.ARN, Statement: statement(w.scp, 1),
		Basis: "message+evaluation", Agreement: correlate.Agree, Reason: "the service control policy eu-only denies s3:PutObject outside the EU",
		Blockers: w.blockers, Fixes: w.fixes(),
	}
}

// messageOnly is a finding without a snapshot.
func (w world) messageOnly() correlate.Finding {
	f := w.finding()
	f.Explanation, f.Policy, f.Statement, f.Blockers, f.Fixes = nil, nil, nil, nil, nil
	f.Count, f.LastSeen, f.EventIDs = 1, f.FirstSeen, nil
	f.Basis, f.Agreement = "message", ""
	return f
}

// disagreeing is a finding whose message and evaluation part.
func (w world) disagreeing() correlate.Finding {
	f := w.finding()
	e := evaluator.Explanation{Decision: evaluator.Allowed}
	f.Explanation, f.Policy, f.Statement, f.Blockers, f.Fixes = &e, nil, nil, nil, nil
	f.PolicyARN = "arn:aws:organizations::999999999999:policy/o-acme/service_control_policy/p-gone"
	f.Agreement = correlate.EvaluationSilent
	f.LastSeen = f.LastSeen.AddDate(0, 0, 3)
	f.Sessions = []string{"a", "b"}
	f.Disagreement = &correlate.Disagreement{Agreement: correlate.EvaluationSilent, Message: "explicitDeny by scp", Evaluation: "allowed", LikelyCause: "the policy changed since the event"}
	f.Notes = []string{"the snapshot is 3 days older than the event"}
	return f
}

func (w world) undecided() evaluator.Explanation {
	open := w.region
	open.Got, open.GotState, open.Match = nil, evaluator.UnknownKey, evaluator.Unknown
	return evaluator.Explanation{
		Decision: evaluator.Indeterminate,
		Blockers: w.blockers[3:],
		Undecided: []evaluator.Undecided{
			{Layer: evaluator.LayerIdentity, Policy: w.identity, Statement: statement(w.identity, 0), Element: w.when, IfMatched: evaluator.Allowed, IfNot: evaluator.ImplicitDeny},
			{Layer: evaluator.LayerSCP, Policy: w.scp, Statement: statement(w.scp, 1), Element: open, IfMatched: evaluator.ExplicitDeny, IfNot: evaluator.Allowed},
			{Layer: evaluator.LayerRCP, Missing: "resource control policies of 111111111111: organizations:ListPolicies was denied", IfMatched: evaluator.Allowed, IfNot: evaluator.ExplicitDeny},
		},
		AllowedIf: [][]evaluator.Term{
			{{Layer: evaluator.LayerIdentity, Policy: w.identity, Statement: statement(w.identity, 0), Good: true}, {Layer: evaluator.LayerSCP, Policy: w.scp, Statement: statement(w.scp, 1), Good: true}},
			{{Layer: evaluator.LayerRCP, Missing: "resource control policies of 111111111111", Good: true}},
		},
		DeniedIf: [][]evaluator.Term{
			{{Layer: evaluator.LayerIdentity, Policy: w.identity, Statement: statement(w.identity, 0)}, {Layer: evaluator.LayerRCP, Missing: "resource control policies of 111111111111"}},
			{{Layer: evaluator.LayerSCP, Policy: w.scp, Statement: statement(w.scp, 1)}, {Layer: evaluator.LayerRCP, Missing: "resource control policies of 111111111111"}},
		},
	}
}

func (w world) allowed() evaluator.Explanation {
	return evaluator.Explanation{Decision: evaluator.Allowed, Trace: []evaluator.LayerTrace{
		{Layer: evaluator.LayerSCP, Statements: []evaluator.StatementTrace{{Policy: w.scp, Statement: statement(w.scp, 0), Match: evaluator.Matched}, {Policy: w.scp, Statement: statement(w.scp, 1)}}},
		{Layer: evaluator.LayerIdentity, Statements: []evaluator.StatementTrace{{Policy: w.identity, Statement: statement(w.identity, 0), Match: evaluator.Matched}}},
	}}
}

func (w world) results() []casefile.Result {
	at := policy.Pos{File: "tests/a.yaml", Line: 3, Col: 5}
	return []casefile.Result{
		{Case: casefile.Case{Name: "passes", Pos: at}, Decision: evaluator.Allowed, Pass: true},
		{Case: casefile.Case{Name: "fails", Pos: at}, Decision: evaluator.ExplicitDeny, Layers: []evaluator.LayerName{"scp", "identity"},
			Why:         "decision is explicitDeny by scp, identity, expected allowed",
			Explanation: evaluator.Explanation{Decision: evaluator.ExplicitDeny, Blockers: w.blockers[:2]}},
		{Case: casefile.Case{Name: "can't be run", Pos: at}, Err: errors.New("tests/a.yaml:9:3: unknown field \"acton\"")},
	}
}

func (w world) denials() []correlate.Denial {
	d := w.finding().Denial
	d.Event.Identity.ARN = w.request.Principal.ARN
	return []correlate.Denial{
		d,
		{Event: &correlate.Event{ID: "e-0", Source: "ec2.amazonaws.com", Name: "StopInstances", Time: time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC),
			Identity: correlate.Identity{Type: "AWSAccount", PrincipalID: "AIDAEXAMPLE"}}, Code: "Client.UnauthorizedOperation", Message: correlate.Message{Text: "=cmd()\nsecond \x1b[2Jline"}},
	}
}

func TestGoldens(t *testing.T) {
	w := newWorld(t)
	findings := func(list ...correlate.Finding) func(Renderer) error {
		return func(r Renderer) error {
			for _, f := range list {
				if err := r.Finding(f); err != nil {
					return err
				}
			}
			return r.Close(correlate.Summary{Events: 20, Denials: 15, Findings: len(list), Skipped: 1, ByLayer: map[string]int{"scp": 15}})
		}
	}
	check := func(e evaluator.Explanation, fixes []evaluator.Fix) func(Renderer) error {
		return func(r Renderer) error {
			if err := r.Check(Check{w.request, e, fixes}); err != nil {
				return err
			}
			return r.Close(correlate.Summary{})
		}
	}
	denied := evaluator.Explanation{Decision: evaluator.ExplicitDeny, Blockers: w.blockers, Caveats: []string{"E39", "R7"}}
	implicit := evaluator.Explanation{Decision: evaluator.ImplicitDeny, Blockers: w.blockers[1:3]}
	results := func(r Renderer) error {
		for _, result := range w.results() {
			if err := r.Result(result); err != nil {
				return err
			}
		}
		return r.Close(correlate.Summary{})
	}
	denials := func(r Renderer) error {
		for _, d := range w.denials() {
			if err := r.Denial(d); err != nil {
				return err
			}
		}
		return r.Close(correlate.Summary{})
	}
	nothing := func(r Renderer) error { return r.Close(correlate.Summary{}) }

	tests := []struct {
		golden  string
		subject Subject
		format  string
		opts    Options
		write   func(Renderer) error
	}{
		{"finding.txt", Findings, "text", Options{}, findings(w.finding(), w.messageOnly(), w.disagreeing())},
		{"finding-80.txt", Findings, "text", Options{Width: 80}, findings(w.finding(), w.disagreeing())},
		{"finding-color.txt", Findings, "text", Options{Color: true}, findings(w.messageOnly())},
		{"finding.json", Findings, "json", Options{}, findings(w.finding(), w.disagreeing())},
		{"finding-message.json", Findings, "json", Options{}, findings(w.messageOnly())},
		{"finding-none.json", Findings, "json", Options{}, nothing},
		{"check-denied.txt", Checks, "text", Options{}, check(denied, w.fixes()[:1])},
		{"check-implicit.txt", Checks, "text", Options{}, check(implicit, nil)},
		{"check-undecided.txt", Checks, "text", Options{}, check(w.undecided(), nil)},
		{"check-allowed.txt", Checks, "text", Options{}, check(w.allowed(), nil)},
		{"check-denied.json", Checks, "json", Options{}, check(denied, w.fixes()[:1])},
		{"check-undecided.json", Checks, "json", Options{}, check(w.undecided(), nil)},
		{"check-allowed.json", Checks, "json", Options{}, check(w.allowed(), nil)},
		{"results.txt", Results, "text", Options{Verbose: true}, results},
		{"results.json", Results, "json", Options{}, results},
		{"results-none.json", Results, "json", Options{}, nothing},
		{"denials.txt", Denials, "text", Options{}, denials},
		{"denials-80.txt", Denials, "text", Options{Width: 80}, denials},
		{"denials.json", Denials, "json", Options{}, denials},
		{"denials.csv", Denials, "csv", Options{}, denials},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			var out bytes.Buffer
			r, err := New(tt.format, tt.subject, &out, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.write(r); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.golden, out.Bytes())
			if tt.opts.Width > 0 {
				wide(t, out.String(), tt.opts.Width)
			}
			if tt.format == "json" && tt.subject != Denials && !json.Valid(out.Bytes()) {
				t.Error("not JSON")
			}
			if strings.Contains(out.String(), ": null,\n") && strings.Contains(out.String(), "s\": null") {
				t.Error("a list is null")
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// wide holds lines to a width, but for those that are one word too long, and JSON.
func wide(t *testing.T, text string, width int) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("a line of more than %d columns: %q", width, line)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := New("yaml", Denials, nil, Options{})
	if want := `unknown output "yaml": have text, json, csv`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := New("csv", Findings, nil, Options{}); err == nil {
		t.Error("csv writes findings")
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing to do", "arn:aws:s3:::bücket → x", "arn:aws:s3:::bücket → x"},
		{"escape", "\x1b[2J", `\x1b[2J`},
		{"line and tab", "a\nb\tc\rd", `a\nb\tc\rd`},
		{"C1 control sequence introducer", "a\u009b2Jb", `a\u009b2Jb`},
		{"direction override", "a\u202eb", `a\u202eb`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"delete", "a\x7fb", `a\x7fb`},
	}
	for _, tt := range tests {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("%s: Clean(%q): got %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// escapes are the terminal sequences that we write ourselves.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// FuzzHostile: whatever stands in an event, text and CSV bring only our own
// escapes to the terminal, JSON none at all and what it says decodes to what came in.
func FuzzHostile(f *testing.F) {
	f.Add("\x1b[2J\u009b\u202e", "arn:aws:iam::1:user/\x00\n")
	f.Add("=1+1", "\u2028 \xff")
	f.Fuzz(func(t *testing.T, message, arn string) {
		d := correlate.Denial{Code: message, Message: correlate.Message{Text: message}, Event: &correlate.Event{ID: arn, Name: message, Identity: correlate.Identity{ARN: arn}}}
		finding := correlate.Finding{Denial: d, Layer: message, Reason: message, PolicyARN: arn, Basis: "message", Notes: []string{message, arn}, Count: 1}
		finding.Request.Principal.ARN, finding.Request.Action, finding.Request.Resource.ARN = arn, message, arn
		for _, format := range []string{"text", "json", "csv"} {
			for _, width := range []int{0, 40} {
				var out bytes.Buffer
				r, err := New(format, Denials, &out, Options{Color: true, Width: width})
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(r.Denial(d), r.Close(correlate.Summary{})); err != nil {
					t.Fatal(err)
				}
				tame(t, format, out.String())
				if format == "json" {
					var back jsonDenial
					if err := json.Unmarshal(out.Bytes(), &back); err != nil {
						t.Fatalf("not JSON: %v", err)
					}
					if utf8.ValidString(message) && back.Message != message {
						t.Errorf("message %q came out as %q", message, back.Message)
					}
				}
				if format == "csv" {
					continue
				}
				out.Reset()
				if r, err = New(format, Findings, &out, Options{Color: true, Width: width}); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(r.Finding(finding), r.Close(correlate.Summary{})); err != nil {
					t.Fatal(err)
				}
				tame(t, format, out.String())
			}
		}
	})
}

func tame(t *testing.T, format, out string) {
	t.Helper()
	if format == "text" {
		out = escapes.ReplaceAllString(out, "")
	}
	for _, r := range strings.ReplaceAll(out, "\n", "") {
		if unsafe(r) {
			t.Errorf("%s: %s gets out: %q", format, fmt.Sprintf("%U", r), out)
			return
		}
	}
}
