package source

import (
	"context"
	"errors"
	"iter"

	"github.com/iamwhy/iamwhy/correlate"
)

// openLake opens lake:EVENT-DATA-STORE.
func openLake(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	return nil, errors.New(src + ": not built yet")
}
