// Package source reads CloudTrail events from where they lie: files,
// directories, glob patterns and standard input. [Open] is the call that most
// need.
//
// Content decides what a file is, never its name: gzip, zip, a trail's log
// file, JSON Lines, the output of lookup-events, EventBridge envelopes, CSV and
// more (cloudtrail.md T1 to T24). Everything is read as a stream: memory doesn't grow
// with the size of a file, only with the largest record. What can't be used comes out as an
// error beside the events, with its place, and reading goes on.
//
// The package doesn't remove duplicates. What comes out may be more than what [Query] asks for.
package source

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
)

// A BadRecord is input that can't be used. The events after it are read all the same.
type BadRecord struct {
	Path   string
	Index  int   // of the record in its file, from 0; -1 if the file as a whole is meant
	Offset int64 // in the decompressed text
	Line   int   // from 1; 0 if the record came from an API
	Err    error
}

// Error says where the record lies and what is wrong with it. The number of
// the record is its Index, so .Records[3] is record 3.
func (e *BadRecord) Error() string {
	switch {
	case e.Index < 0:
		return fmt.Sprintf("%s: %v", printable(e.Path), e.Err)
	case e.Line == 0: // it doesn't lie in a text
		return fmt.Sprintf("%s: record %d: %v", printable(e.Path), e.Index, e.Err)
	}
	return fmt.Sprintf("%s:%d: record %d (offset %d): %v", printable(e.Path), e.Line, e.Index, e.Offset, e.Err)
}

// Unwrap returns what is wrong with the record.
func (e *BadRecord) Unwrap() error { return e.Err }

// A Skip says that something was knowingly left out: a digest file, insight events.
type Skip struct {
	Path   string
	Reason string
	Count  int
}

// Error says what was left out.
func (s *Skip) Error() string {
	if s.Count > 1 {
		return fmt.Sprintf("%s: skipped %d times: %s", printable(s.Path), s.Count, s.Reason)
	}
	return fmt.Sprintf("%s: skipped: %s", printable(s.Path), s.Reason)
}

// A PartError says that a part of a source couldn't be read: an S3 object or prefix, a region. The rest is read.
type PartError struct {
	Part string // s3://bucket/key, lookup:eu-west-1
	Err  error
}

// Error says which part, and why.
func (e *PartError) Error() string { return printable(e.Part) + ": " + e.Err.Error() }

// Unwrap returns why the part couldn't be read.
func (e *PartError) Unwrap() error { return e.Err }

// A Notice says what is to be known of a source: what it can't have, what asking it cost. Nothing is wrong.
type Notice struct{ Text string }

// Error is the text.
func (n *Notice) Error() string { return n.Text }

// Options bound what is read, and say what of it is wanted.
type Options struct {
	Query Query
	AWS   AWS // for the sources that ask it

	MaxRecord     int64 // bytes; 0 is 32 MB
	MaxDecompress int64 // bytes of one file; 0 is no limit below a ratio of 1000

	// Stdin is what "-" reads; nil is the process's standard input.
	Stdin io.Reader
	// Progress is counted up while reading, if it isn't nil.
	Progress *Progress

	// Of tests: the clock, what the calls of LookupEvents wait for, and what looking after a query does.
	now  func() time.Time
	pace func(account, region string) waiter
	wait func(context.Context, time.Duration) error
}

// A Progress counts what was read. It may be looked at while reading goes on.
// The totals are complete when Open returns, but for s3://, where they grow with the listing; they don't include standard input.
type Progress struct {
	TotalFiles atomic.Int64
	TotalBytes atomic.Int64 // on disk

	Files             atomic.Int64 // that were read to their end
	CompressedBytes   atomic.Int64 // that were read from disk, be they compressed or not
	DecompressedBytes atomic.Int64 // of text

	Events atomic.Int64 // records seen, be they decoded or passed over (Query.Want)
	// Stage says what a source that is waiting waits for; nil or "" if for nothing.
	Stage atomic.Pointer[string]
}

const (
	defaultMaxRecord = 32 << 20

	// A decompressed file is suspicious if it is larger than bombSize and
	// bombRatio times as large as on disk.
	bombSize  = 1 << 30
	bombRatio = 1000
)

func (o Options) withDefaults() Options {
	if o.MaxRecord <= 0 {
		o.MaxRecord = defaultMaxRecord
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	o.AWS = o.AWS.Shared()
	if o.now == nil {
		o.now = time.Now
	}
	if o.wait == nil {
		o.wait = sleep
	}
	return o
}

// An opener opens a source of one kind. src is the whole SOURCE, prefix included.
type opener func(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error)

// openers are the sources that aren't files, by how they begin.
var openers = []struct {
	Kind
	open opener
}{
	{Kind{"s3://", "s3://BUCKET/PREFIX", "a trail's bucket; dates, regions and accounts that aren't wanted aren't read"}, openS3},
	{Kind{"lookup:", "lookup:, lookup:REGION,...", "the event history of CloudTrail: management events of 90 days"}, openLookup},
	{Kind{"athena:", "athena:WORKGROUP/DATABASE.TABLE", "a table of trail logs that Athena has; the query runs there"}, openAthena},
	{Kind{"lake:", "lake:EVENT-DATA-STORE", "an event data store of CloudTrail Lake; the query runs there"}, openLake},
}

// Open returns the events of a SOURCE (product.md §3): a file, a directory
// with all below it, a glob pattern (** for any depth), or - for standard
// input. Files come in the order of their paths, events in the order of their file.
//
// A *BadRecord, *Skip, *PartError or *Notice comes out as an error beside a nil event, and reading
// goes on. Any other error, such as that of ctx, is the last thing that comes out.
// Events aren't shared: the consumer may keep them.
func Open(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	opts = opts.withDefaults()
	if src == "-" {
		return readOne(ctx, streamItem(src, opts.Stdin), opts), nil
	}
	for _, o := range openers {
		if strings.HasPrefix(src, o.Prefix) {
			return o.open(ctx, src, opts)
		}
	}
	items, isTree, err := list(ctx, src)
	if err != nil {
		return nil, orMistyped(src, err)
	}
	for _, it := range items {
		if it.problem == nil {
			opts.Progress.TotalFiles.Add(1)
			opts.Progress.TotalBytes.Add(it.size)
		}
	}
	switch {
	case isTree:
		return orComplain(readAll(ctx, slices.Values(items), opts), src, opts.Progress), nil
	case len(items) == 1:
		if err := openable(items[0]); err != nil {
			return nil, err
		}
		return readOne(ctx, items[0], opts), nil
	default:
		return readAll(ctx, slices.Values(items), opts), nil
	}
}

// orComplain passes seq on, and adds an error if there was no event, be it one that
// was passed over: a directory in which nothing was found is rarely the one that was meant.
func orComplain(seq iter.Seq2[*correlate.Event, error], dir string, progress *Progress) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		found, before := false, progress.Events.Load()
		for e, err := range seq {
			found = found || e != nil || isFatal(err)
			if !yield(e, err) {
				return
			}
		}
		if !found && progress.Events.Load() == before {
			yield(nil, &BadRecord{Path: dir, Index: -1, Err: fmt.Errorf("no CloudTrail records in %s", printable(dir))})
		}
	}
}

// isFatal reports whether err ends the reading.
func isFatal(err error) bool {
	switch err.(type) {
	case nil, *BadRecord, *Skip, *PartError, *Notice:
		return false
	}
	return true
}

// printable is a path for an error: as it is, unless it could do something to a terminal.
func printable(path string) string {
	for _, r := range path {
		if !strconv.IsPrint(r) {
			return strconv.Quote(path)
		}
	}
	return path
}
