// Command loggen writes CloudTrail log files to measure readers with: gzipped, of about 1,000 records each, the same for the same seed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/iamwhy/iamwhy/correlate/source/logtest"
)

func main() {
	dir := flag.String("o", "", "the `DIRECTORY` to write to; it is made")
	megabytes := flag.Int64("size", 100, "how many `MB` of decompressed text to write")
	records := flag.Int("records", 1000, "how many records a file has")
	seed := flag.Uint64("seed", 1, "what the files depend on")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 || *records <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	counts, err := generate(*dir, *megabytes<<20, *records, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "loggen: error:", err)
		os.Exit(1)
	}
	fmt.Printf("%d records in %d bytes: %d denials, %d other errors, %d sessions\n", counts.Records, counts.Bytes, counts.Denials, counts.Errors, counts.Sessions)
}

// generate writes files to dir until they hold size bytes of text.
func generate(dir string, size int64, records int, seed uint64) (logtest.Counts, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return logtest.Counts{}, err
	}
	g := logtest.New(seed)
	for g.Counts().Bytes < size {
		if err := writeFile(g, filepath.Join(dir, g.Name()), records); err != nil {
			return logtest.Counts{}, err
		}
	}
	return g.Counts(), nil
}

func writeFile(g *logtest.Generator, path string, records int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := g.WriteFile(w, records); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return f.Close()
}
