package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// eventsPart is the policies of EventBridge's event buses, which the list has.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html
var eventsPart = part{
	name:        "resources/events",
	scope:       perRegion,
	types:       []string{"event bus"},
	permissions: []string{"events:ListEventBuses"},
	collect: func(ctx context.Context, c *collection) {
		api := eventbridge.NewFromConfig(c.cfg)
		list := &tokenPaginator[*eventbridge.ListEventBusesOutput]{next: func(ctx context.Context, token *string) (*eventbridge.ListEventBusesOutput, *string, error) {
			out, err := api.ListEventBuses(ctx, &eventbridge.ListEventBusesInput{NextToken: token, Limit: aws.Int32(100)})
			if err != nil {
				return nil, nil, err
			}
			return out, out.NextToken, nil
		}}
		for bus := range listed(ctx, c, "events:ListEventBuses", "", list, func(p *eventbridge.ListEventBusesOutput) []types.EventBus { return p.EventBuses }) {
			i := newItem(aws.ToString(bus.Arn), "event bus")
			i.Policy = documentOf(aws.ToString(bus.Policy))
			c.add(i)
		}
	},
}
