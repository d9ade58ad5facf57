package source

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestLayoutOf: what a key says (T7), and nothing that it doesn't.
func TestLayoutOf(t *testing.T) {
	const a = "111122223333"
	minute := time.Date(2023, 7, 10, 12, 20, 0, 0, time.UTC)
	for key, want := range map[string]layout{
		"":                      {},
		"logs/2023/":            {},
		"AWSLogs":               {}, // a file
		"AWSLogs/":              {inLogs: true},
		"x/y/AWSLogs/":          {inLogs: true},
		"AWSLogs/file":          {inLogs: true},
		"AWSLogs/other/":        {},
		"AWSLogs/o-abcdefghij/": {inLogs: true},
		"o-abcdefghij/AWSLogs/o-abcdefghij/" + a + "/": {inLogs: true, account: a},
		"AWSLogs/" + a:                                                   {inLogs: true}, // no folder yet
		"AWSLogs/" + a + "/":                                             {inLogs: true, account: a},
		"AWSLogs/" + a + "/CloudTrail/":                                  {inLogs: true, account: a, kind: "CloudTrail"},
		"AWSLogs/" + a + "/CloudTrail/x":                                 {inLogs: true, account: a, kind: "CloudTrail"},
		"AWSLogs/" + a + "/CloudTrail/old/eu-west-1/":                    {inLogs: true, account: a, kind: "CloudTrail", odd: true},
		"AWSLogs/" + a + "/elasticloadbalancing/eu-west-1/":              {inLogs: true, account: a, kind: "elasticloadbalancing"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/":                        {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1"},
		"AWSLogs/" + a + "/CloudTrail/us-gov-west-1/":                    {inLogs: true, account: a, kind: "CloudTrail", region: "us-gov-west-1"},
		"AWSLogs/" + a + "/CloudTrail/eusc-de-east-1/":                   {inLogs: true, account: a, kind: "CloudTrail", region: "eusc-de-east-1"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/2023/":                   {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/2023/07/":                {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023/07"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/07/10/":                  {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/2023/07/10/all.json":     {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023/07/10"},
		"AWSLogs/" + a + "/CloudTrail-Digest/eu-west-1/2023/07/10/":      {inLogs: true, account: a, kind: "CloudTrail-Digest", region: "eu-west-1", date: "2023/07/10"},
		"AWSLogs/o-abcdefghij/" + a + "/CloudTrail/eu-west-1/2023/07/10": {inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023/07"},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/2023/07/10/" + a + "_CloudTrail_eu-west-1_20230710T1220Z_Mu0KsOhtH1ar15ZZ.json.gz": {
			inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023/07/10", minute: minute},
		"AWSLogs/" + a + "/CloudTrail/eu-west-1/2023/07/10/" + a + "_CloudTrail_eu-west-1_20239910T1220Z_Mu0KsOhtH1ar15ZZ.json.gz": {
			inLogs: true, account: a, kind: "CloudTrail", region: "eu-west-1", date: "2023/07/10"},
	} {
		if diff := cmp.Diff(want, layoutOf(key), cmp.AllowUnexported(layout{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

// TestSpan: which folders are looked into, and from where on (T9).
func TestSpan(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	const trail = "AWSLogs/111122223333/CloudTrail/"
	july := Query{Since: day("2023-07-10T14:30:00Z"), Until: day("2023-07-12T23:59:59.9Z")}
	for _, test := range []struct {
		name    string
		query   Query
		key     string
		outside bool
		after   string
	}{
		{"no bounds", Query{}, trail + "eu-west-1/", false, ""},
		{"another account", Query{Accounts: []string{"999988887777"}}, "AWSLogs/111122223333/", true, ""},
		{"one of the accounts", Query{Accounts: []string{"999988887777", "111122223333"}}, "AWSLogs/111122223333/", false, ""},
		{"the organization, whichever the account", Query{Accounts: []string{"999988887777"}}, "AWSLogs/o-abcdefghij/", false, ""},
		{"another region", Query{Regions: []string{"us-east-1"}}, trail + "eu-west-1/", true, ""},
		{"the region", Query{Regions: []string{"us-east-1"}}, trail + "us-east-1/", false, ""},
		{"not a trail's folder", Query{Regions: []string{"us-east-1"}, Accounts: []string{"1"}, Since: july.Since}, "copied/2020/01/01/", false, ""},
		{"region", july, trail + "eu-west-1/", false, trail + "eu-west-1/2023/07/10/"},
		{"region, and the beginning of a year", july, trail + "eu-west-1/20", false, trail + "eu-west-1/2023/07/10/"},
		{"year before", july, trail + "eu-west-1/2022/", true, ""},
		{"year", july, trail + "eu-west-1/2023/", false, trail + "eu-west-1/2023/07/10/"},
		{"year after", july, trail + "eu-west-1/2024/", true, ""},
		{"month before", july, trail + "eu-west-1/2023/06/", true, ""},
		{"month", july, trail + "eu-west-1/2023/07/", false, trail + "eu-west-1/2023/07/10/"},
		{"month after", july, trail + "eu-west-1/2023/08/", true, ""},
		{"day before", july, trail + "eu-west-1/2023/07/09/", true, ""},
		{"first day", july, trail + "eu-west-1/2023/07/10/", false, ""},
		{"day after the last, when the last calls may be delivered", july, trail + "eu-west-1/2023/07/13/", false, ""},
		{"two days after", july, trail + "eu-west-1/2023/07/14/", true, ""},
		{"delivered before", july, trail + "eu-west-1/2023/07/10/1_CloudTrail_x_20230710T1325Z_x.json.gz", true, ""},
		{"delivered before, but a clock may be wrong", july, trail + "eu-west-1/2023/07/10/1_CloudTrail_x_20230710T1330Z_x.json.gz", false, ""},
		{"no time in its name", july, trail + "eu-west-1/2023/07/10/all.json", false, ""},
		{"just after midnight", Query{Since: day("2023-08-01T00:10:00Z")}, trail + "eu-west-1/2023/07/", false, trail + "eu-west-1/2023/07/31/"},
		{"last day of the year", Query{Until: day("2023-12-31T10:00:00Z")}, trail + "eu-west-1/2024/01/01/", false, ""},
		{"only until", Query{Until: day("2023-12-31T10:00:00Z")}, trail + "eu-west-1/2024/01/02/", true, ""},
		{"other time zone", Query{Since: day("2023-07-11T01:30:00+02:00")}, trail + "eu-west-1/", false, trail + "eu-west-1/2023/07/10/"},
		{"network activity", july, "AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/2023/07/09/", true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := spanOf(test.query)
			if got := s.excludes(layoutOf(test.key)); got != test.outside {
				t.Errorf("%s: excluded is %t, want %t", test.key, got, test.outside)
			}
			if got := s.startAfter(test.key); !test.outside && got != test.after {
				t.Errorf("%s: starts after %q, want %q", test.key, got, test.after)
			}
		})
	}
}

// TestSpanIsSound: a file that is delivered within a day after a call that is wanted is never
// left out, nor is any folder above it, nor does a listing begin behind it.
func TestSpanIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Date(2023, 12, 30, 0, 0, 0, 0, time.UTC)
		minutes := rapid.IntRange(0, 5*24*60)
		since := base.Add(time.Duration(minutes.Draw(t, "since")) * time.Minute)
		until := since.Add(time.Duration(minutes.Draw(t, "length")) * time.Minute)
		call := since.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(since))).Draw(t, "call")))
		delivered := call.Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "delay")) * time.Minute)
		s := spanOf(Query{Since: since, Until: until})
		region := "p/AWSLogs/o-abcdefghij/111122223333/CloudTrail/eu-west-1/"
		key := region + delivered.Format("2006/01/02/") + "111122223333_CloudTrail_eu-west-1_" + delivered.Format("20060102T1504Z") + "_Mu0KsOhtH1ar15ZZ.json.gz"
		for i := range key {
			if key[i] != '/' {
				continue
			}
			if folder := key[:i+1]; s.excludes(layoutOf(folder)) || s.startAfter(folder) >= key {
				t.Errorf("%s, delivered for %v: excluded %t, starts after %s", folder, call, s.excludes(layoutOf(folder)), s.startAfter(folder))
			}
		}
		if s.excludes(layoutOf(key)) || s.isPast(layoutOf(key)) {
			t.Errorf("%s has the call of %v", key, call)
		}
	})
}

// FuzzLayoutOf: whatever the key, if it isn't left out, no folder above it is.
func FuzzLayoutOf(f *testing.F) {
	for _, key := range []string{"", "a//b", "AWSLogs/AWSLogs/111122223333/CloudTrail/eu-west-1/2023/07/10/x_20230710T1220Z_y",
		"AWSLogs/o-abcdefghij/111122223333/CloudTrail-Digest/eu-west-1/2023/", "AWSLogs/111122223333/CloudTrail/eu-west-1/2022/13/x"} {
		f.Add(key)
	}
	spans := []span{
		spanOf(Query{Accounts: []string{"111122223333"}, Regions: []string{"eu-west-1"}}),
		spanOf(Query{Since: time.Date(2023, 7, 10, 12, 0, 0, 0, time.UTC)}),
		spanOf(Query{Until: time.Date(2023, 7, 10, 12, 0, 0, 0, time.UTC)}),
	}
	f.Fuzz(func(t *testing.T, key string) {
		at := layoutOf(key)
		for i := range key {
			if key[i] != '/' {
				continue
			}
			above := layoutOf(key[:i+1])
			if at.leftOut() == "" && above.leftOut() != "" {
				t.Errorf("%q: %s", key[:i+1], above.leftOut())
			}
			for _, s := range spans {
				if !s.excludes(at) && s.excludes(above) {
					t.Errorf("%+v excludes %q, but not %q", s, key[:i+1], key)
				}
			}
		}
	})
}

// TestLeftOut: the folders beside a trail's (T8).
func TestLeftOut(t *testing.T) {
	for kind, want := range map[string]bool{
		"CloudTrail": false, "CloudTrail-NetworkActivity": false, "CloudTrail-Unheard-Of": false,
		"CloudTrail-Digest": true, "CloudTrail-Insight": true, "CloudTrail-Aggregated": true, "vpcflowlogs": true,
	} {
		if got := layoutOf("AWSLogs/111122223333/" + kind + "/").leftOut(); (got != "") != want {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
