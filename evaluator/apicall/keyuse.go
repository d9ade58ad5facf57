package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A keyUse is what an operation needs of a KMS key, beside its own action (T81, S24, S43, S48, S49).
type keyUse struct {
	actions string
	params  string // name the key; "" if the call never does
	unnamed string // actions on a key that the call doesn't name, if there is one
	// named says that the actions aren't needed but on a key that the call names; without, the resource may have
	// one that the call says nothing of.
	named bool
	// perhaps says that not even a key that the call names is sure to need the actions of its caller.
	perhaps bool
}

const (
	s3Key    = "x-amz-server-side-encryption-aws-kms-key-id SSEKMSKeyId"
	ebsKey   = "kmsKeyId"
	ebsGrant = "kms:CreateGrant kms:GenerateDataKeyWithoutPlaintext"
)

// keyUses are the operations behind which a service uses a KMS key for its caller.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
// https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
// https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
var keyUses = map[string]keyUse{
	"s3:GetObject":               {actions: "kms:Decrypt"},
	"s3:PutObject":               {actions: "kms:GenerateDataKey", params: s3Key},
	"s3:CopyObject":              {actions: "kms:GenerateDataKey", params: s3Key, unnamed: "kms:Decrypt"},
	"s3:CreateMultipartUpload":   {actions: "kms:GenerateDataKey kms:Decrypt", params: s3Key},
	"s3:UploadPart":              {actions: "kms:GenerateDataKey kms:Decrypt"},
	"s3:UploadPartCopy":          {actions: "kms:GenerateDataKey kms:Decrypt"},
	"s3:CompleteMultipartUpload": {actions: "kms:Decrypt"},

	"secretsmanager:GetSecretValue":      {actions: "kms:Decrypt"},
	"secretsmanager:BatchGetSecretValue": {actions: "kms:Decrypt"},
	"secretsmanager:PutSecretValue":      {actions: "kms:GenerateDataKey kms:Decrypt"},
	"secretsmanager:CreateSecret":        {actions: "kms:GenerateDataKey kms:Decrypt", params: "kmsKeyId"},
	"secretsmanager:UpdateSecret":        {actions: "kms:GenerateDataKey kms:Decrypt", params: "kmsKeyId"},

	"sqs:SendMessage":      {actions: "kms:GenerateDataKey kms:Decrypt"},
	"sqs:SendMessageBatch": {actions: "kms:GenerateDataKey kms:Decrypt"},
	"sqs:ReceiveMessage":   {actions: "kms:Decrypt"},
	"sns:Publish":          {actions: "kms:GenerateDataKey kms:Decrypt"},
	"sns:PublishBatch":     {actions: "kms:GenerateDataKey kms:Decrypt"},

	"ssm:GetParameter":        {actions: "kms:Decrypt"},
	"ssm:GetParameters":       {actions: "kms:Decrypt"},
	"ssm:GetParametersByPath": {actions: "kms:Decrypt"},
	"ssm:GetParameterHistory": {actions: "kms:Decrypt"},
	// Which of the two depends on the parameter's tier, whose default is the account's.
	"ssm:PutParameter": {actions: "kms:Encrypt kms:GenerateDataKey", params: "keyId", perhaps: true},

	"kinesis:PutRecord":        {actions: "kms:GenerateDataKey"},
	"kinesis:PutRecords":       {actions: "kms:GenerateDataKey"},
	"kinesis:GetRecords":       {actions: "kms:Decrypt"},
	"kinesis:SubscribeToShard": {actions: "kms:Decrypt"},

	"dynamodb:CreateTable":            {actions: "kms:CreateGrant kms:DescribeKey", params: "sSESpecification.kMSMasterKeyId", named: true},
	"dynamodb:UpdateTable":            {actions: "kms:CreateGrant kms:DescribeKey", params: "sSESpecification.kMSMasterKeyId", named: true},
	"dynamodb:GetItem":                {actions: "kms:Decrypt"},
	"dynamodb:PutItem":                {actions: "kms:Decrypt"},
	"dynamodb:UpdateItem":             {actions: "kms:Decrypt"},
	"dynamodb:DeleteItem":             {actions: "kms:Decrypt"},
	"dynamodb:Query":                  {actions: "kms:Decrypt"},
	"dynamodb:Scan":                   {actions: "kms:Decrypt"},
	"dynamodb:BatchGetItem":           {actions: "kms:Decrypt"},
	"dynamodb:BatchWriteItem":         {actions: "kms:Decrypt"},
	"lambda:CreateFunction":           {actions: "kms:CreateGrant kms:Encrypt", params: "kMSKeyArn", named: true, perhaps: true},
	"lambda:GetFunction":              {actions: "kms:Decrypt"},
	"lambda:GetFunctionConfiguration": {actions: "kms:Decrypt"},

	"ec2:CreateVolume": {actions: ebsGrant, params: ebsKey},
	"ec2:RunInstances": {actions: ebsGrant, params: "blockDeviceMapping.items.ebs.kmsKeyId blockDeviceMappings.ebs.kmsKeyId"},
	"ec2:CopySnapshot": {actions: "kms:CreateGrant kms:GenerateDataKeyWithoutPlaintext kms:DescribeKey", params: ebsKey, perhaps: true},
	"ec2:CopyImage":    {actions: "kms:CreateGrant kms:GenerateDataKeyWithoutPlaintext kms:DescribeKey", params: ebsKey, perhaps: true},

	"elasticfilesystem:CreateFileSystem": {actions: "kms:DescribeKey kms:CreateGrant", params: "kmsKeyId", named: true, perhaps: true},
}

// useKey are the requests for a key behind a call. One is required if the parameters name the key, or ask for
// one (T81).
func (d *derivation) useKey(k keyUse) []Request {
	var all []Request
	add := func(actions string, required bool, key evaluator.Resource) {
		if a, ok := policy.ParseARN(key.ARN); !ok || a.Service != "kms" {
			return
		}
		for action := range strings.FieldsSeq(actions) {
			req := Request{Action: action, ActionSource: FromTable, Required: required}
			req.Resource, req.ResourceSource = d.sourced(key)
			all = append(all, req)
		}
	}
	keys, state := d.namedKeys(k.params)
	switch {
	case d.withoutKey(), state == notGiven && k.named:
	case state == given:
		for _, key := range keys {
			add(k.actions, !k.perhaps, key)
		}
	default: // perhaps with the bucket's default key, or AWS's, or with none
		sse, state := d.encryption()
		add(k.actions, k.params != "" && state == given && strings.HasPrefix(sse, "aws:kms"), d.anyKey())
	}
	add(k.unnamed, false, d.anyKey())
	return all
}

// encryption is the way of encrypting that a call asks S3 for.
func (d *derivation) encryption() (string, presence) {
	if d.prefix != "s3" {
		return "", notGiven
	}
	return d.params.one(d.spelled("x-amz-server-side-encryption", "ServerSideEncryption")...)
}

func (d *derivation) anyKey() evaluator.Resource { return d.pattern("kms:" + d.region + ":*:key/*") }

// withoutKey reports whether the parameters say that no key is used.
func (d *derivation) withoutKey() bool {
	switch {
	case d.prefix == "ssm" && d.operation == "PutParameter":
		kind, state := d.params.one("type")
		return state == given && kind != "SecureString"
	case d.prefix == "ssm":
		v, state := d.params.one("withDecryption")
		return state == notGiven || state == given && v != "true"
	}
	sse, state := d.encryption()
	return state == given && sse == "AES256"
}

// namedKeys are the keys that parameters name, each once.
func (d *derivation) namedKeys(params string) ([]evaluator.Resource, presence) {
	if params == "" {
		return nil, notGiven
	}
	var keys []evaluator.Resource
	seen := map[string]bool{}
	for _, path := range d.spelled(strings.Fields(params)...) {
		ids, state := d.params.values(path)
		switch state {
		case notGiven:
			continue
		case notKnown, partly:
			return nil, notKnown
		}
		for _, id := range ids {
			if seen[id] || len(keys) == maxKeys {
				continue
			}
			seen[id] = true
			keys = append(keys, d.keyOf(id))
		}
	}
	if len(keys) == 0 {
		if !d.params.known {
			return nil, notKnown
		}
		return nil, notGiven
	}
	return keys, given
}

// keyOf finds a key by what a parameter calls it.
func (d *derivation) keyOf(id string) evaluator.Resource {
	in := *d
	in.params = params{known: true, root: map[string]any{"keyId": id}}
	return in.key("keyId")
}
