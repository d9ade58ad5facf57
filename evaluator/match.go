package evaluator

// A Match says whether a policy element applies to a request. The values are
// ordered so that min is "and", max is "or", and Matched-m is "not": the
// strong Kleene logic of evaluation.md section 10.
type Match int8

// The three answers.
const (
	NoMatch Match = iota // the zero value: in IAM nothing applies until something says so
	Unknown              // hangs on something nobody knows
	Matched
)

// String returns the answer in words.
func (m Match) String() string {
	switch m {
	case NoMatch:
		return "no"
	case Matched:
		return "yes"
	}
	return "unknown"
}

func and(a, b Match) Match { return min(a, b) }
func or(a, b Match) Match  { return max(a, b) }
func not(m Match) Match    { return Matched - m }

func known(b bool) Match {
	if b {
		return Matched
	}
	return NoMatch
}
