package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glacier"
	"github.com/aws/aws-sdk-go-v2/service/glacier/types"
)

// glacierPart is the access policies of S3 Glacier vaults, and their vault lock policies: both count.
//
// https://docs.aws.amazon.com/amazonglacier/latest/dev/access-control-resource-based-policies.html
var glacierPart = part{
	name:        "resources/glacier",
	scope:       perRegion,
	types:       []string{"vault"},
	permissions: []string{"glacier:GetVaultAccessPolicy", "glacier:GetVaultLock", "glacier:ListVaults"},
	collect: func(ctx context.Context, c *collection) {
		api := glacier.NewFromConfig(c.cfg)
		list := glacier.NewListVaultsPaginator(api, &glacier.ListVaultsInput{AccountId: &c.account})
		all := listed(ctx, c, "glacier:ListVaults", "", list, func(p *glacier.ListVaultsOutput) []types.DescribeVaultOutput { return p.VaultList })
		forEach(ctx, c, all, func(ctx context.Context, v types.DescribeVaultOutput) { addVault(ctx, c, api, v) })
	},
}

// addVault reads the policies of a vault. If one can't be read, neither is of use.
//
// https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultAccessPolicy.html
// https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultLock.html
func addVault(ctx context.Context, c *collection, api *glacier.Client, v types.DescribeVaultOutput) {
	i := newItem(aws.ToString(v.VaultARN), "vault")
	access, lock := noPolicy, noPolicy
	out, err := api.GetVaultAccessPolicy(ctx, &glacier.GetVaultAccessPolicyInput{AccountId: &c.account, VaultName: v.VaultName})
	if c.hasPolicy(i, "glacier:GetVaultAccessPolicy", err, "ResourceNotFoundException") && out.Policy != nil {
		access = documentOf(aws.ToString(out.Policy.Policy))
	}
	locked, err := api.GetVaultLock(ctx, &glacier.GetVaultLockInput{AccountId: &c.account, VaultName: v.VaultName})
	if c.hasPolicy(i, "glacier:GetVaultLock", err, "ResourceNotFoundException") {
		lock = documentOf(aws.ToString(locked.Policy))
	}
	if i.Status == "" {
		i.Policy = policiesOf(access, lock)
	} else {
		i.Policy = nil
	}
	c.add(i)
}
