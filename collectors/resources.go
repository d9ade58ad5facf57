package collectors

import (
	"bytes"
	"context"
	"iter"
)

// This file is what the files of the services share: walking a list, and what the
// call that reads a resource's policy came to.

// newItem is a resource of which nothing is known but its ARN.
func newItem(arn, typ string) *item { return &item{ARN: arn, Type: typ, Extra: struct{}{}} }

// arn is the ARN of a resource of the account in the region, where AWS gives a name only.
func (c *collection) arn(service, resource string) string {
	return "arn:" + c.partition + ":" + service + ":" + c.region + ":" + c.account + ":" + resource
}

// listed yields what stands on the pages of a list. A page that can't be had is a gap, and
// the end; resource is what the list is about, if it is about one.
func listed[Page, Options, T any](ctx context.Context, c *collection, action, resource string, p paginator[Page, Options], of func(Page) []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for page, err := range pages(ctx, p) {
			if err != nil {
				c.fail(action, resource, err)
				return
			}
			for _, v := range of(page) {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// A tokenPaginator is the paginator of a list for which the SDK has none.
type tokenPaginator[Page any] struct {
	// next gets the page that a token stands for, nil for the first, and the token of the one after it.
	next  func(ctx context.Context, token *string) (page Page, following *string, err error)
	token *string
	begun bool
}

func (p *tokenPaginator[Page]) HasMorePages() bool {
	return !p.begun || p.token != nil && *p.token != ""
}

func (p *tokenPaginator[Page]) NextPage(ctx context.Context, _ ...func(*struct{})) (Page, error) {
	page, token, err := p.next(ctx, p.token)
	p.begun, p.token = true, token
	return page, err
}

// hasPolicy reports whether the call that reads an item's policy gave one. If it didn't, the item says
// so: there is none if AWS answered with one of the error codes in none (rule U19), else it is lost.
func (c *collection) hasPolicy(i *item, action string, err error, none ...string) bool {
	switch {
	case err == nil:
		return true
	case isCode(err, none...):
		i.Policy = noPolicy
	default:
		c.lost(i, action, err)
	}
	return false
}

// policiesOf are the policies of a resource that may have several: none, the one, or the list of them.
func policiesOf(all ...document) document {
	var some []document
	for _, d := range all {
		if !bytes.Equal(d, noPolicy) {
			some = append(some, d)
		}
	}
	switch len(some) {
	case 0:
		return noPolicy
	case 1:
		return some[0]
	}
	list, err := marshal(some)
	if err != nil {
		return nil // a document is JSON already
	}
	return list
}
