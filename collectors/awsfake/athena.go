package awsfake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An Athena is Amazon Athena with one data catalog. Its fields aren't for change once calls are made.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
type Athena struct {
	Tables     map[string]AthenaTable // by database.table
	WorkGroups []string               // nil has any
	// Query answers a query; nil is a query without columns and rows.
	Query func(AthenaStatement) AthenaQuery

	mu      sync.Mutex
	queries []*runningAthenaQuery
}

// An AthenaTable is a table's metadata.
type AthenaTable struct {
	Columns, PartitionKeys []AthenaColumn
	Parameters             map[string]string
}

// An AthenaColumn is a column of a table.
type AthenaColumn struct{ Name, Type string }

// An AthenaStatement is what StartQueryExecution is given.
type AthenaStatement struct {
	SQL                string
	Parameters         []string
	WorkGroup          string
	Catalog, Database  string
	ClientRequestToken string
}

// An AthenaQuery is what becomes of a query.
type AthenaQuery struct {
	Refuse  Reply      // of StartQueryExecution, if it isn't the zero Reply
	States  []string   // that GetQueryExecution tells one after the other, the last one for ever; nil is QUEUED, RUNNING, SUCCEEDED
	Reason  string     // of the last state
	Columns []string   // the header
	Rows    [][]string // "" is a NULL
	Bytes   int64      // scanned
}

type runningAthenaQuery struct {
	AthenaQuery
	token string
	asked int
}

// Operations returns the rows of Athena.
func (a *Athena) Operations() (string, map[string]Handler) {
	return "athena", map[string]Handler{
		"GetTableMetadata":    a.getTableMetadata,
		"StartQueryExecution": a.startQueryExecution,
		"GetQueryExecution":   a.getQueryExecution,
		"StopQueryExecution":  a.stopQueryExecution,
		"GetQueryResults":     a.getQueryResults,
	}
}

// getTableMetadata describes a table.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetTableMetadata.html
func (a *Athena) getTableMetadata(c *Call) Reply {
	var in struct{ CatalogName, DatabaseName, TableName string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	t, ok := a.Tables[in.DatabaseName+"."+in.TableName]
	if !ok || in.CatalogName != "AwsDataCatalog" {
		return Error("MetadataException", "EntityNotFoundException: Entity Not Found (Service: AWSGlue; Status Code: 400; Error Code: EntityNotFoundException)")
	}
	return JSON(map[string]any{"TableMetadata": map[string]any{
		"Name": in.TableName, "TableType": "EXTERNAL_TABLE", "Columns": t.Columns, "PartitionKeys": t.PartitionKeys, "Parameters": t.Parameters,
	}})
}

// startQueryExecution begins a query, or gives the one that was begun with the same token.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
func (a *Athena) startQueryExecution(c *Call) Reply {
	var in struct {
		ClientRequestToken    string
		QueryString           string
		ExecutionParameters   []string
		WorkGroup             string
		QueryExecutionContext struct{ Catalog, Database string }
	}
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	switch {
	case a.WorkGroups != nil && !slices.Contains(a.WorkGroups, in.WorkGroup):
		return Error("InvalidRequestException", "WorkGroup "+in.WorkGroup+" is not found.")
	case len(in.ClientRequestToken) < 32:
		return Error("InvalidRequestException", "Idempotent parameters: the token has fewer than 32 characters.")
	case in.ExecutionParameters != nil && len(in.ExecutionParameters) == 0:
		return Error("InvalidRequestException", "ExecutionParameters must have 1 item at least.")
	case slices.ContainsFunc(in.ExecutionParameters, func(p string) bool { return p == "" || len(p) > 1024 }):
		return Error("InvalidRequestException", "An execution parameter must have 1 to 1024 characters.")
	}
	if want := strings.Count(outsideQuotes(in.QueryString), "?"); want != len(in.ExecutionParameters) {
		return Error("InvalidRequestException", fmt.Sprintf("Incorrect number of parameters: expected %d but found %d", want, len(in.ExecutionParameters)))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, q := range a.queries {
		if q.token == in.ClientRequestToken {
			return JSON(map[string]string{"QueryExecutionId": athenaID(i)})
		}
	}
	q := &runningAthenaQuery{token: in.ClientRequestToken}
	if a.Query != nil {
		q.AthenaQuery = a.Query(AthenaStatement{in.QueryString, in.ExecutionParameters, in.WorkGroup, in.QueryExecutionContext.Catalog, in.QueryExecutionContext.Database, in.ClientRequestToken})
	}
	if q.Refuse.code != "" || q.Refuse.Status != 0 {
		return q.Refuse
	}
	if q.States == nil {
		q.States = []string{"QUEUED", "RUNNING", "SUCCEEDED"}
	}
	a.queries = append(a.queries, q)
	return JSON(map[string]string{"QueryExecutionId": athenaID(len(a.queries) - 1)})
}

func athenaID(i int) string { return fmt.Sprintf("a1b2c3d4-1111-4000-8000-%012d", i+1) }

// outsideQuotes is SQL without its texts and quoted names.
func outsideQuotes(sql string) string {
	var b strings.Builder
	quote := rune(0)
	for _, r := range sql {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == r:
			quote = 0
		case quote == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// find returns the query of an id. a.mu is held.
func (a *Athena) find(id string) (*runningAthenaQuery, *Reply) {
	for i, q := range a.queries {
		if athenaID(i) == id {
			return q, nil
		}
	}
	r := Error("InvalidRequestException", "QueryExecution "+id+" was not found")
	return nil, &r
}

// state is the query's after it was looked at n times.
func (q *runningAthenaQuery) state(n int) string { return q.States[max(0, min(n, len(q.States)-1))] }

// getQueryExecution tells how a query does. Each look at it brings it one further.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryExecution.html
func (a *Athena) getQueryExecution(c *Call) Reply {
	var in struct{ QueryExecutionID string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q, bad := a.find(in.QueryExecutionID)
	if bad != nil {
		return *bad
	}
	status := map[string]any{"State": q.state(q.asked)}
	if q.asked >= len(q.States)-1 && q.Reason != "" {
		status["StateChangeReason"] = q.Reason
	}
	q.asked++
	return JSON(map[string]any{"QueryExecution": map[string]any{
		"QueryExecutionId": in.QueryExecutionID, "Status": status, "Statistics": map[string]any{"DataScannedInBytes": q.Bytes},
	}})
}

// stopQueryExecution ends a query.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html
func (a *Athena) stopQueryExecution(c *Call) Reply {
	var in struct{ QueryExecutionID string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q, bad := a.find(in.QueryExecutionID)
	if bad != nil {
		return *bad
	}
	q.States, q.Reason = []string{"CANCELLED"}, "Query cancelled by user"
	return JSON(map[string]any{})
}

// getQueryResults gives a page of the rows, of which the header is the first.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
func (a *Athena) getQueryResults(c *Call) Reply {
	var in struct {
		QueryExecutionID string
		NextToken        string
		MaxResults       *int
	}
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	size := 1000
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	if size < 1 || size > 1000 {
		return Error("InvalidRequestException", "MaxResults is more than maximum allowed length 1000.")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q, bad := a.find(in.QueryExecutionID)
	if bad != nil {
		return *bad
	}
	if state := q.state(q.asked - 1); state != "SUCCEEDED" {
		return Error("InvalidRequestException", "Query has not yet finished. Current state: "+state)
	}
	from := 0
	if in.NextToken != "" {
		n, err := strconv.Atoi(in.NextToken)
		if err != nil || n < 0 || n > len(q.Rows) {
			return Error("InvalidRequestException", "The NextToken is invalid.")
		}
		from = n
	}
	all := append([][]string{q.Columns}, q.Rows...)
	end := min(from+size, len(all))
	type datum struct {
		VarCharValue string `json:",omitempty"`
	}
	rows := []any{}
	for _, values := range all[from:end] {
		data := make([]datum, len(values))
		for i, v := range values {
			data[i].VarCharValue = v
		}
		rows = append(rows, map[string]any{"Data": data})
	}
	out := map[string]any{"ResultSet": map[string]any{"Rows": rows}}
	if end < len(all) {
		out["NextToken"] = strconv.Itoa(end)
	}
	return JSON(out)
}
