package apicall

import (
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A slot is a part of an ARN pattern that varies, as ClusterName in cluster/${ClusterName}. What fills it is a
// parameter of the same name; nothing else is as sure.

// generalSlots are the slots whose names say nothing of what they name: there the type does.
var generalSlots = map[string]bool{
	"id": true, "name": true, "identifier": true, "uuid": true, "resourceid": true, "resourcename": true, "resourceidentifier": true, "arn": true,
	"resource": true, "token": true,
}

// neverFilled are the slots that a parameter of the same name doesn't fill: it means something else.
var neverFilled = map[string]bool{
	"account": true, "region": true, "partition": true, "vendor": true, "resourcetype": true, "owner": true, "token": true, "operation": true, "provider": true,
	"scope": true, "type": true, "key": true, "value": true, "status": true, "category": true,
}

// slotNames are the parameters, beside those of the slot's own name, that fill a slot of a service.
var slotNames = map[string]string{
	"ec2:securitygroupid": "groupid", "ec2:keypairname": "keyname", "ec2:naclid": "networkaclid", "ec2:dedicatedhostid": "hostid",
	"ec2:vpcflowlogid": "flowlogid", "ec2:vpcendpointserviceid": "serviceid", "ec2:ipv4poolcoipid": "coippoolid poolid",
	"ec2:reservationid": "reservedinstancesid", "ec2:placementgroupname": "groupname",
	"iot:certificate": "certificateid", "iot:cacertificate": "certificateid", "iot:provisioningtemplate": "templatename",
	"codedeploy:deploymentconfigurationname": "deploymentconfigname",
	"batch:jobqueuename":                     "jobqueue", "batch:computeenvironmentname": "computeenvironment",
	"redshift:clustername": "clusteridentifier", "redshift:subnetgroupname": "clustersubnetgroupname",
	"redshift:snapshotname": "snapshotidentifier", "redshift:securitygroupname": "clustersecuritygroupname",
	"elasticmapreduce:clusterid": "jobflowid", "sso:accountid": "targetid", "eks:clustername": "name", "appsync:graphqlapiid": "apiid",
	"ses:identityname": "emailidentity identity", "config:recordername": "configurationrecordername",
}

// onlyNamed are the types whose slot is called as that of another type, by the parameter that names them alone.
var onlyNamed = map[string]string{"memorydb:multiregioncluster": "multiregionclustername"}

// beginnings tell types apart whose ids have one parameter.
var beginnings = map[string]string{"ssm:instance": "i-", "ssm:managed-instance": "mi-", "ssm:managed-instance-inventory": "mi-"}

// lowered are the services, and slots of others, that keep names in lower case, however they are given: a
// name with a capital isn't the one in the ARN.
var lowered = map[string]bool{
	"dax": true, "dms": true, "docdb-elastic": true, "elasticache": true, "memorydb": true, "rds": true, "redshift": true, "redshift-serverless": true,
	"sagemaker": true, "es": true, "codeartifact": true, "imagebuilder": true,
	"glue:databasename": true, "glue:tablename": true,
}

// slot returns what the call says of a slot of a type's ARN, of which own says that it names the resource itself and not
// what the resource is part of. A value that can't be the ARN's is unknown.
func (d *derivation) slot(prefix string, t *serviceref.ResourceType, slot string, own bool) ([]string, presence) {
	for _, name := range d.slotParameters(prefix, t, fold(slot), own) {
		values, state := d.slotValues(name)
		if state == notGiven {
			continue
		}
		if begin := beginnings[prefix+":"+t.Name]; begin != "" && state == given && !slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, begin) }) {
			continue // another type's
		}
		withPath := strings.HasSuffix(slot, "WithPath")
		var all []string
		for _, v := range values {
			if !nameLike(v) || strings.HasPrefix(v, "$") || (lowered[prefix] || lowered[prefix+":"+fold(slot)]) && (v != strings.ToLower(v) || strings.Contains(v, " ")) {
				return nil, notKnown
			}
			if withPath {
				v = "*" + v
			}
			if !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
		if state != given {
			return nil, notKnown
		}
		return all, given
	}
	return nil, notGiven
}

// slotParameters are the parameters that fill a slot, folded, the surest first.
func (d *derivation) slotParameters(prefix string, t *serviceref.ResourceType, slot string, own bool) []string {
	slot = strings.TrimSuffix(slot, "withpath")
	if neverFilled[slot] || strings.HasSuffix(slot, "path") || strings.HasSuffix(slot, "prefix") || strings.HasSuffix(slot, "pattern") {
		return nil
	}
	if name := onlyNamed[prefix+":"+t.Name]; name != "" {
		return []string{name}
	}
	var all []string
	root, kind := slot, ""
	if generalSlots[slot] {
		root, kind = fold(t.Name), strings.TrimPrefix(slot, "resource")
	} else {
		all = append(all, slot, slot+"s")
		for _, k := range []string{"name", "id", "identifier", "uuid"} {
			if r, ok := strings.CutSuffix(slot, k); ok {
				root, kind = r, k
				break
			}
		}
	}
	roots, noun := []string{root}, d.noun()
	if typ := fold(t.Name); own && typ != root {
		roots = append(roots, typ)
	}
	about := slices.ContainsFunc(roots, func(r string) bool { return sameNoun(noun, r) })
	if about && kind != "name" && copies(d.operation) {
		return nil // it gets an id of its own
	}
	for _, r := range roots {
		switch kind {
		case "":
		case "name":
			all = append(all, r+"name", r+"names", r)
		default:
			all = append(all, r+"id", r+"ids", r+"identifier", r+"identifiers")
		}
	}
	for _, name := range strings.Fields(slotNames[prefix+":"+slot]) {
		all = append(all, name, name+"s")
	}
	switch {
	case !about || kind == "" || strings.HasPrefix(d.operation, "List") || strings.HasPrefix(d.operation, "Search"):
	case kind != "name":
		all = append(all, "id", "ids", "identifier")
	case !d.renames(roots):
		all = append(all, "name", "names")
	}
	return all
}

// copies reports whether an operation makes a resource of another one, which it names.
func copies(operation string) bool {
	for _, verb := range []string{"Copy", "Restore", "Clone", "Import"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// renames reports whether the call's name may be one that the resource is to have, as it is told by something else.
func (d *derivation) renames(roots []string) bool {
	if strings.HasPrefix(d.operation, "Create") {
		return false
	}
	for _, r := range append([]string{"resource", ""}, roots...) {
		for _, end := range []string{"id", "arn", "identifier"} {
			if _, state := d.slotValues(r + end); state != notGiven {
				return true
			}
		}
	}
	return false
}

// slotValues returns the values of the parameter with a folded name.
func (d *derivation) slotValues(name string) ([]string, presence) {
	if !d.params.known {
		return nil, notKnown
	}
	if d.members == nil {
		d.members = d.indexed()
	}
	nodes, ok := d.members[name]
	if !ok || len(nodes) == 0 {
		return nil, notGiven
	}
	if len(nodes) > maxValues {
		return nil, notKnown
	}
	var all []string
	for _, n := range nodes {
		s, ok := text(n)
		if !ok {
			return nil, notKnown
		}
		all = append(all, s)
	}
	return all, given
}

// indexed returns the call's parameters by folded name: those at the top, those of an object called like what the
// operation is about (pipeline.name, tableInput.name), and those that EC2 lists (instancesSet.items[].instanceId). One that is there
// twice is unknown.
func (d *derivation) indexed() map[string][]any {
	unknown := []any{nil}
	top := map[string][]any{}
	for name, v := range d.params.root {
		if m, ok := v.(map[string]any); len(name) > 128 || ok && len(m) == 0 { // EC2 records {} for what wasn't given
			continue
		}
		if name = fold(name); top[name] != nil {
			top[name] = unknown
		} else if nodes := flatten(nil, v, 0); len(nodes) > 0 {
			top[name] = nodes
		}
	}
	inner := map[string][]any{}
	noun := d.noun()
	for name, v := range d.params.root {
		object, ok := v.(map[string]any)
		if !ok || isOmitted(object) {
			continue
		}
		listed := map[string][]any{}
		if items, ok := object["items"].([]any); ok && len(items) <= maxValues {
			for _, item := range items {
				m, _ := item.(map[string]any)
				listMembers(listed, m, false)
			}
		} else if n := fold(name); sameNoun(noun, n) || n == noun+"input" {
			listMembers(listed, object, true)
		}
		for member, nodes := range listed {
			if inner[member] != nil {
				nodes = unknown
			}
			inner[member] = nodes
		}
	}
	for member, nodes := range inner {
		if top[member] == nil {
			top[member] = nodes
		}
	}
	return top
}

// listMembers adds an object's members, those with names that say nothing only if asked to.
func listMembers(to map[string][]any, object map[string]any, general bool) {
	for name, v := range object {
		if n := fold(name); n != "" && len(name) <= 128 && (general || !generalSlots[n]) {
			if nodes := flatten(to[n], v, 0); len(nodes) > 0 {
				to[n] = nodes
			}
		}
	}
}

// noun returns what an operation is about, folded: its name without the verb. "CreateDBCluster" is about a dbcluster.
func (d *derivation) noun() string {
	if d.about == "" {
		d.about = nounOf(d.operation)
	}
	return d.about
}

func nounOf(operation string) string {
	name := strings.TrimPrefix(operation, "Batch")
	for i := 1; i < len(name); i++ {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return fold(name[i:])
		}
	}
	return ""
}

// sameNoun reports whether an operation's noun is a type, or several of it.
func sameNoun(noun, typ string) bool {
	return typ != "" && (noun == typ || noun == typ+"s" || noun == strings.TrimSuffix(typ, "y")+"ies")
}

// generalARN are the parameters that have the ARN of the call's resource, whatever its type.
var generalARN = map[string]bool{
	"resourcearn": true, "resourcearns": true, "arn": true, "arns": true, "resource": true, "resources": true, "resourceid": true,
	"resourceidentifier": true, "resourcename": true, "resourcearnlist": true, "id": true, "identifier": true, "name": true,
}

// foreignWords begin the names of parameters with ARNs of resources that a call isn't about, but uses.
var foreignWords = []string{"source", "target", "destination", "dest", "parent", "default", "role", "new", "old", "existing", "replacement", "origin", "kms", "service", "execution", "replica", "from", "to"}

// takeARNs gives the candidates the ARNs that the call's parameters have (T82). An ARN belongs to the one type that it fits.
func (d *derivation) takeARNs(all []candidate) {
	if !d.params.known {
		return
	}
	if d.members == nil {
		d.members = d.indexed()
	}
	type found struct {
		name string
		sure bool
		arns []evaluator.Resource
	}
	byType := make([][]found, len(all))
	for _, name := range slices.Sorted(maps.Keys(d.members)) {
		nodes := d.members[name]
		if len(nodes) > maxValues {
			continue
		}
		taken := map[int][]evaluator.Resource{}
		for _, n := range nodes {
			value, ok := text(n)
			if !ok || !strings.HasPrefix(value, "arn:") {
				continue
			}
			if i, r, ok := d.fit(all, value); ok {
				taken[i] = append(taken[i], r)
			} else if strings.HasPrefix(name, "resource") && generalARN[name] && ofService(all, value) {
				d.unfit = true
			}
		}
		for i, arns := range taken {
			byType[i] = append(byType[i], found{name, d.namesType(name, all[i].typ), arns})
		}
	}
	for i, ways := range byType {
		if len(ways) == 0 {
			continue
		}
		c := &all[i]
		if sure := slices.DeleteFunc(slices.Clone(ways), func(f found) bool { return !f.sure }); len(sure) > 0 {
			ways = sure
		} else if strings.HasPrefix(d.operation, "Create") && sameNoun(d.noun(), fold(c.typ.Name)) || slices.ContainsFunc(foreignWords, func(w string) bool { return strings.HasPrefix(ways[0].name, w) }) {
			continue // one that the call uses for the one that it is about
		}
		if len(ways) > 1 {
			continue
		}
		c.how, c.from, c.resources = byARN, ways[0].name, ways[0].arns
		for _, r := range c.resources {
			if !r.Pattern {
				if d.given == nil {
					d.given = map[string]bool{}
				}
				d.given[r.ARN] = true
			}
		}
	}
}

// ofService reports whether an ARN is of a service that a candidate is of.
func ofService(all []candidate, arn string) bool {
	a, ok := policy.ParseARN(arn)
	return ok && slices.ContainsFunc(all, func(c candidate) bool { return serviceOf(c.typ.ARN) == a.Service })
}

// namesType reports whether a parameter's name says that its ARN is of the type.
func (d *derivation) namesType(name string, t *serviceref.ResourceType) bool {
	if generalARN[name] {
		return true
	}
	name = strings.TrimSuffix(name, "s")
	for _, end := range []string{"arn", "identifier", "id", "name"} {
		name = strings.TrimSuffix(name, end)
	}
	if typ := fold(t.Name); name == typ || strings.TrimSuffix(name, "s") == typ {
		return true
	}
	for _, pattern := range t.ARNs {
		p, _ := policy.ParseARN(pattern)
		parts := cutSlots(p.Resource)
		for i := len(parts) - 1; i >= 0; i-- {
			if slot := fold(parts[i].slot); slot != "" && !generalSlots[slot] {
				for _, end := range []string{"name", "identifier", "id", "uuid"} {
					if name == strings.TrimSuffix(slot, end) {
						return true
					}
				}
				break
			}
		}
	}
	return false
}

// fit returns the candidate whose type's ARN pattern an ARN fits: the one with most fixed text. What fits only with more in a
// part than a name, a version at the end perhaps, is a pattern.
func (d *derivation) fit(all []candidate, arn string) (int, evaluator.Resource, bool) {
	a, ok := policy.ParseARN(arn)
	if !ok || a.Resource == "" || strings.ContainsAny(arn, "*?") || !plain(a.Partition) || a.Region != "" && !plain(a.Region) || a.Account != "" && !plain(a.Account) {
		return 0, evaluator.Resource{}, false
	}
	best, most, tie, exact := -1, -1, false, false
	for i, c := range all {
		for _, pattern := range c.typ.ARNs {
			strict, fixed, ok := fits(pattern, a)
			if !ok || best >= 0 && exact && !strict {
				continue
			}
			switch {
			case strict && !exact || fixed > most:
				best, most, tie, exact = i, fixed, false, strict
			case fixed == most && best != i:
				tie = true
			}
		}
	}
	if best < 0 || tie {
		return 0, evaluator.Resource{}, false
	}
	r := evaluator.Resource{ARN: arn}
	if accountID(a.Account) {
		r.Account = a.Account
	}
	if !exact {
		head := all[best].typ.ARN
		p, _ := policy.ParseARN(head)
		text, _, _ := strings.Cut(p.Resource, "${")
		r = evaluator.Resource{ARN: "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + text + "*", Pattern: true}
	}
	return best, r, true
}

// fits reports whether an ARN is one of a pattern, strictly if each part that varies is one word, and how much of the
// pattern is fixed.
func fits(pattern string, a policy.ARN) (strict bool, fixed int, ok bool) {
	p, ok := policy.ParseARN(pattern)
	if !ok || p.Service != a.Service || !fitsPart(p.Region, a.Region) || !fitsPart(p.Account, a.Account) {
		return false, 0, false
	}
	loose := ""
	for _, part := range cutSlots(p.Resource) {
		if part.slot != "" {
			loose += "*"
		} else {
			loose += part.text
			fixed += len(part.text)
		}
	}
	if !glob(loose, a.Resource) {
		return false, 0, false
	}
	return fitsStrictly(cutSlots(p.Resource), a.Resource), fixed, true
}

func fitsPart(pattern, s string) bool {
	if strings.HasPrefix(pattern, "$") {
		return s != ""
	}
	return pattern == s || pattern == "*"
}

// fitsStrictly reports whether s is the parts, each that varies without a / or a colon. In a part that is a path there
// may be a /, and in the pattern of any load balancer.
func fitsStrictly(parts []piece, s string) bool {
	for i, part := range parts {
		if part.slot == "" {
			var ok bool
			if s, ok = strings.CutPrefix(s, part.text); !ok || strings.Contains(part.text, "*") {
				return false
			}
			continue
		}
		end := len(s)
		if i+1 < len(parts) {
			if parts[i+1].slot != "" {
				return false
			}
			if end = strings.Index(s, parts[i+1].text); end < 0 {
				return false
			}
		}
		word := s[:end]
		slot := fold(part.slot)
		if strings.HasSuffix(slot, "path") || strings.HasSuffix(slot, "slash") || slot == "loadbalancername" {
			word = strings.ReplaceAll(word, "/", "")
		}
		if word == "" || strings.ContainsAny(word, "/:") {
			return false
		}
		s = s[end:]
	}
	return s == ""
}
