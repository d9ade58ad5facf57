package correlate

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// A relation says how a derived resource and the one that AWS named go together, from the best down.
type relation int8

const (
	equal         relation = iota
	contained              // AWS's is one of those that the derived pattern stands for
	typeWildcard           // AWS named all of the type that the derived one is of (T65)
	notKnown               // nothing was derived
	contradicting          // a defect
)

func relate(r *Request, named string) relation {
	arn := r.Resource.ARN
	switch {
	case arn == named && !r.Resource.Pattern:
		return equal
	case arn == "*" && r.Resource.Pattern:
		return notKnown
	case r.Resource.Pattern && wildcardMatch(arn, named):
		return contained
	case strings.HasSuffix(named, "*") && wildcardMatch(named, arn):
		return typeWildcard
	}
	return contradicting
}

// wildcardMatch reports whether s is pattern with something for each *, the slow and obvious way.
func wildcardMatch(pattern, s string) bool {
	before, after, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == s
	}
	s, ok = strings.CutPrefix(s, before)
	for i := 0; ok && i <= len(s); i++ {
		if wildcardMatch(after, s[i:]) {
			return true
		}
	}
	return false
}

// TestDerivedActions: what is derived from real denials without their messages is what the messages named: the
// action, and the resource or something that it may be.
func TestDerivedActions(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED isn't set: no denials")
	}
	f, err := os.Open(filepath.Join(shared, "data", "cloudtrail", "actions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type figures struct{ Records, Actions, Stated, Equal, Contained, TypeWildcard, Unknown int }
	got := map[string]*figures{"real": {}, "edited": {}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	for n := 1; lines.Scan(); n++ {
		var record struct {
			Quality string
			Event   json.RawMessage
			Truth   struct{ Action, Resource, Principal string }
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		sum := got[record.Quality]
		if sum == nil {
			t.Fatalf("line %d: quality %q", n, record.Quality)
		}
		e, err := DecodeEvent(record.Event)
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		denials := DenialsOf(e, true)
		if len(denials) != 1 || len(denials[0].Requests()) == 0 {
			t.Errorf("line %d: %s: %d denials", n, e.Name, len(denials))
			continue
		}
		sum.Records++
		requests := denials[0].Requests()
		if strings.EqualFold(requests[0].Action, record.Truth.Action) {
			sum.Actions++
		} else if record.Quality == "real" {
			t.Errorf("line %d: action %s, AWS named %s", n, requests[0].Action, record.Truth.Action)
		}
		if record.Truth.Resource == "" || !strings.EqualFold(requests[0].Action, record.Truth.Action) {
			continue
		}
		sum.Stated++
		// The publisher masked some accounts one way in the record and another in the message: the caller is the same.
		if caller, ok := splitARN(record.Truth.Principal); ok && caller.account != e.Identity.Account && e.Identity.Account != "" {
			record.Truth.Resource = strings.Replace(record.Truth.Resource, ":"+caller.account+":", ":"+e.Identity.Account+":", 1)
		}
		best := contradicting
		for i := range requests {
			if !strings.EqualFold(requests[i].Action, record.Truth.Action) {
				continue
			}
			rel := relate(&requests[i], record.Truth.Resource)
			best = min(best, rel)
			if rel == contradicting && !requests[i].Resource.Pattern && sameKind(requests[i].Resource.ARN, record.Truth.Resource) {
				t.Errorf("line %d: %s on %s, AWS named %s", n, requests[i].Action, requests[i].Resource.ARN, record.Truth.Resource)
			}
		}
		switch best {
		case equal:
			sum.Equal++
		case contained:
			sum.Contained++
		case typeWildcard:
			sum.TypeWildcard++
		case notKnown:
			sum.Unknown++
		default:
			t.Errorf("line %d: %s on %s (%s), AWS named %s", n, requests[0].Action, requests[0].Resource.ARN, requests[0].ResourceSource, record.Truth.Resource)
		}
		if record.Quality == "real" && requests[0].ActionSource == apicall.FromGuess {
			t.Errorf("line %d: %s is a guess", n, requests[0].Action)
		}
	}
	want := map[string]*figures{
		"real":   {Records: 70, Actions: 70, Stated: 70, Equal: 4, Contained: 19, TypeWildcard: 47},
		"edited": {Records: 17, Actions: 14, Stated: 2, Contained: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got)\n%s", diff)
	}
	for quality, sum := range got {
		t.Logf("%s: %+v", quality, *sum)
	}
}

// sameKind reports whether two ARNs are of one service and type.
func sameKind(a, b string) bool {
	x, ok1 := splitARN(a)
	y, ok2 := splitARN(b)
	return ok1 && ok2 && x.service == y.service && x.kind() == y.kind() && x.kind() != ""
}
