package casefile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// readOne reads a file of one case.
func readOne(t *testing.T, name, text string) Case {
	t.Helper()
	cases, err := Read(name, []byte(text))
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(cases) != 1 {
		t.Fatalf("Read: got %d cases, want 1", len(cases))
	}
	return cases[0]
}

// withRequest is a case whose request is the given lines.
func withRequest(lines ...string) string {
	return "cases:\n- name: c\n  request:\n    " + strings.Join(lines, "\n    ") +
		"\n  policies: {}\n  expect: {decision: allowed}\n"
}

const user = "principal: arn:aws:iam::123456789012:user/u"

func TestPrincipals(t *testing.T) {
	tests := []struct {
		text string
		want evaluator.PrincipalType
	}{
		{"arn:aws:iam::123456789012:user/u", evaluator.User},
		{"arn:aws:iam::123456789012:role/r", evaluator.AssumedRole},
		{"arn:aws:sts::123456789012:assumed-role/r/s", evaluator.AssumedRole},
		{"arn:aws:sts::123456789012:federated-user/f", evaluator.FederatedUser},
		{"arn:aws:iam::123456789012:root", evaluator.Root},
		{"anonymous", evaluator.Anonymous},
		{"lambda.amazonaws.com", evaluator.Service},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			c := readOne(t, "c.yaml", withRequest("principal: "+tt.text, "action: s3:GetObject", "resource: arn:aws:s3:::b/k"))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			if got := c.Requests[0].Principal.Type; got != tt.want {
				t.Errorf("principal %s: got type %s, want %s", tt.text, got, tt.want)
			}
		})
	}
}

func TestResources(t *testing.T) {
	const bucket = "arn:aws:s3:::b/k"
	const table = "arn:aws:dynamodb:eu-west-1:222222222222:table/t"
	tests := []struct {
		name  string
		lines []string
		want  []evaluator.Resource
	}{
		{"one", []string{"resource: " + bucket}, []evaluator.Resource{{ARN: bucket, Account: "123456789012"}}},
		{"a list is one request each", []string{"resource: [" + bucket + ", " + table + "]"},
			[]evaluator.Resource{{ARN: bucket, Account: "123456789012"}, {ARN: table, Account: "222222222222"}}},
		{"resourceAccount wins, quoted or not", []string{"resource: " + bucket, "resourceAccount: 333333333333"},
			[]evaluator.Resource{{ARN: bucket, Account: "333333333333"}}},
		{"an account id may start with 0", []string{"resource: " + bucket, "resourceAccount: 012345678901"},
			[]evaluator.Resource{{ARN: bucket, Account: "012345678901"}}},
		{"a pattern asks about all it stands for (R14)", []string{"resource: arn:aws:s3:::b/*"}, []evaluator.Resource{{ARN: "arn:aws:s3:::b/*", Pattern: true, Account: "123456789012"}}},
		{"no resource is * (R10), the caller's (E26)", nil, []evaluator.Resource{{ARN: "*", Account: "123456789012"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", withRequest(append([]string{user, "action: s3:GetObject"}, tt.lines...)...))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			var got []evaluator.Resource
			for _, q := range c.Requests {
				got = append(got, q.Resource)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContext(t *testing.T) {
	text := `defaults: { context: { aws:SecureTransport: "true", aws:RequestedRegion: eu-west-1, aws:MultiFactorAuthAge: 5 } }
cases:
- name: c
  request:
    principal: arn:aws:iam::123456789012:user/u
    action: s3:GetObject
    resource: arn:aws:s3:::b/k
    context:
      AWS:RequestedRegion: us-east-1
      "aws:SourceIp": ["1.2.3.4", 2001:db8::1]
      s3:max-keys: 10.0
      aws:ViaAWSService: false
      s3:prefix: ""
      aws:TokenIssueTime: 2026-01-02T03:04:05Z
      aws:TagKeys: []
    unknown: [aws:MultiFactorAuthAge, aws:SourceVpc]
  policies: {}
  expect: {decision: allowed}
`
	c := readOne(t, "c.yaml", text)
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	ctx := c.Requests[0].Context
	if ctx.Open {
		t.Error("the context of a case is open, want closed")
	}
	tests := []struct {
		name, key string
		state     evaluator.KeyState
		values    []string
	}{
		{"file's default", "aws:SecureTransport", evaluator.Present, []string{"true"}},
		{"case wins over default, keys without case (C3)", "aws:RequestedRegion", evaluator.Present, []string{"us-east-1"}},
		{"list", "aws:SourceIp", evaluator.Present, []string{"1.2.3.4", "2001:db8::1"}},
		{"number keeps its text (G4)", "s3:max-keys", evaluator.Present, []string{"10.0"}},
		{"boolean", "aws:ViaAWSService", evaluator.Present, []string{"false"}},
		{"empty string is a value", "s3:prefix", evaluator.Present, []string{""}},
		{"date is a string", "aws:TokenIssueTime", evaluator.Present, []string{"2026-01-02T03:04:05Z"}},
		{"empty list", "aws:TagKeys", evaluator.Present, []string{}},
		{"unknown wins over default", "aws:MultiFactorAuthAge", evaluator.UnknownKey, nil},
		{"unknown", "aws:SourceVpc", evaluator.UnknownKey, nil},
		{"not given is absent", "aws:SourceVpce", evaluator.Absent, nil},
		{"derived of the principal (product.md 5)", "aws:PrincipalArn", evaluator.Present, []string{"arn:aws:iam::123456789012:user/u"}},
		{"derived of the owner", "aws:ResourceAccount", evaluator.Present, []string{"123456789012"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ctx.Lookup(tt.key)
			if got.State != tt.state {
				t.Errorf("%s: got state %v, want %v", tt.key, got.State, tt.state)
			}
			if diff := cmp.Diff(tt.values, got.Values); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.key, diff)
			}
		})
	}
}

const allowAll = "{Version: 2012-10-17, Statement: {Effect: Allow, Action: '*', Resource: '*'}}"

// withPolicies is a case whose policies are the given lines.
func withPolicies(lines ...string) string {
	return "cases:\n- name: c\n  request: {" + user + ", action: s3:GetObject, resource: arn:aws:s3:::b/k}\n  policies:\n    " +
		strings.Join(lines, "\n    ") + "\n  expect: {decision: allowed}\n"
}

func TestLayers(t *testing.T) {
	entry := "{name: p, document: " + allowAll + "}"
	tests := []struct {
		name  string
		lines []string
		state func(*evaluator.Policies) (evaluator.LayerState, int)
		want  evaluator.LayerState
		count int
	}{
		{"a missing key doesn't apply", []string{"identity: []"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Boundary.State, len(p.Boundary.Policies)
			}, evaluator.DoesNotApply, 0},
		{"an empty list applies", []string{"boundary: []"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Boundary.State, len(p.Boundary.Policies)
			}, evaluator.Applies, 0},
		{"identity", []string{"identity: [" + entry + ", " + entry + "]"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Identity.State, len(p.Identity.Policies)
			}, evaluator.Applies, 2},
		{"session", []string{"session: [" + entry + "]"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Session.State, len(p.Session.Policies)
			}, evaluator.Applies, 1},
		{"resource is one mapping", []string{"resource: " + entry},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Resource.State, len(p.Resource.Policies)
			}, evaluator.Applies, 1},
		{"no resource policy doesn't apply (U19)", []string{"identity: []"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) { return p.Resource.State, 0 }, evaluator.DoesNotApply, 0},
		{"scps, one entry a level", []string{"scps: [{target: r-root, policies: [" + entry + "]}, {target: ou-x, policies: []}]"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) { return p.SCP.State, len(p.SCP.Levels) }, evaluator.Applies, 2},
		{"empty scps allow nothing: a level without policies", []string{"scps: []"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.SCP.Levels[0].State, len(p.SCP.Levels)
			}, evaluator.Applies, 1},
		{"rcps", []string{"rcps: [{target: r-root, policies: [" + entry + "]}]"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.RCP.State, len(p.RCP.Levels[0].Policies)
			}, evaluator.Applies, 1},
		{"endpoint", []string{"endpoint: [" + entry + "]"},
			func(p *evaluator.Policies) (evaluator.LayerState, int) {
				return p.Endpoint.State, len(p.Endpoint.Policies)
			}, evaluator.Applies, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", withPolicies(tt.lines...))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			if state, count := tt.state(c.Policies); state != tt.want || count != tt.count {
				t.Errorf("got state %v with %d, want %v with %d", state, count, tt.want, tt.count)
			}
		})
	}
}

func TestEndpointTypes(t *testing.T) {
	tests := []struct {
		name, kind string
		want       evaluator.Match
	}{
		{"not given is unknown (E34)", "", evaluator.Unknown},
		{"gateway", "type: Gateway, ", evaluator.Matched},
		{"interface", "type: Interface, ", evaluator.NoMatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := readOne(t, "c.yaml", withPolicies("endpoint: [{"+tt.kind+"name: e, document: "+allowAll+"}]"))
			if c.Err != nil {
				t.Fatalf("Read: %v", c.Err)
			}
			if got := c.Policies.Endpoint.Gateway; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestResourceTypes(t *testing.T) {
	tests := []struct{ action, resource, want string }{
		{"sts:AssumeRole", "arn:aws:iam::123456789012:role/r", "trust"},
		{"sts:AssumeRoleWithWebIdentity", "*", "trust"},
		{"kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/k", "key"},
		{"s3:GetObject", "arn:aws:s3:::b/k", "bucket"},
		{"s3:GetObject", "arn:aws:s3:eu-west-1:123456789012:accesspoint/a/object/k", "accesspoint"},
		{"sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:q", "queue"},
		{"sns:Publish", "arn:aws:sns:eu-west-1:123456789012:t", "topic"},
		{"lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:f", "function"},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s", "secret"},
		{"foo:Bar", "arn:aws:foo:eu-west-1:123456789012:x", "foo"},
	}
	for _, tt := range tests {
		got := resourceType(evaluator.Request{Action: tt.action, Resource: evaluator.Resource{ARN: tt.resource}})
		if got != tt.want {
			t.Errorf("resourceType(%s on %s): got %s, want %s", tt.action, tt.resource, got, tt.want)
		}
	}
	c := readOne(t, "c.yaml", withPolicies("resource: {type: accesspoint, name: p, document: "+allowAll+"}"))
	if c.Err != nil || c.Policies.Resource.Type != "accesspoint" || c.Policies.Resource.Policies[0].Type != "accesspoint" {
		t.Errorf("a given type: got %+v, %v", c.Policies, c.Err)
	}
}

const positioned = `cases:
- name: c
  request: {principal: "arn:aws:iam::123456789012:user/u", action: s3:GetObject, resource: "arn:aws:s3:::b/k"}
  policies:
    identity:
    - name: p
      document:
        Version: 2012-10-17
        Id: doc
        Statement:
        - Sid: First
          Effect: Allow
          Action: s3:GetObject
          Resource: [arn:aws:s3:::b/*, 'arn:aws:s3:::c/*']
          Condition:
            NumericLessThan: {s3:max-keys: 10.0}
            Bool: {aws:SecureTransport: true}
        - {Sid: Second, Effect: Deny, NotAction: [s3:*], NotResource: "*",
           Principal: {AWS: "123456789012"}, Surprise: x}
  expect: {decision: allowed}
`

// TestPositions holds every place in a document to the text that stands there.
func TestPositions(t *testing.T) {
	c := readOne(t, "c.yaml", positioned)
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	doc := c.Policies.Identity.Policies[0].Body.Document()
	if diff := cmp.Diff("2012-10-17", doc.Version.Value); diff != "" {
		t.Errorf("Version (-want +got):\n%s", diff)
	}
	s := doc.Statements
	at := map[string]policy.Pos{
		"2012-10-17":         doc.Version.Pos,
		"doc":                doc.ID.Pos,
		"Sid: First":         s[0].Pos,
		"First":              s[0].Sid.Pos,
		"Allow":              s[0].EffectPos,
		"s3:GetObject":       s[0].Action.Values[0].Pos,
		"arn:aws:s3:::b/*":   s[0].Resource.Values[0].Pos,
		"'arn:aws:s3:::c/*'": s[0].Resource.Values[1].Pos,
		"NumericLessThan":    s[0].Condition[0].OperatorPos,
		"s3:max-keys":        s[0].Condition[0].Key.Pos,
		"10.0":               s[0].Condition[0].Values[0].Pos,
		"true":               s[0].Condition[1].Values[0].Pos,
		"{Sid: Second":       s[1].Pos,
		"s3:*":               s[1].NotAction.Values[0].Pos,
		`"123456789012"`:     s[1].Principal.Entries[0].Value.Pos,
		"Surprise":           s[1].Defects[0].Pos,
	}
	lines := strings.Split(positioned, "\n")
	for text, pos := range at {
		if pos.File != "c.yaml" || pos.Line < 1 || pos.Line > len(lines) || !strings.HasPrefix(lines[pos.Line-1][pos.Col-1:], text) {
			t.Errorf("%s: got %v", text, pos)
		}
	}
	if got := s[0].Condition[0].Values[0].Value; got != "10.0" {
		t.Errorf("a number in a condition (G4): got %q, want 10.0", got)
	}
	// No place is left that counts the lines of the JSON text in between.
	everyPos(reflect.ValueOf(doc), func(p policy.Pos) {
		if !p.IsZero() && (p.Line < 7 || p.Line > 19) {
			t.Errorf("a place outside the document: %v", p)
		}
	})
}

func everyPos(v reflect.Value, f func(policy.Pos)) {
	if p, ok := v.Interface().(policy.Pos); ok {
		f(p)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			everyPos(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				everyPos(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			everyPos(v.Index(i), f)
		}
	}
}

// TestJSON reads the same case from JSON; there the places are the parser's own.
func TestJSON(t *testing.T) {
	const text = `{"cases": [{
	"name": "c",
	"request": {"principal": "arn:aws:iam::123456789012:user/u", "action": "s3:GetObject", "resource": ["arn:aws:s3:::b/k"], "context": {"s3:max-keys": 1e3}},
	"policies": {"identity": [{"name": "p", "document": {
		"Version": "2012-10-17",
		"Statement": [{"Sid": "One", "Effect": "Allow", "Action": "*", "Resource": "*"}]}}]},
	"expect": {"decision": "allowed", "layers": ["scp"], "statement": "One"}
}]}`
	for _, name := range []string{"c.json", "c.yaml"} {
		c := readOne(t, name, text)
		if c.Err != nil {
			t.Fatalf("Read: %v", c.Err)
		}
		if diff := cmp.Diff(policy.Pos{File: name, Line: 6, Col: 17}, c.Policies.Identity.Policies[0].Body.Document().Statements[0].Pos); diff != "" {
			t.Errorf("statement's place (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(Expectation{Decision: evaluator.Allowed, Layers: []evaluator.LayerName{"scp"}, Statement: "One"}, c.Expect); diff != "" {
			t.Errorf("expectation (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"1e3"}, c.Requests[0].Context.Lookup("s3:max-keys").Values); diff != "" {
			t.Errorf("number (-want +got):\n%s", diff)
		}
	}
}

func TestDocumentInString(t *testing.T) {
	c := readOne(t, "c.yaml", withPolicies(`identity: [{name: p, document: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'}]`))
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	if got := c.Policies.Identity.Policies[0].Body.Document().Statements[0].Pos.Line; got != 5 {
		t.Errorf("place of a statement in a string: got line %d, want 5", got)
	}
}

// TestAliasIsParsedOnce: a document that aliases repeat costs what one costs.
func TestAliasIsParsedOnce(t *testing.T) {
	c := readOne(t, "c.yaml", withPolicies("identity: [{name: p, document: &d "+allowAll+"}]", "boundary: [{name: b, document: *d}]"))
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	if c.Policies.Identity.Policies[0].Body != c.Policies.Boundary.Policies[0].Body {
		t.Error("a repeated document was compiled twice")
	}
}

// TestTagsThatDifferInCase: nobody knows which of their values the context key has (rule C3).
func TestTagsThatDifferInCase(t *testing.T) {
	c := readOne(t, "c.yaml", withRequest(user, "action: s3:GetObject", "context: {aws:PrincipalTag/Dept: eng, aws:PrincipalTag/dept: ops, aws:PrincipalTag/team: red}"))
	if c.Err != nil {
		t.Fatalf("Read: %v", c.Err)
	}
	got := c.Requests[0].Context.Lookup("aws:principaltag/DEPT")
	if diff := cmp.Diff(evaluator.ContextValue{Name: "aws:PrincipalTag/Dept", State: evaluator.PresentUnknown}, got); diff != "" {
		t.Errorf("two tags (-want +got):\n%s", diff)
	}
	if got := c.Requests[0].Context.Lookup("aws:PrincipalTag/team"); got.State != evaluator.Present {
		t.Errorf("the tag beside them: %+v, want it present", got)
	}
}

func TestCaseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown field", withRequest(user, "acton: s3:GetObject"), `c.yaml:5:5: unknown field "acton" in a request (action?)`},
		{"field used twice", withRequest(user, user), `c.yaml:5:5: field "principal" used twice`},
		{"no action", withRequest(user), `c.yaml:4:5: the request has no action`},
		{"no principal", withRequest("action: s3:GetObject"), `c.yaml:4:5: the request has no principal`},
		{"action without a service", withRequest(user, "action: GetObject"), `c.yaml:5:13: action "GetObject" is not of the form service:Name, such as s3:GetObject`},
		{"action pattern", withRequest(user, "action: s3:Get*"), `c.yaml:5:13: action "s3:Get*" is a pattern: a request is for one action`},
		{"resource that isn't an ARN", withRequest(user, "action: s3:GetObject", "resource: b/k"), `c.yaml:6:15: resource "b/k" is neither an ARN nor "*"`},
		{"account of 11 digits", withRequest(user, "action: s3:GetObject", "resourceAccount: 12345678901"), `c.yaml:6:22: resourceAccount "12345678901" is not an account id of 12 digits`},
		{"context key without a value", withRequest(user, "action: s3:GetObject", "context: {aws:SourceIp: }"), `context key "aws:SourceIp" has no value: leave it out if it is absent`},
		{"context key twice (C3)", withRequest(user, "action: s3:GetObject", "context: {aws:SourceIp: a, AWS:sourceip: b}"), `c.yaml:6:32: context key "AWS:sourceip" used twice`},
		{"one tag twice (C3)", withRequest(user, "action: s3:GetObject", "context: {aws:PrincipalTag/a: b, AWS:PrincipalTag/a: b}"), `c.yaml:6:38: context key "AWS:PrincipalTag/a" used twice`},
		{"context value a mapping", withRequest(user, "action: s3:GetObject", "context: {a: {b: c}}"), `context key "a" is a mapping: want a string, a number, a boolean, or a list of them`},
		{"given and unknown", withRequest(user, "action: s3:GetObject", "context: {a:b: c}", "unknown: [A:b]"), `c.yaml:7:14: context key A:b is given, and unknown: which is it?`},
		{"policies: null layer", withPolicies("boundary:"), `boundary is nothing: want a list; leave boundary out if the layer doesn't apply, [] allows nothing`},
		{"policy without a document", withPolicies("identity: [{name: p}]"), `c.yaml:5:16: the policy has no document`},
		{"unknown layer", withPolicies("identities: []"), `c.yaml:5:5: unknown field "identities" in policies (identity?)`},
		{"level without policies", withPolicies("scps: [{target: r-root}]"), `c.yaml:5:12: the level has no policies: [] allows nothing`},
		{"endpoint type", withPolicies("endpoint: [{type: gateway, document: " + allowAll + "}]"), `c.yaml:5:23: unknown endpoint type "gateway": want Gateway or Interface`},
		{"member used twice in a document (G7)", withPolicies("identity: [{name: p, document: {Statement: [], Statement: []}}]"), `c.yaml:5:52: member "Statement" used twice (first at 5:37)`},
		{"tag in a document", withPolicies("identity: [{name: p, document: {Statement: !Sub x}}]"), `c.yaml:5:48: the tag !Sub has no meaning in a policy document`},
		{"invalid document, in its place (G10)", withPolicies("identity: [{name: p, document: {Version: 2020-01-01, Statement: []}}]"), `c.yaml:5:46: `},
		{"unknown decision", strings.Replace(withPolicies("identity: []"), "decision: allowed", "decision: deny", 1), `c.yaml:6:22: unknown decision "deny": want allowed, explicitDeny, implicitDeny or indeterminate`},
		{"unknown layer expected", strings.Replace(withPolicies("identity: []"), "decision: allowed", "decision: allowed, layers: [org]", 1), `unknown layer "org": want scp, rcp, resource, identity, boundary, session, endpoint or service`},
		{"no decision expected", strings.Replace(withPolicies("identity: []"), "decision: allowed", "layers: [scp]", 1), `c.yaml:6:11: expect has no decision`},
		{"no expect", "cases: [{name: c, request: {" + user + ", action: s3:GetObject}}]", `c.yaml:1:9: the case has no expect`},
		{"a case that is a string", "cases: [c]", `c.yaml:1:9: a case is a string: want a mapping with expect, name, policies, request`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// A sound case after the broken one is read all the same.
			text := tt.text
			if !strings.HasPrefix(text, "cases: [") {
				text += "- name: sound\n  request: {" + user + ", action: s3:GetObject}\n  policies: {}\n  expect: {decision: allowed}\n"
			}
			cases, err := Read("c.yaml", []byte(text))
			if err != nil {
				t.Fatalf("Read: %v", err)
			}
			if cases[0].Err == nil || !strings.Contains(cases[0].Err.Error(), tt.want) {
				t.Errorf("got error %v, want %s", cases[0].Err, tt.want)
			}
			if strings.Contains(fmt.Sprint(cases[0].Err), "\n") {
				t.Errorf("an error of several lines: %q", cases[0].Err)
			}
			if len(cases) == 2 && cases[1].Err != nil {
				t.Errorf("the case after it: %v", cases[1].Err)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"empty", "c.yaml", "", "c.yaml: no cases: want a mapping with a list named cases"},
		{"no cases", "c.yaml", "defaults: {}", "c.yaml:1:1: not a case file: it has no list named cases"},
		{"empty list of cases", "c.yaml", "cases: []", "c.yaml: no cases: want a mapping with a list named cases"},
		{"unknown field", "c.yaml", "case: []", `c.yaml:1:1: unknown field "case" in a case file (cases?)`},
		{"broken YAML", "c.yaml", "cases: [", "c.yaml:1:8: sequence end token ']' not found"},
		{"broken JSON", "c.json", "{\"cases\": [\n}", "c.json:2:1: invalid character '}' looking for beginning of value"},
		{"YAML is not JSON", "c.json", "cases: []", "c.json:1:1: invalid character 'c' looking for beginning of value"},
		{"too large", "c.yaml", strings.Repeat("#", MaxSize+1), "c.yaml: 16777217 bytes are too many for a case file: at most 16777216"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(tt.file, []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("c.yaml", positioned)
	f.Add("c.yaml", withRequest(user, "action: s3:GetObject", "context: {aws:SourceIp: [1.2.3.4]}"))
	f.Add("c.yaml", withPolicies("scps: [{target: r, policies: [{name: p, document: "+allowAll+"}]}]"))
	f.Add("c.json", `{"cases":[{"name":"c"}]}`)
	f.Add("c.yaml", severalRequests)
	f.Add("c.yaml", withPolicies("identity: notCollected", "scps: {state: mayApply, levels: [{target: r, policies: notCollected}]}", "resource: {blockPublicAccess: {RestrictPublicBuckets: unknown}, acl: {grants: [{grantee: AllUsers, permission: READ}]}, grants: [{grantee: x, operations: Decrypt, contextEquals: {a: b}}]}"))
	f.Add("c.yaml", withRequest("principal: {arn: arn:aws:sts::123456789012:assumed-role/r/s, role: arn:aws:iam::123456789012:role/p/r, id: AROA}", "action: s3:GetObject", "unknown: [a:b]", "presentUnknown: [c:d]", "partial: {e:f: [g]}", "resourceAccount: unknown"))
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 1<<12 {
			return
		}
		late := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("reading %q takes too long", text)) })
		defer late.Stop()
		cases, err := Read(name, []byte(text))
		if (err == nil) == (len(cases) == 0) {
			t.Errorf("Read(%q): %d cases and error %v", text, len(cases), err)
		}
		for _, c := range cases {
			// A case can either be run or says why not; nothing in between.
			if c.Err == nil && len(c.Requests) == 0 {
				t.Errorf("Read(%q): case %s has neither a request nor an error", text, c.Name)
			}
			if c.Err == nil {
				checkRuns(t, c)
			}
			if c.Pos.File != name || c.Pos.Line < 1 {
				t.Errorf("Read(%q): case %s at %v", text, c.Name, c.Pos)
			}
			for _, q := range c.Requests {
				if q.Context.Open {
					t.Errorf("Read(%q): case %s has an open context", text, c.Name)
				}
			}
		}
	})
}

// checkRuns runs a case that could be read: it passes if and only if nothing is said to differ, and a
// case that expects what came out passes.
func checkRuns(t *testing.T, c Case) {
	r := Run(t.Context(), c, &fake{})
	if r.Err != nil {
		return
	}
	if r.Pass != (r.Why == "") {
		t.Errorf("case %s: pass %v, but %q", c.Name, r.Pass, r.Why)
	}
	c.Expect = Expectation{Decision: r.Decision, Layers: r.Layers}
	if again := Run(t.Context(), c, &fake{}); !again.Pass {
		t.Errorf("case %s doesn't come out the same twice: %s", c.Name, again.Why)
	}
}
