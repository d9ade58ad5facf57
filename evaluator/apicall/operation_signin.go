package apicall

// signInOperations are those by which somebody proves who they are, or that take a token
// instead of AWS credentials: IAM isn't asked for an action (S9, S10, T78).
var signInOperations = []authorisation{
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
	as("sts", "GetCallerIdentity GetSessionToken", none),
	as("signin", "ConsoleLogin", none),

	// Cognito doesn't evaluate IAM policies for what users do with their own tokens.
	// https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-public-server-side.html
	as("cognito-idp", `AssociateSoftwareToken ChangePassword CompleteWebAuthnRegistration ConfirmDevice ConfirmForgotPassword ConfirmSignUp
		DeleteUser DeleteUserAttributes DeleteWebAuthnCredential ForgetDevice ForgotPassword GetClientToken GetDevice GetTokensFromRefreshToken GetUser
		GetUserAttributeVerificationCode GetUserAuthFactors GlobalSignOut InitiateAuth ListDevices ListUserSessions ListWebAuthnCredentials
		ResendConfirmationCode RespondToAuthChallenge RevokeToken RevokeUserSession SetUserMFAPreference SetUserSettings SignUp StartWebAuthnRegistration
		UpdateAuthEventFeedback UpdateDeviceStatus UpdateUserAttributes VerifySoftwareToken VerifyUserAttribute`, none),

	// Public APIs: whoever calls them shows an identity provider's token, or nothing.
	// https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
	as("cognito-identity", "GetCredentialsForIdentity GetId GetOpenIdToken UnlinkIdentity", none),

	// https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/Welcome.html
	as("sso-oauth", "CreateToken RegisterClient StartDeviceAuthorization", none),
	// The access portal's API takes the token that the OIDC service gave.
	// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/welcome.html
	as("sso", "GetRoleCredentials ListAccountRoles ListAccounts Logout", none),
	// CloudTrail's events of people who sign in, and of the OIDC service under the portal's name.
	// https://docs.aws.amazon.com/singlesignon/latest/userguide/sso-info-in-cloudtrail.html
	as("sso", "Authenticate CreateToken Federate RegisterClient StartDeviceAuthorization", none),
	as("signin", "CredentialChallenge CredentialVerification UserAuthentication", none),

	// The participants of a chat have a token of their own, not a signature.
	// https://docs.aws.amazon.com/connect-participant/latest/APIReference/Welcome.html
	as("execute-api", `CancelParticipantAuthentication CompleteAttachmentUpload CreateParticipantConnection DescribeView DisconnectParticipant
		GetAttachment GetAuthenticationUrl GetTranscript SendEvent SendMessage StartAttachmentUpload`, none),

	// CodeCatalyst's own roles permit what its users do, with a token of IAM Identity Center.
	// https://docs.aws.amazon.com/codecatalyst/latest/APIReference/welcome.html
	as("codecatalyst", `CreateAccessToken CreateDevEnvironment CreateProject CreateSourceRepository CreateSourceRepositoryBranch
		DeleteAccessToken DeleteDevEnvironment DeleteProject DeleteSourceRepository DeleteSpace GetDevEnvironment GetProject
		GetSourceRepository GetSourceRepositoryCloneUrls GetSpace GetSubscription GetUserDetails GetWorkflow GetWorkflowRun
		ListAccessTokens ListDevEnvironmentSessions ListDevEnvironments ListEventLogs ListProjects ListSourceRepositories
		ListSourceRepositoryBranches ListSpaces ListWorkflowRuns ListWorkflows StartDevEnvironment StartDevEnvironmentSession
		StartWorkflowRun StopDevEnvironment StopDevEnvironmentSession UpdateDevEnvironment UpdateProject UpdateSpace VerifySession`, none),
}
