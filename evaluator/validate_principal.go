package evaluator

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// principals checks Principal and NotPrincipal (section 4).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (c *statementCheck) principals() {
	if c.rules.principal == mustNotHave {
		return // reported as a whole
	}
	for _, p := range []*policy.Principals{c.s.Principal, c.s.NotPrincipal} {
		if p == nil || c.rules.typ == DocumentRCP {
			continue
		}
		for _, e := range p.Entries {
			c.principal(e)
		}
	}
	c.notPrincipal()
	c.federation()
	c.anybodysToken()
	c.everyoneTrusted()
	c.confusedDeputy()
}

// principal checks one entry.
func (c *statementCheck) principal(e policy.PrincipalEntry) {
	v := e.Value.Value
	if strings.Contains(v, "${") { // rule V2
		c.invalidPrincipal("variableNotAllowed", "V2", e, "write the principal out, or compare aws:PrincipalArn with the variable in a condition", "policy variables don't exist in principals: "+quote(v)+" matches nobody")
		return
	}
	switch e.Kind {
	case "AWS":
		c.awsPrincipal(e)
	case "Service":
		c.servicePrincipal(e)
	case "Federated":
		if v != "*" && c.rules.typ != DocumentTrust {
			c.found(SeverityWarning, "federatedPrincipal", "P12", e.Value.Pos, "name the role of the session, or use a condition on aws:FederatedProvider",
				"Federated principals exist only in role trust policies: this matches nobody")
		}
	case "CanonicalUser":
		switch {
		case v == "*":
		case c.rules.typ != DocumentBucket && c.rules.typ != DocumentResource:
			c.found(SeverityWarning, "canonicalUser", "P13", e.Value.Pos, "name the account in AWS", "CanonicalUser exists only in S3's policies")
		case len(v) != 64 || strings.Trim(strings.ToLower(v), "0123456789abcdef") != "":
			c.invalidPrincipal("invalidPrincipal", "P13", e, "", "canonical user id "+quote(v)+" isn't 64 hexadecimal digits")
		}
	}
}

// invalidPrincipal reports an entry that AWS refuses; endpoint policies and unknown kinds of
// resource may save it, and it matches nobody.
func (c *statementCheck) invalidPrincipal(code, rule string, e policy.PrincipalEntry, fix, msg string) {
	f := Finding{Severity: c.refuse(c.rules.typ != DocumentEndpoint && c.rules.typ != DocumentResource), Code: code, Rule: rule, Pos: e.Value.Pos, Message: msg, Fix: fix}
	switch {
	case f.Severity == SeverityWarning:
	case c.rules.typ == DocumentTrust:
		f.AWS = iamInvalidPrincipal(e.Kind, e.Value.Value)
	case c.rules.typ == DocumentBucket:
		f.AWS = bucketPrincipal
	default:
		f.AWS = c.rules.grammarRefusal
	}
	c.add(f)
}

// awsPrincipal checks an entry of AWS: an account, a user, a role, a session, or *.
func (c *statementCheck) awsPrincipal(e policy.PrincipalEntry) {
	v := e.Value.Value
	digits := v != "" && strings.Trim(v, "0123456789") == ""
	switch {
	case v == "*":
	case digits && len(v) == 12:
		c.gatewayAccount(e)
	case digits || v != "" && strings.Trim(v, "0123456789-") == "":
		c.invalidPrincipal("invalidPrincipal", "P6", e, "write its twelve digits", "account "+quote(v)+" doesn't have 12 digits")
	case isUniqueID(v):
		c.gatewayIdentity(e)
		c.found(SeverityWarning, "orphanedPrincipal", "P8", e.Value.Pos, "name the user or role by its ARN, or remove it",
			"%s is the id of a user or role; AWS shows it in place of the ARN once that has been deleted, and a new one of the same name doesn't match it", v)
	case strings.HasPrefix(v, "arn:"):
		c.principalARN(e)
	case strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "arn:"):
		c.invalidPrincipal("arnCase", "P10", e, "write arn in lower case, and nothing before it", "principal "+quote(v)+" is no ARN")
	case strings.HasSuffix(v, ".amazonaws.com"):
		c.invalidPrincipal("invalidPrincipal", "P11", e, `write {"Service": `+quote(v)+`}`, quote(v)+" is a service: it belongs under Service, not AWS")
	case strings.ContainsAny(v, "*?"):
		c.invalidPrincipal("wildcardPrincipal", "P9", e, `write "*" and compare aws:PrincipalArn in a condition`, "principal "+quote(v)+" has a wildcard: only * alone is one")
	case c.rules.typ == DocumentBucket && len(v) == 64:
		c.invalidPrincipal("invalidPrincipal", "P13", e, "write it under CanonicalUser", "a canonical user id belongs under CanonicalUser")
	default:
		c.invalidPrincipal("invalidPrincipal", "P6", e, "write an account id, or the ARN of a user, role or session", "principal "+quote(v)+" is neither an account nor an ARN")
	}
}

// isUniqueID reports whether a principal is the unique id of a user or role:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func isUniqueID(v string) bool {
	return len(v) >= 16 && (strings.HasPrefix(v, "AIDA") || strings.HasPrefix(v, "AROA")) && !strings.ContainsFunc(v, notAlphanumeric)
}

// principalARN checks an ARN under AWS (rules P9, P10, P14).
func (c *statementCheck) principalARN(e policy.PrincipalEntry) {
	v := e.Value.Value
	arn, ok := policy.ParseARN(v)
	kind, _, _ := strings.Cut(arn.Resource, "/")
	switch {
	case !ok:
		c.invalidPrincipal("invalidPrincipal", "P6", e, "write arn:aws:iam::ACCOUNT:role/NAME", "ARN "+quote(v)+" has fewer than 6 parts")
	case strings.ContainsAny(v, "*?"):
		c.invalidPrincipal("wildcardPrincipal", "P9", e, `write "*" or the account, and ArnLike on aws:PrincipalArn in a condition`, "principal "+quote(v)+" has a wildcard, which principals can't have: it matches nobody")
	case !slices.Contains(partitions, arn.Partition):
		c.invalidPrincipal("arnPartition", "P15", e, "write aws, aws-cn or aws-us-gov", "principal "+quote(v)+" has the partition "+quote(arn.Partition)+", which doesn't exist")
	case arn.Service == "iam" && kind == "group":
		c.invalidPrincipal("groupPrincipal", "P14", e, "name the users, or a role", "a group can't be a principal")
	case arn.Service == "iam" && slices.Contains([]string{"instance-profile", "policy", "mfa", "server-certificate"}, kind),
		arn.Service == "organizations":
		c.invalidPrincipal("invalidPrincipal", "P14", e, "name users, roles or accounts; for an organization, * with a condition on aws:PrincipalOrgID", quote(v)+" can't be a principal")
	case arn.Service == "iam" && (kind == "oidc-provider" || kind == "saml-provider"):
		c.invalidPrincipal("invalidPrincipal", "P12", e, "write it under Federated", "an identity provider belongs under Federated, not AWS")
	case arn.Service == "iam" && !(kind == "root" || kind == "user" || kind == "role"),
		arn.Service == "sts" && !(kind == "assumed-role" || kind == "federated-user" || kind == "self"),
		arn.Service != "iam" && arn.Service != "sts":
		c.invalidPrincipal("invalidPrincipal", "P6", e, "write the ARN of an account's root, a user, a role or a session", quote(v)+" can't be a principal")
	case arn.Region != "":
		c.invalidPrincipal("arnRegion", "P6", e, "leave the region empty", "principal "+quote(v)+" has a region, and principals have none")
	case strings.Trim(arn.Account, "0123456789") == "" && len(arn.Account) != 12:
		c.invalidPrincipal("arnAccount", "P6", e, "write its twelve digits", "principal "+quote(v)+": an account id has 12 digits")
	case arn.Resource == "root":
		c.gatewayAccount(e)
	default:
		c.gatewayIdentity(e)
	}
}

// gatewayAccount warns of accounts in the policy of what is probably a gateway endpoint (rule E34).
//
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func (c *statementCheck) gatewayAccount(e policy.PrincipalEntry) {
	if !c.gateway() {
		return
	}
	c.found(SeverityWarning, "gatewayPrincipal", "E34", e.Value.Pos, `write "*" and compare aws:PrincipalAccount or aws:PrincipalArn in a condition`,
		"in the policy of a gateway endpoint %s means the account's root user only", e.Value.Value)
}

// gatewayIdentity warns of users and roles there: AWS names aws:PrincipalArn as the way to allow them (rule E34).
func (c *statementCheck) gatewayIdentity(e policy.PrincipalEntry) {
	if c.gateway() {
		c.found(SeverityWarning, "gatewayPrincipal", "E34", e.Value.Pos, `write "*" and compare aws:PrincipalArn in a condition`,
			"AWS doesn't say what %s means in the policy of a gateway endpoint", e.Value.Value)
	}
}

// gateway reports whether the statement is probably one of a gateway endpoint's policy: S3 and DynamoDB alone have such
// endpoints.
func (c *statementCheck) gateway() bool {
	return c.rules.typ == DocumentEndpoint && c.s.Action != nil && !slices.ContainsFunc(c.s.Action.Values, func(a policy.Text) bool {
		prefix, _, _ := strings.Cut(strings.ToLower(a.Value), ":")
		return prefix != "s3" && prefix != "dynamodb"
	})
}

// servicePrincipal checks an entry of Service (rule P11).
func (c *statementCheck) servicePrincipal(e policy.PrincipalEntry) {
	v := e.Value.Value
	switch {
	case v == "*": // the parser's defect (rule P5)
	case strings.ContainsAny(v, "*?"):
		c.invalidPrincipal("wildcardPrincipal", "P9", e, "name each service", "principal "+quote(v)+" has a wildcard, which principals can't have")
	case !strings.Contains(v, ".") || strings.ContainsAny(v, ":/ "):
		c.invalidPrincipal("invalidPrincipal", "P11", e, "a service is written as ec2.amazonaws.com", quote(v)+" is no service principal")
	case v != strings.ToLower(v):
		c.found(SeverityWarning, "serviceCase", "P11", e.Value.Pos, "write "+strings.ToLower(v), "service principals are in lower case, and compared by case")
	}
}

// notPrincipal warns of the traps of NotPrincipal (rules P16 to P20).
func (c *statementCheck) notPrincipal() {
	p := c.s.NotPrincipal
	if p == nil || c.rules.notPrincipal == mustNotHave {
		return
	}
	if c.s.Effect == policy.Allow {
		if c.rules.notPrincipal != onlyInDeny {
			c.found(SeverityWarning, "notPrincipalAllow", "P20", p.Pos, "name who is allowed in Principal", "Allow with NotPrincipal allows everybody else, anonymous callers included")
		}
		return
	}
	const fix = `write "Principal": "*" and a condition ArnNotLike on aws:PrincipalArn`
	accounts, owners := map[string]bool{}, map[string]policy.PrincipalEntry{}
	sessions := map[string]bool{}
	for _, e := range p.Entries {
		v := e.Value.Value
		arn, ok := policy.ParseARN(v)
		switch {
		case e.Kind != "AWS" || v == "*":
		case !ok && len(v) == 12:
			accounts[v] = true
		case ok && arn.Resource == "root":
			accounts[arn.Account] = true
		case ok && arn.Service == "sts":
			sessions[arn.Account] = true
			owners[v] = e
		case ok:
			owners[v] = e
		}
	}
	if len(owners) == 0 && len(accounts) > 0 {
		c.found(SeverityWarning, "notPrincipalAccount", "P18", p.Pos, fix, "listing an account in NotPrincipal excepts its root user only: all its users and roles are denied")
		return
	}
	for _, e := range p.Entries {
		if _, ok := owners[e.Value.Value]; !ok {
			continue
		}
		arn, _ := policy.ParseARN(e.Value.Value)
		switch {
		case !accounts[arn.Account]:
			c.found(SeverityWarning, "notPrincipalChain", "P16", e.Value.Pos, fix, "%s is denied unless its account is listed, too", e.Value.Value)
		case strings.HasPrefix(arn.Resource, "role/") && !sessions[arn.Account]:
			c.found(SeverityWarning, "notPrincipalChain", "P16", e.Value.Pos, fix, "sessions of %s are denied unless each is listed, too", e.Value.Value)
		}
	}
	c.found(SeveritySuggestion, "notPrincipalBoundary", "P19", p.Pos, fix, "Deny with NotPrincipal denies every user and role that has a permissions boundary, listed or not")
}

// federation checks that a trust policy's actions are those of its kind of principal (rule P12).
func (c *statementCheck) federation() {
	if c.rules.typ != DocumentTrust || c.s.Principal == nil || c.s.Action == nil {
		return
	}
	federated, others := false, false
	for _, e := range c.s.Principal.Entries {
		federated = federated || e.Kind == "Federated"
		others = others || e.Kind != "Federated"
	}
	for _, a := range c.s.Action.Values {
		switch strings.ToLower(a.Value) {
		case "sts:assumerole":
			if federated && !others {
				c.found(SeverityWarning, "principalMismatch", "P12", a.Pos, "write sts:AssumeRoleWithWebIdentity or sts:AssumeRoleWithSAML", "Federated principals don't call sts:AssumeRole: it never applies")
			}
		case "sts:assumerolewithsaml", "sts:assumerolewithwebidentity":
			if others && !federated && !c.everyone() {
				c.found(SeverityWarning, "principalMismatch", "P12", a.Pos, "name the identity provider under Federated", "%s is called by Federated principals only: it never applies", a.Value)
			}
		}
	}
}

// anybodysToken reports a role that trusts GitHub's tokens whoever asked for them: GitHub gives its tokens to everybody, and IAM
// refuses a trust policy that doesn't look at their claims (rule S8). Roles made before it did are as they were.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html#idp_oidc_Create_GitHub
func (c *statementCheck) anybodysToken() {
	const github = "token.actions.githubusercontent.com"
	if c.rules.typ != DocumentTrust || c.s.Effect != policy.Allow || c.s.Principal == nil || !allowsAction(c.s, "sts:assumerolewithwebidentity") {
		return
	}
	for i := range c.s.Condition {
		claim, ok := strings.CutPrefix(strings.ToLower(c.s.Condition[i].Key.Value), github+":")
		if op, known := readOperator(c.s.Condition[i].Operator); ok && claim != "aud" && (!known || !op.negated && !op.ifExists && op.kind != operandNull) {
			return
		}
	}
	for _, e := range c.s.Principal.Entries {
		if e.Kind != "Federated" || !strings.HasSuffix(e.Value.Value, ":oidc-provider/"+github) {
			continue
		}
		f := Finding{Severity: c.refuse(!c.opts.Collected), Code: "anybodysToken", Rule: "S8", Pos: e.Value.Pos, Message: "every repository on GitHub gets such a token: nothing asks whose it is",
			Fix: `add "StringLike": {"` + github + `:sub": "repo:OWNER/REPOSITORY:*"}`}
		if f.Severity == SeverityError {
			f.AWS = trustClaims
		}
		c.add(f)
	}
}

// everyone reports whether the statement's Principal is *.
func (c *statementCheck) everyone() bool {
	return c.s.Principal != nil && slices.ContainsFunc(c.s.Principal.Entries, func(e policy.PrincipalEntry) bool { return e.Kind == "AWS" && e.Value.Value == "*" })
}

// everyoneTrusted warns of roles and keys that everybody may use (rule P4).
func (c *statementCheck) everyoneTrusted() {
	if c.s.Effect == policy.Allow && c.everyone() && len(c.s.Condition) == 0 && (c.rules.typ == DocumentTrust || c.rules.typ == DocumentKey) {
		c.found(SeverityWarning, "everyoneAllowed", "P4", c.s.Principal.Pos, "name accounts or roles, or add a condition such as aws:PrincipalOrgID", "everybody in every AWS account is allowed")
	}
}

// confusedDeputy suggests to say for whose resources a service may act (rule E27).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (c *statementCheck) confusedDeputy() {
	s := c.s
	if s.Effect != policy.Allow || s.Principal == nil || !c.rules.isResource() || c.rules.typ == DocumentRepository {
		return
	}
	for i := range s.Condition {
		key := strings.ToLower(s.Condition[i].Key.Value)
		if strings.HasPrefix(key, "aws:source") || strings.HasPrefix(key, "kms:") || key == "aws:principalorgid" || key == "aws:calledvia" {
			return
		}
	}
	for _, e := range s.Principal.Entries {
		if e.Kind == "Service" {
			c.found(SeveritySuggestion, "confusedDeputy", "E27", e.Value.Pos, "add a condition on aws:SourceArn or aws:SourceAccount",
				"%s is allowed on behalf of anybody's resources, in any account", e.Value.Value)
			return
		}
	}
}

// keyLockout warns of a key policy that leaves nobody, or only those it names, to change it (KMS's safety check).
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (c *checker) keyLockout() {
	if c.rules.typ != DocumentKey || len(c.doc.Statements) == 0 {
		return
	}
	somebody, account := false, false
	for i := range c.doc.Statements {
		s := &c.doc.Statements[i]
		if len(s.Defects) > 0 || s.NotPrincipal != nil {
			return // nobody knows
		}
		if s.Effect != policy.Allow || s.Principal == nil || !allowsAction(s, "kms:putkeypolicy") {
			continue
		}
		for _, e := range s.Principal.Entries {
			somebody = somebody || e.Kind == "AWS"
			account = account || e.Kind == "AWS" && len(s.Condition) == 0 && isAccount(e.Value.Value)
		}
	}
	const fix = `add {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::ACCOUNT:root"}, "Action": "kms:*", "Resource": "*"} with the key's account`
	switch {
	case !somebody:
		c.add(Finding{SeverityWarning, "keyLockout", "G20", c.doc.Pos, "nobody may change this key policy: KMS refuses it, unless told to skip its lockout check", fix, kmsLockout})
	case !account:
		c.add(Finding{Severity: SeveritySuggestion, Code: "keyLockout", Rule: "G20", Pos: c.doc.Pos, Fix: fix,
			Message: "only who is named here may change this key policy, and IAM policies give nobody else that: once those are deleted, nobody may"})
	}
}

// isAccount reports whether a principal is everybody or an account, which its IAM policies can pass on.
func isAccount(v string) bool {
	arn, ok := policy.ParseARN(v)
	return v == "*" || len(v) == 12 && strings.Trim(v, "0123456789") == "" || ok && arn.Service == "iam" && arn.Resource == "root"
}

// allowsAction reports whether a statement is about an action, in lower case.
func allowsAction(s *policy.Statement, action string) bool {
	about := func(l *policy.List) bool {
		return slices.ContainsFunc(valuesOf(l), func(a policy.Text) bool { return simpleMatch(strings.ToLower(a.Value), action) })
	}
	if s.NotAction != nil {
		return !about(s.NotAction)
	}
	return about(s.Action)
}
