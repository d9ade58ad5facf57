package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// latticePart is the policies of VPC Lattice's services, service networks and resource configurations: the auth
// policy, about those who call a service, and the resource policy, about those with whom AWS RAM shares it.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/ug/auth-policies.html
var latticePart = part{
	name:  "resources/vpc-lattice",
	scope: perRegion,
	types: []string{"VPC Lattice resource"},
	permissions: []string{
		"vpc-lattice:GetAuthPolicy", "vpc-lattice:GetResourcePolicy", "vpc-lattice:GetService", "vpc-lattice:GetServiceNetwork",
		"vpc-lattice:ListResourceConfigurations", "vpc-lattice:ListServiceNetworks", "vpc-lattice:ListServices",
	},
	collect: func(ctx context.Context, c *collection) {
		l := &lattice{c, vpclattice.NewFromConfig(c.cfg)}
		l.services(ctx)
		l.networks(ctx)
		l.configurations(ctx)
	},
}

// A lattice is the resources of VPC Lattice in the making.
type lattice struct {
	*collection
	api *vpclattice.Client
}

// A latticeExtra says whether the auth policy is in force. Under AWS_IAM without an auth policy, nobody may call.
type latticeExtra struct {
	AuthType        types.AuthType        `json:"authType,omitempty"`
	AuthPolicyState types.AuthPolicyState `json:"authPolicyState,omitempty"`
}

// services collects the account's services. The list has those, too, that others share with the account.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListServices.html
func (l *lattice) services(ctx context.Context) {
	list := vpclattice.NewListServicesPaginator(l.api, &vpclattice.ListServicesInput{})
	all := listed(ctx, l.collection, "vpc-lattice:ListServices", "", list, func(p *vpclattice.ListServicesOutput) []types.ServiceSummary { return p.Items })
	forEach(ctx, l.collection, all, func(ctx context.Context, s types.ServiceSummary) {
		l.callable(ctx, aws.ToString(s.Arn), "vpc-lattice:GetService", func() (types.AuthType, error) {
			out, err := l.api.GetService(ctx, &vpclattice.GetServiceInput{ServiceIdentifier: s.Arn})
			if err != nil {
				return "", err
			}
			return out.AuthType, nil
		})
	})
}

// networks collects the account's service networks, likewise.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListServiceNetworks.html
func (l *lattice) networks(ctx context.Context) {
	list := vpclattice.NewListServiceNetworksPaginator(l.api, &vpclattice.ListServiceNetworksInput{})
	all := listed(ctx, l.collection, "vpc-lattice:ListServiceNetworks", "", list, func(p *vpclattice.ListServiceNetworksOutput) []types.ServiceNetworkSummary { return p.Items })
	forEach(ctx, l.collection, all, func(ctx context.Context, n types.ServiceNetworkSummary) {
		l.callable(ctx, aws.ToString(n.Arn), "vpc-lattice:GetServiceNetwork", func() (types.AuthType, error) {
			out, err := l.api.GetServiceNetwork(ctx, &vpclattice.GetServiceNetworkInput{ServiceNetworkIdentifier: n.Arn})
			if err != nil {
				return "", err
			}
			return out.AuthType, nil
		})
	})
}

// callable collects a service or a service network, and leaves it out if it is gone by now. If one of
// its policies can't be read, neither is of use. action is that of authType.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_GetAuthPolicy.html
func (l *lattice) callable(ctx context.Context, arn, action string, authType func() (types.AuthType, error)) {
	if !l.owns(arn) {
		return
	}
	i := newItem(arn, "VPC Lattice resource")
	var extra latticeExtra
	var err error
	if extra.AuthType, err = authType(); isCode(err, "ResourceNotFoundException") {
		return
	} else if err != nil {
		l.fail(action, arn, err)
	}
	shared, auth := l.shared(ctx, i), noPolicy
	out, err := l.api.GetAuthPolicy(ctx, &vpclattice.GetAuthPolicyInput{ResourceIdentifier: &arn})
	if l.hasPolicy(i, "vpc-lattice:GetAuthPolicy", err, "ResourceNotFoundException") {
		auth = documentOf(aws.ToString(out.Policy))
		extra.AuthPolicyState = out.State
	}
	i.Policy, i.Extra = nil, extra
	if i.Status == "" {
		i.Policy = policiesOf(auth, shared)
	}
	l.add(i)
}

// configurations collects the account's resource configurations: auth policies are of services and service networks only.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListResourceConfigurations.html
func (l *lattice) configurations(ctx context.Context) {
	list := vpclattice.NewListResourceConfigurationsPaginator(l.api, &vpclattice.ListResourceConfigurationsInput{})
	all := listed(ctx, l.collection, "vpc-lattice:ListResourceConfigurations", "", list, func(p *vpclattice.ListResourceConfigurationsOutput) []types.ResourceConfigurationSummary {
		return p.Items
	})
	forEach(ctx, l.collection, all, func(ctx context.Context, r types.ResourceConfigurationSummary) {
		if !l.owns(aws.ToString(r.Arn)) {
			return
		}
		i := newItem(aws.ToString(r.Arn), "VPC Lattice resource")
		i.Policy = l.shared(ctx, i)
		l.add(i)
	})
}

// shared reads the policy that AWS RAM made where the resource is shared; nil if it couldn't be read, and then i says so.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_GetResourcePolicy.html
func (l *lattice) shared(ctx context.Context, i *item) document {
	out, err := l.api.GetResourcePolicy(ctx, &vpclattice.GetResourcePolicyInput{ResourceArn: &i.ARN})
	if l.hasPolicy(i, "vpc-lattice:GetResourcePolicy", err, "ResourceNotFoundException") {
		return documentOf(aws.ToString(out.Policy))
	}
	return i.Policy
}

// owns reports whether a resource is the account's own. What others share with it is in the snapshot as theirs.
func (l *lattice) owns(of string) bool {
	a, err := arn.Parse(of)
	return err == nil && a.AccountID == l.account
}
