package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// An interruption is a signal that ended a run before its time.
type interruption struct{ signal os.Signal }

func (i interruption) Error() string {
	if i.signal == os.Interrupt {
		return "stopped by Ctrl-C"
	}
	return fmt.Sprintf("stopped by a signal (%v)", i.signal)
}

// status is the exit status that shells give a command that a signal ended: 128 and its number. Those of
// product.md §4 say how a run went that came to its end, and this one didn't.
func (i interruption) status() int {
	if number, ok := i.signal.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return 128 + int(syscall.SIGINT)
}

// interruptionOf returns what ended ctx; a context that was just cancelled counts as by Ctrl-C.
func interruptionOf(ctx context.Context) interruption {
	var i interruption
	if errors.As(context.Cause(ctx), &i) {
		return i
	}
	return interruption{os.Interrupt}
}

// untilSignal returns a context that ends with the first signal that asks to end the run, so
// that it can print what it knows. The second one ends the process at once.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as under nohup, which means it
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(interruption{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// stopped reports whether err is only that ctx ended.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
