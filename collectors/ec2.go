package collectors

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/ec2query"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// This file asks EC2's Query API by requests that it signs itself: for the two calls
// that are needed, the SDK's client would cost a minute of every build.

// ec2Version is the version of the API.
const ec2Version = "2016-11-15"

// maxEC2Answer is how large one answer may be, in bytes. A page of DescribeVpcEndpoints has
// endpointsPage endpoints, each with a policy of 20,480 characters at most.
//
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
const maxEC2Answer = 64 << 20

// An ec2Client asks EC2 in one region.
type ec2Client struct {
	cfg      aws.Config
	endpoint string
	retryer  aws.Retryer // one for all calls: in adaptive mode it remembers what was throttled
}

// newEC2 returns a client that asks as cfg says.
func newEC2(ctx context.Context, cfg aws.Config) (*ec2Client, error) {
	endpoint, err := ec2Endpoint(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("the endpoint of EC2 in region %q: %w", cfg.Region, err)
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	return &ec2Client{cfg: cfg, endpoint: endpoint, retryer: retryerOf(cfg)}, nil
}

// retryerOf is what the SDK's clients make of a configuration.
func retryerOf(cfg aws.Config) aws.Retryer {
	attempts := func(o *retry.StandardOptions) {
		if cfg.RetryMaxAttempts > 0 {
			o.MaxAttempts = cfg.RetryMaxAttempts
		}
	}
	switch {
	case cfg.Retryer != nil:
		return cfg.Retryer()
	case cfg.RetryMode == aws.RetryModeAdaptive:
		return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) { o.StandardOptions = append(o.StandardOptions, attempts) })
	}
	return retry.NewStandard(attempts)
}

// ask makes one call, and reads its answer into a struct of XML. It is tried again as
// the retryer says. The error is a *smithy.OperationError, as that of the SDK's clients.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
func (e *ec2Client) ask(ctx context.Context, action string, params url.Values, answer any) error {
	form := url.Values{"Action": {action}, "Version": {ec2Version}}
	maps.Copy(form, params)
	body := []byte(form.Encode())
	// Each attempt makes a request of its own: there is none to clone.
	attempts := retry.NewAttemptMiddleware(e.retryer, func(v any) any { return v })
	_, _, err := attempts.HandleFinalize(ctx, middleware.FinalizeInput{}, middleware.FinalizeHandlerFunc(
		func(ctx context.Context, _ middleware.FinalizeInput) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			return out, m, e.send(ctx, body, answer)
		}))
	if err != nil {
		return &smithy.OperationError{ServiceID: "EC2", OperationName: action, Err: err}
	}
	return nil
}

// send signs and sends a request once.
func (e *ec2Client) send(ctx context.Context, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	req.Header.Set("User-Agent", "iamwhy")
	if e.cfg.Credentials == nil {
		return errors.New("there are no AWS credentials")
	}
	credentials, err := e.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("AWS credentials: %w", err)
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), "ec2", e.cfg.Region, time.Now()); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	res, err := e.cfg.HTTPClient.Do(req)
	if err != nil {
		return &smithyhttp.RequestSendError{Err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxEC2Answer+1))
	switch {
	case err != nil:
		return &smithyhttp.RequestSendError{Err: fmt.Errorf("reading the answer: %w", err)}
	case len(text) > maxEC2Answer:
		return fmt.Errorf("the answer is larger than %d MB, which none is", maxEC2Answer>>20)
	case res.StatusCode != http.StatusOK:
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: res}, Err: ec2Error(text)}
	}
	if err := xml.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the answer isn't the XML that EC2 gives: %w", err)
	}
	return nil
}

// ec2Error reads the body of an error; what isn't one may be a proxy's page.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func ec2Error(body []byte) error {
	e, err := ec2query.GetErrorResponseComponents(bytes.NewReader(body))
	if err != nil || e.Code == "" {
		return errors.New("and no error of EC2's in it")
	}
	return &smithy.GenericAPIError{Code: e.Code, Message: e.Message}
}

// ec2Endpoint is where EC2 is asked: as AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL or the profile
// say, else the region's.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func ec2Endpoint(ctx context.Context, cfg aws.Config) (string, error) {
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
		}); ok {
			if at, found, err := s.GetServiceBaseEndpoint(ctx, "EC2"); found || err != nil {
				return at, err
			}
		}
	}
	if at := aws.ToString(cfg.BaseEndpoint); at != "" {
		return at, nil
	}
	return regionalEC2(ctx, cfg)
}

// regionalEC2 is the region's endpoint. The SDK knows the domain of each partition, but tells only
// clients; EC2's endpoints are named as those of STS are, FIPS and dual-stack ones too.
//
// https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
// https://docs.aws.amazon.com/general/latest/gr/sts.html
func regionalEC2(ctx context.Context, cfg aws.Config) (string, error) {
	fips, dual, err := endpointVariants(ctx, cfg)
	if err != nil {
		return "", err
	}
	if cfg.Region == "" {
		return "", errors.New("there is none: give --region, or set AWS_REGION or the profile's region")
	}
	e, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: &cfg.Region, UseFIPS: &fips, UseDualStack: &dual})
	if err != nil {
		return "", err
	}
	service, domain, _ := strings.Cut(e.URI.Host, ".")
	e.URI.Host = strings.Replace(service, "sts", "ec2", 1) + "." + domain
	e.URI.Path = "/"
	return e.URI.String(), nil
}

// endpointVariants are what environment and profile say of FIPS and dual-stack endpoints.
func endpointVariants(ctx context.Context, cfg aws.Config) (fips, dual bool, err error) {
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
		}); ok && !fips {
			state, _, e := s.GetUseFIPSEndpoint(ctx)
			fips, err = state == aws.FIPSEndpointStateEnabled, errors.Join(err, e)
		}
		if s, ok := source.(interface {
			GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
		}); ok && !dual {
			state, _, e := s.GetUseDualStackEndpoint(ctx)
			dual, err = state == aws.DualStackEndpointStateEnabled, errors.Join(err, e)
		}
	}
	return fips, dual, err
}
