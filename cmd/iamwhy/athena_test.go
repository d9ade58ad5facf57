package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

const acmeLogs = "../../testdata/acme/cloudtrail/AWSLogs"

var sessionStart = regexp.MustCompile(`event [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// TestAthenaPrintsTheSame: a table that --print-ddl defines gives events and explain what the files give.
func TestAthenaPrintsTheSame(t *testing.T) {
	athena := &awsfake.Athena{Tables: map[string]awsfake.AthenaTable{}}
	trail := awsfake.Trail(trailRecords(t, acmeLogs))
	athena.Query = func(s awsfake.AthenaStatement) awsfake.AthenaQuery {
		q := trail(s)
		q.States, q.Bytes = []string{"SUCCEEDED"}, 12_345_678
		return q
	}
	server := httptest.NewServer(awsfake.New(athena))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "IAMWHY_SNAPSHOT": "",
	} {
		t.Setenv(name, value)
	}
	ddl := runFor(t, "events", "--print-ddl", "s3://logs/AWSLogs/o-acme4x7k2p", "--account", "111111111111,222222222222,333333333333")
	athena.Tables["logs.cloudtrail"] = awsfake.AthenaTableOf(ddl)
	for _, command := range [][]string{
		{"events", "--output", "json"},
		{"events", "--output", "json", "--all-errors", "--since", "2026-11-19T10:00:00Z", "--region", "eu-west-1"},
		{"explain", "--output", "json", "--snapshot", "../../testdata/acme/snapshot"},
	} {
		// The files come one after the other, Athena's rows by time: so the lines are compared without their order. A
		// session whose start two accounts recorded is told by the record that came last.
		lines := func(source string) []string {
			return strings.Split(sessionStart.ReplaceAllString(runFor(t, append(slices.Clone(command), source)...), "event …"), "\n")
		}
		files, rows := lines(acmeLogs), lines("athena:primary/logs.cloudtrail")
		if len(files) < 10 {
			t.Errorf("%s: only %d lines", command, len(files))
		}
		slices.Sort(files)
		slices.Sort(rows)
		if diff := cmp.Diff(files, rows); diff != "" {
			t.Errorf("%s (-files +Athena):\n%s", command, diff)
		}
	}
}

// runFor is what the command prints.
func runFor(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), args, streams{strings.NewReader(""), &stdout, &stderr}); status != 0 {
		t.Fatalf("iamwhy %s: exit status %d, stderr:\n%s", strings.Join(args, " "), status, &stderr)
	}
	return stdout.String()
}

// trailRecords are the texts of the records of all log files below a directory.
func trailRecords(t *testing.T, dir string) (records []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gz") {
			r, err := gzip.NewReader(bytes.NewReader(content))
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if content, err = io.ReadAll(r); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		var file struct{ Records []json.RawMessage }
		if err := json.Unmarshal(content, &file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, r := range file.Records {
			records = append(records, string(r))
		}
		return nil
	})
	if err != nil || len(records) < 50 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	return records
}
