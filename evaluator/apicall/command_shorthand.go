package apicall

import (
	"fmt"
	"strings"
)

// A shorthandReader reads the CLI's shorthand syntax, byte by byte.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
type shorthandReader struct {
	text string
	at   int
}

// maxShorthandDepth bounds how deep brackets may nest.
const maxShorthandDepth = 50

// shorthand reads key=value,key=value; a value may be a list, a,b or [a,b], or an object {key=value}.
func shorthand(text string) (map[string]any, error) {
	r := &shorthandReader{text: text}
	m := map[string]any{}
	for {
		key, err := r.key()
		if err != nil {
			return nil, err
		}
		if _, twice := m[key]; twice {
			return nil, r.errorf("%s is there twice", key)
		}
		if m[key], err = r.values(); err != nil {
			return nil, err
		}
		if r.blanks(); r.done() {
			return m, nil
		}
		if err := r.expect(','); err != nil {
			return nil, err
		}
	}
}

func (r *shorthandReader) done() bool { return r.at >= len(r.text) }

func (r *shorthandReader) peek() byte {
	if r.done() {
		return 0
	}
	return r.text[r.at]
}

func (r *shorthandReader) blanks() {
	for !r.done() && strings.IndexByte(" \t\r\n\v\f", r.text[r.at]) >= 0 {
		r.at++
	}
}

// expect takes a byte and the blanks around it.
func (r *shorthandReader) expect(c byte) error {
	r.blanks()
	if r.peek() != c || r.done() {
		return r.errorf("want %q", c)
	}
	r.at++
	r.blanks()
	return nil
}

func (r *shorthandReader) errorf(format string, args ...any) error {
	return fmt.Errorf("shorthand, byte %d: %s", r.at+1, fmt.Sprintf(format, args...))
}

const keyBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.#/:"

// key takes a key and the = behind it.
func (r *shorthandReader) key() (string, error) {
	start := r.at
	for !r.done() && strings.IndexByte(keyBytes, r.text[r.at]) >= 0 {
		r.at++
	}
	key := r.text[start:r.at]
	if key == "" {
		return "", r.errorf("want a key")
	}
	return key, r.expect('=')
}

// values takes what stands behind a key at the top: one value, or several up to the next key.
func (r *shorthandReader) values() (any, error) {
	if c := r.peek(); c == '[' || c == '{' {
		return r.value(0)
	}
	first, err := r.scalar(firstScalar)
	if err != nil {
		return nil, err
	}
	list := []any{first}
	for {
		comma := r.at
		if r.blanks(); r.done() || r.peek() != ',' {
			r.at = comma
			break
		}
		comma = r.at
		r.at++
		r.blanks()
		next, err := r.scalar(nextScalar)
		if r.blanks(); err != nil && r.done() {
			return nil, err
		}
		if err != nil || !r.done() && r.peek() != ',' { // it is a key, whose comma ends the list
			r.at = comma
			break
		}
		list = append(list, next)
	}
	if len(list) == 1 {
		return first, nil
	}
	return list, nil
}

// value takes a value inside brackets.
func (r *shorthandReader) value(depth int) (any, error) {
	if depth > maxShorthandDepth {
		return nil, r.errorf("brackets nest deeper than %d", maxShorthandDepth)
	}
	switch r.peek() {
	case '[':
		return r.list(depth)
	case '{':
		return r.object(depth)
	}
	return r.scalar(firstScalar)
}

func (r *shorthandReader) list(depth int) (any, error) {
	if err := r.expect('['); err != nil {
		return nil, err
	}
	list := []any{}
	for r.peek() != ']' {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if r.blanks(); r.peek() == ']' {
			break
		}
		if err := r.expect(','); err != nil {
			return nil, err
		}
	}
	return list, r.close(']')
}

func (r *shorthandReader) object(depth int) (any, error) {
	if err := r.expect('{'); err != nil {
		return nil, err
	}
	m := map[string]any{}
	for r.peek() != '}' {
		key, err := r.key()
		if err != nil {
			return nil, err
		}
		if m[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		if r.blanks(); r.peek() == '}' {
			break
		}
		if err := r.expect(','); err != nil {
			return nil, err
		}
	}
	return m, r.close('}')
}

func (r *shorthandReader) close(c byte) error {
	if r.peek() != c || r.done() {
		return r.errorf("want %q", c)
	}
	r.at++
	return nil
}

// The bytes that a value without quotes can't begin with, and those that end it: in a list, the values after the first
// can't hold an =.
const (
	noStart     = "\"',=[{ \t\r\n\v\f"
	firstScalar = "\"',]}"
	nextScalar  = "\"',="
)

// scalar takes a quoted value, or bytes up to one of end; \, is a comma. The first value may be empty.
func (r *shorthandReader) scalar(end string) (string, error) {
	if c := r.peek(); c == '\'' || c == '"' {
		return r.quoted(c)
	}
	var b strings.Builder
	for bad := noStart; !r.done(); bad = end {
		if strings.HasPrefix(r.text[r.at:], `\,`) {
			b.WriteByte(',')
			r.at += 2
			continue
		}
		if strings.IndexByte(bad, r.text[r.at]) >= 0 {
			break
		}
		b.WriteByte(r.text[r.at])
		r.at++
	}
	if b.Len() == 0 && end != firstScalar {
		return "", r.errorf("want a value")
	}
	return strings.TrimRight(b.String(), " \t\r\n\v\f"), nil
}

// quoted takes a quoted value; a backslash escapes the quote and itself.
func (r *shorthandReader) quoted(quote byte) (string, error) {
	var b strings.Builder
	for r.at++; !r.done(); r.at++ {
		c := r.text[r.at]
		switch {
		case c == '\\' && r.at+1 < len(r.text) && (r.text[r.at+1] == quote || r.text[r.at+1] == '\\'):
			r.at++
			b.WriteByte(r.text[r.at])
		case c == quote:
			r.at++
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", r.errorf("the quote %c isn't closed", quote)
}
