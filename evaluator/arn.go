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

// compareARN serves the four ARN operators (rule C19); what can't be told of a lone * is C28.
func (o *operand) compareARN(ev *evaluation, got *value) (comparison, Match) {
	sure := Matched
	var resolved [6][]byte
	var buf [bufferSize]byte
	if o.template != nil {
		b := buf[:0]
		for i := range 6 {
			if o.like == nil || o.like.templates == nil {
				break
			}
			from, m := len(b), NoMatch
			if b, m = o.like.templates[i].appendTo(b, ev); m == NoMatch {
				return differ, NoMatch
			}
			resolved[i] = b[from:len(b):len(b)]
			sure = and(sure, m)
		}
		if o.like == nil { // not an ARN, whatever its variables stand for
			if _, sure = o.template.appendTo(b, ev); sure == NoMatch { // what it can't be read for comes first (rule C28)
				return badWant, Matched
			}
		}
	}
	switch {
	case o.like == nil && o.text == "*":
		return undecided, sure
	case o.like == nil:
		return badWant, sure
	case got.bad:
		return badGot, sure
	}
	parts, ok := splitSix(got.text)
	if !ok {
		return undecided, sure // a pattern: its colons may be among what isn't known
	}
	m := Matched
	for i, p := range parts {
		if o.template != nil {
			m = and(m, matchSegment(resolved[i], p, got.pattern, i))
		} else {
			m = and(m, matchSegment(o.like.fixed[i], p, got.pattern, i))
		}
		if m == NoMatch {
			break
		}
	}
	if o.template != nil && m != NoMatch {
		m = ev.assumeIf(ev.careful() && o.like.early, assumeV10, m)
	}
	return compared(m), sure
}

func matchSegment[G globText](g G, s string, pattern bool, segment int) Match {
	switch {
	case pattern && segment < 5 && strings.Contains(s, "*"):
		return Unknown // what stands for * may hold colons and shift the segments
	case pattern:
		return glob(g).matchPattern(newGlob(s))
	case tooLong(g, s):
		return Unknown
	}
	return known(matchRun(g, s, false))
}

func isARN(s string) bool {
	_, ok := policy.ParseARN(s)
	return ok
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
	// prefix is what a resource has to begin with: whole up to its first wildcard. If that is
	// all there is, the pattern is exact; if one * follows and no more, it is open.
	prefix      string
	exact, open bool
	// whole is the pattern with the wildcards of its first five segments
	// kept within them, but for a * at a segment's end (rules R4, R5, R6).
	whole glob
	// expanded is whole with :* for its missing segments, for identity-type
	// policies; "" if the pattern isn't short (rule R8).
	expanded glob
	short    bool
	// template holds the pattern's variables, which exist after the fifth colon only (rule V2), and
	// before them what stands in front of it.
	template template
	isARN    bool // text has six segments
	oddWild  bool // a wildcard in the partition, the service or the resource's type (rule R9)
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
	r.short = segments < 6 && !runOn
	r.oddWild = oddWild(text)
	_, r.isARN = splitSix(text)
	if variables && strings.Contains(rest, "${") {
		t, err := parseTemplate(rest, true)
		if err != nil {
			return r, err
		}
		if t.variables() {
			r.template = append(template{{glob: glob(lead)}}, t...)
			return r, nil
		}
		r.whole = glob(lead) + t.fixed()
	} else {
		r.whole = glob(lead) + newGlob(rest)
	}
	if r.short {
		r.expanded = r.whole
		for ; segments < 6; segments++ {
			r.expanded += ":\xff"
		}
	}
	first := 0
	for first < len(r.whole) && r.whole[first] < segOne {
		first++
	}
	r.prefix = string(r.whole[:first])
	r.exact = first == len(r.whole)
	r.open = first+1 == len(r.whole) && r.whole[first] == anyRun
	return r, nil
}

// oddWild reports whether a pattern has a wildcard where AWS's pages don't allow one, and IAM stores it
// all the same (rule R9).
func oddWild(text string) bool {
	parts, ok := splitSix(text)
	if !ok {
		return false
	}
	kind, _, typed := strings.Cut(parts[5], "/")
	return strings.ContainsAny(parts[1]+parts[2], "*?") || typed && parts[2] != "s3" && strings.ContainsAny(kind, "*?")
}

// match says whether the pattern covers a request's resource. expandShort
// is for identity-type policies (rule R8).
func (r *resourceGlob) match(ev *evaluation, expandShort bool) Match {
	res := &ev.req.Resource
	switch {
	case r.all:
		return Matched // rule R1
	case r.short && !expandShort:
		return ev.assume(assumeR8, NoMatch)
	case res.ARN == "":
		return r.matchNothing(ev)
	case r.template == nil && !r.short && !res.Pattern:
		return r.matchFixed(ev, res.ARN)
	case r.template != nil:
		var buf [bufferSize]byte
		g, sure := r.template.appendTo(buf[:0], ev)
		if sure == NoMatch {
			return NoMatch // rule R16
		}
		m := matchResource(g, res)
		if m == NoMatch {
			return m
		}
		return and(m, sure)
	case r.short:
		return ev.assume(assumeR8, matchResource(r.expanded, res))
	}
	return matchResource(r.whole, res) // rule R14
}

// matchNothing: a resource that nobody knows may be any, but an entry without a value covers none.
func (r *resourceGlob) matchNothing(ev *evaluation) Match {
	if r.template != nil {
		var buf [bufferSize]byte
		if _, sure := r.template.appendTo(buf[:0], ev); sure == NoMatch {
			return NoMatch
		}
	}
	return Unknown
}

// matchFixed matches a pattern without variables against one resource.
func (r *resourceGlob) matchFixed(ev *evaluation, arn string) Match {
	var m bool
	switch {
	case r.exact:
		m = r.prefix == arn
	case !strings.HasPrefix(arn, r.prefix):
	case r.open:
		m = true
	case r.whole.tooLong(arn):
		return Unknown
	default:
		m = r.whole.match(arn)
	}
	if ev.careful() {
		return r.corners(ev, arn, m)
	}
	return known(m)
}

// corners notes the undocumented rules by which a pattern matches, or doesn't.
func (r *resourceGlob) corners(ev *evaluation, arn string, matched bool) Match {
	m := known(matched)
	switch {
	case matched && r.oddWild:
		m = ev.assume(assumeR9, m)
	case matched && !r.exact && strings.Count(r.text, ":") >= 5 && strings.Count(arn, ":") > 5+strings.Count(lastSegment(r.text), ":"):
		m = ev.assumeIf(!strings.HasPrefix(arn, "arn:aws:s3:"), assumeR6, m)
	case !matched && r.exact && strings.EqualFold(r.prefix, arn) && !strings.Contains(arn, ":user/") && !strings.Contains(arn, ":s3:"):
		m = ev.assume(assumeR3, m)
	}
	return m
}

// lastSegment is what stands after the fifth colon.
func lastSegment(arn string) string {
	parts, _ := splitSix(arn)
	return parts[5]
}

func matchResource[G globText](g G, res *Resource) Match {
	switch {
	case tooLong(g, res.ARN):
		return Unknown
	case res.Pattern:
		return glob(g).matchPattern(newGlob(res.ARN))
	}
	return known(match(g, res.ARN))
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
		if p[i] != a[i] && p[i] != "*" && !(strings.ContainsAny(p[i], "*?") && newGlob(p[i]).match(a[i])) {
			if segment == "" {
				segment = arnSegments[i]
			}
			continue
		}
		agree++
	}
	return segment, agree
}
