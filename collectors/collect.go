package collectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"
)

// Options say what to collect, and as whom. The zero value, but for Config and
// Now, collects all parts of the caller's own account.
type Options struct {
	// Config has the caller's credentials, and the region where what has none is asked. Unless it has a
	// Retryer, calls that are throttled are tried again up to ten times, at a rate that adapts.
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
	maxAttempts        = 10
)

// Collect asks AWS and writes a snapshot into folder, in place of the one that is there. What couldn't be
// got is in the snapshot and in the report. An error says that there is no new
// snapshot, and that the old one is whole: the credentials don't work, the folder can't be
// written, the context was cancelled.
func Collect(ctx context.Context, folder string, o Options) (*Report, error) {
	return collect(ctx, folder, o, parts())
}

// A run is one collection.
type run struct {
	Options
	who     caller
	rows    []*part // to collect
	left    []*part // not asked for
	stage   *stage
	members []member // of the organisation, if it was read

	mu    sync.Mutex
	parts map[string]partRecord
	gave  bool // AWS gave something
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
	o.Config = o.Config.Copy()
	o.Config.Region = cmp.Or(o.Config.Region, "us-east-1")
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	if o.Config.Retryer == nil {
		o.Config.RetryMode, o.Config.RetryMaxAttempts = aws.RetryModeAdaptive, cmp.Or(o.Config.RetryMaxAttempts, maxAttempts)
	}
}

// all collects the organisation, and then the accounts.
func (r *run) all(ctx context.Context) error {
	for _, p := range r.rows {
		if p.scope == perOrganization {
			if err := r.organization(ctx, p); err != nil {
				return err
			}
		}
	}
	accounts := r.accounts()
	r.Progress.Accounts.Store(int64(len(accounts)))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(accountsAtOnce)
	for _, account := range accounts {
		g.Go(func() error {
			defer r.Progress.AccountsDone.Add(1)
			return r.account(inner, account)
		})
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

// accounts are those to collect, in order. Those of an organisation that aren't active are recorded and left out.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html
func (r *run) accounts() []string {
	switch {
	case len(r.Accounts) > 0:
		ids := slices.Sorted(slices.Values(r.Accounts))
		return slices.Compact(ids)
	case !r.Org:
		return []string{r.who.account}
	}
	ids := []string{r.who.account}
	for _, m := range r.members {
		if m.status != "ACTIVE" {
			r.recordAll(m.id, func() partRecord {
				return partRecord{Status: statusSkipped, Reason: "the account's state is " + m.status + ": nobody can enter it"}
			})
			continue
		}
		ids = append(ids, m.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// recordAll records all parts of an account alike.
func (r *run) recordAll(account string, as func() partRecord) {
	for _, p := range r.rows {
		if p.scope != perOrganization {
			r.record(p.in(account), as())
		}
	}
}

func (r *run) record(partName string, p partRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts[partName] = p
	r.gave = r.gave || p.Status == statusOK
	r.Progress.Gaps.Add(int64(len(p.Gaps)))
}

// collection is an empty one, of a part. regions are those to be asked.
func (r *run) collection(cfg aws.Config, p *part, account, region string, regions []string) *collection {
	cfg.Region = region
	return &collection{
		cfg: cfg, account: account, region: region, partition: r.who.partition, regions: regions,
		regional: p.scope == perRegion, limit: r.Concurrency, found: &found{},
	}
}

// organization collects a part of the organisation.
func (r *run) organization(ctx context.Context, p *part) error {
	var slots limits
	slots.most = r.Concurrency
	var regions []string
	var gaps []gap
	if p.regions {
		regions, gaps = r.regionsOf(ctx, r.Config)
	}
	c := r.collection(slots.of(r.Config, p.name, &r.Progress.Calls), p, r.who.account, r.Config.Region, regions)
	c.gaps = gaps
	r.Progress.Parts.Add(1)
	p.collect(ctx, c)
	r.Progress.PartsDone.Add(1)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.members = append(r.members, c.members...)
	for name, content := range c.files {
		if err := r.stage.writeJSON(name, content); err != nil {
			return err
		}
		r.gave = true
	}
	for _, name := range append([]string{p.name}, p.also...) {
		own := slices.DeleteFunc(slices.Clone(c.gaps), func(g gap) bool { return cmp.Or(g.also, p.name) != name })
		r.record(name, record(own, r.given(p)))
	}
	return nil
}

// given are the regions that the user gave, if a part is of regions.
func (r *run) given(p *part) []string {
	if !p.asksRegions() {
		return nil
	}
	return r.Regions
}

// A making is a part of an account while its regions are collected.
type making struct {
	part    *part
	in      []string // regions to collect it in
	regions []string // to be asked, in all

	mu      sync.Mutex
	done    int // regions of in
	lists   map[string][]entry
	gaps    []gap
	written bool
}

// account collects the parts of an account. What AWS doesn't give is recorded; an error is of the disk, or of the context.
func (r *run) account(ctx context.Context, account string) error {
	cfg, err := r.enter(ctx, r.who, account)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.recordAll(account, func() partRecord {
			return record([]gap{newGap("sts:AssumeRole", r.roleIn(r.who.partition, account), "", err)}, nil)
		})
		return nil
	}
	makings := r.makings(ctx, cfg)
	slots := &limits{most: r.Concurrency}
	var mu sync.Mutex
	answered := make(map[string]bool) // regions in which AWS answered all that a part asked
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for _, m := range makings {
		for _, region := range m.in {
			g.Go(func() error {
				c := r.collection(slots.of(cfg, m.part.name, &r.Progress.Calls), m.part, account, region, m.regions)
				m.part.collect(inner, c)
				r.Progress.PartsDone.Add(1)
				if inner.Err() != nil {
					return inner.Err()
				}
				mu.Lock()
				answered[region] = answered[region] || len(c.gaps) == 0
				mu.Unlock()
				if last := m.take(c); !last || m.isEmpty() {
					return nil
				}
				return r.writePart(m, account)
			})
		}
	}
	if err := cmp.Or(g.Wait(), ctx.Err()); err != nil {
		return err
	}
	for _, m := range makings {
		for i, g := range m.gaps {
			m.gaps[i].notOffered = g.noHost && answered[g.Region]
		}
		p := record(m.gaps, r.given(m.part))
		r.record(m.part.in(account), p)
		if p.Status == statusOK && !m.written { // it is offered nowhere
			if err := r.writePart(m, account); err != nil {
				return err
			}
		}
	}
	return nil
}

// makings are the parts to collect of an account, with the regions to ask for each.
func (r *run) makings(ctx context.Context, cfg aws.Config) []*making {
	var regions []string
	var unknown []gap
	if slices.ContainsFunc(r.rows, func(p *part) bool { return p.scope != perOrganization && p.asksRegions() }) {
		regions, unknown = r.regionsOf(ctx, cfg)
	}
	var all []*making
	for _, p := range r.rows {
		m := &making{part: p, in: []string{r.Config.Region}}
		if p.scope == perOrganization {
			continue
		}
		if p.asksRegions() {
			m.regions, m.gaps = regions, slices.Clone(unknown)
		}
		if p.scope == perRegion {
			m.in = regions
		}
		all = append(all, m)
		r.Progress.Parts.Add(int64(len(m.in)))
	}
	return all
}

// regionsOf are the regions to ask in an account: those given, or all that are enabled. If nobody may say which
// those are, it is the caller's own, and a gap.
func (r *run) regionsOf(ctx context.Context, cfg aws.Config) ([]string, []gap) {
	if len(r.Regions) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(r.Regions))), nil
	}
	regions, err := enabledRegions(ctx, cfg)
	if err != nil {
		return []string{cfg.Region}, []gap{newGap(regionsPermission, "", "", err)}
	}
	return slices.Sorted(slices.Values(regions)), nil
}

// take adds what was found in a region. It reports whether that was the last one.
func (m *making) take(c *collection) (last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lists == nil {
		m.lists = make(map[string][]entry)
	}
	for name, list := range c.lists {
		m.lists[name] = append(m.lists[name], list...)
	}
	m.gaps = append(m.gaps, c.gaps...)
	m.done++
	return m.done == len(m.in)
}

// isEmpty reports whether nothing was got, which isn't the same as that there is nothing.
func (m *making) isEmpty() bool {
	for _, list := range m.lists {
		if len(list) > 0 {
			return false
		}
	}
	return len(m.gaps) > 0
}

// writePart writes the file of a part, and forgets what is in it.
func (r *run) writePart(m *making, account string) error {
	r.mu.Lock()
	r.gave = true
	r.mu.Unlock()
	err := r.stage.writeLists(m.part.in(account)+".json", m.part.lists, m.lists)
	m.lists, m.written = nil, true
	return err
}

// finish adds what an earlier collection got and this one wasn't asked for, and puts the snapshot in its place.
func (r *run) finish() (*Report, error) {
	report := &Report{CollectedBy: r.who.arn}
	if !r.gave {
		report.Results = r.results()
		return report, nil
	}
	dropped, err := r.keep()
	if err != nil {
		return nil, err
	}
	r.skipped()
	m := metadata{FormatVersion: formatVersion, CollectedAt: stamp(r.Now), CollectedBy: r.who.arn, Parts: r.parts}
	if err := r.stage.writeJSON(metadataFile, m); err != nil {
		return nil, err
	}
	if err := r.stage.commit(); err != nil {
		return nil, err
	}
	report.Written, report.Dropped, report.Results = true, dropped, r.results()
	return report, nil
}

// keep takes over the parts of the old snapshot that weren't asked for, with the time that they
// are of. Accounts that are no longer in the organisation aren't: it returns them.
func (r *run) keep() (dropped []string, err error) {
	old := r.stage.old
	if old == nil {
		return nil, nil
	}
	for name, p := range old.Parts {
		if _, is := r.parts[name]; is {
			continue
		}
		if account := accountOf(name); account != "" && r.Org && len(r.members) > 0 && !r.isMember(account) {
			dropped = append(dropped, account)
			continue
		}
		if p.Status != statusSkipped {
			p.CollectedAt = cmp.Or(p.CollectedAt, old.CollectedAt)
		}
		if err := r.stage.keep(name); err != nil {
			return nil, err
		}
		r.parts[name] = p
	}
	slices.Sort(dropped)
	return slices.Compact(dropped), nil
}

func (r *run) isMember(account string) bool {
	return slices.ContainsFunc(r.members, func(m member) bool { return m.id == account })
}

// skipped records the parts that nobody ever asked for.
func (r *run) skipped() {
	accounts := make(map[string]bool)
	for name := range r.parts {
		accounts[accountOf(name)] = true
	}
	for _, p := range r.left {
		for account := range accounts {
			names := []string{p.in(account)}
			if p.scope == perOrganization {
				names = append(names, p.also...)
			} else if account == "" {
				continue
			}
			for _, name := range names {
				if _, is := r.parts[name]; !is {
					r.parts[name] = partRecord{Status: statusSkipped, Reason: "left out by --only or --skip"}
				}
			}
		}
	}
}

// results are the records of the parts, the organisation's first.
func (r *run) results() []Result {
	var all []Result
	for _, name := range slices.Sorted(maps.Keys(r.parts)) {
		p := r.parts[name]
		account := accountOf(name)
		word := strings.TrimPrefix(strings.TrimPrefix(name, "accounts/"+account+"/"), "resources/")
		all = append(all, Result{Account: account, Part: word, Status: p.Status, Reason: p.Reason, Kept: p.CollectedAt})
	}
	slices.SortStableFunc(all, func(a, b Result) int { return cmp.Compare(a.Account, b.Account) })
	return all
}

// topLevel are the names in a snapshot's folder that are its own.
func topLevel(all []*part) []string {
	names := []string{metadataFile, "accounts"}
	for _, p := range all {
		if p.scope == perOrganization {
			names = append(names, p.name, p.name+".json")
		}
	}
	return names
}
