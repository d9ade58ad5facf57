package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
)

// ParseJSON reads one JSON value; its nodes have their offsets.
func ParseJSON(data []byte) (*Node, error) {
	j := &jsonReader{data: data, lines: lineStarts(data)}
	// All of the syntax first: a decoder that hands out tokens notices some mistakes late.
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, j.error(err)
	}
	j.dec = json.NewDecoder(bytes.NewReader(data))
	j.dec.UseNumber()
	return j.value(0)
}

// lineStarts returns the offset at which each line starts.
func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

type jsonReader struct {
	data  []byte
	lines []int
	dec   *json.Decoder
}

func (j *jsonReader) place(offset int) (line, col int) {
	i := sort.SearchInts(j.lines, offset+1) - 1
	return i + 1, offset - j.lines[i] + 1
}

func (j *jsonReader) error(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, col := j.place(max(int(syntax.Offset)-1, 0))
		return &Error{line, col, syntax.Error()}
	}
	return &Error{1, 1, err.Error()}
}

// next returns the next token and an empty node in its place.
func (j *jsonReader) next() (json.Token, *Node, error) {
	offset := int(j.dec.InputOffset())
	for offset < len(j.data) && bytes.IndexByte([]byte(" \t\r\n,:"), j.data[offset]) >= 0 {
		offset++
	}
	t, err := j.dec.Token()
	if err != nil {
		return nil, nil, j.error(err)
	}
	line, col := j.place(offset)
	return t, &Node{Line: line, Col: col, Offset: offset}, nil
}

func (j *jsonReader) value(depth int) (*Node, error) {
	t, n, err := j.next()
	if err != nil {
		return nil, err
	}
	if depth > MaxDepth {
		return nil, &Error{n.Line, n.Col, "nested too deep"}
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return n, j.list(n, depth)
		}
		return n, j.object(n, depth)
	case string:
		n.Kind, n.Text = String, t
	case json.Number:
		n.Kind, n.Text = Number, t.String()
	case bool:
		n.Kind, n.Text = Bool, fmt.Sprint(t)
	}
	return n, nil
}

func (j *jsonReader) list(n *Node, depth int) error {
	n.Kind = List
	for j.dec.More() {
		item, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, err := j.dec.Token() // ]
	return err
}

func (j *jsonReader) object(n *Node, depth int) error {
	n.Kind = Map
	for j.dec.More() {
		t, key, err := j.next()
		if err != nil {
			return err
		}
		key.Kind = String
		key.Text, _ = t.(string)
		value, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		n.Pairs = append(n.Pairs, Pair{key, value})
	}
	_, err := j.dec.Token() // }
	return err
}
