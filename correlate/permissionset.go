package correlate

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A PermissionSet is what IAM Identity Center makes roles of, one in each account where it is assigned.
type PermissionSet struct {
	Name string
	ARN  string // "" if no policy source tells
}

// A permissionSetSource is a PolicySource that knows permission sets: PermissionSet returns the ARN of the one
// that has a name, and a role in an account, or "".
type permissionSetSource interface {
	PermissionSet(account, name string) (arn string)
}

// permissionSet returns the permission set that the caller's role is made of; nil if it isn't one of IAM Identity Center's.
func (x *Explainer) permissionSet(p *evaluator.Principal) *PermissionSet {
	name := permissionSetName(p)
	if name == "" {
		return nil
	}
	set := &PermissionSet{Name: name}
	if src, ok := x.src.(permissionSetSource); ok {
		set.ARN = src.PermissionSet(p.Account, name)
	}
	return set
}

// The name of a role of IAM Identity Center's is AWSReservedSSO_, the permission set's, _ and sixteen hexadecimal digits.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
const (
	permissionSetPrefix = "AWSReservedSSO_"
	permissionSetPath   = "role/aws-reserved/sso.amazonaws.com/"
)

// permissionSetName reads it from the name of the caller's role; "" if that isn't one of IAM Identity Center's.
func permissionSetName(p *evaluator.Principal) string {
	if p.Type != evaluator.AssumedRole {
		return ""
	}
	role := ""
	if a, ok := splitARN(p.RoleARN); ok {
		if !p.RolePathUnknown && !strings.HasPrefix(a.resource, permissionSetPath) {
			return "" // a role that somebody gave such a name
		}
		role = a.lastName()
	} else if a, ok := splitARN(p.ARN); ok { // role names have no slash
		role, _, _ = strings.Cut(strings.TrimPrefix(a.resource, "assumed-role/"), "/")
	}
	rest, ok := strings.CutPrefix(role, permissionSetPrefix)
	end := strings.LastIndexByte(rest, '_')
	if !ok || end <= 0 || strings.Trim(rest[end+1:], "0123456789abcdef") != "" {
		return ""
	}
	return rest[:end]
}

// inIdentityCenter says of fixes of the role's own policies where they are made: the role itself can't be changed.
func (s *PermissionSet) inIdentityCenter(fixes []evaluator.Fix) {
	for i := range fixes {
		if fixes[i].Layer != evaluator.LayerIdentity && fixes[i].Layer != evaluator.LayerBoundary {
			continue
		}
		note := "in IAM Identity Center: change permission set " + s.Name + ", as the role itself can't be changed"
		if fixes[i].Note != "" {
			note = fixes[i].Note + "; " + note
		}
		fixes[i].Note = note
	}
}
