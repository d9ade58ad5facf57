package source

import (
	"encoding/binary"
	"math/bits"
)

// marks goes over the few bytes of a text that say where records end and whether they matter: { [ ] \ and newline, and
// the capital letter of every sign, behind a small one. It stops at some others, too.
type marks struct {
	text  []byte
	base  int               // where the part of the text begins that was looked at
	words int               // how much of it was, in words of bits
	word  int               // the next of them
	at    int               // where the bytes of the one before begin
	bits  uint64            // and what is left of it
	part  [partWords]uint64 // a bit for a byte
}

const (
	wordSize  = 64 // bytes of text for a word of bits
	partWords = 64
)

func newMarks(text []byte, from int) marks { return marks{text: text, base: from} }

// next returns the next place to look at, or the text's length.
func (m *marks) next() int {
	if m.bits == 0 && !m.nextWord() {
		return len(m.text)
	}
	i := m.at + bits.TrailingZeros64(m.bits)
	m.bits &= m.bits - 1
	return i
}

// nextWord goes to the next word with a bit. It returns false at the end of the text.
func (m *marks) nextWord() bool {
	for {
		for i, word := range m.part[m.word:m.words] {
			if word != 0 {
				m.bits, m.at = word, m.base+(m.word+i)*wordSize
				m.word += i + 1
				return true
			}
		}
		if !m.more() {
			return false
		}
	}
}

// more looks at the next part of the text.
func (m *marks) more() bool {
	m.base += m.words * wordSize
	m.words, m.word = 0, 0
	rest := m.text[min(m.base, len(m.text)):]
	if len(rest) == 0 {
		return false
	}
	if m.words = min(partWords, len(rest)/wordSize); m.words > 0 {
		mark(rest, m.part[:m.words])
		return true
	}
	var last [wordSize]byte
	copy(last[:], rest)
	m.words = 1
	mark(last[:], m.part[:1])
	return true
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
)

// markAny sets the bits of the bytes to look at in a text, 64 of them a word, the lowest bit for the first. It takes
// any capital letter behind a small one for a sign's, and every capital that begins the text.
func markAny(text []byte, words []uint64) {
	small := uint64(highBits)
	var low, high uint64
	for w := range words {
		block := (*[wordSize]byte)(text[w*wordSize:])
		low, small = mark32((*[32]byte)(block[:32]), small)
		high, small = mark32((*[32]byte)(block[32:]), small)
		words[w] = low | high<<32
	}
}

// mark32 returns the bits of 32 bytes, and where small letters are in the last eight of them; before says the same
// of the eight before.
func mark32(text *[32]byte, before uint64) (marked, small uint64) {
	a, b := binary.LittleEndian.Uint64(text[:]), binary.LittleEndian.Uint64(text[8:])
	c, d := binary.LittleEndian.Uint64(text[16:]), binary.LittleEndian.Uint64(text[24:])
	smallA, smallB, smallC, smallD := smallOf(a), smallOf(b), smallOf(c), smallOf(d)
	return mark8(a, smallA, before) | mark8(b, smallB, smallA)<<8 | mark8(c, smallC, smallB)<<16 | mark8(d, smallD, smallC)<<24, smallD
}

// mark8 returns the bits of eight bytes.
func mark8(x, small, before uint64) uint64 {
	found := (bracketsOf(x) | newlinesOf(x) | (small<<8|before>>56)&capitalsOf(x)) & highBits
	return found >> 7 * 0x0102040810204080 >> 56 // a bit of each byte, side by side
}

// bracketsOf sets the highest bit of every byte that is one of [ \ ] { | }, which are the same but for one bit.
func bracketsOf(x uint64) uint64 {
	y := x & (0x5f * everyByte)
	return (y + (0x80-'[')*everyByte) &^ (y + (0x80-'^')*everyByte) &^ x
}

// newlinesOf sets the highest bit of every newline.
func newlinesOf(x uint64) uint64 {
	y := x ^ '\n'*everyByte
	return (0x80*everyByte - y&(0x7f*everyByte)) &^ y
}

// smallOf sets the highest bit of every byte from 0x60 to 0x7f, where small letters are.
func smallOf(x uint64) uint64 { return x << 1 & (x << 2) }

// capitalsOf sets it of those from 0x40 to 0x5f.
func capitalsOf(x uint64) uint64 { return x << 1 &^ (x << 2) }
