package serviceref

import "strings"

// GlobalKey returns the condition key with the name, in any case, if it is one that
// requests to any service may carry: the aws: keys, the keys that one service sets in the
// requests of role sessions it delivered credentials to (ec2:SourceInstanceArn), and
// those of identity providers (saml:aud, token.actions.githubusercontent.com:sub). Of an OIDC
// provider that AWS doesn't list, as each EKS cluster has one, only the claims are known that
// every provider makes.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func GlobalKey(name string) (*Key, bool) {
	if k, ok := findKey(globalKeys, name); ok {
		return k, true
	}
	return federationKey(name)
}

// federationKey returns the key of an identity provider. The data has them with the
// actions of AWS STS that a federated user calls; the session carries them on to other services.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
func federationKey(name string) (*Key, bool) {
	provider, _, ok := strings.Cut(name, ":")
	if !ok || embedded().members[strings.ToLower(provider)] != nil {
		return nil, false // a service's own
	}
	if sts, ok := Lookup("sts"); ok {
		if k, ok := sts.Key(name); ok {
			return k, true
		}
	}
	if !strings.Contains(provider, ".") { // an OIDC provider is named by its host
		return nil, false
	}
	return findKey(claims, name)
}

// claims are the keys that AWS makes of the token of any OIDC provider.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
var claims = []Key{
	key("${Provider}:amr", "ArrayOfString"),
	key("${Provider}:aud", "String"),
	key("${Provider}:sub", "String"),
}

func key(name string, types ...string) Key { return Key{Name: name, Type: types[0], Types: types} }

// globalKeys are the global and cross-service condition keys of AWS's page on them, as of
// September 2026, with the types that it gives, sorted by name without regard to case. The data has
// no such list. aws:SourceOwner isn't on the page any more: the default policy of SNS topics has it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
var globalKeys = []Key{
	key("aws:AssumedRoot", "Bool"),
	key("aws:CalledVia", "ArrayOfString"),
	key("aws:CalledViaAWSMCP", "String"),
	key("aws:CalledViaFirst", "String"),
	key("aws:CalledViaLast", "String"),
	key("aws:ChatbotSourceArn", "ARN"),
	key("aws:CurrentTime", "Date"),
	key("aws:Ec2InstanceSourcePrivateIPv4", "IPAddress"),
	key("aws:Ec2InstanceSourceVpc", "String"),
	key("aws:EpochTime", "Date", "Numeric"),
	key("aws:FederatedProvider", "String", "ARN"), // an ARN where the provider is the customer's own
	key("aws:IsMcpServiceAction", "Bool"),
	key("aws:MultiFactorAuthAge", "Numeric"),
	key("aws:MultiFactorAuthPresent", "Bool"),
	key("aws:PrincipalAccount", "String"),
	key("aws:PrincipalArn", "ARN"),
	key("aws:PrincipalIsAWSService", "Bool"),
	key("aws:PrincipalOrgID", "String"),
	key("aws:PrincipalOrgPaths", "ArrayOfString"),
	key("aws:PrincipalServiceName", "String"),
	key("aws:PrincipalServiceNamesList", "ArrayOfString"),
	key("aws:PrincipalTag/${TagKey}", "String"),
	key("aws:PrincipalType", "String"),
	key("aws:referer", "String"),
	key("aws:RequestedRegion", "String"),
	key("aws:RequestTag/${TagKey}", "String"),
	key("aws:ResourceAccount", "String"),
	key("aws:ResourceOrgID", "String"),
	key("aws:ResourceOrgPaths", "ArrayOfString"),
	key("aws:ResourceTag/${TagKey}", "String"),
	key("aws:SecureTransport", "Bool"),
	key("aws:SignInSessionArn", "ARN"),
	key("aws:SourceAccount", "String"),
	key("aws:SourceArn", "ARN"),
	key("aws:SourceIdentity", "String"),
	key("aws:SourceIp", "IPAddress"),
	key("aws:SourceOrgID", "String"),
	key("aws:SourceOrgPaths", "ArrayOfString"),
	key("aws:SourceOwner", "String"),
	key("aws:SourceVpc", "String"),
	key("aws:SourceVpcArn", "ARN"),
	key("aws:SourceVpce", "String"),
	key("aws:TagKeys", "ArrayOfString"),
	key("aws:TokenIssueTime", "Date"),
	key("aws:UserAgent", "String"),
	key("aws:userid", "String"),
	key("aws:username", "String"),
	key("aws:ViaAWSMCPService", "Bool"),
	key("aws:ViaAWSService", "Bool"),
	key("aws:VpceAccount", "String"),
	key("aws:VpceOrgID", "String"),
	key("aws:VpceOrgPaths", "ArrayOfString"),
	key("aws:VpcSourceIp", "IPAddress"),
	key("codebuild:BuildArn", "ARN"),
	key("codebuild:ProjectArn", "ARN"),
	key("ec2:RoleDelivery", "Numeric"),
	key("ec2:SourceInstanceArn", "ARN"),
	key("glue:CredentialIssuingService", "String"),
	key("glue:RoleAssumedBy", "String"),
	key("identitystore:UserId", "String"),
	key("lambda:SourceFunctionArn", "ARN"),
	key("ssm:SourceInstanceArn", "ARN"),
}

// RequestKeys are the names of the aws: keys that a request to any service may carry, as AWS's page spells them. Those that depend on
// the action, such as the tags that a request sends, aren't among them: an action lists its own.
func RequestKeys() []string {
	var all []string
	for _, k := range globalKeys {
		if strings.HasPrefix(k.Name, "aws:") && !actionKeys[k.Name] {
			all = append(all, k.Name)
		}
	}
	return all
}

// actionKeys are the global keys that only the actions have that list them, and those that AWS's page has no more.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
var actionKeys = map[string]bool{
	"aws:RequestTag/${TagKey}":  true,
	"aws:ResourceTag/${TagKey}": true,
	"aws:TagKeys":               true,
	"aws:SourceOwner":           true,
}
