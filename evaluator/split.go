package evaluator

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The bounds of a case split (rule U14).
const (
	maxSplitKeys  = 8
	maxSplitCases = 256
	maxFreeAtoms  = 3 // patterns of one key, of which each may hold or not
	maxBounds     = 8 // numbers, dates or ranges of one key, that its values lie between
)

// A cell is some of the values that a key may have: those that are none of the
// literals of the policies, and for which each pattern or range of the policies holds as given. A cell
// that no value is in does no harm: it can only keep an answer from being definite.
type cell struct {
	atoms  map[atom]Match
	bad    bool // values that aren't of the kind that operators compare (rule C28)
	filled bool // no value is empty (rule C7)
}

// An atom is one question that policies ask of a key's value.
type atom struct {
	kind  operatorKind
	holds relation
	wild  bool // text is a pattern
	text  string
}

func atomOf(op *operator, o *operand) atom {
	a := atom{kind: op.kind, holds: op.holds, wild: op.wild && !o.literal, text: o.text}
	switch op.kind {
	case kindString, kindStringFold, kindARN:
		a.text = string(o.glob) // ${*} means another thing under another Version
	}
	return a
}

// compare answers an operand's question for all values in the cell.
func (c *cell) compare(ev *evaluation, op *operator, o *operand) comparison {
	switch {
	case op.kind == kindString && op.wild && o.glob.everything():
		return equal
	case o.bad && op.kind == kindARN && o.text == "*":
		return undecided
	case o.bad:
		return badWant
	case c.bad && op.kind != kindString && op.kind != kindStringFold:
		return badGot
	}
	m, ok := c.atoms[atomOf(op, o)]
	if !ok {
		return undecided
	}
	switch op.kind {
	case kindNumeric:
		return ev.odd(o.odd, assumeC13, compared(m))
	case kindDate:
		return ev.odd(o.odd, assumeC15, compared(m))
	case kindIP:
		return ev.odd(o.odd, assumeC18, compared(m))
	}
	return compared(m)
}

// A splitKey is a key that isn't known, and the cases that policies tell apart.
type splitKey struct {
	name       keyName
	value      ContextValue
	conditions []*condition
	cases      []keyValue
}

// A splitCase is one combination of cases, and what it comes to.
type splitCase struct {
	keys     []keyValue
	decision Decision
}

// A splitting is what the cases of a request come to together.
type splitting struct {
	decision Decision
	cases    []splitCase // of a definite decision, all of them
}

// split decides a request whose answer hangs on keys that aren't known, case by case: if every
// case comes to the same, that is the answer (rule U14). It is sound, as the cases cover all values.
func split(req *Request, p *Policies) splitting {
	ev := newEvaluation(req)
	return ev.split(p)
}

// split is what the request comes to if the evaluation's doubts are right; what the cases
// rest on is added to used.
func (ev *evaluation) split(p *Policies) splitting {
	keys := ev.splitKeys(p)
	if len(keys) == 0 {
		return splitting{decision: Indeterminate}
	}
	out := splitting{}
	at := make([]int, len(keys))
	for {
		r := *ev.req
		r.Context = ev.req.Context.Clone()
		c := splitCase{}
		for i, k := range keys {
			c.keys = append(c.keys, k.cases[at[i]])
			r.Context.put(k.cases[at[i]])
		}
		one := newEvaluation(&r)
		one.doubted = ev.doubted
		one.traced = ev.traced
		o := one.decide(p)
		ev.used |= one.used
		c.decision = o.decision()
		out.cases = append(out.cases, c)
		first := out.cases[0].decision
		if c.decision == Indeterminate || (c.decision == Allowed) != (first == Allowed) {
			return splitting{decision: Indeterminate}
		}
		i := 0
		for ; i < len(keys); i++ {
			if at[i]++; at[i] < len(keys[i].cases) {
				break
			}
			at[i] = 0
		}
		if i == len(keys) {
			break
		}
	}
	out.decision = out.cases[0].decision
	if slices.ContainsFunc(out.cases, func(c splitCase) bool { return c.decision != out.decision }) {
		out.decision = ImplicitDeny // denied in every case, and in some for want of an allow only
	}
	return out
}

// splitKeys are the keys that are worth splitting: not known, of one value, and asked by statements whose
// answer hangs on them.
func (ev *evaluation) splitKeys(p *Policies) []*splitKey {
	whole := newEvaluation(ev.req)
	whole.doubted = ev.doubted
	whole.traced = true
	whole.decide(p)
	var keys []*splitKey
	var asVariables []keyName
	for i := range whole.trace {
		for j := range whole.trace[i].Statements {
			if s := &whole.trace[i].Statements[j]; s.Match == Unknown && s.compiled != nil && !s.compiled.uninterpretable {
				keys = s.compiled.splitKeys(&whole, keys)
				asVariables = s.compiled.variables(asVariables)
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k *splitKey) bool { return k.conditions == nil })
	cases, kept := 1, 0
	for _, k := range keys {
		k.findCases(ev, slices.Contains(asVariables, k.name))
		if len(k.cases) == 0 || kept == maxSplitKeys || cases*len(k.cases) > maxSplitCases {
			continue
		}
		cases *= len(k.cases)
		keys[kept] = k
		kept++
	}
	return keys[:kept]
}

// splitKeys adds the statement's conditions to the keys that they hang on. A key that may hold several values
// has no conditions in the end: it can't be split.
func (s *statement) splitKeys(ev *evaluation, keys []*splitKey) []*splitKey {
	for i := range s.conditions {
		c := &s.conditions[i]
		v := ev.req.Context.value(c.key)
		if v.State != UnknownKey && v.State != PresentUnknown || c.match(ev) != Unknown {
			continue
		}
		k := slices.IndexFunc(keys, func(k *splitKey) bool { return k.name == c.key })
		if k < 0 {
			k = len(keys)
			keys = append(keys, &splitKey{name: c.key, value: v.ContextValue, conditions: []*condition{}})
		}
		switch {
		case c.multivalued || c.quant != single:
			keys[k].conditions = nil
		case keys[k].conditions != nil:
			keys[k].conditions = append(keys[k].conditions, c)
		}
	}
	return keys
}

// variables adds the keys that the statement uses as policy variables.
func (s *statement) variables(names []keyName) []keyName {
	add := func(t template) {
		for i := range t {
			if t[i].isVariable {
				names = append(names, t[i].key)
			}
		}
	}
	for i := range s.resources {
		add(s.resources[i].template)
	}
	for i := range s.conditions {
		for j := range s.conditions[i].operands {
			add(s.conditions[i].operands[j].template)
		}
	}
	return names
}

// findCases takes a key's values apart: absent, each literal of the policies, and the rest by the patterns
// and ranges of the policies.
func (k *splitKey) findCases(ev *evaluation, asVariable bool) {
	if k.kinds() > 1 {
		return // a value may be bad for one and good for the other
	}
	q := k.questions()
	if k.value.State == UnknownKey {
		k.add(Absent, nil)
	}
	k.addLiterals(ev, q.literals, q.templates || asVariable)
	for _, where := range q.regions() {
		for held := range 1 << len(q.free) {
			c := &cell{atoms: maps.Clone(where), filled: q.asksNull}
			for _, text := range q.literals {
				c.atoms[atom{kind: kindString, text: text}] = NoMatch
			}
			for _, text := range k.value.Not {
				c.atoms[atom{kind: kindString, text: string(literalGlob(text))}] = NoMatch
			}
			for i, a := range q.free {
				c.atoms[a] = known(held>>i&1 == 1)
			}
			k.add(Present, c)
		}
	}
	if k.kinds() > 0 && !typed(k.name.Value()) {
		k.add(Present, &cell{bad: true, filled: q.asksNull})
	}
}

// A questioning is what policies ask of a key's value.
type questioning struct {
	literals  []string
	free      []atom // patterns: of each it isn't known whether it holds
	bounds    []bound
	templates bool
	asksNull  bool // whether a value is empty, and the key may hold one (rule C7)
}

// A bound is a number, a date, a range of addresses or a truth that values are compared with.
type bound struct {
	atom
	op *operator
	o  *operand
}

func (k *splitKey) questions() (q questioning) {
	seen := map[atom]bool{}
	for _, c := range k.conditions {
		if c.op.kind == kindNull && mayBeEmpty(k.name.Value()) {
			q.asksNull = true
		}
		for i := range c.operands {
			o := &c.operands[i]
			a := atomOf(c.op, o)
			switch {
			case o.template != nil:
				q.templates = true
				continue
			case c.op.kind == kindNull || o.bad || seen[a]:
				continue
			}
			seen[a] = true
			switch c.op.kind {
			case kindNumeric, kindDate, kindBool, kindIP:
				q.bounds = append(q.bounds, bound{a, c.op, o})
			case kindString:
				if o.literal {
					q.literals = append(q.literals, a.text)
					continue
				}
				fallthrough
			default:
				q.free = append(q.free, a)
			}
		}
	}
	if q.asksNull && !slices.Contains(q.literals, "") {
		q.literals = append(q.literals, "")
	}
	q.literals = slices.DeleteFunc(q.literals, func(text string) bool { return slices.Contains(k.value.Not, text) })
	if len(q.free) > maxFreeAtoms {
		q.free = nil // they stay unknown
	}
	if len(q.bounds) > maxBounds {
		q.bounds = nil
	}
	return q
}

// regions are the parts that a key's bounds divide its values into, by what each bound's question comes to in it.
func (q *questioning) regions() []map[atom]Match {
	if len(q.bounds) == 0 {
		return []map[atom]Match{{}}
	}
	var regions []map[atom]Match
	add := func(holds func(b *bound) Match) {
		region := make(map[atom]Match, len(q.bounds))
		for i := range q.bounds {
			region[q.bounds[i].atom] = holds(&q.bounds[i])
		}
		if !slices.ContainsFunc(regions, func(r map[atom]Match) bool { return maps.Equal(r, region) }) {
			regions = append(regions, region)
		}
	}
	switch q.bounds[0].op.kind {
	case kindBool:
		add(func(b *bound) Match { return known(b.o.truth) })
		add(func(b *bound) Match { return known(!b.o.truth) })
	case kindIP: // in one range and in those that it is part of, or in none
		for i := range q.bounds {
			in := q.bounds[i].o.network
			add(func(b *bound) Match { return b.o.covers(in) })
		}
		add(func(b *bound) Match { return b.o.covers(netip.Prefix{}) })
	default: // at a number or an instant, just below it, or just above
		for i := range q.bounds {
			for _, side := range []int{-1, 0, 1} {
				add(func(b *bound) Match {
					order := q.bounds[i].o.order(b.o, b.op.kind)
					if order == 0 {
						order = side
					}
					return known(b.op.holds.of(order))
				})
			}
		}
	}
	return regions
}

// order compares two operands of Numeric or Date operators: -1, 0 or 1.
func (o *operand) order(other *operand, kind operatorKind) int {
	if kind == kindDate {
		return o.when.Compare(other.when)
	}
	return o.number.compare(other.number)
}

// covers says whether all addresses of a range are in an operand's (rule C18).
func (o *operand) covers(in netip.Prefix) Match {
	if o.network.Addr().Is4In6() || in.Addr().Is4In6() {
		return Unknown
	}
	return known(in.IsValid() && o.network.Bits() <= in.Bits() && o.network.Contains(in.Addr()))
}

func (k *splitKey) add(state KeyState, c *cell) {
	k.cases = append(k.cases, keyValue{ContextValue: ContextValue{Name: k.name.Value(), State: state, Not: k.value.Not}, cell: c})
}

// kinds counts the kinds that the key's values are taken for, besides text.
func (k *splitKey) kinds() int {
	var kinds []operatorKind
	for _, c := range k.conditions {
		switch c.op.kind {
		case kindString, kindStringFold, kindNull:
		default:
			if !slices.Contains(kinds, c.op.kind) {
				kinds = append(kinds, c.op.kind)
			}
		}
	}
	return len(kinds)
}

// addLiterals adds a case for each literal. Literals that all conditions answer alike are one case, unless
// a variable could tell them apart.
func (k *splitKey) addLiterals(ev *evaluation, literals []string, templates bool) {
	at := map[string]int{} // the case, by the answers
	for _, text := range literals {
		v := keyValue{ContextValue: ContextValue{Name: k.name.Value(), State: Present, Values: []string{text}}}
		if !templates {
			one := Request{}
			one.Context.put(v)
			asked := newEvaluation(&one)
			asked.doubted = ev.doubted
			var answers strings.Builder
			for _, c := range k.conditions {
				answers.WriteByte(byte('0' + c.match(&asked)))
			}
			if i, seen := at[answers.String()]; seen {
				k.cases[i].several = true
				continue
			}
			at[answers.String()] = len(k.cases)
		}
		k.cases = append(k.cases, v)
	}
}

// typed reports whether AWS itself sets a key, always to what its operators compare.
func typed(folded string) bool {
	switch folded {
	case "aws:sourceip", "aws:vpcsourceip", "aws:ec2instancesourceprivateipv4", "aws:currenttime", "aws:epochtime", "aws:tokenissuetime",
		"aws:multifactorauthage", "aws:multifactorauthpresent", "aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice",
		"aws:principalarn", "aws:sourcearn":
		return true
	}
	return false
}
