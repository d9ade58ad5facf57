package correlate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestPermissionSetName: the name of a role of IAM Identity Center's tells its permission set.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
func TestPermissionSetName(t *testing.T) {
	const (
		role    = "arn:aws:iam::111122223333:role/"
		home    = role + "aws-reserved/sso.amazonaws.com/eu-west-2/"
		session = "arn:aws:sts::111122223333:assumed-role/"
	)
	tests := []struct {
		name    string
		session string
		role    string
		unknown bool // the role's path
		want    string
	}{
		{"AWS's example", session + "AWSReservedSSO_DatabaseAdministrator_1234567890abcdef/ana", home + "AWSReservedSSO_DatabaseAdministrator_1234567890abcdef", false, "DatabaseAdministrator"},
		{"at home in us-east-1", "", role + "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_1234567890abcdef", false, "Dev"},
		{"China", "", "arn:aws-cn:iam::111122223333:role/aws-reserved/sso.amazonaws.com/cn-north-1/AWSReservedSSO_Dev_1234567890abcdef", false, "Dev"},
		{"a name with underscores", "", home + "AWSReservedSSO_Dev_ops_1234567890abcdef", false, "Dev_ops"},
		{"the session alone", session + "AWSReservedSSO_Dev_1234567890abcdef/ana@example.com", "", false, "Dev"},
		{"a session named so", session + "deploy/AWSReservedSSO_Dev_1234567890abcdef", "", false, ""},
		{"a path that isn't known", "", role + "AWSReservedSSO_Dev_1234567890abcdef", true, "Dev"},
		{"another path", "", role + "team/AWSReservedSSO_Dev_1234567890abcdef", false, ""},
		{"no suffix", "", home + "AWSReservedSSO_Dev", false, ""},
		{"no name", "", home + "AWSReservedSSO__1234567890abcdef", false, ""},
		{"another suffix", "", home + "AWSReservedSSO_Dev_ops", false, ""},
		{"another role", session + "deploy/ci", role + "deploy", false, ""},
		{"no ARN", "", "", false, ""},
	}
	for _, tt := range tests {
		p := evaluator.Principal{Type: evaluator.AssumedRole, ARN: tt.session, RoleARN: tt.role, RolePathUnknown: tt.unknown}
		if got := permissionSetName(&p); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	user := evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::111122223333:user/AWSReservedSSO_Dev_1234567890abcdef"}
	if got := permissionSetName(&user); got != "" {
		t.Errorf("a user: %q", got)
	}
}

// TestPermissionSetNameProperty: every name that a permission set can have is found in its role's.
//
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html
func TestPermissionSetNameProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9_+=,.@-]{1,32}`).Draw(t, "name")
		role := "AWSReservedSSO_" + name + "_" + rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "suffix")
		session := evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::111122223333:assumed-role/" + role + "/ana"}
		if got := permissionSetName(&session); got != name {
			t.Errorf("%s: %q, want %q", role, got, name)
		}
	})
}

// A ssoSource is a source that knows a permission set.
type ssoSource struct {
	*fakeSource
	account, name, arn string
}

func (s ssoSource) PermissionSet(account, name string) string {
	if account == s.account && name == s.name {
		return s.arn
	}
	return ""
}

// TestPermissionSetOfFinding: a finding names the permission set, and a fix says where it is made.
func TestPermissionSetOfFinding(t *testing.T) {
	const arn = "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-2222222222222222"
	denial := func() *Event {
		e := queueDenial("d", "ASIA1", "ana")
		session := "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Dev_1234567890abcdef/ana"
		e.ErrorMessage = strings.ReplaceAll(e.ErrorMessage, e.Identity.ARN, session)
		e.Identity.ARN, e.Identity.Session = session, nil
		return e
	}
	src := always(evaluator.Policies{Identity: layerOf("AwsSSOInlinePolicy", allows("Get", "sqs:Get*"))})
	tests := []struct {
		name string
		src  PolicySource
		want *PermissionSet
	}{
		{"no policies", nil, &PermissionSet{Name: "Dev"}},
		{"policies", src, &PermissionSet{Name: "Dev"}},
		{"permission sets", ssoSource{src, "222222222222", "Dev", arn}, &PermissionSet{"Dev", arn}},
		{"another account's", ssoSource{src, "333333333333", "Dev", arn}, &PermissionSet{Name: "Dev"}},
	}
	for _, tt := range tests {
		f := oneFinding(t, tt.src, Options{AssumeNoSessionPolicy: true}, denial())
		if diff := cmp.Diff(tt.want, f.PermissionSet); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if tt.src == nil {
			continue
		}
		if len(f.Fixes) != 1 || !strings.Contains(f.Fixes[0].Note, "change permission set Dev") {
			t.Errorf("%s: fixes %+v, want one in IAM Identity Center", tt.name, f.Fixes)
		}
	}
	if f := oneFinding(t, src, Options{}, queueDenial("d", "ASIA1", "ci")); f.PermissionSet != nil {
		t.Errorf("another role: permission set %+v", f.PermissionSet)
	}
}
