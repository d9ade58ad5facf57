package casefile

import (
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
)

// decisions are the four answers, in the words of product.md §1.
var decisions = []evaluator.Decision{evaluator.Allowed, evaluator.ExplicitDeny, evaluator.ImplicitDeny, evaluator.Indeterminate}

// layers are the layers that a blocker can be in.
var layers = []evaluator.LayerName{
	evaluator.LayerSCP, evaluator.LayerRCP, evaluator.LayerResource, evaluator.LayerIdentity,
	evaluator.LayerBoundary, evaluator.LayerSession, evaluator.LayerEndpoint, evaluator.LayerService,
}

// blockerKinds are the ways in which a layer blocks.
var blockerKinds = []evaluator.BlockerKind{evaluator.KindExplicitDeny, evaluator.KindNoAllow, evaluator.KindNotCollected}

func (r *reader) expectation(n *yaml.Node) (Expectation, error) {
	var e Expectation
	decided := false
	err := r.fields(n, "expect", fieldTable{
		"decision": func(n *yaml.Node) (err error) {
			decided = true
			e.Decision, err = r.decision(n)
			return err
		},
		"layers": func(n *yaml.Node) (err error) { e.Layers, err = r.layerNames(n); return err },
		"statement": func(n *yaml.Node) (err error) {
			e.Statement, err = r.text(n, "statement")
			return err
		},
		"blockers":  func(n *yaml.Node) (err error) { e.Blockers, err = r.blockers(n); return err },
		"undecided": func(n *yaml.Node) (err error) { e.Undecided, err = r.undecided(n); return err },
		"caveats":   func(n *yaml.Node) (err error) { e.Caveats, err = r.texts(n, "caveats"); return err },
	})
	if err == nil && !decided {
		err = r.errorf(n, "expect has no decision")
	}
	return e, err
}

func (r *reader) decision(n *yaml.Node) (evaluator.Decision, error) {
	names := make([]string, len(decisions))
	for i, d := range decisions {
		names[i] = d.String()
	}
	word, err := oneOf(r, n, "decision", names)
	for _, d := range decisions {
		if d.String() == word {
			return d, err
		}
	}
	return evaluator.ImplicitDeny, err
}

func (r *reader) layerNames(n *yaml.Node) ([]evaluator.LayerName, error) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	var names []evaluator.LayerName
	for _, item := range items {
		name, err := oneOf(r, item, "layer", layers)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// blockers reads the blockers that are expected, all of them and in order; [] is none.
func (r *reader) blockers(n *yaml.Node) ([]ExpectedBlocker, error) {
	if n.Kind != yaml.List {
		return nil, r.errorf(n, "blockers is %s: want a list", n.Kind)
	}
	list := make([]ExpectedBlocker, len(n.Items))
	for i, item := range n.Items {
		var err error
		if list[i], err = r.blocker(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// blocker reads one blocker; its layer alone may stand for it.
func (r *reader) blocker(n *yaml.Node) (b ExpectedBlocker, err error) {
	if n.Kind != yaml.Map {
		b.Layer, err = oneOf(r, n, "layer", layers)
		return b, err
	}
	err = r.fields(n, "a blocker", fieldTable{
		"layer":     func(n *yaml.Node) (err error) { b.Layer, err = oneOf(r, n, "layer", layers); return err },
		"kind":      func(n *yaml.Node) (err error) { b.Kind, err = oneOf(r, n, "kind", blockerKinds); return err },
		"statement": func(n *yaml.Node) (err error) { b.Statement, err = r.text(n, "statement"); return err },
		"target":    func(n *yaml.Node) (err error) { b.Target, err = r.text(n, "target"); return err },
	})
	if err == nil && b.Layer == "" {
		err = r.errorf(n, "the blocker has no layer")
	}
	return b, err
}

// undecided reads what an open decision must name: context keys and layers.
func (r *reader) undecided(n *yaml.Node) ([]string, error) {
	list, err := r.texts(n, "undecided")
	for _, s := range list {
		if !slices.Contains(layers, evaluator.LayerName(s)) && !strings.Contains(s, ":") {
			return nil, r.errorf(n, "undecided %q is neither a layer nor a context key, such as aws:SourceIp", s)
		}
	}
	return list, err
}
