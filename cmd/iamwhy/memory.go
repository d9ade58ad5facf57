package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Under smallMemory the process, with its own code, takes less than 100 MB. That leaves room for largestSmall of what is
// held, at little cost in time.
const (
	smallMemory  = 72 << 20
	largestSmall = 52 << 20
)

// staySmall has garbage collected as often as it takes to stay under 100 MB of memory, for as long as what is held is small
// enough for that. Then time counts more, and memory may be twice of what is held, as usual. Whoever sets GOGC or
// GOMEMLIMIT decides otherwise.
func staySmall() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(smallMemory)
	var look func(int)
	look = func(int) { // after each collection
		held := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		if metrics.Read(held); held[0].Value.Uint64() > largestSmall {
			debug.SetMemoryLimit(math.MaxInt64)
			return
		}
		runtime.AddCleanup(new([64]byte), look, 0)
	}
	look(0)
}
