package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const authorityAt = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/"

// authoritiesTest has an authority with a policy, one without, and one that is deleted.
var authoritiesTest = serviceTest{
	part:    &authoritiesPart,
	service: "acm-pca",
	answers: map[string]awsfake.Handler{
		"ListCertificateAuthorities": pagesOf(
			`{"CertificateAuthorities":[{"Arn":"`+authorityAt+`a","OwnerAccount":"111122223333","CreatedAt":1.7E9,"Status":"ACTIVE"}],"NextToken":"page2"}`,
			`{"CertificateAuthorities":[{"Arn":"`+authorityAt+`b","Status":"DISABLED"},{"Arn":"`+authorityAt+`c","Status":"DELETED"}]}`),
		"GetPolicy": either(
			on{"authority/a", text(`{"Policy":` + quoted + `}`)},
			on{"authority/b", fails("ResourceNotFoundException")},
			on{"authority/c", fails("InvalidStateException")}),
	},
	want: `[
  {"arn":"` + authorityAt + `a","type":"certificate authority","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + authorityAt + `b","type":"certificate authority","policy":null,"extra":{}}
]`,
}
