package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/correlate"
)

// A text is decompressed content being read.
type text struct {
	in      *input
	path    string
	packing string // what it was decompressed from, for errors
	w       *window
	index   int // of the next record
	spoke   bool
	skips   []Skip // counted, and reported at the end
	lining  lining // of objects that stand by themselves
	unended *place // of the value in whose middle the text ended

	control  bool // a CloudWatch Logs message without events is being read
	rejected bool // the rest of the list isn't wanted

	seen int64 // events that Progress doesn't have yet
}

// A place is where a record lies.
type place struct {
	index  int
	offset int64
	line   int
}

func newText(in *input, path string, src io.Reader, packing string) *text {
	counted := readerFunc(func(p []byte) (int, error) {
		n, err := src.Read(p)
		in.opts.Progress.DecompressedBytes.Add(int64(n))
		return n, err
	})
	w := newWindow(counted, in.opts.MaxRecord)
	if p, ok := src.(*pieces); ok {
		w.piece = func() ([]byte, error) {
			piece, err := p.piece()
			in.opts.Progress.DecompressedBytes.Add(int64(len(piece)))
			return piece, err
		}
	}
	return &text{in: in, path: path, packing: packing, w: w, lining: newRecords}
}

// read reads the text in the form that its first byte says (T2).
func (t *text) read() error {
	defer t.count()
	defer t.w.close()
	c, ok := t.w.skipBlank()
	switch {
	case !ok && t.w.err == io.EOF:
		return t.in.whole(t.path, "empty file: nothing but blanks")
	case !ok:
		return t.finish()
	case c == '{' || c == '[':
		return t.json()
	}
	return t.table()
}

// here is the place at which the text stands.
func (t *text) here() place { return place{t.index, t.w.offset(), t.w.line()} }

// bad reports a record that can't be used.
func (t *text) bad(at place, err error) error {
	t.spoke = true
	return t.in.emit(nil, &BadRecord{Path: t.path, Index: at.index, Offset: at.offset, Line: at.line, Err: err})
}

// notification reports one, and with it all of the list that it stands in (T3 b).
func (t *text) notification(at place) error {
	t.rejected = true
	return t.bad(at, errNotification)
}

// skip counts what is knowingly left out.
func (t *text) skip(reason string) error {
	t.spoke = true
	i := slices.IndexFunc(t.skips, func(s Skip) bool { return s.Reason == reason })
	if i < 0 {
		i = len(t.skips)
		t.skips = append(t.skips, Skip{Path: t.path, Reason: reason})
	}
	t.skips[i].Count++
	return nil
}

// event passes an event on, unless it doesn't stand for a call (T8).
func (t *text) event(at place, e *correlate.Event, lossy bool) error {
	if what := notACall(e.Category, e.Type); what != "" {
		return t.skip(what)
	}
	if strings.HasPrefix(e.Source, "aws:") { // aws:s3, aws:sns, aws:sqs
		return t.notification(at)
	}
	t.see()
	e.Origin = correlate.Origin{Path: t.path, Index: at.index, Lossy: lossy}
	return t.in.emit(e, nil)
}

// see takes note of an event, be it passed on or passed over.
func (t *text) see() {
	t.spoke = true
	if t.seen++; t.seen == seenAtOnce {
		t.count()
	}
}

// seenAtOnce is how many events are counted together: files are read in parallel, and the count is one.
const seenAtOnce = 256

// count brings Progress up to date.
func (t *text) count() {
	t.in.opts.Progress.Events.Add(t.seen)
	t.seen = 0
}

// notACall says what a record of that eventCategory and eventType is, if it isn't a
// single call; the folder it lay in says nothing (T8).
func notACall(category, eventType string) string {
	switch {
	case category == "Insight" || eventType == "AwsCloudTrailInsight":
		return "Insights event, not a call"
	case strings.Contains(strings.ToLower(category+" "+eventType), "aggregate"):
		return "aggregated event, not a single call"
	}
	return ""
}

// finish reports what is known only at the end.
func (t *text) finish() error {
	if err := t.in.ctx.Err(); err != nil {
		return err
	}
	for _, s := range t.skips {
		if err := t.in.emit(nil, &s); err != nil {
			return err
		}
	}
	at := t.here()
	if t.unended != nil {
		at = *t.unended
	}
	switch {
	case t.w.err != io.EOF:
		err := packingError(t.packing, t.index, t.w.err)
		return t.bad(at, fmt.Errorf("%w (offset %d)", err, t.w.offset()))
	case t.unended != nil && t.w.overlong:
		return t.bad(at, errors.New("record without an end: from here to the end of the file no bracket closes it"))
	case t.unended != nil:
		return t.bad(at, fmt.Errorf("the file ends in the middle of a record or list, after %d records (offset %d)", t.index, t.w.offset()))
	case !t.spoke:
		return t.in.emit(nil, &Skip{Path: t.path, Reason: "no CloudTrail records in it", Count: 1})
	}
	return nil
}

// json reads JSON values, one behind the other, however they are
// separated (T4).
func (t *text) json() error {
	for {
		c, ok := t.w.skipBlank()
		if !ok {
			return t.finish()
		}
		var err error
		switch c {
		case '{':
			if err = t.quick('\n'); err == nil {
				err = t.object(t.lining)
			}
		case '[':
			err = t.list(listOfAny)
		case ',': // objects that were cut out of an array
			t.w.pos++
		default:
			err = t.junk()
		}
		if err != nil {
			return err
		}
	}
}

// junk reports a line that isn't JSON.
func (t *text) junk() error {
	at := t.here()
	t.w.start()
	t.w.skipLine()
	line, _ := t.w.stop()
	t.index++
	return t.bad(at, fmt.Errorf("not JSON: %s", quoteShort(line)))
}

// A listKind says what the elements of an array are.
type listKind int

const (
	notAList    listKind = iota
	listOfAny            // JSON's own array: anything that may stand by itself
	listOfOnes           // records, or objects with one inside (T3 a, b, c, h, i)
	listOfRows           // T3 f
	listOfCells          // T3 g
)

// lists are the members of an object in which records lie.
var lists = map[string]listKind{
	"Records":         listOfOnes,
	"Events":          listOfOnes,
	"events":          listOfOnes,
	"logEvents":       listOfOnes,
	"QueryResultRows": listOfRows,
}

// object reads an object: if it has a list of records, those, as they
// come; else itself (T3). Its brackets and names are looked at here; whether
// all of it is valid is the decoder's business.
func (t *text) object(l lining) error {
	w := t.w
	at := t.here()
	w.start()
	w.pos++
	t.control = false
	hadList := false
	for {
		c, ok := w.skipBlank()
		switch {
		case !ok:
			t.unended = &at
			return nil
		case c == '}':
			w.pos++
			return t.endObject(at, l, hadList)
		case c == '"':
			isList, end, err := t.member(l)
			if err != nil {
				return err
			}
			hadList = hadList || isList
			if stop, err := t.ended(at, l, end); stop {
				return err
			}
		case l != anyLines && w.atRecord(l):
			_, err := t.ended(at, l, broken)
			return err
		default: // a comma; or what doesn't belong here
			if stop, err := t.ended(at, l, w.skipValue(l)); stop {
				return err
			}
		}
	}
}

// ended looks at how a part of the object at a place came to its end, and
// says whether that was the end of the object as well.
func (t *text) ended(at place, l lining, e ending) (bool, error) {
	switch e {
	case cut:
		if t.unended == nil { // else a record in this object's list was cut, and says more
			t.unended = &at
		}
		return true, nil
	case broken:
		t.w.drop()
		t.index++
		err := t.bad(at, errors.New("broken JSON: the next line begins before this record has ended"))
		t.resume(at, l)
		return true, err
	}
	return false, nil
}

// resume goes from within a broken record to where the next one may begin: the
// next line, in JSON Lines; else the next line that begins with a bracket.
func (t *text) resume(at place, l lining) {
	w := t.w
	for {
		c, ok := w.peek()
		atStart := w.pos > 0 && w.buf[w.pos-1] == '\n'
		if !ok || atStart && (c == '{' || c == '[' || l == oneLine) {
			return
		}
		w.skipLine()
		if _, ok := w.peek(); ok {
			w.pos++
		}
	}
}

// endObject reads the object that ended here, unless its records were read already.
func (t *text) endObject(at place, l lining, read bool) error {
	raw, ok := t.w.stop()
	if read {
		return nil
	}
	if l == newRecords && t.w.line() == at.line {
		t.lining = oneLine
	}
	t.index++
	if !ok {
		return t.tooLong(at)
	}
	return t.record(at, raw, 0)
}

// member reads a member of an object whose name is next. isList says that it was a list
// of records, which have been read.
func (t *text) member(l lining) (isList bool, end ending, err error) {
	w := t.w
	name, end := t.name(l)
	if end != whole {
		return false, end, nil
	}
	if c, _ := w.skipBlank(); c != ':' {
		return false, whole, nil // the decoder will say so
	}
	w.pos++
	c, ok := w.skipBlank()
	if !ok {
		return false, cut, nil
	}
	switch kind := lists[name]; {
	case kind != notAList && c == '[':
		w.drop()
		err := t.list(kind)
		return true, t.listEnd(), err
	case name == "ResultSet" && c == '{':
		return t.resultSet(l)
	case c == '{' && l == oneLine && w.atRecord(l):
		return false, broken, nil
	}
	from := w.offset()
	end = w.skipValue(l)
	if name == "messageType" {
		t.control = strings.Contains(string(w.since(from)), "CONTROL_MESSAGE")
	}
	return false, end, nil
}

// listEnd is how the list that was just read came to its end.
func (t *text) listEnd() ending {
	if t.unended != nil {
		return cut
	}
	return whole
}

// name reads a member's name; "" if it is longer than any that matters.
func (t *text) name(l lining) (string, ending) {
	const most = 64
	w := t.w
	kept := w.keep >= 0
	if !kept {
		w.keep = w.pos // and a record that was too long stays so
	}
	from := w.offset()
	end := w.skipString(l)
	quoted := w.since(from)
	if !kept {
		w.drop()
	}
	switch {
	case end != whole || len(quoted) == 0 || len(quoted) > most:
		return "", end
	case bytes.IndexByte(quoted, '\\') < 0:
		return string(quoted[1 : len(quoted)-1]), end
	}
	var name string
	if json.Unmarshal(quoted, &name) != nil { // which the decoder will find, too
		return "", end
	}
	return name, end
}

// resultSet reads the rows of the answer of Athena's GetQueryResults (T3 g).
func (t *text) resultSet(l lining) (isList bool, end ending, err error) {
	w := t.w
	w.pos++
	for {
		c, ok := w.skipBlank()
		switch {
		case !ok:
			return isList, cut, nil
		case c == '}':
			w.pos++
			return isList, whole, nil
		case c != '"':
			if end := w.skipValue(l); end != whole {
				return isList, end, nil
			}
			continue
		}
		name, end := t.name(l)
		if end != whole {
			return isList, end, nil
		}
		if c, _ := w.skipBlank(); c != ':' {
			continue
		}
		w.pos++
		if c, _ := w.skipBlank(); name == "Rows" && c == '[' {
			w.drop()
			isList = true
			if err := t.list(listOfCells); err != nil || t.unended != nil {
				return isList, t.listEnd(), err
			}
		} else if end := w.skipValue(l); end != whole {
			return isList, end, nil
		}
	}
}

// list reads the elements of an array, one at a time.
func (t *text) list(kind listKind) error {
	w := t.w
	w.pos++
	rows := &rows{t: t}
	t.rejected = false
	for {
		c, ok := w.skipBlank()
		switch {
		case !ok:
			at := t.here()
			t.unended = &at
			return nil
		case c == ']':
			w.pos++
			return nil
		case c == ',':
			w.pos++
			continue
		case c == '{' && (kind == listOfOnes || kind == listOfAny) && !t.control && !t.rejected:
			if err := t.quick(','); err != nil {
				return err
			}
		}
		if c == '{' && kind == listOfAny {
			if err := t.object(anyLines); err != nil || t.unended != nil {
				return err
			}
			continue
		}
		at := t.here()
		w.start()
		if w.skipValue(anyLines) == cut {
			t.unended = &at
			return nil
		}
		raw, ok := w.stop()
		if t.rejected {
			continue
		}
		t.index++
		var err error
		switch {
		case !ok:
			err = t.tooLong(at)
		case kind == listOfRows:
			err = rows.lake(at, raw)
		case kind == listOfCells:
			err = rows.athena(at, raw)
		case t.control:
			err = t.skip(controlMessage)
		default:
			err = t.record(at, raw, 0)
		}
		if err != nil {
			return err
		}
	}
}

// quick goes over the records that are next, each behind a separator, as long as their ends are easily found, reads
// those that matter and leaves the first that is to be walked. It changes only how long reading takes.
func (t *text) quick(separator byte) error {
	w, want := t.w, t.in.opts.Query.Want
	if want == Everything {
		return nil
	}
	h := scanners.Get().(*hops)
	defer func() {
		h.begin(nil, 0)
		scanners.Put(h)
	}()
	h.begin(w.buf, w.pos)
	for {
		end, ok := h.hop(w.pos, separator)
		if end == len(w.buf) && t.readAhead() {
			h.begin(w.buf, w.pos)
			end, ok = h.hop(w.pos, separator)
		}
		if !ok || end-w.pos > w.maxKeep {
			return nil
		}
		record := w.buf[w.pos:end]
		if separator == '\n' {
			if h.lines > 1 { // not JSON Lines
				return nil
			}
			t.lining = oneLine
		}
		if h.signs.matter(record, want) {
			at := t.here()
			t.index++
			if err := t.decode(at, record, 0); err != nil {
				return err
			}
		} else {
			t.index++
			t.see()
		}
		w.passLines(end+1, h.lines)
		w.pos = end + 1
		if t.rejected {
			return nil
		}
	}
}

// scanners are hops that are free: too large for the stack of every file.
var scanners = sync.Pool{New: func() any { return new(hops) }}

// readAhead gets more text, to see the end of the record that is next. Only of what is packed: a pipe may have said all for
// now, and what it said is wanted now.
func (t *text) readAhead() bool {
	w := t.w
	if t.packing == "" || len(w.buf)-w.pos > chunk/2 {
		return false
	}
	kept := w.keep
	w.start()
	got := w.more()
	w.keep = kept
	return got
}

// tooLong reports a record that is longer than what may be held in memory.
func (t *text) tooLong(at place) error {
	return t.bad(at, tooLong(t.w.offset()-at.offset, t.in.opts.MaxRecord))
}

func tooLong(bytes, limit int64) error {
	return fmt.Errorf("record of %d bytes is longer than the limit of %d; raise it with --max-record-size", bytes, limit)
}
