package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// A motoOrg is an organisation in moto: a management account, and two others in units of their own.
type motoOrg struct {
	url                   string
	management, prod, dev string // accounts
}

// motoRole is the role in the accounts.
const motoRole = "iamwhy-collector"

// newMotoOrg makes the organisation: an SCP on the unit of prod denies the deletion of alarms, an RCP on the root denies
// what isn't TLS, and prod has a role with a boundary. No other test's account is in it.
func newMotoOrg(t *testing.T) *motoOrg {
	t.Helper()
	url := os.Getenv("IAMWHY_MOTO")
	if url == "" {
		t.Skip("set IAMWHY_MOTO to the URL that moto_server -p 0 prints, to collect an organisation of its")
	}
	m := &motoOrg{url: url, management: fmt.Sprintf("4%011d", rand.Int64N(1e11))}
	api := organizations.NewFromConfig(m.enter(t, m.management))
	awsCall(t, api.CreateOrganization, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	root := awsCall(t, api.ListRoots, &organizations.ListRootsInput{}).Roots[0].Id
	for _, typ := range []orgtypes.PolicyType{orgtypes.PolicyTypeServiceControlPolicy, orgtypes.PolicyTypeResourceControlPolicy} {
		awsCall(t, api.EnablePolicyType, &organizations.EnablePolicyTypeInput{RootId: root, PolicyType: typ})
	}
	var units []*string
	for _, account := range []*string{&m.prod, &m.dev} {
		name := aws.String(fmt.Sprintf("unit%d", len(units)))
		unit := awsCall(t, api.CreateOrganizationalUnit, &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: name}).OrganizationalUnit.Id
		units = append(units, unit)
		made := awsCall(t, api.CreateAccount, &organizations.CreateAccountInput{AccountName: name, Email: aws.String(*name + "@example.com")})
		*account = aws.ToString(made.CreateAccountStatus.AccountId)
		awsCall(t, api.MoveAccount, &organizations.MoveAccountInput{AccountId: account, SourceParentId: root, DestinationParentId: unit})
	}
	attach := func(typ orgtypes.PolicyType, name, target, document string) {
		made := awsCall(t, api.CreatePolicy, &organizations.CreatePolicyInput{Type: typ, Name: &name, Description: &name, Content: &document})
		awsCall(t, api.AttachPolicy, &organizations.AttachPolicyInput{PolicyId: made.Policy.PolicySummary.Id, TargetId: &target})
	}
	attach(orgtypes.PolicyTypeServiceControlPolicy, "KeepAlarms", *units[0],
		`{"Version":"2012-10-17","Statement":[{"Sid":"NoDeletions","Effect":"Deny","Action":"cloudwatch:Delete*","Resource":"*"}]}`)
	attach(orgtypes.PolicyTypeResourceControlPolicy, "TLS", *root,
		`{"Version":"2012-10-17","Statement":[{"Sid":"OnlyTLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)
	m.fillProd(t)
	return m
}

// fillProd makes role app in prod, which may do anything in CloudWatch, but for its boundary. (moto has no boundaries of users.)
func (m *motoOrg) fillProd(t *testing.T) {
	t.Helper()
	api := iam.NewFromConfig(m.enter(t, m.prod))
	boundary := awsCall(t, api.CreatePolicy, &iam.CreatePolicyInput{
		PolicyName:     aws.String("reader"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["cloudwatch:Describe*","cloudwatch:Delete*"],"Resource":"*"}]}`),
	}).Policy.Arn
	awsCall(t, api.CreateRole, &iam.CreateRoleInput{
		RoleName: aws.String("app"), PermissionsBoundary: boundary,
		Tags:                     []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("a b+c")}},
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	awsCall(t, api.PutRolePolicy, &iam.PutRolePolicyInput{
		RoleName: aws.String("app"), PolicyName: aws.String("all"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"cloudwatch:*","Resource":"*"}]}`),
	})
	awsCall(t, api.CreateUser, &iam.CreateUserInput{UserName: aws.String("ann")})
}

// enter returns a configuration that asks as a role in an account.
func (m *motoOrg) enter(t *testing.T, account string) aws.Config {
	t.Helper()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &m.url, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")}
	role := aws.String("arn:aws:iam::" + account + ":role/" + motoRole)
	keys := awsCall(t, sts.NewFromConfig(cfg).AssumeRole, &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("test")}).Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*keys.AccessKeyId, *keys.SecretAccessKey, *keys.SessionToken)
	return cfg
}

// awsCall makes a call, which must go well.
func awsCall[In, Options, Out any](t *testing.T, call func(context.Context, In, ...func(*Options)) (Out, error), in In) Out {
	t.Helper()
	out, err := call(t.Context(), in)
	if err != nil {
		t.Fatalf("%T: %v", in, err)
	}
	return out
}

// iamwhy runs the command as the management account.
func (m *motoOrg) iamwhy(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = run(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	return out.String(), errs.String(), exit
}

func (m *motoOrg) environment(t *testing.T) {
	t.Helper()
	keys, err := m.enter(t, m.management).Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": m.url, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "IAMWHY_SNAPSHOT": "",
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
}

// TestCollectMoto collects an organisation, twice, and asks the snapshot.
func TestCollectMoto(t *testing.T) {
	m := newMotoOrg(t)
	m.environment(t)
	folder := filepath.Join(t.TempDir(), "snapshot")
	collect := []string{"collect", "--org", "--role-name", motoRole, "--only", "iam,organization", "-o", folder}
	out, errs, exit := m.iamwhy(t, collect...)
	if exit != 0 || errs != "" {
		t.Fatalf("collect: exit status %d\n%s%s", exit, out, errs)
	}
	for _, account := range []string{m.management, m.prod, m.dev} {
		if !strings.Contains(out, account+"    1 ok") {
			t.Errorf("account %s isn't in the table, or not whole:\n%s", account, out)
		}
	}
	first := tree(t, folder)
	if _, _, exit := m.iamwhy(t, collect...); exit != 0 {
		t.Fatalf("collect again: exit status %d", exit)
	}
	second := tree(t, folder)
	delete(first, "snapshot.json")
	delete(second, "snapshot.json")
	if len(first) < 3+1+4 { // iam.json of each, organization.json, and SCPs and RCPs, of which AWS has one each
		t.Errorf("too few files: %v", slices.Sorted(maps.Keys(first)))
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("an unchanged organisation, collected twice (-first +second):\n%s", diff)
	}

	session := "arn:aws:sts::" + m.prod + ":assumed-role/app/i-1"
	checks := []struct {
		action string
		exit   int
		want   string
	}{
		{"cloudwatch:DeleteAlarms", statusNo, "NoDeletions"},
		{"cloudwatch:PutMetricAlarm", statusNo, "boundary"},
		{"cloudwatch:DescribeAlarms", statusDone, "ALLOWED"},
	}
	for _, c := range checks {
		out, errs, exit := m.iamwhy(t, "check", "--snapshot", folder, "-p", session, "--assume-no-session-policy", "-a", c.action, "-r", "arn:aws:cloudwatch:us-east-1:"+m.prod+":alarm:a", "-c", "aws:SourceIp=203.0.113.7")
		if exit != c.exit || !strings.Contains(out, c.want) {
			t.Errorf("check %s: exit status %d, want %d and …%s…\n%s%s", c.action, exit, c.exit, c.want, out, errs)
		}
	}
	events := filepath.Join(t.TempDir(), "events.json")
	text, err := json.Marshal(map[string]any{"Records": []any{denial(session, m.prod)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(events, text, 0o666); err != nil {
		t.Fatal(err)
	}
	out, errs, exit = m.iamwhy(t, "explain", "--assume-no-session-policy", "--snapshot", folder, events)
	if exit != 0 || !strings.Contains(out, "NoDeletions (KeepAlarms, attached to ou-") || !strings.Contains(out, "agrees") {
		t.Errorf("explain: exit status %d\n%s%s", exit, out, errs)
	}
}

// denial is the event of a call that the SCP denied.
func denial(session, account string) map[string]any {
	return map[string]any{
		"eventVersion": "1.09", "eventTime": "2026-11-19T12:00:00Z", "eventSource": "monitoring.amazonaws.com", "eventName": "DeleteAlarms", "awsRegion": "us-east-1",
		"eventID": "00000000-0000-0000-0000-000000000001", "eventType": "AwsApiCall", "recipientAccountId": account, "readOnly": false,
		"userIdentity":      map[string]any{"type": "AssumedRole", "arn": session, "accountId": account, "sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": "arn:aws:iam::" + account + ":role/app", "userName": "app"}}},
		"requestParameters": map[string]any{"alarmNames": []any{"a"}},
		"errorCode":         "AccessDenied",
		"errorMessage":      "User: " + session + " is not authorized to perform: cloudwatch:DeleteAlarms on resource: arn:aws:cloudwatch:us-east-1:" + account + ":alarm:a with an explicit deny in a service control policy",
	}
}

// tree is the files below a folder, by name.
func tree(t *testing.T, folder string) map[string]string {
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
