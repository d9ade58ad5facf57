// Package logtest makes CloudTrail log files for tests and benchmarks: of the size, shape and mixture that a busy
// account's trail has, the same for the same seed. Whoever measures a reader of CloudTrail needs
// data that can be made again; real logs can't be given away.
package logtest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Counts are what files hold.
type Counts struct {
	Records  int
	Denials  int // calls that were denied, those within a batch included
	Errors   int // calls that failed for another reason
	Sessions int // AssumeRole calls that went well
	Bytes    int64
}

// A Generator makes log files. It isn't safe for concurrent use.
type Generator struct {
	rand    *rand.Rand
	now     time.Time
	callers []caller
	buf     []byte
	counts  Counts
}

// A caller is a principal with what CloudTrail repeats of it in each record.
type caller struct{ identity, agent, ip, arn string }

const (
	account = "111122223333"
	region  = "eu-west-1"
	callers = 100
)

// New returns a Generator whose files depend on seed alone.
func New(seed uint64) *Generator {
	g := &Generator{rand: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for i := range callers {
		g.callers = append(g.callers, g.caller(i))
	}
	return g
}

// Counts returns what was made so far.
func (g *Generator) Counts() Counts { return g.counts }

// WriteFile writes a gzipped log file of that many records.
func (g *Generator) WriteFile(w io.Writer, records int) error {
	zw := gzip.NewWriter(w)
	if err := g.WriteText(zw, records); err != nil {
		return err
	}
	return zw.Close()
}

// WriteText writes the text of a log file of that many records.
func (g *Generator) WriteText(w io.Writer, records int) error {
	g.buf = append(g.buf[:0], `{"Records":[`...)
	for i := range records {
		if i > 0 {
			g.buf = append(g.buf, ',')
		}
		g.record()
	}
	g.buf = append(g.buf, `]}`...)
	g.counts.Records += records
	g.counts.Bytes += int64(len(g.buf))
	_, err := w.Write(g.buf)
	return err
}

// Name is the name of a log file as CloudTrail gives it.
func (g *Generator) Name() string {
	return fmt.Sprintf("%s_CloudTrail_%s_%s_%s.json.gz", account, region, g.now.Format("20060102T1504Z"), g.letters(16))
}

func (g *Generator) caller(i int) caller {
	agents := []string{
		"[aws-sdk-java/2.20.43 Linux/5.10.109-104.500.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.6+10-LTS Java/17.0.6 vendor/Amazon.com_Inc. exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/legacy]",
		"Boto3/1.26.90 Python/3.9.16 Linux/5.10.165-143.735.amzn2.x86_64 exec-env/AWS_Lambda_python3.9 Botocore/1.29.90",
		"aws-cli/2.11.2 Python/3.11.2 Linux/6.1.0 exe/x86_64.ubuntu.22 prompt/off command/s3.cp",
		"APN/1.0 HashiCorp/1.0 Terraform/1.4.2 (+https://www.terraform.io) terraform-provider-aws/4.59.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go/1.44.219 (go1.19.6; linux; amd64)",
	}
	c := caller{agent: agents[i%len(agents)], ip: fmt.Sprintf("10.%d.%d.%d", g.rand.IntN(256), g.rand.IntN(256), g.rand.IntN(256))}
	if i%5 == 0 {
		id := "AIDA" + g.letters(16)
		c.arn = fmt.Sprintf("arn:aws:iam::%s:user/people/user-%02d", account, i)
		c.identity = fmt.Sprintf(`{"type":"IAMUser","principalId":"%s","arn":"%s","accountId":"%s","accessKeyId":"AKIA%s","userName":"user-%02d"}`, id, c.arn, account, g.letters(16), i)
		return c
	}
	id, session := "AROA"+g.letters(16), fmt.Sprintf("i-0%016x", g.rand.Uint64())
	c.arn = fmt.Sprintf("arn:aws:sts::%s:assumed-role/service-%02d/%s", account, i, session)
	c.identity = fmt.Sprintf(`{"type":"AssumedRole","principalId":"%s:%s","arn":"%s","accountId":"%s","accessKeyId":"ASIA%s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"%s","arn":"arn:aws:iam::%s:role/services/service-%02d","accountId":"%s","userName":"service-%02d"},"webIdFederationData":{},"attributes":{"creationDate":"2026-11-01T00:11:22Z","mfaAuthenticated":"false"}}}`,
		id, session, c.arn, account, g.letters(16), id, account, i, account, i)
	return c
}

// A call is what differs between records.
type call struct {
	source, name         string
	parameters, response string
	rest                 string // further members
	readOnly, data       bool
	action, resource     string // for the message of a denial
}

// record adds a record to g.buf, with the members in CloudTrail's order.
func (g *Generator) record() {
	who := &g.callers[g.rand.IntN(len(g.callers))]
	c := g.call()
	g.now = g.now.Add(time.Duration(g.rand.IntN(200)) * time.Millisecond)
	failed := ""
	switch n := g.rand.IntN(1000); {
	case n < 20:
		failed = g.denial(who, c)
		g.counts.Denials++
	case n < 30:
		failed = `"errorCode":"ThrottlingException","errorMessage":"Rate exceeded",`
		g.counts.Errors++
	case c.name == "AssumeRole":
		g.counts.Sessions++
	case strings.Contains(c.response, "UnauthorizedOperation"):
		g.counts.Denials++
	}
	if failed != "" {
		c.response = "null"
	}
	category := "Management"
	if c.data {
		category = "Data"
	}
	g.buf = fmt.Appendf(g.buf, `{"eventVersion":"1.11","userIdentity":%s,"eventTime":"%s","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"%s","sourceIPAddress":"%s","userAgent":"%s",%s"requestParameters":%s,"responseElements":%s,%s"requestID":"%s","eventID":"%s","readOnly":%t,"eventType":"AwsApiCall","managementEvent":%t,"recipientAccountId":"%s","eventCategory":"%s","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s.%s.amazonaws.com"}}`,
		who.identity, g.now.Format("2006-01-02T15:04:05Z"), c.source, c.name, region, who.ip, who.agent, failed, c.parameters, c.response, c.rest,
		g.uuid(), g.uuid(), c.readOnly, !c.data, account, category, c.source, region)
}

// denial is how a service says no.
func (g *Generator) denial(who *caller, c call) string {
	code := "AccessDenied"
	if c.source == "ec2" {
		code = "Client.UnauthorizedOperation"
	}
	why := []string{
		"because no identity-based policy allows the %s action", "with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-example/service_control_policy/p-example",
		"with an explicit deny in an identity-based policy", "because no permissions boundary allows the %s action",
	}[g.rand.IntN(4)]
	if strings.Contains(why, "%s") {
		why = fmt.Sprintf(why, c.action)
	}
	return fmt.Sprintf(`"errorCode":"%s","errorMessage":"User: %s is not authorized to perform: %s on resource: %s %s",`, code, who.arn, c.action, c.resource, why)
}

// call draws a call: mostly reading, a third of it S3's data events, some sessions, few changes.
func (g *Generator) call() call {
	switch n := g.rand.IntN(1000); {
	case n < 300:
		return g.s3()
	case n < 500:
		return g.describe()
	case n < 580:
		return g.assumeRole()
	case n < 720:
		return g.kms()
	case n < 940:
		return g.read()
	case n < 960:
		return g.putPolicy()
	case n < 961:
		return g.createFleet()
	default:
		return g.createTags()
	}
}

func (g *Generator) s3() call {
	bucket, key := fmt.Sprintf("acme-data-%02d", g.rand.IntN(20)), fmt.Sprintf("year=2026/month=11/day=%02d/part-%05d-%s.snappy.parquet", 1+g.rand.IntN(28), g.rand.IntN(200), g.uuid())
	name, read := "GetObject", true
	if g.rand.IntN(4) == 0 {
		name, read = "PutObject", false
	}
	response := "null"
	if !read {
		response = fmt.Sprintf(`{"x-amz-server-side-encryption":"aws:kms","x-amz-version-id":"%s"}`, g.letters(32))
	}
	return call{
		source: "s3", name: name, readOnly: read, data: true, action: "s3:" + name, resource: fmt.Sprintf("arn:aws:s3:::%s/%s", bucket, key), response: response,
		parameters: fmt.Sprintf(`{"bucketName":"%s","Host":"%s.s3.%s.amazonaws.com","key":"%s"}`, bucket, bucket, region, key),
		rest: fmt.Sprintf(`"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"%s","bytesTransferredOut":%d},"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::%s/%s"},{"accountId":"%s","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::%s"}],`,
			g.base64(76), g.rand.IntN(1<<24), bucket, key, account, bucket),
	}
}

func (g *Generator) describe() call {
	name := []string{"DescribeInstances", "DescribeVolumes", "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeTags", "DescribeSubnets"}[g.rand.IntN(6)]
	return call{
		source: "ec2", name: name, readOnly: true, action: "ec2:" + name, resource: "*", response: "null",
		parameters: fmt.Sprintf(`{"maxResults":1000,"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"vpc-0%016x"}]}},{"name":"instance-state-name","valueSet":{"items":[{"value":"running"}]}}]}}`, g.rand.Uint64()),
	}
}

func (g *Generator) assumeRole() call {
	role, session := fmt.Sprintf("arn:aws:iam::%s:role/services/service-%02d", account, g.rand.IntN(callers)), fmt.Sprintf("session-%d", g.rand.IntN(1e9))
	return call{
		source: "sts", name: "AssumeRole", readOnly: true, action: "sts:AssumeRole", resource: role,
		parameters: fmt.Sprintf(`{"roleArn":"%s","roleSessionName":"%s","durationSeconds":3600}`, role, session),
		response: fmt.Sprintf(`{"credentials":{"accessKeyId":"ASIA%s","sessionToken":"%s","expiration":"Nov 1, 2026, 1:%02d:%02d AM"},"assumedRoleUser":{"assumedRoleId":"AROA%s:%s","arn":"%s/%s"}}`,
			g.letters(16), g.base64(320), g.rand.IntN(60), g.rand.IntN(60), g.letters(16), session, strings.Replace(role, ":iam:", ":sts:", 1), session),
		rest: fmt.Sprintf(`"resources":[{"accountId":"%s","type":"AWS::IAM::Role","ARN":"%s"}],`, account, role),
	}
}

func (g *Generator) kms() call {
	key := fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, account, []string{"11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"}[g.rand.IntN(2)])
	name := []string{"Decrypt", "GenerateDataKey"}[g.rand.IntN(2)]
	return call{
		source: "kms", name: name, readOnly: true, action: "kms:" + name, resource: key, response: "null",
		parameters: fmt.Sprintf(`{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::acme-data-%02d"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`, g.rand.IntN(20)),
		rest:       fmt.Sprintf(`"resources":[{"accountId":"%s","type":"AWS::KMS::Key","ARN":"%s"}],`, account, key),
	}
}

func (g *Generator) read() call {
	pick := []struct{ source, name, parameters, resource string }{
		{"dynamodb", "DescribeTable", `{"tableName":"orders-%d"}`, "arn:aws:dynamodb:" + region + ":" + account + ":table/orders"},
		{"secretsmanager", "GetSecretValue", `{"secretId":"app/secret-%d"}`, "app/secret"},
		{"ssm", "GetParameters", `{"names":["/app/parameter-%d","/app/url"],"withDecryption":true}`, "arn:aws:ssm:" + region + ":" + account + ":parameter/app"},
		{"logs", "DescribeLogStreams", `{"logGroupName":"/aws/lambda/f-%d","orderBy":"LastEventTime","descending":true,"limit":50}`, "arn:aws:logs:" + region + ":" + account + ":log-group::log-stream:"},
		{"lambda", "GetFunction20150331v2", `{"functionName":"f-%d"}`, "arn:aws:lambda:" + region + ":" + account + ":function:f"},
	}[g.rand.IntN(5)]
	return call{source: pick.source, name: pick.name, readOnly: true, action: pick.source + ":" + strings.TrimSuffix(pick.name, "20150331v2"), resource: pick.resource,
		parameters: fmt.Sprintf(pick.parameters, g.rand.IntN(1000)), response: "null"}
}

// putPolicy is a call with a policy in a string, full of escaped quotes and braces.
func (g *Generator) putPolicy() call {
	role := fmt.Sprintf("service-%02d", g.rand.IntN(callers))
	return call{
		source: "iam", name: "PutRolePolicy", action: "iam:PutRolePolicy", resource: "role " + role, response: "null",
		parameters: fmt.Sprintf(`{"roleName":"%s","policyName":"inline","policyDocument":"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"S%d\",\n      \"Effect\": \"Allow\",\n      \"Action\": [\"s3:GetObject\", \"s3:ListBucket\"],\n      \"Resource\": [\"arn:aws:s3:::acme-data-%02d\", \"arn:aws:s3:::acme-data-%02d/*\"],\n      \"Condition\": {\"StringEquals\": {\"aws:PrincipalTag/team\": \"${aws:ResourceTag/team}\"}}\n    }\n  ]\n}"}`,
			role, g.rand.IntN(1e6), g.rand.IntN(20), g.rand.IntN(20)),
	}
}

// createFleet is a call that went well as a whole, with a denial in its response (T46).
func (g *Generator) createFleet() call {
	return call{
		source: "ec2", name: "CreateFleet", action: "ec2:RunInstances", resource: "arn:aws:ec2:" + region + ":" + account + ":instance/*",
		parameters: `{"CreateFleetRequest":{"Type":"instant","TargetCapacitySpecification":{"TotalTargetCapacity":2,"DefaultTargetCapacityType":"spot"}}}`,
		response:   fmt.Sprintf(`{"CreateFleetResponse":{"fleetId":"fleet-%s","errorSet":{"item":{"errorCode":"UnauthorizedOperation","errorMessage":"You are not authorized to perform this operation.","lifecycle":"spot"}}}}`, g.uuid()),
	}
}

func (g *Generator) createTags() call {
	return call{
		source: "ec2", name: "CreateTags", action: "ec2:CreateTags", resource: "arn:aws:ec2:" + region + ":" + account + ":volume/*",
		parameters: fmt.Sprintf(`{"resourcesSet":{"items":[{"resourceId":"vol-0%016x"}]},"tagSet":{"items":[{"key":"team","value":"t%d"}]}}`, g.rand.Uint64(), g.rand.IntN(30)),
		response:   fmt.Sprintf(`{"requestId":"%s","_return":true}`, g.uuid()),
	}
}

func (g *Generator) uuid() string {
	a, b := g.rand.Uint64(), g.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a), uint16(b>>48), b&(1<<48-1))
}

func (g *Generator) letters(n int) string { return g.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n) }

func (g *Generator) base64(n int) string {
	return g.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n)
}

func (g *Generator) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.rand.IntN(len(alphabet))]
	}
	return string(b)
}
