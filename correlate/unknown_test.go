package correlate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestUnknown: U1, U2. What a request may carry and nobody knows is listed, what it can't carry isn't.
func TestUnknown(t *testing.T) {
	tests := []struct {
		name, source, operation, parameters string
		has, not                            string
	}{
		{"the action's own keys and everyone's", "s3.amazonaws.com", "GetObject", `{"bucketName":"b","key":"k"}`,
			"s3:ExistingObjectTag/<key> s3:authType aws:PrincipalOrgID aws:PrincipalTag/${TagKey}",
			"s3:prefix s3:x-amz-acl aws:SourceIp aws:username aws:RequestedRegion aws:RequestTag/${TagKey} aws:TagKeys"},
		{"nothing recorded", "s3.amazonaws.com", "ListObjects", "", "s3:prefix s3:delimiter s3:max-keys", "s3:x-amz-acl"},
		{"what the parameters decide", "s3.amazonaws.com", "ListObjects", `{"bucketName":"b","prefix":"p/"}`, "s3:authType", "s3:prefix s3:delimiter s3:max-keys"},
		{"one type of resource", "ec2.amazonaws.com", "StopInstances", `{"instancesSet":{"items":[{"instanceId":"i-1"}]}}`,
			"ec2:InstanceType ec2:ResourceTag/${TagKey} aws:ResourceTag/${TagKey}", "ec2:VolumeSize ec2:InstanceID ec2:Region ec2:CreateAction"},
		{"tags that are listed", "ec2.amazonaws.com", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"i-1"}]},"tagSet":{"items":[{"key":"a","value":"b"}]}}`,
			"ec2:ResourceTag/${TagKey}", "aws:TagKeys aws:RequestTag/${TagKey} aws:RequestTag/a"},
		{"an action that the reference doesn't have", "nosuch.amazonaws.com", "DoThings", `{}`, "aws:PrincipalOrgID", "aws:RequestTag/${TagKey}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := userEvent()
			e.Source, e.Name, e.RequestParameters = tt.source, tt.operation, json.RawMessage(tt.parameters)
			c := newCall(e)
			r := c.request(&Denial{Event: e, Principal: c.principal}, c.derived()[0])
			got := r.Unknown()
			if !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
				t.Errorf("not sorted: %q", got)
			}
			for key := range strings.FieldsSeq(tt.has) {
				if !slices.Contains(got, key) {
					t.Errorf("%s isn't listed in %q", key, got)
				}
			}
			for key := range strings.FieldsSeq(tt.not) {
				if slices.Contains(got, key) {
					t.Errorf("%s is listed", key)
				}
			}
		})
	}
}

// TestKeysOfOtherActions: a key that no request for the action carries is absent when it is asked for (evaluation.md 5.4), so that
// a Deny for what lacks it applies, and isn't a guess.
func TestKeysOfOtherActions(t *testing.T) {
	deny := `{"Sid": "NeedsTeamPrefix", "Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"s3:prefix": "team/"}}}`
	src := always(evaluator.Policies{Identity: layerOf("deploy", allows("All", "s3:*"), deny)})
	e := roleEvent("s3.amazonaws.com", "GetObject")
	e.ID, e.ErrorCode, e.ErrorMessage = "d", "AccessDenied", "Access Denied"
	e.RequestParameters = json.RawMessage(`{"bucketName":"b","key":"k"}`)
	f := oneFinding(t, src, Options{AssumeNoSessionPolicy: true}, e)
	if f.Decision != evaluator.ExplicitDeny || f.Statement == nil || f.Statement.Sid.Value != "NeedsTeamPrefix" {
		t.Errorf("got %v by %+v, want an explicit deny by NeedsTeamPrefix", f.Decision, f.Statement)
	}
}

// TestOtherResourceThanDerived: keys that the parameters decide of one resource say nothing of the one that AWS named (T75).
func TestOtherResourceThanDerived(t *testing.T) {
	e := roleEvent("ec2.amazonaws.com", "TerminateInstances")
	e.ID, e.ErrorCode = "d", "Client.UnauthorizedOperation"
	e.RequestParameters = json.RawMessage(`{"instancesSet":{"items":[{"instanceId":"i-1"}]}}`)
	e.ErrorMessage = "You are not authorized to perform this operation. User: " + e.Identity.ARN +
		" is not authorized to perform: ec2:TerminateInstances on resource: arn:aws:ec2:eu-west-1:222222222222:instance/i-2 because no identity-based policy allows the ec2:TerminateInstances action"
	d := DenialsOf(e, false)
	if len(d) != 1 || len(d[0].Requests()) == 0 || !strings.HasSuffix(d[0].Requests()[0].Resource.ARN, "/i-2") {
		t.Fatalf("got %+v", d)
	}
	if v := d[0].Requests()[0].Context.Lookup("ec2:InstanceID"); v.State != evaluator.UnknownKey {
		t.Errorf("ec2:InstanceID is %d %q, want unknown", v.State, v.Values)
	}
}
