package source

import (
	"cmp"
	"context"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/correlate"
)

// A fakeS3 is S3 with one bucket, logs, for what a server of others doesn't do: refusing a part, breaking
// off. It is an HTTP client: the SDK in front of it is the real one.
type fakeS3 struct {
	region   string
	pageSize int
	fault    func(op, key string, r *http.Request) *http.Response // nil: as usual
	body     func(key string, content io.Reader) io.ReadCloser    // nil: as it is

	objects map[string]string
	keys    []string // sorted

	mu    sync.Mutex
	calls []string // LIST prefix, GET key, …
}

func newFakeS3(objects map[string]string) *fakeS3 {
	return &fakeS3{region: "eu-west-1", pageSize: 1000, objects: objects, keys: slices.Sorted(maps.Keys(objects))}
}

// options ask the fake, without waiting between attempts.
func (f *fakeS3) options() Options {
	return Options{AWS: AWS{Load: func(context.Context) (aws.Config, error) {
		return aws.Config{
			Region:       "us-east-1",
			BaseEndpoint: aws.String("https://s3.test"),
			Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
			HTTPClient:   f,
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) {
					o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				})
			},
		}, nil
	}}}
}

// called are the calls whose record begins so, in order.
func (f *fakeS3) called(what string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, c := range f.calls {
		if rest, ok := strings.CutPrefix(c, what+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// Do answers a request.
func (f *fakeS3) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	query := r.URL.Query()
	name, key, isObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	op := r.Method
	switch {
	case op == "GET" && (!isObject || key == ""):
		op, key = "LIST", query.Get("prefix")
	case op == "HEAD" && isObject && key != "":
		op = "HEADOBJECT"
	}
	f.mu.Lock()
	f.calls = append(f.calls, op+" "+key)
	f.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256") {
		return refusal(r, 403, "AccessDenied", "unsigned"), nil
	}
	if f.fault != nil {
		if response := f.fault(op, key, r); response != nil {
			return response, nil
		}
	}
	switch {
	case name != "logs":
		return refusal(r, 404, "NoSuchBucket", "The specified bucket does not exist"), nil
	case op == "HEAD":
		return answer(r, 200, "", http.Header{"X-Amz-Bucket-Region": {f.region}}), nil
	case op == "LIST":
		return f.list(r, query.Get("prefix"), query.Get("delimiter"), cmp.Or(query.Get("continuation-token"), query.Get("start-after")), query.Get("max-keys")), nil
	}
	content, ok := f.objects[key]
	if !ok {
		return refusal(r, 404, "NoSuchKey", "The specified key does not exist."), nil
	}
	header, status := http.Header{"Etag": {`"v1"`}}, 200
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(from, "-"))
		if err != nil || r.Header.Get("If-Match") != `"v1"` {
			return refusal(r, 400, "InvalidArgument", "range without its version"), nil
		}
		content, status = content[n:], 206
	}
	response := answer(r, status, content, header)
	if op == "HEADOBJECT" {
		response.Body = http.NoBody
	} else if f.body != nil {
		response.Body = f.body(key, strings.NewReader(content))
	}
	return response, nil
}

// ServeHTTP is Do behind a socket.
func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, err := f.Do(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body) // the client may have gone
}

func (f *fakeS3) list(r *http.Request, prefix, delimiter, after, most string) *http.Response {
	type content struct {
		Key  string
		Size int
	}
	type common struct{ Prefix string }
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
		CommonPrefixes        []common
	}{}
	limit := f.pageSize
	if n, err := strconv.Atoi(most); err == nil {
		limit = min(limit, n)
	}
	last := ""
	for _, key := range f.keys {
		rest, ok := strings.CutPrefix(key, prefix)
		folder := ""
		if i := strings.Index(rest, delimiter); ok && delimiter != "" && i >= 0 {
			folder = prefix + rest[:i+1]
		}
		if !ok || key <= after || folder != "" && (folder == last || folder <= after && strings.HasPrefix(after, folder)) {
			continue
		}
		if len(out.Contents)+len(out.CommonPrefixes) == limit {
			out.IsTruncated, out.NextContinuationToken = true, last
			break
		}
		if folder != "" {
			out.CommonPrefixes = append(out.CommonPrefixes, common{folder})
			last = folder
			continue
		}
		out.Contents = append(out.Contents, content{key, len(f.objects[key])})
		last = key
	}
	text, err := xml.Marshal(out)
	if err != nil {
		panic(err)
	}
	return answer(r, 200, string(text), http.Header{})
}

func answer(r *http.Request, status int, body string, header http.Header) *http.Response {
	header.Set("Content-Length", strconv.Itoa(len(body)))
	return &http.Response{StatusCode: status, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

func refusal(r *http.Request, status int, code, message string) *http.Response {
	body := fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>", code, message)
	if r.Method == "HEAD" {
		body = ""
	}
	return answer(r, status, body, http.Header{})
}

// trailKey is the key of a trail's file that was delivered at a minute, as 2023-07-10T12:20.
func trailKey(account, region, minute, unique string) string {
	at, err := time.Parse("2006-01-02T15:04", minute)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("AWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", account, region, at.Format("2006/01/02"),
		filepath.Base(account), region, at.Format("20060102T1504Z"), unique)
}

// logFile is a log file of events with these ids.
func logFile(ids ...string) string {
	var records []string
	for _, id := range ids {
		records = append(records, sample(id))
	}
	return gzipped(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// acmeObjects are the files of the sample organisation, by key.
func acmeObjects(t *testing.T) (dir string, objects map[string]string) {
	t.Helper()
	dir = filepath.Join("..", "..", "testdata", "acme", "cloudtrail")
	objects = map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		objects[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil || len(objects) < 10 {
		t.Fatal(len(objects), err)
	}
	return dir, objects
}

// sameEvents compares the events of two hauls, but for where they are from.
func sameEvents(t *testing.T, want, got haul) {
	t.Helper()
	if len(want.events) == 0 {
		t.Fatal("no events to compare with")
	}
	if diff := gocmp.Diff(want.events, got.events, cmpopts.IgnoreFields(correlate.Origin{}, "Path"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestS3IsAsTheDirectory: a bucket gives what the same files on disk do, from any prefix.
func TestS3IsAsTheDirectory(t *testing.T) {
	dir, objects := acmeObjects(t)
	for key := range objects {
		if strings.Contains(key, "/CloudTrail-Digest/") {
			delete(objects, key) // of a bucket they aren't even read
		}
	}
	f := newFakeS3(objects)
	f.pageSize = 3
	for prefix := range map[string]bool{"": true, "AWSLogs": true, "AWSLogs/": true, "AWSLogs/o-acme4x7k2p": true,
		"AWSLogs/o-acme4x7k2p/111111111111": true, "AWSLogs/o-acme4x7k2p/111111111111/CloudTrail/": true,
		"AWSLogs/o-acme4x7k2p/111111111111/CloudTrail/eu-west-1": true, "AWSLogs/o-acme4x7k2p/111111111111/CloudTrail/eu-west-1/2026/": true,
		"AWSLogs/o-acme4x7k2p/111111111111/CloudTrail/eu-west-1/2026/11/19": true} {
		progress := new(Progress)
		opts := f.options()
		opts.Progress = progress
		got := collect(t, "s3://logs/"+prefix, opts)
		sameEvents(t, collect(t, filepath.Join(dir, filepath.FromSlash(prefix)), Options{}), got)
		files, size := int64(0), int64(0)
		for key, content := range objects {
			if strings.HasPrefix(key, prefix) {
				files, size = files+1, size+int64(len(content))
			}
		}
		if got, total := progress.CompressedBytes.Load(), progress.TotalBytes.Load(); got != size || total != size {
			t.Errorf("%s: %d bytes of %d, want %d", prefix, got, total, size)
		}
		if got, total := progress.Files.Load(), progress.TotalFiles.Load(); got != files || total != files {
			t.Errorf("%s: %d files of %d, want %d", prefix, got, total, files)
		}
	}
	for key := range objects {
		sameEvents(t, collect(t, filepath.Join(dir, filepath.FromSlash(key)), Options{}), collect(t, "s3://logs/"+key, f.options()))
		break
	}
}

// TestS3Prunes: what isn't asked for isn't listed below its folder, and never fetched.
func TestS3Prunes(t *testing.T) {
	objects := map[string]string{}
	for _, account := range []string{"111122223333", "o-abcdefghij/111122223333", "o-abcdefghij/222233334444"} {
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			for _, minute := range []string{"2022-12-31T23:55", "2023-07-09T12:00", "2023-07-10T00:05", "2023-07-10T12:00", "2023-07-11T09:00", "2023-07-12T09:00", "2024-01-01T00:05"} {
				objects[trailKey(account, region, minute, "x")] = logFile(account + " " + region + " " + minute)
			}
		}
	}
	objects["copied/2020/old.json"] = sample("copied")
	at := func(s string) time.Time {
		tm, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	for _, test := range []struct {
		name, prefix string
		query        Query
		want         []string // events
		lists        []string // prefixes listed, after those that look what the prefix stands for
	}{
		{"account, region and time", "", Query{Accounts: []string{"222233334444"}, Regions: []string{"us-east-1"}, Since: at("2023-07-10T10:00"), Until: at("2023-07-10T23:00")},
			[]string{"o-abcdefghij/222233334444 us-east-1 2023-07-10T12:00", "o-abcdefghij/222233334444 us-east-1 2023-07-11T09:00", "copied"},
			[]string{"", "AWSLogs/", "AWSLogs/o-abcdefghij/", "AWSLogs/o-abcdefghij/222233334444/", "AWSLogs/o-abcdefghij/222233334444/CloudTrail/",
				"AWSLogs/o-abcdefghij/222233334444/CloudTrail/us-east-1/", "copied/", "copied/2020/"}},
		{"from a region", "AWSLogs/111122223333/CloudTrail/eu-west-1", Query{Since: at("2023-07-11T23:00")},
			[]string{"111122223333 eu-west-1 2023-07-12T09:00", "111122223333 eu-west-1 2024-01-01T00:05"}, []string{"AWSLogs/111122223333/CloudTrail/eu-west-1/"}},
		{"from a year", "AWSLogs/111122223333/CloudTrail/eu-west-1/2022/", Query{Until: at("2022-12-31T23:00")},
			[]string{"111122223333 eu-west-1 2022-12-31T23:55"}, []string{"AWSLogs/111122223333/CloudTrail/eu-west-1/2022/"}},
		{"from a folder that isn't asked for", "AWSLogs/111122223333/CloudTrail/eu-west-1/", Query{Regions: []string{"us-east-1"}}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeS3(objects)
			opts := f.options()
			opts.Query = test.query
			got := collect(t, "s3://logs/"+test.prefix, opts)
			var ids []string
			for _, e := range got.events {
				ids = append(ids, e.ID)
			}
			if diff := gocmp.Diff(test.want, ids); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if n := len(f.called("GET")); n != len(test.want) {
				t.Errorf("%d objects fetched, want %d", n, len(test.want))
			}
			lists := f.called("LIST")[1:]
			if !strings.HasSuffix(test.prefix, "/") && test.prefix != "" {
				lists = lists[1:]
			}
			slices.Sort(lists)
			slices.Sort(test.lists)
			if diff := gocmp.Diff(test.lists, lists, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("listed (-want +got):\n%s", diff)
			}
			wantErrs := 0
			if len(test.want) == 0 {
				wantErrs = 1
				if _, ok := errors.AsType[*Notice](got.errs[0]); !ok {
					t.Errorf("%v, want a notice", got.errs)
				}
			}
			if len(got.errs) != wantErrs {
				t.Errorf("errors %v", got.errs)
			}
		})
	}
}

// TestS3Siblings: the folders beside CloudTrail/ are left out knowingly, one of them is read (T8).
func TestS3Siblings(t *testing.T) {
	objects := map[string]string{"AWSLogs/": ""}
	for _, account := range []string{"111122223333", "222233334444"} {
		for _, kind := range []string{"CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight", "CloudTrail-Aggregated", "CloudTrail-NetworkActivity", "vpcflowlogs"} {
			key := strings.Replace(trailKey(account, "eu-west-1", "2023-07-10T12:00", "x"), "/CloudTrail/", "/"+kind+"/", 1)
			objects[key] = logFile(account + kind)
		}
	}
	f := newFakeS3(objects)
	got := collect(t, "s3://logs/", f.options())
	compare(t, "s3://logs/", []string{"111122223333CloudTrail-NetworkActivity", "111122223333CloudTrail", "222233334444CloudTrail-NetworkActivity", "222233334444CloudTrail"}, // as - and / are ordered
		[]string{"skipped 2 times: Insights", "skipped 2 times: aggregated", "skipped 2 times: digest", "skipped 2 times: logs of another service"}, got)
	for _, prefix := range f.called("LIST") {
		if strings.Contains(prefix, "Digest") {
			t.Errorf("%s was listed", prefix)
		}
	}
}

// TestS3Pages: listings of several pages give every object once, in the order of the keys, whatever the pages.
func TestS3Pages(t *testing.T) {
	objects := map[string]string{}
	var want []string
	for i := range 120 {
		account := fmt.Sprintf("%012d", i%3)
		key := trailKey(account, []string{"eu-west-1", "us-east-1"}[i%2], fmt.Sprintf("2023-07-%02dT10:00", 1+i/6), fmt.Sprint(i))
		if i%10 == 0 {
			key = fmt.Sprintf("AWSLogs-%d", i) // before AWSLogs/, where only objects are
		}
		objects[key] = logFile(key)
		want = append(want, key)
	}
	slices.Sort(want)
	for _, size := range []int{1, 2, 7, 1000} {
		f := newFakeS3(objects)
		f.pageSize = size
		compare(t, "s3://logs/", want, nil, collect(t, "s3://logs", f.options()))
		if n := len(f.called("GET")); n != len(want) {
			t.Errorf("pages of %d: %d objects fetched, want %d", size, n, len(want))
		}
	}
}

// TestS3Prefix: what a prefix stands for.
func TestS3Prefix(t *testing.T) {
	f := newFakeS3(map[string]string{"logs": sample("1"), "old/a.json": sample("2"), "old-2/a.json": sample("3"), "day-1/x": sample("4"), "day-2/x": sample("5")})
	for prefix, want := range map[string][]string{
		"logs":  {"1"},      // an object
		"old":   {"2"},      // a folder
		"old/":  {"2"},      // the same
		"old-":  {"3"},      // the beginning of one
		"day-":  {"4", "5"}, // or of several
		"":      {"4", "5", "1", "3", "2"},
		"day-2": {"5"},
	} {
		compare(t, "s3://logs/", want, nil, collect(t, "s3://logs/"+prefix, f.options()))
	}
}

// TestS3OpenErrors: what is wrong with a whole source is said before anything is read.
func TestS3OpenErrors(t *testing.T) {
	denied := func(ops ...string) func(op, key string, r *http.Request) *http.Response {
		return func(op, key string, r *http.Request) *http.Response {
			if slices.Contains(ops, op) {
				return refusal(r, 403, "AccessDenied", "Access Denied")
			}
			return nil
		}
	}
	for _, test := range []struct {
		src   string
		fault func(op, key string, r *http.Request) *http.Response
		want  string
		call  bool
	}{
		{"s3://", nil, "s3://: no bucket; give s3://BUCKET/PREFIX", false},
		{"s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/logs", nil, "give the bucket's name, or the alias of an access point", false},
		{"s3://other/x", nil, "s3://other/x: no such bucket", true},
		{"s3://logs/x", nil, "s3://logs/x: nothing is there; check the prefix", false},
		{"s3://logs/x", denied("HEAD", "LIST", "HEADOBJECT"),
			"s3://logs/x: listing it: S3 ListObjectsV2: AccessDenied: Access Denied; the credentials in use need s3:ListBucket on arn:aws:s3:::logs", true},
		{"s3://logs/x", func(op, key string, r *http.Request) *http.Response {
			return refusal(r, 400, "ExpiredToken", "The provided token has expired.")
		}, "S3 ListObjectsV2: ExpiredToken: The provided token has expired.; the credentials have expired: renew them", true},
	} {
		f := newFakeS3(map[string]string{"a": sample("1")})
		f.fault = test.fault
		_, err := Open(t.Context(), test.src, f.options())
		var call *AWSError
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &call) != test.call {
			t.Errorf("%s: %v, want %q", test.src, err, test.want)
		}
	}
	f := newFakeS3(map[string]string{"a/b": sample("1")})
	f.fault = denied("LIST")
	compare(t, "s3://logs/a/b", []string{"1"}, nil, collect(t, "s3://logs/a/b", f.options())) // it may be read, if not listed
}

// TestS3Unreachable: where nobody answers, that is said once, in the words that matter.
func TestS3Unreachable(t *testing.T) {
	opts := newFakeS3(nil).options()
	load, asked := opts.AWS.Load, 0
	opts.AWS.Load = func(ctx context.Context) (aws.Config, error) {
		cfg, err := load(ctx)
		cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			asked++
			return nil, &url.Error{Op: "Head", URL: r.URL.String(), Err: errors.New("dial tcp: lookup s3.test: no such host")}
		})
		return cfg, err
	}
	_, err := Open(t.Context(), "s3://logs/x", opts)
	const want = "s3://logs/x: looking for the bucket: S3 HeadBucket: dial tcp: lookup s3.test: no such host"
	if call := new(AWSError); err == nil || err.Error() != want || !errors.As(err, &call) || asked != 3 {
		t.Errorf("%v after %d attempts, want %q after 3", err, asked, want)
	}
}

// TestS3Parts: a part that can't be read is reported, and the rest goes on.
func TestS3Parts(t *testing.T) {
	const bad = "b.json"
	whole := `{"Records":[` + sample("2") + `,` + strings.Repeat(" ", fetchBytes) + sample("3") + `]}`
	at := func(wanted string, status int, code, message string) func(op, key string, r *http.Request) *http.Response {
		return func(op, key string, r *http.Request) *http.Response {
			if op+" "+key == wanted {
				return refusal(r, status, code, message)
			}
			return nil
		}
	}
	all := []string{"1", "2", "3", "4"}
	rest := []string{"1", "4"}
	for _, test := range []struct {
		name   string
		fault  func(op, key string, r *http.Request) *http.Response
		breaks int // so many answers break off
		want   []string
		err    string
	}{
		{"no right to read", at("GET "+bad, 403, "AccessDenied", "Access Denied"), 0, rest,
			"s3://logs/b.json: reading it: S3 GetObject: AccessDenied: Access Denied; the credentials in use need s3:GetObject on arn:aws:s3:::logs/*, and kms:Decrypt on the trail's KMS key if it has one"},
		{"no right to decrypt (T11)", at("GET "+bad, 403, "AccessDenied", "User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on this resource"), 0, rest,
			"; the credentials in use need kms:Decrypt on the KMS key of the trail"},
		{"key disabled", at("GET "+bad, 400, "KMS.DisabledException", "it is disabled"), 0, rest, "KMS.DisabledException: it is disabled; "},
		{"deleted meanwhile", at("GET "+bad, 404, "NoSuchKey", "The specified key does not exist."), 0, rest, "NoSuchKey: The specified key does not exist."},
		{"archived", at("GET "+bad, 403, "InvalidObjectState", "The operation is not valid for the object's storage class"), 0, rest, "restore it first"},
		{"too fast", at("GET "+bad, 503, "SlowDown", "Please reduce your request rate."), 0, rest, "SlowDown: Please reduce your request rate."},
		{"broken off", nil, 2, all, ""},
		{"broken off time and again", nil, 1000, []string{"1", "2", "4"}, "s3://logs/b.json: reading stopped after 1 records: S3 GetObject: connection cut"},
		{"folder that can't be listed", at("LIST c/", 403, "AccessDenied", "Access Denied"), 0, []string{"1", "2", "3"}, "s3://logs/c/: listing it: S3 ListObjectsV2: AccessDenied: Access Denied; the credentials in use need s3:ListBucket"},
		{"folder that is asked too fast", at("LIST c/", 503, "SlowDown", "Please reduce your request rate."), 0, []string{"1", "2", "3"}, "s3://logs/c/: listing it: S3 ListObjectsV2: SlowDown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeS3(map[string]string{"a.json": sample("1"), bad: whole, "c/d.json": sample("4")})
			f.fault = test.fault
			broke := 0
			f.body = func(key string, content io.Reader) io.ReadCloser {
				if key != bad || broke >= test.breaks {
					return io.NopCloser(content)
				}
				broke++
				return io.NopCloser(io.MultiReader(io.LimitReader(content, 1000), readerFunc(func([]byte) (int, error) { return 0, errors.New("connection cut") })))
			}
			got := collect(t, "s3://logs", f.options())
			var errs []string
			if test.err != "" {
				errs = []string{test.err}
			}
			compare(t, "s3://logs/", test.want, errs, got)
			for _, err := range got.errs {
				part, ok := errors.AsType[*PartError](err)
				call, isCall := errors.AsType[*AWSError](err)
				if !ok || !isCall || strings.Contains(err.Error(), "RequestID") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v: part %v, call %v", err, part, call)
				}
			}
		})
	}
}

// TestS3CutGzip: a connection that is cut is no damaged file, whichever way the transport says so.
func TestS3CutGzip(t *testing.T) {
	f := newFakeS3(map[string]string{"a.json.gz": logFile("1", "2", "3"), "b.json.gz": logFile("4")})
	f.body = func(key string, content io.Reader) io.ReadCloser {
		if key != "a.json.gz" {
			return io.NopCloser(content)
		}
		return io.NopCloser(io.MultiReader(io.LimitReader(content, 10), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
	}
	got := collect(t, "s3://logs", f.options())
	if len(got.errs) != 1 || strings.Contains(got.errs[0].Error(), "truncated") {
		t.Errorf("%v", got.errs)
	}
	if _, ok := errors.AsType[*PartError](got.errs[0]); !ok {
		t.Errorf("%v is no part's error", got.errs[0])
	}
}

// TestS3Resumes: wherever and however often a body breaks off, up to the bound, the text is the whole text.
func TestS3Resumes(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1000)
	rapid.Check(t, func(t *rapid.T) {
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(content)), 0, maxResumes).Draw(t, "cuts")
		f := newFakeS3(map[string]string{"a": content})
		f.body = func(_ string, rest io.Reader) io.ReadCloser {
			if len(cuts) == 0 {
				return io.NopCloser(rest)
			}
			n := cuts[0]
			cuts = cuts[1:]
			return io.NopCloser(io.MultiReader(io.LimitReader(rest, int64(n)), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
		}
		b, err := newBucket(context.Background(), "logs", f.options().withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for it := range ahead(context.Background(), slices.Values([]item{b.item("a", int64(len(content)))})) {
			r, err := it.open(context.Background())
			if err == nil {
				got, err = io.ReadAll(r)
				_ = r.Close()
			}
			// All was there, and yet no end: that may be a checksum that is wrong, so it is reported.
			if err != nil && len(got) != len(content) {
				t.Fatal(err)
			}
		}
		if string(got) != content {
			t.Errorf("%d bytes that differ from the %d there are", len(got), len(content))
		}
	})
}

// TestS3Environment: the environment's endpoint, certificates and credentials are those that are used; and S3 is told who asks.
func TestS3Environment(t *testing.T) {
	f := newFakeS3(map[string]string{"a/b": logFile("1")})
	f.fault = func(op, key string, r *http.Request) *http.Response {
		if !strings.Contains(r.UserAgent(), "app/iamwhy") {
			t.Errorf("%s %s is from %q", op, key, r.UserAgent())
		}
		return nil
	}
	server := httptest.NewTLSServer(f)
	defer server.Close()
	noAWS(t, "[profile audit]\nregion = eu-west-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n")
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_CA_BUNDLE", write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))))
	compare(t, "s3://logs/a", []string{"1"}, nil, collect(t, "s3://logs/a", Options{AWS: AWS{Profile: "audit"}}))
}

// TestS3LostCredentials: once AWS doesn't accept them, one error ends it.
func TestS3LostCredentials(t *testing.T) {
	objects := map[string]string{}
	for i := range 200 {
		objects[fmt.Sprintf("%03d.json", i)] = sample(fmt.Sprint(i))
	}
	f := newFakeS3(objects)
	f.fault = func(op, key string, r *http.Request) *http.Response {
		if op == "GET" && key >= "010" {
			return refusal(r, 400, "ExpiredToken", "The provided token has expired.")
		}
		return nil
	}
	got := collect(t, "s3://logs", f.options())
	if len(got.events) != 10 || len(got.errs) != 1 || !isFatal(got.errs[0]) || !strings.Contains(got.errs[0].Error(), "have expired: renew them") {
		t.Errorf("%d events, errors %v", len(got.events), got.errs)
	}
}

// TestS3Region: a bucket is asked in its own region, whether the first answer is that it is elsewhere or a refusal.
func TestS3Region(t *testing.T) {
	for _, status := range []int{200, 301, 400, 403} {
		f := newFakeS3(map[string]string{"a": sample("1")})
		f.fault = func(op, key string, r *http.Request) *http.Response {
			here := strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3/")
			switch {
			case op == "HEAD":
				return answer(r, status, "", http.Header{"X-Amz-Bucket-Region": {f.region}})
			case !here:
				return refusal(r, 301, "PermanentRedirect", "elsewhere")
			}
			return nil
		}
		compare(t, "s3://logs/", []string{"1"}, nil, collect(t, "s3://logs", f.options()))
	}
}

// TestS3RequesterPays: the caller's consent goes with every call, and only if it was given.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html
func TestS3RequesterPays(t *testing.T) {
	for _, pays := range []bool{true, false} {
		f := newFakeS3(map[string]string{"x/a": sample("1"), "x/b": sample("2")})
		f.fault = func(op, key string, r *http.Request) *http.Response {
			if got := r.Header.Get("X-Amz-Request-Payer") == "requester"; got != pays && op != "HEAD" {
				t.Errorf("%s %s: consent is %t, want %t", op, key, got, pays)
			}
			return nil
		}
		opts := f.options()
		opts.AWS.RequesterPays = pays
		compare(t, "s3://logs/", []string{"1", "2"}, nil, collect(t, "s3://logs/x", opts))
	}
}

// TestS3Empty: a bucket without records is complained about, as a directory is; one without
// files of the time that is asked for isn't.
func TestS3Empty(t *testing.T) {
	objects := map[string]string{trailKey("111122223333", "eu-west-1", "2023-07-10T12:00", "x"): gzipped(`{"digestStartTime":1,"logFiles":[]}`)}
	got := collect(t, "s3://logs", newFakeS3(objects).options())
	compare(t, "s3://logs", nil, []string{"digest file", "no CloudTrail records in s3://logs"}, got)
	opts := newFakeS3(objects).options()
	opts.Query.Since = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	got = collect(t, "s3://logs", opts)
	compare(t, "s3://logs", nil, []string{"s3://logs: no log file for the accounts, regions and times that are asked for"}, got)
}

// TestNothingDenied: records that aren't wanted are records: nothing is complained about.
func TestNothingDenied(t *testing.T) {
	dir, _ := tree(t, 3)
	f := newFakeS3(map[string]string{"a": logFile("1", "2")})
	for src, opts := range map[string]Options{dir: {}, "s3://logs": f.options()} {
		opts.Query.Want = Denials
		if got := collect(t, src, opts); len(got.errs) != 0 {
			t.Errorf("%s: %v", src, got.errs)
		}
	}
}

// TestS3Stops: when the consumer has enough, or the context is done, no goroutine is left.
func TestS3Stops(t *testing.T) {
	objects := map[string]string{}
	for i := range 400 {
		objects[trailKey(fmt.Sprintf("%012d", i%40), "eu-west-1", fmt.Sprintf("2023-07-%02dT10:00", 1+i/40), fmt.Sprint(i))] = logFile(fmt.Sprint(i, "a"), fmt.Sprint(i, "b"))
	}
	before := runtime.NumGoroutine()
	for _, stop := range []int{1, 30, 200} {
		for _, byContext := range []bool{true, false} {
			f := newFakeS3(objects)
			f.pageSize = 5
			ctx, cancel := context.WithCancel(t.Context())
			seq, err := Open(ctx, "s3://logs", f.options())
			if err != nil {
				t.Fatal(err)
			}
			events := 0
			var last error
			for e, err := range seq {
				if e != nil {
					events++
				}
				last = err
				if events == stop && byContext {
					cancel()
				} else if events == stop {
					break
				}
			}
			cancel()
			if byContext && (!errors.Is(last, context.Canceled) || events > stop+1) {
				t.Errorf("cancelled after %d events: %d came, and %v", stop, events, last)
			}
			if now := lastingGoroutines(before); now > before {
				t.Errorf("%d goroutines after %d events, %d before", now, stop, before)
			}
		}
	}
}

// TestS3ReadsAhead: while nobody takes events, only so many objects are opened, and only
// so much of each is held that isn't being read.
func TestS3ReadsAhead(t *testing.T) {
	large := sample("x") + "\n" + strings.Repeat(" ", 2*fetchBytes)
	objects := map[string]string{}
	for i := range 40 {
		objects[fmt.Sprintf("%02d.json", i)] = large
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFakeS3(objects)
		var mu sync.Mutex
		open := map[*countedBody]bool{}
		f.body = func(key string, content io.Reader) io.ReadCloser {
			mu.Lock()
			defer mu.Unlock()
			b := &countedBody{Reader: content, close: func(b *countedBody) {
				mu.Lock()
				defer mu.Unlock()
				delete(open, b)
			}}
			open[b] = true
			return b
		}
		seq, err := Open(t.Context(), "s3://logs", f.options())
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		for e := range seq {
			if e == nil {
				continue
			}
			if events++; events != 1 {
				continue
			}
			synctest.Wait() // until all is done that can be without the consumer
			readers, beingRead := runtime.GOMAXPROCS(0), 0
			for b := range open {
				if b.read > fetchBytes {
					beingRead++
				}
			}
			if n := len(open); n > maxFetches+readers || n < maxFetches/2 || beingRead > readers {
				t.Errorf("%d objects are open, %d read on; want at most %d ahead of %d readers", n, beingRead, maxFetches, readers)
			}
		}
		if events != len(objects) || len(open) != 0 {
			t.Errorf("%d events, %d objects left open, want %d and none", events, len(open), len(objects))
		}
	})
}

// A countedBody counts what is read of it.
type countedBody struct {
	io.Reader
	read  int
	close func(*countedBody)
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *countedBody) Close() error {
	b.close(b)
	return nil
}
