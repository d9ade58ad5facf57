package collectors

import (
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

var apiTest = serviceTest{
	part:    &apiPart,
	service: "apigateway",
	answers: map[string]awsfake.Handler{
		"GetRestApis": pagesOf(
			`{"item":[{"id":"a1","name":"a","policy":`+string(quote(strings.Trim(quoted, `"`)))+`,"endpointConfiguration":{"types":["PRIVATE"],"vpcEndpointIds":["vpce-1"]}}],"position":"page2"}`,
			`{"item":[{"id":"b1","name":"b"}]}`),
	},
	want: `[
  {"arn":"arn:aws:apigateway:eu-west-1::/restapis/a1","type":"API","policy":` + somePolicy + `,"extra":{"endpointTypes":["PRIVATE"],"vpcEndpointIds":["vpce-1"]}},
  {"arn":"arn:aws:apigateway:eu-west-1::/restapis/b1","type":"API","policy":null,"extra":{}}
]`,
}

func TestUnescaped(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"as API Gateway answers", `{\"Sid\":\"a\\\"b\"}`, `{"Sid":"a\"b"}`},
		{"as it should be", `{"Sid":"a"}`, `{"Sid":"a"}`},
		{"none", ``, ``},
		{"neither", `{\"Sid": "a"}`, `{\"Sid": "a"}`},
	}
	for _, tt := range tests {
		if got := unescaped(tt.text); got != tt.want {
			t.Errorf("%s: unescaped(%s) = %s, want %s", tt.name, tt.text, got, tt.want)
		}
	}
}
