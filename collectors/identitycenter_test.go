package collectors

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

const (
	testInstance = "arn:aws:sso:::instance/ssoins-7223c2a1b5d6e7f8"
	adminSet     = "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-1111111111111111"
	devSet       = "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-2222222222222222"
)

// A ssoCall is what calls of IAM Identity Center's say.
type ssoCall struct{ InstanceArn, PermissionSetArn, AccountId, NextToken string }

// identityCenterFake is an organisation with an instance in eu-central-1 that has two permission sets, a page each. Its
// answers have the form of AWS's samples.
//
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListPermissionSets.html
func identityCenterFake() *awsfake.Fake {
	f := awsfake.New()
	rows := map[string]func(c *awsfake.Call, in ssoCall) string{
		"ListInstances": func(c *awsfake.Call, _ ssoCall) string {
			if c.Region != "eu-central-1" {
				return `{"Instances": []}`
			}
			return `{"Instances": [{"CreatedDate": 1606867200, "IdentityStoreId": "d-1234567890", "InstanceArn": "` + testInstance + `", "OwnerAccountId": "111122223333", "Status": "ACTIVE"}]}`
		},
		"ListPermissionSets": func(_ *awsfake.Call, in ssoCall) string {
			if in.NextToken == "" {
				return `{"NextToken": "second", "PermissionSets": ["` + devSet + `"]}`
			}
			return `{"PermissionSets": ["` + adminSet + `"]}`
		},
		"DescribePermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			name := map[string]string{adminSet: "Admin", devSet: "Dev_ops"}[in.PermissionSetArn]
			return fmt.Sprintf(`{"PermissionSet": {"CreatedDate": 1606867200, "Name": %q, "PermissionSetArn": %q, "SessionDuration": "PT8H"}}`, name, in.PermissionSetArn)
		},
		"ListManagedPoliciesInPermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			if in.PermissionSetArn == adminSet {
				return `{"AttachedManagedPolicies": [{"Arn": "arn:aws:iam::aws:policy/AdministratorAccess", "Name": "AdministratorAccess"}]}`
			}
			return `{"AttachedManagedPolicies": []}`
		},
		"ListCustomerManagedPolicyReferencesInPermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			if in.PermissionSetArn == devSet {
				return `{"CustomerManagedPolicyReferences": [{"Name": "tools", "Path": "/dev/"}, {"Name": "base"}]}`
			}
			return `{"CustomerManagedPolicyReferences": []}`
		},
		"GetInlinePolicyForPermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			if in.PermissionSetArn == devSet {
				return `{"InlinePolicy": "{\"Version\": \"2012-10-17\", \"Statement\": []}"}`
			}
			return `{"InlinePolicy": ""}`
		},
		"GetPermissionsBoundaryForPermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			if in.PermissionSetArn == devSet {
				return `{"PermissionsBoundary": {"CustomerManagedPolicyReference": {"Name": "limits", "Path": "/"}}}`
			}
			return "" // ResourceNotFoundException
		},
		"ListAccountsForProvisionedPermissionSet": func(_ *awsfake.Call, in ssoCall) string {
			if in.PermissionSetArn == devSet {
				return `{"AccountIds": ["444455556666", "111122223333"]}`
			}
			return `{"AccountIds": ["111122223333"]}`
		},
		"ListAccountAssignments": func(_ *awsfake.Call, in ssoCall) string {
			return fmt.Sprintf(`{"AccountAssignments": [{"AccountId": %q, "PermissionSetArn": %q, "PrincipalId": "94482488-3041-7095-0e30-2a29c9a0eb35", "PrincipalType": "GROUP"}]}`, in.AccountId, in.PermissionSetArn)
		},
	}
	for operation, row := range rows {
		f.Handle("sso", operation, func(c *awsfake.Call) awsfake.Reply {
			var in ssoCall
			if bad := c.Decode(&in); bad != nil {
				return *bad
			}
			body := row(c, in)
			if body == "" {
				return awsfake.Error("ResourceNotFoundException", "PermissionsBoundary not found")
			}
			return awsfake.Reply{Body: []byte(body)}
		})
	}
	return f
}

const wantIdentityCenter = `{
  "instances": [
    {
      "arn": "arn:aws:sso:::instance/ssoins-7223c2a1b5d6e7f8",
      "region": "eu-central-1",
      "ownerAccount": "111122223333",
      "identityStore": "d-1234567890"
    }
  ],
  "permissionSets": [
    {
      "arn": "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-1111111111111111",
      "instance": "arn:aws:sso:::instance/ssoins-7223c2a1b5d6e7f8",
      "name": "Admin",
      "sessionDuration": "PT8H",
      "managedPolicies": [
        "arn:aws:iam::aws:policy/AdministratorAccess"
      ],
      "customerManagedPolicies": [],
      "inlinePolicy": null,
      "permissionsBoundary": null,
      "accounts": [
        "111122223333"
      ]
    },
    {
      "arn": "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-2222222222222222",
      "instance": "arn:aws:sso:::instance/ssoins-7223c2a1b5d6e7f8",
      "name": "Dev_ops",
      "sessionDuration": "PT8H",
      "managedPolicies": [],
      "customerManagedPolicies": [
        {
          "name": "base",
          "path": "/"
        },
        {
          "name": "tools",
          "path": "/dev/"
        }
      ],
      "inlinePolicy": {
        "Version": "2012-10-17",
        "Statement": []
      },
      "permissionsBoundary": {
        "name": "limits",
        "path": "/"
      },
      "accounts": [
        "111122223333",
        "444455556666"
      ]
    }
  ],
  "assignments": [
    {
      "account": "111122223333",
      "permissionSet": "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-1111111111111111",
      "principalType": "GROUP",
      "principalId": "94482488-3041-7095-0e30-2a29c9a0eb35"
    },
    {
      "account": "111122223333",
      "permissionSet": "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-2222222222222222",
      "principalType": "GROUP",
      "principalId": "94482488-3041-7095-0e30-2a29c9a0eb35"
    },
    {
      "account": "444455556666",
      "permissionSet": "arn:aws:sso:::permissionSet/ssoins-7223c2a1b5d6e7f8/ps-2222222222222222",
      "principalType": "GROUP",
      "principalId": "94482488-3041-7095-0e30-2a29c9a0eb35"
    }
  ]
}
`

func TestIdentityCenter(t *testing.T) {
	got := collectPart(t, identityCenterFake(), &identityCenterPart, "eu-central-1", "us-east-1")
	if got.record.Status != statusOK {
		t.Errorf("record %+v", got.record)
	}
	if diff := cmp.Diff(wantIdentityCenter, got.own(t, &identityCenterPart)); diff != "" {
		t.Errorf("identitycenter.json (-want +got):\n%s", diff)
	}
}

// TestIdentityCenterFails: what one call doesn't give is left out and recorded, and the rest is there.
func TestIdentityCenterFails(t *testing.T) {
	tests := []struct {
		name   string
		fault  awsfake.Fault
		status string
		reason string // in the record's
		text   string // in the file's
	}{
		{"not of a member account", awsfake.Fault{Operation: "ListPermissionSets", Reply: awsfake.Deny}, statusDenied, "sso:ListPermissionSets", `"permissionSets": []`},
		{"one policy", awsfake.Fault{Operation: "GetInlinePolicyForPermissionSet", Nth: 1, Reply: awsfake.Deny}, statusDenied, "sso:GetInlinePolicyForPermissionSet", `"Admin"`},
		{"assignments", awsfake.Fault{Operation: "ListAccountAssignments", Reply: awsfake.Deny}, statusDenied, "sso:ListAccountAssignments", `"assignments": []`},
		{"one region", awsfake.Fault{Operation: "ListInstances", Region: "us-east-1", Reply: awsfake.Deny}, statusDenied, "sso:ListInstances", `"Admin"`},
		{"no region answers", awsfake.Fault{Operation: "ListInstances", Reply: awsfake.Deny}, statusDenied, "sso:ListInstances", ""},
		{"throttled once", awsfake.Fault{Operation: "DescribePermissionSet", Nth: 1, Reply: awsfake.Throttle}, statusOK, "", `"Dev_ops"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := identityCenterFake()
			f.Fail(tt.fault)
			c := gather(identityCenterPart, f)
			r := record(c.gaps, nil)
			if r.Status != tt.status || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("record %+v, want %s with %s", r, tt.status, tt.reason)
			}
			content, written := c.files[identityCenterFile]
			if written != (tt.text != "") {
				t.Fatalf("written is %v", written)
			}
			if text, err := marshal(content); err != nil || !strings.Contains(string(text), strings.ReplaceAll(tt.text, ": ", ":")) {
				t.Errorf("no %s in %s (%v)", tt.text, text, err)
			}
		})
	}
}

// TestIdentityCenterNotOffered: a region without the service lacks nothing; that no region has it does.
func TestIdentityCenterNotOffered(t *testing.T) {
	f := identityCenterFake()
	c := newCollection(f)
	c.cfg.HTTPClient = noSuchHost{client: c.cfg.HTTPClient, host: "sso.us-east-1.amazonaws.com"}
	collectIdentityCenter(t.Context(), c)
	if len(c.gaps) > 0 || c.files[identityCenterFile] == nil {
		t.Errorf("one region: gaps %+v", c.gaps)
	}
	c = newCollection(f)
	c.cfg.HTTPClient = noSuchHost{client: c.cfg.HTTPClient, host: "sso."}
	collectIdentityCenter(t.Context(), c)
	if len(c.gaps) != 2 || c.files[identityCenterFile] != nil {
		t.Errorf("no region: gaps %+v, want one for each", c.gaps)
	}
}

// noSuchHost is a client for which some hosts don't exist.
type noSuchHost struct {
	client aws.HTTPClient
	host   string // its beginning
}

func (n noSuchHost) Do(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, n.host) {
		return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
	}
	return n.client.Do(r)
}
