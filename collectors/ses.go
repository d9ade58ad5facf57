package collectors

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// sesPart is the sending authorization policies of Amazon SES identities, of which one may have several.
var sesPart = part{
	name:        "resources/ses",
	scope:       perRegion,
	types:       []string{"identity"},
	permissions: []string{"ses:GetEmailIdentityPolicies", "ses:ListEmailIdentities"},
	collect: func(ctx context.Context, c *collection) {
		api := sesv2.NewFromConfig(c.cfg)
		list := sesv2.NewListEmailIdentitiesPaginator(api, &sesv2.ListEmailIdentitiesInput{PageSize: aws.Int32(1000)})
		all := listed(ctx, c, "ses:ListEmailIdentities", "", list, func(p *sesv2.ListEmailIdentitiesOutput) []types.IdentityInfo { return p.EmailIdentities })
		forEach(ctx, c, all, func(ctx context.Context, id types.IdentityInfo) {
			addIdentity(ctx, c, api, aws.ToString(id.IdentityName))
		})
	},
}

// addIdentity reads the policies of an identity, and leaves the identity out if it is gone by now.
//
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentityPolicies.html
func addIdentity(ctx context.Context, c *collection, api *sesv2.Client, name string) {
	i := newItem(c.arn("ses", "identity/"+name), "identity")
	out, err := api.GetEmailIdentityPolicies(ctx, &sesv2.GetEmailIdentityPoliciesInput{EmailIdentity: &name})
	if isCode(err, "NotFoundException") {
		return
	}
	if c.hasPolicy(i, "ses:GetEmailIdentityPolicies", err) {
		var all []document
		for _, policy := range slices.Sorted(maps.Keys(out.Policies)) {
			all = append(all, documentOf(out.Policies[policy]))
		}
		i.Policy = policiesOf(all...)
	}
	c.add(i)
}
