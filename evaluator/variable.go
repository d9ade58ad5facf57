package evaluator

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A template is text with policy variables in it (section 6):
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type template []part

// A part of a template is a piece of glob or a variable.
type part struct {
	glob        glob
	key         keyName
	name        string // as written
	fallback    string
	isVariable  bool
	hasDefault  bool
	multivalued bool
}

// parseTemplate takes text apart at its variables (rules V3 and V4). wild
// says that * and ? outside variables are wildcards. It is for text under
// Version 2012-10-17 only (rule V1).
func parseTemplate(text string, wild bool) (template, error) {
	encode := literalGlob
	if wild {
		encode = newGlob
	}
	var t template
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			break
		}
		if i > 0 {
			t = append(t, part{glob: encode(text[:i])})
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return nil, fmt.Errorf("policy variable %q has no closing brace", text[i:])
		}
		p, err := parseVariable(text[i+2 : i+end])
		if err != nil {
			return nil, err
		}
		t = append(t, p)
		text = text[i+end+1:]
	}
	if text != "" || len(t) == 0 {
		t = append(t, part{glob: encode(text)})
	}
	return t, nil
}

func parseVariable(body string) (part, error) {
	switch body {
	case "*", "?", "$":
		return part{glob: literalGlob(body)}, nil
	}
	name, rest, hasDefault := strings.Cut(body, ",")
	if name == "" || strings.ContainsAny(name, " \t\n${'\"*?") { // no key has such a name; nor has ${*} a default
		return part{}, fmt.Errorf("malformed policy variable ${%s}", body)
	}
	p := part{isVariable: true, key: keyNameOf(name), name: name, hasDefault: hasDefault, multivalued: serviceref.Multivalued(name)}
	if hasDefault {
		d, ok := strings.CutPrefix(rest, " '")
		if ok {
			d, ok = strings.CutSuffix(d, "'")
		}
		if !ok || strings.Contains(d, "'") {
			return part{}, fmt.Errorf("malformed default in policy variable ${%s}: want ${key, 'default'}", body)
		}
		p.fallback = d
	}
	return p, nil
}

// variables reports whether t has any.
func (t template) variables() bool {
	for _, p := range t {
		if p.isVariable {
			return true
		}
	}
	return false
}

// fixed returns the glob of a template without variables.
func (t template) fixed() glob {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(string(p.glob))
	}
	return glob(b.String())
}

// appendTo appends the template with its variables' values put in. The Match is Matched if all are
// known, NoMatch if one has no value and the whole entry is therefore null (rule V6), and Unknown
// if one isn't known: the glob then has * in its place and matches whatever
// the entry could match (rule V9).
func (t template) appendTo(b []byte, ev *evaluation) ([]byte, Match) {
	state := Matched
	for i := range t {
		p := &t[i]
		if !p.isVariable {
			b = append(b, p.glob...)
			continue
		}
		var m Match
		if b, m = p.appendTo(b, ev); m == NoMatch {
			return b, NoMatch
		}
		state = and(state, m)
	}
	return b, state
}

func (p *part) appendTo(b []byte, ev *evaluation) ([]byte, Match) {
	v := ev.req.Context.value(p.key)
	switch {
	case p.multivalued: // whatever its values are (rule V8)
		if v.State != Absent && ev.assume(assumeV8, Matched) == Unknown {
			return append(b, anyRun), Unknown
		}
	case v.State == PresentUnknown || v.State == UnknownKey || v.State == Partial || v.Pattern || v.cell != nil:
		return append(b, anyRun), Unknown
	case v.State == Present && len(v.Values) == 1: // rules V5, V7
		m := Matched
		if s := v.Values[0]; ev.careful() {
			m = ev.assumeIf(s == "", assumeV7, m)
			m = and(m, ev.assumeIf(strings.ContainsAny(s, "*?"), assumeV5, m))
			if m == Unknown {
				return append(b, anyRun), m
			}
		}
		return appendLiteral(b, v.Values[0]), m
	}
	if p.hasDefault {
		return appendLiteral(b, p.fallback), Matched
	}
	return b, NoMatch
}

func appendLiteral(b []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(b, s...)
	}
	return append(b, literalGlob(s)...)
}
