package yaml

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// print writes a tree so that its shape, its texts and its places can be compared.
func printNode(n *Node) string {
	at := fmt.Sprintf("@%d:%d", n.Line, n.Col)
	tag := ""
	if n.Tag != "" {
		tag = n.Tag + " "
	}
	switch n.Kind {
	case Null:
		return tag + "null" + at
	case String:
		return fmt.Sprintf("%s%q%s", tag, n.Text, at)
	case Bool, Number:
		return tag + n.Text + at
	case List:
		var items []string
		for _, item := range n.Items {
			items = append(items, printNode(item))
		}
		return tag + "[" + strings.Join(items, " ") + "]" + at
	}
	var pairs []string
	for _, p := range n.Pairs {
		pairs = append(pairs, fmt.Sprintf("%s@%d:%d=%s", p.Key.Text, p.Key.Line, p.Key.Col, printNode(p.Value)))
	}
	return tag + "{" + strings.Join(pairs, " ") + "}" + at
}

func printAll(roots []*Node) string {
	var out []string
	for _, n := range roots {
		out = append(out, printNode(n))
	}
	return strings.Join(out, "\n")
}

func TestParse(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"date is a string", "Version: 2012-10-17", `{Version@1:1="2012-10-17"@1:10}@1:1`},
		{"account id keeps its digits", "a: 123456789012\nb: 012345678901", `{a@1:1=123456789012@1:4 b@2:1="012345678901"@2:4}@1:1`},
		{"number keeps its text (G4)", "a: 10.0\nb: 1_000\nc: 99999999999999999999999", `{a@1:1=10.0@1:4 b@2:1=1_000@2:4 c@3:1="99999999999999999999999"@3:4}@1:1`},
		{"scalars", "a: true\nb: yes\nc: ~\nd:\ne: ''", `{a@1:1=true@1:4 b@2:1="yes"@2:4 c@3:1=null@3:4 d@4:1=null@4:3 e@5:1=""@5:4}@1:1`},
		{"colon inside a flow key", `{ aws:SecureTransport: "true" }`, `{aws:SecureTransport@1:3="true"@1:24}@1:1`},
		{"colons inside flow values", "[arn:aws:s3:::a, arn:aws:s3:::b/*]", `["arn:aws:s3:::a"@1:2 "arn:aws:s3:::b/*"@1:18]@1:1`},
		{"colons inside block values", "r: arn:aws:s3:::a", `{r@1:1="arn:aws:s3:::a"@1:4}@1:1`},
		{"colon without a blank after a quoted key", `{"a":1,'b':[2]}`, `{a@1:2=1@1:6 b@1:8=[2@1:13]@1:12}@1:1`},
		{"colons inside quotes and blocks", "a: \"x:y\"\nb: |\n  k:v\n  arn:a:b\nc: >-\n  a:b\n  c:d", `{a@1:1="x:y"@1:4 b@2:1="k:v\narn:a:b\n"@2:4 c@5:1="a:b c:d"@5:4}@1:1`},
		{"column counts bytes", "{é: 1, b: 2}", `{é@1:2=1@1:6 b@1:9=2@1:12}@1:1`},
		{"keys used twice stay (G7)", "a: 1\na: 2", `{a@1:1=1@1:4 a@2:1=2@2:4}@1:1`},
		{"alias is its anchor's node", "a: &x [1]\nb: *x", `{a@1:1=[1@1:8]@1:7 b@2:1=[1@1:8]@1:7}@1:1`},
		{"merge key gives way to own keys", "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3", `{x@1:1={a@1:8=1@1:11 b@1:14=2@1:17}@1:7 y@2:1={b@4:3=3@4:6 a@1:8=1@1:11}@4:3}@1:1`},
		{"application tag is kept", "a: !Sub b\nc: !!str 1", `{a@1:1=!Sub "b"@1:4 c@2:1="1"@2:4}@1:1`},
		{"block list of mappings", "cases:\n  - name: a\n    x: 1\n  - name: b", `{cases@1:1=[{name@2:5="a"@2:11 x@3:5=1@3:8}@2:5 {name@4:5="b"@4:11}@4:5]@2:3}@1:1`},
		{"several documents", "a: 1\n---\nb: 2", "{a@1:1=1@1:4}@1:1\n{b@3:1=2@3:4}@3:1"},
		{"nothing", "# only a comment\n", ""},
		{"CRLF", "a:\r\n  b: c\r\nd: e\r\n", `{a@1:1={b@2:3="c"@2:6}@2:3 d@3:1="e"@3:4}@1:1`},
		{"JSON with tabs and escapes", "{\n\t\"a\": \"\\/\\ud83d\\ude00\",\n\t\"b\": [1.50, null]\n}", "{a@2:2=\"/😀\"@2:7 b@3:2=[1.50@3:8 null@3:14]@3:7}@1:1"},
		{"JSON keys used twice stay (G7)", `{"a":1,"a":2}`, `{a@1:2=1@1:6 a@1:8=2@1:12}@1:1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			roots, err := Parse([]byte(tt.text))
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.text, err)
			}
			if diff := cmp.Diff(tt.want, printAll(roots)); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 20; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	tests := []struct{ name, text, want string }{
		{"unclosed list", "a:\n  b: [1,", "2:6: sequence end token ']' not found"},
		{"unknown alias", "a: *x", "1:4: nothing is named by the alias *x (quote a text that starts with an asterisk)"},
		{"alias inside its anchor", "a: &x [*x]", "1:8: nothing is named by the alias *x (quote a text that starts with an asterisk)"},
		{"billion laughs", bomb, "aliases expand to too much text"},
		{"deep flow lists", strings.Repeat("[", 100000), "1:101: nested too deep"},
		{"deep JSON", strings.Repeat("[", 200) + strings.Repeat("]", 200), "1:101: nested too deep"},
		{"deep block lists on one line", strings.Repeat("- ", 100000) + "a", "1:401: nested too deep"},
		{"deep block mappings", deepBlock(300), "nested too deep"},
		{"not UTF-8", "a: b\nc: \xff", "2:4: not UTF-8 text"},
		{"merge of a scalar", "a:\n  <<: x", "2:3: << merges mappings, not a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			var place *Error
			if !errors.As(err, &place) {
				t.Fatalf("Parse: got error %v, want one with a place", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse: got error %q, want %q", err, tt.want)
			}
		})
	}
}

func deepBlock(n int) string {
	var s strings.Builder
	for i := range n {
		s.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return s.String()
}

// FuzzParse holds the YAML reader to the JSON one: what JSON says with blanks and
// without escapes, YAML says, too.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: b", "{ aws:x: 1 }", "- [a:b, {c: d}]", "a: &x 1\nb: *x", `{"a": ["b", 1.0, true, null]}`, "a: |\n  x", "? a\n: b", "!!str 1", "<<: {a: 1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<12 {
			return
		}
		late := time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("reading %q takes too long", s)) })
		roots, err := Parse([]byte(s))
		late.Stop()
		if err != nil {
			return
		}
		lines := strings.Count(lineBreaks.Replace(s), "\n") + 1
		for _, n := range roots {
			checkPlaces(t, n, lines)
		}
		// Every tree that can be written as JSON reads back the same.
		if len(roots) == 1 && plain(roots[0]) {
			text := toJSON(roots[0])
			back, err := ParseJSON([]byte(text))
			if err != nil {
				t.Fatalf("%q reads, but as JSON, %q, it doesn't: %v", s, text, err)
			}
			if again := toJSON(back); again != text {
				t.Errorf("%q written as JSON: %q; read and written again: %q", s, text, again)
			}
		}
	})
}

func checkPlaces(t *testing.T, n *Node, lines int) {
	if n.Line < 1 || n.Col < 1 || n.Line > lines+1 {
		t.Errorf("a node at %d:%d of %d lines", n.Line, n.Col, lines)
	}
	for _, item := range n.Items {
		checkPlaces(t, item, lines)
	}
	for _, p := range n.Pairs {
		checkPlaces(t, p.Value, lines)
	}
}

// plain reports whether a tree has no more than JSON has.
func plain(n *Node) bool { return n.Tag == "" }

func toJSON(n *Node) string {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	switch n.Kind {
	case Null:
		return "null"
	case Bool:
		return n.Text
	case Number:
		if json.Valid([]byte(n.Text)) {
			return n.Text
		}
		return quote(n.Text)
	case String:
		return quote(n.Text)
	}
	var parts []string
	for _, item := range n.Items {
		parts = append(parts, toJSON(item))
	}
	for _, p := range n.Pairs {
		parts = append(parts, quote(p.Key.Text)+":"+toJSON(p.Value))
	}
	if n.Kind == List {
		return "[" + strings.Join(parts, ",") + "]"
	}
	return "{" + strings.Join(parts, ",") + "}"
}
