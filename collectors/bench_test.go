package collectors

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// benchLatency is how long AWS takes to answer.
const benchLatency = 20 * time.Millisecond

// after answers as h does, once the latency is over.
func after(latency time.Duration, h awsfake.Handler) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		timer := time.NewTimer(latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.Request.Context().Done():
		}
		return h(c)
	}
}

// rolesOf answers GetAccountAuthorizationDetails with so many roles, each with a policy in line, in pages of 100.
func rolesOf(roles int, policy string) awsfake.Handler {
	const page = 100
	policy = encoded(policy)
	trust := encoded(trustDocument)
	return func(c *awsfake.Call) awsfake.Reply {
		first := 0
		_, _ = fmt.Sscanf(c.Form.Get("Marker"), "page%d", &first)
		pages := make([]string, (roles+page-1)/page) // all but the one that is asked for stay empty
		var p strings.Builder
		p.WriteString("<RoleDetailList>")
		for i := first * page; i < min((first+1)*page, roles); i++ {
			fmt.Fprintf(&p, `<member><Path>/</Path><RoleName>r%[1]d</RoleName><RoleId>AROA%[1]d</RoleId><Arn>arn:aws:iam::111122223333:role/r%[1]d</Arn><AssumeRolePolicyDocument>%[2]s</AssumeRolePolicyDocument>
<RolePolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%[3]s</PolicyDocument></member></RolePolicyList></member>`, i, trust, policy)
		}
		p.WriteString("</RoleDetailList>")
		pages[first] = p.String()
		return authorizationPages(pages...)(c)
	}
}

// bucketsOf answers for so many buckets, of which each fifth is of the time of ACLs, as S3 does. asked counts the calls.
func bucketsOf(buckets int, asked *atomic.Int64) *awsfake.Fake {
	var list strings.Builder
	for i := range buckets {
		name := "new"
		if i%5 == 0 {
			name = "old"
		}
		fmt.Fprintf(&list, "<Bucket><Name>%s-%d</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>", name, i)
	}
	s := s3Test
	s.answers = map[string]awsfake.Handler{
		"ListBuckets":             text("<ListAllMyBucketsResult><Buckets>" + list.String() + "</Buckets></ListAllMyBucketsResult>"),
		"GetBucketPolicy":         text(somePolicy),
		"S3 GetPublicAccessBlock": text("<PublicAccessBlockConfiguration>" + blockAll + "</PublicAccessBlockConfiguration>"),
		"GetBucketOwnershipControls": either(
			on{"old-", fails("OwnershipControlsNotFoundError")},
			on{"new-", text("<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>")}),
		"GetBucketAcl":                    s3Test.answers["GetBucketAcl"],
		"GetBucketAbac":                   text("<AbacStatus><Status>Disabled</Status></AbacStatus>"),
		"S3 Control GetPublicAccessBlock": controlFails("NoSuchPublicAccessBlockConfiguration"),
		"ListAccessPoints":                text("<ListAccessPointsResult></ListAccessPointsResult>"),
		"ListMultiRegionAccessPoints":     text("<ListMultiRegionAccessPointsResult></ListMultiRegionAccessPointsResult>"),
	}
	for operation, answer := range s.answers {
		s.answers[operation] = after(benchLatency, func(c *awsfake.Call) awsfake.Reply { asked.Add(1); return answer(c) })
	}
	return s.fake(nil)
}

// BenchmarkCollect collects an account with 2,000 roles and 500 buckets from an AWS that takes 20 ms to answer. At best
// the ten calls at once that S3 gets always are ten; the pages of roles, one after the other,
// take less. The metric is how many times that it takes, which is to be at most 3.
func BenchmarkCollect(b *testing.B) {
	const buckets = 500
	var asked atomic.Int64
	f := bucketsOf(buckets, &asked)
	f.Handle("iam", "GetAccountAuthorizationDetails", after(benchLatency, rolesOf(2000, allowDocument)))
	o := testOptions(f, []string{testRegion})
	o.Config.Retryer = nil // that of a real run
	folder := filepath.Join(b.TempDir(), "s")
	b.ReportAllocs()
	for b.Loop() {
		r, err := collect(b.Context(), folder, o, []*part{&iamPart, &s3Part})
		if err != nil || !r.Written {
			b.Fatalf("%+v, %v", r, err)
		}
		for _, x := range r.Results {
			if x.Status != statusOK {
				b.Fatalf("%+v", x)
			}
		}
	}
	calls := float64(asked.Load()) / float64(b.N)
	ideal := calls * benchLatency.Seconds() / defaultConcurrency
	b.ReportMetric(calls, "s3-calls/op")
	b.ReportMetric(ideal, "ideal-s/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/ideal, "times-ideal")
}

// BenchmarkCollectMemory collects roles with policies of 2 KB. They are one file, and so are in memory until the last
// page has come: the metric is how many times that file the heap had at its peak, garbage included, over what it had before.
func BenchmarkCollectMemory(b *testing.B) {
	const statement = `{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::some-bucket-of-the-team/*"}`
	policy := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(statement+",", 2048/len(statement)) + statement + `]}`
	for _, roles := range []int{500, 2000, 8000} {
		b.Run(fmt.Sprintf("roles=%d", roles), func(b *testing.B) {
			f := awsfake.New()
			f.Handle("iam", "GetAccountAuthorizationDetails", rolesOf(roles, policy))
			o := testOptions(f, []string{testRegion})
			folder := filepath.Join(b.TempDir(), "s")
			var peak uint64
			for b.Loop() {
				runtime.GC()
				before := heapInUse()
				highest := sampled(b.Context())
				r, err := collect(b.Context(), folder, o, []*part{&iamPart})
				peak = max(peak, highest()-before)
				if err != nil || !r.Written {
					b.Fatalf("%+v, %v", r, err)
				}
			}
			info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(iamPart.in(testAccount)+".json")))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(info.Size())/1e6, "file-MB")
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
			b.ReportMetric(float64(peak)/float64(info.Size()), "times-file")
		})
	}
}

// sampled looks at the heap every millisecond, until highest is asked what the most was, which is no less than it was at first.
func sampled(ctx context.Context) (highest func() uint64) {
	ctx, cancel := context.WithCancel(ctx)
	most := heapInUse()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, heapInUse())
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() uint64 { cancel(); <-done; return most }
}

// heapInUse is runtime.MemStats.HeapInuse, for which nothing has to stop.
func heapInUse() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}
