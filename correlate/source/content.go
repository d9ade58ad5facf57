package source

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"github.com/iamwhy/iamwhy/correlate"
)

// maxGzip is how often a file may be gzipped: once, and once more by an
// upload that gzipped what already was (T1).
const maxGzip = 2

// An input is one file being read, and how much of it was.
type input struct {
	ctx  context.Context
	opts Options
	emit emit
	in   int64 // bytes taken from disk
	out  int64 // bytes that became of them by decompression
}

// readItem reads one file and gives what it holds to out. The
// error is that of out or of ctx; whatever is wrong with the file goes to out.
func readItem(ctx context.Context, it item, opts Options, out emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if it.problem != nil {
		return out(nil, it.problem)
	}
	out = orPart(out)
	in := &input{ctx: ctx, opts: opts, emit: out}
	content, err := it.open(ctx)
	if err != nil {
		return out(nil, unreadable(it.path, err).problem)
	}
	defer content.Close()
	if f, ok := content.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && isZip(f) {
			return in.finish(in.readZip(it.path, f, info.Size()))
		}
	}
	return in.finish(in.read(it.path, in.counted(content), 0, ""))
}

// orPart gives a *PartError in place of a *BadRecord where AWS was at fault, not what is in the file.
func orPart(out emit) emit {
	return func(e *correlate.Event, err error) error {
		var bad *BadRecord
		var failed *AWSError
		if e == nil && errors.As(err, &bad) && errors.As(err, &failed) {
			err = &PartError{Part: bad.Path, Err: bad.Err}
		}
		return out(e, err)
	}
}

// finish counts a file that was read to its end.
func (in *input) finish(err error) error {
	if err == nil {
		in.opts.Progress.Files.Add(1)
	}
	return err
}

// whole reports what is wrong with a file as a whole.
func (in *input) whole(path, format string, args ...any) error {
	return in.emit(nil, &BadRecord{Path: path, Index: -1, Err: fmt.Errorf(format, args...)})
}

// read finds out what content is (T1) and reads it. It was unpacked
// gzips times already, by the thing called packing.
func (in *input) read(path string, content io.Reader, gzips int, packing string) error {
	br, ok := content.(peeker)
	switch {
	case ok:
	case packing == "":
		buffered := buffers.Get().(*bufio.Reader)
		defer func() {
			buffered.Reset(nil)
			buffers.Put(buffered)
		}()
		buffered.Reset(content)
		br = buffered
	default: // it is read in large pieces, which needn't be copied once more
		br = bufio.NewReaderSize(content, sniffed)
	}
	head, err := br.Peek(1)
	if len(head) > 0 && !beginsJSON(head[0]) { // JSON is read as it comes: a pipe may have said all for now
		head, err = br.Peek(sniffed)
	}
	switch {
	case len(head) == 0 && err == io.EOF:
		return in.whole(path, "empty file")
	case len(head) == 0: // reading again gives the same error, and says it
		return newText(in, path, br, packing).read()
	case bytes.HasPrefix(head, magicGzip) && gzips < maxGzip:
		return in.readGzip(path, bufio.NewReaderSize(br, chunk/4), gzips)
	case bytes.HasPrefix(head, magicGzip):
		return in.whole(path, "gzipped more than %d times; gunzip it first", maxGzip)
	case bytes.HasPrefix(head, bom):
		_, _ = br.Discard(len(bom)) // it was peeked at
	}
	for _, f := range foreign {
		if len(head) > f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return in.whole(path, "%s; %s", f.what, f.instead)
		}
	}
	return newText(in, path, br, packing).read()
}

// buffers are those for reading files that are free.
var buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, chunk/4) }}

// beginsJSON reports whether a text whose first byte is c is JSON, if anything that is read.
func beginsJSON(c byte) bool { return strings.IndexByte("{[ \t\r\n", c) >= 0 }

const sniffed = 512

var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZip  = []byte("PK\x03\x04")
	bom       = []byte("\ufeff")
)

// foreign are contents that aren't read, by what they begin with.
var foreign = []struct {
	at            int
	magic         string
	what, instead string
}{
	{0, "PK\x03\x04", "zip archive", "unzip it first: only a zip file that is named itself can be read"},
	{0, "PK\x05\x06", "empty zip archive", "it has no events"},
	{0, "\x28\xb5\x2f\xfd", "zstd-compressed", "decompress it first (zstd -d)"},
	{0, "BZh", "bzip2-compressed", "decompress it first (bunzip2)"},
	{0, "\xfd7zXZ\x00", "xz-compressed", "decompress it first (unxz)"},
	{0, "PAR1", "Parquet file", "export the events as JSON or CSV"},
	{0, "Obj\x01", "Avro file", "export the events as JSON or CSV"},
	{257, "ustar", "tar archive", "unpack it first and give the directory"},
	{0, "\xff\xfe", "UTF-16 text", "save it as UTF-8"},
	{0, "\xfe\xff", "UTF-16 text", "save it as UTF-8"},
}

// readGzip reads what is gzipped in br.
func (in *input) readGzip(path string, br *bufio.Reader, gzips int) error {
	zr := gunzips.Get().(*gzip.Reader)
	defer gunzips.Put(zr)
	err := zr.Reset(br)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return in.whole(path, "truncated gzip: it ends within its header")
	case err != nil:
		return in.whole(path, "damaged gzip: %w", err)
	}
	defer zr.Close()
	p := newPieces(&guard{in: in}, zr)
	defer p.stop()
	return in.read(path, p, gzips+1, "gzip")
}

// gunzips are decompressors that are free.
var gunzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

// isZip reports whether f begins as a zip archive does. f isn't moved.
func isZip(f io.ReaderAt) bool {
	head := make([]byte, len(magicZip))
	_, err := f.ReadAt(head, 0)
	return err == nil && bytes.Equal(head, magicZip)
}

// readZip reads the members of a zip archive, each as if it were a file.
func (in *input) readZip(path string, f io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(f, size)
	if err != nil {
		return in.whole(path, "%w", packingError("zip", 0, err))
	}
	in.in = size // members may share bytes of the file: only its size can be trusted
	in.opts.Progress.CompressedBytes.Add(size)
	read := 0
	for _, member := range archive.File {
		if member.FileInfo().IsDir() {
			continue
		}
		read++
		if err := in.readMember(path+"/"+member.Name, member); err != nil {
			return err
		}
	}
	if read == 0 {
		return in.whole(path, "zip archive without files")
	}
	return nil
}

func (in *input) readMember(path string, member *zip.File) error {
	content, err := member.Open()
	if err != nil {
		return in.whole(path, "%w", packingError("zip", 0, err))
	}
	defer content.Close()
	return in.read(path, &guard{in: in, src: content}, 0, "zip")
}

// counted counts what is read from disk, and stops when the run does.
func (in *input) counted(src io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := in.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := src.Read(p)
		in.in += int64(n)
		in.opts.Progress.CompressedBytes.Add(int64(n))
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A guard lets decompressed bytes through, and stops when they become too many: a small
// file may hold petabytes.
type guard struct {
	in  *input
	src io.Reader // nil if the bytes don't come through Read
}

func (g *guard) Read(p []byte) (int, error) {
	if err := g.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := g.src.Read(p)
	if over := g.pass(n); over != nil {
		return 0, over
	}
	return n, err
}

// pass takes note of n bytes, and says whether they are too many.
func (g *guard) pass(n int) error {
	g.in.out += int64(n)
	if g.in.exploded() {
		return &explodedError{in: g.in.in, out: g.in.out}
	}
	return nil
}

// exploded reports whether decompression has given more than it may.
func (in *input) exploded() bool {
	if in.opts.MaxDecompress > 0 {
		return in.out > in.opts.MaxDecompress
	}
	return in.out > bombSize && in.out/bombRatio > in.in
}

// An explodedError says that a file was given up because of its decompressed size.
type explodedError struct{ in, out int64 }

func (e *explodedError) Error() string {
	return fmt.Sprintf("%d bytes decompressed to more than %d; if that is right, raise the limit with --max-decompressed-size", e.in, e.out)
}

// packingError says why the text of a packed file ends early, after so many records.
func packingError(packing string, records int, err error) error {
	var exploded *explodedError
	var failed *AWSError
	switch {
	case errors.As(err, &exploded):
		return fmt.Errorf("stopped after %d records: %w", records, err)
	case errors.As(err, &failed):
		return fmt.Errorf("reading stopped after %d records: %w", records, err)
	case packing != "" && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("truncated %s after %d records", packing, records)
	case packing == "gzip" && errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("what follows the gzipped data after %d records isn't gzip", records)
	case packing != "":
		return fmt.Errorf("damaged %s after %d records: %w", packing, records, err)
	}
	return fmt.Errorf("reading stopped after %d records: %w", records, err)
}

// describeStart quotes the first bytes of content that can't be read.
func describeStart(head []byte) string {
	const most = 80
	what := "text"
	if bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(head[:max(len(head)-utf8.UTFMax, 0)]) {
		what = "binary file"
	}
	return fmt.Sprintf("neither JSON nor CSV with an eventName column: %s that begins with %s", what,
		strconv.QuoteToASCII(string(head[:min(len(head), most)])))
}

// An interruptible reader gives up when the run does, even while standard
// input has nothing to say. The one goroutine that then still waits for
// input ends with the next byte; nothing else can be done about a blocked read.
type interruptible struct {
	ctx  context.Context
	src  io.Reader
	buf  []byte
	rest []byte
	err  error
}

func (r *interruptible) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && r.err == nil {
		done := make(chan struct{})
		go func() {
			defer close(done)
			n, err := r.src.Read(r.buf)
			r.rest, r.err = r.buf[:n], err
		}()
		select {
		case <-done:
		case <-r.ctx.Done():
			return 0, r.ctx.Err() // the fields are the goroutine's from now on
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && n == 0 {
		return 0, r.err
	}
	return n, nil
}
