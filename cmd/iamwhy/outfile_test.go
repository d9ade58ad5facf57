package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// listing is what a directory holds, hidden files included.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOutFile is of what is there before, while and after a file is written.
func TestOutFile(t *testing.T) {
	for _, old := range []string{"", "old"} {
		for _, end := range []string{"commit", "give up", "cancel"} {
			t.Run(old+" "+end, func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "r.json")
				if old != "" {
					if err := os.WriteFile(path, []byte(old), 0o640); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				o, err := createOut(ctx, path)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := o.Write([]byte("new")); err != nil {
					t.Fatal(err)
				}
				if got := listing(t, dir); !strings.Contains(got, ".r.json.iamwhy-") || !strings.Contains(got, ".tmp") {
					t.Errorf("while it is written there is %s", got)
				}
				want := old
				switch end {
				case "commit":
					want = "new"
					if err := o.commit(); err != nil {
						t.Error(err)
					}
					o.giveUp(errors.New("too late"))
				case "give up":
					o.giveUp(errors.New("given up"))
				case "cancel":
					cancel(interruption{os.Interrupt})
					// commit is either first, and the file whole, or comes too late: here the latter, once giveUp had its turn.
					o.giveUp(context.Cause(ctx))
					if _, err := o.Write([]byte("more")); !errors.As(err, new(interruption)) {
						t.Errorf("writing after it: got %v, want what ended the context", err)
					}
					if err := o.commit(); !errors.As(err, new(interruption)) {
						t.Errorf("commit after it: got %v, want what ended the context", err)
					}
				}
				switch got := listing(t, dir); {
				case want == "" && got != "":
					t.Errorf("there is %s, want nothing", got)
				case want != "" && got != "r.json":
					t.Errorf("there is %s, want r.json alone", got)
				case want != "" && read(t, path) != want:
					t.Errorf("r.json is %q, want %q", read(t, path), want)
				}
				if old != "" && runtime.GOOS != "windows" {
					if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
						t.Errorf("its permissions are %v, want those it had", info.Mode())
					}
				}
			})
		}
	}
}

func TestOutFileLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if _, err := createOut(t.Context(), link); err == nil || !strings.Contains(err.Error(), "a link that leads nowhere") {
		t.Errorf("a link to nothing: got %v", err)
	}
	if err := os.WriteFile(target, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	o, err := createOut(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := o.commit(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, want a link still", info.Mode())
	}
	if got := read(t, target); got != "new" {
		t.Errorf("its target is %q, want new", got)
	}
}

func TestOutFileErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"nowhere/r.json", "there is no directory"},
		{"file/r.json", "not a directory"},
		{".", "it is a directory; give the name of a file"},
		{"file", "permission denied"},
	} {
		if tt.path == "file" && (os.Geteuid() == 0 || runtime.GOOS == "windows") {
			continue // who may write everything may replace it
		}
		_, err := createOut(t.Context(), filepath.Join(dir, tt.path))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.path, err, tt.want)
		}
	}
	if runtime.GOOS != "windows" {
		if _, err := createOut(t.Context(), os.DevNull); err == nil || !strings.Contains(err.Error(), "redirect the output: > /dev/null") {
			t.Errorf("%s: got %v", os.DevNull, err)
		}
	}
	if got := listing(t, dir); got != "file" {
		t.Errorf("left behind: %s", got)
	}
}
