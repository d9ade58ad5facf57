package casefile

import (
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// guards are the fields of a resource that say what guards it, or opens it, besides its policy.
func (r *reader) guards(l *evaluator.ResourceLayer) fieldTable {
	bucket := func(read func(*yaml.Node, *evaluator.Bucket) error) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			if l.Bucket == nil {
				l.Bucket = &evaluator.Bucket{}
			}
			return read(n, l.Bucket)
		}
	}
	return fieldTable{
		"awsManagedKey": func(n *yaml.Node) (err error) { l.AWSManaged, err = r.match(n, "awsManagedKey"); return err },
		"shared": func(n *yaml.Node) (err error) {
			l.OtherNote = "a share of the resource"
			l.OtherAllow, err = r.match(n, "shared")
			return err
		},
		"grants":            func(n *yaml.Node) (err error) { l.Grants, err = r.keyGrants(n); return err },
		"blockPublicAccess": bucket(r.blockPublicAccess),
		"objectOwnership":   bucket(r.objectOwnership),
		"objectOwner": bucket(func(n *yaml.Node, b *evaluator.Bucket) (err error) {
			b.ObjectOwner, _, err = r.account(n, "objectOwner")
			return err
		}),
		"acl": bucket(func(n *yaml.Node, b *evaluator.Bucket) (err error) { b.BucketACL, err = r.acl(n, "acl"); return err }),
		"objectAcl": bucket(func(n *yaml.Node, b *evaluator.Bucket) (err error) {
			b.ObjectACL, err = r.acl(n, "objectAcl")
			return err
		}),
		"bucket": func(n *yaml.Node) (err error) { l.Behind, err = r.behind(n); return err },
	}
}

// match reads true, false or unknown.
func (r *reader) match(n *yaml.Node, what string) (evaluator.Match, error) {
	s, err := oneOf(r, n, what, []string{"true", "false", "unknown"})
	switch s {
	case "true":
		return evaluator.Matched, err
	case "unknown":
		return evaluator.Unknown, err
	}
	return evaluator.NoMatch, err
}

// keyGrants reads the grants of a KMS key (rule S3).
func (r *reader) keyGrants(n *yaml.Node) (evaluator.KeyGrants, error) {
	g := evaluator.KeyGrants{}
	list, err := r.layerState(n, "grants", "grants", &g.State, &g.Missing, nil)
	if err != nil || list == nil {
		return g, err
	}
	err = r.each(list, "grants", func(n *yaml.Node) error {
		grant, err := r.keyGrant(n)
		g.List = append(g.List, grant)
		return err
	})
	return g, err
}

func (r *reader) keyGrant(n *yaml.Node) (evaluator.KeyGrant, error) {
	var g evaluator.KeyGrant
	err := r.fields(n, "a grant", fieldTable{
		"id":            func(n *yaml.Node) (err error) { g.ID, err = r.text(n, "id"); return err },
		"grantee":       func(n *yaml.Node) (err error) { g.Grantee, err = r.text(n, "grantee"); return err },
		"retiring":      func(n *yaml.Node) (err error) { g.Retiring, err = r.text(n, "retiring"); return err },
		"operations":    func(n *yaml.Node) (err error) { g.Operations, err = r.texts(n, "operations"); return err },
		"contextEquals": func(n *yaml.Node) (err error) { g.ContextEquals, err = r.pairs(n, "contextEquals"); return err },
		"contextSubset": func(n *yaml.Node) (err error) { g.ContextSubset, err = r.pairs(n, "contextSubset"); return err },
		"sourceArn":     func(n *yaml.Node) (err error) { g.SourceARN, err = r.text(n, "sourceArn"); return err },
	})
	switch {
	case err != nil:
	case g.Grantee == "":
		err = r.errorf(n, "the grant has no grantee")
	case len(g.Operations) == 0:
		err = r.errorf(n, "the grant has no operations")
	}
	return g, err
}

// pairs reads a mapping of strings.
func (r *reader) pairs(n *yaml.Node, what string) (map[string]string, error) {
	if n.Kind != yaml.Map {
		return nil, r.errorf(n, "%s is %s: want a mapping", what, n.Kind)
	}
	m := make(map[string]string, len(n.Pairs))
	for _, p := range n.Pairs {
		if _, twice := m[p.Key.Text]; twice {
			return nil, r.errorf(p.Key, "%q is used twice in %s", p.Key.Text, what)
		}
		v, err := r.text(p.Value, what)
		if err != nil {
			return nil, err
		}
		m[p.Key.Text] = v
	}
	return m, nil
}

// blockPublicAccess reads the effective settings of Block Public Access (rule S17): one word for all
// four, or a mapping of those that aren't off.
func (r *reader) blockPublicAccess(n *yaml.Node, b *evaluator.Bucket) error {
	settings := map[string]*evaluator.Match{
		"BlockPublicAcls": &b.BlockPublicACLs, "IgnorePublicAcls": &b.IgnorePublicACLs,
		"BlockPublicPolicy": &b.BlockPublicPolicy, "RestrictPublicBuckets": &b.RestrictPublicBuckets,
	}
	b.MissingBlock = "Block Public Access: unknown"
	if n.Kind != yaml.Map {
		m, err := r.match(n, "blockPublicAccess")
		for _, s := range settings {
			*s = m
		}
		return err
	}
	table := fieldTable{}
	for name, s := range settings {
		table[name] = func(n *yaml.Node) (err error) { *s, err = r.match(n, name); return err }
	}
	return r.fields(n, "blockPublicAccess", table)
}

// ownerships are the settings of S3 Object Ownership, and whether ACLs count under them (rules S15, S16).
var ownerships = map[string]evaluator.Match{
	"BucketOwnerEnforced": evaluator.NoMatch, "BucketOwnerPreferred": evaluator.Matched,
	"ObjectWriter": evaluator.Matched, "unknown": evaluator.Unknown,
}

func (r *reader) objectOwnership(n *yaml.Node, b *evaluator.Bucket) error {
	s, err := oneOf(r, n, "objectOwnership", slices.Sorted(maps.Keys(ownerships)))
	b.ACLsEnabled, b.MissingOwnership = ownerships[s], "Object Ownership: "+s
	return err
}

// permissions are those that an ACL can grant.
var permissions = []string{"FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP"}

// groups are S3's predefined groups, by the names that people know them by.
var groups = map[string]string{
	"AllUsers":           "http://acs.amazonaws.com/groups/global/AllUsers",
	"AuthenticatedUsers": "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
}

// acl reads the access control list of a bucket or an object (rule S16).
func (r *reader) acl(n *yaml.Node, what string) (evaluator.ACL, error) {
	var a evaluator.ACL
	list, err := r.layerState(n, what, "grants", &a.State, &a.Missing, fieldTable{
		"owner": func(n *yaml.Node) (err error) { a.Owner, err = r.text(n, "owner"); return err },
	})
	if err != nil || list == nil {
		return a, err
	}
	err = r.each(list, what, func(n *yaml.Node) error {
		g, err := r.aclGrant(n)
		a.Grants = append(a.Grants, g)
		return err
	})
	return a, err
}

func (r *reader) aclGrant(n *yaml.Node) (evaluator.ACLGrant, error) {
	var g evaluator.ACLGrant
	err := r.fields(n, "a grant", fieldTable{
		"grantee":    func(n *yaml.Node) (err error) { g.Grantee, err = r.text(n, "grantee"); return err },
		"account":    func(n *yaml.Node) (err error) { g.Account, _, err = r.account(n, "account"); return err },
		"permission": func(n *yaml.Node) (err error) { g.Permission, err = oneOf(r, n, "permission", permissions); return err },
	})
	switch {
	case err != nil:
	case g.Grantee == "" || g.Permission == "":
		err = r.errorf(n, "the grant of an ACL wants grantee and permission")
	}
	if uri, ok := groups[g.Grantee]; ok {
		g.Grantee = uri
	}
	return g, err
}

// behind reads the bucket that an access point opens (rule S21).
func (r *reader) behind(n *yaml.Node) (*evaluator.BucketBehind, error) {
	b := &evaluator.BucketBehind{}
	guarded, rest := split(n, fieldTable{"arn": nil, "account": nil, "vpcOrigin": nil})
	if guarded == nil {
		return b, r.errorf(n, "bucket is the one behind an access point: want a mapping with its arn")
	}
	err := r.fields(guarded, "bucket", fieldTable{
		"arn":       func(n *yaml.Node) (err error) { b.ARN, err = r.text(n, "arn"); return err },
		"account":   func(n *yaml.Node) (err error) { b.Account, _, err = r.account(n, "account"); return err },
		"vpcOrigin": func(n *yaml.Node) (err error) { b.VPCOrigin, err = r.match(n, "vpcOrigin"); return err },
	})
	switch {
	case err != nil:
		return b, err
	case b.ARN == "":
		return b, r.errorf(n, "the bucket has no arn")
	}
	b.Pattern = strings.ContainsAny(b.ARN, "*?")
	if len(rest.Pairs) == 0 {
		return b, nil
	}
	return b, r.layer(rest, "bucket", &b.Layer, evaluator.Policy{Type: "bucket", Target: b.ARN})
}
