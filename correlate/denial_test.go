package correlate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

const (
	acmeUser    = "arn:aws:iam::111111111111:user/ops/ana"
	acmeRole    = "arn:aws:iam::222222222222:role/ci/deploy"
	acmeSession = "arn:aws:sts::222222222222:assumed-role/deploy/ci-417"
	shortDeny   = "User: " + acmeSession + " is not authorized to perform: "
)

func TestClassifyCode(t *testing.T) {
	tests := []struct {
		code string
		want Class
	}{
		{"", ClassNone},
		{"AccessDenied", ClassDenied},
		{"accessdenied", ClassDenied},
		{"AccessDeniedException", ClassDenied},
		{"Client.UnauthorizedOperation", ClassDenied},
		{"Server.UnauthorizedOperation", ClassDenied},
		{"com.amazon.coral.service#AccessDeniedException:http://internal.example/", ClassDenied},
		{"KMS.AccessDeniedException", ClassDenied},
		{"KMSAccessDeniedFault", ClassDenied},
		{"VpceAccessDenied", ClassDenied},
		{"403", ClassMaybe},
		{"NotAuthorizedException", ClassMaybe},
		{"InvalidAccessException", ClassNotPolicy},
		{"Client.AuthFailure", ClassNotPolicy},
		{"ExpiredTokenException", ClassNotPolicy},
		{"InvalidKMSKeyStateException", ClassNotPolicy},
		{"OrganizationAccessDeniedException", ClassNotPolicy},
		{"NotManagementAccountException", ClassNotPolicy},
		{"Client.InvalidAllocationID.NotFound", ClassNoise},
		{"NoSuchBucketPolicy", ClassNoise},
		{"ReplicationConfigurationNotFoundError", ClassNoise},
		{"ThrottlingException", ClassNoise},
		{"Client.DryRunOperation", ClassNone},
		{"ValidationError", ClassNone},
	}
	for _, tt := range tests {
		if got := ClassifyCode(tt.code); got != tt.want {
			t.Errorf("T40: ClassifyCode(%q) = %q, want %q", tt.code, got, tt.want)
		}
	}
	for _, row := range errorCodes {
		for _, code := range row.codes {
			if code != strings.ToLower(code) || row.note == "" {
				t.Errorf("table T40: %q isn't in lower case, or has no note", code)
			}
			if got := classOfCode(strings.Trim(code, "*")); got != row.class {
				t.Errorf("table T40: %q is shadowed by a row of class %q", code, got)
			}
		}
	}
}

// T39, T40, T42, T45: what becomes of an error.
func TestDenialsOfClass(t *testing.T) {
	tests := []struct {
		name, code, message string
		want                Class
	}{
		{"T40 denied", "AccessDenied", "", ClassDenied},
		{"T40 denied, text unheard of", "AccessDenied", "The moon is full.", ClassDenied},
		{"T40 maybe with AWS's sentence", "ForbiddenException", shortDeny + "mediaconnect:ListFlows", ClassDenied},
		{"T40 maybe with a text of its own", "NotAuthorizedException", "Incorrect username or password.", ClassNotPolicy},
		{"T40 maybe without text", "403", "", ClassNotPolicy},
		{"T40 not a policy", "InvalidAccessException", "", ClassNotPolicy},
		{"T40 Lake Formation", "AccessDeniedException", "Insufficient Lake Formation permission(s): Required Select on t", ClassNotPolicy},
		{"T42a a switch", "AccessDenied", "IAM user access not activated", ClassDenied},
		{"T42d malformed call", "AccessDeniedException", "Cross-account pass role is not allowed.", ClassNotPolicy},
		{"T42e malformed call", "ValidationError", "x is not a valid AWS service name (Service Principal)", ClassNone},
		{"T45 CodeBuild", "InvalidInputException", "Not authorized to perform DescribeSecurityGroups", ClassDenied},
		{"T45 Lambda", "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", ClassDenied},
		{"T45 Auto Scaling", "ValidationError", "You are not authorized to use launch template: lt-1", ClassDenied},
		{"T45 under a code that isn't a policy's", "UnsupportedOperation", shortDeny + "ec2:StopInstances", ClassDenied},
		{"T45 never under noise", "ThrottlingException", shortDeny + "ec2:StopInstances", ClassNoise},
		{"T45 no denial", "ValidationError", "Member must not be null", ClassNone},
		{"T47 dry run", "Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set.", ClassNone},
	}
	for _, tt := range tests {
		e := &Event{Source: "ec2.amazonaws.com", Name: "StopInstances", Type: "AwsApiCall", ErrorCode: tt.code, ErrorMessage: tt.message}
		all := DenialsOf(e, true)
		if len(all) != 1 || all[0].Class != tt.want || all[0].Code != tt.code || all[0].Event != e {
			t.Errorf("%s: DenialsOf(%q, %q, all) = %+v, want one of class %q", tt.name, tt.code, tt.message, all, tt.want)
		}
		if got := len(DenialsOf(e, false)); got != 1 && tt.want == ClassDenied || got != 0 && tt.want != ClassDenied {
			t.Errorf("%s: DenialsOf(%q, %q) has %d denials, class %q", tt.name, tt.code, tt.message, got, tt.want)
		}
	}
}

// T39, steps 1 and 2.
func TestDenialsOfEventTypes(t *testing.T) {
	tests := []struct {
		name, kind, category string
		want, wantAll        int
	}{
		{"call", "AwsApiCall", "Management", 1, 1},
		{"network activity", "AwsVpceEvent", "NetworkActivity", 1, 1},
		{"network activity, plural", "AwsVpceEvents", "NetworkActivity", 1, 1},
		{"console", "AwsConsoleAction", "Management", 1, 1},
		{"type lost", "", "", 1, 1},
		{"sign-in", "AwsConsoleSignIn", "Management", 0, 1},
		{"service event", "AwsServiceEvent", "Management", 0, 1},
		{"insight", "AwsCloudTrailInsight", "Insight", 0, 0},
		{"aggregated", "AwsApiCall", "Aggregated", 0, 0},
	}
	for _, tt := range tests {
		e := &Event{Type: tt.kind, Category: tt.category, ErrorCode: "AccessDenied", Source: "s3.amazonaws.com", Name: "GetObject"}
		if got, all := len(DenialsOf(e, false)), len(DenialsOf(e, true)); got != tt.want || all != tt.wantAll {
			t.Errorf("%s: DenialsOf has %d denials and %d with all, want %d and %d", tt.name, got, all, tt.want, tt.wantAll)
		}
	}
	if got := DenialsOf(nil, true); got != nil {
		t.Errorf("DenialsOf(nil) = %v", got)
	}
	if got := DenialsOf(&Event{Type: "AwsApiCall", ResponseElements: json.RawMessage(`{"ok":true}`)}, true); got != nil {
		t.Errorf("DenialsOf of a success = %v", got)
	}
}

// T33: the endpoint's policy, for certain, even without the text.
func TestDenialsOfNetworkActivity(t *testing.T) {
	for _, text := range []string{"", "The request was denied due to a VPC endpoint policy"} {
		e := &Event{Type: "AwsVpceEvent", Category: "NetworkActivity", Source: "kms.amazonaws.com", Name: "ListKeys", ErrorCode: "VpceAccessDenied", ErrorMessage: text}
		got := DenialsOf(e, false)
		if len(got) != 1 || got[0].Message.Layer != "endpoint" {
			t.Errorf("T33: DenialsOf(VpceAccessDenied, %q) = %+v, want layer endpoint", text, got)
		}
	}
}

// T46: errors in the response of a call that as a whole went well.
func TestDenialsOfEmbedded(t *testing.T) {
	type item struct{ Part, Code, Message string }
	deep := strings.Repeat(`{"a":`, 40) + `{"errorCode":"AccessDenied"}` + strings.Repeat("}", 40)
	tests := []struct {
		name, response string
		want           []item
	}{
		{"S3 DeleteObjects", `{"Errors":[{"Key":"a","Code":"AccessDenied","Message":"Access Denied"},{"Key":"b","Code":"NoSuchKey"}]}`,
			[]item{{"Errors[0]", "AccessDenied", "Access Denied"}}},
		{"EC2 unsuccessful", `{"R":{"unsuccessful":{"item":[{"resourceId":"vpce-1","error":{"code":"UnauthorizedOperation","message":"You are not authorized to perform this operation."}}]}}}`,
			[]item{{"R.unsuccessful.item[0].error", "UnauthorizedOperation", ec2Lead}}},
		{"EC2 fleet", `{"fleetId":"f","errors":[{"errorCode":"UnauthorizedOperation","errorMessage":"x"},{"errorCode":"InsufficientInstanceCapacity"}]}`,
			[]item{{"errors[0]", "UnauthorizedOperation", "x"}}},
		{"nested errorCode", `{"result":{"status":{"errorCode":"AccessDeniedException","errorMessage":"no"}}}`,
			[]item{{"result.status", "AccessDeniedException", "no"}}},
		{"text alone, among failures", `{"failed":[{"id":"1","failureReason":"x is not authorized to perform: a:B"}]}`,
			[]item{{"failed[0]", "", "x is not authorized to perform: a:B"}}},
		{"code elsewhere is no error", `{"codeInfo":{"code":"AccessDenied","message":"docs"}}`, nil},
		{"deeper than T46 looks", deep, nil},
		{"not JSON", `{"errors":[{"errorCode":"AccessDenied"`, nil},
		{"not an object", `"AccessDenied"`, nil},
		{"null", `null`, nil},
	}
	for _, tt := range tests {
		var got []item
		for _, d := range DenialsOf(&Event{Type: "AwsApiCall", ResponseElements: json.RawMessage(tt.response)}, false) {
			got = append(got, item{d.Part, d.Code, d.Message.Text})
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("T46 %s (-want +got):\n%s", tt.name, diff)
		}
	}
	if got := DenialsOf(&Event{ErrorCode: "ValidationError", ResponseElements: json.RawMessage(`{"errors":[{"errorCode":"AccessDenied"}]}`)}, false); got != nil {
		t.Errorf("T46: looked inside a response of a call that failed: %v", got)
	}
	many := `{"errors":[` + strings.Repeat(`{"errorCode":"AccessDenied"},`, 3*maxFailures) + `{}]}`
	if got := len(DenialsOf(&Event{ResponseElements: json.RawMessage(many)}, false)); got != maxFailures {
		t.Errorf("T46: %d denials in one event, want the bound of %d", got, maxFailures)
	}
}

// Table 2.2 and T28.
func TestEventPrincipal(t *testing.T) {
	tests := []struct {
		name string
		id   Identity
		want evaluator.Principal
	}{
		{"Root", Identity{Type: "Root", PrincipalID: "111111111111", ARN: "arn:aws:iam::111111111111:root", Account: "111111111111"},
			evaluator.Principal{Type: evaluator.Root, ARN: "arn:aws:iam::111111111111:root", ID: "111111111111", Account: "111111111111"}},
		{"IAMUser keeps its path", Identity{Type: "IAMUser", PrincipalID: "AIDA1", ARN: acmeUser, Account: "111111111111"},
			evaluator.Principal{Type: evaluator.User, ARN: acmeUser, ID: "AIDA1", Account: "111111111111"}},
		{"T107 IAMUser without ARN isn't guessed", Identity{Type: "IAMUser", PrincipalID: "AIDA1", UserName: "ana", Account: "111111111111"},
			evaluator.Principal{ID: "AIDA1", Account: "111111111111"}},
		{"T106 hidden name", Identity{Type: "IAMUser", UserName: hiddenName, PrincipalID: hiddenName, Account: "111111111111"},
			evaluator.Principal{Account: "111111111111"}},
		{"AssumedRole, issuer known", Identity{Type: "AssumedRole", PrincipalID: "AROA1:ci-417", ARN: acmeSession, Account: "222222222222", Session: &Session{IssuerType: "Role", IssuerID: "AROA1", IssuerARN: acmeRole}},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: acmeSession, RoleARN: acmeRole, ID: "AROA1", Account: "222222222222"}},
		{"T28 AssumedRole, role composed", Identity{Type: "AssumedRole", PrincipalID: "AROA1:ci-417", ARN: acmeSession},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: acmeSession, RoleARN: "arn:aws:iam::222222222222:role/deploy", RolePathUnknown: true, ID: "AROA1", Account: "222222222222"}},
		{"AssumedRole, session composed", Identity{Type: "AssumedRole", PrincipalID: "AROA1:ci-417", Account: "222222222222", Session: &Session{IssuerARN: acmeRole}},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: acmeSession, RoleARN: acmeRole, ID: "AROA1", Account: "222222222222"}},
		{"Role", Identity{Type: "Role", PrincipalID: "AROA1", ARN: acmeRole, Account: "222222222222"},
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: acmeRole, RoleARN: acmeRole, ID: "AROA1", Account: "222222222222"}},
		{"FederatedUser", Identity{Type: "FederatedUser", PrincipalID: "111111111111:bo", ARN: "arn:aws:sts::111111111111:federated-user/bo", Account: "111111111111", Session: &Session{IssuerType: "IAMUser", IssuerARN: acmeUser}},
			evaluator.Principal{Type: evaluator.FederatedUser, ARN: "arn:aws:sts::111111111111:federated-user/bo", ParentARN: acmeUser, Account: "111111111111"}},
		{"AWSAccount", Identity{Type: "AWSAccount", PrincipalID: "AROA1:ci-417", Account: "222222222222"},
			evaluator.Principal{ID: "AROA1", Account: "222222222222"}},
		{"AWSAccount unsigned", Identity{Type: "AWSAccount", Account: anonymousAccount}, evaluator.Principal{Type: evaluator.Anonymous}},
		{"AWSService", Identity{Type: "AWSService", InvokedBy: "cloudtrail.amazonaws.com"},
			evaluator.Principal{Type: evaluator.Service, ARN: "cloudtrail.amazonaws.com"}},
		{"AWSService without a name", Identity{Type: "AWSService", InvokedBy: "AWS Internal"}, evaluator.Principal{}},
		{"WebIdentityUser", Identity{Type: "WebIdentityUser", IdentityProvider: "accounts.google.com", UserName: "1"},
			evaluator.Principal{Type: evaluator.WebIdentity, ARN: "accounts.google.com"}},
		{"SAMLUser, provider from the call", Identity{Type: "SAMLUser", IdentityProvider: "aGFzaA=="},
			evaluator.Principal{Type: evaluator.SAML, ARN: "arn:aws:iam::111111111111:saml-provider/okta"}},
		{"Directory", Identity{Type: "Directory", Account: "111111111111"}, evaluator.Principal{Account: "111111111111"}},
		{"IdentityCenterUser", Identity{Type: "IdentityCenterUser", Account: "111111111111"}, evaluator.Principal{Account: "111111111111"}},
		{"type lost", Identity{ARN: acmeUser}, evaluator.Principal{Type: evaluator.User, ARN: acmeUser, Account: "111111111111"}},
		{"nothing", Identity{}, evaluator.Principal{}},
	}
	for _, tt := range tests {
		e := &Event{Identity: tt.id, RequestParameters: json.RawMessage(`{"principalArn":"arn:aws:iam::111111111111:saml-provider/okta"}`)}
		if diff := cmp.Diff(tt.want, eventPrincipal(e)); diff != "" {
			t.Errorf("%s: eventPrincipal (-want +got):\n%s", tt.name, diff)
		}
	}
}

// T84.
func TestPartition(t *testing.T) {
	for region, want := range map[string]string{
		"": "aws", "eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso",
		"us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f", "eusc-de-east-1": "aws-eusc",
	} {
		if got := eventPartition(&Event{Region: region}); got != want {
			t.Errorf("T84: partition of %q = %q, want %q", region, got, want)
		}
	}
	e := &Event{Region: "us-east-1", Identity: Identity{ARN: "arn:aws-cn:iam::111111111111:user/a"}}
	if got := eventPartition(e); got != "aws-cn" {
		t.Errorf("T84: partition = %q, want the caller's", got)
	}
}

// roleEvent is a call of the deploy role.
func roleEvent(source, name string) *Event {
	return &Event{
		Source: source, Name: name, Region: "eu-west-1", Type: "AwsApiCall", Version: "1.11", RecipientAccount: "222222222222",
		Identity: Identity{
			Type: "AssumedRole", PrincipalID: "AROA1:ci-417", ARN: acmeSession, Account: "222222222222", AccessKeyID: "ASIA1",
			Session: &Session{IssuerType: "Role", IssuerID: "AROA1", IssuerARN: acmeRole, MFA: "false"},
		},
	}
}

// T67: whose denial it is.
func TestCaller(t *testing.T) {
	c := newCall(roleEvent("ecs.amazonaws.com", "RunTask"))
	tests := []struct {
		name, principal string
		mismatch        bool
	}{
		{"none named", "", false},
		{"the session", acmeSession, false},
		{"another session of the role", "arn:aws:sts::222222222222:assumed-role/deploy/[MASKED]", false},
		{"the role", "arn:aws:iam::222222222222:role/deploy", false},
		{"another role", "arn:aws:sts::222222222222:assumed-role/task/1", true},
		{"the role of another account", "arn:aws:sts::111111111111:assumed-role/deploy/ci-417", true},
		{"no principal of IAM", "[AmazonConnect]", true},
	}
	for _, tt := range tests {
		p, mismatch := c.caller(&Message{Principal: tt.principal})
		if mismatch != tt.mismatch || !mismatch && p != c.principal || mismatch && p == c.principal {
			t.Errorf("%s: caller(%q) = %+v, mismatch %v, want %v", tt.name, tt.principal, p, mismatch, tt.mismatch)
		}
	}
	user := newCall(&Event{Identity: Identity{Type: "IAMUser", ARN: acmeUser, UserName: "ana"}})
	for _, same := range []string{acmeUser, "ana", "arn:aws:sts::111111111111:user/ana"} {
		if _, mismatch := user.caller(&Message{Principal: same}); mismatch {
			t.Errorf("T67: %q is taken for another principal than %s", same, acmeUser)
		}
	}
	if !newCall(&Event{Identity: Identity{Type: "AWSAccount", Account: anonymousAccount}}).isCaller("anonymous") {
		t.Error("T67: anonymous isn't the unsigned caller")
	}
}

func derivedRequest(action, arn string) apicall.Request {
	return apicall.Request{Action: action, ActionSource: apicall.FromName, Resource: evaluator.Resource{ARN: arn}, ResourceSource: apicall.FromEvent, Required: true}
}

// T75, T65, T81, T117: the message overrides what was derived.
func TestChoose(t *testing.T) {
	run := []apicall.Request{
		derivedRequest("ec2:RunInstances", "arn:aws:ec2:eu-west-1:222222222222:subnet/s-1"),
		derivedRequest("ec2:RunInstances", "arn:aws:ec2:eu-west-1:222222222222:instance/*"),
		derivedRequest("iam:PassRole", "arn:aws:iam::222222222222:role/web"),
	}
	get := []apicall.Request{derivedRequest("s3:GetObject", "arn:aws:s3:::acme-data/a  b")}
	create := []apicall.Request{derivedRequest("iam:CreateRole", "arn:aws:iam::222222222222:role/ci/web")}
	put := []apicall.Request{derivedRequest("s3:PutObject", "arn:aws:s3:::acme-data/x")}
	const all = "*(pattern)"
	tests := []struct {
		name    string
		message string
		derived []apicall.Request
		want    []string // action resource sources
	}{
		{"no action: derived stand", "Access Denied", get, []string{"s3:GetObject arn:aws:s3:::acme-data/a  b name event"}},
		{"T65 named request first, its resource literally", shortDeny + "ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:222222222222:instance/* because no identity-based policy allows the ec2:RunInstances action", run, []string{
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:instance/* message message",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:subnet/s-1 name event",
			"iam:PassRole arn:aws:iam::222222222222:role/web name event"}},
		{"same type of resource stands for it", shortDeny + "ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:222222222222:subnet/s-9", run, []string{
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:subnet/s-9 message message",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:instance/* name event",
			"iam:PassRole arn:aws:iam::222222222222:role/web name event"}},
		{"another resource comes on top", shortDeny + "ec2:RunInstances on resource: arn:aws:ec2:eu-west-1::image/ami-1", run, []string{
			"ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-1 message message",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:subnet/s-1 name event",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:instance/* name event",
			"iam:PassRole arn:aws:iam::222222222222:role/web name event"}},
		{"action named, resource not", shortDeny + "iam:PassRole", run, []string{
			"iam:PassRole arn:aws:iam::222222222222:role/web message event",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:subnet/s-1 name event",
			"ec2:RunInstances arn:aws:ec2:eu-west-1:222222222222:instance/* name event"}},
		{"T81 another action is the only one", shortDeny + "kms:Decrypt on resource: arn:aws:kms:eu-west-1:222222222222:key/1", get, []string{
			"kms:Decrypt arn:aws:kms:eu-west-1:222222222222:key/1 message message"}},
		{"on this resource", shortDeny + "kms:Decrypt on this resource because no identity-based policy allows the kms:Decrypt action", get, []string{
			"kms:Decrypt " + all + " message unknown"}},
		{"* is literal", shortDeny + "xyz:Do on resource: *", get, []string{"xyz:Do * message message"}},
		{"blanks that the message lost", shortDeny + `s3:GetObject on resource: "arn:aws:s3:::acme-data/a  b"`, get, []string{
			"s3:GetObject arn:aws:s3:::acme-data/a  b message message"}},
		{"T64 the event knows the path", shortDeny + "iam:CreateRole on resource: role web", create, []string{
			"iam:CreateRole arn:aws:iam::222222222222:role/ci/web message message"}},
		{"T64 nobody knows the path", shortDeny + "iam:GetRole on resource: role web", nil, []string{
			"iam:GetRole arn:aws:iam::222222222222:role/*web(pattern) message message"}},
		{"T64 account from the event", "User: somebody is not authorized to perform: iam:GetRole on resource: role web", nil, []string{
			"iam:GetRole arn:aws:iam::222222222222:role/*web(pattern) message message"}},
		{"M13 a key's id is no resource", shortDeny + "iam:UpdateAccessKey on resource: access key AKIA1", nil, []string{
			"iam:UpdateAccessKey " + all + " message unknown"}},
		{"an operation for an action", shortDeny + `s3:CopyObject on resource: "arn:aws:s3:::acme-data/x"`, put, []string{
			"s3:PutObject arn:aws:s3:::acme-data/x message message"}},
		{"T66 masked account", "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********2222:api/dev/GET/x", nil, []string{
			"execute-api:Invoke arn:aws:execute-api:eu-west-1:222222222222:api/dev/GET/x message message"}},
		{"T66 masked account, unknown", "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9999:api/dev/GET/x", nil, []string{
			"execute-api:Invoke arn:aws:execute-api:eu-west-1:*9999:api/dev/GET/x(pattern) message message"}},
		{"resource alone", "Access to the resource https://sqs.eu-west-1.amazonaws.com/222222222222/jobs is denied.", []apicall.Request{derivedRequest("sqs:SendMessage", "*")}, []string{
			"sqs:SendMessage arn:aws:sqs:eu-west-1:222222222222:jobs name message"}},
		{"M31 the role that the service should assume", "The role defined for the function cannot be assumed by Lambda.", run, []string{
			"sts:AssumeRole arn:aws:iam::222222222222:role/web message event"}},
		{"M31 of an unnamed action", "The provided execution role does not have permissions to call Something", run, nil},
	}
	for _, tt := range tests {
		c := newCall(roleEvent("ec2.amazonaws.com", "RunInstances"))
		c.derived = func() []apicall.Request { return tt.derived }
		m := ParseMessage(tt.message, "ec2")
		var got []string
		for _, a := range c.choose(&m, tt.derived) {
			arn := a.Resource.ARN
			if a.Resource.Pattern {
				arn += "(pattern)"
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", a.Action, arn, a.ActionSource, a.ResourceSource))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", tt.name, tt.message, diff)
		}
	}
}

// T40: the code says that it was the key.
func TestKeyDenied(t *testing.T) {
	c := newCall(roleEvent("sqs.amazonaws.com", "SendMessage"))
	c.derived = func() []apicall.Request {
		return []apicall.Request{derivedRequest("sqs:SendMessage", "arn:aws:sqs:eu-west-1:222222222222:jobs"), derivedRequest("kms:GenerateDataKey", "*")}
	}
	for code, want := range map[string]int{"KMS.AccessDeniedException": 1, "KmsAccessDenied": 1, "AccessDenied": 2} {
		got := made(c.needs(Denial{Code: code, Message: ParseMessage("", "sqs")}, nil)())
		if len(got) != want || want == 1 && got[0].Action != "kms:GenerateDataKey" {
			t.Errorf("T40: requests of %s = %+v, want %d", code, got, want)
		}
	}
}

// T46: an item of a batch is the request that it names.
func TestItemRequests(t *testing.T) {
	derived := []apicall.Request{derivedRequest("s3:DeleteObject", "arn:aws:s3:::acme-data/a"), derivedRequest("s3:DeleteObject", "arn:aws:s3:::acme-data/b")}
	for _, tt := range []struct {
		names []string
		want  int
	}{{[]string{"b"}, 1}, {[]string{"arn:aws:s3:::acme-data/a"}, 1}, {[]string{"c"}, 2}, {nil, 2}} {
		if got := itemRequests(derived, tt.names); len(got) != tt.want {
			t.Errorf("T46: item naming %q has %d requests, want %d", tt.names, len(got), tt.want)
		}
	}
}

// T38: whose resource it is.
func TestSetAccount(t *testing.T) {
	owner := roleEvent("kms.amazonaws.com", "Decrypt")
	owner.SharedID, owner.RecipientAccount = "shared", "111111111111"
	bucket := roleEvent("s3.amazonaws.com", "GetObject")
	bucket.Resources = []EventResource{{ARN: "arn:aws:s3:::acme-data", Account: "111111111111", Type: "AWS::S3::Bucket"}}
	plain := roleEvent("s3.amazonaws.com", "GetObject")
	tests := []struct {
		name    string
		event   *Event
		arn     string
		want    string
		assumed bool
	}{
		{"recorded with the bucket", bucket, "arn:aws:s3:::acme-data/x", "111111111111", false},
		{"another bucket", bucket, "arn:aws:s3:::acme-data2/x", "", false},
		{"in the ARN", plain, "arn:aws:sqs:eu-west-1:111111111111:jobs", "111111111111", false},
		{"a bucket that nothing tells of", plain, "arn:aws:s3:::acme-data/x", "", false},
		{"the owner's copy", owner, "arn:aws:route53:::hostedzone/Z", "111111111111", false},
		{"the caller's for want of better", plain, "arn:aws:route53:::hostedzone/Z", "222222222222", true},
		{"no resource", plain, "*", "222222222222", false},
		{"AWS's own policy", plain, "arn:aws:iam::aws:policy/ReadOnlyAccess", "", false},
	}
	for _, tt := range tests {
		r := evaluator.Resource{ARN: tt.arn}
		assumed := newCall(tt.event).setAccount(&r)
		if r.Account != tt.want || assumed != tt.assumed {
			t.Errorf("T38 %s: account of %s = %q, assumed %v; want %q, %v", tt.name, tt.arn, r.Account, assumed, tt.want, tt.assumed)
		}
	}
}

func TestDenialFromMessage(t *testing.T) {
	d := DenialFromMessage("An error occurred (AccessDenied) when calling the CopyObject operation: " + shortDeny +
		`s3:CopyObject on resource: "arn:aws:s3:::acme-data/x" because no identity-based policy allows the s3:CopyObject action`)
	if d.Event != nil || d.Class != ClassDenied || d.Code != "AccessDenied" || len(d.Requests()) != 1 {
		t.Fatalf("DenialFromMessage = %+v", d)
	}
	r := d.Requests()[0]
	if r.Action != "s3:PutObject" || r.Resource != (evaluator.Resource{ARN: "arn:aws:s3:::acme-data/x"}) || !r.Context.Open || !r.Required || r.ActionSource != apicall.FromMessage {
		t.Errorf("request = %+v", r)
	}
	if s := r.Context.Lookup("aws:SourceIp").State; s != evaluator.UnknownKey {
		t.Errorf("aws:SourceIp is %v, want it unknown", s)
	}
	if r := DenialFromMessage(shortDeny + "kms:Decrypt on this resource").Requests()[0]; r.Resource.ARN != "*" || !r.Resource.Pattern {
		t.Errorf("resource that isn't named = %+v, want *, a pattern", r.Resource)
	}
	if d := DenialFromMessage("Access Denied"); d.Class != ClassDenied || d.Requests() != nil {
		t.Errorf("DenialFromMessage(Access Denied) = %+v, want a denial without requests", d)
	}
	if d := DenialFromMessage("good morning"); d.Class != ClassNone {
		t.Errorf("DenialFromMessage(good morning) has class %q", d.Class)
	}
}

// recordsOf returns the events of a file of the reference data.
func recordsOf(t *testing.T, name string) []*Event {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var records []json.RawMessage
	var log struct{ Records []json.RawMessage }
	if json.Unmarshal(data, &records) != nil {
		if err := json.Unmarshal(data, &log); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		records = log.Records
	}
	var events []*Event
	for _, r := range records {
		e, err := DecodeEvent(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		events = append(events, e)
	}
	return events
}

func recordsIn(t *testing.T, elem ...string) []*Event {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shared(t, elem...), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no events in %v: %v", elem, err)
	}
	var events []*Event
	for _, name := range files {
		events = append(events, recordsOf(t, name)...)
	}
	return events
}

// T122: the counts of the reference events.
func TestReferenceCounts(t *testing.T) {
	codes, layers, shortForms, leave := map[string]int{}, map[string]int{}, 0, 0
	for _, e := range recordsIn(t, "data", "cloudtrail", "aws_dataset") {
		for _, d := range DenialsOf(e, true) {
			if e.ErrorCode == "InvalidAccessException" && d.Class != ClassNotPolicy {
				t.Errorf("T122: %s has class %q", e.Name, d.Class)
			}
			if d.Class != ClassDenied {
				continue
			}
			codes[d.Code]++
			switch e.Source + ":" + e.Name {
			case "ce.amazonaws.com:GetCostAndUsage", "ce.amazonaws.com:GetCostForecast":
				layers[d.Message.Layer]++
			case "sts.amazonaws.com:AssumeRole":
				if d.Message.Layer == LayerUnknown && d.Message.Claim == ClaimUnknown && d.Message.Action == "sts:AssumeRole" {
					shortForms++
				}
			case "organizations.amazonaws.com:LeaveOrganization":
				if d.Message.Layer == "identity" && d.Message.Claim == ClaimImplicitDeny {
					leave++
				}
			}
		}
	}
	// Four more are T45's: Lambda can't assume a role.
	want := map[string]int{"AccessDenied": 16, "Client.UnauthorizedOperation": 44, "InvalidParameterValueException": 4}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("T122: denials by code (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"service": 2}, layers); diff != "" {
		t.Errorf("T122: layers of ce (-want +got):\n%s", diff)
	}
	if shortForms != 13 || leave != 1 {
		t.Errorf("T122: %d short forms of sts:AssumeRole and %d of LeaveOrganization, want 13 and 1", shortForms, leave)
	}
}

// T122 and T69: which of EC2's encoded messages are whole.
func TestReferenceEncoded(t *testing.T) {
	cut, whole := map[string]int{}, 0
	for _, e := range recordsIn(t, "data", "cloudtrail", "stratus-red-team") {
		for _, d := range DenialsOf(e, false) {
			m := d.Message
			switch {
			case m.EncodedCut:
				cut[e.Name]++
			case m.Encoded != "":
				whole++
			}
			if m.Pattern == "M14" && (m.Layer != "identity" || m.Claim != ClaimImplicitDeny) {
				t.Errorf("T122: %s: %s by %s, want implicitDeny by identity", e.Name, m.Claim, m.Layer)
			}
		}
	}
	if len(cut) != 1 || cut["RunInstances"] == 0 || whole == 0 {
		t.Errorf("T122: cut %v, %d whole; want only RunInstances cut", cut, whole)
	}
}

// Every denial of the reference data that names its action has a request for it, first.
func TestReferenceActions(t *testing.T) {
	lines := 0
	for _, dir := range []string{"aws_dataset", "stratus-red-team"} {
		for _, e := range recordsIn(t, "data", "cloudtrail", dir) {
			for _, d := range DenialsOf(e, false) {
				m := d.Message
				if m.Action == "" {
					continue
				}
				lines++
				if len(d.Requests()) == 0 || !strings.EqualFold(d.Requests()[0].Action, m.Action) {
					t.Errorf("%s: %q: requests %+v", e.ID, m.Text, d.Requests())
					continue
				}
				if r := d.Requests()[0]; strings.HasPrefix(m.Resource, "arn:") && !m.PathUnknown && r.Resource.ARN != m.Resource {
					t.Errorf("%s: resource %q, message %q", e.ID, r.Resource.ARN, m.Resource)
				}
			}
		}
	}
	if lines == 0 {
		t.Error("no denial names its action")
	}
}

// The events of actions.jsonl have lost their messages: none must do without a denial.
func TestReferenceActionsFile(t *testing.T) {
	data, err := os.ReadFile(shared(t, "data", "cloudtrail", "actions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var line struct{ Event json.RawMessage }
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		e, err := DecodeEvent(line.Event)
		if err != nil {
			t.Errorf("line %d: %v", i+1, err)
			continue
		}
		if got := DenialsOf(e, false); len(got) != 1 {
			t.Errorf("line %d: %s of %s: %d denials", i+1, e.ErrorCode, e.Name, len(got))
		}
	}
}

func FuzzDenialsOf(f *testing.F) {
	f.Add("AccessDenied", shortDeny+"s3:GetObject", `{"bucketName":"b"}`, `{}`, `{}`)
	f.Add("", "", `{}`, `{"errors":[{"errorCode":"AccessDenied","key":"b"}]}`, `{"requestContext":{"aws:username":"a"}}`)
	f.Fuzz(func(t *testing.T, code, message, params, response, lake string) {
		e := roleEvent("s3.amazonaws.com", "GetObject")
		e.ErrorCode, e.ErrorMessage = code, message
		e.RequestParameters, e.ResponseElements, e.Context = json.RawMessage(params), json.RawMessage(response), json.RawMessage(lake)
		denied, all := DenialsOf(e, false), DenialsOf(e, true)
		if len(all) < len(denied) || len(all) > maxFailures {
			t.Errorf("%d denials, %d errors", len(denied), len(all))
		}
		for _, d := range denied {
			if d.Class != ClassDenied {
				t.Errorf("denial of class %q", d.Class)
			}
			for _, r := range d.Requests() {
				if !r.Context.Open || r.Principal != d.Principal {
					t.Errorf("request %+v", r)
				}
			}
		}
	})
}

// M31: the service that can't use a role, as far as it is known under which name it would.
func TestCallerOfPassedRole(t *testing.T) {
	m := ParseMessage("The role defined for the function cannot be assumed by Lambda.", "lambda")
	service := func(name string) evaluator.Principal {
		return evaluator.Principal{Type: evaluator.Service, ARN: name}
	}
	pass := derivedRequest("iam:PassRole", "arn:aws:iam::222222222222:role/task")
	pass.Context = []evaluator.ContextValue{{Name: "iam:PassedToService", State: evaluator.Present, Values: []string{"ecs-tasks.amazonaws.com"}}}
	tests := []struct {
		name, source string
		derived      []apicall.Request
		want         evaluator.Principal
	}{
		{"under its own name", "lambda.amazonaws.com", nil, service("lambda.amazonaws.com")},
		{"as the call passes the role", "ecs.amazonaws.com", []apicall.Request{pass}, service("ecs-tasks.amazonaws.com")},
		{"unknown", "ecs.amazonaws.com", nil, evaluator.Principal{}},
	}
	for _, tt := range tests {
		c := newCall(roleEvent(tt.source, "RunTask"))
		c.derived = func() []apicall.Request { return tt.derived }
		if got, mismatch := c.caller(&m); got != tt.want || !mismatch {
			t.Errorf("%s: caller = %+v, mismatch %v; want %+v", tt.name, got, mismatch, tt.want)
		}
	}
}
