package casefile

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// principal reads the caller: as one string or, where that doesn't say all that policies may know
// the caller by, as a mapping.
func (r *reader) principal(n *yaml.Node) (evaluator.Principal, error) {
	if n.Kind != yaml.Map {
		return r.principalName(n)
	}
	var p evaluator.Principal
	var role, parent, id *yaml.Node
	named := false
	err := r.fields(n, "a principal", fieldTable{
		"arn":    func(n *yaml.Node) (err error) { named = true; p, err = r.principalName(n); return err },
		"role":   func(n *yaml.Node) error { role = n; return nil },
		"parent": func(n *yaml.Node) error { parent = n; return nil },
		"id":     func(n *yaml.Node) error { id = n; return nil },
	})
	switch {
	case err != nil:
	case !named:
		err = r.errorf(n, "the principal has no arn")
	default:
		err = r.identities(&p, role, parent, id)
	}
	return p, err
}

func (r *reader) principalName(n *yaml.Node) (evaluator.Principal, error) {
	s, err := r.text(n, "principal")
	if err != nil {
		return evaluator.Principal{}, err
	}
	p, err := evaluator.ParsePrincipal(s)
	if err != nil {
		return p, r.errorf(n, "%v", err)
	}
	return p, nil
}

// identities adds what a principal's ARN doesn't say: a session's role with its path
// (rule P1), the user behind a federated session (rule P2), the unique id (rule P8).
func (r *reader) identities(p *evaluator.Principal, role, parent, id *yaml.Node) error {
	if role != nil {
		of, err := r.principalName(role)
		switch {
		case err != nil:
			return err
		case p.Type != evaluator.AssumedRole:
			return r.errorf(role, "a role is given, but %s is no session of one", p.ARN)
		case of.Type != evaluator.AssumedRole || of.RolePathUnknown:
			return r.errorf(role, "%s isn't the ARN of a role", of.ARN)
		case of.Account != p.Account || roleName(of.RoleARN) != roleName(p.RoleARN):
			return r.errorf(role, "%s is no session of %s", p.ARN, of.ARN)
		}
		p.RoleARN, p.RolePathUnknown = of.RoleARN, false
	}
	if parent != nil {
		of, err := r.principalName(parent)
		switch {
		case err != nil:
			return err
		case p.Type != evaluator.FederatedUser:
			return r.errorf(parent, "a parent is given, but %s is no federated user", p.ARN)
		case of.Type != evaluator.User && of.Type != evaluator.Root:
			return r.errorf(parent, "%s can't be a federated user's parent: want a user or root", of.ARN)
		case of.Account != p.Account:
			return r.errorf(parent, "%s is of another account than %s", of.ARN, p.ARN)
		}
		p.ParentARN = of.ARN
	}
	if id != nil {
		s, err := r.text(id, "id")
		if err != nil {
			return err
		}
		if p.Type != evaluator.User && p.Type != evaluator.AssumedRole {
			return r.errorf(id, "an id is given, but only a user or a role has one")
		}
		p.ID = s
	}
	return nil
}

func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
