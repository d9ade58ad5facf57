package collectors

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestDocumentOf(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"none (rule U19)", "", `null`},
		{"nothing but space", " \n", `null`},
		{"as it is", ` {"b": 1, "a": [ ]} `, `{"b": 1, "a": [ ]}`},
		{"URL-encoded", `%7B%22b%22%3A1%2C%22a%22%3A%22x%20y%2Bz%22%7D`, `{"b":1,"a":"x y+z"}`},
		{"URL-encoded, with space before", `%0A%20%7B%7D`, `{}`},
		{"a percent that is the document's", `{"a":"%41"}`, `{"a":"%41"}`},
		{"a percent that is the document's, encoded", `%7B%22a%22%3A%22%2541%22%7D`, `{"a":"%41"}`},
		{"a plus is a plus", `%7B%22a%22%3A%22x+y%22%7D`, `{"a":"x+y"}`},
		{"cut off", `{"a":`, `"{\"a\":"`},
		{"cut off, encoded", `%7B%22a`, `"{\"a"`},
		{"badly encoded", `%7`, `"%7"`},
		{"not an object", `["<a>"]`, `"[\"<a>\"]"`},
	}
	for _, tt := range tests {
		if got := string(documentOf(tt.text)); got != tt.want {
			t.Errorf("%s: documentOf(%q) = %s, want %s", tt.name, tt.text, got, tt.want)
		}
	}
}

// FuzzDocumentOf: whatever AWS returns becomes JSON, and a document is the same, encoded or not.
func FuzzDocumentOf(f *testing.F) {
	for _, seed := range []string{"", oddDocument, allowDocument, encoded(oddDocument), "%", `{"a":`, "\xff", `{"a":"\xff"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := documentOf(text)
		var b bytes.Buffer
		if err := json.Indent(&b, plain, "", "  "); err != nil {
			t.Fatalf("documentOf(%q) = %s: %v", text, plain, err)
		}
		if again := documentOf(encoded(text)); text != "" && text[0] == '{' && !bytes.Equal(plain, again) {
			t.Errorf("documentOf(%q) = %s, encoded %s", text, plain, again)
		}
	})
}
