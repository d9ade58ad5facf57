package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var redshiftServerlessTest = serviceTest{
	part:    &redshiftServerlessPart,
	service: "redshift-serverless",
	answers: map[string]awsfake.Handler{
		"ListSnapshots": pagesOf(
			`{"snapshots":[{"snapshotName":"a","snapshotArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a"}],"nextToken":"page2"}`,
			`{"snapshots":[{"snapshotName":"b","snapshotArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/b"}]}`),
		"GetResourcePolicy": either(
			on{"snapshot/a", text(`{"resourcePolicy":{"policy":` + quoted + `,"resourceArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a"}}`)},
			on{"snapshot/b", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a","type":"snapshot","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/b","type":"snapshot","policy":null,"extra":{}}
]`,
}
