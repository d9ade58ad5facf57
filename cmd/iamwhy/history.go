package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A policyHistory is a snapshot.History as correlate asks one.
type policyHistory struct{ *snapshot.History }

var _ correlate.History = policyHistory{}

// Around returns the snapshots around an era; nil where there is none, and not a nil *Snapshot.
func (h policyHistory) Around(era int) (before, after correlate.Collected, err error) {
	b, a, err := h.History.Around(era)
	if err != nil {
		return nil, nil, err
	}
	if b != nil {
		before = b
	}
	if a != nil {
		after = a
	}
	return before, after, nil
}

// ofGit is the --history that means the commits of --snapshot.
const ofGit = "git"

// policies returns what --snapshot or --history names; nil if neither is given. closing ends what reads it.
func (a *app) policies(ctx context.Context, history string, stdinUsed bool) (src correlate.PolicySource, closing func(), err error) {
	if history != "" {
		return a.openHistory(ctx, history)
	}
	snap, err := a.loadSnapshot(stdinUsed)
	if snap == nil || err != nil {
		return nil, func() {}, err // and not a nil *Snapshot
	}
	return snap, func() {}, nil
}

// openHistory opens the snapshots of --history, and that of --snapshot as one of them. What can't be used is left out, and said to be.
func (a *app) openHistory(ctx context.Context, dir string) (src correlate.PolicySource, closing func(), err error) {
	closing = func() {}
	told := map[string]bool{} // a snapshot may be loaded again
	h := &snapshot.History{Loaded: func(name string, s *snapshot.Snapshot) {
		if !told[name] {
			a.problemsOf(name, s)
		}
		told[name] = true
	}}
	if dir == ofGit || a.isWorkTree(ctx, dir) {
		closing, err = a.addCommits(ctx, h)
	} else {
		err = a.addFolders(h, dir)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("--history: %w", err)
	case h.Len() == 0:
		err = fmt.Errorf("--history: no snapshot in %s: want folders that iamwhy collect made, each with its snapshot.json", dir)
	default:
		return policyHistory{h}, closing, nil
	}
	closing()
	return nil, func() {}, err
}

// addFolders adds the snapshots in the folders of dir, and the one of --snapshot if it lies elsewhere.
func (a *app) addFolders(h *snapshot.History, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return notFound(err, "give it a directory of snapshots")
	}
	var own fs.FileInfo // of --snapshot, as long as it isn't among them
	if a.snapshot != "" {
		if own, err = os.Stat(a.snapshot); err != nil {
			return notFound(err, "leave --snapshot out, or give it a directory, which is one of the history, too")
		}
	}
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		info, err := os.Stat(name) // a link to a folder is one
		if err != nil || !info.IsDir() {
			continue
		}
		if own != nil && os.SameFile(own, info) {
			own = nil
		}
		fsys := os.DirFS(name)
		if _, err := fs.Stat(fsys, "snapshot.json"); errors.Is(err, fs.ErrNotExist) {
			continue // something else
		}
		if err := h.Add(name, fsys); err != nil {
			a.note("history: left out: %v", err)
		}
	}
	if own == nil {
		return nil
	}
	if err := h.Add(a.snapshot, os.DirFS(a.snapshot)); err != nil {
		a.note("history: left out: --snapshot %v", err)
	}
	return nil
}

// problemsOf is problems of one snapshot of several.
func (a *app) problemsOf(name string, s *snapshot.Snapshot) {
	if n := len(s.Problems()); n > 0 && !a.verbose {
		a.note("history: %s: %s can't be used (-v names them all)", name, count(n, "part"))
		return
	}
	for _, p := range s.Problems() {
		a.note("history: %s: %s: %s", name, p.File, p.Msg)
	}
}
