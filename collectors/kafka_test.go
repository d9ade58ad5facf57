package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

const clusterAt = "arn:aws:kafka:eu-west-1:111122223333:cluster/"

var kafkaTest = serviceTest{
	part:    &kafkaPart,
	service: "kafka",
	answers: map[string]awsfake.Handler{
		"ListClustersV2": pagesOf(
			`{"clusterInfoList":[{"clusterArn":"`+clusterAt+`a/1111-1","clusterName":"a","clusterType":"PROVISIONED"}],"nextToken":"page2"}`,
			`{"clusterInfoList":[{"clusterArn":"`+clusterAt+`b/2222-1","clusterName":"b","clusterType":"SERVERLESS"}]}`),
		"GetClusterPolicy": either(
			on{"/v1/clusters/" + clusterAt + "a/1111-1/policy", text(`{"currentVersion":"1","policy":` + quoted + `}`)},
			on{"/v1/clusters/" + clusterAt + "b/2222-1/policy", fails("NotFoundException")}),
	},
	want: `[
  {"arn":"` + clusterAt + `a/1111-1","type":"cluster","policy":` + somePolicy + `,"extra":{}},
  {"arn":"` + clusterAt + `b/2222-1","type":"cluster","policy":null,"extra":{}}
]`,
}
