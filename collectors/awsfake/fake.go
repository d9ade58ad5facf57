// Package awsfake is AWS as one http.Handler, for tests: what httptest is for net/http.
// [New] is the call that most need.
//
// A [Fake] is mounted in one of two ways. As [Fake.Config]'s HTTP client it gets what the SDK would send
// to AWS's own endpoints, without a socket. Behind httptest.NewServer, with its URL in
// AWS_ENDPOINT_URL, it serves a command that is run as a whole. (Build aws.Config as Config does:
// config.LoadDefaultConfig refuses a client that isn't the SDK's own if AWS_CA_BUNDLE is set.)
//
// A call is told by its signature's credential scope, which has the service and the region, and
// then by X-Amz-Target, the form's Action, or method and path. A service is a file of this package with a type that is a
// [Service]: a row for each operation. What a service gives, and its errors, have the shape that AWS's API
// reference shows. Signatures are read, not verified.
package awsfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Account is the account that all credentials are of.
const Account = "111122223333"

// A Service has operations. A row's name is that of X-Amz-Target (without what is before
// the full stop) or of Action; for a REST service a pattern of http.ServeMux: GET /functions/{name}.
type Service interface {
	// Operations returns the name that the service signs with, such as cloudtrail, and its rows.
	Operations() (service string, rows map[string]Handler)
}

// A Handler answers the calls of one operation. It may be called from several goroutines at once.
type Handler func(*Call) Reply

// A Call is a request to AWS.
type Call struct {
	Service   string // that signed: cloudtrail, s3, logs
	Region    string
	Operation string // the row's name
	AccessKey string
	Body      []byte
	Form      url.Values // of the Query protocol

	Request *http.Request // whose body was read; it has the path's values

	protocol protocol
}

// Decode reads a JSON body. Its error is what a Handler replies with, as AWS does.
func (c *Call) Decode(into any) *Reply {
	if err := json.Unmarshal(c.Body, into); err != nil {
		r := Error("SerializationException", err.Error())
		return &r
	}
	return nil
}

// A Fake is AWS. It may be used from several goroutines.
type Fake struct {
	services map[string]*rows

	mu     sync.Mutex
	calls  []Call
	faults []*fault
}

// rows are the operations of a service, by name and by pattern.
type rows struct {
	named map[string]Handler
	paths *http.ServeMux
}

// New returns an AWS that has these services.
func New(services ...Service) *Fake {
	f := &Fake{services: make(map[string]*rows)}
	for _, s := range services {
		name, operations := s.Operations()
		for operation, h := range operations {
			f.Handle(name, operation, h)
		}
	}
	return f
}

// Handle adds a row, or replaces one that has a name. It isn't for use once calls are made.
func (f *Fake) Handle(service, operation string, h Handler) {
	r := f.services[service]
	if r == nil {
		r = &rows{named: make(map[string]Handler), paths: http.NewServeMux()}
		f.services[service] = r
	}
	if !strings.Contains(operation, " ") {
		r.named[operation] = h
		return
	}
	r.paths.HandleFunc(operation, func(w http.ResponseWriter, req *http.Request) {
		c := req.Context().Value(callKey{}).(*Call)
		c.Operation, c.Request = operation, req
		f.answer(w, c, h)
	})
}

// callKey is under which a request's context has its *Call on the way through a ServeMux.
type callKey struct{}

// Calls returns the signed calls that were made so far, in their order, those included that met a fault.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Config returns a configuration whose clients ask f. They try a call three times, without a wait.
func (f *Fake) Config(region string) aws.Config {
	return aws.Config{
		Region:     region,
		HTTPClient: f,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", AccountID: Account}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.RateLimiter = ratelimit.None
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

// Do makes f the HTTP client of an aws.Config.
func (f *Fake) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

// RoundTrip makes f the transport of an http.Client.
func (f *Fake) RoundTrip(r *http.Request) (*http.Response, error) { return f.Do(r) }

// ServeHTTP answers one call.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{Request: r}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.Body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	signed := c.readScope()
	c.readOperation()
	if !signed {
		c.write(w, Error("MissingAuthenticationTokenException", "Missing Authentication Token"))
		return
	}
	service := f.services[c.Service]
	switch {
	case service == nil:
		f.answer(w, c, unknown)
	case c.Operation == "":
		if _, pattern := service.paths.Handler(r); pattern == "" {
			c.Operation = r.Method + " " + r.URL.Path
			f.answer(w, c, unknown)
			return
		}
		service.paths.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	default:
		h := service.named[c.Operation]
		if h == nil {
			h = unknown
		}
		f.answer(w, c, h)
	}
}

// unknown answers what no row is for.
func unknown(c *Call) Reply {
	return Error("UnknownOperationException", fmt.Sprintf("awsfake has no %s of %s", c.Operation, c.Service))
}

// answer records a call and answers it: as a fault says, else as h does.
func (f *Fake) answer(w http.ResponseWriter, c *Call, h Handler) {
	f.mu.Lock()
	f.calls = append(f.calls, *c)
	hit := f.hit(c)
	f.mu.Unlock()
	if hit != nil {
		if hit.Until != nil {
			select {
			case <-hit.Until:
			case <-c.Request.Context().Done():
				return
			}
		}
		if hit.Reply != nil {
			h = hit.Reply
		}
	}
	c.write(w, h(c))
}

// readScope reads the signature's credential scope. It returns false if there is no signature.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (c *Call) readScope() bool {
	_, credential, _ := strings.Cut(c.Request.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	if credential == "" {
		credential = c.Request.URL.Query().Get("X-Amz-Credential")
	}
	parts := strings.Split(credential, "/") // key, date, region, service, aws4_request
	if len(parts) != 5 {
		return false
	}
	c.AccessKey, c.Region, c.Service = parts[0], parts[2], parts[3]
	return true
}

// s3Control begins the paths of S3 Control, which signs as S3 and has errors of another shape.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
const s3Control = "/v20180820/"

// readOperation reads what a call says of its operation and its protocol.
func (c *Call) readOperation() {
	c.protocol = protocols[c.Service]
	if c.protocol == s3XML && strings.HasPrefix(c.Request.URL.Path, s3Control) {
		c.protocol = restXML
	}
	kind := c.Request.Header.Get("Content-Type")
	if target := c.Request.Header.Get("X-Amz-Target"); target != "" {
		c.Operation = target[strings.LastIndexByte(target, '.')+1:]
		c.protocol = awsJSON
		return
	}
	if strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		if form, err := url.ParseQuery(string(c.Body)); err == nil && form.Has("Action") {
			c.Form, c.Operation = form, form.Get("Action")
			if c.protocol != ec2Query {
				c.protocol = query
			}
		}
	}
}
