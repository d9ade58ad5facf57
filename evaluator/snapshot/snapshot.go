// Package snapshot reads the policies of an account or an organisation as
// they were collected, and says which of them concern a request.
//
// Most callers need Load, Snapshot.Complete and Snapshot.Policies; who has snapshots of several times, a History. The package
// judges nothing: which layer allows or denies is package evaluator's business.
// What wasn't collected is said to be unknown, with the permission that
// would have shown it; it is never taken to be absent.
//
// # Format
//
// A snapshot is a directory of JSON files (product.md section 2), format version 1:
//
//	snapshot.json                      {"formatVersion": 1, "collectedAt": RFC 3339, "collectedBy": ARN,
//	                                    "parts": {NAME: {"status": "ok|denied|error|skipped", "reason": "…",
//	                                      "collectedAt": if an earlier collection got it and this one wasn't asked to,
//	                                      "regions": [those that were asked], if not all were,
//	                                      "only": [users, roles, resources or accounts that were asked for], if not all,
//	                                      "notOffered": [regions that don't have the service],
//	                                      "gaps": [{"action", "resource", "region", "status": "denied|error", "reason"}]}}}
//	organization.json                  the tree of roots, organisational units and accounts, see below
//	organization/scp/<id>.json         {"id", "name", "arn", "awsManaged": bool, "document": {…}}
//	organization/rcp/<id>.json         the same
//	accounts/<account>/iam.json        the output of `aws iam get-account-authorization-details`; several
//	                                   pages of it may stand in an array. Documents are objects, or strings
//	                                   with JSON text, URL-encoded or not
//	accounts/<account>/resources/<service>.json
//	                                   a list of resources, see below
//	accounts/<account>/endpoints.json  a list of {"id": "vpce-…", "serviceName", "type": "Gateway|Interface",
//	                                   "vpcId", "ownerId", "policy": {…} or null}; null is the default policy
//
//	identitycenter.json                {"instances": […], "permissionSets": [{"arn", "name", "accounts": […], …}],
//	                                    "assignments": […]}; read to name the permission set behind a role
//
// A part's NAME is its file's without .json; organization/scp and
// organization/rcp stand for their folders and for what is attached where. A
// file that snapshot.json doesn't list is taken to be whole.
//
// organization.json:
//
//	{"id": "o-…", "arn": …, "managementAccount": "…",
//	 "enabledPolicyTypes": ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"],
//	 "roots": [{"id": "r-…", "name": "Root", "policies": {"scp": ["p-…"], "rcp": ["p-…"]},
//	            "accounts": [{"id", "name", "status", "policies"}],
//	            "organizationalUnits": [{"id": "ou-…", "name", "policies", "accounts", "organizationalUnits"}]}]}
//
// An account that is in no organisation has {} as its organization.json.
// RCPFullAWSAccess is assumed at every level, listed or not (rule E35).
//
// resources/<service>.json: a list of
//
//	{"arn", "type": "bucket", "account": owner if it isn't the folder's,
//	 "policy": {…}, or null if AWS answered that there is none (rule U19), or a list where there are several,
//	 "status": "denied|error", "reason": why this one policy couldn't be read,
//	 "extra": {…}}
//
// type is what the policy is called in results: bucket, key, queue, topic, function, secret,
// repository, table, or the word of any other service. What is read of extra:
//
//	s3 bucket        publicAccessBlock and accountPublicAccessBlock: as S3 gives them, null for none;
//	                 objectOwnership: BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter, null
//	                 if S3 has none; acl: as GetBucketAcl gives it
//	s3 access point  bucket, bucketAccountId, networkOrigin and publicAccessBlock: as GetAccessPoint gives them
//	kms key          grants: as ListGrants gives them; aliases: ["alias/x"]; keyManager: CUSTOMER or AWS
//
// A REST API stands there by its ARN of API Gateway's, arn:aws:apigateway:REGION::/restapis/ID; an
// Amazon ECR registry, which has none, as arn:aws:ecr:REGION:ACCOUNT:registry.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
package snapshot

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Snapshot is the policies of an account or organisation at a time. It is
// immutable and may be shared by all goroutines; the slices of policies that
// it hands out must not be changed.
type Snapshot struct {
	collectedAt time.Time
	collectedBy string
	parts       map[string]*part
	org         *organization // nil if not collected
	accounts    map[string]*account
	resources   map[string]*resource   // by ARN
	aliases     map[string]*resource   // KMS keys, by their aliases' ARNs
	secrets     map[string][]*resource // by ARN without its random suffix
	endpoints   map[string]*endpoint   // by id
	problems    []Problem

	permissionSets map[string][]permissionSet // by name
}

// An account is what was collected of one account.
type account struct {
	id        string
	iam       *iamDetails            // nil if not collected
	resources map[string][]*resource // by service, in the order of the file
}

// A Problem is a part of a snapshot that can't be used, or only partly.
type Problem struct {
	File string // with :line:col where there is one
	Msg  string
}

// String returns the problem as a line of text.
func (p Problem) String() string { return p.File + ": " + p.Msg }

// Problems returns what couldn't be used, by file.
func (s *Snapshot) Problems() []Problem { return slices.Clone(s.problems) }

// CollectedAt is when the snapshot was taken; zero if it doesn't say.
func (s *Snapshot) CollectedAt() time.Time { return s.collectedAt }

// CollectedBy is the ARN of who took the snapshot; "" if it doesn't say.
func (s *Snapshot) CollectedBy() string { return s.collectedBy }

// Accounts returns the ids of the accounts that the snapshot has something of, sorted.
func (s *Snapshot) Accounts() []string { return slices.Sorted(maps.Keys(s.accounts)) }

// A Part is one thing to collect, and how that went. A Part that isn't ok makes
// what depends on it unknown.
type Part struct {
	Name   string // accounts/111111111111/iam
	Status string // ok, denied, error, skipped, missing, or broken for a file that can't be used
	Reason string
	// CollectedAt is when an earlier collection got the part, which that of the snapshot wasn't
	// asked to; zero if it is of the snapshot's own time.
	CollectedAt time.Time
	Regions     []string // that were asked; none if all that the account has enabled were
	Only        []string // users, roles, resources or accounts that were asked for; none if all that there are were
	Gaps        []Gap    // each call that failed
}

// A Gap is a call that failed while a part was collected.
type Gap struct {
	Action   string // the IAM action: s3:GetBucketPolicy
	Resource string // ARN or name; "" for a call about none, such as a list
	Region   string // "" if what is missing isn't of one region
	Status   string // denied or error
	Reason   string // in AWS's words
}

// Parts returns what was to be collected, by name.
func (s *Snapshot) Parts() []Part {
	var parts []Part
	for name, p := range s.parts {
		parts = append(parts, Part{
			Name: name, Status: p.status, Reason: p.reason,
			CollectedAt: p.collectedAt, Regions: slices.Clone(p.regions), Only: slices.Clone(p.only), Gaps: slices.Clone(p.gaps),
		})
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Name, b.Name) })
	return parts
}

// Principals returns every user and role of the snapshot, by ARN.
func (s *Snapshot) Principals() []evaluator.Principal {
	var all []evaluator.Principal
	for e := range s.entities() {
		all = append(all, e.principal())
	}
	slices.SortFunc(all, func(a, b evaluator.Principal) int { return cmp.Compare(a.ARN, b.ARN) })
	return all
}

// Resources returns every resource whose policy was to be collected, by ARN.
func (s *Snapshot) Resources() []evaluator.Resource {
	var all []evaluator.Resource
	for _, arn := range slices.Sorted(maps.Keys(s.resources)) {
		all = append(all, evaluator.Resource{ARN: arn, Account: s.resources[arn].account})
	}
	return all
}

// InOrganization reports whether an account belongs to the collected
// organisation; Unknown if it isn't known to, and the organisation wasn't collected whole. An account that doesn't
// may still belong to another organisation.
func (s *Snapshot) InOrganization(account string) evaluator.Match {
	switch {
	case s.org == nil || account == "":
		return evaluator.Unknown
	case s.org.members[account] != nil:
		return evaluator.Matched
	case !s.org.complete:
		return evaluator.Unknown
	}
	return evaluator.NoMatch
}
