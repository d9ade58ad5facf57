package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/correlate"
)

// oneTable is Athena with the documented table, and a query that comes out as q.
func oneTable(q awsfake.AthenaQuery) *awsfake.Athena {
	return &awsfake.Athena{
		Tables:     map[string]awsfake.AthenaTable{"logs.cloudtrail": layouts[4].fakeTable()},
		WorkGroups: []string{"primary"},
		Query:      func(awsfake.AthenaStatement) awsfake.AthenaQuery { return q },
	}
}

// deniedRows are n rows of the documented table.
func deniedRows(t testing.TB, n int) (header []string, rows [][]string) {
	t.Helper()
	stmt, err := documentedTable(athenaName{"primary", "logs", "cloudtrail"}).events(Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		row := make([]string, len(stmt.columns))
		for j, name := range stmt.columns {
			switch name {
			case "eventid":
				row[j] = fmt.Sprintf("id-%d", i)
			case "eventtime":
				row[j] = "2026-11-19T10:00:00Z"
			case "eventname", "errorcode", "useridentity_type":
				row[j] = map[string]string{"eventname": "GetObject", "errorcode": "AccessDenied", "useridentity_type": "IAMUser"}[name]
			case "eventsource":
				row[j] = "s3.amazonaws.com"
			case "errormessage":
				row[j] = "null" // a text, and no NULL
			}
		}
		rows = append(rows, row)
	}
	return stmt.columns, rows
}

// TestAthenaFlow: a query goes through its states, its rows come page by page, and what it cost is told (T18).
func TestAthenaFlow(t *testing.T) {
	header, rows := deniedRows(t, 2500)
	fake := awsfake.New(oneTable(awsfake.AthenaQuery{Columns: header, Rows: rows, Bytes: 1_234_567_890}))
	var pauses []time.Duration
	var stages []string
	opts := withoutWaiting(fake, Query{Want: Denials})
	opts.Progress = new(Progress)
	opts.wait = func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		stages = append(stages, *opts.Progress.Stage.Load())
		return nil
	}
	got := collect(t, trailTable, opts)
	if len(got.events) != 2500 || opts.Progress.Events.Load() != 2500 {
		t.Fatalf("%d events, %d counted, want 2500: %v", len(got.events), opts.Progress.Events.Load(), got.errs)
	}
	want := &correlate.Event{
		Origin: correlate.Origin{Path: "athena:logs.cloudtrail", Index: 2499}, ID: "id-2499", Time: at("2026-11-19T10:00:00Z"),
		Source: "s3.amazonaws.com", Name: "GetObject", ErrorCode: "AccessDenied", ErrorMessage: "null", Identity: correlate.Identity{Type: "IAMUser"},
		RequestParameters: []byte("null"), ResponseElements: []byte("null"),
	}
	if diff := gocmp.Diff(want, got.events[2499]); diff != "" {
		t.Errorf("the last event (-want +got):\n%s", diff)
	}
	id := "a1b2c3d4-1111-4000-8000-000000000001"
	if diff := gocmp.Diff([]string{
		"logs.cloudtrail is read whole: --since, --until, --region and --account would bound what is read",
		"athena:logs.cloudtrail: query " + id + " scanned 1.2 GB",
	}, texts(got.errs)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]time.Duration{500 * time.Millisecond, time.Second}, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{
		"athena:logs.cloudtrail: query queued, 1.2 GB scanned", "athena:logs.cloudtrail: query running, 1.2 GB scanned",
	}, stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if stage := opts.Progress.Stage.Load(); stage != nil {
		t.Errorf("still %s when all is read", *stage)
	}
	if diff := gocmp.Diff([]string{"GetTableMetadata", "StartQueryExecution", "GetQueryExecution", "GetQueryExecution", "GetQueryExecution",
		"GetQueryResults", "GetQueryResults", "GetQueryResults"}, operations(fake)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func operations(fake *awsfake.Fake) []string {
	var out []string
	for _, c := range fake.Calls() {
		out = append(out, c.Operation)
	}
	return out
}

// TestAthenaAsks: what the query is asked with.
func TestAthenaAsks(t *testing.T) {
	var asked []awsfake.AthenaStatement
	athena := oneTable(awsfake.AthenaQuery{})
	athena.Query = func(s awsfake.AthenaStatement) awsfake.AthenaQuery {
		asked = append(asked, s)
		return awsfake.AthenaQuery{}
	}
	collect(t, "athena:primary/LOGS.CloudTrail", withoutWaiting(awsfake.New(athena), Query{Since: at("2026-11-19T10:00:00Z"), Regions: []string{"it's"}}))
	if len(asked) != 1 {
		t.Fatalf("%d queries", len(asked))
	}
	s := asked[0]
	if diff := gocmp.Diff([]string{"primary", "AwsDataCatalog", "logs"}, []string{s.WorkGroup, s.Catalog, s.Database}); diff != "" {
		t.Errorf("where it runs (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"'2026/11/19'", "'2026-11-19T10:00:00'", "'it''s'"}, s.Parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if strings.Contains(s.SQL, "2026") || strings.Contains(s.SQL, "it's") {
		t.Errorf("a value stands in the SQL:\n%s", s.SQL)
	}
}

// TestAthenaSlow: the pauses between two looks grow to five seconds, and a look that is throttled isn't the end.
func TestAthenaSlow(t *testing.T) {
	header, rows := deniedRows(t, 1)
	states := append(slices.Repeat([]string{"RUNNING"}, 6), "SUCCEEDED")
	fake := awsfake.New(oneTable(awsfake.AthenaQuery{Columns: header, Rows: rows, States: states}))
	for n := range 2 * athenaAttempts { // two looks, with all attempts of each
		fake.Fail(awsfake.Fault{Operation: "GetQueryExecution", Nth: n + 1, Reply: awsfake.Throttle})
	}
	for n := range 3 {
		fake.Fail(awsfake.Fault{Operation: "StartQueryExecution", Nth: n + 1, Reply: awsfake.Throttle})
		fake.Fail(awsfake.Fault{Operation: "GetQueryResults", Nth: n + 1, Reply: awsfake.Throttle})
	}
	var pauses []string
	opts := withoutWaiting(fake, Query{})
	opts.wait = func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d.String())
		return nil
	}
	if got := collect(t, trailTable, opts); len(got.events) != 1 {
		t.Errorf("%d events: %v", len(got.events), got.errs)
	}
	if diff := gocmp.Diff("500ms 1s 2s 4s 5s 5s 5s 5s", strings.Join(pauses, " ")); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

// TestAthenaFailures: an error says what was being done, what Athena says, and what to do.
func TestAthenaFailures(t *testing.T) {
	failed := func(reason string) awsfake.AthenaQuery {
		return awsfake.AthenaQuery{States: []string{"QUEUED", "FAILED"}, Reason: reason}
	}
	for _, test := range []struct {
		name  string
		src   string
		query awsfake.AthenaQuery
		fault awsfake.Fault
		want  []string // of which the error has each
	}{
		{"table", "athena:primary/logs.missing", awsfake.AthenaQuery{}, awsfake.Fault{}, []string{"athena:logs.missing: reading the table's metadata", "EntityNotFoundException", "--print-ddl"}},
		{"workgroup", "athena:other/logs.cloudtrail", awsfake.AthenaQuery{}, awsfake.Fault{}, []string{"starting the query in workgroup other", "WorkGroup other is not found.", "list-work-groups"}},
		{"metadata denied", trailTable, awsfake.AthenaQuery{}, awsfake.Fault{Operation: "GetTableMetadata", Reply: awsfake.Deny}, []string{"not authorized to perform: athena:GetTableMetadata"}},
		{"catalog denied", trailTable, awsfake.AthenaQuery{}, awsfake.Fault{Operation: "GetTableMetadata", Reply: func(*awsfake.Call) awsfake.Reply {
			return awsfake.Error("MetadataException", "User: u is not authorized to perform: glue:GetTable on resource: r")
		}}, []string{"glue:GetTable", "on the data catalog, the database and the table"}},
		{"no output location", trailTable, awsfake.AthenaQuery{Refuse: awsfake.Error("InvalidRequestException", "No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.")},
			awsfake.Fault{}, []string{"No output location provided", "aws athena update-work-group"}},
		{"logs denied", trailTable, failed("Permission denied on S3 path: s3://logs/AWSLogs/\n(Service: S3)"), awsfake.Fault{},
			[]string{"query a1b2c3d4-1111-4000-8000-000000000001 failed: Permission denied on S3 path: s3://logs/AWSLogs/ (Service: S3)", "s3:GetObject and s3:ListBucket", "kms:Decrypt"}},
		{"results denied", trailTable, failed("Access denied when writing output to url: s3://results/x.csv"), awsfake.Fault{}, []string{"s3:PutObject"}},
		{"limit", trailTable, failed("Query cancelled! : Bytes scanned limit was exceeded"), awsfake.Fault{}, []string{"--since"}},
		{"no reason", trailTable, failed(""), awsfake.Fault{}, []string{"failed"}},
		{"cancelled by another", trailTable, awsfake.AthenaQuery{States: []string{"CANCELLED"}, Reason: "Query cancelled by user"}, awsfake.Fault{}, []string{"was cancelled: Query cancelled by user"}},
		{"results can't be read", trailTable, awsfake.AthenaQuery{}, awsfake.Fault{Operation: "GetQueryResults", Reply: awsfake.Deny}, []string{"reading the results of query a1b2", "athena:GetQueryResults"}},
		{"looking after it is denied", trailTable, awsfake.AthenaQuery{}, awsfake.Fault{Operation: "GetQueryExecution", Reply: awsfake.Deny}, []string{"looking after query a1b2", "athena:GetQueryExecution", "was stopped"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := awsfake.New(oneTable(test.query))
			if test.fault.Operation != "" {
				fake.Fail(test.fault)
			}
			err := lastError(t, test.src, withoutWaiting(fake, Query{}))
			var failed *AWSError
			if !errors.As(err, &failed) {
				t.Fatalf("%v isn't an *AWSError", err)
			}
			if !isFatal(err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: not the last error, or of several lines", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
}

// lastError is the error with which reading a source ends.
func lastError(t *testing.T, src string, opts Options) error {
	t.Helper()
	events, err := Open(context.Background(), src, opts)
	if err != nil {
		return err
	}
	for _, err = range events {
	}
	return err
}

// TestAthenaCancel: a query that nobody waits for any more is stopped, and the error says so.
func TestAthenaCancel(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault awsfake.Fault
		want  string
	}{
		{"stopped", awsfake.Fault{}, "context canceled; query a1b2c3d4-1111-4000-8000-000000000001 was stopped"},
		{"couldn't be stopped", awsfake.Fault{Operation: "StopQueryExecution", Reply: awsfake.Deny}, "couldn't be stopped, goes on and costs (Athena StopQueryExecution: AccessDeniedException: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := awsfake.New(oneTable(awsfake.AthenaQuery{States: []string{"RUNNING"}}))
			fake.Fail(test.fault)
			ctx, cancel := context.WithCancel(context.Background())
			opts := withoutWaiting(fake, Query{})
			opts.wait = func(ctx context.Context, _ time.Duration) error {
				cancel()
				return ctx.Err()
			}
			events, err := Open(ctx, trailTable, opts)
			if err != nil {
				t.Fatal(err)
			}
			for _, err = range events {
			}
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if calls := operations(fake); calls[len(calls)-1] != "StopQueryExecution" {
				t.Errorf("calls %v", calls)
			}
		})
	}
}

// TestAthenaCancelledStart: a query whose start was under way when the user gave up is known, and stopped.
func TestAthenaCancelledStart(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	athena := oneTable(awsfake.AthenaQuery{})
	athena.Query = func(awsfake.AthenaStatement) awsfake.AthenaQuery {
		cancel()
		return awsfake.AthenaQuery{States: []string{"RUNNING"}}
	}
	fake := awsfake.New(athena)
	events, err := Open(ctx, trailTable, withoutWaiting(fake, Query{Since: at("2026-11-19T10:00:00Z")}))
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range events {
	}
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was stopped") || !slices.Contains(operations(fake), "StopQueryExecution") {
		t.Errorf("%v after %v", err, operations(fake))
	}
}

// TestAthenaBreak: a consumer that has enough ends the reading, without a further page.
func TestAthenaBreak(t *testing.T) {
	header, rows := deniedRows(t, 1500)
	fake := awsfake.New(oneTable(awsfake.AthenaQuery{Columns: header, Rows: rows}))
	events, err := Open(context.Background(), trailTable, withoutWaiting(fake, Query{}))
	if err != nil {
		t.Fatal(err)
	}
	for e := range events {
		if e != nil {
			break
		}
	}
	if calls := operations(fake); calls[len(calls)-1] != "GetQueryResults" || calls[len(calls)-2] == "GetQueryResults" {
		t.Errorf("calls %v", calls)
	}
}

// TestAthenaBadRows: a row that can't be used is told, what is no call is counted, and the rest comes out.
func TestAthenaBadRows(t *testing.T) {
	header, rows := deniedRows(t, 3)
	rows[0] = rows[0][:3]
	rows[1][slices.Index(header, "eventcategory")] = "Insight"
	got := collect(t, trailTable, withoutWaiting(awsfake.New(oneTable(awsfake.AthenaQuery{Columns: header, Rows: rows})), Query{Since: at("2026-11-19T10:00:00Z")}))
	if len(got.events) != 1 || got.events[0].ID != "id-2" || got.events[0].Origin.Index != 2 {
		t.Errorf("%d events", len(got.events))
	}
	want := []string{
		"athena:logs.cloudtrail: query a1b2c3d4-1111-4000-8000-000000000001 scanned 0 bytes",
		fmt.Sprintf("athena:logs.cloudtrail: record 0: 3 columns, but the header has %d", len(header)),
		"athena:logs.cloudtrail: skipped: Insights event, not a call",
	}
	if diff := gocmp.Diff(want, texts(got.errs)); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
}

// TestAthenaSources: what isn't athena:WORKGROUP/DATABASE.TABLE is refused before anybody is asked.
func TestAthenaSources(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"athena:", "names no workgroup"},
		{"athena:default.cloudtrail_logs", "names no workgroup"},
		{"athena:primary/cloudtrail_logs", "names no database"},
		{"athena:/default.t", `"" can't be the name of a workgroup`},
		{"athena:pri mary/default.t", `"pri mary" can't be the name of a workgroup`},
		{`athena:primary/default.t"; DROP TABLE t`, "can't be the name of a table"},
		{"athena:primary/a.b.c", `"b.c" can't be the name of a table`},
		{"athena:primary/.t", `"" can't be the name of a database`},
	} {
		fake := awsfake.New()
		_, err := Open(context.Background(), test.src, withoutWaiting(fake, Query{}))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "want athena:WORKGROUP/DATABASE.TABLE") {
			t.Errorf("%s: %v, want %q", test.src, err, test.want)
		}
		if n := len(fake.Calls()); n > 0 {
			t.Errorf("%s: %d calls", test.src, n)
		}
	}
}

// TestAthenaOtherTable: a table of something else is refused, with what it lacks.
func TestAthenaOtherTable(t *testing.T) {
	fake := awsfake.New(&awsfake.Athena{Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": {Columns: []awsfake.AthenaColumn{{Name: "eventtime", Type: "string"}}}}})
	err := lastError(t, trailTable, withoutWaiting(fake, Query{}))
	if err == nil || !strings.Contains(err.Error(), "no column eventname") || !strings.Contains(err.Error(), "--print-ddl") {
		t.Errorf("%v", err)
	}
}

// TestAthenaQuery: the SQL is printed and not run; of the table's metadata if it can be had, else of the documented
// layout, and then the text says so.
func TestAthenaQuery(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault awsfake.Fault
		want  string
	}{
		{"metadata", awsfake.Fault{}, `WHERE "timestamp" >= '2026/11/19'`},
		{"assumed", awsfake.Fault{Operation: "GetTableMetadata", Reply: awsfake.Deny}, "-- The table's metadata couldn't be read, so the layout of AWS's guide is assumed"},
	} {
		fake := awsfake.New(oneTable(awsfake.AthenaQuery{}))
		fake.Fail(test.fault)
		text, err := AthenaQuery(context.Background(), trailTable, withoutWaiting(fake, Query{Since: at("2026-11-19T10:00:00Z")}))
		if err != nil || !strings.Contains(text, test.want) || !strings.Contains(text, "\nSELECT ") {
			t.Errorf("%s: %v\n%s", test.name, err, text)
		}
		if strings.Contains(test.name, "metadata") == strings.Contains(text, "assumed") {
			t.Errorf("%s:\n%s", test.name, text)
		}
		if slices.Contains(operations(fake), "StartQueryExecution") {
			t.Errorf("%s: the query was run", test.name)
		}
	}
	if _, err := AthenaQuery(context.Background(), "athena:x", Options{}); err == nil {
		t.Error("no error for a SOURCE that is none")
	}
}

// TestAthenaAcme: the rows of the table that AthenaDDL defines give the same events as the trail's files, nothing lost.
func TestAthenaAcme(t *testing.T) {
	events, texts := acmeEvents(t)
	var records []string
	for _, e := range events {
		records = append(records, texts[e])
	}
	ddl, err := AthenaDDL("s3://logs/AWSLogs/o-acme4x7k2p", Options{Query: Query{Accounts: []string{"111111111111", "222222222222", "333333333333"}}})
	if err != nil {
		t.Fatal(err)
	}
	fake := awsfake.New(&awsfake.Athena{
		Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": awsfake.AthenaTableOf(ddl)}, Query: awsfake.Trail(records),
	})
	got := collect(t, trailTable, withoutWaiting(fake, Query{Want: Errors}))
	if diff := gocmp.Diff(unplaced(events), unplaced(got.events)); diff != "" {
		t.Errorf("events (-files +Athena):\n%s", diff)
	}
	for i, e := range got.events {
		if want := (correlate.Origin{Path: "athena:logs.cloudtrail", Index: i}); e.Origin != want {
			t.Errorf("%s: origin %v, want %v", e.ID, e.Origin, want)
		}
	}
}
