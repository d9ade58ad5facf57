package correlate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An answer is what a finding says, in short.
type answer struct {
	Agreement Agreement
	Decision  string
	Layer     string
	Statement string // Sid
	Policy    string // name
	Basis     string
	Fixed     bool // has fixes
	Differs   string
}

func answerOf(f *Finding) answer {
	a := answer{Agreement: f.Agreement, Decision: f.Decision.String(), Layer: f.Layer, Basis: f.Basis, Fixed: len(f.Fixes) > 0}
	if f.Statement != nil {
		a.Statement = f.Statement.Sid.Value
	}
	if f.Policy != nil {
		a.Policy = f.Policy.Name
	}
	if f.Disagreement != nil {
		a.Differs = f.Disagreement.Message + " / " + f.Disagreement.Evaluation
	}
	return a
}

func scpLevel(target string, l evaluator.Layer) evaluator.Level {
	return evaluator.Level{Target: target, Layer: l}
}

func scps(levels ...evaluator.Level) evaluator.Hierarchy {
	return evaluator.Hierarchy{State: evaluator.Applies, Levels: levels}
}

// guardLayer is a layer with a policy that AWS can name by its ARN, beside FullAWSAccess.
func guardLayer(statements ...string) evaluator.Layer {
	return evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{
		namedPolicy("full", "", allows("Full", "*")), namedPolicy("guard", orgGuard, statements...),
	}}
}

// T91 to T93, M1, M20 to M27, U16: message and policies side by side.
func TestJoin(t *testing.T) {
	const (
		explicitSCP      = " with an explicit deny in a service control policy"
		namedSCP         = explicitSCP + ": " + orgGuard
		explicitIdentity = " with an explicit deny in an identity-based policy"
		explicitAnywhere = " with an explicit deny"
		noIdentity       = " because no identity-based policy allows the sqs:SendMessage action"
		noBoundary       = " because no permissions boundary allows the sqs:SendMessage action"
		noSession        = " because no session policy allows the sqs:SendMessage action"
		noResource       = " because no resource-based policy allows the sqs:SendMessage action"
		noSCP            = " because no service control policy allows the sqs:SendMessage action"
	)
	empty := evaluator.Layer{State: evaluator.Applies}
	full := layerOf("ana", allows("All", "*"))
	silent := evaluator.Policies{Identity: full}
	notCollected := evaluator.Layer{State: evaluator.NotCollected, Missing: "not read"}
	mayBoundary := layerOf("limit", allows("Some", "sqs:Receive*"))
	mayBoundary.State, mayBoundary.Missing = evaluator.MayApply, "whether the boundary is attached"
	maySCP := scps(scpLevel("r-1", layerOf("root", allows("Full", "*"), denies("NoSend", "sqs:*"))))
	maySCP.State, maySCP.Missing = evaluator.MayApply, "whether the account is the management account"

	tests := []struct {
		name string
		tail string
		src  PolicySource
		want answer
	}{
		{"agree, explicit", explicitSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Full", "*"), denies("NoSend", "sqs:*")))),
		}), answer{Agree, "explicitDeny", "scp", "NoSend", "root", "message+evaluation", true, ""}},
		{"agree, implicit", noIdentity, always(evaluator.Policies{Identity: empty}),
			answer{Agree, "implicitDeny", "identity", "", "", "message+evaluation", true, ""}},
		{"agree on the policy's ARN", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Full", "*"), denies("Other", "sqs:*"))), scpLevel("ou-1", guardLayer(denies("Guard", "sqs:Send*")))),
		}), answer{Agree, "explicitDeny", "scp", "Guard", "guard", "message+evaluation", true, ""}},
		{"M1: explicit said, implicit meant", explicitSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Some", "sqs:Receive*")))),
		}), answer{Agree, "explicitDeny", "scp", "", "root", "message+evaluation", true, ""}},
		{"M1 is of texts without a policy's ARN", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", empty)),
		}), answer{DifferentLayer, "explicitDeny", "scp", "", "", "message+evaluation", false, "explicitDeny by scp / implicitDeny by scp"}},
		{"agree, layer only", explicitIdentity, always(evaluator.Policies{Identity: empty}),
			answer{AgreeLayerOnly, "explicitDeny", "identity", "", "", "message+evaluation", true, ""}},
		{"agree, the layer lacks it and more do (M22, M27)", noIdentity, always(evaluator.Policies{Identity: empty, Boundary: empty}),
			answer{Agree, "implicitDeny", "identity", "", "", "message+evaluation", true, ""}},
		{"M21: implicit where the evaluation has an explicit deny in the layer", noBoundary, always(evaluator.Policies{
			Identity: full, Boundary: layerOf("limit", allows("All", "*"), denies("NoSend", "sqs:*")),
		}), answer{AgreeLayerOnly, "implicitDeny", "boundary", "", "", "message+evaluation", true, ""}},
		{"agree on the claim alone, explicit (M6)", explicitAnywhere, always(evaluator.Policies{
			Identity: layerOf("ana", allows("All", "*"), denies("NoSend", "sqs:*")), Boundary: empty,
		}), answer{Agree, "explicitDeny", "identity", "NoSend", "ana", "message+evaluation", true, ""}},
		{"the claim alone, and a layer that nobody read", explicitAnywhere, always(evaluator.Policies{
			Identity: full, Session: notCollected,
		}), answer{Plausible, "explicitDeny", "unknown", "", "", "message+evaluation", false, ""}},
		{"the claim alone, lacking an allow, and a layer that nobody read", explicitAnywhere, always(evaluator.Policies{
			Identity: empty, Session: notCollected,
		}), answer{Plausible, "explicitDeny", "unknown", "", "", "message+evaluation", false, ""}},
		{"the claim alone, and no deny", explicitAnywhere, always(evaluator.Policies{Identity: empty}),
			answer{DifferentLayer, "explicitDeny", "unknown", "", "", "message+evaluation", false, "explicitDeny / implicitDeny by identity"}},
		{"the claim alone, and all allowed", explicitAnywhere, always(silent),
			answer{EvaluationSilent, "explicitDeny", "unknown", "", "", "message", false, "explicitDeny / allowed"}},

		{"plausible: layer not collected", noSession, always(evaluator.Policies{Identity: full, Session: notCollected}),
			answer{Plausible, "implicitDeny", "session", "", "", "message+evaluation", false, ""}},
		{"plausible: organisation not collected", explicitSCP, always(evaluator.Policies{
			Identity: full, SCP: evaluator.Hierarchy{State: evaluator.NotCollected, Missing: "not read"},
		}), answer{Plausible, "explicitDeny", "scp", "", "", "message+evaluation", false, ""}},
		{"plausible: whether the layer applies is unknown (U7)", explicitSCP, always(evaluator.Policies{Identity: full, SCP: maySCP}),
			answer{Plausible, "explicitDeny", "scp", "NoSend", "root", "message+evaluation", false, ""}},
		{"plausible: condition key unknown, the only possible deny", explicitIdentity, always(evaluator.Policies{
			Identity: layerOf("ana", allows("All", "*"), deniesIf("Maybe", "sqs:*", "aws:RequestTag/x"), deniesIf("Else", "s3:*", "aws:RequestTag/x")),
		}), answer{Plausible, "explicitDeny", "identity", "Maybe", "ana", "message+evaluation", false, ""}},
		{"plausible: several possible denies", explicitIdentity, always(evaluator.Policies{
			Identity: layerOf("ana", allows("All", "*"), deniesIf("One", "sqs:*", "sqs:x"), deniesIf("Two", "sqs:Send*", "sqs:y")),
		}), answer{Plausible, "explicitDeny", "identity", "", "", "message+evaluation", false, ""}},
		{"plausible: several possible denies, AWS names the policy", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(
				scpLevel("r-1", layerOf("root", allows("Full", "*"), deniesIf("One", "sqs:*", "sqs:x"))),
				scpLevel("ou-1", guardLayer(deniesIf("Two", "sqs:Send*", "sqs:y")))),
		}), answer{Plausible, "explicitDeny", "scp", "Two", "guard", "message+evaluation", false, ""}},
		{"plausible: several possible denies in the policy that AWS names", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", guardLayer(deniesIf("One", "sqs:*", "sqs:x"), deniesIf("Two", "sqs:Send*", "sqs:y")))),
		}), answer{Plausible, "explicitDeny", "scp", "", "", "message+evaluation", false, ""}},
		{"plausible: one possible deny, but policies of the layer unread", explicitSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(
				scpLevel("r-1", layerOf("root", allows("Full", "*"), deniesIf("One", "sqs:*", "sqs:x"))),
				scpLevel("ou-1", notCollected)),
		}), answer{Plausible, "explicitDeny", "scp", "", "", "message+evaluation", false, ""}},
		{"plausible: the policy that AWS names may be among those unread", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Full", "*"))), scpLevel("ou-1", notCollected)),
		}), answer{Plausible, "explicitDeny", "scp", "", "", "message+evaluation", false, ""}},
		{"G21: a statement without an Effect may deny as well", explicitIdentity, always(evaluator.Policies{
			Identity: layerOf("ana", allows("All", "*"), deniesIf("Maybe", "sqs:*", "sqs:x"), `{"Sid": "Broken", "Action": "sqs:*", "Resource": "*"}`),
		}), answer{Plausible, "explicitDeny", "identity", "", "", "message+evaluation", false, ""}},
		{"plausible: the policy that AWS names is in a boundary that may apply", " with an explicit deny in a permissions boundary: " + orgGuard, always(evaluator.Policies{
			Identity: full, Boundary: mayBoundary,
		}), answer{Plausible, "explicitDeny", "boundary", "", "", "message+evaluation", false, ""}},

		{"evaluation silent", noIdentity, always(silent),
			answer{EvaluationSilent, "implicitDeny", "identity", "", "", "message", false, "implicitDeny by identity / allowed"}},
		{"evaluation silent: the layer lacks an allow that isn't needed", noResource, always(evaluator.Policies{
			Identity: full, Resource: evaluator.ResourceLayer{Type: "queue", Layer: evaluator.Layer{State: evaluator.Applies}},
		}), answer{EvaluationSilent, "implicitDeny", "resource", "", "", "message", false, "implicitDeny by resource / allowed"}},
		{"evaluation silent: the policy that AWS names isn't there", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Full", "*")))),
		}), answer{EvaluationSilent, "explicitDeny", "scp", "", "", "message", false, "explicitDeny by scp / allowed"}},
		{"evaluation silent: nothing said", "", always(silent),
			answer{EvaluationSilent, "indeterminate", "unknown", "", "", "none", false, "denied / allowed"}},

		{"different layer", noBoundary, always(evaluator.Policies{Identity: empty, Boundary: full}),
			answer{DifferentLayer, "implicitDeny", "boundary", "", "", "message+evaluation", false, "implicitDeny by boundary / implicitDeny by identity"}},
		{"another policy than AWS names", namedSCP, always(evaluator.Policies{
			Identity: full, SCP: scps(scpLevel("r-1", layerOf("root", allows("Full", "*"), denies("Other", "sqs:*")))),
		}), answer{DifferentLayer, "explicitDeny", "scp", "", "", "message+evaluation", false, "explicitDeny by scp / explicitDeny by scp"}},

		{"contradiction", noBoundary, always(evaluator.Policies{Identity: full, Boundary: full, Session: notCollected}),
			answer{Contradiction, "implicitDeny", "boundary", "", "", "message", false, "implicitDeny by boundary / indeterminate"}},
		{"contradiction: the policy that AWS names can't deny", namedSCP, always(evaluator.Policies{
			Identity: full, Session: notCollected, SCP: scps(scpLevel("r-1", guardLayer(denies("Guard", "s3:*")))),
		}), answer{Contradiction, "explicitDeny", "scp", "", "", "message", false, "explicitDeny by scp / indeterminate"}},

		{"no message evidence, explicit", "", always(evaluator.Policies{
			Identity: empty, Boundary: layerOf("limit", denies("NoSend", "sqs:*")),
		}), answer{NoMessageEvidence, "explicitDeny", "boundary", "NoSend", "limit", "evaluation", true, ""}},
		{"no message evidence, implicit", "", always(evaluator.Policies{Identity: empty}),
			answer{NoMessageEvidence, "implicitDeny", "identity", "", "", "evaluation", true, ""}},
		{"no message evidence, undecided", "", always(evaluator.Policies{Identity: full, Session: notCollected}),
			answer{NoMessageEvidence, "indeterminate", "unknown", "", "", "none", false, ""}},

		{"no source, message", noSCP, nil, answer{Plausible, "implicitDeny", "scp", "", "", "message", false, ""}},
		{"no source, claim alone", explicitAnywhere, nil, answer{Plausible, "explicitDeny", "unknown", "", "", "message", false, ""}},
		{"no source, nothing said", "", nil, answer{NoMessageEvidence, "indeterminate", "unknown", "", "", "none", false, ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, tt.src, Options{}, userDenial("e", tt.tail))
			if diff := cmp.Diff(tt.want, answerOf(f)); diff != "" {
				t.Errorf("T93, M26: finding (-want +got):\n%s", diff)
			}
			if f.Reason == "" || (f.Disagreement != nil) != (tt.want.Differs != "") || f.Disagreement != nil && f.Disagreement.LikelyCause == "" {
				t.Errorf("finding lacks a reason or a likely cause: %+v", f)
			}
			if named := strings.Contains(tt.tail, orgGuard); named != (f.PolicyARN == orgGuard) {
				t.Errorf("T62: policy ARN %q; the message names it: %v", f.PolicyARN, named)
			}
			if tt.want.Fixed {
				allowsOnceFixed(t, tt.src.(*fakeSource), f)
			}
		})
	}
}

// allowsOnceFixed makes a finding's fixes and evaluates its request again (M27: all
// layers that deny must be mended, and not only the one that AWS named).
func allowsOnceFixed(t *testing.T, src *fakeSource, f *Finding) {
	t.Helper()
	p := src.policies(f.Request.Request)
	p.SCP.Levels = slices.Clone(p.SCP.Levels)
	if got := evaluator.Evaluate(&f.Request.Request, &p); got == evaluator.Allowed {
		t.Fatalf("allowed before the fixes")
	}
	for _, fix := range f.Fixes {
		l := map[evaluator.LayerName]*evaluator.Layer{
			evaluator.LayerIdentity: &p.Identity, evaluator.LayerBoundary: &p.Boundary, evaluator.LayerSession: &p.Session,
		}[fix.Layer]
		for i := range p.SCP.Levels {
			if fix.Layer == evaluator.LayerSCP && p.SCP.Levels[i].Target == fix.Target {
				l = &p.SCP.Levels[i].Layer
			}
		}
		if l == nil {
			t.Fatalf("fix of %s at %q, where there is nothing to fix", fix.Layer, fix.Target)
		}
		l.Policies = withFix(t, l.Policies, fix)
	}
	if got := evaluator.Evaluate(&f.Request.Request, &p); got != evaluator.Allowed {
		t.Errorf("with the fixes made: %v, want allowed", got)
	}
}

// withFix is a layer's policies with a statement more, or with one in another's place.
func withFix(t *testing.T, policies []evaluator.Policy, fix evaluator.Fix) []evaluator.Policy {
	t.Helper()
	out := []evaluator.Policy{namedPolicy("fix", "", string(fix.Document))}
	for _, p := range policies {
		text := string(p.Body.Document().Text)
		if fix.Statement != nil && slices.ContainsFunc(p.Body.Document().Statements, func(s policy.Statement) bool { return s.Pos == fix.Statement.Pos }) {
			var kept []string
			for _, s := range p.Body.Document().Statements {
				if s.Pos != fix.Statement.Pos {
					kept = append(kept, statementText(s.Sid.Value, s.Effect.String(), s.Action.Values[0].Value, ""))
				}
			}
			text = `{"Version": "2012-10-17", "Statement": [` + strings.Join(kept, ",") + `]}`
		}
		doc, err := policy.Parse(p.Name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p.Body = evaluator.Compile(doc)
		out = append(out, p)
	}
	return out
}

// U16, T94: AWS says that no identity-based policy allows it; whether the policy of a
// resource of unknown account might have done hangs on that account, but the layer's near
// misses are wanted all the same.
func TestNearMissesOfStatedLayer(t *testing.T) {
	e := userDenial("e", " because no identity-based policy allows the sqs:SendMessage action")
	src := always(evaluator.Policies{
		Identity: layerOf("ana", allows("Receive", "sqs:Receive*"), allows("Buckets", "s3:*")),
		Resource: evaluator.ResourceLayer{Type: "queue", Layer: evaluator.Layer{State: evaluator.NotCollected, Missing: "queue policy"}},
	})
	f := oneFinding(t, src, Options{}, e)
	if f.Explanation.Decision != evaluator.Indeterminate || f.Agreement != Agree || f.Layer != "identity" || f.Policy == nil || f.Policy.Name != "ana" {
		t.Fatalf("U16: %v, %s by %q of %+v, want indeterminate, agree by identity of ana", f.Explanation.Decision, f.Agreement, f.Layer, f.Policy)
	}
	var sids []string
	for _, m := range f.Blockers[0].NearMisses {
		sids = append(sids, m.Statement.Sid.Value)
	}
	if diff := cmp.Diff([]string{"Receive"}, sids); diff != "" {
		t.Errorf("T94: near misses (-want +got):\n%s", diff)
	}
	if f.Blockers[0].Layer != evaluator.LayerIdentity || f.Blockers[0].Kind != evaluator.KindNoAllow || len(f.Blockers) != 2 {
		t.Errorf("U16: blockers %+v, want identity's missing allow before the queue policy that wasn't collected", f.Blockers)
	}
	if f.Statement != nil {
		t.Errorf("T92: statement %+v for a missing allow", f.Statement)
	}
}

// T62, T97: the sentence on a policy that AWS names and the source doesn't have.
func TestPolicyMissingFromSource(t *testing.T) {
	src := always(evaluator.Policies{Identity: layerOf("ana", allows("All", "*"))})
	f := oneFinding(t, src, Options{}, userDenial("e", " with an explicit deny in a service control policy: "+orgGuard))
	if f.PolicyARN != orgGuard || f.Policy != nil || f.Statement != nil || len(f.Fixes) > 0 {
		t.Errorf("T62: policy %q, %+v, %d fixes; want the ARN alone", f.PolicyARN, f.Policy, len(f.Fixes))
	}
	if f.Disagreement == nil || !strings.Contains(f.Disagreement.LikelyCause, orgGuard) {
		t.Errorf("T97: disagreement %+v, want the policy in its likely cause", f.Disagreement)
	}
}

// T42, M8 of cloudtrail.md: a service's own setting is no policy's doing.
func TestServiceLayer(t *testing.T) {
	e := objectDenial("e", "a.txt")
	e.Name = "PutObject"
	e.ErrorMessage = "User: " + acmeUser + " is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::acme-data/a.txt\"" +
		" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access."
	for _, src := range []PolicySource{nil, always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}})} {
		f := oneFinding(t, src, Options{}, e)
		want := answer{Agreement: Plausible, Decision: "explicitDeny", Layer: "service", Basis: "message"}
		if diff := cmp.Diff(want, answerOf(f)); diff != "" {
			t.Errorf("S17: finding (-want +got):\n%s", diff)
		}
	}
}

// S17: where the snapshot has the setting, message and evaluation agree on it.
func TestPublicAccessBlocked(t *testing.T) {
	e := objectDenial("e", "a.txt")
	e.Name = "PutObject"
	e.RequestParameters = []byte(`{"bucketName": "acme-data", "key": "a.txt", "x-amz-acl": "public-read"}`)
	e.ErrorMessage = "User: " + acmeUser + " is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::acme-data/a.txt\"" +
		" because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access."
	p := evaluator.Policies{Identity: layerOf("ana", allows("All", "*"))}
	p.Resource.Bucket = &evaluator.Bucket{ACLsEnabled: evaluator.Matched, BlockPublicACLs: evaluator.Matched}
	f := oneFinding(t, always(p), Options{}, e)
	want := answer{Agreement: Agree, Decision: "explicitDeny", Layer: "service", Basis: "message+evaluation"}
	if diff := cmp.Diff(want, answerOf(f)); diff != "" {
		t.Errorf("S17: finding (-want +got):\n%s", diff)
	}
}

// T74: of the requests that a call needs, the one that explains the denial.
func TestChosenRequest(t *testing.T) {
	request := func(action string, required bool) Request {
		r := Request{Required: required}
		r.Principal = evaluator.Principal{Type: evaluator.User, ARN: acmeUser, Account: "111111111111"}
		r.Action, r.Resource = action, evaluator.Resource{ARN: ordersQueue, Account: "111111111111"}
		return r
	}
	src := &fakeSource{policies: func(r evaluator.Request) evaluator.Policies {
		p := evaluator.Policies{Identity: layerOf("ana", allows("All", "*"))}
		switch {
		case strings.HasPrefix(r.Action, "sqs:Denied"):
			p.Identity = evaluator.Layer{State: evaluator.Applies}
		case strings.HasPrefix(r.Action, "sqs:Unknown"):
			p.Session = evaluator.Layer{State: evaluator.NotCollected}
		}
		return p
	}}
	tests := []struct {
		name     string
		message  string // the action that AWS names
		requests []Request
		want     string
		note     string
	}{
		{"the denied one", "", []Request{request("sqs:A", true), request("sqs:Denied", true), request("sqs:B", true)}, "sqs:Denied", ""},
		{"the denied one before one that may be", "", []Request{request("sqs:Unknown", true), request("sqs:Denied", true)}, "sqs:Denied", ""},
		{"the one that may be before one allowed", "", []Request{request("sqs:A", true), request("sqs:Unknown", true)}, "sqs:Unknown", ""},
		{"the first if all are allowed", "", []Request{request("sqs:A", true), request("sqs:B", true)}, "sqs:A", ""},
		{"further denied ones in a note", "", []Request{request("sqs:Denied1", true), request("sqs:Denied2", true)}, "sqs:Denied1",
			"the call also needs sqs:Denied2 on " + ordersQueue + ", denied as well"},
		{"not one that isn't required", "", []Request{request("sqs:A", true), request("sqs:Denied", false)}, "sqs:A", ""},
		{"the one there is", "", []Request{request("sqs:Denied", false)}, "sqs:Denied", ""},
		{"none is required", "", []Request{request("sqs:A", false), request("sqs:Denied", false)}, "sqs:A", ""},
		{"the one that AWS names", "sqs:A", []Request{request("sqs:A", true), request("sqs:Denied", true)}, "sqs:A", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := NewExplainer(src, Options{})
			d := Denial{Class: ClassDenied, Code: "AccessDenied", Message: ParseMessage("Access Denied", "sqs")}
			d.Message.Action, d.Principal = tt.message, tt.requests[0].Principal
			x.AddDenial(d.WithRequests(tt.requests...))
			all, err := collect(x.Findings(t.Context()))
			if err != nil || len(all) != 1 {
				t.Fatalf("%d findings, %v", len(all), err)
			}
			if got := all[0].Request.Action; got != tt.want {
				t.Errorf("T74: request %s, want %s", got, tt.want)
			}
			if got := strings.Join(all[0].Notes, "; "); got != tt.note {
				t.Errorf("T74: notes %q, want %q", got, tt.note)
			}
		})
	}
}

// The requests of a denial belong to its reader: a source completes a copy.
func TestEvaluationLeavesDenial(t *testing.T) {
	e := objectDenial("e", "a.txt")
	x := NewExplainer(always(evaluator.Policies{}), Options{})
	d := DenialsOf(e, false)[0]
	x.AddDenial(d)
	all, err := collect(x.Findings(t.Context()))
	if err != nil || len(all) != 1 {
		t.Fatalf("%d findings, %v", len(all), err)
	}
	if got := d.Requests()[0].Resource.Account; got != "" {
		t.Errorf("the denial's resource is of account %q now", got)
	}
	if got := all[0].Request.Resource.Account; got != "111111111111" {
		t.Errorf("the finding's resource is of account %q, want the source's 111111111111", got)
	}
	if d.Requests()[0].Context.Known("aws:ResourceAccount") {
		t.Error("the denial's context has aws:ResourceAccount now")
	}
}

// M24 of cloudtrail.md: where AWS names a layer and claims nothing, a deny that may apply isn't
// the only explanation: an allow may be missing.
func TestLayerWithoutClaim(t *testing.T) {
	e := userDenial("e", "")
	e.ErrorCode, e.ErrorMessage, e.VPCEndpointID = "VpceAccessDenied", "The request was denied due to a VPC endpoint policy", "vpce-1"
	e.RequestParameters = []byte(`{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/orders"}`)
	tests := []struct {
		name  string
		layer evaluator.Layer
		want  answer
	}{
		{"deny", layerOf("endpoint", endpointStatement("NoSend", "Deny", "")),
			answer{AgreeLayerOnly, "explicitDeny", "endpoint", "NoSend", "endpoint", "message+evaluation", false, ""}},
		{"deny or missing allow", layerOf("endpoint", endpointStatement("Some", "Allow", `, "Condition": {"StringEquals": {"sqs:y": "on"}}`),
			endpointStatement("Maybe", "Deny", `, "Condition": {"StringEquals": {"sqs:x": "on"}}`)),
			answer{Plausible, "indeterminate", "endpoint", "", "", "message+evaluation", false, ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, always(evaluator.Policies{
				Identity: layerOf("ana", allows("All", "*")), Endpoint: evaluator.EndpointLayer{Layer: tt.layer, ID: "vpce-1"},
			}), Options{}, e)
			got := answerOf(f)
			got.Fixed = false
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("T93: finding (-want +got):\n%s", diff)
			}
		})
	}
}

func endpointStatement(sid, effect, rest string) string {
	return statementText(sid, effect, "sqs:*", `, "Principal": "*"`+rest)
}

// TestConsoleSession: S13: the limits of GetSessionToken's credentials don't concern a console session, whose agent may
// be that of an SDK all the same. They do concern a session that isn't one.
func TestConsoleSession(t *testing.T) {
	for _, tt := range []struct {
		name    string
		console bool
		want    string
	}{
		{"in the console", true, "identity"},
		{"through the API", false, "service"},
	} {
		e := userDenial("e", "")
		e.Source, e.Name, e.ErrorMessage = "iam.amazonaws.com", "ListUsers", "Access Denied"
		e.Identity.AccessKeyID, e.ConsoleSession, e.UserAgent = "ASIA1", tt.console, "aws-sdk-java/1.12.500"
		e.Identity.Session = &Session{MFA: "false", Created: e.Time}
		f := oneFinding(t, always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}}), Options{}, e)
		if f.Layer != tt.want {
			t.Errorf("S13: %s: denied by %s (%s), want %s", tt.name, f.Layer, f.Reason, tt.want)
		}
	}
}
