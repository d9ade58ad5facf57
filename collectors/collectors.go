// Package collectors asks AWS for every policy that can deny a call, and writes
// them as a snapshot (product.md section 2). [Collect] is the call that most need.
//
// It makes read-only calls, those that [LeastPolicy] allows and no other. What it may not
// read, or can't, is recorded in snapshot.json with the action that was denied, and the rest
// goes on: package snapshot takes it to be unknown. It judges nothing, and
// stores what AWS said.
//
// A source of policies is one file and one row of parts.
package collectors

import "context"

// A part is a kind of thing that is collected.
type part struct {
	// name is the part's name in snapshot.json, for each account below accounts/<account>/: iam,
	// resources/s3. What follows the last slash is its word for --only and --skip.
	name  string
	scope scope
	types []string // of its resources, as an item's type: bucket, access point
	// permissions are the IAM actions that it needs, and all that it needs: the
	// least policy is made of them, and tests fail on any other call.
	permissions []string
	// collect puts what there is into c, and what it couldn't get. It is called once for each
	// account, or for each account and region, and at the same time for several.
	collect func(ctx context.Context, c *collection)
}

// A scope says how often a part is collected.
type scope int

const (
	perRegion    scope = iota // in each region of each account; what was found in all goes into one file
	perAccount                // once an account, for a service that is global or lists all regions at once
	organization              // once, with the caller's own credentials
)

// parts are the rows, in the order of their names.
var parts = []part{}
