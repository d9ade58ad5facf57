package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var opensearchTest = serviceTest{
	part:    &opensearchPart,
	service: "es",
	answers: map[string]awsfake.Handler{
		"ListDomainNames": text(`{"DomainNames":[{"DomainName":"d1"},{"DomainName":"d2"},{"DomainName":"d3"},{"DomainName":"d4"},{"DomainName":"d5"},{"DomainName":"d6"}]}`),
		"DescribeDomains": either(
			on{`"d1"`, text(`{"DomainStatusList":[{"DomainName":"d1","ARN":"arn:aws:es:eu-west-1:111122223333:domain/d1","AccessPolicies":` + quoted + `}]}`)},
			on{`"d6"`, text(`{"DomainStatusList":[{"DomainName":"d6","ARN":"arn:aws:es:eu-west-1:111122223333:domain/d6","AccessPolicies":""}]}`)}),
	},
	want: `[
  {"arn":"arn:aws:es:eu-west-1:111122223333:domain/d1","type":"domain","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:es:eu-west-1:111122223333:domain/d6","type":"domain","policy":null,"extra":{}}
]`,
}
