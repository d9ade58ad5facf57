package snapshot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// Policies returns the policies that concern a request. The error is always
// nil; the signature is that of correlate.PolicySource.
//
// It gives what is attached. That a service-linked role, or a service that
// doesn't support RCPs, is exempt is the evaluator's to know. Session policies
// are recorded nowhere, so for a session that layer is always unknown
// (rules T32, U21): callers that know better set it.
func (s *Snapshot) Policies(_ context.Context, req evaluator.Request) (evaluator.Policies, error) {
	p := evaluator.Policies{
		SCP:      s.scp(&req),
		RCP:      s.rcp(&req),
		Resource: s.resourceLayer(&req),
		Session:  session(req.Principal),
		Endpoint: s.endpointLayer(&req),
	}
	p.Identity, p.Boundary = s.callerLayers(req.Principal)
	if mayBeShared(&req, &p) {
		p.Resource.OtherAllow = evaluator.Unknown
		p.Resource.OtherNote = "whether account " + req.Resource.Account + " shares " + req.Resource.ARN + " (AWS RAM, launch permissions, delegated administration, Lake Formation)"
	}
	return p, nil
}

// mayBeShared reports whether a resource of another account, of a type that has no
// policy, may be open to the caller by something that wasn't collected (rule E24).
func mayBeShared(req *evaluator.Request, p *evaluator.Policies) bool {
	// Lake Formation shares what is in a Glue catalog without a word in the catalog's policy.
	if p.Resource.State != evaluator.DoesNotApply && p.Resource.Type != "catalog" || req.Resource.Account == "" || req.Resource.Account == accountOf(req.Principal) {
		return false
	}
	service, _, _ := strings.Cut(req.Action, ":")
	switch strings.ToLower(service) {
	case "iam", "sts", "organizations": // nothing of theirs can be shared
		return false
	}
	return true
}

// ManagedPolicy returns a managed policy by its ARN, as account has it: a session's policyArns name
// policies that need not be attached to anything.
func (s *Snapshot) ManagedPolicy(account, arn string) (evaluator.Policy, bool) {
	a := s.accounts[account]
	if a == nil || a.iam == nil {
		return evaluator.Policy{}, false
	}
	p, ok := a.iam.managed[arn]
	if !ok || p.body == nil {
		return evaluator.Policy{}, false
	}
	return evaluator.Policy{Name: lastSegment(arn), ARN: arn, Type: "managed", Body: p.body}, true
}

// callerLayers are the identity policies (rule E6) and the boundary (rule E7) of the caller.
func (s *Snapshot) callerLayers(p evaluator.Principal) (identity, boundary evaluator.Layer) {
	switch p.Type {
	case evaluator.Root, evaluator.Service, evaluator.Anonymous, evaluator.WebIdentity, evaluator.SAML:
		return evaluator.Layer{}, evaluator.Layer{}
	case evaluator.FederatedUser:
		if arn, ok := policy.ParseARN(p.ParentARN); ok && arn.Resource == "root" {
			return evaluator.Layer{}, evaluator.Layer{}
		}
	}
	e, why := s.caller(p)
	if e == nil {
		missing := func(what string) evaluator.Layer {
			return evaluator.Layer{State: evaluator.NotCollected, Missing: what + " of " + describe(p) + ": " + why}
		}
		return missing("identity policies"), missing("permissions boundary")
	}
	return s.wholeIAM(e, e.identity), s.wholeIAM(e, e.boundary)
}

// wholeIAM is a layer of a user or role; it isn't whole if its iam.json isn't.
func (s *Snapshot) wholeIAM(e *entity, l evaluator.Layer) evaluator.Layer {
	if name := iamPart(e.account); !s.isOK(name) {
		l.State, l.Missing = evaluator.NotCollected, "IAM of account "+e.account+": "+s.whyMissing(name, iamPermission)
	}
	return l
}

// describe names a caller in a message.
func describe(p evaluator.Principal) string {
	switch {
	case p.RoleARN != "" && !p.RolePathUnknown:
		return p.RoleARN
	case p.ARN != "":
		return p.ARN
	}
	return "the caller"
}

// caller finds the user or role whose policies a caller has; nil, and why, if it isn't known.
func (s *Snapshot) caller(p evaluator.Principal) (*entity, string) {
	switch p.Type {
	case evaluator.User:
		return s.user(p.ARN, p.ID, p.Account)
	case evaluator.AssumedRole:
		return s.role(p)
	case evaluator.FederatedUser: // rule P2
		if p.ParentARN == "" {
			return nil, "which user called sts:GetFederationToken isn't known"
		}
		return s.user(p.ParentARN, "", p.Account)
	}
	return nil, "who the caller is isn't known"
}

// user finds a user by ARN, by id, or by name if the ARN has no path.
func (s *Snapshot) user(arn, id, account string) (*entity, string) {
	a, ok := policy.ParseARN(arn)
	if ok {
		account = a.Account
	}
	details, why := s.iamOf(account)
	if details == nil {
		return nil, why
	}
	e := details.byARN[arn]
	name, plain := strings.CutPrefix(a.Resource, "user/")
	if e == nil && id != "" {
		e = details.byID[id]
	}
	if e == nil && plain && !strings.Contains(name, "/") {
		e = details.byName[entityName{evaluator.User, name}]
	}
	if e == nil || e.kind != evaluator.User {
		return nil, s.notInAccount("user "+name, account)
	}
	return s.sameID(e, id)
}

// role finds the role behind a session: by ARN, or if its path isn't known by id
// or name, which is unique in the account (rules P1, T28).
func (s *Snapshot) role(p evaluator.Principal) (*entity, string) {
	account, name, exact := roleOf(p)
	details, why := s.iamOf(account)
	if details == nil {
		return nil, why
	}
	var e *entity
	if exact {
		e = details.byARN[p.RoleARN]
	}
	id, _, _ := strings.Cut(p.ID, ":")
	if e == nil && id != "" {
		e = details.byID[id]
	}
	if e == nil && !exact {
		e = details.byName[entityName{evaluator.AssumedRole, name}]
	}
	if e == nil || e.kind != evaluator.AssumedRole {
		why := s.notInAccount("role "+name, account)
		if other := details.byName[entityName{evaluator.AssumedRole, name}]; other != nil {
			why += ", but " + other.arn + " is"
		}
		return nil, why
	}
	return s.sameID(e, id)
}

// roleOf returns the account and name of a session's role, and whether its
// ARN is known with its path.
func roleOf(p evaluator.Principal) (account, name string, exact bool) {
	for _, s := range []string{p.RoleARN, p.ARN} {
		arn, ok := policy.ParseARN(s)
		if !ok {
			continue
		}
		if name := roleName(arn.Resource); name != "" {
			return arn.Account, name, s == p.RoleARN && !p.RolePathUnknown
		}
	}
	return p.Account, "", false
}

// sameID guards against a user or role that was deleted and made anew (rules P8, T29).
func (s *Snapshot) sameID(e *entity, id string) (*entity, string) {
	if id != "" && e.id != "" && id != e.id {
		return nil, fmt.Sprintf("the caller's id is %s, and %s has %s in the snapshot: it was deleted and made anew", id, e.arn, e.id)
	}
	return e, ""
}

// iamOf returns the IAM details of an account; nil, and why, if there are none.
func (s *Snapshot) iamOf(account string) (*iamDetails, string) {
	if account == "" {
		return nil, "its account isn't known"
	}
	if a := s.accounts[account]; a != nil && a.iam != nil {
		return a.iam, ""
	}
	return nil, s.whyMissing(iamPart(account), iamPermission)
}

func (s *Snapshot) notInAccount(what, account string) string {
	return fmt.Sprintf("%s isn't in account %s%s", what, account, s.asCollected(iamPart(account)))
}

// asCollected says when a part was collected, as the end of a sentence.
func (s *Snapshot) asCollected(partName string) string {
	at := s.collectedAt
	if p := s.parts[partName]; p != nil && !p.collectedAt.IsZero() {
		at = p.collectedAt
	}
	if at.IsZero() {
		return " as collected"
	}
	return " as collected on " + at.UTC().Format(time.RFC3339)
}

// session is the layer of session policies (rule E8), which no snapshot has.
func session(p evaluator.Principal) evaluator.Layer {
	switch p.Type {
	case evaluator.AssumedRole:
		return evaluator.Layer{State: evaluator.NotCollected, Missing: "session policies aren't recorded anywhere; the sts:AssumeRole event that made the session would tell"}
	case evaluator.FederatedUser:
		return evaluator.Layer{State: evaluator.NotCollected, Missing: "session policies aren't recorded anywhere; the sts:GetFederationToken event that made the session would tell"}
	case evaluator.UnknownPrincipal:
		return evaluator.Layer{State: evaluator.NotCollected, Missing: "session policies: who the caller is isn't known"}
	}
	return evaluator.Layer{}
}

// scp is the service control policies of the caller's account (rule E10).
func (s *Snapshot) scp(req *evaluator.Request) evaluator.Hierarchy {
	switch req.Principal.Type {
	case evaluator.Service, evaluator.Anonymous, evaluator.WebIdentity, evaluator.SAML:
		return evaluator.Hierarchy{}
	}
	account := accountOf(req.Principal)
	if account == "" {
		return evaluator.Hierarchy{State: evaluator.NotCollected, Missing: "SCPs: the caller's account isn't known"}
	}
	return s.hierarchyOf(scpType, account)
}

// rcp is the resource control policies of the resource's account (rule E11).
func (s *Snapshot) rcp(req *evaluator.Request) evaluator.Hierarchy {
	if strings.EqualFold(req.Action, "kms:RetireGrant") {
		return evaluator.Hierarchy{}
	}
	if arn, ok := policy.ParseARN(req.Resource.ARN); ok && ownedByAWS(arn) { // which is in nobody's organisation
		return evaluator.Hierarchy{}
	}
	account := s.owner(req.Resource, req.Principal)
	if account == "" || hasWildcard(account) {
		return evaluator.Hierarchy{State: evaluator.NotCollected, Missing: "RCPs: which account owns " + quoteEmpty(req.Resource.ARN) + " isn't known"}
	}
	h := s.hierarchyOf(rcpType, account)
	switch s.isAWSManagedKey(req.Resource.ARN) {
	case evaluator.Matched:
		return evaluator.Hierarchy{}
	case evaluator.Unknown:
		if h.State == evaluator.Applies {
			h.State = evaluator.MayApply
			h.Missing = "whether " + req.Resource.ARN + " is an AWS managed key, which RCPs don't concern; kms:DescribeKey would tell"
		}
	}
	return h
}

func quoteEmpty(arn string) string {
	if arn == "" {
		return "the resource"
	}
	return arn
}

// isAWSManagedKey reports whether a resource is a KMS key that AWS manages.
func (s *Snapshot) isAWSManagedKey(resource string) evaluator.Match {
	arn, ok := policy.ParseARN(resource)
	if !ok || arn.Service != "kms" {
		return evaluator.NoMatch
	}
	switch {
	case s.resources[resource] != nil:
		return s.resources[resource].awsManaged
	case s.aliases[resource] != nil:
		return s.aliases[resource].awsManaged
	case strings.HasPrefix(arn.Resource, "alias/aws/"):
		return evaluator.Matched
	}
	return evaluator.Unknown
}

// accountOf is a caller's account: as it says, or that of its ARN.
func accountOf(p evaluator.Principal) string {
	if p.Account != "" {
		return p.Account
	}
	for _, s := range []string{p.ARN, p.RoleARN} {
		if arn, ok := policy.ParseARN(s); ok && isAccountID(arn.Account) {
			return arn.Account
		}
	}
	return ""
}

// endpointLayer is the policy of the VPC endpoint that the request came through (rule E12).
func (s *Snapshot) endpointLayer(req *evaluator.Request) evaluator.EndpointLayer {
	unknown := func(id, missing string) evaluator.EndpointLayer {
		return evaluator.EndpointLayer{ID: id, Gateway: evaluator.Unknown, Layer: evaluator.Layer{State: evaluator.NotCollected, Missing: missing}}
	}
	vpce := sourceVpce(&req.Context)
	switch {
	case vpce.State == evaluator.Absent:
		return evaluator.EndpointLayer{}
	case vpce.State == evaluator.UnknownKey:
		return unknown("", "whether the call came through a VPC endpoint isn't known, nor through which; aws:SourceVpce would tell")
	case vpce.State != evaluator.Present || len(vpce.Values) != 1:
		return unknown("", "through which VPC endpoint the call came isn't known; aws:SourceVpce would tell")
	}
	id := vpce.Values[0]
	e := s.endpoints[id]
	if e == nil {
		return unknown(id, "policy of VPC endpoint "+id+": it isn't in the snapshot; ec2:DescribeVpcEndpoints would tell")
	}
	return evaluator.EndpointLayer{ID: id, Gateway: e.gateway, Layer: e.layer}
}

// sourceVpce is what is known of aws:SourceVpce. A call that has aws:SourceIp
// didn't come through an endpoint, unless a service made it (evaluation.md 5.4).
func sourceVpce(c *evaluator.Context) evaluator.ContextValue {
	v := c.Lookup("aws:SourceVpce")
	viaService := c.Lookup("aws:ViaAWSService")
	direct := viaService.State != evaluator.Present || !slices.ContainsFunc(viaService.Values, func(s string) bool { return strings.EqualFold(s, "true") })
	if v.State == evaluator.UnknownKey && !c.Known("aws:SourceVpce") && direct && c.Lookup("aws:SourceIp").State == evaluator.Present {
		v.State = evaluator.Absent
	}
	return v
}
