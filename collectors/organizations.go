package collectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// organizationPart is the tree of the organisation, and its SCPs and RCPs with what they are attached to. AWS
// shows them to the management account and to delegated administrators.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
var organizationPart = part{
	name:  "organization",
	scope: perOrganization,
	also:  []string{"organization/scp", "organization/rcp"},
	permissions: []string{
		"organizations:DescribeOrganization",
		"organizations:DescribePolicy",
		"organizations:ListAccountsForParent",
		"organizations:ListOrganizationalUnitsForParent",
		"organizations:ListPolicies",
		"organizations:ListRoots",
		"organizations:ListTargetsForPolicy",
	},
	collect: func(ctx context.Context, c *collection) {
		o := &orgCollector{collection: c, api: organizations.NewFromConfig(c.cfg)}
		o.collect(ctx)
	},
}

// A member is an account of the organisation.
type member struct {
	id     string
	status string // ACTIVE, SUSPENDED …
}

// An orgPolicyType is a type of policy that can deny.
type orgPolicyType struct {
	part string // of snapshot.json, and the folder of its files
	typ  types.PolicyType
	of   func(*orgAttached) *[]string
}

var orgPolicyTypes = []orgPolicyType{
	{"organization/scp", types.PolicyTypeServiceControlPolicy, func(a *orgAttached) *[]string { return &a.SCP }},
	{"organization/rcp", types.PolicyTypeResourceControlPolicy, func(a *orgAttached) *[]string { return &a.RCP }},
}

// The shapes of organization.json and of a policy's file.
type (
	orgFile struct {
		ID                 string     `json:"id"`
		ARN                string     `json:"arn"`
		ManagementAccount  string     `json:"managementAccount"`
		EnabledPolicyTypes []string   `json:"enabledPolicyTypes"`
		Roots              []*orgUnit `json:"roots"`
	}
	// An orgUnit is a root or an organisational unit.
	orgUnit struct {
		ID       string        `json:"id"`
		Name     string        `json:"name"`
		Policies orgAttached   `json:"policies"`
		Accounts []*orgAccount `json:"accounts"`
		Units    []*orgUnit    `json:"organizationalUnits"`
	}
	orgAccount struct {
		ID       string      `json:"id"`
		Name     string      `json:"name"`
		Status   string      `json:"status"`
		Policies orgAttached `json:"policies"`
	}
	// An orgAttached is the ids of the policies attached to a root, unit or account; nil if they couldn't be listed.
	orgAttached struct {
		SCP []string `json:"scp,omitzero"`
		RCP []string `json:"rcp,omitzero"`
	}
	orgPolicyFile struct {
		ID         string   `json:"id"`
		Name       string   `json:"name"`
		ARN        string   `json:"arn"`
		AWSManaged bool     `json:"awsManaged"`
		Document   document `json:"document"`
	}
)

// An orgCollector reads an organisation.
type orgCollector struct {
	*collection
	api *organizations.Client
}

func (o *orgCollector) collect(ctx context.Context) {
	org := o.describe(ctx)
	if org == nil || !o.roots(ctx, org) {
		return
	}
	for _, root := range org.Roots {
		o.below(ctx, root)
	}
	for _, t := range orgPolicyTypes {
		if slices.Contains(org.EnabledPolicyTypes, string(t.typ)) {
			o.attach(t, org, o.policies(ctx, t))
		}
	}
	for a := range org.accounts() {
		o.members = append(o.members, member{a.ID, a.Status})
	}
	o.file("organization.json", org)
}

// describe is the organisation without its tree; nil if the account is in none, or AWS doesn't say.
func (o *orgCollector) describe(ctx context.Context) *orgFile {
	out, err := o.api.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	switch {
	case isCode(err, "AWSOrganizationsNotInUseException"):
		o.file("organization.json", struct{}{}) // the account is in none
		return nil
	case err != nil:
		o.lostAll("organizations:DescribeOrganization", err)
		return nil
	case out.Organization == nil:
		o.lostAll("organizations:DescribeOrganization", errors.New("the answer has no organisation"))
		return nil
	}
	return &orgFile{
		ID:                aws.ToString(out.Organization.Id),
		ARN:               aws.ToString(out.Organization.Arn),
		ManagementAccount: aws.ToString(out.Organization.MasterAccountId),
	}
}

// lostAll says that a call failed without which nothing of the organisation is known.
func (o *orgCollector) lostAll(action string, err error) {
	o.fail(action, "", err)
	for _, t := range orgPolicyTypes {
		o.failIn(t.part, action, "", err)
	}
}

// roots lists the roots (there is one), and with them the types of policies that are enabled. Those that
// DescribeOrganization lists are those there could be.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
func (o *orgCollector) roots(ctx context.Context, org *orgFile) bool {
	org.EnabledPolicyTypes = []string{}
	for page, err := range pages(ctx, organizations.NewListRootsPaginator(o.api, &organizations.ListRootsInput{})) {
		if err != nil {
			o.lostAll("organizations:ListRoots", err)
			return false
		}
		for _, r := range page.Roots {
			org.Roots = append(org.Roots, &orgUnit{ID: aws.ToString(r.Id), Name: aws.ToString(r.Name)})
			for _, t := range r.PolicyTypes {
				o.policyType(org, t)
			}
		}
	}
	slices.Sort(org.EnabledPolicyTypes)
	org.EnabledPolicyTypes = slices.Compact(org.EnabledPolicyTypes)
	return true
}

// policyType notes a type of policies that is enabled. Whether one that is changing applies nobody knows.
func (o *orgCollector) policyType(org *orgFile, t types.PolicyTypeSummary) {
	org.EnabledPolicyTypes = append(org.EnabledPolicyTypes, string(t.Type))
	if t.Status == types.PolicyTypeStatusEnabled {
		return
	}
	for _, known := range orgPolicyTypes {
		if known.typ == t.Type {
			o.failIn(known.part, "organizations:ListRoots", "", fmt.Errorf("%s is %s: whether it applies isn't known; collect again later", t.Type, t.Status))
		}
	}
}

// below lists the accounts and units of a root or unit, and of all units below.
func (o *orgCollector) below(ctx context.Context, parent *orgUnit) {
	parent.Accounts, parent.Units = []*orgAccount{}, []*orgUnit{}
	accounts := organizations.NewListAccountsForParentPaginator(o.api, &organizations.ListAccountsForParentInput{ParentId: &parent.ID})
	for page, err := range pages(ctx, accounts) {
		if err != nil {
			o.fail("organizations:ListAccountsForParent", parent.ID, err)
			break
		}
		for _, a := range page.Accounts {
			status := cmp.Or(string(a.State), string(a.Status)) // Status is what State was called
			parent.Accounts = append(parent.Accounts, &orgAccount{ID: aws.ToString(a.Id), Name: aws.ToString(a.Name), Status: status})
		}
	}
	units := organizations.NewListOrganizationalUnitsForParentPaginator(o.api, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent.ID})
	for page, err := range pages(ctx, units) {
		if err != nil {
			o.fail("organizations:ListOrganizationalUnitsForParent", parent.ID, err)
			break
		}
		for _, u := range page.OrganizationalUnits {
			parent.Units = append(parent.Units, &orgUnit{ID: aws.ToString(u.Id), Name: aws.ToString(u.Name)})
		}
	}
	slices.SortFunc(parent.Accounts, func(a, b *orgAccount) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(parent.Units, func(a, b *orgUnit) int { return cmp.Compare(a.ID, b.ID) })
	forEach(ctx, o.collection, slices.Values(parent.Units), o.below)
}

// policies writes the policies of a type, and returns the ids of those attached to each target; nil if they can't be
// listed. There are far fewer policies than targets: asking each policy for its targets takes the fewest calls.
func (o *orgCollector) policies(ctx context.Context, t orgPolicyType) map[string][]string {
	var summaries []types.PolicySummary
	list := organizations.NewListPoliciesPaginator(o.api, &organizations.ListPoliciesInput{Filter: t.typ})
	for page, err := range pages(ctx, list) {
		if err != nil {
			o.failIn(t.part, "organizations:ListPolicies", "", err)
			return nil
		}
		summaries = append(summaries, page.Policies...)
	}
	attached := make(map[string][]string)
	var mu sync.Mutex
	forEach(ctx, o.collection, slices.Values(summaries), func(ctx context.Context, p types.PolicySummary) {
		o.policy(ctx, t, p)
		id := aws.ToString(p.Id)
		targets := organizations.NewListTargetsForPolicyPaginator(o.api, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
		for page, err := range pages(ctx, targets) {
			if err != nil {
				o.failIn(t.part, "organizations:ListTargetsForPolicy", cmp.Or(aws.ToString(p.Arn), id), err)
				return
			}
			mu.Lock()
			for _, target := range page.Targets {
				attached[aws.ToString(target.TargetId)] = append(attached[aws.ToString(target.TargetId)], id)
			}
			mu.Unlock()
		}
	})
	for _, ids := range attached {
		slices.Sort(ids)
	}
	return attached
}

// policy writes the file of one policy.
func (o *orgCollector) policy(ctx context.Context, t orgPolicyType, p types.PolicySummary) {
	id := aws.ToString(p.Id)
	out, err := o.api.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
	if err == nil && (out.Policy == nil || aws.ToString(out.Policy.Content) == "") {
		err = errors.New("the answer has no policy")
	}
	if err == nil && !isFileName(id) {
		err = fmt.Errorf("the id of policy %q can't be a file's name", id)
	}
	if err != nil {
		o.failIn(t.part, "organizations:DescribePolicy", cmp.Or(aws.ToString(p.Arn), id), err)
		return
	}
	o.file(t.part+"/"+id+".json", orgPolicyFile{
		ID: id, Name: aws.ToString(p.Name), ARN: aws.ToString(p.Arn), AWSManaged: p.AwsManaged,
		Document: documentOf(*out.Policy.Content),
	})
}

// isFileName reports whether an id that AWS gave stays in its folder.
func isFileName(id string) bool {
	return id != "" && filepath.IsLocal(id) && !strings.ContainsAny(id, `/\:`)
}

// attach puts the policies of a type where they are attached.
func (o *orgCollector) attach(t orgPolicyType, org *orgFile, attached map[string][]string) {
	if attached == nil {
		return
	}
	set := func(id string, a *orgAttached) { *t.of(a) = append([]string{}, attached[id]...) }
	for u := range org.units() {
		set(u.ID, &u.Policies)
	}
	for a := range org.accounts() {
		set(a.ID, &a.Policies)
	}
}

// units yields the roots and all units.
func (org *orgFile) units() iter.Seq[*orgUnit] {
	return func(yield func(*orgUnit) bool) {
		var walk func([]*orgUnit) bool
		walk = func(list []*orgUnit) bool {
			for _, u := range list {
				if !yield(u) || !walk(u.Units) {
					return false
				}
			}
			return true
		}
		walk(org.Roots)
	}
}

// accounts yields all accounts.
func (org *orgFile) accounts() iter.Seq[*orgAccount] {
	return func(yield func(*orgAccount) bool) {
		for u := range org.units() {
			for _, a := range u.Accounts {
				if !yield(a) {
					return
				}
			}
		}
	}
}
