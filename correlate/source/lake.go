package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/iamwhy/iamwhy/correlate"
)

// A lake is a query of an event data store of CloudTrail Lake (T17). Lake takes no new customers: nothing
// here recommends it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-lake-cli.html
type lake struct {
	src    string // for errors
	opts   Options
	client *cloudtrail.Client
	region string
	store  string  // id
	owner  *string // account of the store, if it isn't the caller's

	sql     string
	notices []string
}

const (
	lakePrefix = "lake:"
	// lakeWindow is what is asked for without --since: a store may have ten years, and all that is scanned is paid for.
	lakeWindow = 90 * 24 * time.Hour
	// lakePage is how many rows are fetched, and held, at once; a row is a record of up to 1 MB (T17c).
	lakePage = 250
	// lakeCancelling is how long cancelling a query may take, when nobody waits for its answer any more.
	lakeCancelling = 5 * time.Second
	// lakeStarting is how long starting one may take at most.
	lakeStarting = 30 * time.Second
)

// openLake opens lake:EVENT-DATA-STORE, which is its id, ARN or name.
func openLake(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	l := &lake{src: printable(src), opts: opts}
	if err := l.open(ctx, strings.TrimPrefix(src, lakePrefix)); err != nil {
		return nil, fmt.Errorf("%s: %w", l.src, err)
	}
	return l.events(ctx), nil
}

// storeID is what the id of an event data store looks like.
var storeID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// open finds the store and makes the query.
func (l *lake) open(ctx context.Context, store string) error {
	if store == "" {
		return errors.New("no event data store; want its id, ARN or name, as in lake:my-store")
	}
	l.store = store
	a, err := arn.Parse(store)
	isARN := err == nil
	if isARN {
		kind, id, _ := strings.Cut(a.Resource, "/")
		if a.Service != "cloudtrail" || kind != "eventdatastore" || !storeID.MatchString(id) {
			return errors.New("not the ARN of an event data store")
		}
		l.store, l.region = id, a.Region
	}
	cfg, err := l.opts.AWS.config(ctx, l.region)
	if err != nil {
		return err
	}
	l.client = cloudtrail.NewFromConfig(cfg)
	l.region = cfg.Region
	if isARN {
		if who, err := cfg.Credentials.Retrieve(ctx); err == nil && who.AccountID != "" && who.AccountID != a.AccountID {
			l.owner = &a.AccountID
		}
	}
	if !storeID.MatchString(l.store) {
		if l.store, err = l.find(ctx, l.store); err != nil {
			return err
		}
	}
	return l.makeSQL()
}

// find returns the id of the store that has a name.
func (l *lake) find(ctx context.Context, name string) (string, error) {
	var names []string
	pages := cloudtrail.NewListEventDataStoresPaginator(l.client, &cloudtrail.ListEventDataStoresInput{})
	for pages.HasMorePages() {
		page, err := patiently(ctx, l.opts, pages.NextPage)
		if err != nil {
			return "", l.opts.AWS.failure(ctx, "looking for the event data store", err)
		}
		for _, s := range page.EventDataStores {
			if aws.ToString(s.Name) == name {
				a := aws.ToString(s.EventDataStoreArn)
				id := a[strings.LastIndexByte(a, '/')+1:]
				if !storeID.MatchString(id) { // it becomes part of the query
					return "", fmt.Errorf("its ARN has no id that is known as such: %q", a)
				}
				return id, nil
			}
			names = append(names, fmt.Sprintf("%q", aws.ToString(s.Name)))
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("no event data stores in %s: give --region, or read s3:// or athena: instead", l.region)
	}
	return "", fmt.Errorf("no event data store of that name in %s, which has %s", l.region, strings.Join(names, ", "))
}

// makeSQL makes the query. A row is a record as it was written: eventJson is a column of every
// store of CloudTrail events. StartQuery takes no parameters for a statement, so that values
// stand in it as text.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html and
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartQuery.html
func (l *lake) makeSQL() error {
	q := l.opts.Query
	until, since := l.opts.now(), q.Since
	if !q.Until.IsZero() {
		until = q.Until
	}
	if since.IsZero() {
		since = until.Add(-lakeWindow)
		l.notices = append(l.notices, fmt.Sprintf("%s: no --since: asking for the 90 days from %s on", l.src, since.UTC().Format(time.RFC3339)))
	}
	w, err := lakeWhere(q, since, until)
	if err != nil {
		return err
	}
	s := statement{sql: "SELECT eventJson\nFROM " + l.store + "\nWHERE " + strings.Join(w.parts, "\n  AND ") + "\nORDER BY eventTime, eventID", values: w.values}
	l.sql = s.String()
	return nil
}

// lakeWhere makes the WHERE clause, which is always bounded in time (T17b). Only filters that surely lose nothing are
// part of it: a principal, service or action may be told by the message alone. So may an account, but somewhere
// in the record it stands.
func lakeWhere(q Query, since, until time.Time) (*where, error) {
	for _, v := range [][]string{q.Regions, q.Accounts, q.AccessKeys} {
		for _, value := range v {
			if err := quotable(value); err != nil {
				return nil, err
			}
		}
	}
	var asked where
	if len(q.Regions) > 0 {
		asked.addAll([]condition{in("awsRegion", q.Regions)})
	}
	if len(q.AccessKeys) > 0 {
		asked.addAll([]condition{in("userIdentity.accessKeyId", q.AccessKeys)})
	}
	if len(q.Accounts) > 0 {
		asked.add("("+strings.Repeat("strpos(eventJson, ?) > 0 OR ", len(q.Accounts)-1)+"strpos(eventJson, ?) > 0)", q.Accounts...)
	}
	if wanted := lakeWanted(q.Want); wanted != "" {
		asked.add(wanted)
	}
	var w where
	bound := func(w *where, since time.Time) {
		w.add("eventTime >= ?", lakeTime(since))
		w.add("eventTime < ?", lakeTime(until.Truncate(time.Second).Add(time.Second)))
	}
	if q.Want != Findings {
		bound(&w, since)
		w.parts, w.values = append(w.parts, asked.parts...), append(w.values, asked.values...)
		return &w, nil
	}
	// The calls that made the denied sessions may lie before them, and in another region (T32); so may those that changed policies.
	bound(&w, since.Add(-longestSession))
	asked.add("eventTime >= ?", lakeTime(since))
	w.add("(("+strings.Join(asked.parts, "\n    AND ")+")\n    OR ("+lakeSessionStarts+")\n    OR ("+lakePolicyChanges+"))", asked.values...)
	return &w, nil
}

// lakeSessionStarts are the calls that make sessions (T32).
const lakeSessionStarts = "eventSource = 'sts.amazonaws.com' AND (eventName LIKE 'AssumeRole%' OR eventName = 'GetFederationToken') AND coalesce(errorCode, '') = ''"

// lakePolicyChanges are the calls that changed policies.
var lakePolicyChanges = changingCalls("eventSource", "eventName") + " AND coalesce(errorCode, '') = ''"

// lakeWanted is what makes an event a denial, or an error; "" if everything is wanted. It
// loses none that correlate.DenialsOf finds, which looks for the same words.
func lakeWanted(want Want) string {
	const code, message = "coalesce(errorCode, '')", "coalesce(errorMessage, '')"
	var own, words = []string{code + " <> ''", message + " <> ''"}, correlate.ErrorWords()
	switch want {
	case Everything:
		return ""
	case Denials, Findings:
		words = correlate.DenialWords()
		own = []string{matches("lower("+code+")", words), matches("lower("+message+")", words)} // in lower case
	}
	// A call that as a whole went well tells the failures of its items in its response (T46). Of that the column
	// responseElements has a map of texts, and eventJson what was written.
	embedded := "(" + code + " = '' AND " + message + " = '' AND " + matches("json_format(json_extract(eventJson, '$.responseElements'))", words) + ")"
	return "(" + strings.Join(append(own, embedded), "\n    OR ") + ")"
}

// lakeTime is a time as Lake compares it with a timestamp, in UTC.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-lake-queries.html
func lakeTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

// quotable returns an error for a value that can't stand in SQL as a text: what can't be seen
// can't be meant.
func quotable(value string) error {
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		return fmt.Errorf("%q can't be part of a query: want printable ASCII", value)
	}
	return nil
}

// events runs the query and yields its rows.
func (l *lake) events(ctx context.Context) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		for _, text := range l.notices {
			if !yield(nil, &Notice{Text: text}) {
				return
			}
		}
		id, err := l.start(ctx)
		if err == nil {
			scanned, left := l.wait(ctx, id)
			l.opts.Progress.Stage.Store(nil)
			if scanned > 0 && !yield(nil, &Notice{Text: fmt.Sprintf("%s: CloudTrail Lake scanned %s", l.src, byteSize(scanned))}) {
				return
			}
			if err = left; err == nil {
				err = l.rows(ctx, id, yield)
			}
		}
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// start starts the query. A call that the user has given up is answered all the same: a query whose id
// nobody knows could not be cancelled.
func (l *lake) start(ctx context.Context) (id string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	patient, stop := context.WithTimeout(context.WithoutCancel(ctx), lakeStarting)
	defer stop()
	out, err := l.client.StartQuery(patient, &cloudtrail.StartQueryInput{QueryStatement: &l.sql, EventDataStoreOwnerAccountId: l.owner})
	if err != nil {
		return "", l.failure(ctx, "starting the query", err)
	}
	return aws.ToString(out.QueryId), nil
}

// failure is an error of a call, with the source. It is that of ctx once that is done.
func (l *lake) failure(ctx context.Context, doing string, err error) error {
	if err = l.opts.AWS.failure(ctx, doing, err); err == ctx.Err() {
		return err
	}
	return fmt.Errorf("%s: %w", l.src, err)
}

// wait waits until the query has finished, and returns how many bytes it has scanned. If it ends in another way
// that is the error; if nobody waits any longer the query is cancelled.
func (l *lake) wait(ctx context.Context, id string) (scanned int64, err error) {
	for delay := firstLook; ; delay = min(2*delay, lastLook) {
		out, err := l.client.DescribeQuery(ctx, &cloudtrail.DescribeQueryInput{QueryId: &id, EventDataStoreOwnerAccountId: l.owner})
		if isThrottling(err) && ctx.Err() == nil {
			out = &cloudtrail.DescribeQueryOutput{QueryStatus: types.QueryStatusRunning} // as it was: it is looked at again later
		} else if err != nil {
			return scanned, l.cancel(ctx, id, l.failure(ctx, "waiting for the query", err))
		}
		if out.QueryStatistics != nil {
			scanned = aws.ToInt64(out.QueryStatistics.BytesScanned)
		}
		if done, err := lakeEnd(out); done {
			if err != nil {
				err = &AWSError{Err: fmt.Errorf("%s: %w", l.src, err)}
			}
			return scanned, err
		}
		stage := fmt.Sprintf("CloudTrail Lake: query %s, %s scanned", strings.ToLower(string(out.QueryStatus)), byteSize(scanned))
		l.opts.Progress.Stage.Store(&stage)
		if err := l.opts.wait(ctx, delay); err != nil {
			return scanned, l.cancel(ctx, id, err)
		}
	}
}

// lakeEnd reports whether a query has come to its end, and the error if that isn't a good one.
func lakeEnd(q *cloudtrail.DescribeQueryOutput) (done bool, err error) {
	switch q.QueryStatus {
	case types.QueryStatusQueued, types.QueryStatusRunning:
		return false, nil
	case types.QueryStatusFinished:
		return true, nil
	case types.QueryStatusFailed:
		return true, fmt.Errorf("the query failed: %s", cmp.Or(onOneLine(aws.ToString(q.ErrorMessage)), "CloudTrail Lake gives no reason"))
	case types.QueryStatusCancelled:
		return true, errors.New("the query was cancelled by somebody else")
	case types.QueryStatusTimedOut:
		return true, errors.New("the query took longer than CloudTrail Lake lets it: ask for less with --since and --until")
	}
	return true, fmt.Errorf("the query is in an unknown state, %q", q.QueryStatus)
}

// cancel stops the query, so that it doesn't go on scanning, and being paid for, with nobody to read what it
// finds. It returns why, with what became of the query. ctx may be done already.
func (l *lake) cancel(ctx context.Context, id string, why error) error {
	fresh, stop := context.WithTimeout(context.WithoutCancel(ctx), lakeCancelling)
	defer stop()
	var ended *types.InactiveQueryException
	_, err := l.client.CancelQuery(fresh, &cloudtrail.CancelQueryInput{QueryId: &id, EventDataStoreOwnerAccountId: l.owner})
	if err == nil || errors.As(err, &ended) {
		return fmt.Errorf("%w; query %s was cancelled", why, id)
	}
	return fmt.Errorf("%w; query %s couldn't be cancelled, goes on and costs (%s): aws cloudtrail cancel-query --query-id %[2]s", why, id, inShort(err))
}

// rows yields the rows of a finished query.
func (l *lake) rows(ctx context.Context, id string, yield func(*correlate.Event, error) bool) error {
	in := &input{ctx: ctx, opts: l.opts, emit: func(e *correlate.Event, err error) error {
		if !yield(e, err) {
			return errStopped
		}
		return ctx.Err()
	}}
	t := &text{in: in, path: l.src}
	defer t.count()
	pages := cloudtrail.NewGetQueryResultsPaginator(l.client, &cloudtrail.GetQueryResultsInput{
		QueryId: &id, MaxQueryResults: aws.Int32(lakePage), EventDataStoreOwnerAccountId: l.owner})
	for pages.HasMorePages() {
		page, err := patiently(ctx, l.opts, pages.NextPage)
		if err != nil {
			return l.failure(ctx, fmt.Sprintf("reading the query's results after %d rows", t.index), err)
		}
		for _, row := range page.QueryResultRows {
			if err := l.row(t, row); err != nil {
				return err
			}
		}
	}
	for _, s := range t.skips {
		if err := in.emit(nil, &s); err != nil {
			return err
		}
	}
	return nil
}

// row reads a row, which is a list of maps with one member each (T17a).
func (l *lake) row(t *text, row []map[string]string) error {
	at := place{index: t.index}
	t.index++
	for _, cell := range row {
		for name, record := range cell {
			if fold(name) == wholeEvent {
				return l.opts.readRecord(t, at, record)
			}
		}
	}
	return t.bad(at, errors.New("a row without eventJson"))
}
