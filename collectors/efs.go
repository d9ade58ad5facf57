package collectors

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"
)

// efsPart is the policies of Amazon EFS file systems.
var efsPart = part{
	name:        "resources/elasticfilesystem",
	scope:       perRegion,
	types:       []string{"file system"},
	permissions: []string{"elasticfilesystem:DescribeFileSystemPolicy", "elasticfilesystem:DescribeFileSystems"},
	collect: func(ctx context.Context, c *collection) {
		api := efs.NewFromConfig(c.cfg)
		list := efs.NewDescribeFileSystemsPaginator(api, &efs.DescribeFileSystemsInput{})
		all := listed(ctx, c, "elasticfilesystem:DescribeFileSystems", "", list, func(p *efs.DescribeFileSystemsOutput) []types.FileSystemDescription { return p.FileSystems })
		forEach(ctx, c, all, func(ctx context.Context, f types.FileSystemDescription) { addFileSystem(ctx, c, api, f) })
	},
}

// addFileSystem reads the policy of a file system, and leaves the file system out if it is gone by now.
//
// https://docs.aws.amazon.com/efs/latest/ug/API_DescribeFileSystemPolicy.html
func addFileSystem(ctx context.Context, c *collection, api *efs.Client, f types.FileSystemDescription) {
	i := newItem(cmp.Or(aws.ToString(f.FileSystemArn), c.arn("elasticfilesystem", "file-system/"+aws.ToString(f.FileSystemId))), "file system")
	out, err := api.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: f.FileSystemId})
	if isCode(err, "FileSystemNotFound") {
		return
	}
	if c.hasPolicy(i, "elasticfilesystem:DescribeFileSystemPolicy", err, "PolicyNotFound") {
		i.Policy = documentOf(aws.ToString(out.Policy))
	}
	c.add(i)
}
