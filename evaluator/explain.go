package evaluator

import "github.com/iamwhy/iamwhy/evaluator/policy"

// A Decision is the answer to a request. The zero Decision is the one that
// IAM starts from.
type Decision int8

// The decisions, in the words of AWS's policy simulator, and Indeterminate:
// the answer hangs on something unknown.
const (
	ImplicitDeny Decision = iota // denied for want of an allow; a Deny of which it isn't known if it applies may deny as well
	ExplicitDeny
	Allowed
	Indeterminate
)

// String returns the decision as product output spells it.
func (d Decision) String() string {
	switch d {
	case ImplicitDeny:
		return "implicitDeny"
	case ExplicitDeny:
		return "explicitDeny"
	case Allowed:
		return "allowed"
	}
	return "indeterminate"
}

// An Explanation is a decision and why: the trace of every layer, and what is
// read off it. Blockers are in the order in which AWS would report them
// (rules E39 and M25).
type Explanation struct {
	Decision Decision
	Blockers []Blocker
	// Undecided is what an Indeterminate decision hangs on (rule U15): empty for every
	// other decision.
	Undecided []Undecided
	// AllowedIf are the least sets of unknowns that would allow an Indeterminate request if all of a
	// set were good for it, whatever the others are; DeniedIf those that would deny it if they were
	// bad. Empty if there are too many unknowns to weigh.
	AllowedIf, DeniedIf [][]Term
	// Caveats are the numbers of rules that AWS doesn't document and this
	// decision relies on (rule U18).
	Caveats []string
	Trace   []LayerTrace // in AWS's order of evaluation

	explainer *explainer
}

// A BlockerKind says in which way a layer blocks.
type BlockerKind string

// The kinds of blocker.
const (
	KindExplicitDeny BlockerKind = "explicitDeny"
	KindNoAllow      BlockerKind = "noAllow"
	KindNotCollected BlockerKind = "notCollected"
)

// A Blocker is one reason why a request isn't allowed.
type Blocker struct {
	Layer LayerName
	Kind  BlockerKind
	// Policy is the policy that denies, or the one nearest to allowing; nil if
	// the layer has none.
	Policy *Policy
	// Statement is the denying statement; nil for a missing allow.
	Statement *policy.Statement
	// Target is where the layer was evaluated: the level of an SCP or RCP, the
	// resource, the principal, the endpoint.
	Target string
	// PolicyType is the policy's type (trust, key, bucket …), known even where there is no policy.
	PolicyType string
	// NearMisses are, for a missing allow, the statements that come nearest to allowing,
	// nearest first; for an explicit deny, the denying statement with the
	// conditions that made it apply.
	NearMisses []NearMiss
	// Note is one more fact for people, such as a boundary that was never attached.
	Note string
}

// A NearMiss is a statement that would have allowed the request, but for the
// elements that are named.
type NearMiss struct {
	Policy    *Policy
	Statement *policy.Statement
	Mismatch  []ElementTrace
}

// An Undecided is one unknown that decides a request.
type Undecided struct {
	Layer     LayerName
	Policy    *Policy           // nil if the layer wasn't collected
	Statement *policy.Statement // nil likewise
	Element   ElementTrace      // the element that is unknown; zero likewise
	Missing   string            // what wasn't collected, or isn't known
	// IfMatched is the decision, as far as this unknown goes, if the statement applies
	// (Allow: allowed; Deny: explicitDeny).
	IfMatched Decision
	IfNot     Decision
}

// A Term is one unknown in AllowedIf or DeniedIf.
type Term struct {
	Layer     LayerName
	Policy    *Policy           // nil if the unknown isn't a statement
	Statement *policy.Statement // nil likewise
	Elements  []ElementTrace    // of the statement, those that aren't known
	Missing   string            // what isn't known, if it isn't a statement
	// Good says that the unknown is good for the request: the Allow applies, the Deny doesn't, the layer lets it pass.
	Good bool
}

// A LayerTrace is how one layer, at one level, was evaluated.
type LayerTrace struct {
	Layer      LayerName
	Target     string
	State      LayerState
	Missing    string
	Deny       Match            // does some Deny statement apply?
	Allow      Match            // does some Allow statement apply?
	Statements []StatementTrace // those that apply, or may

	req   *Request // what it was asked
	place place
	layer *Layer
	level int
}

// A StatementTrace is how one statement was evaluated.
type StatementTrace struct {
	Policy    *Policy
	Statement *policy.Statement
	Match     Match

	compiled *statement
}

// An ElementTrace is one question that a statement asks of a request, and the
// answer.
type ElementTrace struct {
	Element  string // Action, NotAction, Resource, NotResource, Principal, NotPrincipal, Condition; "Statement" if it is uninterpretable
	Operator string // for a Condition, as written
	Key      string // for a Condition, as written
	Pos      policy.Pos
	Match    Match
	Want     []string // as in the policy
	Got      []string // as in the request
	GotState KeyState // for a Condition: whether Got is all there is
	Note     string   // what an undocumented corner makes of it, or where two ARNs part
}
