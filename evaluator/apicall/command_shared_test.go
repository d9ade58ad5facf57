package apicall

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestOperationNames: over the operations of AWS's API models, the action derived from an operation as the CLI spells it is that
// derived from the API's own spelling.
func TestOperationNames(t *testing.T) {
	actions := func(c Call) string {
		var all []string
		for _, r := range Requests(c) {
			if r.Required {
				all = append(all, r.Action+" "+r.Resource.ARN)
			}
		}
		return strings.ToLower(strings.Join(all, "\n"))
	}
	same, other := 0, 0
	lines := sharedLines(t, "data/reference/api-index.jsonl")
	for lines.Scan() {
		var api struct {
			ArnNamespace string
			Operations   map[string]json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &api); err != nil {
			t.Fatal(err)
		}
		for operation := range api.Operations {
			c := Call{Service: api.ArnNamespace, Operation: operation, Parameters: map[string]any{}, Region: "eu-west-1", Account: "222222222222"}
			want := actions(c)
			c.Operation = operationName(prefixOf(c), kebab(operation))
			if actions(c) == want {
				same++
				continue
			}
			if other++; other <= 10 {
				t.Logf("%s %s comes out as %s", api.ArnNamespace, operation, c.Operation)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations the same, %d others", same, other)
	if total := same + other; total < 10_000 || other*1000 > total*2 {
		t.Errorf("%d of %d operations come out as others: at most 0.2 %% may", other, total)
	}
}
