package collectors

import (
	"cmp"
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// s3Part is the policies of buckets and access points, and what guards them besides: Block Public
// Access, Object Ownership, ACLs. One list has the buckets of all regions, whichever are to be asked.
var s3Part = part{
	name:    "resources/s3",
	scope:   perAccount,
	regions: true, // of access points
	types:   []string{"bucket", "access point"},
	permissions: []string{
		"s3:GetAccessPoint", "s3:GetAccessPointPolicy", "s3:GetAccountPublicAccessBlock", "s3:GetBucketAbac", "s3:GetBucketAcl",
		"s3:GetBucketLocation", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
		"s3:GetMultiRegionAccessPointPolicy", "s3:ListAccessPoints", "s3:ListAllMyBuckets", "s3:ListMultiRegionAccessPoints",
	},
	one: &single{bucketOf, oneBucket},
	collect: func(ctx context.Context, c *collection) {
		var wg sync.WaitGroup
		wg.Go(func() { buckets(ctx, c) })
		wg.Go(func() { multiRegionAccessPoints(ctx, c) })
		for _, region := range c.regions {
			wg.Go(func() { accessPoints(ctx, c.at(region)) })
		}
		wg.Wait()
	},
}

// buckets collects the account's buckets.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func buckets(ctx context.Context, c *collection) {
	api := s3.NewFromConfig(c.cfg)
	account, known := accountBlock(ctx, c)
	// Only a list that is asked for in pages has the regions.
	list := s3.NewListBucketsPaginator(api, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)})
	all := listed(ctx, c, "s3:ListAllMyBuckets", "", list, func(p *s3.ListBucketsOutput) []s3types.Bucket { return p.Buckets })
	forEach(ctx, c, all, func(ctx context.Context, listed s3types.Bucket) {
		b := &bucket{c: c, api: api, name: aws.ToString(listed.Name), extra: map[string]any{}}
		if known {
			b.extra["accountPublicAccessBlock"] = account
		}
		b.collect(ctx, aws.ToString(listed.BucketRegion))
	})
}

// bucketOf is the bucket that an ARN is of; an access point's hasn't got that.
func bucketOf(arn policy.ARN) (policy.ARN, bool) {
	bucket, ok := upTo("", "/")(arn)
	return bucket, ok && arn.Region == "" && arn.Account == ""
}

// oneBucket collects a bucket, if it is the account's: the list of an account's own is what tells.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func oneBucket(ctx context.Context, c *collection, arn policy.ARN) {
	api := s3.NewFromConfig(c.cfg)
	list := s3.NewListBucketsPaginator(api, &s3.ListBucketsInput{Prefix: &arn.Resource, MaxBuckets: aws.Int32(1000)})
	for found := range listed(ctx, c, "s3:ListAllMyBuckets", arn.String(), list, func(p *s3.ListBucketsOutput) []s3types.Bucket { return p.Buckets }) {
		if aws.ToString(found.Name) != arn.Resource {
			continue
		}
		b := &bucket{c: c, api: api, name: arn.Resource, extra: map[string]any{}}
		if account, known := accountBlock(ctx, c); known {
			b.extra["accountPublicAccessBlock"] = account
		}
		b.collect(ctx, aws.ToString(found.BucketRegion))
		return
	}
}

// accountBlock is the Block Public Access of the account, or nil if there is none; known
// is false if AWS doesn't say. What the organisation sets is in it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
func accountBlock(ctx context.Context, c *collection) (block *publicAccessBlock, known bool) {
	out, err := s3control.NewFromConfig(c.cfg).GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: &c.account})
	switch {
	case isCode(err, "NoSuchPublicAccessBlockConfiguration"):
		return nil, true
	case err != nil:
		c.fail("s3:GetAccountPublicAccessBlock", c.account, err)
		return nil, false
	}
	return controlBlock(out.PublicAccessBlockConfiguration), true
}

// A publicAccessBlock is a configuration of Block Public Access; what is left out is off.
type publicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

func controlBlock(b *controltypes.PublicAccessBlockConfiguration) *publicAccessBlock {
	if b == nil {
		return nil
	}
	return &publicAccessBlock{aws.ToBool(b.BlockPublicAcls), aws.ToBool(b.IgnorePublicAcls), aws.ToBool(b.BlockPublicPolicy), aws.ToBool(b.RestrictPublicBuckets)}
}

// A bucket is a bucket in the making.
type bucket struct {
	c     *collection
	api   *s3.Client
	name  string
	extra map[string]any // members are left out if AWS doesn't say
	gone  bool           // since it was listed
}

// failed is for a call that didn't tell what it was to tell of the bucket.
func (b *bucket) failed(action string, err error) {
	if isCode(err, "NoSuchBucket") {
		b.gone = true
		return
	}
	b.c.fail(action, b.arn(), err)
}

func (b *bucket) arn() string { return "arn:" + b.c.partition + ":s3:::" + b.name }

// collect reads the bucket, and leaves it out if it is gone by now.
func (b *bucket) collect(ctx context.Context, region string) {
	i := newItem(b.arn(), "bucket")
	i.Extra = b.extra
	if region == "" {
		found, err := b.region(ctx)
		if isCode(err, "NoSuchBucket") {
			return
		}
		if err != nil {
			b.c.lost(i, "s3:GetBucketLocation", err)
			b.c.add(i)
			return
		}
		region = found
	}
	at := func(o *s3.Options) { o.Region = region }
	out, err := b.api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &b.name}, at)
	if isCode(err, "NoSuchBucket") {
		return
	}
	if b.c.hasPolicy(i, "s3:GetBucketPolicy", err, "NoSuchBucketPolicy") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	b.block(ctx, at)
	b.ownership(ctx, at)
	if b.extra["objectOwnership"] != string(s3types.ObjectOwnershipBucketOwnerEnforced) { // else there are no ACLs
		b.acl(ctx, at)
	}
	b.abac(ctx, at)
	if !b.gone {
		b.c.add(i)
	}
}

// region is where the bucket is: nobody answers for it elsewhere.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
func (b *bucket) region(ctx context.Context) (string, error) {
	out, err := b.api.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: &b.name})
	if err != nil {
		return "", err
	}
	return regionOf(out.LocationConstraint), nil
}

// regionOf is the region that a location constraint means: two are older than regions' names.
func regionOf(l s3types.BucketLocationConstraint) string {
	switch l {
	case "":
		return "us-east-1"
	case s3types.BucketLocationConstraintEu:
		return "eu-west-1"
	}
	return string(l)
}

// block reads Block Public Access.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
func (b *bucket) block(ctx context.Context, at func(*s3.Options)) {
	out, err := b.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &b.name}, at)
	switch {
	case isCode(err, "NoSuchPublicAccessBlockConfiguration"):
		b.extra["publicAccessBlock"] = nil
	case err != nil:
		b.failed("s3:GetBucketPublicAccessBlock", err)
	case out.PublicAccessBlockConfiguration != nil:
		p := out.PublicAccessBlockConfiguration
		b.extra["publicAccessBlock"] = publicAccessBlock{aws.ToBool(p.BlockPublicAcls), aws.ToBool(p.IgnorePublicAcls), aws.ToBool(p.BlockPublicPolicy), aws.ToBool(p.RestrictPublicBuckets)}
	}
}

// ownership reads Object Ownership, which a bucket of before 2023 may not have.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html
func (b *bucket) ownership(ctx context.Context, at func(*s3.Options)) {
	out, err := b.api.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b.name}, at)
	switch {
	case isCode(err, "OwnershipControlsNotFoundError"):
		b.extra["objectOwnership"] = nil
	case err != nil:
		b.failed("s3:GetBucketOwnershipControls", err)
	case out.OwnershipControls != nil && len(out.OwnershipControls.Rules) > 0:
		b.extra["objectOwnership"] = string(out.OwnershipControls.Rules[0].ObjectOwnership)
	}
}

// An acl is the output of GetBucketAcl, without names for people to read.
type acl struct {
	Owner  aclOwner
	Grants []aclGrant
}

type (
	aclOwner struct{ ID string }
	aclGrant struct {
		Grantee    aclGrantee
		Permission string
	}
	aclGrantee struct {
		Type         string
		ID           string `json:",omitempty"`
		URI          string `json:",omitempty"`
		EmailAddress string `json:",omitempty"`
	}
)

// acl reads the bucket's ACL.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
func (b *bucket) acl(ctx context.Context, at func(*s3.Options)) {
	out, err := b.api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &b.name}, at)
	if err != nil {
		b.failed("s3:GetBucketAcl", err)
		return
	}
	list := acl{Grants: []aclGrant{}}
	if out.Owner != nil {
		list.Owner.ID = aws.ToString(out.Owner.ID)
	}
	for _, g := range out.Grants {
		to := cmp.Or(g.Grantee, &s3types.Grantee{})
		list.Grants = append(list.Grants, aclGrant{
			Grantee:    aclGrantee{string(to.Type), aws.ToString(to.ID), aws.ToString(to.URI), aws.ToString(to.EmailAddress)},
			Permission: string(g.Permission),
		})
	}
	b.extra["acl"] = list
}

// abac reads whether tags of the bucket count in conditions (rule S22). Nothing is said where S3 doesn't have that yet.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAbac.html
func (b *bucket) abac(ctx context.Context, at func(*s3.Options)) {
	out, err := b.api.GetBucketAbac(ctx, &s3.GetBucketAbacInput{Bucket: &b.name}, at)
	switch {
	case isCode(err, "MethodNotAllowed", "NotImplemented"):
	case err != nil:
		b.failed("s3:GetBucketAbac", err)
	case out.AbacStatus != nil && out.AbacStatus.Status != "":
		b.extra["abac"] = string(out.AbacStatus.Status)
	}
}

// An accessPointExtra is what the output of GetAccessPoint says of what is behind the access point.
type accessPointExtra struct {
	Bucket            string             `json:"bucket"`
	BucketAccountID   string             `json:"bucketAccountId,omitempty"`
	NetworkOrigin     string             `json:"networkOrigin"`
	VpcID             string             `json:"vpcId,omitempty"`
	PublicAccessBlock *publicAccessBlock `json:"publicAccessBlock"`
}

// accessPoints collects the access points of a region.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
func accessPoints(ctx context.Context, c *collection) {
	api := s3control.NewFromConfig(c.cfg)
	list := s3control.NewListAccessPointsPaginator(api, &s3control.ListAccessPointsInput{AccountId: &c.account, MaxResults: 1000})
	all := listed(ctx, c, "s3:ListAccessPoints", "", list, func(p *s3control.ListAccessPointsOutput) []controltypes.AccessPoint { return p.AccessPointList })
	forEach(ctx, c, all, func(ctx context.Context, point controltypes.AccessPoint) {
		i := newItem(cmp.Or(aws.ToString(point.AccessPointArn), c.arn("s3", "accesspoint/"+aws.ToString(point.Name))), "access point")
		out, err := api.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: &c.account, Name: point.Name})
		if isCode(err, "NoSuchAccessPoint") {
			return
		}
		if c.hasPolicy(i, "s3:GetAccessPointPolicy", err, "NoSuchAccessPointPolicy") {
			i.Policy = documentOf(aws.ToString(out.Policy))
		}
		if extra, err := readAccessPoint(ctx, c, api, point.Name); err != nil {
			c.fail("s3:GetAccessPoint", i.ARN, err)
		} else {
			i.Extra = extra
		}
		c.add(i)
	})
}

// readAccessPoint asks for the one thing that the list doesn't have: Block Public Access.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetAccessPoint.html
func readAccessPoint(ctx context.Context, c *collection, api *s3control.Client, name *string) (*accessPointExtra, error) {
	out, err := api.GetAccessPoint(ctx, &s3control.GetAccessPointInput{AccountId: &c.account, Name: name})
	if err != nil {
		return nil, err
	}
	extra := &accessPointExtra{
		Bucket: aws.ToString(out.Bucket), BucketAccountID: aws.ToString(out.BucketAccountId), NetworkOrigin: string(out.NetworkOrigin),
		PublicAccessBlock: controlBlock(out.PublicAccessBlockConfiguration),
	}
	if out.VpcConfiguration != nil {
		extra.VpcID = aws.ToString(out.VpcConfiguration.VpcId)
	}
	return extra, nil
}

// A multiRegionExtra says which buckets are behind a multi-Region access point.
type multiRegionExtra struct {
	Buckets           []multiRegionBucket `json:"buckets"`
	PublicAccessBlock *publicAccessBlock  `json:"publicAccessBlock"`
}

type multiRegionBucket struct {
	Bucket          string `json:"bucket"`
	BucketAccountID string `json:"bucketAccountId,omitempty"`
	Region          string `json:"region"`
}

// multiRegionHome is the region that answers for multi-Region access points.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MrapOperations.html
const multiRegionHome = "us-west-2"

// multiRegionAccessPoints collects those of the account, which other partitions than AWS's own don't have.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListMultiRegionAccessPoints.html
func multiRegionAccessPoints(ctx context.Context, c *collection) {
	if c.partition != "aws" {
		return
	}
	api := s3control.NewFromConfig(c.in(multiRegionHome))
	list := s3control.NewListMultiRegionAccessPointsPaginator(api, &s3control.ListMultiRegionAccessPointsInput{AccountId: &c.account})
	all := listed(ctx, c, "s3:ListMultiRegionAccessPoints", "", list, func(p *s3control.ListMultiRegionAccessPointsOutput) []controltypes.MultiRegionAccessPointReport {
		return p.AccessPoints
	})
	forEach(ctx, c, all, func(ctx context.Context, point controltypes.MultiRegionAccessPointReport) {
		i := newItem("arn:"+c.partition+":s3::"+c.account+":accesspoint/"+aws.ToString(point.Alias), "access point")
		extra := multiRegionExtra{Buckets: []multiRegionBucket{}, PublicAccessBlock: controlBlock(point.PublicAccessBlock)}
		for _, r := range point.Regions {
			extra.Buckets = append(extra.Buckets, multiRegionBucket{aws.ToString(r.Bucket), aws.ToString(r.BucketAccountId), aws.ToString(r.Region)})
		}
		i.Extra = extra
		out, err := api.GetMultiRegionAccessPointPolicy(ctx, &s3control.GetMultiRegionAccessPointPolicyInput{AccountId: &c.account, Name: point.Name})
		if isCode(err, "NoSuchMultiRegionAccessPoint") {
			return
		}
		if c.hasPolicy(i, "s3:GetMultiRegionAccessPointPolicy", err, "NoSuchAccessPointPolicy") {
			i.Policy = noPolicy
			if out.Policy != nil && out.Policy.Established != nil { // what is merely proposed isn't in force
				i.Policy = documentOf(aws.ToString(out.Policy.Established.Policy))
			}
		}
		c.add(i)
	})
}
