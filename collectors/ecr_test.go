package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var ecrTest = serviceTest{
	part:    &ecrPart,
	service: "ecr",
	answers: map[string]awsfake.Handler{
		"GetRegistryPolicy": fails("RegistryPolicyNotFoundException"),
		"DescribeRepositories": pagesOf(
			`{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:111122223333:repository/a","registryId":"111122223333","repositoryName":"a"}],"nextToken":"page2"}`,
			`{"repositories":[{"repositoryArn":"arn:aws:ecr:eu-west-1:111122223333:repository/b","registryId":"111122223333","repositoryName":"b"}]}`),
		"GetRepositoryPolicy": either(
			on{`"repositoryName":"a"`, text(`{"policyText":` + quoted + `}`)},
			on{`"repositoryName":"b"`, fails("RepositoryPolicyNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:ecr:eu-west-1:111122223333:registry","type":"registry","policy":null,"extra":{}},
  {"arn":"arn:aws:ecr:eu-west-1:111122223333:repository/a","type":"repository","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:ecr:eu-west-1:111122223333:repository/b","type":"repository","policy":null,"extra":{}}
]`,
}
