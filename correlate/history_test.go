package correlate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A datedSource is a fakeSource of a time.
type datedSource struct {
	*fakeSource
	at time.Time
}

func (s datedSource) CollectedAt() time.Time { return s.at }

// A fakeHistory has sources in the order of their time, and notes the eras that it was asked for.
type fakeHistory struct {
	datedSource // the newest: what who asks without a time gets
	sources     []datedSource
	asked       []int
	err         error
}

func (h *fakeHistory) Era(t time.Time) int {
	n := 0
	for _, s := range h.sources {
		if t.IsZero() || !s.at.After(t) {
			n++
		}
	}
	return n
}

func (h *fakeHistory) Around(era int) (before, after Collected, err error) {
	h.asked = append(h.asked, era)
	if era > 0 {
		before = h.sources[era-1]
	}
	if era < len(h.sources) {
		after = h.sources[era]
	}
	return before, after, h.err
}

// march is a day of the month in which the tests' calls are made; userEvent's is the first.
func march(day int) time.Time { return time.Date(2026, 3, day, 9, 12, 0, 0, time.UTC) }

// history has a source for each identity layer, collected on the days.
func history(days []int, layers ...evaluator.Layer) *fakeHistory {
	h := new(fakeHistory)
	for i, l := range layers {
		h.sources = append(h.sources, datedSource{always(evaluator.Policies{Identity: l}), march(days[i])})
	}
	h.datedSource = h.sources[len(h.sources)-1]
	return h
}

// on is an event of another day.
func on(day int, e *Event) *Event {
	e.Time = march(day)
	return e
}

const (
	lacksAllow = " because no identity-based policy allows the sqs:SendMessage action"
	isDenied   = " with an explicit deny in an identity-based policy"
)

// TestHistoryChoice: a call is explained by the policies of its time, and what isn't certain of these is said.
func TestHistoryChoice(t *testing.T) {
	nothing := layerOf("p", allows("Read", "s3:GetObject"))
	deny := layerOf("p", denies("NoQueues", "sqs:*"))
	otherDeny := layerOf("p", denies("Never", "sqs:*"))
	allow := layerOf("p", allows("Queues", "sqs:*"))
	relaid := evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{namedPolicy("p", "", "\n"+denies("NoQueues", "sqs:*")+"\n")}}
	unknown := evaluator.Layer{State: evaluator.NotCollected, Missing: "nobody looked"}
	const changed = "the policies that concern this call changed between 2026-03-01T09:12:00Z and 2026-03-10T09:12:00Z"
	type want struct {
		decision, layer, sid string
		of                   int // day
		changed              bool
		note                 string // what one begins with; "" for none about the time
	}
	for _, tt := range []struct {
		name          string
		before, after evaluator.Layer
		day           int
		message       string
		want          want
	}{
		{"older than all", deny, nothing, 0, isDenied, want{"explicitDeny", "identity", "NoQueues", 1, false, "the policies are those collected at 2026-03-01T09:12:00Z, after the call"}},
		{"newer than all", nothing, deny, 11, isDenied, want{"explicitDeny", "identity", "NoQueues", 10, false, ""}},
		{"at the very time of one", nothing, deny, 10, isDenied, want{"explicitDeny", "identity", "NoQueues", 10, false, ""}},
		{"between two that are the same", deny, deny, 5, isDenied, want{"explicitDeny", "identity", "NoQueues", 1, false, ""}},
		{"between two of another layout", deny, relaid, 5, isDenied, want{"explicitDeny", "identity", "NoQueues", 1, false, ""}},
		{"what wasn't collected hasn't changed", deny, unknown, 5, isDenied, want{"explicitDeny", "identity", "NoQueues", 1, false, ""}},
		{"AWS's answer fits the older", deny, nothing, 5, isDenied, want{"explicitDeny", "identity", "NoQueues", 1, true, changed + "; AWS's answer fits those from before"}},
		{"AWS's answer fits the newer", nothing, deny, 5, isDenied, want{"explicitDeny", "identity", "NoQueues", 10, true, changed + "; AWS's answer fits those from after"}},
		{"what would allow wasn't in force", allow, deny, 5, "", want{"explicitDeny", "identity", "NoQueues", 10, true, changed + "; AWS's answer fits those from after"}},
		{"both fit, and name another statement", deny, otherDeny, 5, isDenied, want{"explicitDeny", "identity", "", 1, true, changed + ", so which were in force isn't certain: by those of 2026-03-01T09:12:00Z, statement NoQueues"}},
		{"both deny in their way, and AWS is silent", nothing, deny, 5, "", want{"indeterminate", "identity", "", 1, true, changed + ", so which were in force isn't certain: by those of"}},
		{"both allow: AWS is believed", allow, layerOf("p", allows("Queues", "*")), 5, isDenied, want{"explicitDeny", "identity", "", 1, true, changed + "; before and after, they answer the same"}},
		{"neither fits", allow, layerOf("p", allows("Read", "s3:GetObject")), 5, isDenied, want{"explicitDeny", "identity", "", 1, true, changed + "; AWS's answer fits neither"}},
	} {
		f := oneFinding(t, history([]int{1, 10}, tt.before, tt.after), Options{}, on(tt.day, userDenial("d", tt.message)))
		got := want{decision: f.Decision.String(), layer: f.Layer, changed: f.Era.Changed, of: f.Era.Of.Day()}
		if f.Statement != nil {
			got.sid = f.Statement.Sid.Value
		}
		for _, n := range f.Notes {
			if strings.Contains(n, "2026-03-") {
				got.note = n
			}
		}
		if strings.HasPrefix(got.note, tt.want.note) && tt.want.note != "" {
			got.note = tt.want.note
		}
		if got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
		uncertain := strings.Contains(tt.want.note, "isn't certain")
		if uncertain != strings.Contains(f.Reason, "isn't certain") || uncertain && len(f.Fixes) > 0 {
			t.Errorf("%s: reason %q, %d fixes", tt.name, f.Reason, len(f.Fixes))
		}
	}
}

// TestHistoryUncertainBlockers: what both policies lack is known to be lacking.
func TestHistoryUncertainBlockers(t *testing.T) {
	both := func(l evaluator.Layer) evaluator.Policies {
		return evaluator.Policies{Identity: l, Boundary: layerOf("b", denies("Bound", "sqs:*"))}
	}
	h := history([]int{1, 10}, evaluator.Layer{}, evaluator.Layer{})
	h.sources[0].fakeSource = always(both(layerOf("p", denies("One", "sqs:*"))))
	h.sources[1].fakeSource = always(both(layerOf("p", denies("Two", "sqs:*"))))
	f := oneFinding(t, h, Options{}, on(5, userDenial("d", isDenied)))
	var got []string
	for _, b := range f.Blockers {
		if b.Statement != nil {
			got = append(got, b.Statement.Sid.Value)
		}
	}
	if diff := cmp.Diff([]string{"Bound"}, got); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
}

// TestHistoryGroups: equal calls of several eras are one finding if their answers are the same and certain, and eras are asked
// for in their order, so that each snapshot is loaded once.
func TestHistoryGroups(t *testing.T) {
	deny, nothing := layerOf("p", denies("NoQueues", "sqs:*")), layerOf("p", allows("Read", "s3:GetObject"))
	other := userDenial("x", isDenied)
	other.Region = "eu-west-2"
	events := []*Event{
		on(25, userDenial("e", isDenied)), on(2, userDenial("a", isDenied)), on(15, userDenial("c", isDenied)),
		on(3, userDenial("b", isDenied)), on(24, userDenial("d", isDenied)), on(1, other),
	}
	h := history([]int{1, 10, 20}, deny, deny, deny)
	f := oneFinding(t, h, Options{}, events...)
	if diff := cmp.Diff([]string{"x", "a", "b", "c", "d", "e"}, f.EventIDs); diff != "" || f.Count != 6 {
		t.Errorf("%d calls, events (-want +got):\n%s", f.Count, diff)
	}
	if !slices.IsSorted(h.asked) {
		t.Errorf("eras asked for: %v", h.asked)
	}
	if want := (Era{Of: march(1), Begin: march(1)}); *f.Era != want {
		t.Errorf("era %+v, want %+v", *f.Era, want)
	}
	h = history([]int{1, 10, 20}, deny, nothing, nothing)
	if diff := cmp.Diff([]int{3, 3}, counts(findings(t, h, Options{}, events...))); diff != "" {
		t.Errorf("policies that changed: calls of each finding (-want +got):\n%s", diff)
	}
}

// TestHistoryTime: where policies ask for the time, those of both times are asked with the call's own.
func TestHistoryTime(t *testing.T) {
	until := func(day string) evaluator.Layer {
		return layerOf("p", statementText("Early", "Deny", "sqs:*", `, "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-03-`+day+`T00:00:00Z"}}`))
	}
	h := history([]int{1, 10}, until("05"), until("05"))
	all := findings(t, h, Options{}, on(3, userDenial("a", "")), on(7, userDenial("b", "")))
	if diff := cmp.Diff([]int{1, 1}, counts(all)); diff != "" {
		t.Fatalf("calls of each finding (-want +got):\n%s", diff)
	}
	if all[0].Decision != evaluator.ExplicitDeny || all[1].Decision != evaluator.ImplicitDeny {
		t.Errorf("decisions %s and %s", all[0].Decision, all[1].Decision)
	}
}

// TestHistoryPasted: a message without an event is of now.
func TestHistoryPasted(t *testing.T) {
	h := history([]int{1, 10}, layerOf("p", allows("Read", "s3:GetObject")), layerOf("p", denies("NoQueues", "sqs:*")))
	x := NewExplainer(h, Options{})
	x.AddDenial(DenialFromMessage(userDenial("d", isDenied).ErrorMessage))
	all, err := collect(x.Findings(context.Background()))
	if err != nil || len(all) != 1 || all[0].Statement == nil || all[0].Statement.Sid.Value != "NoQueues" {
		t.Errorf("findings %+v, error %v", all, err)
	}
}

// TestHistoryError: a snapshot that can't be read ends the run, rather than leave its calls out.
func TestHistoryError(t *testing.T) {
	h := history([]int{1}, layerOf("p"))
	h.err = errors.New("disk on fire")
	x := NewExplainer(h, Options{})
	x.Add(userDenial("d", isDenied))
	if _, err := collect(x.Findings(context.Background())); !errors.Is(err, h.err) {
		t.Errorf("error %v", err)
	}
}

// TestSamePolicies: each part of the policies counts, where both times have it.
func TestSamePolicies(t *testing.T) {
	one, two := layerOf("p", allows("A", "s3:*")), layerOf("p", allows("B", "s3:*"))
	unknown := evaluator.Layer{State: evaluator.NotCollected}
	level := func(target string, l evaluator.Layer) evaluator.Hierarchy {
		return evaluator.Hierarchy{State: evaluator.Applies, Levels: []evaluator.Level{{Target: target, Layer: l}}}
	}
	swapped := evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{two.Policies[0], one.Policies[0]}}
	inOrder := evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{one.Policies[0], two.Policies[0]}}
	resource := func(change func(*evaluator.ResourceLayer)) evaluator.Policies {
		r := evaluator.ResourceLayer{
			Layer: one, Type: "bucket", Bucket: &evaluator.Bucket{BlockPublicPolicy: evaluator.Matched},
			Behind: &evaluator.BucketBehind{Layer: one, ARN: "arn:aws:s3:::b"},
			Grants: evaluator.KeyGrants{List: []evaluator.KeyGrant{{ID: "g"}}},
		}
		change(&r)
		return evaluator.Policies{Resource: r}
	}
	keep := func(*evaluator.ResourceLayer) {}
	for _, tt := range []struct {
		name string
		a, b evaluator.Policies
		want bool
	}{
		{"nothing", evaluator.Policies{}, evaluator.Policies{}, true},
		{"identity", evaluator.Policies{Identity: one}, evaluator.Policies{Identity: two}, false},
		{"boundary that was taken away", evaluator.Policies{Boundary: one}, evaluator.Policies{}, false},
		{"session", evaluator.Policies{Session: one}, evaluator.Policies{Session: two}, false},
		{"endpoint", evaluator.Policies{Endpoint: evaluator.EndpointLayer{Layer: one}}, evaluator.Policies{Endpoint: evaluator.EndpointLayer{Layer: two}}, false},
		{"order doesn't matter", evaluator.Policies{Identity: inOrder}, evaluator.Policies{Identity: swapped}, true},
		{"a layer that only one has", evaluator.Policies{Identity: one}, evaluator.Policies{Identity: unknown}, true},
		{"SCPs", evaluator.Policies{SCP: level("ou-1", one)}, evaluator.Policies{SCP: level("ou-1", two)}, false},
		{"another OU", evaluator.Policies{SCP: level("ou-1", one)}, evaluator.Policies{SCP: level("ou-2", one)}, false},
		{"SCPs that only one has", evaluator.Policies{SCP: level("ou-1", one)}, evaluator.Policies{SCP: evaluator.Hierarchy{State: evaluator.NotCollected}}, true},
		{"an organisation that was left", evaluator.Policies{RCP: level("ou-1", one)}, evaluator.Policies{}, false},
		{"the same resource", resource(keep), resource(keep), true},
		{"its policy", resource(keep), resource(func(r *evaluator.ResourceLayer) { r.Layer = two }), false},
		{"Block Public Access", resource(keep), resource(func(r *evaluator.ResourceLayer) { r.Bucket = &evaluator.Bucket{} }), false},
		{"Block Public Access that only one has", resource(keep), resource(func(r *evaluator.ResourceLayer) { r.Bucket = &evaluator.Bucket{MissingBlock: "x"} }), true},
		{"the bucket behind it", resource(keep), resource(func(r *evaluator.ResourceLayer) {
			r.Behind = &evaluator.BucketBehind{Layer: two, ARN: "arn:aws:s3:::b"}
		}), false},
		{"grants", resource(keep), resource(func(r *evaluator.ResourceLayer) { r.Grants = evaluator.KeyGrants{} }), false},
		{"grants that only one has", resource(keep), resource(func(r *evaluator.ResourceLayer) { r.Grants = evaluator.KeyGrants{State: evaluator.NotCollected} }), true},
	} {
		if got := samePolicies(&tt.a, &tt.b); got != tt.want {
			t.Errorf("%s: same %t, want %t", tt.name, got, tt.want)
		}
		if got := samePolicies(&tt.b, &tt.a); got != tt.want {
			t.Errorf("%s, the other way round: same %t, want %t", tt.name, got, tt.want)
		}
	}
}
