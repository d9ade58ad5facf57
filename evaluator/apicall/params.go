package apicall

import (
	"encoding/json"
	"strconv"
	"strings"
)

// params are a call's parameters, read without regard to case (T82).
type params struct {
	known  bool // recorded, and whole
	root   map[string]any
	folded map[string]string // the root's names by their lower case; nil if they are few
}

// fewNames is how many names are as well looked through.
const fewNames = 32

func newParams(root map[string]any) params {
	if root == nil || isOmitted(root) {
		return params{}
	}
	p := params{known: true, root: root}
	if len(root) > fewNames {
		p.folded = make(map[string]string, len(root))
		for name := range root {
			lower := strings.ToLower(name)
			if first, ok := p.folded[lower]; !ok || name < first {
				p.folded[lower] = name
			}
		}
	}
	return p
}

// member finds a parameter.
func (p params) member(name string) (any, bool) {
	if p.folded == nil {
		return lookup(p.root, name)
	}
	if v, ok := p.root[name]; ok {
		return v, true
	}
	v, ok := p.root[p.folded[strings.ToLower(name)]]
	return v, ok && p.folded[strings.ToLower(name)] != ""
}

// unwrap returns the parameters of an operation that records them inside one member, as
// EC2 does with some: {"CreateNatGatewayRequest": {…}}.
func unwrap(root map[string]any, operation string) map[string]any {
	if len(root) != 1 {
		return root
	}
	for name, v := range root {
		if inner, ok := v.(map[string]any); ok && strings.EqualFold(name, operation+"Request") {
			return inner
		}
	}
	return root
}

// A presence says what is known of a parameter.
type presence int8

const (
	notKnown presence = iota // not recorded, or hidden
	notGiven
	given // with the values returned
	partly
)

// maxValues bounds what one parameter is read as; AWS takes no longer list of names.
const maxValues = 1000

// values returns the values at a path of names, such as
// "instancesSet.items.instanceId"; lists on the way are looked through.
func (p params) values(path string) ([]string, presence) {
	nodes, state := p.nodes(path)
	if state != given {
		return nil, state
	}
	var all []string
	for _, n := range nodes {
		s, ok := text(n)
		if !ok {
			state = partly
			continue
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, notKnown
	}
	return all, state
}

// one returns the single value of the first of several parameters that is given.
func (p params) one(paths ...string) (string, presence) {
	for _, path := range paths {
		v, state := p.values(path)
		switch {
		case state == notGiven:
		case state == given && len(v) == 1:
			return v[0], given
		default:
			return "", notKnown
		}
	}
	if !p.known {
		return "", notKnown
	}
	return "", notGiven
}

// nodes returns what lies at a path, with lists taken apart.
func (p params) nodes(path string) ([]any, presence) {
	if !p.known || p.folded == nil && isOmitted(p.root) {
		return nil, notKnown
	}
	first, path, deeper := strings.Cut(path, ".")
	v, ok := p.member(first)
	if !ok {
		return nil, notGiven
	}
	nodes := flatten(nil, v, 0)
	if len(nodes) > maxValues {
		return nil, notKnown
	}
	for name := range strings.SplitSeq(path, ".") {
		if !deeper || len(nodes) == 0 {
			break
		}
		var next []any
		for _, n := range nodes {
			switch n := n.(type) {
			case map[string]any:
				if isOmitted(n) {
					return nil, notKnown
				}
				if v, ok := lookup(n, name); ok {
					next = flatten(next, v, 0)
				}
			case string:
				if hidden(n) {
					return nil, notKnown
				}
			}
		}
		if len(next) > maxValues {
			return nil, notKnown
		}
		if nodes = next; len(nodes) == 0 {
			return nil, notGiven
		}
	}
	if len(nodes) == 0 {
		return nil, notGiven
	}
	some := nodes[:0:0]
	for _, n := range nodes {
		m, ok := n.(map[string]any)
		if ok && isOmitted(m) {
			return nil, notKnown
		}
		if !ok || len(m) > 0 { // EC2 records {} for what wasn't given
			some = append(some, n)
		}
	}
	if nodes = some; len(nodes) == 0 {
		return nil, notGiven
	}
	return nodes, given
}

func flatten(to []any, v any, depth int) []any {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return to
		}
		return append(to, v)
	}
	for _, item := range list {
		if len(to) > maxValues || depth > 4 {
			break
		}
		to = flatten(to, item, depth+1)
	}
	return to
}

// lookup finds a member without regard to case; of several spellings the exact one, then the
// first by name.
func lookup(m map[string]any, name string) (any, bool) {
	if v, ok := m[name]; ok {
		return v, true
	}
	found, ok := "", false
	for k := range m {
		if len(k) == len(name) && strings.EqualFold(k, name) && (!ok || k < found) {
			found, ok = k, true
		}
	}
	return m[found], ok
}

// text returns a scalar as IAM would write it; false if it is none, or hidden (T85).
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, !hidden(v) && len(v) <= 4096
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case map[string]any:
		if s, ok := v["content"].(string); ok { // {"tag": 1, "content": "…"}, as EC2 writes lists
			return s, !hidden(s) && len(s) <= 4096
		}
	}
	return "", false
}

// hidden reports whether a value stands for one that isn't recorded (T85, T112).
func hidden(s string) bool {
	return s == "" || s == "HIDDEN_DUE_TO_SECURITY_REASONS" || strings.Trim(s, "*") == "" && len(s) >= 3 ||
		strings.EqualFold(s, "<sensitiveDataRemoved>") || strings.HasSuffix(s, "...") && len(s) > 1000
}

func isOmitted(m map[string]any) bool {
	v, ok := lookup(m, "omitted")
	return ok && (v == true || v == "true")
}
