package render

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
)

// Denial writes one line, member by member: denied calls come by the thousand, each with hundreds of names. The
// members are a contract like the other forms.
func (j *jsonRenderer) Denial(d correlate.Denial) error {
	j.line = append(appendDenial(j.line[:0], d), '\n')
	_, err := j.w.Write(j.line)
	return err
}

func appendDenial(b []byte, d correlate.Denial) []byte {
	cells := row(d)
	b = append(b, '{')
	for _, m := range []struct{ name, value string }{
		{"time", cells[0]}, {"eventId", cells[2]}, {"principal", cells[1]}, {"service", cells[3]},
		{"eventName", cells[4]}, {"errorCode", cells[5]}, {"message", cells[6]},
	} {
		b = appendString(appendName(b, m.name), m.value)
	}
	b = append(appendName(b, "requests"), '[')
	for i, r := range d.Requests() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRequest(b, &r)
	}
	return append(b, "]}"...)
}

// appendRequest appends a request, which says of its parts where they come from, in the words of apicall.Source. Unknown
// are the keys that it may carry and that nobody knows, or not all of.
func appendRequest(b []byte, r *correlate.Request) []byte {
	b = appendString(appendName(append(b, '{'), "action"), r.Action)
	resources := []string{r.Resource.ARN}
	if r.Resource.ARN == "" {
		resources = nil
	}
	b = appendStrings(appendName(b, "resources"), resources)
	if r.Resource.Pattern {
		b = append(appendName(b, "resourcePattern"), "true"...)
	}
	b = appendContext(appendName(b, "context"), &r.Context)
	b = appendStrings(appendName(b, "unknown"), r.Unknown())
	b = strconv.AppendBool(appendName(b, "required"), r.Required)
	b = appendString(appendName(b, "actionSource"), string(r.ActionSource))
	b = appendString(appendName(b, "resourceSource"), string(r.ResourceSource))
	return append(b, '}')
}

// appendContext appends the keys whose values are known, by name.
func appendContext(b []byte, c *evaluator.Context) []byte {
	type key struct {
		name   string
		values []string
	}
	known := make([]key, 0, 32) // the usual few
	for v := range c.Each {
		if !v.Pattern && (v.State == evaluator.Present || v.State == evaluator.Partial) {
			known = append(known, key{v.Name, v.Values})
		}
	}
	slices.SortFunc(known, func(a, b key) int { return cmp.Compare(a.name, b.name) })
	b = append(b, '{')
	for i, v := range known {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendStrings(append(appendString(b, v.name), ':'), v.values)
	}
	return append(b, '}')
}

// appendName appends the name of a member, which needs no escapes, and what parts it from the member before.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(append(b, '"'), name...)
	return append(b, `":`...)
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendString appends a string as marshal has it.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !printable(s[i]) || s[i] == '"' || s[i] == '\\' {
			text, _ := marshal(s, "-") // a string can't fail
			return append(b, text...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
