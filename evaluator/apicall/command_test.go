package apicall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

var alice = evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/people/alice", Account: "222222222222"}

// testEnv is an environment without anything but one file and a profile.
func testEnv() apicall.CommandEnv {
	return apicall.CommandEnv{
		Principal: alice, Account: alice.Account, Partition: "aws",
		Getenv:        func(string) string { return "" },
		ProfileRegion: func(profile string) string { return map[string]string{"eu": "eu-west-3", "": "eu-north-1"}[profile] },
		ReadFile: func(name string) ([]byte, error) {
			if name == "in.json" {
				return []byte(`{"FunctionName": "from-file", "Role": "arn:aws:iam::222222222222:role/r"}`), nil
			}
			return nil, errors.New(name + ": no such file or directory")
		},
	}
}

// asWords takes a line apart as a shell does: blanks, and single and double quotes without escapes.
func asWords(line string) []string {
	var words []string
	var b strings.Builder
	quote, in := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ':
			if in {
				words = append(words, b.String())
			}
			in = false
			b.Reset()
		default:
			b.WriteRune(r)
			in = true
		}
	}
	if in {
		words = append(words, b.String())
	}
	return words
}

// calls writes a command's calls: service:Operation@region parameters, [when].
func calls(c *apicall.Command) []string {
	var all []string
	for _, call := range c.Calls {
		s := fmt.Sprintf("%s:%s@%s %v", call.Service, call.Operation, call.Region, call.Parameters)
		if call.When != "" {
			s += " [" + call.When + "]"
		}
		all = append(all, strings.ReplaceAll(s, "\x00", "␀"))
	}
	return all
}

func TestFromCommand(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"an operation", "aws lambda get-function --function-name f", "lambda:GetFunction@eu-north-1 map[FunctionName:f]"},
		{"acronyms by the service reference", "aws iam list-mfa-devices --user-name u", "iam:ListMFADevices@us-east-1 map[UserName:u]"},
		{"an operation that is no action", "aws s3api head-object --bucket b --key k", "s3:HeadObject@eu-north-1 map[Bucket:b Key:k]"},
		{"a list", "aws ec2 stop-instances --instance-ids i-1 i-2", "ec2:StopInstances@eu-north-1 map[InstanceIds:[i-1 i-2]]"},
		{"a list as JSON", `aws ec2 stop-instances --instance-ids '["i-1","i-2"]'`, "ec2:StopInstances@eu-north-1 map[InstanceIds:[i-1 i-2]]"},
		{"option=value", "aws ec2 stop-instances --instance-ids=i-1 --region=eu-west-2", "ec2:StopInstances@eu-west-2 map[InstanceIds:i-1]"},
		{"a flag, and no-", "aws ec2 stop-instances --instance-ids i-1 --force --no-hibernate", "ec2:StopInstances@eu-north-1 map[Force:true Hibernate:false InstanceIds:i-1]"},
		{"dry run", "aws ec2 stop-instances --instance-ids i-1 --dry-run", "ec2:StopInstances@eu-north-1 map[DryRun:true InstanceIds:i-1]"},
		{"the last of two counts", "aws lambda get-function --function-name f --function-name g", "lambda:GetFunction@eu-north-1 map[FunctionName:g]"},
		{"shorthand: a structure", "aws lambda create-function --function-name f --code S3Bucket=b,S3Key=k", "lambda:CreateFunction@eu-north-1 map[Code:map[S3Bucket:b S3Key:k] FunctionName:f]"},
		{"shorthand: structures", "aws ec2 create-tags --resources i-1 --tags Key=a,Value=b Key=c,Value=", "ec2:CreateTags@eu-north-1 map[Resources:i-1 Tags:[map[Key:a Value:b] map[Key:c Value:]]]"},
		{"shorthand: a list after a key", "aws ec2 describe-instances --filters Name=x,Values=a,b", "ec2:DescribeInstances@eu-north-1 map[Filters:map[Name:x Values:[a b]]]"},
		{"shorthand: brackets and braces", "aws ec2 create-vpc --tag-specifications ResourceType=vpc,Tags=[{Key=a,Value=b},{Key=c,Value=d}]", "ec2:CreateVpc@eu-north-1 map[TagSpecifications:map[ResourceType:vpc Tags:[map[Key:a Value:b] map[Key:c Value:d]]]]"},
		{"shorthand: quotes, and a comma", `aws ec2 create-tags --resources i-1 --tags 'Key="a,b",Value=c\,d'`, `ec2:CreateTags@eu-north-1 map[Resources:i-1 Tags:map[Key:a,b Value:c,d]]`},
		{"shorthand: broken is text", "aws ec2 create-tags --resources i-1 --tags Key=[a", "ec2:CreateTags@eu-north-1 map[Resources:i-1 Tags:Key=[a]"},
		{"no shorthand in a key", "aws s3api get-object --bucket b --key year=2026/month=01/a.csv out", "s3:GetObject@eu-north-1 map[Bucket:b Key:year=2026/month=01/a.csv]"},
		{"no shorthand in a name", "aws lambda get-function --function-name a=b", "lambda:GetFunction@eu-north-1 map[FunctionName:a=b]"},
		{"a list of names as JSON", `aws sns add-permission --topic-arn t --label l --aws-account-id 1 --action-name '["Publish"]'`, "sns:AddPermission@eu-north-1 map[ActionName:[Publish] AwsAccountId:1 Label:l TopicArn:t]"},
		{"a flag that ends like a name", "aws sns subscribe --topic-arn t --protocol sqs --return-subscription-arn", "sns:Subscribe@eu-north-1 map[Protocol:sqs ReturnSubscriptionArn:true TopicArn:t]"},
		{"a range is no shorthand", "aws s3api get-object --bucket b --key k --range bytes=0-9 out", "s3:GetObject@eu-north-1 map[Bucket:b Key:k Range:bytes=0-9]"},
		{"structures of S3", "aws s3api put-bucket-ownership-controls --bucket b --ownership-controls=Rules=[{ObjectOwnership=BucketOwnerEnforced}]", "s3:PutBucketOwnershipControls@eu-north-1 map[Bucket:b OwnershipControls:map[Rules:[map[ObjectOwnership:BucketOwnerEnforced]]]]"},
		{"tags of put-object are a query string", "aws s3api put-object --bucket b --key k --tagging a=b", "s3:PutObject@eu-north-1 map[Bucket:b Key:k Tagging:a=b]"},
		{"a bucket policy is text", `aws s3api put-bucket-policy --bucket b --policy '{"Statement":[]}'`, `s3:PutBucketPolicy@eu-north-1 map[Bucket:b Policy:{"Statement":[]}]`},
		{"the file for the output", "aws lambda invoke out.json --function-name f", "lambda:Invoke@eu-north-1 map[FunctionName:f]"},
		{"the file for the output, behind an option", "aws lambda invoke --function-name f out.json", "lambda:Invoke@eu-north-1 map[FunctionName:f]"},
		{"binary contents aren't read", "aws lambda update-function-code --function-name f --zip-file fileb://f.zip", "lambda:UpdateFunctionCode@eu-north-1 map[FunctionName:f ZipFile:HIDDEN_DUE_TO_SECURITY_REASONS]"},
		{"input as JSON", `aws lambda get-function --cli-input-json '{"FunctionName":"f"}'`, "lambda:GetFunction@eu-north-1 map[FunctionName:f]"},
		{"input from a file, an option wins", "aws lambda create-function --cli-input-json file://in.json --function-name g", "lambda:CreateFunction@eu-north-1 map[FunctionName:g Role:arn:aws:iam::222222222222:role/r]"},
		{"input as YAML", "aws lambda get-function --cli-input-yaml 'FunctionName: f'", "lambda:GetFunction@eu-north-1 map[FunctionName:f]"},
		{"waiting", "aws dynamodb wait table-exists --table-name t", "dynamodb:DescribeTable@eu-north-1 map[TableName:t]"},
		{"waiting: acronyms", "aws rds wait db-instance-available --db-instance-identifier d", "rds:DescribeDBInstances@eu-north-1 map[DbInstanceIdentifier:d]"},
		{"the region of the profile", "aws --profile eu lambda get-function --function-name f", "lambda:GetFunction@eu-west-3 map[FunctionName:f]"},
		{"the region of a variable in front", "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-2 aws lambda get-function --function-name f", "lambda:GetFunction@eu-west-1 map[FunctionName:f]"},
		{"options of the CLI anywhere", "sudo /usr/bin/aws --debug lambda --output text get-function --no-cli-pager --function-name f --query x", "lambda:GetFunction@eu-north-1 map[FunctionName:f]"},
		{"the first page's size is S3's max-keys", "aws s3api list-objects-v2 --bucket b --page-size 5", "s3:ListObjectsV2@eu-north-1 map[Bucket:b MaxKeys:5]"},
		{"another name of a parameter", "aws sns subscribe --topic-arn t --protocol https --notification-endpoint e", "sns:Subscribe@eu-north-1 map[Endpoint:e Protocol:https TopicArn:t]"},
		{"the log of a group", "aws logs tail --follow /aws/lambda/f", "logs:FilterLogEvents@eu-north-1 map[Follow:true LogGroupName:/aws/lambda/f]"},
		{"a password is a token", "aws ecr get-login-password", "ecr:GetAuthorizationToken@eu-north-1 map[]"},
		{"a cluster's address", "aws eks update-kubeconfig --name c", "eks:DescribeCluster@eu-north-1 map[Name:c]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := apicall.FromCommand(asWords(tt.line), testEnv())
			if err != nil {
				t.Fatalf("%s: %v", tt.line, err)
			}
			if diff := cmp.Diff([]string{tt.want}, calls(got)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.line, diff)
			}
		})
	}
}

// TestFromCommandS3 is about aws s3, whose commands are several calls each.
func TestFromCommandS3(t *testing.T) {
	const parts = " [an object has 8 MB or more and goes in parts]"
	const tags = " [an object with tags has 8 MB or more and goes in parts (AWS CLI version 2)]"
	tests := []struct {
		line string
		want []string
	}{
		{"aws s3 ls", []string{"s3:ListBuckets map[]"}},
		{"aws s3 ls s3://b/p", []string{"s3:ListObjectsV2 map[Bucket:b Delimiter:/ Prefix:p]"}},
		{"aws s3 ls b --recursive", []string{"s3:ListObjectsV2 map[Bucket:b Prefix:]"}},
		{"aws s3 mb s3://b", []string{"s3:CreateBucket map[Bucket:b CreateBucketConfiguration:map[LocationConstraint:eu-north-1]]"}},
		{"aws s3 rb s3://b", []string{"s3:DeleteBucket map[Bucket:b]"}},
		{"aws s3 rb s3://b --force", []string{"s3:ListObjectsV2 map[Bucket:b Prefix:]", "s3:DeleteObject map[Bucket:b Key:␀]", "s3:DeleteBucket map[Bucket:b]"}},
		{"aws s3 rm s3://b/k", []string{"s3:DeleteObject map[Bucket:b Key:k]"}},
		{"aws s3 rm s3://b/p --recursive", []string{"s3:ListObjectsV2 map[Bucket:b Prefix:p/]", "s3:DeleteObject map[Bucket:b Key:p/␀]"}},
		{"aws s3 presign s3://b/k", []string{"s3:GetObject map[Bucket:b Key:k]"}},
		{"aws s3 website s3://b --index-document i.html", []string{"s3:PutBucketWebsite map[Bucket:b]"}},
		{"aws s3 cp s3://b/k -", []string{"s3:HeadObject map[Bucket:b Key:k]", "s3:GetObject map[Bucket:b Key:k]"}},
		{"aws s3 cp s3://b/p . --recursive", []string{"s3:ListObjectsV2 map[Bucket:b Prefix:p/]", "s3:GetObject map[Bucket:b Key:p/␀]"}},
		{"aws s3 mv s3://b/k .", []string{"s3:HeadObject map[Bucket:b Key:k]", "s3:GetObject map[Bucket:b Key:k]", "s3:DeleteObject map[Bucket:b Key:k]"}},
		{"aws s3 cp --acl public-read dir/a.txt s3://b/p/", []string{
			"s3:PutObject map[ACL:public-read Bucket:b Key:p/a.txt]", "s3:CreateMultipartUpload map[ACL:public-read Bucket:b Key:p/a.txt]" + parts,
			"s3:AbortMultipartUpload map[Bucket:b Key:p/a.txt]" + parts,
		}},
		{"aws s3 cp s3://b/a%20b s3://c --sse aws:kms --sse-kms-key-id k --copy-props none", []string{
			"s3:HeadObject map[Bucket:b Key:a%20b]",
			"s3:CopyObject map[Bucket:c CopySource:b/a%2520b Key:a%20b MetadataDirective:REPLACE SSEKMSKeyId:k ServerSideEncryption:aws:kms TaggingDirective:REPLACE]",
			"s3:CreateMultipartUpload map[Bucket:c Key:a%20b SSEKMSKeyId:k ServerSideEncryption:aws:kms]" + parts,
			"s3:AbortMultipartUpload map[Bucket:c Key:a%20b]" + parts,
		}},
		{`aws s3 cp dir\a.txt s3://b --dryrun`, []string{
			"s3:PutObject map[Bucket:b Key:␀] [it is run without --dryrun]",
			"s3:CreateMultipartUpload map[Bucket:b Key:␀] [it is run without --dryrun and an object has 8 MB or more and goes in parts]",
			"s3:AbortMultipartUpload map[Bucket:b Key:␀] [it is run without --dryrun and an object has 8 MB or more and goes in parts]",
		}},
		{"aws s3 cp s3://arn:aws:s3:eu-west-1:222222222222:accesspoint/ap/k .", []string{
			"s3:HeadObject@eu-west-1 map[Bucket:arn:aws:s3:eu-west-1:222222222222:accesspoint/ap Key:k]", "s3:GetObject@eu-west-1 map[Bucket:arn:aws:s3:eu-west-1:222222222222:accesspoint/ap Key:k]",
		}},
		{"aws s3 sync s3://b/p . --delete", []string{"s3:ListObjectsV2 map[Bucket:b Prefix:p/]", "s3:GetObject map[Bucket:b Key:p/␀]"}},
		{"aws s3 sync . s3://b --delete --dryrun", []string{
			"s3:ListObjectsV2 map[Bucket:b Prefix:]", "s3:PutObject map[Bucket:b Key:␀] [it is run without --dryrun]",
			"s3:CreateMultipartUpload map[Bucket:b Key:␀] [it is run without --dryrun and an object has 8 MB or more and goes in parts]",
			"s3:AbortMultipartUpload map[Bucket:b Key:␀] [it is run without --dryrun and an object has 8 MB or more and goes in parts]",
			"s3:DeleteObject map[Bucket:b Key:␀] [it is run without --dryrun]",
		}},
	}
	for _, tt := range tests {
		got, err := apicall.FromCommand(asWords(tt.line), testEnv())
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		all := calls(got)
		for i := range all {
			all[i] = strings.Replace(all[i], "@eu-north-1", "", 1)
		}
		if diff := cmp.Diff(tt.want, all); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.line, diff)
		}
	}

	// A copy of 8 MB or more also copies the tags; what is looked at of the source is in its region.
	got, err := apicall.FromCommand(asWords("aws s3 cp s3://b/k s3://c/k --source-region us-west-2"), testEnv())
	if err != nil {
		t.Fatal(err)
	}
	all := calls(got)
	want := []string{"s3:HeadObject@us-west-2 map[Bucket:b Key:k]", "s3:GetObjectTagging@us-west-2 map[Bucket:b Key:k]" + tags, "s3:PutObjectTagging@eu-north-1 map[Bucket:c Key:k]" + tags}
	if diff := cmp.Diff(want, []string{all[0], all[len(all)-2], all[len(all)-1]}); diff != "" {
		t.Errorf("a copy's tags (-want +got)\n%s", diff)
	}
}

func TestFromCommandErrors(t *testing.T) {
	tests := []struct{ line, want string }{
		{"", "no command"},
		{"terraform apply", `"terraform" isn't the AWS CLI`},
		{"'aws s3 ls'", "without quotes around all of it"},
		{"aws", "no service"},
		{"aws help", "help makes no call"},
		{"aws s3 cp help", "help makes no call"},
		{"aws --version", "makes no call"},
		{"aws s3api put-object --key k --bucket", "--bucket lacks its value"},
		{"aws s3", "no operation"},
		{"aws lamda list-functions", `unknown service "lamda"`},
		{"aws lambda --function-name f", "unknown option --function-name before the operation"},
		{"aws lambda get-function f", `unexpected "f"`},
		{"aws lambda get-function -f x", "no options of one hyphen"},
		{"aws lambda get-function --region", "--region lacks its value"},
		{"aws lambda get-function --function-name", "--function-name lacks its value"},
		{"aws sts assume-role-with-web-identity --role-arn r", "in the place of credentials"},
		{"aws lambda get-function --debug=1", "--debug takes no value"},
		{"aws lambda get-function --function_name f", "is no option"},
		{"aws lambda get_function", "is no name of an operation"},
		{"aws lambda invoke --function-name f", "want the name of the file for the output"},
		{"aws lambda invoke a b --function-name f", "want one file for the output"},
		{"aws lambda get-function --generate-cli-skeleton", "makes no call"},
		{"aws lambda get-function --no-sign-request", "ask for the principal anonymous"},
		{"aws lambda get-function --endpoint-url lambda", "is no URL"},
		{"aws lambda get-function --cli-input-json '{'", "--cli-input-json: 1:2: not JSON"},
		{"aws lambda get-function --cli-input-json '{\"a\":1} x'", "more text after the JSON value"},
		{"aws lambda get-function --cli-input-json '[]'", "want an object of parameters"},
		{"aws lambda get-function --cli-input-json file://no.json", "--cli-input-json: no.json: no such file"},
		{"aws lambda get-function --cli-input-yaml 'a: [1'", "--cli-input-yaml: "},
		{"aws lambda get-function --cli-input-json {} --cli-input-yaml {}", "want one of them"},
		{"aws lambda get-function --function-name file://no.txt", "--function-name: no.txt"},
		{"aws s3 copy a b", `unknown command "copy"`},
		{"aws s3 cp a b", "both paths are local"},
		{"aws s3 cp a", "found 1 paths"},
		{"aws s3 cp a s3://", "names no bucket"},
		{"aws s3 cp s3://b .", "names no object"},
		{"aws s3 cp - s3://b/", "names no object"},
		{"aws s3 cp a s3://b/k --recursve", "unknown option --recursve"},
		{"aws s3 cp a s3://b/k --acl", "--acl lacks its value"},
		{"aws s3 cp a s3://b/k --grants all=x", "want read, full, readacl or writeacl"},
		{"aws s3 cp a s3://b/k -r", "no options of one hyphen"},
		{"aws s3 rm k", "want s3://BUCKET/KEY"},
		{"aws s3 rb s3://b/k", "want the bucket alone"},
		{"aws dynamodb wait", "what for isn't said"},
		{"aws dynamodb wait table-there --table-name t", `unknown state "table-there"`},
		{"aws configure list", "makes no call"},
		{"aws rds generate-db-auth-token --hostname h", "rds-db:connect"},
		{"aws deploy register --instance-name i", "runs several operations"},
	}
	for _, tt := range tests {
		got, err := apicall.FromCommand(asWords(tt.line), testEnv())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", tt.line, got, err, tt.want)
		}
	}
}

// TestCommandRequests: what a command asks of IAM, with the context of how it is called.
func TestCommandRequests(t *testing.T) {
	show := func(line string) []string {
		t.Helper()
		c, err := apicall.FromCommand(asWords(line), testEnv())
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var all []string
		for _, r := range c.Requests() {
			s := r.Action + " " + r.Resource.ARN
			if r.Resource.Pattern {
				s += " pattern"
			}
			if !r.Required {
				s = "perhaps " + s
			}
			all = append(all, s)
		}
		return all
	}
	tests := []struct {
		line string
		want []string // that must be among them
	}{
		{"aws lambda create-function --function-name f --role arn:aws:iam::222222222222:role/r --region eu-west-1", []string{
			"lambda:CreateFunction arn:aws:lambda:eu-west-1:222222222222:function:f", "iam:PassRole arn:aws:iam::222222222222:role/r",
		}},
		{"aws s3 cp s3://b/k .", []string{"s3:GetObject arn:aws:s3:::b/k"}},
		{"aws s3 sync . s3://b/p --delete", []string{
			"s3:ListBucket arn:aws:s3:::b", "s3:PutObject arn:aws:s3:::b/p/* pattern", "s3:DeleteObject arn:aws:s3:::b/p/* pattern",
			"perhaps s3:AbortMultipartUpload arn:aws:s3:::b/p/* pattern",
		}},
		{"aws s3 cp s3://b/p s3://c/q --recursive", []string{
			"s3:ListBucket arn:aws:s3:::b", "s3:GetObject arn:aws:s3:::b/p/* pattern", "s3:PutObject arn:aws:s3:::c/q/* pattern",
			"perhaps s3:GetObjectTagging arn:aws:s3:::b/p/* pattern", "perhaps s3:PutObjectTagging arn:aws:s3:::c/q/* pattern",
		}},
		{"aws s3 cp s3://arn:aws:s3:eu-west-1:222222222222:accesspoint/ap/k s3://c/k --region eu-west-1", []string{
			"s3:GetObject arn:aws:s3:eu-west-1:222222222222:accesspoint/ap/object/k", "s3:PutObject arn:aws:s3:::c/k",
		}},
		{"aws iam get-user", []string{"iam:GetUser arn:aws:iam::222222222222:user/people/alice"}},
		{"aws ec2 describe-instances", []string{"ec2:DescribeInstances *"}},
		{"aws sts get-caller-identity", nil},
	}
	for _, tt := range tests {
		got := show(tt.line)
		if tt.want == nil && len(got) > 0 {
			t.Errorf("%s: got %v, want none", tt.line, got)
		}
		seen := map[string]int{}
		for _, g := range got {
			seen[g]++
		}
		for _, w := range tt.want {
			if seen[w] != 1 {
				t.Errorf("%s: %q is there %d times, want once, among\n%s", tt.line, w, seen[w], strings.Join(got, "\n"))
			}
		}
	}
}

// TestCommandContext: the context keys that follow from how a call is made; those of a service's own call stay open (P22).
func TestCommandContext(t *testing.T) {
	user, session := alice, evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:iam::222222222222:role/r", RoleARN: "arn:aws:iam::222222222222:role/r", Account: "222222222222"}
	tests := []struct {
		name, line, action string
		principal          evaluator.Principal
		key, want          string
	}{
		{"region of the command", "aws s3 rm s3://b/k --region eu-west-1", "s3:DeleteObject", user, "aws:RequestedRegion", "present [eu-west-1]"},
		{"region of an access point", "aws s3 rm s3://arn:aws:s3:eu-west-2:222222222222:accesspoint/ap/k --region eu-west-1", "s3:DeleteObject", user, "aws:RequestedRegion", "present [eu-west-2]"},
		{"region of a global service", "aws iam list-roles --region eu-west-1", "iam:ListRoles", user, "aws:RequestedRegion", "present [us-east-1]"},
		{"no region", "AWS_PROFILE=none aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:RequestedRegion", "present, not known"},
		{"iam:PassRole is part of the call", "aws lambda create-function --function-name f --role arn:aws:iam::222222222222:role/r --region eu-west-1", "iam:PassRole", user, "aws:RequestedRegion", "present [eu-west-1]"},
		{"TLS", "aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:SecureTransport", "present [true]"},
		{"no TLS", "aws s3 rm s3://b/k --endpoint-url http://s3.eu-west-1.amazonaws.com", "s3:DeleteObject", user, "aws:SecureTransport", "present [false]"},
		{"through a VPC endpoint", "aws s3 rm s3://b/k --endpoint-url https://bucket.vpce-0a1b2c3d4e5f60718-ab12.s3.eu-west-1.vpce.amazonaws.com", "s3:DeleteObject", user, "aws:SourceVpce", "present [vpce-0a1b2c3d4e5f60718]"},
		{"no service in between", "aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:ViaAWSService", "present [false]"},
		{"no service in between: absent", "aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:CalledVia", "absent"},
		{"the key of a bucket is asked for by S3", "aws s3 cp a s3://b/k --sse aws:kms", "kms:GenerateDataKey", user, "aws:ViaAWSService", "open"},
		{"a user's keys have no MFA", "aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:MultiFactorAuthPresent", "absent"},
		{"a session without MFA", "aws s3 rm s3://b/k", "s3:DeleteObject", session, "aws:MultiFactorAuthPresent", "present [false]"},
		{"all keys of a bucket", "aws s3 ls s3://b", "s3:ListBucket", user, "s3:prefix", "present []"},
		{"keys below", "aws s3 ls s3://b/p", "s3:ListBucket", user, "s3:prefix", "present [p]"},
		{"the address isn't known", "aws s3 rm s3://b/k", "s3:DeleteObject", user, "aws:SourceIp", "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := testEnv()
			env.Principal = tt.principal
			c, err := apicall.FromCommand(asWords(tt.line), env)
			if err != nil {
				t.Fatal(err)
			}
			got := "no such request"
			for _, r := range c.Requests() {
				if r.Action != tt.action {
					continue
				}
				got = "open"
				for _, v := range slices.Concat(r.Context, r.Assumed) {
					switch {
					case v.Name != tt.key:
					case v.State == evaluator.Absent:
						got = "absent"
					case v.State == evaluator.PresentUnknown:
						got = "present, not known"
					default:
						got = fmt.Sprintf("present %v", v.Values)
					}
				}
				break
			}
			if got != tt.want {
				t.Errorf("%s: %s of %s is %s, want %s", tt.line, tt.key, tt.action, got, tt.want)
			}
		})
	}
}

// FuzzFromCommand: no command line panics or takes long, and none makes more requests than are bounded.
func FuzzFromCommand(f *testing.F) {
	for _, line := range []string{
		"aws s3 sync . s3://b/p --delete", "aws ec2 create-tags --tags Key=[{a=b,c='d'}],Value=x,y",
		`aws lambda create-function --cli-input-json {"a":[1]}`, "aws lambda get-function --cli-input-yaml a: &x [*x]", "X=1 sudo aws --region e iam wait role-exists --role-name r",
		"aws s3 cp s3://arn:aws:s3:r:222222222222:accesspoint/ap/k s3://b --grants read=x full=y", "aws logs tail g --follow",
	} {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, "\n")
		c, err := apicall.FromCommand(words, testEnv())
		if (c == nil) == (err == nil) {
			t.Fatalf("%q: got %v and %v", words, c, err)
		}
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q: an error without words", words)
			}
			return
		}
		requests := c.Requests()
		if len(requests) > 1000 {
			t.Errorf("%q: %d requests", words, len(requests))
		}
		for _, r := range requests {
			if strings.Contains(r.Resource.ARN, "\x00") {
				t.Errorf("%q: a resource that nobody has: %q", words, r.Resource.ARN)
			}
		}
	})
}
