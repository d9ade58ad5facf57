package casefile

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A request is a case's request before it is taken apart into one a resource.
type request struct {
	principal evaluator.Principal
	action    string
	resources []string
	account   string // resourceAccount
	context   contextValues
	unknown   []string
}

// contextValues are context keys with their values, in the order of the text.
type contextValues []evaluator.ContextValue

func (v contextValues) has(key string) bool {
	for _, c := range v {
		if strings.EqualFold(c.Name, key) {
			return true
		}
	}
	return false
}

func (r *reader) request(n *yaml.Node) (request, error) {
	var q request
	var unknown *yaml.Node
	has := map[string]bool{}
	err := r.fields(n, "a request", fieldTable{
		"principal": func(n *yaml.Node) (err error) {
			has["principal"] = true
			q.principal, err = r.principal(n)
			return err
		},
		"action": func(n *yaml.Node) (err error) {
			has["action"] = true
			q.action, err = r.action(n)
			return err
		},
		"resource":        func(n *yaml.Node) (err error) { q.resources, err = r.resources(n); return err },
		"resourceAccount": func(n *yaml.Node) (err error) { q.account, err = r.account(n); return err },
		"context":         func(n *yaml.Node) (err error) { q.context, err = r.context(n); return err },
		"unknown": func(n *yaml.Node) (err error) {
			unknown = n
			q.unknown, err = r.texts(n, "unknown")
			return err
		},
	})
	if err != nil {
		return q, err
	}
	for _, field := range []string{"principal", "action"} {
		if !has[field] {
			return q, r.errorf(n, "the request has no %s", field)
		}
	}
	for _, key := range q.unknown {
		if q.context.has(key) {
			return q, r.errorf(unknown, "context key %s is given, and unknown: which is it?", key)
		}
	}
	if len(q.resources) == 0 {
		q.resources = []string{"*"} // an action without resource types (rule R10)
	}
	return q, nil
}

func (r *reader) principal(n *yaml.Node) (evaluator.Principal, error) {
	s, err := r.text(n, "principal")
	if err != nil {
		return evaluator.Principal{}, err
	}
	p, err := evaluator.ParsePrincipal(s)
	if err != nil {
		return p, r.errorf(n, "%v", err)
	}
	return p, nil
}

// action reads the name of one action; a pattern of several isn't something that
// anybody can call.
func (r *reader) action(n *yaml.Node) (string, error) {
	s, err := r.text(n, "action")
	if err != nil {
		return "", err
	}
	service, name, ok := strings.Cut(s, ":")
	if !ok || service == "" || name == "" {
		return "", r.errorf(n, "action %q is not of the form service:Name, such as s3:GetObject", s)
	}
	if strings.ContainsAny(s, "*?") {
		return "", r.errorf(n, "action %q is a pattern: a request is for one action", s)
	}
	return s, nil
}

func (r *reader) resources(n *yaml.Node) ([]string, error) {
	list, err := r.texts(n, "resource")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, r.errorf(n, `resource is an empty list: give an ARN, or "*" for an action without a resource`)
	}
	for _, s := range list {
		if _, ok := policy.ParseARN(s); !ok && s != "*" {
			return nil, r.errorf(n, `resource %q is neither an ARN nor "*"`, s)
		}
	}
	return list, nil
}

func (r *reader) account(n *yaml.Node) (string, error) {
	s, err := r.text(n, "resourceAccount")
	if err != nil {
		return "", err
	}
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return "", r.errorf(n, "resourceAccount %q is not an account id of 12 digits", s)
	}
	return s, nil
}

// context reads context keys and their values, numbers as they are written.
func (r *reader) context(n *yaml.Node) (contextValues, error) {
	if n.Kind != yaml.Map {
		return nil, r.errorf(n, "context is %s: want a mapping of keys to values", n.Kind)
	}
	var values contextValues
	for _, p := range n.Pairs {
		if values.has(p.Key.Text) { // names are compared without case (rule C3)
			return nil, r.errorf(p.Key, "context key %q used twice", p.Key.Text)
		}
		list, err := r.contextValue(p)
		if err != nil {
			return nil, err
		}
		values = append(values, evaluator.ContextValue{Name: p.Key.Text, State: evaluator.Present, Values: list})
	}
	return values, nil
}

func (r *reader) contextValue(p yaml.Pair) ([]string, error) {
	items := []*yaml.Node{p.Value}
	if p.Value.Kind == yaml.List {
		items = p.Value.Items
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		switch {
		case item.Tag != "":
			return nil, r.errorf(item, "the tag %s has no meaning in a case file", item.Tag)
		case item.Kind == yaml.Null:
			return nil, r.errorf(item, "context key %q has no value: leave it out if it is absent", p.Key.Text)
		case item.Kind == yaml.Map || item.Kind == yaml.List:
			return nil, r.errorf(item, "context key %q is %s: want a string, a number, a boolean, or a list of them", p.Key.Text, item.Kind)
		}
		list = append(list, item.Text) // "" is a value, too
	}
	return list, nil
}

// requests makes one request a resource. What the case says wins over the
// file's defaults, and what it calls unknown is unknown.
func (q request) requests(defaults contextValues) []evaluator.Request {
	var ctx evaluator.Context
	for _, values := range []contextValues{defaults, q.context} {
		for _, v := range values {
			ctx.Put(v)
		}
	}
	for _, key := range q.unknown {
		ctx.SetState(key, evaluator.UnknownKey)
	}
	list := make([]evaluator.Request, len(q.resources))
	for i, name := range q.resources {
		list[i] = evaluator.Request{
			Principal: q.principal,
			Action:    q.action,
			Resource:  evaluator.Resource{ARN: name, Pattern: isPattern(name), Account: q.owner(name)},
			Context:   ctx.Clone(),
		}
	}
	return list
}

// isPattern reports whether a case asks about all resources that an ARN
// stands for (rule R14). A lone * is the resource of an action without resource types (rule R10).
func isPattern(resource string) bool {
	return resource != "*" && strings.ContainsAny(resource, "*?")
}

// owner is the account that the case or the ARN itself gives; "" if neither does.
func (q request) owner(resource string) string {
	if q.account != "" {
		return q.account
	}
	arn, _ := policy.ParseARN(resource)
	return arn.Account
}
