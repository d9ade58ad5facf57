package evaluator

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A slowToken is a character of a pattern, or a wildcard that may or may not match a colon.
type slowToken struct {
	r        rune
	run, one bool
	segment  bool
}

// slowPattern reads a pattern in which * and ? are wildcards everywhere.
func slowPattern(pattern string) (out []slowToken) {
	for _, r := range pattern {
		out = append(out, slowToken{r: r, run: r == '*', one: r == '?'})
	}
	return out
}

// slowResource reads a Resource pattern by the letter of R4 to R6.
func slowResource(pattern string) (out []slowToken, segments int, runOn bool) {
	segments = 1
	all := []rune(pattern)
	for i, r := range all {
		t := slowToken{r: r, run: r == '*', one: r == '?'}
		if segments < 6 {
			t.segment = true
			if r == '*' && (i+1 == len(all) || all[i+1] == ':') {
				t.segment, runOn = false, true
			}
			if r == ':' {
				segments++
			}
		}
		out = append(out, t)
	}
	return out, segments, runOn
}

// slowMatch is the obvious matcher: try everything.
func slowMatch(p []slowToken, s []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	fits := len(s) > 0 && !(p[0].segment && s[0] == ':')
	switch {
	case p[0].run:
		return slowMatch(p[1:], s) || fits && slowMatch(p, s[1:])
	case p[0].one:
		return fits && slowMatch(p[1:], s[1:])
	}
	return len(s) > 0 && s[0] == p[0].r && slowMatch(p[1:], s[1:])
}

// tooHard keeps the obvious matcher out of what it can't do in time.
func tooHard(texts ...string) bool {
	for _, s := range texts {
		if len(s) > 40 || strings.Count(s, "*") > 5 || !utf8.ValidString(s) {
			return true
		}
	}
	return false
}

func valid(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return !utf8.ValidString(s) })
}

func FuzzGlob(f *testing.F) {
	for _, p := range [][2]string{{"a*b?c", "axxbyc"}, {"*??", "a€"}, {"**", ""}, {"?", "\u00e9"}, {"ec2:*tag?", "ec2:createtags"}, {"a*a*a", "aa"}} {
		f.Add(p[0], p[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if tooHard(pattern, s) {
			return
		}
		want := slowMatch(slowPattern(pattern), []rune(s))
		if got := newGlob(pattern).match(s); got != want {
			t.Errorf("newGlob(%q).match(%q) = %v, want %v", pattern, s, got, want)
		}
		if strings.ContainsFunc(pattern+s, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return
		}
		folded := slowMatch(slowPattern(strings.ToLower(pattern)), []rune(strings.ToLower(s)))
		if got := newGlob(strings.ToLower(pattern)).matchFold(s); got != folded {
			t.Errorf("newGlob(%q).matchFold(%q) = %v, want %v", strings.ToLower(pattern), s, got, folded)
		}
		if got := literalGlob(pattern).match(s); got != (pattern == s) {
			t.Errorf("literalGlob(%q).match(%q) = %v", pattern, s, got)
		}
	})
}

func FuzzResourceGlob(f *testing.F) {
	for _, p := range [][2]string{
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/k"}, {"arn:aws:dynamodb:*:table/p*", "arn:aws:dynamodb:us-east-1:1:table/px"},
		{"arn:a*s:s3:::b", "arn:a:s:s3:::b"}, {"arn:aws:s?:::b", "arn:aws:s3:::b"}, {"a:b", "a:b:c:d:e:f"}, {"*", "*"},
		{"a*b:??:x", "a€b:€€:x"}, {"a*??b:c:d:e:f:g", "a€b:c:d:e:f:g"}, {"a?*:::::", "a€:::::"},
	} {
		f.Add(p[0], p[1])
	}
	f.Fuzz(func(t *testing.T, pattern, arn string) {
		if tooHard(pattern, arn) || arn == "" {
			return
		}
		g, err := newResourceGlob(pattern, false)
		if err != nil {
			t.Fatalf("newResourceGlob(%q): %v", pattern, err)
		}
		tokens, segments, runOn := slowResource(pattern)
		short := segments < 6 && !runOn
		for _, expand := range []bool{false, true} {
			p := tokens
			if short && expand {
				for range 6 - segments {
					p = append(p, slowToken{r: ':'}, slowToken{run: true})
				}
			}
			want := known(slowMatch(p, []rune(arn)) && (expand || !short))
			if got := g.match(about(Resource{ARN: arn}), expand); got != want {
				t.Errorf("%q matches %q (short ARNs expanded: %v): %v, want %v", pattern, arn, expand, got, want)
			}
		}
	})
}

// FuzzMatchPattern: what is said of all strings of a pattern holds of each of them.
func FuzzMatchPattern(f *testing.F) {
	f.Add("a*", "a?b*", "x", "y")
	f.Add("arn:aws:*:table/p*", "arn:aws:*", "d:u:1:table/px", "z")
	f.Add("?", "€", "", "é")
	f.Add("a?", "a*", "€", "b")
	f.Add("arn:aws:ec2:us-*:1:i/*", "arn:aws:ec2:us-e*:1:i/*", "ast:1", ":")
	f.Fuzz(func(t *testing.T, pattern, of, run, one string) {
		if !valid(pattern, of, run, one) || utf8.RuneCountInString(one) != 1 || len(pattern)+len(of)+len(run) > 500 {
			return
		}
		sample := strings.NewReplacer("*", run, "?", one).Replace(of)
		resource, _ := newResourceGlob(pattern, false)
		for _, g := range []glob{newGlob(pattern), resource.whole, literalGlob(pattern)} {
			said := g.matchPattern(newGlob(of))
			if m := known(g.match(sample)); said != Unknown && said != m {
				t.Errorf("%q for all of %q: %v; but for %q: %v", g, of, said, sample, m)
			}
		}
	})
}

// rat reads a decimal the slow way; nil if the exponent makes that unwise.
func rat(s string) *big.Rat {
	if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 5 {
		return nil
	}
	r, _ := new(big.Rat).SetString(s)
	return r
}

func FuzzParseDecimal(f *testing.F) {
	for _, p := range [][2]string{{"10", "10.0"}, {"-0", "0"}, {"1e3", "999.999"}, {".5", "+0.50"}, {"1e-3", "0.002"}, {"5.", "x"}, {"0x10", "1_0"}} {
		f.Add(p[0], p[1])
	}
	form := regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]{1,6})?$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okA := parseDecimal(a)
		y, okB := parseDecimal(b)
		if len(a) <= 1024 && okA != form.MatchString(a) {
			t.Errorf("parseDecimal(%q): %v", a, okA)
		}
		if !okA || !okB {
			return
		}
		if p, q := rat(a), rat(b); p != nil && q != nil && x.compare(y) != p.Cmp(q) {
			t.Errorf("%s and %s: compare says %d, exact arithmetic %d", a, b, x.compare(y), p.Cmp(q))
		}
		if x.compare(y) != -y.compare(x) || x.compare(x) != 0 {
			t.Errorf("%s and %s: the order isn't one", a, b)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-01-01T00:00:00Z", "2026-01", "2024", "2026-01-01T02:00:00.5+02:00", "2026-01-01T00:00", "x", "-1", "999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseDate(s)
		if !ok {
			return
		}
		if got.Location() != time.UTC {
			t.Errorf("parseDate(%q) isn't in UTC", s)
		}
		if digits(s) != !strings.Contains(s, "-") {
			t.Errorf("parseDate(%q): a date has a -, and seconds have none (C15)", s)
		}
		if got.Year() < 0 || got.Year() > 9999 {
			return // beyond what can be written
		}
		if again, ok := parseDate(got.Format(time.RFC3339Nano)); !ok || !again.Equal(got) {
			t.Errorf("parseDate(%q) = %v, written and read again: %v, %v", s, got, again, ok)
		}
	})
}

// FuzzParseTemplate: putting values in gives the text with them put in.
func FuzzParseTemplate(f *testing.F) {
	for _, s := range []string{"a${k}b", "${k, 'd'}", "${*}${?}${$}", "${", "${}", "x*${k}?", "${k}${K}", "${k,'d'}", "$${k}", "${k, '}'}", "${other, 'd'}"} {
		f.Add(s, "v*")
	}
	variable := regexp.MustCompile(`(?s)\$\{([^}]*)\}`)
	f.Fuzz(func(t *testing.T, text, v string) {
		if !valid(text, v) {
			return
		}
		tpl, err := parseTemplate(text, false)
		if err != nil {
			return
		}
		ctx := contextWith("k", present(v))
		null := false
		want := variable.ReplaceAllStringFunc(text, func(s string) string {
			name, fallback, hasDefault := strings.Cut(s[2:len(s)-1], ",")
			switch {
			case name == "*" || name == "?" || name == "$":
				return name
			case strings.EqualFold(name, "k") && strings.ToLower(name) == "k":
				return v
			case hasDefault:
				return strings.Trim(strings.TrimPrefix(fallback, " "), "'")
			}
			null = true
			return ""
		})
		b, m := tpl.appendTo(nil, asking(ctx))
		g := glob(b)
		if (m == NoMatch) != null || m == Unknown {
			t.Fatalf("%q: %v, want null: %v", text, m, null)
		}
		if !null && (g.wild() || string(g) != want) {
			t.Errorf("%q with k = %q: %q, want %q", text, v, g, want)
		}
		for _, p := range tpl {
			if p.isVariable && p.key.Value() == "k" {
				if _, m := tpl.appendTo(nil, asking(contextWith("k", unknownKey))); m == Matched {
					t.Errorf("%q with k unknown: known", text)
				}
			}
		}
	})
}

// FuzzCondition holds every operator to what is true of all: negation (C9),
// IfExists (C5), and that what is said of an unknown key holds of each value and of none (U8).
func FuzzCondition(f *testing.F) {
	names := make([]string, 0, len(operators))
	for name := range operators {
		if name != "null" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, v := range []string{"a", "10", "true", "10.0.0.0/8", "arn:aws:s3:::b", "*", "2026-01-01", "", "ten", "${k}"} {
		f.Add(uint8(i*3), v, "x", v)
		f.Add(uint8(i), "*", v, v)
	}
	f.Fuzz(func(t *testing.T, op uint8, want1, want2, got string) {
		if !valid(want1, want2, got) || strings.Contains(want1+want2, "${") {
			return
		}
		name := names[int(op)%len(names)]
		list, _ := json.Marshal([]string{want1, want2})
		match := func(operator string, v ContextValue) Match {
			m := conditionOf(t, operator, "k", string(list)).match(asking(contextWith("k", v)))
			return m
		}
		m := match(name, present(got))
		if other := match(name+"IfExists", present(got)); other != m {
			t.Errorf("%sIfExists %s, key %q: %v, without IfExists %v", name, list, got, other, m)
		}
		if negative := strings.Replace(strings.Replace(name, "equals", "notequals", 1), "like", "notlike", 1); negative != name && operators[negative] != nil {
			n := match(negative, present(got))
			if n != not(m) && n != Unknown && operators[name].kind != kindARN {
				t.Errorf("%s %s, key %q: %v, and %s: %v", name, list, got, m, negative, n)
			}
		}
		for _, operator := range []string{name, name + "IfExists", "ForAllValues:" + name, "ForAnyValue:" + name, "ForAnyValue:" + name + "IfExists"} {
			for _, open := range []ContextValue{unknownKey, presentUnknown} {
				said := match(operator, open)
				if one := match(operator, present(got)); said != Unknown && one != said {
					t.Errorf("%s %s, key in state %v: %v; but with %q: %v", operator, list, open.State, said, got, one)
				}
				if none := match(operator, absent); open.State == UnknownKey && said != Unknown && none != said {
					t.Errorf("%s %s, unknown key: %v; but absent: %v", operator, list, said, none)
				}
			}
			if strings.HasPrefix(operator, "For") {
				if said, two := match(operator, partial(got)), match(operator, present(got, want1)); said != Unknown && said != two {
					t.Errorf("%s %s, key has %q and perhaps more: %v; but with %q: %v", operator, list, got, said, want1, two)
				}
			}
		}
	})
}
