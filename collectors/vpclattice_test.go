package collectors

import (
	"maps"
	"testing"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

const (
	latticeAt    = "arn:aws:vpc-lattice:eu-west-1:111122223333:"
	sharedPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"vpc-lattice:GetService","Resource":"*"}]}`
)

// latticeTest has a service with both policies, one that another account shares, a network that asks for
// credentials and has no policy, and resource configurations.
var latticeTest = serviceTest{
	part:    &latticePart,
	service: "vpc-lattice",
	answers: map[string]awsfake.Handler{
		"ListServices": pagesOf(
			`{"items":[{"arn":"`+latticeAt+`service/svc-1","id":"svc-1"}],"nextToken":"page2"}`,
			`{"items":[{"arn":"`+latticeAt+`service/svc-2","id":"svc-2"},{"arn":"arn:aws:vpc-lattice:eu-west-1:444455556666:service/svc-3","id":"svc-3"}]}`),
		"GetService": either(
			on{"/svc-1", text(`{"authType":"AWS_IAM"}`)},
			on{"/svc-2", text(`{"authType":"NONE"}`)}),
		"ListServiceNetworks": pagesOf(
			`{"items":[],"nextToken":"page2"}`,
			`{"items":[{"arn":"`+latticeAt+`servicenetwork/sn-1","id":"sn-1"},{"arn":"arn:aws:vpc-lattice:eu-west-1:444455556666:servicenetwork/sn-2","id":"sn-2"}]}`),
		"GetServiceNetwork": text(`{"authType":"AWS_IAM"}`),
		"ListResourceConfigurations": pagesOf(
			`{"items":[{"arn":"`+latticeAt+`resourceconfiguration/rcfg-1"}],"nextToken":"page2"}`,
			`{"items":[{"arn":"`+latticeAt+`resourceconfiguration/rcfg-2"},{"arn":"arn:aws:vpc-lattice:eu-west-1:444455556666:resourceconfiguration/rcfg-3"}]}`),
		"GetAuthPolicy": either(
			on{"/svc-1", text(`{"policy":` + quoted + `,"state":"Active"}`)},
			on{"/svc-2", text(`{"policy":` + quoted + `,"state":"Inactive"}`)},
			on{"/sn-1", fails("ResourceNotFoundException")}),
		"GetResourcePolicy": either(
			on{"/svc-1", text(`{"policy":` + string(quote(sharedPolicy)) + `}`)},
			on{"/rcfg-1", text(`{"policy":` + string(quote(sharedPolicy)) + `}`)},
			on{"/rcfg-2", text(`{}`)},
			on{"", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"` + latticeAt + `resourceconfiguration/rcfg-1","type":"VPC Lattice resource","policy":` + sharedPolicy + `,"extra":{}},
  {"arn":"` + latticeAt + `resourceconfiguration/rcfg-2","type":"VPC Lattice resource","policy":null,"extra":{}},
  {"arn":"` + latticeAt + `service/svc-1","type":"VPC Lattice resource","policy":[` + somePolicy + `,` + sharedPolicy + `],"extra":{"authType":"AWS_IAM","authPolicyState":"Active"}},
  {"arn":"` + latticeAt + `service/svc-2","type":"VPC Lattice resource","policy":` + somePolicy + `,"extra":{"authType":"NONE","authPolicyState":"Inactive"}},
  {"arn":"` + latticeAt + `servicenetwork/sn-1","type":"VPC Lattice resource","policy":null,"extra":{"authType":"AWS_IAM"}}
]`,
}

// TestLatticeGone: what is deleted between the list and the question isn't missing.
func TestLatticeGone(t *testing.T) {
	s := latticeTest
	s.answers = maps.Clone(s.answers)
	s.answers["GetServiceNetwork"] = fails("ResourceNotFoundException")
	got := collectPart(t, s.fake(nil), s.part)
	if got.record.Status != statusOK {
		t.Errorf("status %s: %s", got.record.Status, got.record.Reason)
	}
	items := itemsOf(t, got.own(t, s.part))
	if _, ok := items[latticeAt+"servicenetwork/sn-1"]; ok || len(items) != len(itemsOf(t, s.want))-1 {
		t.Errorf("items: %v", items)
	}
}

// TestLatticeHalfDenied: of a service with two policies that both count, one alone says nothing (rule U6).
func TestLatticeHalfDenied(t *testing.T) {
	for _, operation := range []string{"GetAuthPolicy", "GetResourcePolicy"} {
		got := collectPart(t, latticeTest.fake(always(operation, awsfake.Deny)), latticeTest.part)
		if i := itemsOf(t, got.own(t, latticeTest.part))[latticeAt+"service/svc-1"]; i.Status != statusDenied || i.Policy != nil {
			t.Errorf("%s denied: %+v", operation, i)
		}
	}
}
