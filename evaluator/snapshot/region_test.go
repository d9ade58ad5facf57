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

// TestNoRegion: a bucket's ARN has no region, so that of what the part lacks, what was denied is told before the regions that
// nobody asked; the bucket behind an access point likewise (rule U6).
func TestNoRegion(t *testing.T) {
	const (
		denied = `"reason": "no", "gaps": [{"action": "s3:ListAllMyBuckets", "status": "denied", "reason": "no"}]`
		point  = "arn:aws:s3:eu-west-1:222222222222:accesspoint/ap"
		behind = `[{"arn": "` + point + `", "type": "access point", "policy": null, "extra": {"bucket": "b", "bucketAccountId": "222222222222", "networkOrigin": "Internet"}}]`
		lost   = `[{"arn": "` + point + `", "type": "access point", "status": "denied", "reason": "no", "extra": {}}]`
	)
	tests := []struct {
		name, record, file, arn string
		want                    []string
	}{
		{"denied", `{"status": "denied", ` + denied + `}`, "[]", "arn:aws:s3:::b", []string{"s3:GetBucketPolicy on arn:aws:s3:::b was denied (no)"}},
		{"denied, and some regions", `{"status": "denied", "regions": ["eu-west-1"], ` + denied + `}`, "[]", "arn:aws:s3:::b", []string{"s3:GetBucketPolicy on arn:aws:s3:::b was denied (no)"}},
		{"all buckets, whatever the regions", `{"status": "ok", "regions": ["eu-west-1"]}`, "[]", "arn:aws:s3:::b", []string{"it isn't in account 222222222222"}},
		{"behind, denied", `{"status": "denied", "regions": ["eu-west-1"], ` + denied + `}`, behind, point, []string{"bucket policy of b: s3:GetBucketPolicy on arn:aws:s3:::b was denied (no)"}},
		{"behind, not there", `{"status": "ok"}`, behind, point, []string{"bucket policy of b: it isn't in the snapshot"}},
		{"two things", `{"status": "denied", ` + denied + `}`, lost, point, []string{"s3:GetAccessPointPolicy: denied (no)", "which bucket is behind access point"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := load(t, map[string]string{
				"snapshot.json": strings.Replace(fixture["snapshot.json"], `"accounts/222222222222/resources/s3": {"status": "ok"}`, `"accounts/222222222222/resources/s3": `+tt.record, 1),
				s3File:          tt.file,
			})
			p := policies(t, s, evaluator.Request{Principal: ann, Action: "s3:ListBucket", Resource: evaluator.Resource{ARN: tt.arn, Account: prod}})
			missing := p.Resource.Missing
			if p.Resource.Behind != nil {
				missing += p.Resource.Behind.Missing
			}
			for _, want := range tt.want {
				if !strings.Contains(missing, want) {
					t.Errorf("missing: %q, want …%s…", missing, want)
				}
			}
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
