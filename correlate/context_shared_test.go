package correlate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestRealContexts derives the requests of every real event, denied or not: nothing panics, no key is known by an empty
// or hidden value (T85), and none is both known and unknown (U1).
func TestRealContexts(t *testing.T) {
	events, requests, known, unknown := 0, 0, 0, 0
	for _, e := range realEvents(t) {
		events++
		c := newCall(e)
		for _, a := range c.derived() {
			requests++
			r := c.request(&Denial{Event: e, Principal: c.principal}, a)
			where := e.Name + " " + r.Action + " on " + r.Resource.ARN
			if !strings.Contains(r.Action, ":") || r.Resource.ARN == "" || r.ActionSource == "" || r.ResourceSource == "" {
				t.Errorf("%s: not whole: %+v", where, a)
			}
			told := map[string]bool{}
			for _, v := range a.Context {
				name := strings.ToLower(v.Name)
				if told[name] {
					t.Errorf("%s: %s is told twice", where, v.Name)
				}
				told[name] = true
			}
			isUnknown := map[string]bool{}
			for _, name := range r.Unknown() {
				unknown++
				isUnknown[strings.ToLower(name)] = true
			}
			for _, v := range r.Context.All() {
				switch v.State {
				case evaluator.Present:
					known++
					checkKnown(t, where, v)
					if isUnknown[strings.ToLower(v.Name)] && !v.Pattern {
						t.Errorf("%s: %s is both known and unknown", where, v.Name)
					}
				case evaluator.Absent:
					if len(v.Values) > 0 || isUnknown[strings.ToLower(v.Name)] {
						t.Errorf("%s: %s is absent and isn't: %q", where, v.Name, v.Values)
					}
				}
			}
		}
	}
	if events < 3000 || requests < 3000 {
		t.Errorf("%d events made %d requests, want at least 3000 of each", events, requests)
	}
	t.Logf("%d events, %d requests, %d keys known, %d unknown", events, requests, known, unknown)
}

// checkKnown reports a value that stands for one which isn't recorded. A tag's own value may be empty.
func checkKnown(t *testing.T, where string, v evaluator.ContextValue) {
	t.Helper()
	if len(v.Values) == 0 {
		t.Errorf("%s: %s is there without a value", where, v.Name)
	}
	isTag := strings.HasPrefix(v.Name, "aws:RequestTag/") || strings.HasPrefix(v.Name, "s3:RequestObjectTag/")
	for _, s := range v.Values {
		if s == "" && !isTag || s == "HIDDEN_DUE_TO_SECURITY_REASONS" || s == "***" || strings.EqualFold(s, "<sensitiveDataRemoved>") {
			t.Errorf("%s: %s = %q", where, v.Name, s)
		}
	}
}

// realEvents reads all real events that are shared: log files, lists of events, and events one after the other.
func realEvents(t *testing.T) []*Event {
	t.Helper()
	var events []*Event
	var add func(raw json.RawMessage)
	add = func(raw json.RawMessage) {
		var log struct {
			Records []json.RawMessage
			Event   json.RawMessage
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil && json.Unmarshal(raw, &log) == nil {
			if list = log.Records; log.Event != nil {
				list = append(list, log.Event)
			}
		}
		for _, one := range list {
			add(one)
		}
		if e, err := DecodeEvent(raw); list == nil && err == nil {
			events = append(events, e)
		}
	}
	for _, pattern := range []string{"aws_dataset/*.json", "stratus-red-team/*.json", "panther-analysis/*.jsonl"} {
		files, err := filepath.Glob(shared(t, "data", "cloudtrail", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for dec := json.NewDecoder(bytes.NewReader(data)); ; {
				var raw json.RawMessage
				if dec.Decode(&raw) != nil {
					break
				}
				add(raw)
			}
		}
	}
	return events
}
