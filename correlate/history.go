package correlate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A History is a PolicySource that has the policies of several times.
type History interface {
	PolicySource
	// Era numbers the times between two collections in their order, from 0 for what is older than the first. The zero time is in the last.
	Era(time.Time) int
	// Around returns the policies as they were collected when an era begins, and when it ends; nil where there are none.
	Around(era int) (before, after Collected, err error)
}

// A Collected is a PolicySource of one time.
type Collected interface {
	PolicySource
	CollectedAt() time.Time // zero if it isn't known
}

// An Era is the time between two collections in which a finding's calls were made.
type Era struct {
	Of    time.Time // when the policies were collected that the finding rests on: Begin or End
	Begin time.Time // when the policies were collected last before the calls; zero if never
	End   time.Time // when they were collected first after them; zero if never
	// Changed says that the policies which concern the request aren't the same at both times.
	Changed bool
}

// absorb widens an era to that of an equal finding.
func (e *Era) absorb(other *Era) {
	if e == nil || other == nil {
		return
	}
	if other.Begin.Before(e.Begin) {
		e.Begin = other.Begin
	}
	if other.Of.Before(e.Of) {
		e.Of = other.Of
	}
	if e.End.IsZero() || other.End.IsZero() {
		e.End = time.Time{}
	} else if other.End.After(e.End) {
		e.End = other.End
	}
}

// byEra takes groups apart by the eras of their calls, and puts them in the order of these, so that a History
// has each of its snapshots loaded once.
func (x *Explainer) byEra(groups []*cluster) []part {
	var out []part
	h, ok := x.src.(History)
	for _, g := range groups {
		if !ok {
			if len(g.seen) > 0 {
				out = append(out, part{of: g, seen: g.seen})
			}
			continue
		}
		places := map[int]int{}
		first := len(out)
		for _, s := range g.seen {
			era := h.Era(s.at())
			i, ok := places[era]
			if !ok {
				i = len(out)
				places[era] = i
				out = append(out, part{of: g, era: era})
			}
			out[i].seen = append(out[i].seen, s)
		}
		if len(out) > first+1 { // the representative's time is that of one era
			for i := first; i < len(out); i++ {
				out[i].at = out[i].seen[0].at()
			}
		}
	}
	slices.SortStableFunc(out, func(a, b part) int { return cmp.Compare(a.era, b.era) })
	return out
}

// with is x with another source of policies. It shares what was added.
func (x *Explainer) with(src PolicySource) *Explainer {
	y := *x
	y.src = src
	return &y
}

// around returns x with the policies from before and from after a part's calls; both are x without a History, and one is nil
// where that has none.
func (x *Explainer) around(p part) (before, after *Explainer, err error) {
	h, ok := x.src.(History)
	if !ok {
		return x, x, nil
	}
	b, a, err := h.Around(p.era)
	switch {
	case err != nil:
		return nil, nil, err
	case b == nil && a == nil:
		at, _ := p.span()
		return nil, nil, fmt.Errorf("the history has no policies around %s", cmp.Or(p.at, at).Format(time.RFC3339))
	}
	if b != nil {
		before = x.with(b)
	}
	if a != nil {
		after = x.with(a)
	}
	return before, after, nil
}

// split takes a part apart whose calls the policies of its era decide by their time.
func (x *Explainer) split(ctx context.Context, p part) ([]part, error) {
	before, after, err := x.around(p)
	if err != nil {
		return nil, err
	}
	parts := []part{p}
	for _, y := range slices.Compact([]*Explainer{before, after}) {
		if y == nil {
			continue
		}
		var finer []part
		for _, p := range parts {
			some, err := y.byTime(ctx, p)
			if err != nil {
				return nil, err
			}
			finer = append(finer, some...)
		}
		parts = finer
	}
	return parts, nil
}

// explain explains a part with the policies of its era.
func (x *Explainer) explain(ctx context.Context, p part) (*explained, error) {
	before, after, err := x.around(p)
	if err != nil {
		return nil, err
	}
	d := x.denial(p)
	switch {
	case before == after:
		return x.explainNow(ctx, &d)
	case before == nil:
		f, err := after.explainNow(ctx, &d)
		if err != nil {
			return nil, err
		}
		f.Era = &Era{Of: f.collectedAt, End: f.collectedAt}
		f.note("the policies are those collected at " + clock(f.collectedAt) + ", after the call: the history has none that are older")
		return f, nil
	case after == nil:
		f, err := before.explainNow(ctx, &d)
		if err != nil {
			return nil, err
		}
		f.Era = &Era{Of: f.collectedAt, Begin: f.collectedAt}
		return f, nil
	}
	return before.explainBetween(ctx, after, &d)
}

// explainBetween explains a denial with the policies of x, and looks whether those of y, which were
// collected after its calls, are the same for it. If they aren't, AWS's message may tell which were in force;
// else what the two agree on is known.
func (x *Explainer) explainBetween(ctx context.Context, y *Explainer, d *Denial) (*explained, error) {
	f, err := x.explainNow(ctx, d)
	if err != nil {
		return nil, err
	}
	era := Era{Of: f.collectedAt, Begin: f.collectedAt, End: y.collectedAt()}
	f.Era = &era
	same, err := x.sameIn(ctx, y, d)
	if same || err != nil {
		return f, err
	}
	later, err := y.explainNow(ctx, d)
	if err != nil {
		return nil, err
	}
	era.Changed = true
	later.Era = &Era{Of: era.End, Begin: era.Begin, End: era.End, Changed: true}
	changed := fmt.Sprintf("the policies that concern this call changed between %s and %s", clock(era.Begin), clock(era.End))
	switch earlierFits, laterFits := fit(f.Finding), fit(later.Finding); {
	case f.answer() == later.answer():
		f.note(changed + "; before and after, they answer the same")
	case earlierFits > laterFits:
		f.Fixes = nil // they would be of policies that are gone
		f.note(changed + "; AWS's answer fits those from before")
	case laterFits > earlierFits:
		later.note(changed + "; AWS's answer fits those from after")
		return later, nil
	case earlierFits == 0: // AWS's message stands, and the disagreement says why
		f.note(changed + "; AWS's answer fits neither")
	default:
		f.agreeOn(later.Finding, changed)
	}
	return f, nil
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (f *Finding) note(text string) { f.Notes = append(f.Notes, text) }

// fit says how well an evaluation fits AWS's answer, which was no: 0 is not at all.
func fit(f *Finding) int {
	switch f.Agreement {
	case Agree:
		return 2
	case Plausible, NoMessageEvidence:
		return 1
	}
	return 0
}

// answer is what a finding says, in words that don't depend on where in a file it stands.
func (f *Finding) answer() string {
	out := f.Decision.String() + " " + f.Layer + policyKey(f.Policy, f)
	for i := range f.Blockers {
		out += "\n" + blockerKey(&f.Blockers[i])
	}
	return out
}

func policyKey(p *evaluator.Policy, f *Finding) string {
	if p == nil {
		return " " + f.PolicyARN
	}
	out := fmt.Sprintf(" %q %q %q", p.Name, p.ARN, p.Target)
	if f.Statement != nil {
		out += fmt.Sprintf(" %s %d", f.Statement.Sid.Value, f.Statement.Index)
	}
	return out
}

func blockerKey(b *evaluator.Blocker) string {
	return string(b.Layer) + " " + string(b.Kind) + " " + b.Target + policyKey(b.Policy, &Finding{Policy: b.Policy, Statement: b.Statement})
}

// agreeOn leaves of a finding what it has in common with another, of which either may be true: the rest isn't known.
func (f *Finding) agreeOn(other *Finding, changed string) {
	first, second := f.Reason, other.Reason
	if f.Decision != other.Decision {
		f.Decision = evaluator.Indeterminate
	}
	if f.Layer != other.Layer {
		f.Layer = LayerUnknown
	}
	if policyKey(f.Policy, f) != policyKey(other.Policy, other) {
		f.Policy, f.Statement, f.PolicyARN = nil, nil, f.Denial.Message.PolicyARN
	}
	f.Blockers = slices.DeleteFunc(slices.Clone(f.Blockers), func(b evaluator.Blocker) bool {
		return !slices.ContainsFunc(other.Blockers, func(o evaluator.Blocker) bool { return blockerKey(&o) == blockerKey(&b) })
	})
	f.Explanation, f.Fixes, f.Disagreement = nil, nil, nil
	spoke := f.Denial.Message.Layer != LayerUnknown || f.Denial.Message.Claim != ClaimUnknown
	f.Agreement, f.Basis = NoMessageEvidence, "none"
	if spoke {
		f.Agreement, f.Basis = Plausible, "message"
	}
	f.Reason = changed + ", so which were in force isn't certain"
	f.note(f.Reason + fmt.Sprintf(": by those of %s, %s; by those of %s, %s", clock(f.Era.Begin), first, clock(f.Era.End), second))
}

// sameIn reports whether the policies that decide a denial are the same in x and in y, and what the
// two know of its requests.
func (x *Explainer) sameIn(ctx context.Context, y *Explainer, d *Denial) (bool, error) {
	for _, r := range d.evaluated() {
		request, policies, err := x.prepare(ctx, d, r)
		if err != nil {
			return false, err
		}
		later, others, err := y.prepare(ctx, d, r)
		if err != nil {
			return false, err
		}
		if !sameRequest(&request.Request, &later.Request) || !samePolicies(&policies, &others) {
			return false, nil
		}
	}
	return true, nil
}

// sameRequest reports whether two sources know the same of a request: its caller's path, owners, tags.
func sameRequest(a, b *evaluator.Request) bool {
	return a.Principal == b.Principal && a.Resource == b.Resource && bytes.Equal(appendLasting(nil, &a.Context), appendLasting(nil, &b.Context))
}

// samePolicies reports whether two answers of a source are the same, as far as both are known: what only one
// has may have been so all the time.
func samePolicies(a, b *evaluator.Policies) bool {
	return sameHierarchy(&a.SCP, &b.SCP) && sameHierarchy(&a.RCP, &b.RCP) &&
		sameLayer(&a.Identity, &b.Identity) && sameLayer(&a.Boundary, &b.Boundary) && sameLayer(&a.Session, &b.Session) &&
		sameLayer(&a.Endpoint.Layer, &b.Endpoint.Layer) && sameResource(&a.Resource, &b.Resource)
}

func sameHierarchy(a, b *evaluator.Hierarchy) bool {
	switch {
	case a.State == evaluator.NotCollected || b.State == evaluator.NotCollected:
		return true
	case a.State != b.State || len(a.Levels) != len(b.Levels):
		return false
	}
	for i := range a.Levels {
		if a.Levels[i].Target != b.Levels[i].Target || !sameLayer(&a.Levels[i].Layer, &b.Levels[i].Layer) {
			return false
		}
	}
	return true
}

func sameLayer(a, b *evaluator.Layer) bool {
	if a.State == evaluator.NotCollected || b.State == evaluator.NotCollected {
		return true
	}
	return a.State == b.State && slices.Equal(textsOf(a.Policies), textsOf(b.Policies))
}

// textsOf are policies as text without their layout, in an order of their own.
func textsOf(policies []evaluator.Policy) []string {
	var texts []string
	for _, p := range policies {
		text := fmt.Sprintf("%q %q %q %q ", p.Name, p.ARN, p.Type, p.Target)
		if p.Body != nil {
			var b bytes.Buffer
			if json.Compact(&b, p.Body.Document().Text) != nil {
				b.Reset()
				b.Write(p.Body.Document().Text)
			}
			text += b.String()
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

func sameResource(a, b *evaluator.ResourceLayer) bool {
	if !sameLayer(&a.Layer, &b.Layer) || a.Type != b.Type {
		return false
	}
	if grants := a.Grants; grants.State != evaluator.NotCollected && b.Grants.State != evaluator.NotCollected && !reflect.DeepEqual(grants, b.Grants) {
		return false
	}
	if a.Behind != nil && b.Behind != nil && (a.Behind.ARN != b.Behind.ARN || !sameLayer(&a.Behind.Layer, &b.Behind.Layer)) {
		return false
	}
	return !whole(a.Bucket) || !whole(b.Bucket) || reflect.DeepEqual(a.Bucket, b.Bucket)
}

// whole reports whether all of what guards a bucket was collected.
func whole(b *evaluator.Bucket) bool {
	return b == nil || b.MissingBlock == "" && b.MissingOwnership == "" && b.BucketACL.State != evaluator.NotCollected && b.ObjectACL.State != evaluator.NotCollected
}
