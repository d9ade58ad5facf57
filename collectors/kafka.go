package collectors

import (
	"context"
	"net/http"
	"net/url"
)

// kafka is Amazon MSK, as it is asked.
//
// https://docs.aws.amazon.com/msk/1.0/apireference/what-is-msk.html
var kafka = jsonService{id: "Kafka", signs: "kafka", host: "kafka", dualStackHost: "kafka-api"}

// kafkaPart is the policies of Amazon MSK's clusters.
var kafkaPart = part{
	name:        "resources/kafka",
	scope:       perRegion,
	types:       []string{"cluster"},
	permissions: []string{"kafka:GetClusterPolicy", "kafka:ListClustersV2"},
	collect: func(ctx context.Context, c *collection) {
		api := newJSON(ctx, c.cfg, kafka)
		all := listed(ctx, c, "kafka:ListClustersV2", "", kafkaClusters(api), func(p *kafkaPage) []kafkaCluster { return p.ClusterInfoList })
		forEach(ctx, c, all, func(ctx context.Context, k kafkaCluster) { addKafkaCluster(ctx, c, api, k.ClusterArn) })
	},
}

type kafkaPage struct {
	ClusterInfoList []kafkaCluster
	NextToken       *string
}

type kafkaCluster struct{ ClusterArn string }

// kafkaClusters is the list of the account's clusters, provisioned and serverless.
//
// https://docs.aws.amazon.com/MSK/2.0/APIReference/v2-clusters.html
func kafkaClusters(api *jsonClient) *tokenPaginator[*kafkaPage] {
	return pagesOfJSON(api, func(token *string) jsonCall {
		return jsonCall{operation: "ListClustersV2", method: http.MethodGet, path: "/api/v2/clusters", query: tokenQuery(token)}
	}, func(p *kafkaPage) *string { return p.NextToken })
}

// addKafkaCluster reads the policy of a cluster.
//
// https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-policy.html
func addKafkaCluster(ctx context.Context, c *collection, api *jsonClient, arn string) {
	i := newItem(arn, "cluster")
	var out struct{ Policy string }
	err := api.ask(ctx, jsonCall{operation: "GetClusterPolicy", method: http.MethodGet, path: "/v1/clusters/" + url.PathEscape(arn) + "/policy"}, &out)
	if c.hasPolicy(i, "kafka:GetClusterPolicy", err, "NotFoundException") {
		i.Policy = documentOf(out.Policy)
	}
	c.add(i)
}
