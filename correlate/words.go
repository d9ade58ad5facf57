package correlate

import "encoding/binary"

// DenialWords are words of which one or more occur in all that can be a denial: in its code and in its
// message, in whatever case, and as they are spelled here, in lower case, in the responseElements of a call
// whose items were denied (T40, T45, T46). They are for sources that leave out what can't be a denial.
func DenialWords() []string { return deniedWords.texts() }

// ErrorWords are words of which one or more occur in the responseElements of a call with items that
// failed (T46).
func ErrorWords() []string { return errorWords.texts() }

// A word is looked for by three bytes of it that are rare in a response.
type word struct {
	text string
	rare int // where they begin
}

// words are looked for at once. Of every two bytes of a text one pair is looked at: so of the three bytes of a word, the first
// two or the last two are seen.
type words struct {
	list  []word
	pairs [1 << pairBits]uint16 // at the slot of a pair, a bit for each word that has it
}

const pairBits = 12

func pairSlot(pair uint64) uint32 { return uint32(uint16(pair)) * 0x9e3779b1 >> (32 - pairBits) }

func newWords(list ...word) *words {
	w := &words{list: list}
	for i, word := range list {
		for at := word.rare; at < word.rare+2; at++ {
			w.pairs[pairSlot(uint64(word.text[at])|uint64(word.text[at+1])<<8)] |= 1 << i
		}
	}
	return w
}

// in reports whether a text holds one of the words.
func (w *words) in(text []byte) bool {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		if w.pairs[pairSlot(x)]|w.pairs[pairSlot(x>>16)]|w.pairs[pairSlot(x>>32)]|w.pairs[pairSlot(x>>48)] == 0 {
			continue
		}
		for j := i; j < i+8; j += 2 {
			if w.around(text, j) {
				return true
			}
		}
	}
	for ; i+2 <= len(text); i += 2 {
		if w.around(text, i) {
			return true
		}
	}
	return false
}

// around reports whether the pair at text[i] is part of a word.
func (w *words) around(text []byte, i int) bool {
	whose := w.pairs[pairSlot(uint64(binary.LittleEndian.Uint16(text[i:])))]
	for k := 0; whose != 0; k, whose = k+1, whose>>1 {
		if whose&1 == 0 {
			continue
		}
		word := w.list[k]
		for start := i - word.rare - 1; start <= i-word.rare; start++ {
			if start >= 0 && len(text)-start >= len(word.text) && string(text[start:start+len(word.text)]) == word.text {
				return true
			}
		}
	}
	return false
}

func (w *words) texts() []string {
	out := make([]string, len(w.list))
	for i, word := range w.list {
		out[i] = word.text
	}
	return out
}
