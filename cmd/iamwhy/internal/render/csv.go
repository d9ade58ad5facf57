package render

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator/casefile"
)

// columns are those of AWS's article on finding access denied errors.
var columns = []string{"Time", "Identity ARN", "Event ID", "Service", "Action", "Error", "Message"}

// A csvRenderer writes denied calls as comma separated values, as they come.
type csvRenderer struct{ w *csv.Writer }

func newCSV(w io.Writer, _ Subject, _ Options) Renderer {
	c := csvRenderer{csv.NewWriter(w)}
	_ = c.w.Write(columns) // an error stays, and Close returns it
	return c
}

func (c csvRenderer) Denial(d correlate.Denial) error {
	cells := row(d)
	for i, cell := range cells {
		cells[i] = plainCell(Clean(cell))
	}
	if err := c.w.Write(cells); err != nil {
		return err
	}
	c.w.Flush() // whole lines, for whoever looks
	return c.w.Error()
}

// plainCell keeps a spreadsheet from taking a text of the log for a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

var errOnlyDenials = errors.New("csv is for denied calls only")

func (c csvRenderer) Finding(correlate.Finding) error { return errOnlyDenials }
func (c csvRenderer) Check(Check) error               { return errOnlyDenials }
func (c csvRenderer) Command(Command) error           { return errOnlyDenials }
func (c csvRenderer) Result(casefile.Result) error    { return errOnlyDenials }

func (c csvRenderer) Close(correlate.Summary) error {
	c.w.Flush()
	return c.w.Error()
}
