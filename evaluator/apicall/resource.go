package apicall

import (
	"net/url"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A finder says on which resources a call's action is.
type finder func(*derivation) []evaluator.Resource

// Resourceless reports whether IAM checks an action without a resource, on "*"
// (rule R10), as the service reference says. It reports false of an action that the reference doesn't have, and of
// one that AWS's messages show on an ARN all the same (rule R12).
func Resourceless(action string) bool {
	s, a, ok := referenceAction(action)
	if !ok || !a.ResourceLess() {
		return false
	}
	_, row := resourceTable[s.Prefix+":"+a.Name]
	return !row && shownOn[s.Prefix] == "" && !unsettled[s.Prefix]
}

// resources returns the resources of an action of the call (T82, T83). What neither a row nor
// the service reference says is unknown.
func (d *derivation) resources(action string) []evaluator.Resource {
	finders, ok := resourceTable[action]
	if !ok {
		if d.prefix == "apigateway" {
			return apiPath(d)
		}
		if points, ok := d.onOutposts(); ok {
			return points
		}
		if s, a, ok := referenceAction(action); ok {
			return d.byReference(action, s, a)
		}
		return []evaluator.Resource{everything}
	}
	d.asked = action
	var all []evaluator.Resource
	for _, f := range finders {
		for _, r := range f(d) {
			if len(all) > maxRequests || !r.Pattern || !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	if s, _, _ := strings.Cut(action, ":"); allOf[s] && !d.params.known {
		all = append(all, d.perhaps(d.beside(action, all))...)
	}
	return boundedResources(all)
}

// arn returns a finder that fills in an ARN without its "arn:partition:". {r} and {a} are
// the call's region and account, {o} the account unless the resource isn't named: it may then be another account's. Other braces name parameters, the first that is given
// counts, and "=" is the default of one that isn't. What isn't known becomes a *. A
// list of values is a list of resources. {^name} is a name that the service folds to
// lower case.
func arn(template string) finder {
	return func(d *derivation) []evaluator.Resource { return d.fill(template) }
}

// whenGiven returns a finder of a resource that an action is checked on only if the call names
// it; an optional one in the service reference (T83). Of a call whose parameters aren't recorded that isn't sure.
func whenGiven(param, template string) finder {
	return func(d *derivation) []evaluator.Resource {
		switch {
		case !d.params.known:
			return d.perhaps(d.fill(template))
		case !d.gives(param):
			return nil
		}
		return d.fill(template)
	}
}

// orDefault is whenGiven of a resource in whose place the service takes one of its own, whose name begins as given.
func orDefault(param, template, ownName string) finder {
	named := whenGiven(param, template)
	return func(d *derivation) []evaluator.Resource {
		if d.params.known && !d.gives(param) {
			return d.perhaps([]evaluator.Resource{d.pattern(strings.NewReplacer("{r}", d.region, "{a}", d.account).Replace(ownName))})
		}
		return named(d)
	}
}

// perhaps marks resources as ones that the call may not be checked on.
func (d *derivation) perhaps(all []evaluator.Resource) []evaluator.Resource {
	d.unsure(d.asked, all)
	return all
}

func (d *derivation) fill(template string) []evaluator.Resource {
	service, _, _ := strings.Cut(template, ":")
	kind := kindOf(template)
	made := []evaluator.Resource{{ARN: "arn:" + d.partition + ":"}}
	done := []evaluator.Resource{}
	for rest := template; ; {
		literal, after, more := strings.Cut(rest, "{")
		extend(made, literal, strings.Contains(literal, "*"))
		if !more {
			return append(done, made...)
		}
		field, tail, _ := strings.Cut(after, "}")
		rest = tail
		switch field {
		case "r":
			extend(made, d.region, d.region == "*")
			continue
		case "a":
			extend(made, d.account, d.account == "*")
			continue
		case "o":
			account := d.account
			if next, _, ok := strings.Cut(afterBrace(tail), "}"); !ok || !d.named(next) {
				account = "*"
			}
			extend(made, account, account == "*")
			continue
		}
		values, complete := d.field(field)
		if len(values) > 1 && len(made)*len(values)+len(done) > maxRequests { // several lists: all of them are one pattern
			return []evaluator.Resource{d.pattern(service + ":*")}
		}
		var next []evaluator.Resource
		for _, m := range made {
			for _, v := range values {
				if strings.HasPrefix(v, "arn:") {
					if r, ok := given1(v, service, kind); ok {
						done = append(done, r)
						continue
					}
				}
				if strings.HasPrefix(v, "arn:") || onlyARN(field) {
					next = append(next, evaluator.Resource{ARN: m.ARN + "*", Pattern: true})
					continue
				}
				next = append(next, evaluator.Resource{ARN: m.ARN + v, Pattern: m.Pattern})
			}
			if !complete {
				next = append(next, evaluator.Resource{ARN: m.ARN + "*", Pattern: true})
			}
		}
		made = next
	}
}

// afterBrace is what follows the first brace.
func afterBrace(s string) string {
	_, after, _ := strings.Cut(s, "{")
	return after
}

// named reports whether the call gives a template's field.
func (d *derivation) named(field string) bool {
	values, complete := d.field(field)
	return complete && len(values) > 0
}

// onlyARN reports whether a field's parameters take ARNs and no names.
func onlyARN(field string) bool {
	for name := range strings.SplitSeq(field, ",") {
		if !strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), "s"), "arn") {
			return false
		}
	}
	return true
}

func extend(made []evaluator.Resource, s string, pattern bool) {
	for i := range made {
		made[i].ARN += s
		made[i].Pattern = made[i].Pattern || pattern
	}
}

// field returns the values of a template's field; complete is false if there may be others.
func (d *derivation) field(field string) (values []string, complete bool) {
	names, fallback, hasDefault := strings.Cut(field, "=")
	names, folded := strings.CutPrefix(names, "^")
	for name := range strings.SplitSeq(names, ",") {
		if name == "a" && d.owner != "" {
			return []string{d.account}, true
		}
		v, state := d.params.values(name)
		switch state {
		case notGiven:
			continue
		case notKnown:
			return nil, false
		}
		for _, s := range v {
			if folded && s != strings.ToLower(s) && !strings.HasPrefix(s, "arn:") {
				return nil, false // which spelling IAM sees isn't documented
			}
		}
		return v, state == given
	}
	if hasDefault && d.params.known {
		return []string{fallback}, true
	}
	return nil, false
}

// kindOf returns how the resource part of a template begins, up to its first field.
func kindOf(template string) string {
	a, ok := policy.ParseARN("arn:p:" + template)
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(a.Resource, "{")
	return kind
}

// given1 takes a parameter that already is an ARN as it is, if it is one of the
// right service and kind.
func given1(value, service, kind string) (evaluator.Resource, bool) {
	a, ok := policy.ParseARN(value)
	if !ok || a.Service != service || !strings.HasPrefix(a.Resource, strings.TrimRight(kind, "*")) || a.Resource == "" {
		return evaluator.Resource{}, false
	}
	r := evaluator.Resource{ARN: value}
	if accountID(a.Account) {
		r.Account = a.Account
	}
	return r, true
}

// pattern makes a resource of a pattern without its "arn:partition:".
func (d *derivation) pattern(s string) evaluator.Resource {
	return evaluator.Resource{ARN: "arn:" + d.partition + ":" + s, Pattern: true}
}

// IAM, row 3.

// entity finds one that exists, whose path nobody recorded.
func entity(kind string, names ...string) finder {
	return func(d *derivation) []evaluator.Resource {
		name, state := d.params.one(names...)
		if kind == "user" && state == notGiven && d.call.Principal.Type == evaluator.User {
			return []evaluator.Resource{{ARN: d.call.Principal.ARN}} // a missing name is the caller
		}
		if state != given || !nameLike(name) {
			return []evaluator.Resource{d.pattern("iam::" + d.account + ":" + kind + "/*")}
		}
		if a, ok := policy.ParseARN(d.call.Principal.ARN); ok && kind == "user" && d.call.Principal.Type == evaluator.User &&
			a.Account == d.account && a.Resource[strings.LastIndex(a.Resource, "/")+1:] == name {
			return []evaluator.Resource{{ARN: d.call.Principal.ARN}}
		}
		return []evaluator.Resource{d.pattern("iam::" + d.account + ":" + kind + "/*" + name)}
	}
}

// newEntity finds one that the call makes, whose path is a parameter.
func newEntity(kind, param string) finder {
	return func(d *derivation) []evaluator.Resource {
		name, state := d.params.one(param)
		if state != given || !nameLike(name) {
			return []evaluator.Resource{d.pattern("iam::" + d.account + ":" + kind + "/*")}
		}
		path, state := d.params.one("path")
		if state == notGiven {
			path, state = "/", given
		}
		if state != given || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") {
			return []evaluator.Resource{d.pattern("iam::" + d.account + ":" + kind + "/*" + name)}
		}
		return []evaluator.Resource{{ARN: "arn:" + d.partition + ":iam::" + d.account + ":" + kind + path + name, Pattern: d.owner == ""}}
	}
}

func nameLike(s string) bool { return s != "" && !strings.ContainsAny(s, "/:*?") }

// Lambda, row 6.

// function finds a function, given as a name, account:function:name or an ARN, each
// perhaps with a qualifier. Invoking one asks about the qualified function (S25).
func function(invoked bool) finder {
	return func(d *derivation) []evaluator.Resource {
		name, state := d.params.one("functionName")
		if state != given {
			return []evaluator.Resource{d.pattern("lambda:" + d.region + ":*:function:*")}
		}
		qualifier, qualified := d.params.one("qualifier")
		region, account := d.region, d.account
		if a, ok := policy.ParseARN(name); ok {
			name, ok = strings.CutPrefix(a.Resource, "function:")
			if !ok || a.Service != "lambda" || !plain(a.Region) || !plain(a.Account) {
				return []evaluator.Resource{d.pattern("lambda:" + d.region + ":*:function:*")}
			}
			region, account = a.Region, a.Account
		} else if before, after, ok := strings.Cut(name, ":function:"); ok {
			if !accountID(before) {
				return []evaluator.Resource{d.pattern("lambda:" + d.region + ":*:function:*")}
			}
			account, name = before, after
		}
		name, inName, ok := strings.Cut(name, ":")
		if ok {
			qualifier, qualified = inName, given
		}
		if !nameLike(name) || strings.ContainsAny(qualifier, "/:*?") {
			return []evaluator.Resource{d.pattern("lambda:" + d.region + ":*:function:*")}
		}
		r := evaluator.Resource{ARN: "arn:" + d.partition + ":lambda:" + region + ":" + account + ":function:" + name, Pattern: region == "*" || account == "*"}
		switch {
		case qualified == notGiven || qualified == given && qualifier == "$LATEST" && !invoked:
		case qualified == given && invoked:
			r.ARN += ":" + qualifier
		default:
			r.ARN, r.Pattern = r.ARN+"*", true // with or without the qualifier
		}
		return []evaluator.Resource{r}
	}
}

// provisioned finds a version or alias of a function, which the call has to name.
func provisioned(d *derivation) []evaluator.Resource {
	all := function(true)(d)
	if r := &all[0]; !r.Pattern && strings.Count(r.ARN, ":") == 6 {
		r.ARN, r.Pattern = r.ARN+":*", true
	}
	return all
}

// layerVersion finds a version of a layer, which is given by the layer's name or ARN and a number, or by an ARN that has the number.
func layerVersion(d *derivation) []evaluator.Resource {
	all := d.fill("lambda:{r}:{o}:layer:{layerName}:{versionNumber}")
	number, state := d.params.one("versionNumber")
	for i := range all {
		r := &all[i]
		if r.Pattern || strings.Count(r.ARN, ":") != 6 {
			continue
		}
		if r.ARN += ":" + number; state != given || !nameLike(number) {
			r.ARN, r.Pattern = strings.TrimSuffix(r.ARN, number)+"*", true
		}
	}
	return all
}

// DynamoDB, row 7.

func (d *derivation) table(name string) evaluator.Resource {
	if r, ok := given1(name, "dynamodb", "table/"); ok {
		return r
	}
	if !nameLike(name) {
		return d.pattern("dynamodb:" + d.region + ":*:table/*")
	}
	return evaluator.Resource{ARN: "arn:" + d.partition + ":dynamodb:" + d.region + ":" + d.account + ":table/" + name, Pattern: d.region == "*" || d.owner == ""}
}

func tables(d *derivation) []evaluator.Resource {
	name, state := d.params.one("tableName")
	if state != given {
		return []evaluator.Resource{d.pattern("dynamodb:" + d.region + ":*:table/*")}
	}
	return []evaluator.Resource{d.table(name)}
}

// tableOrIndex: a query of an index asks about the index (S26).
func tableOrIndex(d *derivation) []evaluator.Resource {
	all := tables(d)
	switch index, state := d.params.one("indexName"); {
	case state == given && nameLike(index):
		all[0].ARN += "/index/" + index
	case state != notGiven && !strings.HasSuffix(all[0].ARN, "*"):
		all[0].ARN, all[0].Pattern = all[0].ARN+"*", true
	}
	return all
}

// batchTables: the tables are the names of requestItems.
func batchTables(d *derivation) []evaluator.Resource {
	nodes, state := d.params.nodes("requestItems")
	var all []evaluator.Resource
	for _, n := range nodes {
		if m, ok := n.(map[string]any); ok && state == given {
			for name := range m {
				all = append(all, d.table(name))
			}
		}
	}
	if len(all) == 0 {
		return []evaluator.Resource{d.pattern("dynamodb:" + d.region + ":*:table/*")}
	}
	if len(all) > maxKeys { // more than DynamoDB takes
		return []evaluator.Resource{d.pattern("dynamodb:" + d.region + ":*:table/*")}
	}
	return sorted(all)
}

// KMS, row 8.

// key finds a key. An alias says nothing of which key it is; a key may be another account's.
func (d *derivation) key(names ...string) evaluator.Resource {
	unknown := d.pattern("kms:" + d.region + ":*:key/*")
	id, state := d.params.one(names...)
	if state != given {
		return unknown
	}
	if a, ok := policy.ParseARN(id); ok {
		if r, ok := given1(id, "kms", "key/"); ok {
			return r
		}
		if a.Service == "kms" && strings.HasPrefix(a.Resource, "alias/") && plain(a.Region) && plain(a.Account) {
			return d.pattern("kms:" + a.Region + ":" + a.Account + ":key/*")
		}
		return unknown
	}
	if strings.HasPrefix(id, "alias/") {
		return d.pattern("kms:" + d.region + ":" + d.account + ":key/*")
	}
	if !nameLike(id) {
		return unknown
	}
	return evaluator.Resource{ARN: "arn:" + d.partition + ":kms:" + d.region + ":" + d.account + ":key/" + id, Pattern: d.region == "*" || d.owner == ""}
}

func kmsKey(names ...string) finder {
	return func(d *derivation) []evaluator.Resource { return []evaluator.Resource{d.key(names...)} }
}

// aliasOf finds an alias by its name, alias/x.
func aliasOf(d *derivation) []evaluator.Resource {
	if name, state := d.params.one("aliasName"); state == given && strings.HasPrefix(name, "alias/") && !strings.ContainsAny(name, ":*?") {
		return d.fill("kms:{r}:{a}:{aliasName}")
	}
	return []evaluator.Resource{d.pattern("kms:" + d.region + ":" + d.account + ":alias/*")}
}

// Secrets Manager, row 9.

// secret finds secrets. A name, or an ARN without the random end, lacks six characters (S27).
func secret(param string) finder {
	return func(d *derivation) []evaluator.Resource {
		ids, state := d.params.values(param)
		if state != given {
			return []evaluator.Resource{d.pattern("secretsmanager:" + d.region + ":*:secret:*")}
		}
		var all []evaluator.Resource
		for _, id := range ids {
			r, ok := given1(id, "secretsmanager", "secret:")
			switch {
			case ok && secretSuffix(id):
			case ok:
				r.ARN, r.Pattern = id+"-??????", true
			case strings.HasPrefix(id, "arn:"):
				r = d.pattern("secretsmanager:" + d.region + ":*:secret:*")
			default:
				r = d.pattern("secretsmanager:" + d.region + ":" + d.account + ":secret:" + id + "-??????")
			}
			all = append(all, r)
		}
		return all
	}
}

func secretSuffix(id string) bool {
	at := len(id) - 7
	return at > 0 && id[at] == '-' && !strings.ContainsAny(id[at+1:], "-/_+=.@:*?")
}

// newSecret: before it exists a secret has no suffix, or a fresh one.
func newSecret(d *derivation) []evaluator.Resource {
	name, state := d.params.one("name")
	if state != given {
		name = ""
	}
	return []evaluator.Resource{d.pattern("secretsmanager:" + d.region + ":" + d.account + ":secret:" + name + "*")}
}

// Systems Manager, row 10.

func ssmParameter(subtree bool, names ...string) finder {
	return func(d *derivation) []evaluator.Resource {
		var values []string
		state := notGiven
		for _, n := range names {
			if values, state = d.params.values(n); state != notGiven {
				break
			}
		}
		if state != given {
			return []evaluator.Resource{d.pattern("ssm:" + d.region + ":*:parameter/*")}
		}
		var all []evaluator.Resource
		for _, v := range values {
			if strings.HasPrefix(v, "arn:") {
				if r, ok := given1(v, "ssm", "parameter/"); ok && strings.Count(v, ":") == 5 {
					all = append(all, r)
				} else {
					all = append(all, d.pattern("ssm:"+d.region+":*:parameter/*"))
				}
				continue
			}
			name, _, _ := strings.Cut(v, ":") // a version or label
			name = strings.TrimPrefix(name, "/")
			account := d.account
			if strings.HasPrefix(name, "aws/") {
				account = "" // AWS's own, public ones
			}
			r := evaluator.Resource{ARN: "arn:" + d.partition + ":ssm:" + d.region + ":" + account + ":parameter/" + name, Pattern: d.region == "*" || account == "*"}
			if subtree {
				r.ARN, r.Pattern = r.ARN+"*", true
			}
			all = append(all, r)
		}
		return all
	}
}

// nodes finds instances and managed ones, which an id tells apart; any resource if the call goes by tags.
func nodes(params ...string) finder {
	return func(d *derivation) []evaluator.Resource {
		var ids []string
		state := notGiven
		for _, param := range params {
			if ids, state = d.params.values(param); state != notGiven {
				break
			}
		}
		if state != given {
			return []evaluator.Resource{everything}
		}
		var all []evaluator.Resource
		for _, id := range ids {
			switch {
			case strings.HasPrefix(id, "i-") && nameLike(id):
				all = append(all, evaluator.Resource{ARN: "arn:" + d.partition + ":ec2:" + d.region + ":" + d.account + ":instance/" + id, Pattern: d.region == "*" || d.owner == ""})
			case strings.HasPrefix(id, "mi-") && nameLike(id):
				all = append(all, evaluator.Resource{ARN: "arn:" + d.partition + ":ssm:" + d.region + ":" + d.account + ":managed-instance/" + id, Pattern: d.region == "*" || d.owner == ""})
			default:
				all = append(all, everything)
			}
		}
		return all
	}
}

// SQS, row 11.

// queue reads the queue's URL, which tells region, account and name.
func queue(d *derivation) []evaluator.Resource {
	raw, state := d.params.one("queueUrl")
	if state == given {
		u, err := url.Parse(raw)
		if err == nil {
			account, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
			if ok && accountID(account) && nameLike(name) {
				region := d.region
				if parts := strings.Split(u.Hostname(), "."); len(parts) >= 4 && parts[0] == "sqs" && plain(parts[1]) {
					region = parts[1]
				}
				return []evaluator.Resource{{ARN: "arn:" + d.partition + ":sqs:" + region + ":" + account + ":" + name, Pattern: region == "*"}}
			}
		}
	}
	return []evaluator.Resource{d.pattern("sqs:" + d.region + ":*:*")}
}

// CloudWatch Logs, row 14.

// logGroup finds a group. Whether IAM sees it with ":*", ":log-stream:" or nothing at the end
// depends on the action and the time, so all of them are meant.
func logGroup(d *derivation) []evaluator.Resource {
	name, state := d.params.one("logGroupName")
	if state != given || strings.ContainsAny(name, ":") {
		return []evaluator.Resource{d.pattern("logs:" + d.region + ":*:log-group:*")}
	}
	return []evaluator.Resource{d.pattern("logs:" + d.region + ":" + d.account + ":log-group:" + name + "*")}
}

// EventBridge, row 15.

func rule(param string) finder {
	return func(d *derivation) []evaluator.Resource {
		bus, state := d.params.one("eventBusName")
		if state == notGiven {
			bus, state = "default", given
		}
		name, known := d.params.one(param)
		if state != given || known != given || !nameLike(name) {
			return []evaluator.Resource{d.pattern("events:" + d.region + ":*:rule/*")}
		}
		if a, ok := policy.ParseARN(bus); ok {
			last := strings.TrimPrefix(a.Resource, "event-bus/")
			if a.Service != "events" || !plain(a.Account) || !plain(a.Region) {
				return []evaluator.Resource{d.pattern("events:" + d.region + ":*:rule/*")}
			}
			path := "rule/" + last + "/" + name
			if last == "default" {
				path = "rule/" + name
			}
			return []evaluator.Resource{{ARN: "arn:" + d.partition + ":events:" + a.Region + ":" + a.Account + ":" + path}}
		}
		if bus == "default" {
			return d.fill("events:{r}:{a}:rule/{" + param + "}")
		}
		return d.fill("events:{r}:{a}:rule/{eventBusName}/{" + param + "}")
	}
}

// ECS, row 17.

// taskDefinition finds one; without a revision it is the latest, whichever that is.
func taskDefinition(d *derivation) []evaluator.Resource {
	name, state := d.params.one("taskDefinition")
	if r, ok := given1(name, "ecs", "task-definition/"); ok && state == given {
		if strings.Count(r.ARN, ":") == 5 {
			r.ARN, r.Pattern = r.ARN+":*", true
		}
		return []evaluator.Resource{r}
	}
	if state != given || strings.ContainsAny(name, "/*?") || strings.HasPrefix(name, "arn:") {
		return []evaluator.Resource{d.pattern("ecs:" + d.region + ":" + d.account + ":task-definition/*")}
	}
	if family, revision, ok := strings.Cut(name, ":"); ok {
		return []evaluator.Resource{{ARN: "arn:" + d.partition + ":ecs:" + d.region + ":" + d.account + ":task-definition/" + family + ":" + revision, Pattern: d.region == "*" || d.owner == ""}}
	}
	return []evaluator.Resource{d.pattern("ecs:" + d.region + ":" + d.account + ":task-definition/" + name + ":*")}
}

// jobDefinition finds a definition of AWS Batch; without a revision it is the latest, and whether AWS shows that isn't documented.
func jobDefinition(d *derivation) []evaluator.Resource {
	all := d.fill("batch:{r}:{a}:job-definition/{jobDefinition}")
	for i, r := range all {
		if !r.Pattern && strings.Count(r.ARN, ":") == 5 {
			all[i].ARN, all[i].Pattern = r.ARN+"*", true
		}
	}
	return all
}

// stateMachine finds a state machine. A version or an alias is checked as the machine itself.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
func stateMachine(param string) finder {
	return func(d *derivation) []evaluator.Resource {
		all := d.fill("states:{r}:{a}:stateMachine:{" + param + "}")
		for i, r := range all {
			if a, ok := policy.ParseARN(r.ARN); ok && !r.Pattern {
				name, _, qualified := strings.Cut(strings.TrimPrefix(a.Resource, "stateMachine:"), ":")
				if qualified && nameLike(name) {
					a.Resource = "stateMachine:" + name
					all[i].ARN = a.String()
				}
			}
		}
		return all
	}
}

// ECR, row 18: the registry is an account's.
func repository(d *derivation) []evaluator.Resource {
	account := d.account
	switch id, state := d.params.one("registryId"); {
	case state == given && accountID(id):
		account = id
	case state != notGiven:
		account = "*"
	}
	name, state := d.params.one("repositoryName")
	if state != given {
		return []evaluator.Resource{d.pattern("ecr:" + d.region + ":" + account + ":repository/*")}
	}
	return []evaluator.Resource{{ARN: "arn:" + d.partition + ":ecr:" + d.region + ":" + account + ":repository/" + name, Pattern: d.region == "*" || account == "*"}}
}

// stack finds a stack; its ARN ends in an id unless that is given. A call about no
// stack in particular is on nobody knows what.
func stack(d *derivation) []evaluator.Resource {
	if _, state := d.params.one("stackName"); state == notGiven {
		return []evaluator.Resource{everything}
	}
	return d.fill("cloudformation:{r}:{a}:stack/{stackName}/*")
}

// Elastic Load Balancing, row 22.

// newLoadBalancer finds the one that a call makes: a classic one by its name alone, another by type and name.
func newLoadBalancer(d *derivation) []evaluator.Resource {
	if _, state := d.params.one("loadBalancerName"); state == given {
		return d.fill("elasticloadbalancing:{r}:{a}:loadbalancer/{loadBalancerName}")
	}
	kind, state := d.params.one("type")
	if state == notGiven {
		kind, state = "application", given
	}
	types := map[string]string{"application": "app", "network": "net", "gateway": "gwy"}
	if state != given || types[kind] == "" || !d.params.known {
		return d.fill("elasticloadbalancing:{r}:{a}:loadbalancer/*")
	}
	return d.fill("elasticloadbalancing:{r}:{a}:loadbalancer/" + types[kind] + "/{name}/*")
}

// Bedrock, row 40.

// geographies begin the ids of inference profiles that AWS defines, before the id of the model.
//
// https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var geographies = map[string]bool{"us": true, "us-gov": true, "eu": true, "apac": true, "ap": true, "jp": true, "au": true, "ca": true, "global": true, "sa": true, "me": true, "af": true}

// model finds the model that a call invokes. Through an inference profile it is on the profile and on the model, in each Region
// that the profile routes to.
//
// https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
func model(d *derivation) []evaluator.Resource {
	id, state := d.params.one("modelId")
	if state != given || strings.ContainsAny(id, "*?") {
		return []evaluator.Resource{everything}
	}
	if a, ok := policy.ParseARN(id); ok {
		if a.Service != "bedrock" || a.Resource == "" {
			return []evaluator.Resource{everything}
		}
		all := []evaluator.Resource{{ARN: id}}
		if strings.Contains(a.Resource, "inference-profile/") {
			all = append(all, d.pattern("bedrock:*::foundation-model/*"))
		}
		return all
	}
	first, rest, ok := strings.Cut(id, ".")
	switch {
	case !ok || rest == "" || strings.Contains(id, "/"):
		return []evaluator.Resource{everything}
	case !geographies[first]:
		return []evaluator.Resource{{ARN: "arn:" + d.partition + ":bedrock:" + d.region + "::foundation-model/" + id, Pattern: d.region == "*"}}
	}
	return []evaluator.Resource{
		{ARN: "arn:" + d.partition + ":bedrock:" + d.region + ":" + d.account + ":inference-profile/" + id, Pattern: d.region == "*" || d.owner == ""},
		d.pattern("bedrock:*::foundation-model/" + rest),
	}
}
