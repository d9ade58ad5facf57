package serviceref

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMultivaluedKeys holds the list to the services that it was made from.
func TestMultivaluedKeys(t *testing.T) {
	var want []string
	for _, prefix := range Prefixes() {
		s, _ := Lookup(prefix)
		for i := range s.Keys {
			if s.Keys[i].Multivalued() {
				want = append(want, strings.ToLower(s.Keys[i].Name))
			}
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if diff := cmp.Diff(want, strings.Fields(multivaluedKeys)); diff != "" {
		t.Errorf("multivalued.txt isn't what go generate makes of the reference (-want +got):\n%s", diff)
	}
}

func TestMultivalued(t *testing.T) {
	for name, want := range map[string]bool{
		"aws:TagKeys": true, "AWS:tagkeys": true, "aws:CalledVia": true, "aws:PrincipalOrgPaths": true, "dynamodb:LeadingKeys": true,
		"kms:EncryptionContextKeys": true, "events:metadata/x": true, "token.example.com:amr": true, "cognito-identity.amazonaws.com:amr": true,
		"aws:SourceIp": false, "aws:PrincipalOrgID": false, "s3:prefix": false, "events:metadata/": false, "svc:amr": false, "": false,
		"aws:RequestTag/tagkeys": false,
	} {
		if got := Multivalued(name); got != want {
			t.Errorf("Multivalued(%q) = %v, want %v", name, got, want)
		}
	}
}
