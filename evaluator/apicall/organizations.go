package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// organizationPolicy finds a policy of the organisation, or one of AWS's own: only ids are parameters, and the ARNs have the
// management account, the organisation and the policy's type, too.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
func organizationPolicy(d *derivation) []evaluator.Resource {
	return d.fill("organizations::*:policy/*/{policyId}")
}

// organizationNode finds what a policy is attached to, or what lies below a root or an organisational unit: an id's form
// tells its type.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html
func organizationNode(param string) finder {
	return func(d *derivation) []evaluator.Resource {
		id, state := d.params.one(param)
		switch {
		case state != given || !nameLike(id):
		case accountID(id):
			return []evaluator.Resource{d.pattern("organizations::*:account/o-*/" + id)}
		case strings.HasPrefix(id, "ou-"):
			return []evaluator.Resource{d.pattern("organizations::*:ou/o-*/" + id)}
		case strings.HasPrefix(id, "r-"):
			return []evaluator.Resource{d.pattern("organizations::*:root/o-*/" + id)}
		}
		return []evaluator.Resource{everything}
	}
}

// sureIfRecorded makes a finder's resources ones that a call whose parameters aren't recorded may not be checked on (T83).
func sureIfRecorded(f finder) finder {
	return func(d *derivation) []evaluator.Resource {
		all := f(d)
		if !d.params.known {
			d.perhaps(all)
		}
		return all
	}
}
