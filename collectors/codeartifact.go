package collectors

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact/types"
)

// codeartifactPart is the policies of domains and repositories.
var codeartifactPart = part{
	name:  "resources/codeartifact",
	scope: perRegion,
	types: []string{"domain", "repository"},
	permissions: []string{
		"codeartifact:GetDomainPermissionsPolicy", "codeartifact:GetRepositoryPermissionsPolicy", "codeartifact:ListDomains", "codeartifact:ListRepositories",
	},
	collect: func(ctx context.Context, c *collection) {
		api := codeartifact.NewFromConfig(c.cfg)
		artifactDomains(ctx, c, api)
		artifactRepositories(ctx, c, api)
	},
}

// artifactDomains collects the account's domains.
//
// https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetDomainPermissionsPolicy.html
func artifactDomains(ctx context.Context, c *collection, api *codeartifact.Client) {
	list := codeartifact.NewListDomainsPaginator(api, &codeartifact.ListDomainsInput{})
	all := listed(ctx, c, "codeartifact:ListDomains", "", list, func(p *codeartifact.ListDomainsOutput) []types.DomainSummary { return p.Domains })
	forEach(ctx, c, all, func(ctx context.Context, d types.DomainSummary) {
		i := newItem(aws.ToString(d.Arn), "domain")
		out, err := api.GetDomainPermissionsPolicy(ctx, &codeartifact.GetDomainPermissionsPolicyInput{Domain: d.Name, DomainOwner: d.Owner})
		if c.hasPolicy(i, "codeartifact:GetDomainPermissionsPolicy", err, "ResourceNotFoundException") {
			i.Policy = artifactPolicy(out.Policy)
		}
		c.add(i)
	})
}

// artifactRepositories collects the repositories in them.
//
// https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetRepositoryPermissionsPolicy.html
func artifactRepositories(ctx context.Context, c *collection, api *codeartifact.Client) {
	list := codeartifact.NewListRepositoriesPaginator(api, &codeartifact.ListRepositoriesInput{})
	all := listed(ctx, c, "codeartifact:ListRepositories", "", list, func(p *codeartifact.ListRepositoriesOutput) []types.RepositorySummary { return p.Repositories })
	forEach(ctx, c, all, func(ctx context.Context, r types.RepositorySummary) {
		i := newItem(aws.ToString(r.Arn), "repository")
		out, err := api.GetRepositoryPermissionsPolicy(ctx, &codeartifact.GetRepositoryPermissionsPolicyInput{Domain: r.DomainName, DomainOwner: r.DomainOwner, Repository: r.Name})
		if c.hasPolicy(i, "codeartifact:GetRepositoryPermissionsPolicy", err, "ResourceNotFoundException") {
			i.Policy = artifactPolicy(out.Policy)
		}
		c.add(i)
	})
}

func artifactPolicy(p *types.ResourcePolicy) document {
	if p == nil {
		return noPolicy
	}
	return documentOf(aws.ToString(p.Document))
}
