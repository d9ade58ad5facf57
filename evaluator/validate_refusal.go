package evaluator

// How AWS words its refusals, in one place: what isn't here isn't presented as AWS's words. Each wording
// was found, letter by letter, in error messages that people quote in the issues of deployment tools
// (Terraform's AWS provider and modules, CDK, kops, cfn-lint …), or, where that is said, in
// recordings of AWS's answers that emulators of AWS test against. Where only the error code is known, only that is given.

// IAM, on policies of identities: CreatePolicy, PutRolePolicy and the like.
const (
	malformed = "MalformedPolicyDocument" // the code alone

	iamSyntax      = malformed + ": Syntax errors in policy."
	iamSids        = malformed + ": Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	iamUniqueSids  = malformed + ": Statement IDs (SID) in a single policy must be unique."
	iamPrincipal   = malformed + ": Policy document should not specify a principal."
	iamNoResources = malformed + ": Policy statement must contain resources."
	iamVendor      = malformed + ": Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	iamColons      = malformed + ": Actions/Condition can contain only one colon."
	iamWildcard    = malformed + ": Action vendors (e.g., aws, ec2, etc.) must not contain wildcards."
	iamLegacy      = malformed + ": The policy failed legacy parsing"
	iamVersion     = malformed + ": Policy document must be version 2012-10-17 or greater." // managed policies only
	iamNoActions   = malformed + ": Policy statement must contain actions."                 // recorded
)

// iamVendorInvalid is recorded.
func iamVendorInvalid(prefix string) string {
	return malformed + ": Vendor " + prefix + " is not valid"
}

func iamNoARN(resource string) string {
	return malformed + ": Resource " + resource + ` must be in ARN format or "*".`
}

func iamPartition(partition, resource string) string {
	return malformed + `: Partition "` + partition + `" is not valid for resource "` + resource + `".`
}

// iamRegion is on the region in an ARN of IAM or of a bucket.
func iamRegion(service, resource string) string {
	if service == "s3" {
		return malformed + ": Resource " + resource + " can not contain region information."
	}
	return malformed + ": IAM resource " + resource + " cannot contain region information."
}

// IAM, on trust policies: CreateRole, UpdateAssumeRolePolicy.
const (
	trustJSON     = malformed + ": This policy contains invalid Json"
	trustResource = malformed + ": Has prohibited field Resource"
	trustClaims   = malformed + ": Trust policy must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase" // as others report it; the keys follow
	trustColons   = malformed + ": Condition can contain only one colon."
	trustForeign  = malformed + ": AssumeRole policy may only specify STS AssumeRole actions." // recorded
)

func iamInvalidPrincipal(kind, value string) string {
	return malformed + ": Invalid principal in policy: " + quote(kind) + ":" + quote(value)
}

// AWS Organizations, KMS, SNS, SQS and ECR.
const (
	orgSyntax      = "MalformedPolicyDocumentException: The provided policy document does not meet the requirements of the specified policy type."
	kmsSyntax      = "MalformedPolicyDocumentException" // the code alone; Secrets Manager has it, too
	kmsLockout     = "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."
	topicActions   = "InvalidParameter: Invalid parameter: Policy statement action out of service scope!"
	topicSids      = "Invalid parameter: Every policy statement must have a unique ID."
	queueSyntax    = "InvalidAttributeValue: Invalid value for the parameter Policy."
	registrySyntax = "InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
)

// S3, on bucket policies: PutBucketPolicy.
const (
	bucketMalformed = "MalformedPolicy" // the code alone

	bucketFirstByte  = bucketMalformed + ": Policies must be valid JSON and the first byte must be '{'"
	bucketPrincipal  = bucketMalformed + ": Invalid principal in policy"
	bucketNobody     = bucketMalformed + ": Missing required field Principal"
	bucketElement    = bucketMalformed + ": Statement is missing required element"
	bucketAction     = bucketMalformed + ": Policy has invalid action"
	bucketResource   = bucketMalformed + ": Policy has invalid resource"
	bucketMismatch   = bucketMalformed + ": Action does not apply to any resource(s) in statement"
	bucketConditions = bucketMalformed + ": Conditions do not apply to combination of actions and resources in statement"
	bucketKey        = bucketMalformed + ": Policy has an invalid condition key" // recorded
)

// Quotas.
const (
	managedQuota = "LimitExceeded: Cannot exceed quota for PolicySize: %d"
	trustQuota   = "LimitExceeded: Cannot exceed quota for ACLSizePerRole: %d"
	// inlineQuota ends in the name of the user, group or role.
	inlineQuota = "LimitExceeded: Maximum policy size of %d bytes exceeded for "
)

// identityWords is how IAM words a refusal of an identity's policy; of another kind of document
// only what is known of any refusal.
func (c *checker) identityWords(s string) string {
	if c.rules.identityText() {
		return s
	}
	return c.rules.grammarRefusal
}

// identityText reports whether IAM stores the document as a policy of an identity.
func (r *typeRules) identityText() bool {
	return r.iam && r.principal == mustNotHave && r.typ != DocumentSession
}
