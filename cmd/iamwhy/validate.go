package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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
	color, err := a.useColor(a.out)
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
		result.Findings = evaluator.SyntaxFindings(err, v.typ)
		i := slices.IndexFunc(result.Findings, func(f evaluator.Finding) bool { return f.Code == "missingStatement" || f.Code == "notADocument" })
		switch {
		case walked && (i >= 0 || !bytes.Contains(data, []byte(`"Statement"`))):
			if v.verbose {
				v.note("%s is no policy document: left out", name)
			}
			return nil
		}
		if f := &result.Findings[0]; f.Code == "json" || i == 0 {
			switch message, fix := foreign(name, data); {
			case message != "":
				f.Message, f.Fix = message, fix
			case fix != "":
				f.Fix = fix
			}
		}
		return v.result(result)
	}
	if v.typ == "" {
		result.Type, result.Assumed = evaluator.DetectType(doc), true
	}
	result.Findings = evaluator.Validate(doc, result.Type, evaluator.ValidateOptions{Assumed: result.Assumed})
	return v.result(result)
}

// foreign says of a text that is no policy document what it is, if that can be told, and where the
// documents are in it. "" leaves what the parser says.
func foreign(name string, data []byte) (message, fix string) {
	text := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	first, _, _ := strings.Cut(text, "\n")
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(first, p) })
	}
	switch {
	case text == "":
		return "the file is empty: expected a policy document", ""
	case strings.Contains(text, "\x00"):
		return "this is no text: expected a policy document in JSON", ""
	case starts("{"):
		return foreignObject(name, data)
	case starts(`"`):
		return "", "the document is in a JSON string: jq -r . " + name + " | iamwhy validate -"
	case starts("["):
		return "", "give each document a file of its own"
	case starts("Version:", "Statement:", "---", "AWSTemplateFormatVersion:", "- "):
		return "this is YAML: expected a policy document in JSON", "convert it to JSON first"
	case starts("jsonencode(", "data ", "resource ", "module ", "locals ", "variable "):
		return "this is Terraform: expected a policy document in JSON", "give the JSON that it makes: terraform console evaluates jsonencode(…) and data sources"
	}
	return "", ""
}

// foreignObject is foreign for a JSON object. Each member tells one thing that people have in a file.
func foreignObject(name string, data []byte) (message, fix string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &members) != nil {
		return "", ""
	}
	inside := func(path string) string { return "jq " + path + " " + name + " | iamwhy validate -" }
	for _, k := range []struct{ member, message, fix string }{
		{"RoleDetailList", "", "this is the output of get-account-authorization-details: validate --snapshot " + name},
		{"AWSTemplateFormatVersion", "this is a CloudFormation template, not a policy document", "give each PolicyDocument of it a file of its own"},
		{"Resources", "this is a CloudFormation template, not a policy document", "give each PolicyDocument of it a file of its own"},
		{"planned_values", "this is a Terraform plan, not a policy document", "give each policy of it a file of its own"},
		{"PolicyVersion", "this is the output of get-policy-version: the document is in it", inside(".PolicyVersion.Document")},
		{"PolicyDocument", "the document is in PolicyDocument", inside(".PolicyDocument")},
		{"Role", "this is the output of get-role: the trust policy is in it", "jq .Role.AssumeRolePolicyDocument " + name + " | iamwhy validate --type trust -"},
		{"Policy", "the document is in Policy, as a string", inside("-r .Policy")},
	} {
		if _, ok := members[k.member]; ok {
			return k.message, k.fix
		}
	}
	return "", ""
}

func (v *validation) result(r render.Validation) error {
	v.done++
	v.failed = v.failed || slices.ContainsFunc(r.Findings, func(f evaluator.Finding) bool { return f.Severity <= v.failOn })
	return v.out.Validation(r)
}

// snapshotPolicies validates every policy of the snapshot, each as its type.
func (v *validation) snapshotPolicies(ctx context.Context) error {
	snap, err := v.loadSnapshot(false)
	if err != nil {
		return err
	}
	all := slices.DeleteFunc(snap.All(), func(p evaluator.Policy) bool {
		// Those of AWS's nobody here can change.
		return strings.Contains(p.ARN, "::aws:policy/") || p.Body.Document() == nil || p.Body.Document().Pos.IsZero()
	})
	slices.SortStableFunc(all, func(a, b evaluator.Policy) int {
		return strings.Compare(a.Body.Document().Pos.File, b.Body.Document().Pos.File)
	})
	inline := map[string][]*policy.Document{} // by whose it is
	for _, p := range all {
		if p.Type == "inline" {
			inline[p.Target] = append(inline[p.Target], p.Body.Document())
		}
	}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &all[i]
		doc, typ := p.Body.Document(), documentType(p)
		findings := evaluator.Validate(doc, typ, evaluator.ValidateOptions{Collected: true})
		if own := inline[p.Target]; p.Type == "inline" && own[len(own)-1] == doc {
			if f, ok := evaluator.InlineSize(typ, p.Target, own); ok {
				findings = append(findings, f)
			}
		}
		if err := v.result(render.Validation{File: doc.Pos.File, Name: p.Name, Target: p.Target, Type: typ, Findings: findings}); err != nil {
			return err
		}
	}
	if v.done == 0 {
		return fmt.Errorf("the snapshot %s has no policy", v.snapshot)
	}
	return nil
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
