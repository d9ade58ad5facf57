package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// addCommits adds the snapshots that commits of the folder of --snapshot have, and the one in the folder itself. closing
// ends what reads them.
func (a *app) addCommits(ctx context.Context, h *snapshot.History) (closing func(), err error) {
	none := func() {}
	if a.snapshot == "" || a.snapshot == "-" {
		return none, errors.New("git means the commits of the snapshot's folder: give --snapshot, too")
	}
	prefix, err := git(ctx, a.snapshot, "rev-parse", "--show-prefix")
	if err != nil {
		return none, err
	}
	commits, err := git(ctx, a.snapshot, "rev-list", "--reverse", "HEAD", "--", ".")
	if err != nil {
		return none, err
	}
	objects := &gitObjects{ctx: context.WithoutCancel(ctx), dir: a.snapshot} // what was read before Ctrl-C is explained
	for commit := range strings.FieldsSeq(commits) {
		fsys := commitFS{objects, commit, strings.TrimSuffix(prefix, "\n")}
		_, err := fs.Stat(fsys, "snapshot.json")
		if errors.Is(err, fs.ErrNotExist) {
			continue // the folder was something else then
		}
		if err := h.Add("commit "+commit[:min(len(commit), 12)], fsys); err != nil {
			a.note("history: left out: %v", err)
		}
	}
	if err := h.Add(a.snapshot, os.DirFS(a.snapshot)); err != nil {
		a.note("history: left out: %v", err)
	}
	return objects.stop, nil
}

// isWorkTree reports whether dir is the top of the Git work tree that --snapshot lies in.
func (a *app) isWorkTree(ctx context.Context, dir string) bool {
	if a.snapshot == "" {
		return false
	}
	top, err := git(ctx, a.snapshot, "rev-parse", "--show-toplevel")
	if err != nil {
		return false
	}
	there, err := os.Stat(strings.TrimSuffix(top, "\n"))
	here, err2 := os.Stat(dir)
	return err == nil && err2 == nil && os.SameFile(there, here)
}

// gitCommand is a call of git that reads, and runs nothing of the repository's or of the user's: no pager, no monitor of files, no
// fetching of what a partial clone lacks.
func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-pager", "-c", "core.fsmonitor=false", "-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	return cmd
}

// maxGitOutput is how much one answer of git may be: a million commits.
const maxGitOutput = 64 << 20

// git returns what a call of git writes.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("running git, which reads the history: %w", err)
	}
	text, readErr := io.ReadAll(io.LimitReader(out, maxGitOutput+1))
	if len(text) > maxGitOutput {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return "", fmt.Errorf("git %s: more than %d MB", args[0], maxGitOutput>>20)
	}
	if err := errors.Join(readErr, cmd.Wait()); err != nil {
		why := strings.TrimSpace(complaint.String())
		if why == "" {
			why = err.Error()
		}
		return "", fmt.Errorf("git %s in %s: %s", args[0], dir, why)
	}
	return string(text), nil
}

// gitObjects reads objects of a repository by `git cat-file --batch`, which runs as long as it is needed. Objects are as they were
// committed: no filter or attribute has a say. It is not safe for concurrent use.
//
// https://git-scm.com/docs/git-cat-file#_batch_output
type gitObjects struct {
	ctx context.Context
	dir string

	cmd *exec.Cmd // nil if it isn't running
	in  io.WriteCloser
	out *bufio.Reader
}

// A gitObject is a blob or a tree.
type gitObject struct {
	kind   string
	idSize int // bytes of an object's id, of which a tree has one an entry
	data   []byte
}

func (g *gitObjects) start() error {
	if g.cmd != nil {
		return nil
	}
	cmd := gitCommand(g.ctx, g.dir, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.cmd, g.in, g.out = cmd, in, bufio.NewReader(out)
	return nil
}

func (g *gitObjects) stop() {
	if g.cmd == nil {
		return
	}
	_ = g.in.Close() // which ends it
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
	g.cmd = nil
}

// get returns an object by its name, such as COMMIT:path. A git that has ended, as by the Ctrl-C that ended reading, is
// started again.
func (g *gitObjects) get(name string) (*gitObject, error) {
	o, err := g.ask(name)
	var gone *gitGone
	if errors.As(err, &gone) {
		g.stop()
		o, err = g.ask(name)
	}
	return o, err
}

// A gitGone is a git that doesn't answer.
type gitGone struct{ error }

// maxGitObject is how large a file of a snapshot may be, and more than one is.
const maxGitObject = 256 << 20

func (g *gitObjects) ask(name string) (*gitObject, error) {
	if strings.ContainsAny(name, "\n\x00") {
		return nil, fs.ErrNotExist // it can't be asked for
	}
	if err := g.start(); err != nil {
		return nil, fmt.Errorf("running git: %w", err)
	}
	if _, err := io.WriteString(g.in, name+"\n"); err != nil {
		return nil, &gitGone{err}
	}
	head, err := g.out.ReadString('\n')
	if err != nil {
		return nil, &gitGone{err}
	}
	words := strings.Fields(head)
	if len(words) != 3 || strings.HasSuffix(head, " missing\n") {
		return nil, fs.ErrNotExist
	}
	size, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return nil, fs.ErrNotExist // "… is ambiguous", and whatever else isn't an object
	}
	if size > maxGitObject {
		g.stop() // rather than read it all
		return nil, fmt.Errorf("larger than %d MB, which no part of a snapshot is", maxGitObject>>20)
	}
	data := make([]byte, size+1) // and a newline
	if _, err := io.ReadFull(g.out, data); err != nil {
		return nil, &gitGone{err}
	}
	return &gitObject{kind: words[1], idSize: len(words[0]) / 2, data: data[:size]}, nil
}

// A commitFS is a folder of a commit.
type commitFS struct {
	objects *gitObjects
	commit  string
	prefix  string // "" or a path that ends in a slash
}

// Open opens a file or folder of the commit.
func (c commitFS) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	full := strings.TrimSuffix(c.prefix, "/")
	if name != "." {
		full = path.Join(full, name)
	}
	o, err := c.objects.get(c.commit + ":" + full)
	if err != nil {
		return fail(err)
	}
	info := gitInfo{name: path.Base(name), size: int64(len(o.data)), dir: o.kind == "tree"}
	switch o.kind {
	case "blob":
		return &gitFile{info, bytes.NewReader(o.data)}, nil
	case "tree":
		infos, err := treeEntries(o)
		if err != nil {
			return fail(err)
		}
		dir := &gitDir{info: info}
		for _, i := range infos {
			dir.left = append(dir.left, gitEntry{i, c, path.Join(name, i.name)})
		}
		return dir, nil
	}
	return fail(fs.ErrInvalid)
}

// treeEntries reads a tree: of each entry the mode, a blank, the name, a zero and the id.
//
// https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
func treeEntries(o *gitObject) ([]gitInfo, error) {
	var entries []gitInfo
	for data := o.data; len(data) > 0; {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, spaced := strings.Cut(string(head), " ")
		if !ok || !spaced || o.idSize == 0 || len(rest) < o.idSize {
			return nil, errors.New("a tree of git that can't be read")
		}
		entries = append(entries, gitInfo{name: name, dir: mode == "40000"})
		data = rest[o.idSize:]
	}
	return entries, nil
}

// A gitInfo describes a file or folder of a commit.
type gitInfo struct {
	name string
	size int64
	dir  bool
}

func (i gitInfo) Name() string       { return i.name }
func (i gitInfo) Size() int64        { return i.size }
func (i gitInfo) ModTime() time.Time { return time.Time{} }
func (i gitInfo) IsDir() bool        { return i.dir }
func (i gitInfo) Sys() any           { return nil }

func (i gitInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// A gitEntry is an entry of a folder, whose size only the object tells.
type gitEntry struct {
	gitInfo
	fsys commitFS
	path string
}

func (e gitEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e gitEntry) Info() (fs.FileInfo, error) { return fs.Stat(e.fsys, e.path) }

type gitFile struct {
	info gitInfo
	*bytes.Reader
}

func (f *gitFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *gitFile) Close() error               { return nil }

type gitDir struct {
	info gitInfo
	left []fs.DirEntry
}

func (d *gitDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *gitDir) Close() error               { return nil }

func (d *gitDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir returns the next n entries, or all that are left.
func (d *gitDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	out := d.left[:n:n]
	d.left = d.left[n:]
	return out, nil
}
