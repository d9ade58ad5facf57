package policy

import (
	"fmt"
	"net/url"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// ParseString reads a document that stands inside a string, as JSON text or
// URL-encoded as RFC 3986 has it, which is how IAM returns documents: a plus
// sign is a plus sign. Its positions are all at: the text has no lines of its own there.
func ParseString(at Pos, s string) (*Document, error) {
	plain, err := decode(s)
	if err != nil {
		return nil, &SyntaxError{at, err.Error()}
	}
	f := NewFile(at.File, []byte(plain))
	return f.parse(0, origin{file: f, at: &at}, wholeText)
}

// decode returns the JSON text of s. Text that starts as an object does is taken as it is, for
// the percent signs in it are its own.
func decode(s string) (string, error) {
	// Each byte of a document takes three at most.
	if len(s) > 4*maxDocument {
		return "", fmt.Errorf("string of %d bytes is too large to be a policy document", len(s))
	}
	start := jsontree.SkipSpace([]byte(s), 0)
	if start < len(s) && s[start] == '{' {
		return s, nil
	}
	plain, err := url.PathUnescape(s)
	if err != nil {
		return "", fmt.Errorf("neither a JSON object nor one that is URL-encoded: %w", err)
	}
	return plain, nil
}
