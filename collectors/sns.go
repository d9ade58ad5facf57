package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// snsPart is the policies of topics.
var snsPart = part{
	name:        "resources/sns",
	scope:       perRegion,
	types:       []string{"topic"},
	permissions: []string{"sns:GetTopicAttributes", "sns:ListTopics"},
	one: &single{upTo("", ":"), func(ctx context.Context, c *collection, arn policy.ARN) {
		addTopic(ctx, c, sns.NewFromConfig(c.cfg), arn.String())
	}},
	collect: func(ctx context.Context, c *collection) {
		api := sns.NewFromConfig(c.cfg)
		list := sns.NewListTopicsPaginator(api, &sns.ListTopicsInput{})
		all := listed(ctx, c, "sns:ListTopics", "", list, func(p *sns.ListTopicsOutput) []types.Topic { return p.Topics })
		forEach(ctx, c, all, func(ctx context.Context, t types.Topic) { addTopic(ctx, c, api, aws.ToString(t.TopicArn)) })
	},
}

// addTopic reads the policy of a topic, and leaves the topic out if it is gone by now.
//
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
func addTopic(ctx context.Context, c *collection, api *sns.Client, arn string) {
	i := newItem(arn, "topic")
	out, err := api.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
	if isCode(err, "NotFound") {
		return
	}
	if c.hasPolicy(i, "sns:GetTopicAttributes", err) {
		i.Policy = documentOf(out.Attributes["Policy"])
	}
	c.add(i)
}
