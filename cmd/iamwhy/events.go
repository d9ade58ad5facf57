package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
)

// An eventsJob is what events is asked.
type eventsJob struct {
	filter   filter
	input    input
	all      bool
	out      string
	query    string // whose SQL is wanted instead; "" is none
	printDDL bool
}

// want is what the events are for.
func (job *eventsJob) want() source.Want {
	if job.all {
		return source.Errors
	}
	return source.Denials
}

func (a *app) eventsCommand() *cobra.Command {
	var job eventsJob
	cmd := &cobra.Command{
		Use:   "events SOURCE...",
		Short: "list denied calls",
		Long: `List the denied calls in CloudTrail events. A SOURCE is one of

` + sourceHelp() + `
With -v, each call is followed by what it asked of IAM: the action on the resource, and what
else it needs or may need. JSON has that, too, with the context keys that are known and
those that aren't.`,
		Example: `  iamwhy events logs/
  iamwhy events --since 2h --region eu-west-1 s3://my-trail/AWSLogs/
  aws cloudtrail lookup-events | iamwhy events --since 7d --output csv -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := job.filter.parse(time.Now()); err != nil {
				return err
			}
			if err := job.input.take(args); err != nil {
				return err
			}
			if len(job.input.sources) == 0 {
				return errNoSource
			}
			ctx, query := cmd.Context(), job.filter.query(job.want())
			switch {
			case job.printDDL:
				return a.printDDL(ctx, &job.input, query, job.out)
			case job.query != "":
				return a.printQuery(ctx, job.query, &job.input, query, job.out)
			}
			return a.events(ctx, &job)
		},
	}
	job.filter.flags(cmd)
	job.input.flags(cmd)
	cmd.Flags().BoolVar(&job.all, "all-errors", false, "every error, not only denials")
	outFlag(cmd, &job.out)
	queryFlag(cmd, &job.query)
	cmd.Flags().BoolVar(&job.printDDL, "print-ddl", false, "print the definition of an Athena table for the logs in an s3:// SOURCE, and read nothing")
	return cmd
}

var errNoSource = errors.New("no SOURCE: give a file or directory of CloudTrail events, or - for standard input; iamwhy events --help lists the other kinds")

// outFlag adds the flag that names the result's file.
func outFlag(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVarP(out, "out", "o", "", "write the result to `FILE`, which appears when it is whole or not at all")
}

func (a *app) events(ctx context.Context, job *eventsJob) error {
	p, err := a.printerTo(ctx, render.Denials, job.out)
	if err != nil {
		return err
	}
	defer p.giveUp()
	seen := map[string]bool{} // sources may overlap (T100)
	c, err := a.read(ctx, &job.input, job.filter.query(job.want()), func(e *correlate.Event) (bool, error) {
		if !job.filter.event(e) {
			return false, nil
		}
		wanted := false
		for _, d := range correlate.DenialsOf(e, job.all) {
			if !job.filter.denial(d) {
				continue
			}
			wanted = true
			if id := e.DeliveryID(); id != "" {
				key := id + "\x00" + d.Part
				if seen[key] {
					continue
				}
				seen[key] = true
			}
			if err := a.list(p, d); err != nil {
				return false, err
			}
		}
		return wanted, nil
	})
	if err != nil {
		return err
	}
	a.tellStop(p, &c, "what is listed")
	return a.conclude(p, &c, correlate.Summary{})
}

// list writes a denied call. A person sees it at once, whole lines of it, beside the progress.
func (a *app) list(p printer, d correlate.Denial) error {
	err := p.Denial(d)
	if err == nil && p.file == nil && isTerminal(a.out) {
		a.line.aside(a.err, func() { err = p.flush() })
	}
	return err
}
