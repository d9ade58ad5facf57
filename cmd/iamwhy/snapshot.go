package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// loadSnapshot loads what --snapshot names; nil if it names nothing.
// stdinUsed says that the standard input is needed for something else.
func (a *app) loadSnapshot(stdinUsed bool) (*snapshot.Snapshot, error) {
	if a.snapshot == "" {
		return nil, nil
	}
	s, err := a.openSnapshot(stdinUsed)
	if err != nil {
		return nil, fmt.Errorf("reading the snapshot: %w", err)
	}
	a.problems(s)
	return s, nil
}

func (a *app) openSnapshot(stdinUsed bool) (*snapshot.Snapshot, error) {
	if a.snapshot == "-" {
		if stdinUsed {
			return nil, errors.New("standard input can't be both the snapshot and a SOURCE; give one of them as a file")
		}
		data, err := io.ReadAll(a.in)
		if err != nil {
			return nil, err
		}
		return snapshot.LoadAuthorizationDetails("-", data)
	}
	info, err := os.Stat(a.snapshot)
	if err != nil {
		return nil, notFound(err, "give --snapshot a directory or the output of aws iam get-account-authorization-details")
	}
	if info.IsDir() {
		return snapshot.Load(os.DirFS(a.snapshot))
	}
	data, err := os.ReadFile(a.snapshot)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("%s is empty", a.snapshot)
	}
	return snapshot.LoadAuthorizationDetails(a.snapshot, data)
}

// notFound says what to do about a file that isn't there, without the name of the system call.
func notFound(err error, next string) error {
	var p *fs.PathError
	if errors.As(err, &p) && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file or directory; %s", p.Path, next)
	}
	return err
}

// problems says which parts of a snapshot can't be used: answers that depend
// on them are indeterminate.
func (a *app) problems(s *snapshot.Snapshot) {
	list := s.Problems()
	if len(list) == 0 {
		return
	}
	for i, p := range list {
		if i == namedAtOnce && !a.verbose {
			a.note("snapshot: %d more can't be used (-v names them all)", len(list)-i)
			return
		}
		a.note("snapshot: %s: %s", p.File, p.Msg)
	}
}

// count writes a number and its noun: "1 part", "3 parts".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
