package correlate

import (
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
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
