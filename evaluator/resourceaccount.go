package evaluator

import "strings"

// HasResourceAccount says whether a request for an action on a resource has aws:ResourceAccount,
// aws:ResourceOrgID and aws:ResourceOrgPaths (evaluation.md 5.4). NoMatch is what AWS lists as an exception;
// of what it listed once, nobody knows.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
func HasResourceAccount(action string) Match {
	prefix, name, _ := strings.Cut(strings.ToLower(action), ":")
	if m, ok := lacksResourceAccount[prefix+":*"]; ok {
		return m
	}
	if m, ok := lacksResourceAccount[prefix+":"+name]; ok {
		return m
	}
	return Matched
}

// lacksResourceAccount are the exceptions, in lower case. Those that are Unknown were on AWS's
// page in 2023, and aren't in what others copied from it since.
var lacksResourceAccount = exceptions(map[Match]string{
	NoMatch: `auditmanager:UpdateAssessmentFrameworkShare detective:AcceptInvitation ds:AcceptSharedDirectory ebs:*
		ec2:AcceptTransitGatewayPeeringAttachment ec2:AcceptVpcEndpointConnections ec2:AcceptVpcPeeringConnection ec2:CopySnapshot
		ec2:CreateTransitGatewayPeeringAttachment ec2:CreateVpcEndpoint ec2:CreateVpcPeeringConnection
		ec2:DeleteTransitGatewayPeeringAttachment ec2:DeleteVpcPeeringConnection ec2:RejectTransitGatewayPeeringAttachment
		ec2:RejectVpcEndpointConnections ec2:RejectVpcPeeringConnection es:AcceptInboundConnection
		guardduty:AcceptAdministratorInvitation macie2:AcceptInvitation route53:AssociateVPCWithHostedZone
		route53:CreateVPCAssociationAuthorization route53:DeleteVPCAssociationAuthorization route53:DisassociateVPCFromHostedZone
		route53:ListHostedZonesByVPC securityhub:AcceptAdministratorInvitation`,
	Unknown: `ec2:CopyFpgaImage ec2:CopyImage ec2:CreateVolume events:PutEvents workspaces:CopyWorkspaceImage workspaces:DescribeWorkspaceImages`,
})

func exceptions(by map[Match]string) map[string]Match {
	all := map[string]Match{}
	for m, actions := range by {
		for action := range setOf(strings.ToLower(actions)) {
			all[action] = m
		}
	}
	return all
}
