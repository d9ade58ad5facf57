package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// cloudtrailPart is the policies of CloudTrail Lake's event data stores and dashboards, and of channels.
var cloudtrailPart = part{
	name:        "resources/cloudtrail",
	scope:       perRegion,
	types:       []string{"CloudTrail resource"},
	permissions: []string{"cloudtrail:GetResourcePolicy", "cloudtrail:ListChannels", "cloudtrail:ListDashboards", "cloudtrail:ListEventDataStores"},
	collect: func(ctx context.Context, c *collection) {
		api := cloudtrail.NewFromConfig(c.cfg)
		add := func(ctx context.Context, arn *string) { addTrailResource(ctx, c, api, arn) }
		stores := cloudtrail.NewListEventDataStoresPaginator(api, &cloudtrail.ListEventDataStoresInput{})
		forEach(ctx, c, listed(ctx, c, "cloudtrail:ListEventDataStores", "", stores, func(p *cloudtrail.ListEventDataStoresOutput) []*string {
			return arnsOf(p.EventDataStores, func(s types.EventDataStore) *string { return s.EventDataStoreArn })
		}), add)
		channels := cloudtrail.NewListChannelsPaginator(api, &cloudtrail.ListChannelsInput{})
		forEach(ctx, c, listed(ctx, c, "cloudtrail:ListChannels", "", channels, func(p *cloudtrail.ListChannelsOutput) []*string {
			return arnsOf(p.Channels, func(s types.Channel) *string { return s.ChannelArn })
		}), add)
		forEach(ctx, c, listed(ctx, c, "cloudtrail:ListDashboards", "", dashboards(api), func(p *cloudtrail.ListDashboardsOutput) []*string {
			return arnsOf(p.Dashboards, func(s types.DashboardDetail) *string { return s.DashboardArn })
		}), add)
	},
}

func arnsOf[T any](all []T, arn func(T) *string) []*string {
	arns := make([]*string, len(all))
	for i, v := range all {
		arns[i] = arn(v)
	}
	return arns
}

// dashboards is the list of the dashboards that the account made: AWS's own have no policy.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListDashboards.html
func dashboards(api *cloudtrail.Client) *tokenPaginator[*cloudtrail.ListDashboardsOutput] {
	return &tokenPaginator[*cloudtrail.ListDashboardsOutput]{next: func(ctx context.Context, token *string) (*cloudtrail.ListDashboardsOutput, *string, error) {
		out, err := api.ListDashboards(ctx, &cloudtrail.ListDashboardsInput{NextToken: token, Type: types.DashboardTypeCustom})
		if err != nil {
			return nil, nil, err
		}
		return out, out.NextToken, nil
	}}
}

// addTrailResource reads the policy of an event data store, a channel or a dashboard. An organisation's event data
// store has one of CloudTrail's making besides, for the delegated administrator.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetResourcePolicy.html
func addTrailResource(ctx context.Context, c *collection, api *cloudtrail.Client, arn *string) {
	i := newItem(aws.ToString(arn), "CloudTrail resource")
	out, err := api.GetResourcePolicy(ctx, &cloudtrail.GetResourcePolicyInput{ResourceArn: arn})
	if c.hasPolicy(i, "cloudtrail:GetResourcePolicy", err, "ResourcePolicyNotFoundException") {
		i.Policy = policiesOf(documentOf(aws.ToString(out.ResourcePolicy)), documentOf(aws.ToString(out.DelegatedAdminResourcePolicy)))
	}
	c.add(i)
}
