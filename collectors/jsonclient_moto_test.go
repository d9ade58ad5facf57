package collectors

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// motoJSONThings are those of services that are asked in JSON, made with the same client. moto doesn't know the policies
// of CodeBuild and the lists of Signer.
var motoJSONThings = []motoThing{
	{&authoritiesPart, func(t *testing.T, cfg aws.Config, _ string) string {
		var made struct{ CertificateAuthorityArn string }
		doJSON(t, cfg, acmPCA, jsonCall{operation: "CreateCertificateAuthority", body: map[string]any{
			"CertificateAuthorityType": "ROOT",
			"CertificateAuthorityConfiguration": map[string]any{
				"KeyAlgorithm": "RSA_2048", "SigningAlgorithm": "SHA256WITHRSA", "Subject": map[string]string{"CommonName": "a"},
			},
		}}, &made)
		arn := made.CertificateAuthorityArn
		doJSON(t, cfg, acmPCA, jsonCall{operation: "UpdateCertificateAuthority", body: map[string]string{"CertificateAuthorityArn": arn, "Status": "ACTIVE"}}, nil)
		doJSON(t, cfg, acmPCA, jsonCall{operation: "PutPolicy", body: map[string]string{"ResourceArn": arn, "Policy": *denyAll(arn)}}, nil)
		return arn
	}, "acm-pca:IssueCertificate", ""},
	{&kafkaPart, func(t *testing.T, cfg aws.Config, _ string) string {
		var made struct{ ClusterArn string }
		doJSON(t, cfg, kafka, jsonCall{operation: "CreateClusterV2", path: "/api/v2/clusters", body: map[string]any{
			"clusterName": "c", "serverless": map[string]any{"vpcConfigs": []any{map[string]any{"subnetIds": []string{"subnet-1"}}}},
		}}, &made)
		doJSON(t, cfg, kafka, jsonCall{
			operation: "PutClusterPolicy", method: http.MethodPut, path: "/v1/clusters/" + url.PathEscape(made.ClusterArn) + "/policy",
			body: map[string]string{"policy": *denyAll(made.ClusterArn)},
		}, nil)
		return made.ClusterArn
	}, "kafka:CreateVpcConnection", ""},
	{&lexPart, func(t *testing.T, cfg aws.Config, account string) string {
		var made struct{ BotID string }
		doJSON(t, cfg, lexModels, jsonCall{operation: "CreateBot", method: http.MethodPut, path: "/bots/", body: map[string]any{
			"botName": "b", "roleArn": "arn:aws:iam::" + account + ":role/r", "dataPrivacy": map[string]bool{"childDirected": false}, "idleSessionTTLInSeconds": 300,
		}}, &made)
		arn := "arn:aws:lex:" + testRegion + ":" + account + ":bot/" + made.BotID
		doJSON(t, cfg, lexModels, jsonCall{operation: "CreateResourcePolicy", path: "/policy/" + url.PathEscape(arn) + "/", body: map[string]string{"policy": *denyAll(arn)}}, nil)
		return arn
	}, "lex:DescribeBot", "lex:DescribeResourcePolicy"}, // of the alias that each bot has: moto fails where there is no policy
}

// doJSON makes a call, which must go well.
func doJSON(t *testing.T, cfg aws.Config, s jsonService, call jsonCall, answer any) {
	t.Helper()
	if answer == nil {
		answer = new(json.RawMessage)
	}
	if err := newJSON(t.Context(), cfg, s).ask(t.Context(), call, answer); err != nil {
		t.Fatal(err)
	}
}
