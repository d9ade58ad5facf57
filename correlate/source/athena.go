package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/smithy-go"

	"github.com/iamwhy/iamwhy/correlate"
)

// openAthena opens athena:WORKGROUP/DATABASE.TABLE: it asks for the table's metadata. The query runs when
// the events are read, which come ordered by time.
func openAthena(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	a, t, err := dialAthena(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	stmt, err := t.events(opts.Query)
	if err != nil {
		return nil, err
	}
	return func(yield func(*correlate.Event, error) bool) {
		emit := func(e *correlate.Event, err error) error {
			if !yield(e, err) {
				return errStopped
			}
			return ctx.Err()
		}
		if err := a.events(ctx, t, stmt, emit); err != nil && err != errStopped {
			yield(nil, err)
		}
	}, nil
}

// events runs a statement and gives the events of its rows to emit.
func (a *athenaClient) events(ctx context.Context, t *athenaTable, stmt *statement, emit emit) error {
	records := &text{in: &input{ctx: ctx, opts: a.opts, emit: emit}, path: t.path()}
	r := rows{t: records, complete: true, lacks: t.lacks()}
	r.setHeader(stmt.columns)
	defer records.count()
	err := a.query(ctx, stmt, func(n *Notice) error { return emit(nil, n) }, func(values []string) error {
		at := place{index: records.index}
		records.index++
		return r.row(at, values)
	})
	if err != nil {
		return err
	}
	for _, s := range records.skips {
		if err := emit(nil, &s); err != nil {
			return err
		}
	}
	return nil
}

// athenaAPI is what is asked of Athena.
type athenaAPI interface {
	athena.GetQueryResultsAPIClient
	GetTableMetadata(context.Context, *athena.GetTableMetadataInput, ...func(*athena.Options)) (*athena.GetTableMetadataOutput, error)
	StartQueryExecution(context.Context, *athena.StartQueryExecutionInput, ...func(*athena.Options)) (*athena.StartQueryExecutionOutput, error)
	GetQueryExecution(context.Context, *athena.GetQueryExecutionInput, ...func(*athena.Options)) (*athena.GetQueryExecutionOutput, error)
	StopQueryExecution(context.Context, *athena.StopQueryExecutionInput, ...func(*athena.Options)) (*athena.StopQueryExecutionOutput, error)
}

// An athenaClient runs queries.
type athenaClient struct {
	athenaName
	api  athenaAPI
	opts Options
}

// How Athena is asked. Its rates are those of an account, which others use, too; so a call that is throttled is
// tried again more often than the SDK would.
const (
	athenaAttempts = 8
	athenaPage     = 1000 // rows, the most that GetQueryResults gives

	firstLook = 500 * time.Millisecond // after a query began
	lastLook  = 5 * time.Second
)

// dialAthena reads a source and the metadata of its table.
func dialAthena(ctx context.Context, src string, opts Options) (*athenaClient, *athenaTable, error) {
	name, err := parseAthena(src)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := opts.AWS.config(ctx, "")
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name.path(), err)
	}
	a := &athenaClient{athenaName: name, opts: opts}
	a.api = athena.NewFromConfig(cfg, func(o *athena.Options) { o.RetryMaxAttempts = athenaAttempts })
	t, err := a.table(ctx)
	return a, t, err
}

// table reads the table's metadata.
func (a *athenaClient) table(ctx context.Context) (*athenaTable, error) {
	out, err := a.api.GetTableMetadata(ctx, &athena.GetTableMetadataInput{
		CatalogName: aws.String(catalog), DatabaseName: &a.database, TableName: &a.athenaName.table, WorkGroup: &a.workgroup,
	})
	if err != nil {
		return nil, a.failed(ctx, "reading the table's metadata", err)
	}
	return newAthenaTable(a.athenaName, out.TableMetadata)
}

// failed is the error of a call, with what can be done about it.
func (a *athenaClient) failed(ctx context.Context, doing string, err error) error {
	err = a.opts.AWS.failure(ctx, a.path()+": "+doing, err)
	if call := new(AWSError); errors.As(err, &call) {
		if step := athenaStep(call.Error()); step != "" {
			return &AWSError{Err: fmt.Errorf("%w; %s", call.Err, step)}
		}
	}
	return err
}

// query runs a statement and gives each of its rows to row: a text for each column, which is "" for a
// NULL. What is to be known of it goes to note. If ctx ends, or looking after the query fails, the query is stopped.
func (a *athenaClient) query(ctx context.Context, stmt *statement, note func(*Notice) error, row func([]string) error) error {
	defer a.opts.Progress.Stage.Store(nil)
	for _, text := range stmt.notices {
		if err := note(&Notice{Text: text}); err != nil {
			return err
		}
	}
	a.stage("starting the query")
	id, err := a.start(ctx, stmt)
	if err != nil {
		return err
	}
	scanned, err := a.await(ctx, id)
	if err != nil {
		return err
	}
	if err := note(&Notice{Text: fmt.Sprintf("%s: query %s scanned %s", a.path(), id, byteSize(scanned))}); err != nil {
		return err
	}
	a.stage("reading the results")
	return a.results(ctx, id, stmt, row)
}

func (a *athenaClient) stage(what string) {
	text := a.path() + ": " + what
	a.opts.Progress.Stage.Store(&text)
}

// start begins a query. A call that the user has given up is answered all the same: a query that was
// begun, and whose id nobody knows, could not be stopped. The SDK sends a ClientRequestToken, so that a call that is tried
// again begins no second query.
func (a *athenaClient) start(ctx context.Context, stmt *statement) (id string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	out, err := a.api.StartQueryExecution(patient, &athena.StartQueryExecutionInput{
		QueryString:           &stmt.sql,
		ExecutionParameters:   stmt.parameters(),
		QueryExecutionContext: &types.QueryExecutionContext{Catalog: aws.String(catalog), Database: &a.database},
		WorkGroup:             &a.workgroup,
	})
	if err != nil {
		return "", a.failed(ctx, "starting the query in workgroup "+a.workgroup, err)
	}
	return aws.ToString(out.QueryExecutionId), nil
}

// await waits until a query has succeeded, and returns how many bytes it scanned.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html
func (a *athenaClient) await(ctx context.Context, id string) (scanned int64, err error) {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		out, err := a.api.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: &id})
		switch {
		case err == nil:
			done, err := a.look(id, out.QueryExecution)
			if done || err != nil {
				return scannedBytes(out.QueryExecution), err
			}
		case !isThrottling(err) || ctx.Err() != nil:
			return 0, a.stop(ctx, id, a.failed(ctx, "looking after query "+id, err))
		}
		if err := a.opts.wait(ctx, pause); err != nil {
			return 0, a.stop(ctx, id, err)
		}
	}
}

// look reports whether a query has succeeded; its end without success is an error.
func (a *athenaClient) look(id string, q *types.QueryExecution) (done bool, err error) {
	if q == nil || q.Status == nil {
		return false, nil
	}
	switch state := q.Status.State; state {
	case types.QueryExecutionStateSucceeded:
		return true, nil
	case types.QueryExecutionStateFailed, types.QueryExecutionStateCancelled:
		text := fmt.Sprintf("%s: query %s was %s", a.path(), id, strings.ToLower(string(state)))
		if state == types.QueryExecutionStateFailed {
			text = fmt.Sprintf("%s: query %s failed", a.path(), id)
		}
		reason := onOneLine(aws.ToString(q.Status.StateChangeReason))
		if reason != "" {
			text += ": " + reason
		}
		if step := athenaStep(reason); step != "" {
			text += "; " + step
		}
		return false, &AWSError{Err: errors.New(text)}
	default:
		what := "query " + strings.ToLower(string(state))
		if n := scannedBytes(q); n > 0 {
			what += ", " + byteSize(n) + " scanned"
		}
		a.stage(what)
		return false, nil
	}
}

func scannedBytes(q *types.QueryExecution) int64 {
	if q == nil || q.Statistics == nil {
		return 0
	}
	return aws.ToInt64(q.Statistics.DataScannedInBytes)
}

// stop ends a query that nobody waits for any more, and says so in the error.
func (a *athenaClient) stop(ctx context.Context, id string, why error) error {
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := a.api.StopQueryExecution(fresh, &athena.StopQueryExecutionInput{QueryExecutionId: &id}); err != nil {
		return fmt.Errorf("%w; query %s couldn't be stopped, goes on and costs (%s): aws athena stop-query-execution --query-execution-id %[2]s", why, id, inShort(err))
	}
	return fmt.Errorf("%w; query %s was stopped", why, id)
}

// results gives the rows of a query to row. The first row of the first page is the header.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
func (a *athenaClient) results(ctx context.Context, id string, stmt *statement, row func([]string) error) error {
	pages := athena.NewGetQueryResultsPaginator(a.api, &athena.GetQueryResultsInput{QueryExecutionId: &id, MaxResults: aws.Int32(athenaPage)})
	for first := true; pages.HasMorePages(); first = false {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return a.failed(ctx, "reading the results of query "+id, err)
		}
		if page.ResultSet == nil {
			continue
		}
		list := page.ResultSet.Rows
		if first && len(list) > 0 {
			list = list[1:]
		}
		for _, r := range list {
			values := make([]string, len(r.Data))
			for i, d := range r.Data {
				values[i] = aws.ToString(d.VarCharValue)
			}
			if err := row(values); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// isThrottling reports whether a call came too soon after others.
func isThrottling(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ThrottlingException", "TooManyRequestsException":
		return true
	}
	return false
}

// athenaSteps are what to do about what Athena says, by words of it; the first that fits counts.
//
// https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html
var athenaSteps = []struct{ words, step string }{
	{"output location", "the workgroup has no place for results: set one (aws athena update-work-group), or name a workgroup that has one"},
	{"writing output", "the caller needs s3:PutObject, s3:GetObject and s3:GetBucketLocation where the workgroup puts its results"},
	{"verify/create output bucket", "the caller needs s3:PutObject, s3:GetObject and s3:GetBucketLocation where the workgroup puts its results"},
	{"on S3 path", "the caller needs s3:GetObject and s3:ListBucket there, and kms:Decrypt on the trail's key if the logs are encrypted with one"},
	{"Lake Formation", "Lake Formation has to grant the caller SELECT on the table"},
	{"glue:", "the caller needs it on the data catalog, the database and the table"},
	{"WorkGroup", "aws athena list-work-groups lists those there are"},
	{"EntityNotFoundException", "aws athena list-table-metadata lists the tables of a database; iamwhy events --print-ddl s3://bucket/prefix prints a definition for those who have none"},
	{"ytes scanned limit", "the workgroup limits what a query may read: narrow it with --since, --until, --region, --account"},
	{"exhausted resources", "narrow the query with --since, --until, --region, --account"},
	{"HIVE_CURSOR_ERROR", "a log file can't be read by the table's SerDe: reading its bucket as s3:// goes on after such a file"},
	{"HIVE_BAD_DATA", "a log file can't be read by the table's SerDe: reading its bucket as s3:// goes on after such a file"},
}

// athenaStep is what the user can do about an error of Athena's; "" if that isn't known.
func athenaStep(text string) string {
	for _, s := range athenaSteps {
		if strings.Contains(text, s.words) {
			return s.step
		}
	}
	return ""
}

// onOneLine is text without its line breaks.
func onOneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// byteSize is a number of bytes to be read by people.
func byteSize(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, i := float64(n)/1000, 0
	for ; size >= 999.95 && i < len(units)-1; i++ {
		size /= 1000
	}
	return fmt.Sprintf("%.1f %cB", size, units[i])
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// AthenaQuery returns the SQL that [Open] would run for an athena: source, with the values of its
// parameters, and runs nothing. Where the table's metadata can't be read, the layout that AWS
// documents today is assumed, and a comment in the text says so.
func AthenaQuery(ctx context.Context, src string, opts Options) (string, error) {
	return printedQuery(ctx, src, opts, (*athenaTable).events)
}

// AthenaCallsQuery returns the SQL that [Calls] would run, as AthenaQuery does that of Open.
func AthenaCallsQuery(ctx context.Context, src string, opts Options) (string, error) {
	return printedQuery(ctx, src, opts, (*athenaTable).calls)
}

func printedQuery(ctx context.Context, src string, opts Options, of func(*athenaTable, Query) (*statement, error)) (string, error) {
	opts = opts.withDefaults()
	name, err := parseAthena(src)
	if err != nil {
		return "", err
	}
	_, t, err := dialAthena(ctx, src, opts)
	var call *AWSError
	var head []string
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &call):
		head = append(head, "The table's metadata couldn't be read, so the layout of AWS's guide is assumed, partitioned by one projected timestamp:", onOneLine(err.Error()))
		t = documentedTable(name)
	case err != nil:
		return "", err
	}
	stmt, err := of(t, opts.Query)
	if err != nil {
		return "", err
	}
	head = append(head, stmt.notices...)
	head = append(head, "Workgroup: "+name.workgroup)
	if len(stmt.values) > 0 {
		head = append(head, "These values are sent beside the text, as execution parameters: "+strings.Join(stmt.parameters(), ", "))
	}
	return comments(head) + stmt.String() + "\n", nil
}

// comments are lines of SQL that say something to people.
func comments(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("-- " + onOneLine(line) + "\n")
	}
	return b.String()
}
