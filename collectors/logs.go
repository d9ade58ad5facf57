package collectors

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// logsPart is CloudWatch Logs' resource policies, of the account and of single log groups, and the
// policies of destinations.
var logsPart = part{
	name:  "resources/logs",
	scope: perRegion,
	types: []string{"log group", "destination", "delivery destination"},
	permissions: []string{
		"logs:DescribeDeliveryDestinations", "logs:DescribeDestinations", "logs:DescribeResourcePolicies", "logs:GetDeliveryDestinationPolicy",
	},
	collect: func(ctx context.Context, c *collection) {
		api := cloudwatchlogs.NewFromConfig(c.cfg)
		for _, scope := range []types.PolicyScope{types.PolicyScopeAccount, types.PolicyScopeResource} {
			logPolicies(ctx, c, api, scope)
		}
		destinations(ctx, c, api)
		deliveryDestinations(ctx, c, api)
	},
}

// logPolicies collects the resource policies of a scope. One of the account names the log groups that it is
// about, and has no ARN of AWS's making: here it is its name's, below the account.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html
func logPolicies(ctx context.Context, c *collection, api *cloudwatchlogs.Client, scope types.PolicyScope) {
	list := &tokenPaginator[*cloudwatchlogs.DescribeResourcePoliciesOutput]{next: func(ctx context.Context, token *string) (*cloudwatchlogs.DescribeResourcePoliciesOutput, *string, error) {
		in := &cloudwatchlogs.DescribeResourcePoliciesInput{NextToken: token}
		if scope != types.PolicyScopeAccount { // which is the default
			in.PolicyScope = scope
		}
		out, err := api.DescribeResourcePolicies(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out, out.NextToken, nil
	}}
	all := listed(ctx, c, "logs:DescribeResourcePolicies", "", list, func(p *cloudwatchlogs.DescribeResourcePoliciesOutput) []types.ResourcePolicy {
		return p.ResourcePolicies
	})
	for p := range all {
		i := newItem(strings.TrimSuffix(aws.ToString(p.ResourceArn), ":*"), "log group")
		if ofAccount := i.ARN == ""; ofAccount != (scope == types.PolicyScopeAccount) {
			continue // the other list has it: not all that answer know scopes
		} else if ofAccount {
			i = newItem(c.arn("logs", "resource-policy:"+aws.ToString(p.PolicyName)), "resource policy")
		}
		i.Policy = documentOf(aws.ToString(p.PolicyDocument))
		c.add(i)
	}
}

// destinations collects the destinations of subscriptions, whose policies the list has.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeDestinations.html
func destinations(ctx context.Context, c *collection, api *cloudwatchlogs.Client) {
	list := cloudwatchlogs.NewDescribeDestinationsPaginator(api, &cloudwatchlogs.DescribeDestinationsInput{})
	for d := range listed(ctx, c, "logs:DescribeDestinations", "", list, func(p *cloudwatchlogs.DescribeDestinationsOutput) []types.Destination { return p.Destinations }) {
		i := newItem(aws.ToString(d.Arn), "destination")
		i.Policy = documentOf(aws.ToString(d.AccessPolicy))
		c.add(i)
	}
}

// deliveryDestinations collects the destinations of deliveries.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetDeliveryDestinationPolicy.html
func deliveryDestinations(ctx context.Context, c *collection, api *cloudwatchlogs.Client) {
	list := cloudwatchlogs.NewDescribeDeliveryDestinationsPaginator(api, &cloudwatchlogs.DescribeDeliveryDestinationsInput{})
	all := listed(ctx, c, "logs:DescribeDeliveryDestinations", "", list, func(p *cloudwatchlogs.DescribeDeliveryDestinationsOutput) []types.DeliveryDestination {
		return p.DeliveryDestinations
	})
	forEach(ctx, c, all, func(ctx context.Context, d types.DeliveryDestination) {
		i := newItem(aws.ToString(d.Arn), "delivery destination")
		out, err := api.GetDeliveryDestinationPolicy(ctx, &cloudwatchlogs.GetDeliveryDestinationPolicyInput{DeliveryDestinationName: d.Name})
		if c.hasPolicy(i, "logs:GetDeliveryDestinationPolicy", err, "ResourceNotFoundException") {
			i.Policy = noPolicy
			if out.Policy != nil {
				i.Policy = documentOf(aws.ToString(out.Policy.DeliveryDestinationPolicy))
			}
		}
		c.add(i)
	})
}
