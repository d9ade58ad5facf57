package casefile

import (
	"maps"
	"slices"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// policies reads the policies of a request: the case's, and in the place of whole layers of
// them the request's own; one of the two may be nil. A layer whose key is missing
// doesn't apply; one with an empty list applies and allows nothing (product.md §5).
// req says what the policies are attached to.
func (r *reader) policies(shared, own *yaml.Node, req evaluator.Request) (*evaluator.Policies, error) {
	kind := resourceType(req)
	who := req.Principal.ARN
	var p evaluator.Policies
	p.Resource.Type = kind
	table := fieldTable{
		"identity": func(n *yaml.Node) error {
			return r.layer(n, "identity", &p.Identity, evaluator.Policy{Type: "inline", Target: who})
		},
		"boundary": func(n *yaml.Node) error {
			return r.layer(n, "boundary", &p.Boundary, evaluator.Policy{Type: "boundary", Target: who})
		},
		"session": func(n *yaml.Node) error {
			return r.layer(n, "session", &p.Session, evaluator.Policy{Type: "session", Target: who})
		},
		"resource": func(n *yaml.Node) error {
			return r.resourceLayer(n, &p.Resource, evaluator.Policy{Type: kind, Target: req.Resource.ARN})
		},
		"scps":     func(n *yaml.Node) error { return r.hierarchy(n, &p.SCP, "scp") },
		"rcps":     func(n *yaml.Node) error { return r.hierarchy(n, &p.RCP, "rcp") },
		"endpoint": func(n *yaml.Node) error { return r.endpointLayer(n, &p.Endpoint, req) },
	}
	if own != nil {
		if err := r.fields(own, "policies", table); err != nil {
			return nil, err
		}
		for _, replaced := range own.Pairs {
			table[replaced.Key.Text] = func(*yaml.Node) error { return nil }
		}
	}
	if shared != nil {
		if err := r.fields(shared, "policies", table); err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// each calls read for every item of a list; a single mapping is a list of one.
func (r *reader) each(n *yaml.Node, what string, read func(*yaml.Node) error) error {
	items := n.Items
	switch n.Kind {
	case yaml.Map:
		items = []*yaml.Node{n}
	case yaml.List:
	default:
		return r.errorf(n, "%s is %s: want a list; leave %s out if the layer doesn't apply, [] allows nothing", what, n.Kind, what)
	}
	for _, item := range items {
		if err := read(item); err != nil {
			return err
		}
	}
	return nil
}

// layer reads a layer. The template is what the layer's place says of each policy.
func (r *reader) layer(n *yaml.Node, what string, l *evaluator.Layer, template evaluator.Policy) error {
	policies, err := r.layerState(n, what, "policies", &l.State, &l.Missing, nil)
	if err != nil || policies == nil {
		return err
	}
	return r.each(policies, what, func(n *yaml.Node) error {
		p, err := r.policy(n, template, nil)
		l.Policies = append(l.Policies, p)
		return err
	})
}

// states are the states of a layer that a case can give, in its words.
var states = map[string]evaluator.LayerState{
	"applies": evaluator.Applies, "mayApply": evaluator.MayApply, "notCollected": evaluator.NotCollected,
}

var stateWords = slices.Sorted(maps.Keys(states))

// layerState reads a layer's state and returns the list of its policies (or levels), nil if there
// is none. A list alone is of a layer that applies. A word alone, notCollected (rule U6) or mayApply (rule
// U7), is a layer of which nothing else is known; a mapping with state has both.
// more holds the fields that only this layer has.
func (r *reader) layerState(n *yaml.Node, what, list string, state *evaluator.LayerState, missing *string, more fieldTable) (*yaml.Node, error) {
	*state = evaluator.Applies
	*missing = ""
	said := ""
	word := func(n *yaml.Node) (err error) {
		said, err = oneOf(r, n, "state of "+what, stateWords)
		*state = states[said]
		return err
	}
	defer func() {
		if *missing == "" && *state != evaluator.Applies {
			*missing = what + ": " + said // there is no more to say of it
		}
	}()
	switch {
	case n.Kind == yaml.String:
		return nil, word(n)
	case n.Kind != yaml.Map || !hasField(n, "state", list):
		return n, nil
	}
	var found *yaml.Node
	table := fieldTable{
		"state":   word,
		"missing": func(n *yaml.Node) (err error) { *missing, err = r.text(n, "missing"); return err },
		list:      func(n *yaml.Node) error { found = n; return nil },
	}
	for field, read := range more {
		table[field] = read
	}
	err := r.fields(n, what, table)
	if err == nil && found == nil && *state == evaluator.Applies {
		err = r.errorf(n, "%s applies, but has no %s: [] allows nothing", what, list)
	}
	return found, err
}

// hasField reports whether a mapping has one of the fields.
func hasField(n *yaml.Node, names ...string) bool {
	return slices.ContainsFunc(n.Pairs, func(p yaml.Pair) bool { return slices.Contains(names, p.Key.Text) })
}

// policy reads one entry; more holds the fields that only its layer has.
func (r *reader) policy(n *yaml.Node, p evaluator.Policy, more fieldTable) (evaluator.Policy, error) {
	table := fieldTable{
		"name":     func(n *yaml.Node) (err error) { p.Name, err = r.text(n, "name"); return err },
		"arn":      func(n *yaml.Node) (err error) { p.ARN, err = r.text(n, "arn"); return err },
		"document": func(n *yaml.Node) (err error) { p.Body, err = r.document(n); return err },
	}
	for field, read := range more {
		table[field] = read
	}
	if err := r.fields(n, "a policy", table); err != nil {
		return p, err
	}
	if p.Body == nil {
		return p, r.errorf(n, "the policy has no document")
	}
	return p, nil
}

// resourceLayer reads the resource's policy, or policies, and what else guards it. Its type may be
// given where the resource's ARN and the action don't tell it.
func (r *reader) resourceLayer(n *yaml.Node, l *evaluator.ResourceLayer, template evaluator.Policy) error {
	guards := r.guards(l)
	guarded, rest := split(n, guards)
	if guarded != nil {
		if err := r.fields(guarded, "resource", guards); err != nil {
			return err
		}
		if len(rest.Pairs) == 0 {
			return nil // a resource without a policy
		}
	}
	said := ""
	kind := fieldTable{"type": func(n *yaml.Node) (err error) { said, err = r.text(n, "type"); return err }}
	policies, err := r.layerState(rest, "resource", "policies", &l.State, &l.Missing, kind)
	if said != "" {
		template.Type, l.Type = said, said
	}
	if err != nil || policies == nil {
		return err
	}
	return r.each(policies, "resource", func(n *yaml.Node) error {
		said = template.Type
		p, err := r.policy(n, template, kind)
		p.Type, l.Type = said, said
		l.Policies = append(l.Policies, p)
		return err
	})
}

// split takes the fields of a table out of a mapping; guarded is nil if it has none.
func split(n *yaml.Node, table fieldTable) (guarded, rest *yaml.Node) {
	if n.Kind != yaml.Map {
		return nil, n
	}
	in, out := *n, *n
	in.Pairs, out.Pairs = nil, nil
	for _, p := range n.Pairs {
		if _, ok := table[p.Key.Text]; ok {
			in.Pairs = append(in.Pairs, p)
		} else {
			out.Pairs = append(out.Pairs, p)
		}
	}
	if in.Pairs == nil {
		return nil, n
	}
	return &in, &out
}

// endpointKinds are the types of VPC endpoint, as ec2:DescribeVpcEndpoints
// spells those that have a policy.
var endpointKinds = []string{"Gateway", "Interface"}

// endpointLayer reads the policy of a VPC endpoint. Whether it is a gateway
// decides about principals (rule E34); if no entry says, that is unknown.
func (r *reader) endpointLayer(n *yaml.Node, l *evaluator.EndpointLayer, req evaluator.Request) error {
	l.Gateway = evaluator.Unknown
	if v := req.Context.Lookup("aws:SourceVpce"); v.State == evaluator.Present && len(v.Values) == 1 {
		l.ID = v.Values[0]
	}
	said := ""
	kind := fieldTable{"type": func(n *yaml.Node) error {
		word, err := oneOf(r, n, "endpoint type", endpointKinds)
		if err != nil {
			return err
		}
		if said != "" && said != word {
			return r.errorf(n, "the endpoint is of type %s and %s", said, word)
		}
		said = word
		l.Gateway = evaluator.NoMatch
		if word == "Gateway" {
			l.Gateway = evaluator.Matched
		}
		return nil
	}}
	policies, err := r.layerState(n, "endpoint", "policies", &l.State, &l.Missing, kind)
	if err != nil || policies == nil {
		return err
	}
	return r.each(policies, "endpoint", func(n *yaml.Node) error {
		p, err := r.policy(n, evaluator.Policy{Type: "endpoint", Target: l.ID}, kind)
		l.Policies = append(l.Policies, p)
		return err
	})
}

// hierarchy reads the levels of an organisation, root first.
func (r *reader) hierarchy(n *yaml.Node, h *evaluator.Hierarchy, kind string) error {
	levels, err := r.layerState(n, kind+"s", "levels", &h.State, &h.Missing, nil)
	if err != nil || levels == nil {
		return err
	}
	err = r.each(levels, kind+"s", func(n *yaml.Node) error {
		level, err := r.level(n, kind)
		h.Levels = append(h.Levels, level)
		return err
	})
	if len(h.Levels) == 0 && h.State != evaluator.NotCollected {
		// Nothing is attached anywhere: that allows nothing, while no level at all would
		// be no restriction.
		h.Levels = []evaluator.Level{{Layer: evaluator.Layer{State: evaluator.Applies}}}
	}
	return err
}

func (r *reader) level(n *yaml.Node, kind string) (evaluator.Level, error) {
	level := evaluator.Level{}
	var policies *yaml.Node
	err := r.fields(n, "a level of "+kind+"s", fieldTable{
		"target":   func(n *yaml.Node) (err error) { level.Target, err = r.text(n, "target"); return err },
		"name":     func(n *yaml.Node) (err error) { level.Name, err = r.text(n, "name"); return err },
		"policies": func(n *yaml.Node) error { policies = n; return nil },
	})
	if err != nil {
		return level, err
	}
	if policies == nil {
		return level, r.errorf(n, "the level has no policies: [] allows nothing")
	}
	return level, r.layer(policies, "policies", &level.Layer, evaluator.Policy{Type: kind, Target: level.Target})
}
