package collectors

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// endpointsPart is endpoints.json: VPC endpoints and their policies (rule E12).
var endpointsPart = part{
	name:        "endpoints",
	scope:       perRegion,
	permissions: []string{endpointsPermission},
	collect:     collectEndpoints,
}

const endpointsPermission = "ec2:DescribeVpcEndpoints"

// An endpointItem is an item of endpoints.json.
type endpointItem struct {
	ID          string   `json:"id"`
	ServiceName string   `json:"serviceName"`
	Type        string   `json:"type"` // as AWS spells it: Gateway, Interface, GatewayLoadBalancer …
	VPCID       string   `json:"vpcId"`
	OwnerID     string   `json:"ownerId"`
	Policy      document `json:"policy"` // noPolicy if AWS gives none
}

// collectEndpoints gathers the VPC endpoints of a region.
func collectEndpoints(ctx context.Context, c *collection) {
	err := describeVpcEndpoints(ctx, c.cfg, func(e vpcEndpoint) {
		c.addTo("", e.ID, endpointItem{
			ID: e.ID, ServiceName: e.Service, Type: e.Type, VPCID: e.VPC, OwnerID: e.Owner,
			Policy: documentOf(e.Policy),
		})
	})
	if err != nil {
		c.fail(endpointsPermission, "", err)
	}
}

// endpointsPage is how many endpoints a page has.
const endpointsPage = 200

// A vpcEndpoint is an item of DescribeVpcEndpoints, as much of it as is kept.
type vpcEndpoint struct {
	ID      string `xml:"vpcEndpointId"`
	Service string `xml:"serviceName"`
	Type    string `xml:"vpcEndpointType"`
	VPC     string `xml:"vpcId"`
	Owner   string `xml:"ownerId"`
	Policy  string `xml:"policyDocument"`
}

// describeVpcEndpoints calls each with every VPC endpoint of a region. After an error, each
// has had those that came before it.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html
func describeVpcEndpoints(ctx context.Context, cfg aws.Config, each func(vpcEndpoint)) error {
	client, err := newEC2(ctx, cfg)
	if err != nil {
		return err
	}
	params := url.Values{"MaxResults": {strconv.Itoa(endpointsPage)}}
	for {
		var page struct {
			Endpoints []vpcEndpoint `xml:"vpcEndpointSet>item"`
			Next      string        `xml:"nextToken"`
		}
		if err := client.ask(ctx, "DescribeVpcEndpoints", params, &page); err != nil {
			return err
		}
		for _, e := range page.Endpoints {
			each(e)
		}
		switch page.Next {
		case "":
			return nil
		case params.Get("NextToken"):
			return errors.New("EC2 gave one page twice; collect again")
		}
		params.Set("NextToken", page.Next)
	}
}
