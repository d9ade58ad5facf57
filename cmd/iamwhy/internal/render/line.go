package render

import (
	"io"
	"strings"

	"charm.land/lipgloss/v2"
)

// A style says what a piece of text is, so that colour can help; it never says anything alone.
type style int8

const (
	plain style = iota
	strong
	good
	bad
	doubtful
	faint
)

// styles are how a terminal shows each style.
var styles = map[style]lipgloss.Style{
	strong:   lipgloss.NewStyle().Bold(true),
	good:     lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Green),
	bad:      lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red),
	doubtful: lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Yellow),
	faint:    lipgloss.NewStyle().Faint(true),
}

// A span is text of one style.
type span struct {
	text  string
	style style
}

// A page writes lines. What comes from data passes line, verbatim or a row of
// the table, each of which cleans it.
type page struct {
	w    io.Writer
	opts Options
	base int   // blanks before every line
	err  error // the first; what comes after it is dropped
}

// A word is what no line break may part: spans without a blank between them.
type word struct {
	spans []span
	gap   int // blanks before it
}

// line writes spans, indented, breaking the line between words where the terminal ends.
func (p *page) line(indent int, spans ...span) {
	indent += p.base
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", indent))
	column := indent
	for i, w := range words(spans) {
		width := 0
		for _, s := range w.spans {
			width += lipgloss.Width(s.text)
		}
		switch {
		case i > 0 && p.opts.Width > 0 && column+w.gap+width > p.opts.Width:
			b.WriteString("\n" + strings.Repeat(" ", indent+2))
			column = indent + 2
		default:
			b.WriteString(strings.Repeat(" ", w.gap))
			column += w.gap
		}
		for _, s := range w.spans {
			b.WriteString(p.paint(s))
		}
		column += width
	}
	p.write(b.String() + "\n")
}

// head writes the first line of an answer: its parts side by side, or where the
// terminal is too narrow each on a line of its own.
func (p *page) head(number string, parts ...span) {
	line := []span{{number, plain}}
	width := len(number)
	for i, part := range parts {
		if i > 0 {
			line = append(line, span{"   ", plain})
			width += 3
		}
		line = append(line, part)
		width += lipgloss.Width(Clean(part.text))
	}
	if p.opts.Width == 0 || width <= p.opts.Width {
		p.line(0, line...)
		return
	}
	p.line(0, line[:2]...)
	for _, part := range parts[1:] {
		p.line(body, part)
	}
}

// body is how far the lines under the first are indented.
const body = 3

// words takes cleaned spans apart at their blanks.
func words(spans []span) []word {
	var list []word
	current := word{}
	flush := func() {
		if len(current.spans) > 0 {
			list = append(list, current)
			current = word{}
		}
	}
	for _, s := range spans {
		for i, part := range strings.Split(Clean(s.text), " ") {
			if i > 0 {
				flush()
				current.gap++
			}
			if part != "" {
				current.spans = append(current.spans, span{part, s.style})
			}
		}
	}
	flush()
	return list
}

// verbatim writes lines as they are, such as JSON: no line is broken.
func (p *page) verbatim(indent int, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.write(strings.Repeat(" ", p.base+indent) + Clean(line) + "\n")
	}
}

func (p *page) blank() { p.write("\n") }

func (p *page) paint(s span) string {
	if look, ok := styles[s.style]; ok && p.opts.Color {
		return look.Render(s.text)
	}
	return s.text
}

func (p *page) write(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}
