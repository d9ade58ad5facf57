package apicall

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// An option is one of an operation's, as typed.
type option struct {
	name   string // without --
	values []string
}

// notRead stands for contents that nobody looked at.
const notRead = "HIDDEN_DUE_TO_SECURITY_REASONS" // as CloudTrail writes it (T85)

// options takes an operation's words apart: each option takes the words up to the next one. Words in front
// of the first belong to none.
func options(words []string) (loose []string, all []option, err error) {
	for _, w := range words {
		name, isOption := strings.CutPrefix(w, "--")
		switch {
		case isOption:
			name, value, joined := strings.Cut(name, "=")
			if name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
				return nil, nil, commandErrorf("%q is no option: want --NAME, of letters, digits and hyphens", clip(w))
			}
			o := option{name: name}
			if joined {
				o.values = []string{value}
			}
			all = append(all, o)
		case len(w) > 1 && w[0] == '-' && (w[1] < '0' || w[1] > '9') && w[1] != '.':
			return nil, nil, commandErrorf("%q: the AWS CLI has no options of one hyphen, and a value that begins with one is written --OPTION=%s", clip(w), clip(w))
		case len(all) == 0:
			loose = append(loose, w)
		default:
			last := &all[len(all)-1]
			last.values = append(last.values, w)
		}
	}
	return loose, all, nil
}

// parameters reads the operation's options as request parameters.
func (p *commandParser) parameters() (map[string]any, error) {
	loose, all, err := options(p.words)
	if err != nil {
		return nil, err
	}
	if all, err = p.outfile(loose, all); err != nil {
		return nil, err
	}
	params, err := p.input()
	if err != nil {
		return nil, err
	}
	spelled := make(map[string]string, len(params)) // by the name in lower case
	for name := range params {
		spelled[strings.ToLower(name)] = name
	}
	for _, o := range all { // the last of several options of a name counts, and each wins over the whole input
		name, value, err := p.parameter(o)
		if err != nil {
			return nil, err
		}
		if had, ok := spelled[strings.ToLower(name)]; ok {
			delete(params, had)
		}
		spelled[strings.ToLower(name)] = name
		params[name] = value
		p.special(params, o)
	}
	p.paging(params)
	return params, nil
}

// outfiles are the operations whose output goes to a file that the command line names without an option.
var outfiles = words(map[string]string{
	"apigateway":                   "get-export get-sdk",
	"apigatewayv2":                 "export-api",
	"appconfig":                    "create-hosted-configuration-version get-configuration get-hosted-configuration-version",
	"appconfigdata":                "get-latest-configuration",
	"appsync":                      "get-introspection-schema",
	"bedrock-agentcore":            "invoke-agent-runtime",
	"bedrock-runtime":              "invoke-model",
	"cloudfront":                   "get-connection-function get-function",
	"codeartifact":                 "get-package-version-asset",
	"codeguruprofiler":             "get-profile",
	"datazone":                     "get-lineage-event",
	"ebs":                          "get-snapshot-block",
	"geo-maps":                     "get-glyphs get-sprites get-static-map get-style-descriptor get-tile",
	"glacier":                      "get-job-output",
	"iot-data":                     "delete-thing-shadow get-thing-shadow update-thing-shadow",
	"iotwireless":                  "get-position-estimate get-resource-position",
	"kinesis-video-archived-media": "get-clip get-media-for-fragment-list",
	"kinesis-video-media":          "get-media",
	"lakeformation":                "get-work-unit-results",
	"lambda":                       "invoke",
	"lex-runtime":                  "post-content put-session",
	"lexv2-runtime":                "put-session recognize-utterance",
	"location":                     "get-map-glyphs get-map-sprites get-map-style-descriptor get-map-tile",
	"medialive":                    "describe-input-device-thumbnail",
	"mediastore-data":              "get-object",
	"medical-imaging":              "get-image-frame get-image-set-metadata",
	"neptune-graph":                "execute-query",
	"neptunedata":                  "execute-gremlin-explain-query execute-gremlin-profile-query execute-open-cypher-explain-query",
	"omics":                        "get-read-set get-reference",
	"polly":                        "synthesize-speech",
	"s3api":                        "get-object get-object-annotation get-object-torrent",
	"sagemaker-geospatial":         "get-tile",
	"sagemaker-runtime":            "invoke-endpoint",
	"schemas":                      "get-code-binding-source",
	"tnb": `get-sol-function-package-content get-sol-function-package-descriptor get-sol-network-package-content
		get-sol-network-package-descriptor`,
	"workmailmessageflow": "get-raw-message-content",
})

// outfile takes the name of the output's file out, which may stand behind any option. Of such an operation each
// option is then taken to have one value.
func (p *commandParser) outfile(loose []string, all []option) ([]option, error) {
	if !outfiles[p.service+":"+p.operation] {
		if len(loose) > 0 {
			return nil, commandErrorf("aws %s %s: unexpected %q: want options, --NAME VALUE", p.service, p.operation, clip(loose[0]))
		}
		return all, nil
	}
	for i, o := range all {
		keep := 1
		if strings.HasPrefix(o.name, "no-") {
			keep = 0
		}
		if len(o.values) > keep {
			loose = append(loose, o.values[keep:]...)
			all[i].values = o.values[:keep]
		}
	}
	switch len(loose) {
	case 0:
		return nil, commandErrorf("aws %s %s: want the name of the file for the output, such as out.json, as a word of its own", p.service, p.operation)
	case 1:
		return all, nil
	}
	return nil, commandErrorf("aws %s %s: %q and %q: want one file for the output", p.service, p.operation, clip(loose[0]), clip(loose[1]))
}

// input reads the whole of a request from --cli-input-json or --cli-input-yaml.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-skeleton.html
func (p *commandParser) input() (map[string]any, error) {
	asJSON, isJSON := p.globals["cli-input-json"]
	asYAML, isYAML := p.globals["cli-input-yaml"]
	name, text := "--cli-input-json", asJSON
	switch {
	case isJSON && isYAML:
		return nil, commandErrorf("--cli-input-json and --cli-input-yaml: want one of them")
	case isYAML:
		name, text = "--cli-input-yaml", asYAML
	case !isJSON:
		return map[string]any{}, nil
	}
	text, known, err := p.contents(name, text)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, commandErrorf("%s: the contents of the file aren't known", name)
	}
	var v any
	if isJSON {
		v, err = decodeJSON(text)
	} else {
		v, err = decodeYAML(text)
	}
	if err != nil {
		return nil, commandErrorf("%s: %v", name, err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, commandErrorf("%s: want an object of parameters", name)
	}
	return m, nil
}

// contents returns a value, or what is in the file that it names; known is false if nobody looked.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
func (p *commandParser) contents(name, value string) (text string, known bool, err error) {
	if strings.HasPrefix(value, "fileb://") {
		return notRead, false, nil // binary: no permission hangs on it
	}
	path, isFile := strings.CutPrefix(value, "file://")
	switch {
	case !isFile:
		return value, true, nil
	case p.env.ReadFile == nil:
		p.command.Unread = append(p.command.Unread, "--"+strings.TrimPrefix(name, "--")+": the contents of "+path)
		return notRead, false, nil
	}
	data, err := p.env.ReadFile(path)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("%s: %w", name, err)
	case len(data) > maxFileBytes:
		return "", false, commandErrorf("%s: %s is larger than %d bytes", name, path, maxFileBytes)
	}
	return string(data), true, nil
}

// decodeJSON reads one JSON value, with numbers as they are written.
func decodeJSON(text string) (any, error) {
	var v any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		at := int64(len(text)) + 1
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		line, col := place(text, at)
		return nil, fmt.Errorf("%d:%d: not JSON: %w", line, col, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		line, col := place(text, dec.InputOffset())
		return nil, fmt.Errorf("%d:%d: more text after the JSON value", line, col)
	}
	return v, nil
}

// place is the line and column of the byte before an offset.
func place(text string, offset int64) (line, col int) {
	before := text[:max(0, min(int(offset)-1, len(text)))]
	return strings.Count(before, "\n") + 1, len(before) - strings.LastIndexByte(before, '\n')
}

func decodeYAML(text string) (any, error) {
	docs, err := yaml.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("want one YAML document, found %d", len(docs))
	}
	budget := 100 * maxValues
	v := plainValue(docs[0], &budget)
	if budget < 0 {
		return nil, errors.New("too large")
	}
	return v, nil
}

// plainValue makes of a tree what encoding/json would; aliases, which share nodes, are spread out as far as the budget goes.
func plainValue(n *yaml.Node, budget *int) any {
	if *budget--; *budget < 0 || n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.Bool:
		return n.Text == "true"
	case yaml.Number:
		return json.Number(n.Text)
	case yaml.String:
		return n.Text
	case yaml.List:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, plainValue(item, budget))
		}
		return list
	case yaml.Map:
		m := map[string]any{}
		for _, pair := range n.Pairs {
			m[pair.Key.Text] = plainValue(pair.Value, budget)
		}
		return m
	}
	return nil
}

// renamed are the options that aren't called like the parameter, by service. The CLI renames what would collide with
// its own options.
var renamed = map[string]map[string]string{
	"apigateway":        {"api-version": "Version"},
	"apigatewayv2":      {"api-version": "Version"},
	"codepipeline":      {"pipeline-version": "Version", "action-version": "Version"},
	"ec2":               {"reboot": "NoReboot=false", "ingress": "Egress=false", "enable-api-termination": "DisableApiTermination=false"},
	"eks":               {"kubernetes-version": "Version"},
	"elastictranscoder": {"job-output": "Output"},
	"gamelift":          {"build-version": "Version", "script-version": "Version"},
	"opsworks":          {"stack-region": "Region"},
	"rds":               {"options": "OptionsToInclude"},
	"route53":           {"traffic-policy-version": "Version"},
	"ses":               {"from": "Source"},
	"sns":               {"notification-endpoint": "Endpoint"},
	"stepfunctions":     {"task-output": "Output"},
	"swf":               {"activity-version": "Version", "workflow-version": "Version"},
}

// member is the parameter that an option gives, spelled by the rule; the tables read names without regard to case.
func (p *commandParser) member(option string) (name string, fixed any) {
	if to, ok := renamed[p.service][option]; ok {
		name, value, negated := strings.Cut(to, "=")
		if negated {
			return name, value == "true"
		}
		return name, nil
	}
	return camel(option), nil
}

// parameter is what an option says.
func (p *commandParser) parameter(o option) (name string, value any, err error) {
	name, value = p.member(o.name)
	switch {
	case value != nil:
	case len(o.values) == 0 && needsValue(o.name):
		return "", nil, commandErrorf("--%s lacks its value", o.name)
	case len(o.values) == 0:
		value = true
		if rest, ok := strings.CutPrefix(o.name, "no-"); ok && rest != "reboot" {
			name, value = camel(rest), false
		}
	case len(o.values) == 1:
		value, err = p.value(o.name, o.values[0])
	default:
		list := make([]any, 0, len(o.values))
		for _, w := range o.values {
			v, err := p.value(o.name, w)
			if err != nil {
				return "", nil, err
			}
			list = append(list, v)
		}
		value = list
	}
	return name, value, err
}

// flagVerbs begin the names of flags that end like those of parameters: --return-subscription-arn.
var flagVerbs = set("accept activate by clear create enable generate include no remove return track unset use user")

// needsValue reports whether an option is surely none that stands alone.
func needsValue(option string) bool {
	if option == "bucket" || option == "key" {
		return true
	}
	first, _, _ := strings.Cut(option, "-")
	switch strings.TrimSuffix(option[strings.LastIndexByte(option, '-')+1:], "s") {
	case "arn", "id", "identifier", "name":
		return !flagVerbs[first]
	}
	return false
}

// special adds what an option says in other words than its own name.
func (p *commandParser) special(params map[string]any, o option) {
	switch p.service + " " + p.operation + " " + o.name {
	case "ec2 run-instances associate-public-ip-address", "ec2 run-instances no-associate-public-ip-address":
		// The CLI also moves the subnet and the groups into the interface, which asks IAM about the same.
		params["NetworkInterfaces"] = []any{map[string]any{
			"DeviceIndex": json.Number("0"), "AssociatePublicIpAddress": o.name == "associate-public-ip-address",
		}}
	}
}

// paging: a page's size is a parameter, which S3's lists turn into a context key.
func (p *commandParser) paging(params map[string]any) {
	if size := p.globals["page-size"]; size != "" && p.service == "s3api" && strings.HasPrefix(p.operation, "list-object") {
		params["MaxKeys"] = json.Number(size)
	}
}

// value reads a value by its form: JSON, the CLI's shorthand, or plain text.
func (p *commandParser) value(option, word string) (any, error) {
	text, known, err := p.contents("--"+option, word)
	if err != nil || !known {
		return text, err
	}
	if p.isText(option) {
		return text, nil
	}
	switch trimmed := strings.TrimLeft(text, " \t\r\n"); {
	case strings.HasPrefix(trimmed, "{"), strings.HasPrefix(trimmed, "["):
		v, err := decodeJSON(text)
		if err == nil {
			return v, nil
		}
		p.command.Unread = append(p.command.Unread, fmt.Sprintf("--%s begins like JSON and isn't (%v): taken as text", option, err))
		return text, nil
	case strings.Contains(trimmed, "=") && option != "name" && !strings.HasSuffix(option, "-name"): // a name may be a=b
		if m, err := shorthand(text); err == nil {
			return m, nil
		}
	}
	return text, nil
}

// textWords end the names of options that take text, whatever it looks like: nearly all parameters in AWS's API that are called so are
// strings. Where one isn't, what it holds stays unknown.
var textWords = words(map[string]string{"text": `body bucket comment description document email expression message namespace password
	path pattern prefix query statement string text title token uri url username`})

// s3Structures end the names of S3's options that aren't text.
var s3Structures = words(map[string]string{"s3": `attributes configuration controls delete encryption hold metadata policy progress request retention serialization
	status tagging upload`})

// isText reports whether an option's value is text, so that no form is looked for in it.
func (p *commandParser) isText(option string) bool {
	last := option[strings.LastIndexByte(option, '-')+1:]
	if p.service == "s3api" {
		// put-object takes tags as a query string, and the bucket's policy is a string of JSON.
		return option == "policy" || !s3Structures["s3:"+last] || option == "tagging" && !strings.HasSuffix(p.operation, "-tagging")
	}
	return option == "policy" || textWords["text:"+last]
}
