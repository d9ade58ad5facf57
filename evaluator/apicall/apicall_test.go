package apicall

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

const alice = "arn:aws:iam::222222222222:user/dev/alice"

func callOf(t testing.TB, service, operation, parameters string) Call {
	t.Helper()
	c := Call{
		Service: service + ".amazonaws.com", Operation: operation, Region: "eu-west-1", Account: "222222222222",
		Principal: evaluator.Principal{Type: evaluator.User, ARN: alice, Account: "222222222222"},
	}
	if parameters != "" {
		if err := json.Unmarshal([]byte(parameters), &c.Parameters); err != nil {
			t.Fatalf("parameters of %s: %v", operation, err)
		}
	}
	return c
}

// line writes a request short: ~ before a pattern, ? after what may not be needed.
func line(r Request) string {
	s := r.Action + " "
	if r.Resource.Pattern {
		s += "~"
	}
	s += r.Resource.ARN
	if !r.Required {
		s += " ?"
	}
	return s
}

func lines(requests []Request) []string {
	var all []string
	for _, r := range requests {
		all = append(all, line(r))
	}
	return all
}

// TestRequests: T76 to T85 and S40 to S50.
func TestRequests(t *testing.T) {
	decrypt := "kms:Decrypt ~arn:aws:kms:eu-west-1:*:key/* ?"
	pass := "iam:PassRole ~arn:aws:iam::222222222222:role/* ?"
	tests := []struct {
		name, service, operation, parameters string
		want                                 []string
	}{
		{"T76 monitoring", "monitoring", "PutMetricAlarm", `{"alarmName":"late"}`, []string{"cloudwatch:PutMetricAlarm arn:aws:cloudwatch:eu-west-1:222222222222:alarm:late"}},
		{"T77 date", "lambda", "ListFunctions20150331", "", []string{"lambda:ListFunctions *"}},
		{"T77 date and version", "lambda", "UpdateFunctionCode20150331v2", `{"functionName":"api"}`, []string{"lambda:UpdateFunctionCode arn:aws:lambda:eu-west-1:222222222222:function:api"}},
		{"T77 underscores", "cloudfront", "GetDistribution2020_05_31", `{"id":"E1"}`, []string{"cloudfront:GetDistribution arn:aws:cloudfront::222222222222:distribution/E1"}},
		{"T77 guard: V2 is part of a name", "sagemaker", "DescribeAutoMLJobV2", "{}", []string{"sagemaker:DescribeAutoMLJobV2 ~arn:aws:sagemaker:eu-west-1:*:automl-job/*"}},
		{"T77 number of a version", "personalize", "DescribeDatasetV2", "{}", []string{"personalize:DescribeDataset ~arn:aws:personalize:eu-west-1:*:dataset/*"}},
		{"no permission needed", "sts", "GetCallerIdentity", "", nil},
		{"no permission needed", "sts", "GetSessionToken", "", nil},
		{"S40", "s3", "ListObjectsV2", `{"bucketName":"b"}`, []string{"s3:ListBucket arn:aws:s3:::b"}},
		{"S40", "s3", "HeadObject", `{"bucketName":"b","key":"k e y"}`, []string{"s3:GetObject arn:aws:s3:::b/k e y"}},
		{"S40", "s3", "HeadBucket", `{"bucketName":"b"}`, []string{"s3:ListBucket arn:aws:s3:::b"}},
		{"T78 ListBuckets, R12", "s3", "ListBuckets", "{}", []string{"s3:ListAllMyBuckets ~*"}},
		{"T78 version", "s3", "GetObject", `{"bucketName":"b","key":"k","versionId":"v"}`, []string{"s3:GetObjectVersion arn:aws:s3:::b/k", decrypt}},
		{"T78 attributes", "s3", "GetObjectAttributes", `{"bucketName":"b","key":"k"}`, []string{"s3:GetObject arn:aws:s3:::b/k", "s3:GetObjectAttributes arn:aws:s3:::b/k"}},
		{"T78 encryption", "s3", "DeleteBucketEncryption", `{"bucketName":"b"}`, []string{"s3:PutEncryptionConfiguration arn:aws:s3:::b"}},
		{"S41 copy", "s3", "CopyObject", `{"bucketName":"b","key":"k","x-amz-copy-source":"/src/a%20b?versionId=1","x-amz-server-side-encryption":"AES256"}`, []string{
			"s3:PutObject arn:aws:s3:::b/k", "s3:GetObjectVersion arn:aws:s3:::src/a b", decrypt}},
		{"S42 keys", "s3", "DeleteObjects", `{"bucketName":"b","delete":{"objects":[{"key":"x"},{"key":"y","versionId":"1"}]}}`, []string{
			"s3:DeleteObject arn:aws:s3:::b/x", "s3:DeleteObjectVersion arn:aws:s3:::b/y"}},
		{"S42 keys not recorded", "s3", "DeleteObjects", `{"bucketName":"b","delete":""}`, []string{"s3:DeleteObject ~arn:aws:s3:::b/*"}},
		{"S24 key named", "s3", "PutObject", `{"bucketName":"b","key":"k","x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:eu-west-1:111111111111:key/1-2"}`, []string{
			"s3:PutObject arn:aws:s3:::b/k", "kms:GenerateDataKey arn:aws:kms:eu-west-1:111111111111:key/1-2"}},
		{"access point", "s3", "GetObject", `{"bucketName":"arn:aws:s3:eu-west-1:111111111111:accesspoint/ap","key":"k"}`, []string{"s3:GetObject arn:aws:s3:eu-west-1:111111111111:accesspoint/ap/object/k", decrypt}},
		{"access point's alias", "s3", "GetObject", `{"bucketName":"ap-abc-s3alias","key":"k"}`, []string{"s3:GetObject ~arn:aws:s3:*:*:accesspoint/*/object/k", decrypt}},
		{"T79 directory bucket", "s3", "GetObject", `{"bucketName":"b--euw1-az1--x-s3","key":"k"}`, []string{"s3express:CreateSession arn:aws:s3express:eu-west-1:222222222222:bucket/b--euw1-az1--x-s3"}},
		{"T85 hidden key", "s3", "HeadObject", `{"bucketName":"b","key":"***"}`, []string{"s3:GetObject ~arn:aws:s3:::b/*"}},
		{"T79 account level", "s3-control", "GetPublicAccessBlock", "{}", []string{"s3:GetAccountPublicAccessBlock *"}},
		{"S44", "lambda", "CreateFunction20150331", `{"functionName":"f","role":"arn:aws:iam::222222222222:role/x/app"}`, []string{
			"lambda:CreateFunction arn:aws:lambda:eu-west-1:222222222222:function:f", "iam:PassRole arn:aws:iam::222222222222:role/x/app"}},
		{"S44 nothing recorded", "lambda", "CreateFunction20150331", "", []string{"lambda:CreateFunction ~arn:aws:lambda:eu-west-1:*:function:*", pass,
			"kms:CreateGrant ~arn:aws:kms:eu-west-1:*:key/* ?", "kms:Encrypt ~arn:aws:kms:eu-west-1:*:key/* ?", "ec2:DescribeSecurityGroups * ?", "ec2:DescribeSubnets * ?", "ec2:DescribeVpcs * ?",
			"lambda:GetLayerVersion ~arn:aws:lambda:eu-west-1:*:layer:* ?", "lambda:PassCapacityProvider ~arn:aws:lambda:eu-west-1:222222222222:capacity-provider:* ?", "lambda:TagResource ~arn:aws:lambda:eu-west-1:*:function:* ?"}},
		{"T78 Invoke with an alias", "lambda", "Invoke", `{"functionName":"111111111111:function:f","qualifier":"PROD"}`, []string{"lambda:InvokeFunction arn:aws:lambda:eu-west-1:111111111111:function:f:PROD"}},
		{"S45", "ecs", "RunTask", `{"taskDefinition":"web"}`, []string{"ecs:RunTask ~arn:aws:ecs:eu-west-1:222222222222:task-definition/web:*", pass}},
		{"S46", "cloudformation", "CreateStack", `{"stackName":"net","roleARN":"arn:aws:iam::222222222222:role/cfn"}`, []string{
			"cloudformation:CreateStack ~arn:aws:cloudformation:eu-west-1:222222222222:stack/net/*", "iam:PassRole arn:aws:iam::222222222222:role/cfn"}},
		{"S47", "sts", "AssumeRole", `{"roleArn":"arn:aws:iam::111111111111:role/r","tags":[{"key":"a","value":"b"}],"sourceIdentity":"me"}`, []string{
			"sts:AssumeRole arn:aws:iam::111111111111:role/r", "sts:TagSession arn:aws:iam::111111111111:role/r", "sts:SetSourceIdentity arn:aws:iam::111111111111:role/r"}},
		{"S48, S27", "secretsmanager", "GetSecretValue", `{"secretId":"payments/db"}`, []string{"secretsmanager:GetSecretValue ~arn:aws:secretsmanager:eu-west-1:222222222222:secret:payments/db-??????", decrypt}},
		{"S27 ARN", "secretsmanager", "DescribeSecret", `{"secretId":"arn:aws:secretsmanager:eu-west-1:1:secret:db-Xy7Zq1"}`, []string{"secretsmanager:DescribeSecret arn:aws:secretsmanager:eu-west-1:1:secret:db-Xy7Zq1"}},
		{"S49", "sqs", "SendMessageBatch", `{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111111111111/jobs"}`, []string{
			"sqs:SendMessage arn:aws:sqs:us-east-1:111111111111:jobs", "kms:GenerateDataKey ~arn:aws:kms:eu-west-1:*:key/* ?", decrypt}},
		{"S50 batch", "dynamodb", "BatchGetItem", `{"requestItems":{"b":{},"a":{}}}`, []string{
			"dynamodb:BatchGetItem arn:aws:dynamodb:eu-west-1:222222222222:table/a", "dynamodb:BatchGetItem arn:aws:dynamodb:eu-west-1:222222222222:table/b", decrypt}},
		{"S50 transaction", "dynamodb", "TransactWriteItems", `{"transactItems":[{"put":{"tableName":"a"}},{"conditionCheck":{"tableName":"b"}}]}`, []string{
			"dynamodb:PutItem arn:aws:dynamodb:eu-west-1:222222222222:table/a", "dynamodb:ConditionCheckItem arn:aws:dynamodb:eu-west-1:222222222222:table/b"}},
		{"T78 PartiQL", "dynamodb", "ExecuteStatement", `{"statement":"SELECT * FROM t"}`, []string{"dynamodb:PartiQLSelect ~arn:aws:dynamodb:eu-west-1:*:table/*"}},
		{"S26 index", "dynamodb", "Query", `{"tableName":"t","indexName":"i"}`, []string{"dynamodb:Query arn:aws:dynamodb:eu-west-1:222222222222:table/t/index/i", decrypt}},
		{"T78 ReEncrypt", "kms", "ReEncrypt", `{"sourceKeyId":"1-2","destinationKeyId":"alias/x"}`, []string{
			"kms:ReEncryptFrom arn:aws:kms:eu-west-1:222222222222:key/1-2", "kms:ReEncryptTo ~arn:aws:kms:eu-west-1:222222222222:key/*"}},
		{"T82.8 alias", "kms", "DescribeKey", `{"keyId":"alias/ledger"}`, []string{"kms:DescribeKey ~arn:aws:kms:eu-west-1:222222222222:key/*"}},
		{"T82.8 nothing recorded", "kms", "Decrypt", "", []string{"kms:Decrypt ~arn:aws:kms:eu-west-1:*:key/*"}},
		{"T78 API Gateway", "apigateway", "UpdateRestApi", `{"restApiId":"a"}`, []string{"apigateway:PATCH ~arn:aws:apigateway:eu-west-1::/restapis/a*"}},
		{"T78 budgets", "budgets", "DeleteBudget", "{}", []string{"budgets:ModifyBudget ~arn:aws:budgets::*:budget/*", "iam:CreateServiceLinkedRole ~arn:aws:iam::222222222222:role/aws-service-role/* ?"}},
		{"R10", "ec2", "DescribeInstances", "{}", []string{"ec2:DescribeInstances *"}},
		{"R10: not every Describe", "ec2", "DescribeInstanceAttribute", `{"instanceId":"i-1"}`, []string{"ec2:DescribeInstanceAttribute arn:aws:ec2:eu-west-1:222222222222:instance/i-1"}},
		{"T82.42 a policy and what it is attached to", "organizations", "AttachPolicy", `{"policyId":"p-1","targetId":"222222222222"}`, []string{
			"organizations:AttachPolicy ~arn:aws:organizations::*:policy/*/p-1", "organizations:AttachPolicy ~arn:aws:organizations::*:account/o-*/222222222222"}},
		{"T82.42 nothing recorded", "organizations", "DetachPolicy", "", []string{
			"organizations:DetachPolicy ~arn:aws:organizations::*:policy/*/*", "organizations:DetachPolicy ~* ?"}},
		{"T82.42 parents", "organizations", "MoveAccount", `{"accountId":"222222222222","sourceParentId":"r-ab12","destinationParentId":"ou-ab12-cdefghij"}`, []string{
			"organizations:MoveAccount ~arn:aws:organizations::*:account/o-*/222222222222", "organizations:MoveAccount ~arn:aws:organizations::*:root/o-*/r-ab12",
			"organizations:MoveAccount ~arn:aws:organizations::*:ou/o-*/ou-ab12-cdefghij"}},
		{"S42 as typed", "s3api", "DeleteObjects", `{"Bucket":"b","Delete":{"Objects":[{"Key":"x"},{"Key":"y","VersionId":"1"}]}}`, []string{
			"s3:DeleteObject arn:aws:s3:::b/x", "s3:DeleteObjectVersion arn:aws:s3:::b/y"}},
		{"S42 behind an access point", "s3", "DeleteObjects", `{"bucketName":"arn:aws:s3:eu-west-1:222222222222:accesspoint/a","delete":{"objects":[{"key":"x"},{"key":"***","versionId":"1"}]}}`, []string{
			"s3:DeleteObject arn:aws:s3:eu-west-1:222222222222:accesspoint/a/object/x", "s3:DeleteObjectVersion ~arn:aws:s3:eu-west-1:222222222222:accesspoint/a/object/*"}},
		{"R12", "iam", "ListRoles", "", []string{"iam:ListRoles ~arn:aws:iam::222222222222:role/*"}},
		{"T82.5 several", "ec2", "TerminateInstances", `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}`, []string{
			"ec2:TerminateInstances arn:aws:ec2:eu-west-1:222222222222:instance/i-1", "ec2:TerminateInstances arn:aws:ec2:eu-west-1:222222222222:instance/i-2"}},
		{"T82.5 tags", "ec2", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"snap-1"}]}}`, []string{"ec2:CreateTags arn:aws:ec2:eu-west-1::snapshot/snap-1"}},
		{"S43", "ec2", "RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"subnetId":"subnet-1","iamInstanceProfile":{"name":"p"},"tagSpecificationSet":{"items":[{"resourceType":"volume","tags":[{"key":"a","value":"b"}]}]}}`, []string{
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:instance/*", "ec2:RunInstances arn:aws:ec2:eu-west-1::image/ami-1",
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:network-interface/*", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:subnet/subnet-1",
			"ec2:RunInstances ~arn:aws:ec2:eu-west-1:*:security-group/*", "ec2:RunInstances ~arn:aws:ec2:eu-west-1:222222222222:volume/*",
			"iam:PassRole ~arn:aws:iam::222222222222:role/*", "kms:CreateGrant ~arn:aws:kms:eu-west-1:*:key/* ?", "kms:GenerateDataKeyWithoutPlaintext ~arn:aws:kms:eu-west-1:*:key/* ?",
			"ec2:CreateTags ~arn:aws:ec2:eu-west-1:222222222222:volume/*"}},
		{"T82.3 path unknown", "iam", "GetRole", `{"roleName":"app"}`, []string{"iam:GetRole ~arn:aws:iam::222222222222:role/*app"}},
		{"T82.3 path given", "iam", "CreateRole", `{"roleName":"app","path":"/x/"}`, []string{"iam:CreateRole arn:aws:iam::222222222222:role/x/app"}},
		{"T82.3 default path", "iam", "CreateUser", `{"userName":"bob"}`, []string{"iam:CreateUser arn:aws:iam::222222222222:user/bob"}},
		{"T82.3 the caller", "iam", "CreateAccessKey", "{}", []string{"iam:CreateAccessKey " + alice}},
		{"T82.3 nothing recorded", "iam", "CreateAccessKey", "", []string{"iam:CreateAccessKey ~arn:aws:iam::222222222222:user/*"}},
		{"T82.10", "ssm", "GetParameters", `{"names":["/a/b","/aws/service/x","c:3"]}`, []string{
			"ssm:GetParameters arn:aws:ssm:eu-west-1:222222222222:parameter/a/b", "ssm:GetParameters arn:aws:ssm:eu-west-1::parameter/aws/service/x",
			"ssm:GetParameters arn:aws:ssm:eu-west-1:222222222222:parameter/c"}},
		{"T82.12 phone", "sns", "Publish", `{"phoneNumber":"+1"}`, []string{"sns:Publish *", "kms:GenerateDataKey ~arn:aws:kms:eu-west-1:*:key/* ?", decrypt}},
		{"T82.14", "logs", "FilterLogEvents", `{"logGroupName":"/g"}`, []string{"logs:FilterLogEvents ~arn:aws:logs:eu-west-1:222222222222:log-group:/g*"}},
		{"T82.15", "events", "DeleteRule", `{"name":"n","eventBusName":"bus"}`, []string{"events:DeleteRule arn:aws:events:eu-west-1:222222222222:rule/bus/n"}},
		{"T82.15 default", "events", "PutEvents", `{"entries":[{"source":"x"}]}`, []string{"events:PutEvents arn:aws:events:eu-west-1:222222222222:event-bus/default"}},
		{"T82.16", "states", "StartExecution", `{"stateMachineArn":"arn:aws:states:eu-west-1:1:stateMachine:m"}`, []string{"states:StartExecution arn:aws:states:eu-west-1:1:stateMachine:m"}},
		{"T82.18", "ecr", "PutImage", `{"repositoryName":"r/s","registryId":"111111111111"}`, []string{"ecr:PutImage arn:aws:ecr:eu-west-1:111111111111:repository/r/s"}},
		{"T82.20", "rds", "StopDBInstance", `{"dBInstanceIdentifier":"db1"}`, []string{"rds:StopDBInstance arn:aws:rds:eu-west-1:222222222222:db:db1",
			"rds:AddTagsToResource ~* ?", "rds:CreateDBSnapshot ~* ?"}},
		{"T82.34 default", "athena", "StartQueryExecution", `{"queryString":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, []string{"athena:StartQueryExecution arn:aws:athena:eu-west-1:222222222222:workgroup/primary"}},
		{"keys without regard to case", "dynamodb", "PutItem", `{"TableName":"t"}`, []string{"dynamodb:PutItem arn:aws:dynamodb:eu-west-1:222222222222:table/t", decrypt}},
		{"no such action: kept (T80)", "newservice", "DoIt", `{"name":"x"}`, []string{"newservice:DoIt ~*"}},
		{"T85 one part omitted", "dynamodb", "BatchWriteItem", `{"requestItems":{"omitted":true}}`, []string{"dynamodb:BatchWriteItem ~arn:aws:dynamodb:eu-west-1:*:table/*", decrypt}},
		{"T112 omitted", "dynamodb", "PutItem", `{"omitted":true}`, []string{"dynamodb:PutItem ~arn:aws:dynamodb:eu-west-1:*:table/*", decrypt}},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.operation+" "+tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lines(Requests(callOf(t, tt.service, tt.operation, tt.parameters)))); diff != "" {
				t.Errorf("requests (-want +got)\n%s", diff)
			}
		})
	}
}

// TestRecordedResources: T75 and T38.
func TestRecordedResources(t *testing.T) {
	key := "arn:aws:kms:eu-west-1:222222222222:key/1-2"
	c := callOf(t, "kms", "DescribeKey", `{"keyId":"alias/ledger"}`)
	c.Resources = []RecordedResource{{ARN: key, Account: "222222222222"}}
	got := Requests(c)
	want := evaluator.Resource{ARN: key, Account: "222222222222"}
	if len(got) != 1 || got[0].Resource != want || got[0].ResourceSource != FromEvent {
		t.Errorf("key: got %+v", got)
	}
	c = callOf(t, "s3", "HeadObject", `{"bucketName":"b","key":"k"}`)
	c.Resources = []RecordedResource{{ARN: "arn:aws:s3:::b/k"}, {ARN: "arn:aws:s3:::b", Account: "111111111111"}}
	if got := Requests(c); len(got) != 1 || got[0].Resource != (evaluator.Resource{ARN: "arn:aws:s3:::b/k", Account: "111111111111"}) {
		t.Errorf("object: got %+v", got)
	}
}

// TestPartition: T84.
func TestPartition(t *testing.T) {
	for region, want := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-isob-east-1": "aws-iso-b", "eusc-de-east-1": "aws-eusc", "eu-west-1": "aws"} {
		if got := partitionOf(Call{Region: region}); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

// TestKeys: T86. A key that isn't listed is unknown; - is absent.
func TestKeys(t *testing.T) {
	tests := []struct {
		service, operation, parameters string
		request                        int
		want                           map[string]string
	}{
		{"s3", "ListObjects", `{"bucketName":"b","prefix":"p/"}`, 0, map[string]string{"s3:prefix": "p/", "s3:delimiter": "-", "s3:max-keys": "-", "aws:TagKeys": "-"}},
		{"s3", "ListObjects", "", 0, map[string]string{}},
		{"ec2", "RunInstances", `{"instanceType":"t3.micro"}`, 0, map[string]string{"ec2:Region": "eu-west-1", "ec2:InstanceType": "t3.micro", "aws:TagKeys": "-"}},
		{"ec2", "RunInstances", `{"instanceType":"t3.micro"}`, 1, map[string]string{"ec2:Region": "eu-west-1", "aws:TagKeys": "-"}},
		{"sts", "AssumeRole", `{"roleArn":"arn:aws:iam::1:role/r","roleSessionName":"s","externalId":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, 0, map[string]string{"sts:RoleSessionName": "s", "sts:SourceIdentity": "-", "sts:TransitiveTagKeys": "-", "aws:TagKeys": "-"}},
		{"ec2", "CreateLaunchTemplate", `{"CreateLaunchTemplateRequest":{"TagSpecification":{"tag":1}}}`, 0, map[string]string{"ec2:Region": "eu-west-1"}},
		{"lambda", "CreateFunction", `{"role":"arn:aws:iam::1:role/r","tags":{"a":"b"}}`, 0, map[string]string{"aws:RequestTag/a": "b", "aws:TagKeys": "a", "lambda:CodeSigningConfigArn": "-"}},
		{"lambda", "CreateFunction", `{"role":"arn:aws:iam::1:role/r"}`, 1, map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}},
		{"iam", "AttachRolePolicy", `{"roleName":"r","policyArn":"arn:aws:iam::aws:policy/X"}`, 0, map[string]string{"iam:PolicyARN": "arn:aws:iam::aws:policy/X", "aws:TagKeys": "-"}},
		{"kms", "Decrypt", `{"keyId":"alias/x","encryptionContext":{"a":"b"}}`, 0, map[string]string{"kms:RequestAlias": "alias/x", "kms:EncryptionContext:a": "b", "kms:EncryptionContextKeys": "a", "aws:TagKeys": "-"}},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.operation, func(t *testing.T) {
			requests := Requests(callOf(t, tt.service, tt.operation, tt.parameters))
			got := map[string]string{}
			for _, v := range requests[tt.request].Context {
				got[v.Name] = strings.Join(v.Values, ",")
				if v.State == evaluator.Absent {
					got[v.Name] = "-"
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got)\n%s", diff)
			}
		})
	}
}

// TestRowsOnce: one row, one fact.
func TestRowsOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		for action := range strings.FieldsSeq(r.actions) {
			name := r.service + ":" + action
			if seen[name] {
				t.Errorf("%s has two rows", name)
			}
			seen[name] = true
		}
	}
}

func checkSound(t *testing.T, c Call) {
	t.Helper()
	requests := Requests(c)
	if len(requests) > maxRequests {
		t.Errorf("%d requests", len(requests))
	}
	for _, r := range requests {
		if _, ok := policy.ParseARN(r.Resource.ARN); !ok && r.Resource.ARN != "*" {
			t.Errorf("%s: resource %q is no ARN", r.Action, r.Resource.ARN)
		}
		if prefix, name, ok := strings.Cut(r.Action, ":"); !ok || prefix == "" || name == "" {
			t.Errorf("action %q", r.Action)
		}
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("s3.amazonaws.com", "CopyObject", "eu-west-1", `{"bucketName":"b","key":"k","x-amz-copy-source":"a/b%zz"}`, "arn:aws:s3:::b/k")
	f.Add("ec2.amazonaws.com", "RunInstances", "", `{"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"a"}]}]}}`, "")
	f.Add("dynamodb.amazonaws.com", "TransactWriteItems", "x", `{"transactItems":[{"put":{"tableName":"arn:"}}]}`, "arn:aws:dynamodb:::table/x")
	f.Add("lambda", "Invoke", "us-east-1", `{"functionName":"arn:aws:lambda:::function:"}`, "*")
	for _, r := range rows {
		for action := range strings.FieldsSeq(r.actions) {
			f.Add(r.service, action, "eu-west-1", "", "")
		}
	}
	f.Fuzz(func(t *testing.T, service, operation, region, parameters, recorded string) {
		c := Call{Service: service, Operation: operation, Region: region, Account: "222222222222", Resources: []RecordedResource{{ARN: recorded}}}
		_ = json.Unmarshal([]byte(parameters), &c.Parameters)
		checkSound(t, c)
		c.Account = ""
		checkSound(t, c)
		if parameters == "" { // what isn't recorded is no concrete resource of its own
			for _, r := range Requests(Call{Service: service, Operation: operation, Region: region}) {
				if !r.Resource.Pattern && r.Resource.ARN != "*" {
					t.Errorf("%s: %s comes from nowhere", r.Action, r.Resource.ARN)
				}
			}
		}
	})
}

// maskedAccounts are the records, by eventID, whose publisher replaced the account in the message by
// another one than in the rest of the record, so that only the rest of the ARN can be compared.
var maskedAccounts = map[string]string{
	"450230d4-b39e-4a18-a6a0-d07a6e2105cb": "751353041310",
	"4839af5e-7b6a-4353-a5ef-41febc9a9fa8": "751353041310",
	"1a4debbb-12e9-4bde-b8c7-ea29002bb2a7": "751353041310",
}

// TestAgainstRecords derives real denials and compares with what AWS's message said.
func TestAgainstRecords(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED isn't set: no real records to compare with")
	}
	f, err := os.Open(filepath.Join(shared, "data", "cloudtrail", "actions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records := bufio.NewScanner(f)
	records.Buffer(nil, 1<<20)
	n := 0
	for records.Scan() {
		var rec struct {
			Quality string
			Event   struct {
				EventID, EventSource, EventName, AwsRegion string
				UserIdentity                               struct{ Arn, AccountID string }
				RequestParameters                          map[string]any
				TLSDetails                                 struct{ ClientProvidedHostHeader string }
			}
			Truth struct{ Action, Resource string }
		}
		if err := json.Unmarshal(records.Bytes(), &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Quality != "real" {
			continue
		}
		n++
		e := rec.Event
		got := Requests(Call{
			Service: e.EventSource, Operation: e.EventName, Region: e.AwsRegion, Account: e.UserIdentity.AccountID, Parameters: e.RequestParameters,
			Principal: evaluator.Principal{ARN: e.UserIdentity.Arn}, Host: e.TLSDetails.ClientProvidedHostHeader,
		})
		if account := maskedAccounts[e.EventID]; account != "" {
			rec.Truth.Resource = strings.Replace(rec.Truth.Resource, account, e.UserIdentity.AccountID, 1)
		}
		right := false
		for _, r := range got {
			right = right || r.Action == rec.Truth.Action && r.Required && agrees(r.Resource, rec.Truth.Resource)
		}
		if !right || got[0].Action != rec.Truth.Action {
			t.Errorf("line %d: %s %s: got %q, want %s %s", n, e.EventSource, e.EventName, lines(got), rec.Truth.Action, rec.Truth.Resource)
		}
	}
	if err := records.Err(); err != nil || n == 0 {
		t.Errorf("read %d real records: %v", n, err)
	}
}

// agrees: the truth is the resource, a wildcard form of it, or in its pattern.
func agrees(r evaluator.Resource, truth string) bool {
	return r.ARN == truth || r.Pattern && glob(r.ARN, truth) || !r.Pattern && glob(truth, r.ARN)
}

// TestPuts: the policy that a call puts, which S3's Block Public Access looks at (rule S17).
func TestPuts(t *testing.T) {
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`
	tests := []struct {
		name, operation, parameters string
		statements                  int // -1 for no policy
	}{
		{"as an object", "PutBucketPolicy", `{"bucketName":"b","bucketPolicy":` + doc + `}`, 1},
		{"as text", "PutBucketPolicy", `{"bucketName":"b","policy":` + strconv.Quote(doc) + `}`, 1},
		{"parameters not recorded", "PutBucketPolicy", "", -1},
		{"not in the parameters", "PutBucketPolicy", `{"bucketName":"b"}`, -1},
		{"cut by CloudTrail", "PutBucketPolicy", `{"bucketName":"b","bucketPolicy":{"omitted":true}}`, -1},
		{"another call", "GetBucketPolicy", `{"bucketName":"b","bucketPolicy":` + doc + `}`, -1},
	}
	for _, tt := range tests {
		got := -1
		if puts := Requests(callOf(t, "s3", tt.operation, tt.parameters))[0].Puts; puts != nil {
			got = len(puts.Statements)
		}
		if got != tt.statements {
			t.Errorf("%s: a policy of %d statements, want %d", tt.name, got, tt.statements)
		}
	}
}
