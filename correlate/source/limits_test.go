package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// endless gives head, then n times body, then tail, and never holds more than one of them.
func endless(head, body string, n int, tail string) io.Reader {
	return io.MultiReader(strings.NewReader(head), &repeat{text: body, n: n}, strings.NewReader(tail))
}

type repeat struct {
	text string
	n    int
	rest string
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// TestOverlongRecord: a record of 100 MB is reported, not held, and the records
// around it are read (product.md §4: input that can't be used never stops the rest).
func TestOverlongRecord(t *testing.T) {
	megabyte := strings.Repeat("x", 1<<20)
	huge := func(megabytes int, before, after string) io.Reader {
		return endless(before+`{"eventName":"Huge","requestParameters":{"body":"`, megabyte, megabytes, `"}}`+after)
	}
	const limit = "is longer than the limit of 1048576; raise it with --max-record-size"
	for _, test := range []struct {
		name  string
		input io.Reader
		want  []string
		errs  []string
	}{
		{"in a log file", huge(100, `{"Records":[`+sample("1")+`,`, `,`+sample("2")+`]}`), []string{"1", "2"},
			[]string{"-:1: record 1 (offset 220): record of 104857652 bytes " + limit}},
		{"in JSON Lines", huge(20, sample("1")+"\n", "\n"+sample("2")), []string{"1", "2"}, []string{"-:2: record 1 (offset 208): record of 20971572 bytes " + limit}},
		{"by itself", huge(20, "", ""), nil, []string{limit}},
		{"never ending", endless(`{"Records":[`+sample("1")+`,{"a":[`, `{"b":"`+megabyte+`"},`, 20, ""), []string{"1"}, []string{"record without an end"}},
		{"a member before the list", endless(`{"junk":"`, megabyte, 20, `","Records":[`+sample("1")+`]}`), []string{"1"}, nil},
		{"a member's name", endless(`{"`, megabyte, 20, `":1,"Records":[`+sample("1")+`]}`), []string{"1"}, nil},
		{"a row", endless("eventID,eventName\n1,a\n2,\"", megabyte, 20, "\"\n3,c\n"), []string{"1", "3"}, []string{limit}},
		{"a line that isn't JSON", endless(sample("1")+"\nx", megabyte, 20, "\n"+sample("2")), []string{"1", "2"}, []string{"-:2: record 1"}},
		{"no header", endless("", megabyte, 20, ""), nil, []string{"neither JSON nor CSV"}},
		{"depth", endless(sample("1")+"\n", strings.Repeat("[", 1<<20), 20, ""), []string{"1"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got haul
			grew := memoryOf(func() {
				got = collect(t, "-", Options{Stdin: test.input, MaxRecord: 1 << 20})
			})
			if test.errs == nil && test.name == "depth" {
				test.errs = []string{"record without an end"}
			}
			compare(t, "-", test.want, test.errs, got)
			if grew > 16<<20 {
				t.Errorf("%d bytes were allocated to read it with a limit of 1 MB a record", grew)
			}
		})
	}
}

// memoryOf is how much memory f allocates, all told.
func memoryOf(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLongFile: memory doesn't grow with the number of records.
func TestLongFile(t *testing.T) {
	const n = 40_000
	input := endless(`{"Records":[`, `{"eventName":"a"},`, n, sample("last")+"]}")
	seq, err := Open(t.Context(), "-", Options{Stdin: input})
	if err != nil {
		t.Fatal(err)
	}
	var live runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&live)
	before, most, events := live.HeapAlloc, uint64(0), 0
	for _, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if events++; events%(n/4) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&live)
			most = max(most, live.HeapAlloc)
		}
	}
	if events != n+1 {
		t.Errorf("%d events, want %d", events, n+1)
	}
	if most > before+4<<20 {
		t.Errorf("%d bytes are held while reading", most-before)
	}
}

// TestTruncatedGzip: the records before the cut come out, wherever the cut is, and
// then one complaint.
func TestTruncatedGzip(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"Records":[` + sample("0"))
	for i := 1; i < 200; i++ {
		text.WriteString("," + sample(fmt.Sprint(i)))
	}
	text.WriteString("]}")
	whole := gzipped(text.String())
	last := 0
	for cut := 20; cut < len(whole); cut += max(1, len(whole)/50) {
		got := collect(t, "-", Options{Stdin: strings.NewReader(whole[:cut])})
		n := len(got.events)
		if n < last {
			t.Errorf("%d events from %d bytes, but %d from fewer", n, cut, last)
		}
		last = n
		for i, e := range got.events {
			if e.ID != fmt.Sprint(i) {
				t.Fatalf("event %d is %q", i, e.ID)
			}
		}
		if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), fmt.Sprintf("truncated gzip after %d records (offset ", n)) {
			t.Errorf("cut at %d, %d events: errors %v", cut, n, got.errs)
		}
	}
	if last < 100 {
		t.Errorf("only %d of 200 events came out of almost the whole file", last)
	}
	damaged := []byte(whole)
	damaged[len(damaged)-6] ^= 1 // within the checksum
	got := collect(t, "-", Options{Stdin: bytes.NewReader(damaged)})
	if len(got.events) != 200 || len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "damaged gzip after 200 records") {
		t.Errorf("wrong checksum: %d events, errors %v", len(got.events), got.errs)
	}
}

// TestTruncatedCSV: a row that was cut with its file isn't taken for a whole one.
func TestTruncatedCSV(t *testing.T) {
	whole := gzipped("eventID,eventName\n" + strings.Repeat("1,GetObject\n", 100) + strings.Repeat("2,PutObject\n", 100))
	got := collect(t, "-", Options{Stdin: strings.NewReader(whole[:len(whole)-9])})
	for _, e := range got.events {
		if e.Name != "GetObject" && e.Name != "PutObject" {
			t.Errorf("event of a cut row: %q", e.Name)
		}
	}
	if len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "truncated gzip") {
		t.Errorf("errors %v", got.errs)
	}
}

// TestBomb: a file that decompresses to too much is given up, with the flag that allows it.
func TestBomb(t *testing.T) {
	bomb := gzipped(sample("1") + "\n" + strings.Repeat("\n", 1<<20))
	for _, content := range []string{bomb, gzipped(bomb)} {
		got := collect(t, "-", Options{Stdin: strings.NewReader(content), MaxDecompress: 1 << 19})
		compare(t, "-", []string{"1"}, []string{"raise the limit with --max-decompressed-size"}, got)
	}
	got := collect(t, write(t, "x", zipped(sample("1"), strings.Repeat("\n", 1<<20))), Options{MaxDecompress: 1 << 19})
	if len(got.events) != 1 || len(got.errs) != 1 || !strings.Contains(got.errs[0].Error(), "--max-decompressed-size") {
		t.Errorf("zip: %d events, errors %v", len(got.events), got.errs)
	}
	for _, test := range []struct {
		name    string
		in, out int64
		max     int64
		want    bool
	}{
		{"large, and well compressed", 1 << 21, 1<<30 + 1, 0, false},
		{"large, and from nothing", 1 << 20, 1<<30 + 1, 0, true},
		{"from nothing, but small", 1 << 10, 1 << 29, 0, false},
		{"from nothing, and allowed", 1 << 10, 1 << 33, 1 << 34, false},
		{"more than allowed", 1 << 30, 1<<20 + 1, 1 << 20, true},
	} {
		in := &input{opts: Options{MaxDecompress: test.max}, in: test.in, out: test.out}
		if got := in.exploded(); got != test.want {
			t.Errorf("%s: exploded() = %t, want %t", test.name, got, test.want)
		}
	}
}

// tree makes a directory with n gzipped log files of two events, and returns its path
// and the ids of the events in their order.
func tree(t *testing.T, n int) (dir string, ids []string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		a, b := fmt.Sprintf("%04d-a", i), fmt.Sprintf("%04d-b", i)
		path := filepath.Join(dir, fmt.Sprintf("%02d", i/10), fmt.Sprintf("%04d.json.gz", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(gzipped(`{"Records":[`+sample(a)+`,`+sample(b)+`]}`)), 0o600); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a, b)
	}
	return dir, ids
}

func TestDirectory(t *testing.T) {
	dir, want := tree(t, 100)
	for _, name := range []string{".DS_Store", "99/notes.txt"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no events"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := write(t, "linked.json", sample("linked"))
	for link, to := range map[string]string{"00/loop": dir, "zz.json": outside, "zzz": filepath.Join(dir, "missing")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	want = append(want, "linked")
	var progress Progress
	got := collect(t, dir, Options{Progress: &progress})
	compare(t, dir, want, []string{
		".DS_Store: skipped: hidden",
		"00/loop: skipped: symbolic link to a directory",
		"99/notes.txt: neither JSON nor CSV",
		"zzz: stat: no such file",
	}, got)
	if last := got.errs[len(got.errs)-1]; !errors.Is(last, fs.ErrNotExist) {
		t.Errorf("%v doesn't wrap its cause", last)
	}
	if progress.Files.Load() != 102 || progress.TotalFiles.Load() != 102 {
		t.Errorf("%d files of %d, want 102", progress.Files.Load(), progress.TotalFiles.Load())
	}
	if in, total := progress.CompressedBytes.Load(), progress.TotalBytes.Load(); in != total || in < 100*100 {
		t.Errorf("%d bytes of %d were read", in, total)
	}
	if out := progress.DecompressedBytes.Load(); out < 201*200 {
		t.Errorf("%d bytes of text", out)
	}
	linked := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, linked); err != nil {
		t.Fatal(err)
	}
	if n := len(collect(t, linked, Options{}).events); n != len(want) {
		t.Errorf("%d events through a link that was named itself, want %d", n, len(want))
	}
}

func TestGlob(t *testing.T) {
	dir, want := tree(t, 30)
	for pattern, ids := range map[string][]string{
		"**/*.gz":             want,
		"**":                  want,
		"*":                   want,
		"01/*":                want[20:40],
		"{00,02}":             append(want[:20:20], want[40:]...),
		"00/000[0-1].json.gz": want[:4],
		"00/0000.json.g?":     want[:2],
	} {
		got := collect(t, filepath.Join(dir, filepath.FromSlash(pattern)), Options{})
		compare(t, dir, ids, nil, got)
	}
	odd := filepath.Join(dir, "[odd].json")
	if err := os.WriteFile(odd, []byte(sample("odd")), 0o600); err != nil {
		t.Fatal(err)
	}
	compare(t, odd, []string{"odd"}, nil, collect(t, odd, Options{})) // a file of that name comes first
}

func TestDirectoryWithoutEvents(t *testing.T) {
	dir := t.TempDir()
	want := fmt.Sprintf("%s: no CloudTrail records in %s", dir, dir)
	got := collect(t, dir, Options{})
	bad := got.bad()
	if len(got.errs) != 1 || len(bad) != 1 || bad[0].Index != -1 || bad[0].Error() != want {
		t.Errorf("empty directory: %v, want %q", got.errs, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "digest"), []byte(`{"digestStartTime":1,"logFiles":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got = collect(t, dir, Options{})
	compare(t, dir, nil, []string{"digest: skipped: digest file", "no CloudTrail records in"}, got)
}

func TestOpenErrors(t *testing.T) {
	file := write(t, "f", "{}")
	for src, want := range map[string]string{
		"missing":        "missing: no such file or directory; give a file, a directory",
		"missing\a":      `"missing\a": no such file`,
		"missing/*.json": "missing/*.json: no file matches",
		file + "/x":      "x: stat: not a directory",
		"x/[":            "syntax error in pattern",
	} {
		seq, err := Open(t.Context(), src, Options{})
		if err == nil || seq != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want an error with %q", src, err, want)
		}
	}
}

// TestBreak: no goroutine is left when the consumer has enough.
func TestBreak(t *testing.T) {
	dir, want := tree(t, 300)
	before := runtime.NumGoroutine()
	for _, stop := range []int{1, 2, 129, 500} {
		seq, err := Open(t.Context(), dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for e := range seq {
			got = append(got, e.ID)
			if len(got) == stop {
				break
			}
		}
		if diff := cmp.Diff(want[:stop], got); diff != "" {
			t.Errorf("first %d events (-want +got):\n%s", stop, diff)
		}
		if now := lastingGoroutines(before); now > before {
			t.Errorf("%d goroutines after %d events, %d before", now, stop, before)
		}
	}
}

// lastingGoroutines counts the goroutines once there are no more than limit, or when the
// others have had a second to end: one that has said that it is done is still
// counted until the scheduler has taken it away.
func lastingGoroutines(limit int) int {
	for range 1000 {
		if runtime.NumGoroutine() <= limit {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

// TestCancel: reading stops at once, with the context's error, be it in the
// middle of a directory or waiting for standard input.
func TestCancel(t *testing.T) {
	dir, want := tree(t, 300)
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	seq, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	events, last := 0, error(nil)
	for e, err := range seq {
		if last != nil {
			t.Fatal("something came after the context's error")
		}
		if e != nil {
			events++
		}
		last = err
		if events == 10 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) || events >= len(want) {
		t.Errorf("%d events and %v, want few and %v", events, last, context.Canceled)
	}
	if now := lastingGoroutines(before); now > before {
		t.Errorf("%d goroutines, %d before", now, before)
	}

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	go w.Write([]byte(sample("1") + "\n"))
	seq, err = Open(ctx, "-", Options{Stdin: r})
	if err != nil {
		t.Fatal(err)
	}
	events, last = 0, nil
	for e, err := range seq {
		if e != nil {
			events++
			cancel() // while standard input has nothing to say
		}
		last = err
	}
	if events != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("standard input: %d events and %v", events, last)
	}
}

// TestPipe: an event comes out as soon as it is there.
func TestPipe(t *testing.T) {
	r, w := io.Pipe()
	seq, err := Open(t.Context(), "-", Options{Stdin: r})
	if err != nil {
		t.Fatal(err)
	}
	go w.Write([]byte(strings.Repeat(sample("1")+"\n", 5)))
	n := 0
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 5 {
			go func() {
				w.Write([]byte(sample("2") + "\n"))
				w.Close()
			}()
		}
		if n == 6 && e.ID != "2" {
			t.Errorf("event %q", e.ID)
		}
	}
	if n != 6 {
		t.Errorf("%d events, want 6", n)
	}
}
