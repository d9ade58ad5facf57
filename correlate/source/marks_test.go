package source

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// toBeMarked reports whether a reader has to look at text[i].
func toBeMarked(text []byte, i int) bool {
	switch text[i] {
	case '[', ']', '\\', '\n':
		return true
	case '{':
		return i == 0 || text[i-1] != ':'
	case 'C', 'E', 'M':
		return i > 0 && bytes.IndexByte([]byte("erst"), text[i-1]) >= 0
	}
	return false
}

// mayBeMarked reports whether it may find that it has done so in vain. Bytes beyond ASCII are taken for letters, too.
func mayBeMarked(text []byte, i, from int) bool {
	small := func(c byte) bool { return c&0x60 == 0x60 }
	switch c := text[i]; {
	case c == '\n':
		return true
	case c >= 0x80:
		return i == 0 || i%blockSize == from%blockSize || small(text[i-1])
	case '@' <= c && c <= '_':
		return c == '[' || c == ']' || c == '\\' || i == 0 || i%blockSize == from%blockSize || small(text[i-1])
	case small(c):
		return c == '{' || c == '|' || c == '}'
	}
	return false
}

// TestMarks: whatever a text holds, wherever one begins in it, all that has to be looked at is marked, in its order.
func TestMarks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.SliceOfN(rapid.Byte(), 0, 200)
		likely := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(append(fragments, `"errorCode":"`, `"errorMessage"`, `tC`, `eE`, `sC`, `}|{`)), 0, 200), func(p []string) []byte {
			return []byte(strings.Join(p, ""))
		})
		text := bytes.Repeat(rapid.OneOf(any, likely).Draw(t, "text"), rapid.SampledFrom([]int{1, 1, 3, 50}).Draw(t, "times"))
		from := rapid.IntRange(0, len(text)).Draw(t, "from")
		var m marks
		m.begin(text, from)
		last := from - 1
		for i := m.next(); ; i = m.next() {
			if i <= last || i > len(text) {
				t.Fatalf("%q from %d: %d behind %d", text, from, i, last)
			}
			for missed := last + 1; missed < i; missed++ {
				if toBeMarked(text, missed) && missed > from {
					t.Fatalf("%q from %d: %d isn't marked", text, from, missed)
				}
			}
			if i == len(text) {
				break
			}
			if !mayBeMarked(text, i, from) {
				t.Fatalf("%q from %d: %d is marked", text, from, i)
			}
			last = i
		}
	})
}

// TestMarkAny: the way that is taken without special instructions misses nothing that mark sees.
func TestMarkAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "any"), 20)
		text = append(text, strings.Join(rapid.SliceOfN(rapid.SampledFrom(append(fragments, `rC`, `eE`, `tM`, `}|{`, `Insight`)), 200, 200).Draw(t, "likely"), "")...)
		text = text[:min(len(text), partSize)&^(blockSize-1)]
		sets := [2][partSize]bool{}
		for i, mark := range []func([]byte, *[partSize + spare]uint16) int{mark, markAny} {
			var places [partSize + spare]uint16
			for _, at := range places[:mark(text, &places)] {
				sets[i][at] = true
			}
		}
		for i := range text {
			if inQuick, inPlain := sets[0][i], sets[1][i]; inQuick && !inPlain || toBeMarked(text, i) && !inQuick || inPlain && !mayBeMarked(text, i, 0) {
				t.Fatalf("%q: byte %d: quick %t, plain %t", text, i, inQuick, inPlain)
			}
		}
	})
}

// BenchmarkMarks is what finding the places to look at costs, either way, without a look.
func BenchmarkMarks(b *testing.B) {
	text := benchText(b)
	var places [partSize + spare]uint16
	for _, way := range []struct {
		name string
		mark func([]byte, *[partSize + spare]uint16) int
	}{{"mark", mark}, {"markAny", markAny}} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for i := 0; i+partSize <= len(text); i += partSize {
					way.mark(text[i:i+partSize], &places)
				}
			}
		})
	}
}

// BenchmarkHop is what going over a record costs, and asking whether it matters.
func BenchmarkHop(b *testing.B) {
	text := benchText(b)
	start := bytes.IndexByte(text, '[') + 1
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var h hops
		h.begin(text, start)
		n := 0
		for at := start; ; n++ {
			end, ok := h.hop(at, ',')
			if !ok {
				break
			}
			h.signs.matter(text[at:end], Denials)
			at = end + 1
		}
		if n < 900 {
			b.Fatalf("%d records", n)
		}
	}
}
