package snapshot

import (
	"slices"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

const (
	identityCenterPart = "identitycenter"
	identityCenterFile = identityCenterPart + ".json"
)

// A permissionSet is a permission set of IAM Identity Center.
type permissionSet struct {
	arn        string
	accounts   []string // that have a role of it
	accountsOK bool     // whether they were recorded
}

// loadIdentityCenter reads identitycenter.json, which snapshots made before there was one don't have.
func (l *loader) loadIdentityCenter() {
	d := l.open(identityCenterFile, identityCenterPart)
	if d == nil {
		return
	}
	sets := d.permissionSets()
	l.done(d, identityCenterPart)
	if d.broken == "" {
		l.permissionSets = sets
	}
}

// permissionSets reads the permission sets, by name.
func (d *decoder) permissionSets() map[string][]permissionSet {
	if d.broken == "" && d.root.Kind() != jsontree.Object {
		d.fail(d.root.Offset(), `expected {"instances", "permissionSets", "assignments"}, found %s`, d.root.Kind())
	}
	sets := map[string][]permissionSet{}
	if d.broken == "" {
		items, _ := d.list(d.root, "permissionSets")
		for n := range items {
			arn, name := d.str(n, "arn"), d.str(n, "name")
			if arn == "" {
				d.note(n, "expected a permission set with its arn")
				continue
			}
			s := permissionSet{arn: arn}
			s.accounts, s.accountsOK = d.strings(n, "accounts")
			s.accountsOK = s.accountsOK && n.Get("accounts").Kind() == jsontree.Array
			if name != "" { // one whose name couldn't be read can't be found
				sets[name] = append(sets[name], s)
			}
		}
	}
	d.finish()
	return sets
}

// PermissionSet returns the ARN of the permission set of IAM Identity Center that has a name and a role in an
// account; "" if the snapshot doesn't have it, or more than one that it may be.
func (s *Snapshot) PermissionSet(account, name string) (arn string) {
	for _, set := range s.permissionSets[name] {
		if set.accountsOK && !slices.Contains(set.accounts, account) {
			continue
		}
		if arn != "" {
			return "" // two instances have one of that name
		}
		arn = set.arn
	}
	return arn
}
