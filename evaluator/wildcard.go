package evaluator

import (
	"strings"
	"unicode/utf8"
)

// A glob is a pattern made ready to match: text, with wildcards as single
// bytes that can't occur in UTF-8, so that a * that came from a variable's
// value or from ${*} stays an ordinary character (rule V5).
type glob string

// The wildcards in a glob.
const (
	anyRun = '\xff' // any run of characters, also none
	anyOne = '\xfe' // exactly one character
	segRun = '\xfd' // like anyRun, but not across a colon (rule R4)
	segOne = '\xfc' // like anyOne, but not a colon (rule R4)
)

// literalGlob returns a glob that matches s and nothing else.
func literalGlob(s string) glob { return glob(strings.ToValidUTF8(s, "\ufffd")) }

// newGlob returns the glob of a pattern in which * and ? are wildcards (rules A3, R2, C12).
func newGlob(pattern string) glob {
	if !strings.ContainsAny(pattern, "*?") {
		return literalGlob(pattern)
	}
	b := []byte(literalGlob(pattern))
	for i, c := range b {
		switch c {
		case '*':
			b[i] = anyRun
		case '?':
			b[i] = anyOne
		}
	}
	return glob(b)
}

// A globText is a glob as it is stored, or one that a decision just put together.
type globText interface{ ~string | ~[]byte }

// wild reports whether g has wildcards.
func (g glob) wild() bool { return wild(g) }

func wild[G globText](g G) bool {
	for i := 0; i < len(g); i++ {
		if g[i] >= segOne {
			return true
		}
	}
	return false
}

// everything reports whether g matches every string.
func (g glob) everything() bool {
	for i := 0; i < len(g); i++ {
		if g[i] != anyRun {
			return false
		}
	}
	return g != ""
}

// segmented reports whether g has wildcards that stop at colons.
func segmented[G globText](g G) bool {
	for i := 0; i < len(g); i++ {
		if g[i] == segRun || g[i] == segOne {
			return true
		}
	}
	return false
}

// match reports whether g matches the whole of s. It takes time proportional
// to len(g)*len(s) at worst, whatever the pattern.
func (g glob) match(s string) bool { return match(g, s) }

func match[G globText](g G, s string) bool {
	if segmented(g) {
		return matchSegmented(g, s)
	}
	return matchRun(g, s, false)
}

// matchRun matches a glob without segments, going back to the last * where it has to.
func matchRun[G globText](g G, s string, fold bool) bool {
	gi, si, star, mark := 0, 0, -1, 0
	for si < len(s) {
		if gi < len(g) {
			switch c := g[gi]; {
			case c == anyRun:
				if gi+1 == len(g) {
					return true
				}
				star, mark = gi, si
				gi++
				continue
			case c == anyOne:
				gi++
				si += runeLen(s, si)
				continue
			case c == s[si] || fold && c == lower(s[si]):
				gi++
				si++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark += runeLen(s, mark)
		gi, si = star+1, mark
	}
	for gi < len(g) && g[gi] == anyRun {
		gi++
	}
	return gi == len(g)
}

// runeLen is the length of the character at i.
func runeLen(s string, i int) int {
	if s[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return n
}

// decodeRune reads the first character of g, which has no wildcards.
func decodeRune[G globText](g G) (r rune, size int) {
	if g[0] < utf8.RuneSelf {
		return rune(g[0]), 1
	}
	return utf8.DecodeRuneInString(string(g[:min(len(g), utf8.UTFMax)]))
}

// matchSegmented matches a glob in which some wildcards stop at colons, so
// that going back to the last * alone isn't enough: it follows the set of all places in s
// that the pattern so far can end at.
func matchSegmented[G globText](g G, s string) bool {
	var buf [2][bufferSize]bool
	cur, next := buf[0][:], buf[1][:]
	if len(s)+1 > len(cur) {
		cur, next = make([]bool, len(s)+1), make([]bool, len(s)+1)
	}
	cur, next = cur[:len(s)+1], next[:len(s)+1]
	cur[0] = true
	for gi := 0; gi < len(g); gi++ {
		clear(next)
		open := false // a run is open: it may end here
		any := false
		for i := 0; i <= len(s); i++ {
			switch c := g[gi]; c {
			case anyRun, segRun:
				open = open || cur[i]
				// Not inside a character, of which a ? would then take a part.
				next[i] = open && (i == len(s) || utf8.RuneStart(s[i]) || cur[i])
				if c == segRun && i < len(s) && s[i] == ':' {
					open = false
				}
			case anyOne, segOne:
				if cur[i] && i < len(s) && (c == anyOne || s[i] != ':') {
					next[i+runeLen(s, i)] = true
				}
			default:
				if cur[i] && i < len(s) && s[i] == c {
					next[i+1] = true
				}
			}
			any = any || next[i]
		}
		if !any {
			return false
		}
		cur, next = next, cur
	}
	return cur[len(s)]
}

// matchFold is match for ASCII letters without case; g is in lower case and
// has no wildcards that stop at colons (rule A2).
func (g glob) matchFold(s string) bool { return matchRun(g, s, true) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// maxCells bounds the work of comparing two patterns; above it the answer is
// Unknown, which is always sound.
const maxCells = 1 << 22

// tooLong reports whether matching g against s could take longer than any real pattern and
// value do: AWS's own limits on both are far lower. Such a match is Unknown.
func (g glob) tooLong(s string) bool { return tooLong(g, s) }

func tooLong[G globText](g G, s string) bool {
	return len(s) > 1<<12 && len(g)*len(s) > maxCells && wild(g)
}

// matchPattern says whether g matches the strings that q stands for: Matched if all of
// them, NoMatch if none, else Unknown (rules R14 and U3).
func (g glob) matchPattern(q glob) Match {
	if !q.wild() {
		return known(g.match(string(q)))
	}
	if (len(g)+1)*(len(q)+1) > maxCells {
		return Unknown
	}
	if !g.overlaps(q) {
		return NoMatch
	}
	if g.covers(q) {
		return Matched
	}
	return Unknown
}

func isRun(c byte) bool { return c == anyRun || c == segRun }
func isOne(c byte) bool { return c == anyOne || c == segOne }

// overlaps reports whether some string may match both. Wildcards that stop at
// colons are taken not to, and ? to match any byte or run of continuation bytes: it errs towards true.
func (g glob) overlaps(q glob) bool {
	// row[j]: may g[gi:] and q[j:] match one string?
	row := make([]bool, len(q)+1)
	prev := make([]bool, len(q)+1)
	for gi := len(g); gi >= 0; gi-- {
		for j := len(q); j >= 0; j-- {
			switch {
			case gi == len(g) && j == len(q):
				row[j] = true
			case gi < len(g) && isRun(g[gi]):
				row[j] = prev[j] || j < len(q) && row[j+1]
			case j < len(q) && isRun(q[j]):
				row[j] = row[j+1] || gi < len(g) && prev[j]
			case gi < len(g) && j < len(q) && isOne(g[gi]):
				// One character may be several bytes: let it swallow one or more.
				row[j] = prev[j+1] || q[j] >= utf8.RuneSelf && row[j+1]
			case gi < len(g) && j < len(q) && isOne(q[j]):
				row[j] = prev[j+1] || g[gi] >= utf8.RuneSelf && prev[j]
			default:
				row[j] = gi < len(g) && j < len(q) && g[gi] == q[j] && prev[j+1]
			}
		}
		row, prev = prev, row
	}
	return prev[0]
}

// covers reports whether every string that q matches is sure to match g. It
// errs towards false.
func (g glob) covers(q glob) bool {
	row := make([]bool, len(q)+1)
	prev := make([]bool, len(q)+1)
	for gi := len(g); gi >= 0; gi-- {
		for j := len(q); j >= 0; j-- {
			switch {
			case gi == len(g):
				row[j] = j == len(q)
			case g[gi] == anyRun:
				row[j] = prev[j] || j < len(q) && row[j+1]
			case g[gi] == segRun:
				row[j] = prev[j] || j < len(q) && q[j] < segOne && q[j] != ':' && row[j+1]
			case j == len(q):
				row[j] = false
			case g[gi] == anyOne:
				row[j] = (isOne(q[j]) || q[j] < utf8.RuneSelf) && prev[j+1]
			case g[gi] == segOne:
				row[j] = (q[j] == segOne || q[j] < utf8.RuneSelf && q[j] != ':') && prev[j+1]
			default:
				row[j] = g[gi] == q[j] && prev[j+1]
			}
		}
		row, prev = prev, row
	}
	return prev[0]
}
