package evaluator

import (
	"sort"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// Explain decides a request and says why. Evaluate gives the same decision.
func Explain(req *Request, p *Policies) Explanation {
	v := evaluateLayers(req, p, true)
	o := decide(req, p, v)
	x := Explanation{Decision: o.decision(), Trace: v.trace}
	if x.Decision == Allowed {
		return x
	}
	e := explainer{req: req, p: p, v: v, o: o}
	x.Blockers = e.blockers()
	if x.Decision == Indeterminate {
		x.Undecided = e.undecided()
		x.Blockers = append(x.Blockers, e.notCollected()...)
	}
	x.Caveats = e.caveats()
	return x
}

// maxNearMisses is how many near misses a blocker lists.
const maxNearMisses = 3

type explainer struct {
	req *Request
	p   *Policies
	v   *verdict
	o   *outcome
}

// explicitOrder is the order in which explicit denies are listed. AWS documents
// none; this is the likeliest first (rule M25).
var explicitOrder = []LayerName{LayerSCP, LayerRCP, LayerEndpoint, LayerResource, LayerIdentity, LayerBoundary, LayerSession}

// blockers lists every reason why the request isn't allowed and that holds whatever the unknowns are (rules M20 to M27).
func (e *explainer) blockers() []Blocker {
	if e.o.service.refuses {
		return []Blocker{{Layer: LayerService, Kind: KindExplicitDeny, Note: e.o.service.note}}
	}
	var all []Blocker
	for _, layer := range explicitOrder {
		all = append(all, e.explicit(layer)...)
	}
	for _, b := range e.implicitLayers() {
		all = append(all, e.implicit(b)...)
	}
	return all
}

// explicit lists the statements of a layer that deny.
func (e *explainer) explicit(layer LayerName) []Blocker {
	if !e.reaches(layer) {
		return nil
	}
	var all []Blocker
	for i := range e.v.trace {
		t := &e.v.trace[i]
		if t.Layer != layer || t.Deny != Matched { // a layer that may not apply denies nothing for sure (rule U7)
			continue
		}
		for j := range t.Statements {
			s := &t.Statements[j]
			if s.Statement.Effect != policy.Deny || s.Match != Matched {
				continue
			}
			b := Blocker{Layer: layer, Kind: KindExplicitDeny, Policy: s.Policy, Statement: s.Statement, Target: t.Target, PolicyType: s.Policy.Type}
			if why := decisive(s); len(why) > 0 {
				b.NearMisses = []NearMiss{{Policy: s.Policy, Statement: s.Statement, Mismatch: why}}
			}
			all = append(all, b)
		}
	}
	return all
}

// reaches reports whether a Deny in the layer counts for this request.
func (e *explainer) reaches(layer LayerName) bool {
	switch layer {
	case LayerSCP:
		return e.v.scpDeny == Matched
	case LayerRCP:
		return e.v.rcpDeny == Matched
	case LayerResource:
		return !rootKeepsBucketPolicy(e.req, e.o.across)
	}
	return true
}

// decisive are the elements of a denying statement that a caller could have
// met otherwise: its conditions, and a list of what is exempt.
func decisive(s *StatementTrace) []ElementTrace {
	var out []ElementTrace
	for _, el := range s.Elements {
		switch el.Element {
		case "Condition", "NotPrincipal", "NotAction", "NotResource":
			out = append(out, el)
		}
	}
	return out
}

// implicitLayers are the layers that lack an allow which the decision needs, in
// the order in which AWS would report them (rules E39, M22 to M24).
func (e *explainer) implicitLayers() []LayerName {
	v, o := e.v, e.o
	var out []LayerName
	lacks := func(layer LayerName, m Match) {
		if m == NoMatch {
			out = append(out, layer)
		}
	}
	lacks(LayerRCP, v.rcpOk)
	lacks(LayerSCP, v.scpOk)
	lacks(LayerEndpoint, v.endpointOk)
	rb := &v.resource.allow
	identity := v.identity.allows()
	switch {
	case o.grant != NoMatch:
	case o.rule == policyOnly:
		lacks(LayerResource, rb[direct])
	case o.across == Matched:
		lacks(LayerIdentity, identity)
		lacks(LayerBoundary, v.boundaryOk)
		lacks(LayerSession, v.sessionOk)
		lacks(LayerResource, v.resource.allows())
	case o.across == Unknown:
		// Not granted in either variant: only what is lacking in both is sure.
		if o.rule == mandatory && rb.any() == NoMatch {
			lacks(LayerResource, NoMatch) // rules E21, M24
		}
		lacks(LayerIdentity, max(identity, rb[direct], rb[viaRole], rb[parent]))
		lacks(LayerBoundary, or(v.boundaryOk, rb[direct]))
		lacks(LayerSession, or(v.sessionOk, rb[direct]))
	default:
		if o.rule == mandatory && rb.any() == NoMatch {
			lacks(LayerResource, NoMatch) // rule M24
		} else {
			lacks(LayerIdentity, max(identity, rb[viaRole], rb[parent]))
		}
		lacks(LayerBoundary, v.boundaryOk)
		lacks(LayerSession, v.sessionOk)
	}
	return out
}

// implicit makes the blocker of a layer that lacks an allow: of an
// organisation's policies, one for each level that does.
func (e *explainer) implicit(layer LayerName) []Blocker {
	b := Blocker{Layer: layer, Kind: KindNoAllow}
	switch layer {
	case LayerSCP, LayerRCP:
		var all []Blocker
		for i := range e.v.trace {
			t := &e.v.trace[i]
			if t.Layer == layer && t.Allow == NoMatch && t.State == Applies {
				level := b
				level.Target = t.Target
				level.PolicyType = string(layer)
				level.nearest(t)
				all = append(all, level)
			}
		}
		return all
	case LayerResource:
		b.Target, b.PolicyType = e.req.Resource.ARN, e.p.Resource.Type
	case LayerEndpoint:
		b.Target, b.PolicyType = e.p.Endpoint.ID, "endpoint"
	default:
		b.Target = e.owner()
	}
	for i := range e.v.trace {
		if t := &e.v.trace[i]; t.Layer == layer {
			b.nearest(t)
		}
	}
	return []Blocker{b}
}

// owner is the user or role whose policies the identity layers are.
func (e *explainer) owner() string {
	if p := &e.req.Principal; p.RoleARN != "" {
		return p.RoleARN
	}
	return principalName(&e.req.Principal)
}

// NoAllow returns the blockers that a layer is for want of an allow, whether or
// not the decision is known to need one: who knows that the request was denied
// for it, from AWS's message, has the statements that came near.
func (x *Explanation) NoAllow(layer LayerName) []Blocker {
	var all []Blocker
	for i := range x.Trace {
		t := &x.Trace[i]
		if t.Layer == layer && t.Allow == NoMatch {
			b := Blocker{Layer: layer, Kind: KindNoAllow, Target: t.Target}
			b.nearest(t)
			all = append(all, b)
		}
	}
	return all
}

// nearest ranks the Allow statements of a layer by how little keeps them
// from allowing (rule T94 of the event rules): few elements first, and among those a
// condition is less than a principal, a resource, an action.
func (b *Blocker) nearest(t *LayerTrace) {
	type ranked struct {
		miss NearMiss
		cost int
	}
	var all []ranked
	for i := range t.Statements {
		s := &t.Statements[i]
		if s.Statement.Effect != policy.Allow || s.Match != NoMatch {
			continue
		}
		r := ranked{miss: NearMiss{Policy: s.Policy, Statement: s.Statement}}
		for _, el := range s.Elements {
			if el.Match == Matched {
				continue
			}
			if el.Element == "Resource" {
				el.Note = nearestParting(el.Want, el.Got[0])
			}
			r.miss.Mismatch = append(r.miss.Mismatch, el)
			r.cost += elementCost(el)
		}
		if r.cost < tooFar {
			all = append(all, r)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].cost < all[j].cost })
	for i, r := range all {
		if i == maxNearMisses {
			break
		}
		b.NearMisses = append(b.NearMisses, r.miss)
	}
	if len(b.NearMisses) > 0 {
		b.Policy = b.NearMisses[0].Policy
		if b.PolicyType == "" {
			b.PolicyType = b.Policy.Type
		}
	} else if len(t.Statements) > 0 && b.Policy == nil {
		b.Policy = t.Statements[0].Policy
		if b.PolicyType == "" {
			b.PolicyType = b.Policy.Type
		}
	}
}

// tooFar is the cost above which a statement has nothing to do with the request.
const tooFar = 60

// elementCost says how far a mismatch is from a match; a resource that differs
// in one segment of its ARN only is nearer than one that has nothing in common.
func elementCost(el ElementTrace) int {
	switch el.Element {
	case "Condition":
		return 10
	case "Principal", "NotPrincipal":
		return 15
	case "Resource", "NotResource":
		if el.Note != "" {
			return 20
		}
		return 25
	case "Action", "NotAction":
		if sameService(el.Want, el.Got) {
			return 30
		}
		return tooFar
	}
	return tooFar
}

func sameService(want, got []string) bool {
	for _, w := range want {
		for _, g := range got {
			if s := service(g); s != "" && s == service(w) {
				return true
			}
		}
	}
	return false
}

// undecided lists what an indeterminate decision hangs on (rule U15): Deny
// statements that may apply, Allow statements that may where an allow is
// missing, and layers that nobody read.
func (e *explainer) undecided() []Undecided {
	var out []Undecided
	for i := range e.v.trace {
		t := &e.v.trace[i]
		if e.settled(t.Layer) {
			continue
		}
		for j := range t.Statements {
			s := &t.Statements[j]
			if s.Match != Unknown || s.Statement.Effect == policy.Allow && e.granted(t) {
				continue
			}
			for _, el := range s.Elements {
				if el.Match != Unknown {
					continue
				}
				u := Undecided{Layer: t.Layer, Policy: s.Policy, Statement: s.Statement, Element: el, IfMatched: ExplicitDeny, IfNot: Allowed}
				if s.Statement.Effect == policy.Allow {
					u.IfMatched, u.IfNot = Allowed, ImplicitDeny
				}
				out = append(out, u)
			}
		}
		if t.State == NotCollected || t.State == MayApply {
			out = append(out, Undecided{Layer: t.Layer, Missing: t.Missing, IfMatched: Indeterminate, IfNot: Indeterminate})
		}
	}
	for layer, h := range map[LayerName]*Hierarchy{LayerRCP: &e.p.RCP, LayerSCP: &e.p.SCP} {
		if missing, open := e.reachOpen(layer, h); open && !e.settled(layer) {
			out = append(out, Undecided{Layer: layer, Missing: missing, IfMatched: Indeterminate, IfNot: Indeterminate})
		}
	}
	if e.o.across == Unknown && e.o.rule != policyOnly && e.o.grant == Unknown {
		out = append(out, Undecided{Layer: LayerResource, Missing: "which account owns " + e.req.Resource.ARN, IfMatched: Indeterminate, IfNot: Indeterminate})
	}
	// Whether a boundary limits a KMS grant isn't known, either (rule S3).
	if other := e.p.Resource.OtherAllow; e.o.grant == Unknown && (other == Unknown || other == Matched && e.o.rule == mandatory) {
		out = append(out, Undecided{Layer: LayerResource, Missing: e.p.Resource.OtherNote, IfMatched: Allowed, IfNot: ImplicitDeny})
	}
	sort.SliceStable(out, func(i, j int) bool { return layerRank(out[i].Layer) < layerRank(out[j].Layer) })
	return out
}

// granted reports whether another Allow in the layer can't change the decision.
// In a resource policy, one may name the caller in another grade (rule E20).
func (e *explainer) granted(t *LayerTrace) bool {
	return t.Allow == Matched && t.Layer != LayerResource || t.Layer == LayerResource && e.o.grant == Matched
}

// reachOpen reports whether it isn't known what an organisation's policies of
// a type are, or whether they concern this request (rules E10, E11, U7).
func (e *explainer) reachOpen(layer LayerName, h *Hierarchy) (missing string, open bool) {
	switch {
	case h.State == NotCollected && len(h.Levels) > 0, h.State == MayApply:
		return h.Missing, true
	case h.State != Applies:
		return "", false
	case layer == LayerSCP:
		return "whether the caller is one whom service control policies reach", scpReaches(&e.req.Principal) == Unknown
	}
	return "whether resource control policies reach " + e.req.Action + " on this resource", rcpReaches(e.req, e.p) == Unknown
}

func layerRank(l LayerName) int {
	for i, o := range []LayerName{LayerRCP, LayerSCP, LayerEndpoint, LayerResource, LayerIdentity, LayerBoundary, LayerSession} {
		if o == l {
			return i
		}
	}
	return -1
}

// settled reports whether a layer's unknowns can't change the decision.
func (e *explainer) settled(layer LayerName) bool {
	switch layer {
	case LayerSCP:
		return e.v.scpDeny == NoMatch && e.v.scpOk == Matched
	case LayerRCP:
		return e.v.rcpDeny == NoMatch && e.v.rcpOk == Matched
	case LayerEndpoint:
		return e.v.endpoint.deny == NoMatch && e.v.endpointOk == Matched
	case LayerBoundary:
		return e.v.boundary.deny == NoMatch && e.v.boundaryOk == Matched
	case LayerSession:
		return e.v.session.deny == NoMatch && e.v.sessionOk == Matched
	case LayerIdentity:
		return e.v.identity.deny == NoMatch && (e.v.identity.allows() == Matched || e.o.grant == Matched)
	case LayerResource:
		return e.v.resource.deny == NoMatch && e.o.grant == Matched
	}
	return false
}

// notCollected lists the layers that an indeterminate decision hangs on
// because nobody read them.
func (e *explainer) notCollected() []Blocker {
	var out []Blocker
	seen := map[LayerName]bool{}
	for _, u := range e.undecided() {
		if u.Policy == nil && !seen[u.Layer] {
			seen[u.Layer] = true
			out = append(out, Blocker{Layer: u.Layer, Kind: KindNotCollected, Note: u.Missing})
		}
	}
	return out
}

// caveats lists the undocumented rules that had a say (rule U18), as far as
// the trace tells them apart.
func (e *explainer) caveats() []string {
	seen := map[string]bool{}
	for i := range e.v.trace {
		for j := range e.v.trace[i].Statements {
			s := &e.v.trace[i].Statements[j]
			if s.Match == NoMatch {
				continue
			}
			for _, el := range s.Elements {
				switch {
				case el.Element == "Statement":
					seen["G21"] = true
				case el.Element == "NotPrincipal" && el.Match == Unknown:
					seen["P17"] = true
				case el.Element == "Condition" && el.Match == Unknown && len(el.Got) > 1:
					seen["C27"] = true
				}
			}
		}
	}
	var out []string
	for rule := range seen {
		out = append(out, rule)
	}
	sort.Strings(out)
	return out
}
