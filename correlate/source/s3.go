package source

import (
	"context"
	"errors"
	"iter"

	_ "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/iamwhy/iamwhy/correlate"
)

// openS3 opens s3://bucket/prefix.
func openS3(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	return nil, errors.New(src + ": not built yet")
}

// maxFetches is how many objects are fetched at a time.
const maxFetches = 16
