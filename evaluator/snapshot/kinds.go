package snapshot

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A resourceKind is one kind of resource that can have a resource policy.
type resourceKind struct {
	service string // in the ARN, and the name of the part
	typ     string // what the policy is called
	// guardedBy returns the resource part of the ARN that the policy is
	// attached to; ok is false if the resource isn't of this kind.
	guardedBy  func(resource string) (owner string, ok bool)
	permission string // reads the policy
	// unsupported is why the policy alone doesn't decide; "" if it does.
	unsupported string
}

// resourceKinds are the kinds of resources that can have a resource policy.
// The first row that fits counts. What fits none has no resource policy: that is
// AWS's rule for every service that isn't here (ec2, rds, iam but for trust policies, …).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
var resourceKinds = []resourceKind{
	{"s3", "bucket", bucket, "s3:GetBucketPolicy", ""},
	{"s3", "access point", start("accesspoint/"), "s3:GetAccessPointPolicy", "an access point's policy and its bucket's both count (rule S21)"},
	{"s3express", "bucket", upTo("bucket/", "/"), "s3express:GetBucketPolicy", ""},
	{"s3tables", "table bucket", table("bucket/", "/"), "s3tables:GetTableBucketPolicy", ""},
	{"s3tables", "table", start("bucket/"), "s3tables:GetTablePolicy", "a table's policy and its bucket's both count"},
	{"s3-outposts", "bucket", start("outpost/"), "s3-outposts:GetBucketPolicy", "policies of S3 on Outposts aren't understood"},
	{"s3-object-lambda", "access point", start("accesspoint/"), "s3-object-lambda:GetAccessPointPolicyForObjectLambda", "policies of object Lambda access points aren't understood"},
	{"kms", "key", start("key/"), "kms:GetKeyPolicy", ""},
	{"sqs", "queue", start(""), "sqs:GetQueueAttributes", ""},
	{"sns", "topic", topic, "sns:GetTopicAttributes", ""},
	{"lambda", "function", start("function:"), "lambda:GetPolicy", ""},
	{"lambda", "layer", start("layer:"), "lambda:GetLayerVersionPolicy", ""},
	{"secretsmanager", "secret", start("secret:"), "secretsmanager:GetResourcePolicy", ""},
	{"ecr", "repository", start("repository/"), "ecr:GetRepositoryPolicy", ""},
	{"ecr-public", "repository", start("repository/"), "ecr-public:GetRepositoryPolicy", ""},
	{"dynamodb", "stream", containing("table/", "/stream/"), "dynamodb:GetResourcePolicy", ""},
	{"dynamodb", "table", tableOrIndex, "dynamodb:GetResourcePolicy", ""},
	{"events", "event bus", start("event-bus/"), "events:DescribeEventBus", ""},
	{"logs", "destination", start("destination:"), "logs:DescribeDestinations", ""},
	{"logs", "log group", upTo("log-group:", ":"), "logs:DescribeResourcePolicies", ""},
	{"glue", "catalog", oneOf("catalog", "database/", "table/", "tableVersion/", "connection/", "userDefinedFunction/"), "glue:GetResourcePolicy", ""},
	{"kinesis", "consumer", containing("stream/", "/consumer/"), "kinesis:GetResourcePolicy", ""},
	{"kinesis", "stream", start("stream/"), "kinesis:GetResourcePolicy", ""},
	{"elasticfilesystem", "file system", start("file-system/"), "elasticfilesystem:DescribeFileSystemPolicy", ""},
	{"backup", "vault", start("backup-vault:"), "backup:GetBackupVaultAccessPolicy", ""},
	{"glacier", "vault", start("vaults/"), "glacier:GetVaultAccessPolicy", ""},
	{"es", "domain", upTo("domain/", "/"), "es:DescribeDomain", ""},
	{"execute-api", "API", start(""), "apigateway:GET", "API Gateway has its own table for IAM and resource policies (rule S28)"},
	{"codeartifact", "domain", start("domain/"), "codeartifact:GetDomainPermissionsPolicy", ""},
	{"codeartifact", "repository", start("repository/"), "codeartifact:GetRepositoryPermissionsPolicy", "a repository's policy and its domain's both count"},
	{"codeartifact", "package", start("package/"), "codeartifact:GetRepositoryPermissionsPolicy", "a repository's policy and its domain's both count"},
	{"codebuild", "project", oneOf("project/", "report-group/"), "codebuild:GetResourcePolicy", ""},
	{"acm-pca", "certificate authority", upTo("certificate-authority/", "/"), "acm-pca:GetPolicy", ""},
	{"ses", "identity", start("identity/"), "ses:GetIdentityPolicies", ""},
	{"mediastore", "container", upTo("container/", "/"), "mediastore:GetContainerPolicy", ""},
	{"cloudtrail", "CloudTrail resource", oneOf("eventdatastore/", "channel/", "dashboard/"), "cloudtrail:GetResourcePolicy", ""},
	{"ssm", "parameter", oneOf("parameter/", "opsitemgroup/"), "ssm:GetResourcePolicies", ""},
	{"ssm-contacts", "contact", start("contact/"), "ssm-contacts:GetContactPolicy", ""},
	{"ssm-incidents", "response plan", start("response-plan/"), "ssm-incidents:GetResourcePolicies", ""},
	{"schemas", "registry", oneOf("registry/", "schema/"), "schemas:GetResourcePolicy", "schemas are guarded by the policy of their registry"},
	{"signer", "signing profile", start("/signing-profiles/"), "signer:ListProfilePermissions", ""},
	{"serverlessrepo", "application", start("applications/"), "serverlessrepo:GetApplicationPolicy", ""},
	{"vpc-lattice", "VPC Lattice resource", oneOf("service/", "servicenetwork/", "resourceconfiguration/"), "vpc-lattice:GetResourcePolicy", "auth policies and resource policies both count"},
	{"vpc-lattice-svcs", "service", start("service/"), "vpc-lattice:GetAuthPolicy", "the auth policies of service and network both count"},
	{"redshift", "namespace", start("namespace:"), "redshift:GetResourcePolicy", ""},
	{"redshift-serverless", "snapshot", oneOf("snapshot/", "namespace/"), "redshift-serverless:GetResourcePolicy", ""},
	{"network-firewall", "firewall policy", oneOf("firewall-policy/", "stateful-rulegroup/", "stateless-rulegroup/"), "network-firewall:DescribeResourcePolicy", ""},
	{"networkmanager", "core network", start("core-network/"), "networkmanager:GetResourcePolicy", ""},
	{"rekognition", "project", start("project/"), "rekognition:ListProjectPolicies", ""},
	{"lex", "bot", oneOf("bot/", "bot-alias/"), "lex:DescribeResourcePolicy", ""},
	{"comprehend", "model", oneOf("document-classifier/", "entity-recognizer/"), "comprehend:DescribeResourcePolicy", ""},
	{"sagemaker", "model package group", start("model-package-group/"), "sagemaker:GetModelPackageGroupPolicy", ""},
	{"aps", "workspace", start("workspace/"), "aps:DescribeResourcePolicy", ""},
	{"kafka", "cluster", start("cluster/"), "kafka:GetClusterPolicy", ""},
	{"refactor-spaces", "environment", upTo("environment/", "/"), "refactor-spaces:GetResourcePolicy", ""},
	{"mediapackagev2", "channel", start("channelGroup/"), "mediapackagev2:GetChannelPolicy", ""},
	{"mediatailor", "channel", start("channel/"), "mediatailor:GetChannelPolicy", ""},
	{"imagebuilder", "Image Builder resource", oneOf("component/", "container-recipe/", "image/", "image-recipe/"), "imagebuilder:GetImagePolicy", ""},
	{"cleanrooms-ml", "audience model", start("configured-audience-model/"), "cleanrooms-ml:GetConfiguredAudienceModelPolicy", ""},
	{"cloudhsm", "backup", start("backup/"), "cloudhsm:GetResourcePolicy", ""},
	{"entityresolution", "workflow", start(""), "entityresolution:GetPolicy", ""},
	{"oam", "sink", start("sink/"), "oam:GetSinkPolicy", ""},
	{"omics", "store", oneOf("sequenceStore/", "referenceStore/"), "omics:GetS3AccessPolicy", ""},
	{"rum", "app monitor", start("appmonitor/"), "rum:GetResourcePolicy", ""},
	{"route53resolver", "Resolver resource", oneOf("firewall-rule-group/", "resolver-query-log-config/", "resolver-rule/"), "route53resolver:GetResolverRulePolicy", ""},
	{"sms-voice", "phone number", oneOf("phone-number/", "pool/", "sender-id/", "opt-out-list/"), "sms-voice:GetResourcePolicy", ""},
	{"dsql", "cluster", start("cluster/"), "dsql:GetClusterPolicy", ""},
	{"wafv2", "rule group", containing("", "/rulegroup/"), "wafv2:GetPermissionPolicy", ""},
	{"organizations", "delegation", start(""), "organizations:DescribeResourcePolicy", "the organisation's delegation policy isn't understood"},
}

// anyService are the kinds of a service that has resource policies.
func anyService(service string) (first resourceKind, ok bool) {
	for _, k := range resourceKinds {
		if k.service == service {
			return k, true
		}
	}
	return resourceKind{}, false
}

// kindOf finds the kind of a resource, and the ARN of the resource that its
// policy is attached to.
func kindOf(arn policy.ARN) (k resourceKind, owner policy.ARN, ok bool) {
	for _, k := range resourceKinds {
		if k.service != arn.Service {
			continue
		}
		if part, ok := k.guardedBy(arn.Resource); ok {
			owner := arn
			owner.Resource = part
			return k, owner, true
		}
	}
	return resourceKind{}, policy.ARN{}, false
}

// start is for resources that have policies of their own.
func start(prefix string) func(string) (string, bool) {
	return func(r string) (string, bool) { return r, strings.HasPrefix(r, prefix) }
}

// oneOf is the same with several prefixes.
func oneOf(prefixes ...string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		for _, p := range prefixes {
			if strings.HasPrefix(r, p) {
				return r, true
			}
		}
		return "", false
	}
}

// upTo is for resources inside another one, whose name ends at the separator.
func upTo(prefix, separator string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		name, ok := strings.CutPrefix(r, prefix)
		name, _, _ = strings.Cut(name, separator)
		return prefix + name, ok
	}
}

// table is for resources that have nothing inside them.
func table(prefix, separator string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		name, ok := strings.CutPrefix(r, prefix)
		return r, ok && !strings.Contains(name, separator)
	}
}

// containing is for resources inside another one that have policies of their own.
func containing(prefix, infix string) func(string) (string, bool) {
	return func(r string) (string, bool) {
		return r, strings.HasPrefix(r, prefix) && strings.Contains(r, infix)
	}
}

// bucket finds the bucket of a bucket or an object: an S3 ARN without region and account.
func bucket(r string) (string, bool) {
	name, _, _ := strings.Cut(r, "/")
	return name, !strings.Contains(name, ":") && name != "accesspoint" && name != "job" && name != "storage-lens"
}

// topic finds the topic of a topic or a subscription, which isn't a mobile application or endpoint.
func topic(r string) (string, bool) {
	name, _, _ := strings.Cut(r, ":")
	return name, !strings.Contains(name, "/")
}

// tableOrIndex finds the table of a table or an index, not of a backup or an export.
func tableOrIndex(r string) (string, bool) {
	rest, ok := strings.CutPrefix(r, "table/")
	name, below, found := strings.Cut(rest, "/")
	return "table/" + name, ok && (!found || strings.HasPrefix(below, "index/"))
}
