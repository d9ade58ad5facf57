package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/iamwhy/iamwhy/"

// arrows are the imports that each part of the house may have (layout.md §2), of our
// own packages. A path that ends in /... means the package and all below it; the
// first row that fits counts.
var arrows = []struct {
	part string
	may  []string
}{
	{"cmd/iamwhy/internal/render", []string{"correlate", "evaluator/..."}},
	{"cmd/iamwhy", []string{"cmd/iamwhy/internal/...", "collectors/...", "correlate/...", "evaluator/..."}},
	{"cmd/loggen", []string{"correlate/source/logtest"}},
	{"collectors/awsfake", nil},
	{"collectors", []string{"evaluator/..."}},
	{"correlate/source/logtest", nil},
	{"correlate/source", []string{"correlate", "evaluator/..."}},
	{"correlate", []string{"evaluator", "evaluator/apicall", "evaluator/policy"}},
	{"evaluator/casefile", []string{"evaluator", "evaluator/snapshot", "evaluator/policy", "evaluator/nearest", "evaluator/internal/..."}},
	{"evaluator/snapshot", []string{"evaluator", "evaluator/policy", "evaluator/nearest", "evaluator/internal/..."}},
	{"evaluator/apicall", []string{"evaluator", "evaluator/policy", "evaluator/serviceref", "evaluator/internal/..."}},
	{"evaluator/policy", []string{"evaluator/nearest", "evaluator/internal/..."}},
	{"evaluator/nearest", nil},
	{"evaluator/serviceref", []string{"evaluator/internal/..."}},
	{"evaluator/internal/...", nil},
	{"evaluator", []string{"evaluator/policy", "evaluator/serviceref", "evaluator/nearest", "evaluator/internal/..."}},
}

// pure are the parts that do no I/O: they name none of impure and reach none of network.
var (
	pure    = []string{"evaluator/...", "correlate"}
	impure  = []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "syscall", "github.com/aws/..."}
	network = []string{"net/http", "github.com/aws/..."}
)

// yamlUser is the one package that knows the YAML library.
const (
	yamlLibrary = "github.com/goccy/go-yaml"
	yamlUser    = "evaluator/internal/yaml"
)

// A listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestArrows(t *testing.T) {
	packages := ours(t)
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages, want the whole house", len(packages))
	}
	for _, p := range packages {
		for _, breach := range breaches(p) {
			t.Error(breach)
		}
	}
}

// TestArrowsFail plants breaches: a test that can't fail holds nothing.
func TestArrowsFail(t *testing.T) {
	tests := []struct {
		name string
		p    listed
	}{
		{"upwards", listed{ImportPath: module + "evaluator", Imports: []string{module + "correlate"}}},
		{"sideways", listed{ImportPath: module + "evaluator/policy", Imports: []string{module + "evaluator"}}},
		{"evaluator names os", listed{ImportPath: module + "evaluator/snapshot", Imports: []string{"os"}}},
		{"correlate names log", listed{ImportPath: module + "correlate", Imports: []string{"log"}}},
		{"correlate reaches the network", listed{ImportPath: module + "correlate", Deps: []string{"net/http"}}},
		{"evaluator reaches the SDK", listed{ImportPath: module + "evaluator", Deps: []string{"github.com/aws/aws-sdk-go-v2/aws"}}},
		{"a second user of the YAML library", listed{ImportPath: module + "evaluator/casefile", Imports: []string{yamlLibrary + "/ast"}}},
		{"a part that isn't in the house", listed{ImportPath: module + "utils"}},
	}
	for _, tt := range tests {
		if len(breaches(tt.p)) == 0 {
			t.Errorf("%s: not found", tt.name)
		}
	}
	fine := listed{ImportPath: module + "correlate", Imports: []string{"net/netip", module + "evaluator"}, Deps: []string{"os", "net/netip"}}
	if got := breaches(fine); len(got) > 0 {
		t.Errorf("what is allowed: %v", got)
	}
}

func breaches(p listed) []string {
	part := strings.TrimPrefix(p.ImportPath, module)
	i := slices.IndexFunc(arrows, func(a struct {
		part string
		may  []string
	}) bool {
		return under(part, a.part)
	})
	if i < 0 {
		return []string{part + " is in no part of the house"}
	}
	var list []string
	for _, imported := range p.Imports {
		own, ours := strings.CutPrefix(imported, module)
		if ours && !underAny(own, arrows[i].may) {
			list = append(list, part+" must not import "+own)
		}
		if underAny(part, pure) && underAny(imported, impure) {
			list = append(list, part+" must not name "+imported)
		}
		if under(imported, yamlLibrary+"/...") && part != yamlUser {
			list = append(list, part+" must not import "+imported+": that is for "+yamlUser)
		}
	}
	for _, dep := range p.Deps {
		if underAny(part, pure) && underAny(dep, network) {
			list = append(list, part+" must not reach "+dep)
		}
	}
	return list
}

func under(path, pattern string) bool {
	root, below := strings.CutSuffix(pattern, "/...")
	return path == root || below && strings.HasPrefix(path, root+"/")
}

func underAny(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return under(path, p) })
}

// ours lists the packages of the module.
func ours(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			packages = append(packages, p)
		}
	}
	return packages
}
