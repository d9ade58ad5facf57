package collectors

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// regionsPermission is what tells which regions an account has enabled.
const regionsPermission = "ec2:DescribeRegions"

// enabledRegions are the regions that the account has enabled which cfg asks as, sorted.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
func enabledRegions(ctx context.Context, cfg aws.Config) ([]string, error) {
	client, err := newEC2(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Regions []string `xml:"regionInfo>item>regionName"`
	}
	if err := client.ask(ctx, "DescribeRegions", nil, &answer); err != nil {
		return nil, err
	}
	if len(answer.Regions) == 0 {
		return nil, errors.New("EC2 named no region; give --regions")
	}
	slices.Sort(answer.Regions)
	return slices.Compact(answer.Regions), nil
}
