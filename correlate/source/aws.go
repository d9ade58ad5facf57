package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An AWS says with which credentials, and where, AWS is asked. The zero value asks as the
// environment and the default profile say.
type AWS struct {
	Profile string
	Region  string // where neither the source nor a filter names one; "" is the environment's or profile's

	RoleARN     string // is assumed first, unless ""
	ExternalID  string
	SessionName string // of that role; "" is iamwhy

	RequesterPays bool // of S3 buckets: the caller agrees to pay for reading them

	// MFAToken asks the user for the code of the MFA device that the profile
	// names. It is called at most once for each time that credentials last;
	// nil says that nobody can be asked.
	MFAToken func() (string, error)

	// Load replaces the environment and profile, in tests.
	Load func(context.Context) (aws.Config, error)

	login *login
}

// Shared returns a with a memory: all that is opened with copies of it has one set of
// credentials, so that an MFA code is asked for once, and a role assumed once.
func (a AWS) Shared() AWS {
	if a.login == nil {
		a.login = new(login)
	}
	return a
}

// A login is how to ask AWS, once that is known.
type login struct {
	mu  sync.Mutex
	cfg *aws.Config
}

// fallbackRegion is where a question is asked that can be asked anywhere.
const fallbackRegion = "us-east-1"

// config returns how to ask AWS in a region; "" is the default one. That there are
// credentials has been found out: it is an *AWSError if not, which says what to do.
func (a AWS) config(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := a.Shared().loggedIn(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	cfg.Region = cmp.Or(region, a.Region, cfg.Region)
	if cfg.Region == "" {
		return aws.Config{}, errors.New("no AWS region: give --region, or set AWS_REGION or the profile's region")
	}
	return cfg, nil
}

// loggedIn returns the configuration, with credentials that work, as far as can be
// said without using them. Its region is the environment's or profile's, or "".
func (a AWS) loggedIn(ctx context.Context) (aws.Config, error) {
	a.login.mu.Lock()
	defer a.login.mu.Unlock()
	if a.login.cfg != nil {
		return a.login.cfg.Copy(), nil
	}
	load := a.Load
	if load == nil {
		load = a.fromEnvironment
	}
	cfg, err := load(ctx)
	if err != nil {
		return aws.Config{}, a.failure(ctx, "AWS configuration", err)
	}
	if a.RoleARN != "" {
		cfg.Credentials = a.role(cfg)
	}
	if cfg.Credentials == nil {
		return aws.Config{}, &AWSError{Err: errNoCredentials}
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, a.failure(ctx, "AWS credentials", err)
	}
	a.login.cfg = &cfg
	return cfg.Copy(), nil
}

// fromEnvironment reads environment and profile as the AWS CLI does.
//
// The HTTP client is the SDK's own, since AWS_CA_BUNDLE, which may be set, is put into no other.
func (a AWS) fromEnvironment(ctx context.Context) (aws.Config, error) {
	var metadata struct{ *imds.Client }
	options := []func(*config.LoadOptions) error{
		config.WithAppID("iamwhy"),
		config.WithRetryMode(aws.RetryModeAdaptive),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.MaxIdleConnsPerHost = maxFetches // or every further connection is made anew
			tr.ResponseHeaderTimeout = time.Minute
		})),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = &metadata }),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) { o.TokenProvider = a.MFAToken }),
	}
	if a.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(a.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, err
	}
	// On a machine that isn't an instance nobody answers: the SDK's three attempts at
	// the metadata, each after three at a token, with a second between, take many seconds to find that out.
	metadata.Client = imds.NewFromConfig(cfg, func(o *imds.Options) {
		o.DisableDefaultMaxBackoff = true // it would put a second in place of what follows
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 2
			o.MaxBackoff = 100 * time.Millisecond
		})
	})
	return cfg, nil
}

// role returns the credentials of RoleARN, assumed with those of cfg.
func (a AWS) role(cfg aws.Config) aws.CredentialsProvider {
	cfg.Region = cmp.Or(a.Region, cfg.Region, fallbackRegion)
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), a.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = cmp.Or(a.SessionName, "iamwhy")
		if a.ExternalID != "" {
			o.ExternalID = aws.String(a.ExternalID)
		}
	}))
}

// An AWSError says that asking AWS failed: no credentials, no network, a call that was
// denied or went wrong. It stands within the *PartError of a part, or by
// itself where nothing could be asked. errors.As tells it from errors of input
// and usage (exit status 4, product.md §4); a context that was cancelled is no AWSError.
type AWSError struct{ Err error }

// Error says what was asked, what came of it, and what to do, in one line.
func (e *AWSError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *AWSError) Unwrap() error { return e.Err }

// failure is the *AWSError of something that was being done: the cause in
// short, and the next step if there is one. It is ctx's own error once ctx is done.
func (a AWS) failure(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if known := new(AWSError); errors.As(err, &known) {
		return err
	}
	short := &plainError{text: inShort(err), err: err}
	if step := a.nextStep(err); step != "" {
		return &AWSError{Err: fmt.Errorf("%s: %w; %s", doing, short, step)}
	}
	return &AWSError{Err: fmt.Errorf("%s: %w", doing, short)}
}

var errNoCredentials = errors.New("no AWS credentials: set AWS_PROFILE or --profile, run aws configure or aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")

// A plainError is an error of the SDK in the words that matter.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

// inShort is an error of the SDK without request ids and the layers it went through:
// S3 ListObjectsV2: AccessDenied: Access Denied.
func inShort(err error) string {
	if isNoCredentials(err) {
		return errNoCredentials.Error()
	}
	var op *smithy.OperationError
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	var request *url.Error
	where, what := "", err.Error()
	if errors.As(err, &op) {
		where, what = op.Service()+" "+op.Operation()+": ", op.Err.Error()
	}
	switch {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		what = api.ErrorCode() + ": " + api.ErrorMessage()
	case errors.As(err, &api):
		what = api.ErrorCode()
	case errors.As(err, &send) && errors.As(send.Err, &request): // whose URL says less than the operation
		what = request.Err.Error()
	}
	return where + what
}

// isNoCredentials reports whether err is how the SDK ends its search for
// credentials: it asked the metadata service of an instance, and there is none.
func isNoCredentials(err error) bool {
	for op := new(smithy.OperationError); errors.As(err, &op); err = op.Err {
		if op.Service() == imds.ServiceID {
			return true
		}
	}
	return false
}

// authFailures are the error codes with which services say that they don't accept the credentials.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var authFailures = map[string]string{
	"ExpiredToken":                expiredStep,
	"ExpiredTokenException":       expiredStep,
	"RequestExpired":              expiredStep,
	"TokenRefreshRequired":        expiredStep,
	"InvalidClientTokenId":        invalidStep,
	"UnrecognizedClientException": invalidStep,
	"InvalidAccessKeyId":          invalidStep,
	"InvalidToken":                invalidStep,
	"SignatureDoesNotMatch":       invalidStep,
	"InvalidSignatureException":   invalidStep,
	"RequestTimeTooSkewed":        "set this machine's clock",
}

const (
	expiredStep = "the credentials have expired: renew them"
	invalidStep = "AWS doesn't know these credentials: check the profile or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
)

// nextStep is what the user can do about an error; "" if that isn't known.
func (a AWS) nextStep(err error) string {
	var expired *ssocreds.InvalidTokenError
	var noProfile config.SharedConfigProfileNotExistError
	var noMFA config.AssumeRoleTokenProviderNotSetError
	var op *smithy.OperationError
	var api smithy.APIError
	switch {
	case errors.As(err, &expired), strings.Contains(err.Error(), "cached SSO token"): // for which a profile with an sso_session has no type
		return "run: " + a.ssoLogin()
	case errors.As(err, &noProfile):
		return "aws configure list-profiles lists those there are"
	case errors.As(err, &noMFA):
		return "the profile wants an MFA code, which can only be typed at a terminal"
	case errors.As(err, &op) && op.Service() == sso.ServiceID && errors.As(err, &api) && api.ErrorCode() == "UnauthorizedException":
		return "run: " + a.ssoLogin() // it was ended before its time
	case errors.As(err, &api):
		return authFailures[api.ErrorCode()]
	}
	return ""
}

// ssoLogin is the command that renews an SSO session.
func (a AWS) ssoLogin() string {
	profile := cmp.Or(a.Profile, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"))
	if profile == "" {
		return "aws sso login"
	}
	return "aws sso login --profile " + profile
}
