package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A doctorJob is what doctor is asked.
type doctorJob struct {
	maxAge string
	input  input
}

func (a *app) doctorCommand() *cobra.Command {
	var job doctorJob
	cmd := &cobra.Command{
		Use:   "doctor [SOURCE...]",
		Short: "what a snapshot, and what logs lack, and which answers that weakens",
		Long: `Say what a snapshot lacks: parts that were denied, failed, were skipped or never
asked for, accounts of the organisation, regions, files that can't be used, and
how old it is; which answers each of them weakens; and the permission to grant
or the command to run that would settle it. Nothing is asked of AWS.
iamwhy collect --print-policy prints the least policy that has all permissions.

With a SOURCE of CloudTrail events, say which kinds of events, accounts and
regions weren't seen, and which denials can't be seen without them.

Exit status: 0 nothing is missing, 1 something is, 2 usage or input.`,
		Example: `  iamwhy doctor --snapshot snapshot/
  iamwhy doctor --snapshot snapshot/ --max-age 1d --output json
  iamwhy doctor logs/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := job.input.take(args); err != nil {
				return err
			}
			return a.doctor(cmd.Context(), job, time.Now())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&job.maxAge, "max-age", "7d", "from which `AGE` on a part is old: 12h, 7d; 0d is never")
	job.input.flags(cmd)
	return cmd
}

func (a *app) doctor(ctx context.Context, job doctorJob, now time.Time) error {
	color, err := a.useColor(a.out)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(a.out)
	write, err := render.NewDiagnosis(a.output, buffer, render.Options{Color: color, Width: width(a.out), Verbose: a.verbose})
	if err != nil {
		return err
	}
	oldest, _, err := parseTime(job.maxAge, now)
	if err != nil {
		return fmt.Errorf("--max-age: %w", err)
	}
	d := render.Diagnosis{Now: now}
	var s *snapshot.Snapshot
	switch {
	case a.snapshot != "":
		if s, err = a.openSnapshot(job.input.usesStdin()); err != nil {
			return fmt.Errorf("reading the snapshot: %w", err)
		}
		d = diagnose(s, a.snapshot, snapshot.LackOptions{Collectable: collectors.Parts(), Now: now, MaxAge: now.Sub(oldest)})
	case len(job.input.sources) == 0:
		return errors.New("no snapshot: give --snapshot, or set IAMWHY_SNAPSHOT, or a SOURCE of CloudTrail events")
	}
	var c counts
	if len(job.input.sources) > 0 {
		var seen correlate.Coverage
		c, err = a.read(ctx, &job.input, source.Query{Want: source.Everything}, func(e *correlate.Event) (bool, error) {
			seen.Add(e)
			return false, nil
		})
		if err != nil {
			return err
		}
		accounts, regions := expected(s, &d)
		d.Logs = &render.Logs{Coverage: &seen, Unseen: seen.Unseen(accounts, regions), Skipped: c.skipped}
	}
	if err := write(d); err != nil {
		return err
	}
	if err := (printer{buffer: buffer}).flush(); err != nil {
		return err
	}
	a.tellStop(printer{}, &c, "what is said of the logs")
	if err := c.outcome(); err != nil {
		return err
	}
	if !d.Whole() {
		return status(statusNo)
	}
	return nil
}

// expected are the accounts of a snapshot and of its organisation, and the regions that it has resources in.
func expected(s *snapshot.Snapshot, d *render.Diagnosis) (accounts, regions []string) {
	if s == nil {
		return nil, nil
	}
	accounts = s.Accounts()
	for _, l := range d.Lacks {
		if len(l.Parts) == 0 { // there is nothing of these
			accounts = append(accounts, l.Accounts...)
		}
	}
	for _, r := range s.Resources() {
		if arn, ok := policy.ParseARN(r.ARN); ok && arn.Region != "" {
			regions = append(regions, arn.Region)
		}
	}
	slices.Sort(accounts)
	slices.Sort(regions)
	return slices.Compact(accounts), slices.Compact(regions)
}

// diagnose looks at a snapshot that the user named so.
func diagnose(s *snapshot.Snapshot, name string, o snapshot.LackOptions) render.Diagnosis {
	d := render.Diagnosis{
		Snapshot: name, CollectedAt: s.CollectedAt(), CollectedBy: s.CollectedBy(), Accounts: s.Accounts(), Now: o.Now,
		Problems: s.Problems(),
	}
	folder := name
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		folder = "snapshot" // the output of get-account-authorization-details is no folder to collect into
	}
	for _, l := range s.Lacks(o) {
		said(&l)
		d.Lacks = append(d.Lacks, render.Lack{Lack: l, Command: commandFor(folder, s, l, o.Collectable)})
		if files := filesOf(l); len(files) > 0 {
			d.Problems = slices.DeleteFunc(d.Problems, func(p snapshot.Problem) bool {
				file, _, _ := strings.Cut(p.File, ":") // its line and column
				return files[file]
			})
		}
	}
	return d
}

// said puts what AWS's own words name in place of all that a part needs, where the snapshot tells no more.
func said(l *snapshot.Lack) {
	if l.Status != snapshot.LackDenied || slices.ContainsFunc(l.Needs, func(n snapshot.Need) bool { return len(n.Resources) > 0 }) {
		return
	}
	d := correlate.DenialFromMessage(l.Reason)
	if d.Message.Action == "" || len(d.Requests()) == 0 {
		return
	}
	need := snapshot.Need{Action: d.Message.Action}
	if arn := d.Requests()[0].Resource.ARN; arn != "" && arn != "*" {
		need.Resources = []string{arn}
	}
	l.Needs = []snapshot.Need{need}
}

// filesOf are the files that a lack says are missing or unusable: there is no more to say of them.
func filesOf(l snapshot.Lack) map[string]bool {
	if l.Status != snapshot.LackBroken && l.Status != snapshot.LackMissing {
		return nil
	}
	files := map[string]bool{}
	for _, part := range l.Parts {
		files[part+".json"] = true
		for _, account := range l.Accounts {
			files["accounts/"+account+"/"+part+".json"] = true
			files["accounts/"+account+"/resources/"+part+".json"] = true
		}
	}
	return files
}

// maxNamed is how many accounts or parts a command names; if there are more, it collects all.
const maxNamed = 12

// commandFor is the command that gets what is lacking; "" if none does.
func commandFor(folder string, s *snapshot.Snapshot, l snapshot.Lack, collectable []string) string {
	words := []string{"iamwhy", "collect", "-o", shellWord(folder)}
	accounts := l.Accounts
	if len(accounts)+len(l.Parts) == 0 { // the whole snapshot
		accounts = s.Accounts()
	}
	switch {
	case isOrganization(s, accounts):
		words = append(words, "--org")
	case len(accounts) > 0:
		words = append(words, "--accounts", strings.Join(accounts, ","))
	}
	var parts []string
	for _, part := range l.Parts {
		part, _, _ = strings.Cut(part, "/") // organization/scp is got with the organisation
		if slices.Contains(collectable, part) && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	switch {
	case len(l.Parts) > 0 && len(parts) == 0:
		return ""
	case len(parts) > 0 && len(parts) <= maxNamed:
		words = append(words, "--only", strings.Join(parts, ","))
	}
	return strings.Join(words, " ")
}

// isOrganization reports whether accounts are better named as the organisation: they are all of it that there
// is, or too many to name. One that isn't in it has to be named.
func isOrganization(s *snapshot.Snapshot, accounts []string) bool {
	is := evaluator.Matched
	for _, id := range accounts {
		is = min(is, s.InOrganization(id))
	}
	return len(accounts) > 1 && len(accounts) == len(s.Accounts()) && is == evaluator.Matched ||
		len(accounts) > maxNamed && is != evaluator.NoMatch
}

// shellWord is text as one word of a shell's command line.
func shellWord(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
