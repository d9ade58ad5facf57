package evaluator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// resources checks how each entry of Resource and NotResource is written (section 3).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (c *statementCheck) resources() {
	for _, l := range []*policy.List{c.s.Resource, c.s.NotResource} {
		for _, r := range valuesOf(l) {
			c.variablesIn(r, "Resource", true)
			if r.Value == "*" {
				if c.rules.typ == DocumentBucket {
					c.refused("invalidResource", "G20", r.Pos, bucketResource, "name the bucket, arn:aws:s3:::bucket, or its objects, arn:aws:s3:::bucket/*",
						"the resources of a bucket policy must be the bucket or its objects")
				}
				continue
			}
			c.resourceARN(r)
		}
	}
	c.otherBucket()
}

// otherBucket reports resources of a bucket policy that can't be of the same bucket as the first (rule G20).
func (c *statementCheck) otherBucket() {
	if c.rules.typ != DocumentBucket {
		return
	}
	for _, r := range valuesOf(c.s.Resource) {
		arn, ok := policy.ParseARN(r.Value)
		name, _, _ := strings.Cut(arn.Resource, "/")
		switch {
		case !ok || arn.Service != "s3" || arn.Account != "" || strings.ContainsAny(name, "*?$"): // not a bucket's, or any
		case c.bucket == "":
			c.bucket = name
		case name != c.bucket:
			c.refused("invalidResource", "G20", r.Pos, bucketResource, "give each bucket a policy of its own", "a bucket policy is about one bucket: this is of %s, and another resource of %s", name, c.bucket)
		}
	}
}

// resourceARN checks one entry that isn't *.
func (c *statementCheck) resourceARN(r policy.Text) {
	parts := arnParts(r.Value)
	if parts[0] != "arn" {
		c.notAnARN(r, parts)
		return
	}
	if len(parts) < 6 {
		c.shortARN(r, parts)
		return
	}
	c.arnPartition(r, parts[1])
	known := c.arnService(r, parts[2])
	for i, name := range []string{"partition", "service", "region", "account"} {
		if strings.Contains(parts[i+1], "${") && c.variables { // rule V2
			c.found(SeverityWarning, "variableNotAllowed", "V2", r.Pos, "write a wildcard there, and put the variable in a condition",
				"policy variables are for what follows the fifth colon of a resource: don't rely on that in the %s of %q", name, r.Value)
			return
		}
	}
	c.arnAccount(r, parts[4])
	if known {
		c.arnFormat(r, parts)
	}
	c.secretSuffix(r, parts)
	c.notKey(r, parts)
	if c.rules.typ == DocumentBucket && !strings.HasPrefix(parts[2], "s3") && !strings.ContainsAny(parts[2], "*?") {
		c.refused("invalidResource", "G20", r.Pos, bucketResource, "", "the resources of a bucket policy must be the bucket or its objects")
	}
}

// arnParts splits a pattern at its first five colons outside variables (rule R4).
func arnParts(s string) []string {
	var parts []string
	start, depth := 0, false
	for i := 0; i < len(s) && len(parts) < 5; i++ {
		switch {
		case strings.HasPrefix(s[i:], "${") && strings.IndexByte(s[i:], '}') > 0:
			depth = true
		case s[i] == '}':
			depth = false
		case s[i] == ':' && !depth:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// notAnARN reports an entry that doesn't start with arn:.
func (c *statementCheck) notAnARN(r policy.Text, parts []string) {
	f := Finding{Severity: c.refuse(c.rules.iam || c.rules.typ == DocumentBucket || c.rules.typ == DocumentSCP || c.rules.typ == DocumentRCP),
		Code: "invalidResource", Rule: "R3", Pos: r.Pos, Message: "resource " + quote(r.Value) + " is neither an ARN nor *", AWS: c.rules.grammarRefusal}
	switch {
	case c.rules.identityText() && !strings.Contains(r.Value, ":"):
		f.AWS = iamNoARN(r.Value)
	case c.rules.identityText():
		f.AWS = malformed // which of several refusals depends on the colons
	case c.rules.typ == DocumentBucket:
		f.AWS = bucketResource
	}
	if strings.Trim(r.Value, "*") == "" && r.Value != "" {
		return // ** and the like match as * does
	}
	if strings.EqualFold(strings.TrimSpace(parts[0]), "arn") {
		f.Code, f.Message, f.Fix = "arnCase", "resource "+quote(r.Value)+": an ARN starts with arn in lower case, and nothing before it", "write arn"+r.Value[len(parts[0]):]
	}
	if f.Fix == "" && !strings.Contains(r.Value, ":") && c.onlyService("s3") {
		f.Fix = "write arn:aws:s3:::" + strings.TrimPrefix(r.Value, "/")
	}
	if f.Severity == SeverityWarning {
		f.AWS, f.Message = "", f.Message+": it matches nothing"
	}
	c.add(f)
}

// onlyService reports whether all actions of the statement are of one service.
func (c *statementCheck) onlyService(prefix string) bool {
	values := valuesOf(c.s.Action)
	return len(values) > 0 && !slices.ContainsFunc(values, func(a policy.Text) bool {
		p, _, ok := strings.Cut(strings.ToLower(a.Value), ":")
		return !ok || p != prefix
	})
}

// shortARN reports an ARN with fewer than six parts (rules R5 and R8). A * at the end
// of a part covers what is missing.
func (c *statementCheck) shortARN(r policy.Text, parts []string) {
	if c.rules.identityText() && (strings.Contains(r.Value, "::") || len(parts) > 2 && parts[2] == "") {
		fix := "write arn:partition:service:region:account:resource; a part may be empty or *"
		if len(parts) == 5 && parts[2] == "s3" && parts[3] == "" {
			fix = "write arn:aws:s3:::" + parts[4]
		}
		c.unfit = true
		c.refused("shortARN", "R8", r.Pos, iamLegacy, fix, "ARN %q has %d of 6 parts: a colon is missing", r.Value, len(parts))
		return
	}
	if slices.ContainsFunc(parts, func(p string) bool { return strings.HasSuffix(p, "*") }) {
		return
	}
	const fix = "write arn:partition:service:region:account:resource; a part may be empty or *"
	switch {
	case c.rules.typ == DocumentSCP || c.rules.typ == DocumentRCP:
		c.refused("shortARN", "R8", r.Pos, orgSyntax, fix, "ARN %q has %d of 6 parts", r.Value, len(parts))
	case c.rules.principal == mustNotHave:
		c.found(SeverityWarning, "shortARN", "R8", r.Pos, fix, "ARN %q has %d of 6 parts: AWS reads it as if * followed", r.Value, len(parts))
	default:
		c.found(SeverityWarning, "shortARN", "R8", r.Pos, fix, "ARN %q has %d of 6 parts: it matches nothing", r.Value, len(parts))
	}
}

// partitions are AWS's: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

func (c *statementCheck) arnPartition(r policy.Text, partition string) {
	if strings.ContainsAny(partition, "*?$") || slices.Contains(partitions, partition) {
		return
	}
	f := Finding{Severity: c.refuse(c.rules.identityText()), Code: "arnPartition", Rule: "R17", Pos: r.Pos,
		Message: "ARN " + quote(r.Value) + " has the partition " + quote(partition) + ", which doesn't exist", Fix: "write aws, aws-cn or aws-us-gov"}
	if slices.Contains(partitions, strings.ToLower(partition)) {
		f.Fix = "write " + strings.ToLower(partition)
	}
	if f.Severity == SeverityError {
		f.AWS = iamPartition(partition, r.Value)
	}
	c.add(f)
}

// arnService checks an ARN's service (rule R3), and reports whether it is a single known one.
func (c *statementCheck) arnService(r policy.Text, service string) bool {
	if strings.ContainsAny(service, "*?$") {
		return false
	}
	formats := arnFormats()
	if len(formats) == 0 {
		return false
	}
	if len(formats[service]) > 0 {
		return true
	}
	if _, ok := serviceref.Lookup(service); ok && service == strings.ToLower(service) {
		return false // a service without resource types
	}
	lower := strings.ToLower(service)
	if len(formats[lower]) > 0 && lower != service {
		c.found(SeverityWarning, "arnCase", "R3", r.Pos, "write "+lower, "ARN %q has the service %q: ARNs are compared by case, so it matches nothing", r.Value, service)
		return false
	}
	c.found(SeverityWarning, "arnService", "R3", r.Pos, didYouMean(c.closest(lower, func(yield func(string) bool) {
		for _, s := range slices.Sorted(maps.Keys(formats)) {
			if !yield(s) {
				return
			}
		}
	})), "no resource's ARN has the service %q (reference of %s)", service, serviceref.Date())
	return false
}

// arnAccount checks that the account is twelve digits, where it is digits at all.
func (c *statementCheck) arnAccount(r policy.Text, account string) {
	if len(account) == 12 || account == "" || strings.Trim(account, "0123456789-") != "" {
		return
	}
	c.found(SeverityWarning, "arnAccount", "R3", r.Pos, "write its twelve digits", "ARN %q has the account %q: an account id has 12 digits, so it matches nothing", r.Value, account)
}

// arnFormat checks a pattern against the ARN formats of its service: a region where
// IAM has none, a region or account in a bucket's ARN, an unknown kind of resource.
func (c *statementCheck) arnFormat(r policy.Text, parts []string) {
	pattern := wholePattern(r.Value)
	if pattern == "" {
		return
	}
	regionless := true
	for _, f := range arnFormats()[parts[2]] {
		if !c.spend(len(pattern) * len(f.pattern) / 8) {
			return
		}
		if f.overlaps(pattern) {
			return
		}
		regionless = regionless && f.regionless
	}
	f := Finding{Severity: SeverityWarning, Code: "arnFormat", Rule: "R3", Pos: r.Pos}
	switch {
	case regionless && parts[3] != "" && strings.Trim(parts[3], "*") != "":
		f.Code, f.Message, f.Fix = "arnRegion", "ARN "+quote(r.Value)+" has a region, but ARNs of "+parts[2]+" have none: it matches nothing", "leave the region empty"
		if parts[2] == "iam" && c.rules.identityText() {
			f.Severity, f.AWS = SeverityError, iamRegion(parts[2], r.Value)
		}
		c.unfit = true
	case parts[2] == "s3" && (parts[3] != "" || parts[4] != ""):
		f.Code, f.Message, f.Fix = "arnRegion", "ARN "+quote(r.Value)+": ARNs of buckets and objects have no region and no account: it matches nothing", "write arn:aws:s3:::"+parts[5]
		if parts[3] != "" && strings.Trim(parts[3], "*") != "" && c.rules.identityText() {
			f.Severity, f.AWS = SeverityError, iamRegion(parts[2], r.Value)
		}
		c.unfit = true
	default: // the reference doesn't have all forms
		f.Severity = SeveritySuggestion
		f.Message = "ARN " + quote(r.Value) + " has the form of no resource of " + parts[2] + " (reference of " + serviceref.Date() + ")"
	}
	c.add(f)
}

// secretSuffix reports the ARN of a secret by its name alone: the ARN that a request has ends in a hyphen and six more
// characters (rule S27).
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
func (c *statementCheck) secretSuffix(r policy.Text, parts []string) {
	name, ok := strings.CutPrefix(parts[5], "secret:")
	if parts[2] != "secretsmanager" || !ok || strings.ContainsAny(name, "*?$") {
		return
	}
	if end := len(name) - 7; end > 0 && name[end] == '-' && !strings.ContainsFunc(name[end+1:], notAlphanumeric) {
		return
	}
	c.found(SeverityWarning, "secretSuffix", "S27", r.Pos, "write "+r.Value+"-??????", "a secret's ARN ends in a hyphen and six characters that Secrets Manager adds: %q matches no secret", r.Value)
}

// notKey reports a resource of a key policy that is no key: the policy is about its own key only (rule R13).
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func (c *statementCheck) notKey(r policy.Text, parts []string) {
	if c.rules.typ != DocumentKey || c.unfit || !c.spend(4*len(r.Value)) {
		return
	}
	if p := wholePattern(r.Value); p != "" && !globsMeet(p, "arn:*:kms:*:*:key/*") {
		c.found(SeverityWarning, "resourceMismatch", "R13", r.Pos, `write "Resource": "*"`, "a key policy is about its own key: %q is no key, and the statement never applies to it", r.Value)
		c.unfit = true
	}
}

// An arnForm is the ARN format of a resource type, with placeholders as wildcards.
type arnForm struct {
	pattern    string
	regionless bool
}

// Runs in a format that are narrower than *.
const (
	noSlash = '\x01' // neither / nor a colon: the name of a bucket, which has no objects in it (rule R15)
	noColon = '\x02' // a part before the fifth colon
)

// newARNForm makes a format of an ARN of the reference.
func newARNForm(arn string) arnForm {
	var b strings.Builder
	rest := arn
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			break
		}
		b.WriteString(rest[:i])
		switch name := rest[i+2 : i+end]; {
		case strings.Count(b.String(), ":") < 5:
			b.WriteByte(noColon)
		case name == "BucketName":
			b.WriteByte(noSlash)
		default:
			b.WriteByte('*')
		}
		rest = rest[i+end+1:]
	}
	b.WriteString(rest)
	f := arnForm{pattern: b.String()}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		f.regionless = parts[3] == ""
	}
	return f
}

// overlaps reports whether some ARN has the form and matches the pattern.
func (f arnForm) overlaps(pattern string) bool { return globsMeet(pattern, f.pattern) }

// maxGlob bounds the patterns that are compared.
const maxGlob = 2048

// globsMeet reports whether some text matches both patterns; true also if they are
// too long to tell. It takes time proportional to the product of their lengths.
func globsMeet(a, b string) bool {
	if len(a) > maxGlob || len(b) > maxGlob {
		return true
	}
	// row[j] says that the first i bytes of a and the first j of b can be made equal.
	row, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	row[0] = true
	for j := 0; j < len(b) && isStar(b[j]); j++ {
		row[j+1] = true
	}
	for i := 0; i < len(a); i++ {
		next[0] = row[0] && isStar(a[i])
		for j := 0; j < len(b); j++ {
			x, y := a[i], b[j]
			switch {
			case isStar(x) || isStar(y):
				// A star stands for nothing, or takes one more byte of the other side.
				next[j+1] = isStar(x) && (row[j+1] || next[j] && takes(x, y)) || isStar(y) && (next[j] || row[j+1] && takes(y, x))
			default:
				next[j+1] = row[j] && (x == '?' || y == '?' || x == y)
			}
		}
		row, next = next, row
	}
	return row[len(b)]
}

func isStar(b byte) bool { return b == '*' || b == noSlash || b == noColon }

// takes reports whether a star can stand for a byte of the other pattern.
func takes(star, b byte) bool { return star == '*' || b != ':' && (b != '/' || star == noColon) }

// arnFormats are the ARN formats of the reference by the service in the ARN, which isn't
// always the prefix of the actions.
var arnFormats = sync.OnceValue(func() map[string][]arnForm {
	all := map[string][]arnForm{}
	seen := map[string]bool{}
	for _, p := range serviceref.Prefixes() {
		s, ok := serviceref.Lookup(p)
		if !ok {
			continue
		}
		for i := range s.ResourceTypes {
			for _, arn := range typeARNs(&s.ResourceTypes[i]) {
				parts := strings.SplitN(arn, ":", 6)
				if len(parts) < 6 || seen[arn] {
					continue
				}
				seen[arn] = true
				all[parts[2]] = append(all[parts[2]], newARNForm(arn))
			}
		}
	}
	return all
})

func typeARNs(t *serviceref.ResourceType) []string {
	if len(t.ARNs) > 0 {
		return t.ARNs
	}
	if t.ARN == "" {
		return nil
	}
	return []string{t.ARN}
}

// wholePattern makes a pattern of a Resource entry to compare with formats: variables may stand
// for anything, and so does what a short ARN leaves out. "" for what can't be compared.
func wholePattern(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return ""
		}
		b.WriteString(s[:i])
		switch name := s[i+2 : i+end]; name {
		case "*", "?", "$":
			b.WriteByte('?') // the character itself
		default:
			b.WriteByte('*')
		}
		s = s[i+end+1:]
	}
	b.WriteString(s)
	p := b.String()
	if strings.Count(p, ":") < 5 {
		p += "*"
	}
	return p
}

// applicability checks that actions and resources of a statement fit: each action
// must be one on some of the resources (rules R10 and R15). It looks at what AWS would
// evaluate, so it is silent where any resource could fit.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func (c *statementCheck) applicability() {
	if c.s.Resource == nil || len(c.s.Resource.Values) == 0 || c.s.Action == nil {
		return
	}
	var patterns []string
	for _, r := range c.s.Resource.Values {
		p := wholePattern(r.Value)
		if strings.Trim(r.Value, "*") == "" || p == "" || !strings.HasPrefix(p, "arn:") {
			return // everything, or what has been reported
		}
		patterns = append(patterns, p)
	}
	if c.unfit {
		return
	}
	fits := make([]bool, len(patterns))
	unknown := false
	var misfits []misfit
	for i, a := range c.s.Action.Values {
		list := c.expand()[i].actions
		if len(list) > 0 && c.foreign(list[0].service.Prefix) {
			continue // reported
		}
		unknown = unknown || len(list) == 0
		if len(list) > 0 && !c.fitsAny(list, patterns, fits) {
			misfits = append(misfits, misfit{a, list, resourceTypesOf(list)})
		}
	}
	c.misfits(misfits, patterns)
	if unknown || !c.spend(1) {
		return
	}
	for i, r := range c.s.Resource.Values {
		if !fits[i] && slices.Contains(fits, true) {
			c.found(SeveritySuggestion, "unusedResource", "R15", r.Pos, "remove it, or add the actions that were meant", "no action of the statement is one on %q", r.Value)
		}
	}
}

// A misfit is an action that is on none of its statement's resources.
type misfit struct {
	action policy.Text
	list   []refAction // what it stands for
	types  []string    // the resource types that it is on
}

// resourceTypesOf returns the types of resource that some of the actions are on. Access points
// are left out where there is another: they are the rarer way to the same thing.
func resourceTypesOf(list []refAction) []string {
	types := map[string]bool{}
	for _, x := range list {
		for _, res := range x.action.Resources {
			types[res.Type] = true
		}
	}
	names := sortedNames(types)
	direct := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, "accesspoint") })
	if len(direct) > 0 {
		return direct
	}
	return names
}

// misfits tells of each action that fits nothing; those on the same types of resource, where the same is
// to be done, are told together.
func (c *statementCheck) misfits(all []misfit, patterns []string) {
	told := map[string]bool{}
	for i, m := range all {
		key := m.list[0].service.Prefix + " " + strings.Join(m.types, " ")
		if told[key] || !c.spend(len(all)) {
			continue
		}
		told[key] = true
		same := []string{}
		for _, o := range all[i:] {
			if key == o.list[0].service.Prefix+" "+strings.Join(o.types, " ") {
				same = append(same, o.action.Value)
			}
		}
		c.actionFitsNothing(m, same, patterns)
	}
}

// namesOf lists names, of many the first two.
func namesOf(names []string) string {
	switch {
	case len(names) == 1:
		return names[0]
	case len(names) == 2:
		return names[0] + " and " + names[1]
	case len(names) == 3:
		return names[0] + ", " + names[1] + " and " + names[2]
	}
	return fmt.Sprintf("%s, %s and %d others", names[0], names[1], len(names)-2)
}

// fitsAny reports whether some of the actions are on some of the resources, and marks those resources.
func (c *statementCheck) fitsAny(list []refAction, patterns []string, fits []bool) bool {
	any := false
	for _, a := range list {
		for _, res := range a.action.Resources {
			t, ok := a.service.ResourceType(res.Type)
			if !ok {
				any = true
				continue
			}
			for _, form := range formsOf(t) {
				for i, p := range patterns {
					if fits[i] && any && c.spend(1) {
						continue
					}
					if !c.spend(len(p)*len(form.pattern)/8 + 1) {
						for i := range fits {
							fits[i] = true // not looked at: nothing is said
						}
						return true
					}
					if form.overlaps(p) {
						fits[i], any = true, true
					}
				}
			}
		}
	}
	return any
}

var (
	formsMutex sync.Mutex
	formsCache = map[*serviceref.ResourceType][]arnForm{}
)

// formsOf returns the formats of a resource type, each made once.
func formsOf(t *serviceref.ResourceType) []arnForm {
	formsMutex.Lock()
	defer formsMutex.Unlock()
	forms, ok := formsCache[t]
	if !ok {
		for _, arn := range typeARNs(t) {
			forms = append(forms, newARNForm(arn))
		}
		formsCache[t] = forms
	}
	return forms
}

// actionFitsNothing words that an action, and others like it, are on none of the statement's resources.
func (c *statementCheck) actionFitsNothing(m misfit, same, patterns []string) {
	f := Finding{Severity: SeverityWarning, Code: "resourceMismatch", Rule: "R15", Pos: m.action.Pos}
	if c.rules.typ == DocumentBucket {
		f.Severity, f.AWS = SeverityError, bucketMismatch
	}
	one := len(same) == 1
	number := func(single, several string) string {
		if one {
			return single
		}
		return several
	}
	if len(m.types) == 0 {
		f.Code, f.Rule = "resourceless", "R10"
		f.Message = namesOf(same) + number(" takes no resource: it is", " take no resource: they are") + " checked against *, which no resource of the statement matches"
		f.Fix = "give " + number("it", "them") + ` a statement of ` + number("its", "their") + ` own with "Resource": "*"`
		if c.rules.typ != DocumentBucket && slices.ContainsFunc(patterns, func(p string) bool { return wholeService(p, m.list[0].service.Prefix) }) {
			// AWS has been seen to check such actions against arn:aws:s3:::* and the like (rule R12).
			f.Severity, f.Rule = SeveritySuggestion, "R12"
			f.Message = namesOf(same) + number(" takes", " take") + " no resource: only Resource * is documented to match " + number("it", "them")
		}
		c.add(f)
		return
	}
	f.Message = namesOf(same) + number(" is an action on ", " are actions on ") + firstOf(m.types, 4) +
		", and no resource of the statement is one: " + number("it never applies", "they never apply")
	f.Fix = c.missingResource(m, patterns)
	c.add(f)
}

// missingResource says which resource would make an action apply; "" if the reference has no format.
func (c *statementCheck) missingResource(m misfit, patterns []string) string {
	service := m.list[0].service
	if service.Prefix == "s3" && len(patterns) == 1 {
		switch bucket, isObjects := strings.CutSuffix(patterns[0], "/*"); {
		case isObjects && slices.Contains(m.types, "bucket"):
			return "add " + bucket
		case slices.Contains(m.types, "object") && !strings.Contains(patterns[0], "/"):
			return "add " + patterns[0] + "/*"
		}
	}
	if t, ok := service.ResourceType(m.types[0]); ok && t.ARN != "" && len(m.types) <= 2 {
		return "add a resource of the form " + t.ARN
	}
	return "add a resource of one of these types, or remove the action"
}

// wholeService reports whether a pattern covers all resources of one type, or of the service.
func wholeService(pattern, service string) bool {
	parts := arnParts(pattern)
	if len(parts) < 6 || parts[2] != service {
		return strings.HasSuffix(pattern, "*") && len(parts) < 6
	}
	before, ok := strings.CutSuffix(parts[5], "*")
	return ok && strings.Count(before, "/")+strings.Count(before, ":") <= 1 && strings.Trim(before, "/:") == strings.TrimRight(before, "/:") &&
		(before == "" || strings.HasSuffix(before, "/") || strings.HasSuffix(before, ":"))
}

func sortedNames(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for n := range set {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// firstOf names the first of a list, and says how many more there are.
func firstOf(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
