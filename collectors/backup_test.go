package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var backupTest = serviceTest{
	part:    &backupPart,
	service: "backup",
	answers: map[string]awsfake.Handler{
		"ListBackupVaults": pagesOf(
			`{"BackupVaultList":[{"BackupVaultName":"a","BackupVaultArn":"arn:aws:backup:eu-west-1:111122223333:backup-vault:a"}],"NextToken":"page2"}`,
			`{"BackupVaultList":[{"BackupVaultName":"b","BackupVaultArn":"arn:aws:backup:eu-west-1:111122223333:backup-vault:b"}]}`),
		"GetBackupVaultAccessPolicy": either(
			on{"/a/", text(`{"BackupVaultName":"a","Policy":` + quoted + `}`)},
			on{"/b/", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:backup:eu-west-1:111122223333:backup-vault:a","type":"vault","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:backup:eu-west-1:111122223333:backup-vault:b","type":"vault","policy":null,"extra":{}}
]`,
}
