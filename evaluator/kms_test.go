package evaluator

import "testing"

func TestKeyGrants(t *testing.T) {
	const foreignKey = "arn:aws:kms:us-east-1:222222222222:key/k"
	silent := doc{grant("X", aws("arn:aws:iam::111111111111:role/x"), "kms:*", "*")}
	to := func(grantee string, operations ...string) KeyGrant {
		if operations == nil {
			operations = []string{"Decrypt"}
		}
		return KeyGrant{ID: "g1", Grantee: grantee, Operations: operations}
	}
	with := func(grants ...KeyGrant) func(*Policies) {
		return func(p *Policies) { p.Resource.Grants = KeyGrants{State: Applies, List: grants} }
	}
	equals := func(pairs map[string]string) KeyGrant { g := to(roleR); g.ContextEquals = pairs; return g }
	subset := func(pairs map[string]string) KeyGrant { g := to(roleR); g.ContextSubset = pairs; return g }
	w := func(who Principal, change func(*Policies)) world {
		return world{who: who, action: "kms:Decrypt", resource: keyK, rbType: "key", rb: silent, change: change}
	}
	ctx := func(w world, pairs ...string) world { w.ctx = keys(pairs...); return w }
	doing := func(action string, w world) world { w.action = action; return w }
	limited := func(w world) world { w.pb = doc{allow("EC2", "ec2:*", "*")}; return w }
	it := map[string]string{"Department": "IT"}
	checkDecisions(t, []decided{
		{"T75: a grant to the session's role", w(aSession(), with(to(roleR))), Allowed, "", ""},
		{"S3: no grant", w(aSession(), with()), ImplicitDeny, "resource noAllow", ""},
		{"S3: to the session", w(aSession(), with(to(sessionS))), Allowed, "", ""},
		{"S3: to another session of the role", w(aSession(), with(to(sessionS+"2"))), ImplicitDeny, "resource noAllow", ""},
		{"S3: to another role", w(aSession(), with(to("arn:aws:iam::111111111111:role/other"))), ImplicitDeny, "resource noAllow", ""},
		{"S3: to the user", w(aUser("u"), with(to(userU))), Allowed, "", ""},
		{"P8: to the user by id", w(aUser("u"), with(to("AIDAUSERU"))), Allowed, "", ""},
		{"P8: to a role that was made anew", w(aSession(), with(to("AROAOLDID"))), ImplicitDeny, "resource noAllow", ""},
		{"S3: to a service", w(aService("dynamodb.amazonaws.com"), with(to("dynamodb.amazonaws.com"))), Allowed, "", ""},
		{"P11: to a service by a regional name", w(aService("dynamodb.amazonaws.com"), with(to("dynamodb.us-east-1.amazonaws.com"))), Indeterminate, "", "whether grant g1 is for the caller"},
		{"S3: a service's grant isn't its users'", w(aUser("u"), with(to("dynamodb.us-east-1.amazonaws.com"))), ImplicitDeny, "resource noAllow", ""},
		{"S3: to the account's root, whom it names", w(aRoot(), with(to(rootA))), Allowed, "", ""},
		{"S3: to the account: whether its users need more isn't documented", w(aUser("u"), with(to(accountA))), Indeterminate, "", "grant g1"},
		{"S3: for another operation", w(aSession(), with(to(roleR, "Encrypt"))), ImplicitDeny, "resource noAllow", ""},
		{"A2: the case of the action", doing("KMS:decrypt", w(aSession(), with(to(roleR)))), Allowed, "", ""},
		{"E30: anonymous", w(anonymous(), with(to(""))), ImplicitDeny, "resource noAllow", ""},

		{"S3: a Deny of the key policy wins", world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{refuse("No", "*", "kms:*", "*")}, change: with(to(roleR))}, ExplicitDeny, "resource explicitDeny No", ""},
		{"S3: a Deny of an identity policy wins", world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", id: doc{deny("No", "kms:*", "*")}, change: with(to(roleR))}, ExplicitDeny, "identity explicitDeny No", ""},
		{"S3 E19: an SCP isn't bypassed", world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: silent, scp: []level{{"r-1", doc{allow("EC2", "ec2:*", "*")}}}, change: with(to(roleR))}, ImplicitDeny, "scp noAllow @r-1", ""},
		{"S3: whether a boundary limits it isn't documented", limited(w(aSession(), with(to(roleR)))), Indeterminate, "", "whether a permissions boundary or session policy limits grant g1"},
		{"S3: another account's key, nothing at home", world{who: aSession(), action: "kms:Decrypt", resource: foreignKey, owner: accountB, rbType: "key", rb: silent, change: with(to(roleR))}, Allowed, "", ""},

		{"U6: nobody read the grants", w(aSession(), func(p *Policies) {
			p.Resource.Grants = KeyGrants{State: NotCollected, Missing: "grants of k: kms:ListGrants was denied"}
		}), Indeterminate, "", "resource grants of k: kms:ListGrants was denied"},
		{"U12: nobody read them, and no grant could be for it", doing("kms:ScheduleKeyDeletion", w(aSession(), func(p *Policies) { p.Resource.Grants.State = NotCollected })), ImplicitDeny, "resource noAllow", ""},
		{"U12: nobody read them, and the key policy allows", world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{grant("U", aws(userU), "kms:*", "*")},
			change: func(p *Policies) { p.Resource.Grants.State = NotCollected }}, Allowed, "", ""},

		{"S3: subset, the pair is there", ctx(w(aSession(), with(subset(it))), "kms:EncryptionContext:Department", "IT", "kms:EncryptionContext:Purpose", "test"), Allowed, "", ""},
		{"S3: subset, keys without case", ctx(w(aSession(), with(subset(it))), "kms:EncryptionContext:department", "IT"), Allowed, "", ""},
		{"S3: subset, values with case", ctx(w(aSession(), with(subset(it))), "kms:EncryptionContext:Department", "it"), ImplicitDeny, "resource noAllow", ""},
		{"S3: subset, no encryption context", w(aSession(), with(subset(it))), ImplicitDeny, "resource noAllow", ""},
		{"S3: equals", ctx(w(aSession(), with(equals(it))), "kms:EncryptionContext:Department", "IT", "kms:EncryptionContextKeys", "Department"), Allowed, "", ""},
		{"S3: equals, one pair more", ctx(w(aSession(), with(equals(it))), "kms:EncryptionContext:Department", "IT", "kms:EncryptionContext:Purpose", "test"), ImplicitDeny, "resource noAllow", ""},
		{"S3: equals, one key more", ctx(w(aSession(), with(equals(it))), "kms:EncryptionContext:Department", "IT", "kms:EncryptionContextKeys", "Purpose"), ImplicitDeny, "resource noAllow", ""},
		{"S3 U8: equals, other pairs not known", world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: silent, ctx: keys("kms:EncryptionContext:Department", "IT"),
			unknown: []string{"kms:EncryptionContextKeys"}, change: with(equals(it))}, Indeterminate, "", "whether the request meets the constraints of grant g1"},
		{"S3 U8: the pair isn't known", world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: silent,
			unknown: []string{"kms:EncryptionContext:Department"}, change: with(subset(it))}, Indeterminate, "", "constraints of grant g1"},
		{"S3: constraints don't concern DescribeKey", doing("kms:DescribeKey", w(aSession(), with(KeyGrant{ID: "g1", Grantee: roleR, Operations: []string{"DescribeKey"}, ContextEquals: it}))), Allowed, "", ""},
		{"S3: constraints bind what new grants may say", doing("kms:CreateGrant", w(aSession(), with(KeyGrant{ID: "g1", Grantee: roleR, Operations: []string{"CreateGrant"}, ContextEquals: it}))), Indeterminate, "", "constraints of grant g1"},
		{"S3: a constraint on aws:SourceArn", ctx(w(aService("x.amazonaws.com"), with(KeyGrant{ID: "g1", Grantee: "x.amazonaws.com", Operations: []string{"Decrypt"}, SourceARN: "arn:aws:x:::a"})), "aws:SourceArn", "arn:aws:x:::b"), ImplicitDeny, "resource noAllow", ""},
	})
}

// TestRetireGrant: the grant says who may retire it; a key policy can't.
func TestRetireGrant(t *testing.T) {
	mine := KeyGrant{ID: "g1", Grantee: roleR, Operations: []string{"Decrypt", "RetireGrant"}, Issuer: accountB}
	retiring := KeyGrant{ID: "g2", Grantee: userU, Retiring: roleR, Operations: []string{"Decrypt"}, Issuer: accountB}
	other := KeyGrant{ID: "g3", Grantee: userU, Operations: []string{"Decrypt"}, Issuer: accountB}
	issued := KeyGrant{ID: "g4", Grantee: userU, Operations: []string{"Decrypt"}, Issuer: rootA}
	w := func(id doc, grants ...KeyGrant) world {
		return world{who: aSession(), action: "kms:RetireGrant", resource: keyK, rbType: "key", id: id, rb: doc{grant("A", aws(rootA), "kms:*", "*")},
			change: func(p *Policies) { p.Resource.Grants = KeyGrants{State: Applies, List: grants} }}
	}
	checkDecisions(t, []decided{
		{"the grantee, with that operation", w(nil, mine), Allowed, "", ""},
		{"the retiring principal", w(nil, retiring), Allowed, "", ""},
		{"somebody else, whatever key policy and identity policy allow", w(kmsAll, other), ImplicitDeny, "resource noAllow", ""},
		{"the account that made it, and its identity policy", w(kmsAll, issued), Allowed, "", ""},
		{"the account that made it, without one", w(nil, issued), ImplicitDeny, "resource noAllow", ""},
		{"which of two isn't said", w(nil, mine, other), Indeterminate, "", "which grant is to be retired"},
		{"E2: a Deny", w(doc{deny("No", "kms:RetireGrant", "*")}, mine), ExplicitDeny, "identity explicitDeny No", ""},
	})
}

// TestGrantNeverRemoves: a further grant of the key adds access or leaves it.
func TestGrantNeverRemoves(t *testing.T) {
	grants := []KeyGrant{
		{ID: "role", Grantee: roleR, Operations: []string{"Decrypt", "DescribeKey"}},
		{ID: "user", Grantee: userU, Operations: []string{"Decrypt"}},
		{ID: "account", Grantee: accountA, Operations: []string{"Decrypt"}},
		{ID: "service", Grantee: "s3.amazonaws.com", Operations: []string{"Decrypt"}},
		{ID: "constrained", Grantee: roleR, Operations: []string{"Decrypt"}, ContextSubset: map[string]string{"a": "b"}},
	}
	rank := map[Decision]int{ExplicitDeny: 0, ImplicitDeny: 1, Indeterminate: 2, Allowed: 3}
	for _, who := range []Principal{aUser("u"), aSession(), aRoot(), ofB(), aFederatedUser(), aService("s3.amazonaws.com"), anonymous(), {}} {
		for _, rb := range []doc{nil, {grant("A", aws(rootA), "kms:*", "*")}, {refuse("No", "*", "kms:*", "*")}} {
			for _, pb := range []doc{nil, {allow("EC2", "ec2:*", "*")}} {
				for _, action := range []string{"kms:Decrypt", "kms:DescribeKey", "kms:PutKeyPolicy"} {
					w := world{who: who, action: action, resource: keyK, rbType: "key", id: kmsAll, pb: pb, rb: rb}
					req, p := w.build(t)
					was := Evaluate(req, p)
					for _, g := range grants {
						p.Resource.Grants = KeyGrants{State: Applies, List: []KeyGrant{g}}
						now := Evaluate(req, p)
						if rank[now] < rank[was] {
							t.Errorf("%s %s: %v, and with grant %s: %v", who.ARN, action, was, g.ID, now)
						}
						p.Resource.Grants.State = NotCollected
						if open := Evaluate(req, p); open != now && open != Indeterminate {
							t.Errorf("U11: %s %s with grant %s: %v, and with perhaps more: %v", who.ARN, action, g.ID, now, open)
						}
					}
				}
			}
		}
	}
}

// TestGuardsAllocateNothing: what guards buckets and keys costs nothing elsewhere.
func TestGuardsAllocateNothing(t *testing.T) {
	for name, change := range map[string]func(*Policies){
		"S3": bucket(Bucket{RestrictPublicBuckets: Matched, BlockPublicPolicy: Matched, BlockPublicACLs: Matched, IgnorePublicACLs: Matched}),
	} {
		w := world{who: aUser("u"), action: "s3:GetObject", resource: objectB, id: s3All}
		req, p := w.build(t)
		plain := testing.AllocsPerRun(100, func() { Evaluate(req, p) })
		w.change = change
		req, p = w.build(t)
		if guarded := testing.AllocsPerRun(100, func() { Evaluate(req, p) }); guarded > plain {
			t.Errorf("%s: %v allocations with a guard, %v without", name, guarded, plain)
		}
	}
}
