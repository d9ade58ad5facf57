package correlate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A jsonValue is one valid JSON value, part of a record's text. Nil is a missing one.
type jsonValue []byte

// An object is a JSON object's members in the order of the text.
type object struct {
	members []member
	exact   bool // names are as they should be: one in another case is another name
}

// A member's name is unquoted; name and value lie in the record's text.
type member struct {
	name  []byte
	value jsonValue
}

// recordJSON is what a record may be although RFC 7493 says otherwise: what was
// cut by AWS at a number of bytes may end within a character.
var recordJSON = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// parseObject returns the members of the one object that data has to be. All of
// data is checked here, with a bound on its depth; what goes through
// its values afterwards may rely on it. They are put into room, if they are no more than that holds.
func parseObject(data []byte, room []member) (object, error) {
	v := jsonValue(bytes.Trim(data, " \t\r\n"))
	if len(v) == 0 {
		return object{}, errEmptyRecord
	}
	if !jsontext.Value(v).IsValid(recordJSON...) {
		return object{}, fmt.Errorf("not valid JSON: %w", syntaxError(v))
	}
	if v.kind() != '{' {
		return object{}, fmt.Errorf("%s, not an object", v.describeKind())
	}
	return v.object(room), nil
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

// text is the string that v is; "" if it isn't one.
func (v jsonValue) text() string {
	if v.kind() != '"' {
		return ""
	}
	return string(unquote(v))
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
	if len(inner) == 0 || inner[0] != '{' && inner[0] != '[' || !jsontext.Value(inner).IsValid(recordJSON...) {
		return v
	}
	return inner
}

// object returns the members of v, in room if they are no more than that holds; none if v isn't an object.
func (v jsonValue) object(room []member) object {
	if v.kind() != '{' {
		return object{}
	}
	out := room[:0]
	for i := skipBlank(v, 1); v[i] != '}'; {
		name := i
		i = skipValue(v, i)
		m := member{name: unquote(v[name:i])}
		i = skipBlank(v, skipBlank(v, i)+1) // the colon
		value := i
		i = skipValue(v, i)
		m.value = v[value:i]
		out = append(out, m)
		i = skipComma(v, i)
	}
	return object{members: out}
}

// elements returns the elements of v; none if v isn't an array.
func (v jsonValue) elements() []jsonValue {
	if v.kind() != '[' {
		return nil
	}
	var out []jsonValue
	for i := skipBlank(v, 1); v[i] != ']'; {
		value := i
		i = skipValue(v, i)
		out = append(out, v[value:i])
		i = skipComma(v, i)
	}
	return out
}

// get returns a member's value: the one of exactly that name, else, unless o is exact, one
// whose name differs in case only. Of several the last counts, as everywhere.
func (o object) get(name string) jsonValue {
	for i := len(o.members) - 1; i >= 0; i-- {
		if string(o.members[i].name) == name {
			return o.members[i].value
		}
	}
	if o.exact {
		return nil
	}
	for i := len(o.members) - 1; i >= 0; i-- {
		if m := &o.members[i]; len(m.name) == len(name) && bytes.EqualFold(m.name, []byte(name)) {
			return m.value
		}
	}
	return nil
}

// has reports whether o has a member of exactly that name.
func (o object) has(name string) bool {
	return slices.ContainsFunc(o.members, func(m member) bool { return string(m.name) == name })
}

// skipValue returns where the valid value that begins at i ends. It counts
// brackets instead of calling itself, so depth costs nothing.
func skipValue(v []byte, i int) int {
	depth := 0
	for {
		switch v[i] {
		case '"':
			i = skipString(v, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue // never the end of a value
		default:
			i = skipScalar(v, i)
		}
		if depth == 0 {
			return i
		}
	}
}

// skipString returns where the string that begins at i ends: behind the next quote that isn't escaped.
func skipString(v []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(v[i:], '"')
		escapes := 0
		for v[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// skipScalar returns where the number, true, false or null that begins at i ends.
func skipScalar(v []byte, i int) int {
	for ; i < len(v); i++ {
		switch v[i] {
		case ',', ':', '}', ']', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return i
}

func skipBlank(v []byte, i int) int {
	for v[i] == ' ' || v[i] == '\t' || v[i] == '\r' || v[i] == '\n' {
		i++
	}
	return i
}

// skipComma goes from the end of a member to the next one or the closing bracket.
func skipComma(v []byte, i int) int {
	i = skipBlank(v, i)
	if v[i] == ',' {
		i = skipBlank(v, i+1)
	}
	return i
}
