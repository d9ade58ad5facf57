package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const latticeAt = "arn:aws:vpc-lattice:eu-west-1:111122223333:"

var latticeTest = serviceTest{
	part:    &latticePart,
	service: "vpc-lattice",
	answers: map[string]awsfake.Handler{
		"ListServices": pagesOf(
			`{"items":[{"id":"svc-1","arn":"`+latticeAt+`service/svc-1"}],"nextToken":"page2"}`,
			`{"items":[{"id":"svc-2","arn":"`+latticeAt+`service/svc-2"},{"id":"svc-3","arn":"arn:aws:vpc-lattice:eu-west-1:999988887777:service/svc-3"}]}`),
		"ListServiceNetworks":        text(`{"items":[{"id":"sn-1","arn":"` + latticeAt + `servicenetwork/sn-1"}]}`),
		"ListResourceConfigurations": text(`{"items":[{"id":"rcfg-1","arn":"` + latticeAt + `resourceconfiguration/rcfg-1"}]}`),
		"GetAuthPolicy": either(
			on{"svc-1", text(`{"policy":` + quoted + `,"state":"Active"}`)},
			on{"svc-2", fails("ResourceNotFoundException")},
			on{"sn-1", text(`{}`)}),
		"GetResourcePolicy": either(
			on{"svc-1", text(`{"policy":` + string(quote(lockPolicy)) + `}`)},
			on{"rcfg-1", text(`{"policy":` + quoted + `}`)},
			on{"", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"` + latticeAt + `resourceconfiguration/rcfg-1","type":"VPC Lattice resource","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + latticeAt + `service/svc-1","type":"VPC Lattice resource","policy":[` + somePolicy + `,` + lockPolicy + `],"extra":{"authPolicyState":"Active"}},
  {"arn":"` + latticeAt + `service/svc-2","type":"VPC Lattice resource","policy":null,"extra":{}},
  {"arn":"` + latticeAt + `servicenetwork/sn-1","type":"VPC Lattice resource","policy":null,"extra":{}}
]`,
}
