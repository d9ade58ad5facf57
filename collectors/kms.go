package collectors

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// kmsPart is key policies, grants and aliases, of AWS managed keys, too.
var kmsPart = part{
	name:        "resources/kms",
	scope:       perRegion,
	types:       []string{"key"},
	permissions: []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListAliases", "kms:ListGrants", "kms:ListKeys"},
	one: &single{upTo("key/", "/"), func(ctx context.Context, c *collection, arn policy.ARN) {
		api, id := kms.NewFromConfig(c.cfg), strings.TrimPrefix(arn.Resource, "key/")
		k := &kmsKey{c: c, api: api, arn: arn.String()}
		k.collect(ctx, keyAliases(ctx, c, api, &id)[id])
	}},
	collect: func(ctx context.Context, c *collection) {
		api := kms.NewFromConfig(c.cfg)
		aliases := keyAliases(ctx, c, api, nil)
		list := kms.NewListKeysPaginator(api, &kms.ListKeysInput{Limit: aws.Int32(1000)})
		all := listed(ctx, c, "kms:ListKeys", "", list, func(p *kms.ListKeysOutput) []types.KeyListEntry { return p.Keys })
		forEach(ctx, c, all, func(ctx context.Context, key types.KeyListEntry) {
			k := &kmsKey{c: c, api: api, arn: aws.ToString(key.KeyArn)}
			k.collect(ctx, aliases[aws.ToString(key.KeyId)])
		})
	},
}

// keyAliases are the names of the aliases of a key, or of all if key is nil, by the id of their key. A list that can't be had
// whole is worth having: an alias that isn't known is unknown to the loader.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
func keyAliases(ctx context.Context, c *collection, api *kms.Client, key *string) map[string][]string {
	aliases := make(map[string][]string)
	list := kms.NewListAliasesPaginator(api, &kms.ListAliasesInput{KeyId: key, Limit: aws.Int32(100)})
	for a := range listed(ctx, c, "kms:ListAliases", "", list, func(p *kms.ListAliasesOutput) []types.AliasListEntry { return p.Aliases }) {
		if key := aws.ToString(a.TargetKeyId); key != "" { // AWS's own, before their first use, have none
			aliases[key] = append(aliases[key], aws.ToString(a.AliasName))
		}
	}
	for _, names := range aliases {
		slices.Sort(names)
	}
	return aliases
}

// A kmsKey is a key in the making.
type kmsKey struct {
	c   *collection
	api *kms.Client
	arn string
}

// A kmsExtra is what a key has besides its policy. What AWS doesn't say is left out.
type kmsExtra struct {
	Aliases    []string   `json:"aliases"`
	KeyManager string     `json:"keyManager,omitempty"` // AWS or CUSTOMER
	KeyState   string     `json:"keyState,omitempty"`
	Grants     []kmsGrant `json:"grants,omitzero"` // nil if they aren't known
}

// A kmsGrant is a grant as ListGrants gives it, without its key, name and time.
type kmsGrant struct {
	GrantID                  string `json:"GrantId"`
	GranteePrincipal         string `json:",omitempty"`
	GranteeServicePrincipal  string `json:",omitempty"`
	RetiringPrincipal        string `json:",omitempty"`
	RetiringServicePrincipal string `json:",omitempty"`
	IssuingAccount           string `json:",omitempty"`
	Operations               []types.GrantOperation
	Constraints              *kmsConstraints `json:",omitempty"`
}

type kmsConstraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
	SourceArn               string            `json:",omitempty"`
}

// collect reads the key. One that is being deleted is there for days, and has its policy.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html
func (k *kmsKey) collect(ctx context.Context, aliases []string) {
	i := newItem(k.arn, "key")
	out, err := k.api.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &k.arn, PolicyName: aws.String("default")})
	if isCode(err, "NotFoundException") {
		return
	}
	if k.c.hasPolicy(i, "kms:GetKeyPolicy", err) {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	extra := kmsExtra{Aliases: append([]string{}, aliases...)}
	k.describe(ctx, &extra)
	extra.Grants = k.grants(ctx)
	i.Extra = extra
	k.c.add(i)
}

// describe reads who manages the key.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func (k *kmsKey) describe(ctx context.Context, extra *kmsExtra) {
	out, err := k.api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &k.arn})
	if err != nil {
		k.c.fail("kms:DescribeKey", k.arn, err)
		return
	}
	if m := out.KeyMetadata; m != nil {
		extra.KeyManager, extra.KeyState = string(m.KeyManager), string(m.KeyState)
	}
}

// grants are the key's grants; nil if they aren't all known.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html
func (k *kmsKey) grants(ctx context.Context) []kmsGrant {
	grants := []kmsGrant{}
	for page, err := range pages(ctx, kms.NewListGrantsPaginator(k.api, &kms.ListGrantsInput{KeyId: &k.arn, Limit: aws.Int32(100)})) {
		if err != nil {
			k.c.fail("kms:ListGrants", k.arn, err)
			return nil
		}
		for _, g := range page.Grants {
			grants = append(grants, kmsGrantOf(g))
		}
	}
	slices.SortFunc(grants, func(a, b kmsGrant) int { return cmp.Compare(a.GrantID, b.GrantID) })
	return grants
}

func kmsGrantOf(g types.GrantListEntry) kmsGrant {
	grant := kmsGrant{
		GrantID:                  aws.ToString(g.GrantId),
		GranteePrincipal:         aws.ToString(g.GranteePrincipal),
		GranteeServicePrincipal:  aws.ToString(g.GranteeServicePrincipal),
		RetiringPrincipal:        aws.ToString(g.RetiringPrincipal),
		RetiringServicePrincipal: aws.ToString(g.RetiringServicePrincipal),
		IssuingAccount:           aws.ToString(g.IssuingAccount),
		Operations:               append([]types.GrantOperation{}, slices.Sorted(slices.Values(g.Operations))...),
	}
	if x := g.Constraints; x != nil {
		grant.Constraints = &kmsConstraints{x.EncryptionContextEquals, x.EncryptionContextSubset, aws.ToString(x.SourceArn)}
	}
	return grant
}
