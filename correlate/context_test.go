package correlate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// userEvent is a call with a long-term access key of a user.
func userEvent() *Event {
	return &Event{
		Source: "sqs.amazonaws.com", Name: "SendMessage", Region: "eu-west-1", Version: "1.11", Type: "AwsApiCall",
		Time: time.Date(2026, 3, 1, 9, 12, 0, 0, time.UTC), SourceIP: "203.0.113.7", UserAgent: "[aws-cli/2]", HasTLS: true,
		Identity: Identity{Type: "IAMUser", PrincipalID: "AIDA1", ARN: acmeUser, Account: "111111111111", UserName: "ana", AccessKeyID: "AKIA1"},
	}
}

// A known is what a context says of one key: its state, its values.
type known struct {
	State  evaluator.KeyState
	Values []string
}

func present(values ...string) known { return known{evaluator.Present, values} }

var (
	absent    = known{State: evaluator.Absent}
	unknown   = known{State: evaluator.UnknownKey}
	someValue = known{State: evaluator.PresentUnknown}
)

// contextOf returns the context of a request for an action, before anything is derived from
// the request itself.
func contextOf(e *Event, action string, mismatch bool) *evaluator.Context {
	c := newCall(e)
	r := Request{}
	r.Action, r.Principal = action, c.principal
	c.setContext(&r, mismatch)
	c.context().lake.apply(&r)
	return &r.Context
}

// T86 to T88: the three-valued context.
func TestContext(t *testing.T) {
	type want map[string]known
	with := func(e *Event, change func(*Event)) *Event { change(e); return e }
	tests := []struct {
		name   string
		event  *Event
		action string
		want   want
	}{
		{"time and place", userEvent(), "sqs:SendMessage", want{
			"aws:CurrentTime": present("2026-03-01T09:12:00Z"), "aws:EpochTime": present("1772356320"), "aws:RequestedRegion": present("eu-west-1"),
		}},
		{"no time", with(userEvent(), func(e *Event) { e.Time, e.Region = time.Time{}, "" }), "sqs:SendMessage", want{
			"aws:CurrentTime": unknown, "aws:EpochTime": unknown, "aws:RequestedRegion": unknown,
		}},
		{"user with a long-term key", userEvent(), "sqs:SendMessage", want{
			"aws:PrincipalArn": present(acmeUser), "aws:PrincipalAccount": present("111111111111"), "aws:PrincipalType": present("User"),
			"aws:userid": present("AIDA1"), "aws:username": present("ana"),
			"aws:MultiFactorAuthPresent": absent, "aws:MultiFactorAuthAge": absent, "aws:TokenIssueTime": absent,
			"aws:PrincipalIsAWSService": present("false"), "aws:PrincipalServiceName": absent, "aws:SourceArn": absent, "aws:SourceAccount": absent,
			"aws:ViaAWSService": present("false"), "aws:CalledVia": absent, "aws:CalledViaFirst": absent, "aws:CalledViaLast": absent,
			"aws:Ec2InstanceSourceVpc": absent, "ec2:RoleDelivery": absent, "lambda:SourceFunctionArn": absent,
			"aws:PrincipalTag/team": unknown, "aws:PrincipalOrgID": unknown, "aws:ResourceTag/env": unknown, "aws:Referer": unknown,
		}},
		{"user with MFA", with(userEvent(), func(e *Event) {
			e.Identity.AccessKeyID = "ASIA1"
			e.Identity.Session = &Session{MFA: "true", Created: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
		}), "sqs:SendMessage", want{
			"aws:MultiFactorAuthPresent": present("true"), "aws:MultiFactorAuthAge": unknown, "aws:TokenIssueTime": present("2026-03-01T09:00:00Z"), "aws:SourceIdentity": absent,
		}},
		{"key not recorded", with(userEvent(), func(e *Event) { e.Identity.AccessKeyID = "" }), "sqs:SendMessage", want{
			"aws:MultiFactorAuthPresent": unknown, "aws:TokenIssueTime": unknown,
		}},
		{"role session", roleEvent("sqs.amazonaws.com", "SendMessage"), "sqs:SendMessage", want{
			"aws:PrincipalArn": present(acmeRole), "aws:PrincipalType": present("AssumedRole"), "aws:userid": present("AROA1:ci-417"), "aws:username": absent,
			"aws:MultiFactorAuthPresent": present("false"), "aws:MultiFactorAuthAge": absent, "aws:SourceIdentity": absent,
			"aws:FederatedProvider": unknown, // a SAML session looks the same
			"ec2:RoleDelivery":      absent, "aws:Ec2InstanceSourceVpc": absent, "lambda:SourceFunctionArn": unknown,
		}},
		{"T28 role without its path", with(roleEvent("sqs.amazonaws.com", "SendMessage"), func(e *Event) { e.Identity.Session = nil }), "sqs:SendMessage", want{
			"aws:PrincipalArn": unknown, "aws:MultiFactorAuthPresent": unknown, "aws:SourceIdentity": unknown, "ec2:RoleDelivery": unknown,
		}},
		{"session facts", with(roleEvent("sqs.amazonaws.com", "SendMessage"), func(e *Event) {
			e.Identity.Session.SourceIdentity, e.Identity.Session.FederatedProvider = "ana", "accounts.google.com"
			e.Identity.InScopeOf = "arn:aws:lambda:eu-west-1:222222222222:function:pay"
		}), "sqs:SendMessage", want{
			"aws:SourceIdentity": present("ana"), "aws:FederatedProvider": present("accounts.google.com"),
			"lambda:SourceFunctionArn": present("arn:aws:lambda:eu-west-1:222222222222:function:pay"),
		}},
		{"instance's session", with(roleEvent("sqs.amazonaws.com", "SendMessage"), func(e *Event) {
			e.Identity.ARN = "arn:aws:sts::222222222222:assumed-role/deploy/i-0aa"
			e.Identity.Session.EC2RoleDelivery = "2.0"
		}), "sqs:SendMessage", want{
			"ec2:RoleDelivery": present("2.0"), "ec2:SourceInstanceARN": someValue, "aws:Ec2InstanceSourceVpc": unknown, "aws:FederatedProvider": absent, "lambda:SourceFunctionArn": absent,
		}},
		{"root", with(userEvent(), func(e *Event) {
			e.Identity = Identity{Type: "Root", PrincipalID: "111111111111", Account: "111111111111", Session: &Session{AssumedRoot: true}}
		}), "sqs:SendMessage", want{
			"aws:PrincipalArn": present("arn:aws:iam::111111111111:root"), "aws:PrincipalType": present("Account"), "aws:userid": present("111111111111"), "aws:username": absent, "aws:AssumedRoot": present("true"),
		}},
		{"anonymous", with(userEvent(), func(e *Event) { e.Identity = Identity{Type: "AWSAccount", Account: anonymousAccount} }), "s3:GetObject", want{
			"aws:PrincipalType": present("Anonymous"), "aws:userid": present("anonymous"), "aws:PrincipalArn": absent, "aws:PrincipalAccount": unknown, "aws:username": absent, "aws:PrincipalIsAWSService": absent,
		}},
		{"caller of another account", with(userEvent(), func(e *Event) {
			e.Identity = Identity{Type: "AWSAccount", PrincipalID: "AROA9:x", Account: "999999999999"}
		}), "kms:Decrypt", want{"aws:PrincipalArn": unknown, "aws:username": unknown, "aws:PrincipalAccount": present("999999999999"), "aws:PrincipalIsAWSService": present("false"), "ec2:RoleDelivery": unknown}},
		{"service", with(userEvent(), func(e *Event) {
			e.Identity, e.SourceIP = Identity{Type: "AWSService", InvokedBy: "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com"
		}), "sqs:SendMessage", want{
			"aws:PrincipalIsAWSService": present("true"), "aws:PrincipalServiceName": present("cloudtrail.amazonaws.com"),
			"aws:PrincipalServiceNamesList": {evaluator.Partial, []string{"cloudtrail.amazonaws.com"}},
			"aws:ViaAWSService":             present("false"), "aws:CalledVia": absent, "aws:SourceArn": unknown, "aws:SourceAccount": unknown, "aws:SourceIp": absent, "aws:PrincipalArn": unknown,
		}},
		{"T35 forward access", with(userEvent(), func(e *Event) {
			e.Identity.InvokedBy, e.SourceIP, e.UserAgent = "cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "cloudformation.amazonaws.com"
		}), "sqs:SendMessage", want{
			"aws:ViaAWSService": present("true"), "aws:CalledVia": {evaluator.Partial, []string{"cloudformation.amazonaws.com"}},
			"aws:CalledViaLast": present("cloudformation.amazonaws.com"), "aws:CalledViaFirst": someValue, "aws:SourceIp": absent, "aws:VpcSourceIp": unknown, "aws:UserAgent": unknown, "aws:PrincipalArn": present(acmeUser),
		}},
		{"T117 another service's, inside the call", userEvent(), "kms:Decrypt", want{
			"aws:ViaAWSService": someValue, "aws:CalledVia": unknown, "aws:CalledViaLast": unknown, "aws:PrincipalArn": present(acmeUser), "aws:SourceIp": unknown, "kms:ViaService": present("sqs.eu-west-1.amazonaws.com"),
		}},
		{"S12 a role is handed over by the caller", userEvent(), "iam:PassRole", want{"aws:ViaAWSService": present("false"), "aws:CalledVia": absent, "aws:SourceIp": present("203.0.113.7")}},
		{"T88 AWS Internal", with(userEvent(), func(e *Event) { e.Identity.InvokedBy, e.SourceIP = "AWS Internal", "AWS Internal" }), "sqs:SendMessage", want{
			"aws:SourceIp": unknown, "aws:ViaAWSService": unknown, "aws:CalledVia": unknown, "aws:SourceVpce": unknown,
		}},
		{"direct", userEvent(), "sqs:SendMessage", want{
			"aws:SourceIp": present("203.0.113.7"), "aws:VpcSourceIp": absent, "aws:SourceVpce": absent, "aws:SourceVpc": absent, "aws:UserAgent": present("aws-cli/2"), "aws:SecureTransport": present("true"),
		}},
		{"T88 IPv6", with(userEvent(), func(e *Event) { e.SourceIP = "2001:db8::0:7" }), "sqs:SendMessage", want{"aws:SourceIp": present("2001:db8::7")}},
		{"private address", with(userEvent(), func(e *Event) { e.SourceIP = "10.1.2.3" }), "sqs:SendMessage", want{"aws:SourceIp": present("10.1.2.3"), "aws:SourceVpce": unknown, "aws:SourceVpc": unknown}},
		{"T25 older than the field", with(userEvent(), func(e *Event) { e.Version = "1.03" }), "sqs:SendMessage", want{"aws:SourceIp": present("203.0.113.7"), "aws:SourceVpce": unknown, "aws:VpcSourceIp": unknown}},
		{"through an endpoint", with(userEvent(), func(e *Event) {
			e.SourceIP, e.VPCEndpointID, e.VPCEndpointAccount = "10.1.2.3", "vpce-1", "222222222222"
		}), "sqs:SendMessage", want{
			"aws:SourceIp": absent, "aws:VpcSourceIp": present("10.1.2.3"), "aws:SourceVpce": present("vpce-1"), "aws:SourceVpc": unknown, "aws:VpceAccount": unknown,
		}},
		{"a service's endpoint isn't the customer's", with(userEvent(), func(e *Event) {
			e.SourceIP, e.VPCEndpointID, e.Identity.InvokedBy = "secretsmanager.amazonaws.com", "vpce-1", "secretsmanager.amazonaws.com"
		}), "sqs:SendMessage", want{"aws:SourceVpce": unknown, "aws:VpcSourceIp": unknown}},
		{"T87 console proxy", with(userEvent(), func(e *Event) { e.ConsoleSession, e.HasTLS, e.VPCEndpointID = true, false, "vpce-1" }), "sqs:SendMessage", want{
			"aws:SourceIp": unknown, "aws:SourceVpce": unknown, "aws:SourceVpc": unknown, "aws:VpcSourceIp": unknown,
		}},
		{"T26 console's endpoint", with(userEvent(), func(e *Event) {
			e.SourceIP, e.VPCEndpointID, e.UserAgent = "10.8.8.10", "vpce-1", "[S3Console/0.4, aws-internal/3 aws-sdk-java/1]"
		}), "s3:GetObject", want{"aws:SourceVpce": unknown, "aws:SourceIp": unknown}},
		{"user agent cut", with(userEvent(), func(e *Event) { e.UserAgent = strings.Repeat("a", 1024) }), "sqs:SendMessage", want{"aws:UserAgent": unknown}},
		{"S13: a user's console session, its agent an SDK's", with(userEvent(), func(e *Event) {
			e.Source, e.ConsoleSession, e.UserAgent = "iam.amazonaws.com", true, "aws-sdk-java/1.12"
		}), "iam:GetUser", want{"aws:UserAgent": someValue}},
		{"S13: an older record doesn't tell console sessions", with(userEvent(), func(e *Event) {
			e.Source, e.Version, e.Identity.AccessKeyID = "iam.amazonaws.com", "1.07", "ASIA1"
		}), "iam:GetUser", want{"aws:UserAgent": someValue}},
		{"S13: a long-term key is none", with(userEvent(), func(e *Event) {
			e.Source, e.Version, e.Identity.AccessKeyID = "iam.amazonaws.com", "1.07", "AKIA1"
		}), "iam:GetUser", want{"aws:UserAgent": present("aws-cli/2")}},
		{"S13: a role's credentials are limited in the console, too", with(roleEvent("iam.amazonaws.com", "GetUser"), func(e *Event) { e.ConsoleSession, e.UserAgent = true, "aws-sdk-java/1.12" }), "iam:GetUser", want{"aws:UserAgent": present("aws-sdk-java/1.12")}},
		{"TLS not recorded", with(userEvent(), func(e *Event) { e.Source, e.HasTLS = "s3.amazonaws.com", false }), "s3:GetObject", want{"aws:SecureTransport": unknown}},
		{"TLS not recorded, no other way", with(userEvent(), func(e *Event) { e.Source, e.HasTLS = "iam.amazonaws.com", false }), "iam:GetUser", want{"aws:SecureTransport": present("true")}},
		{"lossy source", with(userEvent(), func(e *Event) { e.Origin.Lossy, e.HasTLS = true, false }), "sqs:SendMessage", want{
			"aws:SourceIp": present("203.0.113.7"), "aws:SourceVpce": unknown, "aws:VpcSourceIp": unknown, "aws:ViaAWSService": unknown, "aws:CalledVia": unknown,
		}},
		{"S3", with(userEvent(), func(e *Event) {
			e.Source, e.TLSVersion, e.AdditionalData = "s3.amazonaws.com", "TLSv1.3", json.RawMessage(`{"AuthenticationMethod":"QueryString","SignatureVersion":"SigV4"}`)
		}), "s3:GetObject", want{"s3:authType": present("REST-QUERY-STRING"), "s3:signatureversion": present("AWS4-HMAC-SHA256"), "s3:TlsVersion": present("1.3")}},
		{"KMS, direct", with(userEvent(), func(e *Event) { e.Source = "kms.amazonaws.com" }), "kms:Decrypt", want{"kms:ViaService": absent, "kms:CallerAccount": present("111111111111")}},
		{"KMS through a service", with(userEvent(), func(e *Event) { e.Source, e.Identity.InvokedBy = "kms.amazonaws.com", "secretsmanager.amazonaws.com" }), "kms:Decrypt", want{
			"kms:ViaService": present("secretsmanager.eu-west-1.amazonaws.com"),
		}},
		{"T117 another service's action", with(userEvent(), func(e *Event) { e.Source = "s3.amazonaws.com" }), "kms:Decrypt", want{
			"kms:ViaService": present("s3.eu-west-1.amazonaws.com"), "kms:CallerAccount": present("111111111111"), "aws:PrincipalArn": present(acmeUser),
			"aws:SourceIp": unknown, "aws:SourceVpce": unknown, "aws:UserAgent": unknown, "aws:SecureTransport": unknown,
		}},
		{"iam:PassRole is checked with the call", userEvent(), "iam:PassRole", want{"aws:SourceIp": present("203.0.113.7")}},
		{"T90 Lake", with(roleEvent("sqs.amazonaws.com", "SendMessage"), func(e *Event) {
			e.Context = json.RawMessage(`{"requestContext":{"aws:Referer":"x","aws:username":"no","aws:ManyValues":["a","b"],"odd":{"a":1}},"tagContext":{"principalTags":[{"key":"team","value":"ops"}],"resourceTags":[{"arn":"other","tags":{"env":"prod"}}]}}`)
		}), "sqs:SendMessage", want{
			"aws:Referer": present("x"), "aws:username": absent, "aws:ManyValues": present("a", "b"), "odd": unknown, "aws:PrincipalTag/team": present("ops"), "aws:PrincipalTag/env": unknown, "aws:ResourceTag/env": unknown,
		}},
		{"T90, C3: Lake, tags and keys that differ only in case", with(roleEvent("sqs.amazonaws.com", "SendMessage"), func(e *Event) {
			e.Context = json.RawMessage(`{"requestContext":{"aws:RequestTag/a":"1","aws:RequestTag/A":"2"},"tagContext":{"principalTags":{"Dept":"ops","dept":"eng","team":"red"}}}`)
		}), "sqs:SendMessage", want{"aws:RequestTag/a": someValue, "aws:PrincipalTag/DEPT": someValue, "aws:PrincipalTag/Team": present("red")}},
	}
	for _, tt := range tests {
		ctx := contextOf(tt.event, tt.action, false)
		got := want{}
		for key := range tt.want {
			v := ctx.Lookup(key)
			got[key] = known{v.State, v.Values}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("T86 %s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// T90, C3: a resource's tags, as Lake records them.
func TestLakeResourceTags(t *testing.T) {
	l := decodeLakeContext(json.RawMessage(`{"tagContext":{"resourceTags":[{"arn":"arn:aws:sqs:eu-west-1:111111111111:orders","tags":[{"key":"Env","value":"a"},{"key":"env","value":"b"},{"key":"team","value":"red"}]}]}}`))
	var r Request
	r.Context.Open, r.Resource.ARN = true, ordersQueue
	l.apply(&r)
	got := map[string]known{}
	for _, key := range []string{"aws:ResourceTag/env", "aws:ResourceTag/team", "aws:ResourceTag/other"} {
		v := r.Context.Lookup(key)
		got[key] = known{v.State, v.Values}
	}
	if diff := cmp.Diff(map[string]known{"aws:ResourceTag/env": someValue, "aws:ResourceTag/team": present("red"), "aws:ResourceTag/other": unknown}, got); diff != "" {
		t.Errorf("T90 (-want +got):\n%s", diff)
	}
}

// T67: of another principal's request only time and region are known.
func TestContextMismatch(t *testing.T) {
	var got []string
	for _, v := range contextOf(userEvent(), "sqs:SendMessage", true).All() {
		got = append(got, v.Name)
	}
	if diff := cmp.Diff([]string{"aws:CurrentTime", "aws:EpochTime", "aws:RequestedRegion"}, got); diff != "" {
		t.Errorf("keys of another principal's request (-want +got):\n%s", diff)
	}
}

// T38: an account that is merely assumed decides no condition.
func TestContextAssumedAccount(t *testing.T) {
	c := newCall(userEvent())
	r := c.request(&Denial{Principal: c.principal}, derivedRequest("route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z"))
	if !r.AccountAssumed || r.Resource.Account != "111111111111" {
		t.Errorf("resource %+v, assumed %v", r.Resource, r.AccountAssumed)
	}
	if s := r.Context.Lookup("aws:ResourceAccount").State; s != evaluator.UnknownKey {
		t.Errorf("aws:ResourceAccount is %v, want it unknown", s)
	}
}

// The keys that the call's parameters decide win over the event's.
func TestContextDerived(t *testing.T) {
	c := newCall(userEvent())
	a := derivedRequest("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:jobs")
	a.Context = []evaluator.ContextValue{{Name: "aws:TagKeys", State: evaluator.Absent}, {Name: "aws:RequestedRegion", State: evaluator.Present, Values: []string{"us-east-1"}}}
	r := c.request(&Denial{Principal: c.principal}, a)
	if !r.Context.Known("aws:TagKeys") || r.Context.Lookup("aws:RequestedRegion").Values[0] != "us-east-1" {
		t.Errorf("context %+v", r.Context.All())
	}
}
