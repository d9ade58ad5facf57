package apicall

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"
)

// sharedFile opens a file of published data, or of the specification, which isn't part of the repository.
func sharedFile(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("IAMWHY_SHARED")
	if dir == "" {
		t.Skip("IAMWHY_SHARED isn't set: no data to compare with")
	}
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// sharedLines reads such a file line by line.
func sharedLines(t *testing.T, name string) *bufio.Scanner {
	t.Helper()
	lines := bufio.NewScanner(sharedFile(t, name))
	lines.Buffer(nil, 16<<20)
	return lines
}
