package collectors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
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
	account   string   // twelve digits
	region    string   // of a part that is collected per region, or of at; else where the account's global services are asked
	partition string   // aws, aws-cn, aws-us-gov: for ARNs that AWS doesn't give
	regions   []string // all to be asked, if the part's row says perRegion or regions

	regional bool // region is where what fails is missing
	limit    int  // of goroutines of one forEach
	*found
}

// found is what all collections of one part in one region put together.
type found struct {
	mu      sync.Mutex
	lists   map[string][]entry // by member of the file; "" for a file that is one list
	files   map[string]any     // by path, of a part that is collected per organisation
	members []member           // of the organisation, which its part finds
	gaps    []gap
}

// in returns a configuration for another region of the same account.
func (c *collection) in(region string) aws.Config {
	cfg := c.cfg.Copy()
	cfg.Region = region
	return cfg
}

// at returns the same collection, asking in a region: what fails is missing there only.
func (c *collection) at(region string) *collection {
	other := *c
	other.cfg, other.region, other.regional = c.in(region), region, true
	return &other
}

// An entry is one object of a list, which is sorted by key. It is JSON already, which
// takes less memory than what it was made of.
type entry struct {
	key  string
	text json.RawMessage
}

func (e entry) compare(other entry) int {
	return cmp.Or(cmp.Compare(e.key, other.key), bytes.Compare(e.text, other.text))
}

// add puts an item into the part's file, which is the list of them by ARN.
func (c *collection) add(i *item) { c.addTo("", i.ARN+"\x00"+i.Type, i) }

// addTo puts a value, which is marshalled, into a list of the part's file, sorted by
// key; list is "" if the file is one list.
func (c *collection) addTo(list, key string, value any) {
	text, err := marshal(value)
	if err != nil {
		c.fail("", key, fmt.Errorf("writing it as JSON: %w", err))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil {
		c.lists = make(map[string][]entry)
	}
	c.lists[list] = append(c.lists[list], entry{key, text})
}

// marshal is v as JSON, without escapes that no document of AWS's needs.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
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
	Extra  any      `json:"extra"` // a struct or map
}

// fail says that a call failed, and the walk goes on: the part gets the call's
// status. action is the IAM action, such as s3:GetBucketPolicy; resource is the ARN, or the
// name, of what it was about, or "" for a call about none, such as a list. err is what AWS said.
func (c *collection) fail(action, resource string, err error) {
	c.failIn("", action, resource, err)
}

// failIn is fail for one of the parts in also.
func (c *collection) failIn(also, action, resource string, err error) {
	g := c.newGap(action, resource, err)
	g.also = also
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps = append(c.gaps, g)
}

// lost is fail for the call that reads an item's policy: the item says so, too.
func (c *collection) lost(i *item, action string, err error) {
	g := c.newGap(action, i.ARN, err)
	i.Policy, i.Status, i.Reason = nil, g.Status, g.Reason
	c.fail(action, i.ARN, err)
}

func (c *collection) newGap(action, resource string, err error) gap {
	region := ""
	if c.regional {
		region = c.region
	}
	return newGap(action, resource, region, err)
}

// wasAnswered reports whether AWS said anything, be it that it denies.
func (c *collection) wasAnswered() bool {
	return len(c.gaps) == 0 || slices.ContainsFunc(c.gaps, func(g gap) bool { return g.Status == statusDenied })
}

// file makes a file of a part that is collected per organisation. name is its path in the
// snapshot's folder; content is marshalled.
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
