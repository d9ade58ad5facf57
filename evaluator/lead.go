package evaluator

import (
	"slices"
	"strings"
)

// leads is a list of statements by how their resources begin, so that of many that are about other
// resources none is looked at. It serves questions about one resource that is known.
type leads struct {
	groups []leadGroup
	rest   []*statement // those that may be about any resource, or begin in too many ways
}

// A leadGroup are the beginnings of one length.
type leadGroup struct {
	length int
	sorted []lead
}

// A lead is how one of a statement's resources begins: up to its first wildcard.
type lead struct {
	text string
	s    *statement
}

const (
	manyStatements = 8 // fewer are looked at one by one
	maxLeadGroups  = 8
)

// newLeads returns nil if the list is too short to be worth it.
func newLeads(list []*statement) *leads {
	if len(list) < manyStatements {
		return nil
	}
	var l leads
	for _, s := range list {
		if !l.add(s) {
			l.rest = append(l.rest, s)
		}
	}
	if len(l.rest) == len(list) {
		return nil
	}
	for i := range l.groups {
		slices.SortStableFunc(l.groups[i].sorted, func(a, b lead) int { return strings.Compare(a.text, b.text) })
	}
	return &l
}

// add reports whether all resources of a statement begin with text that is known, in ways that there is room for.
func (l *leads) add(s *statement) bool {
	if s.anyResource || s.notResource {
		return false
	}
	at := make([]int, len(s.resources))
	added := len(l.groups)
	for i := range s.resources {
		n := len(s.resources[i].prefix) // none, if there are variables in it
		at[i] = slices.IndexFunc(l.groups, func(g leadGroup) bool { return g.length == n })
		switch {
		case n == 0 || at[i] < 0 && len(l.groups) == maxLeadGroups:
			l.groups = l.groups[:added]
			return false
		case at[i] < 0:
			at[i] = len(l.groups)
			l.groups = append(l.groups, leadGroup{length: n})
		}
	}
	for i := range s.resources {
		g := &l.groups[at[i]]
		g.sorted = append(g.sorted, lead{s.resources[i].prefix, s})
	}
	return true
}

// holds says whether the resource and condition parts of some statement hold for the request's resource.
func (l *leads) holds(ev *evaluation, pl *place) Match {
	m := NoMatch
	for _, s := range l.rest {
		if m = or(m, s.holds(ev, pl)); m == Matched {
			return m
		}
	}
	arn := ev.req.Resource.ARN
	for i := range l.groups {
		g := &l.groups[i]
		if len(arn) < g.length {
			continue
		}
		begins := arn[:g.length]
		at, found := slices.BinarySearchFunc(g.sorted, begins, func(a lead, b string) int { return strings.Compare(a.text, b) })
		for ; found && at < len(g.sorted) && g.sorted[at].text == begins; at++ {
			if m = or(m, g.sorted[at].s.holds(ev, pl)); m == Matched {
				return m
			}
		}
	}
	return m
}

// byLead reports whether leads can serve the question: it takes a resource that is known, and
// nobody who asks which rules had a say in what doesn't match.
func (ev *evaluation) byLead() bool {
	r := &ev.req.Resource
	return r.ARN != "" && !r.Pattern && !ev.careful()
}
