package source

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata/athena.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "athena", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// sqlQueries are the queries whose SQL is looked at.
var sqlQueries = []struct {
	name  string
	query Query
}{
	{"everything", Query{}},
	{"denials, three days across a year", Query{Want: Denials, Since: at("2025-12-30T22:15:00Z"), Until: at("2026-01-01T23:59:59Z")}},
	{"errors since", Query{Want: Errors, Since: at("2026-11-19T10:00:00Z"), AccessKeys: []string{"ASIAEXAMPLE"}}},
	{"findings until, accounts and regions", Query{Want: Findings, Until: at("2026-11-19T10:00:00.5Z"), Accounts: []string{"222222222222"}, Regions: []string{"eu-west-1", "it's"}}},
}

// statements are all statements of all layouts, with their question marks.
func statements(t *testing.T) (names, sql []string, printed []string) {
	t.Helper()
	for _, l := range layouts {
		table := l.table(t)
		for _, q := range sqlQueries {
			events, err := table.events(q.query)
			if err != nil {
				t.Fatal(err)
			}
			calls, err := table.calls(q.query)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []struct {
				what string
				*statement
			}{{"events", events}, {"calls", calls}} {
				if n := strings.Count(s.sql, "?"); n != len(s.values) {
					t.Errorf("%d question marks and %d values:\n%s", n, len(s.values), s.sql)
				}
				names = append(names, l.name+": "+s.what+": "+q.name)
				sql = append(sql, s.sql)
				printed = append(printed, s.String())
			}
		}
	}
	return names, sql, printed
}

// table is the layout's, read as metadata.
func (l tableLayout) table(t *testing.T) *athenaTable {
	t.Helper()
	fake := awsfake.New(&awsfake.Athena{Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": l.fakeTable()}})
	_, table, err := dialAthena(context.Background(), trailTable, withoutWaiting(fake, Query{}).withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestAthenaSQL keeps the SQL of all layouts and partition forms (T19, T21, T22): what is selected once a layout, then
// the conditions of each query.
func TestAthenaSQL(t *testing.T) {
	names, _, printed := statements(t)
	var b strings.Builder
	for i, sql := range printed {
		if !strings.HasSuffix(names[i], "everything") {
			if strings.Contains(names[i], "calls") {
				continue // the same conditions
			}
			_, where, _ := strings.Cut(sql, "\nWHERE ")
			where, _, _ = strings.Cut(where, "\nORDER BY ")
			sql = "WHERE " + where
		}
		b.WriteString("-- " + names[i] + "\n" + sql + "\n\n")
	}
	golden(t, "queries.sql", b.String())
}

// TestAthenaGrammar reads every statement, and every table definition, with the grammar of the engine that is to run it.
func TestAthenaGrammar(t *testing.T) {
	tools := sqlTools(t)
	type task struct {
		Grammar string `json:"grammar"`
		SQL     string `json:"sql"`
	}
	names, sql, printed := statements(t)
	var tasks []task
	for i := range names {
		tasks = append(tasks, task{"trino", sql[i]})
	}
	for i := range names {
		tasks = append(tasks, task{"trino", printed[i]})
	}
	names = append(names, names...)
	for _, d := range ddls {
		ddl, err := AthenaDDL(d.src, Options{Query: d.query})
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, "table of "+d.src)
		tasks = append(tasks, task{"hive", ddl})
	}
	names = append(names, "broken on purpose", "broken on purpose")
	tasks = append(tasks, task{"trino", "SELECT FROM WHERE"}, task{"hive", "CREATE EXTERNAL TABLE `t` (`a` struct<b>)"})
	var wrong []string
	runTool(t, tasks, &wrong, "node", filepath.Join("testdata", "athena", "grammar.mjs"), tools)
	if len(wrong) != len(tasks) {
		t.Fatalf("%d answers to %d statements", len(wrong), len(tasks))
	}
	for i, text := range wrong {
		if broken := i >= len(tasks)-2; (text != "") != broken {
			t.Errorf("%s: %q\n%s", names[i], text, tasks[i].SQL)
		}
	}
}

// ddls are places of logs.
var ddls = []struct {
	src   string
	query Query
}{
	{"s3://logs/AWSLogs/111122223333/CloudTrail/", Query{}},
	{"s3://logs", Query{Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1", "us-east-1"}, Since: at("2025-01-01T00:00:00Z")}},
	{"s3://org-logs/central/trail/AWSLogs/o-acme4x7k2p/", Query{}},
	{"s3://org-logs/AWSLogs/o-acme4x7k2p", Query{Accounts: []string{"222222222222", "333333333333"}}},
	{"s3://logs/p (1)", Query{Accounts: []string{"222222222222", "333333333333"}}},
	{"s3://logs/AWSLogs/111122223333/CloudTrail/eu-west-1", Query{}},
}

// TestAthenaDDL keeps the table definitions, and holds their tables to lack nothing and to be bounded by every filter.
func TestAthenaDDL(t *testing.T) {
	var b strings.Builder
	for _, d := range ddls {
		ddl, err := AthenaDDL(d.src, Options{Query: d.query})
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("-- " + d.src + "\n" + ddl + "\n")
	}
	golden(t, "tables.sql", b.String())
	printed := layouts[len(layouts)-1].table(t)
	if lacking := printed.lacking(); len(lacking) > 0 {
		t.Errorf("the printed table lacks %v", lacking)
	}
}

// TestAthenaDDLErrors: what would give a table without logs, or break out of a text, is refused.
func TestAthenaDDLErrors(t *testing.T) {
	for _, test := range []struct {
		src   string
		query Query
		want  string
	}{
		{"logs/", Query{}, "want s3://bucket/prefix"},
		{"s3://Logs", Query{}, `"Logs" is not the name of a bucket`},
		{"s3://logs/it's/AWSLogs/111122223333", Query{}, "can't stand in a table's location"},
		{"s3://logs/${x}/AWSLogs/111122223333", Query{}, "can't stand in a table's location"},
		{"s3://logs", Query{}, "give --account ID"},
		{"s3://logs", Query{Accounts: []string{"1"}}, "want 12 digits"},
		{"s3://logs", Query{Accounts: []string{"111122223333"}, Regions: []string{"x"}}, `"x" is not a region`},
		{"s3://logs/AWSLogs/111122223333", Query{Accounts: []string{"222222222222"}}, "that of account 111122223333 alone"},
		{"s3://logs/AWSLogs/111122223333/CloudTrail/eu-west-1", Query{Regions: []string{"us-east-1"}}, "that of region eu-west-1 alone"},
		{"s3://logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026", Query{}, `"2026" isn't where`},
		{"s3://logs/AWSLogs/elsewhere", Query{}, `"elsewhere" isn't where`},
	} {
		ddl, err := AthenaDDL(test.src, Options{Query: test.query})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("AthenaDDL(%s): %v %s, want an error with %q", test.src, err, ddl, test.want)
		}
	}
}

// TestAthenaPartitions: which conditions the filters give on which keys (T9, T21).
func TestAthenaPartitions(t *testing.T) {
	day := Query{Since: at("2026-11-09T23:00:00Z"), Until: at("2026-11-10T01:00:00Z")}
	enabled := func(properties ...string) map[string]string {
		m := map[string]string{"projection.enabled": "true"}
		for i := 0; i < len(properties); i += 2 {
			m[properties[i]] = properties[i+1]
		}
		return m
	}
	for _, test := range []struct {
		name       string
		keys       []columnText
		properties map[string]string
		query      Query
		want       string // the conditions, with their values
		unused     string
	}{
		{"no bound", []columnText{{"timestamp", "string"}}, projectedDays, Query{}, "", ""},
		{"T9: a day more", []columnText{{"timestamp", "string"}}, projectedDays, day, `"timestamp" >= 2026/11/09; "timestamp" <= 2026/11/11`, ""},
		{"another key, by its type", []columnText{{"delivered", "string"}}, enabled("projection.delivered.type", "DATE", "projection.delivered.format", "yyyy-MM-dd"), day, `"delivered" >= 2026-11-09; "delivered" <= 2026-11-11`, ""},
		{"hours: the last day is whole", []columnText{{"dt", "string"}}, enabled("projection.dt.type", "date", "projection.dt.format", "yyyy/MM/dd'T'HH"), day, `"dt" >= 2026/11/09T00; "dt" <= 2026/11/11T23`, ""},
		{"months", []columnText{{"dt", "string"}}, enabled("projection.dt.type", "date", "projection.dt.format", "yyyyMM"), day, `"dt" >= 202611; "dt" <= 202611`, ""},
		{"a format that doesn't sort", []columnText{{"dt", "string"}}, enabled("projection.dt.type", "date", "projection.dt.format", "dd-MM-yyyy"), day, "", "dt"},
		{"a format without zeros", []columnText{{"dt", "string"}}, enabled("projection.dt.type", "date", "projection.dt.format", "yyyy-M-d"), day, "", "dt"},
		{"projection is off", []columnText{{"day", "string"}}, map[string]string{"projection.enabled": "false", "projection.day.type": "injected"}, day, "", "day"},
		{"numbers", []columnText{{"year", "int"}, {"month", "int"}, {"day", "int"}}, nil, Query{Since: at("2026-11-29T00:00:00Z")},
			`("year" > 2026 OR "year" = 2026 AND "month" IN (12) OR "year" = 2026 AND "month" IN (11) AND "day" IN (29, 30, 31))`, ""},
		{"texts, with zeros or without", []columnText{{"year", "string"}, {"month", "string"}, {"day", "string"}}, nil, Query{Until: at("2026-01-01T00:00:00Z")},
			`("year" < '2026' OR "year" = '2026' AND "month" IN ('1', '01') AND "day" IN ('1', '01', '2', '02'))`, ""},
		{"months without days", []columnText{{"year", "int"}, {"month", "int"}}, nil, Query{Until: at("2026-01-31T00:00:00Z")},
			`("year" < 2026 OR "year" = 2026 AND "month" IN (1) OR "year" = 2026 AND "month" IN (2))`, ""},
		{"years alone", []columnText{{"year", "int"}}, nil, day, `("year" > 2026 OR "year" = 2026); ("year" < 2026 OR "year" = 2026)`, ""},
		{"days without years", []columnText{{"day", "int"}}, nil, day, "", "day"},
		{"accounts", []columnText{{"account_id", "string"}}, nil, Query{Accounts: []string{"111122223333", "222222222222"}}, `"account_id" IN (111122223333, 222222222222)`, ""},
		{"accounts as numbers", []columnText{{"account", "bigint"}}, nil, Query{Accounts: []string{"000022223333"}}, `lpad(CAST("account" AS varchar), 12, '0') = 000022223333`, ""},
		{"regions", []columnText{{"region", "string"}}, nil, Query{Want: Denials, Regions: []string{"eu-west-1"}}, `"region" = eu-west-1`, ""},
		{"regions: sessions are made in us-east-1, too (T12)", []columnText{{"region", "string"}}, nil, Query{Want: Findings, Regions: []string{"eu-west-1"}}, `"region" IN (eu-west-1, us-east-1)`, ""},
		{"injected", []columnText{{"account", "string"}}, enabled("projection.account.type", "injected"), Query{Accounts: []string{"111122223333"}}, `"account" = 111122223333`, ""},
		{"injected, without a filter", []columnText{{"account", "string"}}, enabled("projection.account.type", "injected"), day, "error: logs.cloudtrail: the partition key account is injected, so Athena has to be told its values: give --account", ""},
		{"injected, for which there is no filter", []columnText{{"tenant", "string"}}, enabled("projection.tenant.type", "injected"), day,
			"error: logs.cloudtrail: the partition key tenant is injected, so Athena has to be told its values, and no filter tells them: use a table whose projection.tenant.type is enum, date or integer", ""},
		{"another key", []columnText{{"tenant", "string"}}, nil, day, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := &athenaTable{athenaName: athenaName{"primary", "logs", "cloudtrail"}}
			for _, k := range test.keys {
				table.partitions = append(table.partitions, newPartition(k.name, k.kind, test.properties))
			}
			conditions, unused, err := table.prune(test.query)
			var parts []string
			for _, c := range conditions {
				for _, v := range c.values {
					c.sql = strings.Replace(c.sql, "?", v, 1)
				}
				parts = append(parts, c.sql)
			}
			if err != nil {
				parts = []string{"error: " + err.Error()}
			}
			if diff := gocmp.Diff([]string{test.want, test.unused}, []string{strings.Join(parts, "; "), strings.Join(unused, " ")}); diff != "" {
				t.Errorf("conditions and unused keys (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAthenaSeconds: times are bounded in whole seconds, whatever fractions the query or the records have.
func TestAthenaSeconds(t *testing.T) {
	table := documentedTable(athenaName{"primary", "logs", "cloudtrail"})
	for _, text := range []string{"2026-11-19T10:00:00Z", "2026-11-19T10:00:00.9Z"} {
		within := table.within(Query{Since: at(text), Until: at(text)})
		var values []string
		for _, c := range within {
			values = append(values, c.values...)
		}
		first, behind := values[0], values[1]
		for _, event := range []string{"2026-11-19T10:00:00Z", "2026-11-19T10:00:00.999Z"} {
			if event < first || event >= behind {
				t.Errorf("an event of %s is not within %s and %s, made of %s", event, first, behind, text)
			}
		}
		for _, event := range []string{"2026-11-19T09:59:59Z", "2026-11-19T10:00:01Z"} {
			if event >= first && event < behind {
				t.Errorf("an event of %s is within %s and %s", event, first, behind)
			}
		}
	}
}

// TestAthenaParameters: a value stands in quotes from which it can't break out.
func TestAthenaParameters(t *testing.T) {
	s := &statement{sql: "a = ? AND c = ?", values: []string{"it's", "') OR ('?"}}
	if diff := gocmp.Diff([]string{"'it''s'", "''') OR (''?'"}, s.parameters()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if want, got := "a = 'it''s' AND c = ''') OR (''?'", s.String(); got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

// TestDocumentedColumns: the types of the documented columns can be read.
func TestDocumentedColumns(t *testing.T) {
	for _, c := range append(ddlColumns(), documentedColumns...) {
		if _, err := parseHiveType(c.kind); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestHiveTypes reads types as the data catalog and people write them.
func TestHiveTypes(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"string", "string"}, {" STRING ", "string"}, {"decimal(10,2)", "decimal(10,2)"},
		{"array<struct<ARN:string, accountId : STRING>>", "array<struct<arn:string,accountid:string>>"},
		{"map<string,array<int>>", "map<string,array<int>>"},
		{"struct<`type`:varchar(20),b:struct<c:date>>", "struct<type:varchar(20),b:struct<c:date>>"},
		{"", "error"}, {"struct<", "error"}, {"struct<a>", "error"}, {"struct<a:string", "error"}, {"array<string,string>", "error"},
		{"map<string>", "error"}, {"string>", "error"}, {"set<string>", "error"}, {"struct<:string>", "error"}, {"varchar(20", "error"},
		{strings.Repeat("array<", 40) + "int" + strings.Repeat(">", 40), "error"},
	} {
		got, err := parseHiveType(test.text)
		text := typeText(got)
		if err != nil {
			text = "error"
		}
		if text != test.want {
			t.Errorf("parseHiveType(%q) = %s (%v), want %s", test.text, text, err, test.want)
		}
	}
}

func typeText(t hiveType) string {
	if len(t.members) == 0 {
		return t.kind
	}
	var parts []string
	for _, m := range t.members {
		if m.name != "" {
			parts = append(parts, m.name+":"+typeText(m.hiveType))
		} else {
			parts = append(parts, typeText(m.hiveType))
		}
	}
	return t.kind + "<" + strings.Join(parts, ",") + ">"
}

// FuzzHiveType: no text makes the parser panic, and a type that it read is the same type again.
func FuzzHiveType(f *testing.F) {
	for _, c := range documentedColumns {
		f.Add(c.kind)
	}
	f.Add("struct<`a b`:map<string,string>>")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseHiveType(text)
		if err != nil || strings.ContainsAny(text, "`") {
			return
		}
		second, err := parseHiveType(typeText(first))
		if err != nil {
			t.Fatalf("%q was read as %q, which can't be read: %v", text, typeText(first), err)
		}
		if diff := gocmp.Diff(typeText(first), typeText(second)); diff != "" {
			t.Errorf("%q (-first +second):\n%s", text, diff)
		}
	})
}

// FuzzDateFormat: no format makes the reader panic, and one that is said to sort sorts.
func FuzzDateFormat(f *testing.F) {
	for _, text := range []string{"yyyy/MM/dd", "yyyy-MM-dd", "yyyyMMdd", "yyyy'T'MM", "''yyyy", "dd/MM/yyyy", "'"} {
		f.Add(text, int64(1763510400), int64(1763600000))
	}
	f.Fuzz(func(t *testing.T, text string, a, b int64) {
		format := parseDateFormat(text)
		first, second := time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()
		if !format.sorts() || first.After(second) || first.Year() < 1000 || second.Year() > 9999 {
			return
		}
		if x, y := format.format(first), format.format(second); x > y {
			t.Errorf("%q: %s comes after %s", text, x, y)
		}
	})
}

// FuzzAthenaSource: no text makes the readers of places panic, and what they take can't end a name or a text in SQL.
func FuzzAthenaSource(f *testing.F) {
	for _, src := range []string{"athena:primary/default.cloudtrail_logs", "athena:a/b.c'", "s3://logs/AWSLogs/o-acme4x7k2p/111122223333/CloudTrail/eu-west-1", "s3://logs/it's", "s3://b-b//AWSLogs//"} {
		f.Add(src, "111122223333", "eu-west-1")
	}
	f.Fuzz(func(t *testing.T, src, account, region string) {
		q := Query{Accounts: []string{account}, Regions: []string{region}}
		if name, err := parseAthena(src); err == nil {
			s, err := documentedTable(name).events(q)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(s.sql, `"`); n != 4 { // of the database and the table
				t.Errorf("%d quotes in %s", n, s.sql)
			}
			if strings.Count(s.String(), "'")%2 != 0 {
				t.Errorf("a text without an end in %s", s)
			}
		}
		if ddl, err := AthenaDDL(src, Options{Query: q}); err == nil {
			_, text, _ := strings.Cut(ddl, "\nCREATE ")
			if strings.Count(text, "`")%2 != 0 || strings.Count(text, "'")%2 != 0 || strings.Count(text, ";") != 1 {
				t.Errorf("%q gives\n%s", src, ddl)
			}
		}
	})
}
