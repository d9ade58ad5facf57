package evaluator

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator/policy"
	"pgregory.net/rapid"
)

// termsText puts AllowedIf or DeniedIf into one line: sets are divided by |, what is bad has a - before it.
func termsText(sets [][]Term) string {
	var out []string
	for _, set := range sets {
		var terms []string
		for _, term := range set {
			what := string(term.Layer) + " " + term.Missing
			if term.Statement != nil {
				what = string(term.Layer) + " " + term.Statement.Sid.Value
				for _, el := range term.Elements {
					what += " " + el.Element
					if el.Key != "" {
						what += fmt.Sprintf("(%s %s %s)", el.Operator, el.Key, strings.Join(el.Want, ","))
					}
				}
			}
			if !term.Good {
				what = "-" + what
			}
			terms = append(terms, what)
		}
		out = append(out, strings.Join(terms, " & "))
	}
	return strings.Join(out, " | ")
}

// TestResiduals serves U15: what would decide a question that is open, in the least of terms.
func TestResiduals(t *testing.T) {
	unread := func(missing string) func(*Policies) {
		return func(p *Policies) { p.SCP = Hierarchy{State: NotCollected, Missing: missing} }
	}
	sourceIP := when("IpAddress", "aws:SourceIp", "10.0.0.0/8")
	region := when("StringNotEquals", "aws:RequestedRegion", "eu-west-1")
	for _, c := range []struct {
		name      string
		w         world
		unknown   []string
		want      Decision
		hangsOn   string
		allowedIf string
		deniedIf  string
	}{
		{"T88: an unknown key", world{id: doc{allow("Net", "s3:*", "*", sourceIP)}}, []string{"aws:SourceIp"}, Indeterminate,
			"identity Net aws:SourceIp", "identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8)", "-identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8)"},
		{"T89: denied anyway, so nothing is open", world{id: doc{deny("EU", "*", "*", region)}}, []string{"aws:RequestedRegion"}, ImplicitDeny, "", "", ""},
		{"T90: allowed unless an SCP denies", world{id: s3All, change: unread("SCPs of 111111111111")}, nil, Indeterminate,
			"scp SCPs of 111111111111", "scp SCPs of 111111111111", "-scp SCPs of 111111111111"},
		{"T90: denied without an Allow", world{change: unread("SCPs")}, nil, ImplicitDeny, "", "", ""},
		{"either of two Allows", world{id: doc{allow("Net", "s3:*", "*", sourceIP), allow("Not", "s3:*", "*", region)}}, []string{"aws:SourceIp", "aws:RequestedRegion"}, Indeterminate,
			"identity Net aws:SourceIp; identity Not aws:RequestedRegion",
			"identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8) | identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)",
			"-identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8) & -identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)"},
		{"an Allow and a Deny", world{id: doc{allow("Net", "s3:*", "*", sourceIP), deny("Not", "s3:*", "*", region)}}, []string{"aws:SourceIp", "aws:RequestedRegion"}, Indeterminate,
			"identity Net aws:SourceIp; identity Not aws:RequestedRegion",
			"identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8) & identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)",
			"-identity Net Condition(IpAddress aws:SourceIp 10.0.0.0/8) | -identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)"},
		{"an Allow that another makes needless isn't named", world{id: append(doc{allow("Net", "s3:*", "*", sourceIP), deny("Not", "s3:*", "*", region)}, s3All...)}, []string{"aws:SourceIp", "aws:RequestedRegion"}, Indeterminate,
			"identity Not aws:RequestedRegion", "identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)", "-identity Not Condition(StringNotEquals aws:RequestedRegion eu-west-1)"},
		{"a boundary's Allow that a resource policy makes needless (E16)", world{pb: doc{allow("Net", "s3:*", "*", sourceIP)}, rb: doc{grant("U", aws(userU), "s3:*", "*", region)}}, []string{"aws:SourceIp", "aws:RequestedRegion"}, Indeterminate,
			"resource U aws:RequestedRegion", "resource U Condition(StringNotEquals aws:RequestedRegion eu-west-1)", "-resource U Condition(StringNotEquals aws:RequestedRegion eu-west-1)"},
		{"two conditions of one statement", world{id: doc{allow("Both", "s3:*", "*", `"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:RequestedRegion": "eu-west-1"}}`)}},
			[]string{"aws:SourceIp", "aws:RequestedRegion"}, Indeterminate, "identity Both aws:SourceIp; identity Both aws:RequestedRegion",
			"identity Both Condition(IpAddress aws:SourceIp 10.0.0.0/8) Condition(StringEquals aws:RequestedRegion eu-west-1)",
			"-identity Both Condition(IpAddress aws:SourceIp 10.0.0.0/8) Condition(StringEquals aws:RequestedRegion eu-west-1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, p := c.w.open(t, UnknownKey, c.unknown...)
			x := Explain(req, p)
			if x.Decision != c.want {
				t.Errorf("%v, want %v", x.Decision, c.want)
			}
			if diff := cmp.Diff([]string{c.hangsOn, c.allowedIf, c.deniedIf}, []string{hangsOn(x), termsText(x.AllowedIf), termsText(x.DeniedIf)}); diff != "" {
				t.Errorf("undecided, allowed if, denied if (-want +got):\n%s", diff)
			}
		})
	}
}

// TestResidualsDecide serves U15: what is said to allow or to deny does, whatever the rest is; no part of it
// would; and what is open hangs on something.
func TestResidualsDecide(t *testing.T) {
	weighed := 0
	rapid.Check(t, func(t *rapid.T) {
		req, p := drawDoubtful(t)
		req.Strict = rapid.IntRange(0, 2).Draw(t, "strict") == 0
		x := Explain(req, p)
		if d := Evaluate(req, p); d != x.Decision {
			t.Fatalf("Explain says %v, Evaluate %v\n%s", x.Decision, d, describe(req, p))
		}
		if (x.Decision == Indeterminate) != (len(x.Undecided) > 0) {
			t.Fatalf("%v, hanging on %q\n%s", x.Decision, hangsOn(x), describe(req, p))
		}
		if (len(x.AllowedIf) > 0) != (len(x.DeniedIf) > 0) || len(x.AllowedIf) > 0 && x.Decision != Indeterminate {
			t.Fatalf("%v, allowed if %q, denied if %q\n%s", x.Decision, termsText(x.AllowedIf), termsText(x.DeniedIf), describe(req, p))
		}
		if len(x.AllowedIf) == 0 {
			return
		}
		weighed++
		all := x.explainer.unknowns()
		find := func(term Term) int {
			i := slices.IndexFunc(all, func(u unknown) bool {
				return len(u.said) > 0 && u.said[0].Layer == term.Layer && u.said[0].Policy == term.Policy && u.said[0].Statement == term.Statement && u.said[0].Missing == term.Missing &&
					(term.Statement != nil || u.statement.s == nil)
			})
			if i < 0 {
				t.Fatalf("no unknown is %q", termsText([][]Term{{term}}))
			}
			return i
		}
		decided := func(good int) bool {
			ev := newEvaluation(req)
			ev.forced = layDown(all, good)
			o := ev.decide(p)
			if o.decision() == Indeterminate {
				t.Fatalf("still open with all laid down")
			}
			return o.decision() == Allowed
		}
		for _, list := range []struct {
			name string
			sets [][]Term
			good bool
		}{{"allowed if", x.AllowedIf, true}, {"denied if", x.DeniedIf, false}} {
			for _, terms := range list.sets {
				set := 0
				for _, term := range terms {
					if term.Good != list.good {
						t.Fatalf("%s: a term is %v", list.name, term.Good)
					}
					set |= 1 << find(term)
				}
				does := func(set int) bool {
					for rest := range 1 << len(all) {
						good := rest | set
						if !list.good {
							good = rest &^ set
						}
						if decided(good) != list.good {
							return false
						}
					}
					return true
				}
				if !does(set) {
					t.Fatalf("not %s %q\n%s", list.name, termsText([][]Term{terms}), describe(req, p))
				}
				for i := range all {
					if set>>i&1 == 1 && does(set&^(1<<i)) {
						t.Fatalf("%s less than %q\n%s", list.name, termsText([][]Term{terms}), describe(req, p))
					}
				}
			}
		}
		for _, u := range x.Undecided {
			i := slices.IndexFunc(all, func(o unknown) bool {
				return slices.ContainsFunc(o.said, func(s Undecided) bool {
					return s.Layer == u.Layer && s.Policy == u.Policy && s.Statement == u.Statement && s.Missing == u.Missing && s.Element.Pos == u.Element.Pos
				})
			})
			if i < 0 {
				t.Fatalf("%s %s is no unknown", u.Layer, u.Missing)
			}
			matters := false
			for good := range 1 << len(all) {
				matters = matters || decided(good) != decided(good^1<<i)
			}
			if !matters {
				t.Fatalf("%s %s doesn't matter\n%s", u.Layer, u.Missing, describe(req, p))
			}
		}
	})
	if weighed == 0 {
		t.Error("no question was weighed")
	}
}

// TestResidualsHold serves U15: once it is known what was not, and all of a set has turned out good (or bad), the
// decision is what was said.
func TestResidualsHold(t *testing.T) {
	held := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		w, operands, keys := drawSplitWorld(t)
		req, p := w.build(t)
		for _, key := range keys {
			req.Context.SetState(key, rapid.SampledFrom([]KeyState{UnknownKey, PresentUnknown}).Draw(t, key))
		}
		unread := rapid.SampledFrom([]string{"", "", "scp", "boundary"}).Draw(t, "unread")
		vague := copyPolicies(p)
		switch unread {
		case "scp":
			vague.SCP = Hierarchy{State: NotCollected, Missing: "SCPs"}
		case "boundary":
			vague.Boundary = Layer{State: NotCollected, Missing: "boundary"}
		}
		x := Explain(req, &vague)
		for range 10 {
			full, whole := *req, copyPolicies(p)
			full.Context = req.Context.Clone()
			for _, key := range keys {
				full.Context.Put(drawCompleted(t, req.Context.Lookup(key), operands))
			}
			lets := rapid.Bool().Draw(t, "what wasn't read lets pass")
			read := doc{deny("No", "*", "*")}
			if lets {
				read = all
			}
			switch unread {
			case "scp":
				whole.SCP = hierarchyOf(t, "scp", []level{{"r-root", read}})
			case "boundary":
				whole.Boundary = layerOf(t, "boundary", "boundary", userU, read)
			}
			now := Explain(&full, &whole)
			if now.Decision == Indeterminate {
				continue // several values, a bad one: nobody knows
			}
			is := func(term Term) bool { // as the term has it
				if term.Statement == nil {
					return lets == term.Good
				}
				applies := false
				for _, l := range now.Trace {
					for _, s := range l.Statements {
						applies = applies || l.Layer == term.Layer && s.Statement == term.Statement && s.Match == Matched
					}
				}
				return applies == (term.Good == (term.Statement.Effect == policy.Allow))
			}
			for _, allows := range []bool{true, false} {
				sets := x.AllowedIf
				if !allows {
					sets = x.DeniedIf
				}
				for _, set := range sets {
					if slices.ContainsFunc(set, func(term Term) bool { return !is(term) }) {
						continue
					}
					held[allows]++
					if (now.Decision == Allowed) != allows {
						t.Fatalf("%v, in spite of %q\n%s", now.Decision, termsText([][]Term{set}), describe(&full, &whole))
					}
				}
			}
		}
	})
	if held[true] == 0 || held[false] == 0 {
		t.Errorf("sets that came true: %v", held)
	}
}

// TestConcurrentEvaluation: documents and requests are shared by goroutines, with actions that crowd each other out
// of what the documents remember. It is for go test -race.
func TestConcurrentEvaluation(t *testing.T) {
	w := getting(world{id: doc{allow("S3", "s3:Get*", "*"), allow("Net", "ec2:*", "*", when("IpAddress", "aws:SourceIp", "10.0.0.0/8")), deny("No", "s3:GetObjectAcl", "*")},
		scp: []level{{"r-root", all}, {"ou-1", doc{allow("Most", "*", "*"), deny("IAM", "iam:*", "*")}}}, rb: doc{refuse("TLS", "*", "s3:*", "*", when("Bool", "aws:SecureTransport", "false"))}})
	req, p := w.build(t)
	req.Context.SetState("aws:SourceIp", UnknownKey)
	req.Context.Set("aws:SecureTransport", "true")
	var actions []string
	for i := range 400 {
		actions = append(actions, fmt.Sprintf("s3:GetThing%d", i), fmt.Sprintf("EC2:Run%d", i), fmt.Sprintf("iam:Do%d", i))
	}
	actions = append(actions, "s3:GetObjectAcl")
	of := func(action string) *Request {
		r := *req
		r.Action = action
		return &r
	}
	want := make([]Decision, len(actions))
	for i, a := range actions {
		switch prefix, _, _ := strings.Cut(strings.ToLower(a), ":"); prefix {
		case "s3":
			want[i] = Allowed
		case "ec2":
			want[i] = Indeterminate
		default:
			want[i] = ExplicitDeny
		}
	}
	want[len(want)-1] = ExplicitDeny
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for n := range actions {
				i := (n*7 + g*151) % len(actions)
				if got := Evaluate(of(actions[i]), p); got != want[i] {
					t.Errorf("%s: %v, want %v", actions[i], got, want[i])
				}
				if n%50 == 0 {
					if got := Explain(of(actions[i]), p).Decision; got != want[i] {
						t.Errorf("%s: Explain says %v, want %v", actions[i], got, want[i])
					}
				}
			}
		})
	}
	group.Wait()
}
