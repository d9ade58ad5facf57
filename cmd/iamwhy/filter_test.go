package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
	"github.com/iamwhy/iamwhy/evaluator"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func TestParseTime(t *testing.T) {
	tests := []struct {
		in   string
		want time.Time
		day  bool
	}{
		{"2026-01-02T03:04:05Z", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), false},
		{"2026-01-02T03:04:05+02:00", time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC), false},
		{"2026-01-02", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), true},
		{"2h", now.Add(-2 * time.Hour), false},
		{"7d", now.AddDate(0, 0, -7), false},
		{"90m", now.Add(-90 * time.Minute), false},
		{"2w", now.AddDate(0, 0, -14), false},
	}
	for _, tt := range tests {
		got, day, err := parseTime(tt.in, now)
		if err != nil || !got.Equal(tt.want) || day != tt.day {
			t.Errorf("parseTime(%s): got %v, %v, %v, want %v, %v", tt.in, got, day, err, tt.want, tt.day)
		}
	}
	for _, in := range []string{"", "h", "-2h", "2", "2y", "yesterday", "2026-13-01", "99999999999999999999d", "999999d"} {
		if got, _, err := parseTime(in, now); err == nil {
			t.Errorf("parseTime(%q): got %v, want an error", in, got)
		}
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"arn:aws:iam::1:user/u", "arn:aws:iam::1:user/u", true},
		{"arn:aws:iam::1:user/u", "arn:aws:iam::1:user/ux", false},
		{"*", "anything", true},
		{"*", "", false},
		{"*/deploy/*", "arn:aws:sts::1:assumed-role/deploy/ci", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"?", "é", true},
		{"a?", "a", false},
		{"a**", "a", true},
	}
	for _, tt := range tests {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("glob(%q, %q): got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// slowGlob is the obvious matcher.
func slowGlob(p, t []rune) bool {
	switch {
	case len(p) == 0:
		return len(t) == 0
	case p[0] == '*':
		return slowGlob(p[1:], t) || len(t) > 0 && slowGlob(p, t[1:])
	}
	return len(t) > 0 && (p[0] == '?' || p[0] == t[0]) && slowGlob(p[1:], t[1:])
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("**", "x")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern)+len(text) > 30 || strings.Count(pattern, "*") > 5 || text == "" {
			return
		}
		if got, want := glob(pattern, text), slowGlob([]rune(pattern), []rune(text)); got != want {
			t.Errorf("glob(%q, %q): got %v, want %v", pattern, text, got, want)
		}
	})
}

func TestFilter(t *testing.T) {
	event := &correlate.Event{
		Time: now, Region: "eu-west-1", Source: "s3.amazonaws.com", Name: "ListObjectsV2", RecipientAccount: "111111111111",
		Identity: correlate.Identity{
			ARN: "arn:aws:sts::222222222222:assumed-role/deploy/ci", Account: "222222222222", AccessKeyID: "ASIAEXAMPLE",
			Session: &correlate.Session{IssuerARN: "arn:aws:iam::222222222222:role/app/deploy"},
		},
	}
	denial := correlate.Denial{Event: event, Principal: evaluator.Principal{ARN: event.Identity.ARN, Account: "222222222222"}}.WithRequests(
		correlate.Request{Request: evaluator.Request{Action: "s3:ListBucket", Resource: evaluator.Resource{ARN: "arn:aws:s3:::acme-logs"}}})
	tests := []struct {
		name string
		f    filter
		want bool
	}{
		{"nothing asked", filter{}, true},
		{"since, before it", filter{sinceText: "1h"}, true},
		{"since, after it", filter{sinceText: "2026-03-10T12:00:01Z"}, false},
		{"until a date has the whole day", filter{untilText: "2026-03-10"}, true},
		{"until the day before", filter{untilText: "2026-03-09"}, false},
		{"session", filter{principals: []string{event.Identity.ARN}}, true},
		{"role of the session", filter{principals: []string{"arn:aws:iam::222222222222:role/app/deploy"}}, true},
		{"pattern", filter{principals: []string{"x", "*:role/*/deploy"}}, true},
		{"another principal", filter{principals: []string{"arn:aws:iam::222222222222:role/app/deploy2"}}, false},
		{"caller's account", filter{accounts: []string{"222222222222"}}, true},
		{"resource's account", filter{accounts: []string{"111111111111"}}, true},
		{"another account", filter{accounts: []string{"333333333333"}}, false},
		{"region", filter{regions: []string{"us-east-1", "eu-west-1"}}, true},
		{"another region", filter{regions: []string{"us-east-1"}}, false},
		{"service", filter{services: []string{"s3"}}, true},
		{"service as CloudTrail has it", filter{services: []string{"S3.amazonaws.com"}}, true},
		{"another service", filter{services: []string{"s"}}, false},
		{"action as IAM has it", filter{actions: []string{"s3:listbucket"}}, true},
		{"action as CloudTrail has it", filter{actions: []string{"s3:ListObjects*"}}, true},
		{"action without a service", filter{actions: []string{"ListBucket"}}, true},
		{"another action", filter{actions: []string{"ListBuckets"}}, false},
		{"access key", filter{accessKeys: []string{"ASIAOTHER", "ASIAEXAMPLE"}}, true},
		{"another access key", filter{accessKeys: []string{"asiaexample"}}, false},
		{"resource", filter{resources: []string{"arn:aws:s3:::acme-*"}}, true},
		{"another resource", filter{resources: []string{"arn:aws:s3:::acme"}}, false},
		{"all must fit", filter{services: []string{"s3"}, regions: []string{"us-east-1"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.f.parse(now); err != nil {
				t.Fatal(err)
			}
			if got := tt.f.event(event) && tt.f.denial(denial); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestResourceFilter is of resources that aren't known, which may be any (rules R14, U3).
func TestResourceFilter(t *testing.T) {
	request := func(arn string, pattern bool) correlate.Request {
		return correlate.Request{Request: evaluator.Request{Resource: evaluator.Resource{ARN: arn, Pattern: pattern}}}
	}
	const instance = "arn:aws:ec2:eu-west-1:222222222222:instance/i-1"
	tests := []struct {
		name     string
		pattern  string
		named    string // the action that AWS's message names
		requests []correlate.Request
		want     bool
	}{
		{"nothing is known of the call", instance, "", nil, true},
		{"nothing is known of the resource", instance, "", []correlate.Request{request("", false)}, true},
		{"any resource", instance, "", []correlate.Request{request("*", true)}, true},
		{"an action without resources", instance, "", []correlate.Request{request("*", false)}, false},
		{"any instance", instance, "", []correlate.Request{request("arn:aws:ec2:eu-west-1:*:instance/*", true)}, true},
		{"any instance, by a pattern", "*i-1*", "", []correlate.Request{request("arn:aws:ec2:eu-west-1:*:instance/*", true)}, true},
		{"any instance elsewhere", instance, "", []correlate.Request{request("arn:aws:ec2:us-east-1:*:instance/*", true)}, false},
		{"the instance * by itself", instance, "", []correlate.Request{request("arn:aws:ec2:eu-west-1:222222222222:instance/*", false)}, false},
		{"any of those that the call needs", instance, "", []correlate.Request{request("arn:aws:s3:::b", false), request(instance, false)}, true},
		{"AWS named another", instance, "s3:ListBucket", []correlate.Request{request("arn:aws:s3:::b", false), request(instance, false)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := correlate.Denial{}.WithRequests(tt.requests...)
			d.Message.Action = tt.named
			f := filter{resources: []string{tt.pattern}}
			if got := f.denial(d); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestGlobsMeet compares with all short texts: patterns meet if one of them fits both. Two of four letters, a * each, may
// need a text of six: aaa* and *bbb.
func TestGlobsMeet(t *testing.T) {
	var texts []string
	for n := 1; n <= 6; n++ {
		for i := range 1 << n {
			texts = append(texts, strings.NewReplacer("0", "a", "1", "b").Replace(fmt.Sprintf("%0*b", n, i)))
		}
	}
	letters := []rune("ab*?")
	pattern := rapid.StringOfN(rapid.SampledFrom(letters), 1, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := pattern.Draw(t, "a"), pattern.Draw(t, "b")
		want := slices.ContainsFunc(texts, func(s string) bool { return glob(a, s) && glob(b, s) })
		if got := globsMeet(a, b); got != want {
			t.Fatalf("globsMeet(%q, %q): got %v, want %v", a, b, got, want)
		}
	})
}

// TestQuery holds the filter to asking sources for no less than it keeps: every flag that narrows a query has its field.
func TestQuery(t *testing.T) {
	f := filter{
		since: now, until: now.Add(time.Hour), principals: []string{"p"}, accounts: []string{"1"}, regions: []string{"r"},
		services: []string{"s"}, actions: []string{"a"}, accessKeys: []string{"k"}, resources: []string{"arn:x"},
	}
	want := source.Query{
		Want: source.Findings, Since: now, Until: now.Add(time.Hour), Principals: []string{"p"}, Accounts: []string{"1"}, Regions: []string{"r"},
		Services: []string{"s"}, Actions: []string{"a"}, AccessKeys: []string{"k"},
	}
	if diff := cmp.Diff(want, f.query(source.Findings)); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestContext(t *testing.T) {
	ctx, err := question{values: []string{"aws:TagKeys=a", "AWS:tagkeys=b", "x=", "y=1=2"}, unknown: []string{"z"}, closed: true}.context()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"aws:TagKeys": "a,b", "x": "", "y": "1=2"} {
		if got := ctx.Lookup(key); got.State != evaluator.Present || strings.Join(got.Values, ",") != want || len(got.Values) == 0 {
			t.Errorf("%s: got %v, want %s", key, got, want)
		}
	}
	if ctx.Lookup("z").State != evaluator.UnknownKey || ctx.Lookup("other").State != evaluator.Absent {
		t.Error("under --closed-context only what is called unknown is unknown")
	}
	open, _ := question{}.context()
	if open.Lookup("other").State != evaluator.UnknownKey {
		t.Error("what isn't given is unknown")
	}
	for _, q := range []question{{values: []string{"novalue"}}, {values: []string{"=x"}}, {values: []string{"a=1"}, unknown: []string{"A"}}} {
		if _, err := q.context(); err == nil {
			t.Errorf("%+v: want an error", q)
		}
	}
}
