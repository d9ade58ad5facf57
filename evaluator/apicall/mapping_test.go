package apicall

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// An apiModel is one of AWS's API models of April 2025.
type apiModel struct {
	SDKID                 string `json:"sdkId"`
	SigV4                 string
	EndpointPrefix        string
	CloudTrailEventSource string
	Model                 string
	Operations            map[string]json.RawMessage
}

// names are those by which the model knows the service. Its event source is often a placeholder, or what a
// generator made of the service's id.
func (s apiModel) names() []string {
	dir, _, _ := strings.Cut(s.Model, "/")
	all := []string{s.SDKID, s.SigV4, s.EndpointPrefix, dir}
	if source, ok := strings.CutSuffix(s.CloudTrailEventSource, ".amazonaws.com"); ok {
		all = append(all, source)
	}
	return slices.DeleteFunc(all, func(n string) bool { return n == "" })
}

func apiIndex(t *testing.T) []apiModel {
	t.Helper()
	var all []apiModel
	lines := sharedLines(t, "data/reference/api-index.jsonl")
	for lines.Scan() {
		var s apiModel
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all) < 400 {
		t.Fatalf("%d services: is this the index?", len(all))
	}
	return all
}

// A method is an operation of the map of January 2023 and its actions. The map is wrong in places (T78), so it
// decides nothing.
type method struct {
	service, operation string
	actions            []string
}

func methods(t *testing.T) []method {
	t.Helper()
	var published struct {
		Methods map[string][]struct{ Action string } `json:"sdk_method_iam_mappings"`
	}
	if err := json.NewDecoder(sharedFile(t, "data/reference/sdk-iam-map.json")).Decode(&published); err != nil {
		t.Fatal(err)
	}
	var all []method
	for name, needs := range published.Methods {
		m := method{}
		m.service, m.operation, _ = strings.Cut(name, ".")
		for _, n := range needs {
			if !slices.Contains(m.actions, n.Action) {
				m.actions = append(m.actions, n.Action)
			}
		}
		all = append(all, m)
	}
	if len(all) < 10_000 {
		t.Fatalf("%d operations: is this the map?", len(all))
	}
	slices.SortFunc(all, func(a, b method) int {
		return strings.Compare(a.service+" "+a.operation, b.service+" "+b.operation)
	})
	return all
}

// inReference reports whether the service reference has the action, spelled so.
func inReference(action string) bool {
	prefix, name, _ := strings.Cut(action, ":")
	found, ok := namedAction(prefix, name)
	return ok && found == action
}

// ownActions are what a call without parameters is authorised as, first what it surely is.
func ownActions(service, operation string) (required, optional []string, sources []Source) {
	d := derive(Call{Service: service, Operation: operation, Region: "eu-west-1", Account: "222222222222"})
	for _, r := range d.own() {
		to := &required
		if !r.Required {
			to = &optional
		}
		if !slices.Contains(*to, r.Action) {
			*to = append(*to, r.Action)
			sources = append(sources, r.ActionSource)
		}
	}
	return required, optional, sources
}

// asksNothing reports whether the tables say that an operation needs no permission.
func asksNothing(service, operation string) bool {
	c := Call{Service: service, Operation: operation}
	prefix := prefixOf(c)
	found, ok := irregularityOf(prefix, cleanOperation(prefix, operation))
	return ok && len(found.checks) == 0
}

// TestIndex: of the operations that the service reference or the map know, at least 99.5 in 100 get actions that
// exist. Those that don't are guesses, and say so.
func TestIndex(t *testing.T) {
	services := apiIndex(t)
	mapped := make(map[string]bool)
	for _, m := range methods(t) {
		mapped[strings.ToLower(prefixOf(Call{Service: m.service, Operation: m.operation})+":"+m.operation)] = true
	}
	total, good, missed := 0, 0, map[string][]string{}
	for _, s := range services {
		for operation := range s.Operations {
			prefix := prefixOf(Call{Service: s.SDKID, Operation: operation})
			if _, ok := namedAction(prefix, operation); !ok && !mapped[strings.ToLower(prefix+":"+operation)] {
				continue
			}
			total++
			required, optional, sources := ownActions(s.SDKID, operation)
			all := slices.Concat(required, optional)
			if unknown := slices.IndexFunc(all, func(a string) bool { return !inReference(a) }); unknown >= 0 {
				missed[s.SDKID] = append(missed[s.SDKID], operation)
				if sources[unknown] != FromGuess {
					t.Errorf("%s %s: %s isn't in the service reference but its source is %q", s.SDKID, operation, all[unknown], sources[unknown])
				}
				continue
			}
			if len(all) == 0 && !asksNothing(s.SDKID, operation) {
				t.Errorf("%s %s has no action, and no table says that it needs none", s.SDKID, operation)
				continue
			}
			good++
		}
	}
	for service, operations := range missed {
		slices.Sort(operations)
		t.Logf("%s: %d guesses: %s", service, len(operations), strings.Join(operations, " "))
	}
	t.Logf("%d of %d operations get actions that exist: %.2f %%", good, total, 100*float64(good)/float64(total))
	if total < 15_000 || good*1000 < total*995 {
		t.Errorf("%d of %d operations get actions that exist, want 99.5 %% of 15,000 or more", good, total)
	}
}

// TestDenials: of real denied calls, the action that AWS's message named is the one derived without it.
func TestDenials(t *testing.T) {
	lines := sharedLines(t, "data/cloudtrail/actions.jsonl")
	total := 0
	for lines.Scan() {
		var denial struct {
			Quality string
			Event   struct {
				EventSource, EventName, AWSRegion string
				RequestParameters                 map[string]any
			}
			Truth struct{ Action string }
		}
		if err := json.Unmarshal(lines.Bytes(), &denial); err != nil {
			t.Fatal(err)
		}
		if denial.Quality != "real" { // edited: by hand, for another program's tests
			continue
		}
		total++
		e := denial.Event
		d := derive(Call{Service: e.EventSource, Operation: e.EventName, Region: e.AWSRegion, Parameters: e.RequestParameters})
		if got := d.own(); len(got) == 0 || got[0].Action != denial.Truth.Action {
			t.Errorf("%s %s: %v, AWS named %s", e.EventSource, e.EventName, got, denial.Truth.Action)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if total == 0 {
		t.Error("no real denial: are these the denials?")
	}
	t.Logf("%d real denials", total)
}

// The reasons for which the map may name other actions, as far as they can be told.
const (
	sameActions     = "the same"
	noPermission    = "needs no permission"
	otherCase       = "the map spells the action in another case"
	dependents      = "the map lists dependent permissions, which are requests of their own"
	notInReference  = "the map's action isn't in the service reference"
	byParameters    = "which of the map's actions is needed, the parameters tell"
	noted           = "a line of testdata/map-differences.txt"
	withoutAnyCause = ""
)

// reasonOf tells why what an operation requires isn't what the map says.
func reasonOf(m method, required, optional []string) string {
	if slices.Equal(sortedCopy(required), sortedCopy(m.actions)) {
		return sameActions
	}
	if len(required)+len(optional) == 0 && asksNothing(m.service, m.operation) {
		return noPermission
	}
	ours, theirs := folded(required), folded(m.actions)
	if slices.Equal(ours, theirs) {
		return otherCase
	}
	if len(required) == 0 && slices.Equal(folded(optional), theirs) {
		return byParameters
	}
	if rest := without(theirs, ours); len(required) > 0 && len(rest)+len(ours) == len(theirs) && !slices.ContainsFunc(rest, func(a string) bool { return !dependsOn(required, a) }) {
		return dependents
	}
	if slices.ContainsFunc(m.actions, func(a string) bool {
		prefix, name, _ := strings.Cut(a, ":")
		_, ok := namedAction(prefix, name)
		return !ok
	}) {
		return notInReference
	}
	return withoutAnyCause
}

func sortedCopy(s []string) []string { return slices.Sorted(slices.Values(s)) }

func folded(actions []string) []string {
	var all []string
	for _, a := range actions {
		all = append(all, strings.ToLower(a))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return slices.Contains(some, a) })
}

// dependsOn reports whether an action is a dependent permission beside those required: another service's, one for the
// tags of what is made, or one that the service reference lists as such.
func dependsOn(required []string, action string) bool {
	prefix, name, _ := strings.Cut(action, ":")
	if own, _, _ := strings.Cut(required[0], ":"); own != prefix {
		return true
	}
	s, ok := serviceref.Lookup(prefix)
	if !ok {
		return false
	}
	if a, ok := s.Action(name); ok && a.AccessLevel == serviceref.Tagging {
		return true
	}
	for _, r := range required {
		_, name, _ := strings.Cut(r, ":")
		a, ok := s.Action(name)
		if !ok {
			continue
		}
		listed := slices.Clone(a.Dependent)
		for _, r := range a.Resources {
			listed = append(listed, r.Dependent...)
		}
		if slices.ContainsFunc(listed, func(d string) bool { return strings.EqualFold(d, action) }) {
			return true
		}
	}
	return false
}

//go:embed testdata/map-differences.txt
var differencesText string

// differences are the lines of the table kept by hand: "Service.Operation our:Action …: the reason".
func differences(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for line := range strings.Lines(differencesText) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		left, reason, ok := strings.Cut(line, " | ")
		name, ours, _ := strings.Cut(left, " ")
		if !ok || reason == "" {
			t.Fatalf("line without a reason: %s", line)
		}
		if _, twice := all[name]; twice {
			t.Fatalf("%s is in the table twice", name)
		}
		all[name] = strings.TrimSpace(ours)
	}
	return all
}

// TestAgainstMap: wherever the map names other actions there is a reason.
func TestAgainstMap(t *testing.T) {
	counts := make(map[string]int)
	table := differences(t)
	for _, m := range methods(t) {
		required, optional, _ := ownActions(m.service, m.operation)
		reason, name := reasonOf(m, required, optional), m.service+"."+m.operation
		ours, ok := table[name]
		delete(table, name)
		switch {
		case reason != withoutAnyCause && ok:
			t.Errorf("%s has a line, but the reason can be told: %s", name, reason)
		case reason == withoutAnyCause && !ok:
			t.Errorf("%s: no reason why it is %v (perhaps %v), not the map's %v", name, required, optional, m.actions)
		case ok:
			reason = noted
			if diff := cmp.Diff(ours, strings.Join(required, " ")); diff != "" {
				t.Errorf("%s: the line's actions are stale (-line +required)\n%s", name, diff)
			}
		}
		counts[reason]++
	}
	for name := range table {
		t.Errorf("%s has a line, but the map doesn't have it", name)
	}
	for reason, n := range counts {
		t.Logf("%5d %s", n, reason)
	}
}
