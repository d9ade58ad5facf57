package collectors

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A motoHost is a transport that sends what is for any of AWS's hosts to a moto server, which tells services by the host.
type motoHost struct{ server *url.URL }

func (m motoHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = m.server.Scheme, m.server.Host
	return http.DefaultTransport.RoundTrip(r)
}

// motoAccount is a configuration that asks moto as an account that no other test has.
func motoAccount(t *testing.T) (cfg aws.Config, account string) {
	t.Helper()
	server := os.Getenv("IAMWHY_MOTO")
	if server == "" {
		t.Skip("set IAMWHY_MOTO to the URL that moto_server -p 0 prints, to collect from services that aren't ours")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	account = fmt.Sprintf("5%011d", rand.Int64N(1e11))
	cfg = aws.Config{
		Region: testRegion, Retryer: func() aws.Retryer { return aws.NopRetryer{} }, HTTPClient: &http.Client{Transport: motoHost{u}}, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	}
	role := do(t, sts.NewFromConfig(cfg).AssumeRole, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/r"), RoleSessionName: aws.String("s")}).Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*role.AccessKeyId, *role.SecretAccessKey, *role.SessionToken)
	return cfg, account
}

func do[In, Out, Options any](t *testing.T, call func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) *Out {
	t.Helper()
	out, err := call(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A motoThing makes a resource with a policy in moto, and returns its ARN.
type motoThing struct {
	part   *part
	make   func(t *testing.T, cfg aws.Config, account string) (arn string)
	action string // that the policy denies on the resource; "" if it denies none
	lacks  string // the permission for a call that moto doesn't know
}

// denyAll is the policy of a resource to which nobody may do anything.
func denyAll(resource string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"Nobody","Effect":"Deny","Principal":"*","Action":"*","Resource":"` + resource + `"}]}`)
}

var motoThings = []motoThing{
	{&s3Part, func(t *testing.T, cfg aws.Config, account string) string {
		api := s3.NewFromConfig(cfg)
		name := "iamwhy-" + account
		do(t, api.CreateBucket, &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testRegion}})
		do(t, api.PutBucketPolicy, &s3.PutBucketPolicyInput{Bucket: &name, Policy: denyAll("arn:aws:s3:::" + name)})
		do(t, s3control.NewFromConfig(cfg).CreateAccessPoint, &s3control.CreateAccessPointInput{AccountId: &account, Bucket: &name, Name: aws.String("p")})
		return "arn:aws:s3:::" + name
	}, "s3:ListBucket", ""},
	{&kmsPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := kms.NewFromConfig(cfg)
		key := do(t, api.CreateKey, &kms.CreateKeyInput{Policy: denyAll("*")}).KeyMetadata
		do(t, api.CreateAlias, &kms.CreateAliasInput{AliasName: aws.String("alias/a"), TargetKeyId: key.KeyId})
		do(t, api.CreateGrant, &kms.CreateGrantInput{KeyId: key.KeyId, GranteePrincipal: aws.String("arn:aws:iam::" + account + ":role/g"), Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}})
		return *key.Arn
	}, "kms:Encrypt", ""},
	{&lambdaPart, func(t *testing.T, cfg aws.Config, account string) string {
		role := do(t, iam.NewFromConfig(cfg).CreateRole, &iam.CreateRoleInput{RoleName: aws.String("l"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)}).Role.Arn
		api := lambda.NewFromConfig(cfg)
		f := do(t, api.CreateFunction, &lambda.CreateFunctionInput{
			FunctionName: aws.String("f"), Role: role, Runtime: lambdatypes.RuntimePython312, Handler: aws.String("x.y"), Publish: true,
			Code: &lambdatypes.FunctionCode{ZipFile: emptyZip(t)}, Environment: &lambdatypes.Environment{Variables: map[string]string{"PASSWORD": "hunter2"}},
		})
		do(t, api.AddPermission, &lambda.AddPermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("other"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("999988887777")})
		return strings.TrimSuffix(*f.FunctionArn, ":1")
	}, "", "lambda:ListFunctionUrlConfigs"},
	{&sqsPart, func(t *testing.T, cfg aws.Config, account string) string {
		arn := "arn:aws:sqs:" + testRegion + ":" + account + ":q"
		do(t, sqs.NewFromConfig(cfg).CreateQueue, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{"Policy": *denyAll(arn)}})
		return arn
	}, "sqs:SendMessage", ""},
	{&snsPart, func(t *testing.T, cfg aws.Config, account string) string {
		arn := "arn:aws:sns:" + testRegion + ":" + account + ":t"
		do(t, sns.NewFromConfig(cfg).CreateTopic, &sns.CreateTopicInput{Name: aws.String("t"), Attributes: map[string]string{"Policy": *denyAll(arn)}})
		return arn
	}, "sns:Publish", ""},
	{&secretsPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := secretsmanager.NewFromConfig(cfg)
		arn := do(t, api.CreateSecret, &secretsmanager.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String("hunter2")}).ARN
		do(t, api.PutResourcePolicy, &secretsmanager.PutResourcePolicyInput{SecretId: arn, ResourcePolicy: denyAll("*")})
		return *arn
	}, "secretsmanager:GetSecretValue", ""},
	{&ecrPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := ecr.NewFromConfig(cfg)
		r := do(t, api.CreateRepository, &ecr.CreateRepositoryInput{RepositoryName: aws.String("r")}).Repository
		do(t, api.SetRepositoryPolicy, &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String("r"), PolicyText: denyAll("*")})
		return *r.RepositoryArn
	}, "ecr:BatchGetImage", ""},
	{&dynamodbPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := dynamodb.NewFromConfig(cfg)
		arn := do(t, api.CreateTable, &dynamodb.CreateTableInput{
			TableName: aws.String("t"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: dynamodbtypes.KeyTypeHash}},
			StreamSpecification:  &dynamodbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dynamodbtypes.StreamViewTypeKeysOnly},
		}).TableDescription.TableArn
		do(t, api.PutResourcePolicy, &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: denyAll(*arn)})
		return *arn
	}, "dynamodb:GetItem", ""},
	{&eventsPart, func(t *testing.T, cfg aws.Config, account string) string {
		do(t, eventbridge.NewFromConfig(cfg).PutPermission, &eventbridge.PutPermissionInput{Policy: denyAll("*")})
		return "arn:aws:events:" + testRegion + ":" + account + ":event-bus/default"
	}, "events:PutEvents", ""},
	{&logsPart, func(t *testing.T, cfg aws.Config, account string) string {
		arn := "arn:aws:logs:" + testRegion + ":" + account + ":log-group:g"
		do(t, cloudwatchlogs.NewFromConfig(cfg).PutResourcePolicy, &cloudwatchlogs.PutResourcePolicyInput{PolicyName: aws.String("p"), PolicyDocument: denyAll(arn + "*")})
		return arn
	}, "logs:FilterLogEvents", ""},
	{&kinesisPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := kinesis.NewFromConfig(cfg)
		do(t, api.CreateStream, &kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(1)})
		arn := "arn:aws:kinesis:" + testRegion + ":" + account + ":stream/s"
		do(t, api.PutResourcePolicy, &kinesis.PutResourcePolicyInput{ResourceARN: &arn, Policy: denyAll(arn)})
		return arn
	}, "kinesis:PutRecord", ""},
	{&efsPart, func(t *testing.T, cfg aws.Config, account string) string {
		api := efs.NewFromConfig(cfg)
		f := do(t, api.CreateFileSystem, &efs.CreateFileSystemInput{CreationToken: aws.String("t")})
		do(t, api.PutFileSystemPolicy, &efs.PutFileSystemPolicyInput{FileSystemId: f.FileSystemId, Policy: denyAll("*")})
		return *f.FileSystemArn
	}, "elasticfilesystem:ClientMount", ""},
	{&apiPart, func(t *testing.T, cfg aws.Config, account string) string {
		a := do(t, apigateway.NewFromConfig(cfg).CreateRestApi, &apigateway.CreateRestApiInput{Name: aws.String("a"), Policy: denyAll("*")})
		return "arn:aws:execute-api:" + testRegion + ":" + account + ":" + *a.Id + "/prod/GET/x"
	}, "execute-api:Invoke", ""},
	{&opensearchPart, func(t *testing.T, cfg aws.Config, account string) string {
		arn := "arn:aws:es:" + testRegion + ":" + account + ":domain/dom"
		do(t, opensearch.NewFromConfig(cfg).CreateDomain, &opensearch.CreateDomainInput{DomainName: aws.String("dom"), AccessPolicies: denyAll(arn + "/*")})
		return arn + "/x"
	}, "es:ESHttpGet", ""},
}

func emptyZip(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("x.py"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMotoServices: a resource of each service that moto has, made through the SDK, is collected, and the policy
// decides.
func TestMotoServices(t *testing.T) {
	for _, thing := range motoThings {
		t.Run(thing.part.word(), func(t *testing.T) {
			cfg, account := motoAccount(t)
			arn := thing.make(t, cfg, account)
			folder := filepath.Join(t.TempDir(), "snapshot")
			report, err := collect(t.Context(), folder, Options{Config: cfg, Now: testTime, Regions: []string{testRegion}}, []*part{thing.part})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Results) != 1 {
				t.Fatalf("results: %+v", report.Results)
			}
			if r := report.Results[0]; r.Status != statusOK && !(thing.lacks != "" && strings.HasPrefix(r.Reason, thing.lacks+" on ")) {
				t.Errorf("%s: %s: %s", r.Part, r.Status, r.Reason)
			}
			text, err := os.ReadFile(filepath.Join(folder, thing.part.in(account)+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("hunter2")) {
				t.Errorf("a secret is in the snapshot:\n%s", text)
			}
			s := load(t, folder)
			if thing.action == "" {
				if !slices.ContainsFunc(s.Resources(), func(r evaluator.Resource) bool { return r.ARN == arn }) {
					t.Errorf("%s isn't there:\n%s", arn, text)
				}
				return
			}
			checkDenied(t, s, account, thing.action, arn)
		})
	}
}

// checkDenied fails unless the resource's policy denies an action to a user of the account.
func checkDenied(t *testing.T, s *snapshot.Snapshot, account, action, arn string) {
	t.Helper()
	req := evaluator.Request{
		Principal: evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::" + account + ":user/u", Account: account},
		Action:    action, Resource: evaluator.Resource{ARN: arn},
	}
	s.Complete(&req)
	p, err := s.Policies(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if d := evaluator.Evaluate(&req, &p); d != evaluator.ExplicitDeny {
		t.Errorf("%s on %s: %v, want an explicit deny; resource layer: %v %s", action, arn, d, p.Resource.State, p.Resource.Missing)
	}
}
