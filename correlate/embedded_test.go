package correlate

import (
	"slices"
	"strings"
	"testing"
)

// TestDeniedWords: every code and text that can be a denial (T40, T45) holds a word that
// MayHoldFailure looks for, so that no response with one is passed over.
func TestDeniedWords(t *testing.T) {
	var texts []string
	for _, row := range errorCodes {
		if row.class == ClassDenied || row.class == ClassMaybe {
			texts = append(texts, row.codes...)
		}
	}
	texts = append(texts,
		"Not authorized to perform DescribeSecurityGroups", "User: x is not authorized to perform: s3:GetObject", "The role does not have permission to call it",
		"The provided execution role does not have permissions to call CreateNetworkInterface on EC2", "The role defined for the function cannot be assumed by Lambda.",
		"ECS was unable to assume the role", "You are not authorized to use launch template: UnauthorizedOperation")
	for _, text := range texts {
		if !MayHoldFailure([]byte(`{"failed":[{"code":"`+strings.ToUpper(text[:1])+text[1:]+`"}]}`), false) {
			t.Errorf("%q holds none of the words", text)
		}
	}
	for _, text := range []string{`{"assumedRoleUser":{"arn":"arn:aws:sts::111122223333:assumed-role/r/s"}}`, `{"_return":true}`, "enie", "40", `\u0`, ""} {
		if MayHoldFailure([]byte(text), false) {
			t.Errorf("%q holds none of the words, but seems to", text)
		}
	}
}

// TestErrorWords: so does every name of an error, a message or a list of failures.
func TestErrorWords(t *testing.T) {
	names := []string{"errorCode", "errorMessage", "failureCode", "failureMessage", "failureReason", "code", "Code", "unprocessedItems"}
	for name := range failureLists {
		if name != "results" { // of which only what has a code counts
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if !MayHoldFailure([]byte(`{"`+name+`":[]}`), true) {
			t.Errorf("%q holds none of the words", name)
		}
	}
}
