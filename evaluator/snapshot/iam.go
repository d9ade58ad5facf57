package snapshot

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// iamPermission is what reads a whole iam.json.
const iamPermission = "iam:GetAccountAuthorizationDetails"

// iamDetails is an account's iam.json.
type iamDetails struct {
	entities []*entity // users and roles, in the order of the file
	byARN    map[string]*entity
	byID     map[string]*entity
	byName   map[entityName]*entity // names are unique in an account, whatever the path (rule P1)
	other    []string               // ARNs of groups and policies, to be found as resources
	managed  map[string]managedPolicy
	groups   []evaluator.Policy // inline policies of groups, which may have no user
}

type entityName struct {
	kind evaluator.PrincipalType
	name string
}

// An entity is a user or a role. A role's kind is AssumedRole: what it is as a caller.
type entity struct {
	kind     evaluator.PrincipalType
	arn      string
	name     string
	id       string
	account  string
	tags     []tag
	tagsOK   bool
	identity evaluator.Layer
	boundary evaluator.Layer
	trust    evaluator.Layer // of a role
}

type tag struct{ key, value string }

// principal is the entity as a caller. A role is the session of it that nobody named.
func (e *entity) principal() evaluator.Principal {
	p := evaluator.Principal{Type: e.kind, ARN: e.arn, ID: e.id, Account: e.account}
	if e.kind == evaluator.AssumedRole {
		p.RoleARN = e.arn
	}
	return p
}

// entities yields every user and role.
func (s *Snapshot) entities() iter.Seq[*entity] {
	return func(yield func(*entity) bool) {
		for _, a := range s.accounts {
			if a.iam == nil {
				continue
			}
			for _, e := range a.iam.entities {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// An iamDecoder reads an iam.json.
type iamDecoder struct {
	*decoder
	account  string                   // whose it has to be; "" if several accounts may be in it
	details  map[string]*iamDetails   // by account
	managed  map[string]managedPolicy // by ARN
	groups   map[groupName]*group
	pageSeen bool
}

type groupName struct{ account, name string }

type managedPolicy struct {
	name string
	document
}

// A group is what a user gets from a group.
type group struct{ layerBuilder }

// decodeIAM reads iam.json, by account; nil if it can't be used. If account is
// "", the ARNs say whose it is.
func decodeIAM(d *decoder, account string) map[string]*iamDetails {
	x := &iamDecoder{
		decoder: d,
		account: account,
		details: map[string]*iamDetails{},
		managed: map[string]managedPolicy{},
		groups:  map[groupName]*group{},
	}
	if account != "" {
		x.of(account)
	}
	pages := x.pages()
	// Policies and groups first: a user of the first page may have a policy of the last.
	for _, page := range pages {
		x.eachOf(page, "Policies", x.managedPolicy)
	}
	for _, page := range pages {
		x.eachOf(page, "GroupDetailList", x.group)
	}
	for _, page := range pages {
		x.eachOf(page, "UserDetailList", x.user)
		x.eachOf(page, "RoleDetailList", x.role)
	}
	if x.broken == "" && !x.pageSeen {
		x.fail(d.root.Offset(), "expected the output of `aws iam get-account-authorization-details`: an object with UserDetailList, GroupDetailList, RoleDetailList and Policies")
	}
	x.finish()
	if x.broken != "" {
		return nil
	}
	for _, details := range x.details {
		details.other = slices.AppendSeq(details.other, maps.Keys(x.managed))
		details.managed = x.managed
	}
	return x.details
}

// of returns the details of an account.
func (x *iamDecoder) of(account string) *iamDetails {
	if x.details[account] == nil {
		x.details[account] = &iamDetails{byARN: map[string]*entity{}, byID: map[string]*entity{}, byName: map[entityName]*entity{}}
	}
	return x.details[account]
}

// pages returns the pages of the output: the file itself, or the items of an array.
func (x *iamDecoder) pages() []jsontree.Node {
	pages := []jsontree.Node{x.root}
	if x.root.Kind() == jsontree.Array {
		pages = slices.Collect(x.root.Items())
	}
	for i, page := range pages {
		if page.Kind() != jsontree.Object && page.Exists() {
			x.fail(page.Offset(), "expected an object, found %s", page.Kind())
			continue
		}
		for _, list := range []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"} {
			x.pageSeen = x.pageSeen || page.Get(list).Exists()
		}
		if truncated, _ := page.Get("IsTruncated").Bool(); truncated && i == len(pages)-1 {
			x.note(page.Get("IsTruncated"), "the output isn't complete: more pages follow; collect them all")
		}
	}
	return pages
}

// eachOf calls f for each object of a list of a page.
func (x *iamDecoder) eachOf(page jsontree.Node, name string, f func(jsontree.Node)) {
	if page.Kind() != jsontree.Object {
		return
	}
	items, _ := x.list(page, name)
	for item := range items {
		if item.Kind() != jsontree.Object {
			x.note(item, "expected an object in %s, found %s", name, item.Kind())
			continue
		}
		f(item)
	}
}

// arn returns the ARN and account of a user, group or role; ok is false if it can't be in this file.
func (x *iamDecoder) arn(n jsontree.Node) (arn, account string, ok bool) {
	arn = x.str(n, "Arn")
	a, ok := policy.ParseARN(arn)
	switch {
	case !ok || !isAccountID(a.Account):
		x.note(n, "expected an IAM ARN as Arn, found %q", arn)
		return arn, "", false
	case x.account != "" && a.Account != x.account:
		x.note(n, "%s isn't of account %s", arn, x.account)
		return arn, "", false
	}
	return arn, a.Account, true
}

// managedPolicy reads an item of Policies.
func (x *iamDecoder) managedPolicy(n jsontree.Node) {
	arn, name := x.str(n, "Arn"), x.str(n, "PolicyName")
	if arn == "" {
		x.note(n, "a managed policy without Arn")
		return
	}
	p := managedPolicy{name: name}
	if version := x.defaultVersion(n); version.Exists() {
		p.document = x.document(version.Get("Document"))
	} else {
		x.note(n, "managed policy %s has no default version in PolicyVersionList", arn)
		p.why = "its default version isn't in the snapshot; iam:GetPolicyVersion would tell"
	}
	if _, twice := x.managed[arn]; twice {
		return // AWS repeats none; pages that overlap may
	}
	x.managed[arn] = p
}

// defaultVersion finds the version of a managed policy that is in force.
func (x *iamDecoder) defaultVersion(n jsontree.Node) jsontree.Node {
	id := x.str(n, "DefaultVersionId")
	versions, _ := x.list(n, "PolicyVersionList")
	for v := range versions {
		if isDefault, said := v.Get("IsDefaultVersion").Bool(); said && isDefault {
			return v
		}
	}
	for v := range versions {
		if own, _ := v.Get("VersionId").String(); own == id && id != "" {
			return v
		}
	}
	return jsontree.Node{}
}

// group reads an item of GroupDetailList.
func (x *iamDecoder) group(n jsontree.Node) {
	arn, account, ok := x.arn(n)
	name := x.str(n, "GroupName")
	if !ok || name == "" {
		return
	}
	g := &group{}
	x.inline(&g.layerBuilder, n, "GroupPolicyList", arn)
	x.attached(&g.layerBuilder, n, arn)
	if key := (groupName{account, name}); x.groups[key] == nil {
		x.groups[key] = g
		details := x.of(account)
		details.other = append(details.other, arn)
		for _, p := range g.policies {
			if p.Type == "inline" {
				details.groups = append(details.groups, p)
			}
		}
	}
}

// user reads an item of UserDetailList: its identity policies are its own and
// those of its groups (rule E6).
func (x *iamDecoder) user(n jsontree.Node) {
	arn, account, ok := x.arn(n)
	if !ok {
		return
	}
	e := &entity{kind: evaluator.User, arn: arn, account: account, name: x.str(n, "UserName"), id: x.str(n, "UserId")}
	var b layerBuilder
	x.inline(&b, n, "UserPolicyList", arn)
	x.attached(&b, n, arn)
	names, ok := x.strings(n, "GroupList")
	if !ok {
		b.lacks("groups of %s: its GroupList can't be read", arn)
	}
	for _, name := range names {
		if g := x.groups[groupName{account, name}]; g != nil {
			b.policies = append(b.policies, g.policies...)
			b.missing = append(b.missing, g.missing...)
		} else {
			b.lacks("policies of group %s of %s: the group isn't in the snapshot; %s would tell", name, arn, iamPermission)
		}
	}
	e.identity = b.layer()
	x.enter(n, e)
}

// role reads an item of RoleDetailList.
func (x *iamDecoder) role(n jsontree.Node) {
	arn, account, ok := x.arn(n)
	if !ok {
		return
	}
	e := &entity{kind: evaluator.AssumedRole, arn: arn, account: account, name: x.str(n, "RoleName"), id: x.str(n, "RoleId")}
	var b, trust layerBuilder
	x.inline(&b, n, "RolePolicyList", arn)
	x.attached(&b, n, arn)
	e.identity = b.layer()
	trust.add(evaluator.Policy{Name: e.name, Type: "trust", Target: arn}, x.document(n.Get("AssumeRolePolicyDocument")))
	e.trust = trust.layer()
	x.enter(n, e)
}

// enter completes a user or role with what both have, and puts it into the
// details. Of two with the same ARN the first stays, and nobody knows which is right.
func (x *iamDecoder) enter(n jsontree.Node, e *entity) {
	details := x.of(e.account)
	if e.name == "" {
		e.name = lastSegment(e.arn)
	}
	e.tags, e.tagsOK = x.tags(n)
	e.boundary = x.boundary(n, e)
	if first := details.byARN[e.arn]; first != nil {
		x.note(n, "%s is in the list twice", e.arn)
		why := e.arn + " is in " + x.file.Name + " twice"
		for _, l := range []*evaluator.Layer{&first.identity, &first.boundary, &first.trust} {
			*l = evaluator.Layer{State: evaluator.NotCollected, Missing: why}
		}
		return
	}
	details.entities = append(details.entities, e)
	details.byARN[e.arn] = e
	details.byName[entityName{e.kind, e.name}] = e
	if e.id != "" {
		details.byID[e.id] = e
	}
}

// inline adds the policies that are part of a user, group or role.
func (x *iamDecoder) inline(b *layerBuilder, n jsontree.Node, list, target string) {
	items, ok := x.list(n, list)
	if !ok {
		b.lacks("inline policies of %s: its %s can't be read", target, list)
	}
	for item := range items {
		p := evaluator.Policy{Name: x.str(item, "PolicyName"), Type: "inline", Target: target}
		b.add(p, x.document(item.Get("PolicyDocument")))
	}
}

// attached adds the managed policies of a user, group or role.
func (x *iamDecoder) attached(b *layerBuilder, n jsontree.Node, target string) {
	items, ok := x.list(n, "AttachedManagedPolicies")
	if !ok {
		b.lacks("managed policies of %s: its AttachedManagedPolicies can't be read", target)
	}
	for item := range items {
		arn := x.str(item, "PolicyArn")
		p := evaluator.Policy{Name: cmp.Or(x.str(item, "PolicyName"), lastSegment(arn)), ARN: arn, Type: "managed", Target: target}
		b.add(p, x.managedDocument(arn))
	}
}

// managedDocument returns the document of a managed policy, the same for all it is attached to.
func (x *iamDecoder) managedDocument(arn string) document {
	if p, ok := x.managed[arn]; ok {
		return p.document
	}
	return document{why: "its document isn't in " + x.file.Name + "; iam:GetPolicyVersion would tell"}
}

// boundary is the layer of the permissions boundary (rule E7).
func (x *iamDecoder) boundary(n jsontree.Node, e *entity) evaluator.Layer {
	v := n.Get("PermissionsBoundary")
	if v.Kind() == jsontree.Missing || v.Kind() == jsontree.Null {
		return evaluator.Layer{}
	}
	var b layerBuilder
	arn := x.str(v, "PermissionsBoundaryArn")
	if arn == "" {
		x.note(v, "a PermissionsBoundary without PermissionsBoundaryArn")
		b.lacks("permissions boundary of %s: %s doesn't name it", e.arn, x.file.Name)
		return b.layer()
	}
	p := evaluator.Policy{Name: lastSegment(arn), ARN: arn, Type: "boundary", Target: e.arn}
	b.add(p, x.managedDocument(arn))
	return b.layer()
}

// tags reads the Tags of a user or role.
func (x *iamDecoder) tags(n jsontree.Node) (tags []tag, ok bool) {
	items, ok := x.list(n, "Tags")
	for item := range items {
		tags = append(tags, tag{x.str(item, "Key"), x.str(item, "Value")})
	}
	return tags, ok
}

// lastSegment is the name in an ARN or path: what follows the last slash.
func lastSegment(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// isAccountID reports whether s is twelve digits.
func isAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
