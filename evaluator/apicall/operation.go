package apicall

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// An authorisation is a row of the tables: operations of one service whose actions aren't called like
// them, or that need none (T78).
type authorisation struct{ service, operations, actions string }

// none are the actions of an operation for which IAM isn't asked (S9, S10).
const none = ""

// as says that operations of a service are authorised as actions, of the same service if they
// have no prefix. All are needed but those that end in "?": these AWS lists for the
// operation, and which of its calls need them isn't in their parameters.
func as(service, operations, actions string) authorisation {
	return authorisation{service, operations, actions}
}

// A checkedAction is one action that an operation is authorised as.
type checkedAction struct {
	action   string
	required bool
}

// An irregularity is an operation of the tables, as AWS spells it.
type irregularity struct {
	operation string
	checks    []checkedAction
}

// irregular are the operations of the tables, by their prefix and name in lower case.
var irregular = sync.OnceValue(func() map[string]irregularity {
	all := make(map[string]irregularity)
	for _, row := range slices.Concat(s3Operations, apiGatewayOperations, dataOperations, signInOperations, otherOperations) {
		var checks []checkedAction
		for action := range strings.FieldsSeq(row.actions) {
			action, optional := strings.CutSuffix(action, "?")
			if !strings.Contains(action, ":") {
				action = row.service + ":" + action
			}
			checks = append(checks, checkedAction{action, !optional})
		}
		for operation := range strings.FieldsSeq(row.operations) {
			all[strings.ToLower(row.service+":"+operation)] = irregularity{operation, checks}
		}
	}
	return all
})

// irregularityOf returns the table's entry for an operation. The services with S3's API that have none
// of their own have S3's, if they have its actions.
func irregularityOf(prefix, operation string) (irregularity, bool) {
	if found, ok := irregular()[strings.ToLower(prefix+":"+operation)]; ok {
		return found, true
	}
	if !slices.Contains(s3Family, prefix) {
		return irregularity{}, false
	}
	of, ok := irregular()["s3:"+strings.ToLower(operation)]
	found := irregularity{operation: of.operation}
	for _, n := range of.checks {
		_, name, _ := strings.Cut(n.action, ":")
		if action, ok := namedAction(prefix, name); ok {
			found.checks = append(found.checks, checkedAction{action, n.required})
		}
	}
	return found, ok && len(found.checks) == len(of.checks) && len(of.checks) > 0
}

// namedAction returns the action of the service reference with the name, in its spelling.
func namedAction(prefix, name string) (string, bool) {
	s, ok := serviceref.Lookup(prefix)
	if !ok {
		return "", false
	}
	a, ok := s.Action(name)
	if !ok {
		return "", false
	}
	return prefix + ":" + a.Name, true
}

// knows reports whether a service has an operation, by the tables or the service reference.
func knows(prefix, operation string) bool {
	_, ok := spelled(prefix, strings.TrimSpace(operation))
	return ok
}

// specialOperations are the operations that aren't one action on what a table row says, by their prefix and
// name in lower case.
var specialOperations = sync.OnceValue(func() map[string]string {
	all := make(map[string]string)
	for name := range special {
		_, all[strings.ToLower(name)], _ = strings.Cut(name, ":")
	}
	return all
})

// spelled returns an operation as the tables or the service reference spell it: the SDKs and
// the AWS CLI differ in capitals.
func spelled(prefix, operation string) (string, bool) {
	if known, ok := irregularityOf(prefix, operation); ok {
		return known.operation, true
	}
	if known, ok := specialOperations()[strings.ToLower(prefix+":"+operation)]; ok {
		return known, true
	}
	if action, ok := namedAction(prefix, operation); ok {
		return action[len(prefix)+1:], true
	}
	return operation, false
}

// What some services add to the names of their events (T77): a date, in which no action ends, or the number of
// a version, in which many do.
var (
	dateTail    = regexp.MustCompile(`20\d{2}_?\d{2}_?\d{2}(v\d+)?$`)
	versionTail = regexp.MustCompile(`V\d+$`)
)

// longestName is the longest name of a service or operation that is looked up.
const longestName = 128

// cleanOperation returns the operation, spelled as AWS spells it and without its version (T77), "" if it
// is no name. A tail goes only if nothing is called like the whole.
func cleanOperation(prefix, name string) string {
	name = strings.TrimSpace(name)
	if len(name) > longestName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	if known, ok := spelled(prefix, name); ok {
		return known
	}
	dated := dateTail.ReplaceAllString(name, "")
	for _, cut := range []string{dated, versionTail.ReplaceAllString(name, "")} {
		if known, ok := spelled(prefix, cut); ok {
			return known
		}
	}
	if dated != "" {
		return dated
	}
	return name
}

// guessed reports whether the operation is known only without the number of its version (T77). Some second
// versions are authorised as the first, some as an action of their own that the reference may be too old for.
func (d *derivation) guessed() bool {
	name := strings.TrimSpace(d.call.Operation)
	return !strings.EqualFold(name, d.operation) && !knows(d.prefix, dateTail.ReplaceAllString(name, ""))
}

// otherOperations are those of services with few. Each page of the service authorization
// reference has the table of its operations:
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var otherOperations = []authorisation{
	as("access-analyzer", "GetFindingV2", "GetFinding"),
	as("access-analyzer", "ListFindingsV2", "ListFindings"),
	as("aws-marketplace", "BatchDescribeEntities", "DescribeEntity"),

	as("batch", "CancelJobs", "CancelJob"),
	as("batch", "TerminateJobs", "TerminateJob"),
	as("batch", "TerminateServiceJobs", "TerminateServiceJob"),

	as("bcm-pricing-calculator", "BatchCreateBillScenarioCommitmentModification", "CreateBillScenarioCommitmentModification"),
	as("bcm-pricing-calculator", "BatchUpdateBillScenarioCommitmentModification", "UpdateBillScenarioCommitmentModification"),
	as("bcm-pricing-calculator", "BatchDeleteBillScenarioCommitmentModification", "DeleteBillScenarioCommitmentModification"),
	as("bcm-pricing-calculator", "BatchCreateBillScenarioUsageModification", "CreateBillScenarioUsageModification"),
	as("bcm-pricing-calculator", "BatchUpdateBillScenarioUsageModification", "UpdateBillScenarioUsageModification"),
	as("bcm-pricing-calculator", "BatchDeleteBillScenarioUsageModification", "DeleteBillScenarioUsageModification"),
	as("bcm-pricing-calculator", "BatchCreateWorkloadEstimateUsage", "CreateWorkloadEstimateUsage"),
	as("bcm-pricing-calculator", "BatchUpdateWorkloadEstimateUsage", "UpdateWorkloadEstimateUsage"),
	as("bcm-pricing-calculator", "BatchDeleteWorkloadEstimateUsage", "DeleteWorkloadEstimateUsage"),

	as("bedrock", "Converse StartAsyncInvoke InvokeModelWithBidirectionalStream", "InvokeModel"),
	as("bedrock", "ConverseStream", "InvokeModelWithResponseStream"),
	as("bedrock", "RetrieveAndGenerateStream", "RetrieveAndGenerate"),

	as("budgets", `CreateBudget UpdateBudget DeleteBudget CreateNotification UpdateNotification DeleteNotification CreateSubscriber
		UpdateSubscriber DeleteSubscriber`, "ModifyBudget"),
	as("budgets", `DescribeBudget DescribeBudgets DescribeBudgetPerformanceHistory DescribeBudgetNotificationsForAccount
		DescribeNotificationsForBudget DescribeSubscribersForNotification`, "ViewBudget"),

	as("cases", "BatchCreateRelatedItem", "CreateRelatedItem"),
	as("cases", "BatchUpdateCase", "UpdateCase"),

	as("cloudfront", "CreateDistributionWithTags", "CreateDistribution TagResource"),
	// https://docs.aws.amazon.com/cloudsearch/latest/developerguide/configuring-access.html
	as("cloudsearch", "UploadDocuments", "document"),
	as("cloudtrail", "ListInsightsMetricData", "ListInsightsData LookupEvents?"),
	as("detective", "ListOrganizationAdminAccounts", "ListOrganizationAdminAccount"),

	as("dms", "DescribeDataProviders", "ListDataProviders"),
	as("dms", "DescribeExtensionPackAssociations", "ListExtensionPacks"),
	as("dms", "DescribeInstanceProfiles", "ListInstanceProfiles"),
	as("dms", "DescribeMetadataModelAssessments", "ListMetadataModelAssessments"),
	as("dms", "DescribeMetadataModelConversions", "ListMetadataModelConversions"),
	as("dms", "DescribeMetadataModelExportsAsScript DescribeMetadataModelExportsToTarget", "ListMetadataModelExports"),
	as("dms", "DescribeMigrationProjects", "ListMigrationProjects"),
	as("dms", "ModifyConversionConfiguration", "UpdateConversionConfiguration"),
	as("dms", "ModifyDataProvider", "UpdateDataProvider"),
	as("dms", "ModifyInstanceProfile", "UpdateInstanceProfile"),
	as("dms", "ModifyMigrationProject", "UpdateMigrationProject"),
	as("dms", "StartExtensionPackAssociation", "AssociateExtensionPack"),
	as("dms", "StartMetadataModelExportAsScript", "StartMetadataModelExportAsScripts"),

	// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
	as("ecr", "ListImageReferrers", "BatchGetImage"),

	as("iotfleetwise", "BatchCreateVehicle", "CreateVehicle"),
	as("iotfleetwise", "BatchUpdateVehicle", "UpdateVehicle"),

	as("lakeformation", "GetGlueFunctionSessionContext", "GetDataAccess"),
	as("lambda", "Invoke InvokeWithResponseStream", "InvokeFunction"),
	as("lambda", "InvokeFunctionUrl", "InvokeFunctionUrl InvokeFunction"),
	as("lambda", "GetLayerVersionByArn", "GetLayerVersion"),

	as("lex", "ListUtteranceAnalyticsData ListUtteranceMetrics", "ListAggregatedUtterances"),
	as("lex", "CreateResourcePolicyStatement", "CreateResourcePolicy UpdateResourcePolicy"),
	as("lex", "DeleteResourcePolicyStatement", "DeleteResourcePolicy UpdateResourcePolicy"),

	as("mediapackage", "ConfigureLogs", "UpdateChannel"),
	as("qapps", "CreatePresignedUrl", "ImportDocument"),
	as("quicksight", "DescribeAnalysisDefinition", "DescribeAnalysis"),
	as("quicksight", "DescribeDashboardDefinition", "DescribeDashboard"),
	as("quicksight", "DescribeTemplateDefinition", "DescribeTemplate"),
	as("resource-explorer-2", "ListResources", "Search"),

	// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
	as("sagemaker", "InvokeEndpointWithResponseStream", "InvokeEndpoint"),
	as("sagemaker", "BatchWriteRecord", "BatchWriteRecord PutRecord?"),

	as("securityhub", "BatchUpdateFindingsV2", "BatchUpdateFindings"),
	as("securityhub", "GetFindingsV2", "GetFindings"),
	as("securityhub", "GetFindingStatisticsV2", "GetAdhocInsightResults"),
	as("sns", "PublishBatch", "Publish"),
	as("sqs", "SendMessageBatch", "SendMessage"),
	as("sqs", "DeleteMessageBatch", "DeleteMessage"),
	as("sqs", "ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),

	as("ssm", "RegisterDefaultHostManagementConfiguration", "GetServiceSetting UpdateServiceSetting"),
	as("ssm", "DeregisterDefaultHostManagementConfiguration", "GetServiceSetting ResetServiceSetting"),

	as("tax", "BatchGetTaxExemptions GetTaxExemptionTypes ListTaxExemptions", "GetExemptions"),
	as("tax", "PutTaxExemption", "UpdateExemptions"),

	// https://docs.aws.amazon.com/verifiedpermissions/latest/apireference/API_BatchIsAuthorized.html
	as("verifiedpermissions", "BatchGetPolicy", "GetPolicy"),
	as("verifiedpermissions", "BatchIsAuthorized", "IsAuthorized"),
	as("verifiedpermissions", "BatchIsAuthorizedWithToken", "IsAuthorizedWithToken"),

	as("vpc-lattice", "BatchUpdateRule", "UpdateRule"),
}
