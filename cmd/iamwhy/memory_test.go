package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestStaySmall: the bound holds as long as little is held, not if the user set another, and no more once much is.
func TestStaySmall(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	limit := func() int64 { return debug.SetMemoryLimit(-1) }

	t.Run("GOGC", func(t *testing.T) {
		t.Setenv("GOGC", "50")
		if staySmall(); limit() != math.MaxInt64 {
			t.Errorf("with GOGC the limit is %d", limit())
		}
	})
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	runtime.GC()
	if staySmall(); limit() != smallMemory {
		t.Fatalf("the limit is %d", limit())
	}
	held := make([]byte, largestSmall+1)
	for i := 0; limit() != math.MaxInt64; i++ { // what is done after a collection is done some time after it
		if i == 100_000 {
			t.Fatalf("with %d bytes held the limit is still %d", len(held), limit())
		}
		runtime.GC()
		runtime.Gosched()
	}
	runtime.KeepAlive(held)
}
