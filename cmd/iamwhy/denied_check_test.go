package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// deniedChecks are a check that hangs on each part, as the account's root user asks.
var deniedChecks = map[string][2]string{ // action, resource
	"acm-pca":             {"acm-pca:GetCertificate", "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/a"},
	"backup":              {"backup:DescribeBackupVault", "arn:aws:backup:eu-west-1:111122223333:backup-vault:v"},
	"cloudtrail":          {"cloudtrail:StartQuery", "arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/e"},
	"codeartifact":        {"codeartifact:DescribeDomain", "arn:aws:codeartifact:eu-west-1:111122223333:domain/d"},
	"codebuild":           {"codebuild:StartBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/p"},
	"dynamodb":            {"dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/t"},
	"ecr":                 {"ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111122223333:repository/r"},
	"elasticfilesystem":   {"elasticfilesystem:ClientMount", "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"},
	"endpoints":           {"cloudwatch:ListMetrics", "*"},
	"es":                  {"es:ESHttpGet", "arn:aws:es:eu-west-1:111122223333:domain/d"},
	"events":              {"events:PutEvents", "arn:aws:events:eu-west-1:111122223333:event-bus/b"},
	"execute-api":         {"execute-api:Invoke", "arn:aws:execute-api:eu-west-1:111122223333:a/prod/GET/"},
	"glacier":             {"glacier:DescribeVault", "arn:aws:glacier:eu-west-1:111122223333:vaults/v"},
	"glue":                {"glue:GetTable", "arn:aws:glue:eu-west-1:111122223333:catalog"},
	"iam":                 {"sts:AssumeRole", "arn:aws:iam::111122223333:role/r"},
	"kafka":               {"kafka:DescribeCluster", "arn:aws:kafka:eu-west-1:111122223333:cluster/c/1"},
	"kinesis":             {"kinesis:GetRecords", "arn:aws:kinesis:eu-west-1:111122223333:stream/s"},
	"kms":                 {"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
	"lambda":              {"lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f"},
	"lex":                 {"lex:DescribeBot", "arn:aws:lex:eu-west-1:111122223333:bot/B"},
	"logs":                {"logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g"},
	"organization":        {"cloudwatch:ListMetrics", "*"},
	"redshift-serverless": {"redshift-serverless:GetSnapshot", "arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/s"},
	"s3":                  {"s3:GetObject", "arn:aws:s3:eu-west-1:111122223333:accesspoint/a/object/k"},
	"s3express":           {"s3express:CreateSession", "arn:aws:s3express:eu-west-1:111122223333:bucket/b--euw1-az1--x-s3"},
	"s3tables":            {"s3tables:GetTableBucket", "arn:aws:s3tables:eu-west-1:111122223333:bucket/b"},
	"secretsmanager":      {"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf"},
	"ses":                 {"ses:SendEmail", "arn:aws:ses:eu-west-1:111122223333:identity/example.com"},
	"signer":              {"signer:GetSigningProfile", "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/p"},
	"sns":                 {"sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t"},
	"sqs":                 {"sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q"},
	"ssm":                 {"ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/p"},
}

// uncheckedParts are those that no check hangs on: names for people, shares that policies of RAM's own making
// stand for, and policies that are indeterminate whatever is known.
var uncheckedParts = []string{"identitycenter", "ram", "vpc-lattice"}

// collectDenied collects where the calls that faults fit are denied. It returns the folder, and the actions that snapshot.json
// says were denied, by part.
func collectDenied(t *testing.T, faults ...awsfake.Fault) (folder string, denied map[string][]string) {
	t.Helper()
	f := collectFake()
	for _, x := range faults {
		f.Fail(x)
	}
	folder = filepath.Join(t.TempDir(), "snapshot")
	report, err := collectors.Collect(t.Context(), folder, collectors.Options{Config: f.Config("eu-west-1"), Now: time.Now(), Regions: []string{"eu-west-1"}})
	if err != nil || !report.Written {
		t.Fatalf("collecting: %v, %+v", err, report)
	}
	var recorded struct {
		Parts map[string]struct {
			Gaps []struct{ Action, Status string }
		}
	}
	if err := json.Unmarshal([]byte(tree(t, folder)["snapshot.json"]), &recorded); err != nil {
		t.Fatal(err)
	}
	denied = make(map[string][]string)
	for name, p := range recorded.Parts {
		word := name[strings.LastIndexByte(name, '/')+1:]
		for _, g := range p.Gaps {
			if g.Status == "denied" {
				denied[word] = append(denied[word], g.Action)
			}
		}
	}
	return folder, denied
}

// TestChecksNameDenials: whichever part was denied, snapshot.json and doctor have each call, and a check that hangs on the
// part is indeterminate and names one (rule U6).
func TestChecksNameDenials(t *testing.T) {
	pass := func(service string) awsfake.Fault { return awsfake.Fault{Service: service} }
	everything := awsfake.Fault{Reply: awsfake.Deny}
	// What a check of one part hangs on besides isn't denied with it.
	collections := []struct {
		faults []awsfake.Fault
		of     func(word string) bool
	}{
		{[]awsfake.Fault{pass("sts"), pass("iam"), pass("organizations"), everything}, func(word string) bool { return word != "iam" && word != "organization" }},
		{[]awsfake.Fault{pass("sts"), pass("organizations"), everything}, func(word string) bool { return word == "iam" }},
		{[]awsfake.Fault{pass("sts"), pass("iam"), everything}, func(word string) bool { return word == "organization" }},
	}
	for _, c := range collections {
		folder, denied := collectDenied(t, c.faults...)
		doctor, _, _ := runIn(t, "doctor", "-v", "--snapshot", folder)
		for _, word := range collectors.Parts() {
			if !c.of(word) {
				continue
			}
			if len(denied[word]) == 0 {
				t.Errorf("%s: snapshot.json has no call that was denied", word)
			}
			for _, action := range denied[word] {
				if !strings.Contains(doctor, "Grant "+action) {
					t.Errorf("%s: doctor doesn't name %s", word, action)
				}
			}
			check, ok := deniedChecks[word]
			if !ok {
				if !slices.Contains(uncheckedParts, word) {
					t.Errorf("%s has no check in deniedChecks", word)
				}
				continue
			}
			args := []string{"check", "--snapshot", folder, "-p", "arn:aws:iam::" + awsfake.Account + ":root", "-a", check[0], "-r", check[1], "--closed-context"}
			if word == "endpoints" {
				args = append(args, "-c", "aws:SourceVpce=vpce-1")
			}
			out, errs, exit := runIn(t, args...)
			if exit != statusIndeterminate || !slices.ContainsFunc(denied[word], func(action string) bool { return strings.Contains(out, action) }) {
				t.Errorf("%s: exit status %d, want %d, and one of %q named:\n%s%s", word, exit, statusIndeterminate, denied[word], out, errs)
			}
		}
	}
}

// runIn runs a command.
func runIn(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = run(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	return out.String(), errs.String(), exit
}
