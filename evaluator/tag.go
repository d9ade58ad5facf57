package evaluator

import (
	"maps"
	"slices"
	"strings"
)

// TagValues are the context keys of tags: family, such as aws:PrincipalTag/, followed by a tag's key; a
// value of nil is one that nobody knows. AWS compares the names of context keys without case, but keeps
// tags apart whose keys differ only in it. Both answer to the one context key, and AWS doesn't say with which
// value: then the key is there, and its value unknown (rule C3).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_best-practices
func TagValues(family string, tags map[string]*string) []ContextValue {
	var all []ContextValue
	at := make(map[keyName]int, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		v := ContextValue{Name: family + key, State: PresentUnknown}
		if value := tags[key]; value != nil {
			v.State, v.Values = Present, []string{*value}
		}
		folded := keyNameOf(v.Name)
		if i, twice := at[folded]; twice {
			all[i].State, all[i].Values = PresentUnknown, nil
			continue
		}
		at[folded] = len(all)
		all = append(all, v)
	}
	return all
}

// CollidingTags reports whether a and b are the context keys of two tags whose keys differ only in
// case, such as aws:PrincipalTag/Dept and aws:PrincipalTag/dept, rather than one key spelled twice (rule C3).
func CollidingTags(a, b string) bool {
	familyA, keyA, tagA := strings.Cut(a, "/")
	_, keyB, tagB := strings.Cut(b, "/")
	return tagA && tagB && strings.HasSuffix(strings.ToLower(familyA), "tag") && keyA != keyB && keyNameOf(a) == keyNameOf(b)
}
