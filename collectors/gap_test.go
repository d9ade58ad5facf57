package collectors

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestReasonOf(t *testing.T) {
	during := func(err error) error {
		return &smithy.OperationError{ServiceID: "SQS", OperationName: "ListQueues", Err: fmt.Errorf("exceeded maximum number of attempts, 6, %w", err)}
	}
	answer := &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 500}}, Err: errors.New("deserialization failed")}
	tests := []struct {
		name   string
		err    error
		reason string
		status string
	}{
		{"denied", during(apiError{"AccessDenied", "User: u is not\nauthorized"}), "User: u is not authorized", "denied"},
		{"denied without a word", during(apiError{"AccessDeniedException", ""}), "AccessDeniedException", "denied"},
		{"EC2's word for it", during(apiError{"UnauthorizedOperation", "You are not authorized."}), "You are not authorized.", "denied"},
		{"another error of AWS's", during(apiError{"Throttling", "Rate exceeded"}), "Throttling: Rate exceeded", "error"},
		{"no connection", during(&smithyhttp.RequestSendError{Err: errors.New("connection refused")}), "connection refused", "error"},
		{"an answer that is none", during(answer), "HTTP status 500: deserialization failed", "error"},
		{"before anything is sent", &smithy.OperationError{ServiceID: "SQS", Err: errors.New("no region")}, "no region", "error"},
		{"not the SDK's", errors.New("the answer has no policy"), "the answer has no policy", "error"},
		{"a long one", errors.New(strings.Repeat("é", 5000)), strings.Repeat("é", 1000) + " …", "error"},
	}
	for _, tt := range tests {
		if g := newGap("sqs:ListQueues", "", "", tt.err); g.Reason != tt.reason || g.Status != tt.status {
			t.Errorf("%s: %s %q, want %s %q", tt.name, g.Status, g.Reason, tt.status, tt.reason)
		}
	}
}

func TestGapText(t *testing.T) {
	tests := []struct {
		name string
		g    gap
		want string
	}{
		{"AWS names all", gap{Action: "s3:GetBucketPolicy", Resource: "arn:aws:s3:::b", Reason: `not authorized to perform: s3:GetBucketPolicy on resource: "arn:aws:s3:::b"`}, `not authorized to perform: s3:GetBucketPolicy on resource: "arn:aws:s3:::b"`},
		{"AWS names nothing", gap{Action: "s3:GetBucketPolicy", Resource: "arn:aws:s3:::b", Region: "eu-west-1", Reason: "Access Denied"}, "s3:GetBucketPolicy on arn:aws:s3:::b: Access Denied"},
		{"a list", gap{Action: "sqs:ListQueues", Region: "eu-west-1", Reason: "Access Denied"}, "sqs:ListQueues in eu-west-1: Access Denied"},
		{"no action", gap{Reason: "writing it as JSON"}, "writing it as JSON"},
	}
	for _, tt := range tests {
		if got := tt.g.text(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
