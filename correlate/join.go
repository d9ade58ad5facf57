package correlate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// explainNow joins the evidence of one denial (rule T92): what AWS's message says, and
// what the policies of x's one source say. When, and how often, there were calls like it is left open.
func (x *Explainer) explainNow(ctx context.Context, d *Denial) (*explained, error) {
	needs := d.needed()
	if x.src == nil || len(needs) == 0 {
		return x.explainWithout(d), nil
	}
	chosen, err := x.evaluate(ctx, d)
	if err != nil {
		return nil, err
	}
	f := newFinding(d)
	f.Request, f.Explanation = chosen.request, &chosen.explanation
	f.Blockers = chosen.explanation.Blockers
	f.Notes = append(f.Notes, chosen.notes...)
	return x.conclude(f, &chosen.policies), nil
}

// explainWithout explains a denial without policies.
func (x *Explainer) explainWithout(d *Denial) *explained {
	f := newFinding(d)
	f.Request.Principal = d.Principal
	if needs := d.needed(); len(needs) > 0 {
		f.Request = needs[0].request()
	}
	return x.conclude(f, new(evaluator.Policies))
}

func newFinding(d *Denial) *Finding {
	f := &Finding{Denial: *d, Decision: evaluator.Indeterminate, Layer: LayerUnknown, PolicyARN: d.Message.PolicyARN}
	if d.Principal.ARN != "" {
		f.Sessions = []string{d.Principal.ARN}
	}
	return f
}

// conclude says what follows from message and evaluation.
func (x *Explainer) conclude(f *Finding, policies *evaluator.Policies) *explained {
	f.join()
	f.alternatives()
	if f.Explanation != nil && fixable(f) {
		f.Fixes = evaluator.Fixes(&f.Request.Request, policies)
	}
	if f.PermissionSet = x.permissionSet(&f.Request.Principal); f.PermissionSet != nil {
		f.PermissionSet.inIdentityCenter(f.Fixes)
	}
	f.Reason = sentence(f)
	return &explained{Finding: f, subjects: subjectsOf(f, policies), collectedAt: x.collectedAt()}
}

// collectedAt is when the policies were collected; zero if that isn't known.
func (x *Explainer) collectedAt() time.Time {
	if src, ok := x.src.(Collected); ok {
		return src.CollectedAt()
	}
	return time.Time{}
}

// An evaluated is one request of a denial, and what the policies say of it.
type evaluated struct {
	request     Request
	policies    evaluator.Policies
	explanation evaluator.Explanation
	notes       []string
}

// evaluate evaluates the request that AWS named or, if it named none, all that
// the call needed, and chooses the one that explains the denial: one that is
// surely denied before one that may be (rule T74).
func (x *Explainer) evaluate(ctx context.Context, d *Denial) (evaluated, error) {
	var best evaluated
	var others []string
	rank := -1
	for _, r := range d.evaluated() {
		e, err := x.evaluateOne(ctx, d, r)
		if err != nil {
			return evaluated{}, err
		}
		n := 1
		switch e.explanation.Decision {
		case evaluator.ExplicitDeny, evaluator.ImplicitDeny:
			n = 2
		case evaluator.Allowed:
			n = 0
		}
		if n == 2 && rank == 2 {
			others = append(others, r.Action+" on "+r.Resource.ARN)
		}
		if n > rank {
			best, rank = e, n
		}
	}
	if len(others) > 0 {
		best.notes = append(best.notes, "the call also needs "+strings.Join(head(others, 3), ", ")+", denied as well")
	}
	return best, nil
}

// evaluated are the requests that decide a denial: the one that AWS named or, if it named none, all that the
// call surely needed (rule T81).
func (d *Denial) evaluated() []Request {
	needs := d.needed()
	if len(needs) < 2 {
		return made(needs)
	}
	if d.Message.Action == "" {
		if required := slices.DeleteFunc(slices.Clone(needs), func(n need) bool { return !n.required }); len(required) > 0 {
			return made(required)
		}
	}
	return made(needs[:1])
}

func head(s []string, n int) []string {
	if len(s) > n {
		return append(s[:n:n], fmt.Sprintf("%d more", len(s)-n))
	}
	return s
}

func (x *Explainer) evaluateOne(ctx context.Context, d *Denial, r Request) (evaluated, error) {
	r, p, err := x.prepare(ctx, d, r)
	if err != nil {
		return evaluated{}, err
	}
	return evaluated{request: r, policies: p, explanation: evaluator.Explain(&r.Request, &p)}, nil
}

// prepare returns a request with what the source knows of it, and its policies.
func (x *Explainer) prepare(ctx context.Context, d *Denial, r Request) (Request, evaluator.Policies, error) {
	r.Context = r.Context.Clone()
	x.knowTags(d, &r.Context)
	x.src.Complete(&r.Request)
	evaluator.DeriveContext(&r.Request)
	apicall.LackKeys(r.Action, &r.Context)
	p, err := x.src.Policies(ctx, r.Request)
	if err != nil {
		return r, p, fmt.Errorf("policies for %s on %s: %w", r.Action, r.Resource.ARN, err)
	}
	if l, ok := x.sessionLayer(d); ok {
		p.Session = l
	}
	return r, p, nil
}

// join settles decision, layer, policy and statement. AWS's message wins for the
// layer; which statement it was is the evaluation's to say (rules T91, T92, M26).
func (f *Finding) join() {
	m := &f.Denial.Message
	x := f.Explanation
	spoke := m.Layer != LayerUnknown || m.Claim != ClaimUnknown
	f.lackingAllow()
	f.Agreement = f.agreement()
	f.Layer = m.Layer
	f.Decision = claimed(m)
	switch {
	case x == nil:
	case m.Layer == LayerUnknown:
		f.fromEvaluation(m)
	case m.Layer != string(evaluator.LayerService):
		f.inLayer(evaluator.LayerName(m.Layer), m)
	}
	if f.Policy != nil && f.PolicyARN == "" {
		f.PolicyARN = f.Policy.ARN
	}
	f.Basis = f.basis(spoke)
	f.Disagreement = f.disagreement()
}

// lackingAllow adds what the denial itself proves: if AWS missed an allow in a layer, and
// the layer has none, then it is a blocker even where the policies alone leave
// open whether another layer would have done (rule U16).
func (f *Finding) lackingAllow() {
	m := &f.Denial.Message
	if f.Explanation == nil || m.Claim != ClaimImplicitDeny || f.Explanation.Decision == evaluator.Allowed {
		return // what the policies allow for sure lacks nothing
	}
	layer := evaluator.LayerName(m.Layer)
	for _, b := range f.Blockers {
		if b.Layer == layer && b.Kind == evaluator.KindNoAllow {
			return
		}
	}
	f.Blockers = append(f.Explanation.NoAllow(layer), f.Blockers...)
}

// claimed is the decision that a message claims. What S3's own settings refuse counts as explicit (rule S17).
func claimed(m *Message) evaluator.Decision {
	switch {
	case m.Claim == ClaimExplicitDeny:
		return evaluator.ExplicitDeny
	case m.Claim == ClaimImplicitDeny:
		return evaluator.ImplicitDeny
	case m.Layer == string(evaluator.LayerService):
		return evaluator.ExplicitDeny
	}
	return evaluator.Indeterminate
}

// fromEvaluation fills in what a message without a layer leaves open.
func (f *Finding) fromEvaluation(m *Message) {
	for i := range f.Blockers {
		b := &f.Blockers[i]
		if b.Kind == evaluator.KindNotCollected || m.Claim != ClaimUnknown && kindOf(m.Claim) != b.Kind {
			continue
		}
		f.Layer = string(b.Layer)
		f.blame(b)
		return
	}
}

// inLayer finds, in the layer that AWS named, the statement responsible.
func (f *Finding) inLayer(layer evaluator.LayerName, m *Message) {
	for i := range f.Blockers {
		b := &f.Blockers[i]
		if b.Layer != layer || b.Kind == evaluator.KindNotCollected {
			continue
		}
		if m.PolicyARN != "" && (b.Policy == nil || b.Policy.ARN != m.PolicyARN) {
			continue
		}
		if m.Claim != ClaimUnknown && b.Kind != kindOf(m.Claim) && f.Agreement != Agree {
			continue
		}
		f.blame(b)
		return
	}
	if m.Claim != ClaimExplicitDeny { // it may be for want of an allow
		return
	}
	// None surely denies: a single one that may is what AWS must have meant (rule U16).
	if s := onlyPossibleDeny(f.Explanation, layer, m.PolicyARN); s != nil {
		f.Policy, f.Statement = s.Policy, s.Statement
	}
}

// blame takes policy and statement of a blocker.
func (f *Finding) blame(b *evaluator.Blocker) {
	f.Policy, f.Statement = b.Policy, b.Statement
	if f.Decision == evaluator.Indeterminate {
		f.Decision = evaluator.ImplicitDeny
		if b.Kind == evaluator.KindExplicitDeny {
			f.Decision = evaluator.ExplicitDeny
		}
	}
}

func kindOf(c Claim) evaluator.BlockerKind {
	if c == ClaimExplicitDeny {
		return evaluator.KindExplicitDeny
	}
	return evaluator.KindNoAllow
}

// onlyPossibleDeny returns the one statement of a layer, or of the policy with an ARN
// in it, that may deny; nil if there are none or several, or may be more that nobody read.
func onlyPossibleDeny(x *evaluator.Explanation, layer evaluator.LayerName, arn string) *evaluator.StatementTrace {
	found := possibleDenies(x, layer, arn)
	if len(found) != 1 || arn == "" && inState(x, layer, evaluator.NotCollected) {
		return nil
	}
	return found[0]
}

// possibleDenies returns the statements that may deny. One without an Effect may (rule G21).
func possibleDenies(x *evaluator.Explanation, layer evaluator.LayerName, arn string) []*evaluator.StatementTrace {
	var found []*evaluator.StatementTrace
	for i := range x.Trace {
		if x.Trace[i].Layer != layer {
			continue
		}
		for j := range x.Trace[i].Statements {
			s := &x.Trace[i].Statements[j]
			if s.Statement.Effect == policy.Allow || s.Match == evaluator.NoMatch || arn != "" && s.Policy.ARN != arn {
				continue
			}
			found = append(found, s)
		}
	}
	return found
}

// agreement compares message and evaluation (rules T93, M26).
func (f *Finding) agreement() Agreement {
	m, x := &f.Denial.Message, f.Explanation
	switch {
	case x == nil && m.Layer == LayerUnknown && m.Claim == ClaimUnknown:
		return NoMessageEvidence
	case x != nil && m.Pattern == publicAccessPattern && hasServiceDeny(f.Blockers):
		return Agree // both speak of S3 Block Public Access (rule S17)
	case x == nil, m.Layer == string(evaluator.LayerService):
		return Plausible // nothing to compare with
	case m.Layer == LayerUnknown && m.Claim == ClaimUnknown:
		if x.Decision == evaluator.Allowed {
			return EvaluationSilent
		}
		return NoMessageEvidence
	case m.Layer == LayerUnknown:
		return f.agreementOnClaim()
	}
	layer := evaluator.LayerName(m.Layer)
	sameLayer := false
	for i := range f.Blockers {
		b := &f.Blockers[i]
		if b.Layer != layer || b.Kind == evaluator.KindNotCollected || m.PolicyARN != "" && (b.Policy == nil || b.Policy.ARN != m.PolicyARN) {
			continue
		}
		if m.Claim != ClaimUnknown && b.Kind == kindOf(m.Claim) ||
			m.Claim == ClaimExplicitDeny && layer == evaluator.LayerSCP && m.PolicyARN == "" { // older texts say so of a missing allow, too (rule M1)
			return Agree
		}
		sameLayer = true
	}
	switch {
	case sameLayer:
		return AgreeLayerOnly
	case possible(x, layer, m):
		return Plausible
	case x.Decision == evaluator.Allowed:
		return EvaluationSilent
	case definite(f.Blockers):
		return DifferentLayer
	}
	return Contradiction
}

func hasServiceDeny(blockers []evaluator.Blocker) bool {
	return slices.ContainsFunc(blockers, func(b evaluator.Blocker) bool {
		return b.Layer == evaluator.LayerService && b.Kind == evaluator.KindExplicitDeny
	})
}

// agreementOnClaim compares a message that says explicit or implicit, but not where.
func (f *Finding) agreementOnClaim() Agreement {
	for _, b := range f.Blockers {
		if b.Kind == kindOf(f.Denial.Message.Claim) {
			return Agree
		}
	}
	x := f.Explanation
	switch {
	case x.Decision == evaluator.Allowed:
		return EvaluationSilent
	case x.Decision == evaluator.Indeterminate:
		return Plausible
	case f.Denial.Message.Claim == ClaimExplicitDeny:
		// That an allow is lacking doesn't keep what is unknown from denying as well.
		for i := range x.Trace {
			if mayDeny(&x.Trace[i]) {
				return Plausible
			}
		}
	}
	return DifferentLayer
}

func definite(blockers []evaluator.Blocker) bool {
	for _, b := range blockers {
		if b.Kind != evaluator.KindNotCollected {
			return true
		}
	}
	return false
}

// possible reports whether the layer that AWS named may deny as AWS says, for
// all that is known of it.
func possible(x *evaluator.Explanation, layer evaluator.LayerName, m *Message) bool {
	if m.PolicyARN != "" {
		return len(possibleDenies(x, layer, m.PolicyARN)) > 0 ||
			inState(x, layer, evaluator.NotCollected) || inState(x, layer, evaluator.MayApply)
	}
	for i := range x.Trace {
		t := &x.Trace[i]
		if t.Layer != layer {
			continue
		}
		if m.Claim != ClaimImplicitDeny && mayDeny(t) || m.Claim != ClaimExplicitDeny && t.Allow == evaluator.Unknown {
			return true
		}
	}
	return false
}

// mayDeny reports whether a layer that isn't a blocker may deny: a level of an
// organisation's policies that surely does is none if it isn't known whether they
// reach the account (rule U7).
func mayDeny(t *evaluator.LayerTrace) bool {
	organisations := t.Layer == evaluator.LayerSCP || t.Layer == evaluator.LayerRCP
	return t.Deny == evaluator.Unknown || t.Deny == evaluator.Matched && organisations
}

// inState reports whether a layer, or a level of it, is in a state.
func inState(x *evaluator.Explanation, layer evaluator.LayerName, state evaluator.LayerState) bool {
	for i := range x.Trace {
		if t := &x.Trace[i]; t.Layer == layer && t.State == state {
			return true
		}
	}
	return false
}

// basis says where the answer comes from.
func (f *Finding) basis(spoke bool) string {
	evaluation := false
	switch f.Agreement {
	case Agree, AgreeLayerOnly, DifferentLayer:
		evaluation = true
	case Plausible:
		evaluation = f.Explanation != nil && f.Layer != string(evaluator.LayerService)
	case NoMessageEvidence:
		evaluation = f.Decision != evaluator.Indeterminate
	}
	switch {
	case spoke && evaluation:
		return "message+evaluation"
	case spoke:
		return "message"
	case evaluation:
		return "evaluation"
	}
	return "none"
}

// disagreement says how message and evaluation differ, and why that is likely (rules M26, M28).
func (f *Finding) disagreement() *Disagreement {
	switch f.Agreement {
	case EvaluationSilent, DifferentLayer, Contradiction:
	default:
		return nil
	}
	m := &f.Denial.Message
	said := &Disagreement{Agreement: f.Agreement, Message: "denied", Evaluation: f.Explanation.Decision.String()}
	switch {
	case m.Layer != LayerUnknown:
		said.Message = claimed(m).String() + " by " + m.Layer
	case m.Claim != ClaimUnknown:
		said.Message = string(m.Claim)
	}
	for _, b := range f.Blockers {
		if b.Kind != evaluator.KindNotCollected {
			said.Evaluation += " by " + string(b.Layer)
			break
		}
	}
	switch {
	case m.PolicyARN != "" && f.Policy == nil:
		said.LikelyCause = "AWS named policy " + m.PolicyARN + ", which doesn't concern this call in the snapshot: it has been detached, changed or deleted since the call, or was attached after the snapshot"
	case f.Agreement == DifferentLayer:
		said.LikelyCause = "AWS names one layer even if several deny; the one that it named doesn't in the snapshot, so its policies have probably changed between call and snapshot"
	default:
		said.LikelyCause = "the policies have probably changed between call and snapshot, or the call was denied by something that isn't in it"
	}
	return said
}

// fixable reports whether advice can rest on the evaluation.
func fixable(f *Finding) bool {
	switch f.Agreement {
	case Agree, AgreeLayerOnly, NoMessageEvidence:
		return f.Explanation.Decision != evaluator.Allowed
	}
	return false
}

// alternatives adds other explanations that the evidence leaves open.
func (f *Finding) alternatives() {
	if f.Denial.PrincipalMismatch && f.Denial.Event != nil {
		f.Notes = append(f.Notes, "AWS's message is about "+f.Request.Principal.ARN+", which the call used, and not about its caller "+f.Denial.Event.Identity.ARN)
	}
	// A key that isn't there looks the same to a caller that may not list the bucket (rule S20).
	if f.Request.Action == "s3:GetObject" && f.Denial.Message.Layer == LayerUnknown && f.Denial.Event != nil && f.Decision == evaluator.Indeterminate {
		f.Notes = append(f.Notes, "an object that doesn't exist gives the same answer to a caller without s3:ListBucket on the bucket")
	}
	if layers := f.possibleToo(); len(layers) > 0 {
		words := make([]string, len(layers))
		for i, l := range layers {
			words[i] = layerWords(string(l))
		}
		last := len(words) - 1
		if last > 0 {
			words = []string{strings.Join(words[:last], ", "), words[last]}
		}
		f.Notes = append(f.Notes, "not all is known of "+strings.Join(words, " and ")+", which may have denied it as well")
	}
	if f.Denial.Message.EncodedCut {
		f.Notes = append(f.Notes, "CloudTrail cut the encoded message: the caller's own error has the whole of it")
	}
}

// sentence is the finding in one sentence.
func sentence(f *Finding) string {
	action, where := f.Request.Action, f.Request.Resource.ARN
	if action == "" {
		action = "the call"
	}
	what := action
	if where != "" && where != "*" {
		what += " on " + where
	}
	layer := layerWords(f.Layer)
	switch {
	case f.Layer == string(evaluator.LayerService):
		return "a setting of the service refuses " + what + ", not a policy statement"
	case f.Layer == LayerUnknown && f.Agreement == EvaluationSilent:
		return what + " was denied, but the policies of the snapshot allow it"
	case f.Layer == LayerUnknown && f.Explanation != nil && len(f.Explanation.Undecided) > 0:
		return blameSentence(f.Explanation, &f.Denial.Message, what)
	case f.Layer == LayerUnknown:
		return "AWS doesn't say which policy denied " + what
	case f.Statement != nil && f.Decision == evaluator.ExplicitDeny:
		verb := " denies "
		if f.Agreement == Plausible {
			verb = " is the only one that can have denied "
		}
		return "statement " + statementName(f.Statement) + " of " + f.Policy.Name + verb + what
	case f.Decision == evaluator.ExplicitDeny:
		return "an explicit deny in " + layer + " denies " + what
	case f.Decision == evaluator.ImplicitDeny:
		return "no statement in " + layer + " allows " + what
	}
	return layer + " denied " + what
}

// undecidedOn names the first thing that an indeterminate answer hangs on.
func undecidedOn(x *evaluator.Explanation) string {
	u := x.Undecided[0]
	switch {
	case u.Missing != "":
		return u.Missing
	case u.Element.Key != "":
		return u.Element.Key + ", which isn't known"
	}
	return "the " + u.Element.Element + " of " + statementName(u.Statement)
}

func statementName(s *policy.Statement) string {
	switch {
	case s == nil:
		return ""
	case s.Sid.Value != "":
		return s.Sid.Value
	}
	return fmt.Sprintf("number %d", s.Index+1)
}

// layerWords names a layer in a sentence.
func layerWords(layer string) string {
	switch evaluator.LayerName(layer) {
	case evaluator.LayerSCP:
		return "the service control policies"
	case evaluator.LayerRCP:
		return "the resource control policies"
	case evaluator.LayerResource:
		return "the resource's policy"
	case evaluator.LayerIdentity:
		return "the identity-based policies"
	case evaluator.LayerBoundary:
		return "the permissions boundary"
	case evaluator.LayerSession:
		return "the session policy"
	case evaluator.LayerEndpoint:
		return "the VPC endpoint policy"
	}
	return "an unknown layer"
}
