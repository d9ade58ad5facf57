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

// An explainJob is what explain is asked.
type explainJob struct {
	filter   filter
	input    input
	messages []string
	options  correlate.Options
	history  string // a directory of snapshots, or git; "" is none
	out      string
	query    string // whose SQL is wanted instead; "" is none
	live     liveFlags
}

func (a *app) explainCommand() *cobra.Command {
	var job explainJob
	cmd := &cobra.Command{
		Use:   "explain [SOURCE...]",
		Short: "why calls were denied: layer, policy, statement, near misses, fix",
		Long: `Explain every denied call: the layer, policy and statement responsible, what
came near to allowing it, everything else that would still deny it, and what
would fix it. Equal denials are explained once. Without --snapshot and --live AWS's own
message is all there is to go by; --live asks AWS for the policies of those who were denied, and of what. A SOURCE is one of

` + sourceHelp(),
		Example: `  iamwhy explain --snapshot snapshot/ logs/
  iamwhy explain --snapshot snapshot/ --since 2h lookup:eu-west-1
  iamwhy explain --snapshot snapshot/ --history git --since 30d s3://my-trail
  iamwhy explain --live --since 2h lookup:eu-west-1
  iamwhy explain --snapshot snapshot/ --message 'User: arn:aws:iam::123456789012:user/u is not authorized to perform: s3:GetObject ...'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := job.filter.parse(time.Now()); err != nil {
				return err
			}
			if err := errors.Join(job.live.check(cmd), job.input.take(args)); err != nil {
				return err
			}
			if len(job.input.sources)+len(job.messages) == 0 {
				return errors.New("nothing to explain: give a SOURCE of CloudTrail events, or --message with the error as it was printed")
			}
			if job.query != "" {
				return a.printQuery(cmd.Context(), job.query, &job.input, job.filter.query(source.Findings), job.out)
			}
			return a.explain(cmd.Context(), job)
		},
	}
	job.filter.flags(cmd)
	job.input.flags(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&job.messages, "message", nil, "an access-denied error's `TEXT`, as pasted from a terminal")
	flags.StringVar(&job.history, "history", "", "explain each call by the snapshot of its time: a `DIR` of snapshots, or git for the commits of --snapshot")
	job.live.flags(flags)
	flags.BoolVar(&job.options.AssumeNoSessionPolicy, "assume-no-session-policy", false, "take sessions to have no session policy where the events don't tell")
	outFlag(cmd, &job.out)
	queryFlag(cmd, &job.query)
	return cmd
}

func (a *app) explain(ctx context.Context, job explainJob) error {
	p, err := a.printerTo(ctx, render.Findings, job.out)
	if err != nil {
		return err
	}
	defer p.giveUp()
	policies, live, closing, err := a.policiesOf(ctx, &job)
	if err != nil {
		return err
	}
	defer closing()
	explainer := correlate.NewExplainer(policies, job.options)
	summary := correlate.Summary{ByLayer: map[string]int{}}
	for _, text := range job.messages {
		d, err := denialOf(text)
		if err != nil {
			return err
		}
		if job.filter.denial(d) {
			explainer.AddDenial(d)
			live.hear(d)
			summary.Denials++
		}
	}
	c, err := a.read(ctx, &job.input, job.filter.query(source.Findings), func(e *correlate.Event) (bool, error) {
		n := addWanted(explainer, &job.filter, e)
		summary.Denials += n
		if n > 0 {
			live.hearEvent(e)
		}
		return n > 0, nil
	})
	if err != nil {
		return err
	}
	a.tellStop(p, &c, "what follows")
	switch {
	case c.ended != nil && p.file != nil:
		return a.conclude(p, &c, summary)
	case c.ended != nil: // what was read is explained all the same; the next Ctrl-C ends the process
		ctx = context.WithoutCancel(ctx)
	}
	if err := live.gather(ctx); err != nil {
		return err
	}
	for f, err := range explainer.Findings(ctx) {
		if err != nil {
			return err
		}
		summary.Findings++
		summary.ByLayer[f.Layer] += f.Count
		if err := p.Finding(f); err != nil {
			return err
		}
	}
	summary.Events, summary.Skipped = c.read, c.skipped
	return a.conclude(p, &c, summary)
}

// policiesOf is where explain finds policies: the snapshot, or those of its history, or with --live AWS, once the denials are
// known; nil if none was given. closing ends what reads it.
func (a *app) policiesOf(ctx context.Context, job *explainJob) (src correlate.PolicySource, live *liveSource, closing func(), err error) {
	if !job.live.on {
		src, closing, err = a.policies(ctx, job.history, job.input.usesStdin())
		return src, nil, closing, err
	}
	job.input.aws = job.input.aws.Shared() // one MFA code for events and policies
	if !job.input.usesStdin() {
		job.input.aws = a.asking(job.input.aws)
	}
	aws, err := a.goLive(ctx, job.live, job.input.aws)
	if err != nil {
		return nil, nil, nil, err
	}
	live = &liveSource{aws: aws, heard: map[string]bool{}}
	return live, live, func() {}, nil
}

// addWanted hands an event on and returns how many denials that are wanted it
// holds. Events that aren't denied are handed on whatever the filter says:
// those that made a session tell its session policy (rule T32).
func addWanted(x *correlate.Explainer, f *filter, e *correlate.Event) int {
	if f.empty() {
		return x.Add(e)
	}
	denials := correlate.DenialsOf(e, false)
	if len(denials) > 0 {
		if !f.event(e) {
			return 0
		}
		wanted := 0
		for _, d := range denials {
			if f.denial(d) {
				wanted++
			}
		}
		if wanted == 0 {
			return 0
		}
	}
	return x.Add(e)
}
