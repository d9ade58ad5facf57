package collectors

import "github.com/iamwhy/iamwhy/collectors/awsfake"

var efsTest = serviceTest{
	part:    &efsPart,
	service: "elasticfilesystem",
	answers: map[string]awsfake.Handler{
		"DescribeFileSystems": pagesOf(
			`{"FileSystems":[{"FileSystemId":"fs-1","FileSystemArn":"arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"}],"NextMarker":"page2"}`,
			`{"FileSystems":[{"FileSystemId":"fs-2"},{"FileSystemId":"fs-3"}]}`),
		"DescribeFileSystemPolicy": either(
			on{"/fs-1/", text(`{"FileSystemId":"fs-1","Policy":` + quoted + `}`)},
			on{"/fs-2/", fails("PolicyNotFound")},
			on{"/fs-3/", fails("FileSystemNotFound")}),
	},
	want: `[
  {"arn":"arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1","type":"file system","policy":` + somePolicy + `,"extra":{}},
  {"arn":"arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-2","type":"file system","policy":null,"extra":{}}
]`,
}
