package collectors

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// identityCenterPart is identitycenter.json: the permission sets behind the roles that are named
// AWSReservedSSO_…, and who is assigned them where. The management account may read them, and the
// delegated administrator of IAM Identity Center.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
var identityCenterPart = part{
	name:    "identitycenter",
	scope:   perOrganization,
	regions: true,
	permissions: []string{
		"sso:DescribePermissionSet",
		"sso:GetInlinePolicyForPermissionSet",
		"sso:GetPermissionsBoundaryForPermissionSet",
		"sso:ListAccountAssignments",
		"sso:ListAccountsForProvisionedPermissionSet",
		"sso:ListCustomerManagedPolicyReferencesInPermissionSet",
		"sso:ListInstances",
		"sso:ListManagedPoliciesInPermissionSet",
		"sso:ListPermissionSets",
	},
	collect: collectIdentityCenter,
}

const identityCenterFile = "identitycenter.json"

// An identityCenter is identitycenter.json.
type identityCenter struct {
	Instances      []instanceItem      `json:"instances"`
	PermissionSets []permissionSetItem `json:"permissionSets"`
	Assignments    []assignmentItem    `json:"assignments"`

	mu sync.Mutex
}

type instanceItem struct {
	ARN           string `json:"arn"`
	Region        string `json:"region"` // where it was found; the first one, if it is replicated
	OwnerAccount  string `json:"ownerAccount"`
	IdentityStore string `json:"identityStore"`
}

// A permissionSetItem is a permission set. What couldn't be read of it is left out.
type permissionSetItem struct {
	ARN                 string         `json:"arn"`
	Instance            string         `json:"instance"` // ARN
	Name                string         `json:"name"`
	SessionDuration     string         `json:"sessionDuration,omitempty"` // ISO 8601: PT1H
	ManagedPolicies     []string       `json:"managedPolicies,omitzero"`  // ARNs of policies that AWS manages
	CustomerPolicies    []customerItem `json:"customerManagedPolicies,omitzero"`
	InlinePolicy        document       `json:"inlinePolicy,omitempty"`        // noPolicy if there is none
	PermissionsBoundary any            `json:"permissionsBoundary,omitempty"` // an ARN, a customerItem, or noPolicy
	Accounts            []string       `json:"accounts,omitzero"`             // that have a role of it
}

// A customerItem names a managed policy of the account that the role is in.
type customerItem struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

type assignmentItem struct {
	Account       string `json:"account"`
	PermissionSet string `json:"permissionSet"` // ARN
	PrincipalType string `json:"principalType"` // USER or GROUP
	PrincipalID   string `json:"principalId"`   // in the identity store
}

// collectIdentityCenter looks for instances in every region: an organisation has one, and
// nothing tells where.
//
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListInstances.html
func collectIdentityCenter(ctx context.Context, c *collection) {
	instances, answered := findInstances(ctx, c)
	if !answered {
		return // nobody knows whether there is one
	}
	all := identityCenter{Instances: instances, PermissionSets: []permissionSetItem{}, Assignments: []assignmentItem{}}
	for _, i := range instances {
		all.instance(ctx, c.at(i.Region), i.ARN)
	}
	all.sort()
	c.file(identityCenterFile, &all)
}

func (all *identityCenter) sort() {
	slices.SortFunc(all.PermissionSets, func(a, b permissionSetItem) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(all.Assignments, func(a, b assignmentItem) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.PermissionSet, b.PermissionSet),
			cmp.Compare(a.PrincipalType, b.PrincipalType), cmp.Compare(a.PrincipalID, b.PrincipalID))
	})
}

// findInstances asks each region for its instances, and returns each once, by ARN. answered is false if
// no region gave an answer.
func findInstances(ctx context.Context, c *collection) (instances []instanceItem, answered bool) {
	var mu sync.Mutex
	found := make(map[string]instanceItem)
	noHost := make(map[string]error) // regions that don't have the service, it seems
	forEach(ctx, c, slices.Values(c.regions), func(ctx context.Context, region string) {
		c := c.at(region)
		list, err := instancesIn(ctx, c.cfg)
		switch {
		case err != nil && newGap("", "", region, err).noHost:
			mu.Lock()
			defer mu.Unlock()
			noHost[region] = err
			return
		case err != nil:
			c.fail("sso:ListInstances", "", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answered = true
		for _, i := range list {
			if first, ok := found[i.ARN]; !ok || region < first.Region {
				found[i.ARN] = i
			}
		}
	})
	if !answered { // then it is rather the network that isn't there
		for region, err := range noHost {
			c.at(region).fail("sso:ListInstances", "", err)
		}
	}
	instances = make([]instanceItem, 0, len(found))
	for _, arn := range slices.Sorted(maps.Keys(found)) {
		instances = append(instances, found[arn])
	}
	return instances, answered
}

// instancesIn lists the instances of a region.
func instancesIn(ctx context.Context, cfg aws.Config) (list []instanceItem, err error) {
	for page, err := range pages(ctx, ssoadmin.NewListInstancesPaginator(ssoadmin.NewFromConfig(cfg), nil)) {
		if err != nil {
			return nil, err
		}
		for _, i := range page.Instances {
			list = append(list, instanceItem{ARN: aws.ToString(i.InstanceArn), Region: cfg.Region, OwnerAccount: aws.ToString(i.OwnerAccountId), IdentityStore: aws.ToString(i.IdentityStoreId)})
		}
	}
	return list, nil
}

// instance gathers the permission sets of an instance.
func (all *identityCenter) instance(ctx context.Context, c *collection, instance string) {
	api := ssoadmin.NewFromConfig(c.cfg)
	var arns []string
	for page, err := range pages(ctx, ssoadmin.NewListPermissionSetsPaginator(api, &ssoadmin.ListPermissionSetsInput{InstanceArn: &instance})) {
		if err != nil {
			c.fail("sso:ListPermissionSets", instance, err)
			break
		}
		arns = append(arns, page.PermissionSets...)
	}
	forEach(ctx, c, slices.Values(arns), func(ctx context.Context, arn string) {
		s := permissionSet{c: c, api: api, item: permissionSetItem{ARN: arn, Instance: instance}}
		assignments := s.collect(ctx)
		all.mu.Lock()
		defer all.mu.Unlock()
		all.PermissionSets = append(all.PermissionSets, s.item)
		all.Assignments = append(all.Assignments, assignments...)
	})
}

// A permissionSet is one while it is collected.
type permissionSet struct {
	c    *collection
	api  *ssoadmin.Client
	item permissionSetItem
}

// lost says that a call failed; the member that it was for stays out.
func (s *permissionSet) lost(action string, err error) { s.c.fail(action, s.item.ARN, err) }

// collect gathers what a permission set has, and returns who is assigned it.
func (s *permissionSet) collect(ctx context.Context) []assignmentItem {
	s.describe(ctx)
	s.managed(ctx)
	s.customer(ctx)
	s.inline(ctx)
	s.boundary(ctx)
	s.accounts(ctx)
	var all []assignmentItem
	for _, account := range s.item.Accounts {
		all = append(all, s.assignments(ctx, account)...)
	}
	return all
}

func (s *permissionSet) describe(ctx context.Context) {
	out, err := s.api.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})
	switch {
	case err != nil:
		s.lost("sso:DescribePermissionSet", err)
	case out.PermissionSet != nil:
		s.item.Name, s.item.SessionDuration = aws.ToString(out.PermissionSet.Name), aws.ToString(out.PermissionSet.SessionDuration)
	}
}

func (s *permissionSet) managed(ctx context.Context) {
	list := []string{}
	for page, err := range pages(ctx, ssoadmin.NewListManagedPoliciesInPermissionSetPaginator(s.api, &ssoadmin.ListManagedPoliciesInPermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})) {
		if err != nil {
			s.lost("sso:ListManagedPoliciesInPermissionSet", err)
			return
		}
		for _, p := range page.AttachedManagedPolicies {
			list = append(list, aws.ToString(p.Arn))
		}
	}
	slices.Sort(list)
	s.item.ManagedPolicies = list
}

func (s *permissionSet) customer(ctx context.Context) {
	list := []customerItem{}
	for page, err := range pages(ctx, ssoadmin.NewListCustomerManagedPolicyReferencesInPermissionSetPaginator(s.api, &ssoadmin.ListCustomerManagedPolicyReferencesInPermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})) {
		if err != nil {
			s.lost("sso:ListCustomerManagedPolicyReferencesInPermissionSet", err)
			return
		}
		for _, p := range page.CustomerManagedPolicyReferences {
			list = append(list, customerOf(p))
		}
	}
	slices.SortFunc(list, func(a, b customerItem) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Name, b.Name)) })
	s.item.CustomerPolicies = list
}

// customerOf is a reference to a policy; its path is / if AWS gives none.
func customerOf(p types.CustomerManagedPolicyReference) customerItem {
	return customerItem{Name: aws.ToString(p.Name), Path: cmp.Or(aws.ToString(p.Path), "/")}
}

func (s *permissionSet) inline(ctx context.Context) {
	out, err := s.api.GetInlinePolicyForPermissionSet(ctx, &ssoadmin.GetInlinePolicyForPermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})
	if err != nil {
		s.lost("sso:GetInlinePolicyForPermissionSet", err)
		return
	}
	s.item.InlinePolicy = documentOf(aws.ToString(out.InlinePolicy))
}

// boundary reads the permissions boundary; that there is none is an error of AWS's.
//
// https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_GetPermissionsBoundaryForPermissionSet.html
func (s *permissionSet) boundary(ctx context.Context) {
	out, err := s.api.GetPermissionsBoundaryForPermissionSet(ctx, &ssoadmin.GetPermissionsBoundaryForPermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})
	if err != nil && !isCode(err, "ResourceNotFoundException") {
		s.lost("sso:GetPermissionsBoundaryForPermissionSet", err)
		return
	}
	s.item.PermissionsBoundary = noPolicy
	if err != nil || out.PermissionsBoundary == nil {
		return
	}
	if b := out.PermissionsBoundary; b.CustomerManagedPolicyReference != nil {
		s.item.PermissionsBoundary = customerOf(*b.CustomerManagedPolicyReference)
	} else if b.ManagedPolicyArn != nil {
		s.item.PermissionsBoundary = *b.ManagedPolicyArn
	}
}

func (s *permissionSet) accounts(ctx context.Context) {
	list := []string{}
	for page, err := range pages(ctx, ssoadmin.NewListAccountsForProvisionedPermissionSetPaginator(s.api, &ssoadmin.ListAccountsForProvisionedPermissionSetInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN})) {
		if err != nil {
			s.lost("sso:ListAccountsForProvisionedPermissionSet", err)
			return
		}
		list = append(list, page.AccountIds...)
	}
	slices.Sort(list)
	s.item.Accounts = list
}

func (s *permissionSet) assignments(ctx context.Context, account string) []assignmentItem {
	var list []assignmentItem
	for page, err := range pages(ctx, ssoadmin.NewListAccountAssignmentsPaginator(s.api, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: &s.item.Instance, PermissionSetArn: &s.item.ARN, AccountId: &account})) {
		if err != nil {
			s.lost("sso:ListAccountAssignments", err)
			break
		}
		for _, a := range page.AccountAssignments {
			list = append(list, assignmentItem{Account: account, PermissionSet: s.item.ARN, PrincipalType: string(a.PrincipalType), PrincipalID: aws.ToString(a.PrincipalId)})
		}
	}
	return list
}
