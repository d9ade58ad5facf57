package collectors

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

func TestLeastPolicy(t *testing.T) {
	p := queues()
	p.permissions = []string{"sqs:ListQueues", "sqs:GetQueueAttributes"}
	o := Options{Org: true, RoleName: "audit/reader", Skip: []string{"iam", "organization"}}
	o.Config.Region = "us-gov-west-1"
	got, err := leastPolicy(o, []*part{&iamPart, &organizationPart, p})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadPolicies",
      "Effect": "Allow",
      "Action": [
        "ec2:DescribeRegions",
        "organizations:DescribeOrganization",
        "organizations:DescribePolicy",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListPolicies",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
        "sqs:GetQueueAttributes",
        "sqs:ListQueues"
      ],
      "Resource": "*"
    },
    {
      "Sid": "EnterAccounts",
      "Effect": "Allow",
      "Action": [
        "sts:AssumeRole"
      ],
      "Resource": "arn:aws-us-gov:iam::*:role/audit/reader"
    }
  ]
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLeastPolicyIsSound: AWS takes the policy for all parts, and it allows to read and nothing else.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func TestLeastPolicyIsSound(t *testing.T) {
	text, err := LeastPolicy(Options{Org: true})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := policy.Parse("least policy", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range evaluator.Validate(doc, evaluator.DocumentIdentity, evaluator.ValidateOptions{}) {
		t.Errorf("%+v", f)
	}
	const most = 6144 // characters of a managed policy, without white space
	if size := len(strings.Join(strings.Fields(string(text)), "")); size > most {
		t.Errorf("%d characters, more than the %d of a managed policy", size, most)
	}
	for _, p := range parts() {
		for _, action := range p.permissions {
			prefix, name, _ := strings.Cut(action, ":")
			service, ok := serviceref.Lookup(prefix)
			if !ok {
				t.Errorf("%s: no such service: %s", p.name, action)
				continue
			}
			a, ok := service.Action(name)
			if !ok || a.AccessLevel != serviceref.Read && a.AccessLevel != serviceref.List {
				t.Errorf("%s: %s isn't known to be an action that reads", p.name, action)
			}
		}
	}
}

// TestUncovered: a call that no row names is found.
func TestUncovered(t *testing.T) {
	f := iamFake(goodPages()...)
	p := iamPart
	p.permissions = []string{"iam:ListRoles"}
	if _, err := collect(t.Context(), t.TempDir()+"/s", testOptions(f, nil), []*part{&p}); err != nil {
		t.Fatal(err)
	}
	want := []string{"IAM GetAccountAuthorizationDetails needs iam:GetAccountAuthorizationDetails, which no row has"}
	if diff := cmp.Diff(want, uncovered(t, f, []*part{&p}, Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRows: names are in order, as reports and --only list them, and unique.
func TestRows(t *testing.T) {
	words := Parts()
	if len(words) == 0 || !slices.IsSortedFunc(parts(), func(a, b *part) int { return strings.Compare(a.name, b.name) }) || len(slices.Compact(slices.Sorted(slices.Values(words)))) != len(words) {
		t.Errorf("parts: %v", words)
	}
}
