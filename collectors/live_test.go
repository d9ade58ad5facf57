package collectors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

const (
	appRole  = "arn:aws:iam::" + testAccount + ":role/team/app"
	annUser  = "arn:aws:iam::" + testAccount + ":user/ann"
	queueARN = "arn:aws:sqs:eu-west-1:" + testAccount + ":q1"
)

// The shapes of IAM's answers.
type (
	liveNames    []string
	liveAttached struct{ PolicyName, PolicyArn string }
	liveBoundary struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }
)

// liveFake is newFakeOrg's organisation, whose management account has a role, a user in a group, a bucket and queues.
func liveFake() *awsfake.Fake {
	f := newFakeOrg().fake()
	org := newFakeOrg()
	f.Handle("organizations", "ListParents", func(c *awsfake.Call) awsfake.Reply {
		var in object
		if bad := c.Decode(&in); bad != nil {
			return *bad
		}
		for _, below := range []map[string][]string{org.accounts, org.units} {
			for parent, children := range below {
				if slices.Contains(children, in.str("ChildId")) {
					kind := "ORGANIZATIONAL_UNIT"
					if parent == "r-root" {
						kind = "ROOT"
					}
					return awsfake.JSON(object{"Parents": []any{object{"Id": parent, "Type": kind}}})
				}
			}
		}
		return awsfake.Error("ChildNotFoundException", "You provided a child that doesn't exist.")
	})
	f.Handle("organizations", "ListPoliciesForTarget", list("Policies", func(in object) []any {
		var ids []string
		for _, id := range org.policies[in.str("Filter")] {
			if slices.Contains(org.targets[id], in.str("TargetId")) {
				ids = append(ids, id)
			}
		}
		return each(ids, org.summary)
	}))
	liveIAM(f)
	s3Test.serve(f, nil)
	sqsTest.serve(f, nil)
	return f
}

func liveIAM(f *awsfake.Fake) {
	none := func(c *awsfake.Call) awsfake.Reply {
		return awsfake.Error("NoSuchEntity", "The name cannot be found.")
	}
	named := func(parameter, name string, answer any) awsfake.Handler {
		return func(c *awsfake.Call) awsfake.Reply {
			if c.Form.Get(parameter) != name {
				return none(c)
			}
			return awsfake.Result(answer)
		}
	}
	type role struct {
		Path, RoleName, RoleId, Arn, AssumeRolePolicyDocument string
		PermissionsBoundary                                   liveBoundary
	}
	type user struct{ Path, UserName, UserId, Arn string }
	type group struct{ GroupName, Arn string }
	type names struct {
		PolicyNames liveNames `xml:"PolicyNames>member"`
	}
	type attached struct {
		AttachedPolicies []liveAttached `xml:"AttachedPolicies>member"`
	}
	managed := func(name string) attached {
		return attached{[]liveAttached{{name, "arn:aws:iam::aws:policy/" + name}}}
	}
	document := struct{ PolicyName, PolicyDocument string }{"inline", encoded(allowDocument)}
	for operation, h := range map[string]awsfake.Handler{
		"GetRole": named("RoleName", "app", struct{ Role role }{role{
			"/team/", "app", "AROAAPP", appRole, encoded(trustDocument), liveBoundary{"Policy", "arn:aws:iam::aws:policy/Boundary"},
		}}),
		"ListRolePolicies":         named("RoleName", "app", names{liveNames{"inline"}}),
		"GetRolePolicy":            named("RoleName", "app", document),
		"ListAttachedRolePolicies": named("RoleName", "app", managed("Shared")),
		"GetUser":                  named("UserName", "ann", struct{ User user }{user{"/", "ann", "AIDAANN", annUser}}),
		"ListUserPolicies":         named("UserName", "ann", names{}),
		"ListAttachedUserPolicies": named("UserName", "ann", managed("Shared")),
		"ListGroupsForUser": named("UserName", "ann", struct {
			Groups []group `xml:"Groups>member"`
		}{[]group{{"team", "arn:aws:iam::" + testAccount + ":group/team"}}}),
		"ListGroupPolicies":         named("GroupName", "team", names{liveNames{"inline"}}),
		"GetGroupPolicy":            named("GroupName", "team", document),
		"ListAttachedGroupPolicies": named("GroupName", "team", managed("Shared")),
		"GetPolicy": func(c *awsfake.Call) awsfake.Reply {
			arn := c.Form.Get("PolicyArn")
			type p struct{ PolicyName, Arn, DefaultVersionId string }
			return awsfake.Result(struct{ Policy p }{p{arn[strings.LastIndexByte(arn, '/')+1:], arn, "v3"}})
		},
		"GetPolicyVersion": func(c *awsfake.Call) awsfake.Reply {
			if c.Form.Get("VersionId") != "v3" {
				return none(c)
			}
			type v struct {
				Document, VersionId string
				IsDefaultVersion    bool
			}
			return awsfake.Result(struct{ PolicyVersion v }{v{encoded(allowDocument), "v3", true}})
		},
	} {
		f.Handle("iam", operation, h)
	}
}

// newLive asks a fake as of a time, with a cache in folder.
func newLive(t *testing.T, f *awsfake.Fake, folder string, now time.Time) *Live {
	t.Helper()
	o := testOptions(f, nil)
	l, err := NewLive(t.Context(), LiveOptions{Config: o.Config, Now: now, Folder: folder, MaxAge: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func gatherLive(t *testing.T, l *Live, requests ...evaluator.Request) *snapshot.Snapshot {
	t.Helper()
	s, _, err := l.Gather(t.Context(), Questions{Requests: requests})
	if err != nil {
		t.Fatal(err)
	}
	noProblems(t, s)
	return s
}

func request(t *testing.T, principal, action, resource string) evaluator.Request {
	t.Helper()
	p, err := evaluator.ParsePrincipal(principal)
	if err != nil {
		t.Fatal(err)
	}
	return evaluator.Request{Principal: p, Action: action, Resource: evaluator.Resource{ARN: resource}}
}

func policiesOfRequest(t *testing.T, s *snapshot.Snapshot, req evaluator.Request) evaluator.Policies {
	t.Helper()
	s.Complete(&req)
	p, err := s.Policies(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// operations are the calls that were made, each kind once, but for those of STS.
func operations(f *awsfake.Fake) []string {
	var all []string
	for _, c := range f.Calls() {
		if c.Service != "sts" {
			all = append(all, c.Service+":"+cmp.Or(c.Request.Header.Get(operationHeader), c.Operation))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var organizationCalls = []string{
	"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListParents",
	"organizations:ListPoliciesForTarget", "organizations:ListRoots",
}

// TestLiveCalls: what is asked for a request, and nothing else.
func TestLiveCalls(t *testing.T) {
	roleCalls := []string{
		"iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
	}
	tests := []struct {
		name                        string
		principal, action, resource string
		vpce                        bool
		want                        []string
	}{
		{"a role and no resource", appRole, "ec2:DescribeInstances", "*", false, slices.Concat(roleCalls, organizationCalls)},
		{"a session of it", "arn:aws:sts::" + testAccount + ":assumed-role/app/s", "ec2:DescribeInstances", "*", false, slices.Concat(roleCalls, organizationCalls)},
		{"root", "arn:aws:iam::" + testAccount + ":root", "ec2:DescribeInstances", "*", false, organizationCalls},
		{"a user with a group", annUser, "ec2:DescribeInstances", "*", false, slices.Concat([]string{
			"iam:GetGroupPolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetUser", "iam:ListAttachedGroupPolicies",
			"iam:ListAttachedUserPolicies", "iam:ListGroupPolicies", "iam:ListGroupsForUser", "iam:ListUserPolicies",
		}, organizationCalls)},
		{"a trust policy (S5)", "anonymous", "sts:AssumeRole", appRole, false, slices.Concat(roleCalls, organizationCalls)},
		{"an object of a bucket", "anonymous", "s3:GetObject", "arn:aws:s3:::new/key", false, slices.Concat(organizationCalls, []string{
			"s3:GetBucketAbac", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetPublicAccessBlock", "s3:ListBuckets",
		})},
		{"a queue", "anonymous", "sqs:SendMessage", queueARN, false, slices.Concat(organizationCalls, []string{"sqs:GetQueueAttributes", "sqs:ListQueues"})},
		{"another account's role and queue", "arn:aws:iam::" + memberAccount + ":role/x", "sqs:SendMessage", "arn:aws:sqs:eu-west-1:" + memberAccount + ":q1", false, organizationCalls},
		{"a VPC endpoint (E12)", "anonymous", "ec2:DescribeInstances", "*", true, []string{"ec2:DescribeVpcEndpoints"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := liveFake()
			f.Handle("ec2", "DescribeVpcEndpoints", text(`<DescribeVpcEndpointsResponse/>`))
			req := request(t, tt.principal, tt.action, tt.resource)
			if tt.vpce {
				req.Context.Set("aws:SourceVpce", "vpce-1")
			}
			l := newLive(t, f, t.TempDir(), testTime)
			gatherLive(t, l, req)
			if diff := gocmp.Diff(tt.want, operations(f)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			checkCalls(t, f, l.needOf(Questions{Requests: []evaluator.Request{req}}).parts(), Options{Regions: []string{testRegion}})
		})
	}
}

// TestLiveAnswers: what is gathered decides as what collect collects.
func TestLiveAnswers(t *testing.T) {
	f := liveFake()
	queue := request(t, appRole, "sqs:SendMessage", queueARN)
	object := request(t, annUser, "s3:GetObject", "arn:aws:s3:::new/key")
	member := request(t, "arn:aws:iam::"+memberAccount+":role/x", "s3:GetObject", "arn:aws:s3:::new/key")
	s := gatherLive(t, newLive(t, f, t.TempDir(), testTime), queue, object, member)

	p := policiesOfRequest(t, s, queue)
	if p.Identity.State != evaluator.Applies || len(p.Identity.Policies) != 2 || p.Boundary.State != evaluator.Applies {
		t.Errorf("the role's policies: %+v, boundary %+v", p.Identity, p.Boundary)
	}
	if p.Resource.State != evaluator.Applies || len(p.Resource.Policies) != 1 {
		t.Errorf("the queue's policy: %+v", p.Resource)
	}
	if p.SCP.State != evaluator.DoesNotApply || p.RCP.State != evaluator.DoesNotApply { // rules E10, E11
		t.Errorf("SCPs and RCPs of the management account: %+v, %+v", p.SCP, p.RCP)
	}
	if p := policiesOfRequest(t, s, object); len(p.Identity.Policies) != 3 || p.Resource.Bucket == nil || len(p.Resource.Policies) != 1 {
		t.Errorf("the user's and the bucket's policies: %+v, %+v", p.Identity, p.Resource)
	}
	p = policiesOfRequest(t, s, member)
	var targets []string
	for _, level := range p.SCP.Levels {
		targets = append(targets, level.Target)
	}
	if want := []string{"r-root", "ou-work", "ou-prod", memberAccount}; !isWhole(p.SCP) || !slices.Equal(targets, want) {
		t.Errorf("SCPs of a member: %v, whole %t, want %v", targets, isWhole(p.SCP), want)
	}
	if p.Identity.State != evaluator.NotCollected || !strings.Contains(p.Identity.Missing, "another account") {
		t.Errorf("another account's role: %+v", p.Identity)
	}
	// The tree is of the paths alone: of other accounts nobody knows whether they are in the organisation.
	if got := s.InOrganization(suspendedAccount); got != evaluator.Unknown {
		t.Errorf("an account that wasn't asked for: in the organisation: %v", got)
	}
	// Nor does one queue, here one without a policy, say anything of the others.
	without := gatherLive(t, newLive(t, f, t.TempDir(), testTime), request(t, appRole, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:"+testAccount+":q2"))
	some := request(t, appRole, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:"+testAccount+":*")
	some.Resource.Pattern = true
	if p := policiesOfRequest(t, without, some); p.Resource.State != evaluator.NotCollected {
		t.Errorf("queues of which one was asked for: %+v", p.Resource)
	}
	for _, other := range []string{"arn:aws:s3:::elsewhere/key", "arn:aws:sqs:eu-west-1:" + testAccount + ":q9"} {
		if p := policiesOfRequest(t, s, request(t, appRole, "s3:GetObject", other)); p.Resource.State != evaluator.NotCollected {
			t.Errorf("%s: %+v", other, p.Resource)
		}
	}
}

// TestLiveDenied: whichever call is denied, what hangs on it is unknown and names it (rule U6).
func TestLiveDenied(t *testing.T) {
	req := request(t, appRole, "s3:GetObject", "arn:aws:s3:::new/key")
	member := request(t, "arn:aws:iam::"+memberAccount+":root", "s3:GetObject", "arn:aws:s3:::new/key")
	tests := []struct {
		service, operation string
		req                evaluator.Request
		missing            func(evaluator.Policies) string
		want               string
	}{
		{"iam", "GetRole", req, func(p evaluator.Policies) string { return p.Identity.Missing }, "iam:GetRole"},
		{"iam", "GetRolePolicy", req, func(p evaluator.Policies) string { return p.Identity.Missing }, "iam:GetRolePolicy"},
		{"iam", "ListAttachedRolePolicies", req, func(p evaluator.Policies) string { return p.Identity.Missing }, "iam:ListAttachedRolePolicies"},
		{"iam", "GetPolicyVersion", req, func(p evaluator.Policies) string { return p.Boundary.Missing }, "iam:GetPolicyVersion"},
		{"organizations", "DescribeOrganization", member, func(p evaluator.Policies) string { return p.SCP.Missing }, "organizations:DescribeOrganization"},
		{"organizations", "ListParents", member, func(p evaluator.Policies) string { return p.SCP.Missing }, "organizations:ListParents"},
		{"organizations", "ListPoliciesForTarget", member, func(p evaluator.Policies) string { return p.SCP.Levels[0].Missing }, "organizations:ListPoliciesForTarget"},
	}
	for _, tt := range tests {
		t.Run(tt.operation, func(t *testing.T) {
			f := liveFake()
			f.Fail(awsfake.Fault{Service: tt.service, Operation: tt.operation, Reply: awsfake.Deny})
			p := policiesOfRequest(t, gatherLive(t, newLive(t, f, t.TempDir(), testTime), tt.req), tt.req)
			if got := tt.missing(p); !strings.Contains(got, tt.want+" was denied") {
				t.Errorf("missing: %q, want %s named", got, tt.want)
			}
		})
	}
}

// TestLiveCache: the same question is asked once in its time, and whatever is told of a failure is not kept.
func TestLiveCache(t *testing.T) {
	queue := request(t, appRole, "sqs:SendMessage", queueARN)
	other := queue
	other.Action = "sqs:ReceiveMessage" // hangs on the same policies
	tests := []struct {
		name  string
		fault awsfake.Handler
		after time.Duration
		req   evaluator.Request
		calls bool
	}{
		{"the same", nil, 15*time.Minute - time.Second, queue, false},
		{"another action", nil, time.Minute, other, false},
		{"another resource", nil, time.Minute, request(t, appRole, "sqs:SendMessage", queueARN+"x"), true},
		{"too old", nil, 15 * time.Minute, queue, true},
		{"of the future", nil, -time.Minute, queue, true},
		{"denied", awsfake.Deny, time.Minute, queue, false},
		{"failed", func(*awsfake.Call) awsfake.Reply { return awsfake.Error("ValidationError", "no") }, time.Minute, queue, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, folder := liveFake(), t.TempDir()
			if tt.fault != nil {
				f.Fail(awsfake.Fault{Service: "iam", Operation: "GetRole", Reply: tt.fault})
			}
			gatherLive(t, newLive(t, f, folder, testTime), queue)
			before := len(operations(f))
			if before == 0 {
				t.Fatal("nothing was asked")
			}
			again := liveFake()
			s := gatherLive(t, newLive(t, again, folder, testTime.Add(tt.after)), tt.req)
			if calls := len(operations(again)) > 0; calls != tt.calls {
				t.Errorf("asked again: %t, want %t", calls, tt.calls)
			}
			want := testTime
			if tt.calls {
				want = testTime.Add(tt.after)
			}
			if got := s.CollectedAt(); !got.Equal(want) {
				t.Errorf("of %s, want %s", got, want)
			}
		})
	}
}

// TestLiveCacheIsPrivate: nobody else reads the cache, and a broken one is made anew.
func TestLiveCacheIsPrivate(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "live")
	req := request(t, appRole, "ec2:DescribeInstances", "*")
	gatherLive(t, newLive(t, liveFake(), folder, testTime), req)
	var metadata []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
			t.Errorf("%s has mode %o", path, mode)
		}
		if d.Name() == metadataFile {
			metadata = append(metadata, path)
		}
		return nil
	})
	if err != nil || len(metadata) != 1 {
		t.Fatalf("%v: %v", metadata, err)
	}
	if err := os.WriteFile(metadata[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := liveFake()
	gatherLive(t, newLive(t, f, folder, testTime), req)
	if len(operations(f)) == 0 {
		t.Error("a broken cache was used")
	}
}

// TestIdentity: the sessions of a role have one cache.
func TestIdentity(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:sts::111122223333:assumed-role/r/a": "arn:aws:sts::111122223333:assumed-role/r",
		"arn:aws:iam::111122223333:user/p/u":         "arn:aws:iam::111122223333:user/p/u",
	} {
		if got := identity(arn); got != want {
			t.Errorf("identity(%s) = %s, want %s", arn, got, want)
		}
	}
}

// TestOne: one resource by itself has what it has on the list of all.
func TestOne(t *testing.T) {
	tested := 0
	for _, s := range serviceTests {
		if s.part.one == nil {
			continue
		}
		for text, want := range itemsOf(t, s.want) {
			arn, _ := policy.ParseARN(text)
			if guarded, ok := s.part.one.guarded(arn); !ok || guarded != arn {
				continue
			}
			tested++
			t.Run(s.part.word()+"/"+arn.Resource, func(t *testing.T) {
				got := collectPart(t, s.fake(nil), s.part.narrowed([]string{text}, testRegion))
				if got.record.Status != statusOK || !slices.Equal(got.record.Only, []string{text}) {
					t.Errorf("status %s, only %v: %s", got.record.Status, got.record.Only, got.record.Reason)
				}
				var items []item
				if err := json.Unmarshal([]byte(got.own(t, s.part)), &items); err != nil || len(items) != 1 {
					t.Fatalf("%s: %v", got.own(t, s.part), err)
				}
				if i := items[0]; i.ARN != text || i.Type != want.Type || !bytes.Equal([]byte(indented(t, string(i.Policy))), []byte(indented(t, string(want.Policy)))) {
					t.Errorf("got %+v, want %+v", i, want)
				}
			})
		}
	}
	if tested < 7 {
		t.Errorf("%d resources were asked for", tested)
	}
}

// TestLiveInNone: that the caller's account is in no organisation says nothing of another account.
func TestLiveInNone(t *testing.T) {
	f := liveFake()
	f.Fail(awsfake.Fault{Service: "organizations", Reply: func(*awsfake.Call) awsfake.Reply {
		return awsfake.Error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}})
	own := request(t, "arn:aws:iam::"+testAccount+":root", "ec2:DescribeInstances", "*")
	other := request(t, "arn:aws:iam::"+memberAccount+":role/x", "ec2:DescribeInstances", "*")
	for _, requests := range [][]evaluator.Request{{own}, {other}, {own, other}} {
		s := gatherLive(t, newLive(t, f, t.TempDir(), testTime), requests...)
		for _, req := range requests {
			want := evaluator.DoesNotApply // rule E37
			if req.Principal.Account == memberAccount {
				want = evaluator.NotCollected
			}
			if got := policiesOfRequest(t, s, req).SCP.State; got != want {
				t.Errorf("of %d requests: SCPs of %s: %v, want %v", len(requests), req.Principal.Account, got, want)
			}
		}
	}
}

// TestLivePrune: answers go after a day, and those that there is a newer one of before.
func TestLivePrune(t *testing.T) {
	folder := t.TempDir()
	count := func() int {
		found, err := filepath.Glob(filepath.Join(folder, "*", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	req, other := request(t, appRole, "ec2:DescribeInstances", "*"), request(t, annUser, "ec2:DescribeInstances", "*")
	steps := []struct {
		after time.Duration
		req   evaluator.Request
		want  int
	}{
		{0, req, 1},
		{20 * time.Minute, req, 2}, // the first was the only one when that was looked at
		{40 * time.Minute, req, 2}, // the first goes
		{23 * time.Hour, other, 2}, // and the second
		{25 * time.Hour, other, 2}, // and the third
	}
	for i, step := range steps {
		gatherLive(t, newLive(t, liveFake(), folder, testTime.Add(step.after)), step.req)
		if got := count(); got != step.want {
			t.Errorf("step %d: %d answers, want %d", i, got, step.want)
		}
	}
}
