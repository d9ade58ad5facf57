package collectors

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"
)

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

// gotSomething notes that there is something to write.
func (r *run) gotSomething() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gave = true
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
		r.gotSomething()
	}
	for _, name := range append([]string{p.name}, p.also...) {
		own := slices.DeleteFunc(slices.Clone(c.gaps), func(g gap) bool { return cmp.Or(g.also, p.name) != name })
		r.record(name, record(own, r.given(p)).of(p))
	}
	return nil
}

// given are the regions that the user gave, or the part itself, if it is of regions.
func (r *run) given(p *part) []string {
	switch {
	case !p.asksRegions():
		return nil
	case p.at != nil:
		return p.at
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
	answered := make(map[string]bool) // regions in which AWS answered a part
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
				if len(c.gaps) == 0 {
					r.gotSomething() // be it that there is nothing
				}
				mu.Lock()
				answered[region] = answered[region] || c.wasAnswered()
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
		m.findNotOffered(answered)
		p := record(m.gaps, r.given(m.part)).of(m.part)
		r.record(m.part.in(account), p)
		if p.Status == statusOK && !m.written { // what looked like a gap is none
			if err := r.writePart(m, account); err != nil {
				return err
			}
		}
	}
	return nil
}

// findNotOffered tells regions that don't have the service from those that can't be reached. A name that nobody knows
// may be the network's fault, unless other services answer in the region, and this one does elsewhere.
func (m *making) findNotOffered(answered map[string]bool) {
	nameless := func(region string) bool {
		return slices.ContainsFunc(m.gaps, func(g gap) bool { return g.noHost && g.Region == region })
	}
	if !slices.ContainsFunc(m.in, func(region string) bool { return !nameless(region) }) {
		return
	}
	for i, g := range m.gaps {
		m.gaps[i].notOffered = g.noHost && answered[g.Region]
	}
}

// makings are the parts to collect of an account, with the regions to ask for each.
func (r *run) makings(ctx context.Context, cfg aws.Config) []*making {
	var regions []string
	var unknown []gap
	if slices.ContainsFunc(r.rows, func(p *part) bool { return p.scope != perOrganization && p.asksRegions() && p.at == nil }) {
		regions, unknown = r.regionsOf(ctx, cfg)
	}
	var all []*making
	for _, p := range r.rows {
		m := &making{part: p, in: []string{r.Config.Region}}
		if p.scope == perOrganization {
			continue
		}
		switch {
		case p.at != nil:
			m.regions = p.at
		case p.asksRegions():
			m.regions, m.gaps = regions, slices.Clone(unknown)
		}
		if p.scope == perRegion {
			m.in = m.regions
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
		return r.Regions, nil
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
	r.gotSomething()
	err := r.stage.writeLists(m.part.in(account)+".json", m.part.lists, m.lists)
	m.lists, m.written = nil, true
	return err
}
