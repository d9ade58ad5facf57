package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

// redshiftServerlessTest has a snapshot with a policy, one without, and one that another account shares.
var redshiftServerlessTest = serviceTest{
	part:    &redshiftServerlessPart,
	service: "redshift-serverless",
	answers: map[string]awsfake.Handler{
		"ListSnapshots": pagesOf(
			`{"snapshots":[{"snapshotArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a","ownerAccount":"111122223333"}],"nextToken":"page2"}`,
			`{"snapshots":[{"snapshotArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/b","ownerAccount":"111122223333"},
				{"snapshotArn":"arn:aws:redshift-serverless:eu-west-1:444455556666:snapshot/c","ownerAccount":"444455556666"}]}`),
		"GetResourcePolicy": either(
			on{"snapshot/a", text(`{"resourcePolicy":{"policy":` + quoted + `,"resourceArn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a"}}`)},
			on{"snapshot/b", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/a","type":"snapshot","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/b","type":"snapshot","policy":null,"extra":{}}
]`,
}
