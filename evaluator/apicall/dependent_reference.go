package apicall

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// dependentsByReference are the permissions that the service reference has as dependent actions of the call's own, as far as
// they aren't among all, nor decided by a table. They are candidates, but for those that a parameter triggers: a
// role's ARN, a key, tags (T81).
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func (d *derivation) dependentsByReference(own, all []Request, decided map[string]bool) []Request {
	var more []Request
	asked := map[string]bool{}
	for _, r := range slices.Concat(own, all) {
		asked[strings.ToLower(r.Action)] = true
	}
	for _, action := range dependentActions(own) {
		folded := strings.ToLower(action)
		service, _, _ := strings.Cut(folded, ":")
		if asked[folded] || decided[folded] || decided[service] {
			continue
		}
		asked[folded] = true
		switch {
		case folded == "iam:passrole":
			more = append(more, d.passedByReference()...)
		case folded == "iam:createservicelinkedrole":
			r := d.candidate(action, d.pattern("iam::"+d.account+":role/aws-service-role/*"))
			r.Context = []evaluator.ContextValue{{Name: "iam:AWSServiceName", State: evaluator.PresentUnknown}}
			more = append(more, r)
		case service == "kms" && d.prefix != "kms":
			more = append(more, d.keysByReference(action)...)
		case service == d.prefix && isTagging(action):
			more = append(more, d.tagsByReference(action, own)...)
		default:
			more = append(more, d.candidate(action, d.byReferenceOn(action)))
		}
	}
	return more
}

// dependentActions are those of the actions of requests, in the reference's order. The type of resource that the reference has
// beside one tells nothing: its pages list all of an action's in the row of its first type.
func dependentActions(own []Request) []string {
	var all []string
	seen := map[string]bool{}
	for _, r := range own {
		if seen[r.Action] {
			continue
		}
		seen[r.Action] = true
		if _, a, ok := referenceAction(r.Action); ok {
			all = append(all, a.Dependent...)
			for _, t := range a.Resources {
				all = append(all, t.Dependent...)
			}
		}
	}
	return all
}

// candidate is a request for what a call needs in some cases.
func (d *derivation) candidate(action string, on evaluator.Resource) Request {
	r := Request{Action: action, ActionSource: FromReference, ResourceSource: FromReference}
	if on.ARN == "*" && on.Pattern {
		r.ResourceSource = FromNowhere
	}
	r.Resource = on
	return r
}

// byReferenceOn is what a dependent action may be on: * without resource types, all resources of its one type, or nobody
// knows what.
func (d *derivation) byReferenceOn(action string) evaluator.Resource {
	service, a, ok := referenceAction(action)
	switch {
	case !ok:
		return everything
	case a.ResourceLess():
		return evaluator.Resource{ARN: "*", Account: d.owner}
	case len(a.Resources) == 1:
		if t, ok := service.ResourceType(a.Resources[0].Type); ok && len(t.ARNs) == 1 {
			return evaluator.Resource{ARN: fillReference(t.ARN, d.partition, "*", "*"), Pattern: true}
		}
	}
	return everything
}

// fillReference makes a pattern of an ARN of the service reference.
func fillReference(arn, partition, region, account string) string {
	var b strings.Builder
	for {
		literal, rest, ok := strings.Cut(arn, "${")
		b.WriteString(literal)
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return b.String()
		}
		arn = after
		switch name {
		case "Partition":
			b.WriteString(partition)
		case "Region":
			b.WriteString(region)
		case "Account":
			b.WriteString(account)
		default:
			b.WriteByte('*')
		}
	}
}

// keysByReference are the requests for the KMS keys that parameters name: the actions on them are needed.
func (d *derivation) keysByReference(action string) []Request {
	var all []Request
	seen := map[string]bool{}
	d.eachText(func(name, value string) bool {
		if name = strings.ToLower(name); !strings.Contains(name, "kmskey") && !strings.Contains(name, "encryptionkey") && !strings.Contains(name, "kmsmasterkey") || seen[value] {
			return true
		}
		seen[value] = true
		r := d.candidate(action, d.keyOf(value))
		r.Required = true
		all = append(all, r)
		return len(all) < maxKeys
	})
	if len(all) == 0 {
		return []Request{d.candidate(action, d.anyKey())}
	}
	return all
}

// tagsByReference are the requests to tag what the call makes: needed if it sends tags, and not at all if it is one that
// could and doesn't.
func (d *derivation) tagsByReference(action string, own []Request) []Request {
	sent := d.sentTags()
	if sent == notGiven && strings.HasPrefix(d.operation, "Create") || d.prefix == "ec2" && d.params.known {
		return nil // EC2 says in the call what each tag is for
	}
	var all []Request
	for _, on := range d.made(own) {
		r := d.candidate(action, on)
		r.Required = sent == given
		all = append(all, r)
	}
	return all
}

// made are the resources that a call creates: those of its own requests that are of the type that its name says or, if none is,
// all of that type. What another call makes is somewhere in its service.
func (d *derivation) made(own []Request) []evaluator.Resource {
	service, ok := serviceref.Lookup(d.prefix)
	noun, create := strings.CutPrefix(d.operation, "Create")
	if !ok || !create {
		return []evaluator.Resource{everything}
	}
	for i := range service.ResourceTypes {
		t := &service.ResourceTypes[i]
		if name := madeTypes[d.prefix+":"+noun]; name != t.Name && !sameWords(noun, t.Name) {
			continue
		}
		var found []evaluator.Resource
		for _, r := range own {
			if isOf(t, r.Resource.ARN) && !slices.Contains(found, r.Resource) {
				found = append(found, r.Resource)
			}
		}
		if len(found) == 0 && len(t.ARNs) == 1 {
			found = append(found, evaluator.Resource{ARN: fillReference(t.ARN, d.partition, d.region, d.account), Pattern: true})
		}
		if len(found) > 0 {
			return found
		}
	}
	return []evaluator.Resource{everything}
}

// madeTypes are the resource types that operations call by another name.
var madeTypes = map[string]string{
	"rds:DBInstance": "db", "rds:DBCluster": "cluster", "rds:DBSnapshot": "snapshot", "rds:DBClusterSnapshot": "cluster-snapshot", "rds:DBSubnetGroup": "subgrp",
	"rds:DBParameterGroup": "pg", "rds:DBClusterParameterGroup": "cluster-pg", "rds:OptionGroup": "og", "rds:EventSubscription": "es", "rds:DBProxy": "proxy",
	"elasticache:CacheCluster": "cluster", "elasticache:CacheParameterGroup": "parametergroup", "elasticache:CacheSubnetGroup": "subnetgroup",
}

// sameWords reports whether two names differ in nothing but case, hyphens and underscores: TrainingJob and training-job.
func sameWords(a, b string) bool {
	plain := strings.NewReplacer("-", "", "_", "")
	return strings.EqualFold(plain.Replace(a), plain.Replace(b))
}

// A Key is a context key as the service reference spells it, and in lower case (rule C3).
type Key struct{ Name, Folded string }

// RequestKeys are the context keys that a request for an action on a resource may
// carry, sorted by their names in lower case: the action's, those of the resource's type, or of all types where the ARN doesn't
// tell which, and those of every request. Of an action that the reference doesn't have only the last are known.
// The slice is shared: read only.
func RequestKeys(action, resource string) []Key {
	service, a, ok := referenceAction(action)
	if !ok {
		return everyRequests()
	}
	var told []byte
	for i, on := range a.Resources {
		if t, ok := service.ResourceType(on.Type); ok && isOf(t, resource) {
			told = append(told, make([]byte, i/8+1-len(told))...)
			told[i/8] |= 1 << (i % 8)
		}
	}
	of := typesOf{action: a, types: string(told)}
	slot := &requestKeys[maphash.Comparable(requestSeed, of)%uint64(len(requestKeys))]
	if known := slot.Load(); known != nil && known.of == of {
		return known.keys
	}
	found := &keysOfTypes{of, sortedKeys(of.keys(service))}
	slot.Store(found)
	return found.keys
}

// requestKeys remembers the keys of requests, by action and the types of resource that an ARN has the form of.
var (
	requestKeys [1024]atomic.Pointer[keysOfTypes]
	requestSeed = maphash.MakeSeed()
)

type keysOfTypes struct {
	of   typesOf
	keys []Key
}

// A typesOf is an action of the service reference with those of its resource types that are told: a bit
// each, eight in a byte; none if they aren't.
type typesOf struct {
	action *serviceref.Action
	types  string
}

// keys are the keys of a request for the action on a resource of the types.
func (of typesOf) keys(service *serviceref.Service) []string {
	if of.types == "" {
		return append(slices.Clone(service.ActionKeys(of.action)), serviceref.RequestKeys()...)
	}
	keys := slices.Clone(of.action.Keys)
	for i, on := range of.action.Resources {
		if i/8 < len(of.types) && of.types[i/8]&(1<<(i%8)) != 0 {
			t, _ := service.ResourceType(on.Type)
			keys = append(append(keys, on.Keys...), t.Keys...)
		}
	}
	return append(keys, serviceref.RequestKeys()...)
}

var everyRequests = sync.OnceValue(func() []Key { return sortedKeys(serviceref.RequestKeys()) })

// sortedKeys leaves of several spellings of a key the last.
func sortedKeys(names []string) []Key {
	keys := make([]Key, 0, len(names))
	for _, name := range slices.Backward(names) {
		keys = append(keys, Key{name, strings.ToLower(name)})
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return strings.Compare(a.Folded, b.Folded) })
	return slices.CompactFunc(keys, func(a, b Key) bool { return a.Folded == b.Folded })
}

// LackKeys makes those keys of a request's context absent of which nothing is known and that no request for the action
// carries (evaluation.md 5.4, U2). A context that isn't open has no such keys.
func LackKeys(action string, c *evaluator.Context) {
	if !c.Open {
		return
	}
	for _, v := range lackingKeys(action) {
		if !c.Known(v.Name) {
			c.Put(v)
		}
	}
}

// lackingKeys are the keys of an action's own service that no request for the action carries: the service reference lists
// them for other actions and not for this one nor for its resource types (evaluation.md 5.4). Those whose names vary, as a
// tag's do, aren't among them. The slice is shared: read only.
func lackingKeys(action string) []evaluator.ContextValue {
	action = strings.ToLower(action)
	if all, ok := lacking.Load(action); ok {
		return all.([]evaluator.ContextValue)
	}
	service, a, ok := referenceAction(action)
	if !ok {
		return nil // and isn't kept: there is no end of names
	}
	has := map[string]bool{}
	for _, k := range service.ActionKeys(a) {
		has[k] = true
	}
	var all []evaluator.ContextValue
	for k := range strings.FieldsSeq(beyondReference[action]) {
		has[k] = true
	}
	for _, k := range keysInUse(service) {
		if _, global := serviceref.GlobalKey(k); !has[k] && !global {
			all = append(all, evaluator.ContextValue{Name: k, State: evaluator.Absent})
		}
	}
	lacking.Store(action, all)
	return all
}

var lacking sync.Map // by action in lower case

// beyondReference are the keys that AWS's own policies ask of actions for which the service reference doesn't list them, by action
// in lower case.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ROSAManageSubscription.html
var beyondReference = map[string]string{
	"dynamodb:conditioncheckitem": "dynamodb:EnclosingOperation",
	"aws-marketplace:subscribe":   "aws-marketplace:ProductId",
	"aws-marketplace:unsubscribe": "aws-marketplace:ProductId",
}

// keysInUse are the keys under a service's own prefix, of a fixed name, that at least one of its actions lists. Of others the
// reference doesn't say where they are.
func keysInUse(service *serviceref.Service) []string {
	if all, ok := inUse.Load(service.Prefix); ok {
		return all.([]string)
	}
	listed, types := map[string]bool{}, map[string]bool{}
	note := func(keys []string) {
		for _, k := range keys {
			listed[k] = true
		}
	}
	for i := range service.Actions {
		a := &service.Actions[i]
		note(a.Keys)
		for _, r := range a.Resources {
			note(r.Keys)
			if t, ok := service.ResourceType(r.Type); ok && !types[r.Type] {
				types[r.Type] = true
				note(t.Keys)
			}
		}
	}
	var all []string
	for _, k := range service.Keys {
		if listed[k.Name] && strings.HasPrefix(strings.ToLower(k.Name), service.Prefix+":") && !strings.ContainsAny(k.Name, "${<") {
			all = append(all, k.Name)
		}
	}
	inUse.Store(service.Prefix, all)
	return all
}

var inUse sync.Map // by service prefix
