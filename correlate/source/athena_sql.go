package source

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
)

// A statement is SQL to run. What comes from the user, or from the clock, stands in it as ?, and as text nowhere.
//
// https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
type statement struct {
	sql     string
	values  []string // of the question marks, as text
	columns []string // what the rows have
	notices []string // what its cost is to be known by
}

// parameters are the values as ExecutionParameters: Athena reads each as SQL, so a text stands in single quotes.
func (s *statement) parameters() []string {
	var out []string
	for _, v := range s.values {
		out = append(out, literal(v))
	}
	return out
}

// String is the statement to be read, or pasted into Athena's console: with its values in place of the
// question marks. Its own texts have none.
func (s *statement) String() string {
	var b strings.Builder
	for i, piece := range strings.Split(s.sql, "?") {
		if i > 0 {
			b.WriteString(literal(s.values[i-1]))
		}
		b.WriteString(piece)
	}
	return b.String()
}

// A where is a WHERE clause in the making: conditions that all have to hold.
type where struct {
	parts  []string
	values []string
}

func (w *where) add(sql string, values ...string) {
	w.parts = append(w.parts, sql)
	w.values = append(w.values, values...)
}

func (w *where) addAll(conditions []condition) {
	for _, c := range conditions {
		w.add(c.sql, c.values...)
	}
}

// events returns the statement for the events that a query wants.
//
// Partition keys, times, regions and access keys are compared here, and what the events are wanted for. The other filters
// are not: a principal, account, service or action may be told by the message alone, or follow from the call (a service's
// own request, a role whose path isn't recorded), and the row would be lost. It would save nothing either, for
// Athena is paid by what it reads of the partitions.
func (t *athenaTable) events(q Query) (*statement, error) {
	var names, exprs []string
	for _, s := range t.selects() {
		names = append(names, s.alias)
		if s.expr != s.alias {
			s.expr += " AS " + identifier(s.alias)
		}
		exprs = append(exprs, s.expr)
	}
	w, notices, err := t.where(q)
	if err != nil {
		return nil, err
	}
	sql := "SELECT " + strings.Join(exprs, ",\n       ") + "\n" + t.from(w) + "\nORDER BY " + t.order()
	return &statement{sql: sql, values: w.values, columns: names, notices: notices}, nil
}

// order is by time, and then by what never changes (T10).
func (t *athenaTable) order() string {
	if _, ok := t.column("eventid"); ok {
		return "eventtime, eventid"
	}
	return "eventtime"
}

// from is the FROM clause with what is behind it.
func (t *athenaTable) from(w *where) string {
	sql := "FROM " + quotedName(t.database) + "." + quotedName(t.table)
	if len(w.parts) > 0 {
		sql += "\nWHERE " + strings.Join(w.parts, "\n  AND ")
	}
	return sql
}

// where makes the WHERE clause.
func (t *athenaTable) where(q Query) (*where, []string, error) {
	var w where
	conditions, unused, err := t.prune(q)
	if err != nil {
		return nil, nil, err
	}
	w.addAll(conditions)
	wanted := t.wanted(q)
	if q.Want != Findings {
		w.addAll(t.within(q))
		if wanted.sql != "" {
			w.add(wanted.sql, wanted.values...)
		}
	} else {
		var denied where
		denied.addAll(t.within(q))
		denied.add(wanted.sql, wanted.values...)
		starts := t.sessionStarts(q)
		changes := t.policyChanges(q)
		w.add("((" + strings.Join(denied.parts, " AND ") + ")\n    OR (" + starts.sql + ")\n    OR (" + changes.sql + "))")
		w.values = slices.Concat(w.values, denied.values, starts.values, changes.values)
	}
	return &w, t.notices(q, len(conditions), unused), nil
}

// notices say why a query may read more than the user thinks.
func (t *athenaTable) notices(q Query, conditions int, unused []string) []string {
	var out []string
	switch {
	case len(t.partitions) == 0:
		out = append(out, fmt.Sprintf("%s has no partitions: every query reads all of it (iamwhy events --print-ddl s3://… prints a table that has some)", t))
	case conditions == 0 && len(unused) == 0:
		out = append(out, fmt.Sprintf("%s is read whole: --since, --until, --region and --account would bound what is read", t))
	}
	for _, name := range unused {
		out = append(out, fmt.Sprintf("%s: the filters don't bound the partition key %s, whose values can't be compared: more is read than need be", t, name))
	}
	return out
}

// within bounds the events themselves. Times are compared as text, which sorts as they do (CloudTrail writes
// 2026-11-19T09:00:00Z), in whole seconds and without the Z: one that has fractions isn't lost.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (t *athenaTable) within(q Query) []condition {
	out := append(t.since(q.Since), t.until(q.Until)...)
	if _, ok := t.column("awsregion"); ok && len(q.Regions) > 0 {
		out = append(out, in("awsregion", q.Regions))
	}
	if identity, _ := t.column("useridentity"); len(q.AccessKeys) > 0 {
		if _, ok := identity.member("accesskeyid"); ok {
			out = append(out, in("useridentity.accesskeyid", q.AccessKeys))
		}
	}
	return out
}

const seconds = "2006-01-02T15:04:05"

func (t *athenaTable) since(at time.Time) []condition {
	if c, _ := t.column("eventtime"); at.IsZero() || !c.isText() {
		return nil
	}
	return []condition{{"eventtime >= ?", []string{at.UTC().Format(seconds)}}}
}

func (t *athenaTable) until(at time.Time) []condition {
	if c, _ := t.column("eventtime"); at.IsZero() || !c.isText() {
		return nil
	}
	return []condition{{"eventtime < ?", []string{at.UTC().Truncate(time.Second).Add(time.Second).Format(seconds)}}}
}

// wanted is what makes an event a denial, or an error: words that occur in all of them. It may let others through, and
// loses none that correlate.DenialsOf finds: it looks for the same words (TestDenialWords).
func (t *athenaTable) wanted(q Query) condition {
	if q.Want == Everything {
		return condition{}
	}
	const embedded = "responseelements"
	code, message := t.orEmpty("errorcode"), t.orEmpty("errormessage")
	var own []string
	words := correlate.ErrorWords()
	if q.Want == Errors {
		own = []string{code + " <> ''", message + " <> ''"}
	} else {
		words = correlate.DenialWords() // in lower case
		own = []string{matches("lower("+code+")", words), matches("lower("+message+")", words)}
	}
	if message == "''" {
		own = own[:1]
	}
	if _, ok := t.column(embedded); ok {
		// A call that as a whole went well tells the failures of its items there (T46).
		own = append(own, "("+code+" = '' AND "+message+" = '' AND "+matches(embedded, words)+")")
	}
	return condition{sql: "(" + strings.Join(own, "\n    OR ") + ")"}
}

// orEmpty is a column, with the empty text for NULL; that alone if the table doesn't have it.
func (t *athenaTable) orEmpty(column string) string {
	if _, ok := t.column(column); !ok {
		return "''"
	}
	return "coalesce(" + column + ", '')"
}

// matches looks for any of the words. It does without (?i): whether a question mark within a text is safe beside
// parameters isn't documented.
func matches(expr string, words []string) string {
	patterns := make([]string, len(words))
	for i, w := range words {
		patterns[i] = regexp.QuoteMeta(w)
	}
	return "regexp_like(" + expr + ", " + literal(strings.Join(patterns, "|")) + ")"
}

// longestSession is how long a session lasts at most: GetFederationToken's 36 hours.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
const longestSession = 36 * time.Hour

// sessionStarts are the calls that made the sessions of the denied calls, which tell their session policies (T32). They may be made in
// another region, and before the time that is asked for, as far as its partitions have them.
func (t *athenaTable) sessionStarts(q Query) condition {
	w := where{parts: []string{"eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND " + t.orEmpty("errorcode") + " = ''"}}
	if !q.Since.IsZero() {
		w.addAll(t.since(q.Since.Add(-longestSession)))
	}
	w.addAll(t.until(q.Until))
	return condition{strings.Join(w.parts, " AND "), w.values}
}

// policyChanges are the calls that changed policies, in the time that is asked for. IAM's and those of AWS Organizations are in us-east-1.
func (t *athenaTable) policyChanges(q Query) condition {
	w := where{parts: []string{changingCalls("eventsource", "eventname") + " AND " + t.orEmpty("errorcode") + " = ''"}}
	w.addAll(t.since(q.Since))
	w.addAll(t.until(q.Until))
	return condition{strings.Join(w.parts, " AND "), w.values}
}
