package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var s3tablesTest = serviceTest{
	part:    &s3tablesPart,
	service: "s3tables",
	answers: map[string]awsfake.Handler{
		"ListTableBuckets": pagesOf(
			`{"tableBuckets":[{"name":"b1","arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1"}],"continuationToken":"page2"}`,
			`{"tableBuckets":[{"name":"b2","arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b2"}]}`),
		"GetTableBucketPolicy": either(
			on{"bucket/b1", text(`{"resourcePolicy":` + quoted + `}`)},
			on{"bucket/b2", fails("NotFoundException")}),
		"ListTables": either(
			on{"bucket/b1", text(`{"tables":[{"name":"t1","namespace":["n"],"tableARN":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1/table/1"},{"name":"t2","namespace":["n"],"tableARN":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1/table/2"}]}`)},
			on{"bucket/b2", text(`{"tables":[]}`)}),
		"GetTablePolicy": either(
			on{"/n/t1/", text(`{"resourcePolicy":` + quoted + `}`)},
			on{"/n/t2/", fails("NotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1","type":"table bucket","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1/table/1","type":"table","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b1/table/2","type":"table","policy":null,"extra":{}},
  {"arn":"arn:aws:s3tables:eu-west-1:111122223333:bucket/b2","type":"table bucket","policy":null,"extra":{}}
]`,
}
