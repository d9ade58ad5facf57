package evaluator

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// The reference evaluator: sections 2 to 8 and 10 of the evaluation rules, written down
// as plainly as they are stated. It shares nothing with what it is held against but the types of
// requests and policies: everything is read anew for each statement, every list is
// walked to its end, and every wildcard tries everything. Where a rule leaves
// room for cleverness about unknowns, it is pure strong Kleene logic (section 10.1).

// refEvaluate decides a request.
func refEvaluate(req *Request, p *Policies) Decision {
	x := &ref{req: req, p: p, ctx: &req.Context}
	if d, ok := x.serviceRule(); ok {
		return d
	}
	var answers []refAnswer
	for _, cross := range x.whetherCross() {
		for _, mandatory := range x.whetherMandatory() {
			answers = append(answers, x.decide(cross, mandatory))
		}
	}
	// E26: evaluate the variants, answer only what they agree on.
	a := answers[0]
	for _, b := range answers[1:] {
		a.deny, a.allowed = agreed(a.deny, b.deny), agreed(a.allowed, b.allowed)
	}
	if takes := x.unsigned(); takes == NoMatch {
		return ExplicitDeny
	} else {
		a.allowed = all3(a.allowed, takes)
	}
	switch { // U11
	case a.allowed == Matched:
		return Allowed
	case a.allowed == Unknown:
		return Indeterminate
	case a.deny == Matched:
		return ExplicitDeny
	}
	return ImplicitDeny
}

// A ref is one question to the reference.
type ref struct {
	req *Request
	p   *Policies
	ctx *Context
}

// A refAnswer is AnyDeny and Allowed of section 7.3.
type refAnswer struct{ deny, allowed Match }

// agreed is what two variants have in common.
func agreed(a, b Match) Match {
	if a == b {
		return a
	}
	return Unknown
}

func all3(list ...Match) Match { // AND
	m := Matched
	for _, v := range list {
		m = min(m, v)
	}
	return m
}

func any3(list ...Match) Match { // OR
	m := NoMatch
	for _, v := range list {
		m = max(m, v)
	}
	return m
}

func not3(m Match) Match { return Matched - m }

func sure(b bool) Match {
	if b {
		return Matched
	}
	return NoMatch
}

// ---- Section 7: the decision ----

// serviceRule serves S9, S10, S13 and S14: what no policy decides.
func (x *ref) serviceRule() (Decision, bool) {
	action, who := strings.ToLower(x.req.Action), x.req.Principal.Type
	service, _, _ := strings.Cut(action, ":")
	switch {
	case action == "sts:getcalleridentity" && who != Anonymous: // S9
		return Allowed, true
	case action == "sts:getsessiontoken" && (who == User || who == Root): // S10
		return Allowed, true
	case (action == "sts:getsessiontoken" || action == "sts:getfederationtoken") && who == AssumedRole: // S13
		return ExplicitDeny, true
	case (service == "iam" || service == "sts") && who == FederatedUser: // S13
		return ExplicitDeny, true
	}
	return 0, false
}

// unsigned is E30: does the action take calls that nobody signed?
func (x *ref) unsigned() Match {
	if x.req.Principal.Type != Anonymous {
		return Matched
	}
	switch service, name, _ := strings.Cut(strings.ToLower(x.req.Action), ":"); {
	case service == "s3" || service == "sqs" || service == "sns":
		return Matched
	case service == "lambda" && name == "invokefunction": // by a function URL, which says so
		v := x.ctx.Lookup("lambda:InvokedViaFunctionUrl")
		switch v.State {
		case Absent:
			return NoMatch
		case Present:
			return sure(len(v.Values) == 1 && strings.EqualFold(v.Values[0], "true"))
		}
	}
	return Unknown
}

// whetherCross is E26: is the caller's account the owner's? Both, if that isn't known.
func (x *ref) whetherCross() []bool {
	caller, owner := x.req.Principal.Account, x.req.Resource.Account
	switch x.req.Principal.Type {
	case Service, Anonymous, WebIdentity, SAML:
		return []bool{false} // no account of their own: section 7.5
	}
	if x.req.Resource.ARN == "*" && !x.req.Resource.Pattern && owner == "" {
		return []bool{false} // E26: resource-less actions belong to the caller's account
	}
	if caller == "" || owner == "" {
		return []bool{false, true}
	}
	return []bool{caller != owner}
}

// whetherMandatory is S1 and S5: must the resource's policy allow?
func (x *ref) whetherMandatory() []bool {
	action := strings.ToLower(x.req.Action)
	switch action {
	case "sts:assumerole", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity":
		return []bool{true} // S5, S7, S8
	}
	if !strings.HasPrefix(action, "kms:") {
		return []bool{false}
	}
	// S1: a check on a key. Actions without a key, and aliases, are ordinary (S4).
	arn := refLiteral(x.req.Resource.ARN)
	if x.req.Resource.Pattern {
		arn = refWild(x.req.Resource.ARN)
	}
	if x.req.Resource.ARN == "" {
		arn = refWild("arn:*:kms:*:*:key/*") // every kms action of these tests is about a key
	}
	switch refCompare(refWild("arn:*:kms:*:*:key/*"), arn) {
	case Matched:
		return []bool{true}
	case NoMatch:
		return []bool{false}
	}
	return []bool{false, true}
}

// decide is the formulas of sections 7.3 to 7.5, S1 and S5.
func (x *ref) decide(cross, mandatory bool) refAnswer {
	who := &x.req.Principal
	identity, boundary, session := x.identityLayers()
	rb, rbApplies := x.layer(&x.p.Resource.Layer, refPlace{layer: LayerResource, typ: x.p.Resource.Type})
	vpce, vpceApplies := x.layer(&x.p.Endpoint.Layer, refPlace{layer: LayerEndpoint})
	scpDeny, scpOK := x.hierarchy(&x.p.SCP, LayerSCP, x.scpReaches())
	rcpDeny, rcpOK := x.hierarchy(&x.p.RCP, LayerRCP, rcpReaches(x.req, x.p))

	RB := rb.allow.and(rbApplies) // U7, U19
	rbDeny := all3(rb.deny, rbApplies)
	if who.Type == Root && !cross && x.keepsBucketPolicy() {
		rbDeny = NoMatch // S19
		RB.direct = Matched
	}
	vpceOK := any3(vpce.allow.best(), not3(vpceApplies)) // E36: all grades count
	anyDeny := any3(identity.deny, boundary.deny, session.deny, rbDeny, scpDeny, rcpDeny, all3(vpce.deny, vpceApplies))

	ID, PBok, SPok := identity.ok, boundary.ok, session.ok
	limits := all3(PBok, SPok)
	var grant Match
	switch {
	case who.Type == Service || who.Type == Anonymous || who.Type == WebIdentity || who.Type == SAML:
		grant = all3(RB.direct, rcpOK) // E27, E30, S8
	case cross: // E21
		callerSide := all3(ID, PBok, SPok, scpOK)
		ownerSide := all3(RB.best(), rcpOK)
		grant = all3(callerSide, ownerSide)
	case mandatory: // S1, S5
		grant = any3(RB.direct, all3(RB.role, limits), all3(RB.parent, limits), all3(RB.account, ID, limits))
		grant = all3(grant, scpOK, rcpOK)
	default: // E13
		grant = any3(RB.direct, all3(RB.role, limits), all3(RB.parent, limits), all3(ID, limits))
		grant = all3(grant, scpOK, rcpOK)
	}
	return refAnswer{deny: anyDeny, allowed: all3(not3(anyDeny), grant, vpceOK)}
}

// keepsBucketPolicy says whether the action is one of S19.
func (x *ref) keepsBucketPolicy() bool {
	switch strings.ToLower(x.req.Action) {
	case "s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy":
		return true
	}
	return false
}

// A refIdentityLayer is a layer of the caller's own: what it denies, and
// whether it is content (A(ID), PBok, SPok of section 7.3).
type refIdentityLayer struct{ deny, ok Match }

// identityLayers is E6, E7 and E8.
func (x *ref) identityLayers() (identity, boundary, session refIdentityLayer) {
	who := &x.req.Principal
	switch who.Type {
	case Root, User, AssumedRole, FederatedUser:
	default:
		return // section 7.5: none
	}
	a, applies := x.layer(&x.p.Identity, refPlace{layer: LayerIdentity})
	identity = refIdentityLayer{all3(a.deny, applies), all3(a.allow.best(), applies)}
	if who.Type == Root {
		identity.ok = Matched // E6, E31
	}
	a, applies = x.layer(&x.p.Boundary, refPlace{layer: LayerBoundary})
	applies = all3(applies, not3(x.serviceLinked())) // E7, E28
	boundary = refIdentityLayer{all3(a.deny, applies), any3(a.allow.best(), not3(applies))}
	a, applies = x.layer(&x.p.Session, refPlace{layer: LayerSession})
	session = refIdentityLayer{all3(a.deny, applies), any3(a.allow.best(), not3(applies))}
	if who.Type == FederatedUser {
		session.ok = all3(a.allow.best(), applies) // E8: without one, nothing is allowed
	}
	return identity, boundary, session
}

// serviceLinked is E28 and X24: a role whose path is /aws-service-role/.
func (x *ref) serviceLinked() Match {
	who := &x.req.Principal
	if who.Type != AssumedRole {
		return NoMatch
	}
	if strings.Contains(who.RoleARN, ":role/aws-service-role/") {
		return Matched
	}
	if who.RoleARN != "" && !who.RolePathUnknown {
		return NoMatch
	}
	// Every service-linked role has this prefix, though not every role with it is one.
	if strings.Contains(who.ARN, "/AWSServiceRoleFor") || who.ARN == "" {
		return Unknown
	}
	return NoMatch
}

// scpReaches is E10.
func (x *ref) scpReaches() Match {
	switch x.req.Principal.Type {
	case User, Root, FederatedUser:
		return Matched
	case AssumedRole:
		return not3(x.serviceLinked())
	}
	return NoMatch
}

// A refLayerAnswer is D(L) and A(L), by grade.
type refLayerAnswer struct {
	deny  Match
	allow refGrades
}

// layer is U5, U6 and the first half of U7: what the statements say, and whether the layer applies.
func (x *ref) layer(l *Layer, at refPlace) (a refLayerAnswer, applies Match) {
	switch l.State {
	case DoesNotApply:
		return a, NoMatch
	case MayApply:
		applies = Unknown
	case Applies:
		applies = Matched
	case NotCollected: // U6: a statement of both effects that may apply
		applies = Matched
		a.deny, a.allow = Unknown, refEvery(Unknown)
	}
	for _, p := range l.Policies {
		d := p.Body.Document()
		for i := range d.Statements {
			s := &d.Statements[i]
			m := x.statement(d, s, at)
			if s.Effect != policy.Allow {
				a.deny = any3(a.deny, m.best())
			}
			if s.Effect != policy.Deny {
				a.allow = a.allow.or(m)
			}
		}
	}
	return a, applies
}

// hierarchy is E33 and E35: a Deny at any level denies, and every level must allow.
func (x *ref) hierarchy(h *Hierarchy, name LayerName, reaches Match) (deny, ok Match) {
	applies := reaches
	ok = Matched
	switch h.State {
	case DoesNotApply: // E37
		return NoMatch, Matched
	case MayApply:
		applies = all3(applies, Unknown)
	case NotCollected: // U6
		deny, ok = Unknown, Unknown
	}
	for i := range h.Levels {
		a, at := x.layer(&h.Levels[i].Layer, refPlace{layer: name})
		deny = any3(deny, all3(a.deny, at))
		ok = all3(ok, any3(a.allow.best(), not3(at)))
	}
	if name == LayerRCP {
		ok = Matched // E35: RCPFullAWSAccess is at every level
	}
	return all3(deny, applies), any3(ok, not3(applies)) // U7
}

// ---- Statements ----

// A refPlace is where a statement stands.
type refPlace struct {
	layer LayerName
	typ   string // of a resource policy
}

func (at refPlace) named() bool {
	return at.layer == LayerResource || at.layer == LayerEndpoint || at.layer == LayerRCP
}

// statement is U4: all parts, by the grade in which the caller is named.
func (x *ref) statement(d *policy.Document, s *policy.Statement, at refPlace) refGrades {
	vars := d.Version.Value == policy.Version2012 // G10, G11
	if len(d.Defects)+len(s.Defects) > 0 || refForbidden(s, at) {
		return refEvery(Unknown) // G21
	}
	action, ok1 := x.actions(s)
	resource, ok2 := x.resources(s, at, vars)
	conditions, ok3 := x.conditions(s, vars)
	if !ok1 || !ok2 || !ok3 {
		return refEvery(Unknown) // G21
	}
	return x.principals(s, at).and(all3(action, resource, conditions))
}

// refForbidden is table 1.2: the elements that a type of policy can't have (G20).
func refForbidden(s *policy.Statement, at refPlace) bool {
	names, resources := s.Principal != nil || s.NotPrincipal != nil, s.Resource != nil || s.NotResource != nil
	switch at.layer {
	case LayerIdentity, LayerBoundary, LayerSession, LayerSCP:
		return names
	case LayerRCP:
		return s.NotPrincipal != nil || s.NotAction != nil
	case LayerResource:
		return at.typ == "trust" && (resources || s.NotPrincipal != nil)
	}
	return false
}

// actions is A1 to A5 and G15.
func (x *ref) actions(s *policy.Statement) (m Match, ok bool) {
	list, negated := s.Action, false
	if list == nil {
		list, negated = s.NotAction, true
	}
	for _, v := range list.Values {
		if v.Value != "*" && !strings.Contains(v.Value, ":") {
			return Unknown, false // A3
		}
		m = any3(m, refCompare(refWild(strings.ToLower(v.Value)), refLiteral(strings.ToLower(x.req.Action))))
	}
	if negated {
		m = not3(m)
	}
	return m, true
}

// resources is section 3.
func (x *ref) resources(s *policy.Statement, at refPlace, vars bool) (m Match, ok bool) {
	list, negated := s.Resource, false
	if list == nil {
		list, negated = s.NotResource, true
	}
	if list == nil { // R13
		return Matched, true
	}
	for _, v := range list.Values {
		one, ok := x.resource(v.Value, at, vars)
		if !ok {
			return Unknown, false
		}
		m = any3(m, one)
	}
	if negated {
		m = not3(m) // R11, R16
	}
	return m, true
}

// resource compares one entry: R1 to R10, R14, R16.
func (x *ref) resource(text string, at refPlace, vars bool) (m Match, ok bool) {
	segments := refSplit(text, vars)
	runOn := false // R5
	var g refGlob
	known := Matched
	for i, segment := range segments {
		if i > 0 {
			g = append(g, refChar{r: ':'})
		}
		if i == 5 { // R6, V2: after the fifth colon
			tail, state := x.expand(segment, vars, true)
			switch state {
			case refMalformed:
				return Unknown, false // V4
			case refNull:
				known = NoMatch // R16
			case refUnknown:
				known = Unknown // V9
			}
			g = append(g, tail...)
			continue
		}
		part := refWild(segment)
		for j := range part {
			part[j].noColon = true // R4
		}
		if n := len(part); n > 0 && part[n-1].run {
			part[n-1].noColon = false // R5
			runOn = true
		}
		g = append(g, part...)
	}
	if len(segments) < 6 && !runOn { // R8
		switch at.layer {
		case LayerIdentity, LayerBoundary, LayerSession:
			for range 6 - len(segments) {
				g = append(g, refChar{r: ':'}, refChar{run: true})
			}
		default:
			known = NoMatch
		}
	}
	got := refLiteral(x.req.Resource.ARN) // R10: * is one character
	if x.req.Resource.Pattern {           // R14
		got = refWild(x.req.Resource.ARN)
	}
	if x.req.Resource.ARN == "" { // U3
		got = refWild("*")
	}
	if known == NoMatch {
		return NoMatch, true
	}
	return refPerhaps(refCompare(g, got), known), true
}

// refPerhaps is the answer of a pattern in which an unknown variable stands as a *: no
// is no, but yes hangs on the variable.
func refPerhaps(m, known Match) Match {
	if known == Unknown {
		return min(m, Unknown)
	}
	return m
}

// ---- Section 4: principals ----

// refGrades says in which grade a statement names the caller (P6).
type refGrades struct{ direct, role, parent, account Match }

func refEvery(m Match) refGrades { return refGrades{m, m, m, m} }

func (g refGrades) best() Match { return any3(g.direct, g.role, g.parent, g.account) }

func (g refGrades) and(m Match) refGrades {
	return refGrades{all3(g.direct, m), all3(g.role, m), all3(g.parent, m), all3(g.account, m)}
}

func (g refGrades) or(h refGrades) refGrades {
	return refGrades{any3(g.direct, h.direct), any3(g.role, h.role), any3(g.parent, h.parent), any3(g.account, h.account)}
}

// principals is P3, P16 to P21 and G15.
func (x *ref) principals(s *policy.Statement, at refPlace) (g refGrades) {
	switch {
	case !at.named():
		return refGrades{direct: Matched}
	case s.Principal != nil:
		for _, e := range s.Principal.Entries {
			one := x.entry(e, at)
			named := strings.Contains(e.Value.Value, "/") || refUniqueID.MatchString(e.Value.Value)
			if at.layer == LayerEndpoint && e.Kind == "AWS" && named && x.p.Endpoint.Gateway != NoMatch { // E34
				one = one.and(Unknown)
			}
			g = g.or(one)
		}
		return g
	case s.NotPrincipal != nil && s.Effect == policy.Deny:
		first, all, _ := x.listed(s.NotPrincipal, at)
		hits := any3(not3(first), all3(Unknown, not3(all))) // P17
		return refGrades{direct: any3(hits, x.hasBoundary())}
	case s.NotPrincipal != nil:
		_, all, some := x.listed(s.NotPrincipal, at)
		return refGrades{direct: any3(not3(some), all3(Unknown, not3(all)))} // P20
	}
	return g // P21
}

// hasBoundary is P19.
func (x *ref) hasBoundary() Match {
	switch x.req.Principal.Type {
	case User, AssumedRole, FederatedUser:
	default:
		return NoMatch
	}
	m := NoMatch
	switch x.p.Boundary.State {
	case Applies:
		m = Matched
	case MayApply, NotCollected:
		m = Unknown
	}
	return all3(m, not3(x.serviceLinked()))
}

// listed says of a caller's chain (table 4.1) whether its most specific identity is
// in the list, whether all of it is, and whether some of it is.
func (x *ref) listed(list *policy.Principals, at refPlace) (first, all, some Match) {
	var g refGrades
	for _, e := range list.Entries {
		if e.Value.Value == "*" {
			return Matched, Matched, Matched
		}
		one := x.entry(e, at)
		if at.layer == LayerEndpoint && x.req.Principal.Type != Root && x.p.Endpoint.Gateway != NoMatch {
			// E34 speaks of those a policy allows; whom it excepts by an account isn't documented.
			one.account = min(x.entry(e, refPlace{layer: LayerResource}).account, Unknown)
		}
		g = g.or(one)
	}
	var chain []Match
	switch x.req.Principal.Type {
	case Root:
		chain = []Match{g.account}
	case User:
		chain = []Match{g.direct, g.account}
	case AssumedRole:
		chain = []Match{g.direct, g.role, g.account}
	case FederatedUser:
		chain = []Match{g.direct, g.parent, g.account}
		if strings.HasSuffix(x.req.Principal.ParentARN, ":root") {
			chain = []Match{g.direct, g.account}
		}
	case Anonymous:
		return NoMatch, NoMatch, NoMatch // P20
	default:
		chain = []Match{g.direct}
	}
	return chain[0], all3(chain...), any3(chain...)
}

var (
	refAccountID = regexp.MustCompile(`^[0-9]{12}$`)
	refUniqueID  = regexp.MustCompile(`^(AIDA|AROA)[A-Z0-9]+$`)
)

// entry is table P6: in which grade does one entry name the caller?
func (x *ref) entry(e policy.PrincipalEntry, at refPlace) (g refGrades) {
	who, want := &x.req.Principal, e.Value.Value
	account := who.Type == User || who.Type == AssumedRole || who.Type == FederatedUser || who.Type == Root
	switch e.Kind {
	case "Service": // P11
		if who.Type == Service {
			g.direct = refService(who.ARN, want)
		}
		return g
	case "Federated": // P12
		if who.Type == WebIdentity || who.Type == SAML {
			g.direct = refSame(who.ARN, want)
		}
		return g
	case "CanonicalUser": // P13
		if account {
			g.account = Unknown
		}
		return g
	}
	if want == "*" { // P4
		return refGrades{direct: Matched}
	}
	if !account {
		return g
	}
	if refAccountID.MatchString(want) { // P7, P15
		g.account = x.rootOnly(refSame(who.Account, want), at)
		return g
	}
	if refUniqueID.MatchString(want) { // P8
		same := sure(who.ID == want)
		if who.ID == "" && x.ctx.Open {
			same = Unknown
		}
		switch {
		case who.Type == User && strings.HasPrefix(want, "AIDA"):
			g.direct = same
		case who.Type == AssumedRole && strings.HasPrefix(want, "AROA"):
			g.role = same
		case who.Type == FederatedUser && strings.HasPrefix(want, "AIDA") && x.ctx.Open:
			g.parent = Unknown // its parent's id isn't known
		}
		return g
	}
	arn, ok := policy.ParseARN(want)
	if !ok || strings.ContainsAny(want, "*?") { // P9
		return g
	}
	caller, _ := policy.ParseARN(who.ARN)
	sameHome := all3(refSame(who.Account, arn.Account), refSame(caller.Partition, arn.Partition))
	kind, name, _ := strings.Cut(arn.Resource, "/")
	switch {
	case arn.Service == "iam" && arn.Resource == "root": // P7, P15
		g.account = x.rootOnly(sameHome, at)
	case arn.Service == "iam" && kind == "user" && who.Type == User:
		g.direct = refSame(who.ARN, want) // P10
	case arn.Service == "iam" && kind == "user" && who.Type == FederatedUser: // P2
		g.parent = refSame(who.ParentARN, want)
		if who.ParentARN == "" {
			g.parent = all3(Unknown, sameHome)
		}
	case arn.Service == "iam" && kind == "role" && who.Type == AssumedRole:
		switch {
		case who.RoleARN == "":
			g.role = all3(Unknown, sameHome)
		case who.RolePathUnknown: // P1: names are unique within an account
			g.role = all3(sameHome, sure(refLast(who.RoleARN) == refLast(name)))
		default:
			g.role = sure(who.RoleARN == want)
		}
	case arn.Service == "sts" && kind == "assumed-role" && who.Type == AssumedRole:
		g.direct = refSame(who.ARN, want)
		if strings.Contains(who.ARN, ":role/") { // the session isn't known
			role, _, _ := strings.Cut(name, "/")
			g.direct = all3(Unknown, sameHome, sure(refLast(who.ARN) == role))
		}
	case arn.Service == "sts" && kind == "federated-user" && who.Type == FederatedUser:
		g.direct = refSame(who.ARN, want)
	}
	return g
}

// rootOnly is E34: for a gateway endpoint, the account is its root user alone.
func (x *ref) rootOnly(m Match, at refPlace) Match {
	if at.layer != LayerEndpoint || x.req.Principal.Type == Root {
		return m
	}
	return all3(m, not3(x.p.Endpoint.Gateway))
}

// refSame compares what may not be known.
func refSame(got, want string) Match {
	if got == "" {
		return Unknown
	}
	return sure(got == want)
}

func refLast(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// refService is P11.
func refService(got, want string) Match {
	if got == "" {
		return Unknown
	}
	if got == want {
		return Matched
	}
	a, _, _ := strings.Cut(got, ".")
	b, _, _ := strings.Cut(want, ".")
	if a == b {
		return Unknown
	}
	return NoMatch
}

// ---- Section 5: conditions ----

// conditions is C1.
func (x *ref) conditions(s *policy.Statement, vars bool) (m Match, ok bool) {
	m = Matched
	for i := range s.Condition {
		one, ok := x.condition(&s.Condition[i], vars)
		if !ok {
			return Unknown, false
		}
		m = all3(m, one)
	}
	return m, true
}

// A refTest compares one value with one operand.
type refTest func(x *ref, got refValue, want string, vars bool) refResult

// A refValue is a value of the request; nil stands for one that nobody knows.
type refValue = *ContextValue

// A refResult is an answer, or that the operand or the value can't be read (C28).
type refResult int

const (
	refNo refResult = iota
	refMaybe
	refYes
	refBadOperand
	refBadValue
)

func refResultOf(m Match) refResult { return refResult(m) }

// refOperators are the positive operators (section 5.2).
var refOperators = map[string]struct {
	test refTest
	vars bool // V2
	arn  bool
}{
	"stringequals":             {test: refStringEquals, vars: true},
	"stringequalsignorecase":   {test: refStringEqualsIgnoreCase, vars: true},
	"stringlike":               {test: refStringLike, vars: true},
	"numericequals":            {test: refNumeric(func(c int) bool { return c == 0 })},
	"numericlessthan":          {test: refNumeric(func(c int) bool { return c < 0 })},
	"numericlessthanequals":    {test: refNumeric(func(c int) bool { return c <= 0 })},
	"numericgreaterthan":       {test: refNumeric(func(c int) bool { return c > 0 })},
	"numericgreaterthanequals": {test: refNumeric(func(c int) bool { return c >= 0 })},
	"dateequals":               {test: refDateTest(func(c int) bool { return c == 0 })},
	"datelessthan":             {test: refDateTest(func(c int) bool { return c < 0 })},
	"datelessthanequals":       {test: refDateTest(func(c int) bool { return c <= 0 })},
	"dategreaterthan":          {test: refDateTest(func(c int) bool { return c > 0 })},
	"dategreaterthanequals":    {test: refDateTest(func(c int) bool { return c >= 0 })},
	"bool":                     {test: refBool, vars: true},
	"binaryequals":             {test: refBinary},
	"ipaddress":                {test: refIP},
	"arnequals":                {test: refARNLike, vars: true, arn: true},
	"arnlike":                  {test: refARNLike, vars: true, arn: true},
}

// refNegated are the negated operators and what they negate (C9).
var refNegated = map[string]string{
	"stringnotequals":           "stringequals",
	"stringnotequalsignorecase": "stringequalsignorecase",
	"stringnotlike":             "stringlike",
	"numericnotequals":          "numericequals",
	"datenotequals":             "dateequals",
	"notipaddress":              "ipaddress",
	"arnnotequals":              "arnequals",
	"arnnotlike":                "arnlike",
}

// A refCondition is one key of one operator block, read.
type refCondition struct {
	*ref
	test           refTest
	negated, arn   bool
	vars, ifExists bool
	wants          []string
}

// condition is one key of one operator block; ok is false if it is uninterpretable (G21).
func (x *ref) condition(c *policy.Condition, vars bool) (m Match, ok bool) {
	name := strings.ToLower(c.Operator) // C8
	name, forAll := strings.CutPrefix(name, "forallvalues:")
	forAny := false
	if !forAll {
		name, forAny = strings.CutPrefix(name, "foranyvalue:")
	}
	rc := refCondition{ref: x}
	name, rc.ifExists = strings.CutSuffix(name, "ifexists")
	for _, v := range c.Values {
		rc.wants = append(rc.wants, v.Value)
	}
	v := x.ctx.Lookup(c.Key.Value) // C3
	if name == "null" {
		switch {
		case rc.ifExists:
			return Unknown, false // C5
		case forAll:
			return Matched, true // C26
		case forAny:
			return NoMatch, true // C26
		}
		return rc.null(v), true
	}
	if positive, ok := refNegated[name]; ok {
		name, rc.negated = positive, true
	}
	op, ok := refOperators[name]
	if !ok {
		return Unknown, false
	}
	rc.test, rc.arn, rc.vars = op.test, op.arn, vars && op.vars
	for _, w := range rc.wants {
		if _, state := x.expand(w, rc.vars, false); state == refMalformed {
			return Unknown, false // V4
		}
	}
	switch {
	case forAll:
		return rc.forAll(v), true
	case forAny:
		return rc.forAny(v), true
	}
	return rc.plain(v), true
}

// one is an operator's answer for one value: C1, C9, C28, U9. A nil value is one that nobody knows.
func (c *refCondition) one(got refValue) Match {
	m := NoMatch
	for _, want := range c.wants {
		r := c.test(c.ref, got, want, c.vars)
		switch {
		case r == refBadValue && c.arn:
			return NoMatch // C28, ArnNot* too
		case r < refBadOperand:
			m = any3(m, Match(r))
		case c.negated:
			m = any3(m, Unknown) // C28
		}
	}
	if c.negated {
		return not3(m)
	}
	return m
}

// absent is C4 and C5.
func (c *refCondition) absent() Match { return sure(c.negated || c.ifExists) }

// plain is an operator without a set prefix: C4, C5, C27, G16, and the first columns of U8.
func (c *refCondition) plain(v ContextValue) Match {
	present := func(got refValue) Match {
		if len(c.wants) == 0 { // G16
			return sure(c.negated && !c.ifExists)
		}
		return c.one(got)
	}
	if v.State == Present && len(v.Values) == 0 {
		v.State = Absent // C27
	}
	ifPresent := present(nil)
	if refMultivalued[strings.ToLower(v.Name)] {
		ifPresent = Unknown // with several values (C27)
	}
	switch v.State {
	case Absent:
		return c.absent()
	case PresentUnknown:
		return ifPresent
	case UnknownKey:
		return agreed(c.absent(), ifPresent)
	case Partial:
		return Unknown
	}
	if len(v.Values) > 1 {
		return Unknown // C27
	}
	return present(&v)
}

// nonempty is C7: what the set operators see.
func refNonempty(v ContextValue) (out []ContextValue) {
	for _, s := range v.Values {
		if s != "" {
			out = append(out, ContextValue{State: Present, Values: []string{s}, Pattern: v.Pattern})
		}
	}
	return out
}

// forAll is C22, G16 and its column of U8.
func (c *refCondition) forAll(v ContextValue) Match {
	every := func(list []ContextValue) Match {
		if len(c.wants) == 0 {
			return sure(len(list) == 0)
		}
		m := Matched
		for i := range list {
			m = all3(m, c.one(&list[i]))
		}
		return m
	}
	switch v.State {
	case Absent:
		return Matched
	case PresentUnknown, UnknownKey: // or empty
		if len(c.wants) == 0 {
			return Unknown
		}
		return agreed(Matched, c.one(nil))
	case Partial:
		if every(refNonempty(v)) == NoMatch {
			return NoMatch
		}
		return Unknown
	}
	return every(refNonempty(v))
}

// forAny is C23, C25, G16 and its column of U8.
func (c *refCondition) forAny(v ContextValue) Match {
	some := func(list []ContextValue) Match {
		m := NoMatch
		for i := range list {
			if len(c.wants) > 0 {
				m = any3(m, c.one(&list[i]))
			}
		}
		return m
	}
	unknown := NoMatch
	if len(c.wants) > 0 {
		unknown = agreed(NoMatch, c.one(nil)) // perhaps empty
	}
	switch v.State {
	case Absent:
		return sure(c.ifExists) // C25
	case PresentUnknown:
		return unknown
	case UnknownKey:
		return agreed(sure(c.ifExists), unknown)
	case Partial:
		if some(refNonempty(v)) == Matched {
			return Matched
		}
		if len(c.wants) == 0 && len(refNonempty(v)) > 0 {
			return NoMatch
		}
		return Unknown
	}
	return some(refNonempty(v))
}

// null is C6, C7 and its column of U8.
func (c *refCondition) null(v ContextValue) Match {
	isNull := Unknown
	switch v.State {
	case Absent:
		isNull = Matched
	case Present:
		isNull = sure(len(refNonempty(v)) == 0)
		if v.Pattern && strings.Trim(strings.Join(v.Values, ""), "*") == "" {
			isNull = Unknown
		}
	case Partial:
		if len(refNonempty(v)) > 0 {
			isNull = NoMatch
		}
	case PresentUnknown:
		isNull = NoMatch
		if refMayBeEmpty(v.Name) {
			isNull = Unknown
		}
	}
	m := NoMatch
	for _, want := range c.wants {
		switch strings.ToLower(want) {
		case "true":
			m = any3(m, isNull)
		case "false":
			m = any3(m, not3(isNull))
		}
	}
	return m
}

// refMayBeEmpty says which keys users fill in (U8).
func refMayBeEmpty(key string) bool {
	key = strings.ToLower(key)
	return !strings.HasPrefix(key, "aws:") || strings.Contains(key, "tag/")
}

// refText is a value as a glob: its * and ? are themselves, unless it is a pattern.
func refText(got refValue) refGlob {
	switch {
	case got == nil:
		return refWild("*")
	case got.Pattern:
		return refWild(got.Values[0])
	}
	return refLiteral(got.Values[0])
}

// refFixed is a value's text, if all of it is known.
func refFixed(got refValue) (string, bool) {
	if got == nil || got.Pattern && strings.ContainsAny(got.Values[0], "*?") {
		return "", false
	}
	return got.Values[0], true
}

// refString compares text with an operand in which * and ? are wildcards or not: C10 to C12.
func refString(wild, fold bool) refTest {
	return func(x *ref, got refValue, want string, vars bool) refResult {
		g, state := x.expand(want, vars, wild)
		if state == refNull {
			return refNo // V6
		}
		v := refText(got)
		if fold {
			g, v = g.lower(), v.lower()
		}
		m := refCompare(g, v)
		if state == refUnknown { // V9
			m = min(m, Unknown)
		}
		return refResultOf(m)
	}
}

var (
	refStringEquals           = refString(false, false)
	refStringEqualsIgnoreCase = refString(false, true)
	refStringLike             = refString(true, false)
)

var refDecimal = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// refNumber is C13.
func refNumber(s string) (*big.Rat, bool) {
	if !refDecimal.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// refOrdered is an operator that orders what it can read.
func refOrdered(read func(string) (*big.Rat, bool), holds func(int) bool) refTest {
	return func(_ *ref, got refValue, want string, _ bool) refResult {
		w, ok := read(want)
		if !ok {
			return refBadOperand
		}
		text, ok := refFixed(got)
		if !ok {
			return refMaybe
		}
		g, ok := read(text)
		if !ok {
			return refBadValue
		}
		return refResultOf(sure(holds(g.Cmp(w))))
	}
}

func refNumeric(holds func(int) bool) refTest  { return refOrdered(refNumber, holds) }
func refDateTest(holds func(int) bool) refTest { return refOrdered(refDate, holds) }

var (
	refEpoch = regexp.MustCompile(`^[0-9]+$`)
	refISO   = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?(Z|[-+][0-9]{2}:?[0-9]{2})?)?)?$`)
)

// refDate is C15: an instant as seconds since 1970.
func refDate(s string) (*big.Rat, bool) {
	if refEpoch.MatchString(s) {
		at, ok := new(big.Rat).SetString(s)
		return at, ok && at.Num().IsInt64() // no clock shows more
	}
	f := refISO.FindStringSubmatch(s)
	if f == nil {
		return nil, false
	}
	n := func(i, otherwise int) int {
		if f[i] == "" {
			return otherwise
		}
		v := 0
		for _, c := range f[i] {
			v = v*10 + int(c-'0')
		}
		return v
	}
	year, month, day, hour, minute, second := n(1, 0), n(2, 0), n(3, 1), n(4, 0), n(5, 0), n(6, 0)
	if month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return nil, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Day() != day {
		return nil, false // no such day
	}
	at := new(big.Rat).SetInt64(t.Unix())
	if f[7] != "" {
		fraction, _ := new(big.Rat).SetString("0" + f[7])
		at.Add(at, fraction)
	}
	if z := f[8]; z != "" && z != "Z" {
		z := z[:1] + strings.ReplaceAll(z[1:], ":", "")
		h, m := int64(z[1]-'0')*10+int64(z[2]-'0'), int64(z[3]-'0')*10+int64(z[4]-'0')
		if h > 23 || m > 59 {
			return nil, false
		}
		offset := new(big.Rat).SetInt64(h*3600 + m*60)
		if z[0] == '+' {
			offset.Neg(offset)
		}
		at.Add(at, offset)
	}
	return at, true
}

// refBool is C16.
func refBool(x *ref, got refValue, want string, vars bool) refResult {
	g, state := x.expand(want, vars, false)
	switch state {
	case refNull:
		return refNo
	case refUnknown:
		return refMaybe
	}
	w := strings.ToLower(g.text())
	if w != "true" && w != "false" {
		return refBadOperand
	}
	text, ok := refFixed(got)
	if !ok {
		return refMaybe
	}
	text = strings.ToLower(text)
	if text != "true" && text != "false" {
		return refBadValue
	}
	return refResultOf(sure(text == w))
}

// refBinary is C17.
func refBinary(_ *ref, got refValue, want string, _ bool) refResult {
	w, err := base64.StdEncoding.DecodeString(want)
	if err != nil {
		return refBadOperand
	}
	text, ok := refFixed(got)
	if !ok {
		return refMaybe
	}
	g, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return refBadValue
	}
	return refResultOf(sure(string(g) == string(w)))
}

// refNetwork reads an address or a range: its first address and how many bits count.
func refNetwork(s string) (first netip.Addr, bits int, ok bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Addr(), p.Bits(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return a, 0, false
	}
	return a, a.BitLen(), true
}

// refIP is C18.
func refIP(_ *ref, got refValue, want string, _ bool) refResult {
	first, bits, ok := refNetwork(want)
	if !ok {
		return refBadOperand
	}
	text, ok := refFixed(got)
	if !ok {
		return refMaybe
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return refBadValue
	}
	if addr.Is4In6() || first.Is4In6() {
		return refMaybe
	}
	if addr.Is4() != first.Is4() {
		return refNo
	}
	a, b := addr.AsSlice(), first.AsSlice()
	for i := range bits {
		if a[i/8]>>(7-i%8)&1 != b[i/8]>>(7-i%8)&1 {
			return refNo
		}
	}
	return refYes
}

// refARNLike is C19, C28 and V10.
func refARNLike(x *ref, got refValue, want string, vars bool) refResult {
	if want == "*" {
		return refMaybe
	}
	patterns := refSplit(want, vars)
	if len(patterns) < 6 {
		return refBadOperand
	}
	for _, p := range patterns {
		if _, state := x.expand(p, vars, true); state == refNull {
			return refNo // V6
		}
	}
	if got == nil {
		return refMaybe
	}
	value := got.Values[0]
	if !got.Pattern && (!strings.HasPrefix(value, "arn:") || strings.Count(value, ":") < 5) {
		return refBadValue
	}
	parts := strings.SplitN(value, ":", 6)
	if len(parts) < 6 {
		return refMaybe // a pattern whose wildcards hide colons
	}
	m := Matched
	for i, p := range patterns {
		g, state := x.expand(p, vars, true)
		if state == refUnknown {
			m = min(m, Unknown) // V9
		}
		v := refLiteral(parts[i])
		if got.Pattern {
			v = refWild(parts[i])
			if i < 5 && strings.ContainsAny(parts[i], "*?") {
				m = min(m, Unknown) // it may hold a colon
			}
		}
		m = all3(m, refPerhaps(refCompare(g, v), m))
	}
	return refResultOf(m)
}

// ---- Section 6: variables ----

// How a text with variables came out.
const (
	refKnown     = iota
	refUnknown   // a variable isn't known: it stands as a *
	refNull      // a variable has no value (V6)
	refMalformed // V4
)

// refMultivalued are keys that hold lists (V8), of those that the tests use.
var refMultivalued = map[string]bool{"aws:tagkeys": true, "aws:calledvia": true, "aws:principalorgpaths": true}

// expand puts values in the place of variables. In what is left, * and ? are wildcards if wild.
func (x *ref) expand(text string, vars, wild bool) (g refGlob, state int) {
	plain := refLiteral
	if wild {
		plain = refWild
	}
	for vars {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			break
		}
		body, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, refMalformed
		}
		g = append(g, plain(before)...)
		value, s := x.variable(body)
		g = append(g, value...)
		state = max(state, s)
		text = after
	}
	return append(g, plain(text)...), state
}

var refVariable = regexp.MustCompile(`^([^ \t\n,'"${}*?]+)(?:, '([^']*)')?$`)

// variable is V3 to V9.
func (x *ref) variable(body string) (value refGlob, state int) {
	if body == "*" || body == "?" || body == "$" {
		return refLiteral(body), refKnown
	}
	f := refVariable.FindStringSubmatch(body)
	if f == nil {
		return nil, refMalformed // V4
	}
	v := x.ctx.Lookup(f[1])
	multi := refMultivalued[strings.ToLower(f[1])] || len(v.Values) > 1 // V8
	switch {
	case !multi && v.State == Present && len(v.Values) == 1:
		if v.Pattern && strings.ContainsAny(v.Values[0], "*?") {
			return refWild(v.Values[0]), refUnknown
		}
		return refLiteral(v.Values[0]), refKnown // V5, V7
	case v.State != Absent && v.State != Present: // V9
		return refWild("*"), refUnknown
	case strings.Contains(body, ","):
		return refLiteral(f[2]), refKnown // V6
	}
	return nil, refNull
}

// refSplit splits at the first five colons outside variables (R4, V10).
func refSplit(text string, vars bool) []string {
	var parts []string
	inside, from := false, 0
	for i := range len(text) {
		switch {
		case vars && strings.HasPrefix(text[i:], "${"):
			inside = true
		case text[i] == '}':
			inside = false
		case text[i] == ':' && !inside && len(parts) < 5:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

// ---- Wildcards ----

// A refChar is one character of a pattern, or a wildcard, which may be kept from matching a colon.
type refChar struct {
	r        rune
	run, one bool
	noColon  bool
}

// A refGlob is a pattern, or a text of which not all is known.
type refGlob []refChar

func refLiteral(s string) (g refGlob) {
	for _, r := range s {
		g = append(g, refChar{r: r})
	}
	return g
}

func refWild(s string) (g refGlob) {
	for _, r := range s {
		g = append(g, refChar{r: r, run: r == '*', one: r == '?'})
	}
	return g
}

func (g refGlob) wild() bool {
	for _, c := range g {
		if c.run || c.one {
			return true
		}
	}
	return false
}

// text is what a glob without wildcards says.
func (g refGlob) text() string {
	var s []rune
	for _, c := range g {
		s = append(s, c.r)
	}
	return string(s)
}

// lower is C11: each code point for itself.
func (g refGlob) lower() (out refGlob) {
	for _, c := range g {
		c.r = unicode.ToLower(c.r)
		out = append(out, c)
	}
	return out
}

// takes says whether the character or wildcard may match r.
func (c refChar) takes(r rune) bool {
	if c.run || c.one {
		return !c.noColon || r != ':'
	}
	return c.r == r
}

// refCompare says whether pattern matches all, none or some of what text may be (R14, U3).
func refCompare(pattern, text refGlob) Match {
	if !text.wild() {
		return sure(refMatches(pattern, []rune(text.text())))
	}
	return refCompareSets(pattern, text)
}

// refMatches tries everything.
func refMatches(p refGlob, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0].run:
		return refMatches(p[1:], s) || len(s) > 0 && p[0].takes(s[0]) && refMatches(p, s[1:])
	}
	return len(s) > 0 && p[0].takes(s[0]) && refMatches(p[1:], s[1:])
}

// refCompareSets walks both patterns at once over every string, one character at a time;
// characters that neither names are all alike.
func refCompareSets(pattern, text refGlob) Match {
	letters := map[rune]bool{':': true, '\uE000': true}
	for _, c := range append(append(refGlob{}, pattern...), text...) {
		letters[c.r] = true
	}
	type state struct{ p, t string }
	start := state{string(refClose(pattern, []rune{0})), string(refClose(text, []rune{0}))}
	seen, queue := map[state]bool{start: true}, []state{start}
	some, all := false, true
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if refAtEnd(text, at.t) {
			if refAtEnd(pattern, at.p) {
				some = true
			} else {
				all = false
			}
		}
		for r := range letters {
			next := state{refStep(pattern, at.p, r), refStep(text, at.t, r)}
			if next.t != "" && !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	switch {
	case all:
		return Matched
	case some:
		return Unknown
	}
	return NoMatch
}

// refClose adds the places that a * may give way to. Places are in order, so
// that equal sets are equal strings.
func refClose(g refGlob, places []rune) []rune {
	in := map[rune]bool{}
	for _, p := range places {
		in[p] = true
		for int(p) < len(g) && g[p].run {
			p++
			in[p] = true
		}
	}
	var out []rune
	for p := rune(0); int(p) <= len(g); p++ {
		if in[p] {
			out = append(out, p)
		}
	}
	return out
}

func refStep(g refGlob, places string, r rune) string {
	var next []rune
	for _, p := range places {
		if int(p) < len(g) && g[p].takes(r) {
			if !g[p].run {
				p++
			}
			next = append(next, p)
		}
	}
	return string(refClose(g, next))
}

func refAtEnd(g refGlob, places string) bool {
	return strings.ContainsRune(places, rune(len(g)))
}
