package evaluator

import (
	"slices"
	"strings"
)

// A serviceRule is what a service, or another authorizer than IAM, decides by
// itself. In the zero serviceRule, policies alone decide.
type serviceRule struct {
	allows  Match // allowed, whatever policies say
	refuses Match // refused, whatever policies say
	// guarded says that somebody else has a say in what policies allow; what they
	// deny stays denied.
	guarded bool
	// unguarded says, of a guarded request, that what no policy allows may be allowed, too. An
	// explicit Deny stays one.
	unguarded bool
	note      string
}

// open reports whether the decision may hang on the rule, and nobody knows how.
func (r *serviceRule) open() bool {
	return r.allows == Unknown || r.refuses == Unknown || r.guarded
}

// settle is what becomes of the answer that policies give.
func (r *serviceRule) settle(allowed Match) Match {
	if r.guarded {
		allowed = and(allowed, Unknown)
	}
	if r.unguarded {
		allowed = or(allowed, Unknown)
	}
	return or(and(allowed, not(r.refuses)), r.allows)
}

// serviceRuleFor finds the rule for a request (rules S4, S9 to S11, S13, S14, S28, S29).
func serviceRuleFor(req *Request, a *action) serviceRule {
	switch {
	case req.Principal.Type == Anonymous && !takesAnonymous(a):
		return serviceRule{guarded: true, note: "whether " + req.Action + " takes calls that nobody signed"}
	case a.rule == nil:
		return serviceRule{}
	}
	return a.rule(req, a.verb)
}

// takesAnonymous reports whether calls of an action may come from a caller whom nobody knows (rule E30). Nearly all
// services refuse what isn't signed, before any policy is asked.
func takesAnonymous(a *action) bool {
	names, ok := anonymousActions[a.service]
	return ok && slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(a.verb, name) })
}

// anonymousActions are the actions that may be called without credentials, by their service: how their names begin, in
// lower case.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
// https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
// https://docs.aws.amazon.com/mediapackage/latest/userguide/policy-principal.html
var anonymousActions = map[string][]string{
	"s3": {""}, "sqs": {""}, "sns": {""}, "es": {"eshttp"}, "lambda": {"invokefunction"}, "execute-api": {""}, "elasticfilesystem": {"client"},
	"mediapackagev2": {"getobject", "getheadobject"}, "mediastore": {""}, "cloudsearch": {""}, "vpc-lattice-svcs": {""},
}

// serviceRules are the rules of the services that have some, by prefix. name is an
// action's, in lower case.
var serviceRules = map[string]func(req *Request, name string) serviceRule{
	"sts": stsRule, "iam": iamRule, "kms": aliasRule, "execute-api": apiRule, "lambda": functionURLRule,
	"lakeformation": guardRule, "glue": guardRule, "es": guardRule, "aoss": guardRule, "eks": guardRule,
	"redshift-data": guardRule, "quicksight": guardRule,
}

// guardRule: somebody else than IAM has a say in some actions (rule S29).
func guardRule(req *Request, _ string) serviceRule {
	if note := guards[strings.ToLower(req.Action)]; note != "" {
		return serviceRule{guarded: true, note: note}
	}
	return serviceRule{}
}

// stsRule: what STS asks of credentials rather than of policies (rules S9, S10, S11, S13).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
func stsRule(req *Request, name string) serviceRule {
	who := req.Principal.Type
	switch {
	case name == "getcalleridentity":
		return serviceRule{allows: identified(who), note: "sts:GetCallerIdentity needs no permission and can't be denied"}
	case name == "getsessiontoken" || name == "getfederationtoken":
		return tokenRule(req, name)
	case !stsOperations[name]:
		return serviceRule{}
	case who == FederatedUser:
		return serviceRule{refuses: Matched, note: "credentials of GetFederationToken can't call STS but for GetCallerIdentity"}
	case name == "assumeroot":
		return assumeRootRule(req)
	case name != "assumerole":
		return serviceRule{refuses: bySessionToken(req), note: "credentials of GetSessionToken can't call STS but for AssumeRole and GetCallerIdentity; aws:TokenIssueTime would tell"}
	}
	return serviceRule{}
}

// assumeRootRule: a session of a member account's root user is for the organisation's management account and for who administers
// IAM for it, where root access is centralised, and not for their root users. Of policies, those of the caller count (rule S13).
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
func assumeRootRule(req *Request) serviceRule {
	if req.Principal.Type == Root {
		return serviceRule{refuses: Matched, note: "a root user can't call sts:AssumeRoot"}
	}
	return serviceRule{
		refuses: bySessionToken(req), guarded: true,
		note: "whether the caller's account is the organisation's management account, or administers IAM for it, and root access is centralised; iam:ListOrganizationsFeatures would tell",
	}
}

// stsOperations are the operations of STS that a caller with credentials of AWS's
// makes. Actions such as sts:TagSession and sts:GetServiceBearerToken are no operations.
var stsOperations = setOf("assumerole assumeroot decodeauthorizationmessage getaccesskeyinfo getdelegatedaccesstoken getwebidentitytoken")

// tokenRule: GetSessionToken and GetFederationToken are for users and root with long-term
// credentials; the first asks no policy (rules S10, S11, S13).
func tokenRule(req *Request, name string) serviceRule {
	var r serviceRule
	switch req.Principal.Type {
	case AssumedRole:
		return serviceRule{refuses: Matched, note: "a role's temporary credentials can't call " + req.Action}
	case FederatedUser:
		return serviceRule{refuses: Matched, note: "credentials of GetFederationToken can't call STS but for GetCallerIdentity"}
	case User, Root:
		r.refuses = bySessionToken(req)
		r.note = "credentials of GetSessionToken can't call " + req.Action + "; aws:TokenIssueTime would tell"
	default:
		return serviceRule{}
	}
	if name == "getsessiontoken" {
		r.allows = not(r.refuses)
		if r.allows == Matched {
			r.note = "sts:GetSessionToken needs no permission and can't be denied"
		}
	}
	return r
}

// identified says whether a caller has credentials.
func identified(who PrincipalType) Match {
	switch who {
	case UnknownPrincipal:
		return Unknown
	case Anonymous:
		return NoMatch
	}
	return Matched
}

// bySessionToken says whether a user or root calls with credentials of GetSessionToken.
// Those of a console session are temporary, too, and so are those that sts:AssumeRoot gives.
func bySessionToken(req *Request) Match {
	switch req.Principal.Type {
	case User:
		return and(temporary(&req.Context), not(byConsole(&req.Context)))
	case Root:
		return and(temporary(&req.Context), Unknown)
	}
	return NoMatch
}

// temporary says whether a user's or root's credentials are temporary: aws:TokenIssueTime and
// aws:MultiFactorAuthPresent are there only then (evaluation.md 5.4).
func temporary(c *Context) Match {
	issued, mfa := isThere(c.Lookup("aws:tokenissuetime")), isThere(c.Lookup("aws:multifactorauthpresent"))
	switch {
	case issued == Matched || mfa == Matched:
		return Matched
	case issued == NoMatch || mfa == NoMatch && c.Known("aws:MultiFactorAuthPresent"):
		return NoMatch
	}
	return Unknown
}

func isThere(v ContextValue) Match {
	switch v.State {
	case Absent:
		return NoMatch
	case UnknownKey:
		return Unknown
	}
	return Matched
}

// byConsole says whether a call may come from a console session, which the limits of
// credentials for the API don't concern. Only the user agent tells: a request in a closed
// context that has none is one to the API.
func byConsole(c *Context) Match {
	agent := c.Lookup("aws:useragent")
	if agent.State == Absent {
		return NoMatch
	}
	if agent.State != Present || len(agent.Values) != 1 || agent.Pattern {
		return Unknown
	}
	for _, tool := range []string{"aws-cli/", "aws-sdk-", "Boto3/", "Botocore/", "APN/", "Terraform"} {
		if strings.HasPrefix(strings.TrimPrefix(agent.Values[0], "["), tool) && !strings.Contains(agent.Values[0], "CloudShell") {
			return NoMatch
		}
	}
	return Unknown
}

// iamRule: which credentials can't call IAM (rule S13), and what IAM keeps as it is (rule S14).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
func iamRule(req *Request, name string) serviceRule {
	protected, limit := protectedRule(req, name), iamLimit(req)
	if limit.refuses > protected.refuses {
		return limit
	}
	return protected
}

// iamLimit: credentials of GetFederationToken can't call IAM, nor can those of GetSessionToken
// without MFA. A console session can, whichever it came from.
func iamLimit(req *Request) serviceRule {
	switch req.Principal.Type {
	case FederatedUser:
		return serviceRule{refuses: not(byConsole(&req.Context)), note: "credentials of GetFederationToken can't call IAM, unless in a console session; aws:UserAgent would tell"}
	case User, Root:
		return serviceRule{refuses: and(bySessionToken(req), not(withMFA(&req.Context))), note: "credentials of GetSessionToken can't call IAM without MFA; aws:TokenIssueTime and aws:MultiFactorAuthPresent would tell"}
	}
	return serviceRule{}
}

// withMFA says whether temporary credentials were made with MFA.
func withMFA(c *Context) Match { return isTrue(c.Lookup("aws:multifactorauthpresent")) }

// isTrue says whether a context key is there and true.
func isTrue(v ContextValue) Match {
	switch {
	case v.State == Absent:
		return NoMatch
	case v.State == Present && len(v.Values) == 1 && !v.Pattern:
		return known(strings.EqualFold(v.Values[0], "true"))
	}
	return Unknown
}

// protectedRule: AWS managed policies, IAM Identity Center's roles and service-linked roles
// can't be changed through IAM's own actions (rule S14).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
func protectedRule(req *Request, name string) serviceRule {
	switch {
	case changesPolicy[name]:
		return serviceRule{refuses: under(req.Resource, ":iam::aws:policy/", ""), note: "AWS managed policies can't be changed"}
	case changesRole[name]:
		reserved, linked := under(req.Resource, ":role/", "aws-reserved/"), under(req.Resource, ":role/", "aws-service-role/")
		if name == "updaterole" || name == "updateroledescription" { // a service-linked role's description can be edited
			linked = NoMatch
		}
		if linked > reserved {
			return serviceRule{refuses: linked, note: "a service-linked role can be changed by its service only"}
		}
		return serviceRule{refuses: reserved, note: "roles under /aws-reserved/ are IAM Identity Center's and can't be changed through IAM"}
	}
	return serviceRule{}
}

var (
	changesPolicy = setOf("createpolicyversion deletepolicy deletepolicyversion setdefaultpolicyversion tagpolicy untagpolicy")
	changesRole   = setOf(`attachrolepolicy detachrolepolicy putrolepolicy deleterolepolicy putrolepermissionsboundary
		deleterolepermissionsboundary updateassumerolepolicy deleterole updaterole updateroledescription`)
)

// under says whether a resource's ARN has path right after marker.
func under(r Resource, marker, path string) Match {
	arn, open := r.ARN, false
	if i := strings.IndexAny(arn, "*?"); i >= 0 && r.Pattern {
		arn, open = arn[:i], true
	}
	_, rest, ok := strings.Cut(arn, marker)
	switch {
	case ok && strings.HasPrefix(rest, path):
		return Matched
	case open && (!ok || strings.HasPrefix(path, rest)):
		return Unknown
	}
	return NoMatch
}

// aliasRule: the aliases alias/aws/… are AWS's, and can't be made or changed (rule S4).
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
func aliasRule(req *Request, name string) serviceRule {
	if name != "createalias" && name != "updatealias" && name != "deletealias" {
		return serviceRule{}
	}
	return serviceRule{refuses: and(under(req.Resource, ":alias/", "aws/"), onAlias(req.Resource)), note: "aliases that begin with alias/aws/ are AWS's own"}
}

// onAlias: a check on a key doesn't say which alias is meant.
func onAlias(r Resource) Match { return known(strings.Contains(r.ARN, ":alias/")) }

// apiRule: for a caller known to IAM, a REST API whose methods ask for IAM authorization
// combines its resource policy with the caller's policies just like any other service (rule
// S28). Without one, the method must ask for no authorization, or for another kind, which
// nobody recorded: an explicit Deny is all that is certain.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func apiRule(req *Request, name string) serviceRule {
	if req.Principal.Type != Anonymous || name != "invoke" {
		return serviceRule{}
	}
	return serviceRule{guarded: true, unguarded: true, note: "which authorization the API's method asks for; apigateway:GET of the method would tell"}
}

// functionURLRule: a Lambda function URL that asks for IAM authorization refuses whom IAM doesn't
// know, whatever the function's policy allows (rule S25).
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func functionURLRule(req *Request, name string) serviceRule {
	switch {
	case req.Principal.Type != Anonymous:
		return serviceRule{}
	case name == "invokefunction": // a call of a function URL asks for it, too
		return serviceRule{refuses: not(isTrue(req.Context.Lookup("lambda:invokedviafunctionurl"))),
			note: "only a function URL takes calls that nobody signed; lambda:InvokedViaFunctionUrl would tell"}
	case name != "invokefunctionurl":
		return serviceRule{}
	}
	r := serviceRule{note: "a function URL whose AuthType is AWS_IAM refuses unsigned calls; lambda:FunctionUrlAuthType would tell"}
	switch v := req.Context.Lookup("lambda:functionurlauthtype"); v.State {
	case Present:
		r.refuses = known(len(v.Values) != 1 || v.Values[0] != "NONE")
	case UnknownKey, PresentUnknown, Partial:
		r.refuses = Unknown
	}
	return r
}

// guards are the actions that other authorizers than IAM decide on, too, and who (rule S29). It isn't
// every action of these services: what isn't here, IAM alone decides.
var guards = guarded(map[string]string{
	// https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-overview.html
	"whether AWS Lake Formation grants it, too": `lakeformation:GetDataAccess
		lakeformation:GrantPermissions lakeformation:BatchGrantPermissions lakeformation:RevokePermissions lakeformation:BatchRevokePermissions
		lakeformation:AddLFTagsToResource lakeformation:RemoveLFTagsFromResource lakeformation:UpdateLFTag lakeformation:DeleteLFTag
		lakeformation:GetTemporaryGlueTableCredentials lakeformation:GetTemporaryGluePartitionCredentials
		lakeformation:StartQueryPlanning lakeformation:GetTableObjects lakeformation:UpdateTableObjects
		lakeformation:CreateDataCellsFilter lakeformation:UpdateDataCellsFilter lakeformation:DeleteDataCellsFilter lakeformation:GetDataCellsFilter
		glue:GetDatabase glue:GetDatabases glue:CreateDatabase glue:UpdateDatabase glue:DeleteDatabase
		glue:GetTable glue:GetTables glue:CreateTable glue:UpdateTable glue:DeleteTable glue:BatchDeleteTable glue:SearchTables
		glue:GetTableVersion glue:GetTableVersions glue:DeleteTableVersion glue:BatchDeleteTableVersion
		glue:GetPartition glue:GetPartitions glue:BatchGetPartition glue:CreatePartition glue:BatchCreatePartition
		glue:UpdatePartition glue:BatchUpdatePartition glue:DeletePartition glue:BatchDeletePartition
		glue:GetColumnStatisticsForTable glue:GetColumnStatisticsForPartition glue:UpdateColumnStatisticsForTable
		glue:UpdateColumnStatisticsForPartition glue:DeleteColumnStatisticsForTable glue:DeleteColumnStatisticsForPartition`,
	// https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
	"whether the domain's fine-grained access control, if it is on, allows it, too": `es:ESHttpDelete es:ESHttpGet es:ESHttpHead
		es:ESHttpPatch es:ESHttpPost es:ESHttpPut`,
	// https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
	"whether a data access policy of OpenSearch Serverless allows it, too": `aoss:APIAccessAll aoss:DashboardsAccessAll`,
	// https://docs.aws.amazon.com/eks/latest/userguide/view-kubernetes-resources.html
	"whether the cluster's access entries or RBAC allow it, too": `eks:AccessKubernetesApi`,
	// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
	"whether the database's own users and grants allow it, too": `redshift-data:ExecuteStatement redshift-data:BatchExecuteStatement
		redshift-data:ListDatabases redshift-data:ListSchemas redshift-data:ListTables redshift-data:DescribeTable`,
	// https://docs.aws.amazon.com/quicksight/latest/user/embedded-analytics.html
	"whether the Amazon QuickSight user exists and what is shared with it": `quicksight:GetDashboardEmbedUrl quicksight:GetSessionEmbedUrl
		quicksight:GenerateEmbedUrlForRegisteredUser quicksight:GenerateEmbedUrlForRegisteredUserWithIdentity`,
})

// guarded is who guards an action, by the action in lower case.
func guarded(byNote map[string]string) map[string]string {
	byAction := map[string]string{}
	for note, actions := range byNote {
		for action := range setOf(strings.ToLower(actions)) {
			byAction[action] = note
		}
	}
	return byAction
}

// scpConcerns says whether SCPs concern a request at all: its caller (rules E10, E28) and
// what it asks for (rule E32).
func (ev *evaluation) scpConcerns() Match {
	return and(ev.scpReaches(), not(scpExempt(ev.req, ev.action)))
}

// scpExempt says whether a request is one of the tasks that SCPs can't restrict (rule E32). The
// others of AWS's list, such as signing for CloudFront's private content, ask nothing of IAM.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#not-restricted-by-scp
func scpExempt(req *Request, a *action) Match {
	switch {
	case a.service == "mechanicalturk" || a.service == "awis" || a.service == "alexatopsites":
		return Matched // Amazon Mechanical Turk, Alexa Web Information Service, Alexa Top Sites
	case req.Principal.Type != Root:
		return NoMatch
	case a.service == "supportplans", a.lower == "ec2:modifyaddressattribute", a.lower == "ec2:resetaddressattribute":
		return Unknown // root registers for Enterprise Support, or sets reverse DNS: AWS doesn't name the actions
	}
	return NoMatch
}
