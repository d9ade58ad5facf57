package snapshot

import (
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// Complete fills in what the snapshot knows of a request and the request
// doesn't say: the role behind a session (rule P1), the owner of a bucket
// (rule E26), organisation ids, tags. What the request says wins: a context key
// that it knows, be it as absent or unknown, stays as it is.
//
// A session's tags override its role's, and nobody records them. So a role's
// tag makes aws:PrincipalTag/KEY present with an unknown value in an open
// context; in a closed one, whose keys are all there are, it has the role's value.
// Tags that a user or role doesn't have are left unsaid.
func (s *Snapshot) Complete(req *evaluator.Request) {
	s.completePrincipal(&req.Principal)
	s.completeResource(req)
	s.completePrincipalKeys(req)
	s.completeResourceKeys(req)
	s.completeEndpointKeys(&req.Context)
}

// completePrincipal fills in the ARNs, id and account of the caller.
func (s *Snapshot) completePrincipal(p *evaluator.Principal) {
	if p.Account == "" {
		p.Account = accountOf(*p)
	}
	if p.Type != evaluator.User && p.Type != evaluator.AssumedRole {
		return
	}
	e, _ := s.caller(*p)
	if e == nil {
		return
	}
	if p.ID == "" {
		p.ID = e.id
	}
	if p.Type == evaluator.User {
		p.ARN = e.arn
		return
	}
	if p.ARN == "" || p.ARN == p.RoleARN {
		p.ARN = e.arn // no session is known, and the path may be made up
	}
	p.RoleARN, p.RolePathUnknown = e.arn, false
}

// completeResource fills in the resource's owner, and the ARN that AWS checks where
// the request has another name of the same resource.
func (s *Snapshot) completeResource(req *evaluator.Request) {
	if arn, ok := policy.ParseARN(req.Resource.ARN); ok {
		if full := s.resolved(req.Action, arn); full != nil {
			req.Resource.ARN, req.Resource.Pattern = full.arn, false
		}
	}
	if req.Resource.Account == "" {
		switch owner := s.owner(req.Resource, req.Principal); {
		case isCallers(req):
			req.Resource.Account = accountOf(req.Principal)
		case !hasWildcard(owner):
			req.Resource.Account = owner
		}
	}
}

// resolved is the resource that an alias or a name without its suffix means
// (rules S4, S27); nil for any other ARN.
func (s *Snapshot) resolved(action string, arn policy.ARN) *resource {
	switch {
	case arn.Service == "kms" && !isOneOf(action, aliasActions):
		return s.aliases[arn.String()]
	case arn.Service == "secretsmanager" && s.resources[arn.String()] == nil:
		return s.secret(arn)
	}
	return nil
}

// set makes a key present, if the request doesn't know it.
func set(c *evaluator.Context, key string, values ...string) {
	if !c.Known(key) {
		c.Set(key, values...)
	}
}

// setState is set for the other states.
func setState(c *evaluator.Context, key string, state evaluator.KeyState) {
	if !c.Known(key) {
		c.SetState(key, state)
	}
}

// completePrincipalKeys sets the caller's organisation and tags (evaluation.md 5.4).
func (s *Snapshot) completePrincipalKeys(req *evaluator.Request) {
	c, p := &req.Context, req.Principal
	switch p.Type {
	case evaluator.Anonymous: // it has no account, and so no organisation
		setState(c, "aws:PrincipalOrgID", evaluator.Absent)
		setState(c, "aws:PrincipalOrgPaths", evaluator.Absent)
		return
	case evaluator.Root, evaluator.User, evaluator.AssumedRole, evaluator.FederatedUser:
		s.organizationKeys(c, p.Account, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths")
	}
	if p.Type == evaluator.User || p.Type == evaluator.AssumedRole {
		if e, _ := s.caller(p); e != nil && e.tagsOK {
			e.tagKeys(c)
		}
	}
}

// organizationKeys sets the keys of an account's organisation, absent if it is
// known to be in none. An account outside the collected organisation is in another one or in
// none: in an open context that much is known of its organisation's id, which a policy that
// keeps strangers out asks for. Of its paths nothing is: they may be several.
func (s *Snapshot) organizationKeys(c *evaluator.Context, account, id, paths string) {
	switch {
	case s.inNone(account):
		setState(c, id, evaluator.Absent)
		setState(c, paths, evaluator.Absent)
	case s.org != nil && s.org.members[account] != nil:
		set(c, id, s.org.id)
		set(c, paths, s.org.members[account].path)
	case c.Open && isAccountID(account) && s.InOrganization(account) == evaluator.NoMatch && !s.org.none:
		if !c.Known(id) {
			c.Put(evaluator.ContextValue{Name: id, State: evaluator.UnknownKey, Not: []string{s.org.id}})
		}
	}
}

// tagKeys sets aws:PrincipalTag/KEY for the tags of a user or role, those whose keys differ
// only in case as one that nobody knows (rule C3).
func (e *entity) tagKeys(c *evaluator.Context) {
	tags := make(map[string]*string, len(e.tags))
	for i := range e.tags {
		tags[e.tags[i].key] = &e.tags[i].value
		if e.kind == evaluator.AssumedRole && c.Open {
			tags[e.tags[i].key] = nil // the session's may override it
		}
	}
	for _, v := range evaluator.TagValues("aws:PrincipalTag/", tags) {
		if !c.Known(v.Name) {
			c.Put(v)
		}
	}
}

// completeResourceKeys sets the keys of the resource's owner.
func (s *Snapshot) completeResourceKeys(req *evaluator.Request) {
	account := req.Resource.Account
	if has := evaluator.HasResourceAccount(req.Action); req.Resource.ARN == "*" || !isAccountID(account) || has == evaluator.NoMatch || has == evaluator.Unknown && req.Context.Open {
		return // in an open context they stay unknown
	}
	set(&req.Context, "aws:ResourceAccount", account)
	s.organizationKeys(&req.Context, account, "aws:ResourceOrgID", "aws:ResourceOrgPaths")
}

// completeEndpointKeys sets the VPC of the endpoint that the call came through.
func (s *Snapshot) completeEndpointKeys(c *evaluator.Context) {
	vpce := sourceVpce(c)
	switch {
	case vpce.State == evaluator.Absent:
		setState(c, "aws:SourceVpce", evaluator.Absent)
		setState(c, "aws:SourceVpc", evaluator.Absent)
	case vpce.State == evaluator.Present && len(vpce.Values) == 1:
		if e := s.endpoints[vpce.Values[0]]; e != nil && e.vpc != "" {
			set(c, "aws:SourceVpc", e.vpc)
		}
	}
}
