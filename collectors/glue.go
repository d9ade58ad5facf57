package collectors

import (
	"bytes"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
)

// gluePart is the policy of each region's Data Catalog, and those that AWS RAM adds to it when a database or table
// is shared: the list has all of them, says of none which it is, and each names what it is about.
//
// https://docs.aws.amazon.com/glue/latest/webapi/API_GetResourcePolicies.html
var gluePart = part{
	name:        "resources/glue",
	scope:       perRegion,
	types:       []string{"catalog"},
	permissions: []string{"glue:GetResourcePolicies"},
	collect: func(ctx context.Context, c *collection) {
		api := glue.NewFromConfig(c.cfg)
		i := newItem(c.arn("glue", "catalog"), "catalog")
		var all []document
		for page, err := range pages(ctx, glue.NewGetResourcePoliciesPaginator(api, &glue.GetResourcePoliciesInput{})) {
			if err != nil {
				c.lost(i, "glue:GetResourcePolicies", err)
				c.add(i)
				return
			}
			for _, p := range page.GetResourcePoliciesResponseList {
				all = append(all, documentOf(aws.ToString(p.PolicyInJson)))
			}
		}
		slices.SortFunc(all, func(a, b document) int { return bytes.Compare(a, b) }) // AWS promises no order
		i.Policy = policiesOf(all...)
		c.add(i)
	},
}
