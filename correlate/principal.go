package correlate

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// hiddenName stands where CloudTrail withholds what somebody typed (T85, T106).
const hiddenName = "HIDDEN_DUE_TO_SECURITY_REASONS"

// anonymousAccount stands in accountId of a call that nobody signed.
const anonymousAccount = "ANONYMOUS_PRINCIPAL"

// An identityReader makes the principal of one type of userIdentity.
type identityReader func(e *Event) evaluator.Principal

// identityTypes is table 2.2. A type that isn't in it, Directory for one, is no
// IAM principal: only AWS's message says anything about it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
var identityTypes = map[string]identityReader{
	"Root":               rootPrincipal,
	"IAMUser":            userPrincipal,
	"AssumedRole":        rolePrincipal,
	"Role":               rolePrincipal,
	"FederatedUser":      federatedPrincipal,
	"AWSAccount":         accountPrincipal,
	"AWSService":         servicePrincipal,
	"SAMLUser":           samlPrincipal,
	"WebIdentityUser":    webIdentityPrincipal,
	"IdentityCenterUser": rolePrincipal, // evaluable only if it also has a role session
	"":                   arnPrincipal,  // a source that lost the type
}

// eventPrincipal returns an event's caller (table 2.2).
func eventPrincipal(e *Event) evaluator.Principal {
	if read, ok := identityTypes[e.Identity.Type]; ok {
		return read(e)
	}
	return unknownCaller(e)
}

// unknownCaller keeps what is known of a caller that has no usable ARN. It is not
// made a user or a role without one: that would match no policy, where it may match some.
func unknownCaller(e *Event) evaluator.Principal {
	return evaluator.Principal{ID: uniqueID(e), Account: callerAccount(e)}
}

func rootPrincipal(e *Event) evaluator.Principal {
	account := callerAccount(e)
	if account == "" {
		return unknownCaller(e)
	}
	return evaluator.Principal{
		Type: evaluator.Root, ARN: "arn:" + eventPartition(e) + ":iam::" + account + ":root",
		ID: uniqueID(e), Account: account,
	}
}

func userPrincipal(e *Event) evaluator.Principal {
	p, ok := splitARN(e.Identity.ARN)
	if !ok || p.service != "iam" || p.kind() != "user" {
		return unknownCaller(e) // a name alone doesn't tell the path
	}
	return evaluator.Principal{Type: evaluator.User, ARN: e.Identity.ARN, ID: uniqueID(e), Account: callerAccount(e)}
}

// rolePrincipal finds the role of a session: as recorded, else from the session's ARN, which
// has no path (T28). The inventory may know better.
func rolePrincipal(e *Event) evaluator.Principal {
	session, s := e.Identity.ARN, issuer(e)
	p := evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, ID: uniqueID(e), Account: callerAccount(e)}
	if strings.HasPrefix(s.IssuerID, "AROA") {
		p.ID = s.IssuerID
	}
	if a, ok := splitARN(s.IssuerARN); ok && a.service == "iam" && a.kind() == "role" {
		p.RoleARN = s.IssuerARN
	}
	a, ok := splitARN(session)
	switch {
	case ok && a.service == "sts" && a.kind() == "assumed-role":
		if p.RoleARN == "" {
			p.RoleARN, p.RolePathUnknown = roleOfSession(a), true
		}
	case ok && a.service == "iam" && a.kind() == "role":
		if p.RoleARN == "" {
			p.RoleARN = session
		}
	case p.RoleARN != "":
		p.ARN = composeSession(p.RoleARN, e.Identity.PrincipalID)
	default:
		return unknownCaller(e)
	}
	return p
}

// roleOfSession makes the ARN of a session's role, as if it had no path.
func roleOfSession(a arnParts) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(a.resource, "assumed-role/"), "/")
	return "arn:" + a.partition + ":iam::" + a.account + ":role/" + name
}

// composeSession makes a session's ARN of its role and AROA…:session; without a session's
// name it is the role's.
func composeSession(role, principalID string) string {
	a, _ := splitARN(role)
	_, session, ok := strings.Cut(principalID, ":")
	if !ok || session == "" {
		return role
	}
	return "arn:" + a.partition + ":sts::" + a.account + ":assumed-role/" + a.lastName() + "/" + session
}

func federatedPrincipal(e *Event) evaluator.Principal {
	p, ok := splitARN(e.Identity.ARN)
	if !ok || p.kind() != "federated-user" {
		return unknownCaller(e)
	}
	f := evaluator.Principal{Type: evaluator.FederatedUser, ARN: e.Identity.ARN, Account: callerAccount(e)}
	if _, ok := splitARN(issuer(e).IssuerARN); ok {
		f.ParentARN = issuer(e).IssuerARN
	}
	return f
}

func accountPrincipal(e *Event) evaluator.Principal {
	if e.Identity.Account == anonymousAccount {
		return evaluator.Principal{Type: evaluator.Anonymous}
	}
	return arnPrincipal(e) // the resource's owner is told the caller's ARN at most (T104)
}

func servicePrincipal(e *Event) evaluator.Principal {
	if name := e.Identity.InvokedBy; strings.Contains(name, ".amazonaws.com") {
		return evaluator.Principal{Type: evaluator.Service, ARN: name}
	}
	return evaluator.Principal{}
}

// samlPrincipal is the provider that the caller of AssumeRoleWithSAML comes through;
// identityProvider holds but a hash of its name.
func samlPrincipal(e *Event) evaluator.Principal {
	provider := e.Identity.IdentityProvider
	if a, ok := splitARN(provider); !ok || a.kind() != "saml-provider" {
		provider, _ = parameter(e, "principalArn").(string)
	}
	if a, ok := splitARN(provider); ok && a.kind() == "saml-provider" {
		return evaluator.Principal{Type: evaluator.SAML, ARN: provider}
	}
	return evaluator.Principal{}
}

func webIdentityPrincipal(e *Event) evaluator.Principal {
	if e.Identity.IdentityProvider == "" {
		return evaluator.Principal{}
	}
	return evaluator.Principal{Type: evaluator.WebIdentity, ARN: e.Identity.IdentityProvider}
}

// arnPrincipal goes by the ARN alone.
func arnPrincipal(e *Event) evaluator.Principal {
	a, ok := splitARN(e.Identity.ARN)
	switch {
	case !ok:
		return unknownCaller(e)
	case a.service == "iam" && a.kind() == "user":
		return userPrincipal(e)
	case a.service == "iam" && a.resource == "root":
		return rootPrincipal(e)
	case a.kind() == "assumed-role", a.service == "iam" && a.kind() == "role":
		return rolePrincipal(e)
	case a.kind() == "federated-user":
		return federatedPrincipal(e)
	}
	return unknownCaller(e)
}

// uniqueID returns the unique id of the caller, without a session's name.
func uniqueID(e *Event) string {
	id, _, _ := strings.Cut(e.Identity.PrincipalID, ":")
	if id == hiddenName {
		return ""
	}
	return id
}

// callerAccount returns the caller's account (T34), "" if it isn't known.
func callerAccount(e *Event) string {
	if a := knownAccount(e.Identity.Account); a != "" {
		return a
	}
	if a, ok := splitARN(e.Identity.ARN); ok {
		return knownAccount(a.account)
	}
	return ""
}

// knownAccount returns s if it is an account's id.
func knownAccount(s string) string {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// caller returns the principal to evaluate: the event's, unless AWS's message is about
// another one (T67), as when a service used its role inside the call.
func (c *call) caller(m *Message) (p evaluator.Principal, mismatch bool) {
	if m.Pattern == "M31" {
		return c.rolesUser(m), true
	}
	named := m.Principal
	if named == "" || c.isCaller(named) {
		return c.principal, false
	}
	p, ok := messagePrincipal(named)
	if c.principal.Type == evaluator.UnknownPrincipal && ok && (c.principal.Account == "" || c.principal.Account == p.Account) {
		if p.ID == "" {
			p.ID = c.principal.ID
		}
		return p, false // the event doesn't tell its caller's ARN, the message does
	}
	return p, true
}

// isCaller reports whether a message's principal is the event's: the same ARN, the same
// role, or the same name where that is all there is.
func (c *call) isCaller(named string) bool {
	p := c.principal
	if named == p.ARN || named == p.RoleARN || p.Type == evaluator.Anonymous && named == "anonymous" {
		return true
	}
	a, ok := splitARN(named)
	if !ok {
		return named == c.event.Identity.UserName || named == c.event.Identity.PrincipalID || named == p.ID
	}
	switch p.Type {
	case evaluator.AssumedRole:
		role, _ := splitARN(p.RoleARN)
		name, ok := roleName(a)
		return ok && a.account == role.account && a.partition == role.partition && name == role.lastName()
	case evaluator.User: // sts:…:user/N is a slip of AWS's pages
		user, _ := splitARN(p.ARN)
		return a.service == "sts" && a.kind() == "user" && a.account == user.account && a.lastName() == user.lastName()
	}
	return false
}

// roleName returns the role's name of a role's or a session's ARN.
func roleName(a arnParts) (string, bool) {
	switch {
	case a.service == "iam" && a.kind() == "role":
		return a.lastName(), true
	case a.service == "sts" && a.kind() == "assumed-role":
		name, _, _ := strings.Cut(strings.TrimPrefix(a.resource, "assumed-role/"), "/")
		return name, true
	}
	return "", false
}

// messagePrincipal reads the principal that a message names. What isn't one, such
// as [AmazonConnect], is an unknown caller.
func messagePrincipal(s string) (evaluator.Principal, bool) {
	if a, ok := splitARN(s); ok && a.service == "sts" && a.kind() == "user" {
		s = "arn:" + a.partition + ":iam::" + a.account + ":" + a.resource
	}
	if s == "" {
		return evaluator.Principal{}, false
	}
	p, err := evaluator.ParsePrincipal(s)
	if err != nil {
		return evaluator.Principal{}, false
	}
	return p, true
}
