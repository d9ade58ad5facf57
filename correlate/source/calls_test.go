package source

import (
	"cmp"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// callsOfSource are a source's calls, in one order, and its complaints.
func callsOfSource(t testing.TB, src string, opts Options) (calls []*Call, errs []error) {
	t.Helper()
	seq, err := Calls(context.Background(), src, opts)
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range seq {
		if c == nil {
			errs = append(errs, err)
			continue
		}
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b *Call) int {
		return cmp.Or(cmp.Compare(a.key(), b.key()), a.First.Compare(b.First))
	})
	return calls, errs
}

// TestCalls counts the calls of events.
func TestCalls(t *testing.T) {
	record := func(id, name, code, issuer, resources string, minute int) string {
		return `{"eventVersion":"1.11","eventID":"` + id + `","eventSource":"s3.amazonaws.com","eventName":"` + name + `","awsRegion":"eu-west-1","eventTime":"` +
			at("2026-11-19T10:00:00Z").Add(time.Duration(minute)*time.Minute).Format(time.RFC3339) + `","errorCode":"` + code +
			`","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/r/` + id + `","sessionContext":{"sessionIssuer":{"arn":"` + issuer + `"}}},"resources":` + resources + `}`
	}
	role := "arn:aws:iam::111122223333:role/r"
	content := strings.Join([]string{
		record("c", "GetObject", "", role, `[{"ARN":"arn:aws:s3:::b"},{"type":"x"}]`, 5),
		record("a", "GetObject", "", role, `[{"ARN":"arn:aws:s3:::b"}]`, 9),
		record("b", "GetObject", "", role, `[{"ARN":"arn:aws:s3:::b"}]`, 1),
		record("d", "GetObject", "AccessDenied", role, `null`, 2),
		record("e", "GetObject", "", "", `[]`, 3),
		`{"eventSource":"s3.amazonaws.com","eventName":"GetObject","userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"},"eventTime":"2026-11-18T10:00:00Z"}`,
		`{"eventName":`,
	}, "\n")
	calls, errs := callsOfSource(t, "-", Options{Stdin: strings.NewReader(content), Query: Query{Since: at("2026-11-18T23:00:00Z"), Want: Denials}})
	want := []*Call{
		{Principal: role, Source: "s3.amazonaws.com", Name: "GetObject", Region: "eu-west-1", Resources: []string{"arn:aws:s3:::b"},
			Count: 3, First: at("2026-11-19T10:01:00Z"), Last: at("2026-11-19T10:09:00Z"), EventID: "a"},
		{Principal: role, Source: "s3.amazonaws.com", Name: "GetObject", Region: "eu-west-1", ErrorCode: "AccessDenied",
			Count: 1, First: at("2026-11-19T10:02:00Z"), Last: at("2026-11-19T10:02:00Z"), EventID: "d"},
		{Principal: "arn:aws:sts::111122223333:assumed-role/r/e", Source: "s3.amazonaws.com", Name: "GetObject", Region: "eu-west-1",
			Count: 1, First: at("2026-11-19T10:03:00Z"), Last: at("2026-11-19T10:03:00Z"), EventID: "e"},
	}
	if diff := gocmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if len(errs) != 1 {
		t.Errorf("complaints %v, want that of the broken line", errs)
	}
}

// TestAthenaCalls: Athena counts as this package does.
func TestAthenaCalls(t *testing.T) {
	tools := sqlTools(t)
	events, texts := acmeEvents(t)
	var records []sqlRecord
	for _, e := range events {
		records = append(records, sqlRecord{json.RawMessage(texts[e]), delivered(t, e.Origin.Path)})
	}
	for _, l := range []tableLayout{layouts[0], layouts[len(layouts)-1]} {
		for _, q := range []Query{{}, {Since: at("2026-11-19T09:00:00Z"), Until: at("2026-11-19T12:00:00Z"), Regions: []string{"eu-west-1", "us-east-1"}}} {
			compareCalls(t, l, tools, records, acmeTrail, q)
		}
	}
}

// TestAthenaCallsRecorded does the same with a real trail.
func TestAthenaCallsRecorded(t *testing.T) {
	tools := sqlTools(t)
	pattern := filepath.Join(sharedData(t), "aws_dataset", "*.json")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var records []sqlRecord
	for _, file := range files {
		for _, raw := range recordsOf(t, file) {
			records = append(records, sqlRecord{raw, delivered(t, file)})
		}
	}
	compareCalls(t, layouts[len(layouts)-1], tools, records, pattern, Query{})
}

func compareCalls(t *testing.T, l tableLayout, tools string, records []sqlRecord, files string, q Query) {
	t.Helper()
	stmt, err := l.table(t).calls(q)
	if err != nil {
		t.Fatal(err)
	}
	got, errs := callsOfSource(t, trailTable, withoutWaiting(l.onDuckDB(t, tools, records, []*statement{stmt}), q))
	want, _ := callsOfSource(t, files, Options{Query: q})
	if len(want) == 0 || len(want) > len(records)*9/10 {
		t.Fatalf("%d calls of %d records: nothing is counted", len(want), len(records))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-here +Athena):\n%s", l.name, diff)
	}
	for _, err := range errs {
		if n := new(Notice); !asNotice(err, &n) {
			t.Errorf("%s: %v", l.name, err)
		}
	}
}

func asNotice(err error, n **Notice) bool {
	found, ok := err.(*Notice)
	*n = found
	return ok
}

// TestAthenaCallsBadRow: a row that can't be used is told, and the rest comes out.
func TestAthenaCallsBadRow(t *testing.T) {
	good := []string{"p", "s3.amazonaws.com", "GetObject", "eu-west-1", "", `["a"]`, "2", "2026-11-19T10:00:00Z", "2026-11-19T10:00:01Z", "i"}
	bad := slices.Clone(good)
	bad[6] = "many"
	unlisted := slices.Clone(good)
	unlisted[5] = "{a}"
	fake := awsfake.New(oneTable(awsfake.AthenaQuery{Columns: callColumns, Rows: [][]string{bad, unlisted, good[:2], good}}))
	calls, errs := callsOfSource(t, trailTable, withoutWaiting(fake, Query{Since: at("2026-11-19T10:00:00Z")}))
	want := []*Call{{Principal: "p", Source: "s3.amazonaws.com", Name: "GetObject", Region: "eu-west-1", Resources: []string{"a"}, Count: 2,
		First: at("2026-11-19T10:00:00Z"), Last: at("2026-11-19T10:00:01Z"), EventID: "i"}}
	if diff := gocmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if len(errs) != 4 { // and the notice of the cost
		t.Errorf("complaints %v", errs)
	}
}
