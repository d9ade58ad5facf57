package evaluator

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// conditionKey checks that a key exists, and that the statement's actions supply it (table 1.3, section 5.4).
func (c *statementCheck) conditionKey(u *conditionUse) {
	name := u.Key.Value
	prefix, rest, ok := strings.Cut(name, ":")
	if !ok || prefix == "" || rest == "" {
		// IAM saves such keys; S3 doesn't.
		f := Finding{Severity: c.refuse(c.rules.typ == DocumentBucket), Code: "keyWithoutService", Rule: "C3", Pos: u.Key.Pos,
			Message: "condition key " + quote(name) + " has no service: want aws:Key or service:Key"}
		if f.Severity == SeverityError {
			f.AWS = bucketKey
		} else {
			f.Message = "condition key " + quote(name) + " has no service, and no request has it: " + c.absence(u)
			f.Fix = "write aws:Key or service:Key"
		}
		if _, ok := serviceref.GlobalKey("aws:" + name); ok {
			f.Fix = didYouMean("aws:" + name)
		}
		c.add(f)
		return
	}
	prefix = strings.ToLower(prefix)
	if (prefix == "https" || prefix == "http") && strings.HasPrefix(rest, "//") {
		c.urlKey(u)
		return
	}
	if strings.ContainsAny(prefix, "./") || prefix == "saml" {
		return // keys of an identity provider
	}
	key, known := lookupKey(name)
	u.ref = key
	switch {
	case known:
		if prefix != "aws" || strings.HasPrefix(u.key, "aws:requesttag/") || u.key == "aws:tagkeys" {
			c.keySupplied(u, prefix)
		}
	case len(serviceref.Prefixes()) > 0:
		c.unknownKey(u, prefix)
	}
}

// urlKey reports the key of an identity provider that is written with the provider's whole URL.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
func (c *statementCheck) urlKey(u *conditionUse) {
	_, bare, _ := strings.Cut(u.Key.Value, "//")
	f := Finding{Severity: c.refuse(c.rules.iam), Code: "urlKey", Rule: "C3", Pos: u.Key.Pos, Fix: "write " + bare,
		Message: "condition key " + quote(u.Key.Value) + ": the keys of an identity provider start with its host, without https://"}
	if f.Severity == SeverityError {
		f.AWS = trustColons
	}
	c.add(f)
}

// lookupKey finds a key in the reference.
func lookupKey(name string) (*serviceref.Key, bool) {
	if k, ok := serviceref.GlobalKey(name); ok {
		return k, true
	}
	prefix, _, _ := strings.Cut(strings.ToLower(name), ":")
	if s, ok := serviceref.Lookup(prefix); ok {
		return s.Key(name)
	}
	return nil, false
}

// undocumentedKeys are not documented; observed in policies of AWS's own (AWSSSOServiceRolePolicy).
var undocumentedKeys = map[string]bool{"aws:principalorgmasteraccountid": true}

// unknownKey reports a key that the reference doesn't have.
func (c *statementCheck) unknownKey(u *conditionUse, prefix string) {
	if undocumentedKeys[u.key] || c.suppliedElsewhere(u.Key.Value) {
		return
	}
	f := Finding{Severity: c.refuse(c.rules.typ == DocumentBucket && prefix == "s3"), Code: "unknownKey", Rule: "C4", Pos: u.Key.Pos}
	if f.Severity == SeverityError { // S3 saves unknown keys of aws:
		f.AWS = bucketKey
	}
	service, ok := serviceref.Lookup(prefix)
	switch {
	case prefix == "aws":
		f.Message = "global condition key " + u.Key.Value + " doesn't exist"
		f.Fix = didYouMean(c.closest(u.Key.Value, globalKeyNames))
	case !ok:
		f.Message = "condition key " + u.Key.Value + ": no service has the prefix " + quote(prefix)
		f.Fix = didYouMean(c.closestService(prefix))
	default:
		f.Message = service.Name + " has no condition key " + u.Key.Value
		f.Fix = didYouMean(c.closest(u.Key.Value, func(yield func(string) bool) {
			for i := range service.Keys {
				if !yield(service.Keys[i].Name) {
					return
				}
			}
		}))
	}
	f.Message += " (reference of " + serviceref.Date() + "): " + c.absence(u)
	c.add(f)
}

// absence says what a condition comes to whose key is never there (rules C4 to C6).
func (c *statementCheck) absence(u *conditionUse) string {
	holds := u.op.negated || u.op.ifExists || u.op.set == "ForAllValues"
	if u.op.kind == operandNull {
		holds = len(u.Values) > 0 && strings.EqualFold(u.Values[0].Value, "true")
	}
	if holds {
		return "the condition always holds"
	}
	return "the statement never applies"
}

// suppliedElsewhere reports whether an action of the statement belongs to a service that knows the key:
// some services mention keys of others.
func (c *statementCheck) suppliedElsewhere(key string) bool {
	for _, l := range []*policy.List{c.s.Action, c.s.NotAction} {
		for _, a := range valuesOf(l) {
			if !c.spend(8) {
				return true // nothing is said
			}
			prefix, _, _ := strings.Cut(strings.ToLower(a.Value), ":")
			if s, ok := serviceref.Lookup(prefix); ok {
				if _, ok := s.Key(key); ok {
					return true
				}
			}
		}
	}
	return false
}

// globalKeyNames are the global keys, for did-you-mean.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func globalKeyNames(yield func(string) bool) {
	for _, n := range strings.Fields(`CalledVia CalledViaFirst CalledViaLast CurrentTime EpochTime FederatedProvider
		MultiFactorAuthAge MultiFactorAuthPresent PrincipalAccount PrincipalArn PrincipalIsAWSService PrincipalOrgID PrincipalOrgPaths
		PrincipalServiceName PrincipalServiceNamesList PrincipalTag PrincipalType referer RequestedRegion RequestTag ResourceAccount
		ResourceOrgID ResourceOrgPaths ResourceTag SecureTransport SourceAccount SourceArn SourceIdentity SourceIp SourceOrgID SourceOrgPaths
		SourceVpc SourceVpce TagKeys TokenIssueTime UserAgent userid username ViaAWSService VpcSourceIp`) {
		if !yield("aws:" + n) {
			return
		}
	}
}

// keySupplied checks that the actions of the statement supply a service's key. Some keys
// travel with calls to any service.
func (c *statementCheck) keySupplied(u *conditionUse, prefix string) {
	if c.s.Action == nil || travelling[u.key] || prefix == "aws-marketplace" {
		return // the reference is known not to say all about Marketplace's keys: AWS's own policies use others
	}
	supplied := false
	var without []policy.Text
	checked := 0
	for i, a := range c.s.Action.Values {
		list := c.expand()[i].actions
		if len(list) == 0 || !c.spend(8) {
			return // *, or not known
		}
		if list[0].service.Prefix == "aws-marketplace" {
			return
		}
		has := false
		for _, x := range list {
			if !c.spend(64) {
				return
			}
			if has = hasKey(x.service.ActionKeys(x.action), u.Key.Value); has {
				break
			}
		}
		checked++
		supplied = supplied || has
		if !has {
			without = append(without, a)
		}
	}
	holds := strings.HasPrefix(c.absence(u), "the condition")
	switch {
	case checked == 0 || len(without) == 0:
	case !supplied && !c.suppliedByAny(prefix, u.Key.Value):
		// The reference has the key, but doesn't say whose it is.
	case !supplied:
		f := Finding{Severity: c.refuse(c.rules.typ == DocumentBucket && prefix == "s3"), Code: "keyNotSupplied", Rule: "C4", Pos: u.Key.Pos,
			Message: "no action of the statement supplies " + u.Key.Value + " (reference of " + serviceref.Date() + "): " + c.absence(u), Fix: "use a key that the actions supply"}
		if f.Severity == SeverityError {
			f.AWS = bucketConditions
		}
		c.add(f)
	case !holds && c.s.Effect == policy.Allow:
		names := make([]string, 0, 3)
		for _, a := range without[:min(len(without), 3)] {
			names = append(names, a.Value)
		}
		text := strings.Join(names, ", ")
		if more := len(without) - len(names); more > 0 {
			text += " and others"
		}
		f := Finding{Severity: SeverityWarning, Code: "keyNotSuppliedByAll", Rule: "C4", Pos: u.Key.Pos,
			Message: text + " never has " + u.Key.Value + ", so this doesn't allow it", Fix: "give it a statement of its own, without this condition"}
		if len(without) > 1 {
			f.Message = text + " never have " + u.Key.Value + ", so this doesn't allow them"
			f.Fix = "give them a statement of their own, without this condition"
		}
		c.add(f)
	}
}

// suppliedByAny reports whether the reference says of any action of a service that it supplies the key.
func (c *statementCheck) suppliedByAny(prefix, key string) bool {
	s, ok := serviceref.Lookup(prefix)
	if !ok {
		return prefix == "aws"
	}
	for i := range s.Actions {
		if !c.spend(64) {
			return false
		}
		if hasKey(s.ActionKeys(&s.Actions[i]), key) {
			return true
		}
	}
	return false
}

// travelling are keys of a service, in lower case, that go with every call made from one of its resources.
var travelling = map[string]bool{
	"ec2:sourceinstancearn": true, "ec2:roledelivery": true, "lambda:sourcefunctionarn": true, "ssm:sourceinstancearn": true,
	"glue:roleassumedby": true, "glue:credentialissuingservice": true, "identitystore:userid": true, "kms:viaservice": true,
	"codebuild:buildarn": true, "codebuild:projectarn": true,
}

// hasKey reports whether a list of keys of the reference has one of the name; a part in ${} or <> stands for any text.
func hasKey(keys []string, name string) bool {
	return slices.ContainsFunc(keys, func(k string) bool {
		if i := strings.IndexAny(k, "$<"); i >= 0 {
			return len(name) > i && strings.EqualFold(name[:i], k[:i])
		}
		return strings.EqualFold(k, name)
	})
}

// variablesIn checks the policy variables of a value (section 6). only the resource part of a
// Resource takes variables, which its own check looks after.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (c *statementCheck) variablesIn(v policy.Text, where string, resource bool) {
	text := v.Value
	if !strings.Contains(text, "${") {
		return
	}
	if !c.variables { // rule G11
		c.found(SeverityWarning, "variableVersion", "G11", v.Pos, `write "Version": "2012-10-17"`, "under Version 2008-10-17 policy variables don't exist: %q is taken literally", text)
		return
	}
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			return
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			c.refused("malformedVariable", "V4", v.Pos, c.rules.grammarRefusal, "close it with }", "policy variable %q has no closing brace", text[i:])
			return
		}
		c.variable(v, text[i+2:i+end])
		text = text[i+end+1:]
	}
}

// variable checks what stands between the braces (rules V3, V4, V8).
func (c *statementCheck) variable(v policy.Text, body string) {
	if body == "*" || body == "?" || body == "$" {
		return
	}
	name, fallback, hasDefault := strings.Cut(body, ",")
	bad := func(what string) {
		c.refused("malformedVariable", "V4", v.Pos, c.rules.grammarRefusal, "write ${key} or ${key, 'default'}", "policy variable ${%s}: %s", body, what)
	}
	switch {
	case name == "":
		bad("it is empty")
		return
	case strings.ContainsAny(name, " \t\n${'\""):
		bad("its key has a character that no key has")
		return
	case hasDefault && !(strings.HasPrefix(fallback, " '") && strings.HasSuffix(fallback, "'") && strings.Count(fallback, "'") == 2):
		bad("its default isn't written as , 'default'")
		return
	}
	if len(serviceref.Prefixes()) == 0 {
		return
	}
	prefix, _, ok := strings.Cut(strings.ToLower(name), ":")
	if strings.ContainsAny(prefix, "./") && ok || prefix == "saml" {
		return
	}
	switch key, known := lookupKey(name); {
	case known && key.Multivalued():
		c.found(SeverityWarning, "multivaluedVariable", "V8", v.Pos, "compare the key in a condition", "%s has several values and can't be a policy variable: this matches nothing", name)
	case !known && !ok:
		c.found(SeverityWarning, "unknownVariable", "V6", v.Pos, didYouMean(c.closest("aws:"+name, globalKeyNames)), "policy variable ${%s} is no condition key: this matches nothing", body)
	case !known && prefix == "aws":
		c.found(SeverityWarning, "unknownVariable", "V6", v.Pos, didYouMean(c.closest(name, globalKeyNames)), "policy variable ${%s}: the key doesn't exist, and this matches nothing", body)
	}
}
