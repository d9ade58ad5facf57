package collectors

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// BenchmarkCollect collects an account with 2,000 roles, whose pages have 100, and 500 resources that are asked one by
// one, from an AWS that takes 20 ms to answer. Ten calls at once, the pages one after the other, are at
// best (500/10 + 1) × 20 ms, about a second; see the metric ideal.
func BenchmarkCollect(b *testing.B) {
	const (
		latency   = 20 * time.Millisecond
		roles     = 2000
		page      = 100
		resources = 500
	)
	var rolePages []string
	for i := range roles / page {
		var p strings.Builder
		p.WriteString("<RoleDetailList>")
		for j := range page {
			fmt.Fprintf(&p, `<member><Path>/</Path><RoleName>r%[1]d</RoleName><RoleId>AROA%[1]d</RoleId><Arn>arn:aws:iam::111122223333:role/r%[1]d</Arn><AssumeRolePolicyDocument>%[2]s</AssumeRolePolicyDocument>
<RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%[3]s</PolicyDocument></member></RolePolicyList></member>`, i*page+j, encoded(trustDocument), encoded(allowDocument))
		}
		p.WriteString("</RoleDetailList>")
		rolePages = append(rolePages, p.String())
	}
	var names []string
	for i := range resources {
		names = append(names, fmt.Sprintf("q%d", i))
	}
	f := awsfake.New()
	answer := authorizationPages(rolePages...)
	f.Handle("iam", "GetAccountAuthorizationDetails", func(c *awsfake.Call) awsfake.Reply { time.Sleep(latency); return answer(c) })
	f.Handle("iam", "GetRole", func(c *awsfake.Call) awsfake.Reply {
		time.Sleep(latency)
		return awsfake.Error("NoSuchEntity", "none")
	})
	one := &part{name: "resources/sqs", scope: perAccount, permissions: []string{"iam:GetRole"}, collect: func(ctx context.Context, c *collection) {
		api := iam.NewFromConfig(c.cfg)
		forEach(ctx, c, slices.Values(names), func(ctx context.Context, name string) {
			if _, err := api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}); !isCode(err, "NoSuchEntity", "NoSuchEntityException") {
				b.Error(err)
			}
			c.add(&item{ARN: "arn:aws:sqs:eu-west-1:111122223333:" + name, Type: "queue", Policy: noPolicy, Extra: struct{}{}})
		})
	}}
	b.ReportAllocs()
	folder := filepath.Join(b.TempDir(), "s")
	o := testOptions(f, nil)
	for b.Loop() {
		r, err := collect(b.Context(), folder, o, []*part{&iamPart, one})
		if err != nil || !r.Written {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric((latency * (resources/defaultConcurrency + 1)).Seconds(), "ideal-s/op")
}
