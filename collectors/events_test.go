package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var eventsTest = serviceTest{
	part:    &eventsPart,
	service: "events",
	answers: map[string]awsfake.Handler{
		"ListEventBuses": pagesOf(
			`{"EventBuses":[{"Name":"default","Arn":"arn:aws:events:eu-west-1:111122223333:event-bus/default"}],"NextToken":"page2"}`,
			`{"EventBuses":[{"Name":"x","Arn":"arn:aws:events:eu-west-1:111122223333:event-bus/x","Policy":`+quoted+`}]}`),
	},
	want: `[
  {"arn":"arn:aws:events:eu-west-1:111122223333:event-bus/default","type":"event bus","policy":null,"extra":{}},
  {"arn":"arn:aws:events:eu-west-1:111122223333:event-bus/x","type":"event bus","policy":` + somePolicy + `,"extra":{}}
]`,
}
