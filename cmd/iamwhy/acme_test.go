package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A finding is the part of `explain --output json` that the answer key speaks of.
type finding struct {
	EventIDs  []string `json:"eventIds"`
	Count     int      `json:"count"`
	Decision  string   `json:"decision"`
	Layer     string   `json:"layer"`
	Policy    *place   `json:"policy"`
	Statement *struct {
		Sid string `json:"sid"`
	} `json:"statement"`
	Request struct {
		Action string `json:"action"`
	} `json:"request"`
	Basis     string `json:"basis"`
	Agreement string `json:"agreement"`
	Blockers  []struct {
		Layer string `json:"layer"`
		Kind  string `json:"kind"`
	} `json:"blockers"`
	Fixes []struct {
		Verified bool `json:"verified"`
	} `json:"fixes"`
	Disagreement any `json:"disagreement"`
}

type place struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
}

type explained struct {
	Findings []finding `json:"findings"`
	Summary  struct {
		Events   int            `json:"events"`
		Denials  int            `json:"denials"`
		Findings int            `json:"findings"`
		Skipped  int            `json:"skipped"`
		ByLayer  map[string]int `json:"byLayer"`
	} `json:"summary"`
}

// explainACME runs the README's command from the repository's root.
func explainACME(t *testing.T, args ...string) []byte {
	t.Helper()
	t.Chdir("../..")
	var stdout, stderr bytes.Buffer
	args = append([]string{"explain", "-q", "--color", "never", "--snapshot", "testdata/acme/snapshot"}, args...)
	if status := run(t.Context(), args, streams{strings.NewReader(""), &stdout, &stderr}); status != 0 {
		t.Fatalf("iamwhy %s: exit status %d, stderr:\n%s", strings.Join(args, " "), status, &stderr)
	}
	return stdout.Bytes()
}

// TestACMEGolden holds the README's demonstration to its golden output.
func TestACMEGolden(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			got := explainACME(t, "--output", format, "testdata/acme/cloudtrail")
			golden := "testdata/acme/explain." + map[string]string{"json": "json", "text": "txt"}[format]
			if *update {
				if err := os.WriteFile(golden, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// A keyRow is a row of the table in testdata/acme/EXPECTED.md, which was
// reasoned by hand and is independent of the program.
type keyRow struct {
	number, count                                                    string
	eventID, action, decision, layer, statement, blockers, agreement string
	basis                                                            string
}

var eventIDPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func answerKey(t *testing.T, text string) []keyRow {
	t.Helper()
	first := eventIDPattern.FindString(text[strings.Index(text, "Events of row 1"):])
	var rows []keyRow
	for line := range strings.Lines(text) {
		c := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range c {
			c[i] = strings.TrimSpace(c[i])
		}
		if len(c) != 12 || c[0] == "#" || strings.HasPrefix(c[0], "---") {
			continue
		}
		r := keyRow{number: c[0], count: c[1], eventID: eventIDPattern.FindString(c[2]), action: c[4], decision: c[5], layer: c[6], statement: c[8], blockers: c[9], agreement: c[10], basis: c[11]}
		if r.number == "1" {
			r.eventID = first
		}
		rows = append(rows, r)
	}
	return rows
}

var blockerPattern = regexp.MustCompile(`(scp|rcp|resource|identity|boundary|session|endpoint|service)(?: \([a-z]+\))? (explicitDeny|noAllow)`)

// TestACMEAnswerKey compares every finding with the answer key: decision, layer,
// statement with its position, blockers in order, agreement, basis.
func TestACMEAnswerKey(t *testing.T) {
	text, err := os.ReadFile("../../testdata/acme/EXPECTED.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := answerKey(t, string(text))
	if len(rows) != 32 {
		t.Fatalf("EXPECTED.md has %d rows, want 32", len(rows))
	}
	var got explained
	if err := json.Unmarshal(explainACME(t, "--output", "json", "testdata/acme/cloudtrail"), &got); err != nil {
		t.Fatal(err)
	}
	if s := got.Summary; s.Events != 119 || s.Denials != 55 || s.Findings != len(rows) || s.Skipped != 0 {
		t.Errorf("summary is %+v, want 119 events, 55 denials, %d findings, none skipped", s, len(rows))
	}
	if diff := cmp.Diff(map[string]int{"boundary": 2, "endpoint": 8, "identity": 11, "rcp": 1, "resource": 9, "scp": 18, "service": 1, "session": 4, "unknown": 1}, got.Summary.ByLayer); diff != "" {
		t.Errorf("denials by layer (-want +got):\n%s", diff)
	}
	for _, row := range rows {
		t.Run(row.number, func(t *testing.T) {
			i := slices.IndexFunc(got.Findings, func(f finding) bool { return slices.Contains(f.EventIDs, row.eventID) })
			if i < 0 {
				t.Fatalf("no finding has event %s", row.eventID)
			}
			if diff := cmp.Diff(row.want(), row.compared(got.Findings[i])); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.action, diff)
			}
		})
	}
}

// An answer is what is compared of one row.
type answer struct {
	Count, Action, Decision, Layer, Sid, Place, Agreement, Basis string
	Blockers                                                     []string
}

var positionPattern = regexp.MustCompile(`[a-z]+/[a-z0-9/.-]+\.json:\d+:\d+`)

// explicit reports whether the row names a statement that denies, rather than one that comes near to allowing.
func (r keyRow) explicit() bool {
	return !strings.HasPrefix(r.statement, "none") && r.statement != "—"
}

func (r keyRow) want() answer {
	a := answer{
		Count: r.count, Action: firstWord(r.action), Decision: firstWord(r.decision), Layer: firstWord(r.layer),
		Agreement: firstWord(r.agreement), Basis: r.basis,
	}
	if r.explicit() {
		a.Sid, a.Place = firstWord(r.statement), positionPattern.FindString(r.statement)
	}
	for _, m := range blockerPattern.FindAllStringSubmatch(r.blockers, -1) {
		a.Blockers = append(a.Blockers, m[1]+" "+m[2])
	}
	switch r.number {
	case "6": // its blocker is only possible
		a.Blockers = nil
	}
	return a
}

func (r keyRow) compared(f finding) answer {
	a := answer{
		Count: strconv.Itoa(f.Count), Action: f.Request.Action, Decision: f.Decision, Layer: f.Layer,
		Agreement: f.Agreement, Basis: f.Basis,
	}
	if f.Statement != nil {
		a.Sid = f.Statement.Sid
	}
	if f.Policy != nil && r.explicit() && positionPattern.MatchString(r.statement) {
		a.Place = fmt.Sprintf("%s:%d:%d", f.Policy.File, f.Policy.Line, f.Policy.Col)
	}
	for _, b := range f.Blockers {
		if b.Kind != "notCollected" {
			a.Blockers = append(a.Blockers, b.Layer+" "+b.Kind)
		}
	}
	return a
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}
