package source

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/correlate"
)

const structIdentity = `{type=AssumedRole, principalid=AROAEXAMPLE:ci, arn=arn:aws:sts::111122223333:assumed-role/deploy/a=b,c, accountid=111122223333, ` +
	`invokedby=null, accesskeyid=ASIAEXAMPLE, username=null, sessioncontext={attributes={mfaauthenticated=false, creationdate=2025-06-01T09:00:00Z}, ` +
	`sessionissuer={type=Role, principalid=AROAEXAMPLE, arn=arn:aws:iam::111122223333:role/x/deploy, accountid=111122223333, username=deploy}, ` +
	`ec2roledelivery=null, webidfederationdata={federatedprovider=null, attributes={a=b, c={}}}}}`

// TestRowFields: what columns say lands in the event, whatever their spelling, and the rest is
// unknown (T20, T23).
func TestRowFields(t *testing.T) {
	identity := correlate.Identity{
		Type: "AssumedRole", PrincipalID: "AROAEXAMPLE:ci", ARN: "arn:aws:sts::111122223333:assumed-role/deploy/a=b,c",
		Account: "111122223333", AccessKeyID: "ASIAEXAMPLE",
		Session: &correlate.Session{
			IssuerType: "Role", IssuerID: "AROAEXAMPLE", IssuerARN: "arn:aws:iam::111122223333:role/x/deploy", IssuerAccount: "111122223333", IssuerUserName: "deploy",
			Created: time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC), CreatedText: "2025-06-01T09:00:00Z", MFA: "false",
		},
	}
	for _, test := range []struct {
		name           string
		columns, cells []string
		want           correlate.Event
	}{
		{"Athena, structs as text",
			[]string{"eventtime", "eventsource", "eventname", "errorcode", "useridentity", "requestparameters", "resources", "tlsdetails", "readonly"},
			[]string{"2025-06-01T10:00:00Z", "s3.amazonaws.com", "GetObject", "AccessDenied", structIdentity, `{"bucketName":"b"}`,
				`[{arn=arn:aws:s3:::b/k, accountid=null, type=AWS::S3::Object}, {arn=arn:aws:s3:::b, accountid=111122223333, type=AWS::S3::Bucket}]`,
				"{tlsversion=TLSv1.3, ciphersuite=x, clientprovidedhostheader=b.s3.amazonaws.com}", "true"},
			correlate.Event{Time: time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC), Source: "s3.amazonaws.com", Name: "GetObject", ErrorCode: "AccessDenied",
				Identity: identity, RequestParameters: json.RawMessage(`{"bucketName":"b"}`), ReadOnly: "true",
				Resources: []correlate.EventResource{{ARN: "arn:aws:s3:::b/k", Type: "AWS::S3::Object"}, {ARN: "arn:aws:s3:::b", Account: "111122223333", Type: "AWS::S3::Bucket"}},
				HasTLS:    true, TLSVersion: "TLSv1.3", TLSHost: "b.s3.amazonaws.com"}},
		{"Athena, structs cast to JSON in lower case",
			[]string{"eventname", "useridentity", "resources", "requestparameters", "responseelements"},
			[]string{"GetObject", `{"type":"Root","accountid":"111122223333","arn":"arn:aws:iam::111122223333:root"}`, `[{"arn":"arn:aws:s3:::b"}]`, "null", ""},
			correlate.Event{Name: "GetObject", Identity: correlate.Identity{Type: "Root", Account: "111122223333", ARN: "arn:aws:iam::111122223333:root"},
				Resources: []correlate.EventResource{{ARN: "arn:aws:s3:::b"}}, RequestParameters: json.RawMessage("null")}},
		{"Lake, leaves under a path",
			[]string{"eventTime", "eventName", "userIdentity.type", "userIdentity.sessionContext.sessionIssuer.arn", "useridentity_arn", "recipientAccountId"},
			[]string{"2025-06-01 10:00:00.000", "GetObject", "AssumedRole", "arn:aws:iam::111122223333:role/x", "arn:aws:sts::111122223333:assumed-role/x/y", "22223333"},
			correlate.Event{Time: time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC), Name: "GetObject", RecipientAccount: "000022223333",
				Identity: correlate.Identity{Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/x/y", Session: &correlate.Session{IssuerARN: "arn:aws:iam::111122223333:role/x"}}}},
		{"console", []string{"Event name", "AWS region", "Source IP address", "User name", "AWS access key", "Read-only", "Resource name"},
			[]string{"GetObject", "eu-west-1", "192.0.2.1", "ci", "AKIAEXAMPLE", "false", "b"},
			correlate.Event{Name: "GetObject", Region: "eu-west-1", SourceIP: "192.0.2.1", ReadOnly: "false", Identity: correlate.Identity{UserName: "ci", AccessKeyID: "AKIAEXAMPLE"}}},
		{"in doubt: a struct for parameters, a null", []string{"eventname", "requestparameters", "errorcode"}, []string{"GetObject", "{bucketName=b}", "null"},
			correlate.Event{Name: "GetObject"}},
		{"in doubt: a name twice", []string{"eventname", "arn", "arn", "errorcode", "errorCode"}, []string{"GetObject", "a", "b", "c", "d"},
			correlate.Event{Name: "GetObject"}},
		{"the struct knows better than a leaf", []string{"eventname", "useridentity_type", "useridentity"}, []string{"GetObject", "Root", `{"type":"IAMUser"}`},
			correlate.Event{Name: "GetObject", Identity: correlate.Identity{Type: "IAMUser"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Origin = correlate.Origin{Path: "-", Lossy: true}
			var b strings.Builder
			for _, line := range [][]string{test.columns, test.cells} {
				for i, c := range line {
					if i > 0 {
						b.WriteByte(',')
					}
					b.WriteString(`"` + strings.ReplaceAll(c, `"`, `""`) + `"`)
				}
				b.WriteByte('\n')
			}
			athena := map[string]any{"ResultSet": map[string]any{"Rows": []any{cellsOf(test.columns), cellsOf(test.cells)}}}
			var lake []any
			for i, c := range test.columns {
				lake = append(lake, map[string]string{c: test.cells[i]})
			}
			for _, content := range []string{b.String(), marshal(athena), marshal(map[string]any{"QueryResultRows": []any{lake}})} {
				got := collect(t, "-", Options{Stdin: strings.NewReader(content)})
				if len(got.events) != 1 || len(got.errs) > 0 {
					t.Fatalf("%s: %d events, %v", content, len(got.events), got.errs)
				}
				if diff := cmp.Diff(&test.want, got.events[0]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", content, diff)
				}
			}
		})
	}
}

func cellsOf(values []string) any {
	cells := []any{}
	for _, v := range values {
		cells = append(cells, map[string]string{"VarCharValue": v})
	}
	return map[string]any{"Data": cells}
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestStructInDoubt: a caller who chooses their own name can't pass for another (T23).
func TestStructInDoubt(t *testing.T) {
	for _, text := range []string{
		`{type=WebIdentityUser, username=x, type=Root}`,                // a member twice
		`{type=WebIdentityUser, username=x, sub=y}`,                    // not a member
		`{type=WebIdentityUser, username=x, }`,                         // a part without a name
		`{type=WebIdentityUser, username={a}}`,                         // brackets in a value
		`{type=IAMUser, username=x}}, arn=a`,                           // no bracket at the end
		`{type=IAMUser, sessioncontext=x}`,                             // a struct that isn't one
		`{type=IAMUser, sessioncontext={attributes={a=b}}}`,            // an unknown member within
		`{type=IAMUser, sessioncontext={sessionissuer={type=Role}}, }`, // likewise outside
		`type=IAMUser`, ``, `{`, `}{`, `[{type=IAMUser]`, `[x]`,
	} {
		if got := structJSON(text, structs["userIdentity"]); got != nil {
			t.Errorf("structJSON(%q) = %v, want nothing", text, got)
		}
	}
}

// TestEnvelopeFallback: what the event doesn't have is taken from around it, and only
// that (T3 d, k).
func TestEnvelopeFallback(t *testing.T) {
	at := time.Date(2025, 6, 1, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		content string
		want    correlate.Event
	}{
		{`{"id":"o","account":"111122223333","region":"eu-west-1","time":"2025-06-01T10:00:00Z","detail":{"eventName":"A"}}`,
			correlate.Event{Name: "A", ID: "o", RecipientAccount: "111122223333", Region: "eu-west-1", Time: at}},
		{`{"id":"o","account":"1","region":"r","time":"2024-06-01T10:00:00Z","detail":{"eventName":"A","eventID":"i","recipientAccountId":"444455556666","awsRegion":"eu-west-1","eventTime":"2025-06-01T10:00:00Z"}}`,
			correlate.Event{Name: "A", ID: "i", RecipientAccount: "444455556666", Region: "eu-west-1", Time: at}},
		{`{"eventID":"o","eventCategory":"ActivityAuditLog","eventType":"AwsApiCall","awsRegion":"eu-west-1","recipientAccountId":"111122223333","eventTime":"2025-06-01T10:00:00Z","eventData":{"eventName":"A","eventSource":"p"}}`,
			correlate.Event{Name: "A", Source: "p", ID: "o", Category: "ActivityAuditLog", Type: "AwsApiCall", RecipientAccount: "111122223333", Region: "eu-west-1", Time: at}},
	} {
		test.want.Origin.Path = "-"
		got := collect(t, "-", Options{Stdin: strings.NewReader(test.content)})
		if len(got.events) != 1 {
			t.Fatalf("%s: %v", test.content, got.errs)
		}
		if diff := cmp.Diff(&test.want, got.events[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.content, diff)
		}
	}
}
