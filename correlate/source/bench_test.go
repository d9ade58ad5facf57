package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source/logtest"
)

// benchFiles are the files of a trail, about 25 MB of text.
func benchFiles(b testing.TB) (dir string, counts logtest.Counts) {
	dir = b.TempDir()
	g := logtest.New(1)
	for range 16 {
		var file bytes.Buffer
		if err := g.WriteFile(&file, 1000); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, g.Name()), file.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir, g.Counts()
}

// benchText is a log file of 1,000 records.
func benchText(b testing.TB) []byte {
	var text bytes.Buffer
	if err := logtest.New(1).WriteText(&text, 1000); err != nil {
		b.Fatal(err)
	}
	return text.Bytes()
}

// BenchmarkGunzip is what reading costs at least: the same files decompressed by the same library, to nowhere.
// Compare with BenchmarkRead; -cpu 1,2 gives both one and two cores.
func BenchmarkGunzip(b *testing.B) {
	dir, counts := benchFiles(b)
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(counts.Bytes)
	b.ReportAllocs()
	for b.Loop() {
		var group errgroup.Group
		group.SetLimit(runtime.GOMAXPROCS(0))
		for _, path := range paths {
			group.Go(func() error {
				f, err := os.Open(path)
				if err != nil {
					return err
				}
				defer f.Close()
				zr, err := gzip.NewReader(f)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, zr)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads the files for each Want, and looks for denials in what comes out.
func BenchmarkRead(b *testing.B) {
	dir, counts := benchFiles(b)
	for _, want := range []struct {
		name string
		want Want
	}{{"Denials", Denials}, {"Findings", Findings}, {"Errors", Errors}, {"Everything", Everything}} {
		b.Run(want.name, func(b *testing.B) {
			b.SetBytes(counts.Bytes)
			b.ReportAllocs()
			for b.Loop() {
				events, err := Open(context.Background(), dir, Options{Query: Query{Want: want.want}})
				if err != nil {
					b.Fatal(err)
				}
				denials := 0
				for e, err := range events {
					if err != nil {
						b.Fatal(err)
					}
					if e.ErrorCode != "" || len(e.ResponseElements) > 0 {
						denials++
					}
				}
				if denials < counts.Denials {
					b.Fatal(fmt.Errorf("%d events, of %d denials", denials, counts.Denials))
				}
			}
		})
	}
}

// TestGenerated: what the generator says that it made is what is read.
func TestGenerated(t *testing.T) {
	dir, counts := benchFiles(t)
	for _, want := range []Want{Everything, Denials, Errors, Findings} {
		opts := Options{Query: Query{Want: want}, Progress: new(Progress)}
		got := collect(t, dir, opts)
		denials, errors, sessions := 0, 0, 0
		for _, e := range got.events {
			denials += len(correlate.DenialsOf(e, false))
			errors += len(correlate.DenialsOf(e, true))
			if e.Name == "AssumeRole" && e.ErrorCode == "" {
				sessions++
			}
		}
		if len(got.errs) > 0 || denials != counts.Denials || errors != counts.Denials+counts.Errors && (want == Everything || want == Errors) {
			t.Errorf("want %d: %d denials and %d errors, complaints %v; %+v was made", want, denials, errors, got.errs, counts)
		}
		if (want == Everything || want == Findings) && sessions != counts.Sessions {
			t.Errorf("want %d: %d sessions; %+v was made", want, sessions, counts)
		}
		if seen := opts.Progress.Events.Load(); seen != int64(counts.Records) {
			t.Errorf("want %d: %d records seen; %+v was made", want, seen, counts)
		}
		if want != Everything && len(got.events) > counts.Records/4 {
			t.Errorf("want %d: %d of %d records were decoded", want, len(got.events), counts.Records)
		}
	}
}

// BenchmarkDecode is what a record that matters costs before anything is made of it.
func BenchmarkDecode(b *testing.B) {
	text := benchText(b)
	var log struct{ Records []json.RawMessage }
	if err := json.Unmarshal(text, &log); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text) / len(log.Records)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := correlate.DecodeEvent(log.Records[i%len(log.Records)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
