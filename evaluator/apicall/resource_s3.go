package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// S3, rows 1 and 2 of T82.

// bucketARN returns the ARN of a bucket, or of the access point given in its place; false if
// the name doesn't tell, as an access point's alias doesn't.
func (d *derivation) bucketARN(name string) (string, bool) {
	switch {
	case strings.HasPrefix(name, "arn:"):
		a, ok := policy.ParseARN(name)
		return name, ok && (a.Service == "s3" || a.Service == "s3-outposts" || a.Service == "s3-object-lambda") && a.Resource != ""
	case name == "" || strings.ContainsAny(name, "/:*?"):
		return "", false
	case strings.HasSuffix(name, "--x-s3"):
		if d.owner == "" || d.region == "*" {
			return "", false
		}
		return "arn:" + d.partition + ":s3express:" + d.region + ":" + d.account + ":bucket/" + name, true
	case strings.HasSuffix(name, "-s3alias"), strings.HasSuffix(name, "--ol-s3"), strings.HasSuffix(name, "--op-s3"), strings.HasSuffix(name, "--xa-s3"):
		return "", false
	}
	return "arn:" + d.partition + ":s3:::" + name, true
}

// aliased finds the access point that an alias stands for. IAM sees the access point's ARN, which the alias doesn't tell, and
// not the bucket's, though the event records the bucket as well. object is what follows the access point.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
func (d *derivation) aliased(name, object string) ([]evaluator.Resource, bool) {
	if !strings.HasSuffix(name, "-s3alias") {
		return nil, false
	}
	return []evaluator.Resource{d.pattern("s3:*:*:accesspoint/*" + object)}, true
}

// onOutposts finds what the alias of an access point on Outposts stands for, which the name of no bucket is.
//
// https://docs.aws.amazon.com/AmazonS3/latest/s3-outposts/s3-outposts-access-points-alias.html
func (d *derivation) onOutposts() ([]evaluator.Resource, bool) {
	name, state := d.params.one("bucketName", "bucket")
	if d.prefix != "s3-outposts" || state != given || !strings.HasSuffix(name, "--op-s3") {
		return nil, false
	}
	return []evaluator.Resource{d.pattern("s3-outposts:" + d.region + ":*:outpost/*")}, true
}

func s3Bucket(d *derivation) []evaluator.Resource {
	if name, state := d.params.one("bucketName", "bucket"); state == given {
		if b, ok := d.bucketARN(name); ok {
			return []evaluator.Resource{{ARN: b}}
		}
		if point, ok := d.aliased(name, ""); ok {
			return point
		}
	}
	if one := d.onlyRecorded(false); one != "" {
		return []evaluator.Resource{{ARN: one}}
	}
	return []evaluator.Resource{d.pattern("s3*:*:*:*")}
}

func s3Object(d *derivation) []evaluator.Resource {
	if name, state := d.params.one("bucketName", "bucket"); state == given {
		if b, ok := d.bucketARN(name); ok {
			if key, state := d.params.one("key"); state == given {
				return []evaluator.Resource{{ARN: objectsOf(b) + key}}
			}
			return []evaluator.Resource{{ARN: objectsOf(b) + "*", Pattern: true}}
		}
		object := "/object/*"
		if key, state := d.params.one("key"); state == given {
			object = "/object/" + key
		}
		if point, ok := d.aliased(name, object); ok {
			return point
		}
	}
	if one := d.onlyRecorded(true); one != "" {
		return []evaluator.Resource{{ARN: one}}
	}
	return []evaluator.Resource{d.pattern("s3*:*:*:*")}
}

// objectsOf is how the ARNs of the objects in a bucket, or behind an access point, begin.
func objectsOf(bucket string) string {
	if strings.Contains(bucket, ":accesspoint/") {
		return bucket + "/object/"
	}
	return bucket + "/"
}

// onlyRecorded returns the one S3 object or bucket that the event records.
func (d *derivation) onlyRecorded(object bool) string {
	found := ""
	for _, rec := range d.call.Resources {
		a, ok := policy.ParseARN(rec.ARN)
		if !ok || a.Service != "s3" || a.Region != "" || a.Resource == "" || strings.ContainsAny(rec.ARN, "*?") || strings.Contains(a.Resource, "/") != object {
			continue
		}
		if found != "" && found != rec.ARN {
			return ""
		}
		found = rec.ARN
	}
	return found
}
