package source

import (
	"context"
	"errors"
	"testing"

	"github.com/iamwhy/iamwhy/correlate"
)

// A haul is everything that a source gave.
type haul struct {
	events []*correlate.Event
	errs   []error
}

// collect reads a source to its end.
func collect(t testing.TB, src string, opts Options) haul {
	t.Helper()
	seq, err := Open(context.Background(), src, opts)
	if err != nil {
		t.Fatal(err)
	}
	var h haul
	for e, err := range seq {
		switch {
		case (e == nil) == (err == nil):
			t.Fatalf("event %v with error %v: want exactly one of them", e, err)
		case e != nil:
			h.events = append(h.events, e)
		default:
			h.errs = append(h.errs, err)
		}
	}
	return h
}

func (h haul) bad() (out []*BadRecord) {
	for _, err := range h.errs {
		var bad *BadRecord
		if errors.As(err, &bad) {
			out = append(out, bad)
		}
	}
	return out
}

// take is an emit that keeps everything.
func (h *haul) take(e *correlate.Event, err error) error {
	if e != nil {
		h.events = append(h.events, e)
	} else {
		h.errs = append(h.errs, err)
	}
	return nil
}
