package apicall

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// TestShown: resources as AWS's denial messages name them for calls of which the event has no parameters, as it mostly is: what is
// derived may be them (T65, R12). The messages are those of spec and of people's logs.
func TestShown(t *testing.T) {
	for shown, calls := range map[string]string{
		"*":                                                           "ecs:ListTasks lambda:ListFunctions20150331 kms:ListKeys kms:CreateKey ecs:ListClusters ecs:RegisterTaskDefinition elasticmapreduce:ListClusters cognito-idp:ListUserPools cognito-idp:CreateUserPool iam:GetAccountSummary iam:ListAccountAliases iam:GetAccountAuthorizationDetails organizations:LeaveOrganization",
		"acm:R:A:certificate/*":                                       "acm:RequestCertificate",
		"amplify:R:A:apps/*":                                          "amplify:ListApps",
		"batch:R:A:job-definition/":                                   "batch:SubmitJob",
		"codebuild:R:A:project/p":                                     "codebuild:CreateProject",
		"ec2:R:A:elastic-ip/*":                                        "ec2:AllocateAddress",
		"glue:R:444455556666:database/d":                              "glue:CreateDatabase",
		"sagemaker:R:A:domain/*":                                      "sagemaker:ListDomains",
		"sso:::instance/*":                                            "sso:ListInstances",
		"sts::A:federated-user/f":                                     "sts:GetFederationToken",
		"apigateway:eu-west-1::/apis":                                 "apigateway:GetApis",
		"apigateway:eu-west-1::/restapis":                             "apigateway:GetRestApis",
		"ce:us-east-1:A:/GetCostAndUsage":                             "ce:GetCostAndUsage",
		"cloudformation:R:A:stack/*/*":                                "cloudformation:ListStacks",
		"cloudformation:R:A:stack/x/*":                                "cloudformation:DescribeStacks",
		"cloudfront::A:distribution/*":                                "cloudfront:CreateDistribution",
		"codedeploy:R:A:deploymentgroup:*":                            "codedeploy:ListDeployments",
		"cognito-identity:R:A:identitypool/":                          "cognito-identity:ListIdentityPools",
		"dynamodb:R:A:table/*":                                        "dynamodb:ListTables",
		"ec2:R:A:instance/*":                                          "ec2:RunInstances ec2:GetPasswordData ec2:DescribeInstanceAttribute",
		"ec2:R:A:launch-template/lt-1":                                "ec2:RunInstances ec2:CreateFleet ec2:RequestSpotFleet",
		"ec2:R:A:placement-group/pg":                                  "ec2:RunInstances ec2:CreateFleet ec2:RequestSpotInstances",
		"ec2:R::snapshot/snap-1":                                      "ec2:RunInstances ec2:CreateVolume ec2:RegisterImage ec2:RequestSpotInstances",
		"ec2:R:A:capacity-reservation/cr-1":                           "ec2:RunInstances ec2:CreateFleet",
		"ec2:R:A:elastic-gpu/*":                                       "ec2:RunInstances",
		"ec2:R:A:spot-instances-request/*":                            "ec2:RunInstances ec2:RequestSpotInstances",
		"license-manager:R:A:license-configuration:lic-1":             "ec2:RunInstances",
		"resource-groups:R:A:group/g":                                 "ec2:RunInstances",
		"iam::A:role/app":                                             "ec2:RunInstances ec2:RequestSpotInstances ec2:RequestSpotFleet autoscaling:CreateLaunchConfiguration",
		"ec2:R:A:security-group/sg-2":                                 "ec2:ModifyInstanceAttribute ec2:ModifyNetworkInterfaceAttribute",
		"ec2:R:444455556666:vpc/vpc-1":                                "ec2:CreateFlowLogs",
		"ec2:R:A:internet-gateway/*":                                  "ec2:CreateInternetGateway",
		"ec2:R:A:key-pair/k":                                          "ec2:CreateKeyPair",
		"ecr:R:A:repository/a/b":                                      "ecr:CreateRepository",
		"ecr:R:A:repository/*":                                        "ecr:DescribeRepositories",
		"ecs:R:A:cluster/c":                                           "ecs:CreateCluster",
		"eks:R:A:*":                                                   "eks:DescribeClusterVersions",
		"eks:R:A:/addons/supported-versions":                          "eks:DescribeAddonVersions",
		"eks:R:A:/clusters/c/addons":                                  "eks:ListAddons",
		"eks:R:A:/clusters/c/addons/kube-proxy":                       "eks:DescribeAddon",
		"inspector2:R:A:/findings/list":                               "inspector2:ListFindings",
		"scheduler:R:A:schedule/*/*":                                  "scheduler:ListSchedules",
		"mediaconvert:R:A:endpoints/*":                                "mediaconvert:DescribeEndpoints",
		"cur:R:A:definition/":                                         "cur:DescribeReportDefinitions",
		"wafv2:R:A:global/ipset/i/1":                                  "wafv2:CreateWebACL",
		"wafv2:R:A:regional/managedruleset/":                          "wafv2:UpdateWebACL",
		"rds:R:A:subgrp:s":                                            "rds:CreateDBInstance rds:CreateDBCluster rds:ModifyDBInstance",
		"rds:R:A:og:default:mysql-8-0":                                "rds:CreateDBInstance",
		"ec2:R:A:security-group/sg-1":                                 "ec2:CreateNetworkInterface",
		"batch:R:A:compute-environment/c":                             "batch:CreateJobQueue",
		"elasticloadbalancing:R:A:targetgroup/t/*":                    "elasticloadbalancing:AddTags",
		"cloudformation:R:aws:transform/Serverless-2016-10-31":        "cloudformation:CreateChangeSet",
		"iam::A:oidc-provider/*":                                      "iam:ListOpenIDConnectProviders",
		"iam::A:saml-provider/*":                                      "iam:ListSAMLProviders",
		"kafka:R:A:/v1/clusters":                                      "kafka:ListClusters kafka:CreateCluster",
		"codestar-connections:R:A:*":                                  "codestar-connections:ListConnections",
		"macie2:R:A:*":                                                "macie2:EnableMacie",
		"cloudformation:R:A:resource/*":                               "cloudcontrolapi:ListResources",
		"grafana:R:A:/workspaces":                                     "grafana:ListWorkspaces",
		"glue:R:A:crawler/x":                                          "glue:CreateCrawler",
		"cognito-identity:R:A:identitypool/*":                         "cognito-identity:CreateIdentityPool",
		"fsx:R:A:file-system/*":                                       "fsx:DescribeFileSystems",
		"logs:R:A:log-group::log-stream:":                             "logs:DescribeLogGroups logs:PutResourcePolicy logs:DescribeResourcePolicies",
		"eks:R:A:cluster/*":                                           "eks:ListClusters",
		"eks:R:A:cluster/c":                                           "eks:CreateCluster",
		"elasticloadbalancing:R:A:loadbalancer/app/x/*":               "elasticloadbalancing:CreateLoadBalancer",
		"elasticmapreduce:R:A:cluster/*":                              "elasticmapreduce:RunJobFlow",
		"es:R:A:domain/*":                                             "es:ListDomainNames",
		"events:R:A:event-bus/default":                                "events:PutEvents",
		"events:R:A:rule/*":                                           "events:ListRules",
		"evidently:R:A:project/demo/feature/x":                        "evidently:EvaluateFeature",
		"glue:R:A:catalog":                                            "glue:CreateTable",
		"guardduty:R:A:detector/*":                                    "guardduty:ListDetectors",
		"iam::A:instance-profile/":                                    "iam:ListInstanceProfiles",
		"iam::A:mfa/":                                                 "iam:ListVirtualMFADevices",
		"iam::A:role/":                                                "iam:ListRoles",
		"iam::A:user/":                                                "iam:ListUsers",
		"policy path /":                                               "iam:ListPolicies",
		"lambda:R:444455556666:layer:l:5":                             "lambda:GetLayerVersion",
		"rds:R:A:db:*":                                                "rds:DescribeDBInstances",
		"sagemaker:R:A:training-job/j":                                "sagemaker:CreateTrainingJob",
		"secretsmanager:R:A:secret:*":                                 "secretsmanager:GetSecretValue",
		"securityhub:R:A:hub/default":                                 "securityhub:GetFindings",
		"sns:R:A:*":                                                   "sns:ListTopics sns:ListSubscriptions",
		"sqs:R:A:":                                                    "sqs:ListQueues",
		"ssm:R:A:*":                                                   "ssm:DescribeParameters ssm:DescribeInstanceInformation ssm:GetCommandInvocation ssm:ListCommandInvocations",
		"ssm:R::document/AWS-RunShellScript":                          "ssm:SendCommand",
		"ec2:R:A:instance/i-1":                                        "ssm:SendCommand ssm:StartSession",
		"states:R:A:stateMachine:*":                                   "states:ListStateMachines",
		"bedrock:R::foundation-model/anthropic.claude-sonnet-4-6":     "bedrock:InvokeModel",
		"autoscaling:R:A:autoScalingGroup:*:autoScalingGroupName/web": "autoscaling:CreateAutoScalingGroup",
	} {
		for call := range strings.FieldsSeq(calls) {
			service, operation, _ := strings.Cut(call, ":")
			named := strings.ReplaceAll(strings.ReplaceAll(shown, ":R:", ":eu-west-1:"), ":A:", ":222222222222:")
			if strings.Contains(named, ":") {
				named = "arn:aws:" + named
			}
			var got []string
			ok := false
			for _, r := range Requests(callOf(t, service, operation, "")) {
				got = append(got, line(r))
				ok = ok || r.Resource.ARN == named || r.Resource.Pattern && glob(r.Resource.ARN, named)
			}
			if !ok {
				t.Errorf("%s: AWS names %s, derived are %q", call, named, got)
			}
		}
	}
}

// TestByReference: resources by the service reference (T82, T83), with CloudTrail's and the API's names of parameters.
func TestByReference(t *testing.T) {
	const ra = "eu-west-1:222222222222"
	tests := []struct {
		name, service, operation, parameters string
		want                                 []string
	}{
		{"R10", "athena", "ListWorkGroups", "", []string{"*"}},
		{"R10: not of an action with types", "rds", "DescribeDBInstances", "{}", []string{"~*"}},
		{"the slot's name", "kendra", "Query", `{"indexId":"i"}`, []string{"kendra:" + ra + ":index/i"}},
		{"the slot's name, as the API has it", "kendra", "Query", `{"IndexId":"i"}`, []string{"kendra:" + ra + ":index/i"}},
		{"the type's name", "evidently", "EvaluateFeature", `{"project":"demo","feature":"f"}`, []string{"evidently:" + ra + ":project/demo/feature/f"}},
		{"a list", "elasticmapreduce", "TerminateJobFlows", `{"jobFlowIds":["j-1","j-2"]}`, []string{"elasticmapreduce:" + ra + ":cluster/j-1", "elasticmapreduce:" + ra + ":cluster/j-2"}},
		{"EC2's lists", "ec2", "DeleteFleets", `{"fleetIdSet":{"items":[{"fleetId":"fleet-1"}]}}`, []string{"ec2:" + ra + ":fleet/fleet-1"}},
		{"EC2's lists as the API has them", "ec2", "DeleteFleets", `{"FleetIds":["fleet-1","fleet-2"]}`, []string{"ec2:" + ra + ":fleet/fleet-1", "ec2:" + ra + ":fleet/fleet-2"}},
		{"name: the operation is about the type", "codebuild", "BatchGetProjects", `{"names":["a","b"]}`, []string{"codebuild:" + ra + ":project/a", "codebuild:" + ra + ":project/b"}},
		{"name: inside the object", "codepipeline", "UpdatePipeline", `{"pipeline":{"name":"p"}}`, []string{"codepipeline:" + ra + ":p"}},
		{"name: about something else", "glue", "StartWorkflowRun", `{"name":"w"}`, []string{"~glue:eu-west-1:*:workflow/*"}},
		{"name: perhaps a new one", "bedrock", "UpdateGuardrail", `{"guardrailArn":"x","name":"n"}`, []string{"~bedrock:eu-west-1:*:guardrail/*"}},
		{"name of the child, not of what it is in", "mediapackagev2", "GetChannel", `{"channelName":"c"}`, []string{"~mediapackagev2:" + ra + ":channelGroup/*/channel/c"}},
		{"made on creation", "appconfig", "CreateApplication", `{"name":"a"}`, []string{"*"}},
		{"an id follows", "autoscaling", "CreateLaunchConfiguration", `{"launchConfigurationName":"l"}`, []string{"~autoscaling:" + ra + ":launchConfiguration:*:launchConfigurationName/l"}},
		{"an id follows, in part", "eks", "UpdateAddon", `{"name":"c","addonName":"n"}`, []string{"~eks:" + ra + ":addon/c/n/*"}},
		{"a word too many", "appsync", "GetGraphqlApi", `{"apiId":"a/b"}`, []string{"~appsync:eu-west-1:*:apis/*"}},
		{"a wildcard isn't the name", "kendra", "Query", `{"indexId":"i*"}`, []string{"~kendra:eu-west-1:*:index/*"}},
		{"T85 hidden", "kendra", "Query", `{"indexId":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, []string{"~kendra:eu-west-1:*:index/*"}},
		{"spelt twice", "kendra", "Query", `{"indexId":"a","IndexId":"b"}`, []string{"~kendra:eu-west-1:*:index/*"}},
		{"folded by the service", "sagemaker", "InvokeEndpoint", `{"endpointName":"Main"}`, []string{"~sagemaker:eu-west-1:*:endpoint/*"}},
		{"folded, in lower case", "sagemaker", "InvokeEndpoint", `{"endpointName":"main"}`, []string{"sagemaker:" + ra + ":endpoint/main"}},
		{"what a pattern has before the part", "organizations", "DescribeAccount", `{"accountId":"222222222222"}`, []string{"~organizations::*:account/o-*/222222222222"}},
		{"a shared type", "route53resolver", "AssociateResolverRule", `{"resolverRuleId":"rslvr-1"}`, []string{"~route53resolver:eu-west-1:*:resolver-rule/rslvr-1"}},
		{"the account given", "quicksight", "DescribeDashboard", `{"awsAccountId":"333333333333","dashboardId":"d"}`, []string{"quicksight:eu-west-1:333333333333:dashboard/d"}},
		{"ARN", "kafka", "DescribeCluster", `{"clusterArn":"arn:aws:kafka:us-east-1:1:cluster/c/uuid"}`, []string{"kafka:us-east-1:1:cluster/c/uuid"}},
		{"ARN of a type that may be tagged", "eks", "TagResource", `{"resourceArn":"arn:aws:eks:us-east-1:333333333333:cluster/c"}`, []string{"eks:us-east-1:333333333333:cluster/c"}},
		{"ARNs, of several types", "xray", "TagResource", `{"resourceARN":"arn:aws:xray:us-east-1:333333333333:group/g/1"}`, []string{"xray:us-east-1:333333333333:group/g/1"}},
		{"ARN of a type that the reference doesn't have", "elasticloadbalancing", "AddTags", `{"resourceArns":["arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/x/1"]}`, []string{"elasticloadbalancing:" + ra + ":targetgroup/x/1"}},
		{"what isn't an ARN where one is meant", "elasticloadbalancing", "AddTags", `{"resourceArns":["x"]}`, []string{"~elasticloadbalancing:" + ra + ":*"}},
		{"ARN of what is used", "iot", "AttachPolicy", `{"policyName":"p","target":"arn:aws:iot:eu-west-1:222222222222:cert/abc"}`, []string{"~*"}},
		{"ARN with a wildcard", "kafka", "DescribeCluster", `{"clusterArn":"arn:aws:kafka:us-east-1:1:cluster/*/uuid"}`, []string{"~kafka:eu-west-1:*:cluster/*"}},
		{"ARN of another service", "kafka", "DescribeCluster", `{"clusterArn":"arn:aws:rds:us-east-1:1:cluster:x"}`, []string{"~kafka:eu-west-1:*:cluster/*"}},
		{"the slot's name, of another type", "memorydb", "CreateCluster", `{"clusterName":"c","aCLName":"a","subnetGroupName":"s"}`, []string{"memorydb:" + ra + ":acl/a", "memorydb:" + ra + ":subnetgroup/s"}},
		{"R12: not a *", "ce", "CreateAnomalyMonitor", "{}", []string{"~*"}},
		{"R12: not a *", "aoss", "CreateSecurityPolicy", "{}", []string{"~*"}},
		{"a version is checked as the machine", "states", "StartExecution", `{"stateMachineArn":"arn:aws:states:eu-west-1:222222222222:stateMachine:m:PROD"}`, []string{"states:" + ra + ":stateMachine:m"}},
		{"an alias is checked as the machine", "states", "UpdateStateMachineAlias", `{"stateMachineAliasArn":"arn:aws:states:eu-west-1:222222222222:stateMachine:m:PROD"}`, []string{"states:" + ra + ":stateMachine:m"}},
		{"T82.6 a layer's ARN and the version", "lambda", "GetLayerVersion20181031", `{"layerName":"arn:aws:lambda:eu-west-1:333333333333:layer:l","versionNumber":5}`, []string{"lambda:eu-west-1:333333333333:layer:l:5"}},
		{"T82.6 a layer's ARN alone", "lambda", "GetLayerVersion20181031", `{"layerName":"arn:aws:lambda:eu-west-1:333333333333:layer:l","versionNumber":"***"}`, []string{"~lambda:eu-west-1:333333333333:layer:l:*"}},
		{"T82.41 the latest revision", "batch", "SubmitJob", `{"jobName":"j","jobQueue":"q","jobDefinition":"d"}`, []string{"batch:" + ra + ":job-queue/q", "~batch:" + ra + ":job-definition/d*"}},
		{"T82.41 a revision", "batch", "SubmitJob", `{"jobName":"j","jobQueue":"q","jobDefinition":"d:3"}`, []string{"batch:" + ra + ":job-queue/q", "~batch:" + ra + ":job-definition/d:3*"}},
		{"T83 all of them", "redshift", "GetClusterCredentials", `{"clusterIdentifier":"c","dbUser":"u","dbName":"d"}`, []string{"redshift:" + ra + ":dbuser:c/u", "redshift:" + ra + ":dbname:c/d"}},
		{"T83 optional, not given", "redshift", "GetClusterCredentials", `{"clusterIdentifier":"c","dbUser":"u"}`, []string{"redshift:" + ra + ":dbuser:c/u"}},
		{"T83 inside one another", "appconfig", "GetEnvironment", `{"applicationId":"a","environmentId":"e"}`, []string{"appconfig:" + ra + ":application/a", "appconfig:" + ra + ":application/a/environment/e"}},
		{"T83 a version or the whole", "bedrock", "GetPrompt", `{"promptIdentifier":"P","promptVersion":"1"}`, []string{"~bedrock:" + ra + ":prompt/P*"}},
		{"ARN of what another service has", "backup", "StartBackupJob", `{"backupVaultName":"v","resourceArn":"arn:aws:rds:eu-west-1:222222222222:db:x"}`, []string{"backup:" + ra + ":backup-vault:v"}},
		{"folded by Glue", "glue", "GetTables", `{"databaseName":"D"}`, []string{"~glue:eu-west-1:*:database/*", "glue:" + ra + ":catalog", "~glue:eu-west-1:*:table/*"}},
		{"T83 none of several", "appconfig", "GetEnvironment", "", []string{"~*"}},
		{"one of several types", "ssm", "UpdateInstanceInformation", `{"instanceId":"mi-1"}`, []string{"ssm:" + ra + ":managed-instance/mi-1"}},
		{"types told apart by the id", "ssm", "UpdateInstanceAssociationStatus", `{"associationId":"a","instanceId":"i-1"}`, []string{"ssm:" + ra + ":association/a", "ec2:" + ra + ":instance/i-1"}},
		{"types that can't be told apart", "bedrock-agentcore", "GetBrowserSession", `{"browserId":"b"}`, []string{"~*"}},
		{"copies", "ec2", "CopySnapshot", `{"sourceRegion":"us-east-1","sourceSnapshotId":"snap-1"}`, []string{"~ec2:*::snapshot/*"}},
		{"without an account", "bedrock", "InvokeModel", `{"modelId":"amazon.nova-lite-v1:0"}`, []string{"bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"}},
		{"T82.40 profile and models", "bedrock", "InvokeModel", `{"modelId":"eu.amazon.nova-lite-v1:0"}`, []string{
			"bedrock:" + ra + ":inference-profile/eu.amazon.nova-lite-v1:0", "~bedrock:*::foundation-model/amazon.nova-lite-v1:0"}},
		{"T82.22 classic", "elasticloadbalancing", "CreateLoadBalancer", `{"loadBalancerName":"n"}`, []string{"elasticloadbalancing:" + ra + ":loadbalancer/n"}},
		{"T82.22 by type", "elasticloadbalancing", "CreateLoadBalancer", `{"name":"n","type":"network"}`, []string{"~elasticloadbalancing:" + ra + ":loadbalancer/net/n/*"}},
		{"T82.44 scope", "wafv2", "CreateWebACL", `{"name":"n","scope":"REGIONAL"}`, []string{"~wafv2:" + ra + ":*/webacl/n/*"}},
		{"T82.33 glue", "glue", "CreateTable", `{"databaseName":"d","tableInput":{"name":"t"},"catalogId":"333333333333"}`, []string{
			"glue:eu-west-1:333333333333:database/d", "glue:eu-west-1:333333333333:catalog", "glue:eu-west-1:333333333333:table/d/t"}},
		{"ARN parameter without an ARN", "elasticloadbalancing", "DeleteTargetGroup", `{"targetGroupArn":"x"}`, []string{"~elasticloadbalancing:" + ra + ":targetgroup/*"}},
		{"T82.5, as the API has it", "ec2", "StopInstances", `{"InstanceIds":["i-1","i-2"]}`, []string{"ec2:" + ra + ":instance/i-1", "ec2:" + ra + ":instance/i-2"}},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.operation+" "+tt.name, func(t *testing.T) {
			var got []string
			for _, r := range Requests(callOf(t, tt.service, tt.operation, tt.parameters)) {
				l := r.Resource.ARN
				if a, ok := policy.ParseARN(l); ok && a.Partition == "aws" {
					l = strings.TrimPrefix(l, "arn:aws:")
				}
				if r.Resource.Pattern {
					l = "~" + l
				}
				if r.Required {
					got = append(got, l)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("resources (-want +got)\n%s", diff)
			}
		})
	}
}

// TestReferenceSources: where a resource by the reference comes from, and what the event's own resources settle (T75).
func TestReferenceSources(t *testing.T) {
	cluster := "arn:aws:kafka:eu-west-1:333333333333:cluster/c/uuid"
	tests := []struct {
		name, service, operation, parameters string
		recorded                             []RecordedResource
		want                                 string
		source                               Source
	}{
		{"named", "kendra", "Query", `{"indexId":"i"}`, nil, "arn:aws:kendra:eu-west-1:222222222222:index/i", FromReference},
		{"R10", "athena", "ListWorkGroups", "{}", nil, "*", FromReference},
		{"its ARN", "kafka", "DescribeCluster", `{"clusterArn":"` + cluster + `"}`, nil, cluster, FromEvent},
		{"unknown", "rds", "DescribeDBInstances", "", nil, "~*", FromNowhere},
		{"recorded", "kafka", "DescribeCluster", "", []RecordedResource{{ARN: cluster}}, cluster, FromEvent},
		{"recorded, of no type of the action", "kafka", "DescribeCluster", "", []RecordedResource{{ARN: "arn:aws:kafka:eu-west-1:333333333333:topic/c/uuid/t"}}, "~arn:aws:kafka:eu-west-1:*:cluster/*", FromReference},
		{"recorded, several", "kafka", "DescribeCluster", "", []RecordedResource{{ARN: cluster}, {ARN: cluster + "2"}}, "~arn:aws:kafka:eu-west-1:*:cluster/*", FromReference},
		{"recorded, of another account", "kendra", "Query", `{"indexId":"i"}`, []RecordedResource{{ARN: "arn:aws:kendra:eu-west-1:333333333333:index/i"}}, "arn:aws:kendra:eu-west-1:333333333333:index/i", FromEvent},
		{"recorded, what was unknown", "appconfig", "GetEnvironment", "", []RecordedResource{{ARN: "arn:aws:appconfig:eu-west-1:222222222222:application/a/environment/e"}}, "arn:aws:appconfig:eu-west-1:222222222222:application/a/environment/e", FromEvent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := callOf(t, tt.service, tt.operation, tt.parameters)
			c.Resources = tt.recorded
			r := Requests(c)[0]
			got := r.Resource.ARN
			if r.Resource.Pattern {
				got = "~" + got
			}
			if got != tt.want || r.ResourceSource != tt.source {
				t.Errorf("got %s (%s), want %s (%s)", got, r.ResourceSource, tt.want, tt.source)
			}
		})
	}
}

// TestResourceless: R10, R12.
func TestResourceless(t *testing.T) {
	for action, want := range map[string]bool{
		"ec2:DescribeInstances": true, "EC2:describeinstances": true, "lambda:ListFunctions": true, "s3:GetObject": false, "ec2:DescribeInstanceAttribute": false,
		"iam:ListRoles": false, "ssm:DescribeParameters": false, "s3:ListAllMyBuckets": false, "eks:DescribeAddonVersions": false, "sagemaker:ListModels": false, "nothing:DoIt": false, "s3:NoSuchAction": false, "s3": false, "": false,
	} {
		if got := Resourceless(action); got != want {
			t.Errorf("%s: got %v", action, got)
		}
	}
}

// TestReferenceCaller: partition, Region and account are the call's (T84); what isn't known of them is a wildcard.
func TestReferenceCaller(t *testing.T) {
	tests := []struct{ name, partition, region, account, want string }{
		{"China", "", "cn-north-1", "222222222222", "arn:aws-cn:kendra:cn-north-1:222222222222:index/i"},
		{"given", "aws-us-gov", "us-gov-west-1", "222222222222", "arn:aws-us-gov:kendra:us-gov-west-1:222222222222:index/i"},
		{"no account", "", "eu-west-1", "", "~arn:aws:kendra:eu-west-1:*:index/i"},
		{"no Region", "", "", "222222222222", "~arn:aws:kendra:*:222222222222:index/i"},
		{"neither is a part of an ARN", "", "a:b", "*", "~arn:aws:kendra:*:*:index/i"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Requests(Call{Service: "kendra", Operation: "Query", Partition: tt.partition, Region: tt.region, Account: tt.account, Parameters: map[string]any{"indexId": "i"}})
			if l := strings.TrimPrefix(line(got[0]), "kendra:Query "); l != tt.want {
				t.Errorf("got %s, want %s", l, tt.want)
			}
		})
	}
}

// TestShownInSpec is TestShown over the messages of the specification: a call without parameters, of an account of its own,
// may be on what the message names.
func TestShownInSpec(t *testing.T) {
	tested := 0
	lines := sharedLines(t, "spec/denial-messages.jsonl")
	for n := 1; lines.Scan(); n++ {
		var record struct {
			Expect struct{ Action, Resource string }
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		service, operation, _ := strings.Cut(record.Expect.Action, ":")
		named, ok := policy.ParseARN(record.Expect.Resource)
		if _, _, known := referenceAction(record.Expect.Action); !known || !ok || named.Region != "" && !plain(named.Region) || named.Account != "" && !plain(named.Account) {
			continue // no action, no ARN, or a part that is masked
		}
		tested++
		got := Requests(Call{Service: service, Operation: operation, Partition: named.Partition, Region: named.Region, Account: "111122223333"})
		ok = false
		var all []string
		for _, r := range got {
			ok = ok || r.Action == record.Expect.Action && (r.Resource.ARN == record.Expect.Resource || r.Resource.Pattern && glob(r.Resource.ARN, record.Expect.Resource))
			all = append(all, line(r))
		}
		if !ok {
			t.Errorf("line %d: %s on %s, derived are %q", n, record.Expect.Action, record.Expect.Resource, all)
		}
	}
	if tested < 40 {
		t.Errorf("only %d messages name an action and an ARN", tested)
	}
	t.Logf("%d messages", tested)
}
