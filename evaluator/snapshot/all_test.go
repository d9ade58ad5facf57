package snapshot_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAll: what is attached to nothing, and a group without users, are there, too, and what is attached twice is there once.
func TestAll(t *testing.T) {
	s := load(t, map[string]string{
		"accounts/222222222222/iam.json": `{"UserDetailList": [{"UserName": "ann", "Arn": "arn:aws:iam::222222222222:user/ann", "UserId": "AIDAANN", "GroupList": ["used"],
  "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Statement": []}}],
  "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": "arn:aws:iam::222222222222:policy/shared"}],
  "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::222222222222:policy/edge"}}],
 "GroupDetailList": [
  {"GroupName": "used", "Arn": "arn:aws:iam::222222222222:group/used", "GroupPolicyList": [{"PolicyName": "g", "PolicyDocument": {"Statement": []}}],
   "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": "arn:aws:iam::222222222222:policy/shared"}]},
  {"GroupName": "bare", "Arn": "arn:aws:iam::222222222222:group/bare", "GroupPolicyList": [{"PolicyName": "h", "PolicyDocument": {"Statement": []}}], "AttachedManagedPolicies": []}],
 "RoleDetailList": [{"RoleName": "r", "Arn": "arn:aws:iam::222222222222:role/r", "RoleId": "AROAR", "AssumeRolePolicyDocument": {"Statement": []}, "RolePolicyList": [], "AttachedManagedPolicies": []}],
 "Policies": [
  {"PolicyName": "shared", "Arn": "arn:aws:iam::222222222222:policy/shared", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": []}}]},
  {"PolicyName": "edge", "Arn": "arn:aws:iam::222222222222:policy/edge", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": []}}]},
  {"PolicyName": "loose", "Arn": "arn:aws:iam::222222222222:policy/loose", "DefaultVersionId": "v1", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Statement": []}}]}]}`,
		"accounts/222222222222/endpoints.json": `[
  {"id": "vpce-gate", "type": "Gateway", "vpcId": "vpc-1", "policy": null},
  {"id": "vpce-face", "type": "Interface", "vpcId": "vpc-2", "policy": {"Statement": []}}]`,
		"organization/scp/p-loose.json": `{"id": "p-loose", "name": "Loose", "arn": "arn:l", "document": {"Statement": []}}`,
	})
	got := map[string]int{}
	for _, p := range s.All() {
		if p.Type != "managed" && p.Type != "inline" && p.Type != "boundary" && p.Type != "trust" && p.Type != "endpoint" && p.Type != "scp" && p.Type != "rcp" {
			continue // the resources of the fixture
		}
		got[p.Type+" "+p.Name+" "+p.Target]++
	}
	want := map[string]int{
		"scp FullAWSAccess ": 1, "scp DenyOutsideEU ": 1, "scp Loose ": 1, "rcp Perimeter ": 1,
		"managed shared ": 1, "managed loose ": 1, "boundary edge ": 1,
		"inline own arn:aws:iam::222222222222:user/ann": 1, "inline g arn:aws:iam::222222222222:group/used": 1, "inline h arn:aws:iam::222222222222:group/bare": 1,
		"trust r arn:aws:iam::222222222222:role/r": 1, "endpoint vpce-face vpce-face": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
