package serviceref

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManagedPolicies asks for every action that AWS's own managed policies name. Some
// are of services that ended, some were never real; more than a few say that data is missing.
func TestManagedPolicies(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED is unset: it names the directory with AWS's managed policies")
	}
	file, err := os.Open(filepath.Join(shared, "data", "policies", "aws-managed-policies.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var named, unknown int
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var policy any
		if err := json.Unmarshal(lines.Bytes(), &policy); err != nil {
			t.Fatal(err)
		}
		for _, action := range namedActions(policy) {
			named++
			prefix, name, _ := strings.Cut(action, ":")
			s, ok := Lookup(prefix)
			if ok {
				_, ok = s.Action(name)
			}
			if !ok {
				unknown++
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d uses of an action are of one that the reference doesn't have", unknown, named)
	if named < 50_000 || unknown > named/300 {
		t.Errorf("%d of %d uses of an action are unknown, want at most one in 300 of 50,000 or more", unknown, named)
	}
}

// namedActions are the actions without wildcards in all Action and NotAction elements below v.
func namedActions(v any) []string {
	var actions []string
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "Action" || k == "NotAction" {
				actions = append(actions, plain(x)...)
			}
			actions = append(actions, namedActions(x)...)
		}
	case []any:
		for _, x := range v {
			actions = append(actions, namedActions(x)...)
		}
	}
	return actions
}

func plain(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var actions []string
	for _, x := range list {
		if s, ok := x.(string); ok && strings.Contains(s, ":") && !strings.ContainsAny(s, "*?") {
			actions = append(actions, s)
		}
	}
	return actions
}
