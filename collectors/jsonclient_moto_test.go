package collectors

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// TestJSONOnMoto collects from a moto server, whose URL IAMWHY_MOTO is, what was made with the same client. moto doesn't
// know the policies of CodeBuild and the lists of Signer.
func TestJSONOnMoto(t *testing.T) {
	server := os.Getenv("IAMWHY_MOTO")
	if server == "" {
		t.Skip("IAMWHY_MOTO isn't set: it is the URL of a moto server")
	}
	cfg := awsfake.New().Config(testRegion)
	cfg.HTTPClient, cfg.BaseEndpoint = http.DefaultClient, &server
	name := fmt.Sprintf("iamwhy%d", rand.Int64N(1e12))
	policyInput := func(member string) map[string]string { return map[string]string{member: somePolicy} }
	tests := []struct {
		part *part
		make func(t *testing.T) (arn string)
	}{
		{&authoritiesPart, func(t *testing.T) string {
			var made struct{ CertificateAuthorityArn string }
			ca := map[string]any{
				"CertificateAuthorityType": "ROOT",
				"CertificateAuthorityConfiguration": map[string]any{
					"KeyAlgorithm": "RSA_2048", "SigningAlgorithm": "SHA256WITHRSA", "Subject": map[string]string{"CommonName": name},
				},
			}
			askMoto(t, cfg, acmPCA, jsonCall{operation: "CreateCertificateAuthority", body: ca}, &made)
			askMoto(t, cfg, acmPCA, jsonCall{operation: "UpdateCertificateAuthority", body: map[string]string{"CertificateAuthorityArn": made.CertificateAuthorityArn, "Status": "ACTIVE"}}, nil)
			put := policyInput("Policy")
			put["ResourceArn"] = made.CertificateAuthorityArn
			askMoto(t, cfg, acmPCA, jsonCall{operation: "PutPolicy", body: put}, nil)
			return made.CertificateAuthorityArn
		}},
		{&kafkaPart, func(t *testing.T) string {
			var made struct{ ClusterArn string }
			cluster := map[string]any{"clusterName": name, "serverless": map[string]any{"vpcConfigs": []any{map[string]any{"subnetIds": []string{"subnet-1"}}}}}
			askMoto(t, cfg, kafka, jsonCall{operation: "CreateClusterV2", path: "/api/v2/clusters", body: cluster}, &made)
			askMoto(t, cfg, kafka, jsonCall{operation: "PutClusterPolicy", method: http.MethodPut, path: "/v1/clusters/" + url.PathEscape(made.ClusterArn) + "/policy", body: policyInput("policy")}, nil)
			return made.ClusterArn
		}},
		{&lexPart, func(t *testing.T) string {
			var made struct{ BotID string }
			bot := map[string]any{"botName": name, "roleArn": "arn:aws:iam::123456789012:role/r", "dataPrivacy": map[string]bool{"childDirected": false}, "idleSessionTTLInSeconds": 300}
			askMoto(t, cfg, lexModels, jsonCall{operation: "CreateBot", method: http.MethodPut, path: "/bots/", body: bot}, &made)
			arn := "arn:aws:lex:" + testRegion + ":123456789012:bot/" + made.BotID
			askMoto(t, cfg, lexModels, jsonCall{operation: "CreateResourcePolicy", path: "/policy/" + url.PathEscape(arn) + "/", body: policyInput("policy")}, nil)
			return arn
		}},
	}
	for _, tt := range tests {
		t.Run(tt.part.word(), func(t *testing.T) {
			arn := tt.make(t)
			folder := filepath.Join(t.TempDir(), "snapshot")
			report, err := collect(t.Context(), folder, Options{Config: cfg, Now: testTime, Regions: []string{testRegion}}, []*part{tt.part})
			if err != nil || !report.Written {
				t.Fatalf("collecting: %v, %+v", err, report)
			}
			noProblems(t, load(t, folder))
			found := &collected{folder: folder}
			i, ok := itemsOf(t, found.file(t, tt.part.in("123456789012")+".json"))[arn]
			if !ok || indented(t, string(i.Policy)) != indented(t, somePolicy) {
				t.Errorf("policy of %s: %+v", arn, i)
			}
		})
	}
}

// askMoto makes a call, which must go well.
func askMoto(t *testing.T, cfg aws.Config, s jsonService, call jsonCall, answer any) {
	t.Helper()
	if answer == nil {
		answer = &json.RawMessage{}
	}
	if err := newJSON(context.Background(), cfg, s).ask(t.Context(), call, answer); err != nil {
		t.Fatal(err)
	}
}
