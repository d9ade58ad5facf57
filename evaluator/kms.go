package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// What KMS decides besides policies: the grants of a key (rule S3). A grant only ever
// allows: what a policy denies stays denied.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html

// keyGrantAllows says whether a grant of the key lets the caller in, without
// any policy's help. Whether a permissions boundary or a session policy limits it isn't
// documented (rule S3).
func keyGrantAllows(req *Request, grants *KeyGrants, v *verdict) Match {
	if len(grants.List) == 0 && !grants.open() {
		return NoMatch
	}
	operation, ok := cutFoldPrefix(req.Action, "kms:")
	if !ok || retires(req.Action) {
		return NoMatch
	}
	m := NoMatch
	for i := range grants.List {
		m = or(m, grants.List[i].allows(req, operation, v))
	}
	if grants.open() && grantable(operation) && req.Principal.Type != Anonymous {
		m = or(m, Unknown)
	}
	return m
}

// open reports whether there may be more grants than those listed.
func (g *KeyGrants) open() bool { return g.State == NotCollected || g.State == MayApply }

// grantable reports whether an operation can be in a grant.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations
func grantable(operation string) bool {
	for _, o := range [...]string{"CreateGrant", "DeriveSharedSecret", "DescribeKey", "GenerateMac", "GetPublicKey", "RetireGrant", "Sign", "Verify", "VerifyMac"} {
		if strings.EqualFold(o, operation) {
			return true
		}
	}
	return takesEncryptionContext(operation)
}

// takesEncryptionContext reports whether an operation has an encryption context,
// which constraints of grants are about.
func takesEncryptionContext(operation string) bool {
	for _, o := range [...]string{
		"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
		"GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
	} {
		if strings.EqualFold(o, operation) {
			return true
		}
	}
	return false
}

func (g *KeyGrant) allows(req *Request, operation string, v *verdict) Match {
	if !g.has(operation) {
		return NoMatch
	}
	m, at := matchGrantee(g.Grantee, req)
	if m == NoMatch {
		return NoMatch
	}
	limits := and(v.boundaryOk, v.sessionOk)
	if at == account { // an account that delegates to its users, as in a policy
		limits = and(limits, v.identity.allows())
	}
	return min(m, g.constraintsHold(&req.Context, operation), or(limits, Unknown))
}

func (g *KeyGrant) has(operation string) bool {
	for _, o := range g.Operations {
		if strings.EqualFold(o, operation) {
			return true
		}
	}
	return false
}

// matchGrantee says whether a grant names the caller, and in which grade. It names users,
// roles, sessions and accounts as key policies do, and services.
func matchGrantee(grantee string, req *Request) (Match, grade) {
	p := &req.Principal
	switch {
	case p.Type == Anonymous || p.Type == WebIdentity || p.Type == SAML:
		return NoMatch, direct
	case grantee == "":
		return Unknown, direct
	}
	kind := "AWS"
	if !strings.HasPrefix(grantee, "arn:") && !uniqueID(grantee) && !(len(grantee) == 12 && digits(grantee)) {
		kind = "Service"
	}
	e := newPrincipalEntry(policy.PrincipalEntry{Kind: kind, Value: policy.Text{Value: grantee}})
	return e.match(&evaluation{req: req})
}

// constraintsHold says whether the request meets the grant's constraints. Those on the
// encryption context don't concern operations without one.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
func (g *KeyGrant) constraintsHold(c *Context, operation string) Match {
	m := Matched
	if g.SourceARN != "" {
		m = keyIs(c, "aws:SourceArn", g.SourceARN)
	}
	switch {
	case g.ContextEquals == nil && g.ContextSubset == nil:
	case takesEncryptionContext(operation):
		m = min(m, hasPairs(c, g.ContextSubset), hasPairs(c, g.ContextEquals))
		if g.ContextEquals != nil && m != NoMatch {
			m = and(m, hasNoOtherPairs(c, g.ContextEquals))
		}
	case strings.EqualFold(operation, "CreateGrant"):
		m = and(m, Unknown) // the new grant's constraints must be as strict, and no request says them
	}
	return m
}

const encryptionContext = "kms:encryptioncontext:"

// hasPairs says whether the encryption context has all the pairs. As constraints of
// grants do, and context keys, it compares keys without case and values with it.
func hasPairs(c *Context, pairs map[string]string) Match {
	m := Matched
	for k, v := range pairs {
		m = and(m, keyIs(c, encryptionContext+strings.ToLower(k), v))
	}
	return m
}

// hasNoOtherPairs says whether the encryption context has no pairs but those.
func hasNoOtherPairs(c *Context, pairs map[string]string) Match {
	listed := func(key string) bool {
		for k := range pairs {
			if strings.EqualFold(k, key) {
				return true
			}
		}
		return false
	}
	m := Matched
	for _, v := range c.All() {
		key, ok := cutFoldPrefix(v.Name, encryptionContext)
		switch {
		case !ok || v.State == Absent || listed(key):
		case v.State == UnknownKey:
			m = and(m, Unknown)
		default:
			return NoMatch
		}
	}
	keys := c.Lookup("kms:encryptioncontextkeys")
	if keys.Pattern {
		return and(m, Unknown)
	}
	for _, key := range keys.Values {
		if !listed(key) {
			return NoMatch
		}
	}
	switch keys.State {
	case Present, Absent:
		return m
	}
	return and(m, Unknown)
}

// keyIs says whether a context key has one value.
func keyIs(c *Context, key, want string) Match {
	v := c.Lookup(key)
	switch {
	case v.State == Absent:
		return NoMatch
	case v.State != Present || v.Pattern:
		return Unknown
	}
	for _, got := range v.Values {
		if got == want {
			return Matched
		}
	}
	return NoMatch
}

// retires reports whether the action is kms:RetireGrant, which the grant that is to
// be retired decides, and no key policy.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
func retires(action string) bool { return strings.EqualFold(action, "kms:RetireGrant") }

// mayRetire says whether the caller may retire a grant of the key: its retiring principal, its
// grantee if it has that operation, and the account that made it. A request doesn't say which
// grant is meant, so that all of them must agree.
func mayRetire(req *Request, grants *KeyGrants, v *verdict) Match {
	all, some := Matched, NoMatch
	for i := range grants.List {
		m := grants.List[i].retiredBy(req, v)
		all, some = and(all, m), or(some, m)
	}
	switch {
	case grants.open():
		return Unknown
	case some == NoMatch || all == Matched:
		return some
	}
	return Unknown
}

func (g *KeyGrant) retiredBy(req *Request, v *verdict) Match {
	limits := or(and(v.boundaryOk, v.sessionOk), Unknown)
	m := NoMatch
	if g.Retiring != "" {
		m, _ = matchGrantee(g.Retiring, req)
	}
	if g.has("RetireGrant") {
		as, _ := matchGrantee(g.Grantee, req)
		m = or(m, as)
	}
	issuer := g.Issuer
	if arn, ok := policy.ParseARN(issuer); ok {
		issuer = arn.Account
	}
	own := and(hasAccount(&req.Principal), not(otherAccount(req.Principal.Account, issuer)))
	return or(and(m, limits), min(own, v.identity.allows(), limits))
}

// grantsNote names what would settle what the key's grants leave open.
func grantsNote(req *Request, grants *KeyGrants, v *verdict) string {
	var open []string
	operation, _ := cutFoldPrefix(req.Action, "kms:")
	for i := range grants.List {
		g := &grants.List[i]
		switch {
		case retires(req.Action):
			open = append(open, "which grant is to be retired: grant "+g.ID+" or another")
		case g.allows(req, operation, v) != Unknown:
		case g.constraintsHold(&req.Context, operation) == Unknown:
			open = append(open, "whether the request meets the constraints of grant "+g.ID)
		case and(v.boundaryOk, v.sessionOk) != Matched:
			open = append(open, "whether a permissions boundary or session policy limits grant "+g.ID+" (AWS doesn't say)")
		default:
			open = append(open, "whether grant "+g.ID+" is for the caller")
		}
	}
	if grants.open() {
		missing := grants.Missing
		if missing == "" {
			missing = "grants of " + req.Resource.ARN + "; kms:ListGrants would tell"
		}
		open = append(open, missing)
	}
	const most = 3 // a key may have thousands
	if len(open) > most {
		open = append(open[:most], "and others")
	}
	return strings.Join(open, "; ")
}
