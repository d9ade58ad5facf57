package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var logsTest = serviceTest{
	part:    &logsPart,
	service: "logs",
	answers: map[string]awsfake.Handler{
		"DescribeResourcePolicies": either(
			on{"RESOURCE", text(`{"resourcePolicies":[{"policyName":"g","policyScope":"RESOURCE","resourceArn":"arn:aws:logs:eu-west-1:111122223333:log-group:g:*","policyDocument":` + quoted + `}]}`)},
			on{"page2", text(`{"resourcePolicies":[{"policyName":"p2","policyDocument":` + quoted + `}]}`)},
			on{"", text(`{"resourcePolicies":[{"policyName":"p1","policyDocument":` + quoted + `}],"nextToken":"page2"}`)}),
		"DescribeDestinations": pagesOf(
			`{"destinations":[{"destinationName":"d1","arn":"arn:aws:logs:eu-west-1:111122223333:destination:d1","accessPolicy":`+quoted+`}],"nextToken":"page2"}`,
			`{"destinations":[{"destinationName":"d2","arn":"arn:aws:logs:eu-west-1:111122223333:destination:d2"}]}`),
		"DescribeDeliveryDestinations": pagesOf(
			`{"deliveryDestinations":[{"name":"x1","arn":"arn:aws:logs:eu-west-1:111122223333:delivery-destination:x1"}],"nextToken":"page2"}`,
			`{"deliveryDestinations":[{"name":"x2","arn":"arn:aws:logs:eu-west-1:111122223333:delivery-destination:x2"}]}`),
		"GetDeliveryDestinationPolicy": either(
			on{`"x1"`, text(`{"policy":{"deliveryDestinationPolicy":` + quoted + `}}`)},
			on{`"x2"`, text(`{"policy":{}}`)}),
	},
	want: `[
  {"arn":"arn:aws:logs:eu-west-1:111122223333:delivery-destination:x1","type":"delivery destination","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:delivery-destination:x2","type":"delivery destination","policy":null,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:destination:d1","type":"destination","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:destination:d2","type":"destination","policy":null,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:log-group:g","type":"log group","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:resource-policy:p1","type":"resource policy","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:logs:eu-west-1:111122223333:resource-policy:p2","type":"resource policy","policy":` + somePolicy + `,"extra":{}}
]`,
}
