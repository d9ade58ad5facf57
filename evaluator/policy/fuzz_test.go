package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var fuzzSeeds = []string{
	`{"Version":"2012-10-17","Statement":[{"Sid":"s","Effect":"Allow","Action":["a:b"],"Resource":"*","Condition":{"Bool":{"k":[true,1.0]}}}]}`,
	"{\n\"Id\":\"é\",\n \"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[\"*\"],\"Service\":\"\\u0073\"},\"NotAction\":\"x\"}}\n",
	`{"Statement":[],"Statement":{}}`,
	"\xef\xbb\xbf{\"Statement\":[{\"effect\":5}]}",
	`{"Statement":[{}]} {}`,
	"{\"Version\":\"2012-10-17\"\n\"Statement\":[]}",
	`{"Statement":"\xff"`,
}

// FuzzParse: what is read stands where its position says, errors have a place
// in the text, and neither depends on where in a file the document is.
func FuzzParse(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse("f", data)
		if err != nil {
			if doc != nil {
				t.Fatal("both a document and an error")
			}
			checkSyntaxErrors(t, data, err)
			return
		}
		if doc.Text[0] != '{' || !bytes.HasPrefix(data[offsetOf(t, data, doc.Pos):], doc.Text) {
			t.Fatalf("text at %v isn't %q", doc.Pos, doc.Text)
		}
		for _, text := range texts(doc) {
			checkText(t, data, text)
		}
		for _, p := range positions(reflect.ValueOf(doc)) {
			if !p.IsZero() {
				offsetOf(t, data, p)
			}
		}
		for i, s := range doc.Statements {
			if s.Index != i || data[offsetOf(t, data, s.Pos)] != '{' {
				t.Fatalf("statement %d is %d at %v", i, s.Index, s.Pos)
			}
			if s.Effect == NoEffect && len(s.Defects) == 0 {
				t.Fatal("no Effect and no defect")
			}
			if (s.Action == nil) == (s.NotAction == nil) && len(s.Defects) == 0 {
				t.Fatal("not one of Action and NotAction, and no defect")
			}
		}

		const before = "[\n é "
		inside := NewFile("f", []byte(before+string(doc.Text)+"] x"))
		again, err := inside.Parse(len(before))
		if err != nil {
			t.Fatalf("inside a file: %v", err)
		}
		if diff := cmp.Diff(doc, again, ignorePos); diff != "" {
			t.Fatalf("inside a file (-alone +inside):\n%s", diff)
		}
		for _, text := range texts(again) {
			checkText(t, inside.Data, text)
		}
	})
}

// FuzzParseString: a string's document is the file's, URL-encoded or not, with
// all of it at the place of the string.
func FuzzParseString(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add(s)
		f.Add(url.PathEscape(s))
	}
	f.Add("%7B+%zz")
	f.Fuzz(func(t *testing.T, s string) {
		where := Pos{"g", 3, 4}
		doc, err := ParseString(where, s)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Pos != where {
				t.Fatalf("error %v isn't at the string", err)
			}
		} else {
			for _, p := range positions(reflect.ValueOf(doc)) {
				if !p.IsZero() && p != where {
					t.Fatalf("position %v", p)
				}
			}
		}
		alone, aloneErr := Parse("f", []byte(s))
		if aloneErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("as a file it is a document, as a string: %v", err)
		}
		if diff := cmp.Diff(alone, doc, ignorePos); diff != "" {
			t.Fatalf("(-file +string):\n%s", diff)
		}
		encoded, err := ParseString(where, url.PathEscape(s))
		if err != nil {
			t.Fatalf("encoded: %v", err)
		}
		if diff := cmp.Diff(doc, encoded); diff != "" {
			t.Fatalf("(-plain +encoded):\n%s", diff)
		}
	})
}

var ignorePos = cmpopts.IgnoreTypes(Pos{})

// offsetOf finds a position the slow way, and fails if it isn't in the text.
func offsetOf(t *testing.T, data []byte, p Pos) int {
	t.Helper()
	lines := bytes.SplitAfter(data, []byte("\n"))
	if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > len(lines[p.Line-1])+1 {
		t.Fatalf("%v isn't in the text", p)
	}
	offset := p.Col - 1
	for _, l := range lines[:p.Line-1] {
		offset += len(l)
	}
	return offset
}

// checkText fails unless the JSON value at the text's position is the text.
func checkText(t *testing.T, data []byte, text Text) {
	t.Helper()
	if text.Pos.IsZero() {
		if text.Value != "" {
			t.Fatalf("%q has no position", text.Value)
		}
		return
	}
	dec := json.NewDecoder(bytes.NewReader(data[offsetOf(t, data, text.Pos):]))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		t.Fatalf("at %v: %v", text.Pos, err)
	}
	got := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
	} else if text.Value == "" {
		return // an element of a wrong type: a defect
	}
	if got != text.Value {
		t.Fatalf("at %v is %s, not %q", text.Pos, raw, text.Value)
	}
}

// texts returns every Text of a document.
func texts(doc *Document) []Text {
	all := []Text{doc.Version, doc.ID}
	for _, s := range doc.Statements {
		all = append(all, s.Sid)
		if s.Effect != NoEffect {
			all = append(all, Text{s.Effect.String(), s.EffectPos})
		}
		for _, l := range []*List{s.Action, s.NotAction, s.Resource, s.NotResource} {
			if l != nil {
				all = append(all, l.Values...)
			}
		}
		for _, p := range []*Principals{s.Principal, s.NotPrincipal} {
			if p != nil {
				for _, e := range p.Entries {
					all = append(all, e.Value)
				}
			}
		}
		for _, c := range s.Condition {
			all = append(all, c.Key, Text{c.Operator, c.OperatorPos})
			all = append(all, c.Values...)
		}
	}
	return all
}

// positions returns every Pos within v.
func positions(v reflect.Value) []Pos {
	if p, ok := v.Interface().(Pos); ok {
		return []Pos{p}
	}
	var all []Pos
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			all = positions(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			all = append(all, positions(v.Field(i))...)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			break
		}
		for i := range v.Len() {
			all = append(all, positions(v.Index(i))...)
		}
	}
	return all
}

// checkSyntaxErrors fails unless err is *SyntaxErrors alone, with places in the text.
func checkSyntaxErrors(t *testing.T, data []byte, err error) {
	t.Helper()
	list := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		list = several.Unwrap()
	}
	for _, e := range list {
		var syntax *SyntaxError
		if !errors.As(e, &syntax) || syntax.Msg == "" || len(syntax.Msg) > 1000 {
			t.Fatalf("error %T %v", e, e)
		}
		offsetOf(t, data, syntax.Pos)
	}
}
