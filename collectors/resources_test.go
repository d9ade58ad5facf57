package collectors

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
)

func TestPoliciesOf(t *testing.T) {
	a, b := document(`{"a":1}`), document(`{"b":2}`)
	tests := []struct {
		name string
		all  []document
		want string
	}{
		{"none", nil, "null"},
		{"none but those that aren't there", []document{noPolicy, noPolicy}, "null"},
		{"one", []document{noPolicy, a}, `{"a":1}`},
		{"several, in their order", []document{b, noPolicy, a}, `[{"b":2},{"a":1}]`},
		{"one that isn't JSON", []document{documentOf("no"), a}, `["no",{"a":1}]`},
	}
	for _, tt := range tests {
		if got := string(policiesOf(tt.all...)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestHasPolicy: known to be absent is one thing (rule U19), not known is another (rule U6).
func TestHasPolicy(t *testing.T) {
	tests := []struct {
		name           string
		err            error
		has            bool
		policy, status string
	}{
		{"there is one", nil, true, "", ""},
		{"there is none", &smithy.GenericAPIError{Code: "NoSuchPolicy"}, false, "null", ""},
		{"denied", &smithy.GenericAPIError{Code: "AccessDenied"}, false, "", statusDenied},
		{"another error of AWS's", &smithy.GenericAPIError{Code: "NoSuchThing"}, false, "", statusError},
		{"another error", errors.New("no network"), false, "", statusError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &collection{found: &found{}}
			i := newItem("arn:aws:x:::y", "y")
			if has := c.hasPolicy(i, "x:GetPolicy", tt.err, "NoSuchPolicy"); has != tt.has {
				t.Errorf("hasPolicy = %v, want %v", has, tt.has)
			}
			if string(i.Policy) != tt.policy || i.Status != tt.status {
				t.Errorf("policy %s, status %q; want %s, %q", i.Policy, i.Status, tt.policy, tt.status)
			}
			if lost := tt.status != ""; (len(c.gaps) == 1) != lost {
				t.Errorf("gaps: %v", c.gaps)
			}
		})
	}
}
