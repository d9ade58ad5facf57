package source

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A Call stands for all calls of one kind: by one principal, of one operation, on the same
// resources, in one region, with one outcome.
type Call struct {
	Principal string   // ARN of the session's issuer, or else of the caller; of a service its name; "" if none is recorded
	Source    string   // eventSource
	Name      string   // eventName
	Region    string   // awsRegion
	Resources []string // ARNs, as recorded; none for the many calls whose record names none
	ErrorCode string   // "" if it went well

	Count       int
	First, Last time.Time // eventTime
	EventID     string    // of one of them
}

// Calls returns what a SOURCE's events come to, in an order that doesn't change. For an athena: source
// Athena counts, so that billions of events come back as thousands of rows; for others it is done here, in memory
// that grows with the number of distinct calls. Of opts.Query, Since, Until and Regions count, and what
// partitions tell. Errors are those of [Open].
func Calls(ctx context.Context, src string, opts Options) (iter.Seq2[*Call, error], error) {
	return nil, errors.New(src + ": not built yet")
}
