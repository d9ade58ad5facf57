package collectors

import (
	"errors"
	"net"

	"github.com/aws/smithy-go"
)

// The statuses of a part and of a call.
const (
	statusOK      = "ok"
	statusDenied  = "denied"
	statusError   = "error"
	statusSkipped = "skipped"
)

// A gap is a call that didn't give what was asked.
type gap struct {
	Action   string `json:"action"`             // s3:GetBucketPolicy
	Resource string `json:"resource,omitempty"` // ARN or name
	Region   string `json:"region,omitempty"`
	Status   string `json:"status"` // denied or error
	Reason   string `json:"reason"` // in AWS's words

	noHost bool // there is no such endpoint: the service may not be offered in the region
}

// newGap tells what an error means.
func newGap(action, resource, region string, err error) gap {
	g := gap{Action: action, Resource: resource, Region: region, Status: statusError, Reason: reasonOf(err)}
	if isDenied(err) {
		g.Status = statusDenied
	}
	var dns *net.DNSError
	g.noHost = errors.As(err, &dns) && dns.IsNotFound
	return g
}

// denials are the error codes with which services say that the caller may not.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
var denials = map[string]bool{
	"AccessDenied":                true,
	"AccessDeniedException":       true,
	"AccessDeniedFault":           true,
	"AuthorizationError":          true, // SNS
	"AuthorizationErrorException": true,
	"NotAuthorized":               true,
	"UnauthorizedOperation":       true, // EC2
	"UnauthorizedAccess":          true,
	"UnauthorizedException":       true,
	"AllAccessDisabled":           true, // S3
}

// isDenied reports whether AWS said that the caller may not.
func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && denials[api.ErrorCode()]
}

// isCode reports whether AWS answered with one of these error codes: how a service
// says, for one, that a resource has no policy.
func isCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// reasonOf is what AWS said, without request ids and the layers the error went through.
func reasonOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		if isDenied(err) && api.ErrorMessage() != "" {
			return api.ErrorMessage()
		}
		if api.ErrorMessage() != "" {
			return api.ErrorCode() + ": " + api.ErrorMessage()
		}
		return api.ErrorCode()
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}
