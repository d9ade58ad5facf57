package evaluator

import (
	"slices"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// Explain decides a request and says why. Evaluate gives the same decision.
func Explain(req *Request, p *Policies) Explanation {
	ev := newEvaluation(req)
	ev.traced = true
	ev.trace = make([]LayerTrace, 0, 8+len(p.SCP.Levels)+len(p.RCP.Levels))
	e := &explainer{req: req, p: p, o: ev.decide(p)}
	e.trace = ev.trace
	x := Explanation{Decision: e.o.decision(), Trace: ev.trace, explainer: e}
	if x.Decision == Indeterminate {
		cases := split(req, p)
		x.Decision = cases.decision
		if x.Decision == ImplicitDeny || x.Decision == ExplicitDeny {
			x.Blockers = e.caseBlockers(cases)
		}
	}
	if x.Decision != Allowed && x.Blockers == nil {
		x.Blockers = e.blockers()
	}
	if x.Decision == Indeterminate {
		matter, allowedIf, deniedIf := e.weigh(e.unknowns())
		for _, u := range matter {
			x.Undecided = append(x.Undecided, u.said...)
		}
		x.AllowedIf, x.DeniedIf = allowedIf, deniedIf
		x.Blockers = append(x.Blockers, notCollected(x.Undecided)...)
	}
	if ev.used != 0 {
		x.Caveats = ev.caveats(p, x.Decision)
	}
	return x
}

// caseBlockers are the blockers of a request that is denied in every case of what isn't known, but not by the same
// statements: those of all cases, with what each hangs on.
func (e *explainer) caseBlockers(cases splitting) []Blocker {
	blockers := e.blockers()
	has := func(b *Blocker) bool {
		return slices.ContainsFunc(blockers, func(o Blocker) bool {
			return o.Layer == b.Layer && o.Kind == b.Kind && o.Statement == b.Statement && o.Target == b.Target
		})
	}
	for _, c := range cases.cases {
		r := *e.req
		r.Context = e.req.Context.Clone()
		for _, v := range c.keys {
			r.Context.put(v)
		}
		x := Explain(&r, e.p)
		for i := range x.Blockers {
			b := &x.Blockers[i]
			if has(b) {
				continue
			}
			if b.Note == "" {
				b.Note = "in one case of what isn't known; in every other one, something else denies"
			}
			blockers = append(blockers, *b)
		}
	}
	return blockers
}

// maxNearMisses is how many near misses a blocker lists.
const maxNearMisses = 3

type explainer struct {
	req   *Request
	p     *Policies
	o     outcome
	trace []LayerTrace
}

// evaluation is one that answers further questions about the same request.
func (e *explainer) evaluation() evaluation { return asked(e.req) }

// asked is one about what a layer was asked, which isn't always what the request says (rule S21).
func (t *LayerTrace) asked() evaluation { return asked(t.req) }

func asked(req *Request) evaluation {
	ev := newEvaluation(req)
	ev.traced = true
	return ev
}

// explicitOrder is the order in which explicit denies are listed. AWS documents
// none; this is the likeliest first (rule M25).
var explicitOrder = []LayerName{LayerSCP, LayerRCP, LayerEndpoint, LayerResource, LayerIdentity, LayerBoundary, LayerSession}

// blockers lists every reason why the request isn't allowed and that holds whatever the unknowns are (rules M20 to M27).
func (e *explainer) blockers() []Blocker {
	if e.o.service.refuses == Matched {
		return []Blocker{{Layer: LayerService, Kind: KindExplicitDeny, Note: e.o.service.note}}
	}
	if e.o.service.allows == Unknown {
		return nil // it may be allowed whatever policies say (rule S10)
	}
	var all []Blocker
	if n := e.denials(); n > 0 {
		all = make([]Blocker, 0, n)
	}
	for _, layer := range explicitOrder {
		all = e.explicit(all, layer)
	}
	if e.o.publicAccess == Matched { // rule S17
		all = append(all, Blocker{Layer: LayerService, Kind: KindExplicitDeny, Target: e.req.Resource.ARN, Note: publicAccessNote(e.req, e.p)})
	}
	if e.o.service.unguarded {
		return all // a missing allow may not matter (rule S28)
	}
	for _, b := range e.implicitLayers() {
		all = append(all, e.implicit(b)...)
	}
	return all
}

// explicit appends the statements of a layer that deny.
func (e *explainer) explicit(all []Blocker, layer LayerName) []Blocker {
	if !e.reaches(layer) {
		return all
	}
	for i := range e.trace {
		t := &e.trace[i]
		if t.Layer != layer || t.Deny != Matched { // a layer that may not apply denies nothing for sure (rule U7)
			continue
		}
		ev := t.asked()
		for j := range t.Statements {
			s := &t.Statements[j]
			if !s.denies() {
				continue
			}
			b := Blocker{Layer: layer, Kind: KindExplicitDeny, Policy: s.Policy, Statement: s.Statement, Target: t.Target, PolicyType: s.Policy.Type}
			if why := e.decisive(&ev, t, s); len(why) > 0 {
				b.NearMisses = []NearMiss{{Policy: s.Policy, Statement: s.Statement, Mismatch: why}}
			}
			all = append(all, b)
		}
	}
	return all
}

// denies reports whether a statement is a Deny that applies.
func (s *StatementTrace) denies() bool {
	return s.Statement.Effect == policy.Deny && s.Match == Matched
}

// denials counts the statements that deny.
func (e *explainer) denials() (n int) {
	for i := range e.trace {
		for j := range e.trace[i].Statements {
			if e.trace[i].Statements[j].denies() {
				n++
			}
		}
	}
	return n
}

// reaches reports whether a Deny in the layer counts for this request.
func (e *explainer) reaches(layer LayerName) bool {
	switch layer {
	case LayerSCP:
		return e.o.verdict.scpDeny == Matched
	case LayerRCP:
		return e.o.verdict.rcpDeny == Matched
	case LayerResource:
		return !rootKeepsBucketPolicy(e.req, e.o.across)
	}
	return true
}

// decisive are the elements of a denying statement that a caller could have
// met otherwise: its conditions, all of which hold, and a list of what is exempt.
func (e *explainer) decisive(ev *evaluation, t *LayerTrace, st *StatementTrace) []ElementTrace {
	s := st.compiled
	exempt := s.notAction || s.notResource || s.notPrincipal
	if s.uninterpretable || s.illFitting(t.place.shape) || !exempt && len(s.conditions) == 0 {
		return nil
	}
	n := len(s.conditions)
	if exempt {
		n += 3
	}
	out := make([]ElementTrace, 0, n)
	if s.notAction {
		out = append(out, s.traceAction(ev.req))
	}
	if s.notResource {
		out = append(out, s.traceResource(ev, &t.place))
	}
	if s.notPrincipal && t.place.named {
		out = append(out, s.tracePrincipal(ev, &t.place))
	}
	for i := range s.conditions {
		out = append(out, s.conditions[i].answered(ev, Matched))
	}
	return out
}

// implicitLayers are the layers that lack an allow which the decision needs, in
// the order in which AWS would report them (rules E39, M22 to M24).
func (e *explainer) implicitLayers() []LayerName {
	v, o := &e.o.verdict, &e.o
	var out []LayerName
	lacks := func(layer LayerName, m Match) {
		if m == NoMatch {
			out = append(out, layer)
		}
	}
	lacks(LayerRCP, v.rcpOk)
	lacks(LayerSCP, v.scpOk)
	lacks(LayerEndpoint, v.endpointOk)
	rb := e.resourceAllows()
	identity := v.identity.allows()
	switch {
	case o.grant != NoMatch:
	case retires(e.req.Action):
		lacks(LayerResource, NoMatch) // which grants and no policy allow
	case e.foreignObject(): // rule S16
		if o.rule != policyOnly {
			lacks(LayerIdentity, identity)
			lacks(LayerBoundary, v.boundaryOk)
			lacks(LayerSession, v.sessionOk)
		}
		lacks(LayerResource, e.objectOwnerAllows())
	case o.rule == policyOnly:
		lacks(LayerResource, rb[direct])
	case o.across == Matched:
		lacks(LayerIdentity, identity)
		lacks(LayerBoundary, v.boundaryOk)
		lacks(LayerSession, v.sessionOk)
		lacks(LayerResource, or(rb.any(), e.sharedWithAccount()))
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
		if e.halfOpen() { // rule S21
			lacks(LayerResource, rb.any())
		}
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
		for i := range e.trace {
			t := &e.trace[i]
			if t.Layer == layer && t.Allow == NoMatch && t.State == Applies {
				level := b
				level.Target = t.Target
				level.PolicyType = string(layer)
				e.nearest(&level, t)
				all = append(all, level)
			}
		}
		return all
	case LayerResource:
		b.Target, b.PolicyType = e.req.Resource.ARN, e.p.Resource.Type
		b.Note = e.resourceNote()
	case LayerEndpoint:
		b.Target, b.PolicyType = e.p.Endpoint.ID, "endpoint"
	default:
		b.Target = e.owner()
	}
	for i := range e.trace {
		if t := &e.trace[i]; t.Layer == layer {
			e.nearest(&b, t)
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
			x.explainer.nearest(&b, t)
			all = append(all, b)
		}
	}
	return all
}

// nearest ranks the Allow statements of a layer by how little keeps them
// from allowing (rule T94 of the event rules): few elements first, and among those a
// condition is less than a principal, a resource, an action.
func (e *explainer) nearest(b *Blocker, t *LayerTrace) {
	type ranked struct {
		policy *Policy
		s      *statement
		cost   int
	}
	var best [maxNearMisses]ranked
	n := 0
	ev := newEvaluation(t.req)
	_, isARN := splitSix(t.req.Resource.ARN) // so that it can be compared segment by segment
	for i := range t.layer.Policies {
		p := &t.layer.Policies[i]
		if p.Body == nil {
			continue
		}
		near := p.Body.candidates(&ev, t.place.shape).near
		for j := range near {
			limit := tooFar
			if n == maxNearMisses {
				limit = best[n-1].cost
			}
			cost := near[j].cost(&ev, &t.place, isARN, limit)
			if cost == 0 || cost >= limit {
				continue
			}
			if n < maxNearMisses {
				n++
			}
			k := n - 1
			for ; k > 0 && cost < best[k-1].cost; k-- {
				best[k] = best[k-1]
			}
			best[k] = ranked{p, near[j].statement, cost}
		}
	}
	ev.traced = true
	if n > 0 {
		b.NearMisses = make([]NearMiss, 0, n)
	}
	for _, r := range best[:n] {
		all := r.s.elements(&ev, &t.place)
		missing := all[:0]
		for i := range all {
			if all[i].Match == Matched {
				continue
			}
			missing = append(missing, all[i])
			if el := &missing[len(missing)-1]; el.Element == "Resource" {
				el.Note = nearestParting(el.Want, el.Got[0])
			}
		}
		b.NearMisses = append(b.NearMisses, NearMiss{Policy: r.policy, Statement: r.s.src, Mismatch: missing})
	}
	if len(b.NearMisses) > 0 {
		b.Policy = b.NearMisses[0].Policy
		if b.PolicyType == "" {
			b.PolicyType = b.Policy.Type
		}
	} else if len(t.layer.Policies) > 0 && b.Policy == nil {
		b.Policy = &t.layer.Policies[0]
		if b.PolicyType == "" {
			b.PolicyType = b.Policy.Type
		}
	}
}

// tooFar is the cost above which a statement has nothing to do with the request.
const tooFar = 60

// cost says how far a statement is from a match, 0 for one that matches or may; a resource that differs
// in one segment of its ARN only is nearer than one that has nothing in common. What is limit or more isn't
// reckoned to the end.
func (s nearStatement) cost(ev *evaluation, pl *place, isARN bool, limit int) int {
	cost, missed := 0, false
	add := func(m Match, c int) {
		if m != Matched {
			cost += c
		}
		missed = missed || m == NoMatch
	}
	if !s.matches {
		add(NoMatch, 30)
	}
	if missed && cost >= limit {
		return cost
	}
	if m := s.matchResource(ev, pl); m != Matched {
		far := 25
		if isARN && s.resourceARN {
			far = 20
		}
		add(m, far)
	}
	if pl.named && (cost < limit || !missed) {
		who := s.matchPrincipal(ev, pl)
		add(who.any(), 15)
	}
	for i := range s.conditions {
		if missed && cost >= limit {
			return cost
		}
		add(s.conditions[i].match(ev), 10)
	}
	if !missed {
		return 0
	}
	return cost
}

// hasService reports whether some action of the statement is of the service.
func (s *statement) hasService(service string) bool {
	for _, g := range s.actions {
		if len(g) > len(service) && g[len(service)] == ':' && string(g[:len(service)]) == service {
			return true
		}
	}
	return false
}

// unknowns lists what an indeterminate decision may hang on (rule U15): Deny
// statements that may apply, Allow statements that may where an allow is
// missing, and layers that nobody read.
func (e *explainer) unknowns() []unknown {
	var out []unknown
	for i := range e.trace {
		t := &e.trace[i]
		if e.settled(t.Layer) {
			continue
		}
		for j := range t.Statements {
			s := &t.Statements[j]
			if s.Match != Unknown || s.Statement.Effect == policy.Allow && e.granted(t) {
				continue
			}
			u := unknown{statement: forcedStatement{s.compiled, t.Layer, t.level}}
			ev := t.asked()
			for _, el := range s.compiled.elements(&ev, &t.place) {
				if el.Match != Unknown {
					continue
				}
				said := Undecided{Layer: t.Layer, Policy: s.Policy, Statement: s.Statement, Element: el, IfMatched: ExplicitDeny, IfNot: Allowed}
				if s.Statement.Effect == policy.Allow {
					said.IfMatched, said.IfNot = Allowed, ImplicitDeny
				}
				u.said = append(u.said, said)
			}
			same := slices.IndexFunc(out, func(o unknown) bool { return o.statement == u.statement })
			if same < 0 {
				out = append(out, u)
			}
		}
		if t.State == NotCollected || t.State == MayApply {
			level := t.level
			if t.layer != nil && len(t.layer.Policies) == 0 && t.layer.State == DoesNotApply {
				level = wholeHierarchy
			}
			u := missing(t.Layer, level, t.Layer, t.Missing)
			if t.State == MayApply {
				u.said = append(u.said, denying(t)...)
			}
			out = append(out, u)
		}
	}
	for layer, h := range map[LayerName]*Hierarchy{LayerRCP: &e.p.RCP, LayerSCP: &e.p.SCP} {
		if what, open := e.reachOpen(layer, h); open && !e.settled(layer) {
			u := missing(layer, wholeHierarchy, layer, what)
			for i := range e.trace {
				if e.trace[i].Layer == layer {
					u.said = append(u.said, denying(&e.trace[i])...)
				}
			}
			out = append(out, u)
		}
	}
	if e.o.across == Unknown && e.o.rule != policyOnly && e.o.grant == Unknown {
		out = append(out, missing(LayerService, atomOwner, LayerResource, "which account owns "+e.req.Resource.ARN))
	}
	if e.o.grant == Unknown {
		for _, what := range e.otherGrants() {
			u := missing(LayerService, atomOtherAllow, LayerResource, what)
			u.said[0].IfMatched, u.said[0].IfNot = Allowed, ImplicitDeny
			u.opaque = e.p.Resource.OtherAllow != Unknown
			out = append(out, u)
		}
	}
	if e.o.publicAccess == Unknown {
		u := missing(LayerService, 0, LayerService, publicAccessNote(e.req, e.p))
		u.said[0].IfMatched, u.said[0].IfNot, u.opaque = ExplicitDeny, Allowed, true
		out = append(out, u)
	}
	if e.o.service.open() {
		u := missing(LayerService, 0, LayerService, e.o.service.note)
		u.opaque = true
		out = append(out, u)
	}
	slices.SortStableFunc(out, func(a, b unknown) int { return layerRank(a.rank()) - layerRank(b.rank()) })
	return out
}

// denying are the statements of a layer that would deny if it applied.
func denying(t *LayerTrace) []Undecided {
	var all []Undecided
	for i := range t.Statements {
		if s := &t.Statements[i]; s.Match == Matched && s.Statement.Effect == policy.Deny {
			all = append(all, Undecided{Layer: t.Layer, Policy: s.Policy, Statement: s.Statement, Missing: t.Missing, IfMatched: ExplicitDeny, IfNot: Indeterminate})
		}
	}
	return all
}

// missing is an unknown that isn't a statement.
func missing(layer LayerName, level int, says LayerName, what string) unknown {
	return unknown{
		layer: forcedLayer{layer, level},
		said:  []Undecided{{Layer: says, Missing: what, IfMatched: Indeterminate, IfNot: Indeterminate}},
	}
}

func (u unknown) rank() LayerName {
	if len(u.said) == 0 {
		return u.statement.layer
	}
	return u.said[0].Layer
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
		return "whether the caller is one whom service control policies reach", e.scpReachUnknown()
	}
	return "whether resource control policies reach " + e.req.Action + " on this resource", rcpReaches(e.req, e.p) == Unknown
}

func (e *explainer) scpReachUnknown() bool {
	ev := e.evaluation()
	return ev.scpConcerns() == Unknown
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
		return e.o.verdict.scpDeny == NoMatch && e.o.verdict.scpOk == Matched
	case LayerRCP:
		return e.o.verdict.rcpDeny == NoMatch && e.o.verdict.rcpOk == Matched
	case LayerEndpoint:
		return e.o.verdict.endpoint.deny == NoMatch && e.o.verdict.endpointOk == Matched
	case LayerBoundary:
		return e.o.verdict.boundary.deny == NoMatch && e.o.verdict.boundaryOk == Matched
	case LayerSession:
		return e.o.verdict.session.deny == NoMatch && e.o.verdict.sessionOk == Matched
	case LayerIdentity:
		return e.o.verdict.identity.deny == NoMatch && (e.o.verdict.identity.allows() == Matched || e.o.grant == Matched)
	case LayerResource:
		return e.o.verdict.resource.deny == NoMatch && e.o.grant == Matched
	}
	return false
}

// notCollected lists the layers that an indeterminate decision hangs on
// because nobody read them.
func notCollected(undecided []Undecided) []Blocker {
	var out []Blocker
	seen := map[LayerName]bool{}
	for _, u := range undecided {
		if u.Policy == nil && !seen[u.Layer] {
			seen[u.Layer] = true
			out = append(out, Blocker{Layer: u.Layer, Kind: KindNotCollected, Note: u.Missing})
		}
	}
	return out
}
