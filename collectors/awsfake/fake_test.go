package awsfake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// cancelled is a row for tests of how calls are told and answered.
func cancelled(c *Call) Reply {
	var in struct{ QueryId string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	return JSON(map[string]string{"QueryId": in.QueryId, "QueryStatus": "CANCELLED"})
}

func cancel(cfg aws.Config) (*cloudtrail.CancelQueryOutput, error) {
	return cloudtrail.NewFromConfig(cfg).CancelQuery(context.Background(), &cloudtrail.CancelQueryInput{QueryId: aws.String("q")})
}

// TestMounts: the same calls, with a socket and without one.
func TestMounts(t *testing.T) {
	f := New()
	f.Handle("cloudtrail", "CancelQuery", cancelled)
	server := httptest.NewServer(f)
	defer server.Close()
	direct := f.Config("eu-west-1")
	behind := f.Config("eu-west-2")
	behind.HTTPClient, behind.BaseEndpoint = server.Client(), aws.String(server.URL)
	transport := f.Config("eu-west-3")
	transport.HTTPClient = &http.Client{Transport: f}
	for _, cfg := range []aws.Config{direct, behind, transport} {
		out, err := cancel(cfg)
		if err != nil || out.QueryStatus != types.QueryStatusCancelled || aws.ToString(out.QueryId) != "q" {
			t.Errorf("CancelQuery in %s = %+v, %v", cfg.Region, out, err)
		}
	}
	var got []string
	for _, c := range f.Calls() {
		got = append(got, strings.Join([]string{c.Service, c.Region, c.Operation, c.AccessKey, string(c.Body)}, " "))
	}
	var want []string
	for _, region := range []string{"eu-west-1", "eu-west-2", "eu-west-3"} {
		want = append(want, "cloudtrail "+region+` CancelQuery AKIAIOSFODNN7EXAMPLE {"QueryId":"q"}`)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestProtocols: calls are told, and answered, in each way that AWS has.
func TestProtocols(t *testing.T) {
	f := New()
	f.Handle("sts", "GetCallerIdentity", func(*Call) Reply {
		return Result(struct{ Account, Arn, UserId string }{Account, "arn:aws:iam::111122223333:user/u", "AIDAEXAMPLE"})
	})
	f.Handle("s3", "GET /{key...}", func(c *Call) Reply {
		return Reply{Body: []byte(c.Request.PathValue("key"))}
	})
	ctx := context.Background()
	who, err := sts.NewFromConfig(f.Config("eu-west-1")).GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(who.Account) != Account {
		t.Errorf("GetCallerIdentity = %+v, %v", who, err)
	}
	object, err := s3.NewFromConfig(f.Config("eu-west-1")).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("acme-logs"), Key: aws.String("a/b c")})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(object.Body); err != nil || string(body) != "a/b c" {
		t.Errorf("GetObject = %q, %v", body, err)
	}
}

// TestErrors: an error comes to the SDK's client with its code and text in each protocol.
func TestErrors(t *testing.T) {
	ctx := context.Background()
	f := New()
	f.Handle("cloudtrail", "CancelQuery", cancelled)
	f.Handle("sts", "GetCallerIdentity", cancelled)
	f.Handle("s3", "GET /", cancelled)
	calls := map[string]func(aws.Config) error{
		"JSON": func(cfg aws.Config) error { _, err := cancel(cfg); return err },
		"Query": func(cfg aws.Config) error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
			return err
		},
		"S3": func(cfg aws.Config) error { _, err := s3.NewFromConfig(cfg).ListBuckets(ctx, nil); return err },
		"no such row": func(cfg aws.Config) error {
			_, err := cloudtrail.NewFromConfig(cfg).ListTrails(ctx, nil)
			return err
		},
		"no such service": func(cfg aws.Config) error {
			g := New()
			cfg.HTTPClient = g
			_, err := s3.NewFromConfig(cfg).ListBuckets(ctx, nil)
			return err
		},
	}
	f.Fail(Fault{Region: "eu-west-1", Reply: Deny})
	f.Fail(Fault{Region: "eu-west-2", Reply: Throttle})
	for _, test := range []struct{ call, region, code, message string }{
		{"JSON", "eu-west-1", "AccessDeniedException", "not authorized to perform: cloudtrail:CancelQuery"},
		{"JSON", "eu-west-2", "ThrottlingException", "Rate exceeded"},
		{"Query", "eu-west-1", "AccessDenied", "not authorized to perform: sts:GetCallerIdentity"},
		{"Query", "eu-west-2", "Throttling", "Rate exceeded"},
		{"S3", "eu-west-1", "AccessDenied", "not authorized to perform: s3:"},
		{"S3", "eu-west-2", "SlowDown", "reduce your request rate"},
		{"no such row", "eu-west-3", "UnknownOperationException", "ListTrails of cloudtrail"},
		{"no such service", "eu-west-3", "UnknownOperationException", "of s3"},
	} {
		err := calls[test.call](f.Config(test.region))
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != test.code || !strings.Contains(api.ErrorMessage(), test.message) {
			t.Errorf("%s in %s: %v, want %s with %q", test.call, test.region, err, test.code, test.message)
		}
	}
}

// TestFaults: the n-th call goes wrong, and the SDK's retry meets the next one.
func TestFaults(t *testing.T) {
	f := New()
	f.Handle("cloudtrail", "CancelQuery", cancelled)
	f.Fail(Fault{Operation: "CancelQuery", Nth: 2, Reply: Throttle})
	for range 2 {
		if _, err := cancel(f.Config("eu-west-1")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.Calls()); n != 3 {
		t.Errorf("%d calls, want 3: the second one again", n)
	}
	f.Fail(Fault{Region: "eu-west-2", Reply: Garble})
	if _, err := cancel(f.Config("eu-west-2")); err == nil {
		t.Error("a garbled body was read")
	}
}

// TestHeld: an answer waits until it is let go, or until the caller goes away.
func TestHeld(t *testing.T) {
	f := New()
	f.Handle("cloudtrail", "CancelQuery", cancelled)
	until := make(chan struct{})
	f.Fail(Fault{Nth: 1, Until: until})
	f.Fail(Fault{Nth: 2, Until: make(chan struct{})})
	done := make(chan error)
	go func() {
		_, err := cancel(f.Config("eu-west-1"))
		done <- err
	}()
	close(until)
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, err := cloudtrail.NewFromConfig(f.Config("eu-west-1")).CancelQuery(ctx, &cloudtrail.CancelQueryInput{QueryId: aws.String("q")})
		done <- err
	}()
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled call = %v", err)
	}
}

// TestUnsigned: AWS refuses what isn't signed; a presigned URL is.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html
func TestUnsigned(t *testing.T) {
	f := New()
	f.Handle("s3", "GET /", func(*Call) Reply { return Reply{} })
	get := func(url string) int {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := f.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	plain := "https://b.s3.eu-west-1.amazonaws.com/"
	if status := get(plain); status != http.StatusForbidden {
		t.Errorf("unsigned: status %d, want 403", status)
	}
	if len(f.Calls()) > 0 {
		t.Error("an unsigned call was recorded as one of somebody")
	}
	req := &http.Request{Method: http.MethodGet, Host: "b.s3.eu-west-1.amazonaws.com", Header: http.Header{}, URL: &url.URL{Scheme: "https", Host: "b.s3.eu-west-1.amazonaws.com", Path: "/"}}
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "s"}, req, "UNSIGNED-PAYLOAD", "s3", "eu-west-1", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if status := get(signed); status != http.StatusOK {
		t.Errorf("presigned: status %d, want 200", status)
	}
}
