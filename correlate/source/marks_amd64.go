//go:build !purego

package source

import "golang.org/x/sys/cpu"

// mark is markAny, quicker where the processor can.
func mark(text []byte, places *[partSize + spare]uint16) int {
	if cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT {
		return markAVX2(&text[0], len(text)/blockSize, &places[0])
	}
	return markAny(text, places)
}

// markAVX2 writes down up to 64 places a block, and what it likes in four behind them.
//
//go:noescape
func markAVX2(text *byte, blocks int, places *uint16) int
