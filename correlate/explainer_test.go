package correlate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

const (
	ordersQueue = "arn:aws:sqs:eu-west-1:111111111111:orders"
	orgGuard    = "arn:aws:organizations::999999999999:policy/o-acme/service_control_policy/p-guard"
)

// A fakeSource answers every request with what its function says.
type fakeSource struct {
	policies func(evaluator.Request) evaluator.Policies
	managed  map[string]evaluator.Policy // by account and ARN, a blank between them
	err      error
}

func (s *fakeSource) Policies(_ context.Context, r evaluator.Request) (evaluator.Policies, error) {
	return s.policies(r), s.err
}

// Complete knows that all buckets are the user's account's.
func (s *fakeSource) Complete(r *evaluator.Request) {
	if strings.HasPrefix(r.Resource.ARN, "arn:aws:s3:::") && r.Resource.Account == "" {
		r.Resource.Account = "111111111111"
	}
}

func (s *fakeSource) ManagedPolicy(account, arn string) (evaluator.Policy, bool) {
	p, ok := s.managed[account+" "+arn]
	return p, ok
}

// always is a source with the same policies for every request.
func always(p evaluator.Policies) *fakeSource {
	return &fakeSource{policies: func(evaluator.Request) evaluator.Policies { return p }}
}

// namedPolicy compiles a policy that consists of the given statements.
func namedPolicy(name, arn string, statements ...string) evaluator.Policy {
	text := `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
	doc, err := policy.Parse(name+".json", []byte(text))
	if err != nil {
		panic(fmt.Sprintf("policy %s: %v", text, err))
	}
	return evaluator.Policy{Name: name, ARN: arn, Type: "inline", Body: evaluator.Compile(doc)}
}

// layerOf is a layer that applies, with one policy of the given statements.
func layerOf(name string, statements ...string) evaluator.Layer {
	return evaluator.Layer{State: evaluator.Applies, Policies: []evaluator.Policy{namedPolicy(name, "", statements...)}}
}

func statementText(sid, effect, action, rest string) string {
	return fmt.Sprintf(`{"Sid": %q, "Effect": %q, "Action": %q, "Resource": "*"%s}`, sid, effect, action, rest)
}

func allows(sid, action string) string { return statementText(sid, "Allow", action, "") }
func denies(sid, action string) string { return statementText(sid, "Deny", action, "") }

// deniesIf denies if a condition key has a value; a key that events don't tell makes that unknown.
func deniesIf(sid, action, key string) string {
	return statementText(sid, "Deny", action, fmt.Sprintf(`, "Condition": {"StringEquals": {%q: "on"}}`, key))
}

// userDenial is a denied sqs:SendMessage of the user ana's, with AWS's sentence and its tail.
func userDenial(id, tail string) *Event {
	e := userEvent()
	e.ID, e.ErrorCode, e.RecipientAccount = id, "AccessDenied", "111111111111"
	e.ErrorMessage = "User: " + acmeUser + " is not authorized to perform: sqs:SendMessage on resource: " + ordersQueue + tail
	return e
}

// objectDenial is a denied s3:GetObject of the user's, without a reason.
func objectDenial(id, key string) *Event {
	e := userEvent()
	e.ID, e.Source, e.Name, e.ErrorCode, e.ErrorMessage = id, "s3.amazonaws.com", "GetObject", "AccessDenied", "Access Denied"
	e.RecipientAccount = "111111111111"
	e.RequestParameters = json.RawMessage(fmt.Sprintf(`{"bucketName": "acme-data", "key": %q}`, key))
	return e
}

// queueDenial is a denied sqs:SendMessage of a session of the deploy role's, without a reason.
func queueDenial(id, accessKey, session string) *Event {
	e := roleEvent("sqs.amazonaws.com", "SendMessage")
	e.ID, e.ErrorCode = id, "AccessDenied"
	e.Identity.AccessKeyID = accessKey
	e.Identity.ARN = "arn:aws:sts::222222222222:assumed-role/deploy/" + session
	e.ErrorMessage = "User: " + e.Identity.ARN + " is not authorized to perform: sqs:SendMessage on resource: " +
		"arn:aws:sqs:eu-west-1:222222222222:builds"
	return e
}

// collect returns all findings, and the error that ends them.
func collect(findings iter.Seq2[Finding, error]) ([]Finding, error) {
	var all []Finding
	for f, err := range findings {
		if err != nil {
			return all, err
		}
		all = append(all, f)
	}
	return all, nil
}

// findings explains events.
func findings(t *testing.T, src PolicySource, opts Options, events ...*Event) []Finding {
	t.Helper()
	x := NewExplainer(src, opts)
	for _, e := range events {
		x.Add(e)
	}
	all, err := collect(x.Findings(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// oneFinding explains events that are the same denial.
func oneFinding(t *testing.T, src PolicySource, opts Options, events ...*Event) *Finding {
	t.Helper()
	all := findings(t, src, opts, events...)
	if len(all) != 1 {
		t.Fatalf("%d findings, want 1", len(all))
	}
	return &all[0]
}

// counts returns how many denials each finding stands for.
func counts(all []Finding) []int {
	var out []int
	for _, f := range all {
		out = append(out, f.Count)
	}
	return out
}

// T100: an event that comes twice, from two files say, is one denial; a repeated call is two.
func TestDeduplication(t *testing.T) {
	x := NewExplainer(nil, Options{})
	var got []int
	for _, id := range []string{"e1", "e1", "e2", "", ""} {
		got = append(got, x.Add(userDenial(id, "")))
	}
	allowed := userEvent()
	allowed.ID = "e3"
	got = append(got, x.Add(allowed))
	if diff := cmp.Diff([]int{1, 0, 1, 1, 1, 0}, got); diff != "" {
		t.Errorf("T100: Add (-want +got):\n%s", diff)
	}
	later := userDenial("e4", "")
	later.Time = later.Time.Add(time.Hour)
	x.Add(later)
	if len(x.groups) != 1 {
		t.Errorf("T101: %d groups of repeated calls, want 1: time alone keeps none apart", len(x.groups))
	}
	all, err := collect(x.Findings(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{5}, counts(all)); diff != "" {
		t.Errorf("T100: counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"e1", "e2", "e4"}, all[0].EventIDs); diff != "" {
		t.Errorf("T100: event ids (-want +got):\n%s", diff)
	}
}

// T100: a source that lost the event's id still has its request's.
func TestDeduplicationWithoutID(t *testing.T) {
	x := NewExplainer(nil, Options{})
	add := func(requestID string, at time.Duration) int {
		e := userDenial("", "")
		e.RequestID, e.Time = requestID, e.Time.Add(at)
		return x.Add(e)
	}
	got := []int{add("r1", 0), add("r1", 0), add("r2", 0), add("r1", time.Second)}
	if diff := cmp.Diff([]int{1, 0, 1, 1}, got); diff != "" {
		t.Errorf("T100: Add (-want +got):\n%s", diff)
	}
}

// twin returns the caller's and the owner's copy of a denied call across accounts.
func twin(shared string) (callers, owners *Event) {
	const key = "arn:aws:kms:eu-west-1:333333333333:key/1234"
	callers = userEvent()
	callers.Source, callers.Name, callers.ErrorCode = "kms.amazonaws.com", "Decrypt", "AccessDenied"
	callers.ID, callers.SharedID, callers.RecipientAccount = shared+"-caller", shared, "111111111111"
	callers.ErrorMessage = "User: " + acmeUser + " is not authorized to perform: kms:Decrypt on resource: " + key
	copied := *callers
	owners = &copied
	owners.ID, owners.RecipientAccount = shared+"-owner", "333333333333"
	owners.Identity = Identity{Type: "AWSAccount", PrincipalID: "AIDA1", Account: "111111111111"}
	owners.ErrorMessage = "" // S3 and others tell the owner less
	owners.Resources = []EventResource{{ARN: key, Account: "333333333333", Type: "AWS::KMS::Key"}}
	return callers, owners
}

// T104: two accounts' copies of a call are one denial, the caller's.
func TestTwins(t *testing.T) {
	c1, o1 := twin("s1")
	c2, o2 := twin("s2")
	tests := []struct {
		name    string
		events  []*Event
		want    []int
		wantIDs []string
		caller  string
	}{
		{"caller's copy first", []*Event{c1, o1}, []int{1}, []string{"s1-caller"}, acmeUser},
		{"owner's copy first", []*Event{o1, c1}, []int{1}, []string{"s1-caller"}, acmeUser},
		{"both copies, again", []*Event{o1, c1, o1, c1}, []int{1}, []string{"s1-caller"}, acmeUser},
		{"two calls", []*Event{o1, c1, c2, o2}, []int{2}, []string{"s1-caller", "s2-caller"}, acmeUser},
		{"two calls, the owner's file first", []*Event{o1, o2, c1, c2}, []int{2}, []string{"s1-caller", "s2-caller"}, acmeUser},
		{"the owner's copy alone", []*Event{o1}, []int{1}, []string{"s1-owner"}, ""},
		{"an owner's copy alone beside a pair", []*Event{o1, c1, o2}, []int{1, 1}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := findings(t, always(evaluator.Policies{}), Options{}, tt.events...)
			if diff := cmp.Diff(tt.want, counts(all)); diff != "" {
				t.Fatalf("T104: counts (-want +got):\n%s", diff)
			}
			if tt.wantIDs == nil {
				return
			}
			if diff := cmp.Diff(tt.wantIDs, all[0].EventIDs); diff != "" {
				t.Errorf("T104: event ids (-want +got):\n%s", diff)
			}
			if got := all[0].Request.Principal.ARN; got != tt.caller {
				t.Errorf("T104: principal %q, want %q", got, tt.caller)
			}
			if got := all[0].Request.Resource.Account; got != "333333333333" {
				t.Errorf("T104: the resource is of account %q, want 333333333333", got)
			}
		})
	}
}

// T104: a copy that went to its caller's group leaves nothing behind for later ones.
func TestTwinLeaves(t *testing.T) {
	c1, o1 := twin("s1")
	_, o2 := twin("s2")
	o2.Time = o2.Time.Add(time.Hour)
	for _, f := range findings(t, nil, Options{}, o1, c1, o2) {
		if f.Request.Principal.ARN == "" && (!f.FirstSeen.Equal(o2.Time) || f.Denial.Event.ID != o2.ID) {
			t.Errorf("T104: the owner's copy alone is %s, first seen at %v; want s2-owner at %v", f.Denial.Event.ID, f.FirstSeen, o2.Time)
		}
	}
}

// T104: whose a bucket is, only the owner's copy of the event tells.
func TestTwinTellsOwner(t *testing.T) {
	callers := objectDenial("c", "a.txt")
	callers.SharedID = "s1"
	copied := *callers
	owners := &copied
	owners.ID, owners.RecipientAccount = "o", "333333333333"
	owners.Identity = Identity{Type: "AWSAccount", PrincipalID: "AIDA1", Account: "111111111111"}
	for _, events := range [][]*Event{{callers, owners}, {owners, callers}} {
		f := oneFinding(t, nil, Options{}, events...)
		if f.Request.Principal.ARN != acmeUser || f.Request.Resource.Account != "333333333333" {
			t.Errorf("T104: %s copy first: %s on a bucket of account %q, want %s and 333333333333",
				events[0].ID, f.Request.Principal.ARN, f.Request.Resource.Account, acmeUser)
		}
	}
}

// T101: what is one finding, and what isn't.
func TestGrouping(t *testing.T) {
	nothing := always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}})
	byObject := &fakeSource{policies: func(r evaluator.Request) evaluator.Policies {
		if strings.HasSuffix(r.Resource.ARN, "b.txt") {
			return evaluator.Policies{Identity: layerOf("ana", denies("NoB", "s3:*"))}
		}
		return evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}}
	}}
	byRegion := always(evaluator.Policies{Identity: layerOf("ana", statementText("OnlyHome", "Deny", "sqs:*",
		`, "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}`))})
	noMFA := always(evaluator.Policies{Identity: layerOf("deploy", statementText("NeedMFA", "Deny", "sqs:*",
		`, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}`))})
	explicit := always(evaluator.Policies{Identity: layerOf("deploy", denies("NoSend", "sqs:*"))})
	in := func(region string) *Event {
		e := userDenial("in "+region, "")
		e.Region = region
		return e
	}
	mfa := func(e *Event) *Event {
		s := *e.Identity.Session
		s.MFA = "true"
		e.Identity.Session = &s
		return e
	}
	userSession := func(id, key, mfa string) *Event {
		e := userDenial(id, "")
		e.Identity.AccessKeyID, e.Identity.Session = key, &Session{MFA: mfa}
		return e
	}
	instance := func(id string) *Event {
		e := userEvent()
		e.ID, e.Source, e.Name, e.ErrorCode = "on "+id, "ec2.amazonaws.com", "StopInstances", "Client.UnauthorizedOperation"
		e.ErrorMessage = "You are not authorized to perform this operation. User: " + acmeUser +
			" is not authorized to perform: ec2:StopInstances on resource: arn:aws:ec2:eu-west-1:111111111111:instance/" + id +
			" because no identity-based policy allows the ec2:StopInstances action."
		return e
	}
	noIP := always(evaluator.Policies{Identity: layerOf("ana", statementText("OnlyHome", "Deny", "sqs:*",
		`, "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}`))})
	from := func(ip string) *Event {
		e := userDenial("from "+ip, "")
		e.SourceIP = ip
		return e
	}
	endpoint := userDenial("through an endpoint", "")
	endpoint.VPCEndpointID = "vpce-1"
	tests := []struct {
		name   string
		src    PolicySource
		events []*Event
		want   []int
	}{
		{"the same call", nothing, []*Event{userDenial("1", ""), userDenial("2", "")}, []int{2}},
		{"objects under one prefix", nothing, []*Event{objectDenial("1", "logs/a.txt"), objectDenial("2", "logs/b.txt")}, []int{2}},
		{"objects under one prefix, deeper", nothing, []*Event{objectDenial("1", "logs/x/a.txt"), objectDenial("2", "logs/y/b.txt")}, []int{2}},
		{"objects under one prefix that differ", byObject, []*Event{objectDenial("1", "logs/a.txt"), objectDenial("2", "logs/b.txt")}, []int{1, 1}},
		{"objects under two prefixes", nothing, []*Event{objectDenial("1", "logs/a.txt"), objectDenial("2", "data/a.txt")}, []int{1, 1}},
		{"objects without a prefix", nothing, []*Event{objectDenial("1", "a.txt"), objectDenial("2", "b.txt")}, []int{1, 1}},
		{"instances", nothing, []*Event{instance("i-1"), instance("i-2"), instance("*")}, []int{2, 1}},
		{"regions", nothing, []*Event{in("eu-west-1"), in("us-east-1")}, []int{2}},
		{"regions that differ", byRegion, []*Event{in("eu-west-1"), in("us-east-1")}, []int{1, 1}},
		{"sessions", nothing, []*Event{queueDenial("1", "ASIA1", "a"), queueDenial("2", "ASIA2", "b")}, []int{2}},
		{"sessions that differ", noMFA, []*Event{queueDenial("1", "ASIA1", "a"), mfa(queueDenial("2", "ASIA2", "b"))}, []int{1, 1}},
		{"sessions, denied explicitly", explicit, []*Event{queueDenial("1", "ASIA1", "a"), queueDenial("2", "ASIA2", "b")}, []int{2}},
		{"source addresses", nothing, []*Event{from("203.0.113.1"), from("198.51.100.1")}, []int{2}},
		{"source addresses that differ", noIP, []*Event{from("203.0.113.1"), from("198.51.100.1"), from("203.0.113.2")}, []int{2, 1}},
		{"a user's sessions that differ", noMFA, []*Event{userSession("1", "ASIA3", "false"), userSession("2", "ASIA4", "true")}, []int{1, 1}},
		{"claims", nothing, []*Event{userDenial("1", ""), userDenial("2", " with an explicit deny in an identity-based policy")}, []int{1, 1}},
		{"endpoints", nothing, []*Event{userDenial("1", ""), endpoint}, []int{1, 1}},
		{"no policies at all", nil, []*Event{objectDenial("1", "logs/a.txt"), objectDenial("2", "logs/b.txt"), userDenial("3", "")}, []int{2, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, counts(findings(t, tt.src, Options{}, tt.events...))); diff != "" {
				t.Errorf("T101: counts (-want +got):\n%s", diff)
			}
		})
	}
}

// T101, C15: the time is no part of what makes denials equal, unless a policy's date decides between them.
func TestGroupingByTime(t *testing.T) {
	dated := func(operator, value string) PolicySource {
		return always(evaluator.Policies{Identity: layerOf("ana", statementText("Frozen", "Deny", "sqs:*", fmt.Sprintf(`, "Condition": {%q: {"aws:CurrentTime": %q}}`, operator, value)))})
	}
	at := func(id string, after time.Duration) *Event {
		e := userDenial(id, "")
		e.Time = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(after)
		return e
	}
	events := func() []*Event {
		return []*Event{at("1", 2*time.Hour), at("2", 0), at("3", 3*time.Hour), at("4", time.Minute), at("5", 4*time.Hour)}
	}
	type part struct {
		Decision string
		IDs      []string
		First    string
		Time     string // of the request
	}
	tests := []struct {
		name string
		src  PolicySource
		want []part
	}{
		{"a date between them", dated("DateGreaterThan", "2026-03-01T10:00:00Z"), []part{
			{"explicitDeny", []string{"1", "3", "5"}, "11:00", "2026-03-01T11:00:00Z"}, {"implicitDeny", []string{"2", "4"}, "09:00", "2026-03-01T09:00:00Z"}}},
		{"a date after all of them", dated("DateGreaterThan", "2026-03-02"), []part{{"implicitDeny", []string{"2", "4", "1", "3", "5"}, "09:00", "2026-03-01T11:00:00Z"}}},
		{"a date before all of them", dated("DateGreaterThan", "2026-02-28"), []part{{"explicitDeny", []string{"2", "4", "1", "3", "5"}, "09:00", "2026-03-01T11:00:00Z"}}},
		{"an hour of the day", dated("StringLike", "*T1?:*"), []part{
			{"explicitDeny", []string{"1", "3", "5"}, "11:00", "2026-03-01T11:00:00Z"}, {"implicitDeny", []string{"2", "4"}, "09:00", "2026-03-01T09:00:00Z"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []part
			for _, f := range findings(t, tt.src, Options{}, events()...) {
				got = append(got, part{f.Decision.String(), f.EventIDs, f.FirstSeen.Format("15:04"), f.Request.Context.Lookup("aws:CurrentTime").Values[0]})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("T101: (-want +got):\n%s", diff)
			}
		})
	}
	timeless := at("6", 0)
	timeless.Time = time.Time{}
	if diff := cmp.Diff([]int{3, 3}, counts(findings(t, dated("DateGreaterThan", "2026-03-01T10:00:00Z"), Options{}, append(events(), timeless)...))); diff != "" {
		t.Errorf("T101: with a call of which nobody knows when it was, and which lacks an allow in any case (-want +got):\n%s", diff)
	}
}

// T101, S17: calls that put different policies on a bucket aren't equal.
func TestGroupingPutPolicies(t *testing.T) {
	put := func(id, principal string) *Event {
		e := userEvent()
		e.ID, e.Source, e.Name, e.ErrorCode, e.ErrorMessage = id, "s3.amazonaws.com", "PutBucketPolicy", "AccessDenied", "Access Denied"
		e.RecipientAccount = "111111111111"
		e.RequestParameters = json.RawMessage(fmt.Sprintf(`{"bucketName": "acme-data", "bucketPolicy": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Principal": {"AWS": %q}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"}]}}`, principal))
		return e
	}
	src := always(evaluator.Policies{Identity: layerOf("ana", allows("All", "s3:*")), Resource: evaluator.ResourceLayer{Type: "bucket", Bucket: &evaluator.Bucket{BlockPublicPolicy: evaluator.Matched}}})
	all := findings(t, src, Options{}, put("1", "222222222222"), put("2", "*"), put("3", "222222222222"))
	var got []string
	for _, f := range all {
		got = append(got, fmt.Sprint(f.EventIDs, f.Explanation.Decision))
	}
	if diff := cmp.Diff([]string{"[1 3] allowed", "[2] explicitDeny"}, got); diff != "" {
		t.Errorf("T101: (-want +got):\n%s", diff)
	}
}

// T101: all that a call needs decides, and not only what comes first.
func TestGroupingFurtherRequests(t *testing.T) {
	src := &fakeSource{policies: func(r evaluator.Request) evaluator.Policies {
		if strings.HasSuffix(r.Resource.ARN, "secret.txt") {
			return evaluator.Policies{Identity: layerOf("ana", denies("NoSecrets", "s3:*"))}
		}
		return evaluator.Policies{Identity: layerOf("ana", allows("All", "s3:*"))}
	}}
	copied := func(id, from string) *Event {
		e := objectDenial(id, "copy.txt")
		e.Name = "CopyObject"
		e.RequestParameters = json.RawMessage(fmt.Sprintf(`{"bucketName": "acme-data", "key": "copy.txt", "x-amz-copy-source": %q}`, from))
		return e
	}
	all := findings(t, src, Options{}, copied("1", "acme-data/public.txt"), copied("2", "acme-data/secret.txt"), copied("3", "acme-data/public.txt"))
	var got []string
	for _, f := range all {
		got = append(got, fmt.Sprint(f.EventIDs, f.Explanation.Decision))
	}
	if diff := cmp.Diff([]string{"[1 3] allowed", "[2] explicitDeny"}, got); diff != "" {
		t.Errorf("T101: (-want +got):\n%s", diff)
	}
}

// T32, T101: sessions of one role with different session policies have different answers.
func TestGroupingSessionPolicies(t *testing.T) {
	src := always(evaluator.Policies{
		Identity: layerOf("deploy", allows("All", "sqs:*")),
		Session:  evaluator.Layer{State: evaluator.NotCollected, Missing: "session policy"},
	})
	policies := `{"policy": "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sqs:Receive*\",\"Resource\":\"*\"}}"}`
	all := findings(t, src, Options{},
		sessionEvent("ASIA1", policies), sessionEvent("ASIA2", `{}`),
		queueDenial("1", "ASIA1", "a"), queueDenial("2", "ASIA2", "b"), queueDenial("3", "ASIA1", "a"))
	if diff := cmp.Diff([]int{2, 1}, counts(all)); diff != "" {
		t.Fatalf("T101: counts (-want +got):\n%s", diff)
	}
	if all[0].Layer != "session" || all[1].Agreement != EvaluationSilent {
		t.Errorf("T101: layer %q and agreement %q, want session and %q", all[0].Layer, all[1].Agreement, EvaluationSilent)
	}
}

// T32, T101: session policies of the same text are one, whichever event set them.
func TestGroupingSameSessionPolicy(t *testing.T) {
	src := always(evaluator.Policies{Identity: layerOf("deploy", allows("All", "sqs:*"))})
	for _, statements := range []string{allows("R", "sqs:Receive*"), allows("All", "sqs:*") + "," + denies("NoSend", "sqs:Send*")} {
		text, err := json.Marshal(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		parameters := `{"policy": ` + string(text) + `}`
		f := oneFinding(t, src, Options{}, sessionEvent("ASIA1", parameters), sessionEvent("ASIA2", parameters),
			queueDenial("1", "ASIA1", "a"), queueDenial("2", "ASIA2", "b"))
		if f.Count != 2 || f.Layer != "session" || len(f.Sessions) != 2 {
			t.Errorf("T101: %d denials by %s in %d sessions, want 2 by session in 2", f.Count, f.Layer, len(f.Sessions))
		}
	}
}

// An event without a time says nothing of when a group was first seen.
func TestGroupWithoutTime(t *testing.T) {
	timed, timeless := userDenial("timed", ""), userDenial("timeless", "")
	timeless.Time = time.Time{}
	f := oneFinding(t, nil, Options{}, timed, timeless)
	if !f.FirstSeen.Equal(timed.Time) || !f.LastSeen.Equal(timed.Time) || f.Count != 2 {
		t.Errorf("T101: %d from %v to %v, want 2, both at %v", f.Count, f.FirstSeen, f.LastSeen, timed.Time)
	}
}

// T101: count, first, last, sessions and events of a group.
func TestGroupFields(t *testing.T) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var events []*Event
	for i := range 25 {
		e := queueDenial(fmt.Sprintf("e%02d", i), fmt.Sprintf("ASIA%d", i%12), fmt.Sprintf("s%02d", i%12))
		e.Time = start.Add(time.Duration(i) * time.Minute)
		events = append(events, e)
	}
	events[0], events[3] = events[3], events[0] // files needn't come in the order of time
	f := oneFinding(t, always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}}), Options{}, events...)
	if f.Count != 25 || len(f.EventIDs) != 20 || len(f.Sessions) != 10 {
		t.Errorf("T101: count %d, %d event ids, %d sessions; want 25, 20, 10", f.Count, len(f.EventIDs), len(f.Sessions))
	}
	if last := start.Add(24 * time.Minute); !f.FirstSeen.Equal(start) || !f.LastSeen.Equal(last) {
		t.Errorf("T101: from %v to %v, want from %v to %v", f.FirstSeen, f.LastSeen, start, last)
	}
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprintf("e%02d", i))
	}
	if diff := cmp.Diff(want, f.EventIDs); diff != "" {
		t.Errorf("T101: the oldest 20 events, oldest first (-want +got):\n%s", diff)
	}
}

// T103: the richest message stands for the group.
func TestRichestMessage(t *testing.T) {
	plain, rich := objectDenial("1", "a.txt"), objectDenial("2", "a.txt")
	rich.ErrorMessage = "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"
	f := oneFinding(t, nil, Options{}, plain, rich)
	if f.Denial.Message.Text != rich.ErrorMessage {
		t.Errorf("T103: message %q, want %q", f.Denial.Message.Text, rich.ErrorMessage)
	}
}

func TestFindingsOrder(t *testing.T) {
	early, late := userDenial("early", ""), objectDenial("late", "a.txt")
	late.Time = early.Time.Add(time.Hour)
	often := objectDenial("often 1", "b.txt")
	often.Time = early.Time.Add(2 * time.Hour)
	again := *often
	again.ID = "often 2"
	var got []string
	for _, f := range findings(t, nil, Options{}, late, early, often, &again) {
		got = append(got, f.EventIDs[0])
	}
	if diff := cmp.Diff([]string{"often 1", "early", "late"}, got); diff != "" {
		t.Errorf("most frequent first, then oldest (-want +got):\n%s", diff)
	}
}

func TestFindingsErrors(t *testing.T) {
	broken := errors.New("the source is broken")
	src := always(evaluator.Policies{})
	src.err = broken
	x := NewExplainer(src, Options{})
	x.Add(userDenial("1", ""))
	if _, err := collect(x.Findings(t.Context())); !errors.Is(err, broken) || !strings.Contains(err.Error(), "sqs:SendMessage on "+ordersQueue) {
		t.Errorf("Findings: %v, want the source's error with the request", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := collect(x.Findings(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("Findings of a context that is done: %v", err)
	}
}

func TestAddDenial(t *testing.T) {
	x := NewExplainer(always(evaluator.Policies{Identity: evaluator.Layer{State: evaluator.Applies}}), Options{})
	text := "User: " + acmeUser + " is not authorized to perform: sqs:SendMessage on resource: " + ordersQueue
	x.AddDenial(DenialFromMessage(text + " because no identity-based policy allows the sqs:SendMessage action"))
	x.AddDenial(DenialFromMessage("Access Denied"))
	all, err := collect(x.Findings(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Agreement{}
	for _, f := range all {
		got[f.Request.Action] = f.Agreement
	}
	if diff := cmp.Diff(map[string]Agreement{"sqs:SendMessage": Agree, "": NoMessageEvidence}, got); diff != "" {
		t.Errorf("pasted messages (-want +got):\n%s", diff)
	}
}
