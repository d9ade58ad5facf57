package collectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
)

const (
	memberAccount    = "222222222222"
	suspendedAccount = "333333333333"
)

// A fakeOrg is an organisation whose management account the caller is in. Its lists come in pages of one.
type fakeOrg struct {
	types    []string            // enabled
	accounts map[string][]string // by parent
	units    map[string][]string // by parent
	policies map[string][]string // ids by type
	targets  map[string][]string // by policy
	contents map[string]string   // of policies; allowDocument if there is none
}

func newFakeOrg() *fakeOrg {
	return &fakeOrg{
		types:    []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY"},
		accounts: map[string][]string{"r-root": {testAccount}, "ou-prod": {suspendedAccount, memberAccount}},
		units:    map[string][]string{"r-root": {"ou-work", "ou-empty"}, "ou-work": {"ou-prod"}},
		policies: map[string][]string{
			"SERVICE_CONTROL_POLICY":  {"p-FullAWSAccess", "p-deny"},
			"RESOURCE_CONTROL_POLICY": {"p-RCPFullAWSAccess"},
		},
		targets: map[string][]string{
			"p-FullAWSAccess":    {"r-root", "ou-work", "ou-prod", "ou-empty", testAccount, memberAccount, suspendedAccount},
			"p-deny":             {"ou-prod", memberAccount},
			"p-RCPFullAWSAccess": {"r-root", "ou-work", "ou-prod", "ou-empty", testAccount, memberAccount, suspendedAccount},
		},
		contents: map[string]string{
			"p-deny":             `{"Version":"2012-10-17","Statement":{"Sid":"NoS3","Effect":"Deny","Action":"s3:*","Resource":"*"}}`,
			"p-RCPFullAWSAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		},
	}
}

// fake is an AWS that has the organisation.
func (o *fakeOrg) fake() *awsfake.Fake {
	f := awsfake.New()
	f.Handle("organizations", "DescribeOrganization", func(*awsfake.Call) awsfake.Reply {
		return awsfake.JSON(object{"Organization": object{"Id": "o-acme", "Arn": "arn:aws:organizations::" + testAccount + ":organization/o-acme", "MasterAccountId": testAccount, "FeatureSet": "ALL"}})
	})
	f.Handle("organizations", "ListRoots", list("Roots", func(object) []any {
		types := []any{}
		for _, t := range o.types {
			name, status, changing := strings.Cut(t, " ")
			if !changing {
				status = "ENABLED"
			}
			types = append(types, object{"Type": name, "Status": status})
		}
		return []any{object{"Id": "r-root", "Name": "Root", "PolicyTypes": types}}
	}))
	f.Handle("organizations", "ListAccountsForParent", list("Accounts", func(in object) []any {
		return each(o.accounts[in.str("ParentId")], func(id string) any {
			state := "ACTIVE"
			if id == suspendedAccount {
				state = "SUSPENDED"
			}
			return object{"Id": id, "Name": "account " + id, "State": state}
		})
	}))
	f.Handle("organizations", "ListOrganizationalUnitsForParent", list("OrganizationalUnits", func(in object) []any {
		return each(o.units[in.str("ParentId")], func(id string) any { return object{"Id": id, "Name": "unit " + id} })
	}))
	f.Handle("organizations", "ListPolicies", list("Policies", func(in object) []any {
		return each(o.policies[in.str("Filter")], o.summary)
	}))
	f.Handle("organizations", "ListTargetsForPolicy", list("Targets", func(in object) []any {
		return each(o.targets[in.str("PolicyId")], func(id string) any { return object{"TargetId": id} })
	}))
	f.Handle("organizations", "DescribePolicy", func(c *awsfake.Call) awsfake.Reply {
		var in object
		if bad := c.Decode(&in); bad != nil {
			return *bad
		}
		content, ok := o.contents[in.str("PolicyId")]
		if !ok {
			content = allowDocument
		}
		return awsfake.JSON(object{"Policy": object{"PolicySummary": o.summary(in.str("PolicyId")), "Content": content}})
	})
	return f
}

func (o *fakeOrg) summary(id string) any {
	return object{"Id": id, "Name": strings.TrimPrefix(id, "p-"), "Arn": "arn:aws:organizations::aws:policy/" + id, "AwsManaged": strings.HasSuffix(id, "FullAWSAccess")}
}

// object is JSON of AWS's.
type object map[string]any

func (o object) str(name string) string { s, _ := o[name].(string); return s }

func each(ids []string, f func(string) any) []any {
	all := []any{}
	for _, id := range ids {
		all = append(all, f(id))
	}
	return all
}

// list answers with one of the values at a time. Before the first comes a page with
// none, which AWS says there may be.
func list(member string, values func(in object) []any) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		var in object
		if bad := c.Decode(&in); bad != nil {
			return *bad
		}
		n, err := strconv.Atoi(in.str("NextToken"))
		if err != nil {
			return awsfake.JSON(object{member: []any{}, "NextToken": "0"})
		}
		all := values(in)
		out := object{member: all[min(n, len(all)):min(n+1, len(all))]}
		if n+1 < len(all) {
			out["NextToken"] = strconv.Itoa(n + 1)
		}
		return awsfake.JSON(out)
	}
}

func TestOrganization(t *testing.T) {
	f := newFakeOrg().fake()
	got := collectPart(t, f, &organizationPart)
	for _, p := range got.snapshot.Parts() {
		if p.Status != "ok" {
			t.Errorf("%s is %s: %s", p.Name, p.Status, p.Reason)
		}
	}
	if diff := cmp.Diff(wantOrganization, got.file(t, "organization.json")); diff != "" {
		t.Errorf("organization.json (-want +got):\n%s", diff)
	}
	const wantPolicy = `{
  "id": "p-deny",
  "name": "deny",
  "arn": "arn:aws:organizations::aws:policy/p-deny",
  "awsManaged": false,
  "document": {
    "Version": "2012-10-17",
    "Statement": {
      "Sid": "NoS3",
      "Effect": "Deny",
      "Action": "s3:*",
      "Resource": "*"
    }
  }
}
`
	if diff := cmp.Diff(wantPolicy, got.file(t, "organization/scp/p-deny.json")); diff != "" {
		t.Errorf("p-deny.json (-want +got):\n%s", diff)
	}
	p := orgPolicies(t, got, memberAccount)
	if p.SCP.State != evaluator.Applies || len(p.SCP.Levels) != 4 {
		t.Fatalf("SCPs: %+v; want them at root, two units and the account", p.SCP)
	}
	var levels []string
	for _, l := range p.SCP.Levels {
		for _, policy := range l.Layer.Policies {
			levels = append(levels, l.Target+":"+policy.Name)
		}
	}
	want := []string{"r-root:FullAWSAccess", "ou-work:FullAWSAccess", "ou-prod:FullAWSAccess", "ou-prod:deny", memberAccount + ":FullAWSAccess", memberAccount + ":deny"}
	if diff := cmp.Diff(want, levels); diff != "" {
		t.Errorf("SCPs by level (-want +got):\n%s", diff)
	}
}

// orgPolicies are the policies that concern a request of a user of an account.
func orgPolicies(t *testing.T, got *collected, account string) evaluator.Policies {
	t.Helper()
	user := evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::" + account + ":user/u", Account: account}
	p, err := got.snapshot.Policies(t.Context(), evaluator.Request{Principal: user, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::b/k", Account: account}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var wantOrganization = fmt.Sprintf(`{
  "id": "o-acme",
  "arn": "arn:aws:organizations::111122223333:organization/o-acme",
  "managementAccount": "111122223333",
  "enabledPolicyTypes": [
    "RESOURCE_CONTROL_POLICY",
    "SERVICE_CONTROL_POLICY",
    "TAG_POLICY"
  ],
  "roots": [
    {
      "id": "r-root",
      "name": "Root",%[1]s,
      "accounts": [
        {
          "id": "111122223333",
          "name": "account 111122223333",
          "status": "ACTIVE",%[2]s
        }
      ],
      "organizationalUnits": [
        {
          "id": "ou-empty",
          "name": "unit ou-empty",%[2]s,
          "accounts": [],
          "organizationalUnits": []
        },
        {
          "id": "ou-work",
          "name": "unit ou-work",%[2]s,
          "accounts": [],
          "organizationalUnits": [
            {
              "id": "ou-prod",
              "name": "unit ou-prod",%[4]s,
              "accounts": [
                {
                  "id": "222222222222",
                  "name": "account 222222222222",
                  "status": "ACTIVE",%[5]s
                },
                {
                  "id": "333333333333",
                  "name": "account 333333333333",
                  "status": "SUSPENDED",%[3]s
                }
              ],
              "organizationalUnits": []
            }
          ]
        }
      ]
    }
  ]
}
`, wantAttached(6, false), wantAttached(10, false), wantAttached(18, false), wantAttached(14, true), wantAttached(18, true))

func wantAttached(indent int, deny bool) string {
	scps := []string{"p-FullAWSAccess"}
	if deny {
		scps = append(scps, "p-deny")
	}
	text, _ := json.MarshalIndent(orgAttached{SCP: scps, RCP: []string{"p-RCPFullAWSAccess"}}, strings.Repeat(" ", indent), "  ")
	return "\n" + strings.Repeat(" ", indent) + `"policies": ` + string(text)
}

// TestNoOrganization: an account that is in no organisation has no SCPs, and the snapshot knows it (rule E37).
func TestNoOrganization(t *testing.T) {
	f := awsfake.New()
	f.Handle("organizations", "DescribeOrganization", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	})
	f.Handle("iam", "GetAccountAuthorizationDetails", authorizationPages(goodPages()...))
	o := testOptions(f, nil)
	folder := t.TempDir() + "/snapshot"
	if _, err := collect(t.Context(), folder, o, []*part{&iamPart, &organizationPart}); err != nil {
		t.Fatal(err)
	}
	got := &collected{folder: folder, snapshot: load(t, folder)}
	noProblems(t, got.snapshot)
	if p := orgPolicies(t, got, testAccount); p.SCP.State != evaluator.DoesNotApply || p.RCP.State != evaluator.DoesNotApply {
		t.Errorf("SCPs %v, RCPs %v; want that they don't apply", p.SCP.State, p.RCP.State)
	}
	if text := got.file(t, "organization.json"); text != "{}\n" {
		t.Errorf("organization.json: %s", text)
	}
}

func TestOrganizationFails(t *testing.T) {
	all := []string{"organization", "organization/scp", "organization/rcp"}
	tests := []struct {
		name   string
		org    func(*fakeOrg)
		fault  awsfake.Fault
		failed []string // parts that aren't ok
		status string   // theirs
		reason string
		file   bool // organization.json is there
	}{
		{"not for members", nil, awsfake.Fault{Operation: "ListRoots", Reply: awsfake.Deny}, all, "denied", "organizations:ListRoots", false},
		{"nothing at all", nil, awsfake.Fault{Operation: "DescribeOrganization", Reply: awsfake.Deny}, all, "denied", "organizations:DescribeOrganization", false},
		{"throttled once", nil, awsfake.Fault{Operation: "ListAccountsForParent", Nth: 1, Reply: awsfake.Throttle}, nil, "", "", true},
		{"a unit's accounts", nil, awsfake.Fault{Operation: "ListAccountsForParent", Reply: awsfake.Throttle}, all[:1], "error", "organizations:ListAccountsForParent on ou-", true},
		{"units", nil, awsfake.Fault{Operation: "ListOrganizationalUnitsForParent", Reply: awsfake.Deny}, all[:1], "denied", "organizations:ListOrganizationalUnitsForParent on r-root", true},
		{"policies", nil, awsfake.Fault{Operation: "ListPolicies", Reply: awsfake.Deny}, all[1:], "denied", "organizations:ListPolicies", true},
		{"targets", nil, awsfake.Fault{Operation: "ListTargetsForPolicy", Reply: awsfake.Deny}, all[1:], "denied", "organizations:ListTargetsForPolicy on arn:aws:organizations::aws:policy/p-", true},
		{"documents", nil, awsfake.Fault{Operation: "DescribePolicy", Reply: awsfake.Deny}, all[1:], "denied", "organizations:DescribePolicy on arn:aws:organizations::aws:policy/p-", true},
		{"an id that leads elsewhere", func(o *fakeOrg) { o.policies["SERVICE_CONTROL_POLICY"] = []string{"../../x"} }, awsfake.Fault{Operation: "none"}, all[1:2], "error", "can't be a file's name", true},
		{"a type that is changing", func(o *fakeOrg) { o.types[1] += " PENDING_DISABLE" }, awsfake.Fault{Operation: "none"}, all[2:], "error", "PENDING_DISABLE", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			org := newFakeOrg()
			if tt.org != nil {
				tt.org(org)
			}
			f := org.fake()
			tt.fault.Service = "organizations"
			f.Fail(tt.fault)
			f.Handle("iam", "GetAccountAuthorizationDetails", authorizationPages(goodPages()...))
			folder := t.TempDir() + "/snapshot"
			if _, err := collect(t.Context(), folder, testOptions(f, nil), []*part{&iamPart, &organizationPart}); err != nil {
				t.Fatal(err)
			}
			got := &collected{folder: folder, snapshot: load(t, folder)}
			noProblems(t, got.snapshot)
			var failed []string
			for _, p := range got.snapshot.Parts() {
				if p.Status == "ok" {
					continue
				}
				failed = append(failed, p.Name)
				if p.Status != tt.status || !strings.Contains(p.Reason, tt.reason) || len(p.Gaps) == 0 {
					t.Errorf("%s is %s: %s, %d gaps; want %s: %s", p.Name, p.Status, p.Reason, len(p.Gaps), tt.status, tt.reason)
				}
			}
			slices.Sort(failed)
			if diff := cmp.Diff(slices.Sorted(slices.Values(tt.failed)), failed); diff != "" {
				t.Errorf("parts that aren't ok (-want +got):\n%s", diff)
			}
			if file := got.file(t, "organization.json"); (file != "") != tt.file {
				t.Errorf("organization.json: %q", file)
			}
			if p := orgPolicies(t, got, memberAccount); slices.Contains(tt.failed, "organization/scp") && isWhole(p.SCP) {
				t.Errorf("SCPs are whole: %+v", p.SCP)
			}
		})
	}
}

// isWhole reports whether all levels were collected.
func isWhole(h evaluator.Hierarchy) bool {
	return h.State == evaluator.Applies && !slices.ContainsFunc(h.Levels, func(l evaluator.Level) bool { return l.Layer.State != evaluator.Applies })
}
