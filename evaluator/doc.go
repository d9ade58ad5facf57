// Package evaluator says whether AWS would allow a request, and why. It is a
// pure reimplementation of AWS's policy evaluation: no I/O, no clock, no AWS
// client; the same request and policies always give the same answer.
//
// Most callers need Explain, or Evaluate for the decision alone. What isn't known of a
// request or of the policies is Unknown, never absent: an answer that hangs
// on it is Indeterminate and says on what.
//
// It follows
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html;
// rule numbers in comments are those of the project's evaluation rules.
package evaluator
