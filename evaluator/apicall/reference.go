package apicall

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// What no row of the tables says comes from the service reference: the resource types of the action,
// and their ARN patterns filled in with the parameters that have the names of the patterns' parts.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

// referenceAction returns an action of the service reference, given with its prefix.
func referenceAction(action string) (*serviceref.Service, *serviceref.Action, bool) {
	prefix, name, _ := strings.Cut(action, ":")
	s, ok := serviceref.Lookup(prefix)
	if !ok {
		return nil, nil, false
	}
	a, ok := s.Action(name)
	return s, a, ok
}

// naming says how a call names a resource of a type.
type naming int8

const (
	unnamed naming = iota
	byName         // a parameter has (part of) its name or id
	byARN          // a parameter has its ARN
)

// A candidate is a resource type of an action, with the resources of the type that the call names.
type candidate struct {
	typ       *serviceref.ResourceType
	required  bool
	how       naming
	from      string // the parameter that has the ARNs
	slots     string // the parts of the ARN that vary; types that share them all are alternatives
	resources []evaluator.Resource
}

// allOf are the services whose actions are checked on each type that the reference calls required, even if the
// call names none (S43). Elsewhere "required" also marks alternatives: bedrock:InvokeModel has 12.
var allOf = map[string]bool{"ec2": true, "glue": true}

// byReference returns an action's resources by the service reference (T83). A resource that the call may
// or may not be checked on is marked so.
func (d *derivation) byReference(action string, s *serviceref.Service, a *serviceref.Action) []evaluator.Resource {
	if a.ResourceLess() {
		if unsettled[s.Prefix] { // rule R12
			return []evaluator.Resource{everything}
		}
		if template := shownOn[s.Prefix]; template != "" {
			if a.AccessLevel != serviceref.List && a.AccessLevel != serviceref.Read {
				return []evaluator.Resource{everything}
			}
			return d.fromReference(action, d.fill(template))
		}
		return d.fromReference(action, []evaluator.Resource{{ARN: "*", Account: d.owner}}) // rule R10
	}
	var required, optional []candidate
	d.unfit = false
	for _, c := range withVersions(d.candidates(s, a)) {
		if c.required {
			required = append(required, c)
		} else {
			optional = append(optional, c)
		}
	}
	named := slices.DeleteFunc(slices.Concat(required, optional), func(c candidate) bool { return c.how == unnamed })
	switch {
	case d.unfit:
		return []evaluator.Resource{everything}
	case d.oneARN(named):
		return d.fromReference(action, resourcesOf(named))
	case allOf[s.Prefix] && len(required)+len(named) > 0:
		return d.fromReference(action, resourcesOf(append(required, d.optional(action, required, optional)...)))
	case len(required) == 1:
		for _, c := range namedOf(optional) {
			if required[0].how != unnamed && required[0].slots != "" && strings.HasPrefix(c.slots, required[0].slots) {
				d.unsure(action, c.resources) // a part of the one that is required
			}
		}
		if required[0].how == unnamed { // what is known comes first
			if !d.params.known {
				return d.fromReference(action, resourcesOf(append(required, d.optional(action, required, optional)...)))
			}
			return d.fromReference(action, resourcesOf(append(namedOf(optional), required[0])))
		}
		return d.fromReference(action, resourcesOf(append(required, d.optional(action, required, optional)...)))
	case len(named) == 0, alternatives(named):
		return []evaluator.Resource{everything}
	case len(required) == 0 && len(named) == 1:
		return d.fromReference(action, named[0].resources)
	case len(required) == 0:
		if c, ok := mostSpecific(named, d.noun()); ok {
			return d.fromReference(action, c.resources)
		}
		return []evaluator.Resource{everything}
	}
	all := resourcesOf(named)
	for _, c := range required {
		if c.how == unnamed {
			d.unsure(action, c.resources)
			all = append(all, c.resources...)
		}
	}
	return d.fromReference(action, all)
}

// namedWithin are the actions whose calls name what they are checked on deep within a specification, or in a template
// that they name: which of it is theirs isn't read.
var namedWithin = set("ec2:CreateFleet ec2:ModifyFleet ec2:RequestSpotFleet ec2:RequestSpotInstances ec2:ModifyVpcEndpoint")

// optional are the types that an action may be checked on beside those required: the ones that the call names and, if its
// parameters aren't recorded, perhaps any of them.
func (d *derivation) optional(action string, required, all []candidate) []candidate {
	if d.params.known && !namedWithin[action] {
		return namedOf(all)
	}
	sure := resourcesOf(required)
	for _, c := range all {
		for _, r := range c.resources {
			if !slices.Contains(sure, r) {
				d.note(action, r).unsure = true
			}
		}
	}
	return all
}

// withVersions puts a type and that of its versions together, as prompt/${PromptId} and prompt/${PromptId}:${PromptVersion}, if
// the call names both: either may be meant.
func withVersions(all []candidate) []candidate {
	var kept []candidate
	for i := range all {
		c := &all[i]
		ofAnother := false
		for j := range all {
			whole := &all[j]
			if c.how == byName && whole.how == byName && strings.HasPrefix(c.typ.ARN, whole.typ.ARN+":") {
				ofAnother = true
				for k, r := range whole.resources {
					if !strings.HasSuffix(r.ARN, "*") {
						whole.resources[k].ARN, whole.resources[k].Pattern = r.ARN+"*", true
					}
				}
				whole.required = whole.required || c.required
			}
		}
		if !ofAnother {
			kept = append(kept, *c)
		}
	}
	return kept
}

func namedOf(all []candidate) []candidate {
	return slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.how == unnamed })
}

func resourcesOf(all []candidate) []evaluator.Resource {
	var found []evaluator.Resource
	for _, c := range all {
		for _, r := range c.resources {
			if !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
		if len(found) > maxRequests {
			break
		}
	}
	return boundedResources(found)
}

// oneARN reports whether one parameter, such as resourceArn, has the ARNs of all that the call names: these are
// the resources, whatever other types there are.
func (d *derivation) oneARN(named []candidate) bool {
	if len(named) == 0 {
		return false
	}
	for _, c := range named {
		if c.how != byARN || c.from != named[0].from {
			return false
		}
	}
	return generalARN[named[0].from]
}

// alternatives reports whether two of the types are named by the same parts of the call, so that which
// of them is meant can't be told.
func alternatives(named []candidate) bool {
	for i, c := range named {
		for _, other := range named[:i] {
			if c.how == byName && other.how == byName && c.slots == other.slots {
				return true
			}
		}
	}
	return false
}

// mostSpecific returns the type that the operation is called after, if its ARN has all that
// the others' have and more: the resource inside the others.
func mostSpecific(named []candidate, noun string) (candidate, bool) {
	for _, c := range named {
		if !sameNoun(noun, fold(c.typ.Name)) {
			continue
		}
		inside := true
		for _, other := range named {
			inside = inside && strings.HasPrefix(c.slots, other.slots)
		}
		return c, inside
	}
	return candidate{}, false
}

// fromReference marks resources as found by the reference.
func (d *derivation) fromReference(action string, all []evaluator.Resource) []evaluator.Resource {
	for _, r := range all {
		d.note(action, r).byReference = true
	}
	return all
}

// unsure marks resources as ones that the call may not be checked on.
func (d *derivation) unsure(action string, all []evaluator.Resource) {
	for _, r := range all {
		d.note(action, r).unsure = true
	}
}

// A note is what is known of a resource of an action beside the resource.
type note struct{ byReference, recorded, unsure bool }

func (d *derivation) note(action string, r evaluator.Resource) *note {
	key := action + " " + r.ARN
	if d.notes == nil {
		d.notes = map[string]*note{}
	}
	if d.notes[key] == nil {
		d.notes[key] = &note{recorded: d.given[r.ARN]}
	}
	return d.notes[key]
}

// candidates looks in the call for resources of each of an action's types.
func (d *derivation) candidates(s *serviceref.Service, a *serviceref.Action) []candidate {
	all := make([]candidate, 0, len(a.Resources))
	for _, r := range a.Resources {
		t, ok := s.ResourceType(r.Type)
		if !ok {
			continue
		}
		c := candidate{typ: t, required: r.Required}
		for _, pattern := range t.ARNs {
			c.slots += slotsOf(t, pattern)
		}
		all = append(all, c)
	}
	d.takeARNs(all)
	if named := namedOf(all); !d.unfit && d.oneARN(named) {
		return named // whatever else there is
	}
	for i := range all {
		c := &all[i]
		if c.how != unnamed {
			continue
		}
		if f, ok := typeTable[s.Prefix+":"+c.typ.Name]; ok {
			given := d.gives(strings.Fields(f.params)...)
			if given {
				c.how = byName
			}
			if given || s.Prefix == "s3" { // whose buckets the event records, too
				c.resources = f.find(d)
				continue
			}
		}
		c.resources, c.how = d.byNames(s.Prefix, c.typ)
	}
	return all
}

// byNames fills in the ARN patterns of a type. The resource is a pattern if the call doesn't have all of its name.
func (d *derivation) byNames(prefix string, t *serviceref.ResourceType) ([]evaluator.Resource, naming) {
	var all, any []evaluator.Resource
	for _, pattern := range t.ARNs {
		resources, how := d.fillPattern(prefix, t, pattern)
		if how == unnamed {
			any = append(any, resources...)
		} else {
			all = append(all, resources...)
		}
	}
	switch {
	case len(all) > 0 && (len(any) == 0 || len(t.ARNs) > len(any)):
		if len(t.ARNs)-len(any) > 1 { // named by two patterns: one of them, and which can't be told
			return []evaluator.Resource{d.pattern(serviceOf(t.ARN) + ":*:*:*")}, byName
		}
		return all, byName
	case len(any) == 1:
		return any, unnamed
	}
	return []evaluator.Resource{d.pattern(serviceOf(t.ARN) + ":*:*:*")}, unnamed
}

func serviceOf(pattern string) string {
	a, _ := policy.ParseARN(pattern)
	return a.Service
}

// fillPattern fills in one ARN pattern, the parts of its name with what parameters say.
func (d *derivation) fillPattern(prefix string, t *serviceref.ResourceType, pattern string) ([]evaluator.Resource, naming) {
	p, ok := policy.ParseARN(pattern)
	if !ok || strings.Contains(p.Service, "$") {
		return []evaluator.Resource{everything}, unnamed
	}
	parts := cutSlots(p.Resource)
	values := make([][]string, len(parts))
	own := ownSlot(parts)
	last, lists, named := -1, 0, false
	for i, part := range parts {
		if part.slot == "" {
			continue
		}
		v, state := d.slot(prefix, t, part.slot, i >= own)
		if state == notGiven {
			continue
		}
		if i > 0 && state == given {
			v, state = withoutPrefix(v, parts[i-1].text)
		}
		named = named || i >= own && d.params.known
		if state == given && len(v) > 0 {
			values[i], last = v, i
			if len(v) > 1 {
				lists++
			}
		}
	}
	if lists > 1 {
		values, last = make([][]string, len(parts)), -1 // which belongs to which can't be told
	}
	how := unnamed
	if named {
		how = byName
	}
	partition := p.Partition
	if strings.HasPrefix(partition, "$") {
		partition = d.partition
	}
	region, account := d.regionFor(p.Region), d.accountFor(prefix, t, p.Account, last >= 0 || own == len(parts) && d.params.known)
	r := evaluator.Resource{ARN: "arn:" + partition + ":" + p.Service + ":" + region + ":" + account + ":"}
	r.Pattern = strings.Contains(r.ARN, "*")
	made := []evaluator.Resource{r}
	for i, part := range parts {
		switch {
		case part.slot == "":
			extend(made, part.text, strings.Contains(part.text, "*"))
		case values[i] == nil:
			extend(made, "*", true)
			if i > last {
				return made, how // all that follows is unknown, too
			}
		default:
			var next []evaluator.Resource
			for _, m := range made {
				for _, v := range values[i] {
					next = append(next, evaluator.Resource{ARN: m.ARN + v, Pattern: m.Pattern || strings.HasPrefix(v, "*")})
				}
			}
			made = next
		}
	}
	return made, how
}

// regionFor is the region of an ARN whose pattern has the one given. What is copied from
// another region may be there.
func (d *derivation) regionFor(pattern string) string {
	if !strings.HasPrefix(pattern, "$") {
		return pattern
	}
	if _, state := d.slotValues("sourceregion"); state != notGiven && d.params.known || !d.params.known && strings.HasPrefix(d.operation, "Copy") {
		return "*"
	}
	return d.region
}

// accountParams are the parameters that say whose a resource is.
var accountParams = map[string]string{
	"backup": "backupvaultaccountid", "codeartifact": "domainowner", "mgn": "accountid", "ecr": "registryid", "glacier": "accountid", "glue": "catalogid", "lakeformation": "catalogid",
	"quicksight": "awsaccountid", "appmesh": "meshowner", "s3": "accountid", "s3-outposts": "accountid", "servicediscovery": "owneraccount",
}

// sharedTypes are the types whose resources another account may own though the call names them by a mere
// id: AWS RAM shares them, or they are public.
//
// https://docs.aws.amazon.com/ram/latest/userguide/shareable.html
var sharedTypes = words(map[string]string{
	"ec2": `vpc subnet security-group transit-gateway transit-gateway-attachment transit-gateway-route-table transit-gateway-multicast-domain
		transit-gateway-policy-table transit-gateway-connect-peer prefix-list ipam ipam-pool ipam-scope ipam-resource-discovery capacity-reservation coip-pool
		local-gateway local-gateway-route-table local-gateway-virtual-interface-group traffic-mirror-target dedicated-host placement-group
		verified-access-group vpc-endpoint vpc-endpoint-service vpc-peering-connection ipv4pool-ec2 ipv6pool-ec2 fpga-image group license-configuration
		secondary-network secondary-subnet outpost-lag network-interface`,
	"appstream":        "image",
	"cleanrooms":       "collaboration",
	"datazone":         "domain",
	"directconnect":    "dxcon dxlag dxvif dx-gateway",
	"ds":               "directory",
	"fsx":              "volume snapshot",
	"license-manager":  "license-configuration license grant",
	"networkmanager":   "core-network global-network attachment",
	"outposts":         "outpost site",
	"ram":              "resource-share permission",
	"route53profiles":  "profile",
	"route53resolver":  "resolver-rule resolver-query-log-config firewall-rule-group firewall-domain-list",
	"servicecatalog":   "Portfolio Product Application AttributeGroup",
	"servicediscovery": "namespace service",
	"vpc-lattice":      "Service ServiceNetwork ResourceConfiguration ResourceGateway",
	"workspaces":       "workspacebundle workspaceimage connectionalias",
})

// othersAccount are the services whose resources are in the organization's management account or that of its identities.
var othersAccount = map[string]bool{"account": true, "identitystore": true, "identitystore-auth": true, "organizations": true, "sso": true, "sso-directory": true}

// ownOnly are the services whose calls name nothing by an ARN of another account.
var ownOnly = map[string]bool{"ec2": true, "iam": true}

// accountFor is the account of an ARN whose pattern has the one given: the caller's for a name, anybody's for
// what the call may name by an ARN.
func (d *derivation) accountFor(prefix string, t *serviceref.ResourceType, pattern string, named bool) string {
	if !strings.HasPrefix(pattern, "$") {
		return pattern
	}
	if f := fold(pattern); f != "account" && f != "accountid" || othersAccount[prefix] {
		return "*"
	}
	if param := accountParams[prefix]; param != "" {
		switch v, state := d.slotValues(param); {
		case state == given && len(v) == 1 && accountID(v[0]):
			return v[0]
		case state == given && len(v) == 1 && v[0] == "-" || state == notGiven && d.params.known:
		default:
			return "*"
		}
	}
	creates := d.params.known && strings.HasPrefix(d.operation, "Create") && sameNoun(d.noun(), fold(t.Name))
	if !named && !creates && !ownOnly[prefix] || sharedTypes[prefix+":"+t.Name] && !creates {
		return "*"
	}
	return d.account
}

// A piece is fixed text of an ARN pattern, or a part that varies.
type piece struct{ text, slot string }

// cutSlots takes a pattern's resource apart: instance/${InstanceId}.
func cutSlots(s string) []piece {
	var all []piece
	for s != "" {
		before, after, ok := strings.Cut(s, "${")
		if before != "" {
			all = append(all, piece{text: before})
		}
		if !ok {
			break
		}
		slot, rest, _ := strings.Cut(after, "}")
		all = append(all, piece{slot: slot})
		s = rest
	}
	return all
}

// withoutPrefix takes off what the pattern has before a part, as in policy/p-${PolicyId}, if the values begin with it; otherwise
// they aren't sure to be the part.
func withoutPrefix(values []string, before string) ([]string, presence) {
	prefix := before[strings.LastIndexAny(before, "/:")+1:]
	if prefix == "" {
		return values, given
	}
	var all []string
	for _, v := range values {
		rest, ok := strings.CutPrefix(v, prefix)
		if !ok || rest == "" {
			return nil, notKnown
		}
		all = append(all, rest)
	}
	return all, given
}

// ownSlot is the place of the part that names the resource itself: the last one, or the first of ${Name}/${Id}.
func ownSlot(parts []piece) int {
	own := len(parts)
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].slot == "" {
			continue
		}
		if own < len(parts) && !generalSlots[fold(parts[i].slot)] {
			break
		}
		own = i
		if !generalSlots[fold(parts[i].slot)] {
			break
		}
	}
	return own
}

// slotsOf are the names of the parts of a type's pattern that vary, in order.
func slotsOf(t *serviceref.ResourceType, pattern string) string {
	p, _ := policy.ParseARN(pattern)
	s := ""
	for _, part := range cutSlots(p.Resource) {
		if slot := fold(part.slot); generalSlots[slot] {
			s += fold(t.Name) + slot + " "
		} else if slot != "" {
			s += slot + " "
		}
	}
	return s
}

// fold returns a name's letters and digits in lower case: ClusterName, cluster-name and cluster_name are one.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}, s)
}

// ofType reports whether a recorded ARN is of one of an action's types.
func ofType(s *serviceref.Service, a *serviceref.Action, got policy.ARN) bool {
	for _, r := range a.Resources {
		if t, ok := s.ResourceType(r.Type); ok {
			for _, pattern := range t.ARNs {
				if strict, _, ok := fits(pattern, got); ok && (strict || s.Prefix != "s3") {
					return true
				}
			}
		}
	}
	return false
}
