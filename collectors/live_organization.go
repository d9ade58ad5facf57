package collectors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// pathPermissions are what pathsTo needs.
var pathPermissions = []string{
	"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListParents",
	"organizations:ListPoliciesForTarget", "organizations:ListRoots",
}

// pathsTo collects what of the organisation is above some accounts, with the SCPs and RCPs that are attached there.
func pathsTo(ctx context.Context, c *collection, accounts []string) {
	o := &orgCollector{collection: c, api: organizations.NewFromConfig(c.cfg)}
	org := o.describe(ctx)
	if org == nil || !o.roots(ctx, org) {
		return
	}
	for u := range org.units() {
		u.Accounts, u.Units = []*orgAccount{}, []*orgUnit{}
	}
	parents := map[string]types.Parent{}
	for _, account := range accounts {
		path, ok := o.pathTo(ctx, parents, account)
		if !ok {
			continue
		}
		if !org.plant(account, path) {
			o.fail("organizations:ListParents", account, errors.New("it isn't below any root that organizations:ListRoots gives; ask again"))
		}
	}
	for _, t := range orgPolicyTypes {
		if slices.Contains(org.EnabledPolicyTypes, string(t.typ)) {
			o.attachDirectly(ctx, t, org)
		}
	}
	o.file("organization.json", org)
}

// maxDepth is how many units may be above an account: AWS allows five.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const maxDepth = 20

// pathTo is what is above an account, from the root down; ok is false if it isn't in the organisation, or AWS doesn't say.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html
func (o *orgCollector) pathTo(ctx context.Context, parents map[string]types.Parent, account string) (path []string, ok bool) {
	for child := account; len(path) <= maxDepth; child = path[0] {
		parent, known := parents[child]
		if !known {
			var err error
			if parent, err = o.parentOf(ctx, child); err != nil {
				if child != account || !isCode(err, "ChildNotFoundException") {
					o.fail("organizations:ListParents", child, err)
				}
				return nil, false
			}
			parents[child] = parent
		}
		path = slices.Insert(path, 0, aws.ToString(parent.Id))
		if parent.Type == types.ParentTypeRoot {
			return path, true
		}
	}
	o.fail("organizations:ListParents", account, fmt.Errorf("more than %d units above it", maxDepth))
	return nil, false
}

// parentOf is the one parent that an account or unit has.
func (o *orgCollector) parentOf(ctx context.Context, child string) (types.Parent, error) {
	for page, err := range pages(ctx, organizations.NewListParentsPaginator(o.api, &organizations.ListParentsInput{ChildId: &child})) {
		if err != nil {
			return types.Parent{}, err
		}
		if len(page.Parents) > 0 {
			return page.Parents[0], nil
		}
	}
	return types.Parent{}, errors.New("the answer has no parent")
}

// plant puts an account into the tree below the units of its path; false if there is no such root.
func (org *orgFile) plant(account string, path []string) bool {
	is := func(id string) func(*orgUnit) bool { return func(u *orgUnit) bool { return u.ID == id } }
	i := slices.IndexFunc(org.Roots, is(path[0]))
	if i < 0 {
		return false
	}
	at := org.Roots[i]
	for _, id := range path[1:] {
		i := slices.IndexFunc(at.Units, is(id))
		if i < 0 {
			i = len(at.Units)
			at.Units = append(at.Units, &orgUnit{ID: id, Accounts: []*orgAccount{}, Units: []*orgUnit{}})
		}
		at = at.Units[i]
	}
	at.Accounts = append(at.Accounts, &orgAccount{ID: account})
	return true
}

// attachDirectly asks each target in the tree for its policies of a type, and writes them.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPoliciesForTarget.html
func (o *orgCollector) attachDirectly(ctx context.Context, t orgPolicyType, org *orgFile) {
	targets := map[string]*orgAttached{}
	for u := range org.units() {
		targets[u.ID] = &u.Policies
	}
	for a := range org.accounts() {
		targets[a.ID] = &a.Policies
	}
	var mu sync.Mutex
	policies := map[string]types.PolicySummary{}
	forEach(ctx, o.collection, maps.Keys(targets), func(ctx context.Context, id string) {
		ids := []string{}
		list := organizations.NewListPoliciesForTargetPaginator(o.api, &organizations.ListPoliciesForTargetInput{TargetId: &id, Filter: t.typ})
		for page, err := range pages(ctx, list) {
			if err != nil {
				o.failIn(t.part, "organizations:ListPoliciesForTarget", id, err)
				return
			}
			mu.Lock()
			for _, p := range page.Policies {
				ids = append(ids, aws.ToString(p.Id))
				policies[aws.ToString(p.Id)] = p
			}
			mu.Unlock()
		}
		slices.Sort(ids)
		*t.of(targets[id]) = ids
	})
	forEach(ctx, o.collection, maps.Values(policies), func(ctx context.Context, p types.PolicySummary) { o.policy(ctx, t, p) })
}
