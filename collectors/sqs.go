package collectors

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// sqsPart is the policies of queues.
var sqsPart = part{
	name:        "resources/sqs",
	scope:       perRegion,
	types:       []string{"queue"},
	permissions: []string{"sqs:GetQueueAttributes", "sqs:ListQueues"},
	one: &single{upTo("", "/:"), func(ctx context.Context, c *collection, arn policy.ARN) {
		api := sqs.NewFromConfig(c.cfg)
		list := sqs.NewListQueuesPaginator(api, &sqs.ListQueuesInput{QueueNamePrefix: &arn.Resource, MaxResults: aws.Int32(1000)})
		for url := range listed(ctx, c, "sqs:ListQueues", "", list, func(p *sqs.ListQueuesOutput) []string { return p.QueueUrls }) {
			if strings.HasSuffix(url, "/"+arn.Resource) {
				addQueue(ctx, c, api, url)
			}
		}
	}},
	collect: func(ctx context.Context, c *collection) {
		api := sqs.NewFromConfig(c.cfg)
		// Without MaxResults a list of more than a thousand queues just ends.
		list := sqs.NewListQueuesPaginator(api, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)})
		all := listed(ctx, c, "sqs:ListQueues", "", list, func(p *sqs.ListQueuesOutput) []string { return p.QueueUrls })
		forEach(ctx, c, all, func(ctx context.Context, url string) { addQueue(ctx, c, api, url) })
	},
}

// addQueue reads the policy of a queue, and leaves the queue out if it is gone by now.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func addQueue(ctx context.Context, c *collection, api *sqs.Client, url string) {
	i := newItem(c.arn("sqs", url[strings.LastIndexByte(url, '/')+1:]), "queue") // the URL ends in the name
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       &url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNamePolicy, types.QueueAttributeNameQueueArn},
	})
	if isCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return
	}
	if c.hasPolicy(i, "sqs:GetQueueAttributes", err) {
		i.ARN = cmp.Or(out.Attributes[string(types.QueueAttributeNameQueueArn)], i.ARN)
		i.Policy = documentOf(out.Attributes[string(types.QueueAttributeNamePolicy)])
	}
	c.add(i)
}
