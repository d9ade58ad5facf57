package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// kmsVia are the services that AWS KMS knows, in kms:ViaService, by the name that their events and actions have, too.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
var kmsVia = setOf(`backup dynamodb ec2 ecr elasticfilesystem es glue kinesis lambda rds redshift s3 sagemaker secretsmanager sns sqs ssm`)

func setOf(words string) map[string]bool {
	all := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

// KMSVia returns the value of kms:ViaService in the requests that a service makes of KMS for its caller, "" if it isn't
// sure: not every service goes there by the name of its actions, and none of an unknown region or partition.
func KMSVia(prefix, region, partition string) string {
	if !kmsVia[prefix] || !plain(region) {
		return ""
	}
	switch partition {
	case "aws", "aws-us-gov":
		return prefix + "." + region + ".amazonaws.com"
	case "aws-cn":
		return prefix + "." + region + ".amazonaws.com.cn"
	}
	return ""
}

// behindKeys are the keys of a request that a service makes of KMS for the caller.
func (d *derivation) behindKeys() []evaluator.ContextValue {
	if d.prefix == "kms" {
		return nil
	}
	var all []evaluator.ContextValue
	if via := KMSVia(d.prefix, d.region, d.partition); via != "" {
		all = append(all, present("kms:ViaService", via))
	}
	if accountID(d.call.Principal.Account) {
		all = append(all, present("kms:CallerAccount", d.call.Principal.Account))
	}
	return all
}
