package snapshot_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// want is what a test expects of a layer.
type want struct {
	state    evaluator.LayerState
	policies []string
	missing  string // in Missing
}

func checkWant(t *testing.T, w want, l evaluator.Layer) {
	t.Helper()
	checkLayer(t, t.Name(), l)
	if l.State != w.state {
		t.Errorf("state %v, want %v (missing: %s)", l.State, w.state, l.Missing)
	}
	if diff := cmp.Diff(w.policies, named(l.Policies)); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	if !strings.Contains(l.Missing, w.missing) {
		t.Errorf("missing %q, want …%s…", l.Missing, w.missing)
	}
}

func TestIdentity(t *testing.T) {
	annPolicies := []string{"inline:own", "managed:shared", "inline:ginline", "managed:shared"}
	role := func(arn, roleARN, id string, pathUnknown bool) evaluator.Principal {
		return evaluator.Principal{Type: evaluator.AssumedRole, ARN: arn, RoleARN: roleARN, ID: id, RolePathUnknown: pathUnknown, Account: prod}
	}
	const session = "arn:aws:sts::222222222222:assumed-role/deploy/ci"
	tests := []struct {
		name      string
		principal evaluator.Principal
		want      want
	}{
		{"E6: user's own and its groups'", ann, want{evaluator.Applies, annPolicies, ""}},
		{"E6: role session", deploy, want{evaluator.Applies, []string{"inline:rinline"}, ""}},
		{"E6: federated session has its parent's", evaluator.Principal{Type: evaluator.FederatedUser, ARN: "arn:aws:sts::222222222222:federated-user/bob", ParentARN: ann.ARN, Account: prod}, want{evaluator.Applies, annPolicies, ""}},
		{"P2: unknown parent", evaluator.Principal{Type: evaluator.FederatedUser, ARN: "arn:aws:sts::222222222222:federated-user/ann", Account: prod}, want{evaluator.NotCollected, nil, "sts:GetFederationToken"}},
		{"E6: root's federated session", evaluator.Principal{Type: evaluator.FederatedUser, ARN: "arn:aws:sts::222222222222:federated-user/ann", ParentARN: "arn:aws:iam::222222222222:root", Account: prod}, want{}},
		{"E6: root", evaluator.Principal{Type: evaluator.Root, ARN: "arn:aws:iam::222222222222:root", Account: prod}, want{}},
		{"E6: service", lambda, want{}},
		{"E6: anonymous", nobody, want{}},
		{"E6: web identity", evaluator.Principal{Type: evaluator.WebIdentity, ARN: "accounts.google.com"}, want{}},
		{"E6: SAML", evaluator.Principal{Type: evaluator.SAML, ARN: "arn:aws:iam::222222222222:saml-provider/x"}, want{}},
		{"unknown caller", evaluator.Principal{}, want{evaluator.NotCollected, nil, "who the caller is"}},
		{"U6: a managed policy and a group are missing", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/team/bob", Account: prod}, want{evaluator.NotCollected, nil, "arn:aws:iam::222222222222:user/team/bob"}},
		{"U6: denied account", payer, want{evaluator.NotCollected, nil, "iam:GetAccountAuthorizationDetails was denied (not authorized)"}},
		{"U20: foreign caller", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::999999999999:user/x", Account: foreign}, want{evaluator.NotCollected, nil, "accounts/999999999999/iam isn't in the snapshot"}},
		{"not in its account", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/new", Account: prod}, want{evaluator.NotCollected, nil, "user new isn't in account 222222222222 as collected on 2025-06-01T10:00:00Z"}},
		{"P1: by name if only the session is known", role(session, "", "", false), want{evaluator.Applies, []string{"inline:rinline"}, ""}},
		{"P1: by id", role("", "", "AROADEPLOY", true), want{evaluator.Applies, []string{"inline:rinline"}, ""}},
		{"P1: by ARN with its path", role(session, "arn:aws:iam::222222222222:role/ci/deploy", "AROADEPLOY", false), want{evaluator.Applies, []string{"inline:rinline"}, ""}},
		{"P1: another path is another role", role(session, "arn:aws:iam::222222222222:role/deploy", "", false), want{evaluator.NotCollected, nil, "but arn:aws:iam::222222222222:role/ci/deploy is"}},
		{"T29: role made anew", role(session, "arn:aws:iam::222222222222:role/ci/deploy", "AROANEW", false), want{evaluator.NotCollected, nil, "deleted and made anew"}},
		{"T29: user made anew", evaluator.Principal{Type: evaluator.User, ARN: ann.ARN, ID: "AIDAOTHER", Account: prod}, want{evaluator.NotCollected, nil, "AIDAOTHER"}},
		{"U6: a managed policy's version isn't there", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/bob", Account: prod}, want{evaluator.NotCollected, nil, "policy/gone"}},
	}
	s := load(t, map[string]string{"accounts/222222222222/iam.json": strings.Replace(fixture["accounts/222222222222/iam.json"], `"PolicyName": "gone"`, `"PolicyName": "policy/gone"`, 1)})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checkWant(t, test.want, policies(t, s, evaluator.Request{Principal: test.principal}).Identity)
		})
	}
}

// What is known of a layer is listed though the rest is missing (rule U6).
func TestPartialIdentity(t *testing.T) {
	iam := fixture["accounts/222222222222/iam.json"]
	tests := []struct{ name, from, to, missing string }{
		{"a document doesn't parse", `"Action": "s3:*", "Resource": "*"}]}}],
     "AttachedManagedPolicies"`, `"Action": "s3:*", "Action": "s3:*"}]}}],
     "AttachedManagedPolicies"`, "inline policy own"},
		{"a list is no list", `"GroupList": ["readers"]`, `"GroupList": "readers"`, "GroupList can't be read"},
		{"a group is missing", `"GroupName": "readers"`, `"GroupName": "writers"`, "group readers"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			changed := strings.Replace(iam, test.from, test.to, 1)
			if changed == iam {
				t.Fatal("nothing changed")
			}
			s := load(t, map[string]string{"accounts/222222222222/iam.json": changed})
			l := policies(t, s, evaluator.Request{Principal: ann}).Identity
			checkLayer(t, test.name, l)
			if l.State != evaluator.NotCollected || !strings.Contains(l.Missing, test.missing) || len(l.Policies) < 2 {
				t.Errorf("%v %v, missing %q; want the known policies, and …%s… missing", l.State, named(l.Policies), l.Missing, test.missing)
			}
		})
	}
	t.Run("the part wasn't collected whole", func(t *testing.T) {
		s := load(t, map[string]string{"snapshot.json": strings.Replace(fixture["snapshot.json"], `"accounts/222222222222/iam": {"status": "ok"}`, `"accounts/222222222222/iam": {"status": "error", "reason": "throttled"}`, 1)})
		l := policies(t, s, evaluator.Request{Principal: ann}).Identity
		if l.State != evaluator.NotCollected || !strings.Contains(l.Missing, "throttled") || len(l.Policies) != 4 {
			t.Errorf("%v %v, missing %q", l.State, named(l.Policies), l.Missing)
		}
	})
}

func TestBoundary(t *testing.T) {
	s := load(t, nil)
	tests := []struct {
		name      string
		principal evaluator.Principal
		want      want
	}{
		{"E7: user with one", ann, want{evaluator.Applies, []string{"boundary:shared"}, ""}},
		{"E7: role without", deploy, want{}},
		{"E7: the parent's", evaluator.Principal{Type: evaluator.FederatedUser, ParentARN: ann.ARN, Account: prod}, want{evaluator.Applies, []string{"boundary:shared"}, ""}},
		{"E7: root", evaluator.Principal{Type: evaluator.Root, Account: prod}, want{}},
		{"U6: its document is missing", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::222222222222:user/team/bob"}, want{evaluator.NotCollected, nil, "policy gone of"}},
		{"U20: foreign caller", evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::999999999999:user/x"}, want{evaluator.NotCollected, nil, "permissions boundary of"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checkWant(t, test.want, policies(t, s, evaluator.Request{Principal: test.principal}).Boundary)
		})
	}
}

func TestSession(t *testing.T) {
	s := load(t, nil)
	tests := []struct {
		name  string
		typ   evaluator.PrincipalType
		state evaluator.LayerState
	}{
		{"U21: role session", evaluator.AssumedRole, evaluator.NotCollected},
		{"E8: federated session", evaluator.FederatedUser, evaluator.NotCollected},
		{"E8: user", evaluator.User, evaluator.DoesNotApply},
		{"E8: root", evaluator.Root, evaluator.DoesNotApply},
		{"E8: service", evaluator.Service, evaluator.DoesNotApply},
		{"unknown caller", evaluator.UnknownPrincipal, evaluator.NotCollected},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := policies(t, s, evaluator.Request{Principal: evaluator.Principal{Type: test.typ, Account: prod}}).Session
			checkLayer(t, test.name, l)
			if l.State != test.state {
				t.Errorf("state %v, want %v", l.State, test.state)
			}
		})
	}
}

// levels returns the targets and policies of a hierarchy.
func levels(h evaluator.Hierarchy) []string {
	var all []string
	for _, l := range h.Levels {
		state := ""
		if l.State != evaluator.Applies {
			state = "!"
		}
		all = append(all, state+l.Target+" "+l.Name+" "+strings.Join(named(l.Policies), " "))
	}
	return all
}

func TestHierarchies(t *testing.T) {
	scps := []string{
		"r-root Root scp:FullAWSAccess", "ou-work Work scp:FullAWSAccess",
		"ou-prod Prod scp:FullAWSAccess scp:DenyOutsideEU", "222222222222 prod scp:FullAWSAccess",
	}
	// E35: RCPFullAWSAccess has no file here, and is listed at the root only.
	rcps := []string{
		"r-root Root rcp:RCPFullAWSAccess", "ou-work Work rcp:RCPFullAWSAccess",
		"ou-prod Prod rcp:Perimeter rcp:RCPFullAWSAccess", "222222222222 prod rcp:RCPFullAWSAccess",
	}
	object := evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/x"}
	org := fixture["organization.json"]
	change := func(from, to string) map[string]string {
		return map[string]string{"organization.json": strings.Replace(org, from, to, 1)}
	}
	status := func(part, status string) map[string]string {
		return map[string]string{"snapshot.json": strings.Replace(fixture["snapshot.json"], `"`+part+`": {"status": "ok"}`, `"`+part+`": {"status": "`+status+`", "reason": "because"}`, 1)}
	}
	type hierarchy struct {
		state   evaluator.LayerState
		levels  []string
		missing string
	}
	tests := []struct {
		name     string
		changes  map[string]string
		req      evaluator.Request
		scp, rcp hierarchy
	}{
		{"E33: from the root down", nil, evaluator.Request{Principal: ann, Action: "s3:GetObject", Resource: object},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{evaluator.Applies, rcps, ""}},
		{"E10, E11: management account", nil, evaluator.Request{Principal: payer, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::m", Account: mgmt}},
			hierarchy{}, hierarchy{}},
		{"E11: the owner's RCPs, for any caller", nil, evaluator.Request{Principal: nobody, Action: "s3:GetObject", Resource: object},
			hierarchy{}, hierarchy{evaluator.Applies, rcps, ""}},
		{"E10: service principal", nil, evaluator.Request{Principal: lambda, Action: "s3:GetObject", Resource: object},
			hierarchy{}, hierarchy{evaluator.Applies, rcps, ""}},
		{"E11: no resource, the caller's account", nil, evaluator.Request{Principal: ann, Action: "s3:ListAllMyBuckets", Resource: evaluator.Resource{ARN: "*"}},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{evaluator.Applies, rcps, ""}},
		{"E26: unknown owner", nil, evaluator.Request{Principal: ann, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::who/x"}},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{evaluator.NotCollected, nil, "which account owns arn:aws:s3:::who/x"}},
		{"U20: accounts outside may be in another organisation", nil, evaluator.Request{Principal: evaluator.Principal{Type: evaluator.User, ARN: "arn:aws:iam::999999999999:user/x"}, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::partner/x"}},
			hierarchy{evaluator.NotCollected, nil, "it isn't in organisation o-acme"}, hierarchy{evaluator.NotCollected, nil, "account 999999999999"}},
		{"E37: RCPs not enabled", change(`, "RESOURCE_CONTROL_POLICY"`, ``), evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{}},
		{"U7: nobody recorded what is enabled", change(`"enabledPolicyTypes": ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],`, ``), evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.MayApply, scps, "SERVICE_CONTROL_POLICY is enabled"}, hierarchy{evaluator.MayApply, rcps, "RESOURCE_CONTROL_POLICY"}},
		{"U7: nobody recorded the management account", change(`"managementAccount": "111111111111",`, ``), evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.MayApply, scps, "management account"}, hierarchy{evaluator.MayApply, rcps, "management account"}},
		{"U6: an SCP's file is missing", map[string]string{"organization/scp/p-region.json": ""}, evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.Applies, []string{scps[0], scps[1], "!ou-prod Prod scp:FullAWSAccess", scps[3]}, ""}, hierarchy{evaluator.Applies, rcps, ""}},
		{"U6: an SCP can't be parsed", map[string]string{"organization/scp/p-region.json": `{"id": "p-region", "document": {"Statement": }}`}, evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.Applies, []string{scps[0], scps[1], "!ou-prod Prod scp:FullAWSAccess", scps[3]}, ""}, hierarchy{evaluator.Applies, rcps, ""}},
		{"U6: attachments weren't recorded", change(`"ou-work", "name": "Work", "policies": {"scp": ["p-FullAWSAccess"], "rcp": []}`, `"ou-work", "name": "Work"`), evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.Applies, []string{scps[0], "!ou-work Work ", scps[2], scps[3]}, ""}, hierarchy{evaluator.Applies, []string{rcps[0], "!" + rcps[1], rcps[2], rcps[3]}, ""}},
		{"U6: SCPs denied", status("organization/scp", "denied"), evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.Applies, []string{"!" + scps[0], "!" + scps[1], "!" + scps[2], "!" + scps[3]}, ""}, hierarchy{evaluator.Applies, rcps, ""}},
		{"U6: organisation denied", map[string]string{"organization.json": "", "snapshot.json": status("organization", "denied")["snapshot.json"]}, evaluator.Request{Principal: ann, Resource: object},
			hierarchy{evaluator.NotCollected, nil, "organizations:DescribeOrganization and organizations:ListAccountsForParent was denied (because)"}, hierarchy{evaluator.NotCollected, nil, "was denied"}},
		{"U6: organisation collected in part: an account may be missing from it", status("organization", "error"), evaluator.Request{Principal: evaluator.Principal{Type: evaluator.Root, Account: foreign}, Resource: object},
			hierarchy{evaluator.NotCollected, nil, "collecting organization failed (because)"}, hierarchy{evaluator.Applies, []string{"!" + rcps[0], "!" + rcps[1], "!" + rcps[2], "!" + rcps[3]}, ""}},
		{"E37: no organisation", map[string]string{"organization.json": "{}", "snapshot.json": `{"formatVersion": 1, "collectedBy": "arn:aws:iam::222222222222:user/ann"}`}, evaluator.Request{Principal: ann, Resource: object},
			hierarchy{}, hierarchy{}},
		{"E37: another account's organisation", map[string]string{"organization.json": "{}", "snapshot.json": `{"formatVersion": 1, "collectedBy": "arn:aws:iam::222222222222:user/ann"}`}, evaluator.Request{Principal: payer, Resource: object},
			hierarchy{evaluator.NotCollected, nil, "whether it is in an organisation"}, hierarchy{}},
		{"E11: AWS managed keys", nil, evaluator.Request{Principal: ann, Action: "kms:Decrypt", Resource: evaluator.Resource{ARN: "arn:aws:kms:eu-west-1:222222222222:key/k2"}},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{}},
		{"E11: who manages the key isn't known", nil, evaluator.Request{Principal: ann, Action: "kms:Decrypt", Resource: evaluator.Resource{ARN: "arn:aws:kms:eu-west-1:222222222222:key/k3"}},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{evaluator.MayApply, rcps, "AWS managed key"}},
		{"E11: kms:RetireGrant", nil, evaluator.Request{Principal: ann, Action: "kms:RetireGrant", Resource: evaluator.Resource{ARN: "arn:aws:kms:eu-west-1:222222222222:key/k1"}},
			hierarchy{evaluator.Applies, scps, ""}, hierarchy{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := policies(t, load(t, test.changes), test.req)
			for name, pair := range map[string]struct {
				want hierarchy
				got  evaluator.Hierarchy
			}{"scp": {test.scp, p.SCP}, "rcp": {test.rcp, p.RCP}} {
				if pair.got.State != pair.want.state || !strings.Contains(pair.got.Missing, pair.want.missing) {
					t.Errorf("%s: state %v, missing %q; want %v, …%s…", name, pair.got.State, pair.got.Missing, pair.want.state, pair.want.missing)
				}
				if diff := cmp.Diff(pair.want.levels, levels(pair.got)); diff != "" {
					t.Errorf("%s: levels (-want +got):\n%s", name, diff)
				}
				for _, l := range pair.got.Levels {
					checkLayer(t, name, l.Layer)
				}
			}
		})
	}
}

func TestResourceLayer(t *testing.T) {
	s := load(t, nil)
	boss := payer
	const region = "eu-west-1:222222222222:"
	tests := []struct {
		name      string
		principal evaluator.Principal
		action    string
		resource  evaluator.Resource
		typ       string
		want      want
	}{
		{"E9: bucket", ann, "s3:ListBucket", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs"}, "bucket", want{evaluator.Applies, []string{"bucket:acme-logs"}, ""}},
		{"E9: object", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/a/b"}, "bucket", want{evaluator.Applies, []string{"bucket:acme-logs"}, ""}},
		{"R14: the objects of one bucket", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-logs/*", Pattern: true}, "bucket", want{evaluator.Applies, []string{"bucket:acme-logs"}, ""}},
		{"U19: known to have none", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-bare/x"}, "bucket", want{evaluator.Applies, nil, ""}},
		{"U6: one bucket denied", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-secret/x"}, "bucket", want{evaluator.NotCollected, nil, "s3:GetBucketPolicy: denied (explicit deny)"}},
		{"E26: nobody's bucket", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::other/x"}, "bucket", want{evaluator.NotCollected, nil, "s3:GetBucketPolicy on arn:aws:s3:::other"}},
		{"a bucket that its owner's inventory doesn't have", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::other/x", Account: prod}, "bucket", want{evaluator.NotCollected, nil, "it isn't in account 222222222222 as collected on"}},
		{"R17: another partition's bucket", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws-cn:s3:::acme-logs/x"}, "bucket", want{evaluator.NotCollected, nil, ""}},
		{"R14: some bucket", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-*", Pattern: true, Account: prod}, "bucket", want{evaluator.NotCollected, nil, "has a policy"}},
		{"S17: what guards a bucket leaves its policy known", boss, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-public/x"}, "bucket", want{evaluator.Applies, []string{"bucket:acme-public"}, ""}},
		{"S16: and so do ACLs", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:::acme-acl/x"}, "bucket", want{evaluator.Applies, nil, ""}},
		{"S21: access point", ann, "s3:GetObject", evaluator.Resource{ARN: "arn:aws:s3:" + region + "accesspoint/ap/object/x"}, "access point", want{evaluator.NotCollected, nil, "s3:GetAccessPointPolicy on arn:aws:s3:eu-west-1:222222222222:accesspoint/ap would tell"}},
		{"S1: key", ann, "kms:Decrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k1"}, "key", want{evaluator.Applies, []string{"key:k1"}, ""}},
		{"S3: a grant may let the caller in", deploy, "kms:decrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k1"}, "key", want{evaluator.Applies, []string{"key:k1"}, ""}},
		{"S3: not for another operation", deploy, "kms:Encrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k1"}, "key", want{evaluator.Applies, []string{"key:k1"}, ""}},
		{"S3: grants not collected", ann, "kms:Decrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "key/k3"}, "key", want{evaluator.Applies, []string{"key:k3"}, ""}},
		{"S4: the key behind an alias", ann, "kms:Encrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "alias/app"}, "key", want{evaluator.Applies, []string{"key:k1"}, ""}},
		{"S4: unknown alias", ann, "kms:Encrypt", evaluator.Resource{ARN: "arn:aws:kms:" + region + "alias/x"}, "key", want{evaluator.NotCollected, nil, "kms:DescribeKey"}},
		{"S4: the alias itself", ann, "kms:UpdateAlias", evaluator.Resource{ARN: "arn:aws:kms:" + region + "alias/app"}, "", want{}},
		{"U6: service denied", ann, "sqs:SendMessage", evaluator.Resource{ARN: "arn:aws:sqs:" + region + "jobs"}, "queue", want{evaluator.NotCollected, nil, "sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:222222222222:jobs was denied (no sqs for you)"}},
		{"S26: topic", ann, "sns:Publish", evaluator.Resource{ARN: "arn:aws:sns:" + region + "alerts"}, "topic", want{evaluator.Applies, []string{"topic:alerts"}, ""}},
		{"S26: subscription", ann, "sns:Unsubscribe", evaluator.Resource{ARN: "arn:aws:sns:" + region + "alerts:1-2-3"}, "topic", want{evaluator.Applies, []string{"topic:alerts"}, ""}},
		{"S26: mobile endpoint", ann, "sns:Publish", evaluator.Resource{ARN: "arn:aws:sns:" + region + "endpoint/APNS/a/b"}, "", want{}},
		{"T65: some topic, one of them with a policy", ann, "sns:Publish", evaluator.Resource{ARN: "arn:aws:sns:" + region + "*"}, "topic", want{evaluator.NotCollected, nil, "alerts has a policy"}},
		{"T65: some topic, none with a policy", ann, "sns:Publish", evaluator.Resource{ARN: "arn:aws:sns:" + region + "q*"}, "topic", want{evaluator.Applies, nil, ""}},
		{"S25: function", ann, "lambda:InvokeFunction", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:f"}, "function", want{evaluator.Applies, []string{"function:f"}, ""}},
		{"S25: $LATEST is the function", ann, "lambda:InvokeFunction", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:f:$LATEST"}, "function", want{evaluator.Applies, []string{"function:f"}, ""}},
		{"S25: an alias has its own policy", ann, "lambda:InvokeFunction", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:g:live"}, "function", want{evaluator.Applies, []string{"function:g:live"}, ""}},
		{"S25: an alias's policy wasn't collected", ann, "lambda:InvokeFunction", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:f:live"}, "function", want{evaluator.NotCollected, nil, "lambda:GetPolicy on"}},
		{"T65: some function", ann, "lambda:CreateFunction", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "function:z*"}, "function", want{evaluator.NotCollected, nil, ""}},
		{"lambda: event source mappings have none", ann, "lambda:UpdateEventSourceMapping", evaluator.Resource{ARN: "arn:aws:lambda:" + region + "event-source-mapping:1"}, "", want{}},
		{"S26: table", ann, "dynamodb:GetItem", evaluator.Resource{ARN: "arn:aws:dynamodb:" + region + "table/t"}, "table", want{evaluator.Applies, []string{"table:t"}, ""}},
		{"S26: index", ann, "dynamodb:Query", evaluator.Resource{ARN: "arn:aws:dynamodb:" + region + "table/t/index/i"}, "table", want{evaluator.Applies, []string{"table:t"}, ""}},
		{"S26: stream has its own", ann, "dynamodb:GetRecords", evaluator.Resource{ARN: "arn:aws:dynamodb:" + region + "table/t/stream/1"}, "stream", want{evaluator.NotCollected, nil, "dynamodb:GetResourcePolicy"}},
		{"S26: backup", ann, "dynamodb:DeleteBackup", evaluator.Resource{ARN: "arn:aws:dynamodb:" + region + "table/t/backup/1"}, "", want{}},
		{"S27: secret", ann, "secretsmanager:GetSecretValue", evaluator.Resource{ARN: "arn:aws:secretsmanager:" + region + "secret:app/db-AbCdEf"}, "secret", want{evaluator.Applies, nil, ""}},
		{"S27: secret without its suffix", ann, "secretsmanager:GetSecretValue", evaluator.Resource{ARN: "arn:aws:secretsmanager:" + region + "secret:app/db"}, "secret", want{evaluator.Applies, nil, ""}},
		{"S27: question marks for the suffix", ann, "secretsmanager:GetSecretValue", evaluator.Resource{ARN: "arn:aws:secretsmanager:" + region + "secret:app/db-??????"}, "secret", want{evaluator.Applies, nil, ""}},
		{"S27: unknown secret", ann, "secretsmanager:GetSecretValue", evaluator.Resource{ARN: "arn:aws:secretsmanager:" + region + "secret:app"}, "secret", want{evaluator.NotCollected, nil, "secretsmanager:GetResourcePolicy"}},
		{"policies of the account: log group", ann, "logs:PutLogEvents", evaluator.Resource{ARN: "arn:aws:logs:" + region + "log-group:app:log-stream:x"}, "log group", want{evaluator.Applies, []string{"resource policy:resource-policy:x"}, ""}},
		{"a kind that nobody knows, collected", ann, "robomaker:Use", evaluator.Resource{ARN: "arn:aws:robomaker:" + region + "thing/x"}, "thing", want{evaluator.Applies, []string{"thing:thing/x"}, ""}},
		{"E9: ec2 has none", ann, "ec2:RunInstances", evaluator.Resource{ARN: "arn:aws:ec2:" + region + "instance/*"}, "", want{}},
		{"X22: a role, but not to assume it", ann, "iam:PassRole", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/ci/deploy"}, "", want{}},
		{"S5: trust policy", ann, "sts:AssumeRole", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/ci/deploy"}, "trust", want{evaluator.Applies, []string{"trust:deploy"}, ""}},
		{"S7: trust policy", ann, "sts:TagSession", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/ci/deploy"}, "trust", want{evaluator.Applies, []string{"trust:deploy"}, ""}},
		{"S8: trust policy", evaluator.Principal{Type: evaluator.WebIdentity}, "sts:AssumeRoleWithWebIdentity", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/ci/deploy"}, "trust", want{evaluator.Applies, []string{"trust:deploy"}, ""}},
		{"U6: trust policy can't be parsed", ann, "sts:AssumeRole", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/deploy-old"}, "trust", want{evaluator.NotCollected, nil, "trust policy deploy-old"}},
		{"S5: no such role", ann, "sts:AssumeRole", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/deploy"}, "trust", want{evaluator.NotCollected, nil, "role deploy isn't in account"}},
		{"S5: account not collected", ann, "sts:AssumeRole", evaluator.Resource{ARN: "arn:aws:iam::999999999999:role/x"}, "trust", want{evaluator.NotCollected, nil, "iam:GetAccountAuthorizationDetails"}},
		{"S5: some role", ann, "sts:AssumeRole", evaluator.Resource{ARN: "arn:aws:iam::222222222222:role/*"}, "trust", want{evaluator.NotCollected, nil, "which role"}},
		{"R10: no resource", ann, "s3:ListAllMyBuckets", evaluator.Resource{ARN: "*"}, "", want{}},
		{"U3: unknown resource", ann, "s3:GetObject", evaluator.Resource{}, "bucket", want{evaluator.NotCollected, nil, "which resource"}},
		{"U3: any resource", ann, "s3:GetObject", evaluator.Resource{ARN: "*", Pattern: true}, "bucket", want{evaluator.NotCollected, nil, "which resource"}},
		{"U3: unknown resource of a service without policies", ann, "rds:StartDBInstance", evaluator.Resource{}, "", want{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := policies(t, s, evaluator.Request{Principal: test.principal, Action: test.action, Resource: test.resource}).Resource
			checkWant(t, test.want, l.Layer)
			if l.Type != test.typ {
				t.Errorf("type %q, want %q", l.Type, test.typ)
			}
		})
	}
}

// What belongs to another account and has no policy may be shared all the same (rule E24).
func TestSharedResources(t *testing.T) {
	s := load(t, nil)
	const region = "eu-west-1:222222222222:"
	for _, test := range []struct {
		name, action, arn, account string
		want                       evaluator.Match
	}{
		{"another account's subnet", "ec2:RunInstances", "arn:aws:ec2:eu-west-1:999999999999:subnet/subnet-1", "999999999999", evaluator.Unknown},
		{"the own account's", "ec2:RunInstances", "arn:aws:ec2:" + region + "subnet/subnet-1", prod, evaluator.NoMatch},
		{"IAM shares nothing", "iam:GetUser", "arn:aws:iam::999999999999:user/x", "999999999999", evaluator.NoMatch},
	} {
		req := evaluator.Request{Principal: ann, Action: test.action, Resource: evaluator.Resource{ARN: test.arn, Account: test.account}}
		if got := policies(t, s, req).Resource.OtherAllow; got != test.want {
			t.Errorf("%s: other allow is %v, want %v", test.name, got, test.want)
		}
	}
}

func TestEndpoint(t *testing.T) {
	s := load(t, nil)
	tests := []struct {
		name    string
		context func(*evaluator.Context)
		id      string
		gateway evaluator.Match
		want    want
	}{
		{"E12: no endpoint", func(c *evaluator.Context) {}, "", evaluator.NoMatch, want{}},
		{"E12: default policy", func(c *evaluator.Context) { c.Set("aws:SourceVpce", "vpce-gate") }, "vpce-gate", evaluator.Matched, want{evaluator.Applies, []string{"endpoint:default"}, ""}},
		{"E34: interface endpoint", func(c *evaluator.Context) { c.Set("aws:sourcevpce", "vpce-face") }, "vpce-face", evaluator.NoMatch, want{evaluator.Applies, []string{"endpoint:vpce-face"}, ""}},
		{"U6: unknown endpoint", func(c *evaluator.Context) { c.Set("aws:SourceVpce", "vpce-x") }, "vpce-x", evaluator.Unknown, want{evaluator.NotCollected, nil, "ec2:DescribeVpcEndpoints"}},
		{"U7: nobody knows whether", func(c *evaluator.Context) { c.Open = true }, "", evaluator.Unknown, want{evaluator.NotCollected, nil, "whether the call came through"}},
		{"U7: nobody knows through which", func(c *evaluator.Context) { c.SetState("aws:SourceVpce", evaluator.PresentUnknown) }, "", evaluator.Unknown, want{evaluator.NotCollected, nil, "through which"}},
		{"5.4: aws:SourceIp means no endpoint", func(c *evaluator.Context) { c.Open = true; c.Set("aws:SourceIp", "203.0.113.7") }, "", evaluator.NoMatch, want{}},
		{"5.4: not if a service made the call", func(c *evaluator.Context) {
			c.Open = true
			c.Set("aws:SourceIp", "203.0.113.7")
			c.Set("aws:ViaAWSService", "true")
		}, "", evaluator.Unknown, want{evaluator.NotCollected, nil, ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var req evaluator.Request
			test.context(&req.Context)
			l := policies(t, s, req).Endpoint
			checkWant(t, test.want, l.Layer)
			if l.ID != test.id || l.Gateway != test.gateway {
				t.Errorf("%q, gateway %v; want %q, %v", l.ID, l.Gateway, test.id, test.gateway)
			}
		})
	}
}

// TestWorkedHierarchies: whose SCPs count, by the worked cases that only an organisation can tell apart.
func TestWorkedHierarchies(t *testing.T) {
	const user, queue = "arn:aws:iam::111111111111:user/m", "arn:aws:sqs:eu-west-1:222222222222:q"
	s := load(t, map[string]string{
		// The region SCP denies all in account 222222222222; no RCP does.
		"organization/rcp/p-perimeter.json":        `{"id": "p-perimeter", "name": "Perimeter", "arn": "arn:p", "document": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}}`,
		"accounts/111111111111/iam.json":           `{"UserDetailList": [{"Path": "/", "UserName": "m", "UserId": "AIDAM", "Arn": "` + user + `", "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}`,
		"accounts/222222222222/resources/sqs.json": `[{"arn": "` + queue + `", "type": "queue", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sqs:*", "Resource": "` + queue + `"}]}}]`,
		"snapshot.json":                            `{"formatVersion": 1, "collectedAt": "2025-06-01T10:00:00Z", "parts": {}}`,
	})
	for _, tt := range []struct {
		name     string
		who      string
		action   string
		resource evaluator.Resource
		want     evaluator.Decision
	}{
		{"T42: the SCPs of the queue's account deny all, and concern its own callers only (E23)", user, "sqs:SendMessage", evaluator.Resource{ARN: queue}, evaluator.Allowed},
		{"E10: them they do concern", "arn:aws:iam::222222222222:user/ann", "sqs:SendMessage", evaluator.Resource{ARN: queue}, evaluator.ExplicitDeny},
		{"T45: no SCP concerns the management account (E10)", user, "ec2:DescribeInstances", evaluator.Resource{ARN: "*"}, evaluator.Allowed},
	} {
		who, err := evaluator.ParsePrincipal(tt.who)
		if err != nil {
			t.Fatal(err)
		}
		req := evaluator.Request{Principal: who, Action: tt.action, Resource: tt.resource}
		s.Complete(&req)
		evaluator.DeriveContext(&req)
		p := policies(t, s, req)
		if got := evaluator.Evaluate(&req, &p); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
