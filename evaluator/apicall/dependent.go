package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// runInstances needs its action on everything that an instance is made of (S43). What
// a launch template gives isn't in the call.
func (d *derivation) runInstances() []Request {
	_, template := d.params.nodes("launchTemplate")
	all := d.on("ec2:RunInstances", FromName, true, d.fill("ec2:{r}:{a}:instance/*"))
	add := func(required bool, template string) {
		all = append(all, d.on("ec2:RunInstances", FromTable, required, d.fill(template))...)
	}
	if image, state := d.params.one("instancesSet.items.imageId", "imageId"); state == given && !strings.HasPrefix(image, "resolve:") {
		add(true, "ec2:{r}::image/{instancesSet.items.imageId,imageId}")
	} else {
		add(true, "ec2:{r}::image/*")
	}
	add(true, "ec2:{r}:{a}:network-interface/*")
	if d.gives("subnetId", "networkInterfaceSet.items.subnetId") {
		add(true, "ec2:{r}:*:subnet/{subnetId,networkInterfaceSet.items.subnetId}")
	} else {
		add(true, "ec2:{r}:*:subnet/*")
	}
	add(true, "ec2:{r}:*:security-group/{groupSet.items.groupId,networkInterfaceSet.items.groupSet.items.groupId}")
	add(true, "ec2:{r}:{a}:volume/*")
	if d.gives("instancesSet.items.keyName", "keyName") {
		add(true, "ec2:{r}:{a}:key-pair/{instancesSet.items.keyName,keyName}")
	} else if !d.params.known || template == given {
		add(false, "ec2:{r}:{a}:key-pair/*")
	}
	if template == given {
		add(true, "ec2:{r}:{a}:launch-template/{launchTemplate.launchTemplateId}")
	}
	return all
}

func (d *derivation) gives(paths ...string) bool {
	for _, p := range paths {
		if _, state := d.params.nodes(p); state == given {
			return true
		}
	}
	return false
}

// A pass is a role that an operation hands to a service, which needs iam:PassRole (S12, S44, S45).
type pass struct {
	params  string // where the role is named, by ARN or name
	service string // iam:PassedToService; "" if that isn't sure
	always  bool   // the role is passed even if the call doesn't name it: the definition does
}

// passes are the operations that hand over a role. CloudFormation, without one, does all with its caller's permissions (rule S46).
var passes = map[string]pass{
	"lambda:CreateFunction":                    {params: "role", service: "lambda.amazonaws.com"},
	"lambda:UpdateFunctionConfiguration":       {params: "role", service: "lambda.amazonaws.com"},
	"ec2:RunInstances":                         {params: "iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:AssociateIamInstanceProfile":          {params: "iamInstanceProfile associateIamInstanceProfileRequest.iamInstanceProfile", service: "ec2.amazonaws.com"},
	"ec2:ReplaceIamInstanceProfileAssociation": {params: "iamInstanceProfile replaceIamInstanceProfileAssociationRequest.iamInstanceProfile", service: "ec2.amazonaws.com"},
	"iam:AddRoleToInstanceProfile":             {params: "roleName", service: "ec2.amazonaws.com"},
	"ecs:RegisterTaskDefinition":               {params: "taskRoleArn executionRoleArn", service: "ecs-tasks.amazonaws.com"},
	"ecs:RunTask":                              {params: "overrides.taskRoleArn overrides.executionRoleArn", service: "ecs-tasks.amazonaws.com", always: true},
	"ecs:StartTask":                            {params: "overrides.taskRoleArn overrides.executionRoleArn", service: "ecs-tasks.amazonaws.com", always: true},
	"cloudformation:CreateStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:UpdateStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:DeleteStack":               {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"cloudformation:CreateChangeSet":           {params: "roleARN", service: "cloudformation.amazonaws.com"},
	"states:CreateStateMachine":                {params: "roleArn", service: "states.amazonaws.com"},
	"states:UpdateStateMachine":                {params: "roleArn", service: "states.amazonaws.com"},
	"glue:CreateJob":                           {params: "role", service: "glue.amazonaws.com"},
	"glue:UpdateJob":                           {params: "jobUpdate.role", service: "glue.amazonaws.com"},
	"glue:CreateCrawler":                       {params: "role", service: "glue.amazonaws.com"},
	"glue:UpdateCrawler":                       {params: "role", service: "glue.amazonaws.com"},
	"codebuild:CreateProject":                  {params: "serviceRole", service: "codebuild.amazonaws.com"},
	"codebuild:UpdateProject":                  {params: "serviceRole", service: "codebuild.amazonaws.com"},
	"codepipeline:CreatePipeline":              {params: "pipeline.roleArn", service: "codepipeline.amazonaws.com"},
	"codepipeline:UpdatePipeline":              {params: "pipeline.roleArn", service: "codepipeline.amazonaws.com"},
	"sagemaker:CreateNotebookInstance":         {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateTrainingJob":              {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateProcessingJob":            {params: "roleArn", service: "sagemaker.amazonaws.com"},
	"sagemaker:CreateModel":                    {params: "executionRoleArn", service: "sagemaker.amazonaws.com"},
	"events:PutTargets":                        {params: "targets.roleArn"},
	"scheduler:CreateSchedule":                 {params: "target.roleArn", service: "scheduler.amazonaws.com"},
	"scheduler:UpdateSchedule":                 {params: "target.roleArn", service: "scheduler.amazonaws.com"},
	"pipes:CreatePipe":                         {params: "roleArn", service: "pipes.amazonaws.com"},
	"firehose:CreateDeliveryStream":            {params: "extendedS3DestinationConfiguration.roleARN s3DestinationConfiguration.roleARN", service: "firehose.amazonaws.com"},
	"cloudtrail:CreateTrail":                   {params: "cloudWatchLogsRoleArn", service: "cloudtrail.amazonaws.com"},
	"cloudtrail:UpdateTrail":                   {params: "cloudWatchLogsRoleArn", service: "cloudtrail.amazonaws.com"},
	"config:PutConfigurationRecorder":          {params: "configurationRecorder.roleARN", service: "config.amazonaws.com"},
	"elasticmapreduce:RunJobFlow":              {params: "serviceRole jobFlowRole"},
	"codedeploy:CreateDeploymentGroup":         {params: "serviceRoleArn", service: "codedeploy.amazonaws.com"},
	"codedeploy:UpdateDeploymentGroup":         {params: "serviceRoleArn", service: "codedeploy.amazonaws.com"},
	"batch:CreateComputeEnvironment":           {params: "serviceRole", service: "batch.amazonaws.com"},
	"backup:CreateBackupSelection":             {params: "backupSelection.iamRoleArn", service: "backup.amazonaws.com"},
	"datasync:CreateLocationS3":                {params: "s3Config.bucketAccessRoleArn", service: "datasync.amazonaws.com"},
	"ssm:StartAutomationExecution":             {params: "parameters.automationAssumeRole", service: "ssm.amazonaws.com"},
	"rds:StartExportTask":                      {params: "iamRoleArn"},
	"rds:CreateDBInstance":                     {params: "monitoringRoleArn"},
	"rds:ModifyDBInstance":                     {params: "monitoringRoleArn"},
	"rds:AddRoleToDBInstance":                  {params: "roleArn"},
	"rds:AddRoleToDBCluster":                   {params: "roleArn"},
	"eks:CreateCluster":                        {params: "roleArn", service: "eks.amazonaws.com"},
	"eks:CreateNodegroup":                      {params: "nodeRole"},
	"ssm:SendCommand":                          {params: "serviceRoleArn"},
	"batch:RegisterJobDefinition":              {params: "containerProperties.jobRoleArn containerProperties.executionRoleArn"},
	"logs:PutSubscriptionFilter":               {params: "roleArn"},
	"transfer:CreateUser":                      {params: "role", service: "transfer.amazonaws.com"},
	"appsync:CreateDataSource":                 {params: "serviceRoleArn", service: "appsync.amazonaws.com"},
}

// A keyUse is what an operation needs of a KMS key, beside its own action (T81, S24, S48, S49).
type keyUse struct {
	actions string
	param   string // names the key; "" if the call never does
	unnamed string // actions on a key that the call doesn't name, if there is one
}

var keyUses = map[string]keyUse{
	"s3:GetObject":                  {"kms:Decrypt", "", ""},
	"s3:PutObject":                  {"kms:GenerateDataKey", "x-amz-server-side-encryption-aws-kms-key-id", ""},
	"s3:CopyObject":                 {"kms:GenerateDataKey", "x-amz-server-side-encryption-aws-kms-key-id", "kms:Decrypt"},
	"s3:CreateMultipartUpload":      {"kms:GenerateDataKey kms:Decrypt", "x-amz-server-side-encryption-aws-kms-key-id", ""},
	"s3:UploadPart":                 {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"s3:UploadPartCopy":             {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"s3:CompleteMultipartUpload":    {"kms:Decrypt", "", ""},
	"secretsmanager:GetSecretValue": {"kms:Decrypt", "", ""},
	"secretsmanager:PutSecretValue": {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"secretsmanager:CreateSecret":   {"kms:GenerateDataKey kms:Decrypt", "kmsKeyId", ""},
	"sqs:SendMessage":               {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"sqs:SendMessageBatch":          {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"sqs:ReceiveMessage":            {"kms:Decrypt", "", ""},
	"sns:Publish":                   {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"sns:PublishBatch":              {"kms:GenerateDataKey kms:Decrypt", "", ""},
	"ssm:GetParameter":              {"kms:Decrypt", "", ""},
	"ssm:GetParameters":             {"kms:Decrypt", "", ""},
	"ssm:GetParametersByPath":       {"kms:Decrypt", "", ""},
}

// dependents are the permissions that a call needs beside its own action's. One is
// required if the parameters show what triggers it (T81).
func (d *derivation) dependents(own []Request) []Request {
	name := d.prefix + ":" + d.operation
	var all []Request
	if p, ok := passes[name]; ok {
		all = append(all, d.passRole(p)...)
	}
	if k, ok := keyUses[name]; ok {
		all = append(all, d.useKey(k)...)
	}
	switch {
	case name == "sts:AssumeRole" || name == "sts:AssumeRoleWithSAML" || name == "sts:AssumeRoleWithWebIdentity":
		all = append(all, d.sessionRequests(own[0].Resource)...)
	case d.prefix == "ec2":
		all = append(all, d.createTags()...)
	}
	return all
}

func (d *derivation) passRole(p pass) []Request {
	var all []Request
	add := func(required bool, r evaluator.Resource) {
		req := Request{Action: "iam:PassRole", ActionSource: FromTable, Required: required}
		req.Resource, req.ResourceSource = d.sourced(r)
		if p.service != "" && (d.partition == "aws" || d.partition == "aws-us-gov") {
			req.Context = []evaluator.ContextValue{present("iam:PassedToService", p.service)}
		} else {
			req.Context = []evaluator.ContextValue{{Name: "iam:PassedToService", State: evaluator.PresentUnknown}}
		}
		all = append(all, req)
	}
	anyRole := d.pattern("iam::" + d.account + ":role/*")
	for path := range strings.FieldsSeq(p.params) {
		nodes, state := d.params.nodes(path)
		if state == notKnown {
			add(false, anyRole)
			break
		}
		for _, n := range nodes {
			add(true, d.role(n))
			if len(all) >= maxKeys {
				return all
			}
		}
	}
	if len(all) == 0 && (p.always || d.gives("launchTemplate")) {
		add(false, anyRole)
	}
	return all
}

// role reads a role's ARN or name; an instance profile names none.
func (d *derivation) role(n any) evaluator.Resource {
	anyRole := d.pattern("iam::" + d.account + ":role/*")
	s, ok := text(n)
	if !ok {
		return anyRole
	}
	if r, ok := given1(s, "iam", "role/"); ok {
		return r
	}
	if s = strings.TrimPrefix(s, "/"); nameLike(s) {
		return d.pattern("iam::" + d.account + ":role/*" + s)
	}
	return anyRole
}

func (d *derivation) useKey(k keyUse) []Request {
	required := false
	key := d.pattern("kms:" + d.region + ":*:key/*")
	if k.param != "" {
		switch _, state := d.params.one(k.param); state {
		case given:
			key, required = d.key(k.param), true
		case notGiven:
			sse, state := d.params.one("x-amz-server-side-encryption")
			switch {
			case state == given && sse == "AES256":
				return nil
			case state == given && strings.HasPrefix(sse, "aws:kms"):
				required = true // with the bucket's default key, or AWS's
			}
		}
	}
	if d.prefix == "ssm" {
		switch v, state := d.params.one("withDecryption"); {
		case state == notGiven, state == given && v != "true":
			return nil
		}
	}
	if a, ok := policy.ParseARN(key.ARN); !ok || a.Service != "kms" {
		return nil
	}
	var all []Request
	add := func(actions string, required bool, key evaluator.Resource) {
		for action := range strings.FieldsSeq(actions) {
			req := Request{Action: action, ActionSource: FromTable, Required: required}
			req.Resource, req.ResourceSource = d.sourced(key)
			all = append(all, req)
		}
	}
	add(k.actions, required, key)
	add(k.unnamed, false, d.pattern("kms:"+d.region+":*:key/*"))
	return all
}

// sessionRequests are the permissions on the role for what a session is given (S7, S47).
func (d *derivation) sessionRequests(role evaluator.Resource) []Request {
	var all []Request
	for _, s := range []struct{ action, params string }{
		{"sts:TagSession", "tags transitiveTagKeys principalTags"},
		{"sts:SetSourceIdentity", "sourceIdentity"},
		{"sts:SetContext", "providedContexts"},
	} {
		switch {
		case !d.params.known:
			all = append(all, d.on(s.action, FromTable, false, []evaluator.Resource{role})...)
		case d.gives(strings.Fields(s.params)...):
			all = append(all, d.on(s.action, FromTable, true, []evaluator.Resource{role})...)
		}
	}
	return all
}

// createTags is needed by every EC2 call that tags what it creates.
func (d *derivation) createTags() []Request {
	types, state := d.params.values("tagSpecificationSet.items.resourceType")
	if state == notGiven {
		types, state = d.params.values("tagSpecification.resourceType")
	}
	if state == notGiven || state == notKnown {
		return nil
	}
	var all []Request
	seen := map[string]bool{}
	for _, t := range types {
		if seen[t] || !nameLike(t) {
			continue
		}
		seen[t] = true
		account := d.account
		if t == "image" || t == "snapshot" {
			account = ""
		}
		r := d.pattern("ec2:" + d.region + ":" + account + ":" + t + "/*")
		for _, req := range d.on("ec2:CreateTags", FromTable, true, []evaluator.Resource{r}) {
			req.Context = []evaluator.ContextValue{present("ec2:CreateAction", d.operation)}
			all = append(all, req)
		}
	}
	return all
}
