package source

import (
	"encoding/binary"
	"math/bits"
)

// marks goes over the few bytes of a text that say where records end and whether they matter: { [ ] \ and newline, and
// the capital letter of every sign, behind a small one. It stops at some others, too.
type marks struct {
	text   []byte
	base   int // where the part of the text begins that was looked at
	size   int // how long it is
	taken  int // how many of its places were
	found  int // how many there are
	places [partSize + spare]uint16
}

const (
	wordSize = 64 // bytes of text for a word of bits
	partSize = 4096
	spare    = 4
)

// begin goes over a text, from a place on.
func (m *marks) begin(text []byte, from int) {
	m.text, m.base, m.size, m.taken, m.found = text, from, 0, 0, 0
}

// next returns the next place to look at, or the text's length.
func (m *marks) next() int {
	if m.taken == m.found && !m.more() {
		return len(m.text)
	}
	i := m.base + int(m.places[m.taken])
	m.taken++
	return i
}

// more looks at the next parts of the text, until there is something. It returns false at the end.
func (m *marks) more() bool {
	var words [partSize / wordSize]uint64
	for {
		m.base += m.size
		rest := m.text[min(m.base, len(m.text)):]
		switch m.size = min(partSize, len(rest)) &^ (wordSize - 1); {
		case len(rest) == 0:
			m.taken, m.found = 0, 0
			return false
		case m.size > 0:
			mark(rest, words[:m.size/wordSize])
		default:
			var last [wordSize]byte
			copy(last[:], rest)
			m.size = wordSize
			mark(last[:], words[:1])
		}
		if m.taken, m.found = 0, listBits(words[:m.size/wordSize], &m.places); m.found > 0 {
			return true
		}
	}
}

// listBits writes down which bits of words are set, and returns how many are.
func listBits(words []uint64, room *[partSize + spare]uint16) int {
	n := 0
	for w, word := range words {
		if word == 0 {
			continue
		}
		at := uint16(w * wordSize)
		few := (*[spare]uint16)(room[n:]) // most words have no more: written without asking
		n += bits.OnesCount64(word)
		for i := range few {
			few[i] = at + uint16(bits.TrailingZeros64(word))
			word &= word - 1
		}
		for i := n - bits.OnesCount64(word); word != 0; i++ {
			room[i] = at + uint16(bits.TrailingZeros64(word))
			word &= word - 1
		}
	}
	return n
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
