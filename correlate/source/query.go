package source

import "time"

// A Query says which events are wanted. A source may give others as well, and those that file
// formats can't tell without decoding: the caller still looks at each. What is wanted it never leaves out, but for
// what a partition's own key says: an account's or a region's folder or partition isn't read unless it is asked for.
type Query struct {
	// Want is what the events are for. What can't matter to it needn't be decoded, and then doesn't come out.
	Want Want

	Since, Until time.Time // of eventTime, both included; zero is no bound

	// A list that is empty wants any value, else one of its values will do.
	Principals []string // ARN patterns with * and ?; a role's ARN means its sessions, too
	Accounts   []string
	Regions    []string
	Services   []string // s3, or s3.amazonaws.com
	Actions    []string // patterns with * and ?: s3:GetObject, s3:Get*, GetObject
	AccessKeys []string // userIdentity.accessKeyId
}

// A Want is what events are for.
type Want int

// The wants.
const (
	Everything Want = iota
	Denials         // events in which correlate.DenialsOf may find a denied call
	Errors          // and those in which it may find any error
	// Findings are denials, the calls that made sessions, which tell their session policies (cloudtrail.md T32), and
	// those that changed policies (correlate.ChangesPolicies), which tell what changed since.
	Findings
)
