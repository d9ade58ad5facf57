package source

import (
	"context"
	"errors"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/iamwhy/iamwhy/correlate"
)

// An emit takes what was read: an event, or a *BadRecord or *Skip. It returns an error
// if nothing more is wanted.
type emit func(*correlate.Event, error) error

// errStopped says that the consumer wants no more.
var errStopped = errors.New("stopped")

// readOne reads one file in the consumer's own goroutine, so that events of
// a pipe come out as soon as they are there.
func readOne(ctx context.Context, it item, opts Options) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		err := readItem(ctx, it, opts, func(e *correlate.Event, err error) error {
			if !yield(e, err) {
				return errStopped
			}
			return ctx.Err()
		})
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// A result is one thing that a file gave.
type result struct {
	event *correlate.Event
	err   error
}

// How much is read ahead of the consumer: batches of events, up to
// maxBatches of each file, of twice as many files as there are processors.
// A batch of large records is sent early, so that memory has a bound.
const (
	maxBatch      = 64
	maxBatchBytes = 1 << 20
	maxBatches    = 16
)

// readAll reads files in parallel and yields what they hold in their order.
// All goroutines have ended when it returns. items is asked for few more files
// than are being read, so that a long list needn't be held; it has to end once ctx is done.
func readAll(ctx context.Context, items iter.Seq[item], opts Options) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		workers := runtime.GOMAXPROCS(0)
		inner, cancel := context.WithCancel(ctx)
		files := make(chan chan []result, 2*workers) // in the order of items
		var group errgroup.Group
		// The first file that the consumer still waits for is always being
		// read: files are begun in their order. So nothing can wait for ever.
		group.Go(func() error {
			defer close(files)
			jobs := make(chan job)
			var readers errgroup.Group
			for range workers {
				readers.Go(func() error { return readJobs(inner, jobs, opts) })
			}
			defer readers.Wait()
			defer close(jobs)
			for it := range items {
				j := job{it, make(chan []result, maxBatches)}
				select {
				case files <- j.out:
				case <-inner.Done():
					return inner.Err()
				}
				select {
				case jobs <- j:
				case <-inner.Done():
					close(j.out)
					return inner.Err()
				}
			}
			return nil
		})
		stopped := !forward(inner, files, yield)
		cancel()
		_ = group.Wait() // it only says that reading was cancelled
		if err := ctx.Err(); err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// A job is a file to read, and where what it holds goes, which is closed then.
type job struct {
	item item
	out  chan []result
}

// readJobs reads one file after the other. It ends with the jobs, or once reading was cancelled.
func readJobs(ctx context.Context, jobs <-chan job, opts Options) error {
	for j := range jobs {
		err := readBatches(ctx, j.item, opts, j.out)
		close(j.out)
		if err != nil {
			return err
		}
	}
	return nil
}

// forward yields everything from files, one after the other. It returns false if
// the consumer wants no more.
func forward(ctx context.Context, files <-chan chan []result, yield func(*correlate.Event, error) bool) bool {
	for file := range files {
		for batch := range file {
			for _, r := range batch {
				if ctx.Err() != nil {
					return true
				}
				if !yield(r.event, r.err) {
					return false
				}
			}
		}
	}
	return true
}

// readBatches reads a file and sends what it holds to out.
func readBatches(ctx context.Context, it item, opts Options, out chan<- []result) error {
	var batch []result
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case out <- batch:
			batch, size = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := readItem(ctx, it, opts, func(e *correlate.Event, err error) error {
		batch = append(batch, result{e, err})
		if e != nil {
			size += len(e.RequestParameters) + len(e.ResponseElements) + len(e.AdditionalData) + len(e.Context)
		}
		if len(batch) < maxBatch && size < maxBatchBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
