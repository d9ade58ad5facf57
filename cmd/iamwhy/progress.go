package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// A statusLine is a terminal's last line while it shows progress. Whatever else is
// written takes it away first. Its methods may be called by several goroutines.
type statusLine struct {
	mu    sync.Mutex
	shown bool
}

// The cursor goes to the beginning of the line, which is emptied.
const clearLine = "\r\x1b[K"

func (l *statusLine) show(w io.Writer, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = true
	_, _ = io.WriteString(w, clearLine+text)
}

// aside takes the line away while something else is written.
func (l *statusLine) aside(w io.Writer, write func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown {
		_, _ = io.WriteString(w, clearLine)
		l.shown = false
	}
	write()
}

// A progress counts what is read, and shows it on a terminal while that lasts over a second: sources
// count in source, the rest is the command's. It moves while nothing comes, too.
type progress struct {
	source  source.Progress
	before  atomic.Int64 // events of the sources before this one
	decoded atomic.Int64 // events that came out of this one
	denied  atomic.Int64 // events with a denial that is wanted
}

// events is how many events were seen. Some sources count what they pass over, others only give events.
func (p *progress) events() int64 {
	return max(p.source.Events.Load(), p.before.Load()+p.decoded.Load())
}

// next says that a source was read, as far as it could be.
func (p *progress) next() {
	p.before.Store(p.events())
	p.source.Events.Store(p.before.Load())
	p.decoded.Store(0)
	p.source.Stage.Store(nil)
}

const (
	patience = time.Second            // before progress shows
	refresh  = 200 * time.Millisecond // between two looks
)

// show shows on a terminal how far a run is, once it lasts over a second, until the function it returns is called, which takes it
// away. Where nobody looks it shows nothing. text is a line of so many columns at most.
func (a *app) show(text func(since time.Duration, columns int) string) (stop func()) {
	if a.quiet || !isTerminal(a.err) {
		return func() {}
	}
	start, done := time.Now(), make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		tick := time.NewTicker(refresh)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if since := time.Since(start); since >= patience {
					a.line.show(a.err, text(since, cmp.Or(columns(a.err), 80)-1)) // in the last column some terminals begin a new line
				}
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		showing.Wait()
		a.line.aside(a.err, func() {})
	})
}

// A moment is what a progress has come to.
type moment struct {
	bytes, total   int64 // on disk; a total of 0 isn't known
	events, denied int64
	elapsed        time.Duration
	stage          string // what a source waits for
}

func (p *progress) now(elapsed time.Duration) moment {
	m := moment{
		bytes: p.source.CompressedBytes.Load(), total: p.source.TotalBytes.Load(),
		events: p.events(), denied: p.denied.Load(), elapsed: elapsed,
	}
	if stage := p.source.Stage.Load(); stage != nil {
		m.stage = *stage
	}
	return m
}

// line is a moment in at most so many columns. Where they don't suffice, what matters least is left out first.
func (m moment) line(columns int) string {
	type part struct {
		text   string
		matter int
	}
	var parts []part
	add := func(matter int, format string, args ...any) {
		parts = append(parts, part{fmt.Sprintf(format, args...), matter})
	}
	if m.stage != "" {
		add(5, "%s", render.Clean(m.stage))
	}
	rate := float64(m.bytes) / max(m.elapsed.Seconds(), 0.001)
	switch ends := m.total > 0 && m.bytes <= m.total; {
	case m.bytes == 0:
		add(3, "%s", short(m.elapsed))
	case ends:
		add(4, "%d%%", m.bytes*100/m.total)
		add(2, "%s of %s", diskSize(m.bytes), diskSize(m.total))
		add(0, "%s/s", diskSize(int64(rate)))
		add(3, "%s left", short(time.Duration(float64(m.total-m.bytes)/rate*float64(time.Second))))
	default:
		add(2, "%s", diskSize(m.bytes))
		add(0, "%s/s", diskSize(int64(rate)))
		add(1, "%s", short(m.elapsed))
	}
	add(4, "%s", plural(m.events, "event"))
	add(6, "%s", plural(m.denied, "denial"))
	for {
		texts, least := make([]string, len(parts)), 0
		for i, p := range parts {
			texts[i] = p.text
			if p.matter < parts[least].matter {
				least = i
			}
		}
		text := strings.Join(texts, ", ")
		if lipgloss.Width(text) <= columns || len(parts) == 1 {
			return lipgloss.NewStyle().MaxWidth(max(columns, 1)).Render(text)
		}
		parts = append(parts[:least], parts[least+1:]...)
	}
}

// diskSize is a size in the units of disks: 1 MB is a million bytes.
func diskSize(n int64) string {
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	if n < 1000 {
		return plural(n, "byte")
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 999.5 && unit < len(units)-1; unit++ {
		f /= 1000
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %s", f, units[unit])
	}
	return fmt.Sprintf("%.0f %s", f, units[unit])
}

// short is a time that one waits, as people say it.
func short(d time.Duration) string {
	switch s := int(d.Round(time.Second).Seconds()); {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d:%02d min", s/60, s%60)
	default:
		return fmt.Sprintf("%d:%02d h", s/3600, s/60%60)
	}
}

// plural is a number and its noun, thousands set apart: 1,234,567 events.
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

func thousands[N int | int64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
