package evaluator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawStatement draws a statement for a policy that names principals, or doesn't.
func drawStatement(t *rapid.T, sid, effect string, named bool) string {
	members := []string{}
	add := func(element string, values ...string) {
		members = append(members, fmt.Sprintf("%q: %s", element, js(rapid.SampledFrom(values).Draw(t, element))))
	}
	add(rapid.SampledFrom([]string{"Action", "Action", "Action", "NotAction"}).Draw(t, "element"),
		"*", "s3:*", "s3:GetObject", "kms:*", "sts:AssumeRole", `["s3:Get*", "dynamodb:*"]`)
	add(rapid.SampledFrom([]string{"Resource", "Resource", "Resource", "NotResource"}).Draw(t, "element"),
		"*", "arn:aws:s3:::b/*", getB, "arn:aws:s3:::b/${aws:PrincipalTag/t}", "arn:aws:kms:*", "arn:aws:iam::*:role/*")
	if named {
		element := "Principal"
		if effect == "Deny" {
			element = rapid.SampledFrom([]string{"Principal", "Principal", "NotPrincipal"}).Draw(t, "element")
		}
		add(element, "*", aws(accountA), aws(userU), aws(roleR), aws(sessionS), aws(fedF), aws(userV), `{"Service": "sns.amazonaws.com"}`)
	}
	if c := drawConditions(t); c != "" {
		members = append(members, c)
	}
	return stmt(sid, effect, members...)
}

// singleKeys are the keys of the properties that hold one value, and what they may hold.
var singleKeys = map[string][]string{
	"aws:SourceIp":         {"10.0.0.1", "192.0.2.1", "2001:db8::1"},
	"aws:RequestedRegion":  {"eu-west-1", "us-east-1"},
	"aws:PrincipalTag/t":   {"k", "x", "*", ""},
	"aws:SecureTransport":  {"true", "false"},
	"s3:max-keys":          {"10", "11", "many"},
	"aws:TokenIssueTime":   {"2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z"},
	"aws:SourceArn":        {"arn:aws:sns:us-east-1:111111111111:x", "arn:aws:sns:us-east-1:222222222222:y"},
	"aws:PrincipalArn":     {userU, roleR},
	"s3:ExistingObjectTag": {"k", "y"},
}

func drawConditions(t *rapid.T) string {
	choices := []string{"", "", "",
		`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`, `"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]}`,
		`"StringEquals": {"aws:RequestedRegion": "eu-west-1"}`, `"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}`,
		`"StringNotEqualsIfExists": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}`, `"StringLike": {"aws:PrincipalTag/t": "*"}`,
		`"StringLikeIfExists": {"aws:PrincipalTag/t": "*"}`, `"StringNotLike": {"aws:PrincipalTag/t": "*"}`,
		`"StringEquals": {"s3:ExistingObjectTag": "${aws:PrincipalTag/t}"}`, `"StringNotEquals": {"s3:ExistingObjectTag": "${aws:PrincipalTag/t, 'y'}"}`,
		`"Bool": {"aws:SecureTransport": "false"}`, `"BoolIfExists": {"aws:SecureTransport": "true"}`, `"Bool": {"aws:SecureTransport": "${aws:PrincipalTag/t}"}`,
		`"NumericLessThanEquals": {"s3:max-keys": 10}`, `"NumericNotEquals": {"s3:max-keys": 10}`, `"NumericEqualsIfExists": {"s3:max-keys": "ten"}`,
		`"DateGreaterThan": {"aws:TokenIssueTime": "2025-01-01"}`, `"Null": {"aws:TokenIssueTime": "true"}`, `"Null": {"aws:PrincipalTag/t": "false"}`,
		`"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111111111111:*"}`, `"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:111111111111:*"}`,
		`"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/r"}`, `"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}`,
		`"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}`, `"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}`,
		`"ForAllValues:StringNotLike": {"aws:TagKeys": "a*"}`, `"ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}`, `"ForAllValues:StringLike": {"aws:TagKeys": "*"}`,
		`"Null": {"aws:TagKeys": "true"}`,
	}
	one := rapid.SampledFrom(choices).Draw(t, "condition")
	if one == "" {
		return ""
	}
	return `"Condition": {` + one + `}`
}

// drawDoc draws a policy, or none; Sids are unique.
func drawDoc(t *rapid.T, name string, named bool, none doc) doc {
	n := rapid.IntRange(-1, 3).Draw(t, name)
	if n < 0 {
		return none
	}
	d := doc{}
	for i := range n {
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "Effect")
		if name == "rcp" && effect == "Allow" {
			d = append(d, grant(fmt.Sprintf("%s%d", name, i), "*", "*", "*"))
			continue
		}
		d = append(d, drawStatement(t, fmt.Sprintf("%s%d", name, i), effect, named))
	}
	return d
}

// drawWorld draws a request and its policies, all of them known.
func drawWorld(t *rapid.T) *world {
	at := rapid.SampledFrom([]struct{ action, resource, typ string }{
		{"s3:GetObject", getB, "bucket"}, {"s3:GetObject", getB, "bucket"}, {"s3:PutObject", getB, "bucket"},
		{"kms:Decrypt", keyK, "key"}, {"sts:AssumeRole", roleR, "trust"}, {"dynamodb:DeleteTable", tab, "table"},
	}).Draw(t, "call")
	w := &world{
		who:    rapid.SampledFrom([]Principal{aUser("u"), aUser("u"), aSession(), aSession(), aFederatedUser(), aRoot(), aService("sns.amazonaws.com"), anonymous()}).Draw(t, "who"),
		action: at.action, resource: at.resource, rbType: at.typ,
		owner: rapid.SampledFrom([]string{accountA, accountA, accountB}).Draw(t, "owner"),
		rb:    drawDoc(t, "resource", true, nil),
		vpce:  drawDoc(t, "endpoint", true, nil),
		ctx:   map[string][]string{},
	}
	if at.typ == "trust" {
		w.rb = doc{}
		if rapid.Bool().Draw(t, "trust") {
			w.rb = doc{trusts("trust0", rapid.SampledFrom([]string{"*", aws(accountA), aws(userU), aws(roleR)}).Draw(t, "trusted"), "sts:AssumeRole")}
		}
	}
	w.gateway = rapid.SampledFrom([]Match{NoMatch, Unknown, Matched}).Draw(t, "gateway")
	switch w.who.Type {
	case User, AssumedRole, FederatedUser:
		w.id, w.pb = drawDoc(t, "identity", false, nil), drawDoc(t, "boundary", false, nil)
		if w.who.Type != User {
			w.sp = drawDoc(t, "session", false, nil)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "scps") {
		w.scp = append(w.scp, level{fmt.Sprintf("ou-%d", i), drawDoc(t, fmt.Sprintf("scp%d", i), false, doc{})})
	}
	if rapid.Bool().Draw(t, "rcps") {
		w.rcp = []level{{"r-root", append(doc{grant("Full", "*", "*", "*")}, drawDoc(t, "rcp", true, nil)...)}}
		w.rcp[0].doc = slices.DeleteFunc(w.rcp[0].doc, func(s string) bool { return strings.Contains(s, "NotPrincipal") })
	}
	for _, key := range slices.Sorted(maps.Keys(singleKeys)) {
		values := singleKeys[key]
		if rapid.Bool().Draw(t, key) {
			w.ctx[key] = []string{rapid.SampledFrom(values).Draw(t, key)}
		}
	}
	if rapid.Bool().Draw(t, "tags") {
		w.ctx["aws:TagKeys"] = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "aws:TagKeys")
	}
	return w
}

// forget draws what isn't known of a request and its policies. What it leaves
// is consistent with the request and the policies as they are.
func forget(t *rapid.T, req *Request, p *Policies) (*Request, *Policies) {
	r, q := *req, copyPolicies(p)
	r.Context = req.Context.Clone()
	for _, key := range append(slices.Sorted(maps.Keys(singleKeys)), "aws:TagKeys") {
		v := r.Context.Lookup(key)
		switch rapid.IntRange(0, 5).Draw(t, "forget "+key) {
		case 0:
			r.Context.SetState(key, UnknownKey)
		case 1:
			if v.State == Present {
				r.Context.SetState(key, PresentUnknown)
			}
		case 2:
			if key == "aws:TagKeys" && v.State == Present {
				r.Context.Put(ContextValue{Name: key, State: Partial, Values: v.Values[:rapid.IntRange(0, len(v.Values)-1).Draw(t, "known")]})
			}
		}
	}
	switch rapid.IntRange(0, 5).Draw(t, "forget resource") {
	case 0:
		r.Resource.Account = ""
	case 1:
		r.Resource.ARN, r.Resource.Pattern = strings.TrimSuffix(r.Resource.ARN, r.Resource.ARN[len(r.Resource.ARN)-1:])+"*", true
	}
	if rapid.IntRange(0, 5).Draw(t, "forget ARN") == 0 {
		r.Resource.ARN, r.Resource.Pattern = "", false
	}
	for _, l := range []*Layer{&q.Resource.Layer, &q.Identity, &q.Boundary, &q.Session, &q.Endpoint.Layer} {
		if rapid.IntRange(0, 5).Draw(t, "forget layer") > 0 {
			continue
		}
		if l.State == Applies && rapid.Bool().Draw(t, "may apply") {
			l.State, l.Missing = MayApply, "whether it applies"
		} else {
			l.State, l.Policies, l.Missing = NotCollected, nil, "the policies"
		}
	}
	for _, h := range []*Hierarchy{&q.SCP, &q.RCP} {
		switch rapid.IntRange(0, 7).Draw(t, "forget levels") {
		case 0:
			*h = Hierarchy{State: NotCollected, Missing: "the organisation"}
		case 1:
			if h.State == Applies {
				h.State, h.Missing = MayApply, "whether it applies"
			}
		}
	}
	return &r, &q
}

// access ranks decisions by what they let happen.
func access(d Decision) int {
	switch d {
	case Allowed:
		return 2
	case Indeterminate:
		return 1
	}
	return 0
}

// TestExplainAgrees: Explain and Evaluate decide alike, and an explanation explains.
func TestExplainAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := drawWorld(t).build(t)
		req, p = forget(t, req, p)
		x := Explain(req, p)
		if d := Evaluate(req, p); d != x.Decision {
			t.Fatalf("Explain says %v, Evaluate %v", x.Decision, d)
		}
		kinds := map[BlockerKind]bool{}
		for _, b := range x.Blockers {
			kinds[b.Kind] = true
		}
		switch x.Decision {
		case ExplicitDeny:
			if !kinds[KindExplicitDeny] {
				t.Fatalf("an explicit deny without a statement that denies: %s", summary(x))
			}
		case ImplicitDeny:
			if !kinds[KindNoAllow] || kinds[KindExplicitDeny] {
				t.Fatalf("an implicit deny by %q", summary(x))
			}
		case Indeterminate:
			if len(x.Undecided) == 0 || kinds[KindNoAllow] || kinds[KindExplicitDeny] {
				t.Fatalf("an open answer that hangs on %q, blocked by %q", hangsOn(x), summary(x))
			}
		case Allowed:
			if len(x.Blockers)+len(x.Undecided) > 0 {
				t.Fatalf("allowed, but %s, %s", summary(x), hangsOn(x))
			}
		}
	})
}

// TestRefinement serves U11: knowing more never changes a definite answer.
func TestRefinement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := drawWorld(t).build(t)
		open, vague := forget(t, req, p)
		before, after := Evaluate(open, vague), Evaluate(req, p)
		switch {
		case before == Indeterminate:
		case access(before) != access(after), before == ExplicitDeny && after != ExplicitDeny:
			t.Fatalf("%v while less was known, %v now", before, after)
		}
	})
}

// drawTarget draws one of the documents of a world.
func (w *world) drawTarget(t *rapid.T) (d *doc, name string, named bool) {
	type target struct {
		d     *doc
		name  string
		named bool
	}
	var all []target
	for _, c := range []target{{&w.id, "identity", false}, {&w.pb, "boundary", false}, {&w.sp, "session", false}, {&w.rb, "resource", true}, {&w.vpce, "endpoint", true}} {
		if *c.d != nil && (c.name != "resource" || w.rbType != "trust") {
			all = append(all, c)
		}
	}
	for i := range w.scp {
		all = append(all, target{&w.scp[i].doc, "scp", false})
	}
	if len(all) == 0 {
		t.Skip("no policy to change")
	}
	c := rapid.SampledFrom(all).Draw(t, "target")
	return c.d, c.name, c.named
}

// TestAddingStatements: one more Allow never takes access, one more Deny never gives it.
func TestAddingStatements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		req, p := w.build(t)
		before := Evaluate(req, p)
		d, name, named := w.drawTarget(t)
		effect := rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "added")
		*d = append(slices.Clone(*d), drawStatement(t, "Added", effect, named))
		req, p = w.build(t)
		after := Evaluate(req, p)
		switch {
		case effect == "Allow" && access(after) < access(before), effect == "Deny" && access(after) > access(before),
			before == ExplicitDeny && after != ExplicitDeny:
			t.Fatalf("%v, and with one more %s in %s %v", before, effect, name, after)
		}
	})
}

// TestDenyWins serves E2: a Deny that applies denies, in whichever layer and whatever else allows.
func TestDenyWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		d, name, named := w.drawTarget(t)
		if name == "scp" && (&evaluation{req: &Request{Principal: w.who}}).scpReaches() != Matched || name == "endpoint" && w.vpce == nil {
			t.Skip("doesn't reach the caller")
		}
		s := deny("Wins", "*", "*")
		if named {
			s = refuse("Wins", "*", "*", "*")
		}
		*d = append(slices.Clone(*d), s)
		w.id = append(slices.Clone(w.id), allow("All", "*", "*"))
		req, p := w.build(t)
		if got := Evaluate(req, p); got != ExplicitDeny {
			t.Fatalf("%v, with a Deny of everything in %s", got, name)
		}
	})
}

// TestFixes: the fixes, written into the policies' text as they say, allow.
func TestFixes(t *testing.T) {
	fixed := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		req, p := w.build(t)
		fixes := Fixes(req, p)
		if len(fixes) == 0 {
			return
		}
		for _, f := range fixes {
			w.apply(t, f)
		}
		req, p = w.build(t)
		if x := Explain(req, p); x.Decision != Allowed {
			t.Fatalf("%v with %d fixes made: %s %s", x.Decision, len(fixes), summary(x), hangsOn(x))
		}
		fixed++
	})
	if fixed == 0 {
		t.Error("no request had fixes")
	}
}

// apply makes a fix in the text of the world's policies.
func (w *world) apply(t *rapid.T, f Fix) {
	var target *doc
	switch f.Layer {
	case LayerIdentity:
		target = &w.id
	case LayerBoundary:
		target = &w.pb
	case LayerSession:
		target = &w.sp
	case LayerResource:
		target = &w.rb
	case LayerEndpoint:
		target = &w.vpce
	default:
		for _, levels := range [][]level{w.scp, w.rcp} {
			for i := range levels {
				if levels[i].target == f.Target {
					target = &levels[i].doc
				}
			}
		}
	}
	if target == nil {
		t.Fatalf("a fix of %s at %q, which doesn't exist", f.Layer, f.Target)
	}
	if f.Change != "editStatement" {
		*target = append(slices.Clone(*target), string(f.Document))
		return
	}
	sid := func(text string) string {
		var s struct{ Sid string }
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		return s.Sid
	}
	i := slices.IndexFunc(*target, func(s string) bool { return sid(s) == sid(string(f.Document)) })
	if i < 0 {
		t.Fatalf("a fix of a statement that doesn't exist: %s", f.Document)
	}
	*target = slices.Clone(*target)
	(*target)[i] = string(f.Document)
}
