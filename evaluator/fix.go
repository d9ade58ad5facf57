package evaluator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Fix is a change to one policy that helps to allow a request.
type Fix struct {
	Layer  LayerName
	Policy *Policy // nil if a policy would have to be attached
	Target string  // what the policy is, or would be, attached to
	// Statement is, for an editStatement, the one to change.
	Statement *policy.Statement
	Change    string // addStatement, editStatement or attachPolicy
	Document  []byte // the statement as it should be, as indented JSON
	// Addition is, for an editStatement, what is new in Document.
	Addition []byte
	Note     string // whose guardrail this weakens; what to watch for
}

// maxFixes bounds how many changes one request may need; more than one for
// each layer and level means that something else is wrong.
const maxFixes = 12

// Fixes returns changes that together allow the request, proven by evaluating
// it with them made. They are as narrow as the policy's kind lets them be: an
// added statement is for this action on this resource, and names the principal where statements
// can; an edited Deny lets off this principal alone, but from the whole statement.
// It returns none if there are none, or if the answer would still hang on something unknown.
func Fixes(req *Request, p *Policies) []Fix {
	if Evaluate(req, p) == Allowed || req.Resource.ARN == "" || req.Resource.Pattern && req.Resource.ARN == "*" {
		return nil
	}
	work := copyPolicies(p)
	var fixes []Fix
	for range maxFixes {
		x := Explain(req, &work)
		if x.Decision == Allowed {
			return fixes
		}
		i := slices.IndexFunc(x.Blockers, func(b Blocker) bool { return b.Kind != KindNotCollected })
		if i < 0 {
			return nil
		}
		f, ok := fixBlocker(req, &work, &x.Blockers[i])
		if !ok {
			return nil
		}
		fixes = append(fixes, f)
	}
	return nil
}

// copyPolicies copies what a fix may change.
func copyPolicies(p *Policies) Policies {
	c := *p
	for _, l := range []*Layer{&c.Resource.Layer, &c.Identity, &c.Boundary, &c.Session, &c.Endpoint.Layer} {
		l.Policies = slices.Clone(l.Policies)
	}
	for _, h := range []*Hierarchy{&c.SCP, &c.RCP} {
		h.Levels = slices.Clone(h.Levels)
		for i := range h.Levels {
			h.Levels[i].Policies = slices.Clone(h.Levels[i].Policies)
		}
	}
	return c
}

// layersAt returns the places in p that hold a layer's policies, at a level's target if it has levels.
func layersAt(p *Policies, name LayerName, target string) []*Layer {
	switch name {
	case LayerIdentity:
		return []*Layer{&p.Identity}
	case LayerBoundary:
		return []*Layer{&p.Boundary}
	case LayerSession:
		return []*Layer{&p.Session}
	case LayerResource:
		return []*Layer{&p.Resource.Layer}
	case LayerEndpoint:
		return []*Layer{&p.Endpoint.Layer}
	}
	h := &p.SCP
	if name == LayerRCP {
		h = &p.RCP
	}
	var out []*Layer
	for i := range h.Levels {
		if h.Levels[i].Target == target {
			out = append(out, &h.Levels[i].Layer)
		}
	}
	return out
}

func fixBlocker(req *Request, p *Policies, b *Blocker) (Fix, bool) {
	if b.Kind == KindExplicitDeny {
		return exempt(req, p, b)
	}
	return addAllow(req, p, b)
}

// A sentence is a statement to be written, in the order that people write them.
type sentence struct {
	Sid          string         `json:",omitempty"`
	Effect       string         `json:",omitempty"`
	Principal    any            `json:",omitempty"`
	NotPrincipal any            `json:",omitempty"`
	Action       any            `json:",omitempty"`
	NotAction    any            `json:",omitempty"`
	Resource     any            `json:",omitempty"`
	NotResource  any            `json:",omitempty"`
	Condition    map[string]any `json:",omitempty"`
}

func (s sentence) text() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return nil // can't be: strings and maps of strings only
	}
	return bytes.TrimSpace(b.Bytes())
}

// compile parses the sentence as a document of its own.
func (s sentence) compile(version string) (*Compiled, bool) {
	text := append([]byte(`{"Version":"`+version+`","Statement":`), s.text()...)
	doc, err := policy.Parse("fix", append(text, '}'))
	if err != nil || len(doc.AllDefects()) > 0 {
		return nil, false
	}
	return Compile(doc), true
}

// addAllow adds a statement for exactly this request.
func addAllow(req *Request, p *Policies, b *Blocker) (Fix, bool) {
	if strings.Contains(req.Resource.ARN, "${") {
		return Fix{}, false // would be read as a variable
	}
	s := sentence{Sid: sidFor(req.Action), Effect: "Allow", Action: req.Action, Resource: req.Resource.ARN}
	f := Fix{Layer: b.Layer, Target: b.Target, Policy: b.Policy, Change: "addStatement"}
	if b.Layer == LayerResource && b.Policy != nil {
		f.Target = b.Policy.Target
	}
	switch b.Layer {
	case LayerRCP:
		return Fix{}, false
	case LayerIdentity:
		// A policy that others have too would let them gain as well.
		if f.Policy != nil && (f.Policy.Type != "inline" || f.Policy.Target != b.Target) {
			f.Policy = nil
		}
	case LayerResource:
		who, ok := principalElement(&req.Principal)
		if !ok {
			return Fix{}, false
		}
		s.Principal = who
		switch p.Resource.Type {
		case "trust":
			s.Resource = nil
		case "key":
			s.Resource = "*" // this key (rule R13)
		}
		if crossAccount(req) == Matched {
			f.Note = "the resource belongs to account " + req.Resource.Account + ", whose administrators must make this change"
		}
	case LayerEndpoint:
		arn, ok := exactPrincipalARN(req)
		if !ok {
			return Fix{}, false
		}
		s.Principal = "*"
		s.Condition = map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": arn}}
		f.Note = "the endpoint policy limits everybody who uses the endpoint"
	case LayerSCP:
		f.Note = "this widens what the organisation lets " + b.Target + " do: a guardrail of whoever administers the organisation"
	case LayerBoundary:
		f.Note = "a permissions boundary is somebody's guardrail: ask who set it"
	case LayerSession:
		f.Note = "the session policy is passed by whoever creates the session: the next session needs it"
	}
	if f.Policy == nil || strings.Contains(f.Policy.ARN, "::aws:policy/") {
		f.Policy, f.Change = nil, "attachPolicy"
	}
	body, ok := s.compile(policy.Version2012)
	layers := layersAt(p, b.Layer, b.Target)
	if !ok || len(layers) == 0 {
		return Fix{}, false
	}
	for _, l := range layers {
		l.Policies = append(l.Policies, Policy{Name: "fix", Type: b.PolicyType, Target: b.Target, Body: body})
		if l.State == DoesNotApply {
			l.State = Applies
		}
	}
	f.Document = s.text()
	return f, true
}

// sidFor makes a Sid of an action; IAM takes letters and digits only (rule G14).
func sidFor(action string) string {
	svc, name, _ := strings.Cut(action, ":")
	if svc == "" {
		return "Allow"
	}
	sid := "Allow" + strings.ToUpper(svc[:1]) + svc[1:] + name
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, sid)
}

// principalElement names the caller as narrowly as a policy that lasts can:
// the user, or the role rather than one of its sessions.
func principalElement(p *Principal) (any, bool) {
	switch p.Type {
	case User, Root, FederatedUser:
		return map[string]any{"AWS": p.ARN}, true
	case AssumedRole:
		return map[string]any{"AWS": p.RoleARN}, p.RoleARN != "" && !p.RolePathUnknown
	case Service:
		return map[string]any{"Service": p.ARN}, true
	case WebIdentity, SAML:
		return map[string]any{"Federated": p.ARN}, true
	}
	return nil, false // nobody should be advised to make a resource public
}

// exactPrincipalARN is the value of aws:PrincipalArn, if it is known for sure.
func exactPrincipalARN(req *Request) (string, bool) {
	v := req.Context.Lookup("aws:PrincipalArn")
	if v.State != Present || len(v.Values) != 1 || v.Pattern {
		return "", false
	}
	return v.Values[0], true
}

// exempt takes this principal out of a Deny by a condition on aws:PrincipalArn,
// and leaves the Deny as it is for everybody else.
func exempt(req *Request, p *Policies, b *Blocker) (Fix, bool) {
	arn, ok := exactPrincipalARN(req)
	if !ok || b.Policy == nil || b.Statement == nil || b.Policy.Body == nil {
		return Fix{}, false
	}
	s := sentenceOf(b.Statement)
	addException(&s, arn)
	var addition sentence
	addException(&addition, arn)
	version := b.Policy.Body.doc.Version.Value
	if version == "" {
		version = policy.Version2008
	}
	edited, ok := s.compile(version)
	if !ok {
		return Fix{}, false
	}
	body := &Compiled{doc: b.Policy.Body.doc, statements: slices.Clone(b.Policy.Body.statements)}
	at := b.Statement.Index
	replacement := edited.statements[0]
	src := *replacement.src
	src.Index = at
	replacement.src = &src
	body.statements[at] = replacement
	old := b.Policy.Body
	for _, l := range layersAt(p, b.Layer, b.Target) {
		for i := range l.Policies {
			if l.Policies[i].Body == old {
				l.Policies[i].Body = body
			}
		}
	}
	name := b.Policy.Name
	if b.Statement.Sid.Value != "" {
		name = b.Statement.Sid.Value + " of " + name
	}
	return Fix{
		Layer: b.Layer, Policy: b.Policy, Statement: b.Statement, Target: cmp.Or(b.Policy.Target, b.Target), Change: "editStatement", Document: s.text(), Addition: addition.text(),
		Note: "this weakens " + name + ", a guardrail on " + cmp.Or(b.Policy.Target, b.Target) + ", for this principal and whatever the statement denies: ask its owner first" + alternative(b),
	}, true
}

// alternative is what the caller could change instead of the guardrail.
func alternative(b *Blocker) string {
	for _, miss := range b.NearMisses {
		for _, el := range miss.Mismatch {
			if el.Element == "Condition" {
				return "; or make the call so that its condition on " + el.Key + " doesn't hold"
			}
		}
	}
	return ""
}

// addException extends an exception on aws:PrincipalArn if the statement has
// one, or adds it: negated operators match only if no value does (rule C1).
func addException(s *sentence, arn string) {
	if s.Condition == nil {
		s.Condition = map[string]any{}
	}
	for op, block := range s.Condition {
		switch strings.ToLower(op) {
		case "arnnotequals", "arnnotlike", "arnnotequalsifexists", "arnnotlikeifexists", "stringnotequals", "stringnotlike":
		default:
			continue
		}
		keys := block.(map[string]any)
		for key, list := range keys {
			if strings.EqualFold(key, "aws:PrincipalArn") {
				keys[key] = append(slices.Clone(list.([]string)), arn)
				return
			}
		}
	}
	block, ok := s.Condition["ArnNotEquals"].(map[string]any)
	if !ok {
		block = map[string]any{}
		s.Condition["ArnNotEquals"] = block
	}
	block["aws:PrincipalArn"] = []string{arn}
}

// sentenceOf writes a parsed statement again.
func sentenceOf(src *policy.Statement) sentence {
	s := sentence{Sid: src.Sid.Value, Effect: src.Effect.String()}
	list := func(l *policy.List) any {
		if l == nil {
			return nil
		}
		if v := texts(l); len(v) != 1 {
			return v
		}
		return l.Values[0].Value
	}
	s.Action, s.NotAction = list(src.Action), list(src.NotAction)
	s.Resource, s.NotResource = list(src.Resource), list(src.NotResource)
	s.Principal, s.NotPrincipal = principalsOf(src.Principal), principalsOf(src.NotPrincipal)
	for _, c := range src.Condition {
		if s.Condition == nil {
			s.Condition = map[string]any{}
		}
		block, ok := s.Condition[c.Operator].(map[string]any)
		if !ok {
			block = map[string]any{}
			s.Condition[c.Operator] = block
		}
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = v.Value
		}
		block[c.Key.Value] = values
	}
	return s
}

func principalsOf(p *policy.Principals) any {
	if p == nil {
		return nil
	}
	if len(p.Entries) == 1 && p.Entries[0].Value.Value == "*" {
		return "*"
	}
	out := map[string]any{}
	for _, e := range p.Entries {
		have, _ := out[e.Kind].([]string)
		out[e.Kind] = append(have, e.Value.Value)
	}
	return out
}
