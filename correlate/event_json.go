package correlate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A jsonValue is one valid JSON value, part of a record's text. Nil is a missing one.
type jsonValue []byte

// recordJSON is what a record may be although RFC 7493 says otherwise: what was
// cut by AWS at a number of bytes may end within a character.
var recordJSON = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// notOneObject says why text isn't one valid object.
func notOneObject(text []byte) error {
	text = bytes.Trim(text, " \t\r\n")
	if len(text) == 0 {
		return errEmptyRecord
	}
	if !jsontext.Value(text).IsValid(recordJSON...) {
		return fmt.Errorf("not valid JSON: %w", syntaxError(text))
	}
	return fmt.Errorf("%s, not an object", jsonValue(text).describeKind())
}

// syntaxError says what is wrong with text that isn't one JSON value.
func syntaxError(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(text), recordJSON...)
	_, err := d.ReadValue()
	if err == nil {
		return fmt.Errorf("more text after the end of the value (byte %d)", d.InputOffset())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the text ends in the middle of a value (byte %d)", len(text))
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return fmt.Errorf("%w (byte %d)", syntax.Err, syntax.ByteOffset)
	}
	return err
}

// kind is the first byte of the value, and '0' for every number; 0 if it is missing.
func (v jsonValue) kind() jsontext.Kind {
	if v == nil {
		return 0
	}
	return jsontext.Value(v).Kind()
}

func (v jsonValue) describeKind() string {
	switch v.kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	}
	return "an object"
}

// unquote returns what a JSON string stands for; the bytes may lie in quoted.
func unquote(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return inner
	}
	// The only error is one of UTF-8, and the text is usable all the same.
	out, _ := jsontext.AppendUnquote(nil, quoted)
	return out
}

// unwrap returns the object or array that a string holds; any other value as it is.
func (v jsonValue) unwrap() jsonValue {
	if v.kind() != '"' {
		return v
	}
	inner := jsonValue(bytes.TrimSpace(unquote(v)))
	if len(inner) == 0 || inner[0] != '{' && inner[0] != '[' || scanValue(inner, 0, 1) != len(inner) {
		return v
	}
	return inner
}

// empty reports whether v isn't an object, or one without members.
func (v jsonValue) empty() bool { return v.kind() != '{' || v[skipBlank(v, 1)] == '}' }

// The functions below go over JSON once. They take for valid what jsontext does with recordJSON, which
// FuzzScan holds them to, but say of what isn't only that it isn't: they return -1 instead of a place in the text,
// and take -1 for one that nothing is at.

// maxDepth is how many arrays and objects may lie within one another, as jsontext has it.
const maxDepth = 10_000

// scanValue returns where the value ends that begins at i, within depth-1 arrays and objects; -1 if none does.
func scanValue(v []byte, i, depth int) int {
	switch at(v, i) {
	case '"':
		i, _ = scanString(v, i)
		return i
	case '{', '[':
		return scanNested(v, i, depth)
	case 't':
		return scanWord(v, i, "true")
	case 'f':
		return scanWord(v, i, "false")
	case 'n':
		return scanWord(v, i, "null")
	}
	return scanNumber(v, i)
}

// scanNested is scanValue for an object or array.
func scanNested(v []byte, i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	object := v[i] == '{'
	end := byte(']')
	if object {
		end = '}'
	}
	if i = skipBlank(v, i+1); at(v, i) == end {
		return i + 1
	}
	for {
		if object {
			i, _ = scanString(v, i)
			i = scanColon(v, i)
		}
		i = skipBlank(v, scanValue(v, i, depth+1))
		switch at(v, i) {
		case ',':
			i = skipBlank(v, i+1)
		case end:
			return i + 1
		default:
			return -1
		}
	}
}

// scanColon goes from the end of a member's name to the begin of its value.
func scanColon(v []byte, i int) int {
	if i = skipBlank(v, i); at(v, i) != ':' {
		return -1
	}
	return skipBlank(v, i+1)
}

// scanString returns where the string ends that begins at i; it is plain if it stands for what is
// between its quotes, being ASCII without escapes.
func scanString(v []byte, i int) (end int, plain bool) {
	if at(v, i) != '"' {
		return -1, false
	}
	plain = true
	for i++; ; {
		for ; i+8 <= len(v); i += 8 {
			if special := inString(binary.LittleEndian.Uint64(v[i:])); special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
		}
		switch c := at(v, i); {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			plain = false
			if i = scanEscape(v, i); i < 0 {
				return -1, false
			}
		case c < ' ': // or the end of the text
			return -1, false
		default:
			plain = plain && c < utf8.RuneSelf
			i++
		}
	}
}

// inString has the high bit set of the first byte of eight that is a quote, a backslash, a control character or not ASCII, and of
// no byte before it; those behind it may be set or not.
func inString(eight uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	// A byte that isn't ASCII keeps its high bit in one of the first two at least.
	return (((eight ^ ones*'"') - ones) | ((eight ^ ones*'\\') - ones) | (eight - ones*' ')) & highs
}

// scanEscape returns where the escape ends whose backslash is at i.
func scanEscape(v []byte, i int) int {
	switch at(v, i+1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			switch c := at(v, k) | 0x20; { // digits have that bit, letters are made lower case
			case '0' <= c && c <= '9' && at(v, k) == c, 'a' <= c && c <= 'f':
			default:
				return -1
			}
		}
		return i + 6
	}
	return -1
}

func scanWord(v []byte, i int, word string) int {
	if end := i + len(word); end <= len(v) && string(v[i:end]) == word {
		return end
	}
	return -1
}

func scanNumber(v []byte, i int) int {
	if at(v, i) == '-' {
		i++
	}
	if at(v, i) == '0' {
		i++
	} else {
		i = scanDigits(v, i)
	}
	if at(v, i) == '.' {
		i = scanDigits(v, i+1)
	}
	if c := at(v, i); c == 'e' || c == 'E' {
		if c = at(v, i+1); c == '+' || c == '-' {
			i++
		}
		i = scanDigits(v, i+1)
	}
	return i
}

// scanDigits returns where the digits end that begin at i; there has to be one.
func scanDigits(v []byte, i int) int {
	start := i
	for c := at(v, i); '0' <= c && c <= '9'; c = at(v, i) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// at is v[i], and 0 where there is no such byte; no valid JSON holds a 0.
func at(v []byte, i int) byte {
	if uint(i) < uint(len(v)) {
		return v[i]
	}
	return 0
}

// skipBlank returns the first place from i on where no blank is.
func skipBlank(v []byte, i int) int {
	for c := at(v, i); c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n'); c = at(v, i) {
		i++
	}
	return i
}
