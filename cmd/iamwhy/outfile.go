package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// An outFile is a file that appears whole or not at all. Until commit, what is written goes to a hidden
// file beside it, named .NAME.iamwhy-….tmp, so that whoever looks sees the old file or the new one, never a part. If
// the process is killed, the hidden file is all that is left; if its context ends, nothing.
type outFile struct {
	path string // links resolved

	mu      sync.Mutex
	temp    *os.File // nil once the file is in place, or given up
	err     error    // why it was given up
	unwatch func() bool
}

// errGivenUp is why there is no file when the run had an error, which is reported by itself.
var errGivenUp = errors.New("given up")

// createOut begins to write the file at path. What can be wrong with path is said now: the run may take long.
func createOut(ctx context.Context, path string) (*outFile, error) {
	target, mode, err := outTarget(path)
	if err != nil {
		return nil, err
	}
	dir, name := filepath.Split(target)
	temp, err := os.OpenFile(filepath.Join(dir, "."+name+".iamwhy-"+rand.Text()[:8]+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--out %s: a file can't be made in its directory: %w", path, bare(err))
	}
	o := &outFile{path: target, temp: temp}
	if mode != 0 {
		if err := temp.Chmod(mode); err != nil {
			o.giveUp(err)
			return nil, fmt.Errorf("--out %s: %w", path, bare(err))
		}
	}
	o.unwatch = context.AfterFunc(ctx, func() { o.giveUp(context.Cause(ctx)) })
	return o, nil
}

// outTarget returns the file that path stands for, which a link may name, and the permissions
// of the one that is there; 0 if there is none.
func outTarget(path string) (string, fs.FileMode, error) {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return "", 0, fmt.Errorf("--out %s: it is a link that leads nowhere: %w", path, bare(err))
		}
		path = target
		info, err = os.Stat(path)
		if err != nil {
			return "", 0, fmt.Errorf("--out %s: %w", path, bare(err))
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		dir := filepath.Dir(path)
		switch info, err := os.Stat(dir); {
		case err != nil:
			return "", 0, fmt.Errorf("--out %s: there is no directory %s; make it first", path, dir)
		case !info.IsDir():
			return "", 0, fmt.Errorf("--out %s: %s is not a directory", path, dir)
		case filepath.Base(path) == "." || os.IsPathSeparator(path[len(path)-1]):
			return "", 0, fmt.Errorf("--out %s: give the name of a file", path)
		}
		return path, 0, nil
	case err != nil:
		return "", 0, fmt.Errorf("--out %s: %w", path, bare(err))
	case info.IsDir():
		return "", 0, fmt.Errorf("--out %s: it is a directory; give the name of a file", path)
	case !info.Mode().IsRegular():
		return "", 0, fmt.Errorf("--out %s: it is not a regular file, which alone can be replaced as a whole; redirect the output: > %s", path, path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0) // a file that is write-protected isn't replaced behind its owner's back
	if err != nil {
		return "", 0, fmt.Errorf("--out %s: %w", path, bare(err))
	}
	return path, info.Mode().Perm(), f.Close()
}

// bare is an error of the file system without its path, which stands before it already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (o *outFile) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.temp == nil {
		return 0, o.err
	}
	return o.temp.Write(p)
}

// commit puts the file in its place. An error says that the file there is as it was.
func (o *outFile) commit() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.temp == nil {
		return o.err
	}
	o.unwatch()
	name := o.temp.Name()
	err := o.temp.Sync()
	err = errors.Join(err, o.temp.Close())
	o.temp = nil
	if err == nil {
		err = os.Rename(name, o.path)
	}
	if err != nil {
		o.err = fmt.Errorf("writing %s: %w", o.path, err)
		_ = os.Remove(name)
		return o.err
	}
	if dir, err := os.Open(filepath.Dir(o.path)); err == nil { // the name outlives a power cut, too, where the system can promise it
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// giveUp removes what was written. After commit it does nothing.
func (o *outFile) giveUp(why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.temp == nil {
		return
	}
	o.err = why
	name := o.temp.Name()
	_ = o.temp.Close() // Windows removes no open file
	_ = os.Remove(name)
	o.temp = nil
}
