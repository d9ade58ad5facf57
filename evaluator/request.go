package evaluator

import (
	"slices"
	"sort"
	"strings"
)

// A Request is one authorisation question: may this principal do this action
// on this resource? A call that touches several resources, or needs several
// actions, is several requests, all of which must be allowed (rule E4).
type Request struct {
	Principal Principal
	Action    string // as IAM spells it, service:Name: s3:ListBucket, not ListObjects
	Resource  Resource
	Context   Context
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

// A KeyState says what is known of a context key (rule U1).
type KeyState int8

// The states of a context key.
const (
	Absent         KeyState = iota
	Present                 // with the values given
	PresentUnknown          // there, but nobody knows with which value
	UnknownKey              // may be there or not
	Partial                 // multivalued: the values given, and perhaps more
)

// A ContextValue is what is known of one context key.
type ContextValue struct {
	Name   string // as first spelled
	State  KeyState
	Values []string
	// Pattern says that * and ? in Values stand for what isn't known of them,
	// as in the ARN of a role whose path nobody recorded.
	Pattern bool
}

// A Context holds what is known of a request's context keys. Key names are
// compared without case (rule C3). In the zero Context every key is absent,
// which IAM gives a meaning; in an Open one, every key not set is unknown.
type Context struct {
	Open bool
	keys map[string]ContextValue
}

// Set makes key present with values.
func (c *Context) Set(key string, values ...string) {
	c.put(ContextValue{Name: key, State: Present, Values: values})
}

// SetState makes key absent, unknown or present with an unknown value.
func (c *Context) SetState(key string, state KeyState) { c.put(ContextValue{Name: key, State: state}) }

// Put records what is known of a key, replacing what was.
func (c *Context) Put(v ContextValue) { c.put(v) }

func (c *Context) put(v ContextValue) {
	if c.keys == nil {
		c.keys = make(map[string]ContextValue)
	}
	c.keys[strings.ToLower(v.Name)] = v
}

// Lookup returns what is known of key; the state of one never set is Absent,
// or UnknownKey in an open context.
func (c *Context) Lookup(key string) ContextValue { return c.lookupFolded(strings.ToLower(key), key) }

// Known reports whether key was set to anything, be it absent or unknown.
func (c *Context) Known(key string) bool {
	_, ok := c.keys[strings.ToLower(key)]
	return ok
}

func (c *Context) lookupFolded(folded, name string) ContextValue {
	if v, ok := c.keys[folded]; ok {
		return v
	}
	if c.Open {
		return ContextValue{Name: name, State: c.requestTag(folded)}
	}
	return ContextValue{Name: name}
}

// requestTag is the state of a key that nobody set in an open context: unknown, but that
// aws:TagKeys lists which tags a request sends.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys
func (c *Context) requestTag(folded string) KeyState {
	tag, ok := strings.CutPrefix(folded, "aws:requesttag/")
	if !ok {
		return UnknownKey
	}
	sent, ok := c.keys["aws:tagkeys"]
	switch {
	case !ok || sent.State != Absent && sent.State != Present || sent.Pattern:
		return UnknownKey
	case slices.ContainsFunc(sent.Values, func(v string) bool { return strings.EqualFold(v, tag) }):
		return PresentUnknown
	}
	return Absent
}

// All returns every key that was set, by name.
func (c *Context) All() []ContextValue {
	all := make([]ContextValue, 0, len(c.keys))
	for _, v := range c.keys {
		all = append(all, v)
	}
	sort.Slice(all, func(i, j int) bool { return strings.ToLower(all[i].Name) < strings.ToLower(all[j].Name) })
	return all
}

// Clone returns a copy that can be changed without changing c.
func (c *Context) Clone() Context {
	n := Context{Open: c.Open, keys: make(map[string]ContextValue, len(c.keys))}
	for k, v := range c.keys {
		n.keys[k] = v
	}
	return n
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
	// OtherAllow says whether something that isn't a policy grants the access: an S3
	// ACL, a KMS grant, a RAM share (rules E24, S3, S16). OtherNote names it.
	OtherAllow Match
	OtherNote  string
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
