package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// motoBucket makes a bucket of its own, in eu-west-1, in the moto server that IAMWHY_MOTO names,
// and sets the environment so that AWS is that server.
func motoBucket(t *testing.T, objects map[string]string) string {
	t.Helper()
	url := os.Getenv("IAMWHY_MOTO")
	if url == "" {
		t.Skip("set IAMWHY_MOTO to the URL that moto_server -p 0 prints, to read from an S3 that isn't ours")
	}
	noAWS(t, "")
	t.Setenv("AWS_ENDPOINT_URL", url)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "us-east-1")
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	bucket := fmt.Sprintf("iamwhy-%d", time.Now().UnixNano())
	_, err = client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1}})
	if err != nil {
		t.Fatal(err)
	}
	var puts errgroup.Group
	puts.SetLimit(8)
	for key, content := range objects {
		puts.Go(func() error {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(content)), ContentEncoding: aws.String("gzip")})
			return err
		})
	}
	if err := puts.Wait(); err != nil {
		t.Fatal(err)
	}
	return bucket
}

// TestMotoIsAsTheDirectory: organisation and account trails from moto's S3 give what the files on disk do, with a
// role or without.
func TestMotoIsAsTheDirectory(t *testing.T) {
	dir, objects := acmeObjects(t)
	for key := range objects {
		if strings.Contains(key, "/CloudTrail-Digest/") {
			delete(objects, key)
		}
	}
	bucket := motoBucket(t, objects)
	for prefix, role := range map[string]string{"": "", "AWSLogs/o-acme4x7k2p/111111111111": "arn:aws:iam::123456789012:role/Audit"} {
		got := collect(t, "s3://"+bucket+"/"+prefix, Options{AWS: AWS{RoleARN: role, ExternalID: "x-1"}})
		sameEvents(t, collect(t, filepath.Join(dir, filepath.FromSlash(prefix)), Options{}), got)
	}
}

// TestMotoPages: more objects than a page has, of the days that are asked for.
func TestMotoPages(t *testing.T) {
	objects := map[string]string{}
	var want []string
	for i := range 1100 {
		minute := time.Date(2023, 7, 10, 0, i, 0, 0, time.UTC).Format("2006-01-02T15:04")
		key := trailKey("o-abcdefghij/111122223333", "eu-west-1", minute, "Mu0KsOhtH1ar15ZZ")
		objects[key] = logFile(minute)
		if minute >= "2023-07-10T01:10" {
			want = append(want, minute)
		}
	}
	for i, minute := range []string{"2023-07-08T10:00", "2023-08-01T10:00"} {
		objects[trailKey("o-abcdefghij/111122223333", "eu-west-1", minute, fmt.Sprint(i))] = logFile("another day")
	}
	slices.Sort(want)
	bucket := motoBucket(t, objects)
	q := Query{Since: time.Date(2023, 7, 10, 2, 10, 0, 0, time.UTC), Until: time.Date(2023, 7, 11, 0, 0, 0, 0, time.UTC)}
	compare(t, "s3://"+bucket, want, nil, collect(t, "s3://"+bucket, Options{Query: q}))
}

// TestMotoErrors: what moto says of a bucket and a prefix that aren't there.
func TestMotoErrors(t *testing.T) {
	bucket := motoBucket(t, map[string]string{"a": sample("1")})
	for src, want := range map[string]string{
		"s3://" + bucket + "-2": "no such bucket",
		"s3://" + bucket + "/b": "nothing is there",
	} {
		_, err := Open(context.Background(), src, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}
