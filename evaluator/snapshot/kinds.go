package snapshot

import "github.com/iamwhy/iamwhy/evaluator/policy"

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

// resourceKinds are the kinds of resources that can have a resource policy, as of September
// 2026: those for which the service authorization reference has an action that puts a policy on
// a type of resource. The first row that fits counts. What fits none has no resource policy of
// its own making: that is AWS's rule for every service that isn't here (rds, iam but for trust
// policies, …), and for types whose policies AWS RAM alone writes, to share them with other
// accounts (ec2, servicediscovery, fsx, …; rule E24).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var resourceKinds = []resourceKind{
	{"s3", "bucket", bucket, "s3:GetBucketPolicy", ""},
	{"s3", "access point", upTo("accesspoint/", "/"), "s3:GetAccessPointPolicy", ""},
	{"s3", "access grants instance", upTo("access-grants/", "/"), "s3:GetAccessGrantsInstanceResourcePolicy", ""},
	{"s3express", "bucket", upTo("bucket/", "/"), "s3express:GetBucketPolicy", ""},
	{"s3express", "access point", start("accesspoint/"), "s3express:GetAccessPointPolicy", "an access point's policy and its bucket's both count (rule S21)"},
	{"s3tables", "table bucket", table("bucket/", "/"), "s3tables:GetTableBucketPolicy", ""},
	{"s3tables", "table", start("bucket/"), "s3tables:GetTablePolicy", "a table's policy and its bucket's both count"},
	{"s3vectors", "vector bucket", upTo("bucket/", "/"), "s3vectors:GetVectorBucketPolicy", ""},
	{"s3files", "file system", upTo("file-system/", "/"), "s3files:GetFileSystemPolicy", ""},
	{"s3-outposts", "bucket", start("outpost/"), "s3-outposts:GetBucketPolicy", "policies of S3 on Outposts aren't understood"},
	{"s3-object-lambda", "access point", start("accesspoint/"), "s3-object-lambda:GetAccessPointPolicyForObjectLambda", "policies of object Lambda access points aren't understood"},
	{"kms", "key", start("key/"), "kms:GetKeyPolicy", ""},
	{"sqs", "queue", start(""), "sqs:GetQueueAttributes", ""},
	{"sns", "topic", topic, "sns:GetTopicAttributes", ""},
	{"lambda", "function", upTo("function:", "/"), "lambda:GetPolicy", ""},
	{"lambda", "layer", layerVersion, "lambda:GetLayerVersionPolicy", ""},
	{"secretsmanager", "secret", start("secret:"), "secretsmanager:GetResourcePolicy", ""},
	{"ecr", "repository", start("repository/"), "ecr:GetRepositoryPolicy", ""},
	{"ecr", "registry", start("registry"), "ecr:GetRegistryPolicy", ""}, // which has no ARN of AWS's making
	{"ecr-public", "repository", start("repository/"), "ecr-public:GetRepositoryPolicy", ""},
	{"dynamodb", "stream", containing("table/", "/stream/"), "dynamodb:GetResourcePolicy", ""},
	{"dynamodb", "table", tableOrIndex, "dynamodb:GetResourcePolicy", ""},
	{"events", "event bus", busOrRule, "events:DescribeEventBus", ""},
	{"logs", "destination", start("destination:"), "logs:DescribeDestinations", ""},
	{"logs", "delivery destination", start("delivery-destination:"), "logs:GetDeliveryDestinationPolicy", ""},
	{"logs", "log group", upTo("log-group:", ":"), "logs:DescribeResourcePolicies", ""},
	{"glue", "catalog", oneOf("catalog", "database/", "table/", "tableVersion/", "connection/", "userDefinedFunction/"), "glue:GetResourcePolicy", ""},
	{"kinesis", "consumer", containing("stream/", "/consumer/"), "kinesis:GetResourcePolicy", ""},
	{"kinesis", "stream", start("stream/"), "kinesis:GetResourcePolicy", ""},
	{"elasticfilesystem", "file system", start("file-system/"), "elasticfilesystem:DescribeFileSystemPolicy", ""},
	{"backup", "vault", start("backup-vault:"), "backup:GetBackupVaultAccessPolicy", ""},
	{"backup", "vault", start("recovery-point:"), "backup:GetBackupVaultAccessPolicy", "a recovery point is guarded by its vault, which its ARN doesn't name"},
	{"glacier", "vault", upTo("vaults/", "/"), "glacier:GetVaultAccessPolicy", ""},
	{"es", "domain", upTo("domain/", "/"), "es:DescribeDomain", ""},
	{"osis", "pipeline", start("pipeline/"), "osis:GetResourcePolicy", ""},
	{"cloudsearch", "domain", start("domain/"), "cloudsearch:DescribeServiceAccessPolicies", ""},
	{"execute-api", "domain name", start("/domainnames/"), "apigateway:GET", "policies of private domain names aren't understood"},
	{"execute-api", "API", restAPI, "apigateway:GET", ""},
	{"codeartifact", "domain", start("domain/"), "codeartifact:GetDomainPermissionsPolicy", ""},
	{"codeartifact", "package group", start("package-group/"), "codeartifact:GetDomainPermissionsPolicy", "a package group's domain isn't told from its ARN"},
	{"codeartifact", "repository", start("repository/"), "codeartifact:GetRepositoryPermissionsPolicy", "a repository's policy and its domain's both count"},
	{"codeartifact", "package", start("package/"), "codeartifact:GetRepositoryPermissionsPolicy", "a repository's policy and its domain's both count"},
	{"codebuild", "project", oneOf("project/", "report-group/"), "codebuild:GetResourcePolicy", ""},
	{"codeguru-profiler", "profiling group", start("profilingGroup/"), "codeguru-profiler:GetPolicy", ""},
	{"acm-pca", "certificate authority", upTo("certificate-authority/", "/"), "acm-pca:GetPolicy", ""},
	{"payment-cryptography", "payment key", start("key/"), "payment-cryptography:GetResourcePolicy", ""},
	{"ses", "identity", start("identity/"), "ses:GetIdentityPolicies", ""},
	{"mediastore", "container", upTo("container/", "/"), "mediastore:GetContainerPolicy", ""},
	{"cloudtrail", "CloudTrail resource", oneOf("eventdatastore/", "channel/", "dashboard/"), "cloudtrail:GetResourcePolicy", ""},
	{"ssm", "parameter", oneOf("parameter/", "opsitemgroup/"), "ssm:GetResourcePolicies", ""},
	{"ssm-contacts", "contact", start("contact/"), "ssm-contacts:GetContactPolicy", ""},
	{"ssm-incidents", "response plan", start("response-plan/"), "ssm-incidents:GetResourcePolicies", ""},
	{"schemas", "registry", registryOrSchema, "schemas:GetResourcePolicy", ""},
	{"signer", "signing profile", upTo("/signing-profiles/", "/"), "signer:ListProfilePermissions", ""},
	{"serverlessrepo", "application", start("applications/"), "serverlessrepo:GetApplicationPolicy", ""},
	{"vpc-lattice", "VPC Lattice resource", oneOf("service/", "servicenetwork/", "resourceconfiguration/"), "vpc-lattice:GetResourcePolicy", "auth policies and resource policies both count"},
	{"vpc-lattice-svcs", "service", start("service/"), "vpc-lattice:GetAuthPolicy", "the auth policies of service and network both count"},
	{"redshift", "namespace", start("namespace:"), "redshift:GetResourcePolicy", ""},
	{"redshift-serverless", "snapshot", oneOf("snapshot/", "namespace/"), "redshift-serverless:GetResourcePolicy", ""},
	{"network-firewall", "firewall policy", oneOf("firewall/", "firewall-policy/", "stateful-rulegroup/", "stateless-rulegroup/"), "network-firewall:DescribeResourcePolicy", ""},
	{"networkmanager", "core network", start("core-network/"), "networkmanager:GetResourcePolicy", ""},
	{"rekognition", "project", start("project/"), "rekognition:ListProjectPolicies", ""},
	{"lex", "bot", oneOf("bot/", "bot-alias/"), "lex:DescribeResourcePolicy", ""},
	{"comprehend", "model", oneOf("document-classifier/", "entity-recognizer/"), "comprehend:DescribeResourcePolicy", ""},
	{"sagemaker", "model package group", modelPackage, "sagemaker:GetModelPackageGroupPolicy", ""},
	{"bedrock", "Bedrock resource", oneOf("custom-model/", "guardrail/", "guardrail-profile/", "knowledge-base/"), "bedrock:GetResourcePolicy", ""},
	{"bedrock-agentcore", "runtime endpoint", containing("runtime/", "/runtime-endpoint/"), "bedrock-agentcore:GetResourcePolicy", "an endpoint's policy and its runtime's both count"},
	{"bedrock-agentcore", "AgentCore resource", oneOf("runtime/", "gateway/"), "bedrock-agentcore:GetResourcePolicy", ""},
	{"agent-registry", "registry", upTo("registry/", "/"), "agent-registry:GetResourcePolicy", ""},
	{"aiops", "investigation group", start("investigation-group/"), "aiops:GetInvestigationGroupPolicy", ""},
	{"qbusiness", "application", upTo("application/", "/"), "qbusiness:GetPolicy", ""},
	{"lookoutequipment", "model", oneOf("dataset/", "model/"), "lookoutequipment:DescribeResourcePolicy", ""},
	{"elemental-inference", "feed", start("feed/"), "elemental-inference:GetFeedPolicy", ""},
	{"appmesh", "mesh", upTo("mesh/", "/"), "appmesh:GetMeshPolicy", ""},
	{"billing", "billing view", start("billingview/"), "billing:GetResourcePolicy", ""},
	{"aps", "workspace", start("workspace/"), "aps:DescribeResourcePolicy", ""},
	{"kafka", "cluster", kafkaCluster, "kafka:GetClusterPolicy", ""},
	{"kafka-cluster", "cluster", start("cluster/"), "kafka:GetClusterPolicy", ""}, // an action's prefix; the ARNs are kafka's
	{"refactor-spaces", "environment", upTo("environment/", "/"), "refactor-spaces:GetResourcePolicy", ""},
	{"mediapackagev2", "origin endpoint", containing("channelGroup/", "/originEndpoint/"), "mediapackagev2:GetOriginEndpointPolicy", ""},
	{"mediapackagev2", "channel", containing("channelGroup/", "/channel/"), "mediapackagev2:GetChannelPolicy", ""},
	{"mediatailor", "channel", start("channel/"), "mediatailor:GetChannelPolicy", ""},
	{"imagebuilder", "component", start("component/"), "imagebuilder:GetComponentPolicy", ""},
	{"imagebuilder", "container recipe", start("container-recipe/"), "imagebuilder:GetContainerRecipePolicy", ""},
	{"imagebuilder", "image", start("image/"), "imagebuilder:GetImagePolicy", ""},
	{"imagebuilder", "image recipe", start("image-recipe/"), "imagebuilder:GetImageRecipePolicy", ""},
	{"cleanrooms-ml", "audience model", start("configured-audience-model/"), "cleanrooms-ml:GetConfiguredAudienceModelPolicy", ""},
	{"cloudhsm", "backup", start("backup/"), "cloudhsm:GetResourcePolicy", ""},
	{"entityresolution", "workflow", start(""), "entityresolution:GetPolicy", ""},
	{"oam", "sink", start("sink/"), "oam:GetSinkPolicy", ""},
	{"rum", "app monitor", start("appmonitor/"), "rum:GetResourcePolicy", ""},
	{"route53resolver", "firewall rule group", start("firewall-rule-group/"), "route53resolver:GetFirewallRuleGroupPolicy", ""},
	{"route53resolver", "query log configuration", start("resolver-query-log-config/"), "route53resolver:GetResolverQueryLogConfigPolicy", ""},
	{"route53resolver", "resolver rule", start("resolver-rule/"), "route53resolver:GetResolverRulePolicy", ""},
	{"sms-voice", "phone number", oneOf("phone-number/", "pool/", "sender-id/", "opt-out-list/"), "sms-voice:GetResourcePolicy", ""},
	{"dsql", "cluster", upTo("cluster/", "/"), "dsql:GetClusterPolicy", ""},
	{"waf", "rule group", start("rulegroup/"), "waf:GetPermissionPolicy", ""},
	{"waf-regional", "rule group", start("rulegroup/"), "waf-regional:GetPermissionPolicy", ""},
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
		if k.service != arn.Service || k.service == "s3" && (k.typ == "bucket") != isBucket(arn) {
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
