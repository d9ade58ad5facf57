package collectors

import "github.com/aws/aws-sdk-go-v2/aws/arn"

// owns reports whether a resource is the account's own. Lists of some services have those, too, that other
// accounts share with it: they are in the snapshot as their owner's.
func (c *collection) owns(of string) bool {
	a, err := arn.Parse(of)
	return err == nil && a.AccountID == c.account
}
