package evaluator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A quantifier is the set prefix of a condition operator.
type quantifier int8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// A condition is one key of an operator block, compiled.
type condition struct {
	src         *policy.Condition
	op          *operator
	quant       quantifier
	ifExists    bool
	miscased    bool     // the operator isn't spelled as AWS does (rule C8)
	multivalued bool     // the key holds a list, or may (rule C27)
	want        []string // as in the policy
	plain       bool     // StringEquals or StringNotEquals of fixed texts
	key         keyName
	operands    []operand
}

// newCondition compiles a condition; the error says why it can't be interpreted (rule G21).
func newCondition(src *policy.Condition, variables bool) (condition, error) {
	folded := strings.ToLower(src.Key.Value)
	c := condition{src: src, key: keyNameOf(folded), multivalued: serviceref.Multivalued(folded)}
	name, prefix := strings.ToLower(src.Operator), ""
	switch {
	case strings.HasPrefix(name, "forallvalues:"):
		c.quant, name, prefix = forAllValues, name[len("forallvalues:"):], "ForAllValues:"
	case strings.HasPrefix(name, "foranyvalue:"):
		c.quant, name, prefix = forAnyValue, name[len("foranyvalue:"):], "ForAnyValue:"
	}
	base, ifExists := strings.CutSuffix(name, "ifexists")
	c.ifExists = ifExists
	c.op = operators[base]
	if c.op == nil || c.op.kind == kindNull && ifExists { // rule C5
		return c, fmt.Errorf("unknown condition operator %q", src.Operator)
	}
	suffix := ""
	if ifExists {
		suffix = "IfExists"
	}
	c.miscased = src.Operator != prefix+c.op.name+suffix
	for _, v := range src.Values {
		o, err := newOperand(c.op, v.Value, variables)
		if err != nil {
			return c, err
		}
		c.operands = append(c.operands, o)
		c.want = append(c.want, v.Value)
	}
	fixed := func(o operand) bool { return o.template == nil && o.literal }
	c.plain = c.op.kind == kindString && c.quant == single && !c.miscased && len(c.operands) > 0 &&
		!slices.ContainsFunc(c.operands, func(o operand) bool { return !fixed(o) })
	return c, nil
}

// match says whether the condition holds.
func (c *condition) match(ev *evaluation) Match {
	v := ev.req.Context.value(c.key)
	if c.plain && v.State == Present && len(v.Values) == 1 && !v.Pattern && v.cell == nil {
		return known(c.lists(v.Values[0]) != c.op.negated)
	}
	var m Match
	switch {
	case c.op.kind == kindNull:
		m = c.matchNull(v)
	case c.quant == forAllValues:
		m = c.matchAll(v, ev)
	case c.quant == forAnyValue:
		m = c.matchAny(v, ev)
	default:
		m = c.matchSingle(v, ev)
	}
	return ev.assumeIf(c.miscased, assumeC8, m)
}

// lists is test for what most conditions are: the request's one value is one of the policy's, or isn't.
func (c *condition) lists(text string) bool {
	for i := range c.operands {
		if string(c.operands[i].glob) == text {
			return true
		}
	}
	return false
}

// isNull reports whether a present key counts as null: no values, or only
// empty ones (rule C7).
func isNull(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

// matchNull serves Null (rules C6, C26).
func (c *condition) matchNull(v *keyValue) Match {
	switch c.quant {
	case forAllValues:
		return Matched
	case forAnyValue:
		return NoMatch
	}
	missing := Unknown
	switch {
	case v.State == Absent:
		missing = Matched
	case v.State == Present && v.cell == nil:
		missing = known(isNull(v.Values))
	case v.State == Partial:
		if !isNull(v.Values) {
			missing = NoMatch
		}
	case v.State == PresentUnknown, v.cell != nil:
		if v.cell != nil && v.cell.filled || !mayBeEmpty(c.key.Value()) {
			missing = NoMatch
		}
	}
	m := NoMatch
	for i := range c.operands {
		o := &c.operands[i]
		want, ok := parseBool(o.text)
		switch {
		case !ok:
		case want:
			m = or(m, missing)
		default:
			m = or(m, not(missing))
		}
	}
	return m
}

// mayBeEmpty reports whether a key's value may be empty: one that a user supplies may; the caller's and AWS's
// own keys can't (rule U8).
func mayBeEmpty(folded string) bool {
	return !strings.HasPrefix(folded, "aws:") || strings.Contains(folded, "/")
}

// matchSingle serves operators without a set prefix (rules C1, C4, C5, C27, U8).
func (c *condition) matchSingle(v *keyValue, ev *evaluation) Match {
	absent := c.ifExists || c.op.negated // what a missing key comes to (rules C4, C5)
	switch v.State {
	case Absent:
		return known(absent)
	case Present:
		switch {
		case v.cell != nil:
			return c.test(newValue("", v, c.op), ev)
		case len(v.Values) == 0:
			return known(absent) // rule C27: zero values are absent
		case len(v.Values) == 1:
			return c.test(newValue(v.Values[0], v, c.op), ev)
		}
		return ev.assume(assumeC27, Unknown)
	case Partial:
		return Unknown
	}
	if c.multivalued { // it may turn out to have several values
		return ev.assume(assumeC27, Unknown)
	}
	if v.State == PresentUnknown {
		return c.testAnyValue(v, ev)
	}
	// The key may be there or not: only if both come to the same is it known.
	if m := c.testAnyValue(v, ev); m == known(absent) {
		return m
	}
	return Unknown
}

// matchAll serves ForAllValues (rules C22, C24, G16, U8).
func (c *condition) matchAll(v *keyValue, ev *evaluation) Match {
	switch v.State {
	case Absent:
		return Matched
	case Present, Partial:
		m := Matched
		for _, s := range v.Values {
			if s == "" {
				continue
			}
			if len(c.operands) == 0 {
				return NoMatch // rule G16
			}
			m = and(m, c.test(newValue(s, v, c.op), ev))
		}
		if v.State == Partial || v.cell != nil {
			m = and(m, Unknown)
		}
		return m
	}
	if len(c.operands) > 0 && c.testAnyValue(v, ev) == Matched {
		return Matched
	}
	return Unknown
}

// matchAny serves ForAnyValue (rules C23, C25, G16, U8).
func (c *condition) matchAny(v *keyValue, ev *evaluation) Match {
	switch v.State {
	case Absent:
		return ev.assumeIf(c.ifExists, assumeC25, known(c.ifExists))
	case Present, Partial:
		m := NoMatch
		for _, s := range v.Values {
			if s == "" || len(c.operands) == 0 {
				continue
			}
			m = or(m, c.test(newValue(s, v, c.op), ev))
		}
		if v.cell != nil || v.State == Partial && len(c.operands) > 0 {
			m = or(m, and(Unknown, c.possible(v, ev)))
		}
		if v.State == Partial && isNull(v.Values) && c.ifExists {
			m = or(m, Unknown) // nothing says that the key is there at all
		}
		return m
	}
	if len(c.operands) == 0 || c.testAnyValue(v, ev) == NoMatch {
		return and(Unknown, known(c.ifExists && v.State == UnknownKey))
	}
	return Unknown
}

// possible says whether some value could satisfy the condition.
func (c *condition) possible(v *keyValue, ev *evaluation) Match {
	if c.testAnyValue(v, ev) == NoMatch {
		return NoMatch
	}
	return Unknown
}

// test compares one value of the request with all of the policy's (rules C1,
// C9, C28, U9).
func (c *condition) test(got value, ev *evaluation) Match {
	if len(c.operands) == 0 {
		if c.ifExists {
			return NoMatch // rule G16
		}
		return ev.assumeIf(c.quant == single, assumeG16, known(c.op.negated))
	}
	m := NoMatch
	for i := range c.operands {
		answer, sure := c.operands[i].compare(ev, c.op, &got)
		if sure == NoMatch {
			continue // null: matches nothing (rule V6)
		}
		if answer == badWant && sure == Unknown {
			answer = undecided // what a variable stands for isn't known, so it can't be bad (rule V9)
		}
		switch answer {
		case equal:
			m = or(m, sure)
		case undecided:
			m = or(m, Unknown)
		case badGot, badWant:
			if answer == badGot && c.op.kind == kindARN {
				return ev.assume(assumeC28, NoMatch) // positive or negated
			}
			m = or(m, ev.assume(assumeC28, NoMatch))
			if c.op.negated {
				m = or(m, Unknown)
			}
		}
		if m == Matched {
			break
		}
	}
	if c.op.negated {
		return not(m)
	}
	return m
}

// testAnyValue is test for a value that is there but not known: definite only
// if every value gives the same answer (rule U8).
func (c *condition) testAnyValue(v *keyValue, ev *evaluation) Match {
	if len(c.operands) == 0 {
		if c.ifExists {
			return NoMatch
		}
		return ev.assumeIf(c.quant == single, assumeG16, known(c.op.negated))
	}
	ev.used |= 1 << assumeC28 // if it has a say, it is found when the value's cases are weighed (rules U14, U18)
	m := NoMatch
	for i := range c.operands {
		m = or(m, c.operands[i].matchAnyValue(v, c.op, ev))
	}
	if c.op.negated {
		return not(m)
	}
	return m
}

// matchAnyValue says whether a value that nobody knows matches one of the policy's.
func (o *operand) matchAnyValue(v *keyValue, op *operator, ev *evaluation) Match {
	if o.template != nil {
		var buf [bufferSize]byte
		g, sure := o.template.appendTo(buf[:0], ev)
		if sure == NoMatch {
			if op.kind == kindARN && o.like == nil && op.negated {
				return Unknown // rule C28
			}
			return NoMatch
		}
		if sure == Unknown {
			return Unknown
		}
		switch _, isBool := parseBool(string(g)); {
		case op.kind == kindString && op.wild && glob(g).everything():
			return Matched
		case op.kind == kindString && !wild(g) && slices.Contains(v.Not, string(g)):
			return NoMatch
		case op.kind == kindBool && !isBool && !op.negated,
			op.kind == kindARN && o.like == nil && o.text != "*" && !op.negated:
			return ev.assume(assumeC28, NoMatch)
		}
		return Unknown
	}
	switch {
	case op.kind == kindString && op.wild && o.glob.everything():
		return Matched // * matches every string
	case op.kind == kindString && o.literal && slices.Contains(v.Not, o.text):
		return NoMatch
	case o.bad && !op.negated && (op.kind != kindARN || o.text != "*"):
		return ev.assume(assumeC28, NoMatch) // it isn't what the operator compares
	}
	return Unknown
}

// trace returns how the condition was answered.
func (c *condition) trace(ev *evaluation) ElementTrace { return c.answered(ev, c.match(ev)) }

// answered is trace where the answer is known already.
func (c *condition) answered(ev *evaluation, m Match) ElementTrace {
	v := ev.req.Context.value(c.key)
	t := ElementTrace{
		Element: "Condition", Operator: c.src.Operator, Key: c.src.Key.Value, Pos: c.src.Key.Pos,
		Match: m, Got: v.Values, GotState: v.State,
	}
	if c.quant == single && v.State == Present && len(v.Values) > 1 && c.op.kind != kindNull {
		t.Note = "several values, and the operator has no ForAllValues or ForAnyValue: AWS doesn't say what happens (C27)"
	}
	t.Want = c.want
	return t
}
