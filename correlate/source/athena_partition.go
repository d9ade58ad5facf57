package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A partition is a key by which a table is partitioned (T21).
type partition struct {
	name string
	hiveType
	role     partitionRole
	injected bool       // Athena wants to be told its values in every query
	format   dateFormat // of a projected date
}

// A partitionRole is what a partition key says of the logs below it.
type partitionRole int

const (
	unknownRole partitionRole = iota
	accountRole
	regionRole
	yearRole
	monthRole
	dayRole
	dateRole
)

// partitionRoles are the roles by the names, folded, that keys have in AWS's guides and in the wild (T21).
var partitionRoles = map[string]partitionRole{
	"account": accountRole, "accountid": accountRole, "awsaccount": accountRole, "awsaccountid": accountRole,
	"region": regionRole, "awsregion": regionRole, "regionname": regionRole,
	"year": yearRole, "month": monthRole, "day": dayRole,
	"timestamp": dateRole, "date": dateRole, "dt": dateRole, "eventdate": dateRole, "logdate": dateRole, "datehour": dateRole,
}

func newPartition(name, kind string, properties map[string]string) partition {
	p := partition{name: strings.ToLower(name), role: partitionRoles[fold(name)]}
	p.hiveType, _ = parseHiveType(kind) // of a key that can't be read, values aren't compared
	switch projection := strings.ToLower(strings.TrimSpace(projected(properties, name, "type"))); projection {
	case "injected":
		p.injected = true
	case "date":
		p.role = dateRole
		p.format = parseDateFormat(projected(properties, name, "format"))
	}
	return p
}

// text is the key's value as text.
func (p partition) text() string {
	if p.isText() {
		return quotedName(p.name)
	}
	return "CAST(" + quotedName(p.name) + " AS varchar)"
}

// A condition is a part of a WHERE clause, with the values of its question marks.
type condition struct {
	sql    string
	values []string
}

// in wants one of the values.
func in(expr string, values []string) condition {
	if len(values) == 1 {
		return condition{expr + " = ?", values}
	}
	return condition{expr + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", values}
}

// days are the days on which logs of a query's events may have been delivered: the date in a key is
// that of delivery, and a day more is plenty for it (T9). Zero is no bound.
type days struct{ first, last time.Time }

func daysOf(q Query) days {
	var d days
	if !q.Since.IsZero() {
		d.first = q.Since.UTC().Truncate(24 * time.Hour)
	}
	if !q.Until.IsZero() {
		d.last = q.Until.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	return d
}

// prune returns the conditions on partition keys: what is outside of them isn't read, and not paid for. unused
// are the keys of which nothing is said though the query has a bound.
func (t *athenaTable) prune(q Query) (conditions []condition, unused []string, err error) {
	d := daysOf(q)
	for _, p := range t.partitions {
		var c []condition
		bounded, flag := false, ""
		switch p.role {
		case accountRole:
			bounded, flag = len(q.Accounts) > 0, "--account"
			if bounded {
				c = append(c, p.accounts(q.Accounts))
			}
		case regionRole:
			bounded, flag = len(q.Regions) > 0, "--region"
			if bounded {
				c = append(c, in(p.text(), regionsToRead(q)))
			}
		case dateRole:
			bounded = d != days{}
			if !p.injected {
				c = p.date(d)
			}
		case yearRole, monthRole, dayRole:
			bounded = d != days{} && p.injected
		}
		switch {
		case p.injected && len(c) == 0 && flag != "":
			return nil, nil, fmt.Errorf("%s: the partition key %s is injected, so Athena has to be told its values: give %s", t, p.name, flag)
		case p.injected && len(c) == 0:
			return nil, nil, fmt.Errorf("%s: the partition key %s is injected, so Athena has to be told its values, and no filter tells them: use a table whose projection.%[2]s.type is enum, date or integer", t, p.name)
		case bounded && len(c) == 0:
			unused = append(unused, p.name)
		}
		conditions = append(conditions, c...)
	}
	c, left := t.calendar(d)
	return append(conditions, c...), append(unused, left...), nil
}

// regionsToRead are the regions whose logs are read. Calls of global services are in us-east-1 (T12); of
// them only AssumeRole's matter elsewhere, for the sessions that it makes.
func regionsToRead(q Query) []string {
	if q.Want == Findings && !slices.Contains(q.Regions, "us-east-1") {
		return append(slices.Clone(q.Regions), "us-east-1")
	}
	return q.Regions
}

// accounts wants one of the accounts; a number has lost its leading zeros.
func (p partition) accounts(ids []string) condition {
	if p.isText() {
		return in(p.text(), ids)
	}
	return in("lpad("+p.text()+", 12, '0')", ids)
}

// date bounds a key that is a whole date.
func (p partition) date(d days) []condition {
	first, last := p.text(), p.text()
	format := p.format
	unlike := ""
	if format == nil {
		// The form of the values isn't known, so they are compared by their digits: 2026/11/19, 2026-11-19-07,
		// 202611. What doesn't begin with a year and a month is read.
		digits := "regexp_replace(" + p.text() + ", '[^0-9]', '')"
		first, last = "rpad("+digits+", 8, '9')", "rpad("+digits+", 8, '0')"
		unlike = "NOT regexp_like(" + p.text() + ", '^20[0-9]{2}([-/]{0,1}(0[1-9]|1[0-2])|$)') OR "
		format = compactDate
	} else if !p.isText() || !format.sorts() {
		return nil
	}
	bound := func(expr, operator string, at time.Time) condition {
		c := condition{unlike + expr + " " + operator + " ?", []string{format.format(at)}}
		if unlike != "" {
			c.sql = "(" + c.sql + ")"
		}
		return c
	}
	var out []condition
	if !d.first.IsZero() {
		out = append(out, bound(first, ">=", d.first))
	}
	if !d.last.IsZero() {
		out = append(out, bound(last, "<=", d.last.AddDate(0, 0, 1).Add(-time.Second)))
	}
	return out
}

// calendar bounds keys that are the parts of a date: year, month, day. Months and days are compared with lists: as text, 9 comes
// after 10, and both 9 and 09 are in use. The numbers are made here, so they need no parameters.
func (t *athenaTable) calendar(d days) (conditions []condition, unused []string) {
	var year, month, day *partition
	for i, p := range t.partitions {
		switch {
		case p.injected:
		case p.role == yearRole:
			year = &t.partitions[i]
		case p.role == monthRole:
			month = &t.partitions[i]
		case p.role == dayRole:
			day = &t.partitions[i]
		}
	}
	if year == nil {
		for _, p := range []*partition{month, day} {
			if p != nil && d != (days{}) {
				unused = append(unused, p.name)
			}
		}
		return nil, unused
	}
	bound := func(at time.Time, operator string, months, daysOfMonth []int) condition {
		y := year.number(at.Year())
		equal := quotedName(year.name) + " = " + y
		if month == nil {
			return condition{sql: "(" + quotedName(year.name) + " " + operator + " " + y + " OR " + equal + ")"}
		}
		parts := []string{quotedName(year.name) + " " + operator + " " + y}
		if len(months) > 0 {
			parts = append(parts, equal+" AND "+month.oneOf(months))
		}
		last := equal + " AND " + month.oneOf([]int{int(at.Month())})
		if day != nil {
			last += " AND " + day.oneOf(daysOfMonth)
		}
		return condition{sql: "(" + strings.Join(append(parts, last), " OR ") + ")"}
	}
	if at := d.first; !at.IsZero() {
		conditions = append(conditions, bound(at, ">", numbers(int(at.Month())+1, 12), numbers(at.Day(), 31)))
	}
	if at := d.last; !at.IsZero() {
		conditions = append(conditions, bound(at, "<", numbers(1, int(at.Month())-1), numbers(1, at.Day())))
	}
	return conditions, nil
}

// numbers are those from first to last.
func numbers(first, last int) []int {
	var out []int
	for n := first; n <= last; n++ {
		out = append(out, n)
	}
	return out
}

// number is a number as a value of the key.
func (p *partition) number(n int) string {
	if p.isInteger() {
		return strconv.Itoa(n)
	}
	return literal(strconv.Itoa(n))
}

// oneOf wants one of the numbers, with a leading zero or without.
func (p *partition) oneOf(numbers []int) string {
	var values []string
	for _, n := range numbers {
		values = append(values, p.number(n))
		if n < 10 && !p.isInteger() {
			values = append(values, literal(fmt.Sprintf("%02d", n)))
		}
	}
	return quotedName(p.name) + " IN (" + strings.Join(values, ", ") + ")"
}

// A dateFormat is the format of a projected date: fields, such as yyyy, and what stands between them. nil
// if there is none that is known.
//
// https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
type dateFormat []string

// dateFields are the fields of a date that are known, the largest unit first, with Go's layouts.
var dateFields = []struct{ field, layout string }{
	{"yyyy", "2006"}, {"MM", "01"}, {"dd", "02"}, {"HH", "15"}, {"mm", "04"}, {"ss", "05"},
}

var compactDate = dateFormat{"yyyy", "MM", "dd"}

// parseDateFormat reads a format in the language of Java's DateTimeFormatter: letters are fields, and text
// stands in single quotes.
func parseDateFormat(text string) dateFormat {
	var out dateFormat
	for text = strings.TrimSpace(text); text != ""; {
		if text[0] == '\'' {
			quote, rest, ok := strings.Cut(text[1:], "'")
			if !ok {
				return nil
			}
			if quote == "" { // two quotes are one
				quote = "'"
			}
			out = append(out, "'"+quote)
			text = rest
			continue
		}
		n := 1
		for isLetter(text[0]) && n < len(text) && text[n] == text[0] {
			n++
		}
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// sorts reports whether the text of dates sorts as the dates do: known fields, from the year down, none left out.
func (f dateFormat) sorts() bool {
	next := 0
	for _, part := range f {
		if !isLetter(part[0]) {
			continue
		}
		if next == len(dateFields) || part != dateFields[next].field {
			return false
		}
		next++
	}
	return next > 0
}

// format is a date's text.
func (f dateFormat) format(at time.Time) string {
	var b strings.Builder
	for _, part := range f {
		i := slices.IndexFunc(dateFields, func(d struct{ field, layout string }) bool { return d.field == part })
		switch {
		case i >= 0:
			b.WriteString(at.Format(dateFields[i].layout))
		case part[0] == '\'':
			b.WriteString(part[1:])
		default:
			b.WriteString(part)
		}
	}
	return b.String()
}
