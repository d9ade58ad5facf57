package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const ramPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"glue:GetTable","Resource":"arn:aws:glue:eu-west-1:111122223333:table/d/t"}]}`

var glueTest = serviceTest{
	part:    &gluePart,
	service: "glue",
	answers: map[string]awsfake.Handler{
		"GetResourcePolicies": pagesOf(
			`{"GetResourcePoliciesResponseList":[{"PolicyHash":"1","PolicyInJson":`+quoted+`}],"NextToken":"page2"}`,
			`{"GetResourcePoliciesResponseList":[{"PolicyHash":"2","PolicyInJson":`+string(quote(ramPolicy))+`}]}`),
	},
	want: `[{"arn":"arn:aws:glue:eu-west-1:111122223333:catalog","type":"catalog","policy":[` + ramPolicy + `,` + somePolicy + `],"extra":{}}]`,
}
