package snapshot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// trustActions are the actions that a role's trust policy decides (rules S5 to S8);
// for any other action a role has no resource policy.
var trustActions = []string{
	"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
	"sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext",
}

// aliasActions are checked on the KMS alias itself, which has no policy (rule S4). Any
// other action on an alias is one on its key.
var aliasActions = []string{"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"}

// isOneOf compares actions as IAM does (rule A2).
func isOneOf(action string, list []string) bool {
	return slices.ContainsFunc(list, func(a string) bool { return strings.EqualFold(a, action) })
}

// resourceLayer is the policy of the resource that a request is about (rule E9).
func (s *Snapshot) resourceLayer(req *evaluator.Request) evaluator.ResourceLayer {
	service, _, _ := strings.Cut(strings.ToLower(req.Action), ":")
	switch {
	case isOneOf(req.Action, trustActions):
		return s.trustLayer(req)
	case createsBucket(req):
		return evaluator.ResourceLayer{}
	case req.Resource.ARN == "" || req.Resource.ARN == "*" && req.Resource.Pattern:
		k, ok := anyService(service)
		if !ok {
			return evaluator.ResourceLayer{}
		}
		return notCollected(k.typ, "which resource is meant isn't known, nor its policy")
	case req.Resource.ARN == "*": // rule R10: no resource, no policy
		return evaluator.ResourceLayer{}
	}
	arn, ok := policy.ParseARN(req.Resource.ARN)
	if !ok {
		if k, ok := anyService(service); ok {
			return notCollected(k.typ, fmt.Sprintf("%s isn't an ARN: which resource is meant isn't known", req.Resource.ARN))
		}
		return evaluator.ResourceLayer{}
	}
	if ownedByAWS(arn) {
		return evaluator.ResourceLayer{}
	}
	if arn.Service == "kms" && strings.HasPrefix(arn.Resource, "alias/") {
		return s.aliasLayer(req, arn)
	}
	if l, ok := guardedElsewhere(req.Action, arn); ok {
		return l
	}
	k, owner, ok := kindOf(arn)
	if r := s.resources[req.Resource.ARN]; r != nil && !ok {
		return r.resourceLayer(r.typ, "") // a kind that the table doesn't know, and somebody collected
	}
	if !ok {
		return evaluator.ResourceLayer{}
	}
	return s.withRegistry(s.policyOf(req, k, owner), owner)
}

func notCollected(typ, missing string) evaluator.ResourceLayer {
	return evaluator.ResourceLayer{Type: typ, Layer: evaluator.Layer{State: evaluator.NotCollected, Missing: missing}}
}

// policyOf is the policy of a resource of a known kind; arn is what the policy is attached to.
func (s *Snapshot) policyOf(req *evaluator.Request, k resourceKind, arn policy.ARN) evaluator.ResourceLayer {
	what := fmt.Sprintf("%s policy of %s", k.typ, shortName(arn))
	switch {
	case makesOwn(req, arn) && (k.typ == "secret" || !hasWildcard(arn.String()) && s.find(k, arn) == nil): // a new secret's suffix is new, too
		return evaluator.ResourceLayer{}
	case k.unsupported != "":
		return notCollected(k.typ, what+": "+k.unsupported)
	case hasWildcard(arn.String()):
		return s.policyOfSome(req, k, arn)
	case k.typ == "log group" || k.typ == "catalog":
		return s.accountPolicies(req, k, arn)
	}
	r := s.find(k, arn)
	if r == nil {
		return notCollected(k.typ, what+": "+s.whyNoResource(req, k, arn))
	}
	if k.service == "s3" && k.typ == "access point" {
		return s.accessPointLayer(req, k, arn, r)
	}
	l := r.resourceLayer(k.typ, k.permission)
	l.Bucket, l.Grants = r.bucket, r.grants
	return l
}

// find looks a resource up, by the names that AWS knows it by.
func (s *Snapshot) find(k resourceKind, arn policy.ARN) *resource {
	if r := s.resources[arn.String()]; r != nil {
		return r
	}
	if k.typ == "secret" {
		return s.secret(arn)
	}
	return s.underOtherName(k, arn)
}

// secretSuffix is how many random characters, after a hyphen, end a secret's ARN (rule S27).
const secretSuffix = 6

// secret finds the one secret that an ARN without the random suffix means, or
// one with question marks in its place.
func (s *Snapshot) secret(arn policy.ARN) *resource {
	arn.Resource = strings.TrimSuffix(arn.Resource, "-??????")
	if found := s.secrets[arn.String()]; len(found) == 1 {
		return found[0]
	}
	return nil
}

// withoutSuffix is a secret's ARN without its random suffix; "" if it has none.
func withoutSuffix(arn string) string {
	end := len(arn) - secretSuffix - 1
	if end <= 0 || arn[end] != '-' {
		return ""
	}
	return arn[:end]
}

// resourceLayer is the resource's own policy, as a layer.
func (r *resource) resourceLayer(typ, permission string) evaluator.ResourceLayer {
	l := evaluator.ResourceLayer{Type: typ, Layer: r.layer}
	if r.failed != "" {
		l.State = evaluator.NotCollected
		l.Missing = fmt.Sprintf("%s policy of %s: %s: %s", typ, r.arn, permission, r.failed)
		if r.denied != "" {
			l.Missing += " (" + r.denied + ")"
		}
	}
	return l
}

// whyNoResource says why the policy of a resource isn't known.
func (s *Snapshot) whyNoResource(req *evaluator.Request, k resourceKind, arn policy.ARN) string {
	permission := k.permission + " on " + arn.String()
	owner := s.owner(req.Resource, req.Principal)
	if owner == "" {
		return "whose it is isn't known, and it isn't in the snapshot; " + permission + " would tell"
	}
	name := resourcesPart(owner, k.service)
	if s.has(name, arn.String()) || s.isOKIn(name, arn.Region) || arn.Region == "" && s.isOK(name) {
		return fmt.Sprintf("it isn't in account %s%s; %s would tell", owner, s.asCollected(name), permission)
	}
	return s.whyMissingIn(name, arn.Region, permission)
}

// listedWhole are the kinds of which a part lists every resource. Versions of
// functions and streams of tables, for one, aren't.
var listedWhole = []string{"bucket", "key", "queue", "topic", "secret", "repository", "table"}

// policyOfSome is the policy of a resource that is known only by a pattern, or
// by the literal wildcard that AWS prints for it (rules R14, T65).
func (s *Snapshot) policyOfSome(req *evaluator.Request, k resourceKind, arn policy.ARN) evaluator.ResourceLayer {
	if k.typ == "secret" {
		if r := s.secret(arn); r != nil && strings.HasSuffix(arn.Resource, "-??????") {
			return r.resourceLayer(k.typ, k.permission)
		}
	}
	owner := s.owner(req.Resource, req.Principal)
	if !slices.Contains(listedWhole, k.typ) || owner == "" || hasWildcard(owner) || !s.isOKIn(resourcesPart(owner, k.service), arn.Region) {
		return notCollected(k.typ, fmt.Sprintf("%s policy of %s: which resource is meant isn't known, nor all of their policies", k.typ, arn))
	}
	var some []*resource
	for _, r := range s.accounts[owner].resources[k.service] {
		if r.typ != k.typ || !mayMatch(arn.String(), r.arn) {
			continue
		}
		some = append(some, r)
		if r.layer.State != evaluator.Applies || len(r.layer.Policies) > 0 || r.failed != "" {
			return notCollected(k.typ, fmt.Sprintf("%s policy of %s: which resource is meant isn't known, and %s has a policy", k.typ, arn, r.arn))
		}
	}
	return evaluator.ResourceLayer{
		Type: k.typ, Layer: evaluator.Layer{State: evaluator.Applies},
		Bucket: guardOfSome(some), Grants: grantsOfSome(some),
	}
}

// accountPolicies are the policies of a service that are attached to an account
// and name the resources that they are about, as those of logs and glue.
func (s *Snapshot) accountPolicies(req *evaluator.Request, k resourceKind, arn policy.ARN) evaluator.ResourceLayer {
	owner := s.owner(req.Resource, req.Principal)
	if name := resourcesPart(owner, k.service); !s.isOKIn(name, arn.Region) {
		return notCollected(k.typ, fmt.Sprintf("%s policies of account %s: %s", k.service, owner, s.whyMissingIn(name, arn.Region, k.permission)))
	}
	var b layerBuilder
	for _, r := range s.accounts[owner].resources[k.service] {
		at, _ := policy.ParseARN(r.arn)
		other, _, isKind := kindOf(at)
		if isKind && other.typ != k.typ || k.typ == "log group" && isKind && strings.TrimSuffix(at.Resource, ":*") != arn.Resource {
			continue // another resource's own policy
		}
		if at.Region != "" && arn.Region != "" && at.Region != arn.Region && !hasWildcard(arn.Region) {
			continue // each region has policies of its own
		}
		l := r.resourceLayer(k.typ, k.permission)
		b.policies = append(b.policies, l.Policies...)
		if l.Missing != "" {
			b.missing = append(b.missing, l.Missing)
		}
	}
	return evaluator.ResourceLayer{Type: k.typ, Layer: b.layer()}
}

// aliasLayer is the policy of the key behind a KMS alias (rule S4).
func (s *Snapshot) aliasLayer(req *evaluator.Request, arn policy.ARN) evaluator.ResourceLayer {
	if isOneOf(req.Action, aliasActions) {
		return evaluator.ResourceLayer{}
	}
	k, _ := anyService("kms")
	key := s.aliases[arn.String()]
	if key == nil {
		return notCollected(k.typ, fmt.Sprintf("key policy behind %s: which key it is isn't in the snapshot; kms:DescribeKey would tell", arn))
	}
	keyARN, _ := policy.ParseARN(key.arn)
	return s.policyOf(req, k, keyARN)
}

// trustLayer is the trust policy of the role that a request is about.
func (s *Snapshot) trustLayer(req *evaluator.Request) evaluator.ResourceLayer {
	const typ = "trust"
	arn, ok := policy.ParseARN(req.Resource.ARN)
	if !ok || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") || hasWildcard(arn.String()) {
		return notCollected(typ, fmt.Sprintf("trust policy of %q: which role is meant isn't known", req.Resource.ARN))
	}
	a := s.accounts[arn.Account]
	if a == nil || a.iam == nil {
		return notCollected(typ, fmt.Sprintf("trust policy of %s: %s", arn, s.whyMissing(iamPart(arn.Account), iamPermission)))
	}
	role := a.iam.byARN[req.Resource.ARN]
	if role == nil || role.kind != evaluator.AssumedRole {
		return notCollected(typ, fmt.Sprintf("trust policy of %s: %s; iam:GetRole would tell", arn, s.notInAccount("role "+lastSegment(arn.Resource), arn.Account)))
	}
	l := evaluator.ResourceLayer{Type: typ, Layer: role.trust}
	l.Layer = s.wholeIAM(role, l.Layer)
	return l
}

// hasWildcard reports whether an ARN stands for more than one resource.
func hasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// mayMatch reports whether pattern may stand for name: the text up to the
// first wildcard is the same. It errs towards yes.
func mayMatch(pattern, name string) bool {
	i := strings.IndexAny(pattern, "*?")
	return i < 0 && pattern == name || i >= 0 && strings.HasPrefix(name, pattern[:i])
}

// roleName is the role's name in the resource of a role's or a session's ARN; "" if it is neither.
func roleName(r string) string {
	if strings.HasPrefix(r, "role/") {
		return lastSegment(r)
	}
	if rest, ok := strings.CutPrefix(r, "assumed-role/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return ""
}
