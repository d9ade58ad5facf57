package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const shareAt = "arn:aws:ram:eu-west-1:111122223333:resource-share/"

var ramTest = serviceTest{
	part:    &ramPart,
	service: "ram",
	answers: map[string]awsfake.Handler{
		"GetResourceShares": pagesOf(
			`{"resourceShares":[{"resourceShareArn":"`+shareAt+`1","name":"a","status":"ACTIVE","allowExternalPrincipals":true}],"nextToken":"page2"}`,
			`{"resourceShares":[{"resourceShareArn":"`+shareAt+`2","name":"b","status":"ACTIVE"},{"resourceShareArn":"`+shareAt+`3","name":"c","status":"DELETED"}]}`),
		"ListResources": pagesOf(
			`{"resources":[{"arn":"arn:aws:glue:eu-west-1:111122223333:table/d/t","type":"glue:Table","resourceShareArn":"`+shareAt+`1"}],"nextToken":"page2"}`,
			`{"resources":[{"arn":"arn:aws:ec2:eu-west-1:111122223333:subnet/s","type":"ec2:Subnet","resourceShareArn":"`+shareAt+`1"}]}`),
		"ListPrincipals": pagesOf(
			`{"principals":[{"id":"999988887777","resourceShareArn":"`+shareAt+`1"}],"nextToken":"page2"}`,
			`{"principals":[{"id":"444455556666","resourceShareArn":"`+shareAt+`1"}]}`),
	},
	want: `[
  {"arn":"` + shareAt + `1","type":"resource share","policy":null,"extra":{"name":"a","status":"ACTIVE","allowExternalPrincipals":true,"resources":[
    {"arn":"arn:aws:ec2:eu-west-1:111122223333:subnet/s","type":"ec2:Subnet"},{"arn":"arn:aws:glue:eu-west-1:111122223333:table/d/t","type":"glue:Table"}],"principals":["444455556666","999988887777"]}},
  {"arn":"` + shareAt + `2","type":"resource share","policy":null,"extra":{"name":"b","status":"ACTIVE","resources":[],"principals":[]}}
]`,
}
