package apicall

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestBounds: a call that names more than is taken apart keeps what it can't name, as unknown, and what it needs
// beside it (T81, T83).
func TestBounds(t *testing.T) {
	many := func(n int, format string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, ",")
	}
	tests := []struct {
		name, service, operation, parameters string
		rest, dependent                      string
	}{
		{"two lists", "ec2", "AttachVolume", `{"instanceId":[` + many(900, `"i-%d"`) + `],"volumeId":[` + many(900, `"vol-%d"`) + `]}`, "ec2:AttachVolume", ""},
		{"batch", "dynamodb", "BatchGetItem", `{"requestItems":{` + many(500, `"t%d":{}`) + `}}`, "dynamodb:BatchGetItem", ""},
		{"dependents stay", "ec2", "RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"subnetId":"subnet-1","groupSet":{"items":[` + many(1000, `{"groupId":"sg-%d"}`) +
			`]},"iamInstanceProfile":{"name":"p"},"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"a","value":"b"}]}]}}`, "ec2:RunInstances", "iam:PassRole"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Requests(callOf(t, tt.service, tt.operation, tt.parameters))
			if len(got) > 2*maxRequests+20 {
				t.Errorf("%d requests", len(got))
			}
			unknown := func(r Request) bool {
				return r.Action == tt.rest && r.Required && r.Resource.Pattern && strings.HasSuffix(r.Resource.ARN, "*") && r.Resource.ARN != "arn:aws:ec2:eu-west-1:222222222222:instance/*"
			}
			if !slices.ContainsFunc(got, unknown) {
				t.Errorf("of %d requests none is of %s on what isn't named", len(got), tt.rest)
			}
			if tt.dependent != "" && !slices.ContainsFunc(got, func(r Request) bool { return r.Action == tt.dependent }) {
				t.Errorf("of %d requests none is of %s", len(got), tt.dependent)
			}
		})
	}
}

// TestBounded: what is cut off is one request of each action, required if one of those cut off was.
func TestBounded(t *testing.T) {
	var all []Request
	for i := range maxRequests + 3 {
		all = append(all, Request{Action: "a:B", Resource: evaluator.Resource{ARN: fmt.Sprint(i)}})
	}
	all[maxRequests+1].Required = true
	all[maxRequests+2].Action = "a:C"
	got := bounded(all)
	if len(got) != maxRequests+2 || line(got[maxRequests]) != "a:B ~*" || line(got[maxRequests+1]) != "a:C ~* ?" {
		t.Errorf("got %d requests, the last %s and %s", len(got), line(got[len(got)-2]), line(got[len(got)-1]))
	}
	if !slices.EqualFunc(got[:maxRequests], all[:maxRequests], func(a, b Request) bool { return a.Resource == b.Resource }) {
		t.Error("the first ones aren't kept")
	}
}

// BenchmarkRequests derives the requests of calls whose parameters aren't recorded, as most denied ones, and of some whose are.
func BenchmarkRequests(b *testing.B) {
	for _, bb := range []struct{ name, service, operation, parameters string }{
		{"S3GetObject", "s3", "GetObject", `{"bucketName":"b","key":"k"}`},
		{"EC2RunInstances", "ec2", "RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"subnetId":"subnet-1","instanceType":"t3.micro"}`},
		{"ByReference", "kendra", "Query", `{"indexId":"i"}`},
		{"ByReferenceManyTypes", "sagemaker", "AddTags", `{"resourceArn":"arn:aws:sagemaker:eu-west-1:222222222222:model/m"}`},
		{"NoParameters", "kendra", "Query", ""},
		{"NoParametersNoTypes", "ec2", "DescribeInstances", ""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			c := callOf(b, bb.service, bb.operation, bb.parameters)
			b.ReportAllocs()
			for b.Loop() {
				if len(Requests(c)) == 0 {
					b.Fatal("no requests")
				}
			}
		})
	}
}
