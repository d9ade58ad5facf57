package apicall

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// TestDependents: T78, T81, S12, S24, S43 to S49, in CloudTrail's names of parameters and in the API's. The call's own requests
// are left out.
func TestDependents(t *testing.T) {
	const (
		role   = "arn:aws:iam::222222222222:role/app"
		key    = "arn:aws:kms:eu-west-1:111111111111:key/1-2"
		anyKey = "~arn:aws:kms:eu-west-1:*:key/*"
	)
	tests := []struct {
		name, service, operation, parameters string
		want                                 []string
	}{
		{"S12 by table, API", "lambda", "CreateFunction", `{"FunctionName":"f","Role":"` + role + `","VpcConfig":{"SubnetIds":["subnet-1"]},"Layers":["arn:aws:lambda:eu-west-1:111111111111:layer:l:3"],"Tags":{"a":"b"}}`, []string{
			"iam:PassRole " + role, "ec2:DescribeSecurityGroups *", "ec2:DescribeSubnets *", "ec2:DescribeVpcs *", "lambda:GetLayerVersion arn:aws:lambda:eu-west-1:111111111111:layer:l:3",
			"lambda:TagResource arn:aws:lambda:eu-west-1:222222222222:function:f"}},
		{"S12 by reference: a role's ARN", "transfer", "CreateAgreement", `{"serverId":"s-1","accessRole":"` + role + `"}`, []string{"iam:PassRole " + role}},
		{"S12 by reference: none that is seen", "transfer", "CreateAgreement", `{"serverId":"s-1"}`, []string{"iam:PassRole ~arn:aws:iam::222222222222:role/* ?"}},
		{"S12 by reference: a role taken away", "rds", "RemoveRoleFromDBCluster", `{"dBClusterIdentifier":"c","roleArn":"` + role + `"}`, []string{"iam:PassRole " + role + " ?"}},
		{"S12 by reference: deep in the parameters", "dms", "CreateEndpoint", `{"endpointIdentifier":"e","s3Settings":{"serviceAccessRoleArn":"` + role + `"}}`, []string{"iam:PassRole " + role}},
		{"S43 RunInstances, API", "ec2", "RunInstances", `{"ImageId":"resolve:ssm:/golden/ami","SubnetId":"subnet-1","SecurityGroupIds":["sg-1"],"BlockDeviceMappings":[{"Ebs":{"KmsKeyId":"` + key + `"}}],"IamInstanceProfile":{"Name":"p"},"TagSpecifications":[{"ResourceType":"instance","Tags":[{"Key":"a","Value":"b"}]}]}`, []string{
			"iam:PassRole ~arn:aws:iam::222222222222:role/*", "kms:CreateGrant " + key, "kms:GenerateDataKeyWithoutPlaintext " + key,
			"ssm:GetParameters arn:aws:ssm:eu-west-1:222222222222:parameter/golden/ami", "ec2:CreateTags ~arn:aws:ec2:eu-west-1:222222222222:instance/*"}},
		{"S43 volume with a key", "ec2", "CreateVolume", `{"size":1,"encrypted":true,"kmsKeyId":"` + key + `"}`, []string{"kms:CreateGrant " + key, "kms:GenerateDataKeyWithoutPlaintext " + key}},
		{"S24 SSE-KMS, API", "s3", "PutObject", `{"Bucket":"b","Key":"k","ServerSideEncryption":"aws:kms","SSEKMSKeyId":"` + key + `"}`, []string{"kms:GenerateDataKey " + key}},
		{"S24 the bucket's default key, API", "s3", "PutObject", `{"Bucket":"b","Key":"k","ServerSideEncryption":"aws:kms"}`, []string{"kms:GenerateDataKey " + anyKey}},
		{"S24 no key", "s3", "PutObject", `{"Bucket":"b","Key":"k","ServerSideEncryption":"AES256"}`, nil},
		{"S41 ACL and tags with the object", "s3", "PutObject", `{"Bucket":"b","Key":"k","ServerSideEncryption":"AES256","ACL":"public-read","Tagging":"a=b"}`, []string{
			"s3:PutObjectAcl arn:aws:s3:::b/k", "s3:PutObjectTagging arn:aws:s3:::b/k"}},
		{"S41 the default ACL", "s3", "PutObject", `{"bucketName":"b","key":"k","x-amz-server-side-encryption":"AES256","x-amz-acl":"private"}`, nil},
		{"T78 bucket with settings", "s3", "CreateBucket", `{"Bucket":"b","ACL":"private","ObjectOwnership":"ObjectWriter","ObjectLockEnabledForBucket":true}`, []string{
			"s3:PutBucketOwnershipControls arn:aws:s3:::b", "s3:PutBucketObjectLockConfiguration arn:aws:s3:::b", "s3:PutBucketVersioning arn:aws:s3:::b"}},
		{"S48 with a key", "secretsmanager", "CreateSecret", `{"Name":"n","KmsKeyId":"` + key + `","Tags":[{"Key":"a","Value":"b"}]}`, []string{
			"kms:GenerateDataKey " + key, "kms:Decrypt " + key, "secretsmanager:TagResource ~arn:aws:secretsmanager:eu-west-1:222222222222:secret:n*"}},
		{"ssm: no secret, no key", "ssm", "PutParameter", `{"name":"/a","type":"String","overwrite":true}`, nil},
		{"ssm: a secret, by the account's tier", "ssm", "PutParameter", `{"name":"/a","type":"SecureString","overwrite":true}`, []string{"kms:Encrypt " + anyKey + " ?", "kms:GenerateDataKey " + anyKey + " ?"}},
		{"dynamodb: a table with a key, API", "dynamodb", "CreateTable", `{"TableName":"t","SSESpecification":{"KMSMasterKeyId":"` + key + `"}}`, []string{"kms:CreateGrant " + key, "kms:DescribeKey " + key}},
		{"dynamodb: a table with AWS's key", "dynamodb", "CreateTable", `{"tableName":"t"}`, nil},
		{"kinesis", "kinesis", "PutRecord", `{"streamName":"s"}`, []string{"kms:GenerateDataKey " + anyKey + " ?"}},
		{"tags by reference, on what is made", "rds", "CreateDBSnapshot", `{"dBInstanceIdentifier":"a","dBSnapshotIdentifier":"s","tags":[{"key":"a","value":"b"}]}`, []string{"rds:AddTagsToResource arn:aws:rds:eu-west-1:222222222222:snapshot:s"}},
		{"tags by reference, none sent", "rds", "CreateDBSnapshot", `{"dBInstanceIdentifier":"a","dBSnapshotIdentifier":"s"}`, nil},
		{"tags by reference, perhaps sent (T85)", "rds", "CreateDBSnapshot", `{"dBInstanceIdentifier":"a","dBSnapshotIdentifier":"s","tags":{"omitted":true}}`, []string{"rds:AddTagsToResource arn:aws:rds:eu-west-1:222222222222:snapshot:s ?"}},
		{"tags on a queue", "sqs", "CreateQueue", `{"queueName":"q","tags":{"a":"b"}}`, []string{"sqs:TagQueue arn:aws:sqs:eu-west-1:222222222222:q"}},
		{"key by reference", "docdb-elastic", "CreateCluster", `{"clusterName":"c","kmsKeyId":"` + key + `"}`, []string{
			"ec2:CreateVpcEndpoint ~* ?", "ec2:DeleteVpcEndpoints ~arn:aws:ec2:*:*:vpc-endpoint/* ?", "ec2:DescribeAvailabilityZones * ?", "ec2:DescribeSecurityGroups * ?", "ec2:DescribeSubnets * ?",
			"ec2:DescribeVpcAttribute ~arn:aws:ec2:*:*:vpc/* ?", "ec2:DescribeVpcEndpoints * ?", "ec2:DescribeVpcs * ?", "ec2:ModifyVpcEndpoint ~* ?", "iam:CreateServiceLinkedRole ~arn:aws:iam::222222222222:role/aws-service-role/* ?",
			"kms:CreateGrant " + key, "kms:Decrypt " + key, "kms:DescribeKey " + key, "kms:GenerateDataKey " + key, "secretsmanager:DescribeSecret ~arn:aws:secretsmanager:*:*:secret:* ?",
			"secretsmanager:GetResourcePolicy ~arn:aws:secretsmanager:*:*:secret:* ?", "secretsmanager:GetSecretValue ~arn:aws:secretsmanager:*:*:secret:* ?", "secretsmanager:ListSecrets * ?", "secretsmanager:ListSecretVersionIds ~arn:aws:secretsmanager:*:*:secret:* ?"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := callOf(t, tt.service, tt.operation, tt.parameters)
			all := Requests(c)
			got := lines(all)[len(derive(c).own()):]
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("dependents (-want +got)\n%s", diff)
			}
		})
	}
}

// TestPassedToService: who gets a role is claimed where AWS says so, and not in China, where services have other names (S12).
func TestPassedToService(t *testing.T) {
	for _, tt := range []struct{ service, operation, parameters, region, want string }{
		{"transfer", "CreateAgreement", `{"accessRole":"arn:aws:iam::222222222222:role/r"}`, "eu-west-1", "transfer.amazonaws.com"},
		{"dms", "CreateEndpoint", `{"serviceAccessRoleArn":"arn:aws:iam::222222222222:role/r"}`, "eu-west-1", ""},
		{"lambda", "CreateFunction", `{"role":"arn:aws-cn:iam::222222222222:role/r"}`, "cn-north-1", ""},
	} {
		c := callOf(t, tt.service, tt.operation, tt.parameters)
		c.Region = tt.region
		if c.Region != "eu-west-1" {
			c.Principal.ARN = "arn:aws-cn:iam::222222222222:user/alice"
		}
		want := evaluator.ContextValue{Name: "iam:PassedToService", State: evaluator.PresentUnknown}
		if tt.want != "" {
			want = present("iam:PassedToService", tt.want)
		}
		found := false
		for _, r := range Requests(c) {
			if r.Action == "iam:PassRole" {
				found = true
				if diff := cmp.Diff([]evaluator.ContextValue{want}, r.Context); diff != "" {
					t.Errorf("%s %s (-want +got)\n%s", tt.service, tt.region, diff)
				}
			}
		}
		if !found {
			t.Errorf("%s %s: no role is passed", tt.service, tt.region)
		}
	}
}

// TestReferenceDependentsKept: of each action that is called as its operation, nothing that the service reference has beside it is
// lost, if nothing is known of the call, and nothing is listed twice (T81).
func TestReferenceDependentsKept(t *testing.T) {
	checked := 0
	for _, prefix := range serviceref.Prefixes() {
		service, _ := serviceref.Lookup(prefix)
		for i := range service.Actions {
			a := &service.Actions[i]
			name := prefix + ":" + a.Name
			all := Requests(Call{Service: prefix, Operation: a.Name, Region: "eu-west-1", Account: "222222222222"})
			if len(all) == 0 || all[0].Action != name {
				continue
			}
			asked, twice := map[string]bool{}, map[string]bool{}
			for _, r := range all {
				asked[strings.ToLower(r.Action)] = true
				if l := line(r); twice[l] {
					t.Errorf("%s: twice %s", name, l)
				} else {
					twice[l] = true
				}
				if r.ActionSource == FromReference && (r.Required || r.Resource.ARN == "") {
					t.Errorf("%s: %s on %q is required, and nothing says so", name, r.Action, r.Resource.ARN)
				}
			}
			_, usesKey := keyUses[name]
			for _, dep := range dependentActions(all[:1]) {
				checked++
				kms := strings.HasPrefix(dep, "kms:")
				if !asked[strings.ToLower(dep)] && !(kms && usesKey) {
					if _, ok := passes[name]; ok && dep == "iam:PassRole" {
						continue
					}
					t.Errorf("%s: %s is lost", name, dep)
				}
			}
		}
	}
	if checked < 3000 {
		t.Errorf("%d dependent actions were looked at, want at least 3000", checked)
	}
}

// TestTablesExist: the operations' services and all actions of the tables of dependents exist.
func TestTablesExist(t *testing.T) {
	var actions []string
	for _, k := range keyUses {
		actions = append(append(actions, strings.Fields(k.actions)...), strings.Fields(k.unnamed)...)
	}
	for _, rows := range needs {
		for _, n := range rows {
			actions = append(actions, strings.Fields(n.actions)...)
		}
	}
	for _, row := range tagsOnCreate {
		actions = append(actions, row.action)
		if row.createKey {
			prefix, _, _ := strings.Cut(row.action, ":")
			if !lists(row.action, prefix+":CreateAction") {
				t.Errorf("%s doesn't have %s:CreateAction", row.action, prefix)
			}
		}
	}
	slices.Sort(actions)
	for _, action := range slices.Compact(actions) {
		if _, _, ok := referenceAction(action); !ok {
			t.Errorf("no action %s", action)
		}
	}
	for name := range passes {
		prefix, _, _ := strings.Cut(name, ":")
		if _, ok := serviceref.Lookup(prefix); !ok {
			t.Errorf("passes: no service %s", prefix)
		}
	}
	for name, kind := range madeTypes {
		prefix, _, _ := strings.Cut(name, ":")
		service, ok := serviceref.Lookup(prefix)
		if !ok {
			t.Errorf("madeTypes: no service %s", prefix)
			continue
		}
		if _, ok := service.ResourceType(kind); !ok {
			t.Errorf("madeTypes: %s has no type %s", prefix, kind)
		}
	}
	for prefix := range kmsVia {
		if _, ok := serviceref.Lookup(prefix); !ok {
			t.Errorf("kmsVia: no service %s", prefix)
		}
	}
}
