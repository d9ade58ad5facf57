package casefile

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// resourceTypes are the kinds of resource policy, by the service of the
// resource's ARN and what the resource part starts with; the first that fits counts.
var resourceTypes = []struct{ service, prefix, kind string }{
	{"s3", "accesspoint/", "accesspoint"},
	{"s3", "", "bucket"},
	{"s3express", "", "bucket"},
	{"kms", "", "key"},
	{"sqs", "", "queue"},
	{"sns", "", "topic"},
	{"lambda", "layer:", "layer"},
	{"lambda", "", "function"},
	{"secretsmanager", "", "secret"},
	{"ecr", "", "repository"},
	{"dynamodb", "", "table"},
	{"events", "", "eventbus"},
	{"kinesis", "", "stream"},
	{"es", "", "domain"},
	{"glacier", "", "vault"},
	{"backup", "", "vault"},
	{"elasticfilesystem", "", "filesystem"},
	{"execute-api", "", "api"},
	{"glue", "", "catalog"},
	{"logs", "", "log"},
}

// resourceType says what kind of policy the resource of a request has, or
// would have: for sts that is a role's trust policy.
func resourceType(req evaluator.Request) string {
	service, _, _ := strings.Cut(strings.ToLower(req.Action), ":")
	if service == "sts" {
		return "trust"
	}
	resource := ""
	if arn, ok := policy.ParseARN(req.Resource.ARN); ok {
		service, resource = arn.Service, arn.Resource
	}
	for _, t := range resourceTypes {
		if t.service == service && strings.HasPrefix(resource, t.prefix) {
			return t.kind
		}
	}
	return service
}
