package correlate

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// A call is what an event says, made ready once for all the denials in it.
type call struct {
	event     *Event
	principal evaluator.Principal
	account   string // the caller's, "" if it isn't known
	// What follows is made when it is first asked for.
	derived func() []apicall.Request
	context func() *callContext
}

func newCall(e *Event) *call {
	c := &call{event: e, principal: eventPrincipal(e), account: callerAccount(e)}
	c.derived = sync.OnceValue(c.derive)
	c.context = sync.OnceValue(c.newContext)
	return c
}

// derive returns what the call asks of IAM by the event alone.
func (c *call) derive() []apicall.Request {
	e, account := c.event, c.account
	if account == "" {
		account = knownAccount(e.RecipientAccount)
	}
	in := apicall.Call{
		Service: e.Source, Operation: e.Name, Partition: eventPartition(e), Region: e.Region, Account: account,
		Parameters: decodeParameters(e.RequestParameters), Principal: c.principal, Host: e.TLSHost, InvokedBy: e.Identity.InvokedBy,
	}
	for _, r := range e.Resources {
		in.Resources = append(in.Resources, apicall.RecordedResource(r))
	}
	return apicall.Requests(in)
}

// decodeParameters returns the request parameters, nil if they aren't known: EC2 and STS record null
// for a call that they refuse, and what is too big is omitted (T112).
func decodeParameters(raw json.RawMessage) map[string]any {
	if len(raw) == 0 {
		return nil
	}
	var p map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&p) != nil || p["omitted"] == true {
		return nil
	}
	return p
}

// parameter returns a request parameter.
func parameter(e *Event, name string) any { return decodeParameters(e.RequestParameters)[name] }

func actionService(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return strings.ToLower(service)
}

// iamAction returns the IAM action of what a message calls one.
func iamAction(action string) string {
	if a, ok := operationActions[strings.ToLower(action)]; ok {
		return a
	}
	return action
}

// needs returns what finds out what the denied call needed, once: the one that AWS named
// first (T75).
func (c *call) needs(d Denial, names []string) func() []need {
	return sync.OnceValue(func() []need {
		derived := itemRequests(c.derived(), names)
		if d.Message.Action == "" && keyDenied(d.Code) {
			derived = ofService(derived, "kms")
		}
		chosen := c.choose(&d.Message, derived)
		out := make([]need, 0, len(chosen))
		for _, a := range chosen {
			out = append(out, need{a.Required, sync.OnceValue(func() Request { return c.request(&d, a) })})
		}
		return out
	})
}

// keyDenied reports whether an error code says that it was the use of a KMS key that was
// denied, and not the call's own action (T40).
func keyDenied(code string) bool {
	bare := strings.ToLower(bareCode(code))
	return strings.HasPrefix(bare, "kmsaccessdenied") || strings.HasPrefix(strings.ToLower(code), "kms.") && classOfCode(bare) == ClassDenied
}

func ofService(derived []apicall.Request, service string) []apicall.Request {
	var found []apicall.Request
	for _, a := range derived {
		if actionService(a.Action) == service {
			found = append(found, a)
		}
	}
	return found
}

// itemRequests returns the request of the item of a batch that names tell of; all of
// them if that can't be told.
func itemRequests(derived []apicall.Request, names []string) []apicall.Request {
	var found []apicall.Request
	for _, a := range derived {
		for _, name := range names {
			arn := a.Resource.ARN
			if arn == name || strings.HasSuffix(arn, "/"+name) || strings.HasSuffix(arn, ":"+name) {
				found = append(found, a)
				break
			}
		}
	}
	if len(found) == 0 {
		return derived
	}
	return found
}

// choose lets AWS's message override what was derived from the event (T75). An action
// that the call isn't known to need, such as iam:PassRole or kms:Decrypt, is
// the only one that matters (T81, T117).
func (c *call) choose(m *Message, derived []apicall.Request) []apicall.Request {
	if m.Pattern == "M31" && m.Action == "" {
		return nil // another principal's, and nobody says which
	}
	resource, named := messageResource(m, c)
	candidates := withAction(derived, m.Action)
	action := m.Action
	if len(candidates) == 0 {
		action = iamAction(m.Action)
		candidates = withAction(derived, action)
	}
	if len(candidates) == 0 {
		if action == "" {
			return derived
		}
		return []apicall.Request{c.only(m, action, resource, named)}
	}
	at, same := candidates[0], true
	if named {
		at, same = nearest(derived, candidates, resource.ARN)
	}
	first := derived[at]
	if m.Action != "" {
		first.ActionSource, first.Required = apicall.FromMessage, true
	}
	if named {
		// A * that AWS names is the string that it evaluated, not what isn't known of one (T65).
		if known := describes(m, first.Resource.ARN, resource.ARN); !known || first.Resource.Pattern && !resource.Pattern {
			if !known && !first.Resource.Pattern {
				first.Context = nil // which told of another resource
			}
			first.Resource = resource
		}
		first.ResourceSource = apicall.FromMessage
	}
	chosen := []apicall.Request{first}
	for i, a := range derived {
		if i != at || !same {
			chosen = append(chosen, a)
		}
	}
	return chosen
}

// only is the request for an action that nothing but the message tells of.
func (c *call) only(m *Message, action string, resource evaluator.Resource, named bool) apicall.Request {
	a := apicall.Request{
		Action: action, ActionSource: apicall.FromMessage, Required: true,
		Resource: evaluator.Resource{ARN: "*", Pattern: true}, ResourceSource: apicall.FromNowhere,
	}
	if named {
		a.Resource, a.ResourceSource = resource, apicall.FromMessage
	} else if arn := c.recorded(actionService(action)); arn != "" {
		a.Resource, a.ResourceSource = evaluator.Resource{ARN: arn}, apicall.FromEvent
	} else if passed := c.passedRole(); m.Pattern == "M31" && m.Action == "sts:AssumeRole" && passed != "" {
		a.Resource, a.ResourceSource = evaluator.Resource{ARN: passed}, apicall.FromEvent
	}
	return a
}

// recorded returns the one resource of a service that the event records, "" if
// there are none or several.
func (c *call) recorded(service string) string {
	found := ""
	for _, r := range c.event.Resources {
		if a, ok := splitARN(r.ARN); ok && a.service == service {
			if found != "" && found != r.ARN {
				return ""
			}
			found = r.ARN
		}
	}
	return found
}

// withAction returns the indexes of the requests for an action; all if it is "".
func withAction(derived []apicall.Request, action string) []int {
	var at []int
	for i, a := range derived {
		if action == "" || strings.EqualFold(a.Action, action) {
			at = append(at, i)
		}
	}
	return at
}

// nearest returns the candidate that a message's resource stands for, and whether it is
// one and the same: equal, of the same type, or the only one there is.
func nearest(derived []apicall.Request, candidates []int, arn string) (at int, same bool) {
	for _, i := range candidates {
		if collapse(derived[i].Resource.ARN) == collapse(arn) {
			return i, true
		}
	}
	want, ok := splitARN(arn)
	for _, i := range candidates {
		if a, isARN := splitARN(derived[i].Resource.ARN); ok && isARN && want.kind() != "" && a.service == want.service && a.kind() == want.kind() && want.service != "s3" {
			return i, true
		}
	}
	return candidates[0], len(candidates) == 1
}

// describes reports whether the derived ARN says what the message's does, and better:
// with the blanks that ParseMessage runs together, or with the path of a bare IAM name (T64).
func describes(m *Message, derived, named string) bool {
	if collapse(derived) == collapse(named) {
		return true
	}
	d, ok1 := splitARN(derived)
	n, ok2 := splitARN(m.Resource)
	return m.PathUnknown && ok1 && ok2 && d.service == n.service && d.kind() == n.kind() && d.lastName() == n.lastName()
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// messageResource returns the resource that a message names, literally: a * in it is
// the string that AWS evaluated (T65). A name alone, or a key's id, is none. c may be nil.
func messageResource(m *Message, c *call) (evaluator.Resource, bool) {
	arn, pathUnknown := m.Resource, m.PathUnknown
	if arn == "*" {
		return evaluator.Resource{ARN: arn}, true
	}
	if k, name, _ := cutKind(arn); k != nil && c != nil && c.account != "" {
		arn, pathUnknown = k.arn(eventPartition(c.event), c.account, name), k.hasPath
	}
	a, ok := splitARN(arn)
	if !ok {
		return evaluator.Resource{}, false
	}
	if pathUnknown {
		prefix := strings.TrimSuffix(arn, a.resource)
		return evaluator.Resource{ARN: prefix + a.kind() + "/*" + strings.TrimPrefix(a.resource, a.kind()+"/"), Pattern: true, Account: knownAccount(a.account)}, true
	}
	return unmask(arn, c), true
}

var maskedAccount = regexp.MustCompile(`:\*{2,}(\d{4}):`)

// unmask puts the account back that API Gateway hides (T66): the known one with
// the same last four digits. If there is none, the account is unknown.
func unmask(arn string, c *call) evaluator.Resource {
	at := maskedAccount.FindStringSubmatchIndex(arn)
	if at == nil {
		return evaluator.Resource{ARN: arn}
	}
	before, digits, after := arn[:at[0]], arn[at[2]:at[3]], arn[at[1]:]
	if c != nil {
		accounts := []string{c.event.RecipientAccount, c.account}
		for _, r := range c.event.Resources {
			accounts = append(accounts, r.Account)
		}
		for _, account := range accounts {
			if knownAccount(account) != "" && strings.HasSuffix(account, digits) {
				return evaluator.Resource{ARN: before + ":" + account + ":" + after}
			}
		}
	}
	return evaluator.Resource{ARN: before + ":*" + digits + ":" + after, Pattern: true}
}

// request makes a denial's request of a derived one.
func (c *call) request(d *Denial, a apicall.Request) Request {
	r := Request{ActionSource: a.ActionSource, ResourceSource: a.ResourceSource, Required: a.Required}
	r.Principal, r.Action, r.Resource, r.Puts = d.Principal, a.Action, a.Resource, a.Puts
	r.AccountAssumed = c.setAccount(&r.Resource)
	c.setContext(&r, d.PrincipalMismatch)
	for _, v := range a.Context {
		r.Context.Put(v)
	}
	c.context().lake.apply(&r)
	evaluator.DeriveContext(&r.Request)
	return r
}

// foreignARNs are the services whose ARNs lack the account of resources that often are
// another account's: a bucket, a public image, a model. Theirs is unknown rather than assumed.
var foreignARNs = map[string]bool{"s3": true, "ec2": true, "bedrock": true, "ssm": true}

// setAccount finds the account that owns a resource (T38) and reports whether it is
// merely assumed.
func (c *call) setAccount(r *evaluator.Resource) (assumed bool) {
	e := c.event
	if r.ARN == "*" {
		if !r.Pattern {
			r.Account = c.account
		}
		return false
	}
	a, ok := splitARN(r.ARN)
	if !ok {
		return false
	}
	bucket := ""
	if a.service == "s3" {
		name, _, _ := strings.Cut(a.resource, "/")
		bucket = "arn:" + a.partition + ":s3:::" + name
	}
	for _, rec := range e.Resources {
		if knownAccount(rec.Account) != "" && (rec.ARN == r.ARN || rec.ARN == bucket && bucket != "") {
			r.Account = rec.Account
			return false
		}
	}
	if account := knownAccount(a.account); account != "" {
		r.Account = account
		return false
	}
	if e.SharedID != "" && c.account != "" && knownAccount(e.RecipientAccount) != "" && e.RecipientAccount != c.account {
		r.Account = e.RecipientAccount // the owner's copy of the event (T104)
		return false
	}
	if foreignARNs[a.service] || a.account != "" {
		r.Account = ""
		return false
	}
	r.Account = c.account
	return r.Account != ""
}

// passedRole returns the one role that the call passes to its service, "" if there
// is none or several.
func (c *call) passedRole() string {
	role := ""
	derived := c.derived()
	for _, i := range withAction(derived, "iam:PassRole") {
		r := derived[i].Resource
		if r.Pattern || role != "" && role != r.ARN {
			return ""
		}
		role = r.ARN
	}
	return role
}

// assumers are the services that are known to assume the roles given to them under their own
// eventSource's name; ECS, for one, does so as ecs-tasks.
var assumers = map[string]bool{"lambda.amazonaws.com": true} // M31's text [observed]

// rolesUser returns the principal of M31: the service that couldn't assume a role, or the
// role that the service used.
func (c *call) rolesUser(m *Message) evaluator.Principal {
	if m.Action != "sts:AssumeRole" {
		if p, ok := messagePrincipal(c.passedRole()); ok {
			return p
		}
		return evaluator.Principal{}
	}
	derived := c.derived()
	for _, i := range withAction(derived, "iam:PassRole") {
		for _, v := range derived[i].Context {
			if strings.EqualFold(v.Name, "iam:PassedToService") && v.State == evaluator.Present && len(v.Values) == 1 {
				return evaluator.Principal{Type: evaluator.Service, ARN: v.Values[0]}
			}
		}
	}
	if assumers[c.event.Source] {
		return evaluator.Principal{Type: evaluator.Service, ARN: c.event.Source}
	}
	return evaluator.Principal{}
}
