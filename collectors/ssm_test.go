package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

// ssmTest has a parameter of the standard tier, which is asked nothing, and two of the advanced one.
var ssmTest = serviceTest{
	part:    &ssmPart,
	service: "ssm",
	answers: map[string]awsfake.Handler{
		"DescribeParameters": pagesOf(
			`{"Parameters":[{"Name":"/app/std","Tier":"Standard"}],"NextToken":"page2"}`,
			`{"Parameters":[{"Name":"adv","Tier":"Advanced"},{"Name":"both","Tier":"Intelligent-Tiering","ARN":"arn:aws:ssm:eu-west-1:111122223333:parameter/both"}]}`),
		"GetResourcePolicies": either(
			on{"opsitemgroup/default", fails("ResourceNotFoundException")},
			on{"parameter/adv", text(`{"Policies":[]}`)},
			on{"page2", text(`{"Policies":[{"PolicyId":"1","PolicyHash":"h","Policy":` + quoted + `}]}`)},
			on{"parameter/both", text(`{"Policies":[{"PolicyId":"2","PolicyHash":"h","Policy":` + string(quote(lockPolicy)) + `}],"NextToken":"page2"}`)}),
	},
	want: `[
  {"arn":"arn:aws:ssm:eu-west-1:111122223333:opsitemgroup/default","type":"parameter","policy":null,"extra":{}},
  {"arn":"arn:aws:ssm:eu-west-1:111122223333:parameter/adv","type":"parameter","policy":null,"extra":{}},
  {"arn":"arn:aws:ssm:eu-west-1:111122223333:parameter/app/std","type":"parameter","policy":null,"extra":{}},
  {"arn":"arn:aws:ssm:eu-west-1:111122223333:parameter/both","type":"parameter","policy":[` + somePolicy + `,` + lockPolicy + `],"extra":{}}
]`,
}
