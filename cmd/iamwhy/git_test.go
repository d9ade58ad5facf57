package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// repository makes a repository of files, and returns its folder and what runs git in it.
func repository(t *testing.T, files map[string]string) (dir string, run func(args ...string) string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git, whose commits are a history of snapshots")
	}
	dir = t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	run = func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q")
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("add", ".")
	run("commit", "-q", "-m", "x")
	return dir, run
}

// TestCommitFS: a folder of a commit is a file system like any other.
func TestCommitFS(t *testing.T) {
	dir, run := repository(t, map[string]string{"s/a.json": "{}\n", "s/a/b.json": "[]", "s/a/c/d.json": "", "s/a-b/e.json": "1", "other": "x"})
	commit := run("rev-parse", "HEAD")
	objects := &gitObjects{ctx: context.Background(), dir: dir}
	defer objects.stop()
	folder := commitFS{objects, commit, "s/"}
	if err := fstest.TestFS(folder, "a.json", "a/b.json", "a/c/d.json", "a-b/e.json"); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(commitFS{objects, commit, ""}, "s/a.json", "other"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"other", "../other", "a.json/x", "x\ny", "/a.json", "HEAD"} {
		if _, err := folder.Open(name); err == nil {
			t.Errorf("%q: opened", name)
		}
	}
	if text, err := fs.ReadFile(folder, "a.json"); err != nil || string(text) != "{}\n" {
		t.Errorf("a.json: %q, %v; after what isn't there, reading goes on", text, err)
	}
}

// TestGitStartsAgain: Ctrl-C ends git, too, and what was read by then is explained all the same.
func TestGitStartsAgain(t *testing.T) {
	dir, run := repository(t, map[string]string{"a.json": "{}"})
	objects := &gitObjects{ctx: context.Background(), dir: dir}
	defer objects.stop()
	folder := commitFS{objects, run("rev-parse", "HEAD"), ""}
	for range 2 {
		if text, err := fs.ReadFile(folder, "a.json"); err != nil || string(text) != "{}" {
			t.Fatalf("a.json: %q, %v", text, err)
		}
		if err := objects.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = objects.cmd.Wait()
	}
}

// TestTreeEntries: what isn't a tree of git's is an error.
func TestTreeEntries(t *testing.T) {
	id := strings.Repeat("\x01", 20)
	for _, tt := range []struct {
		name, data string
		size       int
		ok         bool
	}{
		{"none", "", 20, true},
		{"a file and a folder", "100644 a\x00" + id + "40000 b\x00" + id, 20, true},
		{"SHA-256", "100644 a\x00" + strings.Repeat("\x01", 32), 32, true},
		{"an id that is cut", "100644 a\x00" + id[1:], 20, false},
		{"no name", "100644\x00" + id, 20, false},
		{"no end", "100644 a", 20, false},
		{"ids of no size", "100644 a\x00", 0, false},
	} {
		if _, err := treeEntries(&gitObject{kind: "tree", idSize: tt.size, data: []byte(tt.data)}); (err == nil) != tt.ok {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

// FuzzTreeEntries: whatever is read as a tree, its entries are all of it.
func FuzzTreeEntries(f *testing.F) {
	f.Add([]byte("100644 a\x00"+strings.Repeat("\x01", 20)), 20)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		infos, err := treeEntries(&gitObject{kind: "tree", idSize: max(size, 0), data: data})
		if err != nil {
			return
		}
		least := 0
		for _, i := range infos {
			least += len(i.name) + len(" \x00") + size
		}
		if least > len(data) {
			t.Errorf("%d entries of %d bytes at least, in %d", len(infos), least, len(data))
		}
	})
}
