package collectors

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
)

// opensearchPart is the access policies of OpenSearch and Elasticsearch domains.
var opensearchPart = part{
	name:        "resources/es",
	scope:       perRegion,
	types:       []string{"domain"},
	permissions: []string{"es:DescribeDomains", "es:ListDomainNames"},
	collect: func(ctx context.Context, c *collection) {
		api := opensearch.NewFromConfig(c.cfg)
		out, err := api.ListDomainNames(ctx, &opensearch.ListDomainNamesInput{}) // has all of them
		if err != nil {
			c.fail("es:ListDomainNames", "", err)
			return
		}
		var names []string
		for _, d := range out.DomainNames {
			names = append(names, aws.ToString(d.DomainName))
		}
		forEach(ctx, c, slices.Chunk(names, domainsAtOnce), func(ctx context.Context, some []string) { addDomains(ctx, c, api, some) })
	},
}

// domainsAtOnce is how many domains one call describes.
const domainsAtOnce = 5

// addDomains reads the policies of some domains.
//
// https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomains.html
func addDomains(ctx context.Context, c *collection, api *opensearch.Client, names []string) {
	out, err := api.DescribeDomains(ctx, &opensearch.DescribeDomainsInput{DomainNames: names})
	if err != nil {
		for _, name := range names {
			i := newItem(c.arn("es", "domain/"+name), "domain")
			c.lost(i, "es:DescribeDomains", err)
			c.add(i)
		}
		return
	}
	for _, d := range out.DomainStatusList {
		i := newItem(cmp.Or(aws.ToString(d.ARN), c.arn("es", "domain/"+aws.ToString(d.DomainName))), "domain")
		i.Policy = documentOf(aws.ToString(d.AccessPolicies))
		c.add(i)
	}
}
