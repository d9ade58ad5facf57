package policy

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// suggest returns " (Action?)" if a name that isn't known looks like a known one, and "" if none is near.
func suggest(name string, known []string) string {
	best, distance := "", 0
	for _, k := range known {
		if d := editDistance(name, k); isNear(d, k) && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " (" + best + "?)"
}

// nearMiss returns " (not \"action\", ...)" if an object has a member that
// was probably meant to be one of names.
func nearMiss(object jsontree.Node, names ...string) string {
	for m := range object.Members() {
		for _, name := range names {
			if m.Name != name && isNear(editDistance(m.Name, name), name) && !slices.Contains(statementElements, m.Name) {
				return " (" + jsontree.Quote(m.Name) + " isn't " + name + ")"
			}
		}
	}
	return ""
}

// isNear says how many letters may be wrong in a name of this length.
func isNear(distance int, name string) bool { return distance <= max(1, len(name)/3) }

// editDistance counts the letters that have to be inserted, removed, replaced
// or swapped with their neighbour to make b of a; case costs nothing. Names that can't be near give a
// great number at once.
func editDistance(a, b string) int {
	const far = 1000
	if d := len(a) - len(b); d > 4 || d < -4 {
		return far
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	beforeThat := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		beforeThat, before, row = before, row, beforeThat
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(before[j]+1, row[j-1]+1, before[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], beforeThat[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
