package evaluator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPrincipalEntries serves P4 to P15: does a Principal element name the caller, and in which grade?
func TestPrincipalEntries(t *testing.T) {
	pathless := Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, RolePathUnknown: true, Account: accountA}
	pathed := Principal{Type: AssumedRole, ARN: sessionS, RoleARN: "arn:aws:iam::111111111111:role/team/r", Account: accountA}
	noSession := Principal{Type: AssumedRole, ARN: roleR, RoleARN: roleR, Account: accountA}
	orphan := Principal{Type: FederatedUser, ARN: fedF, Account: accountA}
	china := Principal{Type: User, ARN: "arn:aws-cn:iam::111111111111:user/u", Account: accountA}
	for _, c := range []struct {
		rule, principal string
		who             Principal
		want            Match
		grade           grade
	}{
		{"P4: *, a user", `"*"`, aUser("u"), Matched, direct},
		{"P4: AWS *, anonymous", `{"AWS": "*"}`, anonymous(), Matched, direct},
		{"P4: AWS *, a service", `{"AWS": "*"}`, aService("sns.amazonaws.com"), Matched, direct},
		{"P6: account, a user", aws(accountA), aUser("u"), Matched, account},
		{"P6: account, a session", aws(rootA), aSession(), Matched, account},
		{"P7: account, root", aws(rootA), aRoot(), Matched, account},
		{"P6: account, a federated user", aws(rootA), aFederatedUser(), Matched, account},
		{"P6: another account", aws(accountB), aUser("u"), NoMatch, account},
		{"P6: account, anonymous", aws(accountA), anonymous(), NoMatch, account},
		{"P6: account, a service", aws(accountA), aService("sns.amazonaws.com"), NoMatch, account},
		{"U3: account, caller's isn't known", aws(accountA), Principal{Type: User}, Unknown, account},
		{"P6: user", aws(userU), aUser("u"), Matched, direct},
		{"P6: another user", aws(userV), aUser("u"), NoMatch, direct},
		{"P10: case", aws("arn:aws:iam::111111111111:user/U"), aUser("u"), NoMatch, direct},
		{"P6: a federated user's parent", aws(userU), aFederatedUser(), Matched, parent},
		{"P2: a federated user whose parent isn't known", aws(userU), orphan, Unknown, parent},
		{"P2: its parent is in its account", aws("arn:aws:iam::222222222222:user/u"), orphan, NoMatch, parent},
		{"P6: role", aws(roleR), aSession(), Matched, viaRole},
		{"P6: role, not a user", aws(roleR), aUser("r"), NoMatch, viaRole},
		{"P1: a path that differs", aws(roleR), pathed, NoMatch, viaRole},
		{"P1: a path that isn't known", aws("arn:aws:iam::111111111111:role/team/r"), pathless, Matched, viaRole},
		{"P1: another name", aws("arn:aws:iam::111111111111:role/team/x"), pathless, NoMatch, viaRole},
		{"U3: role isn't known", aws(roleR), Principal{Type: AssumedRole, ARN: sessionS, Account: accountA}, Unknown, viaRole},
		{"P6: session", aws(sessionS), aSession(), Matched, direct},
		{"P6: another session", aws(sessionS + "2"), aSession(), NoMatch, direct},
		{"U3: session isn't known", aws(sessionS), noSession, Unknown, direct},
		{"U3: session isn't known, another role", aws("arn:aws:sts::111111111111:assumed-role/x/s"), noSession, NoMatch, direct},
		{"P6: federated user", aws(fedF), aFederatedUser(), Matched, direct},
		{"P6: another federated user", aws(fedF + "2"), aFederatedUser(), NoMatch, direct},
		{"P8: a user's id", aws("AIDAUSERU"), aUser("u"), Matched, direct},
		{"P8: a role's id", aws("AROANEWID"), aSession(), Matched, viaRole},
		{"P8: an id of another", aws("AROAOLDID"), aSession(), NoMatch, viaRole},
		{"P9: no wildcards", aws("arn:aws:iam::111111111111:user/*"), aUser("u"), NoMatch, direct},
		{"P11: service", `{"Service": "sns.amazonaws.com"}`, aService("sns.amazonaws.com"), Matched, direct},
		{"P11: another service", `{"Service": "sqs.amazonaws.com"}`, aService("sns.amazonaws.com"), NoMatch, direct},
		{"P11: another name of it, perhaps", `{"Service": "sns.us-east-1.amazonaws.com"}`, aService("sns.amazonaws.com"), Unknown, direct},
		{"P6: service, not a user", `{"Service": "sns.amazonaws.com"}`, aUser("u"), NoMatch, direct},
		{"P12: provider", `{"Federated": "` + oidc + `"}`, Principal{Type: WebIdentity, ARN: oidc}, Matched, direct},
		{"P12: another provider", `{"Federated": "accounts.google.com"}`, Principal{Type: WebIdentity, ARN: oidc}, NoMatch, direct},
		{"P12: not a role session", `{"Federated": "` + oidc + `"}`, aSession(), NoMatch, direct},
		{"P13: canonical user", `{"CanonicalUser": "abc"}`, aUser("u"), Unknown, account},
		{"P13: canonical user, anonymous", `{"CanonicalUser": "abc"}`, anonymous(), NoMatch, account},
		{"P14: a group", aws("arn:aws:iam::111111111111:group/g"), aUser("u"), NoMatch, direct},
		{"P15: another partition", aws("arn:aws-cn:iam::111111111111:root"), aUser("u"), NoMatch, account},
		{"P15: a bare id", aws(accountA), china, Matched, account},
		{"U3: nothing is known of the caller", aws(userU), Principal{}, Unknown, direct},
		{"U3: nothing is known of the caller, an id", aws("AIDAUSERU"), Principal{}, Unknown, direct},
		{"U3: nothing is known of the caller, a service", `{"Service": "sns.amazonaws.com"}`, Principal{}, Unknown, direct},
		{"U3: nothing is known of the caller, *", `"*"`, Principal{}, Matched, direct},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := compileText(t, doc{grant("S", c.principal, "*", "*")}.text()).statements[0]
			if s.uninterpretable {
				t.Fatal("uninterpretable")
			}
			got, at := s.principals[0].match(&evaluation{req: &Request{Principal: c.who}})
			if got != c.want || got != NoMatch && at != c.grade {
				t.Errorf("%s for %s: %v in grade %d, want %v in grade %d", c.principal, c.who.ARN, got, at, c.want, c.grade)
			}
		})
	}
}

// TestPrincipalLists serves P3: entries and map keys are alternatives.
func TestPrincipalLists(t *testing.T) {
	for _, who := range []Principal{aUser("u"), aUser("v"), aService("sns.amazonaws.com")} {
		req, p := world{who: who, action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:111111111111:q", rbType: "queue",
			rb: doc{grant("S", `{"AWS": ["`+userU+`", "`+userV+`"], "Service": "sns.amazonaws.com"}`, "*", "*")}}.ptr().build(t)
		if got := Evaluate(req, p); got != Allowed {
			t.Errorf("P3: %s: %v, want allowed", who.ARN, got)
		}
	}
}

// TestNotPrincipal serves P16 to P21.
func TestNotPrincipal(t *testing.T) {
	not := func(list string) string { return `"NotPrincipal": {"AWS": [` + list + `]}` }
	user, role, session, acct := `"`+userU+`"`, `"`+roleR+`"`, `"`+sessionS+`"`, `"`+accountA+`"`
	for _, c := range []struct {
		rule, effect, list string
		who                Principal
		want               Match
	}{
		{"P16: user and account", "Deny", user + "," + acct, aUser("u"), NoMatch},
		{"P17: user alone", "Deny", user, aUser("u"), Unknown},
		{"P18: account alone", "Deny", acct, aUser("u"), Matched},
		{"P17: somebody else", "Deny", user + "," + acct, aUser("v"), Matched},
		{"P16: session, role and account", "Deny", session + "," + role + "," + acct, aSession(), NoMatch},
		{"P17: session and role", "Deny", session + "," + role, aSession(), Unknown},
		{"P17: session and account", "Deny", session + "," + acct, aSession(), Unknown},
		{"P17: role and account", "Deny", role + "," + acct, aSession(), Matched},
		{"P16: root", "Deny", acct, aRoot(), NoMatch},
		{"P20: anonymous", "Deny", user + "," + acct, anonymous(), Matched},
		{"P20: a service", "Deny", user + "," + acct, aService("sns.amazonaws.com"), Matched},
		{"P20: Allow, not listed", "Allow", user, aUser("v"), Matched},
		{"P20: Allow, anonymous", "Allow", user, anonymous(), Matched},
		{"P20: Allow, listed", "Allow", user + "," + acct, aUser("u"), NoMatch},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := compileText(t, doc{stmt("S", c.effect, `"Action": "*"`, `"Resource": "*"`, not(c.list))}.text()).statements[0]
			g := s.evaluate(&evaluation{req: &Request{Principal: c.who, Action: "s3:GetObject", Resource: Resource{ARN: getB}}}, &place{layer: LayerResource, shape: shapeResource, named: true})
			if got := g.any(); got != c.want {
				t.Errorf("%s NotPrincipal %s for %s: %v, want %v", c.effect, c.list, c.who.ARN, got, c.want)
			}
		})
	}
}

// TestNoPrincipal serves P21: a statement of a resource policy without Principal is for nobody.
func TestNoPrincipal(t *testing.T) {
	req, p := getting(world{id: s3All, rb: doc{deny("S", "*", "*")}}).ptr().build(t)
	if got := Evaluate(req, p); got != Allowed {
		t.Errorf("P21: %v, want allowed: the Deny is for nobody", got)
	}
}

// TestWildcardProviders serves P5: {"Federated": "*"} and the like can't be interpreted.
func TestWildcardProviders(t *testing.T) {
	for _, principal := range []string{`{"Federated": "*"}`, `{"CanonicalUser": "*"}`, `{"Service": "*"}`} {
		req, p := getting(world{id: s3All, rb: doc{refuse("S", principal, "*", "*")}}).ptr().build(t)
		if got := Evaluate(req, p); got != Indeterminate {
			t.Errorf("P5: a Deny for %s: %v, want indeterminate", principal, got)
		}
	}
}

// TestInterplay serves table E20: which implicit denies limit a resource policy's grant.
func TestInterplay(t *testing.T) {
	for _, c := range []struct {
		name, principal string
		who             Principal
		pb, sp          Decision // with a boundary, or a session policy, that lacks the allow; and no identity allow
		bare            Decision // with neither
	}{
		{"user ARN, the user", aws(userU), aUser("u"), Allowed, Allowed, Allowed},
		{"user id, the user", aws("AIDAUSERU"), aUser("u"), Allowed, Allowed, Allowed},
		{"user ARN, its federated session", aws(userU), aFederatedUser(), ImplicitDeny, ImplicitDeny, ImplicitDeny},
		{"federated-user ARN", aws(fedF), aFederatedUser(), Allowed, Allowed, Allowed},
		{"role ARN", aws(roleR), aSession(), ImplicitDeny, ImplicitDeny, Allowed},
		{"role id", aws("AROANEWID"), aSession(), ImplicitDeny, ImplicitDeny, Allowed},
		{"session ARN", aws(sessionS), aSession(), Allowed, Allowed, Allowed},
		{"account, session", aws(rootA), aSession(), ImplicitDeny, ImplicitDeny, ImplicitDeny},
		{"account, root", aws(rootA), aRoot(), Allowed, Allowed, Allowed},
		{"*, user", `"*"`, aUser("u"), Allowed, Allowed, Allowed},
		{"*, session", `"*"`, aSession(), Allowed, Allowed, Allowed},
		{"*, federated user", `"*"`, aFederatedUser(), Allowed, Allowed, Allowed},
		{"service", `{"Service": "sns.amazonaws.com"}`, aService("sns.amazonaws.com"), Allowed, Allowed, Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			for layer, want := range map[LayerName]Decision{LayerBoundary: c.pb, LayerSession: c.sp, "": c.bare} {
				w := getting(world{who: c.who, rb: doc{grant("G", c.principal, "*", "*")}})
				hasBoundary := c.who.Type == User || c.who.Type == AssumedRole || c.who.Type == FederatedUser
				switch {
				case layer == LayerBoundary && hasBoundary:
					w.pb = ec2All
				case layer == LayerSession && hasBoundary && c.who.Type != User:
					w.sp = ec2All
				}
				req, p := w.build(t)
				if got := Evaluate(req, p); got != want {
					t.Errorf("limited by %q: %v, want %v", layer, got, want)
				}
			}
		})
	}
}

// TestDisplayedID: an id stands for somebody who was deleted. Whoever isn't known not to
// be that one is only settled where the request is all there is (rule P8).
func TestDisplayedID(t *testing.T) {
	entry := compileText(t, doc{grant("S", aws("AROAROLER"), "*", "*")}.text()).statements[0].principals[0]
	session := Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, Account: accountA}
	known := session
	known.ID = "AROAROLER"
	other := session
	other.ID = "AROAOTHER"
	for _, c := range []struct {
		name string
		who  Principal
		open bool
		want Match
	}{
		{"its id", known, true, Matched},
		{"its id, as CloudTrail writes a session's", Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, ID: "AROAROLER:s", Account: accountA}, true, Matched},
		{"another id", other, true, NoMatch},
		{"id not known, open", session, true, Unknown},
		{"id not known, closed", session, false, NoMatch},
		{"a service, open", aService("sns.amazonaws.com"), true, NoMatch},
	} {
		if got, _ := entry.match(&evaluation{req: &Request{Principal: c.who, Context: Context{Open: c.open}}}); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestDeriveContextAgain: what was derived of a role whose path wasn't known gives way
// to what a snapshot knows of it (rule P1).
func TestDeriveContextAgain(t *testing.T) {
	req := Request{Principal: Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, RolePathUnknown: true, Account: accountA}, Context: Context{Open: true}}
	DeriveContext(&req)
	if v := req.Context.Lookup("aws:PrincipalArn"); !v.Pattern {
		t.Fatalf("without the path, aws:PrincipalArn is %+v, want a pattern", v)
	}
	req.Principal.RoleARN, req.Principal.RolePathUnknown = "arn:aws:iam::111111111111:role/team/r", false
	DeriveContext(&req)
	if v := req.Context.Lookup("aws:PrincipalArn"); v.Pattern || len(v.Values) != 1 || v.Values[0] != req.Principal.RoleARN {
		t.Errorf("with the path, aws:PrincipalArn is %+v", v)
	}
}

// TestDeriveAnonymous: what AWS's page says of calls that nobody signed, whether other keys are known or not (evaluation.md 5.4).
func TestDeriveAnonymous(t *testing.T) {
	for _, open := range []bool{true, false} {
		req := Request{Principal: anonymous(), Context: Context{Open: open}}
		DeriveContext(&req)
		for key, want := range map[string]ContextValue{
			"aws:PrincipalAccount":       {State: Present, Values: []string{"anonymous"}},
			"aws:PrincipalType":          {State: Present, Values: []string{"Anonymous"}},
			"aws:PrincipalArn":           {},
			"aws:PrincipalOrgID":         {},
			"aws:PrincipalIsAWSService":  {},
			"aws:MultiFactorAuthPresent": {},
			"aws:username":               {},
		} {
			want.Name = key
			if diff := cmp.Diff(want, req.Context.Lookup(key)); diff != "" {
				t.Errorf("open %t (-want +got):\n%s", open, diff)
			}
		}
	}
}

// TestServiceLinked: what tells a service-linked role is its path (rules E28, X24).
func TestServiceLinked(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  Principal
		want Match
	}{
		{"by its path", Principal{Type: AssumedRole, RoleARN: linkedRole}, Matched},
		{"another path", Principal{Type: AssumedRole, RoleARN: "arn:aws:iam::111111111111:role/AWSServiceRoleForMine"}, NoMatch},
		{"the path isn't known", Principal{Type: AssumedRole, RoleARN: "arn:aws:iam::111111111111:role/AWSServiceRoleForECS", RolePathUnknown: true}, Unknown},
		{"the path isn't known, and the name isn't one", Principal{Type: AssumedRole, RoleARN: roleR, RolePathUnknown: true}, NoMatch},
		{"only the session is known", Principal{Type: AssumedRole, ARN: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForECS/s"}, Unknown},
		{"only the session, and the role's name isn't one", Principal{Type: AssumedRole, ARN: sessionS}, NoMatch},
		{"no role is known", Principal{Type: AssumedRole, Account: accountA}, Unknown},
		{"no role", aUser("u"), NoMatch},
	} {
		if got := tt.who.ServiceLinked(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestDeriveUserID: aws:userid as table 4.1 has it, as far as the caller tells (rules U3, U10).
func TestDeriveUserID(t *testing.T) {
	const key = "aws:userid"
	const instance = "arn:aws:sts::111111111111:assumed-role/r/i-0a1b2c3d4e5f60718"
	known := func(v string) ContextValue { return ContextValue{Name: key, State: Present, Values: []string{v}} }
	part := func(v string) ContextValue {
		return ContextValue{Name: key, State: Present, Values: []string{v}, Pattern: true}
	}
	somehow, unset, absent := ContextValue{Name: key, State: PresentUnknown}, ContextValue{Name: key, State: UnknownKey}, ContextValue{Name: key}
	for _, tt := range []struct {
		name         string
		who          Principal
		open, closed ContextValue
	}{
		{"root", Principal{Type: Root, ARN: "arn:aws:iam::111111111111:root", Account: accountA}, known(accountA), known(accountA)},
		{"a user", Principal{Type: User, ARN: userU, ID: "AIDAU", Account: accountA}, known("AIDAU"), known("AIDAU")},
		{"a user whose id isn't known", Principal{Type: User, ARN: userU, Account: accountA}, somehow, absent},
		{"a session", Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, ID: "AROAR", Account: accountA}, known("AROAR:s"), known("AROAR:s")},
		{"a session, its id as CloudTrail writes it", Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, ID: "AROAR:s", Account: accountA}, known("AROAR:s"), known("AROAR:s")},
		{"an EC2 instance", Principal{Type: AssumedRole, ARN: instance, RoleARN: roleR, ID: "AROAR", Account: accountA}, known("AROAR:i-0a1b2c3d4e5f60718"), known("AROAR:i-0a1b2c3d4e5f60718")},
		{"a role, its session not known", Principal{Type: AssumedRole, ARN: roleR, RoleARN: roleR, ID: "AROAR", Account: accountA}, part("AROAR:*"), part("AROAR:*")},
		{"a session, its role's id not known", Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, Account: accountA}, part("AROA*:s"), absent},
		{"a role, nothing else known", Principal{Type: AssumedRole, ARN: roleR, RoleARN: roleR, Account: accountA}, somehow, absent},
		{"a federated user", Principal{Type: FederatedUser, ARN: "arn:aws:sts::111111111111:federated-user/f", Account: accountA}, known("111111111111:f"), known("111111111111:f")},
		{"nobody", Principal{Type: Anonymous}, known("anonymous"), known("anonymous")},
		{"a service", aService("sns.amazonaws.com"), unset, absent},
		{"an unknown caller", Principal{}, unset, absent},
	} {
		for open, want := range map[bool]ContextValue{true: tt.open, false: tt.closed} {
			req := Request{Principal: tt.who, Context: Context{Open: open}}
			for range 2 { // once more changes nothing
				DeriveContext(&req)
				if diff := cmp.Diff(want, req.Context.Lookup(key)); diff != "" {
					t.Errorf("%s, open %t (-want +got):\n%s", tt.name, open, diff)
				}
			}
		}
	}
}

// TestDeriveUserIDAgain: what is said of aws:userid stays, what was derived gives way to what is learnt.
func TestDeriveUserIDAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given ContextValue
		open  bool
		want  ContextValue
	}{
		{"given", ContextValue{State: Present, Values: []string{"AROAX:y"}}, true, ContextValue{State: Present, Values: []string{"AROAX:y"}}},
		{"given as unknown", ContextValue{State: UnknownKey}, true, ContextValue{State: UnknownKey}},
		{"a case says that nobody knows it", ContextValue{State: PresentUnknown}, false, ContextValue{State: PresentUnknown}},
		{"derived in part", ContextValue{State: Present, Values: []string{"AROA*:s"}, Pattern: true}, true, ContextValue{State: Present, Values: []string{"AROAR:s"}}},
		{"derived as unknown", ContextValue{State: PresentUnknown}, true, ContextValue{State: Present, Values: []string{"AROAR:s"}}},
	} {
		tt.given.Name, tt.want.Name = "aws:userid", "aws:userid"
		req := Request{Principal: Principal{Type: AssumedRole, ARN: sessionS, RoleARN: roleR, ID: "AROAR", Account: accountA}, Context: Context{Open: tt.open}}
		req.Context.Put(tt.given)
		DeriveContext(&req)
		if diff := cmp.Diff(tt.want, req.Context.Lookup("aws:userid")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestUserIDInPart: the half of aws:userid that is known decides what it can (rule U3).
func TestUserIDInPart(t *testing.T) {
	for _, tt := range []struct {
		id, session     string
		pattern, equals string
		want            Decision
	}{
		{"AROAR", "", "StringLike", "AROAR:*", Allowed},
		{"AROAR", "", "StringLike", "AROAX:*", ImplicitDeny},
		{"AROAR", "", "StringEquals", "AROAR:s", Indeterminate},
		{"", "s", "StringLike", "*:s", Allowed},
		{"", "s", "StringEquals", "AROAX:t", ImplicitDeny},
		{"", "s", "StringLike", "AROAX:*", Indeterminate},
	} {
		who := Principal{Type: AssumedRole, ARN: roleR, RoleARN: roleR, ID: tt.id, Account: accountA}
		if tt.session != "" {
			who.ARN = sessionS
		}
		req := Request{Principal: who, Action: "s3:GetObject", Resource: Resource{ARN: "arn:aws:s3:::b/k", Account: accountA}, Context: Context{Open: true}}
		DeriveContext(&req)
		p := Policies{Identity: layerOf(t, "p", "inline", roleR, doc{allow("", "*", "*", when(tt.pattern, "aws:userid", tt.equals))})}
		if got := Evaluate(&req, &p); got != tt.want {
			t.Errorf("id %q, session %q: %s %s: %v, want %v", tt.id, tt.session, tt.pattern, tt.equals, got, tt.want)
		}
	}
}
