package collectors

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// s3expressPart is the policies of directory buckets, which are S3 Express's: neither ACLs nor Block Public
// Access have anything to say about them.
var s3expressPart = part{
	name:        "resources/s3express",
	scope:       perRegion,
	types:       []string{"bucket"},
	permissions: []string{"s3express:GetBucketPolicy", "s3express:ListAllMyDirectoryBuckets"},
	collect: func(ctx context.Context, c *collection) {
		api := s3.NewFromConfig(c.cfg)
		list := s3.NewListDirectoryBucketsPaginator(api, &s3.ListDirectoryBucketsInput{})
		all := listed(ctx, c, "s3express:ListAllMyDirectoryBuckets", "", list, func(p *s3.ListDirectoryBucketsOutput) []types.Bucket { return p.Buckets })
		forEach(ctx, c, all, func(ctx context.Context, b types.Bucket) { addDirectoryBucket(ctx, c, api, b) })
	},
}

// addDirectoryBucket reads the policy of a directory bucket, and leaves the bucket out if it is gone by now.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
func addDirectoryBucket(ctx context.Context, c *collection, api *s3.Client, b types.Bucket) {
	i := newItem(cmp.Or(aws.ToString(b.BucketArn), c.arn("s3express", "bucket/"+aws.ToString(b.Name))), "bucket")
	out, err := api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b.Name})
	if isCode(err, "NoSuchBucket") {
		return
	}
	if c.hasPolicy(i, "s3express:GetBucketPolicy", err, "NoSuchBucketPolicy") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	c.add(i)
}
