package evaluator

import (
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// TestVariablesInConditions: the key k is compared with a value that holds a
// variable on aws:PrincipalTag/t.
func TestVariablesInConditions(t *testing.T) {
	for _, c := range []struct {
		rule, operator, values string
		k, tag                 ContextValue
		want                   Match
	}{
		{"V5: the value", "StringEquals", `"${aws:PrincipalTag/t}"`, present("x"), present("x"), Matched},
		{"V5: another value", "StringEquals", `"${aws:PrincipalTag/t}"`, present("x"), present("y"), NoMatch},
		{"V3: names without case", "StringEquals", `"a-${AWS:principaltag/T}-b"`, present("a-x-b"), present("x"), Matched},
		{"V5: * of a value is literal", "StringLike", `"${aws:PrincipalTag/t}"`, present("x"), present("*"), NoMatch},
		{"V5: * of a value equals *", "StringLike", `"${aws:PrincipalTag/t}"`, present("*"), present("*"), Matched},
		{"V5: * of the policy isn't", "StringLike", `"${aws:PrincipalTag/t}*"`, present("xyz"), present("x"), Matched},
		{"V3: ${*} is literal", "StringLike", `"a${*}"`, present("ab"), absent, NoMatch},
		{"V3: ${*} is *", "StringLike", `"a${*}"`, present("a*"), absent, Matched},
		{"V3: ${?} is ?", "StringLike", `"a${?}"`, present("a?"), absent, Matched},
		{"V3: ${$} is $", "StringEquals", `"a${$}b"`, present("a$b"), absent, Matched},
		{"V3: no second scan", "StringEquals", `"${aws:PrincipalTag/t}"`, present("x"), present("${aws:PrincipalTag/t}"), NoMatch},
		{"V6: absent", "StringEquals", `"${aws:PrincipalTag/t}"`, present("x"), absent, NoMatch},
		{"V6: absent, another value matches", "StringEquals", `["${aws:PrincipalTag/t}", "x"]`, present("x"), absent, Matched},
		{"V6: absent, negated", "StringNotEquals", `"${aws:PrincipalTag/t}"`, present("x"), absent, Matched},
		{"V6: default", "StringEquals", `"${aws:PrincipalTag/t, 'x'}"`, present("x"), absent, Matched},
		{"V6: no default where there is a value", "StringEquals", `"${aws:PrincipalTag/t, 'x'}"`, present("x"), present("y"), NoMatch},
		{"V7: an empty value", "StringEquals", `"a${aws:PrincipalTag/t}"`, present("a"), present(""), Matched},
		{"V8: several values are null", "StringNotEquals", `"${aws:PrincipalTag/t}"`, present("a"), present("a", "b"), Matched},
		{"V9: unknown", "StringEquals", `"${aws:PrincipalTag/t}"`, present("x"), unknownKey, Unknown},
		{"V9: unknown, negated", "StringNotEquals", `"${aws:PrincipalTag/t}"`, present("x"), presentUnknown, Unknown},
		{"V9: unknown, but it can't be", "StringEquals", `"a-${aws:PrincipalTag/t}"`, present("x"), unknownKey, NoMatch},
		{"U9: unknown, another value matches", "StringNotEquals", `["${aws:PrincipalTag/t}", "x"]`, present("x"), unknownKey, NoMatch},
		{"V9: unknown, without case", "StringEqualsIgnoreCase", `"A-${aws:PrincipalTag/t}"`, present("a-x"), unknownKey, Unknown},
		{"V2: in Bool", "Bool", `"${aws:PrincipalTag/t}"`, present("true"), present("True"), Matched},
		{"V9: unknown, in Bool", "Bool", `"${aws:PrincipalTag/t}"`, present("true"), unknownKey, Unknown},
		{"V9: unknown, in Bool, key unknown", "Bool", `"${aws:PrincipalTag/t}"`, presentUnknown, unknownKey, Unknown},
		{"V2: not in Numeric", "NumericEquals", `"${aws:PrincipalTag/t}"`, present("1"), present("1"), NoMatch},
		{"V2: not in IpAddress", "IpAddress", `"${aws:PrincipalTag/t}"`, present("1.1.1.1"), present("1.1.1.1"), NoMatch},
		{"V10: in an ARN", "ArnLike", `"arn:aws:iam::${aws:PrincipalTag/t}:role/x"`, present("arn:aws:iam::1:role/x"), present("1"), Matched},
		{"V10: colons of a value make no segments", "ArnLike", `"arn:aws:iam::${aws:PrincipalTag/t}"`, present("arn:aws:iam::1:role/x"), present("1:role/x"), NoMatch},
		{"V5: * of a value in an ARN", "ArnLike", `"arn:aws:iam::1:role/${aws:PrincipalTag/t}"`, present("arn:aws:iam::1:role/x"), present("*"), NoMatch},
		{"V9: unknown, in an ARN", "ArnEquals", `"arn:aws:iam::${aws:PrincipalTag/t}:role/x"`, present("arn:aws:iam::1:role/x"), unknownKey, Unknown},
		{"V9: unknown, in an ARN, but it can't be", "ArnEquals", `"arn:aws:iam::${aws:PrincipalTag/t}:role/y"`, present("arn:aws:iam::1:role/x"), unknownKey, NoMatch},
	} {
		t.Run(c.rule+" "+c.operator, func(t *testing.T) {
			ctx := contextWith("k", c.k)
			tag := c.tag
			tag.Name = "aws:PrincipalTag/t"
			ctx.Put(tag)
			if got := conditionOf(t, c.operator, "k", c.values).match(asking(ctx)); got != c.want {
				t.Errorf("%s k %s: %v, want %v", c.operator, c.values, got, c.want)
			}
		})
	}
}

// TestMultivaluedVariable: a list isn't a variable even when it has one value (V8).
func TestMultivaluedVariable(t *testing.T) {
	ctx := contextWith("aws:TagKeys", present("a"))
	ctx.Set("k", "a")
	if got := conditionOf(t, "StringEquals", "k", `"${aws:TagKeys}"`).match(asking(ctx)); got != NoMatch {
		t.Errorf("${aws:TagKeys}: %v, want no", got)
	}
	if got := conditionOf(t, "StringEquals", "k", `"${aws:TagKeys, 'a'}"`).match(asking(ctx)); got != Matched {
		t.Errorf("${aws:TagKeys, 'a'}: %v, want yes", got)
	}
}

// TestNoVariablesIn2008 serves G11: in version 2008-10-17, and without Version, ${…} is text.
func TestNoVariablesIn2008(t *testing.T) {
	for _, version := range []string{"", `"Version": "2008-10-17", `} {
		d, err := policy.Parse("p", []byte(`{`+version+`"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${*}",
			"Condition": {"StringEquals": {"k": "${aws:username}"}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		c := Compile(d)
		if len(c.Defects()) > 0 {
			t.Fatal(c.Defects())
		}
		ctx := contextWith("k", present("${aws:username}"))
		ctx.Set("aws:username", "u")
		if got := c.statements[0].conditions[0].match(asking(ctx)); got != Matched {
			t.Errorf("version %q: %v, want the text itself to match", version, got)
		}
		if got := c.statements[0].resources[0].match(about(Resource{ARN: "arn:aws:s3:::b/${anything}"}), true); got != Matched {
			t.Errorf("version %q: ${*} in a resource: %v, want * to be a wildcard", version, got)
		}
	}
}

// TestRequestTagFollowsTagKeys: aws:TagKeys lists the tags of a request, so a tag that
// it doesn't list isn't sent (evaluation rules, table 5.4).
func TestRequestTagFollowsTagKeys(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Context)
		want KeyState
	}{
		{"tag keys not known", func(*Context) {}, UnknownKey},
		{"no tags sent", func(c *Context) { c.SetState("aws:TagKeys", Absent) }, Absent},
		{"other tags sent", func(c *Context) { c.Set("aws:TagKeys", "owner") }, Absent},
		{"this tag sent", func(c *Context) { c.Set("aws:TagKeys", "owner", "Team") }, PresentUnknown},
		{"some tag keys known", func(c *Context) {
			c.Put(ContextValue{Name: "aws:TagKeys", State: Partial, Values: []string{"owner"}})
		}, UnknownKey},
		{"its value known", func(c *Context) { c.SetState("aws:TagKeys", Absent); c.Set("aws:RequestTag/team", "x") }, Present},
	} {
		ctx := Context{Open: true}
		c.set(&ctx)
		if got := ctx.Lookup("aws:RequestTag/team").State; got != c.want {
			t.Errorf("%s: got state %d, want %d", c.name, got, c.want)
		}
	}
}
