package collectors

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// This file reads single users and roles of IAM, with all that they have, in the shape of an account's authorization
// details. What AWS says isn't there is left out; any call that fails makes the part one that isn't whole.

// entityPermissions are what it needs.
var entityPermissions = []string{
	"iam:GetGroupPolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:GetUser", "iam:GetUserPolicy",
	"iam:ListAttachedGroupPolicies", "iam:ListAttachedRolePolicies", "iam:ListAttachedUserPolicies", "iam:ListGroupPolicies",
	"iam:ListGroupsForUser", "iam:ListRolePolicies", "iam:ListUserPolicies",
}

// entities are users and roles by name; those in names may be either.
type entities struct{ users, roles, names []string }

// all are their names, with user/ or role/ in front where that is known.
func (e entities) all() []string {
	all := slices.Clone(e.names)
	for _, name := range e.roles {
		all = append(all, "role/"+name)
	}
	for _, name := range e.users {
		all = append(all, "user/"+name)
	}
	return all
}

func (e entities) collect(ctx context.Context, c *collection) {
	r := &entityReader{collection: c, api: iam.NewFromConfig(c.cfg)}
	var wg sync.WaitGroup
	wg.Go(func() { forEach(ctx, c, slices.Values(union(e.roles, e.names)), r.role) })
	wg.Go(func() { forEach(ctx, c, slices.Values(union(e.users, e.names)), r.user) })
	wg.Wait()
}

func union(a, b []string) []string {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	return slices.Compact(all)
}

// An entityReader reads users and roles, and each group and managed policy of theirs once.
type entityReader struct {
	*collection
	api *iam.Client

	mu   sync.Mutex
	seen set // ARNs of groups and policies
}

// first reports whether nobody came for a group or policy yet.
func (r *entityReader) first(arn string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if arn == "" || r.seen[arn] {
		return false
	}
	r.seen.add(arn)
	return true
}

// fails reports whether a call failed; that something isn't there (any more) is an answer.
func (r *entityReader) fails(action, resource string, err error) bool {
	if err != nil && !isCode(err, "NoSuchEntity") {
		r.fail(action, resource, err)
	}
	return err != nil
}

// role reads a role.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func (r *entityReader) role(ctx context.Context, name string) {
	out, err := r.api.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if r.fails("iam:GetRole", "role "+name, err) || out.Role == nil {
		return
	}
	role, arn := out.Role, aws.ToString(out.Role.Arn)
	d := types.RoleDetail{
		Path: role.Path, RoleName: role.RoleName, RoleId: role.RoleId, Arn: role.Arn, CreateDate: role.CreateDate,
		AssumeRolePolicyDocument: role.AssumeRolePolicyDocument, PermissionsBoundary: role.PermissionsBoundary,
		Tags: role.Tags, RoleLastUsed: role.RoleLastUsed,
	}
	inline := iam.NewListRolePoliciesPaginator(r.api, &iam.ListRolePoliciesInput{RoleName: &name})
	for p := range listed(ctx, r.collection, "iam:ListRolePolicies", arn, inline, func(o *iam.ListRolePoliciesOutput) []string { return o.PolicyNames }) {
		out, err := r.api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &p})
		if !r.fails("iam:GetRolePolicy", arn, err) {
			d.RolePolicyList = append(d.RolePolicyList, types.PolicyDetail{PolicyName: out.PolicyName, PolicyDocument: out.PolicyDocument})
		}
	}
	attached := iam.NewListAttachedRolePoliciesPaginator(r.api, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	d.AttachedManagedPolicies = slices.Collect(listed(ctx, r.collection, "iam:ListAttachedRolePolicies", arn, attached, func(o *iam.ListAttachedRolePoliciesOutput) []types.AttachedPolicy { return o.AttachedPolicies }))
	r.managed(ctx, d.AttachedManagedPolicies, d.PermissionsBoundary)
	r.addTo("RoleDetailList", arn, roleDetail(d))
}

// user reads a user, and the groups that it is in.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
func (r *entityReader) user(ctx context.Context, name string) {
	out, err := r.api.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if r.fails("iam:GetUser", "user "+name, err) || out.User == nil {
		return
	}
	user, arn := out.User, aws.ToString(out.User.Arn)
	d := types.UserDetail{
		Path: user.Path, UserName: user.UserName, UserId: user.UserId, Arn: user.Arn, CreateDate: user.CreateDate,
		PermissionsBoundary: user.PermissionsBoundary, Tags: user.Tags,
	}
	inline := iam.NewListUserPoliciesPaginator(r.api, &iam.ListUserPoliciesInput{UserName: &name})
	for p := range listed(ctx, r.collection, "iam:ListUserPolicies", arn, inline, func(o *iam.ListUserPoliciesOutput) []string { return o.PolicyNames }) {
		out, err := r.api.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &name, PolicyName: &p})
		if !r.fails("iam:GetUserPolicy", arn, err) {
			d.UserPolicyList = append(d.UserPolicyList, types.PolicyDetail{PolicyName: out.PolicyName, PolicyDocument: out.PolicyDocument})
		}
	}
	attached := iam.NewListAttachedUserPoliciesPaginator(r.api, &iam.ListAttachedUserPoliciesInput{UserName: &name})
	d.AttachedManagedPolicies = slices.Collect(listed(ctx, r.collection, "iam:ListAttachedUserPolicies", arn, attached, func(o *iam.ListAttachedUserPoliciesOutput) []types.AttachedPolicy { return o.AttachedPolicies }))
	groups := iam.NewListGroupsForUserPaginator(r.api, &iam.ListGroupsForUserInput{UserName: &name})
	for g := range listed(ctx, r.collection, "iam:ListGroupsForUser", arn, groups, func(o *iam.ListGroupsForUserOutput) []types.Group { return o.Groups }) {
		d.GroupList = append(d.GroupList, aws.ToString(g.GroupName))
		r.group(ctx, g)
	}
	r.managed(ctx, d.AttachedManagedPolicies, d.PermissionsBoundary)
	r.addTo("UserDetailList", arn, userDetail(d))
}

// group reads what a group gives its users.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupPolicies.html
func (r *entityReader) group(ctx context.Context, g types.Group) {
	arn := aws.ToString(g.Arn)
	if !r.first(arn) {
		return
	}
	d := types.GroupDetail{Path: g.Path, GroupName: g.GroupName, GroupId: g.GroupId, Arn: g.Arn, CreateDate: g.CreateDate}
	inline := iam.NewListGroupPoliciesPaginator(r.api, &iam.ListGroupPoliciesInput{GroupName: g.GroupName})
	for p := range listed(ctx, r.collection, "iam:ListGroupPolicies", arn, inline, func(o *iam.ListGroupPoliciesOutput) []string { return o.PolicyNames }) {
		out, err := r.api.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: g.GroupName, PolicyName: &p})
		if !r.fails("iam:GetGroupPolicy", arn, err) {
			d.GroupPolicyList = append(d.GroupPolicyList, types.PolicyDetail{PolicyName: out.PolicyName, PolicyDocument: out.PolicyDocument})
		}
	}
	attached := iam.NewListAttachedGroupPoliciesPaginator(r.api, &iam.ListAttachedGroupPoliciesInput{GroupName: g.GroupName})
	d.AttachedManagedPolicies = slices.Collect(listed(ctx, r.collection, "iam:ListAttachedGroupPolicies", arn, attached, func(o *iam.ListAttachedGroupPoliciesOutput) []types.AttachedPolicy { return o.AttachedPolicies }))
	r.managed(ctx, d.AttachedManagedPolicies, nil)
	r.addTo("GroupDetailList", arn, groupDetail(d))
}

// managed reads the managed policies that something has, and its boundary.
func (r *entityReader) managed(ctx context.Context, attached []types.AttachedPolicy, boundary *types.AttachedPermissionsBoundary) {
	arns := set{}
	for _, p := range attached {
		arns.add(aws.ToString(p.PolicyArn))
	}
	if boundary != nil {
		arns.add(aws.ToString(boundary.PermissionsBoundaryArn))
	}
	forEach(ctx, r.collection, slices.Values(arns.sorted()), r.policy)
}

// policy reads the version of a managed policy that is in force.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
func (r *entityReader) policy(ctx context.Context, arn string) {
	if !r.first(arn) {
		return
	}
	out, err := r.api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if r.fails("iam:GetPolicy", arn, err) || out.Policy == nil {
		return
	}
	p := out.Policy
	d := types.ManagedPolicyDetail{
		PolicyName: p.PolicyName, PolicyId: p.PolicyId, Arn: p.Arn, Path: p.Path, DefaultVersionId: p.DefaultVersionId, AttachmentCount: p.AttachmentCount,
		PermissionsBoundaryUsageCount: p.PermissionsBoundaryUsageCount, IsAttachable: p.IsAttachable, Description: p.Description,
		CreateDate: p.CreateDate, UpdateDate: p.UpdateDate,
	}
	version, err := r.api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.DefaultVersionId})
	if r.fails("iam:GetPolicyVersion", arn, err) || version.PolicyVersion == nil {
		return
	}
	d.PolicyVersionList = []types.PolicyVersion{*version.PolicyVersion}
	r.addTo("Policies", arn, managedPolicyDetail(d))
}
