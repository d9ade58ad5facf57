package snapshot

import (
	"maps"
	"slices"

	"github.com/iamwhy/iamwhy/evaluator"
)

// All returns every policy of the snapshot, in force or not: also managed policies and those of an organisation
// that are attached to nothing, and the policies of groups without users. A managed policy is
// there once, without target; its type is boundary if it is used as nothing else. What AWS
// manages is among them, what couldn't be read isn't.
func (s *Snapshot) All() []evaluator.Policy {
	var all []evaluator.Policy
	if s.org != nil {
		all = append(all, s.org.policies...)
	}
	seen := map[*evaluator.Compiled]bool{}
	for _, id := range s.Accounts() {
		if d := s.accounts[id].iam; d != nil {
			all = append(all, d.all(seen)...)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.resources)) {
		all = append(all, s.resources[arn].layer.Policies...)
	}
	for _, id := range slices.Sorted(maps.Keys(s.endpoints)) {
		if e := s.endpoints[id]; len(e.layer.Policies) > 0 && e.layer.Policies[0].Body != defaultEndpointPolicy.body {
			all = append(all, e.layer.Policies...)
		}
	}
	return all
}

// all returns an account's policies of IAM. Accounts that were read from one file share
// its managed policies: seen tells which were there before.
func (d *iamDetails) all(seen map[*evaluator.Compiled]bool) []evaluator.Policy {
	attached, bounding := map[string]bool{}, map[string]bool{}
	var inline []evaluator.Policy
	inline = append(inline, d.groups...)
	for _, e := range d.entities {
		for _, p := range e.identity.Policies {
			attached[p.ARN] = true
			if p.Type == "inline" && p.Target == e.arn { // those of its groups are there already
				inline = append(inline, p)
			}
		}
		for _, p := range e.boundary.Policies {
			bounding[p.ARN] = true
		}
		inline = append(inline, e.trust.Policies...)
	}
	var all []evaluator.Policy
	for _, arn := range slices.Sorted(maps.Keys(d.managed)) {
		m := d.managed[arn]
		if m.body == nil || seen[m.body] {
			continue
		}
		seen[m.body] = true
		p := evaluator.Policy{Name: lastSegment(arn), ARN: arn, Type: "managed", Body: m.body}
		if bounding[arn] && !attached[arn] {
			p.Type = "boundary"
		}
		all = append(all, p)
	}
	return append(all, inline...)
}

// allOf returns the organisation's policies of a type, by id.
func allOf(t policyType, policies map[string]orgPolicy) []evaluator.Policy {
	var all []evaluator.Policy
	for _, id := range slices.Sorted(maps.Keys(policies)) {
		if p := policies[id]; p.body != nil {
			all = append(all, evaluator.Policy{Name: p.name, ARN: p.arn, Type: t.name, Body: p.body})
		}
	}
	return all
}
