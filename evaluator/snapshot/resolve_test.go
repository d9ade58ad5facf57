package snapshot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

func TestResolvePrincipal(t *testing.T) {
	s := load(t, nil)
	const deployARN = "arn:aws:iam::222222222222:role/ci/deploy"
	tests := []struct {
		fragment string
		want     string // ARN
		role     string
		err      string
	}{
		{"ann", ann.ARN, "", ""},
		{"deploy", deployARN, deployARN, ""}, // the exact name wins over deploy-old
		{"deploy-o", "arn:aws:iam::222222222222:role/deploy-old", "arn:aws:iam::222222222222:role/deploy-old", ""},
		{"team/bob", "arn:aws:iam::222222222222:user/team/bob", "", ""},
		{"TEAM/Bob", "arn:aws:iam::222222222222:user/team/bob", "", ""},
		{deployARN, deployARN, deployARN, ""},
		{"deploy/run-7", "arn:aws:sts::222222222222:assumed-role/deploy/run-7", deployARN, ""},
		{"222222222222", "", "", `"222222222222" can mean any principal of arn:aws:iam::222222222222:role/ci/deploy, arn:aws:iam::222222222222:role/deploy-old, arn:aws:iam::222222222222:user/ann, arn:aws:iam::222222222222:user/team/bob`},
		{"deplyo", "", "", `no principal "deplyo" in the snapshot (arn:aws:iam::222222222222:role/ci/deploy?)`},
		{"zzzzzzzzzz", "", "", `no principal "zzzzzzzzzz" in the snapshot`},
		{"", "", "", "no principal given"},
	}
	for _, test := range tests {
		t.Run(test.fragment, func(t *testing.T) {
			p, err := s.ResolvePrincipal(test.fragment)
			checkError(t, test.err, err)
			if p.ARN != test.want || p.RoleARN != test.role {
				t.Errorf("%s, role %q; want %s, %q", p.ARN, p.RoleARN, test.want, test.role)
			}
			if err == nil && (p.ID == "" || p.Account != prod || (p.Type == evaluator.AssumedRole) != (test.role != "")) {
				t.Errorf("not filled in: %+v", p)
			}
		})
	}
	// What is a principal in full needn't be in the snapshot.
	for _, full := range []string{"anonymous", "lambda.amazonaws.com", "arn:aws:iam::999999999999:user/x"} {
		want, wantErr := evaluator.ParsePrincipal(full)
		got, err := s.ResolvePrincipal(full)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: error %v, want %v (-want +got):\n%s", full, err, wantErr, diff)
		}
	}
}

func checkError(t *testing.T, want string, err error) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v", err)
	case want != "" && (err == nil || err.Error() != want):
		t.Errorf("error %v, want %s", err, want)
	}
}

// An error lists ten candidates at most, sorted.
func TestResolveMany(t *testing.T) {
	var users []string
	for i := range 15 {
		users = append(users, fmt.Sprintf(`{"UserName": "u%02d", "Arn": "arn:aws:iam::222222222222:user/u%02d"}`, 14-i, 14-i))
	}
	s := load(t, map[string]string{"accounts/222222222222/iam.json": `{"UserDetailList": [` + strings.Join(users, ",") + `]}`})
	_, err := s.ResolvePrincipal("user/u")
	if err == nil || !strings.HasSuffix(err.Error(), "user/u08, arn:aws:iam::222222222222:user/u09 and 5 more") {
		t.Errorf("error %v", err)
	}
}

func TestResolveResource(t *testing.T) {
	s := load(t, nil)
	const region = "eu-west-1:222222222222:"
	tests := []struct {
		action, fragment string
		want             evaluator.Resource
		err              string
	}{
		{"s3:GetObject", "acme-logs/app/x.log", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/app/x.log", Account: prod}, ""},
		{"s3:ListBucket", "acme-logs", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs", Account: prod}, ""},
		{"s3:ListBucket", "bare", evaluator.Resource{ARN: "arn:aws:s3:::acme-bare", Account: prod}, ""},
		{"s3:GetObject", "acme-logs/*", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/*", Pattern: true, Account: prod}, ""},
		{"s3:GetObject", "arn:aws:s3:::nobodys/x", evaluator.Resource{ARN: "arn:aws:s3:::nobodys/x"}, ""},
		{"s3:GetObject", "acme-lags", evaluator.Resource{}, `no resource "acme-lags" in the snapshot (arn:aws:s3:::acme-logs?); or give its full ARN`},
		{"s3:GetObject", "arn:aws:s3", evaluator.Resource{}, `"arn:aws:s3" isn't an ARN: expected arn:partition:service:region:account:resource`},
		{"s3:ListAllMyBuckets", "", evaluator.Resource{ARN: "*"}, ""},
		{"kms:Decrypt", "alias/app", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k1", Account: prod}, ""},
		{"kms:Decrypt", "k2", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k2", Account: prod}, ""},
		{"secretsmanager:GetSecretValue", "app/db", evaluator.Resource{ARN: "arn:aws:secretsmanager:" + region + "secret:app/db-AbCdEf", Account: prod}, ""},
		{"lambda:InvokeFunction", "f", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:f", Account: prod}, ""},
		{"sts:AssumeRole", "deploy", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/ci/deploy", Account: prod}, ""},
		{"iam:GetGroup", "readers", evaluator.Resource{ARN: "arn:aws:iam::222222222222:group/readers", Account: prod}, ""},
		{"iam:GetPolicy", "shared", evaluator.Resource{ARN: "arn:aws:iam::222222222222:policy/team/shared", Account: prod}, ""},
		{"sqs:SendMessage", "jobs", evaluator.Resource{}, `no resource "jobs": the snapshot has none of that kind; or give its full ARN`},
	}
	for _, test := range tests {
		t.Run(test.action+" "+test.fragment, func(t *testing.T) {
			r, err := s.ResolveResource(test.action, test.fragment)
			checkError(t, test.err, err)
			if diff := cmp.Diff(test.want, r); diff != "" {
				t.Errorf("resource (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is typed, a principal that is found is one of the snapshot.
func FuzzResolvePrincipal(f *testing.F) {
	s, all := fuzzSnapshot(f)
	for _, seed := range []string{"deploy", "deploy/x", "ann", "é", "222"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, fragment string) {
		p, err := s.ResolvePrincipal(fragment)
		if err != nil || p.Account != prod {
			return
		}
		if id := p.ID; id != "" && !all[id] {
			t.Errorf("%q: %+v is nobody", fragment, p)
		}
	})
}
