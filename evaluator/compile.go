package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Compiled is a policy document made ready to be evaluated many times. It
// is immutable and may be shared by all goroutines; compile a document once
// and share it between all the principals that it is attached to.
type Compiled struct {
	doc        *policy.Document
	statements []statement
	// index holds, by service prefix in lower case, the statements that may apply to an action of the
	// service, and under "" those that may apply to an action of any other.
	index map[string][]int
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
	actions      []glob // in lower case; those of Action or of NotAction
	resources    []resourceGlob
	principals   []principalEntry
	conditions   []condition
	defects      []policy.Defect // found in compiling
	hasPrincipal bool
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
	c.index = indexOf(c.statements)
	return c
}

// candidates returns the statements that may apply to an action of a service, in the order of the text.
func (c *Compiled) candidates(service string) []int {
	if list, ok := c.index[service]; ok {
		return list
	}
	return c.index[""]
}

// maxIndex bounds the index of a document made to have a large one; such a document is
// searched from end to end.
const maxIndex = 1 << 16

func indexOf(statements []statement) map[string][]int {
	services := map[string]bool{"": true}
	of := make([]map[string]bool, len(statements)) // nil for a statement that any action may meet
	for i := range statements {
		of[i] = statements[i].services()
		for s := range of[i] {
			services[s] = true
		}
	}
	if len(services)*len(statements) > maxIndex {
		services, of = map[string]bool{"": true}, make([]map[string]bool, len(statements))
	}
	index := make(map[string][]int, len(services))
	for s := range services {
		for i := range statements {
			if of[i] == nil || of[i][s] {
				index[s] = append(index[s], i)
			}
		}
	}
	return index
}

// services are the prefixes of the actions that the statement may apply to; nil for any, which
// is also that of a statement whose meaning isn't known or hangs on its layer (rules G20, G21).
func (s *statement) services() map[string]bool {
	if s.uninterpretable || s.hasPrincipal || s.src.NotAction != nil || s.src.Resource == nil && s.src.NotResource == nil {
		return nil
	}
	all := map[string]bool{}
	for _, g := range s.actions {
		prefix, _, ok := strings.Cut(string(g), ":")
		if !ok || glob(prefix).wild() {
			return nil
		}
		all[prefix] = true
	}
	return all
}

func compileStatement(src *policy.Statement, variables bool) statement {
	s := statement{src: src, uninterpretable: len(src.Defects) > 0}
	defect := func(pos policy.Pos, msg string) {
		s.defects = append(s.defects, policy.Defect{Pos: pos, Msg: msg})
		s.uninterpretable = true
	}
	for _, list := range []*policy.List{src.Action, src.NotAction} {
		if list == nil {
			continue
		}
		for _, a := range list.Values {
			if a.Value != "*" && !strings.Contains(a.Value, ":") { // rule A3
				defect(a.Pos, "action "+quote(a.Value)+" has no service prefix: want service:Action")
			}
			s.actions = append(s.actions, newGlob(strings.ToLower(a.Value)))
		}
	}
	for _, list := range []*policy.List{src.Resource, src.NotResource} {
		if list == nil {
			continue
		}
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
	return s
}

func quote(s string) string { return `"` + s + `"` }

// A place is where a statement is evaluated: what its layer makes of its elements.
type place struct {
	layer LayerName
	typ   string
	// hasBoundary is whether the caller's user or role has a permissions boundary (rule P19).
	hasBoundary Match
	// gateway is whether the layer is a gateway endpoint's policy (rule E34).
	gateway Match
}

// named reports whether the layer's statements name principals.
func (pl place) named() bool {
	switch pl.layer {
	case LayerResource, LayerRCP, LayerEndpoint:
		return true
	}
	return false
}

// expandsShort reports whether the layer reads a short ARN as if * followed (rule R8).
func (pl place) expandsShort() bool {
	switch pl.layer {
	case LayerIdentity, LayerSession, LayerBoundary:
		return true
	}
	return false
}

// illFitting reports whether a statement has elements that its layer refuses,
// or lacks ones that it requires, so that AWS would never have stored it (rule
// G20, table 1.2).
func (s *statement) illFitting(pl place) bool {
	noResource := s.src.Resource == nil && s.src.NotResource == nil
	switch pl.layer {
	case LayerIdentity, LayerBoundary, LayerSession, LayerSCP:
		return s.hasPrincipal || noResource
	case LayerRCP:
		return s.src.Principal == nil || noResource
	case LayerResource:
		return pl.typ == "trust" && !noResource
	}
	return false
}

// evaluate says whether the statement applies to the request, for each grade
// in which it names the caller. With a trace it asks every question; without,
// it stops at the first that fails.
func (s *statement) evaluate(req *Request, pl place, trace *StatementTrace) (g byGrade) {
	if s.uninterpretable || s.illFitting(pl) {
		if trace != nil {
			trace.Match = Unknown
			trace.Elements = []ElementTrace{{Element: "Statement", Pos: s.src.Pos, Match: Unknown, Note: s.whyUninterpretable(pl)}}
		}
		g[direct] = Unknown
		return g
	}
	rest := Matched
	step := func(m Match, t func() ElementTrace) bool {
		rest = and(rest, m)
		if trace != nil {
			e := t()
			e.Match = m
			trace.Elements = append(trace.Elements, e)
			return true
		}
		return rest != NoMatch
	}
	if !step(s.matchAction(req), func() ElementTrace { return s.traceAction(req) }) {
		return g
	}
	if !step(s.matchResource(req, pl), func() ElementTrace { return s.traceResource(req) }) {
		return g
	}
	who := s.matchPrincipal(req, pl)
	if pl.named() && !step(who.any(), func() ElementTrace { return s.tracePrincipal(req) }) {
		return g
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		m, note := c.match(&req.Context)
		if !step(m, func() ElementTrace { return c.trace(m, note, &req.Context) }) {
			return g
		}
	}
	for i := range g {
		g[i] = and(rest, who[i])
	}
	if trace != nil {
		trace.Match = g.any()
	}
	return g
}

func (s *statement) whyUninterpretable(pl place) string {
	for _, d := range [][]policy.Defect{s.src.Defects, s.defects} {
		if len(d) > 0 {
			return d[0].Msg
		}
	}
	if s.uninterpretable {
		return "the document has an element that doesn't exist"
	}
	switch {
	case s.hasPrincipal && !pl.named():
		return "Principal isn't allowed in this type of policy"
	case pl.layer == LayerResource:
		return "Resource isn't allowed in a role's trust policy"
	}
	return "Principal or Resource is missing"
}

// matchAction serves rules A1 to A5.
func (s *statement) matchAction(req *Request) Match {
	m := false
	for _, g := range s.actions {
		if g.matchFold(req.Action) {
			m = true
			break
		}
	}
	return known(m != (s.src.NotAction != nil))
}

// matchResource serves rules R1 to R16.
func (s *statement) matchResource(req *Request, pl place) Match {
	if s.src.Resource == nil && s.src.NotResource == nil {
		return Matched // the resource that the policy is attached to (rule R13)
	}
	m := NoMatch
	for i := range s.resources {
		m = or(m, s.resources[i].match(&req.Resource, &req.Context, pl.expandsShort()))
	}
	if s.src.NotResource != nil {
		return not(m) // rule R11
	}
	return m
}

// matchPrincipal serves rules P3 to P21. In layers that name no principals, everybody matches.
func (s *statement) matchPrincipal(req *Request, pl place) (g byGrade) {
	switch {
	case !pl.named():
		g[direct] = Matched
	case s.src.NotPrincipal != nil:
		g[direct] = matchNotPrincipal(s.principals, &req.Principal, req.Context.Open, s.src.Effect, pl.hasBoundary)
	case pl.layer == LayerEndpoint:
		return s.matchEndpointPrincipal(req, pl)
	default: // a statement without Principal matches nobody (rule P21)
		return matchPrincipals(s.principals, &req.Principal, req.Context.Open)
	}
	return g
}

// matchEndpointPrincipal: in a gateway endpoint's policy an account means its root user only (rule E34).
func (s *statement) matchEndpointPrincipal(req *Request, pl place) (g byGrade) {
	for i := range s.principals {
		e := &s.principals[i]
		m, at := e.match(&req.Principal, req.Context.Open)
		if e.form == formAccount && req.Principal.Type != Root {
			m = and(m, not(pl.gateway))
		}
		g.add(at, m)
	}
	return g
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
		return ElementTrace{Element: "NotAction", Pos: s.src.NotAction.Pos, Want: texts(s.src.NotAction), Got: []string{req.Action}}
	}
	return ElementTrace{Element: "Action", Pos: s.src.Action.Pos, Want: texts(s.src.Action), Got: []string{req.Action}}
}

func (s *statement) traceResource(req *Request) ElementTrace {
	got := []string{req.Resource.ARN}
	switch {
	case s.src.NotResource != nil:
		return ElementTrace{Element: "NotResource", Pos: s.src.NotResource.Pos, Want: texts(s.src.NotResource), Got: got}
	case s.src.Resource == nil:
		return ElementTrace{Element: "Resource", Got: got}
	}
	return ElementTrace{Element: "Resource", Pos: s.src.Resource.Pos, Want: texts(s.src.Resource), Got: got}
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

func (s *statement) tracePrincipal(req *Request) ElementTrace {
	t := ElementTrace{Element: "Principal", Pos: s.src.Pos, Got: []string{principalName(&req.Principal)}}
	from := s.src.Principal
	if s.src.NotPrincipal != nil {
		t.Element, from = "NotPrincipal", s.src.NotPrincipal
	}
	if from != nil {
		t.Pos = from.Pos
		for _, e := range from.Entries {
			t.Want = append(t.Want, e.Value.Value)
		}
	}
	return t
}

func principalName(p *Principal) string {
	if p.Type == Anonymous {
		return "anonymous"
	}
	return p.ARN
}
