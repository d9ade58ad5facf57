package source

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config returns how to ask AWS, for what isn't a SOURCE: with credentials that work, as far as can be said
// without using them. Its region is Region, or the environment's or profile's, or "". Without
// credentials it is an *AWSError, which says what to do.
func (a AWS) Config(ctx context.Context) (aws.Config, error) {
	cfg, err := a.Shared().loggedIn(ctx)
	if err == nil && a.Region != "" {
		cfg.Region = a.Region
	}
	return cfg, err
}

// Failure is the *AWSError of a call that was made with Config: what was done, the cause in
// short, and the next step if there is one. It is ctx's own error once ctx is done.
func (a AWS) Failure(ctx context.Context, doing string, err error) error {
	return a.failure(ctx, doing, err)
}
