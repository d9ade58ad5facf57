package snapshot

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// This file finds the account that owns a resource (rules E26, T38).

// owner is the account that owns a resource: as it says, that of its ARN, or of the
// inventory. What has no resource, and what is AWS's own, counts as the caller's (rule E11). It is "" if nobody knows.
func (s *Snapshot) owner(r evaluator.Resource, caller evaluator.Principal) string {
	if r.Account != "" {
		return r.Account
	}
	if r.ARN == "*" && !r.Pattern {
		return accountOf(caller)
	}
	arn, ok := policy.ParseARN(r.ARN)
	switch {
	case !ok:
		return ""
	case ownedByAWS(arn):
		return accountOf(caller)
	case arn.Account != "":
		return arn.Account
	}
	if _, guard, ok := kindOf(arn); ok {
		arn = guard
	}
	if known := s.resources[arn.String()]; known != nil {
		return known.account
	}
	return ""
}

// ownedByAWS reports whether a resource is AWS's own and open to every account, such as a managed policy or a
// foundation model: the caller's policies alone decide.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
func ownedByAWS(arn policy.ARN) bool {
	switch arn.Account {
	case "aws":
		return true
	case "":
		for _, prefix := range publicResources[arn.Service] {
			if strings.HasPrefix(arn.Resource, prefix) {
				return true
			}
		}
	}
	return false
}

// publicResources are how AWS's own resources without an account begin, by the service of their ARNs.
var publicResources = map[string][]string{
	"bedrock":          {"foundation-model/"},
	"ssm":              {"parameter/aws/"},
	"elasticbeanstalk": {"solutionstack/", "platform/"},
}

// isCallers reports whether a request can be about nothing but a resource of the caller's own account, as its ARN
// doesn't say: a bucket that is yet to be, or what a service looks for in the caller's account only.
func isCallers(req *evaluator.Request) bool {
	service, _, _ := strings.Cut(strings.ToLower(req.Action), ":")
	switch service {
	case "s3":
		return createsBucket(req)
	case "iam", "apigateway", "health":
		arn, ok := policy.ParseARN(req.Resource.ARN)
		return (!ok || arn.Account == "") && !strings.EqualFold(req.Action, "iam:PassRole") // which takes any role's ARN
	}
	return false
}

// createsBucket reports whether a request makes a bucket, which has no policy yet.
func createsBucket(req *evaluator.Request) bool {
	return strings.EqualFold(req.Action, "s3:CreateBucket")
}

// makers are the actions that make a resource under a name that isn't taken, in lower case. It has no policy yet; where the
// name is taken the call fails whatever policies say.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
var makers = map[string]bool{
	"lambda:createfunction": true, "dynamodb:createtable": true, "secretsmanager:createsecret": true,
	"kinesis:createstream": true, "events:createeventbus": true,
}

// makesOwn reports whether a request makes a resource in the caller's own account.
func makesOwn(req *evaluator.Request, arn policy.ARN) bool {
	return makers[strings.ToLower(req.Action)] && arn.Account != "" && arn.Account == accountOf(req.Principal)
}
