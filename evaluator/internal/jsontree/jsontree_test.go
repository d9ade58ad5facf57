package jsontree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTree(t *testing.T) {
	const text = ` {"a": [1.50, true, null, "x\ny"], "bé": {"c": {}}, "d\u0065": []} `
	root, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(path string, n Node)
	walk = func(path string, n Node) {
		if written := text[n.Offset():n.End()]; written != string(n.Text()) {
			t.Errorf("%s: Text %q, but %q is at its offsets", path, n.Text(), written)
		}
		got = append(got, fmt.Sprintf("%s %s %d-%d len %d", path, n.Kind(), n.Offset(), n.End(), n.Len()))
		i := 0
		for item := range n.Items() {
			walk(fmt.Sprintf("%s[%d]", path, i), item)
			i++
		}
		for m := range n.Members() {
			walk(fmt.Sprintf("%s.%s@%d-%d", path, m.Name, m.Offset, m.NameEnd), m.Value)
		}
	}
	walk("$", root)
	want := []string{
		"$ an object 1-67 len 3",
		"$.a@2-5 an array 7-33 len 4",
		"$.a@2-5[0] a number 8-12 len 0",
		"$.a@2-5[1] a boolean 14-18 len 0",
		"$.a@2-5[2] null 20-24 len 0",
		"$.a@2-5[3] a string 26-32 len 0",
		"$.bé@35-40 an object 42-51 len 1",
		"$.bé@35-40.c@43-46 an object 48-50 len 0",
		"$.de@53-62 an array 64-66 len 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestGet(t *testing.T) {
	root, err := Parse([]byte(`{"a":{"\u0062":"x\u0041"},"n":1e3,"t":true,"f":false,"z":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := root.Get("a").Get("b").String(); s != "xA" || !ok {
		t.Errorf("a.b = %q, %v: want xA", s, ok)
	}
	for _, c := range []struct{ name, want string }{{"n", "1e3"}, {"t", "true"}, {"f", "false"}} {
		if s, ok := root.Get(c.name).Scalar(); s != c.want || !ok {
			t.Errorf("%s = %q, %v: want %s", c.name, s, ok, c.want)
		}
	}
	if v, ok := root.Get("t").Bool(); !v || !ok {
		t.Error("t isn't true")
	}
	if v, ok := root.Get("f").Bool(); v || !ok {
		t.Error("f isn't false")
	}
	if _, ok := root.Get("n").String(); ok {
		t.Error("a number is a string")
	}
	if _, ok := root.Get("z").Scalar(); ok {
		t.Error("null is a scalar")
	}
	if z := root.Get("z"); !z.Exists() || z.Kind() != Null {
		t.Error("null isn't there")
	}
	missing := root.Get("A").Get("b").Get("c")
	if missing.Exists() || missing.Kind() != Missing || missing.Len() != 0 || missing.Text() != nil || missing != (Node{}) {
		t.Errorf("a path that isn't there gives %v", missing.Kind())
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "0: the text ends too early: expected a JSON value"},
		{" \n", "2: the text ends too early: expected a JSON value"},
		{"nul", "0: the text ends within a value"},
		{"{", "1: the text ends too early: expected a member name or '}'"},
		{`{"a"`, "4: the text ends too early: expected ':'"},
		{`{"a":`, "5: the text ends too early: expected a value after ':'"},
		{`{"a":1 `, "7: the text ends too early: expected ',' or '}'"},
		{`{"a":1,`, "7: the text ends too early: expected a member name after ','"},
		{`[1,`, "3: the text ends too early: expected a value after ','"},
		{`{"a":"abc`, "5: string without its closing quote"},
		{"{\"a\": 1\n  \"b\":2}", `10: expected ',' or '}', found '"' (the value before it ends at <7>)`},
		{`["a" "b"]`, `5: expected ',' or ']', found '"' (the value before it ends at <4>)`},
		{`{"a":1 // c`, "7: expected ',' or '}', found a comment, which JSON doesn't have (the value before it ends at <6>)"},
		{`/* c */{}`, "0: expected a JSON value, found a comment, which JSON doesn't have"},
		{`{"a":1,}`, "7: expected a member name after ',', found '}'"},
		{`[1,]`, "3: expected a value after ',', found ']'"},
		{`{"a" 1}`, "5: expected ':', found '1'"},
		{`{"a":}`, "5: expected a value after ':', found '}'"},
		{`{a:1}`, "1: expected a member name or '}', found 'a'"},
		{`{12:1}`, "1: expected a member name or '}', found '1'"},
		{`{'a':1}`, `1: expected a member name or '}', found '\''`},
		{`{"a":1]`, "6: expected ',' or '}', found ']' (the value before it ends at <6>)"},
		{`[}`, "1: expected a value or ']', found '}'"},
		{`{"a":tru}`, "8: invalid character '}' in literal true (expecting 'e')"},
		{`{"a":NaN}`, "5: expected a value after ':', found 'N'"},
		{"[\"x\ny\"]", `3: invalid character '\n' in string (expecting non-control character)`},
		{"[\"x\xffy\"]", "3: invalid UTF-8"},
		{"[\xff]", "1: expected a value or ']', found invalid UTF-8 (byte 0xff)"},
		{`["\q"]`, "2: invalid escape sequence `\\q` in string"},
		{`{} x`, "3: expected the end of the file, found 'x'"},
		{`{}{}`, "2: expected the end of the file, found '{'"},
		{`{"a":1,"b":{"c":1,"c":2},"\u0061":3}`, `18: member name "c" is used twice in one object (first at <12>)
25: member name "a" is used twice in one object (first at <1>)`},
		{strings.Repeat("[", MaxDepth+1), "100: nested deeper than 100 levels"},
	} {
		root, err := Parse([]byte(c.text))
		var list Errors
		if !errors.As(err, &list) {
			t.Errorf("%s: error is %v, want %s", c.text, err, c.want)
			continue
		}
		var got []string
		for _, e := range list {
			got = append(got, fmt.Sprintf("%d: %s", e.Offset, e.Message(func(o int) string { return fmt.Sprintf("<%d>", o) })))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
		if twice := strings.Contains(c.want, "twice"); root.Exists() != twice {
			t.Errorf("%s: there is a tree: %v, want %v", c.text, root.Exists(), twice)
		}
	}
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := Parse([]byte(`{"a":1,"a":2}`))
	var one *Error
	if !errors.As(fmt.Errorf("reading: %w", err), &one) || one.Offset != 7 {
		t.Errorf("no *Error at 7 in %v", err)
	}
	if want := `offset 7: member name "a" is used twice in one object (first at offset 1)`; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

// TestDuplicatesInLargeObject has more names than are compared one by one, and
// more duplicates than are reported one by one.
func TestDuplicatesInLargeObject(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"k0":0`)
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, `,"k%d":%d`, i%30, i)
	}
	b.WriteString("}")
	root, err := Parse([]byte(b.String()))
	var list Errors
	if !errors.As(err, &list) || len(list) != maxDuplicates {
		t.Fatalf("%d errors, want %d: %v", len(list), maxDuplicates, err)
	}
	if last := list[len(list)-1].Msg; !strings.HasSuffix(last, "as are 10 more names") {
		t.Errorf("the last error is %q", last)
	}
	duplicates := 0
	for m := range root.Members() {
		if m.Duplicate {
			duplicates++
		}
	}
	if duplicates != 30 {
		t.Errorf("%d members are duplicates, want 30", duplicates)
	}
	if s, _ := root.Get("k5").Scalar(); s != "5" {
		t.Errorf("Get gives %s, want the first of the two, 5", s)
	}
}

func TestParseValue(t *testing.T) {
	data := []byte(`{"doc": {"a": [[]]} , junk`)
	n, err := ParseValue(data, 7, Limits{Depth: 3, Size: 12})
	if err != nil || n.Offset() != 8 || n.End() != 19 {
		t.Errorf("value at %d-%d, error %v: want 8-19", n.Offset(), n.End(), err)
	}
	for _, c := range []struct {
		offset int
		limits Limits
		want   string
	}{
		{8, Limits{Depth: 2}, "offset 15: nested deeper than 2 levels"},
		{8, Limits{Size: 10}, "offset 8: value is larger than 10 bytes"},
		{20, Limits{}, "offset 20: expected a JSON value, found ','"},
		{99, Limits{}, "offset 26: no value at offset 99 of 26 bytes"},
		{-1, Limits{}, "offset 26: no value at offset -1 of 26 bytes"},
	} {
		if _, err := ParseValue(data, c.offset, c.limits); err == nil || err.Error() != c.want {
			t.Errorf("at %d %+v: error %v, want %s", c.offset, c.limits, err, c.want)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	n, err := Parse([]byte("\xef\xbb\xbf {}"))
	if err != nil || n.Offset() != 4 {
		t.Errorf("value at %d, error %v: want 4", n.Offset(), err)
	}
	if _, err := Parse([]byte("[\xef\xbb\xbf]")); err == nil {
		t.Error("a byte order mark inside is accepted")
	}
}

func TestQuote(t *testing.T) {
	if got, want := Quote("a\"é"), `"a\"é"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	long := Quote(strings.Repeat("é", 1000))
	if !utf8.ValidString(long) || len(long) > 100 || !strings.HasSuffix(long, `é"...`) {
		t.Errorf("a long string is quoted as %s", long)
	}
}

// FuzzParse holds the tree to encoding/json: they accept the same texts, but
// for what is stricter here, and read the same values.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,"x\u00e9",null,true],"b":{}}`, "\xef\xbb\xbf[]", `{"a":1,"a":2}`, `[1 2]`, `"\ud800"`, `{"a":"`, ` 1e9 `, `[[[[]]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := Parse(data)
		var list Errors
		if err != nil && !errors.As(err, &list) {
			t.Fatalf("error of type %T", err)
		}
		for _, e := range list {
			if e.Offset < 0 || e.Offset > len(data) || e.Related < 0 || e.Related > len(data) {
				t.Fatalf("offset outside the text: %+v", e)
			}
		}
		text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		if !root.Exists() {
			if json.Valid(text) && utf8.Valid(text) && !bytes.Contains(text, []byte(`\u`)) && bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) <= MaxDepth {
				t.Fatalf("valid JSON refused: %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatal("invalid JSON accepted")
		}
		if err != nil {
			return // duplicates: encoding/json takes the last, Get the first
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, plain(t, data, root)); diff != "" {
			t.Fatalf("value (-encoding/json +tree):\n%s", diff)
		}
	})
}

// plain makes of a node what encoding/json makes of its text.
func plain(t *testing.T, data []byte, n Node) any {
	t.Helper()
	switch n.Kind() {
	case Null:
		return nil
	case Bool:
		v, _ := n.Bool()
		return v
	case Number:
		s, _ := n.Scalar()
		return json.Number(s)
	case String:
		s, _ := n.String()
		return s
	case Array:
		list := []any{}
		for item := range n.Items() {
			list = append(list, plain(t, data, item))
		}
		return list
	}
	object := map[string]any{}
	for m := range n.Members() {
		var name string
		if err := json.Unmarshal(data[m.Offset:m.NameEnd], &name); err != nil || name != m.Name {
			t.Fatalf("member %q isn't at its offsets %d-%d", m.Name, m.Offset, m.NameEnd)
		}
		if n.Get(m.Name) != m.Value {
			t.Fatalf("Get(%q) isn't the member", m.Name)
		}
		object[m.Name] = plain(t, data, m.Value)
	}
	return object
}
