package evaluator

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// document checks what isn't of one statement.
func (c *checker) document() {
	c.version()
	c.noStatements()
	c.noAllow()
	c.size()
	c.characters()
	c.sids()
}

// version checks that there is one where it is required (table 1.2), and the current one.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
func (c *checker) version() {
	const fix = `write "Version": "2012-10-17"`
	v := c.doc.Version
	switch {
	case c.rules.typ == DocumentIdentity || c.rules.typ == DocumentBoundary:
		c.managedVersion(fix)
	case c.rules.version == mustHave && v.Value != policy.Version2012:
		pos := v.Pos
		if v.Value == "" {
			pos = c.doc.Pos
		}
		c.add(Finding{SeverityError, "missingVersion", "G20", pos, c.rules.word + " must have Version 2012-10-17", fix, c.rules.grammarRefusal})
	case v.Value == "":
		c.add(Finding{Severity: SeveritySuggestion, Code: "missingVersion", Rule: "G10", Pos: c.doc.Pos,
			Message: "without Version, 2008-10-17 is taken: policy variables don't exist in it", Fix: fix})
	}
}

// managedVersion checks what CreatePolicy checks beyond the grammar: a managed policy
// has the current Version. Those that AWS has already are older than the check, or AWS's own.
func (c *checker) managedVersion(fix string) {
	v := c.doc.Version
	if v.Value == policy.Version2012 {
		return
	}
	f := Finding{Severity: SeveritySuggestion, Code: "missingVersion", Rule: "G10", Pos: c.doc.Pos, Fix: fix,
		Message: "without Version, 2008-10-17 is taken: policy variables don't exist in it"}
	if v.Value != "" {
		f.Pos, f.Message = v.Pos, "under Version 2008-10-17 policy variables don't exist"
	}
	if !c.opts.Collected && !c.opts.AWSManaged {
		f.Severity, f.AWS = SeverityError, iamVersion
		f.Message = c.rules.word + " must have Version 2012-10-17"
		if c.opts.Assumed {
			f.Severity = SeverityWarning
			f.Message += "; an inline one may do without"
		}
	}
	c.add(f)
}

// noStatements: a policy must say something.
func (c *checker) noStatements() {
	if len(c.doc.Statements) == 0 && len(c.doc.Defects) == 0 {
		c.add(Finding{Severity: SeverityError, Code: "missingStatement", Rule: "G1", Pos: c.doc.Pos, Message: "policy has no statement", AWS: c.rules.grammarRefusal})
	}
}

// noAllow: a boundary or session policy that only denies lets nothing pass (rule E15).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (c *checker) noAllow() {
	if c.rules.typ != DocumentBoundary && c.rules.typ != DocumentSession || len(c.doc.Statements) == 0 {
		return
	}
	for i := range c.doc.Statements {
		if s := &c.doc.Statements[i]; s.Effect != policy.Deny || len(s.Defects) > 0 {
			return
		}
	}
	c.add(Finding{Severity: SeverityWarning, Code: "noAllow", Rule: "E15", Pos: c.doc.Pos, Fix: `add {"Effect": "Allow", "Action": "*", "Resource": "*"}, or what shall be possible at most`,
		Message: c.rules.word + " without Allow lets nothing pass"})
}

// size checks the limits of table 1.1 (rule G19).
func (c *checker) size() {
	if c.rules.limit == 0 || c.opts.AWSManaged {
		return
	}
	all, tight, dense := sizes(c.doc.Text)
	n, what := dense, "characters without whitespace"
	switch c.rules.counts {
	case countCharacters:
		n, what = tight, "characters without needless whitespace"
	case countOctets:
		n, what = len(minified(c.doc.Text)), "bytes without needless whitespace"
	}
	f := Finding{Code: "size", Rule: "G19", Pos: c.doc.Pos, Fix: "split it, or use wildcards"}
	const trustDefault = 2048
	switch {
	case n > c.rules.limit:
		f.Message = fmt.Sprintf("%s may have %d characters; this has %d %s", c.rules.word, c.rules.limit, n, what)
		if c.rules.typ == DocumentIdentity && n <= rulesOf(DocumentRoleInline).limit {
			f.Fix = "split it, or make it an inline policy of a role, which may have 10240 (--type role-inline)"
		}
		if c.rules.typ == DocumentIdentity || c.rules.typ == DocumentBoundary {
			f.AWS = fmt.Sprintf(managedQuota, c.rules.limit)
		}
	case c.rules.counts == countCharacters && all > c.rules.limit && !c.opts.Collected:
		f.Severity = SeverityWarning
		f.Message = fmt.Sprintf("%s may have %d characters, whitespace too; as written this has %d", c.rules.word, c.rules.limit, all)
		f.Fix = fmt.Sprintf("save it without needless whitespace: then it has %d", tight)
	case c.rules.typ == DocumentTrust && n > trustDefault:
		f.Severity = SeverityWarning
		f.Message = fmt.Sprintf("%s may have %d characters unless the quota was raised; this has %d %s", c.rules.word, trustDefault, n, what)
		f.AWS = fmt.Sprintf(trustQuota, trustDefault)
	default:
		return
	}
	c.add(f)
}

// InlineSize says what is wrong with the inline policies of one user, group or role together, whose limit
// holds for their sum (rule G19, table 1.1). It is said where the last of them stands; ok is false if there is nothing to say.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func InlineSize(typ DocumentType, target string, docs []*policy.Document) (f Finding, ok bool) {
	rules, sum := rulesOf(typ), 0
	for _, d := range docs {
		_, _, dense := sizes(d.Text)
		sum += dense
	}
	if len(docs) < 2 || sum*10 <= rules.limit*9 {
		return Finding{}, false
	}
	f = Finding{Severity: SeveritySuggestion, Code: "inlineSize", Rule: "G19", Pos: docs[len(docs)-1].Pos,
		Message: fmt.Sprintf("the %d inline policies of %s have %d of the %d characters that they may have together", len(docs), target, sum, rules.limit),
		Fix:     "make some of them managed policies"}
	if sum > rules.limit {
		f.Severity, f.AWS = SeverityError, fmt.Sprintf(inlineQuota, rules.limit)+inlineHolder(typ, target)
		f.Message = fmt.Sprintf("the %d inline policies of %s may have %d characters together, and have %d without whitespace", len(docs), target, rules.limit, sum)
	}
	return f, true
}

// inlineHolder names who has an inline policy as AWS does: "role deploy".
func inlineHolder(typ DocumentType, arn string) string {
	kind, _ := strings.CutSuffix(string(typ), "-inline")
	return kind + " " + arn[strings.LastIndexByte(arn, '/')+1:]
}

// sizes counts the characters of a text: all, those that are left when the whitespace between
// elements is taken away, and those that aren't whitespace at all.
func sizes(text []byte) (all, tight, dense int) {
	all = utf8.RuneCount(text)
	tight = utf8.RuneCount(minified(text))
	for _, r := range string(text) {
		if !unicode.IsSpace(r) {
			dense++
		}
	}
	return all, tight, dense
}

// minified returns JSON text without the whitespace outside its strings.
func minified(text []byte) []byte {
	out := make([]byte, 0, len(text))
	inside := false
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case inside && b == '\\' && i+1 < len(text):
			out = append(out, b, text[i+1])
			i++
			continue
		case b == '"':
			inside = !inside
		case !inside && (b == ' ' || b == '\t' || b == '\n' || b == '\r'):
			continue
		}
		out = append(out, b)
	}
	return out
}

// characters checks that IAM can store the text (rule G17). One finding tells of all.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (c *checker) characters() {
	if !c.rules.iam {
		return
	}
	for i, r := range string(c.doc.Text) {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xff {
			continue
		}
		c.add(Finding{Severity: SeverityError, Code: "illegalCharacter", Rule: "G17", Pos: c.posAt(i),
			Message: fmt.Sprintf("character %U can't be stored in IAM, which takes U+0020 to U+00FF, tab and line breaks", r),
			Fix:     "write it in ASCII"})
		return
	}
}

// sids checks the Sids (rule G14).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
func (c *checker) sids() {
	first := map[string]policy.Pos{}
	for i := range c.doc.Statements {
		sid := c.doc.Statements[i].Sid
		if sid.Value == "" {
			continue
		}
		if c.rules.iam && strings.ContainsFunc(sid.Value, notAlphanumeric) {
			c.add(Finding{SeverityError, "invalidSid", "G14", sid.Pos, fmt.Sprintf("Sid %q has characters other than letters and digits", sid.Value),
				"write it with A-Z, a-z and 0-9", c.identityWords(iamSids)})
		}
		before, twice := first[sid.Value]
		if !twice {
			first[sid.Value] = sid.Pos
			continue
		}
		f := Finding{Severity: SeveritySuggestion, Code: "duplicateSid", Rule: "G14", Pos: sid.Pos, Message: fmt.Sprintf("Sid %q is used twice", sid.Value), Fix: "give each statement a Sid of its own"}
		if !c.embedded() {
			f.Message += fmt.Sprintf(", first at %d:%d", before.Line, before.Col)
		}
		if c.rules.iam {
			f.Severity, f.AWS = SeverityError, c.identityWords(iamUniqueSids)
		} else if c.rules.typ == DocumentSCP || c.rules.typ == DocumentRCP {
			f.Severity, f.AWS = SeverityError, orgSyntax
		} else if c.rules.typ == DocumentTopic {
			f.Severity, f.AWS = SeverityError, topicSids
		}
		c.add(f)
	}
}

func notAlphanumeric(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
}

// elements checks which elements the type requires and refuses (rule G20, table 1.2).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func (c *statementCheck) elements() {
	s, r := c.s, c.rules
	switch {
	case r.principal == mustNotHave:
		c.forbid("Principal", s.Principal, c.identityWords(iamPrincipal))
		c.forbid("NotPrincipal", s.NotPrincipal, c.identityWords(iamPrincipal))
	case s.Principal == nil && s.NotPrincipal == nil:
		c.missingPrincipal()
	}
	switch {
	case r.notPrincipal == mustNotHave:
		c.forbid("NotPrincipal", s.NotPrincipal, r.grammarRefusal)
	case r.notPrincipal == onlyInDeny && s.NotPrincipal != nil && s.Effect == policy.Allow:
		c.refused("notPrincipalAllow", "P20", s.NotPrincipal.Pos, bucketMalformed,
			"name who is allowed in Principal", "%s can't have NotPrincipal with Effect Allow", r.word)
	}
	if r.notAction == mustNotHave && s.NotAction != nil {
		c.refused("forbiddenElement", "G20", s.NotAction.Pos, r.grammarRefusal, "list the actions in Action", "%s can't have NotAction", r.word)
	}
	c.resourceElement()
	if r.typ == DocumentRCP {
		c.rcpElements()
	}
}

// forbid reports a principal element that the type refuses.
func (c *statementCheck) forbid(name string, p *policy.Principals, aws string) {
	if p == nil {
		return
	}
	fix := "remove it: the policy holds for who it is attached to"
	switch {
	case c.rules.typ == DocumentSCP:
		aws, fix = c.rules.grammarRefusal, "remove it, and name principals in a condition on aws:PrincipalArn"
	case name == "NotPrincipal" && c.rules.principal != mustNotHave:
		fix = `write Principal instead; to except some, a condition such as ArnNotLike on aws:PrincipalArn`
	}
	c.refused("forbiddenElement", "G20", p.Pos, aws, fix, "%s can't have %s", c.rules.word, name)
}

// missingPrincipal reports a statement that names nobody (rule P21).
func (c *statementCheck) missingPrincipal() {
	sev, msg := SeverityError, c.rules.word+" must have Principal"
	if c.rules.principal != mustHave {
		sev, msg = SeverityWarning, "a statement without Principal applies to nobody"
	}
	f := Finding{Severity: sev, Code: "missingPrincipal", Rule: "P21", Pos: c.s.Pos, Message: msg, Fix: "say in Principal who the statement is about"}
	if sev == SeverityError {
		f.AWS = c.rules.grammarRefusal
	}
	if c.rules.typ == DocumentResource {
		f.Fix += "; if this is an identity's policy, remove Principal everywhere"
	}
	if c.rules.typ == DocumentBucket {
		f.AWS = bucketNobody
	}
	c.add(f)
}

// resourceElement checks Resource and NotResource.
func (c *statementCheck) resourceElement() {
	s, r := c.s, c.rules
	has := s.Resource != nil || s.NotResource != nil
	switch {
	case r.resource == mustHave && !has:
		if c.misspelt("Resource") || c.misspelt("NotResource") {
			return
		}
		aws := c.identityWords(iamNoResources)
		if r.typ == DocumentBucket {
			aws = bucketElement
		}
		c.refused("missingResource", "G20", s.Pos, aws, "say which resources, or * for all", "%s must have Resource or NotResource in every statement", r.word)
	case r.resource == mustNotHave && has:
		name, l := "Resource", s.Resource
		if l == nil {
			name, l = "NotResource", s.NotResource
		}
		aws := r.grammarRefusal
		if r.typ == DocumentTrust && name == "Resource" {
			aws = trustResource
		}
		c.refused("forbiddenElement", "R13", l.Pos, aws, "remove it: the policy is about what it is attached to", "%s can't have %s", r.word, name)
	}
}

// rcpElements checks what a customer's RCP may not say.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (c *statementCheck) rcpElements() {
	s := c.s
	if s.Effect == policy.Allow {
		c.refused("rcpAllow", "G20", s.EffectPos, orgSyntax, "write Deny: RCPFullAWSAccess, which AWS attaches, has the allow", "an RCP can only deny")
	}
	if s.Principal != nil {
		for _, e := range s.Principal.Entries {
			if e.Kind != "AWS" || e.Value.Value != "*" {
				c.refused("rcpPrincipal", "G20", e.Value.Pos, orgSyntax, `write "Principal": "*" and name principals in a condition`, `an RCP's Principal can only be "*"`)
			}
		}
	}
	for _, a := range valuesOf(s.Action) {
		if a.Value == "*" {
			c.refused("rcpAction", "G20", a.Pos, orgSyntax, `name the services: "s3:*", "sqs:*"`, `an RCP's Action can't be "*"`)
		}
		// AWS lengthens the list of services, so this is no error.
		if prefix, _, ok := strings.Cut(strings.ToLower(a.Value), ":"); ok && !strings.ContainsAny(prefix, "*?") && !rcpServices[prefix] {
			c.add(Finding{Severity: SeverityWarning, Code: "rcpService", Rule: "E11", Pos: a.Pos, Fix: "look at AWS's list of services that support RCPs",
				Message: quote(prefix) + " isn't known to be a service that RCPs reach, and AWS refuses RCPs on others"})
		}
	}
}

// emptyLists reports lists without values (rules G15 and G16).
func (c *statementCheck) emptyLists() {
	s := c.s
	for _, l := range []struct {
		name string
		list *policy.List
	}{{"Action", s.Action}, {"Resource", s.Resource}, {"NotAction", s.NotAction}, {"NotResource", s.NotResource}} {
		if l.list == nil || len(l.list.Values) > 0 || len(s.Defects) > 0 {
			continue
		}
		what := "the statement never applies"
		if strings.HasPrefix(l.name, "Not") {
			what = "nothing is excepted, the statement covers everything"
		}
		if aws := c.emptyRefusal(l.name); aws != "" {
			c.refused("emptyList", "G15", l.list.Pos, aws, "fill it, or remove the statement", "%s is empty", l.name)
			continue
		}
		c.found(SeverityWarning, "emptyList", "G15", l.list.Pos, "fill it, or remove the statement", "%s is empty: %s", l.name, what)
	}
	for _, l := range []struct {
		name string
		list *policy.List
	}{{"NotAction", s.NotAction}, {"NotResource", s.NotResource}} {
		if i := slices.IndexFunc(valuesOf(l.list), func(v policy.Text) bool { return v.Value == "*" || l.name == "NotAction" && v.Value == "*:*" }); i >= 0 {
			c.found(SeverityWarning, "nothingLeft", "A4", l.list.Values[i].Pos, "name what is excepted, or remove the statement", "%s excepts everything: the statement never applies", l.name)
		}
	}
	if s.Principal != nil && len(s.Principal.Entries) == 0 && len(s.Defects) == 0 {
		c.found(SeverityWarning, "emptyList", "G15", s.Principal.Pos, "fill it, or remove the statement", "Principal is empty: the statement never applies")
	}
}

// emptyRefusal is how AWS words that it doesn't save an empty list; "" where it isn't known to refuse it.
func (c *statementCheck) emptyRefusal(element string) string {
	switch {
	case !c.rules.identityText():
		return ""
	case strings.HasSuffix(element, "Action"):
		return iamNoActions
	}
	return iamNoResources
}

// misspelt reports whether an unknown element of the statement is probably meant to be the named one.
func (c *statementCheck) misspelt(element string) bool {
	return slices.ContainsFunc(c.s.Defects, func(d policy.Defect) bool {
		return strings.Contains(d.Msg, "unknown element") && strings.HasSuffix(d.Msg, "("+element+"?)")
	})
}

// broadAllow reports allows by exception (rule A5).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
func (c *statementCheck) broadAllow() {
	s := c.s
	if s.Effect != policy.Allow || !c.rules.grants {
		return
	}
	if s.NotAction != nil && c.rules.service == "" {
		c.found(SeverityWarning, "allowNotAction", "A5", s.NotAction.Pos, "list what is allowed in Action, or deny the exceptions",
			"Allow with NotAction allows every other action of every service, also of those to come")
	}
	if s.NotResource != nil {
		c.found(SeverityWarning, "allowNotResource", "R11", s.NotResource.Pos, "list the resources in Resource, or deny the exceptions",
			"Allow with NotResource allows the actions on every other resource, also on those to come")
	}
}
