package collectors

import (
	"context"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"
)

// A collection is a part of an account, or of an account in a region, in the
// making. Its methods may be called from several goroutines.
type collection struct {
	// cfg asks as the account's role, in region. Clients made of it retry what is throttled, and
	// together make no more calls at once than one service of one account is to have.
	cfg       aws.Config
	account   string // twelve digits
	region    string // of a part that is collected per region; else where the account's global services are asked
	partition string // aws, aws-cn, aws-us-gov: for ARNs that AWS doesn't give
	regions   []string

	limit int // of goroutines of one forEach

	mu      sync.Mutex
	entries []entry
	files   map[string]any
	gaps    []gap
}

// in returns a configuration for another region of the same account.
func (c *collection) in(region string) aws.Config {
	cfg := c.cfg.Copy()
	cfg.Region = region
	return cfg
}

// An entry is one object of a part's file, which is the list of all of them, sorted by key.
type entry interface{ key() string }

// add puts an entry into the part's file.
func (c *collection) add(e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = append(c.entries, e)
}

// An item is a resource, as resources/<service>.json has it.
type item struct {
	ARN     string `json:"arn"`
	Type    string `json:"type"`
	Account string `json:"account,omitempty"` // the owner, if it isn't the account that was asked
	// Policy is noPolicy if AWS says that there is none (rule U19), and nil if it couldn't be read.
	Policy document `json:"policy,omitempty"`
	Status string   `json:"status,omitempty"` // denied or error, if the policy couldn't be read
	Reason string   `json:"reason,omitempty"`
	Extra  any      `json:"extra"` // struct or map, marshalled; nil is {}
}

func (i *item) key() string { return i.ARN + "\x00" + i.Type }

// fail says that a call failed, and the walk goes on: the part gets the call's
// status. action is the IAM action, such as s3:GetBucketPolicy; resource is the ARN, or the
// name, of what it was about, or "" for a call about none, such as a list. err is what AWS said.
func (c *collection) fail(action, resource string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps = append(c.gaps, newGap(action, resource, c.region, err))
}

// lost is fail for the call that reads an item's policy: the item says so, too.
func (c *collection) lost(i *item, action string, err error) {
	g := newGap(action, i.ARN, c.region, err)
	i.Policy, i.Status, i.Reason = nil, g.Status, g.Reason
	c.fail(action, i.ARN, err)
}

// file makes a file of the part instead of a list of entries. name is the path in the
// snapshot's folder, or "" for the part's own file; content is marshalled.
func (c *collection) file(name string, content any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = make(map[string]any)
	}
	c.files[name] = content
}

// forEach calls f for each value, for several at once, and returns once all are done.
func forEach[T any](ctx context.Context, c *collection, values iter.Seq[T], f func(context.Context, T)) {
	var g errgroup.Group
	g.SetLimit(max(c.limit, 1))
	for v := range values {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { f(ctx, v); return nil })
	}
	_ = g.Wait() // no error: what fails is a gap
}
