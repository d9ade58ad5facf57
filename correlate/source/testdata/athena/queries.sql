-- older, no partitions: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- older, no partitions: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower('' || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- older, no partitions: events: denials, three days across a year
WHERE eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- older, no partitions: events: errors since
WHERE eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- older, no partitions: events: findings until, accounts and regions
WHERE ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

-- documented, region year month day: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.onbehalfof.userid AS useridentity_onbehalfof_userid,
       useridentity.onbehalfof.identitystorearn AS useridentity_onbehalfof_identitystorearn,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       useridentity.sessioncontext.ec2roledelivery AS useridentity_sessioncontext_ec2roledelivery,
       useridentity.sessioncontext.webidfederationdata.federatedprovider AS useridentity_sessioncontext_webidfederationdata_federatedprovider,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid,
       vpcendpointaccountid,
       eventcategory,
       sessioncredentialfromconsole,
       tlsdetails.tlsversion AS tlsdetails_tlsversion,
       tlsdetails.ciphersuite AS tlsdetails_ciphersuite,
       tlsdetails.clientprovidedhostheader AS tlsdetails_clientprovidedhostheader
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- documented, region year month day: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower(coalesce(eventcategory, '') || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- documented, region year month day: events: denials, three days across a year
WHERE ("year" > '2025' OR "year" = '2025' AND "month" IN ('12') AND "day" IN ('30', '31'))
  AND ("year" < '2026' OR "year" = '2026' AND "month" IN ('1', '01') AND "day" IN ('1', '01', '2', '02'))
  AND eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- documented, region year month day: events: errors since
WHERE ("year" > '2026' OR "year" = '2026' AND "month" IN ('12') OR "year" = '2026' AND "month" IN ('11') AND "day" IN ('19', '20', '21', '22', '23', '24', '25', '26', '27', '28', '29', '30', '31'))
  AND eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- documented, region year month day: events: findings until, accounts and regions
WHERE "region" IN ('eu-west-1', 'it''s', 'us-east-1')
  AND ("year" < '2026' OR "year" = '2026' AND "month" IN ('1', '01', '2', '02', '3', '03', '4', '04', '5', '05', '6', '06', '7', '07', '8', '08', '9', '09', '10') OR "year" = '2026' AND "month" IN ('11') AND "day" IN ('1', '01', '2', '02', '3', '03', '4', '04', '5', '05', '6', '06', '7', '07', '8', '08', '9', '09', '10', '11', '12', '13', '14', '15', '16', '17', '18', '19', '20'))
  AND ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

-- documented, year month day as numbers: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.onbehalfof.userid AS useridentity_onbehalfof_userid,
       useridentity.onbehalfof.identitystorearn AS useridentity_onbehalfof_identitystorearn,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       useridentity.sessioncontext.ec2roledelivery AS useridentity_sessioncontext_ec2roledelivery,
       useridentity.sessioncontext.webidfederationdata.federatedprovider AS useridentity_sessioncontext_webidfederationdata_federatedprovider,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid,
       vpcendpointaccountid,
       eventcategory,
       sessioncredentialfromconsole,
       tlsdetails.tlsversion AS tlsdetails_tlsversion,
       tlsdetails.ciphersuite AS tlsdetails_ciphersuite,
       tlsdetails.clientprovidedhostheader AS tlsdetails_clientprovidedhostheader
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- documented, year month day as numbers: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower(coalesce(eventcategory, '') || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- documented, year month day as numbers: events: denials, three days across a year
WHERE ("year" > 2025 OR "year" = 2025 AND "month" IN (12) AND "day" IN (30, 31))
  AND ("year" < 2026 OR "year" = 2026 AND "month" IN (1) AND "day" IN (1, 2))
  AND eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- documented, year month day as numbers: events: errors since
WHERE ("year" > 2026 OR "year" = 2026 AND "month" IN (12) OR "year" = 2026 AND "month" IN (11) AND "day" IN (19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31))
  AND eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- documented, year month day as numbers: events: findings until, accounts and regions
WHERE ("year" < 2026 OR "year" = 2026 AND "month" IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) OR "year" = 2026 AND "month" IN (11) AND "day" IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20))
  AND ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

-- documented, region and date: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.onbehalfof.userid AS useridentity_onbehalfof_userid,
       useridentity.onbehalfof.identitystorearn AS useridentity_onbehalfof_identitystorearn,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       useridentity.sessioncontext.ec2roledelivery AS useridentity_sessioncontext_ec2roledelivery,
       useridentity.sessioncontext.webidfederationdata.federatedprovider AS useridentity_sessioncontext_webidfederationdata_federatedprovider,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid,
       vpcendpointaccountid,
       eventcategory,
       sessioncredentialfromconsole,
       tlsdetails.tlsversion AS tlsdetails_tlsversion,
       tlsdetails.ciphersuite AS tlsdetails_ciphersuite,
       tlsdetails.clientprovidedhostheader AS tlsdetails_clientprovidedhostheader
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- documented, region and date: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower(coalesce(eventcategory, '') || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- documented, region and date: events: denials, three days across a year
WHERE (NOT regexp_like("date", '^20[0-9]{2}([-/]{0,1}(0[1-9]|1[0-2])|$)') OR rpad(regexp_replace("date", '[^0-9]', ''), 8, '9') >= '20251230')
  AND (NOT regexp_like("date", '^20[0-9]{2}([-/]{0,1}(0[1-9]|1[0-2])|$)') OR rpad(regexp_replace("date", '[^0-9]', ''), 8, '0') <= '20260102')
  AND eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- documented, region and date: events: errors since
WHERE (NOT regexp_like("date", '^20[0-9]{2}([-/]{0,1}(0[1-9]|1[0-2])|$)') OR rpad(regexp_replace("date", '[^0-9]', ''), 8, '9') >= '20261119')
  AND eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- documented, region and date: events: findings until, accounts and regions
WHERE "region" IN ('eu-west-1', 'it''s', 'us-east-1')
  AND (NOT regexp_like("date", '^20[0-9]{2}([-/]{0,1}(0[1-9]|1[0-2])|$)') OR rpad(regexp_replace("date", '[^0-9]', ''), 8, '0') <= '20261120')
  AND ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

-- documented, projected timestamp: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.onbehalfof.userid AS useridentity_onbehalfof_userid,
       useridentity.onbehalfof.identitystorearn AS useridentity_onbehalfof_identitystorearn,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       useridentity.sessioncontext.ec2roledelivery AS useridentity_sessioncontext_ec2roledelivery,
       useridentity.sessioncontext.webidfederationdata.federatedprovider AS useridentity_sessioncontext_webidfederationdata_federatedprovider,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid,
       vpcendpointaccountid,
       eventcategory,
       sessioncredentialfromconsole,
       tlsdetails.tlsversion AS tlsdetails_tlsversion,
       tlsdetails.ciphersuite AS tlsdetails_ciphersuite,
       tlsdetails.clientprovidedhostheader AS tlsdetails_clientprovidedhostheader
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- documented, projected timestamp: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower(coalesce(eventcategory, '') || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- documented, projected timestamp: events: denials, three days across a year
WHERE "timestamp" >= '2025/12/30'
  AND "timestamp" <= '2026/01/02'
  AND eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- documented, projected timestamp: events: errors since
WHERE "timestamp" >= '2026/11/19'
  AND eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- documented, projected timestamp: events: findings until, accounts and regions
WHERE "timestamp" <= '2026/11/20'
  AND ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

-- printed, projected account region timestamp: events: everything
SELECT eventversion,
       useridentity.type AS useridentity_type,
       useridentity.principalid AS useridentity_principalid,
       useridentity.arn AS useridentity_arn,
       useridentity.accountid AS useridentity_accountid,
       useridentity.invokedby AS useridentity_invokedby,
       useridentity.accesskeyid AS useridentity_accesskeyid,
       useridentity.username AS useridentity_username,
       useridentity.identityprovider AS useridentity_identityprovider,
       useridentity.inscopeof.sourcearn AS useridentity_inscopeof_sourcearn,
       useridentity.onbehalfof.userid AS useridentity_onbehalfof_userid,
       useridentity.onbehalfof.identitystorearn AS useridentity_onbehalfof_identitystorearn,
       useridentity.sessioncontext.attributes.mfaauthenticated AS useridentity_sessioncontext_attributes_mfaauthenticated,
       useridentity.sessioncontext.attributes.creationdate AS useridentity_sessioncontext_attributes_creationdate,
       useridentity.sessioncontext.sessionissuer.type AS useridentity_sessioncontext_sessionissuer_type,
       useridentity.sessioncontext.sessionissuer.principalid AS useridentity_sessioncontext_sessionissuer_principalid,
       useridentity.sessioncontext.sessionissuer.arn AS useridentity_sessioncontext_sessionissuer_arn,
       useridentity.sessioncontext.sessionissuer.accountid AS useridentity_sessioncontext_sessionissuer_accountid,
       useridentity.sessioncontext.sessionissuer.username AS useridentity_sessioncontext_sessionissuer_username,
       useridentity.sessioncontext.ec2roledelivery AS useridentity_sessioncontext_ec2roledelivery,
       useridentity.sessioncontext.sourceidentity AS useridentity_sessioncontext_sourceidentity,
       useridentity.sessioncontext.assumedroot AS useridentity_sessioncontext_assumedroot,
       useridentity.sessioncontext.webidfederationdata.federatedprovider AS useridentity_sessioncontext_webidfederationdata_federatedprovider,
       eventtime,
       eventsource,
       eventname,
       awsregion,
       sourceipaddress,
       useragent,
       errorcode,
       errormessage,
       requestparameters,
       responseelements,
       additionaleventdata,
       requestid,
       eventid,
       readonly,
       json_format(CAST(transform(resources, r -> MAP(ARRAY['arn', 'accountid', 'type'], ARRAY[r.arn, r.accountid, r.type])) AS JSON)) AS resources,
       eventtype,
       recipientaccountid,
       sharedeventid,
       vpcendpointid,
       vpcendpointaccountid,
       eventcategory,
       sessioncredentialfromconsole,
       tlsdetails.tlsversion AS tlsdetails_tlsversion,
       tlsdetails.ciphersuite AS tlsdetails_ciphersuite,
       tlsdetails.clientprovidedhostheader AS tlsdetails_clientprovidedhostheader
FROM "logs"."cloudtrail"
ORDER BY eventtime, eventid

-- printed, projected account region timestamp: calls: everything
SELECT coalesce(nullif(useridentity.sessioncontext.sessionissuer.arn, ''), nullif(useridentity.arn, ''), nullif(useridentity.invokedby, ''), '') AS principal,
       coalesce(eventsource, '') AS eventsource,
       coalesce(eventname, '') AS eventname,
       coalesce(awsregion, '') AS awsregion,
       coalesce(errorcode, '') AS errorcode,
       coalesce(json_format(CAST(filter(transform(resources, r -> r.arn), arn -> arn <> '') AS JSON)), '[]') AS resources,
       count(*) AS calls,
       min(eventtime) AS firsttime,
       max(eventtime) AS lasttime,
       min(coalesce(eventid, '')) AS eventid
FROM "logs"."cloudtrail"
WHERE NOT regexp_like(lower(coalesce(eventcategory, '') || ' ' || coalesce(eventtype, '')), 'insight|aggregate')
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- printed, projected account region timestamp: events: denials, three days across a year
WHERE "timestamp" >= '2025/12/30'
  AND "timestamp" <= '2026/01/02'
  AND eventtime >= '2025-12-30T22:15:00'
  AND eventtime < '2026-01-02T00:00:00'
  AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')))

-- printed, projected account region timestamp: events: errors since
WHERE "timestamp" >= '2026/11/19'
  AND eventtime >= '2026-11-19T10:00:00'
  AND useridentity.accesskeyid = 'ASIAEXAMPLE'
  AND (coalesce(errorcode, '') <> ''
    OR coalesce(errormessage, '') <> ''
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'rror|ail|ode|nprocessed|nsuccessful|\\u00')))

-- printed, projected account region timestamp: events: findings until, accounts and regions
WHERE "account" = '222222222222'
  AND "region" IN ('eu-west-1', 'it''s', 'us-east-1')
  AND "timestamp" <= '2026/11/20'
  AND ((eventtime < '2026-11-19T10:00:01' AND awsregion IN ('eu-west-1', 'it''s') AND (regexp_like(lower(coalesce(errorcode, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR regexp_like(lower(coalesce(errormessage, '')), 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00')
    OR (coalesce(errorcode, '') = '' AND coalesce(errormessage, '') = '' AND regexp_like(responseelements, 'enied|uthoriz|orbidden|403|nsufficient|ermission|be assumed|to assume|\\u00'))))
    OR (eventsource = 'sts.amazonaws.com' AND (eventname LIKE 'AssumeRole%' OR eventname = 'GetFederationToken') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01')
    OR (eventsource IN ('dynamodb.amazonaws.com', 'ec2.amazonaws.com', 'ecr.amazonaws.com', 'iam.amazonaws.com', 'kms.amazonaws.com', 'lambda.amazonaws.com', 'organizations.amazonaws.com', 's3.amazonaws.com', 'secretsmanager.amazonaws.com', 'sns.amazonaws.com', 'sqs.amazonaws.com') AND eventname IN ('AddPermission', 'AddPermission20150331v2', 'AddUserToGroup', 'AttachGroupPolicy', 'AttachPolicy', 'AttachRolePolicy', 'AttachUserPolicy', 'CreateBucket', 'CreateGrant', 'CreatePolicyVersion', 'CreateRole', 'CreateUser', 'DeleteAccountPublicAccessBlock', 'DeleteBucket', 'DeleteBucketOwnershipControls', 'DeleteBucketPolicy', 'DeleteBucketPublicAccessBlock', 'DeleteGroup', 'DeleteGroupPolicy', 'DeletePolicy', 'DeleteRepositoryPolicy', 'DeleteResourcePolicy', 'DeleteRole', 'DeleteRolePermissionsBoundary', 'DeleteRolePolicy', 'DeleteUser', 'DeleteUserPermissionsBoundary', 'DeleteUserPolicy', 'DetachGroupPolicy', 'DetachPolicy', 'DetachRolePolicy', 'DetachUserPolicy', 'DisablePolicyType', 'EnablePolicyType', 'LeaveOrganization', 'ModifyVpcEndpoint', 'MoveAccount', 'PutAccountPublicAccessBlock', 'PutBucketAcl', 'PutBucketOwnershipControls', 'PutBucketPolicy', 'PutBucketPublicAccessBlock', 'PutGroupPolicy', 'PutKeyPolicy', 'PutResourcePolicy', 'PutRolePermissionsBoundary', 'PutRolePolicy', 'PutUserPermissionsBoundary', 'PutUserPolicy', 'RemoveAccountFromOrganization', 'RemovePermission', 'RemovePermission20150331v2', 'RemoveUserFromGroup', 'RetireGrant', 'RevokeGrant', 'SetDefaultPolicyVersion', 'SetQueueAttributes', 'SetRepositoryPolicy', 'SetTopicAttributes', 'TagRole', 'TagUser', 'UntagRole', 'UntagUser', 'UpdateAssumeRolePolicy', 'UpdatePolicy') AND coalesce(errorcode, '') = '' AND eventtime < '2026-11-19T10:00:01'))

