package correlate

import (
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDenialWords: no code that can be a denial (T40) and no text that makes one of another code (T45) lacks
// all of the words, so a source that looks for them loses nothing.
func TestDenialWords(t *testing.T) {
	has := func(text string) bool {
		return slices.ContainsFunc(DenialWords(), func(w string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(w)) })
	}
	for _, row := range errorCodes {
		if row.class != ClassDenied && row.class != ClassMaybe {
			continue
		}
		for _, code := range row.codes {
			if !has(code) {
				t.Errorf("code %q has none of the words", code)
			}
			if !MayBeDenied([]byte(code)) || !MayBeDenied([]byte("Client."+strings.ToUpper(code))) {
				t.Errorf("code %q can't be a denial's", code)
			}
		}
	}
	if words := strings.Join(DenialWords(), " "); words != strings.ToLower(words) {
		t.Errorf("%s aren't all in lower case, as they are compared with codes and messages that were made so", words)
	}
	texts, err := syntax.Parse(deniedText.String(), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	shortest := shortestTexts(texts)
	if len(shortest) < 6 {
		t.Fatalf("only %q of %s", shortest, deniedText)
	}
	for _, text := range append(shortest, "ot authorized to perform", encodedLead) { // of verb and takeEncoded: AWS's own sentence
		if !has(text) {
			t.Errorf("text %q has none of the words", text)
		}
		if !MayBeDenied([]byte("You are "+text)) || !MayBeDenied([]byte(strings.ToUpper(text))) {
			t.Errorf("text %q can't be a denial's", text)
		}
	}
}

// TestMayBeDenied: most errors need no more than their words to be told from denials.
func TestMayBeDenied(t *testing.T) {
	for text, want := range map[string]bool{
		"NoSuchKey": false, "The specified key doesn't exist.": false, "ThrottlingException": false, "": false, `a \"name\"`: false,
		"AccessDenied": true, "client.UNAUTHORIZEDoperation": true, "403": true, `acce\u0073s`: true, "é": true, strings.Repeat("x", 5000): true,
	} {
		if got := MayBeDenied([]byte(text)); got != want {
			t.Errorf("%.40q: %t, want %t", text, got, want)
		}
	}
}

// shortestTexts returns texts that a pattern of alternatives matches: every alternative, without what
// is optional.
func shortestTexts(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return []string{string(re.Rune[:1])}
	case syntax.OpQuest, syntax.OpStar, syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpCapture, syntax.OpPlus:
		return shortestTexts(re.Sub[0])
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, shortestTexts(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			var longer []string
			for _, head := range all {
				for _, tail := range shortestTexts(sub) {
					longer = append(longer, head+tail)
				}
			}
			all = longer
		}
		return all
	}
	panic("the pattern has what this test doesn't know: " + re.String())
}

// TestWordsIn: a word is found wherever it stands, and nothing else is.
func TestWordsIn(t *testing.T) {
	for _, w := range []*words{deniedWords, errorWords} {
		for _, text := range w.texts() {
			for pad := range 20 {
				for _, behind := range []string{"", "x", "xxxxxxxxxxxx"} {
					if all := strings.Repeat("x", pad) + text + behind; !w.in([]byte(all)) {
						t.Errorf("%q isn't found in %q", text, all)
					}
					for _, part := range []string{text[1:], text[:len(text)-1]} {
						if all := strings.Repeat("x", pad) + part + behind; w.in([]byte(all)) {
							t.Errorf("%q is found in %q", text, all)
						}
					}
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom([]*words{deniedWords, errorWords}).Draw(t, "words")
		pieces := append(w.texts(), "e", "n", "ni", "ied", "40", "4", "03", " a", "o ", "x", `\`, "rr", "ss")
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "")
		text = text[:rapid.IntRange(0, len(text)).Draw(t, "length")]
		want := slices.ContainsFunc(w.texts(), func(word string) bool { return strings.Contains(text, word) })
		if got := w.in([]byte(text)); got != want {
			t.Fatalf("%q: %t, want %t", text, got, want)
		}
	})
}
