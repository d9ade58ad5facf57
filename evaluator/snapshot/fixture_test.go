package snapshot_test

import (
	"context"
	"io/fs"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

const (
	mgmt    = "111111111111"
	prod    = "222222222222"
	foreign = "999999999999"
)

// fixture is a small organisation: the management account, and one account two units down.
var fixture = map[string]string{
	"snapshot.json": `{"formatVersion": 1, "collectedAt": "2025-06-01T10:00:00Z", "collectedBy": "arn:aws:sts::111111111111:assumed-role/collector/x",
  "parts": {
    "organization": {"status": "ok"}, "organization/scp": {"status": "ok"}, "organization/rcp": {"status": "ok"},
    "accounts/111111111111/iam": {"status": "denied", "reason": "not authorized"},
    "accounts/222222222222/iam": {"status": "ok"},
    "accounts/222222222222/endpoints": {"status": "ok"},
    "accounts/222222222222/resources/s3": {"status": "ok"},
    "accounts/222222222222/resources/sqs": {"status": "denied", "reason": "no sqs for you"},
    "accounts/222222222222/resources/kms": {"status": "ok"}
  }}`,
	"organization.json": `{"id": "o-acme", "arn": "arn:aws:organizations::111111111111:organization/o-acme", "managementAccount": "111111111111",
  "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],
  "roots": [{"id": "r-root", "name": "Root", "policies": {"scp": ["p-FullAWSAccess"], "rcp": ["p-RCPFullAWSAccess"]},
    "accounts": [{"id": "111111111111", "name": "payer", "status": "ACTIVE", "policies": {"scp": ["p-FullAWSAccess"], "rcp": []}}],
    "organizationalUnits": [{"id": "ou-work", "name": "Work", "policies": {"scp": ["p-FullAWSAccess"], "rcp": []},
      "organizationalUnits": [{"id": "ou-prod", "name": "Prod", "policies": {"scp": ["p-FullAWSAccess", "p-region"], "rcp": ["p-perimeter"]},
        "accounts": [{"id": "222222222222", "name": "prod", "status": "ACTIVE", "policies": {"scp": ["p-FullAWSAccess"], "rcp": []}}]}]}]}]}`,
	"organization/scp/p-FullAWSAccess.json": `{"id": "p-FullAWSAccess", "name": "FullAWSAccess", "arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", "awsManaged": true, "document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}`,
	"organization/scp/p-region.json": `{
  "id": "p-region",
  "name": "DenyOutsideEU",
  "arn": "arn:aws:organizations::111111111111:policy/o-acme/service_control_policy/p-region",
  "awsManaged": false,
  "document": {
    "Version": "2012-10-17",
    "Statement": [
      {"Sid": "Region", "Effect": "Deny", "Action": "*", "Resource": "*"}
    ]
  }
}`,
	"organization/rcp/p-perimeter.json": `{"id": "p-perimeter", "name": "Perimeter", "arn": "arn:p", "document": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}}`,
	"accounts/222222222222/iam.json": `{
  "UserDetailList": [
    {"Path": "/", "UserName": "ann", "UserId": "AIDAANN", "Arn": "arn:aws:iam::222222222222:user/ann", "GroupList": ["readers"],
     "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}],
     "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": "arn:aws:iam::222222222222:policy/team/shared"}],
     "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::222222222222:policy/team/shared"},
     "Tags": [{"Key": "Team", "Value": "red"}, {"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
    {"Path": "/team/", "UserName": "bob", "UserId": "AIDABOB", "Arn": "arn:aws:iam::222222222222:user/team/bob", "GroupList": ["ghosts"], "AttachedManagedPolicies": [{"PolicyName": "gone", "PolicyArn": "arn:aws:iam::222222222222:policy/gone"}],
     "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::222222222222:policy/gone"}}
  ],
  "GroupDetailList": [
    {"Path": "/", "GroupName": "readers", "GroupId": "AGPA1", "Arn": "arn:aws:iam::222222222222:group/readers",
     "GroupPolicyList": [{"PolicyName": "ginline", "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"}],
     "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": "arn:aws:iam::222222222222:policy/team/shared"}]}
  ],
  "RoleDetailList": [
    {"Path": "/ci/", "RoleName": "deploy", "RoleId": "AROADEPLOY", "Arn": "arn:aws:iam::222222222222:role/ci/deploy",
     "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
     "RolePolicyList": [{"PolicyName": "rinline", "PolicyDocument": "{\"Statement\":[]}"}], "AttachedManagedPolicies": [],
     "Tags": [{"Key": "Env", "Value": "prod"}]},
    {"Path": "/", "RoleName": "deploy-old", "RoleId": "AROAOLD", "Arn": "arn:aws:iam::222222222222:role/deploy-old",
     "AssumeRolePolicyDocument": {"Statement": 5}, "RolePolicyList": [], "AttachedManagedPolicies": []}
  ],
  "Policies": [
    {"PolicyName": "shared", "Arn": "arn:aws:iam::222222222222:policy/team/shared", "DefaultVersionId": "v2", "PolicyVersionList": [
      {"VersionId": "v1", "IsDefaultVersion": false, "Document": {"Version": "2012-10-17", "Statement": [{"Sid": "Old", "Effect": "Deny", "Action": "*", "Resource": "*"}]}},
      {"VersionId": "v2", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": [{"Sid": "New", "Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}
  ]}`,
	"accounts/222222222222/endpoints.json": `[
  {"id": "vpce-gate", "serviceName": "com.amazonaws.eu-west-1.s3", "type": "Gateway", "vpcId": "vpc-1", "ownerId": "222222222222", "policy": null},
  {"id": "vpce-face", "serviceName": "com.amazonaws.eu-west-1.sqs", "type": "Interface", "vpcId": "vpc-2", "ownerId": "222222222222", "policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}}]`,
	"accounts/222222222222/resources/s3.json": `[
  {"arn": "arn:aws:s3:::acme-logs", "type": "bucket", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "s3:*", "Resource": "arn:aws:s3:::acme-logs/*"}]},
   "extra": {"publicAccessBlock": {"RestrictPublicBuckets": true}, "objectOwnership": "BucketOwnerEnforced"}},
  {"arn": "arn:aws:s3:::acme-bare", "type": "bucket", "policy": null, "extra": {"publicAccessBlock": null, "objectOwnership": "BucketOwnerEnforced"}},
  {"arn": "arn:aws:s3:::acme-secret", "type": "bucket", "status": "denied", "reason": "explicit deny"},
  {"arn": "arn:aws:s3:::acme-public", "type": "bucket", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-public/*"}]},
   "extra": {"publicAccessBlock": {"RestrictPublicBuckets": true}, "objectOwnership": "BucketOwnerEnforced"}},
  {"arn": "arn:aws:s3:::acme-acl", "type": "bucket", "policy": null, "extra": {"objectOwnership": "ObjectWriter"}},
  {"arn": "arn:aws:s3:::partner", "type": "bucket", "account": "999999999999", "policy": null, "extra": {"objectOwnership": "BucketOwnerEnforced"}}]`,
	"accounts/222222222222/resources/kms.json": `[
  {"arn": "arn:aws:kms:eu-west-1:222222222222:key/k1", "type": "key", "policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "kms:*", "Resource": "*"}]},
   "extra": {"keyManager": "CUSTOMER", "aliases": ["alias/app"], "grants": [{"GrantId": "g1", "GranteePrincipal": "arn:aws:iam::222222222222:role/ci/deploy", "Operations": ["Decrypt"]}]}},
  {"arn": "arn:aws:kms:eu-west-1:222222222222:key/k2", "type": "key", "policy": {"Statement": []}, "extra": {"keyManager": "AWS", "grants": []}},
  {"arn": "arn:aws:kms:eu-west-1:222222222222:key/k3", "type": "key", "policy": {"Statement": []}}]`,
	"accounts/222222222222/resources/secretsmanager.json": `[
  {"arn": "arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf", "type": "secret", "policy": null}]`,
	"accounts/222222222222/resources/lambda.json": `[
  {"arn": "arn:aws:lambda:eu-west-1:222222222222:function:f", "type": "function", "policy": {"Statement": []}},
  {"arn": "arn:aws:lambda:eu-west-1:222222222222:function:g", "type": "function", "policy": null},
  {"arn": "arn:aws:lambda:eu-west-1:222222222222:function:g:live", "type": "function", "policy": {"Statement": []}}]`,
	"accounts/222222222222/resources/dynamodb.json": `[
  {"arn": "arn:aws:dynamodb:eu-west-1:222222222222:table/t", "type": "table", "policy": {"Statement": []}}]`,
	"accounts/222222222222/resources/sns.json": `[
  {"arn": "arn:aws:sns:eu-west-1:222222222222:alerts", "type": "topic", "policy": {"Statement": []}},
  {"arn": "arn:aws:sns:eu-west-1:222222222222:quiet", "type": "topic", "policy": null}]`,
	"accounts/222222222222/resources/logs.json": `[
  {"arn": "arn:aws:logs:eu-west-1:222222222222:resource-policy:x", "type": "resource policy", "policy": {"Statement": []}},
  {"arn": "arn:aws:logs:eu-west-1:222222222222:log-group:app:*", "type": "log group", "policy": null}]`,
	"accounts/222222222222/resources/robomaker.json": `[
  {"arn": "arn:aws:robomaker:eu-west-1:222222222222:thing/x", "type": "thing", "policy": {"Statement": []}}]`,
}

// load loads the fixture with some files replaced; an empty text removes the file.
func load(t *testing.T, changes map[string]string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Load(files(changes))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s
}

func files(changes map[string]string) fs.FS {
	all := maps.Clone(fixture)
	maps.Copy(all, changes)
	fsys := fstest.MapFS{}
	for name, text := range all {
		if text != "" {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

func policies(t *testing.T, s *snapshot.Snapshot, req evaluator.Request) evaluator.Policies {
	t.Helper()
	p, err := s.Policies(context.Background(), req)
	if err != nil {
		t.Fatalf("Policies: %v", err)
	}
	return p
}

// named returns type:name of each policy.
func named(policies []evaluator.Policy) []string {
	var names []string
	for _, p := range policies {
		names = append(names, p.Type+":"+p.Name)
	}
	return names
}

var (
	ann    = evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/ann", Account: prod}
	deploy = evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::222222222222:assumed-role/deploy/ci", RoleARN: "arn:aws:iam::222222222222:role/deploy", RolePathUnknown: true, Account: prod}
	payer  = evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::111111111111:user/boss", Account: mgmt}
	nobody = evaluator.Principal{Type: evaluator.Anonymous}
	lambda = evaluator.Principal{Type: evaluator.Service, ARN: "lambda.amazonaws.com"}
)

// fuzzSnapshot returns the fixture, and the ids of its principals.
func fuzzSnapshot(f *testing.F) (*snapshot.Snapshot, map[string]bool) {
	f.Helper()
	s, err := snapshot.Load(files(nil))
	if err != nil {
		f.Fatal(err)
	}
	ids := map[string]bool{}
	for _, p := range s.Principals() {
		ids[p.ID] = true
	}
	return s, ids
}
