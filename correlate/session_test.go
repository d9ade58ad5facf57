package correlate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator"
)

// sessionEvent is the AssumeRole event of the session that goes by an access key.
func sessionEvent(accessKey, parameters string) *Event {
	return &Event{
		ID: "start-" + accessKey, Source: "sts.amazonaws.com", Name: "AssumeRole", Type: "AwsApiCall", RecipientAccount: "222222222222",
		RequestParameters: json.RawMessage(parameters),
		ResponseElements:  json.RawMessage(fmt.Sprintf(`{"credentials": {"accessKeyId": %q, "sessionToken": "t"}}`, accessKey)),
	}
}

// inlineParameter is a call's policy parameter: a session policy with one statement that allows an action.
func inlineParameter(action string) string {
	text, err := json.Marshal(`{"Version":"2012-10-17","Statement":[` + allows("S", action) + `]}`)
	if err != nil {
		panic(err)
	}
	return `"policy": ` + string(text)
}

// T32, T85, U21: what the events tell of a session's policies.
func TestSessionEvidence(t *testing.T) {
	const (
		readOnly = "arn:aws:iam::222222222222:policy/read"
		sender   = "arn:aws:iam::222222222222:policy/send"
		gone     = "arn:aws:iam::222222222222:policy/gone"
	)
	src := always(evaluator.Policies{
		Identity: layerOf("deploy", allows("All", "sqs:*")),
		Session:  evaluator.Layer{State: evaluator.NotCollected, Missing: "nothing is known of the session"},
	})
	src.managed = map[string]evaluator.Policy{
		"222222222222 " + readOnly: namedPolicy("read", readOnly, allows("R", "sqs:Get*")),
		"222222222222 " + sender:   namedPolicy("send", sender, allows("W", "sqs:Send*")),
	}
	denied := func() *Event { return queueDenial("d", "ASIA1", "ci-417") }
	failed := sessionEvent("ASIA1", `{}`)
	failed.ErrorCode = "MalformedPolicyDocumentException"
	lossy := sessionEvent("ASIA1", `{}`)
	lossy.Origin.Lossy = true
	nullParameters := sessionEvent("ASIA1", `null`)
	foreign := sessionEvent("ASIA1", `{"policyArns": [{"arn": "`+sender+`"}]}`)
	foreign.RecipientAccount = "444444444444"
	identityCenter := denied()
	identityCenter.Identity.Session = &Session{
		IssuerType: "Role", IssuerID: "AROA1",
		IssuerARN: "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Dev_1a2b",
	}
	identityCenter.Identity.ARN = "arn:aws:sts::222222222222:assumed-role/AWSReservedSSO_Dev_1a2b/ana"
	identityCenter.ErrorMessage = strings.ReplaceAll(identityCenter.ErrorMessage, acmeSession, identityCenter.Identity.ARN)
	ec2 := func(session, delivery string) *Event {
		e := queueDenial("d", "ASIA1", session)
		s := *e.Identity.Session
		s.EC2RoleDelivery = delivery
		e.Identity.Session = &s
		return e
	}
	federated := func(name string) *Event {
		e := denied()
		e.Identity = Identity{
			Type: "FederatedUser", PrincipalID: "222222222222:" + name, ARN: "arn:aws:sts::222222222222:federated-user/" + name,
			Account: "222222222222", AccessKeyID: "ASIA1",
			Session: &Session{IssuerType: "IAMUser", IssuerARN: "arn:aws:iam::222222222222:user/broker"},
		}
		e.ErrorMessage = strings.ReplaceAll(e.ErrorMessage, acmeSession, e.Identity.ARN)
		return e
	}
	getToken := sessionEvent("ASIA1", `{"name": "bob"}`)
	getToken.Name = "GetFederationToken"
	getTokenSend := sessionEvent("ASIA1", `{"name": "bob", `+inlineParameter("sqs:*")+`}`)
	getTokenSend.Name = "GetFederationToken"
	assume := Options{AssumeNoSessionPolicy: true}

	const (
		unknown = evaluator.NotCollected
		none    = evaluator.DoesNotApply
		known   = evaluator.Applies
	)
	tests := []struct {
		name     string
		opts     Options
		events   []*Event
		state    evaluator.LayerState
		decision evaluator.Decision
		missing  string // what the layer says it lacks
	}{
		{"nothing known", Options{}, []*Event{denied()}, unknown, evaluator.Indeterminate, "nothing is known of the session"},
		{"no session policy", Options{}, []*Event{sessionEvent("ASIA1", `{"roleArn": "x"}`), denied()}, none, evaluator.Allowed, ""},
		{"policy null", Options{}, []*Event{sessionEvent("ASIA1", `{"policy": null, "policyArns": null}`), denied()}, none, evaluator.Allowed, ""},
		{"another session's", Options{}, []*Event{sessionEvent("ASIA2", `{}`), denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"inline that lacks it", Options{}, []*Event{sessionEvent("ASIA1", `{`+inlineParameter("sqs:Receive*")+`}`), denied()}, known, evaluator.ImplicitDeny, ""},
		{"inline that allows", Options{}, []*Event{sessionEvent("ASIA1", `{`+inlineParameter("sqs:*")+`}`), denied()}, known, evaluator.Allowed, ""},
		{"start after the denial", Options{}, []*Event{denied(), sessionEvent("ASIA1", `{`+inlineParameter("sqs:Receive*")+`}`)}, known, evaluator.ImplicitDeny, ""},
		{"inline that is no policy", Options{}, []*Event{sessionEvent("ASIA1", `{"policy": "{\"Version\":"}`), denied()}, unknown, evaluator.Indeterminate, "event start-ASIA1 can't be read"},
		{"hidden", Options{}, []*Event{sessionEvent("ASIA1", `{"policy": "`+hiddenName+`"}`), denied()}, unknown, evaluator.Indeterminate, "event start-ASIA1 can't be read"},
		{"hidden otherwise", Options{}, []*Event{sessionEvent("ASIA1", `{"policy": {"omitted": true}}`), denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"arns as objects", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": [{"arn": "`+readOnly+`"}]}`), denied()}, known, evaluator.ImplicitDeny, ""},
		{"arns as strings", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": ["`+readOnly+`", "`+sender+`"]}`), denied()}, known, evaluator.Allowed, ""},
		{"arns of another shape", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": [7]}`), denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"arns and inline", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": ["`+readOnly+`"], `+inlineParameter("sqs:Send*")+`}`), denied()}, known, evaluator.Allowed, ""},
		{"managed policy missing", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": ["`+readOnly+`", "`+gone+`"]}`), denied()}, unknown, evaluator.Indeterminate, gone},
		{"managed policy missing, another allows", Options{}, []*Event{sessionEvent("ASIA1", `{"policyArns": ["`+sender+`", "`+gone+`"]}`), denied()}, unknown, evaluator.Indeterminate, gone},
		{"the start in the trail of the caller's account", Options{}, []*Event{foreign, denied()}, known, evaluator.Allowed, ""},
		{"failed start", Options{}, []*Event{failed, denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"start from a lossy source", Options{}, []*Event{lossy, denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"start without parameters", Options{}, []*Event{nullParameters, denied()}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"Identity Center", Options{}, []*Event{identityCenter}, none, evaluator.Allowed, ""},
		{"EC2 instance", Options{}, []*Event{ec2("i-0123456789abcdef0", "2.0")}, none, evaluator.Allowed, ""},
		{"EC2 instance's name alone", Options{}, []*Event{ec2("i-0123456789abcdef0", "")}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"EC2 delivery of another session", Options{}, []*Event{ec2("ci-417", "2.0")}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"assumed to have none", assume, []*Event{denied()}, none, evaluator.Allowed, ""},
		{"assumed to have none, but has", assume, []*Event{sessionEvent("ASIA1", `{`+inlineParameter("sqs:Receive*")+`}`), denied()}, known, evaluator.ImplicitDeny, ""},
		{"federated user, unknown", Options{}, []*Event{federated("bob")}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"federated user, nothing to assume", assume, []*Event{federated("bob")}, unknown, evaluator.Indeterminate, "nothing is known"},
		{"E8: federated user without session policy", Options{}, []*Event{getToken, federated("bob")}, known, evaluator.ImplicitDeny, ""},
		{"E8: federated user with one", Options{}, []*Event{getTokenSend, federated("bob")}, known, evaluator.Allowed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, src, tt.opts, tt.events...)
			state, missing := none, ""
			for _, l := range f.Explanation.Trace {
				if l.Layer == evaluator.LayerSession {
					state, missing = l.State, l.Missing
				}
			}
			if state != tt.state || f.Explanation.Decision != tt.decision {
				t.Errorf("T32: session layer %d, %v; want %d, %v (lacks %q)", state, f.Explanation.Decision, tt.state, tt.decision, missing)
			}
			if !strings.Contains(missing, tt.missing) || missing != "" && tt.missing == "" {
				t.Errorf("T32: the layer lacks %q, want %q in it", missing, tt.missing)
			}
			if wantLayer := map[evaluator.Decision]string{evaluator.ImplicitDeny: "session"}[tt.decision]; wantLayer != "" && f.Layer != wantLayer {
				t.Errorf("T32: layer %q, want %q", f.Layer, wantLayer)
			}
		})
	}
}

// T32: a statement of a session policy is placed at the event that set it.
func TestSessionPolicyPlace(t *testing.T) {
	src := always(evaluator.Policies{Identity: layerOf("deploy", allows("All", "sqs:*"))})
	policyText, _ := json.Marshal(`{"Version":"2012-10-17","Statement":[` + allows("All", "sqs:*") + "," + denies("NoSend", "sqs:Send*") + `]}`)
	f := oneFinding(t, src, Options{}, sessionEvent("ASIA1", `{"policy": `+string(policyText)+`}`), queueDenial("d", "ASIA1", "ci-417"))
	if f.Decision != evaluator.ExplicitDeny || f.Statement == nil || f.Statement.Sid.Value != "NoSend" || f.Statement.Pos.File != "event start-ASIA1" {
		t.Fatalf("T32: %v by %+v, want an explicit deny by NoSend, at event start-ASIA1", f.Decision, f.Statement)
	}
	if f.Policy.Type != "session" || f.Policy.Name != "AssumeRole policy" || f.Policy.Target != acmeSession {
		t.Errorf("T32: policy %+v, want AssumeRole policy, of type session, of %s", f.Policy, acmeSession)
	}
}

// T67: the session of an event's caller tells nothing of another role's.
func TestSessionOfAnotherPrincipal(t *testing.T) {
	src := always(evaluator.Policies{
		Identity: layerOf("deploy", allows("All", "sqs:*")),
		Session:  evaluator.Layer{State: evaluator.NotCollected, Missing: "nothing is known of the session"},
	})
	e := queueDenial("d", "ASIA1", "ci-417")
	e.ErrorMessage = strings.ReplaceAll(e.ErrorMessage, acmeSession, "arn:aws:sts::222222222222:assumed-role/worker/w")
	f := oneFinding(t, src, Options{}, sessionEvent("ASIA1", `{}`), e)
	if f.Explanation.Decision != evaluator.Indeterminate || len(f.Notes) == 0 {
		t.Errorf("T67: %v with notes %q, want indeterminate and a note on the principal", f.Explanation.Decision, f.Notes)
	}
}

// T86, T85: the tags that a session was given win over its role's, which may be the same.
func TestSessionTags(t *testing.T) {
	tag := func(parameters string) *Event { return sessionEvent("ASIA1", parameters) }
	other := tag(`{"tags": [{"key": "team", "value": "red"}]}`)
	other.ResponseElements = sessionEvent("ASIA2", "").ResponseElements
	tests := []struct {
		name  string
		start *Event
		want  evaluator.ContextValue
	}{
		{"given", tag(`{"tags": [{"key": "team", "value": "red"}]}`), evaluator.ContextValue{State: evaluator.Present, Values: []string{"red"}}},
		{"by an assertion", tag(`{"principalTags": {"team": "red"}}`), evaluator.ContextValue{State: evaluator.Present, Values: []string{"red"}}},
		{"hidden", tag(`{"tags": [{"key": "team", "value": "***"}]}`), evaluator.ContextValue{State: evaluator.PresentUnknown}},
		{"C3: differ in case", tag(`{"tags": [{"key": "team", "value": "red"}, {"key": "Team", "value": "blue"}]}`), evaluator.ContextValue{State: evaluator.PresentUnknown}},
		{"not given", tag(`{}`), evaluator.ContextValue{State: evaluator.UnknownKey}},
		{"of another shape", tag(`{"tags": {"omitted": true}}`), evaluator.ContextValue{State: evaluator.UnknownKey}},
		{"of another session", other, evaluator.ContextValue{State: evaluator.UnknownKey}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := oneFinding(t, always(evaluator.Policies{Identity: layerOf("deploy", allows("All", "sqs:*"))}), Options{}, tt.start, queueDenial("d", "ASIA1", "ci-417"))
			got := f.Request.Context.Lookup("aws:PrincipalTag/team")
			if got.State != tt.want.State || strings.Join(got.Values, ",") != strings.Join(tt.want.Values, ",") {
				t.Errorf("T86: aws:PrincipalTag/team is %d %q, want %d %q", got.State, got.Values, tt.want.State, tt.want.Values)
			}
		})
	}
}
