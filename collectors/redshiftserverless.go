package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless"
	"github.com/aws/aws-sdk-go-v2/service/redshiftserverless/types"
)

// redshiftServerlessPart is the policies of snapshots, with which they are shared. The API gives no other resource's.
var redshiftServerlessPart = part{
	name:        "resources/redshift-serverless",
	scope:       perRegion,
	types:       []string{"snapshot"},
	permissions: []string{"redshift-serverless:GetResourcePolicy", "redshift-serverless:ListSnapshots"},
	collect: func(ctx context.Context, c *collection) {
		api := redshiftserverless.NewFromConfig(c.cfg)
		list := redshiftserverless.NewListSnapshotsPaginator(api, &redshiftserverless.ListSnapshotsInput{OwnerAccount: &c.account})
		all := listed(ctx, c, "redshift-serverless:ListSnapshots", "", list, func(p *redshiftserverless.ListSnapshotsOutput) []types.Snapshot { return p.Snapshots })
		forEach(ctx, c, all, func(ctx context.Context, s types.Snapshot) { addSnapshot(ctx, c, api, s) })
	},
}

// addSnapshot reads the policy of a snapshot.
//
// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetResourcePolicy.html
func addSnapshot(ctx context.Context, c *collection, api *redshiftserverless.Client, s types.Snapshot) {
	i := newItem(aws.ToString(s.SnapshotArn), "snapshot")
	out, err := api.GetResourcePolicy(ctx, &redshiftserverless.GetResourcePolicyInput{ResourceArn: s.SnapshotArn})
	if c.hasPolicy(i, "redshift-serverless:GetResourcePolicy", err, "ResourceNotFoundException") {
		i.Policy = noPolicy
		if out.ResourcePolicy != nil {
			i.Policy = documentOf(aws.ToString(out.ResourcePolicy.Policy))
		}
	}
	c.add(i)
}
