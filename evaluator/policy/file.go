package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// The bounds of a document. AWS's own limits (evaluation.md table 1.1) are
// far below; these protect us from what isn't a policy at all.
const (
	maxDocument = 1 << 20 // bytes
	maxDepth    = 32      // arrays and objects in one another
	maxErrors   = 20      // told of one text
)

// A File is a JSON file that holds policy documents, alone or among other
// things. It may be shared by all goroutines, and must not be copied.
type File struct {
	Name string
	Data []byte

	once  sync.Once
	lines []int // offset of the first byte of each line
}

// NewFile returns a file ready to be parsed; data must not change afterwards.
func NewFile(name string, data []byte) *File { return &File{Name: name, Data: data} }

// Pos returns the place of a byte offset. An offset outside the file is taken
// to be at its nearer end. Bytes of a byte order mark count as any others.
func (f *File) Pos(offset int) Pos {
	f.once.Do(f.index)
	offset = min(max(offset, 0), len(f.Data))
	line, exact := slices.BinarySearch(f.lines, offset)
	if !exact {
		line--
	}
	return Pos{File: f.Name, Line: line + 1, Col: offset - f.lines[line] + 1}
}

// index finds where the lines start, once somebody asks for a place.
func (f *File) index() {
	f.lines = append(make([]int, 0, bytes.Count(f.Data, []byte{'\n'})+1), 0)
	for i := 0; ; {
		n := bytes.IndexByte(f.Data[i:], '\n')
		if n < 0 {
			return
		}
		i += n + 1
		f.lines = append(f.lines, i)
	}
}

// Parse reads the policy document that is the JSON object starting at offset.
// What follows it in the file is not looked at. Positions are those in f.
func (f *File) Parse(offset int) (*Document, error) {
	if offset < 0 || offset > len(f.Data) {
		return nil, &SyntaxError{f.Pos(offset), fmt.Sprintf("no document at offset %d of %d bytes", offset, len(f.Data))}
	}
	return f.parse(offset, origin{file: f}, partOfText)
}

// Parse reads a file that is one policy document: a single JSON object and
// nothing else (rule G1).
//
// The error of this and the other functions that parse is a *SyntaxError, or
// several joined where more than one thing is wrong, and says what makes the text no
// policy document at all. What is wrong in a document that can be read all the same is
// a Defect of the document or of one of its statements.
func Parse(name string, data []byte) (*Document, error) {
	f := NewFile(name, data)
	return f.parse(0, origin{file: f}, wholeText)
}

// Whether a document is all that the text may hold.
const (
	wholeText  = true
	partOfText = false
)

// parse reads the document at offset and places what it finds as o says.
func (f *File) parse(offset int, o origin, whole bool) (*Document, error) {
	root, err := jsontree.ParseValue(f.Data, offset, jsontree.Limits{Depth: maxDepth, Size: maxDocument})
	p := parser{origin: o}
	if err != nil && !errors.As(err, &p.errs) {
		return nil, err
	}
	var doc *Document
	if root.Exists() {
		doc = p.document(root)
		if end := jsontree.SkipSpace(f.Data, root.End()); whole && end < len(f.Data) {
			p.invalid(end, "expected nothing after the policy document, found "+jsontree.Found(f.Data[end:])) // rule G1
		}
	}
	if len(p.errs) > 0 {
		return nil, o.syntaxErrors(p.errs)
	}
	return doc, nil
}

// An origin says where the bytes of a document are, for those who read about it.
type origin struct {
	file *File
	at   *Pos // where the string stands that the document was made of; nil if it stands in file itself
}

// pos is the position of a byte.
func (o origin) pos(offset int) Pos {
	if o.at != nil {
		return *o.at
	}
	return o.file.Pos(offset)
}

// place is how a message speaks of a byte of the document.
func (o origin) place(offset int) string {
	p := o.file.Pos(offset)
	return fmt.Sprintf("%d:%d", p.Line, p.Col)
}

// syntaxErrors places errors, in the order of the text. A single one stays
// what it is; several are joined.
func (o origin) syntaxErrors(list jsontree.Errors) error {
	slices.SortStableFunc(list, func(a, b *jsontree.Error) int { return a.Offset - b.Offset })
	if more := len(list) - maxErrors; more > 0 {
		list = list[:maxErrors]
		list[maxErrors-1].Msg += fmt.Sprintf("; there are %d more errors", more)
	}
	errs := make([]error, len(list))
	for i, e := range list {
		msg := e.Message(o.place)
		if o.at != nil {
			msg += " (at " + o.place(e.Offset) + " of the document in this string)"
		}
		errs[i] = &SyntaxError{o.pos(e.Offset), msg}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
