package casefile

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// sid is a statement with that Sid.
func sid(name string) *policy.Statement {
	return &policy.Statement{Sid: policy.Text{Value: name}}
}

func TestLayersAndSids(t *testing.T) {
	denied := evaluator.Explanation{Decision: evaluator.ExplicitDeny, Blockers: []evaluator.Blocker{
		{Layer: evaluator.LayerSCP, Kind: evaluator.KindExplicitDeny, Statement: sid("Guard"), NearMisses: []evaluator.NearMiss{{Statement: sid("NotNamed")}}},
		{Layer: evaluator.LayerIdentity, Kind: evaluator.KindNoAllow, NearMisses: []evaluator.NearMiss{{Statement: sid("Near")}}},
		{Layer: evaluator.LayerSCP, Kind: evaluator.KindExplicitDeny, Statement: sid("Guard")},
	}}
	undecided := evaluator.Explanation{Decision: evaluator.Indeterminate, Undecided: []evaluator.Undecided{{Layer: evaluator.LayerRCP, Statement: sid("Open")}}}
	allowed := evaluator.Explanation{Decision: evaluator.Allowed, Trace: []evaluator.LayerTrace{{Statements: []evaluator.StatementTrace{
		{Statement: sid("Allows"), Match: evaluator.Matched}, {Statement: sid("Other")}}}}}
	list := []evaluator.Explanation{denied, undecided, allowed}
	if diff := cmp.Diff([]evaluator.LayerName{"scp", "identity", "rcp"}, layersOf(list)); diff != "" {
		t.Errorf("layers of all requests, once each (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Guard", "Near", "Open", "Allows"}, sidsOf(list)); diff != "" {
		t.Errorf("statements that decide (-want +got):\n%s", diff)
	}
}

func TestDiffers(t *testing.T) {
	denied := Result{Decision: evaluator.ExplicitDeny, Layers: []evaluator.LayerName{"scp", "identity"}}
	seen := []evaluator.Explanation{{
		Decision: evaluator.ExplicitDeny, Caveats: []string{"P17", "G21"},
		Blockers: []evaluator.Blocker{
			{Layer: evaluator.LayerSCP, Kind: evaluator.KindExplicitDeny, Statement: sid("Guard"), Target: "ou-1"},
			{Layer: evaluator.LayerIdentity, Kind: evaluator.KindNoAllow, Target: "u"},
		},
	}, {
		Decision: evaluator.Indeterminate, Undecided: []evaluator.Undecided{{Layer: evaluator.LayerRCP, Element: evaluator.ElementTrace{Key: "aws:SourceIp"}}},
	}}
	const blockers = "[scp explicitDeny Guard at ou-1, identity noAllow at u]"
	scp, identity := ExpectedBlocker{Layer: evaluator.LayerSCP}, ExpectedBlocker{Layer: evaluator.LayerIdentity}
	expecting := func(e Expectation) Expectation { e.Decision = evaluator.ExplicitDeny; return e }
	tests := []struct {
		name string
		want Expectation
		got  string
	}{
		{"blockers, by their layers", expecting(Expectation{Blockers: []ExpectedBlocker{scp, identity}}), ""},
		{"blockers, in full", expecting(Expectation{Blockers: []ExpectedBlocker{
			{evaluator.LayerSCP, evaluator.KindExplicitDeny, "Guard", "ou-1"}, {evaluator.LayerIdentity, evaluator.KindNoAllow, "", "u"}}}), ""},
		{"blockers in another order", expecting(Expectation{Blockers: []ExpectedBlocker{identity, scp}}), "blockers are " + blockers + ", expected [identity, scp]"},
		{"one blocker more than expected", expecting(Expectation{Blockers: []ExpectedBlocker{scp}}), "blockers are " + blockers + ", expected [scp]"},
		{"no blocker expected", expecting(Expectation{Blockers: []ExpectedBlocker{}}), "blockers are " + blockers + ", expected []"},
		{"blocker of another kind", expecting(Expectation{Blockers: []ExpectedBlocker{scp, {Layer: evaluator.LayerIdentity, Kind: evaluator.KindExplicitDeny}}}),
			"blockers are " + blockers + ", expected [scp, identity explicitDeny]"},
		{"blocker by another statement", expecting(Expectation{Blockers: []ExpectedBlocker{{Layer: evaluator.LayerSCP, Statement: "Other"}, identity}}),
			"blockers are " + blockers + ", expected [scp Other, identity]"},
		{"blocker at another level", expecting(Expectation{Blockers: []ExpectedBlocker{{Layer: evaluator.LayerSCP, Target: "ou-2"}, identity}}),
			"blockers are " + blockers + ", expected [scp at ou-2, identity]"},
		{"undecided: key without case (C3), layer", expecting(Expectation{Undecided: []string{"AWS:sourceip", "rcp"}}), ""},
		{"undecided", expecting(Expectation{Undecided: []string{"aws:SourceVpc", "scp"}}),
			"aws:SourceVpc is not among what the decision hangs on (rcp, aws:SourceIp); scp is not among what the decision hangs on (rcp, aws:SourceIp)"},
		{"caveats", expecting(Expectation{Caveats: []string{"G21", "R9"}}), "rule R9 is not among the caveats (P17, G21)"},
		{"as expected", Expectation{Decision: evaluator.ExplicitDeny, Layers: []evaluator.LayerName{"identity"}, Statement: "Guard"}, ""},
		{"decision", Expectation{Decision: evaluator.Allowed}, "decision is explicitDeny by scp, identity, expected allowed"},
		{"layer", Expectation{Decision: evaluator.ExplicitDeny, Layers: []evaluator.LayerName{"rcp", "scp"}}, "layer rcp is not among the blockers (scp, identity)"},
		{"statement", Expectation{Decision: evaluator.ExplicitDeny, Statement: "Other"}, "statement Other is not named (Guard)"},
		{"all", Expectation{Decision: evaluator.Allowed, Layers: []evaluator.LayerName{"rcp"}, Statement: "Other"},
			"decision is explicitDeny by scp, identity, expected allowed; layer rcp is not among the blockers (scp, identity); statement Other is not named (Guard)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.got, differs(tt.want, denied, seen)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	none := differs(Expectation{Decision: evaluator.Allowed, Statement: "X"}, Result{}, nil)
	if want := "decision is implicitDeny, expected allowed; statement X is not named (none)"; none != want {
		t.Errorf("nothing named: got %q, want %q", none, want)
	}
}

// A fake gives policies, and knows whose a bucket is and a role's path.
type fake struct {
	policies evaluator.Policies
	err      error
	asked    []evaluator.Request
}

func (f *fake) Policies(_ context.Context, req evaluator.Request) (evaluator.Policies, error) {
	f.asked = append(f.asked, req)
	return f.policies, f.err
}

func (f *fake) Complete(req *evaluator.Request) {
	req.Resource.Account = "222222222222"
	req.Principal.ID = "AIDAEXAMPLE"
	req.Context.Set("aws:PrincipalOrgID", "o-acme")
}

const fromSnapshot = "cases:\n- name: c\n  request: {" + user + ", action: s3:GetObject, resource: arn:aws:s3:::b/k}\n  expect: {decision: implicitDeny}\n"

func TestRunWithSnapshot(t *testing.T) {
	c := readOne(t, "c.yaml", fromSnapshot)
	src := &fake{}
	if r := Run(t.Context(), c, src); r.Err != nil {
		t.Fatalf("Run: %v", r.Err)
	}
	req := src.asked[0]
	if req.Resource.Account != "222222222222" || req.Principal.ID != "AIDAEXAMPLE" {
		t.Errorf("the snapshot knows the owner and the principal: got %+v, %+v", req.Resource, req.Principal)
	}
	if got := req.Context.Lookup("aws:ResourceAccount").Values; len(got) != 1 || got[0] != "222222222222" {
		t.Errorf("aws:ResourceAccount: got %v", got)
	}
	if req.Context.Known("aws:PrincipalOrgID") {
		t.Error("a case's context is closed, but a key of the snapshot is in it")
	}
	if c.Requests[0].Context.Known("aws:ResourceAccount") {
		t.Error("running a case changed it")
	}

	given := readOne(t, "c.yaml", strings.Replace(fromSnapshot, "resource:", "resourceAccount: 333333333333, resource:", 1))
	src = &fake{}
	Run(t.Context(), given, &onlyPolicies{src})
	if got := src.asked[0].Resource.Account; got != "333333333333" {
		t.Errorf("resourceAccount: got %s, want 333333333333", got)
	}
	Run(t.Context(), c, &onlyPolicies{src})
	if got := src.asked[1].Resource.Account; got != "123456789012" {
		t.Errorf("an owner that nobody knows is the principal's account: got %s", got)
	}
}

// onlyPolicies is a source that can't complete requests.
type onlyPolicies struct{ src *fake }

func (o *onlyPolicies) Policies(ctx context.Context, req evaluator.Request) (evaluator.Policies, error) {
	return o.src.Policies(ctx, req)
}

func TestRunErrors(t *testing.T) {
	c := readOne(t, "c.yaml", fromSnapshot)
	r := Run(t.Context(), c, nil)
	if !errors.Is(r.Err, ErrNoPolicies) || r.Pass || !strings.HasPrefix(r.Err.Error(), "c.yaml:2:3: ") {
		t.Errorf("no policies and no snapshot: got %v, pass %v", r.Err, r.Pass)
	}
	lost := errors.New("lost")
	if r := Run(t.Context(), c, &fake{err: lost}); !errors.Is(r.Err, lost) || r.Pass {
		t.Errorf("a source that fails: got %v, pass %v", r.Err, r.Pass)
	}
	broken := Case{Err: lost}
	if r := Run(t.Context(), broken, nil); r.Err != lost || r.Pass {
		t.Errorf("a broken case: got %v, pass %v", r.Err, r.Pass)
	}
}

// TestRun runs rows of evaluation.md section 12.
func TestRun(t *testing.T) {
	deny := "{Version: 2012-10-17, Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}, {Sid: NoGets, Effect: Deny, Action: 's3:Get*', Resource: 'arn:aws:s3:::b/*'}]}"
	twoBuckets := strings.Replace(withPolicies("identity: [{name: p, document: "+deny+"}]"), "resource: arn:aws:s3:::b/k", "resource: [arn:aws:s3:::c/k, arn:aws:s3:::b/k]", 1)
	tests := []struct {
		name, text string
		decision   evaluator.Decision
		layers     []evaluator.LayerName
	}{
		{"T1: nothing allows", withPolicies("identity: []"), evaluator.ImplicitDeny, []evaluator.LayerName{"identity"}},
		{"T2: identity allows", withPolicies("identity: [{name: p, document: " + allowAll + "}]"), evaluator.Allowed, []evaluator.LayerName{}},
		{"T3: a deny wins", withPolicies("identity: [{name: p, document: " + deny + "}]"), evaluator.ExplicitDeny, []evaluator.LayerName{"identity"}},
		{"E4: all resources must be allowed", twoBuckets, evaluator.ExplicitDeny, []evaluator.LayerName{"identity"}},
		{"an empty boundary allows nothing", withPolicies("identity: [{name: p, document: "+allowAll+"}]", "boundary: []"), evaluator.ImplicitDeny, []evaluator.LayerName{"boundary"}},
		{"empty SCPs allow nothing", withPolicies("identity: [{name: p, document: "+allowAll+"}]", "scps: []"), evaluator.ImplicitDeny, []evaluator.LayerName{"scp"}},
		{"T43: every level must allow", withPolicies("identity: [{name: p, document: "+allowAll+"}]",
			"scps: [{target: r, policies: [{name: n, document: "+allowAll+"}]}, {target: ou, policies: []}]"), evaluator.ImplicitDeny, []evaluator.LayerName{"scp"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", tt.text)
			r := Run(t.Context(), c, nil)
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if r.Decision != tt.decision {
				t.Errorf("decision: got %v, want %v", r.Decision, tt.decision)
			}
			if diff := cmp.Diff(tt.layers, r.Layers); diff != "" {
				t.Errorf("layers (-want +got):\n%s", diff)
			}
			if want := tt.decision == evaluator.Allowed; r.Pass != want { // every case expects allowed
				t.Errorf("pass: got %v, want %v (%s)", r.Pass, want, r.Why)
			}
			if r.Explanation.Decision != r.Decision {
				t.Errorf("the explanation is of a request that is %v, the decision %v", r.Explanation.Decision, r.Decision)
			}
		})
	}
}
