package evaluator

import (
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Compiled is a policy document made ready to be evaluated many times. It
// is immutable, but for what it remembers, and may be shared by all goroutines; compile a document once
// and share it between all the principals that it is attached to.
type Compiled struct {
	doc        *policy.Document
	statements []statement
	// memory holds, by action, the statements that may apply to it.
	memory atomic.Pointer[[]atomic.Pointer[candidates]]
}

// Document returns the document as it was parsed.
func (c *Compiled) Document() *policy.Document { return c.doc }

// Defects returns what makes statements of the document uninterpretable: what the parser
// found, and operators and variables that don't exist (rule G21).
func (c *Compiled) Defects() []policy.Defect {
	all := c.doc.AllDefects()
	for i := range c.statements {
		all = append(all, c.statements[i].defects...)
	}
	return all
}

// A statement is one statement, its patterns and conditions read once.
type statement struct {
	src          *policy.Statement
	effect       policy.Effect
	actions      []glob // in lower case; those of Action or of NotAction
	resources    []resourceGlob
	principals   []principalEntry
	conditions   []condition
	defects      []policy.Defect // found in compiling
	anyAction    bool            // Action holds *
	anyResource  bool            // Resource holds *, or there is none (rules R1, R13)
	unfit        [shapes]bool    // it doesn't fit into the layer (rule G20)
	resourceARN  bool            // Resource has an ARN of six segments
	notAction    bool
	notResource  bool
	noResource   bool // neither Resource nor NotResource
	hasPrincipal bool // Principal or NotPrincipal
	notPrincipal bool
	// The elements as written, for explanations.
	wantActions, wantResources, wantPrincipals []string
	// uninterpretable says that whether the statement applies can't be known (rule G21).
	uninterpretable bool
}

// Compile makes a document ready to be evaluated.
func Compile(doc *policy.Document) *Compiled {
	c := &Compiled{doc: doc, statements: make([]statement, len(doc.Statements))}
	variables := doc.Version.Value == policy.Version2012 // rules G10, G11, V1
	for i := range doc.Statements {
		c.statements[i] = compileStatement(&doc.Statements[i], variables)
		if len(doc.Defects) > 0 {
			c.statements[i].uninterpretable = true
		}
	}
	return c
}

// How many actions a document remembers: what was found is put in its place, and what was
// there before is forgotten, so that hostile input can't make it grow. Powers of two.
const (
	fewStatements = 4
	fewActions    = 32
	manyActions   = 256
)

// candidates are the statements of a document that an action in a kind of
// layer leaves in question: those that may deny and those that may allow.
type candidates struct {
	action unique.Handle[string]
	shape  shape
	all    []*statement
	deny   []*statement
	allow  []*statement
	odd    bool // one of them can't be interpreted, or doesn't fit into the layer
	// denyLeads and allowLeads are deny and allow by how their resources begin; nil if they are few.
	denyLeads, allowLeads *leads
	// near are the Allow statements that have something to do with the action: those that may be near misses (rule T94).
	near []nearStatement
}

// A nearStatement is an Allow statement that speaks of the action, or of others of its service.
type nearStatement struct {
	*statement
	matches bool // its action part holds
}

func (c *Compiled) newMemory() *[]atomic.Pointer[candidates] {
	n := fewActions
	if len(c.statements) > fewStatements {
		n = manyActions
	}
	m := make([]atomic.Pointer[candidates], n)
	c.memory.Store(&m)
	return &m
}

// A shape is a kind of layer, as far as it decides which statements are ill-fitting.
type shape int8

const (
	shapeUnnamed shape = iota // identity, boundary, session, SCP
	shapeRCP
	shapeResource
	shapeTrust
	shapeEndpoint
	shapes // how many there are
)

func (c *Compiled) candidates(ev *evaluation, s shape) *candidates {
	m := c.memory.Load()
	if m == nil {
		m = c.newMemory()
	}
	slot := &(*m)[(ev.action.hash>>32+uint64(s))&uint64(len(*m)-1)]
	if found := slot.Load(); found != nil && found.action == ev.action.id && found.shape == s {
		return found
	}
	found := &candidates{action: ev.action.id, shape: s}
	for i := range c.statements {
		st := &c.statements[i]
		odd := st.uninterpretable || st.illFitting(s)
		matches := !odd && st.matchAction(ev.req.Action) == Matched
		if st.effect == policy.Allow && !odd && (matches || st.hasService(ev.action.service)) {
			found.near = append(found.near, nearStatement{st, matches})
		}
		if !odd && !matches {
			continue
		}
		found.all = append(found.all, st)
		found.odd = found.odd || odd
		if st.effect != policy.Allow {
			found.deny = append(found.deny, st)
		}
		if st.effect != policy.Deny {
			found.allow = append(found.allow, st)
		}
	}
	if s == shapeUnnamed && !found.odd {
		found.denyLeads, found.allowLeads = newLeads(found.deny), newLeads(found.allow)
	}
	slot.Store(found)
	return found
}

func compileStatement(src *policy.Statement, variables bool) statement {
	s := statement{
		src: src, effect: src.Effect, uninterpretable: len(src.Defects) > 0,
		notAction: src.NotAction != nil, notResource: src.NotResource != nil, notPrincipal: src.NotPrincipal != nil,
		noResource: src.Resource == nil && src.NotResource == nil,
	}
	defect := func(pos policy.Pos, msg string) {
		s.defects = append(s.defects, policy.Defect{Pos: pos, Msg: msg})
		s.uninterpretable = true
	}
	for _, list := range []*policy.List{src.Action, src.NotAction} {
		if list == nil {
			continue
		}
		s.wantActions = texts(list)
		for _, a := range list.Values {
			if a.Value != "*" && !strings.Contains(a.Value, ":") { // rule A3
				defect(a.Pos, "action "+quote(a.Value)+" has no service prefix: want service:Action")
			}
			s.actions = append(s.actions, newGlob(strings.ToLower(a.Value)))
			s.anyAction = s.anyAction || a.Value == "*"
		}
	}
	for _, list := range []*policy.List{src.Resource, src.NotResource} {
		if list == nil {
			continue
		}
		s.wantResources = texts(list)
		for _, r := range list.Values {
			g, err := newResourceGlob(r.Value, variables)
			if err != nil {
				defect(r.Pos, err.Error())
			}
			s.resources = append(s.resources, g)
		}
	}
	for _, p := range []*policy.Principals{src.Principal, src.NotPrincipal} {
		if p == nil {
			continue
		}
		s.hasPrincipal = true
		for _, e := range p.Entries {
			s.principals = append(s.principals, newPrincipalEntry(e))
			s.wantPrincipals = append(s.wantPrincipals, e.Value.Value)
		}
	}
	for i := range src.Condition {
		c, err := newCondition(&src.Condition[i], variables)
		if err != nil {
			defect(src.Condition[i].OperatorPos, err.Error())
			continue
		}
		s.conditions = append(s.conditions, c)
	}
	s.fit()
	s.resourceARN = !s.notResource && slices.ContainsFunc(s.resources, func(r resourceGlob) bool { return r.isARN })
	s.anyResource = s.noResource || !s.notResource && slices.ContainsFunc(s.resources, func(r resourceGlob) bool { return r.all })
	return s
}

func quote(s string) string { return `"` + s + `"` }

// A place is where a statement is evaluated: what its layer makes of its elements.
type place struct {
	layer LayerName
	shape shape
	// named says that the layer's statements name principals.
	named bool
	// expandsShort says that the layer reads a short ARN as if * followed (rule R8).
	expandsShort bool
	// hasBoundary is whether the caller's user or role has a permissions boundary (rule P19).
	hasBoundary Match
	// gateway is whether the layer is a gateway endpoint's policy (rule E34).
	gateway Match
}

// The places of layers that don't depend on the request.
var (
	placeIdentity = place{layer: LayerIdentity, expandsShort: true}
	placeBoundary = place{layer: LayerBoundary, expandsShort: true}
	placeSession  = place{layer: LayerSession, expandsShort: true}
	placeSCP      = place{layer: LayerSCP}
	placeRCP      = place{layer: LayerRCP, shape: shapeRCP, named: true}
)

// illFitting reports whether a statement has elements that its layer refuses,
// or lacks ones that it requires, so that AWS would never have stored it (rule
// G20, table 1.2).
func (s *statement) illFitting(in shape) bool { return s.unfit[in] }

func (s *statement) fit() {
	s.unfit[shapeUnnamed] = s.hasPrincipal || s.noResource
	s.unfit[shapeRCP] = !s.hasPrincipal || s.notPrincipal || s.noResource || s.notAction
	s.unfit[shapeTrust] = !s.noResource || s.notPrincipal // rule P20
}

// evaluate says whether the statement, whose action part holds, applies to the request, for each grade
// in which it names the caller.
func (s *statement) evaluate(ev *evaluation, pl *place) (g byGrade) {
	if ev.forced != nil {
		if m, ok := ev.forced.statements[forcedStatement{s, pl.layer, ev.level}]; ok {
			return s.laidDown(ev, pl, m)
		}
	}
	if s.uninterpretable || s.illFitting(pl.shape) {
		g[direct] = ev.assume(assumeG21, Unknown)
		return g
	}
	if !pl.named {
		g[direct] = s.holds(ev, pl)
		return g
	}
	if g = s.matchPrincipal(ev, pl); g.any() == NoMatch {
		return g
	}
	switch rest := s.holds(ev, pl); rest {
	case NoMatch:
		return byGrade{}
	case Unknown:
		for i := range g {
			g[i] = and(rest, g[i])
		}
	}
	return g
}

// holds says whether the resource and condition parts hold.
func (s *statement) holds(ev *evaluation, pl *place) Match {
	m := Matched
	if !s.anyResource {
		if m = s.matchResource(ev, pl); m == NoMatch {
			return m
		}
	}
	for i := range s.conditions {
		if m = and(m, s.conditions[i].match(ev)); m == NoMatch {
			return m
		}
	}
	return m
}

// laidDown is the statement's answer where it is given, in each grade in which it may name the caller.
func (s *statement) laidDown(ev *evaluation, pl *place, m Match) (g byGrade) {
	if !pl.named || s.uninterpretable || s.illFitting(pl.shape) {
		g[direct] = m
		return g
	}
	for i, who := range s.matchPrincipal(ev, pl) {
		if who != NoMatch {
			g[i] = m
		}
	}
	return g
}

func (s *statement) whyUninterpretable(pl *place) string {
	for _, d := range [][]policy.Defect{s.src.Defects, s.defects} {
		if len(d) > 0 {
			return d[0].Msg
		}
	}
	if s.uninterpretable {
		return "the document has an element that doesn't exist"
	}
	switch {
	case s.hasPrincipal && !pl.named:
		return "Principal isn't allowed in this type of policy"
	case pl.shape == shapeTrust:
		return "neither Resource nor NotPrincipal is allowed in a role's trust policy"
	case pl.shape == shapeRCP && (s.notAction || s.notPrincipal):
		return "neither NotAction nor NotPrincipal is allowed in a resource control policy"
	}
	return "Principal or Resource is missing"
}

// matchAction serves rules A1 to A5.
func (s *statement) matchAction(action string) Match {
	m := s.anyAction
	for i := 0; !m && i < len(s.actions); i++ {
		if s.actions[i].matchFold(action) {
			m = true
		}
	}
	return known(m != s.notAction)
}

// matchResource serves rules R1 to R16.
func (s *statement) matchResource(ev *evaluation, pl *place) Match {
	if s.noResource {
		return Matched // the resource that the policy is attached to (rule R13)
	}
	m := NoMatch
	for i := range s.resources {
		if m = or(m, s.resources[i].match(ev, pl.expandsShort)); m == Matched {
			break
		}
	}
	if !s.notResource {
		return m
	}
	if ev.careful() {
		return s.notResourceCorners(ev, m)
	}
	return not(m) // rule R11
}

// notResourceCorners notes what AWS doesn't say of NotResource: an empty list (G15), an action
// without a resource (R11), an entry without a value (R16).
func (s *statement) notResourceCorners(ev *evaluation, m Match) Match {
	if m != NoMatch {
		return not(m)
	}
	out := ev.assumeIf(len(s.resources) == 0, assumeG15, Matched)
	out = and(out, ev.assumeIf(ev.req.Resource.ARN == "*", assumeR11, Matched))
	for i := range s.resources {
		if t := s.resources[i].template; t != nil {
			if _, sure := t.appendTo(nil, ev); sure == NoMatch {
				out = and(out, ev.assume(assumeR16, Matched))
			}
		}
	}
	return out
}

// matchPrincipal serves rules P3 to P21.
func (s *statement) matchPrincipal(ev *evaluation, pl *place) (g byGrade) {
	switch {
	case s.notPrincipal:
		g[direct] = matchNotPrincipal(s.principals, ev, s.effect, pl.hasBoundary)
		if pl.shape == shapeEndpoint && g[direct] == NoMatch {
			g[direct] = s.exemptAtEndpoint(ev, pl)
		}
	case !s.hasPrincipal:
		g[direct] = ev.assume(assumeP21, NoMatch)
	case pl.shape == shapeEndpoint:
		return s.matchEndpointPrincipal(ev, pl)
	default:
		return matchPrincipals(s.principals, ev)
	}
	return g
}

// matchEndpointPrincipal: in a gateway endpoint's policy an account means its root user only. What a user's or
// role's ARN means there AWS doesn't say, but that aws:PrincipalArn is the way to name them (rule E34).
//
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func (s *statement) matchEndpointPrincipal(ev *evaluation, pl *place) (g byGrade) {
	for i := range s.principals {
		e := &s.principals[i]
		m, at := e.match(ev)
		switch {
		case e.form.isIdentity():
			m = and(m, or(not(pl.gateway), Unknown))
		case e.form != formAccount || ev.req.Principal.Type == Root:
		case ev.req.Principal.Type == UnknownPrincipal: // it may be the root user
			m = and(m, or(not(pl.gateway), Unknown))
		default:
			m = and(m, not(pl.gateway))
		}
		g.add(at, m)
	}
	return g
}

// exemptAtEndpoint is what becomes of a caller whom NotPrincipal lists in full: in a gateway endpoint's policy neither a user's or
// role's ARN nor an account is known to stand for it, but for root (rule E34).
func (s *statement) exemptAtEndpoint(ev *evaluation, pl *place) Match {
	switch ev.req.Principal.Type {
	case Root, Service, Anonymous, WebIdentity, SAML:
		return NoMatch
	}
	if pl.gateway == NoMatch || slices.ContainsFunc(s.principals, func(e principalEntry) bool { return e.form == formAll }) {
		return NoMatch
	}
	return Unknown
}

// elements are the questions that the statement asks of the request, all of them, with their answers.
func (s *statement) elements(ev *evaluation, pl *place) []ElementTrace {
	if s.uninterpretable || s.illFitting(pl.shape) {
		return []ElementTrace{{Element: "Statement", Pos: s.src.Pos, Match: Unknown, Note: s.whyUninterpretable(pl)}}
	}
	all := make([]ElementTrace, 0, 3+len(s.conditions))
	all = append(all, s.traceAction(ev.req), s.traceResource(ev, pl))
	if pl.named {
		all = append(all, s.tracePrincipal(ev, pl))
	}
	for i := range s.conditions {
		all = append(all, s.conditions[i].trace(ev))
	}
	return all
}

func texts(list *policy.List) []string {
	out := make([]string, len(list.Values))
	for i, v := range list.Values {
		out[i] = v.Value
	}
	return out
}

func (s *statement) traceAction(req *Request) ElementTrace {
	if s.src.NotAction != nil {
		return ElementTrace{Element: "NotAction", Pos: s.src.NotAction.Pos, Match: s.matchAction(req.Action), Want: s.wantActions, Got: []string{req.Action}}
	}
	return ElementTrace{Element: "Action", Pos: s.src.Action.Pos, Match: s.matchAction(req.Action), Want: s.wantActions, Got: []string{req.Action}}
}

func (s *statement) traceResource(ev *evaluation, pl *place) ElementTrace {
	t := ElementTrace{Element: "Resource", Match: s.matchResource(ev, pl), Got: []string{ev.req.Resource.ARN}}
	list := s.src.Resource
	if s.notResource {
		t.Element, list = "NotResource", s.src.NotResource
	}
	if list != nil {
		t.Pos, t.Want = list.Pos, s.wantResources
	}
	return t
}

// nearestParting says where the pattern that agrees in most segments parts from the ARN.
func nearestParting(patterns []string, arn string) string {
	best, where := -1, ""
	for _, p := range patterns {
		if segment, agree := parting(p, arn); segment != "" && agree > best {
			best, where = agree, segment
		}
	}
	return where
}

func (s *statement) tracePrincipal(ev *evaluation, pl *place) ElementTrace {
	who := s.matchPrincipal(ev, pl)
	t := ElementTrace{Element: "Principal", Pos: s.src.Pos, Match: who.any(), Got: []string{principalName(&ev.req.Principal)}}
	from := s.src.Principal
	if s.src.NotPrincipal != nil {
		t.Element, from = "NotPrincipal", s.src.NotPrincipal
	}
	if from != nil {
		t.Pos, t.Want = from.Pos, s.wantPrincipals
	}
	return t
}

func principalName(p *Principal) string {
	if p.Type == Anonymous {
		return "anonymous"
	}
	return p.ARN
}
