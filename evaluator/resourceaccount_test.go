package evaluator

import "testing"

// TestHasResourceAccount: what AWS lists as having no aws:ResourceAccount isn't told it (evaluation.md 5.4, U2).
func TestHasResourceAccount(t *testing.T) {
	for _, tt := range []struct {
		action string
		has    Match
		open   KeyState
		closed KeyState
	}{
		{"s3:GetObject", Matched, Present, Present},
		{"ec2:RunInstances", Matched, Present, Present},
		{"ec2:CopySnapshot", NoMatch, UnknownKey, Absent},
		{"EC2:copysnapshot", NoMatch, UnknownKey, Absent},
		{"ebs:GetSnapshotBlock", NoMatch, UnknownKey, Absent},
		{"route53:AssociateVPCWithHostedZone", NoMatch, UnknownKey, Absent},
		{"ec2:CopyImage", Unknown, UnknownKey, Present},
		{"events:PutEvents", Unknown, UnknownKey, Present},
	} {
		if got := HasResourceAccount(tt.action); got != tt.has {
			t.Errorf("%s has aws:ResourceAccount: %v, want %v", tt.action, got, tt.has)
		}
		for open, want := range map[bool]KeyState{true: tt.open, false: tt.closed} {
			req := Request{Action: tt.action, Resource: Resource{ARN: "arn:aws:x:eu-west-1:111111111111:y", Account: "111111111111"}, Context: Context{Open: open}}
			DeriveContext(&req)
			if got := req.Context.Lookup("aws:ResourceAccount").State; got != want {
				t.Errorf("%s, open %t: state %d of aws:ResourceAccount, want %d", tt.action, open, got, want)
			}
		}
	}
}
