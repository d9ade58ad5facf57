package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/iamwhy/iamwhy/correlate/source"
)

// A progress shows on a terminal how far reading is, once it lasts over a second.
type progress struct {
	source source.Progress
	counts *counts
	bar    *progressbar.ProgressBar // nil where nobody looks
	app    *app
	start  time.Time
	events int
}

func (a *app) startProgress(c *counts) *progress {
	return &progress{counts: c, app: a, start: time.Now()}
}

// every is how many events pass between two looks at the clock.
const every = 256

// show brings the bar up to date.
func (p *progress) show() {
	if p.events++; p.events%every != 0 || p.app.quiet || !isTerminal(p.app.err) {
		return
	}
	if p.bar == nil {
		if time.Since(p.start) < time.Second {
			return
		}
		total := p.source.TotalBytes.Load()
		if total <= 0 {
			total = -1 // standard input has no end that is known
		}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.app.err), progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20),
			progressbar.OptionUseANSICodes(true))
	}
	p.bar.ChangeMax64(max(p.source.TotalBytes.Load(), -1))
	p.bar.Describe(fmt.Sprintf("%d events, %d denials", p.counts.read, p.counts.denied))
	_ = p.bar.Set64(p.source.CompressedBytes.Load())
}

// stop takes the bar away.
func (p *progress) stop() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
