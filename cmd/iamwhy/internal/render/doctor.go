package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/snapshot"
)

// A Diagnosis is what doctor has to say about a snapshot, and about the events it was given.
type Diagnosis struct {
	Snapshot    string // as the user named it; "" if there is none
	CollectedAt time.Time
	CollectedBy string
	Accounts    []string
	Now         time.Time
	Lacks       []Lack
	Problems    []snapshot.Problem // in files; those that a Lack tells aren't among them
	Logs        *Logs              // nil without events
}

// Logs are the events that doctor was given.
type Logs struct {
	Coverage *correlate.Coverage
	Unseen   []correlate.Unseen
	Skipped  int // records that couldn't be used
}

// A Lack is what a snapshot lacks, and the command that gets it; "" if there is none.
type Lack struct {
	snapshot.Lack
	Command string
}

// Whole reports whether nothing is missing.
func (d *Diagnosis) Whole() bool {
	return len(d.Lacks)+len(d.Problems) == 0 && (d.Logs == nil || len(d.Logs.Unseen) == 0)
}

// diagnosisFormats are the formats that can write a diagnosis.
var diagnosisFormats = []struct {
	name  string
	write func(io.Writer, Options, Diagnosis) error
}{
	{"text", func(w io.Writer, o Options, d Diagnosis) error {
		t := textDiagnosis{page{w: w, opts: o}}
		return t.diagnosis(d)
	}},
	{"json", func(w io.Writer, _ Options, d Diagnosis) error { return jsonDiagnose(w, d) }},
}

// NewDiagnosis returns what writes a diagnosis in the named format, or an error that lists the formats.
func NewDiagnosis(format string, w io.Writer, opts Options) (func(Diagnosis) error, error) {
	names := []string{}
	for _, f := range diagnosisFormats {
		if f.name == format {
			return func(d Diagnosis) error { return f.write(w, opts, d) }, nil
		}
		names = append(names, f.name)
	}
	return nil, fmt.Errorf("unknown output %q: have %s", format, strings.Join(names, ", "))
}

// A textDiagnosis writes a diagnosis for people: whether something is missing, and then what, the gravest first.
type textDiagnosis struct{ page }

func (t *textDiagnosis) diagnosis(d Diagnosis) error {
	verdict, look := "NOTHING IS MISSING", good
	if !d.Whole() {
		verdict, look = "INCOMPLETE", doubtful
	}
	parts := []span{{verdict, look}}
	if d.Snapshot != "" {
		parts = append(parts, span{d.about(), plain})
	}
	if d.Logs != nil {
		parts = append(parts, span{d.Logs.about(), plain})
	}
	t.head("", parts...)
	items := 0
	next := func() string {
		t.blank()
		items++
		return fmt.Sprintf("%-3d", items)
	}
	for _, l := range d.Lacks {
		t.lack(next(), l)
	}
	if len(d.Problems) > 0 {
		t.problems(next(), d.Problems)
	}
	if d.Logs == nil || len(d.Logs.Unseen) == 0 {
		return t.err
	}
	for _, u := range d.Logs.Unseen {
		t.unseen(next(), u)
	}
	t.blank()
	t.line(0, span{"What wasn't seen may be logged, and not have happened: aws cloudtrail get-event-selectors --trail-name NAME tells what a trail logs.", faint})
	return t.err
}

// about is what the snapshot is of.
func (d *Diagnosis) about() string {
	text := number(len(d.Accounts), "account")
	if d.CollectedAt.IsZero() {
		return text + ", and no word of when it was collected"
	}
	return text + ", collected " + since(d.CollectedAt, d.Now)
}

// about is what the events are of.
func (l *Logs) about() string {
	c := l.Coverage
	if c.Events == 0 {
		return "no event" + l.skipped()
	}
	text := fmt.Sprintf("%s of %s in %s", number(c.Events, "event"), number(len(c.Accounts()), "account"), number(len(c.Regions()), "region"))
	if when := between(c.First, c.Last); when != "" {
		text += ", " + when
	}
	return text + l.skipped()
}

// skipped says how many records couldn't be used, as the end of a sentence.
func (l *Logs) skipped() string {
	if l.Skipped == 0 {
		return ""
	}
	return "; " + number(l.Skipped, "record") + " skipped (-v names them all)"
}

// An unseenText says what a kind of event is, what can't be seen without it, and how to have it.
type unseenText struct{ what, denials, settle string }

var unseenTexts = map[correlate.UnseenKind]unseenText{
	correlate.UnseenWrites: {"management events of calls that write", "Denials of calls that change something", "Log write management events in the trail"},
	correlate.UnseenReads: {"read-only management events", "Denials of calls that describe, get or list",
		"Log read management events in the trail; an EventBridge rule gets them in state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS only"},
	correlate.UnseenData:     {"data events of ", "Denials on ", "Log data events of these services in the trail"},
	correlate.UnseenNetwork:  {"network activity events", "Calls that a VPC endpoint policy denied", "Log network activity events in the trail"},
	correlate.UnseenAccounts: {"events of accounts ", "Denials of these accounts' callers, which are logged there", "Read the trails of these accounts, too, or that of the organisation"},
	correlate.UnseenRegions:  {"events in ", "Denials there, where the snapshot has resources", "Read what the trail has of these regions; if it is of one region, make it one of all"},
}

// dataNouns are what data events of a service are about.
var dataNouns = map[string]string{
	"dynamodb": "DynamoDB items", "lambda": "Lambda invocations", "s3": "S3 objects", "sns": "SNS messages", "sqs": "SQS messages",
}

// denialsUnseen says which denials can't be seen without a kind of event.
func denialsUnseen(u correlate.Unseen) string {
	text := unseenTexts[u.Kind].denials
	if u.Kind != correlate.UnseenData {
		return text
	}
	var nouns []string
	for _, service := range u.Names {
		nouns = append(nouns, cmp.Or(dataNouns[service], service))
	}
	return text + strings.Join(nouns, ", ")
}

// unseen writes a kind of event that wasn't seen.
func (t *textDiagnosis) unseen(no string, u correlate.Unseen) {
	text := unseenTexts[u.Kind]
	t.head(no, span{"NOT SEEN", doubtful}, span{text.what + t.listed(u.Names, maxParts, ""), strong})
	t.line(body, span{"Can't be seen: " + lowerFirst(denialsUnseen(u)), plain})
	t.line(body, span{text.settle, plain})
}

// lowerFirst is text within a sentence.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// since is a time, and how long before now it was: 2026-11-20 08:00 UTC, 8 days ago.
func since(at, now time.Time) string {
	text := at.UTC().Format("2006-01-02 15:04") + " UTC"
	age := now.Sub(at)
	switch {
	case age < 0:
		return text + ", in the future"
	case age < time.Hour:
		return text + ", within the hour"
	case age < 48*time.Hour:
		return text + ", " + number(int(age.Hours()), "hour") + " ago"
	}
	return text + ", " + number(int(age.Hours()/24), "day") + " ago"
}

// lackWords say why something is lacking.
var lackWords = map[snapshot.LackStatus]string{
	snapshot.LackDenied:  "DENIED",
	snapshot.LackError:   "FAILED",
	snapshot.LackBroken:  "UNUSABLE",
	snapshot.LackMissing: "NOT COLLECTED",
	snapshot.LackSkipped: "SKIPPED",
	snapshot.LackPartial: "SOME REGIONS ONLY",
	snapshot.LackOld:     "OLD",
}

// lackStyles are how they look: what AWS or a disk refused is worse than what nobody asked for.
var lackStyles = map[snapshot.LackStatus]style{
	snapshot.LackDenied: bad, snapshot.LackError: bad, snapshot.LackBroken: bad,
	snapshot.LackMissing: doubtful, snapshot.LackSkipped: doubtful, snapshot.LackPartial: doubtful, snapshot.LackOld: doubtful,
}

// The most that text lists without -v.
const (
	maxParts     = 8
	maxAccounts  = 4
	maxResources = 3
	maxNeeds     = 4
)

func (t *textDiagnosis) lack(no string, l Lack) {
	parts := []span{{lackWords[l.Status], lackStyles[l.Status]}, {t.listed(partNames(l.Parts), maxParts, "everything"), strong}}
	switch n := len(l.Accounts); {
	case n > 1:
		parts = append(parts, span{"accounts " + t.listed(l.Accounts, maxAccounts, ""), plain})
	case n == 1:
		parts = append(parts, span{"account " + l.Accounts[0], plain})
	}
	t.head(no, parts...)
	t.line(body, span{weakens(l.Lack), plain})
	switch {
	case l.Status == snapshot.LackPartial:
		t.line(body, span{"Asked in " + strings.Join(l.Regions, ", ") + " only", plain})
	case len(l.Regions) > 0:
		t.line(body, span{"Missing in " + strings.Join(l.Regions, ", "), plain})
	}
	t.needs(l.Lack)
	if l.Reason != "" {
		t.line(body, span{reasonHead(l.Status) + l.Reason, faint})
	}
	if l.Command != "" {
		head := "Run: "
		if l.Status == snapshot.LackDenied {
			head = "Then run: "
		}
		t.line(body, span{head, good}, span{l.Command, plain})
	}
}

// partNames are the parts without those that another one stands for: organization/scp beside organization.
func partNames(parts []string) []string {
	return slices.DeleteFunc(slices.Clone(parts), func(p string) bool {
		above, _, below := strings.Cut(p, "/")
		return below && slices.Contains(parts, above)
	})
}

// reasonHead says whose words a reason is in.
func reasonHead(s snapshot.LackStatus) string {
	if s == snapshot.LackDenied {
		return "AWS said: "
	}
	return "Why: "
}

// needHeads say what is to be done about the actions that were tried.
var needHeads = map[snapshot.LackStatus]string{snapshot.LackDenied: "Grant ", snapshot.LackError: "Failed at "}

// needs writes which permissions were lacking, or which calls went wrong.
func (t *textDiagnosis) needs(l snapshot.Lack) {
	head, ok := needHeads[l.Status]
	if !ok {
		return
	}
	shown := l.Needs
	if !t.opts.Verbose && len(shown) > maxNeeds {
		shown = shown[:maxNeeds-1]
	}
	for _, n := range shown {
		text := head + n.Action
		if len(n.Resources) > 0 {
			text += " on " + t.listed(n.Resources, maxResources, "")
		}
		t.line(body, span{text, plain})
	}
	if more := len(l.Needs) - len(shown); more > 0 {
		t.line(body, span{fmt.Sprintf("and %d more actions (-v names them all)", more), plain})
	}
	if len(l.Accounts) == 0 && l.Status == snapshot.LackDenied { // a part of the organisation
		t.line(body, span{"to a caller in the management account, or in one that is delegated administrator", plain})
	}
}

// listed names a few of a list, or all with -v; none is what stands for all.
func (t *textDiagnosis) listed(list []string, most int, none string) string {
	if len(list) == 0 {
		return none
	}
	if t.opts.Verbose || len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most-1], ", "), len(list)-most+1)
}

func (t *textDiagnosis) problems(no string, list []snapshot.Problem) {
	t.head(no, span{"UNUSABLE", bad}, span{number(len(list), "problem") + " in files", strong})
	t.line(body, span{"Answers that depend on them are undecided", plain})
	for i, p := range list {
		if i == maxNeeds && !t.opts.Verbose {
			t.line(body, span{fmt.Sprintf("and %d more (-v names them all)", len(list)-i), plain})
			return
		}
		t.line(body, span{p.String(), plain})
	}
}

// callWords are the calls that parts decide. A part that isn't here has resource policies of its service.
var callWords = map[string]string{
	"endpoints":        "calls through their VPC endpoints",
	"iam":              "what their users and roles do, and who may assume the roles",
	"organization":     "calls by and in all member accounts",
	"organization/rcp": "calls on resources of all member accounts",
	"organization/scp": "calls by all member accounts",
	"ram":              "calls from other accounts on what is shared with them",
}

const nameOnly = "identitycenter"

// weakens says which answers a lack weakens.
func weakens(l snapshot.Lack) string {
	switch {
	case l.Status == snapshot.LackOld:
		return "Collected " + l.Since.UTC().Format("2006-01-02 15:04") + " UTC. What changed since isn't known: an answer may be that of then"
	case len(l.Parts) == 0:
		return "Undecided: what they and their resources take part in"
	case slices.Equal(l.Parts, []string{nameOnly}):
		return "No answer, but permission sets are named by their roles' names alone"
	}
	var calls []string
	services := 0
	for _, part := range partNames(l.Parts) {
		switch call, ok := callWords[part]; {
		case ok:
			calls = append(calls, call)
		case part != nameOnly:
			services++
		}
	}
	if services > 0 {
		calls = append(calls, "calls on resources of "+cmp.Or(servicesWord(l, services), "these services"))
	}
	where := ""
	if l.Status == snapshot.LackPartial {
		where = " in other regions"
	}
	return "Undecided" + where + ", unless something else denies: " + strings.Join(calls, "; ")
}

// servicesWord is the service, where it is one.
func servicesWord(l snapshot.Lack, services int) string {
	if services != 1 {
		return ""
	}
	i := slices.IndexFunc(l.Parts, func(p string) bool { return callWords[p] == "" && p != nameOnly })
	return l.Parts[i]
}

// The JSON form is a contract: fields are added, never renamed. A list is never null.
type (
	jsonDiagnosis struct {
		Complete    bool          `json:"complete"`
		Snapshot    string        `json:"snapshot"`
		CollectedAt string        `json:"collectedAt"`
		CollectedBy string        `json:"collectedBy"`
		Accounts    []string      `json:"accounts"`
		Lacks       []jsonLack    `json:"lacks"`
		Problems    []jsonProblem `json:"problems"`
		Logs        *jsonLogs     `json:"logs,omitempty"` // only if events were given
	}
	jsonLogs struct {
		Events   int          `json:"events"`
		First    string       `json:"first"`
		Last     string       `json:"last"`
		Accounts []string     `json:"accounts"` // whose trails they are from
		Regions  []string     `json:"regions"`
		Kinds    jsonKinds    `json:"kinds"`
		Unseen   []jsonUnseen `json:"unseen"`
		Skipped  int          `json:"skipped"` // records that couldn't be used
	}
	jsonKinds struct {
		ManagementRead  int            `json:"managementRead"`
		ManagementWrite int            `json:"managementWrite"`
		Data            map[string]int `json:"data"` // by service
		NetworkActivity int            `json:"networkActivity"`
		Other           int            `json:"other"` // whose kind isn't recorded
	}
	jsonUnseen struct {
		Kind    string   `json:"kind"`    // managementRead, managementWrite, data, networkActivity, account, region
		Names   []string `json:"names"`   // services, accounts or regions
		Denials string   `json:"denials"` // that can't be seen
		Settle  string   `json:"settle"`
	}
	jsonLack struct {
		Status   string     `json:"status"` // denied, error, broken, missing, skipped, partial, old
		Accounts []string   `json:"accounts"`
		Parts    []string   `json:"parts"` // none is all
		Layers   []string   `json:"layers"`
		Regions  []string   `json:"regions"`
		Weakens  string     `json:"weakens"`
		Reason   string     `json:"reason"`
		Since    string     `json:"since,omitempty"`
		Needs    []jsonNeed `json:"needs"`
		Command  string     `json:"command"`
	}
	jsonNeed struct {
		Action    string   `json:"action"`
		Resources []string `json:"resources"`
	}
	jsonProblem struct {
		File    string `json:"file"` // with :line:column where there is one
		Message string `json:"message"`
	}
)

func jsonDiagnose(w io.Writer, d Diagnosis) error {
	out := jsonDiagnosis{
		Complete: d.Whole(), Snapshot: d.Snapshot, CollectedAt: timeText(d.CollectedAt), CollectedBy: d.CollectedBy,
		Accounts: list(d.Accounts), Lacks: []jsonLack{}, Problems: []jsonProblem{},
	}
	for _, l := range d.Lacks {
		item := jsonLack{
			Status: string(l.Status), Accounts: list(l.Accounts), Parts: list(l.Parts), Layers: layerNames(l.Layers), Regions: list(l.Regions),
			Weakens: weakens(l.Lack), Reason: l.Reason, Since: timeText(l.Since), Needs: []jsonNeed{}, Command: l.Command,
		}
		for _, n := range l.Needs {
			item.Needs = append(item.Needs, jsonNeed{n.Action, list(n.Resources)})
		}
		out.Lacks = append(out.Lacks, item)
	}
	for _, p := range d.Problems {
		out.Problems = append(out.Problems, jsonProblem{p.File, p.Msg})
	}
	if d.Logs != nil {
		out.Logs = logsOf(d.Logs)
	}
	text, err := marshal(out, "")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text+"\n")
	return err
}

func logsOf(l *Logs) *jsonLogs {
	c := l.Coverage
	out := &jsonLogs{
		Events: c.Events, First: timeText(c.First), Last: timeText(c.Last), Accounts: list(c.Accounts()), Regions: list(c.Regions()),
		Kinds:  jsonKinds{c.Reads, c.Writes, c.Data, c.Network, c.Other},
		Unseen: []jsonUnseen{}, Skipped: l.Skipped,
	}
	if out.Kinds.Data == nil {
		out.Kinds.Data = map[string]int{}
	}
	for _, u := range l.Unseen {
		text := unseenTexts[u.Kind]
		out.Unseen = append(out.Unseen, jsonUnseen{string(u.Kind), list(u.Names), denialsUnseen(u), text.settle})
	}
	return out
}

func layerNames(layers []evaluator.LayerName) []string {
	names := make([]string, 0, len(layers))
	for _, l := range layers {
		names = append(names, string(l))
	}
	return names
}
