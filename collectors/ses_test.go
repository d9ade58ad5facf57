package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const sendPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"ses:SendEmail","Resource":"arn:aws:ses:eu-west-1:111122223333:identity/a.example"}]}`

var sesTest = serviceTest{
	part:    &sesPart,
	service: "ses",
	answers: map[string]awsfake.Handler{
		"ListEmailIdentities": pagesOf(`{"EmailIdentities":[{"IdentityName":"a.example"}],"NextToken":"page2"}`, `{"EmailIdentities":[{"IdentityName":"b@b.example"}]}`),
		"GetEmailIdentityPolicies": either(
			on{"/a.example/", text(`{"Policies":{"z":` + quoted + `,"a":` + string(quote(sendPolicy)) + `}}`)},
			on{"/b@b.example/", text(`{"Policies":{}}`)}),
	},
	want: `[
  {"arn":"arn:aws:ses:eu-west-1:111122223333:identity/a.example","type":"identity","policy":[` + sendPolicy + `,` + somePolicy + `],"extra":{}},
  {"arn":"arn:aws:ses:eu-west-1:111122223333:identity/b@b.example","type":"identity","policy":null,"extra":{}}
]`,
}
