package source

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A sign is a word that a record is looked at for. It has its quotes, so it can't stand in a string.
type sign struct {
	text  string
	from  int // where the part of it begins that the sieve knows, which is rarer than what is before
	means int
}

// What a sign may mean.
const (
	anError   = iota
	anInsight // T8
	aCategory // its value says whether the record is a call
	aResponse // which may tell of failures
)

var wanted = [...]sign{
	{`"errorCode"`, 0, anError},
	{`"errorMessage"`, 0, anError},
	{`"AwsCloudTrailInsight"`, 8, anInsight},
	{`"eventCategory"`, 4, aCategory},
	{`"responseElements"`, 2, aResponse},
}

// Of every eight bytes, four are looked at. Eight parts of a word, each of four bytes and a byte behind the one
// before, are known: so one of them is seen wherever a word of eleven bytes or more stands, and few other
// texts have one. That costs a fraction of a look at every byte, or at every letter C.
const (
	step     = 8
	partSize = 4
	atOnce   = 4 * step
)

// sieve holds, at a part's slot, whose part it is: bit i is that of wanted[i].
var sieve = func() (s [1 << sieveBits]byte) {
	for i, w := range wanted {
		for from := range step {
			s[slot([]byte(w.text[w.from+from:][:partSize]))] |= 1 << i
		}
	}
	return s
}()

const sieveBits = 13

func slot(part []byte) uint32 {
	return binary.LittleEndian.Uint32(part) * 0x9E3779B1 >> (32 - sieveBits)
}

// nextSign returns the first sign in text that begins at a place or behind it, and where it ends; nil if there is none.
func nextSign(text []byte, at int) (s *sign, end int) {
	i := at
	for ; i+atOnce <= len(text); i += atOnce {
		b := (*[atOnce]byte)(text[i:])
		if sieve[slot(b[:])]|sieve[slot(b[step:])]|sieve[slot(b[2*step:])]|sieve[slot(b[3*step:])] == 0 {
			continue
		}
		for j := i; j < i+atOnce; j += step {
			if s, end := signAround(text, at, j); s != nil {
				return s, end
			}
		}
	}
	for ; i+partSize <= len(text); i += step {
		if s, end := signAround(text, at, i); s != nil {
			return s, end
		}
	}
	return nil, len(text)
}

// signAround returns the sign of which a part begins at text[i], and where it ends, unless it begins before a place.
func signAround(text []byte, at, i int) (*sign, int) {
	for whose := sieve[slot(text[i:])]; whose != 0; whose &= whose - 1 {
		s := &wanted[bits.TrailingZeros8(whose)]
		for start := i - s.from; start > i-s.from-step && start >= at; start-- {
			if text[start] == '"' && bytes.HasPrefix(text[start:], []byte(s.text)) {
				return s, start + len(s.text)
			}
		}
	}
	return nil, 0
}
