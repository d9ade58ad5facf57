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
