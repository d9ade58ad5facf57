package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

const s3File = "accounts/222222222222/resources/s3.json"

// all four settings of Block Public Access, on.
const allBlocked = `{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}`

// What guards a bucket besides its policy (rules S15 to S17), as it was collected.
func TestBucketGuards(t *testing.T) {
	objects := evaluator.ACL{State: evaluator.NotCollected, Missing: "ACLs of objects in b; s3:GetObjectAcl would tell"}
	noACL := evaluator.ACL{State: evaluator.NotCollected, Missing: "ACL of b; s3:GetBucketAcl would tell"}
	guard := func(set func(*evaluator.Bucket)) evaluator.Bucket {
		b := evaluator.Bucket{BucketACL: noACL, ObjectACL: objects}
		set(&b)
		return b
	}
	tests := []struct {
		name, extra string
		want        evaluator.Bucket
	}{
		{"S15: nothing of it collected", `{}`, evaluator.Bucket{
			ACLsEnabled: evaluator.Unknown, BucketACL: noACL, ObjectACL: objects,
			BlockPublicACLs: evaluator.Unknown, IgnorePublicACLs: evaluator.Unknown, BlockPublicPolicy: evaluator.Unknown, RestrictPublicBuckets: evaluator.Unknown,
			MissingOwnership: "whether ACLs of b are on; s3:GetBucketOwnershipControls would tell",
			MissingBlock:     "whether S3 Block Public Access guards b; s3:GetBucketPublicAccessBlock and s3:GetAccountPublicAccessBlock would tell",
		}},
		{"S17: on in the bucket, whatever the account has", `{"objectOwnership": "BucketOwnerEnforced", "publicAccessBlock": ` + allBlocked + `}`, guard(func(b *evaluator.Bucket) {
			b.BlockPublicACLs, b.IgnorePublicACLs, b.BlockPublicPolicy, b.RestrictPublicBuckets = evaluator.Matched, evaluator.Matched, evaluator.Matched, evaluator.Matched
			b.MissingBlock = "whether S3 Block Public Access guards b; s3:GetAccountPublicAccessBlock would tell"
		})},
		{"S17: on in the account", `{"objectOwnership": "BucketOwnerEnforced", "publicAccessBlock": null, "accountPublicAccessBlock":
			{"blockPublicAcls": false, "ignorePublicAcls": false, "blockPublicPolicy": false, "restrictPublicBuckets": true}}`, guard(func(b *evaluator.Bucket) {
			b.RestrictPublicBuckets = evaluator.Matched
		})},
		{"S17: off", `{"objectOwnership": "BucketOwnerEnforced", "publicAccessBlock": null, "accountPublicAccessBlock": null}`, guard(func(*evaluator.Bucket) {})},
		{"S17: off in the bucket, and nobody read the account's", `{"objectOwnership": "BucketOwnerEnforced", "publicAccessBlock": null}`, guard(func(b *evaluator.Bucket) {
			b.BlockPublicACLs, b.IgnorePublicACLs, b.BlockPublicPolicy, b.RestrictPublicBuckets = evaluator.Unknown, evaluator.Unknown, evaluator.Unknown, evaluator.Unknown
			b.MissingBlock = "whether S3 Block Public Access guards b; s3:GetAccountPublicAccessBlock would tell"
		})},
		{"S15: a bucket older than Object Ownership", `{"objectOwnership": null, "publicAccessBlock": null, "accountPublicAccessBlock": null}`, guard(func(b *evaluator.Bucket) {
			b.ACLsEnabled = evaluator.Matched
		})},
		{"S16: an ACL", `{"objectOwnership": "ObjectWriter", "publicAccessBlock": null, "accountPublicAccessBlock": null, "acl": {"Owner": {"ID": "aa"}, "Grants": [
			{"Grantee": {"Type": "CanonicalUser", "ID": "aa"}, "Permission": "FULL_CONTROL"},
			{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]}}`, guard(func(b *evaluator.Bucket) {
			b.ACLsEnabled = evaluator.Matched
			b.BucketACL = evaluator.ACL{State: evaluator.Applies, Owner: "aa", Grants: []evaluator.ACLGrant{
				{Grantee: "aa", Permission: "FULL_CONTROL"}, {Grantee: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}}
		})},
		{"U6: an ACL that can't be read whole", `{"objectOwnership": "ObjectWriter", "publicAccessBlock": null, "accountPublicAccessBlock": null,
			"acl": {"Owner": {"ID": "aa"}, "Grants": [{"Permission": "READ"}, {"Grantee": {"ID": "bb"}, "Permission": "READ"}]}}`, guard(func(b *evaluator.Bucket) {
			b.ACLsEnabled = evaluator.Matched
			b.BucketACL = noACL
			b.BucketACL.Owner, b.BucketACL.Grants = "aa", []evaluator.ACLGrant{{Grantee: "bb", Permission: "READ"}}
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, map[string]string{s3File: `[{"arn": "arn:aws:s3:::b", "policy": null, "extra": ` + test.extra + `}]`})
			l := policies(t, s, evaluator.Request{Principal: payer, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::b/k"}}).Resource
			if l.Bucket == nil {
				t.Fatal("no guard")
			}
			if diff := cmp.Diff(test.want, *l.Bucket); diff != "" {
				t.Errorf("guard (-want +got):\n%s", diff)
			}
		})
	}
}

// A bucket that is one of several is guarded by what guards all of them (rule R14).
func TestGuardOfSomeBucket(t *testing.T) {
	s := load(t, map[string]string{s3File: `[
		{"arn": "arn:aws:s3:::a-1", "policy": null, "extra": {"objectOwnership": "BucketOwnerEnforced", "accountPublicAccessBlock": null, "publicAccessBlock": ` + allBlocked + `}},
		{"arn": "arn:aws:s3:::a-2", "policy": null, "extra": {"objectOwnership": "ObjectWriter", "accountPublicAccessBlock": null, "publicAccessBlock": null}}]`})
	l := policies(t, s, evaluator.Request{Principal: payer, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::a-*", Pattern: true, Account: prod}}).Resource
	if l.Bucket == nil || l.Bucket.ACLsEnabled != evaluator.Unknown || l.Bucket.RestrictPublicBuckets != evaluator.Unknown || l.Bucket.BucketACL.State != evaluator.NotCollected {
		t.Errorf("R14: guard of one of two buckets: %+v, want what differs to be unknown", l.Bucket)
	}
}

// The grants of a key (rule S3), as kms:ListGrants gives them.
func TestKeyGrants(t *testing.T) {
	const grant = `{"GrantId": "g1", "GranteePrincipal": "arn:aws:iam::222222222222:role/x", "RetiringPrincipal": "arn:aws:iam::222222222222:root",
		"IssuingAccount": "arn:aws:iam::222222222222:root", "Operations": ["Decrypt", "RetireGrant"]`
	whole := evaluator.KeyGrant{ID: "g1", Grantee: "arn:aws:iam::222222222222:role/x", Retiring: "arn:aws:iam::222222222222:root",
		Issuer: "arn:aws:iam::222222222222:root", Operations: []string{"Decrypt", "RetireGrant"}}
	constrained := whole
	constrained.ContextEquals, constrained.ContextSubset = map[string]string{"a": "1"}, map[string]string{"b": "2"}
	const missing = "grants of arn:aws:kms:eu-west-1:222222222222:key/k; kms:ListGrants would tell"
	tests := []struct {
		name, extra string
		want        evaluator.KeyGrants
	}{
		{"S3: a grant", `{"grants": [` + grant + `}]}`, evaluator.KeyGrants{State: evaluator.Applies, List: []evaluator.KeyGrant{whole}}},
		{"S3: its constraints", `{"grants": [` + grant + `, "Constraints": {"EncryptionContextEquals": {"a": "1"}, "EncryptionContextSubset": {"b": "2"}}}]}`,
			evaluator.KeyGrants{State: evaluator.Applies, List: []evaluator.KeyGrant{constrained}}},
		{"S3: to a service", `{"grants": [{"GrantId": "g2", "GranteeServicePrincipal": "x.amazonaws.com", "RetiringServicePrincipal": "y.amazonaws.com", "Operations": [], "Constraints": {"SourceArn": "arn:aws:x:::a"}}]}`,
			evaluator.KeyGrants{State: evaluator.Applies, List: []evaluator.KeyGrant{{ID: "g2", Grantee: "x.amazonaws.com", Retiring: "y.amazonaws.com", SourceARN: "arn:aws:x:::a"}}}},
		{"S3: none", `{"grants": []}`, evaluator.KeyGrants{State: evaluator.Applies}},
		{"U6: not collected", `{}`, evaluator.KeyGrants{State: evaluator.NotCollected, Missing: missing}},
		{"U6: a constraint that nobody knows", `{"grants": [` + grant + `, "Constraints": {"MoonPhase": "full"}}, ` + grant + `}]}`,
			evaluator.KeyGrants{State: evaluator.NotCollected, Missing: missing, List: []evaluator.KeyGrant{whole}}},
		{"U6: a constraint that isn't text", `{"grants": [` + grant + `, "Constraints": {"EncryptionContextEquals": {"a": 1}}}]}`,
			evaluator.KeyGrants{State: evaluator.NotCollected, Missing: missing}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const key = "arn:aws:kms:eu-west-1:222222222222:key/k"
			s := load(t, map[string]string{"accounts/222222222222/resources/kms.json": `[{"arn": "` + key + `", "policy": {"Statement": []}, "extra": ` + test.extra + `}]`})
			l := policies(t, s, evaluator.Request{Principal: ann, Action: "kms:Decrypt", Resource: evaluator.Resource{ARN: key}}).Resource
			if diff := cmp.Diff(test.want, l.Grants); diff != "" {
				t.Errorf("grants (-want +got):\n%s", diff)
			}
		})
	}
}

// A request through an access point is also one to the bucket behind it (rule S21).
func TestAccessPoint(t *testing.T) {
	const ap = "arn:aws:s3:eu-west-1:222222222222:accesspoint/ap"
	bucket := `{"arn": "arn:aws:s3:::b", "policy": {"Statement": []}, "extra": {"objectOwnership": "BucketOwnerEnforced", "accountPublicAccessBlock": null, "publicAccessBlock": null}}`
	point := func(extra string) string {
		return `{"arn": "` + ap + `", "policy": {"Statement": []}, "extra": {` + extra + `}}`
	}
	const whole = `"bucket": "b", "networkOrigin": "VPC", "publicAccessBlock": ` + allBlocked
	tests := []struct {
		name, file, resource string
		want                 *evaluator.BucketBehind // without policies
		restricts            evaluator.Match
		missing              string // of either layer
	}{
		{"an object", point(whole) + "," + bucket, ap + "/object/a/b", &evaluator.BucketBehind{ARN: "arn:aws:s3:::b/a/b", Account: prod, VPCOrigin: evaluator.Matched, Layer: evaluator.Layer{State: evaluator.Applies}}, evaluator.Matched, ""},
		{"the access point itself", point(whole) + "," + bucket, ap, &evaluator.BucketBehind{ARN: "arn:aws:s3:::b", Account: prod, VPCOrigin: evaluator.Matched, Layer: evaluator.Layer{State: evaluator.Applies}}, evaluator.Matched, ""},
		{"open to the internet, another account's bucket, which nobody read", point(`"bucket": "b", "bucketAccountId": "999999999999", "networkOrigin": "Internet", "publicAccessBlock": null`), ap,
			&evaluator.BucketBehind{ARN: "arn:aws:s3:::b", Account: "999999999999", Layer: evaluator.Layer{State: evaluator.NotCollected}}, evaluator.Unknown, "s3:GetBucketPolicy on arn:aws:s3:::b would tell"},
		{"nobody read which bucket it is", point(``), ap, nil, evaluator.NoMatch, "s3:GetAccessPoint would tell"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := load(t, map[string]string{s3File: "[" + test.file + "]"})
			l := policies(t, s, evaluator.Request{Principal: ann, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: test.resource}}).Resource
			missing := l.Missing
			if l.Behind != nil {
				missing += l.Behind.Missing
				behind := *l.Behind
				if behind.State == evaluator.Applies && len(behind.Policies) != 1 {
					t.Errorf("%d policies of the bucket, want 1", len(behind.Policies))
				}
				behind.Policies, behind.Missing = nil, ""
				if diff := cmp.Diff(test.want, &behind); diff != "" {
					t.Errorf("behind (-want +got):\n%s", diff)
				}
				if l.Bucket.RestrictPublicBuckets != test.restricts {
					t.Errorf("S17: RestrictPublicBuckets %v, want %v", l.Bucket.RestrictPublicBuckets, test.restricts)
				}
			} else if test.want != nil {
				t.Errorf("no bucket behind it")
			}
			if l.Type != "access point" || !strings.Contains(missing, test.missing) || test.missing == "" && missing != "" {
				t.Errorf("%s, missing %q; want access point, …%s…", l.Type, missing, test.missing)
			}
		})
	}
}
