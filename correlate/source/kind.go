package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/nearest"
)

// A Kind is a kind of SOURCE, as help and completion tell of it.
type Kind struct {
	Prefix string // how it begins; "" for files
	Form   string // what to write
	About  string
}

// Kinds returns the kinds of SOURCE that there are.
func Kinds() []Kind {
	kinds := []Kind{
		{"", "FILE, DIR/, 'GLOB/**/*.gz'", "log files in any form that AWS hands out, compressed or not; directories with all below them"},
		{"", "-", "the same from standard input"},
	}
	for _, o := range openers {
		kinds = append(kinds, o.Kind)
	}
	return kinds
}

// orMistyped returns err, that of a SOURCE which is no file, or what was probably meant if it
// looks like one of another kind.
func orMistyped(src string, err error) error {
	if _, missing := os.Lstat(src); !errors.Is(missing, fs.ErrNotExist) {
		return err
	}
	if meant := meantBy(src); meant != "" {
		return fmt.Errorf("%s: no such file or directory; to read another kind of source, write %s", printable(src), meant)
	}
	return err
}

// meantBy returns how to write the kind of SOURCE that src looks like; "" if it looks like none.
func meantBy(src string) string {
	if bucket, ok := strings.CutPrefix(src, "arn:aws:s3:::"); ok {
		return "s3://" + printable(bucket)
	}
	word, rest, colon := strings.Cut(src, ":")
	form, least := "", 3 // letters that may be wrong, and one
	for _, k := range Kinds() {
		name, _, ok := strings.Cut(k.Prefix, ":")
		if !ok {
			continue
		}
		d := nearest.Distance(word, name) // which doesn't mind case
		switch {
		case d == 0 && colon && strings.Trim(rest, "/") != "":
			return k.Prefix + printable(strings.TrimLeft(rest, "/"))
		case d < least && (d == 0 || colon && len(word) > 2): // C: is a drive
			form, least = k.Form, d
		}
	}
	return form
}
