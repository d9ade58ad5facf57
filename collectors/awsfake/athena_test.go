package awsfake

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func athenaOf(a *Athena) *athena.Client { return athena.NewFromConfig(New(a).Config("eu-west-1")) }

// TestAthenaQuery: a query has results once it has succeeded, in pages whose first row is the header.
func TestAthenaQuery(t *testing.T) {
	ctx := context.Background()
	client := athenaOf(&Athena{Query: func(s AthenaStatement) AthenaQuery {
		return AthenaQuery{Columns: []string{"a", "b"}, Rows: [][]string{{s.Parameters[0], ""}, {"3", "4"}}, Bytes: 7}
	}})
	start, err := client.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: aws.String("SELECT '?' WHERE a = ?"), ExecutionParameters: []string{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	results := &athena.GetQueryResultsInput{QueryExecutionId: start.QueryExecutionId, MaxResults: aws.Int32(2)}
	for _, want := range []types.QueryExecutionState{types.QueryExecutionStateQueued, types.QueryExecutionStateRunning, types.QueryExecutionStateSucceeded} {
		if _, err := client.GetQueryResults(ctx, results); err == nil {
			t.Error("results of a query that hasn't succeeded")
		}
		out, err := client.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: start.QueryExecutionId})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.QueryExecution.Status.State; got != want {
			t.Errorf("state %s, want %s", got, want)
		}
		if n := aws.ToInt64(out.QueryExecution.Statistics.DataScannedInBytes); n != 7 {
			t.Errorf("%d bytes scanned", n)
		}
	}
	var pages []string
	for p := athena.NewGetQueryResultsPaginator(client, results); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, row := range page.ResultSet.Rows {
			for _, d := range row.Data {
				if d.VarCharValue == nil {
					b.WriteString("NULL")
				}
				b.WriteString(aws.ToString(d.VarCharValue) + " ")
			}
		}
		pages = append(pages, b.String())
	}
	if got := strings.Join(pages, "| "); got != "a b 1 NULL | 3 4 " {
		t.Errorf("pages %s", got)
	}
}

// TestAthenaStop: a query that is stopped is cancelled.
func TestAthenaStop(t *testing.T) {
	ctx := context.Background()
	client := athenaOf(&Athena{})
	start, err := client.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{QueryString: aws.String("SELECT 1")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.StopQueryExecution(ctx, &athena.StopQueryExecutionInput{QueryExecutionId: start.QueryExecutionId}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: start.QueryExecutionId})
	if err != nil || out.QueryExecution.Status.State != types.QueryExecutionStateCancelled {
		t.Errorf("%v, %v", out, err)
	}
}

// TestAthenaToken: a start that comes twice with one token begins one query.
func TestAthenaToken(t *testing.T) {
	ctx := context.Background()
	client := athenaOf(&Athena{})
	in := &athena.StartQueryExecutionInput{QueryString: aws.String("SELECT 1"), ClientRequestToken: aws.String(strings.Repeat("x", 32))}
	var ids []string
	for range 2 {
		out, err := client.StartQueryExecution(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, *out.QueryExecutionId)
	}
	if ids[0] != ids[1] {
		t.Errorf("queries %v", ids)
	}
}

// TestAthenaRefuses: what AWS refuses.
func TestAthenaRefuses(t *testing.T) {
	ctx := context.Background()
	client := athenaOf(&Athena{WorkGroups: []string{"primary"}, Tables: map[string]AthenaTable{"d.t": {Columns: []AthenaColumn{{"a", "string"}}}}})
	start := func(sql, workgroup, token string, parameters ...string) func() error {
		return func() error {
			_, err := client.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{
				QueryString: &sql, WorkGroup: &workgroup, ExecutionParameters: parameters, ClientRequestToken: aws.String(token + strings.Repeat("x", 32)),
			})
			return err
		}
	}
	table := func(name string) func() error {
		return func() error {
			_, err := client.GetTableMetadata(ctx, &athena.GetTableMetadataInput{CatalogName: aws.String("AwsDataCatalog"), DatabaseName: aws.String("d"), TableName: &name})
			return err
		}
	}
	for _, test := range []struct {
		name string
		call func() error
		want string // the error's code; "" if there is none
	}{
		{"table", table("t"), ""},
		{"no such table", table("u"), "MetadataException"},
		{"query", start("SELECT 1", "primary", "a"), ""},
		{"no such workgroup", start("SELECT 1", "other", "b"), "InvalidRequestException"},
		{"too few parameters", start("SELECT ?", "primary", "c"), "InvalidRequestException"},
		{"too many parameters", start(`SELECT "?"`, "primary", "d", "1"), "InvalidRequestException"},
		{"a parameter that is too long", start("SELECT ?", "primary", "e", strings.Repeat("1", 1025)), "InvalidRequestException"},
		{"no such query", func() error {
			_, err := client.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: aws.String("x")})
			return err
		}, "InvalidRequestException"},
	} {
		err := test.call()
		var api smithy.APIError
		switch {
		case test.want == "" && err == nil:
		case !errors.As(err, &api) || api.ErrorCode() != test.want:
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestAthenaTrail: a trail's table has what its definition says, and a query of it the records' values.
func TestAthenaTrail(t *testing.T) {
	table := AthenaTableOf("CREATE EXTERNAL TABLE `t` (\n  `a` string,\n  `u` struct<b:string,c:map<string,int>>\n)\nPARTITIONED BY (`region` string)\n" +
		"ROW FORMAT SERDE 's'\nTBLPROPERTIES (\n  'x' = 'y',\n  'projection.region.type' = 'injected'\n);")
	want := AthenaTable{
		Columns: []AthenaColumn{{"a", "string"}, {"u", "struct<b:string,c:map<string,int>>"}}, PartitionKeys: []AthenaColumn{{"region", "string"}},
		Parameters: map[string]string{"x": "y", "projection.region.type": "injected"},
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	q := Trail([]string{`{"eventTime":"2","U":{"B":"x"},"readOnly":true}`, `{"eventTime":"1","a":null,"u":7}`})(AthenaStatement{SQL: "SELECT eventtime,\n  a,\n  u.b AS u_b,\n  readonly\nFROM t"})
	if diff := cmp.Diff([][]string{{"eventtime", "a", "u_b", "readonly"}, {"1", "", "", ""}, {"2", "", "x", "true"}}, append([][]string{q.Columns}, q.Rows...)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if q := Trail(nil)(AthenaStatement{SQL: "DROP TABLE t"}); q.Refuse.code == "" {
		t.Error("no SELECT, and no error")
	}
}
