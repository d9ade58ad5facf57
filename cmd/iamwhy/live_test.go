package main

import (
	"bytes"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// liveFake is an account in no organisation, with a role that may send to all queues but one.
func liveFake() *awsfake.Fake {
	f := collectFake()
	none := func(*awsfake.Call) awsfake.Reply { return awsfake.Error("NoSuchEntity", "not found") }
	type role struct{ Path, RoleName, RoleId, Arn, AssumeRolePolicyDocument string }
	f.Handle("iam", "GetRole", func(c *awsfake.Call) awsfake.Reply {
		if c.Form.Get("RoleName") != "app" {
			return none(c)
		}
		return awsfake.Result(struct{ Role role }{role{"/team/", "app", "AROAAPP", "arn:aws:iam::" + awsfake.Account + ":role/team/app", "%7B%7D"}})
	})
	f.Handle("iam", "GetUser", none)
	f.Handle("iam", "ListRolePolicies", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Result(struct {
			PolicyNames []string `xml:"PolicyNames>member"`
		}{[]string{"send"}})
	})
	f.Handle("iam", "GetRolePolicy", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Result(struct{ PolicyName, PolicyDocument string }{"send", url.QueryEscape(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"},{"Sid":"NotThat","Effect":"Deny","Action":"sqs:*","Resource":"*:secret"}]}`)})
	})
	f.Handle("iam", "ListAttachedRolePolicies", func(*awsfake.Call) awsfake.Reply { return awsfake.Result(struct{}{}) })
	f.Handle("sqs", "ListQueues", func(c *awsfake.Call) awsfake.Reply {
		var in struct{ QueueNamePrefix string }
		if bad := c.Decode(&in); bad != nil {
			return *bad
		}
		return awsfake.JSON(map[string]any{"QueueUrls": []string{"https://sqs.eu-west-1.amazonaws.com/" + awsfake.Account + "/" + in.QueueNamePrefix}})
	})
	f.Handle("sqs", "GetQueueAttributes", func(*awsfake.Call) awsfake.Reply {
		return awsfake.JSON(map[string]any{"Attributes": map[string]string{}})
	})
	return f
}

// runLive runs the command on a fake, with a cache of its own.
func runLive(t *testing.T, f *awsfake.Fake, cache string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "NO_COLOR": "", "IAMWHY_SNAPSHOT": "not/there",
		"XDG_CACHE_HOME": cache, "HOME": cache, "LocalAppData": cache,
	} {
		t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	exit = run(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	return out.String(), errs.String(), exit
}

const (
	liveQueue = "arn:aws:sqs:eu-west-1:" + awsfake.Account + ":jobs"
	liveRole  = "arn:aws:iam::" + awsfake.Account + ":role/team/app"
)

func TestCheckLive(t *testing.T) {
	closed := []string{"--closed-context"}
	tests := []struct {
		name           string
		fault          awsfake.Fault
		args           []string
		stdout, stderr string // patterns
		exit           int
	}{
		{"allowed", awsfake.Fault{Service: "none"}, append(closed, "-p", liveRole, "-a", "sqs:SendMessage", "-r", liveQueue),
			`^ALLOWED   sqs:SendMessage → ` + liveQueue, `principal: ` + liveRole, statusDone},
		{"by name", awsfake.Fault{Service: "none"}, append(closed, "-p", "app", "-a", "sqs:SendMessage", "-r", liveQueue),
			`^ALLOWED `, `principal: ` + liveRole, statusDone},
		{"a session by name", awsfake.Fault{Service: "none"}, append(closed, "-p", "app/ci", "-a", "sqs:SendMessage", "-r", liveQueue),
			`^ALLOWED `, `principal: arn:aws:sts::111122223333:assumed-role/app/ci`, statusDone},
		{"denied", awsfake.Fault{Service: "none"}, append(closed, "-p", liveRole, "-a", "sqs:SendMessage", "-r", "arn:aws:sqs:eu-west-1:111122223333:secret"),
			`^DENIED by identity-based policy (.|\n)*NotThat`, ``, statusNo},
		{"a call is denied (U6)", awsfake.Fault{Service: "iam", Operation: "GetRolePolicy", Reply: awsfake.Deny}, append(closed, "-p", liveRole, "-a", "sqs:SendMessage", "-r", liveQueue),
			`^UNDECIDED (.|\n)*iam:GetRolePolicy was denied`, ``, statusIndeterminate},
		{"another account's queue", awsfake.Fault{Service: "none"}, append(closed, "-p", liveRole, "-a", "sqs:SendMessage", "-r", "arn:aws:sqs:eu-west-1:444455556666:jobs"),
			`^UNDECIDED (.|\n)*another account`, ``, statusIndeterminate},
		{"a typed command", awsfake.Fault{Service: "none"}, append(closed, "-p", "app", "--", "aws", "sqs", "send-message", "--queue-url", "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", "--message-body", "x"),
			`ALLOWED`, `principal: ` + liveRole, statusDone},
		{"nobody's name", awsfake.Fault{Service: "none"}, []string{"-p", "ghost", "-a", "sqs:SendMessage", "-r", liveQueue},
			`^$`, `error: -p: no one user or role of account 111122223333 is called "ghost"`, statusInput},
		{"a name that may not be looked for", awsfake.Fault{Service: "iam", Operation: "GetRole", Reply: awsfake.Deny}, []string{"-p", "app", "-a", "sqs:SendMessage", "-r", liveQueue},
			`^$`, `error: -p app: looking for it failed: .*iam:GetRole.*; give the full ARN`, statusAWS},
		{"no credentials that work", awsfake.Fault{Service: "sts", Reply: func(*awsfake.Call) awsfake.Reply { return awsfake.Error("ExpiredToken", "it is expired") }}, []string{"-a", "sqs:SendMessage"},
			`^$`, `error: sts:GetCallerIdentity: .*the credentials have expired: renew them`, statusAWS},
		{"with a snapshot", awsfake.Fault{Service: "none"}, []string{"--snapshot", "x", "-a", "sqs:SendMessage"}, `^$`, `--live and --snapshot exclude each other`, statusInput},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := liveFake()
			f.Fail(tt.fault)
			stdout, stderr, exit := runLive(t, f, t.TempDir(), append([]string{"check", "--live"}, tt.args...)...)
			if exit != tt.exit || !regexp.MustCompile(tt.stdout).MatchString(stdout) || !regexp.MustCompile(tt.stderr).MatchString(stderr) {
				t.Errorf("exit status %d, want %d\n%s%s", exit, tt.exit, stdout, stderr)
			}
		})
	}
}

// TestCheckLiveWho: without -p it is whoever asks.
func TestCheckLiveWho(t *testing.T) {
	_, stderr, _ := runLive(t, liveFake(), t.TempDir(), "check", "--live", "-a", "sqs:SendMessage", "-r", liveQueue)
	if want := "iamwhy: principal: arn:aws:iam::111122223333:user/u\n"; !strings.Contains(stderr, want) {
		t.Errorf("%s, want %q", stderr, want)
	}
}

// TestCheckLiveCache: what was asked once isn't asked again, but for who the caller is, and its age is said.
func TestCheckLiveCache(t *testing.T) {
	cache := t.TempDir()
	args := []string{"check", "--live", "-p", liveRole, "-a", "sqs:SendMessage", "-r", liveQueue, "--closed-context"}
	first, _, _ := runLive(t, liveFake(), cache, args...)
	makeOlder(t, cache, 3*time.Minute)

	f := liveFake()
	second, stderr, exit := runLive(t, f, cache, args...)
	if calls := asked(f); len(calls) > 0 || first != second || exit != statusDone {
		t.Errorf("asked %v; exit status %d: %s, was %s", calls, exit, second, first)
	}
	if want := "iamwhy: live policies of 3 min ago; --live-max-age 0 asks anew\n"; !strings.Contains(stderr, want) {
		t.Errorf("%s, want %q", stderr, want)
	}
	f = liveFake()
	_, stderr, _ = runLive(t, f, cache, append(args, "--live-max-age", "0")...)
	if calls := asked(f); len(calls) == 0 || strings.Contains(stderr, "ago") {
		t.Errorf("--live-max-age 0 asked %v: %s", calls, stderr)
	}
}

// asked are the calls but for who the caller is.
func asked(f *awsfake.Fake) []string {
	var all []string
	for _, c := range f.Calls() {
		if c.Operation != "GetCallerIdentity" {
			all = append(all, c.Service+":"+c.Operation)
		}
	}
	return all
}

// makeOlder sets the time of what is in a cache back.
func makeOlder(t *testing.T, cache string, by time.Duration) {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(base, "iamwhy", "live", "111122223333-*", "*", "*", "snapshot.json"))
	if err != nil || len(files) != 1 || !strings.HasPrefix(files[0], cache) {
		t.Fatalf("%v: %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	collected := regexp.MustCompile(`"collectedAt": "[^"]*"`)
	text = collected.ReplaceAll(text, []byte(`"collectedAt": "`+time.Now().Add(-by).UTC().Format(time.RFC3339)+`"`))
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestExplainLive: what several denials hang on is asked once.
func TestExplainLive(t *testing.T) {
	var events []string
	for _, queue := range []string{"jobs", "secret"} {
		events = append(events, `{"eventVersion":"1.08","eventID":"`+queue+`","eventTime":"2026-11-01T10:00:00Z","eventSource":"sqs.amazonaws.com","eventName":"SendMessage","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.7","eventType":"AwsApiCall","recipientAccountId":"111122223333",
"userIdentity":{"type":"AssumedRole","principalId":"AROAAPP:ci","arn":"arn:aws:sts::111122223333:assumed-role/app/ci","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAAPP","arn":"`+liveRole+`","accountId":"111122223333","userName":"app"}}},
"errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::111122223333:assumed-role/app/ci is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111122223333:`+queue+` with an explicit deny in an identity-based policy"}`)
	}
	file := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(file, []byte(`{"Records":[`+strings.Join(events, ",")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := liveFake()
	stdout, stderr, exit := runLive(t, f, t.TempDir(), "explain", "--live", file)
	if exit != statusDone || !strings.Contains(stdout, "NotThat") || !strings.Contains(stdout, "accounts/111122223333/iam.json:") {
		t.Errorf("exit status %d\n%s%s", exit, stdout, stderr)
	}
	calls := asked(f)
	for _, once := range []string{"iam:GetRole", "organizations:DescribeOrganization"} {
		if n := len(slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return c != once })); n != 1 {
			t.Errorf("%s was asked %d times: %v", once, n, calls)
		}
	}
}
