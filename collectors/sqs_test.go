package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var sqsTest = serviceTest{
	part:    &sqsPart,
	service: "sqs",
	answers: map[string]awsfake.Handler{
		"ListQueues": pagesOf(
			`{"QueueUrls":["https://sqs.eu-west-1.amazonaws.com/111122223333/q1"],"NextToken":"page2"}`,
			`{"QueueUrls":["https://sqs.eu-west-1.amazonaws.com/111122223333/q2","https://sqs.eu-west-1.amazonaws.com/111122223333/gone"]}`),
		"GetQueueAttributes": either(
			on{"/q1", text(`{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:111122223333:q1","Policy":` + quoted + `}}`)},
			on{"/q2", text(`{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:111122223333:q2"}}`)},
			on{"/gone", fails("AWS.SimpleQueueService.NonExistentQueue")}),
	},
	want: `[
  {"arn":"arn:aws:sqs:eu-west-1:111122223333:q1","type":"queue","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:sqs:eu-west-1:111122223333:q2","type":"queue","policy":null,"extra":{}}
]`,
}
