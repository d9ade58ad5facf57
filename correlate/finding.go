package correlate

import (
	"context"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A PolicySource gives the policies that concern a request: a snapshot, a
// history of snapshots, or AWS itself.
type PolicySource interface {
	Policies(context.Context, evaluator.Request) (evaluator.Policies, error)
	// Complete adds to a request what the source knows of it: paths, owners, tags.
	Complete(*evaluator.Request)
	// ManagedPolicy returns a managed policy of an account, attached to something or not.
	ManagedPolicy(account, arn string) (evaluator.Policy, bool)
}

// An Agreement says how AWS's message and the evaluation compare (T93).
type Agreement string

// The agreements.
const (
	Agree             Agreement = "agree"
	AgreeLayerOnly    Agreement = "agreeLayerOnly"
	EvaluationSilent  Agreement = "evaluationSilent"
	DifferentLayer    Agreement = "differentLayer"
	Contradiction     Agreement = "contradiction"
	Plausible         Agreement = "plausible" // the evaluation can't tell, and the message is possible
	NoMessageEvidence Agreement = "noMessageEvidence"
)

// A Disagreement is a message and an evaluation that don't agree.
type Disagreement struct {
	Agreement   Agreement
	Message     string // what AWS said: "explicitDeny by scp"
	Evaluation  string // what the snapshot says: "implicitDeny by identity"
	LikelyCause string // one sentence
}

// A Finding is one explained denial, or a group of equal ones.
type Finding struct {
	EventIDs  []string // at most 20, oldest first
	Count     int
	FirstSeen time.Time
	LastSeen  time.Time
	Sessions  []string // ARNs of the sessions, at most 10

	Denial      Denial                 // the representative
	Request     Request                // the one that is explained
	Explanation *evaluator.Explanation // nil without a snapshot
	// PermissionSet is what the caller's role is made of; nil if it isn't one of IAM Identity Center's.
	PermissionSet *PermissionSet

	Decision     evaluator.Decision // Indeterminate if neither message nor evaluation decides
	Layer        string             // the layer responsible; unknown if nothing says
	Policy       *evaluator.Policy
	PolicyARN    string // as AWS named it, even if the snapshot doesn't have it
	Statement    *policy.Statement
	Basis        string // message, evaluation, message+evaluation, none
	Agreement    Agreement
	Reason       string // one sentence
	Blockers     []evaluator.Blocker
	Fixes        []evaluator.Fix
	Disagreement *Disagreement
	Notes        []string // alternatives and caveats for people

	Era     *Era     // nil without a History
	Changes []Change // of what it rests on, between its policies and its calls, oldest first
}

// A Summary counts what a run saw: Events = denials' events + not denied + skipped.
type Summary struct {
	Events   int // records read
	Denials  int
	Findings int
	Skipped  int            // records that couldn't be used
	ByLayer  map[string]int // findings' denials by layer
	Partial  bool           // there is more: the run was stopped, or something couldn't be read
}

// Options change how denials are explained.
type Options struct {
	// AssumeNoSessionPolicy takes sessions whose creation isn't in the events
	// to have no session policy (rule U21); otherwise that is unknown.
	AssumeNoSessionPolicy bool
}
