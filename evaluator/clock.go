package evaluator

import (
	"slices"
	"strings"
)

// A Clock is what policies ask of the time of a request: requests that differ in nothing but the
// time, and for which it reads the same, are decided alike. The zero Clock asks nothing.
type Clock struct {
	conditions []*condition
	asText     bool // a policy variable stands for the time
}

// The keys that tell the time of a request.
var (
	currentTime = keyNameOf("aws:CurrentTime")
	epochTime   = keyNameOf("aws:EpochTime")
)

func tellsTime(key keyName) bool { return key == currentTime || key == epochTime }

// ClockOf returns what the policies ask of the time.
func ClockOf(p *Policies) Clock {
	var c Clock
	for _, h := range []*Hierarchy{&p.SCP, &p.RCP} {
		for i := range h.Levels {
			c.add(&h.Levels[i].Layer)
		}
	}
	for _, l := range []*Layer{&p.Resource.Layer, &p.Identity, &p.Boundary, &p.Session, &p.Endpoint.Layer} {
		c.add(l)
	}
	if p.Resource.Behind != nil {
		c.add(&p.Resource.Behind.Layer)
	}
	return c
}

func (c *Clock) add(l *Layer) {
	for i := range l.Policies {
		if l.Policies[i].Body == nil {
			continue
		}
		statements := l.Policies[i].Body.statements
		for j := range statements {
			s := &statements[j]
			for k := range s.conditions {
				if tellsTime(s.conditions[k].key) {
					c.conditions = append(c.conditions, &s.conditions[k])
				}
			}
			c.asText = c.asText || slices.ContainsFunc(s.variables(nil), tellsTime)
		}
	}
}

// Asks reports whether the time of a request can matter at all.
func (c *Clock) Asks() bool { return len(c.conditions) > 0 || c.asText }

// Read returns what the time of a request comes to.
func (c *Clock) Read(req *Request) string {
	var b strings.Builder
	ev := newEvaluation(req)
	for _, condition := range c.conditions {
		b.WriteByte(byte('0' + condition.match(&ev)))
	}
	if c.asText {
		for _, key := range []keyName{currentTime, epochTime} {
			b.WriteString(" " + strings.Join(req.Context.value(key).Values, " "))
		}
	}
	return b.String()
}
