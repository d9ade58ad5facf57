package source

import (
	"encoding/binary"
	"math/bits"
)

// marks goes over the few bytes of a text that say where records end and whether they matter: { unless it begins a member's value,
// [ ] \ and newline, and the capital letter of every sign, which is behind a small one. It stops at some others, too.
type marks struct {
	text   []byte
	base   int // where the part of the text begins that was looked at
	size   int // how long it is
	taken  int // how many of its places were
	found  int // how many there are
	places [partSize + spare]uint16
}

const (
	blockSize = 64
	partSize  = 64 * blockSize
	spare     = 4
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
	for {
		m.base += m.size
		m.taken, m.found = 0, 0
		rest := m.text[min(m.base, len(m.text)):]
		switch {
		case len(rest) == 0:
			m.size = 0
			return false
		case len(rest) >= blockSize:
			m.size = min(partSize, len(rest)&^(blockSize-1))
			m.found = mark(rest[:m.size], &m.places)
		default:
			var last [blockSize]byte
			copy(last[:], rest)
			m.size = blockSize
			m.found = mark(last[:], &m.places)
		}
		if m.found > 0 {
			return true
		}
	}
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
)

// markAny writes down the places to look at in a text of whole blocks, and returns how many there are. It takes
// C, E and M behind any small letter for a sign's.
func markAny(text []byte, places *[partSize + spare]uint16) (found int) {
	small := uint64(highBits)
	var low, high uint64
	for at := 0; at < len(text); at += blockSize {
		block := (*[blockSize]byte)(text[at:])
		low, small = mark32((*[32]byte)(block[:32]), small)
		high, small = mark32((*[32]byte)(block[32:]), small)
		for marked := low | high<<32; marked != 0; marked &= marked - 1 {
			i := bits.TrailingZeros64(marked)
			places[found] = uint16(at + i)
			found += int(worthALook[block[i]])
		}
	}
	return found
}

// worthALook is 1 for the bytes of which some are to be looked at.
var worthALook = [256]uint8{'{': 1, '[': 1, ']': 1, '\\': 1, '\n': 1, 'C': 1, 'E': 1, 'M': 1}

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
