package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const lambdaAt = "arn:aws:lambda:eu-west-1:111122223333:"

var lambdaTest = serviceTest{
	part:    &lambdaPart,
	service: "lambda",
	answers: map[string]awsfake.Handler{
		"ListFunctions": pagesOf(
			`{"Functions":[{"FunctionArn":"`+lambdaAt+`function:f:$LATEST","FunctionName":"f","Version":"$LATEST","Environment":{"Variables":{"SECRET":"hunter2"}}}],"NextMarker":"page2"}`,
			`{"Functions":[{"FunctionArn":"`+lambdaAt+`function:f:1","FunctionName":"f","Version":"1"}]}`),
		"ListAliases": text(`{"Aliases":[{"AliasArn":"` + lambdaAt + `function:f:live","Name":"live","FunctionVersion":"1"}]}`),
		"ListFunctionUrlConfigs": text(`{"FunctionUrlConfigs":[{"FunctionArn":"` + lambdaAt + `function:f:live","FunctionUrl":"https://x.lambda-url.eu-west-1.on.aws/","AuthType":"NONE",
			"CreationTime":"2026-01-01T00:00:00.000+0000","LastModifiedTime":"2026-01-01T00:00:00.000+0000"}]}`),
		"GetPolicy": either(
			on{"Qualifier=live", text(`{"Policy":` + quoted + `,"RevisionId":"1"}`)},
			on{"", fails("ResourceNotFoundException")}),
		"ListLayers": text(`{"Layers":[{"LayerName":"l","LayerArn":"` + lambdaAt + `layer:l"}]}`),
		"ListLayerVersions": pagesOf(
			`{"LayerVersions":[{"LayerVersionArn":"`+lambdaAt+`layer:l:2","Version":2}],"NextMarker":"page2"}`,
			`{"LayerVersions":[{"LayerVersionArn":"`+lambdaAt+`layer:l:1","Version":1}]}`),
		"GetLayerVersionPolicy": either(
			on{"/versions/2/", text(`{"Policy":` + quoted + `,"RevisionId":"1"}`)},
			on{"/versions/1/", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"` + lambdaAt + `function:f","type":"function","policy":null,"extra":{}},
  {"arn":"` + lambdaAt + `function:f:1","type":"function","policy":null,"extra":{}},
  {"arn":"` + lambdaAt + `function:f:live","type":"function","policy":` + somePolicy + `,"extra":{"url":{"authType":"NONE"}}},
  {"arn":"` + lambdaAt + `layer:l:1","type":"layer","policy":null,"extra":{}},
  {"arn":"` + lambdaAt + `layer:l:2","type":"layer","policy":` + somePolicy + `,"extra":{}}
]`,
}
