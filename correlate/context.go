package correlate

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// The context keys of a request, from an event (table T86). A key that isn't set
// is unknown: the context is open. Keys that follow from the request alone, and
// those that a snapshot knows (organisation, tags), are left to evaluator.DeriveContext and the snapshot.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

// keys gathers what is known of context keys.
type keys []evaluator.ContextValue

// newKeys has room for as many as one function usually finds.
func newKeys() keys { return make(keys, 0, 12) }

func (k *keys) set(name string, values ...string) {
	*k = append(*k, evaluator.ContextValue{Name: name, State: evaluator.Present, Values: values})
}

func (k *keys) state(s evaluator.KeyState, names ...string) {
	for _, name := range names {
		*k = append(*k, evaluator.ContextValue{Name: name, State: s})
	}
}

func (k *keys) absent(names ...string) { k.state(evaluator.Absent, names...) }

// A callContext is what an event tells of the context of every request in it.
type callContext struct {
	prefixes []string // of the actions that are the event's service's own
	lake     lakeContext
	// What is known of a request that the message says another principal made, of one of the event's
	// own service, and of another's. Each request gets a copy, which a change makes its own.
	another, own, behind func() *evaluator.Context
}

func (c *call) newContext() *callContext {
	ctx := &callContext{prefixes: []string{servicePrefix(c.event.Source)}, lake: decodeLakeContext(c.event.Context)}
	if derived := c.derived(); len(derived) > 0 {
		ctx.prefixes = append(ctx.prefixes, actionService(derived[0].Action))
	}
	anyones, callers := timeKeys(c.event), identityKeys(c)
	ctx.another = sync.OnceValue(func() *evaluator.Context { return openContext(anyones) })
	ctx.own = sync.OnceValue(func() *evaluator.Context { return openContext(anyones, callers, networkKeys(c.event)) })
	ctx.behind = sync.OnceValue(func() *evaluator.Context { return openContext(anyones, callers, c.behindKeys()) })
	return ctx
}

// openContext returns a context in which what isn't among the keys is unknown.
func openContext(known ...keys) *evaluator.Context {
	c := evaluator.Context{Open: true}
	n := 0
	for _, k := range known {
		n += len(k)
	}
	c.Grow(n)
	for _, k := range known {
		k.putIn(&c)
	}
	return &c
}

func (k keys) putIn(c *evaluator.Context) {
	for _, v := range k {
		c.Put(v)
	}
}

// setContext fills a request's context. A message about another principal than the
// event's caller leaves of the event only what is true of any request in it; so does an
// action of another service, which that service's own call needed (T117).
func (c *call) setContext(r *Request, mismatch bool) {
	of := c.context()
	own := slices.Contains(of.prefixes, actionService(r.Action)) || strings.EqualFold(r.Action, "iam:PassRole")
	switch {
	case mismatch:
		r.Context = *of.another()
	case own:
		r.Context = *of.own()
	default:
		r.Context = *of.behind()
	}
	if !mismatch {
		c.serviceKeys(r, own).putIn(&r.Context)
	}
	if r.AccountAssumed { // an assumption must not decide a condition
		r.Context.SetState("aws:ResourceAccount", evaluator.UnknownKey)
	}
}

// behindKeys take back what the event says of services in between: what another service asked for inside the call (T117) it
// may have asked for as a service, and which of those aws:CalledVia lists isn't documented for all.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-viaawsservice
func (c *call) behindKeys() keys {
	var k keys
	if !forwarded(c.event) {
		k.state(evaluator.PresentUnknown, "aws:ViaAWSService")
		k.state(evaluator.UnknownKey, "aws:CalledVia", "aws:CalledViaFirst")
	}
	k.state(evaluator.UnknownKey, "aws:CalledViaLast")
	return k
}

// timeKeys are those that hold of every request of the event.
func timeKeys(e *Event) keys {
	var k keys
	if !e.Time.IsZero() {
		k = timesOf(e.Time)
	}
	if e.Region != "" {
		k.set("aws:RequestedRegion", e.Region)
	}
	return k
}

// timesOf are the keys that tell the time of a call.
func timesOf(t time.Time) keys {
	k := newKeys()
	k.set("aws:CurrentTime", t.UTC().Format(time.RFC3339))
	k.set("aws:EpochTime", strconv.FormatInt(t.Unix(), 10))
	return k
}

// identityKeys are the keys about the caller.
func identityKeys(c *call) keys {
	return slices.Concat(principalKeys(c), sessionKeys(c), sourceKeys(c), roleDeliveryKeys(c))
}

// principalKeys say who the caller is.
func principalKeys(c *call) keys {
	k := newKeys()
	p, id := c.principal, c.event.Identity
	switch p.Type {
	case evaluator.User, evaluator.AssumedRole, evaluator.FederatedUser, evaluator.Anonymous:
		k.absent("aws:AssumedRoot") // which only sessions of a root user have
	}
	if p.Account != "" {
		k.set("aws:PrincipalAccount", p.Account)
	}
	switch p.Type {
	case evaluator.Root:
		k.set("aws:PrincipalArn", p.ARN)
		k.set("aws:PrincipalType", "Account")
		k.set("aws:userid", p.Account)
		k.absent("aws:username")
		if issuer(c.event).AssumedRoot {
			k.set("aws:AssumedRoot", "true")
		}
	case evaluator.User:
		k.set("aws:PrincipalArn", p.ARN)
		k.set("aws:PrincipalType", "User")
		k.setID(id.PrincipalID)
		if a, ok := splitARN(p.ARN); ok {
			k.set("aws:username", a.lastName())
		}
	case evaluator.AssumedRole:
		if p.RoleARN != "" && !p.RolePathUnknown { // the role's ARN, never the session's
			k.set("aws:PrincipalArn", p.RoleARN)
		}
		k.set("aws:PrincipalType", "AssumedRole")
		k.setID(id.PrincipalID)
		k.absent("aws:username")
	case evaluator.FederatedUser:
		k.set("aws:PrincipalArn", p.ARN)
		k.set("aws:PrincipalType", "FederatedUser")
		k.setID(id.PrincipalID)
		k.absent("aws:username")
	case evaluator.Anonymous:
		k.set("aws:PrincipalType", "Anonymous")
		k.set("aws:userid", "anonymous")
		k.absent("aws:PrincipalArn", "aws:PrincipalIsAWSService", "aws:username", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:TokenIssueTime")
	}
	return k
}

func (k *keys) setID(id string) {
	if id != "" && id != hiddenName {
		k.set("aws:userid", id)
	}
}

// sessionKeys are those of temporary credentials. A long-term access key has none of
// them, which isn't the same as "false".
func sessionKeys(c *call) keys {
	k := newKeys()
	e, s := c.event, c.event.Identity.Session
	longTerm := strings.HasPrefix(e.Identity.AccessKeyID, "AKIA")
	if s == nil {
		if longTerm {
			k.absent("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:TokenIssueTime", "aws:SourceIdentity", "aws:FederatedProvider")
		}
		return k
	}
	switch {
	case s.MFA != "":
		k.set("aws:MultiFactorAuthPresent", s.MFA)
		if s.MFA == "false" {
			k.absent("aws:MultiFactorAuthAge")
		}
	case longTerm:
		k.absent("aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge")
	}
	switch {
	case !s.Created.IsZero():
		k.set("aws:TokenIssueTime", s.Created.UTC().Format(time.RFC3339))
	case longTerm:
		k.absent("aws:TokenIssueTime")
	}
	switch {
	case s.SourceIdentity != "":
		k.set("aws:SourceIdentity", s.SourceIdentity)
	case !e.Origin.Lossy:
		k.absent("aws:SourceIdentity")
	}
	switch {
	case s.FederatedProvider != "":
		k.set("aws:FederatedProvider", s.FederatedProvider)
	case s.EC2RoleDelivery != "":
		// Without a provider the session may still be a SAML one, which the event doesn't
		// tell; one of EC2's can't be.
		k.absent("aws:FederatedProvider")
	}
	return k
}

// sourceKeys tell whether a service calls, for itself or for its caller (T35).
func sourceKeys(c *call) keys {
	k := newKeys()
	service := c.event.Identity.InvokedBy
	kind := c.event.Identity.Type
	switch c.principal.Type {
	case evaluator.UnknownPrincipal:
		if _, known := identityTypes[kind]; !known || kind == "" || kind == "AWSService" {
			return k
		}
		k.set("aws:PrincipalIsAWSService", "false")
	case evaluator.Service:
		k.set("aws:PrincipalIsAWSService", "true")
		k.set("aws:PrincipalServiceName", service)
		k = append(k, evaluator.ContextValue{Name: "aws:PrincipalServiceNamesList", State: evaluator.Partial, Values: []string{service}})
		k.set("aws:ViaAWSService", "false")
		k.absent("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast")
		return k
	case evaluator.Anonymous:
	default:
		k.set("aws:PrincipalIsAWSService", "false")
	}
	k.absent("aws:PrincipalServiceName", "aws:PrincipalServiceNamesList")
	k.absent("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths")
	switch {
	case forwarded(c.event):
		k.set("aws:ViaAWSService", "true")
		k = append(k, evaluator.ContextValue{Name: "aws:CalledVia", State: evaluator.Partial, Values: []string{service}})
		k.set("aws:CalledViaLast", service)
		k.state(evaluator.PresentUnknown, "aws:CalledViaFirst")
	case service == "" && !c.event.Origin.Lossy:
		k.set("aws:ViaAWSService", "false")
		k.absent("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast")
	}
	return k
}

// forwarded reports whether a service made the call with its caller's credentials: a forward access session, whose
// caller stays the principal (rule P22). "AWS
// Internal" names none, and signin is the console, which calls for the user at the
// browser: of both it isn't known what IAM was told.
func forwarded(e *Event) bool {
	by := e.Identity.InvokedBy
	return e.Identity.Type != "AWSService" && strings.Contains(by, ".amazonaws.com") && by != "signin.amazonaws.com"
}

// roleDeliveryKeys are those of credentials that AWS delivers to compute.
func roleDeliveryKeys(c *call) keys {
	k := newKeys()
	e, s := c.event, c.event.Identity.Session
	if c.principal.Type == evaluator.UnknownPrincipal {
		return k
	}
	instance := []string{"aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4"}
	session := c.principal.Type == evaluator.AssumedRole
	switch {
	case s != nil && s.EC2RoleDelivery != "":
		k.set("ec2:RoleDelivery", s.EC2RoleDelivery)
		if a, ok := splitARN(c.principal.ARN); ok && strings.HasPrefix(a.lastName(), "i-") {
			// The instance's region isn't recorded; the call's may be another.
			k.state(evaluator.PresentUnknown, "ec2:SourceInstanceARN")
		}
		k.absent("lambda:SourceFunctionArn")
		return k
	case !session, s != nil && !e.Origin.Lossy:
		k.absent(instance...)
		k.absent("ec2:RoleDelivery", "ec2:SourceInstanceARN")
	}
	if !session { // of a role, as the services that hand it to their compute make them
		k.absent("codebuild:BuildArn", "codebuild:ProjectArn", "glue:CredentialIssuingService", "glue:RoleAssumedBy", "ssm:SourceInstanceArn")
	}
	if a, ok := splitARN(e.Identity.InScopeOf); ok && a.service == "lambda" {
		k.set("lambda:SourceFunctionArn", e.Identity.InScopeOf)
	} else if !session {
		k.absent("lambda:SourceFunctionArn")
	}
	return k
}

// networkKeys say where the request came from.
func networkKeys(e *Event) keys {
	k := newKeys()
	ip := parseIP(e.SourceIP)
	if consoleProxy(e) {
		// The console's own network, or the user's: nobody knows which IAM saw (T26, T87).
	} else if e.VPCEndpointID != "" {
		k = append(k, endpointKeys(e, ip)...)
	} else {
		k = append(k, directKeys(e, ip)...)
	}
	if agent := userAgent(e); agent != "" && mayBeConsole(e) {
		// What the console runs calls with the agent of the SDK that it is made with: taken at its word, it
		// would be a call to the API, which a user's console session isn't limited to (rule S13).
		k.state(evaluator.PresentUnknown, "aws:UserAgent")
	} else if agent != "" {
		k.set("aws:UserAgent", agent)
	}
	if e.HasTLS || !plainHTTP[servicePrefix(e.Source)] && e.Identity.Account != anonymousAccount {
		k.set("aws:SecureTransport", "true")
	}
	return k
}

// endpointKeys are those of a request through a VPC endpoint, which has no
// aws:SourceIp. Where a service made the call, the endpoint is AWS's own. The endpoint's VPC
// is in the snapshot.
func endpointKeys(e *Event, ip netip.Addr) keys {
	var k keys
	k.absent("aws:SourceIp")
	if !ip.IsValid() {
		return k
	}
	k.set("aws:SourceVpce", e.VPCEndpointID)
	k.set("aws:VpcSourceIp", ip.String())
	// aws:VpceAccount isn't claimed, though the event has the account: only some services supply it.
	return k
}

// directKeys are those of a request that didn't come through a VPC endpoint, as far
// as the source of the event can tell.
func directKeys(e *Event, ip netip.Addr) keys {
	var k keys
	noEndpoint := recorded(e, 4) // vpcEndpointId came with record version 1.04
	switch {
	case !ip.IsValid():
		if strings.Contains(e.SourceIP, ".amazonaws.com") {
			k.absent("aws:SourceIp")
		}
	case noEndpoint, publicIP(ip):
		k.set("aws:SourceIp", ip.String())
		if noEndpoint {
			k.absent("aws:VpcSourceIp")
		}
		if noEndpoint && publicIP(ip) {
			k.absent("aws:SourceVpce", "aws:SourceVpc", "aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths")
		}
	}
	return k
}

// plainHTTP are the services that also answer without TLS, so that a missing
// tlsDetails tells nothing [assumed].
var plainHTTP = map[string]bool{
	"s3": true, "s3express": true, "s3-outposts": true, "s3-object-lambda": true,
	"sns": true, "sqs": true, "dynamodb": true, "ec2": true, "monitoring": true, "autoscaling": true, "sdb": true,
	"execute-api": true, "es": true, "cloudsearch": true,
}

// consoleProxy reports whether AWS's console made the call: from its own network, or
// without telling how (T26, T87).
func consoleProxy(e *Event) bool {
	return e.ConsoleSession && !e.HasTLS || strings.Contains(e.UserAgent, "aws-internal/") && e.VPCEndpointID != ""
}

// mayBeConsole reports whether a call may be that of a console session of a user's, root's or a federated
// user's: credentials of those who don't sign in are limited, to AssumeRole and such (rule S13). Before
// record version 1.08 nothing tells; the key of a long-term credential does.
func mayBeConsole(e *Event) bool {
	switch e.Identity.Type {
	case "IAMUser", "Root", "FederatedUser":
	default:
		return false
	}
	return e.ConsoleSession || !recorded(e, 8) && !strings.HasPrefix(e.Identity.AccessKeyID, "AKIA")
}

// userAgent returns the user agent, "" if it was cut or is a service's name (T86).
func userAgent(e *Event) string {
	agent := e.UserAgent
	if len(agent) >= 1024 || strings.HasSuffix(agent, cutMark) || forwarded(e) || agent == hiddenName {
		return ""
	}
	if strings.HasPrefix(agent, "[") && strings.HasSuffix(agent, "]") {
		agent = agent[1 : len(agent)-1]
	}
	return agent
}

// parseIP returns an address, the zero Addr if s isn't one: AWS Internal, a
// service's name (T88).
func parseIP(s string) netip.Addr {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}
	}
	return ip.Unmap()
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func publicIP(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierNAT.Contains(ip)
}

// recorded reports whether a field that record version 1.minor brought would be
// there if it had a value (T25).
func recorded(e *Event, minor int) bool {
	_, v, ok := strings.Cut(e.Version, ".")
	n, err := strconv.Atoi(v)
	return ok && err == nil && n >= minor && !e.Origin.Lossy
}

// serviceKeys are the keys of single services that the event's own fields decide. direct says
// that the caller asked for the action itself, and no service on its behalf.
func (c *call) serviceKeys(r *Request, direct bool) keys {
	switch actionService(r.Action) {
	case "s3":
		if direct {
			return s3Keys(c.event)
		}
	case "kms":
		return c.kmsKeys(r, direct)
	}
	return nil
}

// How CloudTrail and the condition keys of S3 call the same things.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
var (
	s3AuthTypes  = map[string]string{"AuthHeader": "REST-HEADER", "QueryString": "REST-QUERY-STRING"}
	s3Signatures = map[string]string{"SigV4": "AWS4-HMAC-SHA256", "SigV2": "AWS"}
)

func s3Keys(e *Event) keys {
	var k keys
	var data struct{ AuthenticationMethod, SignatureVersion string }
	if json.Unmarshal(e.AdditionalData, &data) == nil {
		if t := s3AuthTypes[data.AuthenticationMethod]; t != "" {
			k.set("s3:authType", t)
		}
		if v := s3Signatures[data.SignatureVersion]; v != "" {
			k.set("s3:signatureversion", v)
		}
	}
	if v, ok := strings.CutPrefix(e.TLSVersion, "TLSv"); ok {
		k.set("s3:TlsVersion", v)
	}
	return k
}

// kmsKeys tell through which service KMS is used: the one that made the call, or the one
// whose operation needs the key (T117).
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (c *call) kmsKeys(r *Request, direct bool) keys {
	var k keys
	e := c.event
	if c.account != "" {
		k.set("kms:CallerAccount", c.account)
	}
	switch own := servicePrefix(e.Source) == "kms"; {
	case own && forwarded(e):
		if via := apicall.KMSVia(servicePrefix(e.Identity.InvokedBy), e.Region, eventPartition(e)); via != "" {
			k.set("kms:ViaService", via)
		} else {
			k.state(evaluator.PresentUnknown, "kms:ViaService")
		}
	case own && e.Identity.InvokedBy == "" && !e.Origin.Lossy:
		k.absent("kms:ViaService")
		if grantActions[strings.ToLower(r.Action)] {
			// Whether the key is absent or "false" isn't documented; that no service asks for the grant is sure.
			k = append(k, evaluator.ContextValue{Name: "kms:GrantIsForAWSResource", State: evaluator.UnknownKey, Not: []string{"true"}})
		}
	case !own && !direct:
		if via := apicall.KMSVia(servicePrefix(e.Source), e.Region, eventPartition(e)); via != "" {
			k.set("kms:ViaService", via)
		}
	}
	return k
}

// grantActions are those with kms:GrantIsForAWSResource.
var grantActions = map[string]bool{"kms:creategrant": true, "kms:listgrants": true, "kms:revokegrant": true}

// A lakeContext is the eventContext of an event from CloudTrail Lake: keys that IAM
// evaluated, as IAM knew them (T90).
type lakeContext struct {
	request   keys
	principal map[string]*string            // tags
	resources map[string]map[string]*string // tags, by ARN
}

// decodeLakeContext reads an eventContext as far as it goes; its inner form isn't
// documented beyond the three names.
func decodeLakeContext(raw json.RawMessage) lakeContext {
	var l lakeContext
	if len(raw) == 0 || len(raw) > maxResponse {
		return l
	}
	var text struct {
		RequestContext map[string]any
		TagContext     struct {
			PrincipalTags any
			ResourceTags  []struct {
				ARN  string
				Tags any
			}
		}
	}
	if json.Unmarshal(raw, &text) != nil {
		return l
	}
	l.request = requestKeys(text.RequestContext)
	l.principal = tagMap(text.TagContext.PrincipalTags)
	l.resources = make(map[string]map[string]*string)
	for _, r := range text.TagContext.ResourceTags {
		if tags := tagMap(r.Tags); r.ARN != "" && tags != nil {
			l.resources[r.ARN] = tags
		}
	}
	return l
}

// requestKeys are the keys that a record lists, by name. Of one that it lists twice, in names that differ
// only in case, nobody knows the value (rule C3).
func requestKeys(listed map[string]any) keys {
	var k keys
	at := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		values := contextValues(listed[name])
		if values == nil {
			continue
		}
		folded := strings.ToLower(name)
		if i, twice := at[folded]; twice {
			k[i].State, k[i].Values = evaluator.PresentUnknown, nil
			continue
		}
		at[folded] = len(k)
		k.set(name, values...)
	}
	return k
}

// contextValues returns a key's values, nil if they can't be read.
func contextValues(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case []any:
		var all []string
		for _, item := range v {
			one := contextValues(item)
			if len(one) != 1 {
				return nil
			}
			all = append(all, one[0])
		}
		return all
	}
	return nil
}

// tagMap reads tags as an object, or as a list of objects or of key and value.
func tagMap(v any) map[string]*string {
	tags := map[string]*string{}
	add := func(o map[string]any) {
		if key, ok := o["key"].(string); ok && len(o) == 2 {
			if value, ok := o["value"].(string); ok {
				tags[key] = &value
				return
			}
		}
		for key, value := range o {
			if value, ok := value.(string); ok {
				tags[key] = &value
			}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		add(v)
	case []any:
		for _, item := range v {
			if o, ok := item.(map[string]any); ok {
				add(o)
			}
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return tags
}

// apply makes unknown keys known. What isn't listed stays as it is: which keys
// are recorded is the store's configuration.
func (l lakeContext) apply(r *Request) {
	learn := func(v evaluator.ContextValue) {
		switch r.Context.Lookup(v.Name).State {
		case evaluator.UnknownKey, evaluator.PresentUnknown, evaluator.Partial:
			r.Context.Put(v)
		}
	}
	for _, v := range l.request {
		learn(v)
	}
	for _, v := range evaluator.TagValues("aws:PrincipalTag/", l.principal) {
		learn(v)
	}
	for _, v := range evaluator.TagValues("aws:ResourceTag/", l.resources[r.Resource.ARN]) {
		learn(v)
	}
}
