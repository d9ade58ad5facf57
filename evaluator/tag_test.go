package evaluator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTagValues: two tags whose keys differ only in case leave the context key's value unknown (rule C3).
func TestTagValues(t *testing.T) {
	text := func(s string) *string { return &s }
	present := func(name, value string) ContextValue {
		return ContextValue{Name: name, State: Present, Values: []string{value}}
	}
	tests := []struct {
		name string
		tags map[string]*string
		want []ContextValue
	}{
		{"none", nil, nil},
		{"one each", map[string]*string{"team": text("red"), "Dept": text("eng")}, []ContextValue{present("aws:RequestTag/Dept", "eng"), present("aws:RequestTag/team", "red")}},
		{"an empty value is one", map[string]*string{"team": text("")}, []ContextValue{present("aws:RequestTag/team", "")}},
		{"a value that nobody knows", map[string]*string{"team": nil}, []ContextValue{{Name: "aws:RequestTag/team", State: PresentUnknown}}},
		{"C3: they differ only in case", map[string]*string{"dept": text("eng"), "Dept": text("ops"), "x": text("1")}, []ContextValue{{Name: "aws:RequestTag/Dept", State: PresentUnknown}, present("aws:RequestTag/x", "1")}},
		{"C3: three of them", map[string]*string{"dept": text("a"), "Dept": text("b"), "DEPT": text("c")}, []ContextValue{{Name: "aws:RequestTag/DEPT", State: PresentUnknown}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, TagValues("aws:RequestTag/", tt.tags)); diff != "" {
			t.Errorf("TagValues of %s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestCollidingTagsAreUndecided: whichever value AWS takes of two tags, the answer isn't definite (rules C3, U8).
func TestCollidingTagsAreUndecided(t *testing.T) {
	eng, ops := "eng", "ops"
	for _, operator := range []string{"StringEquals", "StringNotEquals"} {
		req := Request{Principal: Principal{Type: User, ARN: "arn:aws:iam::111111111111:user/u", Account: "111111111111"}, Action: "s3:GetObject",
			Resource: Resource{ARN: "arn:aws:s3:::b/k", Account: "111111111111"}}
		for _, v := range TagValues("aws:PrincipalTag/", map[string]*string{"Dept": &eng, "dept": &ops}) {
			req.Context.Put(v)
		}
		p := Policies{Identity: layerOf(t, "p", "inline", "", doc{allow("", "*", "*", when(operator, "aws:principaltag/DEPT", "eng"))})}
		if got := Evaluate(&req, &p); got != Indeterminate {
			t.Errorf("C3: %s of two tags: %v, want %v", operator, got, Indeterminate)
		}
	}
}

func TestCollidingTags(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"aws:PrincipalTag/Dept", "aws:PrincipalTag/dept", true},
		{"aws:PrincipalTag/Dept", "aws:principaltag/dept", true},
		{"s3:ExistingObjectTag/a", "s3:ExistingObjectTag/A", true},
		{"aws:PrincipalTag/Dept", "aws:principaltag/Dept", false},
		{"aws:PrincipalTag/Dept", "aws:RequestTag/dept", false},
		{"aws:PrincipalTag/Dept", "aws:PrincipalTag/team", false},
		{"aws:SourceIp", "aws:sourceip", false},
	} {
		if got := CollidingTags(tt.a, tt.b); got != tt.want {
			t.Errorf("C3: CollidingTags(%q, %q) = %t, want %t", tt.a, tt.b, got, tt.want)
		}
	}
}
