package correlate

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// asJSONText holds the scanner to jsontext: both take the same text for one valid value.
func asJSONText(t rapid.TB, text []byte) {
	t.Helper()
	text = bytes.Trim(text, " \t\r\n")
	want := jsontext.Value(text).IsValid(recordJSON...)
	if got := scanValue(text, 0, 1) == len(text); got != want {
		t.Errorf("scanValue(%.200q): valid %t, want %t", text, got, want)
	}
}

// TestScan: every byte at every place of a string, in escapes, in numbers, in words and between tokens.
func TestScan(t *testing.T) {
	for _, text := range []string{
		`"0123456789abcdefghijklmn"`, `"é\u00e9\"\\\/\b\f\n\r\t"`, `"\ud83d\ude00"`, `"\`, `"\u`, `"\u00`, `"`,
		`-0.5e+10`, `120`, `0`, `-`, `1.`, `1e`, `.5`, `+1`, `01`, `-01`, `1.5.5`, `1e5e5`, `0x1`, `null`, `true`, `false`, `nul`,
		`{"a":1,"b":[true,null,{"c":"d"}]}`, `[ 1 , [ ] , { } ]`, "{\r\n\t\"a\" :\t1 ,\"a\": 2}", `{`, `{"a"`, `{"a":`, `{"a":1`, `[1`, `[1,`, ``,
	} {
		asJSONText(t, []byte(text))
		for i := range len(text) + 1 {
			asJSONText(t, []byte(text[:i]))
			for c := range 256 {
				asJSONText(t, []byte(text[:i]+string([]byte{byte(c)})+text[i:]))
				if i < len(text) {
					asJSONText(t, []byte(text[:i]+string([]byte{byte(c)})+text[i+1:]))
				}
			}
		}
	}
}

// TestScanDepth: a value may be as deep as jsontext has it, beside what is wanted of a record and within, too.
func TestScanDepth(t *testing.T) {
	valid := 0
	for _, around := range [][2]string{
		{``, ``}, {`{"eventName":"a","x":`, `}`}, {`{"eventName":"a","requestParameters":`, `}`},
		{`{"eventName":"a","userIdentity":{"sessionContext":{"x":`, `}}}`},
	} {
		for _, nest := range [][2]string{{`[`, `]`}, {`{"a":`, `}`}} {
			for depth := maxDepth - 5; depth < maxDepth+3; depth++ {
				text := []byte(around[0] + strings.Repeat(nest[0], depth) + "1" + strings.Repeat(nest[1], depth) + around[1])
				asJSONText(t, text)
				asReference(t, text)
				if jsontext.Value(text).IsValid(recordJSON...) {
					valid++
				}
			}
		}
	}
	if want := 2 * (6 + 5 + 5 + 3); valid != want {
		t.Errorf("%d of the texts are valid, want %d", valid, want)
	}
}

// TestScanString: where a string ends, and whether it stands for what it is, is right whatever its eight bytes hold.
func TestScanString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "!", "#", "[", "]", " ", "\x7f", "\x80", "\xa0", "\xa2", "\xdc", "\xff", "é", `\"`, `\\`, `\u0041`, "\x1f", `"`, `\`}), 0, 30)
		text := []byte(`"` + strings.Join(parts.Draw(t, "text"), "") + `"`)
		end, plain := scanString(text, 0)
		d := jsontext.NewDecoder(bytes.NewReader(text), recordJSON...)
		quoted, err := d.ReadValue()
		if (err == nil) != (end >= 0) || err == nil && end != len(quoted) {
			t.Fatalf("scanString(%q): %d, want the end of %q (%v)", text, end, quoted, err)
		}
		if err == nil {
			isPlain := !bytes.ContainsFunc(quoted, func(r rune) bool { return r == '\\' || r >= 0x80 })
			if plain != isPlain || plain && !bytes.Equal(unquote(quoted), quoted[1:end-1]) {
				t.Fatalf("scanString(%q): plain %t, want %t", text, plain, isPlain)
			}
		}
	})
}

// FuzzScan: what one of the scanner and jsontext takes for valid JSON, the other does, too.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e+3,"\u00e9\"\\",true,false,null,{}]}`, `"\ud83d"`, "\"caf\xc3\"", `[1,]`, `{"a":1,}`, ` { "a" : [ ] } `, `01`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) { asJSONText(t, text) })
}
