package apicall

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A CommandEnv is what a command line of the AWS CLI doesn't say itself. Its functions may be nil.
type CommandEnv struct {
	Principal evaluator.Principal // who runs the command
	Account   string              // the caller's; "" if it isn't known
	Partition string              // "" is worked out from the caller and the region
	Region    string              // where the command runs unless it says so itself; "" leaves it to the environment
	// Getenv returns a variable of the environment in which the command runs, "" if it isn't set.
	Getenv func(name string) string
	// ProfileRegion returns the region that the CLI's configuration file has for a profile, "" if it has none.
	ProfileRegion func(profile string) string
	// ReadFile returns the contents of what file:// names. Without it they aren't known.
	ReadFile func(name string) ([]byte, error)
}

// A Command is what a command line of the AWS CLI does.
type Command struct {
	Words   []string // what was run: aws, s3, cp
	Calls   []CommandCall
	Assumed []Assumption // what was taken for true without the command line's word
	// Unread are the parts of the command line that weren't understood, in words.
	Unread []string
	// Unknown says that nobody knows the operation; nil if it is known. It may be newer than the data.
	Unknown *CommandError
	tls     bool
	vpce    string // the VPC endpoint that --endpoint-url names
}

// A CommandCall is one API call of a command.
type CommandCall struct {
	Call
	// When says under which condition the command makes the call; "" is always.
	When string
	from string // where its region is from
}

// An Assumption is one thing taken for true.
type Assumption struct {
	Key  string // the context key that it sets; "" if it sets none
	Text string
}

// A CommandRequest is a request that a command makes, with the context that goes with its call.
type CommandRequest struct {
	Request
	// When says in which case it is made; "" unless the command alone decides it.
	When string
	// Assumed are context keys that no parameter decides, but the way in which the command line tool calls.
	Assumed []evaluator.ContextValue
}

// A CommandError says what is wrong with a command line.
type CommandError struct {
	Msg   string
	Word  string   // the word that isn't known; "" if that isn't it
	Known []string // the words that it may have been meant for
}

func (e *CommandError) Error() string { return e.Msg }

func commandErrorf(format string, args ...any) error {
	return &CommandError{Msg: fmt.Sprintf(format, args...)}
}

// Limits of what a command line may hold; a shell's own is about 2 MB.
const (
	maxWords        = 10_000
	maxCommandBytes = 4 << 20
	maxFileBytes    = 4 << 20
)

// FromCommand reads a command line of the AWS CLI, word by word as a shell hands them over.
// It knows the CLI's grammar and no model of any operation: an option's name becomes the parameter's,
// and a value's form tells its type. An option that the operation doesn't have isn't noticed.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-commandstructure.html
func FromCommand(words []string, env CommandEnv) (*Command, error) {
	size := 0
	for _, w := range words {
		size += len(w)
	}
	if len(words) > maxWords || size > maxCommandBytes {
		return nil, commandErrorf("the command line is too long: at most %d words and %d bytes are read", maxWords, maxCommandBytes)
	}
	p := &commandParser{env: env, command: &Command{tls: true}, globals: map[string]string{}, set: map[string]string{}}
	words, err := p.program(words)
	if err != nil {
		return nil, err
	}
	if err := p.split(words); err != nil {
		return nil, err
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	p.assume()
	return p.command, nil
}

// Requests returns what the command asks of IAM, what it surely needs first. What several of its calls
// ask alike is one request.
func (c *Command) Requests() []CommandRequest {
	var all []CommandRequest
	for _, call := range c.Calls {
		for _, r := range Requests(call.Call) {
			if len(all) >= maxRequests {
				break
			}
			one := CommandRequest{Request: r, When: call.When}
			one.blur()
			one.Required = one.Required && call.When == ""
			one.Assumed = c.context(call.Call, one.Request)
			all = add(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b CommandRequest) int { return rank(a) - rank(b) })
	return all
}

func rank(r CommandRequest) int {
	if r.Required {
		return 0
	}
	return 1
}

// add adds a request unless it is there already. One that is surely needed wins over one that may be, and the same permission
// under further conditions is no other one.
func add(all []CommandRequest, one CommandRequest) []CommandRequest {
	for i, had := range all {
		switch {
		case had.Action != one.Action || had.Resource != one.Resource:
		case !one.Required && (had.Required || had.When == "" || strings.HasPrefix(one.When, had.When)):
			return all
		case reflect.DeepEqual(had.Context, one.Context) && reflect.DeepEqual(had.Assumed, one.Assumed):
			switch {
			case one.Required && !had.Required:
				all[i] = one
			case !one.Required:
				all[i].When = "" // in several cases, none of which alone decides
			}
			return all
		}
	}
	return append(all, one)
}

// unknownPart stands in a parameter for text that the command line leaves open, such as the rest of an object's
// key. No word of a command line can hold it.
const unknownPart = "\x00"

// blur makes patterns of what was derived from parameters with parts that aren't known.
func (r *CommandRequest) blur() {
	if strings.Contains(r.Resource.ARN, unknownPart) {
		r.Resource.ARN, r.Resource.Pattern = strings.ReplaceAll(r.Resource.ARN, unknownPart, "*"), true
	}
	for i, v := range r.Context {
		if slices.ContainsFunc(v.Values, func(s string) bool { return strings.Contains(s, unknownPart) }) {
			r.Context[i] = evaluator.ContextValue{Name: v.Name, State: evaluator.PresentUnknown}
		}
	}
}

// context are the keys that follow from who calls how. A request that a service makes for the caller
// (rule P22) has those of the service's call, which nobody knows; iam:PassRole is part of the call itself (rule S12).
func (c *Command) context(call Call, r Request) []evaluator.ContextValue {
	prefix, _, _ := strings.Cut(r.Action, ":")
	own := prefix == prefixOf(call) || r.Action == "iam:PassRole"
	var all []evaluator.ContextValue
	switch { // the key is in every request, even where the rest of the context is closed
	case call.Region != "" && (own || oneRegion[prefix] == ""):
		all = append(all, present("aws:RequestedRegion", call.Region))
	default:
		all = append(all, evaluator.ContextValue{Name: "aws:RequestedRegion", State: evaluator.PresentUnknown})
	}
	if own {
		all = append(all, present("aws:SecureTransport", fmt.Sprint(c.tls)), present("aws:ViaAWSService", "false"))
		for _, key := range []string{"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"} {
			all = append(all, evaluator.ContextValue{Name: key, State: evaluator.Absent})
		}
	}
	if own && c.vpce != "" {
		all = append(all, present("aws:SourceVpce", c.vpce))
	}
	return append(all, noMFA(call.Principal)...)
}

// noMFA are the keys of a caller who didn't use MFA: absent with a user's access keys, false in a session (5.4).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
func noMFA(p evaluator.Principal) []evaluator.ContextValue {
	age := evaluator.ContextValue{Name: "aws:MultiFactorAuthAge", State: evaluator.Absent}
	switch p.Type {
	case evaluator.User, evaluator.Root:
		return []evaluator.ContextValue{{Name: "aws:MultiFactorAuthPresent", State: evaluator.Absent}, age}
	case evaluator.AssumedRole, evaluator.FederatedUser:
		return []evaluator.ContextValue{present("aws:MultiFactorAuthPresent", "false"), age}
	}
	return nil
}

// oneRegion are the services that are called in one region, whatever the command line says, by prefix: with
// one endpoint for a partition, aws:RequestedRegion is that endpoint's region.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
var oneRegion = map[string]string{
	"account": "us-east-1", "budgets": "us-east-1", "ce": "us-east-1", "cloudfront": "us-east-1", "health": "us-east-1",
	"iam": "us-east-1", "organizations": "us-east-1", "route53": "us-east-1", "savingsplans": "us-east-1", "shield": "us-east-1",
	"support": "us-east-1", "waf": "us-east-1", "globalaccelerator": "us-west-2", "networkmanager": "us-west-2",
}

// partitionRegions are the regions of such services elsewhere.
var partitionRegions = map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

// region returns the region of a call to a service, and says why.
func (p *commandParser) region(prefix string) (region, why string) {
	if home := oneRegion[prefix]; home != "" {
		partition := p.partition()
		if partition != "aws" {
			home = partitionRegions[partition]
		}
		return home, "where " + prefix + " is called from everywhere"
	}
	return p.asked()
}

func (p *commandParser) partition() string {
	region, _ := p.asked()
	return partitionOf(Call{Partition: p.env.Partition, Principal: p.env.Principal, Region: region})
}

// asked is the region that the command line or its environment names, in the CLI's order of precedence.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
func (p *commandParser) asked() (region, why string) {
	if r := p.globals["region"]; r != "" {
		return r, "from --region"
	}
	if p.env.Region != "" {
		return p.env.Region, "as given"
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if r := p.variable(name); r != "" {
			return r, "from " + name
		}
	}
	if p.env.ProfileRegion == nil {
		return "", ""
	}
	profile, which := p.globals["profile"], ""
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if profile == "" {
			profile = p.variable(name)
		}
	}
	if which = "profile " + profile; profile == "" {
		which = "the default profile"
	}
	return p.env.ProfileRegion(profile), "from " + which + " of the CLI's configuration"
}

// variable is one that is set in front of the command, or in its environment.
func (p *commandParser) variable(name string) string {
	if v, ok := p.set[name]; ok || p.env.Getenv == nil {
		return v
	}
	return p.env.Getenv(name)
}

// call makes a call of the command.
func (p *commandParser) call(service, operation string, parameters map[string]any) CommandCall {
	if parameters == nil {
		parameters = map[string]any{} // none, and known so
	}
	c := Call{Service: service, Operation: operation, Partition: p.env.Partition, Account: p.env.Account,
		Parameters: parameters, Principal: p.env.Principal, Host: p.host}
	var from string
	c.Region, from = p.region(prefixOf(c))
	if bucket, ok := parameters["Bucket"].(string); ok {
		switch arn, isARN := policy.ParseARN(bucket); {
		case isARN && plain(arn.Region): // which the CLI follows
			c.Region, from = arn.Region, "from the access point's ARN"
		case c.Region != "":
			from += "; the bucket is taken to be there, where S3 answers"
		}
	}
	return CommandCall{Call: c, from: from}
}

func (p *commandParser) assumef(key, format string, args ...any) {
	a := Assumption{Key: key, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(p.command.Assumed, a) {
		p.command.Assumed = append(p.command.Assumed, a)
	}
}

// assume says what holds of every call: where it goes, how, and as whom.
func (p *commandParser) assume() {
	special := p.command.Assumed
	p.command.Assumed = nil
	for _, c := range p.command.Calls {
		if c.Region == "" {
			p.assumef("aws:RequestedRegion", "region: not known; --region on the command line would tell")
		} else {
			p.assumef("aws:RequestedRegion", "region: %s, %s", c.Region, c.from)
		}
	}
	if len(p.command.Calls) > 0 {
		if p.command.tls {
			p.assumef("aws:SecureTransport", "TLS: yes")
		} else {
			p.assumef("aws:SecureTransport", "TLS: no, from --endpoint-url")
		}
		if p.command.vpce != "" {
			p.assumef("aws:SourceVpce", "VPC endpoint: %s, from --endpoint-url", p.command.vpce)
		}
		p.assumef("aws:ViaAWSService", "made directly, by no AWS service in between (aws:ViaAWSService false, aws:CalledVia absent)")
		if len(noMFA(p.env.Principal)) > 0 {
			p.assumef("aws:MultiFactorAuthPresent", "MFA: none")
		}
	}
	p.command.Assumed = append(p.command.Assumed, special...)
}

// operation spells the API operation of a CLI command: as the service reference spells the action of that name,
// or else by the rule, which knows no acronyms.
func operationName(prefix, kebab string) string {
	if s, ok := serviceref.Lookup(prefix); ok {
		if a, ok := s.Action(strings.ReplaceAll(kebab, "-", "")); ok {
			return a.Name
		}
	}
	return camel(kebab)
}

// camel makes CreateFunction of create-function.
func camel(kebab string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(kebab, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// kebab makes create-function of CreateFunction, and create-db-instance of CreateDBInstance.
func kebab(name string) string {
	var b strings.Builder
	for i := range len(name) {
		upper := name[i] >= 'A' && name[i] <= 'Z'
		starts := i > 0 && upper && (name[i-1] < 'A' || name[i-1] > 'Z' || i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z')
		if starts && b.Len() > 0 {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}
