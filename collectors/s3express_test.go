package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var s3expressTest = serviceTest{
	part:    &s3expressPart,
	service: "s3express",
	answers: map[string]awsfake.Handler{
		"ListDirectoryBuckets": pagesOf(
			`<ListAllMyDirectoryBucketsResult><Buckets><Bucket><Name>a--euw1-az1--x-s3</Name></Bucket></Buckets><ContinuationToken>page2</ContinuationToken></ListAllMyDirectoryBucketsResult>`,
			`<ListAllMyDirectoryBucketsResult><Buckets><Bucket><Name>b--euw1-az1--x-s3</Name></Bucket><Bucket><Name>gone--euw1-az1--x-s3</Name></Bucket></Buckets></ListAllMyDirectoryBucketsResult>`),
		"GetBucketPolicy": either(
			on{"a--", text(somePolicy)},
			on{"b--", s3Fails("NoSuchBucketPolicy", 404)},
			on{"gone--", s3Fails("NoSuchBucket", 404)}),
	},
	want: `[
  {"arn":"arn:aws:s3express:eu-west-1:111122223333:bucket/a--euw1-az1--x-s3","type":"bucket","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:s3express:eu-west-1:111122223333:bucket/b--euw1-az1--x-s3","type":"bucket","policy":null,"extra":{}}
]`,
}
