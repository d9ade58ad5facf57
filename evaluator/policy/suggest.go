package policy

import (
	"slices"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/nearest"
)

// suggest returns " (Action?)" if a name that isn't known looks like a known one, and "" if none is near.
func suggest(name string, known []string) string {
	best, distance := "", 0
	for _, k := range known {
		if d := nearest.Distance(name, k); isNear(d, k) && (best == "" || d < distance) {
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
			if m.Name != name && isNear(nearest.Distance(m.Name, name), name) && !slices.Contains(statementElements, m.Name) {
				return " (" + jsontree.Quote(m.Name) + " isn't " + name + ")"
			}
		}
	}
	return ""
}

// isNear says how many letters may be wrong in a name of this length.
func isNear(distance int, name string) bool { return distance <= max(1, len(name)/3) }
