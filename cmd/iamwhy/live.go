package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/iamwhy/iamwhy/collectors"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A liveFlags is what --live and what goes with it say.
type liveFlags struct {
	on     bool
	maxAge time.Duration
}

func (l *liveFlags) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&l.on, "live", false, "ask AWS for the policies that the answer hangs on, in place of --snapshot")
	flags.DurationVar(&l.maxAge, "live-max-age", 15*time.Minute, "use what --live was told at most this `TIME` ago; 0 asks anew")
}

// awsFlags are the flags that say as whom AWS is asked.
func awsFlags(flags *pflag.FlagSet, aws *source.AWS) {
	flags.StringVar(&aws.Profile, "profile", "", "ask AWS as this `PROFILE` of its configuration; else as the environment says")
	flags.StringVar(&aws.RoleARN, "role-arn", "", "assume the role of this `ARN` first")
	flags.StringVar(&aws.ExternalID, "external-id", "", "the external `ID` that the role asks for")
}

// checkAWS says what is wrong with awsFlags.
func checkAWS(aws *source.AWS) error {
	if aws.ExternalID != "" && aws.RoleARN == "" {
		return errors.New("--external-id is for the role of --role-arn: give that, too")
	}
	return nil
}

// check says what is wrong with the flags. With --live the environment's snapshot doesn't count.
func (l *liveFlags) check(cmd *cobra.Command) error {
	switch given := cmd.Flag("snapshot").Changed; {
	case l.on && given:
		return errors.New("--live and --snapshot exclude each other: policies are AWS's of now, or those of the snapshot")
	case l.on && cmd.Flag("history") != nil && cmd.Flag("history").Changed:
		return errors.New("--live and --history exclude each other: policies are AWS's of now, or those of the time")
	case !l.on && cmd.Flag("live-max-age").Changed:
		return errors.New("--live-max-age is for --live: give that, too")
	case l.maxAge < 0:
		return fmt.Errorf("--live-max-age %s: a time can't be negative; 0 asks anew", l.maxAge)
	}
	return nil
}

// A liveAWS is AWS in place of a snapshot.
type liveAWS struct {
	*collectors.Live
	app *app
	now time.Time
	p   *collectors.Progress
}

// goLive asks AWS who the caller is.
func (a *app) goLive(ctx context.Context, l liveFlags, caller source.AWS) (*liveAWS, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("--live keeps what it is told in the user's cache folder: %w", err)
	}
	caller = a.asking(caller)
	cfg, err := caller.Config(ctx)
	if err != nil {
		return nil, err
	}
	live := &liveAWS{app: a, now: time.Now(), p: new(collectors.Progress)}
	live.Live, err = collectors.NewLive(ctx, collectors.LiveOptions{
		Config: cfg, Now: live.now, Folder: filepath.Join(cache, "iamwhy", "live"), MaxAge: l.maxAge, Progress: live.p,
	})
	var call *collectors.CallError
	if errors.As(err, &call) {
		return nil, caller.Failure(ctx, call.Action, call.Err)
	}
	return live, err
}

// asking is caller, who may be asked for an MFA code if somebody is there.
func (a *app) asking(caller source.AWS) source.AWS {
	if caller.MFAToken == nil && isTerminal(a.in) && isTerminal(a.err) {
		caller.MFAToken = a.askMFA
	}
	return caller
}

// gather gets the policies that questions hang on, shows how far that is, and says how old they are.
func (l *liveAWS) gather(ctx context.Context, q collectors.Questions) (*snapshot.Snapshot, error) {
	stop := l.app.show(func(time.Duration, int) string { return howFar(l.p) })
	snap, folder, err := l.Gather(ctx, q)
	stop()
	if err != nil {
		return nil, err
	}
	if at := snap.CollectedAt(); at.Before(l.now.Truncate(time.Second)) {
		l.app.note("live policies of %s ago; --live-max-age 0 asks anew", age(l.now.Sub(at)))
	}
	if l.app.verbose {
		l.app.note("live policies are in %s", folder)
	}
	l.app.problems(snap)
	return snap, nil
}

// age is a time that has passed, in the unit that says most.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// forCheck gathers what the answer to a question hangs on. requests are those that the question makes, for whoever calls;
// who that is may be a name, which is looked for.
func (l *liveAWS) forCheck(ctx context.Context, principal string, requests func(evaluator.Principal) ([]evaluator.Request, error)) (*snapshot.Snapshot, error) {
	var q collectors.Questions
	caller, err := evaluator.ParsePrincipal(principal)
	if err != nil {
		if strings.HasPrefix(principal, "arn:") {
			return nil, fmt.Errorf("-p: %w", err)
		}
		name, _, _ := strings.Cut(principal, "/") // of a role, with a session's
		q.Names = []string{name}
		if caller, err = evaluator.ParsePrincipal(l.Caller()); err != nil { // of whose account it is
			return nil, fmt.Errorf("-p %s: give the full ARN: %w", principal, err)
		}
	}
	if q.Requests, err = requests(caller); err != nil {
		return nil, err
	}
	if q.Names != nil { // the caller itself isn't who is asked about
		for i := range q.Requests {
			q.Requests[i].Principal = evaluator.Principal{}
		}
	}
	snap, err := l.gather(ctx, q)
	if err != nil || q.Names == nil {
		return snap, err
	}
	if _, err := snap.ResolvePrincipal(principal); err == nil {
		return snap, nil
	}
	return nil, l.notFound(snap, principal)
}

// notFound says why a name means nobody: AWS said so, or didn't say.
func (l *liveAWS) notFound(snap *snapshot.Snapshot, name string) error {
	for _, p := range snap.Parts() {
		if strings.HasSuffix(p.Name, "/iam") && p.Status != "ok" {
			return &source.AWSError{Err: fmt.Errorf("-p %s: looking for it failed: %s; give the full ARN", name, p.Reason)}
		}
	}
	_, err := snap.ResolvePrincipal(name)
	return fmt.Errorf("-p: no one user or role of account %s is called %q (%w): give its name, or its full ARN", accountOfARN(l.Caller()), name, err)
}

func accountOfARN(text string) string {
	arn, _ := policy.ParseARN(text)
	return arn.Account
}

// liveResource makes an ARN of a bucket or bucket/key: with --live no list of resources is at hand.
func (l *liveAWS) liveResource(action, resource string) string {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	if service != "s3" || resource == "" || resource == "*" || strings.HasPrefix(resource, "arn:") {
		return resource
	}
	arn, _ := policy.ParseARN(l.Caller())
	return policy.ARN{Partition: arn.Partition, Service: "s3", Resource: resource}.String()
}

// A liveSource is AWS as a PolicySource of the denials that it heard of, once it has gathered what they hang on. A nil
// one hears and gathers nothing.
type liveSource struct {
	*snapshot.Snapshot // nil before
	aws                *liveAWS
	requests           []evaluator.Request // of those that are the same here, one
	heard              map[string]bool
}

// hearEvent takes note of an event's denials.
func (s *liveSource) hearEvent(e *correlate.Event) {
	if s == nil {
		return
	}
	for _, d := range correlate.DenialsOf(e, false) {
		s.hear(d)
	}
}

// hear takes note of a denial's requests: of what tells which policies they hang on.
func (s *liveSource) hear(d correlate.Denial) {
	if s == nil {
		return
	}
	for _, r := range d.Requests() {
		if r.AccountAssumed {
			r.Resource.Account = "" // AWS knows better
		}
		arn := r.Resource.ARN
		if bucket, _, ok := strings.Cut(arn, "/"); ok && strings.Contains(arn, ":s3:::") {
			arn = bucket
		}
		p, vpce := r.Principal, r.Context.Lookup("aws:SourceVpce")
		key := fmt.Sprintf("%q %q %q %q %q %q %q %q %q", p.Type, p.RoleARN, p.ARN, p.ParentARN, p.Account, r.Action, arn, r.Resource.Account, vpce.Values)
		if p.Type == evaluator.AssumedRole && p.RoleARN != "" { // of any session
			key = fmt.Sprintf("%q %q %q %q %q", p.RoleARN, r.Action, arn, r.Resource.Account, vpce.Values)
		}
		if !s.heard[key] {
			s.heard[key] = true
			s.requests = append(s.requests, r.Request)
		}
	}
}

// gather gets the policies that all of it hangs on.
func (s *liveSource) gather(ctx context.Context) (err error) {
	if s == nil {
		return nil
	}
	s.Snapshot, err = s.aws.gather(ctx, collectors.Questions{Requests: s.requests})
	return err
}
