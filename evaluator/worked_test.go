package evaluator

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A workedCase is a row of the worked cases, or one of its variants.
type workedCase struct {
	name     string
	world    world
	want     Decision
	blockers string // as summary writes them
	open     string // as hangsOn writes it
}

const (
	getB = "arn:aws:s3:::b/k"
	tab  = "arn:aws:dynamodb:us-east-1:111111111111:table/prod-x"
)

var (
	s3All  = doc{allow("S3", "s3:*", "*")}
	ec2All = doc{allow("EC2", "ec2:*", "*")}
	all    = doc{allow("All", "*", "*")}
	kmsAll = doc{allow("KMS", "kms:*", "*")}

	rcpFull = level{"r-root", doc{grant("Full", "*", "*", "*")}}
)

// getting is u getting an object of A's bucket b.
func getting(w world) world {
	if w.who.Type == UnknownPrincipal {
		w.who = aUser("u")
	}
	if w.action == "" {
		w.action = "s3:GetObject"
	}
	if w.resource == "" {
		w.resource = getB
	}
	return w
}

func keys(kv ...string) map[string][]string {
	m := map[string][]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = append(m[kv[i]], kv[i+1])
	}
	return m
}

// workedCases are the rows of evaluation.md section 12 that a request and its policies alone can answer.
var workedCases = []workedCase{
	{"T1: nothing allows (E1 E3)", getting(world{}), ImplicitDeny, "identity noAllow", ""},
	{"T2: an identity policy allows (E13)", getting(world{id: doc{allow("Get", "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T3: a Deny beats an Allow (E2 A3)",
		getting(world{id: doc{allow("S3", "s3:*", "*"), deny("NoGet", "s3:Get*", "arn:aws:s3:::b/*")}}),
		ExplicitDeny, "identity explicitDeny NoGet", ""},
	{"T4: actions without case (A2)", getting(world{id: doc{allow("Get", "S3:getobject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T5: a bucket's ARN doesn't cover its objects (R15)",
		getting(world{id: doc{allow("Get", "s3:GetObject", "arn:aws:s3:::b")}}), ImplicitDeny, "identity noAllow", ""},
	{"T6: the objects' ARN doesn't cover the bucket (R15)",
		getting(world{action: "s3:ListBucket", resource: "arn:aws:s3:::b", id: doc{allow("List", "s3:ListBucket", "arn:aws:s3:::b/*")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T7: b* covers both (R2 R15)",
		getting(world{action: "s3:ListBucket", resource: "arn:aws:s3:::b", id: doc{allow("List", "s3:*", "arn:aws:s3:::b*")}}), Allowed, "", ""},
	{"T8: no ARN allows an action without resource types (R10)",
		getting(world{action: "ec2:DescribeInstances", resource: "*", id: doc{allow("EC2", "ec2:*", "arn:aws:ec2:*:*:instance/*")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T9: no ARN denies an action without resource types (R10)",
		getting(world{action: "ec2:DescribeInstances", resource: "*",
			id: doc{allow("EC2", "ec2:*", "*"), deny("NoDescribe", "ec2:Describe*", "arn:aws:ec2:*:*:instance/*")}}), Allowed, "", ""},
	{"T10: NotAction leaves out what it names (A5)",
		getting(world{action: "iam:ListUsers", resource: "*", id: doc{stmt("ButIAM", "Allow", `"NotAction": "iam:*"`, `"Resource": "*"`)}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T10: NotAction allows every other service (A5)",
		getting(world{id: doc{stmt("ButIAM", "Allow", `"NotAction": "iam:*"`, `"Resource": "*"`)}}), Allowed, "", ""},
	{"T11: a * at a segment's end runs across colons (R5 X19)",
		getting(world{action: "dynamodb:DeleteTable", resource: tab,
			id: doc{allow("All", "*", "*"), deny("Prod", "dynamodb:*", "arn:aws:dynamodb:*:table/prod-*")}}),
		ExplicitDeny, "identity explicitDeny Prod", ""},
	{"T12: after the fifth colon * matches colons (R6)",
		getting(world{action: "lambda:InvokeFunction", resource: "arn:aws:lambda:us-east-1:111111111111:function:f:PROD",
			id: doc{allow("Invoke", "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111111111111:function:f*")}}), Allowed, "", ""},
	{"T13: resources with case (R3 X18)",
		getting(world{resource: "arn:aws:s3:::b/key", id: doc{allow("Get", "s3:GetObject", "arn:aws:s3:::b/KEY")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T14: NotResource leaves out what it names (R11)",
		getting(world{id: doc{stmt("ButB", "Allow", `"Action": "s3:*"`, `"NotResource": "arn:aws:s3:::b/*"`)}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T14: NotResource covers another bucket (R11)",
		getting(world{resource: "arn:aws:s3:::c/k", id: doc{stmt("ButB", "Allow", `"Action": "s3:*"`, `"NotResource": "arn:aws:s3:::b/*"`)}}),
		Allowed, "", ""},
	{"T15: another partition (R17)",
		getting(world{resource: "arn:aws-cn:s3:::b/k", id: doc{allow("S3", "s3:*", "arn:aws:s3:::*")}}), ImplicitDeny, "identity noAllow", ""},

	{"T16: RB names the user (E16)", getting(world{rb: doc{grant("U", aws(userU), "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T17: RB names the user, PB lacks allow (E16 E20)",
		getting(world{pb: ec2All, rb: doc{grant("U", aws(userU), "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T18: RB names the role (E17 P6)",
		getting(world{who: aSession(), rb: doc{grant("R", aws(roleR), "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T19: RB names role, PB lacks allow (E17 X2 M6)",
		getting(world{who: aSession(), pb: ec2All, rb: doc{grant("R", aws(roleR), "s3:GetObject", "arn:aws:s3:::b/*")}}),
		ImplicitDeny, "boundary noAllow", ""},
	{"T20: RB names the session, PB and SP lack allow (E16 X1)",
		getting(world{who: aSession(), pb: ec2All, sp: ec2All, rb: doc{grant("S", aws(sessionS), "s3:GetObject", "arn:aws:s3:::b/*")}}),
		Allowed, "", ""},
	{"T21: SP lacks allow (E8 M7)", getting(world{who: aSession(), id: s3All, sp: ec2All}), ImplicitDeny, "session noAllow", ""},
	{"T22: RB names everybody, SP lacks allow (E18 X1)",
		getting(world{who: aSession(), sp: ec2All, rb: doc{grant("All", "*", "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T23: RB names everybody with aws:PrincipalArn, PB lacks allow (E18 C19)",
		getting(world{who: aSession(), pb: ec2All,
			rb: doc{grant("R", "*", "s3:GetObject", "arn:aws:s3:::b/*", when("ArnEquals", "aws:PrincipalArn", roleR))}}), Allowed, "", ""},
	{"T24: RB names the account, no identity allow (E14)",
		getting(world{rb: doc{grant("A", aws(accountA), "s3:GetObject", "arn:aws:s3:::b/*")}}), ImplicitDeny, "identity noAllow", ""},
	{"T25: RB names the account, identity allows (E14 E13)",
		getting(world{id: s3All, rb: doc{grant("A", aws(accountA), "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T26: a negated operator holds for an absent key (C4)",
		getting(world{id: s3All, rb: doc{refuse("Vpce", "*", "s3:*", "arn:aws:s3:::b/*", when("StringNotEquals", "aws:SourceVpce", "vpce-1"))}}),
		ExplicitDeny, "resource explicitDeny Vpce", ""},
	{"T27: NotPrincipal exempts a user who is listed with the account (P16 P18 X4)",
		getting(world{id: s3All, rb: doc{deny("ButU", "s3:*", "arn:aws:s3:::b/*", `"NotPrincipal": {"AWS": ["`+userU+`", "`+rootA+`"]}`)}}),
		Allowed, "", ""},
	{"T27: NotPrincipal hits a user who isn't listed, though the account is (P16 P18 X4)",
		getting(world{who: aUser("v"), id: s3All, rb: doc{deny("ButU", "s3:*", "arn:aws:s3:::b/*", `"NotPrincipal": {"AWS": ["`+userU+`", "`+rootA+`"]}`)}}),
		ExplicitDeny, "resource explicitDeny ButU", ""},
	{"T28: NotPrincipal lists role and account, not the session (P17 X5)",
		getting(world{who: aSession(), id: s3All, rb: doc{deny("ButR", "s3:*", "arn:aws:s3:::b/*", `"NotPrincipal": {"AWS": ["`+roleR+`", "`+rootA+`"]}`)}}),
		ExplicitDeny, "resource explicitDeny ButR", ""},
	{"T29: NotPrincipal lists session and account, not the role (P17)",
		getting(world{who: aSession(), id: s3All, rb: doc{deny("ButS", "s3:*", "arn:aws:s3:::b/*", `"NotPrincipal": {"AWS": ["`+sessionS+`", "`+rootA+`"]}`)}}),
		Indeterminate, "", "resource ButS NotPrincipal"},
	{"T30: NotPrincipal hits whoever has a boundary (P19)",
		getting(world{id: s3All, pb: all, rb: doc{deny("ButU", "s3:*", "arn:aws:s3:::b/*", `"NotPrincipal": {"AWS": ["`+userU+`", "`+rootA+`"]}`)}}),
		ExplicitDeny, "resource explicitDeny ButU", ""},
	{"T31: a federated user without session policy (E8)", getting(world{who: aFederatedUser(), id: s3All}), ImplicitDeny, "session noAllow", ""},
	{"T32: a federated user with session policy (E8)", getting(world{who: aFederatedUser(), id: s3All, sp: s3All}), Allowed, "", ""},
	{"T33: RB names the parent of a federated user, SP lacks allow (E20)",
		getting(world{who: aFederatedUser(), sp: ec2All, rb: doc{grant("U", aws(userU), "s3:GetObject", "arn:aws:s3:::b/*")}}),
		ImplicitDeny, "session noAllow", ""},
	{"T33: RB names the federated user, SP lacks allow (E20)",
		getting(world{who: aFederatedUser(), sp: ec2All, rb: doc{grant("F", aws(fedF), "s3:GetObject", "arn:aws:s3:::b/*")}}), Allowed, "", ""},
	{"T34: RB denies root (E31)", getting(world{who: aRoot(), rb: doc{refuse("No", "*", "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`)}}),
		ExplicitDeny, "resource explicitDeny No", ""},
	{"T34: root keeps the bucket policy (S19)",
		getting(world{who: aRoot(), action: "s3:PutBucketPolicy", resource: "arn:aws:s3:::b",
			rb: doc{refuse("No", "*", "s3:*", `["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`)}}), Allowed, "", ""},
	{"T35: RB names the id of a role that was replaced (P8)",
		getting(world{who: aSession(), rb: doc{grant("Old", aws("AROAOLDID"), "s3:GetObject", "arn:aws:s3:::b/*")}}),
		ImplicitDeny, "identity noAllow", ""},

	{"T36: cross-account, RB lacks allow (E21)", getting(world{resource: "arn:aws:s3:::bb/k", owner: accountB, id: s3All}),
		ImplicitDeny, "resource noAllow", ""},
	{"T37: cross-account, ID lacks allow (E21)",
		getting(world{resource: "arn:aws:s3:::bb/k", owner: accountB, rb: doc{grant("U", aws(userU), "s3:GetObject", "arn:aws:s3:::bb/*")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T38: cross-account, RB names the account (E21 P7)",
		getting(world{resource: "arn:aws:s3:::bb/k", owner: accountB, id: s3All, rb: doc{grant("A", aws(accountA), "s3:GetObject", "arn:aws:s3:::bb/*")}}),
		Allowed, "", ""},
	{"T39: cross-account, RB names the session, SP lacks allow (E22)",
		getting(world{who: aSession(), resource: "arn:aws:s3:::bb/k", owner: accountB, id: s3All, sp: ec2All,
			rb: doc{grant("S", aws(sessionS), "s3:GetObject", "arn:aws:s3:::bb/*")}}), ImplicitDeny, "session noAllow", ""},
	{"T40: anonymous, RB names everybody (E30)",
		getting(world{who: anonymous(), resource: "arn:aws:s3:::bb/k", owner: accountB, rb: doc{grant("All", "*", "s3:GetObject", "arn:aws:s3:::bb/*")}}),
		Allowed, "", ""},
	{"T41: anonymous, RCP denies outsiders (C5 E11)",
		getting(world{who: anonymous(), resource: "arn:aws:s3:::bb/k", owner: accountB, rb: doc{grant("All", "*", "s3:GetObject", "arn:aws:s3:::bb/*")},
			rcp: []level{rcpFull, {accountB, doc{grant("Full", "*", "*", "*"),
				refuse("Ours", "*", "s3:*", "*", when("StringNotEqualsIfExists", "aws:PrincipalOrgID", "o-1"))}}}}),
		ExplicitDeny, "rcp explicitDeny Ours @222222222222", ""},

	{"T43: one level's SCP lacks allow (E33 M2)",
		getting(world{id: s3All, scp: []level{{"r-root", all}, {"ou-1", ec2All}, {accountA, all}}}), ImplicitDeny, "scp noAllow @ou-1", ""},
	{"T44: one level's SCP denies (E33 M1)",
		getting(world{action: "s3:DeleteBucket", resource: "arn:aws:s3:::b", id: s3All,
			scp: []level{{"r-root", all}, {"ou-1", doc{allow("All", "*", "*"), deny("Keep", "s3:DeleteBucket", "*")}}, {accountA, all}}}),
		ExplicitDeny, "scp explicitDeny Keep @ou-1", ""},
	{"T46: SCPs don't reach service-linked roles (E28)",
		world{who: Principal{Type: AssumedRole, ARN: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForX/s",
			RoleARN: "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX", Account: accountA},
			action: "ec2:RunInstances", resource: "arn:aws:ec2:us-east-1:111111111111:instance/*", id: ec2All,
			scp: []level{{"r-root", doc{allow("All", "*", "*"), deny("NoEC2", "ec2:*", "*")}}}}, Allowed, "", ""},
	{"T47: an SCP's Allow with a condition (E33)",
		getting(world{ctx: keys("aws:RequestedRegion", "us-east-1"), id: s3All,
			scp: []level{{"r-root", doc{allow("Region", "*", "*", when("StringEquals", "aws:RequestedRegion", "eu-west-1"))}}}}),
		ImplicitDeny, "scp noAllow @r-root", ""},
	{"T48: RCP denies a caller of the management account (E11)",
		world{who: Principal{Type: User, ARN: "arn:aws:iam::999999999999:user/m", Account: accountM}, action: "s3:GetObject", resource: getB,
			ctx: keys("aws:PrincipalOrgID", "o-1"), id: s3All, rb: doc{grant("M", aws(accountM), "s3:*", "arn:aws:s3:::b/*")},
			rcp: []level{rcpFull, {accountA, doc{grant("Full", "*", "*", "*"), refuse("O9", "*", "s3:*", "*", when("StringNotEquals", "aws:PrincipalOrgID", "o-9"))}}}},
		ExplicitDeny, "rcp explicitDeny O9 @111111111111", ""},
	{"T49: RCPs don't reach AWS managed keys (E11)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", id: kmsAll, rb: doc{grant("U", aws(userU), "kms:*", "*")},
			rcp:    []level{rcpFull, {accountA, doc{grant("Full", "*", "*", "*"), refuse("NoKMS", "*", "kms:*", "*")}}},
			change: func(p *Policies) { p.Resource.AWSManaged = Matched }}, Allowed, "", ""},
	{"T49: RCPs reach customer managed keys (E11)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", id: kmsAll, rb: doc{grant("U", aws(userU), "kms:*", "*")},
			rcp: []level{rcpFull, {accountA, doc{grant("Full", "*", "*", "*"), refuse("NoKMS", "*", "kms:*", "*")}}}},
		ExplicitDeny, "rcp explicitDeny NoKMS @111111111111", ""},
	{"T50: a service, exempt from an RCP's Deny (E27 C1)",
		world{who: aService("logging.s3.amazonaws.com"), action: "s3:PutObject", resource: "arn:aws:s3:::b/log",
			rb: doc{grant("Logs", `{"Service": "logging.s3.amazonaws.com"}`, "s3:PutObject", "arn:aws:s3:::b/*")},
			rcp: []level{{"r-root", doc{grant("Full", "*", "*", "*"), refuse("Ours", "*", "s3:*", "*",
				`"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}`)}}}},
		Allowed, "", ""},
	{"T51: a gateway endpoint's policy names root only (E34 X20)",
		getting(world{id: s3All, vpce: doc{grant("A", aws(rootA), "s3:*", "*")}, gateway: Matched}), ImplicitDeny, "endpoint noAllow", ""},
	{"T51: an interface endpoint's policy names the account (E34 X20)",
		getting(world{id: s3All, vpce: doc{grant("A", aws(rootA), "s3:*", "*")}}), Allowed, "", ""},
	{"E34: what a user's ARN means to a gateway endpoint isn't documented",
		getting(world{id: s3All, vpce: doc{grant("U", aws(userU), "s3:*", "*")}, gateway: Matched}), Indeterminate, "", "endpoint U Principal"},
	{"E34: whom NotPrincipal excepts there isn't documented, either",
		getting(world{id: s3All, vpce: doc{grant("All", "*", "*", "*"), deny("ButU", "*", "*", `"NotPrincipal": {"AWS": ["`+userU+`", "`+accountA+`"]}`)}, gateway: Matched}), Indeterminate, "", "endpoint ButU NotPrincipal"},
	{"E34: but for root",
		getting(world{who: aRoot(), vpce: doc{grant("All", "*", "*", "*"), deny("ButA", "*", "*", `"NotPrincipal": {"AWS": "`+accountA+`"}`)}, gateway: Matched}), Allowed, "", ""},
	{"P16: an interface endpoint's policy excepts the user",
		getting(world{id: s3All, vpce: doc{grant("All", "*", "*", "*"), deny("ButU", "*", "*", `"NotPrincipal": {"AWS": ["`+userU+`", "`+accountA+`"]}`)}}), Allowed, "", ""},
	{"E34: another user's is nobody's",
		getting(world{id: s3All, vpce: doc{grant("V", aws(userV), "s3:*", "*")}, gateway: Matched}), ImplicitDeny, "endpoint noAllow", ""},
	{"E34: nor is it known which kind of endpoint it is",
		getting(world{id: s3All, vpce: doc{grant("U", aws(userU), "s3:*", "*")}, gateway: Unknown}), Indeterminate, "", "endpoint U Principal"},
	{"E34: an interface endpoint's policy names the user",
		getting(world{id: s3All, vpce: doc{grant("U", aws(userU), "s3:*", "*")}}), Allowed, "", ""},
	{"T52: an endpoint's policy lacks allow (E36 M4)",
		getting(world{id: s3All, vpce: doc{grant("OnlyC", "*", "s3:*", `["arn:aws:s3:::c", "arn:aws:s3:::c/*"]`)}, gateway: Matched}),
		ImplicitDeny, "endpoint noAllow", ""},

	{"T53: Bool doesn't hold for an absent key (C4)",
		world{who: aUser("u"), action: "ec2:StopInstances", resource: "arn:aws:ec2:us-east-1:111111111111:instance/i-1",
			id: doc{allow("EC2", "ec2:*", "*"), deny("MFA", "*", "*", when("Bool", "aws:MultiFactorAuthPresent", "false"))}}, Allowed, "", ""},
	{"T53: BoolIfExists holds for an absent key (C5)",
		world{who: aUser("u"), action: "ec2:StopInstances", resource: "arn:aws:ec2:us-east-1:111111111111:instance/i-1",
			id: doc{allow("EC2", "ec2:*", "*"), deny("MFA", "*", "*", when("BoolIfExists", "aws:MultiFactorAuthPresent", "false"))}},
		ExplicitDeny, "identity explicitDeny MFA", ""},
	{"T54: ForAllValues holds without values (C22)",
		world{who: aUser("u"), action: "ec2:CreateTags", resource: "*",
			id: doc{allow("Tags", "ec2:CreateTags", "*", when("ForAllValues:StringEquals", "aws:TagKeys", `["a"]`))}}, Allowed, "", ""},
	{"T55: ForAnyValue (C23)",
		world{who: aUser("u"), action: "ec2:CreateTags", resource: "*", ctx: keys("aws:TagKeys", "a", "aws:TagKeys", "b"),
			id: doc{allow("EC2", "ec2:*", "*"), deny("NoB", "ec2:*", "*", when("ForAnyValue:StringEquals", "aws:TagKeys", `["b"]`))}},
		ExplicitDeny, "identity explicitDeny NoB", ""},
	{"T56: ForAllValues with a negated operator (C22)",
		world{who: aUser("u"), action: "ec2:CreateTags", resource: "*", ctx: keys("aws:TagKeys", "a", "aws:TagKeys", "aws:x"),
			id: doc{allow("NotAWS", "ec2:CreateTags", "*", when("ForAllValues:StringNotLike", "aws:TagKeys", `["aws:*"]`))}},
		ImplicitDeny, "identity noAllow", ""},
	{"T57: an empty value (C7 C12)",
		getting(world{action: "s3:ListBucket", resource: "arn:aws:s3:::b", ctx: keys("s3:prefix", ""),
			id: doc{allow("List", "s3:ListBucket", "*", when("StringLike", "s3:prefix", `["", "home/"]`))}}), Allowed, "", ""},
	{"T58: ArnLike compares segment by segment (C19)",
		world{who: aService("x.amazonaws.com"), action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:111111111111:q", rbType: "queue",
			ctx: keys("aws:SourceArn", "arn:aws:x:us-east-2:999:store/abc:111:finance/d"),
			rb:  doc{grant("X", `{"Service": "x.amazonaws.com"}`, "sqs:SendMessage", "*", when("ArnLike", "aws:SourceArn", "arn:aws:x:*:111:finance/*"))}},
		ImplicitDeny, "resource noAllow", ""},
	{"T58: StringLike compares the whole (C19 C21)",
		world{who: aService("x.amazonaws.com"), action: "sqs:SendMessage", resource: "arn:aws:sqs:us-east-1:111111111111:q", rbType: "queue",
			ctx: keys("aws:SourceArn", "arn:aws:x:us-east-2:999:store/abc:111:finance/d"),
			rb:  doc{grant("X", `{"Service": "x.amazonaws.com"}`, "sqs:SendMessage", "*", when("StringLike", "aws:SourceArn", "arn:aws:x:*:111:finance/*"))}},
		Allowed, "", ""},
	{"T59: host bits under the mask (C18)",
		getting(world{ctx: keys("aws:SourceIp", "203.0.113.200"), id: doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", "203.0.113.7/24"))}}),
		Allowed, "", ""},
	{"T59: an IPv6 address is in no IPv4 range (C18)",
		getting(world{ctx: keys("aws:SourceIp", "2001:db8::1"), id: doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", "203.0.113.7/24"))}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T60: everything (C18 X11)",
		getting(world{ctx: keys("aws:SourceIp", "198.51.100.1"), id: doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", "0.0.0.0/0"))}}),
		Allowed, "", ""},
	{"T61: dates, and digits as seconds (C15 X14)",
		getting(world{ctx: keys("aws:CurrentTime", "2026-11-01T00:00:00Z", "aws:EpochTime", "1793491200"), id: doc{allow("Time", "s3:*", "*",
			`"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}, "DateGreaterThan": {"aws:EpochTime": "2024"}}`)}}), Allowed, "", ""},
	{"T62: numbers, not texts (C13)",
		getting(world{action: "s3:ListBucket", resource: "arn:aws:s3:::b", ctx: keys("s3:max-keys", "10"),
			id: doc{allow("List", "s3:ListBucket", "*", when("NumericLessThanEquals", "s3:max-keys", "10.0"))}}), Allowed, "", ""},
	{"T62: the key is absent (C4)",
		getting(world{action: "s3:ListBucket", resource: "arn:aws:s3:::b",
			id: doc{allow("List", "s3:ListBucket", "*", when("NumericLessThanEquals", "s3:max-keys", "10.0"))}}), ImplicitDeny, "identity noAllow", ""},
	{"T63: key names without case (C3)",
		getting(world{who: aSession(), ctx: keys("aws:PrincipalTag/dept", "eng"),
			id: doc{allow("Dept", "s3:*", "*", when("StringEquals", "aws:PrincipalTag/Dept", "eng"))}}), Allowed, "", ""},
	{"T63: values with case (C10)",
		getting(world{who: aSession(), ctx: keys("aws:PrincipalTag/dept", "eng"),
			id: doc{allow("Dept", "s3:*", "*", when("StringEquals", "aws:PrincipalTag/Dept", "ENG"))}}), ImplicitDeny, "identity noAllow", ""},
	{"T64: Null, key absent (C6)",
		getting(world{id: doc{allow("LongTerm", "s3:*", "*", when("Null", "aws:TokenIssueTime", "true"))}}), Allowed, "", ""},
	{"T64: Null, key present (C6)",
		getting(world{who: aSession(), ctx: keys("aws:TokenIssueTime", "2026-11-01T00:00:00Z"),
			id: doc{allow("LongTerm", "s3:*", "*", when("Null", "aws:TokenIssueTime", "true"))}}), ImplicitDeny, "identity noAllow", ""},
	{"T65: a negated list, one of it (C1 C9)",
		getting(world{ctx: keys("aws:RequestedRegion", "eu-west-1"), id: doc{allow("All", "*", "*"),
			deny("EU", "*", "*", when("StringNotEquals", "aws:RequestedRegion", `["eu-west-1", "eu-central-1"]`))}}), Allowed, "", ""},
	{"T65: a negated list, none of it (C1 C9)",
		getting(world{ctx: keys("aws:RequestedRegion", "us-east-1"), id: doc{allow("All", "*", "*"),
			deny("EU", "*", "*", when("StringNotEquals", "aws:RequestedRegion", `["eu-west-1", "eu-central-1"]`))}}),
		ExplicitDeny, "identity explicitDeny EU", ""},
	{"T66: no variables in version 2008-10-17 (G10 G11 X27)",
		getting(world{resource: "arn:aws:s3:::b/u/k", id: doc{"2008", allow("Own", "s3:GetObject", "arn:aws:s3:::b/${aws:username}/*")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T66: variables in version 2012-10-17 (V1)",
		getting(world{resource: "arn:aws:s3:::b/u/k", id: doc{allow("Own", "s3:GetObject", "arn:aws:s3:::b/${aws:username}/*")}}), Allowed, "", ""},
	{"T67: a variable's default (V3 V6)",
		getting(world{who: aSession(), resource: "arn:aws:s3:::b/pub/k", id: doc{allow("Team", "s3:GetObject", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'pub'}/*")}}),
		Allowed, "", ""},
	{"T67: a variable without value (V6)",
		getting(world{who: aSession(), resource: "arn:aws:s3:::b/pub/k", id: doc{allow("Team", "s3:GetObject", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*")}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T68: a negated operator and a variable without value (V6 X7)",
		getting(world{who: aSession(), id: s3All, ctx: keys("s3:ExistingObjectTag/team", "x"),
			rb: doc{refuse("Team", "*", "s3:*", "arn:aws:s3:::b/*", when("StringNotEquals", "s3:ExistingObjectTag/team", "${aws:PrincipalTag/team}"))}}),
		ExplicitDeny, "resource explicitDeny Team", ""},
	{"T69: a * that comes from a value is no wildcard (V5 X17)",
		getting(world{who: aSession(), resource: "arn:aws:s3:::b/x/k", ctx: keys("aws:PrincipalTag/team", "*"),
			id: doc{allow("Team", "s3:GetObject", "arn:aws:s3:::b/${aws:PrincipalTag/team}/*")}}), ImplicitDeny, "identity noAllow", ""},
	{"T70: several values, no set operator (C27)",
		world{who: aUser("u"), action: "ec2:CreateTags", resource: "*", ctx: keys("aws:TagKeys", "a", "aws:TagKeys", "b"),
			id: doc{allow("Tags", "ec2:CreateTags", "*", when("StringEquals", "aws:TagKeys", "a"))}}, Indeterminate, "", "identity Tags aws:TagKeys"},

	{"T71: a key policy that doesn't delegate (S1 M24)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", id: kmsAll, rb: doc{grant("X", aws("arn:aws:iam::111111111111:role/x"), "kms:*", "*")}},
		ImplicitDeny, "resource noAllow", ""},
	{"T72: a key policy that delegates, no identity allow (S1 M24)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{grant("A", aws(rootA), "kms:*", "*")}},
		ImplicitDeny, "identity noAllow", ""},
	{"T72: a key policy that delegates, identity allows (S1)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", id: kmsAll, rb: doc{grant("A", aws(rootA), "kms:*", "*")}}, Allowed, "", ""},
	{"T73: a key policy that names the user (S2)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{grant("U", aws(userU), "kms:*", "*")}}, Allowed, "", ""},
	{"T73: a key policy that doesn't name root (S1 E1)",
		world{who: aRoot(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{grant("U", aws(userU), "kms:*", "*")}},
		ImplicitDeny, "resource noAllow", ""},
	{"T74: an AWS managed key, called directly (S4)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", ctx: keys("kms:CallerAccount", accountA),
			rb: doc{grant("ViaS3", "*", "kms:Decrypt", "*",
				`"Condition": {"StringEquals": {"kms:CallerAccount": "111111111111", "kms:ViaService": "s3.us-east-1.amazonaws.com"}}`)}},
		ImplicitDeny, "resource noAllow", ""},
	{"T74: an AWS managed key, called through its service (S4)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key",
			ctx: keys("kms:CallerAccount", accountA, "kms:ViaService", "s3.us-east-1.amazonaws.com"),
			rb: doc{grant("ViaS3", "*", "kms:Decrypt", "*",
				`"Condition": {"StringEquals": {"kms:CallerAccount": "111111111111", "kms:ViaService": "s3.us-east-1.amazonaws.com"}}`)}},
		Allowed, "", ""},
	{"T75: a grant on the key (S3)",
		world{who: aSession(), action: "kms:Decrypt", resource: keyK, rbType: "key", rb: doc{grant("X", aws("arn:aws:iam::111111111111:role/x"), "kms:*", "*")},
			change: func(p *Policies) {
				p.Resource.Grants.List = []KeyGrant{{ID: "g", Grantee: roleR, Operations: []string{"Decrypt"}}}
			}}, Allowed, "", ""},

	{"T76: the trust policy names the user (S5 X21)",
		world{who: aUser("u"), action: "sts:AssumeRole", resource: roleR, rbType: "trust", rb: doc{trusts("U", aws(userU), "sts:AssumeRole")}}, Allowed, "", ""},
	{"T77: the trust policy names the account, no identity allow (S5)",
		world{who: aUser("u"), action: "sts:AssumeRole", resource: roleR, rbType: "trust", rb: doc{trusts("A", aws(accountA), "sts:AssumeRole")}},
		ImplicitDeny, "identity noAllow", ""},
	{"S7: the trust policy must allow sts:SetContext, too (S5)",
		world{who: aUser("u"), action: "sts:SetContext", resource: roleR, rbType: "trust", id: doc{allow("STS", "sts:*", "*")}, rb: doc{trusts("U", aws(userU), "sts:AssumeRole")}},
		ImplicitDeny, "resource noAllow", ""},
	{"T78: the trust policy names a service only (S5 M9)",
		world{who: aUser("u"), action: "sts:AssumeRole", resource: roleR, rbType: "trust", id: doc{allow("STS", "sts:*", "*")},
			rb: doc{trusts("EC2", `{"Service": "ec2.amazonaws.com"}`, "sts:AssumeRole")}}, ImplicitDeny, "resource noAllow", ""},
	{"T79: a role doesn't trust itself (S6)",
		world{who: aSession(), action: "sts:AssumeRole", resource: roleR, rbType: "trust", id: doc{allow("STS", "sts:*", "*")},
			rb: doc{trusts("EC2", `{"Service": "ec2.amazonaws.com"}`, "sts:AssumeRole")}}, ImplicitDeny, "resource noAllow", ""},
	{"T80: another account's role, identity allows (E21 S5)",
		world{who: aUser("u"), action: "sts:AssumeRole", resource: "arn:aws:iam::222222222222:role/x", owner: accountB, rbType: "trust",
			id: doc{allow("STS", "sts:AssumeRole", "*")}, rb: doc{trusts("A", aws(accountA), "sts:AssumeRole")}}, Allowed, "", ""},
	{"T80: another account's role, no identity allow (E21 S5)",
		world{who: aUser("u"), action: "sts:AssumeRole", resource: "arn:aws:iam::222222222222:role/x", owner: accountB, rbType: "trust",
			rb: doc{trusts("A", aws(accountA), "sts:AssumeRole")}}, ImplicitDeny, "identity noAllow", ""},
	{"T81: session tags need sts:TagSession too (S7 S47)",
		world{who: aUser("u"), action: "sts:TagSession", resource: roleR, rbType: "trust", rb: doc{trusts("U", aws(userU), "sts:AssumeRole")}},
		ImplicitDeny, "resource noAllow", ""},
	{"T82: web identity, its subject fits (S8 P12)",
		world{who: Principal{Type: WebIdentity, ARN: oidc}, action: "sts:AssumeRoleWithWebIdentity", resource: roleR, rbType: "trust",
			ctx: keys("token.example.com:sub", "repo:o/x:ref:refs/heads/main"),
			rb:  doc{trusts("OIDC", `{"Federated": "`+oidc+`"}`, "sts:AssumeRoleWithWebIdentity", when("StringLike", "token.example.com:sub", "repo:o/*"))}},
		Allowed, "", ""},
	{"T82: web identity, its subject doesn't fit (S8 P12)",
		world{who: Principal{Type: WebIdentity, ARN: oidc}, action: "sts:AssumeRoleWithWebIdentity", resource: roleR, rbType: "trust",
			ctx: keys("token.example.com:sub", "repo:p/x:ref:refs/heads/main"),
			rb:  doc{trusts("OIDC", `{"Federated": "`+oidc+`"}`, "sts:AssumeRoleWithWebIdentity", when("StringLike", "token.example.com:sub", "repo:o/*"))}},
		ImplicitDeny, "resource noAllow", ""},
	{"T83: sts:GetCallerIdentity can't be denied (S9)",
		world{who: aUser("u"), action: "sts:GetCallerIdentity", resource: "*", id: doc{deny("No", "*", "*")}}, Allowed, "", ""},
	{"T84: ec2:RunInstances alone (S12 S43)",
		world{who: aUser("u"), action: "ec2:RunInstances", resource: "arn:aws:ec2:us-east-1:111111111111:instance/*", id: ec2All}, Allowed, "", ""},
	{"T84: with an instance profile, iam:PassRole (S12 S43 M15)",
		world{who: aUser("u"), action: "iam:PassRole", resource: roleR, ctx: keys("iam:PassedToService", "ec2.amazonaws.com"), id: ec2All},
		ImplicitDeny, "identity noAllow", ""},
	{"T85: a federated user can't call IAM (S13 E5)",
		world{who: aFederatedUser(), action: "iam:ListUsers", resource: "*", id: all, sp: all}, ExplicitDeny, "service explicitDeny", ""},
	{"T87: s3:GetObject of an encrypted object (S24)", getting(world{id: s3All}), Allowed, "", ""},
	{"T87: and kms:Decrypt with its key (S24 S1)",
		world{who: aUser("u"), action: "kms:Decrypt", resource: keyK, rbType: "key", id: s3All, rb: doc{grant("A", aws(rootA), "kms:*", "*")}},
		ImplicitDeny, "identity noAllow", ""},

	{"T88: an unknown key (U8 U15)",
		getting(world{unknown: []string{"aws:SourceIp"}, id: doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", "10.0.0.0/8"))}}),
		Indeterminate, "", "identity Net aws:SourceIp"},
	{"T89: an unknown Deny, and no Allow at all (U4 U12)",
		getting(world{unknown: []string{"aws:RequestedRegion"}, id: doc{deny("EU", "*", "*", when("StringNotEquals", "aws:RequestedRegion", "eu-west-1"))}}),
		ImplicitDeny, "identity noAllow", ""},
	{"T90: SCPs not collected, all else allows (U6 U13)",
		getting(world{id: s3All, change: func(p *Policies) { p.SCP = Hierarchy{State: NotCollected, Missing: "SCPs"} }}),
		Indeterminate, "scp notCollected @", "scp SCPs"},
	{"T90: SCPs not collected, nothing allows (U12)",
		getting(world{change: func(p *Policies) { p.SCP = Hierarchy{State: NotCollected, Missing: "SCPs"} }}), ImplicitDeny, "identity noAllow", ""},
	{"T91: whose the bucket is isn't known, both variants allow (U14 E26)",
		getting(world{resource: "arn:aws:s3:::x/k", owner: "?", id: s3All, rb: doc{grant("A", aws(accountA), "s3:GetObject", "arn:aws:s3:::x/*")}}), Allowed, "", ""},
	{"T93: a foreign caller of whom nothing is known, RB allows (U20)",
		world{who: Principal{Type: User, ARN: "arn:aws:iam::222222222222:user/x", Account: accountB}, action: "s3:GetObject", resource: getB,
			rb: doc{grant("B", aws(accountB), "s3:GetObject", "arn:aws:s3:::b/*")}, change: callerNotCollected},
		Indeterminate,
		"scp notCollected @; identity notCollected; boundary notCollected; session notCollected",
		"scp account B; identity account B; boundary account B; session account B"},
	{"T93: a foreign caller of whom nothing is known, RB silent (U12 U20)",
		world{who: Principal{Type: User, ARN: "arn:aws:iam::222222222222:user/x", Account: accountB}, action: "s3:GetObject", resource: getB,
			rb: doc{}, change: callerNotCollected}, ImplicitDeny, "resource noAllow", ""},
	{"T94: a Deny with an unknown element (G21 U5)",
		getting(world{id: doc{allow("S3", "s3:*", "*"), stmt("Odd", "Deny", `"Action": "s3:*"`, `"Resource": "*"`, `"Resources": "x"`)}}),
		Indeterminate, "", "identity Odd Statement"},
}

func callerNotCollected(p *Policies) {
	unread := Layer{State: NotCollected, Missing: "account B"}
	p.Identity, p.Boundary, p.Session = unread, unread, unread
	p.SCP = Hierarchy{State: NotCollected, Missing: "account B"}
}

func TestWorkedCases(t *testing.T) {
	for _, c := range workedCases {
		t.Run(c.name, func(t *testing.T) {
			req, p := c.world.build(t)
			x := Explain(req, p)
			if x.Decision != c.want {
				t.Errorf("%s of %s by %s: %v, want %v", req.Action, req.Resource.ARN, req.Principal.ARN, x.Decision, c.want)
			}
			if d := cmp.Diff(c.blockers, summary(x)); d != "" {
				t.Errorf("blockers (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.open, hangsOn(x)); d != "" {
				t.Errorf("undecided (-want +got):\n%s", d)
			}
			if d := Evaluate(req, p); d != x.Decision {
				t.Errorf("Evaluate says %v, Explain %v", d, x.Decision)
			}
		})
	}
}

// TestCombine serves rule E4, and with it the rows whose call makes several checks (T81, T84, T87).
func TestCombine(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []Decision
		want Decision
	}{
		{"all allowed", []Decision{Allowed, Allowed}, Allowed},
		{"T81, T84, T87: one lacks an allow", []Decision{Allowed, ImplicitDeny}, ImplicitDeny},
		{"one denied", []Decision{ImplicitDeny, ExplicitDeny, Allowed}, ExplicitDeny},
		{"one open", []Decision{Allowed, Indeterminate}, Indeterminate},
		{"a denial is definite whatever else is open (U11)", []Decision{Indeterminate, ImplicitDeny}, ImplicitDeny},
	} {
		if got := Combine(c.in...); got != c.want {
			t.Errorf("%s: Combine(%v) = %v, want %v", c.name, c.in, got, c.want)
		}
	}
}
