package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var secretsTest = serviceTest{
	part:    &secretsPart,
	service: "secretsmanager",
	answers: map[string]awsfake.Handler{
		"ListSecrets": pagesOf(
			`{"SecretList":[{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-abcdef"}],"NextToken":"page2"}`,
			`{"SecretList":[{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:b-abcdef"},{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:gone-abcdef"}]}`),
		"GetResourcePolicy": either(
			on{"secret:a-", text(`{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-abcdef","ResourcePolicy":` + quoted + `}`)},
			on{"secret:b-", text(`{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:b-abcdef"}`)},
			on{"secret:gone-", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-abcdef","type":"secret","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:b-abcdef","type":"secret","policy":null,"extra":{}}
]`,
}
