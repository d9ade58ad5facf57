package snapshot

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Lack is something that a snapshot doesn't have, and what would get it. What several parts
// and accounts lack alike is one.
type Lack struct {
	Status LackStatus
	// Accounts are whose parts they are, sorted; none for parts of the organisation.
	Accounts []string
	// Parts are the parts' names without accounts/ACCOUNT/ and resources/: s3, iam, organization/scp. None
	// means all.
	Parts   []string
	Layers  []evaluator.LayerName // whose policies aren't known, in AWS's order
	Regions []string              // where; none if that doesn't count
	Reason  string                // AWS's words, or those of the collection; of one of them
	Since   time.Time             // of Old: when the oldest was collected
	Needs   []Need                // what would tell, by action
}

// A LackStatus says why something is lacking: a part's status, or one of those below.
type LackStatus string

// The statuses of a Lack.
const (
	LackDenied  LackStatus = statusDenied
	LackError   LackStatus = statusError
	LackBroken  LackStatus = statusBroken  // a file that can't be used
	LackMissing LackStatus = statusMissing // nobody asked for it, or its file is gone
	LackSkipped LackStatus = statusSkipped
	LackPartial LackStatus = "partial" // Regions are all that were asked
	LackOld     LackStatus = "old"
)

// lackOrder is the order in which they are told: what surely hurts first.
var lackOrder = []LackStatus{LackDenied, LackError, LackBroken, LackMissing, LackSkipped, LackPartial, LackOld}

// A Need is an IAM action that the collector lacked, or lacks.
type Need struct {
	Action    string
	Resources []string // ARNs or names, sorted; none for all, or for an action without a resource
}

// LackOptions say what a snapshot is to have.
type LackOptions struct {
	// Collectable are the parts that can be collected, in the words of Lack.Parts: a service that none is for isn't lacking.
	Collectable []string
	Now         time.Time
	MaxAge      time.Duration // from which on a part is old; 0 is never
}

// Lacks returns what the snapshot doesn't have, the gravest first: parts that weren't got or are old, accounts
// of the organisation of which there is nothing, regions that weren't asked.
func (s *Snapshot) Lacks(o LackOptions) []Lack {
	g := &lackGroups{byPart: map[lackKey]*lacking{}}
	for _, p := range s.Parts() {
		account, word := splitPart(p.Name)
		s.lacksOfPart(g, o, p, account, word)
	}
	s.lacksOfResources(g)
	s.neverAsked(g, o)
	lacks := g.merged()
	for i := range lacks {
		if len(lacks[i].Accounts) > 0 && hasAll(lacks[i].Parts, o.Collectable) {
			lacks[i].Parts = nil
		}
	}
	if ids := s.uncollected(); len(ids) > 0 {
		lacks = append(lacks, Lack{Status: LackMissing, Accounts: ids, Layers: allLayers})
	}
	if o.MaxAge > 0 && !s.collectedAt.IsZero() && o.Now.Sub(s.collectedAt) > o.MaxAge {
		lacks = append(lacks, Lack{Status: LackOld, Layers: allLayers, Since: s.collectedAt})
	}
	slices.SortStableFunc(lacks, func(a, b Lack) int {
		return cmp.Or(
			cmp.Compare(slices.Index(lackOrder, a.Status), slices.Index(lackOrder, b.Status)),
			cmp.Compare(layerRank(a), layerRank(b)),
			slices.Compare(a.Accounts, b.Accounts), slices.Compare(a.Parts, b.Parts),
		)
	})
	return lacks
}

// splitPart takes a part's name apart: 111111111111 and s3, "" and organization/scp.
func splitPart(name string) (account, word string) {
	rest, ok := strings.CutPrefix(name, "accounts/")
	if !ok {
		return "", name
	}
	account, word, _ = strings.Cut(rest, "/")
	return account, strings.TrimPrefix(word, "resources/")
}

// allLayers are those that a snapshot has policies of, in AWS's order.
var allLayers = []evaluator.LayerName{
	evaluator.LayerSCP, evaluator.LayerRCP, evaluator.LayerEndpoint, evaluator.LayerResource, evaluator.LayerIdentity, evaluator.LayerBoundary,
}

// partLayers are the layers that parts hold policies of; any other part but identityCenterPart holds resources.
var partLayers = map[string][]evaluator.LayerName{
	organizationPart:   {evaluator.LayerSCP, evaluator.LayerRCP},
	"organization/scp": {evaluator.LayerSCP},
	"organization/rcp": {evaluator.LayerRCP},
	"endpoints":        {evaluator.LayerEndpoint},
	"iam":              {evaluator.LayerResource, evaluator.LayerIdentity, evaluator.LayerBoundary}, // trust policies, too
	identityCenterPart: {},
}

func layersOf(word string) []evaluator.LayerName {
	if layers, ok := partLayers[word]; ok {
		return layers
	}
	return []evaluator.LayerName{evaluator.LayerResource}
}

// layerRank orders lacks by the layers that they weaken: the more, and the earlier in AWS's order, the first.
func layerRank(l Lack) int {
	rank := 0
	for i, name := range allLayers {
		if !slices.Contains(l.Layers, name) {
			rank += 1 << (len(allLayers) - i)
		}
	}
	return rank
}

// partNeeds are the actions that collect a part, if the snapshot doesn't say which one was denied.
func partNeeds(word string) []Need {
	var actions []string
	add := func(text string) {
		for action := range strings.SplitSeq(text, " and ") {
			if !slices.Contains(actions, action) {
				actions = append(actions, action)
			}
		}
	}
	switch word {
	case "iam":
		add(iamPermission)
	case "endpoints":
		add("ec2:DescribeVpcEndpoints")
	case organizationPart:
		add(organizationPermission)
	case "organization/scp":
		add(scpType.permission)
	case "organization/rcp":
		add(rcpType.permission)
	}
	for _, k := range resourceKinds {
		if k.service == word && k.unsupported == "" {
			add(k.permission)
		}
	}
	var needs []Need
	for _, action := range actions {
		needs = append(needs, Need{Action: action})
	}
	return needs
}

// A lackKey is what the same part of several accounts has in common to be one lack.
type lackKey struct {
	status LackStatus
	cause  string
	word   string
}

// A lacking is the accounts that lack a part.
type lacking struct {
	accounts, regions []string
	everywhere        bool // not in regions only
	reason            string
	since             time.Time
	needs             map[string][]string // resources by action; "" is all
}

// lackGroups puts equal lacks together.
type lackGroups struct{ byPart map[lackKey]*lacking }

func (g *lackGroups) add(key lackKey, account, reason string) *lacking {
	l := g.byPart[key]
	if l == nil {
		l = &lacking{reason: reason, needs: map[string][]string{}}
		g.byPart[key] = l
	}
	if account != "" {
		l.accounts = append(l.accounts, account)
	}
	return l
}

// need adds what would tell.
func (l *lacking) need(action, resource string) {
	l.needs[action] = append(l.needs[action], resource)
}

func (l *lacking) needAll(needs []Need) {
	for _, n := range needs {
		l.need(n.Action, "")
	}
}

// assumeRole is the action that an account is entered with.
const assumeRole = "sts:AssumeRole"

// lacksOfPart looks at how a part was collected.
func (s *Snapshot) lacksOfPart(g *lackGroups, o LackOptions, p Part, account, word string) {
	switch {
	case p.Status != statusOK && len(p.Gaps) > 0:
		for _, gap := range p.Gaps {
			g.addGap(gap, account, word)
		}
		return
	case p.Status != statusOK:
		l := g.add(lackKey{LackStatus(p.Status), withoutAccount(p.Reason, account), word}, account, p.Reason)
		if p.Status != statusBroken && p.Status != statusError { // there, no permission was lacking
			l.needAll(partNeeds(word))
		}
		return
	}
	if len(p.Regions) > 0 {
		l := g.add(lackKey{LackPartial, strings.Join(p.Regions, " "), word}, account, "")
		l.regions = p.Regions
	}
	if o.MaxAge > 0 && !p.CollectedAt.IsZero() && o.Now.Sub(p.CollectedAt) > o.MaxAge && p.CollectedAt.Before(s.collectedAt) {
		l := g.add(lackKey{LackOld, p.CollectedAt.Format(time.RFC3339), word}, account, "")
		l.since = p.CollectedAt
	}
}

// addGap adds a call that failed. Some of a part's may have been denied, and others gone wrong. That nobody
// could enter the account is a lack of its own.
func (g *lackGroups) addGap(gap Gap, account, word string) {
	key := lackKey{LackError, withoutAccount(gap.Reason, account), word}
	if gap.Status == statusDenied {
		key.status, key.cause = LackDenied, "" // the needs tell
	}
	if gap.Action == assumeRole {
		key.cause = assumeRole
	}
	l := g.add(key, account, gap.Reason)
	l.everywhere = l.everywhere || gap.Region == ""
	if !slices.Contains(l.regions, gap.Region) {
		l.regions = append(l.regions, gap.Region)
	}
	if gap.Action != "" {
		l.need(gap.Action, gap.Resource)
	}
}

// withoutAccount is a reason that is the same for all accounts if only the account differs.
func withoutAccount(reason, account string) string {
	if account == "" {
		return reason
	}
	return strings.ReplaceAll(reason, account, "*")
}

// lacksOfResources looks for single resources whose policy couldn't be read and whose part doesn't say so.
func (s *Snapshot) lacksOfResources(g *lackGroups) {
	for _, id := range s.Accounts() {
		for service, list := range s.accounts[id].resources {
			if p := s.parts[resourcesPart(id, service)]; p != nil && p.status != statusOK {
				continue
			}
			for _, r := range list {
				if r.failed == "" {
					continue
				}
				status := LackError
				if r.failed == statusDenied {
					status = LackDenied
				}
				l := g.add(lackKey{status, "", service}, id, r.denied)
				for _, k := range resourceKinds {
					if k.service == service && k.typ == r.typ {
						l.need(k.permission, r.arn)
						break
					}
				}
			}
		}
	}
}

// ramPart is what accounts share with others, which is known but not yet asked (rule E24).
const ramPart = "ram"

// neverAsked looks for parts that can be collected and of which the snapshot knows nothing.
func (s *Snapshot) neverAsked(g *lackGroups, o LackOptions) {
	for _, word := range o.Collectable {
		switch word {
		case organizationPart:
			if s.parts[word] == nil {
				g.add(lackKey{LackMissing, "", word}, "", "").needAll(partNeeds(word))
			}
			continue
		case identityCenterPart, ramPart: // answers don't depend on them
			continue
		}
		for _, id := range s.Accounts() {
			name := resourcesPart(id, word)
			if word == "iam" || word == "endpoints" {
				name = "accounts/" + id + "/" + word
			}
			if s.parts[name] == nil {
				g.add(lackKey{LackMissing, "", word}, id, "").needAll(partNeeds(word))
			}
		}
	}
}

// hasAll reports whether parts are all of an account's that can be collected.
func hasAll(parts, collectable []string) bool {
	ofOrganization := func(word string) bool { return word == organizationPart || word == identityCenterPart }
	return len(collectable) > 0 && !slices.ContainsFunc(collectable, func(word string) bool {
		return !ofOrganization(word) && !slices.Contains(parts, word)
	})
}

// uncollected are the accounts of the organisation of which there is nothing.
func (s *Snapshot) uncollected() []string {
	if s.org == nil {
		return nil
	}
	var ids []string
	for id := range s.org.members {
		if s.accounts[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// merged puts parts together that the same accounts lack for the same cause.
func (g *lackGroups) merged() []Lack {
	type mergeKey struct {
		status          LackStatus
		cause, accounts string
		organization    bool
		regions         string
	}
	merged := map[mergeKey]*Lack{}
	needs := map[*Lack]map[string][]string{}
	var order []*Lack
	for _, key := range slices.SortedFunc(maps.Keys(g.byPart), func(a, b lackKey) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.status, b.status), cmp.Compare(a.cause, b.cause))
	}) {
		l := g.byPart[key]
		slices.Sort(l.accounts)
		l.accounts = slices.Compact(l.accounts)
		if l.everywhere {
			l.regions = nil
		}
		slices.Sort(l.regions)
		into := mergeKey{key.status, key.cause, strings.Join(l.accounts, " "), len(l.accounts) == 0, strings.Join(l.regions, " ")}
		lack := merged[into]
		if lack == nil {
			lack = &Lack{Status: key.status, Accounts: l.accounts, Regions: l.regions, Reason: l.reason, Since: l.since}
			merged[into], needs[lack] = lack, map[string][]string{}
			order = append(order, lack)
		}
		lack.Parts = append(lack.Parts, key.word)
		for _, layer := range layersOf(key.word) {
			if !slices.Contains(lack.Layers, layer) {
				lack.Layers = append(lack.Layers, layer)
			}
		}
		for action, resources := range l.needs {
			needs[lack][action] = append(needs[lack][action], resources...)
		}
	}
	var all []Lack
	for _, lack := range order {
		slices.SortFunc(lack.Layers, func(a, b evaluator.LayerName) int {
			return cmp.Compare(slices.Index(allLayers, a), slices.Index(allLayers, b))
		})
		for _, action := range slices.Sorted(maps.Keys(needs[lack])) {
			n := Need{Action: action}
			if resources := needs[lack][action]; !slices.Contains(resources, "") {
				slices.Sort(resources)
				n.Resources = slices.Compact(resources)
			}
			lack.Needs = append(lack.Needs, n)
		}
		all = append(all, *lack)
	}
	return all
}
