package source

import (
	"context"
	"errors"
	"iter"

	_ "github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/iamwhy/iamwhy/correlate"
)

// openAthena opens athena:WORKGROUP/DATABASE.TABLE.
func openAthena(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	return nil, errors.New(src + ": not built yet")
}

// AthenaQuery returns the SQL that [Open] would run for an athena: source, with the values of its
// parameters, and runs nothing. Where the table's metadata can't be read, the layout that AWS
// documents today is assumed, and a comment in the text says so.
func AthenaQuery(ctx context.Context, src string, opts Options) (string, error) {
	return "", errors.New(src + ": not built yet")
}

// AthenaDDL returns a table definition for the CloudTrail logs under s3://bucket/prefix, for people
// who have none. opts.Query's Accounts, Regions and Since say which partitions the table has. Nothing is read.
func AthenaDDL(src string, opts Options) (string, error) {
	return "", errors.New(src + ": not built yet")
}
