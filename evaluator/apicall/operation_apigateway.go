package apicall

import "strings"

// apiGatewayOperations are those of API Gateway, and of the APIs that it serves, for which the verb of
// the REST call isn't all, or isn't it (T78).
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_apigatewayv2.html
var apiGatewayOperations = []authorisation{
	as("apigateway", "CreateDomainNameAccessAssociation", "CreateAccessAssociation POST PUT?"),
	as("apigateway", "RejectDomainNameAccessAssociation", "RejectAccessAssociation"),
	as("apigateway", "PutRoutingRule", "UpdateRoutingRule"),
	as("apigateway", "ImportApi", "PUT POST?"),
	as("apigateway", "ReimportApi", "PUT POST? PATCH? DELETE?"),

	// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
	as("execute-api", "PostToConnection GetConnection DeleteConnection", "ManageConnections"),
}

// apiGatewayVerbs are the operations of API Gateway whose verb their name doesn't tell.
var apiGatewayVerbs = map[string]string{
	"TagResource":                "PUT",
	"UntagResource":              "DELETE",
	"ImportDocumentationParts":   "PUT",
	"FlushStageCache":            "DELETE",
	"FlushStageAuthorizersCache": "DELETE",
	"ResetAuthorizersCache":      "DELETE",
}

// apiGatewayVerb returns the action of an operation: API Gateway authorises the REST call's verb.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_apigateway.html
func (d *derivation) apiGatewayVerb() string {
	if d.operation == "TagResource" && foldService(serviceName(d.call)) == "apigatewayv2" {
		return "POST" // CloudTrail's events don't tell the two APIs apart
	}
	if v, ok := apiGatewayVerbs[d.operation]; ok {
		return v
	}
	for _, v := range []struct{ prefix, verb string }{
		{"Get", "GET"}, {"Export", "GET"}, {"Put", "PUT"}, {"Update", "PATCH"}, {"Delete", "DELETE"},
	} {
		if strings.HasPrefix(d.operation, v.prefix) {
			return v.verb
		}
	}
	return "POST"
}
