package source

import (
	"bytes"

	"github.com/iamwhy/iamwhy/correlate"
)

// Most records tell of calls that went well. Decoding one costs many times what decompressing it
// does, so a reader that wants denials looks at a record's bytes first (matters), and finds its end by its braces
// alone (hop).

// recordStart is how CloudTrail begins a record: compact, and of a version that is read (T25). The
// names of such a record are spelled exactly.
var recordStart = []byte(`{"eventVersion":"1.`)

// matters reports whether a record may be what want asks for. It never says no to one that is: a
// name and its quotes can't stand in a string, where quotes are escaped. It says yes to many a record
// that isn't, such as one with errorCode among its parameters: decoding tells.
//
// Whether a record for which it says no is valid JSON, nobody asks.
func matters(record []byte, want Want) bool {
	switch {
	case want == Everything, !bytes.HasPrefix(record, recordStart):
		return true
	case hasError(record), hasEscape(record):
		return true
	case want == Findings && madeSession(record):
		return true
	}
	return failsInside(record, want == Errors)
}

// hasError reports whether a record has a member errorCode or errorMessage, or may be
// no call (T8), which is to be counted as what it is. Rare letters are
// looked for, since that costs nearly nothing.
func hasError(record []byte) bool {
	for i := len(recordStart); ; i++ {
		n := bytes.IndexByte(record[i:], 'C')
		if n < 0 {
			break
		}
		i += n
		switch record[i-1] {
		case 'r':
			if surrounds(record, i, `"error`, `Code"`) {
				return true
			}
		case 't':
			if surrounds(record, i, `"event`, `Category"`) && !bytes.HasPrefix(record[i+len(`Category"`):], management) && !isCallCategory(record[i+len(`Category"`):]) {
				return true
			}
		case 's':
			if surrounds(record, i, `"Aws`, `CloudTrailInsight"`) {
				return true
			}
		}
	}
	for i := len(recordStart); ; i++ {
		n := bytes.IndexByte(record[i:], 'M')
		if n < 0 {
			return false
		}
		i += n
		if record[i-1] == 'r' && surrounds(record, i, `"error`, `Message"`) {
			return true
		}
	}
}

var management = []byte(`:"Management"`)

// isCallCategory reports whether what follows the name eventCategory says that the record is of a single call.
func isCallCategory(value []byte) bool {
	return bytes.HasPrefix(value, []byte(`:"Data"`)) || bytes.HasPrefix(value, []byte(`:"NetworkActivity"`))
}

// surrounds reports whether before stands before text[i], and after from there on.
func surrounds(text []byte, i int, before, after string) bool {
	return i >= len(before) && len(text)-i >= len(after) &&
		string(text[i-len(before):i]) == before && string(text[i:i+len(after)]) == after
}

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

// madeSession reports whether a record may be of a call that made a session (T32).
func madeSession(record []byte) bool {
	_, ok := response(record)
	return ok && (bytes.Contains(record, []byte(`"AssumeRole`)) || bytes.Contains(record, []byte(`"GetFederationToken"`)))
}

// failsInside reports whether the response of a call may hold failures (T46).
func failsInside(record []byte, all bool) bool {
	rest, ok := response(record)
	return ok && correlate.MayHoldFailure(rest, all)
}

// response returns the text from a record's responseElements on; ok is false if it has none but null.
func response(record []byte) (rest []byte, ok bool) {
	const name = `Elements"`
	for i := len(recordStart); ; i++ {
		n := bytes.IndexByte(record[i:], 'E')
		if n < 0 {
			return nil, false
		}
		i += n
		if record[i-1] == 'e' && surrounds(record, i, `"response`, name) && !bytes.HasPrefix(record[i+len(name):], null) {
			return record[i+len(name):], true // of several, the text from the first on has the others
		}
	}
}

var null = []byte(":null")

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

// hop returns the length of the record that is next, whose first byte is {, if that can be told
// from braces alone and the next record follows at once, in a list. Else ok is false, and the record is
// to be walked: one that is in any doubt, that isn't as CloudTrail writes them, the last one of the list,
// and one of which not all is in the buffer.
//
// Braces in strings don't count. Whether one is in a string, the last quote before it says, and it
// is enough to look back to the brace before: with no quote in between they stand in
// the same. An escaped quote is within a string. Any other ends a string unless {, [, : or a comma stands before it, but for
// blanks, and begins one unless }, ], : or a comma stands behind it: in valid JSON one of the two can't be. Where both can,
// or neither, there is doubt.
//
// That a brace is followed by what begins a record is doubt, too: a record that is broken never
// hides the next one.
func (w *window) hop(separator []byte) (length int, ok bool) {
	text := w.buf[w.pos:]
	if !bytes.HasPrefix(text, recordStart) {
		return 0, false
	}
	depth := 1
	inString := false
	last := 0 // the brace before
	opening, closing := 0, 0
	for {
		if opening <= last {
			opening = next(text, last+1, '{')
		}
		if closing <= last {
			closing = next(text, last+1, '}')
		}
		at := min(opening, closing)
		if at == len(text) {
			return 0, false
		}
		for q := at - 1; q > last; q-- {
			if text[q] != '"' {
				continue
			}
			var sure bool
			if inString, sure = inStringAfter(text, q); !sure {
				return 0, false
			}
			break
		}
		last = at
		switch {
		case at == opening && bytes.HasPrefix(text[at:], recordStart):
			return 0, false
		case inString:
		case at == opening:
			depth++
		default:
			if depth--; depth == 0 {
				return at + 1, bytes.HasPrefix(text[at+1:], separator)
			}
		}
	}
}

// next returns where the next c is in text, from i on; its length if there is none.
func next(text []byte, i int, c byte) int {
	if n := bytes.IndexByte(text[i:], c); n >= 0 {
		return i + n
	}
	return len(text)
}

// inStringAfter reports whether what follows the quote at q, up to the next brace and with no
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
