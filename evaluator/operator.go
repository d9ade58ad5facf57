package evaluator

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// An operator is a condition operator: how one value of the request is
// compared with one value of the policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type operator struct {
	test      func(got value, want *operand) comparison
	negated   bool // matches if no value of the policy passes, so also if the key is absent (rules C4, C9)
	wild      bool // * and ? in the policy's value are wildcards
	variables bool // policy variables are replaced in the policy's value (rule V2)
	arn       bool // the policy's value is an ARN, compared segment by segment (rule C19)
	null      bool // Null, which asks for the key rather than for its value (rule C6)
}

// operators are the condition operators, by their name in lower case (rule C8), without
// the ForAllValues: or ForAnyValue: prefix and the IfExists suffix.
var operators = map[string]*operator{
	"stringequals":              {test: stringEqual, variables: true},
	"stringnotequals":           {test: stringEqual, variables: true, negated: true},
	"stringequalsignorecase":    {test: stringEqualFold, variables: true},
	"stringnotequalsignorecase": {test: stringEqualFold, variables: true, negated: true},
	"stringlike":                {test: stringEqual, variables: true, wild: true},
	"stringnotlike":             {test: stringEqual, variables: true, wild: true, negated: true},
	"numericequals":             {test: numeric(func(c int) bool { return c == 0 })},
	"numericnotequals":          {test: numeric(func(c int) bool { return c == 0 }), negated: true},
	"numericlessthan":           {test: numeric(func(c int) bool { return c < 0 })},
	"numericlessthanequals":     {test: numeric(func(c int) bool { return c <= 0 })},
	"numericgreaterthan":        {test: numeric(func(c int) bool { return c > 0 })},
	"numericgreaterthanequals":  {test: numeric(func(c int) bool { return c >= 0 })},
	"dateequals":                {test: date(func(c int) bool { return c == 0 })},
	"datenotequals":             {test: date(func(c int) bool { return c == 0 }), negated: true},
	"datelessthan":              {test: date(func(c int) bool { return c < 0 })},
	"datelessthanequals":        {test: date(func(c int) bool { return c <= 0 })},
	"dategreaterthan":           {test: date(func(c int) bool { return c > 0 })},
	"dategreaterthanequals":     {test: date(func(c int) bool { return c >= 0 })},
	"bool":                      {test: boolEqual, variables: true},
	"binaryequals":              {test: binaryEqual},
	"ipaddress":                 {test: ipInRange},
	"notipaddress":              {test: ipInRange, negated: true},
	"arnequals":                 {test: arnLike, variables: true, wild: true, arn: true},
	"arnlike":                   {test: arnLike, variables: true, wild: true, arn: true},
	"arnnotequals":              {test: arnLike, variables: true, wild: true, arn: true, negated: true},
	"arnnotlike":                {test: arnLike, variables: true, wild: true, arn: true, negated: true},
	"null":                      {null: true},
}

// A comparison is the result of comparing two values. The zero comparison
// is "not equal".
type comparison int8

const (
	differ comparison = iota
	undecided
	equal
	badWant // the policy's value can't be read as the operator's type (rule C28)
	badGot  // the request's value can't
)

func compared(m Match) comparison {
	switch m {
	case Matched:
		return equal
	case Unknown:
		return undecided
	}
	return differ
}

func holds(b bool) comparison { return compared(known(b)) }

// A value is one value of the request. In a pattern, * and ? stand for what isn't known.
type value struct {
	text    string
	pattern bool
}

// An operand is one value of the policy, read once.
type operand struct {
	text     string
	template template   // nil without variables
	glob     glob       // the value to compare with, for string operators
	arn      *arnGlob   // for ARN operators; nil if the value isn't an ARN
	segments []template // for ARN operators with variables, six of them
	number   *decimal   // nil if the value isn't one
	when     *time.Time // nil likewise
	network  *netip.Prefix
	bytes    []byte
	isBytes  bool
}

// newOperand reads a policy's value for an operator. variables says that policy variables exist (rule V1).
func newOperand(op *operator, text string, variables bool) (operand, error) {
	o := operand{text: text}
	encode := literalGlob
	if op.wild {
		encode = newGlob
	}
	o.glob = encode(text)
	if variables && op.variables && strings.Contains(text, "${") {
		t, err := parseTemplate(text, op.wild)
		if err != nil {
			return o, err
		}
		if t.variables() {
			o.template = t
		}
		o.glob = t.fixed()
		if op.arn {
			if o.segments, err = arnTemplates(text); err != nil {
				return o, err
			}
			if o.segments != nil && o.template == nil {
				o.arn = &arnGlob{}
				for i, s := range o.segments {
					o.arn[i] = s.fixed()
				}
			}
		}
	} else if op.arn {
		o.arn = newARNGlob(text)
	}
	if n, ok := parseDecimal(text); ok {
		o.number = &n
	}
	if t, ok := parseDate(text); ok {
		o.when = &t
	}
	if p, ok := parseNetwork(text); ok {
		o.network = &p
	}
	if b, err := base64.StdEncoding.DecodeString(text); err == nil {
		o.bytes, o.isBytes = b, true
	}
	return o, nil
}

// resolved returns the operand with its variables replaced. NoMatch says that it is null and
// matches nothing (rule V6), Unknown that it matches at most what is returned (rule V9).
func (o *operand) resolved(ctx *Context) (*operand, Match) {
	if o.template == nil {
		return o, Matched
	}
	g, m := o.template.resolve(ctx)
	if m == NoMatch {
		return nil, NoMatch
	}
	r := &operand{text: string(g), glob: g}
	if o.segments != nil {
		r.arn = &arnGlob{}
		for i, t := range o.segments {
			r.arn[i], _ = t.resolve(ctx)
		}
	}
	return r, m
}

// stringEqual serves rules C10 and C12: they differ in what the operand's glob holds.
func stringEqual(got value, want *operand) comparison {
	switch {
	case got.pattern:
		return compared(want.glob.matchPattern(newGlob(got.text)))
	case want.glob.tooLong(got.text):
		return undecided
	}
	return holds(want.glob.match(got.text))
}

// stringEqualFold compares character by character in lower case, without
// folding: ß isn't ss (rule C11).
func stringEqualFold(got value, want *operand) comparison {
	fold := func(s string) string { return strings.Map(unicode.ToLower, s) }
	g := glob(foldGlob(string(want.glob)))
	if got.pattern {
		return compared(g.matchPattern(newGlob(fold(got.text))))
	}
	return holds(g.match(fold(got.text)))
}

// foldGlob puts a glob into lower case and leaves its wildcards alone.
func foldGlob(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] >= segOne {
			b.WriteByte(s[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b.WriteRune(unicode.ToLower(r))
		i += n
	}
	return b.String()
}

// boolEqual compares true and false without case (rule C16).
func boolEqual(got value, want *operand) comparison {
	w, okWant := parseBool(want.text)
	g, okGot := parseBool(got.text)
	switch {
	case got.pattern:
		return undecided
	case !okWant:
		return badWant
	case !okGot:
		return badGot
	}
	return holds(w == g)
}

func parseBool(s string) (b, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// binaryEqual compares what two base64 texts stand for (rule C17).
func binaryEqual(got value, want *operand) comparison {
	if got.pattern {
		return undecided
	}
	if !want.isBytes {
		return badWant
	}
	b, err := base64.StdEncoding.DecodeString(got.text)
	if err != nil {
		return badGot
	}
	return holds(string(b) == string(want.bytes))
}

// numeric compares decimals exactly; the request's value is on the left (rules C13, C14).
func numeric(holdsFor func(int) bool) func(value, *operand) comparison {
	return func(got value, want *operand) comparison {
		if got.pattern {
			return undecided
		}
		if want.number == nil {
			return badWant
		}
		g, ok := parseDecimal(got.text)
		if !ok {
			return badGot
		}
		return holds(holdsFor(g.compare(*want.number)))
	}
}

// date compares instants; the request's value is on the left (rules C14, C15).
func date(holdsFor func(int) bool) func(value, *operand) comparison {
	return func(got value, want *operand) comparison {
		if got.pattern {
			return undecided
		}
		if want.when == nil {
			return badWant
		}
		g, ok := parseDate(got.text)
		if !ok {
			return badGot
		}
		return holds(holdsFor(g.Compare(*want.when)))
	}
}

// ipInRange tells whether an address is in a network of its own family (rule C18).
func ipInRange(got value, want *operand) comparison {
	if got.pattern {
		return undecided
	}
	if want.network == nil {
		return badWant
	}
	a, err := netip.ParseAddr(got.text)
	if err != nil || a.Zone() != "" {
		return badGot
	}
	if a.Is4In6() || want.network.Addr().Is4In6() {
		return undecided
	}
	return holds(want.network.Contains(a))
}

// parseNetwork reads an address or a CIDR range; without a prefix length it is
// one address, and host bits under the mask are ignored (rule C18).
func parseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// dateLayouts are the forms of a date that has a zone or none; the ones with
// fewer parts mean the earliest instant, in UTC (rule C15).
var dateLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04:05-0700",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02", "2006-01",
}

// parseDate reads a date of the W3C profile of ISO 8601, or seconds since
// 1970: a string of digits is always seconds, also 2024 (rule C15).
func parseDate(s string) (time.Time, bool) {
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	if digits(s) {
		if len(s) > 12 {
			return time.Time{}, false
		}
		var n int64
		for _, c := range s {
			n = n*10 + int64(c-'0')
		}
		return time.Unix(n, 0).UTC(), true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// A decimal is an exact decimal number: 0.digits times ten to the exponent,
// without leading or trailing zeros. Zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal reads a number: a sign, digits, a fraction, an exponent (rule C13).
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if len(s) > 1024 {
		return d, false
	}
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		d.negative = rest[0] == '-'
		rest = rest[1:]
	}
	exponent := 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		e := rest[i+1:]
		rest = rest[:i]
		negative := strings.HasPrefix(e, "-")
		e = strings.TrimPrefix(strings.TrimPrefix(e, "-"), "+")
		if !digits(e) || len(e) > 6 {
			return d, false
		}
		for _, c := range e {
			exponent = exponent*10 + int(c-'0')
		}
		if negative {
			exponent = -exponent
		}
	}
	whole, fraction, dotted := strings.Cut(rest, ".")
	if !digits(whole) && (whole != "" || !dotted) || dotted && !digits(fraction) {
		return d, false
	}
	d.digits = whole + fraction
	d.exponent = len(whole) + exponent
	trimmed := strings.TrimLeft(d.digits, "0")
	d.exponent -= len(d.digits) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

// compare returns -1, 0 or 1.
func (d decimal) compare(e decimal) int {
	if d.sign() != e.sign() {
		return cmpInt(d.sign(), e.sign())
	}
	c := cmpInt(d.exponent, e.exponent)
	if c == 0 {
		c = strings.Compare(d.digits, e.digits)
	}
	return c * d.sign()
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
