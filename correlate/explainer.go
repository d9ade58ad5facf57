package correlate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// An Explainer gathers events and explains their denials, equal ones together.
// It is not safe for concurrent use.
type Explainer struct {
	src    PolicySource
	opts   Options
	starts map[string]*sessionStart // by the access key of the session
	seen   map[string]bool          // eventIDs (rule T100)
	twins  map[string]*cluster      // by sharedEventID (rule T104)
	groups map[groupKey]*cluster
	order  []*cluster
}

// NewExplainer returns an Explainer that finds policies in src; a nil src
// leaves AWS's messages as the only evidence.
func NewExplainer(src PolicySource, opts Options) *Explainer {
	return &Explainer{
		src: src, opts: opts,
		starts: map[string]*sessionStart{}, seen: map[string]bool{}, twins: map[string]*cluster{}, groups: map[groupKey]*cluster{},
	}
}

// A groupKey is what equal denials have in common (rule T101), and what else
// may decide them: session, region and exact resource. Groups that turn out
// the same are put together once they are explained.
type groupKey struct {
	principal, session, action, resource, region string
	claim                                        Claim
	layer, policyARN, code                       string
	endpoint, invokedBy, part                    string
}

// A cluster is denials that are explained once.
type cluster struct {
	denial      Denial
	ids         []string
	count       int
	first, last time.Time
	sessions    []string
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
		x.starts[key] = s
	}
	denials := DenialsOf(e, false)
	if len(denials) == 0 || e.ID != "" && x.seen[e.ID] {
		return 0
	}
	if e.ID != "" {
		x.seen[e.ID] = true
	}
	if e.SharedID != "" {
		if known := x.twins[e.SharedID]; known != nil {
			known.meetTwin(&denials[0])
			return 0
		}
	}
	for i := range denials {
		g := x.add(denials[i])
		if e.SharedID != "" && i == 0 {
			x.twins[e.SharedID] = g
		}
	}
	return len(denials)
}

// meetTwin takes the other account's copy of a call: the caller's copy
// has the identity, the owner's only its account (rule T104).
func (g *cluster) meetTwin(d *Denial) {
	if callerCopy(d.Event) && !callerCopy(g.denial.Event) && g.count == 1 {
		g.denial = *d
		g.ids = []string{d.Event.ID}
		g.sessions = []string{d.Principal.ARN}
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
		g = &cluster{denial: d}
		x.groups[key] = g
		x.order = append(x.order, g)
	}
	g.count++
	if len(d.Message.Text) > len(g.denial.Message.Text) {
		g.denial = d // the richest text stands for all (rule T103)
	}
	if d.Event != nil {
		g.note(d.Event.ID, d.Event.Time)
	}
	g.session(d.Principal.ARN)
	return g
}

func (g *cluster) note(id string, at time.Time) {
	if id != "" && len(g.ids) < maxEventIDs {
		g.ids = append(g.ids, id)
	}
	if g.first.IsZero() || at.Before(g.first) {
		g.first = at
	}
	if at.After(g.last) {
		g.last = at
	}
}

func (g *cluster) session(arn string) {
	if arn != "" && !slices.Contains(g.sessions, arn) && len(g.sessions) < maxSessions {
		g.sessions = append(g.sessions, arn)
	}
}

func keyOf(d *Denial) groupKey {
	k := groupKey{
		principal: identityOf(&d.Principal), claim: d.Message.Claim, layer: d.Message.Layer,
		policyARN: d.Message.PolicyARN, code: d.Code, part: d.Part,
	}
	if len(d.Requests) > 0 {
		k.action, k.resource = strings.ToLower(d.Requests[0].Action), d.Requests[0].Resource.ARN
	} else if d.Event == nil {
		k.resource = d.Message.Text
	}
	if e := d.Event; e != nil {
		k.region, k.endpoint, k.invokedBy = e.Region, e.VPCEndpointID, e.Identity.InvokedBy
		if d.Principal.Type == evaluator.AssumedRole || d.Principal.Type == evaluator.FederatedUser {
			k.session = e.Identity.AccessKeyID
		}
		if k.action == "" {
			k.action = e.Source + ":" + e.Name
		}
	}
	return k
}

// identityOf is the role, user or other identity behind a caller, whatever its session.
func identityOf(p *evaluator.Principal) string {
	return cmp.Or(p.RoleARN, p.ARN, p.ID, p.Account, string(p.Type))
}

// Findings explains what was added: most frequent first, then oldest.
func (x *Explainer) Findings(ctx context.Context) ([]Finding, error) {
	merged := map[mergeKey]*Finding{}
	var all []*Finding
	for _, g := range x.order {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := x.explain(ctx, g)
		if err != nil {
			return nil, err
		}
		key := mergeKeyOf(f)
		if same := merged[key]; same != nil {
			same.absorb(f)
			continue
		}
		merged[key] = f
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.Request.Action, b.Request.Action))
	})
	out := make([]Finding, len(all))
	for i, f := range all {
		out[i] = *f
	}
	return out, nil
}

// A mergeKey is what findings have in common that are one (rule T101): who, what
// and the same answer, whatever the session or the object.
type mergeKey struct {
	principal, action, resource, layer, policy, statement, answer, message string
	decision                                                               evaluator.Decision
}

func mergeKeyOf(f *Finding) mergeKey {
	k := mergeKey{
		principal: identityOf(&f.Request.Principal), action: strings.ToLower(f.Request.Action),
		resource: canonicalResource(f.Request.Resource.ARN), layer: f.Layer, policy: f.PolicyARN, decision: f.Decision,
		answer: string(f.Agreement), message: string(f.Denial.Message.Claim) + f.Denial.Message.Layer + f.Denial.Part,
	}
	if f.Policy != nil {
		k.policy += "|" + f.Policy.Name + f.Policy.Target
	}
	if f.Statement != nil {
		k.statement = f.Statement.Pos.String()
	}
	if e := f.Denial.Event; e != nil {
		k.message += "|" + e.VPCEndpointID + "|" + e.Identity.InvokedBy
	}
	if f.Request.Action == "" {
		k.message += f.Denial.Message.Text
	}
	for _, b := range f.Blockers {
		k.answer += "|" + string(b.Layer) + string(b.Kind) + b.Target
		if b.Statement != nil {
			k.answer += b.Statement.Pos.String()
		}
	}
	return k
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
func (f *Finding) absorb(g *Finding) {
	f.Count += g.Count
	f.EventIDs = append(f.EventIDs, g.EventIDs...)
	if len(f.EventIDs) > maxEventIDs {
		f.EventIDs = f.EventIDs[:maxEventIDs]
	}
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
