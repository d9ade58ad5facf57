package render

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/iamwhy/iamwhy/evaluator"
)

// A Command is the answer to a command of the AWS CLI: the checks of all requests that it makes.
type Command struct {
	Words     []string // as typed
	What      string   // without its options: aws s3 cp
	Principal evaluator.Principal
	Checks    []CommandCheck
	Assumed   []string // in words
	Unread    []string // what of the command line wasn't understood, in words
}

// A CommandCheck is one of a command's requests, answered.
type CommandCheck struct {
	Check
	// Required is false for a request that is made only in some cases, which the command line doesn't settle. It doesn't count.
	Required bool
	When     string // which cases, if that can be said
}

// Decision is that on all the requests that the command surely makes; a command that makes none is allowed.
func (c Command) Decision() evaluator.Decision {
	var all []evaluator.Decision
	for _, one := range c.Checks {
		if one.Required {
			all = append(all, one.Explanation.Decision)
		}
	}
	return evaluator.Combine(all...)
}

// required and perhaps are the checks that count, and the others.
func (c Command) required() (all []CommandCheck) { return c.only(true) }
func (c Command) perhaps() (all []CommandCheck)  { return c.only(false) }

func (c Command) only(required bool) (all []CommandCheck) {
	for _, one := range c.Checks {
		if one.Required == required {
			all = append(all, one)
		}
	}
	return all
}

// decisionWords are decisions in a list, where each is one of several.
var decisionWords = map[evaluator.Decision]string{
	evaluator.Allowed: "allowed", evaluator.Indeterminate: "UNDECIDED", evaluator.ExplicitDeny: "DENIED", evaluator.ImplicitDeny: "DENIED",
}

// Command writes the answer on the whole command, a line for each permission, why those that aren't allowed are not,
// and what was assumed.
func (t *textRenderer) Command(c Command) error {
	d := c.Decision()
	t.head("", span{decisionHead(d), headStyles[d]}, span{c.What, strong}, span{tally(c.required(), len(c.perhaps())), plain})
	t.line(body, span{c.Principal.ARN, plain})
	t.permissions(c.required())
	if perhaps := c.perhaps(); len(perhaps) > 0 {
		t.blank()
		t.line(body, span{"May also need, which doesn't count above:", strong})
		t.permissions(perhaps)
	}
	t.reasons(c.Checks)
	t.settleAll(c.Checks)
	t.listed("Assumed, unless -c says otherwise:", c.Assumed)
	t.listed("Not understood:", c.Unread)
	t.caveatsOf(c.Checks)
	return t.err
}

// decisionHead is the decision on a whole command.
func decisionHead(d evaluator.Decision) string {
	if d == evaluator.Allowed {
		return "ALLOWED"
	}
	return decisionWords[d]
}

// tally counts decisions: "3 permissions: 1 denied, 1 undecided".
func tally(checks []CommandCheck, perhaps int) string {
	count := map[string]int{}
	for _, one := range checks {
		count[strings.ToLower(decisionWords[one.Explanation.Decision])]++
	}
	noun := fmt.Sprintf("%d permissions: ", len(checks))
	switch {
	case len(checks) == 0 && perhaps > 0:
		return "needs no permission for sure"
	case len(checks) == 0:
		return "needs no permission"
	case len(checks) == 1:
		noun = "1 permission: "
	}
	var parts []string
	for _, word := range []string{"denied", "undecided", "allowed"} {
		switch n := count[word]; {
		case n == len(checks) && n == 1:
			parts = append(parts, word)
		case n == len(checks):
			parts = append(parts, "all "+word)
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	return noun + strings.Join(parts, ", ")
}

// permissions writes a line for each: the decision, the action, the resource; or where the terminal is too narrow for one
// of them, the resource of each below.
func (t *textRenderer) permissions(checks []CommandCheck) {
	words, actions, resources, open := 0, 0, 0, false
	for _, one := range checks {
		words = max(words, len(decisionWords[one.Explanation.Decision]))
		actions = max(actions, lipgloss.Width(Clean(one.Request.Action)))
		resources = max(resources, lipgloss.Width(Clean(one.on())))
		open = open || one.Request.Resource.Pattern && one.Request.Resource.ARN != "*"
	}
	first := body + 2 + words + gap
	narrow := t.opts.Width > 0 && first+actions+gap+resources > t.opts.Width
	for _, one := range checks {
		d := one.Explanation.Decision
		line := []span{{decisionWords[d], headStyles[d]}, {strings.Repeat(" ", words-len(decisionWords[d])+gap), plain}, {one.Request.Action, strong}}
		if narrow {
			t.line(body+2, line...)
			t.line(first, span{one.on(), plain})
			continue
		}
		pad := strings.Repeat(" ", actions-lipgloss.Width(Clean(one.Request.Action))+gap)
		t.line(body+2, append(line, span{pad, plain}, span{one.on(), plain})...)
	}
	if open {
		t.line(body+2, span{"(a * stands for what the command doesn't tell)", faint})
	}
}

// on says which resource a request is on, and in which case it is made.
func (c CommandCheck) on() string {
	resource := c.Request.Resource.ARN
	if resource == "*" && c.Request.Resource.Pattern {
		resource = "some resource, which the command doesn't tell"
	}
	if c.When != "" {
		resource += ", if " + c.When
	}
	return resource
}

// reasons says why requests aren't allowed, those denied first, as a check of each alone would; what is the same of several
// is said once. With Verbose it also says what allows, and why what may be needed isn't allowed.
func (t *textRenderer) reasons(checks []CommandCheck) {
	var shown []CommandCheck
	for _, denied := range []bool{true, false} {
		for _, one := range checks {
			d := one.Explanation.Decision
			if denied == (d == evaluator.ExplicitDeny || d == evaluator.ImplicitDeny) && (t.opts.Verbose || one.Required && d != evaluator.Allowed) {
				shown = append(shown, one)
			}
		}
	}
	var order []string
	same := map[string][]CommandCheck{}
	for _, one := range shown {
		why := t.because(one)
		if len(same[why]) == 0 {
			order = append(order, why)
		}
		same[why] = append(same[why], one)
	}
	for _, why := range order {
		t.blank()
		for _, one := range same[why] {
			t.answerHead(one)
		}
		t.write(why)
	}
}

// answerHead is the first line of an answer among several.
func (t *textRenderer) answerHead(one CommandCheck) {
	e := one.Explanation
	layer := ""
	if len(e.Blockers) > 0 {
		layer = layerWord(e.Blockers[0].Layer, e.Blockers[0].PolicyType)
	}
	t.base = body
	t.head("", span{verdict(e.Decision, layer), headStyles[e.Decision]}, span{call(one.Request), strong})
	t.base = 0
}

// because is the text below that line.
func (t *textRenderer) because(one CommandCheck) string {
	var b strings.Builder
	apart := textRenderer{page: page{w: &b, opts: t.opts, base: body}}
	apart.explanation(one.Explanation, one.Request)
	apart.fixes(one.Fixes)
	return b.String()
}

// settleAll says once for all requests how to ask so that nothing is left open.
func (t *textRenderer) settleAll(checks []CommandCheck) {
	var all evaluator.Explanation
	for _, one := range checks {
		if one.Required {
			all.Undecided = append(all.Undecided, one.Explanation.Undecided...)
		}
	}
	var b strings.Builder
	apart := textRenderer{page: page{w: &b, opts: t.opts}}
	if apart.settle(all); b.Len() > 0 {
		t.blank()
		t.write(b.String())
	}
}

func (t *textRenderer) listed(head string, lines []string) {
	if len(lines) == 0 {
		return
	}
	t.blank()
	t.line(body, span{head, strong})
	for _, line := range lines {
		t.line(body+2, span{line, plain})
	}
}

// caveatsOf names once what the answers rest on.
func (t *textRenderer) caveatsOf(checks []CommandCheck) {
	var all []string
	for _, one := range checks {
		for _, rule := range one.Explanation.Caveats {
			if !slices.Contains(all, rule) {
				all = append(all, rule)
			}
		}
	}
	if len(all) > 0 {
		t.blank()
		t.caveats(all)
	}
}

// The JSON form of a command's answer. Decision is that on the checks that are required.
type (
	jsonCommand struct {
		Command  []string           `json:"command"`
		Decision string             `json:"decision"`
		Assumed  []string           `json:"assumed"`
		Unread   []string           `json:"unread"` // what of the command line wasn't understood
		Checks   []jsonCommandCheck `json:"checks"`
	}
	jsonCommandCheck struct {
		jsonCheck
		Required bool   `json:"required"` // false: needed only in some cases, and not counted
		When     string `json:"when"`     // which cases, if that can be said
	}
)

// Command writes one object, whose checks are those that a check of each request alone prints, with two fields more.
func (j *jsonRenderer) Command(c Command) error {
	out := jsonCommand{Command: list(c.Words), Decision: c.Decision().String(), Assumed: list(c.Assumed), Unread: list(c.Unread), Checks: []jsonCommandCheck{}}
	for _, one := range c.Checks {
		out.Checks = append(out.Checks, jsonCommandCheck{checkOf(one.Check), one.Required, one.When})
	}
	return j.write("", out, "", "\n")
}
