package correlate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A failure is an error of an event, or of one item of its batch.
type failure struct {
	path    string // inside responseElements; "" for the event's own
	code    string
	message string
	names   []string // what the item names, to tell which request it is
}

// The bounds of what is searched in responseElements. CloudTrail keeps 100 KB of
// it, Lake up to 1 MB.
const (
	maxResponse      = 4 << 20
	maxResponseDepth = 12
	maxFailures      = 1000
	maxNames         = 20
)

// deniedWords occur, one or more, in every code and message that can be a denial (T40, T45).
// They spare decoding the responses of calls that went well.
var deniedWords = newWords(
	word{"enied", 1}, word{"uthoriz", 4}, word{"orbidden", 1}, word{"403", 0}, word{"nsufficient", 3}, word{"ermission", 1},
	word{"be assumed", 2}, word{"to assume", 2}, // and not assumedRoleUser, which every session's response has
	word{`\u00`, 0}, // a letter of a word may be written so
)

// errorWords are the same for any error.
var errorWords = newWords(word{"rror", 0}, word{"ail", 0}, word{"ode", 0}, word{"nprocessed", 1}, word{"nsuccessful", 6}, word{`\u00`, 0})

// MayHoldFailure reports whether DenialsOf may find a failure in a responseElements, by
// words alone: text is its JSON, and may go on behind it. It never says no where
// DenialsOf finds one.
func MayHoldFailure(text []byte, all bool) bool {
	if all {
		return errorWords.in(text)
	}
	return deniedWords.in(text)
}

// MayBeDenied reports whether an errorCode or errorMessage may be that of a denial, by words alone:
// text is its JSON, without the quotes. It never says no where DenialsOf finds a denial by it.
func MayBeDenied(text []byte) bool {
	var room [1024]byte
	if len(text) > len(room) {
		return true
	}
	lower := room[:len(text)]
	for i, c := range text {
		switch {
		case c >= utf8.RuneSelf: // it may stand for a letter of ASCII: ſ for s
			return true
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return deniedWords.in(lower)
}

// embeddedFailures finds the errors in the response of a call that as a whole went well
// (T46): a batch's items, a fleet's overrides. At most 1000 are returned.
func embeddedFailures(raw json.RawMessage, all bool) []failure {
	if len(raw) == 0 || len(raw) > maxResponse || !MayHoldFailure(raw, all) {
		return nil
	}
	var response any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&response) != nil {
		return nil
	}
	var s responseSearch
	s.walk(response, place{})
	return s.found
}

// failureLists are the elements that hold the items that failed [assumed, but for
// EC2's unsuccessful and S3's Errors].
var failureLists = map[string]bool{
	"failures": true, "failed": true, "errors": true, "error": true, "errorset": true, "failedentries": true, "faileditems": true,
	"unsuccessful": true, "failurereasons": true, "failuredetails": true, "results": true, "unprocessed": true,
}

func isFailureList(key string) bool {
	key = strings.ToLower(key)
	return failureLists[key] || strings.HasPrefix(key, "unprocessed")
}

type responseSearch struct{ found []failure }

// A place is where the search stands.
type place struct {
	path   string
	depth  int // of objects and arrays
	object int // of objects alone
	listed bool
	names  []string // of the item around
}

func (p place) in(key string) place {
	q := p
	q.depth++
	q.listed = p.listed || isFailureList(key)
	q.path = key
	if p.path != "" {
		q.path = p.path + "." + key
	}
	return q
}

func (p place) at(i int) place {
	q := p
	q.depth++
	q.path = fmt.Sprintf("%s[%d]", p.path, i)
	return q
}

func (s *responseSearch) walk(v any, p place) {
	if p.depth > maxResponseDepth || len(s.found) >= maxFailures {
		return
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			s.walk(item, p.at(i))
		}
	case map[string]any:
		s.object(v, p)
	}
}

// object looks for an error in an object, and failing that in what it holds.
// errorCode counts to a depth of four anywhere; plain code only among failures,
// since much else is called so.
func (s *responseSearch) object(o map[string]any, p place) {
	p.object++
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var code, message string
	var names []string
	for _, k := range keys {
		text := scalar(o[k])
		switch strings.ToLower(k) {
		case "errorcode", "failurecode":
			if p.object <= 4 || p.listed {
				code = text
			}
		case "code":
			if p.listed && code == "" {
				code = text
			}
		case "errormessage", "failuremessage", "message", "failurereason", "reason":
			if message == "" {
				message = text
			}
		default:
			if text != "" && len(names) < maxNames {
				names = append(names, text)
			}
		}
	}
	if code == "0" || strings.EqualFold(code, "none") || strings.EqualFold(code, "ok") {
		code = "" // says that all is well
	}
	if p.listed && code == "" && !deniedText.MatchString(message) {
		message = ""
	}
	if code != "" || p.listed && message != "" {
		s.found = append(s.found, failure{path: p.path, code: code, message: message, names: append(names, p.names...)})
		return
	}
	if p.listed {
		p.names = names
	}
	for _, k := range keys {
		s.walk(o[k], p.in(k))
	}
}

// scalar returns a string or number as text, and "" for anything else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
