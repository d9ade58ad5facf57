package evaluator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestStrict serves U18: which undocumented rules an answer rests on, and what is left of it without them.
func TestStrict(t *testing.T) {
	num := func(op, operand string) string { return fmt.Sprintf(`%q: {"svc:n": %q}`, op, operand) }
	for _, c := range []struct {
		name    string
		w       world
		unknown []string
		want    Decision
		strict  Decision
		caveats string
	}{
		{"documented rules only", world{id: conditional(num("NumericEquals", "10")), ctx: keys("svc:n", "10")}, nil, Allowed, Allowed, ""},
		{"an exponent (C13)", world{id: conditional(num("NumericEquals", "1e1")), ctx: keys("svc:n", "10")}, nil, Allowed, Indeterminate, "C13"},
		{"an exponent (C13), where something else allows, too", world{id: append(conditional(num("NumericEquals", "1e1")), all...), ctx: keys("svc:n", "10")}, nil, Allowed, Allowed, ""},
		{"an exponent in a Deny, and no Allow", world{id: doc{deny("D", "*", "*", `"Condition": {`+num("NumericEquals", "1e1")+`}`)}, ctx: keys("svc:n", "10")}, nil, ExplicitDeny, ImplicitDeny, "C13"},
		{"what is no number (C28)", world{id: conditional(num("NumericEquals", "10")), ctx: keys("svc:n", "ten")}, nil, ImplicitDeny, Indeterminate, "C28"},
		{"what is no number in the policy (C28), and an unknown key", world{id: conditional(num("NumericEquals", "ten"))}, []string{"svc:n"}, ImplicitDeny, Indeterminate, "C28"},
		{"an operator in another case (C8)", world{id: conditional(num("numericEquals", "10")), ctx: keys("svc:n", "10")}, nil, Allowed, Indeterminate, "C8"},
		{"one rule or another: none changes the answer by itself",
			world{id: append(doc{deny("D", "*", "*", `"Condition": {"NumericEquals": {"svc:n": "10"}, "StringEqualsIgnoreCase": {"svc:s": "ß"}}`)}, all...), ctx: keys("svc:n", "ten", "svc:s", "ss")},
			nil, Allowed, Indeterminate, "C11 C28"},
		{"one rule in each of two Allows",
			world{id: conditional(num("NumericEquals", "1e1"), `"StringEqualsIgnoreCase": {"svc:s": "ß"}`), ctx: keys("svc:n", "10", "svc:s", "ß")}, nil, Allowed, Indeterminate, "C11 C13"},
		{"U14: of a case split, nothing that doesn't matter",
			world{id: append(conditional(`"StringEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "a"}`), deny("D", "s3:Put*", "*"), allow("Odd", "*", "*", `"Condition": {`+num("NumericEquals", "1e1")+`}`)), ctx: keys("svc:n", "10")},
			[]string{"svc:k"}, Allowed, Allowed, ""},
		{"U14: of a case split, what only a case rests on",
			world{id: conditional(num("NumericLessThan", "10")), scp: []level{{"r-root", conditional(num("NumericGreaterThan", "10"))}}}, []string{"svc:n"}, ImplicitDeny, Indeterminate, "C28"},
		{"U14: ranges whose bits under the mask count for nothing (C18)",
			world{id: conditional(`"IpAddress": {"aws:SourceIp": "10.9.9.9/8"}`, `"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}`)}, []string{"aws:SourceIp"}, Allowed, Indeterminate, "C18"},
		{"G16: no values", world{id: conditional(`"StringNotEquals": {"svc:k": []}`)}, []string{"svc:k"}, Allowed, Indeterminate, "G16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, p := c.w.open(t, UnknownKey, c.unknown...)
			x := Explain(req, p)
			if x.Decision != c.want {
				t.Errorf("%v, want %v", x.Decision, c.want)
			}
			if diff := cmp.Diff(c.caveats, strings.Join(x.Caveats, " ")); diff != "" {
				t.Errorf("caveats (-want +got):\n%s", diff)
			}
			req.Strict = true
			if got := Evaluate(req, p); got != c.strict {
				t.Errorf("strict: %v, want %v", got, c.strict)
			}
			if got := Explain(req, p).Decision; got != c.strict {
				t.Errorf("strict: Explain says %v, want %v", got, c.strict)
			}
		})
	}
}

// drawDoubtful draws a request and policies that come to rest on undocumented rules.
func drawDoubtful(t *rapid.T) (*Request, *Policies) {
	switch rapid.IntRange(0, 3).Draw(t, "kind of world") {
	case 0:
		return drawRichWorld(t).build(t)
	case 1:
		req, p := drawWorld(t).build(t)
		return forget(t, req, p)
	}
	w, operands, keys := drawSplitWorld(t)
	req, p := w.build(t)
	for _, key := range keys {
		v := ContextValue{Name: key, State: rapid.SampledFrom([]KeyState{UnknownKey, PresentUnknown, Present, Present}).Draw(t, key)}
		if v.State == Present {
			v = drawCompleted(t, v, operands)
		}
		req.Context.Put(v)
	}
	return req, p
}

// assumptionsOf are rules by their numbers.
func assumptionsOf(t *rapid.T, numbers []string) (set assumptionSet) {
	for _, n := range numbers {
		i := slices.IndexFunc(assumptionRules[:], func(r struct{ number, text string }) bool { return r.number == n })
		if i < 0 {
			t.Fatalf("the caveat %q is no rule", n)
		}
		set |= 1 << i
	}
	return set
}

// denyIsOpen reports whether it isn't known of some Deny if it applies.
func denyIsOpen(req *Request, p *Policies) bool {
	ev := newEvaluation(req)
	o := ev.decide(p)
	return o.deny == Unknown
}

// TestCaveatsAreWhatStrictDoubts serves U18: strict, the decision is the same or open (or, of a Deny that may not
// apply where nothing allows either, for want of an Allow only; or, the other way round, of Denies that may or may not
// apply, and one of which does in every case); it is the same if no rule is listed; and each rule that is listed matters.
func TestCaveatsAreWhatStrictDoubts(t *testing.T) {
	listed := 0
	rapid.Check(t, func(t *rapid.T) {
		req, p := drawDoubtful(t)
		x := Explain(req, p)
		doubted := *req
		doubted.Strict = true
		strict := Evaluate(&doubted, p)
		switch {
		case strict == x.Decision, strict == Indeterminate, x.Decision == ExplicitDeny && strict == ImplicitDeny:
		case x.Decision == ImplicitDeny && strict == ExplicitDeny && denyIsOpen(req, p): // only a strict answer, open at first, is split
		default:
			t.Fatalf("%v, and strict %v\n%s", x.Decision, strict, describe(req, p))
		}
		if x.Decision == Indeterminate {
			return
		}
		if len(x.Caveats) == 0 && strict != x.Decision {
			t.Fatalf("%v with no caveats, but strict %v\n%s", x.Decision, strict, describe(req, p))
		}
		if len(x.Caveats) > 0 && strict == x.Decision {
			t.Fatalf("%v with caveats %v, and strict as well\n%s", x.Decision, x.Caveats, describe(req, p))
		}
		ev := asked(req)
		together := assumptionsOf(t, x.Caveats)
		for a := range together.all {
			if ev.doubting(p, 1<<a) != x.Decision {
				listed++
				together &^= 1 << a
			}
		}
		if together == 0 {
			return
		}
		if ev.doubting(p, together) == x.Decision {
			t.Fatalf("%v rests on %v, but not together either\n%s", x.Decision, x.Caveats, describe(req, p))
		}
		for a := range together.all {
			if ev.doubting(p, together&^(1<<a)) != x.Decision {
				t.Fatalf("%v: %s needn't be among %v\n%s", x.Decision, assumptionRules[a].number, x.Caveats, describe(req, p))
			}
		}
	})
	if listed == 0 {
		t.Error("no decision had caveats")
	}
}

// wholeText writes down all that an explanation says.
func wholeText(x Explanation) string {
	var b strings.Builder
	fmt.Fprintln(&b, x.Decision, summary(x), "|", hangsOn(x), "|", x.Caveats, termsText(x.AllowedIf), termsText(x.DeniedIf))
	for _, l := range x.Trace {
		fmt.Fprintln(&b, l.Layer, l.Target, l.State, l.Deny, l.Allow)
		for _, s := range l.Statements {
			fmt.Fprintln(&b, " ", s.Statement.Sid.Value, s.Match)
		}
	}
	for _, bl := range x.Blockers {
		for _, n := range bl.NearMisses {
			fmt.Fprintln(&b, bl.Layer, n.Statement.Sid.Value, n.Mismatch)
		}
	}
	return b.String()
}

// TestStrictLeavesNoTrace serves U18: what was asked strictly before changes no word of an explanation.
func TestStrictLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, p := drawDoubtful(t)
		before := wholeText(Explain(req, p))
		strict := *req
		strict.Strict = true
		Explain(&strict, p)
		Evaluate(&strict, p)
		if diff := cmp.Diff(before, wholeText(Explain(req, p))); diff != "" {
			t.Fatalf("after a strict question (-before +after):\n%s", diff)
		}
	})
}

// TestStrictSaysWhatIsOpen serves U15 and U18: strict, too, an open answer names what it hangs on, and the rules that would
// settle it, also where it isn't a statement that is in doubt.
func TestStrictSaysWhatIsOpen(t *testing.T) {
	for _, c := range []struct {
		name    string
		w       world
		want    Decision
		caveats string
	}{
		{"E8: two session policies", world{who: aSession(), id: s3All, sp: s3All, change: func(p *Policies) { p.Session.Policies = append(p.Session.Policies, p.Session.Policies[0]) }}, Allowed, "E8"},
		{"S8: an SCP and a web identity", world{who: Principal{Type: WebIdentity, ARN: oidc, Account: accountA}, action: "sts:AssumeRoleWithWebIdentity", resource: roleR, rbType: "trust",
			rb: doc{trusts("T", `{"Federated": "`+oidc+`"}`, "sts:*")}, scp: []level{{"r-root", doc{deny("No", "*", "*")}}}}, Allowed, "S8"},
		{"P4: a service and a principal *", world{who: aService("sns.amazonaws.com"), rb: doc{grant("All", "*", "*", "*")}}, Allowed, "P4"},
		{"R3: another case", world{id: doc{allow("S", "*", "arn:aws:s3:::b/K")}}, ImplicitDeny, ""}, // documented of S3
	} {
		t.Run(c.name, func(t *testing.T) {
			req, p := getting(c.w).ptr().build(t)
			x := Explain(req, p)
			if got := strings.Join(x.Caveats, " "); x.Decision != c.want || got != c.caveats {
				t.Errorf("%v with caveats %q, want %v, %q", x.Decision, got, c.want, c.caveats)
			}
			req.Strict = true
			x = Explain(req, p)
			if c.caveats == "" {
				if x.Decision != c.want {
					t.Errorf("strict: %v, want %v", x.Decision, c.want)
				}
				return
			}
			if got := strings.Join(x.Caveats, " "); x.Decision != Indeterminate || got != c.caveats {
				t.Errorf("strict: %v with caveats %q, want indeterminate, %q", x.Decision, got, c.caveats)
			}
			if len(x.Undecided) == 0 {
				t.Error("strict: nothing is named that the answer hangs on")
			}
		})
	}
}
