package apicall

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// versionTail is the date that some services add to the names of their events (T77). Without
// it the name is the action's; no action ends in a date. The tails V1 and V2 stay: they
// are part of names such as DescribeDatasetV2, and the table knows the rest.
var versionTail = regexp.MustCompile(`20\d{2}_?\d{2}_?\d{2}(v\d+)?$`)

// cleanOperation returns the operation without its version, "" if it is no name.
func cleanOperation(prefix, name string) string {
	name = strings.TrimSpace(name)
	if len(name) > 128 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	if cut := versionTail.ReplaceAllString(name, ""); cut != "" {
		name = cut
	}
	return name
}

// own returns the requests of the call's own action or actions.
func (d *derivation) own() []Request {
	name := d.prefix + ":" + d.operation
	if permissionless[name] {
		return nil
	}
	if _, object := d.params.one("key"); d.prefix == "s3express" && (object == given || strings.Contains(strings.ToLower(d.host()), ".s3express-")) {
		return d.ask("s3express:CreateSession", FromTable) // all that a zonal endpoint checks (T79)
	}
	if f, ok := special[name]; ok {
		return f(d)
	}
	if d.prefix == "apigateway" {
		return d.ask("apigateway:"+apiGatewayVerb(d.operation), FromTable)
	}
	if actions, ok := irregular[name]; ok {
		var all []Request
		for action := range strings.FieldsSeq(actions) {
			all = append(all, d.ask(d.versioned(action), FromTable)...)
		}
		return all
	}
	if action := d.versioned(name); action != name {
		return d.ask(action, FromTable)
	}
	return d.ask(name, FromName)
}

func (d *derivation) host() string {
	if d.call.Host != "" {
		return d.call.Host
	}
	host, _ := d.params.one("Host")
	return host
}

// ask makes the requests for an action on the resources that the tables give it.
func (d *derivation) ask(action string, source Source) []Request {
	return d.on(action, source, true, d.resources(action))
}

// permissionless are the calls that need no permission (S9, S10, T78).
var permissionless = map[string]bool{
	"sts:GetCallerIdentity":      true,
	"sts:GetSessionToken":        true,
	"dynamodb:DescribeEndpoints": true,
	"s3:OptionsObject":           true,
	"signin:ConsoleLogin":        true,
}

// irregular are the operations whose actions aren't called like them (T78). Where there
// are several actions, all are needed.
var irregular = map[string]string{
	"s3:ListBuckets": "s3:ListAllMyBuckets",
	"s3:HeadBucket":  "s3:ListBucket",
	"s3:ListObjects": "s3:ListBucket",
	// Rule S40.
	"s3:ListObjectsV2":                               "s3:ListBucket",
	"s3:ListObjectVersions":                          "s3:ListBucketVersions",
	"s3:ListMultipartUploads":                        "s3:ListBucketMultipartUploads",
	"s3:ListParts":                                   "s3:ListMultipartUploadParts",
	"s3:HeadObject":                                  "s3:GetObject",
	"s3:SelectObjectContent":                         "s3:GetObject",
	"s3:GetObjectAttributes":                         "s3:GetObject s3:GetObjectAttributes",
	"s3:CreateMultipartUpload":                       "s3:PutObject",
	"s3:UploadPart":                                  "s3:PutObject",
	"s3:CompleteMultipartUpload":                     "s3:PutObject",
	"s3:PostObject":                                  "s3:PutObject",
	"s3:GetBucketEncryption":                         "s3:GetEncryptionConfiguration",
	"s3:PutBucketEncryption":                         "s3:PutEncryptionConfiguration",
	"s3:DeleteBucketEncryption":                      "s3:PutEncryptionConfiguration",
	"s3:GetBucketLifecycle":                          "s3:GetLifecycleConfiguration",
	"s3:GetBucketLifecycleConfiguration":             "s3:GetLifecycleConfiguration",
	"s3:PutBucketLifecycle":                          "s3:PutLifecycleConfiguration",
	"s3:PutBucketLifecycleConfiguration":             "s3:PutLifecycleConfiguration",
	"s3:DeleteBucketLifecycle":                       "s3:PutLifecycleConfiguration",
	"s3:GetBucketReplication":                        "s3:GetReplicationConfiguration",
	"s3:PutBucketReplication":                        "s3:PutReplicationConfiguration",
	"s3:DeleteBucketReplication":                     "s3:PutReplicationConfiguration",
	"s3:GetBucketAccelerateConfiguration":            "s3:GetAccelerateConfiguration",
	"s3:PutBucketAccelerateConfiguration":            "s3:PutAccelerateConfiguration",
	"s3:GetBucketAnalyticsConfiguration":             "s3:GetAnalyticsConfiguration",
	"s3:ListBucketAnalyticsConfigurations":           "s3:GetAnalyticsConfiguration",
	"s3:PutBucketAnalyticsConfiguration":             "s3:PutAnalyticsConfiguration",
	"s3:DeleteBucketAnalyticsConfiguration":          "s3:PutAnalyticsConfiguration",
	"s3:GetBucketInventoryConfiguration":             "s3:GetInventoryConfiguration",
	"s3:ListBucketInventoryConfigurations":           "s3:GetInventoryConfiguration",
	"s3:PutBucketInventoryConfiguration":             "s3:PutInventoryConfiguration",
	"s3:DeleteBucketInventoryConfiguration":          "s3:PutInventoryConfiguration",
	"s3:GetBucketMetricsConfiguration":               "s3:GetMetricsConfiguration",
	"s3:ListBucketMetricsConfigurations":             "s3:GetMetricsConfiguration",
	"s3:PutBucketMetricsConfiguration":               "s3:PutMetricsConfiguration",
	"s3:DeleteBucketMetricsConfiguration":            "s3:PutMetricsConfiguration",
	"s3:GetBucketIntelligentTieringConfiguration":    "s3:GetIntelligentTieringConfiguration",
	"s3:ListBucketIntelligentTieringConfigurations":  "s3:GetIntelligentTieringConfiguration",
	"s3:PutBucketIntelligentTieringConfiguration":    "s3:PutIntelligentTieringConfiguration",
	"s3:DeleteBucketIntelligentTieringConfiguration": "s3:PutIntelligentTieringConfiguration",
	"s3:GetBucketNotificationConfiguration":          "s3:GetBucketNotification",
	"s3:PutBucketNotificationConfiguration":          "s3:PutBucketNotification",
	"s3:GetBucketCors":                               "s3:GetBucketCORS",
	"s3:PutBucketCors":                               "s3:PutBucketCORS",
	"s3:DeleteBucketCors":                            "s3:PutBucketCORS",
	"s3:DeleteBucketTagging":                         "s3:PutBucketTagging",
	"s3:DeleteBucketOwnershipControls":               "s3:PutBucketOwnershipControls",
	"s3:DeleteBucketPublicAccessBlock":               "s3:PutBucketPublicAccessBlock",
	"s3:DeleteAccountPublicAccessBlock":              "s3:PutAccountPublicAccessBlock",
	"s3:GetObjectLockConfiguration":                  "s3:GetBucketObjectLockConfiguration",
	"s3:PutObjectLockConfiguration":                  "s3:PutBucketObjectLockConfiguration",
	"lambda:Invoke":                                  "lambda:InvokeFunction",
	"lambda:InvokeWithResponseStream":                "lambda:InvokeFunction",
	"lambda:InvokeFunctionUrl":                       "lambda:InvokeFunctionUrl lambda:InvokeFunction",
	"lambda:GetLayerVersionByArn":                    "lambda:GetLayerVersion",
	"sqs:SendMessageBatch":                           "sqs:SendMessage",
	"sqs:DeleteMessageBatch":                         "sqs:DeleteMessage",
	"sqs:ChangeMessageVisibilityBatch":               "sqs:ChangeMessageVisibility",
	"sns:PublishBatch":                               "sns:Publish",
	"execute-api:PostToConnection":                   "execute-api:ManageConnections",
	"execute-api:GetConnection":                      "execute-api:ManageConnections",
	"execute-api:DeleteConnection":                   "execute-api:ManageConnections",
	"budgets:CreateBudget":                           "budgets:ModifyBudget",
	"budgets:UpdateBudget":                           "budgets:ModifyBudget",
	"budgets:DeleteBudget":                           "budgets:ModifyBudget",
	"budgets:CreateNotification":                     "budgets:ModifyBudget",
	"budgets:UpdateNotification":                     "budgets:ModifyBudget",
	"budgets:DeleteNotification":                     "budgets:ModifyBudget",
	"budgets:CreateSubscriber":                       "budgets:ModifyBudget",
	"budgets:UpdateSubscriber":                       "budgets:ModifyBudget",
	"budgets:DeleteSubscriber":                       "budgets:ModifyBudget",
	"budgets:DescribeBudget":                         "budgets:ViewBudget",
	"budgets:DescribeBudgets":                        "budgets:ViewBudget",
	"budgets:DescribeBudgetPerformanceHistory":       "budgets:ViewBudget",
	"budgets:DescribeBudgetNotificationsForAccount":  "budgets:ViewBudget",
	"budgets:DescribeNotificationsForBudget":         "budgets:ViewBudget",
	"budgets:DescribeSubscribersForNotification":     "budgets:ViewBudget",
	"glue:BatchUpdatePartition":                      "glue:UpdatePartition",
	"glue:CreatePartitionIndex":                      "glue:UpdateTable",
	"glue:DeletePartitionIndex":                      "glue:UpdateTable",
	"glue:GetColumnStatisticsForTable":               "glue:GetTable",
	"glue:GetColumnStatisticsForPartition":           "glue:GetPartition",
	"timestream:Query":                               "timestream:Select",
	"ses:SendBulkEmail":                              "ses:SendBulkTemplatedEmail",
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
	v, ok := versions[action]
	if !ok {
		return action
	}
	if _, state := d.params.one("versionId", "x-amz-version-id"); state == given {
		return v
	}
	return action
}

// special are the operations that aren't one action on what a table row says.
var special = map[string]func(*derivation) []Request{
	"s3:CopyObject":                      (*derivation).copyObject,
	"s3:UploadPartCopy":                  (*derivation).copyObject,
	"s3:DeleteObjects":                   (*derivation).deleteObjects,
	"s3:DeleteMultipleObjects":           (*derivation).deleteObjects,
	"s3:GetPublicAccessBlock":            (*derivation).publicAccessBlock,
	"s3:PutPublicAccessBlock":            (*derivation).publicAccessBlock,
	"s3:DeletePublicAccessBlock":         (*derivation).publicAccessBlock,
	"dynamodb:TransactGetItems":          (*derivation).transactItems,
	"dynamodb:TransactWriteItems":        (*derivation).transactItems,
	"dynamodb:ExecuteStatement":          (*derivation).partiQL,
	"dynamodb:BatchExecuteStatement":     (*derivation).partiQL,
	"dynamodb:ExecuteTransaction":        (*derivation).partiQL,
	"kms:ReEncrypt":                      (*derivation).reEncrypt,
	"ec2:RunInstances":                   (*derivation).runInstances,
	"ses:SendEmail":                      (*derivation).sendEmail,
	"secretsmanager:BatchGetSecretValue": (*derivation).batchSecrets,
}

// copyObject reads the source and writes the target (S41).
func (d *derivation) copyObject() []Request {
	target := d.ask("s3:PutObject", FromTable)
	action, source := d.copySource()
	from := Request{Action: action, ActionSource: FromTable, Resource: source, ResourceSource: FromEvent, Required: true}
	if source.Pattern {
		from.ResourceSource = FromTable
	}
	from.Resource.Account = d.ownerOf(source.ARN, "")
	return append(target, from)
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
	if name, s := d.params.one("bucketName"); s == given {
		bucket, known = d.bucketARN(name)
	}
	var all []Request
	if state == given && known {
		rest := false
		for _, n := range nodes {
			object, ok := n.(map[string]any)
			one := params{known: ok, root: object}
			key, s := one.one("key")
			if s != given || len(all) == maxKeys {
				rest = true
				continue
			}
			action := "s3:DeleteObject"
			if _, s := one.one("versionId"); s == given {
				action = "s3:DeleteObjectVersion"
			}
			all = append(all, d.on(action, FromTable, true, []evaluator.Resource{{ARN: bucket + "/" + key}})...)
		}
		if rest && len(all) > 0 { // too many, or hidden
			all = append(all, Request{Action: "s3:DeleteObject", ActionSource: FromTable, Resource: evaluator.Resource{ARN: bucket + "/*", Pattern: true, Account: d.ownerOf(bucket, "")}, ResourceSource: FromEvent, Required: true})
		}
	}
	if len(all) > 0 {
		return all
	}
	keys := evaluator.Resource{ARN: "arn:" + d.partition + ":s3*:*:*:*", Pattern: true}
	if known {
		keys.ARN = bucket + "/*"
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

// apiGatewayVerbs are the operations of API Gateway whose verb their name doesn't tell.
var apiGatewayVerbs = map[string]string{
	"TagResource":                "PUT",
	"UntagResource":              "DELETE",
	"ReimportApi":                "PUT",
	"ImportDocumentationParts":   "PUT",
	"FlushStageCache":            "DELETE",
	"FlushStageAuthorizersCache": "DELETE",
	"ResetAuthorizersCache":      "DELETE",
}

// apiGatewayVerb returns the action of an operation: API Gateway authorises the REST
// call's verb.
func apiGatewayVerb(operation string) string {
	if v, ok := apiGatewayVerbs[operation]; ok {
		return v
	}
	for _, v := range []struct{ prefix, verb string }{
		{"Get", "GET"}, {"Export", "GET"}, {"Put", "PUT"}, {"Update", "PATCH"}, {"Delete", "DELETE"},
	} {
		if strings.HasPrefix(operation, v.prefix) {
			return v.verb
		}
	}
	return "POST"
}
