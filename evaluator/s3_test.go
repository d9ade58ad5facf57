package evaluator

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

const (
	objectB  = "arn:aws:s3:::b/k"
	bucketB  = "arn:aws:s3:::b"
	viaAP    = "arn:aws:s3:us-east-1:111111111111:accesspoint/ap/object/k"
	accountC = "333333333333"
)

// ofB is a user of account B.
func ofB() Principal {
	return Principal{Type: User, ARN: "arn:aws:iam::222222222222:user/x", ID: "AIDAX", Account: accountB}
}

// bucket sets what guards the bucket.
func bucket(b Bucket) func(*Policies) {
	return func(p *Policies) { p.Resource.Bucket = &b }
}

// everything is a bucket policy that opens b to everybody; toB opens it to account B.
var (
	everything = doc{grant("Public", "*", "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`)}
	toB        = doc{grant("B", aws(accountB), "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`)}
)

// A decided is a decision and what it is laid to: checkDecisions checks both entry points, and which layers an explanation blames.
type decided struct {
	name     string
	world    world
	want     Decision
	blockers string
	hangsOn  string // parts of it, in any order, separated by |
}

func checkDecisions(t *testing.T, tests []decided) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req, p := test.world.build(t)
			x := Explain(req, p)
			if got := Evaluate(req, p); got != x.Decision {
				t.Errorf("Evaluate says %v, Explain %v", got, x.Decision)
			}
			if x.Decision != test.want {
				t.Errorf("%s %s: %v, want %v (%s; %s)", test.world.who.ARN, test.world.action, x.Decision, test.want, summary(x), hangsOn(x))
			}
			if test.want != Indeterminate {
				if diff := cmp.Diff(test.blockers, summary(x)); diff != "" {
					t.Errorf("blockers (-want +got):\n%s", diff)
				}
			}
			for part := range strings.SplitSeq(test.hangsOn, "|") {
				if !strings.Contains(hangsOn(x), part) {
					t.Errorf("hangs on %q, want %q in it", hangsOn(x), part)
				}
			}
		})
	}
}

func TestBlockPublicAccess(t *testing.T) {
	restricts := bucket(Bucket{RestrictPublicBuckets: Matched})
	get := func(w world) world {
		if w.action == "" {
			w.action = "s3:GetObject"
		}
		w.resource = objectB
		return w
	}
	pinned := doc{grant("Org", "*", "s3:*", "*", when("StringEquals", "aws:PrincipalOrgID", "o-1"))}
	checkDecisions(t, []decided{
		{"T86: a caller of another account", get(world{who: ofB(), id: s3All, rb: everything, change: restricts}), ExplicitDeny, "service explicitDeny", ""},
		{"T86: the owner's own caller, through *", get(world{who: aUser("u"), rb: everything, change: restricts}), Allowed, "", ""},
		{"S17: the setting is off", get(world{who: ofB(), id: s3All, rb: everything, change: bucket(Bucket{})}), Allowed, "", ""},
		{"S17: anonymous", get(world{who: anonymous(), rb: everything, change: restricts}), ExplicitDeny, "service explicitDeny", ""},
		{"S17: an AWS service", get(world{who: aService("logging.s3.amazonaws.com"), rb: everything, change: restricts}), Allowed, "", ""},
		{"S17: the policy isn't public", get(world{who: ofB(), id: s3All, rb: toB, change: restricts}), Allowed, "", ""},
		{"S18: one public statement closes the others, too", get(world{who: ofB(), id: s3All, change: restricts,
			rb: append(doc{grant("Public", "*", "s3:GetObject", "arn:aws:s3:::b/public/*")}, toB...)}), ExplicitDeny, "service explicitDeny", ""},
		{"S18: pinned to an organisation", get(world{who: ofB(), id: s3All, rb: pinned, ctx: keys("aws:PrincipalOrgID", "o-1"), change: restricts}), Allowed, "", ""},
		{"S17: nobody read the setting, and the policy is public", get(world{who: ofB(), id: s3All, rb: everything, change: bucket(Bucket{RestrictPublicBuckets: Unknown})}),
			Indeterminate, "", "service whether S3 Block Public Access|s3:GetBucketPublicAccessBlock and s3:GetAccountPublicAccessBlock"},
		{"S17: what would settle it is the supplier's to say", get(world{who: ofB(), id: s3All, rb: everything,
			change: bucket(Bucket{RestrictPublicBuckets: Unknown, MissingBlock: "s3:GetBucketPublicAccessBlock was denied"})}), Indeterminate, "", "service s3:GetBucketPublicAccessBlock was denied"},
		{"S17: nobody read the setting, and the policy isn't public", get(world{who: ofB(), id: s3All, rb: toB, change: bucket(Bucket{RestrictPublicBuckets: Unknown})}), Allowed, "", ""},
		{"S17: nobody read the setting, and the caller is the owner's", get(world{who: aUser("u"), rb: everything, change: bucket(Bucket{RestrictPublicBuckets: Unknown})}), Allowed, "", ""},
		{"U6: nobody read the policy", get(world{who: ofB(), id: s3All, rb: toB, change: func(p *Policies) {
			p.Resource.Bucket = &Bucket{RestrictPublicBuckets: Matched}
			p.Resource.State = NotCollected
		}}), Indeterminate, "", "service whether the policy of b is public"},
		{"U12: denied anyway", get(world{who: ofB(), rb: everything, change: bucket(Bucket{RestrictPublicBuckets: Unknown})}), ImplicitDeny, "identity noAllow", ""},
		{"E26: whose bucket it is isn't known", get(world{who: ofB(), owner: "?", id: s3All, rb: everything, change: restricts}), Indeterminate, "", "whether the caller's account is that of b"},

		{"S17: BlockPublicPolicy, what is put isn't known", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, id: s3All, change: bucket(Bucket{BlockPublicPolicy: Matched})},
			Indeterminate, "", "service whether the policy that is put is public"},
		{"S17: BlockPublicPolicy, a public policy", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, id: s3All, puts: everything, change: bucket(Bucket{BlockPublicPolicy: Matched})},
			ExplicitDeny, "service explicitDeny", ""},
		{"S17: BlockPublicPolicy, a policy that isn't", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, id: s3All, puts: toB, change: bucket(Bucket{BlockPublicPolicy: Matched})},
			Allowed, "", ""},
		{"S17: nobody read BlockPublicPolicy, and the policy isn't public", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, id: s3All, puts: toB, change: bucket(Bucket{BlockPublicPolicy: Unknown})},
			Allowed, "", ""},
		{"S17: BlockPublicPolicy, no allow anyway", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, change: bucket(Bucket{BlockPublicPolicy: Matched})},
			ImplicitDeny, "identity noAllow", ""},
		{"S17: BlockPublicPolicy is off", world{who: aUser("u"), action: "s3:PutBucketPolicy", resource: bucketB, id: s3All, change: bucket(Bucket{})}, Allowed, "", ""},
		{"S17: BlockPublicAcls, a public canned ACL", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All, ctx: keys("s3:x-amz-acl", "public-read"),
			change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched})}), ExplicitDeny, "service explicitDeny", ""},
		{"S17: BlockPublicAcls, a private canned ACL", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All, ctx: keys("s3:x-amz-acl", "bucket-owner-full-control"),
			change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched})}), Allowed, "", ""},
		{"S17: BlockPublicAcls, no ACL", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All, change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched})}), Allowed, "", ""},
		{"S17: BlockPublicAcls, a grant to everybody", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All,
			ctx: keys("s3:x-amz-grant-read", `uri="http://acs.amazonaws.com/groups/global/AllUsers"`), change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched})}),
			ExplicitDeny, "service explicitDeny", ""},
		{"S17: BlockPublicAcls, headers not known", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All, unknown: []string{"s3:x-amz-acl"},
			change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched})}), Indeterminate, "", "service whether the ACL that is put is public"},
		{"S15: ACLs are off, so that BlockPublicAcls has nothing to block", get(world{who: aUser("u"), action: "s3:PutObject", id: s3All, unknown: []string{"s3:x-amz-acl"},
			change: bucket(Bucket{BlockPublicACLs: Matched})}), Allowed, "", ""},
		{"S17: an ACL in the body", get(world{who: aUser("u"), action: "s3:PutObjectAcl", id: s3All, change: bucket(Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched, ObjectOwner: accountA})}),
			Indeterminate, "", "service whether the ACL that is put is public"},

		{"S19: root mends a bucket policy that denies it", world{who: aRoot(), action: "s3:DeleteBucketPolicy", resource: bucketB, rb: doc{refuse("No", "*", "s3:*", bucketB)}, change: restricts}, Allowed, "", ""},
		{"S19: root reads objects as others do", get(world{who: aRoot(), rb: doc{refuse("No", "*", "s3:*", "*")}, change: restricts}), ExplicitDeny, "resource explicitDeny No", ""},
		{"S23: a user named, no identity policy", get(world{who: aUser("u"), rb: doc{grant("U", aws(userU), "s3:GetObject", "*")}, change: restricts}), Allowed, "", ""},
		{"S23: the account named, no identity policy", get(world{who: aUser("u"), rb: doc{grant("A", aws(accountA), "s3:GetObject", "*")}, change: restricts}), ImplicitDeny, "identity noAllow", ""},
	})
}

// TestBlockPublicAccessInWords: the blocker says which setting it is.
func TestBlockPublicAccessInWords(t *testing.T) {
	w := world{who: ofB(), action: "s3:GetObject", resource: objectB, id: s3All, rb: everything, change: bucket(Bucket{RestrictPublicBuckets: Matched})}
	req, p := w.build(t)
	x := Explain(req, p)
	want := Blocker{Layer: LayerService, Kind: KindExplicitDeny, Target: objectB,
		Note: "S3 Block Public Access (RestrictPublicBuckets) of b refuses callers of other accounts, as its policy is public"}
	if len(x.Blockers) != 1 {
		t.Fatalf("blockers: %s, want one", summary(x))
	}
	if diff := cmp.Diff(want, x.Blockers[0]); diff != "" {
		t.Errorf("blocker (-want +got):\n%s", diff)
	}
}

func TestACLs(t *testing.T) {
	on := func(b Bucket) func(*Policies) {
		b.ACLsEnabled = Matched
		return bucket(b)
	}
	acl := func(grantee, permission string) ACL {
		return ACL{Grants: []ACLGrant{{Grantee: grantee, Permission: permission}}}
	}
	own := Bucket{ObjectOwner: accountA}
	with := func(b Bucket, set func(*Bucket)) Bucket {
		set(&b)
		return b
	}
	public := with(own, func(b *Bucket) { b.ObjectACL = acl(allUsers, "READ") })
	lost := with(own, func(b *Bucket) {
		b.ObjectACL = ACL{State: NotCollected, Missing: "ACL of b/k; s3:GetObjectAcl would tell"}
	})
	w := func(who Principal, id, rb doc, change func(*Policies)) world {
		return world{who: who, action: "s3:GetObject", resource: objectB, id: id, rb: rb, change: change}
	}
	list := func(w world) world { w.action, w.resource = "s3:ListBucket", bucketB; return w }
	put := func(w world) world { w.action = "s3:PutObject"; return w }
	toAccountB := ACL{Grants: []ACLGrant{{Grantee: "id-of-b", Account: accountB, Permission: "FULL_CONTROL"}}}
	checkDecisions(t, []decided{
		{"S15: ACLs are off: what they grant plays no part", w(anonymous(), nil, nil, bucket(public)), ImplicitDeny, "resource noAllow", ""},
		{"S16: a public object", w(anonymous(), nil, nil, on(public)), Allowed, "", ""},
		{"S16: the public may read it, not list the bucket", list(w(anonymous(), nil, nil, on(public))), ImplicitDeny, "resource noAllow", ""},
		{"S16: a public object, a caller of another account", w(ofB(), s3All, nil, on(public)), Allowed, "", ""},
		{"S16 E22: who still needs leave at home", w(ofB(), nil, nil, on(public)), ImplicitDeny, "identity noAllow", ""},
		{"S16 E2: a public object, and a Deny", w(anonymous(), nil, doc{refuse("No", "*", "s3:*", "*")}, on(public)), ExplicitDeny, "resource explicitDeny No", ""},
		{"S17: IgnorePublicAcls", w(anonymous(), nil, nil, on(with(public, func(b *Bucket) { b.IgnorePublicACLs = Matched }))), ImplicitDeny, "resource noAllow", ""},
		{"S17: IgnorePublicAcls isn't known", w(anonymous(), nil, nil, on(with(public, func(b *Bucket) { b.IgnorePublicACLs = Unknown }))), Indeterminate, "", "ACL of"},
		{"S16: to one account", list(w(ofB(), s3All, nil, on(Bucket{BucketACL: toAccountB}))), Allowed, "", ""},
		{"S16: to another account", list(w(ofB(), s3All, nil, on(Bucket{BucketACL: ACL{Grants: []ACLGrant{{Grantee: "x", Account: accountC, Permission: "READ"}}}}))), ImplicitDeny, "resource noAllow", ""},
		{"S16 P13: to an id that nobody knows", list(w(ofB(), s3All, nil, on(Bucket{BucketACL: acl("x", "READ")}))), Indeterminate, "", "s3:GetBucketAcl"},
		{"S16: to the owner, whose id the ACL tells", list(w(ofB(), s3All, nil, on(Bucket{BucketACL: ACL{Owner: "x", Grants: []ACLGrant{{Grantee: "x", Permission: "FULL_CONTROL"}}}}))), ImplicitDeny, "resource noAllow", ""},
		{"E14: an account's ACL gives its own users nothing", list(w(aUser("u"), nil, nil, on(Bucket{BucketACL: ACL{Owner: "x", Grants: []ACLGrant{{Grantee: "x", Permission: "FULL_CONTROL"}}}}))), ImplicitDeny, "identity noAllow", ""},
		{"S16: authenticated users", w(ofB(), s3All, nil, on(with(own, func(b *Bucket) { b.ObjectACL = acl(authenticatedUsers, "READ") }))), Allowed, "", ""},
		{"S16: authenticated users, anonymous", w(anonymous(), nil, nil, on(with(own, func(b *Bucket) { b.ObjectACL = acl(authenticatedUsers, "READ") }))), ImplicitDeny, "resource noAllow", ""},
		{"S16: WRITE of the bucket is for putting objects", put(w(ofB(), s3All, nil, on(Bucket{BucketACL: toAccountB}))), Allowed, "", ""},
		{"S16: server access logs", put(w(aService("logging.s3.amazonaws.com"), nil, nil, on(Bucket{BucketACL: acl(logDelivery, "WRITE")}))), Allowed, "", ""},
		{"S16: another service", put(w(aService("cloudtrail.amazonaws.com"), nil, nil, on(Bucket{BucketACL: acl(logDelivery, "WRITE")}))), ImplicitDeny, "resource noAllow", ""},

		{"S16: nobody read the object's ACL", w(ofB(), s3All, nil, on(lost)), Indeterminate, "", "resource ACL of b/k; s3:GetObjectAcl would tell"},
		{"U12: nobody read it, and it can't matter", w(ofB(), s3All, toB, on(lost)), Allowed, "", ""},
		{"U12: nobody read it, and leave at home is missing", w(ofB(), nil, nil, on(lost)), ImplicitDeny, "identity noAllow", ""},
		{"S16: nobody read it; no ACL tags objects", world{who: ofB(), action: "s3:GetBucketTagging", resource: bucketB, id: s3All, change: on(lost)}, ImplicitDeny, "resource noAllow", ""},
		{"S15: whether ACLs are on isn't known", w(ofB(), s3All, nil, bucket(Bucket{ACLsEnabled: Unknown, ObjectOwner: accountA, ObjectACL: toAccountB, MissingOwnership: "Object Ownership of b; s3:GetBucketOwnershipControls would tell"})),
			Indeterminate, "", "resource Object Ownership of b; s3:GetBucketOwnershipControls would tell"},

		{"S16: the object is the caller's own account's", w(ofB(), s3All, nil, on(Bucket{ObjectOwner: accountB})), Allowed, "", ""},
		{"S16: and the bucket's owner denies", w(ofB(), s3All, doc{refuse("No", "*", "s3:*", "*")}, on(Bucket{ObjectOwner: accountB})), ExplicitDeny, "resource explicitDeny No", ""},
		{"S16: a bucket policy doesn't open another account's object", w(aUser("u"), s3All, everything, on(Bucket{ObjectOwner: accountB})), ImplicitDeny, "resource noAllow", ""},
		{"S16: nor for anonymous callers", w(anonymous(), nil, everything, on(Bucket{ObjectOwner: accountB})), ImplicitDeny, "resource noAllow", ""},
		{"S16: its ACL does", w(aUser("u"), s3All, nil, on(Bucket{ObjectOwner: accountB, ObjectACL: ACL{Owner: "b", Grants: []ACLGrant{{Grantee: "a", Permission: "READ"}}}, BucketACL: ACL{Owner: "a"}})), Allowed, "", ""},
		{"S16: owners that the ACLs name", w(aUser("u"), s3All, nil, on(Bucket{ObjectACL: ACL{Owner: "a"}, BucketACL: ACL{Owner: "a"}})), Allowed, "", ""},
		{"S16: owners that the ACLs name, which differ", w(aUser("u"), s3All, nil, on(Bucket{ObjectACL: ACL{Owner: "b"}, BucketACL: ACL{Owner: "a"}, ObjectOwner: ""})), Indeterminate, "", ""},
		{"S16: who owns the object isn't known", w(aUser("u"), s3All, nil, on(Bucket{})), Indeterminate, "", "who owns arn:aws:s3:::b/k"},
		{"S16: but a Deny covers it", w(aUser("u"), s3All, doc{refuse("No", "*", "s3:*", "*")}, on(Bucket{})), ExplicitDeny, "resource explicitDeny No", ""},
		{"S16: the owner's callers put objects", put(w(aUser("u"), s3All, nil, on(Bucket{}))), Allowed, "", ""},
		{"S16: and the bucket's owner lists it", list(w(aUser("u"), s3All, nil, on(Bucket{}))), Allowed, "", ""},
	})
}

// TestForeignObjectInWords: why a policy that allows doesn't.
func TestForeignObjectInWords(t *testing.T) {
	w := world{who: aUser("u"), action: "s3:GetObject", resource: objectB, id: s3All, rb: everything, change: bucket(Bucket{ACLsEnabled: Matched, ObjectOwner: accountB})}
	req, p := w.build(t)
	x := Explain(req, p)
	if len(x.Blockers) != 1 || !strings.Contains(x.Blockers[0].Note, "account "+accountB+" owns the object") {
		t.Errorf("blockers: %+v, want one that says whose the object is", x.Blockers)
	}
}

func TestAccessPoints(t *testing.T) {
	behind := func(d doc, set ...func(*Policies)) func(*Policies) {
		return func(p *Policies) {
			p.Resource.Type = "access point"
			p.Resource.Bucket = &Bucket{}
			p.Resource.Behind = &BucketBehind{ARN: objectB, Account: accountA, Layer: Layer{State: Applies}}
			if d != nil {
				p.Resource.Behind.Policies = []Policy{policyOf(&testing.T{}, "b", "bucket", bucketB, d)}
			}
			for _, s := range set {
				s(p)
			}
		}
	}
	delegates := doc{grant("Delegate", "*", "*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`, when("StringEquals", "s3:DataAccessPointAccount", accountA))}
	apU := doc{grant("U", aws(userU), "s3:GetObject", "arn:aws:s3:us-east-1:111111111111:accesspoint/ap/object/*")}
	apB := doc{grant("B", aws(accountB), "s3:GetObject", "arn:aws:s3:us-east-1:111111111111:accesspoint/ap/object/*")}
	apAll := doc{grant("All", "*", "s3:GetObject", "*")}
	apNone := doc{grant("C", aws(accountC), "s3:GetObject", "*")}
	w := func(who Principal, id, ap doc, change func(*Policies)) world {
		return world{who: who, action: "s3:GetObject", resource: viaAP, id: id, rb: ap, change: change}
	}
	restrict := func(p *Policies) { p.Resource.Bucket.RestrictPublicBuckets = Matched }
	vpc := func(p *Policies) { p.Resource.Behind.VPCOrigin = Matched }
	checkDecisions(t, []decided{
		{"S21: the bucket delegates, the access point names the user", w(aUser("u"), nil, apU, behind(delegates)), Allowed, "", ""},
		{"S21: the bucket's policy is silent", w(aUser("u"), nil, apU, behind(nil)), ImplicitDeny, "identity noAllow; resource noAllow", ""},
		{"S21: the access point's is", w(aUser("u"), nil, apNone, behind(delegates)), ImplicitDeny, "identity noAllow; resource noAllow", ""},
		{"S21 E13: in one account an identity policy will do", w(aUser("u"), s3All, apNone, behind(nil)), Allowed, "", ""},
		{"S21: a Deny of the bucket's", w(aUser("u"), s3All, apU, behind(doc{refuse("No", "*", "s3:*", "arn:aws:s3:::b/*")})), ExplicitDeny, "resource explicitDeny No", ""},
		{"S21: a Deny of the access point's", w(aUser("u"), s3All, doc{refuse("No", "*", "s3:*", "*")}, behind(delegates)), ExplicitDeny, "resource explicitDeny No", ""},
		{"S21: another account, both agree", w(ofB(), s3All, apB, behind(delegates)), Allowed, "", ""},
		{"S21: another account, the bucket is silent", w(ofB(), s3All, apB, behind(nil)), ImplicitDeny, "resource noAllow", ""},
		{"S21: another account, the access point is silent", w(ofB(), s3All, apNone, behind(delegates)), ImplicitDeny, "resource noAllow", ""},
		{"S21: another account, nothing at home", w(ofB(), nil, apB, behind(delegates)), ImplicitDeny, "identity noAllow", ""},
		{"S21: an access point on another account's bucket", w(aUser("u"), s3All, apU, behind(nil, func(p *Policies) { p.Resource.Behind.Account = accountB })), ImplicitDeny, "resource noAllow", ""},
		{"S21: nobody read the bucket's policy", w(aUser("u"), nil, apU, behind(delegates, func(p *Policies) {
			p.Resource.Behind.Layer = Layer{State: NotCollected, Missing: "bucket policy of b: s3:GetBucketPolicy was denied"}
		})), Indeterminate, "", "s3:GetBucketPolicy was denied"},

		{"S18: a public access point", w(ofB(), s3All, apAll, behind(delegates, restrict)), ExplicitDeny, "service explicitDeny", ""},
		{"S18: one for a VPC is never public", w(ofB(), s3All, apAll, behind(delegates, restrict, vpc)), Allowed, "", ""},
		{"S18: neither is public", w(ofB(), s3All, apB, behind(delegates, restrict)), Allowed, "", ""},
		{"S17: the access point's account passes, too", w(aUser("u"), s3All, apAll, behind(everything, restrict, func(p *Policies) { p.Resource.Behind.Account = accountB })), Allowed, "", ""},
	})
}

// TestAccessPointKeys: the access point's ARN gives the keys by which buckets delegate (rule S21).
func TestAccessPointKeys(t *testing.T) {
	const ap = "arn:aws:s3:us-east-1:111111111111:accesspoint/ap"
	tests := []struct {
		arn  string
		want map[string]KeyState
	}{
		{viaAP, map[string]KeyState{"s3:DataAccessPointAccount": Present, "s3:DataAccessPointArn": Present, "s3:AccessPointNetworkOrigin": PresentUnknown}},
		{ap, map[string]KeyState{"s3:DataAccessPointAccount": Present, "s3:DataAccessPointArn": Present, "s3:AccessPointNetworkOrigin": PresentUnknown}},
		{objectB, map[string]KeyState{"s3:DataAccessPointAccount": Absent, "s3:DataAccessPointArn": Absent, "s3:AccessPointNetworkOrigin": Absent}},
	}
	for _, test := range tests {
		req := &Request{Action: "s3:GetObject", Resource: Resource{ARN: test.arn}}
		DeriveContext(req)
		for key, want := range test.want {
			if got := req.Context.Lookup(key).State; got != want {
				t.Errorf("S21: %s of %s: state %v, want %v", key, test.arn, got, want)
			}
		}
		if got := req.Context.Lookup("s3:DataAccessPointArn"); got.State == Present && got.Values[0] != ap {
			t.Errorf("S21: s3:DataAccessPointArn of %s is %q, want %q", test.arn, got.Values, ap)
		}
	}
	known := &Request{Action: "s3:GetObject", Resource: Resource{ARN: ap}}
	known.Context.Set("s3:AccessPointNetworkOrigin", "VPC")
	DeriveContext(known)
	if got := known.Context.Lookup("s3:AccessPointNetworkOrigin"); got.State != Present {
		t.Errorf("S21: s3:AccessPointNetworkOrigin that was given is %v now", got)
	}
}

// TestIsPublic holds S18 to the examples and the text of AWS's page.
func TestIsPublic(t *testing.T) {
	all := func(more ...string) string { return grant("S", "*", "s3:GetObject", "*", more...) }
	tests := []struct {
		name        string
		statements  doc
		accessPoint bool
		want        Match
	}{
		{"nothing", doc{}, false, NoMatch},
		{"everybody", doc{all()}, false, Matched},
		{"everybody, as AWS", doc{grant("S", `{"AWS": "*"}`, "s3:GetObject", "*")}, false, Matched},
		{"a Deny", doc{refuse("S", "*", "s3:*", "*")}, false, NoMatch},
		{"an account", doc{grant("S", aws(accountB), "s3:*", "*")}, false, NoMatch},
		{"a service", doc{grant("S", `{"Service": "cloudtrail.amazonaws.com"}`, "s3:*", "*")}, false, NoMatch},
		{"an identity provider", doc{grant("S", `{"Federated": "graph.facebook.com"}`, "s3:PutObject", "*")}, false, Matched},
		{"all but one", doc{stmt("S", "Allow", `"NotPrincipal": {"AWS": "`+userU+`"}`, `"Action": "s3:*"`, `"Resource": "*"`)}, false, Matched},
		{"one public statement of two", doc{grant("S", aws(accountB), "s3:*", "*"), all()}, false, Matched},
		{"a fixed VPC", doc{all(when("StringEquals", "aws:SourceVpc", "vpc-91237329"))}, false, NoMatch},
		{"a wildcard VPC", doc{all(when("StringLike", "aws:SourceVpc", "vpc-*"))}, false, Matched},
		{"one of the values is a wildcard", doc{all(when("StringLike", "aws:SourceVpce", `["vpce-1", "vpce-*"]`))}, false, Matched},
		{"a wildcard that isn't one", doc{all(when("StringEquals", "aws:SourceVpc", "vpc-*"))}, false, Unknown},
		{"a variable", doc{all(when("StringEquals", "aws:SourceVpc", "${aws:PrincipalTag/vpc}"))}, false, Matched},
		{"all VPCs but one", doc{all(when("StringNotEquals", "aws:SourceVpc", "vpc-1"))}, false, Matched},
		{"if there is a VPC", doc{all(when("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"))}, false, Matched},
		{"for all values", doc{all(when("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1"))}, false, Matched},
		{"for any value", doc{all(when("ForAnyValue:StringEquals", "aws:SourceVpc", "vpc-1"))}, false, NoMatch},
		{"another key", doc{all(when("StringEquals", "aws:UserAgent", "secret"))}, false, Matched},
		{"another key and a pinning one", doc{all(`"Condition": {"StringEquals": {"aws:UserAgent": "x", "aws:SourceAccount": "111111111111"}}`)}, false, NoMatch},
		{"a principal by a key that the page doesn't name", doc{all(when("ArnEquals", "aws:PrincipalArn", roleR))}, false, Unknown},
		{"an organisation", doc{all(when("StringEquals", "aws:PrincipalOrgID", "o-1"))}, false, NoMatch},
		{"the case of key and operator", doc{all(when("stringequals", "AWS:principalorgid", "o-1"))}, false, NoMatch},

		{"an address", doc{all(when("IpAddress", "aws:SourceIp", "203.0.113.7"))}, false, NoMatch},
		{"/8", doc{all(when("IpAddress", "aws:SourceIp", "54.0.0.0/8"))}, false, NoMatch},
		{"broader than /8", doc{all(when("IpAddress", "aws:SourceIp", "0.0.0.0/1"))}, false, Matched},
		{"IPv6 /32", doc{all(when("IpAddress", "aws:SourceIp", "2001:db8::/32"))}, false, NoMatch},
		{"IPv6, broader", doc{all(when("IpAddress", "aws:SourceIp", "2001::/16"))}, false, Matched},
		{"RFC 1918", doc{all(when("IpAddress", "aws:SourceIp", `["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]`))}, false, NoMatch},
		{"not an address", doc{all(when("IpAddress", "aws:SourceIp", "home"))}, false, Unknown},
		{"all addresses but some", doc{all(when("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"))}, false, Matched},

		{"a user id", doc{all(when("StringEquals", "aws:userid", "AIDAEXAMPLE"))}, false, NoMatch},
		{"the sessions of a role", doc{all(when("StringLike", "aws:userid", "AROAEXAMPLE:*"))}, false, Unknown},
		{"any id", doc{all(when("StringLike", "aws:userid", "A*"))}, false, Matched},

		{"an account's access points", doc{all(when("StringEquals", "s3:DataAccessPointAccount", accountA))}, false, NoMatch},
		{"any access point of an account", doc{all(when("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:123456789012:accesspoint/*"))}, false, NoMatch},
		{"any access point of any account", doc{all(when("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*:accesspoint/x"))}, false, Matched},
		{"in an access point's own policy", doc{all(when("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:123456789012:accesspoint/x"))}, true, Matched},

		{"a Deny for insecure transport changes nothing", doc{all(), refuse("D", "*", "s3:*", "*", when("Bool", "aws:SecureTransport", "false"))}, false, Matched},
		{"a Deny for everybody outside a VPC may take it back", doc{all(), refuse("D", "*", "s3:*", "*", when("StringNotEquals", "aws:SourceVpce", "vpce-1"))}, false, Unknown},
	}
	for _, test := range tests {
		d, err := policy.Parse("p.json", []byte(test.statements.text()))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := isPublic(d, test.accessPoint); got != test.want {
			t.Errorf("S18: %s: public is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestIsPublicWithDefects(t *testing.T) {
	text := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Colour": "red"}]}`
	if got := isPublic(compileText(t, text).Document(), false); got != Unknown {
		t.Errorf("G21: a statement that can't be read is public: %v, want %v", got, Unknown)
	}
}

// TestBlockPublicAccessNeverAllows: turning a setting on takes access away or leaves it.
func TestBlockPublicAccessNeverAllows(t *testing.T) {
	off := Bucket{ACLsEnabled: Matched, ObjectOwner: accountA, ObjectACL: ACL{Grants: []ACLGrant{{Grantee: allUsers, Permission: "READ"}}}}
	settings := map[string]func(*Bucket) *Match{
		"BlockPublicACLs":       func(b *Bucket) *Match { return &b.BlockPublicACLs },
		"IgnorePublicACLs":      func(b *Bucket) *Match { return &b.IgnorePublicACLs },
		"BlockPublicPolicy":     func(b *Bucket) *Match { return &b.BlockPublicPolicy },
		"RestrictPublicBuckets": func(b *Bucket) *Match { return &b.RestrictPublicBuckets },
	}
	for _, who := range []Principal{aUser("u"), aSession(), aRoot(), ofB(), anonymous(), aService("logging.s3.amazonaws.com")} {
		for _, rb := range []doc{nil, everything, toB} {
			for _, id := range []doc{nil, s3All} {
				for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:PutBucketPolicy", "s3:ListBucket"} {
					w := world{who: who, action: action, resource: objectB, id: id, rb: rb, ctx: keys("s3:x-amz-acl", "public-read"), change: bucket(off)}
					before, p := w.build(t)
					was := Evaluate(before, p)
					for name, field := range settings {
						for _, m := range []Match{Unknown, Matched} {
							b := off
							*field(&b) = m
							w.change = bucket(b)
							req, p := w.build(t)
							if now := Evaluate(req, p); now == Allowed && was != Allowed {
								t.Errorf("%s %s: %v, and with %s %v: %v", who.ARN, action, was, name, m, now)
							} else if m == Unknown && now != was && now != Indeterminate {
								t.Errorf("U11: %s %s: %v, and with %s %v: %v", who.ARN, action, was, name, m, now)
							}
						}
					}
				}
			}
		}
	}
}

// TestBucketGuardsAreSound: what becomes known of a bucket never changes a definite decision (rule U11).
func TestBucketGuardsAreSound(t *testing.T) {
	matches := []Match{NoMatch, Unknown, Matched}
	owners := []string{"", accountA, accountB}
	acls := []ACL{
		{State: NotCollected}, {},
		{Grants: []ACLGrant{{Grantee: allUsers, Permission: "READ"}}},
		{Grants: []ACLGrant{{Grantee: authenticatedUsers, Permission: "FULL_CONTROL"}}},
		{Grants: []ACLGrant{{Grantee: "x", Account: accountB, Permission: "READ"}}},
	}
	// A config is an index into each list; index 0 of owners and acls, and Unknown, may become any other.
	type config struct{ enabled, ignore, restrict, owner, acl int }
	bucketOf := func(c config) *Bucket {
		return &Bucket{ACLsEnabled: matches[c.enabled], IgnorePublicACLs: matches[c.ignore], RestrictPublicBuckets: matches[c.restrict],
			ObjectOwner: owners[c.owner], ObjectACL: acls[c.acl], BucketACL: acls[c.acl]}
	}
	each := func(do func(config)) {
		for i := range len(matches) * len(matches) * len(matches) * len(owners) * len(acls) {
			do(config{i % 3, i / 3 % 3, i / 9 % 3, i / 27 % 3, i / 81})
		}
	}
	refined := func(c config) []config {
		var all []config
		for n := range 3 {
			for i, field := range []int{c.enabled, c.ignore, c.restrict} {
				if field == 1 && n != 1 {
					next := c
					*[]*int{&next.enabled, &next.ignore, &next.restrict}[i] = n
					all = append(all, next)
				}
			}
			if c.owner == 0 {
				next := c
				next.owner = n
				all = append(all, next)
			}
		}
		for n := range acls {
			if c.acl == 0 {
				next := c
				next.acl = n
				all = append(all, next)
			}
		}
		return all
	}
	for _, who := range []Principal{aUser("u"), aSession(), aRoot(), ofB(), anonymous(), aService("logging.s3.amazonaws.com"), {}} {
		for _, rb := range []doc{nil, everything, toB} {
			for _, id := range []doc{nil, s3All} {
				for _, action := range []string{"s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"} {
					w := world{who: who, action: action, resource: objectB, id: id, rb: rb}
					req, p := w.build(t)
					decisions := map[config]Decision{}
					each(func(c config) {
						p.Resource.Bucket = bucketOf(c)
						decisions[c] = Evaluate(req, p)
					})
					each(func(c config) {
						for _, next := range refined(c) {
							if was, now := decisions[c], decisions[next]; was != Indeterminate && now != was && (was == Allowed || now == Allowed || now == Indeterminate) {
								t.Fatalf("U11: %s %s: %v with %+v, %v with %+v", who.ARN, action, was, bucketOf(c), now, bucketOf(next))
							}
						}
					})
				}
			}
		}
	}
}

func FuzzIsPublic(f *testing.F) {
	f.Add("*", "StringEquals", "aws:SourceVpc", "vpc-1")
	f.Add("arn:aws:iam::111111111111:root", "IpAddress", "aws:SourceIp", "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, principal, operator, key, value string) {
		s := policy.Statement{Effect: policy.Allow, Action: &policy.List{}, Resource: &policy.List{},
			Principal: &policy.Principals{Entries: []policy.PrincipalEntry{{Kind: "AWS", Value: policy.Text{Value: principal}}}},
			Condition: []policy.Condition{{Operator: operator, Key: policy.Text{Value: key}, Values: []policy.Text{{Value: value}}}}}
		open := s
		open.Condition = nil
		with, without := isPublic(&policy.Document{Statements: []policy.Statement{s}}, false), isPublic(&policy.Document{Statements: []policy.Statement{open}}, false)
		if with > without {
			t.Errorf("S18: with a condition %v, without %v", with, without)
		}
		both := isPublic(&policy.Document{Statements: []policy.Statement{s, open}}, false)
		if both < without {
			t.Errorf("S18: a second Allow makes it less public: %v, then %v", without, both)
		}
	})
}
