package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// at is a position in the file that the tests parse.
func at(line, col int) Pos { return Pos{"p.json", line, col} }

func TestParseWholeDocument(t *testing.T) {
	const text = `{
  "Version": "2012-10-17",
  "Id": "é1", "Statement": [
    {
      "Sid": "A b",
      "Effect": "Allow",
      "Principal": {"AWS": ["123456789012", "*"],
        "Service": "s3.amazonaws.com"},
      "Action": ["s3:Get*", "s3:Put*"],
      "NotResource": "arn:aws:s3:::é/*",
      "Condition": {
        "StringEquals": {"aws:x": ["é", "b"], "AWS:X": "c"},
        "NumericLessThan": {"n": [10, 10.0, 1E3]}, "Bool": {"b": true}, "ForAllValues:StringLike": {"t": []}
      }
    }, {"Effect":"Deny","NotPrincipal":"*","NotAction":[],"Resource":"*","Condition":{"Null":{}}}
  ]
}
`
	want := &Document{
		Pos:     at(1, 1),
		Version: Text{"2012-10-17", at(2, 14)},
		ID:      Text{"é1", at(3, 9)},
		Statements: []Statement{{
			Index: 0, Pos: at(4, 5),
			Sid:    Text{"A b", at(5, 14)},
			Effect: Allow, EffectPos: at(6, 17),
			Principal: &Principals{at(7, 20), []PrincipalEntry{
				{"AWS", Text{"123456789012", at(7, 29)}},
				{"AWS", Text{"*", at(7, 45)}},
				{"Service", Text{"s3.amazonaws.com", at(8, 20)}},
			}},
			Action:      &List{at(9, 17), []Text{{"s3:Get*", at(9, 18)}, {"s3:Put*", at(9, 29)}}},
			NotResource: &List{at(10, 22), []Text{{"arn:aws:s3:::é/*", at(10, 22)}}},
			Condition: []Condition{
				{"StringEquals", at(12, 9), Text{"aws:x", at(12, 26)}, []Text{{"é", at(12, 36)}, {"b", at(12, 42)}}}, // é is two bytes
				{"StringEquals", at(12, 9), Text{"AWS:X", at(12, 48)}, []Text{{"c", at(12, 57)}}},
				{"NumericLessThan", at(13, 9), Text{"n", at(13, 29)}, []Text{{"10", at(13, 35)}, {"10.0", at(13, 39)}, {"1E3", at(13, 45)}}},
				{"Bool", at(13, 52), Text{"b", at(13, 61)}, []Text{{"true", at(13, 66)}}},
				{"ForAllValues:StringLike", at(13, 73), Text{"t", at(13, 101)}, []Text{}},
			},
			ConditionPos: at(11, 20),
		}, {
			Index: 1, Pos: at(15, 8),
			Effect: Deny, EffectPos: at(15, 18),
			NotPrincipal: &Principals{at(15, 40), []PrincipalEntry{{"AWS", Text{"*", at(15, 40)}}}},
			NotAction:    &List{at(15, 56), []Text{}},
			Resource:     &List{at(15, 70), []Text{{"*", at(15, 70)}}},
			Condition:    []Condition{},
			ConditionPos: at(15, 86),
		}},
		Text: []byte(strings.TrimSpace(text)),
	}
	got, err := Parse("p.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

// TestInvalid has what makes the text no policy document.
func TestInvalid(t *testing.T) {
	const ok = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, c := range []struct{ name, text, want string }{
		{"empty file", "", "p.json:1:1: the text ends too early: expected a JSON value"},
		{"not JSON", "Version: 2012-10-17\n", "p.json:1:1: expected a JSON value, found 'V'"},
		{"missing comma", "{\n  \"Version\": \"2012-10-17\"\n  \"Statement\": []\n}",
			`p.json:3:3: expected ',' or '}', found '"' (the value before it ends at 2:26)`},
		{"trailing comma", "{\n  \"Statement\": [],\n}", "p.json:3:1: expected a member name after ',', found '}'"},
		{"column counts bytes", "{\"Id\": \"éé\" x}", "p.json:1:15: expected ',' or '}', found 'x' (the value before it ends at 1:14)"},
		{"comment", "{\"Statement\":[\n // none\n]}", "p.json:2:2: expected a value or ']', found a comment, which JSON doesn't have"},
		{"invalid UTF-8", "{\n\"Id\":\"a\xff\",\"Statement\":[]}", "p.json:2:8: invalid UTF-8"},
		{"control character in string", "{\"Id\":\"a\nb\",\"Statement\":[]}", `p.json:1:9: invalid character '\n' in string (expecting non-control character)`},
		{"cut off", "{\"Statement\":[\n", "p.json:2:1: the text ends too early: expected a value or ']'"},
		{"too deep", strings.Repeat("[", 33), "p.json:1:33: nested deeper than 32 levels"},
		{"too deep in a document", `{"Statement":` + strings.Repeat(`{"a":`, 40), "p.json:1:169: nested deeper than 32 levels"},
		{"too large", `{"Id":"` + strings.Repeat("x", 1<<20) + `","Statement":[]}`, "p.json:1:1: value is larger than 1048576 bytes"},

		{"G1: array", `[]`, "p.json:1:1: expected a policy document, which is one JSON object, found an array"},
		{"G1: string", ` "x"`, "p.json:1:2: expected a policy document, which is one JSON object, found a string"},
		{"G1: null", `null`, "p.json:1:1: expected a policy document, which is one JSON object, found null"},
		{"G1: two objects", `{"Statement":[]}` + "\n" + `{"Statement":[]}`, "p.json:2:1: expected nothing after the policy document, found '{'"},
		{"G1: text after the object", `{"Statement":[]},`, "p.json:1:17: expected nothing after the policy document, found ','"},
		{"G1: no Statement", ` {"Version":"2012-10-17"}`, "p.json:1:2: policy document has no Statement"},
		{"G1, G6: statement", `{"statement":[]}`, `p.json:1:1: policy document has no Statement ("statement" isn't Statement)`},
		{"G1: Statement is a string", `{"Statement":"x"}`, "p.json:1:14: Statement is a string: expected an object or an array of objects"},
		{"G1: Statement is null", `{"Statement":null}`, "p.json:1:14: Statement is null: expected an object or an array of objects"},
		{"G1: item is a number", `{"Statement":[` + ok + `,5]}`, "p.json:1:62: a statement is a number: expected an object"},

		{"G7: at the top", `{"Version":"2012-10-17","Statement":[],` + "\n" + ` "Version":"2008-10-17"}`,
			`p.json:2:2: member name "Version" is used twice in one object (first at 1:2)`},
		{"G7: in a statement", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",` + "\n" + `"Effect":"Deny"}}`,
			`p.json:2:1: member name "Effect" is used twice in one object (first at 1:15)`},
		{"G7: operator", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{},` + "\n" + `"Bool":{}}}}`,
			`p.json:2:1: member name "Bool" is used twice in one object (first at 1:73)`},
		{"G7: condition key", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"true",` + "\n" + `"a":"false"}}}}`,
			`p.json:2:1: member name "a" is used twice in one object (first at 1:81)`},
		{"G7: written otherwise", `{"Statement":[],` + "\n" + `"\u0053tatement":[]}`,
			`p.json:2:1: member name "Statement" is used twice in one object (first at 1:2)`},
		{"G7: in an unknown element", `{"Statement":[],"x":[{"y":1,` + "\n" + `"y":1}]}`,
			`p.json:2:1: member name "y" is used twice in one object (first at 1:23)`},

		{"G10: another year", `{"Version":"2012-10-18","Statement":[]}`,
			`p.json:1:12: Version "2012-10-18" doesn't exist: expected "2012-10-17" or "2008-10-17"`},
		{"G10: blanks count", `{"Version":" 2012-10-17","Statement":[]}`,
			`p.json:1:12: Version " 2012-10-17" doesn't exist: expected "2012-10-17" or "2008-10-17"`},
		{"G10: empty", `{"Version":"","Statement":[]}`,
			`p.json:1:12: Version "" doesn't exist: expected "2012-10-17" or "2008-10-17"`},
		{"G10: number", `{"Version":2012,"Statement":[]}`, `p.json:1:12: Version is a number: expected "2012-10-17" or "2008-10-17"`},

		{"several at once", `{"Version":"1","Statement":7,` + "\n" + `"Version":"1"} x`,
			`p.json:1:12: Version "1" doesn't exist: expected "2012-10-17" or "2008-10-17"
p.json:1:28: Statement is a number: expected an object or an array of objects
p.json:2:1: member name "Version" is used twice in one object (first at 1:2)
p.json:2:11: Version "1" doesn't exist: expected "2012-10-17" or "2008-10-17"
p.json:2:16: expected nothing after the policy document, found 'x'`},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Parse("p.json", []byte(c.text))
			if err == nil || doc != nil {
				t.Fatalf("document %v, error %v: want the error %s", doc, err, c.want)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("error is a %T, not a *SyntaxError", err)
			}
			if _, single := err.(*SyntaxError); single == strings.Contains(c.want, "\n") {
				t.Errorf("error is a %T", err)
			}
		})
	}
}

// TestDefects has what makes a statement, or all of a document,
// uninterpretable (rule G21) while the rest of it is read.
func TestDefects(t *testing.T) {
	for _, c := range []struct {
		name string
		text string // members of the statement; the other members that it needs are left to it
		want []string
	}{
		{"nothing", `"Effect":"Allow","Action":"a:b","Resource":"*"`, nil},
		{"G2: no Resource is for the policy type to judge", `"Effect":"Allow","Action":"a:b"`, nil},
		{"G2: order", `"Resource":"*","Action":"a:b","Effect":"Allow","Sid":""`, nil},
		{"G2: no Effect", `"Action":"a:b"`, []string{"2:2: statement has no Effect"}},
		{"G2: no Action", `"Effect":"Allow"`, []string{"2:2: statement has neither Action nor NotAction"}},
		{"G2: empty statement", ``, []string{"2:2: statement has no Effect", "2:2: statement has neither Action nor NotAction"}},
		{"G2: Action and NotAction", `"Effect":"Allow","Action":"a:b","NotAction":"a:c"`,
			[]string{"2:35: statement has both Action and NotAction: it may have one of them"}},
		{"G2: NotResource and Resource", `"Effect":"Allow","Action":"a:b","NotResource":"*","Resource":"*"`,
			[]string{"2:53: statement has both NotResource and Resource: it may have one of them"}},
		{"G2: Principal and NotPrincipal", `"Effect":"Allow","Action":"a:b","Principal":"*","NotPrincipal":"*"`,
			[]string{"2:51: statement has both Principal and NotPrincipal: it may have one of them"}},

		{"G4: null", `"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"k":null}}`,
			[]string{`2:60: condition value of "k" is null: expected a string, number, boolean or an array of them`}},
		{"G4: object", `"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"k":{}}}`,
			[]string{`2:60: condition value of "k" is an object: expected a string, number, boolean or an array of them`}},
		{"G4: nested array and null in array", `"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"k":["x",["y"],null]}}`,
			[]string{
				`2:65: an item of condition value of "k" is an array: expected a string, number or boolean`,
				`2:71: an item of condition value of "k" is null: expected a string, number or boolean`,
			}},
		{"C1: operator without an object", `"Effect":"Allow","Action":"a:b","Condition":{"Bool":"true"}`,
			[]string{`2:55: condition operator "Bool" is a string: expected an object of condition keys`}},
		{"C1: Condition without an object", `"Effect":"Allow","Action":"a:b","Condition":[]`,
			[]string{"2:47: Condition is an array: expected an object of condition operators"}},

		{"G5: allow", `"Effect":"allow","Action":"a:b"`, []string{`2:12: Effect is neither Allow nor Deny but "allow" (Allow?)`}},
		{"G5: blank", `"Effect":"Deny ","Action":"a:b"`, []string{`2:12: Effect is neither Allow nor Deny but "Deny " (Deny?)`}},
		{"G5: something else", `"Effect":"Permit","Action":"a:b"`, []string{`2:12: Effect is neither Allow nor Deny but "Permit"`}},
		{"G5: array", `"Effect":["Allow"],"Action":"a:b"`, []string{`2:12: Effect is an array: expected "Allow" or "Deny"`}},

		{"G6: Actions", `"Effect":"Allow","Actions":"a:b"`, []string{
			`2:2: statement has neither Action nor NotAction ("Actions" isn't Action)`,
			`2:20: unknown element "Actions" (Action?)`,
		}},
		{"G6: case", `"effect":"Allow","Action":"a:b"`, []string{
			`2:2: statement has no Effect ("effect" isn't Effect)`,
			`2:3: unknown element "effect" (Effect?)`,
		}},
		{"G6: swapped letters", `"Effect":"Allow","Action":"a:b","Conditoin":{}`, []string{`2:35: unknown element "Conditoin" (Condition?)`}},
		{"G6: the Not form", `"Effect":"Allow","Action":"a:b","notResources":"*"`, []string{`2:35: unknown element "notResources" (NotResource?)`}},
		{"G9: nothing like it", `"Effect":"Allow","Action":"a:b","Comment":"x"`, []string{`2:35: unknown element "Comment"`}},
		{"G9: element of the document", `"Effect":"Allow","Action":"a:b","Version":"2012-10-17"`,
			[]string{`2:35: unknown element "Version" (it belongs at the top of the document)`}},

		{"G21: Sid", `"Effect":"Allow","Action":"a:b","Sid":1`, []string{"2:41: Sid is a number: expected a string"}},
		{"G21: Action", `"Effect":"Allow","Action":null`, []string{"2:29: Action is null: expected a string or an array of strings"}},
		{"G21: item of Action", `"Effect":"Allow","Action":["a:b",true]`, []string{"2:36: an item of Action is a boolean: expected a string"}},
		{"G21: NotAction", `"Effect":"Allow","NotAction":{}`, []string{"2:32: NotAction is an object: expected a string or an array of strings"}},
		{"G21: Resource", `"Effect":"Allow","Action":"a:b","Resource":5`, []string{"2:46: Resource is a number: expected a string or an array of strings"}},
		{"G21: item of NotResource", `"Effect":"Allow","Action":"a:b","NotResource":[["x"]]`, []string{"2:50: an item of NotResource is an array: expected a string"}},

		{"P5: Service *", `"Effect":"Allow","Action":"a:b","Principal":{"Service":"*"}`, []string{`2:58: {"Service": "*"} is no principal: only AWS takes "*"`}},
		{"P5: Federated *", `"Effect":"Allow","Action":"a:b","Principal":{"Federated":["x","*"]}`, []string{`2:65: {"Federated": "*"} is no principal: only AWS takes "*"`}},
		{"P5: CanonicalUser *", `"Effect":"Allow","Action":"a:b","NotPrincipal":{"CanonicalUser":"*"}`, []string{`2:67: {"CanonicalUser": "*"} is no principal: only AWS takes "*"`}},
		{"P3: kind in another case", `"Effect":"Allow","Action":"a:b","Principal":{"aws":"1"}`,
			[]string{`2:48: unknown kind of principal "aws" (AWS?): expected one of AWS, Service, Federated, CanonicalUser`}},
		{"P3: unknown kind", `"Effect":"Allow","Action":"a:b","Principal":{"Organization":"o-1"}`,
			[]string{`2:48: unknown kind of principal "Organization": expected one of AWS, Service, Federated, CanonicalUser`}},
		{"P4: a string other than *", `"Effect":"Allow","Action":"a:b","Principal":"123456789012"`,
			[]string{`2:47: Principal is the string "123456789012": expected "*" or an object such as {"AWS": ...}`}},
		{"P4: a list", `"Effect":"Allow","Action":"a:b","Principal":["*"]`,
			[]string{`2:47: Principal is an array: expected "*" or an object such as {"AWS": ...}`}},
		{"P4: null", `"Effect":"Allow","Action":"a:b","NotPrincipal":null`,
			[]string{`2:50: NotPrincipal is null: expected "*" or an object such as {"AWS": ...}`}},
		{"P3: number", `"Effect":"Allow","Action":"a:b","Principal":{"AWS":123456789012}`,
			[]string{"2:54: Principal AWS is a number: expected a string or an array of strings"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Parse("p.json", []byte("{\"Statement\":[\n {"+c.text+"},\n"+`{"Effect":"Deny","Action":"*","Resource":"*"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range doc.AllDefects() {
				got = append(got, strings.TrimPrefix(d.String(), "p.json:"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("defects (-want +got):\n%s", diff)
			}
			if len(doc.Defects) != 0 || len(doc.Statements) != 2 || len(doc.Statements[0].Defects) != len(c.want) {
				t.Error("the defects aren't all the first statement's")
			}
		})
	}
}

func TestDocumentDefects(t *testing.T) {
	doc, err := Parse("p.json", []byte(`{"version":"2012-10-17","Statement":{"effect":"Deny","Action":"*"},"Id":{},"Effect":"Deny","x":1}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Defect{
		{at(1, 2), `unknown element "version" (Version?)`},
		{at(1, 73), "Id is an object: expected a string"},
		{at(1, 76), `unknown element "Effect" (it belongs in a statement)`},
		{at(1, 92), `unknown element "x"`},
	}
	if diff := cmp.Diff(want, doc.Defects); diff != "" {
		t.Errorf("defects of the document (-want +got):\n%s", diff)
	}
	// AllDefects has them in the order of the text, between those of the statements.
	var lines []string
	for _, d := range doc.AllDefects() {
		lines = append(lines, fmt.Sprint(d.Pos.Col))
	}
	if diff := cmp.Diff("2 37 38 73 76 92", strings.Join(lines, " ")); diff != "" {
		t.Errorf("columns of all defects (-want +got):\n%s", diff)
	}
}

// TestKept has what is read of elements, defects or not.
func TestKept(t *testing.T) {
	statement := func(t *testing.T, members string) Statement {
		t.Helper()
		doc, err := Parse("p.json", []byte(`{"Statement":{`+members+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		return doc.Statements[0]
	}
	t.Run("G3: scalar and list are the same", func(t *testing.T) {
		a := statement(t, `"Effect":"Allow","Action":"x:y","Resource":"*","Principal":{"AWS":"1"},"Condition":{"Bool":{"k":"true"}}`)
		b := statement(t, `"Effect":"Allow","Action":["x:y"],"Resource":["*"],"Principal":{"AWS":["1"]},"Condition":{"Bool":{"k":["true"]}}`)
		if diff := cmp.Diff(a, b, ignorePos); diff != "" {
			t.Errorf("(-scalar +list):\n%s", diff)
		}
	})
	t.Run("G4: numbers keep their text, booleans are words", func(t *testing.T) {
		s := statement(t, `"Condition":{"StringEquals":{"k":[10,10.0,-1e2,true,false,"x"],"l":7}}`)
		want := []Condition{
			{Operator: "StringEquals", Key: Text{Value: "k"}, Values: []Text{{Value: "10"}, {Value: "10.0"}, {Value: "-1e2"}, {Value: "true"}, {Value: "false"}, {Value: "x"}}},
			{Operator: "StringEquals", Key: Text{Value: "l"}, Values: []Text{{Value: "7"}}},
		}
		if diff := cmp.Diff(want, s.Condition, ignorePos); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("G5: misspelt Effect is neither", func(t *testing.T) {
		if s := statement(t, `"Effect":"DENY","Action":"*"`); s.Effect != NoEffect || s.EffectPos != at(1, 24) {
			t.Errorf("effect %q at %v", s.Effect, s.EffectPos)
		}
	})
	t.Run("G8: keys that differ in case are two conditions", func(t *testing.T) {
		if s := statement(t, `"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":"true","K":"false"}}`); len(s.Condition) != 2 || s.Defects != nil {
			t.Errorf("conditions %v, defects %v", s.Condition, s.Defects)
		}
	})
	t.Run("G15, G16: empty lists are lists", func(t *testing.T) {
		s := statement(t, `"Effect":"Allow","Action":[],"Resource":[],"Principal":{},"Condition":{}`)
		if s.Action == nil || s.Action.Values == nil || s.Resource == nil || s.Principal == nil || s.Principal.Entries == nil || s.Condition == nil || s.Defects != nil {
			t.Errorf("statement %+v", s)
		}
		if s := statement(t, `"Effect":"Allow","NotAction":[],"NotResource":[],"Principal":[],"Condition":{"Bool":{"k":[]}}`); s.NotAction == nil ||
			s.NotResource == nil || s.Principal == nil || s.Condition[0].Values == nil || s.Defects != nil {
			t.Errorf("statement %+v", s)
		}
		if s := statement(t, `"Effect":"Allow","Action":"*","Principal":{"AWS":[]}`); len(s.Principal.Entries) != 0 || s.Defects != nil {
			t.Errorf("statement %+v", s)
		}
		doc, err := Parse("p.json", []byte(`{"Statement":[]}`))
		if err != nil || doc.Statements == nil || len(doc.AllDefects()) != 0 {
			t.Errorf("document %+v, error %v", doc, err)
		}
	})
	t.Run("absent elements are nil", func(t *testing.T) {
		s := statement(t, `"Effect":"Allow"`)
		if s.Action != nil || s.NotAction != nil || s.Resource != nil || s.NotResource != nil || s.Principal != nil || s.NotPrincipal != nil || s.Condition != nil || !s.ConditionPos.IsZero() || !s.Sid.Pos.IsZero() {
			t.Errorf("statement %+v", s)
		}
	})
	t.Run("G18: blanks stay", func(t *testing.T) {
		if s := statement(t, `"Action":" x:y "`); s.Action.Values[0].Value != " x:y " {
			t.Errorf("action %q", s.Action.Values[0].Value)
		}
	})
	t.Run("G21: the good rest of a list stays", func(t *testing.T) {
		s := statement(t, `"Action":["a:b",1,"a:c"],"Principal":{"aws":"1","AWS":["2",3]},"Condition":{"Bool":{"k":["true",null]},"X":5}`)
		if diff := cmp.Diff(&List{Values: []Text{{Value: "a:b"}, {Value: "a:c"}}}, s.Action, ignorePos); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]PrincipalEntry{{"AWS", Text{Value: "2"}}}, s.Principal.Entries, ignorePos); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]Condition{{Operator: "Bool", Key: Text{Value: "k"}, Values: []Text{{Value: "true"}}}}, s.Condition, ignorePos); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("P4: two ways to say everyone", func(t *testing.T) {
		if diff := cmp.Diff(statement(t, `"Principal":"*"`), statement(t, `"Principal":{"AWS":"*"}`), ignorePos); diff != "" {
			t.Errorf(`(-"*" +{"AWS":"*"}):`+"\n%s", diff)
		}
	})
}

func TestFileParse(t *testing.T) {
	const text = "[{\"name\": \"é\", \"document\":\r\n  {\"Statement\":{\"Effect\":\"Deny\",\n   \"Action\":\"é:b\", \"Resource\":\"*\", \"X\":1}}, \"more\": junk"
	f := NewFile("dir/iam.json", []byte(text))
	offset := strings.Index(text, `{"Statement`)
	for _, o := range []int{offset, offset - 1} { // with blanks before it, too
		doc, err := f.Parse(o)
		if err != nil {
			t.Fatal(err)
		}
		s := doc.Statements[0]
		var got []string
		for _, p := range []Pos{doc.Pos, s.Pos, s.EffectPos, s.Action.Pos, s.Resource.Values[0].Pos, s.Defects[0].Pos} {
			got = append(got, p.String())
		}
		want := []string{"dir/iam.json:2:3", "dir/iam.json:2:16", "dir/iam.json:2:26", "dir/iam.json:3:13", "dir/iam.json:3:32", "dir/iam.json:3:37"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("positions (-want +got):\n%s", diff)
		}
		if want := text[offset:strings.Index(text, `, "more"`)]; string(doc.Text) != want {
			t.Errorf("text %q, want %q", doc.Text, want)
		}
	}
	for _, c := range []struct {
		offset int
		want   string
	}{
		{1, "dir/iam.json:3:54: expected a value after ':', found 'j'"},
		{strings.Index(text, `"é`), "dir/iam.json:1:11: expected a policy document, which is one JSON object, found a string"},
		{len(text), "dir/iam.json:3:58: the text ends too early: expected a JSON value"},
		{-1, "dir/iam.json:1:1: no document at offset -1 of 119 bytes"},
		{1000, "dir/iam.json:3:58: no document at offset 1000 of 119 bytes"},
	} {
		_, err := f.Parse(c.offset)
		if err == nil || err.Error() != c.want {
			t.Errorf("at %d: error %v, want %s", c.offset, err, c.want)
		}
	}
}

// TestFileParseBounds: a document's size is its own, not its file's.
func TestFileParseBounds(t *testing.T) {
	small := `{"Statement":[]}`
	padding := strings.Repeat(" ", 1<<20)
	f := NewFile("f", []byte(padding+small+padding))
	if _, err := f.Parse(len(padding)); err != nil {
		t.Error(err)
	}
	if _, err := NewFile("f", []byte("{"+padding+small[1:])).Parse(0); err == nil {
		t.Error("a document larger than 1 MiB is read")
	}
}

func TestFilePos(t *testing.T) {
	f := NewFile("f", []byte("ab\n\né\n"))
	var got []string
	for o := -1; o <= 8; o++ {
		got = append(got, f.Pos(o).String())
	}
	want := []string{"f:1:1", "f:1:1", "f:1:2", "f:1:3", "f:2:1", "f:3:1", "f:3:2", "f:3:3", "f:4:1", "f:4:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
	if got := NewFile("f", nil).Pos(0).String(); got != "f:1:1" {
		t.Errorf("empty file: %s", got)
	}
}

func TestByteOrderMark(t *testing.T) {
	doc, err := Parse("p.json", []byte("\xef\xbb\xbf{\"Statement\":[]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Pos != at(1, 4) || string(doc.Text) != `{"Statement":[]}` {
		t.Errorf("document at %v: %q", doc.Pos, doc.Text)
	}
}

func TestParseString(t *testing.T) {
	where := Pos{"events.json", 7, 9}
	const plain = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a+b:%2A","Resource":"é"}}`
	const encoded = `%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C` +
		`%22Action%22%3A%22a+b%3A%252A%22%2C%22Resource%22%3A%22%c3%A9%22%7D%7D`
	for _, c := range []struct{ name, text string }{
		{"plain", plain},
		{"plain after blanks", "\n\t " + plain + "\n"},
		{"plain after a byte order mark", "\xef\xbb\xbf" + plain},
		{"URL-encoded", encoded},
		{"URL-encoded with blanks", "%0A%20" + encoded + "%20%0a"},
		{"braces alone not encoded", strings.NewReplacer(`"`, "%22", "{", "%7B", "%2A", "%252A").Replace(plain)},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := ParseString(where, c.text)
			if err != nil {
				t.Fatal(err)
			}
			want := &Document{
				Pos:     where,
				Version: Text{"2012-10-17", where},
				Statements: []Statement{{
					Pos: where, Effect: Allow, EffectPos: where,
					Action:   &List{where, []Text{{"a+b:%2A", where}}},
					Resource: &List{where, []Text{{"é", where}}},
				}},
				Text: []byte(plain),
			}
			if diff := cmp.Diff(want, doc); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
		})
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "events.json:7:9: the text ends too early: expected a JSON value (at 1:1 of the document in this string)"},
		{"bad escape", "%7B%zz", `events.json:7:9: neither a JSON object nor one that is URL-encoded: invalid URL escape "%zz"`},
		{"something else", "xyz", "events.json:7:9: expected a JSON value, found 'x' (at 1:1 of the document in this string)"},
		{"plus is no blank", "%7B+%22", "events.json:7:9: expected a member name or '}', found '+' (at 1:2 of the document in this string)"},
		{"missing comma", "{\"Id\":\"x\"\n \"Statement\":[]}",
			`events.json:7:9: expected ',' or '}', found '"' (the value before it ends at 1:10) (at 2:2 of the document in this string)`},
		{"duplicate", `{"Statement":[],"Statement":[]}`,
			`events.json:7:9: member name "Statement" is used twice in one object (first at 1:2) (at 1:17 of the document in this string)`},
		{"more than a document", `{"Statement":[]}{}`,
			`events.json:7:9: expected nothing after the policy document, found '{' (at 1:17 of the document in this string)`},
		{"encoded twice", strings.ReplaceAll(encoded, "%", "%25"),
			"events.json:7:9: expected a JSON value, found '%' (at 1:1 of the document in this string)"},
		{"too large", strings.Repeat("%20", 2<<20), "events.json:7:9: string of 6291456 bytes is too large to be a policy document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := ParseString(where, c.text)
			if doc != nil || err == nil || err.Error() != c.want {
				t.Errorf("document %v, error %v: want %s", doc, err, c.want)
			}
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Pos != where {
				t.Errorf("error is a %T", err)
			}
		})
	}
}

// TestBoundedReports: what is said of a text doesn't grow with the text.
func TestBoundedReports(t *testing.T) {
	doc, err := Parse("p.json", []byte(`{"Statement":{"Effect":"Allow","Action":[`+strings.Repeat("1,", 1000)+`1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	all := doc.Statements[0].Defects
	if want := (Defect{at(1, 242), "there are more defects, from here on not listed"}); len(all) != 101 || all[100] != want {
		t.Errorf("%d defects, the last of them %v: want 101, the last %v", len(all), all[len(all)-1], want)
	}
	_, err = Parse("p.json", []byte(`{"Statement":[`+strings.Repeat("1,", 1000)+`1]}`))
	if want := "p.json:1:53: a statement is a number: expected an object; there are 981 more errors"; err == nil ||
		strings.Count(err.Error(), "\n") != 19 || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want 20 lines that end with %s", err, want)
	}
}

func TestSuggest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"action", " (Action?)"},
		{"ACTION", " (Action?)"},
		{"Actoin", " (Action?)"},
		{"NotActions", " (NotAction?)"},
		{"Resources", " (Resource?)"},
		{"SID", " (Sid?)"},
		{"Id", " (Sid?)"},
		{"Conditions", " (Condition?)"},
		{"Xyz", ""},
		{"", ""},
		{strings.Repeat("Action", 1000), ""},
	} {
		if got := suggest(c.name, statementElements); got != c.want {
			t.Errorf("%.20q: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEffectString(t *testing.T) {
	for e, want := range map[Effect]string{Allow: "Allow", Deny: "Deny", NoEffect: ""} {
		if e.String() != want {
			t.Errorf("got %q, want %q", e, want)
		}
	}
}
