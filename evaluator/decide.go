package evaluator

import "strings"

// Evaluate decides a request and records nothing. req and p aren't changed and
// may be shared.
func Evaluate(req *Request, p *Policies) Decision {
	ev := newEvaluation(req)
	o := ev.decide(p)
	if d := o.decision(); d != Indeterminate {
		return d
	}
	return split(req, p).decision
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
	deny   Match // some applicable Deny (rule E2)
	grant  Match // identity and resource policies, boundary and session policy together
	passes Match // SCP, RCP and endpoint policy let it pass
	// publicAccess is the part of deny that S3's Block Public Access has (rule S17).
	publicAccess Match
	service      serviceRule
	rule         grantRule
	across       Match // is the caller's account another than the resource's?
	verdict      verdict
}

// allowed is rule E13 and its cross-account twin. What nobody allows isn't (rules E1, E3); no grant overcomes a
// Deny, nor an SCP or RCP that doesn't let it pass (rule E19).
func (o *outcome) allowed() Match {
	return o.service.settle(min(not(o.deny), o.grant, o.passes))
}

func (o *outcome) decision() Decision {
	switch {
	case o.service.allows == Matched:
		return Allowed
	case o.service.refuses == Matched, o.deny == Matched && o.service.allows == NoMatch:
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

func (ev *evaluation) grantRule() grantRule {
	switch ev.req.Principal.Type {
	case Service, Anonymous, WebIdentity, SAML:
		return policyOnly
	}
	switch ev.action.service {
	case "kms":
		if concernsKey(ev.action.lower, &ev.req.Resource) {
			return mandatory
		}
	case "sts":
		switch ev.action.lower {
		case "sts:assumerole", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext": // rules S5, S7
			return mandatory
		}
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
	case strings.EqualFold(req.Action, "sts:AssumeRoot"):
		return NoMatch // no policy of the member account's has a say
	case req.Principal.Account == "" || req.Resource.Account == "":
		return Unknown
	}
	return known(req.Principal.Account != req.Resource.Account)
}

// decide combines the layers as AWS's page on policy evaluation does. Every
// term is three-valued, so that what is definite stays so (rule U11): a denial that holds whatever is
// missing (rule U12), and an Allowed only where nothing that isn't known could deny (rule U13).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (ev *evaluation) decide(p *Policies) outcome {
	req := ev.req
	o := outcome{verdict: ev.layers(p), rule: ev.grantRule(), across: crossAccount(req), service: serviceRuleFor(req, ev.action)}
	v := &o.verdict
	if same, laidDown := ev.forced.layer(LayerService, atomOwner); laidDown {
		o.across = known(!same)
	}
	other := p.Resource.OtherAllow
	if given, laidDown := ev.forced.layer(LayerService, atomOtherAllow); laidDown {
		other = known(given)
	}
	resourceDeny := or(v.resource.deny, v.behind.deny)
	if rootKeepsBucketPolicy(req, o.across) {
		resourceDeny = NoMatch
	}
	o.publicAccess = publicAccessDenies(req, p)
	o.deny = max(v.identity.deny, v.boundary.deny, v.session.deny, resourceDeny, v.scpDeny, v.rcpDeny, v.endpoint.deny, o.publicAccess)
	o.passes = min(v.scpOk, v.rcpOk, v.endpointOk)
	o.grant = granted(req, p, v, other, o.rule, o.across)
	return o
}

// granted is what identity and resource policies, boundary and session policy make
// of a request, together with what else grants access.
func granted(req *Request, p *Policies, v *verdict, other Match, rule grantRule, across Match) Match {
	if retires(req.Action) {
		return mayRetire(req, &p.Resource.Grants, v)
	}
	e := extra{other: other, keyGrant: keyGrantAllows(req, &p.Resource.Grants, v)}
	if p.Resource.Bucket == nil && p.Resource.Behind == nil {
		return grantAcross(v, &v.resource.allow, e, rule, across)
	}
	bucket := bucketOf(req, p)
	if p.Resource.Behind == nil {
		return grantOfBucket(req, p, v, &v.resource.allow, &bucket, e, rule, across)
	}
	// Both the access point and the bucket behind it must agree (rule S21).
	fromBucket := grantOfBucket(req, p, v, &v.behind.allow, &bucket, e, rule, otherAccount(req.Principal.Account, bucket.Account))
	return and(fromBucket, grantAcross(v, &v.resource.allow, e, rule, across))
}

// An extra is what grants access to a resource besides its policy.
type extra struct {
	everybody Match // an ACL, as a resource policy does that names everybody (rule S16)
	account   Match // an ACL, as one does that names the caller's account
	keyGrant  Match // a KMS grant, which needs no policy's help (rule S3)
	other     Match // a RAM share and its like (rule E24)
}

// grantAcross is Grant, be the resource the caller's account's, another's, or nobody
// knows whose.
func grantAcross(v *verdict, rb *byGrade, e extra, rule grantRule, across Match) Match {
	if rule == policyOnly {
		return max(rb[direct], e.everybody, e.keyGrant, e.other)
	}
	same, cross := grantSameAccount(v, rb, e, rule), grantCrossAccount(v, rb, e)
	switch {
	case across == NoMatch:
		return same
	case across == Matched:
		return cross
	case same == cross: // both variants agree (rules E26, U14)
		return same
	}
	return Unknown
}

// grantSameAccount is Grant of section 7.3, and of S1, S2 and S5. Boundary and session policy limit and
// never grant (rule E15).
func grantSameAccount(v *verdict, rb *byGrade, e extra, rule grantRule) Match {
	limits := and(v.boundaryOk, v.sessionOk)
	identity := v.identity.allows()
	if rule == mandatory {
		identity = and(identity, rb[account]) // the resource policy must delegate to the account
	}
	return max(
		rb[direct],               // rules E16, E18
		min(rb[viaRole], limits), // rule E17
		min(rb[parent], limits),  // rule E20
		min(identity, limits),    // rules E13, E14
		e.everybody,              // rule S16
		e.keyGrant,               // rule S3
		e.other,                  // rule E24
	)
}

// grantCrossAccount is section 7.4: both accounts must allow (rules E21, E22). A KMS
// grant works without an identity policy of the caller's (rule S3).
func grantCrossAccount(v *verdict, rb *byGrade, e extra) Match {
	caller := min(v.identity.allows(), v.boundaryOk, v.sessionOk)
	owner := max(rb.any(), e.everybody, e.account, e.other)
	return or(min(caller, owner), e.keyGrant)
}

// grantOfBucket is Grant of an S3 bucket or object, where ACLs may have a say.
func grantOfBucket(req *Request, p *Policies, v *verdict, rb *byGrade, bucket *Resource, e extra, rule grantRule, across Match) Match {
	b := p.Resource.Bucket
	if b == nil {
		return grantAcross(v, rb, e, rule, across)
	}
	e.everybody, e.account = b.aclAllows(req, bucket.Account)
	owns := b.ownsObject(req, bucket)
	if owns == Matched {
		return grantAcross(v, rb, e, rule, across)
	}
	foreign := grantByObjectOwner(req, b, v, rule, e)
	if owns == NoMatch {
		return foreign
	}
	if own := grantAcross(v, rb, e, rule, across); own == foreign {
		return own
	}
	return Unknown
}
