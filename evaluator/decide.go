package evaluator

import "strings"

// Evaluate decides a request and records nothing. req and p aren't changed and
// may be shared.
func Evaluate(req *Request, p *Policies) Decision {
	return decide(req, p, evaluateLayers(req, p, false)).decision()
}

// Combine is the decision on requests that must all be allowed (rule E4).
func Combine(decisions ...Decision) Decision {
	out := Allowed
	rank := map[Decision]int{Allowed: 0, Indeterminate: 1, ImplicitDeny: 2, ExplicitDeny: 3}
	for _, d := range decisions {
		if rank[d] > rank[out] {
			out = d
		}
	}
	return out
}

// An outcome is the decision's terms: who denies, and what is granted by whom.
type outcome struct {
	deny    Match // some applicable Deny (rule E2)
	grant   Match // identity and resource policies, boundary and session policy together
	passes  Match // SCP, RCP and endpoint policy let it pass
	service serviceRule
	rule    grantRule
	across  Match // is the caller's account another than the resource's?
}

// allowed is rule E13 and its cross-account twin.
func (o *outcome) allowed() Match {
	if o.service.allows {
		return Matched
	}
	if o.service.refuses {
		return NoMatch
	}
	return min(not(o.deny), o.grant, o.passes)
}

func (o *outcome) decision() Decision {
	switch {
	case o.service.allows:
		return Allowed
	case o.service.refuses:
		return ExplicitDeny
	case o.deny == Matched:
		return ExplicitDeny
	}
	switch o.allowed() {
	case Matched:
		return Allowed
	case NoMatch:
		return ImplicitDeny
	}
	return Indeterminate
}

// A grantRule says how identity and resource policies combine for a request.
type grantRule int8

const (
	ordinary   grantRule = iota // rule E13
	mandatory                   // the resource policy must take part: KMS keys (S1), trust policies (S5)
	policyOnly                  // the resource policy alone decides: services, anonymous, AssumeRoleWith… (E27, E30, S8)
)

func ruleFor(req *Request) grantRule {
	switch req.Principal.Type {
	case Service, Anonymous, WebIdentity, SAML:
		return policyOnly
	}
	action := strings.ToLower(req.Action)
	switch {
	case strings.HasPrefix(action, "kms:") && concernsKey(action, &req.Resource):
		return mandatory
	case action == "sts:assumerole", action == "sts:tagsession", action == "sts:setsourceidentity":
		return mandatory
	}
	return ordinary
}

// concernsKey reports whether a KMS action is checked on a key, so that the
// key policy must take part (rules S1, S4).
func concernsKey(action string, r *Resource) bool {
	switch {
	case strings.Contains(r.ARN, ":key/"):
		return true
	case !r.Pattern && r.ARN != "" || strings.Contains(r.ARN, ":alias/") || strings.Contains(action, "customkeystore"):
		return false
	}
	switch action {
	case "kms:createkey", "kms:listkeys", "kms:listaliases", "kms:generaterandom":
		return false
	}
	return true // a key that nobody recorded
}

// crossAccount says whether caller and resource belong to different accounts (rule E26).
func crossAccount(req *Request) Match {
	switch {
	case req.Resource.ARN == "*" && !req.Resource.Pattern && req.Resource.Account == "":
		return NoMatch // without a resource, it is the caller's own account
	case req.Principal.Account == "" || req.Resource.Account == "":
		return Unknown
	}
	return known(req.Principal.Account != req.Resource.Account)
}

// decide combines the layers as AWS's page on policy evaluation does. Every
// term is three-valued, so that what is definite stays so (rule U11).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func decide(req *Request, p *Policies, v *verdict) *outcome {
	o := &outcome{rule: ruleFor(req), across: crossAccount(req), service: serviceRuleFor(req)}
	resourceDeny := v.resource.deny
	if rootKeepsBucketPolicy(req, o.across) {
		resourceDeny = NoMatch
	}
	o.deny = max(v.identity.deny, v.boundary.deny, v.session.deny, resourceDeny, v.scpDeny, v.rcpDeny, v.endpoint.deny)
	o.passes = min(v.scpOk, v.rcpOk, v.endpointOk)
	switch o.rule {
	case policyOnly:
		o.grant = or(v.resource.allow[direct], p.Resource.OtherAllow)
	default:
		same, cross := grantSameAccount(v, p, o.rule), grantCrossAccount(v, p, o.rule)
		switch {
		case o.across == NoMatch:
			o.grant = same
		case o.across == Matched:
			o.grant = cross
		case same == cross: // both variants agree (rules E26, U14)
			o.grant = same
		default:
			o.grant = Unknown
		}
	}
	return o
}

// grantSameAccount is Grant of section 7.3, and of S1 and S5.
func grantSameAccount(v *verdict, p *Policies, rule grantRule) Match {
	rb, limits := &v.resource.allow, and(v.boundaryOk, v.sessionOk)
	identity := v.identity.allows()
	if rule == mandatory {
		identity = and(identity, rb[account]) // the resource policy must delegate to the account
	}
	return max(
		rb[direct],                  // rules E16, E18
		min(rb[viaRole], limits),    // rule E17
		min(rb[parent], limits),     // rule E20
		min(identity, limits),       // rules E13, E14
		otherAllow(p, rule, limits), // rules S3, S16
	)
}

// otherAllow is a grant by something that isn't a policy. Whether a boundary or
// session policy limits a KMS grant isn't documented (rule S3).
func otherAllow(p *Policies, rule grantRule, limits Match) Match {
	if rule == mandatory {
		return and(p.Resource.OtherAllow, or(limits, Unknown))
	}
	return p.Resource.OtherAllow
}

// grantCrossAccount is section 7.4: both accounts must allow (rules E21, E22).
func grantCrossAccount(v *verdict, p *Policies, rule grantRule) Match {
	caller := min(v.identity.allows(), v.boundaryOk, v.sessionOk)
	owner := or(v.resource.allows(), p.Resource.OtherAllow)
	if rule == mandatory {
		// A KMS grant works without an identity policy of the caller's (rule S3).
		return or(min(caller, v.resource.allows()), otherAllow(p, rule, and(v.boundaryOk, v.sessionOk)))
	}
	return min(caller, owner)
}

// rootKeepsBucketPolicy: the root user of the owner may always read and mend
// a bucket policy, whatever that policy denies (rule S19).
func rootKeepsBucketPolicy(req *Request, across Match) bool {
	if req.Principal.Type != Root || across != NoMatch {
		return false
	}
	switch strings.ToLower(req.Action) {
	case "s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy":
		return true
	}
	return false
}
