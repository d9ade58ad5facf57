package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
)

func TestProgressLine(t *testing.T) {
	files := moment{bytes: 1_220_000_000, total: 2_000_000_000, events: 1_234_567, denied: 24_690, elapsed: 2 * time.Second}
	tests := []struct {
		name    string
		m       moment
		columns int
		want    string
	}{
		{"files", files, 99, "61%, 1.2 GB of 2.0 GB, 610 MB/s, 1 s left, 1,234,567 events, 24,690 denials"},
		{"files, 80 columns", files, 79, "61%, 1.2 GB of 2.0 GB, 610 MB/s, 1 s left, 1,234,567 events, 24,690 denials"},
		{"files, 40 columns", files, 39, "61%, 1,234,567 events, 24,690 denials"},
		{"files, 20 columns", files, 19, "24,690 denials"},
		{"files, 8 columns", files, 8, "24,690 d"},
		{"standard input", moment{bytes: 999_600, events: 1, denied: 1, elapsed: 75 * time.Second}, 79, "1.0 MB, 13 kB/s, 1:15 min, 1 event, 1 denial"},
		{"files and standard input", moment{bytes: 5000, total: 4000, elapsed: time.Second}, 79, "5.0 kB, 5.0 kB/s, 1 s, 0 events, 0 denials"},
		{"a source that waits", moment{stage: "athena: RUNNING, 12 GB scanned", elapsed: 2*time.Hour + 5*time.Minute}, 79,
			"athena: RUNNING, 12 GB scanned, 2:05 h, 0 events, 0 denials"},
		{"no escapes of a stage's", moment{stage: "x\x1b[2J\ny", elapsed: 2 * time.Second}, 79, `x\x1b[2J\ny, 2 s, 0 events, 0 denials`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.m.line(tt.columns)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if lipgloss.Width(got) > tt.columns {
				t.Errorf("%q is wider than %d columns", got, tt.columns)
			}
		})
	}
}

func TestDiskSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 1 << 62: "4.6 EB"} {
		if got := diskSize(n); got != want {
			t.Errorf("diskSize(%d): got %s, want %s", n, got, want)
		}
	}
}

// TestProgressEvents is of sources that count what they pass over, and of those that don't.
func TestProgressEvents(t *testing.T) {
	p := new(progress)
	p.decoded.Add(2)
	p.source.Events.Add(10) // of which 2 came out
	p.next()
	p.decoded.Add(3)
	if got := p.events(); got != 13 {
		t.Errorf("a source that counts and one that doesn't: got %d events, want 13", got)
	}
	p.next()
	p.source.Events.Add(5)
	if got := p.events(); got != 18 {
		t.Errorf("and one that passes over all: got %d events, want 18", got)
	}
}

// TestStatusLine holds what is written to lines of their own, whoever writes.
func TestStatusLine(t *testing.T) {
	var l statusLine
	var screen bytes.Buffer
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for range 50 {
				l.show(&screen, "progress")
				l.aside(&screen, func() { fmt.Fprintf(&screen, "line %d\n", i) })
			}
		})
	}
	writers.Wait()
	text := strings.ReplaceAll(screen.String(), clearLine+"progress", "")
	for line := range strings.Lines(strings.ReplaceAll(text, clearLine, "")) {
		if !strings.HasPrefix(line, "line ") {
			t.Fatalf("progress and a line are mixed: %q", line)
		}
	}
	if strings.Contains(screen.String(), "progressline") {
		t.Error("a line follows the progress that wasn't taken away")
	}
}
