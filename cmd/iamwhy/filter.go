package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// A filter says which denials are wanted (product.md §3). A flag given several
// times wants any of its values.
type filter struct {
	sinceText, untilText string
	since, until         time.Time // zero is no bound
	principals           []string
	accounts             []string
	regions              []string
	services             []string
	actions              []string
	resources            []string
	accessKeys           []string
}

func (f *filter) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.sinceText, "since", "", "only from `TIME` on: RFC 3339, a date, or how long ago: 2h, 7d")
	flags.StringVar(&f.untilText, "until", "", "only up to `TIME`; a date is meant with its whole day")
	flags.StringArrayVar(&f.principals, "principal", nil, "only calls of this `ARN`, a pattern with * and ?; a role's ARN means its sessions, too")
	flags.StringSliceVar(&f.accounts, "account", nil, "only calls by or in this account `ID`")
	flags.StringSliceVar(&f.regions, "region", nil, "only calls in this `REGION`")
	flags.StringSliceVar(&f.services, "service", nil, "only calls of this `SERVICE`: s3, or s3.amazonaws.com")
	flags.StringSliceVar(&f.actions, "action", nil, "only this `ACTION`, a pattern with * and ?: s3:GetObject, s3:Get*, GetObject")
	flags.StringArrayVar(&f.resources, "resource", nil, "only calls on this `ARN`, a pattern with * and ?; a call whose resource isn't known may be on any")
	flags.StringSliceVar(&f.accessKeys, "access-key", nil, "only calls made with this access key `ID`")
}

// query is what the filter asks of a source. It says no more than the filter does: a source may leave out nothing
// that the filter would keep. What it has no word for, such as the resource, the filter alone decides.
func (f *filter) query(want source.Want) source.Query {
	return source.Query{
		Want: want, Since: f.since, Until: f.until,
		Principals: f.principals, Accounts: f.accounts, Regions: f.regions,
		Services: f.services, Actions: f.actions, AccessKeys: f.accessKeys,
	}
}

// parse reads the times; now is when relative ones are counted from.
func (f *filter) parse(now time.Time) error {
	var err error
	if f.sinceText != "" {
		if f.since, _, err = parseTime(f.sinceText, now); err != nil {
			return fmt.Errorf("--since: %w", err)
		}
	}
	if f.untilText != "" {
		day := false
		if f.until, day, err = parseTime(f.untilText, now); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
		if day {
			f.until = f.until.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
	}
	if !f.since.IsZero() && !f.until.IsZero() && f.until.Before(f.since) {
		return fmt.Errorf("--until %s is before --since %s", f.untilText, f.sinceText)
	}
	return nil
}

// units are those of a relative time.
var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseTime reads a time, a date in UTC (day is true), or how long before now.
func parseTime(s string, now time.Time) (t time.Time, day bool, err error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, false, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true, nil
	}
	if n := len(s) - 1; n > 0 {
		if unit, ok := units[s[n]]; ok {
			if ago, err := strconv.Atoi(s[:n]); err == nil && ago >= 0 && ago <= int(100*365*24*time.Hour/unit) {
				return now.Add(-time.Duration(ago) * unit), false, nil
			}
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is not a time: want RFC 3339 (2026-01-02T15:04:05Z), a date (2026-01-02) or how long ago (2h, 7d)", s)
}

// empty reports whether every denial is wanted.
func (f *filter) empty() bool {
	return f.since.IsZero() && f.until.IsZero() &&
		len(f.principals)+len(f.accounts)+len(f.regions)+len(f.services)+len(f.actions)+len(f.resources)+len(f.accessKeys) == 0
}

// event reports whether an event can hold denials that are wanted.
func (f *filter) event(e *correlate.Event) bool {
	switch {
	case !f.since.IsZero() && e.Time.Before(f.since), !f.until.IsZero() && e.Time.After(f.until):
		return false
	case len(f.regions) > 0 && !slices.Contains(f.regions, e.Region):
		return false
	case len(f.accessKeys) > 0 && !slices.Contains(f.accessKeys, e.Identity.AccessKeyID):
		return false
	}
	return true
}

// denial reports whether a denial of an event that is wanted is wanted, too.
func (f *filter) denial(d correlate.Denial) bool {
	e := d.Event
	return anyOf(f.accounts, func(id string) bool {
		return id == d.Principal.Account || e != nil && (id == e.RecipientAccount || id == e.Identity.Account)
	}) && anyOf(f.principals, func(pattern string) bool {
		if e != nil && (glob(pattern, e.Identity.ARN) || e.Identity.Session != nil && glob(pattern, e.Identity.Session.IssuerARN)) {
			return true
		}
		return glob(pattern, d.Principal.ARN) || glob(pattern, d.Principal.RoleARN)
	}) && anyOf(f.services, func(service string) bool {
		service = strings.TrimSuffix(strings.ToLower(service), ".amazonaws.com")
		return goesBy(d, func(action string) bool { return strings.HasPrefix(strings.ToLower(action), service+":") })
	}) && anyOf(f.actions, func(pattern string) bool {
		return goesBy(d, func(action string) bool {
			if !strings.Contains(pattern, ":") {
				_, action, _ = strings.Cut(action, ":")
			}
			return glob(strings.ToLower(pattern), strings.ToLower(action)) // actions have no case (rule A2)
		})
	}) && anyOf(f.resources, func(pattern string) bool { return mayBeOn(d, pattern) })
}

// mayBeOn reports whether what was denied is, or may be, a resource that fits a pattern. Where AWS named what it
// denied, that counts, else all that the call needed. A resource that isn't known, or known in
// part, may be any that fits what is known of it: unknown is not absent.
func mayBeOn(d correlate.Denial, pattern string) bool {
	requests := d.Requests()
	if len(requests) > 1 && d.Message.Action != "" {
		requests = requests[:1]
	}
	return len(requests) == 0 || slices.ContainsFunc(requests, func(r correlate.Request) bool {
		switch arn := r.Resource.ARN; {
		case arn == "":
			return true
		case r.Resource.Pattern:
			return globsMeet(pattern, arn)
		default:
			return glob(pattern, arn)
		}
	})
}

// goesBy reports whether one of the names that a denied call goes by will do: CloudTrail's own name for it, and
// the actions that it needed, which take longer to find.
func goesBy(d correlate.Denial, ok func(action string) bool) bool {
	if e := d.Event; e != nil && ok(strings.TrimSuffix(e.Source, ".amazonaws.com")+":"+e.Name) {
		return true
	}
	return slices.ContainsFunc(d.Requests(), func(r correlate.Request) bool { return ok(r.Action) })
}

// anyOf reports whether one of the values will do; no values ask for nothing.
func anyOf(values []string, ok func(string) bool) bool {
	return len(values) == 0 || slices.ContainsFunc(values, ok)
}

// globsMeet reports whether there is a text that fits both patterns.
func globsMeet(a, b string) bool {
	p, q := []rune(a), []rune(b)
	// meet[j] says whether the rest of p from i on and that of q from j on meet, for the i of
	// the round; the one before it was i+1.
	var after []bool
	for i := len(p); i >= 0; i-- {
		meet := make([]bool, len(q)+1)
		for j := len(q); j >= 0; j-- {
			switch {
			case i == len(p) && j == len(q):
				meet[j] = true
			case i < len(p) && p[i] == '*':
				meet[j] = after[j] || j < len(q) && meet[j+1]
			case j < len(q) && q[j] == '*':
				meet[j] = meet[j+1] || i < len(p) && after[j]
			case i < len(p) && j < len(q) && (p[i] == '?' || q[j] == '?' || p[i] == q[j]):
				meet[j] = after[j+1]
			}
		}
		after = meet
	}
	return after[0]
}

// glob reports whether a text fits a pattern in which * stands for any
// characters and ? for one. Nothing fits the empty text but stars.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	if len(t) == 0 {
		return false // an identity without an ARN isn't any ARN
	}
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
