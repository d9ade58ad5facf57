package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var dynamodbTest = serviceTest{
	part:    &dynamodbPart,
	service: "dynamodb",
	answers: map[string]awsfake.Handler{
		"ListTables": pagesOf(`{"TableNames":["a"],"LastEvaluatedTableName":"page2"}`, `{"TableNames":["b"]}`),
		"DescribeTable": either(
			on{`"a"`, text(`{"Table":{"TableName":"a","LatestStreamArn":"arn:aws:dynamodb:eu-west-1:111122223333:table/a/stream/2026-01-01T00:00:00.000"}}`)},
			on{`"b"`, text(`{"Table":{"TableName":"b"}}`)}),
		"GetResourcePolicy": either(
			on{"/stream/", fails("PolicyNotFoundException")},
			on{"table/a", text(`{"Policy":` + quoted + `,"RevisionId":"1"}`)},
			on{"table/b", fails("PolicyNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:dynamodb:eu-west-1:111122223333:table/a","type":"table","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:dynamodb:eu-west-1:111122223333:table/a/stream/2026-01-01T00:00:00.000","type":"stream","policy":null,"extra":{}},
  {"arn":"arn:aws:dynamodb:eu-west-1:111122223333:table/b","type":"table","policy":null,"extra":{}}
]`,
}
