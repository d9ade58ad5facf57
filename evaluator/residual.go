package evaluator

import (
	"math/bits"
	"slices"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// forced are answers that are laid down for what isn't known, to see what they come to (rule U15).
type forced struct {
	statements map[forcedStatement]Match
	layers     map[forcedLayer]bool // does it let the request pass?
}

type forcedStatement struct {
	s     *statement
	layer LayerName
	level int
}

// A forcedLayer is a level of a layer, or one of the unknowns below.
type forcedLayer struct {
	layer LayerName
	level int
}

const (
	wholeHierarchy = -1 // what an organisation's policies are, or whether they reach the request
	atomOwner      = -2 // of LayerService: is the resource in the caller's account?
	atomOtherAllow = -3 // of LayerService: does something that isn't a policy grant it?
)

func (f *forced) layer(layer LayerName, level int) (passes, laidDown bool) {
	if f == nil {
		return false, false
	}
	passes, laidDown = f.layers[forcedLayer{layer, level}]
	return passes, laidDown
}

// An unknown is one thing that isn't known and that may decide: a statement, a layer that
// nobody read, or a fact. It is good for the request or bad.
type unknown struct {
	statement forcedStatement // if it is one
	layer     forcedLayer     // else
	opaque    bool            // what it comes to can't be laid down
	// said are the entries of Undecided that speak of it.
	said []Undecided
}

// maxUnknowns bounds how many are weighed together: all their combinations are.
const maxUnknowns = 8

// weigh finds which unknowns matter, and the least that would decide: every minimal set of
// unknowns which, good for the request, allow it whatever the others are, and which, bad for it, deny
// it whatever the others are (rule U15). The decision can only get better if one of them does.
func (e *explainer) weigh(all []unknown) (matter []unknown, allowedIf, deniedIf [][]Term) {
	odd := func(u unknown) bool { // may be either, or anything
		return u.opaque || u.statement.s != nil && u.statement.s.effect == policy.NoEffect
	}
	if len(all) == 0 {
		return e.doubts(), nil, nil
	}
	if len(all) > maxUnknowns || slices.ContainsFunc(all, odd) {
		return all, nil, nil
	}
	allowed := make([]bool, 1<<len(all)) // by the set of those that are good
	for good := range allowed {
		ev := newEvaluation(e.req)
		ev.forced = layDown(all, good)
		o := ev.decide(e.p)
		d := o.decision()
		if d == Indeterminate {
			return all, nil, nil // something else isn't known
		}
		allowed[good] = d == Allowed
	}
	for i := range all {
		for good := range allowed {
			if allowed[good] != allowed[good^1<<i] {
				matter = append(matter, all[i])
				break
			}
		}
	}
	if len(matter) == 0 {
		return all, nil, nil // what matters isn't among them
	}
	whole := len(allowed) - 1
	for _, set := range minimalSets(len(all), func(set int) bool { return allowed[set] }) {
		allowedIf = append(allowedIf, termsOf(all, set, true))
	}
	for _, set := range minimalSets(len(all), func(set int) bool { return !allowed[whole&^set] }) {
		deniedIf = append(deniedIf, termsOf(all, set, false))
	}
	return matter, allowedIf, deniedIf
}

// doubts are the rules that a strict answer hangs on where it isn't a statement or a layer (rule U18).
func (e *explainer) doubts() (all []unknown) {
	ev := e.evaluation()
	for _, rule := range ev.caveats(e.p, Indeterminate) {
		all = append(all, missing(LayerService, 0, LayerService, "whether it is so that "+Caveat(rule)+" ("+rule+"); AWS doesn't document it"))
	}
	return all
}

// minimalSets are the sets of n things that do, smallest first, and of which no part does.
func minimalSets(n int, does func(set int) bool) []int {
	var found []int
	sets := make([]int, 1<<n)
	for i := range sets {
		sets[i] = i
	}
	slices.SortStableFunc(sets, func(a, b int) int { return bits.OnesCount(uint(a)) - bits.OnesCount(uint(b)) })
	for _, set := range sets {
		if does(set) && !slices.ContainsFunc(found, func(f int) bool { return f&set == f }) {
			found = append(found, set)
		}
	}
	return found
}

func layDown(all []unknown, good int) *forced {
	f := &forced{statements: map[forcedStatement]Match{}, layers: map[forcedLayer]bool{}}
	for i, u := range all {
		isGood := good>>i&1 == 1
		switch s := u.statement.s; {
		case s == nil:
			f.layers[u.layer] = isGood
		case s.effect == policy.Allow:
			f.statements[u.statement] = known(isGood)
		default:
			f.statements[u.statement] = known(!isGood)
		}
	}
	return f
}

func termsOf(all []unknown, set int, good bool) []Term {
	var terms []Term
	for i, u := range all {
		if set>>i&1 == 0 || len(u.said) == 0 {
			continue
		}
		t := Term{Layer: u.said[0].Layer, Policy: u.said[0].Policy, Statement: u.said[0].Statement, Missing: u.said[0].Missing, Good: good}
		for _, s := range u.said {
			if s.Element.Element != "" {
				t.Elements = append(t.Elements, s.Element)
			}
		}
		terms = append(terms, t)
	}
	return terms
}
