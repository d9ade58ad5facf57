package evaluator

import (
	"fmt"
	"testing"
)

// benchWorld is a request as large organisations have them: identity policies of 10 statements,
// a boundary, SCPs at 3 levels of 5 policies, an RCP and a bucket policy. The last
// identity statement allows. wild says that actions have wildcards.
func benchWorld(b *testing.B, policies int, wild bool) (*Request, *Policies) {
	w := getting(world{
		ctx: keys("aws:SourceIp", "10.1.2.3", "aws:RequestedRegion", "eu-west-1", "aws:PrincipalTag/team", "b", "aws:SecureTransport", "true"),
		id:  doc{}, pb: s3All, scp: []level{{"r-root", all}, {"ou-1", all}, {accountA, all}}, rcp: []level{rcpFull},
		rb: doc{refuse("TLS", "*", "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`, when("Bool", "aws:SecureTransport", "false"))},
	})
	req, p := w.build(b)
	p.Identity.Policies = nil
	for i := range policies {
		var d doc
		for j := range 10 {
			actions := fmt.Sprintf(`["ec2:Describe*", "s3:Get*%d", "sqs:SendMessage"]`, j)
			if wild {
				actions = `["ec2:Describe*", "s3:*", "sqs:*"]`
			}
			d = append(d, allow(fmt.Sprintf("S%d", j), actions,
				fmt.Sprintf(`["arn:aws:s3:::bucket-%d-%d/*", "arn:aws:sqs:*:111111111111:q-*"]`, i, j),
				`"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`))
		}
		if i == policies-1 {
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

// benchmarkEvaluate also checks what the benchmark promises: no allocation.
func benchmarkEvaluate(b *testing.B, req *Request, p *Policies, want Decision) {
	b.Helper()
	if n := testing.AllocsPerRun(100, func() { Evaluate(req, p) }); n != 0 {
		b.Fatalf("a decision allocates %v times", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(req, p); d != want {
			b.Fatal(d)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	req, p := benchWorld(b, 6, false)
	benchmarkEvaluate(b, req, p, Allowed)
}

// BenchmarkEvaluateGrowth is the same with 1 to 100 identity policies, that is 10 to 1,000 statements.
func BenchmarkEvaluateGrowth(b *testing.B) {
	for _, n := range []int{1, 3, 10, 30, 100} {
		for _, wild := range []bool{false, true} {
			name := fmt.Sprintf("policies=%d/actions=named", n)
			if wild {
				name = fmt.Sprintf("policies=%d/actions=wild", n)
			}
			b.Run(name, func(b *testing.B) {
				req, p := benchWorld(b, n, wild)
				benchmarkEvaluate(b, req, p, Allowed)
			})
		}
	}
}

// BenchmarkEvaluateManyActions asks for more actions than a document remembers.
func BenchmarkEvaluateManyActions(b *testing.B) {
	req, p := benchWorld(b, 6, false)
	requests := make([]Request, 1000)
	for i := range requests {
		requests[i] = *req
		requests[i].Action = fmt.Sprintf("s3:GetObject%d", i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Evaluate(&requests[i%len(requests)], p)
		i++
	}
}

// BenchmarkExplain is a full explanation: of an allowed request; of one that no statement allows, with the
// nearest of 60; and of one that a policy at each level denies.
func BenchmarkExplain(b *testing.B) {
	for _, c := range []struct {
		name   string
		change func(*Request)
		want   Decision
	}{
		{"allowed", func(*Request) {}, Allowed},
		{"implicitDeny", func(req *Request) { req.Context.Set("aws:PrincipalTag/team", "c") }, ImplicitDeny},
		{"explicitDeny", func(req *Request) { req.Context.Set("aws:RequestedRegion", "us-east-1") }, ExplicitDeny},
	} {
		b.Run(c.name, func(b *testing.B) {
			req, p := benchWorld(b, 6, false)
			c.change(req)
			b.ReportAllocs()
			for b.Loop() {
				if x := Explain(req, p); x.Decision != c.want {
					b.Fatal(x.Decision)
				}
			}
		})
	}
}

// BenchmarkCompile is what a policy of 10 statements costs once.
func BenchmarkCompile(b *testing.B) {
	_, p := benchWorld(b, 1, false)
	d := p.Identity.Policies[0].Body.Document()
	b.ReportAllocs()
	for b.Loop() {
		Compile(d)
	}
}
