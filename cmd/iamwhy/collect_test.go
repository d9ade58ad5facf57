package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// collectFake is an account that is in no organisation, and has one role.
func collectFake() *awsfake.Fake {
	f := awsfake.New()
	f.Handle("sts", "GetCallerIdentity", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Result(struct{ Arn, UserId, Account string }{"arn:aws:iam::" + awsfake.Account + ":user/u", "AIDAEXAMPLE", awsfake.Account})
	})
	f.Handle("organizations", "DescribeOrganization", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	})
	type role struct{ Arn, RoleName, AssumeRolePolicyDocument string }
	f.Handle("iam", "GetAccountAuthorizationDetails", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Result(struct {
			Roles []role `xml:"RoleDetailList>member"`
		}{[]role{{"arn:aws:iam::" + awsfake.Account + ":role/app", "app", "%7B%7D"}}})
	})
	return f
}

// askFake makes the fake what commands ask in this test, started ones as well.
func askFake(t *testing.T, f *awsfake.Fake) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "NO_COLOR": "",
	} {
		t.Setenv(name, value)
	}
}

// runCollect runs collect on the fake, and returns what it said and its status.
func runCollect(t *testing.T, f *awsfake.Fake, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	askFake(t, f)
	var out, errs bytes.Buffer
	exit = run(t.Context(), append([]string{"collect"}, args...), streams{strings.NewReader(""), &out, &errs})
	return out.String(), errs.String(), exit
}

func TestCollect(t *testing.T) {
	const iamPermission = "iam:GetAccountAuthorizationDetails"
	denied := awsfake.Fault{Service: "organizations", Reply: awsfake.Deny}
	tests := []struct {
		name   string
		fault  awsfake.Fault
		args   []string
		stdout string // SNAPSHOT stands for the folder
		stderr string // in it
		exit   int
	}{
		{"whole", awsfake.Fault{Service: "none"}, nil, `organisation    3 ok
111122223333    1 ok
SNAPSHOT: 4 parts, all whole
`, "", statusDone},
		{"skipped", awsfake.Fault{Service: "none"}, []string{"--only", "iam"}, `organisation    0 ok
111122223333    1 ok
SNAPSHOT: 1 part, all whole
`, "", statusDone},
		{"denied", denied, nil, `organisation    0 ok   denied organization, organization/rcp, organization/scp
111122223333    1 ok
  organization of the organisation: User: arn:aws:iam::111122223333:user/u is not authorized to perform: organizations:DescribeOrganization because no identity-based policy allows the organizations:DescribeOrganization action
SNAPSHOT: 1 part whole, 3 not: what depends on those is unknown
`, "", statusDone},
		{"denied, and every account was asked for", denied, []string{"--org"}, `organisation    0 ok   denied organization, organization/rcp, organization/scp
111122223333    1 ok
  organization of the organisation: User: arn:aws:iam::111122223333:user/u is not authorized to perform: organizations:DescribeOrganization because no identity-based policy allows the organizations:DescribeOrganization action
SNAPSHOT: 1 part whole, 3 not: what depends on those is unknown
`, "--org: the accounts of the organisation aren't all known", statusAWS},
		{"failed", awsfake.Fault{Service: "iam", Reply: func(*awsfake.Call) awsfake.Reply { return awsfake.Error("ValidationError", "no\nsuch thing") }}, nil, `organisation    3 ok
111122223333    0 ok   error iam
  iam of 111122223333: ` + iamPermission + `: ValidationError: no such thing
SNAPSHOT: 3 parts whole, 1 not: what depends on those is unknown
`, "", statusAWS},
		{"nothing", awsfake.Fault{Service: "iam", Reply: awsfake.Deny}, []string{"--only", "iam"}, `111122223333    0 ok   denied iam
  iam of 111122223333: User: arn:aws:iam::111122223333:user/u is not authorized to perform: ` + iamPermission + ` because no identity-based policy allows the ` + iamPermission + ` action
nothing was got: no snapshot was written, and SNAPSHOT is as it was
`, "", statusAWS},
		{"no credentials that work", awsfake.Fault{Service: "sts", Reply: func(*awsfake.Call) awsfake.Reply {
			return awsfake.Error("ExpiredToken", "The security token included in the request is expired")
		}}, nil, "", "iamwhy: error: sts:GetCallerIdentity: STS GetCallerIdentity: ExpiredToken: The security token included in the request is expired; the credentials have expired: renew them\n", statusAWS},
		{"JSON", awsfake.Fault{Service: "iam", Reply: awsfake.Deny}, []string{"--output", "json"}, `{
  "folder": "SNAPSHOT",
  "collectedBy": "arn:aws:iam::111122223333:user/u",
  "written": true,
  "parts": [
    {
      "account": "",
      "part": "organization",
      "status": "ok"
    },
    {
      "account": "",
      "part": "organization/rcp",
      "status": "ok"
    },
    {
      "account": "",
      "part": "organization/scp",
      "status": "ok"
    },
    {
      "account": "111122223333",
      "part": "iam",
      "status": "denied",
      "reason": "User: arn:aws:iam::111122223333:user/u is not authorized to perform: iam:GetAccountAuthorizationDetails because no identity-based policy allows the iam:GetAccountAuthorizationDetails action"
    }
  ],
  "dropped": []
}
`, "", statusDone},
		{"no such format", awsfake.Fault{Service: "none"}, []string{"--output", "csv"}, "", `unknown output "csv": have text, json`, statusInput},
		{"no such part", awsfake.Fault{Service: "none"}, []string{"--only", "iamm"}, "", `unknown part "iamm": have `, statusInput},
		{"a role, and no other account", awsfake.Fault{Service: "none"}, []string{"--role-name", "x"}, "", "give --org or --accounts, too", statusInput},
		{"no calls at all", awsfake.Fault{Service: "none"}, []string{"--concurrency", "0"}, "", "give at least 1", statusInput},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := collectFake()
			f.Fail(tt.fault)
			folder := filepath.Join(t.TempDir(), "snapshot")
			args := append([]string{"-o", folder}, tt.args...)
			if !strings.Contains(strings.Join(args, " "), "--only") {
				args = append(args, "--only", "iam,organization")
			}
			stdout, stderr, exit := runCollect(t, f, args...)
			if exit != tt.exit {
				t.Errorf("exit status %d, want %d", exit, tt.exit)
			}
			stdout = skipped.ReplaceAllString(strings.ReplaceAll(stdout, folder, "SNAPSHOT"), "")
			if diff := cmp.Diff(tt.stdout, stdout); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if tt.stderr == "" && stderr != "" || !strings.Contains(stderr, tt.stderr) || strings.Count(stderr, "\n") > 1 {
				t.Errorf("stderr %q, want …%s…", stderr, tt.stderr)
			}
		})
	}
}

// skipped is what tells of the parts that the tests leave out.
var skipped = regexp.MustCompile(`   \d+ skipped|,\n    \{\n[^}]*"status": "skipped",[^}]*\}|    \{\n[^}]*"status": "skipped",[^}]*\},\n`)

// TestCollectDenied: a call that was denied is in snapshot.json, and an answer that hangs on it is undecided and names it.
func TestCollectDenied(t *testing.T) {
	f := collectFake()
	f.Fail(awsfake.Fault{Service: "organizations", Reply: awsfake.Deny})
	folder := filepath.Join(t.TempDir(), "snapshot")
	if _, stderr, exit := runCollect(t, f, "-o", folder, "--only", "iam,organization"); exit != statusDone {
		t.Fatalf("exit status %d: %s", exit, stderr)
	}
	const call = "organizations:DescribeOrganization"
	if text := tree(t, folder)["snapshot.json"]; !strings.Contains(text, `"action": "`+call+`"`) {
		t.Errorf("snapshot.json doesn't have the call:\n%s", text)
	}
	var out, errs bytes.Buffer
	args := []string{"check", "--snapshot", folder, "-p", "arn:aws:iam::" + awsfake.Account + ":root", "-a", "cloudwatch:ListMetrics", "-r", "*", "-c", "aws:SourceIp=203.0.113.7"}
	exit := run(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	if exit != statusIndeterminate || !strings.Contains(out.String(), call) {
		t.Errorf("check: exit status %d, want %d, and %s named:\n%s%s", exit, statusIndeterminate, call, out.String(), errs.String())
	}
}

// TestCollectKeepsNoSecrets: no credential gets into the snapshot.
func TestCollectKeepsNoSecrets(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "snapshot")
	if _, stderr, exit := runCollect(t, collectFake(), "-o", folder, "--only", "iam"); exit != statusDone {
		t.Fatalf("exit status %d: %s", exit, stderr)
	}
	for name, text := range tree(t, folder) {
		text = strings.ReplaceAll(text, "secretsmanager", "") // a part's name
		if strings.Contains(text, "AKIAIOSFODNN7EXAMPLE") || strings.Contains(text, "secret") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestHowFar(t *testing.T) {
	var p collectors.Progress
	p.Accounts.Store(1000)
	p.AccountsDone.Store(999)
	p.Parts.Store(123456)
	p.PartsDone.Store(12345)
	p.Calls.Store(1234567)
	p.Gaps.Store(4321)
	if got := howFar(&p); got != "999 of 1000 accounts, 12345 of 123456 parts, 1234567 calls, 4321 without answer" || len(got) > 79 {
		t.Errorf("%q, %d columns", got, len(got))
	}
}
