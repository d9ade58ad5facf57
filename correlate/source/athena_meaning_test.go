package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/correlate"
)

// sqlTools is where CI put sqlglot, DuckDB and dt-sql-parser.
func sqlTools(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("IAMWHY_SQLTOOLS")
	if dir == "" {
		t.Skip("IAMWHY_SQLTOOLS isn't set: no DuckDB to run SQL on and no grammar to read it with (.ci/run installs both)")
	}
	return dir
}

// sqlTask is what testdata/athena/run.py is given.
type sqlTask struct {
	Database   string         `json:"database"`
	Table      string         `json:"table"`
	Columns    []sqlColumn    `json:"columns"`
	Records    []sqlRecord    `json:"records"`
	Statements []sqlStatement `json:"statements"`
}

type sqlColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// An sqlRecord is a record, and the values of the partition keys of its file.
type sqlRecord struct {
	Record    json.RawMessage   `json:"record"`
	Partition map[string]string `json:"partition"`
}

type sqlStatement struct {
	SQL        string   `json:"sql"`
	Parameters []string `json:"parameters"`
}

type sqlResult struct {
	Columns []string    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}

// runSQL runs statements on DuckDB.
func runSQL(t testing.TB, tools string, task sqlTask) []sqlResult {
	t.Helper()
	python := filepath.Join(tools, "python", "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(tools, "python", "Scripts", "python.exe")
	}
	var results []sqlResult
	runTool(t, task, &results, python, filepath.Join("testdata", "athena", "run.py"))
	return results
}

// runTool gives a program JSON and reads what it answers.
func runTool(t testing.TB, in, out any, program string, args ...string) {
	t.Helper()
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = bytes.NewReader(input)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &errs)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatalf("%s: %v in %s", program, err, answer)
	}
}

// A tableLayout is one in which tables of CloudTrail logs are met.
type tableLayout struct {
	name       string
	columns    []columnText
	partitions []columnText
	properties map[string]string
}

// olderColumns are those of the layout with CloudTrailSerde (T19): fewer, and with capitals.
var olderColumns = func() []columnText {
	var out []columnText
	for _, c := range documentedColumns[:slices.IndexFunc(documentedColumns, func(c columnText) bool { return c.name == "vpcendpointaccountid" })] {
		switch c.name {
		case "useridentity":
			c.kind = "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,userName:string," +
				"sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>," +
				"sessionissuer:struct<type:string,principalId:string,arn:string,accountId:string,userName:string>>>"
		case "resources":
			c.kind = "array<struct<ARN:string,accountId:string,type:string>>"
		}
		out = append(out, c)
	}
	return out
}()

var projectedDays = map[string]string{
	"projection.enabled": "true", "projection.timestamp.type": "date", "projection.timestamp.format": "yyyy/MM/dd",
	"projection.timestamp.interval": "1", "projection.timestamp.interval.unit": "DAYS", "projection.timestamp.range": "2020/01/01,NOW",
}

// layouts are the forms of T19 and T21.
var layouts = []tableLayout{
	{"older, no partitions", olderColumns, nil, nil},
	{"documented, region year month day", documentedColumns, []columnText{{"region", "string"}, {"year", "string"}, {"month", "string"}, {"day", "string"}}, nil},
	{"documented, year month day as numbers", documentedColumns, []columnText{{"year", "int"}, {"month", "int"}, {"day", "int"}}, nil},
	{"documented, region and date", documentedColumns, []columnText{{"region", "string"}, {"date", "string"}}, nil},
	{"documented, projected timestamp", documentedColumns, []columnText{{"timestamp", "string"}}, projectedDays},
	{"printed, projected account region timestamp", ddlColumns(), []columnText{{"account", "string"}, {"region", "string"}, {"timestamp", "string"}}, projectedDays},
}

// fakeTable is the table as Athena describes it.
func (l tableLayout) fakeTable() awsfake.AthenaTable {
	t := awsfake.AthenaTable{Parameters: l.properties}
	for _, c := range l.columns {
		t.Columns = append(t.Columns, awsfake.AthenaColumn{Name: c.name, Type: c.kind})
	}
	for _, c := range l.partitions {
		t.PartitionKeys = append(t.PartitionKeys, awsfake.AthenaColumn{Name: c.name, Type: c.kind})
	}
	return t
}

// sqlColumns are the columns with the partition keys.
func (l tableLayout) sqlColumns() []sqlColumn {
	var out []sqlColumn
	for _, c := range slices.Concat(l.columns, l.partitions) {
		out = append(out, sqlColumn{c.name, c.kind})
	}
	return out
}

const trailTable = "athena:primary/logs.cloudtrail"

// onDuckDB is Athena with one table, where DuckDB has answered the statements.
func (l tableLayout) onDuckDB(t testing.TB, tools string, records []sqlRecord, statements []*statement) *awsfake.Fake {
	t.Helper()
	task := sqlTask{Database: "logs", Table: "cloudtrail", Columns: l.sqlColumns(), Records: records}
	for _, s := range statements {
		task.Statements = append(task.Statements, sqlStatement{s.sql, s.parameters()})
	}
	answers := make(map[string]sqlResult)
	for i, r := range runSQL(t, tools, task) {
		answers[marshal(task.Statements[i])] = r
	}
	return awsfake.New(&awsfake.Athena{
		Tables: map[string]awsfake.AthenaTable{"logs.cloudtrail": l.fakeTable()},
		Query: func(s awsfake.AthenaStatement) awsfake.AthenaQuery {
			r, ok := answers[marshal(sqlStatement{s.SQL, s.Parameters})]
			if !ok {
				t.Errorf("a statement that DuckDB wasn't asked:\n%s\n%q", s.SQL, s.Parameters)
			}
			q := awsfake.AthenaQuery{Columns: r.Columns, Bytes: 12_345_678}
			for _, row := range r.Rows {
				values := make([]string, len(row))
				for i, v := range row {
					if v != nil {
						values[i] = *v
					}
				}
				q.Rows = append(q.Rows, values)
			}
			return q
		},
	})
}

// withoutWaiting are options that ask fake for a query.
func withoutWaiting(fake *awsfake.Fake, q Query) Options {
	opts := ofFake(fake, "eu-west-1", acmeNow)
	opts.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	opts.Query = q
	return opts
}

// delivered reads the partition keys off a log file's path (T7), as all layouts have them.
func delivered(t testing.TB, path string) map[string]string {
	t.Helper()
	m := regexp.MustCompile(`/([0-9]{12})/CloudTrail[^/]*/([a-z0-9-]+)/([0-9]{4})/([0-9]{2})/([0-9]{2})/`).FindStringSubmatch(filepath.ToSlash(path))
	if m == nil {
		if strings.Contains(path, "aws_dataset") {
			return map[string]string{"account": "218007301253", "region": "us-east-1", "year": "2023", "month": "07", "day": "10", "date": "2023-07-10", "timestamp": "2023/07/10"}
		}
		t.Fatalf("%s is not where CloudTrail puts its files", path)
	}
	return map[string]string{"account": m[1], "region": m[2], "year": m[3], "month": m[4], "day": m[5],
		"date": strings.Join(m[3:], "-"), "timestamp": strings.Join(m[3:], "/")}
}

// A meaning is a query, and the same in Go.
type meaning struct {
	name  string
	query Query
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestAthenaMeaning runs the SQL of every layout on the acme trail: rows are as good as the records, and none that
// is wanted is missing.
func TestAthenaMeaning(t *testing.T) {
	tools := sqlTools(t)
	events, texts := acmeEvents(t)
	var records []sqlRecord
	for _, e := range events {
		records = append(records, sqlRecord{json.RawMessage(texts[e]), delivered(t, e.Origin.Path)})
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			testMeanings(t, tools, l, events, records, []meaning{
				{"everything", Query{}},
				{"denials", Query{Want: Denials}},
				{"errors since", Query{Want: Errors, Since: at("2026-11-19T10:00:00Z")}},
				{"findings in a region and time", Query{Want: Findings, Since: at("2026-11-19T09:00:00Z"), Until: at("2026-11-19T12:00:00Z"), Regions: []string{"eu-west-1"}}},
				{"accounts", Query{Want: Denials, Accounts: []string{"222222222222", "333333333333"}, Until: at("2026-11-19T23:59:59Z")}},
				{"nothing", Query{Until: at("2026-10-01T00:00:00Z")}},
			})
		})
	}
}

// TestAthenaMeaningRecorded does the same with a real trail.
func TestAthenaMeaningRecorded(t *testing.T) {
	tools := sqlTools(t)
	var events []*correlate.Event
	var records []sqlRecord
	files, err := filepath.Glob(filepath.Join(sharedData(t), "aws_dataset", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		for i, raw := range recordsOf(t, file) {
			e, err := correlate.DecodeEvent(raw)
			if err != nil {
				t.Fatal(err)
			}
			e.Origin = correlate.Origin{Path: file, Index: i}
			events = append(events, e)
			records = append(records, sqlRecord{raw, delivered(t, file)})
		}
	}
	slices.SortStableFunc(events, byTime)
	l := layouts[len(layouts)-1]
	testMeanings(t, tools, l, events, records, []meaning{{"everything", Query{}}, {"denials", Query{Want: Denials}}, {"errors", Query{Want: Errors}}})
}

func byTime(a, b *correlate.Event) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
}

// testMeanings compares what Athena gives to each query with the events of the records.
func testMeanings(t *testing.T, tools string, l tableLayout, events []*correlate.Event, records []sqlRecord, meanings []meaning) {
	t.Helper()
	table := l.table(t)
	var statements []*statement
	for _, m := range meanings {
		s, err := table.events(m.query)
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, s)
	}
	fake := l.onDuckDB(t, tools, records, statements)
	for _, m := range meanings {
		testMeaning(t, fake, l, m, events)
	}
}

func testMeaning(t *testing.T, fake *awsfake.Fake, l tableLayout, m meaning, events []*correlate.Event) {
	t.Helper()
	wanted := func(e *correlate.Event) bool {
		switch m.query.Want {
		case Denials:
			return len(correlate.DenialsOf(e, false)) > 0
		case Errors:
			return len(correlate.DenialsOf(e, true)) > 0
		case Findings:
			return len(correlate.DenialsOf(e, false)) > 0 || e.Source == "sts.amazonaws.com" && strings.HasPrefix(e.Name, "AssumeRole") && e.ErrorCode == "" || correlate.ChangesPolicies(e)
		}
		return true
	}
	inPartition := func(e *correlate.Event) bool {
		byAccount := slices.ContainsFunc(l.partitions, func(c columnText) bool { return c.name == "account" })
		return !byAccount || len(m.query.Accounts) == 0 || slices.Contains(m.query.Accounts, delivered(t, e.Origin.Path)["account"])
	}
	var want []*correlate.Event
	for _, e := range events {
		if wanted(e) && m.query.holds(e) && inPartition(e) {
			want = append(want, e)
		}
	}
	got := collect(t, trailTable, withoutWaiting(fake, m.query))
	if !slices.IsSortedFunc(got.events, byTime) {
		t.Errorf("%s: not in the order of time", m.name)
	}
	total := len(got.events)
	if m.query.Want != Everything && total >= len(events)*9/10 {
		t.Errorf("%s: %d of %d events came back: nothing is filtered", m.name, total, len(events))
	}
	got.events = slices.DeleteFunc(got.events, func(e *correlate.Event) bool { return !wanted(e) || !m.query.holds(e) })
	if len(got.events) != len(want) {
		t.Errorf("%s: %d events, want %d", m.name, len(got.events), len(want))
		return
	}
	lossy := 0
	lacking := l.table(t).lacking()
	for i, e := range got.events {
		record := want[i]
		if e.Origin.Lossy {
			lossy++
			record = withoutColumns(record, lacking)
		}
		if diff := gocmp.Diff(unplaced([]*correlate.Event{record}), unplaced([]*correlate.Event{e})); diff != "" {
			t.Errorf("%s: event %s (-record +row):\n%s", m.name, want[i].ID, diff)
		}
	}
	switch {
	case strings.HasPrefix(l.name, "printed") && lossy > 0:
		t.Errorf("%s: %d of %d rows are lossy, and the table has all columns", m.name, lossy, len(want))
	case strings.HasPrefix(l.name, "older") && lossy < len(want):
		t.Errorf("%s: %d of %d rows are lossy, and the table has no tlsdetails", m.name, lossy, len(want))
	case strings.HasPrefix(l.name, "documented") && m.name == "everything" && (lossy == 0 || lossy == len(want)):
		t.Errorf("%s: %d of %d rows are lossy; only sessions of roles have fields that the table lacks", m.name, lossy, len(want))
	}
}

// withoutColumns is an event without what a table has no column for.
func withoutColumns(e *correlate.Event, lacking []string) *correlate.Event {
	out := *e
	if s := e.Identity.Session; s != nil {
		session := *s
		out.Identity.Session = &session
	} else {
		out.Identity.Session = new(correlate.Session)
	}
	for _, column := range lacking {
		switch column {
		case "eventcategory":
			out.Category = ""
		case "vpcendpointaccountid":
			out.VPCEndpointAccount = ""
		case "sessioncredentialfromconsole":
			out.ConsoleSession = false
		case "tlsdetailstlsversion", "tlsdetailsciphersuite", "tlsdetailsclientprovidedhostheader":
			out.HasTLS, out.TLSVersion, out.TLSHost = false, "", ""
		case "useridentityidentityprovider":
			out.Identity.IdentityProvider = ""
		case "useridentityonbehalfofuserid", "useridentityonbehalfofidentitystorearn":
			out.Identity.OnBehalfOf = false
		case "useridentityinscopeofsourcearn":
			out.Identity.InScopeOf = ""
		case "useridentitysessioncontextsourceidentity":
			out.Identity.Session.SourceIdentity = ""
		case "useridentitysessioncontextec2roledelivery":
			out.Identity.Session.EC2RoleDelivery = ""
		case "useridentitysessioncontextassumedroot":
			out.Identity.Session.AssumedRoot = false
		case "useridentitysessioncontextwebidfederationdatafederatedprovider":
			out.Identity.Session.FederatedProvider = ""
		default:
			panic("no field for column " + column)
		}
	}
	if *out.Identity.Session == (correlate.Session{}) {
		out.Identity.Session = nil
	}
	return &out
}

// oddRecords are records that a filter in SQL could lose, or a row could spoil. Each has its own id and second.
var oddRecords = []string{
	// codes and messages (T40, T45)
	`"errorCode":"Client.UnauthorizedOperation"`,
	`"errorCode":"KMS.AccessDeniedException","errorMessage":""`,
	`"errorCode":"com.amazon.x#FORBIDDENEXCEPTION","errorMessage":"User: u is not authorized to perform: a:B"`,
	`"errorCode":"403","errorMessage":"Access Denied"`,
	`"errorMessage":"AccessDenied: User: u is not authorized to perform: a:B"`,
	`"errorCode":"InvalidInputException","errorMessage":"Not authorized to perform DescribeSecurityGroups"`,
	`"errorCode":"InvalidParameterValueException","errorMessage":"The provided execution role does not have permissions to call CreateNetworkInterface on EC2"`,
	`"errorCode":"InvalidParameterValueException","errorMessage":"The role defined for the function cannot be assumed by Lambda."`,
	`"errorCode":"ClientException","errorMessage":"ECS was UNABLE TO ASSUME the role"`,
	`"errorCode":"AuthFailure","errorMessage":"{\"Message\":\"User: u is not authorized to perform: a:B\"}"`,
	`"errorCode":"ThrottlingException","errorMessage":"Rate exceeded"`,
	`"errorCode":"ValidationError","errorMessage":"null"`,
	// failures of items (T46)
	`"responseElements":{"unsuccessful":{"items":[{"error":{"code":"UnauthorizedOperation","message":"no"},"resourceId":"fl-1"}]}}`,
	`"responseElements":{"errors":[{"errorCode":"AccessDenied","errorMessage":"You don't, \"really\" = {no}"}]},"errorCode":null`,
	`"responseElements":{"failures":[{"arn":"a","reason":"MISSING"}]}`,
	`"responseElements":{"permissions":"403, and all is well"}`,
	// identities
	`"userIdentity":{"type":"AssumedRole","principalId":"AROA:s","arn":"arn:aws:sts::111122223333:assumed-role/r/s, x=y}","accountId":"111122223333","accessKeyId":"ASIA",` +
		`"onBehalfOf":{"userId":"u","identityStoreArn":"i"},"inScopeOf":{"sourceArn":"arn:aws:lambda:eu-west-1:111122223333:function:f","issuerType":"AWS::Lambda::Function"},` +
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/r","accountId":"111122223333","userName":"r"},` +
		`"webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/x","attributes":{"x:aud":"y","z":"w"}},"sourceIdentity":"me","ec2RoleDelivery":"2.0",` +
		`"attributes":{"creationDate":"20261119T100000Z","mfaAuthenticated":"false"}}},"errorCode":"AccessDenied"`,
	`"userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":111122223333,"sessionContext":{"assumedRoot":true,"attributes":{"mfaAuthenticated":"true"}}},"errorCode":"AccessDenied"`,
	`"userIdentity":{"type":"WebIdentityUser","principalId":"p","userName":"ü \"x\"\n","identityProvider":"accounts.google.com"},"errorCode":"AccessDenied"`,
	`"userIdentity":{"type":"IAMUser","userName":"HIDDEN_DUE_TO_SECURITY_REASONS","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"mfaAuthenticated":"false"}}},"errorCode":"AccessDenied"`,
	`"userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"},"sharedEventID":"s","resources":[{"ARN":"arn:aws:s3:::b","accountId":"000022223333","type":"AWS::S3::Bucket"},{"ARNPrefix":"arn:aws:s3:::b/"},{"type":"AWS::S3::Object"}]`,
	// other fields
	`"eventCategory":"NetworkActivity","eventType":"AwsVpceEvent","errorCode":"VpceAccessDenied","errorMessage":"The request was denied due to a VPC endpoint policy","vpcEndpointId":"vpce-1","vpcEndpointAccountId":"444455556666"`,
	`"additionalEventData":{"vpcEndpointId":"vpce-2","a":"x & <y>"},"readOnly":true,"sessionCredentialFromConsole":"true"`,
	`"tlsDetails":{"cipherSuite":"x"},"requestParameters":{"policy":"{\"a\":[1.50,1e3,12345678901234567890]}","null":null,"b":false}`,
	`"tlsDetails":{"tlsVersion":"TLSv1.3","clientProvidedHostHeader":"b.s3.amazonaws.com"},"requestParameters":{},"responseElements":{"ü":"\u0000'"}`,
	`"recipientAccountId":"000000000001","awsRegion":"us-east-1","userAgent":"a,\"b\";c=d","sourceIPAddress":"AWS Internal","requestID":"r"`,
}

// TestAthenaMeaningOdd runs the SQL on records that are made to trip it.
func TestAthenaMeaningOdd(t *testing.T) {
	tools := sqlTools(t)
	var events []*correlate.Event
	var records []sqlRecord
	for i, fields := range oddRecords {
		text := "{" + fields
		for _, d := range [][2]string{
			{"eventVersion", `"1.11"`}, {"eventName", `"PutThing"`}, {"eventSource", `"thing.amazonaws.com"`}, {"awsRegion", `"eu-west-1"`}, {"eventType", `"AwsApiCall"`},
			{"eventID", fmt.Sprintf(`"odd-%02d"`, i)}, {"eventTime", fmt.Sprintf(`"2026-11-19T10:00:%02dZ"`, i)}, {"requestParameters", "null"}, {"responseElements", "null"},
		} {
			if network := strings.Contains(fields, "NetworkActivity") && d[1] == "null"; !strings.Contains(fields, `"`+d[0]+`":`) && !network {
				text += `,"` + d[0] + `":` + d[1]
			}
		}
		raw := json.RawMessage(text + "}")
		e, err := correlate.DecodeEvent(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		e.Origin = correlate.Origin{Path: "/111122223333/CloudTrail/eu-west-1/2026/11/19/"}
		events = append(events, e)
		records = append(records, sqlRecord{raw, delivered(t, e.Origin.Path)})
	}
	l := layouts[len(layouts)-1]
	testMeanings(t, tools, l, events, records, []meaning{
		{"everything", Query{}}, {"denials", Query{Want: Denials}}, {"findings", Query{Want: Findings}}, {"errors", Query{Want: Errors}},
	})
}

// TestAthenaDays: of the days of three years, each layout's conditions read those that are asked for, and a day more (T9),
// and no other.
func TestAthenaDays(t *testing.T) {
	tools := sqlTools(t)
	var records []sqlRecord
	for day := at("2024-12-01T00:00:00Z"); day.Before(at("2027-03-01T00:00:00Z")); day = day.AddDate(0, 0, 1) {
		text := day.Format("2006-01-02")
		p := delivered(t, "/111122223333/CloudTrail/eu-west-1/"+day.Format("2006/01/02")+"/")
		p["month"], p["day"] = day.Format("1"), day.Format("2") // without zeros; the acme trail has some
		records = append(records, sqlRecord{json.RawMessage(`{"eventID":"` + text + `"}`), p})
	}
	windows := [][2]string{
		{"2025-06-10", "2025-06-12"}, {"2025-06-29", "2025-06-30"}, {"2025-12-30", "2025-12-31"}, {"2024-12-15", "2026-01-15"},
		{"2026-01-01", "2026-12-31"}, {"2025-02-28", "2025-03-01"}, {"2026-09-09", "2026-10-10"}, {"", "2025-01-01"}, {"2026-11-30", ""}, {"", ""},
	}
	for _, l := range layouts {
		if len(l.partitions) == 0 {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			table := l.table(t)
			task := sqlTask{Database: "logs", Table: "cloudtrail", Columns: l.sqlColumns(), Records: records}
			for _, w := range windows {
				var q Query
				if w[0] != "" {
					q.Since = at(w[0] + "T23:59:59Z")
				}
				if w[1] != "" {
					q.Until = at(w[1] + "T00:00:00Z")
				}
				conditions, unused, err := table.prune(q)
				if err != nil || len(unused) > 0 {
					t.Fatalf("unused keys %v, %v", unused, err)
				}
				var where where
				where.addAll(conditions)
				task.Statements = append(task.Statements, sqlStatement{"SELECT eventid " + table.from(&where) + " ORDER BY eventid", (&statement{values: where.values}).parameters()})
			}
			for i, r := range runSQL(t, tools, task) {
				var want, got []string
				for _, record := range records {
					day := string(record.Record[len(`{"eventID":"`):][:10])
					last := ""
					if windows[i][1] != "" {
						last = at(windows[i][1]+"T00:00:00Z").AddDate(0, 0, 1).Format("2006-01-02")
					}
					if day >= windows[i][0] && (last == "" || day <= last) {
						want = append(want, day)
					}
				}
				for _, row := range r.Rows {
					got = append(got, *row[0])
				}
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("%v: %s (-want +got):\n%s", windows[i], task.Statements[i].SQL, diff)
				}
			}
		})
	}
}
