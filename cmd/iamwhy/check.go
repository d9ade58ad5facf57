package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/correlate/source"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A question is what check is asked.
type question struct {
	principal, action, resource string
	values                      []string // key=value
	unknown                     []string
	closed                      bool
	noSession                   bool
	strict                      bool
	region                      string // of a command after --
	live                        liveFlags
	aws                         source.AWS // whom AWS is asked as, with --live
}

func (a *app) checkCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "check -p PRINCIPAL {-a ACTION [-r RESOURCE] | -- aws COMMAND...} [-c KEY=VALUE]...",
		Short: "would it be allowed?",
		Long: `Say whether a call would be allowed, and why. Context keys that aren't given are
unknown, unless --closed-context; an answer that hangs on one says so.

After --, a command of the AWS CLI is checked as it would be typed: every
permission and resource that it needs, and what was assumed to tell them.
Nothing is run.

With --live AWS is asked for just the policies that the answer hangs on: what the principal has, the SCPs and RCPs
of its account, the resource's policy. All calls are read-only. Without -p it is whoever asks.

Exit status: 0 allowed, 1 denied, 3 indeterminate, 2 usage or input, 4 AWS couldn't be asked.`,
		Example: `  iamwhy check --snapshot snapshot/ -p deploy -a s3:PutObject -r acme-logs/app.log -c aws:RequestedRegion=us-east-1
  iamwhy check --snapshot snapshot/ -p deploy -- aws s3 cp app.log s3://acme-logs/app.log --region us-east-1
  iamwhy check --live -p deploy -a s3:PutObject -r acme-logs/app.log`,
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); len(args) > 0 && n != 0 {
				return fmt.Errorf("unexpected argument %q: the question is asked with -p, -a, -r and -c, or with a command after --", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			typed := cmd.ArgsLenAtDash() == 0
			if err := errors.Join(q.live.check(cmd), checkAWS(&q.aws)); err != nil {
				return err
			}
			switch {
			case q.principal == "" && !q.live.on:
				return errors.New("no principal: give -p an ARN or part of one")
			case typed && (q.action != "" || q.resource != ""):
				return errors.New("-a or -r, and a command after --: the command says itself what it does; give one or the other")
			case typed && len(args) == 0:
				return errors.New("no command after --: want aws SERVICE OPERATION [--OPTION VALUE]")
			case !typed && q.region != "":
				return errors.New("--region is for a command after --; with -a, give -c aws:RequestedRegion=REGION")
			case !typed && q.action == "":
				return errors.New("no action: give -a one, such as s3:GetObject, or a command of the AWS CLI after --")
			case !q.live.on && q.aws.Profile+q.aws.RoleARN != "":
				return errors.New("--profile and --role-arn say as whom --live asks AWS: give that, too")
			case a.snapshot == "" && !q.live.on:
				return errors.New("no snapshot: give --snapshot, set IAMWHY_SNAPSHOT, or give --live to ask AWS")
			case typed:
				return a.checkTyped(cmd.Context(), q, args)
			}
			return a.check(cmd.Context(), q)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&q.principal, "principal", "p", "", "who calls: an `ARN`, or any part of one that fits one principal")
	flags.StringVarP(&q.action, "action", "a", "", "the `ACTION`: s3:GetObject")
	flags.StringVarP(&q.resource, "resource", "r", "", "the `RESOURCE`: an ARN, bucket/key, or a known name; '*' for an action that has none")
	flags.StringVar(&q.region, "region", "", "the `REGION` of a command after --, if it names none itself")
	flags.StringArrayVarP(&q.values, "context", "c", nil, "a context key, as `KEY=VALUE`; again with the same key for a further value")
	flags.StringArrayVar(&q.unknown, "unknown", nil, "a context `KEY` that isn't known, beside --closed-context")
	flags.BoolVar(&q.closed, "closed-context", false, "the request is as given: other context keys are absent, and a role's session has no session policy")
	flags.BoolVar(&q.noSession, "assume-no-session-policy", false, "take a role's session to have no session policy")
	q.live.flags(flags)
	awsFlags(flags, &q.aws)
	flags.BoolVar(&q.strict, "strict", false, "rest on nothing but what AWS documents: the rest is unknown")
	return cmd
}

func (a *app) check(ctx context.Context, q question) error {
	p, err := a.printer(render.Checks)
	if err != nil {
		return err
	}
	requestContext, err := q.context()
	if err != nil {
		return err
	}
	if service, name, ok := strings.Cut(q.action, ":"); !ok || service == "" || name == "" || strings.ContainsAny(q.action, "*?") {
		return fmt.Errorf("-a %q is not one action of the form service:Name, such as s3:GetObject", q.action)
	}
	a.doubtAction(q.action)
	if q.resource == "" && apicall.Resourceless(q.action) {
		q.resource = "*"
	}
	snap, err := a.policiesFor(ctx, &q, func(p evaluator.Principal) ([]evaluator.Request, error) {
		return []evaluator.Request{{Principal: p, Action: q.action, Resource: evaluator.Resource{ARN: q.resource}, Context: requestContext}}, nil
	})
	if err != nil {
		return err
	}
	req := evaluator.Request{Action: q.action, Context: requestContext, Strict: q.strict}
	if req.Principal, err = snap.ResolvePrincipal(q.principal); err != nil {
		return fmt.Errorf("-p: %w", err)
	}
	if q.resource == "" {
		// Which resource isn't said: the answer must hold for any (rule R14).
		req.Resource = evaluator.Resource{ARN: "*", Pattern: true}
	} else if req.Resource, err = snap.ResolveResource(q.action, q.resource); err != nil {
		return fmt.Errorf("-r: %w", err)
	}
	answer, _, err := ask(ctx, snap, q, req)
	if err != nil {
		return err
	}
	a.resolved(q, answer.Request)
	if answer.Request.Principal.Type == evaluator.AssumedRole && (q.closed || q.noSession) {
		a.note("assumed: the session has no session policy")
	}
	if err := p.Check(answer); err != nil {
		return err
	}
	if err := p.Close(correlate.Summary{}); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	return decisionStatus(answer.Explanation.Decision)
}

// policiesFor are those of the snapshot, or with --live those of AWS that the requests hang on. It names in q whom and
// what --live is about.
func (a *app) policiesFor(ctx context.Context, q *question, requests func(evaluator.Principal) ([]evaluator.Request, error)) (*snapshot.Snapshot, error) {
	if !q.live.on {
		return a.loadSnapshot(false)
	}
	live, err := a.goLive(ctx, q.live, q.aws)
	if err != nil {
		return nil, err
	}
	if q.principal == "" {
		q.principal = live.Caller()
	}
	q.resource = live.liveResource(q.action, q.resource)
	return live.forCheck(ctx, q.principal, requests)
}

// doubtAction notes that an action is none that AWS is known to have: probably it is misspelt, or an API call's name. The
// answer is given all the same, as the reference may be too old for it.
func (a *app) doubtAction(action string) {
	text, err := json.Marshal(map[string]any{"Version": policy.Version2012, "Statement": map[string]string{"Effect": "Allow", "Action": action, "Resource": "*"}})
	if err != nil {
		return
	}
	doc, err := policy.Parse("", text)
	if err != nil {
		return
	}
	for _, f := range evaluator.Validate(doc, evaluator.DocumentIdentity, evaluator.ValidateOptions{}) {
		if f.Code != "unknownAction" && f.Code != "unknownService" {
			continue
		}
		note := fmt.Sprintf("action: the service reference of %s doesn't have %s", serviceref.Date(), action)
		if f.Fix != "" {
			note += ": " + f.Fix
		}
		a.note("%s", note)
	}
}

// ask evaluates a request with what the snapshot knows of it.
func ask(ctx context.Context, snap *snapshot.Snapshot, q question, req evaluator.Request) (render.Check, evaluator.Policies, error) {
	snap.Complete(&req)
	evaluator.DeriveContext(&req)
	apicall.LackKeys(req.Action, &req.Context)
	policies, err := snap.Policies(ctx, req)
	if err != nil {
		return render.Check{}, policies, err
	}
	if req.Principal.Type == evaluator.AssumedRole && (q.closed || q.noSession) {
		policies.Session = evaluator.Layer{}
	}
	answer := render.Check{Request: req, Explanation: evaluator.Explain(&req, &policies)}
	if d := answer.Explanation.Decision; d == evaluator.ExplicitDeny || d == evaluator.ImplicitDeny {
		answer.Fixes = evaluator.Fixes(&req, &policies)
	}
	return answer, policies, nil
}

// decisionStatus is the exit status of a decision.
func decisionStatus(d evaluator.Decision) error {
	switch d {
	case evaluator.Allowed:
		return nil
	case evaluator.Indeterminate:
		return status(statusIndeterminate)
	}
	return status(statusNo)
}

// context makes a context of -c and --unknown.
func (q question) context() (evaluator.Context, error) {
	ctx := evaluator.Context{Open: !q.closed}
	for _, pair := range q.values {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return ctx, fmt.Errorf("-c %q is not of the form KEY=VALUE, such as aws:SourceIp=203.0.113.7", pair)
		}
		before := ctx.Lookup(key)
		ctx.Set(key, append(before.Values[:len(before.Values):len(before.Values)], value)...)
	}
	for _, key := range q.unknown {
		if ctx.Known(key) {
			return ctx, fmt.Errorf("context key %s is given with -c, and --unknown: which is it?", key)
		}
		ctx.SetState(key, evaluator.UnknownKey)
	}
	return ctx, nil
}

// resolved says what the names stand for.
func (a *app) resolved(q question, req evaluator.Request) {
	who := req.Principal.ARN
	if req.Principal.Account != "" && !strings.Contains(who, req.Principal.Account) {
		who += " of account " + req.Principal.Account
	}
	a.note("principal: %s", who)
	if q.resource == "" {
		a.note("resource: any; give -r one, or -r '*' for an action that has none")
		return
	}
	what := req.Resource.ARN
	if req.Resource.Account != "" && !strings.Contains(what, ":"+req.Resource.Account+":") {
		what += " of account " + req.Resource.Account
	}
	a.note("resource: %s", what)
}
