package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
)

func (a *app) eventsCommand() *cobra.Command {
	var f filter
	var lim limits
	var sources []string
	all := false
	cmd := &cobra.Command{
		Use:   "events SOURCE...",
		Short: "list denied calls",
		Long: `List the denied calls in CloudTrail events. A SOURCE is a file, a directory or
- for standard input: a trail's log files, JSON lines, the output of lookup-events,
EventBridge events, CSV; compressed or not.

With -v, each call is followed by what it asked of IAM: the action on the resource, and what
else it needs or may need. JSON has that, too, with the context keys that are known and
those that aren't.`,
		Example: `  iamwhy events logs/
  aws cloudtrail lookup-events | iamwhy events --since 7d --output csv -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.parse(time.Now()); err != nil {
				return err
			}
			sources = append(sources, args...)
			if len(sources) == 0 {
				return errNoSource
			}
			return a.events(cmd, sources, &f, lim, all)
		},
	}
	f.flags(cmd)
	lim.flags(cmd)
	cmd.Flags().BoolVar(&all, "all-errors", false, "every error, not only denials")
	cmd.Flags().StringArrayVar(&sources, "events", nil, "a further `SOURCE`")
	return cmd
}

var errNoSource = errors.New("no SOURCE: give a file or directory of CloudTrail events, or - for standard input")

func (a *app) events(cmd *cobra.Command, sources []string, f *filter, lim limits, all bool) error {
	p, err := a.printer(render.Denials)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // sources may overlap (T100)
	c, err := a.read(cmd.Context(), sources, lim, func(e *correlate.Event) (bool, error) {
		if !f.event(e) {
			return false, nil
		}
		wanted := false
		for _, d := range correlate.DenialsOf(e, all) {
			if !f.denial(d) {
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
			if err := p.Denial(d); err != nil {
				return false, err
			}
		}
		return wanted, nil
	})
	if err != nil {
		return err
	}
	if err := p.Close(correlate.Summary{}); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	a.summary(c)
	return c.outcome()
}
