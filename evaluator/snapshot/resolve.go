package snapshot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/nearest"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// maxCandidates is how many candidates an error lists.
const maxCandidates = 10

// A candidate is something that a fragment may mean.
type candidate struct{ arn, name string }

// ResolvePrincipal finds the one principal that a name or any fragment of an ARN means; an
// error lists the candidates. Whoever's name is the fragment wins over those that
// merely contain it. A role is the session of it that nobody named; role/session is a
// session. A full ARN, "anonymous", or the name of a service needn't be in the snapshot.
func (s *Snapshot) ResolvePrincipal(fragment string) (evaluator.Principal, error) {
	if arn, ok := policy.ParseARN(fragment); ok {
		if details, _ := s.iamOf(arn.Account); details != nil && details.byARN[fragment] != nil {
			return details.byARN[fragment].principal(), nil
		}
	}
	if isPrincipal(fragment) {
		p, err := evaluator.ParsePrincipal(fragment)
		if err != nil {
			return evaluator.Principal{}, err
		}
		s.completePrincipal(&p)
		return p, nil
	}
	byARN := map[string]*entity{}
	var all []candidate
	for e := range s.entities() {
		byARN[e.arn] = e
		all = append(all, candidate{e.arn, e.name})
	}
	arn, err := choose("principal", fragment, all)
	if err == nil {
		return byARN[arn].principal(), nil
	}
	if p, ok := s.namedSession(fragment, all); ok {
		return p, nil
	}
	return evaluator.Principal{}, err
}

// isPrincipal reports whether a text is a principal in full rather than a fragment.
func isPrincipal(s string) bool {
	return strings.HasPrefix(s, "arn:") || strings.EqualFold(s, "anonymous") ||
		strings.HasSuffix(s, ".amazonaws.com") || strings.HasSuffix(s, ".amazonaws.com.cn")
}

// namedSession is the session that role/session means, if there is one such role.
func (s *Snapshot) namedSession(fragment string, all []candidate) (evaluator.Principal, bool) {
	name, session, ok := strings.Cut(fragment, "/")
	if !ok || name == "" || session == "" || strings.Contains(session, "/") {
		return evaluator.Principal{}, false
	}
	isRole := func(c candidate) bool {
		arn, _ := policy.ParseARN(c.arn)
		return c.name == name && strings.HasPrefix(arn.Resource, "role/")
	}
	first := slices.IndexFunc(all, isRole)
	if first < 0 || slices.ContainsFunc(all[first+1:], isRole) {
		return evaluator.Principal{}, false
	}
	arn, _ := policy.ParseARN(all[first].arn)
	e := s.accounts[arn.Account].iam.byARN[all[first].arn]
	p := e.principal()
	p.ARN = policy.ARN{Partition: arn.Partition, Service: "sts", Account: arn.Account, Resource: "assumed-role/" + name + "/" + session}.String()
	return p, true
}

// ResolveResource makes a full ARN of a fragment: an ARN as it is, a bucket or bucket/key,
// the name of a known resource. No resource, "" or "*", is that of an action
// without resource types. An ARN with * or ? in it asks about all resources that it matches (rule R14).
func (s *Snapshot) ResolveResource(action, fragment string) (evaluator.Resource, error) {
	switch {
	case fragment == "" || fragment == "*":
		return evaluator.Resource{ARN: "*"}, nil
	case strings.HasPrefix(fragment, "arn:"):
		if _, ok := policy.ParseARN(fragment); !ok {
			return evaluator.Resource{}, fmt.Errorf("%q isn't an ARN: expected arn:partition:service:region:account:resource", fragment)
		}
		return s.namedResource(action, fragment), nil
	}
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	if service == "s3" || service == "" {
		if arn := s.object(fragment); arn != "" {
			return s.namedResource(action, arn), nil
		}
	}
	arn, err := choose("resource", fragment, s.resourceCandidates(service))
	if err != nil {
		return evaluator.Resource{}, fmt.Errorf("%w; or give its full ARN", err)
	}
	return s.namedResource(action, arn), nil
}

// namedResource is the resource of an ARN, with its owner.
func (s *Snapshot) namedResource(action, arn string) evaluator.Resource {
	req := evaluator.Request{Action: action, Resource: evaluator.Resource{ARN: arn, Pattern: hasWildcard(arn)}}
	s.completeResource(&req)
	return req.Resource
}

// object is the ARN of a bucket or bucket/key whose bucket is known; "" if it isn't.
func (s *Snapshot) object(fragment string) string {
	name, _, _ := strings.Cut(fragment, "/")
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		arn := policy.ARN{Partition: partition, Service: "s3", Resource: name}
		if r := s.resources[arn.String()]; r != nil {
			arn.Resource = fragment
			return arn.String()
		}
	}
	return ""
}

// resourceCandidates are the known resources of a service: with a policy of
// their own, aliases of keys, and what IAM has.
func (s *Snapshot) resourceCandidates(service string) []candidate {
	var all []candidate
	add := func(arn string) {
		a, ok := policy.ParseARN(arn)
		if !ok || service != "" && a.Service != service && !(service == "sts" && a.Service == "iam" && strings.HasPrefix(a.Resource, "role/")) {
			return
		}
		name := shortName(a)
		if a.Service == "iam" {
			name = lastSegment(a.Resource)
		}
		all = append(all, candidate{arn, name})
		if secret := withoutSuffix(name); a.Service == "secretsmanager" && secret != "" {
			all[len(all)-1].name = secret
		}
	}
	for arn := range s.resources {
		add(arn)
	}
	for arn := range s.aliases {
		add(arn)
	}
	for e := range s.entities() {
		add(e.arn)
	}
	for _, a := range s.accounts {
		if a.iam != nil {
			for _, arn := range a.iam.other {
				add(arn)
			}
		}
	}
	return all
}

// choose finds the one candidate that a fragment means. One whose name or ARN
// is the fragment wins over those that contain it.
func choose(what, fragment string, all []candidate) (arn string, err error) {
	if fragment == "" {
		return "", fmt.Errorf("no %s given", what)
	}
	tests := []func(candidate) bool{
		func(c candidate) bool { return c.name == fragment || c.arn == fragment },
		func(c candidate) bool { return strings.Contains(c.arn, fragment) },
		func(c candidate) bool { return strings.Contains(strings.ToLower(c.arn), strings.ToLower(fragment)) },
	}
	for _, test := range tests {
		found := map[string]bool{} // AWS's managed policies are in every account
		for _, c := range all {
			if test(c) {
				found[c.arn] = true
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return slices.Collect(maps.Keys(found))[0], nil
		}
		return "", ambiguous(what, fragment, slices.Sorted(maps.Keys(found)))
	}
	return "", notFound(what, fragment, all)
}

func ambiguous(what, fragment string, found []string) error {
	list, more := found, ""
	if len(found) > maxCandidates {
		list, more = found[:maxCandidates], fmt.Sprintf(" and %d more", len(found)-maxCandidates)
	}
	return fmt.Errorf("%q can mean any %s of %s%s", fragment, what, strings.Join(list, ", "), more)
}

func notFound(what, fragment string, all []candidate) error {
	if len(all) == 0 {
		return fmt.Errorf("no %s %q: the snapshot has none of that kind", what, fragment)
	}
	text := fmt.Sprintf("no %s %q in the snapshot", what, fragment)
	if near := mostLike(fragment, all); near != "" {
		text += " (" + near + "?)"
	}
	return errors.New(text)
}

// mostLike is the ARN of the candidate whose name is most like a fragment, the first by
// ARN of several; "" if none is like it.
func mostLike(fragment string, all []candidate) string {
	best, distance := "", max(2, len(fragment)/3)+1
	for _, c := range all {
		if d := nearest.Distance(fragment, c.name); d < distance || d == distance && best != "" && c.arn < best {
			best, distance = c.arn, d
		}
	}
	return best
}
