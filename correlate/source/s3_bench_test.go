package source

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// busyFile is a log file of about so many bytes, compressed about as well as a trail's are.
func busyFile(size int) string {
	rnd := rand.New(rand.NewPCG(1, 2))
	var records []string
	for range size / 69 { // bytes that a record takes
		id := fmt.Sprintf("%016x%016x", rnd.Uint64(), rnd.Uint64())
		record := strings.TrimSuffix(sample(id), "}") + fmt.Sprintf(`,"requestID":"%016x%016x","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:%08x",`+
			`"arn":"arn:aws:sts::111122223333:assumed-role/app/i-%016x","accountId":"111122223333","accessKeyId":"ASIA%08x"},"sourceIPAddress":"198.51.100.%d",`+
			`"userAgent":"aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.26.0 md/GOOS#linux md/GOARCH#amd64 api/s3#1.88.4","responseElements":null,`+
			`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`,
			rnd.Uint64(), rnd.Uint64(), rnd.Uint32(), rnd.Uint64(), rnd.Uint32(), rnd.IntN(256))
		records = append(records, record)
	}
	return gzipped(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// BenchmarkS3 reads 200 objects of 1.5 MB (T5) from a server on this machine, at once and with the
// time to the first byte that S3 has; and the same files from disk.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html has 100 to 200 ms
// for small objects.
func BenchmarkS3(b *testing.B) {
	const files = 200
	content := busyFile(1_500_000)
	objects := map[string]string{}
	dir := b.TempDir()
	for i := range files {
		key := trailKey("111122223333", "eu-west-1", time.Date(2023, 7, 10, 0, 5*i, 0, 0, time.UTC).Format("2006-01-02T15:04"), "x")
		objects[key] = content
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	run := func(name, src string, opts func() Options) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(files * len(content)))
			b.ReportAllocs()
			for b.Loop() {
				seq, err := Open(b.Context(), src, opts())
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range seq {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	run("directory", dir, func() Options { return Options{Query: Query{Want: Denials}} })
	for _, wait := range []time.Duration{0, 100 * time.Millisecond} {
		f := newFakeS3(objects)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(wait)
			f.ServeHTTP(w, r)
		}))
		defer server.Close()
		run(fmt.Sprintf("first-byte=%v", wait), "s3://logs", func() Options {
			b.Setenv("AWS_ENDPOINT_URL", server.URL)
			b.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
			b.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			return Options{Query: Query{Want: Denials}}
		})
	}
}
