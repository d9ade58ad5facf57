package apicall

import (
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A need is a permission that operations need beside their own action's, because of a parameter.
type need struct {
	operations string // of one service: "lambda:CreateFunction UpdateFunctionConfiguration"
	when       string // parameters of which one triggers it
	actions    string
	resource   string // an ARN as arn takes it, * for an action without resource types, "" for the operation's own resource
	perhaps    bool   // not even the parameter makes it sure
	except     string // a value of the parameter that triggers nothing
}

// needs by operation, from the services' API references, which list what a call has to be allowed.
var needs = indexNeeds([]need{
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
	// https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html
	{operations: "lambda:CreateFunction UpdateFunctionConfiguration", when: "vpcConfig.subnetIds", actions: "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs", resource: "*"},
	{operations: "lambda:CreateFunction UpdateFunctionConfiguration", when: "layers", actions: "lambda:GetLayerVersion", resource: "lambda:{r}:*:layer:{layers}"},
	{operations: "lambda:CreateFunction", when: "capacityProviderConfig", actions: "lambda:PassCapacityProvider", resource: "lambda:{r}:{a}:capacity-provider:{capacityProviderConfig.lambdaManagedInstancesCapacityProviderConfig.capacityProviderArn}"},

	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
	{operations: "s3:PutObject CopyObject CreateMultipartUpload", when: "x-amz-acl ACL", except: "private", actions: "s3:PutObjectAcl"},
	{operations: "s3:PutObject CopyObject CreateMultipartUpload", when: grantHeaders, actions: "s3:PutObjectAcl"},
	{operations: "s3:PutObject CopyObject CreateMultipartUpload", when: "x-amz-tagging Tagging", actions: "s3:PutObjectTagging"},
	{operations: "s3:PutObject CopyObject CreateMultipartUpload", when: "x-amz-object-lock-mode ObjectLockMode x-amz-object-lock-retain-until-date ObjectLockRetainUntilDate", actions: "s3:PutObjectRetention"},
	{operations: "s3:PutObject CopyObject CreateMultipartUpload", when: "x-amz-object-lock-legal-hold ObjectLockLegalHoldStatus", actions: "s3:PutObjectLegalHold"},
	{operations: "s3:CreateBucket", when: "x-amz-acl ACL", except: "private", actions: "s3:PutBucketAcl"},
	{operations: "s3:CreateBucket", when: grantHeaders, actions: "s3:PutBucketAcl"},
	{operations: "s3:CreateBucket", when: "x-amz-object-ownership ObjectOwnership", actions: "s3:PutBucketOwnershipControls"},
	{operations: "s3:CreateBucket", when: "x-amz-bucket-object-lock-enabled ObjectLockEnabledForBucket", except: "false", actions: "s3:PutBucketObjectLockConfiguration s3:PutBucketVersioning"},

	// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
	{operations: "autoscaling:CreateAutoScalingGroup UpdateAutoScalingGroup", when: "launchTemplate mixedInstancesPolicy.launchTemplate", actions: "ec2:RunInstances", resource: "ec2:{r}:*:*"},

	// https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html
	{operations: "route53:AssociateVPCWithHostedZone CreateVPCAssociationAuthorization", when: "vPC.vPCId associateVPCWithHostedZoneRequest.vPC.vPCId", actions: "ec2:DescribeVpcs", resource: "*", perhaps: true},
})

const grantHeaders = `x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp
	GrantFullControl GrantRead GrantReadACP GrantWrite GrantWriteACP`

func indexNeeds(rows []need) map[string][]need {
	t := make(map[string][]need)
	for _, n := range rows {
		service, operations, _ := strings.Cut(n.operations, ":")
		for operation := range strings.FieldsSeq(operations) {
			t[service+":"+operation] = append(t[service+":"+operation], n)
		}
	}
	return t
}

// need are the requests of a row: required if its parameter is given, candidates if nobody knows whether it is.
func (d *derivation) need(n need, own []Request) []Request {
	state := notGiven
	for _, path := range d.spelled(strings.Fields(n.when)...) {
		switch v, s := d.params.one(path); {
		case s == given && v == n.except:
		case s == notGiven:
		default:
			if _, s = d.params.nodes(path); s == given {
				state = given
			} else if state == notGiven {
				state = notKnown
			}
		}
	}
	if state == notGiven {
		return nil
	}
	var all []Request
	required := state == given && !n.perhaps
	for action := range strings.FieldsSeq(n.actions) {
		switch n.resource {
		case "":
			r := own[0]
			r.Action, r.ActionSource, r.Required, r.Context, r.Puts = action, FromTable, required, nil, nil
			all = append(all, r)
		case "*":
			all = append(all, d.on(action, FromTable, required, []evaluator.Resource{{ARN: "*", Account: d.owner}})...)
		default:
			all = append(all, d.on(action, FromTable, required, d.fill(n.resource))...)
		}
	}
	return all
}

// spelled leaves of a parameter's names those that the call may use. Some operations of S3 have a member of the API and, in
// CloudTrail, a subresource of the same name that always is there: acl, tagging. Names that begin with a
// capital are the API's, and count only in calls that don't name the bucket as CloudTrail does.
func (d *derivation) spelled(names ...string) []string {
	if d.prefix != "s3" {
		return names
	}
	if _, ok := lookup(d.params.root, "bucketName"); !ok {
		return names
	}
	var all []string
	for _, name := range names {
		if name[0] < 'A' || name[0] > 'Z' {
			all = append(all, name)
		}
	}
	return all
}
