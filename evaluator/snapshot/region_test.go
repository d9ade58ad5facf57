package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// withPart is the fixture's snapshot.json with one more part.
func withPart(name, record string) string {
	return strings.Replace(fixture["snapshot.json"], `"organization": {`, `"`+name+`": `+record+`, "organization": {`, 1)
}

// TestRegions: where a call failed in one region, the others are as whole as ever (rule U6).
func TestRegions(t *testing.T) {
	const gap = `"gaps": [{"action": "logs:DescribeResourcePolicies", "region": "us-east-1", "status": "denied", "reason": "no"}]`
	logs := `[{"arn": "arn:aws:logs:eu-west-1:222222222222:resource-policy:x", "type": "resource policy", "policy": {"Statement": []}},
  {"arn": "arn:aws:logs:us-east-1:222222222222:resource-policy:y", "type": "resource policy", "policy": {"Statement": []}}]`
	tests := []struct {
		name, record, region string
		want                 want
	}{
		{"all regions", `{"status": "ok"}`, "eu-west-1", want{evaluator.Applies, []string{"resource policy:resource-policy:x"}, ""}},
		{"another region's policies", `{"status": "ok"}`, "ap-south-1", want{evaluator.Applies, nil, ""}},
		{"denied elsewhere", `{"status": "denied", "reason": "no", ` + gap + `}`, "eu-west-1", want{evaluator.Applies, []string{"resource policy:resource-policy:x"}, ""}},
		{"denied there", `{"status": "denied", "reason": "no", ` + gap + `}`, "us-east-1", want{evaluator.NotCollected, nil, "logs:DescribeResourcePolicies was denied (no)"}},
		{"denied, and nobody says where", `{"status": "denied", "reason": "no"}`, "eu-west-1", want{evaluator.NotCollected, nil, "was denied (no)"}},
		{"denied everywhere", `{"status": "denied", "reason": "no", "gaps": [{"action": "sts:AssumeRole", "status": "denied", "reason": "no"}]}`, "eu-west-1", want{evaluator.NotCollected, nil, "was denied (no)"}},
		{"denied in a region that isn't known", `{"status": "denied", "reason": "no", ` + gap + `}`, "*", want{evaluator.NotCollected, nil, "which resource is meant isn't known"}},
		{"asked", `{"status": "ok", "regions": ["eu-west-1"]}`, "eu-west-1", want{evaluator.Applies, []string{"resource policy:resource-policy:x"}, ""}},
		{"not asked", `{"status": "ok", "regions": ["eu-west-1"]}`, "us-east-1", want{evaluator.NotCollected, nil, "wasn't collected in us-east-1"}},
		{"maybe not asked", `{"status": "ok", "regions": ["eu-west-1"]}`, "*", want{evaluator.NotCollected, nil, "which resource is meant isn't known"}},
		{"skipped", `{"status": "skipped", "regions": ["eu-west-1"]}`, "us-east-1", want{evaluator.NotCollected, nil, "was skipped"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := load(t, map[string]string{
				"snapshot.json": withPart("accounts/222222222222/resources/logs", tt.record),
				"accounts/222222222222/resources/logs.json": logs,
			})
			p := policies(t, s, evaluator.Request{Principal: ann, Action: "logs:PutLogEvents", Resource: evaluator.Resource{
				ARN: "arn:aws:logs:" + tt.region + ":222222222222:log-group:app", Account: prod, Pattern: tt.region == "*",
			}})
			l := p.Resource.Layer
			if l.State == evaluator.NotCollected {
				l.Policies = nil
			}
			checkWant(t, tt.want, l)
		})
	}
}

func TestParts(t *testing.T) {
	s := load(t, map[string]string{
		"snapshot.json": withPart("accounts/222222222222/resources/logs", `{"status": "error", "reason": "r", "collectedAt": "2025-05-01T10:00:00Z", "regions": ["eu-west-1"],
  "gaps": [{"action": "a:B", "resource": "x", "region": "eu-west-1", "status": "error", "reason": "r"}, 5]}`),
		"accounts/222222222222/resources/logs.json": "[]",
	})
	want := snapshot.Part{
		Name: "accounts/222222222222/resources/logs", Status: "error", Reason: "r",
		CollectedAt: time.Date(2025, 5, 1, 10, 0, 0, 0, time.UTC), Regions: []string{"eu-west-1"},
		Gaps: []snapshot.Gap{
			{Action: "a:B", Resource: "x", Region: "eu-west-1", Status: "error", Reason: "r"},
			{Status: "error", Reason: "it can't be read in snapshot.json"}, // of any region, for all that is known
		},
	}
	for _, p := range s.Parts() {
		if p.Name == want.Name {
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Error("the part isn't there")
}
