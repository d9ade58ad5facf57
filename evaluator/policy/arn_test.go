package policy

import (
	"strings"
	"testing"
)

func TestParseARN(t *testing.T) {
	for _, c := range []struct {
		s    string
		want ARN
		ok   bool
	}{
		{"arn:aws:iam::123456789012:role/path/name", ARN{"aws", "iam", "", "123456789012", "role/path/name"}, true},
		{"arn:aws:s3:::bucket/a:b:c", ARN{"aws", "s3", "", "", "bucket/a:b:c"}, true},
		{"arn:aws-cn:lambda:cn-north-1:1:function:f:PROD", ARN{"aws-cn", "lambda", "cn-north-1", "1", "function:f:PROD"}, true},
		{"arn:aws:iam::***:user/u", ARN{"aws", "iam", "", "***", "user/u"}, true},
		{"arn:*:*:*:*:*", ARN{"*", "*", "*", "*", "*"}, true},
		{"arn:aws:s3:::", ARN{"aws", "s3", "", "", ""}, true},
		{"arn:::::", ARN{}, true},
		{"arn:aws:s3::b", ARN{}, false},
		{"arn:aws:s3*", ARN{}, false},
		{"ARN:aws:s3:::b", ARN{}, false},
		{" arn:aws:s3:::b", ARN{}, false},
		{"123456789012", ARN{}, false},
		{"*", ARN{}, false},
		{"", ARN{}, false},
	} {
		if got, ok := ParseARN(c.s); got != c.want || ok != c.ok {
			t.Errorf("%q: %+v, %v: want %+v, %v", c.s, got, ok, c.want, c.ok)
		}
	}
}

// FuzzParseARN: an ARN is what has the prefix and five colons, and its parts make it again.
func FuzzParseARN(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:role/r")
	f.Add("arn:aws:s3")
	f.Add("arn:aws:s3:::b:c")
	f.Fuzz(func(t *testing.T, s string) {
		arn, ok := ParseARN(s)
		if want := strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5; ok != want {
			t.Fatalf("%q: ok is %v", s, ok)
		}
		if ok && arn.String() != s {
			t.Fatalf("%q: put together again it is %q", s, arn)
		}
		if !ok && arn != (ARN{}) {
			t.Fatalf("%q isn't one, but has parts %+v", s, arn)
		}
		if strings.Contains(arn.Partition+arn.Service+arn.Region+arn.Account, ":") {
			t.Fatalf("%q: colon in %+v", s, arn)
		}
	})
}
