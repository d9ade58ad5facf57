package policy

import "strings"

// An ARN is an Amazon Resource Name, taken apart. A part may be empty, and
// may hold wildcards or policy variables if the ARN is a pattern.
type ARN struct{ Partition, Service, Region, Account, Resource string }

// ParseARN splits an ARN at its first five colons; the resource may hold more. ok
// is false if s isn't one: it doesn't start with "arn:" or has fewer colons.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func ParseARN(s string) (arn ARN, ok bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return ARN{}, false
	}
	for _, part := range []*string{&arn.Partition, &arn.Service, &arn.Region, &arn.Account} {
		if *part, rest, ok = strings.Cut(rest, ":"); !ok {
			return ARN{}, false
		}
	}
	arn.Resource = rest
	return arn, true
}

// String puts the ARN together again.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}
