package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// A collecting is what the flags of collect say.
type collecting struct {
	folder      string
	profile     string
	printPolicy bool
	options     collectors.Options
}

func (a *app) collectCommand() *cobra.Command {
	var c collecting
	cmd := &cobra.Command{
		Use:   "collect -o DIR",
		Short: "gather a snapshot of one account, or the organisation",
		Long: `Ask AWS for every policy that can deny a call, and write them to DIR as a snapshot,
which --snapshot and IAMWHY_SNAPSHOT take. It is made to be kept in Git.

All calls are read-only; --print-policy prints the least policy that allows them.
What is denied, or fails, is recorded, and the rest goes on: answers that hang on it are then undecided, and
say so. DIR is replaced as a whole, once all is there: a run that is stopped leaves the
snapshot that was there as it was. What isn't the snapshot's, such as .git, stays.

Without --org and --accounts it is the account of the caller. Other accounts are entered by assuming a role
in each. What --only, --skip and --accounts leave out stays as an earlier run got it.

Parts: ` + strings.Join(collectors.Parts(), ", ") + `

Exit status: 0 done, though calls were denied; 2 usage or input; 4 a call failed for another reason than that, the
organisation's accounts couldn't be listed for --org, or nothing was got.`,
		Example: `  iamwhy collect -o snapshot
  iamwhy collect -o snapshot --org --role-name audit --regions eu-west-1,us-east-1
  iamwhy collect --org --role-name audit --print-policy`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.collect(cmd.Context(), &c) },
	}
	o, flags := &c.options, cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&c.folder, "out", "o", "", "write the snapshot to `DIR`")
	flags.BoolVar(&o.Org, "org", false, "every account of the caller's organisation")
	flags.StringSliceVar(&o.Accounts, "accounts", nil, "these accounts: `ID,…`")
	flags.StringVar(&o.RoleName, "role-name", "", "the `ROLE` to assume in the others (default OrganizationAccountAccessRole)")
	flags.StringVar(&o.ExternalID, "external-id", "", "the external `ID` that the role asks for")
	flags.StringVar(&o.SessionName, "session-name", "", "the `NAME` of the role's session (default iamwhy)")
	flags.StringSliceVar(&o.Only, "only", nil, "collect these `PARTS` only")
	flags.StringSliceVar(&o.Skip, "skip", nil, "leave these `PARTS` out")
	flags.StringSliceVar(&o.Regions, "regions", nil, "ask in these `REGIONS` (default all that are enabled)")
	flags.StringVar(&c.profile, "profile", "", "ask AWS as this `PROFILE` of its configuration; else as the environment says")
	flags.IntVar(&o.Concurrency, "concurrency", 10, "at most `N` calls at once to one service of one account")
	flags.BoolVar(&c.printPolicy, "print-policy", false, "print the least policy that this needs, and do nothing else")
	for _, name := range []string{"only", "skip"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(collectors.Parts(), cobra.ShellCompDirectiveNoFileComp))
	}
	_ = cmd.MarkFlagDirname("out")
	return cmd
}

// check says what is wrong with the flags.
func (c *collecting) check() error {
	o := &c.options
	switch others := o.Org || len(o.Accounts) > 0; {
	case c.folder == "" && !c.printPolicy:
		return errors.New("no DIR: give -o the folder to write the snapshot to")
	case o.Concurrency < 1:
		return fmt.Errorf("--concurrency %d: give at least 1", o.Concurrency)
	case !others && o.RoleName+o.ExternalID+o.SessionName != "":
		return errors.New("--role-name, --external-id and --session-name are for entering other accounts: give --org or --accounts, too")
	}
	return nil
}

func (a *app) collect(ctx context.Context, c *collecting) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.printPolicy {
		policy, err := collectors.LeastPolicy(c.options)
		if err != nil {
			return err
		}
		_, err = a.out.Write(policy)
		return err
	}
	if !slices.Contains([]string{"text", "json"}, a.output) {
		return render.WriteCollection(a.output, io.Discard, render.Options{}, render.Collection{})
	}
	color, err := a.useColor(a.out)
	if err != nil {
		return err
	}
	report, err := a.ask(ctx, c)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(a.out)
	err = errors.Join(
		render.WriteCollection(a.output, w, render.Options{Color: color, Width: width(a.out), Verbose: a.verbose}, collectionOf(c.folder, report)),
		w.Flush(),
	)
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if report.AccountsUnknown {
		a.note("--org: the accounts of the organisation aren't all known: ask as its management account or a delegated administrator; the accounts that are known were collected")
	}
	return outcomeOf(report)
}

// ask collects as the profile says.
func (a *app) ask(ctx context.Context, c *collecting) (*collectors.Report, error) {
	caller := source.AWS{Profile: c.profile}
	if isTerminal(a.in) && isTerminal(a.err) {
		caller.MFAToken = a.askMFA
	}
	cfg, err := caller.Config(ctx)
	if err != nil {
		return nil, a.awsFailed(err)
	}
	c.options.Config, c.options.Now, c.options.Progress = cfg, time.Now(), new(collectors.Progress)
	stop := a.show(func(time.Duration, int) string { return howFar(c.options.Progress) })
	report, err := collectors.Collect(ctx, c.folder, c.options)
	stop()
	var call *collectors.CallError
	if errors.As(err, &call) {
		return nil, a.awsFailed(caller.Failure(ctx, call.Action, call.Err))
	}
	return report, err
}

// awsFailed gives an error of AWS's its status.
func (a *app) awsFailed(err error) error {
	var failed *source.AWSError
	if !errors.As(err, &failed) {
		return err
	}
	a.report(err)
	return status(statusAWS)
}

// outcomeOf is the exit status. That a call was denied is something the snapshot knows: the run did what it was for. A
// call that failed otherwise may go well the next time.
func outcomeOf(r *collectors.Report) error {
	failed := func(r collectors.Result) bool { return r.Status == "error" && r.Kept == "" }
	if !r.Written || r.AccountsUnknown || slices.ContainsFunc(r.Results, failed) {
		return status(statusAWS)
	}
	return nil
}

func collectionOf(folder string, r *collectors.Report) render.Collection {
	c := render.Collection{Folder: folder, CollectedBy: r.CollectedBy, Written: r.Written, Dropped: r.Dropped}
	for _, p := range r.Results {
		c.Parts = append(c.Parts, render.CollectedPart{Account: p.Account, Part: p.Part, Status: p.Status, Reason: p.Reason, Kept: p.Kept})
	}
	return c
}

// howFar is a line of at most 80 columns.
func howFar(p *collectors.Progress) string {
	text := fmt.Sprintf("%d of %d accounts, %d of %d parts, %d calls",
		p.AccountsDone.Load(), p.Accounts.Load(), p.PartsDone.Load(), p.Parts.Load(), p.Calls.Load())
	if gaps := p.Gaps.Load(); gaps > 0 {
		text += fmt.Sprintf(", %d without answer", gaps)
	}
	return text
}
