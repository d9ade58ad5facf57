package evaluator

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One ARN of each kind that its service keeps to itself.
const (
	awsPolicy  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	ssoRole    = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x"
	linkedRole = "arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
	awsAlias   = "arn:aws:kms:us-east-1:111111111111:alias/aws/s3"
	functionF  = "arn:aws:lambda:us-east-1:111111111111:function:f"
	restAPI    = "arn:aws:execute-api:us-east-1:111111111111:a1b2c3/prod/GET/pets"
)

// With these keys a user's credentials are …
var (
	longTerm   = map[string][]string{}
	sessionMFA = map[string][]string{"aws:TokenIssueTime": {"2026-01-01T00:00:00Z"}, "aws:MultiFactorAuthPresent": {"true"}}
	session    = map[string][]string{"aws:TokenIssueTime": {"2026-01-01T00:00:00Z"}, "aws:MultiFactorAuthPresent": {"false"}}
	console    = map[string][]string{"aws:MultiFactorAuthPresent": {"false"}, "aws:UserAgent": {"AWS Internal"}}
	viaCLI     = map[string][]string{"aws:MultiFactorAuthPresent": {"false"}, "aws:UserAgent": {"aws-cli/2.15.0 Python/3.11"}}
	cloudShell = map[string][]string{"aws:MultiFactorAuthPresent": {"false"}, "aws:UserAgent": {"aws-cli/2.15.0 exec-env/CloudShell"}}
)

func TestServiceRules(t *testing.T) {
	all, none := doc{allow("All", "*", "*")}, doc{deny("No", "*", "*")}
	on := func(action, resource string, w world) world {
		w.action, w.resource = action, resource
		if w.who.Type == UnknownPrincipal {
			w.who = aUser("u")
		}
		return w
	}
	for _, tt := range []struct {
		name string
		w    world
		open bool // an open context
		want Decision
	}{
		{"S9: sts:GetCallerIdentity can't be denied", on("sts:GetCallerIdentity", "*", world{id: none}), true, Allowed},
		{"S9: but anonymous has no identity", on("sts:GetCallerIdentity", "*", world{who: anonymous()}), false, ImplicitDeny},
		{"S10: sts:GetSessionToken needs no permission", on("sts:GetSessionToken", "*", world{id: none, ctx: longTerm}), false, Allowed},
		{"S10: nor does root's", on("sts:GetSessionToken", "*", world{who: aRoot()}), false, Allowed},
		{"S13: a session token gets no other", on("sts:GetSessionToken", "*", world{id: all, ctx: session}), false, ExplicitDeny},
		{"S10: unknown credentials, and a Deny that may not count", on("sts:GetSessionToken", "*", world{id: none}), true, Indeterminate},
		{"S13: a role gets none", on("sts:GetSessionToken", "*", world{who: aSession(), id: all}), false, ExplicitDeny},
		{"S11: sts:GetFederationToken needs an Allow", on("sts:GetFederationToken", fedF, world{}), false, ImplicitDeny},
		{"S11: sts:GetFederationToken with one", on("sts:GetFederationToken", fedF, world{id: all}), false, Allowed},
		{"S13: sts:GetFederationToken of unknown credentials", on("sts:GetFederationToken", fedF, world{id: all}), true, Indeterminate},
		{"S13: sts:GetFederationToken of unknown credentials, denied anyway", on("sts:GetFederationToken", fedF, world{id: none}), true, ExplicitDeny},
		{"S13: a role gets no federation token", on("sts:GetFederationToken", fedF, world{who: aSession(), id: all}), false, ExplicitDeny},
		{"S13: a session token decodes no message", on("sts:DecodeAuthorizationMessage", "*", world{id: all, ctx: sessionMFA}), false, ExplicitDeny},
		{"S13: a session token gets a bearer token, which is no operation", on("sts:GetServiceBearerToken", "*", world{id: all, ctx: session}), false, Allowed},
		{"S13: a federated user assumes no role", on("sts:AssumeRole", roleR, world{who: aFederatedUser(), id: all, sp: all, rb: doc{trusts("T", aws(rootA), "sts:*")}}), false, ExplicitDeny},

		{"S13: sts:AssumeRoot is for few accounts, whatever policies allow", on("sts:AssumeRoot", "arn:aws:iam::222222222222:root", world{id: all, owner: accountB}), false, Indeterminate},
		{"S13: sts:AssumeRoot, nothing at home", on("sts:AssumeRoot", "arn:aws:iam::222222222222:root", world{owner: accountB}), false, ImplicitDeny},
		{"S13: sts:AssumeRoot, denied", on("sts:AssumeRoot", "arn:aws:iam::222222222222:root", world{id: none, owner: accountB}), false, ExplicitDeny},
		{"S13: sts:AssumeRoot isn't for root users", on("sts:AssumeRoot", "arn:aws:iam::222222222222:root", world{who: aRoot(), owner: accountB}), false, ExplicitDeny},

		{"E30: S3 takes calls that nobody signed", on("s3:GetObject", "arn:aws:s3:::b/k", world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, Allowed},
		{"E30: SQS does", on("sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q", world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, Allowed},
		{"E30: KMS isn't known to", on("kms:Decrypt", keyK, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, Indeterminate},
		{"E30: KMS, and nobody allows", on("kms:Decrypt", keyK, world{who: anonymous(), rb: doc{}}), false, ImplicitDeny},
		{"E30: KMS, denied", on("kms:Decrypt", keyK, world{who: anonymous(), rb: doc{refuse("P", "*", "*", "*")}}), false, ExplicitDeny},
		{"E30: Lambda does by function URLs only", on("lambda:InvokeFunction", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, ExplicitDeny},
		{"E30: Lambda, by one", on("lambda:InvokeFunction", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}, ctx: map[string][]string{"lambda:InvokedViaFunctionUrl": {"true"}}}), false, Allowed},
		{"E30: Lambda's other actions aren't known to", on("lambda:GetFunction", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, Indeterminate},

		{"S13: IAM with long-term credentials", on("iam:ListUsers", "*", world{id: all, ctx: longTerm}), false, Allowed},
		{"S13: IAM with a session token and MFA", on("iam:ListUsers", "*", world{id: all, ctx: sessionMFA}), true, Allowed},
		{"S13: IAM with a session token without MFA", on("iam:ListUsers", "*", world{id: all, ctx: session}), false, ExplicitDeny},
		{"S13: the same by the CLI", on("iam:ListUsers", "*", world{id: all, ctx: viaCLI}), true, ExplicitDeny},
		{"S13: a console session may", on("iam:ListUsers", "*", world{id: all, ctx: console}), true, Indeterminate},
		{"S13: CloudShell is a console session", on("iam:ListUsers", "*", world{id: all, ctx: cloudShell}), true, Indeterminate},
		{"S13: IAM with unknown credentials", on("iam:ListUsers", "*", world{id: all}), true, Indeterminate},
		{"S13: IAM with unknown credentials, without an Allow", on("iam:ListUsers", "*", world{}), true, ImplicitDeny},
		{"S13: EC2 with unknown credentials", on("ec2:StopInstances", "*", world{id: all}), true, Allowed},
		{"S13: a federated user in an open context", on("iam:ListUsers", "*", world{who: aFederatedUser(), id: all, sp: all}), true, Indeterminate},
		{"S13: root with temporary credentials may be sts:AssumeRoot's", on("iam:ListUsers", "*", world{who: aRoot(), ctx: session}), false, Indeterminate},
		{"S13: root with a password", on("iam:ListUsers", "*", world{who: aRoot()}), false, Allowed},

		{"S14: AWS managed policies stay", on("iam:CreatePolicyVersion", awsPolicy, world{id: all}), false, ExplicitDeny},
		{"S14: and can be read", on("iam:GetPolicy", awsPolicy, world{id: all}), false, Allowed},
		{"S14: roles of Identity Center stay", on("iam:AttachRolePolicy", ssoRole, world{id: all}), false, ExplicitDeny},
		{"S14: service-linked roles stay", on("iam:DeleteRole", linkedRole, world{id: all}), false, ExplicitDeny},
		{"S14: but for their description", on("iam:UpdateRole", linkedRole, world{id: all}), false, Allowed},
		{"S14: any other role", on("iam:DeleteRole", roleR, world{id: all}), false, Allowed},
		{"S4: alias/aws/ is AWS's", on("kms:CreateAlias", awsAlias, world{id: all}), false, ExplicitDeny},
		{"S4: any other alias", on("kms:CreateAlias", strings.Replace(awsAlias, "aws/s3", "aws-s3", 1), world{id: all}), false, Allowed},

		{"S28: API, caller allows", on("execute-api:Invoke", restAPI, world{id: all}), false, Allowed},
		{"S28: API, resource policy allows", on("execute-api:Invoke", restAPI, world{rb: doc{grant("P", "*", "*", "*")}}), false, Allowed},
		{"S28: API, nobody allows", on("execute-api:Invoke", restAPI, world{rb: doc{}}), false, ImplicitDeny},
		{"S28: API, resource policy denies", on("execute-api:Invoke", restAPI, world{id: all, rb: doc{refuse("P", "*", "*", "*")}}), false, ExplicitDeny},
		{"S28: API of another account, both allow", on("execute-api:Invoke", restAPI, world{id: all, owner: accountB, rb: doc{grant("P", "*", "*", "*")}}), false, Allowed},
		{"S28: API of another account, caller allows", on("execute-api:Invoke", restAPI, world{id: all, owner: accountB, rb: doc{}}), false, ImplicitDeny},
		{"S28: API of another account, resource policy allows", on("execute-api:Invoke", restAPI, world{owner: accountB, rb: doc{grant("P", "*", "*", "*")}}), false, ImplicitDeny},
		{"S28: API, anonymous, the method may ask for IAM", on("execute-api:Invoke", restAPI, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), false, Indeterminate},
		{"S28: API, anonymous, the method may ask for nothing", on("execute-api:Invoke", restAPI, world{who: anonymous()}), false, Indeterminate},
		{"S28: API, anonymous, denied", on("execute-api:Invoke", restAPI, world{who: anonymous(), rb: doc{refuse("P", "*", "*", "*")}}), false, ExplicitDeny},

		{"S25: a function URL for everybody", on("lambda:InvokeFunctionUrl", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}, ctx: map[string][]string{"lambda:FunctionUrlAuthType": {"NONE"}}}), false, Allowed},
		{"S25: a function URL that asks for IAM", on("lambda:InvokeFunctionUrl", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}, ctx: map[string][]string{"lambda:FunctionUrlAuthType": {"AWS_IAM"}}}), false, ExplicitDeny},
		{"S25: a function URL that may", on("lambda:InvokeFunctionUrl", functionF, world{who: anonymous(), rb: doc{grant("P", "*", "*", "*")}}), true, Indeterminate},
		{"S25: a function URL that nobody opened", on("lambda:InvokeFunctionUrl", functionF, world{who: anonymous(), rb: doc{}}), true, ImplicitDeny},

		{"S29: Lake Formation has a say in glue:GetTable", on("glue:GetTable", "*", world{id: all}), false, Indeterminate},
		{"S29: but a Deny is one", on("glue:GetTable", "*", world{id: none}), false, ExplicitDeny},
		{"S29: and no Allow is none", on("glue:GetTable", "*", world{}), false, ImplicitDeny},
		{"S29: it has none in glue:StartJobRun", on("glue:StartJobRun", "*", world{id: all}), false, Allowed},
		{"S29: OpenSearch, data", on("es:ESHttpGet", "*", world{id: all}), false, Indeterminate},
		{"S29: OpenSearch, configuration", on("es:DescribeDomain", "*", world{id: all}), false, Allowed},
		{"S29: EKS, Kubernetes", on("eks:AccessKubernetesApi", "*", world{id: all}), false, Indeterminate},
		{"S29: EKS, clusters", on("eks:DescribeCluster", "*", world{id: all}), false, Allowed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, p := tt.w.build(t)
			req.Context.Open = tt.open
			x := Explain(req, p)
			if diff := cmp.Diff(tt.want, x.Decision); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, summary(x))
			}
			if got := Evaluate(req, p); got != x.Decision {
				t.Errorf("Evaluate says %v, Explain %v", got, x.Decision)
			}
			if x.Decision == Indeterminate && !strings.Contains(hangsOn(x), "service ") {
				t.Errorf("indeterminate, and nothing says that it is the service's rule: %q", hangsOn(x))
			}
		})
	}
}

// TestUnder: of a set of resources, only what holds for each is certain (rule R14).
func TestUnder(t *testing.T) {
	for _, tt := range []struct {
		arn     string
		pattern bool
		want    Match
	}{
		{linkedRole, false, Matched},
		{roleR, false, NoMatch},
		{"*", false, NoMatch},
		{"*", true, Unknown},
		{"arn:aws:iam::111111111111:role/*", true, Unknown},
		{"arn:aws:iam::111111111111:role/*", false, NoMatch},
		{"arn:aws:iam::111111111111:role/aws-ser*", true, Unknown},
		{"arn:aws:iam::111111111111:role/aws-service-role/*", true, Matched},
		{"arn:aws:iam::111111111111:role/app-*", true, NoMatch},
	} {
		if got := under(Resource{ARN: tt.arn, Pattern: tt.pattern}, ":role/", "aws-service-role/"); got != tt.want {
			t.Errorf("under(%q, pattern %v) = %v, want %v", tt.arn, tt.pattern, got, tt.want)
		}
	}
}

// TestGuardsAreSpelledAsActions: each is an action of a service that is asked for its rule.
func TestGuardsAreSpelledAsActions(t *testing.T) {
	for action, note := range guards {
		service, name, _ := strings.Cut(action, ":")
		if serviceRules[service] == nil || name == "" || !strings.HasPrefix(note, "whether ") {
			t.Errorf("guards[%q] = %q", action, note)
		}
	}
}

func TestSCPsAndExemptTasks(t *testing.T) {
	no := []level{{"r-root", doc{deny("No", "*", "*")}}}
	for _, tt := range []struct {
		name   string
		who    Principal
		action string
		want   Decision
	}{
		{"E10: a user", aUser("u"), "supportplans:CreateSupportPlanSchedule", ExplicitDeny},
		{"E32: root registers for Enterprise Support", aRoot(), "supportplans:CreateSupportPlanSchedule", Indeterminate},
		{"E32: root sets reverse DNS", aRoot(), "ec2:ModifyAddressAttribute", Indeterminate},
		{"E10: root does anything else", aRoot(), "ec2:DescribeInstances", ExplicitDeny},
		{"E32: Mechanical Turk", aUser("u"), "mechanicalturk:CreateHIT", Allowed},
	} {
		w := world{who: tt.who, action: tt.action, resource: "*", id: doc{allow("All", "*", "*")}, scp: no}
		req, p := w.build(t)
		if got := Evaluate(req, p); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
