package correlate

import (
	"context"
	"encoding/base32"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A watchedSource gives policies of its own to everyone who asks, and knows which are still held.
type watchedSource struct {
	*fakeSource
	given []weak.Pointer[evaluator.Policy]
}

func (s *watchedSource) Policies(context.Context, evaluator.Request) (evaluator.Policies, error) {
	p := namedPolicy("Queues", "", denies("NoQueues", "sqs:*"))
	l := evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{p}}
	s.given = append(s.given, weak.Make(&l.Policies[0]))
	return evaluator.Policies{Identity: l}, nil
}

func (s *watchedSource) held() int {
	runtime.GC()
	n := 0
	for _, p := range s.given {
		if p.Value() != nil {
			n++
		}
	}
	return n
}

// queueDenialOf is one of denials that are each a finding of its own.
func queueDenialOf(i int) *Event {
	e := userDenial(fmt.Sprintf("%08x-1111-2222-3333-444444444444", i), "")
	e.RequestParameters = fmt.Appendf(nil, `{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/q%d"}`, i)
	e.ErrorMessage = fmt.Sprintf("User: %s is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111111111111:q%d", acmeUser, i)
	return e
}

func queueDenials(x *Explainer, n int) {
	for i := range n {
		x.Add(queueDenialOf(i))
	}
}

// Findings are many where denials are: neither before they are handed out nor afterwards is what explains them held.
func TestFindingsAreNotHeld(t *testing.T) {
	const denials = 50
	src := &watchedSource{fakeSource: always(evaluator.Policies{})}
	x := NewExplainer(src, Options{})
	queueDenials(x, denials)
	n := 0
	for f, err := range x.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; f.Policy == nil {
			t.Fatalf("finding %d has no policy", n)
		}
		if held := src.held(); held > 4 { // its own, and what the stack may still have
			t.Fatalf("at finding %d the policies of %d are held", n, held)
		}
		runtime.KeepAlive(f)
	}
	if n != denials {
		t.Errorf("%d findings, want %d", n, denials)
	}
}

// With a History some findings are held whole, and others are made again: all of them are as they are alone.
func TestHistoryOfManyFindings(t *testing.T) {
	h := history([]int{1, 10, 20}, layerOf("p", denies("NoQueues", "sqs:*")), layerOf("p", denies("Never", "sqs:*")), layerOf("p", allows("Read", "s3:GetObject")))
	const many = 3*manyWhole + 1
	x := NewExplainer(h, Options{})
	alone := map[string]Finding{}
	for i := range many {
		e := on(i%25, queueDenialOf(i))
		x.Add(e)
		alone[e.ID] = *oneFinding(t, h, Options{}, e)
	}
	n := 0
	var last Finding
	for f, err := range x.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n > 1 && f.FirstSeen.Before(last.FirstSeen) {
			t.Errorf("the finding of %v comes after that of %v", f.FirstSeen, last.FirstSeen)
		}
		last = f
		want := alone[f.EventIDs[0]]
		for name, pair := range map[string][2]any{
			"era": {*want.Era, *f.Era}, "reason": {want.Reason, f.Reason}, "notes": {want.Notes, f.Notes}, "event": {want.Denial.Event, f.Denial.Event},
			"event ids": {want.EventIDs, f.EventIDs}, "sessions": {want.Sessions, f.Sessions}, "resource": {want.Request.Resource, f.Request.Resource},
		} {
			if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
				t.Errorf("%s of finding %d (-alone +among others):\n%s", name, n, diff)
			}
		}
	}
	if n != many {
		t.Errorf("%d findings, want %d", n, many)
	}
}

// growth is how much more of the heap is held after than before.
func growth(do func()) int {
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	do()
	return heap() - before
}

// What is held of a denial and of a session's start is little, a third of these bounds: a held request, or a whole
// event, goes beyond them.
func TestHeldBytes(t *testing.T) {
	for _, src := range []PolicySource{nil, always(evaluator.Policies{})} {
		x := NewExplainer(src, Options{})
		queueDenials(x, 100) // what is made once
		const more = 1000
		perDenial := growth(func() { queueDenials(x, 100+more) }) / more
		if runtime.KeepAlive(x); perDenial > 1500 {
			t.Errorf("a denial takes %d bytes", perDenial)
		}
	}
	var starts sessionStarts
	const sessions = 20_000
	perStart := growth(func() {
		for i := range sessions {
			number := base32.StdEncoding.EncodeToString(fmt.Appendf(nil, "%010d", i))
			starts.put("ASIA"+number, &sessionStart{eventID: "e"})
		}
	}) / sessions
	if runtime.KeepAlive(starts); perStart > 60 {
		t.Errorf("the start of a session takes %d bytes", perStart)
	}
}
