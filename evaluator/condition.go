package evaluator

import (
	"fmt"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
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
	src      *policy.Condition
	op       *operator
	quant    quantifier
	ifExists bool
	key      string // folded
	operands []operand
}

// newCondition compiles a condition; the error says why it can't be interpreted (rule G21).
func newCondition(src *policy.Condition, variables bool) (condition, error) {
	c := condition{src: src, key: strings.ToLower(src.Key.Value)}
	name := strings.ToLower(src.Operator)
	switch {
	case strings.HasPrefix(name, "forallvalues:"):
		c.quant, name = forAllValues, name[len("forallvalues:"):]
	case strings.HasPrefix(name, "foranyvalue:"):
		c.quant, name = forAnyValue, name[len("foranyvalue:"):]
	}
	base, ifExists := strings.CutSuffix(name, "ifexists")
	c.ifExists = ifExists
	c.op = operators[base]
	if c.op == nil || c.op.null && ifExists { // rule C5
		return c, fmt.Errorf("unknown condition operator %q", src.Operator)
	}
	for _, v := range src.Values {
		o, err := newOperand(c.op, v.Value, variables)
		if err != nil {
			return c, err
		}
		c.operands = append(c.operands, o)
	}
	return c, nil
}

// match says whether the condition holds, and why it can't be told where that isn't plain.
func (c *condition) match(ctx *Context) (Match, string) {
	v := ctx.lookupFolded(c.key, c.src.Key.Value)
	if c.op.null {
		return c.matchNull(v), ""
	}
	switch c.quant {
	case forAllValues:
		return c.matchAll(v, ctx), ""
	case forAnyValue:
		return c.matchAny(v, ctx), ""
	}
	return c.matchSingle(v, ctx)
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
func (c *condition) matchNull(v ContextValue) Match {
	switch c.quant {
	case forAllValues:
		return Matched
	case forAnyValue:
		return NoMatch
	}
	missing := Unknown
	switch v.State {
	case Absent:
		missing = Matched
	case Present:
		missing = known(isNull(v.Values))
	case Partial:
		if !isNull(v.Values) {
			missing = NoMatch
		}
	case PresentUnknown:
		// A value that a user supplies may be empty (U8); the caller's and AWS's own keys can't.
		if strings.HasPrefix(c.key, "aws:") && !strings.Contains(c.key, "/") {
			missing = NoMatch
		}
	}
	m := NoMatch
	for _, o := range c.operands {
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

// matchSingle serves operators without a set prefix (rules C1, C4, C5, C27, U8).
func (c *condition) matchSingle(v ContextValue, ctx *Context) (Match, string) {
	absent := c.ifExists || c.op.negated // what a missing key comes to (rules C4, C5)
	switch v.State {
	case Absent:
		return known(absent), ""
	case Present:
		switch len(v.Values) {
		case 0:
			return known(absent), "" // rule C27: zero values are absent
		case 1:
			return c.test(value{v.Values[0], v.Pattern}, ctx), ""
		}
		return Unknown, "several values, and the operator has no ForAllValues or ForAnyValue: AWS doesn't say what happens (C27)"
	case PresentUnknown:
		return c.testAnyValue(ctx), ""
	case Partial:
		return Unknown, ""
	}
	// The key may be there or not: only if both come to the same is it known.
	if m := c.testAnyValue(ctx); m == known(absent) {
		return m, ""
	}
	return Unknown, ""
}

// matchAll serves ForAllValues (rules C22, C24, G16, U8).
func (c *condition) matchAll(v ContextValue, ctx *Context) Match {
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
			m = and(m, c.test(value{s, v.Pattern}, ctx))
		}
		if v.State == Partial {
			m = and(m, Unknown)
		}
		return m
	}
	if len(c.operands) > 0 && c.testAnyValue(ctx) == Matched {
		return Matched
	}
	return Unknown
}

// matchAny serves ForAnyValue (rules C23, C25, G16, U8).
func (c *condition) matchAny(v ContextValue, ctx *Context) Match {
	switch v.State {
	case Absent:
		return known(c.ifExists)
	case Present, Partial:
		m := NoMatch
		for _, s := range v.Values {
			if s == "" || len(c.operands) == 0 {
				continue
			}
			m = or(m, c.test(value{s, v.Pattern}, ctx))
		}
		if v.State == Partial && len(c.operands) > 0 {
			m = or(m, and(Unknown, c.possible(ctx)))
		}
		return m
	}
	if len(c.operands) == 0 || c.testAnyValue(ctx) == NoMatch {
		return and(Unknown, known(c.ifExists && v.State == UnknownKey))
	}
	return Unknown
}

// possible says whether some value could satisfy the condition.
func (c *condition) possible(ctx *Context) Match {
	if c.testAnyValue(ctx) == NoMatch {
		return NoMatch
	}
	return Unknown
}

// test compares one value of the request with all of the policy's (rules C1,
// C9, C28, U9).
func (c *condition) test(got value, ctx *Context) Match {
	if c.ifExists && len(c.operands) == 0 {
		return NoMatch // rule G16
	}
	m := NoMatch
	for i := range c.operands {
		o, sure := c.operands[i].resolved(ctx)
		if sure == NoMatch {
			continue // null: matches nothing (rule V6)
		}
		answer := c.op.test(got, o)
		if answer == badWant && sure == Unknown {
			answer = undecided // what a variable stands for isn't known, so it can't be bad (rule V9)
		}
		switch answer {
		case equal:
			m = or(m, sure)
		case undecided:
			m = or(m, Unknown)
		case badGot:
			if c.op.arn {
				return NoMatch // positive or negated (rule C28)
			}
			if c.op.negated {
				m = or(m, Unknown)
			}
		case badWant:
			if c.op.negated {
				m = or(m, Unknown)
			}
		}
	}
	if c.op.negated {
		return not(m)
	}
	return m
}

// testAnyValue is test for a value that is there but not known: definite only
// if every value gives the same answer (rule U8).
func (c *condition) testAnyValue(ctx *Context) Match {
	if c.ifExists && len(c.operands) == 0 {
		return NoMatch
	}
	m := NoMatch
	for i := range c.operands {
		o, sure := c.operands[i].resolved(ctx)
		switch {
		case sure == NoMatch:
		case sure == Matched && c.op.wild && !c.op.arn && o.glob.everything():
			m = or(m, Matched) // * matches every string
		case sure == Matched && !c.op.negated && c.never(o):
		default:
			m = or(m, Unknown)
		}
	}
	if c.op.negated {
		return not(m)
	}
	return m
}

// never reports whether an operand can't match any value, because it isn't
// what the operator compares (rule C28).
func (c *condition) never(o *operand) bool { return c.op.test(value{text: "\x00"}, o) == badWant }

// trace returns how the condition was answered.
func (c *condition) trace(m Match, note string, ctx *Context) ElementTrace {
	v := ctx.lookupFolded(c.key, c.src.Key.Value)
	t := ElementTrace{
		Element: "Condition", Operator: c.src.Operator, Key: c.src.Key.Value, Pos: c.src.Key.Pos,
		Match: m, Got: v.Values, GotState: v.State, Note: note,
	}
	for _, w := range c.src.Values {
		t.Want = append(t.Want, w.Value)
	}
	return t
}
