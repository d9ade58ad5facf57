package collectors

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// lambdaPart is the policies of functions, of each of their versions and aliases (rule S25), and of the versions of
// layers. Of a function's configuration nothing is kept: its environment may have secrets.
var lambdaPart = part{
	name:  "resources/lambda",
	scope: perRegion,
	types: []string{"function", "layer"},
	permissions: []string{
		"lambda:GetLayerVersionPolicy", "lambda:GetPolicy", "lambda:ListAliases", "lambda:ListFunctionUrlConfigs", "lambda:ListFunctions",
		"lambda:ListLayerVersions", "lambda:ListLayers",
	},
	one: &single{unqualified, func(ctx context.Context, c *collection, arn policy.ARN) {
		addFunction(ctx, c, lambda.NewFromConfig(c.cfg), arn.String(), "", nil)
	}},
	collect: func(ctx context.Context, c *collection) {
		api := lambda.NewFromConfig(c.cfg)
		functions(ctx, c, api)
		layers(ctx, c, api)
	},
}

// unpublished is the version that a function's name by itself means.
const unpublished = "$LATEST"

// unqualified is the ARN of a function that names no version or alias, whose policies come with a list.
func unqualified(arn policy.ARN) (policy.ARN, bool) {
	function, ok := upTo("function:", ":")(arn)
	return function, ok && function == arn
}

// functions collects functions and what qualifies them.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
func functions(ctx context.Context, c *collection, api *lambda.Client) {
	list := lambda.NewListFunctionsPaginator(api, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	all := listed(ctx, c, "lambda:ListFunctions", "", list, func(p *lambda.ListFunctionsOutput) []types.FunctionConfiguration { return p.Functions })
	forEach(ctx, c, all, func(ctx context.Context, f types.FunctionConfiguration) {
		version := aws.ToString(f.Version)
		arn := strings.TrimSuffix(aws.ToString(f.FunctionArn), ":"+version)
		if version != unpublished {
			addFunction(ctx, c, api, arn, version, nil)
			return
		}
		urls := functionURLs(ctx, c, api, arn)
		addFunction(ctx, c, api, arn, "", urls)
		aliases := lambda.NewListAliasesPaginator(api, &lambda.ListAliasesInput{FunctionName: &arn})
		for a := range listed(ctx, c, "lambda:ListAliases", arn, aliases, func(p *lambda.ListAliasesOutput) []types.AliasConfiguration { return p.Aliases }) {
			addFunction(ctx, c, api, arn, aws.ToString(a.Name), urls)
		}
	})
}

// A functionURL is the URL of a function or an alias.
type functionURL struct {
	AuthType types.FunctionUrlAuthType `json:"authType"` // NONE or AWS_IAM
}

// functionURLs are the URLs of a function and its aliases, by the ARN of each.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html
func functionURLs(ctx context.Context, c *collection, api *lambda.Client, arn string) map[string]functionURL {
	urls := make(map[string]functionURL)
	list := lambda.NewListFunctionUrlConfigsPaginator(api, &lambda.ListFunctionUrlConfigsInput{FunctionName: &arn})
	for u := range listed(ctx, c, "lambda:ListFunctionUrlConfigs", arn, list, func(p *lambda.ListFunctionUrlConfigsOutput) []types.FunctionUrlConfig {
		return p.FunctionUrlConfigs
	}) {
		urls[aws.ToString(u.FunctionArn)] = functionURL{u.AuthType}
	}
	return urls
}

// addFunction reads the policy of a function, or of one of its versions or aliases, which qualifier names.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
func addFunction(ctx context.Context, c *collection, api *lambda.Client, arn, qualifier string, urls map[string]functionURL) {
	i := newItem(arn, "function")
	in := &lambda.GetPolicyInput{FunctionName: &arn}
	if qualifier != "" {
		i.ARN += ":" + qualifier
		in.Qualifier = &qualifier
	}
	if url, ok := urls[i.ARN]; ok {
		i.Extra = struct {
			URL functionURL `json:"url"`
		}{url}
	}
	out, err := api.GetPolicy(ctx, in)
	if c.hasPolicy(i, "lambda:GetPolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	c.add(i)
}

// layers collects the versions of the account's layers: a layer as such has no policy.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionPolicy.html
func layers(ctx context.Context, c *collection, api *lambda.Client) {
	list := lambda.NewListLayersPaginator(api, &lambda.ListLayersInput{})
	all := listed(ctx, c, "lambda:ListLayers", "", list, func(p *lambda.ListLayersOutput) []types.LayersListItem { return p.Layers })
	forEach(ctx, c, all, func(ctx context.Context, layer types.LayersListItem) {
		versions := lambda.NewListLayerVersionsPaginator(api, &lambda.ListLayerVersionsInput{LayerName: layer.LayerArn})
		for v := range listed(ctx, c, "lambda:ListLayerVersions", aws.ToString(layer.LayerArn), versions, func(p *lambda.ListLayerVersionsOutput) []types.LayerVersionsListItem {
			return p.LayerVersions
		}) {
			i := newItem(aws.ToString(v.LayerVersionArn), "layer")
			out, err := api.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: layer.LayerArn, VersionNumber: aws.Int64(v.Version)})
			if c.hasPolicy(i, "lambda:GetLayerVersionPolicy", err, "ResourceNotFoundException") {
				i.Policy = documentOf(aws.ToString(out.Policy))
			}
			c.add(i)
		}
	})
}
