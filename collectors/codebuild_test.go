package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const buildAt = "arn:aws:codebuild:eu-west-1:111122223333:"

var codebuildTest = serviceTest{
	part:    &codebuildPart,
	service: "codebuild",
	answers: map[string]awsfake.Handler{
		"ListProjects":     pagesOf(`{"projects":["a"],"nextToken":"page2"}`, `{"projects":["b"]}`),
		"ListReportGroups": pagesOf(`{"reportGroups":["`+buildAt+`report-group/r"],"nextToken":"page2"}`, `{"reportGroups":[]}`),
		"GetResourcePolicy": either(
			on{"project/a", text(`{"policy":` + quoted + `}`)},
			on{"project/b", fails("ResourceNotFoundException")},
			on{"report-group/r", text(`{"policy":` + quoted + `}`)}),
	},
	want: `[
  {"arn":"` + buildAt + `project/a","type":"project","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + buildAt + `project/b","type":"project","policy":null,"extra":{}},
  {"arn":"` + buildAt + `report-group/r","type":"project","policy":` + somePolicy + `,"extra":{}}
]`,
}
