package collectors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// This file asks services that answer in JSON, by the parts that the SDK's clients are made of: the clients
// themselves would each be a module of thousands of lines for the two or three calls that are needed.

// A jsonService is a service that is asked in this way.
type jsonService struct {
	id    string // the SDK's name of the service, which endpoints are configured by: ACM PCA
	signs string // what requests are signed for: acm-pca
	host  string // how the name of its endpoints begins, before -fips
	// target is the prefix of X-Amz-Target of a service whose calls are told by it; "" of a REST service.
	target string
	// dualStackHost begins the endpoints that have IPv6, too, if it isn't host.
	dualStackHost string
	// plainInGov says that its FIPS endpoints in aws-us-gov are those without -fips.
	plainInGov bool
}

// A jsonClient asks a jsonService in one region.
type jsonClient struct {
	jsonService
	cfg      aws.Config
	endpoint *url.URL
	lacks    error       // why there is no endpoint; nil if there is one
	retryer  aws.Retryer // one for all calls: in adaptive mode it remembers what was throttled
}

// newJSON returns a client that asks as cfg says. If that names no endpoint, each call says so.
func newJSON(ctx context.Context, cfg aws.Config, s jsonService) *jsonClient {
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	j := &jsonClient{jsonService: s, cfg: cfg, retryer: retryerOf(cfg)}
	j.endpoint, j.lacks = s.endpointOf(ctx, cfg)
	return j
}

// A jsonCall is a question. That of a service with a target has a body and no more.
type jsonCall struct {
	operation string // the SDK's name
	method    string // "" is POST
	path      string // escaped; "" is /
	query     url.Values
	body      any // nil if there is none
}

// maxJSONAnswer is how large one answer may be, in bytes. The largest are pages of a thousand resources.
const maxJSONAnswer = 16 << 20

// ask makes a call, again if the retryer says so, and reads its answer into a struct. The
// error is a *smithy.OperationError, as that of the SDK's clients.
func (j *jsonClient) ask(ctx context.Context, call jsonCall, answer any) error {
	if j.lacks != nil {
		return &smithy.OperationError{ServiceID: j.id, OperationName: call.operation, Err: j.lacks}
	}
	stack := middleware.NewStack(call.operation, smithyhttp.NewStackRequest)
	err := errors.Join(
		stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{ServiceID: j.id, SigningName: j.signs, Region: j.cfg.Region, OperationName: call.operation}, middleware.Before),
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("Call", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
			if in.Request, err = j.request(call, in.Request); err != nil {
				return out, m, err
			}
			return next.HandleSerialize(ctx, in)
		}), middleware.After),
		awsmiddleware.AddUserAgentKey("iamwhy")(stack),
		stack.Finalize.Add(&v4.ComputePayloadSHA256{}, middleware.After),
		stack.Finalize.Add(retry.NewAttemptMiddleware(j.retryer, smithyhttp.RequestCloner), middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Sign", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			if err := j.sign(ctx, in.Request); err != nil {
				return out, m, err
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Answer", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, m middleware.Metadata, err error) {
			out, m, err = next.HandleDeserialize(ctx, in)
			if res, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil {
				err = j.read(res, answer)
			}
			return out, m, err
		}), middleware.After),
	)
	for _, option := range j.cfg.APIOptions {
		err = errors.Join(err, option(stack))
	}
	if err == nil {
		_, _, err = middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(j.cfg.HTTPClient), stack).Handle(ctx, nil)
	}
	if err != nil {
		return &smithy.OperationError{ServiceID: j.id, OperationName: call.operation, Err: err}
	}
	return nil
}

// pagesOfJSON is a list: call says what to ask for a token, which is nil for the first page, and next is the
// token of the page after.
func pagesOfJSON[Page any](j *jsonClient, call func(token *string) jsonCall, next func(*Page) *string) *tokenPaginator[*Page] {
	return &tokenPaginator[*Page]{next: func(ctx context.Context, token *string) (*Page, *string, error) {
		page := new(Page)
		if err := j.ask(ctx, call(token), page); err != nil {
			return nil, nil, err
		}
		return page, next(page), nil
	}}
}

// tokenQuery is the query of a REST service's list.
func tokenQuery(token *string) url.Values {
	if token == nil {
		return nil
	}
	return url.Values{"nextToken": {*token}}
}

// request turns the stack's empty request into that of a call.
//
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
func (j *jsonClient) request(call jsonCall, empty any) (*smithyhttp.Request, error) {
	req, ok := empty.(*smithyhttp.Request)
	if !ok {
		return nil, fmt.Errorf("a request of type %T", empty)
	}
	req.Method = cmp.Or(call.method, http.MethodPost)
	req.URL = j.endpoint.JoinPath(cmp.Or(call.path, "/"))
	req.URL.RawQuery = call.query.Encode()
	req.Host = req.URL.Host
	if j.target != "" {
		req.Header.Set("X-Amz-Target", j.target+"."+call.operation)
	}
	if call.body == nil {
		return req, nil
	}
	body, err := json.Marshal(call.body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if j.target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	}
	return req.SetStream(bytes.NewReader(body))
}

// sign signs a request whose body's hash is in ctx.
func (j *jsonClient) sign(ctx context.Context, request any) error {
	req, ok := request.(*smithyhttp.Request)
	if !ok {
		return fmt.Errorf("a request of type %T", request)
	}
	if j.cfg.Credentials == nil {
		return errors.New("there are no AWS credentials")
	}
	credentials, err := j.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("AWS credentials: %w", err)
	}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req.Request, v4.GetPayloadHash(ctx), j.signs, j.cfg.Region, time.Now()); err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	return nil
}

// read reads an answer.
func (j *jsonClient) read(res *smithyhttp.Response, answer any) error {
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxJSONAnswer+1))
	switch {
	case err != nil:
		return &smithyhttp.RequestSendError{Err: fmt.Errorf("reading the answer: %w", err)}
	case len(text) > maxJSONAnswer:
		return fmt.Errorf("the answer is larger than %d MB, which none is", maxJSONAnswer>>20)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return &smithyhttp.ResponseError{Response: res, Err: j.readError(res.Header, text)}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("the answer isn't the JSON that %s gives: %w", j.id, err)
	}
	return nil
}

// readError reads an error, whose code is in the header or the body; what isn't one may be a proxy's page.
func (j *jsonClient) readError(header http.Header, body []byte) error {
	kind, message, _ := restjson.GetErrorInfo(json.NewDecoder(bytes.NewReader(body))) // the header's code is enough
	code := restjson.SanitizeErrorCode(cmp.Or(header.Get("X-Amzn-Errortype"), kind))
	if code == "" {
		return fmt.Errorf("and no error of %s's in it", j.id)
	}
	return &smithy.GenericAPIError{Code: code, Message: message}
}

// endpointOf is where the service is asked: as environment and profile say, else the region's endpoint.
func (s *jsonService) endpointOf(ctx context.Context, cfg aws.Config) (*url.URL, error) {
	at, err := configuredEndpoint(ctx, cfg, s.id)
	if err == nil && at == "" {
		at, err = s.regionalEndpoint(ctx, cfg)
	}
	var u *url.URL
	if err == nil {
		u, err = url.Parse(at)
	}
	if err != nil {
		return nil, fmt.Errorf("the endpoint of %s in region %q: %w", s.id, cfg.Region, err)
	}
	return u.JoinPath("/"), nil
}

// configuredEndpoint is where a service is asked as AWS_ENDPOINT_URL_EC2, AWS_ENDPOINT_URL or the profile say; "" if
// they don't. id is the SDK's name of the service.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func configuredEndpoint(ctx context.Context, cfg aws.Config, id string) (string, error) {
	for _, source := range cfg.ConfigSources {
		if s, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
		}); ok {
			if at, found, err := s.GetServiceBaseEndpoint(ctx, id); found || err != nil {
				return at, err
			}
		}
	}
	return aws.ToString(cfg.BaseEndpoint), nil
}

// regionalEndpoint is the region's endpoint. The SDK knows the domain of each partition, but tells only
// clients; most services' endpoints are named as those of CodeArtifact are, FIPS and dual-stack ones too.
//
// https://docs.aws.amazon.com/general/latest/gr/rande.html
// https://docs.aws.amazon.com/general/latest/gr/pca.html
func (s *jsonService) regionalEndpoint(ctx context.Context, cfg aws.Config) (string, error) {
	fips, dual, err := endpointVariants(ctx, cfg)
	if err != nil {
		return "", err
	}
	if cfg.Region == "" {
		return "", errors.New("there is none: give --region, or set AWS_REGION or the profile's region")
	}
	if s.plainInGov && !dual && strings.HasPrefix(cfg.Region, "us-gov-") {
		fips = false
	}
	e, err := codeartifact.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, codeartifact.EndpointParameters{Region: &cfg.Region, UseFIPS: &fips, UseDualStack: &dual})
	if err != nil {
		return "", err
	}
	host := s.host
	if dual && s.dualStackHost != "" {
		host = s.dualStackHost
	}
	e.URI.Host = strings.Replace(e.URI.Host, "codeartifact", host, 1)
	return e.URI.String(), nil
}
