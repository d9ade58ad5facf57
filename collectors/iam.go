package collectors

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// iamPart is an account's users, groups, roles and managed policies, as
// `aws iam get-account-authorization-details` prints them.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
var iamPart = part{
	name:        "iam",
	scope:       perAccount,
	permissions: []string{iamPermission},
	lists:       []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"},
	collect: func(ctx context.Context, c *collection) {
		authorizationDetails(ctx, c, iam.NewFromConfig(c.cfg))
	},
}

const iamPermission = "iam:GetAccountAuthorizationDetails"

// authorizationDetails puts what the account has into the lists, page by page. AWS puts an entity that
// doesn't fit a page whole onto the next one.
func authorizationDetails(ctx context.Context, c *collection, api iam.GetAccountAuthorizationDetailsAPIClient) {
	// All filters: without LocalManagedPolicy or AWSManagedPolicy the documents of managed policies would be missing.
	list := iam.NewGetAccountAuthorizationDetailsPaginator(api, &iam.GetAccountAuthorizationDetailsInput{
		Filter:   types.EntityType("").Values(),
		MaxItems: aws.Int32(iamPage),
	})
	for page, err := range pages(ctx, list) {
		if err != nil {
			c.fail(iamPermission, "", err)
			return
		}
		for _, u := range page.UserDetailList {
			c.addTo("UserDetailList", aws.ToString(u.Arn), userDetail(u))
		}
		for _, g := range page.GroupDetailList {
			c.addTo("GroupDetailList", aws.ToString(g.Arn), groupDetail(g))
		}
		for _, r := range page.RoleDetailList {
			c.addTo("RoleDetailList", aws.ToString(r.Arn), roleDetail(r))
		}
		for _, p := range page.Policies {
			c.addTo("Policies", aws.ToString(p.Arn), managedPolicyDetail(p))
		}
	}
}

// iamPage is how many entities to ask for at once: fewer calls, and pages that stay small.
const iamPage = 300

// The command line's names and order, which the loader reads.
type (
	iamUser struct {
		Path                    string
		UserName                string
		UserId                  string
		Arn                     string
		CreateDate              iamTime `json:",omitzero"`
		UserPolicyList          []iamInline
		GroupList               []string
		AttachedManagedPolicies []iamAttached
		PermissionsBoundary     *iamBoundary `json:",omitempty"`
		Tags                    []iamTag
	}
	iamGroup struct {
		Path                    string
		GroupName               string
		GroupId                 string
		Arn                     string
		CreateDate              iamTime `json:",omitzero"`
		GroupPolicyList         []iamInline
		AttachedManagedPolicies []iamAttached
	}
	iamRole struct {
		Path                     string
		RoleName                 string
		RoleId                   string
		Arn                      string
		CreateDate               iamTime  `json:",omitzero"`
		AssumeRolePolicyDocument document `json:",omitempty"`
		InstanceProfileList      []iamInstanceProfile
		RolePolicyList           []iamInline
		AttachedManagedPolicies  []iamAttached
		PermissionsBoundary      *iamBoundary `json:",omitempty"`
		Tags                     []iamTag
		RoleLastUsed             iamLastUsed
	}
	iamManagedPolicy struct {
		PolicyName                    string
		PolicyId                      string
		Arn                           string
		Path                          string
		DefaultVersionId              string
		AttachmentCount               int32
		PermissionsBoundaryUsageCount int32
		IsAttachable                  bool
		Description                   string  `json:",omitempty"`
		CreateDate                    iamTime `json:",omitzero"`
		UpdateDate                    iamTime `json:",omitzero"`
		PolicyVersionList             []iamVersion
	}
	iamVersion struct {
		Document         document `json:",omitempty"`
		VersionId        string
		IsDefaultVersion bool
		CreateDate       iamTime `json:",omitzero"`
	}
	iamInline struct {
		PolicyName     string
		PolicyDocument document `json:",omitempty"`
	}
	iamAttached struct{ PolicyName, PolicyArn string }
	iamBoundary struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }
	iamTag      struct{ Key, Value string }
	iamLastUsed struct {
		LastUsedDate iamTime `json:",omitzero"`
		Region       string  `json:",omitempty"`
	}
	// An iamInstanceProfile leaves out the roles in it, which are in the list of roles.
	iamInstanceProfile struct {
		Path                string
		InstanceProfileName string
		InstanceProfileId   string
		Arn                 string
		CreateDate          iamTime `json:",omitzero"`
	}
)

// An iamTime is a time as the command line prints it.
type iamTime string

func iamTimeOf(t *time.Time) iamTime {
	if t == nil {
		return ""
	}
	return iamTime(t.UTC().Format("2006-01-02T15:04:05-07:00"))
}

func userDetail(u types.UserDetail) iamUser {
	return iamUser{
		Path: aws.ToString(u.Path), UserName: aws.ToString(u.UserName), UserId: aws.ToString(u.UserId), Arn: aws.ToString(u.Arn),
		CreateDate:              iamTimeOf(u.CreateDate),
		UserPolicyList:          inlinePolicies(u.UserPolicyList),
		GroupList:               append([]string{}, slices.Sorted(slices.Values(u.GroupList))...),
		AttachedManagedPolicies: attachedPolicies(u.AttachedManagedPolicies),
		PermissionsBoundary:     boundary(u.PermissionsBoundary),
		Tags:                    iamTags(u.Tags),
	}
}

func groupDetail(g types.GroupDetail) iamGroup {
	return iamGroup{
		Path: aws.ToString(g.Path), GroupName: aws.ToString(g.GroupName), GroupId: aws.ToString(g.GroupId), Arn: aws.ToString(g.Arn),
		CreateDate:              iamTimeOf(g.CreateDate),
		GroupPolicyList:         inlinePolicies(g.GroupPolicyList),
		AttachedManagedPolicies: attachedPolicies(g.AttachedManagedPolicies),
	}
}

func roleDetail(r types.RoleDetail) iamRole {
	role := iamRole{
		Path: aws.ToString(r.Path), RoleName: aws.ToString(r.RoleName), RoleId: aws.ToString(r.RoleId), Arn: aws.ToString(r.Arn),
		CreateDate:               iamTimeOf(r.CreateDate),
		AssumeRolePolicyDocument: iamDocument(r.AssumeRolePolicyDocument),
		InstanceProfileList:      instanceProfiles(r.InstanceProfileList),
		RolePolicyList:           inlinePolicies(r.RolePolicyList),
		AttachedManagedPolicies:  attachedPolicies(r.AttachedManagedPolicies),
		PermissionsBoundary:      boundary(r.PermissionsBoundary),
		Tags:                     iamTags(r.Tags),
	}
	if used := r.RoleLastUsed; used != nil {
		role.RoleLastUsed = iamLastUsed{LastUsedDate: iamTimeOf(used.LastUsedDate), Region: aws.ToString(used.Region)}
	}
	return role
}

func managedPolicyDetail(p types.ManagedPolicyDetail) iamManagedPolicy {
	return iamManagedPolicy{
		PolicyName: aws.ToString(p.PolicyName), PolicyId: aws.ToString(p.PolicyId), Arn: aws.ToString(p.Arn), Path: aws.ToString(p.Path),
		DefaultVersionId:              aws.ToString(p.DefaultVersionId),
		AttachmentCount:               aws.ToInt32(p.AttachmentCount),
		PermissionsBoundaryUsageCount: aws.ToInt32(p.PermissionsBoundaryUsageCount),
		IsAttachable:                  p.IsAttachable,
		Description:                   aws.ToString(p.Description),
		CreateDate:                    iamTimeOf(p.CreateDate),
		UpdateDate:                    iamTimeOf(p.UpdateDate),
		PolicyVersionList:             policyVersions(p.PolicyVersionList),
	}
}

// policyVersions are the versions, newest first.
func policyVersions(list []types.PolicyVersion) []iamVersion {
	versions := make([]iamVersion, 0, len(list))
	for _, v := range list {
		versions = append(versions, iamVersion{iamDocument(v.Document), aws.ToString(v.VersionId), v.IsDefaultVersion, iamTimeOf(v.CreateDate)})
	}
	number := func(v iamVersion) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(v.VersionId, "v")) // another form sorts last
		return n
	}
	slices.SortStableFunc(versions, func(a, b iamVersion) int { return cmp.Compare(number(b), number(a)) })
	return versions
}

// iamDocument is a document that IAM returned; one that it left out stays out, which isn't the same as none.
func iamDocument(text *string) document {
	if aws.ToString(text) == "" {
		return nil
	}
	return documentOf(*text)
}

func inlinePolicies(list []types.PolicyDetail) []iamInline {
	policies := make([]iamInline, 0, len(list))
	for _, p := range list {
		policies = append(policies, iamInline{aws.ToString(p.PolicyName), iamDocument(p.PolicyDocument)})
	}
	slices.SortStableFunc(policies, func(a, b iamInline) int { return cmp.Compare(a.PolicyName, b.PolicyName) })
	return policies
}

func attachedPolicies(list []types.AttachedPolicy) []iamAttached {
	policies := make([]iamAttached, 0, len(list))
	for _, p := range list {
		policies = append(policies, iamAttached{aws.ToString(p.PolicyName), aws.ToString(p.PolicyArn)})
	}
	slices.SortStableFunc(policies, func(a, b iamAttached) int { return cmp.Compare(a.PolicyArn, b.PolicyArn) })
	return policies
}

func boundary(b *types.AttachedPermissionsBoundary) *iamBoundary {
	if b == nil {
		return nil
	}
	return &iamBoundary{string(b.PermissionsBoundaryType), aws.ToString(b.PermissionsBoundaryArn)}
}

func iamTags(list []types.Tag) []iamTag {
	tags := make([]iamTag, 0, len(list))
	for _, t := range list {
		tags = append(tags, iamTag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	slices.SortStableFunc(tags, func(a, b iamTag) int { return cmp.Compare(a.Key, b.Key) })
	return tags
}

func instanceProfiles(list []types.InstanceProfile) []iamInstanceProfile {
	profiles := make([]iamInstanceProfile, 0, len(list))
	for _, p := range list {
		profiles = append(profiles, iamInstanceProfile{aws.ToString(p.Path), aws.ToString(p.InstanceProfileName), aws.ToString(p.InstanceProfileId), aws.ToString(p.Arn), iamTimeOf(p.CreateDate)})
	}
	slices.SortStableFunc(profiles, func(a, b iamInstanceProfile) int { return cmp.Compare(a.Arn, b.Arn) })
	return profiles
}
