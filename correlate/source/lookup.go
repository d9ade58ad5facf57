package source

import (
	"context"
	"errors"
	"iter"

	_ "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/iamwhy/iamwhy/correlate"
	_ "golang.org/x/time/rate"
)

// openLookup opens lookup:REGION,….
func openLookup(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	return nil, errors.New(src + ": not built yet")
}
