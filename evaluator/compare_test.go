package evaluator

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestCompare serves U17: what becomes of a request when its policies change.
func TestCompare(t *testing.T) {
	net := doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", `["10.0.0.0/8", "192.0.2.0/24"]`))}
	unread := func(missing string) world {
		return world{id: s3All, change: func(p *Policies) { p.SCP = Hierarchy{State: NotCollected, Missing: missing} }}
	}
	many := func(last string) (d doc) { // more than are weighed
		for i := range maxUnknowns + 1 {
			d = append(d, allow(fmt.Sprintf("S%d", i), "s3:*", "*", when("IpAddress", "aws:SourceIp", fmt.Sprintf("10.%d.0.0/16", i))))
		}
		return append(d, allow("Last", "s3:*", "*", when("IpAddress", "aws:SourceIp", last)))
	}
	for _, c := range []struct {
		name          string
		before, after world
		want, reverse Change
	}{
		{"allowed, and still", world{id: s3All}, world{id: all}, Unchanged, Unchanged},
		{"denied, and still, in another way", world{id: doc{}}, world{id: doc{deny("D", "*", "*")}}, Unchanged, Unchanged},
		{"allowed, and now denied for want of an Allow", world{id: s3All}, world{id: doc{}}, AllowedToDenied, DeniedToAllowed},
		{"allowed, and now denied by a Deny", world{id: s3All}, world{id: append(doc{deny("D", "*", "*")}, s3All...)}, AllowedToDenied, DeniedToAllowed},
		{"allowed, and now open", world{id: s3All}, world{id: net}, PossiblyDenied, PossiblyAllowed},
		{"denied, and now open", world{id: doc{}}, world{id: net}, PossiblyAllowed, PossiblyDenied},
		{"open, on the same", world{id: net}, world{id: net}, Unchanged, Unchanged},
		{"open, on the same, written otherwise", world{id: net}, world{id: doc{allow("Net", "s3:Get*", "*", when("ipAddress", "AWS:sourceip", `["192.0.2.0/24", "10.0.0.0/8"]`))}}, Unchanged, Unchanged},
		{"open, and another range counts", world{id: net}, world{id: doc{allow("Net", "s3:*", "*", when("IpAddress", "aws:SourceIp", "10.0.0.0/8"))}}, PossiblyChanged, PossiblyChanged},
		{"open, and another Sid", world{id: net}, world{id: doc{allow("Web", "s3:*", "*", when("IpAddress", "aws:SourceIp", `["10.0.0.0/8", "192.0.2.0/24"]`))}}, PossiblyChanged, PossiblyChanged},
		{"open, and another operator", world{id: net}, world{id: doc{allow("Net", "s3:*", "*", when("IpAddressIfExists", "aws:SourceIp", `["10.0.0.0/8", "192.0.2.0/24"]`))}}, PossiblyChanged, PossiblyChanged},
		{"open, and a Deny on top", world{id: net}, world{id: append(doc{deny("D", "*", "*", when("StringEquals", "svc:k", "a"))}, net...)}, PossiblyChanged, PossiblyChanged},
		{"open, and a statement more that changes nothing", world{id: net}, world{id: append(doc{allow("EC2", "ec2:*", "*")}, net...)}, Unchanged, Unchanged},
		{"open for want of the same policies", unread("SCPs of A"), unread("SCPs of A"), Unchanged, Unchanged},
		{"open for want of other ones", unread("SCPs of A"), unread("SCPs of B"), PossiblyChanged, PossiblyChanged},
		{"open, on too much to be weighed, and the same", world{id: many("192.0.2.0/24")}, world{id: many("192.0.2.0/24")}, Unchanged, Unchanged},
		{"open, on too much to be weighed, and something else", world{id: many("192.0.2.0/24")}, world{id: many("192.0.3.0/24")}, PossiblyChanged, PossiblyChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			explain := func(w world) Explanation {
				req, p := w.open(t, UnknownKey, "aws:SourceIp", "svc:k")
				return Explain(req, p)
			}
			before, after := explain(c.before), explain(c.after)
			if got := Compare(before, after); got != c.want {
				t.Errorf("%v, want %v\n%s\n%s", got, c.want, before.hangsOn(), after.hangsOn())
			}
			if got := Compare(after, before); got != c.reverse {
				t.Errorf("the other way round %v, want %v", got, c.reverse)
			}
		})
	}
}

// TestCompareIsSymmetric serves U17: nothing changes between two readings of the same policies, and what is taken
// one way is given the other.
func TestCompareIsSymmetric(t *testing.T) {
	reverse := map[Change]Change{Unchanged: Unchanged, AllowedToDenied: DeniedToAllowed, DeniedToAllowed: AllowedToDenied,
		PossiblyDenied: PossiblyAllowed, PossiblyAllowed: PossiblyDenied, PossiblyChanged: PossiblyChanged}
	rapid.Check(t, func(t *rapid.T) {
		w, _, keys := drawSplitWorld(t)
		other, _, more := drawSplitWorld(t)
		explain := func(w world) Explanation {
			req, p := w.open(t, UnknownKey, append(keys, more...)...)
			return Explain(req, p)
		}
		x, y := explain(w), explain(other)
		again := explain(w)
		if got := Compare(x, again); got != Unchanged {
			t.Fatalf("%v between two readings of one policy:\n%s\n%s", got, x.hangsOn(), again.hangsOn())
		}
		got := Compare(x, y)
		if back := Compare(y, x); back != reverse[got] {
			t.Fatalf("%v, and back %v", got, back)
		}
		if got.Possible() != (got != Unchanged && (x.Decision == Indeterminate || y.Decision == Indeterminate)) {
			t.Fatalf("%v from %v to %v: possible %v", got, x.Decision, y.Decision, got.Possible())
		}
	})
}
