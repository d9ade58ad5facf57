package apicall

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// TestParamKeysExist: each key of the tables is spelled as the service reference spells it, and listed there for each of its
// actions (S22).
func TestParamKeysExist(t *testing.T) {
	for prefix, rows := range paramKeys {
		service, ok := serviceref.Lookup(prefix)
		if !ok {
			t.Errorf("no service %s", prefix)
			continue
		}
		for _, k := range rows {
			for action := range strings.FieldsSeq(k.actions) {
				a, ok := service.Action(action)
				if !ok || a.Name != action {
					t.Errorf("%s: no action %s:%s", k.key, prefix, action)
					continue
				}
				if !slices.Contains(service.ActionKeys(a), k.key) {
					t.Errorf("%s:%s doesn't have %s", prefix, action, k.key)
				}
			}
		}
	}
	ec2, _ := serviceref.Lookup("ec2")
	for _, k := range ec2Keys {
		a, ok := ec2.Action(k.operation)
		if !ok || !slices.Contains(ec2.ActionKeys(a), k.key) {
			t.Errorf("ec2:%s doesn't have %s", k.operation, k.key)
		}
		if _, ok := ec2.ResourceType(k.resource); !ok {
			t.Errorf("%s: no resource type %s", k.key, k.resource)
		}
	}
	for kind, key := range ec2IDs {
		if rt, ok := ec2.ResourceType(kind); !ok || !slices.Contains(rt.Keys, key) {
			t.Errorf("resource type %s doesn't have %s", kind, key)
		}
	}
}

// shown writes a request's context: - is absent, ? there with an unknown value, ?? unknown, + others may be there.
func shown(r Request) map[string]string {
	got := map[string]string{}
	for _, v := range r.Context {
		s := strings.Join(v.Values, ",")
		switch v.State {
		case evaluator.Absent:
			s = "-"
		case evaluator.PresentUnknown:
			s = "?"
		case evaluator.UnknownKey:
			s = "??"
		case evaluator.Partial:
			s += "+"
		}
		got[v.Name] = s
	}
	return got
}

// TestParameterKeys: T86, in CloudTrail's names and in the API's.
func TestParameterKeys(t *testing.T) {
	tests := []struct {
		name, service, operation, parameters string
		action                               string // of the request, if it isn't the first
		want                                 map[string]string
	}{
		{"s3 list, API", "s3", "ListObjectsV2", `{"Bucket":"b","Prefix":"p/","MaxKeys":10}`, "", map[string]string{"s3:prefix": "p/", "s3:delimiter": "-", "s3:max-keys": "10", "aws:TagKeys": "-"}},
		{"s3 list, an empty prefix is hidden (T85)", "s3", "ListObjectsV2", `{"bucketName":"b","prefix":""}`, "", map[string]string{"s3:delimiter": "-", "s3:max-keys": "-", "aws:TagKeys": "-"}},
		{"s3 put, API", "s3", "PutObject", `{"Bucket":"b","Key":"k","ACL":"public-read","StorageClass":"GLACIER","Tagging":"a=b%20c&d="}`, "", map[string]string{
			"s3:x-amz-acl": "public-read", "s3:x-amz-grant-read": "-", "s3:x-amz-grant-write": "-", "s3:x-amz-grant-read-acp": "-", "s3:x-amz-grant-write-acp": "-", "s3:x-amz-grant-full-control": "-",
			"s3:x-amz-server-side-encryption": "-", "s3:x-amz-server-side-encryption-aws-kms-key-id": "-", "s3:x-amz-server-side-encryption-customer-algorithm": "-", "s3:x-amz-storage-class": "GLACIER",
			"s3:x-amz-copy-source": "-", "s3:x-amz-metadata-directive": "-", "s3:x-amz-website-redirect-location": "-", "s3:if-match": "-", "s3:if-none-match": "-",
			"s3:RequestObjectTag/a": "b c", "s3:RequestObjectTag/d": "", "s3:RequestObjectTagKeys": "a,d", "s3:ObjectCreationOperation": "true"}},
		{"s3 put, CloudTrail doesn't record every header", "s3", "PutObject", `{"bucketName":"b","key":"k","x-amz-storage-class":"GLACIER"}`, "", map[string]string{
			"s3:x-amz-acl": "-", "s3:x-amz-grant-read": "-", "s3:x-amz-grant-write": "-", "s3:x-amz-grant-read-acp": "-", "s3:x-amz-grant-write-acp": "-", "s3:x-amz-grant-full-control": "-",
			"s3:x-amz-server-side-encryption": "-", "s3:x-amz-server-side-encryption-aws-kms-key-id": "-", "s3:x-amz-storage-class": "GLACIER", "s3:ObjectCreationOperation": "true", "aws:TagKeys": "-"}},
		{"s3 a subresource isn't a parameter", "s3", "PutBucketAcl", `{"bucketName":"b","acl":""}`, "", map[string]string{
			"s3:x-amz-acl": "-", "s3:x-amz-grant-read": "-", "s3:x-amz-grant-write": "-", "s3:x-amz-grant-read-acp": "-", "s3:x-amz-grant-write-acp": "-", "s3:x-amz-grant-full-control": "-", "aws:TagKeys": "-"}},
		{"s3 a part of an upload has its headers from its beginning", "s3", "UploadPart", `{"bucketName":"b","key":"k"}`, "", map[string]string{"s3:ObjectCreationOperation": "false", "aws:TagKeys": "-"}},
		{"sts: a user hands nothing on", "sts", "AssumeRole", `{"roleArn":"arn:aws:iam::1:role/r","roleSessionName":"s","transitiveTagKeys":["a"],"tags":[{"key":"a","value":"b"}]}`, "", map[string]string{
			"sts:RoleSessionName": "s", "sts:ExternalId": "-", "sts:SourceIdentity": "-", "sts:TransitiveTagKeys": "a", "aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"sts: an assertion may have them", "sts", "AssumeRoleWithSAML", `{"RoleArn":"arn:aws:iam::1:role/r"}`, "", map[string]string{}},
		{"kms grant", "kms", "CreateGrant", `{"keyId":"1-2","granteePrincipal":"arn:aws:iam::1:role/r","operations":["Decrypt","Encrypt"],"constraints":{"encryptionContextSubset":{"a":"b"}}}`, "", map[string]string{
			"kms:GranteePrincipal": "arn:aws:iam::1:role/r", "kms:RetiringPrincipal": "-", "kms:GrantOperations": "Decrypt,Encrypt", "kms:RequestAlias": "-", "kms:GrantConstraintType": "EncryptionContextSubset", "aws:TagKeys": "-"}},
		{"kms: no encryption context", "kms", "Encrypt", `{"keyId":"1-2"}`, "", map[string]string{"kms:RequestAlias": "-", "kms:EncryptionContextKeys": "-", "aws:TagKeys": "-"}},
		{"kms behind s3", "s3", "GetObject", `{"bucketName":"b","key":"k"}`, "kms:Decrypt", map[string]string{"kms:ViaService": "s3.eu-west-1.amazonaws.com", "kms:CallerAccount": "222222222222"}},
		{"kms behind a service of which the name there isn't known", "cloudtrail", "StartQuery", `{"queryStatement":"SELECT 1"}`, "kms:Decrypt", map[string]string{"kms:CallerAccount": "222222222222"}},
		{"dynamodb: a key of one attribute, CloudTrail", "dynamodb", "GetItem", `{"tableName":"t","key":{"user":"u1"}}`, "", map[string]string{"dynamodb:EnclosingOperation": "-", "dynamodb:LeadingKeys": "u1", "aws:TagKeys": "-"}},
		{"dynamodb: a key of one attribute, API", "dynamodb", "DeleteItem", `{"TableName":"t","Key":{"user":{"S":"u1"}},"ReturnValues":"ALL_OLD"}`, "", map[string]string{
			"dynamodb:EnclosingOperation": "-", "dynamodb:LeadingKeys": "u1", "dynamodb:ReturnValues": "ALL_OLD", "aws:TagKeys": "-"}},
		{"dynamodb: which of two is the partition key?", "dynamodb", "GetItem", `{"tableName":"t","key":{"a":"1","b":"2"}}`, "", map[string]string{"dynamodb:EnclosingOperation": "-", "dynamodb:LeadingKeys": "?", "aws:TagKeys": "-"}},
		{"dynamodb: in a transaction (S50)", "dynamodb", "TransactWriteItems", `{"transactItems":[{"conditionCheck":{"tableName":"b"}}]}`, "", map[string]string{"dynamodb:EnclosingOperation": "TransactWriteItems", "aws:TagKeys": "-"}},
		{"ec2: a key belongs to one type of resource", "ec2", "RunInstances", `{"InstanceType":"t3.micro","ImageId":"ami-1","MetadataOptions":{"HttpTokens":"required"}}`, "", map[string]string{
			"ec2:Region": "eu-west-1", "ec2:InstanceType": "t3.micro", "ec2:MetadataHttpTokens": "required", "aws:TagKeys": "-"}},
		{"ec2 volume", "ec2", "CreateVolume", `{"Size":8,"VolumeType":"gp3","Encrypted":true,"SnapshotId":"snap-1","AvailabilityZone":"eu-west-1a"}`, "", map[string]string{
			"ec2:Region": "eu-west-1", "ec2:VolumeSize": "8", "ec2:VolumeType": "gp3", "ec2:Encrypted": "true", "ec2:ParentSnapshot": "arn:aws:ec2:eu-west-1::snapshot/snap-1", "ec2:AvailabilityZone": "eu-west-1a", "aws:TagKeys": "-"}},
		{"ec2: what the account's default decides is unknown", "ec2", "CreateVolume", `{"size":8,"encrypted":false}`, "", map[string]string{"ec2:Region": "eu-west-1", "ec2:VolumeSize": "8", "aws:TagKeys": "-"}},
		{"ec2: tagging while creating", "ec2", "CreateVolume", `{"TagSpecifications":[{"ResourceType":"volume","Tags":[{"Key":"a","Value":"b"}]}]}`, "ec2:CreateTags", map[string]string{
			"ec2:CreateAction": "CreateVolume", "ec2:Region": "eu-west-1", "aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"elasticloadbalancing: tagging by itself", "elasticloadbalancing", "AddTags", `{"resourceArns":["arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/t/1"],"tags":[{"key":"a","value":"b"}]}`, "", map[string]string{
			"elasticloadbalancing:CreateAction": "-", "aws:RequestTag/a": "b", "aws:TagKeys": "a"}},
		{"untagging: the names are keys, tags aren't sure to be", "ecr", "UntagResource", `{"resourceArn":"arn:aws:ecr:eu-west-1:222222222222:repository/r","tagKeys":["b","a"]}`, "", map[string]string{
			"aws:TagKeys": "a,b", "aws:RequestTag/a": "??", "aws:RequestTag/b": "??"}},
		{"rds: for the instance", "rds", "CreateDBInstance", `{"dBInstanceIdentifier":"a","dBInstanceClass":"db.t3.micro","dBSubnetGroupName":"s"}`, "", map[string]string{"rds:DatabaseClass": "db.t3.micro", "aws:TagKeys": "-"}},
		{"lambda layers", "lambda", "CreateFunction", `{"FunctionName":"f","Role":"arn:aws:iam::1:role/r","Layers":["arn:aws:lambda:eu-west-1:1:layer:a:1","arn:aws:lambda:eu-west-1:1:layer:b:2"]}`, "", map[string]string{
			"lambda:Layer": "arn:aws:lambda:eu-west-1:1:layer:a:1,arn:aws:lambda:eu-west-1:1:layer:b:2", "lambda:CodeSigningConfigArn": "-", "aws:TagKeys": "-"}},
		{"lambda: a hidden one of several (U1, T85)", "lambda", "CreateFunction", `{"functionName":"f","layers":["arn:aws:lambda:eu-west-1:1:layer:a:1","***"]}`, "", map[string]string{
			"lambda:Layer": "arn:aws:lambda:eu-west-1:1:layer:a:1+", "lambda:CodeSigningConfigArn": "-", "aws:TagKeys": "-"}},
		{"secretsmanager: an ARN is the secret's", "secretsmanager", "GetSecretValue", `{"secretId":"arn:aws:secretsmanager:eu-west-1:222222222222:secret:db-Xy7Zq1","versionStage":"AWSCURRENT"}`, "", map[string]string{
			"secretsmanager:SecretId": "arn:aws:secretsmanager:eu-west-1:222222222222:secret:db-Xy7Zq1", "secretsmanager:VersionStage": "AWSCURRENT", "aws:TagKeys": "-"}},
		{"secretsmanager: of a name nobody says what IAM sees", "secretsmanager", "GetSecretValue", `{"secretId":"db"}`, "", map[string]string{"aws:TagKeys": "-"}},
		{"ecs: the default cluster", "ecs", "RunTask", `{"taskDefinition":"web:1","enableExecuteCommand":true}`, "", map[string]string{
			"ecs:cluster": "arn:aws:ecs:eu-west-1:222222222222:cluster/default", "ecs:enable-execute-command": "true", "aws:TagKeys": "-"}},
		{"cloudformation", "cloudformation", "CreateStack", `{"stackName":"s","templateURL":"https://b.s3.amazonaws.com/t"}`, "", map[string]string{
			"cloudformation:TemplateUrl": "https://b.s3.amazonaws.com/t", "cloudformation:StackPolicyUrl": "-", "aws:TagKeys": "-"}},
		{"sns: a hidden endpoint", "sns", "Subscribe", `{"topicArn":"arn:aws:sns:eu-west-1:222222222222:t","protocol":"email","endpoint":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "", map[string]string{"sns:Protocol": "email", "aws:TagKeys": "-"}},
		{"nothing recorded, nothing known", "kms", "CreateGrant", "", "", map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, r := range Requests(callOf(t, tt.service, tt.operation, tt.parameters)) {
				if r.Action == tt.action || tt.action == "" && i == 0 {
					if diff := cmp.Diff(tt.want, shown(r)); diff != "" {
						t.Errorf("%s on %s (-want +got)\n%s", r.Action, r.Resource.ARN, diff)
					}
					return
				}
			}
			t.Errorf("no request for %s", tt.action)
		})
	}
}

// TestHandedOn: a session may have a source identity and transitive tags that the call for the next one doesn't name (S7).
func TestHandedOn(t *testing.T) {
	c := callOf(t, "sts", "AssumeRole", `{"roleArn":"arn:aws:iam::111111111111:role/r","roleSessionName":"s","tags":[{"key":"a","value":"b"}]}`)
	c.Principal = evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::222222222222:assumed-role/x/s", Account: "222222222222"}
	got := Requests(c)
	want := []string{"sts:AssumeRole arn:aws:iam::111111111111:role/r", "sts:TagSession arn:aws:iam::111111111111:role/r", "sts:SetSourceIdentity arn:aws:iam::111111111111:role/r ?"}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"sts:RoleSessionName": "s", "sts:ExternalId": "-", "aws:RequestTag/a": "b", "aws:TagKeys": "a+"}, shown(got[0])); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
}

// TestLackingKeys: evaluation.md 5.4, last row: a key of the service that the action doesn't have is absent; those of other
// services, of varying names, and those that the reference lists for no action aren't concluded.
func TestLackingKeys(t *testing.T) {
	tests := []struct{ action, lacks, not string }{
		{"s3:GetObject", "s3:x-amz-acl s3:prefix s3:locationconstraint", "s3:authType s3:ResourceAccount s3:versionid-of-no-service"},
		{"S3:listbucket", "s3:x-amz-acl", "s3:prefix"},
		{"dynamodb:Scan", "dynamodb:LeadingKeys", "dynamodb:Attributes dynamodb:FirstPartitionKeyValues"},
		{"ec2:StopInstances", "ec2:CreateAction ec2:VolumeSize", "ec2:InstanceType ec2:SourceInstanceARN ec2:RoleDelivery ec2:ResourceTag/${TagKey}"},
		{"lambda:GetFunction", "lambda:Layer", "lambda:SourceFunctionArn"},
		{"dynamodb:ConditionCheckItem", "dynamodb:Select", "dynamodb:EnclosingOperation"},
		{"nosuch:Action", "", "nosuch:key"},
		{"s3:NoSuchAction", "", "s3:prefix"},
	}
	for _, tt := range tests {
		got := map[string]bool{}
		for _, v := range lackingKeys(tt.action) {
			if v.State != evaluator.Absent {
				t.Errorf("%s: %s is %v", tt.action, v.Name, v.State)
			}
			got[v.Name] = true
		}
		for key := range strings.FieldsSeq(tt.lacks) {
			if !got[key] {
				t.Errorf("%s: %s isn't concluded to be absent", tt.action, key)
			}
		}
		for key := range strings.FieldsSeq(tt.not) {
			if got[key] {
				t.Errorf("%s: %s is concluded to be absent", tt.action, key)
			}
		}
	}
}

// TestRequestKeys: those of the action, and of the type of the resource where the ARN tells it.
func TestRequestKeys(t *testing.T) {
	tests := []struct{ action, resource, has, not string }{
		{"ec2:RunInstances", "arn:aws:ec2:eu-west-1:1:volume/*", "ec2:VolumeSize ec2:Region aws:PrincipalOrgID aws:PrincipalTag/${TagKey}", "ec2:InstanceType"},
		{"ec2:RunInstances", "*", "ec2:VolumeSize ec2:InstanceType", "s3:prefix"},
		{"s3:ListBucket", "arn:aws:s3:::b", "s3:prefix", "s3:x-amz-acl aws:RequestTag/${TagKey}"},
		{"nosuch:Action", "*", "aws:SourceIp", "aws:RequestTag/${TagKey}"},
	}
	for _, tt := range tests {
		var got []string
		for _, key := range RequestKeys(tt.action, tt.resource) {
			got = append(got, key.Name)
		}
		for key := range strings.FieldsSeq(tt.has) {
			if !slices.Contains(got, key) {
				t.Errorf("%s on %s: lacks %s", tt.action, tt.resource, key)
			}
		}
		for key := range strings.FieldsSeq(tt.not) {
			if slices.Contains(got, key) {
				t.Errorf("%s on %s: has %s", tt.action, tt.resource, key)
			}
		}
	}
}

// FuzzContext: whatever the parameters are, no key is told twice, none is known by a value that stands for one which isn't recorded
// (T85), and nothing is asked twice.
func FuzzContext(f *testing.F) {
	f.Add("ec2", "CreateVolume", `{"tagSpecificationSet":{"items":[{"resourceType":"volume","tags":[{"key":"a","value":"***"}]}]},"size":""}`)
	f.Add("s3", "PutObject", `{"Bucket":"b","Key":"k","Tagging":"a=1&a=2&%zz","ACL":""}`)
	f.Add("kms", "Encrypt", `{"keyId":"alias/x","encryptionContext":{"a":"","A":null}}`)
	f.Add("dynamodb", "GetItem", `{"tableName":"t","key":{"a":{"S":"***"}}}`)
	f.Add("sts", "AssumeRoleWithSAML", `{"principalTags":{"":"x"},"transitiveTagKeys":["a","***"]}`)
	f.Add("rds", "CreateDBInstance", `{"tags":[{"key":"a"}],"kmsKeyId":"x:y","monitoringRoleArn":["arn:aws:iam::1:role/"]}`)
	f.Add("docdb-elastic", "CreateCluster", `{"kmsKeyId":["a","a"],"x":{"kmsKeyArn":"arn:aws:kms:::key/*"}}`)
	f.Add("ecr", "UntagResource", `{"tagKeys":["a","A","a"]}`)
	for _, rows := range paramKeys {
		for _, k := range rows {
			prefix, _, _ := strings.Cut(k.key, ":")
			action, _, _ := strings.Cut(k.actions, " ")
			name, _, _ := strings.Cut(strings.Fields(k.params)[0], ".")
			f.Add(prefix, action, `{"`+name+`":"v"}`)
		}
	}
	f.Fuzz(func(t *testing.T, service, operation, parameters string) {
		c := Call{Service: service, Operation: operation, Region: "eu-west-1", Account: "222222222222"}
		_ = json.Unmarshal([]byte(parameters), &c.Parameters)
		for _, r := range Requests(c) {
			told := map[string]bool{}
			for _, v := range r.Context {
				name := strings.ToLower(v.Name)
				if told[name] {
					t.Errorf("%s: %s is told twice", r.Action, v.Name)
				}
				told[name] = true
				isTag := strings.HasPrefix(v.Name, "aws:RequestTag/") || strings.HasPrefix(v.Name, "s3:RequestObjectTag/")
				for _, s := range v.Values {
					if hidden(s) && !(isTag && s == "") {
						t.Errorf("%s: %s = %q", r.Action, v.Name, s)
					}
				}
			}
		}
	})
}
