package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const lockPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"glacier:DeleteArchive","Resource":"*"}]}`

// glacierTest has a vault with both policies, one with a lock only, and one with none.
var glacierTest = serviceTest{
	part:    &glacierPart,
	service: "glacier",
	answers: map[string]awsfake.Handler{
		"ListVaults": pagesOf(
			`{"VaultList":[{"VaultName":"a","VaultARN":"arn:aws:glacier:eu-west-1:111122223333:vaults/a"}],"Marker":"page2"}`,
			`{"VaultList":[{"VaultName":"b","VaultARN":"arn:aws:glacier:eu-west-1:111122223333:vaults/b"},{"VaultName":"c","VaultARN":"arn:aws:glacier:eu-west-1:111122223333:vaults/c"}]}`),
		"GetVaultAccessPolicy": either(
			on{"/a/", text(`{"Policy":` + quoted + `}`)},
			on{"", fails("ResourceNotFoundException")}),
		"GetVaultLock": either(
			on{"/c/", fails("ResourceNotFoundException")},
			on{"", text(`{"Policy":` + string(quote(lockPolicy)) + `,"State":"Locked"}`)}),
	},
	want: `[
  {"arn":"arn:aws:glacier:eu-west-1:111122223333:vaults/a","type":"vault","policy":[` + somePolicy + `,` + lockPolicy + `],"extra":{}},
  {"arn":"arn:aws:glacier:eu-west-1:111122223333:vaults/b","type":"vault","policy":` + lockPolicy + `,"extra":{}},
  {"arn":"arn:aws:glacier:eu-west-1:111122223333:vaults/c","type":"vault","policy":null,"extra":{}}
]`,
}
