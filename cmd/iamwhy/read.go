package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// counts are what reading saw.
type counts struct {
	read    int // events
	denied  int // of them with a denial that is wanted
	skipped int // records that can't be used
	leftOut int // what is no event, such as a digest file
	unread  int // sources that couldn't be opened or read to the end
}

// limits bound what is read of untrusted files.
type limits struct{ record, decompressed size }

func (l *limits) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&l.record, "max-record-size", "skip single records larger than this `SIZE` (default 32MB)")
	flags.Var(&l.decompressed, "max-decompressed-size", "stop a file that decompresses to more than this `SIZE`")
}

// A size is a number of bytes, given as 64MB, 2GB or plain.
type size int64

func (s *size) String() string { return "" }
func (s *size) Type() string   { return "SIZE" }

func (s *size) Set(text string) error {
	number, unit := strings.ToUpper(strings.TrimSpace(text)), int64(1)
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1}} {
		if n, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is not a size: want a number of bytes, or 64MB, 2GB", text)
	}
	*s = size(n * unit)
	return nil
}

// read hands every event of the sources to each, which reports whether it has a
// denial that is wanted. A bad record is counted, and reading goes on; so
// is a source that can't be read, which the run's status tells.
func (a *app) read(ctx context.Context, sources []string, lim limits, each func(*correlate.Event) (bool, error)) (counts, error) {
	var c counts
	if n := len(slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return s != "-" })); n > 1 {
		return c, errors.New("standard input, -, is given twice as a SOURCE")
	}
	progress := a.startProgress(&c)
	defer progress.stop()
	for _, src := range sources {
		events, err := source.Open(ctx, src, source.Options{Stdin: a.in, Progress: &progress.source, MaxRecord: int64(lim.record), MaxDecompress: int64(lim.decompressed)})
		if err != nil {
			progress.stop()
			a.report(err)
			c.unread++
			continue
		}
		for e, err := range events {
			if err := ctx.Err(); err != nil {
				return c, fmt.Errorf("stopped after %s: %w", count(c.read, "event"), err)
			}
			if e == nil || err != nil {
				a.count(&c, err)
				continue
			}
			c.read++
			denied, err := each(e)
			if err != nil {
				return c, err
			}
			if denied {
				c.denied++
			}
			progress.show()
		}
	}
	return c, nil
}

// count counts what came out of a source in place of an event.
func (a *app) count(c *counts, err error) {
	var skip *source.Skip
	var bad *source.BadRecord
	switch {
	case err == nil:
		return
	case errors.As(err, &skip):
		c.leftOut += max(skip.Count, 1)
	case errors.As(err, &bad):
		c.skipped++
	default:
		c.unread++
		a.report(err)
		return
	}
	switch {
	case a.verbose:
		a.note("%v", err)
	case bad != nil && c.skipped <= namedAtOnce:
		a.note("skipped %v", err)
	}
}

// namedAtOnce is how many problems are named without -v: the usual few, but
// never a screenful.
const namedAtOnce = 3

// summary writes what reading saw.
func (a *app) summary(c counts) {
	text := fmt.Sprintf("read %s: %d denied, %d other; %d skipped", count(c.read, "event"), c.denied, c.read-c.denied, c.skipped)
	if c.skipped > namedAtOnce && !a.verbose {
		text += " (-v names them all)"
	}
	if c.leftOut > 0 {
		text += fmt.Sprintf("; %d left out, being no events", c.leftOut)
	}
	a.note("%s", text)
}

// outcome is the run's error: input that is missing, or that is all unusable.
func (c counts) outcome() error {
	switch {
	case c.unread > 0:
		return errReported
	case c.read == 0 && c.skipped > 0:
		return fmt.Errorf("nothing of the input could be used: %s skipped", count(c.skipped, "record"))
	}
	return nil
}
