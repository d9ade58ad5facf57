package apicall

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A commandParser reads one command line.
type commandParser struct {
	env                CommandEnv
	command            *Command
	set                map[string]string // variables set in front of the command
	globals            map[string]string // options of the CLI itself that were given, without --
	service, operation string            // as typed
	words              []string          // what follows them, without global options
	host               string            // of --endpoint-url, if it is AWS's
}

// globalOptions are the options of the CLI itself, and whether each takes a value. Those for paging and for whole
// inputs belong to the operations, but no operation has a parameter of that name.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
var globalOptions = map[string]bool{
	"debug": false, "no-verify-ssl": false, "no-paginate": false, "no-sign-request": false, "no-cli-pager": false,
	"cli-auto-prompt": false, "no-cli-auto-prompt": false,
	"endpoint-url": true, "output": true, "query": true, "profile": true, "region": true, "color": true, "ca-bundle": true,
	"cli-read-timeout": true, "cli-connect-timeout": true, "cli-binary-format": true, "cli-error-format": true,
	"cli-input-json": true, "cli-input-yaml": true, "page-size": true, "max-items": true, "starting-token": true,
}

const wantCommand = "want aws SERVICE OPERATION [--OPTION VALUE]..."

// program takes what stands in front of aws off, and aws itself.
func (p *commandParser) program(words []string) ([]string, error) {
	for i, w := range words {
		name, value, assigned := strings.Cut(w, "=")
		switch base := w[strings.LastIndexAny(w, `/\`)+1:]; {
		case base == "aws" || base == "aws.exe":
			return words[i+1:], nil
		case assigned && variableName(name):
			p.set[name] = value
		case base == "sudo" || base == "env" || i > 0 && (w == "-E" || w == "-H" || w == "-n"):
		case strings.HasPrefix(w, "aws "):
			return nil, commandErrorf("%q is one word: give the command as the shell would read it, without quotes around all of it", clip(w))
		default:
			return nil, commandErrorf("%q isn't the AWS CLI: %s", clip(w), wantCommand)
		}
	}
	return nil, commandErrorf("no command: %s", wantCommand)
}

func variableName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == ""
}

// clip shortens a word for a message.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// split tells the CLI's own options, the service and the operation from the rest.
func (p *commandParser) split(words []string) error {
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, isOption := strings.CutPrefix(w, "--")
		name, value, joined := strings.Cut(name, "=")
		takesValue, global := globalOptions[name]
		switch {
		case isOption && global && takesValue && !joined:
			if i++; i >= len(words) {
				return commandErrorf("--%s lacks its value", name)
			}
			p.globals[name] = words[i]
		case isOption && global && !takesValue && joined:
			return commandErrorf("--%s takes no value", name)
		case isOption && global:
			p.globals[name] = value
		case isOption && name == "generate-cli-skeleton":
			return commandErrorf("--generate-cli-skeleton prints a form and makes no call")
		case p.operation != "":
			p.words = append(p.words, w)
		case w == "--version":
			return commandErrorf("aws --version makes no call: %s", wantCommand)
		case strings.HasPrefix(w, "-"):
			return &CommandError{Msg: "unknown option " + clip(w) + " before the operation: " + wantCommand, Word: name, Known: optionNames()}
		case p.service == "":
			p.service = w
		default:
			p.operation = w
		}
	}
	if p.service == "help" || p.operation == "help" || len(p.words) > 0 && p.words[0] == "help" {
		return commandErrorf("help makes no call: %s", wantCommand)
	}
	if p.service == "" {
		return commandErrorf("no service: %s", wantCommand)
	}
	return p.endpoint()
}

func optionNames() []string { return slices.Sorted(maps.Keys(globalOptions)) }

// endpointID is a VPC endpoint in the name of its host: vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com.
var endpointID = regexp.MustCompile(`\bvpce-[0-9a-f]{8,17}\b`)

// endpoint reads --endpoint-url, and what it says of the connection.
func (p *commandParser) endpoint() error {
	if _, ok := p.globals["no-sign-request"]; ok && p.env.Principal.Type != evaluator.Anonymous {
		return commandErrorf("--no-sign-request makes the call as nobody: ask for the principal anonymous")
	}
	if _, ok := p.globals["profile"]; ok {
		p.assumef("", "the credentials of --profile are the principal's that was asked for")
	}
	raw := p.globals["endpoint-url"]
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return commandErrorf("--endpoint-url %q is no URL: want https://HOST", clip(raw))
	}
	p.command.tls = u.Scheme == "https"
	if strings.HasSuffix(u.Hostname(), ".amazonaws.com") || strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn") {
		p.host = u.Hostname()
		p.command.vpce = endpointID.FindString(p.host)
	} else {
		p.assumef("", "%s stands for AWS: what runs there may decide otherwise", u.Host)
	}
	return nil
}

// cliServices are the CLI's names of services of which an event source has another one.
var cliServices = map[string]string{"s3api": "s3", "s3control": "s3-control"}

// apiService is the service of a CLI command.
func apiService(command string) string {
	if s, ok := cliServices[command]; ok {
		return s
	}
	return command
}

// read makes calls of the command.
func (p *commandParser) read() error {
	p.command.Words = []string{"aws", p.service}
	if c, ok := topCommands[p.service]; ok {
		return p.custom(c)
	}
	if p.operation == "" {
		return p.noOperation()
	}
	p.command.Words = append(p.command.Words, p.operation)
	if p.service == "s3" {
		return p.s3()
	}
	if c, ok := customCommands[p.service+" "+p.operation]; ok {
		return p.custom(c)
	}
	operation := p.operation
	if operation == "wait" {
		var err error
		if operation, err = p.waiter(); err != nil {
			return err
		}
	}
	return p.plain(operation)
}

// prefix is the IAM prefix of the command's service.
func (p *commandParser) prefix() (string, error) {
	prefix := prefixOf(Call{Service: apiService(p.service)})
	if _, ok := serviceref.Lookup(prefix); !ok {
		return "", &CommandError{
			Msg:  "unknown service " + quote(p.service) + ": the service reference of " + serviceref.Date() + " has none of that name",
			Word: p.service, Known: append(serviceref.Prefixes(), "s3api", "s3control"),
		}
	}
	return prefix, nil
}

func quote(s string) string { return `"` + clip(s) + `"` }

func (p *commandParser) noOperation() error {
	if p.service != "s3" {
		if _, err := p.prefix(); err != nil {
			return err
		}
	}
	return commandErrorf("aws %s: no operation: %s", p.service, wantCommand)
}

// maxName is more than any operation's name has.
const maxName = 128

// plain reads a command that is one operation of the API.
func (p *commandParser) plain(command string) error {
	prefix, err := p.prefix()
	if err != nil {
		return err
	}
	if strings.Trim(command, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(command) > maxName {
		return commandErrorf("%q is no name of an operation: want one such as create-function, in lower case with hyphens", clip(command))
	}
	operation := operationName(prefix, command)
	parameters, err := p.parameters()
	if err != nil {
		return err
	}
	c := p.call(apiService(p.service), operation, parameters)
	p.command.Calls = []CommandCall{c}
	p.command.Unknown = unknownOperation(c.Call, p.service, command)
	return nil
}

// unknownOperation says that neither the tables nor the service reference know a call's operation, nil if they do.
func unknownOperation(c Call, service, command string) *CommandError {
	prefix := prefixOf(c)
	s, ok := serviceref.Lookup(prefix)
	requests := Requests(c)
	if !ok || len(requests) == 0 {
		return nil
	}
	of, name, _ := strings.Cut(requests[0].Action, ":")
	if owner, ok := serviceref.Lookup(of); ok {
		if _, ok := owner.Action(name); ok {
			return nil
		}
	}
	e := &CommandError{Word: command, Msg: "aws " + service + " " + clip(command) + ": neither the service reference of " + serviceref.Date() + " nor iamwhy knows that operation"}
	for _, a := range s.Actions {
		e.Known = append(e.Known, kebab(a.Name))
	}
	return e
}
