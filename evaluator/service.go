package evaluator

import "strings"

// A serviceRule is what a service decides by itself, whatever the policies say.
type serviceRule struct {
	allows, refuses bool
	note            string
}

// serviceRuleFor serves rules S9, S10, S13 and S14.
func serviceRuleFor(req *Request) serviceRule {
	action := strings.ToLower(req.Action)
	who := req.Principal.Type
	iam, sts := strings.HasPrefix(action, "iam:"), strings.HasPrefix(action, "sts:")
	switch {
	case action == "sts:getcalleridentity" && who != Anonymous:
		return serviceRule{allows: true, note: "sts:GetCallerIdentity needs no permission and can't be denied"}
	case (action == "sts:getsessiontoken" || action == "sts:getfederationtoken") && who == AssumedRole:
		return serviceRule{refuses: true, note: "a role's temporary credentials can't call " + req.Action}
	case action == "sts:getsessiontoken" && (who == User || who == Root):
		return serviceRule{allows: true, note: "sts:GetSessionToken needs no permission and can't be denied"}
	case (iam || sts) && who == FederatedUser:
		return serviceRule{refuses: true, note: "credentials of GetFederationToken can't call IAM, nor STS but for GetCallerIdentity"}
	case iam && strings.Contains(req.Resource.ARN, ":iam::aws:policy/") && changesPolicy[action]:
		return serviceRule{refuses: true, note: "AWS managed policies can't be changed"}
	case iam && changesRole[action] && strings.Contains(req.Resource.ARN, ":role/aws-reserved/"):
		return serviceRule{refuses: true, note: "roles under /aws-reserved/ are IAM Identity Center's and can't be changed through IAM"}
	case iam && changesRole[action] && strings.Contains(req.Resource.ARN, ":role/aws-service-role/"):
		return serviceRule{refuses: true, note: "a service-linked role can be changed by its service only"}
	}
	return serviceRule{}
}

var changesPolicy = map[string]bool{
	"iam:createpolicyversion": true, "iam:deletepolicy": true, "iam:deletepolicyversion": true,
	"iam:setdefaultpolicyversion": true, "iam:tagpolicy": true, "iam:untagpolicy": true,
}

var changesRole = map[string]bool{
	"iam:attachrolepolicy": true, "iam:detachrolepolicy": true, "iam:putrolepolicy": true, "iam:deleterolepolicy": true,
	"iam:putrolepermissionsboundary": true, "iam:deleterolepermissionsboundary": true,
	"iam:updateassumerolepolicy": true, "iam:deleterole": true, "iam:updaterole": true,
}
