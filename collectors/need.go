package collectors

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// This file finds what of AWS the answers to requests hang on.

// A need is what to ask for.
type need struct {
	Users, Roles, Names set // of the caller's account, by name; Names may be either
	// Accounts are those whose SCPs and RCPs count.
	Accounts set
	// Resources are ARNs by the part that they are of, of the caller's account.
	Resources map[string]set
	Endpoints set // regions in which there are VPC endpoints to know
	// Elsewhere are parts of other accounts, and why they aren't asked for.
	Elsewhere map[string]string
	Home      string // the region of what has none

	who caller
}

// A set is texts, which JSON has in order.
type set map[string]bool

func (s *set) add(text string) {
	if *s == nil {
		*s = set{}
	}
	if text != "" {
		(*s)[text] = true
	}
}

func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }

func (l *Live) needOf(q Questions) *need {
	n := &need{who: l.who, Resources: map[string]set{}, Elsewhere: map[string]string{}, Home: l.options.Config.Region}
	for _, name := range q.Names {
		n.Names.add(name)
		n.Accounts.add(l.who.account)
	}
	for i := range q.Requests {
		n.caller(&q.Requests[i].Principal)
		n.resource(&q.Requests[i])
		n.endpoint(&q.Requests[i])
	}
	return n
}

// own reports whether a part is of the caller's account; if not, it is noted.
func (n *need) own(p *part, account string) bool {
	if account == n.who.account {
		return true
	}
	n.Elsewhere[p.in(account)] = "it is another account's than " + n.who.arn + "'s, whom AWS was asked as"
	return false
}

// caller adds who calls: a user or role, and the SCPs of its account (rules E6, E10).
func (n *need) caller(p *evaluator.Principal) {
	arn := cmp.Or(p.RoleARN, p.ARN)
	switch p.Type {
	case evaluator.FederatedUser:
		arn = p.ParentARN
		fallthrough
	case evaluator.User, evaluator.AssumedRole:
		n.entity(arn)
	case evaluator.Root:
	default: // no account's
		return
	}
	n.account(cmp.Or(p.Account, accountIn(arn)))
}

// entity adds the user or role of an ARN, or the role of a session's.
func (n *need) entity(text string) {
	arn, ok := policy.ParseARN(text)
	if !ok || !accountID.MatchString(arn.Account) || !n.own(&iamPart, arn.Account) {
		return
	}
	kind, path, _ := strings.Cut(arn.Resource, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch kind {
	case "user":
		n.Users.add(name)
	case "role":
		n.Roles.add(name)
	case "assumed-role":
		role, _, _ := strings.Cut(path, "/")
		n.Roles.add(role)
	}
}

func (n *need) account(id string) {
	if accountID.MatchString(id) {
		n.Accounts.add(id)
	}
}

func accountIn(text string) string {
	arn, _ := policy.ParseARN(text)
	return arn.Account
}

// resource adds the policy of a resource, and the RCPs of its account (rules E9, E11).
func (n *need) resource(req *evaluator.Request) {
	arn, ok := policy.ParseARN(req.Resource.ARN)
	if !ok {
		return // whatever it is: * is the caller's account
	}
	account := cmp.Or(req.Resource.Account, arn.Account)
	if arn.Service == "iam" && strings.HasPrefix(strings.ToLower(req.Action), "sts:") {
		n.entity(req.Resource.ARN) // its trust policy (rule S5)
	}
	if account == "" { // it is the caller's if it is anybody's that can be asked
		account = n.who.account
	}
	n.account(account)
	row := rowOf(arn.Service)
	if row == nil || !accountID.MatchString(account) || !n.own(row, account) {
		return
	}
	if row.one != nil {
		if guarded, ok := row.one.guarded(arn); ok { // objects of one bucket are one
			arn = guarded
		}
	}
	resources := n.Resources[row.name]
	resources.add(arn.String())
	n.Resources[row.name] = resources
}

// rowOf is the part that has the policies of a service's resources; nil if none has.
func rowOf(service string) *part {
	for _, p := range parts() {
		if p.name == "resources/"+service {
			return p
		}
	}
	return nil
}

// endpoint adds the VPC endpoint that a call came through (rule E12).
func (n *need) endpoint(req *evaluator.Request) {
	if v := req.Context.Lookup("aws:SourceVpce"); v.State != evaluator.Present {
		return
	}
	arn, _ := policy.ParseARN(req.Resource.ARN)
	region := cmp.Or(arn.Region, n.Home)
	if v := req.Context.Lookup("aws:RequestedRegion"); v.State == evaluator.Present && len(v.Values) == 1 {
		region = v.Values[0]
	}
	if regionName.MatchString(region) {
		n.Endpoints.add(region)
	}
}

// parts are the rows that collect what is needed and nothing else.
func (n *need) parts() []*part {
	var rows []*part
	if len(n.Accounts) > 0 {
		p := organizationPart
		p.only, p.permissions = n.Accounts.sorted(), pathPermissions
		p.collect = func(ctx context.Context, c *collection) { pathsTo(ctx, c, p.only) }
		rows = append(rows, &p)
	}
	if e := (entities{users: n.Users.sorted(), roles: n.Roles.sorted(), names: n.Names.sorted()}); len(e.all()) > 0 {
		p := iamPart
		p.only, p.permissions, p.collect = e.all(), entityPermissions, e.collect
		rows = append(rows, &p)
	}
	if len(n.Endpoints) > 0 {
		p := endpointsPart
		p.at = n.Endpoints.sorted()
		rows = append(rows, &p)
	}
	for _, row := range parts() {
		if resources := n.Resources[row.name].sorted(); len(resources) > 0 {
			rows = append(rows, row.narrowed(resources, n.Home))
		}
	}
	return rows
}

// narrowed is a part that collects some resources, or if there is no such way all of the regions that they are in. home is
// the region of those that have none.
func (p *part) narrowed(resources []string, home string) *part {
	narrow := *p
	arns, regions, single := make([]policy.ARN, len(resources)), set{}, p.one != nil
	for i, text := range resources {
		arns[i], _ = policy.ParseARN(text)
		if region := cmp.Or(arns[i].Region, home); regionName.MatchString(region) {
			regions.add(region)
		}
		if single {
			_, single = p.one.guarded(arns[i])
		}
	}
	narrow.regions = p.regions && !single
	if narrow.asksRegions() {
		narrow.at = append([]string{}, regions.sorted()...)
	}
	if !single {
		return &narrow
	}
	narrow.only = resources
	narrow.collect = func(ctx context.Context, c *collection) {
		forEach(ctx, c, slices.Values(arns), func(ctx context.Context, arn policy.ARN) {
			if p.scope != perRegion || arn.Region == c.region {
				p.one.collect(ctx, c, arn)
			}
		})
	}
	return &narrow
}
