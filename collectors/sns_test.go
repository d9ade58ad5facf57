package collectors

import (
	"html"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// snsResult is an answer of SNS.
func snsResult(operation, body string) string {
	return "<" + operation + "Response><" + operation + "Result>" + body + "</" + operation + "Result></" + operation + "Response>"
}

var snsTest = serviceTest{
	part:    &snsPart,
	service: "sns",
	answers: map[string]awsfake.Handler{
		"ListTopics": pagesOf(
			snsResult("ListTopics", `<Topics><member><TopicArn>arn:aws:sns:eu-west-1:111122223333:t1</TopicArn></member></Topics><NextToken>page2</NextToken>`),
			snsResult("ListTopics", `<Topics><member><TopicArn>arn:aws:sns:eu-west-1:111122223333:gone</TopicArn></member></Topics>`)),
		"GetTopicAttributes": either(
			on{":t1", text(snsResult("GetTopicAttributes", `<Attributes><entry><key>Policy</key><value>`+html.EscapeString(somePolicy)+`</value></entry></Attributes>`))},
			on{":gone", fails("NotFound")}),
	},
	want: `[{"arn":"arn:aws:sns:eu-west-1:111122223333:t1","type":"topic","policy":` + somePolicy + `,"extra":{}}]`,
}
