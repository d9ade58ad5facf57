package source

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// A layout is what the key of a trail's object, or the folder of one, says of the
// events in it. What it doesn't say, or not yet, is "".
//
//	<prefix>/AWSLogs/[o-…/]<account>/CloudTrail/<region>/<YYYY>/<MM>/<DD>/<account>_CloudTrail_<region>_<YYYYMMDDTHHmmZ>_….json.gz
//
// Rule T7; https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
type layout struct {
	inLogs  bool   // in AWSLogs/, and so far as above
	odd     bool   // in a trail's folder, but not as above
	account string // whose trail it is
	kind    string // CloudTrail, CloudTrail-Digest; or the folder of another service
	region  string
	date    string    // of delivery: 2023/07/10, or 2023/07 for a month's folder
	minute  time.Time // of delivery
}

var (
	fourDigits   = regexp.MustCompile(`^[0-9]{4}$`)
	twoDigits    = regexp.MustCompile(`^[0-9]{2}$`)
	deliveryTime = regexp.MustCompile(`_([0-9]{8}T[0-9]{4}Z)_[^/]*$`)
)

// layoutOf reads a key, or a folder, which ends in a slash. What comes after the last slash is
// the name of a file, never of a folder.
func layoutOf(key string) layout {
	folders := strings.Split(key, "/")
	name := folders[len(folders)-1]
	folders = folders[:len(folders)-1]
	i := slices.Index(folders, "AWSLogs")
	if i < 0 {
		return layout{}
	}
	next := func(pattern *regexp.Regexp) string {
		if i+1 < len(folders) && pattern.MatchString(folders[i+1]) {
			i++
			return folders[i]
		}
		return ""
	}
	next(organizationID)
	l := layout{inLogs: true, account: next(accountID)}
	if l.account == "" {
		l.inLogs = i+1 == len(folders)
		return l
	}
	if i++; i < len(folders) {
		l.kind = folders[i]
	}
	if !strings.HasPrefix(l.kind, "CloudTrail") {
		return l
	}
	if l.region = next(regionName); l.region == "" {
		l.odd = i+1 < len(folders)
		return l
	}
	for _, pattern := range []*regexp.Regexp{fourDigits, twoDigits, twoDigits} {
		part := next(pattern)
		if part == "" {
			break
		}
		l.date = strings.TrimPrefix(l.date+"/"+part, "/")
	}
	if m := deliveryTime.FindStringSubmatch(name); m != nil {
		l.minute, _ = time.Parse("20060102T1504Z", m[1]) // zero, if there is no such time
	}
	return l
}

// leftOut says why there are no events in a trail's folder, or in one beside it (T8); "" if there may be. An
// unknown folder of CloudTrail's is read: what its records are, they say themselves.
func (l layout) leftOut() string {
	switch {
	case l.kind == "":
		return ""
	case !strings.HasPrefix(l.kind, "CloudTrail"):
		return "logs of another service than CloudTrail"
	}
	return notEvents[l.kind]
}

// notEvents are the folders beside CloudTrail/ that hold no single calls. CloudTrail-NetworkActivity/ does (T33).
var notEvents = map[string]string{
	"CloudTrail-Digest":     "digest files of CloudTrail's, not events",
	"CloudTrail-Insight":    "Insights events, not calls",
	"CloudTrail-Aggregated": "aggregated events, not single calls",
}

// A span is what of a trail's bucket can be wanted: accounts and regions, and
// days and minutes of delivery. Its zero value is everything.
type span struct {
	accounts, regions []string
	first, last       string    // 2023/07/10, both included; "" is no bound
	delivered         time.Time // at the earliest; zero is no bound
}

// clockError is by how much eventTime, which is of the clock of a service's
// host, is trusted to be right: an event isn't later than the delivery of its file, but
// for that. AWS documents none; in the files looked at, no event was.
const clockError = time.Hour

// spanOf is where what a query wants can lie. A file is delivered after the
// calls in it, typically within minutes: at the latest on the day after (T9). What was
// held up for longer, since CloudTrail couldn't write to the bucket, is found only without an Until.
//
// "A log file delivered at a specific time can contain records written at any point before that time":
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
func spanOf(q Query) span {
	const day = "2006/01/02"
	s := span{accounts: q.Accounts, regions: q.Regions}
	if !q.Since.IsZero() {
		s.delivered = q.Since.UTC().Add(-clockError).Truncate(time.Minute)
		s.first = s.delivered.Format(day)
	}
	if !q.Until.IsZero() {
		s.last = q.Until.UTC().AddDate(0, 0, 1).Format(day)
	}
	return s
}

// bounded reports whether there is anything that isn't wanted.
func (s span) bounded() bool {
	return len(s.accounts)+len(s.regions) > 0 || s.first != "" || s.last != ""
}

// excludes reports whether nothing that is wanted can lie in a folder or object.
func (s span) excludes(l layout) bool {
	switch {
	case l.account != "" && len(s.accounts) > 0 && !slices.Contains(s.accounts, l.account):
	case l.region != "" && len(s.regions) > 0 && !slices.Contains(s.regions, l.region):
	case s.first != "" && l.date < s.first[:min(len(l.date), len(s.first))]:
	case s.isPast(l):
	case !l.minute.IsZero() && l.minute.Before(s.delivered):
	default:
		return false
	}
	return true
}

// isPast reports whether a folder or object is of later days than are wanted.
func (s span) isPast(l layout) bool {
	return s.last != "" && l.date > s.last
}

// startAfter is the key behind which the listing of a prefix within a region's folder may begin,
// since the days stand in their order there; "" for the beginning.
func (s span) startAfter(prefix string) string {
	l := layoutOf(prefix)
	if l.region == "" || s.first == "" {
		return ""
	}
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if l.date != "" {
		folder = strings.TrimSuffix(folder, l.date+"/")
	}
	if after := folder + s.first + "/"; after > prefix {
		return after
	}
	return ""
}
