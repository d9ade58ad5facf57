package collectors

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
	"github.com/iamwhy/iamwhy/evaluator"
)

// authorizationPages answers GetAccountAuthorizationDetails with pages in the form of AWS's sample answer.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func authorizationPages(pages ...string) awsfake.Handler {
	return func(c *awsfake.Call) awsfake.Reply {
		n := 0
		if marker := c.Form.Get("Marker"); marker != "" {
			_, _ = fmt.Sscanf(marker, "page%d", &n)
		}
		if n < 0 || n >= len(pages) {
			return awsfake.Error("InvalidInput", "no such marker")
		}
		more := "<IsTruncated>false</IsTruncated>"
		if n+1 < len(pages) {
			more = fmt.Sprintf("<IsTruncated>true</IsTruncated><Marker>page%d</Marker>", n+1)
		}
		return awsfake.Reply{Body: []byte(`<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">` +
			`<GetAccountAuthorizationDetailsResult>` + more + pages[n] + `</GetAccountAuthorizationDetailsResult>` +
			`<ResponseMetadata><RequestId>92e79ae7</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>`)}
	}
}

// encoded is a document as IAM returns it: every byte that RFC 3986 reserves is escaped, a space as %20.
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

const (
	userPage = `<UserDetailList><member><UserId>AIDAEXAMPLE</UserId><Path>/team/</Path><UserName>ann</UserName><Arn>arn:aws:iam::111122223333:user/team/ann</Arn><CreateDate>2013-10-14T18:32:24Z</CreateDate>
<GroupList><member>readers</member></GroupList><UserPolicyList><member><PolicyName>own</PolicyName><PolicyDocument>%s</PolicyDocument></member></UserPolicyList>
<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>arn:aws:iam::aws:policy/ReadOnlyAccess</PermissionsBoundaryArn></PermissionsBoundary>
<Tags><member><Key>team</Key><Value>red &amp; blue</Value></member><member><Key>a</Key><Value>1</Value></member></Tags></member></UserDetailList>`
	rolesPage = `<RoleDetailList>
<member><Path>/</Path><RoleName>z</RoleName><RoleId>AROAZ</RoleId><Arn>arn:aws:iam::111122223333:role/z</Arn><CreateDate>2014-07-30T17:09:20Z</CreateDate><AssumeRolePolicyDocument>%[1]s</AssumeRolePolicyDocument>
<AttachedManagedPolicies><member><PolicyName>b</PolicyName><PolicyArn>arn:aws:iam::111122223333:policy/b</PolicyArn></member><member><PolicyName>a</PolicyName><PolicyArn>arn:aws:iam::111122223333:policy/a</PolicyArn></member></AttachedManagedPolicies>
<InstanceProfileList><member><InstanceProfileName>p</InstanceProfileName><InstanceProfileId>AIPAEXAMPLE</InstanceProfileId><Path>/</Path><Arn>arn:aws:iam::111122223333:instance-profile/p</Arn><CreateDate>2014-07-30T17:09:20Z</CreateDate></member></InstanceProfileList>
<RoleLastUsed><LastUsedDate>2025-01-02T03:04:05Z</LastUsedDate><Region>us-east-1</Region></RoleLastUsed></member>
<member><Path>/</Path><RoleName>b</RoleName><RoleId>AROAB</RoleId><Arn>arn:aws:iam::111122223333:role/b</Arn><CreateDate>2014-07-30T17:09:20Z</CreateDate><AssumeRolePolicyDocument>%[1]s</AssumeRolePolicyDocument></member></RoleDetailList>
<GroupDetailList><member><Path>/</Path><GroupName>readers</GroupName><GroupId>AGPAEXAMPLE</GroupId><Arn>arn:aws:iam::111122223333:group/readers</Arn><CreateDate>2014-07-30T17:09:20Z</CreateDate></member></GroupDetailList>`
	policiesPage = `<Policies><member><PolicyName>%[1]s</PolicyName><PolicyId>ANPA%[1]s</PolicyId><Arn>arn:aws:iam::111122223333:policy/%[1]s</Arn><Path>/</Path><DefaultVersionId>v10</DefaultVersionId><AttachmentCount>1</AttachmentCount><IsAttachable>true</IsAttachable>
<CreateDate>2014-07-30T17:09:20Z</CreateDate><UpdateDate>2015-07-30T17:09:20Z</UpdateDate><PolicyVersionList>
<member><Document>%[2]s</Document><VersionId>v9</VersionId><IsDefaultVersion>false</IsDefaultVersion><CreateDate>2014-07-30T17:09:20Z</CreateDate></member>
<member><Document>%[2]s</Document><VersionId>v10</VersionId><IsDefaultVersion>true</IsDefaultVersion><CreateDate>2014-08-30T17:09:20Z</CreateDate></member></PolicyVersionList></member>%[3]s</Policies>`
)

const (
	// Order of members, escapes and a plus are the author's.
	oddDocument   = "{\n \"Statement\" : [ {\"Resource\":\"arn:aws:s3:::b/a+b%20c<d>\", \"Effect\": \"Allow\",\n\t\"Action\":\"s3:GetObject\", \"Sid\": \"\\u00e9\"} ], \"Version\": \"2012-10-17\" }"
	trustDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	allowDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

func iamFake(pages ...string) *awsfake.Fake {
	f := awsfake.New()
	f.Handle("iam", "GetAccountAuthorizationDetails", authorizationPages(pages...))
	return f
}

func goodPages() []string {
	return []string{
		fmt.Sprintf(rolesPage, encoded(trustDocument)), // a role of the first page has a policy of the last
		fmt.Sprintf(userPage, encoded(oddDocument)),
		fmt.Sprintf(policiesPage, "b", encoded(allowDocument), ""),
		fmt.Sprintf(policiesPage, "a", encoded(allowDocument), ""),
	}
}

func TestIAM(t *testing.T) {
	f := iamFake(goodPages()...)
	got := collectPart(t, f, &iamPart)
	if diff := cmp.Diff(partRecord{Status: "ok"}, got.record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if n := len(f.Calls()); n != 1+4 {
		t.Errorf("%d calls, want one for the caller and one a page", n)
	}
	if filters := f.Calls()[1].Form; filters.Get("Filter.member.5") == "" {
		t.Errorf("not all filters were asked for: %v", filters)
	}
	if diff := cmp.Diff(wantIAM, got.own(t, &iamPart)); diff != "" {
		t.Errorf("iam.json (-want +got):\n%s", diff)
	}
	role := evaluator.Principal{Type: evaluator.AssumedRole, ARN: "arn:aws:sts::111122223333:assumed-role/z/s", RoleARN: "arn:aws:iam::111122223333:role/z", Account: testAccount}
	p, err := got.snapshot.Policies(t.Context(), evaluator.Request{Principal: role, Action: "s3:GetObject", Resource: evaluator.Resource{ARN: "arn:aws:s3:::b/k", Account: testAccount}})
	if err != nil || p.Identity.State != evaluator.Applies || len(p.Identity.Policies) != 2 {
		t.Errorf("the role's identity policies: %+v, %v; want a and b", p.Identity, err)
	}
}

var wantIAM = `{
  "UserDetailList": [
    {
      "Path": "/team/",
      "UserName": "ann",
      "UserId": "AIDAEXAMPLE",
      "Arn": "arn:aws:iam::111122223333:user/team/ann",
      "CreateDate": "2013-10-14T18:32:24+00:00",
      "UserPolicyList": [
        {
          "PolicyName": "own",
          "PolicyDocument": {
            "Statement": [
              {
                "Resource": "arn:aws:s3:::b/a+b%20c<d>",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Sid": "\u00e9"
              }
            ],
            "Version": "2012-10-17"
          }
        }
      ],
      "GroupList": [
        "readers"
      ],
      "AttachedManagedPolicies": [],
      "PermissionsBoundary": {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"
      },
      "Tags": [
        {
          "Key": "a",
          "Value": "1"
        },
        {
          "Key": "team",
          "Value": "red & blue"
        }
      ]
    }
  ],
  "GroupDetailList": [
    {
      "Path": "/",
      "GroupName": "readers",
      "GroupId": "AGPAEXAMPLE",
      "Arn": "arn:aws:iam::111122223333:group/readers",
      "CreateDate": "2014-07-30T17:09:20+00:00",
      "GroupPolicyList": [],
      "AttachedManagedPolicies": []
    }
  ],
  "RoleDetailList": [
    {
      "Path": "/",
      "RoleName": "b",
      "RoleId": "AROAB",
      "Arn": "arn:aws:iam::111122223333:role/b",
      "CreateDate": "2014-07-30T17:09:20+00:00",
      "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
              "Service": "ec2.amazonaws.com"
            },
            "Action": "sts:AssumeRole"
          }
        ]
      },
      "InstanceProfileList": [],
      "RolePolicyList": [],
      "AttachedManagedPolicies": [],
      "Tags": [],
      "RoleLastUsed": {}
    },
    {
      "Path": "/",
      "RoleName": "z",
      "RoleId": "AROAZ",
      "Arn": "arn:aws:iam::111122223333:role/z",
      "CreateDate": "2014-07-30T17:09:20+00:00",
      "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
              "Service": "ec2.amazonaws.com"
            },
            "Action": "sts:AssumeRole"
          }
        ]
      },
      "InstanceProfileList": [
        {
          "Path": "/",
          "InstanceProfileName": "p",
          "InstanceProfileId": "AIPAEXAMPLE",
          "Arn": "arn:aws:iam::111122223333:instance-profile/p",
          "CreateDate": "2014-07-30T17:09:20+00:00"
        }
      ],
      "RolePolicyList": [],
      "AttachedManagedPolicies": [
        {
          "PolicyName": "a",
          "PolicyArn": "arn:aws:iam::111122223333:policy/a"
        },
        {
          "PolicyName": "b",
          "PolicyArn": "arn:aws:iam::111122223333:policy/b"
        }
      ],
      "Tags": [],
      "RoleLastUsed": {
        "LastUsedDate": "2025-01-02T03:04:05+00:00",
        "Region": "us-east-1"
      }
    }
  ],
  "Policies": [` + wantPolicy + `,` + wantPolicyB + `
  ]
}
`

const wantPolicy = `
    {
      "PolicyName": "a",
      "PolicyId": "ANPAa",
      "Arn": "arn:aws:iam::111122223333:policy/a",
      "Path": "/",
      "DefaultVersionId": "v10",
      "AttachmentCount": 1,
      "PermissionsBoundaryUsageCount": 0,
      "IsAttachable": true,
      "CreateDate": "2014-07-30T17:09:20+00:00",
      "UpdateDate": "2015-07-30T17:09:20+00:00",
      "PolicyVersionList": [
        {
          "Document": {
            "Version": "2012-10-17",
            "Statement": [
              {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": "*"
              }
            ]
          },
          "VersionId": "v10",
          "IsDefaultVersion": true,
          "CreateDate": "2014-08-30T17:09:20+00:00"
        },
        {
          "Document": {
            "Version": "2012-10-17",
            "Statement": [
              {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": "*"
              }
            ]
          },
          "VersionId": "v9",
          "IsDefaultVersion": false,
          "CreateDate": "2014-07-30T17:09:20+00:00"
        }
      ]
    }`

var wantPolicyB = strings.NewReplacer(`"a"`, `"b"`, "ANPAa", "ANPAb", "policy/a", "policy/b").Replace(wantPolicy)

func TestIAMFails(t *testing.T) {
	const denial = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: iam:GetAccountAuthorizationDetails because no identity-based policy allows the iam:GetAccountAuthorizationDetails action"
	tests := []struct {
		name   string
		fault  awsfake.Fault
		status string
		reason string
		roles  int // in the file
	}{
		{"throttled once", awsfake.Fault{Nth: 1, Reply: awsfake.Throttle}, "ok", "", 2},
		{"throttled for good", awsfake.Fault{Reply: awsfake.Throttle}, "error", "iam:GetAccountAuthorizationDetails: Throttling: Rate exceeded", 0},
		{"denied", awsfake.Fault{Reply: awsfake.Deny}, "denied", denial, 0},
		{"denied on the second page", awsfake.Fault{Nth: 2, Reply: awsfake.Deny}, "denied", denial, 2},
		{"cut off", awsfake.Fault{Nth: 2, Reply: awsfake.Garble}, "error", "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := iamFake(goodPages()...)
			tt.fault.Service = "iam"
			f.Fail(tt.fault)
			got := collectSpoilt(t, f, &iamPart)
			if got.record.Status != tt.status || !strings.Contains(got.record.Reason, tt.reason) {
				t.Errorf("%s: %q; want %s: %q", got.record.Status, got.record.Reason, tt.status, tt.reason)
			}
			if roles := strings.Count(got.own(t, &iamPart), `"RoleName"`); roles != tt.roles {
				t.Errorf("%d roles, want %d", roles, tt.roles)
			}
			if (got.snapshot != nil) != (tt.roles > 0) {
				t.Errorf("written: %v, with %d roles", got.snapshot != nil, tt.roles)
			}
		})
	}
}

// TestIAMSpoilt: a document that is none is kept as it came, and what depends on it is unknown (rule U6).
func TestIAMSpoilt(t *testing.T) {
	for _, document := range []string{`{"Statement":`, `nonsense`, `%zz`, `["a"]`, `{"Statement": 5}`, `"{}"`} {
		f := iamFake(fmt.Sprintf(rolesPage, encoded(document)), fmt.Sprintf(policiesPage, "a", encoded(allowDocument), ""), fmt.Sprintf(policiesPage, "b", encoded(allowDocument), ""))
		got := collectSpoilt(t, f, &iamPart)
		if len(got.snapshot.Problems()) == 0 {
			t.Errorf("%s: loading finds no problem", document)
		}
		role := evaluator.Resource{ARN: "arn:aws:iam::111122223333:role/b", Account: testAccount}
		p, err := got.snapshot.Policies(t.Context(), evaluator.Request{Action: "sts:AssumeRole", Resource: role})
		if err != nil || p.Resource.State != evaluator.NotCollected {
			t.Errorf("%s: trust policy %v, %v; want it not collected", document, p.Resource.State, err)
		}
	}
}
