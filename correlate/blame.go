package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A blame is what can have denied a call whose answer hangs on something unknown. That the call was denied
// is evidence: what would have allowed it isn't so (rule U16).
type blame struct {
	// certain must have been against the call, all of it.
	certain []evaluator.Term
	// either is what else was against it: all of one set at least. Empty if certain is enough.
	either [][]evaluator.Term
}

// blameOf reads off which unknowns were against a call that was denied. Of the least sets that deny it, one was
// against it as a whole: what is in all of them was for certain (rule U16). What AWS said, if only
// that an explicit deny applied, or that an allow was lacking, filters them (rules M20, M21). The blame
// is empty if there were too many unknowns to weigh.
func blameOf(x *evaluator.Explanation, m *Message) blame {
	sets := x.DeniedIf
	switch m.Claim {
	case ClaimExplicitDeny:
		sets = setsOf(sets, func(t *evaluator.Term) bool { return mayDenyExplicitly(x, t) })
	case ClaimImplicitDeny:
		sets = setsOf(sets, func(t *evaluator.Term) bool { return !isDeny(t) })
	}
	if len(sets) == 0 {
		return blame{}
	}
	var b blame
	inAll := func(t evaluator.Term) bool {
		return !slices.ContainsFunc(sets, func(set []evaluator.Term) bool { return !contains(set, t) })
	}
	for _, t := range sets[0] {
		if inAll(t) {
			b.certain = append(b.certain, t)
		}
	}
	for _, set := range sets {
		rest := slices.DeleteFunc(slices.Clone(set), inAll)
		if len(rest) == 0 {
			return blame{certain: b.certain} // the others add nothing
		}
		b.either = append(b.either, rest)
	}
	return b
}

// setsOf leaves of each set what is as AWS said, and drops sets that have nothing of it.
func setsOf(sets [][]evaluator.Term, asSaid func(*evaluator.Term) bool) [][]evaluator.Term {
	var out [][]evaluator.Term
	for _, set := range sets {
		var left []evaluator.Term
		for _, t := range set {
			if asSaid(&t) {
				left = append(left, t)
			}
		}
		if len(left) > 0 {
			out = append(out, left)
		}
	}
	return out
}

func contains(set []evaluator.Term, t evaluator.Term) bool {
	return slices.ContainsFunc(set, func(o evaluator.Term) bool { return sameTerm(&o, &t) })
}

func sameTerm(a, b *evaluator.Term) bool {
	return a.Layer == b.Layer && a.Policy == b.Policy && a.Statement == b.Statement && a.Missing == b.Missing
}

func isDeny(t *evaluator.Term) bool { return t.Statement != nil && t.Statement.Effect == policy.Deny }

// mayDenyExplicitly reports whether a term is a Deny statement, or a layer in which nobody knows of one.
func mayDenyExplicitly(x *evaluator.Explanation, t *evaluator.Term) bool {
	return isDeny(t) || t.Statement == nil && isLayer(x, t)
}

// isLayer reports whether a term that is no statement is a layer, and not a fact, such as whose a resource is.
func isLayer(x *evaluator.Explanation, t *evaluator.Term) bool {
	switch t.Layer {
	case evaluator.LayerSCP, evaluator.LayerRCP:
		return true
	}
	return slices.ContainsFunc(x.Trace, func(l evaluator.LayerTrace) bool {
		return l.Layer == t.Layer && l.Missing == t.Missing && (l.State == evaluator.NotCollected || l.State == evaluator.MayApply)
	})
}

// maxBlamed bounds how many possibilities a sentence lists.
const maxBlamed = 3

// blameSentence says what must have been, or can have been, against a call that was denied.
func blameSentence(x *evaluator.Explanation, m *Message, what string) string {
	b := blameOf(x, m)
	switch {
	case len(b.certain) == 0 && len(b.either) == 0:
		return "what denied " + what + " can't be told: it hangs on " + undecidedOn(x)
	case len(b.certain) == 1 && len(b.either) == 0:
		return onlyBlame(x, &b.certain[0], what)
	}
	against := func(terms []evaluator.Term) string {
		var words []string
		for i := range terms {
			words = append(words, wasAgainst(x, &terms[i]))
		}
		return strings.Join(words, " and ")
	}
	var ways []string
	for _, set := range b.either {
		ways = append(ways, against(set))
	}
	if more := len(ways) - maxBlamed; more > 0 {
		ways = append(ways[:maxBlamed:maxBlamed], fmt.Sprintf("one of %d other causes applied", more))
	}
	switch {
	case len(b.either) == 0:
		return what + " can only have been denied because " + against(b.certain)
	case len(b.certain) == 0:
		return "which policy denied " + what + " can't be told: either " + strings.Join(ways, ", or ")
	}
	return what + " can only have been denied because " + against(b.certain) + ", and besides, " + strings.Join(ways, ", or ")
}

// onlyBlame is the sentence about the one thing that can have denied a call.
func onlyBlame(x *evaluator.Explanation, t *evaluator.Term, what string) string {
	switch {
	case t.Statement == nil && isLayer(x, t):
		return "of all policies, only " + layerWords(string(t.Layer)) + " can have denied " + what + ": " + missingOf(t)
	case t.Statement == nil:
		return "what denied " + what + " hangs on this alone: " + t.Missing
	case isDeny(t):
		return "statement " + statementName(t.Statement) + " of " + t.Policy.Name + " is the only one that can have denied " + what + ": " + unknownOf(t)
	}
	return "only because statement " + statementName(t.Statement) + " of " + t.Policy.Name + " didn't allow it can " + what + " have been denied: " + unknownOf(t)
}

// wasAgainst says in what way an unknown was against a call.
func wasAgainst(x *evaluator.Explanation, t *evaluator.Term) string {
	switch {
	case t.Statement == nil && isLayer(x, t):
		return layerWords(string(t.Layer)) + " didn't let it pass (" + missingOf(t) + ")"
	case t.Statement == nil:
		return "of this: " + t.Missing
	case isDeny(t):
		return "statement " + statementName(t.Statement) + " of " + t.Policy.Name + " denied it (" + unknownOf(t) + ")"
	}
	return "statement " + statementName(t.Statement) + " of " + t.Policy.Name + " didn't allow it (" + unknownOf(t) + ")"
}

// missingOf says what wasn't collected, without the words in which AWS refused it.
func missingOf(t *evaluator.Term) string {
	missing, _, _ := strings.Cut(t.Missing, " (")
	return missing
}

// unknownOf says what isn't known of a statement.
func unknownOf(t *evaluator.Term) string {
	var parts []string
	for i := range t.Elements {
		name := t.Elements[i].Key
		if name == "" {
			name = "its " + t.Elements[i].Element
		}
		if !slices.Contains(parts, name) {
			parts = append(parts, name)
		}
	}
	switch len(parts) {
	case 0:
		return "whether it applies isn't known"
	case 1:
		if t.Elements[0].Key == "" {
			return "whether " + parts[0] + " matches isn't known"
		}
		return parts[0] + " isn't known"
	}
	return strings.Join(parts, ", ") + " aren't known"
}

// possibleToo are the layers that may have denied a call besides one that did for certain: nothing says
// which of them AWS found first (rule U16, case T98).
func (f *Finding) possibleToo() []evaluator.LayerName {
	x := f.Explanation
	if x == nil || f.Agreement != NoMessageEvidence || x.Decision != evaluator.ImplicitDeny && x.Decision != evaluator.ExplicitDeny {
		return nil
	}
	var layers []evaluator.LayerName
	for i := range x.Trace {
		t := &x.Trace[i]
		certain := slices.ContainsFunc(f.Blockers, func(b evaluator.Blocker) bool { return b.Layer == t.Layer })
		if !certain && (t.State == evaluator.NotCollected || mayDeny(t)) && !slices.Contains(layers, t.Layer) {
			layers = append(layers, t.Layer)
		}
	}
	return layers
}
