package collectors

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// ssmPart is the policies of Systems Manager's parameters, whose values nobody asks for, and of its group of OpsItems.
var ssmPart = part{
	name:        "resources/ssm",
	scope:       perRegion,
	types:       []string{"parameter"},
	permissions: []string{"ssm:DescribeParameters", "ssm:GetResourcePolicies"},
	collect: func(ctx context.Context, c *collection) {
		api := ssm.NewFromConfig(c.cfg)
		addSSM(ctx, c, api, c.arn("ssm", "opsitemgroup/default"))
		list := ssm.NewDescribeParametersPaginator(api, &ssm.DescribeParametersInput{MaxResults: aws.Int32(50)})
		all := listed(ctx, c, "ssm:DescribeParameters", "", list, func(p *ssm.DescribeParametersOutput) []types.ParameterMetadata { return p.Parameters })
		forEach(ctx, c, all, func(ctx context.Context, p types.ParameterMetadata) { addParameter(ctx, c, api, p) })
	},
}

// addParameter reads the policies of a parameter. Only one of the advanced tier can have any.
//
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutResourcePolicy.html
func addParameter(ctx context.Context, c *collection, api *ssm.Client, p types.ParameterMetadata) {
	arn := cmp.Or(aws.ToString(p.ARN), c.arn("ssm", parameterResource(aws.ToString(p.Name))))
	if p.Tier == types.ParameterTierStandard {
		i := newItem(arn, "parameter")
		i.Policy = noPolicy
		c.add(i)
		return
	}
	addSSM(ctx, c, api, arn)
}

// parameterResource is what a parameter is called in an ARN: its name has a slash in front, or gets one.
func parameterResource(name string) string {
	if name != "" && name[0] == '/' {
		return "parameter" + name
	}
	return "parameter/" + name
}

// addSSM reads the policies of a resource.
//
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetResourcePolicies.html
func addSSM(ctx context.Context, c *collection, api *ssm.Client, arn string) {
	i := newItem(arn, "parameter")
	var all []types.GetResourcePoliciesResponseEntry
	for page, err := range pages(ctx, ssm.NewGetResourcePoliciesPaginator(api, &ssm.GetResourcePoliciesInput{ResourceArn: &arn})) {
		if !c.hasPolicy(i, "ssm:GetResourcePolicies", err, "ResourceNotFoundException", "ResourcePolicyNotFoundException") {
			c.add(i)
			return
		}
		all = append(all, page.Policies...)
	}
	slices.SortFunc(all, func(a, b types.GetResourcePoliciesResponseEntry) int {
		return cmp.Compare(aws.ToString(a.PolicyId), aws.ToString(b.PolicyId))
	})
	var documents []document
	for _, p := range all {
		documents = append(documents, documentOf(aws.ToString(p.Policy)))
	}
	i.Policy = policiesOf(documents...)
	c.add(i)
}
