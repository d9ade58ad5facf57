package awsfake

import (
	"fmt"
	"strings"
)

// A Fault is what goes wrong with calls. A field that is zero fits any call.
type Fault struct {
	Service, Region, Operation string
	Nth                        int // of the calls that fit, from 1; 0 is each of them

	// Until, if not nil, holds the answer back until it is closed, or the caller goes away.
	Until <-chan struct{}
	// Reply is the answer in place of the operation's own, if not nil: [Deny], [Throttle] …
	Reply Handler
}

type fault struct {
	Fault
	seen int
}

// Fail makes calls go wrong from now on. If several faults fit a call, the one that was given first counts.
func (f *Fake) Fail(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault{Fault: x})
}

// hit returns the fault that a call meets, or nil. All that fit count the call.
func (f *Fake) hit(c *Call) *fault {
	var first *fault
	for _, x := range f.faults {
		if !x.fits(c) {
			continue
		}
		x.seen++
		if first == nil && (x.Nth == 0 || x.Nth == x.seen) {
			first = x
		}
	}
	return first
}

func (x *fault) fits(c *Call) bool {
	return (x.Service == "" || x.Service == c.Service) &&
		(x.Region == "" || x.Region == c.Region) &&
		(x.Operation == "" || x.Operation == c.Operation)
}

// Deny says that the caller may not, in AWS's words.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func Deny(c *Call) Reply {
	code := "AccessDeniedException"
	if c.protocol != awsJSON && c.protocol != restJSON {
		code = "AccessDenied"
	}
	return Error(code, fmt.Sprintf("User: arn:aws:iam::%s:user/u is not authorized to perform: %s:%s because no identity-based policy allows the %[2]s:%[3]s action", Account, c.Service, c.Operation))
}

// Throttle says that there are too many calls.
func Throttle(c *Call) Reply {
	switch c.protocol {
	case s3XML:
		return Error("SlowDown", "Please reduce your request rate.")
	case query, ec2Query:
		return Error("Throttling", "Rate exceeded")
	}
	return Error("ThrottlingException", "Rate exceeded")
}

// Garble replies with what no protocol is: a body that ends in the middle.
func Garble(c *Call) Reply {
	if strings.HasPrefix(string(c.Body), "{") {
		return Reply{Body: []byte(`{"NextToken":"abc`)}
	}
	return Reply{Body: []byte(`<a><b>`)}
}
