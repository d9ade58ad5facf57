package collectors

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// kinesisPart is the policies of streams and of their registered consumers.
var kinesisPart = part{
	name:        "resources/kinesis",
	scope:       perRegion,
	types:       []string{"stream", "consumer"},
	permissions: []string{"kinesis:GetResourcePolicy", "kinesis:ListStreamConsumers", "kinesis:ListStreams"},
	collect: func(ctx context.Context, c *collection) {
		api := kinesis.NewFromConfig(c.cfg)
		list := kinesis.NewListStreamsPaginator(api, &kinesis.ListStreamsInput{})
		all := listed(ctx, c, "kinesis:ListStreams", "", list, func(p *kinesis.ListStreamsOutput) []types.StreamSummary { return p.StreamSummaries })
		forEach(ctx, c, all, func(ctx context.Context, s types.StreamSummary) {
			addStream(ctx, c, api, aws.ToString(s.StreamARN), "stream")
			consumers := kinesis.NewListStreamConsumersPaginator(api, &kinesis.ListStreamConsumersInput{StreamARN: s.StreamARN})
			for consumer := range listed(ctx, c, "kinesis:ListStreamConsumers", aws.ToString(s.StreamARN), consumers, func(p *kinesis.ListStreamConsumersOutput) []types.Consumer {
				return p.Consumers
			}) {
				addStream(ctx, c, api, aws.ToString(consumer.ConsumerARN), "consumer")
			}
		})
	},
}

// addStream reads the policy of a stream or a consumer.
//
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetResourcePolicy.html
func addStream(ctx context.Context, c *collection, api *kinesis.Client, arn, typ string) {
	i := newItem(arn, typ)
	out, err := api.GetResourcePolicy(ctx, &kinesis.GetResourcePolicyInput{ResourceARN: &arn})
	if c.hasPolicy(i, "kinesis:GetResourcePolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.Policy))
		if bytes.Equal(i.Policy, []byte("{}")) { // not documented: what has no policy may have an empty one
			i.Policy = noPolicy
		}
	}
	c.add(i)
}
