package evaluator

import "strings"

// rcpReaches says which requests RCPs concern: those on a service of AWS's
// list, by any caller but a service-linked role, and never for AWS managed
// KMS keys or kms:RetireGrant (rule E11).
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func rcpReaches(req *Request, p *Policies) Match {
	service, name, _ := strings.Cut(strings.ToLower(req.Action), ":")
	if service == "kms" && name == "retiregrant" || service == "iam" {
		return NoMatch
	}
	reached := Unknown
	if rcpServices[service] {
		reached = Matched
	}
	return min(reached, not(req.Principal.ServiceLinked()), not(p.Resource.AWSManaged))
}

// rcpServices are prefixes of services whose resources RCPs are known to
// reach. AWS lengthens its list now and then: whether another service is
// on it by now is unknown, which matters only where an RCP's Deny matches the request.
var rcpServices = map[string]bool{
	"s3": true, "sts": true, "kms": true, "sqs": true, "secretsmanager": true, "ecr": true, "aoss": true,
}
