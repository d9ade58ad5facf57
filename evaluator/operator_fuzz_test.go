package evaluator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// These targets hold the compiled evaluator to the reference, one family of operators
// each: arbitrary operands of a one-statement policy against an arbitrary value of a key.

// spellings are how an operator may be asked: with a set prefix, IfExists, or both.
var spellings = []string{"%s", "%sIfExists", "ForAllValues:%s", "ForAnyValue:%s", "ForAllValues:%sIfExists", "ForAnyValue:%sIfExists", "FORANYVALUE:%s"}

// fuzzFamily runs one family. bad keeps out texts that the reference can't judge in time,
// or that the rules say nothing of.
func fuzzFamily(f *testing.F, fam *family, bad func(string) bool) {
	for i, operand := range fam.operands {
		values := fam.someValues()
		f.Add(uint8(i), uint8(i%len(spellings)), operand, fam.operands[(i*7+3)%len(fam.operands)], values[(i*5+1)%len(values)], i%4 == 0)
		f.Add(uint8(i/2), uint8(0), operand, operand, values[i%len(values)], false)
	}
	f.Fuzz(func(t *testing.T, op, spelling uint8, a, b, value string, old bool) {
		if !valid(a, b, value) || len(a)+len(b)+len(value) > 4096 {
			return
		}
		operator := fmt.Sprintf(spellings[int(spelling)%len(spellings)], fam.operators[int(op)%len(fam.operators)])
		list, err := json.Marshal([]string{a, b})
		if err != nil {
			t.Fatal(err)
		}
		d := doc{allow("S", "*", "*", fmt.Sprintf(`"Condition": {%q: {"svc:key": %s}}`, operator, list))}
		if old {
			d = append(doc{"2008"}, d...)
		}
		req, p := getting(world{id: d}).ptr().build(t)
		for key, values := range variables {
			req.Context.Set(key, values[0])
		}
		judge := !bad(a) && !bad(b) && !bad(value)
		for _, v := range []ContextValue{present(value), absent, unknownKey, presentUnknown, present(value, ""), present(value, a), partial(value)} {
			v.Name = "svc:key"
			req.Context.Put(v)
			got := inTime(t, req, p)
			if !judge {
				continue
			}
			want := refEvaluate(req, p)
			if got != want && (want != Indeterminate || v.State == Present) {
				t.Errorf("%s %s (old version: %v), key in state %d %q: %v, the reference says %v", operator, list, old, v.State, v.Values, got, want)
			}
		}
	})
}

// inTime evaluates, and fails if that takes longer than any text of a few thousand characters may take.
func inTime(t *testing.T, req *Request, p *Policies) Decision {
	t.Helper()
	start := time.Now()
	d := Evaluate(req, p)
	if took := time.Since(start); took > time.Minute {
		t.Fatalf("took %v\n%s", took, describe(req, p))
	}
	return d
}

// tooManyWays keeps texts from the reference that it would match in too many ways.
func tooManyWays(s string) bool { return len(s) > 60 || strings.Count(s, "*") > 5 }

func FuzzReferenceString(f *testing.F) {
	f.Add(uint8(4), uint8(0), strings.Repeat("*a", 400), "b", strings.Repeat("a", 3000), false)
	f.Add(uint8(4), uint8(2), strings.Repeat("*?", 400), "b", strings.Repeat("a", 3000), false)
	fuzzFamily(f, &families[0], tooManyWays)
}

func FuzzReferenceNumeric(f *testing.F) {
	exponent := regexp.MustCompile(`[eE][-+]?[0-9]{4}`) // more than math/big should hold
	fuzzFamily(f, &families[1], func(s string) bool { return len(s) > 200 || exponent.MatchString(s) })
}

func FuzzReferenceDate(f *testing.F) {
	// Nothing is documented of offsets without a colon, of fractions beyond what clocks
	// count, and of seconds that no calendar reaches.
	undocumented := regexp.MustCompile(`T.*[-+][0-9]{4}$|\.[0-9]{10}|^[0-9]{12,}$`)
	fuzzFamily(f, &families[2], func(s string) bool { return len(s) > 60 || undocumented.MatchString(s) })
}

func FuzzReferenceBool(f *testing.F) { fuzzFamily(f, &families[3], tooManyWays) }

func FuzzReferenceBinary(f *testing.F) {
	fuzzFamily(f, &families[4], func(s string) bool { return len(s) > 1000 })
}

func FuzzReferenceIP(f *testing.F) {
	fuzzFamily(f, &families[5], func(s string) bool { return len(s) > 100 })
}

func FuzzReferenceARN(f *testing.F) {
	f.Add(uint8(1), uint8(0), "arn:"+strings.Repeat("*a", 300)+":*:*:*:"+strings.Repeat("*b", 300), "", "arn:"+strings.Repeat("a", 1500)+"::::"+strings.Repeat("b", 1500), false)
	fuzzFamily(f, &families[6], tooManyWays)
}

func FuzzReferenceNull(f *testing.F) { fuzzFamily(f, &families[7], tooManyWays) }

// FuzzReferenceVariable: a text with variables as an operand and in a resource, against
// what they are set to.
func FuzzReferenceVariable(f *testing.F) {
	for _, s := range []string{"a${aws:username}b", "${aws:username, 'd'}", "${*}${?}${$}", "${", "${}", "x*${aws:username}?", "${none}${aws:username}", "${none, 'd'}", "${none,'d'}", "$${aws:username}", "${none, '}'}", "${a b}", "${a'b}", "${${aws:username}}", "${none, ''}", "${aws:username:x}", "${none, 'a*'}", "}${aws:username}"} {
		f.Add(s, "u*", "au*b", uint8(0))
		f.Add(s, "u", "d", uint8(1))
		f.Add(s, "", "*?$", uint8(3))
	}
	f.Fuzz(func(t *testing.T, text, variable, value string, state uint8) {
		if !valid(text, variable, value) || tooManyWays(text) || len(variable)+len(value) > 60 {
			return
		}
		list, err := json.Marshal([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		resource, _ := json.Marshal("arn:aws:s3:::b/" + text)
		for _, d := range []doc{
			{allow("S", "*", "*", fmt.Sprintf(`"Condition": {"StringLike": {"svc:key": %s}}`, list))},
			{allow("S", "*", "*", fmt.Sprintf(`"Condition": {"StringNotEquals": {"svc:key": %s}}`, list))},
			{allow("S", "*", string(resource))},
			{stmt("S", "Allow", `"Action": "*"`, `"NotResource": `+string(resource))},
		} {
			req, p := getting(world{id: d, resource: "arn:aws:s3:::b/" + value}).ptr().build(t)
			req.Context.Set("svc:key", value)
			v := []ContextValue{present(variable), absent, unknownKey, presentUnknown, present(variable, variable)}[int(state)%5]
			v.Name = "aws:username"
			req.Context.Put(v)
			got, want := inTime(t, req, p), refEvaluate(req, p)
			if got != want && (want != Indeterminate || v.State == Present || v.State == Absent) {
				t.Errorf("the reference says %v, Evaluate %v\n%s", want, got, describe(req, p))
			}
		}
	})
}

// FuzzReferenceResource: a Resource pattern against an ARN, where short patterns are expanded and
// where they aren't (R8), and against all that a pattern stands for (R14).
func FuzzReferenceResource(f *testing.F) {
	for i, s := range richResources {
		if !strings.HasPrefix(s, "[") {
			f.Add(s, richCalls[i%len(richCalls)].resource, i%5 == 0)
			f.Add(s, "arn:aws:s3:::b/*", true)
		}
	}
	f.Add(strings.Repeat("*a", 500), "arn:aws:s3:::b/"+strings.Repeat("a", 2000), false)
	f.Add("arn:"+strings.Repeat("*a", 500)+":*", "arn:aws:s3:::b/"+strings.Repeat("*a", 500), true)
	f.Fuzz(func(t *testing.T, pattern, arn string, set bool) {
		if !valid(pattern, arn) || arn == "" || len(pattern)+len(arn) > 4096 {
			return
		}
		text, err := json.Marshal(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []world{
			{id: doc{allow("S", "*", string(text))}},
			{rb: doc{grant("S", "*", "*", string(text))}},
			{rb: doc{stmt("S", "Allow", `"Principal": "*"`, `"Action": "*"`, `"NotResource": `+string(text))}},
		} {
			w.resource = arn
			req, p := getting(w).ptr().build(t)
			req.Resource.ARN, req.Resource.Pattern = arn, set
			req.Context.Set("aws:username", "u")
			got := inTime(t, req, p)
			if tooManyWays(pattern) || tooManyWays(arn) {
				continue
			}
			// Of a set, Evaluate may say that it doesn't know.
			if want := refEvaluate(req, p); got != want && !(set && got == Indeterminate) {
				t.Errorf("the reference says %v, Evaluate %v\n%s", want, got, describe(req, p))
			}
		}
	})
}

// FuzzReferenceAction: an Action pattern against an action (A2, A3).
func FuzzReferenceAction(f *testing.F) {
	for i, s := range richActions {
		if !strings.HasPrefix(s, "[") {
			f.Add(s, richCalls[i%len(richCalls)].action)
		}
	}
	f.Add("s3:"+strings.Repeat("*a", 500), "s3:"+strings.Repeat("a", 2000))
	f.Fuzz(func(t *testing.T, pattern, action string) {
		ascii := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }
		if !ascii(pattern+action) || len(pattern)+len(action) > 4096 || strings.Count(action, ":") != 1 {
			return
		}
		text, err := json.Marshal(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, element := range []string{"Action", "NotAction"} {
			req, p := getting(world{action: action, id: doc{stmt("S", "Allow", fmt.Sprintf("%q: %s", element, text), `"Resource": "*"`)}}).ptr().build(t)
			got := inTime(t, req, p)
			if tooManyWays(pattern) || tooManyWays(action) {
				continue
			}
			if want := refEvaluate(req, p); got != want {
				t.Errorf("the reference says %v, Evaluate %v\n%s", want, got, describe(req, p))
			}
		}
	})
}
