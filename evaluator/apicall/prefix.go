package apicall

import (
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// An alias lists names by which the API behind an IAM prefix goes elsewhere.
type alias struct{ prefix, names string }

// aliases are the names of services that aren't their IAM prefix: CloudTrail's event sources (T76) and
// endpoints without their domain, names in signatures, service ids of the SDKs and commands of the AWS CLI.
// Names are compared as [foldService] leaves them. A name of several APIs is in several rows: the operation tells.
var aliases = []alias{
	{"a4b", "alexa-for-business"},
	{"account-access", "account-access-runtime"},
	{"aco-automation", "compute-optimizer-automation"},
	{"agent-registry", "agent-registry-control"},
	{"aidevops", "devops-agent"},
	{"airflow", "mwaa"},
	{"airflow-serverless", "mwaa-serverless"},
	{"aoss", "opensearchserverless"},
	{"apigateway", "apigatewayv2"},
	{"app-integrations", "appintegrationsservice"},
	{"appconfig", "appconfigdata"},
	{"applicationinsights", "cloudwatch-application-insights"},
	{"appstream", "appstream2"},
	{"aps", "amp prometheus aps-workspaces"},
	{"aws-marketplace", `marketplace-agreement agreement-marketplace marketplace-catalog catalog.marketplace marketplace-deployment
		deployment-marketplace marketplace-discovery discovery.marketplace discovery-marketplace marketplace-entitlement marketplace-entitlement-service
		entitlement.marketplace marketplace-metering meteringmarketplace metering.marketplace marketplace-reporting reporting-marketplace`},
	{"aws-portal", "billingconsole"},
	{"bedrock", `bedrock-runtime bedrock-agent bedrock-agent-runtime bedrock-data-automation bedrock-data-automation-runtime
		bedrock-data-automation-runtime.bedrock`},
	{"bedrock-agentcore", "bedrock-agentcore-control"},
	{"cases", "connectcases"},
	{"cassandra", "keyspaces keyspacesstreams cassandra-streams"},
	{"ce", "cost-explorer"},
	{"chime", `chime-sdk-identity identity-chime chime-sdk-media-pipelines media-pipelines-chime chime-sdk-meetings meetings-chime
		chime-sdk-messaging messaging-chime chime-sdk-voice voice-chime`},
	{"cloudformation", "cloudcontrol cloudcontrolapi"},
	{"cloudhsm", "cloudhsmv2"},
	{"cloudsearch", "cloudsearchdomain"},
	{"cloudwatch", "monitoring"},
	{"codedeploy", "deploy"},
	{"cognito-idp", "cognito-identity-provider cognito-identity-service-provider"},
	{"config", "configservice"},
	{"connect", "connect-contact-lens contact-lens connectscheduling"},
	{"connect-campaigns", "connectcampaignsv2"},
	{"cur", "cost-and-usage-report-service cost-and-usage-report"},
	{"detective", "api.detective"},
	{"discovery", "application-discovery-service"},
	{"dms", "database-migration-service"},
	{"ds", "directory-service"},
	{"ds-data", "directory-service-data ds"},
	{"dynamodb", "dynamodbstreams streams.dynamodb"},
	{"ecr", "api.ecr"},
	{"ecr-public", "api.ecr-public"},
	{"elasticfilesystem", "efs"},
	{"elasticloadbalancing", "elb elbv2 elastic-load-balancing-v2"},
	{"elasticmapreduce", "emr"},
	{"es", "opensearch opensearch-service elasticsearch-service elasticsearch"},
	{"events", "eventbridge eventbridgev2 eventsv2 cloudwatch-events"},
	{"execute-api", "apigatewaymanagementapi connectparticipant participant.connect"},
	{"finspace-api", "finspace-data"},
	{"forecast", "forecastquery forecastqueryservice forecastservice"},
	{"geo", "location location-service"},
	{"greengrass", "greengrassv2"},
	{"health-agent", "connecthealth"},
	{"iam", "iam-toolbox"},
	{"inspector2", "inspector2.amazon.aws"},
	{"iot", "iot-data iot-data-plane data.iot data-ats.iot iotsecuretunneling iotsecuredtunneling api.tunneling.iot tunneling.iot"},
	{"iotdeviceadvisor", "api.iotdeviceadvisor"},
	{"iotevents", "iotevents-data data.iotevents"},
	{"iotfleethub", "api.fleethub.iot"},
	{"iotjobsdata", "iot-jobs-data-plane data.jobs.iot"},
	{"iot", "iot-jobs-data iot-jobs-data-plane data.jobs.iot"},
	{"iotmanagedintegrations", "api.iotmanagedintegrations"},
	{"iotwireless", "api.iotwireless"},
	{"ivs", "ivs-realtime"},
	{"kinesisanalytics", "kinesis-analytics-v2"},
	{"kinesisvideo", `kinesis-video-archived-media kinesis-video-media kinesis-video-signaling kinesis-video-signaling-channels
		kinesis-video-webrtc-storage`},
	{"lambda", "lambda-core lambda-microvms lambda-web"},
	{"lex", `lex-models lex-model-building-service models.lex lexv2-models lex-models-v2 models-v2-lex lex-runtime lex-runtime-service
		runtime.lex lexv2-runtime lex-runtime-v2 runtime-v2-lex`},
	{"logs", "cloudwatch-logs"},
	{"mechanicalturk", "mturk mturk-requester"},
	{"mediastore", "mediastore-data data.mediastore"},
	{"mediatailor", "api.mediatailor"},
	{"mgh", "migrationhub migrationhub-config"},
	{"migrationhub-strategy", "migrationhubstrategyrecommendations"},
	{"mobiletargeting", "pinpoint"},
	{"mq", "amazonmq"},
	{"neptune-db", "neptunedata"},
	{"partnercentral", "partnercentral-selling partnercentral-benefits partnercentral-channel partnercentral-account partnercentral-revenue-measurement partnercentral-prm"},
	{"payment-cryptography", "payment-cryptography-data dataplane.payment-cryptography controlplane.payment-cryptography"},
	{"personalize", "personalize-events personalize-runtime"},
	{"pricing", "api.pricing price-list"},
	{"profile", "customer-profiles"},
	{"qapps", "data.qapps"},
	{"qldb", "qldb-session session.qldb"},
	{"rds", "docdb neptune"},
	{"rds-data", "rds-data-service"},
	{"refactor-spaces", "migration-hub-refactor-spaces"},
	{"resiliencehub", "resiliencehubv2"},
	{"s3", "s3api s3-control"},
	{"sagemaker", `sagemaker-runtime runtime.sagemaker api.sagemaker sagemaker-a2i-runtime a2i-runtime.sagemaker augmented-ai-runtime
		sagemaker-edge edge.sagemaker sagemaker-featurestore-runtime featurestore-runtime.sagemaker sagemaker-metrics metrics.sagemaker
		sagemaker-gateway-runtime gateway-runtime.sagemaker sagemaker-inference-router-runtime inferencerouter-runtime.sagemaker
		sagemaker-job-runtime job-runtime.sagemaker sagemaker-training-session-runtime training-session-runtime.sagemaker`},
	{"scn", "supplychain"},
	{"sdb", "simpledb simpledbv2"},
	{"serverlessrepo", "serverless-application-repository"},
	{"servicecatalog", "service-catalog-appregistry"},
	{"ses", "sesv2 email pinpoint-email mail-manager simple-email-service"},
	{"signer", "signer-data data-signer"},
	{"sms-voice", "sms-voice.pinpoint pinpoint-sms-voice pinpoint-sms-voice-v2"},
	{"sso", "sso-admin awsssoportal portal.sso"},
	{"sso-oauth", "sso-oidc oidc"},
	{"states", "stepfunctions sfn"},
	{"tag", "tagging resourcegroupstaggingapi"},
	{"tax", "taxsettings"},
	{"thinclient", "workspaces-thin-client"},
	{"timestream", "timestream-query query.timestream timestream-write ingest.timestream"},
	{"transcribe", "transcribe-streaming transcribe-service"},
	{"wickr", "admin.wickr"},
	{"wisdom", "qconnect"},
}

// services are the IAM prefixes of each folded name.
var services = sync.OnceValue(func() map[string][]string {
	all := make(map[string][]string)
	for _, prefix := range serviceref.Prefixes() { // a prefix is its own first meaning
		all[foldService(prefix)] = append(all[foldService(prefix)], prefix)
	}
	for _, n := range aliases {
		for name := range strings.FieldsSeq(n.names) {
			all[foldService(name)] = append(all[foldService(name)], n.prefix)
		}
	}
	return all
})

// foldService leaves of a service's name what all spellings of it have in common: DynamoDB Streams,
// dynamodb-streams, dynamodbstreams.
func foldService(name string) string { return separators.Replace(strings.ToLower(name)) }

var separators = strings.NewReplacer(" ", "", "-", "", "_", "")

// domains end an event source.
var domains = []string{".amazonaws.com.cn", ".amazonaws.com", ".amazonaws.eu", ".aws.internal"}

// prefixOf returns the IAM prefix of a call's service, "" if it is no name (T76, T79).
func prefixOf(c Call) string {
	s := serviceName(c)
	prefixes := services()[foldService(s)]
	if slices.Contains(prefixes, "s3") {
		return s3Prefix(c)
	}
	for _, p := range prefixes {
		if len(prefixes) == 1 || knows(p, c.Operation) {
			return p
		}
	}
	if len(prefixes) > 0 {
		return prefixes[0]
	}
	s = strings.ReplaceAll(s, " ", "-")
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return s // one that neither the table nor the service reference has: kept (T80)
}

// serviceName returns the name of a call's service in lower case, without its domain.
func serviceName(c Call) string {
	s := strings.ToLower(strings.TrimSpace(c.Service))
	if len(s) > longestName {
		return ""
	}
	for _, domain := range domains {
		if cut, ok := strings.CutSuffix(s, domain); ok {
			return cut
		}
	}
	return s
}

// regionPartitions are the partitions that a region's name tells (T84).
var regionPartitions = []struct{ prefix, partition string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},
}

// partitionOf returns the partition of a call's ARNs (T84).
func partitionOf(c Call) string {
	if plain(c.Partition) {
		return c.Partition
	}
	if a, ok := policy.ParseARN(c.Principal.ARN); ok && plain(a.Partition) {
		return a.Partition
	}
	for _, r := range regionPartitions {
		if strings.HasPrefix(c.Region, r.prefix) {
			return r.partition
		}
	}
	return "aws"
}
