package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
)

func (a *app) testCommand() *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "regression tests of policies",
		Long: `Run the cases of case files, YAML or JSON. A directory stands for all .yaml,
.yml and .json files below it. Cases bring their policies, or use --snapshot.

Exit status: 0 all pass, 1 a case failed, 2 usage or input.`,
		Example: `  iamwhy test policies/tests/...`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no FILE: give case files, or a directory of them")
			}
			return a.test(cmd.Context(), args, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "rest on nothing but what AWS documents: the rest is unknown")
	return cmd
}

func (a *app) test(ctx context.Context, args []string, strict bool) error {
	p, err := a.printer(render.Results)
	if err != nil {
		return err
	}
	cases, unusable, err := a.readCases(args)
	if err != nil {
		return err
	}
	var policies casefile.PolicySource // nil without a snapshot, as in explain
	if slices.ContainsFunc(cases, needsSnapshot) {
		snap, err := a.loadSnapshot(slices.Contains(args, "-"))
		if err != nil {
			return err
		}
		if snap != nil {
			policies = snap
		}
	}
	failed := false
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range c.Requests {
			c.Requests[i].Strict = strict
		}
		result := casefile.Run(ctx, c, policies)
		failed = failed || !result.Pass
		if err := p.Result(result); err != nil {
			return err
		}
	}
	if err := p.Close(correlate.Summary{}); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	switch {
	case unusable:
		return errReported
	case failed:
		return status(statusNo)
	}
	return nil
}

// needsSnapshot reports whether a case brings no policies of its own.
func needsSnapshot(c casefile.Case) bool { return c.Err == nil && c.Policies == nil }

// readCases reads the cases of all files. A file that isn't a case file is reported, and
// the others are read all the same; the error is for a run without any case.
func (a *app) readCases(args []string) (cases []casefile.Case, unusable bool, err error) {
	var files []string
	for _, arg := range args {
		found, err := caseFiles(arg)
		if err != nil {
			return nil, false, err
		}
		for _, name := range found {
			if !slices.Contains(files, name) {
				files = append(files, name)
			}
		}
	}
	for _, name := range files {
		data, err := a.readFile(name)
		if err != nil {
			return nil, false, err
		}
		list, err := casefile.Read(filepath.ToSlash(name), data)
		if err != nil {
			a.report(err)
			unusable = true
			continue
		}
		cases = append(cases, list...)
	}
	switch {
	case len(cases) > 0:
		return cases, unusable, nil
	case unusable:
		return nil, true, errReported
	}
	return nil, false, fmt.Errorf("no case found in %s: a case file is named *.yaml, *.yml or *.json", strings.Join(args, ", "))
}

// readFile reads a case file, but not more of it than a case file may have.
func (a *app) readFile(name string) ([]byte, error) {
	var r io.Reader = a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, casefile.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// extensions are those of case files in a directory; a file that is named may have any.
var extensions = []string{".yaml", ".yml", ".json"}

// caseFiles returns the files that an argument stands for, in the order of their names.
func caseFiles(arg string) ([]string, error) {
	if arg == "-" {
		return []string{arg}, nil
	}
	dir, _ := strings.CutSuffix(arg, "...")
	if dir == "" {
		dir = "."
	}
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	if err != nil {
		return nil, notFound(err, "give case files, or a directory of them")
	}
	if !info.IsDir() {
		return []string{dir}, nil
	}
	var files []string
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && name != dir
		switch {
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case !d.IsDir() && !hidden && slices.Contains(extensions, strings.ToLower(filepath.Ext(name))):
			files = append(files, name)
		}
		return nil
	})
	return files, err
}
