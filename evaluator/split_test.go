package evaluator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// open makes keys unknown in a state, and the world's context else complete.
func (w world) open(t tester, state KeyState, names ...string) (*Request, *Policies) {
	t.Helper()
	req, p := getting(w).ptr().build(t)
	for _, name := range names {
		req.Context.SetState(name, state)
	}
	return req, p
}

// conditional are Allow statements of everything, one for each condition.
func conditional(conditions ...string) (d doc) {
	for i, c := range conditions {
		d = append(d, allow(fmt.Sprintf("S%d", i), "*", "*", `"Condition": {`+c+`}`))
	}
	return d
}

// TestCaseSplit serves U14 and T92: an answer that hangs on keys that aren't known, and that is the same whatever they are.
func TestCaseSplit(t *testing.T) {
	const day = `"2026-01-01T00:00:00Z"`
	for _, c := range []struct {
		name  string
		allow []string // conditions, of which one suffices
		scp   []string // likewise, if any
		state KeyState
		want  Decision
	}{
		{"T92: k = a or k != a", []string{`"StringEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "a"}`}, nil, UnknownKey, Allowed},
		{"k = a or k != b: another value satisfies the second only", []string{`"StringEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "b"}`}, nil, UnknownKey, Indeterminate},
		{"k != a or k != b", []string{`"StringNotEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "b"}`}, nil, UnknownKey, Allowed},
		{"k = a or k = b", []string{`"StringEquals": {"svc:k": "a"}`, `"StringEquals": {"svc:k": "b"}`}, nil, UnknownKey, Indeterminate},
		{"k = a and k = b is never", []string{`"StringEquals": {"svc:k": "a"}, "StringLike": {"svc:k": "b"}`}, nil, UnknownKey, ImplicitDeny},
		{"k = a, and the SCP wants b", []string{`"StringEquals": {"svc:k": "a"}`}, []string{`"StringEquals": {"svc:k": "b"}`}, UnknownKey, ImplicitDeny},
		{"k = a or not, in the SCP", []string{``}, []string{`"StringEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "a"}`}, UnknownKey, Allowed},
		{"k = a, and the SCP wants not b", []string{`"StringEquals": {"svc:k": "a"}`}, []string{`"StringNotEquals": {"svc:k": "b"}`}, UnknownKey, Indeterminate},
		{"case folded: k = A or not", []string{`"StringEqualsIgnoreCase": {"svc:k": "A"}`, `"StringNotEqualsIgnoreCase": {"svc:k": "A"}`}, nil, UnknownKey, Allowed},
		{"case folded differently: a and A are no complement", []string{`"StringEqualsIgnoreCase": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "b"}`}, nil, UnknownKey, Indeterminate},
		{"a pattern or not", []string{`"StringLike": {"svc:k": "a*"}`, `"StringNotLike": {"svc:k": "a*"}`}, nil, UnknownKey, Allowed},
		{"a pattern, or not one of its values", []string{`"StringLike": {"svc:k": "a*"}`, `"StringNotEquals": {"svc:k": "ab"}`}, nil, UnknownKey, Allowed},
		{"a pattern, or not another's values", []string{`"StringLike": {"svc:k": "a*"}`, `"StringNotEquals": {"svc:k": "b"}`}, nil, UnknownKey, Indeterminate},
		{"IfExists: any value but a, or a", []string{`"StringEqualsIfExists": {"svc:k": "a"}`, `"StringNotEquals": {"svc:k": "a"}`}, nil, UnknownKey, Allowed},
		{"the key may be absent", []string{`"StringEquals": {"svc:k": "a"}`, `"StringLike": {"svc:k": "*"}`}, nil, UnknownKey, Indeterminate},
		{"the key isn't absent", []string{`"StringEquals": {"svc:k": "a"}`, `"StringNotLike": {"svc:k": "a"}`}, nil, PresentUnknown, Allowed},
		{"Null or not", []string{`"Null": {"svc:k": "true"}`, `"Null": {"svc:k": "false"}`}, nil, UnknownKey, Allowed},
		{"Null, which an empty value is, too (C7)", []string{`"Null": {"svc:k": "true"}`, `"StringNotEquals": {"svc:k": ""}`}, nil, UnknownKey, Allowed},
		{"Null, or a value", []string{`"Null": {"svc:k": "true"}`, `"StringLike": {"svc:k": "?*"}`}, nil, UnknownKey, Indeterminate}, // which cells don't tell
		{"Null of a key of AWS's, which is never empty", []string{`"Null": {"aws:SourceVpce": "true"}`, `"StringLike": {"aws:SourceVpce": "*"}`}, nil, UnknownKey, Allowed},
		{"in a range or not, and never anything else", []string{`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`, `"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}`}, nil, UnknownKey, Allowed},
		{"in a range or not in a wider one", []string{`"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}`, `"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}`}, nil, UnknownKey, Indeterminate},
		{"in a range or not in a narrower one", []string{`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`, `"NotIpAddress": {"aws:SourceIp": "10.0.0.0/16"}`}, nil, UnknownKey, Allowed},
		{"in one range and in another one", []string{`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`}, []string{`"IpAddress": {"aws:SourceIp": "192.168.0.0/16"}`}, UnknownKey, ImplicitDeny},
		{"in a range, and in one that it is part of", []string{`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`}, []string{`"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}`}, UnknownKey, Indeterminate},
		{"C28: what is no address is neither in a range nor out of it", []string{`"IpAddress": {"svc:k": "10.0.0.0/8"}`, `"NotIpAddress": {"svc:k": "10.0.0.0/8"}`}, nil, UnknownKey, Indeterminate},
		{"a number: less, or not", []string{`"NumericLessThan": {"aws:MultiFactorAuthAge": "10"}`, `"NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": "10.0"}`}, nil, PresentUnknown, Allowed},
		{"a number: less or greater", []string{`"NumericLessThan": {"aws:MultiFactorAuthAge": "10"}`, `"NumericGreaterThan": {"aws:MultiFactorAuthAge": "10"}`}, nil, PresentUnknown, Indeterminate},
		{"a number: one or the other, or between", []string{`"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "20"}`, `"NumericGreaterThan": {"aws:MultiFactorAuthAge": "10"}`}, nil, PresentUnknown, Allowed},
		{"a number: less than 10 and more than 20", []string{`"NumericLessThan": {"svc:k": "10"}`}, []string{`"NumericGreaterThan": {"svc:k": "20"}`}, UnknownKey, ImplicitDeny},
		{"a number: equal or not, of a key that isn't always one (C28)", []string{`"NumericEquals": {"svc:k": "10"}`, `"NumericNotEquals": {"svc:k": "10"}`}, nil, UnknownKey, Indeterminate},
		{"a date: before, or not", []string{`"DateLessThan": {"aws:CurrentTime": ` + day + `}`, `"DateGreaterThanEquals": {"aws:CurrentTime": ` + day + `}`}, nil, PresentUnknown, Allowed},
		{"a date: the same instant, written in seconds", []string{`"DateLessThan": {"aws:CurrentTime": ` + day + `}`, `"DateGreaterThanEquals": {"aws:CurrentTime": "1767225600"}`}, nil, PresentUnknown, Allowed},
		{"a date: in between two that don't meet", []string{`"DateLessThan": {"aws:CurrentTime": ` + day + `}`, `"DateGreaterThan": {"aws:CurrentTime": "2026-01-02"}`}, nil, PresentUnknown, Indeterminate},
		{"Bool: true or false", []string{`"Bool": {"aws:SecureTransport": "true"}`, `"Bool": {"aws:SecureTransport": "False"}`}, nil, PresentUnknown, Allowed},
		{"Bool: true or false, or absent", []string{`"Bool": {"aws:SecureTransport": "true"}`, `"Bool": {"aws:SecureTransport": "false"}`}, nil, UnknownKey, Indeterminate},
		{"Bool: true or false of a key that may be anything (C28)", []string{`"Bool": {"svc:k": "true"}`, `"Bool": {"svc:k": "false"}`}, nil, PresentUnknown, Indeterminate},
		{"Bool: true and false", []string{`"Bool": {"svc:k": "true"}`}, []string{`"Bool": {"svc:k": "false"}`}, UnknownKey, ImplicitDeny},
		{"an ARN or not", []string{`"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111111111111:*"}`, `"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:111111111111:*"}`}, nil, UnknownKey, Allowed},
		{"C28: what is no ARN is neither like one nor not", []string{`"ArnLike": {"svc:k": "arn:aws:sns:*:111111111111:*"}`, `"ArnNotLike": {"svc:k": "arn:aws:sns:*:111111111111:*"}`}, nil, UnknownKey, Indeterminate},
		{"two keys", []string{`"StringEquals": {"svc:k": "a", "svc:l": "b"}`, `"StringNotEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:l": "b"}`}, nil, UnknownKey, Allowed},
		{"two keys, and a gap", []string{`"StringEquals": {"svc:k": "a", "svc:l": "b"}`, `"StringNotEquals": {"svc:k": "a"}`}, nil, UnknownKey, Indeterminate},
		{"C27: a list is more than one value", []string{`"StringEquals": {"aws:TagKeys": "a"}`, `"StringNotEquals": {"aws:TagKeys": "a"}`}, nil, UnknownKey, Indeterminate},
		{"a list: some value is a, and none is", []string{`"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}`, `"ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}`}, nil, UnknownKey, Indeterminate}, // lists aren't split
		{"a variable", []string{`"StringEquals": {"svc:k": "${svc:l}"}`, `"StringNotEquals": {"svc:k": "${svc:l}"}`}, nil, UnknownKey, Indeterminate},                                                  // patterns of variables aren't split
		{"a key that a variable stands for, too", []string{`"StringEquals": {"svc:k": "a", "svc:l": "${svc:k}"}`, `"StringNotEquals": {"svc:k": "a"}`, `"StringNotEquals": {"svc:l": "a"}`}, nil, UnknownKey, Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world{id: conditional(c.allow...)}
			if c.scp != nil {
				w.scp = []level{{"r-root", conditional(c.scp...)}}
			}
			var asked []string
			for _, name := range []string{"svc:k", "svc:l", "aws:SourceVpce", "aws:SourceIp", "aws:MultiFactorAuthAge", "aws:CurrentTime", "aws:SecureTransport", "aws:SourceArn", "aws:TagKeys"} {
				if strings.Contains(strings.Join(append(c.allow, c.scp...), " "), name) {
					asked = append(asked, name)
				}
			}
			req, p := w.open(t, c.state, asked...)
			if got := Evaluate(req, p); got != c.want {
				t.Errorf("Evaluate says %v, want %v\n%s", got, c.want, describe(req, p))
			}
			if got := Explain(req, p).Decision; got != c.want {
				t.Errorf("Explain says %v, want %v", got, c.want)
			}
		})
	}
}

// TestCaseSplitNot serves U1 and U14: values that a key is known not to have are no cases.
func TestCaseSplitNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		not    []string
		policy doc
		want   Decision
	}{
		{"nothing excluded", nil, conditional(`"StringEquals": {"svc:k": ["a", "b"]}`, `"StringNotEquals": {"svc:k": "b"}`), Allowed},
		{"the other value excluded", []string{"b"}, conditional(`"StringEquals": {"svc:k": "a"}`, `"StringNotLike": {"svc:k": ["a", "b"]}`), Allowed},
		{"and without", nil, conditional(`"StringEquals": {"svc:k": "a"}`, `"StringNotLike": {"svc:k": ["a", "b"]}`), Indeterminate},
		{"the only allowed value excluded", []string{"a"}, conditional(`"StringEquals": {"svc:k": "a"}`), ImplicitDeny},
		{"another one excluded", []string{"b"}, conditional(`"StringEquals": {"svc:k": "a"}`), Indeterminate},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, p := getting(world{id: c.policy}).ptr().build(t)
			req.Context.Put(ContextValue{Name: "svc:k", State: PresentUnknown, Not: c.not})
			if got := Evaluate(req, p); got != c.want {
				t.Errorf("Evaluate says %v, want %v", got, c.want)
			}
		})
	}
}

// TestCaseSplitOutsideConditions: what reads a key besides conditions, such as a grant's constraint, isn't taken
// in by the cases that conditions tell apart (U14).
func TestCaseSplitOutsideConditions(t *testing.T) {
	grants := func(constraint string) func(*Policies) {
		return func(p *Policies) {
			p.Resource.Grants = KeyGrants{State: Applies, List: []KeyGrant{{ID: "g", Grantee: userU, Operations: []string{"Decrypt"}, ContextEquals: map[string]string{"a": constraint}}}}
		}
	}
	blocked := func(p *Policies) { p.Resource.Bucket = &Bucket{ACLsEnabled: Matched, BlockPublicACLs: Matched} }
	acls := conditional(`"StringEquals": {"s3:x-amz-acl": "private"}`, `"StringNotEquals": {"s3:x-amz-acl": "private"}`)
	for _, c := range []struct {
		name string
		w    world
		key  string
		want Decision
	}{
		{"S3: another value than the policies' may be the grant's",
			world{action: "kms:Decrypt", resource: keyK, rbType: "key", id: doc{},
				rb: doc{refuse("D", "*", "kms:*", "*", when("StringEquals", "kms:EncryptionContext:a", "1"))}, change: grants("2")}, "kms:EncryptionContext:a", Indeterminate},
		{"S3: of values that conditions don't tell apart, one may be the grant's",
			world{action: "kms:Decrypt", resource: keyK, rbType: "key", id: doc{},
				rb: doc{refuse("D", "*", "kms:*", "*", when("StringNotEquals", "kms:EncryptionContext:a", `["1", "2"]`))}, change: grants("2")}, "kms:EncryptionContext:a", Indeterminate},
		{"S17: another canned ACL may be public", world{action: "s3:PutBucketAcl", resource: "arn:aws:s3:::b", id: acls, change: blocked}, "s3:x-amz-acl", Indeterminate},
		{"S17: of canned ACLs that conditions don't tell apart, one may be public",
			world{action: "s3:PutBucketAcl", resource: "arn:aws:s3:::b", id: conditional(`"StringEquals": {"s3:x-amz-acl": ["private", "public-read"]}`), change: blocked}, "s3:x-amz-acl", Indeterminate},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.w
			if w.resource == "" {
				w.resource = getB
			}
			w.who = aUser("u")
			req, p := w.build(t)
			req.Context.SetState(c.key, PresentUnknown)
			if got := Evaluate(req, p); got != c.want {
				t.Errorf("Evaluate says %v, want %v", got, c.want)
			}
			allowed := 0
			for _, value := range []string{"1", "2", "3", "private", "public-read", "bucket-owner-read"} {
				full := *req
				full.Context = req.Context.Clone()
				full.Context.Set(c.key, value)
				if Evaluate(&full, p) == Allowed {
					allowed++
				}
			}
			if allowed == 0 || allowed == 6 {
				t.Errorf("%d of 6 values allow: the case shows nothing", allowed)
			}
		})
	}
}

// TestCaseSplitBounds: as many keys are split as the bounds have room for, and more are no harm (U14).
func TestCaseSplitBounds(t *testing.T) {
	levels := func(keys int) (w world, names []string) {
		w = world{id: s3All}
		for i := range keys {
			k := fmt.Sprintf("svc:k%d", i)
			w.scp = append(w.scp, level{fmt.Sprintf("ou-%d", i), conditional(`"StringEquals": {"`+k+`": "a"}`, `"StringNotEquals": {"`+k+`": "a"}`)})
			names = append(names, k)
		}
		return w, names
	}
	for _, c := range []struct {
		keys  int
		state KeyState
		want  Decision
	}{
		{8, PresentUnknown, Allowed},
		{9, PresentUnknown, Indeterminate},
		{5, UnknownKey, Allowed}, // 3 to the fifth cases
		{6, UnknownKey, Indeterminate},
		{40, UnknownKey, Indeterminate},
	} {
		w, names := levels(c.keys)
		req, p := w.open(t, c.state, names...)
		if got := Evaluate(req, p); got != c.want {
			t.Errorf("%d keys in state %d: %v, want %v", c.keys, c.state, got, c.want)
		}
	}
	// A key that decides is split, however many others there are.
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf(`"StringLike": {"svc:k%d": ["%d*", "*%d", "?%d"]}, "NumericLessThan": {"svc:n%d": [1, 2, 3, 4]}`, i%50, i, i, i, i%50))
	}
	req, p := world{id: conditional(many...)}.open(t, UnknownKey)
	req.Context.Open = true
	start := time.Now()
	if got := Evaluate(req, p); got != Indeterminate {
		t.Errorf("%v, want indeterminate", got)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("100 unknown keys in 300 statements took %v", took)
	}
}

// splitKeysOf are the keys of TestSplitIsSound, and the families that conditions on them are of; typed ones hold
// nothing but what AWS itself sets.
var splitKeysOf = map[string]struct {
	operators, operands []string
	values              []string // of a typed key, all that it may hold
}{
	"svc:a": {[]string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "Null", "StringEqualsIfExists", "StringNotLikeIfExists"},
		[]string{"a", "b", "a*", "?", "A", "", "true", "false", "${aws:PrincipalTag/t}"}, nil},
	"svc:n": {[]string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals", "StringEquals", "StringNotLike", "Null"},
		[]string{"10", "10.0", "20", "1e1", "ten", "true"}, nil},
	"svc:m":              {[]string{"NumericEquals", "Bool", "DateLessThan", "IpAddress", "StringNotEquals", "ArnLike"}, []string{"10", "true", "2026-01-01", "10.0.0.1", "arn:aws:sns:*:*:x"}, nil},
	"aws:PrincipalTag/t": {[]string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "BinaryEquals"}, []string{"a", "b", "*", "a?", "QQ==", "QUI="}, nil},
	"aws:TagKeys": {[]string{"StringEquals", "StringNotEquals", "ForAllValues:StringEquals", "ForAnyValue:StringEquals", "ForAllValues:StringNotEquals", "ForAnyValue:StringNotEquals", "Null"},
		[]string{"a", "b", "true"}, nil},
	"aws:SourceIp": {[]string{"IpAddress", "NotIpAddress", "IpAddressIfExists", "StringEquals", "StringNotLike", "Null"},
		[]string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "10.9.9.9/8", "0.0.0.0/0", "::/0", "bad", "true"},
		[]string{"10.0.0.1", "10.1.2.3", "10.1.2.4", "192.168.1.1", "2001:db8::1", "fe80::1", "11.0.0.0", "255.255.255.255"}},
	"aws:CurrentTime": {[]string{"DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals", "DateGreaterThan", "StringLike"},
		[]string{"2026-01-01T00:00:00Z", "2026-01", "2027-01-01", "1767225600", "2026", "*"},
		[]string{"2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "1767225600"}},
	"aws:SecureTransport": {[]string{"Bool", "BoolIfExists", "StringEquals", "Null"}, []string{"true", "false", "TRUE"}, []string{"true", "false"}},
	"aws:SourceArn": {[]string{"ArnLike", "ArnNotLike", "ArnEquals", "StringLike", "StringNotEquals", "Null"},
		[]string{"arn:aws:sns:us-east-1:111111111111:x", "arn:aws:sns:*:111111111111:*", "arn:aws:sns:*", "*", "true"},
		[]string{"arn:aws:sns:us-east-1:111111111111:x", "arn:aws:sns:us-east-1:111111111111:y", "arn:aws:sns:us-east-1:222222222222:x", "arn:aws:sqs:::q"}},
}

// drawSplitWorld draws statements that ask the same few keys in several ways.
func drawSplitWorld(t *rapid.T) (w world, operands []string, keys []string) {
	all := slices.Sorted(maps.Keys(splitKeysOf))
	keys = rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID).Draw(t, "keys")
	condition := func() string {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		of := splitKeysOf[key]
		list := rapid.SliceOfN(rapid.SampledFrom(of.operands), 1, 2).Draw(t, "operands")
		operands = append(operands, list...)
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`%q: {%q: %s}`, rapid.SampledFrom(of.operators).Draw(t, "operator"), key, text)
	}
	drawn := func(sid string, named bool) (d doc) {
		var before string
		for i := range rapid.IntRange(1, 3).Draw(t, sid) {
			c := condition()
			switch rapid.IntRange(0, 7).Draw(t, "shape") {
			case 0:
				c = ""
			case 1:
				other := condition()
				if c[:strings.Index(c, ":")] != other[:strings.Index(other, ":")] {
					c += ", " + other
				}
			case 2, 3, 4:
				c = complement(before) // of the one before, if it has any
			}
			before, _, _ = strings.Cut(c, ", \"")
			members := []string{`"Action": "*"`, `"Resource": "*"`, `"Condition": {` + c + `}`}
			if rapid.IntRange(0, 5).Draw(t, "variable in Resource") == 0 {
				members[1] = `"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/t}*"`
			}
			if named {
				members = append(members, `"Principal": "*"`)
			}
			d = append(d, stmt(fmt.Sprintf("%s%d", sid, i), rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "effect"), members...))
		}
		return d
	}
	w = world{id: drawn("id", false)}
	if one := condition(); rapid.Bool().Draw(t, "one or its complement") {
		w.id = append(w.id[:1:1], conditional(one, complement(one))...)
		if rapid.Bool().Draw(t, "both") {
			w.id, w.scp = conditional(one), []level{{"r-root", conditional(complement(one))}}
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "scp") == 0 {
		w.scp = []level{{"r-root", drawn("scp", false)}}
	}
	if rapid.IntRange(0, 3).Draw(t, "boundary") == 0 {
		w.pb = drawn("pb", false)
	}
	if rapid.IntRange(0, 3).Draw(t, "resource") == 0 {
		w.rb = drawn("rb", true)
	}
	return getting(w), operands, keys
}

// complement turns the operator of a condition into its opposite, where it has one.
func complement(condition string) string {
	for _, pair := range [][2]string{{`"StringEquals"`, `"StringNotEquals"`}, {`"StringLike"`, `"StringNotLike"`}, {`"IpAddress"`, `"NotIpAddress"`}, {`"NumericEquals"`, `"NumericNotEquals"`},
		{`"NumericLessThan"`, `"NumericGreaterThanEquals"`}, {`"DateLessThan"`, `"DateGreaterThanEquals"`}, {`"ArnLike"`, `"ArnNotLike"`}, {`"StringEqualsIgnoreCase"`, `"StringNotEqualsIgnoreCase"`},
		{`"ForAnyValue:StringEquals"`, `"ForAllValues:StringNotEquals"`}} {
		for i, one := range pair {
			if strings.HasPrefix(condition, one) {
				return pair[1-i] + condition[len(one):]
			}
		}
	}
	return condition
}

// nearly are values that a text, if it is a pattern, takes, and such as are like it.
func nearly(text string) []string {
	out := []string{text, text + "x", "x" + text, strings.ToUpper(text), strings.ToLower(text),
		strings.NewReplacer("*", "", "?", "q").Replace(text), strings.NewReplacer("*", "xyz", "?", "").Replace(text), strings.NewReplacer("*", "/:", "?", "é").Replace(text)}
	if text != "" {
		out = append(out, text[:len(text)-1])
	}
	return out
}

// drawCompleted draws what a key of splitKeysOf may turn out to be.
func drawCompleted(t *rapid.T, v ContextValue, operands []string) ContextValue {
	pool := splitKeysOf[v.Name].values
	if pool == nil {
		pool = []string{"", "a", "b", "zzz", "*", "10", "-1", "15", "1e1", "nan", "true", "false", "2026-01-01", "10.0.0.1", "not an ip", "arn:aws:sns:us-east-1:111111111111:x", "QQ==", "{}", "ß"}
		for _, o := range operands {
			pool = append(pool, nearly(o)...)
		}
	}
	pool = slices.DeleteFunc(slices.Clone(pool), func(s string) bool {
		return slices.Contains(v.Not, s) || s == "" && !mayBeEmpty(strings.ToLower(v.Name))
	})
	out := ContextValue{Name: v.Name, State: Present}
	if v.State == UnknownKey && rapid.IntRange(0, 3).Draw(t, v.Name+" absent") == 0 {
		out.State = Absent
		return out
	}
	n := 1
	if v.Name == "aws:TagKeys" {
		n = rapid.IntRange(1, 3).Draw(t, "values")
	}
	out.Values = rapid.SliceOfN(rapid.SampledFrom(pool), n, n).Draw(t, v.Name)
	return out
}

// TestSplitIsSound serves U11 and U14: what is definite with keys unknown holds for every value that they may
// have, by Evaluate itself and by the reference.
func TestSplitIsSound(t *testing.T) {
	splits := map[bool]int{} // by whether they allow
	property := func(t *rapid.T) {
		w, operands, keys := drawSplitWorld(t)
		req, p := w.build(t)
		for _, key := range keys {
			v := ContextValue{Name: key, State: rapid.SampledFrom([]KeyState{UnknownKey, UnknownKey, PresentUnknown}).Draw(t, key)}
			if splitKeysOf[key].values == nil && key != "aws:TagKeys" && rapid.IntRange(0, 3).Draw(t, "not") == 0 {
				v.Not = rapid.SliceOfN(rapid.SampledFrom(append(operands, "a")), 1, 2).Draw(t, "not")
			}
			req.Context.Put(v)
		}
		req.Strict = rapid.IntRange(0, 3).Draw(t, "strict") == 0
		got := Evaluate(req, p)
		if x := Explain(req, p); x.Decision != got {
			t.Fatalf("Explain says %v, Evaluate %v\n%s", x.Decision, got, describe(req, p))
		}
		plain := asked(req)
		kleene := plain.decide(p)
		switch d := kleene.decision(); {
		case d != Indeterminate && d != got:
			t.Fatalf("%v without a split, %v with one", d, got)
		case got == Indeterminate:
			return
		case d == Indeterminate:
			splits[got == Allowed]++
		}
		for range 20 {
			full := *req
			full.Strict = false
			full.Context = req.Context.Clone()
			for _, key := range keys {
				full.Context.Put(drawCompleted(t, req.Context.Lookup(key), operands))
			}
			for who, one := range map[string]Decision{"Evaluate": Evaluate(&full, p), "the reference": refEvaluate(&full, p)} {
				if access(one) != access(got) || got == ExplicitDeny && one != ExplicitDeny {
					t.Fatalf("%v while keys aren't known, but %s says %v of\n%s", got, who, one, describe(&full, p))
				}
			}
		}
	}
	for range 20 { // most worlds need no split: a round in which none does is no failure
		if rapid.Check(t, property); t.Failed() || splits[true] > 0 && splits[false] > 0 {
			break
		}
	}
	if splits[true] == 0 || splits[false] == 0 {
		t.Errorf("no answer needed the case split, in one way or the other: %v", splits)
	}
}
