package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var kinesisTest = serviceTest{
	part:    &kinesisPart,
	service: "kinesis",
	answers: map[string]awsfake.Handler{
		"ListStreams": pagesOf(
			`{"HasMoreStreams":true,"StreamNames":["a"],"StreamSummaries":[{"StreamName":"a","StreamARN":"arn:aws:kinesis:eu-west-1:111122223333:stream/a"}],"NextToken":"page2"}`,
			`{"HasMoreStreams":false,"StreamNames":["b"],"StreamSummaries":[{"StreamName":"b","StreamARN":"arn:aws:kinesis:eu-west-1:111122223333:stream/b"}]}`),
		"ListStreamConsumers": either(
			on{"stream/a", text(`{"Consumers":[{"ConsumerName":"c","ConsumerARN":"arn:aws:kinesis:eu-west-1:111122223333:stream/a/consumer/c:1"}]}`)},
			on{"stream/b", text(`{"Consumers":[]}`)}),
		"GetResourcePolicy": either(
			on{"/consumer/", text(`{"Policy":"{}"}`)},
			on{"stream/a", text(`{"Policy":` + quoted + `}`)},
			on{"stream/b", fails("ResourceNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:kinesis:eu-west-1:111122223333:stream/a","type":"stream","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:kinesis:eu-west-1:111122223333:stream/a/consumer/c:1","type":"consumer","policy":null,"extra":{}},
  {"arn":"arn:aws:kinesis:eu-west-1:111122223333:stream/b","type":"stream","policy":null,"extra":{}}
]`,
}
