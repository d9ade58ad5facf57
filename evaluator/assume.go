package evaluator

import "math/bits"

// An assumption is a rule that AWS doesn't document, or that was only observed: an answer
// that hangs on one says so (rule U18).
type assumption uint8

// The rules that evaluation can rest on. Those that always give Unknown (G21, P17, C27) are here for their names.
const (
	assumeG15 assumption = iota
	assumeG16
	assumeG21
	assumeR3
	assumeR6
	assumeR8
	assumeR9
	assumeR11
	assumeR16
	assumeP1
	assumeP4
	assumeP12
	assumeP17
	assumeP21
	assumeC8
	assumeC11
	assumeC13
	assumeC15
	assumeC18
	assumeC25
	assumeC27
	assumeC28
	assumeV2
	assumeV5
	assumeV7
	assumeV8
	assumeV10
	assumeE8
	assumeE11
	assumeE20
	assumeS8
	assumeS14
	assumeS19
	assumptions // how many there are
)

var assumptionNames = [assumptions]string{
	assumeG15: "G15", assumeG16: "G16", assumeG21: "G21", assumeR3: "R3", assumeR6: "R6", assumeR8: "R8", assumeR9: "R9",
	assumeR11: "R11", assumeR16: "R16", assumeP1: "P1", assumeP4: "P4", assumeP12: "P12", assumeP17: "P17", assumeP21: "P21",
	assumeC8: "C8", assumeC11: "C11", assumeC13: "C13", assumeC15: "C15", assumeC18: "C18", assumeC25: "C25", assumeC27: "C27",
	assumeC28: "C28", assumeV2: "V2", assumeV5: "V5", assumeV7: "V7", assumeV8: "V8", assumeV10: "V10", assumeE8: "E8",
	assumeE11: "E11", assumeE20: "E20", assumeS8: "S8", assumeS14: "S14", assumeS19: "S19",
}

// An assumptionSet holds assumptions as bits.
type assumptionSet uint64

const everyAssumption = assumptionSet(1)<<assumptions - 1

func (s assumptionSet) has(a assumption) bool { return s&(1<<a) != 0 }

// all yields the assumptions in s, by the order of the rules.
func (s assumptionSet) all(yield func(assumption) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(assumption(bits.TrailingZeros64(uint64(s)))) {
			return
		}
	}
}

// careful reports whether it matters which assumptions an answer rests on.
func (ev *evaluation) careful() bool { return ev.traced || ev.doubted != 0 }

// assume is m, as rule a has it, unless the rule is doubted.
func (ev *evaluation) assume(a assumption, m Match) Match {
	ev.used |= 1 << a
	if ev.doubted.has(a) {
		return Unknown
	}
	return m
}

// assumeIf is assume where the rule's corner is met.
func (ev *evaluation) assumeIf(corner bool, a assumption, m Match) Match {
	if !corner {
		return m
	}
	return ev.assume(a, m)
}

// caveats are the rules without which the decision would be another: it is
// taken again with each of those that had a say doubted (rule U18).
func (ev *evaluation) caveats(p *Policies, d Decision) []string {
	var names []string
	for a := range ev.used.all {
		if a == assumeG21 || a == assumeP17 || a == assumeC27 {
			if d == Indeterminate {
				names = append(names, assumptionNames[a])
			}
			continue
		}
		doubt := newEvaluation(ev.req)
		doubt.doubted = ev.doubted | 1<<a
		if o := doubt.decide(p); o.decision() != d {
			names = append(names, assumptionNames[a])
		}
	}
	return names
}
