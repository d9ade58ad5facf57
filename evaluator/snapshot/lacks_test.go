package snapshot_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

const day = 24 * time.Hour

// collectable are the parts of these tests.
var collectable = []string{"endpoints", "iam", "identitycenter", "organization", "s3", "sqs"}

// lackText is a lack in one line.
func lackText(l snapshot.Lack) string {
	text := fmt.Sprintf("%s %v of %v %v", l.Status, l.Parts, l.Accounts, l.Layers)
	if len(l.Regions) > 0 {
		text += fmt.Sprintf(" in %v", l.Regions)
	}
	for _, n := range l.Needs {
		text += " " + n.Action
		if len(n.Resources) > 0 {
			text += "(" + strings.Join(n.Resources, ",") + ")"
		}
	}
	if !l.Since.IsZero() {
		text += " " + l.Since.Format("2006-01-02")
	}
	if l.Reason != "" {
		text += ": " + l.Reason
	}
	return text
}

// wholeParts are those of a snapshot of two accounts that lacks nothing.
func wholeParts() map[string]string {
	parts := map[string]string{}
	for _, name := range []string{"organization", "organization/scp", "organization/rcp", "identitycenter"} {
		parts[name] = `{"status": "ok"}`
	}
	for _, account := range []string{"111111111111", "222222222222"} {
		for _, name := range []string{"iam", "endpoints", "resources/s3", "resources/sqs"} {
			parts["accounts/"+account+"/"+name] = `{"status": "ok"}`
		}
	}
	return parts
}

// lacksOf loads a snapshot of these parts, and what stands in files, and returns what it lacks.
func lacksOf(t *testing.T, parts, files map[string]string, o snapshot.LackOptions) []string {
	t.Helper()
	fsys := fstest.MapFS{"organization.json": {Data: []byte(`{"id": "o-1", "managementAccount": "111111111111", "enabledPolicyTypes": [],
  "roots": [{"id": "r-1", "policies": {"scp": [], "rcp": []}, "organizationalUnits": [],
    "accounts": [{"id": "111111111111"}, {"id": "222222222222"}]}]}`)}}
	var records []string
	for name, record := range parts {
		records = append(records, fmt.Sprintf("%q: %s", name, record))
		switch {
		case strings.HasPrefix(record, `{"status": "ok"`):
		case strings.HasSuffix(name, "/s3"):
		default:
			continue
		}
		content := "[]"
		switch {
		case strings.HasSuffix(name, "/iam"):
			content = `{"UserDetailList": []}`
		case name == "identitycenter":
			content = "{}"
		}
		if strings.HasPrefix(name, "accounts/") || name == "identitycenter" {
			fsys[name+".json"] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	fsys["snapshot.json"] = &fstest.MapFile{Data: []byte(`{"formatVersion": 1, "collectedAt": "2025-06-01T10:00:00Z", "parts": {` + strings.Join(records, ",\n") + "}}")}
	for name, content := range files {
		if content == "" {
			delete(fsys, name)
			continue
		}
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	s, err := snapshot.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	o.Collectable = collectable
	var got []string
	for _, l := range s.Lacks(o) {
		got = append(got, lackText(l))
	}
	return got
}

func TestLacks(t *testing.T) {
	now := time.Date(2025, 6, 3, 10, 0, 0, 0, time.UTC)
	const denied = `{"status": "denied", "reason": "no %s", "gaps": [%s]}`
	gap := func(action, resource, region string) string {
		return fmt.Sprintf(`{"action": %q, "resource": %q, "region": %q, "status": "denied", "reason": "no"}`, action, resource, region)
	}
	enter := func(account string) string {
		return fmt.Sprintf(denied, account, gap("sts:AssumeRole", "arn:aws:iam::"+account+":role/R", ""))
	}
	tests := []struct {
		name  string
		parts map[string]string // in place of those that are whole; "" for none
		files map[string]string
		age   time.Duration
		want  []string
	}{
		{"nothing", nil, nil, 0, nil},
		{"nothing, and young enough", nil, nil, 3 * day, nil},
		{"denied on two resources, in two accounts", map[string]string{
			"accounts/111111111111/resources/s3": fmt.Sprintf(denied, "1", gap("s3:GetBucketPolicy", "arn:aws:s3:::b", "")+","+gap("s3:GetBucketPolicy", "arn:aws:s3:::a", "")),
			"accounts/222222222222/resources/s3": fmt.Sprintf(denied, "2", gap("s3:GetBucketAcl", "arn:aws:s3:::c", "")),
		}, nil, 0, []string{"denied [s3] of [111111111111 222222222222] [resource] s3:GetBucketAcl(arn:aws:s3:::c) s3:GetBucketPolicy(arn:aws:s3:::a,arn:aws:s3:::b): no"}},
		{"denied, and the snapshot says no more", map[string]string{
			"accounts/111111111111/resources/sqs": `{"status": "denied", "reason": "no"}`,
			"accounts/111111111111/iam":           `{"status": "denied", "reason": "no"}`,
		}, nil, 0, []string{"denied [iam sqs] of [111111111111] [resource identity boundary] iam:GetAccountAuthorizationDetails sqs:GetQueueAttributes: no"}},
		{"an account that can't be entered", map[string]string{
			"accounts/222222222222/resources/s3": enter("222222222222"), "accounts/222222222222/resources/sqs": enter("222222222222"),
			"accounts/222222222222/iam": enter("222222222222"), "accounts/222222222222/endpoints": enter("222222222222"),
		}, nil, 0, []string{"denied [] of [222222222222] [endpoint resource identity boundary] sts:AssumeRole(arn:aws:iam::222222222222:role/R): no"}},
		{"denied in a region", map[string]string{
			"accounts/111111111111/resources/sqs": fmt.Sprintf(denied, "1", gap("sqs:ListQueues", "", "us-east-1")),
		}, nil, 0, []string{"denied [sqs] of [111111111111] [resource] in [us-east-1] sqs:ListQueues: no"}},
		{"errors that are the same but for the account", map[string]string{
			"accounts/111111111111/resources/sqs": `{"status": "error", "reason": "account 111111111111 is slow"}`,
			"accounts/222222222222/resources/sqs": `{"status": "error", "reason": "account 222222222222 is slow"}`,
		}, nil, 0, []string{"error [sqs] of [111111111111 222222222222] [resource]: account 111111111111 is slow"}},
		{"denied in a region, and everywhere", map[string]string{
			"accounts/111111111111/resources/sqs": fmt.Sprintf(denied, "1", gap("sqs:ListQueues", "", "us-east-1")+","+gap("sqs:GetQueueAttributes", "q", "")),
		}, nil, 0, []string{"denied [sqs] of [111111111111] [resource] sqs:GetQueueAttributes(q) sqs:ListQueues: no"}},
		{"denied, and gone wrong", map[string]string{
			"accounts/111111111111/resources/sqs": `{"status": "error", "reason": "slow", "gaps": [{"action": "sqs:ListQueues", "status": "error", "reason": "slow"}, ` + gap("sqs:GetQueueAttributes", "arn:aws:sqs:::q", "") + `]}`,
		}, nil, 0, []string{
			"denied [sqs] of [111111111111] [resource] sqs:GetQueueAttributes(arn:aws:sqs:::q): no",
			"error [sqs] of [111111111111] [resource] sqs:ListQueues: slow",
		}},
		{"skipped", map[string]string{
			"accounts/111111111111/resources/sqs": `{"status": "skipped", "reason": "--only"}`,
			"accounts/111111111111/resources/s3":  `{"status": "skipped", "reason": "--only"}`,
			"organization/scp":                    `{"status": "skipped", "reason": "--only"}`,
		}, nil, 0, []string{
			"skipped [organization/scp] of [] [scp] organizations:DescribePolicy organizations:ListTargetsForPolicy: --only",
			"skipped [s3 sqs] of [111111111111] [resource] s3:GetAccessGrantsInstanceResourcePolicy s3:GetAccessPointPolicy s3:GetBucketPolicy sqs:GetQueueAttributes: --only",
		}},
		{"never asked", map[string]string{"accounts/111111111111/resources/sqs": "", "accounts/222222222222/endpoints": "", "identitycenter": ""}, nil, 0, []string{
			"missing [endpoints] of [222222222222] [endpoint] ec2:DescribeVpcEndpoints",
			"missing [sqs] of [111111111111] [resource] sqs:GetQueueAttributes",
		}},
		{"nobody asked for the organisation", map[string]string{"organization": "", "organization/scp": "", "organization/rcp": ""}, map[string]string{"organization.json": ""}, 0, []string{
			"missing [organization] of [] [scp rcp] organizations:DescribeOrganization organizations:ListAccountsForParent",
		}},
		{"a file that is gone", nil, map[string]string{"accounts/111111111111/resources/sqs.json": ""}, 0, []string{"missing [sqs] of [111111111111] [resource] sqs:GetQueueAttributes"}},
		{"a file that can't be used", nil, map[string]string{"accounts/111111111111/resources/sqs.json": "{"}, 0, []string{
			"broken [sqs] of [111111111111] [resource]: accounts/111111111111/resources/sqs.json:1:2: the text ends too early: expected a member name or '}'",
		}},
		{"a resource", nil, map[string]string{"accounts/111111111111/resources/sqs.json": `[{"arn": "arn:aws:sqs:eu-west-1:111111111111:q", "type": "queue", "status": "denied", "reason": "no q"}]`}, 0, []string{
			"denied [sqs] of [111111111111] [resource] sqs:GetQueueAttributes(arn:aws:sqs:eu-west-1:111111111111:q): no q",
		}},
		{"an account of the organisation", nil, map[string]string{"organization.json": `{"id": "o-1", "managementAccount": "111111111111", "enabledPolicyTypes": [],
  "roots": [{"id": "r-1", "policies": {"scp": [], "rcp": []}, "accounts": [{"id": "333333333333"}], "organizationalUnits": []}]}`}, 0, []string{
			"missing [] of [333333333333] [scp rcp endpoint resource identity boundary]",
		}},
		{"some regions", map[string]string{
			"accounts/111111111111/resources/sqs": `{"status": "ok", "regions": ["eu-west-1", "us-east-1"]}`,
			"accounts/111111111111/endpoints":     `{"status": "ok", "regions": ["eu-west-1", "us-east-1"]}`,
		}, nil, 0, []string{"partial [endpoints sqs] of [111111111111] [endpoint resource] in [eu-west-1 us-east-1]"}},
		{"all of it old", nil, nil, day, []string{"old [] of [] [scp rcp endpoint resource identity boundary] 2025-06-01"}},
		{"a part that is old", map[string]string{"accounts/111111111111/iam": `{"status": "ok", "collectedAt": "2025-05-01T10:00:00Z"}`}, nil, 7 * day, []string{
			"old [iam] of [111111111111] [resource identity boundary] 2025-05-01",
		}},
		{"age doesn't count", map[string]string{"accounts/111111111111/iam": `{"status": "ok", "collectedAt": "2025-05-01T10:00:00Z"}`}, nil, 0, nil},
		{"names of permission sets", map[string]string{"identitycenter": `{"status": "denied", "reason": "no"}`}, nil, 0, []string{"denied [identitycenter] of [] []: no"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts := wholeParts()
			for name, record := range tt.parts {
				parts[name] = record
				if record == "" {
					delete(parts, name)
				}
			}
			got := lacksOf(t, parts, tt.files, snapshot.LackOptions{Now: now, MaxAge: tt.age})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLacksOfDetails: the output of get-account-authorization-details lacks all but IAM.
func TestLacksOfDetails(t *testing.T) {
	s, err := snapshot.LoadAuthorizationDetails("iam.json", []byte(`{"UserDetailList": [{"Arn": "arn:aws:iam::111111111111:user/u", "UserName": "u"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	lacking := map[string]bool{}
	for _, l := range s.Lacks(snapshot.LackOptions{Collectable: collectable}) {
		if l.Status != snapshot.LackSkipped {
			t.Errorf("%s, want skipped", lackText(l))
		}
		for _, word := range l.Parts {
			lacking[word] = true
		}
	}
	for word, want := range map[string]bool{"iam": false, "s3": true, "sqs": true, "endpoints": true, "organization": true, "organization/scp": true} {
		if lacking[word] != want {
			t.Errorf("%s is lacking: %v, want %v", word, lacking[word], want)
		}
	}
}
