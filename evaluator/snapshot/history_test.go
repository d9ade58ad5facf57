package snapshot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// dayOne is when the first of the tests' snapshots was collected, at noon; the others follow by the day.
var dayOne = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func onDay(n int) time.Time { return dayOne.AddDate(0, 0, n) }

// collectedOn is a snapshot of a day, whose user ann has one policy named for it.
func collectedOn(n int) fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"snapshot.json":     file(fmt.Sprintf(`{"formatVersion": 1, "collectedAt": %q}`, onDay(n).Format(time.RFC3339))),
		"organization.json": file("{}"),
		"accounts/222222222222/iam.json": file(fmt.Sprintf(`{"UserDetailList": [{"UserName": "ann", "UserId": "AIDAANN", "Arn": "arn:aws:iam::222222222222:user/ann",
  "UserPolicyList": [{"PolicyName": "day%d", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}]}], "GroupDetailList": [], "RoleDetailList": [],
  "Policies": [{"PolicyName": "managed", "Arn": "arn:aws:iam::222222222222:policy/managed", "DefaultVersionId": "v1", "PolicyVersionList": [
    {"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Id": "day%[1]d", "Statement": []}}]}]}`, n)),
	}
}

// historyOf has snapshots of the given days, and tells which were loaded.
func historyOf(t interface{ Fatal(...any) }, days ...int) (h *snapshot.History, loaded *[]string) {
	loaded = new([]string)
	h = &snapshot.History{Loaded: func(name string, _ *snapshot.Snapshot) { *loaded = append(*loaded, name) }}
	for _, n := range days {
		if err := h.Add(fmt.Sprint(n), collectedOn(n)); err != nil {
			t.Fatal(err)
		}
	}
	return h, loaded
}

// TestHistoryPolicies: a request is answered by the newest snapshot from before it or, if none is as old, the oldest.
func TestHistoryPolicies(t *testing.T) {
	h, _ := historyOf(t, 5, 1, 3)
	for _, tt := range []struct {
		name, at, want string
	}{
		{"before all: the oldest", "2026-01-01T00:00:00Z", "day1"},
		{"when one was collected", onDay(1).Format(time.RFC3339), "day1"},
		{"a second before the next", onDay(3).Add(-time.Second).Format(time.RFC3339), "day1"},
		{"between", "2026-01-05T00:00:00Z", "day3"},
		{"after all", "2027-01-01T00:00:00Z", "day5"},
		{"another zone", "2026-01-04T13:00:00+02:00", "day1"},
		{"no time: now", "", "day5"},
		{"a time that is none", "yesterday", "day5"},
	} {
		req := evaluator.Request{
			Principal: evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/ann", Account: "222222222222"},
			Action:    "s3:ListAllMyBuckets", Resource: evaluator.Resource{ARN: "*"},
		}
		if tt.at != "" {
			req.Context.Set("aws:CurrentTime", tt.at)
		}
		h.Complete(&req)
		p, err := h.Policies(context.Background(), req)
		if err != nil || len(p.Identity.Policies) != 1 || p.Identity.Policies[0].Name != tt.want {
			t.Errorf("%s: identity policies %+v, error %v; want %s", tt.name, p.Identity.Policies, err, tt.want)
		}
	}
	if p, ok := h.ManagedPolicy("222222222222", "arn:aws:iam::222222222222:policy/managed"); !ok || p.Body.Document().ID.Value != "day5" {
		t.Errorf("managed policy: %+v, %t; want that of day5", p, ok)
	}
}

// TestHistoryEmpty: without a snapshot there is an error, and nothing worse.
func TestHistoryEmpty(t *testing.T) {
	h := new(snapshot.History)
	if _, err := h.Policies(context.Background(), evaluator.Request{}); err == nil {
		t.Error("policies of no snapshot: no error")
	}
	h.Complete(new(evaluator.Request))
	if _, ok := h.ManagedPolicy("222222222222", "arn:aws:iam::222222222222:policy/managed"); ok {
		t.Error("no snapshot has a managed policy")
	}
	if before, after, err := h.Around(h.Era(onDay(0))); before != nil || after != nil || err != nil {
		t.Errorf("around: %v, %v, %v", before, after, err)
	}
}

// TestHistoryAdd: what doesn't tell its time can't be in a history.
func TestHistoryAdd(t *testing.T) {
	change := func(metadata string) fstest.MapFS {
		fsys := collectedOn(1)
		fsys["snapshot.json"] = &fstest.MapFile{Data: []byte(metadata)}
		return fsys
	}
	noMetadata := collectedOn(1)
	delete(noMetadata, "snapshot.json")
	for _, tt := range []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"no snapshot", fstest.MapFS{"README": {}}, "x: not a snapshot"},
		{"no metadata", noMetadata, "x: when it was collected isn't known"},
		{"no time", change(`{"formatVersion": 1}`), "x: when it was collected isn't known"},
		{"a time that is none", change(`{"formatVersion": 1, "collectedAt": "noon"}`), "x: when it was collected isn't known"},
		{"no JSON", change(`{`), "x: when it was collected isn't known"},
		{"a later format", change(`{"formatVersion": 9, "collectedAt": "2026-01-01T00:00:00Z"}`), "format version 9"},
	} {
		h := new(snapshot.History)
		if err := h.Add("x", tt.fsys); err == nil || !strings.Contains(err.Error(), tt.want) || h.Len() != 0 {
			t.Errorf("%s: error %v, %d snapshots; want %q and none", tt.name, err, h.Len(), tt.want)
		}
	}
}

// TestHistoryEra: of any snapshots and any time, those around it are the newest that isn't after it, and the oldest that is.
func TestHistoryEra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 6).Draw(t, "days")
		at := onDay(0).Add(time.Duration(rapid.IntRange(-24, 240).Draw(t, "hours")) * time.Hour)
		var wantBefore, wantAfter time.Time
		for _, n := range days {
			switch c := onDay(n); {
			case !c.After(at) && c.After(wantBefore):
				wantBefore = c
			case c.After(at) && (wantAfter.IsZero() || c.Before(wantAfter)):
				wantAfter = c
			}
		}
		h, _ := historyOf(t, days...)
		before, after, err := h.Around(h.Era(at))
		if err != nil {
			t.Fatal(err)
		}
		got := func(s *snapshot.Snapshot) (at time.Time) {
			if s != nil {
				at = s.CollectedAt()
			}
			return at
		}
		if got(before) != wantBefore || got(after) != wantAfter {
			t.Fatalf("around %s of %v: %s and %s, want %s and %s", at, days, got(before), got(after), wantBefore, wantAfter)
		}
		if now := h.Era(time.Time{}); now != len(days) {
			t.Fatalf("the zero time is in era %d of %d", now, len(days))
		}
	})
}

// TestHistoryLoads: who asks in the order of time has each snapshot loaded once, and few are held.
func TestHistoryLoads(t *testing.T) {
	h, loaded := historyOf(t, 0, 1, 2, 3, 4, 5)
	ask := func(eras ...int) {
		t.Helper()
		for _, era := range eras {
			if _, _, err := h.Around(era); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask(0, 0, 1, 1, 2, 3, 4, 4, 5, 6, 6)
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5"}, *loaded); diff != "" {
		t.Errorf("in the order of time (-want +got):\n%s", diff)
	}
	*loaded = nil
	ask(6, 5, 0, 6)
	if diff := cmp.Diff([]string{"0"}, *loaded); diff != "" {
		t.Errorf("those that were asked for last are held, and not the others (-want +got):\n%s", diff)
	}
	*loaded = nil
	ask(1, 2, 6)
	if diff := cmp.Diff([]string{"1", "2", "5"}, *loaded); diff != "" {
		t.Errorf("no more than three are held (-want +got):\n%s", diff)
	}
}
