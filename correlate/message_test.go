package correlate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A messageLine is a line of a corpus of messages: rule T63's file, and ours
// in testdata/messages. An absent field is "".
type messageLine struct {
	Message string        `json:"message"`
	Service string        `json:"service"`
	Expect  messageExpect `json:"expect"`
	// Pattern is the row of table 4.4; only our own lines give it.
	Pattern string `json:"pattern"`
	Source  string `json:"source"`
}

type messageExpect struct {
	Principal  string `json:"principal"`
	Action     string `json:"action"`
	Resource   string `json:"resource"`
	Decision   string `json:"decision"`
	Layer      string `json:"layer"`
	PolicyARN  string `json:"policyArn"`
	PolicyType string `json:"policyType"`
	// The rest only stands in our own lines.
	ViaLayer     string `json:"viaLayer"`
	ReasonAction string `json:"reasonAction"`
	Encoded      string `json:"encoded"`
	EncodedCut   bool   `json:"encodedCut"`
	PathUnknown  bool   `json:"pathUnknown"`
	NotDenial    bool   `json:"notDenial"`
}

func expectOf(m Message) messageExpect {
	return messageExpect{
		Principal: m.Principal, Action: m.Action, Resource: m.Resource, Decision: string(m.Claim), Layer: m.Layer,
		PolicyARN: m.PolicyARN, PolicyType: m.PolicyType, ViaLayer: m.ViaLayer, ReasonAction: m.ReasonAction,
		Encoded: m.Encoded, EncodedCut: m.EncodedCut, PathUnknown: m.PathUnknown, NotDenial: m.NotDenial,
	}
}

func readMessages(t testing.TB, name string) []messageLine {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []messageLine
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if len(strings.TrimSpace(s.Text())) == 0 {
			continue
		}
		var l messageLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%s:%d: %v", name, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// shared returns a file of the reference data, which isn't part of this repository.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("IAMWHY_SHARED")
	if dir == "" {
		t.Skip("IAMWHY_SHARED isn't set: it names the directory of the reference data")
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

// T63 and T122: the reference corpus, exactly.
func TestParseMessageReference(t *testing.T) {
	lines := readMessages(t, shared(t, "spec", "denial-messages.jsonl"))
	if len(lines) != 87 {
		t.Errorf("have %d messages, want 87", len(lines))
	}
	for i, l := range lines {
		got := expectOf(ParseMessage(l.Message, l.Service))
		// What the reference doesn't state isn't compared.
		got.ViaLayer, got.ReasonAction, got.Encoded, got.EncodedCut, got.PathUnknown = "", "", "", false, false
		if diff := cmp.Diff(l.Expect, got); diff != "" {
			t.Errorf("line %d: ParseMessage(%q, %q) (-want +got):\n%s", i+1, l.Message, l.Service, diff)
		}
	}
}

// table44 are the rows that our own messages must cover.
const table44 = 34

// T49 to T67: our own messages, a row of table 4.4 each or more.
func TestParseMessage(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "messages", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages: %v", err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		for i, l := range readMessages(t, name) {
			m := ParseMessage(l.Message, l.Service)
			seen[m.Pattern] = true
			if m.Pattern != l.Pattern {
				t.Errorf("%s:%d: ParseMessage(%q).Pattern = %s, want %s", filepath.Base(name), i+1, l.Message, m.Pattern, l.Pattern)
			}
			if diff := cmp.Diff(l.Expect, expectOf(m)); diff != "" {
				t.Errorf("%s:%d: ParseMessage(%q, %q) (-want +got):\n%s", filepath.Base(name), i+1, l.Message, l.Service, diff)
			}
			if m.Text != l.Message {
				t.Errorf("%s:%d: Text = %q, want it as received", filepath.Base(name), i+1, m.Text)
			}
		}
	}
	for i := 1; i <= table44; i++ {
		if row := fmt.Sprintf("M%d", i); !seen[row] {
			t.Errorf("no message for row %s", row)
		}
	}
}

// T49: what the wrapping tells.
func TestParseMessageWrapping(t *testing.T) {
	tests := []struct{ name, text, code, op string }{
		{"botocore", "An error occurred (AccessDenied) when calling the PutObject operation (reached max retries: 4): Access Denied", "AccessDenied", "PutObject"},
		{"Go SDK", "operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: 1-2, api error AccessDenied: Access Denied", "AccessDenied", "CreateRole"},
		{"Java", "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 0F; Proxy: null)", "AccessDenied", ""},
		{"exception", "AccessDeniedException: Access Denied", "AccessDeniedException", ""},
		{"none", "Access Denied", "", ""},
	}
	for _, tt := range tests {
		m := ParseMessage(tt.text, "")
		if m.Code != tt.code || m.Operation != tt.op || m.Pattern != "M17" {
			t.Errorf("%s: ParseMessage(%q) = code %q, operation %q, row %s; want %q, %q, M17", tt.name, tt.text, m.Code, m.Operation, m.Pattern, tt.code, tt.op)
		}
	}
}

// T123: wrapping a message leaves its parse unchanged.
func TestParseMessageWrapped(t *testing.T) {
	var lines []messageLine
	for _, name := range []string{"sentence.jsonl", "ec2.jsonl"} {
		lines = append(lines, readMessages(t, filepath.Join("..", "testdata", "messages", name))...)
	}
	wrappings := []func(string) string{
		func(s string) string {
			return "An error occurred (AccessDenied) when calling the GetObject operation: " + s
		},
		func(s string) string {
			return "An error occurred (UnauthorizedOperation) when calling the RunInstances operation (reached max retries: 2): " + s
		},
		func(s string) string { return "api error AccessDenied: " + s },
		func(s string) string { return "AccessDeniedException: " + s },
		func(s string) string { return "API: iam:CreateRole " + s },
		func(s string) string { return "Failed to validate S3 destination: " + s },
		func(s string) string { return `Resource handler returned message: "` + s + `"` },
		func(s string) string { return s + " (Service: Iam, Status Code: 403, Request ID: 0f-1)" },
		func(s string) string { return s + " (SDK Attempt Count: 3)" },
		func(s string) string { return s + " status code: 403, request id: 0f-1" },
		func(s string) string { return s + "; see our documentation at https://docs.example.com/x" },
		func(s string) string { return "\n  " + strings.Replace(s, " is not ", "\n\tis  not\r\n", 1) },
		func(s string) string {
			b, _ := json.Marshal(map[string]string{"message": s})
			return string(b)
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(lines).Draw(t, "line")
		text := l.Message
		for range rapid.IntRange(1, 3).Draw(t, "depth") {
			text = rapid.SampledFrom(wrappings).Draw(t, "wrapping")(text)
		}
		want, got := ParseMessage(l.Message, l.Service), ParseMessage(text, l.Service)
		for _, m := range []*Message{&want, &got} {
			m.Text, m.Code, m.Operation = "", "", ""
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseMessage(%q) differs from that of %q (-want +got):\n%s", text, l.Message, diff)
		}
	})
}

// Only the first 64 KB count, and a blob that goes beyond them is cut.
func TestParseMessageLong(t *testing.T) {
	m := ParseMessage(ec2Lead+" "+encodedLead+" "+strings.Repeat("a", maxMessage), "ec2")
	if !m.EncodedCut || len(m.Encoded) >= maxMessage {
		t.Errorf("blob of %d characters, cut %v; want it cut", len(m.Encoded), m.EncodedCut)
	}
	if m := ParseMessage(strings.Repeat("x", maxMessage)+" User: a is not authorized to perform: s3:GetObject", "s3"); m.Action != "" {
		t.Errorf("Action = %q, found behind the first 64 KB", m.Action)
	}
}

var knownLayers = map[string]bool{
	"identity": true, "boundary": true, "session": true, "resource": true, "scp": true, "rcp": true, "endpoint": true,
	"service": true, LayerUnknown: true,
}

func FuzzParseMessage(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "messages", "*.jsonl"))
	for _, name := range files {
		for _, l := range readMessages(f, name) {
			f.Add(l.Message, l.Service)
		}
	}
	f.Fuzz(func(t *testing.T, text, service string) {
		m := ParseMessage(text, service)
		if m.Text != text || m.Pattern == "" || !knownLayers[m.Layer] || m.ViaLayer != "" && !knownLayers[m.ViaLayer] {
			t.Errorf("ParseMessage(%q, %q) = %+v", text, service, m)
		}
		switch m.Claim {
		case ClaimUnknown, ClaimExplicitDeny, ClaimImplicitDeny:
		default:
			t.Errorf("ParseMessage(%q).Claim = %q", text, m.Claim)
		}
		if diff := cmp.Diff(m, ParseMessage(m.Text, service)); diff != "" {
			t.Errorf("ParseMessage(%q) isn't stable (-first +second):\n%s", text, diff)
		}
		// What AWS is quoted with must stand in the text, but for letter case, what was composed
		// of it, JSON's escapes and blanks.
		if m.PolicyARN != "" && !strings.Contains(text, `\`) && !strings.Contains(collapse(text), m.PolicyARN) {
			t.Errorf("ParseMessage(%q).PolicyARN = %q, which isn't in the text", text, m.PolicyARN)
		}
		if m.EncodedCut && m.Pattern != "M14" && m.Pattern != "M15" {
			t.Errorf("ParseMessage(%q): blob cut without a blob", text)
		}
		classify("AccessDenied", &m)
		DenialFromMessage(text)
	})
}
