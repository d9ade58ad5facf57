package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestS3Scripts runs the command on a bucket of moto's. $BUCKET holds what lies in $ACME/cloudtrail.
func TestS3Scripts(t *testing.T) {
	url := os.Getenv("IAMWHY_MOTO")
	if url == "" {
		t.Skip("set IAMWHY_MOTO to the URL that moto_server -p 0 prints, to run the command on an S3")
	}
	acme, err := filepath.Abs("../../testdata/acme")
	if err != nil {
		t.Fatal(err)
	}
	bucket := upload(t, url, filepath.Join(acme, "cloudtrail"))
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script/moto",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"ACME": acme, "BUCKET": bucket, "IAMWHY_SNAPSHOT": "", "NO_COLOR": "",
				"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
				"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}

// upload makes a bucket at url with the files of a directory, and returns its name.
func upload(t *testing.T, url, dir string) string {
	t.Helper()
	client := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(url), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")})
	bucket := fmt.Sprintf("iamwhy-script-%d", time.Now().UnixNano())
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String(filepath.ToSlash(rel)), Body: file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}
