package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// actions checks Action and NotAction (section 2).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (c *statementCheck) actions() {
	for _, l := range []*policy.List{c.s.Action, c.s.NotAction} {
		for _, a := range valuesOf(l) {
			if c.actionForm(a) {
				c.actionService(a)
			}
		}
	}
}

// actionForm checks how an action is written (rule A3), and reports whether it can be looked up.
func (c *statementCheck) actionForm(a policy.Text) bool {
	v := a.Value
	if v == "*" || v == "*:*" {
		return false
	}
	if strings.Contains(v, "${") { // rule V2
		c.found(SeverityWarning, "variableNotAllowed", "V2", a.Pos, "write the actions out", "policy variables don't exist in actions: %q is taken literally and matches nothing", v)
		return false
	}
	prefix, name, ok := strings.Cut(v, ":")
	words := func(s string) string {
		if c.rules.typ == DocumentBucket {
			return bucketAction
		}
		return c.identityWords(s)
	}
	switch {
	case !ok:
		c.refused("actionWithoutService", "A3", a.Pos, words(iamVendor),
			didYouMean(c.prefixed(v)), "action %q has no service: want service:Action, or * alone", v)
	case strings.Contains(name, ":"):
		c.refused("actionColons", "A3", a.Pos, words(iamColons), "", "action %q has more than one colon", v)
	case strings.ContainsAny(prefix, "*?"):
		c.refused("wildcardService", "A3", a.Pos, words(iamWildcard), "name each service", "action %q has a wildcard in its service", v)
	case prefix == "" || strings.ContainsFunc(prefix, notVendor):
		c.refused("invalidService", "A3", a.Pos, words(iamVendorInvalid(prefix)), didYouMean(c.closestService(strings.TrimSpace(prefix))), "action %q: %q can't be a service", v, prefix)
	case name == "":
		c.found(SeverityWarning, "unknownAction", "A1", a.Pos, "write "+v+"* for all of the service", "action %q has no name and matches nothing", v)
	default:
		return true
	}
	return false
}

func notVendor(r rune) bool { return notAlphanumeric(r) && r != '-' && r != '.' }

// prefixed is what an action without a colon probably stands for: the colon written as another
// character, or left out with its service.
func (c *checker) prefixed(v string) string {
	if i := strings.IndexAny(v, "./; "); i > 0 {
		if a := v[:i] + ":" + strings.TrimSpace(v[i+1:]); len(c.concrete(a).actions) > 0 {
			return a
		}
	}
	return c.withService(v)
}

// apiCalls are API calls, in lower case, that are authorised as an action of another name, where people
// write the call's.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var apiCalls = map[string]string{
	"s3:headobject": "s3:GetObject", "s3:selectobjectcontent": "s3:GetObject", "s3:copyobject": "s3:GetObject and s3:PutObject",
	"s3:headbucket": "s3:ListBucket", "s3:listobjects": "s3:ListBucket", "s3:listobjectsv2": "s3:ListBucket",
	"s3:listbuckets": "s3:ListAllMyBuckets", "s3:listobjectversions": "s3:ListBucketVersions",
	"s3:deleteobjects": "s3:DeleteObject", "s3:postobject": "s3:PutObject", "s3:uploadpart": "s3:PutObject",
	"s3:createmultipartupload": "s3:PutObject", "s3:completemultipartupload": "s3:PutObject",
	"s3:listmultipartuploads": "s3:ListBucketMultipartUploads", "s3:listparts": "s3:ListMultipartUploadParts",
	"s3:getbucketencryption": "s3:GetEncryptionConfiguration", "s3:putbucketencryption": "s3:PutEncryptionConfiguration",
	"s3:getbucketlifecycleconfiguration": "s3:GetLifecycleConfiguration", "s3:putbucketlifecycleconfiguration": "s3:PutLifecycleConfiguration",
	"s3:getbucketreplication": "s3:GetReplicationConfiguration", "s3:putbucketreplication": "s3:PutReplicationConfiguration",
	"s3:getpublicaccessblock": "s3:GetBucketPublicAccessBlock", "s3:putpublicaccessblock": "s3:PutBucketPublicAccessBlock",
	"lambda:invoke": "lambda:InvokeFunction",
}

// withService is the only service that the reference knows an action of, with the action; "" if several or none have it.
func (c *checker) withService(name string) string {
	found := ""
	if strings.ContainsAny(name, "*?") || !c.spend(400_000) {
		return ""
	}
	for _, p := range serviceref.Prefixes() {
		s, ok := serviceref.Lookup(p)
		if !ok {
			continue
		}
		if a, ok := s.Action(name); ok {
			if found != "" {
				return ""
			}
			found = p + ":" + a.Name
		}
	}
	return found
}

func (c *checker) closestService(prefix string) string {
	return c.closest(prefix, func(yield func(string) bool) {
		for _, p := range serviceref.Prefixes() {
			if !yield(p) {
				return
			}
		}
	})
}

// actionService looks an action up in the reference (table 1.3), and checks that the policy is
// ever asked about it.
func (c *statementCheck) actionService(a policy.Text) {
	prefix, name, _ := strings.Cut(a.Value, ":")
	if c.foreignAction(a, strings.ToLower(prefix)) {
		return
	}
	service, ok := serviceref.Lookup(strings.ToLower(prefix))
	if !ok {
		c.unknownService(a, strings.ToLower(prefix))
		return
	}
	if x := c.concrete(a.Value); len(service.Actions) == 0 || len(x.actions) > 0 || x.unknown {
		return
	}
	f := Finding{Severity: c.refuse(c.rules.typ == DocumentBucket), Code: "unknownAction", Rule: "A1", Pos: a.Pos}
	if f.Severity == SeverityError {
		f.AWS = bucketAction
	}
	if strings.ContainsAny(name, "*?") {
		f.Severity, f.AWS = SeverityWarning, ""
		f.Message = "no action of " + service.Name + " matches " + quote(a.Value) + " (reference of " + serviceref.Date() + ")"
		c.add(f)
		return
	}
	f.Message = service.Name + " has no action " + quote(name) + " (reference of " + serviceref.Date() + "): probably it matches nothing"
	if needs := apiCalls[strings.ToLower(a.Value)]; needs != "" {
		f.Message = service.Name + " has no action " + quote(name) + ": it matches nothing"
		f.Fix = "write " + needs + ", which the API call " + name + " needs"
	} else if near := c.closestAction(service, name); near != "" {
		f.Fix = didYouMean(service.Prefix + ":" + near)
	} else if c.rules.service == "" {
		f.Fix = didYouMean(c.withService(name))
	}
	c.add(f)
}

// unknownService reports a prefix that the reference doesn't have: once a statement, since
// what holds for one of its actions holds for all.
func (c *statementCheck) unknownService(a policy.Text, prefix string) {
	if len(serviceref.Prefixes()) == 0 || c.unknownServices[prefix] {
		return
	}
	if c.unknownServices == nil {
		c.unknownServices = map[string]bool{}
	}
	c.unknownServices[prefix] = true
	c.found(c.refuse(c.rules.typ == DocumentBucket), "unknownService", "A1", a.Pos, didYouMean(c.closestService(prefix)),
		"no service has the prefix %q (reference of %s): probably its actions match nothing", prefix, serviceref.Date())
}

// foreignAction reports an action that the policy is never asked about: that of another
// service than the resource's.
func (c *statementCheck) foreignAction(a policy.Text, prefix string) bool {
	r := c.rules
	if c.s.NotAction != nil {
		return false
	}
	if r.typ == DocumentTrust && prefix == "sts" && !strings.ContainsAny(a.Value, "*?") && !trustActions[strings.ToLower(a.Value)] && len(c.concrete(a.Value).actions) > 0 {
		c.found(SeverityWarning, "foreignAction", "A1", a.Pos, "", "a role trust policy isn't asked about %s", a.Value)
		return true
	}
	if !c.foreign(prefix) {
		return false
	}
	f := Finding{Severity: c.refuse(r.strict), Code: "foreignAction", Rule: "A1", Pos: a.Pos,
		Message: r.word + " is only asked about actions of " + r.service + ": " + quote(a.Value) + " never applies"}
	switch r.typ {
	case DocumentTrust:
		f.AWS = trustForeign
	case DocumentTopic:
		f.AWS = topicActions
	case DocumentBucket:
		f.AWS = bucketAction
	}
	c.add(f)
	return true
}

// foreign reports whether a service is another than that of the resource.
func (c *checker) foreign(prefix string) bool {
	if c.rules.typ == DocumentBucket && strings.HasPrefix(prefix, "s3") {
		return false // directory, table and Outposts buckets
	}
	return c.rules.service != "" && prefix != c.rules.service
}

func (c *checker) closestAction(s *serviceref.Service, name string) string {
	return c.closest(name, func(yield func(string) bool) {
		for i := range s.Actions {
			if !yield(s.Actions[i].Name) {
				return
			}
		}
	})
}

// A refAction is an action of the reference with its service.
type refAction struct {
	service *serviceref.Service
	action  *serviceref.Action
}

// An expansion is the actions of the reference that an action of a policy stands for.
type expansion struct {
	actions []refAction
	unknown bool // it stands for any, or too much had to be compared to tell
}

// expand returns what each value of Action stands for.
func (c *statementCheck) expand() []expansion {
	if c.expanded == nil {
		for _, a := range valuesOf(c.s.Action) {
			c.expanded = append(c.expanded, c.concrete(a.Value))
		}
	}
	return c.expanded
}

// concrete returns the actions that an action of a policy stands for; none for a name that the reference doesn't have.
func (c *checker) concrete(pattern string) expansion {
	x, ok := c.concretes[pattern]
	if !ok {
		if c.concretes == nil {
			c.concretes = map[string]expansion{}
		}
		x = c.findConcrete(pattern)
		c.concretes[pattern] = x
	}
	return x
}

func (c *checker) findConcrete(pattern string) expansion {
	prefix, name, ok := strings.Cut(pattern, ":")
	if !ok || strings.ContainsAny(prefix, "*?") {
		return expansion{unknown: true}
	}
	s, ok := serviceref.Lookup(strings.ToLower(prefix))
	if !ok {
		return expansion{unknown: true}
	}
	if !strings.ContainsAny(name, "*?") {
		if a, ok := s.Action(name); ok {
			return expansion{actions: []refAction{{s, a}}}
		}
		return expansion{}
	}
	var x expansion
	name = strings.ToLower(name)
	for i := range s.Actions {
		if !c.spend(10 + len(name)) {
			return expansion{unknown: true}
		}
		if name == "*" || simpleMatch(name, strings.ToLower(s.Actions[i].Name)) {
			x.actions = append(x.actions, refAction{s, &s.Actions[i]})
		}
	}
	return x
}

// simpleMatch matches a text with a pattern of * and ?.
func simpleMatch(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
