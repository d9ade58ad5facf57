package snapshot

import (
	"fmt"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// This file reads what guards or opens a resource besides its policy: Block Public
// Access, Object Ownership and ACLs of buckets, access points, grants of keys. What it
// makes of a request is package evaluator's business.

// blockSettings are the settings of Block Public Access, as S3 spells them.
var blockSettings = []struct {
	name  string
	field func(*evaluator.Bucket) *evaluator.Match
}{
	{"BlockPublicAcls", func(b *evaluator.Bucket) *evaluator.Match { return &b.BlockPublicACLs }},
	{"IgnorePublicAcls", func(b *evaluator.Bucket) *evaluator.Match { return &b.IgnorePublicACLs }},
	{"BlockPublicPolicy", func(b *evaluator.Bucket) *evaluator.Match { return &b.BlockPublicPolicy }},
	{"RestrictPublicBuckets", func(b *evaluator.Bucket) *evaluator.Match { return &b.RestrictPublicBuckets }},
}

// bucket reads what guards a bucket (rules S15 to S17).
func (d *decoder) bucket(n jsontree.Node, name string) *evaluator.Bucket {
	b := &evaluator.Bucket{
		ACLsEnabled: d.aclsEnabled(n),
		BucketACL:   d.acl(n.Get("acl"), "ACL of "+name+"; s3:GetBucketAcl would tell"),
		ObjectACL:   evaluator.ACL{State: evaluator.NotCollected, Missing: "ACLs of objects in " + name + "; s3:GetObjectAcl would tell"},
	}
	if b.ACLsEnabled == evaluator.Unknown {
		b.MissingOwnership = "whether ACLs of " + name + " are on; s3:GetBucketOwnershipControls would tell"
	}
	var permissions []string
	for _, level := range []struct{ member, permission string }{
		{"publicAccessBlock", "s3:GetBucketPublicAccessBlock"},
		{"accountPublicAccessBlock", "s3:GetAccountPublicAccessBlock"},
	} {
		if d.block(n.Get(level.member), b) {
			permissions = append(permissions, level.permission)
		}
	}
	if len(permissions) > 0 {
		b.MissingBlock = "whether S3 Block Public Access guards " + name + "; " + strings.Join(permissions, " and ") + " would tell"
	}
	return b
}

// block adds the settings of one Block Public Access configuration to a bucket's: the effective one is on if any
// is. It reports whether some aren't known. null is no configuration, all off.
func (d *decoder) block(n jsontree.Node, b *evaluator.Bucket) (open bool) {
	for _, s := range blockSettings {
		m := evaluator.Unknown
		switch n.Kind() {
		case jsontree.Null:
			m = evaluator.NoMatch
		case jsontree.Object:
			m = d.setting(n, s.name)
		}
		field := s.field(b)
		*field = max(*field, m)
		open = open || m == evaluator.Unknown
	}
	return open
}

// setting reads one setting, by the name that the API or the command line gives it.
func (d *decoder) setting(n jsontree.Node, name string) evaluator.Match {
	v := n.Get(name)
	if !v.Exists() {
		v = n.Get(strings.ToLower(name[:1]) + name[1:])
	}
	on, ok := v.Bool()
	switch {
	case ok && on:
		return evaluator.Matched
	case ok:
		return evaluator.NoMatch
	case v.Exists() || name == "RestrictPublicBuckets":
		d.note(n, "expected %s, true or false, in a public access block", name)
	}
	return evaluator.Unknown
}

// aclsEnabled reads Object Ownership (rule S15); null is a bucket that never had any, whose ACLs are on.
func (d *decoder) aclsEnabled(n jsontree.Node) evaluator.Match {
	v := n.Get("objectOwnership")
	switch ownership := d.str(n, "objectOwnership"); {
	case v.Kind() == jsontree.Null:
		return evaluator.Matched
	case ownership == "BucketOwnerEnforced":
		return evaluator.NoMatch
	case ownership == "BucketOwnerPreferred" || ownership == "ObjectWriter":
		return evaluator.Matched
	case ownership != "":
		d.note(v, "unknown objectOwnership %q: want BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter", ownership)
	}
	return evaluator.Unknown
}

// acl reads the output of GetBucketAcl (rule S16).
func (d *decoder) acl(n jsontree.Node, missing string) evaluator.ACL {
	lost := evaluator.ACL{State: evaluator.NotCollected, Missing: missing}
	if n.Kind() != jsontree.Object {
		if n.Exists() && n.Kind() != jsontree.Null {
			d.note(n, "expected an object as acl, found %s", n.Kind())
		}
		return lost
	}
	acl := evaluator.ACL{State: evaluator.Applies, Owner: d.str(n.Get("Owner"), "ID")}
	grants, ok := d.list(n, "Grants")
	if !ok || !n.Get("Grants").Exists() {
		acl.State, acl.Missing = lost.State, lost.Missing
	}
	for g := range grants {
		to := g.Get("Grantee")
		grant := evaluator.ACLGrant{Permission: d.str(g, "Permission")}
		for _, name := range []string{"ID", "URI", "EmailAddress"} {
			if grant.Grantee == "" {
				grant.Grantee = d.str(to, name)
			}
		}
		if grant.Grantee == "" || grant.Permission == "" {
			d.note(g, "expected a Grantee and a Permission in a grant of an ACL")
			acl.State, acl.Missing = lost.State, lost.Missing
			continue
		}
		acl.Grants = append(acl.Grants, grant)
	}
	return acl
}

// An accessPoint is what an S3 access point is besides its policy (rule S21).
type accessPoint struct {
	bucket    string          // the bucket's ARN; "" if that isn't known
	account   string          // the bucket's owner; "" likewise
	vpcOrigin evaluator.Match // usable from within a VPC only
	block     evaluator.Bucket
	open      bool // some settings of block aren't known
}

// accessPoint reads the output of s3control's GetAccessPoint.
func (d *decoder) accessPoint(n jsontree.Node, arn policy.ARN) *accessPoint {
	a := &accessPoint{vpcOrigin: evaluator.Unknown, account: d.str(n, "bucketAccountId")}
	if name := d.str(n, "bucket"); name != "" {
		a.bucket = policy.ARN{Partition: arn.Partition, Service: "s3", Resource: name}.String()
	}
	switch d.str(n, "networkOrigin") {
	case "VPC":
		a.vpcOrigin = evaluator.Matched
	case "Internet":
		a.vpcOrigin = evaluator.NoMatch
	}
	a.open = d.block(n.Get("publicAccessBlock"), &a.block)
	return a
}

// keyGrants reads the output of ListGrants (rule S3).
func (d *decoder) keyGrants(n jsontree.Node, key string) evaluator.KeyGrants {
	grants := evaluator.KeyGrants{State: evaluator.Applies}
	lost := func() {
		grants.State, grants.Missing = evaluator.NotCollected, "grants of "+key+"; kms:ListGrants would tell"
	}
	list, ok := d.list(n, "grants")
	if !ok || n.Get("grants").Kind() != jsontree.Array {
		lost()
	}
	for item := range list {
		if g, ok := d.keyGrant(item); ok {
			grants.List = append(grants.List, g)
		} else {
			lost()
		}
	}
	return grants
}

// keyGrant reads one grant; ok is false if it can't be told what it allows.
func (d *decoder) keyGrant(n jsontree.Node) (g evaluator.KeyGrant, ok bool) {
	if n.Kind() != jsontree.Object {
		d.note(n, "expected a grant, found %s", n.Kind())
		return g, false
	}
	either := func(name, other string) string {
		if s := d.str(n, name); s != "" {
			return s
		}
		return d.str(n, other)
	}
	g = evaluator.KeyGrant{
		ID:       d.str(n, "GrantId"),
		Grantee:  either("GranteePrincipal", "GranteeServicePrincipal"),
		Retiring: either("RetiringPrincipal", "RetiringServicePrincipal"),
		Issuer:   d.str(n, "IssuingAccount"),
	}
	g.Operations, ok = d.strings(n, "Operations")
	for c := range n.Get("Constraints").Members() {
		known := false
		switch c.Name {
		case "EncryptionContextEquals":
			g.ContextEquals, known = d.pairs(c.Value, c.Name)
		case "EncryptionContextSubset":
			g.ContextSubset, known = d.pairs(c.Value, c.Name)
		case "SourceArn":
			g.SourceARN, known = c.Value.String()
		}
		if !known && c.Value.Kind() != jsontree.Null {
			d.note(c.Value, "constraint %s of grant %s isn't understood", c.Name, g.ID)
			ok = false
		}
	}
	return g, ok
}

// pairs reads an object of strings.
func (d *decoder) pairs(n jsontree.Node, what string) (map[string]string, bool) {
	if n.Kind() != jsontree.Object {
		return nil, false
	}
	all := make(map[string]string, n.Len())
	for m := range n.Members() {
		s, ok := m.Value.String()
		if !ok {
			d.note(m.Value, "expected a string in %s, found %s", what, m.Value.Kind())
			return nil, false
		}
		all[m.Name] = s
	}
	return all, true
}

// accessPointLayer is the policy of an access point, and the bucket behind it (rule S21).
func (s *Snapshot) accessPointLayer(req *evaluator.Request, k resourceKind, arn policy.ARN, r *resource) evaluator.ResourceLayer {
	l := r.resourceLayer(k.typ, k.permission)
	a := r.accessPoint
	if a == nil || a.bucket == "" {
		missing := []string{fmt.Sprintf("which bucket is behind access point %s; s3:GetAccessPoint would tell", arn)}
		if l.Missing != "" {
			missing = append([]string{l.Missing}, missing...)
		}
		l.State, l.Missing = evaluator.NotCollected, joinMissing(missing)
		return l
	}
	bucket, _ := policy.ParseARN(a.bucket)
	within, _ := policy.ParseARN(req.Resource.ARN)
	what := bucket
	if _, object, ok := strings.Cut(strings.TrimPrefix(within.Resource, "accesspoint/"), "/"); ok {
		what.Resource += "/" + strings.TrimPrefix(object, "object/")
	}
	behind := &evaluator.BucketBehind{ARN: what.String(), Pattern: req.Resource.Pattern, Account: a.account, VPCOrigin: a.vpcOrigin}
	guard := evaluator.Bucket{ACLsEnabled: evaluator.Unknown}
	for _, setting := range blockSettings {
		*setting.field(&guard) = evaluator.Unknown
	}
	if b := s.resources[a.bucket]; b != nil {
		behind.Layer = b.resourceLayer("bucket", "s3:GetBucketPolicy").Layer
		if behind.Account == "" {
			behind.Account = b.account
		}
		if b.bucket != nil {
			guard = *b.bucket
		}
	} else {
		behind.State = evaluator.NotCollected
		behind.Missing = fmt.Sprintf("bucket policy of %s: %s", bucket.Resource, s.whyNoBucket(a))
	}
	for _, setting := range blockSettings {
		*setting.field(&guard) = max(*setting.field(&guard), *setting.field(&a.block))
	}
	if a.open && guard.MissingBlock == "" {
		guard.MissingBlock = "whether S3 Block Public Access guards access point " + shortName(arn) + "; s3:GetAccessPoint would tell"
	}
	l.Behind, l.Bucket = behind, &guard
	return l
}

// whyNoBucket says why the bucket behind an access point isn't in the snapshot. It lies in a region that nobody knows.
func (s *Snapshot) whyNoBucket(a *accessPoint) string {
	permission := "s3:GetBucketPolicy on " + a.bucket
	if name := resourcesPart(a.account, "s3"); s.accounts[a.account] != nil && !s.isOK(name) {
		return s.whyMissingIn(name, "", permission)
	}
	return "it isn't in the snapshot; " + permission + " would tell"
}

// guardOfSome is what guards a bucket that is one of several: known only where it is the same for all.
func guardOfSome(all []*resource) *evaluator.Bucket {
	var guard *evaluator.Bucket
	for _, r := range all {
		b := r.bucket
		if b == nil {
			continue
		}
		if guard == nil {
			one := *b
			guard = &one
			continue
		}
		if guard.ACLsEnabled != b.ACLsEnabled {
			guard.ACLsEnabled = evaluator.Unknown
		}
		if guard.MissingBlock == "" {
			guard.MissingBlock = b.MissingBlock
		}
		for _, s := range blockSettings {
			if field := s.field(guard); *field != *s.field(b) {
				*field = evaluator.Unknown
			}
		}
	}
	if len(all) > 1 && guard != nil {
		const missing = "which bucket is meant, and so its ACL"
		guard.ObjectOwner = ""
		guard.BucketACL = evaluator.ACL{State: evaluator.NotCollected, Missing: missing}
		guard.ObjectACL = guard.BucketACL
	}
	return guard
}

// grantsOfSome are the grants of a key that is one of several.
func grantsOfSome(all []*resource) evaluator.KeyGrants {
	if len(all) == 1 {
		return all[0].grants
	}
	for _, r := range all {
		if r.grants.State == evaluator.NotCollected || len(r.grants.List) > 0 {
			return evaluator.KeyGrants{State: evaluator.NotCollected, Missing: "which key is meant, and so its grants"}
		}
	}
	return evaluator.KeyGrants{}
}
