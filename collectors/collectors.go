// Package collectors asks AWS for every policy that can deny a call, and writes
// them as a snapshot (product.md section 2). [Collect] is the call that most need.
//
// It makes read-only calls, those that [LeastPolicy] allows and no other. What it may not
// read, or can't, is recorded in snapshot.json with the action that was denied, and the rest
// goes on: package snapshot takes it to be unknown. It judges nothing, and
// stores what AWS said.
//
// A source of policies is one file and one row of parts.
package collectors

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A part is a kind of thing that is collected.
type part struct {
	// name is the part's name in snapshot.json, for each account below accounts/<account>/: iam,
	// resources/s3. What follows the last slash is its word for --only and --skip.
	name  string
	scope scope
	types []string // of its resources, as an item's type: bucket, access point
	// permissions are the IAM actions that it needs, and all that it needs: the
	// least policy is made of them, and tests fail on any other call.
	permissions []string
	// regions says that collect needs to know all regions, though it isn't called for each.
	regions bool
	// lists are the members of a part's file that is an object of lists; none for a file that is one list.
	lists []string
	// also are further parts of snapshot.json that this one makes, with files of their own.
	also []string
	// one collects the one resource that an ARN is about, for which collect would list all; nil if there is no such way.
	one *single
	// only are the users, roles, resources or accounts that collect is about; none if it is about all.
	only []string
	// at are the regions to collect it in; nil if those of the run.
	at []string
	// collect puts what there is into c, and what it couldn't get. It is called once for each
	// account, or for each account and region, and at the same time for several.
	collect func(ctx context.Context, c *collection)
}

// A single is how the policy of one resource is read.
type single struct {
	// guarded is the ARN that the policy is attached to; ok is false if that must be looked for among all.
	guarded func(policy.ARN) (guarded policy.ARN, ok bool)
	collect func(ctx context.Context, c *collection, arn policy.ARN)
}

// upTo cuts a resource's ARN after what follows a prefix: what the policy is attached to ends at the first of end.
func upTo(prefix, end string) func(policy.ARN) (policy.ARN, bool) {
	return func(arn policy.ARN) (policy.ARN, bool) {
		name, ok := strings.CutPrefix(arn.Resource, prefix)
		if i := strings.IndexAny(name, end); i >= 0 {
			name = name[:i]
		}
		arn.Resource = prefix + name
		return arn, ok && name != "" && !strings.ContainsAny(arn.String(), "*?")
	}
}

// A scope says how often a part is collected.
type scope int

const (
	perRegion       scope = iota // in each region of each account; what was found in all goes into one file
	perAccount                   // once an account, for a service that is global or lists all regions at once
	perOrganization              // once, with the caller's own credentials
)

// parts are the rows, in the order of their names.
func parts() []*part {
	return []*part{
		&endpointsPart,
		&iamPart,
		&identityCenterPart,
		&organizationPart,
		&authoritiesPart,
		&backupPart,
		&cloudtrailPart,
		&codeartifactPart,
		&codebuildPart,
		&dynamodbPart,
		&ecrPart,
		&efsPart,
		&opensearchPart,
		&eventsPart,
		&apiPart,
		&glacierPart,
		&gluePart,
		&kafkaPart,
		&kinesisPart,
		&kmsPart,
		&lambdaPart,
		&lexPart,
		&logsPart,
		&ramPart,
		&redshiftServerlessPart,
		&s3Part,
		&s3expressPart,
		&s3tablesPart,
		&secretsPart,
		&sesPart,
		&signerPart,
		&snsPart,
		&sqsPart,
		&ssmPart,
		&latticePart,
	}
}

// asksRegions reports whether the part is of the regions that are asked, rather than of the whole account.
func (p *part) asksRegions() bool { return p.scope == perRegion || p.regions }

// word is what the user calls the part.
func (p *part) word() string { return p.name[strings.LastIndexByte(p.name, '/')+1:] }

// in is the part's name in snapshot.json, which is that of its file without .json.
func (p *part) in(account string) string {
	if p.scope == perOrganization {
		return p.name
	}
	return "accounts/" + account + "/" + p.name
}

// Parts returns the words for --only and --skip.
func Parts() []string {
	var words []string
	for _, p := range parts() {
		words = append(words, p.word())
	}
	return words
}

// choose returns the rows that --only and --skip leave, and the others.
func choose(all []*part, only, skip []string) (chosen, left []*part, err error) {
	known := make([]string, 0, len(all))
	for _, p := range all {
		known = append(known, p.word())
	}
	for _, word := range slices.Concat(only, skip) {
		if !slices.Contains(known, word) {
			return nil, nil, fmt.Errorf("unknown part %q: have %s", word, strings.Join(known, ", "))
		}
	}
	for _, p := range all {
		if len(only) > 0 && !slices.Contains(only, p.word()) || slices.Contains(skip, p.word()) {
			left = append(left, p)
		} else {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return nil, nil, fmt.Errorf("--only and --skip leave no part: have %s", strings.Join(known, ", "))
	}
	return chosen, left, nil
}
