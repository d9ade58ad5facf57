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
	return mattersBy(record, response(record), want)
}

// mattersBy is matters of a record that begins as CloudTrail's do, with the text from its response on, if it has one.
func mattersBy(record, response []byte, want Want) bool {
	return hasError(record) || hasEscape(record) ||
		response != nil && (correlate.MayHoldFailure(response, want == Errors) || want == Findings && madeSession(record)) ||
		want == Findings && changedPolicies(record)
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

// madeSession reports whether a record with a response may be of a call that made a session (T32).
func madeSession(record []byte) bool {
	return bytes.Contains(record, []byte(`"AssumeRole`)) || bytes.Contains(record, []byte(`"GetFederationToken"`))
}

// response returns the text from the value of a record's responseElements on; nil if it has none but null.
func response(record []byte) []byte {
	const name = `Elements"`
	for i := len(recordStart); ; i++ {
		n := bytes.IndexByte(record[i:], 'E')
		if n < 0 {
			return nil
		}
		i += n
		if record[i-1] == 'e' && surrounds(record, i, `"response`, name) && !bytes.HasPrefix(record[i+len(name):], null) {
			return record[i+len(name):] // of several, the text from the first on has the others
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

// A leap is a record whose end hop found.
type leap struct {
	length   int
	response int  // where the value of its responseElements begins, if that is an object or a list; else 0
	twice    bool // there is another; of two the last counts
	odd      bool // there may be one that wasn't seen
}

// see takes note of a response.
func (l *leap) see(at int) {
	if l.response > 0 {
		l.twice = true
		return
	}
	l.response = at
}

// hop finds the end of the record that is next, whose first byte is {, without walking it, if the next record
// follows behind a comma or newline. ok is false if that can't be told: of a record that is in any doubt,
// that isn't as CloudTrail writes them, the last one of the list, and one of which not all is in the buffer.
//
// What begins a record, {"eventVersion", can't stand in a string, since its quote would be escaped there. Where it follows
// "},", that comma is between two elements of a list. That is the list of records if every list which began
// in the record has ended (brackets); and what lies between is one element if no other object follows a comma, but
// for those in such lists. So { is looked at, and [ and ], and nothing else.
//
// Of text that isn't JSON, what is found may be wrong; but it never goes beyond what begins
// the next record.
func (w *window) hop(separator byte) (l leap, ok bool) {
	text := w.buf[w.pos:]
	if !bytes.HasPrefix(text, recordStart) {
		return leap{}, false
	}
	lists := newBrackets(text, '[', ']')
	for i := 1; ; i++ {
		n := bytes.IndexByte(text[i:], '{')
		if n < 0 || i+n+1 == len(text) {
			return leap{}, false
		}
		i += n
		switch before, behind := text[i-1], text[i+1]; {
		case behind != '"' && behind != '}' && beside[behind] != blank:
			l.odd = true // it is in a string
		case before == ':':
			if bytes.HasSuffix(text[:i], responseName) {
				l.see(i)
			}
		case behind == '"' && bytes.HasPrefix(text[i:], recordStart):
			l.length = i - 1
			return l, before == separator && text[i-2] == '}' && lists.depthAt(l.length) == 0
		case before == ',':
			if lists.depthAt(i) <= 0 {
				return leap{}, false
			}
			l.odd = l.odd || text[i-2] != '}'
		case before == '[' && text[i-2] == ':':
			if bytes.HasSuffix(text[:i-1], responseName) {
				l.see(i)
			}
		case before == '[', beside[before] == 0: // in a list of lists, or in a string
			l.odd = true
		default:
			return leap{}, false
		}
	}
}

// matters is as the function, of the record that l is.
func (l leap) matters(record []byte, want Want) bool {
	switch {
	case l.odd:
		return matters(record, want)
	case l.response > 0:
		response := record[l.response:]
		if record[l.response-1] == ':' && !l.twice {
			response = response[:objectEnd(response)]
		}
		return mattersBy(record, response, want)
	}
	return mattersBy(record, nil, want)
}

var responseName = []byte(`"responseElements":`)

// Brackets are how many lists or objects are open in a text that begins outside any string. Its first byte doesn't count.
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

func newBrackets(text []byte, open, close byte) brackets {
	return brackets{text: text, open: open, close: close, opening: next(text, 1, open), closing: next(text, 1, close)}
}

// objectEnd returns where the object ends with which text begins, or where text does if that can't be told.
func objectEnd(text []byte) int {
	b := newBrackets(text, '{', '}')
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
		for q := at - 1; q > b.last; q-- {
			if b.text[q] != '"' {
				continue
			}
			var sure bool
			if b.inString, sure = inStringAfter(b.text, q); !sure {
				b.depth = -1
				return b.depth
			}
			break
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
