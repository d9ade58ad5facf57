package awsfake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// record is a management event that happened an age before now.
func record(id string, age time.Duration, more string) string {
	return fmt.Sprintf(`{"eventID":%q,"eventTime":%q,"eventCategory":"Management","eventName":"RunInstances","eventSource":"ec2.amazonaws.com","readOnly":false,`+
		`"userIdentity":{"type":"IAMUser","userName":"ana","accessKeyId":"AKIA1"}%s}`, id, now.Add(-age).Format(time.RFC3339), more)
}

func history3() *CloudTrail {
	return &CloudTrail{Now: now, Events: map[string][]string{"eu-west-1": {
		record("old", 2*time.Hour, ""),
		record("new", time.Hour, `,"resources":[{"ARN":"arn:aws:ec2:::i","type":"AWS::EC2::Instance"}]`),
		record("gone", 91*24*time.Hour, ""),
		strings.Replace(record("data", time.Hour, ""), `"Management"`, `"Data"`, 1),
		`{"eventID":"role","eventTime":"2026-06-01T09:00:00Z","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci"}}`,
	}, "us-east-1": {record("elsewhere", time.Hour, "")}}}
}

// TestLookupEvents: what LookupEvents gives, in its order (cloudtrail.md T13).
func TestLookupEvents(t *testing.T) {
	client := cloudtrail.NewFromConfig(New(history3()).Config("eu-west-1"))
	for _, test := range []struct {
		name string
		in   cloudtrail.LookupEventsInput
		want string // ids, or the error's code
	}{
		{"management events of 90 days, newest first", cloudtrail.LookupEventsInput{}, "new old role"},
		{"bounds are included", cloudtrail.LookupEventsInput{StartTime: aws.Time(now.Add(-2 * time.Hour)), EndTime: aws.Time(now.Add(-2 * time.Hour))}, "old"},
		{"bounds the wrong way round", cloudtrail.LookupEventsInput{StartTime: aws.Time(now), EndTime: aws.Time(now.Add(-1))}, "InvalidTimeRangeException"},
		{"pages", cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)}, "new old role"},
		{"pages too large", cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)}, "InvalidMaxResultsException"},
		{"token that no call gave", cloudtrail.LookupEventsInput{NextToken: aws.String("x")}, "InvalidNextTokenException"},
		{"user name", by("Username", "ana"), "new old"},
		{"user name of a role's session", by("Username", "ci"), "role"},
		{"access key", by("AccessKeyId", "AKIA1"), "new old"},
		{"event id", by("EventId", "role"), "role"},
		{"event name", by("EventName", "RunInstances"), "new old"},
		{"event source", by("EventSource", "ec2.amazonaws.com"), "new old"},
		{"read only", by("ReadOnly", "false"), "new old"},
		{"resource name", by("ResourceName", "arn:aws:ec2:::i"), "new"},
		{"resource type", by("ResourceType", "AWS::EC2::Instance"), "new"},
		{"attribute in another spelling", by("UserName", "ana"), "InvalidLookupAttributesException"},
		{"two attributes", cloudtrail.LookupEventsInput{LookupAttributes: append(by("EventId", "a").LookupAttributes, by("EventId", "b").LookupAttributes...)}, "InvalidLookupAttributesException"},
	} {
		got, err := lookup(client, test.in)
		var api smithy.APIError
		if errors.As(err, &api) {
			got, err = api.ErrorCode(), nil
		}
		if got != test.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

func by(name types.LookupAttributeKey, value string) cloudtrail.LookupEventsInput {
	return cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: name, AttributeValue: aws.String(value)}}}
}

// lookup reads all pages and returns the events' ids.
func lookup(client *cloudtrail.Client, in cloudtrail.LookupEventsInput) (string, error) {
	var ids []string
	for {
		out, err := client.LookupEvents(context.Background(), &in)
		if err != nil {
			return "", err
		}
		for _, e := range out.Events {
			ids = append(ids, aws.ToString(e.EventId))
		}
		if out.NextToken == nil {
			return strings.Join(ids, " "), nil
		}
		in.NextToken = out.NextToken
	}
}

// TestLookupTokens: a token is good only with the parameters that it was given for.
func TestLookupTokens(t *testing.T) {
	client := cloudtrail.NewFromConfig(New(history3()).Config("eu-west-1"))
	in := cloudtrail.LookupEventsInput{MaxResults: aws.Int32(1)}
	out, err := client.LookupEvents(context.Background(), &in)
	if err != nil || out.NextToken == nil {
		t.Fatalf("first page: %v, %v", out, err)
	}
	other := by("Username", "ana")
	other.MaxResults, other.NextToken = in.MaxResults, out.NextToken
	var invalid *types.InvalidNextTokenException
	if _, err := client.LookupEvents(context.Background(), &other); !errors.As(err, &invalid) {
		t.Errorf("the token with other parameters: %v, want InvalidNextTokenException", err)
	}
}

// TestLake: a query's states, its rows by pages, and what a query meets that can't run.
func TestLake(t *testing.T) {
	ct := &CloudTrail{
		Stores: []EventDataStore{{Region: "eu-west-1", Name: "org", ID: "EXAMPLE-1"}, {Region: "eu-west-1", Name: "old", ID: "EXAMPLE-2", Status: "PENDING_DELETION"}},
		Query: func(statement string) LakeQuery {
			return LakeQuery{Rows: [][]map[string]string{{{"eventID": "1"}}, {{"eventID": "2"}}, {{"q": statement}}}, Bytes: 77}
		},
	}
	ctx := context.Background()
	client := cloudtrail.NewFromConfig(New(ct).Config("eu-west-1"))
	start := func(statement string) (string, error) {
		out, err := client.StartQuery(ctx, &cloudtrail.StartQueryInput{QueryStatement: aws.String(statement)})
		if err != nil {
			return "", err
		}
		return *out.QueryId, nil
	}
	const statement = "SELECT eventID FROM EXAMPLE-1"
	id, err := start(statement)
	if err != nil {
		t.Fatal(err)
	}
	var states []types.QueryStatus
	for range 4 {
		out, err := client.DescribeQuery(ctx, &cloudtrail.DescribeQueryInput{QueryId: &id})
		if err != nil || aws.ToInt64(out.QueryStatistics.BytesScanned) != 77 {
			t.Fatal(out, err)
		}
		states = append(states, out.QueryStatus)
	}
	if diff := cmp.Diff([]types.QueryStatus{"QUEUED", "RUNNING", "FINISHED", "FINISHED"}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	var rows [][]map[string]string
	in := cloudtrail.GetQueryResultsInput{QueryId: &id, MaxQueryResults: aws.Int32(2)}
	for pages := cloudtrail.NewGetQueryResultsPaginator(client, &in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, out.QueryResultRows...)
	}
	if diff := cmp.Diff([][]map[string]string{{{"eventID": "1"}}, {{"eventID": "2"}}, {{"q": statement}}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for statement, want := range map[string]string{
		"SELECT 1":                "InvalidQueryStatementException",
		"SELECT 1 FROM nowhere":   "EventDataStoreNotFoundException",
		"SELECT 1 FROM EXAMPLE-2": "InactiveEventDataStoreException",
	} {
		_, err := start(statement)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != want {
			t.Errorf("%s: %v, want %s", statement, err, want)
		}
	}
	if _, err := client.CancelQuery(ctx, &cloudtrail.CancelQueryInput{QueryId: &id}); err == nil {
		t.Error("a query that has ended was cancelled")
	}
	second, err := start(statement)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CancelQuery(ctx, &cloudtrail.CancelQueryInput{QueryId: &second}); err != nil {
		t.Error(err)
	}
	if out, err := client.DescribeQuery(ctx, &cloudtrail.DescribeQueryInput{QueryId: &second}); err != nil || out.QueryStatus != "CANCELLED" {
		t.Errorf("after CancelQuery: %v, %v", out, err)
	}
	var names []string
	var token *string
	for {
		out, err := client.ListEventDataStores(ctx, &cloudtrail.ListEventDataStoresInput{NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.EventDataStores {
			names = append(names, aws.ToString(s.Name)+" "+aws.ToString(s.EventDataStoreArn))
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	want := []string{"org arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/EXAMPLE-1", "old arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/EXAMPLE-2"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("stores, by pages (-want +got):\n%s", diff)
	}
}
