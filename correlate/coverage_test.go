package correlate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// T24, T47, T48: which kinds of events were seen, and which not.
func TestCoverage(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	event := func(category, readOnly, source, account, region string) *Event {
		at = at.Add(time.Hour)
		return &Event{Category: category, ReadOnly: readOnly, Source: source, RecipientAccount: account, Region: region, Time: at}
	}
	none := []Unseen{{UnseenWrites, nil}, {UnseenReads, nil}, {UnseenData, dataServices}, {UnseenNetwork, nil}}
	expected := append(none[:4:4], Unseen{UnseenAccounts, []string{"1", "2"}}, Unseen{UnseenRegions, []string{"eu-west-1", "us-east-1"}})
	tests := []struct {
		name   string
		events []*Event
		want   []Unseen
	}{
		{"nothing", nil, expected},
		{"writes, as EventBridge has them by default (T24)", []*Event{event("Management", "false", "ec2.amazonaws.com", "1", "eu-west-1")}, []Unseen{
			{UnseenReads, nil}, {UnseenData, dataServices}, {UnseenNetwork, nil}, {UnseenAccounts, []string{"2"}}, {UnseenRegions, []string{"us-east-1"}}}},
		{"all but some data events", []*Event{
			event("Management", "true", "ec2.amazonaws.com", "1", "eu-west-1"), event("Management", "false", "ec2.amazonaws.com", "2", "us-east-1"),
			event("Data", "true", "s3.amazonaws.com", "1", "eu-west-1"), event("Data", "false", "lambda.amazonaws.com", "1", "eu-west-1"),
			event("NetworkActivity", "", "kms.amazonaws.com", "1", "eu-west-1"),
		}, []Unseen{{UnseenData, []string{"dynamodb", "sns", "sqs"}}}},
		{"events that don't say their kind", []*Event{event("", "", "ec2.amazonaws.com", "1", "eu-west-1"), event("", "", "iam.amazonaws.com", "2", "us-east-1")}, []Unseen{
			{UnseenData, dataServices}, {UnseenNetwork, nil}}},
		{"neither account nor region", []*Event{event("Management", "true", "ec2.amazonaws.com", "", "")}, []Unseen{
			{UnseenWrites, nil}, {UnseenData, dataServices}, {UnseenNetwork, nil}, expected[4], expected[5]}},
	}
	for _, tt := range tests {
		var c Coverage
		for _, e := range tt.events {
			c.Add(e)
		}
		if diff := cmp.Diff(tt.want, c.Unseen([]string{"1", "2"}, []string{"eu-west-1", "us-east-1"}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	var c Coverage
	c.Add(&Event{})
	c.Add(event("Data", "true", "s3.amazonaws.com", "2", "us-east-1"))
	c.Add(event("Data", "true", "s3.amazonaws.com", "1", "eu-west-1"))
	want := Coverage{
		Events: 3, First: at.Add(-time.Hour), Last: at, Data: map[string]int{"s3": 2}, Other: 1,
		accounts: map[string]bool{"1": true, "2": true}, regions: map[string]bool{"eu-west-1": true, "us-east-1": true},
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Coverage{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1", "2"}, c.Accounts()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"eu-west-1", "us-east-1"}, c.Regions()); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
}
