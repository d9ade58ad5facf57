package evaluator

import (
	"fmt"
	"testing"
)

// benchWorld is a request as large organisations have them: 6 identity policies of 10 statements,
// a boundary, SCPs at 3 levels of 5 policies, an RCP and a bucket policy. The last
// identity statement allows.
func benchWorld(b *testing.B) (*Request, *Policies) {
	w := getting(world{
		ctx: keys("aws:SourceIp", "10.1.2.3", "aws:RequestedRegion", "eu-west-1", "aws:PrincipalTag/team", "b", "aws:SecureTransport", "true"),
		id:  doc{}, pb: s3All, scp: []level{{"r-root", all}, {"ou-1", all}, {accountA, all}}, rcp: []level{rcpFull},
		rb: doc{refuse("TLS", "*", "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`, when("Bool", "aws:SecureTransport", "false"))},
	})
	req, p := w.build(b)
	p.Identity.Policies = nil
	for i := range 6 {
		var d doc
		for j := range 10 {
			d = append(d, allow(fmt.Sprintf("S%d", j), fmt.Sprintf(`["ec2:Describe*", "s3:Get*%d", "sqs:SendMessage"]`, j),
				fmt.Sprintf(`["arn:aws:s3:::bucket-%d-%d/*", "arn:aws:sqs:*:111111111111:q-*"]`, i, j),
				`"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`))
		}
		if i == 5 {
			d[9] = allow("Team", "s3:Get*", "arn:aws:s3:::${aws:PrincipalTag/team}/*", when("IpAddress", "aws:SourceIp", `["192.0.2.0/24", "10.0.0.0/8"]`))
		}
		p.Identity.Policies = append(p.Identity.Policies, policyOf(b, fmt.Sprintf("p%d", i), "managed", userU, d))
	}
	for i := range p.SCP.Levels {
		l := &p.SCP.Levels[i]
		for j := range 4 {
			l.Policies = append(l.Policies, policyOf(b, fmt.Sprintf("guard-%d-%d", i, j), "scp", l.Target, doc{
				deny("Regions", "*", "*", `"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin-*"}}`),
				deny("Trails", `["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"]`, "*"),
			}))
		}
	}
	return req, p
}

func BenchmarkEvaluate(b *testing.B) {
	req, p := benchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(req, p); d != Allowed {
			b.Fatal(d)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	req, p := benchWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		Explain(req, p)
	}
}
