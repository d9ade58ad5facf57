package collectors

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// testAccount is the caller's, and its home region.
const (
	testAccount = awsfake.Account
	testRegion  = "eu-west-1"
)

var testTime = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// A collected is what a collection of one part left.
type collected struct {
	folder   string
	record   partRecord
	snapshot *snapshot.Snapshot // nil if nothing was got
	report   *Report
}

// file is the text of a file; "" if there is none.
func (c *collected) file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.folder, filepath.FromSlash(name)))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// own is the text of the part's own file.
func (c *collected) own(t testing.TB, p *part) string {
	t.Helper()
	return c.file(t, p.in(testAccount)+".json")
}

// collectPart collects one part of the fake's account in the given regions (eu-west-1 if none), and
// loads what came of it, which must be without a problem. A call that the row doesn't allow fails the test.
func collectPart(t testing.TB, f *awsfake.Fake, p *part, regions ...string) *collected {
	t.Helper()
	c := collectSpoilt(t, f, p, regions...)
	if c.snapshot != nil {
		noProblems(t, c.snapshot)
	}
	return c
}

// collectSpoilt is collectPart where what AWS answers is spoilt: loading it may find problems.
func collectSpoilt(t testing.TB, f *awsfake.Fake, p *part, regions ...string) *collected {
	t.Helper()
	if len(regions) == 0 {
		regions = []string{testRegion}
	}
	c := &collected{folder: filepath.Join(t.TempDir(), "snapshot")}
	report, err := collect(t.Context(), c.folder, testOptions(f, regions), []*part{p})
	if err != nil {
		t.Fatalf("collecting %s: %v", p.name, err)
	}
	c.report = report
	checkCalls(t, f, []*part{p}, Options{Regions: regions})
	if !report.Written {
		for _, r := range report.Results {
			if r.Part == p.word() {
				c.record = partRecord{Status: r.Status, Reason: r.Reason}
			}
		}
		return c
	}
	m, err := readMetadata(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	c.record = m.Parts[p.in(testAccount)]
	c.snapshot = load(t, c.folder)
	return c
}

func load(t testing.TB, folder string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Load(os.DirFS(folder))
	if err != nil {
		t.Fatalf("loading what was collected: %v", err)
	}
	return s
}

func noProblems(t testing.TB, s *snapshot.Snapshot) {
	t.Helper()
	for _, p := range s.Problems() {
		t.Errorf("loading what was collected: %s", p)
	}
}

// testOptions ask the fake, which gets what every collection needs.
func testOptions(f *awsfake.Fake, regions []string) Options {
	f.Handle("sts", "GetCallerIdentity", callerIdentity)
	f.Handle("sts", "AssumeRole", assumeRole)
	cfg := f.Config(testRegion)
	cfg.APIOptions = append(cfg.APIOptions, nameOperation)
	return Options{Config: cfg, Now: testTime, Regions: regions}
}

func callerIdentity(*awsfake.Call) awsfake.Reply {
	return awsfake.Result(struct{ Arn, UserId, Account string }{"arn:aws:iam::" + testAccount + ":user/collector", "AIDAEXAMPLE", testAccount})
}

// assumeRole gives an access key that ends in the role's account: see accountOfCall.
func assumeRole(c *awsfake.Call) awsfake.Reply {
	account := strings.Split(c.Form.Get("RoleArn"), ":")[4]
	type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
	return awsfake.Result(struct{ Credentials credentials }{credentials{"ASIA" + account, "secret", "token", "2099-01-01T00:00:00Z"}})
}

// accountOfCall is the account whose credentials made a call.
func accountOfCall(c *awsfake.Call) string {
	if account, ok := strings.CutPrefix(c.AccessKey, "ASIA"); ok {
		return account
	}
	return testAccount
}

// The headers in which the SDK's name of an operation goes along.
const (
	serviceHeader   = "X-Test-Service"
	operationHeader = "X-Test-Operation"
)

// nameOperation puts the SDK's name of an operation into the call: no path of a REST service has it.
func nameOperation(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("nameOperation", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			r.Header.Set(serviceHeader, awsmiddleware.GetServiceID(ctx))
			r.Header.Set(operationHeader, awsmiddleware.GetOperationName(ctx))
		}
		return next.HandleBuild(ctx, in)
	}), middleware.After)
}

// checkCalls fails if a call that was made is one that the least policy doesn't allow, as our own evaluator sees it.
func checkCalls(t testing.TB, f *awsfake.Fake, rows []*part, o Options) {
	t.Helper()
	for _, call := range uncovered(t, f, rows, o) {
		t.Error(call)
	}
}

// uncovered are the calls that were made and that the least policy doesn't allow.
func uncovered(t testing.TB, f *awsfake.Fake, rows []*part, o Options) []string {
	t.Helper()
	text, err := leastPolicy(o, rows)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := policy.Parse("least policy", text)
	if err != nil {
		t.Fatalf("the least policy: %v", err)
	}
	least := &evaluator.Policies{Identity: evaluator.Layer{
		State:    evaluator.Applies,
		Policies: []evaluator.Policy{{Name: "least", Type: "inline", Body: evaluator.Compile(doc)}},
	}}
	var all []string
	seen := make(map[string]bool)
	for _, c := range f.Calls() {
		service := cmp.Or(c.Request.Header.Get(serviceHeader), c.Service)
		operation := cmp.Or(c.Request.Header.Get(operationHeader), c.Operation)
		if seen[service+operation] || service == "STS" || service == "sts" {
			continue
		}
		seen[service+operation] = true
		if c.Service == "s3express" { // the client is S3's, the action isn't
			service = c.Service
		}
		for _, action := range actionsOf(t, service, operation) {
			if !allows(least, action) {
				all = append(all, fmt.Sprintf("%s %s needs %s, which no row has", service, operation, action))
			}
		}
	}
	return all
}

// actionsOf are the actions that an operation needs.
func actionsOf(t testing.TB, service, operation string) []string {
	t.Helper()
	var actions []string
	for _, r := range apicall.Requests(apicall.Call{Service: service, Operation: operation, Region: testRegion, Account: testAccount}) {
		if r.Required {
			actions = append(actions, r.Action)
		}
	}
	if len(actions) == 0 {
		t.Errorf("which action %s %s is isn't known", service, operation)
	}
	return actions
}

func allows(p *evaluator.Policies, action string) bool {
	arn := "arn:aws:iam::" + testAccount + ":user/collector"
	return evaluator.Evaluate(&evaluator.Request{
		Principal: evaluator.Principal{Type: evaluator.User, ARN: arn, Account: testAccount},
		Action:    action,
		Resource:  evaluator.Resource{ARN: "*", Account: testAccount},
	}, p) == evaluator.Allowed
}
