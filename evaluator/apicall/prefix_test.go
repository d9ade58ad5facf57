package apicall

import (
	"slices"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// TestAliases: each name has one meaning, or the operation decides; and each meaning is a prefix.
func TestAliases(t *testing.T) {
	// Operations of two services that share a name: the first is meant.
	both := map[string]string{
		"iotjobsdata:describejobexecution": "iot",
	}
	meanings := make(map[string][]string)
	for _, n := range aliases {
		if _, ok := serviceref.Lookup(n.prefix); !ok {
			t.Errorf("%s isn't a prefix of the service reference", n.prefix)
		}
		for name := range strings.FieldsSeq(n.names) {
			if foldService(name) == foldService(n.prefix) {
				t.Errorf("%s is the prefix %s itself", name, n.prefix)
			}
			if slices.Contains(meanings[foldService(name)], n.prefix) {
				t.Errorf("%s is twice a name of %s", name, n.prefix)
			}
			meanings[foldService(name)] = append(meanings[foldService(name)], n.prefix)
		}
	}
	for name := range meanings {
		prefixes := services()[name]
		for i, first := range prefixes {
			s, ok := serviceref.Lookup(first)
			if !ok {
				continue
			}
			for _, second := range prefixes[i+1:] {
				for _, a := range s.Actions {
					if _, ok := namedAction(second, a.Name); ok && both[strings.ToLower(first+":"+a.Name)] != second {
						t.Errorf("%s is %s or %s, which both have %s", name, first, second, a.Name)
					}
				}
			}
		}
	}
}

// TestPrefix: the names of services (T76), as CloudTrail, the SDKs and the AWS CLI have them.
func TestPrefix(t *testing.T) {
	tests := []struct{ service, operation, want string }{
		{"monitoring.amazonaws.com", "", "cloudwatch"},
		{"email.amazonaws.com", "", "ses"},
		{"runtime-v2-lex.amazonaws.com", "", "lex"},
		{"streams.dynamodb.amazonaws.com.cn", "", "dynamodb"},
		{"entitlement.marketplace.amazonaws.com", "", "aws-marketplace"},
		{"marketplacecommerceanalytics", "", "marketplacecommerceanalytics"},
		{"s3tables.amazonaws.com", "", "s3tables"},
		{"kafka-cluster", "", "kafka-cluster"},
		{"Cost Explorer", "", "ce"},
		{"SFN", "", "states"},
		{"DynamoDB Streams", "", "dynamodb"},
		{"CognitoIdentityServiceProvider", "", "cognito-idp"},
		{"CloudWatch Logs", "", "logs"},
		{"Elastic Load Balancing v2", "", "elasticloadbalancing"},
		{"RDSDataService", "", "rds-data"},
		{"stepfunctions", "", "states"},
		{"logs", "", "logs"},
		{"elb", "", "elasticloadbalancing"},
		{"elbv2", "", "elasticloadbalancing"},
		{"deploy", "", "codedeploy"},
		{"s3api", "", "s3"},
		{"s3control", "", "s3"},
		{"configservice", "", "config"},
		{"emr", "", "elasticmapreduce"},
		{"cloudwatch", "", "cloudwatch"},
		{"ses", "", "ses"},
		{"sesv2", "", "ses"},
		{"sso-admin", "", "sso"},
		{"kinesisanalyticsv2", "", "kinesisanalytics"},
		{"opensearch", "UpdateDomainConfig", "es"},
		{"opensearch", "StartDirectQuery", "opensearch"},
		{"iot-jobs-data", "DescribeJobExecution", "iotjobsdata"},
		{"iot-jobs-data", "StartCommandExecution", "iot"},
		{"ds.amazonaws.com", "DescribeDirectories", "ds"},
		{"ds.amazonaws.com", "ListGroupMembers", "ds-data"},
		{"ds.amazonaws.com", "Frobnicate", "ds"},
		{"frobnicator.amazonaws.com", "GetThing", "frobnicator"}, // T80
		{"Frob Nicator", "GetThing", "frob-nicator"},
		{"a:b", "GetThing", ""},
	}
	for _, tt := range tests {
		if got := prefixOf(Call{Service: tt.service, Operation: tt.operation}); got != tt.want {
			t.Errorf("prefixOf(%q, %q) = %q, want %q", tt.service, tt.operation, got, tt.want)
		}
	}
}

// gone are services that the service reference no longer has.
var gone = []string{"ApplicationCostProfiler", "IoTThingsGraph"}

// TestNamesOfIndex: every name in AWS's API models leads to a prefix of the service reference, the same for all names of a
// service.
func TestNamesOfIndex(t *testing.T) {
	// Names that belong to another API first.
	first := map[string]string{
		"BackupSearch backup": "backup",
		"S3 Control s3":       "s3",
	}
	for _, s := range apiIndex(t) {
		if slices.Contains(gone, s.SDKID) {
			continue
		}
		wrong := make(map[string]string) // one report for each name
		for operation := range s.Operations {
			want := prefixOf(Call{Service: s.SDKID, Operation: operation})
			if _, ok := serviceref.Lookup(want); !ok {
				wrong[s.SDKID] = want
			}
			for _, name := range s.names() {
				if got := prefixOf(Call{Service: name, Operation: operation}); got != want && got != first[s.SDKID+" "+name] {
					wrong[name] = got
				}
			}
		}
		for name, got := range wrong {
			t.Errorf("%s: %q is %q, not the same service", s.SDKID, name, got)
		}
	}
}
