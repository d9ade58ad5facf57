//go:build !amd64 || purego

package source

// mark is markAny.
func mark(text []byte, places *[partSize + spare]uint16) int { return markAny(text, places) }
