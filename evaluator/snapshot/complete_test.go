package snapshot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

func TestCompletePrincipal(t *testing.T) {
	s := load(t, nil)
	const session, role = "arn:aws:sts::222222222222:assumed-role/deploy/ci", "arn:aws:iam::222222222222:role/ci/deploy"
	tests := []struct {
		name     string
		in, want evaluator.Principal
	}{
		{"P1: the role by its name", deploy,
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, RoleARN: role, ID: "AROADEPLOY", Account: prod}},
		{"P1: the role from the session alone", evaluator.Principal{Type: evaluator.AssumedRole, ARN: session},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, RoleARN: role, ID: "AROADEPLOY", Account: prod}},
		{"P1: no session", evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:iam::222222222222:role/deploy", RoleARN: "arn:aws:iam::222222222222:role/deploy", RolePathUnknown: true},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: role, RoleARN: role, ID: "AROADEPLOY", Account: prod}},
		{"T29: the id says that it is another role", evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, ID: "AROANEW", Account: prod},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, ID: "AROANEW", Account: prod}},
		{"unknown role", evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::222222222222:assumed-role/x/ci", RoleARN: "arn:aws:iam::222222222222:role/x", RolePathUnknown: true, Account: prod},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::222222222222:assumed-role/x/ci", RoleARN: "arn:aws:iam::222222222222:role/x", RolePathUnknown: true, Account: prod}},
		{"user by name", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/bob"},
			evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/team/bob", ID: "AIDABOB", Account: prod}},
		{"user by another path", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/other/bob"},
			evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/other/bob", Account: prod}},
		{"anonymous", nobody, nobody},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := evaluator.Request{Principal: test.in}
			s.Complete(&req)
			if diff := cmp.Diff(test.want, req.Principal); diff != "" {
				t.Errorf("principal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompleteResource(t *testing.T) {
	s := load(t, nil)
	const kms = "arn:aws:kms:eu-west-1:222222222222:"
	const secret = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db"
	tests := []struct {
		name, action string
		in, want     evaluator.Resource
	}{
		{"E26: a bucket's owner", "s3:ListBucket", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs"}, evaluator.Resource{ARN: "arn:aws:s3:::acme-logs", Account: prod}},
		{"E26: an object's owner", "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::partner/k"}, evaluator.Resource{ARN: "arn:aws:s3:::partner/k", Account: foreign}},
		{"E26: nobody's bucket", "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::who/k"}, evaluator.Resource{ARN: "arn:aws:s3:::who/k"}},
		{"E26: the ARN's account", "sqs:SendMessage", evaluator.Resource{ARN: "arn:aws:sqs:eu-west-1:333333333333:q"}, evaluator.Resource{ARN: "arn:aws:sqs:eu-west-1:333333333333:q", Account: "333333333333"}},
		{"E26: no resource", "s3:ListAllMyBuckets", evaluator.Resource{ARN: "*"}, evaluator.Resource{ARN: "*", Account: prod}},
		{"E26: any resource", "s3:GetObject", evaluator.Resource{ARN: "*", Pattern: true}, evaluator.Resource{ARN: "*", Pattern: true}},
		{"AWS's own policy", "iam:GetPolicy", evaluator.Resource{ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess"}, evaluator.Resource{ARN: "arn:aws:iam::aws:policy/ReadOnlyAccess", Account: prod}},
		{"AWS's own model", "bedrock:InvokeModel", evaluator.Resource{ARN: "arn:aws:bedrock:eu-west-1::foundation-model/m"}, evaluator.Resource{ARN: "arn:aws:bedrock:eu-west-1::foundation-model/m", Account: prod}},
		{"AWS's own parameter", "ssm:GetParameter", evaluator.Resource{ARN: "arn:aws:ssm:eu-west-1::parameter/aws/service/x"}, evaluator.Resource{ARN: "arn:aws:ssm:eu-west-1::parameter/aws/service/x", Account: prod}},
		{"E26: a bucket that is yet to be", "s3:CreateBucket", evaluator.Resource{ARN: "arn:aws:s3:::new"}, evaluator.Resource{ARN: "arn:aws:s3:::new", Account: prod}},
		{"E26: an API is looked for in the caller's account", "apigateway:GET", evaluator.Resource{ARN: "arn:aws:apigateway:eu-west-1::/restapis/a"}, evaluator.Resource{ARN: "arn:aws:apigateway:eu-west-1::/restapis/a", Account: prod}},
		{"E26: so is a user", "iam:GetUser", evaluator.Resource{ARN: "*", Pattern: true}, evaluator.Resource{ARN: "*", Pattern: true, Account: prod}},
		{"S12: but a role that is passed is named by its ARN", "iam:PassRole", evaluator.Resource{ARN: "*", Pattern: true}, evaluator.Resource{ARN: "*", Pattern: true}},
		{"E26: whose zone it is, nobody knows", "route53:GetHostedZone", evaluator.Resource{ARN: "arn:aws:route53:::hostedzone/Z"}, evaluator.Resource{ARN: "arn:aws:route53:::hostedzone/Z"}},
		{"the request knows better", "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/k", Account: mgmt}, evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/k", Account: mgmt}},
		{"S4: AWS checks the key", "kms:Decrypt", evaluator.Resource{ARN: kms + "alias/app"}, evaluator.Resource{ARN: kms + "key/k1", Account: prod}},
		{"S4: AWS checks the alias", "kms:DeleteAlias", evaluator.Resource{ARN: kms + "alias/app"}, evaluator.Resource{ARN: kms + "alias/app", Account: prod}},
		{"S27: a secret's whole ARN", "secretsmanager:GetSecretValue", evaluator.Resource{ARN: secret}, evaluator.Resource{ARN: secret + "-AbCdEf", Account: prod}},
		{"S27: question marks", "secretsmanager:GetSecretValue", evaluator.Resource{ARN: secret + "-??????", Pattern: true}, evaluator.Resource{ARN: secret + "-AbCdEf", Account: prod}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := evaluator.Request{Principal: ann, Action: test.action, Resource: test.in}
			s.Complete(&req)
			if diff := cmp.Diff(test.want, req.Resource); diff != "" {
				t.Errorf("resource (-want +got):\n%s", diff)
			}
		})
	}
}

// keys returns what is set in a context: "key=value", "key absent", "key ?".
func keys(c *evaluator.Context) []string {
	var all []string
	for _, v := range c.All() {
		switch v.State {
		case evaluator.Present:
			all = append(all, v.Name+"="+strings.Join(v.Values, ","))
		case evaluator.Absent:
			all = append(all, v.Name+" absent")
		default:
			text := fmt.Sprintf("%s state %d", v.Name, v.State)
			if len(v.Not) > 0 {
				text += ", not " + strings.Join(v.Not, ",")
			}
			all = append(all, text)
		}
	}
	return all
}

func TestCompleteContext(t *testing.T) {
	ours := []string{"aws:PrincipalOrgID=o-acme", "aws:PrincipalOrgPaths=o-acme/r-root/ou-work/ou-prod/"}
	owned := []string{"aws:ResourceAccount=222222222222", "aws:ResourceOrgID=o-acme", "aws:ResourceOrgPaths=o-acme/r-root/ou-work/ou-prod/"}
	join := func(lists ...[]string) []string {
		var all []string
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	unknown := func(key string) string { return fmt.Sprintf("%s state %d", key, evaluator.PresentUnknown) }
	notOurs := func(key string) string { return fmt.Sprintf("%s state %d, not o-acme", key, evaluator.UnknownKey) }
	stranger := evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::999999999999:user/x", Account: foreign}
	object := evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/k"}
	tests := []struct {
		name      string
		changes   map[string]string
		principal evaluator.Principal
		action    string
		resource  evaluator.Resource
		context   func(*evaluator.Context)
		want      []string
	}{
		{"5.4: organisation and tags of a user; C3: tags that differ in case", nil, ann, "s3:GetObject", object, nil,
			join(ours, []string{unknown("aws:PrincipalTag/A"), "aws:PrincipalTag/Team=red"}, owned, []string{"aws:SourceVpc absent", "aws:SourceVpce absent"})},
		{"a role's tag may be the session's", nil, deploy, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true },
			join(ours, []string{unknown("aws:PrincipalTag/Env")}, owned)},
		{"a closed context has no session tags", nil, deploy, "s3:GetObject", object, nil,
			join(ours, []string{"aws:PrincipalTag/Env=prod"}, owned, []string{"aws:SourceVpc absent", "aws:SourceVpce absent"})},
		{"the request knows better", nil, deploy, "s3:GetObject", object, func(c *evaluator.Context) {
			c.Open = true
			c.Set("aws:PrincipalTag/env", "test")
			c.SetState("aws:principalorgid", evaluator.Absent)
			c.SetState("aws:ResourceAccount", evaluator.UnknownKey)
		}, []string{"aws:principalorgid absent", ours[1], "aws:PrincipalTag/env=test", fmt.Sprintf("aws:ResourceAccount state %d", evaluator.UnknownKey), owned[1], owned[2]}},
		{"an account outside is in another organisation or in none", nil, stranger, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true }, join([]string{notOurs("aws:PrincipalOrgID")}, owned)},
		{"a closed context says nothing of it", nil, stranger, "s3:GetObject", object, nil, join(owned, []string{"aws:SourceVpc absent", "aws:SourceVpce absent"})},
		{"of an organisation collected in part, any account may be", map[string]string{"snapshot.json": strings.Replace(fixture["snapshot.json"], `"organization": {"status": "ok"}`, `"organization": {"status": "error"}`, 1)}, stranger, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true }, owned},
		{"the request knows a stranger's organisation", nil, stranger, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true; c.Set("aws:PrincipalOrgID", "o-other") }, join([]string{"aws:PrincipalOrgID=o-other"}, owned)},
		{"a stranger's resource", nil, ann, "sqs:SendMessage", evaluator.Resource{ARN: "arn:aws:sqs:eu-west-1:999999999999:q"}, func(c *evaluator.Context) { c.Open = true },
			join(ours, []string{unknown("aws:PrincipalTag/A"), "aws:PrincipalTag/Team=red", "aws:ResourceAccount=999999999999", notOurs("aws:ResourceOrgID")})},
		{"the management account is a member", nil, payer, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::partner/k"}, func(c *evaluator.Context) { c.Open = true },
			[]string{"aws:PrincipalOrgID=o-acme", "aws:PrincipalOrgPaths=o-acme/r-root/", "aws:ResourceAccount=999999999999", notOurs("aws:ResourceOrgID")}},
		{"anonymous callers have no organisation", nil, nobody, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true },
			join([]string{"aws:PrincipalOrgID absent", "aws:PrincipalOrgPaths absent"}, owned)},
		{"no organisation at all", map[string]string{"organization.json": "{}", "snapshot.json": `{"formatVersion": 1, "collectedBy": "arn:aws:iam::222222222222:user/ann"}`}, deploy, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true },
			[]string{"aws:PrincipalOrgID absent", "aws:PrincipalOrgPaths absent", unknown("aws:PrincipalTag/Env"), "aws:ResourceAccount=222222222222", "aws:ResourceOrgID absent", "aws:ResourceOrgPaths absent"}},
		{"organisation not collected", map[string]string{"organization.json": "[]"}, payer, "s3:GetObject", object, func(c *evaluator.Context) { c.Open = true }, owned[:1]},
		{"actions without aws:ResourceAccount", nil, payer, "ec2:CopySnapshot", evaluator.Resource{ARN: "arn:aws:ec2:eu-west-1:222222222222:snapshot/s"}, func(c *evaluator.Context) { c.Open = true },
			[]string{"aws:PrincipalOrgID=o-acme", "aws:PrincipalOrgPaths=o-acme/r-root/"}},
		{"actions that may have aws:ResourceAccount", nil, payer, "ec2:CopyImage", evaluator.Resource{ARN: "arn:aws:ec2:eu-west-1:222222222222:image/ami-1"}, func(c *evaluator.Context) { c.Open = true },
			[]string{"aws:PrincipalOrgID=o-acme", "aws:PrincipalOrgPaths=o-acme/r-root/"}},
		{"no resource", nil, payer, "s3:ListAllMyBuckets", evaluator.Resource{ARN: "*"}, func(c *evaluator.Context) { c.Open = true },
			[]string{"aws:PrincipalOrgID=o-acme", "aws:PrincipalOrgPaths=o-acme/r-root/"}},
		{"the endpoint's VPC", nil, stranger, "iam:ListUsers", evaluator.Resource{ARN: "*"}, func(c *evaluator.Context) { c.Open = true; c.Set("aws:SourceVpce", "vpce-gate") },
			[]string{notOurs("aws:PrincipalOrgID"), "aws:SourceVpc=vpc-1", "aws:SourceVpce=vpce-gate"}},
		{"5.4: a public address, no endpoint", nil, stranger, "iam:ListUsers", evaluator.Resource{ARN: "*"}, func(c *evaluator.Context) { c.Open = true; c.Set("aws:SourceIp", "203.0.113.7") },
			[]string{notOurs("aws:PrincipalOrgID"), "aws:SourceIp=203.0.113.7", "aws:SourceVpc absent", "aws:SourceVpce absent"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := evaluator.Request{Principal: test.principal, Action: test.action, Resource: test.resource}
			if test.context != nil {
				test.context(&req.Context)
			}
			load(t, test.changes).Complete(&req)
			if diff := cmp.Diff(test.want, keys(&req.Context)); diff != "" {
				t.Errorf("context (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCompleteUserID: what a snapshot knows of a caller tells its aws:userid (rules P1, U10, table 4.1).
func TestCompleteUserID(t *testing.T) {
	s := load(t, nil)
	for _, tt := range []struct {
		name    string
		who     evaluator.Principal
		value   string
		pattern bool
	}{
		{"a user", ann, "AIDAANN", false},
		{"a session", deploy, "AROADEPLOY:ci", false},
		{"a role, whatever its session", evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:iam::222222222222:role/deploy", RoleARN: "arn:aws:iam::222222222222:role/deploy", RolePathUnknown: true}, "AROADEPLOY:*", true},
		{"a session of a role that isn't collected", evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::999999999999:assumed-role/x/ci"}, "AROA*:ci", true},
	} {
		req := evaluator.Request{Principal: tt.who, Action: "s3:GetObject", Context: evaluator.Context{Open: true}}
		evaluator.DeriveContext(&req) // as correlate does, before it asks the snapshot
		s.Complete(&req)
		evaluator.DeriveContext(&req)
		want := evaluator.ContextValue{Name: "aws:userid", State: evaluator.Present, Values: []string{tt.value}, Pattern: tt.pattern}
		if diff := cmp.Diff(want, req.Context.Lookup("aws:userid")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
