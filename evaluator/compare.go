package evaluator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Change is what becomes of a request when policies change (rule U17). The zero Change is none.
type Change int8

// The changes. Where one of the two answers is open, it is what may have changed, and the explanations say what
// it hangs on.
const (
	Unchanged Change = iota
	AllowedToDenied
	DeniedToAllowed
	PossiblyDenied  // allowed before and open now, or open before and denied now
	PossiblyAllowed // denied before and open now, or open before and allowed now
	PossiblyChanged // open before and now, but it hangs on something else
)

// String returns the change in words.
func (c Change) String() string {
	switch c {
	case Unchanged:
		return "unchanged"
	case AllowedToDenied:
		return "allowed → denied"
	case DeniedToAllowed:
		return "denied → allowed"
	case PossiblyDenied:
		return "possibly → denied"
	case PossiblyAllowed:
		return "possibly → allowed"
	}
	return "possibly changed"
}

// Possible reports whether it isn't sure that anything changed.
func (c Change) Possible() bool { return c >= PossiblyDenied }

// Compare says what became of a request between two explanations of it, by other policies. An explicit deny and an
// implicit one are both denied. Two open answers are the same if they hang on the same: on
// statements of the same policy, Sid (or, without one, place) and unknown elements, and on the same facts, in
// the same sets of AllowedIf and DeniedIf. Where these weren't weighed, all that is undecided has to be the same, and what
// each layer says. So Compare may see a change where there is none, but hides none that it can tell (rule U17).
func Compare(before, after Explanation) Change {
	was, is := before.Decision, after.Decision
	switch {
	case was == Indeterminate && is == Indeterminate:
		if !slices.Equal(before.hangsOn(), after.hangsOn()) {
			return PossiblyChanged
		}
		return Unchanged
	case was == Indeterminate && is == Allowed:
		return PossiblyAllowed
	case was == Indeterminate:
		return PossiblyDenied
	case is == Indeterminate && was == Allowed:
		return PossiblyDenied
	case is == Indeterminate:
		return PossiblyAllowed
	case was == Allowed && is != Allowed:
		return AllowedToDenied
	case was != Allowed && is == Allowed:
		return DeniedToAllowed
	}
	return Unchanged
}

// hangsOn writes down what an open answer hangs on, so that equal texts are equal formulas.
func (x *Explanation) hangsOn() []string {
	var out []string
	if len(x.AllowedIf) > 0 {
		for _, sets := range [][][]Term{x.AllowedIf, x.DeniedIf} {
			for _, set := range sets {
				var terms []string
				for i := range set {
					t := &set[i]
					terms = append(terms, atomText(t.Layer, t.Policy, t.Statement, t.Missing, t.Elements...))
				}
				slices.Sort(terms)
				out = append(out, fmt.Sprintf("%v %q", set[0].Good, slices.Compact(terms)))
			}
		}
	} else {
		for i := range x.Undecided {
			u := &x.Undecided[i]
			out = append(out, atomText(u.Layer, u.Policy, u.Statement, u.Missing, u.Element))
		}
		for i := range x.Trace {
			t := &x.Trace[i]
			out = append(out, fmt.Sprintf("%s %q %v %v", t.Layer, t.Target, t.Deny, t.Allow))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// atomText writes one unknown down, by what stays the same when policies are read anew.
func atomText(layer LayerName, p *Policy, s *policy.Statement, missing string, elements ...ElementTrace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q", layer, missing)
	if p != nil {
		fmt.Fprintf(&b, " %q %q %q", p.Name, p.ARN, p.Target)
	}
	if s != nil {
		fmt.Fprintf(&b, " %s %q", s.Effect, s.Sid.Value)
		if s.Sid.Value == "" {
			fmt.Fprintf(&b, " %d", s.Index)
		}
	}
	var asked []string
	for i := range elements {
		e := &elements[i]
		want := slices.Sorted(slices.Values(e.Want)) // the order of values doesn't matter (rule C1)
		asked = append(asked, fmt.Sprintf("%s %q %q %q", e.Element, strings.ToLower(e.Operator), strings.ToLower(e.Key), want))
	}
	slices.Sort(asked)
	fmt.Fprintf(&b, " %s", asked)
	return b.String()
}
