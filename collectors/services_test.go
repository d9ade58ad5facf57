package collectors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A serviceTest is a service with some resources of each kind, of which some have a policy and
// some don't, on lists of several pages where the service has pages.
type serviceTest struct {
	part    *part
	service string // that calls are signed for
	// answers are AWS's, by the SDK's name of the operation, with that of the client in front if two have it.
	answers map[string]awsfake.Handler
	want    string // the part's file
}

// serviceTests are those of the parts that are one file resources/<service>.json.
var serviceTests = []*serviceTest{
	&apiTest, &authoritiesTest, &backupTest, &cloudtrailTest, &codeartifactTest, &codebuildTest, &dynamodbTest, &ecrTest,
	&efsTest, &eventsTest, &glacierTest, &glueTest, &kafkaTest, &kinesisTest, &kmsTest, &lambdaTest, &latticeTest,
	&lexTest, &logsTest, &opensearchTest, &ramTest, &redshiftServerlessTest, &s3Test, &s3expressTest,
	&s3tablesTest, &secretsTest, &sesTest, &signerTest, &snsTest, &sqsTest, &ssmTest,
}

// TestServiceTests: a new service has a test.
func TestServiceTests(t *testing.T) {
	for _, p := range parts() {
		has := func(s *serviceTest) bool { return s.part == p }
		if strings.HasPrefix(p.name, "resources/") && !slices.ContainsFunc(serviceTests, has) {
			t.Errorf("%s has no serviceTest", p.name)
		}
	}
}

// fake is an AWS with the service. instead, if not nil, may answer a call in the service's place.
func (s *serviceTest) fake(instead func(operation string) awsfake.Handler) *awsfake.Fake {
	f := awsfake.New()
	s.serve(f, instead)
	return f
}

// serve gives an AWS the service.
func (s *serviceTest) serve(f *awsfake.Fake, instead func(operation string) awsfake.Handler) {
	answer := func(c *awsfake.Call) awsfake.Reply {
		operation := c.Request.Header.Get(operationHeader)
		client := c.Request.Header.Get(serviceHeader) + " " + operation
		name := operation
		if s.answers[client] != nil {
			name = client
		}
		if instead != nil {
			if h := instead(name); h != nil {
				return h(c)
			}
		}
		if h := s.answers[name]; h != nil {
			return h(c)
		}
		return awsfake.Error("UnknownOperationException", "the test has no "+client)
	}
	for name := range s.answers {
		f.Handle(s.service, name[strings.LastIndexByte(name, ' ')+1:], answer)
	}
	for _, method := range []string{"GET", "POST", "PUT"} { // some read with these
		f.Handle(s.service, method+" /", answer)
	}
}

// TestServices: what is collected of each service (rule U19 for what has no policy).
func TestServices(t *testing.T) {
	for _, s := range serviceTests {
		t.Run(s.part.word(), func(t *testing.T) {
			f := s.fake(nil)
			got := collectPart(t, f, s.part)
			if got.record.Status != statusOK {
				t.Errorf("status %s: %s", got.record.Status, got.record.Reason)
			}
			if diff := gocmp.Diff(indented(t, s.want), indented(t, got.own(t, s.part))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			asked := make(map[string]bool)
			for _, c := range f.Calls() {
				asked[c.Request.Header.Get(operationHeader)] = true
			}
			for name := range s.answers {
				if !asked[name[strings.LastIndexByte(name, ' ')+1:]] {
					t.Errorf("nobody asked %s", name)
				}
			}
		})
	}
}

// TestServicesDenied: whichever call is denied, the part says so, the rest is there, and no
// resource seems to have no policy because nobody could read it (rule U6).
func TestServicesDenied(t *testing.T) {
	for _, s := range serviceTests {
		whole := itemsOf(t, s.want)
		for _, operation := range slices.Sorted(maps.Keys(s.answers)) {
			t.Run(s.part.word()+"/"+operation, func(t *testing.T) {
				got := collectPart(t, s.fake(always(operation, denial)), s.part)
				if got.record.Status != statusDenied {
					t.Fatalf("status %s, want denied: %s", got.record.Status, got.record.Reason)
				}
				for _, g := range got.record.Gaps {
					if !slices.Contains(s.part.permissions, g.Action) {
						t.Errorf("a gap for %q, which isn't a permission of the row", g.Action)
					}
				}
				if !got.report.Written {
					return // there is nothing else in the part
				}
				for arn, item := range itemsOf(t, got.own(t, s.part)) {
					was, ok := whole[arn]
					switch {
					case !ok && item.Status == "": // what was gone may be there, denied
						t.Errorf("%s isn't there if all goes well", arn)
					case item.Status == "" && !bytes.Equal(item.Policy, was.Policy):
						t.Errorf("policy of %s: got %s, want %s", arn, item.Policy, was.Policy)
					case item.Status != "" && (item.Status != statusDenied || item.Reason == "" || item.Policy != nil):
						t.Errorf("%s isn't well said to be denied: %+v", arn, item)
					}
				}
			})
		}
	}
}

// TestServicesThrottled: what is throttled is asked again, and the file is the same.
func TestServicesThrottled(t *testing.T) {
	for _, s := range serviceTests {
		t.Run(s.part.word(), func(t *testing.T) {
			got := collectPart(t, s.fake(firstOfEach(throttle)), s.part)
			if got.record.Status != statusOK {
				t.Errorf("status %s: %s", got.record.Status, got.record.Reason)
			}
			if diff := gocmp.Diff(indented(t, s.want), indented(t, got.own(t, s.part))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestServicesGarbled: an answer that ends in the middle is an error, and the rest is there.
func TestServicesGarbled(t *testing.T) {
	const raw = "GetBucketPolicy" // answers with the policy, of which any text will do
	for _, s := range serviceTests {
		for _, operation := range slices.Sorted(maps.Keys(s.answers)) {
			if operation == raw {
				continue
			}
			t.Run(s.part.word()+"/"+operation, func(t *testing.T) {
				got := collectPart(t, s.fake(always(operation, awsfake.Garble)), s.part)
				if got.record.Status != statusError {
					t.Errorf("status %s, want error: %s", got.record.Status, got.record.Reason)
				}
			})
		}
	}
}

// denial is awsfake's, in the shape of S3 Control and S3 Express, too.
func denial(c *awsfake.Call) awsfake.Reply {
	switch {
	case c.Request.Header.Get(serviceHeader) == "S3 Control":
		return controlError("AccessDenied", 403)
	case c.Service == "s3express":
		return s3Fails("AccessDenied", 403)(c)
	}
	return awsfake.Deny(c)
}

// throttle is awsfake's, likewise.
func throttle(c *awsfake.Call) awsfake.Reply {
	if c.Service == "s3express" {
		return s3Fails("SlowDown", 503)(c)
	}
	return awsfake.Throttle(c)
}

func always(operation string, h awsfake.Handler) func(string) awsfake.Handler {
	return func(name string) awsfake.Handler {
		if name == operation {
			return h
		}
		return nil
	}
}

func firstOfEach(h awsfake.Handler) func(string) awsfake.Handler {
	var mu sync.Mutex
	seen := make(map[string]bool)
	return func(name string) awsfake.Handler {
		mu.Lock()
		defer mu.Unlock()
		if seen[name] {
			return nil
		}
		seen[name] = true
		return h
	}
}

// text answers with a body.
func text(body string) awsfake.Handler {
	return func(*awsfake.Call) awsfake.Reply { return awsfake.Reply{Body: []byte(body)} }
}

// fails answers with an error.
func fails(code string) awsfake.Handler {
	return func(*awsfake.Call) awsfake.Reply { return awsfake.Error(code, "as tested") }
}

// pagesOf answers with the page that the call's token names: page2, page3. Without one it is the first.
func pagesOf(bodies ...string) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		for n := len(bodies) - 1; n > 0; n-- {
			if strings.Contains(asked(c), "page"+string(rune('1'+n))) {
				return awsfake.Reply{Body: []byte(bodies[n])}
			}
		}
		return awsfake.Reply{Body: []byte(bodies[0])}
	}
}

// An on is the answer to calls that mention something.
type on struct {
	what   string
	answer awsfake.Handler
}

// either answers as the first that fits says.
func either(cases ...on) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		for _, x := range cases {
			if strings.Contains(asked(c), x.what) {
				return x.answer(c)
			}
		}
		return awsfake.Error("ValidationException", "the test has no answer to "+asked(c))
	}
}

// asked is what a call says, in its host, path, query and body.
func asked(c *awsfake.Call) string {
	query, err := url.QueryUnescape(c.Request.URL.RawQuery)
	if err != nil {
		query = c.Request.URL.RawQuery
	}
	body, err := url.QueryUnescape(string(c.Body))
	if err != nil {
		body = string(c.Body)
	}
	return strings.Join([]string{cmp.Or(c.Request.Host, c.Request.URL.Host), c.Request.URL.Path, query, body}, " ")
}

// somePolicy is a policy whose members are in no order that a program would choose.
const somePolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"S","Principal":{"AWS":"*"},"Effect":"Deny","Resource":"*","Action":"*"}]}`

// quoted is a policy as a string in JSON.
var quoted = string(quote(somePolicy))

func indented(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return strings.TrimSpace(b.String())
}

// itemsOf are the items of a part's file, by ARN.
func itemsOf(t testing.TB, text string) map[string]item {
	t.Helper()
	var list []item
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	items := make(map[string]item)
	for _, i := range list {
		if i.Policy != nil {
			i.Policy = document(indented(t, string(i.Policy)))
		}
		items[i.ARN] = i
	}
	return items
}

// TestOneDenied: of two resources one is denied, and only its policy is unknown.
func TestOneDenied(t *testing.T) {
	s := sqsTest
	s.answers = maps.Clone(s.answers)
	s.answers["GetQueueAttributes"] = either(on{"/q1", awsfake.Deny}, on{"/", sqsTest.answers["GetQueueAttributes"]})
	got := collectPart(t, s.fake(nil), s.part)
	items := itemsOf(t, got.own(t, s.part))
	if i := items["arn:aws:sqs:eu-west-1:111122223333:q1"]; i.Status != statusDenied || i.Policy != nil {
		t.Errorf("q1: %+v", i)
	}
	if i := items["arn:aws:sqs:eu-west-1:111122223333:q2"]; i.Status != "" || string(i.Policy) != "null" {
		t.Errorf("q2: %+v", i)
	}
	want := []gap{{
		Action: "sqs:GetQueueAttributes", Resource: "arn:aws:sqs:eu-west-1:111122223333:q1", Region: testRegion, Status: statusDenied,
		Reason: "User: arn:aws:iam::111122223333:user/u is not authorized to perform: sqs:GetQueueAttributes because no identity-based policy allows the sqs:GetQueueAttributes action",
	}}
	if diff := gocmp.Diff(want, got.record.Gaps, gocmp.AllowUnexported(gap{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMalformedPolicy: what isn't JSON is kept, and the loader says that the policy can't be read.
func TestMalformedPolicy(t *testing.T) {
	s := sqsTest
	s.answers = maps.Clone(s.answers)
	s.answers["GetQueueAttributes"] = either(
		on{"/q1", text(`{"Attributes":{"QueueArn":"arn:aws:sqs:eu-west-1:111122223333:q1","Policy":"{\"Statement\":"}}`)},
		on{"/", sqsTest.answers["GetQueueAttributes"]})
	folder := t.TempDir() + "/snapshot"
	if _, err := collect(t.Context(), folder, testOptions(s.fake(nil), []string{testRegion}), []*part{s.part}); err != nil {
		t.Fatal(err)
	}
	c := &collected{folder: folder}
	if text := c.own(t, s.part); !strings.Contains(text, `"policy": "{\"Statement\":"`) {
		t.Errorf("what AWS said isn't there: %s", text)
	}
	loaded := loadAny(t, folder)
	if problems := loaded.Problems(); len(problems) == 0 || !strings.Contains(problems[0].String(), "resources/sqs.json:") {
		t.Errorf("problems: %v", problems)
	}
}

func loadAny(t testing.TB, folder string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
