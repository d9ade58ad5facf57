package collectors

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// apiPart is the policies of REST APIs, which the list has. HTTP and WebSocket APIs have none. The
// part has the name of the service that the policies are about.
//
// https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html
var apiPart = part{
	name:        "resources/execute-api",
	scope:       perRegion,
	types:       []string{"API"},
	permissions: []string{"apigateway:GET"},
	collect: func(ctx context.Context, c *collection) {
		api := apigateway.NewFromConfig(c.cfg)
		list := apigateway.NewGetRestApisPaginator(api, &apigateway.GetRestApisInput{Limit: aws.Int32(500)})
		for a := range listed(ctx, c, "apigateway:GET", "/restapis", list, func(p *apigateway.GetRestApisOutput) []types.RestApi { return p.Items }) {
			i := newItem("arn:"+c.partition+":apigateway:"+c.region+"::/restapis/"+aws.ToString(a.Id), "API")
			i.Policy = documentOf(unescaped(aws.ToString(a.Policy)))
			if e := a.EndpointConfiguration; e != nil {
				i.Extra = apiExtra{e.Types, e.VpcEndpointIds}
			}
			c.add(i)
		}
	},
}

// An apiExtra says from where an API is called.
type apiExtra struct {
	EndpointTypes  []types.EndpointType `json:"endpointTypes,omitempty"`
	VpcEndpointIDs []string             `json:"vpcEndpointIds,omitempty"`
}

// unescaped is the text of a policy that came as it stands in a JSON string, with a backslash before each
// quotation mark: that is how API Gateway answers.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
func unescaped(text string) string {
	var plain string
	if err := json.Unmarshal([]byte(`"`+text+`"`), &plain); err != nil {
		return text
	}
	return plain
}
