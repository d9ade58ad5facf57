package apicall

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAgainstMap counts, for information, the operations of a published map whose action is the
// same. The map is of 2023 and wrong in places (T78), so it decides nothing.
func TestAgainstMap(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED isn't set: no map to compare with")
	}
	text, err := os.ReadFile(filepath.Join(shared, "data", "reference", "sdk-iam-map.json"))
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Methods map[string][]struct{ Action string } `json:"sdk_method_iam_mappings"`
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	same, other := 0, 0
	for method, needs := range published.Methods {
		_, operation, ok := strings.Cut(method, ".")
		if !ok || len(needs) == 0 {
			continue
		}
		service, _, _ := strings.Cut(needs[0].Action, ":")
		got := Requests(Call{Service: service, Operation: operation, Region: "eu-west-1", Account: "222222222222"})
		if len(got) > 0 && strings.EqualFold(got[0].Action, needs[0].Action) {
			same++
		} else {
			other++
		}
	}
	if same == 0 {
		t.Error("no operation agrees: is this the map?")
	}
	t.Logf("%d operations have the map's action, %d another", same, other)
}
