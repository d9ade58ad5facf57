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

// assumptionRules are the numbers of the rules, and what each takes for true.
var assumptionRules = [assumptions]struct{ number, text string }{
	assumeG15: {"G15", "an empty NotAction or NotResource leaves nothing out"},
	assumeG16: {"G16", "an operator with an empty list of values matches nothing"},
	assumeG21: {"G21", "a statement that AWS would not have stored may apply or not"},
	assumeR3:  {"R3", "resources are compared with regard to case"},
	assumeR6:  {"R6", "wildcards after the fifth colon of an ARN match colons, too"},
	assumeR8:  {"R8", "an ARN with missing parts at its end stands for all of them in identity policies, and for none elsewhere"},
	assumeR9:  {"R9", "a wildcard in an ARN's partition, service or resource type is one"},
	assumeR11: {"R11", "an action without a resource is outside every NotResource"},
	assumeR16: {"R16", "a NotResource entry whose variable has no value excludes nothing"},
	assumeP1:  {"P1", "a session belongs to the one role of its name in the account, whatever the path"},
	assumeP4:  {"P4", `Principal "*" includes AWS services`},
	assumeP12: {"P12", "Federated principals of a resource policy are no role sessions"},
	assumeP17: {"P17", "whether NotPrincipal exempts a caller whose role or account isn't listed depends on the service"},
	assumeP21: {"P21", "a statement of a resource policy without Principal matches nobody"},
	assumeC8:  {"C8", "operators are compared without regard to case"},
	assumeC11: {"C11", "letters beyond ASCII are compared in lower case, one by one"},
	assumeC13: {"C13", "numbers may have a plus sign or an exponent"},
	assumeC15: {"C15", "a date without a zone is UTC, one with missing parts the earliest that it can be, and digits alone are seconds"},
	assumeC18: {"C18", "address bits under the mask of a range are ignored"},
	assumeC25: {"C25", "ForAnyValue with IfExists holds if the key is missing"},
	assumeC27: {"C27", "AWS doesn't say what an operator without ForAllValues or ForAnyValue makes of several values"},
	assumeC28: {"C28", "a value that isn't what the operator compares never matches"},
	assumeV2:  {"V2", "policy variables are replaced in values of Bool"},
	assumeV5:  {"V5", "wildcards in a variable's value are ordinary characters"},
	assumeV7:  {"V7", "an empty value is one, also for a variable"},
	assumeV8:  {"V8", "a key that may have several values is no variable"},
	assumeV10: {"V10", "an ARN is taken apart before its variables are replaced"},
	assumeE8:  {"E8", "several session policies allow together what each of them allows"},
	assumeE11: {"E11", "whose resource control policies count for an action without a resource isn't documented"},
	assumeE20: {"E20", "an Allow with NotPrincipal names everybody who is not listed"},
	assumeS8:  {"S8", "service control policies do not reach callers of AssumeRoleWithSAML and AssumeRoleWithWebIdentity"},
	assumeS14: {"S14", "IAM refuses to change roles of services and of IAM Identity Center"},
	assumeS19: {"S19", "root's way to its bucket policies is open in spite of their Deny statements only"},
}

// Caveat says in words what a rule of [Explanation.Caveats] takes for true; "" for any other.
func Caveat(rule string) string {
	for _, r := range assumptionRules {
		if r.number == rule {
			return r.text
		}
	}
	return ""
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

// alwaysUnknown are the rules that give Unknown, whether doubted or not.
const alwaysUnknown = assumptionSet(1<<assumeG21 | 1<<assumeP17 | 1<<assumeC27)

// caveats are the rules without which the decision would be another: it is
// taken again with each of those that had a say doubted (rule U18), or, if it was doubted, not. Where no
// single one changes it, but several together do, it rests on those.
func (ev *evaluation) caveats(p *Policies, d Decision) []string {
	var listed assumptionSet
	if d == Indeterminate {
		listed = ev.used & alwaysUnknown
	}
	if (d == Indeterminate) == (ev.doubted != 0) { // more doubts open no answer that is open, nor do fewer one that isn't
		rest := ev.saying(p) &^ alwaysUnknown
		for a := range rest.all {
			if ev.doubting(p, ev.doubted^1<<a) != d {
				listed |= 1 << a
			}
		}
		listed |= ev.together(p, d, rest&^listed)
	}
	var names []string
	for a := range listed.all {
		names = append(names, assumptionRules[a].number)
	}
	return names
}

// saying are the rules that have a say in a request, be it only once others are doubted.
func (ev *evaluation) saying(p *Policies) assumptionSet {
	used := ev.used
	for _, doubted := range [...]assumptionSet{0, everyAssumption} {
		one := newEvaluation(ev.req)
		one.traced, one.doubted = true, doubted
		if o := one.decide(p); o.decision() == Indeterminate {
			one.split(p)
		}
		used |= one.used
	}
	return used
}

// doubting is the decision if some rules are doubted.
func (ev *evaluation) doubting(p *Policies, doubted assumptionSet) Decision {
	one := newEvaluation(ev.req)
	one.doubted = doubted
	if o := one.decide(p); o.decision() != Indeterminate {
		return o.decision()
	}
	return one.split(p).decision
}

// together are the least of the rules in rest that change the decision together.
func (ev *evaluation) together(p *Policies, d Decision, rest assumptionSet) assumptionSet {
	if rest == 0 || ev.doubting(p, ev.doubted^rest) == d {
		return 0
	}
	for a := range rest.all {
		if fewer := rest &^ (1 << a); ev.doubting(p, ev.doubted^fewer) != d {
			rest = fewer
		}
	}
	return rest
}
