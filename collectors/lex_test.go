package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const lexAt = "arn:aws:lex:eu-west-1:111122223333:"

var lexTest = serviceTest{
	part:    &lexPart,
	service: "lex",
	answers: map[string]awsfake.Handler{
		"ListBots": pagesOf(
			`{"botSummaries":[{"botId":"BOT1","botName":"a","lastUpdatedDateTime":1.7E9}],"nextToken":"page2"}`,
			`{"botSummaries":[{"botId":"BOT2","botName":"b"}]}`),
		"ListBotAliases": either(
			on{"/bots/BOT1/", pagesOf(`{"botAliasSummaries":[{"botAliasId":"LIVE"}],"nextToken":"page2"}`, `{"botAliasSummaries":[{"botAliasId":"TEST"}]}`)},
			on{"/bots/BOT2/", text(`{"botAliasSummaries":[]}`)}),
		"DescribeResourcePolicy": either(
			on{"/policy/" + lexAt + "bot/BOT1/", text(`{"policy":` + quoted + `,"revisionId":"1"}`)},
			on{"/policy/" + lexAt + "bot-alias/BOT1/LIVE/", text(`{"policy":` + quoted + `,"revisionId":"1"}`)},
			on{"/policy/", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"` + lexAt + `bot-alias/BOT1/LIVE","type":"bot","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + lexAt + `bot-alias/BOT1/TEST","type":"bot","policy":null,"extra":{}},
  {"arn":"` + lexAt + `bot/BOT1","type":"bot","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + lexAt + `bot/BOT2","type":"bot","policy":null,"extra":{}}
]`,
}
