package evaluator

import (
	"fmt"
	"strings"
	"testing"
)

// conditionOf compiles the one condition of a policy.
func conditionOf(t testing.TB, operator, key, values string) *condition {
	t.Helper()
	c := compileText(t, doc{allow("S", "*", "*", fmt.Sprintf(`"Condition": {%q: {%q: %s}}`, operator, key, values))}.text())
	s := &c.statements[0]
	if s.uninterpretable || len(s.conditions) != 1 {
		t.Fatalf("%s %s %s: %v", operator, key, values, c.Defects())
	}
	return &s.conditions[0]
}

// The states of a key, as the tables write them.
var (
	absent         = ContextValue{State: Absent}
	unknownKey     = ContextValue{State: UnknownKey}
	presentUnknown = ContextValue{State: PresentUnknown}
)

func present(values ...string) ContextValue { return ContextValue{State: Present, Values: values} }
func partial(values ...string) ContextValue { return ContextValue{State: Partial, Values: values} }
func pattern(v string) ContextValue {
	return ContextValue{State: Present, Values: []string{v}, Pattern: true}
}

func contextWith(key string, v ContextValue) *Context {
	var ctx Context
	v.Name = key
	ctx.Put(v)
	return &ctx
}

func TestConditionOperators(t *testing.T) {
	const arnX = "arn:aws:sns:us-east-1:111111111111:x"
	for _, c := range []struct {
		rule, operator, values string
		key                    ContextValue
		want                   Match
	}{
		// C4, C5, C9: absent keys.
		{"C4: positive, absent", "StringEquals", `"a"`, absent, NoMatch},
		{"C4: negated, absent", "StringNotEquals", `"a"`, absent, Matched},
		{"C4: negated numeric, absent", "NumericNotEquals", `1`, absent, Matched},
		{"C4: negated date, absent", "DateNotEquals", `"2026-01-01"`, absent, Matched},
		{"C4: negated address, absent", "NotIpAddress", `"10.0.0.0/8"`, absent, Matched},
		{"C4: negated ARN, absent", "ArnNotLike", `"` + arnX + `"`, absent, Matched},
		{"C4: Bool false, absent", "Bool", `"false"`, absent, NoMatch},
		{"C5: IfExists, absent", "StringEqualsIfExists", `"a"`, absent, Matched},
		{"C5: IfExists, negated, absent", "StringNotEqualsIfExists", `"a"`, absent, Matched},
		{"C5: IfExists, present", "StringEqualsIfExists", `"a"`, present("b"), NoMatch},
		{"C5: IfExists, negated, present", "StringNotEqualsIfExists", `"a"`, present("a"), NoMatch},
		// C1: lists.
		{"C1: any of several", "StringEquals", `["a", "b"]`, present("b"), Matched},
		{"C1: negated, none of several", "StringNotEquals", `["a", "b"]`, present("b"), NoMatch},
		{"C9: negated, none", "StringNotEquals", `["a", "b"]`, present("c"), Matched},
		// C6, C7: Null.
		{"C6: Null true, absent", "Null", `"true"`, absent, Matched},
		{"C6: Null true, present", "Null", `"true"`, present("x"), NoMatch},
		{"C6: Null false, absent", "Null", `"false"`, absent, NoMatch},
		{"C6: Null false, present", "Null", `"False"`, present("x"), Matched},
		{"C6: Null, a list ORs", "Null", `["true", "false"]`, absent, Matched},
		{"C7: an empty value is null", "Null", `true`, present(""), Matched},
		{"C7: no values are null", "Null", `true`, present(), Matched},
		{"C7: an empty value among others isn't", "Null", `true`, present("", "x"), NoMatch},
		{"C7: an empty string is a value for strings", "StringEquals", `""`, present(""), Matched},
		{"U8: Null, unknown", "Null", `"true"`, unknownKey, Unknown},
		{"U8: Null, present with unknown value", "Null", `"true"`, presentUnknown, NoMatch},
		{"U8: Null, partial", "Null", `"true"`, partial("a"), NoMatch},
		{"U8: Null, partial without a value", "Null", `"true"`, partial(), Unknown},
		{"C26: ForAllValues:Null", "ForAllValues:Null", `"true"`, present("x"), Matched},
		{"C26: ForAnyValue:Null", "ForAnyValue:Null", `"true"`, absent, NoMatch},
		// C8: names without case.
		{"C8", "stringEQUALSifexists", `"a"`, absent, Matched},
		{"C8: set prefix", "FORANYVALUE:stringequals", `"a"`, present("a"), Matched},
		// C10 to C12: strings.
		{"C10: case", "StringEquals", `"A"`, present("a"), NoMatch},
		{"C10: * is literal", "StringEquals", `"a*"`, present("ab"), NoMatch},
		{"C10: * equals *", "StringEquals", `"a*"`, present("a*"), Matched},
		{"C11: without case", "StringEqualsIgnoreCase", `"ÄB"`, present("äb"), Matched},
		{"C11: no folding", "StringEqualsIgnoreCase", `"ss"`, present("ß"), NoMatch},
		{"C11: composed isn't decomposed", "StringEqualsIgnoreCase", "\"\u00e9\"", present("e\u0301"), NoMatch},
		{"C11: negated", "StringNotEqualsIgnoreCase", `"AB"`, present("ab"), NoMatch},
		{"C11: * is literal", "StringEqualsIgnoreCase", `"a*"`, present("ab"), NoMatch},
		{"C12: * is any run", "StringLike", `"a*c"`, present("abbc"), Matched},
		{"C12: * is also none", "StringLike", `"a*"`, present("a"), Matched},
		{"C12: ? is one code point", "StringLike", `"a?c"`, present("a€c"), Matched},
		{"C12: ? isn't none", "StringLike", `"a?"`, present("a"), NoMatch},
		{"C12: ? isn't two", "StringLike", `"a??"`, present("a€"), NoMatch},
		{"C12: the whole value", "StringLike", `"b"`, present("abc"), NoMatch},
		{"C12: case", "StringLike", `"A*"`, present("ab"), NoMatch},
		{"C12: negated", "StringNotLike", `"a*"`, present("ab"), NoMatch},
		// C13, C14: numbers.
		{"C13: 10 is 10.0", "NumericEquals", `"10.0"`, present("10"), Matched},
		{"C13: a number of JSON", "NumericEquals", `10`, present("10.00"), Matched},
		{"C13: exact", "NumericEquals", `"0.1000000000000000000001"`, present("0.1"), NoMatch},
		{"C13: beyond 64 bits", "NumericLessThan", `"18446744073709551617"`, present("18446744073709551616"), Matched},
		{"C13: exponent", "NumericEquals", `"1e3"`, present("1000"), Matched},
		{"C13: negative", "NumericLessThan", `"-1"`, present("-2"), Matched},
		{"C13: plus sign", "NumericEquals", `"+5"`, present("5"), Matched},
		{"C13: -0 is 0", "NumericEquals", `"0"`, present("-0.0"), Matched},
		{"C14: less, not equal", "NumericLessThan", `10`, present("10"), NoMatch},
		{"C14: less or equal", "NumericLessThanEquals", `10`, present("10"), Matched},
		{"C14: greater", "NumericGreaterThan", `9`, present("10"), Matched},
		{"C14: greater, not equal", "NumericGreaterThan", `10`, present("10"), NoMatch},
		{"C14: greater or equal", "NumericGreaterThanEquals", `10`, present("10.0"), Matched},
		{"C14: list ORs", "NumericGreaterThan", `[100, 9]`, present("10"), Matched},
		{"C9: NumericNotEquals", "NumericNotEquals", `10`, present("10.0"), NoMatch},
		// C15: dates.
		{"C15: instants", "DateEquals", `"2026-01-01T02:00:00+02:00"`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: without seconds", "DateEquals", `"2026-01-01T00:00Z"`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: a fraction", "DateLessThan", `"2026-01-01T00:00:00.5Z"`, present("2026-01-01T00:00:00.25Z"), Matched},
		{"C15: a day is its start", "DateEquals", `"2026-01-01"`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: a month is its start", "DateEquals", `"2026-01"`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: no zone is UTC", "DateEquals", `"2026-01-01T00:00:00"`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: epoch seconds", "DateEquals", `1767225600`, present("2026-01-01T00:00:00Z"), Matched},
		{"C15: digits are seconds, also 2024", "DateGreaterThan", `"2024"`, present("1970-01-02"), Matched},
		{"C15: less or equal", "DateLessThanEquals", `"2026-01-01"`, present("2026-01-01"), Matched},
		{"C15: less", "DateLessThan", `"2026-01-01"`, present("2026-01-01"), NoMatch},
		{"C15: greater or equal", "DateGreaterThanEquals", `"2026-01-02"`, present("2026-01-01"), NoMatch},
		{"C9: DateNotEquals", "DateNotEquals", `"2026-01-01"`, present("2026-01-01T00:00:00Z"), NoMatch},
		// C16, C17.
		{"C16: without case", "Bool", `"TRUE"`, present("true"), Matched},
		{"C16: of JSON", "Bool", `false`, present("false"), Matched},
		{"C16: both", "Bool", `["true", "false"]`, present("false"), Matched},
		{"C16: not equal", "Bool", `"true"`, present("false"), NoMatch},
		{"C17: bytes", "BinaryEquals", `"QmluYXJ5"`, present("QmluYXJ5"), Matched},
		{"C17: other bytes", "BinaryEquals", `"QmluYXJ5"`, present("QmluYXJ6"), NoMatch},
		// C18: addresses.
		{"C18: in range", "IpAddress", `"10.0.0.0/8"`, present("10.1.2.3"), Matched},
		{"C18: not in range", "IpAddress", `"10.0.0.0/8"`, present("11.1.2.3"), NoMatch},
		{"C18: one address", "IpAddress", `"10.0.0.1"`, present("10.0.0.2"), NoMatch},
		{"C18: host bits", "IpAddress", `"10.9.9.9/8"`, present("10.1.2.3"), Matched},
		{"C18: IPv6", "IpAddress", `"2001:DB8::/32"`, present("2001:db8:0:0:1::"), Matched},
		{"C18: another family", "IpAddress", `"::/0"`, present("10.0.0.1"), NoMatch},
		{"C18: negated, another family", "NotIpAddress", `"0.0.0.0/0"`, present("2001:db8::1"), Matched},
		{"C18: IPv4 in IPv6", "IpAddress", `"10.0.0.0/8"`, present("::ffff:10.0.0.1"), Unknown},
		{"C18: negated", "NotIpAddress", `"10.0.0.0/8"`, present("10.0.0.1"), NoMatch},
		// C19, C21: ARNs.
		{"C19: equal", "ArnEquals", `"` + arnX + `"`, present(arnX), Matched},
		{"C19: ArnEquals has wildcards", "ArnEquals", `"arn:aws:sns:*:*:?"`, present(arnX), Matched},
		{"C19: case", "ArnLike", `"arn:aws:sns:*:*:X"`, present(arnX), NoMatch},
		{"C19: * doesn't span segments", "ArnLike", `"arn:aws:sns:*:x"`, present(arnX), NoMatch},
		{"C19: no run-on", "ArnLike", `"arn:aws:x:*:111:f/*"`, present("arn:aws:x:us-east-2:999:store/abc:111:f/d"), NoMatch},
		{"C19: the sixth holds colons", "ArnLike", `"arn:aws:logs:*:*:log-group:*"`, present("arn:aws:logs:us-east-1:1:log-group:a:b"), Matched},
		{"C19: negated", "ArnNotLike", `"arn:aws:sns:*:*:x"`, present(arnX), NoMatch},
		{"C19: negated equals", "ArnNotEquals", `"arn:aws:sns:*:*:y"`, present(arnX), Matched},
		{"C21: StringEquals is exact", "StringEquals", `"arn:aws:sns:*:*:x"`, present(arnX), NoMatch},
		{"C21: StringLike is whole", "StringLike", `"arn:*:x"`, present(arnX), Matched},
		// C22 to C25, G16: sets.
		{"C22: all", "ForAllValues:StringEquals", `["a", "b"]`, present("a", "b"), Matched},
		{"C22: not all", "ForAllValues:StringEquals", `["a", "b"]`, present("a", "c"), NoMatch},
		{"C22: absent", "ForAllValues:StringEquals", `["a"]`, absent, Matched},
		{"C22: empty strings drop out", "ForAllValues:StringEquals", `["a"]`, present("", "a"), Matched},
		{"C22: only empty strings", "ForAllValues:StringEquals", `["a"]`, present(""), Matched},
		{"C22: negated", "ForAllValues:StringNotEquals", `["a"]`, present("b", "a"), NoMatch},
		{"C23: some", "ForAnyValue:StringEquals", `["a", "b"]`, present("c", "b"), Matched},
		{"C23: none", "ForAnyValue:StringEquals", `["a", "b"]`, present("c", "d"), NoMatch},
		{"C23: absent", "ForAnyValue:StringEquals", `["a"]`, absent, NoMatch},
		{"C23: null", "ForAnyValue:StringLike", `["*"]`, present(""), NoMatch},
		{"C23: negated, one outside", "ForAnyValue:StringNotEquals", `["a"]`, present("a", "b"), Matched},
		{"C23: negated, none outside", "ForAnyValue:StringNotEquals", `["a"]`, present("a"), NoMatch},
		{"C23: negated, absent", "ForAnyValue:StringNotEquals", `["a"]`, absent, NoMatch},
		{"C24: one value", "ForAllValues:StringEquals", `"a"`, present("a"), Matched},
		{"C25: absent", "ForAnyValue:StringEqualsIfExists", `"a"`, absent, Matched},
		{"C27: no values are absent", "StringNotEquals", `"a"`, present(), Matched},
		{"C27: several values", "StringEquals", `"a"`, present("a", "b"), Unknown},
		{"C27: several values, negated", "StringNotEquals", `"a"`, present("b", "c"), Unknown},
		{"G16: positive", "StringEquals", `[]`, present("a"), NoMatch},
		{"G16: negated", "StringNotEquals", `[]`, present("a"), Matched},
		{"G16: IfExists, absent", "StringEqualsIfExists", `[]`, absent, Matched},
		{"G16: IfExists, present", "StringNotEqualsIfExists", `[]`, present("a"), NoMatch},
		{"G16: ForAllValues, absent", "ForAllValues:StringEquals", `[]`, absent, Matched},
		{"G16: ForAllValues, present", "ForAllValues:StringNotEquals", `[]`, present("a"), NoMatch},
		{"G16: ForAnyValue", "ForAnyValue:StringNotEquals", `[]`, present("a"), NoMatch},
		// C28: values that can't be read.
		{"C28: number of the policy", "NumericEquals", `"ten"`, present("10"), NoMatch},
		{"C28: number of the policy, negated", "NumericNotEquals", `"ten"`, present("10"), Unknown},
		{"C28: number of the request", "NumericLessThan", `"10"`, present("ten"), NoMatch},
		{"C28: number of the request, negated", "NumericNotEquals", `"10"`, present("ten"), Unknown},
		{"C28: a good one beside", "NumericNotEquals", `["ten", "10"]`, present("10"), NoMatch},
		{"C28: date", "DateLessThan", `"soon"`, present("2026-01-01"), NoMatch},
		{"C28: date, negated", "DateNotEquals", `"soon"`, present("2026-01-01"), Unknown},
		{"C28: Bool", "Bool", `"yes"`, present("true"), NoMatch},
		{"C28: Bool of the request", "Bool", `"false"`, present("no"), NoMatch},
		{"C28: address", "IpAddress", `"10.0.0.0/33"`, present("10.0.0.1"), NoMatch},
		{"C28: address, negated", "NotIpAddress", `"10.0.0.0/33"`, present("10.0.0.1"), Unknown},
		{"C28: address of the request, negated", "NotIpAddress", `"10.0.0.0/8"`, present("vpc"), Unknown},
		{"C28: ARN of the request", "ArnLike", `"arn:aws:sns:*:*:*"`, present("x"), NoMatch},
		{"C28: ARN of the request, negated", "ArnNotLike", `"arn:aws:sns:*:*:*"`, present("x"), NoMatch},
		{"C28: * isn't an ARN", "ArnLike", `"*"`, present(arnX), Unknown},
		{"C28: base64", "BinaryEquals", `"?"`, present("QmluYXJ5"), NoMatch},
		// U8: what isn't known.
		{"U8: unknown", "StringEquals", `"a"`, unknownKey, Unknown},
		{"U8: unknown, negated", "StringNotEquals", `"a"`, unknownKey, Unknown},
		{"U8: unknown, no value could match", "NumericEquals", `"ten"`, unknownKey, NoMatch},
		{"U8: unknown, IfExists, every value matches", "StringLikeIfExists", `"*"`, unknownKey, Matched},
		{"U8: unknown, IfExists", "StringEqualsIfExists", `"a"`, unknownKey, Unknown},
		{"U8: unknown, *", "StringLike", `"*"`, unknownKey, Unknown},
		{"U8: unknown, ForAllValues", "ForAllValues:StringEquals", `"a"`, unknownKey, Unknown},
		{"U8: unknown, ForAllValues *", "ForAllValues:StringLike", `"*"`, unknownKey, Matched},
		{"U8: unknown, ForAnyValue", "ForAnyValue:StringEquals", `"a"`, unknownKey, Unknown},
		{"U8: unknown, ForAnyValue, none could match", "ForAnyValue:NumericEquals", `"ten"`, unknownKey, NoMatch},
		{"U8: present", "StringEquals", `"a"`, presentUnknown, Unknown},
		{"U8: present, *", "StringLike", `"*"`, presentUnknown, Matched},
		{"U8: present, not *", "StringNotLike", `"*"`, presentUnknown, NoMatch},
		{"U8: present, IfExists", "StringEqualsIfExists", `"a"`, presentUnknown, Unknown},
		{"U8: partial, ForAllValues, one fails", "ForAllValues:StringEquals", `"a"`, partial("b"), NoMatch},
		{"U8: partial, ForAllValues", "ForAllValues:StringEquals", `"a"`, partial("a"), Unknown},
		{"U8: partial, ForAnyValue, one matches", "ForAnyValue:StringEquals", `"a"`, partial("a"), Matched},
		{"U8: partial, ForAnyValue", "ForAnyValue:StringEquals", `"a"`, partial("b"), Unknown},
		// U3: a value of which a part isn't known.
		{"U3: all completions", "StringLike", `"arn:aws:iam::1:role/*"`, pattern("arn:aws:iam::1:role/*r"), Matched},
		{"U3: none", "StringEquals", `"arn:aws:iam::1:role/x"`, pattern("arn:aws:iam::1:role/*r"), NoMatch},
		{"U3: some", "StringEquals", `"arn:aws:iam::1:role/p/r"`, pattern("arn:aws:iam::1:role/*r"), Unknown},
		{"U3: ARN, none", "ArnLike", `"arn:aws:iam::2:role/*"`, pattern("arn:aws:iam::1:role/*r"), NoMatch},
		{"U3: ARN, all", "ArnLike", `"arn:aws:iam::*:role/*"`, pattern("arn:aws:iam::1:role/*r"), Matched},
		{"U3: without case", "StringEqualsIgnoreCase", `"ROLE/X"`, pattern("role/*r"), NoMatch},
	} {
		t.Run(c.rule+" "+c.operator, func(t *testing.T) {
			if got := conditionOf(t, c.operator, "aws:Key", c.values).match(asking(contextWith("aws:key", c.key))); got != c.want {
				t.Errorf("%s aws:Key %s, key %v %q: %v, want %v", c.operator, c.values, c.key.State, c.key.Values, got, c.want)
			}
		})
	}
}

// TestNullOfUserValue: a tag or another service's key that is there may be empty (U8).
func TestNullOfUserValue(t *testing.T) {
	for _, key := range []string{"aws:RequestTag/x", "s3:prefix"} {
		if got := conditionOf(t, "Null", key, `"true"`).match(asking(contextWith(key, presentUnknown))); got != Unknown {
			t.Errorf("Null %s true, present with an unknown value: %v, want unknown", key, got)
		}
	}
}

// TestEveryOperator holds each operator to the rules for absent keys and
// negation (C4, C5, C9), whatever else it does.
func TestEveryOperator(t *testing.T) {
	if len(operators) != 27 {
		t.Errorf("%d operators, want 27", len(operators))
	}
	for name, op := range operators {
		if op.kind == kindNull {
			continue
		}
		if negated := strings.Contains(name, "not"); negated != op.negated {
			t.Errorf("%s: negated is %v (C9)", name, op.negated)
		}
		got := conditionOf(t, name, "k", `"1"`).match(asking(contextWith("k", absent)))
		if want := known(op.negated); got != want {
			t.Errorf("%s, absent: %v, want %v (C4)", name, got, want)
		}
		if got := conditionOf(t, name+"IfExists", "k", `"1"`).match(asking(contextWith("k", absent))); got != Matched {
			t.Errorf("%sIfExists, absent: %v (C5)", name, got)
		}
		if got := conditionOf(t, "ForAllValues:"+name, "k", `"1"`).match(asking(contextWith("k", absent))); got != Matched {
			t.Errorf("ForAllValues:%s, absent: %v (C22)", name, got)
		}
		if got := conditionOf(t, "ForAnyValue:"+name, "k", `"1"`).match(asking(contextWith("k", absent))); got != NoMatch {
			t.Errorf("ForAnyValue:%s, absent: %v (C23)", name, got)
		}
	}
}

// TestUninterpretable: what doesn't exist makes the statement's answer unknown, never no (G21).
func TestUninterpretable(t *testing.T) {
	for _, c := range []struct{ rule, statement string }{
		{"unknown operator", allow("S", "*", "*", when("StringEqual", "k", "v"))},
		{"C5: NullIfExists", allow("S", "*", "*", when("NullIfExists", "k", "true"))},
		{"an unknown set prefix", allow("S", "*", "*", when("ForSomeValues:StringEquals", "k", "v"))},
		{"G9: unknown element", stmt("S", "Allow", `"Action": "*"`, `"Resource": "*"`, `"Conditions": {}`)},
		{"G5: Effect's case", stmt("S", "allow", `"Action": "*"`, `"Resource": "*"`)},
		{"G20: Principal in an identity policy", grant("S", "*", "*", "*")},
		{"table 1.2: no Resource", stmt("S", "Allow", `"Action": "*"`)},
		{"A3: an action without service", allow("S", "GetObject", "*")},
		{"V4: no closing brace", allow("S", "*", "arn:aws:s3:::b/${aws:username")},
		{"V4: an empty variable", allow("S", "*", "arn:aws:s3:::b/${}")},
		{"V4: inner spaces", allow("S", "*", "arn:aws:s3:::b/${ aws:username }")},
		{"V4: a default without quotes", allow("S", "*", "arn:aws:s3:::b/${aws:username, x}")},
		{"V4: a default for ${*}", allow("S", "*", "arn:aws:s3:::b/${*, 'x'}")},
		{"V4: in a condition", allow("S", "*", "*", when("StringEquals", "k", "${aws:username"))},
	} {
		w := getting(world{id: doc{c.statement}})
		req, p := w.build(t)
		if x := Explain(req, p); x.Decision != Indeterminate || hangsOn(x) != "identity S Statement" {
			t.Errorf("%s: %v, hangs on %q, want indeterminate for the statement", c.rule, x.Decision, hangsOn(x))
		}
	}
}
