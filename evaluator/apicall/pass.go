package apicall

import (
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A pass is a role that an operation hands to a service, which needs iam:PassRole (S12, S44, S45).
type pass struct {
	params  string // where the role is named, by ARN or name
	service string // iam:PassedToService; "" if that isn't sure
	profile string // where an instance profile is named, of which the call doesn't tell the role
	always  bool   // the role is passed even if the call doesn't name it: the definition does
}

// passes are the operations that are known to hand over a role, and where they name it. CloudFormation, without one, does all
// with its caller's permissions (rule S46). What the service reference knows beyond is passedByReference's.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
var passes = map[string]pass{
	"lambda:CreateFunction":                    {params: "role", service: "lambda.amazonaws.com"},
	"lambda:UpdateFunctionConfiguration":       {params: "role", service: "lambda.amazonaws.com"},
	"ec2:RunInstances":                         {params: "iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:AssociateIamInstanceProfile":          {params: "iamInstanceProfile associateIamInstanceProfileRequest.iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:ReplaceIamInstanceProfileAssociation": {params: "iamInstanceProfile replaceIamInstanceProfileAssociationRequest.iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:RequestSpotInstances":                 {params: "launchSpecification.iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:RequestSpotFleet":                     {params: "spotFleetRequestConfig.iamFleetRole", profile: "spotFleetRequestConfig.launchSpecifications.iamInstanceProfile"},
	"autoscaling:CreateLaunchConfiguration":    {profile: "iamInstanceProfile", service: "ec2.amazonaws.com"},
	"mediaconvert:CreateJob":                   {params: "role", service: "mediaconvert.amazonaws.com"},
	"ec2:CreateFlowLogs":                       {params: "deliverLogsPermissionArn deliverCrossAccountRole createFlowLogsRequest.deliverLogsPermissionArn"},
	"iam:AddRoleToInstanceProfile":             {params: "roleName", service: "ec2.amazonaws.com"},
	"ecs:RegisterTaskDefinition":               {params: "taskRoleArn executionRoleArn", service: "ecs-tasks.amazonaws.com"},
	"ecs:RunTask":                              {params: "overrides.taskRoleArn overrides.executionRoleArn", service: "ecs-tasks.amazonaws.com", always: true},
	"ecs:StartTask":                            {params: "overrides.taskRoleArn overrides.executionRoleArn", service: "ecs-tasks.amazonaws.com", always: true},
	"cloudformation:CreateStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:UpdateStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:DeleteStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:CreateChangeSet":           {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:ContinueUpdateRollback":    {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:RollbackStack":             {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:CreateStackSet":            {params: "administrationRoleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:UpdateStackSet":            {params: "administrationRoleARN", service: "cloudformation.amazonaws.com"},
	"states:CreateStateMachine":                {params: "roleArn", service: "states.amazonaws.com"},
	"states:UpdateStateMachine":                {params: "roleArn", service: "states.amazonaws.com"},
	"glue:CreateJob":                           {params: "role", service: "glue.amazonaws.com"},
	"glue:UpdateJob":                           {params: "jobUpdate.role", service: "glue.amazonaws.com"},
	"glue:CreateCrawler":                       {params: "role", service: "glue.amazonaws.com"},
	"glue:UpdateCrawler":                       {params: "role", service: "glue.amazonaws.com"},
	"glue:CreateDevEndpoint":                   {params: "roleArn", service: "glue.amazonaws.com"},
	"glue:CreateSession":                       {params: "role", service: "glue.amazonaws.com"},
	"glue:CreateMLTransform":                   {params: "role", service: "glue.amazonaws.com"},
	"codebuild:CreateProject":                  {params: "serviceRole", service: "codebuild.amazonaws.com"},
	"codebuild:UpdateProject":                  {params: "serviceRole", service: "codebuild.amazonaws.com"},
	"codebuild:StartBuild":                     {params: "serviceRoleOverride", service: "codebuild.amazonaws.com"},
	"codebuild:StartBuildBatch":                {params: "serviceRoleOverride", service: "codebuild.amazonaws.com"},
	"codepipeline:CreatePipeline":              {params: "pipeline.roleArn", service: "codepipeline.amazonaws.com"},
	"codepipeline:UpdatePipeline":              {params: "pipeline.roleArn", service: "codepipeline.amazonaws.com"},
	"sagemaker:CreateNotebookInstance":         {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:UpdateNotebookInstance":         {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateTrainingJob":              {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateProcessingJob":            {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateModel":                    {params: "executionRoleArn", service: "sagemaker.amazonaws.com"},
	"events:PutRule":                           {params: "roleArn", service: "events.amazonaws.com"},
	"events:PutTargets":                        {params: "targets.roleArn"},
	"scheduler:CreateSchedule":                 {params: "target.roleArn", service: "scheduler.amazonaws.com"},
	"scheduler:UpdateSchedule":                 {params: "target.roleArn", service: "scheduler.amazonaws.com"},
	"pipes:CreatePipe":                         {params: "roleArn", service: "pipes.amazonaws.com"},
	"pipes:UpdatePipe":                         {params: "roleArn", service: "pipes.amazonaws.com"},
	"firehose:CreateDeliveryStream":            {params: firehoseRoles, service: "firehose.amazonaws.com"},
	"cloudtrail:CreateTrail":                   {params: "cloudWatchLogsRoleArn", service: "cloudtrail.amazonaws.com"},
	"cloudtrail:UpdateTrail":                   {params: "cloudWatchLogsRoleArn", service: "cloudtrail.amazonaws.com"},
	"config:PutConfigurationRecorder":          {params: "configurationRecorder.roleARN", service: "config.amazonaws.com"},
	"elasticmapreduce:RunJobFlow":              {params: "serviceRole autoScalingRole", profile: "jobFlowRole"},
	"codedeploy:CreateDeploymentGroup":         {params: "serviceRoleArn", service: "codedeploy.amazonaws.com"},
	"codedeploy:UpdateDeploymentGroup":         {params: "serviceRoleArn", service: "codedeploy.amazonaws.com"},
	"batch:CreateComputeEnvironment":           {params: "serviceRole", service: "batch.amazonaws.com"},
	"backup:CreateBackupSelection":             {params: "backupSelection.iamRoleArn", service: "backup.amazonaws.com"},
	"backup:StartBackupJob":                    {params: "iamRoleArn", service: "backup.amazonaws.com"},
	"backup:StartCopyJob":                      {params: "iamRoleArn", service: "backup.amazonaws.com"},
	"backup:StartRestoreJob":                   {params: "iamRoleArn", service: "backup.amazonaws.com"},
	"datasync:CreateLocationS3":                {params: "s3Config.bucketAccessRoleArn", service: "datasync.amazonaws.com"},
	"ssm:StartAutomationExecution":             {params: "parameters.automationAssumeRole", service: "ssm.amazonaws.com"},
	"ssm:RegisterTaskWithMaintenanceWindow":    {params: "serviceRoleArn", service: "ssm.amazonaws.com"},
	"ssm:CreateActivation":                     {params: "iamRole", service: "ssm.amazonaws.com"},
	"ssm:SendCommand":                          {params: "serviceRoleArn"},
	"rds:StartExportTask":                      {params: "iamRoleArn"},
	"rds:CreateDBInstance":                     {params: "monitoringRoleArn domainIAMRoleName"},
	"rds:ModifyDBInstance":                     {params: "monitoringRoleArn domainIAMRoleName"},
	"rds:AddRoleToDBInstance":                  {params: "roleArn"},
	"rds:AddRoleToDBCluster":                   {params: "roleArn"},
	"redshift:CreateCluster":                   {params: "iamRoles"},
	"redshift:ModifyClusterIamRoles":           {params: "addIamRoles"},
	"eks:CreateCluster":                        {params: "roleArn", service: "eks.amazonaws.com"},
	"eks:CreateNodegroup":                      {params: "nodeRole"},
	"eks:CreateFargateProfile":                 {params: "podExecutionRoleArn"},
	"eks:CreatePodIdentityAssociation":         {params: "roleArn", service: "pods.eks.amazonaws.com"},
	"eks:CreateAddon":                          {params: "podIdentityAssociations.roleArn", service: "pods.eks.amazonaws.com"},
	"batch:RegisterJobDefinition":              {params: "containerProperties.jobRoleArn containerProperties.executionRoleArn"},
	"logs:PutSubscriptionFilter":               {params: "roleArn"},
	"logs:PutDestination":                      {params: "roleArn"},
	"transfer:CreateUser":                      {params: "role", service: "transfer.amazonaws.com"},
	"transfer:UpdateUser":                      {params: "role", service: "transfer.amazonaws.com"},
	"transfer:CreateServer":                    {params: "loggingRole", service: "transfer.amazonaws.com"},
	"appsync:CreateDataSource":                 {params: "serviceRoleArn", service: "appsync.amazonaws.com"},
	"appsync:UpdateDataSource":                 {params: "serviceRoleArn", service: "appsync.amazonaws.com"},
	"s3:PutBucketReplication":                  {params: "replicationConfiguration.role"},
	"s3:DeleteBucketReplication":               {}, // has the action, and no role
	"dlm:CreateLifecyclePolicy":                {params: "executionRoleArn"},
}

// firehoseRoles are where the sources and destinations of a Firehose stream name their roles.
//
// https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
const firehoseRoles = "extendedS3DestinationConfiguration.roleARN s3DestinationConfiguration.roleARN " +
	"redshiftDestinationConfiguration.roleARN redshiftDestinationConfiguration.s3Configuration.roleARN " +
	"elasticsearchDestinationConfiguration.roleARN elasticsearchDestinationConfiguration.s3Configuration.roleARN " +
	"amazonopensearchserviceDestinationConfiguration.roleARN amazonopensearchserviceDestinationConfiguration.s3Configuration.roleARN " +
	"splunkDestinationConfiguration.s3Configuration.roleARN " +
	"httpEndpointDestinationConfiguration.roleARN httpEndpointDestinationConfiguration.s3Configuration.roleARN " +
	"kinesisStreamSourceConfiguration.roleARN"

func (d *derivation) passRole(p pass) []Request {
	var all []Request
	add := func(required bool, r evaluator.Resource) {
		all = append(all, d.pass(FromTable, p.service, required, r))
	}
	for path := range strings.FieldsSeq(p.params) {
		nodes, state := d.params.nodes(path)
		if state == notKnown {
			add(false, d.anyRole())
			break
		}
		for _, n := range nodes {
			add(true, d.role(n))
			if len(all) >= maxKeys {
				return all
			}
		}
	}
	if p.profile != "" && (!d.params.known && len(all) == 0 || d.gives(p.profile)) {
		add(d.params.known, d.anyRole())
	}
	if len(all) == 0 && (p.always || d.gives("launchTemplate")) {
		add(false, d.anyRole())
	}
	return all
}

// pass is the request to hand a role to a service. Which one that is goes into the context, if it is sure: in China
// the services' names have another end.
func (d *derivation) pass(from Source, service string, required bool, role evaluator.Resource) Request {
	req := Request{Action: "iam:PassRole", ActionSource: from, Required: required}
	req.Resource, req.ResourceSource = d.sourced(role)
	if service != "" && (d.partition == "aws" || d.partition == "aws-us-gov") {
		req.Context = []evaluator.ContextValue{present("iam:PassedToService", service)}
	} else {
		req.Context = []evaluator.ContextValue{{Name: "iam:PassedToService", State: evaluator.PresentUnknown}}
	}
	return req
}

func (d *derivation) anyRole() evaluator.Resource { return d.pattern("iam::" + d.account + ":role/*") }

// role reads a role's ARN or name; an instance profile names none.
func (d *derivation) role(n any) evaluator.Resource {
	s, ok := text(n)
	if !ok {
		return d.anyRole()
	}
	if r, ok := given1(s, "iam", "role/"); ok {
		return r
	}
	if s = strings.TrimPrefix(s, "/"); nameLike(s) {
		return d.pattern("iam::" + d.account + ":role/*" + s)
	}
	return d.anyRole()
}

// passedTo are the services of which every operation that takes a role hands it to the same principal, as AWS's managed
// policies name it under iam:PassedToService.
//
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
var passedTo = map[string]string{
	"backup":               "backup.amazonaws.com",
	"budgets":              "budgets.amazonaws.com",
	"sagemaker":            "sagemaker.amazonaws.com",
	"sagemaker-geospatial": "sagemaker-geospatial.amazonaws.com",
	"scheduler":            "scheduler.amazonaws.com",
	"states":               "states.amazonaws.com",
	"transfer":             "transfer.amazonaws.com",
}

// passedByReference are the roles that an operation hands over which the service reference, but no row of passes, has
// iam:PassRole for: those whose ARNs stand under a parameter that speaks of a role (T81).
func (d *derivation) passedByReference() []Request {
	var all []Request
	if d.params.known {
		for _, arn := range d.roleARNs() {
			if r, ok := given1(arn, "iam", "role/"); ok {
				all = append(all, d.pass(FromReference, passedTo[d.prefix], !takesAway(d.operation), r))
			}
		}
	}
	if len(all) == 0 {
		return []Request{d.pass(FromReference, passedTo[d.prefix], false, d.anyRole())}
	}
	return all
}

// takesAway reports whether an operation takes a role away rather than handing it over: the reference has iam:PassRole for some
// of those, too, which no page of AWS's explains.
func takesAway(operation string) bool {
	for _, verb := range []string{"Remove", "Delete", "Disassociate", "Disable"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// roleARNs are the ARNs of roles under parameters whose names speak of roles, each once, in the order of the names.
func (d *derivation) roleARNs() []string {
	var all []string
	d.eachText(func(name, value string) bool {
		if strings.Contains(strings.ToLower(name), "role") && strings.HasPrefix(value, "arn:") && strings.Contains(value, ":role/") && !slices.Contains(all, value) {
			all = append(all, value)
		}
		return len(all) < maxKeys
	})
	return all
}

// eachText visits the texts among the parameters with the name that each stands under, until visit says to stop. It
// looks no further than a bound that no call of AWS's reaches.
func (d *derivation) eachText(visit func(name, value string) bool) {
	budget := 10 * maxValues
	walkTexts(d.params.root, "", &budget, visit)
}

func walkTexts(v any, name string, budget *int, visit func(name, value string) bool) bool {
	if *budget--; *budget < 0 {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if !walkTexts(v[k], k, budget, visit) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !walkTexts(item, name, budget, visit) {
				return false
			}
		}
	case string:
		if !hidden(v) {
			return visit(name, v)
		}
	}
	return true
}
