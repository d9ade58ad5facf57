package casefile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Result is how a case went.
type Result struct {
	Case        Case
	Decision    evaluator.Decision
	Layers      []evaluator.LayerName // of the blockers, in order, once each
	Pass        bool
	Err         error                 // the case couldn't be run
	Why         string                // for a failure: what differs, in one line
	Explanation evaluator.Explanation // of the first resource that isn't allowed, or of the first
}

// A PolicySource gives the policies that concern a request.
type PolicySource interface {
	Policies(context.Context, evaluator.Request) (evaluator.Policies, error)
}

// ErrNoPolicies is the error of a case that brings no policies where there is
// no snapshot, either.
var ErrNoPolicies = errors.New("the case has no policies, and there is no snapshot: write policies, or give --snapshot")

// Run runs one case; src may be nil if the case brings its own policies.
//
// Of a source that can tell, as a snapshot can, who a principal is and whose a resource is
// (Complete, as in correlate.PolicySource) that much is asked. No context
// key is: a case file is a closed world.
func Run(ctx context.Context, c Case, src PolicySource) Result {
	result := Result{Case: c, Err: c.Err}
	if c.Err != nil {
		return result
	}
	var decisions []evaluator.Decision
	var seen []evaluator.Explanation
	for _, req := range c.Requests {
		req, policies, err := prepare(ctx, c, req, src)
		if err != nil {
			result.Err = fmt.Errorf("%s: %w", c.Pos, err)
			return result
		}
		e := evaluator.Explain(&req, policies)
		seen, decisions = append(seen, e), append(decisions, e.Decision)
	}
	result.Decision = evaluator.Combine(decisions...)
	result.Explanation = seen[0]
	if i := slices.IndexFunc(decisions, func(d evaluator.Decision) bool { return d != evaluator.Allowed }); i >= 0 {
		result.Explanation = seen[i]
	}
	result.Layers = layersOf(seen)
	result.Why = differs(c.Expect, result, sidsOf(seen))
	result.Pass = result.Why == ""
	return result
}

// prepare returns a request with what its world adds to it, and its policies.
func prepare(ctx context.Context, c Case, req evaluator.Request, src PolicySource) (evaluator.Request, *evaluator.Policies, error) {
	if c.Policies != nil {
		return req, c.Policies, nil
	}
	if src == nil {
		return req, nil, ErrNoPolicies
	}
	req.Context = req.Context.Clone()
	if known, ok := src.(interface{ Complete(*evaluator.Request) }); ok {
		full := req
		full.Context = req.Context.Clone()
		known.Complete(&full)
		req.Principal, req.Resource = full.Principal, full.Resource
	}
	closeWorld(&req)
	policies, err := src.Policies(ctx, req)
	return req, &policies, err
}

// layersOf names the layers that stand in the way, in order, once each: those
// of the blockers, and where the decision hangs on something those it hangs on.
func layersOf(list []evaluator.Explanation) []evaluator.LayerName {
	layers := []evaluator.LayerName{}
	add := func(l evaluator.LayerName) {
		if l != "" && !slices.Contains(layers, l) {
			layers = append(layers, l)
		}
	}
	for _, e := range list {
		for _, b := range e.Blockers {
			add(b.Layer)
		}
		for _, u := range e.Undecided {
			add(u.Layer)
		}
	}
	return layers
}

// sidsOf names the statements that decide: those that deny, the near misses of
// a missing allow, those that an unknown hangs on, and of an allowed request those that allow.
func sidsOf(list []evaluator.Explanation) []string {
	var sids []string
	add := func(sid string) {
		if sid != "" && !slices.Contains(sids, sid) {
			sids = append(sids, sid)
		}
	}
	for _, e := range list {
		for _, b := range e.Blockers {
			if b.Statement != nil {
				add(b.Statement.Sid.Value)
				continue
			}
			for _, near := range b.NearMisses {
				if near.Statement != nil {
					add(near.Statement.Sid.Value)
				}
			}
		}
		for _, u := range e.Undecided {
			if u.Statement != nil {
				add(u.Statement.Sid.Value)
			}
		}
		if e.Decision == evaluator.Allowed {
			for _, sid := range allowing(e) {
				add(sid)
			}
		}
	}
	return sids
}

func allowing(e evaluator.Explanation) []string {
	var sids []string
	for _, layer := range e.Trace {
		for _, s := range layer.Statements {
			if s.Match == evaluator.Matched && s.Statement != nil {
				sids = append(sids, s.Statement.Sid.Value)
			}
		}
	}
	return sids
}

// differs says in one line what is not as expected; "" if nothing is.
func differs(want Expectation, got Result, sids []string) string {
	var parts []string
	if got.Decision != want.Decision {
		parts = append(parts, fmt.Sprintf("decision is %s%s, expected %s", got.Decision, by(got.Layers), want.Decision))
	}
	for _, layer := range want.Layers {
		if !slices.Contains(got.Layers, layer) {
			parts = append(parts, fmt.Sprintf("layer %s is not among the blockers (%s)", layer, orNone(got.Layers)))
		}
	}
	if want.Statement != "" && !slices.Contains(sids, want.Statement) {
		parts = append(parts, fmt.Sprintf("statement %s is not named (%s)", want.Statement, orNone(sids)))
	}
	return strings.Join(parts, "; ")
}

// by names the layers after a decision: " by scp, identity".
func by(layers []evaluator.LayerName) string {
	if len(layers) == 0 {
		return ""
	}
	return " by " + orNone(layers)
}

func orNone[T ~string](list []T) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
