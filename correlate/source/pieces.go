package source

import (
	"io"
	"iter"
	"slices"
)

// A peeker is content whose begin can be looked at.
type peeker interface {
	io.Reader
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
}

// pieces are decompressed text, as the decompressor has it: looking at it there spares copying it.
type pieces struct {
	guard *guard
	next  func() ([]byte, bool)
	stop  func()
	rest  []byte // of the piece that is being read
	err   error  // why there is no more; io.EOF at the end
}

func newPieces(g *guard, src io.WriterTo) *pieces {
	p := &pieces{guard: g}
	p.next, p.stop = iter.Pull(func(yield func([]byte) bool) {
		_, p.err = src.WriteTo(writerFunc(func(piece []byte) (int, error) {
			if err := g.in.ctx.Err(); err != nil {
				return 0, err
			}
			if err := g.pass(len(piece)); err != nil {
				return 0, err
			}
			if len(piece) > 0 && !yield(piece) {
				return 0, errStopped
			}
			return len(piece), nil
		}))
		if p.err == nil {
			p.err = io.EOF
		}
	})
	return p
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// piece returns what is next, which is valid until it is asked again.
func (p *pieces) piece() ([]byte, error) {
	piece := p.rest
	p.rest = nil
	if len(piece) > 0 {
		return piece, nil
	}
	piece, ok := p.next()
	if !ok {
		return nil, p.err
	}
	return piece, nil
}

// Peek returns the next n bytes; fewer, and why, if there are no more.
func (p *pieces) Peek(n int) ([]byte, error) {
	for len(p.rest) < n {
		rest := slices.Clone(p.rest) // the piece that it lies in goes away
		piece, ok := p.next()
		switch {
		case !ok:
			p.rest = rest
			return rest, p.err
		case len(rest) == 0:
			p.rest = piece
		default:
			p.rest = append(rest, piece...)
		}
	}
	return p.rest[:n], nil
}

// Discard drops n bytes that were peeked at.
func (p *pieces) Discard(n int) (int, error) {
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pieces) Read(b []byte) (int, error) {
	piece, err := p.piece()
	n := copy(b, piece)
	p.rest = piece[n:]
	return n, err
}
