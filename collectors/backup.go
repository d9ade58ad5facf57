package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
)

// backupPart is the access policies of backup vaults.
var backupPart = part{
	name:        "resources/backup",
	scope:       perRegion,
	types:       []string{"vault"},
	permissions: []string{"backup:GetBackupVaultAccessPolicy", "backup:ListBackupVaults"},
	collect: func(ctx context.Context, c *collection) {
		api := backup.NewFromConfig(c.cfg)
		list := backup.NewListBackupVaultsPaginator(api, &backup.ListBackupVaultsInput{})
		all := listed(ctx, c, "backup:ListBackupVaults", "", list, func(p *backup.ListBackupVaultsOutput) []types.BackupVaultListMember { return p.BackupVaultList })
		forEach(ctx, c, all, func(ctx context.Context, v types.BackupVaultListMember) { addBackupVault(ctx, c, api, v) })
	},
}

// addBackupVault reads the policy of a vault.
//
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupVaultAccessPolicy.html
func addBackupVault(ctx context.Context, c *collection, api *backup.Client, v types.BackupVaultListMember) {
	i := newItem(aws.ToString(v.BackupVaultArn), "vault")
	out, err := api.GetBackupVaultAccessPolicy(ctx, &backup.GetBackupVaultAccessPolicyInput{BackupVaultName: v.BackupVaultName})
	if c.hasPolicy(i, "backup:GetBackupVaultAccessPolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	c.add(i)
}
