// Package casefile reads and runs the case files of `iamwhy test`: written
// expectations of what AWS allows (product.md §5).
//
// Most callers need Read and Run. A case file is a closed world: a context key that a case
// doesn't give is absent unless the case calls it unknown, and a layer that
// it doesn't give doesn't apply. The package knows nothing of files: text comes in as
// an argument, and so do the policies of a case that brings none.
package casefile

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// MaxSize is the size of the largest case file, in bytes.
const MaxSize = 16 << 20

// A Case is one expectation.
type Case struct {
	Name     string
	Pos      policy.Pos          // of the case in its file
	Requests []evaluator.Request // one a resource
	Policies *evaluator.Policies // nil to use the snapshot
	Expect   Expectation
	Err      error // why the case can't be run: an invalid document, an unknown field
}

// An Expectation is what a case expects.
type Expectation struct {
	Decision  evaluator.Decision
	Layers    []evaluator.LayerName // must be among the blockers
	Statement string                // Sid that a blocker must name
}

// Read reads a case file, YAML or JSON. A broken case has its Err set and the others are
// read all the same; the error is for a file that isn't a case file.
func Read(name string, data []byte) ([]Case, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s: %d bytes are too many for a case file: at most %d", name, len(data), MaxSize)
	}
	r := &reader{name: name, compiled: map[*yaml.Node]*evaluator.Compiled{}}
	roots, err := r.parse(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, root := range roots {
		list, err := r.file(root, len(cases))
		if err != nil {
			return nil, err
		}
		cases = append(cases, list...)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s: no cases: want a mapping with a list named cases", name)
	}
	return cases, nil
}

// A reader reads one file.
type reader struct {
	name     string
	json     *policy.File // nil for YAML
	compiled map[*yaml.Node]*evaluator.Compiled
}

// parse reads the text. A file that calls itself JSON is held to it; any other
// that starts as JSON does may be YAML in its flow style.
func (r *reader) parse(data []byte) ([]*yaml.Node, error) {
	if isJSON := strings.EqualFold(path.Ext(r.name), ".json"); isJSON || yaml.LooksLikeJSON(data) {
		root, err := yaml.ParseJSON(data)
		if err == nil {
			r.json = policy.NewFile(r.name, data)
			return []*yaml.Node{root}, nil
		}
		if isJSON {
			return nil, fmt.Errorf("%s:%w", r.name, err)
		}
	}
	roots, err := yaml.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", r.name, err)
	}
	return roots, nil
}

func (r *reader) pos(n *yaml.Node) policy.Pos {
	return policy.Pos{File: r.name, Line: n.Line, Col: n.Col}
}

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s: %s", r.pos(n), fmt.Sprintf(format, args...))
}

// file reads the mapping that a file is; before counts the cases of the documents before it.
func (r *reader) file(root *yaml.Node, before int) ([]Case, error) {
	var defaults contextValues
	var list *yaml.Node
	err := r.fields(root, "a case file", fieldTable{
		"defaults": func(n *yaml.Node) error {
			return r.fields(n, "defaults", fieldTable{
				"context": func(n *yaml.Node) (err error) { defaults, err = r.context(n); return err },
			})
		},
		"cases": func(n *yaml.Node) error { list = n; return nil },
	})
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, r.errorf(root, "not a case file: it has no list named cases")
	}
	if list.Kind != yaml.List {
		return nil, r.errorf(list, "cases is %s: want a list", list.Kind)
	}
	cases := make([]Case, len(list.Items))
	for i, n := range list.Items {
		cases[i] = r.readCase(n, defaults, before+i+1)
	}
	return cases, nil
}

// readCase reads one case; what is wrong with it becomes its Err.
func (r *reader) readCase(n *yaml.Node, defaults contextValues, number int) Case {
	c := Case{Name: nameOf(n), Pos: r.pos(n)}
	if c.Name == "" {
		c.Name = fmt.Sprintf("case %d", number)
	}
	var req request
	var policies *yaml.Node
	has := map[string]bool{}
	c.Err = r.fields(n, "a case", fieldTable{
		"name":    func(n *yaml.Node) error { _, err := r.text(n, "name"); return err },
		"request": func(n *yaml.Node) (err error) { has["request"] = true; req, err = r.request(n); return err },
		"policies": func(n *yaml.Node) error {
			policies = n
			return nil
		},
		"expect": func(n *yaml.Node) (err error) { has["expect"] = true; c.Expect, err = r.expectation(n); return err },
	})
	for _, field := range []string{"request", "expect"} {
		if c.Err == nil && !has[field] {
			c.Err = r.errorf(n, "the case has no %s", field)
		}
	}
	if c.Err != nil {
		return c
	}
	c.Requests = req.requests(defaults)
	if policies != nil {
		c.Policies, c.Err = r.policies(policies, c.Requests[0])
		for i := range c.Requests {
			closeWorld(&c.Requests[i])
		}
	}
	return c
}

// nameOf finds a case's name before anything can go wrong with the case.
func nameOf(n *yaml.Node) string {
	for _, p := range n.Pairs {
		if p.Key.Text == "name" {
			return p.Value.Text
		}
	}
	return ""
}

// closeWorld settles what a case leaves open: whose a resource is, and the keys that follow from the request.
func closeWorld(req *evaluator.Request) {
	if req.Resource.Account == "" {
		req.Resource.Account = req.Principal.Account // product.md §5
	}
	evaluator.DeriveContext(req)
}
