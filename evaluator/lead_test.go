package evaluator

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestLeads: a document of many statements is decided by the beginnings of its resources as it is statement by
// statement, and as the reference has it.
func TestLeads(t *testing.T) {
	patterns := []string{
		"*", "arn:aws:s3:::*", "arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:s3:::b*", "arn:aws:s3:::b/k", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::?/k",
		"arn:aws:s3:::c/*", "arn:aws:s3:::bb/*", "arn:aws:s3", "arn:aws:s3:*", "arn:*:s3:::b/*", "arn:aws:sqs:*:111111111111:q", "arn:aws:sqs:us-east-1:111111111111:q*",
		"arn:aws:sqs:us-east-1:*:q", "arn:aws:ec2:*:*:instance/*", "*/k", "?rn:aws:s3:::b/k", "arn:aws:s3:::b/long/path/to/a/key", "arn:aws:s3:::b/long/path/*",
	}
	resources := []string{
		"arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::b/u/k", "arn:aws:s3:::bb/k", "arn:aws:s3:::b/long/path/to/a/key", "arn:aws:s3:::", "arn", "*",
		"arn:aws:sqs:us-east-1:111111111111:q", "arn:aws:ec2:us-east-1:111111111111:instance/i", "arn:aws-cn:s3:::b/k",
	}
	used := 0
	rapid.Check(t, func(t *rapid.T) {
		drawn := func(label string) (d doc) {
			for i := range rapid.IntRange(0, 14).Draw(t, label) {
				list := rapid.SliceOfN(rapid.SampledFrom(patterns), 1, 3).Draw(t, "resources")
				element := rapid.SampledFrom([]string{"Resource", "Resource", "Resource", "Resource", "Resource", "NotResource"}).Draw(t, "element")
				effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")
				text, err := json.Marshal(list)
				if err != nil {
					t.Fatal(err)
				}
				more := []string{`"Action": "*"`, fmt.Sprintf("%q: %s", element, text)}
				if rapid.IntRange(0, 3).Draw(t, "condition") == 0 {
					more = append(more, when("StringEquals", "svc:key", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value")))
				}
				d = append(d, stmt(fmt.Sprintf("%s%d", label, i), effect, more...))
			}
			return d
		}
		w := getting(world{id: drawn("I"), ctx: keys("svc:key", "a")})
		if rapid.Bool().Draw(t, "SCP") {
			w.scp = []level{{"r-root", append(doc{allow("All", "*", "*")}, drawn("P")...)}}
		}
		w.resource = rapid.SampledFrom(resources).Draw(t, "resource")
		req, p := w.build(t)
		if rapid.IntRange(0, 3).Draw(t, "unknown") == 0 {
			req.Context.SetState("svc:key", UnknownKey)
		}
		req.Strict = rapid.IntRange(0, 4).Draw(t, "strict") == 0
		got := Evaluate(req, p)
		if x := Explain(req, p); x.Decision != got {
			t.Fatalf("Evaluate says %v, Explain %v of\n%s", got, x.Decision, describe(req, p))
		}
		if want := refEvaluate(req, p); !req.Strict && got != want && want != Indeterminate {
			t.Fatalf("Evaluate says %v, the reference %v of\n%s", got, want, describe(req, p))
		}
		for i := range p.Identity.Policies {
			ev := newEvaluation(req)
			if c := p.Identity.Policies[i].Body.candidates(&ev, shapeUnnamed); c.allowLeads != nil || c.denyLeads != nil {
				used++
			}
		}
	})
	if used == 0 {
		t.Error("no document had enough statements")
	}
}
