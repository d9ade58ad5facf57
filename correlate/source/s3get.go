package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxResumes is how often the reading of an object is taken up again. The SDK
// tries a request again, but not the body of its answer.
const maxResumes = 3

// An object is one being read.
type object struct {
	ctx  context.Context
	b    *bucket
	key  string
	body io.ReadCloser // nil if it broke off

	etag    string // of what is being read; it may be overwritten
	at, end int64  // how far it was read, and its size; -1 if that wasn't said
	resumes int
}

// get asks for the object, from where reading stands.
func (o *object) get() error {
	in := &s3.GetObjectInput{Bucket: &o.b.name, Key: &o.key, RequestPayer: o.b.pays}
	if o.at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", o.at))
		in.IfMatch = aws.String(o.etag)
	}
	out, err := o.b.api.GetObject(o.ctx, in)
	if err != nil {
		return o.b.getFailure(o.ctx, err)
	}
	o.body = out.Body
	if o.at == 0 {
		o.etag, o.end = aws.ToString(out.ETag), -1
		if out.ContentLength != nil {
			o.end = *out.ContentLength
		}
	}
	return nil
}

// Read reads on over what breaks off.
func (o *object) Read(p []byte) (int, error) {
	if o.body == nil {
		if err := o.get(); err != nil {
			o.body = failing{err}
		}
	}
	n, err := o.body.Read(p)
	o.at += int64(n)
	switch {
	case err == nil, err == io.EOF && (o.end < 0 || o.at == o.end):
		return n, err
	case o.ctx.Err() != nil:
		return n, o.ctx.Err()
	}
	if known := new(AWSError); errors.As(err, &known) {
		return n, err
	}
	_ = o.body.Close()
	o.body = nil
	if o.resumes++; o.resumes > maxResumes || o.at == o.end || o.etag == "" { // at its end, a checksum is wrong
		// Its own words, not wrapped: a connection that was cut isn't a file that was.
		o.body = failing{&AWSError{Err: errors.New("S3 GetObject: " + err.Error())}}
	}
	return n, nil
}

// Close ends the reading.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	return o.body.Close()
}

// A failing body is that of an object that was given up.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
func (f failing) Close() error             { return nil }
