package evaluator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// codes are the findings of a text as "severity code rule".
func codes(t *testing.T, typ DocumentType, text string) []string {
	t.Helper()
	doc, err := policy.Parse("", []byte(text))
	findings := SyntaxFindings(err, typ)
	if err == nil {
		findings = Validate(doc, typ, ValidateOptions{})
	}
	list := []string{}
	for _, f := range findings {
		if f.Message == "" || f.Code == "" || f.Pos.IsZero() {
			t.Errorf("finding without message, code or place: %+v", f)
		}
		list = append(list, strings.TrimSpace(f.Severity.String()+" "+f.Code+" "+f.Rule))
	}
	return list
}

// doc12 is a document of Version 2012-10-17 with statements of the given members.
func doc12(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, `},{`) + `}]}`
}

func TestValidate(t *testing.T) {
	const (
		object  = `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"`
		objects = `"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":`
		denyAll = `"Effect":"Deny","Action":"*","Resource":"*","Condition":`
		trust   = `"Effect":"Allow","Action":"sts:AssumeRole","Principal":`
		topic   = `"Principal":{"AWS":"111111111111"},"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111111111111:t"`
		bucket  = `"Principal":{"AWS":"111111111111"},"Effect":"Allow","Resource":"arn:aws:s3:::b/*","Action":`
	)
	for _, c := range []struct {
		name string
		typ  DocumentType
		text string
		want []string
	}{
		// The document.
		{"nothing wrong", DocumentIdentity, doc12(object), nil},
		{"G1: not JSON", DocumentIdentity, `{`, []string{"error json G1"}},
		{"G1: not an object", DocumentIdentity, `[]`, []string{"error notADocument G1"}},
		{"G1: no Statement", DocumentIdentity, `{"Version":"2012-10-17"}`, []string{"error missingStatement G1"}},
		{"G1: no statement at all", DocumentIdentity, `{"Version":"2012-10-17","Statement":[]}`, []string{"error missingStatement G1"}},
		{"G2: no Effect", DocumentIdentity, doc12(`"Action":"*","Resource":"*"`), []string{"error missingEffect G2"}},
		{"G2: Action and NotAction", DocumentIdentity, doc12(`"Effect":"Deny","Action":"*","NotAction":"s3:GetObject","Resource":"*"`), []string{"error excludingElements G2"}},
		{"G2: no Action", DocumentIdentity, doc12(`"Effect":"Deny","Resource":"*"`), []string{"error missingAction G2"}},
		{"G4: null as a value", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":null}}`), []string{"warning emptyList G16", "error wrongType G4"}},
		{"G5: Effect in lower case", DocumentIdentity, doc12(`"Effect":"allow","Action":"*","Resource":"*"`), []string{"error invalidEffect G5"}},
		{"G6: element in lower case", DocumentIdentity, doc12(object + `,"condition":{}`), []string{"error unknownElement G9"}},
		{"G7: a member twice", DocumentIdentity, doc12(object + `,"Effect":"Deny"`), []string{"error duplicateMember G7"}},
		{"G10: unknown Version", DocumentIdentity, `{"Version":"2012-10-18","Statement":[]}`, []string{"error invalidVersion G10"}},
		{"G10: no Version", DocumentRoleInline, `{"Statement":{` + object + `}}`, []string{"suggestion missingVersion G10"}},
		{"G10: no Version in a managed policy", DocumentIdentity, `{"Statement":{` + object + `}}`, []string{"error missingVersion G10"}},
		{"G10: old Version in a boundary", DocumentBoundary, `{"Version":"2008-10-17","Statement":{` + object + `}}`, []string{"error missingVersion G10"}},
		{"G14: Sid with a hyphen in IAM", DocumentIdentity, doc12(`"Sid":"a-b",` + object), []string{"error invalidSid G14"}},
		{"G14: Sid with a blank in S3", DocumentBucket, doc12(`"Sid":"a b",` + bucket + `"s3:GetObject"`), nil},
		{"G14: Sid twice in IAM", DocumentIdentity, doc12(`"Sid":"a",`+object, `"Sid":"a",`+object), []string{"error duplicateSid G14"}},
		{"G14: Sid twice in S3", DocumentBucket, doc12(`"Sid":"a",`+bucket+`"s3:GetObject"`, `"Sid":"a",`+bucket+`"s3:GetObject"`), []string{"suggestion duplicateSid G14"}},
		{"G14: Sid twice in SNS", DocumentTopic, doc12(`"Sid":"a",`+topic, `"Sid":"a",`+topic), []string{"error duplicateSid G14"}},
		{"G14: empty Sids", DocumentIdentity, doc12(`"Sid":"",`+object, `"Sid":"",`+object), nil},
		{"G15: empty lists in IAM", DocumentIdentity, doc12(`"Effect":"Deny","Action":[],"Resource":"*"`, `"Effect":"Deny","Action":"*","NotResource":[]`), []string{"error emptyList G15", "error emptyList G15"}},
		{"G15: empty lists", DocumentSCP, doc12(`"Effect":"Deny","Action":[],"Resource":"*"`, `"Effect":"Deny","Action":"*","NotResource":[]`), []string{"warning emptyList G15", "warning emptyList G15"}},
		{"G16: no values", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":[]}}`), []string{"warning emptyList G16"}},
		{"G17: character outside Latin 1 in IAM", DocumentIdentity, doc12(object + `,"Sid":"x—"`), []string{"error invalidSid G14", "error illegalCharacter G17"}},
		{"G17: Latin 1", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/é"`), nil},
		{"G19: managed policy", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/` + strings.Repeat("x", 6100) + `"`), []string{"error size G19"}},
		{"G19: whitespace doesn't count in IAM", DocumentIdentity, doc12(object) + strings.Repeat(" ", 7000), nil},
		{"G19: whitespace counts in an SCP", DocumentSCP, doc12(object + strings.Repeat(" ", 5100)), []string{"warning size G19"}},
		{"G19: role's inline policy", DocumentRoleInline, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/` + strings.Repeat("x", 6100) + `"`), nil},
		{"G19: trust policy beyond the default quota", DocumentTrust, doc12(trust + `{"AWS":"111111111111"},"Condition":{"StringEquals":{"sts:ExternalId":"` + strings.Repeat("x", 2100) + `"}}`), []string{"warning size G19"}},

		// Elements by type (table 1.2).
		{"G6: misspelt elements, each told once", DocumentIdentity, doc12(`"effect":"Allow","actions":"*","resources":"*"`), []string{"error unknownElement G9", "error unknownElement G9", "error unknownElement G9"}},
		{"G20: Principal in an identity policy", DocumentIdentity, doc12(`"Principal":"*",` + object), []string{"error forbiddenElement G20"}},
		{"G20: no Resource in an identity policy", DocumentIdentity, doc12(`"Effect":"Allow","Action":"*"`), []string{"error missingResource G20"}},
		{"G20: SCP without Version", DocumentSCP, `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, []string{"error missingVersion G20"}},
		{"G20: SCP with Principal", DocumentSCP, doc12(`"Principal":"*","Effect":"Deny","Action":"*","Resource":"*"`), []string{"error forbiddenElement G20"}},
		{"G20: SCP with NotResource and Allow (since 2025)", DocumentSCP, doc12(`"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"`), nil},
		{"G20: RCP", DocumentRCP, doc12(`"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"`), nil},
		{"G20: RCP with a bare *", DocumentRCP, doc12(`"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"`), []string{"error rcpAction G20"}},
		{"G20: RCP that allows", DocumentRCP, doc12(`"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"`), []string{"error rcpAllow G20"}},
		{"E11: RCP on a service that RCPs don't reach", DocumentRCP, doc12(`"Effect":"Deny","Principal":"*","Action":["ec2:*","kms:*"],"Resource":"*"`), []string{"warning rcpService E11"}},
		{"G20: RCPFullAWSAccess", DocumentRCP, doc12(`"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"`), nil},
		{"G20: RCP with a principal", DocumentRCP, doc12(`"Effect":"Deny","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"`), []string{"error rcpPrincipal G20"}},
		{"G20: RCP with NotAction and NotPrincipal", DocumentRCP, doc12(`"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"NotAction":"s3:*","Resource":"*"`), []string{"error forbiddenElement G20", "error forbiddenElement G20"}},
		{"R13: Resource in a trust policy", DocumentTrust, doc12(trust + `{"AWS":"111111111111"},"Resource":"*"`), []string{"error forbiddenElement R13"}},
		{"P21: trust policy without Principal", DocumentTrust, doc12(`"Effect":"Allow","Action":"sts:AssumeRole"`), []string{"error missingPrincipal P21"}},
		{"R13: Resource in a repository policy", DocumentRepository, doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"ecr:BatchGetImage","Resource":"*"`), []string{"error forbiddenElement R13"}},
		{"P20: NotPrincipal and Allow in S3", DocumentBucket, doc12(`"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"`), []string{"error notPrincipalAllow P20"}},
		{"A5: Allow with NotAction", DocumentIdentity, doc12(`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`), []string{"warning allowNotAction A5"}},
		{"A5: boundaries allow nothing", DocumentBoundary, doc12(`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`), nil},
		{"A5: Deny with NotAction", DocumentIdentity, doc12(`"Effect":"Deny","NotAction":"iam:*","Resource":"*"`), nil},
		{"R11: Allow with NotResource", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/*"`), []string{"warning allowNotResource R11"}},

		// Actions.
		{"A3: no colon", DocumentIdentity, doc12(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), []string{"error actionWithoutService A3"}},
		{"A3: two colons", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:Get:Object","Resource":"*"`), []string{"error actionColons A3"}},
		{"A3: wildcard in the service", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s*:GetObject","Resource":"*"`), []string{"error wildcardService A3"}},
		{"A3: *:*", DocumentIdentity, doc12(`"Effect":"Allow","Action":"*:*","Resource":"*"`), nil},
		{"A1: unknown action", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:GetObjects","S3:getobject"],"Resource":"*"`), []string{"warning unknownAction A1"}},
		{"A1: unknown action in a bucket policy", DocumentBucket, doc12(bucket + `"s3:GetObjects"`), []string{"error unknownAction A1"}},
		{"A1: wildcard that matches nothing", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:Fetch*","s3:Get*"],"Resource":"*"`), []string{"warning unknownAction A1"}},
		{"A1: unknown service, told once", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s4:GetObject","s4:PutObject"],"Resource":"*"`), []string{"warning unknownService A1"}},
		{"A1: action of another service in a bucket policy", DocumentBucket, doc12(bucket + `["s3:GetObject","sqs:SendMessage"]`), []string{"error foreignAction A1"}},
		{"A1: action of another service in a trust policy", DocumentTrust, doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:GetObject"`), []string{"error foreignAction A1"}},
		{"A1: action that isn't one on a role in a trust policy", DocumentTrust, doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":["sts:AssumeRole","sts:GetCallerIdentity"]`), []string{"warning foreignAction A1"}},
		{"V2: variable in an action", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:${aws:username}","Resource":"*"`), []string{"warning variableNotAllowed V2"}},

		// Resources.
		{"R3: no ARN", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"b/*"`), []string{"error invalidResource R3"}},
		{"R3: no ARN in a queue policy", DocumentQueue, doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sqs:SendMessage","Resource":"https://q"`), []string{"warning invalidResource R3"}},
		{"R3: ARN in upper case", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"ARN:aws:s3:::b/*"`), []string{"error arnCase R3"}},
		{"R3: service in upper case", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:S3:::b/*"`), []string{"warning resourceMismatch R15", "warning arnCase R3"}},
		{"R3: account of 11 digits", DocumentIdentity, doc12(`"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:11111111111:q"`), []string{"warning arnAccount R3"}},
		{"R3: region in an IAM ARN", DocumentIdentity, doc12(`"Effect":"Allow","Action":"iam:GetRole","Resource":"arn:aws:iam:us-east-1:111111111111:role/r"`), []string{"error arnRegion R3"}},
		{"R3: region in a bucket's ARN", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1::b/*"`), []string{"error arnRegion R3"}},
		{"R3: account in a bucket's ARN", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3::111111111111:b/*"`), []string{"warning arnRegion R3"}},
		{"R3: region in a bucket's ARN in an SCP", DocumentSCP, doc12(`"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1::b/*"`), []string{"warning arnRegion R3"}},
		{"R3: access point", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1:111111111111:accesspoint/a/object/*"`), nil},
		{"R17: unknown partition", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:*","Resource":"arn:AWS:s3:::b"`), []string{"error arnPartition R17"}},
		{"R8: short ARN", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:b"`), []string{"warning shortARN R8"}},
		{"R8: short ARN, a colon missing", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3::b/*"`), []string{"error shortARN R8"}},
		{"R8: short ARN in an SCP", DocumentSCP, doc12(`"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:b"`), []string{"error shortARN R8"}},
		{"R5: short ARN with * at the end of a part", DocumentSCP, doc12(`"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3*"`), nil},
		{"R10: action without resource", DocumentIdentity, doc12(`"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"arn:aws:ec2:us-east-1:111111111111:instance/i-1"`), []string{"warning resourceless R10"}},
		{"R12: action without resource on the whole service", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::*"`), []string{"suggestion resourceless R12"}},
		{"R15: bucket action on objects", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"`), []string{"warning resourceMismatch R15"}},
		{"R15: object action on the bucket", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b"`), []string{"warning resourceMismatch R15"}},
		{"R15: prefix of names covers both", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b*"`), nil},
		{"R15: told together", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::b"`), []string{"warning resourceMismatch R15"}},
		{"R15: refused in a bucket policy", DocumentBucket, doc12(bucket + `"s3:ListBucket"`), []string{"error resourceMismatch R15"}},
		{"R15: resource without action", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`), []string{"suggestion unusedResource R15"}},
		{"R16: variable in the resource", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*"`), nil},
		{"G20: * in a bucket policy", DocumentBucket, doc12(`"Principal":{"AWS":"111111111111"},"Effect":"Allow","Resource":"*","Action":"s3:GetObject"`), []string{"error invalidResource G20"}},
		{"G20: two buckets", DocumentBucket, doc12(bucket+`"s3:GetObject"`, `"Principal":{"AWS":"111111111111"},"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"`), []string{"error invalidResource G20"}},
		{"R13: an alias in a key policy", DocumentKey, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"arn:aws:kms:us-east-1:111111111111:alias/a"`), []string{"warning resourceMismatch R13"}},
		{"S27: a secret's name", DocumentIdentity, doc12(`"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:us-east-1:111111111111:secret:db/main"`), []string{"warning secretSuffix S27"}},
		{"S27: with its suffix, and with what stands for one", DocumentIdentity, doc12(`"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":["arn:aws:secretsmanager:us-east-1:111111111111:secret:db-a1B2c3","arn:aws:secretsmanager:us-east-1:111111111111:secret:db-??????","arn:aws:secretsmanager:us-east-1:111111111111:secret:db*"]`), nil},
		{"A4: NotAction of everything", DocumentSCP, doc12(`"Effect":"Deny","NotAction":["*"],"Resource":"*"`), []string{"warning nothingLeft A4"}},
		{"A4: NotResource of everything", DocumentSCP, doc12(`"Effect":"Deny","Action":"s3:*","NotResource":"*"`), []string{"warning nothingLeft A4"}},
		{"E15: a boundary that only denies", DocumentBoundary, doc12(`"Effect":"Deny","Action":"s3:*","Resource":"*"`), []string{"warning noAllow E15"}},
		{"V2: variable in the account", DocumentIdentity, doc12(`"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:q"`), []string{"warning variableNotAllowed V2"}},
		{"G11: variable under the old Version", DocumentIdentity, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}"}}`, []string{"error missingVersion G10", "warning variableVersion G11"}},
		{"V4: no closing brace", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username"`), []string{"error malformedVariable V4"}},
		{"V4: empty", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${}"`), []string{"error malformedVariable V4"}},
		{"V3: default", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}"`), nil},
		{"V6: no such key", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:usernam}"`), []string{"warning unknownVariable V6"}},
		{"V8: key with several values", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:TagKeys}"`), []string{"warning multivaluedVariable V8"}},

		// Principals.
		{"P9: wildcard in an ARN", DocumentTrust, doc12(trust + `{"AWS":"arn:aws:iam::111111111111:role/*"}`), []string{"error wildcardPrincipal P9"}},
		{"P9: in an endpoint policy", DocumentEndpoint, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/*"},"Action":"*","Resource":"*"`), []string{"warning wildcardPrincipal P9"}},
		{"P5: Service *", DocumentTrust, doc12(trust + `{"Service":"*"}`), []string{"error wildcardPrincipal P5"}},
		{"P3: unknown kind", DocumentTrust, doc12(trust + `{"Aws":"111111111111"}`), []string{"error unknownPrincipalKind P3"}},
		{"G20: key policy that nobody may change", DocumentKey, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"kms:Decrypt","Resource":"*"`), []string{"warning keyLockout G20"}},
		{"G20: key policy that only a role may change", DocumentKey, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"kms:Put*","Resource":"*"`), []string{"suggestion keyLockout G20"}},
		{"G20: key policy that leaves it to the account", DocumentKey, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"`), nil},
		{"P14: group", DocumentTrust, doc12(trust + `{"AWS":"arn:aws:iam::111111111111:group/g"}`), []string{"error groupPrincipal P14"}},
		{"P8: orphan", DocumentTrust, doc12(trust + `{"AWS":"AROAEXAMPLEID12345678"}`), []string{"warning orphanedPrincipal P8"}},
		{"P6: account of 11 digits", DocumentTrust, doc12(trust + `{"AWS":"11111111111"}`), []string{"error invalidPrincipal P6"}},
		{"P11: service under AWS", DocumentTrust, doc12(trust + `{"AWS":"ec2.amazonaws.com"}`), []string{"error invalidPrincipal P11"}},
		{"P11: no service principal", DocumentTrust, doc12(trust + `{"Service":"ec2"}`), []string{"error invalidPrincipal P11"}},
		{"P6: principals that are right", DocumentTrust, doc12(trust + `{"AWS":["111111111111","arn:aws:iam::111111111111:root","arn:aws:iam::111111111111:user/a/b","arn:aws:sts::111111111111:assumed-role/r/s"],"Service":"ec2.amazonaws.com"}`), nil},
		{"P4: everybody may assume the role", DocumentTrust, doc12(trust + `"*"`), []string{"warning everyoneAllowed P4"}},
		{"P12: Federated in a bucket policy", DocumentBucket, doc12(`"Principal":{"Federated":"arn:aws:iam::111111111111:saml-provider/p"},"Effect":"Deny","Resource":"arn:aws:s3:::b/*","Action":"s3:GetObject"`), []string{"warning federatedPrincipal P12"}},
		{"P12: Federated doesn't call AssumeRole", DocumentTrust, doc12(trust + `{"Federated":"arn:aws:iam::111111111111:saml-provider/p"}`), []string{"warning principalMismatch P12"}},
		{"P12: federation", DocumentTrust, doc12(`"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:o/r:ref:refs/heads/main"}}`), nil},
		{"S8: anybody's token of GitHub", DocumentTrust, doc12(`"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`), []string{"error anybodysToken S8"}},
		{"S8: of any other provider nothing is known", DocumentTrust, doc12(`"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/o.example"}`), nil},
		{"P18: account only in NotPrincipal", DocumentKey, doc12(`"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"`), []string{"warning notPrincipalAccount P18"}},
		{"P16: role without its account in NotPrincipal", DocumentKey, doc12(`"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"kms:*","Resource":"*"`), []string{"suggestion notPrincipalBoundary P19", "warning notPrincipalChain P16"}},
		{"P16: user and account in NotPrincipal", DocumentKey, doc12(`"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/u","111111111111"]},"Action":"kms:*","Resource":"*"`), []string{"suggestion notPrincipalBoundary P19"}},
		{"E34: role in a gateway endpoint's policy", DocumentEndpoint, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"s3:*","Resource":"*"`), []string{"warning gatewayPrincipal E34"}},
		{"E34: role in an interface endpoint's policy", DocumentEndpoint, doc12(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/r"},"Action":"sqs:*","Resource":"*"`), nil},
		{"E34: account in a gateway endpoint's policy", DocumentEndpoint, doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*"`), []string{"warning gatewayPrincipal E34"}},
		{"E27: service for anybody", DocumentTopic, doc12(`"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111111111111:t"`), []string{"suggestion confusedDeputy E27"}},
		{"E27: service for one account", DocumentTopic, doc12(`"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111111111111:t","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}`), nil},

		// Conditions.
		{"C8: unknown operator", DocumentIdentity, doc12(objects + `{"StringEqual":{"aws:SourceVpc":"v"}}`), []string{"error unknownOperator C8"}},
		{"C8: operator in another case", DocumentIdentity, doc12(objects + `{"stringequals":{"aws:SourceVpc":"v"}}`), nil},
		{"C8: operator in another case in S3", DocumentBucket, doc12(bucket + `"s3:GetObject","Condition":{"stringequals":{"aws:SourceVpc":"v"}}`), []string{"warning operatorCase C8"}},
		{"C5: NullIfExists", DocumentIdentity, doc12(objects + `{"NullIfExists":{"aws:SourceVpc":"true"}}`), []string{"error nullIfExists C5"}},
		{"C26: ForAnyValue:Null", DocumentIdentity, doc12(objects + `{"ForAnyValue:Null":{"aws:SourceVpc":"true"}}`), []string{"warning nullSet C26"}},
		{"C28: number", DocumentIdentity, doc12(denyAll + `{"NumericLessThan":{"aws:MultiFactorAuthAge":"1h"}}`), []string{"warning operandType C28"}},
		{"C28: date", DocumentIdentity, doc12(denyAll + `{"DateLessThan":{"aws:CurrentTime":"01/02/2025"}}`), []string{"warning operandType C28"}},
		{"C28: bool", DocumentIdentity, doc12(denyAll + `{"Bool":{"aws:SecureTransport":"yes"}}`), []string{"warning operandType C28"}},
		{"C28: address", DocumentIdentity, doc12(objects + `{"IpAddress":{"aws:SourceIp":"203.0.113.0/33"}}`), []string{"warning operandType C28"}},
		{"C28: ARN", DocumentIdentity, doc12(objects + `{"ArnLike":{"aws:SourceArn":"arn:aws:s3"}}`), []string{"warning operandType C28"}},
		{"C28: * for an ARN", DocumentIdentity, doc12(objects + `{"ArnLike":{"aws:SourceArn":"*"}}`), []string{"warning operandType C28"}},
		{"C28: values that are right", DocumentIdentity, doc12(denyAll + `{"NumericLessThan":{"aws:MultiFactorAuthAge":3600},"DateLessThan":{"aws:CurrentTime":"2025-01-31T00:00:00Z"},"Bool":{"aws:SecureTransport":false},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`), nil},
		{"C18: private address", DocumentIdentity, doc12(objects + `{"IpAddress":{"aws:SourceIp":"10.1.0.0/16"}}`), []string{"warning privateAddress C18"}},
		{"C18: range under StringEquals", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceIp":"203.0.113.0/24"}}`), []string{"warning operandType C18"}},
		{"C16: two booleans", DocumentIdentity, doc12(objects + `{"Bool":{"aws:SecureTransport":["true","false"]}}`), []string{"warning severalBooleans C16"}},
		{"C10: * under StringEquals", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/*"}}`), []string{"warning literalWildcard C10"}},
		{"C12: StringLike without wildcard", DocumentIdentity, doc12(objects + `{"StringLike":{"aws:PrincipalOrgID":"o-1"}}`), []string{"suggestion noWildcard C12"}},
		{"V2: variable in IpAddress", DocumentIdentity, doc12(objects + `{"IpAddress":{"aws:SourceIp":"${aws:VpcSourceIp}"}}`), []string{"warning variableInOperator V2"}},
		{"G8: keys that differ in case", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":"v","aws:sourcevpc":"v"}}`), []string{"error duplicateKey G8"}},
		{"C3: key without service", DocumentIdentity, doc12(objects + `{"IpAddress":{"SourceIp":"203.0.113.0/24"}}`), []string{"warning keyWithoutService C3"}},
		{"C3: key without service in S3", DocumentBucket, doc12(bucket + `"s3:GetObject","Condition":{"IpAddress":{"SourceIp":"203.0.113.0/24"}}`), []string{"error keyWithoutService C3"}},
		{"C3: key with a URL", DocumentTrust, doc12(`"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/o.example"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"https://o.example:sub":"s"}}`), []string{"error urlKey C3"}},
		{"C4: unknown global key in S3", DocumentBucket, doc12(bucket + `"s3:GetObject","Condition":{"StringEquals":{"aws:SourceVpcs":"v"}}`), []string{"warning unknownKey C4"}},
		{"C4: unknown global key", DocumentIdentity, doc12(objects + `{"IpAddress":{"aws:SourceIP4":"203.0.113.0/24"}}`), []string{"warning unknownKey C4"}},
		{"C4: unknown key in S3", DocumentBucket, doc12(bucket + `"s3:GetObject","Condition":{"StringEquals":{"s3:prefixx":"v"}}`), []string{"error unknownKey C4"}},
		{"C4: key that AWS doesn't document", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:PrincipalOrgMasterAccountId":"111111111111"}}`), nil},
		{"C4: key that the action doesn't supply", DocumentIdentity, doc12(objects + `{"StringEquals":{"s3:prefix":"v"}}`), []string{"warning keyNotSupplied C4"}},
		{"C4: key that one action doesn't supply", DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:ListBucket","s3:GetObject"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"StringEquals":{"s3:prefix":"v"}}`), []string{"warning keyNotSuppliedByAll C4"}},
		{"C4: key of another service", DocumentIdentity, doc12(`"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"v"}}`), []string{"warning keyNotSupplied C4"}},
		{"C4: key that goes with calls to any service", DocumentIdentity, doc12(objects + `{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:us-east-1:111111111111:function:f"}}`), nil},
		{"C4: key that the action has on one of its resources", DocumentIdentity, doc12(`"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*","Condition":{"StringNotEquals":{"ec2:InstanceType":"t3.micro"}}`), []string{"warning keyOfOtherResource C4"}},
		{"C4: on that one", DocumentIdentity, doc12(`"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringNotEquals":{"ec2:InstanceType":"t3.micro"}}`), nil},
		{"C6: or where it is there", DocumentIdentity, doc12(`"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*","Condition":{"StringNotEquals":{"ec2:InstanceType":"t3.micro"},"Null":{"ec2:InstanceType":"false"}}`), nil},
		{"C4: key of the action", DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringEquals":{"s3:prefix":"v"}}`), nil},
		{"C4: Deny without MFA", DocumentIdentity, doc12(denyAll + `{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`), []string{"warning missingIfExists C4"}},
		{"C5: Deny without MFA, IfExists", DocumentIdentity, doc12(denyAll + `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), nil},
		{"C5: Allow with MFA, IfExists", DocumentIdentity, doc12(objects + `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`), []string{"warning ifExistsAllow C5"}},
		{"C4: Deny outside a network", DocumentIdentity, doc12(denyAll + `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), []string{"suggestion absentKeyDenied C4"}},
		{"C4: Deny outside a network but for services", DocumentIdentity, doc12(denyAll + `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Bool":{"aws:ViaAWSService":"false"}}`), nil},
		{"C24: ForAllValues in an Allow", DocumentIdentity, doc12(objects + `{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}}`), []string{"warning forAllValuesAllow C24"}},
		{"C24: ForAllValues with Null", DocumentIdentity, doc12(objects + `{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"},"Null":{"aws:PrincipalOrgPaths":"false"}}`), nil},
		{"C24: ForAllValues in a Deny", DocumentIdentity, doc12(denyAll + `{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}}`), nil},
		{"C27: several values without set operator", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}}`), []string{"warning missingSetOperator C27"}},
		{"C24: ForAnyValue of one value", DocumentIdentity, doc12(objects + `{"ForAnyValue:StringEquals":{"aws:SourceVpc":"v"}}`), []string{"suggestion setOnSingle C24"}},
		{"C1: never both", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":"vpc-1"},"StringLike":{"aws:SourceVpc":"vpc-2*"}}`), []string{"warning neverTrue C1"}},
		{"C1: equal and not equal", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":"vpc-1"},"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`), []string{"warning neverTrue C1"}},
		{"C6: present and missing", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":"vpc-1"},"Null":{"aws:SourceVpc":"true"}}`), []string{"warning neverTrue C1"}},
		{"C1: both possible", DocumentIdentity, doc12(objects + `{"StringEquals":{"aws:SourceVpc":["vpc-1","vpc-2"]},"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == nil {
				c.want = []string{}
			}
			if diff := cmp.Diff(c.want, codes(t, c.typ, c.text)); diff != "" {
				t.Errorf("Validate(%s, %s) (-want +got):\n%s", c.typ, c.text, diff)
			}
		})
	}
}

// TestValidateWords holds place, message, fix and AWS's words of one finding of each kind of sentence.
func TestValidateWords(t *testing.T) {
	for _, c := range []struct {
		typ  DocumentType
		text string
		want Finding
	}{
		{DocumentIdentity, "{\"Version\":\"2012-10-17\",\n\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\",\n \"Condition\":{\"StringEqualIfExists\":{\"aws:SourceVpc\":\"v\"}}}}", Finding{
			SeverityError, "unknownOperator", "C8", policy.Pos{Line: 3, Col: 15}, `condition operator "StringEqualIfExists" doesn't exist`,
			"did you mean StringEqualsIfExists?", "MalformedPolicyDocument: Syntax errors in policy."}},
		{DocumentIdentity, doc12(`"Principal":"*","Effect":"Allow","Action":"s3:GetObject","Resource":"*"`), Finding{
			SeverityError, "forbiddenElement", "G20", policy.Pos{Line: 1, Col: 51}, "a managed policy can't have Principal",
			"remove it: the policy holds for who it is attached to", "MalformedPolicyDocument: Policy document should not specify a principal."}},
		{DocumentBucket, doc12(`"Principal":{"AWS":"111111111111"},"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/*"`), Finding{
			SeverityError, "resourceMismatch", "R15", policy.Pos{Line: 1, Col: 100}, "s3:ListBucket is an action on bucket, and no resource of the statement is one: it never applies",
			"add arn:aws:s3:::b", "MalformedPolicy: Action does not apply to any resource(s) in statement"}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:PutObjectTagging"],"Resource":"arn:aws:s3:::b"`), Finding{
			SeverityWarning, "resourceMismatch", "R15", policy.Pos{Line: 1, Col: 66}, "s3:GetObject, s3:PutObject and 2 others are actions on object, and no resource of the statement is one: they never apply",
			"add arn:aws:s3:::b/*", ""}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:HeadObject","Resource":"*"`), Finding{
			SeverityWarning, "unknownAction", "A1", policy.Pos{Line: 1, Col: 65}, `Amazon S3 has no action "HeadObject": it matches nothing`,
			"write s3:GetObject, which the API call HeadObject needs", ""}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3.GetObject","Resource":"*"`), Finding{
			SeverityError, "actionWithoutService", "A3", policy.Pos{Line: 1, Col: 65}, `action "s3.GetObject" has no service: want service:Action, or * alone`,
			"did you mean s3:GetObject?", iamVendor}},
		{DocumentIdentity, doc12(`"Effect":"deny","Action":"s3:GetObject","Resource":"*"`), Finding{
			SeverityError, "invalidEffect", "G5", policy.Pos{Line: 1, Col: 48}, `Effect is neither Allow nor Deny but "deny" (Deny?)`, "", iamLegacy}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3::b/*"`), Finding{
			SeverityError, "shortARN", "R8", policy.Pos{Line: 1, Col: 91}, `ARN "arn:aws:s3::b/*" has 5 of 6 parts: a colon is missing`, "write arn:aws:s3:::b/*", iamLegacy}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":"GetObject","Resource":"*"`), Finding{
			SeverityError, "actionWithoutService", "A3", policy.Pos{Line: 1, Col: 65}, `action "GetObject" has no service: want service:Action, or * alone`,
			"", "MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."}},
		{DocumentIdentity, doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/—"`), Finding{
			SeverityError, "illegalCharacter", "G17", policy.Pos{Line: 1, Col: 107}, "character U+2014 can't be stored in IAM, which takes U+0020 to U+00FF, tab and line breaks", "write it in ASCII", ""}},
	} {
		doc, err := policy.Parse("", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		got := Validate(doc, c.typ, ValidateOptions{})
		if len(got) != 1 {
			t.Fatalf("Validate(%s) has %d findings, want one: %+v", c.text, len(got), got)
		}
		if c.want.Code == "actionWithoutService" && c.want.Fix == "" {
			c.want.Fix = got[0].Fix // whether the name is one service's alone hangs on the reference
		}
		if diff := cmp.Diff(c.want, got[0]); diff != "" {
			t.Errorf("Validate(%s) (-want +got):\n%s", c.text, diff)
		}
	}
}

// TestValidateEmbedded: a document in a string has one position; each thing is told once all the same, and where.
func TestValidateEmbedded(t *testing.T) {
	at := policy.Pos{File: "iam.json", Line: 7, Col: 3}
	doc, err := policy.ParseString(at, doc12(
		`"Sid":"One","Effect":"Allow","Action":"GetObject","Resource":"*","Condition":{"StringEqual":{"aws:SourceVpc":"v"}}`,
		`"Effect":"Allow","Action":"s3:Get—","Resource":"arn:aws:s3:::b/${"`))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, f := range Validate(doc, DocumentIdentity, ValidateOptions{}) {
		if f.Pos != at {
			t.Errorf("%s is at %s, want %s", f.Code, f.Pos, at)
		}
		where, _, _ := strings.Cut(f.Message, ": ")
		got = append(got, f.Severity.String()+" "+f.Code+" "+where)
	}
	want := []string{
		"error illegalCharacter character U+2014 can't be stored in IAM, which takes U+0020 to U+00FF, tab and line breaks",
		`error actionWithoutService statement "One"`, `error unknownOperator statement "One"`, "error malformedVariable statement 2", "warning unknownAction statement 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestValidateOptions(t *testing.T) {
	big, err := policy.Parse("", []byte(doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/`+strings.Repeat("x", 6100)+`"`)))
	if err != nil {
		t.Fatal(err)
	}
	if got := Validate(big, DocumentIdentity, ValidateOptions{AWSManaged: true}); len(got) > 0 {
		t.Errorf("the customers' limit holds for AWS: %+v", got)
	}
	old, err := policy.Parse("", []byte(`{"Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for opts, want := range map[ValidateOptions]Severity{{}: SeverityError, {Assumed: true}: SeverityWarning, {Collected: true}: SeveritySuggestion} {
		if got := Validate(old, DocumentIdentity, opts); len(got) != 1 || got[0].Severity != want {
			t.Errorf("%+v: a managed policy without Version: %+v, want one %s", opts, got, want)
		}
	}
	wide, err := policy.Parse("", []byte(doc12(`"Effect":"Deny","Action":"s3:GetObject","Resource":"*"`+strings.Repeat(" ", 5100))))
	if err != nil {
		t.Fatal(err)
	}
	if got := Validate(wide, DocumentSCP, ValidateOptions{Collected: true}); len(got) > 0 {
		t.Errorf("the collector's whitespace counts: %+v", got)
	}
}

// TestValidateHostile: a document as large as can be parsed, made to need much comparing, takes bounded time, and
// nothing is said of what wasn't compared.
func TestValidateHostile(t *testing.T) {
	many := func(n int, each func(int) string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = each(i)
		}
		return strings.Join(list, ",")
	}
	for name, text := range map[string]string{
		"actions and resources": doc12(`"Effect":"Allow","Action":[` + many(10_000, func(i int) string { return fmt.Sprintf("%q", "ec2:*"+strings.Repeat("*", i%50)+"e*") }) + `],"Resource":[` +
			many(10_000, func(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("arn:aws:ec2:*:*:*a*/%d", i)) }) + `]`),
		"conditions": doc12(`"Effect":"Deny","Action":[` + many(10_000, func(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("s3:x%d", i)) }) + `],"Resource":"*","Condition":{` +
			many(10_000, func(i int) string {
				return fmt.Sprintf(`"StringNotEquals%s":{"aws:SourceIp":["a","b"]}`, strings.Repeat(" ", i%7)+fmt.Sprint(i))
			}) + `}`),
		"words": doc12(`"Effect":"Deny","Action":[` + many(30_000, func(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("Describe%d", i)) }) + `],"Resource":"*"`),
	} {
		doc, err := policy.Parse("", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		start := time.Now()
		findings := Validate(doc, DocumentRoleInline, ValidateOptions{})
		if d := time.Since(start); d > 2*time.Minute {
			t.Errorf("%s: Validate took %v", name, d)
		}
		if len(findings) > 2*maxFindings {
			t.Errorf("%s: %d findings", name, len(findings))
		}
		for _, f := range findings {
			if name == "actions and resources" && f.Code != "size" {
				t.Errorf("%s: %+v", name, f)
				break
			}
		}
	}
}

func TestDetectType(t *testing.T) {
	for _, c := range []struct {
		text string
		want DocumentType
	}{
		{doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`), DocumentIdentity},
		{doc12(`"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{"Service":"ec2.amazonaws.com"}`), DocumentTrust},
		{doc12(`"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`), DocumentBucket},
		{doc12(`"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"`), DocumentResource},
		{doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"kms:*","Resource":"*"`), DocumentKey},
		{doc12(`"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"`), DocumentResource},
		{doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"SQS:SendMessage","Resource":"arn:aws:sqs:us-east-1:111111111111:q"`), DocumentQueue},
		{doc12(`"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"ecr:BatchGetImage"`), DocumentRepository},
		{doc12(`"Effect":"Deny","Principal":"*","Action":["s3:*","sqs:*"],"Resource":"*"`), DocumentResource},
	} {
		doc, err := policy.Parse("", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := DetectType(doc); got != c.want {
			t.Errorf("DetectType(%s) = %s, want %s", c.text, got, c.want)
		}
	}
}

// TestValidateReal holds Validate to what AWS has saved: no error in any of its own
// policies, and none in samples and recordings but those that are known to be wrong.
func TestValidateReal(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED is not set: the policies that AWS published are not at hand")
	}
	dir := filepath.Join(shared, "data", "policies")
	validated := 0
	check := func(name string, data []byte, typ DocumentType, known map[string]bool, opts ValidateOptions) {
		doc, err := policy.Parse(name, data)
		findings := SyntaxFindings(err, typ)
		if err == nil {
			findings = Validate(doc, typ, opts)
		}
		validated++
		for _, f := range findings {
			if f.Severity == SeverityError && !known[f.Code] {
				t.Errorf("%s as %s: %s %s", f.Pos, typ, f.Code, f.Message)
			}
		}
	}
	lines(t, filepath.Join(dir, "aws-managed-policies.jsonl"), func(i int, line []byte) {
		var p struct {
			Name     string
			Document json.RawMessage
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		check(p.Name, p.Document, DocumentIdentity, nil, ValidateOptions{AWSManaged: true})
	})
	kinds := map[string]DocumentType{"s3": DocumentBucket, "sns": DocumentTopic, "sqs": DocumentQueue, "kms": DocumentKey, "lambda": DocumentFunction}
	lines(t, filepath.Join(dir, "recorded-resource-policies", "policies.jsonl"), func(i int, line []byte) {
		var p struct {
			Service  string
			Document json.RawMessage
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprintf("recorded %d", i+1), p.Document, kinds[p.Service], map[string]bool{"wrongType": true}, ValidateOptions{Collected: true})
	})
	samples := map[string]DocumentType{
		"service-control-policy-examples": DocumentSCP, "resource-control-policy-examples": DocumentRCP,
		"data-perimeter-policy-examples/service_control_policies": DocumentSCP, "data-perimeter-policy-examples/resource_control_policies": DocumentRCP,
		"data-perimeter-policy-examples/vpc_endpoint_policies": DocumentEndpoint,
	}
	for sub, typ := range samples {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(name string, d os.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".json" {
				return err
			}
			data, err := os.ReadFile(name)
			if err == nil {
				check(filepath.Base(name), data, typ, knownSampleErrors[filepath.Base(name)], ValidateOptions{})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if validated < 1500 {
		t.Errorf("only %d policies found", validated)
	}
}

// knownSampleErrors are of samples that can't be saved as they stand.
var knownSampleErrors = map[string]map[string]bool{
	"deny-service-specific-credential-by-type.json": {"json": true},                                            // a comma is missing
	"resource_perimeter_scp.json":                   {"invalidResource": true},                                 // <third-party-resource>
	"s3_endpoint_policy.json":                       {"actionWithoutService": true},                            // <action>
	"api_gateway_policy.json":                       {"rcpAction": true},                                       // a resource's policy
	"sns_topic_policy.json":                         {"rcpAction": true},                                       // likewise
	"Shared-Issuers.json":                           {"missingResource": true, "rcpAllow": true, "size": true}, // a trust policy's statement among an RCP's
}

func lines(t *testing.T, name string, each func(int, []byte)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for i := 0; s.Scan(); i++ {
		each(i, s.Bytes())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// FuzzGlobsMeet holds globsMeet to matching: a text without wildcards meets a pattern if it matches it.
func FuzzGlobsMeet(f *testing.F) {
	f.Add("arn:aws:s3:::b*", "arn:aws:s3:::bucket/key")
	f.Add("a?c*", "abcd")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.ContainsAny(pattern+text, "\x01\x02") || strings.ContainsAny(text, "*?") || len(pattern)+len(text) > 200 {
			t.Skip()
		}
		if got, want := globsMeet(pattern, text), simpleMatch(pattern, text); got != want {
			t.Errorf("globsMeet(%q, %q) = %v, want %v", pattern, text, got, want)
		}
		if globsMeet(pattern, text) != globsMeet(text, pattern) {
			t.Errorf("globsMeet(%q, %q) hangs on the order", pattern, text)
		}
		if !globsMeet(pattern, pattern) {
			t.Errorf("globsMeet(%q, itself) is false", pattern)
		}
	})
}

// FuzzValidate: any text that can be parsed gives findings inside it, the same ones each time, in
// order, for every type; and what the compiler can't interpret is an error.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(doc12(`"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}"`)))
	f.Add([]byte(doc12(`"Effect":"Deny","NotPrincipal":{"AWS":["1","arn:aws:iam::111111111111:role/*"]},"NotAction":["s*:x","iam:*"],"Condition":{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":["a",1,true]},"Nul":{"a":[]}}`)))
	f.Add([]byte(`{"Statement":{"Resource":"arn::s:::"}}`)) // several names are equally near to s
	f.Add([]byte("{\n\t\"Version\": \"2008-10-17\",\n\"Statement\": {\"Effect\":\"Allow\",\"Action\":[],\"Resource\":[\"arn:aws:iam\",\"x\",\"*\"]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := policy.Parse("", data)
		if err != nil {
			for _, finding := range SyntaxFindings(err, DocumentIdentity) {
				if finding.Message == "" {
					t.Errorf("finding without message: %+v", finding)
				}
			}
			return
		}
		rows := strings.Split(string(data), "\n")
		uninterpretable := len(Compile(doc).Defects()) > 0
		for _, typ := range DocumentTypes() {
			findings := Validate(doc, typ, ValidateOptions{})
			if diff := cmp.Diff(findings, Validate(doc, typ, ValidateOptions{})); diff != "" {
				t.Fatalf("as %s, again (-first +second):\n%s", typ, diff)
			}
			errors, last := 0, policy.Pos{}
			for _, finding := range findings {
				p := finding.Pos
				if p.Line < 1 || p.Line > len(rows) || p.Col < 1 || p.Col > len(rows[p.Line-1])+1 {
					t.Errorf("as %s: %+v is outside the text", typ, finding)
				}
				if p.Line < last.Line || p.Line == last.Line && p.Col < last.Col {
					t.Errorf("as %s: %+v comes after %v", typ, finding, last)
				}
				last = p
				if finding.Severity == SeverityError {
					errors++
				}
			}
			if uninterpretable && errors == 0 && !(typ == DocumentRCP && isRCPFullAWSAccess(doc)) && len(findings) < maxFindings {
				t.Errorf("as %s: the compiler can't interpret it, and Validate has no error: %v", typ, Compile(doc).Defects())
			}
		}
	})
}

// TestInlineSize: the limit holds for the sum (G19), and is told of before it is reached.
func TestInlineSize(t *testing.T) {
	doc := func(n int) *policy.Document {
		d, err := policy.Parse("", []byte(doc12(`"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/`+strings.Repeat("x", n)+`"`)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name string
		typ  DocumentType
		docs []*policy.Document
		want string
	}{
		{"room", DocumentUserInline, []*policy.Document{doc(100), doc(100)}, ""},
		{"one alone is Validate's", DocumentUserInline, []*policy.Document{doc(3000)}, ""},
		{"nearly full", DocumentUserInline, []*policy.Document{doc(900), doc(800)}, "suggestion inlineSize G19"},
		{"too much together", DocumentUserInline, []*policy.Document{doc(1000), doc(1000)}, "error inlineSize G19"},
		{"a role may have more", DocumentRoleInline, []*policy.Document{doc(1000), doc(1000)}, ""},
	} {
		got := ""
		if f, ok := InlineSize(c.typ, "arn:aws:iam::111111111111:user/u", c.docs); ok {
			got = f.Severity.String() + " " + f.Code + " " + f.Rule
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestFirstOf: what a message doesn't name it counts.
func TestFirstOf(t *testing.T) {
	for most, want := range map[int]string{1: "a and 2 more", 2: "a, b and 1 more", 3: "a, b, c", 4: "a, b, c"} {
		if got := firstOf([]string{"a", "b", "c"}, most); got != want {
			t.Errorf("firstOf 3 of at most %d = %q, want %q", most, got, want)
		}
	}
}
