package snapshot

import (
	"fmt"
	"net/netip"
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
	if arn.Service == "kms" && strings.HasPrefix(arn.Resource, "alias/") {
		return s.aliasLayer(req, arn)
	}
	k, owner, ok := kindOf(arn)
	if r := s.resources[req.Resource.ARN]; r != nil && !ok {
		return r.resourceLayer(r.typ, "") // a kind that the table doesn't know, and somebody collected
	}
	if !ok {
		return evaluator.ResourceLayer{}
	}
	return s.policyOf(req, k, owner)
}

func notCollected(typ, missing string) evaluator.ResourceLayer {
	return evaluator.ResourceLayer{Type: typ, Layer: evaluator.Layer{State: evaluator.NotCollected, Missing: missing}}
}

// policyOf is the policy of a resource of a known kind; arn is what the policy is attached to.
func (s *Snapshot) policyOf(req *evaluator.Request, k resourceKind, arn policy.ARN) evaluator.ResourceLayer {
	what := fmt.Sprintf("%s policy of %s", k.typ, shortName(arn))
	switch {
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
	l := r.resourceLayer(k.typ, k.permission)
	switch {
	case k.service == "s3" && k.typ == "bucket":
		for _, caveat := range bucketCaveats(req, r, arn) {
			l.State = evaluator.NotCollected
			if l.Missing != "" {
				l.Missing += "; "
			}
			l.Missing += caveat
		}
	case k.service == "kms":
		// A grant only ever allows: it leaves what the key policy denies as it is (rule S3).
		if unsettled := keyGrants(req, r); len(unsettled) > 0 {
			l.OtherAllow, l.OtherNote = evaluator.Unknown, strings.Join(unsettled, "; ")
		}
	}
	return l
}

// find looks a resource up, by the names that AWS knows it by.
func (s *Snapshot) find(k resourceKind, arn policy.ARN) *resource {
	if r := s.resources[arn.String()]; r != nil {
		return r
	}
	switch k.typ {
	case "secret":
		return s.secret(arn)
	case "function":
		// The policies of versions and aliases are their own (rule S25).
		if name, ok := strings.CutSuffix(arn.Resource, ":$LATEST"); ok {
			arn.Resource = name
			return s.resources[arn.String()]
		}
	case "log group":
		arn.Resource += ":*"
		return s.resources[arn.String()]
	}
	return nil
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
	if s.isOK(name) {
		return fmt.Sprintf("it isn't in account %s%s; %s would tell", owner, s.asCollected(), permission)
	}
	return s.whyMissing(name, permission)
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
	if !slices.Contains(listedWhole, k.typ) || owner == "" || hasWildcard(owner) || !s.isOK(resourcesPart(owner, k.service)) {
		return notCollected(k.typ, fmt.Sprintf("%s policy of %s: which resource is meant isn't known, nor all of their policies", k.typ, arn))
	}
	for _, r := range s.accounts[owner].resources[k.service] {
		if mayMatch(arn.String(), r.arn) && (r.layer.State != evaluator.Applies || len(r.layer.Policies) > 0 || r.failed != "") {
			return notCollected(k.typ, fmt.Sprintf("%s policy of %s: which resource is meant isn't known, and %s has a policy", k.typ, arn, r.arn))
		}
	}
	return evaluator.ResourceLayer{Type: k.typ, Layer: evaluator.Layer{State: evaluator.Applies}}
}

// accountPolicies are the policies of a service that are attached to an account
// and name the resources that they are about, as those of logs and glue.
func (s *Snapshot) accountPolicies(req *evaluator.Request, k resourceKind, arn policy.ARN) evaluator.ResourceLayer {
	owner := s.owner(req.Resource, req.Principal)
	if name := resourcesPart(owner, k.service); !s.isOK(name) {
		return notCollected(k.typ, fmt.Sprintf("%s policies of account %s: %s", k.service, owner, s.whyMissing(name, k.permission)))
	}
	var b layerBuilder
	for _, r := range s.accounts[owner].resources[k.service] {
		at, _ := policy.ParseARN(r.arn)
		other, _, isKind := kindOf(at)
		if isKind && other.typ != k.typ || k.typ == "log group" && isKind && strings.TrimSuffix(at.Resource, ":*") != arn.Resource {
			continue // another resource's own policy
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

// bucketCaveats say what else decides on a bucket besides policies, where it may matter to
// this request: Block Public Access (rules S17, S18) and ACLs (rule S16). The layer is
// then unknown rather than wrong.
func bucketCaveats(req *evaluator.Request, r *resource, bucket policy.ARN) []string {
	if req.Principal.Type == evaluator.Service {
		return nil
	}
	if r.account != "" && accountOf(req.Principal) == r.account {
		// A bucket policy doesn't open what another account wrote and still owns.
		if object := req.Resource.ARN != bucket.String(); object && r.aclsDisabled != evaluator.Matched && !strings.EqualFold(req.Action, "s3:PutObject") {
			return []string{fmt.Sprintf("who owns %s, as ACLs of %s may be on; s3:GetBucketOwnershipControls and s3:GetObjectAcl would tell", req.Resource.ARN, r.arn)}
		}
		return nil
	}
	var caveats []string
	blocked := max(r.bucketBlock, r.accountBlock)
	switch {
	case !r.publicAllowed || blocked == evaluator.NoMatch:
	case blocked == evaluator.Matched:
		caveats = append(caveats, fmt.Sprintf("S3 Block Public Access (RestrictPublicBuckets) of %s refuses callers of other accounts, as its bucket policy is public", r.arn))
	default:
		caveats = append(caveats, fmt.Sprintf("whether S3 Block Public Access guards %s, whose bucket policy is public; s3:GetBucketPublicAccessBlock and s3:GetAccountPublicAccessBlock would tell", r.arn))
	}
	if r.aclsDisabled != evaluator.Matched {
		caveats = append(caveats, fmt.Sprintf("ACLs of %s, which may let other accounts in; s3:GetBucketOwnershipControls and s3:GetBucketAcl would tell", r.arn))
	}
	return caveats
}

// keyGrants are the grants of a key that may let the caller in (rule S3), or that they weren't
// collected: they aren't evaluated.
func keyGrants(req *evaluator.Request, r *resource) []string {
	if !r.grantsOK {
		return []string{fmt.Sprintf("grants of %s; kms:ListGrants would tell", r.arn)}
	}
	_, operation, _ := strings.Cut(req.Action, ":")
	var caveats []string
	for _, g := range r.grants {
		if slices.ContainsFunc(g.operations, func(o string) bool { return strings.EqualFold(o, operation) }) && mayBeGrantee(req.Principal, g.grantee) {
			caveats = append(caveats, fmt.Sprintf("grant %s of %s may let %s do this: grants aren't evaluated", g.id, r.arn, g.grantee))
		}
	}
	return caveats
}

// mayBeGrantee reports whether a grant may be for this caller.
func mayBeGrantee(p evaluator.Principal, grantee string) bool {
	switch {
	case p.Type == evaluator.Anonymous:
		return false
	case p.Type == evaluator.UnknownPrincipal || grantee == "" || grantee == p.ARN || grantee == p.RoleARN || grantee == p.ParentARN:
		return true
	}
	g, ok := policy.ParseARN(grantee)
	if !ok {
		return p.Type == evaluator.Service || p.ID != "" && strings.HasPrefix(grantee, p.ID) // a service's name, or an id
	}
	if p.Account != "" && g.Account != p.Account {
		return false
	}
	// The role of a session may be named with its path or by the session.
	own, _ := policy.ParseARN(p.ARN)
	return g.Resource == "root" || roleName(g.Resource) != "" && roleName(g.Resource) == roleName(own.Resource)
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

// isPublic reports whether a bucket policy is public, or may be: some Allow to
// everybody isn't pinned to fixed values (rule S18).
func isPublic(doc *policy.Document) bool {
	if len(doc.Defects) > 0 {
		return true
	}
	return slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool {
		return st.Effect != policy.Deny && (len(st.Defects) > 0 || allowsEverybody(&st) && !slices.ContainsFunc(st.Condition, isPinned))
	})
}

func allowsEverybody(st *policy.Statement) bool {
	if st.NotPrincipal != nil {
		return true
	}
	return st.Principal != nil && slices.ContainsFunc(st.Principal.Entries, func(e policy.PrincipalEntry) bool { return strings.Contains(e.Value.Value, "*") })
}

// pinningKeys are the context keys whose fixed values keep a policy from being public (rule S18).
var pinningKeys = []string{
	"aws:SourceIp", "aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner", "aws:SourceAccount",
	"aws:userid", "s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:x-amz-server-side-encryption-aws-kms-key-id", "aws:PrincipalOrgID",
}

// pinningOperators are those that let only the values through that they list.
var pinningOperators = []string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}

// isPinned reports whether a condition lets only fixed values of a pinning key through.
func isPinned(c policy.Condition) bool {
	if !isOneOf(c.Operator, pinningOperators) || !isOneOf(c.Key.Value, pinningKeys) || len(c.Values) == 0 {
		return false
	}
	for _, v := range c.Values {
		if hasWildcard(v.Value) || strings.Contains(v.Value, "${") {
			return false
		}
		if strings.EqualFold(c.Key.Value, "aws:SourceIp") && !isNarrow(v.Value) {
			return false
		}
	}
	return true
}

// isNarrow reports whether a network is narrow enough not to be public: /8 or
// more, IPv6 /32 or more, or private.
func isNarrow(cidr string) bool {
	if a, err := netip.ParseAddr(cidr); err == nil {
		return a.IsValid()
	}
	network, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	if network.Addr().Is4() {
		return network.Bits() >= 8
	}
	return network.Bits() >= 32
}
