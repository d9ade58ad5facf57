package apicall

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// own returns the requests of the call's own action or actions (T78).
func (d *derivation) own() []Request {
	name := d.prefix + ":" + d.operation
	if f, ok := special[name]; ok {
		return f(d)
	}
	if d.zonal() {
		return d.session()
	}
	if found, ok := irregularityOf(d.prefix, d.operation); ok {
		var all []Request
		for _, n := range found.checks {
			all = append(all, d.needed(d.versioned(n.action), n.required)...)
		}
		return all
	}
	if action, ok := namedAction(d.prefix, d.operation); ok {
		source := FromName
		if d.guessed() {
			source = FromGuess
		}
		if versioned := d.versioned(action); versioned != action {
			action, source = versioned, FromTable
		}
		return d.ask(action, source)
	}
	if d.prefix == "apigateway" {
		return d.ask("apigateway:"+d.apiGatewayVerb(), FromTable)
	}
	return d.ask(name, FromGuess) // T80
}

// ask makes the requests for an action on the resources that the tables give it.
func (d *derivation) ask(action string, source Source) []Request {
	return d.on(action, source, true, d.resources(action))
}

// needed makes the requests for an action that the table gives an operation.
func (d *derivation) needed(action string, required bool) []Request {
	if action == "s3express:CreateSession" {
		return d.session()
	}
	return d.on(action, FromTable, required, d.resources(action))
}

// versions are the S3 actions that have another name when the call names a version.
var versions = map[string]string{
	"s3:GetObject":           "s3:GetObjectVersion",
	"s3:GetObjectAcl":        "s3:GetObjectVersionAcl",
	"s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
	"s3:GetObjectTagging":    "s3:GetObjectVersionTagging",
	"s3:GetObjectTorrent":    "s3:GetObjectVersionTorrent",
	"s3:DeleteObject":        "s3:DeleteObjectVersion",
	"s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
	"s3:PutObjectAcl":        "s3:PutObjectVersionAcl",
	"s3:PutObjectTagging":    "s3:PutObjectVersionTagging",
}

func (d *derivation) versioned(action string) string {
	prefix, name, _ := strings.Cut(action, ":")
	v, ok := versions["s3:"+name]
	if !ok || prefix != "s3" && !slices.Contains(s3Family, prefix) {
		return action
	}
	if _, state := d.params.one("versionId", "x-amz-version-id"); state != given {
		return action
	}
	_, name, _ = strings.Cut(v, ":")
	if v, ok := namedAction(prefix, name); ok {
		return v
	}
	return action
}

// special are the operations that aren't one action on what a table row says.
var special = map[string]func(*derivation) []Request{
	"s3:CopyObject":                          (*derivation).copyObject,
	"s3:UploadPartCopy":                      (*derivation).copyObject,
	"s3:DeleteObjects":                       (*derivation).deleteObjects,
	"s3:DeleteMultipleObjects":               (*derivation).deleteObjects,
	"s3:GetPublicAccessBlock":                (*derivation).publicAccessBlock,
	"s3:PutPublicAccessBlock":                (*derivation).publicAccessBlock,
	"s3:DeletePublicAccessBlock":             (*derivation).publicAccessBlock,
	"dynamodb:TransactGetItems":              (*derivation).transactItems,
	"dynamodb:TransactWriteItems":            (*derivation).transactItems,
	"dynamodb:ExecuteStatement":              (*derivation).partiQL,
	"dynamodb:BatchExecuteStatement":         (*derivation).partiQL,
	"dynamodb:ExecuteTransaction":            (*derivation).partiQL,
	"kms:ReEncrypt":                          (*derivation).reEncrypt,
	"ec2:RunInstances":                       (*derivation).runInstances,
	"s3express:CopyObject":                   (*derivation).copyToDirectory,
	"s3express:UploadPartCopy":               (*derivation).copyToDirectory,
	"elasticbeanstalk:UpdateTagsForResource": (*derivation).beanstalkTags,
	"ses:SendEmail":                          (*derivation).sendEmail,
	"timestream:Query":                       (*derivation).timestreamQuery,
	"secretsmanager:BatchGetSecretValue":     (*derivation).batchSecrets,
}

// copyObject reads the source and writes the target (S41).
func (d *derivation) copyObject() []Request {
	return append(d.ask("s3:PutObject", FromTable), d.readSource())
}

// readSource is the permission to read what is copied.
func (d *derivation) readSource() Request {
	action, source := d.copySource()
	from := Request{Action: action, ActionSource: FromTable, Resource: source, ResourceSource: FromEvent, Required: true}
	if source.Pattern {
		from.ResourceSource = FromTable
	}
	from.Resource.Account = d.ownerOf(source.ARN, "")
	return from
}

// copySource reads x-amz-copy-source: bucket/key, URL-encoded, perhaps with a version.
func (d *derivation) copySource() (action string, r evaluator.Resource) {
	action, r = "s3:GetObject", evaluator.Resource{ARN: "arn:" + d.partition + ":s3*:*:*:*", Pattern: true}
	raw, state := d.params.one("x-amz-copy-source", "copySource")
	if state != given {
		return action, r
	}
	raw, query, versioned := strings.Cut(raw, "?")
	if versioned && strings.HasPrefix(query, "versionId=") {
		action = "s3:GetObjectVersion"
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return action, r
	}
	path = strings.TrimPrefix(path, "/")
	if strings.HasPrefix(path, "arn:") {
		if a, ok := given1(path, "s3", "accesspoint/"); ok {
			return action, a
		}
		return action, r
	}
	bucket, key, ok := strings.Cut(path, "/")
	if !ok || key == "" {
		return action, r
	}
	if strings.HasSuffix(bucket, "--x-s3") { // read through a session (T79)
		return "s3express:CreateSession", evaluator.Resource{ARN: "arn:" + d.partition + ":s3express:" + d.region + ":*:bucket/" + bucket, Pattern: true}
	}
	if b, ok := d.bucketARN(bucket); ok {
		return action, evaluator.Resource{ARN: b + "/" + key}
	}
	return action, r
}

// maxKeys is how many keys of a DeleteObjects call become requests of their own.
const maxKeys = 100

// deleteObjects needs a permission for each key (S42).
func (d *derivation) deleteObjects() []Request {
	nodes, state := d.params.nodes("delete.objects")
	if state != given {
		nodes, state = d.params.nodes("delete.object")
	}
	bucket, known := "", false
	if name, s := d.params.one("bucketName", "bucket"); s == given {
		bucket, known = d.bucketARN(name)
	}
	objects := objectsOf(bucket)
	var all []Request
	if state == given && known {
		rest := map[string]bool{} // the actions on keys that have no request of their own
		for _, n := range nodes {
			object, ok := n.(map[string]any)
			one := params{known: ok, root: object}
			action := "s3:DeleteObject"
			if _, s := one.one("versionId"); s == given {
				action = "s3:DeleteObjectVersion"
			}
			key, s := one.one("key")
			if s != given || len(all) == maxKeys {
				rest[action] = true
				continue
			}
			all = append(all, d.on(action, FromTable, true, []evaluator.Resource{{ARN: objects + key}})...)
		}
		if len(all) > 0 { // what is too many, or hidden
			for _, action := range slices.Sorted(maps.Keys(rest)) {
				all = append(all, Request{Action: action, ActionSource: FromTable, Resource: evaluator.Resource{ARN: objects + "*", Pattern: true, Account: d.ownerOf(bucket, "")}, ResourceSource: FromEvent, Required: true})
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	keys := evaluator.Resource{ARN: "arn:" + d.partition + ":s3*:*:*:*", Pattern: true}
	if known {
		keys.ARN = objects + "*"
	}
	// The recorded objects are the call's targets, all of them.
	for _, rec := range d.call.Resources {
		if known && len(all) < maxKeys && strings.HasPrefix(rec.ARN, bucket+"/") && !strings.ContainsAny(rec.ARN, "*?") {
			all = append(all, d.on("s3:DeleteObject", FromTable, true, []evaluator.Resource{{ARN: rec.ARN}})...)
		}
	}
	if len(all) > 0 {
		return all
	}
	r, from := d.sourced(keys)
	return []Request{{Action: "s3:DeleteObject", ActionSource: FromTable, Resource: r, ResourceSource: from, Required: true}}
}

// publicAccessBlock is a setting of a bucket or, on S3 Control, of the account.
func (d *derivation) publicAccessBlock() []Request {
	verb := "Put"
	if strings.HasPrefix(d.operation, "Get") {
		verb = "Get"
	}
	_, bucket := d.params.one("bucketName")
	if d.accountLevel() && bucket != given {
		return d.ask("s3:"+verb+"AccountPublicAccessBlock", FromTable)
	}
	return d.ask("s3:"+verb+"BucketPublicAccessBlock", FromTable)
}

// transactions are what the members of a transaction's items need (S50).
var transactions = map[string]string{
	"get":            "dynamodb:GetItem",
	"put":            "dynamodb:PutItem",
	"update":         "dynamodb:UpdateItem",
	"delete":         "dynamodb:DeleteItem",
	"conditioncheck": "dynamodb:ConditionCheckItem",
}

func (d *derivation) transactItems() []Request {
	nodes, _ := d.params.nodes("transactItems")
	var all []Request
	seen := map[string]bool{}
	for _, n := range nodes {
		item, ok := n.(map[string]any)
		if !ok {
			continue
		}
		for _, kind := range slices.Sorted(maps.Keys(item)) {
			action := transactions[strings.ToLower(kind)]
			if action == "" {
				continue
			}
			table := evaluator.Resource{ARN: "arn:" + d.partition + ":dynamodb:" + d.region + ":*:table/*", Pattern: true}
			if m, ok := item[kind].(map[string]any); ok {
				if name, s := (params{known: true, root: m}).one("tableName"); s == given {
					table = d.table(name)
				}
			}
			if key := action + " " + table.ARN; !seen[key] && len(seen) < maxKeys {
				seen[key] = true
				all = append(all, d.on(action, FromTable, true, []evaluator.Resource{table})...)
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	if d.operation == "TransactWriteItems" {
		// Which of four actions isn't recorded; each may be needed.
		for _, kind := range []string{"put", "update", "delete", "conditioncheck"} {
			all = append(all, d.on(transactions[kind], FromTable, false, d.resources(transactions[kind]))...)
		}
		return all
	}
	return d.ask("dynamodb:GetItem", FromTable)
}

// statementActions are the actions of PartiQL, by the statement's verb.
var statementActions = map[string]string{
	"select": "dynamodb:PartiQLSelect",
	"insert": "dynamodb:PartiQLInsert",
	"update": "dynamodb:PartiQLUpdate",
	"delete": "dynamodb:PartiQLDelete",
}

// partiQL asks for the action of each statement's verb. The table is in the
// statement, which CloudTrail may hide and which isn't parsed.
func (d *derivation) partiQL() []Request {
	var all []Request
	for _, path := range []string{"statement", "statements.statement", "transactStatements.statement"} {
		statements, _ := d.params.values(path)
		for _, s := range statements {
			verb, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(s)), " ")
			action := statementActions[verb]
			if action == "" || slices.ContainsFunc(all, func(r Request) bool { return r.Action == action }) {
				continue
			}
			all = append(all, d.ask(action, FromTable)...)
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, verb := range slices.Sorted(maps.Keys(statementActions)) {
		action := statementActions[verb]
		all = append(all, d.on(action, FromTable, false, d.resources(action))...)
	}
	return all
}

// queryActions are the actions of Timestream's queries, by the statement's first words.
//
// https://docs.aws.amazon.com/timestream/latest/developerguide/security_iam_service-with-iam.html
var queryActions = []struct{ words, actions string }{
	{"unload", "timestream:Unload timestream:Select"},
	{"show databases", "timestream:ListDatabases"},
	{"show tables", "timestream:ListTables"},
	{"show measures", "timestream:ListMeasures"},
	{"describe", "timestream:DescribeTable"},
}

// timestreamQuery asks for the action of the statement. What isn't recorded most likely selects, as nearly
// all statements do.
func (d *derivation) timestreamQuery() []Request {
	statement, _ := d.params.one("queryString")
	statement = strings.Join(strings.Fields(strings.ToLower(statement)), " ")
	for _, q := range queryActions {
		if !strings.HasPrefix(statement, q.words) {
			continue
		}
		var all []Request
		for action := range strings.FieldsSeq(q.actions) {
			all = append(all, d.ask(action, FromTable)...)
		}
		return all
	}
	if statement != "" && !strings.Contains(statement, "from") { // of no table
		return d.ask("timestream:SelectValues", FromTable)
	}
	return d.ask("timestream:Select", FromTable)
}

// reEncrypt is a permission on each of two keys; the event's resources don't tell which is which.
func (d *derivation) reEncrypt() []Request {
	from, to := d.key("sourceKeyId"), d.key("destinationKeyId")
	all := []Request{
		{Action: "kms:ReEncryptFrom", ActionSource: FromTable, Required: true},
		{Action: "kms:ReEncryptTo", ActionSource: FromTable, Required: true},
	}
	all[0].Resource, all[0].ResourceSource = d.sourced(from)
	all[1].Resource, all[1].ResourceSource = d.sourced(to)
	return all
}

// beanstalkTags: instead of the operation's name, what it does to the tags is authorised.
//
// https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_UpdateTagsForResource.html
func (d *derivation) beanstalkTags() []Request {
	var all []Request
	for _, t := range []struct{ param, action string }{
		{"tagsToAdd", "elasticbeanstalk:AddTags"},
		{"tagsToRemove", "elasticbeanstalk:RemoveTags"},
	} {
		if _, state := d.params.nodes(t.param); state != notGiven {
			all = append(all, d.on(t.action, FromTable, state == given, d.resources(t.action))...)
		}
	}
	if len(all) == 0 {
		return d.ask("elasticbeanstalk:UpdateTagsForResource", FromName)
	}
	return all
}

// sendEmail: the second version's SendEmail also sends raw messages.
func (d *derivation) sendEmail() []Request {
	all := d.ask("ses:SendEmail", FromName)
	if _, state := d.params.nodes("content.raw"); state == given {
		all = append(all, d.ask("ses:SendRawEmail", FromTable)...)
	}
	return all
}

// batchSecrets reads each of the secrets that it lists.
func (d *derivation) batchSecrets() []Request {
	all := d.ask("secretsmanager:BatchGetSecretValue", FromName)
	if _, state := d.params.values("secretIdList"); state == given {
		all = append(all, d.on("secretsmanager:GetSecretValue", FromTable, true, secret("secretIdList")(d))...)
	}
	return all
}
