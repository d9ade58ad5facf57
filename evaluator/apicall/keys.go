package apicall

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

func present(name string, values ...string) evaluator.ContextValue {
	return evaluator.ContextValue{Name: name, State: evaluator.Present, Values: values}
}

// A missing says what a parameter that isn't there tells of a context key.
type missing int8

const (
	noMatter    missing = iota // nothing: the service has a default, or keeps what was
	meansAbsent                // the key is absent, if the parameters are recorded
	inCommand                  // the key is absent in a command as typed; CloudTrail may have left the parameter out
)

// A paramKey is a context key that a parameter of some actions gives (T86).
type paramKey struct {
	actions string // of the one prefix
	key     string // as the service reference spells it
	params  string // the names of the parameter, CloudTrail's and the API's
	missing missing
}

const (
	s3Lists   = "ListBucket ListBucketVersions"
	s3ACLs    = "PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl"
	kmsCrypto = "Encrypt Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
)

// paramKeys by prefix, each for the actions that have it (rule S22). Only those are here whose value is the parameter's, as
// it is: not what a service makes of a name or an alias.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
// https://docs.aws.amazon.com/lambda/latest/dg/permissions-resources.html
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/security_iam_service-with-iam.html
// https://docs.aws.amazon.com/ram/latest/userguide/iam-policies.html
// https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
var paramKeys = map[string][]paramKey{
	"s3": {
		{s3Lists, "s3:prefix", "prefix", meansAbsent},
		{s3Lists, "s3:delimiter", "delimiter", meansAbsent},
		{s3Lists, "s3:max-keys", "max-keys MaxKeys", meansAbsent},
		{s3ACLs, "s3:x-amz-acl", "x-amz-acl ACL", meansAbsent},
		{s3ACLs, "s3:x-amz-grant-read", "x-amz-grant-read GrantRead", meansAbsent},
		{s3ACLs, "s3:x-amz-grant-write", "x-amz-grant-write GrantWrite", meansAbsent},
		{s3ACLs, "s3:x-amz-grant-read-acp", "x-amz-grant-read-acp GrantReadACP", meansAbsent},
		{s3ACLs, "s3:x-amz-grant-write-acp", "x-amz-grant-write-acp GrantWriteACP", meansAbsent},
		{s3ACLs, "s3:x-amz-grant-full-control", "x-amz-grant-full-control GrantFullControl", meansAbsent},
		{"PutObject", "s3:x-amz-server-side-encryption", "x-amz-server-side-encryption ServerSideEncryption", meansAbsent},
		{"PutObject", "s3:x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-aws-kms-key-id SSEKMSKeyId", meansAbsent},
		{"PutObject", "s3:x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-algorithm SSECustomerAlgorithm", inCommand},
		{"PutObject", "s3:x-amz-storage-class", "x-amz-storage-class StorageClass", inCommand},
		{"PutObject", "s3:x-amz-copy-source", "x-amz-copy-source CopySource", inCommand},
		{"PutObject", "s3:x-amz-metadata-directive", "x-amz-metadata-directive MetadataDirective", inCommand},
		{"PutObject", "s3:x-amz-website-redirect-location", "x-amz-website-redirect-location WebsiteRedirectLocation", inCommand},
		{"PutObject PutObjectRetention", "s3:object-lock-mode", "x-amz-object-lock-mode ObjectLockMode retention.mode", noMatter},
		{"PutObject PutObjectLegalHold", "s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold ObjectLockLegalHoldStatus legalHold.status", noMatter},
		{"PutObject DeleteObject", "s3:if-match", "if-match IfMatch", inCommand},
		{"PutObject", "s3:if-none-match", "if-none-match IfNoneMatch", inCommand},
		{"CreateBucket", "s3:locationconstraint", "createBucketConfiguration.locationConstraint", noMatter},
		{"CreateBucket", "s3:x-amz-object-ownership", "x-amz-object-ownership ObjectOwnership", inCommand},
		{"CreateJob UpdateJobPriority", "s3:RequestJobPriority", "priority", noMatter},
		{"GetObjectVersion GetObjectVersionAcl GetObjectVersionTagging GetObjectVersionAttributes DeleteObjectVersion PutObjectVersionAcl PutObjectVersionTagging DeleteObjectVersionTagging",
			"s3:versionid", "versionId", noMatter},
	},
	"sts": {
		{"AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", "sts:RoleSessionName", "roleSessionName", noMatter},
		{"AssumeRole", "sts:ExternalId", "externalId", meansAbsent},
		{"AssumeRole SetSourceIdentity", "sts:SourceIdentity", "sourceIdentity", meansAbsent},
		{"AssumeRole TagSession", "sts:TransitiveTagKeys", "transitiveTagKeys", meansAbsent},
		{"SetContext", "sts:RequestContextProviders", "providedContexts.providerArn", noMatter},
		{"AssumeRoot", "sts:TaskPolicyArn", "taskPolicyArn.arn", noMatter},
		{"GetWebIdentityToken", "sts:IdentityTokenAudience", "audience", noMatter},
		{"GetWebIdentityToken", "sts:SigningAlgorithm", "signingAlgorithm", noMatter},
	},
	"iam": {
		{"CreateUser CreateRole PutUserPermissionsBoundary PutRolePermissionsBoundary", "iam:PermissionsBoundary", "permissionsBoundary", meansAbsent},
		{"AttachUserPolicy AttachRolePolicy AttachGroupPolicy DetachUserPolicy DetachRolePolicy DetachGroupPolicy", "iam:PolicyARN", "policyArn", meansAbsent},
		{"CreateServiceLinkedRole", "iam:AWSServiceName", "aWSServiceName", meansAbsent},
		{"CreateServiceSpecificCredential", "iam:ServiceSpecificCredentialServiceName", "serviceName", noMatter},
		{"GenerateOrganizationsAccessReport", "iam:OrganizationsPolicyId", "organizationsPolicyId", meansAbsent},
	},
	"kms": {
		{kmsCrypto, "kms:EncryptionAlgorithm", "encryptionAlgorithm", noMatter},
		{"ReEncryptFrom", "kms:EncryptionAlgorithm", "sourceEncryptionAlgorithm", noMatter},
		{"ReEncryptTo", "kms:EncryptionAlgorithm", "destinationEncryptionAlgorithm", noMatter},
		{"Sign Verify", "kms:SigningAlgorithm", "signingAlgorithm", noMatter},
		{"Sign Verify", "kms:MessageType", "messageType", noMatter},
		{"GenerateMac VerifyMac", "kms:MacAlgorithm", "macAlgorithm", noMatter},
		{"DeriveSharedSecret", "kms:KeyAgreementAlgorithm", "keyAgreementAlgorithm", noMatter},
		{"GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext", "kms:DataKeyPairSpec", "keyPairSpec", noMatter},
		{"CreateGrant", "kms:GranteePrincipal", "granteePrincipal", noMatter},
		{"CreateGrant", "kms:RetiringPrincipal", "retiringPrincipal", meansAbsent},
		{"CreateGrant", "kms:GrantOperations", "operations", noMatter},
		{"CreateKey PutKeyPolicy", "kms:BypassPolicyLockoutSafetyCheck", "bypassPolicyLockoutSafetyCheck", noMatter},
		{"CreateKey", "kms:KeySpec", "keySpec customerMasterKeySpec", noMatter},
		{"CreateKey", "kms:KeyUsage", "keyUsage", noMatter},
		{"CreateKey", "kms:KeyOrigin", "origin", noMatter},
		{"CreateKey", "kms:MultiRegion", "multiRegion", noMatter},
		{"ReplicateKey", "kms:ReplicaRegion", "replicaRegion", noMatter},
		{"UpdatePrimaryRegion", "kms:PrimaryRegion", "primaryRegion", noMatter},
		{"EnableKeyRotation", "kms:RotationPeriodInDays", "rotationPeriodInDays", noMatter},
		{"ScheduleKeyDeletion", "kms:ScheduleKeyDeletionPendingWindowInDays", "pendingWindowInDays", noMatter},
		{"ImportKeyMaterial", "kms:ExpirationModel", "expirationModel", noMatter},
		{"GetParametersForImport", "kms:WrappingAlgorithm", "wrappingAlgorithm", noMatter},
		{"GetParametersForImport", "kms:WrappingKeySpec", "wrappingKeySpec", noMatter},
	},
	"lambda": {
		{"CreateFunction UpdateFunctionConfiguration", "lambda:Layer", "layers", noMatter},
		{"CreateFunction UpdateFunctionConfiguration", "lambda:SubnetIds", "vpcConfig.subnetIds", noMatter},
		{"CreateFunction UpdateFunctionConfiguration", "lambda:SecurityGroupIds", "vpcConfig.securityGroupIds", noMatter},
		{"CreateFunction PutFunctionCodeSigningConfig", "lambda:CodeSigningConfigArn", "codeSigningConfigArn", meansAbsent},
		{"AddPermission", "lambda:Principal", "principal", noMatter},
		{"AddPermission", "lambda:FunctionUrlAuthType", "functionUrlAuthType", meansAbsent},
		{"CreateFunctionUrlConfig UpdateFunctionUrlConfig", "lambda:FunctionUrlAuthType", "authType", noMatter},
	},
	"secretsmanager": {
		{"CreateSecret", "secretsmanager:Name", "name", noMatter},
		{"CreateSecret UpdateSecret", "secretsmanager:Description", "description", noMatter},
		{"CreateSecret UpdateSecret", "secretsmanager:KmsKeyId", "kmsKeyId", noMatter},
		{"CreateSecret ReplicateSecretToRegions", "secretsmanager:AddReplicaRegions", "addReplicaRegions.region", noMatter},
		{"CreateSecret ReplicateSecretToRegions", "secretsmanager:ForceOverwriteReplicaSecret", "forceOverwriteReplicaSecret", noMatter},
		{"DeleteSecret", "secretsmanager:ForceDeleteWithoutRecovery", "forceDeleteWithoutRecovery", noMatter},
		{"DeleteSecret", "secretsmanager:RecoveryWindowInDays", "recoveryWindowInDays", noMatter},
		{"RotateSecret", "secretsmanager:RotateImmediately", "rotateImmediately", noMatter},
		{"RotateSecret", "secretsmanager:RotationLambdaARN", "rotationLambdaARN", noMatter},
		{"PutResourcePolicy", "secretsmanager:BlockPublicPolicy", "blockPublicPolicy", noMatter},
		{"GetSecretValue", "secretsmanager:VersionId", "versionId", noMatter},
		{"GetSecretValue UpdateSecretVersionStage", "secretsmanager:VersionStage", "versionStage", noMatter},
	},
	"sns": {
		{"Subscribe", "sns:Protocol", "protocol", noMatter},
		{"Subscribe", "sns:Endpoint", "endpoint", noMatter},
	},
	"dynamodb": {
		{"Query Scan", "dynamodb:Select", "select", noMatter},
		{"GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem", "dynamodb:ReturnConsumedCapacity", "returnConsumedCapacity", noMatter},
		{"PutItem UpdateItem DeleteItem", "dynamodb:ReturnValues", "returnValues", noMatter},
	},
	"cloudformation": {
		{"CreateStack UpdateStack DeleteStack CreateChangeSet ContinueUpdateRollback RollbackStack", "cloudformation:RoleArn", "roleARN", noMatter},
		{"CreateStack UpdateStack CreateChangeSet CreateStackSet UpdateStackSet ValidateTemplate EstimateTemplateCost GetTemplateSummary", "cloudformation:TemplateUrl", "templateURL", meansAbsent},
		{"CreateStack UpdateStack SetStackPolicy", "cloudformation:StackPolicyUrl", "stackPolicyURL", meansAbsent},
		{"CreateStack UpdateStack CreateChangeSet", "cloudformation:ResourceTypes", "resourceTypes", noMatter},
		{"CreateStackInstances DeleteStackInstances UpdateStackInstances", "cloudformation:TargetRegion", "regions", noMatter},
	},
	"organizations": {
		{"CreatePolicy", "organizations:PolicyType", "type", noMatter},
		{"EnablePolicyType DisablePolicyType DescribeEffectivePolicy", "organizations:PolicyType", "policyType", noMatter},
		{"ListPolicies ListPoliciesForTarget", "organizations:PolicyType", "filter", noMatter},
		{"EnableAWSServiceAccess DisableAWSServiceAccess RegisterDelegatedAdministrator DeregisterDelegatedAdministrator", "organizations:ServicePrincipal", "servicePrincipal", noMatter},
		{"ListDelegatedAdministrators", "organizations:ServicePrincipal", "servicePrincipal", meansAbsent},
	},
	"ssm": {
		{"PutParameter", "ssm:Overwrite", "overwrite", noMatter},
		{"GetParametersByPath", "ssm:Recursive", "recursive", noMatter},
	},
	"ecs": {
		{"ExecuteCommand", "ecs:container-name", "container", noMatter},
		{"CreateService RunTask StartTask UpdateService", "ecs:enable-execute-command", "enableExecuteCommand", noMatter},
		{"CreateService UpdateService", "ecs:enable-ecs-managed-tags", "enableECSManagedTags", noMatter},
		{"CreateService UpdateService", "ecs:propagate-tags", "propagateTags", noMatter},
		{"PutAccountSetting PutAccountSettingDefault DeleteAccountSetting", "ecs:account-setting", "name", noMatter},
		{"CreateService UpdateService", "ecs:subnet", "networkConfiguration.awsvpcConfiguration.subnets", noMatter},
	},
	"rds": {
		{"CreateDBInstance", "rds:DatabaseClass", "dBInstanceClass", noMatter},
		{"CreateDBInstance", "rds:StorageEncrypted", "storageEncrypted", noMatter},
		{"CreateDBInstance", "rds:PubliclyAccessible", "publiclyAccessible", noMatter},
		{"CreateDBInstance", "rds:MultiAz", "multiAZ", noMatter},
		{"CreateDBInstance CreateDBCluster ModifyDBInstance ModifyDBCluster", "rds:ManageMasterUserPassword", "manageMasterUserPassword", noMatter},
		{"CreateDBClusterEndpoint", "rds:EndpointType", "endpointType", noMatter},
	},
	"eks": {
		{"CreateCluster", "eks:authenticationMode", "accessConfig.authenticationMode", noMatter},
		{"CreateCluster", "eks:endpointPublicAccess", "resourcesVpcConfig.endpointPublicAccess", noMatter},
		{"CreateCluster", "eks:endpointPrivateAccess", "resourcesVpcConfig.endpointPrivateAccess", noMatter},
		{"CreateCluster UpdateClusterVersion", "eks:kubernetesVersion", "version", noMatter},
		{"CreateAccessEntry", "eks:principalArn", "principalArn", noMatter},
		{"AssociateAccessPolicy DisassociateAccessPolicy", "eks:policyArn", "policyArn", noMatter},
		{"AssociateAccessPolicy DisassociateAccessPolicy", "eks:principalArn", "principalArn", noMatter},
	},
	"elasticloadbalancing": {
		{"CreateLoadBalancer", "elasticloadbalancing:Scheme", "scheme", noMatter},
		{"CreateListener ModifyListener", "elasticloadbalancing:ListenerProtocol", "protocol", noMatter},
		{"CreateListener ModifyListener", "elasticloadbalancing:SecurityPolicy", "sslPolicy", noMatter},
		{"SetSecurityGroups CreateLoadBalancer", "elasticloadbalancing:SecurityGroup", "securityGroups", noMatter},
		{"SetSubnets CreateLoadBalancer", "elasticloadbalancing:Subnet", "subnets", noMatter},
	},
	"cloudwatch": {
		{"PutMetricData", "cloudwatch:namespace", "namespace", noMatter},
	},
	"elasticfilesystem": {
		{"CreateFileSystem", "elasticfilesystem:Encrypted", "encrypted", noMatter},
	},
	"events": {
		{"PutTargets", "events:TargetArn", "targets.arn", noMatter},
		{"PutEvents", "events:source", "entries.source", noMatter},
		{"PutEvents", "events:detail-type", "entries.detailType", noMatter},
	},
	"autoscaling": {
		{"CreateAutoScalingGroup UpdateAutoScalingGroup PutScheduledUpdateGroupAction", "autoscaling:MinSize", "minSize", noMatter},
		{"CreateAutoScalingGroup UpdateAutoScalingGroup PutScheduledUpdateGroupAction", "autoscaling:MaxSize", "maxSize", noMatter},
		{"CreateAutoScalingGroup UpdateAutoScalingGroup", "autoscaling:LaunchConfigurationName", "launchConfigurationName", noMatter},
		{"CreateAutoScalingGroup AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups", "autoscaling:TargetGroupARNs", "targetGroupARNs", noMatter},
		{"CreateAutoScalingGroup AttachLoadBalancers DetachLoadBalancers", "autoscaling:LoadBalancerNames", "loadBalancerNames", noMatter},
		{"CreateLaunchConfiguration", "autoscaling:ImageId", "imageId", noMatter},
		{"CreateLaunchConfiguration", "autoscaling:InstanceType", "instanceType", noMatter},
		{"CreateLaunchConfiguration", "autoscaling:SpotPrice", "spotPrice", noMatter},
		{"CreateLaunchConfiguration", "autoscaling:MetadataHttpTokens", "metadataOptions.httpTokens", noMatter},
		{"DeleteAutoScalingGroup", "autoscaling:ForceDelete", "forceDelete", noMatter},
	},
	"ram": {
		{"AssociateResourceShare DisassociateResourceShare CreateResourceShare", "ram:Principal", "principals", noMatter},
		{"AssociateResourceShare DisassociateResourceShare CreateResourceShare", "ram:ResourceArn", "resourceArns", noMatter},
		{"CreateResourceShare UpdateResourceShare", "ram:RequestedAllowsExternalPrincipals", "allowExternalPrincipals", noMatter},
	},
	"codebuild": {
		{"CreateProject UpdateProject", "codebuild:serviceRole", "serviceRole", noMatter},
		{"CreateProject UpdateProject", "codebuild:encryptionKey", "encryptionKey", noMatter},
		{"CreateProject UpdateProject", "codebuild:environment.image", "environment.image", noMatter},
		{"CreateProject UpdateProject", "codebuild:environment.type", "environment.type", noMatter},
		{"CreateProject UpdateProject", "codebuild:environment.privilegedMode", "environment.privilegedMode", noMatter},
		{"CreateProject UpdateProject", "codebuild:source.location", "source.location", noMatter},
		{"CreateProject UpdateProject", "codebuild:vpcConfig.vpcId", "vpcConfig.vpcId", noMatter},
		{"UpdateProjectVisibility", "codebuild:projectVisibility", "projectVisibility", noMatter},
	},
	"acm": {
		{"RequestCertificate", "acm:ValidationMethod", "validationMethod", noMatter},
		{"RequestCertificate", "acm:KeyAlgorithm", "keyAlgorithm", noMatter},
	},
}

// keys returns the context keys that the call's parameters decide for one of its requests. A key not
// returned is unknown.
func (d *derivation) keys(r *Request) []evaluator.ContextValue {
	var all []evaluator.ContextValue
	prefix, action, _ := strings.Cut(r.Action, ":")
	if prefix == d.prefix && !d.otherCall(r, prefix, action) {
		for _, k := range paramKeysOf()[r.Action] {
			for _, v := range d.paramKey(k) {
				if v.State == evaluator.Absent || carries(r, v.Name) {
					all = append(all, v)
				}
			}
		}
	}
	switch prefix {
	case "s3":
		all = append(all, d.s3Keys(r, action)...)
	case "kms":
		all = append(all, d.kmsKeys(action)...)
		all = append(all, d.behindKeys()...)
	case "ec2":
		all = append(all, d.ec2Keys(r, action)...)
	case "dynamodb":
		all = append(all, d.dynamoKeys(action)...)
	case "ecs":
		all = append(all, d.ecsKeys(action)...)
	case "secretsmanager":
		all = append(all, d.secretKeys(action)...)
	}
	all = append(all, d.createAction(r, prefix, action)...)
	return append(all, d.requestTags(r, prefix)...)
}

// paramKeysOf are the paramKeys by action.
var paramKeysOf = sync.OnceValue(func() map[string][]paramKey {
	all := map[string][]paramKey{}
	for prefix, rows := range paramKeys {
		for _, k := range rows {
			for action := range strings.FieldsSeq(k.actions) {
				all[prefix+":"+action] = append(all[prefix+":"+action], k)
			}
		}
	}
	return all
})

// otherCall reports whether a request is of a dependent action that has its own operation, whose parameters aren't these.
func (d *derivation) otherCall(r *Request, prefix, action string) bool {
	return prefix == "iam" && d.operation != action || r.ActionSource == FromReference
}

// paramKey is one key as the parameters have it.
func (d *derivation) paramKey(k paramKey) []evaluator.ContextValue {
	names := d.spelled(strings.Fields(k.params)...)
	if serviceref.Multivalued(k.key) {
		return d.listKey(k, names)
	}
	switch v, state := d.params.one(names...); {
	case state == given:
		return []evaluator.ContextValue{present(k.key, v)}
	case k.key == "s3:prefix" && d.typed() && d.params.root["Prefix"] == "": // as aws s3 ls asks for all; what CloudTrail has as "" isn't known (T85)
		return []evaluator.ContextValue{present(k.key, "")}
	case state == notGiven:
		return d.absent(k)
	}
	return nil
}

// listKey is a key of several values, of which a hidden one leaves only a part (U1).
func (d *derivation) listKey(k paramKey, names []string) []evaluator.ContextValue {
	for _, name := range names {
		values, state := d.params.values(name)
		switch state {
		case notGiven:
			continue
		case given:
			return []evaluator.ContextValue{present(k.key, values...)}
		case partly:
			return []evaluator.ContextValue{{Name: k.key, State: evaluator.Partial, Values: values}}
		}
		return nil
	}
	if !d.params.known {
		return nil
	}
	return d.absent(k)
}

// absent makes a key absent that the parameters lack, unless that means nothing, or the operation may
// carry it elsewhere: a part of an upload or a form one of S3's headers, a session what it hands on.
func (d *derivation) absent(k paramKey) []evaluator.ContextValue {
	switch {
	case k.missing == noMatter, k.missing == inCommand && !d.typed():
		return nil
	case d.prefix == "s3" && strings.HasPrefix(k.key, "s3:x-amz-") && d.operation != "PutObject" && d.operation != "CopyObject" &&
		d.operation != "CreateMultipartUpload" && d.operation != "CreateBucket" && !strings.HasSuffix(d.operation, "Acl"):
		return nil
	case (k.key == "sts:SourceIdentity" || k.key == "sts:TransitiveTagKeys") && d.handsOn():
		return nil
	}
	return []evaluator.ContextValue{{Name: k.key, State: evaluator.Absent}}
}

// typed reports whether a call to S3 has the API's own parameters, all of them, and not what CloudTrail records of them.
func (d *derivation) typed() bool {
	_, api := lookup(d.params.root, "bucket")
	_, recorded := lookup(d.params.root, "bucketName")
	return api && !recorded
}

// createAction is the key of an action for tags that tells which operation tags: a call of the action itself is none.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
func (d *derivation) createAction(r *Request, prefix, action string) []evaluator.ContextValue {
	if prefix != d.prefix || action != d.operation || !isTagging(r.Action) {
		return nil
	}
	if !lists(r.Action, prefix+":CreateAction") {
		return nil
	}
	return []evaluator.ContextValue{{Name: prefix + ":CreateAction", State: evaluator.Absent}}
}

// s3Keys are those of the account that owns the resource, of the tags that an object gets, and of whether it is made.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
func (d *derivation) s3Keys(r *Request, action string) []evaluator.ContextValue {
	if d.prefix != "s3" || r.ActionSource == FromReference {
		return nil
	}
	var all []evaluator.ContextValue
	if r.Resource.ARN != "*" && accountID(r.Resource.Account) && lists(r.Action, "s3:ResourceAccount") {
		all = append(all, present("s3:ResourceAccount", r.Resource.Account))
	}
	switch action {
	case "PutObject", "PutObjectTagging", "PutObjectVersionTagging":
		all = append(all, d.objectTags()...)
	}
	if made := objectCreation[d.operation]; made != "" && action == "PutObject" {
		all = append(all, present("s3:ObjectCreationOperation", made))
	}
	return all
}

// objectCreation says of the operations that need s3:PutObject whether they make an object, or only a part of one.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
var objectCreation = map[string]string{
	"PutObject": "true", "CompleteMultipartUpload": "true", "CopyObject": "true",
	"CreateMultipartUpload": "false", "UploadPart": "false", "UploadPartCopy": "false",
}

// objectTags are the tags that a call puts on an object: in a header, as a URL's query, or in the body.
func (d *derivation) objectTags() []evaluator.ContextValue {
	tags := map[string]*string{}
	raw, state := d.params.one(d.spelled("x-amz-tagging", "Tagging")...)
	nodes, inBody := d.params.nodes("tagging.tagSet")
	switch {
	case inBody == given && d.typed():
		read, ok := readTags(nodes)
		if !ok {
			return nil
		}
		tags = read
	case state == given:
		query, err := url.ParseQuery(raw)
		if err != nil || len(query) > maxKeys {
			return nil
		}
		for name, values := range query {
			if name == "" || len(values) != 1 {
				return nil
			}
			tags[name] = &values[0]
		}
	case state == notGiven && d.typed() && d.operation == "PutObject":
		return []evaluator.ContextValue{{Name: "s3:RequestObjectTagKeys", State: evaluator.Absent}}
	}
	if len(tags) == 0 {
		return nil
	}
	return append(evaluator.TagValues("s3:RequestObjectTag/", tags), present("s3:RequestObjectTagKeys", sortedNames(tags)...))
}

// puts is the policy that a call puts on a bucket, which CloudTrail records as an object or as text;
// nil if it isn't there whole.
func (d *derivation) puts(r *Request) *policy.Document {
	if r.Action != "s3:PutBucketPolicy" && r.Action != "s3:PutAccessPointPolicy" {
		return nil
	}
	for _, name := range []string{"bucketPolicy", "policy"} {
		nodes, state := d.params.nodes(name)
		if state != given || len(nodes) != 1 {
			continue
		}
		var data []byte
		switch v := nodes[0].(type) {
		case string:
			data = []byte(v)
		case map[string]any:
			data, _ = json.Marshal(v)
		}
		if doc, err := policy.Parse("", data); err == nil {
			return doc
		}
	}
	return nil
}

// kmsKeys: the alias of the request, the encryption context, and a grant's constraint.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (d *derivation) kmsKeys(action string) []evaluator.ContextValue {
	if d.prefix != "kms" || !d.params.known {
		return nil
	}
	var all []evaluator.ContextValue
	if id, state := d.params.one("keyId"); state == given && action != "CreateAlias" && action != "UpdateAlias" {
		if at := strings.Index(id, "alias/"); at == 0 || strings.HasPrefix(id, "arn:") && at > 0 && strings.HasSuffix(id[:at], ":") {
			all = append(all, present("kms:RequestAlias", id[at:]))
		} else {
			all = append(all, evaluator.ContextValue{Name: "kms:RequestAlias", State: evaluator.Absent})
		}
	}
	if action == "CreateGrant" {
		return append(all, d.grantConstraint()...)
	}
	return append(all, d.encryptionContext(action)...)
}

// grantConstraint is the kind of constraint of a grant.
func (d *derivation) grantConstraint() []evaluator.ContextValue {
	const name = "kms:GrantConstraintType"
	_, equals := d.params.nodes("constraints.encryptionContextEquals")
	_, subset := d.params.nodes("constraints.encryptionContextSubset")
	_, any := d.params.nodes("constraints")
	switch {
	case equals == given && subset == notGiven:
		return []evaluator.ContextValue{present(name, "EncryptionContextEquals")}
	case subset == given && equals == notGiven:
		return []evaluator.ContextValue{present(name, "EncryptionContextSubset")}
	case any == notGiven:
		return []evaluator.ContextValue{{Name: name, State: evaluator.Absent}}
	}
	return nil
}

// encryptionContext are the pairs that a cryptographic operation binds its ciphertext to. What it doesn't give it has none of.
func (d *derivation) encryptionContext(action string) []evaluator.ContextValue {
	nodes, state := d.params.nodes("encryptionContext")
	if state == notGiven && slices.Contains(strings.Fields(kmsCrypto), action) {
		return []evaluator.ContextValue{{Name: "kms:EncryptionContextKeys", State: evaluator.Absent}}
	}
	if state != given || len(nodes) != 1 {
		return nil
	}
	m, ok := nodes[0].(map[string]any)
	if !ok || len(m) == 0 || len(m) > maxKeys {
		return nil
	}
	pairs := make(map[string]*string, len(m))
	for name, v := range m {
		pairs[name] = nil
		if v, ok := text(v); ok {
			pairs[name] = &v
		}
	}
	// Its keys collide as those of tags do.
	return append(evaluator.TagValues("kms:EncryptionContext:", pairs), present("kms:EncryptionContextKeys", sortedNames(pairs)...))
}

// dynamoKeys: the partition key of a single item, and the transaction that an action is part of (S50).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func (d *derivation) dynamoKeys(action string) []evaluator.ContextValue {
	if d.prefix != "dynamodb" {
		return nil
	}
	switch action {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem":
	default:
		return nil
	}
	if strings.HasPrefix(d.operation, "Transact") {
		return []evaluator.ContextValue{present("dynamodb:EnclosingOperation", d.operation)}
	}
	if action != d.operation {
		return nil
	}
	all := []evaluator.ContextValue{{Name: "dynamodb:EnclosingOperation", State: evaluator.Absent}}
	if nodes, state := d.params.nodes("key"); state == given && len(nodes) == 1 {
		if v, ok := onlyAttribute(nodes[0]); ok {
			return append(all, present("dynamodb:LeadingKeys", v))
		}
	}
	return append(all, evaluator.ContextValue{Name: "dynamodb:LeadingKeys", State: evaluator.PresentUnknown})
}

// onlyAttribute returns the value of a key of one attribute, which is the partition key: of more, the table's
// schema says which is. The API has its type with it.
func onlyAttribute(key any) (string, bool) {
	m, ok := key.(map[string]any)
	if !ok || len(m) != 1 {
		return "", false
	}
	for _, v := range m {
		if typed, ok := v.(map[string]any); ok {
			if v, ok = lookup(typed, "S"); !ok || len(typed) != 1 {
				return "", false
			}
		}
		s, ok := v.(string)
		return s, ok && !hidden(s) && len(s) <= 4096
	}
	return "", false
}

// ecsKeys: the cluster, which is the default one if the call names none.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_service-with-iam.html
func (d *derivation) ecsKeys(action string) []evaluator.ContextValue {
	if d.prefix != "ecs" || action != d.operation || !lists("ecs:"+action, "ecs:cluster") {
		return nil
	}
	found := d.fill("ecs:{r}:{a}:cluster/{cluster=default}")
	if len(found) != 1 || found[0].Pattern {
		return nil
	}
	return []evaluator.ContextValue{present("ecs:cluster", found[0].ARN)}
}

// secretKeys: the secret that the call names by its ARN. What IAM sees of a name isn't documented.
func (d *derivation) secretKeys(action string) []evaluator.ContextValue {
	if d.prefix != "secretsmanager" || action != d.operation || !lists("secretsmanager:"+action, "secretsmanager:SecretId") {
		return nil
	}
	id, state := d.params.one("secretId")
	if r, ok := given1(id, "secretsmanager", "secret:"); state == given && ok && secretSuffix(r.ARN) {
		return []evaluator.ContextValue{present("secretsmanager:SecretId", id)}
	}
	return nil
}

// carries reports whether the service reference has a key for a request: for its action whatever the resource is or, as RDS's
// keys are, for resources of its resource's type. Where the type can't be told, for any.
func carries(r *Request, key string) bool {
	service, a, ok := referenceAction(r.Action)
	if !ok || slices.Contains(a.Keys, key) {
		return ok
	}
	told := false
	for _, on := range a.Resources {
		t, ok := service.ResourceType(on.Type)
		if !ok || !isOf(t, r.Resource.ARN) {
			continue
		}
		if told = true; slices.Contains(on.Keys, key) || slices.Contains(t.Keys, key) {
			return true
		}
	}
	return !told && lists(r.Action, key)
}

// isOf reports whether an ARN, or a pattern of one, has a form of a resource type.
func isOf(t *serviceref.ResourceType, arn string) bool {
	return arn != "*" && slices.ContainsFunc(formsOf(t), func(form string) bool { return glob(form, arn) })
}

// formsOf are the patterns of a resource type's ARNs, with * for all that varies.
func formsOf(t *serviceref.ResourceType) []string {
	if known, ok := forms.Load(t); ok {
		return known.([]string)
	}
	all := make([]string, 0, len(t.ARNs))
	for _, arn := range t.ARNs {
		all = append(all, fillReference(arn, "*", "*", "*"))
	}
	forms.Store(t, all)
	return all
}

var forms sync.Map // by resource type: there are no more than the service reference has

// lists reports whether the service reference has a key for an action.
func lists(action, key string) bool {
	service, a, ok := referenceAction(action)
	return ok && hasKey(service, a, func(k string) bool { return k == key })
}

func sortedNames(pairs map[string]*string) []string {
	names := make([]string, 0, len(pairs))
	for name := range pairs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
