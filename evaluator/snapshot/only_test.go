package snapshot

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestOnly: where some things of a part only were asked for, the others are unknown, and a denial is named by the call that met it.
func TestOnly(t *testing.T) {
	const own, other = "111111111111", "222222222222"
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"snapshot.json": `{"formatVersion": 1, "collectedBy": "arn:aws:iam::111111111111:user/u", "parts": {
			"organization": {"status": "ok", "only": ["111111111111"]},
			"accounts/111111111111/resources/sqs": {"status": "ok", "only": ["arn:aws:sqs:eu-west-1:111111111111:a", "arn:aws:sqs:eu-west-1:111111111111:gone"], "regions": ["eu-west-1"]},
			"accounts/111111111111/iam": {"status": "denied", "reason": "not you", "only": ["role/r"],
				"gaps": [{"action": "iam:GetRole", "status": "denied"}, {"action": "iam:GetPolicy", "status": "error"}]}}}`,
		"organization.json": `{"id": "o-1", "managementAccount": "999999999999", "enabledPolicyTypes": [],
			"roots": [{"id": "r-1", "accounts": [{"id": "111111111111"}], "organizationalUnits": []}]}`,
		"accounts/111111111111/resources/sqs.json": `[{"arn": "arn:aws:sqs:eu-west-1:111111111111:a", "type": "queue", "policy": null, "extra": {}}]`,
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := Load(fsys)
	if err != nil || len(s.Problems()) > 0 {
		t.Fatal(err, s.Problems())
	}
	if in, out := s.InOrganization(own), s.InOrganization(other); in != evaluator.Matched || out != evaluator.Unknown {
		t.Errorf("in the organisation: %v, and one that wasn't asked for: %v", in, out)
	}
	for _, tt := range []struct {
		queue   string
		state   evaluator.LayerState
		missing string
	}{
		{"a", evaluator.Applies, ""},
		{"gone", evaluator.NotCollected, "it isn't in account 111111111111 as collected"}, // it was asked for
		{"b", evaluator.NotCollected, "isn't in the snapshot; sqs:GetQueueAttributes"},
		{"*", evaluator.NotCollected, "nor all of their policies"},
	} {
		req := evaluator.Request{
			Principal: evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:iam::111111111111:role/r", RoleARN: "arn:aws:iam::111111111111:role/r", Account: own},
			Action:    "sqs:SendMessage",
			Resource:  evaluator.Resource{ARN: "arn:aws:sqs:eu-west-1:111111111111:" + tt.queue, Account: own, Pattern: tt.queue == "*"},
		}
		p, err := s.Policies(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if p.Resource.State != tt.state || !strings.Contains(p.Resource.Missing, tt.missing) {
			t.Errorf("queue %s: %v %q, want %v %q", tt.queue, p.Resource.State, p.Resource.Missing, tt.state, tt.missing)
		}
		if want := "iam:GetRole was denied (not you)"; !strings.Contains(p.Identity.Missing, want) {
			t.Errorf("identity: %q, want %q", p.Identity.Missing, want)
		}
	}
}
