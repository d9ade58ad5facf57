package source

import (
	"bytes"

	"github.com/iamwhy/iamwhy/correlate"
)

// Most records tell of calls that went well. Decoding one costs many times what decompressing it
// does, so a reader that wants denials looks at a record's bytes first (matters), and finds its end without walking it (hop).

// recordStart is how CloudTrail begins a record: compact, and of a version that is read (T25). The
// names of such a record are spelled exactly.
const recordStart = `{"eventVersion":"1.`

// beginsRecord reports whether a record begins at a place. It is asked of every record, so without a call.
func beginsRecord(text []byte, at int) bool {
	const short = 16 // what the compiler compares in place
	return len(text)-at >= len(recordStart) &&
		string(text[at:at+short]) == recordStart[:short] && string(text[at+short:at+len(recordStart)]) == recordStart[short:]
}

// begins reports whether a text begins with another.
func begins(text []byte, with string) bool {
	return len(text) >= len(with) && string(text[:len(with)]) == with
}

// matters reports whether a record may be what want asks for. It never says no to one that is: a
// name and its quotes can't stand in a string, where quotes are escaped. It says yes to many a record
// that isn't, such as one with errorCode among its parameters: decoding tells.
//
// Whether a record for which it says no is valid JSON, nobody asks.
func matters(record []byte, want Want) bool {
	if want == Everything || !beginsRecord(record, 0) {
		return true
	}
	var s signs
	var m marks
	m.begin(record, 0)
	for i := m.next(); i < len(record); i = m.next() {
		s.look(record, i)
	}
	return s.matter(record, want)
}

// signs are what was seen in a record that begins as CloudTrail's do.
type signs struct {
	// telling: it may be no call (T8), which is to be counted as what it is; or
	// it has a character of ASCII written as \u00…, as a name or value that is looked for may be, too.
	telling  bool
	failed   bool // it has a member errorCode or errorMessage
	denied   bool // and that may be of a denial
	response int  // where the value of its responseElements begins, which isn't null; 0 if it has none
	several  bool
}

// look takes note of what a mark in a text may be of, if it isn't a bracket. It is asked a few times a record, so it
// compares with constants.
func (s *signs) look(text []byte, i int) {
	switch behind := text[i:]; text[i] {
	case '\\':
		if c := text[min(i+4, len(text)-1)]; '2' <= c && c <= '7' && begins(behind, `\u00`) {
			s.telling = true
		}
	case 'M':
		if string(text[max(i-6, 0):i]) == `"error` && begins(behind, `Message"`) {
			s.lookAtError(behind[len(`Message"`):])
		}
	case 'E':
		if string(text[max(i-9, 0):i]) == `"response` && begins(behind, `Elements"`) {
			s.lookAtResponse(text, i+len(`Elements"`))
		}
	case 'C':
		switch string(text[max(i-6, 0):i]) {
		case `"error`:
			if begins(behind, `Code"`) {
				s.lookAtError(behind[len(`Code"`):])
			}
		case `"event`:
			if begins(behind, `Category"`) && !isCallCategory(behind[len(`Category"`):]) {
				s.telling = true
			}
		default:
			if begins(behind, `CloudTrailInsight"`) && bytes.HasSuffix(text[:i], []byte(`"Aws`)) {
				s.telling = true
			}
		}
	}
}

// lookAtError takes note of a member errorCode or errorMessage, by what follows its name.
func (s *signs) lookAtError(value []byte) {
	s.failed = true
	if s.denied || begins(value, `:null`) {
		return
	}
	s.denied = true
	if !begins(value, `:"`) {
		return
	}
	value = value[len(`:"`):]
	for end := 0; end < len(value); end++ {
		switch value[end] {
		case '\\':
			end++
		case '"':
			s.denied = correlate.MayBeDenied(value[:end])
			return
		}
	}
}

func (s *signs) lookAtResponse(text []byte, end int) {
	switch {
	case s.response > 0:
		s.several = true
	case !begins(text[end:], `:null`):
		s.response = end + 1
	}
}

// matter reports whether a record in which they were seen may be what want asks for. Its response lies where it does in the record.
func (s *signs) matter(record []byte, want Want) bool {
	if s.telling || s.denied || s.failed && want == Errors || want == Findings && changedPolicies(record) {
		return true
	}
	if s.response == 0 {
		return false
	}
	response := record[min(s.response, len(record)-1):]
	if response[0] == '{' && !s.several { // of several the last counts
		response = response[:objectEnd(response)]
	}
	return correlate.MayHoldFailure(response, want == Errors) || want == Findings && madeSession(record)
}

// isCallCategory reports whether what follows the name eventCategory says that the record is of a single call.
func isCallCategory(value []byte) bool {
	return begins(value, `:"Management"`) || begins(value, `:"Data"`) || begins(value, `:"NetworkActivity"`)
}

// madeSession reports whether a record with a response may be of a call that made a session (T32).
func madeSession(record []byte) bool {
	return bytes.Contains(record, []byte(`"AssumeRole`)) || bytes.Contains(record, []byte(`"GetFederationToken"`))
}

// What a byte next to a quote says of it.
const (
	opens  = 1 << iota // a string may begin behind it
	closes             // one may have ended before it
	blank
)

var beside = [256]byte{
	'{': opens, '[': opens, ':': opens | closes, ',': opens | closes, '}': closes, ']': closes,
	' ': blank, '\t': blank, '\r': blank, '\n': blank,
}

// hops goes over the records in a text, one after the other, without walking them.
type hops struct {
	marks
	lists brackets
	// of the record that was gone over
	signs signs // by places in it
	lines int   // newlines in it, and what separates it from the next
}

// begin goes over a text, from a place on where a record begins.
func (h *hops) begin(text []byte, at int) {
	h.marks.begin(text, at)
	h.lists = brackets{text: text, open: '['}
}

// hop finds the end of the record at a place, whose first byte is {, if the next record
// follows behind a comma or newline, and what signs the record has. found is false if the end can't be told: of a record that is in any doubt,
// that isn't as CloudTrail writes them, the last one of the list, and one of which not all is in the text: then end is
// the text's. The next record to be asked about is the one behind it.
//
// What begins a record, {"eventVersion", can't stand in a string, since its quote would be escaped there. Where it follows
// "},", that comma is between two elements of a list. That is the list of records if every list which began
// in the record has ended (brackets); and what lies between is one element if no other object follows a comma, but
// for those in such lists. So of all that marks stops at, { [ and ] tell the end.
//
// Of text that isn't JSON, what is found may be wrong; but it never goes beyond what begins
// the next record.
func (h *hops) hop(at int, separator byte) (end int, found bool) {
	text := h.text
	if len(text)-at < len(recordStart) {
		return len(text), false
	}
	if !beginsRecord(text, at) {
		return at, false
	}
	h.signs, h.lines = signs{}, 0
	h.lists.last, h.lists.depth, h.lists.inString = at, 0, false
	for {
		if h.taken == h.found && !h.more() { // this is next, in place
			return len(text), false
		}
		i := h.base + int(h.places[h.taken])
		h.taken++
		if i == at {
			continue
		}
		if len(text)-i < len(recordStart) {
			return len(text), false
		}
		switch text[i] {
		case '{':
		case '[', ']':
			h.lists.meet(i)
			continue
		case '\n':
			h.lines++
			continue
		default:
			h.signs.look(text, i)
			continue
		}
		before, behind := text[i-1], text[i+1]
		switch {
		case before == ':': // a member's value, or in a string
		case behind != '"' && behind != '}' && beside[behind] != blank: // it is in a string
		case behind == '"' && beginsRecord(text, i):
			h.signs.response = max(h.signs.response-at, 0)
			end = i - 1
			return end, before == separator && text[i-2] == '}' && h.lists.depth == 0
		case before == ',':
			if h.lists.depth <= 0 {
				return at, false
			}
		case before == '[', beside[before] == 0: // in a list of lists, or in a string
		default:
			return at, false
		}
	}
}

// Brackets are how many lists or objects are open in a text, from a place on that isn't in a string. The byte there doesn't count.
//
// Brackets in strings don't count. Whether one is in a string, the last quote before it says, and it
// is enough to look back to the bracket before: with no quote in between they stand in
// the same. An escaped quote is within a string. Any other ends a string unless {, [, : or a comma stands before it, but for
// blanks, and begins one unless }, ], : or a comma stands behind it: in valid JSON one of the two can't be. Where both can,
// or neither, there is doubt.
type brackets struct {
	text     []byte
	open     byte // [ or {
	last     int  // the bracket before
	depth    int  // less than 0 if that is in doubt
	inString bool
}

// meet counts the bracket at a place, the next one behind the one that was met last.
func (b *brackets) meet(at int) {
	switch {
	case b.depth < 0:
		return
	case !b.look(at):
		b.depth = -1
		return
	case !b.inString && b.text[at] == b.open:
		b.depth++
	case !b.inString:
		b.depth--
	}
	b.last = at
}

// objectEnd returns where the object ends with which text begins, or where text does if that can't be told.
func objectEnd(text []byte) int {
	b := brackets{text: text, open: '{', depth: 1}
	opening, closing := next(text, 1, '{'), next(text, 1, '}')
	for b.depth > 0 {
		at := min(opening, closing)
		if at == len(text) {
			return at
		}
		b.meet(at)
		if at == opening {
			opening = next(text, at+1, '{')
		} else {
			closing = next(text, at+1, '}')
		}
	}
	if b.depth < 0 {
		return len(text)
	}
	return b.last + 1
}

// look finds out whether the bracket at a place is in a string; sure is false if that can't be told.
func (b *brackets) look(at int) (sure bool) {
	if b.text[at] == b.open+2 && at+1 < len(b.text) && b.text[at+1] == '"' { // no string follows a list or object
		b.inString = true
		return true
	}
	for q := at - 1; q > b.last; q-- {
		if b.text[q] == '"' {
			b.inString, sure = inStringAfter(b.text, q)
			return sure
		}
	}
	return true
}

// next returns where the next c is in text, from i on; its length if there is none.
func next(text []byte, i int, c byte) int {
	if n := bytes.IndexByte(text[i:], c); n >= 0 {
		return i + n
	}
	return len(text)
}

// inStringAfter reports whether what follows the quote at q, up to a bracket and with no
// other quote before that, is within a string; sure is false if that can't be told.
func inStringAfter(text []byte, q int) (inString, sure bool) {
	before, behind := beside[text[q-1]], beside[text[q+1]]
	if text[q-1] == '\\' {
		run := 1
		for text[q-1-run] == '\\' {
			run++
		}
		if run%2 == 1 {
			return true, true
		}
	}
	mayOpen, mayClose := before&(opens|blank) != 0, behind&(closes|blank) != 0
	return mayOpen, mayOpen != mayClose
}
