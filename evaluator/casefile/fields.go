package casefile

import (
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/internal/yaml"
	"github.com/iamwhy/iamwhy/evaluator/nearest"
)

// A fieldTable says how each field of a mapping is read.
type fieldTable map[string]func(*yaml.Node) error

// fields reads a mapping: every field once, none that isn't in the table. It
// stops at the first that is wrong.
func (r *reader) fields(n *yaml.Node, what string, table fieldTable) error {
	if n.Kind != yaml.Map {
		return r.errorf(n, "%s is %s: want a mapping with %s", what, n.Kind, listed(table))
	}
	seen := map[string]bool{}
	for _, p := range n.Pairs {
		read, known := table[p.Key.Text]
		switch {
		case !known:
			return r.errorf(p.Key, "unknown field %q in %s%s", p.Key.Text, what, didYouMean(p.Key.Text, slices.Sorted(maps.Keys(table))))
		case seen[p.Key.Text]:
			return r.errorf(p.Key, "field %q used twice", p.Key.Text)
		case p.Value.Tag != "":
			return r.errorf(p.Value, "the tag %s has no meaning in a case file", p.Value.Tag)
		}
		seen[p.Key.Text] = true
		if err := read(p.Value); err != nil {
			return err
		}
	}
	return nil
}

func listed(table fieldTable) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// text reads one scalar as its text: an account id may stand without quotes.
func (r *reader) text(n *yaml.Node, what string) (string, error) {
	switch n.Kind {
	case yaml.String, yaml.Number, yaml.Bool:
		if n.Text != "" {
			return n.Text, nil
		}
		return "", r.errorf(n, "%s is empty", what)
	}
	return "", r.errorf(n, "%s is %s: want a string", what, n.Kind)
}

// texts reads one scalar or a list of them.
func (r *reader) texts(n *yaml.Node, what string) ([]string, error) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.List {
		items = n.Items
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		s, err := r.text(item, what)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// oneOf reads a word of a closed set.
func oneOf[T ~string](r *reader, n *yaml.Node, what string, known []T) (T, error) {
	s, err := r.text(n, what)
	if err != nil {
		return "", err
	}
	if slices.Contains(known, T(s)) {
		return T(s), nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return "", r.errorf(n, "unknown %s %q: want %s", what, s, orList(names))
}

// orList joins names: "a, b or c".
func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// didYouMean returns " (action?)" for a word that looks like a known one, or else
// the known ones.
func didYouMean(word string, known []string) string {
	best, least := "", len(word)/2+1
	for _, k := range known {
		if d := nearest.Distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ": have " + strings.Join(known, ", ")
	}
	return " (" + best + "?)"
}
