package apicall

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// s3Operations are S3's (T78). Its other services have the same API: what they don't list
// for themselves is as here, where they have the action (s3Family).
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_s3.html
var s3Operations = []authorisation{
	as("s3", "OptionsObject", none),
	as("s3", "ListBuckets", "ListAllMyBuckets"),
	as("s3", "ListDirectoryBuckets", "s3express:ListAllMyDirectoryBuckets"),
	as("s3", "HeadBucket ListObjects ListObjectsV2", "ListBucket"), // S40
	as("s3", "ListObjectVersions", "ListBucketVersions"),
	as("s3", "ListMultipartUploads", "ListBucketMultipartUploads"),
	as("s3", "ListParts", "ListMultipartUploadParts"),
	as("s3", "HeadObject SelectObjectContent", "GetObject"),
	as("s3", "GetObjectAttributes", "GetObject GetObjectAttributes"),
	as("s3", "CreateMultipartUpload UploadPart CompleteMultipartUpload PostObject", "PutObject"),
	as("s3", "CreateSession RenameObject", "s3express:CreateSession"), // only directory buckets have them
	as("s3", "GetAccessPointScope", "s3express:GetAccessPointScope"),
	as("s3", "PutAccessPointScope", "s3express:PutAccessPointScope"),
	as("s3", "DeleteAccessPointScope", "s3express:DeleteAccessPointScope"),
	as("s3", "ListAccessPointsForDirectoryBuckets", "s3express:ListAccessPointsForDirectoryBuckets"),
	as("s3", "WriteGetObjectResponse", "s3-object-lambda:WriteGetObjectResponse"),

	// The configurations of a bucket: one action reads, one writes and removes.
	as("s3", "GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
	as("s3", "PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
	as("s3", "GetBucketAnalyticsConfiguration ListBucketAnalyticsConfigurations", "GetAnalyticsConfiguration"),
	as("s3", "PutBucketAnalyticsConfiguration DeleteBucketAnalyticsConfiguration", "PutAnalyticsConfiguration"),
	as("s3", "GetBucketEncryption", "GetEncryptionConfiguration"),
	as("s3", "PutBucketEncryption DeleteBucketEncryption", "PutEncryptionConfiguration"),
	as("s3", "GetBucketIntelligentTieringConfiguration ListBucketIntelligentTieringConfigurations", "GetIntelligentTieringConfiguration"),
	as("s3", "PutBucketIntelligentTieringConfiguration DeleteBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"),
	as("s3", "GetBucketInventoryConfiguration ListBucketInventoryConfigurations", "GetInventoryConfiguration"),
	as("s3", "PutBucketInventoryConfiguration DeleteBucketInventoryConfiguration", "PutInventoryConfiguration"),
	as("s3", "GetBucketLifecycle GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
	as("s3", "PutBucketLifecycle PutBucketLifecycleConfiguration DeleteBucketLifecycle DeleteBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
	as("s3", "GetBucketMetricsConfiguration ListBucketMetricsConfigurations", "GetMetricsConfiguration"),
	as("s3", "PutBucketMetricsConfiguration DeleteBucketMetricsConfiguration", "PutMetricsConfiguration"),
	as("s3", "GetBucketReplication", "GetReplicationConfiguration"),
	as("s3", "PutBucketReplication DeleteBucketReplication", "PutReplicationConfiguration"),
	as("s3", "GetBucketNotificationConfiguration", "GetBucketNotification"),
	as("s3", "PutBucketNotificationConfiguration", "PutBucketNotification"),
	as("s3", "DeleteBucketCors", "PutBucketCORS"),
	as("s3", "DeleteBucketTagging", "PutBucketTagging"),
	as("s3", "DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
	as("s3", "DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"), // CloudTrail's name for DeletePublicAccessBlock
	as("s3", "DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"),
	as("s3", "GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
	as("s3", "PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
	as("s3", "CreateBucketMetadataConfiguration", "CreateBucketMetadataTableConfiguration"),
	as("s3", "GetBucketMetadataConfiguration", "GetBucketMetadataTableConfiguration"),
	as("s3", "DeleteBucketMetadataConfiguration", "DeleteBucketMetadataTableConfiguration"),

	// What a directory bucket's zonal endpoint serves, it serves to sessions (T79).
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
	as("s3express", `AbortMultipartUpload CompleteMultipartUpload CreateMultipartUpload DeleteObject DeleteObjects
		DeleteMultipleObjects GetObject GetObjectAttributes HeadBucket HeadObject ListMultipartUploads ListObjectsV2 ListParts PutObject
		RenameObject UploadPart`, "CreateSession"),
	as("s3express", "ListBuckets ListDirectoryBuckets", "ListAllMyDirectoryBuckets"),
}

// s3Family are the services that have S3's API under a prefix of their own.
var s3Family = []string{"s3-outposts", "s3express", "s3-object-lambda"}

// outpostsOperations are the operations on buckets that S3 Control has for S3 on Outposts alone.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
var outpostsOperations = strings.Fields(`CreateBucket DeleteBucket GetBucket ListRegionalBuckets
	GetBucketPolicy PutBucketPolicy DeleteBucketPolicy GetBucketTagging PutBucketTagging DeleteBucketTagging
	GetBucketLifecycleConfiguration PutBucketLifecycleConfiguration DeleteBucketLifecycleConfiguration
	GetBucketReplication PutBucketReplication DeleteBucketReplication GetBucketVersioning PutBucketVersioning`)

// s3Prefix tells the services behind S3's event source apart: by the host that was called (T79) and by
// the bucket or access point that is named.
func s3Prefix(c Call) string {
	p := newParams(c.Parameters)
	host := hostOf(c, p)
	switch {
	case strings.HasPrefix(host, "s3express-control."), strings.Contains(host, ".s3express-"):
		return "s3express"
	case strings.HasPrefix(host, "s3-outposts."), strings.Contains(host, ".s3-outposts."):
		return "s3-outposts"
	case strings.HasPrefix(host, "s3-object-lambda."), strings.Contains(host, ".s3-object-lambda."):
		return "s3-object-lambda"
	}
	for _, param := range []string{"bucketName", "bucket", "name"} {
		if name, state := p.one(param); state == given {
			if prefix, ok := s3PrefixOf(name); ok {
				return prefix
			}
		}
	}
	if s3Control(c, p) && slices.ContainsFunc(outpostsOperations, func(o string) bool { return strings.EqualFold(o, c.Operation) }) {
		return "s3-outposts"
	}
	return "s3"
}

// s3Suffixes end the names and aliases that say which of S3's services they belong to.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var s3Suffixes = []struct{ suffix, prefix string }{
	{"--x-s3", "s3express"},
	{"--xa-s3", "s3express"}, // an access point of a directory bucket
	{"--ol-s3", "s3-object-lambda"},
	{"--op-s3", "s3-outposts"},
}

// s3PrefixOf returns the service that a name, alias or ARN tells.
func s3PrefixOf(name string) (string, bool) {
	if a, ok := policy.ParseARN(name); ok {
		return a.Service, slices.Contains(s3Family, a.Service)
	}
	for _, s := range s3Suffixes {
		if strings.HasSuffix(name, s.suffix) {
			return s.prefix, true
		}
	}
	return "", false
}

// accountLevel reports whether an S3 call is one of S3 Control's, about the account (T79).
func (d *derivation) accountLevel() bool { return s3Control(d.call, d.params) }

func s3Control(c Call, p params) bool {
	host := hostOf(c, p)
	return foldService(serviceName(c)) == "s3control" || strings.HasPrefix(host, "s3-control.") || strings.Contains(host, ".s3-control.")
}

// hostOf returns the host that was called, in lower case, "" if it wasn't recorded.
func hostOf(c Call, p params) string {
	host := c.Host
	if host == "" {
		host, _ = p.one("Host")
	}
	return strings.ToLower(host)
}

// session is the permission that a directory bucket's zonal endpoint checks (T79).
func (d *derivation) session() []Request {
	if name, _ := d.params.one("bucketName", "bucket"); strings.HasSuffix(name, "--xa-s3") {
		// An alias doesn't tell which access point it is.
		any := evaluator.Resource{ARN: "arn:" + d.partition + ":s3express:" + d.region + ":*:*", Pattern: true}
		return d.on("s3express:CreateSession", FromTable, true, []evaluator.Resource{any})
	}
	return d.ask("s3express:CreateSession", FromTable)
}

// zonal reports whether a call went to a directory bucket's zonal endpoint, which all calls on objects do.
func (d *derivation) zonal() bool {
	if d.prefix != "s3express" {
		return false
	}
	_, object := d.params.one("key")
	return object == given || strings.Contains(hostOf(d.call, d.params), ".s3express-")
}

// copyToDirectory needs a session on the directory bucket that it writes, and to read the source.
func (d *derivation) copyToDirectory() []Request { return append(d.session(), d.readSource()) }
