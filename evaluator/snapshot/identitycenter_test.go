package snapshot_test

import (
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// identityCenterProblems are the problems of identitycenter.json; the fixture has one of another file.
func identityCenterProblems(s *snapshot.Snapshot) string {
	var b strings.Builder
	for _, p := range s.Problems() {
		if strings.HasPrefix(p.File, "identitycenter.json") {
			b.WriteString(p.String() + "\n")
		}
	}
	return b.String()
}

// TestPermissionSet: a role's permission set is found by its name, and by the accounts where names are shared.
func TestPermissionSet(t *testing.T) {
	const file = `{"instances": [], "assignments": [], "permissionSets": [
  {"arn": "arn:1", "name": "Dev", "accounts": ["222222222222"]},
  {"arn": "arn:2", "name": "Dev", "accounts": ["333333333333"]},
  {"arn": "arn:3", "name": "Admin"},
  {"arn": "arn:4", "name": "Two"}, {"arn": "arn:5", "name": "Two"},
  {"arn": "arn:6"}]}`
	s := load(t, map[string]string{"identitycenter.json": file})
	if p := identityCenterProblems(s); p != "" {
		t.Errorf("problems: %s", p)
	}
	for _, tt := range []struct{ account, name, want string }{
		{"222222222222", "Dev", "arn:1"},
		{"333333333333", "Dev", "arn:2"},
		{"444444444444", "Dev", ""},
		{"222222222222", "Admin", "arn:3"}, // in which accounts it has roles couldn't be read
		{"222222222222", "Two", ""},        // either
		{"222222222222", "dev", ""},
		{"222222222222", "", ""},
	} {
		if got := s.PermissionSet(tt.account, tt.name); got != tt.want {
			t.Errorf("permission set %q in %s is %q, want %q", tt.name, tt.account, got, tt.want)
		}
	}
}

// TestIdentityCenterBroken: what can't be read is a problem and nothing else, and a snapshot without the file has none.
func TestIdentityCenterBroken(t *testing.T) {
	for _, tt := range []struct{ name, file, problem string }{
		{"no file", "", ""},
		{"a list", "[]", `identitycenter.json:1:1: expected {"instances"`},
		{"not JSON", "{", "identitycenter.json:1:2"},
		{"a set of numbers", `{"permissionSets": [5]}`, "identitycenter.json:1:21: expected a permission set"},
		{"no list", `{"permissionSets": {}}`, "identitycenter.json:1:20: expected a list"},
	} {
		files := map[string]string{}
		if tt.file != "" {
			files["identitycenter.json"] = tt.file
		}
		s := load(t, files)
		got := identityCenterProblems(s)
		if tt.problem == "" && got != "" || !strings.HasPrefix(got, tt.problem) {
			t.Errorf("%s: problems %q, want %q", tt.name, got, tt.problem)
		}
		if arn := s.PermissionSet("222222222222", "Dev"); arn != "" {
			t.Errorf("%s: found %s", tt.name, arn)
		}
	}
}
