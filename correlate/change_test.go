package correlate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// changeEvent is a call of another user's that changed something on a day in March.
func changeEvent(day int, source, name, parameters string) *Event {
	return &Event{
		ID: fmt.Sprintf("%s-%d", name, day), Time: march(day), Source: source + ".amazonaws.com", Name: name, Region: "eu-west-1", RecipientAccount: "111111111111",
		Type: "AwsApiCall", Identity: Identity{Type: "IAMUser", ARN: "arn:aws:iam::111111111111:user/boss", Account: "111111111111"},
		RequestParameters: json.RawMessage(parameters),
	}
}

// TestChangeOf: what a call changed is told by its parameters, in the names that the API gives them.
func TestChangeOf(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:111111111111:key/k1"
	for _, tt := range []struct {
		source, name, parameters string
		target, policy           string
		touches                  []string // ARNs and ids as policies have them
	}{
		{"iam", "AttachRolePolicy", `{"roleName": "deploy", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}`, "deploy", "arn:aws:iam::aws:policy/ReadOnlyAccess", []string{"arn:aws:iam::111111111111:role/ci/deploy"}},
		{"iam", "PutUserPolicy", `{"userName": "ana", "policyName": "p"}`, "ana", "p", []string{acmeUser}},
		{"iam", "RemoveUserFromGroup", `{"userName": "ana", "groupName": "g"}`, "ana", "", []string{acmeUser}},
		{"iam", "PutGroupPolicy", `{"groupName": "g", "policyName": "p"}`, "g", "p", []string{"arn:aws:iam::111111111111:group/g"}},
		{"iam", "CreatePolicyVersion", `{"policyArn": "arn:aws:iam::111111111111:policy/p", "setAsDefault": true}`, "arn:aws:iam::111111111111:policy/p", "", []string{"arn:aws:iam::111111111111:policy/p"}},
		{"iam", "CreatePolicyVersion", `{"policyArn": "arn:aws:iam::111111111111:policy/p", "setAsDefault": false}`, "", "", nil},
		{"iam", "CreatePolicyVersion", `{"policyArn": "arn:aws:iam::111111111111:policy/p"}`, "", "", nil},
		{"organizations", "UpdatePolicy", `{"policyId": "p-guard"}`, "p-guard", "", []string{orgGuard}},
		{"organizations", "AttachPolicy", `{"policyId": "p-guard", "targetId": "ou-1"}`, "ou-1", "p-guard", []string{"ou-1"}},
		{"organizations", "MoveAccount", `{"accountId": "222222222222", "sourceParentId": "r-1", "destinationParentId": "ou-1"}`, "222222222222", "", nil},
		{"organizations", "LeaveOrganization", `null`, "111111111111", "", nil},
		{"s3", "PutBucketPolicy", `{"bucketName": "b", "bucketPolicy": {}}`, "b", "", []string{"arn:aws:s3:::b/key", "arn:aws-cn:s3:::b"}},
		{"s3", "DeleteAccountPublicAccessBlock", `{}`, "111111111111", "", nil},
		{"kms", "PutKeyPolicy", `{"keyId": "k1", "policyName": "default"}`, "k1", "default", []string{key}},
		{"kms", "CreateGrant", `{"keyId": "` + key + `"}`, key, "", []string{key}},
		{"lambda", "AddPermission20150331v2", `{"functionName": "f"}`, "f", "", []string{"arn:aws:lambda:eu-west-1:111111111111:function:f:live"}},
		{"lambda", "AddPermission20150331v2", `{"functionName": "arn:aws:lambda:eu-west-1:111111111111:function:f:1"}`, "arn:aws:lambda:eu-west-1:111111111111:function:f:1", "", []string{"arn:aws:lambda:eu-west-1:111111111111:function:f"}},
		{"sqs", "SetQueueAttributes", `{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/orders", "attributes": {"Policy": "{}"}}`, "https://sqs.eu-west-1.amazonaws.com/111111111111/orders", "", []string{ordersQueue}},
		{"sqs", "SetQueueAttributes", `{"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/orders", "attributes": {"DelaySeconds": "1"}}`, "", "", nil},
		{"sns", "SetTopicAttributes", `{"topicArn": "arn:aws:sns:eu-west-1:111111111111:t", "attributeName": "Policy"}`, "arn:aws:sns:eu-west-1:111111111111:t", "", []string{"arn:aws:sns:eu-west-1:111111111111:t"}},
		{"sns", "SetTopicAttributes", `{"topicArn": "arn:aws:sns:eu-west-1:111111111111:t", "attributeName": "DisplayName"}`, "", "", nil},
		{"secretsmanager", "PutResourcePolicy", `{"secretId": "db/main"}`, "db/main", "", []string{"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db/main-aBcDeF"}},
		{"dynamodb", "PutResourcePolicy", `{"resourceArn": "arn:aws:dynamodb:eu-west-1:111111111111:table/t"}`, "arn:aws:dynamodb:eu-west-1:111111111111:table/t", "", []string{"arn:aws:dynamodb:eu-west-1:111111111111:table/t"}},
		{"ecr", "SetRepositoryPolicy", `{"repositoryName": "a/b"}`, "a/b", "", []string{"arn:aws:ecr:eu-west-1:111111111111:repository/a/b"}},
		{"ec2", "ModifyVpcEndpoint", `{"ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-1"}}`, "vpce-1", "", []string{"vpce-1"}},
		{"iam", "GetRole", `{"roleName": "deploy"}`, "", "", nil},
		{"sts", "PutRolePolicy", `{"roleName": "deploy"}`, "", "", nil},
		{"iam", "PutRolePolicy", `null`, "", "", nil},
		{"iam", "PutRolePolicy", `{"roleName": 7}`, "", "", nil},
	} {
		c, touched := changeOf(changeEvent(1, tt.source, tt.name, tt.parameters))
		if c.Target != tt.target || c.Policy != tt.policy {
			t.Errorf("%s %s: target %q, policy %q; want %q and %q", tt.name, tt.parameters, c.Target, c.Policy, tt.target, tt.policy)
		}
		if tt.target == "" && len(touched) > 0 {
			t.Errorf("%s %s: touched %q, want nothing", tt.name, tt.parameters, touched)
		}
		for _, a := range tt.touches {
			if !slices.Contains(touched, subjectOf(a)) {
				t.Errorf("%s %s: touched %q, and not %s", tt.name, tt.parameters, touched, subjectOf(a))
			}
		}
	}
	resources := changeEvent(1, "kms", "RevokeGrant", `{"keyId": "alias/a"}`)
	resources.Resources = []EventResource{{ARN: key}}
	if _, touched := changeOf(resources); !slices.Contains(touched, subjectOf(key)) {
		t.Errorf("an event's resources: touched %q", touched)
	}
	failed := changeEvent(1, "iam", "PutUserPolicy", `{"userName": "ana"}`)
	failed.ErrorCode = "AccessDenied"
	if _, touched := changeOf(failed); touched != nil || ChangesPolicies(failed) {
		t.Errorf("a call that failed: touched %q", touched)
	}
}

// TestPolicyChanges: each row is found by its names, each of which is in one row only.
func TestPolicyChanges(t *testing.T) {
	n := 0
	for i := range changings {
		for name := range strings.FieldsSeq(changings[i].names) {
			n++
			if !ChangesPolicies(&Event{Source: changings[i].source, Name: name}) || !slices.Contains(PolicyChanges()[changings[i].source], name) {
				t.Errorf("%s of %s isn't found", name, changings[i].source)
			}
		}
	}
	if n != len(changingBy) {
		t.Errorf("%d names in %d rows of the index: one stands twice", n, len(changingBy))
	}
}

// TestChanges: a finding lists what touched it between its policies and its calls, whichever are older.
func TestChanges(t *testing.T) {
	put := func(day int) *Event {
		return changeEvent(day, "iam", "PutUserPolicy", `{"userName": "ana", "policyName": "p"}`)
	}
	src := func(day int) PolicySource {
		return datedSource{always(evaluator.Policies{Identity: layerOf("p", allows("Read", "s3:GetObject"))}), march(day)}
	}
	var events []*Event
	for day := 1; day <= 20; day++ {
		events = append(events, put(day))
	}
	other := changeEvent(6, "iam", "PutUserPolicy", `{"userName": "bob"}`)
	events = append(events, other, put(6))         // delivered twice (rule T100)
	for _, id := range []string{"own", "theirs"} { // and to two accounts (rule T104)
		e := put(19)
		e.ID, e.SharedID, e.Time = id, "shared", march(6).Add(time.Hour)
		events = append(events, e)
	}
	for _, tt := range []struct {
		name string
		src  PolicySource
		call int
		want []int // days
	}{
		{"older policies", src(4), 7, []int{4, 5, 6, 6, 7}},
		{"newer policies", src(9), 7, []int{7, 8, 9}},
		{"policies without a time", always(evaluator.Policies{}), 7, nil},
		{"no policies", nil, 7, nil},
		{"between two that differ, all from one to the other", history([]int{3, 6}, layerOf("p", allows("A", "s3:*")), layerOf("p", denies("NoQueues", "sqs:*"))), 5, []int{3, 4, 5, 6}}, // the second of the sixth came after the snapshot
		{"between two that are the same, those since", history([]int{3, 6}, layerOf("p", allows("A", "s3:*")), layerOf("p", allows("A", "s3:*"))), 5, []int{3, 4, 5}},
	} {
		f := oneFinding(t, tt.src, Options{}, append([]*Event{on(tt.call, userDenial("d", ""))}, events...)...)
		var got []int
		for _, c := range f.Changes {
			got = append(got, c.Time.Day())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: days (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestChangesAreBounded: of many changes the newest are listed, and that there are more is said.
func TestChangesAreBounded(t *testing.T) {
	src := datedSource{always(evaluator.Policies{}), march(1)}
	events := []*Event{on(20, userDenial("d", ""))}
	for i := range maxChanges + 5 {
		e := changeEvent(2, "iam", "PutUserPolicy", `{"userName": "ana"}`)
		e.ID, e.Time = fmt.Sprint(i), march(2).Add(time.Duration(i)*time.Hour)
		events = append(events, e)
	}
	f := oneFinding(t, src, Options{}, events...)
	if len(f.Changes) != maxChanges || f.Changes[0].EventID != "5" {
		t.Errorf("%d changes, the first is %+v", len(f.Changes), f.Changes[0])
	}
	if !slices.ContainsFunc(f.Notes, func(n string) bool { return strings.Contains(n, "older changes") && strings.HasSuffix(n, ": 5") }) {
		t.Errorf("notes %q", f.Notes)
	}
}

// TestChangesConcern: a change of a layer that has nothing to do with the denial isn't listed.
func TestChangesConcern(t *testing.T) {
	guard := namedPolicy("guard", orgGuard, denies("NoQueues", "sqs:*"))
	full := namedPolicy("full", "arn:aws:organizations::aws:policy/service_control_policy/p-full", allows("All", "*"))
	scp := func(policies ...evaluator.Policy) evaluator.Hierarchy {
		l := evaluator.Layer{State: evaluator.Applies, Policies: policies}
		return evaluator.Hierarchy{State: evaluator.Applies, Levels: []evaluator.Level{{Target: "ou-1", Layer: l}}}
	}
	events := []*Event{
		changeEvent(2, "organizations", "AttachPolicy", `{"policyId": "p-guard", "targetId": "ou-1"}`),
		changeEvent(2, "organizations", "DetachPolicy", `{"policyId": "p-other", "targetId": "ou-1"}`),
		changeEvent(2, "organizations", "UpdatePolicy", `{"policyId": "p-guard"}`),
		changeEvent(2, "organizations", "MoveAccount", `{"accountId": "ou-1"}`),
		changeEvent(2, "s3", "PutBucketPolicy", `{"bucketName": "b"}`),
	}
	allow := layerOf("p", allows("Queues", "sqs:*"))
	for _, tt := range []struct {
		name     string
		policies evaluator.Policies
		tail     string
		want     []string
	}{
		{"a policy that denies", evaluator.Policies{Identity: allow, SCP: scp(full, guard)}, " with an explicit deny in a service control policy", []string{"AttachPolicy", "MoveAccount", "UpdatePolicy"}},
		{"no allow in the layer", evaluator.Policies{Identity: allow, SCP: scp()}, " because no service control policy allows the sqs:SendMessage action", []string{"AttachPolicy", "DetachPolicy", "MoveAccount"}},
		{"another layer denies", evaluator.Policies{SCP: scp(full)}, lacksAllow, nil},
		{"nothing explains it: anything may have changed", evaluator.Policies{Identity: allow, SCP: scp(full)}, lacksAllow, []string{"AttachPolicy", "DetachPolicy", "MoveAccount"}},
	} {
		f := oneFinding(t, datedSource{always(tt.policies), march(1)}, Options{}, append([]*Event{on(9, userDenial("d", tt.tail))}, events...)...)
		var got []string
		for _, c := range f.Changes {
			got = append(got, c.Name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// FuzzChangeOf: whatever the parameters are, a change that touches something names it, and one that names nothing touches nothing.
func FuzzChangeOf(f *testing.F) {
	names := []string{}
	for source, list := range PolicyChanges() {
		for _, name := range list {
			names = append(names, strings.TrimSuffix(source, ".amazonaws.com")+" "+name)
		}
	}
	slices.Sort(names)
	f.Add(0, `{"roleName": "deploy", "policyArn": "arn:aws:iam::aws:policy/x"}`, "arn:aws:s3:::b")
	f.Add(1, `{"queueUrl": "https://sqs/1/q", "attributes": {"Policy": 1}}`, "")
	f.Add(2, `{"ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-1"}}`, "arn:aws:lambda:::function:f:1:2")
	f.Fuzz(func(t *testing.T, n int, parameters, resource string) {
		source, name, _ := strings.Cut(names[uint(n)%uint(len(names))], " ")
		e := changeEvent(1, source, name, parameters)
		e.Resources = []EventResource{{ARN: resource}}
		if c, touched := changeOf(e); (c.Target == "") != (len(touched) == 0) {
			t.Errorf("%s %s: target %q, touched %q", name, parameters, c.Target, touched)
		}
	})
}
