package correlate_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source/logtest"
)

// deniedEvents are the events with a denial among many of a trail.
func deniedEvents(b *testing.B) []*correlate.Event {
	var text bytes.Buffer
	if err := logtest.New(1).WriteText(&text, 10_000); err != nil {
		b.Fatal(err)
	}
	var log struct{ Records []json.RawMessage }
	if err := json.Unmarshal(text.Bytes(), &log); err != nil {
		b.Fatal(err)
	}
	var denied []*correlate.Event
	for _, record := range log.Records {
		e, err := correlate.DecodeEvent(record)
		if err != nil {
			b.Fatal(err)
		}
		if len(correlate.DenialsOf(e, false)) > 0 {
			denied = append(denied, e)
		}
	}
	return denied
}

// BenchmarkDenialsOf is what an event with a denial costs, once decoded: alone, with the requests that the call
// needed, and with what isn't known of these.
func BenchmarkDenialsOf(b *testing.B) {
	events := deniedEvents(b)
	for _, bench := range []struct {
		name string
		use  func(correlate.Denial) int
	}{
		{"Alone", func(correlate.Denial) int { return 1 }},
		{"Requests", func(d correlate.Denial) int { return len(d.Requests()) }},
		{"Unknown", func(d correlate.Denial) int {
			n := 0
			for _, r := range d.Requests() {
				n += len(r.Unknown())
			}
			return n
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				for _, d := range correlate.DenialsOf(events[i%len(events)], false) {
					if bench.use(d) == 0 {
						b.Fatalf("nothing of %s", d.Event.ID)
					}
				}
				i++
			}
		})
	}
}
