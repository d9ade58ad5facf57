package collectors

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// latticePart is the auth policies of VPC Lattice's services and service networks, and the resource policies with which
// these and resource configurations are shared. What other accounts share with this one is on the lists, too: its
// policies are for its owner to read.
var latticePart = part{
	name:  "resources/vpc-lattice",
	scope: perRegion,
	types: []string{"VPC Lattice resource"},
	permissions: []string{
		"vpc-lattice:GetAuthPolicy", "vpc-lattice:GetResourcePolicy", "vpc-lattice:ListResourceConfigurations", "vpc-lattice:ListServiceNetworks",
		"vpc-lattice:ListServices",
	},
	collect: func(ctx context.Context, c *collection) {
		l := &lattice{c: c, api: vpclattice.NewFromConfig(c.cfg)}
		services := vpclattice.NewListServicesPaginator(l.api, &vpclattice.ListServicesInput{})
		forEach(ctx, c, listed(ctx, c, "vpc-lattice:ListServices", "", services, func(p *vpclattice.ListServicesOutput) []*string {
			return l.own(arnsOf(p.Items, func(s types.ServiceSummary) *string { return s.Arn }))
		}), l.addAuthorized)
		networks := vpclattice.NewListServiceNetworksPaginator(l.api, &vpclattice.ListServiceNetworksInput{})
		forEach(ctx, c, listed(ctx, c, "vpc-lattice:ListServiceNetworks", "", networks, func(p *vpclattice.ListServiceNetworksOutput) []*string {
			return l.own(arnsOf(p.Items, func(s types.ServiceNetworkSummary) *string { return s.Arn }))
		}), l.addAuthorized)
		configurations := vpclattice.NewListResourceConfigurationsPaginator(l.api, &vpclattice.ListResourceConfigurationsInput{})
		forEach(ctx, c, listed(ctx, c, "vpc-lattice:ListResourceConfigurations", "", configurations, func(p *vpclattice.ListResourceConfigurationsOutput) []*string {
			return l.own(arnsOf(p.Items, func(s types.ResourceConfigurationSummary) *string { return s.Arn }))
		}), l.addShared)
	},
}

type lattice struct {
	c   *collection
	api *vpclattice.Client
}

// own leaves those that are the account's.
func (l *lattice) own(arns []*string) []*string {
	return slices.DeleteFunc(arns, func(arn *string) bool { return !strings.Contains(aws.ToString(arn), ":"+l.c.account+":") })
}

// A latticeExtra says whether an auth policy is in force: AuthType NONE leaves it inactive.
type latticeExtra struct {
	AuthPolicyState types.AuthPolicyState `json:"authPolicyState,omitempty"`
}

// addAuthorized reads the policies of a service or a service network. If one can't be read, neither is of use.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_GetAuthPolicy.html
func (l *lattice) addAuthorized(ctx context.Context, arn *string) {
	i := newItem(aws.ToString(arn), "VPC Lattice resource")
	auth := noPolicy
	out, err := l.api.GetAuthPolicy(ctx, &vpclattice.GetAuthPolicyInput{ResourceIdentifier: arn})
	if l.c.hasPolicy(i, "vpc-lattice:GetAuthPolicy", err, "ResourceNotFoundException") {
		auth = documentOf(aws.ToString(out.Policy))
		i.Extra = latticeExtra{out.State}
	}
	l.add(ctx, i, auth)
}

// addShared reads the policy of a resource configuration.
func (l *lattice) addShared(ctx context.Context, arn *string) {
	l.add(ctx, newItem(aws.ToString(arn), "VPC Lattice resource"), noPolicy)
}

// add reads the resource policy of an item, which may have an auth policy already.
//
// https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_GetResourcePolicy.html
func (l *lattice) add(ctx context.Context, i *item, auth document) {
	shared := noPolicy
	out, err := l.api.GetResourcePolicy(ctx, &vpclattice.GetResourcePolicyInput{ResourceArn: &i.ARN})
	if l.c.hasPolicy(i, "vpc-lattice:GetResourcePolicy", err, "ResourceNotFoundException") {
		shared = documentOf(aws.ToString(out.Policy))
	}
	if i.Status == "" {
		i.Policy = policiesOf(auth, shared)
	} else {
		i.Policy = nil
	}
	l.c.add(i)
}
