package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// diagnosis is one that has all that there is to tell.
func diagnosis() Diagnosis {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	var accounts, buckets []string
	for i := range 6 {
		accounts = append(accounts, strings.Repeat(fmt.Sprint(i+1), 12))
		buckets = append(buckets, fmt.Sprintf("arn:aws:s3:::acme-payments-%d", i+1))
	}
	all := []evaluator.LayerName{evaluator.LayerSCP, evaluator.LayerRCP, evaluator.LayerEndpoint, evaluator.LayerResource, evaluator.LayerIdentity, evaluator.LayerBoundary}
	resource := []evaluator.LayerName{evaluator.LayerResource}
	lacks := []snapshot.Lack{
		{Status: snapshot.LackDenied, Parts: []string{"organization", "organization/rcp", "organization/scp"}, Layers: all[:2], Reason: "You don't have permissions to access this resource.",
			Needs: []snapshot.Need{{Action: "organizations:ListRoots"}}},
		{Status: snapshot.LackDenied, Accounts: accounts, Parts: []string{"s3"}, Layers: resource, Regions: []string{"eu-west-1"}, Reason: "no\x1b[2J",
			Needs: []snapshot.Need{{Action: "s3:GetBucketAcl", Resources: buckets[:1]}, {Action: "s3:GetBucketPolicy", Resources: buckets}, {Action: "s3:c"}, {Action: "s3:d"}, {Action: "s3:e"}}},
		{Status: snapshot.LackError, Accounts: accounts[:1], Parts: []string{"endpoints", "iam", "kms", "sqs"}, Layers: all[2:], Reason: "ThrottlingException: Rate exceeded", Needs: []snapshot.Need{{Action: "kms:GetKeyPolicy"}}},
		{Status: snapshot.LackBroken, Accounts: accounts[:1], Parts: []string{"sns"}, Layers: resource, Reason: "accounts/111111111111/resources/sns.json:1:2: the text ends too early"},
		{Status: snapshot.LackMissing, Accounts: accounts[4:], Layers: all},
		{Status: snapshot.LackSkipped, Parts: []string{"identitycenter"}, Reason: "left out with --only"},
		{Status: snapshot.LackPartial, Accounts: accounts[:2], Parts: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}, Layers: resource, Regions: []string{"eu-west-1", "us-east-1"}},
		{Status: snapshot.LackOld, Layers: all, Since: at},
	}
	d := Diagnosis{Snapshot: "s", CollectedAt: at, CollectedBy: "arn:aws:iam::111111111111:user/u", Accounts: accounts[:4], Now: at.AddDate(0, 0, 8)}
	for i, l := range lacks {
		command := fmt.Sprintf("iamwhy collect -o s --only %d", i)
		if l.Status == snapshot.LackError {
			command = ""
		}
		d.Lacks = append(d.Lacks, Lack{l, command})
	}
	for i := range 6 {
		d.Problems = append(d.Problems, snapshot.Problem{File: fmt.Sprintf("accounts/111111111111/iam.json:%d:60", i+1), Msg: "Statement is a number: expected an object or an array of objects"})
	}
	var seen correlate.Coverage
	seen.Add(&correlate.Event{Time: at.AddDate(0, 0, -1), Category: "Data", Source: "s3.amazonaws.com", RecipientAccount: accounts[0], Region: "eu-west-1"})
	seen.Add(&correlate.Event{Time: at, RecipientAccount: accounts[1], Region: "us-east-1"})
	d.Logs = &Logs{Coverage: &seen, Unseen: append(seen.Unseen(accounts, []string{"eu-central-1"}), correlate.Unseen{Kind: correlate.UnseenWrites}, correlate.Unseen{Kind: correlate.UnseenReads})}
	return d
}

func TestDiagnosis(t *testing.T) {
	for _, tt := range []struct {
		golden, format string
		opts           Options
		d              Diagnosis
	}{
		{"doctor.txt", "text", Options{}, diagnosis()},
		{"doctor-80.txt", "text", Options{Width: 80}, diagnosis()},
		{"doctor-verbose.txt", "text", Options{Verbose: true}, diagnosis()},
		{"doctor.json", "json", Options{}, diagnosis()},
		{"doctor-whole.json", "json", Options{}, Diagnosis{Snapshot: "s"}},
		{"doctor-none.txt", "text", Options{}, Diagnosis{Logs: &Logs{Coverage: &correlate.Coverage{}, Unseen: new(correlate.Coverage).Unseen(nil, nil)}}},
		{"doctor-none.json", "json", Options{}, Diagnosis{Logs: &Logs{Coverage: &correlate.Coverage{}, Skipped: 1}}},
	} {
		var out bytes.Buffer
		write, err := NewDiagnosis(tt.format, &out, tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(tt.d); err != nil {
			t.Fatal(err)
		}
		golden(t, tt.golden, out.Bytes())
	}
	if _, err := NewDiagnosis("csv", nil, Options{}); err == nil || err.Error() != `unknown output "csv": have text, json` {
		t.Errorf("csv: %v", err)
	}
}
