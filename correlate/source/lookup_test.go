package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/correlate"
)

// acmeNow is shortly after the events of testdata/acme.
var acmeNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const acmeTrail = "../../testdata/acme/cloudtrail/AWSLogs"

// ofFake are options that ask fake, in a region, at a time. No call waits.
func ofFake(fake *awsfake.Fake, region string, now time.Time) Options {
	return Options{
		AWS:  AWS{Load: func(context.Context) (aws.Config, error) { return fake.Config(region), nil }},
		now:  func() time.Time { return now },
		pace: func(string, string) waiter { return waiterFunc(func(context.Context) error { return nil }) },
		wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

type waiterFunc func(context.Context) error

func (f waiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// acmeEvents are the events of the acme trail by time and id, with the text of each.
func acmeEvents(t testing.TB) (events []*correlate.Event, texts map[*correlate.Event]string) {
	t.Helper()
	files := make(map[string][]json.RawMessage)
	texts = make(map[*correlate.Event]string)
	for _, e := range collect(t, acmeTrail, Options{}).events {
		if _, read := files[e.Origin.Path]; !read {
			files[e.Origin.Path] = recordsOf(t, e.Origin.Path)
		}
		events = append(events, e)
		texts[e] = string(files[e.Origin.Path][e.Origin.Index])
	}
	if len(events) < 50 {
		t.Fatalf("%d events in %s", len(events), acmeTrail)
	}
	slices.SortStableFunc(events, func(a, b *correlate.Event) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return events, texts
}

// recordsOf are the texts of a log file's records.
func recordsOf(t testing.TB, path string) []json.RawMessage {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		content = gunzipped(t, content)
	}
	var file struct{ Records []json.RawMessage }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	return file.Records
}

// unplaced is events without their origin, which is all that may differ between sources.
func unplaced(events []*correlate.Event) []correlate.Event {
	out := []correlate.Event{}
	for _, e := range events {
		without := *e
		without.Origin = correlate.Origin{}
		for _, raw := range []*json.RawMessage{&without.RequestParameters, &without.ResponseElements, &without.AdditionalData, &without.Context} {
			if *raw != nil {
				*raw = json.RawMessage(compacted(*raw))
			}
		}
		out = append(out, without)
	}
	return out
}

// TestLookupAcme: LookupEvents gives the same events as the trail's files, but for those it doesn't keep, in order, of
// which as many come out as can matter (T13, T16).
func TestLookupAcme(t *testing.T) {
	events, texts := acmeEvents(t)
	history := make(map[string][]string)
	var managed []*correlate.Event
	for _, e := range events {
		history[e.Region] = append(history[e.Region], texts[e])
		if e.Category == "Management" {
			managed = append(managed, e)
		}
	}
	for _, test := range []struct {
		want Want
		keep func(*correlate.Event) bool
	}{
		{Everything, func(*correlate.Event) bool { return true }},
		{Denials, func(e *correlate.Event) bool { return len(correlate.DenialsOf(e, false)) > 0 }},
		{Errors, func(e *correlate.Event) bool { return len(correlate.DenialsOf(e, true)) > 0 }},
		{Findings, func(e *correlate.Event) bool {
			return len(correlate.DenialsOf(e, false)) > 0 || strings.HasPrefix(e.Name, "AssumeRole") && e.ErrorCode == "" || e.Name == "GetFederationToken" || correlate.ChangesPolicies(e)
		}},
	} {
		var want []*correlate.Event
		for _, e := range managed {
			if test.keep(e) {
				want = append(want, e)
			}
		}
		opts := ofFake(awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: history}), "eu-west-1", acmeNow)
		opts.Query.Want = test.want
		opts.Progress = new(Progress)
		got := collect(t, "lookup:eu-west-1,us-east-1", opts)
		if diff := gocmp.Diff(unplaced(want), unplaced(got.events)); diff != "" {
			t.Errorf("want %d (-want +got):\n%s", test.want, diff)
		}
		if got.events[0].Origin.Path != "lookup:eu-west-1" || got.events[0].Origin.Lossy {
			t.Errorf("origin %+v", got.events[0].Origin)
		}
		if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "management events of the last 90 days only (from 2026-08-22T12:00:00Z on), never data events") {
			t.Errorf("beside the events: %v", got.errs)
		}
		if n, all := opts.Progress.Events.Load(), int64(len(managed)); n != all {
			t.Errorf("want %d: %d events counted, want all %d", test.want, n, all)
		}
		if opts.Progress.Stage.Load() != nil {
			t.Error("the stage stays when nothing is waited for any more")
		}
	}
}

// callsOf are a fake's calls: region and what was asked.
func callsOf(fake *awsfake.Fake) []string {
	var calls []string
	for _, c := range fake.Calls() {
		var in struct {
			LookupAttributes []struct{ AttributeKey, AttributeValue string }
		}
		if json.Unmarshal(c.Body, &in) != nil {
			calls = append(calls, "unreadable")
			continue
		}
		text := c.Region
		for _, a := range in.LookupAttributes {
			text += " " + a.AttributeKey + "=" + a.AttributeValue
		}
		calls = append(calls, text)
	}
	slices.Sort(calls)
	return calls
}

// TestLookupAsks: which regions are asked, and for what (T12, T14). An attribute is only chosen where it finds
// all that is wanted.
func TestLookupAsks(t *testing.T) {
	const (
		user    = "arn:aws:iam::111122223333:user/ops/ana"
		session = "arn:aws:sts::111122223333:assumed-role/deploy/ci@example.com"
	)
	for _, test := range []struct {
		name   string
		src    string
		query  Query
		calls  []string
		notice string
	}{
		{"configured region and that of global services", "lookup:", Query{}, []string{"eu-west-1", "us-east-1"}, "asking eu-west-1 and us-east-1"},
		{"regions of the source", "lookup:eu-west-2,eu-west-3,eu-west-2", Query{}, []string{"eu-west-2", "eu-west-3"}, ""},
		{"regions of the filter", "lookup:", Query{Regions: []string{"eu-west-3", "eu-west-2", "eu-west-3"}}, []string{"eu-west-2", "eu-west-3"}, ""},
		{"regions of both", "lookup:eu-west-2,eu-west-3", Query{Regions: []string{"eu-west-3"}}, []string{"eu-west-3"}, ""},
		{"access key", "lookup:eu-west-2", Query{AccessKeys: []string{"ASIAEXAMPLE"}}, []string{"eu-west-2 AccessKeyId=ASIAEXAMPLE"}, "asking for AccessKeyId=ASIAEXAMPLE"},
		{"access keys", "lookup:eu-west-2", Query{AccessKeys: []string{"ASIA1", "AKIA2"}}, []string{"eu-west-2 AccessKeyId=AKIA2", "eu-west-2 AccessKeyId=ASIA1"}, ""},
		{"access key, and the call that made its session", "lookup:eu-west-2", Query{Want: Findings, AccessKeys: []string{"ASIAEXAMPLE"}},
			[]string{"eu-west-2 AccessKeyId=ASIAEXAMPLE", "eu-west-2 ResourceName=ASIAEXAMPLE"}, ""},
		{"access key before principal", "lookup:eu-west-2", Query{AccessKeys: []string{"ASIAEXAMPLE"}, Principals: []string{user}}, []string{"eu-west-2 AccessKeyId=ASIAEXAMPLE"}, ""},
		{"user", "lookup:eu-west-2", Query{Principals: []string{user}}, []string{"eu-west-2 Username=ana"}, "asking for Username=ana: not seen are the user's federated sessions"},
		{"session", "lookup:eu-west-2", Query{Principals: []string{session}}, []string{"eu-west-2 Username=ci@example.com"}, ""},
		{"session, and the call that made it", "lookup:eu-west-2", Query{Want: Findings, Principals: []string{session}},
			[]string{"eu-west-2 ResourceName=ci@example.com", "eu-west-2 Username=ci@example.com"}, ""},
		{"user and session", "lookup:eu-west-2", Query{Principals: []string{user, session}}, []string{"eu-west-2 Username=ana", "eu-west-2 Username=ci@example.com"}, ""},
		{"one of several that has no attribute", "lookup:eu-west-2", Query{Principals: []string{user, "arn:aws:iam::111122223333:role/deploy"}}, []string{"eu-west-2"}, ""},
		{"role: its sessions have any name", "lookup:eu-west-2", Query{Principals: []string{"arn:aws:iam::111122223333:role/deploy"}}, []string{"eu-west-2"}, ""},
		{"pattern for a user", "lookup:eu-west-2", Query{Principals: []string{"arn:aws:iam::111122223333:user/an?"}}, []string{"eu-west-2"}, ""},
		{"pattern for a user's path", "lookup:eu-west-2", Query{Principals: []string{"arn:aws:iam::111122223333:user/*/ana"}}, []string{"eu-west-2"}, ""},
		{"pattern for a session", "lookup:eu-west-2", Query{Principals: []string{"arn:aws:sts::111122223333:assumed-role/*/ci"}}, []string{"eu-west-2"}, ""},
		{"pattern for an access key", "lookup:eu-west-2", Query{AccessKeys: []string{"ASIA*"}}, []string{"eu-west-2"}, ""},
		{"root", "lookup:eu-west-2", Query{Principals: []string{"arn:aws:iam::111122223333:root"}}, []string{"eu-west-2"}, ""},
		{"action: operations of another name may need it", "lookup:eu-west-2", Query{Actions: []string{"s3:ListBucket"}}, []string{"eu-west-2"}, ""},
		{"service: another's call may need its action", "lookup:eu-west-2", Query{Services: []string{"kms"}}, []string{"eu-west-2"}, ""},
		{"attribute of the source", "lookup:eu-west-2?resourcename=acme=logs", Query{AccessKeys: []string{"ASIA1"}}, []string{"eu-west-2 ResourceName=acme=logs"},
			"asking for ResourceName=acme=logs: events without it aren't seen, and most denied calls list no resource"},
		{"attribute of the source, without regions", "lookup:?EventName=GetUser", Query{}, []string{"eu-west-1 EventName=GetUser", "us-east-1 EventName=GetUser"}, "events without it aren't seen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow})
			opts := ofFake(fake, "eu-west-1", acmeNow)
			opts.Query = test.query
			got := collect(t, test.src, opts)
			if diff := gocmp.Diff(test.calls, callsOf(fake)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if notices := fmt.Sprint(got.errs); !strings.Contains(notices, test.notice) || strings.Contains(notices, "asking for") != strings.Contains(strings.Join(test.calls, " "), "=") {
				t.Errorf("notices: %v, want %q", got.errs, test.notice)
			}
		})
	}
}

// TestLookupAccounts: LookupEvents knows the caller's account only, and who wants another is told so (T13).
func TestLookupAccounts(t *testing.T) {
	for _, test := range []struct {
		accounts []string
		want     string
	}{
		{nil, ""},
		{[]string{awsfake.Account}, ""},
		{[]string{awsfake.Account, "444455556666"}, "LookupEvents has the events of account 111122223333 only: for --account 444455556666 ask as one of its principals"},
	} {
		opts := ofFake(awsfake.New(&awsfake.CloudTrail{Now: acmeNow}), "eu-west-1", acmeNow)
		opts.Query.Accounts = test.accounts
		text := fmt.Sprint(collect(t, "lookup:eu-west-1,us-east-1", opts).errs)
		if !strings.Contains(text, test.want) || strings.Count(text, "only: for --account") != min(len(test.want), 1) {
			t.Errorf("%v: %s", test.accounts, text)
		}
	}
}

// FuzzParseLookup: what is understood of a SOURCE is all that it says.
func FuzzParseLookup(f *testing.F) {
	for _, what := range []string{"", "eu-west-1", "eu-west-1, us-gov-west-1", "?Username=a=b", "eu-west-1?resourcename=x", "?", ",", "EU-WEST-1"} {
		f.Add(what)
	}
	f.Fuzz(func(t *testing.T, what string) {
		regions, asked, err := parseLookup(what)
		if err != nil {
			return
		}
		again := strings.Join(regions, ",")
		if asked != (attribute{}) {
			again += "?" + asked.String()
		}
		gotRegions, gotAsked, err := parseLookup(again)
		if err != nil || !slices.Equal(gotRegions, regions) || gotAsked != asked {
			t.Errorf("%q is %v and %v; that is written %q, which is %v and %v, %v", what, regions, asked, again, gotRegions, gotAsked, err)
		}
		for _, name := range regions {
			if !strings.Contains(what, name) {
				t.Errorf("%q: nothing says %s", what, name)
			}
		}
		if (asked.value == "") != !strings.Contains(what, "?") || !strings.HasSuffix(what, asked.value) {
			t.Errorf("%q: nothing says %s", what, asked)
		}
	})
}

// TestLookupTimes: what is asked for lies within the 90 days (T13).
func TestLookupTimes(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		since, until, start, end time.Time
		notice                   string
	}{
		{time.Time{}, time.Time{}, acmeNow.Add(-90 * day), acmeNow, "of the last 90 days only (from 2026-08-22T12:00:00Z on), never data events"},
		{acmeNow.Add(-91 * day), acmeNow.Add(day), acmeNow.Add(-90 * day), acmeNow, "of the last 90 days only"},
		{acmeNow.Add(-90 * day), acmeNow.Add(-day), acmeNow.Add(-90 * day), acmeNow.Add(-day), "LookupEvents has management events only, never data events"},
	} {
		fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow})
		opts := ofFake(fake, "us-east-1", acmeNow)
		opts.Query = Query{Since: test.since, Until: test.until}
		got := collect(t, "lookup:us-east-1", opts)
		var in struct{ StartTime, EndTime float64 }
		if err := json.Unmarshal(fake.Calls()[0].Body, &in); err != nil {
			t.Fatal(err)
		}
		if in.StartTime != awsfake.Seconds(test.start) || in.EndTime != awsfake.Seconds(test.end) {
			t.Errorf("%v to %v: asked %v to %v, want %v to %v", test.since, test.until, in.StartTime, in.EndTime, test.start, test.end)
		}
		if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), test.notice) {
			t.Errorf("%v to %v: %v, want %q", test.since, test.until, got.errs, test.notice)
		}
	}
}

// TestLookupRefused: what can't be asked is said before anything is, in one line.
func TestLookupRefused(t *testing.T) {
	for _, test := range []struct {
		src    string
		query  Query
		region string
		want   string
	}{
		{"lookup:Ireland", Query{}, "eu-west-1", `lookup:Ireland: "Ireland" is not a region; want lookup:eu-west-1,us-east-1`},
		{"lookup:eu-west-1,", Query{}, "eu-west-1", `"" is not a region`},
		{"lookup:?User=ana", Query{}, "eu-west-1", `unknown attribute "User": LookupEvents has EventId, EventName, ReadOnly, Username, ResourceType, ResourceName, EventSource, AccessKeyId`},
		{"lookup:?", Query{}, "eu-west-1", `unknown attribute ""`},
		{"lookup:?Username=", Query{}, "eu-west-1", "no value; want ?Username=VALUE"},
		{"lookup:?Username", Query{}, "eu-west-1", "no value; want ?Username=VALUE"},
		{"lookup:", Query{Regions: []string{"here"}}, "eu-west-1", `--region "here" is not a region`},
		{"lookup:eu-west-1", Query{Regions: []string{"us-east-1"}}, "eu-west-1", "none of these regions is wanted: --region is us-east-1"},
		{"lookup:", Query{Until: acmeNow.AddDate(-1, 0, 0)}, "eu-west-1", "--until is before 2026-08-22T12:00:00Z: LookupEvents keeps the last 90 days only"},
		{"lookup:", Query{Since: acmeNow.AddDate(1, 0, 0)}, "eu-west-1", "--since is in the future"},
		{"lookup:", Query{}, "", "lookup: no AWS region: give --region"},
	} {
		fake := awsfake.New()
		opts := ofFake(fake, test.region, acmeNow)
		opts.Query = test.query
		_, err := Open(context.Background(), test.src, opts)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", test.src, err, test.want)
		}
		if len(fake.Calls()) > 0 {
			t.Errorf("%s: AWS was asked", test.src)
		}
	}
	opts := Options{AWS: AWS{Load: func(context.Context) (aws.Config, error) { return aws.Config{Region: "eu-west-1"}, nil }}}
	if _, err := Open(context.Background(), "lookup:", opts); err == nil || !strings.Contains(err.Error(), "no AWS credentials: set AWS_PROFILE") {
		t.Errorf("no credentials: %v", err)
	}
}

// event is the text of a denied call, at a minute of the hour before acmeNow.
func denied(id string, minute int) string {
	return fmt.Sprintf(`{"eventVersion":"1.10","eventID":%q,"eventTime":%q,"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","errorCode":"Client.UnauthorizedOperation",`+
		`"eventCategory":"Management","userIdentity":{"type":"IAMUser","userName":"ana"},"requestParameters":null}`,
		id, acmeNow.Add(time.Duration(minute-60)*time.Minute).Format(time.RFC3339))
}

// ids are the ids of events, in their order.
func ids(events []*correlate.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.ID)
	}
	return strings.Join(out, " ")
}

// manyDenied are n denials of a region, a second apart, the newest first as LookupEvents has them.
func manyDenied(prefix string, n int) []string {
	var texts []string
	for i := range n {
		texts = append(texts, strings.Replace(denied(fmt.Sprintf("%s%03d", prefix, n-i), 0), acmeNow.Add(-time.Hour).Format(time.RFC3339),
			acmeNow.Add(-time.Duration(i)*time.Second).Format(time.RFC3339), 1))
	}
	return texts
}

// TestLookupPages: all pages of all regions are read, each call waits for its turn in its region, a
// call that is throttled waits again, and the events are one sequence (T13, T15).
func TestLookupPages(t *testing.T) {
	ct := &awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-1": manyDenied("a", 120), "us-east-1": manyDenied("b", 30)}}
	fake := awsfake.New(ct)
	fake.Fail(awsfake.Fault{Region: "eu-west-1", Nth: 2, Reply: awsfake.Throttle})
	opts := ofFake(fake, "eu-west-1", acmeNow)
	var mu sync.Mutex
	waits := make(map[string]int)
	opts.pace = func(account, region string) waiter {
		return waiterFunc(func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			waits[account+" "+region]++
			return nil
		})
	}
	got := collect(t, "lookup:", opts)
	if len(got.events) != 150 {
		t.Fatalf("%d events, want 150: %v", len(got.events), got.errs)
	}
	if !slices.IsSortedFunc(got.events, func(a, b *correlate.Event) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) }) {
		t.Errorf("not by time and id: %s", ids(got.events))
	}
	want := map[string]int{awsfake.Account + " eu-west-1": 4, awsfake.Account + " us-east-1": 1}
	if diff := gocmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if n := len(fake.Calls()); n != 5 {
		t.Errorf("%d calls, want 5", n)
	}
}

// TestLookupThrottled: a call that is throttled in spite of the SDK's attempts is made again after longer and
// longer waits; one that goes wrong in another way isn't (T15).
func TestLookupThrottled(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   int // of the calls that meet the fault
		to     int
		reply  awsfake.Handler
		events int
		waits  []time.Duration
	}{
		{"for a while", 2, 9, awsfake.Throttle, 120, []time.Duration{time.Second, 2 * time.Second}},
		{"for ever", 2, 50, awsfake.Throttle, 50, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}},
		{"not throttled", 2, 50, awsfake.Garble, 50, nil},
	} {
		fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-1": manyDenied("a", 120)}})
		for n := test.from; n <= test.to; n++ {
			fake.Fail(awsfake.Fault{Nth: n, Reply: test.reply})
		}
		opts := ofFake(fake, "eu-west-1", acmeNow)
		var waits []time.Duration
		opts.wait = func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		}
		got := collect(t, "lookup:eu-west-1", opts)
		if len(got.events) != test.events {
			t.Errorf("%s: %d events, want %d: %v", test.name, len(got.events), test.events, got.errs)
		}
		if diff := gocmp.Diff(test.waits, waits); diff != "" {
			t.Errorf("%s: waits (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestLookupPace: an account's calls in a region have one pace in the whole process, of two a second
// without a burst (T15).
func TestLookupPace(t *testing.T) {
	if lookupPace("111122223333", "eu-west-1") != lookupPace("111122223333", "eu-west-1") {
		t.Error("a pace for each source, not for the process")
	}
	for _, other := range []waiter{lookupPace("111122223333", "eu-west-2"), lookupPace("444455556666", "eu-west-1")} {
		if lookupPace("111122223333", "eu-west-1") == other {
			t.Error("another account or region has the same pace")
		}
	}
	limiter, ok := lookupPace("111122223333", "eu-west-1").(interface {
		Burst() int
		TokensAt(time.Time) float64
	})
	if !ok || limiter.Burst() != 1 {
		t.Fatalf("pace %#v, want a burst of 1", limiter)
	}
}

// TestLookupParts: what goes wrong in one region is said, what it gave before is kept, and the others are read.
func TestLookupParts(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault awsfake.Fault
		want  string // ids
		err   string
	}{
		{"denied", awsfake.Fault{Region: "eu-west-2", Reply: awsfake.Deny}, "a001 c001",
			"lookup:eu-west-2: event history: CloudTrail LookupEvents: AccessDeniedException: User: arn:aws:iam::111122223333:user/u is not authorized to perform: cloudtrail:LookupEvents"},
		{"throttled to the end, on the second page", awsfake.Fault{Region: "eu-west-2", Reply: throttledFromSecond()}, "a001 b050 … b099 c001",
			"lookup:eu-west-2: event history before 2026-11-20T11:59:11Z: CloudTrail LookupEvents: ThrottlingException"},
		{"the same page for ever", awsfake.Fault{Region: "eu-west-2", Reply: func(*awsfake.Call) awsfake.Reply {
			return awsfake.JSON(map[string]any{"NextToken": "x", "Events": []any{}})
		}}, "a001 c001", "lookup:eu-west-2: event history before 2026-11-20T12:00:00Z: LookupEvents names the page that it gave as the next one"},
		{"no JSON", awsfake.Fault{Region: "eu-west-2", Reply: awsfake.Garble}, "a001 c001", "lookup:eu-west-2: event history: CloudTrail LookupEvents:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{
				"eu-west-1": {denied("a001", 0)}, "eu-west-2": manyDenied("b", 99), "us-east-1": {denied("c001", 59)},
			}})
			if test.fault.Reply != nil {
				fake.Fail(test.fault)
			}
			got := collect(t, "lookup:eu-west-1,eu-west-2,us-east-1", ofFake(fake, "eu-west-1", acmeNow))
			text := ids(got.events)
			if len(got.events) > 4 {
				slices.SortFunc(got.events, func(a, b *correlate.Event) int { return cmp.Compare(a.ID, b.ID) })
				text = ids(got.events[:2]) + " … " + ids(got.events[len(got.events)-2:])
			}
			if text != test.want {
				t.Errorf("events %s, want %s", text, test.want)
			}
			var part *PartError
			if !errors.As(errors.Join(got.errs...), &part) || !strings.HasPrefix(part.Error(), test.err) {
				t.Errorf("%v, want a *PartError with %q", got.errs, test.err)
			}
			var failed *AWSError
			if errors.As(part, &failed) == strings.Contains(part.Error(), "names the page") {
				t.Errorf("%v: is an *AWSError: %t", part, failed != nil)
			}
		})
	}
}

// throttledFromSecond answers the first call as LookupEvents does, and throttles all others.
func throttledFromSecond() awsfake.Handler {
	first := true
	_, rows := (&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-2": manyDenied("b", 99)}}).Operations()
	return func(c *awsfake.Call) awsfake.Reply {
		if first {
			first = false
			return rows["LookupEvents"](c)
		}
		return awsfake.Throttle(c)
	}
}

// TestLookupCancelled: what is known when the run is stopped comes out, and then that it was stopped.
func TestLookupCancelled(t *testing.T) {
	fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-1": manyDenied("a", 120)}})
	for _, test := range []struct {
		name string
		in   func(stop func()) (awsfake.Fault, func(context.Context) error)
	}{
		{"while AWS answers", func(stop func()) (awsfake.Fault, func(context.Context) error) {
			return awsfake.Fault{Nth: 2, Reply: func(*awsfake.Call) awsfake.Reply { stop(); return awsfake.Reply{} }}, func(context.Context) error { return nil }
		}},
		{"while a call waits for its turn", func(stop func()) (awsfake.Fault, func(context.Context) error) {
			turn := 0
			return awsfake.Fault{Service: "none"}, func(ctx context.Context) error {
				if turn++; turn < 2 {
					return nil
				}
				stop()
				<-ctx.Done()
				return ctx.Err()
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-1": manyDenied("a", 120)}})
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			fault, wait := test.in(stop)
			fake.Fail(fault)
			opts := ofFake(fake, "eu-west-1", acmeNow)
			opts.pace = func(string, string) waiter { return waiterFunc(wait) }
			seq, err := Open(ctx, "lookup:eu-west-1", opts)
			if err != nil {
				t.Fatal(err)
			}
			var events int
			var last error
			for e, err := range seq {
				if last = err; e != nil {
					events++
				}
			}
			if events != 50 || last != context.Canceled {
				t.Errorf("%d events, then %v; want the 50 of the first page, then that the context was cancelled", events, last)
			}
		})
	}
	seq, err := Open(context.Background(), "lookup:eu-west-1", ofFake(fake, "eu-west-1", acmeNow))
	if err != nil {
		t.Fatal(err)
	}
	for range seq { // a consumer that wants no more after the first thing
		break
	}
	if len(fake.Calls()) > 0 {
		t.Error("AWS was asked for a consumer that had gone")
	}
}

// TestLookupBadRecords: what isn't a record is counted, whatever it is, and the others are read (T16).
func TestLookupBadRecords(t *testing.T) {
	insight := `{"eventID":"i","eventTime":"2026-11-20T11:30:00Z","eventCategory":"Insight","managementEvent":true,"eventType":"AwsCloudTrailInsight"}`
	long := strings.Replace(denied("long", 3), `"requestParameters":null`, `"requestParameters":{"x":"`+strings.Repeat("x", 5000)+`"}`, 1)
	_, rows := (&awsfake.CloudTrail{}).Operations()
	fake := awsfake.New()
	for name, h := range rows {
		fake.Handle("cloudtrail", name, h)
	}
	fake.Handle("cloudtrail", "LookupEvents", func(*awsfake.Call) awsfake.Reply {
		var events []map[string]any
		for _, text := range []string{denied("2", 2), "Not JSON", `{"eventName":`, "{}", insight, long, denied("1", 1)} {
			events = append(events, map[string]any{"EventId": "x", "EventTime": awsfake.Seconds(acmeNow), "CloudTrailEvent": text})
		}
		return awsfake.JSON(map[string]any{"Events": append(events, map[string]any{"EventId": "without"})})
	})
	opts := ofFake(fake, "eu-west-1", acmeNow)
	opts.MaxRecord = 4000
	got := collect(t, "lookup:eu-west-1", opts)
	if ids(got.events) != "1 2" {
		t.Errorf("events %s, want 1 2", ids(got.events))
	}
	want := []string{
		`lookup:eu-west-1: record 1: no CloudTrail record, but the text "Not JSON"`,
		`lookup:eu-west-1: record 2: `,
		`lookup:eu-west-1: record 3: `,
		`lookup:eu-west-1: record 5: record of 5288 bytes is longer than the limit of 4000; raise it with --max-record-size`,
		`lookup:eu-west-1: record 7: no CloudTrail record, but the text ""`,
		`lookup:eu-west-1: skipped: Insights event, not a call`,
	}
	if len(got.errs) != len(want)+1 {
		t.Fatalf("%d complaints and notices, want %d: %v", len(got.errs), len(want)+1, got.errs)
	}
	for i, text := range want {
		if !strings.HasPrefix(got.errs[i+1].Error(), text) {
			t.Errorf("complaint %d: %v, want %s", i, got.errs[i+1], text)
		}
	}
	if n := len(got.bad()); n != 5 {
		t.Errorf("%d bad records, want 5", n)
	}
}

// TestLookupBudget: what is held has a bound, and what doesn't fit is said, with how to get at it.
func TestLookupBudget(t *testing.T) {
	fake := awsfake.New(&awsfake.CloudTrail{Now: acmeNow, Events: map[string][]string{"eu-west-1": manyDenied("a", 20)}})
	l := &lookup{opts: ofFake(fake, "eu-west-1", acmeNow).withDefaults(), budget: budget{left: 10 << 10}}
	if err := l.open(context.Background(), "eu-west-1"); err != nil {
		t.Fatal(err)
	}
	var h haul
	for e, err := range l.events(context.Background()) {
		_ = h.take(e, err)
	}
	text := fmt.Sprint(h.errs)
	if n := len(h.events); n < 5 || n >= 10 {
		t.Errorf("%d events held in 10 KB", n)
	}
	if h.events[len(h.events)-1].ID != "a020" || !strings.Contains(text, "lookup:eu-west-1: stopped at 2026-11-20T11:59:5") || !strings.Contains(text, "--until 2026-11-20T11:59:5") {
		t.Errorf("newest %s, %s", h.events[len(h.events)-1].ID, text)
	}
}
