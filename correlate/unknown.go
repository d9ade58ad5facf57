package correlate

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// Unknown returns the names of the context keys whose presence or value isn't known, sorted: those known to be
// there or in part, and those that a request for the action may carry by the service reference. Keys that vary,
// such as aws:PrincipalTag/${TagKey}, are spelled as there; what no request of the action carries isn't listed (U2).
func (r *Request) Unknown() []string {
	var named []apicall.Key
	for v := range r.Context.Each {
		switch {
		case v.Pattern, v.State == evaluator.Partial, v.State == evaluator.PresentUnknown, v.State == evaluator.UnknownKey:
			named = append(named, apicall.Key{Name: v.Name, Folded: strings.ToLower(v.Name)})
		}
	}
	slices.SortFunc(named, func(a, b apicall.Key) int { return strings.Compare(a.Folded, b.Folded) })
	var may []apicall.Key
	if r.Context.Open {
		may = apicall.RequestKeys(r.Action, r.Resource.ARN)
	}
	names := make([]string, 0, len(named)+len(may))
	for _, key := range may {
		if r.Context.Known(key.Name) || r.listed(key.Name) {
			continue
		}
		for len(named) > 0 && named[0].Folded < key.Folded {
			names, named = append(names, named[0].Name), named[1:]
		}
		names = append(names, key.Name)
	}
	for _, key := range named {
		names = append(names, key.Name)
	}
	return names
}

// lists are the keys that list the names of which keys of a varying name are there: if one is known, so are they.
var lists = map[string]string{
	"aws:RequestTag/${TagKey}":                      "aws:TagKeys",
	"kms:EncryptionContext:${EncryptionContextKey}": "kms:EncryptionContextKeys",
	"s3:RequestObjectTag/<key>":                     "s3:RequestObjectTagKeys",
}

// listed reports whether a key that lists all of a varying name is known.
func (r *Request) listed(name string) bool {
	list, ok := lists[name]
	if !ok {
		return false
	}
	switch v := r.Context.Lookup(list); v.State {
	case evaluator.Absent, evaluator.Present:
		return !v.Pattern
	}
	return false
}
