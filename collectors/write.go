package collectors

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// This file writes a snapshot so that there is always a whole one. The new one grows in
// .NAME.iamwhy-new beside the folder NAME. Once it is complete, NAME becomes .NAME.iamwhy-old, the
// new one becomes NAME, and the old one goes. Whoever is killed before leaves NAME as it
// was. Between the two renames, for which no system that Go runs on has one call in common, there
// is no NAME: the next collection puts the old one back before it starts.
//
// What else is in the folder, such as .git, moves along. Of two collections into one folder at the same time
// the later takes the new folder's name from the earlier, which fails.

// A stage is a snapshot in the making.
type stage struct {
	folder         string   // the snapshot's, without symbolic links
	fresh          string   // where the new one grows
	root           *os.Root // that folder itself, whatever has its name; nil once it is closed
	aside          string   // where the old one is while the new one takes its place
	own            []string
	folders, files os.FileMode // permissions, before the umask
	old            *metadata   // nil if there is no old one
}

// newStage prepares to write a snapshot into a folder, which needn't exist. own are the
// names in it that are a snapshot's.
func newStage(folder string, own []string) (*stage, error) {
	return newStageFor(folder, own, 0o777, 0o666)
}

// newStageFor is newStage with the permissions of folders and files.
func newStageFor(folder string, own []string, folders, files os.FileMode) (*stage, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", folder, err)
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	if err := notWithin(folder); err != nil {
		return nil, err
	}
	parent, name := filepath.Split(folder)
	s := &stage{
		folder:  folder,
		fresh:   filepath.Join(parent, "."+name+".iamwhy-new"),
		aside:   filepath.Join(parent, "."+name+".iamwhy-old"),
		own:     own,
		folders: folders, files: files,
	}
	if err := os.MkdirAll(parent, folders); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, err
	}
	if err := s.isSnapshot(); err != nil {
		return nil, err
	}
	if s.old, err = readMetadata(folder); err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.fresh, folders); err != nil {
		return nil, err
	}
	s.root, err = os.OpenRoot(s.fresh)
	return s, err
}

// notWithin refuses the folder that the process is in: whoever started it would be left in one that is gone.
func notWithin(folder string) error {
	wd, err := os.Getwd()
	if err != nil {
		return nil // then it isn't in any that there is
	}
	if real, err := filepath.EvalSymlinks(wd); err == nil {
		wd = real
	}
	if rel, err := filepath.Rel(folder, wd); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("%s is the folder that this runs in, and a new one takes its place: run it from outside", folder)
	}
	return nil
}

// recover tidies up after a collection that was killed.
func (s *stage) recover() error {
	if err := os.RemoveAll(s.fresh); err != nil {
		return fmt.Errorf("removing what a killed collection left: %w", err)
	}
	if !exists(s.aside) {
		return nil
	}
	if !exists(s.folder) {
		if err := os.Rename(s.aside, s.folder); err != nil {
			return fmt.Errorf("putting back the snapshot that a killed collection had set aside: %w", err)
		}
		return nil
	}
	return s.clearAside()
}

// isSnapshot refuses to write over what isn't a snapshot.
func (s *stage) isSnapshot() error {
	info, err := os.Stat(s.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file: give a folder", s.folder)
	case exists(filepath.Join(s.folder, metadataFile)):
		return nil
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".git") { // what git init leaves may be there
			return fmt.Errorf("%s has files and no %s: it isn't a snapshot; give an empty folder, or one that doesn't exist", s.folder, metadataFile)
		}
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// discard removes the new snapshot, unless it is in its place.
func (s *stage) discard() {
	if s.root != nil && s.isOurs() {
		s.close()
		_ = os.RemoveAll(s.fresh) // the next collection tries again
	}
	s.close()
}

// close gives up the folder, which some systems rename only then.
func (s *stage) close() {
	if s.root != nil {
		_ = s.root.Close() // nothing is written through it
	}
	s.root = nil
}

// isOurs reports whether the name of the new folder is still that of the one we made.
func (s *stage) isOurs() bool {
	mine, errMine := s.root.Stat(".")
	named, errNamed := os.Stat(s.fresh)
	return errMine == nil && errNamed == nil && os.SameFile(mine, named)
}

// commit puts the new snapshot in the old one's place.
func (s *stage) commit() error {
	if !s.isOurs() {
		return fmt.Errorf("%s: another collection into %s took it over: run one at a time", s.fresh, s.folder)
	}
	s.close()
	if err := s.setAside(); err != nil {
		return err
	}
	if err := os.Rename(s.fresh, s.folder); err != nil {
		if back := os.Rename(s.aside, s.folder); back != nil && exists(s.aside) {
			return fmt.Errorf("putting the new snapshot in place: %w; the old one is in %s", err, s.aside)
		}
		return fmt.Errorf("putting the new snapshot in place: %w", err)
	}
	return s.clearAside()
}

// setAside moves the old snapshot out of the way.
func (s *stage) setAside() error {
	if !exists(s.folder) {
		return nil
	}
	if info, err := os.Stat(s.folder); err == nil {
		if err := os.Chmod(s.fresh, info.Mode().Perm()); err != nil {
			return fmt.Errorf("giving the new snapshot the old one's permissions: %w", err)
		}
	}
	if err := os.Rename(s.folder, s.aside); err != nil {
		return fmt.Errorf("setting the old snapshot aside: %w; if the folder is a mount point, give one within it", err)
	}
	return nil
}

// clearAside removes the old snapshot, but for what isn't a snapshot's, which joins the new one.
func (s *stage) clearAside() error {
	entries, err := os.ReadDir(s.aside)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if slices.Contains(s.own, e.Name()) {
			continue
		}
		if err := os.Rename(filepath.Join(s.aside, e.Name()), filepath.Join(s.folder, e.Name())); err != nil {
			return fmt.Errorf("moving what isn't the snapshot's along: %w", err)
		}
	}
	if err := os.RemoveAll(s.aside); err != nil {
		return fmt.Errorf("removing the old snapshot: %w", err)
	}
	return nil
}

// writeJSON writes a file of the snapshot. name has slashes.
func (s *stage) writeJSON(name string, v any) error {
	return s.write(name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// writeLists writes a file that is an object of lists, in the order of names, or one list if there are
// no names. One entry at a time is indented, so that no file is in memory twice.
func (s *stage) writeLists(name string, names []string, lists map[string][]entry) error {
	return s.write(name, func(w io.Writer) error {
		if len(names) == 0 {
			if err := writeList(w, "", lists[""]); err != nil {
				return err
			}
			_, err := io.WriteString(w, "\n")
			return err
		}
		for i, list := range names {
			before := ",\n  "
			if i == 0 {
				before = "{\n  "
			}
			if _, err := fmt.Fprintf(w, "%s%q: ", before, list); err != nil {
				return err
			}
			if err := writeList(w, "  ", lists[list]); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "\n}\n")
		return err
	})
}

// writeList writes a list, sorted, whose line begins with indent.
func writeList(w io.Writer, indent string, list []entry) error {
	if len(list) == 0 {
		_, err := io.WriteString(w, "[]")
		return err
	}
	slices.SortStableFunc(list, entry.compare)
	var b bytes.Buffer
	for i, e := range list {
		b.Reset()
		if i == 0 {
			b.WriteString("[\n")
		} else {
			b.WriteString(",\n")
		}
		b.WriteString(indent + "  ")
		if err := json.Indent(&b, e.text, indent+"  ", "  "); err != nil {
			return fmt.Errorf("%s: %w", e.key, err)
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n"+indent+"]")
	return err
}

// write writes a file. One that is as it was in the old snapshot keeps its time of modification.
func (s *stage) write(name string, content func(io.Writer) error) error {
	local := filepath.FromSlash(name)
	failed := func(err error) error { return fmt.Errorf("writing %s: %w", filepath.Join(s.fresh, local), err) }
	if err := s.root.MkdirAll(filepath.Dir(local), s.folders); err != nil {
		return failed(err)
	}
	f, err := s.root.OpenFile(local, os.O_RDWR|os.O_CREATE|os.O_TRUNC, s.files)
	if err != nil {
		return failed(err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(content(w), w.Flush(), f.Close()); err != nil {
		return failed(err)
	}
	old := filepath.Join(s.folder, local)
	info, err := os.Stat(old)
	if err != nil || !info.Mode().IsRegular() || !sameContent(old, filepath.Join(s.fresh, local)) {
		return nil // it is another one
	}
	return s.root.Chtimes(local, info.ModTime(), info.ModTime())
}

// sameContent reports whether two files have the same bytes; false if one can't be read.
func sameContent(a, b string) bool {
	f, errA := os.Open(a)
	if errA != nil {
		return false
	}
	defer f.Close()
	g, errB := os.Open(b)
	if errB != nil {
		return false
	}
	defer g.Close()
	x, y := make([]byte, 1<<16), make([]byte, 1<<16)
	for {
		n, errA := io.ReadFull(f, x)
		m, errB := io.ReadFull(g, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if errA != nil || errB != nil {
			return isEnd(errA) && isEnd(errB)
		}
	}
}

func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// keep copies the file or folder of a part from the old snapshot.
func (s *stage) keep(partName string) error {
	name := filepath.FromSlash(partName)
	err := s.copyTree(name + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		err = s.copyTree(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a part that was denied has neither
		return fmt.Errorf("keeping %s of the old snapshot: %w", partName, err)
	}
	return nil
}

// copyTree copies a file, or all that is below a folder, of a part that keeps its name.
func (s *stage) copyTree(name string) error {
	return filepath.WalkDir(filepath.Join(s.folder, name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(s.folder, path)
		if err != nil {
			return err
		}
		return s.write(filepath.ToSlash(rel), func(w io.Writer) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(w, f)
			return err
		})
	})
}
