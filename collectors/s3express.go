package collectors

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// s3expressPart is the policies of S3's directory buckets and of the access points to them. They have no
// ACLs, and Block Public Access is always on.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-best-practices.html
var s3expressPart = part{
	name:  "resources/s3express",
	scope: perRegion,
	types: []string{"bucket", "access point"},
	permissions: []string{
		"s3express:GetAccessPointPolicy", "s3express:GetAccessPointScope", "s3express:GetBucketPolicy",
		"s3express:ListAccessPointsForDirectoryBuckets", "s3express:ListAllMyDirectoryBuckets",
	},
	collect: func(ctx context.Context, c *collection) {
		directoryBuckets(ctx, c)
		directoryAccessPoints(ctx, c)
	},
}

// directoryBuckets collects the directory buckets of a region.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListDirectoryBuckets.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
func directoryBuckets(ctx context.Context, c *collection) {
	api := s3.NewFromConfig(c.cfg)
	list := s3.NewListDirectoryBucketsPaginator(api, &s3.ListDirectoryBucketsInput{})
	all := listed(ctx, c, "s3express:ListAllMyDirectoryBuckets", "", list, func(p *s3.ListDirectoryBucketsOutput) []s3types.Bucket { return p.Buckets })
	forEach(ctx, c, all, func(ctx context.Context, b s3types.Bucket) {
		i := newItem(cmp.Or(aws.ToString(b.BucketArn), c.arn("s3express", "bucket/"+aws.ToString(b.Name))), "bucket")
		out, err := api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b.Name})
		if isCode(err, "NoSuchBucket") { // it is gone by now
			return
		}
		if c.hasPolicy(i, "s3express:GetBucketPolicy", err, "NoSuchBucketPolicy") {
			i.Policy = documentOf(aws.ToString(out.Policy))
		}
		c.add(i)
	})
}

// A directoryPointExtra says what is behind an access point, and to which part of it a scope limits it.
type directoryPointExtra struct {
	Bucket          string        `json:"bucket"`
	BucketAccountID string        `json:"bucketAccountId,omitempty"`
	NetworkOrigin   string        `json:"networkOrigin"`
	VpcID           string        `json:"vpcId,omitempty"`
	Scope           *scopeOfPoint `json:"scope,omitempty"`
}

// A scopeOfPoint is what an access point is for, whatever policies allow; of an empty list, for all.
type scopeOfPoint struct {
	Permissions []controltypes.ScopePermission `json:"permissions,omitempty"`
	Prefixes    []string                       `json:"prefixes,omitempty"`
}

// directoryAccessPoints collects the access points to directory buckets of a region.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPointsForDirectoryBuckets.html
func directoryAccessPoints(ctx context.Context, c *collection) {
	api := s3control.NewFromConfig(c.cfg)
	list := s3control.NewListAccessPointsForDirectoryBucketsPaginator(api, &s3control.ListAccessPointsForDirectoryBucketsInput{AccountId: &c.account})
	all := listed(ctx, c, "s3express:ListAccessPointsForDirectoryBuckets", "", list, func(p *s3control.ListAccessPointsForDirectoryBucketsOutput) []controltypes.AccessPoint {
		return p.AccessPointList
	})
	forEach(ctx, c, all, func(ctx context.Context, point controltypes.AccessPoint) {
		i := newItem(cmp.Or(aws.ToString(point.AccessPointArn), c.arn("s3express", "accesspoint/"+aws.ToString(point.Name))), "access point")
		out, err := api.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: &c.account, Name: point.Name})
		if isCode(err, "NoSuchAccessPoint") {
			return
		}
		if c.hasPolicy(i, "s3express:GetAccessPointPolicy", err, "NoSuchAccessPointPolicy") {
			i.Policy = documentOf(aws.ToString(out.Policy))
		}
		extra := directoryPointExtra{Bucket: aws.ToString(point.Bucket), BucketAccountID: aws.ToString(point.BucketAccountId), NetworkOrigin: string(point.NetworkOrigin)}
		if point.VpcConfiguration != nil {
			extra.VpcID = aws.ToString(point.VpcConfiguration.VpcId)
		}
		extra.Scope = pointScope(ctx, c, api, i.ARN, point.Name)
		i.Extra = extra
		c.add(i)
	})
}

// pointScope reads the scope of an access point; nil if AWS doesn't say.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetAccessPointScope.html
func pointScope(ctx context.Context, c *collection, api *s3control.Client, arn string, name *string) *scopeOfPoint {
	out, err := api.GetAccessPointScope(ctx, &s3control.GetAccessPointScopeInput{AccountId: &c.account, Name: name})
	switch {
	case isCode(err, "NoSuchAccessPoint"):
		return nil
	case err != nil:
		c.fail("s3express:GetAccessPointScope", arn, err)
		return nil
	case out.Scope == nil:
		return &scopeOfPoint{}
	}
	return &scopeOfPoint{out.Scope.Permissions, out.Scope.Prefixes}
}
