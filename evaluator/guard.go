package evaluator

import "strings"

// What the explainer says of the things besides policies that grant access to a
// resource: ACLs, KMS grants, access points (sections 8.1 and 8.3).

// resourceAllows is the resource policy's answer as far as it counts: an access point's and its
// bucket's must agree (rule S21), and neither opens an object that is another account's (rule S16).
func (e *explainer) resourceAllows() *byGrade {
	rb := e.o.verdict.resource.allow
	bucket := bucketOf(e.req, e.p)
	if e.p.Resource.Behind != nil {
		ap, behind := rb.any(), e.o.verdict.behind.allow.any()
		for i := range rb {
			rb[i] = min(or(rb[i], e.o.verdict.behind.allow[i]), ap, behind)
		}
	}
	if b := e.p.Resource.Bucket; b != nil {
		owns := b.ownsObject(e.req, &bucket)
		for i := range rb {
			rb[i] = and(rb[i], owns)
		}
	}
	return &rb
}

// foreignObject reports whether the object is another account's than the bucket's (rule S16).
func (e *explainer) foreignObject() bool {
	b, bucket := e.p.Resource.Bucket, bucketOf(e.req, e.p)
	return b != nil && b.ownsObject(e.req, &bucket) == NoMatch
}

// objectOwnerAllows says whether the owner of such an object lets the caller in.
func (e *explainer) objectOwnerAllows() Match {
	b, bucket := e.p.Resource.Bucket, bucketOf(e.req, e.p)
	var x extra
	x.everybody, x.account = b.aclAllows(e.req, bucket.Account)
	return b.objectOwnerAllows(e.req, x)
}

// sharedWithAccount says whether something else than a policy opens the resource to the caller's account.
func (e *explainer) sharedWithAccount() Match {
	m := e.p.Resource.OtherAllow
	if b := e.p.Resource.Bucket; b != nil {
		everybody, account := b.aclAllows(e.req, bucketOf(e.req, e.p).Account)
		m = max(m, everybody, account)
	}
	return m
}

// halfOpen reports whether of an access point's policy and its bucket's one allows the request and the other doesn't.
func (e *explainer) halfOpen() bool {
	ap, bucket := e.o.verdict.resource.allows(), e.o.verdict.behind.allows()
	return e.p.Resource.Behind != nil && ap != bucket && min(ap, bucket) == NoMatch
}

// resourceNote says why a resource layer that seems to allow doesn't; "" if it needs no words.
func (e *explainer) resourceNote() string {
	var notes []string
	if e.foreignObject() {
		owner := "another account"
		if e.p.Resource.Bucket.ObjectOwner != "" {
			owner = "account " + e.p.Resource.Bucket.ObjectOwner
		}
		notes = append(notes, owner+" owns the object: the bucket's policy can't open it, only its ACL can")
	}
	if e.p.Resource.Behind != nil {
		switch {
		case e.o.verdict.behind.allows() == NoMatch && e.o.verdict.resource.allows() != NoMatch:
			notes = append(notes, "the policy of the bucket behind the access point must allow it, too: it may delegate by s3:DataAccessPointAccount")
		case e.o.verdict.resource.allows() == NoMatch && e.o.verdict.behind.allows() != NoMatch:
			notes = append(notes, "the access point's policy must allow it, too")
		}
	}
	if retires(e.req.Action) {
		notes = append(notes, "a grant says who may retire it; no key policy does")
	}
	return strings.Join(notes, "; ")
}

// otherGrants says what would settle whether something besides policies grants the access.
func (e *explainer) otherGrants() []string {
	var all []string
	r := &e.p.Resource
	if r.OtherAllow == Unknown {
		all = append(all, r.OtherNote)
	}
	if note := aclNote(e.req, e.p); note != "" {
		all = append(all, note)
	}
	if m := keyGrantAllows(e.req, &r.Grants, &e.o.verdict); m == Unknown || retires(e.req.Action) {
		all = append(all, grantsNote(e.req, &r.Grants, &e.o.verdict))
	}
	return all
}
