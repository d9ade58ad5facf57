package collectors

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// dynamodbPart is the policies of tables, which are those of their indexes, and of streams.
var dynamodbPart = part{
	name:        "resources/dynamodb",
	scope:       perRegion,
	types:       []string{"table", "stream"},
	permissions: []string{"dynamodb:DescribeTable", "dynamodb:GetResourcePolicy", "dynamodb:ListTables"},
	one: &single{tableOf, func(ctx context.Context, c *collection, arn policy.ARN) {
		addTable(ctx, c, dynamodb.NewFromConfig(c.cfg), arn.String(), "table")
	}},
	collect: func(ctx context.Context, c *collection) {
		api := dynamodb.NewFromConfig(c.cfg)
		list := dynamodb.NewListTablesPaginator(api, &dynamodb.ListTablesInput{})
		all := listed(ctx, c, "dynamodb:ListTables", "", list, func(p *dynamodb.ListTablesOutput) []string { return p.TableNames })
		forEach(ctx, c, all, func(ctx context.Context, name string) {
			arn := c.arn("dynamodb", "table/"+name)
			addTable(ctx, c, api, arn, "table")
			if stream := tableStream(ctx, c, api, name); stream != "" {
				addTable(ctx, c, api, stream, "stream")
			}
		})
	},
}

// tableOf is the table that an ARN is of, be it of an index; a stream has a policy of its own.
func tableOf(arn policy.ARN) (policy.ARN, bool) {
	table, ok := upTo("table/", "/")(arn)
	return table, ok && !strings.Contains(arn.Resource, "/stream/")
}

// addTable reads the policy of a table or a stream.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html
func addTable(ctx context.Context, c *collection, api *dynamodb.Client, arn, typ string) {
	i := newItem(arn, typ)
	out, err := api.GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
	if isCode(err, "ResourceNotFoundException") { // gone by now
		return
	}
	if c.hasPolicy(i, "dynamodb:GetResourcePolicy", err, "PolicyNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	c.add(i)
}

// tableStream is the ARN of the table's stream; "" if it has none, or isn't known to.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func tableStream(ctx context.Context, c *collection, api *dynamodb.Client, name string) string {
	out, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	switch {
	case isCode(err, "ResourceNotFoundException"):
		return ""
	case err != nil:
		c.fail("dynamodb:DescribeTable", c.arn("dynamodb", "table/"+name), err)
		return ""
	case out.Table == nil:
		return ""
	}
	return aws.ToString(out.Table.LatestStreamArn)
}
