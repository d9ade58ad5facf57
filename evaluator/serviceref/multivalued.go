package serviceref

import (
	_ "embed"
	"strings"
	"sync"
)

// multivaluedKeys are the keys of services that may have several values in one request, in lower case
// and sorted, one a line: policies are read without decoding the services that they speak of.
//
//go:embed multivalued.txt
var multivaluedKeys string

var multivalued = sync.OnceValue(func() (set struct {
	names    map[string]bool
	prefixes []string // of keys such as events:metadata/${MetadataKey}
}) {
	set.names = map[string]bool{}
	for _, name := range strings.Fields(multivaluedKeys) {
		if before, _, found := cutPlaceholder(name); found {
			set.prefixes = append(set.prefixes, before)
			continue
		}
		set.names[name] = true
	}
	for i := range globalKeys {
		if k := &globalKeys[i]; k.Multivalued() {
			set.names[strings.ToLower(k.Name)] = true
		}
	}
	return set
})

// Multivalued reports whether a request may carry several values of the condition key, a global one or a
// service's, as [Key.Multivalued] does, but without decoding a service. A key that nobody knows isn't.
func Multivalued(name string) bool {
	name = strings.ToLower(name)
	set := multivalued()
	if set.names[name] {
		return true
	}
	for _, p := range set.prefixes {
		if len(name) > len(p) && strings.HasPrefix(name, p) {
			return true
		}
	}
	provider, claim, _ := strings.Cut(name, ":")
	return claim == "amr" && strings.Contains(provider, ".")
}
