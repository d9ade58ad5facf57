package apicall

import "strings"

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
