package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/correlate"
)

// TestMatters holds the look at a record's bytes to what DenialsOf may find in it.
func TestMatters(t *testing.T) {
	const start, end = `{"eventVersion":"1.08",`, `"eventCategory":"Management"}`
	changed := `"eventSource":"iam.amazonaws.com","eventName":"PutRolePolicy",`
	assumed := `"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","responseElements":{"credentials":{"accessKeyId":"ASIA1"},"assumedRoleUser":{"arn":"a"}},`
	const no = 0
	const denial, failure, session = 1 << Denials, 1 << Errors, 1 << Findings
	const all = denial | failure | session
	for _, test := range []struct {
		name, record string
		want         int // the Wants to which it matters, besides Everything
	}{
		{"a call that went well", start + `"userAgent":"x","responseElements":null,` + end, no},
		{"errorCode", start + `"errorCode":"AccessDenied",` + end, all},
		{"errorCode with blanks", start + `"errorCode" : "AccessDenied",` + end, all},
		{"errorCode at the end", start + `"eventCategory":"Data","errorCode":"AccessDenied"}`, all},
		{"another error", start + `"errorCode":"NoSuchKey","errorMessage":"The specified key doesn't exist.",` + end, failure},
		{"T45: a message that tells", start + `"errorCode":"ValidationException","errorMessage":"You are NOT AUTHORIZED to \"it\"",` + end, all},
		{"a message before its code", start + `"errorMessage":"x","errorCode":"Client.UnauthorizedOperation",` + end, all},
		{"a message that ends in a backslash", start + `"errorMessage":"x\\","userAgent":"denied",` + end, failure},
		{"a message beyond ASCII", start + `"errorMessage":"permiſſion",` + end, all},
		{"a long message", start + `"errorMessage":"` + strings.Repeat("x", 2000) + `",` + end, all},
		{"errorCode without a value", start + `"errorCode":null,` + end, failure},
		{"errorCode that is no string", start + `"errorCode":403,` + end, all},
		{"errorMessage alone", start + `"errorMessage":"x",` + end, failure},
		{"errorCode among parameters", start + `"requestParameters":{"errorCode":"denied"},` + end, all},
		{"errorCode in a string", start + `"userAgent":"\"errorCode\":\"AccessDenied\"",` + end, no},
		{"error as a word", start + `"userAgent":"errorCode errorMessage",` + end, no},
		{"a name in another case (T20)", start + `"errorcode":"AccessDenied",` + end, no},
		{"a name with an escape", start + `"\u0065rrorCode":"AccessDenied",` + end, all},
		{"another, in the middle", start + `"error\u0043ode":"AccessDenied",` + end, all},
		{"a control character", start + `"userAgent":"\u0009\u001b",` + end, no},
		{"a character beyond ASCII", start + `"userAgent":"\u20ac\u00e9",` + end, no},
		{"T46: a failure within", start + `"responseElements":{"failures":[{"errorCode":"x"}]},` + end, failure},
		{"T46: a batch", start + `"responseElements":{"failed":[{"code":"AccessDenied"}]},` + end, all},
		{"T46: another error", start + `"responseElements":{"failed":[{"code":"Throttled"}]},` + end, failure},
		{"T46: in a string (T20)", start + `"responseElements":"{\"failed\":[{\"code\":\"AccessDenied\"}]}",` + end, all},
		{"T46: the second of two", start + `"responseElements":null,"responseElements":{"failed":[{"code":"AccessDenied"}]},` + end, all},
		{"T45: a role that can't be assumed", start + `"responseElements":{"failed":[{"reason":"The role cannot be assumed by Lambda."}]},` + end, all},
		{"T45: unable to assume", start + `"responseElements":{"failed":[{"reason":"ECS was unable to assume the role"}]},` + end, all},
		{"a response that went well", start + `"responseElements":{"id":"x"},` + end, no},
		{"T32: a session", start + assumed + end, session},
		{"policies that changed", start + changed + `"responseElements":null,` + end, session},
		{"the same with blanks", start + `"eventName" : "PutRolePolicy",` + end, session},
		{"another call of IAM's", start + `"eventSource":"iam.amazonaws.com","eventName":"PutRolePolicies",` + end, no},
		{"a call by its second name", start + `"eventName":"GetObject","requestParameters":{"eventName":"AttachPolicy"},` + end, session},
		{"a call's name far away", start + `"eventName":` + strings.Repeat(" ", 100) + `"PutRolePolicy",` + end, session},
		{"a call's name that is none", start + `"eventName":7,` + end, no},
		{"a call's name in a string", start + `"userAgent":"\"eventName\":\"PutRolePolicy\"",` + end, no},
		{"a session's own call", start + `"userIdentity":{"type":"AssumedRole"},"responseElements":{"id":"x"},` + end, no},
		{"T8: insights", start + `"eventType":"AwsCloudTrailInsight"}`, all},
		{"T8: insights by category", start + `"eventCategory":"Insight"}`, all},
		{"T8: data", start + `"eventCategory":"Data"}`, no},
		{"T8: network activity", start + `"eventCategory":"NetworkActivity"}`, no},
		{"T8: any other category", start + `"eventCategory":"Aggregated"}`, all},
		{"no category", start + `"awsRegion":"x"}`, no},
		{"T25: another version", `{"eventVersion":"2.0","eventSource":"aws:s3"}`, all},
		{"another order", `{"awsRegion":"x","eventVersion":"1.08"}`, all},
		{"Athena's names", `{"eventversion":"1.08"}`, all},
	} {
		for _, want := range []Want{Everything, Denials, Errors, Findings} {
			should := want == Everything || test.want&(1<<want) != 0
			if got := matters([]byte(test.record), want); got != should {
				t.Errorf("%s: %s: want %d: matters %t, want %t", test.name, test.record, want, got, should)
			}
		}
	}
}

// TestHop: the end of a record that is found without walking it is its end, or isn't found.
func TestHop(t *testing.T) {
	const start = `{"eventVersion":"1.08"`
	for _, test := range []struct {
		name, members string
		found         bool
	}{
		{"plain", `,"a":"b"`, true},
		{"objects and lists", `,"a":{"b":{},"c":[{"d":1},{"e":[]}],"f":[[{}]]}`, true},
		{"braces in strings", `,"a":"x{","b":"x}}}","c":"x{}y","d":"}","e":"{","f":":{"`, true},
		{"brackets in strings", `,"a":"[x","b":"x]","c":"[x]y","d":["x]"]`, true},
		{"a policy in a string", `,"a":{"policy":"{\"Version\":\"2012-10-17\",\"Statement\": [{\"Effect\":\"Allow\"},\n {\n\"Effect\": \"Deny\"}]}"}`, true},
		{"backslashes before a quote", `,"a":["\\","\\\"]"]`, true},
		{"an empty string", `,"":["",{"":[]}]`, true},
		{"a string of backslashes", `,"a":["\\\\"]`, true},
		{"blanks", `, "a" : [ "b" , "x" ]`, true},
		{"a blank before an object", `,"a": {"b":"x"}`, false},
		{"a string that is a bracket", `,"a":"]"`, true},
		{"a string that begins with a comma", `,"a":",]"`, true},
		{"a string that ends in a bracket", `,"a":["x["]`, false},
		{"a comma and a brace in a string", `,"a":",{","b":"x,{"`, false},
		{"a comma and a brace in a string in a list", `,"b":["x,{","y"]`, true},
		{"a record within", `,"a":[` + start + `}]`, false},
		{"a record within, behind an object", `,"a":[{},` + start + `}]`, false},
		{"a record within, a bracket in a string before it", `,"a":[{"b":"x]"},` + start + `}]`, false},
		{"a record in a string", `,"a":["[` + strings.ReplaceAll(start, `"`, `\"`) + `}]"]`, true},
		{"another object follows", `},{"a":1`, false},
		{"another list follows", `},[{"a":1}],{"b":1`, false},
		{"a number follows", `},1,{"a":1`, false},
		{"broken: no comma", `}{"a":1`, false},
		{"broken: no end", `,"a":[[`, false},
	} {
		record := start + test.members + "}"
		if list := "[" + record + "]"; !json.Valid([]byte(list)) && !strings.HasPrefix(test.name, "broken") {
			t.Fatalf("%s: %s isn't JSON", test.name, list)
		}
		text := []byte("[" + record + `,` + start + `,"a":1}`)
		var h hops
		h.begin(text, 1)
		end, ok := h.hop(1, ',')
		if ok != test.found || ok && end != 1+len(record) {
			t.Errorf("%s: %s: end at %d, %t; want %d, %t", test.name, record, end, ok, 1+len(record), test.found)
		}
	}
}

// TestHopResponse: a response in which something may have failed is seen on the way to the end of its record.
func TestHopResponse(t *testing.T) {
	for _, test := range []struct {
		response string
		want     bool
	}{
		{`{"failed":[{"code":"AccessDenied"}]}`, true},
		{`[{"failed":[{"code":"AccessDenied"}]}]`, true},
		{`[1,{"failed":[{"code":"AccessDenied"}]}]`, true},
		{`[[{"failed":[{"code":"AccessDenied"}]}]]`, true},
		{`"{\"failed\":[{\"code\":\"AccessDenied\"}]}"`, true},
		{`"[{\"failed\":[{\"code\":\"AccessDenied\"}]}]"`, true},
		{`"\n{\"failed\":[{\"code\":\"AccessDenied\"}]}"`, true},
		{`null,"responseElements":{"failed":[{"code":"AccessDenied"}]}`, true},
		{`{"a":{}},"responseElements":{"failed":[{"code":"AccessDenied"}]}`, true},
		{`{"id":"x"}`, false},
		{`null`, false},
	} {
		const start = `{"eventVersion":"1.08"`
		record := start + `,"requestParameters":{"a":"AccessDenied"},"responseElements":` + test.response + `,"x":{},"resources":[{},{}]}`
		text := []byte(record + `,` + start + `}`)
		var h hops
		h.begin(text, 0)
		end, ok := h.hop(0, ',')
		if !ok || end != len(record) {
			t.Fatalf("%s: end at %d, %t; want %d", record, end, ok, len(record))
		}
		if got := matters(text[:end], Denials); got != test.want {
			t.Errorf("%s: matters %t, want %t", record, got, test.want)
		}
	}
}

// A scribe writes JSON that is made to trip who looks at bytes alone. What it writes is valid.
type scribe struct {
	t     *rapid.T
	blank bool // between tokens
	lines bool // and no newlines
}

// fragments are what strings are made of, as JSON writes it.
var fragments = []string{
	``, `a`, `é`, `{`, `}`, `[`, `]`, `:`, `,`, ` `, `\"`, `\\`, `\\\"`, `\n`, `\/`, `\"]`, `[\"`, `,{`, `,{\"`, `\u0065`, `\u0045`, `\u001b`, `\ud83d\ude00`, `errorCode`,
	`\"errorCode\":\"AccessDenied\"`, `\"responseElements\":{`, `{\"eventVersion\":\"1.08\",`, `},{\"eventVersion\":\"1.08\",`, `]}`, `null`, `AccessDenied`, `403`,
}

func (s *scribe) one(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(s.t, label)
}

func (s *scribe) space() string {
	switch {
	case !s.blank:
		return ""
	case s.lines:
		return s.one("blank", "", " ", "\t")
	}
	return s.one("blank", "", " ", "\t", "\n", "\r\n  ")
}

func (s *scribe) text() string {
	return `"` + strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 5).Draw(s.t, "pieces"), "") + `"`
}

// object writes an object with members of the form "name":value.
func (s *scribe) object(members ...string) string {
	return "{" + s.space() + strings.Join(members, s.space()+","+s.space()) + s.space() + "}"
}

func (s *scribe) member(name, value string) string { return name + s.space() + ":" + s.space() + value }

func (s *scribe) name() string {
	return s.one("name", `"a"`, `""`, `"errorCode"`, `"errorMessage"`, `"eventVersion"`, `"responseElements"`, `"failures"`, `"code"`, `"\":,{\""`, `"}"`, `"],"`, `"policy"`) // names may repeat
}

func (s *scribe) value(depth int) string {
	kind := s.one("kind", "text", "text", "atom", "object", "array", "forged")
	switch {
	case kind == "text" || depth == 0:
		return s.text()
	case kind == "atom":
		return s.one("atom", "null", "true", "0", "-1.5e3", "403", "{}", "[]", `""`, `"{}"`, `"AccessDenied"`)
	case kind == "array":
		return "[" + s.space() + s.value(depth-1) + s.space() + "," + s.space() + s.value(depth-1) + "]"
	case kind == "forged":
		return s.forged()
	}
	var members []string
	for range rapid.IntRange(0, 3).Draw(s.t, "members") {
		members = append(members, s.member(s.name(), s.value(depth-1)))
	}
	return s.object(members...)
}

// forged writes a list in which a record stands after an object, as in a log file, but nested. To take it for the next
// record, one only has to count a brace too many.
func (s *scribe) forged() string {
	before := s.object(s.member(`"a"`, s.one("tripwire", `"}"`, `"]"`, `"x\"]"`, `"\\"`, `["x\\"]`, `",]"`, `"x]"`, `[",]"]`, `"x\"}"`, `"\\\"}"`, `"\\"`, `",}"`, `"x}"`, `""`, `{}`, s.text())))
	return "[" + before + `,{"eventVersion":"1.08","errorCode":"AccessDenied","eventName":"A","eventSource":"s3.amazonaws.com"}` + s.one("end", `]`, `,2]`, `,"x"]`)
}

// response writes a responseElements: one in which something failed, a session, anything.
func (s *scribe) response() string {
	failed := s.object(s.member(s.one("list", `"failures"`, `"failed"`, `"unprocessedItems"`, `"x"`), "["+s.object(
		s.member(s.one("code name", `"errorCode"`, `"code"`, `"error\u0043ode"`), s.one("code", `"AccessDenied"`, `"Client.UnauthorizedOperation"`, `"Throttling"`, `"403"`, `"\u0041ccessD\u0065nied"`)),
		s.member(`"message"`, s.one("message", `""`, `"The role cannot be assumed by Lambda."`, `"User: x is not authorized to perform: s3:GetObject"`)))+"]"))
	session := s.object(s.member(`"credentials"`, s.object(s.member(s.one("key", `"accessKeyId"`, `"AccessKeyId"`), `"ASIA1"`))), s.member(`"assumedRoleUser"`, s.value(1)))
	quotedFailed, _ := json.Marshal(failed)
	return s.one("response", "null", failed, failed, session, string(quotedFailed), s.value(2), "{}", "[]", "403", `""`)
}

// record writes a record that can be decoded.
func (s *scribe) record(id int) string {
	s.blank = s.one("compact", "yes", "yes", "no") == "no"
	pool := []string{
		s.member(`"eventID"`, fmt.Sprintf("%q", fmt.Sprint(id))),
		s.member(`"eventSource"`, s.one("source", `"s3.amazonaws.com"`, `"sts.amazonaws.com"`, `"sts\u002eamazonaws.com"`, `"iam.amazonaws.com"`)),
		s.member(`"eventName"`, s.one("event", `"GetObject"`, `"AssumeRole"`, `"AssumeRoleWithSAML"`, `"Assume\u0052ole"`, `"GetFederationToken"`, `"PutRolePolicy"`, `"DeleteBucketPolicy"`, `"Put\u0052olePolicy"`)),
		s.member(`"userAgent"`, s.text()),
	}
	for _, extra := range [][2]string{
		{s.one("spelling", `"errorCode"`, `"\u0065rrorCode"`, `"error\u0043ode"`, `"ERRORCODE"`, `"errorcode"`), s.one("code", `"AccessDenied"`, `"NoSuchKey"`, `""`, "null", "1", `"\u0041ccessDenied"`)},
		{`"errorMessage"`, s.one("message", `"User: x is not authorized to perform: s3:GetObject"`, `""`, "null", s.text())},
		{`"responseElements"`, s.response()},
		{`"responseElements"`, s.response()}, // a name may be there twice
		{`"requestParameters"`, s.value(3)},
		{`"additionalEventData"`, s.value(2)},
		{`"serviceEventDetails"`, s.forged()},
		{`"resources"`, s.one("resources", `[{"ARN":"arn:aws:s3:::b"},{"ARN":"arn:aws:s3:::b/}"}]`, s.value(1))},
		{`"eventType"`, s.one("type", `"AwsApiCall"`, `"AwsApiCall"`, `"AwsServiceEvent"`, `"AwsCloudTrailInsight"`)},
		{`"eventCategory"`, s.one("category", `"Management"`, `"Data"`, `"NetworkActivity"`, `"Insight"`, `"Aggregated"`, "null")},
	} {
		if rapid.Bool().Draw(s.t, "has "+extra[0]) {
			pool = append(pool, s.member(extra[0], extra[1]))
		}
	}
	pool = rapid.Permutation(pool).Draw(s.t, "order")
	switch s.one("begin", "CloudTrail's", "CloudTrail's", "CloudTrail's", "another") {
	case "CloudTrail's":
		pool = slices.Insert(pool, 0, `"eventVersion":"1.08"`)
	default:
		pool = append(pool, s.member(s.one("version", `"eventversion"`, `"eventVersion"`), `"1.08"`))
	}
	if !s.blank || pool[0] != `"eventVersion":"1.08"` {
		return s.object(pool...)
	}
	return "{" + strings.Join(pool, s.space()+","+s.space()) + "}" // blank, but not where the reader looks first
}

// inPieces reads text a few bytes at a time.
func inPieces(text string, size int) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n := copy(p[:min(len(p), size)], text)
		text = text[n:]
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	})
}

// inOnePlace writes a text piece by piece, all of them in the same place.
type inOnePlace struct {
	text string
	size int
}

func (o inOnePlace) WriteTo(w io.Writer) (n int64, err error) {
	place := make([]byte, min(o.size, 1<<15))
	for int(n) < len(o.text) && err == nil {
		piece := place[:copy(place, o.text[n:])]
		_, err = w.Write(piece)
		n += int64(len(piece))
		for i := range piece {
			piece[i] = '!'
		}
	}
	return n, err
}

// reading is what a run for want gives of a text that comes in pieces of size bytes, and how many events it saw.
func reading(t interface{ Fatal(...any) }, text string, size int, want Want) (haul, int64) {
	return readingAs(t, text, size, "", want)
}

// readingAs is reading of a text that was packed in that way: of what is, more is read ahead, and what was gzipped
// is looked at where the decompressor has it.
func readingAs(t interface{ Fatal(...any) }, text string, size int, packing string, want Want) (haul, int64) {
	var h haul
	opts := Options{Query: Query{Want: want}}.withDefaults()
	in := &input{ctx: context.Background(), opts: opts, emit: h.take}
	content := inPieces(text, size)
	if packing == "gzip" {
		p := newPieces(&guard{in: in}, inOnePlace{text, size})
		defer p.stop()
		content = p
	}
	if err := in.read("f", content, 0, packing); err != nil {
		t.Fatal(err)
	}
	return h, opts.Progress.Events.Load()
}

// found are what a run for want is there to find in an event, if anything.
func found(e *correlate.Event, want Want) string {
	var b strings.Builder
	for _, d := range correlate.DenialsOf(e, want == Errors) {
		fmt.Fprintf(&b, "%d %s %s %s %s;", e.Origin.Index, e.ID, d.Part, d.Class, d.Code)
	}
	if want == Findings && correlate.ChangesPolicies(e) {
		fmt.Fprintf(&b, "%d %s changes policies;", e.Origin.Index, e.ID)
	}
	if want != Findings || e.ErrorCode != "" || e.Source != "sts.amazonaws.com" || !strings.HasPrefix(e.Name, "AssumeRole") && e.Name != "GetFederationToken" {
		return b.String()
	}
	var response struct{ Credentials struct{ AccessKeyID string } }
	if json.Unmarshal(e.ResponseElements, &response) == nil && response.Credentials.AccessKeyID != "" {
		fmt.Fprintf(&b, "%d %s makes session %s", e.Origin.Index, e.ID, response.Credentials.AccessKeyID)
	}
	return b.String()
}

func finds(h haul, want Want) (out []string) {
	for _, e := range h.events {
		if f := found(e, want); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// sameAsFull compares a run for want with one for everything.
func sameAsFull(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, text string, size int, want Want) {
	for _, packing := range []string{"", "zip", "gzip"} {
		samePackedAsFull(t, text, size, packing, want)
	}
}

func samePackedAsFull(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, text string, size int, packing string, want Want) {
	full, total := readingAs(t, text, 1<<20, packing, Everything)
	quick, seen := readingAs(t, text, size, packing, want)
	if diff := cmp.Diff(finds(full, want), finds(quick, want)); diff != "" {
		t.Fatalf("want %d, in pieces of %d bytes: what is found (-full +quick):\n%s\nin %s", want, size, diff, text)
	}
	if diff := cmp.Diff(texts(full.errs), texts(quick.errs)); diff != "" {
		t.Fatalf("want %d, in pieces of %d bytes: complaints (-full +quick):\n%s\nin %s", want, size, diff, text)
	}
	if total != seen {
		t.Fatalf("want %d, in pieces of %d bytes: %d events seen, %d with a full parse, in %s", want, size, seen, total, text)
	}
	all := map[int]*correlate.Event{}
	for _, e := range full.events {
		all[e.Origin.Index] = e
	}
	for _, e := range quick.events {
		if diff := cmp.Diff(all[e.Origin.Index], e); diff != "" {
			t.Fatalf("want %d: event %d (-full +quick):\n%s", want, e.Origin.Index, diff)
		}
	}
}

// oracle is what encoding/json and DenialsOf make of records.
func oracle(t *rapid.T, records []string, want Want) (out []string) {
	for i, record := range records {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(record), &members); err != nil {
			t.Fatalf("%s: %v", record, err)
		}
		plain := map[string]any{}
		for name, raw := range members {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			plain[name] = v
		}
		again, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		e, err := correlate.DecodeEvent(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		e.Origin.Index = i
		if notACall(e.Category, e.Type) != "" {
			continue
		}
		if f := found(e, want); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// TestQuickLosesNothing: passing records over finds what a full parse of every record finds, with
// records made to trip it, however they are put into a file and however its bytes arrive.
func TestQuickLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{"list", "list", "array", "lines"}).Draw(t, "form")
		s := &scribe{t: t, lines: form == "lines"}
		var records []string
		for i := range rapid.IntRange(1, 6).Draw(t, "records") {
			records = append(records, s.record(i))
		}
		want := rapid.SampledFrom([]Want{Denials, Errors, Findings}).Draw(t, "want")
		size := rapid.SampledFrom([]int{1, 7, 64, 300, 1000, 1 << 20}).Draw(t, "piece")
		text := inForm(form, records, ",")
		full, _ := reading(t, text, 1<<20, Everything)
		if diff := cmp.Diff(oracle(t, records, want), finds(full, want)); diff != "" {
			t.Fatalf("encoding/json and the full parse (-json +full):\n%s\nin %s", diff, text)
		}
		sameAsFull(t, text, size, want)
		if form != "lines" {
			sameAsFull(t, inForm(form, records, s.one("garbage", `, `, ",\n", `,,`, `,"errorCode",`, `,7,`, `,{},`, `,[],`, `,{"errorCode":"AccessDenied"},`, `,[{"a":1}],{"b":"]"},`)), size, want)
		}
		cut := rapid.IntRange(1, len(text)).Draw(t, "cut")
		if form != "lines" { // there, what is cut within its braces
			sameAsFull(t, text[:cut], size, want)
		}
	})
}

// inForm writes records into a file.
func inForm(form string, records []string, separator string) string {
	switch form {
	case "lines":
		return strings.Join(records, "\n") + "\n"
	case "array":
		return "[" + strings.Join(records, separator) + "]"
	}
	return `{"Records":[` + strings.Join(records, separator) + "]}"
}

// TestQuickOnDamage: of a file that was damaged, passing records over finds no less than a
// full parse does, or says that a record is broken. It may find more: a broken record never hides the next one from it.
func TestQuickOnDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom([]string{"list", "array", "lines"}).Draw(t, "form")
		s := &scribe{t: t, lines: form == "lines"}
		var records []string
		for i := range rapid.IntRange(2, 6).Draw(t, "records") {
			records = append(records, s.record(i))
		}
		text := inForm(form, records, ",")
		for range rapid.IntRange(1, 2).Draw(t, "damages") {
			at := rapid.IntRange(1, len(text)-1).Draw(t, "at")
			switch s.one("damage", "out", "in") {
			case "out":
				text = text[:at] + text[at+1:]
			default:
				text = text[:at] + s.one("byte", `"`, `{`, `}`, `[`, `]`, `\`, `,`, "\n", "\x00") + text[at:]
			}
		}
		want := rapid.SampledFrom([]Want{Denials, Errors, Findings}).Draw(t, "want")
		full, _ := reading(t, text, 1<<20, Everything)
		quick, _ := readingAs(t, text, rapid.SampledFrom([]int{1, 100, 1 << 20}).Draw(t, "piece"), rapid.SampledFrom([]string{"", "gzip"}).Draw(t, "packing"), want)
		known := map[string]bool{}
		for _, e := range quick.events {
			known[e.ID] = true
		}
		for _, e := range full.events {
			complained := slices.ContainsFunc(quick.errs, func(err error) bool { return strings.Contains(err.Error(), "broken JSON") })
			if e.ID != "" && found(e, want) != "" && !known[e.ID] && !complained { // what has none was nested in a record
				t.Fatalf("want %d: %s isn't found in %s", want, found(e, want), text)
			}
		}
	})
}

// FuzzQuick: as TestQuickOnDamage, of any records at all, between two that hold denials.
func FuzzQuick(f *testing.F) {
	const denied = `{"eventVersion":"1.08","eventID":"%s","eventName":"GetObject","eventSource":"s3.amazonaws.com","errorCode":"AccessDenied"}`
	f.Add([]byte(`{"eventVersion":"1.08","eventName":"A","requestParameters":{"a":"\\\"}{","b":[{},{"errorCode":1}]}}`), uint16(50))
	f.Add([]byte(`{"eventVersion":"1.08","eventName":"A","responseElements":{"failed":[{"code":"AccessDenied"}]}}`), uint16(1))
	f.Add([]byte(`{"eventVersion":"1.08","eventName":"A","\u0065rrorCode":"AccessDenied"}`), uint16(7))
	f.Fuzz(func(t *testing.T, middle []byte, size uint16) {
		if !json.Valid(middle) || len(middle) == 0 || bytes.TrimSpace(middle)[0] != '{' {
			t.Skip("damage is TestQuickOnDamage's")
		}
		text := `{"Records":[` + fmt.Sprintf(denied, "1") + "," + string(middle) + "," + fmt.Sprintf(denied, "2") + `]}`
		for _, want := range []Want{Denials, Errors, Findings} {
			full, _ := reading(t, text, 1<<20, Everything)
			for _, packing := range []string{"", "gzip"} {
				quick, _ := readingAs(t, text, int(size)+1, packing, want)
				if diff := cmp.Diff(finds(full, want), finds(quick, want)); diff != "" {
					t.Errorf("want %d, packing %q: (-full +quick):\n%s\nin %s", want, packing, diff, text)
				}
			}
		}
	})
}

// TestQuickOnRecordedTrails: real log files give the same denials either way.
func TestQuickOnRecordedTrails(t *testing.T) {
	root := sharedData(t)
	files := 0
	for _, pattern := range []string{"aws_dataset/*.json", "stratus-red-team/*.json"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			files++
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, text); err != nil {
				t.Fatal(err)
			}
			for _, want := range []Want{Denials, Errors, Findings} {
				sameAsFull(t, string(text), 1<<20, want)
				sameAsFull(t, compact.String(), 4000, want)
			}
		}
	}
	if files == 0 {
		t.Error("no files")
	}
}
