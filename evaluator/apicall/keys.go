package apicall

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

func present(name string, values ...string) evaluator.ContextValue {
	return evaluator.ContextValue{Name: name, State: evaluator.Present, Values: values}
}

// A paramKey is a context key that a parameter of some actions gives (T86).
type paramKey struct {
	actions string // of the one prefix, or * for all
	key     string
	params  []string
}

// paramKeys by prefix, each for the actions that have it (rule S22). If the parameters are recorded and lack it, the key is absent.
var paramKeys = map[string][]paramKey{
	"s3": {
		{"ListBucket ListBucketVersions", "s3:prefix", []string{"prefix"}},
		{"ListBucket ListBucketVersions", "s3:delimiter", []string{"delimiter"}},
		{"ListBucket ListBucketVersions", "s3:max-keys", []string{"max-keys"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-acl", []string{"x-amz-acl"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-grant-read", []string{"x-amz-grant-read"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-grant-write", []string{"x-amz-grant-write"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-grant-read-acp", []string{"x-amz-grant-read-acp"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-grant-write-acp", []string{"x-amz-grant-write-acp"}},
		{"PutObject PutObjectAcl PutObjectVersionAcl CreateBucket PutBucketAcl", "s3:x-amz-grant-full-control", []string{"x-amz-grant-full-control"}},
		{"PutObject", "s3:x-amz-server-side-encryption", []string{"x-amz-server-side-encryption"}},
		{"PutObject", "s3:x-amz-server-side-encryption-aws-kms-key-id", []string{"x-amz-server-side-encryption-aws-kms-key-id"}},
		{"GetObjectVersion GetObjectVersionAcl GetObjectVersionTagging DeleteObjectVersion PutObjectVersionAcl PutObjectVersionTagging DeleteObjectVersionTagging", "s3:VersionId", []string{"versionId"}},
	},
	"sts": {
		{"AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", "sts:RoleSessionName", []string{"roleSessionName"}},
		{"AssumeRole", "sts:ExternalId", []string{"externalId"}},
		{"AssumeRole SetSourceIdentity", "sts:SourceIdentity", []string{"sourceIdentity"}},
	},
	"iam": {
		{"CreateUser CreateRole PutUserPermissionsBoundary PutRolePermissionsBoundary", "iam:PermissionsBoundary", []string{"permissionsBoundary"}},
		{"AttachUserPolicy AttachRolePolicy AttachGroupPolicy DetachUserPolicy DetachRolePolicy DetachGroupPolicy", "iam:PolicyARN", []string{"policyArn"}},
		{"CreateServiceLinkedRole", "iam:AWSServiceName", []string{"aWSServiceName"}},
	},
}

// keys returns the context keys that the call's parameters decide for one of its requests. A key not
// returned is unknown.
func (d *derivation) keys(r *Request) []evaluator.ContextValue {
	var all []evaluator.ContextValue
	prefix, action, _ := strings.Cut(r.Action, ":")
	for _, k := range paramKeys[prefix] {
		if prefix != d.prefix || !slices.Contains(strings.Fields(k.actions), action) {
			continue
		}
		if prefix == "iam" && d.operation != action {
			continue
		}
		v, state := d.params.one(k.params...)
		switch state {
		case given:
			all = append(all, present(k.key, v))
		case notGiven:
			all = append(all, d.missing(k)...)
		}
	}
	all = append(all, d.kmsKeys(prefix, action)...)
	all = append(all, d.ec2Keys(r, prefix, action)...)
	return append(all, d.requestTags(r, prefix)...)
}

// missing makes a key absent that the parameters lack, unless it is one of S3's headers and the
// operation, a part of an upload or a form, may carry it elsewhere.
func (d *derivation) missing(k paramKey) []evaluator.ContextValue {
	if d.prefix == "s3" && strings.HasPrefix(k.key, "s3:x-amz-") && d.operation != "PutObject" && d.operation != "CopyObject" &&
		d.operation != "CreateMultipartUpload" && d.operation != "CreateBucket" && !strings.HasSuffix(d.operation, "Acl") {
		return nil
	}
	return []evaluator.ContextValue{{Name: k.key, State: evaluator.Absent}}
}

// puts is the policy that a call puts on a bucket, which CloudTrail records as an object or as text;
// nil if it isn't there whole.
func (d *derivation) puts(r *Request) *policy.Document {
	if r.Action != "s3:PutBucketPolicy" && r.Action != "s3:PutAccessPointPolicy" {
		return nil
	}
	for _, name := range []string{"bucketPolicy", "policy"} {
		nodes, state := d.params.nodes(name)
		if state != given || len(nodes) != 1 {
			continue
		}
		var data []byte
		switch v := nodes[0].(type) {
		case string:
			data = []byte(v)
		case map[string]any:
			data, _ = json.Marshal(v)
		}
		if doc, err := policy.Parse("", data); err == nil {
			return doc
		}
	}
	return nil
}

// kmsKeys: the alias of the request and the encryption context.
func (d *derivation) kmsKeys(prefix, action string) []evaluator.ContextValue {
	if prefix != "kms" || d.prefix != "kms" || !d.params.known {
		return nil
	}
	var all []evaluator.ContextValue
	if id, state := d.params.one("keyId"); state == given && action != "CreateAlias" && action != "UpdateAlias" {
		if at := strings.Index(id, "alias/"); at == 0 || strings.HasPrefix(id, "arn:") && at > 0 && strings.HasSuffix(id[:at], ":") {
			all = append(all, present("kms:RequestAlias", id[at:]))
		} else {
			all = append(all, evaluator.ContextValue{Name: "kms:RequestAlias", State: evaluator.Absent})
		}
	}
	nodes, state := d.params.nodes("encryptionContext")
	if state != given || len(nodes) != 1 {
		return all
	}
	m, ok := nodes[0].(map[string]any)
	if !ok || len(m) > maxKeys {
		return all
	}
	names := slices.Sorted(maps.Keys(m))
	pairs := make(map[string]*string, len(m))
	for _, name := range names {
		pairs[name] = nil
		if v, ok := text(m[name]); ok {
			pairs[name] = &v
		}
	}
	all = append(all, evaluator.TagValues("kms:EncryptionContext:", pairs)...) // whose keys collide as those of tags do
	if len(names) > 0 {
		all = append(all, present("kms:EncryptionContextKeys", names...))
	}
	return all
}

// ec2Keys: the region of every EC2 call, and an instance's type.
func (d *derivation) ec2Keys(r *Request, prefix, action string) []evaluator.ContextValue {
	if prefix != "ec2" || d.prefix != "ec2" {
		return nil
	}
	var all []evaluator.ContextValue
	if d.region != "*" {
		all = append(all, present("ec2:Region", d.region))
	}
	if action == "RunInstances" && strings.Contains(r.Resource.ARN, ":instance/") {
		if v, state := d.params.one("instanceType"); state == given {
			all = append(all, present("ec2:InstanceType", v))
		}
	}
	return all
}

// tagLists are where calls keep the tags that they send: lists of key and value, or objects.
var tagLists = []string{"tags", "tagSet.items"}

// requestTags are aws:RequestTag/* and aws:TagKeys. They are known to be absent only for a
// call that names no tags in any of the places where calls do (T86).
func (d *derivation) requestTags(r *Request, prefix string) []evaluator.ContextValue {
	if !d.params.known || prefix != d.prefix {
		return nil
	}
	var nodes []any
	for _, path := range tagLists {
		found, state := d.params.nodes(path)
		if state == notKnown {
			return nil
		}
		nodes = append(nodes, found...)
	}
	if d.gives("launchTemplate") {
		return nil // whose own tags count, too
	}
	specified, state := d.params.nodes("tagSpecificationSet.items")
	if state == notGiven {
		specified, state = d.params.nodes("tagSpecification")
	}
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
	if len(nodes) == 0 {
		if len(specified) == 0 && !sendsNoTags(d.operation) || d.mentionsTags() && len(specified) == 0 {
			return nil
		}
		return []evaluator.ContextValue{{Name: "aws:TagKeys", State: evaluator.Absent}}
	}
	tags, ok := readTags(nodes)
	if !ok {
		return nil
	}
	return append(evaluator.TagValues("aws:RequestTag/", tags), present("aws:TagKeys", slices.Sorted(maps.Keys(tags))...))
}

// sendsNoTags reports whether an operation is one that takes tags in a place known here, or none:
// all but those about tags themselves, whose lists have many names.
func sendsNoTags(operation string) bool { return !strings.Contains(operation, "Tag") }

// mentionsTags reports whether any parameter's name, however deep, speaks of tags.
func (d *derivation) mentionsTags() bool {
	budget := 10 * maxValues
	return mentions(d.params.root, &budget)
}

func mentions(v any, budget *int) bool {
	if *budget--; *budget < 0 {
		return true // too big to tell
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if strings.Contains(strings.ToLower(name), "tag") || mentions(member, budget) {
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
			if !ok {
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
