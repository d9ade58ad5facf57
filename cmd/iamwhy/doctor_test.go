package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// wholeSnapshot writes a snapshot of one account that has every part that can be collected.
func wholeSnapshot(t *testing.T, at time.Time) string {
	t.Helper()
	folder := t.TempDir()
	const account = "accounts/111111111111/"
	parts := map[string]map[string]string{}
	for _, word := range collectors.Parts() {
		name, content := account+"resources/"+word, "[]"
		switch word {
		case "organization", "identitycenter":
			name, content = word, "{}"
		case "iam":
			name, content = account+word, `{"UserDetailList": []}`
		case "endpoints":
			name = account + word
		}
		parts[name] = map[string]string{"status": "ok"}
		write(t, filepath.Join(folder, name+".json"), []byte(content))
	}
	text, err := json.Marshal(map[string]any{"formatVersion": 1, "collectedAt": at.Format(time.RFC3339), "parts": parts})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "snapshot.json"), text)
	return folder
}

// TestDoctorWhole: a snapshot that lacks nothing is told in one line, with status 0; one that is old isn't whole.
func TestDoctorWhole(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	folder := wholeSnapshot(t, at)
	tests := []struct {
		name, output, maxAge string
		now                  time.Time
		whole                bool
		want                 string
	}{
		{"whole", "text", "7d", at.Add(3 * time.Hour), true, "NOTHING IS MISSING   1 account, collected 2026-11-20 08:00 UTC, 3 hours ago\n"},
		{"one hour", "text", "7d", at.Add(time.Hour), true, "NOTHING IS MISSING   1 account, collected 2026-11-20 08:00 UTC, 1 hour ago\n"},
		{"just now", "text", "7d", at.Add(time.Minute), true, "NOTHING IS MISSING   1 account, collected 2026-11-20 08:00 UTC, within the hour\n"},
		{"a clock that is wrong", "text", "7d", at.Add(-time.Minute), true, "NOTHING IS MISSING   1 account, collected 2026-11-20 08:00 UTC, in the future\n"},
		{"old, and nobody cares", "text", "0d", at.AddDate(1, 0, 0), true, "NOTHING IS MISSING   1 account, collected 2026-11-20 08:00 UTC, 365 days ago\n"},
		{"old", "text", "7d", at.AddDate(0, 0, 8), false, "INCOMPLETE   1 account, collected 2026-11-20 08:00 UTC, 8 days ago\n\n" +
			"1  OLD   everything\n   Collected 2026-11-20 08:00 UTC. What changed since isn't known: an answer may be that of then\n" +
			"   Run: iamwhy collect -o " + folder + " --accounts 111111111111\n"},
		{"JSON", "json", "7d", at, true, fmt.Sprintf("{\n  \"complete\": true,\n  \"snapshot\": %q,\n  \"collectedAt\": \"2026-11-20T08:00:00Z\",\n  \"collectedBy\": \"\",\n  \"accounts\": [\n    \"111111111111\"\n  ],\n  \"lacks\": [],\n  \"problems\": []\n}\n", folder)},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		a := &app{streams: streams{strings.NewReader(""), &out, &out}, snapshot: folder, output: tt.output, color: "never"}
		err := a.doctor(t.Context(), doctorJob{maxAge: tt.maxAge}, tt.now)
		if whole := err == nil; whole != tt.whole {
			t.Errorf("%s: error %v, want whole %v", tt.name, err, tt.whole)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestDoctorTellsDenials: whatever call was denied while a snapshot was collected, doctor names its action.
func TestDoctorTellsDenials(t *testing.T) {
	f := awsfake.New()
	f.Handle("sts", "GetCallerIdentity", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Result(struct{ Arn, Account string }{"arn:aws:iam::" + awsfake.Account + ":user/collector", awsfake.Account})
	})
	f.Handle("iam", "GetAccountAuthorizationDetails", func(*awsfake.Call) awsfake.Reply { return awsfake.Result(struct{ IsTruncated bool }{}) })
	f.Fail(awsfake.Fault{Service: "sts"})
	f.Fail(awsfake.Fault{Service: "iam"})
	f.Fail(awsfake.Fault{Reply: awsfake.Deny})
	folder := filepath.Join(t.TempDir(), "snapshot")
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	report, err := collectors.Collect(t.Context(), folder, collectors.Options{Config: f.Config("eu-west-1"), Now: now, Regions: []string{"eu-west-1"}})
	if err != nil || !report.Written {
		t.Fatalf("collecting: %v, %+v", err, report)
	}
	text, err := os.ReadFile(filepath.Join(folder, "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Parts map[string]struct {
			Status string
			Gaps   []struct{ Action, Resource, Status string }
		}
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app{streams: streams{strings.NewReader(""), &out, &out}, snapshot: folder, output: "text", color: "never", verbose: true}
	if err := a.doctor(t.Context(), doctorJob{maxAge: "7d"}, now); err == nil {
		t.Error("nothing is missing, it says")
	}
	denied := 0
	for name, p := range recorded.Parts {
		for _, g := range p.Gaps {
			head := "Failed at "
			if g.Status == "denied" {
				denied++
				head = "Grant "
			}
			if !strings.Contains(out.String(), head+g.Action) || !strings.Contains(out.String(), g.Resource) {
				t.Errorf("%s lacks %s on %q, and doctor doesn't say so", name, g.Action, g.Resource)
			}
		}
	}
	if denied < 2 {
		t.Errorf("%d denials were recorded, want those of the organisation and of the endpoints at least:\n%s", denied, text)
	}
}

// TestCommandFor: the command names what is lacking, and all where that is too much to name.
func TestCommandFor(t *testing.T) {
	s, err := snapshot.Load(os.DirFS("../../testdata/acme/snapshot"))
	if err != nil {
		t.Fatal(err)
	}
	collectable := []string{"iam", "organization", "s3", "sqs"}
	many := slices.Repeat(s.Accounts()[:1], maxNamed+1)
	tests := []struct {
		name   string
		folder string
		lack   snapshot.Lack
		want   string
	}{
		{"parts of accounts", "s", snapshot.Lack{Accounts: []string{"111111111111", "222222222222"}, Parts: []string{"iam", "s3"}}, "iamwhy collect -o s --accounts 111111111111,222222222222 --only iam,s3"},
		{"of all accounts", "s", snapshot.Lack{Accounts: s.Accounts(), Parts: []string{"s3"}}, "iamwhy collect -o s --org --only s3"},
		{"an account outside", "s", snapshot.Lack{Accounts: []string{"444444444444"}}, "iamwhy collect -o s --accounts 444444444444"},
		{"too many to name", "s", snapshot.Lack{Accounts: many, Parts: []string{"s3"}}, "iamwhy collect -o s --org --only s3"},
		{"of the organisation", "s", snapshot.Lack{Parts: []string{"organization/scp", "organization/rcp"}}, "iamwhy collect -o s --only organization"},
		{"the whole", "my snapshot's", snapshot.Lack{Status: snapshot.LackOld}, `iamwhy collect -o 'my snapshot'\''s' --org`},
		{"what nothing collects", "s", snapshot.Lack{Accounts: []string{"111111111111"}, Parts: []string{"aiops"}}, ""},
		{"some that nothing collects", "s", snapshot.Lack{Accounts: []string{"111111111111"}, Parts: []string{"aiops", "sqs"}}, "iamwhy collect -o s --accounts 111111111111 --only sqs"},
	}
	for _, tt := range tests {
		if got := commandFor(tt.folder, s, tt.lack, collectable); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
