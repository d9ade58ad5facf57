package evaluator

import (
	"regexp"
	"testing"
)

func TestWhatRCPsReach(t *testing.T) {
	const bucket = "arn:aws:s3:::b/k"
	linked := Principal{Type: AssumedRole, ARN: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForECS/s", RoleARN: linkedRole, Account: accountA}
	for _, tt := range []struct {
		name     string
		who      Principal
		action   string
		resource string
		managed  Match
		want     Match
	}{
		{"E11: S3", aUser("u"), "s3:GetObject", bucket, NoMatch, Matched},
		{"E11: actions are compared without case (A2)", aUser("u"), "S3:getobject", bucket, NoMatch, Matched},
		{"E11: root", aRoot(), "s3:GetObject", bucket, NoMatch, Matched},
		{"E11: anonymous", anonymous(), "s3:GetObject", bucket, NoMatch, Matched},
		{"E27: a service", aService("logging.s3.amazonaws.com"), "s3:PutObject", bucket, NoMatch, Matched},
		{"E28: a service-linked role", linked, "s3:GetObject", bucket, NoMatch, NoMatch},
		{"D12: of the list of 2026", aUser("u"), "events:PutEvents", "arn:aws:events:us-east-1:111111111111:event-bus/b", NoMatch, Matched},
		{"D12: not on the list", aUser("u"), "sns:Publish", "arn:aws:sns:us-east-1:111111111111:t", NoMatch, Unknown},
		{"D12: a prefix that looks like one of the list", aUser("u"), "es:ESHttpGet", "arn:aws:es:us-east-1:111111111111:domain/d/x", NoMatch, Unknown},
		{"E11: IAM", aUser("u"), "iam:DeleteRole", roleR, NoMatch, NoMatch},
		{"E11: a role's trust", aUser("u"), "sts:AssumeRole", roleR, NoMatch, Matched},
		{"E11: a service-linked role's trust", aService("ecs.amazonaws.com"), "sts:AssumeRole", linkedRole, NoMatch, NoMatch},
		{"E11: kms:RetireGrant", aUser("u"), "kms:RetireGrant", keyK, NoMatch, NoMatch},
		{"E11: a customer managed key", aUser("u"), "kms:Decrypt", keyK, NoMatch, Matched},
		{"E11: an AWS managed key", aUser("u"), "kms:Decrypt", keyK, Matched, NoMatch},
		{"E11: a key that may be one", aUser("u"), "kms:Decrypt", keyK, Unknown, Unknown},
		{"D12: an action without resources", aUser("u"), "sqs:ListQueues", "*", NoMatch, Unknown},
	} {
		req := &Request{Principal: tt.who, Action: tt.action, Resource: Resource{ARN: tt.resource, Account: accountA}}
		if got := rcpReaches(req, &Policies{Resource: ResourceLayer{AWSManaged: tt.managed}}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestRCPServices: 62 prefixes stood on AWS's page on the day that the comment names.
func TestRCPServices(t *testing.T) {
	prefix := regexp.MustCompile(`^[a-z0-9-]+$`)
	for s := range rcpServices {
		if !prefix.MatchString(s) {
			t.Errorf("%q is no prefix", s)
		}
	}
	if len(rcpServices) != 62 {
		t.Errorf("%d services, want 62", len(rcpServices))
	}
}
