package collectors

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// secretsPart is the policies of secrets, whose values nobody asks for. Secrets that
// wait to be deleted aren't listed: AWS answers no call about them.
var secretsPart = part{
	name:        "resources/secretsmanager",
	scope:       perRegion,
	types:       []string{"secret"},
	permissions: []string{"secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets"},
	one: &single{upTo("secret:", ""), func(ctx context.Context, c *collection, arn policy.ARN) {
		addSecret(ctx, c, secretsmanager.NewFromConfig(c.cfg), arn.String())
	}},
	collect: func(ctx context.Context, c *collection) {
		api := secretsmanager.NewFromConfig(c.cfg)
		list := secretsmanager.NewListSecretsPaginator(api, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100)})
		all := listed(ctx, c, "secretsmanager:ListSecrets", "", list, func(p *secretsmanager.ListSecretsOutput) []types.SecretListEntry { return p.SecretList })
		forEach(ctx, c, all, func(ctx context.Context, s types.SecretListEntry) { addSecret(ctx, c, api, aws.ToString(s.ARN)) })
	},
}

// addSecret reads the policy of a secret, and leaves the secret out if it is gone by now.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html
func addSecret(ctx context.Context, c *collection, api *secretsmanager.Client, arn string) {
	i := newItem(arn, "secret")
	out, err := api.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: &arn})
	if isCode(err, "ResourceNotFoundException") {
		return
	}
	if c.hasPolicy(i, "secretsmanager:GetResourcePolicy", err) {
		i.ARN = cmp.Or(aws.ToString(out.ARN), arn) // which may have been without its random suffix
		i.Policy = documentOf(aws.ToString(out.ResourcePolicy))
	}
	c.add(i)
}
