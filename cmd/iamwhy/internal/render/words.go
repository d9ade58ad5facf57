package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// layerWords are the layers as AWS's messages call them.
var layerWords = map[evaluator.LayerName]string{
	evaluator.LayerSCP:      "service control policy",
	evaluator.LayerRCP:      "resource control policy",
	evaluator.LayerIdentity: "identity-based policy",
	evaluator.LayerBoundary: "permissions boundary",
	evaluator.LayerSession:  "session policy",
	evaluator.LayerEndpoint: "VPC endpoint policy",
	evaluator.LayerResource: "resource-based policy",
	evaluator.LayerService:  "the service itself",
}

// typeWords are kinds of resource policy that have a name of their own.
var typeWords = map[string]string{
	"bucket": "bucket policy", "key": "key policy", "trust": "role trust policy", "queue": "queue policy",
	"topic": "topic policy", "function": "function policy", "secret": "secret's resource policy", "repository": "repository policy",
}

// layerWord spells a layer out; "" for one that isn't known.
func layerWord(layer evaluator.LayerName, policyType string) string {
	if word, ok := typeWords[policyType]; ok && layer == evaluator.LayerResource {
		return word
	}
	if word, ok := layerWords[layer]; ok {
		return word
	}
	if layer == correlate.LayerUnknown {
		return ""
	}
	return string(layer)
}

// verdict is a decision and the layer it comes from, for the head of an answer.
func verdict(d evaluator.Decision, layer string) string {
	switch {
	case d == evaluator.Allowed:
		return "ALLOWED"
	case d == evaluator.Indeterminate:
		return "UNDECIDED"
	case layer == "":
		return "DENIED"
	case d == evaluator.ExplicitDeny:
		return "DENIED by " + layer
	}
	return "DENIED, no allow in " + layer
}

// place names a statement, its policy and what that is attached to:
// DenyOutsideEU (eu-only, attached to ou-prod).
func place(p *evaluator.Policy, s *policy.Statement) string {
	name, target := "", ""
	if p != nil {
		name, target = p.Name, p.Target
		if name == "" {
			name = lastPart(p.ARN)
		}
	}
	if s == nil {
		if target != "" && target != name {
			return strings.TrimSpace(name + " (attached to " + short(target) + ")")
		}
		return name
	}
	var in []string
	if name != "" {
		in = append(in, name)
	}
	if target != "" && target != name {
		in = append(in, "attached to "+short(target))
	}
	what := s.Sid.Value
	if what == "" {
		what = fmt.Sprintf("statement %d", s.Index+1)
	}
	if len(in) == 0 {
		return what
	}
	return what + " (" + strings.Join(in, ", ") + ")"
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// where is the place in a file of a statement, or else of its policy.
func where(p *evaluator.Policy, s *policy.Statement) policy.Pos {
	if s != nil {
		return s.Pos
	}
	if p != nil && p.Body != nil && p.Body.Document() != nil {
		return p.Body.Document().Pos
	}
	return policy.Pos{}
}

// maxListed is how many values of a list a sentence names.
const maxListed = 4

// some lists values: "a", "one of a, b", "one of a, b, c, d and 3 more".
func some(values []string, each string) string {
	switch {
	case len(values) == 0:
		return "nothing"
	case len(values) == 1:
		return show(values[0])
	}
	shown := make([]string, 0, maxListed)
	for _, v := range values[:min(len(values), maxListed)] {
		shown = append(shown, show(v))
	}
	list := each + strings.Join(shown, ", ")
	if rest := len(values) - maxListed; rest > 0 {
		list += fmt.Sprintf(" and %d more", rest)
	}
	return list
}

// show makes values visible that would read as none.
func show(v string) string {
	if strings.TrimSpace(v) == "" {
		return `"` + v + `"`
	}
	return v
}

// negated reports whether an element matches what it doesn't list.
func negated(e evaluator.ElementTrace) bool {
	return strings.Contains(e.Operator, "Not") || strings.HasPrefix(e.Element, "Not")
}

// subject names an element: "Resource", "Condition StringEquals aws:RequestedRegion".
func subject(e evaluator.ElementTrace) string {
	return strings.Join(strings.Fields(e.Element+" "+e.Operator+" "+e.Key), " ")
}

// mismatch says why an element let a statement not apply.
func mismatch(e evaluator.ElementTrace) string {
	wants := "wants " + some(e.Want, "one of ")
	if negated(e) {
		wants = "wants anything but " + some(e.Want, "")
	}
	return withNote(subject(e)+": "+wants+"; "+got(e), e)
}

// match says how an element made a Deny apply.
func match(e evaluator.ElementTrace) string {
	denies := "denies " + some(e.Want, "any of ")
	if negated(e) {
		denies = "denies all but " + some(e.Want, "")
	}
	return withNote(subject(e)+": "+denies+"; "+got(e), e)
}

// withNote adds an element's note. Of two ARNs it says in which part they differ; that
// is worth saying where it isn't the name at the end, which people look at anyway.
func withNote(s string, e evaluator.ElementTrace) string {
	switch e.Note {
	case "", "resource":
		return s
	case "partition", "service", "region", "account":
		return s + " (another " + e.Note + ")"
	}
	return s + " (" + e.Note + ")"
}

// got says what the request has.
func got(e evaluator.ElementTrace) string {
	values := some(e.Got, "")
	if e.Element != "Condition" {
		return "the request has " + values
	}
	switch e.GotState {
	case evaluator.Absent:
		return "the request does not have that key"
	case evaluator.PresentUnknown:
		return "the request's value is not known"
	case evaluator.UnknownKey:
		return "it is not known what the request has"
	case evaluator.Partial:
		return "the request has " + values + ", and perhaps more"
	}
	return "the request has " + values
}

// blockerSentence says in one line in which way a layer blocks a request.
func blockerSentence(b evaluator.Blocker, q evaluator.Request) string {
	layer := strings.TrimPrefix(layerWord(b.Layer, b.PolicyType), "the ")
	whose := of(holder(b))
	if b.Layer == evaluator.LayerResource && q.Resource.Account != "" && q.Resource.Account != q.Principal.Account {
		whose += " (account " + q.Resource.Account + ")"
	}
	switch {
	case b.Layer == evaluator.LayerService && b.Kind == evaluator.KindNotCollected:
		return "the service itself may refuse it"
	case b.Layer == evaluator.LayerService && b.Policy == nil: // a rule or a setting, no statement
		return "the service itself refuses it"
	case b.Kind == evaluator.KindExplicitDeny:
		return "the " + layer + " denies it: " + place(b.Policy, b.Statement)
	case b.Kind == evaluator.KindNotCollected:
		return "the " + layer + whose + " was not collected"
	case b.Policy == nil:
		return "no " + layer + whose + " allows it"
	}
	return "the " + layer + whose + " has no allow for it"
}

// holder is what a blocker's policy is, or would be, attached to: an object's is its bucket's.
func holder(b evaluator.Blocker) string {
	if b.Layer != evaluator.LayerResource {
		return b.Target
	}
	if b.Policy != nil && b.Policy.Target != "" {
		return b.Policy.Target
	}
	if b.PolicyType == "bucket" {
		bucket, _, _ := strings.Cut(b.Target, "/")
		return bucket
	}
	return b.Target
}

// of names whose a policy is: " of role/deploy".
func of(target string) string {
	if target == "" {
		return ""
	}
	return " of " + short(target)
}

// short is the name in an ARN of IAM or of an S3 bucket, which stand beside an
// account or are unique as they are; any other target stays whole.
func short(target string) string {
	if arn, ok := policy.ParseARN(target); ok && arn.Resource != "" && (arn.Service == "iam" || arn.Service == "s3" && arn.Account == "") {
		return arn.Resource
	}
	return target
}

// reason is a check's answer in one sentence.
func reason(c Check) string {
	e := c.Explanation
	what := c.Request.Action + " on " + c.Request.Resource.ARN
	switch e.Decision {
	case evaluator.Allowed:
		return what + " is allowed"
	case evaluator.Indeterminate:
		var on []string
		for _, u := range e.Undecided {
			on = append(on, unknown(u))
		}
		if len(on) == 0 {
			return what + " can't be decided"
		}
		return what + " can't be decided; not known: " + some(on, "")
	}
	if len(e.Blockers) == 0 {
		return what + " is not allowed by anything"
	}
	return what + " is denied: " + blockerSentence(e.Blockers[0], c.Request)
}

// unknown names what a decision hangs on.
func unknown(u evaluator.Undecided) string {
	switch {
	case u.Missing != "":
		return u.Missing
	case u.Element.Key != "":
		return u.Element.Key
	case u.Element.Element != "":
		return subject(u.Element)
	}
	return layerWord(u.Layer, "")
}

// conditions says what would decide, whatever else isn't known; nil where what it hangs on says it already.
func conditions(e evaluator.Explanation) []string {
	all, any := len(e.AllowedIf) == 1, true
	for _, set := range e.DeniedIf {
		all = all && len(set) == 1
	}
	for _, set := range e.AllowedIf {
		any = any && len(set) == 1
	}
	switch {
	case len(e.AllowedIf) == 0 || all && any:
		return nil // too many to weigh, or a single one
	case all:
		return []string{"Each of these alone would deny it; it is allowed if none does"}
	case any && len(e.DeniedIf) == 1:
		return []string{"Each of these alone would allow it; it is denied if none does"}
	}
	return append(sets("Allowed if ", e.AllowedIf), sets("Denied if ", e.DeniedIf)...)
}

// maxSets is how many of the sets that would decide are listed.
const maxSets = 3

// sets puts sets of unknowns into words, one a line.
func sets(head string, list [][]evaluator.Term) []string {
	var lines []string
	for _, set := range list[:min(len(list), maxSets)] {
		var terms []string
		for _, t := range set {
			terms = append(terms, term(t))
		}
		lines = append(lines, head+strings.Join(terms, ", and "))
		head = fmt.Sprintf("%*s", len(head), "or ")
	}
	if more := len(list) - maxSets; more > 0 {
		lines = append(lines, fmt.Sprintf("%sin %d more cases", head, more))
	}
	return lines
}

// term says of one unknown what it would have to be.
func term(t evaluator.Term) string {
	layer := layerWord(t.Layer, "")
	switch {
	case t.Statement == nil && t.Good:
		return "the " + layer + " lets it pass"
	case t.Statement == nil:
		return "the " + layer + " denies it"
	}
	does := " applies"
	if t.Good == (t.Statement.Effect == policy.Deny) {
		does = " does not apply"
	}
	if t.Statement.Sid.Value != "" {
		return t.Statement.Sid.Value + does
	}
	return place(t.Policy, t.Statement) + does
}

// awsSaid is what AWS's message says, and whether the evaluation agrees; "" without a message.
func awsSaid(f correlate.Finding) string {
	m := f.Denial.Message
	if m.Text == "" {
		return ""
	}
	layer := layerWord(evaluator.LayerName(m.Layer), m.PolicyType)
	said := "access denied, without a reason"
	switch {
	case m.Layer == string(evaluator.LayerService):
		return settingWords(m.Text) // no policy to compare with
	case m.Claim == correlate.ClaimExplicitDeny && layer == "":
		said = "explicit deny, without a layer"
	case m.Claim == correlate.ClaimExplicitDeny:
		said = "explicit deny in " + article(layer)
	case m.Claim == correlate.ClaimImplicitDeny && layer == "":
		said = "nothing allows it, without a layer"
	case m.Claim == correlate.ClaimImplicitDeny:
		said = "no " + layer + " allows it"
	}
	if word := agreementWords[f.Agreement]; word != "" && f.Explanation != nil {
		said += " (" + word + ")"
	}
	return said
}

// settingWords are AWS's own about what isn't a policy's doing: what follows "because", if it says.
func settingWords(text string) string {
	text = Clean(text)
	if _, why, ok := strings.Cut(text, " because "); ok {
		return strings.TrimSuffix(why, ".")
	}
	return text
}

// agreementWords say how an evaluation compares with AWS's message (T93).
var agreementWords = map[correlate.Agreement]string{
	correlate.Agree:            "agrees",
	correlate.AgreeLayerOnly:   "agrees on the layer",
	correlate.EvaluationSilent: "disagrees: the snapshot would allow it",
	correlate.DifferentLayer:   "the snapshot denies in another layer, too",
	correlate.Contradiction:    "disagrees",
	correlate.Plausible:        "possible; the snapshot can't tell",
}

func article(noun string) string {
	switch {
	case strings.HasPrefix(noun, "the "):
		return noun
	case strings.HasPrefix(noun, "identity"):
		return "an " + noun
	}
	return "a " + noun
}

// basisWords say where an answer comes from.
var basisWords = map[string]string{
	"message": "AWS's message alone",
	"none":    "nothing: neither AWS's message nor the snapshot decides",
}

// fixHead says what a fix changes.
func fixHead(x evaluator.Fix) string {
	kind, name, target := "", "", x.Target
	if x.Policy != nil {
		kind, name = x.Policy.Type, x.Policy.Name
		if target == "" {
			target = x.Policy.Target
		}
	}
	layer := strings.TrimPrefix(layerWord(x.Layer, kind), "the ")
	if name == short(target) {
		name = "" // a resource's policy goes by its resource
	}
	switch x.Change {
	case "attachPolicy":
		return "attach this " + layer + strings.Replace(of(target), " of ", " to ", 1)
	case "addStatement":
		return strings.TrimSpace("add to the "+layer+" "+name) + of(target)
	case "editStatement":
		return strings.TrimSpace("add to "+statementName(x.Statement)+" of the "+layer+" "+name) + of(target)
	}
	return strings.TrimSpace(x.Change+": the "+layer+" "+name) + of(target)
}

// statementName is a statement's Sid, or its number where it has none.
func statementName(s *policy.Statement) string {
	switch {
	case s == nil:
		return "a statement"
	case s.Sid.Value != "":
		return s.Sid.Value
	}
	return fmt.Sprintf("statement %d", s.Index+1)
}

// between says when equal denials were seen: one time, or from one to another.
func between(first, last time.Time) string {
	if first.IsZero() {
		return ""
	}
	const day, minute = "2006-01-02", "15:04"
	first, last = first.UTC(), last.UTC()
	from := first.Format(day + " " + minute)
	switch {
	case last.IsZero() || first.Format(day+minute) == last.Format(day+minute):
		return from + " UTC"
	case first.Format(day) == last.Format(day):
		return from + " – " + last.Format(minute) + " UTC"
	}
	return from + " – " + last.Format(day+" "+minute) + " UTC"
}
