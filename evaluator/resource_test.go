package evaluator

import (
	"strings"
	"testing"
)

func TestResourcePatterns(t *testing.T) {
	const pe = "arn:aws:dynamodb:us-east-1:111111111111:table/prod-x"
	for _, c := range []struct {
		rule, pattern, arn string
		want               Match
	}{
		{"R1: * is everything", "*", "arn:aws:s3:::b", Matched},
		{"R1: * is also no resource", "*", "*", Matched},
		{"R2: * spans /", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1///test///o", Matched},
		{"R2: * is also none", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/o", Matched},
		{"R2: the / are needed", "arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/o", NoMatch},
		{"R2: ? is one", "arn:aws:s3:::b?", "arn:aws:s3:::b1", Matched},
		{"R2: ? isn't none", "arn:aws:s3:::b?", "arn:aws:s3:::b", NoMatch},
		{"R2: ? is one code point", "arn:aws:s3:::b/?", "arn:aws:s3:::b/€", Matched},
		{"R3: case", "arn:aws:iam::1:user/Bob", "arn:aws:iam::1:user/bob", NoMatch},
		{"R4: * stays in its segment", "arn:aws:dynamodb:us-*1:111111111111:table/*", pe, Matched},
		{"R4: * stays in its segment, no colon", "arn:aws:dynamo*:u*s-east-1:111111111111:table/*", "arn:aws:dynamodb:u:s-east-1:111111111111:table/x", NoMatch},
		{"R4: ? isn't a colon", "arn:aws:sns:us-east-1?1:x:y", "arn:aws:sns:us-east-1:1:x:y", NoMatch},
		{"R5: a last * runs on", "arn:aws:dynamodb:*:table/prod-*", pe, Matched},
		{"R5: at the very end", "arn:aws:s3*", "arn:aws:s3:::b/k", Matched},
		{"R5: a whole service", "arn:aws:dynamodb:*", pe, Matched},
		{"R5: and no further", "arn:aws:dynamodb:*:table/prod-*", "arn:aws:dynamodb:us-east-1:111111111111:table/test-x", NoMatch},
		{"R6: after the fifth colon", "arn:aws:lambda:*:*:function:f*", "arn:aws:lambda:us-east-1:1:function:f:PROD", Matched},
		{"R6: ? is a colon there", "arn:aws:lambda:*:*:function:f?PROD", "arn:aws:lambda:us-east-1:1:function:f:PROD", Matched},
		{"R9: in the resource type", "arn:aws:iam::1:u*", "arn:aws:iam::1:user/x", Matched},
		{"R9: in the partition", "arn:aws*:iam::1:user/x", "arn:aws-cn:iam::1:user/x", Matched},
		{"R10: an ARN isn't no resource", "arn:aws:ec2:*:*:instance/*", "*", NoMatch},
		{"R10: nor are many *", "**", "*", Matched},
		{"R15: bucket and object", "arn:aws:s3:::b/*", "arn:aws:s3:::b", NoMatch},
		{"R17: partition", "arn:aws:s3:::*", "arn:aws-us-gov:s3:::b", NoMatch},
		{"U3: nothing is known of the resource", "arn:aws:s3:::b", "", Unknown},
		{"U3: nothing is known, and * needs nothing", "*", "", Matched},
		{"U3: nothing is known, wildcard", "arn:aws:s3:::b*", "", Unknown},
		{"V2: before the fifth colon ${…} is text", "arn:aws:iam::${aws:PrincipalAccount}:role/x", "arn:aws:iam::111111111111:role/x", NoMatch},
		{"V1: after it a variable", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/u/k", Matched},
		{"R16: without value", "arn:aws:s3:::b/${aws:PrincipalTag/x}/*", "arn:aws:s3:::b/u/k", NoMatch},
		{"V9: unknown", "arn:aws:s3:::b/${aws:PrincipalTag/unknown}/*", "arn:aws:s3:::b/u/k", Unknown},
		{"V9: unknown, but it can't be", "arn:aws:s3:::b/${aws:PrincipalTag/unknown}/*", "arn:aws:s3:::c/u/k", NoMatch},
		{"V3: ${*}", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", NoMatch},
		{"V3: ${*} is *", "arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", Matched},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got := matchResourceText(t, c.pattern, Resource{ARN: c.arn}, true); got != c.want {
				t.Errorf("%s, %q: %v, want %v", c.pattern, c.arn, got, c.want)
			}
		})
	}
}

func matchResourceText(t testing.TB, pattern string, res Resource, expandShort bool) Match {
	t.Helper()
	g, err := newResourceGlob(pattern, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx := contextWith("aws:PrincipalTag/unknown", unknownKey)
	ctx.Set("aws:username", "u")
	ctx.Set("aws:PrincipalAccount", accountA)
	ev := asking(ctx)
	ev.req.Resource = res
	return g.match(ev, expandShort)
}

// TestQuestionsAboutSets serves R14: all, none or some of the resources that a pattern stands for.
func TestQuestionsAboutSets(t *testing.T) {
	for _, c := range []struct {
		pattern, set string
		want         Match
	}{
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/*", Matched},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*", Matched},
		{"arn:aws:s3:::b/x*", "arn:aws:s3:::b/*", Unknown},
		{"arn:aws:s3:::b/k", "arn:aws:s3:::b/*", Unknown},
		{"arn:aws:s3:::c/*", "arn:aws:s3:::b/*", NoMatch},
		{"arn:aws:s3:::b/*.txt", "arn:aws:s3:::b/*.jpg", NoMatch},
		{"arn:aws:s3:::b/?", "arn:aws:s3:::b/*", Unknown},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/?", Matched},
		{"*", "arn:aws:s3:::b/*", Matched},
		{"arn:aws:ec2:*:1:instance/*", "arn:aws:ec2:us-east-1:1:instance/*", Matched},
		{"arn:aws:ec2:us-*:1:instance/*", "arn:aws:ec2:eu-*:1:instance/*", NoMatch},
	} {
		if got := matchResourceText(t, c.pattern, Resource{ARN: c.set, Pattern: true}, true); got != c.want {
			t.Errorf("%s for all of %s: %v, want %v", c.pattern, c.set, got, c.want)
		}
	}
}

// TestShortARNs serves R8 by layer: identity-type policies expand them, the others never match.
func TestShortARNs(t *testing.T) {
	const short = "arn:aws:dynamodb:us-east-1"
	const table = "arn:aws:dynamodb:us-east-1:111111111111:table/t"
	for _, c := range []struct {
		name string
		set  func(*world)
		want Decision
	}{
		{"identity", func(w *world) { w.id = doc{allow("Short", "*", short)} }, Allowed},
		{"boundary", func(w *world) { w.id, w.pb = all, doc{allow("Short", "*", short)} }, Allowed},
		{"session", func(w *world) { w.who, w.id, w.sp = aSession(), all, doc{allow("Short", "*", short)} }, Allowed},
		{"resource", func(w *world) { w.rb = doc{grant("Short", aws(userU), "*", short)} }, ImplicitDeny},
		{"endpoint", func(w *world) { w.id, w.vpce = all, doc{grant("Short", "*", "*", short)} }, ImplicitDeny},
		{"scp", func(w *world) { w.id, w.scp = all, []level{{"r-root", doc{allow("Short", "*", short)}}} }, ImplicitDeny},
	} {
		w := world{who: aUser("u"), action: "dynamodb:GetItem", resource: table, rbType: "table"}
		c.set(&w)
		req, p := w.build(t)
		if got := Evaluate(req, p); got != c.want {
			t.Errorf("R8: short ARN in a policy of layer %s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestNotResource serves R11, R16 and G15.
func TestNotResource(t *testing.T) {
	for _, c := range []struct {
		rule, list, arn string
		want            Decision
	}{
		{"R11: not in it", `["arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]`, "arn:aws:s3:::d/k", Allowed},
		{"R11: in it", `["arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]`, "arn:aws:s3:::c/k", ImplicitDeny},
		{"R11: an action without resource types", `["arn:aws:s3:::b/*"]`, "*", Allowed},
		{"R16: an entry without value drops out", `["arn:aws:s3:::${aws:PrincipalTag/x}/*"]`, "arn:aws:s3:::c/k", Allowed},
		{"G15: nothing is excepted", `[]`, "arn:aws:s3:::c/k", Allowed},
	} {
		req, p := getting(world{resource: c.arn, id: doc{stmt("Not", "Allow", `"Action": "*"`, `"NotResource": `+c.list)}}).ptr().build(t)
		if got := Evaluate(req, p); got != c.want {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
	}
}

func (w world) ptr() *world { return &w }

// TestActions serves A1 to A5 and G15.
func TestActions(t *testing.T) {
	for _, c := range []struct {
		rule, element, action string
		want                  Decision
	}{
		{"A2: prefix and name", `"Action": "IAM:listaccesskeys"`, "iam:ListAccessKeys", Allowed},
		{"A3: inside a name", `"Action": "ec2:*Tag?"`, "ec2:CreateTags", Allowed},
		{"A3: ? isn't none", `"Action": "ec2:*Tag?"`, "ec2:CreateTag", ImplicitDeny},
		{"A3: *:*", `"Action": "*:*"`, "s3:GetObject", Allowed},
		{"A3: one glob", `"Action": "s3:*"`, "s3express:CreateSession", ImplicitDeny},
		{"A4: any entry", `"Action": ["ec2:*", "s3:Get*"]`, "s3:GetObject", Allowed},
		{"A4: no entry", `"NotAction": ["ec2:*", "s3:Get*"]`, "s3:GetObject", ImplicitDeny},
		{"A5: of every service", `"NotAction": ["ec2:*", "s3:Get*"]`, "sqs:SendMessage", Allowed},
		{"A6: renamed services differ", `"Action": "codeconnections:*"`, "codestar-connections:UseConnection", ImplicitDeny},
		{"G15: nothing", `"Action": []`, "s3:GetObject", ImplicitDeny},
		{"G15: all but nothing", `"NotAction": []`, "s3:GetObject", Allowed},
		{"G18: blanks count", `"Action": " s3:GetObject"`, "s3:GetObject", ImplicitDeny},
		{"table 1.3: variables aren't for actions", `"Action": "s3:${aws:username}"`, "s3:u", ImplicitDeny},
	} {
		req, p := getting(world{action: c.action, id: doc{stmt("S", "Allow", c.element, `"Resource": "*"`)}}).ptr().build(t)
		if got := Evaluate(req, p); got != c.want {
			t.Errorf("%s: %s for %s: %v, want %v", c.rule, c.element, c.action, got, c.want)
		}
	}
}

// TestHostileLengths: a pattern and a value made to take long are answered at once, as unknown.
func TestHostileLengths(t *testing.T) {
	stars := strings.Repeat("*a", 1<<15)
	long := "arn:aws:s3:::b/" + strings.Repeat("a", 1<<20) + "b"
	g, err := newResourceGlob("arn:aws:s3:::"+stars, true)
	if err != nil {
		t.Fatal(err)
	}
	if m := g.match(about(Resource{ARN: long}), false); m != Unknown {
		t.Errorf("resource: got %v, want unknown", m)
	}
	like := operators["stringlike"]
	if c, _ := (&operand{glob: newGlob(stars)}).compare(about(Resource{}), like, &value{text: long}); c != undecided {
		t.Errorf("string: got %v, want undecided", c)
	}
}
