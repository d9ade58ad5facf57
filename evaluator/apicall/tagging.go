package apicall

import (
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// A tagOnCreate is the action that a service checks, too, if a call tags what it creates.
type tagOnCreate struct {
	operations string // of one service; a * at the end stands for any rest
	action     string
	itself     bool // what is tagged is what the operation is on; without, it is what its name says that it creates
	createKey  bool // the request has the service's CreateAction key: the operation that tags
	perhaps    bool // a setting of the account decides, or no page of AWS's says so for certain
}

// tagsOnCreate are those that the service reference doesn't have as dependent actions; the others are byReference's.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.Operations.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
// https://docs.aws.amazon.com/efs/latest/ug/supported-iam-actions-tagging.html
var tagsOnCreate = []tagOnCreate{
	{operations: "secretsmanager:CreateSecret", action: "secretsmanager:TagResource"},
	{operations: "sqs:CreateQueue", action: "sqs:TagQueue"},
	{operations: "sns:CreateTopic", action: "sns:TagResource"},
	{operations: "dynamodb:CreateTable", action: "dynamodb:TagResource"},
	{operations: "lambda:CreateFunction", action: "lambda:TagResource"},
	{operations: "states:CreateStateMachine CreateActivity", action: "states:TagResource", perhaps: true},
	{operations: "iam:CreateUser", action: "iam:TagUser", perhaps: true},
	{operations: "iam:CreateRole", action: "iam:TagRole", perhaps: true},
	{operations: "iam:CreatePolicy", action: "iam:TagPolicy", perhaps: true},
	{operations: "iam:CreateInstanceProfile", action: "iam:TagInstanceProfile", perhaps: true},
	{operations: "iam:CreateOpenIDConnectProvider", action: "iam:TagOpenIDConnectProvider", perhaps: true},
	{operations: "iam:CreateSAMLProvider", action: "iam:TagSAMLProvider", perhaps: true},
	{operations: "ssm:PutParameter", action: "ssm:AddTagsToResource", itself: true, perhaps: true},
	{operations: "ssm:CreateDocument", action: "ssm:AddTagsToResource", perhaps: true},
	{operations: "cloudwatch:PutMetricAlarm PutCompositeAlarm", action: "cloudwatch:TagResource", itself: true, perhaps: true},
	{operations: "events:PutRule", action: "events:TagResource", itself: true, perhaps: true},
	{operations: "events:CreateEventBus", action: "events:TagResource", perhaps: true},
	{operations: "elasticloadbalancing:Create*", action: "elasticloadbalancing:AddTags", createKey: true},
	{operations: "elasticfilesystem:CreateFileSystem CreateAccessPoint", action: "elasticfilesystem:TagResource", createKey: true},
	{operations: "organizations:CreateAccount CreateOrganizationalUnit CreatePolicy InviteAccountToOrganization", action: "organizations:TagResource", perhaps: true},
	{operations: "eks:Create*", action: "eks:TagResource", perhaps: true},
	{operations: "ecs:Create* RunTask StartTask RegisterTaskDefinition", action: "ecs:TagResource", createKey: true, perhaps: true},
	{operations: "cloudformation:CreateStack UpdateStack CreateChangeSet CreateStackSet", action: "cloudformation:TagResource", createKey: true, perhaps: true},
	{operations: "logs:CreateLogGroup", action: "logs:TagResource", perhaps: true},
	{operations: "acm:RequestCertificate ImportCertificate", action: "acm:AddTagsToCertificate", perhaps: true},
	{operations: "autoscaling:CreateAutoScalingGroup", action: "autoscaling:CreateOrUpdateTags", perhaps: true},
	{operations: "backup:CreateBackupVault CreateBackupPlan", action: "backup:TagResource", perhaps: true},
	{operations: "batch:Create* RegisterJobDefinition SubmitJob", action: "batch:TagResource", perhaps: true},
	{operations: "glue:Create*", action: "glue:TagResource", perhaps: true},
	{operations: "redshift:CreateCluster", action: "redshift:CreateTags", perhaps: true},
}

// tagging are the requests for the tags that a call puts on what it creates.
func (d *derivation) tagging(own []Request) []Request {
	if d.prefix == "ec2" {
		return d.createTags()
	}
	var all []Request
	for _, t := range tagsOnCreate {
		if !t.of(d) {
			continue
		}
		sent := d.sentTags()
		if sent == notGiven {
			continue
		}
		on := []evaluator.Resource{own[0].Resource}
		if !t.itself {
			on = d.made(own)
		}
		for _, r := range d.on(t.action, FromTable, sent == given && !t.perhaps, on) {
			if t.createKey {
				r.Context = []evaluator.ContextValue{present(d.prefix+":CreateAction", d.operation)}
			}
			all = append(all, r)
		}
	}
	return all
}

func (t *tagOnCreate) of(d *derivation) bool {
	service, operations, _ := strings.Cut(t.operations, ":")
	if service != d.prefix {
		return false
	}
	for o := range strings.FieldsSeq(operations) {
		if start, any := strings.CutSuffix(o, "*"); o == d.operation || any && strings.HasPrefix(d.operation, start) {
			return true
		}
	}
	return false
}

// createTags is needed by every EC2 call that tags what it creates.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
func (d *derivation) createTags() []Request {
	specified, state := d.specified()
	if state != given {
		return nil
	}
	var all []Request
	seen := map[string]bool{}
	for _, n := range specified {
		spec, ok := n.(map[string]any)
		if !ok {
			continue
		}
		t, state := (params{known: true, root: spec}).one("resourceType")
		if state != given || seen[t] || !nameLike(t) {
			continue
		}
		seen[t] = true
		account := d.account
		if t == "image" || t == "snapshot" {
			account = ""
		}
		r := d.pattern("ec2:" + d.region + ":" + account + ":" + t + "/*")
		for _, req := range d.on("ec2:CreateTags", FromTable, true, []evaluator.Resource{r}) {
			req.Context = []evaluator.ContextValue{present("ec2:CreateAction", d.operation)}
			all = append(all, req)
		}
	}
	return all
}

// specified are the tag specifications of a call to EC2, of a resource type each, as the API or CloudTrail has them.
func (d *derivation) specified() ([]any, presence) {
	if d.params.known && !d.namesTags() {
		return nil, notGiven
	}
	for _, path := range []string{"tagSpecificationSet.items", "tagSpecification", "tagSpecifications"} {
		if found, state := d.params.nodes(path); state != notGiven {
			return found, state
		}
	}
	return nil, notGiven
}

// tagLists are where calls keep the tags that they send: lists of key and value, or objects.
var tagLists = []string{"tags", "tagSet.items", "tagList", "tagsList", "resourceTags", "tagsToAdd", "backupVaultTags",
	"backupPlanTags", "recoveryPointTags", "userPoolTags", "identityPoolTags"}

// untagLists are where calls keep the names of the tags that they take away.
var untagLists = []string{"tagKeys", "tagKeyList", "resourceTagKeys", "tagsToRemove"}

// tagNodes are what stands in the places for tags; notKnown if one of them is hidden.
func (d *derivation) tagNodes() ([]any, presence) {
	if d.params.known && !d.namesTags() {
		return nil, notGiven
	}
	var nodes []any
	lists := tagLists
	if d.prefix == "sts" {
		lists = []string{"tags", "principalTags"} // of a SAML assertion
	}
	for _, path := range lists {
		found, state := d.params.nodes(path)
		if state == notKnown {
			return nil, notKnown
		}
		nodes = append(nodes, found...)
	}
	if len(nodes) == 0 {
		return nil, notGiven
	}
	return nodes, given
}

// namesTags reports whether a parameter's name speaks of tags.
func (d *derivation) namesTags() bool {
	for name := range d.params.root {
		if speaksOfTags(name) {
			return true
		}
	}
	return false
}

// sentTags says whether a call sends tags: not if no parameter of it, however deep, speaks of any.
func (d *derivation) sentTags() presence {
	_, state := d.tagNodes()
	if state == notGiven && d.mentionsTags() {
		return notKnown
	}
	return state
}

// tagKeyNames says which of the keys about tags the requests for an action may have, by the service reference: the
// tags that are sent, and the list of their names. Of an action that it doesn't know, both.
func tagKeyNames(action string) (tags, names bool) {
	service, a, ok := referenceAction(action)
	if !ok {
		return true, true
	}
	tags = hasKey(service, a, func(k string) bool { return strings.HasPrefix(k, "aws:RequestTag/") })
	return tags, hasKey(service, a, func(k string) bool { return k == "aws:TagKeys" })
}

// hasKey reports whether the service reference has a key for an action or one of its resource types.
func hasKey(service *serviceref.Service, a *serviceref.Action, is func(string) bool) bool {
	if slices.ContainsFunc(a.Keys, is) {
		return true
	}
	for _, on := range a.Resources {
		if slices.ContainsFunc(on.Keys, is) {
			return true
		}
		if t, ok := service.ResourceType(on.Type); ok && slices.ContainsFunc(t.Keys, is) {
			return true
		}
	}
	return false
}

// isTagging reports whether an action is one about tags.
func isTagging(action string) bool {
	_, a, ok := referenceAction(action)
	return ok && a.AccessLevel == serviceref.Tagging
}

// requestTags are aws:RequestTag/* and aws:TagKeys. They are known to be absent only for a
// call that names no tags in any of the places where calls do (T86).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
func (d *derivation) requestTags(r *Request, prefix string) []evaluator.ContextValue {
	if !d.params.known || prefix != d.prefix || r.ActionSource == FromReference && !isTagging(r.Action) {
		return nil
	}
	if d.gives("launchTemplate") {
		return nil // whose own tags count, too
	}
	nodes, state := d.tagNodes()
	if state == notKnown {
		return nil
	}
	specified, state := d.specified()
	if state == notKnown {
		return nil
	}
	if len(specified) > 0 && r.Resource.ARN == "*" {
		return nil // whether they are for this resource can't be told
	}
	for _, n := range specified {
		spec, ok := n.(map[string]any)
		if !ok {
			return nil
		}
		p := params{known: true, root: spec}
		kind, state := p.one("resourceType")
		if state != given {
			return nil
		}
		if strings.Contains(r.Resource.ARN, ":"+kind+"/") {
			found, state := p.nodes("tags")
			if state == notGiven {
				found, state = p.nodes("Tag") // beside a "tag" that counts
			}
			if state == notKnown {
				return nil
			}
			nodes = append(nodes, found...)
		}
	}
	switch {
	case len(nodes) > 0:
		return d.sentTagKeys(r, nodes)
	case speaksOfTags(d.operation): // whose lists have many names
		return d.untagged(r)
	case len(specified) == 0 && d.mentionsTags(), d.prefix == "sts" && d.handsOn():
		return nil
	}
	return []evaluator.ContextValue{{Name: "aws:TagKeys", State: evaluator.Absent}}
}

// sentTagKeys are the keys of the tags that a call sends.
func (d *derivation) sentTagKeys(r *Request, nodes []any) []evaluator.ContextValue {
	tags, ok := readTags(nodes)
	if !ok {
		return nil
	}
	hasTags, hasNames := tagKeyNames(r.Action)
	var all []evaluator.ContextValue
	if hasTags {
		all = evaluator.TagValues("aws:RequestTag/", tags)
	}
	if hasNames {
		names := present("aws:TagKeys", slices.Sorted(maps.Keys(tags))...)
		if d.prefix == "sts" && d.handsOn() {
			names.State = evaluator.Partial
		}
		all = append(all, names)
	}
	return all
}

// untagged are the keys of the tags that a call takes away: aws:TagKeys lists them. Whether a service makes
// aws:RequestTag of them isn't documented.
func (d *derivation) untagged(r *Request) []evaluator.ContextValue {
	if _, names := tagKeyNames(r.Action); !names {
		return nil
	}
	for _, path := range untagLists {
		names, state := d.params.values(path)
		if state == notGiven {
			continue
		}
		if state != given {
			return nil
		}
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		all := []evaluator.ContextValue{present("aws:TagKeys", names...)}
		folded := map[string]bool{}
		for _, name := range names {
			if lower := strings.ToLower(name); !folded[lower] { // rule C3
				folded[lower] = true
				all = append(all, evaluator.ContextValue{Name: "aws:RequestTag/" + name, State: evaluator.UnknownKey})
			}
		}
		return all
	}
	return nil
}

// mentionsTags reports whether any parameter's name, however deep, speaks of tags.
func (d *derivation) mentionsTags() bool {
	budget := 10 * maxValues
	return mentions(d.params.root, &budget)
}

// notTags are the words with the letters of "tag" that say nothing of tags.
var notTags = strings.NewReplacer("stage", "", "staging", "", "percentage", "", "advantage", "")

func speaksOfTags(name string) bool {
	for i := range len(name) - len("tag") + 1 { // most names don't have the letters
		if name[i]|0x20 == 't' && strings.EqualFold(name[i:i+len("tag")], "tag") {
			return strings.Contains(notTags.Replace(strings.ToLower(name)), "tag")
		}
	}
	return false
}

func mentions(v any, budget *int) bool {
	if *budget--; *budget < 0 {
		return true // too big to tell
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if speaksOfTags(name) || mentions(member, budget) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if mentions(item, budget) {
				return true
			}
		}
	}
	return false
}

// readTags reads lists of {key, value} and objects; false if some of it can't be read.
func readTags(nodes []any) (map[string]*string, bool) {
	tags := map[string]*string{}
	for _, n := range nodes {
		m, ok := n.(map[string]any)
		if !ok || len(tags) > maxKeys {
			return nil, false
		}
		if key, ok := lookup(m, "tagKey"); ok { // as KMS writes them
			value, _ := lookup(m, "tagValue")
			m = map[string]any{"key": key, "value": value}
		}
		if key, ok := lookup(m, "key"); ok {
			name, ok := text(key)
			if !ok {
				return nil, false
			}
			tags[name] = nil
			if v, ok := lookup(m, "value"); ok {
				if s, ok := v.(string); ok && (s == "" || !hidden(s)) {
					tags[name] = &s
				}
			}
			continue
		}
		for name, v := range m {
			s, ok := v.(string)
			if !ok || hidden(name) {
				return nil, false
			}
			tags[name] = nil
			if s == "" || !hidden(s) {
				tags[name] = &s
			}
		}
	}
	return tags, len(tags) > 0
}
