package snapshot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// TestGovernedBy: one row for each form of ARN: which kind of policy governs it, and what it is attached
// to ("" if the ARN's own resource).
func TestGovernedBy(t *testing.T) {
	const at = ":eu-west-1:111111111111:"
	for _, tt := range []struct{ name, arn, typ, owner string }{
		{"S3 bucket", "arn:aws:s3:::b", "bucket", ""},
		{"S3 object", "arn:aws:s3:::b/a/b:c", "bucket", "arn:aws:s3:::b"},
		{"S3 bucket that is called like another resource", "arn:aws:s3:::job/k", "bucket", "arn:aws:s3:::job"},
		{"S3, any resource", "arn:aws:s3:*:*:*", "bucket", ""},
		{"S3 access point", "arn:aws:s3" + at + "accesspoint/ap", "access point", ""},
		{"S3 object through an access point", "arn:aws:s3" + at + "accesspoint/ap/object/k", "access point", "arn:aws:s3" + at + "accesspoint/ap"},
		{"S3 multi-region access point", "arn:aws:s3::111111111111:accesspoint/m.mrap", "access point", ""},
		{"S3 Batch Operations job", "arn:aws:s3" + at + "job/1", "", ""},
		{"S3 Storage Lens", "arn:aws:s3" + at + "storage-lens/x", "", ""},
		{"S3 Access Grants location", "arn:aws:s3" + at + "access-grants/default/location/1", "access grants instance", "arn:aws:s3" + at + "access-grants/default"},
		{"S3 object Lambda access point", "arn:aws:s3-object-lambda" + at + "accesspoint/ap", "access point", ""},
		{"S3 directory bucket", "arn:aws:s3express" + at + "bucket/b--use1-az4--x-s3", "bucket", ""},
		{"S3 directory bucket's access point", "arn:aws:s3express" + at + "accesspoint/ap--use1-az4--xa-s3", "access point", ""},
		{"S3 table bucket", "arn:aws:s3tables" + at + "bucket/b", "table bucket", ""},
		{"S3 table", "arn:aws:s3tables" + at + "bucket/b/table/1", "table", ""},
		{"S3 vector index", "arn:aws:s3vectors" + at + "bucket/b/index/i", "vector bucket", "arn:aws:s3vectors" + at + "bucket/b"},
		{"S3 Files access point", "arn:aws:s3files" + at + "file-system/fs-1/access-point/fsap-1", "file system", "arn:aws:s3files" + at + "file-system/fs-1"},
		{"KMS key", "arn:aws:kms" + at + "key/k", "key", ""},
		{"KMS alias: of its key, elsewhere", "arn:aws:kms" + at + "alias/a", "", ""},
		{"SQS queue", "arn:aws:sqs" + at + "q", "queue", ""},
		{"SNS topic", "arn:aws:sns" + at + "t", "topic", ""},
		{"SNS subscription", "arn:aws:sns" + at + "t:1-2", "topic", "arn:aws:sns" + at + "t"},
		{"SNS mobile application", "arn:aws:sns" + at + "app/APNS/a", "", ""},
		{"Lambda function", "arn:aws:lambda" + at + "function:f", "function", ""},
		{"Lambda version", "arn:aws:lambda" + at + "function:f:1", "function", ""},
		{"Lambda alias", "arn:aws:lambda" + at + "function:f:live", "function", ""},
		{"Lambda durable execution", "arn:aws:lambda" + at + "function:f:1/durable-execution/n/1", "function", "arn:aws:lambda" + at + "function:f:1"},
		{"Lambda layer", "arn:aws:lambda" + at + "layer:l", "", ""},
		{"Lambda layer version", "arn:aws:lambda" + at + "layer:l:1", "layer", ""},
		{"Lambda event source mapping", "arn:aws:lambda" + at + "event-source-mapping:1", "", ""},
		{"Secrets Manager", "arn:aws:secretsmanager" + at + "secret:a/b-AbCdEf", "secret", ""},
		{"ECR repository", "arn:aws:ecr" + at + "repository/a/b", "repository", ""},
		{"ECR registry", "arn:aws:ecr" + at + "registry", "registry", ""},
		{"DynamoDB table", "arn:aws:dynamodb" + at + "table/t", "table", ""},
		{"DynamoDB index", "arn:aws:dynamodb" + at + "table/t/index/i", "table", "arn:aws:dynamodb" + at + "table/t"},
		{"DynamoDB stream", "arn:aws:dynamodb" + at + "table/t/stream/1", "stream", ""},
		{"DynamoDB backup", "arn:aws:dynamodb" + at + "table/t/backup/1", "", ""},
		{"EventBridge bus", "arn:aws:events" + at + "event-bus/b", "event bus", ""},
		{"EventBridge rule", "arn:aws:events" + at + "rule/r", "event bus", "arn:aws:events" + at + "event-bus/default"},
		{"EventBridge rule of a bus", "arn:aws:events" + at + "rule/b/r", "event bus", "arn:aws:events" + at + "event-bus/b"},
		{"EventBridge rule of a partner's bus", "arn:aws:events" + at + "rule/aws.partner/x.com/1/r", "event bus", "arn:aws:events" + at + "event-bus/aws.partner/x.com/1"},
		{"EventBridge archive", "arn:aws:events" + at + "archive/a", "", ""},
		{"Logs group", "arn:aws:logs" + at + "log-group:g", "log group", ""},
		{"Logs group with its asterisk", "arn:aws:logs" + at + "log-group:g:*", "log group", "arn:aws:logs" + at + "log-group:g"},
		{"Logs stream", "arn:aws:logs" + at + "log-group:g:log-stream:s", "log group", "arn:aws:logs" + at + "log-group:g"},
		{"Logs destination", "arn:aws:logs" + at + "destination:d", "destination", ""},
		{"Logs delivery destination", "arn:aws:logs" + at + "delivery-destination:d", "delivery destination", ""},
		{"Logs delivery source", "arn:aws:logs" + at + "delivery-source:d", "", ""},
		{"Glue catalog", "arn:aws:glue" + at + "catalog", "catalog", ""},
		{"Glue database", "arn:aws:glue" + at + "database/d", "catalog", ""},
		{"Glue table", "arn:aws:glue" + at + "table/d/t", "catalog", ""},
		{"Glue job", "arn:aws:glue" + at + "job/j", "", ""},
		{"Kinesis stream", "arn:aws:kinesis" + at + "stream/s", "stream", ""},
		{"Kinesis consumer", "arn:aws:kinesis" + at + "stream/s/consumer/c:1", "consumer", ""},
		{"EFS file system", "arn:aws:elasticfilesystem" + at + "file-system/fs-1", "file system", ""},
		{"EFS access point", "arn:aws:elasticfilesystem" + at + "access-point/fsap-1", "", ""},
		{"Backup vault", "arn:aws:backup" + at + "backup-vault:v", "vault", ""},
		{"Backup recovery point", "arn:aws:backup" + at + "recovery-point:1", "vault", ""},
		{"Backup plan", "arn:aws:backup" + at + "backup-plan:p", "", ""},
		{"OpenSearch domain", "arn:aws:es" + at + "domain/d", "domain", ""},
		{"OpenSearch path", "arn:aws:es" + at + "domain/d/index/_search", "domain", "arn:aws:es" + at + "domain/d"},
		{"OpenSearch Serverless", "arn:aws:aoss" + at + "collection/c", "", ""},
		{"API Gateway method", "arn:aws:execute-api" + at + "a1b2/prod/GET/pets/1", "API", "arn:aws:execute-api" + at + "a1b2"},
		{"API Gateway private domain name", "arn:aws:execute-api" + at + "/domainnames/x.com+1", "domain name", ""},
		{"API Gateway's own API", "arn:aws:apigateway:eu-west-1::/restapis/a1b2", "", ""},
		{"CodeArtifact domain", "arn:aws:codeartifact" + at + "domain/d", "domain", ""},
		{"CodeArtifact package", "arn:aws:codeartifact" + at + "package/d/r/npm//p", "package", ""},
		{"CodeArtifact package group", "arn:aws:codeartifact" + at + "package-group/d/*", "package group", ""},
		{"MSK cluster", "arn:aws:kafka" + at + "cluster/c/u-1", "cluster", ""},
		{"MSK topic", "arn:aws:kafka" + at + "topic/c/u-1/t", "cluster", "arn:aws:kafka" + at + "cluster/c/u-1"},
		{"MSK consumer group", "arn:aws:kafka" + at + "group/c/u-1/g/h", "cluster", "arn:aws:kafka" + at + "cluster/c/u-1"},
		{"MSK configuration", "arn:aws:kafka" + at + "configuration/c/u-1", "", ""},
		{"EventBridge schema", "arn:aws:schemas" + at + "schema/r/s", "registry", "arn:aws:schemas" + at + "registry/r"},
		{"SageMaker model package in a group", "arn:aws:sagemaker" + at + "model-package/g/1", "model package group", "arn:aws:sagemaker" + at + "model-package-group/g"},
		{"SageMaker model package without a version", "arn:aws:sagemaker" + at + "model-package/p", "", ""},
		{"Private CA certificate", "arn:aws:acm-pca" + at + "certificate-authority/a/certificate/1", "certificate authority", "arn:aws:acm-pca" + at + "certificate-authority/a"},
		{"VPC Lattice listener", "arn:aws:vpc-lattice" + at + "service/svc-1/listener/l", "VPC Lattice resource", ""},
		{"VPC Lattice target group", "arn:aws:vpc-lattice" + at + "targetgroup/tg-1", "", ""},
		{"MediaPackage channel group", "arn:aws:mediapackagev2" + at + "channelGroup/g", "", ""},
		{"MediaPackage channel", "arn:aws:mediapackagev2" + at + "channelGroup/g/channel/c", "channel", ""},
		{"MediaPackage origin endpoint", "arn:aws:mediapackagev2" + at + "channelGroup/g/channel/c/originEndpoint/e", "origin endpoint", ""},
		{"Bedrock guardrail", "arn:aws:bedrock" + at + "guardrail/g", "Bedrock resource", ""},
		{"Bedrock agent", "arn:aws:bedrock" + at + "agent/a", "", ""},
		{"AgentCore runtime endpoint", "arn:aws:bedrock-agentcore" + at + "runtime/r/runtime-endpoint/e", "runtime endpoint", ""},
		{"WAF web ACL", "arn:aws:wafv2" + at + "regional/webacl/a/1", "", ""},
		{"WAF rule group", "arn:aws:wafv2" + at + "regional/rulegroup/a/1", "rule group", ""},
		{"IoT", "arn:aws:iot" + at + "topic/t", "", ""},
		{"EC2", "arn:aws:ec2" + at + "instance/i-1", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arn, ok := policy.ParseARN(tt.arn)
			if !ok {
				t.Fatalf("%s isn't an ARN", tt.arn)
			}
			k, owner, ok := kindOf(arn)
			got := []string{k.typ, owner.String()}
			want := []string{tt.typ, tt.owner}
			if tt.owner == "" {
				want[1] = tt.arn
			}
			if !ok {
				got, want[1] = []string{"", ""}, ""
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.arn, diff)
			}
		})
	}
}

// FuzzGovernedByItself: what governs a resource is governed by nothing else.
func FuzzGovernedByItself(f *testing.F) {
	for _, k := range resourceKinds {
		f.Add(k.service, "bucket/b/table/1")
	}
	for _, resource := range []string{"rule/b/r", "topic/c/u/t", "function:f:1/x", "domain/d/_x", "log-group:g:*", "schema/r/s", "a1/prod/GET/", "table/t/index/i"} {
		f.Add("events", resource)
	}
	f.Fuzz(func(t *testing.T, service, resource string) {
		for _, account := range []string{"", "111111111111"} {
			arn := policy.ARN{Partition: "aws", Service: service, Account: account, Resource: resource}
			k, owner, ok := kindOf(arn)
			if !ok {
				continue
			}
			again, same, ok := kindOf(owner)
			if !ok || again.typ != k.typ || same != owner {
				t.Errorf("%s is governed by %s %s, and that by %q %s", arn, k.typ, owner, again.typ, same)
			}
			if owner.Service != service || owner.Account != account {
				t.Errorf("%s is governed by %s of another service or account", arn, owner)
			}
		}
	})
}

// TestResourceKinds: each row is one that a person can act on.
func TestResourceKinds(t *testing.T) {
	for _, k := range resourceKinds {
		if k.service == "" || k.typ == "" || k.guardedBy == nil || strings.Count(k.permission, ":") != 1 {
			t.Errorf("%+v", k)
		}
	}
}
