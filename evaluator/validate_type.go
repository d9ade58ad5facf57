package evaluator

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A DocumentType is what a policy document is to be saved as.
type DocumentType string

// The types of policy documents.
const (
	DocumentIdentity    DocumentType = "identity" // a customer managed policy
	DocumentUserInline  DocumentType = "user-inline"
	DocumentGroupInline DocumentType = "group-inline"
	DocumentRoleInline  DocumentType = "role-inline"
	DocumentBoundary    DocumentType = "boundary"
	DocumentSession     DocumentType = "session"
	DocumentSCP         DocumentType = "scp"
	DocumentRCP         DocumentType = "rcp"
	DocumentTrust       DocumentType = "trust"
	DocumentEndpoint    DocumentType = "endpoint"
	DocumentBucket      DocumentType = "bucket"
	DocumentKey         DocumentType = "key"
	DocumentQueue       DocumentType = "queue"
	DocumentTopic       DocumentType = "topic"
	DocumentFunction    DocumentType = "function"
	DocumentSecret      DocumentType = "secret"
	DocumentRepository  DocumentType = "repository"
	DocumentTable       DocumentType = "table"
	DocumentResource    DocumentType = "resource" // any other resource-based policy
)

// A need says whether a type of policy has an element.
type need int8

const (
	mayHave need = iota
	mustHave
	mustNotHave
	onlyInDeny // with Effect Deny only
)

// typeRules are what holds for one type of policy: tables 1.1 and 1.2.
type typeRules struct {
	typ  DocumentType
	word string // "a role trust policy"
	// The size limit, and what of the text counts.
	limit  int
	counts counting
	// principal stands for Principal or NotPrincipal, resource for Resource or NotResource.
	principal, notPrincipal, notAction, resource need
	version                                      need
	// iam says that IAM stores the document: its rules on Sids, characters and ARNs hold.
	iam bool
	// grants says that an Allow gives access; boundaries, SCPs, RCPs and endpoint policies only limit it.
	grants bool
	// service is the prefix of the only actions that the policy is consulted for; "" for any.
	service string
	// strict says that the service refuses actions of another.
	strict bool
	// grammarRefusal is how AWS words its refusal of what isn't a policy's grammar.
	grammarRefusal string
}

// A counting says what counts against a size limit.
type counting int8

const (
	countVisible    counting = iota // characters but for whitespace
	countCharacters                 // all characters as saved
	countOctets                     // bytes of the document without needless whitespace
)

// documentTypes are all types. Limits in table 1.1, elements in table 1.2:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
var documentTypes = []typeRules{
	{typ: DocumentIdentity, word: "a managed policy", limit: 6144, principal: mustNotHave, resource: mustHave, iam: true, grants: true, grammarRefusal: iamSyntax},
	{typ: DocumentUserInline, word: "a user's inline policy", limit: 2048, principal: mustNotHave, resource: mustHave, iam: true, grants: true, grammarRefusal: iamSyntax},
	{typ: DocumentGroupInline, word: "a group's inline policy", limit: 5120, principal: mustNotHave, resource: mustHave, iam: true, grants: true, grammarRefusal: iamSyntax},
	{typ: DocumentRoleInline, word: "a role's inline policy", limit: 10240, principal: mustNotHave, resource: mustHave, iam: true, grants: true, grammarRefusal: iamSyntax},
	{typ: DocumentBoundary, word: "a permissions boundary", limit: 6144, principal: mustNotHave, resource: mustHave, iam: true, grammarRefusal: iamSyntax},
	{typ: DocumentSession, word: "a session policy", limit: 2048, counts: countCharacters, principal: mustNotHave, resource: mustHave, iam: true, grammarRefusal: malformed},
	{typ: DocumentSCP, word: "an SCP", limit: 5120, counts: countCharacters, version: mustHave, principal: mustNotHave, resource: mustHave, grammarRefusal: orgSyntax},
	{typ: DocumentRCP, word: "an RCP", limit: 5120, counts: countCharacters, version: mustHave, principal: mustHave, notPrincipal: mustNotHave, notAction: mustNotHave, resource: mustHave, grammarRefusal: orgSyntax},
	{typ: DocumentTrust, word: "a role trust policy", limit: 4096, principal: mustHave, notPrincipal: mustNotHave, resource: mustNotHave, iam: true, grants: true, service: "sts", strict: true, grammarRefusal: malformed},
	{typ: DocumentEndpoint, word: "a VPC endpoint policy", limit: 20480, counts: countCharacters, principal: mustHave},
	{typ: DocumentBucket, word: "a bucket policy", limit: 20480, counts: countOctets, principal: mustHave, notPrincipal: onlyInDeny, resource: mustHave, grants: true, service: "s3", strict: true, grammarRefusal: bucketMalformed},
	{typ: DocumentKey, word: "a KMS key policy", limit: 32768, counts: countCharacters, principal: mustHave, resource: mustHave, grants: true, service: "kms", grammarRefusal: kmsSyntax},
	{typ: DocumentQueue, word: "a queue policy", limit: 8192, counts: countCharacters, principal: mustHave, grants: true, service: "sqs", strict: true, grammarRefusal: queueSyntax},
	{typ: DocumentTopic, word: "a topic policy", limit: 30720, counts: countCharacters, principal: mustHave, grants: true, service: "sns", strict: true},
	{typ: DocumentFunction, word: "a function policy", limit: 20480, counts: countCharacters, principal: mustHave, grants: true, service: "lambda"},
	{typ: DocumentSecret, word: "a secret's policy", limit: 20480, counts: countCharacters, principal: mustHave, grants: true, service: "secretsmanager", grammarRefusal: kmsSyntax},
	{typ: DocumentRepository, word: "a repository policy", principal: mustHave, resource: mustNotHave, grants: true, service: "ecr", grammarRefusal: registrySyntax},
	{typ: DocumentTable, word: "a table's policy", limit: 20480, counts: countCharacters, principal: mustHave, grants: true, service: "dynamodb"},
	{typ: DocumentResource, word: "a resource-based policy", grants: true},
}

// DocumentTypes returns the names of all types, as --type takes them.
func DocumentTypes() []DocumentType {
	list := make([]DocumentType, len(documentTypes))
	for i, t := range documentTypes {
		list[i] = t.typ
	}
	return list
}

// rulesOf returns the rules of a type; those of a resource-based policy for one that isn't known.
func rulesOf(typ DocumentType) *typeRules {
	for i := range documentTypes {
		if documentTypes[i].typ == typ {
			return &documentTypes[i]
		}
	}
	return &documentTypes[len(documentTypes)-1]
}

// isResource reports whether the type is a resource's policy other than a role's.
func (r *typeRules) isResource() bool {
	return r.grants && r.principal != mustNotHave && r.typ != DocumentTrust
}

// Word names the type in a sentence, with its article: "a role trust policy".
func (t DocumentType) Word() string { return rulesOf(t).word }

// DetectType says what a document looks like: without principals an identity policy; with
// them a role's trust policy, the policy of one kind of resource where
// nothing else would be written so, or else resource. SCPs, RCPs, boundaries and
// endpoint policies look like others and are never detected.
func DetectType(doc *policy.Document) DocumentType {
	named, resources := false, false
	prefixes, arns := map[string]bool{}, map[string]bool{}
	somebody, trust := false, true // whether a principal other than * is named
	for i := range doc.Statements {
		s := &doc.Statements[i]
		for _, p := range []*policy.Principals{s.Principal, s.NotPrincipal} {
			if p != nil {
				named = true
				somebody = somebody || slices.ContainsFunc(p.Entries, func(e policy.PrincipalEntry) bool { return e.Value.Value != "*" })
			}
		}
		for _, l := range []*policy.List{s.Action, s.NotAction} {
			for _, a := range valuesOf(l) {
				prefix, _, _ := strings.Cut(strings.ToLower(a.Value), ":")
				prefixes[prefix] = true
				trust = trust && trustActions[strings.ToLower(a.Value)]
			}
		}
		for _, l := range []*policy.List{s.Resource, s.NotResource} {
			for _, r := range valuesOf(l) {
				arns[holderOf(r.Value)] = true
			}
			resources = resources || l != nil
		}
	}
	switch {
	case !named:
		return DocumentIdentity
	case trust && !resources:
		return DocumentTrust
	case len(prefixes) != 1:
		return DocumentResource
	}
	for i := range documentTypes {
		t := &documentTypes[i]
		if !t.isResource() || t.service == "" || !prefixes[t.service] {
			continue
		}
		switch {
		case t.typ == DocumentRepository && !resources,
			t.typ == DocumentKey && somebody && len(arns) == 1,
			len(arns) == 1 && namesOne(arns, t.service):
			return t.typ
		}
	}
	return DocumentResource
}

// trustActions are the actions of a role's trust policy, in lower case.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
var trustActions = map[string]bool{
	"sts:assumerole": true, "sts:assumerolewithsaml": true, "sts:assumerolewithwebidentity": true,
	"sts:tagsession": true, "sts:setsourceidentity": true, "sts:setcontext": true,
}

// holderOf is the resource whose policy would name a resource: the bucket of an object.
func holderOf(arn string) string {
	if a, ok := policy.ParseARN(arn); ok && a.Service == "s3" {
		a.Resource, _, _ = strings.Cut(a.Resource, "/")
		return a.String()
	}
	return arn
}

// namesOne reports whether the single ARN is one of a service and has no wildcard.
func namesOne(arns map[string]bool, service string) bool {
	for arn := range arns {
		a, ok := policy.ParseARN(arn)
		return ok && a.Service == service && !strings.ContainsAny(arn, "*?$")
	}
	return false
}

// valuesOf returns the values of a list that may be nil.
func valuesOf(l *policy.List) []policy.Text {
	if l == nil {
		return nil
	}
	return l.Values
}

// isRCPFullAWSAccess reports whether a document says what AWS's own RCP says, the only one that
// allows: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func isRCPFullAWSAccess(doc *policy.Document) bool {
	if len(doc.Statements) != 1 || len(doc.Defects) > 0 {
		return false
	}
	s := &doc.Statements[0]
	star := func(l *policy.List) bool { return l != nil && len(l.Values) == 1 && l.Values[0].Value == "*" }
	return s.Effect == policy.Allow && star(s.Action) && star(s.Resource) && len(s.Condition) == 0 && len(s.Defects) == 0 &&
		s.Principal != nil && len(s.Principal.Entries) == 1 && s.Principal.Entries[0].Value.Value == "*"
}
