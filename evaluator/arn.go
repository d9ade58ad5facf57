package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An arnGlob is an ARN pattern as the ARN operators compare it: six segments, one by
// one, of which the sixth may hold colons (rule C19).
type arnGlob [6]glob

// newARNGlob returns nil if s doesn't have six segments.
func newARNGlob(s string) *arnGlob {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 {
		return nil
	}
	var g arnGlob
	for i, p := range parts {
		g[i] = newGlob(p)
	}
	return &g
}

// arnTemplates splits an ARN at its colons outside variables (rule V10); nil
// if that doesn't give six segments.
func arnTemplates(s string) ([]template, error) {
	var parts []string
	start := 0
	for i := 0; i < len(s) && len(parts) < 5; i++ {
		if strings.HasPrefix(s[i:], "${") {
			if end := strings.IndexByte(s[i:], '}'); end > 0 {
				i += end
			}
			continue
		}
		if s[i] == ':' {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	parts = append(parts, s[start:])
	if len(parts) < 6 {
		return nil, nil
	}
	out := make([]template, 6)
	for i, p := range parts {
		t, err := parseTemplate(p, true)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

// arnLike serves the four ARN operators (rule C19); what can't be told of a lone * is C28.
func arnLike(got value, want *operand) comparison {
	if want.arn == nil {
		if want.text == "*" {
			return undecided
		}
		return badWant
	}
	if !got.pattern {
		if _, ok := policy.ParseARN(got.text); !ok {
			return badGot
		}
	}
	parts, ok := splitSix(got.text)
	if !ok {
		return undecided // a pattern: its colons may be among what isn't known
	}
	m := Matched
	for i, p := range parts {
		switch {
		case got.pattern && i < 5 && strings.Contains(p, "*"):
			// What stands for * may hold colons and shift the segments.
			m = and(m, Unknown)
		case got.pattern:
			m = and(m, want.arn[i].matchPattern(newGlob(p)))
		case want.arn[i].tooLong(p):
			m = and(m, Unknown)
		default:
			m = and(m, known(want.arn[i].match(p)))
		}
	}
	return compared(m)
}

// splitSix splits an ARN at its first five colons.
func splitSix(s string) (parts [6]string, ok bool) {
	for i := range 5 {
		parts[i], s, ok = strings.Cut(s, ":")
		if !ok {
			return parts, false
		}
	}
	parts[5] = s
	return parts, true
}

// A resourceGlob is one value of Resource or NotResource (section 3).
type resourceGlob struct {
	text string
	all  bool // a lone * (rule R1)
	// exact is the whole text if it has no wildcard and no variable.
	exact string
	// whole is the pattern with the wildcards of its first five segments
	// kept within them, but for a * at a segment's end (rules R4, R5, R6).
	whole glob
	// expanded is whole with :* for its missing segments, for identity-type
	// policies; "" if the pattern isn't short (rule R8).
	expanded glob
	short    bool
	// template holds the pattern's variables, which exist after the fifth colon only (rule V2).
	template template
	lead     glob // what stands before template
}

// newResourceGlob reads a Resource value; variables says that policy variables exist.
func newResourceGlob(text string, variables bool) (resourceGlob, error) {
	r := resourceGlob{text: text, all: text == "*"}
	leadEnd, segments, runOn := 0, 1, false
	var lead []byte
	// The five leading segments, with colons inside ${…} not counted (rule V10).
	for leadEnd < len(text) && segments < 6 {
		c := text[leadEnd]
		switch {
		case variables && strings.HasPrefix(text[leadEnd:], "${"):
			end := strings.IndexByte(text[leadEnd:], '}')
			if end < 0 {
				end = len(text) - leadEnd - 1
			}
			// Before the fifth colon a variable is literal text (rule V2).
			lead = append(lead, text[leadEnd:leadEnd+end+1]...)
			leadEnd += end + 1
			continue
		case c == ':':
			segments++
			lead = append(lead, c)
		case c == '*' && (leadEnd+1 == len(text) || text[leadEnd+1] == ':'):
			lead = append(lead, anyRun)
			runOn = true
		case c == '*':
			lead = append(lead, segRun)
		case c == '?':
			lead = append(lead, segOne)
		default:
			lead = append(lead, c)
		}
		leadEnd++
	}
	rest := text[leadEnd:]
	r.lead = glob(lead)
	r.short = segments < 6 && !runOn
	if variables && strings.Contains(rest, "${") {
		t, err := parseTemplate(rest, true)
		if err != nil {
			return r, err
		}
		if t.variables() {
			r.template = t
			return r, nil
		}
		r.whole = r.lead + t.fixed()
	} else {
		r.whole = r.lead + newGlob(rest)
	}
	if r.short {
		r.expanded = r.whole
		for ; segments < 6; segments++ {
			r.expanded += glob(":" + anyRunText)
		}
	}
	if !r.whole.wild() {
		r.exact = text
		if string(r.whole) != text { // ${*} and the like
			r.exact = ""
		}
	}
	return r, nil
}

// match says whether the pattern covers a request's resource. expandShort
// is for identity-type policies (rule R8).
func (r *resourceGlob) match(res *Resource, ctx *Context, expandShort bool) Match {
	switch {
	case r.all:
		return Matched // rule R1
	case r.short && !expandShort:
		return NoMatch // rule R8
	}
	g, sure := r.whole, Matched
	switch {
	case r.template != nil:
		rest, m := r.template.resolve(ctx)
		if m == NoMatch {
			return NoMatch // rule R16
		}
		g, sure = r.lead+rest, m
	case r.short:
		g = r.expanded
	case r.exact != "" && !res.Pattern && res.ARN != "":
		return known(r.exact == res.ARN)
	}
	var m Match
	switch {
	case res.ARN == "", g.tooLong(res.ARN):
		return Unknown
	case res.Pattern:
		m = g.matchPattern(newGlob(res.ARN)) // rule R14
	default:
		m = known(g.match(res.ARN))
	}
	if m != NoMatch {
		m = and(m, sure)
	}
	return m
}

// arnSegments name the parts of an ARN for people.
var arnSegments = [6]string{"arn", "partition", "service", "region", "account", "resource"}

// parting says in which segment an ARN parts from a pattern; "" if they
// can't be compared segment by segment.
func parting(pattern, arn string) (segment string, agree int) {
	p, okPattern := splitSix(pattern)
	a, okARN := splitSix(arn)
	if !okPattern || !okARN {
		return "", 0
	}
	for i := range p {
		if !newGlob(p[i]).match(a[i]) {
			if segment == "" {
				segment = arnSegments[i]
			}
			continue
		}
		agree++
	}
	return segment, agree
}

// service is an action's prefix, in lower case; "" for *.
func service(action string) string {
	prefix, _, ok := strings.Cut(action, ":")
	if !ok {
		return ""
	}
	return strings.ToLower(prefix)
}
