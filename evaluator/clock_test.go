package evaluator

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockRequest is a user's request at a time.
func clockRequest(at time.Time) *Request {
	req := &Request{Principal: Principal{Type: User, ARN: userU, Account: accountA}, Action: "s3:GetObject", Resource: Resource{ARN: "arn:aws:s3:::b/k", Account: accountA}}
	req.Context.Set("aws:CurrentTime", at.UTC().Format(time.RFC3339))
	req.Context.Set("aws:EpochTime", strconv.FormatInt(at.Unix(), 10))
	return req
}

// TestClock: policies of any layer may ask for the time (rules C15, V2).
func TestClock(t *testing.T) {
	before, after := clockRequest(time.Date(2026, 11, 19, 9, 59, 59, 0, time.UTC)), clockRequest(time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC))
	timed := doc{deny("", "*", "*", when("DateGreaterThanEquals", "AWS:currentTime", "2026-11-19T10:00:00Z"))}
	untimed := doc{deny("", "*", "*", when("DateGreaterThan", "aws:TokenIssueTime", "2026-11-19T10:00:00Z"))}
	layer := func(d doc) Layer { return layerOf(t, "p", "", "", d) }
	for _, tt := range []struct {
		name        string
		p           Policies
		asks, tells bool
	}{
		{"no policies", Policies{}, false, false},
		{"another date", Policies{Identity: layer(untimed)}, false, false},
		{"identity", Policies{Identity: layer(timed)}, true, true},
		{"boundary", Policies{Boundary: layer(timed)}, true, true},
		{"session", Policies{Session: layer(timed)}, true, true},
		{"endpoint", Policies{Endpoint: EndpointLayer{Layer: layer(timed)}}, true, true},
		{"resource", Policies{Resource: ResourceLayer{Layer: layer(timed)}}, true, true},
		{"behind an access point", Policies{Resource: ResourceLayer{Behind: &BucketBehind{Layer: layer(timed)}}}, true, true},
		{"SCP", Policies{SCP: hierarchyOf(t, "scp", []level{{"r-1", untimed}, {"1", timed}})}, true, true},
		{"RCP", Policies{RCP: hierarchyOf(t, "rcp", []level{{"r-1", timed}})}, true, true},
		{"a date that both are before", Policies{Identity: layer(doc{deny("", "*", "*", when("DateGreaterThan", "aws:CurrentTime", "2027-01-01"))})}, true, false},
		{"the seconds", Policies{Identity: layer(doc{deny("", "*", "*", when("StringLike", "aws:CurrentTime", "*:59Z"))})}, true, true},
		{"a variable in a resource", Policies{Identity: layer(doc{allow("", "*", "arn:aws:s3:::b/${aws:CurrentTime}")})}, true, true},
		{"a variable in a condition", Policies{Identity: layer(doc{deny("", "*", "*", when("StringEquals", "s3:prefix", "${aws:EpochTime}"))})}, true, true},
	} {
		c := ClockOf(&tt.p)
		if got := c.Asks(); got != tt.asks {
			t.Errorf("%s: asks for the time: %t, want %t", tt.name, got, tt.asks)
		}
		if got := c.Read(before) != c.Read(after); got != tt.tells {
			t.Errorf("%s: tells 09:59:59 (%q) from 10:00 (%q): %t, want %t", tt.name, c.Read(before), c.Read(after), got, tt.tells)
		}
	}
}

// FuzzClock: requests that differ in the time only, and for which a clock reads the same, are decided alike.
func FuzzClock(f *testing.F) {
	f.Add("2026-11-19T10:00:00Z", "DateLessThan", int64(1795082399), int64(1795082400))
	f.Add("1795082400", "NumericEquals", int64(1795082400), int64(0))
	f.Add("2026-11-19*", "StringNotLike", int64(1795082399), int64(1895082400))
	f.Fuzz(func(t *testing.T, operand, operator string, a, b int64) {
		if operators[strings.ToLower(operator)] == nil {
			operator = "DateGreaterThan"
		}
		text, err := json.Marshal(operand)
		if err != nil {
			t.Fatal(err)
		}
		operand = string(text)
		const limit = 1 << 33 // beyond it, years have five digits
		p := Policies{Identity: layerOf(t, "p", "", "", doc{allow("", "*", "*"), deny("", "*", "*", when(operator, "aws:CurrentTime", operand)), deny("", "*", "*", when(operator, "aws:EpochTime", operand))})}
		x, y := clockRequest(time.Unix(a%limit, 0)), clockRequest(time.Unix(b%limit, 0))
		if c := ClockOf(&p); c.Read(x) == c.Read(y) && Evaluate(x, &p) != Evaluate(y, &p) {
			t.Errorf("%s %q: the clock reads the same at %d and %d, the decisions differ", operator, operand, a%limit, b%limit)
		}
	})
}
