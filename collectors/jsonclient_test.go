package collectors

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// A serviceEnv is what the environment says of the endpoints of services.
type serviceEnv map[string]string

func (e serviceEnv) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	at, ok := e[sdkID]
	return at, ok, nil
}

// TestJSONEndpoints: the endpoints are those of AWS's tables.
//
// https://docs.aws.amazon.com/general/latest/gr/pca.html
// https://docs.aws.amazon.com/general/latest/gr/msk.html
// https://docs.aws.amazon.com/general/latest/gr/codebuild.html
// https://docs.aws.amazon.com/general/latest/gr/lex.html
func TestJSONEndpoints(t *testing.T) {
	local := aws.String("http://127.0.0.1:5000/moto")
	tests := []struct {
		name    string
		service jsonService
		cfg     aws.Config
		want    string
	}{
		{"a region", codeBuild, aws.Config{Region: "eu-west-1"}, "https://codebuild.eu-west-1.amazonaws.com/"},
		{"the host isn't the service's name", lexModels, aws.Config{Region: "us-east-1"}, "https://models-v2-lex.us-east-1.amazonaws.com/"},
		{"China", acmPCA, aws.Config{Region: "cn-north-1"}, "https://acm-pca.cn-north-1.amazonaws.com.cn/"},
		{"FIPS", signer, aws.Config{Region: "us-east-2", ConfigSources: []any{endpointEnv{fips: true}}}, "https://signer-fips.us-east-2.amazonaws.com/"},
		{"FIPS in GovCloud", codeBuild, aws.Config{Region: "us-gov-west-1", ConfigSources: []any{endpointEnv{fips: true}}}, "https://codebuild-fips.us-gov-west-1.amazonaws.com/"},
		{"FIPS in GovCloud has no name of its own", acmPCA, aws.Config{Region: "us-gov-west-1", ConfigSources: []any{endpointEnv{fips: true}}}, "https://acm-pca.us-gov-west-1.amazonaws.com/"},
		{"dual-stack", codeBuild, aws.Config{Region: "eu-west-1", ConfigSources: []any{endpointEnv{dual: true}}}, "https://codebuild.eu-west-1.api.aws/"},
		{"dual-stack under another name", kafka, aws.Config{Region: "eu-west-1", ConfigSources: []any{endpointEnv{dual: true}}}, "https://kafka-api.eu-west-1.api.aws/"},
		{"AWS_ENDPOINT_URL", kafka, aws.Config{Region: "eu-west-1", BaseEndpoint: local}, "http://127.0.0.1:5000/moto/"},
		{"AWS_ENDPOINT_URL_ACM_PCA", acmPCA, aws.Config{Region: "eu-west-1", BaseEndpoint: local, ConfigSources: []any{serviceEnv{"ACM PCA": "http://127.0.0.1:6000"}}}, "http://127.0.0.1:6000/"},
		{"another service's", kafka, aws.Config{Region: "eu-west-1", ConfigSources: []any{serviceEnv{"ACM PCA": "http://127.0.0.1:6000"}}}, "https://kafka.eu-west-1.amazonaws.com/"},
	}
	for _, tt := range tests {
		if got, err := tt.service.endpointOf(t.Context(), tt.cfg); err != nil || got.String() != tt.want {
			t.Errorf("%s: endpoint %v, error %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestJSONWithoutEndpoint: the call says what is missing.
func TestJSONWithoutEndpoint(t *testing.T) {
	for _, cfg := range []aws.Config{{}, {BaseEndpoint: aws.String("http://[")}} {
		err := newJSON(t.Context(), cfg, kafka).ask(t.Context(), jsonCall{operation: "ListClustersV2"}, nil)
		var op *smithy.OperationError
		if !errors.As(err, &op) || op.ServiceID != "Kafka" || !strings.Contains(err.Error(), "endpoint of Kafka") {
			t.Errorf("error %v", err)
		}
	}
}

// TestJSONErrors: an error's code is in the header or in the body, plain or with what is around it.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
func TestJSONErrors(t *testing.T) {
	const code = "ResourceNotFoundException"
	header := func(value string) http.Header { return http.Header{"X-Amzn-Errortype": {value}} }
	tests := []struct {
		name   string
		header http.Header
		body   string
		want   string // the code; "" if there is none to be told
	}{
		{"header", header(code), `{"message":"m"}`, code},
		{"header with a page", header(code + ":http://internal.amazon.com/coral/com.amazon.coral.service/"), `{"message":"m"}`, code},
		{"header alone", header(code), ``, code},
		{"body", nil, `{"__type":"` + code + `","message":"m"}`, code},
		{"body with a namespace", nil, `{"__type":"com.amazonaws.codebuild#` + code + `","Message":"m"}`, code},
		{"body of REST", nil, `{"code":"` + code + `","message":"m"}`, code},
		{"a proxy's page", nil, `<html>504</html>`, ""},
		{"nothing", nil, ``, ""},
		{"JSON without a code", nil, `{"message":"m"}`, ""},
	}
	for _, tt := range tests {
		f := awsfake.New()
		f.Handle("codebuild", "ListProjects", func(*awsfake.Call) awsfake.Reply {
			return awsfake.Reply{Status: 400, Header: tt.header, Body: []byte(tt.body)}
		})
		err := newJSON(t.Context(), f.Config(testRegion), codeBuild).ask(t.Context(), jsonCall{operation: "ListProjects", body: struct{}{}}, nil)
		if tt.want == "" {
			var api smithy.APIError
			if err == nil || errors.As(err, &api) {
				t.Errorf("%s: error %v, want one without a code", tt.name, err)
			}
		} else if !isCode(err, tt.want) {
			t.Errorf("%s: error %v, want code %s", tt.name, err, tt.want)
		}
	}
}

// TestJSONAnswerTooLarge: memory is bounded.
func TestJSONAnswerTooLarge(t *testing.T) {
	f := awsfake.New()
	f.Handle("codebuild", "ListProjects", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Reply{Body: bytes.Repeat([]byte(" "), maxJSONAnswer+1)}
	})
	err := newJSON(t.Context(), f.Config(testRegion), codeBuild).ask(t.Context(), jsonCall{operation: "ListProjects", body: struct{}{}}, nil)
	if err == nil || !strings.Contains(err.Error(), "16 MB") {
		t.Errorf("error %v", err)
	}
}

// TestJSONRequests: what is asked arrives as it was meant, at the path's element that is meant, and the signature is that of
// what arrived.
func TestJSONRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9:/ %+?#&=*é.-]{1,20}x`).Draw(t, "name")
		token := rapid.StringMatching(`[A-Za-z0-9:/ %+?#&=*é.-]{1,20}`).Draw(t, "token")
		f := awsfake.New()
		f.Handle("signer", "GET /", func(*awsfake.Call) awsfake.Reply { return awsfake.Reply{Body: []byte(`{}`)} })
		api := newJSON(context.Background(), f.Config(testRegion), signer)
		var out struct{}
		call := jsonCall{operation: "ListProfilePermissions", method: http.MethodGet, path: "/a/" + url.PathEscape(name) + "/b", query: tokenQuery(&token)}
		if err := api.ask(context.Background(), call, &out); err != nil {
			t.Fatal(err)
		}
		req := f.Calls()[0].Request
		if _, element, _ := strings.Cut(req.URL.EscapedPath(), "/a/"); element != url.PathEscape(name)+"/b" {
			t.Errorf("path %s for %q", req.URL.EscapedPath(), name)
		}
		if got := req.URL.Query().Get("nextToken"); got != token {
			t.Errorf("token %q, want %q", got, token)
		}
		if got, want := req.Header.Get("Authorization"), signature(t, api.cfg, req); got != want {
			t.Errorf("signature\n%s, want\n%s", got, want)
		}
	})
}

// signature is that of a request without a body.
func signature(t *rapid.T, cfg aws.Config, req *http.Request) string {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", req.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := cfg.Credentials.Retrieve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	signed := req.Clone(context.Background())
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // the hash of nothing
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, signed, empty, "signer", testRegion, at); err != nil {
		t.Fatal(err)
	}
	return signed.Header.Get("Authorization")
}

// FuzzJSONError: whatever answers, it is an error, and its code is never empty.
func FuzzJSONError(f *testing.F) {
	f.Add("ResourceNotFoundException:http://a/", `{"message":"m"}`)
	f.Add("", `{"__type":"com.amazonaws.codebuild#ResourceNotFoundException"}`)
	f.Add("#", `<html>`)
	j := &jsonClient{jsonService: codeBuild}
	f.Fuzz(func(t *testing.T, header, body string) {
		err := j.readError(http.Header{"X-Amzn-Errortype": {header}}, []byte(body))
		var api smithy.APIError
		if err == nil || errors.As(err, &api) && api.ErrorCode() == "" {
			t.Errorf("error %v", err)
		}
	})
}
