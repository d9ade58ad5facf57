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

// merge adds another document's answer: any Deny denies, any Allow allows (rule U5).
func (a *answer) merge(b answer) {
	a.deny = or(a.deny, b.deny)
	for i := range a.allow {
		a.allow[i] = or(a.allow[i], b.allow[i])
	}
}

// add adds a statement's answer; one without Effect may be either (rule G21).
func (a *answer) add(effect policy.Effect, g byGrade) {
	if effect != policy.Allow {
		a.deny = or(a.deny, g.any())
	}
	if effect != policy.Deny {
		for k := range g {
			a.allow[k] = or(a.allow[k], g[k])
		}
	}
}

// A verdict collects the answers of all layers.
type verdict struct {
	req     *Request
	service string // the action's prefix, in lower case

	identity, boundary, session, resource, endpoint answer

	// The Ok values say whether a layer lets the request pass: its Allow, or that
	// it doesn't apply.
	boundaryOk, sessionOk, endpointOk, scpOk, rcpOk Match

	scpDeny, rcpDeny Match

	trace  []LayerTrace // filled only if tracing
	traced bool
}

// evaluateLayers asks every layer. With tracing, all of them are asked
// everything: all blockers are wanted, so nothing stops early.
func evaluateLayers(req *Request, p *Policies, traced bool) *verdict {
	v := &verdict{req: req, service: service(req.Action), traced: traced}
	hasBoundary := layerApplies(&p.Boundary)

	v.rcpDeny, v.rcpOk = v.hierarchy(LayerRCP, &p.RCP, rcpReaches(req, p))
	v.scpDeny, v.scpOk = v.hierarchy(LayerSCP, &p.SCP, scpReaches(&req.Principal))
	v.endpoint = v.layer(LayerEndpoint, &p.Endpoint.Layer, p.Endpoint.ID, place{layer: LayerEndpoint, gateway: p.Endpoint.Gateway})
	v.endpointOk = or(v.endpoint.allows(), not(layerApplies(&p.Endpoint.Layer)))
	v.resource = v.layer(LayerResource, &p.Resource.Layer, req.Resource.ARN, place{layer: LayerResource, typ: p.Resource.Type, hasBoundary: hasBoundary})

	who := principalName(&req.Principal)
	v.identity = v.layer(LayerIdentity, &p.Identity, who, place{layer: LayerIdentity})
	if req.Principal.Type == Root || req.Principal.Type == FederatedUser && strings.HasSuffix(req.Principal.ParentARN, ":root") {
		v.identity.allow[direct] = Matched // rule E1
	}
	v.boundary = v.layer(LayerBoundary, &p.Boundary, who, place{layer: LayerBoundary})
	v.boundaryOk = or(v.boundary.allows(), not(hasBoundary))

	session := p.Session
	if req.Principal.Type == FederatedUser && session.State == DoesNotApply {
		session.State = Applies // without one, it allows nothing (rule E8)
	}
	v.session = v.layer(LayerSession, &session, who, place{layer: LayerSession})
	v.sessionOk = or(v.session.allows(), not(layerApplies(&session)))
	return v
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
func (v *verdict) layer(name LayerName, l *Layer, target string, pl place) answer {
	var a answer
	if l.State != DoesNotApply {
		var t *LayerTrace
		if v.traced {
			v.trace = append(v.trace, LayerTrace{Layer: name, Target: target, State: l.State, Missing: l.Missing})
			t = &v.trace[len(v.trace)-1]
		}
		for i := range l.Policies {
			a.merge(v.policy(&l.Policies[i], pl, t))
		}
		switch l.State {
		case NotCollected: // something that nobody read may deny, or allow (rule U6)
			a.deny = or(a.deny, Unknown)
			a.allow[direct] = or(a.allow[direct], Unknown)
		case MayApply: // rule U7
			a.deny = and(a.deny, Unknown)
		}
		if t != nil {
			t.Deny, t.Allow = a.deny, a.allows()
		}
	}
	return a
}

func (v *verdict) policy(p *Policy, pl place, t *LayerTrace) answer {
	var a answer
	if p.Body == nil {
		return a
	}
	if t == nil && pl.layer != LayerRCP {
		for _, i := range p.Body.candidates(v.service) {
			s := &p.Body.statements[i]
			a.add(s.src.Effect, s.evaluate(v.req, pl, nil))
		}
		return a
	}
	for i := range p.Body.statements {
		s := &p.Body.statements[i]
		var st *StatementTrace
		if t != nil {
			t.Statements = append(t.Statements, StatementTrace{Policy: p, Statement: s.src})
			st = &t.Statements[len(t.Statements)-1]
		}
		a.add(s.src.Effect, s.evaluate(v.req, pl, st))
	}
	return a
}

// hierarchy evaluates SCPs or RCPs: every level must allow, and a Deny at any
// level denies (rules E33, E35). reaches says whether the policy type concerns this request at all.
func (v *verdict) hierarchy(name LayerName, h *Hierarchy, reaches Match) (deny, ok Match) {
	ok = Matched
	if h.State == DoesNotApply || reaches == NoMatch {
		return NoMatch, Matched // rule E37
	}
	for i := range h.Levels {
		l := &h.Levels[i]
		a := v.layer(name, &l.Layer, l.Target, place{layer: name})
		deny = or(deny, a.deny)
		ok = and(ok, or(a.allows(), not(layerApplies(&l.Layer))))
	}
	if h.State == NotCollected {
		deny, ok = or(deny, Unknown), and(ok, Unknown)
		if v.traced && len(h.Levels) == 0 {
			v.trace = append(v.trace, LayerTrace{Layer: name, State: h.State, Missing: h.Missing, Deny: Unknown, Allow: Unknown})
		}
	}
	if h.State == MayApply {
		reaches = and(reaches, Unknown)
	}
	return and(deny, reaches), or(ok, not(reaches))
}

// scpReaches says which callers SCPs concern: users, role sessions, federated
// sessions and root of member accounts, but not service-linked roles (rules E10, E28).
func scpReaches(p *Principal) Match {
	switch p.Type {
	case Service, Anonymous, WebIdentity, SAML:
		return NoMatch
	case UnknownPrincipal:
		return Unknown
	}
	return not(p.ServiceLinked())
}
