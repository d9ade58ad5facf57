package collectors

import "context"

// codeBuild is AWS CodeBuild, as it is asked.
//
// https://docs.aws.amazon.com/codebuild/latest/APIReference/Welcome.html
var codeBuild = jsonService{id: "CodeBuild", signs: "codebuild", host: "codebuild", target: "CodeBuild_20161006"}

// codebuildPart is the policies of CodeBuild's projects and report groups. Nobody asks what a
// project is: its environment may have secrets.
var codebuildPart = part{
	name:        "resources/codebuild",
	scope:       perRegion,
	types:       []string{"project"},
	permissions: []string{"codebuild:GetResourcePolicy", "codebuild:ListProjects", "codebuild:ListReportGroups"},
	collect: func(ctx context.Context, c *collection) {
		api := newJSON(ctx, c.cfg, codeBuild)
		projects := listed(ctx, c, "codebuild:ListProjects", "", buildPages(api, "ListProjects"), func(p *buildPage) []string { return p.Projects })
		forEach(ctx, c, projects, func(ctx context.Context, name string) {
			addBuildResource(ctx, c, api, c.arn("codebuild", "project/"+name))
		})
		groups := listed(ctx, c, "codebuild:ListReportGroups", "", buildPages(api, "ListReportGroups"), func(p *buildPage) []string { return p.ReportGroups })
		forEach(ctx, c, groups, func(ctx context.Context, arn string) { addBuildResource(ctx, c, api, arn) })
	},
}

// A buildPage is a page of either list: names of projects, ARNs of report groups.
type buildPage struct {
	Projects, ReportGroups []string
	NextToken              *string
}

// buildPages is a list of what the account owns.
//
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListProjects.html
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListReportGroups.html
func buildPages(api *jsonClient, operation string) *tokenPaginator[*buildPage] {
	type input struct {
		NextToken *string `json:"nextToken,omitempty"`
	}
	return pagesOfJSON(api, func(token *string) jsonCall {
		return jsonCall{operation: operation, body: input{token}}
	}, func(p *buildPage) *string { return p.NextToken })
}

// addBuildResource reads the policy of a project or a report group.
//
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_GetResourcePolicy.html
func addBuildResource(ctx context.Context, c *collection, api *jsonClient, arn string) {
	i := newItem(arn, "project")
	var out struct{ Policy string }
	type input struct {
		ResourceArn string `json:"resourceArn"`
	}
	err := api.ask(ctx, jsonCall{operation: "GetResourcePolicy", body: input{arn}}, &out)
	if c.hasPolicy(i, "codebuild:GetResourcePolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(out.Policy)
	}
	c.add(i)
}
