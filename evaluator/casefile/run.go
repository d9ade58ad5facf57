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
	for i := range c.Requests {
		req, policies, err := prepare(ctx, &c, i, src)
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
	result.Why = differs(c.Expect, result, seen)
	result.Pass = result.Why == ""
	return result
}

// prepare returns request i with what its world adds to it, and its policies.
func prepare(ctx context.Context, c *Case, i int, src PolicySource) (evaluator.Request, *evaluator.Policies, error) {
	req := c.Requests[i]
	if p := c.policies(i); p != nil {
		return req, p, nil
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
	c.closeWorld(&req, i)
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
func differs(want Expectation, got Result, seen []evaluator.Explanation) string {
	var parts []string
	if got.Decision != want.Decision {
		parts = append(parts, fmt.Sprintf("decision is %s%s, expected %s", got.Decision, by(got.Layers), want.Decision))
	}
	for _, layer := range want.Layers {
		if !slices.Contains(got.Layers, layer) {
			parts = append(parts, fmt.Sprintf("layer %s is not among the blockers (%s)", layer, orNone(got.Layers)))
		}
	}
	if sids := sidsOf(seen); want.Statement != "" && !slices.Contains(sids, want.Statement) {
		parts = append(parts, fmt.Sprintf("statement %s is not named (%s)", want.Statement, orNone(sids)))
	}
	if blockers := blockersOf(seen); want.Blockers != nil && !sameBlockers(want.Blockers, blockers) {
		parts = append(parts, fmt.Sprintf("blockers are %s, expected %s", listOf(blockers), listOf(want.Blockers)))
	}
	open := openOf(seen)
	for _, name := range want.Undecided {
		if !slices.ContainsFunc(open, func(s string) bool { return strings.EqualFold(s, name) }) { // keys without case (rule C3)
			parts = append(parts, fmt.Sprintf("%s is not among what the decision hangs on (%s)", name, orNone(open)))
		}
	}
	caveats := caveatsOf(seen)
	for _, rule := range want.Caveats {
		if !slices.Contains(caveats, rule) {
			parts = append(parts, fmt.Sprintf("rule %s is not among the caveats (%s)", rule, orNone(caveats)))
		}
	}
	return strings.Join(parts, "; ")
}

// blockersOf are the blockers of all requests, in order.
func blockersOf(list []evaluator.Explanation) []ExpectedBlocker {
	var all []ExpectedBlocker
	for _, e := range list {
		for _, b := range e.Blockers {
			got := ExpectedBlocker{Layer: b.Layer, Kind: b.Kind, Target: b.Target}
			if b.Statement != nil {
				got.Statement = b.Statement.Sid.Value
			}
			all = append(all, got)
		}
	}
	return all
}

func sameBlockers(want, got []ExpectedBlocker) bool {
	return slices.EqualFunc(want, got, func(w, g ExpectedBlocker) bool {
		return w.Layer == g.Layer && (w.Kind == "" || w.Kind == g.Kind) &&
			(w.Statement == "" || w.Statement == g.Statement) && (w.Target == "" || w.Target == g.Target)
	})
}

// listOf puts blockers into words: "[scp explicitDeny Keep at ou-1, identity]".
func listOf(list []ExpectedBlocker) string {
	all := make([]string, len(list))
	for i, b := range list {
		all[i] = strings.Join(strings.Fields(string(b.Layer)+" "+string(b.Kind)+" "+b.Statement), " ")
		if b.Target != "" {
			all[i] += " at " + b.Target
		}
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// openOf names what open decisions hang on: layers, and the condition keys in them.
func openOf(list []evaluator.Explanation) []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, e := range list {
		for _, u := range e.Undecided {
			add(string(u.Layer))
			add(u.Element.Key)
		}
	}
	return names
}

// caveatsOf are the rules that AWS doesn't document and that had a say (rule U18).
func caveatsOf(list []evaluator.Explanation) []string {
	var rules []string
	for _, e := range list {
		for _, rule := range e.Caveats {
			if !slices.Contains(rules, rule) {
				rules = append(rules, rule)
			}
		}
	}
	return rules
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
