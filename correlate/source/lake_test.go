package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/correlate"
)

const lakeStore = "0a1b2c3d-1111-4222-8333-444455556666"

// lakeOf is a fake with a store whose queries are answered so.
func lakeOf(q awsfake.LakeQuery) *awsfake.Fake {
	return awsfake.New(&awsfake.CloudTrail{
		Stores: []awsfake.EventDataStore{{Region: "eu-west-1", Name: "other", ID: "ffffffff-1111-4222-8333-444455556666"}, {Region: "eu-west-1", Name: "org-events", ID: lakeStore}},
		Query:  func(string) awsfake.LakeQuery { return q },
	})
}

// ofLake are options that ask fake, and note how long would have been waited.
func ofLake(fake *awsfake.Fake, waits *[]time.Duration) Options {
	opts := ofFake(fake, "eu-west-1", acmeNow)
	opts.wait = func(ctx context.Context, d time.Duration) error {
		if waits != nil {
			*waits = append(*waits, d)
		}
		return ctx.Err()
	}
	return opts
}

// lakeRows are records as rows of GetQueryResults.
func lakeRows(texts ...string) (rows [][]map[string]string) {
	for _, text := range texts {
		rows = append(rows, []map[string]string{{"eventJson": text}})
	}
	return rows
}

// TestLakeAcme: Lake's rows give the same events as the trail's files, nothing lost (T17b).
func TestLakeAcme(t *testing.T) {
	events, texts := acmeEvents(t)
	var list []string
	for _, e := range events {
		list = append(list, texts[e])
	}
	fake := lakeOf(awsfake.LakeQuery{Rows: lakeRows(list...), Bytes: 12_300_000})
	opts := ofLake(fake, nil)
	opts.Progress = new(Progress)
	got := collect(t, "lake:org-events", opts)
	if n := opts.Progress.Events.Load(); n != int64(len(events)) || opts.Progress.Stage.Load() != nil {
		t.Errorf("%d events counted, want %d; no stage in the end", n, len(events))
	}
	if diff := gocmp.Diff(unplaced(events), unplaced(got.events)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if o := got.events[1].Origin; o != (correlate.Origin{Path: "lake:org-events", Index: 1}) {
		t.Errorf("origin %+v", o)
	}
	want := []string{
		"lake:org-events: no --since: asking for the 90 days from 2026-08-22T12:00:00Z on",
		"lake:org-events: CloudTrail Lake scanned 12.3 MB",
	}
	if diff := gocmp.Diff(want, errorTexts(got.errs)); diff != "" {
		t.Errorf("beside the events (-want +got):\n%s", diff)
	}
}

func errorTexts(errs []error) []string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return texts
}

// TestLakePages: all pages are read, a call that is throttled is made again, and what is no record is
// counted and passed over.
func TestLakePages(t *testing.T) {
	rows := lakeRows(manyDenied("a", lakePage+10)...)
	rows[3] = []map[string]string{{"eventJson": "{"}}
	rows[4] = []map[string]string{{"eventID": "x"}}
	rows[5] = []map[string]string{{"eventJson": ""}}
	rows[6] = []map[string]string{{"eventJson": `{"eventCategory":"Insight","eventType":"AwsCloudTrailInsight"}`}}
	fake := lakeOf(awsfake.LakeQuery{Rows: rows})
	for n := 1; n <= 4; n++ { // more often than the SDK tries
		fake.Fail(awsfake.Fault{Operation: "DescribeQuery", Nth: n, Reply: awsfake.Throttle})
		fake.Fail(awsfake.Fault{Operation: "GetQueryResults", Nth: n + 1, Reply: awsfake.Throttle})
	}
	got := collect(t, "lake:"+lakeStore, ofLake(fake, nil))
	if len(got.events) != lakePage+6 || len(got.bad()) != 3 {
		t.Errorf("%d events, %v", len(got.events), got.errs)
	}
	if last := got.errs[len(got.errs)-1].Error(); last != "lake:"+lakeStore+": skipped: Insights event, not a call" {
		t.Errorf("last: %s", last)
	}
	if want := "StartQuery" + strings.Repeat(" DescribeQuery", 7) + strings.Repeat(" GetQueryResults", 6); strings.Join(operations(fake), " ") != want {
		t.Errorf("calls %s, want %s", strings.Join(operations(fake), " "), want)
	}
}

// TestLakeStates: what becomes of a query is told, in each of its states (T17a).
func TestLakeStates(t *testing.T) {
	for _, test := range []struct {
		name   string
		query  awsfake.LakeQuery
		events int
		err    string
		calls  string
		waits  []time.Duration
	}{
		{"FINISHED at once", awsfake.LakeQuery{States: []string{"FINISHED"}, Rows: lakeRows(denied("1", 0))}, 1, "", "StartQuery DescribeQuery GetQueryResults", nil},
		{"waiting longer each time, but not for ever", awsfake.LakeQuery{States: []string{"QUEUED", "QUEUED", "RUNNING", "RUNNING", "RUNNING", "RUNNING", "FINISHED"}}, 0, "",
			"StartQuery" + strings.Repeat(" DescribeQuery", 7) + " GetQueryResults",
			[]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}},
		{"FAILED", awsfake.LakeQuery{States: []string{"RUNNING", "FAILED"}, Error: "line 1:8:\n Column 'x' cannot be resolved", Rows: lakeRows(denied("1", 0))}, 0,
			"the query failed: line 1:8: Column 'x' cannot be resolved", "StartQuery DescribeQuery DescribeQuery", []time.Duration{500 * time.Millisecond}},
		{"FAILED without a reason", awsfake.LakeQuery{States: []string{"FAILED"}}, 0, "the query failed: CloudTrail Lake gives no reason", "StartQuery DescribeQuery", nil},
		{"CANCELLED", awsfake.LakeQuery{States: []string{"CANCELLED"}}, 0, "the query was cancelled by somebody else", "StartQuery DescribeQuery", nil},
		{"TIMED_OUT", awsfake.LakeQuery{States: []string{"TIMED_OUT"}}, 0, "ask for less with --since and --until", "StartQuery DescribeQuery", nil},
		{"unheard of", awsfake.LakeQuery{States: []string{"PAUSED"}}, 0, `the query is in an unknown state, "PAUSED"`, "StartQuery DescribeQuery", nil},
		{"refused", awsfake.LakeQuery{Refuse: awsfake.Error("InvalidQueryStatementException", "no.")}, 0,
			"starting the query: CloudTrail StartQuery: InvalidQueryStatementException: no.", "StartQuery", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := lakeOf(test.query)
			var waits []time.Duration
			opts := ofLake(fake, &waits)
			opts.Query.Since = acmeNow.Add(-time.Hour)
			got := collect(t, "lake:"+lakeStore, opts)
			if len(got.events) != test.events {
				t.Errorf("%d events, want %d", len(got.events), test.events)
			}
			switch {
			case test.err == "" && len(got.errs) > 0:
				t.Errorf("%v", got.errs)
			case test.err != "":
				var failed *AWSError
				if len(got.errs) != 1 || !isFatal(got.errs[0]) || !errors.As(got.errs[0], &failed) || got.errs[0].Error() != "lake:"+lakeStore+": "+test.err && !strings.HasSuffix(got.errs[0].Error(), test.err) {
					t.Errorf("%v, want %q", got.errs, test.err)
				}
			}
			if strings.Join(operations(fake), " ") != test.calls {
				t.Errorf("calls %s, want %s", strings.Join(operations(fake), " "), test.calls)
			}
			if diff := gocmp.Diff(test.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLakeDenied: a call that is denied ends the reading, and what it leaves running is cancelled; the rows that were
// read stay read.
func TestLakeDenied(t *testing.T) {
	for _, test := range []struct {
		operation string
		nth       int
		err       string
		calls     string
		events    int
	}{
		{"StartQuery", 1, "starting the query: CloudTrail StartQuery: AccessDeniedException: User:", "StartQuery", 0},
		{"DescribeQuery", 2, "waiting for the query: CloudTrail DescribeQuery: AccessDeniedException: User:", "StartQuery DescribeQuery DescribeQuery CancelQuery", 0},
		{"GetQueryResults", 2, "reading the query's results after 250 rows: CloudTrail GetQueryResults: AccessDeniedException: User:",
			"StartQuery DescribeQuery DescribeQuery DescribeQuery GetQueryResults GetQueryResults", lakePage},
	} {
		fake := lakeOf(awsfake.LakeQuery{Rows: lakeRows(manyDenied("a", lakePage+10)...)})
		fake.Fail(awsfake.Fault{Operation: test.operation, Nth: test.nth, Reply: awsfake.Deny})
		opts := ofLake(fake, nil)
		opts.Query.Since = acmeNow.Add(-time.Hour)
		got := collect(t, "lake:"+lakeStore, opts)
		if len(got.events) != test.events || len(got.errs) != 1 || !strings.HasPrefix(got.errs[0].Error(), "lake:"+lakeStore+": "+test.err) {
			t.Errorf("%s: %d events, %v", test.operation, len(got.events), got.errs)
		}
		if strings.Join(operations(fake), " ") != test.calls {
			t.Errorf("%s: calls %s, want %s", test.operation, strings.Join(operations(fake), " "), test.calls)
		}
	}
}

// TestLakeCancelled: a query that nobody waits for any more is cancelled, whenever that is.
func TestLakeCancelled(t *testing.T) {
	for _, test := range []struct {
		name  string
		at    string // the operation during which the run is stopped; "" is between them
		deny  string // an operation
		err   string
		calls string
	}{
		{"between looks at the query", "", "", "context canceled; query a1b2c3d4-0000-4000-8000-000000000001 was cancelled", "StartQuery DescribeQuery CancelQuery"},
		{"while it starts", "StartQuery", "", "context canceled; query a1b2c3d4-0000-4000-8000-000000000001 was cancelled", "StartQuery CancelQuery"},
		{"while it is looked at", "DescribeQuery", "", "context canceled; query a1b2c3d4-0000-4000-8000-000000000001 was cancelled", "StartQuery DescribeQuery CancelQuery"},
		{"and that isn't allowed", "", "CancelQuery", "couldn't be cancelled, goes on and costs (CloudTrail CancelQuery: AccessDeniedException", "StartQuery DescribeQuery CancelQuery"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			ct := &awsfake.CloudTrail{
				Stores: []awsfake.EventDataStore{{Region: "eu-west-1", ID: lakeStore}},
				Query:  func(string) awsfake.LakeQuery { return awsfake.LakeQuery{States: []string{"RUNNING"}} },
			}
			fake := awsfake.New(ct)
			if test.at != "" {
				_, rows := ct.Operations()
				fake.Handle("cloudtrail", test.at, func(c *awsfake.Call) awsfake.Reply { stop(); return rows[test.at](c) })
			}
			if test.deny != "" {
				fake.Fail(awsfake.Fault{Operation: test.deny, Reply: awsfake.Deny})
			}
			opts := ofLake(fake, nil)
			opts.Query.Since = acmeNow.Add(-time.Hour)
			opts.wait = func(ctx context.Context, _ time.Duration) error { stop(); return ctx.Err() }
			seq, err := Open(ctx, "lake:"+lakeStore, opts)
			if err != nil {
				t.Fatal(err)
			}
			var last error
			for _, err := range seq {
				last = err
			}
			if !errors.Is(last, context.Canceled) || !strings.Contains(last.Error(), test.err) {
				t.Errorf("%v, want the context's error with %q", last, test.err)
			}
			if got := strings.Join(operations(fake), " "); got != test.calls {
				t.Errorf("calls %s, want %s", got, test.calls)
			}
		})
	}
}

// TestLakeStore: a store is found by id, ARN or name; what can't be found is an error that says what is there.
func TestLakeStore(t *testing.T) {
	for _, test := range []struct {
		src, calls, region, owner string
	}{
		{"lake:" + lakeStore, "StartQuery", "eu-west-1", ""},
		{"lake:arn:aws:cloudtrail:eu-west-1:" + awsfake.Account + ":eventdatastore/" + lakeStore, "StartQuery", "eu-west-1", ""},
		{"lake:arn:aws:cloudtrail:eu-west-1:999999999999:eventdatastore/" + lakeStore, "StartQuery", "eu-west-1", "999999999999"},
		{"lake:org-events", "ListEventDataStores ListEventDataStores StartQuery", "eu-west-1", ""},
	} {
		fake := lakeOf(awsfake.LakeQuery{States: []string{"FINISHED"}})
		collect(t, test.src, ofLake(fake, nil))
		if !strings.HasPrefix(strings.Join(operations(fake), " "), test.calls+" DescribeQuery") {
			t.Errorf("%s: calls %s, want %s", test.src, strings.Join(operations(fake), " "), test.calls)
		}
		for _, c := range fake.Calls() {
			if c.Region != test.region || c.Operation != "ListEventDataStores" && strings.Contains(string(c.Body), `"EventDataStoreOwnerAccountId":"`+test.owner) != (test.owner != "") {
				t.Errorf("%s: %s in %s: %s", test.src, c.Operation, c.Region, c.Body)
			}
			if c.Operation == "StartQuery" && !strings.Contains(string(c.Body), `\nFROM `+lakeStore+`\nWHERE `) {
				t.Errorf("%s: %s", test.src, c.Body)
			}
		}
	}
	none := awsfake.New(&awsfake.CloudTrail{})
	odd := awsfake.New(&awsfake.CloudTrail{Stores: []awsfake.EventDataStore{{Region: "eu-west-1", Name: "org-events", ID: "x WHERE 1=1"}}})
	denying := lakeOf(awsfake.LakeQuery{})
	denying.Fail(awsfake.Fault{Reply: awsfake.Deny})
	for _, test := range []struct {
		src   string
		fake  *awsfake.Fake
		query Query
		err   string
	}{
		{"lake:", lakeOf(awsfake.LakeQuery{}), Query{}, "lake:: no event data store; want its id, ARN or name"},
		{"lake:nowhere", lakeOf(awsfake.LakeQuery{}), Query{}, `lake:nowhere: no event data store of that name in eu-west-1, which has "other", "org-events"`},
		{"lake:nowhere", none, Query{}, "no event data stores in eu-west-1: give --region, or read s3:// or athena: instead"},
		{"lake:org-events", odd, Query{}, "its ARN has no id that is known as such"},
		{"lake:org-events", denying, Query{}, "looking for the event data store: CloudTrail ListEventDataStores: AccessDeniedException"},
		{"lake:arn:aws:s3:::bucket", none, Query{}, "not the ARN of an event data store"},
		{"lake:arn:aws:cloudtrail:eu-west-1:111122223333:trail/" + lakeStore, none, Query{}, "not the ARN of an event data store"},
		{"lake:arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/x", none, Query{}, "not the ARN of an event data store"},
		{"lake:" + lakeStore, none, Query{Regions: []string{"eu-west-1\n"}}, `"eu-west-1\n" can't be part of a query`},
		{"lake:" + lakeStore, none, Query{Accounts: []string{"\xff"}}, `"\xff" can't be part of a query`},
	} {
		_, err := Open(context.Background(), test.src, func() Options { o := ofLake(test.fake, nil); o.Query = test.query; return o }())
		if err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %q", test.src, err, test.err)
		}
	}
}

// TestLakeSQL: what is asked for is always bounded in time, and narrowed only by what loses nothing.
func TestLakeSQL(t *testing.T) {
	const (
		denials = `(regexp_like(lower(coalesce(errorCode, '')), 'DENIAL')
    OR regexp_like(lower(coalesce(errorMessage, '')), 'DENIAL')
    OR (coalesce(errorCode, '') = '' AND coalesce(errorMessage, '') = '' AND regexp_like(json_format(json_extract(eventJson, '$.responseElements')), 'DENIAL')))`
		failed = `(coalesce(errorCode, '') <> ''
    OR coalesce(errorMessage, '') <> ''
    OR (coalesce(errorCode, '') = '' AND coalesce(errorMessage, '') = '' AND regexp_like(json_format(json_extract(eventJson, '$.responseElements')), 'ERROR')))`
	)
	hour := acmeNow.Add(-time.Hour)
	for _, test := range []struct {
		name  string
		query Query
		where string
	}{
		{"everything of 90 days", Query{}, `eventTime >= '2026-08-22 12:00:00'
  AND eventTime < '2026-11-20 12:00:01'`},
		{"90 days up to a time", Query{Until: hour}, `eventTime >= '2026-08-22 11:00:00'
  AND eventTime < '2026-11-20 11:00:01'`},
		{"times in another zone, with fractions of a second", Query{Since: hour.In(time.FixedZone("", 3600)), Until: acmeNow.Add(-time.Nanosecond)}, `eventTime >= '2026-11-20 11:00:00'
  AND eventTime < '2026-11-20 12:00:00'`},
		{"denials", Query{Want: Denials, Since: hour}, `eventTime >= '2026-11-20 11:00:00'
  AND eventTime < '2026-11-20 12:00:01'
  AND ` + denials},
		{"errors", Query{Want: Errors, Since: hour}, `eventTime >= '2026-11-20 11:00:00'
  AND eventTime < '2026-11-20 12:00:01'
  AND ` + failed},
		{"denials in a region, and the calls that made sessions or changed policies before and elsewhere", Query{Want: Findings, Since: hour, Regions: []string{"eu-west-1"}}, `eventTime >= '2026-11-18 23:00:00'
  AND eventTime < '2026-11-20 12:00:01'
  AND ((awsRegion = 'eu-west-1'
    AND ` + denials + `
    AND eventTime >= '2026-11-20 11:00:00')
    OR (eventSource = 'sts.amazonaws.com' AND (eventName LIKE 'AssumeRole%' OR eventName = 'GetFederationToken') AND coalesce(errorCode, '') = '')
    OR (` + lakePolicyChanges + `))`},
		{"filters that lose nothing, and those that might", Query{Since: hour, Regions: []string{"eu-west-1", "us-east-1"}, Accounts: []string{"111122223333", "o'hara?"},
			AccessKeys: []string{"ASIAEXAMPLE"}, Principals: []string{"arn:aws:iam::111122223333:role/x"}, Services: []string{"s3"}, Actions: []string{"s3:Get*"}}, `eventTime >= '2026-11-20 11:00:00'
  AND eventTime < '2026-11-20 12:00:01'
  AND awsRegion IN ('eu-west-1', 'us-east-1')
  AND userIdentity.accessKeyId = 'ASIAEXAMPLE'
  AND (strpos(eventJson, '111122223333') > 0 OR strpos(eventJson, 'o''hara?') > 0)`},
	} {
		l := &lake{src: "lake:x", store: lakeStore, opts: Options{Query: test.query, now: func() time.Time { return acmeNow }}}
		if err := l.makeSQL(); err != nil {
			t.Fatal(err)
		}
		want := "SELECT eventJson\nFROM " + lakeStore + "\nWHERE " + test.where + "\nORDER BY eventTime, eventID"
		want = strings.ReplaceAll(want, "DENIAL", strings.ReplaceAll(strings.Join(correlate.DenialWords(), "|"), `\u`, `\\u`))
		want = strings.ReplaceAll(want, "ERROR", strings.ReplaceAll(strings.Join(correlate.ErrorWords(), "|"), `\u`, `\\u`))
		if diff := gocmp.Diff(want, l.sql); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// FuzzLakeQuote: a value stands in the query as one text, which means the value, or is refused.
func FuzzLakeQuote(f *testing.F) {
	for _, value := range []string{"eu-west-1", "o'hara", "''", "'", "\\'", "?", "'?", "a' OR '1'='1", "--", "\x00", "é", "\xff", ""} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		w, err := lakeWhere(Query{Regions: []string{value}, Accounts: []string{value}}, acmeNow, acmeNow)
		if err != nil {
			if quotable(value) == nil {
				t.Errorf("%q: %v", value, err)
			}
			return
		}
		sql := (&statement{sql: strings.Join(w.parts, " AND "), values: w.values}).String()
		const before, between, after = "eventTime >= '2026-11-20 12:00:00' AND eventTime < '2026-11-20 12:00:01' AND awsRegion = ", " AND (strpos(eventJson, ", ") > 0)"
		rest, ok := strings.CutPrefix(sql, before)
		if !ok {
			t.Fatalf("%s", sql)
		}
		for _, next := range []string{between, after} {
			text, n, ok := readSQLText(rest)
			if !ok || text != value || !strings.HasPrefix(rest[n:], next) {
				t.Fatalf("%q became %s", value, sql)
			}
			rest = rest[n+len(next):]
		}
		if rest != "" {
			t.Errorf("%q became %s", value, sql)
		}
	})
}

// readSQLText reads a text as SQL has it, in which a quote is written twice, and returns what
// it means and its length.
func readSQLText(sql string) (text string, n int, ok bool) {
	if !strings.HasPrefix(sql, "'") {
		return "", 0, false
	}
	var b strings.Builder
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] != '\'':
			b.WriteByte(sql[i])
		case i+1 < len(sql) && sql[i+1] == '\'':
			b.WriteByte('\'')
			i++
		default:
			return b.String(), i + 1, true
		}
	}
	return "", 0, false
}
