package collectors

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/ram/types"
)

// ramPart is the account's resource shares: what of its own it shares with whom, which AWS RAM writes into
// resource policies that can't be read otherwise. A share as such has no policy.
//
// https://docs.aws.amazon.com/ram/latest/APIReference/API_GetResourceShares.html
var ramPart = part{
	name:        "resources/ram",
	scope:       perRegion,
	types:       []string{"resource share"},
	permissions: []string{"ram:GetResourceShares", "ram:ListPrincipals", "ram:ListResources"},
	collect: func(ctx context.Context, c *collection) {
		api := ram.NewFromConfig(c.cfg)
		resources, whole := sharedResources(ctx, c, api)
		principals, known := sharePrincipals(ctx, c, api)
		shares := ram.NewGetResourceSharesPaginator(api, &ram.GetResourceSharesInput{ResourceOwner: types.ResourceOwnerSelf})
		for s := range listed(ctx, c, "ram:GetResourceShares", "", shares, func(p *ram.GetResourceSharesOutput) []types.ResourceShare { return p.ResourceShares }) {
			if s.Status == types.ResourceShareStatusDeleted { // is listed for two hours more
				continue
			}
			arn := aws.ToString(s.ResourceShareArn)
			extra := ramExtra{Name: aws.ToString(s.Name), Status: s.Status, External: s.AllowExternalPrincipals}
			if whole {
				extra.Resources = append([]ramResource{}, resources[arn]...)
			}
			if known {
				extra.Principals = append([]string{}, principals[arn]...)
			}
			i := newItem(arn, "resource share")
			i.Policy, i.Extra = noPolicy, extra
			c.add(i)
		}
	},
}

// A ramExtra says what a share shares. Lists that couldn't be had whole are left out.
type ramExtra struct {
	Name       string                    `json:"name"`
	Status     types.ResourceShareStatus `json:"status"`
	External   *bool                     `json:"allowExternalPrincipals,omitempty"`
	Resources  []ramResource             `json:"resources,omitzero"`
	Principals []string                  `json:"principals,omitzero"` // account ids, ARNs of the organisation, units, roles and users
}

type ramResource struct {
	ARN  string `json:"arn"`
	Type string `json:"type"` // of RAM's making: glue:Table
}

// sharedResources are what is shared, by share; whole is false if some may be missing.
//
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListResources.html
func sharedResources(ctx context.Context, c *collection, api *ram.Client) (all map[string][]ramResource, whole bool) {
	all = make(map[string][]ramResource)
	for page, err := range pages(ctx, ram.NewListResourcesPaginator(api, &ram.ListResourcesInput{ResourceOwner: types.ResourceOwnerSelf})) {
		if err != nil {
			c.fail("ram:ListResources", "", err)
			return all, false
		}
		for _, r := range page.Resources {
			share := aws.ToString(r.ResourceShareArn)
			all[share] = append(all[share], ramResource{aws.ToString(r.Arn), aws.ToString(r.Type)})
		}
	}
	for _, resources := range all {
		slices.SortFunc(resources, func(a, b ramResource) int { return strings.Compare(a.ARN, b.ARN) })
	}
	return all, true
}

// sharePrincipals are with whom is shared, by share; known is false if some may be missing.
//
// https://docs.aws.amazon.com/ram/latest/APIReference/API_ListPrincipals.html
func sharePrincipals(ctx context.Context, c *collection, api *ram.Client) (all map[string][]string, known bool) {
	all = make(map[string][]string)
	for page, err := range pages(ctx, ram.NewListPrincipalsPaginator(api, &ram.ListPrincipalsInput{ResourceOwner: types.ResourceOwnerSelf})) {
		if err != nil {
			c.fail("ram:ListPrincipals", "", err)
			return all, false
		}
		for _, p := range page.Principals {
			share := aws.ToString(p.ResourceShareArn)
			all[share] = append(all[share], aws.ToString(p.Id))
		}
	}
	for _, principals := range all {
		slices.Sort(principals)
	}
	return all, true
}
