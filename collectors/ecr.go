package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// ecrPart is the policies of repositories, and of the registry that each region has.
var ecrPart = part{
	name:        "resources/ecr",
	scope:       perRegion,
	types:       []string{"repository", "registry"},
	permissions: []string{"ecr:DescribeRepositories", "ecr:GetRegistryPolicy", "ecr:GetRepositoryPolicy"},
	collect: func(ctx context.Context, c *collection) {
		api := ecr.NewFromConfig(c.cfg)
		addRegistry(ctx, c, api)
		list := ecr.NewDescribeRepositoriesPaginator(api, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1000)})
		all := listed(ctx, c, "ecr:DescribeRepositories", "", list, func(p *ecr.DescribeRepositoriesOutput) []types.Repository { return p.Repositories })
		forEach(ctx, c, all, func(ctx context.Context, r types.Repository) { addRepository(ctx, c, api, r) })
	},
}

// addRegistry reads the policy of the registry, which has no ARN of AWS's making.
//
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryPolicy.html
func addRegistry(ctx context.Context, c *collection, api *ecr.Client) {
	i := newItem(c.arn("ecr", "registry"), "registry")
	out, err := api.GetRegistryPolicy(ctx, &ecr.GetRegistryPolicyInput{})
	if c.hasPolicy(i, "ecr:GetRegistryPolicy", err, "RegistryPolicyNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.PolicyText))
	}
	c.add(i)
}

// addRepository reads the policy of a repository, and leaves the repository out if it is gone by now.
//
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html
func addRepository(ctx context.Context, c *collection, api *ecr.Client, r types.Repository) {
	i := newItem(aws.ToString(r.RepositoryArn), "repository")
	out, err := api.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RegistryId: r.RegistryId, RepositoryName: r.RepositoryName})
	if isCode(err, "RepositoryNotFoundException") {
		return
	}
	if c.hasPolicy(i, "ecr:GetRepositoryPolicy", err, "RepositoryPolicyNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.PolicyText))
	}
	c.add(i)
}
