package collectors

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// A document is a policy document's JSON, in the order in which AWS returned it.
type document = json.RawMessage

// noPolicy is the policy of a resource that AWS says has none (rule U19).
var noPolicy = document("null")

// documentOf is the document that a string of an API's answer holds, URL-encoded or not;
// none at all is noPolicy. What isn't JSON stays a string: the loader says what is
// wrong with it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyDetail.html
func documentOf(text string) document {
	text = strings.TrimSpace(text)
	if text == "" {
		return noPolicy
	}
	if strings.HasPrefix(text, "%") {
		if plain, err := url.PathUnescape(text); err == nil { // a plus is a plus
			text = strings.TrimSpace(plain)
		}
	}
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return quote(text)
	}
	return document(text)
}

// quote is a text as a JSON string.
func quote(text string) document {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return noPolicy // no string makes it fail
	}
	return bytes.TrimSpace(b.Bytes())
}
