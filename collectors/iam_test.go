package collectors

import (
	"testing"

	"github.com/iamwhy/iamwhy/collectors/awsfake"
)

// detailsReply is a page in the form of AWS's sample answer.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func detailsReply(truncated, body string) awsfake.Handler {
	return func(*awsfake.Call) awsfake.Reply {
		return awsfake.Reply{Body: []byte(`<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountAuthorizationDetailsResult>` +
			truncated + body + `</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>`)}
	}
}

func TestIAM(t *testing.T) {
	f := awsfake.New()
	f.Handle("iam", "GetAccountAuthorizationDetails", detailsReply("<IsTruncated>false</IsTruncated>", `<UserDetailList><member><UserId>AIDA1</UserId><Path>/</Path><UserName>u</UserName><Arn>arn:aws:iam::111122223333:user/u</Arn><CreateDate>2013-10-14T18:32:24Z</CreateDate>
	<UserPolicyList><member><PolicyName>p</PolicyName><PolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D</PolicyDocument></member></UserPolicyList></member></UserDetailList>`))
	got := collectPart(t, f, &iamPart)
	t.Log(got.record, got.own(t, &iamPart), got.file(t, "snapshot.json"))
}
