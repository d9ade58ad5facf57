package source

import (
	"errors"
	"fmt"
	"strings"
)

// A hiveType is the type of a column, as the data catalog writes it: struct<arn:string,…>,
// array<…>, map<…,…>, or the name of a plain type.
//
// https://docs.aws.amazon.com/athena/latest/ug/data-types.html
type hiveType struct {
	kind    string // struct, array, map, or a plain type in lower case: string, int, decimal(10,2)
	members []hiveMember
}

// A hiveMember is a struct's member; an array's has no name, and a map has two: key and value.
type hiveMember struct {
	name string // in lower case, as Athena compares names
	hiveType
}

// member returns a struct's member of that name.
func (t hiveType) member(name string) (hiveType, bool) {
	for _, m := range t.members {
		if t.kind == "struct" && m.name == name {
			return m.hiveType, true
		}
	}
	return hiveType{}, false
}

// isText reports whether values of the type are text.
func (t hiveType) isText() bool {
	return t.kind == "string" || strings.HasPrefix(t.kind, "varchar") || strings.HasPrefix(t.kind, "char")
}

// isInteger reports whether values of the type are integers.
func (t hiveType) isInteger() bool {
	switch t.kind {
	case "tinyint", "smallint", "int", "integer", "bigint":
		return true
	}
	return false
}

// maxTypeDepth is how deep types may nest; CloudTrail's nest four deep.
const maxTypeDepth = 32

// parseHiveType reads a type.
func parseHiveType(text string) (hiveType, error) {
	p := typeParser{rest: text}
	t, err := p.parse(0)
	if err == nil && p.skip() != 0 {
		err = fmt.Errorf("%s follows the type", quoteShort([]byte(p.rest)))
	}
	if err != nil {
		return hiveType{}, fmt.Errorf("column type %s: %w", quoteShort([]byte(text)), err)
	}
	return t, nil
}

// A typeParser goes over a type's text.
type typeParser struct{ rest string }

// skip goes to what isn't blank and returns its first byte; 0 at the end.
func (p *typeParser) skip() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take takes one byte if it is next.
func (p *typeParser) take(b byte) bool {
	if p.skip() != b {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

var errTypeEnds = errors.New("the type ends in the middle")

// word takes what is next up to one of the delimiters, in lower case; a name may be in backticks.
func (p *typeParser) word(delimiters string) (string, error) {
	if p.take('`') {
		name, rest, ok := strings.Cut(p.rest, "`")
		if !ok {
			return "", errTypeEnds
		}
		p.rest = rest
		return strings.ToLower(name), nil
	}
	p.skip()
	end := strings.IndexAny(p.rest, delimiters)
	if end < 0 {
		end = len(p.rest)
	}
	word := strings.ToLower(strings.TrimSpace(p.rest[:end]))
	p.rest = p.rest[end:]
	if word == "" {
		return "", fmt.Errorf("a name is missing before %s", quoteShort([]byte(p.rest)))
	}
	return word, nil
}

func (p *typeParser) parse(depth int) (hiveType, error) {
	if depth > maxTypeDepth {
		return hiveType{}, errors.New("nests too deep")
	}
	kind, err := p.word("<>,:(")
	if err != nil {
		return hiveType{}, err
	}
	if p.take('(') { // decimal(10,2), varchar(20)
		size, rest, ok := strings.Cut(p.rest, ")")
		if !ok {
			return hiveType{}, errTypeEnds
		}
		p.rest = rest
		return hiveType{kind: kind + "(" + size + ")"}, nil
	}
	t := hiveType{kind: kind}
	if !p.take('<') {
		return t, nil
	}
	for {
		var m hiveMember
		if kind == "struct" {
			if m.name, err = p.word(":<>,"); err != nil {
				return hiveType{}, err
			}
			if !p.take(':') {
				return hiveType{}, fmt.Errorf("member %s has no type", quoteShort([]byte(m.name)))
			}
		}
		if m.hiveType, err = p.parse(depth + 1); err != nil {
			return hiveType{}, err
		}
		t.members = append(t.members, m)
		if p.take('>') {
			return t, t.check()
		}
		if !p.take(',') {
			return hiveType{}, errTypeEnds
		}
	}
}

// check reports a type with the wrong number of members.
func (t hiveType) check() error {
	want := map[string]int{"array": 1, "map": 2, "struct": len(t.members)}[t.kind]
	if len(t.members) != want {
		return fmt.Errorf("%s with %d members", t.kind, len(t.members))
	}
	return nil
}
