package evaluator

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// What S3 decides besides policies (rules S15 to S21): who owns an object, what ACLs
// grant, and what Block Public Access refuses. Everything here starts from
// ResourceLayer.Bucket, and costs nothing where that is nil.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html

// publicAccessDenies says whether Block Public Access refuses the request,
// which counts as an explicit deny (rule S17).
func publicAccessDenies(req *Request, p *Policies) Match {
	b := p.Resource.Bucket
	if b == nil {
		return NoMatch
	}
	return or(restrictsPublicBuckets(req, p), blocksPut(req, b))
}

// restrictsPublicBuckets: a bucket or access point with a public policy is closed to
// everybody but AWS services and callers of the accounts that own the two. That a
// statement of the policy isn't public itself doesn't help (rule S18).
func restrictsPublicBuckets(req *Request, p *Policies) Match {
	m := p.Resource.Bucket.RestrictPublicBuckets
	if m == NoMatch {
		return NoMatch
	}
	if m = and(m, foreignToBucket(req, p)); m == NoMatch {
		return NoMatch
	}
	return and(m, guardIsPublic(p))
}

// foreignToBucket says whether the caller belongs to another account than the
// bucket's and the access point's.
func foreignToBucket(req *Request, p *Policies) Match {
	who := &req.Principal
	switch {
	case who.Type == Service:
		return NoMatch
	case who.Type == Anonymous:
		return Matched
	}
	m := otherAccount(who.Account, req.Resource.Account)
	if p.Resource.Behind != nil {
		m = and(m, otherAccount(who.Account, p.Resource.Behind.Account))
	}
	return m
}

// otherAccount says whether two accounts differ, either of which may not be known.
func otherAccount(a, b string) Match {
	if a == "" || b == "" {
		return Unknown
	}
	return known(a != b)
}

// guardIsPublic says whether the bucket's policy or the access point's is public (rule S18).
func guardIsPublic(p *Policies) Match {
	behind := p.Resource.Behind
	if behind == nil {
		return layerIsPublic(&p.Resource.Layer, false)
	}
	return or(layerIsPublic(&behind.Layer, false), and(not(behind.VPCOrigin), layerIsPublic(&p.Resource.Layer, true)))
}

func layerIsPublic(l *Layer, accessPoint bool) Match {
	m := NoMatch
	for i := range l.Policies {
		if l.Policies[i].Body != nil {
			m = or(m, isPublic(l.Policies[i].Body.Document(), accessPoint))
		}
	}
	switch l.State {
	case DoesNotApply:
		return NoMatch
	case NotCollected:
		return or(m, Unknown)
	case MayApply:
		return and(m, Unknown)
	}
	return m
}

// blocksPut says whether Block Public Access refuses a call that would open the bucket
// or an object to the public, by a policy or an ACL (rule S17). Who checks whether a call
// would be allowed often doesn't know which policy it puts.
func blocksPut(req *Request, b *Bucket) Match {
	if m := b.BlockPublicPolicy; m != NoMatch && putsPolicy(req.Action) {
		if req.Puts == nil {
			return Unknown
		}
		return and(m, isPublic(req.Puts, strings.EqualFold(req.Action, "s3:PutAccessPointPolicy")))
	}
	if m := and(b.BlockPublicACLs, b.ACLsEnabled); m != NoMatch {
		if put, inBody := putsACL(req.Action); put {
			return and(m, putsPublicACL(&req.Context, inBody))
		}
	}
	return NoMatch
}

func putsPolicy(action string) bool {
	return strings.EqualFold(action, "s3:PutBucketPolicy") || strings.EqualFold(action, "s3:PutAccessPointPolicy")
}

// putsACL reports whether an action may set an ACL, and whether its body may hold it rather than its headers.
func putsACL(action string) (put, inBody bool) {
	switch {
	case strings.EqualFold(action, "s3:PutObject"):
		return true, false
	case strings.EqualFold(action, "s3:PutBucketAcl"), strings.EqualFold(action, "s3:PutObjectAcl"), strings.EqualFold(action, "s3:PutObjectVersionAcl"):
		return true, true
	}
	return false, false
}

// grantHeaders are the context keys of the headers that spell an ACL out.
var grantHeaders = [...]string{"s3:x-amz-grant-read", "s3:x-amz-grant-write", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write-acp", "s3:x-amz-grant-full-control"}

// putsPublicACL says whether a request's headers set an ACL that grants something to one of S3's
// groups of everybody.
func putsPublicACL(c *Context, inBody bool) Match {
	canned := c.Lookup("s3:x-amz-acl")
	switch {
	case canned.State == Present && !canned.Pattern:
		m := NoMatch
		for _, v := range canned.Values {
			m = or(m, known(v == "public-read" || v == "public-read-write" || v == "authenticated-read"))
		}
		return m // a request with a canned ACL can't have the other headers
	case canned.State != Absent:
		return Unknown
	}
	m := NoMatch
	for _, key := range grantHeaders {
		switch v := c.Lookup(key); {
		case v.State == Present && !v.Pattern:
			for _, to := range v.Values {
				m = or(m, known(strings.Contains(to, "/groups/global/")))
			}
		case v.State != Absent:
			m = or(m, Unknown)
		}
	}
	if inBody {
		m = or(m, Unknown)
	}
	return m
}

// S3's groups of grantees.
const (
	allUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	logDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// An aclRule says which ACL permission allows an action. Actions of no row are
// allowed by no ACL.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping
type aclRule struct {
	action, permission string
	object             bool // of the object's ACL; else the bucket's
	// perhaps: WRITE lets the owner of an object replace and delete it, and
	// whose it is isn't looked at.
	perhaps bool
}

var aclRules = [...]aclRule{
	{action: "s3:GetObject", permission: "READ", object: true},
	{action: "s3:GetObjectVersion", permission: "READ", object: true},
	{action: "s3:GetObjectAcl", permission: "READ_ACP", object: true},
	{action: "s3:GetObjectVersionAcl", permission: "READ_ACP", object: true},
	{action: "s3:PutObjectAcl", permission: "WRITE_ACP", object: true},
	{action: "s3:PutObjectVersionAcl", permission: "WRITE_ACP", object: true},
	{action: "s3:ListBucket", permission: "READ"},
	{action: "s3:ListBucketVersions", permission: "READ"},
	{action: "s3:ListBucketMultipartUploads", permission: "READ"},
	{action: "s3:PutObject", permission: "WRITE"},
	{action: "s3:DeleteObject", permission: "WRITE", perhaps: true},
	{action: "s3:DeleteObjectVersion", permission: "WRITE", perhaps: true},
	{action: "s3:AbortMultipartUpload", permission: "WRITE", perhaps: true},
	{action: "s3:ListMultipartUploadParts", permission: "WRITE", perhaps: true},
	{action: "s3:GetBucketAcl", permission: "READ_ACP"},
	{action: "s3:PutBucketAcl", permission: "WRITE_ACP"},
}

func aclRuleFor(action string) *aclRule {
	for i := range aclRules {
		if strings.EqualFold(aclRules[i].action, action) {
			return &aclRules[i]
		}
	}
	return nil
}

// acl is the ACL that decides on the rule's action.
func (r *aclRule) acl(b *Bucket) *ACL {
	if r.object {
		return &b.ObjectACL
	}
	return &b.BucketACL
}

// aclAllows says what ACLs grant the caller (rule S16): as a policy does that names everybody, and as
// one does that names the caller's account.
func (b *Bucket) aclAllows(req *Request, owner string) (everybody, account Match) {
	rule := aclRuleFor(req.Action)
	if b.ACLsEnabled == NoMatch || rule == nil {
		return NoMatch, NoMatch
	}
	acl, who := rule.acl(b), &req.Principal
	public := not(b.IgnorePublicACLs)
	for i := range acl.Grants {
		g := &acl.Grants[i]
		if g.Permission != rule.permission && g.Permission != "FULL_CONTROL" {
			continue
		}
		switch g.Grantee {
		case allUsers:
			everybody = or(everybody, public)
		case authenticatedUsers: // all accounts; whether their users need more isn't documented
			everybody = or(everybody, min(public, hasAccount(who), Unknown))
			account = or(account, and(public, hasAccount(who)))
		case logDelivery:
			everybody = or(everybody, isLogDelivery(who))
		default:
			account = or(account, b.isGrantee(g, who, owner))
		}
	}
	if acl.State == NotCollected || acl.State == MayApply {
		everybody = or(everybody, and(Unknown, or(and(public, known(who.Type != Service)), isLogDelivery(who))))
		account = or(account, and(Unknown, hasAccount(who)))
	}
	sure := b.ACLsEnabled
	if rule.perhaps {
		sure = and(sure, Unknown)
	}
	return and(everybody, sure), and(account, sure)
}

// hasAccount says whether the caller belongs to an account.
func hasAccount(p *Principal) Match {
	switch p.Type {
	case Anonymous, Service, WebIdentity, SAML:
		return NoMatch
	case UnknownPrincipal:
		return Unknown
	}
	return Matched
}

// isLogDelivery says whether the caller is the service that writes server access logs.
func isLogDelivery(p *Principal) Match {
	return known(p.Type == Service && strings.HasPrefix(p.ARN, "logging.s3."))
}

// isGrantee says whether a grant to one account is to the caller's.
func (b *Bucket) isGrantee(g *ACLGrant, p *Principal, owner string) Match {
	account := g.Account
	if account == "" && g.Grantee != "" && g.Grantee == b.BucketACL.Owner {
		account = owner // the canonical user id of the bucket's owner
	}
	return and(hasAccount(p), not(otherAccount(p.Account, account)))
}

// ownsObject says whether the bucket's owner owns what the request is about, so that
// the bucket's policy can open it (rules S15, S16).
func (b *Bucket) ownsObject(req *Request, bucket *Resource) Match {
	if b.ACLsEnabled == NoMatch || !mayBeObject(bucket) || bucketDecides(req.Action) {
		return Matched
	}
	owned := Unknown
	switch {
	case b.ObjectOwner != "" && bucket.Account != "":
		owned = known(b.ObjectOwner == bucket.Account)
	case b.ObjectACL.Owner != "" && b.BucketACL.Owner != "":
		owned = known(b.ObjectACL.Owner == b.BucketACL.Owner)
	}
	return or(not(b.ACLsEnabled), owned)
}

// mayBeObject reports whether a resource is an object in a bucket, or may be one.
func mayBeObject(r *Resource) bool {
	return strings.Contains(r.ARN, "/") || r.Pattern && strings.ContainsAny(r.ARN, "*?")
}

// bucketDecides reports whether an action on an object is the bucket owner's to allow, whoever owns the
// object: what writes and deletes.
func bucketDecides(action string) bool {
	for _, a := range [...]string{
		"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:RestoreObject",
		"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
	} {
		if strings.EqualFold(a, action) {
			return true
		}
	}
	return false
}

// grantByObjectOwner is the grant on an object that another account than the
// bucket's owns: the bucket's policy can only deny. The caller needs leave from
// its own account, and from the object's owner by its ACL (rule S16).
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-auth-workflow-object-operation.html
func grantByObjectOwner(req *Request, b *Bucket, v *verdict, rule grantRule, e extra) Match {
	caller := Matched
	if rule != policyOnly {
		caller = min(v.identity.allows(), v.boundaryOk, v.sessionOk)
	}
	return and(caller, b.objectOwnerAllows(req, e))
}

// objectOwnerAllows says whether the object's owner lets the caller in.
func (b *Bucket) objectOwnerAllows(req *Request, e extra) Match {
	owner := max(e.everybody, e.account, and(hasAccount(&req.Principal), not(otherAccount(req.Principal.Account, b.ObjectOwner))))
	if aclRuleFor(req.Action) == nil {
		owner = or(owner, Unknown) // no ACL permission is documented for it
	}
	return owner
}

// bucketOf is the bucket, or the object in it, that the bucket's policy is asked about.
func bucketOf(req *Request, p *Policies) Resource {
	if b := p.Resource.Behind; b != nil {
		return Resource{ARN: b.ARN, Pattern: b.Pattern, Account: b.Account}
	}
	return req.Resource
}

// bucketBehind asks the policy of the bucket behind an access point, which knows
// the resource by another ARN (rule S21).
func (ev *evaluation) bucketBehind(p *Policies, hasBoundary Match) answer {
	b := p.Resource.Behind
	if b == nil {
		return answer{}
	}
	req := *ev.req
	req.Resource = bucketOf(ev.req, p)
	through := ev.req
	ev.req, ev.level = &req, behindLevel
	defer func() { ev.req, ev.level = through, 0 }()
	pl := place{layer: LayerResource, shape: shapeResource, named: true, hasBoundary: hasBoundary}
	return ev.layer(&pl, &b.Layer, b.ARN)
}

// deriveAccessPoint sets the context keys that a request through an access point has
// (rule S21), where they aren't set. Whether it is one for a VPC only, its ARN doesn't say.
func deriveAccessPoint(req *Request) {
	arn, ok := policy.ParseARN(req.Resource.ARN)
	rest, point := strings.CutPrefix(arn.Resource, "accesspoint/")
	if !ok || arn.Service != "s3" || !point || strings.ContainsAny(arn.Account, "*?") {
		return
	}
	name, _, _ := strings.Cut(rest, "/")
	arn.Resource = "accesspoint/" + name
	for _, v := range []ContextValue{
		{Name: "s3:DataAccessPointAccount", State: Present, Values: []string{arn.Account}},
		{Name: "s3:DataAccessPointArn", State: Present, Values: []string{arn.String()}, Pattern: req.Resource.Pattern && strings.ContainsAny(arn.String(), "*?")},
		{Name: "s3:AccessPointNetworkOrigin", State: PresentUnknown},
	} {
		if !req.Context.Known(v.Name) {
			req.Context.Put(v)
		}
	}
}

// behindLevel tells the bucket's policy from that of the access point in front of it.
const behindLevel = 1

// rootKeepsBucketPolicy: the root user of the owner may always read and mend
// a bucket policy, whatever that policy denies (rule S19).
func rootKeepsBucketPolicy(req *Request, across Match) bool {
	if req.Principal.Type != Root || across != NoMatch {
		return false
	}
	return strings.EqualFold(req.Action, "s3:GetBucketPolicy") || strings.EqualFold(req.Action, "s3:PutBucketPolicy") || strings.EqualFold(req.Action, "s3:DeleteBucketPolicy")
}

// publicAccessNote says in words what publicAccessDenies found, or what would tell.
func publicAccessNote(req *Request, p *Policies) string {
	b := p.Resource.Bucket
	bucket := bucketOf(req, p)
	name := bucketName(bucket.ARN)
	switch restricts, put := restrictsPublicBuckets(req, p), blocksPut(req, b); {
	case restricts == Matched:
		return "S3 Block Public Access (RestrictPublicBuckets) of " + name +
			" refuses callers of other accounts, as its policy is public"
	case put == Matched && putsPolicy(req.Action):
		return "S3 Block Public Access (BlockPublicPolicy) of " + name + " refuses a policy that is public"
	case put == Matched:
		return "S3 Block Public Access (BlockPublicAcls) of " + name + " refuses an ACL that is public"
	case restricts == Unknown && b.RestrictPublicBuckets == Unknown && b.MissingBlock != "":
		return b.MissingBlock
	case restricts == Unknown && b.RestrictPublicBuckets == Unknown:
		return "whether S3 Block Public Access (RestrictPublicBuckets) guards " + name + ", whose policy is public or may be; s3:GetBucketPublicAccessBlock and s3:GetAccountPublicAccessBlock would tell"
	case restricts == Unknown && guardIsPublic(p) == Unknown:
		return "whether the policy of " + name + " is public, so that S3 Block Public Access (RestrictPublicBuckets) refuses callers of other accounts; s3:GetBucketPolicyStatus would tell"
	case restricts == Unknown:
		return "whether the caller's account is that of " + name + ", whose policy is public: S3 Block Public Access (RestrictPublicBuckets) refuses all others"
	case putsPolicy(req.Action) && b.BlockPublicPolicy == Unknown && b.MissingBlock != "":
		return b.MissingBlock
	case putsPolicy(req.Action):
		return "whether the policy that is put is public, which S3 Block Public Access (BlockPublicPolicy) of " + name + " refuses"
	}
	return "whether the ACL that is put is public, which S3 Block Public Access (BlockPublicAcls) of " + name + " refuses"
}

// aclNote says what would settle what ACLs and the owner of the object leave open; "" if
// they leave nothing open that matters.
func aclNote(req *Request, p *Policies) string {
	b := p.Resource.Bucket
	if b == nil || b.ACLsEnabled == NoMatch {
		return ""
	}
	bucket := bucketOf(req, p)
	var open []string
	add := func(missing, or string) {
		if missing == "" {
			missing = or
		}
		open = append(open, missing)
	}
	everybody, account := b.aclAllows(req, bucket.Account)
	owns := b.ownsObject(req, &bucket)
	if b.ACLsEnabled == Unknown && (everybody != NoMatch || account != NoMatch || owns != Matched) {
		add(b.MissingOwnership, "whether ACLs of "+bucketName(bucket.ARN)+" are on; s3:GetBucketOwnershipControls would tell")
	}
	if rule := aclRuleFor(req.Action); rule != nil && (everybody == Unknown || account == Unknown) {
		add(rule.acl(b).Missing, "whom the ACL of "+bucket.ARN+" grants access; s3:GetBucketAcl and s3:GetObjectAcl would tell")
	}
	if owns == Unknown {
		add("", "who owns "+bucket.ARN+", as a bucket policy doesn't open what another account owns; s3:GetObjectAcl would tell")
	}
	return strings.Join(open, "; ")
}

func bucketName(arn string) string {
	if i := strings.LastIndexByte(arn, ':'); i >= 0 {
		arn = arn[i+1:]
	}
	name, _, _ := strings.Cut(arn, "/")
	return name
}
