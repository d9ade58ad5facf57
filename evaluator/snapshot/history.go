package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A History is snapshots of different times. Each is loaded when it is asked for, and few are held at once: who
// asks in the order of time has each loaded once. It may be shared by all goroutines.
type History struct {
	// Loaded, if not nil, is told of each snapshot that was loaded, so that its problems can be said.
	Loaded func(name string, s *Snapshot)

	versions []version // oldest first
	mu       sync.Mutex
	held     []held // the one that was asked for last at the end
}

// A version is one snapshot of a history.
type version struct {
	name        string
	fsys        fs.FS
	collectedAt time.Time
}

// A held is a version that is loaded.
type held struct {
	index    int
	snapshot *Snapshot
}

// maxHeld is how many snapshots are held: the two around a time, and one for who asks out of order.
const maxHeld = 3

// Add adds the snapshot in a folder, which is read only as far as to tell its time. name is for errors. The error is
// for what isn't a snapshot, or doesn't say when it was collected. Of several of the same time, the one that was added
// last counts. All are added before the first is asked for.
func (h *History) Add(name string, fsys fs.FS) error {
	at, err := collectedAt(fsys)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	v := version{name, fsys, at}
	i := h.Era(at)
	h.versions = slices.Insert(h.versions, i, v)
	return nil
}

// collectedAt reads when a snapshot was collected.
func collectedAt(fsys fs.FS) (time.Time, error) {
	l := newLoader(fsys)
	if err := l.isSnapshot(); err != nil {
		return time.Time{}, err
	}
	if err := l.loadMetadata(); err != nil {
		return time.Time{}, err
	}
	if l.collectedAt.IsZero() {
		return time.Time{}, errors.New("when it was collected isn't known: want collectedAt in its snapshot.json")
	}
	return l.collectedAt, nil
}

// Len is how many snapshots there are.
func (h *History) Len() int { return len(h.versions) }

// Era returns how many snapshots were collected at or before a time: between two of them lies an era. The zero time
// is in the last one.
func (h *History) Era(t time.Time) int {
	if t.IsZero() {
		return len(h.versions)
	}
	return sort.Search(len(h.versions), func(i int) bool { return h.versions[i].collectedAt.After(t) })
}

// Around returns the snapshot that an era begins with and the one that ends it; nil where there is none.
func (h *History) Around(era int) (before, after *Snapshot, err error) {
	if era > 0 && era <= len(h.versions) {
		if before, err = h.load(era - 1); err != nil {
			return nil, nil, err
		}
	}
	if era >= 0 && era < len(h.versions) {
		if after, err = h.load(era); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

// load returns a snapshot, which is held for a while.
func (h *History) load(index int) (*Snapshot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.IndexFunc(h.held, func(x held) bool { return x.index == index }); i >= 0 {
		x := h.held[i]
		h.held = append(slices.Delete(h.held, i, i+1), x)
		return x.snapshot, nil
	}
	v := &h.versions[index]
	s, err := Load(v.fsys)
	if err != nil {
		return nil, fmt.Errorf("reading snapshot %s: %w", v.name, err)
	}
	if len(h.held) == maxHeld {
		h.held = slices.Delete(h.held, 0, 1)
	}
	h.held = append(h.held, held{index, s})
	if h.Loaded != nil {
		h.Loaded(v.name, s)
	}
	return s, nil
}

// inForce returns the newest snapshot that was collected at or before a time or, if none was, the oldest.
func (h *History) inForce(t time.Time) (*Snapshot, error) {
	before, after, err := h.Around(h.Era(t))
	switch {
	case err != nil:
		return nil, err
	case before == nil && after == nil:
		return nil, errors.New("the history has no snapshot")
	}
	return cmp.Or(before, after), nil
}

// timeOf is when a request is made, as its context says; zero if that isn't known.
func timeOf(req *evaluator.Request) time.Time {
	v := req.Context.Lookup("aws:CurrentTime")
	if v.State != evaluator.Present || len(v.Values) != 1 {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v.Values[0])
	if err != nil {
		return time.Time{}
	}
	return t
}

// Policies returns the policies that concern a request as the newest snapshot from before its
// time (aws:CurrentTime) has them or, if none is as old, the oldest; without a time, as the newest has them.
func (h *History) Policies(ctx context.Context, req evaluator.Request) (evaluator.Policies, error) {
	s, err := h.inForce(timeOf(&req))
	if err != nil {
		return evaluator.Policies{}, err
	}
	return s.Policies(ctx, req)
}

// Complete adds what the snapshot that Policies would ask knows of a request.
func (h *History) Complete(req *evaluator.Request) {
	if s, err := h.inForce(timeOf(req)); err == nil { // Policies returns the error
		s.Complete(req)
	}
}

// ManagedPolicy returns a managed policy as the newest snapshot has it: there is no request that would
// tell a time. Who knows one asks the snapshot of Around.
func (h *History) ManagedPolicy(account, arn string) (evaluator.Policy, bool) {
	s, err := h.inForce(time.Time{})
	if err != nil {
		return evaluator.Policy{}, false
	}
	return s.ManagedPolicy(account, arn)
}
