package source

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/correlate"
)

// wrappings are ways to write records down that lose nothing.
var wrappings = map[string]func([]string) string{
	"log file": func(r []string) string { return `{"Records":[` + strings.Join(r, ",") + `]}` },
	"indented": func(r []string) string { return pretty(`{"Records":[` + strings.Join(r, ",") + `]}`) },
	"array":    func(r []string) string { return "[\n" + strings.Join(r, ",\n") + "\n]" },
	"lines":    func(r []string) string { return strings.Join(r, "\n") + "\n" },
	"run on":   func(r []string) string { return strings.Join(r, "") },
	"lookup": func(r []string) string {
		items := make([]string, len(r))
		for i, record := range r {
			items[i] = `{"CloudTrailEvent":` + quoted(record) + `}`
		}
		return `{"Events":[` + strings.Join(items, ",") + `]}`
	},
	"log events": func(r []string) string {
		items := make([]string, len(r))
		for i, record := range r {
			items[i] = `{"timestamp":1,"message":` + quoted(record) + `}`
		}
		return `{"logEvents":[` + strings.Join(items, ",") + `]}`
	},
	"EventBridge": func(r []string) string {
		var b strings.Builder
		for _, record := range r {
			b.WriteString(`{"version":"0","detail":` + record + "}\n")
		}
		return b.String()
	},
}

// drawRecord makes a record with awkward text in it.
func drawRecord(t *rapid.T, id int) string {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[{}\[\]",:\\\n \t]{0,20}`))
	record := map[string]any{
		"eventID":           fmt.Sprint(id),
		"eventName":         "GetObject",
		"eventSource":       "s3.amazonaws.com",
		"errorMessage":      text.Draw(t, "errorMessage"),
		"requestParameters": map[string]any{text.Draw(t, "name"): []any{text.Draw(t, "value"), map[string]any{}, nil, 1.5}},
	}
	b, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAnySplit: however records are split into files, wrapped and compressed, the same
// events come out, in the same order.
func TestAnySplit(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := filepath.Join(root, fmt.Sprint(runs))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 30).Draw(t, "records")
		var records []string
		var want []*correlate.Event
		for i := range n {
			record := drawRecord(t, i)
			e, err := correlate.DecodeEvent([]byte(record))
			if err != nil {
				t.Fatal(err)
			}
			records, want = append(records, record), append(want, e)
		}
		kinds := []string{"log file", "indented", "array", "lines", "run on", "lookup", "log events", "EventBridge"}
		for file := 0; len(records) > 0; file++ {
			size := rapid.IntRange(1, len(records)).Draw(t, "size")
			content := wrappings[rapid.SampledFrom(kinds).Draw(t, "wrapping")](records[:size])
			records = records[size:]
			for range rapid.IntRange(0, 2).Draw(t, "gzip") {
				content = gzipped(content)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d", file)), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		seq, err := Open(t.Context(), dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []*correlate.Event
		for e, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		plainJSON := cmp.Transformer("json", func(raw json.RawMessage) (v any) {
			if json.Unmarshal(raw, &v) != nil { // indented or not
				return string(raw)
			}
			return v
		})
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(correlate.Event{}, "Origin"), plainJSON); diff != "" {
			t.Fatalf("events (-want +got):\n%s", diff)
		}
	})
}

// FuzzRead: whatever the bytes are, reading ends, says something about any that aren't blank, holds to
// its limit, and gives the same however the bytes arrive.
func FuzzRead(f *testing.F) {
	for _, form := range forms {
		f.Add([]byte(form.content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		opts := Options{MaxRecord: 1 << 12, MaxDecompress: 1 << 20}
		var got haul
		opts.Stdin = strings.NewReader(string(content))
		got = collect(t, "-", opts)
		if len(got.events)+len(got.errs) == 0 {
			t.Errorf("%q: neither an event nor a complaint", content)
		}
		for _, err := range got.errs {
			if strings.ContainsAny(err.Error(), "\x00\x1b\x07\n") {
				t.Errorf("complaint with control characters: %q", err)
			}
		}
		var slow haul
		rest := string(content)
		opts.Stdin = readerFunc(func(p []byte) (int, error) {
			n := copy(p[:min(len(p), 7)], rest)
			rest = rest[n:]
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		})
		slow = collect(t, "-", opts)
		if diff := cmp.Diff(got.events, slow.events); diff != "" {
			t.Errorf("%q: all at once and bit by bit differ:\n%s", content, diff)
		}
		if diff := cmp.Diff(texts(got.errs), texts(slow.errs)); diff != "" {
			t.Errorf("%q: all at once and bit by bit differ:\n%s", content, diff)
		}
	})
}

func texts(errs []error) (out []string) {
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}
