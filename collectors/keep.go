package collectors

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// This file ends a collection: what it got, and what an earlier one got and this one wasn't asked for, become the snapshot.

// finish adds what an earlier collection got and this one wasn't asked for, and puts the snapshot in its place.
func (r *run) finish() (*Report, error) {
	report := &Report{CollectedBy: r.who.arn, AccountsUnknown: r.Org && r.parts[organizationPart.name].Status != statusOK}
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
		if account := accountOf(name); account != "" && r.Org && r.parts[organizationPart.name].Status == statusOK && !r.isMember(account) {
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
