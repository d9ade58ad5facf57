package collectors

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// decidesNothing are the calls, by part, on which no check of the test's resources hangs, as rootMay asks.
var decidesNothing = map[string][]string{
	// Two policies count, of which the evaluator doesn't know how: indeterminate, whatever is known of them.
	"codeartifact": {"GetRepositoryPermissionsPolicy", "ListRepositories"},
	"s3express":    {"GetAccessPointPolicy", "GetAccessPointScope", "ListAccessPointsForDirectoryBuckets"},
	"s3tables":     {"GetTablePolicy", "ListTables"},
	"vpc-lattice":  {"GetAuthPolicy", "GetResourcePolicy", "GetService", "GetServiceNetwork", "ListResourceConfigurations", "ListServiceNetworks", "ListServices"},
	// The key's policy denies already; and no key's ARN has to be found by an alias.
	"kms": {"DescribeKey", "ListAliases", "ListGrants"},
	// URLs have no policies of their own, and shares none at all.
	"lambda": {"ListFunctionUrlConfigs"},
	"ram":    {"GetResourceShares", "ListPrincipals", "ListResources"},
	// The bucket behind the access point denies already; what else guards a bucket is nothing to the root user of its account.
	"s3": {"GetAccessPointPolicy", "GetBucketAbac", "GetBucketAcl", "GetBucketOwnershipControls", "S3 Control GetPublicAccessBlock", "S3 GetPublicAccessBlock"},
}

// TestChecksAfterDenial: whichever call is denied, doctor has its action, and a check is decided as if nothing were
// denied, or it is indeterminate and names the call (rule U6).
func TestChecksAfterDenial(t *testing.T) {
	for _, s := range serviceTests {
		rows := []*part{&iamPart, &organizationPart, s.part}
		whole, _ := collectWith(t, s, nil, rows)
		var idle []string
		for _, operation := range slices.Sorted(maps.Keys(s.answers)) {
			name := s.part.word() + " " + operation
			snap, gaps := collectWith(t, s, always(operation, denial), rows)
			if len(gaps) == 0 {
				t.Errorf("%s: snapshot.json doesn't have it", name)
			}
			lacks := snap.Lacks(snapshot.LackOptions{Collectable: []string{"iam", "organization", s.part.word()}, Now: testTime})
			for _, g := range gaps {
				if !tells(lacks, g) {
					t.Errorf("%s: doctor doesn't tell of %s on %q: %+v", name, g.Action, g.Resource, lacks)
				}
			}
			undecided := false
			for arn := range itemsOf(t, s.want) {
				was, _ := rootMay(t, whole, arn)
				is, missing := rootMay(t, snap, arn)
				named := slices.ContainsFunc(gaps, func(g gap) bool { return strings.Contains(missing, g.Action) || strings.Contains(missing, g.Reason) })
				if is != was && (is != evaluator.Indeterminate || !named) {
					t.Errorf("%s: %s: %v, and %v if all goes well; missing: %q", name, arn, is, was, missing)
				}
				undecided = undecided || is == evaluator.Indeterminate && named
			}
			if !undecided {
				idle = append(idle, operation)
			}
		}
		if want := decidesNothing[s.part.word()]; !slices.Equal(idle, want) {
			t.Errorf("%s: no check hangs on %q, want %q", s.part.word(), idle, want)
		}
	}
}

// collectWith collects a service beside an account that is in no organisation, and returns the gaps of the service's part.
func collectWith(t *testing.T, s *serviceTest, instead func(string) awsfake.Handler, rows []*part) (*snapshot.Snapshot, []gap) {
	t.Helper()
	f := s.fake(instead)
	f.Handle("organizations", "DescribeOrganization", func(*awsfake.Call) awsfake.Reply {
		return awsfake.Error("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	})
	f.Handle("iam", "GetAccountAuthorizationDetails", authorizationPages(""))
	folder := filepath.Join(t.TempDir(), "s")
	mustCollect(t, folder, testOptions(f, []string{testRegion}), rows...)
	m, err := readMetadata(folder)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, folder), m.Parts[s.part.in(testAccount)].Gaps
}

// tells reports whether one of the lacks names the call that failed, and what it was about.
func tells(lacks []snapshot.Lack, g gap) bool {
	return slices.ContainsFunc(lacks, func(l snapshot.Lack) bool {
		return slices.ContainsFunc(l.Needs, func(n snapshot.Need) bool {
			return n.Action == g.Action && (len(n.Resources) == 0 || slices.Contains(n.Resources, g.Resource))
		})
	})
}

// rootMay asks whether the account's root user, for whom the resource's policy alone decides, may
// do something to a resource; missing is what isn't known of that policy.
func rootMay(t *testing.T, s *snapshot.Snapshot, arn string) (d evaluator.Decision, missing string) {
	t.Helper()
	arn = subjectOf(arn)
	service := strings.Split(arn, ":")[2]
	req := evaluator.Request{
		Principal: evaluator.Principal{Type: evaluator.Root, ARN: "arn:aws:iam::" + testAccount + ":root", Account: testAccount},
		Action:    service + ":TagResource",
		Resource:  evaluator.Resource{ARN: arn, Account: testAccount},
	}
	s.Complete(&req)
	p, err := s.Policies(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	missing = p.Resource.Missing
	if p.Resource.Behind != nil {
		missing += "; " + p.Resource.Behind.Missing
	}
	return evaluator.Evaluate(&req, &p), missing
}

// subjectOf is a resource that an item's policy is about, if it isn't about the item itself.
func subjectOf(arn string) string {
	if id, ok := strings.CutPrefix(arn, "arn:aws:apigateway:"+testRegion+"::/restapis/"); ok {
		return "arn:aws:execute-api:" + testRegion + ":" + testAccount + ":" + id + "/prod/GET/"
	}
	if strings.Contains(arn, ":resource-policy:") {
		return "arn:aws:logs:" + testRegion + ":" + testAccount + ":log-group:g"
	}
	return arn
}
