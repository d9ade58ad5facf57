package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/cmd/iamwhy/internal/render"
	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
	"github.com/iamwhy/iamwhy/evaluator/nearest"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// checkTyped answers for a command of the AWS CLI: each request that it makes, and all together.
func (a *app) checkTyped(ctx context.Context, q question, words []string) error {
	p, err := a.printer(render.Checks)
	if err != nil {
		return err
	}
	given, err := q.context()
	if err != nil {
		return err
	}
	snap, err := a.policiesFor(ctx, &q, func(p evaluator.Principal) ([]evaluator.Request, error) {
		return q.typedRequests(words, p, given)
	})
	if err != nil {
		return err
	}
	principal, err := snap.ResolvePrincipal(q.principal)
	if err != nil {
		return fmt.Errorf("-p: %w", err)
	}
	command, err := apicall.FromCommand(words, commandEnv(q, principal))
	if err != nil {
		return commandError(err)
	}
	if err := typo(command.Unknown); err != nil {
		return err
	}
	decisive := map[string]bool{}
	out := render.Command{Words: words, What: strings.Join(command.Words, " "), Principal: principal, Unread: command.Unread}
	for _, r := range command.Requests() {
		req := evaluator.Request{Principal: principal, Action: r.Action, Resource: r.Resource, Context: given.Clone(), Puts: r.Puts, Strict: q.strict}
		for _, v := range slices.Concat(r.Context, r.Assumed) { // what the user gives wins, even as unknown
			if !given.Known(v.Name) {
				req.Context.Put(v)
			}
		}
		named(snap, &req.Resource)
		answer, policies, err := ask(ctx, snap, q, req)
		if err != nil {
			return err
		}
		for _, v := range r.Assumed {
			if r.Required && !given.Known(v.Name) && hangs(answer, &policies, v.Name) {
				decisive[v.Name] = true
			}
		}
		out.Checks = append(out.Checks, render.CommandCheck{Check: answer, Required: r.Required, When: r.When})
	}
	for _, x := range command.Assumed {
		switch {
		case decisive[x.Key] && !given.Known(x.Key):
			out.Assumed = append(out.Assumed, x.Text+" (the answer hangs on this)")
		case x.Key == "" || len(out.Checks) > 0 && !given.Known(x.Key):
			out.Assumed = append(out.Assumed, x.Text)
		}
	}
	if command.Unknown != nil {
		out.Assumed = append(out.Assumed, command.Unknown.Msg+": taken for one whose action has its name")
	}
	if principal.Type == evaluator.AssumedRole && (q.closed || q.noSession) && len(out.Checks) > 0 {
		out.Assumed = append(out.Assumed, "session policy: none")
	}
	a.note("principal: %s", principal.ARN)
	if err := p.Command(out); err != nil {
		return err
	}
	if err := p.Close(correlate.Summary{}); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	return decisionStatus(out.Decision())
}

// typedRequests are those of a command, as far as they tell which policies concern it.
func (q question) typedRequests(words []string, p evaluator.Principal, given evaluator.Context) ([]evaluator.Request, error) {
	command, err := apicall.FromCommand(words, commandEnv(q, p))
	if err != nil {
		return nil, commandError(err)
	}
	var all []evaluator.Request
	for _, r := range command.Requests() {
		all = append(all, evaluator.Request{Principal: p, Action: r.Action, Resource: r.Resource, Context: given})
	}
	return all, typo(command.Unknown)
}

// hangs reports whether an answer would be another one if a context key weren't known.
func hangs(c render.Check, policies *evaluator.Policies, key string) bool {
	req := c.Request
	req.Context = req.Context.Clone()
	req.Context.SetState(key, evaluator.UnknownKey)
	return evaluator.Evaluate(&req, policies) != c.Explanation.Decision
}

// commandEnv is where the command would run: here.
func commandEnv(q question, principal evaluator.Principal) apicall.CommandEnv {
	env := apicall.CommandEnv{
		Principal: principal, Account: principal.Account, Region: q.region,
		Getenv: os.Getenv, ProfileRegion: profileRegion, ReadFile: readParameterFile,
	}
	if arn, ok := policy.ParseARN(principal.ARN); ok {
		env.Partition = arn.Partition
	}
	return env
}

// maxParameterFile bounds what file:// reads.
const maxParameterFile = 4 << 20

// readParameterFile reads what file:// in a command names.
func readParameterFile(name string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		name = filepath.Join(home, rest)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, notFound(err, "file:// takes a path from the current directory, or file:///… from the root")
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s isn't a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxParameterFile+1))
	if err == nil && len(data) > maxParameterFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxParameterFile)
	}
	return data, err
}

// profileRegion returns the region of a profile in the AWS CLI's configuration file, "" if it has none.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
func profileRegion(profile string) string {
	name := os.Getenv("AWS_CONFIG_FILE")
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		name = filepath.Join(home, ".aws", "config")
	}
	data, err := readParameterFile(name)
	if err != nil {
		return ""
	}
	return regionIn(string(data), profile)
}

// regionIn finds a profile's region in the text of a configuration file: of [profile NAME] or [default]. Lines that are
// indented belong to the setting above them.
func regionIn(text, profile string) string {
	section, region := "", ""
	if profile == "" {
		profile = "default"
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.ContainsRune(" \t#;", rune(line[0])) {
			continue
		}
		if head, ok := strings.CutPrefix(line, "["); ok {
			head, _, _ = strings.Cut(head, "]")
			section = strings.Join(strings.Fields(head), " ")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		of := section == "profile "+profile || section == "default" && profile == "default"
		if ok && of && strings.TrimSpace(key) == "region" {
			region = strings.TrimSpace(value)
		}
	}
	return region
}

// commandError adds what was meant to an error about a command line.
func commandError(err error) error {
	var c *apicall.CommandError
	if !errors.As(err, &c) || c.Word == "" {
		return err
	}
	return fmt.Errorf("%w%s", err, suggest(c.Word, c.Known, ""))
}

// maxSlip is how many letters a typing error gets wrong.
const maxSlip = 2

// typo is the error for an operation that nobody knows and that looks like one that is known; one that looks like
// none may be newer than the data.
func typo(unknown *apicall.CommandError) error {
	if unknown == nil || !slices.ContainsFunc(unknown.Known, func(k string) bool { return nearest.Distance(unknown.Word, k) <= maxSlip }) {
		return nil
	}
	return commandError(unknown)
}

// named puts the ARN that the snapshot knows in the place of one whose path isn't known: IAM's names are unique in an account
// whatever their path.
func named(snap *snapshot.Snapshot, r *evaluator.Resource) {
	arn, ok := policy.ParseARN(r.ARN)
	if !ok || !r.Pattern || arn.Service != "iam" {
		return
	}
	kind, name, ok := strings.Cut(arn.Resource, "/*")
	if !ok || name == "" || strings.ContainsAny(kind+name, "*?/") {
		return
	}
	found, err := snap.ResolveResource("iam:GetRole", name)
	if err != nil {
		found, err = snap.ResolveResource("iam:GetRole", arn.Account+":"+kind+"/"+name) // several of the name
	}
	got, ok := policy.ParseARN(found.ARN)
	if err != nil || !ok || got.Account != arn.Account || !strings.HasPrefix(got.Resource, kind+"/") || got.Resource[strings.LastIndexByte(got.Resource, '/')+1:] != name {
		return
	}
	*r = found
}
