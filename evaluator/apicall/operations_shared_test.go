package apicall

import (
	"encoding/json"
	"testing"
)

// TestEveryOperation derives the requests of all operations of AWS's APIs, with each parameter given, and with none: nothing panics or is
// asked twice, and what a call needs beside its own action exists (T81).
func TestEveryOperation(t *testing.T) {
	calls, dependents, required := 0, 0, 0
	lines := sharedLines(t, "data/reference/api-index.jsonl")
	for lines.Scan() {
		var api struct {
			ArnNamespace string
			Operations   map[string]struct{ In []string }
		}
		if err := json.Unmarshal(lines.Bytes(), &api); err != nil {
			t.Fatal(err)
		}
		for operation, o := range api.Operations {
			all := map[string]any{}
			for _, name := range o.In {
				all[name] = "x"
			}
			for _, parameters := range []map[string]any{nil, {}, all} {
				calls++
				c := Call{Service: api.ArnNamespace, Operation: operation, Region: "eu-west-1", Account: "222222222222", Parameters: parameters}
				d := derive(c)
				if d.prefix == "" {
					continue
				}
				own := d.own()
				if len(own) == 0 {
					continue
				}
				seen := map[string]bool{}
				for _, r := range d.dependents(own) {
					dependents++
					if r.Required {
						required++
					}
					if key := line(r); seen[key] {
						t.Errorf("%s:%s: twice %s", d.prefix, operation, key)
					} else {
						seen[key] = true
					}
					if _, _, ok := referenceAction(r.Action); !ok && r.ActionSource == FromTable {
						t.Errorf("%s:%s: no action %s", d.prefix, operation, r.Action)
					}
				}
			}
		}
	}
	if calls < 3*15000 || dependents < 9000 {
		t.Errorf("%d calls with %d dependents, want at least 45000 and 9000", calls, dependents)
	}
	t.Logf("%d calls, %d dependents, %d of them required", calls, dependents, required)
}
