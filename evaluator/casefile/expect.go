package casefile

import (
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
