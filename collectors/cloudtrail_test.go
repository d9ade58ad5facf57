package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var cloudtrailTest = serviceTest{
	part:    &cloudtrailPart,
	service: "cloudtrail",
	answers: map[string]awsfake.Handler{
		"ListEventDataStores": pagesOf(
			`{"EventDataStores":[{"EventDataStoreArn":"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/1"}],"NextToken":"page2"}`,
			`{"EventDataStores":[{"EventDataStoreArn":"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/2"}]}`),
		"ListChannels": text(`{"Channels":[{"ChannelArn":"arn:aws:cloudtrail:eu-west-1:111122223333:channel/1"}]}`),
		"ListDashboards": pagesOf(
			`{"Dashboards":[{"DashboardArn":"arn:aws:cloudtrail:eu-west-1:111122223333:dashboard/a"}],"NextToken":"page2"}`,
			`{"Dashboards":[{"DashboardArn":"arn:aws:cloudtrail:eu-west-1:111122223333:dashboard/b"}]}`),
		"GetResourcePolicy": either(
			on{"eventdatastore/1", text(`{"ResourcePolicy":` + quoted + `,"DelegatedAdminResourcePolicy":` + string(quote(lockPolicy)) + `}`)},
			on{"dashboard/a", text(`{"ResourcePolicy":` + quoted + `}`)},
			on{"", fails("ResourcePolicyNotFoundException")}),
	},
	want: `[
  {"arn":"arn:aws:cloudtrail:eu-west-1:111122223333:channel/1","type":"CloudTrail resource","policy":null,"extra":{}},
  {"arn":"arn:aws:cloudtrail:eu-west-1:111122223333:dashboard/a","type":"CloudTrail resource","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:cloudtrail:eu-west-1:111122223333:dashboard/b","type":"CloudTrail resource","policy":null,"extra":{}},
  {"arn":"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/1","type":"CloudTrail resource","policy":[` + somePolicy + `,` + lockPolicy + `],"extra":{}},
  {"arn":"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/2","type":"CloudTrail resource","policy":null,"extra":{}}
]`,
}
