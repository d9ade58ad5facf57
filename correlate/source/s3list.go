package source

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// How listing goes on ahead of reading: so many folders beside the one that is being read, each
// until so many of its objects wait to be taken.
const (
	maxLists    = 16
	listBatch   = 250 // objects
	listBatches = 4
)

// searchDepth is how many folders below the given prefix AWSLogs/ is looked for.
// Below that, and in what isn't a trail's, one listing for all is cheaper.
const searchDepth = 4

// A lister finds the objects of a bucket in the order of their keys.
type lister struct {
	*bucket
	group  errgroup.Group // of those that go on ahead
	places chan struct{}  // for them
	skips  map[string]int // folders that hold no events, by reason; written by walk's own caller only
}

func newLister(b *bucket) *lister {
	return &lister{bucket: b, places: make(chan struct{}, maxLists), skips: map[string]int{}}
}

// wait waits for those that went ahead; the context of walk has to be done.
func (l *lister) wait() { _ = l.group.Wait() }

// reasons are those for which something was skipped.
func (l *lister) reasons() []string { return slices.Sorted(maps.Keys(l.skips)) }

// A take is given what listing finds. It returns an error if nothing more is wanted.
type take func(item) error

// A skippedFolder stands in an item for a folder that is left out; walk counts it.
type skippedFolder struct{ reason string }

func (s *skippedFolder) Error() string { return s.reason }

// walk gives out what begins with prefix. Its error is that of out or of ctx; what can't be listed
// becomes an item of its own.
func (l *lister) walk(ctx context.Context, prefix string, out take) error {
	counted := func(it item) error {
		if s, ok := it.problem.(*skippedFolder); ok {
			l.skips[s.reason]++
			return nil
		}
		return out(it)
	}
	return l.folder(ctx, prefix, 0, counted)
}

// folder gives out what lies in a folder that is so deep below the prefix that was asked for, unless it can't be wanted.
func (l *lister) folder(ctx context.Context, prefix string, depth int, out take) error {
	at := layoutOf(prefix)
	if l.span.excludes(at) {
		return nil
	}
	if reason := at.leftOut(); reason != "" {
		return out(item{problem: &skippedFolder{reason}})
	}
	if at.region != "" || at.odd || !at.inLogs && depth > searchDepth {
		return l.flat(ctx, prefix, out)
	}
	return l.pages(ctx, prefix, "/", "", func(page []entry) (bool, error) {
		return true, l.entries(ctx, page, depth, out)
	}, out)
}

// flat gives out all objects below a prefix, by one listing in the order of the keys. That is
// the fewest calls, and fast enough: it gives a thousand objects in the time in which few are read.
func (l *lister) flat(ctx context.Context, prefix string, out take) error {
	oneRegion := layoutOf(prefix).region != ""
	return l.pages(ctx, prefix, "", l.span.startAfter(prefix), func(page []entry) (bool, error) {
		for _, e := range page {
			at := layoutOf(e.key)
			if oneRegion && l.span.isPast(at) {
				return false, nil // and so is all that follows
			}
			if err := l.object(e, at, out); err != nil {
				return false, err
			}
		}
		return true, nil
	}, out)
}

// object gives out an object, if it can be wanted.
func (l *lister) object(e entry, at layout, out take) error {
	switch reason := at.leftOut(); {
	case l.span.excludes(at):
		return nil
	case reason != "":
		return out(item{problem: &skippedFolder{reason}})
	case e.size == 0 && strings.HasSuffix(e.key, "/"):
		return nil // what the console makes for an empty folder
	}
	return out(l.item(e.key, e.size))
}

// entries gives out a page of objects and of what lies in folders, the next
// of which are begun already, as far as there are places.
func (l *lister) entries(ctx context.Context, page []entry, depth int, out take) error {
	begun := map[int]chan []item{}
	next := 0
	for i, e := range page {
		if !e.folder {
			if err := l.object(e, layoutOf(e.key), out); err != nil {
				return err
			}
			continue
		}
		for next = max(next, i+1); next < len(page); next++ {
			if !page[next].folder {
				continue
			}
			stream := l.begin(ctx, page[next].key, depth+1)
			if stream == nil {
				break
			}
			begun[next] = stream
		}
		stream, ok := begun[i]
		if !ok {
			if err := l.folder(ctx, e.key, depth+1, out); err != nil {
				return err
			}
			continue
		}
		delete(begun, i)
		for batch := range stream {
			for _, it := range batch {
				if err := out(it); err != nil {
					return err
				}
			}
		}
		if err := ctx.Err(); err != nil {
			return err // the stream may have ended for it
		}
	}
	return nil
}

// begin lists a folder in a goroutine of its own, if there is a place for one; else it returns nil.
func (l *lister) begin(ctx context.Context, prefix string, depth int) chan []item {
	select {
	case l.places <- struct{}{}:
	default:
		return nil
	}
	stream := make(chan []item, listBatches)
	l.group.Go(func() error {
		defer func() { <-l.places }()
		defer close(stream)
		var batch []item
		flush := func() error {
			select {
			case stream <- batch:
				batch = nil
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err := l.folder(ctx, prefix, depth, func(it item) error {
			if batch = append(batch, it); len(batch) < listBatch {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		return flush()
	})
	return stream
}

// An entry is a line of a listing.
type entry struct {
	key    string
	size   int64
	folder bool
}

// pages gives each page of a listing, in the order of the keys, as long as it
// returns true. A page that can't be had ends the listing with an item that says so.
func (l *lister) pages(ctx context.Context, prefix, delimiter, after string, each func([]entry) (bool, error), out take) error {
	in := &s3.ListObjectsV2Input{Bucket: &l.name, Prefix: &prefix, RequestPayer: l.pays}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	if after != "" {
		in.StartAfter = &after
	}
	paginator := s3.NewListObjectsV2Paginator(l.api, in)
	for paginator.HasMorePages() {
		answer, err := paginator.NextPage(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			part := "s3://" + l.name + "/" + prefix
			return out(item{path: part, problem: &PartError{Part: part, Err: l.listFailure(ctx, err)}})
		}
		page := make([]entry, 0, len(answer.Contents)+len(answer.CommonPrefixes))
		for _, o := range answer.Contents {
			page = append(page, entry{key: aws.ToString(o.Key), size: aws.ToInt64(o.Size)})
		}
		for _, p := range answer.CommonPrefixes {
			page = append(page, entry{key: aws.ToString(p.Prefix), folder: true})
		}
		slices.SortFunc(page, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
		if more, err := each(page); err != nil || !more {
			return err
		}
	}
	return nil
}
