package casefile

import (
	"slices"
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
	ownerless bool   // whose the resource is isn't known
	context   contextValues
	policies  *yaml.Node // the request's own; nil if it has the case's
	node      *yaml.Node
}

// contextValues are context keys with what is known of them, in the order of the text.
type contextValues struct {
	list   []evaluator.ContextValue
	states map[string]evaluator.KeyState // by the name without case (rule C3)
}

func (v *contextValues) add(c evaluator.ContextValue) {
	if v.states == nil {
		v.states = map[string]evaluator.KeyState{}
	}
	v.states[strings.ToLower(c.Name)] = c.State
	v.list = append(v.list, c)
}

// state is what was said of a key so far; given is false if nothing was.
func (v *contextValues) state(key string) (s evaluator.KeyState, given bool) {
	s, given = v.states[strings.ToLower(key)]
	return s, given
}

// request reads one request. Only one of several may bring policies of its own.
func (r *reader) request(n *yaml.Node, oneOfSeveral bool) (request, error) {
	q := request{node: n}
	var states []contextState
	has := map[string]bool{}
	state := func(of evaluator.KeyState) func(*yaml.Node) error {
		return func(n *yaml.Node) error { states = append(states, contextState{of, n}); return nil }
	}
	table := fieldTable{
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
		"resource": func(n *yaml.Node) (err error) { q.resources, err = r.resources(n); return err },
		"resourceAccount": func(n *yaml.Node) (err error) {
			q.account, q.ownerless, err = r.account(n, "resourceAccount")
			return err
		},
		"context":        func(n *yaml.Node) (err error) { q.context, err = r.context(n); return err },
		"unknown":        state(evaluator.UnknownKey),
		"presentUnknown": state(evaluator.PresentUnknown),
		"partial":        state(evaluator.Partial),
	}
	if oneOfSeveral {
		table["policies"] = func(n *yaml.Node) error { q.policies = n; return nil }
	}
	if err := r.fields(n, "a request", table); err != nil {
		return q, err
	}
	for _, field := range []string{"principal", "action"} {
		if !has[field] {
			return q, r.errorf(n, "the request has no %s", field)
		}
	}
	for _, s := range states {
		if err := r.contextState(s, &q.context); err != nil {
			return q, err
		}
	}
	if len(q.resources) == 0 {
		q.resources = []string{"*"} // an action without resource types (rule R10)
	}
	return q, nil
}

// requests reads several requests: the checks of one call, all of which must be allowed (rule E4).
func (r *reader) requests(n *yaml.Node) ([]request, error) {
	if n.Kind != yaml.List || len(n.Items) == 0 {
		return nil, r.errorf(n, "requests is %s: want a list of at least one request", n.Kind)
	}
	list := make([]request, len(n.Items))
	for i, item := range n.Items {
		var err error
		if list[i], err = r.request(item, true); err != nil {
			return nil, err
		}
	}
	return list, nil
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

// account reads an account's id, such as that of a resource's owner, or that it is unknown (rule E26).
func (r *reader) account(n *yaml.Node, what string) (id string, unknown bool, err error) {
	s, err := r.text(n, what)
	switch {
	case err != nil:
		return "", false, err
	case s == "unknown":
		return "", true, nil
	case len(s) != 12 || strings.Trim(s, "0123456789") != "":
		return "", false, r.errorf(n, "%s %q is not an account id of 12 digits", what, s)
	}
	return s, false, nil
}

// A contextState is a field that says of context keys less than their values.
type contextState struct {
	state evaluator.KeyState
	node  *yaml.Node
}

// contextState reads the keys that may be there or not (unknown), are there with a value that
// nobody knows (presentUnknown), or have the values given and perhaps more (partial); rule U1.
func (r *reader) contextState(s contextState, values *contextValues) error {
	var found []evaluator.ContextValue
	if s.state == evaluator.Partial {
		partial, err := r.context(s.node)
		if err != nil {
			return err
		}
		found = partial.list
	} else {
		names, err := r.texts(s.node, stateNames[s.state])
		if err != nil {
			return err
		}
		for _, name := range names {
			found = append(found, evaluator.ContextValue{Name: name})
		}
	}
	for _, v := range found {
		if before, twice := values.state(v.Name); twice && before != s.state {
			return r.errorf(s.node, "context key %s is %s, and %s: which is it?", v.Name, stateNames[before], stateNames[s.state])
		}
		v.State = s.state
		values.add(v)
	}
	return nil
}

// stateNames are the states of a context key in the words of a case file.
var stateNames = map[evaluator.KeyState]string{
	evaluator.Present: "given", evaluator.UnknownKey: "unknown",
	evaluator.PresentUnknown: "presentUnknown", evaluator.Partial: "partial",
}

// context reads context keys and their values, numbers as they are written. Of two tags whose keys
// differ only in case, nobody knows which value the context key has (rule C3).
func (r *reader) context(n *yaml.Node) (contextValues, error) {
	var values contextValues
	if n.Kind != yaml.Map {
		return values, r.errorf(n, "context is %s: want a mapping of keys to values", n.Kind)
	}
	for _, p := range n.Pairs {
		same := slices.IndexFunc(values.list, func(v evaluator.ContextValue) bool { return strings.EqualFold(v.Name, p.Key.Text) })
		collides := same >= 0 && evaluator.CollidingTags(values.list[same].Name, p.Key.Text)
		if same >= 0 && !collides { // names are compared without case (rule C3)
			return values, r.errorf(p.Key, "context key %q used twice", p.Key.Text)
		}
		list, err := r.contextValue(p)
		if err != nil {
			return values, err
		}
		if collides {
			values.list[same].State, values.list[same].Values = evaluator.PresentUnknown, nil
			continue
		}
		values.add(evaluator.ContextValue{Name: p.Key.Text, State: evaluator.Present, Values: list})
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
		for _, v := range values.list {
			ctx.Put(v)
		}
	}
	list := make([]evaluator.Request, len(q.resources))
	for i, name := range q.resources {
		list[i] = evaluator.Request{
			Principal: q.principal,
			Action:    q.action,
			Resource:  evaluator.Resource{ARN: name, Pattern: isPattern(name), Account: q.owner(name)},
			Context:   ctx.Clone(),
		}
		if q.ownerless && !ctx.Known("aws:ResourceAccount") {
			list[i].Context.SetState("aws:ResourceAccount", evaluator.PresentUnknown)
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
	if q.account != "" || q.ownerless {
		return q.account
	}
	arn, _ := policy.ParseARN(resource)
	return arn.Account
}
