package evaluator

import (
	"fmt"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A grade says how an entry of Principal names the caller (rule P6). It
// decides which implicit denies the grant is limited by (rule E20).
type grade int8

const (
	direct grade = iota // the caller itself, or everybody
	parent              // the user behind a federated session
	viaRole
	account
	grades // how many there are
)

// A byGrade holds an answer for each grade.
type byGrade [grades]Match

func (g *byGrade) add(at grade, m Match) { g[at] = or(g[at], m) }

// any is the answer whatever the grade.
func (g *byGrade) any() Match { return max(g[direct], g[parent], g[viaRole], g[account]) }

// A principalEntry is one value of Principal or NotPrincipal.
type principalEntry struct {
	src  policy.PrincipalEntry
	arn  policy.ARN
	form entryForm
}

type entryForm int8

const (
	formOther entryForm = iota // matches nobody (rules P9, P14)
	formAll
	formAccount // an account's id or its root (rule P7)
	formUser
	formRole
	formSession
	formFederatedUser
	formID // AIDA… or AROA… (rule P8)
	formService
	formFederated
	formCanonical
)

// isIdentity reports whether an entry names one user, role or session.
func (f entryForm) isIdentity() bool {
	switch f {
	case formUser, formRole, formSession, formFederatedUser, formID:
		return true
	}
	return false
}

func newPrincipalEntry(src policy.PrincipalEntry) principalEntry {
	e := principalEntry{src: src}
	v := src.Value.Value
	switch src.Kind {
	case "Service":
		e.form = formService
		return e
	case "Federated":
		e.form = formFederated
		return e
	case "CanonicalUser":
		e.form = formCanonical
		return e
	}
	switch {
	case v == "*":
		e.form = formAll
	case len(v) == 12 && digits(v):
		e.form, e.arn = formAccount, policy.ARN{Account: v}
	case strings.ContainsAny(v, "*?"): // rule P9
	case uniqueID(v):
		e.form = formID
	default:
		arn, ok := policy.ParseARN(v)
		if !ok {
			break
		}
		e.arn = arn
		switch {
		case arn.Service == "iam" && arn.Resource == "root":
			e.form = formAccount
		case arn.Service == "iam" && strings.HasPrefix(arn.Resource, "user/"):
			e.form = formUser
		case arn.Service == "iam" && strings.HasPrefix(arn.Resource, "role/"):
			e.form = formRole
		case arn.Service == "sts" && strings.HasPrefix(arn.Resource, "assumed-role/"):
			e.form = formSession
		case arn.Service == "sts" && strings.HasPrefix(arn.Resource, "federated-user/"):
			e.form = formFederatedUser
		}
	}
	return e
}

// uniqueID reports whether s is the id that a deleted user's or role's ARN turns into.
func uniqueID(s string) bool {
	if len(s) < 5 || !strings.HasPrefix(s, "AIDA") && !strings.HasPrefix(s, "AROA") {
		return false
	}
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// merge adds another statement's or document's answer.
func (g *byGrade) merge(h byGrade) {
	for i := range g {
		g[i] = or(g[i], h[i])
	}
}

// match compares one entry with the caller (rule P6's table).
func (e *principalEntry) match(ev *evaluation) (Match, grade) {
	p, v := &ev.req.Principal, e.src.Value.Value
	unsure := p.Type == UnknownPrincipal
	switch e.form {
	case formAll:
		return ev.assumeIf(p.Type == Service, assumeP4, Matched), direct // rule P4
	case formAccount:
		return e.matchAccount(p), account
	case formUser:
		switch {
		case p.Type == User:
			return known(p.ARN == v), direct
		case p.Type == FederatedUser && p.ParentARN == "":
			return and(Unknown, sameAccountAs(p, e.arn.Account)), parent // rule P2
		case p.Type == FederatedUser:
			return known(p.ParentARN == v), parent
		}
	case formRole:
		if p.Type == AssumedRole {
			return ev.matchRole(v), viaRole
		}
	case formSession:
		if p.Type == AssumedRole {
			if p.ARN == v {
				return Matched, direct
			}
			if !strings.Contains(p.ARN, ":assumed-role/") && p.RoleARN != "" {
				// A role without its session: the entry may name this one.
				role, _, _ := strings.Cut(strings.TrimPrefix(e.arn.Resource, "assumed-role/"), "/")
				return and(Unknown, known(role == roleName(p.RoleARN) && e.arn.Account == p.Account)), direct
			}
			return NoMatch, direct
		}
	case formFederatedUser:
		if p.Type == FederatedUser {
			return known(p.ARN == v), direct
		}
	case formID:
		// What is displayed as an id is an orphan: only a principal with that very id (rule P8).
		m := matchID(p, v, ev.req.Context.Open)
		switch p.Type {
		case AssumedRole:
			return m, viaRole
		case FederatedUser:
			return m, parent
		}
		return m, direct
	case formService:
		if p.Type == Service {
			return matchService(p.ARN, v), direct
		}
	case formFederated:
		if p.Type == WebIdentity || p.Type == SAML { // rule P12
			return known(p.ARN == v), direct
		}
		if p.Type == AssumedRole {
			return ev.assume(assumeP12, NoMatch), direct
		}
	case formCanonical:
		if p.Type != Service && p.Type != Anonymous { // rule P13
			return Unknown, account
		}
		return NoMatch, account
	}
	if unsure && e.form != formOther {
		return Unknown, direct
	}
	return NoMatch, direct
}

// matchID compares a displayed unique id with the caller's. It stands for a
// principal that was deleted, so a caller that isn't known to have it isn't
// that one, as far as a closed request goes; in an open one nobody knows (rule P8).
func matchID(p *Principal, id string, open bool) Match {
	switch p.Type {
	case User, AssumedRole, UnknownPrincipal:
		if p.ID != "" {
			own, _, _ := strings.Cut(p.ID, ":") // CloudTrail writes a session's with its name
			return known(own == id)
		}
	case FederatedUser: // the id would be its user's, which nobody records
	default:
		return NoMatch
	}
	return and(Unknown, known(open || p.Type == UnknownPrincipal))
}

// matchAccount matches every caller of the account, root or not (rules P7, P15).
func (e *principalEntry) matchAccount(p *Principal) Match {
	switch p.Type {
	case Anonymous, Service, WebIdentity, SAML:
		return NoMatch
	}
	if e.arn.Partition != "" && p.ARN != "" {
		if arn, ok := policy.ParseARN(p.ARN); ok && arn.Partition != e.arn.Partition {
			return NoMatch
		}
	}
	return sameAccountAs(p, e.arn.Account)
}

func sameAccountAs(p *Principal, id string) Match {
	if p.Account == "" {
		return Unknown
	}
	return known(p.Account == id)
}

// matchRole matches a role's sessions. A role whose path nobody recorded is
// known by its name, which is unique in its account (rule P1).
func (ev *evaluation) matchRole(entry string) Match {
	p := &ev.req.Principal
	if p.RoleARN == "" {
		return Unknown
	}
	if p.RoleARN == entry {
		return Matched
	}
	if !p.RolePathUnknown {
		return NoMatch
	}
	a, okA := policy.ParseARN(p.RoleARN)
	b, okB := policy.ParseARN(entry)
	return ev.assume(assumeP1, known(okA && okB && a.Account == b.Account && a.Partition == b.Partition && roleName(p.RoleARN) == roleName(entry)))
}

func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// matchService compares service principals; one service may answer to several
// names that differ after the first label (rule P11).
func matchService(got, want string) Match {
	if got == want {
		return Matched
	}
	g, _, _ := strings.Cut(got, ".")
	w, _, _ := strings.Cut(want, ".")
	return and(Unknown, known(g == w && g != ""))
}

// matchPrincipals matches a Principal element: any entry (rule P3).
func matchPrincipals(entries []principalEntry, ev *evaluation) (g byGrade) {
	for i := range entries {
		m, at := entries[i].match(ev)
		g.add(at, m)
	}
	return g
}

// excluded says which of the caller's identities a NotPrincipal element lists:
// the most specific, and all of them (rules P16 to P18).
func excluded(entries []principalEntry, ev *evaluation) (first, all, any Match) {
	var self, role, acct Match
	for i := range entries {
		m, at := entries[i].match(ev)
		switch {
		case entries[i].form == formAll:
			return Matched, Matched, Matched
		case at == viaRole:
			role = or(role, m)
		case at == account:
			acct = or(acct, m)
		case at == parent:
			// The user behind a federated session isn't the session itself.
			role = or(role, m)
		default:
			self = or(self, m)
		}
	}
	any = max(self, role, acct)
	switch ev.req.Principal.Type {
	case UnknownPrincipal: // which of them is the most specific isn't known, either
		return and(any, Unknown), and(any, Unknown), any
	case AssumedRole, FederatedUser:
		return self, min(self, role, acct), any
	case User:
		return self, min(self, acct), any
	case Root:
		return acct, acct, any
	}
	return self, self, any
}

// matchNotPrincipal says whether a statement with NotPrincipal reaches the caller.
func matchNotPrincipal(entries []principalEntry, ev *evaluation, effect policy.Effect, boundary Match) Match {
	first, all, any := excluded(entries, ev)
	if effect == policy.Deny {
		m := NoMatch
		switch {
		case first == NoMatch:
			m = Matched // rule P17
		case all == Matched:
		default:
			m = ev.assume(assumeP17, Unknown)
		}
		return or(m, boundary) // rule P19
	}
	// Allow: whoever is listed in full is out, whoever isn't listed at all is in (rule P20).
	switch {
	case any == NoMatch:
		return ev.assume(assumeE20, Matched)
	case all == Matched:
		return NoMatch
	}
	return Unknown
}

// ParsePrincipal reads a principal as users write it: the ARN of a user, a
// role, a session, a federated user or root, an account's id (its root),
// "anonymous", a service's name, or an identity provider's ARN or domain.
func ParsePrincipal(s string) (Principal, error) {
	switch s {
	case "anonymous", "Anonymous", "*":
		return Principal{Type: Anonymous}, nil
	case "":
		return Principal{}, fmt.Errorf("no principal given: want an ARN, a service such as lambda.amazonaws.com, or anonymous")
	}
	if len(s) == 12 && digits(s) {
		return Principal{Type: Root, ARN: "arn:aws:iam::" + s + ":root", Account: s}, nil
	}
	arn, ok := policy.ParseARN(s)
	if !ok {
		switch {
		case strings.HasSuffix(s, ".amazonaws.com"), strings.HasSuffix(s, ".amazonaws.com.cn"), strings.HasSuffix(s, ".amazon.com"):
			if s == "cognito-identity.amazonaws.com" || s == "www.amazon.com" {
				return Principal{Type: WebIdentity, ARN: s}, nil
			}
			return Principal{Type: Service, ARN: s}, nil
		case s == "accounts.google.com" || s == "graph.facebook.com":
			return Principal{Type: WebIdentity, ARN: s}, nil
		}
		return Principal{}, fmt.Errorf("principal %q is neither an ARN, a service such as lambda.amazonaws.com, nor anonymous", s)
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	p := Principal{ARN: s, Account: arn.Account}
	switch {
	case arn.Service == "iam" && arn.Resource == "root":
		p.Type = Root
	case arn.Service == "iam" && kind == "user" && name != "":
		p.Type = User
	case arn.Service == "iam" && kind == "role" && name != "":
		p.Type, p.RoleARN = AssumedRole, s
	case arn.Service == "sts" && kind == "assumed-role" && name != "":
		role, _, _ := strings.Cut(name, "/")
		arn.Service, arn.Resource = "iam", "role/"+role
		p.Type, p.RoleARN, p.RolePathUnknown = AssumedRole, arn.String(), true
	case arn.Service == "sts" && kind == "federated-user" && name != "":
		p.Type = FederatedUser
	case arn.Service == "iam" && kind == "oidc-provider":
		p.Type, p.Account = WebIdentity, ""
	case arn.Service == "iam" && kind == "saml-provider":
		p.Type, p.Account = SAML, ""
	default:
		return Principal{}, fmt.Errorf("%s can't make a request: want the ARN of a user, role, session, federated user or root", s)
	}
	return p, nil
}

// ServiceLinked reports whether the caller is a session of a service-linked
// role, which is known by its path (rule E28).
func (p *Principal) ServiceLinked() Match {
	if p.Type != AssumedRole {
		return NoMatch
	}
	arn, _ := policy.ParseARN(p.RoleARN)
	if strings.HasPrefix(arn.Resource, "role/aws-service-role/") {
		return Matched
	}
	name := ""
	switch {
	case p.RoleARN == "":
		name, _ = sessionOf(p)
	case p.RolePathUnknown:
		name = roleName(p.RoleARN)
	default:
		return NoMatch
	}
	if name == "" || strings.HasPrefix(name, "AWSServiceRoleFor") {
		return Unknown
	}
	return NoMatch
}

// DeriveContext sets the context keys that follow from the request itself (rule U10),
// where they aren't set: those that the principal decides (rule table 4.1)
// and aws:ResourceAccount, and those of an S3 access point.
func DeriveContext(req *Request) {
	c, p := &req.Context, &req.Principal
	set := func(key, v string) {
		if !c.Known(key) {
			c.Set(key, v)
		}
	}
	absent := func(key string) {
		if !c.Known(key) {
			c.SetState(key, Absent)
		}
	}
	if p.Account != "" {
		set("aws:PrincipalAccount", p.Account)
	}
	switch p.Type {
	case Root:
		set("aws:PrincipalArn", p.ARN)
		set("aws:PrincipalType", "Account")
		absent("aws:username")
	case User:
		set("aws:PrincipalArn", p.ARN)
		set("aws:PrincipalType", "User")
		set("aws:username", roleName(p.ARN))
	case AssumedRole:
		derivePrincipalARN(c, p)
		set("aws:PrincipalType", "AssumedRole")
		absent("aws:username")
	case FederatedUser:
		set("aws:PrincipalArn", p.ARN)
		set("aws:PrincipalType", "FederatedUser")
		absent("aws:username")
	case Anonymous: // it has no account, credentials, organisation or session
		set("aws:PrincipalType", "Anonymous")
		set("aws:PrincipalAccount", "anonymous")
		for _, key := range []string{
			"aws:PrincipalArn", "aws:username", "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
			"aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge",
		} {
			absent(key)
		}
	case Service:
		absent("aws:username")
	}
	deriveUserID(c, p)
	switch p.Type {
	case Service:
		set("aws:PrincipalIsAWSService", "true")
	case Root, User, AssumedRole, FederatedUser:
		set("aws:PrincipalIsAWSService", "false")
	}
	if has := HasResourceAccount(req.Action); req.Resource.Account != "" && (has == Matched || has == Unknown && !c.Open) {
		set("aws:ResourceAccount", req.Resource.Account)
	}
	deriveAccessPoint(req)
}

// derivePrincipalARN sets aws:PrincipalArn of a session: its role's ARN. A
// path that nobody recorded is taken for / in a closed context, where the
// request is all there is; else it is part of what isn't known.
func derivePrincipalARN(c *Context, p *Principal) {
	was := c.Lookup("aws:PrincipalArn")
	switch {
	case c.Known("aws:PrincipalArn") && !was.Pattern: // a pattern was derived, too, when less was known
	case p.RoleARN == "":
		c.SetState("aws:PrincipalArn", PresentUnknown)
	case p.RolePathUnknown && c.Open:
		i := strings.Index(p.RoleARN, ":role/")
		c.Put(ContextValue{Name: "aws:PrincipalArn", State: Present, Pattern: true,
			Values: []string{p.RoleARN[:i+len(":role/")] + "*" + roleName(p.RoleARN)}})
	default:
		c.Set("aws:PrincipalArn", p.RoleARN)
	}
}

// deriveUserID sets aws:userid (rule table 4.1). It is in every request, so that one that can't be told
// is there with a value that nobody knows, unless the request is all there is.
func deriveUserID(c *Context, p *Principal) {
	const key = "aws:userid"
	if was := c.Lookup(key); c.Known(key) && !was.Pattern && (was.State != PresentUnknown || !c.Open) { // else it was derived, when less was known
		return
	}
	id, pattern := userID(p)
	switch {
	case id == "" && c.Open && hasUserID(p.Type):
		c.SetState(key, PresentUnknown)
	case id != "" && pattern:
		if p.ID != "" || c.Open {
			c.Put(ContextValue{Name: key, State: Present, Values: []string{id}, Pattern: true})
		}
	case id != "":
		c.Set(key, id)
	}
}

// hasUserID reports whether a caller of a type surely has an aws:userid: of a service's, nothing is known.
func hasUserID(t PrincipalType) bool {
	switch t {
	case Root, User, AssumedRole, FederatedUser, Anonymous:
		return true
	}
	return false
}

// userID is the value of aws:userid, "" if nothing is known of it. pattern says that a * in
// it stands for the half of a session's that isn't known.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
func userID(p *Principal) (id string, pattern bool) {
	switch p.Type {
	case Root:
		return p.Account, false
	case User:
		return p.ID, false
	case AssumedRole:
		role, _, _ := strings.Cut(p.ID, ":")
		_, session := sessionOf(p)
		switch {
		case role != "" && session != "":
			return role + ":" + session, false
		case role != "":
			return role + ":*", true
		case session != "":
			return "AROA*:" + session, true
		}
	case FederatedUser:
		if arn, ok := policy.ParseARN(p.ARN); ok {
			if name, ok := strings.CutPrefix(arn.Resource, "federated-user/"); ok {
				return arn.Account + ":" + name, false
			}
		}
	case Anonymous:
		return "anonymous", false
	}
	return "", false
}

// sessionOf is the name of a session's role, and the session's own, which for an EC2 instance is its id; "" for
// what isn't known.
func sessionOf(p *Principal) (role, session string) {
	arn, ok := policy.ParseARN(p.ARN)
	if !ok || arn.Service != "sts" {
		return "", ""
	}
	rest, ok := strings.CutPrefix(arn.Resource, "assumed-role/")
	if !ok {
		return "", ""
	}
	role, session, _ = strings.Cut(rest, "/")
	return role, session
}
