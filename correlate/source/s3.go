package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/iamwhy/iamwhy/correlate"
)

// s3API is the part of S3 that finds and reads objects.
type s3API interface {
	s3.HeadBucketAPIClient
	s3.HeadObjectAPIClient
	s3.ListObjectsV2APIClient
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// A bucket is one that is read.
type bucket struct {
	api  s3API
	name string
	aws  AWS
	pays types.RequestPayer // on every call; "" unless the caller agreed to
	span span
}

// openS3 opens s3://bucket/prefix. The prefix is that of a trail's bucket, at
// whatever depth, or any other, or the key of one object. In the folders of trails, those of other
// accounts, regions and days than are asked for aren't looked into; all else is read as local files are. (If a
// time is asked for, what lies in a region's folder but in no day's isn't looked for.)
//
// It asks for s3:ListBucket and s3:GetObject; for kms:Decrypt, if the objects are encrypted with a KMS key.
func openS3(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(src, "s3://"), "/")
	if name == "" {
		return nil, fmt.Errorf("%s: no bucket; give s3://BUCKET/PREFIX", printable(src))
	}
	if strings.HasPrefix(name, "arn:") {
		return nil, fmt.Errorf("%s: an ARN; give the bucket's name, or the alias of an access point", printable(src))
	}
	b, err := newBucket(ctx, name, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable(src), err)
	}
	root, err := b.find(ctx, prefix)
	if err != nil {
		return nil, err
	}
	if root.object != nil {
		opts.Progress.TotalFiles.Add(1)
		opts.Progress.TotalBytes.Add(root.object.size)
		return readOne(ctx, *root.object, opts), nil
	}
	events := b.read(ctx, src, root.prefix, opts)
	if b.span.bounded() {
		return events, nil // that nothing is there, says a notice
	}
	return orComplain(events, src, opts.Progress), nil
}

// newBucket finds out in which region a bucket is, and asks it there.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func newBucket(ctx context.Context, name string, opts Options) (*bucket, error) {
	cfg, err := opts.AWS.loggedIn(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Region = cmp.Or(opts.AWS.Region, cfg.Region, fallbackRegion)
	b := &bucket{api: newS3(cfg), name: name, aws: opts.AWS, span: spanOf(opts.Query)}
	if opts.AWS.RequesterPays {
		b.pays = types.RequestPayerRequester
	}
	region, err := b.region(ctx)
	if err != nil {
		return nil, err
	}
	if region != "" && region != cfg.Region {
		cfg.Region = region
		b.api = newS3(cfg)
	}
	return b, nil
}

func newS3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.BaseEndpoint != nil             // AWS_ENDPOINT_URL: few such hosts have a name for each bucket
		o.DisableLogOutputChecksumValidationSkipped = true // it would write to stderr
	})
}

// region is where the bucket is; "" if that can't be found out, and the call that lists it will
// say why. The answer tells it even if it is a refusal, or comes from another region.
func (b *bucket) region(ctx context.Context) (string, error) {
	out, err := b.api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
	if err == nil {
		return aws.ToString(out.BucketRegion), nil
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 { // it was never answered
		return "", b.aws.failure(ctx, "looking for the bucket", err)
	}
	if region := response.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
		return region, nil
	}
	if response.HTTPStatusCode() == http.StatusNotFound {
		return "", &AWSError{Err: errors.New("no such bucket; aws s3 ls lists yours")}
	}
	return "", nil
}

// A root is what a prefix stands for: one object, or all that begins with a prefix.
type root struct {
	object *item
	prefix string
}

// find says what a prefix stands for: the object of that key; else a folder of
// that name, with or without a slash behind it; else all that begins so.
func (b *bucket) find(ctx context.Context, prefix string) (root, error) {
	first, err := b.first(ctx, prefix)
	switch {
	case err != nil:
		return b.unlisted(ctx, prefix, err)
	case first == nil:
		return root{}, fmt.Errorf("%s: nothing is there; check the prefix: aws s3 ls s3://%s/ shows what there is", b.url(prefix), b.name)
	case prefix == "" || strings.HasSuffix(prefix, "/"):
		return root{prefix: prefix}, nil
	case aws.ToString(first.Key) == prefix:
		it := b.item(prefix, aws.ToInt64(first.Size))
		return root{object: &it}, nil
	}
	switch first, err = b.first(ctx, prefix+"/"); {
	case err != nil:
		return b.unlisted(ctx, prefix+"/", err)
	case first != nil:
		return root{prefix: prefix + "/"}, nil
	}
	return root{prefix: prefix}, nil
}

// first is the first object that begins with a prefix, or nil.
func (b *bucket) first(ctx context.Context, prefix string) (*types.Object, error) {
	out, err := b.api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix, MaxKeys: aws.Int32(1), RequestPayer: b.pays})
	if err != nil || len(out.Contents) == 0 {
		return nil, err
	}
	return &out.Contents[0], nil
}

// unlisted looks for an object of that key, where the caller may read but not list.
func (b *bucket) unlisted(ctx context.Context, key string, err error) (root, error) {
	if isDenied(err) && key != "" && !strings.HasSuffix(key, "/") {
		if out, err := b.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key, RequestPayer: b.pays}); err == nil {
			it := b.item(key, aws.ToInt64(out.ContentLength))
			return root{object: &it}, nil
		}
	}
	return root{}, fmt.Errorf("%s: %w", b.url(key), b.listFailure(ctx, err))
}

// read lists and reads what begins with prefix.
func (b *bucket) read(ctx context.Context, src, prefix string, opts Options) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		stage := "listing " + src
		opts.Progress.Stage.Store(&stage)
		defer opts.Progress.Stage.Store(nil)
		for e, err := range readAll(inner, ahead(inner, b.items(inner, src, prefix, opts)), opts) {
			if gone := lostCredentials(err); gone != nil {
				err = gone // and so will all that follows
			}
			if isFatal(err) {
				cancel()
				yield(nil, err)
				return
			}
			if !yield(e, err) {
				cancel() // before readAll waits for those who may wait for S3
				return
			}
		}
	}
}

// items lists the objects that begin with prefix, and says at the end what was left out.
func (b *bucket) items(ctx context.Context, src, prefix string, opts Options) iter.Seq[item] {
	return func(yield func(item) bool) {
		inner, cancel := context.WithCancel(ctx)
		l := newLister(b)
		spoke := false
		err := l.walk(inner, prefix, func(it item) error {
			if !spoke {
				opts.Progress.Stage.Store(nil)
				spoke = true
			}
			if it.problem == nil {
				opts.Progress.TotalFiles.Add(1)
				opts.Progress.TotalBytes.Add(it.size)
			}
			if !yield(it) {
				return errStopped
			}
			return nil
		})
		cancel()
		l.wait()
		if err != nil {
			return // the consumer knows: it stopped, or ctx did
		}
		for _, reason := range l.reasons() {
			if !yield(item{path: src, problem: &Skip{Path: src, Reason: reason, Count: l.skips[reason]}}) {
				return
			}
		}
		if !spoke && b.span.bounded() {
			yield(item{path: src, problem: &Notice{Text: printable(src) + ": no log file for the accounts, regions and times that are asked for"}})
		}
	}
}

// item is an object.
func (b *bucket) item(key string, size int64) item {
	return item{path: "s3://" + b.name + "/" + key, size: size, open: func(ctx context.Context) (io.ReadCloser, error) {
		o := &object{ctx: ctx, b: b, key: key}
		if err := o.get(); err != nil {
			return nil, err
		}
		return o, nil
	}}
}

// url is a key or prefix for errors.
func (b *bucket) url(key string) string { return printable("s3://" + b.name + "/" + key) }

// listFailure says why a prefix can't be listed, which it doesn't name.
func (b *bucket) listFailure(ctx context.Context, err error) error {
	failure := b.aws.failure(ctx, "listing it", err)
	if isDenied(err) && ctx.Err() == nil {
		return &AWSError{Err: fmt.Errorf("%w; the credentials in use need s3:ListBucket on arn:aws:s3:::%s", failure, b.name)}
	}
	return failure
}

// getFailure says why an object can't be read, which it doesn't name.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (b *bucket) getFailure(ctx context.Context, err error) error {
	failure := b.aws.failure(ctx, "reading it", err)
	step := ""
	var api smithy.APIError
	switch {
	case ctx.Err() != nil || !errors.As(err, &api):
		return failure
	case strings.Contains(api.ErrorMessage(), "kms:") || strings.HasPrefix(api.ErrorCode(), "KMS."):
		step = "the credentials in use need kms:Decrypt on the KMS key of the trail" // T11
	case isDenied(err):
		step = fmt.Sprintf("the credentials in use need s3:GetObject on arn:aws:s3:::%s/*, and kms:Decrypt on the trail's KMS key if it has one", b.name)
	case api.ErrorCode() == "InvalidObjectState":
		step = "it is archived: restore it first (aws s3api restore-object)"
	default:
		return failure
	}
	return &AWSError{Err: fmt.Errorf("%w; %s", failure, step)}
}

// isDenied reports whether an error is a refusal. That of a HEAD has no body, and so another code.
func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{"AccessDenied", "Forbidden"}, api.ErrorCode())
}

// lostCredentials is the failure behind err if it is that AWS doesn't accept the
// credentials: it won't at the next object, either.
func lostCredentials(err error) error {
	var failed *AWSError
	var api smithy.APIError
	if err != nil && errors.As(err, &failed) && errors.As(err, &api) && authFailures[api.ErrorCode()] != "" {
		return failed
	}
	return nil
}
