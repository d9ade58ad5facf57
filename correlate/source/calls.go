package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
)

// A Call stands for all calls of one kind: by one principal, of one operation, on the same
// resources, in one region, with one outcome.
type Call struct {
	Principal string   // ARN of the session's issuer, or else of the caller; of a service its name; "" if none is recorded
	Source    string   // eventSource
	Name      string   // eventName
	Region    string   // awsRegion
	Resources []string // ARNs, as recorded; none for the many calls whose record names none
	ErrorCode string   // "" if it went well

	Count       int       // a call that was delivered twice counts twice
	First, Last time.Time // eventTime, UTC; zero if none is recorded
	EventID     string    // of one of them
}

// Calls returns what a SOURCE's events come to, in the order of their principals, operations and so on. For an
// athena: source Athena counts, so that billions of events come back as thousands of rows; for others it is
// done here, in memory that grows with the number of distinct calls. Of opts.Query, Since, Until, Regions and AccessKeys
// count, and what partitions tell. Errors come out as those of [Open] do.
func Calls(ctx context.Context, src string, opts Options) (iter.Seq2[*Call, error], error) {
	opts = opts.withDefaults()
	opts.Query.Want = Everything
	if strings.HasPrefix(src, "athena:") {
		return athenaCalls(ctx, src, opts)
	}
	events, err := Open(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	return func(yield func(*Call, error) bool) {
		counts := make(map[string]*Call)
		for e, err := range events {
			if e == nil {
				if !yield(nil, err) || isFatal(err) {
					return
				}
				continue
			}
			if opts.Query.holds(e) {
				countCall(counts, e)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			if !yield(counts[key], nil) {
				return
			}
		}
	}, nil
}

// holds reports whether an event lies within what a query's own fields tell exactly.
func (q Query) holds(e *correlate.Event) bool {
	switch {
	case !q.Since.IsZero() && e.Time.Before(q.Since), !q.Until.IsZero() && e.Time.After(q.Until):
		return false
	case len(q.Regions) > 0 && !slices.Contains(q.Regions, e.Region):
		return false
	}
	return len(q.AccessKeys) == 0 || slices.Contains(q.AccessKeys, e.Identity.AccessKeyID)
}

// countCall counts an event.
func countCall(counts map[string]*Call, e *correlate.Event) {
	c := Call{Source: e.Source, Name: e.Name, Region: e.Region, ErrorCode: e.ErrorCode, Principal: cmp.Or(e.Identity.ARN, e.Identity.InvokedBy)}
	if s := e.Identity.Session; s != nil {
		c.Principal = cmp.Or(s.IssuerARN, c.Principal)
	}
	for _, r := range e.Resources {
		if r.ARN != "" {
			c.Resources = append(c.Resources, r.ARN)
		}
	}
	known := counts[c.key()]
	if known == nil {
		known = &c
		for _, text := range []*string{&c.Source, &c.Name, &c.Region, &c.ErrorCode, &c.Principal} {
			*text = strings.Clone(*text) // the event isn't kept
		}
		for i, arn := range c.Resources {
			c.Resources[i] = strings.Clone(arn)
		}
		known.First, known.Last, known.EventID = e.Time, e.Time, e.ID
		counts[c.key()] = known
	}
	known.Count++
	if e.Time.Before(known.First) {
		known.First = e.Time
	}
	if e.Time.After(known.Last) {
		known.Last = e.Time
	}
	known.EventID = min(known.EventID, e.ID)
}

// key is what calls of one kind have in common, so that it sorts as the SQL does.
func (c *Call) key() string {
	return strings.Join([]string{c.Principal, c.Source, c.Name, c.Region, c.ErrorCode, strings.Join(c.Resources, "\x00")}, "\x00")
}

// athenaCalls lets Athena count.
func athenaCalls(ctx context.Context, src string, opts Options) (iter.Seq2[*Call, error], error) {
	a, t, err := dialAthena(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	stmt, err := t.calls(opts.Query)
	if err != nil {
		return nil, err
	}
	return func(yield func(*Call, error) bool) {
		pass := func(c *Call, err error) error {
			if !yield(c, err) {
				return errStopped
			}
			return ctx.Err()
		}
		index := 0
		err := a.query(ctx, stmt, func(n *Notice) error { return pass(nil, n) }, func(values []string) error {
			c, err := readCall(values)
			if err != nil {
				err = &BadRecord{Path: t.path(), Index: index, Err: err}
			}
			index++
			return pass(c, err)
		})
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}, nil
}

// callColumns are what the rows of calls have.
var callColumns = []string{"principal", "eventsource", "eventname", "awsregion", "errorcode", "resources", "calls", "firsttime", "lasttime", "eventid"}

// calls returns the statement that counts the calls, whatever they came to.
func (t *athenaTable) calls(q Query) (*statement, error) {
	q.Want = Everything
	w, notices, err := t.where(q)
	if err != nil {
		return nil, err
	}
	if kinds := t.orEmpty("eventcategory") + " || ' ' || " + t.orEmpty("eventtype"); t.isColumn("eventtype") {
		w.add("NOT regexp_like(lower(" + kinds + "), 'insight|aggregate')") // they are no calls (T8)
	}
	exprs := []string{t.callPrincipal(), t.orEmpty("eventsource"), t.orEmpty("eventname"), t.orEmpty("awsregion"), t.orEmpty("errorcode"), t.callResources(),
		"count(*)", "min(eventtime)", "max(eventtime)", "min(" + t.orEmpty("eventid") + ")"}
	for i, alias := range callColumns {
		exprs[i] += " AS " + alias
	}
	sql := "SELECT " + strings.Join(exprs, ",\n       ") + "\n" + t.from(w) + "\nGROUP BY 1, 2, 3, 4, 5, 6\nORDER BY 1, 2, 3, 4, 5, 6"
	return &statement{sql: sql, values: w.values, columns: callColumns, notices: notices}, nil
}

func (t *athenaTable) isColumn(name string) bool {
	_, ok := t.column(name)
	return ok
}

// callPrincipal is the ARN of the session's issuer, or else of the caller, or else the service that called.
func (t *athenaTable) callPrincipal() string {
	var parts []string
	for _, path := range []string{"useridentity.sessioncontext.sessionissuer.arn", "useridentity.arn", "useridentity.invokedby"} {
		if slices.ContainsFunc(t.selects(), func(s selected) bool { return s.expr == path }) {
			parts = append(parts, "nullif("+path+", '')")
		}
	}
	return "coalesce(" + strings.Join(append(parts, "''"), ", ") + ")"
}

// callResources is the list of the resources' ARNs, as JSON text.
func (t *athenaTable) callResources() string {
	resources, _ := t.column("resources")
	if resources.kind == "array" {
		if _, ok := resources.members[0].member("arn"); ok {
			return "coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]')"
		}
	}
	return "'[]'"
}

// readCall reads a row of calls.
func readCall(values []string) (*Call, error) {
	if len(values) != len(callColumns) {
		return nil, fmt.Errorf("%d columns, but the query has %d", len(values), len(callColumns))
	}
	c := &Call{Principal: values[0], Source: values[1], Name: values[2], Region: values[3], ErrorCode: values[4], EventID: values[9]}
	var arns []string
	if err := json.Unmarshal([]byte(values[5]), &arns); err != nil {
		return nil, fmt.Errorf("resources %s: want a list of ARNs", quoteShort([]byte(values[5])))
	}
	c.Resources = append(c.Resources, arns...) // none stays nil
	var err error
	if c.Count, err = strconv.Atoi(values[6]); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	for i, to := range []*time.Time{&c.First, &c.Last} {
		fillTime(to, values[7+i])
	}
	return c, nil
}
