package snapshot_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator"
)

// TestPolicyOfWhatGoverns: the policy that a request gets is that of the resource which governs
// its own, by whatever name the snapshot has it.
func TestPolicyOfWhatGoverns(t *testing.T) {
	const at = ":eu-west-1:222222222222:"
	const open = `"policy": {"Statement": []}}]`
	s := load(t, map[string]string{
		"accounts/222222222222/resources/apigateway.json": `[{"arn": "arn:aws:apigateway:eu-west-1::/restapis/a1b2", "type": "API", ` + open,
		"accounts/222222222222/resources/events.json":     `[{"arn": "arn:aws:events` + at + `event-bus/default", "type": "event bus", ` + open,
		"accounts/222222222222/resources/kafka.json":      `[{"arn": "arn:aws:kafka` + at + `cluster/c/u-1", "type": "cluster", ` + open,
		"accounts/222222222222/resources/es.json":         `[{"arn": "arn:aws:es` + at + `domain/d", "type": "domain", ` + open,
		"accounts/222222222222/resources/glue.json":       `[{"arn": "arn:aws:glue` + at + `catalog", "type": "catalog", ` + open,
		"accounts/222222222222/resources/glacier.json":    `[{"arn": "arn:aws:glacier` + at + `vaults/v", "type": "vault", "policy": [{"Statement": []}, {"Statement": []}]}]`,
	})
	type layer struct {
		State evaluator.LayerState
		Type  string
		Names []string
		Other evaluator.Match
	}
	for _, tt := range []struct {
		name, action, arn string
		caller            evaluator.Principal
		want              layer
	}{
		{"S28: an API's method", "execute-api:Invoke", "arn:aws:execute-api" + at + "a1b2/prod/GET/pets", ann, layer{evaluator.Applies, "API", []string{"API:/restapis/a1b2"}, evaluator.NoMatch}},
		{"S28: an API that wasn't collected", "execute-api:Invoke", "arn:aws:execute-api" + at + "zzzz/prod/GET/pets", ann, layer{evaluator.NotCollected, "API", nil, evaluator.NoMatch}},
		{"S28: another account's API of that id", "execute-api:Invoke", "arn:aws:execute-api:eu-west-1:999999999999:a1b2/prod/GET/pets", ann, layer{evaluator.NotCollected, "API", nil, evaluator.NoMatch}},
		{"S26: a rule", "events:PutTargets", "arn:aws:events" + at + "rule/r", ann, layer{evaluator.Applies, "event bus", []string{"event bus:default"}, evaluator.NoMatch}},
		{"a topic", "kafka-cluster:ReadData", "arn:aws:kafka" + at + "topic/c/u-1/t", ann, layer{evaluator.Applies, "cluster", []string{"cluster:cluster/c/u-1"}, evaluator.NoMatch}},
		{"a path of a domain", "es:ESHttpGet", "arn:aws:es" + at + "domain/d/index/_search", ann, layer{evaluator.Applies, "domain", []string{"domain:d"}, evaluator.NoMatch}},
		{"a table of a catalog", "glue:GetTable", "arn:aws:glue" + at + "table/d/t", ann, layer{evaluator.Applies, "catalog", []string{"catalog:catalog"}, evaluator.NoMatch}},
		{"E24: Lake Formation may share it", "glue:GetTable", "arn:aws:glue" + at + "table/d/t", payer, layer{evaluator.Applies, "catalog", []string{"catalog:catalog"}, evaluator.Unknown}},
		{"a vault with an access policy and a lock", "glacier:DeleteArchive", "arn:aws:glacier" + at + "vaults/v", ann, layer{evaluator.Applies, "vault", []string{"vault:v", "vault:v"}, evaluator.NoMatch}},
		{"what is in a vault", "backup:StartRestoreJob", "arn:aws:ec2:eu-west-1::snapshot/snap-1", ann, layer{evaluator.NotCollected, "vault", nil, evaluator.NoMatch}},
		{"a recovery point", "backup:DeleteRecoveryPoint", "arn:aws:backup" + at + "recovery-point:1", ann, layer{evaluator.NotCollected, "vault", nil, evaluator.NoMatch}},
		{"AWS's own parameter has no policy", "ssm:GetParameter", "arn:aws:ssm:eu-west-1::parameter/aws/service/x", ann, layer{evaluator.DoesNotApply, "", nil, evaluator.NoMatch}},
		{"nor has a bucket that is yet to be", "s3:CreateBucket", "arn:aws:s3:::new", ann, layer{evaluator.DoesNotApply, "", nil, evaluator.NoMatch}},
		{"nor has a function", "lambda:CreateFunction", "arn:aws:lambda" + at + "function:new", ann, layer{evaluator.DoesNotApply, "", nil, evaluator.NoMatch}},
		{"a function of that name in another account", "lambda:CreateFunction", "arn:aws:lambda:eu-west-1:999999999999:function:new", ann, layer{evaluator.NotCollected, "function", nil, evaluator.NoMatch}},
		{"a function that is there", "lambda:UpdateFunctionCode", "arn:aws:lambda" + at + "function:new", ann, layer{evaluator.NotCollected, "function", nil, evaluator.NoMatch}},
		{"E24: an account may be managed from another", "account:PutAlternateContact", "arn:aws:account::999999999999:account/o-1/222222222222", ann, layer{evaluator.DoesNotApply, "", nil, evaluator.Unknown}},
		{"a backup plan", "backup:GetBackupPlan", "arn:aws:backup" + at + "backup-plan:1", ann, layer{evaluator.DoesNotApply, "", nil, evaluator.NoMatch}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := evaluator.Request{Principal: tt.caller, Action: tt.action, Resource: evaluator.Resource{ARN: tt.arn}}
			s.Complete(&req)
			r := policies(t, s, req).Resource
			got := layer{r.State, r.Type, named(r.Policies), r.OtherAllow}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s%s", tt.arn, diff, r.Missing)
			}
			if r.State == evaluator.NotCollected && r.Missing == "" {
				t.Error("not collected, and nothing says what")
			}
		})
	}
}

// TestECRRegistry: the policy of a registry is about its repositories, too (rule S26).
func TestECRRegistry(t *testing.T) {
	const at = "arn:aws:ecr:eu-west-1:222222222222:"
	const repository = `{"arn": "` + at + `repository/r", "type": "repository", "policy": {"Statement": []}}`
	for _, tt := range []struct {
		name, registry string
		state          evaluator.LayerState
		policies       []string
	}{
		{"with a policy", `, {"arn": "` + at + `registry", "type": "registry", "policy": {"Statement": []}}`, evaluator.Applies, []string{"repository:r", "registry:registry"}},
		{"without one", `, {"arn": "` + at + `registry", "type": "registry", "policy": null}`, evaluator.Applies, []string{"repository:r"}},
		{"denied", `, {"arn": "` + at + `registry", "type": "registry", "status": "denied", "reason": "no"}`, evaluator.NotCollected, []string{"repository:r"}},
		{"not collected", "", evaluator.NotCollected, []string{"repository:r"}},
	} {
		s := load(t, map[string]string{"accounts/222222222222/resources/ecr.json": "[" + repository + tt.registry + "]"})
		r := policies(t, s, evaluator.Request{Principal: ann, Action: "ecr:BatchGetImage", Resource: evaluator.Resource{ARN: at + "repository/r"}}).Resource
		if diff := cmp.Diff(tt.policies, named(r.Policies)); diff != "" || r.State != tt.state || (r.Missing == "") != (tt.state == evaluator.Applies) {
			t.Errorf("a registry %s: state %v, want %v; missing %q; policies (-want +got):\n%s", tt.name, r.State, tt.state, r.Missing, diff)
		}
	}
}

// TestGovernedDecisions: what the policy of a registry, or of a table, says of what is below it decides (rule S26).
func TestGovernedDecisions(t *testing.T) {
	const at = ":eu-west-1:222222222222:"
	const bob = "arn:aws:iam::222222222222:user/team/bob"
	says := func(effect, action, resource string) string {
		return `"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "` + effect + `", "Principal": {"AWS": "` + bob + `"}, "Action": "` + action + `", "Resource": "` + resource + `"}]}}`
	}
	const nothing = `"policy": {"Version": "2012-10-17", "Statement": []}}`
	registry := func(policy string) string {
		return `{"arn": "arn:aws:ecr` + at + `registry", "type": "registry", ` + policy
	}
	repository := func(policy string) string {
		return `{"arn": "arn:aws:ecr` + at + `repository/r", "type": "repository", ` + policy
	}
	table := func(policy string) string {
		return `{"arn": "arn:aws:dynamodb` + at + `table/t", "type": "table", ` + policy
	}
	const repositoryARN, indexARN = "arn:aws:ecr" + at + "repository/r", "arn:aws:dynamodb" + at + "table/t/index/i"
	for _, tt := range []struct {
		name, part, resources, action, arn string
		want                               evaluator.Decision
	}{
		{"the registry allows it", "ecr", repository(nothing) + "," + registry(says("Allow", "ecr:BatchGetImage", "arn:aws:ecr"+at+"repository/*")), "ecr:BatchGetImage", repositoryARN, evaluator.Allowed},
		{"the registry denies what the repository allows", "ecr", repository(says("Allow", "ecr:*", "*")) + "," + registry(says("Deny", "ecr:*", "arn:aws:ecr"+at+"repository/*")), "ecr:BatchGetImage", repositoryARN, evaluator.ExplicitDeny},
		{"the registry is about another repository", "ecr", repository(nothing) + "," + registry(says("Allow", "ecr:BatchGetImage", "arn:aws:ecr"+at+"repository/other")), "ecr:BatchGetImage", repositoryARN, evaluator.ImplicitDeny},
		{"nobody read the registry's policy", "ecr", repository(says("Allow", "ecr:*", "*")), "ecr:BatchGetImage", repositoryARN, evaluator.Indeterminate},
		{"the table's policy names its index", "dynamodb", table(says("Allow", "dynamodb:Query", "arn:aws:dynamodb"+at+"table/t/index/*")), "dynamodb:Query", indexARN, evaluator.Allowed},
		{"the table's policy names the table alone", "dynamodb", table(says("Allow", "dynamodb:Query", "arn:aws:dynamodb"+at+"table/t")), "dynamodb:Query", indexARN, evaluator.ImplicitDeny},
		{"the table's policy denies its index", "dynamodb", table(says("Deny", "dynamodb:*", "arn:aws:dynamodb"+at+"table/t/index/i")), "dynamodb:Query", indexARN, evaluator.ExplicitDeny},
		{"the table itself", "dynamodb", table(says("Allow", "dynamodb:Query", "arn:aws:dynamodb"+at+"table/t")), "dynamodb:Query", "arn:aws:dynamodb" + at + "table/t", evaluator.Allowed},
	} {
		s := load(t, map[string]string{"accounts/222222222222/resources/" + tt.part + ".json": "[" + tt.resources + "]"})
		req := evaluator.Request{Principal: evaluator.Principal{Type: evaluator.User, ARN: bob}, Action: tt.action, Resource: evaluator.Resource{ARN: tt.arn}}
		s.Complete(&req)
		evaluator.DeriveContext(&req)
		p := evaluator.Policies{Resource: policies(t, s, req).Resource}
		if got := evaluator.Evaluate(&req, &p); got != tt.want {
			t.Errorf("S26: %s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
