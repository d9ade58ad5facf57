package casefile

import (
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// policies reads the policies that a case brings. A layer whose key is missing
// doesn't apply; one with an empty list applies and allows nothing (product.md §5).
// req is the first request: it says what the policies are attached to.
func (r *reader) policies(n *yaml.Node, req evaluator.Request) (*evaluator.Policies, error) {
	kind := resourceType(req)
	who := req.Principal.ARN
	var p evaluator.Policies
	p.Resource.Type = kind
	p.Resource.State = evaluator.DoesNotApply
	err := r.fields(n, "policies", fieldTable{
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
	})
	return &p, err
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

// layer reads a list of policies. The template is what the layer's place says of each.
func (r *reader) layer(n *yaml.Node, what string, l *evaluator.Layer, template evaluator.Policy) error {
	l.State = evaluator.Applies
	return r.each(n, what, func(n *yaml.Node) error {
		p, err := r.policy(n, template, nil)
		l.Policies = append(l.Policies, p)
		return err
	})
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

// resourceLayer reads the resource's policy. Its type may be given where the
// resource's ARN and the action don't tell it.
func (r *reader) resourceLayer(n *yaml.Node, l *evaluator.ResourceLayer, template evaluator.Policy) error {
	l.State = evaluator.Applies
	return r.each(n, "resource", func(n *yaml.Node) error {
		kind := template.Type
		p, err := r.policy(n, template, fieldTable{
			"type": func(n *yaml.Node) (err error) { kind, err = r.text(n, "type"); return err },
		})
		p.Type = kind
		l.Type = kind
		l.Policies = append(l.Policies, p)
		return err
	})
}

// endpointKinds are the types of VPC endpoint, as ec2:DescribeVpcEndpoints
// spells those that have a policy.
var endpointKinds = []string{"Gateway", "Interface"}

// endpointLayer reads the policy of a VPC endpoint. Whether it is a gateway
// decides about principals (rule E34); if no entry says, that is unknown.
func (r *reader) endpointLayer(n *yaml.Node, l *evaluator.EndpointLayer, req evaluator.Request) error {
	l.State = evaluator.Applies
	l.Gateway = evaluator.Unknown
	if v := req.Context.Lookup("aws:SourceVpce"); v.State == evaluator.Present && len(v.Values) == 1 {
		l.ID = v.Values[0]
	}
	said := ""
	return r.each(n, "endpoint", func(n *yaml.Node) error {
		p, err := r.policy(n, evaluator.Policy{Type: "endpoint", Target: l.ID}, fieldTable{
			"type": func(n *yaml.Node) error {
				kind, err := oneOf(r, n, "endpoint type", endpointKinds)
				if err != nil {
					return err
				}
				if said != "" && said != kind {
					return r.errorf(n, "the endpoint is of type %s and %s", said, kind)
				}
				said = kind
				l.Gateway = evaluator.NoMatch
				if kind == "Gateway" {
					l.Gateway = evaluator.Matched
				}
				return nil
			},
		})
		l.Policies = append(l.Policies, p)
		return err
	})
}

// hierarchy reads the levels of an organisation, root first.
func (r *reader) hierarchy(n *yaml.Node, h *evaluator.Hierarchy, kind string) error {
	h.State = evaluator.Applies
	err := r.each(n, kind+"s", func(n *yaml.Node) error {
		level, err := r.level(n, kind)
		h.Levels = append(h.Levels, level)
		return err
	})
	if len(h.Levels) == 0 {
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
