package evaluator

import "strings"

// rcpReaches says which requests RCPs concern: those on a service of AWS's
// list, by any caller but a service-linked role, and never for AWS managed
// KMS keys or kms:RetireGrant (rule E11). That the management account's resources are
// exempt is for whoever supplies the RCPs to know.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func rcpReaches(req *Request, p *Policies) Match {
	return min(rcpReachesAction(req), not(req.Principal.ServiceLinked()), not(p.Resource.AWSManaged))
}

// rcpReachesAction says whether RCPs concern an action on a resource, whoever calls.
func rcpReachesAction(req *Request) Match {
	a := actionOf(req.Action)
	switch {
	case a.lower == "kms:retiregrant": // "RCPs do not impact the kms:RetireGrant permission"
		return NoMatch
	case a.service == "sts" && under(req.Resource, ":role/", "aws-service-role/") != NoMatch:
		// How a service assumes its service-linked role is none of an RCP's business.
		return not(under(req.Resource, ":role/", "aws-service-role/"))
	case a.rcp == Matched && req.Resource.ARN == "*" && !req.Resource.Pattern:
		// AWS says that an RCP concerns "the resources that are authorized as part of an operation
		// request" and not what becomes of an action that has none (doubt D12).
		return Unknown
	}
	return a.rcp
}

// rcpReachesService says whether RCPs concern the actions of a service. IAM isn't on AWS's list; its one
// resource policy, a role's trust, is reached as sts.
func rcpReachesService(service string) Match {
	switch {
	case service == "iam":
		return NoMatch
	case rcpServices[service]:
		return Matched
	}
	return Unknown
}

// rcpServices are the prefixes of the services whose actions RCPs concern, as AWS listed
// them on 2026-09-26. AWS lengthens the list now and then (announced on 2024-11-13, 2025-06,
// 2026-01, 2026-02, and since without announcements of their own): whether another service is on
// it by now is unknown. That matters only where an RCP's Deny matches the request.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
var rcpServices = setOf(`
	s3 sts kms sqs secretsmanager
	ecr aoss
	cognito-identity cognito-idp logs
	dynamodb
	appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront cloudsearch
	cloudtrail-data codeartifact codebuild codecommit codepipeline comprehend comprehendmedical
	compute-optimizer cost-optimization-hub dax dsql ecr-public events firehose fis fms gamelift
	health inspector-scan kendra kinesisvideo memorydb networkmonitor notifications opensearch
	pca-connector-ad personalize polly pricing resource-groups rolesanywhere servicediscovery
	signin support swf textract timestream-influxdb transcribe transfer translate wafv2 workspaces
	xray
`)

// setOf makes a set of the words of a text.
func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}
