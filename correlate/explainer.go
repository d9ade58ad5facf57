package correlate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// An Explainer gathers events and explains their denials, equal ones together. It holds little of each: what
// a call needed, and why it was denied, is made again when it is asked for.
// It is not safe for concurrent use.
type Explainer struct {
	src    PolicySource
	opts   Options
	starts *sessionStarts
	seen   *eventIDs          // by DeliveryID (rule T100)
	twins  map[string]twinned // by sharedEventID (rule T104)
	groups map[digest]*cluster
	order  []*cluster
	packer *packer
	last   *unpacked // of the denials' events

	changes map[string][]*learned // by what they touched (subjectOf)
	texts   repeated              // of changes and findings

	sightings *sightings
}

// NewExplainer returns an Explainer that finds policies in src; a nil src
// leaves AWS's messages as the only evidence.
func NewExplainer(src PolicySource, opts Options) *Explainer {
	return &Explainer{
		src: src, opts: opts,
		starts: new(sessionStarts), seen: new(eventIDs), twins: map[string]twinned{}, groups: map[digest]*cluster{},
		packer: new(packer), last: new(unpacked), changes: map[string][]*learned{}, texts: repeated{}, sightings: new(sightings),
	}
}

// A cluster is denials that are explained once, unless the policies ask for the time: those that have in common what
// keyOf says. Clusters that turn out the same are put together once they are explained.
type cluster struct {
	key   digest
	seen  []sighting
	timed bool // it is known when the calls were made

	// The representative: a denial as it was given or, of an event, what it is made of again.
	given  *Denial
	event  *packedEvent
	item   *failure          // within the event's response; nil for the event's own
	length int               // of its message
	owners map[string]string // the accounts of resources, by their ARNs, that copies told

	brief *brief // nil until it is explained, or if the policies count
}

// oldest adds sightings to a list, and keeps the oldest.
func oldest(list []sighting, more ...sighting) []sighting {
	list = append(list, more...)
	slices.SortStableFunc(list, func(a, b sighting) int { return a.at().Compare(b.at()) })
	return slices.Clone(list[:min(len(list), maxEventIDs)]) // and not what is behind them
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
		x.starts.put(key, s)
	}
	x.learnChange(e)
	denials := DenialsOf(e, false)
	if len(denials) == 0 {
		return 0
	}
	if id := e.DeliveryID(); id != "" && !x.seen.add(id) {
		return 0
	}
	if e.SharedID != "" {
		if first, ok := x.twins[e.SharedID]; ok {
			x.meetTwin(first, &denials[0])
			return 0
		}
	}
	var packed *packedEvent
	for i := range denials {
		g := x.add(&denials[i], &packed)
		if e.SharedID != "" && i == 0 {
			x.twins[e.SharedID] = twinned{group: g, sighting: g.seen[len(g.seen)-1], ofCaller: callerCopy(e)}
		}
		denials[i] = Denial{} // each of a batch may need what all of its items need
	}
	return len(denials)
}

// meetTwin takes another account's copy of a call: the caller's copy has the
// identity, the owner's tells whose the resource is (rule T104). The call moves to
// the caller's group, as others in the owner's may be of other sessions.
func (x *Explainer) meetTwin(first twinned, d *Denial) {
	ofCaller := callerCopy(d.Event)
	switch {
	case first.ofCaller && !ofCaller:
		first.group.learnOwners(d.Requests())
	case ofCaller && !first.ofCaller:
		owners := x.denialOf(first.group).Requests()
		x.drop(first)
		var packed *packedEvent
		g := x.add(d, &packed)
		g.learnOwners(owners)
		x.twins[d.Event.SharedID] = twinned{group: g, sighting: g.seen[len(g.seen)-1], ofCaller: true}
	}
}

// learnOwners takes over what the owner's copy tells of whose a resource is.
func (g *cluster) learnOwners(requests []Request) {
	for _, r := range requests {
		if r.Resource.Account == "" || r.AccountAssumed || g.owners[r.Resource.ARN] != "" {
			continue
		}
		if g.owners == nil {
			g.owners = map[string]string{}
		}
		g.owners[r.Resource.ARN] = r.Resource.Account
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
func (x *Explainer) AddDenial(d Denial) { x.add(&d, nil) }

// add puts a denial into its group. packed is its event, if that was packed already; nil for a denial
// that is held as it is.
func (x *Explainer) add(d *Denial, packed **packedEvent) *cluster {
	key := keyOf(d)
	g := x.groups[key]
	fresh := g == nil
	if fresh {
		g = &cluster{key: key}
		x.groups[key] = g
		x.order = append(x.order, g)
	}
	if fresh || len(d.Message.Text) > g.length { // the richest text stands for all (rule T103)
		x.represent(g, d, packed)
	}
	e := d.Event
	if e == nil {
		e = new(Event)
	}
	g.seen = append(g.seen, x.sightings.of(e))
	return g
}

// represent makes a denial the one that stands for its group.
func (x *Explainer) represent(g *cluster, d *Denial, packed **packedEvent) {
	g.timed, g.length = d.Event != nil && !d.Event.Time.IsZero(), len(d.Message.Text)
	g.given, g.event, g.item, g.owners = nil, nil, d.item, nil
	if packed == nil {
		g.given = d
	} else {
		if *packed == nil {
			*packed = x.packer.pack(d.Event)
		}
		g.event = *packed
	}
	if x.src == nil { // nothing that is still to come counts, and now the requests are there
		g.brief = x.briefOf(x.explainWithout(d))
	}
}

// An unpacked is the event that was unpacked last, and its call: the denials of a batch come one after another.
type unpacked struct {
	of   *packedEvent
	call *call
}

// denialOf makes the denial that stands for a group, again.
func (x *Explainer) denialOf(g *cluster) Denial {
	if g.given != nil {
		return *g.given
	}
	if x.last.of != g.event {
		*x.last = unpacked{g.event, newCall(g.event.event())}
	}
	c := x.last.call
	f := g.item
	if f == nil {
		own := ownFailure(c.event)
		f = &own
	}
	d := failed(c.event, f)
	c.complete(&d, f)
	if len(g.owners) == 0 {
		return d
	}
	return d.edited(func(r *Request) {
		if owner := g.owners[r.Resource.ARN]; owner != "" && (r.Resource.Account == "" || r.AccountAssumed) {
			r.Resource.Account, r.AccountAssumed = owner, false
		}
	})
}

// A digest stands for texts of any length. Two that are equal are of the same texts.
type digest [sha256.Size]byte

// keyOf is what equal denials have in common (rule T101), and what else may decide them: session, region, exact
// resources, context, and the policy that the call would put. What the time decides is told apart when they are explained.
func keyOf(d *Denial) digest {
	p, m := &d.Principal, &d.Message
	b := make([]byte, 0, 4096)
	for _, s := range []string{
		string(p.Type), p.ARN, p.RoleARN, p.ParentARN, p.ID, p.Account, string(m.Claim), m.Layer, m.PolicyARN, d.Code, d.Part,
	} {
		b = appendText(b, s)
	}
	b = appendFlag(appendFlag(b, p.RolePathUnknown), d.PrincipalMismatch)
	evaluated := d.evaluated()
	text := m.Text
	b = appendFlag(b, d.Event != nil)
	if e := d.Event; e != nil {
		// Users have sessions, too: with MFA and without.
		for _, s := range []string{e.Identity.AccessKeyID, e.Region, e.VPCEndpointID, e.Identity.InvokedBy} {
			b = appendText(b, s)
		}
		b = appendFlag(b, e.Time.IsZero())
		text = e.Source + ":" + e.Name
	}
	if len(evaluated) == 0 {
		b = appendText(b, text)
	}
	for i := range evaluated {
		b = appendRequest(b, &evaluated[i])
	}
	return sha256.Sum256(b)
}

// appendRequest tells apart the requests that decide a denial.
func appendRequest(b []byte, r *Request) []byte {
	b = appendFlag(appendText(appendText(b, strings.ToLower(r.Action)), r.Resource.ARN), r.Resource.Pattern)
	b = appendLasting(b, &r.Context)
	b = appendFlag(b, r.Puts != nil)
	if r.Puts != nil { // whether it is public may decide (rule S17)
		b = appendText(b, string(r.Puts.Text))
	}
	return b
}

// appendLasting tells apart contexts by what a repeated call has again: all but the time.
func appendLasting(b []byte, c *evaluator.Context) []byte {
	for _, v := range c.All() {
		name := strings.ToLower(v.Name)
		if name == "aws:currenttime" || name == "aws:epochtime" {
			continue
		}
		b = appendFlag(append(appendText(b, name), byte(v.State)), v.Pattern)
		b = binary.AppendUvarint(b, uint64(len(v.Values)))
		for _, value := range v.Values {
			b = appendText(b, value)
		}
	}
	return append(b, 0) // no name
}

// identityOf is the role, user or other identity behind a caller, whatever its session.
func identityOf(p *evaluator.Principal) string {
	return cmp.Or(p.RoleARN, p.ARN, p.ID, p.Account, string(p.Type))
}

// Findings explains what was added: most frequent first, then oldest. Each finding is whole when it is handed
// out, and isn't held; its event is equal to the one that was added, not the same. An error, of ctx or of the source of
// policies, is the last that is handed out; ctx doesn't count any more once there is a finding.
func (x *Explainer) Findings(ctx context.Context) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		all, err := x.find(ctx)
		if err != nil {
			yield(Finding{}, err)
			return
		}
		ctx = context.WithoutCancel(ctx)
		for some := range slices.Chunk(all, x.atOnce()) {
			whole, err := x.whole(ctx, some)
			if err != nil {
				yield(Finding{}, err)
				return
			}
			for _, f := range whole {
				if !yield(*f, nil) {
					return
				}
			}
		}
	}
}

// manyWhole is how many findings are held whole with a History, which loads its snapshots in the order of eras: the first, and of the
// others as many as are next.
const manyWhole = 128

// atOnce is how many findings are made whole together.
func (x *Explainer) atOnce() int {
	if _, ok := x.src.(History); ok {
		return manyWhole
	}
	return 1
}

// A found is a finding of which little more is held than what orders it.
type found struct {
	*brief
	part        part // the first of the equal ones
	count       int
	first, last time.Time
	events      []sighting // that have an id, the oldest
	sessions    []string   // others than the first one's
	whole       *Finding   // nil if it is to be made again
}

// find explains all that was added, and puts equal findings together.
func (x *Explainer) find(ctx context.Context) ([]*found, error) {
	merged := map[digest]*found{}
	var all []*found
	for _, dated := range x.byEra(x.order) { // a group without calls is none: they are in their callers' groups
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		parts, err := x.split(ctx, dated)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			f, err := x.found(ctx, p)
			if err != nil {
				return nil, err
			}
			if same := merged[f.key]; same != nil {
				same.absorb(f)
				continue
			}
			if len(all) >= x.atOnce() {
				f.whole = nil
			}
			merged[f.key] = f
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *found) int {
		return cmp.Or(cmp.Compare(b.count, a.count), a.first.Compare(b.first), strings.Compare(a.action, b.action))
	})
	return all, nil
}

// found explains a part.
func (x *Explainer) found(ctx context.Context, p part) (*found, error) {
	f := &found{part: p, count: len(p.seen), events: oldest(nil, p.named()...)}
	f.first, f.last = p.span()
	if f.brief = p.of.brief; f.brief == nil {
		whole, err := x.explain(ctx, p)
		if err != nil {
			return nil, err
		}
		f.brief, f.whole = x.briefOf(whole), whole.Finding
	}
	f.part.seen = nil
	return f, nil
}

// whole makes findings whole, in the order of their eras, and lets go of what was held of them.
func (x *Explainer) whole(ctx context.Context, some []*found) ([]*Finding, error) {
	all := make([]*Finding, len(some))
	order := make([]int, len(some))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(some[a].part.era, some[b].part.era) })
	for _, i := range order {
		f := some[i]
		whole := f.whole
		if whole == nil {
			made, err := x.explain(ctx, f.part)
			if err != nil {
				return nil, err
			}
			whole = made.Finding
		}
		whole.Count, whole.FirstSeen, whole.LastSeen = f.count, f.first, f.last
		whole.Sessions = append(whole.Sessions, f.sessions...)
		whole.Sessions = whole.Sessions[:min(len(whole.Sessions), maxSessions)]
		for _, e := range f.events {
			whole.EventIDs = append(whole.EventIDs, x.sightings.id(e))
		}
		if f.resting != nil {
			whole.Era = f.resting.era
			x.changed(whole, f.resting)
		}
		f.whole, all[i] = nil, whole
	}
	return all, nil
}

// A part is those calls of a group that are explained together: all of them unless the time decides.
type part struct {
	of   *cluster
	seen []sighting
	era  int       // of a History; 0 without
	at   time.Time // when the representative's call is taken to have been made; zero if as it was
}

// denial makes the denial that stands for a part.
func (x *Explainer) denial(p part) Denial {
	d := x.denialOf(p.of)
	if p.at.IsZero() {
		return d
	}
	return d.edited(func(r *Request) {
		r.Context = r.Context.Clone()
		putTime(&r.Context, p.at)
	})
}

// byTime takes a part apart whose calls the policies decide by the time when they were made (rule T101).
func (x *Explainer) byTime(ctx context.Context, whole part) ([]part, error) {
	if x.src == nil || !whole.of.timed || len(whole.seen) < 2 {
		return []part{whole}, nil
	}
	type question struct {
		request evaluator.Request
		clock   evaluator.Clock
	}
	var questions []question
	d := x.denial(whole)
	for _, r := range d.evaluated() {
		request, policies, err := x.prepare(ctx, &d, r)
		if err != nil {
			return nil, err
		}
		if clock := evaluator.ClockOf(&policies); clock.Asks() {
			questions = append(questions, question{request.Request, clock})
		}
	}
	if len(questions) == 0 {
		return []part{whole}, nil
	}
	var parts []part
	byReading := map[string]int{}
	for _, s := range whole.seen {
		var reading strings.Builder
		for i := range questions {
			q := &questions[i]
			putTime(&q.request.Context, s.at())
			reading.WriteString(q.clock.Read(&q.request) + "\n")
		}
		i, ok := byReading[reading.String()]
		if !ok {
			i = len(parts)
			byReading[reading.String()] = i
			parts = append(parts, part{of: whole.of, era: whole.era, at: s.at()})
		}
		parts[i].seen = append(parts[i].seen, s)
	}
	if len(parts) == 1 {
		return []part{whole}, nil
	}
	return parts, nil
}

func putTime(c *evaluator.Context, t time.Time) {
	for _, v := range timesOf(t) {
		c.Put(v)
	}
}

// named are the sightings of events that have an id.
func (p *part) named() []sighting {
	return slices.DeleteFunc(slices.Clone(p.seen), func(s sighting) bool { return s.uuid == [16]byte{} && s.other == 0 })
}

// span is when the first and the last call of a part were made, as far as that is known.
func (p *part) span() (first, last time.Time) {
	for _, s := range p.seen {
		switch at := s.at(); {
		case at.IsZero():
			continue
		case first.IsZero() || at.Before(first):
			first = at
		}
		if at := s.at(); at.After(last) {
			last = at
		}
	}
	return first, last
}

// An explained is a finding in the making.
type explained struct {
	*Finding
	subjects    subjects  // what the answer rests on
	collectedAt time.Time // when its policies were; zero if it isn't known
}

// A brief is what is held of an explained denial.
type brief struct {
	key     digest // the same for equal ones
	action  string
	session string   // its ARN
	resting *resting // nil if nobody knows when the policies were collected
}

// A resting is what an answer rests on.
type resting struct {
	era         *Era
	collectedAt time.Time // when the policies were, at the earliest
	subjects    []string  // that changed
}

func (x *Explainer) briefOf(f *explained) *brief {
	b := &brief{key: mergeKeyOf(f), action: x.texts.one(f.Request.Action)}
	if len(f.Sessions) > 0 {
		b.session = x.texts.one(f.Sessions[0])
	}
	if f.Era == nil && f.collectedAt.IsZero() {
		return b
	}
	b.resting = &resting{era: f.Era, collectedAt: f.collectedAt}
	for s := range f.subjects {
		if x.changes[s] != nil {
			b.resting.subjects = append(b.resting.subjects, s)
		}
	}
	return b
}

// absorb adds what an equal finding rests on.
func (r *resting) absorb(other *resting) {
	if r == nil || other == nil {
		return
	}
	for _, s := range other.subjects {
		if !slices.Contains(r.subjects, s) {
			r.subjects = append(r.subjects, s)
		}
	}
	if other.collectedAt.Before(r.collectedAt) {
		r.collectedAt = other.collectedAt
	}
	r.era.absorb(other.era)
}

// mergeKeyOf is what findings have in common that are one (rule T101): who, what
// and the same answer, whatever the session or the object.
func mergeKeyOf(f *explained) digest {
	m := &f.Denial.Message
	b := make([]byte, 0, 1024)
	add := func(texts ...string) {
		for _, s := range texts {
			b = appendText(b, s)
		}
	}
	add(identityOf(&f.Request.Principal), strings.ToLower(f.Request.Action), canonicalResource(f.Request.Resource.ARN), f.Layer, f.PolicyARN,
		placeOf(f.Policy, f.Statement), f.Decision.String(), string(f.Agreement), string(m.Claim), m.Layer, f.Denial.Part)
	b = appendFlag(b, f.Era != nil && (f.Era.Changed || f.Era.Begin.IsZero()))
	if f.Era != nil && (f.Era.Changed || f.Era.Begin.IsZero()) { // it says so
		b = appendTime(b, f.Era.End)
	}
	b = appendFlag(b, f.Denial.Event != nil)
	if e := f.Denial.Event; e != nil {
		add(e.VPCEndpointID, e.Identity.InvokedBy)
	}
	if f.Request.Action == "" {
		add(m.Text)
	}
	for i := range f.Blockers {
		k := &f.Blockers[i]
		add(string(k.Layer), string(k.Kind))
		switch k.Layer {
		case evaluator.LayerIdentity, evaluator.LayerBoundary, evaluator.LayerSession: // the target is the caller, whose session doesn't count
		default:
			add(k.Target)
		}
		if b = appendFlag(b, k.Statement != nil); k.Statement != nil {
			add(placeOf(k.Policy, k.Statement))
		}
	}
	return sha256.Sum256(b)
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

// absorb adds an equal finding's calls.
func (f *found) absorb(g *found) {
	f.events = oldest(f.events, g.events...)
	f.resting.absorb(g.resting)
	f.count += g.count
	if f.first.IsZero() || !g.first.IsZero() && g.first.Before(f.first) {
		f.first = g.first
	}
	if g.last.After(f.last) {
		f.last = g.last
	}
	if g.session != "" && g.session != f.session && !slices.Contains(f.sessions, g.session) && len(f.sessions) < maxSessions {
		f.sessions = append(f.sessions, g.session)
	}
}
