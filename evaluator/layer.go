package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An answer is what one layer, or one level of it, says of a request.
type answer struct {
	deny  Match
	allow byGrade
}

func (a *answer) allows() Match { return a.allow.any() }

// add adds a statement's answer: one that applies is enough (rule U5). One without Effect may be either (rule G21).
func (a *answer) add(effect policy.Effect, g byGrade) {
	if effect != policy.Allow {
		a.deny = or(a.deny, g.any())
	}
	if effect != policy.Deny {
		a.allow.merge(g)
	}
}

// A verdict is what all layers say.
type verdict struct {
	identity, boundary, session, resource, endpoint answer

	behind answer // the policy of the bucket behind an access point (rule S21)

	// The Ok values say whether a layer lets the request pass: its Allow, or that
	// it doesn't apply.
	boundaryOk, sessionOk, endpointOk, scpOk, rcpOk Match

	scpDeny, rcpDeny Match
}

// layers asks every layer. All of them are asked, whatever one says: all blockers are wanted. Root has no
// identity policies, boundary or session policy (rule E31); an endpoint's policy must allow and
// grants nothing (rule E36).
func (ev *evaluation) layers(p *Policies) (v verdict) {
	req := ev.req
	hasBoundary := layerApplies(&p.Boundary)

	v.rcpDeny, v.rcpOk = ev.hierarchy(&placeRCP, &p.RCP, ev.assumeIf(req.Resource.ARN == "*", assumeE11, rcpReaches(req, p)))
	v.scpDeny, v.scpOk = ev.hierarchy(&placeSCP, &p.SCP, ev.scpConcerns())
	if p.Endpoint.State != DoesNotApply {
		pl := place{layer: LayerEndpoint, shape: shapeEndpoint, named: true, hasBoundary: hasBoundary, gateway: p.Endpoint.Gateway}
		v.endpoint = ev.layer(&pl, &p.Endpoint.Layer, p.Endpoint.ID)
	}
	v.endpointOk = or(v.endpoint.allows(), not(layerApplies(&p.Endpoint.Layer)))
	if p.Resource.State != DoesNotApply {
		pl := place{layer: LayerResource, shape: shapeResource, named: true, hasBoundary: hasBoundary}
		if p.Resource.Type == "trust" {
			pl.shape = shapeTrust
		}
		v.resource = ev.layer(&pl, &p.Resource.Layer, req.Resource.ARN)
	}
	v.behind = ev.bucketBehind(p, hasBoundary)

	who := principalName(&req.Principal)
	v.identity = ev.layer(&placeIdentity, &p.Identity, who)
	switch {
	case req.Principal.Type == Root, req.Principal.Type == FederatedUser && strings.HasSuffix(req.Principal.ParentARN, ":root"):
		v.identity.allow[direct] = Matched // rule E1
	case req.Principal.Type == UnknownPrincipal: // it may be root
		v.identity.allow[direct] = or(v.identity.allow[direct], Unknown)
	}
	v.boundary = ev.layer(&placeBoundary, &p.Boundary, who)
	v.boundaryOk = or(v.boundary.allows(), not(hasBoundary))

	session := sessionLayer(req, p)
	v.session = ev.layer(&placeSession, session, who)
	v.sessionOk = or(v.session.allows(), not(layerApplies(session)))
	if req.Principal.Type == FederatedUser && session.State == MayApply { // without one, nothing is allowed (rule E8)
		v.sessionOk = and(v.session.allows(), Unknown)
	}
	if len(session.Policies) > 1 && v.sessionOk == Matched {
		v.sessionOk = ev.assume(assumeE8, Matched)
	}
	return v
}

// noSessionPolicy is the layer of a federated session that was given none: it allows nothing (rule E8).
var noSessionPolicy = &Layer{State: Applies}

func sessionLayer(req *Request, p *Policies) *Layer {
	if req.Principal.Type == FederatedUser && p.Session.State == DoesNotApply {
		return noSessionPolicy
	}
	return &p.Session
}

// layerApplies says whether a layer takes part (rule U7).
func layerApplies(l *Layer) Match {
	switch l.State {
	case DoesNotApply:
		return NoMatch
	case Applies:
		return Matched
	}
	return Unknown
}

// layer evaluates the documents of one layer or level.
func (ev *evaluation) layer(pl *place, l *Layer, target string) (a answer) {
	if l.State == DoesNotApply {
		return a
	}
	var t *LayerTrace
	if ev.traced {
		ev.trace = append(ev.trace, LayerTrace{Layer: pl.layer, Target: target, State: l.State, Missing: l.Missing, req: ev.req, place: *pl, layer: l, level: ev.level})
		t = &ev.trace[len(ev.trace)-1]
	}
	for i := range l.Policies {
		if p := &l.Policies[i]; p.Body != nil {
			if t != nil {
				ev.tracePolicy(p, pl, &a, t)
			} else {
				ev.policy(p.Body, pl, &a)
			}
		}
	}
	state := l.State
	if passes, laidDown := ev.forced.layer(pl.layer, ev.level); laidDown {
		state = Applies
		switch {
		case !passes:
			a.deny = Matched
		case l.State == MayApply:
			a.deny, a.allow[direct] = NoMatch, Matched
		default:
			a.allow[direct] = Matched
		}
	}
	switch state {
	case NotCollected: // something that nobody read may deny, or allow (rule U6)
		a.deny = or(a.deny, Unknown)
		a.allow[direct] = or(a.allow[direct], Unknown)
	case MayApply: // rule U7
		a.deny = and(a.deny, Unknown)
		if pl.layer == LayerResource || pl.layer == LayerIdentity { // which grant, and don't only let pass
			for i := range a.allow {
				a.allow[i] = and(a.allow[i], Unknown)
			}
		}
	}
	if t != nil {
		t.Deny, t.Allow = a.deny, a.allows()
	}
	return a
}

// policy asks the statements of a document that may apply to the action: all that may deny, and
// those that may allow until one does.
func (ev *evaluation) policy(c *Compiled, pl *place, a *answer) {
	found := c.candidates(ev, pl.shape)
	if !pl.named && !found.odd && ev.forced == nil {
		byLead := (found.denyLeads != nil || found.allowLeads != nil) && ev.byLead()
		if byLead && found.denyLeads != nil {
			a.deny = or(a.deny, found.denyLeads.holds(ev, pl))
		} else {
			for _, s := range found.deny {
				a.deny = or(a.deny, s.holds(ev, pl))
			}
		}
		if byLead && found.allowLeads != nil {
			if a.allow[direct] != Matched {
				a.allow[direct] = or(a.allow[direct], found.allowLeads.holds(ev, pl))
			}
			return
		}
		for i := 0; a.allow[direct] != Matched && i < len(found.allow); i++ {
			a.allow[direct] = or(a.allow[direct], found.allow[i].holds(ev, pl))
		}
		return
	}
	for _, s := range found.deny {
		if a.deny == Matched {
			break
		}
		g := s.evaluate(ev, pl)
		a.deny = or(a.deny, g.any())
	}
	for _, s := range found.allow {
		if a.allow[direct] == Matched {
			break // no other grade can add to it (rule E20)
		}
		a.allow.merge(s.evaluate(ev, pl))
	}
}

// tracePolicy asks every statement, and keeps those that apply or may.
func (ev *evaluation) tracePolicy(p *Policy, pl *place, a *answer, t *LayerTrace) {
	for _, s := range p.Body.candidates(ev, pl.shape).all {
		g := s.evaluate(ev, pl)
		if m := g.any(); m != NoMatch {
			t.Statements = append(t.Statements, StatementTrace{Policy: p, Statement: s.src, Match: m, compiled: s})
		}
		a.add(s.effect, g)
	}
}

// hierarchy evaluates SCPs or RCPs: every level must allow, and a Deny at any
// level denies (rules E33, E35). reaches says whether the policy type concerns this request at all.
func (ev *evaluation) hierarchy(pl *place, h *Hierarchy, reaches Match) (deny, ok Match) {
	ok = Matched
	if h.State == DoesNotApply || reaches == NoMatch {
		return NoMatch, Matched // rule E37
	}
	for i := range h.Levels {
		l := &h.Levels[i]
		ev.level = i
		a := ev.layer(pl, &l.Layer, l.Target)
		deny = or(deny, a.deny)
		ok = and(ok, or(a.allows(), not(layerApplies(&l.Layer))))
	}
	ev.level = 0
	state := h.State
	if passes, laidDown := ev.forced.layer(pl.layer, wholeHierarchy); laidDown {
		switch {
		case passes && state != NotCollected:
			return NoMatch, Matched
		case !passes && state == NotCollected:
			deny = Matched
		}
		state, reaches = Applies, Matched
	}
	if state == NotCollected {
		deny, ok = or(deny, Unknown), and(ok, Unknown)
		if ev.traced && len(h.Levels) == 0 {
			ev.trace = append(ev.trace, LayerTrace{Layer: pl.layer, State: h.State, Missing: h.Missing, Deny: Unknown, Allow: Unknown, req: ev.req, place: *pl, layer: &Layer{}})
		}
	}
	if state == MayApply {
		reaches = and(reaches, Unknown)
	}
	return and(deny, reaches), or(ok, not(reaches))
}

// scpReaches says which callers SCPs concern: users, role sessions, federated
// sessions and root of member accounts, but not service-linked roles (rules E10, E28, E31). The
// SCPs are those of the caller's account, the RCPs those of the resource's (rule E23).
func (ev *evaluation) scpReaches() Match {
	p := &ev.req.Principal
	switch p.Type {
	case Service, Anonymous:
		return NoMatch
	case WebIdentity, SAML:
		return ev.assume(assumeS8, NoMatch)
	case UnknownPrincipal:
		return Unknown
	}
	return not(p.ServiceLinked())
}
