package casefile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// requested is the one request of a case of the given lines.
func requested(t *testing.T, lines ...string) evaluator.Request {
	t.Helper()
	c := readOne(t, "c.yaml", withRequest(lines...))
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	return c.Requests[0]
}

func TestPrincipalMapping(t *testing.T) {
	const (
		session   = "arn:aws:sts::123456789012:assumed-role/r/s"
		role      = "arn:aws:iam::123456789012:role/team/r"
		federated = "arn:aws:sts::123456789012:federated-user/f"
		parent    = "arn:aws:iam::123456789012:user/u"
		account   = "123456789012"
	)
	tests := []struct {
		name, text string
		want       evaluator.Principal
	}{
		{"P1: a session's role with its path, and its id", "{arn: " + session + ", role: " + role + ", id: AROAEXAMPLE}",
			evaluator.Principal{Type: evaluator.AssumedRole, ARN: session, RoleARN: role, ID: "AROAEXAMPLE", Account: account}},
		{"P2: a federated user's parent", "{arn: " + federated + ", parent: " + parent + "}",
			evaluator.Principal{Type: evaluator.FederatedUser, ARN: federated, ParentARN: parent, Account: account}},
		{"P2: whose parent is root", "{arn: " + federated + ", parent: arn:aws:iam::123456789012:root}",
			evaluator.Principal{Type: evaluator.FederatedUser, ARN: federated, ParentARN: "arn:aws:iam::123456789012:root", Account: account}},
		{"P8: a user's id", "{arn: " + parent + ", id: AIDAEXAMPLE}",
			evaluator.Principal{Type: evaluator.User, ARN: parent, ID: "AIDAEXAMPLE", Account: account}},
		{"the ARN alone", "{arn: " + session + "}", evaluator.Principal{Type: evaluator.AssumedRole, ARN: session,
			RoleARN: "arn:aws:iam::123456789012:role/r", RolePathUnknown: true, Account: account}},
	}
	for _, tt := range tests {
		req := requested(t, "principal: "+tt.text, "action: s3:GetObject", "resource: arn:aws:s3:::b/k")
		if diff := cmp.Diff(tt.want, req.Principal); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestKeyStates serves U1: a context key can be there, absent, unknown, there with an unknown value, or
// there with some of its values.
func TestKeyStates(t *testing.T) {
	req := requested(t, user, "action: s3:GetObject", "resource: arn:aws:s3:::b/k", "context: {aws:RequestedRegion: eu-west-1}",
		"unknown: [aws:SourceIp]", "presentUnknown: aws:SourceVpce", "partial: {aws:TagKeys: [a, b]}")
	for _, tt := range []struct {
		key    string
		state  evaluator.KeyState
		values []string
	}{
		{"aws:RequestedRegion", evaluator.Present, []string{"eu-west-1"}},
		{"aws:SourceIp", evaluator.UnknownKey, nil},
		{"aws:SourceVpce", evaluator.PresentUnknown, nil},
		{"aws:TagKeys", evaluator.Partial, []string{"a", "b"}},
		{"aws:SourceArn", evaluator.Absent, nil},
	} {
		got := req.Context.Lookup(tt.key)
		if got.State != tt.state {
			t.Errorf("U1: %s: state %v, want %v", tt.key, got.State, tt.state)
		}
		if diff := cmp.Diff(tt.values, got.Values); diff != "" {
			t.Errorf("U1: %s (-want +got):\n%s", tt.key, diff)
		}
	}
}

// TestUnknownOwner serves E26: it isn't taken for the principal's, and aws:ResourceAccount is
// there with a value that nobody knows; a snapshot that knows better isn't asked.
func TestUnknownOwner(t *testing.T) {
	lines := []string{user, "action: s3:GetObject", "resource: arn:aws:s3:::b/k", "resourceAccount: unknown"}
	req := requested(t, lines...)
	if req.Resource.Account != "" || req.Context.Lookup("aws:ResourceAccount").State != evaluator.PresentUnknown {
		t.Errorf("E26: owner %q, aws:ResourceAccount %+v", req.Resource.Account, req.Context.Lookup("aws:ResourceAccount"))
	}
	c := readOne(t, "c.yaml", strings.Replace(withRequest(lines...), "  policies: {}\n", "", 1))
	src := &fake{}
	if r := Run(t.Context(), c, src); r.Err != nil {
		t.Fatal(r.Err)
	}
	if got := src.asked[0].Resource.Account; got != "" {
		t.Errorf("E26: with a snapshot: owner %q, want it unknown", got)
	}
}

func TestLayerStates(t *testing.T) {
	entry := "{name: p, document: " + allowAll + "}"
	type layer struct {
		State   evaluator.LayerState
		Count   int
		Missing string
	}
	of := func(l evaluator.Layer) layer { return layer{l.State, len(l.Policies), l.Missing} }
	ofLevels := func(h evaluator.Hierarchy) layer { return layer{h.State, len(h.Levels), h.Missing} }
	tests := []struct {
		name, line string
		get        func(*evaluator.Policies) layer
		want       layer
	}{
		{"U6: not collected", "identity: notCollected", func(p *evaluator.Policies) layer { return of(p.Identity) }, layer{evaluator.NotCollected, 0, "identity: notCollected"}},
		{"U6: and what is known of it", "session: {state: notCollected, missing: an event, policies: [" + entry + "]}",
			func(p *evaluator.Policies) layer { return of(p.Session) }, layer{evaluator.NotCollected, 1, "an event"}},
		{"U7: may apply", "boundary: {state: mayApply, policies: [" + entry + "]}", func(p *evaluator.Policies) layer { return of(p.Boundary) }, layer{evaluator.MayApply, 1, "boundary: mayApply"}},
		{"a state that says nothing new", "identity: {state: applies, policies: [" + entry + "]}", func(p *evaluator.Policies) layer { return of(p.Identity) }, layer{evaluator.Applies, 1, ""}},
		{"policies without a state", "identity: {policies: [" + entry + "]}", func(p *evaluator.Policies) layer { return of(p.Identity) }, layer{evaluator.Applies, 1, ""}},
		{"resource", "resource: notCollected", func(p *evaluator.Policies) layer { return of(p.Resource.Layer) }, layer{evaluator.NotCollected, 0, "resource: notCollected"}},
		{"resource with several policies", "resource: {type: vault, policies: [" + entry + ", " + entry + "]}", func(p *evaluator.Policies) layer { return of(p.Resource.Layer) }, layer{evaluator.Applies, 2, ""}},
		{"endpoint", "endpoint: notCollected", func(p *evaluator.Policies) layer { return of(p.Endpoint.Layer) }, layer{evaluator.NotCollected, 0, "endpoint: notCollected"}},
		{"SCPs", "scps: notCollected", func(p *evaluator.Policies) layer { return ofLevels(p.SCP) }, layer{evaluator.NotCollected, 0, "scps: notCollected"}},
		{"SCPs that may apply", "scps: {state: mayApply, levels: [{target: r, policies: [" + entry + "]}]}", func(p *evaluator.Policies) layer { return ofLevels(p.SCP) }, layer{evaluator.MayApply, 1, "scps: mayApply"}},
		{"a level that wasn't collected", "rcps: [{target: r, policies: notCollected}]", func(p *evaluator.Policies) layer { return of(p.RCP.Levels[0].Layer) }, layer{evaluator.NotCollected, 0, "policies: notCollected"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", withPolicies(tt.line))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			if diff := cmp.Diff(tt.want, tt.get(c.Policies)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGuards(t *testing.T) {
	const id = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
	tests := []struct {
		name, text string
		want       evaluator.ResourceLayer
	}{
		{"E11: an AWS managed key", "{awsManagedKey: true}", evaluator.ResourceLayer{AWSManaged: evaluator.Matched}},
		{"E24: a share that isn't known", "{shared: unknown}", evaluator.ResourceLayer{OtherAllow: evaluator.Unknown, OtherNote: "a share of the resource"}},
		{"S3: grants", "{grants: [{id: g, grantee: arn:g, retiring: arn:r, operations: [Decrypt], contextEquals: {a: b}, contextSubset: {c: 1}, sourceArn: arn:s}]}",
			evaluator.ResourceLayer{Grants: evaluator.KeyGrants{State: evaluator.Applies, List: []evaluator.KeyGrant{{
				ID: "g", Grantee: "arn:g", Retiring: "arn:r", Operations: []string{"Decrypt"},
				ContextEquals: map[string]string{"a": "b"}, ContextSubset: map[string]string{"c": "1"}, SourceARN: "arn:s"}}}}},
		{"S3: grants that weren't collected", "{grants: notCollected}",
			evaluator.ResourceLayer{Grants: evaluator.KeyGrants{State: evaluator.NotCollected, Missing: "grants: notCollected"}}},
		{"S17: some settings", "{blockPublicAccess: {RestrictPublicBuckets: true, IgnorePublicAcls: unknown}}",
			evaluator.ResourceLayer{Bucket: &evaluator.Bucket{RestrictPublicBuckets: evaluator.Matched, IgnorePublicACLs: evaluator.Unknown, MissingBlock: "Block Public Access: unknown"}}},
		{"S17: all settings", "{blockPublicAccess: true}", evaluator.ResourceLayer{Bucket: &evaluator.Bucket{
			BlockPublicACLs: evaluator.Matched, IgnorePublicACLs: evaluator.Matched, BlockPublicPolicy: evaluator.Matched, RestrictPublicBuckets: evaluator.Matched,
			MissingBlock: "Block Public Access: unknown"}}},
		{"S15 S16: ownership and ACLs", "{objectOwnership: ObjectWriter, objectOwner: 123456789012, acl: {owner: " + id + ", grants: [{grantee: AllUsers, permission: READ}]}, objectAcl: notCollected}",
			evaluator.ResourceLayer{Bucket: &evaluator.Bucket{
				ACLsEnabled: evaluator.Matched, MissingOwnership: "Object Ownership: ObjectWriter", ObjectOwner: "123456789012",
				BucketACL: evaluator.ACL{State: evaluator.Applies, Owner: id, Grants: []evaluator.ACLGrant{{Grantee: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}},
				ObjectACL: evaluator.ACL{State: evaluator.NotCollected, Missing: "objectAcl: notCollected"}}}},
		{"S15: enforced", "{objectOwnership: BucketOwnerEnforced}", evaluator.ResourceLayer{Bucket: &evaluator.Bucket{MissingOwnership: "Object Ownership: BucketOwnerEnforced"}}},
		{"S16: a grant to an account", "{acl: [{grantee: " + id + ", account: 123456789012, permission: WRITE}]}",
			evaluator.ResourceLayer{Bucket: &evaluator.Bucket{BucketACL: evaluator.ACL{State: evaluator.Applies, Grants: []evaluator.ACLGrant{{Grantee: id, Account: "123456789012", Permission: "WRITE"}}}}}},
		{"S21: the bucket behind an access point", "{bucket: {arn: arn:aws:s3:::b/*, account: 123456789012, vpcOrigin: true, policies: []}}",
			evaluator.ResourceLayer{Behind: &evaluator.BucketBehind{Layer: evaluator.Layer{State: evaluator.Applies}, ARN: "arn:aws:s3:::b/*", Pattern: true, Account: "123456789012", VPCOrigin: evaluator.Matched}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", withPolicies("resource: "+tt.text))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			tt.want.Type = "bucket"
			if diff := cmp.Diff(tt.want, c.Policies.Resource); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	c := readOne(t, "c.yaml", withPolicies("resource: {name: p, document: "+allowAll+", blockPublicAccess: true}"))
	if c.Err != nil || c.Policies.Resource.Bucket == nil || len(c.Policies.Resource.Policies) != 1 {
		t.Errorf("a policy and a guard: %+v, %v", c.Policies, c.Err)
	}
}

const severalRequests = `cases:
- name: c
  requests:
    - {principal: "arn:aws:iam::123456789012:user/u", action: s3:GetObject, resource: ["arn:aws:s3:::b/k", "arn:aws:s3:::b/l"]}
    - principal: arn:aws:iam::123456789012:user/u
      action: kms:Decrypt
      resource: arn:aws:kms:eu-west-1:123456789012:key/k
      policies:
        resource: {name: key, document: {Version: 2012-10-17, Statement: [{Sid: Key, Effect: Allow, Principal: {AWS: "123456789012"}, Action: "kms:*", Resource: "*"}]}}
  policies:
    identity: [{name: p, document: &d {Version: 2012-10-17, Statement: [{Sid: S3, Effect: Allow, Action: "s3:*", Resource: "*"}]}}]
    resource: []
  expect: {decision: implicitDeny, blockers: [{layer: identity, kind: noAllow}]}
`

// TestRequests serves E4: all requests of a case must be allowed, each with its own policies in the place
// of the case's.
func TestRequests(t *testing.T) {
	c := readOne(t, "c.yaml", severalRequests)
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	if len(c.Requests) != 3 {
		t.Fatalf("%d requests, want one for each resource: 3", len(c.Requests))
	}
	if shared, own := c.policies(0), c.policies(2); len(shared.Resource.Policies) != 0 || len(own.Resource.Policies) != 1 ||
		own.Resource.Type != "key" || len(own.Identity.Policies) != 1 || shared != c.policies(1) {
		t.Errorf("policies: of the first %+v, of the last %+v", shared, own)
	}
	if r := Run(t.Context(), c, nil); !r.Pass {
		t.Errorf("E4: %s (%v)", r.Why, r.Err)
	}
	allowed := readOne(t, "c.yaml", strings.Replace(severalRequests, `Action: "s3:*"`, `Action: "*"`, 1))
	if r := Run(t.Context(), allowed, nil); r.Decision != evaluator.Allowed {
		t.Errorf("E4: with all allowed: %v by %v", r.Decision, r.Layers)
	}
	fromSnapshot := readOne(t, "c.yaml", `cases: [{name: c, requests: [{`+user+`, action: s3:GetObject}, {`+user+`, action: s3:PutObject}], expect: {decision: implicitDeny}}]`)
	src := &fake{}
	if r := Run(t.Context(), fromSnapshot, src); r.Err != nil || len(src.asked) != 2 {
		t.Errorf("with a snapshot: asked %d times, %v", len(src.asked), r.Err)
	}
}

func TestWorldErrors(t *testing.T) {
	two := func(a, b, rest string) string {
		return "cases: [{name: c, requests: [{" + user + ", action: s3:GetObject" + a + "}, {" + user + ", action: s3:PutObject" + b + "}]" + rest + ", expect: {decision: allowed}}]"
	}
	principal := func(text string) string { return withRequest("principal: "+text, "action: s3:GetObject") }
	expecting := func(more string) string {
		return strings.Replace(withPolicies("identity: []"), "decision: allowed", "decision: allowed, "+more, 1)
	}
	const session = "arn: arn:aws:sts::123456789012:assumed-role/r/s"
	tests := []struct{ name, text, want string }{
		{"principal without ARN", principal("{id: AIDA}"), `c.yaml:4:16: the principal has no arn`},
		{"role of another name", principal("{" + session + ", role: arn:aws:iam::123456789012:role/q}"), `is no session of arn:aws:iam::123456789012:role/q`},
		{"role of another account", principal("{" + session + ", role: arn:aws:iam::222222222222:role/r}"), `is no session of arn:aws:iam::222222222222:role/r`},
		{"role that is a session", principal("{" + session + ", role: arn:aws:sts::123456789012:assumed-role/r/s}"), `isn't the ARN of a role`},
		{"role of a user", principal("{arn: arn:aws:iam::123456789012:user/u, role: arn:aws:iam::123456789012:role/r}"), `a role is given, but arn:aws:iam::123456789012:user/u is no session of one`},
		{"parent of a user", principal("{arn: arn:aws:iam::123456789012:user/u, parent: arn:aws:iam::123456789012:user/v}"), `is no federated user`},
		{"parent that is a role", principal("{arn: arn:aws:sts::123456789012:federated-user/f, parent: arn:aws:iam::123456789012:role/r}"), `want a user or root`},
		{"parent of another account", principal("{arn: arn:aws:sts::123456789012:federated-user/f, parent: arn:aws:iam::222222222222:user/u}"), `is of another account than`},
		{"id of root", principal("{arn: arn:aws:iam::123456789012:root, id: x}"), `only a user or a role has one`},
		{"unknown and presentUnknown", withRequest(user, "action: s3:GetObject", "unknown: [a:b]", "presentUnknown: [A:B]"), `context key A:B is unknown, and presentUnknown: which is it?`},
		{"given and partial", withRequest(user, "action: s3:GetObject", "context: {a:b: c}", "partial: {a:b: [d]}"), `context key a:b is given, and partial: which is it?`},
		{"unknown state", withPolicies("identity: missing"), `unknown state of identity "missing": want applies, mayApply or notCollected`},
		{"state without policies", withPolicies("identity: {state: applies}"), `identity applies, but has no policies: [] allows nothing`},
		{"levels of a layer without", withPolicies("identity: {state: mayApply, levels: []}"), `unknown field "levels" in identity`},
		{"guard in a list", withPolicies("resource: [{name: p, document: " + allowAll + ", awsManagedKey: true}]"), `unknown field "awsManagedKey" in a policy`},
		{"guard that isn't one", withPolicies("resource: {awsManagedKey: maybe}"), `unknown awsManagedKey "maybe": want true, false or unknown`},
		{"setting that S3 hasn't", withPolicies("resource: {blockPublicAccess: {BlockAll: true}}"), `unknown field "BlockAll" in blockPublicAccess`},
		{"ownership", withPolicies("resource: {objectOwnership: Mine}"), `want BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter or unknown`},
		{"grant without a grantee", withPolicies("resource: {grants: [{operations: [Decrypt]}]}"), `the grant has no grantee`},
		{"grant without operations", withPolicies("resource: {grants: [{grantee: x}]}"), `the grant has no operations`},
		{"ACL permission", withPolicies("resource: {acl: [{grantee: x, permission: LIST}]}"), `unknown permission "LIST"`},
		{"ACL grant without permission", withPolicies("resource: {acl: [{grantee: x}]}"), `the grant of an ACL wants grantee and permission`},
		{"bucket without ARN", withPolicies("resource: {bucket: {account: 123456789012}}"), `the bucket has no arn`},
		{"request and requests", "cases: [{name: c, request: {" + user + ", action: s3:GetObject}, requests: [{" + user + ", action: s3:GetObject}], expect: {decision: allowed}}]", `the case has request and requests: want one of them`},
		{"no requests", "cases: [{name: c, requests: [], expect: {decision: allowed}}]", `want a list of at least one request`},
		{"policies of one request only", two(", policies: {}", "", ""), `the request has no policies, but another has`},
		{"policies in the only request", withRequest(user, "action: s3:GetObject", "policies: {}"), `unknown field "policies" in a request`},
		{"unknown layer in a request's policies", two(", policies: {scp: []}", "", ", policies: {}"), `unknown field "scp" in policies (scps?)`},
		{"blockers no list", expecting("blockers: scp"), `blockers is a string: want a list`},
		{"blocker without a layer", expecting("blockers: [{kind: noAllow}]"), `the blocker has no layer`},
		{"blocker of an unknown kind", expecting("blockers: [{layer: scp, kind: deny}]"), `unknown kind "deny": want explicitDeny, noAllow or notCollected`},
		{"undecided", expecting("undecided: [SourceIp]"), `undecided "SourceIp" is neither a layer nor a context key, such as aws:SourceIp`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", tt.text)
			if c.Err == nil || !strings.Contains(c.Err.Error(), tt.want) {
				t.Errorf("got error %v, want %s", c.Err, tt.want)
			}
		})
	}
}
