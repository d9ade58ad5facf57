package collectors

import (
	"slices"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestCollectedPolicyDenies: what was collected is what an evaluation finds: an action on a resource whose policy
// denies everything is denied by it.
func TestCollectedPolicyDenies(t *testing.T) {
	tests := []struct {
		service     *serviceTest
		action, arn string
	}{
		{&authoritiesTest, "acm-pca:IssueCertificate", authorityAt + "a"},
		{&codebuildTest, "codebuild:BatchGetProjects", buildAt + "project/a"},
		{&codebuildTest, "codebuild:BatchGetReportGroups", buildAt + "report-group/r"},
		{&kafkaTest, "kafka:CreateVpcConnection", clusterAt + "a/1111-1"},
		{&kafkaTest, "kafka-cluster:ReadData", "arn:aws:kafka:eu-west-1:111122223333:topic/a/1111-1/orders"},
		{&lexTest, "lex:RecognizeText", lexAt + "bot-alias/BOT1/LIVE"},
		{&s3expressTest, "s3express:CreateSession", expressAt + "bucket/a--euw1-az1--x-s3"},
	}
	for _, tt := range tests {
		got := collectPart(t, tt.service.fake(nil), tt.service.part)
		const arn = "arn:aws:iam::" + testAccount + ":user/ann"
		req := evaluator.Request{
			Principal: evaluator.Principal{Type: evaluator.User, ARN: arn, Account: testAccount},
			Action:    tt.action, Resource: evaluator.Resource{ARN: tt.arn, Account: testAccount},
		}
		p, err := got.snapshot.Policies(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if l := p.Resource; l.State != evaluator.Applies || len(l.Policies) != 1 {
			t.Errorf("%s on %s: the resource's policy: %+v", tt.action, tt.arn, l.Layer)
			continue
		}
		e := evaluator.Explain(&req, &p)
		if e.Decision != evaluator.ExplicitDeny || !slices.ContainsFunc(e.Blockers, func(b evaluator.Blocker) bool { return b.Layer == "resource" }) {
			t.Errorf("%s on %s: %v, blockers %+v", tt.action, tt.arn, e.Decision, e.Blockers)
		}
	}
}
