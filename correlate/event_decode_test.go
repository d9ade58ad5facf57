package correlate

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeEvent(t *testing.T) {
	const data = `{
  "eventVersion": "1.11", "eventTime": "2025-06-01T10:00:00Z", "eventID": "id", "requestID": "req", "sharedEventID": "shared",
  "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "eu-west-1", "sourceIPAddress": "AWS Internal",
  "userAgent": "[aws-cli\/2 \u2713]", "errorCode": "AccessDenied", "errorMessage": "Access \"Denied\"", "eventType": "AwsApiCall",
  "eventCategory": "Data", "recipientAccountId": "111122223333", "vpcEndpointId": "vpce-1", "vpcEndpointAccountId": "444455556666",
  "readOnly": true, "sessionCredentialFromConsole": "true",
  "userIdentity": {
    "type": "AssumedRole", "principalId": "AROAEXAMPLE:ci", "arn": "arn:aws:sts::111122223333:assumed-role/deploy/ci", "accountId": "111122223333",
    "accessKeyId": "ASIAEXAMPLE", "userName": "u", "invokedBy": "athena.amazonaws.com", "identityProvider": "idp",
    "onBehalfOf": {"userId": "x"}, "inScopeOf": {"sourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:f"},
    "sessionContext": {
      "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::111122223333:role/path/deploy", "accountId": "111122223333", "userName": "deploy"},
      "webIdFederationData": {"federatedProvider": "arn:aws:iam::111122223333:oidc-provider/x", "attributes": {}},
      "attributes": {"creationDate": "20250601T090000Z", "mfaAuthenticated": "false"},
      "sourceIdentity": "jo", "ec2RoleDelivery": "2.0", "assumedRoot": "true"}},
  "resources": [{"ARN": "arn:aws:s3:::b/k", "type": "AWS::S3::Object"}, {"arn": "arn:aws:s3:::b", "accountId": 22223333, "type": "AWS::S3::Bucket"}, "odd", {}],
  "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "x", "clientProvidedHostHeader": "b.s3.eu-west-1.amazonaws.com"},
  "requestParameters": {"bucketName": "b", "key":	"k"}, "responseElements": null, "additionalEventData": {"vpcEndpointId": "vpce-legacy"}, "eventContext": {"tagContext": []}
}`
	want := &Event{
		ID: "id", RequestID: "req", SharedID: "shared", Time: time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC), Version: "1.11",
		Source: "s3.amazonaws.com", Name: "GetObject", Region: "eu-west-1", SourceIP: "AWS Internal", UserAgent: "[aws-cli/2 ✓]",
		ErrorCode: "AccessDenied", ErrorMessage: `Access "Denied"`, Type: "AwsApiCall", Category: "Data", RecipientAccount: "111122223333",
		VPCEndpointID: "vpce-1", VPCEndpointAccount: "444455556666", ReadOnly: "true", ConsoleSession: true,
		Identity: Identity{
			Type: "AssumedRole", PrincipalID: "AROAEXAMPLE:ci", ARN: "arn:aws:sts::111122223333:assumed-role/deploy/ci", Account: "111122223333",
			AccessKeyID: "ASIAEXAMPLE", UserName: "u", InvokedBy: "athena.amazonaws.com", IdentityProvider: "idp", OnBehalfOf: true,
			InScopeOf: "arn:aws:lambda:eu-west-1:111122223333:function:f",
			Session: &Session{
				IssuerType: "Role", IssuerID: "AROAEXAMPLE", IssuerARN: "arn:aws:iam::111122223333:role/path/deploy", IssuerAccount: "111122223333", IssuerUserName: "deploy",
				Created: time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC), CreatedText: "20250601T090000Z", MFA: "false", SourceIdentity: "jo",
				EC2RoleDelivery: "2.0", FederatedProvider: "arn:aws:iam::111122223333:oidc-provider/x", AssumedRoot: true,
			},
		},
		Resources: []EventResource{
			{ARN: "arn:aws:s3:::b/k", Type: "AWS::S3::Object"},
			{ARN: "arn:aws:s3:::b", Account: "000022223333", Type: "AWS::S3::Bucket"},
		},
		HasTLS: true, TLSVersion: "TLSv1.3", TLSHost: "b.s3.eu-west-1.amazonaws.com",
		RequestParameters: json.RawMessage(`{"bucketName": "b", "key":	"k"}`), ResponseElements: json.RawMessage("null"),
		AdditionalData: json.RawMessage(`{"vpcEndpointId": "vpce-legacy"}`), Context: json.RawMessage(`{"tagContext": []}`),
	}
	buf := []byte(data)
	got, err := DecodeEvent(buf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range buf { // the event has to be its own, and no member another's
		buf[i] = 'x'
	}
	_ = append(got.RequestParameters, "more"...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DecodeEvent (-want +got):\n%s", diff)
	}
}

// TestDecodeEventTolerance: each case is an event with one odd member; all the others are read.
func TestDecodeEventTolerance(t *testing.T) {
	for _, test := range []struct {
		name, members string
		want          Event
	}{
		{"T5: account ids as numbers", `"recipientAccountId":12345678901,"userIdentity":{"accountId":1}`,
			Event{RecipientAccount: "012345678901", Identity: Identity{Account: "000000000001"}}},
		{"T5: not account ids", `"recipientAccountId":1.2e11,"vpcEndpointAccountId":-1,"userIdentity":{"accountId":1234567890123}`, Event{}},
		{"account that isn't one is kept", `"userIdentity":{"type":"AWSAccount","accountId":"ANONYMOUS_PRINCIPAL"}`,
			Event{Identity: Identity{Type: "AWSAccount", Account: "ANONYMOUS_PRINCIPAL"}}},
		{"wrong types", `"eventID":1,"eventTime":{},"awsRegion":["r"],"readOnly":"maybe","userIdentity":"u","resources":{"ARN":"a"},"tlsDetails":1,"errorCode":null,"sourceIPAddress":true`, Event{}},
		{"userIdentity null", `"userIdentity":null`, Event{}},
		{"T107: userIdentity of two members", `"userIdentity":{"accountId":"111122223333","invokedBy":"AWS Internal"}`,
			Event{Identity: Identity{Account: "111122223333", InvokedBy: "AWS Internal"}}},
		{"T31: empty session parts", `"userIdentity":{"sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":"2025-06-01T09:00:00Z","mfaAuthenticated":"true"}}}`,
			Event{Identity: Identity{Session: &Session{Created: time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC), CreatedText: "2025-06-01T09:00:00Z", MFA: "true"}}}},
		{"T31: empty session", `"userIdentity":{"sessionContext":{},"onBehalfOf":{}}`, Event{}},
		{"T116: unreadable creation date", `"userIdentity":{"sessionContext":{"attributes":{"creationDate":"Jan 22, 2021 12:46:28 AM"}}}`,
			Event{Identity: Identity{Session: &Session{CreatedText: "Jan 22, 2021 12:46:28 AM"}}}},
		{"source identity among the attributes", `"userIdentity":{"sessionContext":{"attributes":{"sourceIdentity":"jo"}}}`,
			Event{Identity: Identity{Session: &Session{SourceIdentity: "jo"}}}},
		{"booleans and strings", `"sessionCredentialFromConsole":true,"readOnly":"True","userIdentity":{"sessionContext":{"assumedRoot":true,"attributes":{"mfaAuthenticated":true}}}`,
			Event{ConsoleSession: true, ReadOnly: "true", Identity: Identity{Session: &Session{AssumedRoot: true, MFA: "true"}}}},
		{"a version as a number", `"userIdentity":{"sessionContext":{"ec2RoleDelivery":2.0}}`, Event{Identity: Identity{Session: &Session{EC2RoleDelivery: "2.0"}}}},
		{"console false", `"sessionCredentialFromConsole":"false"`, Event{}},
		{"T25: endpoint where it was before 1.04", `"additionalEventData":{"vpcEndpointId":"vpce-1"}`,
			Event{VPCEndpointID: "vpce-1", AdditionalData: json.RawMessage(`{"vpcEndpointId":"vpce-1"}`)}},
		{"T25: newer minor version", `"eventVersion":"1.99"`, Event{Version: "1.99"}},
		{"T25: version as a number", `"eventVersion":1.08`, Event{Version: "1.08"}},
		{"T17b: Lake's time", `"eventTime":"2025-06-01 10:00:00.123"`, Event{Time: time.Date(2025, 6, 1, 10, 0, 0, 123e6, time.UTC)}},
		{"time with an offset", `"eventTime":"2025-06-01T12:00:00+02:00"`, Event{Time: time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC)}},
		{"T20: lower case", `"eventid":"i","useridentity":{"accountid":"1","sessioncontext":{"sessionissuer":{"username":"u"}}},"requestparameters":{}`,
			Event{ID: "i", Identity: Identity{Account: "1", Session: &Session{IssuerUserName: "u"}}, RequestParameters: json.RawMessage("{}")}},
		{"exact spelling wins, whatever the order", `"eventID":"exact","eventid":"folded","EVENTID":"folded"`, Event{ID: "exact"}},
		{"CloudTrail's own names are exact", `"eventVersion":"1.08","errorcode":"x","ERRORMESSAGE":"x","userIdentity":{"ACCOUNTID":"111122223333"}`,
			Event{Version: "1.08", Identity: Identity{Account: "111122223333"}}},
		{"T20: not if eventVersion isn't", `"eventversion":"1.08","errorcode":"x"`, Event{Version: "1.08", ErrorCode: "x"}},
		{"the last of two", `"eventID":"1","eventID":"2"`, Event{ID: "2"}},
		{"T20: JSON within strings", `"requestParameters":"{\"a\":\"\\n\"}","userIdentity":"{\"type\":\"Root\"}","resources":"[{\"arn\":\"a\"}]"`,
			Event{RequestParameters: json.RawMessage(`{"a":"\n"}`), Identity: Identity{Type: "Root"}, Resources: []EventResource{{ARN: "a"}}}},
		{"T20: blanks around JSON within a string", "\"requestParameters\":\"\\n\u00a0{} \",\"tlsDetails\":\" {\\\"tlsVersion\\\":\\\"x\\\"}\"",
			Event{RequestParameters: json.RawMessage("{}"), HasTLS: true, TLSVersion: "x"}},
		{"T20: what only begins as JSON is a string", `"requestParameters":"{} x","responseElements":"{1}","userIdentity":"{\"arn\":\"a\"}}"`,
			Event{RequestParameters: json.RawMessage(`"{} x"`), ResponseElements: json.RawMessage(`"{1}"`)}},
		{"what a member held before is gone", `"userIdentity":{"arn":"a","sessionContext":{"sourceIdentity":"s"}},"userIdentity":{"sessionContext":{}},"tlsDetails":{"tlsVersion":"x"},"tlsDetails":null`, Event{}},
		{"a letter that only folds to one of ASCII", "\"re\u017fources\":[{\"arn\":\"a\"}],\"ſource\":1", Event{}},
		{"T85: a string instead of parameters", `"requestParameters":"HIDDEN_DUE_TO_SECURITY_REASONS"`, Event{RequestParameters: json.RawMessage(`"HIDDEN_DUE_TO_SECURITY_REASONS"`)}},
		{"T112: cut within a character", "\"errorMessage\":\"caf\xc3...\"", Event{ErrorMessage: "caf\ufffd..."}},
		{"half a surrogate pair", `"errorMessage":"\ud83d!"`, Event{ErrorMessage: "\ufffd!"}},
		{"a nested errorCode isn't the event's", `"responseElements":{"errorCode":"AccessDenied"}`, Event{ResponseElements: json.RawMessage(`{"errorCode":"AccessDenied"}`)}},
		{"blanks and brackets", "\"x\" : [ { } , [ ] , \"]}\" ] ,\r\n\t\"eventID\" :\t\"i\"", Event{ID: "i"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Name = "GetObject"
			for _, data := range []string{`{"eventName":"GetObject",` + test.members + `}`, " {" + test.members + `, "eventName" : "GetObject" } ` + "\n"} {
				got, err := DecodeEvent([]byte(data))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", data, diff)
				}
			}
		})
	}
}

func TestDecodeEventErrors(t *testing.T) {
	for data, want := range map[string]string{
		"":                                       "empty record",
		" \n":                                    "empty record",
		"null":                                   "null, not an object",
		`"eventName"`:                            "a string, not an object",
		"12":                                     "a number, not an object",
		"true":                                   "true or false, not an object",
		`[{"eventName":"a"}]`:                    "an array, not an object",
		"{}":                                     "not a CloudTrail record (an empty object)",
		`{"eventName":1,"hello":2}`:              `neither eventName nor eventSource: not a CloudTrail record (it has "eventName", "hello")`,
		"{\"\\u001b[31m\":1}":                    `"\x1b[31m"`,
		`{"eventName":"a"`:                       "not valid JSON: the text ends in the middle of a value (byte 16)",
		`{"eventName":"a"}{}`:                    "not valid JSON: more text after the end of the value (byte 17)",
		`{"eventName":"a",}`:                     "not valid JSON: ",
		`{"eventName":"a","eventID":01}`:         "not valid JSON: ",
		"{\"eventName\":\"a\nb\"}":               "(byte 15)",
		`{"eventName":"a","x":'1'}`:              "not valid JSON: ",
		"\x1f\x8b":                               "not valid JSON: ",
		`{"eventName":"a","eventVersion":"2.0"}`: `eventVersion "2.0": only records of version 1 can be read`,
		`{"eventName":"a","x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}": "not valid JSON: exceeded max depth",
	} {
		e, err := DecodeEvent([]byte(data))
		if err == nil || e != nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("DecodeEvent(%.60q): %v, %v; want an error with %q", data, e, err, want)
		}
	}
}

// TestDecodeEventIsLinear: a record of many members, or of deep ones, takes no more time a byte.
func TestDecodeEventIsLinear(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 4000) + strings.Repeat(`]}`, 4000)
	for name, data := range map[string]string{
		"wide":    `{"eventName":"a"` + strings.Repeat(`,"eventsourcf":"x"`, 500_000) + `}`,
		"deep":    `{"eventName":"a","userIdentity":{"sessionContext":{"sessionIssuer":{"x":` + deep + `}}}}`,
		"escapes": `{"eventName":"a","errorMessage":"` + strings.Repeat(`\"`, 2_000_000) + `"}`,
		"wrapped": `{"eventName":"a","requestParameters":"{\"x\":\"` + strings.Repeat(`\\\"`, 1_000_000) + `\"}"}`,
	} {
		start := time.Now()
		if _, err := DecodeEvent([]byte(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: %v for %d bytes", name, took, len(data))
		}
	}
}

// FuzzDecodeEvent holds the decoder to the reference, and both to encoding/json: what one of them reads as the record's
// name and parameters, the other does, too; and an event is the same however its record is indented.
func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"eventName":"a","eventSource":"s3.amazonaws.com","eventTime":"2025-06-01T10:00:00Z","userIdentity":{"accountId":1,"sessionContext":{"attributes":{}}}}`))
	f.Add([]byte(`{"eventName":"a","requestParameters":{"a":[1,"\u0041",null]},"resources":[{"ARN":"a"}],"tlsDetails":{"tlsVersion":"x"}}`))
	f.Add([]byte(`{"eventname":"a\\\"","readonly":"TRUE","requestParameters":"{\"a\":1}"}`))
	f.Add([]byte(`{"eventVersion":"1.08","eventName":"a","useridentity":{"arn":"a"},"USERIDENTITY":"{\"arn\":\"b\"}","tlsDetails":[{}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		asReference(t, data)
		e, err := DecodeEvent(data)
		if !bytes.Equal(before, data) {
			t.Fatalf("DecodeEvent changed its input %q", before)
		}
		if err != nil {
			if e != nil {
				t.Fatalf("DecodeEvent(%q) gave an event and %v", data, err)
			}
			return
		}
		var members map[string]any
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("DecodeEvent read %q, which encoding/json doesn't: %v", data, err)
		}
		if name, ok := members["eventName"].(string); ok && name != e.Name {
			t.Errorf("%q: name %q, want %q", data, e.Name, name)
		}
		if want, ok := members["requestParameters"].(map[string]any); ok {
			var got map[string]any
			if err := json.Unmarshal(e.RequestParameters, &got); err != nil || !cmp.Equal(want, got) {
				t.Errorf("%q: parameters %q (%v)", data, e.RequestParameters, err)
			}
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, data, "\t", " "); err != nil {
			t.Fatal(err)
		}
		again, err := DecodeEvent(indented.Bytes())
		if err != nil {
			t.Fatalf("%q: indented: %v", data, err)
		}
		for _, e := range []*Event{e, again} {
			e.RequestParameters, e.ResponseElements, e.AdditionalData, e.Context = nil, nil, nil, nil
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("%q: indented (-want +got):\n%s", data, diff)
		}
	})
}
