package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// counts are what reading saw.
type counts struct {
	sources           int   // that were given
	files, totalFiles int64 // that were read to their end, and that there were
	bytes, totalBytes int64 // the same on disk

	read    int            // events
	denied  int            // of them with a denial that is wanted
	skipped int            // records that can't be used
	leftOut map[string]int // what is no event, such as digest files, by the reason
	parts   int            // of sources, that couldn't be read
	unread  int            // sources that couldn't be opened or read to the end

	failed bool          // a call to AWS did
	ended  *interruption // what stopped reading before its end; nil if nothing did
}

// read hands every event of the input to each, which reports whether it has a
// denial that is wanted. A bad record is counted, and reading goes on; so
// is a part or a source that can't be read, which the run's status tells. If ctx ends, what a source
// had in hand is still handed on. The error is that of each.
func (a *app) read(ctx context.Context, in *input, q source.Query, each func(*correlate.Event) (bool, error)) (counts, error) {
	c := counts{sources: len(in.sources), leftOut: map[string]int{}}
	p := new(progress)
	defer a.show(func(since time.Duration, columns int) string { return p.now(since).line(columns) })()
	opts := a.options(in, q)
	opts.Progress = &p.source
	for _, src := range in.sources {
		if ctx.Err() != nil {
			break
		}
		if err := a.readSource(ctx, src, opts, p, &c, each); err != nil {
			return c, err
		}
		p.next()
	}
	c.read, c.denied = int(p.before.Load()), int(p.denied.Load())
	c.files, c.totalFiles = p.source.Files.Load(), p.source.TotalFiles.Load()
	c.bytes, c.totalBytes = p.source.CompressedBytes.Load(), p.source.TotalBytes.Load()
	if ctx.Err() != nil {
		i := interruptionOf(ctx)
		c.ended = &i
	}
	return c, nil
}

// readSource reads one SOURCE.
func (a *app) readSource(ctx context.Context, src string, opts source.Options, p *progress, c *counts, each func(*correlate.Event) (bool, error)) error {
	events, err := source.Open(ctx, src, opts)
	if err != nil {
		a.count(ctx, c, err)
		return nil
	}
	for e, err := range events {
		if e == nil || err != nil {
			a.count(ctx, c, err)
			continue
		}
		p.decoded.Add(1)
		denied, err := each(e)
		if stopped(ctx, err) { // the file that was being written is gone
			return nil
		}
		if err != nil {
			return err
		}
		if denied {
			p.denied.Add(1)
		}
	}
	return nil
}

// count counts, and says, what came out of a source in place of an event.
func (a *app) count(ctx context.Context, c *counts, err error) {
	var failed *source.AWSError
	var skip *source.Skip
	var bad *source.BadRecord
	var part *source.PartError
	var notice *source.Notice
	switch {
	case err == nil, stopped(ctx, err): // which read tells
	case errors.As(err, &notice):
		a.note("%v", err)
	case errors.As(err, &skip):
		what, _, _ := strings.Cut(skip.Reason, ",") // digest file, which has no events
		c.leftOut[what] += max(skip.Count, 1)
		if a.verbose {
			a.note("%v", err)
		}
	case errors.As(err, &bad):
		if c.skipped++; a.verbose {
			a.note("%v", err)
		} else if c.skipped <= namedAtOnce {
			a.note("skipped %v", err)
		}
	case errors.As(err, &part):
		c.failed = true
		if c.parts++; a.verbose || c.parts <= namedAtOnce {
			a.report(err)
		}
	default:
		c.unread++
		c.failed = c.failed || errors.As(err, &failed)
		a.report(err)
	}
}

// namedAtOnce is how many problems are named without -v: the usual few, but
// never a screenful.
const namedAtOnce = 3

// partial reports whether there is more than what was read.
func (c *counts) partial() bool { return c.ended != nil || c.parts+c.unread > 0 }

// summary writes what reading saw, if there was anything to read.
func (a *app) summary(c *counts) {
	if c.sources > 0 {
		a.note("%s", c.summary(a.verbose))
	}
}

// summary says what was read, what of it was passed over, and why.
func (c *counts) summary(verbose bool) string {
	var b strings.Builder
	b.WriteString("read " + plural(c.read, "event"))
	switch all := max(c.files, c.totalFiles); {
	case c.bytes == 0:
	case c.ended != nil && c.totalBytes > c.bytes:
		fmt.Fprintf(&b, " in %s of %s (%s of %s)", thousands(c.files), plural(all, "file"), diskSize(c.bytes), diskSize(c.totalBytes))
	case c.files == 0:
		fmt.Fprintf(&b, " (%s)", diskSize(c.bytes))
	default:
		fmt.Fprintf(&b, " in %s (%s)", plural(c.files, "file"), diskSize(c.bytes))
	}
	fmt.Fprintf(&b, ": %s denied, %s other; %s skipped", thousands(c.denied), thousands(c.read-c.denied), thousands(c.skipped))
	if c.skipped > namedAtOnce && !verbose {
		b.WriteString(" (-v names them all)")
	}
	if len(c.leftOut) > 0 {
		reasons := slices.SortedFunc(maps.Keys(c.leftOut), func(a, b string) int {
			return cmp.Or(c.leftOut[b]-c.leftOut[a], strings.Compare(a, b))
		})
		b.WriteString("; left out:")
		for i, reason := range reasons {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, " %s × %s", thousands(c.leftOut[reason]), reason)
		}
	}
	if c.parts > 0 {
		fmt.Fprintf(&b, "; %s not read", count(c.parts, "part"))
		if c.parts > namedAtOnce && !verbose {
			b.WriteString(" (-v names them all)")
		}
	}
	if c.unread > 0 {
		fmt.Fprintf(&b, "; %s not read", count(c.unread, "SOURCE"))
	}
	if c.ended != nil {
		b.WriteString("; this is a part only")
	}
	return b.String()
}

// tellStop says that reading was stopped, and what becomes of the result, which is a list or follows.
func (a *app) tellStop(p printer, c *counts, result string) {
	switch {
	case c.ended == nil:
	case p.file != nil:
		a.report(fmt.Errorf("%w after %s: nothing was written to %s", c.ended, plural(c.read, "event"), p.file.path))
	default: // not a note: -q must not make a part look whole
		a.say(fmt.Sprintf("%v after %s: %s is of these only", c.ended, plural(c.read, "event"), result))
	}
}

// conclude completes the result, or leaves its file as it was; says what was read; and returns the run's outcome.
func (a *app) conclude(p printer, c *counts, s correlate.Summary) error {
	outcome := c.outcome()
	if p.file != nil && outcome != nil && (c.ended != nil || c.read == 0) {
		if c.ended == nil { // else tellStop said so
			a.report(fmt.Errorf("nothing was written to %s", p.file.path))
		}
		a.summary(c)
		return outcome
	}
	s.Partial = c.partial()
	if err := p.finish(s); err != nil {
		return err
	}
	a.summary(c)
	return outcome
}

// outcome is the run's error: that it was stopped, AWS that didn't answer, or input that is missing or all unusable.
func (c *counts) outcome() error {
	switch {
	case c.ended != nil:
		return status(c.ended.status())
	case c.failed:
		return status(statusAWS)
	case c.unread > 0:
		return errReported
	case c.read == 0 && c.skipped > 0:
		return fmt.Errorf("nothing of the input could be used: %s skipped", count(c.skipped, "record"))
	}
	return nil
}
