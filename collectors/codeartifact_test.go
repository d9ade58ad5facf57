package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var codeartifactTest = serviceTest{
	part:    &codeartifactPart,
	service: "codeartifact",
	answers: map[string]awsfake.Handler{
		"ListDomains": pagesOf(
			`{"domains":[{"name":"a","owner":"111122223333","arn":"arn:aws:codeartifact:eu-west-1:111122223333:domain/a"}],"nextToken":"page2"}`,
			`{"domains":[{"name":"b","owner":"111122223333","arn":"arn:aws:codeartifact:eu-west-1:111122223333:domain/b"}]}`),
		"GetDomainPermissionsPolicy": either(
			on{"domain=a", text(`{"policy":{"document":` + quoted + `}}`)},
			on{"domain=b", fails("ResourceNotFoundException")}),
		"ListRepositories": pagesOf(
			`{"repositories":[{"name":"r","domainName":"a","domainOwner":"111122223333","arn":"arn:aws:codeartifact:eu-west-1:111122223333:repository/a/r"}],"nextToken":"page2"}`,
			`{"repositories":[{"name":"s","domainName":"a","domainOwner":"111122223333","arn":"arn:aws:codeartifact:eu-west-1:111122223333:repository/a/s"}]}`),
		"GetRepositoryPermissionsPolicy": either(
			on{"repository=r", text(`{"policy":{"document":` + quoted + `}}`)},
			on{"repository=s", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:codeartifact:eu-west-1:111122223333:domain/a","type":"domain","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:codeartifact:eu-west-1:111122223333:domain/b","type":"domain","policy":null,"extra":{}},
  {"arn":"arn:aws:codeartifact:eu-west-1:111122223333:repository/a/r","type":"repository","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:codeartifact:eu-west-1:111122223333:repository/a/s","type":"repository","policy":null,"extra":{}}
]`,
}
