package apicall

import (
	"slices"
	"strings"
)

// A custom is a command of the CLI that isn't an operation of the API.
type custom struct {
	// calls makes its API calls; nil for a command that makes none, or whose calls aren't known here.
	calls func(*commandParser, map[string]any) []CommandCall
	// argument is the parameter that a word without an option gives.
	argument string
	// note says what the command does besides; with no calls, why there is nothing to check.
	note string
}

// custom reads such a command.
func (p *commandParser) custom(c custom) error {
	if p.operation != "" && len(p.command.Words) == 2 {
		p.command.Words = append(p.command.Words, p.operation)
	}
	if c.calls == nil {
		return commandErrorf("%s %s", strings.Join(p.command.Words, " "), c.note)
	}
	p.argument(c.argument)
	parameters, err := p.parameters()
	if err != nil {
		return err
	}
	p.command.Calls = c.calls(p, parameters)
	if c.note != "" {
		p.assumef("", "%s", c.note)
	}
	return nil
}

// argument makes an option of the word that has none; --follow takes no value.
func (p *commandParser) argument(option string) {
	for i, w := range p.words {
		if option != "" && !strings.HasPrefix(w, "-") && (i == 0 || p.words[i-1] == "--follow") {
			p.words[i] = "--" + option + "=" + w
			return
		}
	}
}

// topCommands are the commands that stand in the place of a service.
var topCommands = map[string]custom{
	"configure":  {note: "makes no call that IAM decides"},
	"history":    {note: "makes no call"},
	"login":      {note: "signs in, which IAM policies of the caller don't decide"},
	"logout":     {note: "makes no call that IAM decides"},
	"quickstart": {note: "isn't known here: ask for each of its calls"},
	"cli-dev":    {note: "makes no call"},
	"ddb":        {note: "isn't known here: ask for the same as aws dynamodb"},
}

// notHere is the note on commands of many steps.
const notHere = "runs several operations that aren't known here: ask for each, such as aws SERVICE OPERATION"

// customCommands are the others, by service and command.
var customCommands = map[string]custom{
	"ecr get-login-password":        {calls: plainCalls("ecr", "GetAuthorizationToken")},
	"ecr get-login":                 {calls: plainCalls("ecr", "GetAuthorizationToken")},
	"ecr-public get-login-password": {calls: plainCalls("ecr-public", "GetAuthorizationToken")},

	"eks update-kubeconfig": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		return []CommandCall{p.call("eks", "DescribeCluster", pick(in, "name", "Name"))}
	}},
	"eks get-token": {note: "makes no call: it signs sts:GetCallerIdentity, which needs no permission; the cluster decides what follows"},

	"logs tail": {argument: "log-group-name", calls: plainCalls("logs", "FilterLogEvents")},

	"ecs execute-command": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		tasks := pick(in, "cluster", "Cluster")
		if task, ok := lookup(in, "task"); ok {
			tasks["Tasks"] = []any{task}
		}
		return []CommandCall{p.call("ecs", "ExecuteCommand", in), p.call("ecs", "DescribeTasks", tasks)}
	}},
	"ecs deploy": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		services := pick(in, "cluster", "Cluster")
		if s, ok := lookup(in, "service"); ok {
			services["Services"] = []any{s}
		}
		application := map[string]any{"ApplicationName": notRead, "DeploymentGroupName": notRead}
		for option, member := range map[string]string{"codedeployApplication": "ApplicationName", "codedeployDeploymentGroup": "DeploymentGroupName"} {
			if v, ok := lookup(in, option); ok {
				application[member] = v
			}
		}
		roles := p.call("ecs", "RegisterTaskDefinition", map[string]any{"Family": notRead, "TaskRoleArn": notRead, "ExecutionRoleArn": notRead})
		roles.When = "the task definition names roles"
		return []CommandCall{
			p.call("ecs", "DescribeServices", services), p.call("codedeploy", "GetApplication", application), p.call("codedeploy", "GetDeploymentGroup", application),
			p.call("ecs", "RegisterTaskDefinition", map[string]any{"Family": notRead}), roles,
			p.call("codedeploy", "CreateDeployment", application), p.call("codedeploy", "GetDeployment", application),
		}
	}},

	"cloudformation deploy": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		stack := pick(in, "stackName", "StackName")
		set := map[string]any{"StackName": stack["StackName"]}
		for _, name := range []string{"RoleArn", "Tags", "NotificationArns", "Capabilities"} {
			if v, ok := lookup(in, name); ok {
				set[name] = v
			}
		}
		calls := []CommandCall{p.call("cloudformation", "DescribeStacks", stack), p.call("cloudformation", "CreateChangeSet", set), p.call("cloudformation", "DescribeChangeSet", stack)}
		if v, ok := lookup(in, "executeChangeset"); !ok || v != false {
			calls = append(calls, p.call("cloudformation", "ExecuteChangeSet", stack))
		}
		update := p.call("cloudformation", "GetTemplateSummary", stack)
		update.When = "the stack is there already"
		calls = append(calls, update)
		if bucket, ok := lookup(in, "s3Bucket"); ok {
			calls = append(calls, p.upload(bucket, in))
		}
		return calls
	}, note: "what the stack's resources need, without --role-arn also of the caller, isn't read from the template"},
	"cloudformation package": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		bucket, _ := lookup(in, "s3Bucket")
		put := p.upload(bucket, in)
		head := put
		head.Operation = "HeadObject"
		return []CommandCall{head, put}
	}, note: "the template has something to upload"},

	"codeartifact login": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		return []CommandCall{p.call("codeartifact", "GetAuthorizationToken", in), p.call("codeartifact", "GetRepositoryEndpoint", in)}
	}},

	"deploy push": {calls: func(p *commandParser, in map[string]any) []CommandCall {
		calls := []CommandCall{p.call("codedeploy", "RegisterApplicationRevision", pick(in, "applicationName", "ApplicationName"))}
		if location, ok := lookup(in, "s3Location"); ok {
			text, _ := location.(string)
			at := readS3Path(text)
			calls = append(calls, p.call("s3", "PutObject", map[string]any{"Bucket": at.bucket, "Key": at.key}))
		}
		return calls
	}},
	"deploy register":   {note: notHere},
	"deploy deregister": {note: notHere},
	"deploy install":    {note: "runs on an instance itself"},
	"deploy uninstall":  {note: "runs on an instance itself"},

	"rds add-option-to-option-group":      {calls: plainCalls("rds", "ModifyOptionGroup")},
	"rds remove-option-from-option-group": {calls: plainCalls("rds", "ModifyOptionGroup")},
	"rds generate-db-auth-token":          {note: "makes no call; who connects with the token needs rds-db:connect on the database's user: ask with -a rds-db:connect"},
	"dsql generate-db-connect-auth-token": {note: "makes no call; who connects with the token needs dsql:DbConnect: ask with -a dsql:DbConnect"},
	"dsql generate-db-connect-admin-auth-token": {
		note: "makes no call; who connects with the token needs dsql:DbConnectAdmin: ask with -a dsql:DbConnectAdmin"},

	"emr create-cluster":            {calls: emrCreate},
	"emr terminate-clusters":        {calls: emrCalls("TerminateJobFlows")},
	"emr add-steps":                 {calls: emrCalls("AddJobFlowSteps")},
	"emr add-instance-groups":       {calls: emrCalls("AddInstanceGroups")},
	"emr modify-cluster-attributes": {note: notHere},
	"emr describe-cluster":          {calls: emrCalls("DescribeCluster", "ListInstanceGroups", "ListBootstrapActions")},
	"emr ssh":                       {calls: emrCalls("DescribeCluster")},
	"emr socks":                     {calls: emrCalls("DescribeCluster")},
	"emr put":                       {calls: emrCalls("DescribeCluster")},
	"emr get":                       {calls: emrCalls("DescribeCluster")},
	"emr create-default-roles":      {note: notHere},
	"emr install-applications":      {note: notHere},
	"emr schedule-hbase-backup":     {note: notHere},
	"emr disable-hbase-backups":     {note: notHere},
	"emr create-hbase-backup":       {note: notHere},
	"emr restore-from-hbase-backup": {note: notHere},

	"cloudtrail create-subscription": {note: notHere},
	"cloudtrail update-subscription": {note: notHere},
	"cloudtrail validate-logs":       {note: notHere},

	"cloudfront sign":                         {note: "makes no call: whoever has the URL is let in"},
	"codecommit credential-helper":            {note: "makes no call; git with its answer needs codecommit:GitPull or codecommit:GitPush: ask with -a"},
	"configservice get-status":                {calls: plainCalls("config", "DescribeConfigurationRecorderStatus", "DescribeDeliveryChannelStatus")},
	"configservice subscribe":                 {note: notHere},
	"datapipeline create-default-roles":       {note: notHere},
	"datapipeline list-runs":                  {note: notHere},
	"dlm create-default-role":                 {note: notHere},
	"ec2-instance-connect ssh":                {note: notHere},
	"ec2-instance-connect open-tunnel":        {note: "opens a tunnel, which needs ec2-instance-connect:OpenTunnel: ask with -a"},
	"emr-containers update-role-trust-policy": {note: notHere},
	"gamelift upload-build":                   {note: notHere},
	"gamelift get-game-session-log":           {note: notHere},
	"lightsail push-container-image":          {note: notHere},
	"opsworks register":                       {note: notHere},
	"servicecatalog generate":                 {note: notHere},
	"sts assume-role-with-saml":               {note: "is called with an assertion in the place of credentials, not as -p: ask with -a, and the provider as -p"},
	"sts assume-role-with-web-identity":       {note: "is called with a token in the place of credentials, not as -p: ask with -a, and the provider as -p"},
	"sso login":                               {note: "signs in, which IAM policies of the caller don't decide"},
	"sso logout":                              {note: "makes no call that IAM decides"},
}

// plainCalls are calls with the command's own parameters.
func plainCalls(service string, operations ...string) func(*commandParser, map[string]any) []CommandCall {
	return func(p *commandParser, in map[string]any) []CommandCall {
		var all []CommandCall
		for _, o := range operations {
			all = append(all, p.call(service, o, in))
		}
		return all
	}
}

// emrCalls are calls about the command's cluster, whose id the API calls JobFlowId in some operations.
func emrCalls(operations ...string) func(*commandParser, map[string]any) []CommandCall {
	return func(p *commandParser, in map[string]any) []CommandCall {
		parameters := map[string]any{}
		for _, name := range []string{"clusterId", "clusterIds"} {
			if id, ok := lookup(in, name); ok {
				parameters["ClusterId"], parameters["JobFlowId"], parameters["JobFlowIds"] = id, id, id
			}
		}
		return plainCalls("elasticmapreduce", operations...)(p, parameters)
	}
}

// emrCreate is RunJobFlow, whose parameters the CLI names in its own way.
func emrCreate(p *commandParser, in map[string]any) []CommandCall {
	parameters := map[string]any{}
	for option, member := range map[string]string{"name": "Name", "releaseLabel": "ReleaseLabel", "tags": "Tags", "logUri": "LogUri", "serviceRole": "ServiceRole"} {
		if v, ok := lookup(in, option); ok {
			parameters[member] = v
		}
	}
	if v, ok := lookup(in, "useDefaultRoles"); ok && v == true {
		parameters["ServiceRole"], parameters["JobFlowRole"] = "EMR_DefaultRole", "EMR_EC2_DefaultRole"
	}
	if m, ok := in["Ec2Attributes"].(map[string]any); ok {
		if v, ok := lookup(m, "instanceProfile"); ok {
			parameters["JobFlowRole"] = v
		}
	}
	return []CommandCall{p.call("elasticmapreduce", "RunJobFlow", parameters)}
}

// pick is one of the parameters alone.
func pick(in map[string]any, name, as string) map[string]any {
	out := map[string]any{}
	if v, ok := lookup(in, name); ok {
		out[as] = v
	}
	return out
}

// upload is the call that puts a part of a template into the bucket, under a name that its contents make.
func (p *commandParser) upload(bucket any, in map[string]any) CommandCall {
	key := unknownPart
	if prefix, ok := lookup(in, "s3Prefix"); ok {
		if s, ok := prefix.(string); ok {
			key = strings.TrimSuffix(s, "/") + "/" + key
		}
	}
	parameters := map[string]any{"Bucket": bucket, "Key": key}
	if k, ok := lookup(in, "kmsKeyId"); ok {
		parameters["ServerSideEncryption"], parameters["SSEKMSKeyId"] = "aws:kms", k
	}
	return p.call("s3", "PutObject", parameters)
}

// waiters are what `wait` can wait for, and the operation that it asks again and again.
//
// https://docs.aws.amazon.com/cli/latest/reference/ has a page for each service's.
var waiters = map[string]string{
	"acm DescribeAcmeDomainValidation":                       "acme-domain-validation-deleted acme-domain-validation-validated",
	"acm DescribeAcmeEndpoint":                               "acme-endpoint-active acme-endpoint-deleted",
	"acm DescribeCertificate":                                "certificate-validated",
	"acm-pca DescribeCertificateAuthorityAuditReport":        "audit-report-created",
	"acm-pca GetCertificate":                                 "certificate-issued",
	"acm-pca GetCertificateAuthorityCsr":                     "certificate-authority-csr-created",
	"amp DescribeAnomalyDetector":                            "anomaly-detector-active anomaly-detector-deleted",
	"amp DescribeScraper":                                    "scraper-active scraper-deleted",
	"amp DescribeWorkspace":                                  "workspace-active workspace-deleted",
	"appconfig GetDeployment":                                "deployment-complete",
	"appconfig GetEnvironment":                               "environment-ready-for-deployment",
	"appstream DescribeFleets":                               "fleet-started fleet-stopped",
	"arc-region-switch GetPlanEvaluationStatus":              "plan-evaluation-status-passed",
	"arc-region-switch GetPlanExecution":                     "plan-execution-completed",
	"b2bi GetTransformerJob":                                 "transformer-job-succeeded",
	"bedrock-agentcore-control GetMemory":                    "memory-created",
	"bedrock-agentcore-control GetPolicy":                    "policy-active policy-deleted",
	"bedrock-agentcore-control GetPolicyEngine":              "policy-engine-active policy-engine-deleted",
	"bedrock-agentcore-control GetPolicyGeneration":          "policy-generation-completed",
	"cloudcontrol GetResourceRequestStatus":                  "resource-request-success",
	"cloudformation DescribeChangeSet":                       "change-set-create-complete",
	"cloudformation DescribeStackRefactor":                   "stack-refactor-create-complete stack-refactor-execute-complete",
	"cloudformation DescribeStacks":                          "stack-create-complete stack-delete-complete stack-exists stack-import-complete stack-rollback-complete stack-update-complete",
	"cloudformation DescribeTypeRegistration":                "type-registration-complete",
	"cloudfront GetDistribution":                             "distribution-deployed",
	"cloudfront GetInvalidation":                             "invalidation-completed",
	"cloudfront GetInvalidationForDistributionTenant":        "invalidation-for-distribution-tenant-completed",
	"cloudfront GetStreamingDistribution":                    "streaming-distribution-deployed",
	"cloudwatch DescribeAlarms":                              "alarm-exists composite-alarm-exists log-alarm-exists",
	"cloudwatch GetAlarmMuteRule":                            "alarm-mute-rule-exists",
	"codeguru-reviewer DescribeCodeReview":                   "code-review-completed",
	"codeguru-reviewer DescribeRepositoryAssociation":        "repository-association-succeeded",
	"deadline GetFleet":                                      "fleet-active",
	"deadline GetJob":                                        "job-complete job-create-complete job-succeeded",
	"deadline GetLicenseEndpoint":                            "license-endpoint-deleted license-endpoint-valid",
	"deadline GetQueue":                                      "queue-scheduling queue-scheduling-blocked",
	"deadline GetQueueFleetAssociation":                      "queue-fleet-association-stopped",
	"deadline GetQueueLimitAssociation":                      "queue-limit-association-stopped",
	"deploy GetDeployment":                                   "deployment-successful",
	"dms DescribeConnections":                                "test-connection-succeeds",
	"dms DescribeEndpoints":                                  "endpoint-deleted",
	"dms DescribeExtensionPackAssociations":                  "extension-pack-associated",
	"dms DescribeMetadataModelAssessments":                   "metadata-model-assessed",
	"dms DescribeMetadataModelConversions":                   "metadata-model-conversion-cancelled metadata-model-converted",
	"dms DescribeMetadataModelCreations":                     "metadata-model-created metadata-model-creation-cancelled",
	"dms DescribeMetadataModelExportsAsScript":               "metadata-model-exported-as-script",
	"dms DescribeMetadataModelExportsToTarget":               "metadata-model-exported-to-target",
	"dms DescribeMetadataModelImports":                       "metadata-model-imported",
	"dms DescribeReplicationInstances":                       "replication-instance-available replication-instance-deleted",
	"dms DescribeReplicationTasks":                           "replication-task-deleted replication-task-ready replication-task-running replication-task-stopped",
	"docdb DescribeDBInstances":                              "db-instance-available db-instance-deleted",
	"ds DescribeHybridADUpdate":                              "hybrid-ad-updated",
	"dsql GetCluster":                                        "cluster-active cluster-not-exists",
	"dsql GetStream":                                         "stream-active stream-not-exists",
	"dynamodb DescribeContributorInsights":                   "contributor-insights-enabled",
	"dynamodb DescribeExport":                                "export-completed",
	"dynamodb DescribeImport":                                "import-completed",
	"dynamodb DescribeKinesisStreamingDestination":           "kinesis-streaming-destination-active",
	"dynamodb DescribeTable":                                 "table-exists table-not-exists",
	"ec2 DescribeBundleTasks":                                "bundle-task-complete",
	"ec2 DescribeConversionTasks":                            "conversion-task-cancelled conversion-task-completed conversion-task-deleted",
	"ec2 DescribeCustomerGateways":                           "customer-gateway-available",
	"ec2 DescribeExportTasks":                                "export-task-cancelled export-task-completed",
	"ec2 DescribeImageUsageReports":                          "image-usage-report-available",
	"ec2 DescribeImages":                                     "image-available image-exists",
	"ec2 DescribeImportSnapshotTasks":                        "snapshot-imported",
	"ec2 DescribeInstanceStatus":                             "instance-status-ok system-status-ok",
	"ec2 DescribeInstances":                                  "instance-exists instance-running instance-stopped instance-terminated",
	"ec2 DescribeInternetGateways":                           "internet-gateway-exists",
	"ec2 DescribeKeyPairs":                                   "key-pair-exists",
	"ec2 DescribeNatGateways":                                "nat-gateway-available nat-gateway-deleted",
	"ec2 DescribeNetworkInterfaces":                          "network-interface-available",
	"ec2 DescribeSecondaryNetworks":                          "secondary-network-create-complete secondary-network-delete-complete",
	"ec2 DescribeSecondarySubnets":                           "secondary-subnet-create-complete secondary-subnet-delete-complete",
	"ec2 DescribeSecurityGroupVpcAssociations":               "security-group-vpc-association-associated security-group-vpc-association-disassociated",
	"ec2 DescribeSecurityGroups":                             "security-group-exists",
	"ec2 DescribeSnapshots":                                  "snapshot-completed",
	"ec2 DescribeSpotInstanceRequests":                       "spot-instance-request-fulfilled",
	"ec2 DescribeStoreImageTasks":                            "store-image-task-complete",
	"ec2 DescribeSubnets":                                    "subnet-available",
	"ec2 DescribeVolumes":                                    "volume-available volume-deleted volume-in-use",
	"ec2 DescribeVpcPeeringConnections":                      "vpc-peering-connection-deleted vpc-peering-connection-exists",
	"ec2 DescribeVpcs":                                       "vpc-available vpc-exists",
	"ec2 DescribeVpnConnections":                             "vpn-connection-available vpn-connection-deleted",
	"ec2 GetPasswordData":                                    "password-data-available",
	"ecr DescribeImageScanFindings":                          "image-scan-complete",
	"ecr GetLifecyclePolicyPreview":                          "lifecycle-policy-preview-complete",
	"ecs DescribeDaemon":                                     "daemon-active",
	"ecs DescribeDaemonDeployments":                          "daemon-deployment-stopped daemon-deployment-successful",
	"ecs DescribeDaemonTaskDefinition":                       "daemon-task-definition-active daemon-task-definition-deleted",
	"ecs DescribeServices":                                   "services-inactive services-stable",
	"ecs DescribeTasks":                                      "tasks-running tasks-stopped",
	"eks DescribeAddon":                                      "addon-active addon-deleted",
	"eks DescribeCluster":                                    "cluster-active cluster-deleted",
	"eks DescribeFargateProfile":                             "fargate-profile-active fargate-profile-deleted",
	"eks DescribeNodegroup":                                  "nodegroup-active nodegroup-deleted",
	"elasticache DescribeCacheClusters":                      "cache-cluster-available cache-cluster-deleted",
	"elasticache DescribeReplicationGroups":                  "replication-group-available replication-group-deleted",
	"elasticbeanstalk DescribeEnvironments":                  "environment-exists environment-terminated environment-updated",
	"elb DescribeInstanceHealth":                             "any-instance-in-service instance-deregistered instance-in-service",
	"elbv2 DescribeLoadBalancers":                            "load-balancer-available load-balancer-exists load-balancers-deleted",
	"elbv2 DescribeTargetHealth":                             "target-deregistered target-in-service",
	"elementalinference GetFeed":                             "feed-deleted",
	"emr DescribeCluster":                                    "cluster-running cluster-terminated",
	"emr DescribeStep":                                       "step-complete",
	"gameliftstreams GetApplication":                         "application-deleted application-ready",
	"gameliftstreams GetStreamGroup":                         "stream-group-active stream-group-deleted",
	"gameliftstreams GetStreamSession":                       "stream-session-active",
	"glacier DescribeVault":                                  "vault-exists vault-not-exists",
	"groundstation DescribeContact":                          "contact-scheduled",
	"groundstation DescribeContactVersion":                   "contact-updated",
	"healthlake DescribeDataTransformationJob":               "data-transformation-job-completed",
	"healthlake DescribeFHIRDatastore":                       "fhir-datastore-active fhir-datastore-deleted",
	"healthlake DescribeFHIRExportJob":                       "fhir-export-job-completed",
	"healthlake DescribeFHIRImportJob":                       "fhir-import-job-completed",
	"iam GetInstanceProfile":                                 "instance-profile-exists",
	"iam GetPolicy":                                          "policy-exists",
	"iam GetRole":                                            "role-exists",
	"iam GetUser":                                            "user-exists",
	"inspector2 ListConnectors":                              "connector-connected connector-deleted connector-enabled",
	"interconnect GetConnection":                             "connection-available connection-deleted",
	"iotsitewise DescribeAsset":                              "asset-active asset-not-exists",
	"iotsitewise DescribeAssetModel":                         "asset-model-active asset-model-not-exists",
	"iotsitewise DescribePortal":                             "portal-active portal-not-exists",
	"kinesis DescribeStream":                                 "stream-exists stream-not-exists",
	"lambda GetFunction":                                     "function-active-v2 function-exists function-updated-v2",
	"lambda GetFunctionConfiguration":                        "function-active function-updated published-version-active",
	"lexv2-models DescribeBot":                               "bot-available",
	"lexv2-models DescribeBotAlias":                          "bot-alias-available",
	"lexv2-models DescribeBotLocale":                         "bot-locale-built bot-locale-created bot-locale-express-testing-available",
	"lexv2-models DescribeBotVersion":                        "bot-version-available",
	"lexv2-models DescribeExport":                            "bot-export-completed",
	"lexv2-models DescribeImport":                            "bot-import-completed",
	"location GetJob":                                        "job-completed",
	"machinelearning DescribeBatchPredictions":               "batch-prediction-available",
	"machinelearning DescribeDataSources":                    "data-source-available",
	"machinelearning DescribeEvaluations":                    "evaluation-available",
	"machinelearning DescribeMLModels":                       "ml-model-available",
	"macie2 GetSensitiveDataOccurrences":                     "finding-revealed",
	"mediaconnect DescribeFlow":                              "flow-active flow-deleted flow-standby",
	"mediaconnect GetRouterInput":                            "input-active input-deleted input-standby",
	"mediaconnect GetRouterOutput":                           "output-active output-deleted output-routed output-standby output-unrouted",
	"medialive DescribeChannel":                              "channel-created channel-deleted channel-running channel-stopped",
	"medialive DescribeChannelPlacementGroup":                "channel-placement-group-assigned channel-placement-group-deleted channel-placement-group-unassigned",
	"medialive DescribeCluster":                              "cluster-created cluster-deleted",
	"medialive DescribeInput":                                "input-attached input-deleted input-detached",
	"medialive DescribeMultiplex":                            "multiplex-created multiplex-deleted multiplex-running multiplex-stopped",
	"medialive DescribeNode":                                 "node-deregistered node-registered",
	"medialive GetSignalMap":                                 "signal-map-created signal-map-monitor-deleted signal-map-monitor-deployed signal-map-updated",
	"mediapackagev2 GetHarvestJob":                           "harvest-job-finished",
	"neptune DescribeDBInstances":                            "db-instance-available db-instance-deleted",
	"neptune-graph GetExportTask":                            "export-task-cancelled export-task-successful",
	"neptune-graph GetGraph":                                 "graph-available graph-deleted graph-stopped",
	"neptune-graph GetGraphSnapshot":                         "graph-snapshot-available graph-snapshot-deleted",
	"neptune-graph GetImportTask":                            "import-task-cancelled import-task-successful",
	"neptune-graph GetPrivateGraphEndpoint":                  "private-graph-endpoint-available private-graph-endpoint-deleted",
	"omics GetAnnotationImportJob":                           "annotation-import-job-created",
	"omics GetAnnotationStore":                               "annotation-store-created annotation-store-deleted",
	"omics GetAnnotationStoreVersion":                        "annotation-store-version-created annotation-store-version-deleted",
	"omics GetReadSetActivationJob":                          "read-set-activation-job-completed",
	"omics GetReadSetExportJob":                              "read-set-export-job-completed",
	"omics GetReadSetImportJob":                              "read-set-import-job-completed",
	"omics GetReferenceImportJob":                            "reference-import-job-completed",
	"omics GetRun":                                           "run-completed run-running",
	"omics GetRunTask":                                       "task-completed task-running",
	"omics GetVariantImportJob":                              "variant-import-job-created",
	"omics GetVariantStore":                                  "variant-store-created variant-store-deleted",
	"omics GetWorkflow":                                      "workflow-active",
	"omics GetWorkflowVersion":                               "workflow-version-active",
	"proton GetComponent":                                    "component-deleted component-deployed",
	"proton GetEnvironment":                                  "environment-deployed",
	"proton GetEnvironmentTemplateVersion":                   "environment-template-version-registered",
	"proton GetService":                                      "service-created service-deleted service-pipeline-deployed service-updated",
	"proton GetServiceInstance":                              "service-instance-deployed",
	"proton GetServiceTemplateVersion":                       "service-template-version-registered",
	"rds DescribeDBClusterSnapshots":                         "db-cluster-snapshot-available db-cluster-snapshot-deleted",
	"rds DescribeDBClusters":                                 "db-cluster-available db-cluster-deleted",
	"rds DescribeDBInstances":                                "db-instance-available db-instance-deleted",
	"rds DescribeDBSnapshots":                                "db-snapshot-available db-snapshot-completed db-snapshot-deleted",
	"rds DescribeTenantDatabases":                            "tenant-database-available tenant-database-deleted",
	"redshift DescribeClusterSnapshots":                      "snapshot-available",
	"redshift DescribeClusters":                              "cluster-available cluster-deleted cluster-restored",
	"rekognition DescribeProjectVersions":                    "project-version-running project-version-training-completed",
	"repostspace GetChannel":                                 "channel-created channel-deleted",
	"repostspace GetSpace":                                   "space-created space-deleted",
	"resiliencehubv2 GetService":                             "service-assessment-completed service-resource-discovery-completed",
	"resiliencehubv2 ListFailureModeAssessments":             "failure-mode-assessment-success",
	"resiliencehubv2 ListReports":                            "report-succeeded",
	"route53 GetChange":                                      "resource-record-sets-changed",
	"route53-recovery-control-config DescribeCluster":        "cluster-created cluster-deleted",
	"route53-recovery-control-config DescribeControlPanel":   "control-panel-created control-panel-deleted",
	"route53-recovery-control-config DescribeRoutingControl": "routing-control-created routing-control-deleted",
	"rtbfabric GetCertificateAssociation":                    "certificate-associated certificate-disassociated",
	"rtbfabric GetInboundExternalLink":                       "inbound-external-link-active inbound-external-link-deleted",
	"rtbfabric GetLink":                                      "link-accepted link-active link-deleted",
	"rtbfabric GetLinkRoutingRule":                           "link-routing-rule-active link-routing-rule-deleted",
	"rtbfabric GetOutboundExternalLink":                      "outbound-external-link-active outbound-external-link-deleted",
	"rtbfabric GetRequesterGateway":                          "requester-gateway-active requester-gateway-deleted",
	"rtbfabric GetResponderGateway":                          "responder-gateway-active responder-gateway-deleted",
	"s3api HeadBucket":                                       "bucket-exists bucket-not-exists",
	"s3api HeadObject":                                       "object-exists object-not-exists",
	"sagemaker DescribeEndpoint":                             "endpoint-deleted endpoint-in-service",
	"sagemaker DescribeImage":                                "image-created image-deleted image-updated",
	"sagemaker DescribeImageVersion":                         "image-version-created image-version-deleted",
	"sagemaker DescribeNotebookInstance":                     "notebook-instance-deleted notebook-instance-in-service notebook-instance-stopped",
	"sagemaker DescribeProcessingJob":                        "processing-job-completed-or-stopped",
	"sagemaker DescribeTrainingJob":                          "training-job-completed-or-stopped",
	"sagemaker DescribeTransformJob":                         "transform-job-completed-or-stopped",
	"schemas DescribeCodeBinding":                            "code-binding-exists",
	"ses GetIdentityVerificationAttributes":                  "identity-exists",
	"signer DescribeSigningJob":                              "successful-signing-job",
	"simpledbv2 GetExport":                                   "export-succeeded",
	"ssm GetCommandInvocation":                               "command-executed",
	"ssm-incidents GetReplicationSet":                        "wait-for-replication-set-active wait-for-replication-set-deleted",
	"transcribe DescribeLanguageModel":                       "language-model-completed",
	"transcribe GetCallAnalyticsJob":                         "call-analytics-job-completed",
	"transcribe GetMedicalScribeJob":                         "medical-scribe-job-completed",
	"transcribe GetMedicalTranscriptionJob":                  "medical-transcription-job-completed",
	"transcribe GetMedicalVocabulary":                        "medical-vocabulary-ready",
	"transcribe GetTranscriptionJob":                         "transcription-job-completed",
	"transcribe GetVocabulary":                               "vocabulary-ready",
	"transfer DescribeServer":                                "server-offline server-online",
}

// waiter returns the command that is run while waiting.
func (p *commandParser) waiter() (string, error) {
	if _, err := p.prefix(); err != nil {
		return "", err
	}
	if len(p.words) == 0 || strings.HasPrefix(p.words[0], "-") {
		return "", commandErrorf("aws %s wait: what for isn't said: want a state, such as %s", p.service, p.states()[0])
	}
	state := p.words[0]
	p.words = p.words[1:]
	p.command.Words = append(p.command.Words, state)
	for row, names := range waiters {
		service, operation, _ := strings.Cut(row, " ")
		if service == p.service && slices.Contains(strings.Fields(names), state) {
			return kebab(operation), nil
		}
	}
	return "", &CommandError{Msg: "aws " + p.service + " wait: unknown state " + quote(state) + "; name the operation that tells it, such as describe-table", Word: state, Known: p.states()}
}

// states are those that the command's service can wait for.
func (p *commandParser) states() []string {
	var all []string
	for row, names := range waiters {
		if service, _, _ := strings.Cut(row, " "); service == p.service {
			all = append(all, strings.Fields(names)...)
		}
	}
	if slices.Sort(all); len(all) == 0 {
		all = []string{"table-exists"}
	}
	return all
}
