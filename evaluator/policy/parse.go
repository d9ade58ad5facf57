package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// The names that a policy may use, exactly as the grammar has them (rule G6).
var (
	documentElements  = []string{"Version", "Id", "Statement"}
	statementElements = []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
	principalKinds = []string{"AWS", "Service", "Federated", "CanonicalUser"}
	effects        = []string{"Allow", "Deny"}
)

// A parser turns the tree of a document's JSON into the document.
type parser struct {
	origin
	errs jsontree.Errors // what makes the document invalid
}

// document reads the whole (rule G1). Every member is looked at even after an
// error, so that all errors are told at once.
func (p *parser) document(root jsontree.Node) *Document {
	if root.Kind() != jsontree.Object {
		p.invalid(root.Offset(), "expected a policy document, which is one JSON object, found "+root.Kind().String())
		return nil
	}
	doc := &Document{Pos: p.pos(root.Offset()), Text: root.Text()}
	d := defects{origin: p.origin}
	for m := range root.Members() {
		switch m.Name {
		case "Version":
			doc.Version = p.version(m.Value)
		case "Id":
			doc.ID = d.oneString("Id", m.Value)
		case "Statement":
			doc.Statements = p.statements(m.Value)
		default:
			d.unknownElement(m, documentElements, statementElements, "it belongs in a statement")
		}
	}
	if !root.Get("Statement").Exists() {
		p.invalid(root.Offset(), "policy document has no Statement"+nearMiss(root, "Statement"))
	}
	doc.Defects = d.list
	return doc
}

// version reads Version (rule G10).
func (p *parser) version(n jsontree.Node) Text {
	s, ok := n.String()
	switch {
	case !ok:
		p.invalid(n.Offset(), fmt.Sprintf("Version is %s: expected %q or %q", n.Kind(), Version2012, Version2008))
	case s != Version2012 && s != Version2008:
		p.invalid(n.Offset(), fmt.Sprintf("Version %s doesn't exist: expected %q or %q", jsontree.Quote(s), Version2012, Version2008))
	}
	return Text{s, p.pos(n.Offset())}
}

// statements reads Statement, which is one object or an array of them (rules G1 and G3).
func (p *parser) statements(n jsontree.Node) []Statement {
	switch n.Kind() {
	case jsontree.Object:
		return []Statement{p.statement(0, n)}
	case jsontree.Array:
	default:
		p.invalid(n.Offset(), "Statement is "+n.Kind().String()+": expected an object or an array of objects")
		return nil
	}
	list := make([]Statement, 0, n.Len())
	for item := range n.Items() {
		if item.Kind() != jsontree.Object {
			p.invalid(item.Offset(), "a statement is "+item.Kind().String()+": expected an object")
			continue
		}
		list = append(list, p.statement(len(list), item))
	}
	return list
}

// invalid notes what makes the document no policy.
func (p *parser) invalid(offset int, msg string) {
	p.errs = append(p.errs, &jsontree.Error{Offset: offset, Msg: msg})
}

// statement reads one statement. It doesn't fail: what is wrong in it makes
// the statement uninterpretable (rule G21).
func (p *parser) statement(index int, n jsontree.Node) Statement {
	s := Statement{Index: index, Pos: p.pos(n.Offset())}
	d := defects{origin: p.origin}
	for m := range n.Members() {
		v := m.Value
		switch m.Name {
		case "Sid":
			s.Sid = d.oneString("Sid", v)
		case "Effect":
			s.Effect, s.EffectPos = d.effect(v), p.pos(v.Offset())
		case "Action":
			s.Action = d.stringList(m.Name, v)
		case "NotAction":
			s.NotAction = d.stringList(m.Name, v)
		case "Resource":
			s.Resource = d.stringList(m.Name, v)
		case "NotResource":
			s.NotResource = d.stringList(m.Name, v)
		case "Principal":
			s.Principal = d.principals(m.Name, v)
		case "NotPrincipal":
			s.NotPrincipal = d.principals(m.Name, v)
		case "Condition":
			s.Condition, s.ConditionPos = d.conditions(v), p.pos(v.Offset())
		default:
			d.unknownElement(m, statementElements, documentElements, "it belongs at the top of the document")
		}
	}
	d.requiredElements(n)
	s.Defects = d.list
	return s
}

// defects reads the elements of a document or statement and collects what is wrong with them.
type defects struct {
	origin
	list []Defect
}

// maxDefects bounds what is listed of one statement; a list of a hundred
// thousand wrong values needs no such list of defects.
const maxDefects = 100

func (d *defects) add(offset int, msg string) { d.addAt(d.pos(offset), msg) }

func (d *defects) addAt(pos Pos, msg string) {
	switch {
	case len(d.list) < maxDefects:
		d.list = append(d.list, Defect{pos, msg})
	case len(d.list) == maxDefects:
		d.list = append(d.list, Defect{pos, "there are more defects, from here on not listed"})
	}
}

func (d *defects) addf(offset int, format string, args ...any) {
	d.add(offset, fmt.Sprintf(format, args...))
}

// unknownElement reports a member that the grammar doesn't have (rules G6 and
// G9), with the name that was probably meant, or where it would be right.
func (d *defects) unknownElement(m jsontree.Member, known, elsewhere []string, there string) {
	msg := "unknown element " + jsontree.Quote(m.Name)
	if slices.Contains(elsewhere, m.Name) {
		msg += " (" + there + ")"
	} else {
		msg += suggest(m.Name, known)
	}
	d.add(m.Offset, msg)
}

// requiredElements reports elements that are missing and pairs of which one
// excludes the other (rule G2). Whether Principal and Resource are
// required hangs on the policy's type (rule G20), which isn't known here.
func (d *defects) requiredElements(statement jsontree.Node) {
	if !statement.Get("Effect").Exists() {
		d.add(statement.Offset(), "statement has no Effect"+nearMiss(statement, "Effect"))
	}
	if !statement.Get("Action").Exists() && !statement.Get("NotAction").Exists() {
		d.add(statement.Offset(), "statement has neither Action nor NotAction"+nearMiss(statement, "Action", "NotAction"))
	}
	for _, name := range []string{"Action", "Principal", "Resource"} {
		d.exclusive(statement, name, "Not"+name)
	}
}

// exclusive reports that a statement has both of two elements (rule G2), where
// the second of them stands.
func (d *defects) exclusive(statement jsontree.Node, a, b string) {
	seen := ""
	for m := range statement.Members() {
		if m.Name != a && m.Name != b {
			continue
		}
		if seen != "" {
			d.addf(m.Offset, "statement has both %s and %s: it may have one of them", seen, m.Name)
			return
		}
		seen = m.Name
	}
}

// effect reads Effect (rule G5).
func (d *defects) effect(n jsontree.Node) Effect {
	s, ok := n.String()
	switch {
	case !ok:
		d.wrongType("Effect", n, `"Allow" or "Deny"`)
	case s == "Allow":
		return Allow
	case s == "Deny":
		return Deny
	default:
		d.addf(n.Offset(), "Effect is neither Allow nor Deny but %s%s", jsontree.Quote(s), suggest(s, effects))
	}
	return NoEffect
}

// oneString reads an element that takes a single string.
func (d *defects) oneString(name string, n jsontree.Node) Text {
	s, ok := n.String()
	if !ok {
		d.wrongType(name, n, "a string")
	}
	return Text{s, d.pos(n.Offset())}
}

// stringList reads an element that takes one string or several (rule G3). An
// empty array is an empty list (rule G15).
func (d *defects) stringList(name string, n jsontree.Node) *List {
	return &List{Pos: d.pos(n.Offset()), Values: d.strings(name, n)}
}

// strings reads one string or an array of them, and leaves out what isn't a string.
func (d *defects) strings(name string, n jsontree.Node) []Text {
	return d.values(name, n, "a string or an array of strings", "a string", jsontree.Node.String)
}

// values reads a value or an array of values, each with read. what and each
// say what is expected of the whole and of an item.
func (d *defects) values(name string, n jsontree.Node, what, each string, read func(jsontree.Node) (string, bool)) []Text {
	if n.Kind() != jsontree.Array {
		s, ok := read(n)
		if !ok {
			d.wrongType(name, n, what)
			return []Text{}
		}
		return []Text{{s, d.pos(n.Offset())}}
	}
	list := make([]Text, 0, n.Len())
	for item := range n.Items() {
		if s, ok := read(item); ok {
			list = append(list, Text{s, d.pos(item.Offset())})
		} else {
			d.wrongType("an item of "+name, item, each)
		}
	}
	return list
}

// wrongType reports a value of a JSON type that its element doesn't take.
func (d *defects) wrongType(name string, n jsontree.Node, want string) {
	d.addf(n.Offset(), "%s is %s: expected %s", name, n.Kind(), want)
}

// principals reads Principal or NotPrincipal: "*", or an object of lists
// (rules P3 and P4). No principals at all is an empty list (rule G15).
func (d *defects) principals(name string, n jsontree.Node) *Principals {
	p := &Principals{Pos: d.pos(n.Offset()), Entries: []PrincipalEntry{}}
	switch n.Kind() {
	case jsontree.String:
		s, _ := n.String()
		if s != "*" {
			d.addf(n.Offset(), `%s is the string %s: expected "*" or an object such as {"AWS": ...}`, name, jsontree.Quote(s))
			break
		}
		p.Entries = append(p.Entries, PrincipalEntry{"AWS", Text{s, p.Pos}})
	case jsontree.Object:
		for m := range n.Members() {
			p.Entries = append(p.Entries, d.principalsOfKind(name, m)...)
		}
	case jsontree.Array:
		if n.Len() == 0 {
			break
		}
		fallthrough
	default:
		d.wrongType(name, n, `"*" or an object such as {"AWS": ...}`)
	}
	return p
}

// principalsOfKind reads one member of a principal object.
func (d *defects) principalsOfKind(element string, m jsontree.Member) []PrincipalEntry {
	if !slices.Contains(principalKinds, m.Name) {
		d.addf(m.Offset, "unknown kind of principal %s%s: expected one of %s",
			jsontree.Quote(m.Name), suggest(m.Name, principalKinds), strings.Join(principalKinds, ", "))
		return nil
	}
	values := d.strings(element+" "+m.Name, m.Value)
	entries := make([]PrincipalEntry, len(values))
	for i, v := range values {
		entries[i] = PrincipalEntry{m.Name, v}
		if v.Value == "*" && m.Name != "AWS" {
			d.addAt(v.Pos, fmt.Sprintf(`{%q: "*"} is no principal: only AWS takes "*"`, m.Name)) // rule P5
		}
	}
	return entries
}

// conditions reads Condition: an object of operators, each an object of keys
// (rule C1). An operator without keys is no condition (rule G15).
func (d *defects) conditions(n jsontree.Node) []Condition {
	list := []Condition{}
	if n.Kind() != jsontree.Object {
		d.wrongType("Condition", n, "an object of condition operators")
		return list
	}
	for operator := range n.Members() {
		if operator.Value.Kind() != jsontree.Object {
			d.wrongType("condition operator "+jsontree.Quote(operator.Name), operator.Value, "an object of condition keys")
			continue
		}
		for key := range operator.Value.Members() {
			list = append(list, Condition{
				Operator:    operator.Name,
				OperatorPos: d.pos(operator.Offset),
				Key:         Text{key.Name, d.pos(key.Offset)},
				Values:      d.conditionValues(key),
			})
		}
	}
	return list
}

// conditionValues reads the values of a condition key (rules G3, G4 and G16).
func (d *defects) conditionValues(key jsontree.Member) []Text {
	return d.values("condition value of "+jsontree.Quote(key.Name), key.Value,
		"a string, number, boolean or an array of them", "a string, number or boolean", jsontree.Node.Scalar)
}
