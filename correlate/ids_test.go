package correlate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// eventIDTexts are ids as CloudTrail writes them, and such that nearly are.
var eventIDTexts = rapid.OneOf(
	rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
	rapid.StringMatching(`[0-9a-fA-G]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}[-0][0-9a-f]{12,13}`),
	rapid.SampledFrom([]string{"", "00000000-0000-0000-0000-000000000000", "e1", "9365839C-756e-d325-951b-e6ae8a7f1974", "9365839c-756e-d325-951b-e6ae8a7f1974"}),
	rapid.String(),
)

func TestEventID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ids eventIDs
		var all sightings
		seen := map[string]bool{}
		for _, id := range rapid.SliceOf(eventIDTexts).Draw(t, "ids") {
			if got := all.id(all.of(&Event{ID: id})); got != id {
				t.Errorf("id %q is kept as %q", id, got)
			}
			if ids.add(id) == seen[id] {
				t.Errorf("id %q: new is %v", id, seen[id])
			}
			seen[id] = true
		}
	})
}

func TestSightingTime(t *testing.T) {
	for _, at := range []time.Time{{}, time.Date(2026, 3, 1, 9, 12, 0, 7, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if s := new(sightings).of(&Event{Time: at}); s.at() != at || s.at().IsZero() != at.IsZero() {
			t.Errorf("an event of %v was seen at %v", at, s.at())
		}
	}
}

// sessionKeys are access keys as AWS writes them, and such that nearly are.
var accessKeys = rapid.OneOf(
	rapid.StringMatching(`ASIA[A-C2]{16}`),
	rapid.StringMatching(`A[SK]IA[A-Z0-9a=]{15,17}`),
	rapid.SampledFrom([]string{"", "ASIAAAAAAAAAAAAAAAAA", "ASIAAAAAAAAAAAAAAAA=", "AKIAAAAAAAAAAAAAAAAA", "asiaaaaaaaaaaaaaaaaa"}),
)

// How a session was made is known by its whole access key, and as it was told last.
func TestSessionStarts(t *testing.T) {
	value := "v"
	stories := []*sessionStart{{eventID: "1"}, {inline: "{}"}, {arns: []string{"arn"}}, {tags: map[string]*string{"k": &value}}}
	rapid.Check(t, func(t *rapid.T) {
		var starts sessionStarts
		want := map[string]*sessionStart{}
		for _, key := range rapid.SliceOfN(accessKeys, 1, 20).Draw(t, "keys") {
			s := rapid.SampledFrom(stories).Draw(t, "story")
			starts.put(key, s)
			want[key] = s.short()
		}
		for _, key := range rapid.SliceOf(accessKeys).Draw(t, "others") {
			if got := starts.get(key); got != want[key] {
				t.Errorf("session %q: %+v, want %+v", key, got, want[key])
			}
		}
		for key := range want {
			if got := starts.get(key); got != want[key] {
				t.Errorf("session %q: %+v, want %+v", key, got, want[key])
			}
		}
	})
}
