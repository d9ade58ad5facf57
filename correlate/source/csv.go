package source

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
)

// A csvTable is CSV being read (T23).
type csvTable struct {
	*text
	rows  rows
	comma byte
}

// table reads CSV.
func (t *text) table() error {
	head := slices.Clone(t.w.begin())
	c := &csvTable{text: t, rows: rows{t: t}}
	if !c.header() {
		return t.in.whole(t.path, "%s", describeStart(head))
	}
	for {
		b, ok := t.w.peek()
		if !ok {
			return t.finish()
		}
		if b == '\n' || b == '\r' {
			t.w.pos++
			continue
		}
		if err := c.row(); err != nil {
			return err
		}
	}
}

// header reads the first line; false if it names no column of CloudTrail's. Spreadsheets
// also separate with tabs, or with semicolons where the comma is decimal.
func (c *csvTable) header() bool {
	line, ok := c.w.shortLine()
	if !ok {
		return false
	}
	for _, comma := range []byte(",\t;") {
		c.comma = comma
		names, err := c.split(line)
		if err == nil && c.rows.setHeader(names) {
			return true
		}
	}
	return false
}

// begin returns the begin of the line that is next, the same however the bytes arrive.
func (w *window) begin() []byte {
	for {
		rest := w.buf[w.pos:min(len(w.buf), w.pos+sniffed)]
		if line, _, ended := bytes.Cut(rest, newline); ended || len(rest) == sniffed || w.err != nil {
			return line
		}
		w.more()
	}
}

// shortLine returns the line that is next, unless it is longer than any header.
func (w *window) shortLine() (line []byte, ok bool) {
	const most = 64 << 10
	w.start()
	for {
		if i := bytes.IndexByte(w.buf[w.pos:], '\n'); i >= 0 {
			w.pos += i
			break
		}
		w.pos = len(w.buf)
		if w.pos-w.keep > most || !w.more() {
			break
		}
	}
	line, ok = w.stop()
	return line, ok && len(line) <= most
}

// row reads the row that is next.
func (c *csvTable) row() error {
	at := c.here()
	c.w.start()
	if c.skipRow() == cut {
		c.unended = &at
		return nil
	}
	line, ok := c.w.stop()
	c.index++
	if !ok {
		return c.tooLong(at)
	}
	values, err := c.split(line)
	if err != nil {
		return c.bad(at, err)
	}
	return c.rows.row(at, values)
}

// skipRow goes to the end of a row: to the end of its line, or of a later one if
// the line ends within quotes. It takes quotes as encoding/csv does when it is lazy.
func (c *csvTable) skipRow() ending {
	const (
		start    = iota // of a field
		bare            // within a field without quotes
		quoted          // within quotes
		quoteEnd        // behind a quote, which ends them unless another follows
	)
	state := start
	for {
		b, ok := c.w.peek()
		switch {
		case !ok && (state == quoted || c.w.err != io.EOF): // what was cut may look whole
			return cut
		case !ok, b == '\n' && state != quoted:
			return whole
		case state == quoted && b == '"':
			state = quoteEnd
		case state == quoted:
		case b == c.comma:
			state = start
		case state == start && b == '"', state == quoteEnd && b != '\r':
			state = quoted
		case state == start:
			state = bare
		}
		c.w.pos++
	}
}

// split returns the values of a row.
func (c *csvTable) split(line []byte) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma = rune(c.comma)
	r.LazyQuotes = true
	r.FieldsPerRecord = -1
	return r.Read()
}
