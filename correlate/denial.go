package correlate

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// A Class says what an error code means (cloudtrail.md T40).
type Class string

// The classes of error.
const (
	ClassNone      Class = ""          // no error, or one that has nothing to do with access
	ClassDenied    Class = "denied"    // AWS's authorisation said no
	ClassMaybe     Class = "maybe"     // the code alone doesn't say; the message does
	ClassNotPolicy Class = "notPolicy" // a refusal that no policy decides
	ClassNoise     Class = "noise"     // throttling, missing things
)

// ClassifyCode says what an error code means, its wrappings taken off (T39, T40).
func ClassifyCode(code string) Class { return classOfCode(bareCode(code)) }

// A Denial is one denied call: the event, what AWS's message says, and the
// requests that the call made of IAM.
type Denial struct {
	Event     *Event // nil for a pasted message
	Part      string // path inside responseElements, for one item of a batch (T46)
	Class     Class
	Code      string
	Message   Message
	Principal evaluator.Principal
	// PrincipalMismatch says that Principal is the message's and not the event's caller:
	// a role that a service used inside the call (T67).
	PrincipalMismatch bool

	item  *failure      // within the event's response; nil for the event's own
	needs func() []need // what the call needed, made once; nil for nothing
}

// A need is one request that a call needed. It is made when it is first asked for: most of
// what a denial costs is in its requests' contexts, and often one of them decides.
type need struct {
	required bool
	request  func() Request
}

// Requests are what the call needed, each with its context. The first is
// the one that AWS named, if it named one. They are made when they are first asked for.
// All copies of a denial share them.
func (d Denial) Requests() []Request { return made(d.needed()) }

// needed is what the call needed, the one that AWS named first.
func (d *Denial) needed() []need {
	if d.needs == nil {
		return nil
	}
	return d.needs()
}

func made(needs []need) []Request {
	if len(needs) == 0 {
		return nil
	}
	requests := make([]Request, len(needs))
	for i, n := range needs {
		requests[i] = n.request()
	}
	return requests
}

// edited returns the denial with its requests changed, each when it is made.
func (d Denial) edited(change func(*Request)) Denial {
	before := d.needs
	d.needs = sync.OnceValue(func() []need {
		if before == nil {
			return nil
		}
		after := slices.Clone(before())
		for i := range after {
			request := after[i].request
			after[i].request = sync.OnceValue(func() Request {
				r := request()
				change(&r)
				return r
			})
		}
		return after
	})
	return d
}

// WithRequests returns the denial as one of a call that needed these requests.
func (d Denial) WithRequests(requests ...Request) Denial {
	needs := make([]need, len(requests))
	for i, r := range requests {
		needs[i] = need{r.Required, func() Request { return r }}
	}
	d.needs = func() []need { return needs }
	return d
}

// A Request is a derived request, and where its parts come from.
type Request struct {
	evaluator.Request
	ActionSource   apicall.Source
	ResourceSource apicall.Source
	Required       bool
	// AccountAssumed says that nothing tells the resource's account, and that Resource.Account
	// is the caller's for want of better (T38).
	AccountAssumed bool
}

// DenialsOf returns the denials that an event holds: none, one, or one an
// item of a batch. all says to return every error, denied or not, for `events --all-errors`.
func DenialsOf(e *Event, all bool) []Denial {
	if e == nil || e.ErrorCode == "" && e.ErrorMessage == "" && len(e.ResponseElements) == 0 || !relevant(e, all) {
		return nil
	}
	failures := []failure{ownFailure(e)}
	if failures[0].code == "" && failures[0].message == "" {
		failures = embeddedFailures(e.ResponseElements, all)
	}
	var denials []Denial
	var c *call // what all items of a batch share
	for i := range failures {
		f := &failures[i]
		d := failed(e, f)
		if d.Class != ClassDenied && !all {
			continue
		}
		if c == nil {
			c = newCall(e)
		}
		c.complete(&d, f)
		denials = append(denials, d)
	}
	return denials
}

// ownFailure is the error of an event itself; zero if it has none.
func ownFailure(e *Event) failure { return failure{code: e.ErrorCode, message: e.ErrorMessage} }

// failed returns what a failure itself tells, without caller and requests.
func failed(e *Event, f *failure) Denial {
	m := ParseMessage(f.message, e.Source)
	d := Denial{Event: e, Part: f.path, Class: classify(f.code, &m), Code: f.code, Message: m}
	if strings.EqualFold(bareCode(f.code), "VpceAccessDenied") && m.Layer == LayerUnknown { // rule T33
		d.Message.Layer = string(evaluator.LayerEndpoint)
	}
	if e.ErrorCode == "" && e.ErrorMessage == "" {
		d.item = f
	}
	return d
}

// complete adds who called, and what the call needed.
func (c *call) complete(d *Denial, f *failure) {
	d.Principal, d.PrincipalMismatch = c.caller(&d.Message)
	d.needs = c.needs(*d, f.names)
}

// DenialFromMessage returns the denial that a pasted message tells of: without an
// event, it has one request if the message names an action, and none otherwise, and
// its context is open but for what follows from the message.
func DenialFromMessage(text string) Denial {
	m := ParseMessage(text, "")
	d := Denial{Code: m.Code, Message: m, Class: classify(m.Code, &m)}
	if m.Code == "" && m.recognised() {
		d.Class = ClassDenied
	}
	d.Principal, _ = messagePrincipal(m.Principal)
	if m.Action == "" {
		return d
	}
	r := Request{ActionSource: apicall.FromMessage, ResourceSource: apicall.FromNowhere, Required: true}
	r.Principal = d.Principal
	r.Action = iamAction(m.Action)
	r.Resource = evaluator.Resource{ARN: "*", Pattern: true}
	if res, ok := messageResource(&m, nil); ok {
		r.Resource, r.ResourceSource = res, apicall.FromMessage
	}
	if p, ok := splitARN(r.Resource.ARN); ok && r.Resource.Account == "" {
		r.Resource.Account = knownAccount(p.account)
	}
	if r.Resource == (evaluator.Resource{ARN: "*"}) {
		r.Resource.Account = d.Principal.Account
	}
	r.Context.Open = true
	evaluator.DeriveContext(&r.Request)
	return d.WithRequests(r)
}

// relevant says whether an event can tell of a denial (steps 1 and 2 of T39).
// What records no call is dropped; sign-ins and a service's own events are only
// looked at when everything is wanted.
func relevant(e *Event, all bool) bool {
	about := strings.ToLower(e.Category + " " + e.Type)
	for _, word := range []string{"insight", "aggregat", "digest"} {
		if strings.Contains(about, word) {
			return false
		}
	}
	switch e.Type {
	case "", "AwsApiCall", "AwsVpceEvent", "AwsVpceEvents", "AwsConsoleAction":
		return true
	}
	return all
}

// deniedText finds a denial under a code that doesn't say so (T45).
var deniedText = regexp.MustCompile(`(?i)not authorized to perform|is not authorized|does not have permissions? to|cannot be assumed|unable to assume|not authorized to use launch template`)

// classify says what an error is, by its code and, where that doesn't settle it,
// by its message (T40, T42, T45).
func classify(code string, m *Message) Class {
	class := ClassifyCode(code)
	authorisation := class == ClassDenied || class == ClassMaybe
	switch {
	case class == ClassNoise:
		return class
	case m.NotDenial, m.Pattern == "M32": // a malformed call; Lake Formation's grants
		if authorisation {
			return ClassNotPolicy
		}
		return class
	case class == ClassDenied, class == ClassMaybe && m.recognised():
		return ClassDenied
	case class == ClassMaybe:
		return ClassNotPolicy
	case class == ClassNotPolicy && m.hasCore(), class == ClassNone && deniedText.MatchString(m.Text):
		return ClassDenied // rule T45
	case strings.EqualFold(bareCode(code), "DryRunOperation"): // the call would have been allowed (T47)
		return ClassNone
	}
	return class
}
