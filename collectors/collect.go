package collectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Options say what to collect, and as whom. The zero value, but for Config and
// Now, collects all parts of the caller's own account.
type Options struct {
	// Config has the caller's credentials, and the region where what has none is asked. Unless it has a
	// Retryer, calls that are throttled are tried up to six times, at a rate that adapts.
	Config aws.Config
	Now    time.Time // when the snapshot is taken

	Org      bool     // every account of the caller's organisation
	Accounts []string // or these

	RoleName    string // to assume in accounts other than the caller's, with its path; "" is OrganizationAccountAccessRole
	ExternalID  string // that the role's trust policy asks for
	SessionName string // of the role's session; "" is iamwhy

	Only, Skip []string // words of Parts; what isn't collected stays as an earlier collection left it
	Regions    []string // to ask; none is all that an account has enabled

	Concurrency int // calls at once to one service of one account; 0 is 10

	Progress *Progress // may be nil
}

// A Progress says how far a collection is. It may be read while Collect runs.
type Progress struct {
	Accounts, AccountsDone atomic.Int64
	Parts, PartsDone       atomic.Int64 // a part that is collected per region counts once for each
	Calls                  atomic.Int64
	Gaps                   atomic.Int64 // calls that failed
}

// A Report says what came of a collection.
type Report struct {
	CollectedBy string // the caller's ARN
	Written     bool   // false if nothing at all was got: what was there is left as it was
	Results     []Result
	Dropped     []string // accounts that left the organisation, and the snapshot
	// AccountsUnknown says that every account of the organisation was asked for, and AWS didn't
	// list them all: those that it did are collected, and the caller's own.
	AccountsUnknown bool
}

// A Result says what came of one part.
type Result struct {
	Account string // "" for a part of the organisation
	Part    string // the word for --only and --skip, or such as organization/scp
	Status  string // ok, denied, error or skipped
	Reason  string
	// Kept is when an earlier collection got the part, which this one wasn't asked for; "" if it was.
	Kept string
}

const (
	defaultConcurrency = 10
	accountsAtOnce     = 4
	partsAtOnce        = 24 // of one account; the calls of each have limits of their own
	maxAttempts        = 6  // of a call; more than that and a service that is down costs minutes
)

// Collect asks AWS and writes a snapshot into folder, in place of the one that is there. What couldn't be
// got is in the snapshot and in the report. An error says that there is no new
// snapshot, and that the old one is whole: the credentials don't work, the folder can't be
// written, the context was cancelled.
func Collect(ctx context.Context, folder string, o Options) (*Report, error) {
	return collect(ctx, folder, o, parts())
}

func collect(ctx context.Context, folder string, o Options, all []*part) (*Report, error) {
	rows, left, err := choose(all, o.Only, o.Skip)
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Org {
		rows, left = withOrganization(rows, left)
	}
	o.setDefaults()
	who, err := whoAsks(ctx, o.Config)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	st, err := newStage(folder, topLevel(all))
	if err != nil {
		return nil, err
	}
	defer st.discard()
	r := &run{Options: o, who: who, rows: rows, left: left, stage: st, parts: make(map[string]partRecord)}
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	return r.finish()
}

// withOrganization adds the part that says which accounts there are.
func withOrganization(rows, left []*part) (chosen, others []*part) {
	i := slices.IndexFunc(left, func(p *part) bool { return p.name == organizationPart.name })
	if i < 0 {
		return rows, left
	}
	return append([]*part{left[i]}, rows...), slices.Delete(slices.Clone(left), i, i+1)
}

// check refuses what can't be meant.
func (o *Options) check() error {
	if o.Org && len(o.Accounts) > 0 {
		return errors.New("--org and --accounts exclude each other: --org is every account of the organisation")
	}
	for _, account := range o.Accounts {
		if !accountID.MatchString(account) {
			return fmt.Errorf("%q isn't an account: expected twelve digits", account)
		}
	}
	for _, region := range o.Regions {
		if !regionName.MatchString(region) {
			return fmt.Errorf("%q isn't a region: expected a name such as eu-west-1", region)
		}
	}
	return nil
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionName = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
)

func (o *Options) setDefaults() {
	o.Concurrency = cmp.Or(o.Concurrency, defaultConcurrency)
	o.Regions = slices.Compact(slices.Sorted(slices.Values(o.Regions)))
	o.Config = o.Config.Copy()
	o.Config.Region = cmp.Or(o.Config.Region, "us-east-1")
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	if o.Config.Retryer == nil {
		o.Config.RetryMode, o.Config.RetryMaxAttempts = aws.RetryModeAdaptive, cmp.Or(o.Config.RetryMaxAttempts, maxAttempts)
	}
}
