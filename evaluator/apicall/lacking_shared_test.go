package apicall

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// TestNoPolicyAsksForLackingKeys holds the conclusion that a key is absent (evaluation.md 5.4) to what AWS's managed policies ask for:
// a statement that allows actions if they carry a key means at least one action that does.
func TestNoPolicyAsksForLackingKeys(t *testing.T) {
	asked := 0
	lines := sharedLines(t, "data/policies/aws-managed-policies.jsonl")
	for lines.Scan() {
		var line struct {
			Name     string
			Document json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		doc, err := policy.Parse("", line.Document)
		if err != nil {
			continue
		}
		for i := range doc.Statements {
			s := &doc.Statements[i]
			if s.Effect != policy.Allow {
				continue
			}
			for _, c := range s.Condition {
				if !asksForKey(c.Operator) {
					continue
				}
				if carried, known := anyCarries(s, c.Key.Value); known {
					asked++
					if !carried {
						t.Errorf("%s: no action of statement %d carries %s", line.Name, i, c.Key.Value)
					}
				}
			}
		}
	}
	if asked < 500 {
		t.Errorf("%d conditions on keys of a service were looked at, want at least 500", asked)
	}
}

// asksForKey reports whether a condition with the operator needs its key to be there.
func asksForKey(operator string) bool {
	return !strings.Contains(operator, "Not") && !strings.HasSuffix(operator, "IfExists") && operator != "Null" && !strings.HasPrefix(operator, "ForAllValues")
}

// anyCarries reports whether one of a statement's actions may carry a key of their service; known is false if none is of the
// key's service.
func anyCarries(s *policy.Statement, key string) (carried, known bool) {
	if s.Action == nil {
		return false, false
	}
	prefix, _, _ := strings.Cut(strings.ToLower(key), ":")
	for _, a := range s.Action.Values {
		service, name, _ := strings.Cut(strings.ToLower(a.Value), ":")
		if service != prefix {
			continue
		}
		known = true
		lacks := false
		for _, v := range lackingKeys(a.Value) {
			lacks = lacks || strings.EqualFold(v.Name, key)
		}
		if strings.ContainsAny(name, "*?") || !lacks {
			return true, true
		}
	}
	return false, known
}
