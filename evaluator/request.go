package evaluator

import "github.com/iamwhy/iamwhy/evaluator/policy"

// A Request is one authorisation question: may this principal do this action
// on this resource? A call that touches several resources, or needs several
// actions, is several requests, all of which must be allowed (rule E4).
type Request struct {
	Principal Principal
	Action    string // as IAM spells it, service:Name: s3:ListBucket, not ListObjects
	Resource  Resource
	Context   Context
	// Puts is the policy that the call would put on the resource; nil if it puts none, or nobody knows which (rule S17).
	Puts *policy.Document
	// Strict asks for an answer that rests on nothing but what AWS documents: what only
	// our own reading of it decides is unknown (rule U18).
	Strict bool
}

// A Resource is what a request is about. The zero Resource is unknown.
type Resource struct {
	// ARN is the resource's ARN, or "*" for an action without resource types
	// (rule R10).
	ARN string
	// Pattern says that * and ? in ARN stand for what isn't known of it
	// rather than for themselves (rules R14 and U3).
	Pattern bool
	// Account is the account that owns the resource; "" if that is unknown.
	Account string
}

// A PrincipalType says what kind of caller makes a request.
type PrincipalType string

// The kinds of caller of rule table 4.1. The zero value is an unknown caller.
const (
	UnknownPrincipal PrincipalType = ""
	Root             PrincipalType = "Root"
	User             PrincipalType = "User"
	AssumedRole      PrincipalType = "AssumedRole"
	FederatedUser    PrincipalType = "FederatedUser"
	Service          PrincipalType = "Service"
	WebIdentity      PrincipalType = "WebIdentity" // a caller of sts:AssumeRoleWithWebIdentity
	SAML             PrincipalType = "SAML"        // a caller of sts:AssumeRoleWithSAML
	Anonymous        PrincipalType = "Anonymous"
)

// A Principal is the caller of a request, with the identities that policies
// may know it by.
type Principal struct {
	Type PrincipalType
	// ARN is the most specific identity: the user's ARN, the session's, the
	// federated user's, arn:…:root, a service's name, a provider's ARN or
	// domain; "" for an anonymous caller. For an AssumedRole whose session isn't known
	// it is the role's ARN.
	ARN string
	// RoleARN is the ARN of an AssumedRole's role, with its path; "" if not known.
	RoleARN string
	// RolePathUnknown says that RoleARN was made from a session ARN, which has no path.
	RolePathUnknown bool
	// ParentARN is the user or root that called GetFederationToken for a
	// FederatedUser; "" if not known (rule P2).
	ParentARN string
	// ID is the unique id (AIDA…, AROA… without the session); "" if not known.
	ID string
	// Account is the caller's account; "" if not known or there is none.
	Account string
}

// A LayerName names where a policy sits.
type LayerName string

// The seven layers, and the pseudo-layer for what no policy statement decides.
const (
	LayerSCP      LayerName = "scp"
	LayerRCP      LayerName = "rcp"
	LayerResource LayerName = "resource"
	LayerIdentity LayerName = "identity"
	LayerBoundary LayerName = "boundary"
	LayerSession  LayerName = "session"
	LayerEndpoint LayerName = "endpoint"
	LayerService  LayerName = "service"
)

// A Policy is a compiled document in its place. The zero Policy has no
// statements.
type Policy struct {
	Name   string
	ARN    string // "" for an inline or resource policy
	Type   string // managed, inline, boundary, session, scp, rcp, endpoint, bucket, key, trust, queue, topic, secret, function …
	Target string // what it is attached to: a principal's or resource's ARN, a root's, OU's or account's id, an endpoint's id
	Body   *Compiled
}

// A LayerState says whether a layer takes part in a decision.
type LayerState int8

// The states of a layer. The zero value is one that doesn't apply.
const (
	DoesNotApply LayerState = iota
	Applies
	MayApply     // whether it applies isn't known; its Policies are those it would have (rule U7)
	NotCollected // it applies, or may, and its policies, or some of them, aren't known (rule U6)
)

// A Layer is the policies of one layer that concern a request.
type Layer struct {
	State    LayerState
	Policies []Policy
	// Missing says why a layer is NotCollected or MayApply and what would settle it:
	// "bucket policy of acme-logs: s3:GetBucketPolicy was denied".
	Missing string
}

// A Level is one level of an organisation: a root, an OU or an account.
type Level struct {
	Target string // r-…, ou-… or the account's id
	Name   string
	Layer
}

// A Hierarchy is the levels from the root down to an account (rule E33). State
// says whether the policy type applies to the account at all.
type Hierarchy struct {
	State   LayerState
	Levels  []Level
	Missing string
}

// A ResourceLayer is the policy of the resource, and what else guards it.
// DoesNotApply means that the resource is known to have no policy, or can't (rule U19).
type ResourceLayer struct {
	Layer
	Type string // bucket, key, trust, queue …: what kind of policy this is, or would be
	// AWSManaged says that the resource is an AWS managed KMS key, which RCPs don't reach (rule E11).
	AWSManaged Match
	// OtherAllow says whether something else that isn't a policy grants the access: a RAM
	// share, launch permissions (rule E24). OtherNote names it.
	OtherAllow Match
	OtherNote  string
	// Bucket is what guards an S3 bucket and its objects besides the policy; nil if nothing does.
	Bucket *Bucket
	// Behind is the bucket behind the S3 access point that the request goes through: the
	// request's resource is then the access point, or an object in it, Layer is the access point's
	// policy, and both policies must agree (rule S21).
	Behind *BucketBehind
	// Grants are those of a KMS key (rule S3). The zero KeyGrants are none, and known so.
	Grants KeyGrants
}

// A Bucket is what guards an S3 bucket and its objects besides policies. In the zero Bucket
// neither ACLs nor Block Public Access have a say. Supply Unknown for what wasn't
// collected, and say in Missing what would settle it.
type Bucket struct {
	// ACLsEnabled says whether Object Ownership is another than BucketOwnerEnforced
	// (rule S15). If it is, the fields up to ObjectACL count.
	ACLsEnabled Match
	// ObjectOwner is the account that owns the object; "" if that isn't known. The owner
	// that both ACLs name tells, too.
	ObjectOwner string
	BucketACL   ACL // of the bucket
	ObjectACL   ACL // of the object that the request is about

	// The effective settings of Block Public Access: a setting is on if it is in the
	// organisation, the account, the bucket or the access point (rule S17).
	BlockPublicACLs, IgnorePublicACLs, BlockPublicPolicy, RestrictPublicBuckets Match

	// MissingOwnership and MissingBlock say what would settle ACLsEnabled, and the settings of Block
	// Public Access: "Object Ownership of acme-logs; s3:GetBucketOwnershipControls would tell".
	MissingOwnership, MissingBlock string
}

// An ACL is the access control list of a bucket or an object (rule S16). The zero ACL
// grants nothing, and is known so.
type ACL struct {
	State   LayerState // NotCollected if there may be more grants than Grants
	Owner   string     // the owner's canonical user id; "" if not known
	Grants  []ACLGrant
	Missing string // what would settle it, if State is NotCollected: "ACL of acme-logs; s3:GetBucketAcl would tell"
}

// An ACLGrant is one grant of an ACL.
type ACLGrant struct {
	// Grantee is a canonical user id, the URI of one of S3's groups, or an e-mail address.
	Grantee string
	// Account is the account that a canonical user id or an e-mail address stands for; "" if not known.
	Account    string
	Permission string // READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL
}

// A BucketBehind is the bucket that an S3 access point opens (rule S21).
type BucketBehind struct {
	Layer          // the bucket's policy
	ARN     string // what the bucket's policy is asked about: the bucket, or the object in it; "*" in it if Pattern
	Pattern bool   // as Resource.Pattern
	Account string // that owns the bucket; "" if not known
	// VPCOrigin says whether the access point can be used from within a VPC only, and so is never public (rule S18).
	VPCOrigin Match
}

// KeyGrants are the grants of a KMS key.
type KeyGrants struct {
	State   LayerState // NotCollected if there may be more grants than List
	List    []KeyGrant
	Missing string // what would settle it, if State is NotCollected: "grants of k: kms:ListGrants was denied"
}

// A KeyGrant is one grant of a KMS key, in the words of kms:ListGrants (rule S3).
type KeyGrant struct {
	ID         string
	Grantee    string   // a principal's ARN, an account's id or root, an AIDA… or AROA… id, or a service
	Retiring   string   // who may retire it, likewise; "" if nobody is named
	Issuer     string   // the account that made it, as an id or its root; "" if not known
	Operations []string // Decrypt, GenerateDataKey …
	// ContextEquals and ContextSubset are its constraints on the encryption context; nil for none.
	ContextEquals, ContextSubset map[string]string
	// SourceARN is its constraint on aws:SourceArn, of a grant to a service; "" for none.
	SourceARN string
}

// An EndpointLayer is the policy of the VPC endpoint that the request came through.
type EndpointLayer struct {
	Layer
	ID string // vpce-…
	// Gateway is Matched for a gateway endpoint, NoMatch for an interface one (rule E34).
	Gateway Match
}

// Policies are the policies that concern one request, layer by layer.
type Policies struct {
	SCP      Hierarchy // of the caller's account
	RCP      Hierarchy // of the resource's account
	Resource ResourceLayer
	Identity Layer
	Boundary Layer
	Session  Layer
	Endpoint EndpointLayer
}
