package evaluator

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// An evaluation is one request on its way through the layers.
type evaluation struct {
	req     *Request
	service string // the action's prefix, in lower case
	hash    uint64 // of the action
	level   int    // of the hierarchy that is being asked
	traced  bool
	trace   []LayerTrace

	used    assumptionSet // rules that had a say; complete only if careful
	doubted assumptionSet // rules whose answer is taken for unknown
	forced  *forced       // answers that are laid down: the what-if of rule U15
}

var actionSeed = maphash.MakeSeed()

func newEvaluation(req *Request) evaluation {
	ev := evaluation{req: req, service: service(req.Action), hash: maphash.String(actionSeed, req.Action)}
	if req.Strict {
		ev.doubted = everyAssumption
	}
	return ev
}

// folded remembers actions in lower case: they are asked for at each decision.
var folded [1024]atomic.Pointer[[2]string]

// lowered is an action in lower case (rule A2).
func lowered(action string) string {
	slot := &folded[maphash.String(actionSeed, action)%uint64(len(folded))]
	if pair := slot.Load(); pair != nil && pair[0] == action {
		return pair[1]
	}
	pair := &[2]string{strings.Clone(action), strings.ToLower(action)}
	slot.Store(pair)
	return pair[1]
}
