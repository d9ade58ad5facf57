package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// An item is one file to read, or why it isn't read.
type item struct {
	path    string
	size    int64
	open    func(context.Context) (io.ReadCloser, error)
	problem error // a *BadRecord, *Skip, *PartError or *Notice to report in place of the file's events
}

// localItem is the file at path.
func localItem(path string, size int64) item {
	return item{path: path, size: size, open: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }}
}

// streamItem is what r has to say.
func streamItem(path string, r io.Reader) item {
	return item{path: path, open: func(ctx context.Context) (io.ReadCloser, error) {
		return io.NopCloser(&interruptible{ctx: ctx, src: r, buf: make([]byte, chunk)}), nil
	}}
}

// list returns the files that src stands for, by path, and whether src is a directory.
func list(ctx context.Context, src string) (items []item, isTree bool, err error) {
	info, err := os.Stat(src)
	switch {
	case err == nil && info.IsDir():
		items, err = walk(ctx, src)
		isTree = true
	case err == nil:
		return []item{localItem(src, sizeOf(info))}, false, nil
	case !errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(src, "*?[{"):
		return nil, false, fmt.Errorf("%s: %w", printable(src), reason(err))
	case strings.ContainsAny(src, "*?[{"):
		items, err = glob(ctx, src)
	default:
		return nil, false, fmt.Errorf("%s: no such file or directory; give a file, a directory, a glob pattern or - for standard input", printable(src))
	}
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.path, b.path) })
	items = slices.CompactFunc(items, func(a, b item) bool { return a.path == b.path })
	return items, isTree, nil
}

// openable says now what would be wrong with the only file of a run.
func openable(it item) error {
	if it.problem != nil || it.size == 0 { // a pipe can be opened only once
		return nil
	}
	f, err := os.Open(it.path)
	if err != nil {
		return fmt.Errorf("%s: %w", printable(it.path), reason(err))
	}
	return f.Close()
}

// sizeOf is a regular file's size; that of a pipe isn't known.
func sizeOf(info fs.FileInfo) int64 {
	if info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// glob returns the files that match pattern, and those below the directories that do.
func glob(ctx context.Context, pattern string) ([]item, error) {
	paths, err := doublestar.FilepathGlob(pattern, doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if err != nil {
		return nil, fmt.Errorf("%s: %w (as in logs/**/*.json.gz)", printable(pattern), err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no file matches; quote the pattern, and use ** for directories of any depth", printable(pattern))
	}
	var items []item
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			items = append(items, unreadable(path, err))
		case info.IsDir():
			below, err := walk(ctx, path)
			if err != nil {
				return nil, err
			}
			items = append(items, below...)
		case info.Mode().IsRegular():
			items = append(items, localItem(path, info.Size()))
		default:
			items = append(items, skipped(path, "not a regular file"))
		}
	}
	return items, nil
}

// walk returns the files below dir. A directory or file that can't be read, and
// one that is left out, become items of their own: nothing disappears silently.
func walk(ctx context.Context, dir string) ([]item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []item{unreadable(dir, err)}, nil
	}
	var items []item
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."):
			items = append(items, skipped(path, "hidden"))
		case entry.IsDir():
			below, err := walk(ctx, path)
			if err != nil {
				return nil, err
			}
			items = append(items, below...)
		default:
			items = append(items, fileItem(path))
		}
	}
	return items, nil
}

// fileItem is a file found in a directory. A link to a file is read; one to a
// directory isn't followed, since it may lead back up.
func fileItem(path string) item {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return unreadable(path, err)
	case info.IsDir():
		return skipped(path, "symbolic link to a directory")
	case !info.Mode().IsRegular():
		return skipped(path, "not a regular file")
	}
	return localItem(path, info.Size())
}

func unreadable(path string, err error) item {
	return item{path: path, problem: &BadRecord{Path: path, Index: -1, Err: reason(err)}}
}

func skipped(path, reason string) item {
	return item{path: path, problem: &Skip{Path: path, Reason: reason, Count: 1}}
}

// reason is an error of the file system without the path, which stands before it already.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return fmt.Errorf("%s: %w", pathErr.Op, pathErr.Err)
	}
	return err
}
