package snapshot

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// maxTree is how deep units may be nested; AWS allows five levels.
const maxTree = 20

const organizationPart = "organization"

// A policyType is one of the two kinds of policy that an organisation attaches.
type policyType struct {
	name       string // as in file names and members: scp, rcp
	enabled    string // in enabledPolicyTypes
	permission string // what collects it
}

var (
	scpType = policyType{"scp", "SERVICE_CONTROL_POLICY", "organizations:ListTargetsForPolicy and organizations:DescribePolicy"}
	rcpType = policyType{"rcp", "RESOURCE_CONTROL_POLICY", "organizations:ListTargetsForPolicy and organizations:DescribePolicy"}
)

// organizationPermission is what collects the tree.
const organizationPermission = "organizations:DescribeOrganization and organizations:ListAccountsForParent"

// An organization is organization.json and the policies attached in it.
type organization struct {
	id         string
	management string
	none       bool // the accounts collected are in no organisation
	complete   bool // the whole tree was collected
	enabled    []string
	enabledOK  bool // whether enabled was recorded
	members    map[string]*member
	policies   []evaluator.Policy // all, attached or not
}

// A member is an account of the organisation.
type member struct {
	path     string // as in aws:PrincipalOrgPaths
	levels   []node // from the root down to the account
	scp, rcp evaluator.Hierarchy
}

// A node is a root, an organisational unit or an account.
type node struct {
	id, name string
	scp, rcp attachments
}

// attachments are the ids of the policies attached to a node.
type attachments struct {
	ids []string
	ok  bool // whether they were recorded
}

func (n *node) attached(t policyType) attachments {
	if t == scpType {
		return n.scp
	}
	return n.rcp
}

// An orgPolicy is a file of organization/scp or organization/rcp.
type orgPolicy struct {
	name, arn string
	document
}

// An orgDecoder reads organization.json.
type orgDecoder struct {
	*decoder
	org *organization
}

// decodeOrganization reads organization.json; nil if it can't be used.
func decodeOrganization(d *decoder) *organization {
	x := &orgDecoder{d, &organization{members: map[string]*member{}}}
	x.organization(d.root)
	d.finish()
	if d.broken != "" {
		return nil
	}
	return x.org
}

func (x *orgDecoder) organization(root jsontree.Node) {
	switch {
	case !root.Exists():
		return // the decoder has said why
	case root.Kind() == jsontree.Null, root.Kind() == jsontree.Object && root.Len() == 0:
		x.org.none = true
		return
	case root.Kind() != jsontree.Object:
		x.fail(root.Offset(), "expected an object, found %s", root.Kind())
		return
	}
	x.org.id = x.str(root, "id")
	x.org.management = x.str(root, "managementAccount")
	x.org.enabled, x.org.enabledOK = x.strings(root, "enabledPolicyTypes")
	x.org.enabledOK = x.org.enabledOK && root.Get("enabledPolicyTypes").Kind() == jsontree.Array
	if x.org.id == "" {
		x.fail(root.Offset(), "expected the organisation's id as id")
		return
	}
	if x.org.management == "" {
		x.note(root, "managementAccount is missing: which account SCPs and RCPs don't concern is unknown; collect the organisation again")
	}
	if !x.org.enabledOK {
		x.note(root, "enabledPolicyTypes is missing: whether SCPs and RCPs apply is unknown; collect the organisation again")
	}
	roots, ok := x.list(root, "roots")
	if !ok || root.Get("roots").Len() == 0 {
		x.fail(root.Offset(), "expected the tree of the organisation as roots")
		return
	}
	for r := range roots {
		x.parent(r, nil)
	}
}

// parent reads a root or unit and all below it.
func (x *orgDecoder) parent(n jsontree.Node, above []node) {
	if len(above) > maxTree {
		x.fail(n.Offset(), "organisational units nested more than %d deep", maxTree)
		return
	}
	levels := append(slices.Clip(above), x.node(n))
	accounts, ok := x.list(n, "accounts")
	for a := range accounts {
		x.account(a, levels)
	}
	units, unitsOK := x.list(n, "organizationalUnits")
	for u := range units {
		x.parent(u, levels)
	}
	if !ok || !unitsOK {
		x.fail(n.Offset(), "accounts or units of %s can't be read", levels[len(levels)-1].id)
	}
}

func (x *orgDecoder) account(n jsontree.Node, above []node) {
	m := &member{levels: append(slices.Clip(above), x.node(n)), path: x.org.id + "/"}
	for _, level := range above {
		m.path += level.id + "/"
	}
	id := m.levels[len(m.levels)-1].id
	if x.org.members[id] != nil {
		x.fail(n.Offset(), "account %s is in the organisation twice", id)
		return
	}
	x.org.members[id] = m
}

// node reads what roots, units and accounts have in common.
func (x *orgDecoder) node(n jsontree.Node) node {
	if n.Kind() != jsontree.Object {
		x.fail(n.Offset(), "expected an object, found %s", n.Kind())
		return node{}
	}
	result := node{id: x.str(n, "id"), name: x.str(n, "name")}
	if result.id == "" {
		x.fail(n.Offset(), "a root, unit or account without id")
	}
	policies := n.Get("policies")
	result.scp = x.attachments(policies, "scp")
	result.rcp = x.attachments(policies, "rcp")
	return result
}

func (x *orgDecoder) attachments(policies jsontree.Node, name string) attachments {
	if policies.Get(name).Kind() != jsontree.Array {
		return attachments{}
	}
	ids, ok := x.strings(policies, name)
	return attachments{ids, ok}
}

// loadOrganization reads organization.json and the policies attached in it.
func (l *loader) loadOrganization() {
	d := l.open("organization.json", organizationPart)
	if d == nil {
		return
	}
	org := decodeOrganization(d)
	l.done(d, organizationPart)
	if org == nil {
		return
	}
	l.org = org
	if p := l.parts[organizationPart]; l.isOK(organizationPart) {
		org.complete = org.none || len(p.only) == 0 // else there may be other accounts in it
	}
	for _, t := range []policyType{scpType, rcpType} {
		policies := l.orgPolicies(t)
		org.policies = append(org.policies, allOf(t, policies)...)
		for id, m := range org.members {
			h := l.hierarchy(t, id, m, policies)
			if t == scpType {
				m.scp = h
			} else {
				m.rcp = h
			}
		}
	}
}

// orgPolicies reads organization/scp or organization/rcp, by id.
func (l *loader) orgPolicies(t policyType) map[string]orgPolicy {
	folder := "organization/" + t.name
	policies := map[string]orgPolicy{}
	for _, entry := range l.readDir(folder) {
		id, isJSON := strings.CutSuffix(entry.Name(), ".json")
		if !isJSON || entry.IsDir() {
			continue
		}
		d := l.openFile(path.Join(folder, entry.Name()))
		policies[id] = decodeOrgPolicy(d, id)
		l.problems = append(l.problems, d.problems...)
	}
	name := folder
	if p := l.parts[name]; p == nil && len(policies) > 0 {
		l.parts[name] = &part{status: statusOK}
	}
	return policies
}

func decodeOrgPolicy(d *decoder, id string) orgPolicy {
	root := d.root
	if d.broken == "" && root.Kind() != jsontree.Object {
		d.fail(root.Offset(), `expected {"id", "name", "arn", "document"}, found %s`, root.Kind())
	}
	if d.broken != "" {
		return orgPolicy{name: id, document: document{why: d.broken}}
	}
	p := orgPolicy{name: cmp.Or(d.str(root, "name"), id), arn: d.str(root, "arn"), document: d.document(root.Get("document"))}
	if !root.Get("document").Exists() {
		d.fail(root.Offset(), "expected the policy as document")
	}
	if own := d.str(root, "id"); own != id {
		d.fail(root.Offset(), "the id is %q in a file named %s.json", own, id)
	}
	d.finish()
	if d.broken != "" {
		p.document = document{why: d.broken}
	}
	return p
}

// hierarchy is the levels of one policy type above an account, from the root
// down (rules E33, E35). Whether the caller or the service is exempt is the evaluator's business.
func (l *loader) hierarchy(t policyType, account string, m *member, policies map[string]orgPolicy) evaluator.Hierarchy {
	org := l.org
	switch {
	case account == org.management: // rules E10, E11
		return evaluator.Hierarchy{}
	case org.enabledOK && !slices.Contains(org.enabled, t.enabled): // rule E37
		return evaluator.Hierarchy{}
	}
	h := evaluator.Hierarchy{State: evaluator.Applies}
	if org.management == "" {
		h.State, h.Missing = evaluator.MayApply, "which account is the management account isn't in organization.json"
	}
	if !org.enabledOK {
		h.State, h.Missing = evaluator.MayApply, "whether "+t.enabled+" is enabled isn't in organization.json; organizations:ListRoots would tell"
	}
	for i := range m.levels {
		h.Levels = append(h.Levels, l.level(t, &m.levels[i], policies))
	}
	return h
}

// level is the policies of one type attached to one node.
func (l *loader) level(t policyType, n *node, policies map[string]orgPolicy) evaluator.Level {
	var b layerBuilder
	attached := n.attached(t)
	what := fmt.Sprintf("%s attachments of %s", strings.ToUpper(t.name), n.id)
	folder := "organization/" + t.name
	switch p := l.parts[folder]; {
	case p != nil && p.listed && p.status != statusOK:
		b.lacks("%s: %s", what, l.whyMissing(folder, t.permission))
	case !l.isOK(organizationPart):
		b.lacks("%s: %s", what, l.whyMissing(organizationPart, organizationPermission))
	case !attached.ok:
		b.lacks("%s aren't in organization.json; %s would tell", what, t.permission)
	}
	full := false
	for _, id := range attached.ids {
		p, ok := policies[id]
		if t == rcpType && id == fullRCPID {
			full = true
			if !ok || p.body == nil {
				p, ok = fullRCP, true
			}
		}
		if !ok {
			p = orgPolicy{name: id, document: document{why: fmt.Sprintf("%s/%s.json isn't in the snapshot; organizations:DescribePolicy would tell", folder, id)}}
		}
		b.add(evaluator.Policy{Name: p.name, ARN: p.arn, Type: t.name, Target: n.id}, p.document)
	}
	if t == rcpType && !full { // rule E35
		b.add(evaluator.Policy{Name: fullRCP.name, ARN: fullRCP.arn, Type: t.name, Target: n.id}, fullRCP.document)
	}
	return evaluator.Level{Target: n.id, Name: n.name, Layer: b.layer()}
}

const fullRCPID = "p-RCPFullAWSAccess"

// fullRCP is the policy that is attached everywhere and can't be detached (rule E35).
var fullRCP = orgPolicy{
	name:     "RCPFullAWSAccess",
	arn:      "arn:aws:organizations::aws:policy/resource_control_policy/" + fullRCPID,
	document: builtIn("RCPFullAWSAccess", `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}`),
}

// builtIn compiles a document that AWS provides and no file of the snapshot holds.
func builtIn(name, text string) document {
	doc, err := policy.Parse("built-in "+name, []byte(text))
	if err != nil {
		panic("snapshot: " + err.Error())
	}
	return document{body: evaluator.Compile(doc)}
}

// hierarchyOf returns the SCPs or RCPs of an account as they were collected.
// An account outside the organisation may be in another one, whose policies nobody collected (rule U20).
func (s *Snapshot) hierarchyOf(t policyType, account string) evaluator.Hierarchy {
	missing := func(format string, args ...any) evaluator.Hierarchy {
		text := strings.ToUpper(t.name) + "s of account " + account + ": " + fmt.Sprintf(format, args...)
		return evaluator.Hierarchy{State: evaluator.NotCollected, Missing: text}
	}
	if s.org == nil {
		return missing("%s", s.whyMissing(organizationPart, organizationPermission))
	}
	if s.org.none {
		if s.inNone(account) {
			return evaluator.Hierarchy{} // rule E37
		}
		return missing("whether it is in an organisation isn't in the snapshot; organizations:DescribeOrganization there would tell")
	}
	m := s.org.members[account]
	switch {
	case m == nil && !s.org.complete:
		return missing("%s", s.whyMissing(organizationPart, organizationPermission))
	case m == nil:
		return missing("it isn't in organisation %s, and another one's policies weren't collected; organizations:DescribeOrganization there would tell", s.org.id)
	case t == scpType:
		return m.scp
	}
	return m.rcp
}

// inNone reports whether an account is known to be in no organisation: it is
// that of who took the snapshot, or, if that isn't known, the one that the snapshot is of.
func (s *Snapshot) inNone(account string) bool {
	if s.org == nil || !s.org.none || !s.org.complete {
		return false
	}
	if by, ok := policy.ParseARN(s.collectedBy); ok && isAccountID(by.Account) {
		return by.Account == account // whose organisation was asked for
	}
	return len(s.accounts) == 1 && s.accounts[account] != nil
}
