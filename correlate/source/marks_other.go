//go:build !amd64

package source

// mark is markAny.
func mark(text []byte, words []uint64) { markAny(text, words) }
