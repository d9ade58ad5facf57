package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var kmsTest = serviceTest{
	part:    &kmsPart,
	service: "kms",
	answers: map[string]awsfake.Handler{
		"ListKeys": pagesOf(
			`{"Keys":[{"KeyId":"k1","KeyArn":"arn:aws:kms:eu-west-1:111122223333:key/k1"}],"Truncated":true,"NextMarker":"page2"}`,
			`{"Keys":[{"KeyId":"k2","KeyArn":"arn:aws:kms:eu-west-1:111122223333:key/k2"}],"Truncated":false}`),
		"ListAliases": pagesOf(
			`{"Aliases":[{"AliasName":"alias/z","TargetKeyId":"k1"},{"AliasName":"alias/aws/s3"}],"Truncated":true,"NextMarker":"page2"}`,
			`{"Aliases":[{"AliasName":"alias/a","TargetKeyId":"k1"}],"Truncated":false}`),
		"GetKeyPolicy": text(`{"Policy":` + quoted + `,"PolicyName":"default"}`),
		"DescribeKey": either(
			on{"key/k1", text(`{"KeyMetadata":{"KeyId":"k1","KeyManager":"CUSTOMER","KeyState":"Enabled"}}`)},
			on{"key/k2", text(`{"KeyMetadata":{"KeyId":"k2","KeyManager":"AWS","KeyState":"Enabled"}}`)}),
		"ListGrants": either(
			on{"key/k2", text(`{"Grants":[],"Truncated":false}`)},
			on{"page2", text(`{"Grants":[{"GrantId":"g1","KeyId":"k1","Name":"n","GranteePrincipal":"arn:aws:iam::111122223333:role/r","IssuingAccount":"arn:aws:iam::111122223333:root","Operations":["Encrypt","Decrypt"],
				"Constraints":{"EncryptionContextSubset":{"b":"2","a":"1"}}}],"Truncated":false}`)},
			on{"key/k1", text(`{"Grants":[{"GrantId":"g2","GranteeServicePrincipal":"ec2.amazonaws.com","RetiringPrincipal":"arn:aws:iam::111122223333:role/r","Operations":["Decrypt"]}],"Truncated":true,"NextMarker":"page2"}`)}),
	},
	want: `[
  {"arn":"arn:aws:kms:eu-west-1:111122223333:key/k1","type":"key","policy":` + somePolicy + `,"extra":{"aliases":["alias/a","alias/z"],"keyManager":"CUSTOMER","keyState":"Enabled","grants":[
    {"GrantId":"g1","GranteePrincipal":"arn:aws:iam::111122223333:role/r","IssuingAccount":"arn:aws:iam::111122223333:root","Operations":["Decrypt","Encrypt"],"Constraints":{"EncryptionContextSubset":{"a":"1","b":"2"}}},
    {"GrantId":"g2","GranteeServicePrincipal":"ec2.amazonaws.com","RetiringPrincipal":"arn:aws:iam::111122223333:role/r","Operations":["Decrypt"]}]}},
  {"arn":"arn:aws:kms:eu-west-1:111122223333:key/k2","type":"key","policy":` + somePolicy + `,"extra":{"aliases":[],"keyManager":"AWS","keyState":"Enabled","grants":[]}}
]`,
}
