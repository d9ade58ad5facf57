package source

import (
	"bytes"
	"io"
	"sync"
)

// A window goes over text of any length and finds where values end, without
// holding more of the text than a chunk and the value that is being kept. It
// looks at brackets and quotes only: what it finds may still not be valid JSON.
type window struct {
	src io.Reader
	buf []byte // the text from base on: in own, or in a piece
	pos int    // the next byte, in buf
	own []byte // a buffer

	// In place of src, if not nil: it returns the text piece by piece, each valid until the next call.
	piece   func() ([]byte, error)
	current []byte // the piece that it gave
	ahead   int    // how much of it isn't in buf

	keep     int // where the value begins that is kept, in buf; -1 if none is
	maxKeep  int // the longest value that is kept
	overlong bool

	base    int64 // offset of buf[0] in the text
	counted int   // up to where, in buf, newlines were counted
	lines   int   // newlines before buf[counted]
	err     error // why there is no more text; io.EOF at its end
}

const chunk = 128 << 10

// chunks are buffers that windows no longer need: the many small files of a trail would else spend
// much of their time on getting new ones.
var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

func newWindow(src io.Reader, maxKeep int64) *window {
	own := chunks.Get().(*[chunk]byte)[:0]
	return &window{src: src, buf: own, own: own, keep: -1, maxKeep: int(maxKeep)}
}

// close gives the window's buffer back. Nothing of its text may be used after.
func (w *window) close() {
	if cap(w.own) == chunk { // else it was made for a large record
		chunks.Put((*[chunk]byte)(w.own[:chunk]))
	}
	w.buf, w.own = nil, nil
}

// offset is where the window stands in the text.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// line is the line on which the window stands, from 1.
func (w *window) line() int {
	w.countTo(w.pos)
	return w.lines + 1
}

// countTo counts newlines up to buf[n]. Every byte is counted once.
func (w *window) countTo(n int) {
	if n > w.counted {
		w.lines += bytes.Count(w.buf[w.counted:n], newline)
		w.counted = n
	}
}

// passLines takes note of the newlines between where the window stands and buf[n], which needn't be counted then.
func (w *window) passLines(n, lines int) {
	w.countTo(w.pos)
	w.lines += lines
	w.counted = n
}

var newline = []byte{'\n'}

// start begins to keep the text.
func (w *window) start() { w.keep, w.overlong = w.pos, false }

// stop ends it and returns what was kept, which is valid until the window
// moves on; ok is false if it was too long.
func (w *window) stop() (text []byte, ok bool) {
	if w.keep >= 0 && w.pos-w.keep <= w.maxKeep {
		text, ok = w.buf[w.keep:w.pos], true
	}
	w.keep = -1
	return text, ok
}

// since returns the text from an offset on, which has to lie in what is
// being kept; nil if that became too long.
func (w *window) since(offset int64) []byte {
	if w.keep < 0 {
		return nil
	}
	return w.buf[offset-w.base : w.pos]
}

// drop ends keeping the text, if it is being kept.
func (w *window) drop() { w.keep = -1 }

// peek returns the next byte; ok is false at the end of the text.
func (w *window) peek() (c byte, ok bool) {
	if w.pos == len(w.buf) && !w.more() {
		return 0, false
	}
	return w.buf[w.pos], true
}

// skipBlank goes to the next byte that isn't blank and returns it.
func (w *window) skipBlank() (c byte, ok bool) {
	for {
		c, ok := w.peek()
		if !ok || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, ok
		}
		w.pos++
	}
}

// skipLine goes to the end of the line, before its newline.
func (w *window) skipLine() {
	for {
		if i := bytes.IndexByte(w.buf[w.pos:], '\n'); i >= 0 {
			w.pos += i
			return
		}
		w.pos = len(w.buf)
		if !w.more() {
			return
		}
	}
}

// more gets more text behind what there is. The byte before pos stays
// where it can be looked at.
func (w *window) more() bool {
	if w.err != nil {
		return false
	}
	if w.keep >= 0 && w.pos-w.keep > w.maxKeep {
		w.keep, w.overlong = -1, true
	}
	from := max(w.pos-1, 0)
	if w.keep >= 0 {
		from = min(from, w.keep)
	}
	w.discard(from)
	if w.piece != nil {
		return w.nextPiece()
	}
	w.own = append(w.own[:0], w.buf...)
	if len(w.own) == cap(w.own) {
		w.own = append(make([]byte, 0, 2*cap(w.own)), w.own...)
	}
	for range 100 { // a reader that gives nothing that often is broken
		n, err := w.src.Read(w.own[len(w.own):cap(w.own)])
		w.buf = w.own[:len(w.own)+n]
		w.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// nextPiece gets more text from the pieces. What isn't whole at the end of one is put together with some of the next
// in the window's own buffer; then the window goes on in the piece itself.
func (w *window) nextPiece() bool {
	inBoth := len(w.current) - w.ahead
	if w.ahead > 0 && len(w.buf) <= inBoth {
		w.buf, w.ahead = w.current[inBoth-len(w.buf):], 0
		return true
	}
	w.own = append(w.own[:0], w.buf...) // which may lie in own, or in the piece that goes away now
	w.buf = w.own
	if w.ahead == 0 {
		w.current, w.err = w.piece()
		w.ahead = len(w.current)
	}
	n := min(w.ahead, max(seam, len(w.own)))
	w.own = append(w.own, w.current[len(w.current)-w.ahead:][:n]...)
	w.buf, w.ahead = w.own, w.ahead-n
	return n > 0
}

// seam is how much of a piece is put together with the one before: more than most records have.
const seam = 4 << 10

// discard forgets the text before buf[n].
func (w *window) discard(n int) {
	w.countTo(n)
	w.counted -= n
	w.base += int64(n)
	w.buf = w.buf[n:]
	w.pos -= n
	if w.keep >= 0 {
		w.keep -= n
	}
	if len(w.buf) <= chunk/2 && cap(w.own) > 8*chunk { // after a large record
		w.own = make([]byte, 0, chunk)
	}
}

// An ending says how a value came to its end.
type ending int

const (
	whole  ending = iota
	cut           // the text ended first
	broken        // the line, or the next record, came first
)

// How strict a window is on what belongs to a value.
type lining int

const (
	// anyLines: a value goes on until its last bracket.
	anyLines lining = iota
	// newRecords: a string ends before its line does, and { at the begin of a line is the
	// next record where no value can stand. So one broken record isn't the end of the rest.
	newRecords
	// oneLine: the same, and { at the begin of a line is always the next record.
	oneLine
)

// skipValue goes to the end of the value whose first byte is next.
func (w *window) skipValue(l lining) ending {
	switch c, ok := w.peek(); {
	case !ok:
		return cut
	case c == '"':
		return w.skipString(l)
	case c != '{' && c != '[':
		return w.skipScalar()
	}
	depth := 0
	for {
		for ; w.pos < len(w.buf); w.pos++ {
			switch w.buf[w.pos] {
			case '"':
				if end := w.skipString(l); end != whole {
					return end
				}
				w.pos-- // for the loop's step
			case '{', '[':
				if l != anyLines && depth > 0 && w.atRecord(l) {
					return broken
				}
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					w.pos++
					return whole
				}
			}
		}
		if !w.more() {
			return cut
		}
	}
}

// atRecord reports whether the { that is next begins a record of its own.
func (w *window) atRecord(l lining) bool {
	if w.buf[w.pos] != '{' || w.pos == 0 || w.buf[w.pos-1] != '\n' {
		return false
	}
	before := bytes.TrimRight(w.buf[:w.pos], " \t\r\n")
	return l == oneLine || len(before) == 0 || bytes.IndexByte([]byte(":,["), before[len(before)-1]) < 0
}

// skipString goes to the end of the string whose quote is next.
func (w *window) skipString(l lining) ending {
	w.pos++
	quote := int64(-1) // offset of the next quote, which may be an escaped one; or where the buffer ends
	for {
		if quote < w.offset() {
			quote = w.find('"')
		}
		plain := w.buf[w.pos : quote-w.base]
		escape := bytes.IndexByte(plain, '\\')
		if escape >= 0 {
			plain = plain[:escape]
		}
		if l != anyLines {
			if end := bytes.IndexByte(plain, '\n'); end >= 0 {
				w.pos += end
				return broken
			}
		}
		w.pos += len(plain)
		switch {
		case escape >= 0:
			w.pos++
			if c, ok := w.peek(); !ok {
				return cut
			} else if c == '\n' && l != anyLines {
				return broken
			}
			w.pos++
		case w.pos < len(w.buf):
			w.pos++
			return whole
		case !w.more():
			return cut
		default:
			quote = -1
		}
	}
}

// find returns the offset of the next c, or of the end of the buffer.
func (w *window) find(c byte) int64 {
	if i := bytes.IndexByte(w.buf[w.pos:], c); i >= 0 {
		return w.offset() + int64(i)
	}
	return w.base + int64(len(w.buf))
}

// skipScalar goes to the end of a number, true, false, null, or of what stands
// where one of them should: at least one byte.
func (w *window) skipScalar() ending {
	w.pos++
	for {
		c, ok := w.peek()
		if !ok {
			return whole
		}
		switch c {
		case ',', ':', '{', '}', '[', ']', '"', ' ', '\t', '\r', '\n':
			return whole
		}
		w.pos++
	}
}
