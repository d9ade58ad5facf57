package correlate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestBlame: that a call was denied tells what must have been, or can have been, the reason (rules U16, U15; case T98).
func TestBlame(t *testing.T) {
	unread := func(what string) evaluator.Layer {
		return evaluator.Layer{State: evaluator.NotCollected, Missing: what + " wasn't collected (AccessDenied)"}
	}
	full := layerOf("ana", allows("All", "*"))
	noSCPs := evaluator.Hierarchy{State: evaluator.NotCollected, Missing: "SCPs of account 111111111111: organizations:ListPolicies would tell"}
	allowsIf := func(key string) string {
		return statementText("Tagged", "Allow", "sqs:*", `, "Condition": {"StringEquals": {"`+key+`": "on"}}`)
	}
	const what = "sqs:SendMessage on " + ordersQueue
	tests := []struct {
		name     string
		tail     string // of AWS's sentence
		policies evaluator.Policies
		want     string
	}{
		{"T90: SCPs alone weren't collected", "", evaluator.Policies{Identity: full, SCP: noSCPs},
			"of all policies, only the service control policies can have denied " + what + ": SCPs of account 111111111111: organizations:ListPolicies would tell"},
		{"the boundary alone wasn't", "", evaluator.Policies{Identity: full, Boundary: unread("boundary")},
			"of all policies, only the permissions boundary can have denied " + what + ": boundary wasn't collected"},
		{"a Deny whose key isn't known", "", evaluator.Policies{Identity: layerOf("ana", allows("All", "*"), deniesIf("Off", "sqs:*", "aws:RequestTag/off"))},
			"statement Off of ana is the only one that can have denied " + what + ": aws:RequestTag/off isn't known"},
		{"T88: an Allow whose key isn't known", "", evaluator.Policies{Identity: layerOf("ana", allowsIf("aws:ResourceTag/on"))},
			"only because statement Tagged of ana didn't allow it can " + what + " have been denied: aws:ResourceTag/on isn't known"},
		{"either of two layers", "", evaluator.Policies{Identity: full, SCP: noSCPs, Boundary: unread("boundary")},
			"which policy denied " + what + " can't be told: either the service control policies didn't let it pass (SCPs of account 111111111111: organizations:ListPolicies would tell), or the permissions boundary didn't let it pass (boundary wasn't collected)"},
		{"both of two Allows", "", evaluator.Policies{Identity: layerOf("ana", allowsIf("aws:ResourceTag/on"), statementText("Sent", "Allow", "sqs:*", `, "Condition": {"StringEquals": {"aws:RequestTag/on": "on"}}`))},
			what + " can only have been denied because statement Tagged of ana didn't allow it (aws:ResourceTag/on isn't known) and statement Sent of ana didn't allow it (aws:RequestTag/on isn't known)"},
		{"a fact, and no policy (E24)", "", evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}, Resource: evaluator.ResourceLayer{Type: "queue", OtherAllow: evaluator.Unknown, OtherNote: "whether the queue is shared"}},
			"what denied " + what + " hangs on this alone: whether the queue is shared"},
		{"AWS said that a Deny applied, one may (M20 M21)", " with an explicit deny", evaluator.Policies{Identity: layerOf("ana", allowsIf("aws:ResourceTag/on"), deniesIf("Off", "sqs:*", "aws:RequestTag/off"))},
			"statement Off of ana is the only one that can have denied " + what + ": aws:RequestTag/off isn't known"},
		{"a Deny or a missing Allow", "", evaluator.Policies{Identity: layerOf("ana", allowsIf("aws:ResourceTag/on"), deniesIf("Off", "sqs:*", "aws:RequestTag/off"))},
			"which policy denied " + what + " can't be told: either statement Tagged of ana didn't allow it (aws:ResourceTag/on isn't known), or statement Off of ana denied it (aws:RequestTag/off isn't known)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, always(tt.policies), Options{}, userDenial("e", tt.tail))
			if f.Explanation.Decision != evaluator.Indeterminate || f.Layer != LayerUnknown {
				t.Fatalf("decision %v, layer %s; want an indeterminate one, of no layer", f.Explanation.Decision, f.Layer)
			}
			if diff := cmp.Diff(tt.want, f.Reason); diff != "" {
				t.Errorf("U16 (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBlameCompletes: in the completions that remain, what is blamed for certain was against the call in all of them, and
// one of the rest in each (rule U16).
func TestBlameCompletes(t *testing.T) {
	term := func(name string) evaluator.Term {
		return evaluator.Term{Layer: evaluator.LayerIdentity, Missing: name}
	}
	sets := func(lists ...string) (all [][]evaluator.Term) {
		for _, names := range lists {
			var set []evaluator.Term
			for _, name := range names {
				set = append(set, term(string(name)))
			}
			all = append(all, set)
		}
		return all
	}
	names := func(set []evaluator.Term) (s string) {
		for _, t := range set {
			s += t.Missing
		}
		return s
	}
	for _, tt := range []struct {
		name     string
		deniedIf [][]evaluator.Term
		certain  string
		either   []string
	}{
		{"too many to weigh", nil, "", nil},
		{"one", sets("a"), "a", nil},
		{"all of one set", sets("ab"), "ab", nil},
		{"one of two", sets("a", "b"), "", []string{"a", "b"}},
		{"one in both", sets("ab", "ac"), "a", []string{"b", "c"}},
		{"two in all", sets("abx", "aby", "abzx"), "ab", []string{"x", "y", "zx"}},
	} {
		b := blameOf(&evaluator.Explanation{DeniedIf: tt.deniedIf}, &Message{Claim: ClaimUnknown})
		var either []string
		for _, set := range b.either {
			either = append(either, names(set))
		}
		if diff := cmp.Diff(tt.either, either); diff != "" || names(b.certain) != tt.certain {
			t.Errorf("U16: %s: certain %q, want %q; either (-want +got):\n%s", tt.name, names(b.certain), tt.certain, diff)
		}
	}
}

// TestPossibleToo: T98, U16: where something denies for certain, and AWS said nothing, what nobody read may have denied, too.
func TestPossibleToo(t *testing.T) {
	unread := evaluator.Layer{State: evaluator.NotCollected, Missing: "account 222222222222"}
	silent := evaluator.ResourceLayer{Type: "queue", Layer: evaluator.Layer{State: evaluator.Applies}}
	const note = "not all is known of the identity-based policies and the permissions boundary, which may have denied it as well"
	policies := evaluator.Policies{Identity: unread, Boundary: unread, Resource: silent}
	said := foreignDenial()
	said.ErrorMessage += " because no resource-based policy allows the sqs:SendMessage action"
	for _, tt := range []struct {
		name     string
		event    *Event
		policies evaluator.Policies
		want     []string
	}{
		{"nothing said", foreignDenial(), policies, []string{note}},
		{"AWS named the layer", said, policies, nil},
		{"all of it known", foreignDenial(), evaluator.Policies{Identity: layerOf("deploy", allows("All", "*")), Resource: silent}, nil},
	} {
		f := oneFinding(t, always(tt.policies), Options{}, tt.event)
		if f.Layer != "resource" || f.Decision != evaluator.ImplicitDeny {
			t.Errorf("%s: %v by %s, want an implicit deny by resource", tt.name, f.Decision, f.Layer)
		}
		if diff := cmp.Diff(tt.want, f.Notes); diff != "" {
			t.Errorf("T98: %s: notes (-want +got):\n%s", tt.name, diff)
		}
	}
}
