package source

import (
	"bytes"

	"github.com/iamwhy/iamwhy/correlate"
)

// Most records tell of calls that went well. Decoding one costs many times what decompressing it
// does, so a reader that wants denials looks at a record's bytes first (matters), and finds its end without walking it (hop).

// recordStart is how CloudTrail begins a record: compact, and of a version that is read (T25). The
// names of such a record are spelled exactly.
var recordStart = []byte(`{"eventVersion":"1.`)

// matters reports whether a record may be what want asks for. It never says no to one that is: a
// name and its quotes can't stand in a string, where quotes are escaped. It says yes to many a record
// that isn't, such as one with errorCode among its parameters: decoding tells.
//
// Whether a record for which it says no is valid JSON, nobody asks.
func matters(record []byte, want Want) bool {
	if want == Everything || !bytes.HasPrefix(record, recordStart) {
		return true
	}
	telling, response := signs(record)
	return telling || hasEscape(record) ||
		response != nil && (correlate.MayHoldFailure(response, want == Errors) || want == Findings && madeSession(record)) ||
		want == Findings && changedPolicies(record)
}

// signs goes over a record that begins as CloudTrail's do. telling says that it has a member errorCode or errorMessage, or
// may be no call (T8), which is to be counted as what it is: the rest doesn't matter then. response is the
// text of its responseElements, which may go on behind it; nil if it has none but null.
func signs(record []byte) (telling bool, response []byte) {
	from, several := 0, false
	for at := 0; ; {
		s, end := nextSign(record, at)
		switch {
		case s == nil:
			if from == 0 {
				return false, nil
			}
			response = record[from:]
			if response[0] == '{' && !several { // of several the last counts
				response = response[:objectEnd(response)]
			}
			return false, response
		case s.means == aResponse:
			if value := record[end:]; from > 0 {
				several = true
			} else if !bytes.HasPrefix(value, null) {
				from = min(end+1, len(record)-1)
			}
		case s.means != aCategory || !isCallCategory(record[end:]):
			return true, nil
		}
		at = end
	}
}

// isCallCategory reports whether what follows the name eventCategory says that the record is of a single call.
func isCallCategory(value []byte) bool {
	return bytes.HasPrefix(value, management) || bytes.HasPrefix(value, []byte(`:"Data"`)) || bytes.HasPrefix(value, []byte(`:"NetworkActivity"`))
}

var (
	management = []byte(`:"Management"`)
	null       = []byte(":null")
)

// hasEscape reports whether a record has a character of ASCII written as \u00…: a name
// or a value that is looked for may be written so, too.
func hasEscape(record []byte) bool {
	for {
		i := bytes.Index(record, unicodeEscape)
		if i < 0 || i+len(unicodeEscape) == len(record) {
			return false
		}
		record = record[i+len(unicodeEscape):]
		if c := record[0]; '2' <= c && c <= '7' {
			return true
		}
	}
}

var unicodeEscape = []byte(`\u00`)

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

// hops finds the ends of records in a text, one after the other, without walking them.
type hops struct {
	text  []byte
	lists brackets
}

func newHops(text []byte, at int) *hops {
	return &hops{text: text, lists: newBrackets(text, at, '[', ']')}
}

// hop finds the end of the record at a place, whose first byte is {, if the next record
// follows behind a comma or newline. found is false if that can't be told: of a record that is in any doubt,
// that isn't as CloudTrail writes them, the last one of the list, and one of which not all is in the text: then end is
// the text's.
//
// What begins a record, {"eventVersion", can't stand in a string, since its quote would be escaped there. Where it follows
// "},", that comma is between two elements of a list. That is the list of records if every list which began
// in the record has ended (brackets); and what lies between is one element if no other object follows a comma, but
// for those in such lists. So { is looked at, and [ and ], and nothing else.
//
// Of text that isn't JSON, what is found may be wrong; but it never goes beyond what begins
// the next record.
func (h *hops) hop(at int, separator byte) (end int, found bool) {
	text := h.text
	if len(text)-at < len(recordStart) {
		return len(text), false
	}
	if !bytes.HasPrefix(text[at:], recordStart) {
		return at, false
	}
	h.lists.begin(at)
	for i := at + 1; ; i++ {
		n := bytes.IndexByte(text[i:], '{')
		if n < 0 || len(text)-i-n < len(recordStart) {
			return len(text), false
		}
		i += n
		before, behind := text[i-1], text[i+1]
		switch {
		case before == ':': // a member's value, or in a string
		case behind != '"' && behind != '}' && beside[behind] != blank: // it is in a string
		case behind == '"' && bytes.HasPrefix(text[i:], recordStart):
			end = i - 1
			return end, before == separator && text[i-2] == '}' && h.lists.depthAt(end) == 0
		case before == ',':
			if h.lists.depthAt(i) <= 0 {
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
	text             []byte
	open, close      byte // [ and ], or { and }
	opening, closing int  // the next of them
	last             int  // the bracket before
	depth            int
	inString         bool
}

func newBrackets(text []byte, at int, open, close byte) brackets {
	return brackets{text: text, open: open, close: close, opening: next(text, at+1, open), closing: next(text, at+1, close), last: at}
}

// begin counts from another place on, which lies behind.
func (b *brackets) begin(at int) {
	if b.opening <= at {
		b.opening = next(b.text, at+1, b.open)
	}
	if b.closing <= at {
		b.closing = next(b.text, at+1, b.close)
	}
	b.last, b.depth, b.inString = at, 0, false
}

// objectEnd returns where the object ends with which text begins, or where text does if that can't be told.
func objectEnd(text []byte) int {
	b := newBrackets(text, 0, '{', '}')
	for b.depth = 1; b.depth > 0; {
		if min(b.opening, b.closing) == len(text) {
			return len(text)
		}
		b.depthAt(min(b.opening, b.closing) + 1)
	}
	if b.depth < 0 {
		return len(text)
	}
	return b.last + 1
}

// depthAt returns how many are open at text[end], which must not lie before
// where it was asked last; less than 0 if that is in doubt.
func (b *brackets) depthAt(end int) int {
	for b.depth >= 0 {
		at := min(b.opening, b.closing)
		if at >= end {
			break
		}
		if !b.look(at) {
			b.depth = -1
			return b.depth
		}
		b.last = at
		change := -1
		if at == b.opening {
			change = 1
			b.opening = next(b.text, at+1, b.open)
		} else {
			b.closing = next(b.text, at+1, b.close)
		}
		if !b.inString {
			b.depth += change
		}
	}
	return b.depth
}

// look finds out whether the bracket at a place is in a string; sure is false if that can't be told.
func (b *brackets) look(at int) (sure bool) {
	if b.text[at] == b.close && at+1 < len(b.text) && b.text[at+1] == '"' { // no string follows a list or object
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
