package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// prefixes are the event sources, without their domain, whose IAM prefix isn't the same
// word (T76).
var prefixes = map[string]string{
	"monitoring":                     "cloudwatch",
	"email":                          "ses",
	"models.lex":                     "lex",
	"runtime.lex":                    "lex",
	"models-v2-lex":                  "lex",
	"runtime-v2-lex":                 "lex",
	"streams.dynamodb":               "dynamodb",
	"tagging":                        "tag",
	"pinpoint":                       "mobiletargeting",
	"sms-voice.pinpoint":             "sms-voice",
	"entitlement.marketplace":        "aws-marketplace",
	"metering.marketplace":           "aws-marketplace",
	"catalog.marketplace":            "aws-marketplace",
	"discovery.marketplace":          "aws-marketplace",
	"application-insights":           "applicationinsights",
	"servicecatalog-appregistry":     "servicecatalog",
	"iotdata":                        "iot",
	"data.iot":                       "iot",
	"iot-data":                       "iot",
	"data.jobs.iot":                  "iotjobsdata",
	"iot-jobs-data":                  "iotjobsdata",
	"data.iotevents":                 "iotevents",
	"api.iotwireless":                "iotwireless",
	"api.tunneling.iot":              "iot",
	"tunneling.iot":                  "iot",
	"greengrassv2":                   "greengrass",
	"opensearch":                     "es",
	"opensearchserverless":           "aoss",
	"api.ecr":                        "ecr",
	"api.ecr-public":                 "ecr-public",
	"runtime.sagemaker":              "sagemaker",
	"api.sagemaker":                  "sagemaker",
	"featurestore-runtime.sagemaker": "sagemaker",
	"a2i-runtime.sagemaker":          "sagemaker",
	"edge.sagemaker":                 "sagemaker",
	"metrics.sagemaker":              "sagemaker",
	"bedrock-runtime":                "bedrock",
	"bedrock-agent":                  "bedrock",
	"bedrock-agent-runtime":          "bedrock",
	"query.timestream":               "timestream",
	"ingest.timestream":              "timestream",
	"rdsdata":                        "rds-data",
	"redshiftdata":                   "redshift-data",
	"s3-control":                     "s3",
	"cloudcontrolapi":                "cloudformation",
	"appconfigdata":                  "appconfig",
	"migrationhub":                   "mgh",
	"amazonmq":                       "mq",
	"mturk-requester":                "mechanicalturk",
	"apigatewaymanagementapi":        "execute-api",
	"location":                       "geo",
	"billingconsole":                 "aws-portal",
}

// domains end an event source.
var domains = []string{".amazonaws.com.cn", ".amazonaws.com", ".amazonaws.eu", ".aws.internal"}

// prefixOf returns the IAM prefix of a call's service, "" if there is none (T76, T79).
func prefixOf(c Call) string {
	s := strings.ToLower(strings.TrimSpace(c.Service))
	for _, domain := range domains {
		if cut, ok := strings.CutSuffix(s, domain); ok {
			s = cut
			break
		}
	}
	if p, ok := prefixes[s]; ok {
		s = p
	}
	if s == "s3" {
		s = s3Prefix(c)
	}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return s
}

// s3Prefix tells the services behind S3's event source apart by the host that was called (T79).
func s3Prefix(c Call) string {
	host := strings.ToLower(c.Host)
	if host == "" {
		host, _ = newParams(c.Parameters).one("Host")
		host = strings.ToLower(host)
	}
	switch {
	case strings.HasPrefix(host, "s3express-control."), strings.Contains(host, ".s3express-"):
		return "s3express"
	case strings.HasPrefix(host, "s3-outposts."), strings.Contains(host, ".s3-outposts."):
		return "s3-outposts"
	case strings.HasPrefix(host, "s3-object-lambda."), strings.Contains(host, ".s3-object-lambda."):
		return "s3-object-lambda"
	}
	if bucket, _ := newParams(c.Parameters).one("bucketName"); strings.HasSuffix(bucket, "--x-s3") {
		return "s3express" // a directory bucket, whatever the host
	}
	return "s3"
}

// accountLevel reports whether an S3 call is one of S3 Control's, about the account (T79).
func (d *derivation) accountLevel() bool {
	host := d.call.Host
	if host == "" {
		host, _ = d.params.one("Host")
	}
	return strings.HasPrefix(strings.ToLower(d.call.Service), "s3-control") ||
		strings.HasPrefix(host, "s3-control.") || strings.Contains(host, ".s3-control.")
}

// regionPartitions are the partitions that a region's name tells (T84).
var regionPartitions = []struct{ prefix, partition string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},
}

// partitionOf returns the partition of a call's ARNs (T84).
func partitionOf(c Call) string {
	if plain(c.Partition) {
		return c.Partition
	}
	if a, ok := policy.ParseARN(c.Principal.ARN); ok && plain(a.Partition) {
		return a.Partition
	}
	for _, r := range regionPartitions {
		if strings.HasPrefix(c.Region, r.prefix) {
			return r.partition
		}
	}
	return "aws"
}
