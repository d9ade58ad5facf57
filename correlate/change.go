package correlate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Change is a call that changed policies, or what they are attached to, and went well.
type Change struct {
	Time    time.Time
	By      string // ARN of who made it, or a service's name; "" if it isn't recorded
	Name    string // eventName
	Policy  string // that was put, attached or taken away: a name, an ARN, an id; "" if none is named besides Target
	Target  string // what was changed, as the call names it: a name, an ARN, an id
	EventID string
}

// maxChanges is how many changes a finding lists, the newest of them.
const maxChanges = 20

// A changing is calls that change policies: where the parameters name what is changed, and how that
// is written so that it can be found (subjectOf).
type changing struct {
	source  string // eventSource
	names   string // eventNames, with blanks between them
	param   string // "" for what concerns the account as a whole
	subject func(e *Event, value string) string
	unless  func(parameters map[string]any) bool // it doesn't change what is in force; nil if it always does
}

// changings are the calls that change what an answer may rest on. Their parameters are those of the API, with a small first
// letter.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
var changings = []changing{
	{"iam.amazonaws.com", "PutRolePolicy DeleteRolePolicy AttachRolePolicy DetachRolePolicy UpdateAssumeRolePolicy PutRolePermissionsBoundary DeleteRolePermissionsBoundary CreateRole DeleteRole TagRole UntagRole", "roleName", entity("role"), nil},
	{"iam.amazonaws.com", "PutUserPolicy DeleteUserPolicy AttachUserPolicy DetachUserPolicy PutUserPermissionsBoundary DeleteUserPermissionsBoundary CreateUser DeleteUser TagUser UntagUser AddUserToGroup RemoveUserFromGroup", "userName", entity("user"), nil},
	{"iam.amazonaws.com", "PutGroupPolicy DeleteGroupPolicy AttachGroupPolicy DetachGroupPolicy DeleteGroup", "groupName", entity("group"), nil},
	{"iam.amazonaws.com", "SetDefaultPolicyVersion DeletePolicy", "policyArn", asGiven, nil},
	{"iam.amazonaws.com", "CreatePolicyVersion", "policyArn", asGiven, notDefault},

	{"organizations.amazonaws.com", "UpdatePolicy DeletePolicy", "policyId", asGiven, nil},
	{"organizations.amazonaws.com", "AttachPolicy DetachPolicy", "targetId", asGiven, nil},
	{"organizations.amazonaws.com", "EnablePolicyType DisablePolicyType", "rootId", moved, nil},
	{"organizations.amazonaws.com", "MoveAccount RemoveAccountFromOrganization", "accountId", moved, nil},
	{"organizations.amazonaws.com", "LeaveOrganization", "", moved, nil},

	{"s3.amazonaws.com", "PutBucketPolicy DeleteBucketPolicy PutBucketAcl PutBucketPublicAccessBlock DeleteBucketPublicAccessBlock PutBucketOwnershipControls DeleteBucketOwnershipControls CreateBucket DeleteBucket", "bucketName", bucketNamed, nil},
	{"s3.amazonaws.com", "PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock", "", func(_ *Event, account string) string { return accountInS3(account) }, nil},
	{"kms.amazonaws.com", "PutKeyPolicy CreateGrant RevokeGrant RetireGrant", "keyId", named("key/"), nil},
	{"lambda.amazonaws.com", "AddPermission20150331v2 RemovePermission20150331v2", "functionName", named("function:"), nil},
	{"sqs.amazonaws.com", "SetQueueAttributes", "queueUrl", queueAt, func(p map[string]any) bool {
		attributes, ok := p["attributes"].(map[string]any)
		return ok && attributes["Policy"] == nil
	}},
	{"sqs.amazonaws.com", "AddPermission RemovePermission", "queueUrl", queueAt, nil},
	{"sns.amazonaws.com", "SetTopicAttributes", "topicArn", asGiven, func(p map[string]any) bool {
		name, ok := p["attributeName"].(string)
		return ok && name != "Policy"
	}},
	{"sns.amazonaws.com", "AddPermission RemovePermission", "topicArn", asGiven, nil},
	{"secretsmanager.amazonaws.com", "PutResourcePolicy DeleteResourcePolicy", "secretId", named("secret:"), nil},
	{"dynamodb.amazonaws.com", "PutResourcePolicy DeleteResourcePolicy", "resourceArn", asGiven, nil},
	{"ecr.amazonaws.com", "SetRepositoryPolicy DeleteRepositoryPolicy", "repositoryName", named("repository/"), nil},
	{"ec2.amazonaws.com", "ModifyVpcEndpoint", "ModifyVpcEndpointRequest.VpcEndpointId", asGiven, nil},
}

// changingBy are the changings by eventSource and eventName.
var changingBy = func() map[[2]string]*changing {
	m := map[[2]string]*changing{}
	for i := range changings {
		for name := range strings.FieldsSeq(changings[i].names) {
			m[[2]string{changings[i].source, name}] = &changings[i]
		}
	}
	return m
}()

// ChangesPolicies reports whether an event is a call that changed policies, and went well.
func ChangesPolicies(e *Event) bool {
	return e.ErrorCode == "" && e.ErrorMessage == "" && changingBy[[2]string{e.Source, e.Name}] != nil
}

// PolicyChanges are the calls that change policies: eventNames by eventSource, both in their order.
func PolicyChanges() map[string][]string {
	m := map[string][]string{}
	for _, key := range slices.SortedFunc(maps.Keys(changingBy), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		m[key[0]] = append(m[key[0]], key[1])
	}
	return m
}

// changeOf returns the change that an event made, and what it touched; none if it made none.
func changeOf(e *Event) (c Change, subjects []string) {
	if !ChangesPolicies(e) || e.Time.IsZero() {
		return Change{}, nil
	}
	row := changingBy[[2]string{e.Source, e.Name}]
	parameters := decodeParameters(e.RequestParameters)
	if row.unless != nil && parameters != nil && row.unless(parameters) {
		return Change{}, nil
	}
	by := strings.Clone(cmp.Or(e.Identity.ARN, e.Identity.InvokedBy, e.Identity.PrincipalID)) // the event isn't kept
	c = Change{Time: e.Time, By: by, Name: strings.Clone(e.Name), EventID: e.ID}
	c.Target = parameterAt(parameters, row.param)
	if row.param == "" {
		c.Target = strings.Clone(e.RecipientAccount)
	}
	if c.Target != "" {
		subjects = append(subjects, row.subject(e, c.Target))
	}
	for _, param := range []string{"policyArn", "policyId", "policyName"} {
		if id := parameterAt(parameters, param); id != "" && c.Target != "" && param != row.param {
			c.Policy = id
			subjects = append(subjects, attachment(id, c.Target))
			break
		}
	}
	if e.Source != "iam.amazonaws.com" && e.Source != "organizations.amazonaws.com" {
		for _, r := range e.Resources {
			arn := strings.Clone(r.ARN)
			if s := subjectOf(arn); arn != "" && !slices.Contains(subjects, s) {
				c.Target = cmp.Or(c.Target, arn)
				subjects = append(subjects, s)
			}
		}
	}
	return c, subjects
}

// parameterAt returns a parameter that is a text; a dot leads into an object.
func parameterAt(parameters map[string]any, path string) string {
	outer, inner, nested := strings.Cut(path, ".")
	if nested {
		below, _ := parameters[outer].(map[string]any)
		return parameterAt(below, inner)
	}
	s, _ := parameters[outer].(string)
	return s
}

// notDefault reports whether a new version of a policy isn't put in force.
func notDefault(p map[string]any) bool {
	return p["setAsDefault"] != true && p["setAsDefault"] != "true"
}

// subjectOf writes an ARN or an id so that what is the same is written the same: roles, users and groups without their path,
// which calls don't name; sessions as their role; policies of an organisation as their id; objects as their bucket.
func subjectOf(s string) string {
	a, ok := splitARN(s)
	if !ok {
		return s
	}
	switch kind := a.kind(); {
	case a.service == "organizations" && kind == "policy":
		return a.lastName()
	case a.service == "sts" && kind == "assumed-role":
		role, _, _ := strings.Cut(strings.TrimPrefix(a.resource, "assumed-role/"), "/")
		return "iam::" + a.account + ":role/" + role
	case a.service == "iam" && (kind == "role" || kind == "user" || kind == "group"):
		return "iam::" + a.account + ":" + kind + "/" + a.lastName()
	case a.service == "s3" && a.account == "":
		bucket, _, _ := strings.Cut(a.resource, "/")
		return "s3:::" + bucket
	case a.service == "secretsmanager": // without the six random characters
		if i := len(a.resource) - len("-abcdef"); i > 0 && a.resource[i] == '-' {
			a.resource = a.resource[:i]
		}
	case a.service == "lambda" && kind == "function": // without a version or alias
		if parts := strings.SplitN(a.resource, ":", 3); len(parts) == 3 {
			a.resource = parts[0] + ":" + parts[1]
		}
	}
	return a.service + ":" + a.region + ":" + a.account + ":" + a.resource
}

func asGiven(_ *Event, value string) string { return subjectOf(value) }

// entity is a role, user or group by its name.
func entity(kind string) func(*Event, string) string {
	return func(e *Event, name string) string { return "iam::" + e.RecipientAccount + ":" + kind + "/" + name }
}

// moved is the place of an account in its organisation, or what policies a root may have.
func moved(_ *Event, id string) string { return placeOfAccount(id) }

func placeOfAccount(id string) string { return "place of " + id }

// attachment is a policy of an organisation on one of its targets.
func attachment(id, target string) string { return id + " on " + target }

func bucketNamed(_ *Event, name string) string { return "s3:::" + name }

// accountInS3 is an account's settings for all its buckets; subjectOf leaves it as it is.
func accountInS3(account string) string { return "s3 of " + account }

// named is a resource of the event's region and account by its ARN or by its name, which stands behind prefix in the ARN.
func named(prefix string) func(*Event, string) string {
	return func(e *Event, value string) string {
		if _, ok := splitARN(value); ok {
			return subjectOf(value)
		}
		service, _, _ := strings.Cut(e.Source, ".")
		return service + ":" + e.Region + ":" + e.RecipientAccount + ":" + prefix + value
	}
}

// queueAt is a queue by its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.
func queueAt(e *Event, url string) string {
	rest, name := "", url
	if i := strings.LastIndexByte(url, '/'); i >= 0 {
		rest, name = url[:i], url[i+1:]
	}
	return "sqs:" + e.Region + ":" + rest[strings.LastIndexByte(rest, '/')+1:] + ":" + name
}

// A learned is a change, and what its copies have in common: those that were delivered twice (rule T100), or to
// two accounts (rule T104).
type learned struct {
	made                     sighting
	by, name, policy, target string
	copies                   string // "" for the event's id
}

func (x *Explainer) change(l *learned) Change {
	return Change{Time: l.made.at(), By: l.by, Name: l.name, Policy: l.policy, Target: l.target, EventID: x.sightings.id(l.made)}
}

// learnChange keeps a change for the findings that it may concern.
func (x *Explainer) learnChange(e *Event) {
	c, subjects := changeOf(e)
	if len(subjects) == 0 {
		return
	}
	l := &learned{made: x.sightings.of(e), by: x.texts.one(c.By), name: x.texts.one(c.Name), policy: x.texts.one(c.Policy), target: x.texts.one(c.Target)}
	if copies := cmp.Or(e.SharedID, e.DeliveryID(), e.Name+" "+e.Time.String()); copies != e.ID {
		l.copies = copies
	}
	for _, s := range subjects {
		s = x.texts.one(s)
		x.changes[s] = append(x.changes[s], l)
	}
}

// subjectsOf are what an answer rests on: the caller, the layers that block it and, where the answer is none or AWS's
// is another, all layers. Of a layer that blocks by a Deny those policies count that deny.
func subjectsOf(f *Finding, p *evaluator.Policies) subjects {
	s := subjects{}
	who := &f.Request.Principal
	s.add(who.ARN, who.RoleARN, who.ParentARN, f.PolicyARN)
	wide := f.Disagreement != nil || f.Decision == evaluator.Indeterminate
	whole := map[evaluator.LayerName]bool{evaluator.LayerName(f.Layer): true}
	denying := map[evaluator.LayerName][]*evaluator.Policy{}
	for i := range f.Blockers {
		if b := &f.Blockers[i]; b.Kind == evaluator.KindExplicitDeny && b.Policy != nil {
			denying[b.Layer] = append(denying[b.Layer], b.Policy)
			if string(b.Layer) == f.Layer {
				delete(whole, b.Layer)
			}
		}
	}
	for _, b := range f.Blockers {
		if b.Kind != evaluator.KindExplicitDeny {
			whole[b.Layer] = true
		}
	}
	layer := func(name evaluator.LayerName, l *evaluator.Layer, of ...string) {
		switch {
		case wide || whole[name]:
			s.add(of...)
			for i := range l.Policies {
				s.add(l.Policies[i].ARN, l.Policies[i].Target)
			}
		case len(denying[name]) > 0:
			s.add(of...)
			for _, d := range denying[name] {
				s.add(d.ARN, d.Target)
			}
		}
	}
	layer(evaluator.LayerIdentity, &p.Identity)
	layer(evaluator.LayerBoundary, &p.Boundary)
	layer(evaluator.LayerSession, &p.Session)
	layer(evaluator.LayerEndpoint, &p.Endpoint.Layer, p.Endpoint.ID)
	for _, name := range []evaluator.LayerName{evaluator.LayerResource, evaluator.LayerService} {
		layer(name, &p.Resource.Layer, resourcesOf(&f.Request)...)
		if b := p.Resource.Behind; b != nil {
			layer(name, &b.Layer, b.ARN)
		}
	}
	hierarchy := func(name evaluator.LayerName, h *evaluator.Hierarchy) {
		all := wide || whole[name]
		if !all && len(denying[name]) == 0 {
			return
		}
		for i := range h.Levels {
			l := &h.Levels[i]
			s[placeOfAccount(l.Target)] = true
			if all {
				s.add(l.Target)
				for j := range l.Policies {
					s.add(l.Policies[j].ARN)
				}
			}
			for _, d := range denying[name] {
				s.add(d.ARN)
				s[attachment(subjectOf(d.ARN), l.Target)] = true
			}
		}
	}
	hierarchy(evaluator.LayerSCP, &p.SCP)
	hierarchy(evaluator.LayerRCP, &p.RCP)
	return s
}

// resourcesOf are a request's resource, and what has settings for it.
func resourcesOf(r *Request) []string {
	if r.Resource.Pattern {
		return nil
	}
	of := []string{r.Resource.ARN}
	if a, ok := splitARN(r.Resource.ARN); ok && a.service == "s3" && r.Resource.Account != "" {
		of = append(of, accountInS3(r.Resource.Account))
	}
	return of
}

// subjects are what changes may touch, as subjectOf writes it.
type subjects map[string]bool

func (s subjects) add(values ...string) {
	for _, v := range values {
		if v != "" && v != "*" {
			s[subjectOf(v)] = true
		}
	}
}

// changed lists the changes between a finding's policies and its calls, whichever are older, and between its calls.
func (x *Explainer) changed(f *Finding, on *resting) {
	if on.collectedAt.IsZero() {
		return
	}
	first, last := on.collectedAt, on.collectedAt
	switch {
	case f.FirstSeen.IsZero(): // what happened since is all that can be said
		last = time.Time{}
	case f.FirstSeen.Before(first):
		first = f.FirstSeen
	}
	if !last.IsZero() && f.LastSeen.After(last) {
		last = f.LastSeen
	}
	if e := f.Era; e != nil && e.Changed { // and what made the difference
		if e.Begin.Before(first) {
			first = e.Begin
		}
		if e.End.After(last) && !last.IsZero() {
			last = e.End
		}
	}
	found := map[string]Change{} // one may touch several
	for _, s := range on.subjects {
		for _, l := range x.changes[s] {
			if at := l.made.at(); at.Before(first) || !last.IsZero() && at.After(last) {
				continue
			}
			c := x.change(l)
			copies := cmp.Or(l.copies, c.EventID)
			if other, ok := found[copies]; !ok || c.EventID < other.EventID {
				found[copies] = c
			}
		}
	}
	f.Changes = slices.SortedFunc(maps.Values(found), func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.By, b.By))
	})
	if more := len(f.Changes) - maxChanges; more > 0 {
		f.Changes = f.Changes[more:]
		f.note(fmt.Sprintf("older changes of these policies that aren't listed: %d", more))
	}
}
