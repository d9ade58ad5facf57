package evaluator

import (
	"fmt"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// The accounts and principals of the worked cases.
const (
	accountA = "111111111111" // a member account, the callers'
	accountB = "222222222222"
	accountM = "999999999999" // the management account

	userU    = "arn:aws:iam::111111111111:user/u"
	userV    = "arn:aws:iam::111111111111:user/v"
	roleR    = "arn:aws:iam::111111111111:role/r"
	sessionS = "arn:aws:sts::111111111111:assumed-role/r/s"
	rootA    = "arn:aws:iam::111111111111:root"
	fedF     = "arn:aws:sts::111111111111:federated-user/f"
	keyK     = "arn:aws:kms:us-east-1:111111111111:key/k"
	oidc     = "arn:aws:iam::111111111111:oidc-provider/token.example.com"
)

func aUser(name string) Principal {
	return Principal{Type: User, ARN: "arn:aws:iam::111111111111:user/" + name, ID: "AIDAUSER" + strings.ToUpper(name), Account: accountA}
}

func aSession() Principal {
	return Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, ID: "AROANEWID", Account: accountA}
}

func aFederatedUser() Principal {
	return Principal{Type: FederatedUser, ARN: fedF, ParentARN: userU, Account: accountA}
}

func aRoot() Principal { return Principal{Type: Root, ARN: rootA, Account: accountA} }

func aService(name string) Principal { return Principal{Type: Service, ARN: name} }

func anonymous() Principal { return Principal{Type: Anonymous} }

// statement texts: each helper writes one statement as JSON; more are further
// members, such as `"Condition": {…}`.

func stmt(sid, effect string, members ...string) string {
	return fmt.Sprintf(`{"Sid": %q, "Effect": %q, %s}`, sid, effect, strings.Join(members, ", "))
}

// js writes a string; what is JSON already stays as it is.
func js(s string) string {
	if strings.HasPrefix(s, "[") || strings.HasPrefix(s, "{") || strings.HasPrefix(s, `"`) {
		return s
	}
	return fmt.Sprintf("%q", s)
}

func allow(sid, action, resource string, more ...string) string {
	return stmt(sid, "Allow", append([]string{`"Action": ` + js(action), `"Resource": ` + js(resource)}, more...)...)
}

func deny(sid, action, resource string, more ...string) string {
	return stmt(sid, "Deny", append([]string{`"Action": ` + js(action), `"Resource": ` + js(resource)}, more...)...)
}

// grant and refuse are statements of policies that name principals.
func grant(sid, principal, action, resource string, more ...string) string {
	return allow(sid, action, resource, append([]string{`"Principal": ` + js(principal)}, more...)...)
}

func refuse(sid, principal, action, resource string, more ...string) string {
	return deny(sid, action, resource, append([]string{`"Principal": ` + js(principal)}, more...)...)
}

// trusts is a statement of a role's trust policy.
func trusts(sid, principal, action string, more ...string) string {
	return stmt(sid, "Allow", append([]string{`"Principal": ` + js(principal), `"Action": ` + js(action)}, more...)...)
}

func when(operator, key, value string) string {
	return fmt.Sprintf(`"Condition": {%q: {%q: %s}}`, operator, key, js(value))
}

func aws(arn string) string { return `{"AWS": "` + arn + `"}` }

// A tester is a test, a benchmark or a property.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A doc is a policy document by its statements. A statement "2008" makes it one of that version.
type doc []string

func (d doc) text() string {
	version, list := policy.Version2012, []string(d)
	if len(d) > 0 && d[0] == "2008" {
		version, list = policy.Version2008, d[1:]
	}
	return fmt.Sprintf(`{"Version": %q, "Statement": [%s]}`, version, strings.Join(list, ",\n"))
}

func compileText(t tester, text string) *Compiled {
	t.Helper()
	d, err := policy.Parse("policy.json", []byte(text))
	if err != nil {
		t.Fatalf("policy.Parse: %v\n%s", err, text)
	}
	return Compile(d)
}

func policyOf(t tester, name, typ, target string, d doc) Policy {
	t.Helper()
	return Policy{Name: name, Type: typ, Target: target, Body: compileText(t, d.text())}
}

func layerOf(t tester, name, typ, target string, d doc) Layer {
	t.Helper()
	if d == nil {
		return Layer{}
	}
	return Layer{State: Applies, Policies: []Policy{policyOf(t, name, typ, target, d)}}
}

// A level is one level of an organisation, for tests.
type level struct {
	target string
	doc    doc
}

func hierarchyOf(t tester, typ string, levels []level) Hierarchy {
	t.Helper()
	var h Hierarchy
	if levels != nil {
		h.State = Applies
	}
	for _, l := range levels {
		h.Levels = append(h.Levels, Level{Target: l.target, Layer: layerOf(t, typ+"-"+l.target, typ, l.target, l.doc)})
	}
	return h
}

// A world is a request with its policies, layer by layer. A nil layer doesn't
// apply; identity policies always apply to those who can have some.
type world struct {
	who      Principal
	action   string
	resource string
	owner    string // account A if empty, unknown if "?"
	ctx      map[string][]string
	unknown  []string

	id, pb, sp, rb doc
	rbType         string // bucket if empty
	scp, rcp       []level
	vpce           doc
	puts           doc // the policy that the call puts
	gateway        Match

	change func(*Policies) // what the fields above can't say
}

func (w *world) build(t tester) (*Request, *Policies) {
	t.Helper()
	req := &Request{Principal: w.who, Action: w.action, Resource: Resource{ARN: w.resource, Account: w.owner}}
	switch w.owner {
	case "":
		req.Resource.Account = accountA
	case "?":
		req.Resource.Account = ""
	}
	for k, v := range w.ctx {
		req.Context.Set(k, v...)
	}
	for _, k := range w.unknown {
		req.Context.SetState(k, UnknownKey)
	}
	DeriveContext(req)
	if w.puts != nil {
		req.Puts = compileText(t, w.puts.text()).Document()
	}
	p := &Policies{
		SCP:      hierarchyOf(t, "scp", w.scp),
		RCP:      hierarchyOf(t, "rcp", w.rcp),
		Identity: layerOf(t, "identity", "managed", w.who.ARN, w.id),
		Boundary: layerOf(t, "boundary", "boundary", w.who.ARN, w.pb),
		Session:  layerOf(t, "session", "session", w.who.ARN, w.sp),
		Resource: ResourceLayer{Type: w.rbType, Layer: layerOf(t, "resource", w.rbType, w.resource, w.rb)},
		Endpoint: EndpointLayer{ID: "vpce-1", Gateway: w.gateway, Layer: layerOf(t, "endpoint", "endpoint", "vpce-1", w.vpce)},
	}
	if p.Resource.Type == "" {
		p.Resource.Type = "bucket"
	}
	switch w.who.Type {
	case User, AssumedRole, FederatedUser:
		p.Identity.State = Applies
	}
	if w.change != nil {
		w.change(p)
	}
	return req, p
}

// summary puts an explanation's blockers into one line: layer, kind, the Sid
// that denies, the level of the organisation.
func summary(x Explanation) string {
	var out []string
	for _, b := range x.Blockers {
		s := string(b.Layer) + " " + string(b.Kind)
		if b.Statement != nil {
			s += " " + b.Statement.Sid.Value
		}
		if b.Layer == LayerSCP || b.Layer == LayerRCP {
			s += " @" + b.Target
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// hangsOn puts what an explanation leaves open into one line.
func hangsOn(x Explanation) string {
	var out []string
	for _, u := range x.Undecided {
		what := u.Missing
		if u.Statement != nil {
			what = u.Statement.Sid.Value + " " + u.Element.Element
			if u.Element.Key != "" {
				what = u.Statement.Sid.Value + " " + u.Element.Key
			}
		}
		out = append(out, string(u.Layer)+" "+what)
	}
	return strings.Join(out, "; ")
}

// asking is an evaluation of a request of which only the context matters.
func asking(ctx *Context) *evaluation { return &evaluation{req: &Request{Context: *ctx}} }

// about is one of which only the resource matters.
func about(res Resource) *evaluation { return &evaluation{req: &Request{Resource: res}} }
