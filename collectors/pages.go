package collectors

import (
	"context"
	"iter"
)

// A paginator is any of the SDK's.
type paginator[Page, Options any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Options)) (Page, error)
}

// pages yields the pages of a list. An error is the last thing that it yields.
func pages[Page, Options any](ctx context.Context, p paginator[Page, Options]) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for p.HasMorePages() {
			page, err := p.NextPage(ctx)
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}
