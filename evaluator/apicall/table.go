package apicall

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A row gives actions of one service their resources. All the finders of a row count:
// the call must be allowed on each (T83).
type row struct {
	service, actions string
	resources        []finder
}

func on(service, actions string, resources ...finder) row { return row{service, actions, resources} }

var resourceTable = index(rows)

func index(rows []row) map[string][]finder {
	t := make(map[string][]finder)
	for _, r := range rows {
		for action := range strings.FieldsSeq(r.actions) {
			t[r.service+":"+action] = r.resources
		}
	}
	return t
}

// rows are the resources of actions (T82).
var rows = []row{
	// 1, 2: S3
	on("s3", `ListBucket ListBucketVersions ListBucketMultipartUploads CreateBucket DeleteBucket
		GetBucketAcl PutBucketAcl GetBucketCORS PutBucketCORS GetBucketLocation GetBucketLogging PutBucketLogging
		GetBucketNotification PutBucketNotification GetBucketObjectLockConfiguration PutBucketObjectLockConfiguration
		GetBucketOwnershipControls PutBucketOwnershipControls GetBucketPolicy PutBucketPolicy DeleteBucketPolicy GetBucketPolicyStatus
		GetBucketPublicAccessBlock PutBucketPublicAccessBlock GetBucketRequestPayment PutBucketRequestPayment
		GetBucketTagging PutBucketTagging GetBucketVersioning PutBucketVersioning GetBucketWebsite PutBucketWebsite DeleteBucketWebsite
		GetEncryptionConfiguration PutEncryptionConfiguration GetLifecycleConfiguration PutLifecycleConfiguration
		GetReplicationConfiguration PutReplicationConfiguration GetAccelerateConfiguration PutAccelerateConfiguration
		GetAnalyticsConfiguration PutAnalyticsConfiguration GetInventoryConfiguration PutInventoryConfiguration
		GetMetricsConfiguration PutMetricsConfiguration GetIntelligentTieringConfiguration PutIntelligentTieringConfiguration`, s3Bucket),
	on("s3", `GetObject GetObjectVersion GetObjectAcl GetObjectVersionAcl GetObjectAttributes GetObjectVersionAttributes
		GetObjectTagging GetObjectVersionTagging GetObjectTorrent GetObjectVersionTorrent GetObjectRetention PutObjectRetention
		GetObjectLegalHold PutObjectLegalHold PutObject PutObjectAcl PutObjectVersionAcl PutObjectTagging PutObjectVersionTagging
		DeleteObject DeleteObjectVersion DeleteObjectTagging DeleteObjectVersionTagging AbortMultipartUpload ListMultipartUploadParts
		RestoreObject`, s3Object),
	on("s3express", "CreateSession", arn("s3express:{r}:{a}:bucket/{bucketName}")),

	// 3: IAM
	on("iam", `GetUser UpdateUser DeleteUser CreateAccessKey DeleteAccessKey UpdateAccessKey ListAccessKeys CreateLoginProfile GetLoginProfile
		UpdateLoginProfile DeleteLoginProfile AttachUserPolicy DetachUserPolicy PutUserPolicy GetUserPolicy DeleteUserPolicy ListUserPolicies
		ListAttachedUserPolicies ListGroupsForUser PutUserPermissionsBoundary DeleteUserPermissionsBoundary TagUser UntagUser ListUserTags
		ListMFADevices EnableMFADevice DeactivateMFADevice ResyncMFADevice ChangePassword UploadSSHPublicKey GetSSHPublicKey UpdateSSHPublicKey
		DeleteSSHPublicKey ListSSHPublicKeys UploadSigningCertificate UpdateSigningCertificate DeleteSigningCertificate ListSigningCertificates
		CreateServiceSpecificCredential DeleteServiceSpecificCredential UpdateServiceSpecificCredential ResetServiceSpecificCredential
		ListServiceSpecificCredentials`, entity("user", "userName")),
	on("iam", "CreateUser", newEntity("user", "userName")),
	on("iam", `GetRole UpdateRole UpdateRoleDescription DeleteRole UpdateAssumeRolePolicy AttachRolePolicy DetachRolePolicy PutRolePolicy GetRolePolicy
		DeleteRolePolicy ListRolePolicies ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary TagRole UntagRole
		ListRoleTags ListInstanceProfilesForRole DeleteServiceLinkedRole`, entity("role", "roleName")),
	on("iam", "CreateRole", newEntity("role", "roleName")),
	on("iam", "CreateServiceLinkedRole", arn("iam::{a}:role/aws-service-role/{aWSServiceName}/*")),
	on("iam", `GetGroup UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup AttachGroupPolicy DetachGroupPolicy PutGroupPolicy GetGroupPolicy
		DeleteGroupPolicy ListGroupPolicies ListAttachedGroupPolicies`, entity("group", "groupName")),
	on("iam", "CreateGroup", newEntity("group", "groupName")),
	on("iam", `GetInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile TagInstanceProfile
		UntagInstanceProfile ListInstanceProfileTags`, entity("instance-profile", "instanceProfileName")),
	on("iam", "CreateInstanceProfile", newEntity("instance-profile", "instanceProfileName")),
	on("iam", `GetPolicy GetPolicyVersion CreatePolicyVersion DeletePolicyVersion DeletePolicy ListPolicyVersions SetDefaultPolicyVersion
		ListEntitiesForPolicy TagPolicy UntagPolicy ListPolicyTags`, arn("iam::*:policy/{policyArn}")),
	on("iam", "CreatePolicy", newEntity("policy", "policyName")),
	on("iam", "ListUsers", arn("iam::{a}:user/*")), // a list is on all of its type (R12)
	on("iam", "ListRoles", arn("iam::{a}:role/*")),
	on("iam", "ListGroups", arn("iam::{a}:group/*")),
	on("iam", "ListInstanceProfiles", arn("iam::{a}:instance-profile/*")),
	on("iam", "GetSAMLProvider UpdateSAMLProvider DeleteSAMLProvider", arn("iam::{a}:saml-provider/{sAMLProviderArn}")),
	on("iam", `GetOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint DeleteOpenIDConnectProvider AddClientIDToOpenIDConnectProvider
		RemoveClientIDFromOpenIDConnectProvider`, arn("iam::{a}:oidc-provider/{openIDConnectProviderArn}")),
	on("iam", "CreateSAMLProvider", arn("iam::{a}:saml-provider/{name}")),

	// Messages show these on an ARN though the reference has no type for them, or on another than the reference's (R12).
	on("eks", "ListClusters", arn("eks:{r}:{a}:cluster/*")),
	on("dynamodb", "ListTables", arn("dynamodb:{r}:{a}:table/*")),
	on("sqs", "ListQueues", arn("sqs:{r}:{a}:*")),
	on("cloudformation", "ListStacks", arn("cloudformation:{r}:{a}:stack/*")),
	on("states", "ListStateMachines", arn("states:{r}:{a}:stateMachine:*")),
	on("events", "ListRules", arn("events:{r}:{a}:rule/*")),
	on("events", "ListEventBuses", arn("events:{r}:{a}:*")),
	on("es", "ListDomainNames", arn("es:{r}:{a}:domain/*")),
	on("eks", "CreateCluster", arn("eks:{r}:{a}:cluster/{name}")),
	on("cloudfront", "CreateDistribution", arn("cloudfront::{a}:distribution/*")),
	on("acm", "RequestCertificate", arn("acm:{r}:{a}:certificate/*")),
	on("amplify", "ListApps", arn("amplify:{r}:{a}:apps/*")),
	on("sagemaker", "ListDomains", arn("sagemaker:{r}:{a}:domain/*")),
	on("sso", "ListInstances", arn("sso:::instance/*")),

	// 42: Organizations
	on("organizations", "AttachPolicy DetachPolicy", organizationPolicy, sureIfRecorded(organizationNode("targetId"))),
	on("organizations", "DescribePolicy UpdatePolicy DeletePolicy ListTargetsForPolicy", organizationPolicy),
	on("organizations", "MoveAccount", arn("organizations::*:account/o-*/{accountId}"),
		sureIfRecorded(organizationNode("sourceParentId")), sureIfRecorded(organizationNode("destinationParentId"))),
	on("organizations", "ListPoliciesForTarget", organizationNode("targetId")),
	on("organizations", "ListAccountsForParent ListChildren ListOrganizationalUnitsForParent CreateOrganizationalUnit", organizationNode("parentId")),
	on("organizations", "ListParents", organizationNode("childId")),
	on("elasticmapreduce", "RunJobFlow", arn("elasticmapreduce:{r}:{a}:cluster/*")),
	on("kafka", "ListClusters ListClustersV2", arn("kafka:{r}:{a}:*")),
	on("eks", "DescribeAddonVersions DescribeAddonConfiguration DescribeClusterVersions ListAddons DescribeAddon", arn("eks:{r}:{a}:*")), // some on the path of the call
	on("inspector2", "ListFindings", arn("inspector2:{r}:{a}:/findings/*")),
	on("scheduler", "ListSchedules", arn("scheduler:{r}:{a}:schedule/*")),
	on("mediaconvert", "DescribeEndpoints", arn("mediaconvert:{r}:{a}:endpoints/*")),
	on("cur", "DescribeReportDefinitions", arn("cur:{r}:{a}:definition/*")),
	on("wafv2", "CreateWebACL UpdateWebACL", webACL),
	on("kafka", "CreateCluster CreateClusterV2", arn("kafka:{r}:{a}:*")), // the path of ListClusters
	on("codestar-connections", "ListConnections", arn("codestar-connections:{r}:{a}:*")),
	on("elasticloadbalancing", "AddTags RemoveTags", arn("elasticloadbalancing:{r}:{a}:{resourceArns}")), // target groups, too
	on("ecs", "ListTasks", unshown),
	on("iam", "ListOpenIDConnectProviders ListSAMLProviders ListServerCertificates", unshown),
	on("greengrass", "CreateDeployment", unshown), // version 2 has no groups
	on("s3", "ListAllMyBuckets", unshown),         // AWS's own policies allow it on arn:aws:s3:::*
	on("iam", "ListVirtualMFADevices", arn("iam::{a}:mfa/*")),
	on("iam", "ListPolicies", unshown),           // "policy path /"
	on("ecs", "RegisterTaskDefinition", unshown), // *, though the reference has a type
	on("codepipeline", "ListPipelines", arn("codepipeline:{r}:{a}:*")),
	on("cognito-identity", "ListIdentityPools", arn("cognito-identity:{r}:{a}:identitypool/*")),

	// 4, 13: STS
	on("sts", "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity TagSession SetSourceIdentity SetContext", arn("iam::*:role/{roleArn}")),
	on("sts", "GetFederationToken", arn("sts::{a}:federated-user/{name}")),

	on("sts", "AssumeRoot", rootUser),

	// 5: EC2. Subnets and VPCs that a call makes use of may be shared by another account.
	on("ec2", `StartInstances StopInstances RebootInstances TerminateInstances MonitorInstances UnmonitorInstances ResetInstanceAttribute DescribeInstanceAttribute GetPasswordData GetConsoleOutput GetConsoleScreenshot SendDiagnosticInterrupt
		ModifyInstanceMetadataOptions AssociateIamInstanceProfile DisassociateIamInstanceProfile ReplaceIamInstanceProfileAssociation`,
		arn("ec2:{r}:{a}:instance/{instancesSet.items.instanceId,instanceIds,instanceId,iamInstanceProfileAssociation.instanceId}")),
	on("ec2", "CreateTags DeleteTags", tagged),
	on("ec2", "ModifyInstanceAttribute", arn("ec2:{r}:{a}:instance/{instanceId}"), newGroups),
	on("ec2", "CreateVolume", arn("ec2:{r}:{a}:volume/*"), whenGiven("snapshotId", "ec2:{r}::snapshot/{snapshotId}")),
	on("ec2", "RegisterImage", arn("ec2:{r}::image/*"),
		whenGiven("blockDeviceMapping.items.ebs.snapshotId", "ec2:{r}::snapshot/{blockDeviceMapping.items.ebs.snapshotId}"),
		whenGiven("blockDeviceMappings.ebs.snapshotId", "ec2:{r}::snapshot/{blockDeviceMappings.ebs.snapshotId}")),
	on("ec2", "CreateFlowLogs", arn("ec2:{r}:{a}:vpc-flow-log/*"), logged),
	on("ec2", "AssociateAddress", address,
		whenGiven("instanceId", "ec2:{r}:{a}:instance/{instanceId}"), whenGiven("networkInterfaceId", "ec2:{r}:{a}:network-interface/{networkInterfaceId}")),
	on("ec2", "DeleteVolume ModifyVolume ModifyVolumeAttribute DescribeVolumeAttribute EnableVolumeIO", arn("ec2:{r}:{a}:volume/{volumeId}")),
	on("ec2", "AttachVolume", arn("ec2:{r}:{a}:instance/{instanceId}"), arn("ec2:{r}:{a}:volume/{volumeId}")),
	on("ec2", "DetachVolume", arn("ec2:{r}:{a}:volume/{volumeId}"), whenGiven("instanceId", "ec2:{r}:{a}:instance/{instanceId}")),
	on("ec2", "CreateSnapshot", arn("ec2:{r}::snapshot/*"), arn("ec2:{r}:{a}:volume/{volumeId}")),
	on("ec2", "DeleteSnapshot ModifySnapshotAttribute ResetSnapshotAttribute DescribeSnapshotAttribute", arn("ec2:{r}::snapshot/{snapshotId}")),
	on("ec2", "DeregisterImage ModifyImageAttribute ResetImageAttribute DescribeImageAttribute", arn("ec2:{r}::image/{imageId}")),
	on("ec2", `AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress DeleteSecurityGroup
		ModifySecurityGroupRules UpdateSecurityGroupRuleDescriptionsIngress UpdateSecurityGroupRuleDescriptionsEgress`, ownSecurityGroup),
	on("ec2", "CreateSecurityGroup", arn("ec2:{r}:{a}:security-group/*"), arn("ec2:{r}:*:vpc/{vpcId}")),
	on("ec2", "CreateKeyPair ImportKeyPair DeleteKeyPair", arn("ec2:{r}:{a}:key-pair/{keyName}")),
	on("ec2", "CreateVpc", arn("ec2:{r}:{a}:vpc/*")),
	on("ec2", "DeleteVpc ModifyVpcAttribute DescribeVpcAttribute", arn("ec2:{r}:{a}:vpc/{vpcId}")),
	on("ec2", "CreateSubnet", arn("ec2:{r}:{a}:subnet/*"), arn("ec2:{r}:{a}:vpc/{vpcId}")),
	on("ec2", "DeleteSubnet ModifySubnetAttribute", arn("ec2:{r}:{a}:subnet/{subnetId}")),
	on("ec2", "CreateRoute ReplaceRoute DeleteRoute DeleteRouteTable", arn("ec2:{r}:{a}:route-table/{routeTableId}")),
	on("ec2", "CreateRouteTable", arn("ec2:{r}:{a}:route-table/*"), arn("ec2:{r}:{a}:vpc/{vpcId}")),
	on("ec2", "CreateInternetGateway", arn("ec2:{r}:{a}:internet-gateway/*")),
	on("ec2", "DeleteInternetGateway", arn("ec2:{r}:{a}:internet-gateway/{internetGatewayId}")),
	on("ec2", "AttachInternetGateway DetachInternetGateway", arn("ec2:{r}:{a}:internet-gateway/{internetGatewayId}"), arn("ec2:{r}:{a}:vpc/{vpcId}")),
	on("ec2", "DeleteNatGateway", arn("ec2:{r}:{a}:natgateway/{natGatewayId}")),
	on("ec2", "ReleaseAddress", arn("ec2:{r}:{a}:elastic-ip/{allocationId}")),
	on("ec2", "DeleteNetworkInterface", arn("ec2:{r}:{a}:network-interface/{networkInterfaceId}")),
	on("ec2", "ModifyNetworkInterfaceAttribute", arn("ec2:{r}:{a}:network-interface/{networkInterfaceId}"), newGroups),
	on("ec2", "CreateNetworkInterface", arn("ec2:{r}:{a}:network-interface/*"), arn("ec2:{r}:*:subnet/{subnetId}"),
		whenGiven("groupSet.items.groupId", "ec2:{r}:{a}:security-group/{groupSet.items.groupId}"), whenGiven("groups", "ec2:{r}:{a}:security-group/{groups}")),
	on("ec2", "CreateLaunchTemplate", arn("ec2:{r}:{a}:launch-template/*")),
	on("ec2", "CreateLaunchTemplateVersion DeleteLaunchTemplate ModifyLaunchTemplate DeleteLaunchTemplateVersions", arn("ec2:{r}:{a}:launch-template/{launchTemplateId}")),
	on("ec2-instance-connect", "SendSSHPublicKey SendSerialConsoleSSHPublicKey", arn("ec2:{r}:{a}:instance/{instanceId}")),

	// 6: Lambda
	on("lambda", "InvokeFunction InvokeAsync InvokeFunctionUrl", function(true)),
	on("lambda", `CreateFunction DeleteFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration AddPermission
		RemovePermission GetPolicy PublishVersion CreateAlias UpdateAlias DeleteAlias GetAlias ListAliases ListVersionsByFunction
		PutFunctionConcurrency DeleteFunctionConcurrency GetFunctionConcurrency CreateFunctionUrlConfig UpdateFunctionUrlConfig
		DeleteFunctionUrlConfig GetFunctionUrlConfig
		PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig
		GetFunctionCodeSigningConfig DeleteFunctionCodeSigningConfig`, function(false)),
	on("lambda", "PutProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig", provisioned),
	on("lambda", "PutFunctionCodeSigningConfig", function(false), arn("lambda:{r}:{a}:code-signing-config:{codeSigningConfigArn}")),
	on("lambda", "GetLayerVersion DeleteLayerVersion", layerVersion),
	on("lambda", "PublishLayerVersion", arn("lambda:{r}:{a}:layer:{layerName}")),
	on("lambda", "GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping", arn("lambda:{r}:{a}:event-source-mapping:{uUID}")),

	// 7: DynamoDB
	on("dynamodb", `GetItem PutItem UpdateItem DeleteItem ConditionCheckItem DescribeTable CreateTable UpdateTable DeleteTable DescribeTimeToLive
		UpdateTimeToLive DescribeContinuousBackups UpdateContinuousBackups DescribeKinesisStreamingDestination`, tables),
	on("dynamodb", "Query Scan", tableOrIndex),
	on("dynamodb", "BatchGetItem BatchWriteItem", batchTables),
	on("dynamodb", "PartiQLSelect PartiQLInsert PartiQLUpdate PartiQLDelete", arn("dynamodb:{r}:*:table/*")),
	on("dynamodb", "DescribeStream GetRecords GetShardIterator", arn("dynamodb:{r}:*:table/{streamArn}")),

	// 8: KMS
	on("kms", `Encrypt Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext Sign Verify
		GenerateMac VerifyMac DeriveSharedSecret DescribeKey GetKeyPolicy PutKeyPolicy GetKeyRotationStatus EnableKeyRotation DisableKeyRotation
		EnableKey DisableKey ScheduleKeyDeletion CancelKeyDeletion CreateGrant RevokeGrant ListGrants ListKeyPolicies GetPublicKey
		TagResource UntagResource ListResourceTags UpdateKeyDescription GetParametersForImport ImportKeyMaterial DeleteImportedKeyMaterial`, kmsKey("keyId")),
	on("kms", "CreateAlias", aliasOf, kmsKey("targetKeyId")),
	on("kms", "UpdateAlias", aliasOf, kmsKey("targetKeyId"), arn("kms:{r}:{a}:key/*")), // the key that it had, too
	on("kms", "DeleteAlias", aliasOf, arn("kms:{r}:{a}:key/*")),

	// 9: Secrets Manager
	on("secretsmanager", `GetSecretValue PutSecretValue DescribeSecret UpdateSecret DeleteSecret RestoreSecret RotateSecret CancelRotateSecret
		GetResourcePolicy PutResourcePolicy DeleteResourcePolicy ValidateResourcePolicy ListSecretVersionIds UpdateSecretVersionStage
		TagResource UntagResource ReplicateSecretToRegions`, secret("secretId")),
	on("secretsmanager", "CreateSecret", newSecret),

	// 10: Systems Manager
	on("ssm", "GetParameter PutParameter DeleteParameter GetParameterHistory LabelParameterVersion", ssmParameter(false, "name")),
	on("ssm", "GetParameters DeleteParameters", ssmParameter(false, "names")),
	on("ssm", "GetParametersByPath", ssmParameter(true, "path")),
	on("ssm", "SendCommand", arn("ssm:{r}:*:document/{documentName}"), nodes("instanceIds", "target")),
	on("ssm", "StartSession", nodes("target"), whenGiven("documentName", "ssm:{r}:*:document/{documentName}")),
	on("ssm", "UpdateInstanceInformation PutInventory", nodes("instanceId")),
	on("ssm", "GetDocument DescribeDocument DeleteDocument UpdateDocument CreateDocument", arn("ssm:{r}:*:document/{name}")),

	// 11, 12: SQS, SNS
	on("sqs", `SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility PurgeQueue DeleteQueue GetQueueAttributes SetQueueAttributes
		AddPermission RemovePermission TagQueue UntagQueue ListQueueTags ListDeadLetterSourceQueues`, queue),
	on("sqs", "CreateQueue", arn("sqs:{r}:{a}:{queueName}")),
	on("sqs", "GetQueueUrl", arn("sqs:{r}:*:{queueName}")),
	on("sns", `Subscribe DeleteTopic GetTopicAttributes SetTopicAttributes AddPermission RemovePermission ListSubscriptionsByTopic
		ConfirmSubscription`, arn("sns:{r}:*:{topicArn}")),
	on("sns", "Publish", publishTarget),
	on("sns", "CreateTopic", arn("sns:{r}:{a}:{name}")),

	// 14: CloudWatch Logs
	on("logs", `CreateLogGroup CreateLogStream DeleteLogGroup DescribeLogStreams FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy PutMetricFilter
		DeleteMetricFilter DescribeMetricFilters PutSubscriptionFilter DeleteSubscriptionFilter DescribeSubscriptionFilters AssociateKmsKey
		DisassociateKmsKey TagLogGroup UntagLogGroup ListTagsLogGroup StartQuery GetLogGroupFields`, logGroup),
	on("logs", "DeleteLogStream PutLogEvents GetLogEvents", arn("logs:{r}:{o}:log-group:{logGroupName}:log-stream:{logStreamName}")),
	on("logs", "DescribeLogGroups", arn("logs:{r}:{a}:log-group:*")),

	// 15: EventBridge
	on("events", "PutRule DeleteRule DescribeRule EnableRule DisableRule", rule("name")),
	on("events", "PutTargets RemoveTargets ListTargetsByRule", rule("rule")),
	on("events", "PutEvents", arn("events:{r}:{o}:event-bus/{entries.eventBusName=default}")),
	on("events", "CreateEventBus DeleteEventBus", arn("events:{r}:{a}:event-bus/{name}")),
	on("scheduler", "CreateSchedule UpdateSchedule DeleteSchedule GetSchedule", arn("scheduler:{r}:{a}:schedule/{groupName=default}/{name}")),

	// 16: Step Functions
	on("states", "StartExecution StartSyncExecution DescribeStateMachine UpdateStateMachine DeleteStateMachine ListExecutions", stateMachine("stateMachineArn")),
	on("states", "DescribeStateMachineAlias UpdateStateMachineAlias DeleteStateMachineAlias", stateMachine("stateMachineAliasArn")),
	on("states", "DeleteStateMachineVersion", stateMachine("stateMachineVersionArn")),
	on("states", "CreateStateMachine", arn("states:{r}:{a}:stateMachine:{name}")),
	on("states", "StopExecution DescribeExecution GetExecutionHistory", arn("states:{r}:{a}:execution:{executionArn}")),

	// 17: ECS
	on("ecs", "RunTask StartTask", taskDefinition),
	on("ecs", "DeleteCluster UpdateCluster UpdateClusterSettings PutClusterCapacityProviders", arn("ecs:{r}:{a}:cluster/{cluster}")),
	on("ecs", "CreateService", arn("ecs:{r}:{a}:service/{cluster=default}/{serviceName}")),
	on("ecs", "UpdateService DeleteService", arn("ecs:{r}:{a}:service/{cluster=default}/{service}")),
	on("ecs", "StopTask", arn("ecs:{r}:{a}:task/{cluster=default}/{task}")),
	on("ecs", "ExecuteCommand", arn("ecs:{r}:{a}:task/{cluster=default}/{task}"), arn("ecs:{r}:{a}:cluster/{cluster=default}")),

	// 18: ECR
	on("ecr", `BatchGetImage BatchCheckLayerAvailability GetDownloadUrlForLayer PutImage InitiateLayerUpload UploadLayerPart CompleteLayerUpload
		BatchDeleteImage CreateRepository DeleteRepository DescribeImages ListImages GetRepositoryPolicy SetRepositoryPolicy
		DeleteRepositoryPolicy GetLifecyclePolicy PutLifecyclePolicy DeleteLifecyclePolicy PutImageTagMutability
		PutImageScanningConfiguration StartImageScan DescribeImageScanFindings`, repository),

	// 19: EKS
	on("eks", "DescribeCluster DeleteCluster UpdateClusterConfig UpdateClusterVersion CreateNodegroup ListNodegroups CreateAccessEntry ListAccessEntries CreateAddon CreateFargateProfile ListFargateProfiles",
		arn("eks:{r}:{a}:cluster/{clusterName,name}")),
	on("eks", "DescribeNodegroup DeleteNodegroup UpdateNodegroupConfig UpdateNodegroupVersion", arn("eks:{r}:{a}:nodegroup/{clusterName,name}/{nodegroupName}/*")),

	// 20: RDS, whose identifiers are stored in lower case. What a call makes is in groups, those called default unless it names others.
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/security_iam_id-based-policy-examples.html
	on("rds", "CreateDBInstance", arn("rds:{r}:{a}:db:{^dBInstanceIdentifier}"),
		whenGiven("dBClusterIdentifier", "rds:{r}:{a}:cluster:{^dBClusterIdentifier}"), orDefault("dBSubnetGroupName", "rds:{r}:{a}:subgrp:{^dBSubnetGroupName}", "rds:{r}:{a}:subgrp:default*"),
		orDefault("dBParameterGroupName", "rds:{r}:{a}:pg:{^dBParameterGroupName}", "rds:{r}:{a}:pg:default*"),
		orDefault("optionGroupName", "rds:{r}:{a}:og:{^optionGroupName}", "rds:{r}:{a}:og:default*")),
	on("rds", "ModifyDBInstance", arn("rds:{r}:{a}:db:{^dBInstanceIdentifier}"),
		whenGiven("dBClusterIdentifier", "rds:{r}:{a}:cluster:{^dBClusterIdentifier}"), whenGiven("dBSubnetGroupName", "rds:{r}:{a}:subgrp:{^dBSubnetGroupName}"),
		whenGiven("dBParameterGroupName", "rds:{r}:{a}:pg:{^dBParameterGroupName}"), whenGiven("optionGroupName", "rds:{r}:{a}:og:{^optionGroupName}")),
	on("rds", "DeleteDBInstance RebootDBInstance StartDBInstance StopDBInstance AddRoleToDBInstance RemoveRoleFromDBInstance DownloadDBLogFilePortion",
		arn("rds:{r}:{a}:db:{^dBInstanceIdentifier}")),
	on("rds", "CreateDBCluster", arn("rds:{r}:{a}:cluster:{^dBClusterIdentifier}"),
		orDefault("dBSubnetGroupName", "rds:{r}:{a}:subgrp:{^dBSubnetGroupName}", "rds:{r}:{a}:subgrp:default*"),
		orDefault("dBClusterParameterGroupName", "rds:{r}:{a}:cluster-pg:{^dBClusterParameterGroupName}", "rds:{r}:{a}:cluster-pg:default*"),
		orDefault("optionGroupName", "rds:{r}:{a}:og:{^optionGroupName}", "rds:{r}:{a}:og:default*")),
	on("rds", "ModifyDBCluster", arn("rds:{r}:{a}:cluster:{^dBClusterIdentifier}"),
		whenGiven("dBSubnetGroupName", "rds:{r}:{a}:subgrp:{^dBSubnetGroupName}"),
		whenGiven("dBClusterParameterGroupName", "rds:{r}:{a}:cluster-pg:{^dBClusterParameterGroupName}"), whenGiven("optionGroupName", "rds:{r}:{a}:og:{^optionGroupName}")),
	on("rds", "DeleteDBCluster", arn("rds:{r}:{a}:cluster:{^dBClusterIdentifier}"), whenGiven("finalDBSnapshotIdentifier", "rds:{r}:{a}:cluster-snapshot:{^finalDBSnapshotIdentifier}")),
	on("rds", "StartDBCluster StopDBCluster FailoverDBCluster RebootDBCluster AddRoleToDBCluster",
		arn("rds:{r}:{a}:cluster:{^dBClusterIdentifier}")),
	on("rds", "DeleteDBSnapshot ModifyDBSnapshotAttribute ModifyDBSnapshot", arn("rds:{r}:{a}:snapshot:{^dBSnapshotIdentifier}")),
	on("rds", "DeleteDBClusterSnapshot ModifyDBClusterSnapshotAttribute", arn("rds:{r}:{a}:cluster-snapshot:{^dBClusterSnapshotIdentifier}")),
	on("rds", "CreateDBSnapshot", arn("rds:{r}:{a}:db:{^dBInstanceIdentifier}"), arn("rds:{r}:{a}:snapshot:{^dBSnapshotIdentifier}")),

	// 21 and further
	// The cluster is the new one, and the snapshot another's: https://docs.aws.amazon.com/redshift/latest/APIReference/API_RestoreFromClusterSnapshot.html
	on("redshift", "RestoreFromClusterSnapshot", arn("redshift:{r}:{a}:cluster:{^clusterIdentifier}"),
		arn("redshift:{r}:*:snapshot:{^snapshotClusterIdentifier}/{^snapshotIdentifier}")),
	on("redshift", "DescribeLoggingStatus DeleteCluster ModifyCluster RebootCluster PauseCluster ResumeCluster CreateCluster", arn("redshift:{r}:{a}:cluster:{^clusterIdentifier}")),
	on("cloudformation", `CreateStack UpdateStack DeleteStack DescribeStackEvents DescribeStackResources DescribeStackResource ListStackResources GetTemplate
		CancelUpdateStack ContinueUpdateRollback GetStackPolicy SetStackPolicy ExecuteChangeSet DeleteChangeSet DescribeChangeSet
		ListChangeSets UpdateTerminationProtection DescribeStacks`, stack),
	on("cloudformation", "CreateChangeSet", stack, transforms),
	on("cloudwatch", "PutMetricAlarm", arn("cloudwatch:{r}:{a}:alarm:{alarmName}")),
	on("cloudwatch", "DeleteAlarms EnableAlarmActions DisableAlarmActions", arn("cloudwatch:{r}:{a}:alarm:{alarmNames}")),
	on("cloudwatch", "SetAlarmState", arn("cloudwatch:{r}:{a}:alarm:{alarmName}")),
	on("cloudwatch", "GetDashboard PutDashboard", arn("cloudwatch::{a}:dashboard/{dashboardName}")),
	on("cloudtrail", "CreateTrail DeleteTrail UpdateTrail StartLogging StopLogging GetTrail GetTrailStatus", arn("cloudtrail:{r}:{o}:trail/{name}")),
	on("cloudtrail", "PutEventSelectors GetEventSelectors PutInsightSelectors GetInsightSelectors", arn("cloudtrail:{r}:{o}:trail/{trailName}")),
	on("cloudfront", "GetDistribution GetDistributionConfig UpdateDistribution DeleteDistribution", arn("cloudfront::{a}:distribution/{id}")),
	on("cloudfront", "CreateInvalidation GetInvalidation ListInvalidations", arn("cloudfront::{a}:distribution/{distributionId}")),
	on("route53", "ChangeResourceRecordSets ListResourceRecordSets", hostedZone("hostedZoneId")),
	on("route53", "GetHostedZone DeleteHostedZone UpdateHostedZoneComment", hostedZone("id")),
	on("kinesis", "PutRecord PutRecords GetShardIterator DescribeStream DescribeStreamSummary CreateStream DeleteStream ListShards", arn("kinesis:{r}:{o}:stream/{streamName,streamARN}")),
	on("firehose", "PutRecord PutRecordBatch CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream UpdateDestination", arn("firehose:{r}:{a}:deliverystream/{deliveryStreamName}")),
	on("glue", "GetJob UpdateJob DeleteJob CreateJob StartJobRun GetJobRun GetJobRuns", arn("glue:{r}:{a}:job/{jobName,name}")),
	on("glue", "GetCrawler UpdateCrawler DeleteCrawler StartCrawler StopCrawler", arn("glue:{r}:{a}:crawler/{name}")),
	on("glue", "GetDatabase", arn("glue:{r}:{catalogId,a}:catalog"), arn("glue:{r}:{catalogId,a}:database/{^name}")),
	on("glue", "DeleteDatabase", arn("glue:{r}:{catalogId,a}:catalog"), arn("glue:{r}:{catalogId,a}:database/{^name}"),
		arn("glue:{r}:{catalogId,a}:table/{^name}/*"), arn("glue:{r}:{catalogId,a}:userDefinedFunction/{^name}/*")),
	on("glue", "GetTable GetPartition GetPartitions UpdatePartition BatchGetPartition", arn("glue:{r}:{catalogId,a}:catalog"), arn("glue:{r}:{catalogId,a}:database/{^databaseName}"), arn("glue:{r}:{catalogId,a}:table/{^databaseName}/{^tableName,name}")),
	on("athena", "StartQueryExecution", arn("athena:{r}:{a}:workgroup/{workGroup=primary}")),
	on("athena", "GetQueryExecution GetQueryResults StopQueryExecution BatchGetQueryExecution", arn("athena:{r}:{a}:workgroup/*")),
	on("athena", "GetWorkGroup UpdateWorkGroup DeleteWorkGroup", arn("athena:{r}:{a}:workgroup/{workGroup}")),
	on("elasticloadbalancing", "CreateLoadBalancer", newLoadBalancer),
	on("bedrock", "InvokeModel InvokeModelWithResponseStream", model),
	on("codebuild", "StartBuild UpdateProject DeleteProject CreateProject ListBuildsForProject", arn("codebuild:{r}:{o}:project/{projectName,name}")),
	on("codepipeline", "StartPipelineExecution GetPipeline GetPipelineState DeletePipeline ListPipelineExecutions", arn("codepipeline:{r}:{a}:{pipelineName,name}")),
	on("codecommit", "GitPull GitPush GetRepository CreateRepository DeleteRepository GetBranch CreateBranch", arn("codecommit:{r}:{a}:{repositoryName}")),
	on("elasticfilesystem", "DescribeMountTargets CreateMountTarget DeleteFileSystem UpdateFileSystem PutFileSystemPolicy DescribeFileSystemPolicy", arn("elasticfilesystem:{r}:{o}:file-system/{fileSystemId}")),
	on("autoscaling", "UpdateAutoScalingGroup DeleteAutoScalingGroup SetDesiredCapacity CreateAutoScalingGroup AttachInstances DetachInstances PutScalingPolicy SuspendProcesses ResumeProcesses",
		arn("autoscaling:{r}:{a}:autoScalingGroup:*:autoScalingGroupName/{autoScalingGroupName}")),
	on("elasticloadbalancing", "DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes RegisterTargets DeregisterTargets", arn("elasticloadbalancing:{r}:{a}:targetgroup/{targetGroupArn}")),
	on("guardduty", "GetDetector UpdateDetector DeleteDetector", arn("guardduty:{r}:{a}:detector/{detectorId}")),
	on("acm", "DescribeCertificate GetCertificate DeleteCertificate ExportCertificate RenewCertificate", arn("acm:{r}:{o}:certificate/{certificateArn}")),
	on("cognito-idp", "DescribeUserPool UpdateUserPool DeleteUserPool ListUsers AdminGetUser AdminCreateUser AdminDeleteUser CreateUserPoolClient", arn("cognito-idp:{r}:{a}:userpool/{userPoolId}")),
	on("backup", "DescribeBackupVault DeleteBackupVault CreateBackupVault PutBackupVaultAccessPolicy", arn("backup:{r}:{a}:backup-vault:{backupVaultName}")),
}

// A typeFinder finds resources of a type of the service reference whose pattern's parts aren't called like the parameters.
type typeFinder struct {
	params string // one of them is given if the call names the resource
	find   finder
}

// typeTable are such types, by service and name.
var typeTable = map[string]typeFinder{
	"s3:bucket":                     {"bucketName bucket", s3Bucket},
	"s3:object":                     {"key", s3Object},
	"kms:key":                       {"keyId", kmsKey("keyId")},
	"lambda:function":               {"functionName", function(false)},
	"dynamodb:table":                {"tableName", tables},
	"secretsmanager:Secret":         {"secretId", secret("secretId")},
	"sqs:queue":                     {"queueUrl", queue},
	"sns:topic":                     {"topicArn", arn("sns:{r}:*:{topicArn}")},
	"ssm:document":                  {"documentName", ssmDocument("documentName")},
	"ssm:parameter":                 {"names name", ssmParameter(false, "names", "name")},
	"ecs:task-definition":           {"taskDefinition", taskDefinition},
	"ecr:repository":                {"repositoryName", repository},
	"logs:log-group":                {"logGroupName", logGroup},
	"cloudformation:stack":          {"stackName", stack},
	"route53:hostedzone":            {"hostedZoneId", hostedZone("hostedZoneId")},
	"iam:user":                      {"userName", entity("user", "userName")},
	"iam:role":                      {"roleName", entity("role", "roleName")},
	"iam:group":                     {"groupName", entity("group", "groupName")},
	"iam:instance-profile":          {"instanceProfileName", entity("instance-profile", "instanceProfileName")},
	"rds:db":                        {"dBInstanceIdentifier", arn("rds:{r}:{a}:db:{^dBInstanceIdentifier}")},
	"rds:cluster":                   {"dBClusterIdentifier", arn("rds:{r}:{a}:cluster:{^dBClusterIdentifier}")},
	"rds:snapshot":                  {"dBSnapshotIdentifier", arn("rds:{r}:{a}:snapshot:{^dBSnapshotIdentifier}")},
	"rds:cluster-snapshot":          {"dBClusterSnapshotIdentifier", arn("rds:{r}:{a}:cluster-snapshot:{^dBClusterSnapshotIdentifier}")},
	"rds:pg":                        {"dBParameterGroupName", arn("rds:{r}:{a}:pg:{^dBParameterGroupName}")},
	"rds:cluster-pg":                {"dBClusterParameterGroupName", arn("rds:{r}:{a}:cluster-pg:{^dBClusterParameterGroupName}")},
	"rds:subgrp":                    {"dBSubnetGroupName", arn("rds:{r}:{a}:subgrp:{^dBSubnetGroupName}")},
	"rds:secgrp":                    {"dBSecurityGroupName", arn("rds:{r}:{a}:secgrp:{^dBSecurityGroupName}")},
	"rds:global-cluster":            {"globalClusterIdentifier", arn("rds::{a}:global-cluster:{^globalClusterIdentifier}")},
	"batch:job-definition":          {"jobDefinition", jobDefinition},
	"batch:job-definition-revision": {"jobDefinition", jobDefinition},
	"ecs:service":                   {"service services serviceName", arn("ecs:{r}:{a}:service/{cluster=default}/{service,services,serviceName}")},
	"ecs:cluster":                   {"cluster clusters clusterName", arn("ecs:{r}:{a}:cluster/{cluster,clusters,clusterName}")},
	"ecs:task":                      {"task tasks", arn("ecs:{r}:{a}:task/{cluster=default}/{task,tasks}")},
	"lambda:layerVersion":           {"layerName", layerVersion},
	"cloudwatch:alarm":              {"alarmName alarmNames", arn("cloudwatch:{r}:{a}:alarm:{alarmName,alarmNames}")},
	"backup:recoveryPoint":          {"recoveryPointArn", recoveryPoint},
	"cloudfront:key-value-store":    {"name kvsARN", arn("cloudfront::{a}:key-value-store/{kvsARN}")}, // which has an id, not the name
	"events:connection":             {"name", arn("events:{r}:{a}:connection/{name}*")},               // an id follows
	"events:api-destination":        {"name", arn("events:{r}:{a}:api-destination/{name}*")},
	"route53:change":                {"id", route53ID("id", "change/")},
	"cognito-identity:identitypool": {"identityPoolId", arn("cognito-identity:{r}:{a}:identitypool/{identityPoolId}")},
	"codepipeline:pipeline":         {"pipelineName pipeline.name", arn("codepipeline:{r}:{a}:{pipelineName,pipeline.name}")},
}

// apiPath is the path of an API Gateway call, as far as the API or domain name at its beginning tells it (T82, row 29).
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func apiPath(d *derivation) []evaluator.Resource {
	for _, p := range []struct{ param, path string }{{"domainName", "domainnames"}, {"restApiId", "restapis"}, {"apiId", "apis"}} {
		switch id, state := d.params.one(p.param); {
		case state == given && nameLike(id):
			return []evaluator.Resource{d.pattern("apigateway:" + d.region + "::/" + p.path + "/" + id + "*")}
		case state != notGiven:
			return arn("apigateway:{r}::/*")(d)
		}
	}
	return arn("apigateway:{r}::/*")(d)
}

// ssmDocument finds a document; AWS's own and those of other accounts have the same form of name.
func ssmDocument(params string) finder { return arn("ssm:{r}:*:document/{" + params + "}") }

// publishTarget: a message to a phone is on no resource.
func publishTarget(d *derivation) []evaluator.Resource {
	if _, state := d.params.one("topicArn", "targetArn"); state == notGiven {
		if _, state := d.params.nodes("phoneNumber"); state == given {
			return []evaluator.Resource{{ARN: "*", Account: d.owner}}
		}
	}
	return d.fill("sns:{r}:*:{topicArn,targetArn}")
}

// hostedZone finds a zone.
func hostedZone(param string) finder { return route53ID(param, "hostedzone/") }

// route53ID finds a resource by its id, which the API also takes as a path.
func route53ID(param, kind string) finder {
	return func(d *derivation) []evaluator.Resource {
		id, state := d.params.one(param)
		id = strings.TrimPrefix(strings.TrimPrefix(id, "/"), kind)
		if state != given || !nameLike(id) {
			return []evaluator.Resource{d.pattern("route53:::" + kind + "*")}
		}
		return []evaluator.Resource{{ARN: "arn:" + d.partition + ":route53:::" + kind + id}}
	}
}

// recoveryPoint finds a recovery point, which has an ARN of the service that was backed up.
func recoveryPoint(d *derivation) []evaluator.Resource {
	arn, _ := d.params.one("recoveryPointArn")
	if a, ok := policy.ParseARN(arn); ok && a.Resource != "" && plain(a.Service) && !strings.ContainsAny(arn, "*?") {
		return []evaluator.Resource{{ARN: arn}}
	}
	return []evaluator.Resource{everything}
}

// webACL finds a web ACL, and that a message may show another part of WAF that its rules use, such as an IP set.
func webACL(d *derivation) []evaluator.Resource {
	acl := d.fill("wafv2:{r}:{a}:*/webacl/{name}/{id}")
	return append(acl, d.perhaps([]evaluator.Resource{d.pattern("wafv2:" + d.region + ":*:*")})...)
}

// transforms are the macros that a template may name, AWS's own among them: arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-overview.html
func transforms(d *derivation) []evaluator.Resource {
	return d.perhaps([]evaluator.Resource{d.pattern("cloudformation:" + d.region + ":*:transform/*")})
}

// unshown: what AWS checks isn't known.
func unshown(*derivation) []evaluator.Resource { return []evaluator.Resource{everything} }

// shownOn are the services whose actions without a type AWS's messages show on the account's resources if they
// read (R12); what they show of those that write isn't known.
var shownOn = map[string]string{"guardduty": "guardduty:{r}:{a}:*", "sns": "sns:{r}:{a}:*", "ssm": "ssm:{r}:{a}:*"}

// unsettled are services some of whose actions without a type AWS's messages, or the policies that AWS manages, put on an ARN
// all the same (R12). Of the others of these services * isn't sure, nor is an ARN. Not observed, but assumed by what is alike:
// access-analyzer, aps, codebuild, codeconnections, elasticfilesystem and pipes.
var unsettled = set(`access-analyzer acm amplify aoss application-autoscaling applicationinsights appsync aps bedrock cloudformation cloudfront
	ce codebuild codeconnections codedeploy codepipeline codestar-connections cognito-identity cur datazone dms dynamodb eks elasticfilesystem emr-serverless es
	events fsx glue grafana inspector2 kafka kinesis logs macie2 mediaconvert mgh mgn network-firewall pipes quicksight ram redshift resource-explorer-2
	resource-groups sagemaker scheduler sqs ssm-sap states storagegateway synthetics timestream timestream-influxdb waf waf-regional wafv2
	workspaces-web`)

func set(names string) map[string]bool {
	all := make(map[string]bool)
	for name := range strings.FieldsSeq(names) {
		all[name] = true
	}
	return all
}

func words(services map[string]string) map[string]bool {
	all := make(map[string]bool)
	for service, actions := range services {
		for action := range strings.FieldsSeq(actions) {
			all[service+":"+action] = true
		}
	}
	return all
}

func sorted(all []evaluator.Resource) []evaluator.Resource {
	slices.SortFunc(all, func(a, b evaluator.Resource) int { return strings.Compare(a.ARN, b.ARN) })
	return all
}
