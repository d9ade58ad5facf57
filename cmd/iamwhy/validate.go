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
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

func (a *app) validateCommand() *cobra.Command {
	var typ, failOn string
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "policy documents: what AWS would refuse, and what never matches",
		Long: `Check policy documents: errors are what AWS refuses to save, warnings what it
accepts and that never matches, or does what few expect. -v adds suggestions.
A directory stands for all .json files below it, - for standard input. With
--snapshot and no FILE, the snapshot's policies are checked, each as its type.

Without --type, a document with principals is taken for a resource's policy or a
role's trust policy, any other for an identity policy, and the output says so.

Exit status: 0 no error, 1 an error was found, 2 usage or input.`,
		Example: `  iamwhy validate --type scp organization/scp/
  iamwhy validate --type bucket --output json bucket-policy.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.validate(cmd.Context(), evaluator.DocumentType(typ), failOn, args)
		},
	}
	names := make([]string, 0, 20)
	for _, t := range evaluator.DocumentTypes() {
		names = append(names, string(t))
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&typ, "type", "", "what the documents are to be saved as, a `TYPE`: "+strings.Join(names, ", "))
	flags.StringVar(&failOn, "fail-on", "error", "the `SEVERITY` from which on the status is 1: error, warning or suggestion")
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(severityNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// severities are the values of --fail-on.
var severities = []evaluator.Severity{evaluator.SeverityError, evaluator.SeverityWarning, evaluator.SeveritySuggestion}

func severityNames() []string {
	var names []string
	for _, s := range severities {
		names = append(names, s.String())
	}
	return names
}

// A validation is one run of validate.
type validation struct {
	*app
	out      render.ValidationRenderer
	typ      evaluator.DocumentType // "" to detect it
	failOn   evaluator.Severity
	failed   bool
	unusable bool
	done     int
}

func (a *app) validate(ctx context.Context, typ evaluator.DocumentType, failOn string, args []string) error {
	color, err := a.useColor()
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(a.out)
	out, err := render.NewValidation(a.output, buffer, render.Options{Color: color, Width: width(a.out), Verbose: a.verbose})
	if err != nil {
		return err
	}
	v := &validation{app: a, out: out, typ: typ}
	if typ != "" && !slices.Contains(evaluator.DocumentTypes(), typ) {
		names := []string{}
		for _, t := range evaluator.DocumentTypes() {
			names = append(names, string(t))
		}
		return fmt.Errorf("unknown --type %q%s: have %s", typ, suggest(string(typ), names, ""), strings.Join(names, ", "))
	}
	i := slices.Index(severityNames(), failOn)
	if i < 0 {
		return fmt.Errorf("unknown --fail-on %q: have %s", failOn, strings.Join(severityNames(), ", "))
	}
	v.failOn = severities[i]
	switch {
	case len(args) > 0:
		err = v.files(ctx, args)
	case a.snapshot != "":
		err = v.snapshotPolicies(ctx)
	default:
		return errors.New("no FILE: give policy documents, a directory of them, or --snapshot")
	}
	if err != nil {
		return err
	}
	if v.done == 0 {
		if v.unusable {
			return errReported
		}
		return fmt.Errorf("no policy document found in %s: a document is a .json file; a snapshot is given with --snapshot", strings.Join(args, ", "))
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := (printer{buffer: buffer}).flush(); err != nil {
		return err
	}
	switch {
	case v.unusable:
		return errReported
	case v.failed:
		return status(statusNo)
	}
	return nil
}

// files validates every file that the arguments stand for. One that can't be read is
// reported, and the others are validated all the same.
func (v *validation) files(ctx context.Context, args []string) error {
	seen := map[string]bool{}
	for _, arg := range args {
		names, walked, err := documentFiles(arg)
		if err != nil {
			v.report(err)
			v.unusable = true
			continue
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			data, err := v.readDocument(name)
			if err != nil {
				v.report(err)
				v.unusable = true
				continue
			}
			if err := v.document(filepath.ToSlash(name), data, walked); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxDocument bounds what is read of a file: no policy is near it.
const maxDocument = 4 << 20

func (v *validation) readDocument(name string) ([]byte, error) {
	var r io.Reader = v.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, notFound(err, "give policy documents, or a directory of them")
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s has more than %d bytes, and is no policy document", name, maxDocument)
	}
	return data, nil
}

// documentFiles returns the files that an argument stands for, in the order of their
// names; walked says that they were found in a directory.
func documentFiles(arg string) (names []string, walked bool, err error) {
	if arg == "-" {
		return []string{arg}, false, nil
	}
	dir, _ := strings.CutSuffix(arg, "...")
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	if err != nil {
		return nil, false, notFound(err, "give policy documents, or a directory of them")
	}
	if !info.IsDir() {
		return []string{dir}, false, nil
	}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && name != dir
		switch {
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case !d.IsDir() && !hidden && strings.EqualFold(filepath.Ext(name), ".json"):
			names = append(names, name)
		}
		return nil
	})
	return names, true, err
}

// document validates the text of one document. One that was found in a directory may as well
// be something else.
func (v *validation) document(name string, data []byte, walked bool) error {
	doc, err := policy.Parse(name, data)
	result := render.Validation{File: name, Type: v.typ}
	if err != nil {
		if v.typ == "" {
			result.Type, result.Assumed = evaluator.DocumentIdentity, true
		}
		result.Findings = evaluator.SyntaxFindings(err, result.Type)
		i := slices.IndexFunc(result.Findings, func(f evaluator.Finding) bool { return f.Code == "missingStatement" || f.Code == "notADocument" })
		switch {
		case walked && (i >= 0 || !bytes.Contains(data, []byte(`"Statement"`))):
			if v.verbose {
				v.note("%s is no policy document: left out", name)
			}
			return nil
		case i >= 0 && bytes.Contains(data, []byte(`"RoleDetailList"`)):
			result.Findings[i].Fix = "this is the output of get-account-authorization-details: validate --snapshot " + name
		}
		return v.result(result)
	}
	if v.typ == "" {
		result.Type, result.Assumed = evaluator.DetectType(doc), true
	}
	result.Findings = evaluator.Validate(doc, result.Type, evaluator.ValidateOptions{})
	return v.result(result)
}

func (v *validation) result(r render.Validation) error {
	v.done++
	v.failed = v.failed || slices.ContainsFunc(r.Findings, func(f evaluator.Finding) bool { return f.Severity <= v.failOn })
	return v.out.Validation(r)
}

// snapshotPolicies validates the policies of the snapshot that its principals and resources have.
func (v *validation) snapshotPolicies(ctx context.Context) error {
	snap, err := v.loadSnapshot(false)
	if err != nil {
		return err
	}
	s := &snapshotWalk{validation: v, snap: snap, seen: map[*policy.Document]bool{}}
	for _, p := range snap.Principals() {
		action, resource := "sts:GetCallerIdentity", evaluator.Resource{ARN: "*"}
		if strings.Contains(p.ARN, ":role/") {
			action, resource = "sts:AssumeRole", evaluator.Resource{ARN: p.ARN, Account: p.Account}
		}
		if err := s.request(ctx, evaluator.Request{Principal: p, Action: action, Resource: resource}); err != nil {
			return err
		}
	}
	for _, r := range snap.Resources() {
		arn, _ := policy.ParseARN(r.ARN)
		caller := evaluator.Principal{Type: evaluator.Root, ARN: "arn:aws:iam::" + r.Account + ":root", Account: r.Account}
		if err := s.request(ctx, evaluator.Request{Principal: caller, Action: arn.Service + ":*", Resource: r}); err != nil {
			return err
		}
	}
	if v.done == 0 {
		return fmt.Errorf("the snapshot %s has no policy of a principal or resource", v.snapshot)
	}
	return nil
}

// A snapshotWalk finds the documents of a snapshot, each once.
type snapshotWalk struct {
	*validation
	snap *snapshot.Snapshot
	seen map[*policy.Document]bool
}

// request validates every policy that concerns a request.
func (s *snapshotWalk) request(ctx context.Context, req evaluator.Request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.snap.Complete(&req)
	p, err := s.snap.Policies(ctx, req)
	if err != nil {
		return err
	}
	layers := []struct {
		layer evaluator.Layer
		typ   evaluator.DocumentType
	}{{p.Identity, ""}, {p.Boundary, evaluator.DocumentBoundary}, {p.Resource.Layer, ""}}
	for _, h := range []struct {
		levels []evaluator.Level
		typ    evaluator.DocumentType
	}{{p.SCP.Levels, evaluator.DocumentSCP}, {p.RCP.Levels, evaluator.DocumentRCP}} {
		for _, l := range h.levels {
			layers = append(layers, struct {
				layer evaluator.Layer
				typ   evaluator.DocumentType
			}{l.Layer, h.typ})
		}
	}
	for _, l := range layers {
		for i := range l.layer.Policies {
			if err := s.policy(&l.layer.Policies[i], l.typ); err != nil {
				return err
			}
		}
	}
	return nil
}

// policy validates one policy of the snapshot, unless it was already.
func (s *snapshotWalk) policy(p *evaluator.Policy, typ evaluator.DocumentType) error {
	if p.Body == nil || p.Body.Document() == nil || p.Body.Document().Pos.IsZero() || s.seen[p.Body.Document()] {
		return nil
	}
	doc := p.Body.Document()
	s.seen[doc] = true
	if typ == "" {
		typ = documentType(p)
	}
	if strings.Contains(p.ARN, "::aws:policy/") {
		return nil // AWS's own: nobody here can change it
	}
	findings := evaluator.Validate(doc, typ, evaluator.ValidateOptions{Collected: true})
	return s.result(render.Validation{File: doc.Pos.File, Name: p.Name, Type: typ, Findings: findings})
}

// documentType is the type of a policy of an identity or resource.
func documentType(p *evaluator.Policy) evaluator.DocumentType {
	switch {
	case p.Type == "managed":
		return evaluator.DocumentIdentity
	case p.Type == "inline" && strings.Contains(p.Target, ":user/"):
		return evaluator.DocumentUserInline
	case p.Type == "inline" && strings.Contains(p.Target, ":group/"):
		return evaluator.DocumentGroupInline
	case p.Type == "inline":
		return evaluator.DocumentRoleInline
	case slices.Contains(evaluator.DocumentTypes(), evaluator.DocumentType(p.Type)):
		return evaluator.DocumentType(p.Type)
	}
	return evaluator.DocumentResource
}
