package render

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source/logtest"
)

// BenchmarkDenial is what a denied call costs from the decoded event to its lines.
func BenchmarkDenial(b *testing.B) {
	var text bytes.Buffer
	if err := logtest.New(1).WriteText(&text, 10_000); err != nil {
		b.Fatal(err)
	}
	var log struct{ Records []json.RawMessage }
	if err := json.Unmarshal(text.Bytes(), &log); err != nil {
		b.Fatal(err)
	}
	var events []*correlate.Event
	for _, record := range log.Records {
		if e, err := correlate.DecodeEvent(record); err == nil && len(correlate.DenialsOf(e, false)) > 0 {
			events = append(events, e)
		}
	}
	for name, format := range map[string]func(io.Writer, Subject, Options) Renderer{"Text": newText, "CSV": newCSV, "JSON": newJSON} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := format(io.Discard, Denials, Options{})
			for i := 0; b.Loop(); i++ {
				for _, d := range correlate.DenialsOf(events[i%len(events)], false) {
					if err := r.Denial(d); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := r.Close(correlate.Summary{}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
