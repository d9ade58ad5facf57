// Package apicall turns an API call, CloudTrail's or one typed as a command,
// into the requests that it makes of IAM: which actions, on which resources,
// with which context keys that the call's parameters decide.
//
// Most callers need only [Requests]. What a call doesn't tell stays unknown: a
// resource's ARN is then a pattern that surely contains the true one.
package apicall

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A Call is one API call, as its caller or CloudTrail describes it.
type Call struct {
	Service   string // CloudTrail's eventSource, with or without .amazonaws.com
	Operation string // CloudTrail's eventName or the SDK's operation
	Partition string // "" is worked out from the region
	Region    string
	Account   string // the account whose resources a bare name means: usually the caller's
	// Parameters are the request parameters, as decoded JSON (json.Number for
	// numbers); nil if they weren't recorded, which isn't the same as none.
	Parameters map[string]any
	// Resources are those that CloudTrail recorded with the event.
	Resources []RecordedResource
	Principal evaluator.Principal
	Host      string // tlsDetails.clientProvidedHostHeader
	InvokedBy string // the AWS service that made the call for the principal
}

// A RecordedResource is an entry of an event's resources.
type RecordedResource struct{ ARN, Account, Type string }

// A Source says where a derived fact comes from, from the surest down.
type Source string

// The sources of a derived fact.
const (
	FromMessage   Source = "message"   // AWS's denial message
	FromEvent     Source = "event"     // recorded: resources, parameters
	FromTable     Source = "table"     // the table of irregular operations
	FromReference Source = "reference" // the service reference's own ARN pattern or dependent action, filled in by name
	FromName      Source = "name"      // the operation's name, which the service reference has as an action
	FromGuess     Source = "guess"     // the operation's name, which the service reference doesn't have (T80)
	FromNowhere   Source = "unknown"   // not recorded anywhere
)

// A Request is one action on one resource that a call needs.
type Request struct {
	Action         string
	ActionSource   Source
	Resource       evaluator.Resource
	ResourceSource Source
	// Context are the keys that the call's parameters decide: known, known
	// absent or unknown.
	Context []evaluator.ContextValue
	// Puts is the policy that the call puts on the bucket or access point; nil for any other call, or if it
	// wasn't recorded.
	Puts *policy.Document
	// Required is false for a permission that the call needs only in
	// some cases which its parameters don't settle.
	Required bool
}

// maxRequests bounds what one call's own actions are taken apart into, and again what it needs beside them. What is
// beyond stays as one request of the same action, on nobody knows what.
const maxRequests = 1000

// Requests returns what a call asks of IAM, the call's own action first. It
// returns none for a call that needs no permission (sts:GetCallerIdentity).
func Requests(c Call) []Request {
	d := derive(c)
	if d.prefix == "" || d.operation == "" {
		return nil
	}
	requests := bounded(d.own())
	if len(requests) == 0 {
		return nil
	}
	requests = append(requests, bounded(d.dependents(requests))...)
	for i := range requests {
		requests[i].Context = append(requests[i].Context, d.keys(&requests[i])...)
		requests[i].Puts = d.puts(&requests[i])
	}
	return requests
}

// bounded cuts off what is beyond the bound, and leaves a request of each action that it cuts: none is lost.
func bounded(all []Request) []Request {
	if len(all) <= maxRequests {
		return all
	}
	kept := slices.Clip(all[:maxRequests])
	for _, r := range all[maxRequests:] {
		i := slices.IndexFunc(kept[maxRequests:], func(k Request) bool { return k.Action == r.Action })
		if i < 0 {
			rest := Request{Action: r.Action, ActionSource: r.ActionSource, Resource: everything, ResourceSource: FromNowhere}
			i, kept = len(kept)-maxRequests, append(kept, rest)
		}
		kept[maxRequests+i].Required = kept[maxRequests+i].Required || r.Required
	}
	return kept
}

// boundedResources is bounded of an action's resources.
func boundedResources(all []evaluator.Resource) []evaluator.Resource {
	if len(all) <= maxRequests {
		return all
	}
	return append(slices.Clip(all[:maxRequests]), everything)
}

// A derivation is a call made ready for the tables.
type derivation struct {
	call                              Call
	prefix, operation                 string // IAM's prefix (T76) and the operation without its version (T77)
	partition, region, account, owner string // as in an ARN; "*" if not known. owner is account, "" if not known
	params                            params

	members map[string][]any // the parameters by folded name, once they are asked for
	notes   map[string]*note // what the service reference told, by action and ARN
	given   map[string]bool  // the ARNs that parameters have
	about   string           // what the operation is about, once it is asked for
	asked   string           // the action whose resources a row finds
	unfit   bool             // the call names a resource of a type that the reference doesn't give the action
}

func derive(c Call) *derivation {
	d := &derivation{call: c, prefix: prefixOf(c)}
	d.operation = cleanOperation(d.prefix, c.Operation)
	d.params = newParams(unwrap(c.Parameters, d.operation))
	d.partition = partitionOf(c)
	d.region, d.account, d.owner = c.Region, c.Account, c.Account
	if !plain(d.region) {
		d.region = "*"
	}
	if !plain(d.account) {
		d.account, d.owner = "*", ""
	}
	return d
}

// plain reports whether s can stand in one of an ARN's leading parts.
func plain(s string) bool { return s != "" && !strings.ContainsAny(s, ":/*?${} \t\n") }

// on makes the requests for an action, one for each resource.
func (d *derivation) on(action string, source Source, required bool, resources []evaluator.Resource) []Request {
	all := make([]Request, 0, len(resources))
	for _, r := range resources {
		n := d.notes[action+" "+r.ARN]
		r, from, settled := d.recorded(action, r)
		if n != nil && n.byReference && !settled && !n.recorded && from != FromNowhere {
			from = FromReference
		}
		all = append(all, Request{
			Action: action, ActionSource: source, Resource: r, ResourceSource: from,
			Required: required && (n == nil || !n.unsure || settled),
		})
	}
	return all
}

// recorded lets the event's own resources settle what was derived (T75): the
// one that the derived ARN describes wins. It reports whether there is one.
func (d *derivation) recorded(action string, r evaluator.Resource) (evaluator.Resource, Source, bool) {
	var found *RecordedResource
	for i, rec := range d.call.Resources {
		if !d.describes(action, r, rec.ARN) {
			continue
		}
		if found != nil && found.ARN != rec.ARN {
			found = nil // several: which one can't be told
			break
		}
		if found == nil || found.Account == "" {
			found = &d.call.Resources[i]
		}
	}
	if found == nil {
		r, from := d.sourced(r)
		return r, from, false
	}
	return evaluator.Resource{ARN: found.ARN, Account: d.ownerOf(found.ARN, found.Account)}, FromEvent, true
}

// describes reports whether an action's derived resource is, or may be, a recorded one of the
// same type.
func (d *derivation) describes(action string, r evaluator.Resource, recorded string) bool {
	got, ok := policy.ParseARN(recorded)
	if !ok || strings.ContainsAny(recorded, "*?") {
		return false
	}
	if !r.Pattern {
		return r.ARN == recorded || d.elsewhere(r, got)
	}
	if r.ARN == "*" {
		if s, a, ok := referenceAction(action); ok && !a.ResourceLess() {
			return ofType(s, a, got)
		}
		return got.Service == d.prefix && got.Service != "s3" // an S3 event records bucket and object
	}
	want, ok := policy.ParseARN(r.ARN)
	if !ok || got.Service == "s3" && strings.Contains(want.Resource, "/") != strings.Contains(got.Resource, "/") {
		return false
	}
	return glob(r.ARN, recorded)
}

// elsewhere reports whether a recorded resource is the derived one but for the account, which a name doesn't tell.
func (d *derivation) elsewhere(r evaluator.Resource, got policy.ARN) bool {
	want, ok := policy.ParseARN(r.ARN)
	return ok && accountID(want.Account) && accountID(got.Account) && want.Account == d.account && !d.given[r.ARN] &&
		want.Service == got.Service && want.Region == got.Region && want.Resource == got.Resource
}

func (d *derivation) sourced(r evaluator.Resource) (evaluator.Resource, Source) {
	if r.Account == "" {
		r.Account = d.ownerOf(r.ARN, "")
	}
	switch {
	case r.ARN == "*" && !r.Pattern:
		return r, FromTable
	case r.ARN == "*":
		return r, FromNowhere
	}
	if r.Pattern && !d.params.known {
		return r, FromTable
	}
	return r, FromEvent
}

// ownerOf returns the account that owns a resource, "" if that isn't known: the recorded
// one, the ARN's, or for S3 that of the object's recorded bucket (T38).
func (d *derivation) ownerOf(arn, recorded string) string {
	if accountID(recorded) {
		return recorded
	}
	a, ok := policy.ParseARN(arn)
	if !ok {
		return ""
	}
	if accountID(a.Account) {
		return a.Account
	}
	if a.Service == "s3" {
		bucket, _, _ := strings.Cut(a.Resource, "/")
		for _, rec := range d.call.Resources {
			if b, ok := policy.ParseARN(rec.ARN); ok && b.Service == "s3" && b.Resource == bucket && accountID(rec.Account) {
				return rec.Account
			}
		}
	}
	return ""
}

func accountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// glob reports whether s matches pattern, whose * and ? are wildcards.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

var everything = evaluator.Resource{ARN: "*", Pattern: true} // nobody knows
