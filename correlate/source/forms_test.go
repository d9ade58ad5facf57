package source

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is a small event with the given id.
func sample(id string) string {
	return fmt.Sprintf(`{"eventVersion":"1.09","eventTime":"2025-06-01T10:00:00Z","eventSource":"s3.amazonaws.com",`+
		`"eventName":"GetObject","awsRegion":"eu-west-1","eventID":%q,"requestParameters":{"bucketName":"acme \"logs\" }{"}}`, id)
}

// quoted is text as a JSON string.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func pretty(text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func zipped(members ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, text := range members {
		f, err := w.Create(fmt.Sprintf("logs/%d.json", i))
		if err != nil {
			panic(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// write makes a file in a new directory and returns its path.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// forms are contents of a file with the ids of the events in it, and what the errors
// beside them say, in order.
var forms = []struct {
	name    string
	content string
	want    []string
	errs    []string
}{
	{"T3a: log file", `{"Records":[` + sample("1") + `,` + sample("2") + `]}`, []string{"1", "2"}, nil},
	{"T3a: indented", pretty(`{"Records":[` + sample("1") + `,` + sample("2") + `]}`), []string{"1", "2"}, nil},
	{"T3a: other members first, name escaped", `{"version":"1","x":[{"Records":1}],"R\u0065cords":[` + sample("1") + `]}`, []string{"1"}, nil},
	{"T3a: a record a line", "{\"Records\":[\n" + sample("1") + ",\n" + sample("2") + "\n]}", []string{"1", "2"}, nil},
	{"T3a: no records", `{"Records":[]}`, nil, []string{"skipped: no CloudTrail records in it"}},
	{"T3b: S3 notification", `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{}}},{"s3":{}}]}`,
		nil, []string{"record 0 (offset 12): an S3, SNS or SQS notification"}},
	{"T3b: SNS notification", `{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{"Message":"m"}}]}`, nil, []string{"SNS or SQS notification"}},
	{"T3b: SQS notification", `{"Records":[{"messageId":"1","body":"{}","eventSource":"aws:sqs"}]}`, nil, []string{"SQS notification"}},
	{"T3c: LookupEvents", `{"Events":[{"EventId":"1","Username":"u","CloudTrailEvent":` + quoted(sample("1")) + `},{"CloudTrailEvent":` + quoted(sample("2")) + `}],"NextToken":"n"}`,
		[]string{"1", "2"}, nil},
	{"T3d: EventBridge", `{"version":"0","id":"b","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","region":"eu-west-1","time":"2025-06-01T10:00:01Z","detail":` + sample("1") + `}`,
		[]string{"1"}, nil},
	{"T3d: not of CloudTrail", `{"detail-type":"EC2 Spot","detail":{"instance-id":"i-1"}}`, nil, []string{`EventBridge event "EC2 Spot": detail: neither eventName nor eventSource`}},
	{"T3e: one event", sample("1"), []string{"1"}, nil},
	{"T3e: one event, indented, with newline", pretty(sample("1")) + "\n", []string{"1"}, nil},
	{"T3f: Lake rows", `{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventID":"1"},{"eventName":"GetObject"}],[{"eventName":"PutObject"},{"eventID":"2"}]]}`,
		[]string{"1", "2"}, nil},
	{"T3f: Lake eventJson", `{"QueryResultRows":[[{"eventJson":` + quoted(sample("1")) + `}]]}`, []string{"1"}, nil},
	{"T3g: Athena rows", `{"UpdateCount":0,"ResultSet":{"ResultSetMetadata":{},"Rows":[{"Data":[{"VarCharValue":"eventid"},{"VarCharValue":"eventname"},{"VarCharValue":"errorcode"}]},
		{"Data":[{"VarCharValue":"1"},{"VarCharValue":"GetObject"},{}]}]}}`, []string{"1"}, nil},
	{"T3g: Athena's second page", `{"ResultSet":{"Rows":[{"Data":[{"VarCharValue":"1"}]},{"Data":[{"VarCharValue":"2"}]}]}}`, nil, []string{"isn't a header"}},
	{"T3h: FilterLogEvents", `{"events":[{"logStreamName":"l","timestamp":1,"message":` + quoted(sample("1")) + `,"eventId":"9"},{"timestamp":2,"message":"START"}]}`,
		[]string{"1"}, []string{`no CloudTrail record, but the text "START"`}},
	{"T3h: EventBridge envelope in a log event", `{"events":[{"timestamp":1,"message":` + quoted(`{"detail":`+sample("1")+`}`) + `}]}`, []string{"1"}, nil},
	{"T3i: subscription", `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"x","timestamp":1,"message":` + quoted(sample("1")) + `}]}` +
		`{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}` +
		`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"x","timestamp":1,"message":` + quoted(sample("2")) + `}]}`,
		[]string{"1", "2"}, []string{"skipped: CloudWatch Logs control message"}},
	{"T3i: type behind the control message", `{"logEvents":[{"timestamp":1,"message":"CWL CONTROL MESSAGE: x"}],"messageType":"CONTROL_MESSAGE"}`,
		nil, []string{"skipped: CloudWatch Logs control message"}},
	{"T3j: digest", `{"awsAccountId":"111122223333","digestStartTime":"t","logFiles":[{"s3Bucket":"b"}]}`, nil, []string{"skipped: digest file"}},
	{"T3k: partner event", `{"eventTime":"2025-06-01T10:00:00Z","eventID":"outer","eventData":` + strings.Replace(sample(""), `"eventID":"",`, "", 1) + `}`,
		[]string{"outer"}, nil},
	{"T8: Insights and aggregated events", `{"Records":[{"eventType":"AwsCloudTrailInsight","eventCategory":"Insight","insightDetails":{}},` + sample("1") +
		`,{"eventCategory":"Insight"},{"eventCategory":"Aggregated","eventName":"GetObject","eventSource":"s3.amazonaws.com"}]}`,
		[]string{"1"}, []string{"skipped 2 times: Insights event", "skipped: aggregated event"}},
	{"T4: JSON Lines of every kind", sample("1") + "\n{\"Records\":[" + sample("2") + "]}\n\n{\"detail\":" + sample("3") + "}\r\n[" + sample("4") + "]\n" + pretty(sample("5")),
		[]string{"1", "2", "3", "4", "5"}, nil},
	{"T4: no newline between objects", sample("1") + sample("2") + pretty(sample("3")) + sample("4"), []string{"1", "2", "3", "4"}, nil},
	{"T4: bad line in the middle", sample("1") + "\n" + `{"eventName":"a" "b"}` + "\nnonsense \x1b[31m\n" + sample("2") + "\n",
		[]string{"1", "2"}, []string{":2: record 1 (offset 208): not valid JSON", `:3: record 2 (offset 230): not JSON: "nonsense \x1b[31m"`}},
	{"T4: line cut in a string", sample("1") + "\n" + sample("x")[:100] + "\n" + sample("2") + "\n", []string{"1", "2"}, []string{":2: record 1 (offset 208): broken JSON"}},
	{"T4: line cut behind a value", sample("1") + "\n{\"a\":1\n" + sample("2") + "\n", []string{"1", "2"}, []string{":2: record 1"}},
	{"T4: line cut behind a colon", sample("1") + "\n{\"a\":\n" + sample("2") + "\n" + sample("3"), []string{"1", "2", "3"}, []string{":2: record 1"}},
	{"T4: line cut within a list", sample("1") + "\n{\"a\":[1,\n" + sample("2") + "\n" + sample("3"), []string{"1", "2", "3"}, []string{":2: record 1"}},
	{"T4: first line cut", sample("x")[:100] + "\n" + sample("1") + "\n", []string{"1"}, []string{":1: record 0 (offset 0): broken JSON"}},
	{"T4: indented object cut", pretty(sample("x"))[:100] + "\n" + pretty(sample("1")) + "\n", []string{"1"}, []string{":1: record 0 (offset 0): broken JSON"}},
	{"T4: one bracket too many", sample("1") + "}\n" + sample("2"), []string{"1", "2"}, []string{":1: record 1"}},
	{"array", `[` + sample("1") + `,` + sample("2") + `]`, []string{"1", "2"}, nil},
	{"array of log files", `[{"Records":[` + sample("1") + `]},{"Records":[` + sample("2") + `]}]`, []string{"1", "2"}, nil},
	{"array with a broken element", `[` + sample("1") + `,{"eventName" 1},7,` + sample("2") + `]`, []string{"1", "2"}, []string{"not valid JSON", "a number, not an object"}},
	{"empty array", ` [ ] `, nil, []string{"no CloudTrail records in it"}},
	{"broken record in a log file", "{\"Records\":[" + sample("1") + ",{\"eventName\":\"a\nb\"}," + sample("2") + "]}",
		[]string{"1", "2"}, []string{"record 1 (offset 220): not valid JSON"}},
	{"object that is no event", `{"hello":"\u001b[31m","a":1}`, nil, []string{`neither eventName nor eventSource: not a CloudTrail record (it has "hello", "a")`}},
	{"BOM", "\ufeff" + sample("1"), []string{"1"}, nil},
	{"half record", `{"Records":[` + sample("1") + `,` + sample("2")[:150], []string{"1"}, []string{"record 1 (offset 220): the file ends in the middle of a record or list, after 1 records (offset 370)"}},
	{"half list", `{"Records":[` + sample("1") + `,`, []string{"1"}, []string{"after 1 records"}},
	{"half line", sample("1") + "\n" + sample("2")[:150], []string{"1"}, []string{":2: record 1 (offset 208): the file ends in the middle"}},
	{"empty", "", nil, []string{": empty file"}},
	{"blank", " \n\n", nil, []string{"empty file: nothing but blanks"}},
	{"binary", "\x00\x01\x1b]0;title\x07", nil, []string{`binary file that begins with "\x00\x01\x1b]0;title\a"`}},
	{"prose", "Dear reader,\n", nil, []string{`neither JSON nor CSV with an eventName column: text that begins with "Dear reader,"`}},
	{"zstd", "\x28\xb5\x2f\xfdxxxx", nil, []string{"zstd-compressed; decompress it first"}},
	{"UTF-16", "\xff\xfe{\x00}\x00", nil, []string{"UTF-16 text; save it as UTF-8"}},
	{"T1: gzip", gzipped(`{"Records":[` + sample("1") + `]}`), []string{"1"}, nil},
	{"T1: gzip twice", gzipped(gzipped(`{"Records":[` + sample("1") + `]}`)), []string{"1"}, nil},
	{"T1: gzip thrice", gzipped(gzipped(gzipped(sample("1")))), nil, []string{"gzipped more than 2 times"}},
	{"T1: gzip members", gzipped(sample("1")+"\n") + gzipped(sample("2")), []string{"1", "2"}, nil},
	{"T1: gzip of nothing", gzipped(""), nil, []string{"empty file"}},
	{"T1: gzip header only", "\x1f\x8b", nil, []string{"truncated gzip: it ends within its header"}},
	{"T1: gzip and then text", gzipped(sample("1")) + "what follows the data", []string{"1"}, []string{"what follows the gzipped data after 1 records isn't gzip"}},
	{"T1: zip", zipped(`{"Records":[`+sample("1")+`]}`, gzipped(sample("2")), ""), []string{"1", "2"}, []string{"/logs/2.json: empty file"}},
	{"T1: zip within gzip", gzipped(zipped(sample("1"))), nil, []string{"zip archive; unzip it first"}},
	{"T23: Athena CSV", "\"eventid\",\"eventname\",\"useridentity\"\n\"1\",\"GetObject\",\"{type=Root, arn=a}\"\n\n\"2\",\"PutObject\",\"line\nbreak, \"\"quoted\"\"\"\n", []string{"1", "2"}, nil},
	{"T23: console CSV", "Event ID,Event name,Event source,User name\r\n1,GetObject,s3.amazonaws.com,u\r\n", []string{"1"}, nil},
	{"T23: semicolons, no newline at the end", "eventID;event_name\n1;GetObject", []string{"1"}, nil},
	{"T23: Lake CSV with eventJson", "eventJson\n" + `"` + strings.ReplaceAll(sample("1"), `"`, `""`) + "\"\n", []string{"1"}, nil},
	{"T23: columns missing", "eventID,eventName,errorCode\n1,GetObject\n2,GetObject,\n", []string{"2"}, []string{":2: record 0 (offset 28): 2 columns, but the header has 3"}},
	{"T23: no name", "eventID,eventName\n1,\n2,GetObject\n", []string{"2"}, []string{":2: record 0 (offset 18): neither eventName nor eventSource"}},
	{"T23: quote without an end", "eventID,eventName\n1,GetObject\n2,\"Get\n", []string{"1"}, []string{":3: record 1"}},
}

func TestForms(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			path := write(t, "events", f.content)
			got := collect(t, path, Options{})
			compare(t, path, f.want, f.errs, got)
			// Origin.Index numbers the records, bad ones too.
			last := -1
			for _, e := range got.events {
				if e.Origin.Index <= last && !strings.Contains(f.name, "zip") {
					t.Errorf("event %s has index %d after %d", e.ID, e.Origin.Index, last)
				}
				last = e.Origin.Index
			}
		})
	}
}

// TestStandardInput: - gives the same as the file, but for zip archives,
// which can't be read without going back and forth.
func TestStandardInput(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			want, errs := f.want, f.errs
			if f.name == "T1: zip" {
				want, errs = nil, []string{"-: zip archive; unzip it first"}
			}
			compare(t, "-", want, errs, collect(t, "-", Options{Stdin: strings.NewReader(f.content)}))
		})
	}
}

// TestOneByteAtATime: where the text is cut into pieces makes no difference.
func TestOneByteAtATime(t *testing.T) {
	for _, f := range forms {
		if !strings.HasPrefix(f.name, "T3") && !strings.HasPrefix(f.name, "T4") && !strings.HasPrefix(f.name, "T23") {
			continue // not text to begin with
		}
		t.Run(f.name, func(t *testing.T) {
			var got haul
			in := &input{ctx: t.Context(), opts: Options{}.withDefaults(), emit: got.take}
			slow := strings.NewReader(f.content)
			text := newText(in, "p", readerFunc(func(p []byte) (int, error) { return slow.Read(p[:1]) }), "")
			text.w.buf = make([]byte, 0, 2)
			if err := text.read(); err != nil {
				t.Fatal(err)
			}
			compare(t, "p", f.want, f.errs, got)
		})
	}
}

// compare checks ids and errors.
func compare(t *testing.T, path string, want, errs []string, got haul) {
	t.Helper()
	var ids []string
	for _, e := range got.events {
		ids = append(ids, e.ID)
		if !strings.HasPrefix(e.Origin.Path, path) {
			t.Errorf("event %s is from %q, want %q", e.ID, e.Origin.Path, path)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("event ids (-want +got):\n%s", diff)
	}
	if len(got.errs) != len(errs) {
		t.Fatalf("errors %q, want %q", got.errs, errs)
	}
	for i, err := range got.errs {
		if msg := err.Error(); !strings.HasPrefix(msg, path) || !strings.Contains(msg, errs[i]) || strings.ContainsAny(msg, "\x1b\x00") {
			t.Errorf("error %q, want one with %q", msg, errs[i])
		}
	}
}

func gunzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// compacted is JSON without the blanks between its parts.
func compacted(text []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		panic(err)
	}
	return b.String()
}
