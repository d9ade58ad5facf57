// Package serviceref is AWS's service authorization reference, embedded: for each
// service prefix its actions, the resource types that an action is checked against, their
// ARN patterns, and the condition keys with their types.
//
// Most callers need [Lookup] and then the methods of [Service]; keys that every
// service may supply are in [GlobalKey].
//
// The reference says which names exist, not when a key has a value, nor which of the
// optional resource types a particular call touches. It is as old as [Date]: a name that
// it doesn't know may be newer than the data, so "unknown" is never "not in AWS".
// SOURCES.md says where the data comes from.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
package serviceref

import (
	"slices"
	"strings"
)

// IAM_DATA is the unpacked npm package, IAM_DATA_FILL an older one: see SOURCES.md.
//
//go:generate go run gen.go -npm=$IAM_DATA -fill=$IAM_DATA_FILL

// A Service is one IAM service prefix and what it defines. The slices are sorted by name
// without regard to case, in which names are unique. It is shared by all callers: read only.
type Service struct {
	Prefix        string // as policies write it, in lower case: "s3"
	Name          string // "Amazon S3"
	Actions       []Action
	ResourceTypes []ResourceType
	Keys          []Key // what its actions and resource types mention, aws: keys and other services' too
}

// An Action is one action of a service.
type Action struct {
	Name        string // without the prefix: "GetObject"
	AccessLevel string // one of the constants List to Tagging

	// PermissionOnly is set for an action that no operation of the API is named after.
	// It is known of most such actions, not of all: false says nothing.
	PermissionOnly bool

	// Resources are the types that the action is checked against, sorted by name. None means
	// that it is checked against * (R10).
	Resources []ActionResource

	// Keys are the condition keys that a request may carry whatever its resource is, spelled
	// as in the service's Keys and sorted like them. Service.ActionKeys has all of them.
	Keys []string

	// Dependent are further actions, "iam:PassRole", that the call may need. They
	// may belong to other services. Known of many actions, not of all.
	Dependent []string
}

// The access levels of actions.
const (
	List                  = "List"
	Read                  = "Read"
	Write                 = "Write"
	PermissionsManagement = "Permissions management"
	Tagging               = "Tagging"
)

// accessLevels are all access levels; the file refers to them by place.
var accessLevels = []string{List, Read, Write, PermissionsManagement, Tagging}

// An ActionResource is a resource type that an action is checked against.
type ActionResource struct {
	Type string // a name in the service's ResourceTypes
	// Required says that the action always needs a resource of this type. Where an action
	// takes a resource of one of several types, as s3:GetObject does, none is required.
	Required  bool
	Keys      []string // further keys, for resources of this type
	Dependent []string // further dependent actions, for resources of this type
}

// A ResourceType is a kind of resource of a service.
type ResourceType struct {
	Name string // "bucket"
	ARN  string // its pattern: "arn:${Partition}:s3:::${BucketName}"; the first of ARNs
	ARNs []string
	Keys []string // keys that a request for such a resource may carry
}

// A Key is a condition key.
type Key struct {
	// Name is spelled as AWS spells it. A part that varies is a placeholder, ${TagKey}
	// or <key>: "aws:RequestTag/${TagKey}".
	Name  string
	Type  string // String, ARN, Bool, Date, IPAddress, Numeric, or one of these as ArrayOfString; the first of Types
	Types []string
}

// Multivalued reports whether a request may carry several values of the key at once, so
// that conditions on it need ForAllValues or ForAnyValue.
func (k *Key) Multivalued() bool { return strings.HasPrefix(k.Type, "ArrayOf") }

// ResourceLess reports whether the action has no resource types: it is checked against
// the resource * (R10).
func (a *Action) ResourceLess() bool { return len(a.Resources) == 0 }

// Action returns the action with the name, which is without prefix and in any case.
func (s *Service) Action(name string) (*Action, bool) {
	return find(s.Actions, name, func(a *Action) string { return a.Name })
}

// ResourceType returns the resource type with the name, in any case.
func (s *Service) ResourceType(name string) (*ResourceType, bool) {
	return find(s.ResourceTypes, name, func(t *ResourceType) string { return t.Name })
}

// Key returns the condition key with the name, in any case, if the service's actions or
// resources mention it. A placeholder in the key's name stands for any text:
// aws:RequestTag/team finds aws:RequestTag/${TagKey}.
func (s *Service) Key(name string) (*Key, bool) { return findKey(s.Keys, name) }

// ActionKeys are the names of all keys that a request for the action may carry beside
// the global ones: the action's, those of its resources and those of their types, sorted.
func (s *Service) ActionKeys(a *Action) []string {
	keys := slices.Clone(a.Keys)
	for _, r := range a.Resources {
		keys = append(keys, r.Keys...)
		if t, ok := s.ResourceType(r.Type); ok {
			keys = append(keys, t.Keys...)
		}
	}
	slices.SortFunc(keys, compareFold)
	return slices.Compact(keys)
}

// find returns the element of list, which is sorted by name, that has the name in any case.
func find[T any](list []T, name string, nameOf func(*T) string) (*T, bool) {
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch c := compareFold(nameOf(&list[mid]), name); {
		case c == 0:
			return &list[mid], true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return nil, false
}

// findKey returns the key with the name: the one spelled so, or the one with a
// placeholder that has most fixed text (events:Metadata/${MetadataKey}/Matcher is more than
// events:Metadata/${MetadataKey}).
func findKey(keys []Key, name string) (*Key, bool) {
	if k, ok := find(keys, name, func(k *Key) string { return k.Name }); ok {
		return k, true
	}
	var best *Key
	most := -1
	for i := range keys {
		if fixed, ok := matchTemplate(keys[i].Name, name); ok && fixed > most {
			best, most = &keys[i], fixed
		}
	}
	return best, best != nil
}

// matchTemplate reports whether name is template with text of at least one byte for
// each of its placeholders, and how many bytes of the template are fixed. A template without
// placeholders doesn't match: such names are found by search.
func matchTemplate(template, name string) (fixed int, ok bool) {
	head, tail, found := cutPlaceholder(template)
	if !found || !hasPrefixFold(name, head) {
		return 0, false
	}
	fixed, name = len(head), name[len(head):]
	for {
		head, tail, found = cutPlaceholder(tail)
		fixed += len(head)
		if !found {
			// Last, the text after the final placeholder must end the name.
			return fixed, len(name) > len(head) && hasPrefixFold(name[len(name)-len(head):], head)
		}
		// The leftmost place is enough: what follows only asks for text further right.
		at := indexFold(name, head, 1)
		if at < 0 {
			return 0, false
		}
		name = name[at+len(head):]
	}
}

// cutPlaceholder cuts a key's name around its first placeholder, ${TagKey} or <key>.
func cutPlaceholder(name string) (before, after string, found bool) {
	for i := range len(name) {
		closing := byte('}')
		switch {
		case strings.HasPrefix(name[i:], "${"):
		case name[i] == '<':
			closing = '>'
		default:
			continue
		}
		if end := strings.IndexByte(name[i:], closing); end >= 0 {
			return name[:i], name[i+end+1:], true
		}
	}
	return name, "", false
}

// indexFold is the first place at or after from where s has sub, in any case, or -1.
func indexFold(s, sub string, from int) int {
	for i := from; i+len(sub) <= len(s); i++ {
		if hasPrefixFold(s[i:], sub) {
			return i
		}
	}
	return -1
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && compareFold(s[:len(prefix)], prefix) == 0
}

// compareFold orders names without regard to the case of ASCII letters; AWS uses no others.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
