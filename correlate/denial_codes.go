package correlate

import "strings"

// A codeRow says what error codes mean (table T40). A code ending or beginning
// in * stands for all that begin or end so, one with * on both sides for all that hold it.
type codeRow struct {
	class Class
	codes []string // in lower case, wrappings taken off
	note  string
}

// errorCodes is table T40. The rows of the four classes don't overlap, and the
// first that matches counts. Rows marked DS were seen in invictus-ir/aws_dataset; the other names
// are from the services' API references, "Common Errors" and each operation's "Errors".
var errorCodes = []codeRow{
	{ClassDenied, []string{"accessdenied"}, "S3, IAM, STS and the other query and XML services; DS 16"},
	{ClassDenied, []string{"accessdeniedexception"}, "JSON and REST services"},
	{ClassDenied, []string{"unauthorizedoperation"}, "EC2 and what speaks its protocol; DS 44"},
	{ClassDenied, []string{"unauthorizedaccess", "unauthorizedaccessexception"}, "Support; the message is often empty"},
	{ClassDenied, []string{"authorizationerror", "authorizationerrorexception"}, "SNS"},
	{ClassDenied, []string{"accessdeniedfault"}, "DMS"},
	{ClassDenied, []string{"kmsaccessdeniedfault", "kmsaccessdeniedexception", "kmsaccessdenied"}, "the caller's kms action through DMS, Kinesis, SNS, SQS, Step Functions"},
	{ClassDenied, []string{"vpceaccessdenied"}, "network activity events (T33): the endpoint's policy, for certain"},

	{ClassMaybe, []string{"authorizationexception", "notauthorized", "notauthorizedexception"}, "of Cognito user pools, a wrong password"},
	{ClassMaybe, []string{"unauthorizedexception", "forbiddenexception", "forbidden", "403"}, "IoT, API Gateway, WorkMail, MediaConnect, Amplify"},
	{ClassMaybe, []string{"resourceaccessdeniedexception", "insufficientpermissionsexception", "insufficientprivilegesexception"}, "EBS, Firehose, SSM Incidents, Lex, Transfer"},
	{ClassMaybe, []string{"accessdeniedfordependencyexception"}, "Organizations, RAM: another action is missing"},

	{ClassNotPolicy, []string{"invalidkmskeystate*", "kmsinvalidstate*", "kmsdisabled*", "kmsnotfound*"}, "state of a key"},
	{ClassNotPolicy, []string{"subscriptionrequiredexception", "optinrequired"}, "account not subscribed"},
	{ClassNotPolicy, []string{"invalidaccessexception"}, "Security Hub, Detective: not enabled; DS 1"},
	{ClassNotPolicy, []string{"authfailure"}, "EC2: bad credentials, or an image or snapshot that isn't shared"},
	{ClassNotPolicy, []string{
		"invalidclienttokenid", "unrecognizedclientexception", "invalidaccesskeyid", "signaturedoesnotmatch",
		"missingauthenticationtoken", "missingauthenticationtokenexception", "incompletesignature", "incompletesignatureexception",
		"invalidsignatureexception", "requestexpired", "expiredtoken", "expiredtokenexception", "tokenrefreshrequired", "invalidtoken",
	}, "authentication, not authorisation"},
	{ClassNotPolicy, []string{
		"invalididentitytoken", "invalididentitytokenexception", "idprejectedclaim", "idprejectedclaimexception", "idpcommunicationerror",
		"packedpolicytoolarge", "malformedpolicydocument", "malformedpolicydocumentexception", "regiondisabledexception",
	}, "STS"},
	{ClassNotPolicy, []string{
		"allaccessdisabled", "accountproblem", "notsignedup", "invalidobjectstate", "invalidpayer", "requesttimetooskewed",
		"crosslocationloggingprohibited", "accesspointnotready*", "methodnotallowed",
	}, "S3's other 403s, and the 405 of a bucket policy that isn't one's own"},
	{ClassNotPolicy, []string{"operationnotpermitted*", "operationdisabledexception", "unsupportedoperation", "unmodifiableentity", "unmodifiableentityexception"}, "the resource's state, or AWS's own"},
	{ClassNotPolicy, []string{
		"organizationaccessdeniedexception", "awsorganizationsnotinuseexception", "constraintviolationexception", "policychangesinprogress*",
		"notmanagementaccount*",
	}, "the account's place in its organisation"},
	{ClassNotPolicy, []string{"unauthorizedclientexception", "invalidgrantexception"}, "SSO OIDC"},

	{ClassNoise, []string{
		"serviceexception", "internalfailure", "internalerror", "internalservererror", "throttlingexception", "throttling", "throttledexception",
		"requestlimitexceeded", "toomanyrequestsexception", "slowdown", "provisionedthroughputexceeded", "provisionedthroughputexceededexception",
	}, "DS 102 throttled"},
	{ClassNoise, []string{"nosuch*", "*notfound*"}, "missing things; S3 may call a missing object denied (T44), never the other way round"},
}

// classOfCode looks up a code whose wrappings are off.
func classOfCode(code string) Class {
	code = strings.ToLower(code)
	for _, row := range errorCodes {
		for _, pattern := range row.codes {
			if matchCode(pattern, code) {
				return row.class
			}
		}
	}
	return ClassNone
}

func matchCode(pattern, code string) bool {
	tail, head := strings.CutPrefix(pattern, "*")
	word, foot := strings.CutSuffix(tail, "*")
	switch {
	case head && foot:
		return strings.Contains(code, word)
	case head:
		return strings.HasSuffix(code, word)
	case foot:
		return strings.HasPrefix(code, word)
	}
	return code == pattern
}

// bareCode takes an error code's wrappings off (step 4 of T39): what follows a
// colon, the namespace before #, and EC2's Client. or Server. or a service's name
// before the last full stop.
func bareCode(code string) string {
	code = strings.TrimSpace(code)
	if before, _, ok := strings.Cut(code, ":"); ok {
		code = before
	}
	code = code[strings.LastIndexByte(code, '#')+1:]
	return code[strings.LastIndexByte(code, '.')+1:]
}

// operationActions are the IAM actions of operations that a message may name as if
// they were actions.
//
// S3's page on 403 errors has s3:CopyObject; the others are assumed to come the same way
// (T79a: none of them is an IAM action).
var operationActions = map[string]string{
	"s3:copyobject":              "s3:PutObject",
	"s3:uploadpart":              "s3:PutObject",
	"s3:createmultipartupload":   "s3:PutObject",
	"s3:completemultipartupload": "s3:PutObject",
	"s3:headobject":              "s3:GetObject",
	"s3:headbucket":              "s3:ListBucket",
	"s3:listobjects":             "s3:ListBucket",
	"s3:listobjectsv2":           "s3:ListBucket",
	"s3:listbuckets":             "s3:ListAllMyBuckets",
	"s3:deleteobjects":           "s3:DeleteObject",
	"lambda:invoke":              "lambda:InvokeFunction",
}
