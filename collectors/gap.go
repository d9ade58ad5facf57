package collectors

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
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
	Action   string `json:"action,omitempty"`   // s3:GetBucketPolicy
	Resource string `json:"resource,omitempty"` // ARN or name
	Region   string `json:"region,omitempty"`
	Status   string `json:"status"` // denied or error
	Reason   string `json:"reason"` // in AWS's words

	also       string // the part that lacks it, if it is one of also
	noHost     bool   // there is no such endpoint
	notOffered bool   // and that is so as the service isn't offered in the region: nothing is missing
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

// compare orders gaps: errors first, which are the graver.
func (g gap) compare(other gap) int {
	return cmp.Or(
		-cmp.Compare(g.Status, other.Status),
		cmp.Compare(g.Action, other.Action),
		cmp.Compare(g.Region, other.Region),
		cmp.Compare(g.Resource, other.Resource),
		cmp.Compare(g.Reason, other.Reason),
	)
}

// text says what failed and why. AWS's words often name the action and the resource already.
func (g gap) text() string {
	if g.Action == "" || strings.Contains(g.Reason, g.Action) && strings.Contains(g.Reason, g.Resource) {
		return g.Reason
	}
	text := g.Action
	switch {
	case g.Resource != "":
		text += " on " + g.Resource
	case g.Region != "":
		text += " in " + g.Region
	}
	return text + ": " + g.Reason
}

// denials are the error codes with which services say that the caller may not.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var denials = []string{
	"AccessDenied",
	"AccessDeniedException",
	"AccessDeniedFault",
	"AllAccessDisabled",  // S3
	"AuthorizationError", // SNS
	"AuthorizationErrorException",
	"NotAuthorized",
	"UnauthorizedAccess",
	"UnauthorizedException",
	"UnauthorizedOperation", // EC2
}

// isDenied reports whether AWS said that the caller may not.
func isDenied(err error) bool { return isCode(err, denials...) }

// isCode reports whether AWS answered with one of these error codes: how a service
// says, for one, that a resource has no policy.
func isCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}

// reasonOf is what AWS said, in one line, without request ids and the layers that the error went through.
func reasonOf(err error) string {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	var answer *smithyhttp.ResponseError
	var op *smithy.OperationError
	text := err.Error()
	switch {
	case errors.As(err, &api) && api.ErrorMessage() == "":
		text = api.ErrorCode()
	case errors.As(err, &api) && isDenied(err):
		text = api.ErrorMessage()
	case errors.As(err, &api):
		text = api.ErrorCode() + ": " + api.ErrorMessage()
	case errors.As(err, &send):
		text = send.Err.Error()
	case errors.As(err, &answer):
		text = fmt.Sprintf("HTTP status %d: %s", answer.HTTPStatusCode(), answer.Err)
	case errors.As(err, &op):
		text = op.Err.Error()
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + " …"
	}
	return text
}

// maxReason is how many bytes of an error are kept.
const maxReason = 2000
