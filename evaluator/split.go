package evaluator

import (
	"slices"
	"strings"
)

// The bounds of a case split (rule U14).
const (
	maxSplitKeys  = 8
	maxSplitCases = 256
	maxFreeAtoms  = 3 // patterns and ranges of one key, of which each may hold or not
)

// A cell is some of the values that a key may have: those that are none of the
// literals of the policies, and for which each pattern or range of the policies holds as given. A cell
// that no value is in does no harm: it can only keep an answer from being definite.
type cell struct {
	atoms map[atom]Match
	bad   bool // values that aren't of the kind that operators compare (rule C28)
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
func (c *cell) compare(op *operator, o *operand) comparison {
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
	keys := splitKeys(req, p)
	if len(keys) == 0 {
		return splitting{decision: Indeterminate}
	}
	out := splitting{}
	at := make([]int, len(keys))
	for {
		r := *req
		r.Context = req.Context.Clone()
		c := splitCase{}
		for i, k := range keys {
			c.keys = append(c.keys, k.cases[at[i]])
			r.Context.put(k.cases[at[i]])
		}
		ev := newEvaluation(&r)
		o := ev.decide(p)
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
func splitKeys(req *Request, p *Policies) []*splitKey {
	ev := newEvaluation(req)
	ev.traced = true
	ev.decide(p)
	var keys []*splitKey
	var asVariables []keyName
	for i := range ev.trace {
		for j := range ev.trace[i].Statements {
			if s := &ev.trace[i].Statements[j]; s.Match == Unknown && s.compiled != nil && !s.compiled.uninterpretable {
				keys = s.compiled.splitKeys(&ev, keys)
				asVariables = s.compiled.variables(asVariables)
			}
		}
	}
	keys = slices.DeleteFunc(keys, func(k *splitKey) bool { return k.conditions == nil })
	cases, kept := 1, 0
	for _, k := range keys {
		k.findCases(req, slices.Contains(asVariables, k.name))
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
func (k *splitKey) findCases(req *Request, asVariable bool) {
	if k.kinds() > 1 {
		return // a value may be bad for one and good for the other
	}
	var literals []string
	var free []atom
	atoms := map[atom]Match{}
	templates := asVariable
	for _, c := range k.conditions {
		for i := range c.operands {
			o := &c.operands[i]
			a := atomOf(c.op, o)
			_, seen := atoms[a]
			switch {
			case o.template != nil:
				templates = true
			case c.op.kind == kindNull || o.bad || seen:
			case c.op.kind == kindString && o.literal:
				atoms[a] = NoMatch
				if !slices.Contains(k.value.Not, a.text) && !slices.Contains(literals, a.text) {
					literals = append(literals, a.text)
				}
			default:
				atoms[a] = Unknown
				free = append(free, a)
			}
		}
	}
	if k.value.State == UnknownKey {
		k.add(Absent, nil)
	}
	k.addLiterals(req, literals, templates)
	if len(free) > maxFreeAtoms {
		free = nil // they stay unknown
	}
	for held := range 1 << len(free) {
		c := &cell{atoms: make(map[atom]Match, len(atoms))}
		for a, m := range atoms {
			c.atoms[a] = m
		}
		for i, a := range free {
			c.atoms[a] = known(held>>i&1 == 1)
		}
		k.add(Present, c)
	}
	if k.kinds() > 0 && !typed(k.name.Value()) {
		k.add(Present, &cell{bad: true})
	}
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
func (k *splitKey) addLiterals(req *Request, literals []string, templates bool) {
	seen := map[string]bool{}
	for _, text := range literals {
		v := keyValue{ContextValue: ContextValue{Name: k.name.Value(), State: Present, Values: []string{text}}}
		if !templates {
			one := Request{Strict: req.Strict}
			one.Context.put(v)
			ev := newEvaluation(&one)
			var answers strings.Builder
			for _, c := range k.conditions {
				answers.WriteByte(byte('0' + c.match(&ev)))
			}
			if seen[answers.String()] {
				continue
			}
			seen[answers.String()] = true
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
