// Package nearest says how much two names differ, for "did you mean".
package nearest

import "strings"

// Far is the distance of names that nobody takes for each other.
const Far = 1000

// maxName bounds the names that are compared: the work grows with their product.
const maxName = 200

// Distance counts the letters that have to be inserted, removed, replaced or
// swapped with their neighbour to make b of a. Case costs nothing. A name longer than
// people write is Far from every other.
func Distance(a, b string) int {
	if len(a) > maxName || len(b) > maxName {
		return Far
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
