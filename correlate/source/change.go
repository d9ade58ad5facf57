package source

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/correlate"
)

// changingNames are the names of the calls that change policies, whichever service they are of.
var changingNames = func() map[string]bool {
	names := map[string]bool{}
	for _, list := range correlate.PolicyChanges() {
		for _, name := range list {
			names[name] = true
		}
	}
	return names
}()

// changedPolicies reports whether a record may be of a call that changed policies. Of a record that has
// several eventNames, such as one within its parameters, each is looked at.
func changedPolicies(record []byte) bool {
	for {
		i := bytes.IndexByte(record, 'N')
		if i < 0 {
			return false
		}
		if !surrounds(record, i, `"event`, `Name"`) {
			record = record[i+1:]
			continue
		}
		record = record[i+len(`Name"`):]
		value := bytes.TrimLeft(record[:min(len(record), maxBlanks)], ": \t\r\n")
		if len(value) == 0 { // too far away to be seen here
			return true
		}
		if value[0] != '"' {
			continue
		}
		value = record[bytes.IndexByte(record, '"')+1:]
		if end := bytes.IndexByte(value, '"'); end >= 0 && changingNames[string(value[:end])] {
			return true
		}
	}
}

// maxBlanks is how much is looked at to find the value behind a name.
const maxBlanks = 64

// changingCalls is SQL for the calls that change policies, by the columns that name them, and for few others.
func changingCalls(source, name string) string {
	list := func(texts []string) string { // which are our own
		return " IN ('" + strings.Join(texts, "', '") + "')"
	}
	sources := slices.Sorted(maps.Keys(correlate.PolicyChanges()))
	return source + list(sources) + " AND " + name + list(slices.Sorted(maps.Keys(changingNames)))
}

// surrounds reports whether before stands before text[i], and after from there on.
func surrounds(text []byte, i int, before, after string) bool {
	return i >= len(before) && len(text)-i >= len(after) &&
		string(text[i-len(before):i]) == before && string(text[i:i+len(after)]) == after
}
