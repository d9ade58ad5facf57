package correlate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An Explainer gathers events and explains their denials, equal ones together.
// It is not safe for concurrent use.
type Explainer struct {
	src    PolicySource
	opts   Options
	starts map[string]*sessionStart // by the access key of the session
	seen   map[string]bool          // by DeliveryID (rule T100)
	twins  map[string]twinned       // by sharedEventID (rule T104)
	groups map[groupKey]*cluster
	order  []*cluster

	changes map[string][]learned // by what they touched (subjectOf)
}

// NewExplainer returns an Explainer that finds policies in src; a nil src
// leaves AWS's messages as the only evidence.
func NewExplainer(src PolicySource, opts Options) *Explainer {
	return &Explainer{
		src: src, opts: opts,
		starts: map[string]*sessionStart{}, seen: map[string]bool{}, twins: map[string]twinned{}, groups: map[groupKey]*cluster{},
		changes: map[string][]learned{},
	}
}

// A groupKey is what equal denials have in common (rule T101), and what else
// may decide them: session, region, exact resources, context, and the policy that the call would put. Groups
// that turn out the same are put together once they are explained. What the time decides is told apart then, too.
type groupKey struct {
	principal                       evaluator.Principal
	mismatch                        bool
	session, region                 string
	claim                           Claim
	layer, policyARN, code          string
	endpoint, invokedBy, part, text string
	requests                        [sha256.Size]byte
	timed                           bool // it is known when the call was made
}

// A cluster is denials that are explained once, unless the policies ask for the time.
type cluster struct {
	key    groupKey
	denial Denial
	seen   []sighting
}

// A sighting is one event of a cluster.
type sighting struct {
	id string
	at time.Time
}

// oldest adds sightings to a list, and keeps the oldest.
func oldest(list []sighting, more ...sighting) []sighting {
	list = append(list, more...)
	slices.SortStableFunc(list, func(a, b sighting) int { return a.at.Compare(b.at) })
	return list[:min(len(list), maxEventIDs)]
}

// A twinned is the copy of a call that came first, and where it was put.
type twinned struct {
	group    *cluster
	sighting sighting
	ofCaller bool
}

const (
	maxEventIDs = 20
	maxSessions = 10
)

// Add takes one event, denied or not: the calls that made the sessions tell their
// session policies (rule T32). It reports how many denials the event holds
// that weren't known already.
func (x *Explainer) Add(e *Event) int {
	if key, s := startOf(e); s != nil {
		x.starts[key] = s.short()
	}
	x.learnChange(e)
	denials := DenialsOf(e, false)
	id := e.DeliveryID()
	if len(denials) == 0 || id != "" && x.seen[id] {
		return 0
	}
	if id != "" {
		x.seen[id] = true
	}
	if e.SharedID != "" {
		if first, ok := x.twins[e.SharedID]; ok {
			x.meetTwin(first, denials[0])
			return 0
		}
	}
	for i := range denials {
		g := x.add(denials[i])
		if e.SharedID != "" && i == 0 {
			x.twins[e.SharedID] = twinned{group: g, sighting: sighting{e.ID, e.Time}, ofCaller: callerCopy(e)}
		}
	}
	return len(denials)
}

// meetTwin takes another account's copy of a call: the caller's copy has the
// identity, the owner's tells whose the resource is (rule T104). The call moves to
// the caller's group, as others in the owner's may be of other sessions.
func (x *Explainer) meetTwin(first twinned, d Denial) {
	ofCaller := callerCopy(d.Event)
	switch {
	case first.ofCaller && !ofCaller:
		learnOwner(first.group.denial, d.Requests())
	case ofCaller && !first.ofCaller:
		owners := first.group.denial.Requests()
		x.drop(first)
		g := x.add(d)
		learnOwner(g.denial, owners)
		x.twins[d.Event.SharedID] = twinned{group: g, sighting: sighting{d.Event.ID, d.Event.Time}, ofCaller: true}
	}
}

// learnOwner takes over what the owner's copy tells of whose a resource is.
func learnOwner(d Denial, owners []Request) {
	requests := d.Requests()
	for i := range requests {
		r := &requests[i]
		for _, o := range owners {
			if o.Resource.ARN == r.Resource.ARN && o.Resource.Account != "" && !o.AccountAssumed && (r.Resource.Account == "" || r.AccountAssumed) {
				r.Resource.Account, r.AccountAssumed = o.Resource.Account, false
			}
		}
	}
}

// drop takes a copy out of its group, and a group that is empty out of the others.
func (x *Explainer) drop(t twinned) {
	g := t.group
	if i := slices.Index(g.seen, t.sighting); i >= 0 {
		g.seen = slices.Delete(g.seen, i, i+1)
	}
	if len(g.seen) == 0 && x.groups[g.key] == g {
		delete(x.groups, g.key)
	}
}

func callerCopy(e *Event) bool {
	return e != nil && e.Identity.Type != "AWSAccount" && (e.Identity.Account == "" || e.Identity.Account == e.RecipientAccount)
}

// AddDenial takes a denial that has no event, such as a pasted message.
func (x *Explainer) AddDenial(d Denial) { x.add(d) }

func (x *Explainer) add(d Denial) *cluster {
	key := keyOf(&d)
	g := x.groups[key]
	if g == nil {
		g = &cluster{key: key, denial: d}
		x.groups[key] = g
		x.order = append(x.order, g)
	}
	if len(d.Message.Text) > len(g.denial.Message.Text) {
		g.denial = d // the richest text stands for all (rule T103)
	}
	var seen sighting
	if d.Event != nil {
		seen = sighting{d.Event.ID, d.Event.Time}
	}
	g.seen = append(g.seen, seen)
	return g
}

func keyOf(d *Denial) groupKey {
	k := groupKey{
		principal: d.Principal, mismatch: d.PrincipalMismatch, claim: d.Message.Claim, layer: d.Message.Layer,
		policyARN: d.Message.PolicyARN, code: d.Code, part: d.Part, requests: requestsDigest(d.evaluated()),
	}
	if len(d.Requests()) == 0 && d.Event == nil {
		k.text = d.Message.Text
	}
	if e := d.Event; e != nil {
		k.region, k.endpoint, k.invokedBy, k.timed = e.Region, e.VPCEndpointID, e.Identity.InvokedBy, !e.Time.IsZero()
		k.session = e.Identity.AccessKeyID // users have sessions, too: with MFA and without
		if len(d.Requests()) == 0 {
			k.text = e.Source + ":" + e.Name
		}
	}
	return k
}

// requestsDigest tells apart the requests that decide a denial.
func requestsDigest(requests []Request) (sum [sha256.Size]byte) {
	h := sha256.New()
	for i := range requests {
		r := &requests[i]
		fmt.Fprintf(h, "%s %q %t\n", strings.ToLower(r.Action), r.Resource.ARN, r.Resource.Pattern)
		io.WriteString(h, lastingContext(&r.Context))
		if r.Puts != nil { // whether it is public may decide (rule S17)
			fmt.Fprintf(h, "puts %q\n", r.Puts.Text)
		}
	}
	h.Sum(sum[:0])
	return sum
}

// lastingContext is what a context holds that a repeated call has again: all but the time.
func lastingContext(c *evaluator.Context) string {
	var b strings.Builder
	for _, v := range c.All() {
		switch name := strings.ToLower(v.Name); name {
		case "aws:currenttime", "aws:epochtime":
		default:
			fmt.Fprintf(&b, "%s %d %t %q\n", name, v.State, v.Pattern, v.Values)
		}
	}
	return b.String()
}

// identityOf is the role, user or other identity behind a caller, whatever its session.
func identityOf(p *evaluator.Principal) string {
	return cmp.Or(p.RoleARN, p.ARN, p.ID, p.Account, string(p.Type))
}

// Findings explains what was added: most frequent first, then oldest.
func (x *Explainer) Findings(ctx context.Context) ([]Finding, error) {
	merged := map[mergeKey]*explained{}
	var all []*explained
	for _, part := range x.byEra(x.order) { // a group without calls is none: they are in their callers' groups
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		findings, err := x.explainDated(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, f := range findings {
			key := mergeKeyOf(f)
			if same := merged[key]; same != nil {
				same.absorb(f)
				continue
			}
			merged[key] = f
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *explained) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.Request.Action, b.Request.Action))
	})
	out := make([]Finding, len(all))
	for i, f := range all {
		x.changed(f)
		for _, e := range f.events {
			f.EventIDs = append(f.EventIDs, e.id)
		}
		out[i] = *f.Finding
	}
	return out, nil
}

// byTime takes a group apart whose calls the policies decide by the time when they were made (rule T101).
func (x *Explainer) byTime(ctx context.Context, g *cluster) ([]*cluster, error) {
	requests := g.denial.evaluated()
	if x.src == nil || len(requests) == 0 || !g.key.timed || len(g.seen) < 2 {
		return []*cluster{g}, nil
	}
	type question struct {
		request evaluator.Request
		clock   evaluator.Clock
	}
	var questions []question
	for _, r := range requests {
		request, policies, err := x.prepare(ctx, &g.denial, r)
		if err != nil {
			return nil, err
		}
		if clock := evaluator.ClockOf(&policies); clock.Asks() {
			questions = append(questions, question{request.Request, clock})
		}
	}
	if len(questions) == 0 {
		return []*cluster{g}, nil
	}
	var parts []*cluster
	byReading := map[string]*cluster{}
	for _, s := range g.seen {
		var reading strings.Builder
		for i := range questions {
			q := &questions[i]
			putTime(&q.request.Context, s.at)
			reading.WriteString(q.clock.Read(&q.request) + "\n")
		}
		part := byReading[reading.String()]
		if part == nil {
			part = &cluster{key: g.key, denial: g.denial.at(s.at)}
			byReading[reading.String()] = part
			parts = append(parts, part)
		}
		part.seen = append(part.seen, s)
	}
	if len(parts) == 1 {
		parts[0].denial = g.denial
	}
	return parts, nil
}

// at is the denial as if its call had been made at another time.
func (d Denial) at(t time.Time) Denial {
	requests := slices.Clone(d.Requests())
	for i := range requests {
		c := &requests[i].Context
		*c = c.Clone()
		putTime(c, t)
	}
	return d.WithRequests(requests...)
}

func putTime(c *evaluator.Context, t time.Time) {
	for _, v := range timesOf(t) {
		c.Put(v)
	}
}

// named are the sightings of events that have an id.
func (g *cluster) named() []sighting {
	return slices.DeleteFunc(slices.Clone(g.seen), func(s sighting) bool { return s.id == "" })
}

// span is when the first and the last call of a group were made, as far as that is known.
func (g *cluster) span() (first, last time.Time) {
	for _, s := range g.seen {
		switch {
		case s.at.IsZero():
			continue
		case first.IsZero() || s.at.Before(first):
			first = s.at
		}
		if s.at.After(last) {
			last = s.at
		}
	}
	return first, last
}

// A mergeKey is what findings have in common that are one (rule T101): who, what
// and the same answer, whatever the session or the object.
type mergeKey struct {
	principal, action, resource, layer, policy, answer, message string
	decision                                                    evaluator.Decision
}

// An explained is a finding in the making.
type explained struct {
	*Finding
	events      []sighting // that have an id, the oldest
	subjects    subjects   // what the answer rests on
	collectedAt time.Time  // when its policies were; zero if it isn't known
}

func mergeKeyOf(f *explained) mergeKey {
	k := mergeKey{
		principal: identityOf(&f.Request.Principal), action: strings.ToLower(f.Request.Action),
		resource: canonicalResource(f.Request.Resource.ARN), layer: f.Layer, policy: f.PolicyARN, decision: f.Decision,
		answer: string(f.Agreement), message: string(f.Denial.Message.Claim) + f.Denial.Message.Layer + f.Denial.Part,
	}
	k.policy += "|" + placeOf(f.Policy, f.Statement)
	if f.Era != nil && (f.Era.Changed || f.Era.Begin.IsZero()) { // it says so
		k.message += "|" + f.Era.End.String()
	}
	if e := f.Denial.Event; e != nil {
		k.message += "|" + e.VPCEndpointID + "|" + e.Identity.InvokedBy
	}
	if f.Request.Action == "" {
		k.message += f.Denial.Message.Text
	}
	for _, b := range f.Blockers {
		k.answer += "|" + string(b.Layer) + string(b.Kind)
		switch b.Layer {
		case evaluator.LayerIdentity, evaluator.LayerBoundary, evaluator.LayerSession: // the target is the caller, whose session doesn't count
		default:
			k.answer += b.Target
		}
		if b.Statement != nil {
			k.answer += placeOf(b.Policy, b.Statement)
		}
	}
	return k
}

// placeOf says which policy and statement is meant. Session policies of the same text are the
// same, though each stands at the event that set it.
func placeOf(p *evaluator.Policy, s *policy.Statement) string {
	if p == nil {
		return ""
	}
	ofSession := p.Type == "session" && p.Body != nil
	place := p.Name + p.Target
	if ofSession {
		place = p.Name + p.ARN + string(p.Body.Document().Text)
	}
	if s != nil {
		pos := s.Pos
		if ofSession {
			pos.File = ""
		}
		place += "|" + pos.String()
	}
	return place
}

// canonicalResource puts objects under one prefix, and instances, together (rule T101).
func canonicalResource(arn string) string {
	a, ok := splitARN(arn)
	switch {
	case !ok:
		return arn
	case a.service == "s3":
		if parts := strings.SplitN(a.resource, "/", 3); len(parts) == 3 {
			return strings.TrimSuffix(arn, parts[2])
		}
	case a.service == "ec2" && strings.HasPrefix(a.resource, "instance/i-"):
		return strings.TrimSuffix(arn, strings.TrimPrefix(a.resource, "instance/"))
	}
	return arn
}

// absorb adds an equal finding's events.
func (f *explained) absorb(g *explained) {
	f.events = oldest(f.events, g.events...)
	maps.Copy(f.subjects, g.subjects)
	if !g.collectedAt.IsZero() && g.collectedAt.Before(f.collectedAt) {
		f.collectedAt = g.collectedAt
	}
	f.Era.absorb(g.Era)
	f.Count += g.Count
	if f.FirstSeen.IsZero() || !g.FirstSeen.IsZero() && g.FirstSeen.Before(f.FirstSeen) {
		f.FirstSeen = g.FirstSeen
	}
	if g.LastSeen.After(f.LastSeen) {
		f.LastSeen = g.LastSeen
	}
	for _, s := range g.Sessions {
		if !slices.Contains(f.Sessions, s) && len(f.Sessions) < maxSessions {
			f.Sessions = append(f.Sessions, s)
		}
	}
}
