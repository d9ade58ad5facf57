package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/correlate"
)

// sharedData returns the directory of real CloudTrail records that are not part
// of this repository, and skips the test where there is none.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("IAMWHY_SHARED")
	if dir == "" {
		t.Skip("IAMWHY_SHARED isn't set: no real CloudTrail records to test on")
	}
	return filepath.Join(dir, "data", name)
}

// pantherEvents takes the events out of their wrapping, as JSON Lines.
func pantherEvents(t *testing.T, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	for s := bufio.NewReader(in); ; {
		line, err := s.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var sample struct{ Event json.RawMessage }
			if err := json.Unmarshal(line, &sample); err != nil {
				t.Fatal(err)
			}
			out.Write(sample.Event)
			out.WriteByte('\n')
		}
		if err != nil {
			break
		}
	}
	file := filepath.Join(t.TempDir(), "panther.jsonl")
	if err := os.WriteFile(file, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRealEvents runs events and explain over all real events: nothing crashes, no
// record is lost, and every message that names a layer is attributed to it.
func TestRealEvents(t *testing.T) {
	data := sharedData(t, "cloudtrail")
	panther := pantherEvents(t, filepath.Join(data, "panther-analysis", "events.jsonl"))
	policies := sharedData(t, filepath.Join("policies", "cloudsplaining", "account-authorization-details.json"))
	for _, tt := range []struct {
		name, source string
		records      int
	}{
		{"aws_dataset", filepath.Join(data, "aws_dataset", "*.json"), 2900},
		{"stratus-red-team", filepath.Join(data, "stratus-red-team", "*.json"), 310},
		{"panther-analysis", panther, 432},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, snapshot := range []string{"", policies} {
				got := explainReal(t, snapshot, tt.source)
				if s := got.Summary; s.Events+s.Skipped != tt.records {
					t.Errorf("%d records read and %d skipped, want %d in all", s.Events, s.Skipped, tt.records)
				}
				n := 0
				for _, f := range got.Findings {
					n += f.Count
					if m := correlate.ParseMessage(f.Message, ""); m.Layer != correlate.LayerUnknown && f.Layer != m.Layer {
						t.Errorf("event %s: layer is %s, but AWS said %q", f.EventIDs[0], f.Layer, f.Message)
					}
				}
				if n != got.Summary.Denials {
					t.Errorf("the findings stand for %d denials, the summary counts %d", n, got.Summary.Denials)
				}
			}
			countDenied(t, tt.source)
		})
	}
}

type realFindings struct {
	Findings []struct {
		EventIDs []string `json:"eventIds"`
		Count    int      `json:"count"`
		Layer    string   `json:"layer"`
		Message  string   `json:"message"`
	} `json:"findings"`
	Summary struct {
		Events, Denials, Skipped int
	} `json:"summary"`
}

func explainReal(t *testing.T, snapshot, source string) (got realFindings) {
	t.Helper()
	args := []string{"explain", "-q", "--output", "json"}
	if snapshot != "" {
		args = append(args, "--snapshot", snapshot)
	}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), append(args, source), streams{strings.NewReader(""), &stdout, &stderr}); status != 0 {
		t.Fatalf("exit status %d, stderr:\n%s", status, &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// countDenied checks that events lists what explain explains.
func countDenied(t *testing.T, source string) {
	t.Helper()
	want := explainReal(t, "", source).Summary.Denials
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"events", "-q", "--output", "json", source}, streams{strings.NewReader(""), &stdout, &stderr}); status != 0 {
		t.Fatalf("events: exit status %d, stderr:\n%s", status, &stderr)
	}
	if got := bytes.Count(stdout.Bytes(), []byte("\n")); got != want {
		t.Errorf("events lists %d denied calls, explain explains %d", got, want)
	}
}
