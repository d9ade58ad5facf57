package collectors

import (
	"fmt"
	"testing"

	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// controlError is an error as S3 Control writes it.
func controlError(code string, status int) awsfake.Reply {
	return awsfake.Reply{Status: status, Body: fmt.Appendf(nil, "<ErrorResponse><Error><Code>%s</Code><Message>as tested</Message></Error><RequestId>1</RequestId></ErrorResponse>", code)}
}

// s3Fails is an error as S3 writes it, for a service of which the fake doesn't know that it does.
func s3Fails(code string, status int) awsfake.Handler {
	return func(*awsfake.Call) awsfake.Reply {
		return awsfake.Reply{Status: status, Body: fmt.Appendf(nil, "<Error><Code>%s</Code><Message>as tested</Message></Error>", code)}
	}
}

func controlFails(code string) awsfake.Handler {
	return func(*awsfake.Call) awsfake.Reply { return controlError(code, 404) }
}

const blockAll = `<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>`

const wantAll = `{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}`

// s3Test has a bucket of today, one as of 2010, whose region isn't on the list, and one that is gone by the time
// that it is asked about.
var s3Test = serviceTest{
	part:    &s3Part,
	service: "s3",
	answers: map[string]awsfake.Handler{
		"ListBuckets": pagesOf(
			`<ListAllMyBucketsResult><Buckets><Bucket><Name>new</Name><BucketRegion>eu-west-1</BucketRegion></Bucket></Buckets><ContinuationToken>page2</ContinuationToken></ListAllMyBucketsResult>`,
			`<ListAllMyBucketsResult><Buckets><Bucket><Name>old</Name></Bucket><Bucket><Name>gone</Name><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>`),
		"GetBucketLocation": text(`<LocationConstraint></LocationConstraint>`),
		"GetBucketPolicy":   either(on{"new.", text(somePolicy)}, on{"old.s3.us-east-1.", fails("NoSuchBucketPolicy")}, on{"gone.", fails("NoSuchBucket")}),
		"S3 GetPublicAccessBlock": either(
			on{"new.", text(`<PublicAccessBlockConfiguration>` + blockAll + `</PublicAccessBlockConfiguration>`)},
			on{"old.s3.us-east-1.", fails("NoSuchPublicAccessBlockConfiguration")},
			on{"gone.", fails("NoSuchBucket")}),
		"GetBucketOwnershipControls": either(
			on{"new.", text(`<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`)},
			on{"old.s3.us-east-1.", fails("OwnershipControlsNotFoundError")},
			on{"gone.", fails("NoSuchBucket")}),
		"GetBucketAcl": text(`<AccessControlPolicy><Owner><ID>abc</ID></Owner><AccessControlList>
			<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>abc</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>
			<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>
			</AccessControlList></AccessControlPolicy>`),
		"GetBucketAbac":                   either(on{"new.", text(`<AbacStatus><Status>Enabled</Status></AbacStatus>`)}, on{"old.s3.us-east-1.", fails("MethodNotAllowed")}, on{"gone.", fails("NoSuchBucket")}),
		"S3 Control GetPublicAccessBlock": controlFails("NoSuchPublicAccessBlockConfiguration"),
		"ListAccessPoints": pagesOf(
			`<ListAccessPointsResult><AccessPointList><AccessPoint><Name>a</Name><NetworkOrigin>VPC</NetworkOrigin><Bucket>new</Bucket><AccessPointArn>arn:aws:s3:eu-west-1:111122223333:accesspoint/a</AccessPointArn></AccessPoint></AccessPointList><NextToken>page2</NextToken></ListAccessPointsResult>`,
			`<ListAccessPointsResult><AccessPointList><AccessPoint><Name>b</Name><NetworkOrigin>Internet</NetworkOrigin><Bucket>new</Bucket><AccessPointArn>arn:aws:s3:eu-west-1:111122223333:accesspoint/b</AccessPointArn></AccessPoint></AccessPointList></ListAccessPointsResult>`),
		"GetAccessPoint": either(
			on{"/accesspoint/a", text(`<GetAccessPointResult><Name>a</Name><Bucket>new</Bucket><BucketAccountId>111122223333</BucketAccountId><NetworkOrigin>VPC</NetworkOrigin><VpcConfiguration><VpcId>vpc-1</VpcId></VpcConfiguration><PublicAccessBlockConfiguration>` + blockAll + `</PublicAccessBlockConfiguration></GetAccessPointResult>`)},
			on{"/accesspoint/b", text(`<GetAccessPointResult><Name>b</Name><Bucket>new</Bucket><BucketAccountId>111122223333</BucketAccountId><NetworkOrigin>Internet</NetworkOrigin></GetAccessPointResult>`)}),
		"GetAccessPointPolicy": either(
			on{"/accesspoint/a/", text(`<GetAccessPointPolicyResult><Policy><![CDATA[` + somePolicy + `]]></Policy></GetAccessPointPolicyResult>`)},
			on{"/accesspoint/b/", controlFails("NoSuchAccessPointPolicy")}),
		"ListMultiRegionAccessPoints": text(`<ListMultiRegionAccessPointsResult><AccessPoints><AccessPoint><Name>m</Name><Alias>m1.mrap</Alias><PublicAccessBlock>` + blockAll + `</PublicAccessBlock>
			<Regions><Region><Bucket>new</Bucket><Region>eu-west-1</Region></Region></Regions></AccessPoint></AccessPoints></ListMultiRegionAccessPointsResult>`),
		"GetMultiRegionAccessPointPolicy": text(`<GetMultiRegionAccessPointPolicyResult><Policy><Proposed><Policy>{}</Policy></Proposed><Established><Policy><![CDATA[` + somePolicy + `]]></Policy></Established></Policy></GetMultiRegionAccessPointPolicyResult>`),
	},
	want: `[
  {"arn":"arn:aws:s3::111122223333:accesspoint/m1.mrap","type":"access point","policy":` + somePolicy + `,"extra":{"buckets":[{"bucket":"new","region":"eu-west-1"}],"publicAccessBlock":` + wantAll + `}},
  {"arn":"arn:aws:s3:::new","type":"bucket","policy":` + somePolicy + `,"extra":{"abac":"Enabled","accountPublicAccessBlock":null,"objectOwnership":"BucketOwnerEnforced","publicAccessBlock":` + wantAll + `}},
  {"arn":"arn:aws:s3:::old","type":"bucket","policy":null,"extra":{"accountPublicAccessBlock":null,
    "acl":{"Owner":{"ID":"abc"},"Grants":[{"Grantee":{"Type":"CanonicalUser","ID":"abc"},"Permission":"FULL_CONTROL"},
      {"Grantee":{"Type":"Group","URI":"http://acs.amazonaws.com/groups/global/AllUsers"},"Permission":"READ"}]},
    "objectOwnership":null,"publicAccessBlock":null}},
  {"arn":"arn:aws:s3:eu-west-1:111122223333:accesspoint/a","type":"access point","policy":` + somePolicy + `,"extra":{"bucket":"new","bucketAccountId":"111122223333","networkOrigin":"VPC","vpcId":"vpc-1","publicAccessBlock":` + wantAll + `}},
  {"arn":"arn:aws:s3:eu-west-1:111122223333:accesspoint/b","type":"access point","policy":null,"extra":{"bucket":"new","bucketAccountId":"111122223333","networkOrigin":"Internet","publicAccessBlock":null}}
]`,
}

func TestRegionOf(t *testing.T) {
	for constraint, want := range map[s3types.BucketLocationConstraint]string{"": "us-east-1", "EU": "eu-west-1", "ap-south-2": "ap-south-2"} {
		if got := regionOf(constraint); got != want {
			t.Errorf("regionOf(%q) = %s, want %s", constraint, got, want)
		}
	}
}
