package source

import "golang.org/x/sys/cpu"

// mark is markAny, quicker where the processor can.
func mark(text []byte, words []uint64) {
	if cpu.X86.HasAVX2 {
		markAVX2(&text[0], &words[0], len(words))
		return
	}
	markAny(text, words)
}

// markAVX2 looks at 64 bytes a word, and at one byte behind the last.
//
//go:noescape
func markAVX2(text *byte, words *uint64, n int)
