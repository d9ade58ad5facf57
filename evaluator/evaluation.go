package evaluator

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"unique"
)

// An evaluation is one request on its way through the layers, in strong Kleene logic: a statement applies if all its
// parts hold, and one that doesn't settles it whatever else isn't known (rule U4).
type evaluation struct {
	req    *Request
	action *action
	level  int // of the hierarchy that is being asked
	traced bool
	trace  []LayerTrace

	used    assumptionSet // rules that had a say; complete only if careful
	doubted assumptionSet // rules whose answer is taken for unknown
	forced  *forced       // answers that are laid down: the what-if of rule U15
}

func newEvaluation(req *Request) evaluation {
	ev := evaluation{req: req, action: actionOf(req.Action)}
	if req.Strict {
		ev.doubted = everyAssumption
	}
	return ev
}

// An action is what follows from an action's name alone.
type action struct {
	name    string
	id      unique.Handle[string] // of name
	hash    uint64
	lower   string // name in lower case (rule A2)
	service string // its prefix, in lower case; "" without one
	verb    string // what follows the prefix, in lower case
	rule    func(req *Request, verb string) serviceRule
	rcp     Match // do RCPs reach the service (rule E11)?
}

// actions remembers actions: the same few are asked for again and again.
var (
	actions    [1024]atomic.Pointer[action]
	actionSeed = maphash.MakeSeed()
)

func actionOf(name string) *action {
	hash := maphash.String(actionSeed, name)
	slot := &actions[hash%uint64(len(actions))]
	if a := slot.Load(); a != nil && a.name == name {
		return a
	}
	a := &action{name: strings.Clone(name), hash: hash, lower: strings.ToLower(name)}
	a.id = unique.Make(a.name)
	if prefix, verb, ok := strings.Cut(a.lower, ":"); ok {
		a.service, a.verb = prefix, verb
	}
	a.rule = serviceRules[a.service]
	a.rcp = rcpReachesService(a.service)
	slot.Store(a)
	return a
}
