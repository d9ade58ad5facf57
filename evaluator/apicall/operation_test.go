package apicall

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// authorisations are the rows of all tables.
func authorisations() []authorisation {
	return slices.Concat(s3Operations, apiGatewayOperations, dataOperations, signInOperations, otherOperations)
}

// TestTables: the actions of the tables are in the service reference, spelled so, and no operation is twice.
func TestTables(t *testing.T) {
	seen := make(map[string]bool)
	for _, row := range authorisations() {
		if _, ok := serviceref.Lookup(row.service); !ok {
			t.Errorf("%s isn't a prefix of the service reference", row.service)
		}
		operations := strings.Fields(row.operations)
		if len(operations) == 0 {
			t.Errorf("a row of %s has no operation", row.service)
		}
		for _, operation := range operations {
			if name := row.service + ":" + operation; seen[name] {
				t.Errorf("%s is twice in the tables", name)
			} else {
				seen[name] = true
			}
			if _, ok := special[row.service+":"+operation]; ok {
				t.Errorf("%s:%s is in the tables and among the special operations", row.service, operation)
			}
		}
	}
	var actions []string
	for _, found := range irregular() {
		for _, n := range found.checks {
			actions = append(actions, n.action)
		}
	}
	for _, v := range versions {
		actions = append(actions, v)
	}
	actions = slices.AppendSeq(actions, maps.Keys(versions))
	actions = slices.AppendSeq(actions, maps.Values(transactions))
	actions = slices.AppendSeq(actions, maps.Values(statementActions))
	for _, q := range queryActions {
		actions = append(actions, strings.Fields(q.actions)...)
	}
	for _, verb := range apiGatewayVerbs {
		actions = append(actions, "apigateway:"+verb)
	}
	for _, action := range actions {
		if !inReference(action) {
			t.Errorf("%s isn't an action of the service reference, spelled so", action)
		}
	}
}

// TestTablesNeeded: a row that says what the operation's name says is no row.
func TestTablesNeeded(t *testing.T) {
	for name, found := range irregular() {
		if len(found.checks) != 1 || !found.checks[0].required {
			continue
		}
		if strings.EqualFold(found.checks[0].action, name) {
			t.Errorf("%s: the table says what the name says", name)
		}
	}
}

// notInIndex are operations of the tables that no API model of April 2025 has.
var notInIndex = map[string]string{
	"ec2:RunInstances":                                 "EC2 has no model there",
	"cognito-idp:GetTokensFromRefreshToken":            "newer",
	"s3:OptionsObject":                                 "a browser's request, in the API reference and CloudTrail only",
	"s3:PostObject":                                    "a browser's upload, in the API reference and CloudTrail only",
	"s3:GetBucketLifecycle":                            "the first version's name, which CloudTrail uses",
	"s3:PutBucketLifecycle":                            "the first version's name, which CloudTrail uses",
	"s3:DeleteBucketPublicAccessBlock":                 "CloudTrail's name",
	"s3:DeleteAccountPublicAccessBlock":                "CloudTrail's name",
	"s3:CreateBucketMetadataConfiguration":             "newer",
	"s3:GetBucketMetadataConfiguration":                "newer",
	"s3:DeleteBucketMetadataConfiguration":             "newer",
	"s3:RenameObject":                                  "newer",
	"s3:DeleteMultipleObjects":                         "CloudTrail's name",
	"lambda:InvokeFunctionUrl":                         "an HTTPS request",
	"sso:Authenticate":                                 "an event of signing in",
	"sso:Federate":                                     "an event of signing in",
	"sso:CreateToken":                                  "CloudTrail's name for the OIDC service's",
	"sso:RegisterClient":                               "CloudTrail's name for the OIDC service's",
	"sso:StartDeviceAuthorization":                     "CloudTrail's name for the OIDC service's",
	"signin:CredentialChallenge":                       "an event of signing in",
	"signin:CredentialVerification":                    "an event of signing in",
	"signin:UserAuthentication":                        "an event of signing in",
	"signin:ConsoleLogin":                              "an event of the console",
	"bedrock:InvokeModelWithBidirectionalStream":       "newer",
	"securityhub:GetFindingsV2":                        "newer",
	"s3:GetAccessPointScope":                           "newer",
	"s3:PutAccessPointScope":                           "newer",
	"s3:DeleteAccessPointScope":                        "newer",
	"s3:ListAccessPointsForDirectoryBuckets":           "newer",
	"cognito-idp:GetClientToken":                       "newer",
	"cognito-idp:ListUserSessions":                     "newer",
	"cognito-idp:RevokeUserSession":                    "newer",
	"batch:CancelJobs":                                 "newer",
	"batch:TerminateJobs":                              "newer",
	"batch:TerminateServiceJobs":                       "newer",
	"cases:BatchCreateRelatedItem":                     "newer",
	"cases:BatchUpdateCase":                            "newer",
	"ecr:ListImageReferrers":                           "newer",
	"lakeformation:GetGlueFunctionSessionContext":      "newer",
	"securityhub:BatchUpdateFindingsV2":                "newer",
	"securityhub:GetFindingStatisticsV2":               "newer",
	"ssm:RegisterDefaultHostManagementConfiguration":   "newer",
	"ssm:DeregisterDefaultHostManagementConfiguration": "newer",
	"sagemaker:BatchWriteRecord":                       "newer",
	"apigateway:PutRoutingRule":                        "newer",
}

// TestTablesOperations: the operations of the tables are AWS's.
func TestTablesOperations(t *testing.T) {
	known := make(map[string]bool)
	for _, s := range apiIndex(t) {
		for operation := range s.Operations {
			prefix := prefixOf(Call{Service: s.SDKID, Operation: operation})
			if slices.Contains(s3Family, prefix) {
				prefix = "s3"
			}
			known[prefix+":"+operation] = true
		}
	}
	excused := maps.Clone(notInIndex)
	names := slices.Collect(maps.Keys(special))
	for _, row := range authorisations() {
		for operation := range strings.FieldsSeq(row.operations) {
			names = append(names, row.service+":"+operation)
		}
	}
	for operation := range apiGatewayVerbs {
		names = append(names, "apigateway:"+operation)
	}
	for _, name := range names {
		prefix, operation, _ := strings.Cut(name, ":")
		if slices.Contains(s3Family, prefix) { // S3's API
			name = "s3:" + operation
		}
		if _, ok := notInIndex[name]; !known[name] && !ok {
			t.Errorf("no API model has %s", name)
		} else if !known[name] {
			delete(excused, name)
		}
	}
	for name := range excused {
		t.Errorf("%s needs no excuse", name)
	}
}

// TestOperations: which actions an operation is authorised as, and how that is known.
func TestOperations(t *testing.T) {
	tests := []struct {
		name, service, operation, parameters string
		want                                 []string // "action source", with " ?" if it may not be needed
	}{
		{"by name", "iam", "GetUser", "", []string{"iam:GetUser name"}},
		{"by name, in the reference's spelling", "memorydb", "CreateACL", "", []string{"memorydb:CreateAcl name"}},
		{"by name, in a command's spelling", "rds", "DescribeDbInstances", "", []string{"rds:DescribeDBInstances name"}},
		{"T80 an operation that the reference lacks", "iam", "FrobnicateUser", "", []string{"iam:FrobnicateUser guess"}},
		{"T80 a service that the reference lacks", "frobnicator", "GetThing", "", []string{"frobnicator:GetThing guess"}},
		{"T77 date", "lambda", "CreateFunction20150331", "", []string{"lambda:CreateFunction name"}},
		{"T77 date and version, irregular", "lambda", "GetLayerVersionByArn20181031", "", []string{"lambda:GetLayerVersion table"}},
		{"T77 date, nothing known", "lambda", "Frobnicate20150331v2", "", []string{"lambda:Frobnicate guess"}},
		{"T77 guard: the whole is an action", "kafka", "DescribeClusterV2", "", []string{"kafka:DescribeClusterV2 name"}},
		{"T77 guard: the whole is irregular", "s3", "ListObjectsV2", "", []string{"s3:ListBucket table"}},
		{"T77 version: only the first is an action", "guardduty", "ListFindingsV2", "", []string{"guardduty:ListFindings guess"}},
		{"T77 version: AWS says so", "accessanalyzer", "ListFindingsV2", "", []string{"access-analyzer:ListFindings table"}},
		{"T77 version: neither is", "iam", "FrobnicateV2", "", []string{"iam:FrobnicateV2 guess"}},

		{"T78 nothing needed", "cognito-idp", "InitiateAuth", "", nil},
		{"T78 nothing needed: a token", "sso", "GetRoleCredentials", "", nil},
		{"T78 nothing needed: a token of the chat", "connectparticipant", "SendMessage", "", nil},
		{"T78 of two services with the name", "connect", "DescribeView", "", []string{"connect:DescribeView name"}},
		{"SAML isn't nothing", "sts", "AssumeRoleWithSAML", "", []string{"sts:AssumeRoleWithSAML name"}},
		{"T78 in some cases", "keyspaces", "CreateTable", "", []string{"cassandra:Create table", "cassandra:CreateMultiRegionResource table ?"}},
		{"T78 one of several, by the query", "neptunedata", "ExecuteOpenCypherQuery", "", []string{
			"neptune-db:ReadDataViaQuery table ?", "neptune-db:WriteDataViaQuery table ?", "neptune-db:DeleteDataViaQuery table ?"}},
		{"T78 several", "cloudfront", "CreateDistributionWithTags", "", []string{"cloudfront:CreateDistribution table", "cloudfront:TagResource table"}},
		{"a same-named action isn't it", "glue", "CreatePartitionIndex", "", []string{"glue:UpdateTable table", "glue:UpdateTable table ?"}},

		{"T78 verb", "apigateway", "CreateStage", "", []string{"apigateway:POST table"}},
		{"T78 verb of the import", "apigatewayv2", "ReimportApi", "", []string{
			"apigateway:PUT table", "apigateway:POST table ?", "apigateway:PATCH table ?", "apigateway:DELETE table ?"}},
		{"T78 verb of the second API", "ApiGatewayV2", "TagResource", "", []string{"apigateway:POST table"}},
		{"T78 verb of the first", "API Gateway", "TagResource", "", []string{"apigateway:PUT table"}},
		{"T78 no verb", "apigatewayv2", "CreateRoutingRule", "", []string{"apigateway:CreateRoutingRule name"}},

		{"T78 the statement selects", "timestream-query", "Query", `{"queryString":"SELECT a\nFROM \"d\".\"t\""}`, []string{"timestream:Select table"}},
		{"T78 the statement lists", "timestream-query", "Query", `{"queryString":"show  TABLES from d"}`, []string{"timestream:ListTables table"}},
		{"T78 the statement is of no table", "timestream-query", "Query", `{"queryString":"SELECT 1"}`, []string{"timestream:SelectValues table"}},
		{"T78 the statement unloads", "timestream-query", "Query", `{"queryString":"UNLOAD (SELECT a FROM t) TO 's3://b'"}`, []string{"timestream:Unload table", "timestream:Select table"}},
		{"T78 the statement is hidden", "timestream-query", "Query", `{"queryString":"***"}`, []string{"timestream:Select table"}},

		{"T78 tags added", "elasticbeanstalk", "UpdateTagsForResource", `{"resourceArn":"x","tagsToAdd":[{"key":"a","value":"b"}]}`, []string{"elasticbeanstalk:AddTags table"}},
		{"T78 tags added or removed", "elasticbeanstalk", "UpdateTagsForResource", "", []string{"elasticbeanstalk:AddTags table ?", "elasticbeanstalk:RemoveTags table ?"}},
		{"T78 neither", "elasticbeanstalk", "UpdateTagsForResource", "{}", []string{"elasticbeanstalk:UpdateTagsForResource name"}},

		{"T79 a directory bucket's settings", "s3", "PutBucketEncryption", `{"bucketName":"b--euw1-az1--x-s3"}`, []string{"s3express:PutEncryptionConfiguration table"}},
		{"T79 a directory bucket's content", "s3api", "ListObjectsV2", `{"bucket":"b--euw1-az1--x-s3"}`, []string{"s3express:CreateSession table"}},
		{"T79 S3 Control of Outposts", "s3control", "DeleteBucketLifecycleConfiguration", "", []string{"s3-outposts:PutLifecycleConfiguration table"}},
		{"T79 an access point of Outposts", "s3control", "GetAccessPoint", `{"name":"arn:aws:s3-outposts:eu-west-1:222222222222:outpost/op-1/accesspoint/a"}`, []string{"s3-outposts:GetAccessPoint name"}},
		{"T79 an access point", "s3control", "GetAccessPoint", `{"name":"a"}`, []string{"s3:GetAccessPoint name"}},
		{"T79 the account's", "S3 Control", "GetPublicAccessBlock", `{"accountId":"222222222222"}`, []string{"s3:GetAccountPublicAccessBlock table"}},
		{"T79 the bucket's", "S3", "GetPublicAccessBlock", `{"bucketName":"b"}`, []string{"s3:GetBucketPublicAccessBlock table"}},
		{"T79 an object behind Object Lambda", "s3", "HeadObject", `{"bucketName":"ap-1234-ol--ol-s3","key":"k"}`, []string{"s3-object-lambda:GetObject table"}},
		{"S41, T79 copied into a directory bucket", "s3", "CopyObject", `{"bucketName":"b--euw1-az1--x-s3","key":"k","x-amz-copy-source":"s/k"}`, []string{"s3express:CreateSession table", "s3:GetObject table"}},
		{"S41, T79 copied out of a directory bucket", "s3", "CopyObject", `{"bucketName":"b","key":"k","x-amz-copy-source":"s--euw1-az1--x-s3/k"}`, []string{"s3:PutObject table", "s3express:CreateSession table"}},
		{"T82 a version", "s3", "HeadObject", `{"bucketName":"b","key":"k","versionId":"1"}`, []string{"s3:GetObjectVersion table"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range derive(callOf(t, tt.service, tt.operation, tt.parameters)).own() {
				line := r.Action + " " + string(r.ActionSource)
				if !r.Required {
					line += " ?"
				}
				if !slices.Contains(got, line) { // of several resources
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("own requests (-want +got)\n%s", diff)
			}
		})
	}
}

// TestAlias: an access point's alias doesn't tell its ARN (T79).
func TestAlias(t *testing.T) {
	got := derive(callOf(t, "s3", "GetObject", `{"bucketName":"a-1234--euw1-az1--xa-s3","key":"k"}`)).own()
	want := []evaluator.Resource{{ARN: "arn:aws:s3express:eu-west-1:*:*", Pattern: true}}
	var resources []evaluator.Resource
	for _, r := range got {
		resources = append(resources, r.Resource)
	}
	if diff := cmp.Diff(want, resources); diff != "" {
		t.Errorf("resources (-want +got)\n%s", diff)
	}
}

// TestHostileNames: names of any kind are no harm.
func TestHostileNames(t *testing.T) {
	long := strings.Repeat("A20150331", 100_000)
	for _, name := range []string{"", " ", "a:b", "../../x", "20150331", "V2", long, "é", "\x00"} {
		if got := Requests(Call{Service: "iam", Operation: name}); len(got) > 1 {
			t.Errorf("operation %.20q: %d requests", name, len(got))
		}
		if got := Requests(Call{Service: name, Operation: "GetUser"}); len(got) > 1 {
			t.Errorf("service %.20q: %d requests", name, len(got))
		}
	}
}
