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
	names := map[string]string{} // by the name in lower case (C3)
	for _, v := range r.Context.All() {
		switch {
		case v.Pattern, v.State == evaluator.Partial, v.State == evaluator.PresentUnknown, v.State == evaluator.UnknownKey:
			names[strings.ToLower(v.Name)] = v.Name
		}
	}
	if r.Context.Open {
		for _, name := range apicall.RequestKeys(r.Action, r.Resource.ARN) {
			if !r.Context.Known(name) && !r.listed(name) {
				names[strings.ToLower(name)] = name
			}
		}
	}
	folded := make([]string, 0, len(names))
	for name := range names {
		folded = append(folded, name)
	}
	slices.Sort(folded)
	for i, name := range folded {
		folded[i] = names[name]
	}
	return folded
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
