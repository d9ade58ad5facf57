// Package casefile reads and runs the case files of `iamwhy test`: written
// expectations of what AWS allows (product.md §5).
//
// Most callers need Read and Run. A case file is a closed world: a context key that a case
// doesn't give is absent unless the case calls it unknown, and a layer that
// it doesn't give doesn't apply. The package knows nothing of files: text comes in as
// an argument, and so do the policies of a case that brings none.
//
// What a case may have beyond the example of product.md §5, all of it optional:
//
//	cases:
//	  - name: …
//	    requests:                          # in the place of request: all must be allowed (rule E4)
//	      - principal: {arn: …, role: …, parent: …, id: …}
//	        action: sts:AssumeRole
//	        resource: …
//	        resourceAccount: unknown       # nobody knows whose it is (rule E26)
//	        unknown: [aws:SourceIp]        # there or not (rule U1)
//	        presentUnknown: [aws:userid]   # there, with a value that nobody knows
//	        partial: {aws:TagKeys: [a]}    # these values, and perhaps more
//	        policies: {…}                  # in the place of whole layers of the case's
//	    policies:
//	      identity: notCollected           # nobody read it; mayApply: nobody knows whether there is one
//	      boundary: {state: notCollected, policies: […], missing: why}
//	      scps: {state: mayApply, levels: [{target: r-root, policies: notCollected}]}
//	      resource: {name: …, document: …, awsManagedKey: true}
//	    expect:
//	      decision: indeterminate
//	      blockers: [{layer: scp, kind: explicitDeny, statement: …, target: r-root}, identity]
//	      undecided: [identity, aws:SourceIp]
//	      caveats: [P17]
//
// A principal is a mapping where its ARN doesn't say all that policies may know it by: role is a
// session's role with its path, parent the user or root behind a federated user, id the unique
// id (AIDA…, AROA…).
//
// A layer that isn't a list is a state, notCollected (rule U6) or mayApply (rule U7), or a mapping of a state
// and the policies that are known. The same goes for a level's policies, for grants and for ACLs.
//
// A resource may say what guards or opens it besides its policy, with its policy or without one:
// awsManagedKey (a KMS key of AWS's own), grants (of a KMS key: a list of grantee, operations, id, retiring,
// contextEquals, contextSubset, sourceArn), blockPublicAccess (true for all four settings, or a mapping of them),
// objectOwnership, objectOwner (an account), acl and objectAcl (a list of grants of grantee, account and
// permission, or a mapping of owner and grants), bucket (behind an access point: arn, account, vpcOrigin and its
// policies) and shared (a RAM share and the like, rule E24). Where these are true or false they
// may be unknown.
//
// Of what is expected, blockers are all blockers in order, each with its layer alone or with as much as
// matters; undecided are layers and context keys that an indeterminate decision must hang on, and
// caveats are rules that must be among the caveats.
package casefile

import (
	"bytes"
	"fmt"
	"path"
	"slices"
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
	Requests []evaluator.Request // one a resource; all must be allowed (rule E4)
	Policies *evaluator.Policies // nil to use the snapshot
	Expect   Expectation
	Err      error // why the case can't be run: an invalid document, an unknown field

	each      []*evaluator.Policies // the policies of each request, where one has its own; else nil
	ownerless []bool                // requests on a resource that is said to be of unknown owner
}

// policies are those of request i; nil to use the snapshot.
func (c *Case) policies(i int) *evaluator.Policies {
	if c.each != nil {
		return c.each[i]
	}
	return c.Policies
}

// An Expectation is what a case expects.
type Expectation struct {
	Decision  evaluator.Decision
	Layers    []evaluator.LayerName // must be among the blockers
	Statement string                // Sid that a blocker must name
	Blockers  []ExpectedBlocker     // all blockers, in order; nil if any will do
	Undecided []string              // context keys and layers that an open decision must hang on
	Caveats   []string              // numbers of rules that must be among the caveats
}

// An ExpectedBlocker is a blocker, as far as it matters: what is empty may be anything.
type ExpectedBlocker struct {
	Layer     evaluator.LayerName
	Kind      evaluator.BlockerKind
	Statement string // Sid of the statement that denies
	Target    string // where: the level of an organisation, the resource, the principal
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
	var requests []request
	var policies *yaml.Node
	has := map[string]bool{}
	c.Err = r.fields(n, "a case", fieldTable{
		"name": func(n *yaml.Node) error { _, err := r.text(n, "name"); return err },
		"request": func(n *yaml.Node) error {
			has["request"] = true
			q, err := r.request(n, false)
			requests = append(requests, q)
			return err
		},
		"requests": func(n *yaml.Node) (err error) { has["requests"] = true; requests, err = r.requests(n); return err },
		"policies": func(n *yaml.Node) error {
			policies = n
			return nil
		},
		"expect": func(n *yaml.Node) (err error) { has["expect"] = true; c.Expect, err = r.expectation(n); return err },
	})
	switch {
	case c.Err != nil:
	case has["request"] && has["requests"]:
		c.Err = r.errorf(n, "the case has request and requests: want one of them")
	case !has["request"] && !has["requests"]:
		c.Err = r.errorf(n, "the case has no request")
	case !has["expect"]:
		c.Err = r.errorf(n, "the case has no expect")
	default:
		c.Err = r.world(&c, requests, policies, defaults)
	}
	return c
}

// world adds to a case its requests, one a resource, and their policies. A request's own
// policies go before the case's, layer by layer.
func (r *reader) world(c *Case, requests []request, shared *yaml.Node, defaults contextValues) error {
	own := slices.ContainsFunc(requests, func(q request) bool { return q.policies != nil })
	for _, q := range requests {
		list := q.requests(defaults)
		c.Requests = append(c.Requests, list...)
		for range list {
			c.ownerless = append(c.ownerless, q.ownerless)
		}
		if shared == nil && q.policies == nil {
			if own {
				return r.errorf(q.node, "the request has no policies, but another has: give policies to the case or to every request")
			}
			continue
		}
		p, err := r.policies(shared, q.policies, list[0])
		if err != nil {
			return err
		}
		if c.Policies == nil {
			c.Policies = p
		}
		for range list {
			c.each = append(c.each, p)
		}
	}
	if c.Policies != nil {
		for i := range c.Requests {
			c.closeWorld(&c.Requests[i], i)
		}
	}
	return nil
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

// closeWorld settles what a case leaves open of its request i: whose a resource is, and the
// keys that follow from the request.
func (c *Case) closeWorld(req *evaluator.Request, i int) {
	switch {
	case c.ownerless[i]:
		req.Resource.Account = "" // what a case says goes before what a snapshot knows
	case req.Resource.Account == "":
		req.Resource.Account = req.Principal.Account // product.md §5
	}
	evaluator.DeriveContext(req)
}
