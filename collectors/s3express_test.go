package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const (
	expressAt   = "arn:aws:s3express:eu-west-1:111122223333:"
	expressPage = `<ListAllMyDirectoryBucketsResult><Buckets><Bucket><Name>`
)

// s3expressTest has buckets with and without a policy and one that is gone by now, and likewise access points.
var s3expressTest = serviceTest{
	part:    &s3expressPart,
	service: "s3express",
	answers: map[string]awsfake.Handler{
		"ListDirectoryBuckets": pagesOf(
			expressPage+`a--euw1-az1--x-s3</Name><BucketArn>`+expressAt+`bucket/a--euw1-az1--x-s3</BucketArn></Bucket></Buckets><ContinuationToken>page2</ContinuationToken></ListAllMyDirectoryBucketsResult>`,
			expressPage+`b--euw1-az1--x-s3</Name></Bucket><Bucket><Name>gone--euw1-az1--x-s3</Name></Bucket></Buckets></ListAllMyDirectoryBucketsResult>`),
		"GetBucketPolicy": either(
			on{"/a--", text(somePolicy)},
			on{"/b--", fails("NoSuchBucketPolicy")},
			on{"/gone--", fails("NoSuchBucket")}),
		"ListAccessPointsForDirectoryBuckets": pagesOf(
			`<ListAccessPointsForDirectoryBucketsResult><AccessPointList><AccessPoint><Name>p--euw1-az1--xa-s3</Name><NetworkOrigin>VPC</NetworkOrigin><VpcConfiguration><VpcId>vpc-1</VpcId></VpcConfiguration>
			<Bucket>a--euw1-az1--x-s3</Bucket><BucketAccountId>111122223333</BucketAccountId><AccessPointArn>`+expressAt+`accesspoint/p--euw1-az1--xa-s3</AccessPointArn></AccessPoint></AccessPointList><NextToken>page2</NextToken></ListAccessPointsForDirectoryBucketsResult>`,
			`<ListAccessPointsForDirectoryBucketsResult><AccessPointList><AccessPoint><Name>q--euw1-az1--xa-s3</Name><NetworkOrigin>Internet</NetworkOrigin><Bucket>b--euw1-az1--x-s3</Bucket></AccessPoint>
			<AccessPoint><Name>gone--euw1-az1--xa-s3</Name></AccessPoint></AccessPointList></ListAccessPointsForDirectoryBucketsResult>`),
		"GetAccessPointPolicy": either(
			on{"/p--", text(`<GetAccessPointPolicyResult><Policy><![CDATA[` + somePolicy + `]]></Policy></GetAccessPointPolicyResult>`)},
			on{"/q--", controlFails("NoSuchAccessPointPolicy")},
			on{"/gone--", controlFails("NoSuchAccessPoint")}),
		"GetAccessPointScope": either(
			on{"/p--", text(`<GetAccessPointScopeResult><Scope><Permissions><Permission>GetObject</Permission></Permissions><Prefixes><Prefix>logs/</Prefix></Prefixes></Scope></GetAccessPointScopeResult>`)},
			on{"/q--", text(`<GetAccessPointScopeResult></GetAccessPointScopeResult>`)},
			on{"/gone--", controlFails("NoSuchAccessPoint")}),
	},
	want: `[
  {"arn":"` + expressAt + `accesspoint/p--euw1-az1--xa-s3","type":"access point","policy":` + somePolicy + `,"extra":{"bucket":"a--euw1-az1--x-s3","bucketAccountId":"111122223333",
    "networkOrigin":"VPC","vpcId":"vpc-1","scope":{"permissions":["GetObject"],"prefixes":["logs/"]}}},
  {"arn":"` + expressAt + `accesspoint/q--euw1-az1--xa-s3","type":"access point","policy":null,"extra":{"bucket":"b--euw1-az1--x-s3","networkOrigin":"Internet","scope":{}}},
  {"arn":"` + expressAt + `bucket/a--euw1-az1--x-s3","type":"bucket","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + expressAt + `bucket/b--euw1-az1--x-s3","type":"bucket","policy":null,"extra":{}}
]`,
}
