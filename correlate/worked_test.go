package correlate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A blamed is a blocker in short.
type blamed struct {
	Layer evaluator.LayerName
	Kind  evaluator.BlockerKind
}

func blamesOf(f *Finding) []blamed {
	var all []blamed
	for _, b := range f.Blockers {
		all = append(all, blamed{b.Layer, b.Kind})
	}
	return all
}

// foreignDenial is a denied sqs:SendMessage of a session's to another account's queue, without a reason.
func foreignDenial() *Event {
	e := queueDenial("e", "ASIA1", "ci")
	e.ErrorMessage = "User: " + e.Identity.ARN + " is not authorized to perform: sqs:SendMessage on resource: " + ordersQueue
	return e
}

// TestWorkedCases serves the rows of evaluation.md section 12 that are about a denial and what AWS
// said of it: T95 to T98.
func TestWorkedCases(t *testing.T) {
	empty := evaluator.Layer{State: evaluator.Applies}
	full := layerOf("ana", allows("All", "*"))
	some := layerOf("limit", allows("Receive", "sqs:Receive*"))
	unread := evaluator.Layer{State: evaluator.NotCollected, Missing: "account 222222222222"}
	noQueuePolicy := evaluator.ResourceLayer{Type: "queue", Layer: empty}
	const (
		noIdentity  = " because no identity-based policy allows the sqs:SendMessage action"
		noBoundary  = " because no permissions boundary allows the sqs:SendMessage action"
		explicitSCP = " with an explicit deny in a service control policy"
	)
	lacks := func(layers ...evaluator.LayerName) []blamed {
		var all []blamed
		for _, l := range layers {
			all = append(all, blamed{l, evaluator.KindNoAllow})
		}
		return all
	}
	tests := []struct {
		name     string
		event    *Event
		policies evaluator.Policies
		want     answer
		blame    []blamed
	}{
		{"T95: AWS names identity, boundary lacks an allow as well (M22 M26 M27)", userDenial("e", noIdentity),
			evaluator.Policies{Identity: empty, Boundary: some},
			answer{Agreement: Agree, Decision: "implicitDeny", Layer: "identity", Basis: "message+evaluation", Fixed: true},
			lacks(evaluator.LayerIdentity, evaluator.LayerBoundary)},
		{"T96: AWS says explicit deny in an SCP, where an allow is lacking (M1 M26)", userDenial("e", explicitSCP),
			evaluator.Policies{Identity: full, SCP: scps(scpLevel("r-1", some))},
			answer{Agreement: Agree, Decision: "explicitDeny", Layer: "scp", Policy: "limit", Basis: "message+evaluation", Fixed: true},
			lacks(evaluator.LayerSCP)},
		{"T97: AWS names the boundary, which allows, and nothing else denies (M26 M28)", userDenial("e", noBoundary),
			evaluator.Policies{Identity: full, Boundary: full},
			answer{Agreement: EvaluationSilent, Decision: "implicitDeny", Layer: "boundary", Basis: "message", Differs: "implicitDeny by boundary / allowed"},
			nil},
		{"T97: AWS names the boundary, which allows, and another layer denies (M20 M26)", userDenial("e", noBoundary),
			evaluator.Policies{Identity: empty, Boundary: full},
			answer{Agreement: DifferentLayer, Decision: "implicitDeny", Layer: "boundary", Basis: "message+evaluation", Differs: "implicitDeny by boundary / implicitDeny by identity"},
			lacks(evaluator.LayerIdentity)},
		{"T97: AWS names the boundary, which allows, and another layer wasn't read (M26)", userDenial("e", noBoundary),
			evaluator.Policies{Identity: full, Boundary: full, Session: unread},
			answer{Agreement: Contradiction, Decision: "implicitDeny", Layer: "boundary", Basis: "message", Differs: "implicitDeny by boundary / indeterminate"},
			[]blamed{{evaluator.LayerSession, evaluator.KindNotCollected}}},
		{"T98: nothing said, another account's queue is silent, the caller's policies weren't read (M13 U16 U20)", foreignDenial(),
			evaluator.Policies{Identity: unread, Boundary: unread, Session: unread, SCP: evaluator.Hierarchy{State: evaluator.NotCollected}, Resource: noQueuePolicy},
			answer{Agreement: NoMessageEvidence, Decision: "implicitDeny", Layer: "resource", Basis: "evaluation"},
			lacks(evaluator.LayerResource)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, always(tt.policies), Options{}, tt.event)
			if diff := cmp.Diff(tt.want, answerOf(f)); diff != "" {
				t.Errorf("finding (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.blame, blamesOf(f)); diff != "" {
				t.Errorf("blockers (-want +got):\n%s", diff)
			}
			if said := f.Disagreement != nil && f.Disagreement.LikelyCause != ""; said != (tt.want.Differs != "") {
				t.Errorf("a likely cause is given: %v, want %v (M26, M28)", said, tt.want.Differs != "")
			}
		})
	}
}

// TestAdviceOfAllLayers: T95, M27: the advice mends the identity policy and the boundary, and the request is
// allowed then.
func TestAdviceOfAllLayers(t *testing.T) {
	src := always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}, Boundary: layerOf("limit", allows("Receive", "sqs:Receive*"))})
	f := oneFinding(t, src, Options{}, userDenial("e", " because no identity-based policy allows the sqs:SendMessage action"))
	var mended []evaluator.LayerName
	for _, fix := range f.Fixes {
		mended = append(mended, fix.Layer)
	}
	if diff := cmp.Diff([]evaluator.LayerName{evaluator.LayerIdentity, evaluator.LayerBoundary}, mended); diff != "" {
		t.Errorf("T95, M27: layers that the advice mends (-want +got):\n%s", diff)
	}
	allowsOnceFixed(t, src, f)
}

// TestPossibleBlame: T98, U16: in every completion the queue's policy lacks an allow; the caller's
// own policies may lack one, too, and the explanation still says so.
func TestPossibleBlame(t *testing.T) {
	unread := evaluator.Layer{State: evaluator.NotCollected, Missing: "account 222222222222"}
	f := oneFinding(t, always(evaluator.Policies{
		Identity: unread, Resource: evaluator.ResourceLayer{Type: "queue", Layer: evaluator.Layer{State: evaluator.Applies}},
	}), Options{}, foreignDenial())
	got := map[evaluator.LayerName]evaluator.Match{}
	for _, l := range f.Explanation.Trace {
		if l.Layer == evaluator.LayerIdentity || l.Layer == evaluator.LayerResource {
			got[l.Layer] = l.Allow
		}
	}
	want := map[evaluator.LayerName]evaluator.Match{evaluator.LayerIdentity: evaluator.Unknown, evaluator.LayerResource: evaluator.NoMatch}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("T98: what the layers allow (-want +got):\n%s", diff)
	}
}

// TestPhrases serves the table of phrases, M1 to M16 of evaluation.md: which layer a phrase names,
// and whether it says explicit or implicit.
func TestPhrases(t *testing.T) {
	type said struct {
		Layer      string
		Claim      Claim
		PolicyType string
		PolicyARN  string
		Via        string
	}
	const (
		core  = "User: arn:aws:iam::111111111111:user/ops/ana is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111111111111:orders"
		allow = " allows the sqs:SendMessage action"
	)
	tests := []struct {
		rule, tail string
		want       said
	}{
		{"M1", " with an explicit deny in a service control policy", said{Layer: "scp", Claim: ClaimExplicitDeny}},
		{"M2", " because no service control policy" + allow, said{Layer: "scp", Claim: ClaimImplicitDeny}},
		{"M3", " with an explicit deny in a resource control policy", said{Layer: "rcp", Claim: ClaimExplicitDeny}},
		{"M4", " because no VPC endpoint policy" + allow, said{Layer: "endpoint", Claim: ClaimImplicitDeny}},
		{"M4", " with an explicit deny in a VPC endpoint policy", said{Layer: "endpoint", Claim: ClaimExplicitDeny}},
		{"M5", " with an explicit deny in a VPC endpoint policy transitively through a service control policy",
			said{Layer: "scp", Claim: ClaimExplicitDeny, Via: "endpoint"}},
		{"M6", " because no permissions boundary" + allow, said{Layer: "boundary", Claim: ClaimImplicitDeny}},
		{"M6", " with an explicit deny in a permissions boundary", said{Layer: "boundary", Claim: ClaimExplicitDeny}},
		{"M7", " because no session policy" + allow, said{Layer: "session", Claim: ClaimImplicitDeny}},
		{"M7", " with an explicit deny in a sessions policy", said{Layer: "session", Claim: ClaimExplicitDeny}},
		{"M8", " because no resource-based policy" + allow, said{Layer: "resource", Claim: ClaimImplicitDeny}},
		{"M8", " with an explicit deny in a resource-based policy", said{Layer: "resource", Claim: ClaimExplicitDeny}},
		{"M9", " because no role trust policy allows the sts:AssumeRole action", said{Layer: "resource", Claim: ClaimImplicitDeny, PolicyType: "trust"}},
		{"M9", " with an explicit deny in the role trust policy", said{Layer: "resource", Claim: ClaimExplicitDeny, PolicyType: "trust"}},
		{"M10", " because no identity-based policy" + allow, said{Layer: "identity", Claim: ClaimImplicitDeny}},
		{"M10", " with an explicit deny in an identity-based policy", said{Layer: "identity", Claim: ClaimExplicitDeny}},
		{"M11", " because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access", said{Layer: "service", Claim: ClaimUnknown}},
		{"M12", " with an explicit deny in a service control policy: " + orgGuard, said{Layer: "scp", Claim: ClaimExplicitDeny, PolicyARN: orgGuard}},
		{"M13", "", said{Layer: LayerUnknown, Claim: ClaimUnknown}},
	}
	for _, tt := range tests {
		m := ParseMessage(core+tt.tail, "sqs")
		if diff := cmp.Diff(tt.want, said{m.Layer, m.Claim, m.PolicyType, m.PolicyARN, m.ViaLayer}); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", tt.rule, tt.tail, diff)
		}
		if m.Action != "sqs:SendMessage" || m.Principal != acmeUser || m.Resource != ordersQueue {
			t.Errorf("%s: %s on %s by %s", tt.rule, m.Action, m.Resource, m.Principal)
		}
	}
	m := ParseMessage("You are not authorized to perform this operation. Encoded authorization failure message: "+strings.Repeat("Ab1-", 20), "ec2")
	if m.Encoded != strings.Repeat("Ab1-", 20) || m.Claim != ClaimUnknown {
		t.Errorf("M14: an encoded message: got %q, %s", m.Encoded, m.Claim)
	}
	m = ParseMessage("User: arn:aws:iam::111111111111:user/ops/ana is not authorized to perform: secretsmanager:GetSecretValue on resource: db because no identity-based policy allows the secretsmanager:GetSecretValue action", "secretsmanager")
	if m.Resource != "db" || m.Layer != "identity" {
		t.Errorf("M16: a resource that isn't an ARN: got %q by %s", m.Resource, m.Layer)
	}
}

// TestNamedAction serves M15: AWS names iam:PassRole, and not the API that was called; that is what is explained.
func TestNamedAction(t *testing.T) {
	e := userDenial("e", "")
	e.Source, e.Name = "lambda.amazonaws.com", "CreateFunction20150331"
	e.ErrorMessage = "User: " + acmeUser + " is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/exec because no identity-based policy allows the iam:PassRole action"
	f := oneFinding(t, always(evaluator.Policies{Identity: layerOf("ana", allows("Lambda", "lambda:*"))}), Options{}, e)
	if f.Request.Action != "iam:PassRole" || f.Request.Resource.ARN != "arn:aws:iam::111111111111:role/exec" || f.Agreement != Agree {
		t.Errorf("M15: %s on %s, %s; want iam:PassRole on the role, agree", f.Request.Action, f.Request.Resource.ARN, f.Agreement)
	}
}

// TestKeyNotInEvent serves U2: that an event doesn't tell a key is no evidence that the request
// hadn't got it, so a Deny that hangs on it may have applied.
func TestKeyNotInEvent(t *testing.T) {
	f := oneFinding(t, always(evaluator.Policies{
		Identity: layerOf("ana", allows("All", "*"), deniesIf("Tagged", "sqs:*", "aws:PrincipalTag/team")),
	}), Options{}, userDenial("e", ""))
	if f.Explanation.Decision != evaluator.Indeterminate {
		t.Fatalf("U2: %v, want indeterminate", f.Explanation.Decision)
	}
	var open []string
	for _, u := range f.Explanation.Undecided {
		open = append(open, u.Element.Key)
	}
	if !slices.Contains(open, "aws:PrincipalTag/team") {
		t.Errorf("U2: the answer hangs on %q, want aws:PrincipalTag/team", open)
	}
}

// TestMissingObject serves S20: a denied GetObject that nothing explains may be of an object that isn't there.
func TestMissingObject(t *testing.T) {
	unread := evaluator.Layer{State: evaluator.NotCollected, Missing: "not read"}
	f := oneFinding(t, always(evaluator.Policies{Identity: layerOf("ana", allows("All", "*")), Session: unread}), Options{}, objectDenial("e", "a.txt"))
	if !slices.ContainsFunc(f.Notes, func(n string) bool { return strings.Contains(n, "s3:ListBucket") }) {
		t.Errorf("S20: notes %q, want one on s3:ListBucket", f.Notes)
	}
}
