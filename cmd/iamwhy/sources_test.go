package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// sampleEvents are the records of testdata/sources.jsonl, in the order of their times, as if they had been
// yesterday: LookupEvents keeps 90 days. They are management events, which is all that it has.
func sampleEvents(t *testing.T) []string {
	t.Helper()
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	text := strings.ReplaceAll(read(t, filepath.Join("testdata", "sources.jsonl")), "2026-01-02T", yesterday+"T")
	return strings.Split(strings.TrimSpace(text), "\n")
}

// logFile is records as a trail's file holds them.
func logFile(records []string) string { return `{"Records":[` + strings.Join(records, ",") + "]}" }

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// trail writes records as a trail lays them down (T7), in two files: the order of the files is that of the records.
func trail(t *testing.T, dir string, records []string) {
	t.Helper()
	day := eventTime(t, records[0]).Format("2006/01/02")
	for i, half := range [][]string{records[:len(records)/2], records[len(records)/2:]} {
		name := fmt.Sprintf("222222222222_CloudTrail_eu-west-1_%s_%d.json.gz", eventTime(t, records[0]).Add(20*time.Minute).Format("20060102T1504Z"), i)
		write(t, filepath.Join(dir, "AWSLogs", "222222222222", "CloudTrail", "eu-west-1", filepath.FromSlash(day), name), gzipped(t, logFile(half)))
	}
}

func eventTime(t *testing.T, record string) time.Time {
	t.Helper()
	var e struct{ EventTime time.Time }
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		t.Fatal(err)
	}
	return e.EventTime
}

// byRegion are records by the region of their call.
func byRegion(t *testing.T, records []string) map[string][]string {
	t.Helper()
	regions := map[string][]string{}
	for _, r := range records {
		var e struct{ AWSRegion string }
		if err := json.Unmarshal([]byte(r), &e); err != nil {
			t.Fatal(err)
		}
		regions[e.AWSRegion] = append(regions[e.AWSRegion], r)
	}
	return regions
}

const sampleStore = "a1b2c3d4-0000-4000-8000-000000000001"

// serve makes a handler AWS for the test.
func serve(t *testing.T, h http.Handler) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	asAWS(t, server.URL)
}

// asAWS is the environment in which what stands at a URL is AWS.
func asAWS(t *testing.T, url string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// TestSameEventsFromEverySource is the promise of product.md §3: wherever the same events lie, events and
// explain say the same of them.
func TestSameEventsFromEverySource(t *testing.T) {
	records := sampleEvents(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "log.json")
	write(t, file, []byte(logFile(records)))
	snapshot, err := filepath.Abs("../../testdata/acme/snapshot")
	if err != nil {
		t.Fatal(err)
	}
	say := func(t *testing.T, src, stdin string, command ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		args := append(command, "--output", "json", src)
		if status := run(t.Context(), args, streams{strings.NewReader(stdin), &stdout, &stderr}); status != statusDone {
			t.Fatalf("iamwhy %s: exit status %d, stderr:\n%s", strings.Join(args, " "), status, &stderr)
		}
		return stdout.String()
	}
	events := func(t *testing.T, src, stdin string) string { return say(t, src, stdin, "events") }
	explain := func(t *testing.T, src, stdin string) string {
		return placeless(t, say(t, src, stdin, "explain", "--snapshot", snapshot))
	}
	wantEvents, wantFindings := events(t, file, ""), explain(t, file, "")
	if n := strings.Count(wantEvents, "\n"); n != 10 {
		t.Fatalf("the file has %d denials, want 10", n)
	}
	if !strings.Contains(wantFindings, `"type": "session"`) {
		t.Fatal("no finding knows the session's policy, which the call that made the session tells (T32)")
	}

	for _, tt := range []struct {
		name   string
		source func(t *testing.T) (src, stdin string)
	}{
		{"gzip", func(t *testing.T) (string, string) {
			path := filepath.Join(t.TempDir(), "log.json.gz")
			write(t, path, gzipped(t, logFile(records)))
			return path, ""
		}},
		{"zip", func(t *testing.T) (string, string) {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			w, err := z.Create("log.json")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(logFile(records))); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "log.zip")
			write(t, path, b.Bytes())
			return path, ""
		}},
		{"JSON lines", func(t *testing.T) (string, string) {
			path := filepath.Join(t.TempDir(), "log.jsonl")
			write(t, path, []byte(strings.Join(records, "\n")))
			return path, ""
		}},
		{"directory", func(t *testing.T) (string, string) {
			dir := t.TempDir()
			trail(t, dir, records)
			return dir, ""
		}},
		{"glob", func(t *testing.T) (string, string) {
			dir := t.TempDir()
			trail(t, dir, records)
			return dir + "/**/*.json.gz", ""
		}},
		{"standard input", func(t *testing.T) (string, string) { return "-", logFile(records) }},
		{"standard input, gzip", func(t *testing.T) (string, string) { return "-", string(gzipped(t, logFile(records))) }},
		{"S3, in process", func(t *testing.T) (string, string) {
			dir := t.TempDir()
			trail(t, dir, records)
			serve(t, bucketOf(dir))
			return "s3://bucket/AWSLogs/", ""
		}},
		{"S3, moto", func(t *testing.T) (string, string) {
			url := os.Getenv("IAMWHY_MOTO")
			if url == "" {
				t.Skip("set IAMWHY_MOTO to the URL that moto_server -p 0 prints, to read from an S3 that isn't ours")
			}
			dir := t.TempDir()
			trail(t, dir, records)
			asAWS(t, url)
			return "s3://" + upload(t, url, dir), ""
		}},
		{"LookupEvents", func(t *testing.T) (string, string) {
			serve(t, awsfake.New(&awsfake.CloudTrail{Events: byRegion(t, records)}))
			return "lookup:eu-west-1,us-east-1", ""
		}},
		{"Lake", func(t *testing.T) (string, string) {
			serve(t, awsfake.New(&awsfake.CloudTrail{
				Stores: []awsfake.EventDataStore{{Region: "eu-west-1", Name: "all", ID: sampleStore}},
				Query: func(string) awsfake.LakeQuery {
					q := awsfake.LakeQuery{States: []string{"FINISHED"}}
					for _, r := range records {
						q.Rows = append(q.Rows, []map[string]string{{"eventJson": r}})
					}
					return q
				},
			}))
			return "lake:" + sampleStore, ""
		}},
		{"Athena", func(t *testing.T) (string, string) {
			table := sampleTable(t)
			serve(t, awsfake.New(&awsfake.Athena{
				Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": table},
				Query:  func(s awsfake.AthenaStatement) awsfake.AthenaQuery { return rowsOf(t, s.SQL, records) },
			}))
			return "athena:primary/logs.cloudtrail", ""
		}},
		{"Athena, by DuckDB", func(t *testing.T) (string, string) {
			tools := os.Getenv("IAMWHY_SQLTOOLS")
			if tools == "" {
				t.Skip("IAMWHY_SQLTOOLS isn't set: no DuckDB to run SQL on (.ci/run installs it)")
			}
			table := sampleTable(t)
			serve(t, awsfake.New(&awsfake.Athena{
				Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": table},
				Query:  func(s awsfake.AthenaStatement) awsfake.AthenaQuery { return onDuckDB(t, tools, table, s, records) },
			}))
			return "athena:primary/logs.cloudtrail", ""
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, stdin := tt.source(t)
			if diff := cmp.Diff(wantEvents, events(t, src, stdin)); diff != "" {
				t.Errorf("events --output json (-the file's +this source's):\n%s", diff)
			}
			if diff := cmp.Diff(wantFindings, explain(t, src, stdin)); diff != "" {
				t.Errorf("explain --output json (-the file's +this source's):\n%s", diff)
			}
		})
	}
}

// placeless is explain's JSON without what may differ: where a session's policy stands, which is at the event that told
// it, and how many events were read, since a query leaves out those that don't matter.
func placeless(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	strip(v)
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func strip(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			strip(x)
		}
	case map[string]any:
		if v["type"] == "session" {
			delete(v, "file")
		}
		if _, ok := v["findings"].(float64); ok { // the summary
			delete(v, "events")
		}
		for _, x := range v {
			strip(x)
		}
	}
}

// bucketOf is S3 with the one bucket that its requests name, which has the files of a directory: as much of it as
// listing and reading need.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func bucketOf(dir string) http.Handler {
	type object struct {
		Key  string
		Size int64
	}
	type folder struct{ Prefix string }
	type listing struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		IsTruncated    bool
		Contents       []object
		CommonPrefixes []folder
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
		if key != "" {
			http.ServeFile(w, r, filepath.Join(dir, filepath.FromSlash(key)))
			return
		}
		q := r.URL.Query()
		var l listing
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			key := filepath.ToSlash(rel)
			rest, ok := strings.CutPrefix(key, q.Get("prefix"))
			if !ok || key <= q.Get("start-after") {
				return nil
			}
			if name, _, below := strings.Cut(rest, "/"); below && q.Get("delimiter") == "/" {
				if f := (folder{q.Get("prefix") + name + "/"}); !slices.Contains(l.CommonPrefixes, f) {
					l.CommonPrefixes = append(l.CommonPrefixes, f)
				}
				return nil
			}
			info, err := d.Info()
			if err == nil {
				l.Contents = append(l.Contents, object{key, info.Size()})
			}
			return err
		})
		_ = xml.NewEncoder(w).Encode(l)
	})
}

var (
	ddlColumn    = regexp.MustCompile("(?m)^  `([a-z]+)` (.+?),?$")
	ddlPartition = regexp.MustCompile(`PARTITIONED BY \((.*)\)`)
	ddlProperty  = regexp.MustCompile("(?m)^  '([^']+)' = '([^']*)',?$")
)

// sampleTable is the table that iamwhy itself defines, as Athena then describes it.
func sampleTable(t *testing.T) awsfake.AthenaTable {
	t.Helper()
	ddl, err := source.AthenaDDL("s3://bucket/AWSLogs/", source.Options{Query: source.Query{Accounts: []string{"222222222222"}, Regions: []string{"eu-west-1", "us-east-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	table := awsfake.AthenaTable{Parameters: map[string]string{}}
	for _, m := range ddlColumn.FindAllStringSubmatch(ddl, -1) {
		table.Columns = append(table.Columns, awsfake.AthenaColumn{Name: m[1], Type: m[2]})
	}
	for _, key := range strings.Split(ddlPartition.FindStringSubmatch(ddl)[1], ", ") {
		name, kind, _ := strings.Cut(key, " ")
		table.PartitionKeys = append(table.PartitionKeys, awsfake.AthenaColumn{Name: strings.Trim(name, "`"), Type: kind})
	}
	for _, m := range ddlProperty.FindAllStringSubmatch(ddl, -1) {
		table.Parameters[m[1]] = m[2]
	}
	if len(table.Columns) < 25 || len(table.PartitionKeys) < 2 || len(table.Parameters) < 5 {
		t.Fatalf("%d columns, %d partition keys and %d properties of:\n%s", len(table.Columns), len(table.PartitionKeys), len(table.Parameters), ddl)
	}
	return table
}

// rowsOf answers a query with all records, whatever it asks for: in the columns that it selects, of which one
// that is a leaf of a struct is named after its path.
func rowsOf(t *testing.T, sql string, records []string) awsfake.AthenaQuery {
	selected, _, _ := strings.Cut(sql, "\nFROM ")
	q := awsfake.AthenaQuery{States: []string{"SUCCEEDED"}}
	for line := range strings.Lines(strings.TrimPrefix(selected, "SELECT")) {
		fields := strings.Fields(strings.TrimRight(strings.TrimSpace(line), ","))
		q.Columns = append(q.Columns, fields[len(fields)-1])
	}
	for _, r := range records {
		var record map[string]any
		dec := json.NewDecoder(strings.NewReader(r))
		dec.UseNumber()
		if err := dec.Decode(&record); err != nil {
			t.Error(err)
		}
		row := make([]string, len(q.Columns))
		for i, column := range q.Columns {
			row[i] = columnOf(t, record, column)
		}
		q.Rows = append(q.Rows, row)
	}
	return q
}

// columnOf is what a column has of a record: a text as it is, all else as JSON; "" is NULL.
func columnOf(t *testing.T, record map[string]any, column string) string {
	var v any = record
	for _, name := range strings.Split(column, "_") {
		object, _ := v.(map[string]any)
		v = nil
		for member, x := range object {
			if strings.EqualFold(member, name) {
				v = x
			}
		}
	}
	if column == "resources" {
		list, _ := v.([]any)
		for i, x := range list {
			lower := map[string]any{}
			for name, value := range x.(map[string]any) {
				lower[strings.ToLower(name)] = value
			}
			list[i] = lower
		}
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// onDuckDB answers a query as Athena would, had it the records in a table.
func onDuckDB(t *testing.T, tools string, table awsfake.AthenaTable, s awsfake.AthenaStatement, records []string) awsfake.AthenaQuery {
	type column struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	type record struct {
		Record    json.RawMessage   `json:"record"`
		Partition map[string]string `json:"partition"`
	}
	type statement struct {
		SQL        string   `json:"sql"`
		Parameters []string `json:"parameters"`
	}
	task := struct {
		Database   string      `json:"database"`
		Table      string      `json:"table"`
		Columns    []column    `json:"columns"`
		Records    []record    `json:"records"`
		Statements []statement `json:"statements"`
	}{Database: "logs", Table: "cloudtrail", Statements: []statement{{s.SQL, s.Parameters}}}
	for _, c := range slices.Concat(table.Columns, table.PartitionKeys) {
		task.Columns = append(task.Columns, column(c))
	}
	for region, list := range byRegion(t, records) {
		for _, r := range list {
			task.Records = append(task.Records, record{json.RawMessage(r), map[string]string{
				"account": "222222222222", "region": region, "timestamp": eventTime(t, r).Format("2006/01/02"),
			}})
		}
	}
	input, err := json.Marshal(task)
	if err != nil {
		t.Error(err)
	}
	cmd := exec.Command(filepath.Join(tools, "python", "bin", "python"), filepath.Join("..", "..", "correlate", "source", "testdata", "athena", "run.py"))
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Errorf("DuckDB: %v\n%s", err, &stderr)
	}
	var results []struct {
		Columns []string
		Rows    [][]string // a null leaves ""
	}
	if err := json.Unmarshal(answer, &results); err != nil || len(results) != 1 {
		t.Errorf("DuckDB: %v in %s", err, answer)
		return awsfake.AthenaQuery{}
	}
	return awsfake.AthenaQuery{States: []string{"SUCCEEDED"}, Columns: results[0].Columns, Rows: results[0].Rows}
}

// TestPartNotRead is of a region that may not be asked: the others are answered, and the status says that AWS failed (product.md §4).
func TestPartNotRead(t *testing.T) {
	fake := awsfake.New(&awsfake.CloudTrail{Events: byRegion(t, sampleEvents(t))})
	fake.Fail(awsfake.Fault{Region: "us-east-1", Reply: awsfake.Deny})
	serve(t, fake)
	path := filepath.Join(t.TempDir(), "r.json")
	write(t, path, []byte("old"))
	for _, tt := range []struct {
		name, sources string
		flags         []string
		denials       int // on stdout, or in the file
		stderr        []string
	}{
		{"one region of two", "lookup:eu-west-1,us-east-1", nil, 7, []string{
			"iamwhy: error: lookup:us-east-1: ", "is not authorized to perform: cloudtrail:LookupEvents", ": 7 denied, ", "; 1 part not read\n",
		}},
		{"quiet", "lookup:eu-west-1,us-east-1", []string{"-q"}, 7, []string{"iamwhy: error: lookup:us-east-1: "}},
		{"to a file", "lookup:eu-west-1,us-east-1", []string{"-q", "-o", path}, 7, []string{"iamwhy: error: lookup:us-east-1: "}},
		{"nothing could be read: the file is as it was", "lookup:us-east-1", []string{"-q", "-o", path}, 7, []string{
			"iamwhy: error: lookup:us-east-1: ", "iamwhy: error: nothing was written to " + path,
		}},
		{"no such region", "lookup:nowhere", []string{"-q"}, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"events", "--output", "json"}, tt.flags...)
			status := run(t.Context(), append(args, tt.sources), streams{strings.NewReader(""), &stdout, &stderr})
			if want := map[bool]int{true: statusAWS, false: statusInput}[tt.stderr != nil]; status != want {
				t.Errorf("exit status %d, want %d", status, want)
			}
			result := stdout.String()
			if slices.Contains(tt.flags, "-o") {
				result = read(t, path)
			}
			if n := strings.Count(result, "\n"); n != tt.denials {
				t.Errorf("%d denials, want %d", n, tt.denials)
			}
			for _, want := range tt.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr has no %q:\n%s", want, &stderr)
				}
			}
			if quiet := slices.Contains(tt.flags, "-q"); quiet && strings.Count(stderr.String(), "\n") != strings.Count(stderr.String(), "iamwhy: error: ") {
				t.Errorf("-q lets more through than errors:\n%s", &stderr)
			}
		})
	}
}

// TestInterruptedAWS cancels runs that wait for AWS: they end, and a query that runs is stopped, since it costs.
func TestInterruptedAWS(t *testing.T) {
	records := sampleEvents(t)
	for _, tt := range []struct {
		name, source string
		service      awsfake.Service
		waitsIn      string // the operation during which the run is cancelled
		stops        string // and the one that this makes
	}{
		{"LookupEvents", "lookup:eu-west-1", &awsfake.CloudTrail{Events: byRegion(t, records)}, "LookupEvents", ""},
		{"Lake", "lake:" + sampleStore, &awsfake.CloudTrail{
			Stores: []awsfake.EventDataStore{{Region: "eu-west-1", Name: "all", ID: sampleStore}},
			Query:  func(string) awsfake.LakeQuery { return awsfake.LakeQuery{States: []string{"RUNNING"}} },
		}, "DescribeQuery", "CancelQuery"},
		{"Athena", "athena:primary/logs.cloudtrail", &awsfake.Athena{
			Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": sampleTable(t)},
			Query: func(awsfake.AthenaStatement) awsfake.AthenaQuery {
				return awsfake.AthenaQuery{States: []string{"RUNNING"}}
			},
		}, "GetQueryExecution", "StopQueryExecution"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			fake := awsfake.New(tt.service)
			serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+tt.waitsIn) {
					cancel(interruption{os.Interrupt})
				}
				fake.ServeHTTP(w, r)
			}))
			path := filepath.Join(t.TempDir(), "r.json")
			var stdout, stderr bytes.Buffer
			status := run(ctx, []string{"explain", "--output", "json", "-o", path, tt.source}, streams{strings.NewReader(""), &stdout, &stderr})
			if status != 130 || !strings.Contains(stderr.String(), "stopped by Ctrl-C after ") || !strings.Contains(stderr.String(), "; this is a part only\n") {
				t.Errorf("exit status %d, want 130; stderr:\n%s", status, &stderr)
			}
			if left := listing(t, filepath.Dir(path)); left != "" {
				t.Errorf("left behind: %s", left)
			}
			calls := fake.Calls()
			if tt.stops != "" && !slices.ContainsFunc(calls, func(c awsfake.Call) bool { return c.Operation == tt.stops }) {
				t.Errorf("no %s in %d calls: the query goes on; stderr:\n%s", tt.stops, len(calls), &stderr)
			}
		})
	}
}
