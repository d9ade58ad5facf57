package collectors

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3tables"
	"github.com/aws/aws-sdk-go-v2/service/s3tables/types"
)

// s3tablesPart is the policies of S3's table buckets and of the tables in them.
var s3tablesPart = part{
	name:        "resources/s3tables",
	scope:       perRegion,
	types:       []string{"table bucket", "table"},
	permissions: []string{"s3tables:GetTableBucketPolicy", "s3tables:GetTablePolicy", "s3tables:ListTableBuckets", "s3tables:ListTables"},
	collect: func(ctx context.Context, c *collection) {
		api := s3tables.NewFromConfig(c.cfg)
		list := s3tables.NewListTableBucketsPaginator(api, &s3tables.ListTableBucketsInput{})
		all := listed(ctx, c, "s3tables:ListTableBuckets", "", list, func(p *s3tables.ListTableBucketsOutput) []types.TableBucketSummary { return p.TableBuckets })
		forEach(ctx, c, all, func(ctx context.Context, b types.TableBucketSummary) {
			addTableBucket(ctx, c, api, b.Arn)
			tables := s3tables.NewListTablesPaginator(api, &s3tables.ListTablesInput{TableBucketARN: b.Arn})
			for t := range listed(ctx, c, "s3tables:ListTables", aws.ToString(b.Arn), tables, func(p *s3tables.ListTablesOutput) []types.TableSummary { return p.Tables }) {
				addBucketTable(ctx, c, api, b.Arn, t)
			}
		})
	},
}

// addTableBucket reads the policy of a table bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3Buckets_GetTableBucketPolicy.html
func addTableBucket(ctx context.Context, c *collection, api *s3tables.Client, arn *string) {
	i := newItem(aws.ToString(arn), "table bucket")
	out, err := api.GetTableBucketPolicy(ctx, &s3tables.GetTableBucketPolicyInput{TableBucketARN: arn})
	if c.hasPolicy(i, "s3tables:GetTableBucketPolicy", err, "NotFoundException") {
		i.Policy = documentOf(aws.ToString(out.ResourcePolicy))
	}
	c.add(i)
}

// addBucketTable reads the policy of a table.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3Buckets_GetTablePolicy.html
func addBucketTable(ctx context.Context, c *collection, api *s3tables.Client, bucket *string, t types.TableSummary) {
	i := newItem(aws.ToString(t.TableARN), "table")
	namespace := strings.Join(t.Namespace, ".") // which has one part
	out, err := api.GetTablePolicy(ctx, &s3tables.GetTablePolicyInput{TableBucketARN: bucket, Namespace: &namespace, Name: t.Name})
	if c.hasPolicy(i, "s3tables:GetTablePolicy", err, "NotFoundException") {
		i.Policy = documentOf(aws.ToString(out.ResourcePolicy))
	}
	c.add(i)
}
