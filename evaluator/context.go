package evaluator

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unique"
)

// A KeyState says what is known of a context key (rule U1). Absent takes evidence: what an event doesn't
// record is unknown (rule U2).
type KeyState int8

// The states of a context key.
const (
	Absent         KeyState = iota
	Present                 // with the values given
	PresentUnknown          // there, but nobody knows with which value
	UnknownKey              // may be there or not
	Partial                 // multivalued: the values given, and perhaps more
)

// A ContextValue is what is known of one context key.
type ContextValue struct {
	Name   string // as first spelled
	State  KeyState
	Values []string
	// Pattern says that * and ? in Values stand for what isn't known of them,
	// as in the ARN of a role whose path nobody recorded.
	Pattern bool
	// Not are values that a key which is UnknownKey or PresentUnknown is known not to have: that of
	// aws:PrincipalOrgID isn't ours if the caller's account isn't in our organisation.
	Not []string
}

// A keyValue is a ContextValue as it is evaluated.
type keyValue struct {
	ContextValue
	cell *cell // a case of a split (rule U14); State is then Present, and Values mean nothing
	// several says that the value stands for others, too, that no condition tells from it (rule U14).
	several bool
}

// shown is what is known of a key for who reads it otherwise than conditions do: of several values none.
func (v *keyValue) shown() ContextValue {
	if v.cell != nil || v.several {
		return ContextValue{Name: v.Name, State: PresentUnknown, Not: v.Not}
	}
	return v.ContextValue
}

// A keyName is a context key's name in lower case (rule C3), made comparable at the cost of a pointer.
type keyName = unique.Handle[string]

// keySpellings remembers names as they are spelled: the same few are asked for again and again.
var (
	keySpellings    [2048]atomic.Pointer[keySpelling]
	keySpellingSeed = maphash.MakeSeed()
)

type keySpelling struct {
	spelled string
	name    keyName
}

// keyWays is how many names may have the same place: with fewer, some would take each other's in turn.
const keyWays = 4

func keyNameOf(name string) keyName {
	hash := maphash.String(keySpellingSeed, name)
	ways := keySpellings[hash%uint64(len(keySpellings)/keyWays)*keyWays:][:keyWays]
	for i := range ways {
		s := ways[i].Load()
		if s == nil {
			return remember(&ways[i], name)
		}
		if s.spelled == name {
			return s.name
		}
	}
	return remember(&ways[hash>>32%keyWays], name)
}

func remember(slot *atomic.Pointer[keySpelling], name string) keyName {
	s := &keySpelling{strings.Clone(name), unique.Make(strings.ToLower(name))}
	slot.Store(s)
	return s.name
}

// A Context holds what is known of a request's context keys. Key names are
// compared without case (rule C3). In the zero Context every key is absent,
// which IAM gives a meaning; in an Open one, every key not set is unknown.
type Context struct {
	Open    bool
	names   []keyName
	entries []keyValue      // by the place of their names, which alone are searched
	index   map[keyName]int // into both, once there are many
	owner   *Context        // who may change entries: a copy of a Context makes its own first
}

// manyKeys is from how many keys on a Context is searched by an index.
const manyKeys = 64

// Set makes key present with values.
func (c *Context) Set(key string, values ...string) {
	c.Put(ContextValue{Name: key, State: Present, Values: values})
}

// SetState makes key absent, unknown or present with an unknown value.
func (c *Context) SetState(key string, state KeyState) { c.Put(ContextValue{Name: key, State: state}) }

// Put records what is known of a key, replacing what was.
func (c *Context) Put(v ContextValue) { c.put(keyValue{ContextValue: v}) }

// Grow makes room for n keys more.
func (c *Context) Grow(n int) {
	c.own(n)
	c.names, c.entries = slices.Grow(c.names, n), slices.Grow(c.entries, n)
}

// own makes a copy of the entries, with room for n more, if another Context may have the same.
func (c *Context) own(n int) {
	if c.owner != c {
		*c = c.copy(n)
		c.owner = c
	}
}

func (c *Context) put(v keyValue) {
	c.own(moreKeys)
	name := keyNameOf(v.Name)
	if old := c.find(name); old != nil {
		*old = v
		return
	}
	c.names, c.entries = append(c.names, name), append(c.entries, v)
	switch n := len(c.entries); {
	case n == manyKeys:
		c.index = make(map[keyName]int, 2*n)
		for i, name := range c.names {
			c.index[name] = i
		}
	case n > manyKeys:
		c.index[name] = n - 1
	}
}

// find returns what was set; nil if the key never was.
func (c *Context) find(name keyName) *keyValue {
	if c.index != nil {
		i, ok := c.index[name]
		if !ok {
			return nil
		}
		return &c.entries[i]
	}
	for i, n := range c.names {
		if n == name {
			return &c.entries[i]
		}
	}
	return nil
}

// The values of keys that were never set.
var (
	absentValue         = &keyValue{}
	presentUnknownValue = &keyValue{ContextValue: ContextValue{State: PresentUnknown}}
	unknownValue        = &keyValue{ContextValue: ContextValue{State: UnknownKey}}
)

// value returns what is known of a key. It isn't to be changed.
func (c *Context) value(name keyName) *keyValue {
	if v := c.find(name); v != nil {
		return v
	}
	if !c.Open {
		return absentValue
	}
	return c.unset(name.Value())
}

var tagKeys = keyNameOf("aws:TagKeys")

// unset is what is known of a key that nobody set in an open context: nothing, but that
// aws:TagKeys lists which tags a request sends.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys
func (c *Context) unset(folded string) *keyValue {
	tag, ok := strings.CutPrefix(folded, "aws:requesttag/")
	if !ok {
		return unknownValue
	}
	sent := c.find(tagKeys)
	switch {
	case sent == nil || sent.State != Absent && sent.State != Present || sent.Pattern:
		return unknownValue
	case slices.ContainsFunc(sent.Values, func(v string) bool { return strings.EqualFold(v, tag) }):
		return presentUnknownValue
	}
	return absentValue
}

// Lookup returns what is known of key; the state of one never set is Absent,
// or UnknownKey in an open context.
func (c *Context) Lookup(key string) ContextValue {
	v := c.value(keyNameOf(key)).shown()
	if v.Name == "" {
		v.Name = key
	}
	return v
}

// Known reports whether key was set to anything, be it absent or unknown.
func (c *Context) Known(key string) bool { return c.find(keyNameOf(key)) != nil }

// All returns every key that was set, by name.
func (c *Context) All() []ContextValue {
	order := make([]int, len(c.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(c.names[i].Value(), c.names[j].Value()) })
	all := make([]ContextValue, 0, len(order))
	for _, i := range order {
		all = append(all, c.entries[i].shown())
	}
	return all
}

// Each hands every key that was set to yield, in no order that means anything.
func (c *Context) Each(yield func(ContextValue) bool) {
	for i := range c.entries {
		if !yield(c.entries[i].shown()) {
			return
		}
	}
}

// moreKeys is for how many keys a copy has room that is made to be changed.
const moreKeys = 8

// Clone returns a copy that can be changed without changing c.
func (c *Context) Clone() Context { return c.copy(0) }

func (c *Context) copy(more int) Context {
	n := len(c.entries) + more
	return Context{
		Open: c.Open, names: append(make([]keyName, 0, n), c.names...), entries: append(make([]keyValue, 0, n), c.entries...), index: maps.Clone(c.index),
	}
}
