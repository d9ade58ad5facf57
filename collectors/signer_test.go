package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const profileAt = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/"

// signerTest has a profile with permissions on two pages, one that is canceled and has none, and one that AWS doesn't know.
var signerTest = serviceTest{
	part:    &signerPart,
	service: "signer",
	answers: map[string]awsfake.Handler{
		"ListSigningProfiles": pagesOf(
			`{"profiles":[{"profileName":"a","arn":"`+profileAt+`a","status":"Active"}],"nextToken":"page2"}`,
			`{"profiles":[{"profileName":"b","arn":"`+profileAt+`b","status":"Canceled"},{"profileName":"c","arn":"`+profileAt+`c","status":"Active"}]}`),
		"ListProfilePermissions": either(
			on{"/signing-profiles/a/", pagesOf(
				`{"permissions":[{"action":"signer:StartSigningJob","principal":"444455556666","statementId":"two","profileVersion":"ABCDEFGHIJ"}],"nextToken":"page2"}`,
				`{"permissions":[{"action":"signer:GetSigningProfile","principal":"arn:aws:iam::444455556666:role/sign","statementId":"one"}]}`)},
			on{"/signing-profiles/b/", text(`{"permissions":[]}`)},
			on{"/signing-profiles/c/", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"` + profileAt + `a","type":"signing profile","extra":{"permissions":[
    {"statementId":"one","principal":"arn:aws:iam::444455556666:role/sign","action":"signer:GetSigningProfile"},
    {"statementId":"two","principal":"444455556666","action":"signer:StartSigningJob","profileVersion":"ABCDEFGHIJ"}]}},
  {"arn":"` + profileAt + `b","type":"signing profile","policy":null,"extra":{}},
  {"arn":"` + profileAt + `c","type":"signing profile","policy":null,"extra":{}}
]`,
}
