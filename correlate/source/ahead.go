package source

import (
	"context"
	"errors"
	"io"
	"iter"

	"golang.org/x/sync/errgroup"
)

// Over a network it isn't bytes but waiting for the first of them that takes
// long: so many files are opened ahead of being read, and so much of each is held. A
// trail's file is rarely larger than 1.5 MB (T5); of one that is, the rest comes when it is read.
const (
	maxFetches = 16
	fetchBytes = 1 << 20
)

// ahead gives the items in their order, with the next ones being opened already. They are
// opened with ctx, which has to last until all are read, and to be cancelled if not all are.
func ahead(ctx context.Context, items iter.Seq[item]) iter.Seq[item] {
	return func(yield func(item) bool) {
		inner, cancel := context.WithCancel(ctx)
		queue := make(chan item, maxFetches)
		buffers := make(chan []byte, maxFetches) // who holds one may have a file open
		for range maxFetches {
			buffers <- nil
		}
		var group errgroup.Group
		group.Go(func() error {
			defer close(queue)
			for it := range items {
				if it.problem == nil {
					var buf []byte
					select {
					case buf = <-buffers:
					case <-inner.Done():
						return nil
					}
					f := &fetch{done: make(chan struct{}), buf: buf, release: func(buf []byte) { buffers <- buf }}
					open := it.open
					group.Go(func() error {
						f.begin(ctx, open, it.size)
						return nil
					})
					it.open = f.open
				}
				select {
				case queue <- it:
				case <-inner.Done():
					return nil
				}
			}
			return nil
		})
		for it := range queue {
			if !yield(it) {
				break
			}
		}
		cancel()
		_ = group.Wait() // none of them gives an error
	}
}

// A fetch is a file of which the first bytes were read ahead.
type fetch struct {
	done    chan struct{} // closed when what follows may be looked at
	buf     []byte        // what was read
	rest    io.ReadCloser // nil if that was all
	err     error         // of opening the file, or what comes after buf
	release func([]byte)

	at       int // in buf
	released bool
}

// begin opens the file and reads the first bytes.
func (f *fetch) begin(ctx context.Context, open func(context.Context) (io.ReadCloser, error), size int64) {
	defer close(f.done)
	content, err := open(ctx)
	if err != nil {
		f.buf, f.err = f.buf[:0], err
		return
	}
	want := fetchBytes
	if size > 0 && size < fetchBytes {
		want = int(size) + 1 // so that its end is seen
	}
	if cap(f.buf) < want {
		f.buf = make([]byte, want)
	}
	n, err := io.ReadFull(content, f.buf[:want])
	f.buf = f.buf[:n]
	switch {
	case err == nil:
		f.rest = content
		return
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err = io.EOF // ReadFull's way to say that there was less
	}
	f.err = err
	_ = content.Close() // it was read as far as it goes
}

// open is the item's open: it waits for the first bytes.
func (f *fetch) open(ctx context.Context) (io.ReadCloser, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if len(f.buf) == 0 && f.err != nil && f.err != io.EOF {
		f.free()
		return nil, f.err
	}
	return f, nil
}

func (f *fetch) Read(p []byte) (int, error) {
	if f.at < len(f.buf) {
		n := copy(p, f.buf[f.at:])
		f.at += n
		return n, nil
	}
	f.free()
	if f.rest == nil {
		return 0, f.err
	}
	return f.rest.Read(p)
}

// Close ends the reading.
func (f *fetch) Close() error {
	f.free()
	if f.rest == nil {
		return nil
	}
	return f.rest.Close()
}

// free gives the buffer to another file.
func (f *fetch) free() {
	if f.released {
		return
	}
	f.released = true
	buf := f.buf
	f.buf, f.at = nil, 0
	f.release(buf[:0])
}
