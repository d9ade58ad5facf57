package collectors

import (
	"context"
	"net/http"
	"net/url"
)

// lexModels is the part of Amazon Lex V2 that knows of bots, as it is asked.
//
// https://docs.aws.amazon.com/lexv2/latest/APIReference/API_Operations_Amazon_Lex_Model_Building_V2.html
var lexModels = jsonService{id: "Lex Models V2", signs: "lex", host: "models-v2-lex"}

// lexPart is the policies of Amazon Lex V2's bots and of their aliases. The bots of V1 have none.
var lexPart = part{
	name:        "resources/lex",
	scope:       perRegion,
	types:       []string{"bot"},
	permissions: []string{"lex:DescribeResourcePolicy", "lex:ListBotAliases", "lex:ListBots"},
	collect: func(ctx context.Context, c *collection) {
		api := newJSON(ctx, c.cfg, lexModels)
		bots := listed(ctx, c, "lex:ListBots", "", lexPages(api, "ListBots", "/bots/"), func(p *lexPage) []lexBot { return p.BotSummaries })
		forEach(ctx, c, bots, func(ctx context.Context, b lexBot) {
			arn := c.arn("lex", "bot/"+b.BotID)
			addLex(ctx, c, api, arn)
			aliases := lexPages(api, "ListBotAliases", "/bots/"+url.PathEscape(b.BotID)+"/botaliases/")
			for a := range listed(ctx, c, "lex:ListBotAliases", arn, aliases, func(p *lexPage) []lexAlias { return p.BotAliasSummaries }) {
				addLex(ctx, c, api, c.arn("lex", "bot-alias/"+b.BotID+"/"+a.BotAliasID))
			}
		})
	},
}

// A lexPage is a page of bots, or of a bot's aliases.
type lexPage struct {
	BotSummaries      []lexBot
	BotAliasSummaries []lexAlias
	NextToken         *string
}

type (
	lexBot   struct{ BotID string }
	lexAlias struct{ BotAliasID string }
)

// lexPages is a list of either kind.
//
// https://docs.aws.amazon.com/lexv2/latest/APIReference/API_ListBots.html
// https://docs.aws.amazon.com/lexv2/latest/APIReference/API_ListBotAliases.html
func lexPages(api *jsonClient, operation, path string) *tokenPaginator[*lexPage] {
	type input struct {
		NextToken *string `json:"nextToken,omitempty"`
	}
	return pagesOfJSON(api, func(token *string) jsonCall {
		return jsonCall{operation: operation, path: path, body: input{token}}
	}, func(p *lexPage) *string { return p.NextToken })
}

// addLex reads the policy of a bot or an alias.
//
// https://docs.aws.amazon.com/lexv2/latest/APIReference/API_DescribeResourcePolicy.html
func addLex(ctx context.Context, c *collection, api *jsonClient, arn string) {
	i := newItem(arn, "bot")
	var out struct{ Policy string }
	err := api.ask(ctx, jsonCall{operation: "DescribeResourcePolicy", method: http.MethodGet, path: "/policy/" + url.PathEscape(arn) + "/"}, &out)
	if c.hasPolicy(i, "lex:DescribeResourcePolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(out.Policy)
	}
	c.add(i)
}
