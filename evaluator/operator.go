package evaluator

import (
	"encoding/base64"
	"net/netip"
	"strconv"
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
	name    string // as AWS writes it (rule C8)
	kind    operatorKind
	holds   relation
	negated bool // matches if no value of the policy passes, so also if the key is absent (rules C4, C9)
	wild    bool // * and ? in the policy's value are wildcards
}

// An operatorKind is what an operator takes values for.
type operatorKind int8

const (
	kindString operatorKind = iota
	kindStringFold
	kindNumeric
	kindDate
	kindBool
	kindBinary
	kindIP
	kindARN  // compared segment by segment (rule C19)
	kindNull // asks for the key rather than for its value (rule C6)
)

// A relation is what a comparison of two ordered values has to come to, the
// request's value on the left (rule C14).
type relation int8

const (
	equals relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

func (r relation) of(c int) bool {
	switch r {
	case less:
		return c < 0
	case lessOrEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterOrEqual:
		return c >= 0
	}
	return c == 0
}

// operators are the condition operators, by their name in lower case (rule C8), without
// the ForAllValues: or ForAnyValue: prefix and the IfExists suffix.
var operators = byName(
	operator{name: "StringEquals", kind: kindString},
	operator{name: "StringNotEquals", kind: kindString, negated: true},
	operator{name: "StringEqualsIgnoreCase", kind: kindStringFold},
	operator{name: "StringNotEqualsIgnoreCase", kind: kindStringFold, negated: true},
	operator{name: "StringLike", kind: kindString, wild: true},
	operator{name: "StringNotLike", kind: kindString, wild: true, negated: true},
	operator{name: "NumericEquals", kind: kindNumeric},
	operator{name: "NumericNotEquals", kind: kindNumeric, negated: true},
	operator{name: "NumericLessThan", kind: kindNumeric, holds: less},
	operator{name: "NumericLessThanEquals", kind: kindNumeric, holds: lessOrEqual},
	operator{name: "NumericGreaterThan", kind: kindNumeric, holds: greater},
	operator{name: "NumericGreaterThanEquals", kind: kindNumeric, holds: greaterOrEqual},
	operator{name: "DateEquals", kind: kindDate},
	operator{name: "DateNotEquals", kind: kindDate, negated: true},
	operator{name: "DateLessThan", kind: kindDate, holds: less},
	operator{name: "DateLessThanEquals", kind: kindDate, holds: lessOrEqual},
	operator{name: "DateGreaterThan", kind: kindDate, holds: greater},
	operator{name: "DateGreaterThanEquals", kind: kindDate, holds: greaterOrEqual},
	operator{name: "Bool", kind: kindBool},
	operator{name: "BinaryEquals", kind: kindBinary},
	operator{name: "IpAddress", kind: kindIP},
	operator{name: "NotIpAddress", kind: kindIP, negated: true},
	operator{name: "ArnEquals", kind: kindARN, wild: true},
	operator{name: "ArnLike", kind: kindARN, wild: true},
	operator{name: "ArnNotEquals", kind: kindARN, wild: true, negated: true},
	operator{name: "ArnNotLike", kind: kindARN, wild: true, negated: true},
	operator{name: "Null", kind: kindNull},
)

func byName(list ...operator) map[string]*operator {
	m := make(map[string]*operator, len(list))
	for i := range list {
		m[strings.ToLower(list[i].name)] = &list[i]
	}
	return m
}

// variables reports whether policy variables are replaced in the policy's value. AWS's
// pages disagree on Bool; it is taken to (rule V2).
func (op *operator) variables() bool {
	switch op.kind {
	case kindString, kindStringFold, kindARN, kindBool:
		return true
	}
	return false
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

// A value is one value of the request, read for an operator's kind.
type value struct {
	text    string
	pattern bool  // * and ? in text stand for what isn't known
	cell    *cell // any of several values: text means nothing (rule U14)

	bad     bool // it isn't of the operator's kind (rule C28)
	odd     bool // it is, by a rule of ours (C11, C13, C15)
	truth   bool
	number  decimal
	when    time.Time
	address netip.Addr
}

// newValue reads a value of the request once, for all of the policy's values.
func newValue(text string, v *keyValue, op *operator) value {
	got := value{text: text, pattern: v.Pattern, cell: v.cell}
	if got.pattern || got.cell != nil {
		return got
	}
	var ok bool
	switch op.kind {
	case kindNumeric:
		got.number, ok = parseDecimal(text)
		got.odd = oddNumber(text)
	case kindDate:
		got.when, ok = parseDate(text)
		got.odd = oddDate(text)
	case kindBool:
		got.truth, ok = parseBool(text)
	case kindIP:
		var err error
		got.address, err = netip.ParseAddr(text)
		ok = err == nil && got.address.Zone() == ""
	case kindARN:
		ok = isARN(text)
	default:
		ok = true
	}
	got.bad = !ok
	return got
}

// An operand is one value of the policy, read once.
type operand struct {
	text     string
	template template // nil without variables
	glob     glob     // the value to compare with, for string operators
	odd      bool     // read by a rule of ours (C13, C15, C18)
	bad      bool     // can't be read as the operator's type (rule C28)
	truth    bool
	literal  bool // glob has no wildcards
	like     *segments
	number   decimal
	when     time.Time
	network  netip.Prefix
	bytes    []byte
}

// segments are an ARN pattern's, fixed or with variables.
type segments struct {
	fixed     *arnGlob
	templates []template
	early     bool // a variable stands before the fifth colon (rule V10)
}

// newOperand reads a policy's value for an operator. variables says that policy variables exist (rule V1).
func newOperand(op *operator, text string, variables bool) (operand, error) {
	o := operand{text: text}
	encode := literalGlob
	if op.wild {
		encode = newGlob
	}
	o.glob = encode(text)
	replaced := variables && op.variables() && strings.Contains(text, "${")
	if replaced {
		t, err := parseTemplate(text, op.wild)
		if err != nil {
			return o, err
		}
		if t.variables() {
			o.template = t
		}
		o.glob = t.fixed()
	}
	o.literal = !o.glob.wild()
	ok := true
	switch op.kind {
	case kindNumeric:
		o.number, ok = parseDecimal(text)
		o.odd = oddNumber(text)
	case kindDate:
		o.when, ok = parseDate(text)
		o.odd = oddDate(text)
	case kindBool:
		o.truth, ok = parseBool(string(o.glob))
		ok = ok || o.template != nil
	case kindIP:
		o.network, ok = parseNetwork(text)
		o.odd = ok && hostBits(text)
	case kindBinary:
		var err error
		o.bytes, err = base64.StdEncoding.DecodeString(text)
		ok = err == nil
	case kindARN:
		like, err := newSegments(text, replaced)
		if err != nil {
			return o, err
		}
		o.like, ok = like, like != nil
	}
	o.bad = !ok
	return o, nil
}

func newSegments(text string, variables bool) (*segments, error) {
	if !variables {
		if g := newARNGlob(text); g != nil {
			return &segments{fixed: g}, nil
		}
		return nil, nil
	}
	templates, err := arnTemplates(text)
	if err != nil || templates == nil {
		return nil, err
	}
	var fixed arnGlob
	s := segments{fixed: &fixed}
	for i, t := range templates {
		if t.variables() {
			s.templates, s.early = templates, s.early || i < 5
		}
		fixed[i] = t.fixed()
	}
	return &s, nil
}

// bufferSize is the room for a value with its variables replaced; longer ones cost an allocation.
const bufferSize = 256

// compare compares a value of the request with one of the policy. The Match says whether the
// policy's value is known: NoMatch that it is null and matches nothing (rule V6), Unknown that
// it matches at most what the comparison says (rule V9).
func (o *operand) compare(ev *evaluation, op *operator, got *value) (comparison, Match) {
	if got.cell != nil {
		if o.template != nil {
			return undecided, Unknown
		}
		return got.cell.compare(ev, op, o), Matched
	}
	switch op.kind {
	case kindString, kindStringFold:
		return o.compareString(ev, op, got)
	case kindARN:
		return o.compareARN(ev, got)
	case kindBool:
		return o.compareBool(ev, got)
	}
	switch {
	case got.pattern:
		return undecided, Matched
	case o.bad:
		return badWant, Matched
	case got.bad:
		return badGot, Matched
	}
	var c comparison
	switch op.kind {
	case kindNumeric:
		c = ev.odd(o.odd || got.odd, assumeC13, holds(op.holds.of(got.number.compare(o.number))))
	case kindDate:
		c = ev.odd(o.odd || got.odd, assumeC15, holds(op.holds.of(got.when.Compare(o.when))))
	case kindIP:
		c = ev.odd(o.odd, assumeC18, o.inNetwork(got.address))
	case kindBinary:
		c = o.equalBytes(got.text)
	}
	return c, Matched
}

// odd is a comparison that rests on an assumption if the corner is met.
func (ev *evaluation) odd(corner bool, a assumption, c comparison) comparison {
	if corner && ev.assume(a, Matched) == Unknown {
		return undecided
	}
	return c
}

// compareString serves rules C10 to C12: StringEquals and StringLike differ in what the operand's glob holds. An
// ARN is a text like any other to them (rule C21).
func (o *operand) compareString(ev *evaluation, op *operator, got *value) (comparison, Match) {
	fold := op.kind == kindStringFold
	if o.template == nil {
		switch {
		case got.pattern:
			return compared(patternOf(o.glob, fold).matchPattern(patternOf(newGlob(got.text), fold))), Matched
		case fold:
			return ev.odd(!ascii(o.text) || !ascii(got.text), assumeC11, holds(equalFold(o.glob, got.text))), Matched
		case o.literal:
			return holds(string(o.glob) == got.text), Matched
		case o.glob.tooLong(got.text):
			return undecided, Matched
		}
		return holds(o.glob.match(got.text)), Matched
	}
	var buf [bufferSize]byte
	g, sure := o.template.appendTo(buf[:0], ev)
	switch {
	case sure == NoMatch:
		return differ, NoMatch
	case got.pattern:
		return compared(patternOf(glob(g), fold).matchPattern(patternOf(newGlob(got.text), fold))), sure
	case fold && !wild(g):
		return ev.odd(!ascii(g) || !ascii(got.text), assumeC11, holds(equalFold(g, got.text))), sure
	case fold:
		return holds(patternOf(glob(g), true).match(string(patternOf(literalGlob(got.text), true)))), sure
	case tooLong(g, got.text):
		return undecided, sure
	}
	return holds(match(g, got.text)), sure
}

func patternOf(g glob, fold bool) glob {
	if fold {
		return glob(foldGlob(string(g)))
	}
	return g
}

// equalFold compares character by character in lower case, without
// folding: ß isn't ss (rule C11). g has no wildcards.
func equalFold[G globText](g G, s string) bool {
	for len(g) > 0 && len(s) > 0 {
		a, n := decodeRune(g)
		b, m := utf8.DecodeRuneInString(s)
		if a != b && unicode.ToLower(a) != unicode.ToLower(b) {
			return false
		}
		g, s = g[n:], s[m:]
	}
	return len(g) == 0 && s == ""
}

func ascii[G globText](s G) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
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

// compareBool compares true and false without case (rule C16).
func (o *operand) compareBool(ev *evaluation, got *value) (comparison, Match) {
	want, sure := o.truth, Matched
	if o.template != nil {
		var buf [bufferSize]byte
		g, m := o.template.appendTo(buf[:0], ev)
		switch {
		case m == NoMatch:
			return differ, NoMatch
		case m == Unknown:
			return undecided, Unknown
		}
		var ok bool
		if want, ok = parseBool(string(g)); !ok {
			return badWant, m
		}
		sure = ev.assume(assumeV2, m)
	}
	switch {
	case got.pattern:
		return undecided, sure
	case o.bad:
		return badWant, sure
	case got.bad:
		return badGot, sure
	}
	return holds(got.truth == want), sure
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

// equalBytes compares what two base64 texts stand for (rule C17).
func (o *operand) equalBytes(text string) comparison {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return badGot
	}
	return holds(string(b) == string(o.bytes))
}

// inNetwork tells whether an address is in a network of its own family (rule C18).
func (o *operand) inNetwork(a netip.Addr) comparison {
	if a.Is4In6() || o.network.Addr().Is4In6() {
		return undecided
	}
	return holds(o.network.Contains(a))
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

// hostBits reports whether a range has address bits under its mask.
func hostBits(s string) bool {
	p, err := netip.ParsePrefix(s)
	return err == nil && p != p.Masked()
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
	if s == "" || len(s) > 64 || strings.Contains(s, ",") { // which time.Parse takes for a decimal point
		return time.Time{}, false
	}
	if digits(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(min(n, latest), 0).UTC(), err == nil
	}
	if !shapedAsDate(s) {
		return time.Time{}, false
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// shapedAsDate reports whether a text has the shape of a date to the letter: time.Parse takes a comma for a
// decimal point, hours of one digit and zones of 24 hours or 60 minutes.
func shapedAsDate(s string) bool {
	take := func(shape string) bool {
		if len(s) < len(shape) {
			return false
		}
		for i := range len(shape) {
			if shape[i] == 'd' && (s[i] < '0' || s[i] > '9') || shape[i] != 'd' && s[i] != shape[i] {
				return false
			}
		}
		s = s[len(shape):]
		return true
	}
	if !take("dddd-dd") || s != "" && !take("-dd") {
		return false
	}
	if s == "" {
		return true
	}
	if !take("Tdd:dd") {
		return false
	}
	if take(":dd") && take(".d") {
		s = strings.TrimLeft(s, "0123456789")
	}
	if s == "" || s == "Z" {
		return true
	}
	if s[0] != '+' && s[0] != '-' {
		return false
	}
	hours, minutes, _ := strings.Cut(s[1:], ":")
	if minutes == "" && len(hours) == 4 {
		hours, minutes = hours[:2], hours[2:]
	}
	return len(hours) == 2 && hours < "24" && len(minutes) == 2 && minutes < "60"
}

// latest are the most seconds that a date is counted in.
const latest = 1 << 60

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

// oddNumber reports whether a number is written in a way that AWS doesn't describe (rule C13).
func oddNumber(s string) bool { return strings.ContainsAny(s, "eE+") }

// oddDate reports whether it takes a rule of ours to read a date: a year that is seconds, a
// missing part or zone (rule C15).
func oddDate(s string) bool {
	return len(s) == 4 && digits(s) || !digits(s) && !strings.HasSuffix(s, "Z") && !strings.ContainsAny(strings.TrimLeft(s, "0123456789-"), "+-")
}
