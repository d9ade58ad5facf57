package collectors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// queues is a part that finds one queue a region, without asking anybody.
func queues() *part {
	return &part{
		name: "resources/sqs", types: []string{"queue"}, permissions: []string{"sqs:ListQueues"},
		collect: func(_ context.Context, c *collection) {
			c.add(&item{ARN: "arn:aws:sqs:" + c.region + ":" + c.account + ":q", Type: "queue", Policy: noPolicy, Extra: struct{}{}})
		},
	}
}

// topics is another.
func topics() *part {
	p := queues()
	p.name, p.types, p.permissions = "resources/sns", []string{"topic"}, []string{"sns:ListTopics"}
	p.collect = func(_ context.Context, c *collection) {
		c.add(&item{ARN: "arn:aws:sns:" + c.region + ":" + c.account + ":t", Type: "topic", Policy: noPolicy, Extra: struct{}{}})
	}
	return p
}

// statuses are the parts of a report: account/part: status.
func statuses(r *Report) []string {
	var all []string
	for _, x := range r.Results {
		kept := ""
		if x.Kept != "" {
			kept = " of " + x.Kept
		}
		all = append(all, x.Account+"/"+x.Part+": "+x.Status+kept)
	}
	return all
}

func mustCollect(t *testing.T, folder string, o Options, rows ...*part) *Report {
	t.Helper()
	r, err := collect(t.Context(), folder, o, rows)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCollectOrganization(t *testing.T) {
	f := newFakeOrg().fake()
	f.Handle("iam", "GetAccountAuthorizationDetails", func(c *awsfake.Call) awsfake.Reply {
		return authorizationPages(fmt.Sprintf(`<RoleDetailList><member><Arn>arn:aws:iam::%s:role/r</Arn><RoleName>r</RoleName><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument></member></RoleDetailList>`, accountOfCall(c)))(c)
	})
	o := testOptions(f, []string{"eu-west-1", "us-east-1", "eu-west-1"})
	o.Org = true
	folder := filepath.Join(t.TempDir(), "s")
	rows := []*part{&iamPart, &organizationPart, queues()}
	r := mustCollect(t, folder, o, rows...)
	want := []string{
		"/organization: ok", "/organization/rcp: ok", "/organization/scp: ok",
		testAccount + "/iam: ok", testAccount + "/sqs: ok",
		memberAccount + "/iam: ok", memberAccount + "/sqs: ok",
		suspendedAccount + "/iam: skipped", suspendedAccount + "/sqs: skipped",
	}
	if diff := cmp.Diff(want, statuses(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkCalls(t, f, rows, o)
	first := files(t, folder)
	if got := strings.Count(first["accounts/222222222222/resources/sqs.json"], `"arn"`); got != 2 {
		t.Errorf("%d queues, want one a region", got)
	}

	o.Now = o.Now.Add(time.Hour)
	mustCollect(t, folder, o, rows...)
	second := files(t, folder)
	for _, all := range []map[string]string{first, second} {
		if !strings.Contains(all[metadataFile], "collectedAt") {
			t.Errorf("snapshot.json: %s", all[metadataFile])
		}
		delete(all, metadataFile)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("an unchanged organisation, collected twice (-first +second):\n%s", diff)
	}
}

// files are the files below a folder, by name.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestAccounts: an account that can't be entered is recorded, and the others are collected.
func TestAccounts(t *testing.T) {
	f := awsfake.New()
	o := testOptions(f, []string{"eu-west-1"})
	f.Handle("sts", "AssumeRole", func(c *awsfake.Call) awsfake.Reply {
		want := "arn:aws:iam::" + memberAccount + ":role/audit/reader"
		if c.Form.Get("RoleArn") != want || c.Form.Get("ExternalId") != "x1" || c.Form.Get("RoleSessionName") != "nightly" {
			return awsfake.Deny(c)
		}
		return assumeRole(c)
	})
	o.Accounts = []string{suspendedAccount, memberAccount, memberAccount}
	o.RoleName, o.ExternalID, o.SessionName = "audit/reader", "x1", "nightly"
	folder := filepath.Join(t.TempDir(), "s")
	r := mustCollect(t, folder, o, queues())
	want := []string{memberAccount + "/sqs: ok", suspendedAccount + "/sqs: denied"}
	if diff := cmp.Diff(want, statuses(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m, err := readMetadata(folder)
	if err != nil {
		t.Fatal(err)
	}
	gaps := m.Parts["accounts/"+suspendedAccount+"/resources/sqs"].Gaps
	if len(gaps) != 1 || gaps[0].Action != "sts:AssumeRole" || gaps[0].Resource != "arn:aws:iam::"+suspendedAccount+":role/audit/reader" {
		t.Errorf("gaps: %+v", gaps)
	}
}

// TestGaps: what failed in one region, or of one resource, is recorded as that, and the rest is kept.
func TestGaps(t *testing.T) {
	denied := apiError{"AccessDenied", "Access Denied"}
	p := queues()
	p.collect = func(_ context.Context, c *collection) {
		switch c.region {
		case "us-east-1":
			c.fail("sqs:ListQueues", "", denied)
		case "ap-south-2":
			c.fail("sqs:ListQueues", "", fmt.Errorf("dialling: %w", &net.DNSError{Err: "no such host", Name: "sqs.ap-south-2.amazonaws.com", IsNotFound: true}))
		default:
			lost := &item{ARN: "arn:aws:sqs:eu-west-1:" + testAccount + ":lost", Type: "queue", Extra: struct{}{}}
			c.lost(lost, "sqs:GetQueueAttributes", denied)
			c.add(lost)
			queues().collect(context.Background(), c)
		}
	}
	got := collectPart(t, awsfake.New(), p, "eu-west-1", "us-east-1", "ap-south-2")
	want := partRecord{
		Status: "error", Reason: "sqs:ListQueues in ap-south-2: dialling: lookup sqs.ap-south-2.amazonaws.com: no such host; and 2 more calls",
		Regions: []string{"ap-south-2", "eu-west-1", "us-east-1"},
		Gaps: []gap{
			{Action: "sqs:ListQueues", Region: "ap-south-2", Status: "error", Reason: "dialling: lookup sqs.ap-south-2.amazonaws.com: no such host"},
			{Action: "sqs:GetQueueAttributes", Resource: "arn:aws:sqs:eu-west-1:" + testAccount + ":lost", Region: "eu-west-1", Status: "denied", Reason: "Access Denied"},
			{Action: "sqs:ListQueues", Region: "us-east-1", Status: "denied", Reason: "Access Denied"},
		},
	}
	if diff := cmp.Diff(want, got.record, cmp.AllowUnexported(gap{})); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	const wantFile = `[
  {
    "arn": "arn:aws:sqs:eu-west-1:111122223333:lost",
    "type": "queue",
    "status": "denied",
    "reason": "Access Denied",
    "extra": {}
  },
  {
    "arn": "arn:aws:sqs:eu-west-1:111122223333:q",
    "type": "queue",
    "policy": null,
    "extra": {}
  }
]
`
	if diff := cmp.Diff(wantFile, got.own(t, p)); diff != "" {
		t.Errorf("sqs.json (-want +got):\n%s", diff)
	}
}

type apiError struct{ code, message string }

func (e apiError) Error() string                 { return e.code + ": " + e.message + ", request id 1" }
func (e apiError) ErrorCode() string             { return e.code }
func (e apiError) ErrorMessage() string          { return e.message }
func (e apiError) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// TestNotOffered: a service without an endpoint in a region, where others answer and which answers elsewhere, has
// nothing there. Anything less may be the network's fault.
func TestNotOffered(t *testing.T) {
	noHost := fmt.Errorf("dialling: %w", &net.DNSError{Err: "no such host", IsNotFound: true})
	denied := apiError{"AccessDenied", ""}
	// How queues and topics go in eu-west-1 and us-east-1. What goes well finds nothing.
	tests := []struct {
		name   string
		queues map[string]error
		topics map[string]error
		want   partRecord // of queues, without its reason and gaps
	}{
		{"topics answer", map[string]error{"us-east-1": noHost}, nil, partRecord{Status: "ok", NotOffered: []string{"us-east-1"}}},
		{"topics are denied, which is an answer", map[string]error{"us-east-1": noHost}, map[string]error{"us-east-1": denied}, partRecord{Status: "ok", NotOffered: []string{"us-east-1"}}},
		{"nobody answers", map[string]error{"us-east-1": noHost}, map[string]error{"us-east-1": noHost}, partRecord{Status: "error"}},
		{"nowhere", map[string]error{"us-east-1": noHost, "eu-west-1": noHost}, nil, partRecord{Status: "error"}},
		{"and denied elsewhere", map[string]error{"us-east-1": noHost, "eu-west-1": denied}, nil, partRecord{Status: "denied", NotOffered: []string{"us-east-1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failing := func(p *part, errs map[string]error) *part {
				p.collect = func(_ context.Context, c *collection) {
					if err := errs[c.region]; err != nil {
						c.fail(p.permissions[0], "", err)
					}
				}
				return p
			}
			regions := []string{"eu-west-1", "us-east-1"}
			folder := filepath.Join(t.TempDir(), "s")
			mustCollect(t, folder, testOptions(awsfake.New(), regions), failing(queues(), tt.queues), failing(topics(), tt.topics))
			noProblems(t, load(t, folder))
			m, err := readMetadata(folder)
			if err != nil {
				t.Fatal(err)
			}
			got := m.Parts["accounts/"+testAccount+"/resources/sqs"]
			got.Reason, got.Gaps, got.Regions = "", nil, nil
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(gap{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNothingGot: a collection that gets nothing leaves the old snapshot.
func TestNothingGot(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1"})
	folder := filepath.Join(t.TempDir(), "s")
	mustCollect(t, folder, o, queues())
	before := files(t, folder)
	p := queues()
	p.collect = func(_ context.Context, c *collection) { c.fail("sqs:ListQueues", "", apiError{"AccessDenied", ""}) }
	r := mustCollect(t, folder, o, p)
	if r.Written || len(r.Results) != 1 || r.Results[0].Status != "denied" {
		t.Errorf("report: %+v", r)
	}
	if diff := cmp.Diff(before, files(t, folder)); diff != "" {
		t.Errorf("the old snapshot (-before +after):\n%s", diff)
	}
	noneBeside(t, folder)
}

// noneBeside fails if something is left beside a snapshot.
func noneBeside(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(folder) {
			t.Errorf("%s is left beside the snapshot", e.Name())
		}
	}
}

// TestOnly: what isn't asked for stays, and says how old it is.
func TestOnly(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1"})
	rows := []*part{topics(), queues()}
	folder := filepath.Join(t.TempDir(), "s")
	step := func(name string, change func(*Options), want ...string) {
		t.Helper()
		next := o
		change(&next)
		if diff := cmp.Diff(want, statuses(mustCollect(t, folder, next, rows...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		noProblems(t, load(t, folder))
	}
	at := func(hours int) time.Time { return testTime.Add(time.Duration(hours) * time.Hour) }
	step("queues only", func(o *Options) { o.Only = []string{"sqs"} }, testAccount+"/sns: skipped", testAccount+"/sqs: ok")
	step("topics only", func(o *Options) { o.Skip, o.Now = []string{"sqs"}, at(1) }, testAccount+"/sns: ok", testAccount+"/sqs: ok of 2026-11-28T12:00:00Z")
	step("topics again", func(o *Options) { o.Only, o.Now = []string{"sns"}, at(2) }, testAccount+"/sns: ok", testAccount+"/sqs: ok of 2026-11-28T12:00:00Z")
	step("another account", func(o *Options) { o.Accounts, o.Now = []string{memberAccount}, at(3) },
		testAccount+"/sns: ok of 2026-11-28T14:00:00Z", testAccount+"/sqs: ok of 2026-11-28T12:00:00Z", memberAccount+"/sns: ok", memberAccount+"/sqs: ok")
	step("all", func(o *Options) { o.Now = at(4) },
		testAccount+"/sns: ok", testAccount+"/sqs: ok", memberAccount+"/sns: ok of 2026-11-28T15:00:00Z", memberAccount+"/sqs: ok of 2026-11-28T15:00:00Z")
}

// TestLeftOrganization: an account that left the organisation leaves the snapshot, and the report says so.
func TestLeftOrganization(t *testing.T) {
	org := newFakeOrg()
	o := testOptions(org.fake(), []string{"eu-west-1"})
	o.Org = true
	folder := filepath.Join(t.TempDir(), "s")
	mustCollect(t, folder, o, &organizationPart, queues())
	org.accounts["ou-prod"] = []string{suspendedAccount}
	r := mustCollect(t, folder, o, &organizationPart, queues())
	if diff := cmp.Diff([]string{memberAccount}, r.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(r.Results, func(r Result) bool { return r.Account == memberAccount }) {
		t.Errorf("results: %+v", r.Results)
	}
}

func TestOptionsRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"a part that isn't", func(o *Options) { o.Only = []string{"sqss"} }, `unknown part "sqss": have sns, sqs`},
		{"nothing left", func(o *Options) { o.Only, o.Skip = []string{"sqs"}, []string{"sqs"} }, "leave no part"},
		{"both", func(o *Options) { o.Org, o.Accounts = true, []string{memberAccount} }, "exclude each other"},
		{"not an account", func(o *Options) { o.Accounts = []string{"prod"} }, `"prod" isn't an account`},
		{"not a region", func(o *Options) { o.Regions = []string{"../x"} }, `"../x" isn't a region`},
	}
	for _, tt := range tests {
		o := testOptions(awsfake.New(), nil)
		tt.change(&o)
		folder := filepath.Join(t.TempDir(), "s")
		if _, err := collect(t.Context(), folder, o, []*part{topics(), queues()}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want …%s…", tt.name, err, tt.want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: the folder was made", tt.name)
		}
	}
}

// TestCallerUnknown: without credentials that work there is no snapshot.
func TestCallerUnknown(t *testing.T) {
	f := awsfake.New()
	o := testOptions(f, nil)
	f.Fail(awsfake.Fault{Service: "sts", Reply: func(*awsfake.Call) awsfake.Reply {
		return awsfake.Error("InvalidClientTokenId", "The security token included in the request is invalid.")
	}})
	_, err := collect(t.Context(), filepath.Join(t.TempDir(), "s"), o, []*part{queues()})
	if err == nil || !strings.Contains(err.Error(), "sts:GetCallerIdentity: InvalidClientTokenId") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error: %v", err)
	}
}

// TestStopped: a collection that is stopped leaves the old snapshot as it was.
func TestStopped(t *testing.T) {
	o := testOptions(awsfake.New(), []string{"eu-west-1", "us-east-1"})
	folder := filepath.Join(t.TempDir(), "s")
	mustCollect(t, folder, o, queues())
	before := files(t, folder)
	ctx, cancel := context.WithCancel(t.Context())
	p := queues()
	p.collect = func(ctx context.Context, c *collection) {
		topics().collect(ctx, c)
		if c.region == "us-east-1" {
			cancel()
		}
	}
	if _, err := collect(ctx, folder, o, []*part{p}); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	if diff := cmp.Diff(before, files(t, folder)); diff != "" {
		t.Errorf("the old snapshot (-before +after):\n%s", diff)
	}
	noneBeside(t, folder)
}

// TestConcurrency: a part makes as many calls at once as it may, and no more.
func TestConcurrency(t *testing.T) {
	const most = 3
	var now, peak atomic.Int64
	full := make(chan struct{})
	f := awsfake.New()
	f.Handle("iam", "GetAccountAuthorizationDetails", func(c *awsfake.Call) awsfake.Reply {
		n := now.Add(1)
		defer now.Add(-1)
		if n == most && peak.Swap(n) < most {
			close(full)
		}
		if n > most {
			peak.Store(n)
		}
		<-full // that many do come at once, or the test never ends
		return authorizationPages("")(c)
	})
	p := &part{name: "resources/sqs", permissions: []string{iamPermission}, collect: func(ctx context.Context, c *collection) {
		api := iam.NewFromConfig(c.cfg)
		forEach(ctx, c, slices.Values(make([]int, 8)), func(ctx context.Context, _ int) {
			if _, err := api.GetAccountAuthorizationDetails(ctx, nil); err != nil {
				c.fail(iamPermission, "", err)
			}
		})
		queues().collect(ctx, c)
	}}
	o := testOptions(f, []string{"eu-west-1", "us-east-1"})
	o.Concurrency, o.Progress = most, new(Progress)
	r := mustCollect(t, filepath.Join(t.TempDir(), "s"), o, p)
	if peak.Load() != most {
		t.Errorf("%d calls at once, want %d", peak.Load(), most)
	}
	if calls := o.Progress.Calls.Load(); calls != 16 || o.Progress.PartsDone.Load() != 2 || o.Progress.AccountsDone.Load() != 1 {
		t.Errorf("progress: %d calls, %d parts, %d accounts", calls, o.Progress.PartsDone.Load(), o.Progress.AccountsDone.Load())
	}
	if r.Results[0].Status != "ok" {
		t.Errorf("result: %+v", r.Results[0])
	}
}
