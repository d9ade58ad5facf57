package correlate

import (
	"encoding/json"
	"regexp"
	"strings"
)

// A Claim is what an access-denied message claims of the decision.
type Claim string

// The claims. A message of before 2021, or of a service that hasn't migrated, claims
// nothing: that is not an implicit deny (rule T54).
const (
	ClaimUnknown      Claim = "unknown"
	ClaimExplicitDeny Claim = "explicitDeny"
	ClaimImplicitDeny Claim = "implicitDeny"
)

// LayerUnknown is the Layer of a message that names none.
const LayerUnknown = "unknown"

// A Message is what an access-denied message says; a field that it doesn't give is "".
type Message struct {
	Text       string // as received
	Pattern    string // the row of the pattern table that it matched (M1 … M34), or the rule (T42)
	Principal  string
	Action     string // service prefix in lower case
	Resource   string
	Claim      Claim
	Layer      string // a layer's name, service, or unknown
	PolicyType string // trust, where the text says role trust policy
	ViaLayer   string // endpoint, in "VPC endpoint policy transitively through a service control policy"
	PolicyARN  string
	// ReasonAction is the action in the reason where it differs from Action.
	ReasonAction string
	// Encoded is EC2's encoded authorization message; EncodedCut says that it isn't whole.
	Encoded    string
	EncodedCut bool
	Operation  string // from an SDK's wrapping: "when calling the PutObject operation"
	Code       string // likewise: AccessDenied
	// PathUnknown says that Resource was composed from a bare IAM name, whose path isn't known (rule T64).
	PathUnknown bool
	// NotDenial says that the text isn't about authorisation at all (M30).
	NotDenial bool
}

// maxMessage is how much of a message is read. CloudTrail cuts messages at
// 1 KB; what a terminal shows is longer, but never this long.
const maxMessage = 64 << 10

// ec2Lead is the sentence that EC2 puts before every denial.
const ec2Lead = "You are not authorized to perform this operation."

// encodedLead stands before EC2's encoded message, in EC2's own texts and in
// those of the services that embed them (rule T73).
const encodedLead = "Encoded authorization failure message:"

// cutMark ends what CloudTrail has cut (rule T69).
const cutMark = "..."

// ParseMessage reads an access-denied message. service, an eventSource or an IAM
// prefix, settles what the text leaves open; it may be "".
//
// It follows AWS's page on troubleshooting access-denied messages,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html,
// and what services that don't keep to it were seen to write. Only the first
// 64 KB of text count.
func ParseMessage(text, service string) Message {
	m := Message{Text: text, Claim: ClaimUnknown, Layer: LayerUnknown}
	capped := text
	if len(capped) > maxMessage {
		capped = capped[:maxMessage] + cutMark
	}
	body := m.unwrap(strings.TrimSpace(capped))
	rest := m.takeEncoded(body)
	rest, lead := cutLead(rest)
	encoded := strings.Contains(body, encodedLead)
	switch {
	case m.readCore(rest):
		if encoded {
			m.Pattern = "M14"
		}
	case encoded:
		m.Pattern = "M15"
	case lead && rest == "":
		m.Pattern = "M16"
	default:
		m.readText(rest, service)
	}
	return m
}

// oneLine brings the text to one line (rule T49). Wrapped lines come from consoles
// and documents; AWS itself writes none.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var jsonMessage = regexp.MustCompile(`^\{\s*"[Mm]essage"\s*:\s*"`)

// unescape takes the message out of a JSON error body, which may be inside another
// one (rule T49). A body that was cut, or has more text behind it, isn't valid JSON
// any more and is unescaped as far as it goes.
func unescape(s string) string {
	at := jsonMessage.FindStringIndex(s)
	if at == nil {
		return s
	}
	var body struct{ Message string }
	if err := json.Unmarshal([]byte(s), &body); err == nil {
		return strings.TrimSpace(body.Message)
	}
	s = s[at[1]:]
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return unescaper.Replace(s[:i])
		}
	}
	return unescaper.Replace(s)
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, `/`, `\n`, " ", `\r`, " ", `\t`, " ")

// maxWrappers bounds how many wrappings of one message are taken off. Real ones
// come three or four deep.
const maxWrappers = 16

// unwrap takes off what SDKs, CLIs and CloudFormation put around AWS's sentence
// (rule T49), and keeps the code and the operation that they tell.
func (m *Message) unwrap(s string) string {
	quoted := false
	for range maxWrappers {
		before := len(s)
		s = oneLine(unescape(s))
		for _, w := range prefixes {
			if at := w.find(s); at != nil {
				m.noteWrapper(group(w.re, s, at, "code"), group(w.re, s, at, "op"))
				s = strings.TrimSpace(s[at[1]:])
				quoted = quoted || w.quotes
			}
		}
		for _, w := range tails {
			if at := w.find(s); at != nil {
				m.noteWrapper(group(w.re, s, at, "code"), "")
				s = strings.TrimSpace(s[:at[0]])
			}
		}
		if quoted && strings.HasSuffix(s, `"`) {
			s, quoted = strings.TrimSpace(s[:len(s)-1]), false
		}
		if len(s) == before {
			break
		}
	}
	return s
}

func (m *Message) noteWrapper(code, op string) {
	if m.Code == "" && code != "Error" {
		m.Code = code
	}
	if m.Operation == "" {
		m.Operation = op
	}
}

// group returns the named group of a match, or "".
func group(re *regexp.Regexp, s string, at []int, name string) string {
	i := re.SubexpIndex(name)
	if i < 0 || at[2*i] < 0 {
		return ""
	}
	return s[at[2*i]:at[2*i+1]]
}

var blob = regexp.MustCompile(`^[A-Za-z0-9_-]*`)

// takeEncoded takes EC2's encoded message off the end of s (rules T68 and T69).
// A blob in front of "..." was cut, and STS can't decode it.
func (m *Message) takeEncoded(s string) string {
	head, tail, ok := strings.Cut(s, encodedLead)
	if !ok {
		return s
	}
	tail = strings.TrimSpace(tail)
	m.Encoded = blob.FindString(tail)
	after := tail[len(m.Encoded):]
	m.EncodedCut = strings.HasPrefix(after, cutMark) || strings.HasPrefix(after, "…")
	return strings.TrimSpace(head)
}

// cutLead takes off EC2's lead and whatever stands before it.
func cutLead(s string) (string, bool) {
	i := strings.LastIndex(s, ec2Lead)
	if i < 0 {
		return s, false
	}
	return strings.TrimSpace(s[i+len(ec2Lead):]), true
}

var (
	coreAction = regexp.MustCompile(`^([A-Za-z0-9-]+):([A-Za-z0-9_*]+)`)
	onResource = regexp.MustCompile(`(?i)^on (?:(?:this|the specified) resource\b|resources?: ?)`)
)

// verb finds the heart of AWS's sentence: "is not authorized to perform". Without a
// subject it needs its colon, since "Not authorized to perform X" is another text (M22, M27).
func verb(s string) (start, end int, ok bool) {
	const words = "ot authorized to perform"
	for from := 0; ; {
		i := strings.Index(s[from:], words)
		if i < 0 {
			return 0, 0, false
		}
		start, end = from+i-1, from+i+len(words)
		from = end
		if start < 0 || s[start]|0x20 != 'n' || start > 0 && isLetter(s[start-1]) {
			continue
		}
		colon := end < len(s) && s[end] == ':'
		if colon {
			end++
		}
		before := strings.ToLower(s[max(0, start-len(" are ")):start])
		switch {
		case before == "is " || strings.HasSuffix(before, " is "):
			return start - len("is "), end, true
		case colon && (before == "are " || before == " are "):
			return start - len("are "), end, true
		case colon:
			return start, end, true
		}
	}
}

// readCore reads AWS's sentence (grammar 4.2): who may not do what on which resource,
// and why. It reports whether s is such a sentence.
func (m *Message) readCore(s string) bool {
	start, end, ok := verb(s)
	if !ok {
		return false
	}
	rest := strings.TrimSpace(s[end:])
	action := coreAction.FindStringSubmatch(rest)
	if action == nil {
		return false
	}
	rest = strings.TrimSpace(rest[len(action[0]):])
	m.Principal = subject(s[:start])
	if rest != cutMark { // an action that was cut is none
		m.Action = strings.ToLower(action[1]) + ":" + action[2]
	}
	m.Pattern = "M11"
	if at := onResource.FindString(rest); at != "" {
		rest = strings.TrimSpace(rest[len(at):])
		if strings.Contains(at, ":") {
			m.Pattern = "M10"
			rest = m.readResource(rest)
		}
	}
	m.readReason(rest)
	return true
}

// subject returns the principal that stands before the verb (rule T67). The
// word User or its colon may have been lost on the way.
func subject(s string) string {
	s = strings.TrimSpace(s)
	for _, word := range []string{"User:", "User "} {
		if i := strings.LastIndex(s, word); i >= 0 {
			return strings.Trim(s[i+len(word):], ` "`)
		}
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	last := strings.Trim(words[len(words)-1], `"`)
	if strings.HasPrefix(last, "arn:") || len(words) == 1 && last != "You" && last != "User" {
		return last
	}
	return ""
}

// reasonStart is where a reason can begin, after a resource.
var reasonStart = regexp.MustCompile(`(?i)[ "](?:with an explicit deny|because )`)

// readResource reads what follows "on resource:" and returns the rest. A quoted resource
// ends at the last quote that has a reason behind it: object keys may hold quotes,
// and even a reason's words. Any other ends at a blank (rule T50), unless an ARN is parted
// from its reason by more text, which then belongs to a name with blanks.
func (m *Message) readResource(s string) string {
	if strings.HasPrefix(s, `"`) {
		return m.readQuoted(s[1:])
	}
	if k, name, rest := cutKind(s); k != nil {
		m.setKind(*k, name)
		return rest
	}
	res, rest, _ := strings.Cut(s, " ")
	if starts := reasonStart.FindAllStringIndex(" "+rest, -1); starts != nil && strings.HasPrefix(res, "arn:") {
		at := starts[len(starts)-1][0]
		if between := strings.TrimSpace((" " + rest)[:at]); between != "" && !strings.HasSuffix(res, ".") {
			res, rest = res+" "+between, (" " + rest)[at:]
		}
	}
	m.setResource(trimToken(res))
	return strings.TrimSpace(rest)
}

func (m *Message) readQuoted(s string) string {
	end := -1
	for _, at := range reasonStart.FindAllStringIndex(s, -1) {
		if q := len(strings.TrimRight(s[:at[0]+1], " ")) - 1; q >= 0 && s[q] == '"' {
			end = q
		}
	}
	if end < 0 {
		end = strings.LastIndexByte(s, '"')
	}
	if end < 0 { // the closing quote is lost, or was cut off with the rest
		m.setResource(s)
		return ""
	}
	m.setResource(s[:end])
	return strings.TrimSpace(s[end+1:])
}

// setResource keeps a resource, unless it was cut.
func (m *Message) setResource(s string) {
	if !strings.HasSuffix(s, cutMark) && !strings.HasSuffix(s, "…") {
		m.Resource = s
	}
}

// trimToken takes off one character that belongs to the sentence around a token (rule T50).
func trimToken(s string) string {
	if strings.HasSuffix(s, cutMark) {
		return s
	}
	if n := len(s); n > 1 && strings.IndexByte(`.,")`, s[n-1]) >= 0 {
		return s[:n-1]
	}
	return s
}

// cutKind takes a resource such as "role NAME" off s; k is nil if s isn't one.
func cutKind(s string) (k *resourceKind, name, rest string) {
	for i, kind := range resourceKinds {
		after, ok := cutPrefixFold(s, kind.words+" ")
		if !ok {
			continue
		}
		name, rest, _ := strings.Cut(after, " ")
		if strings.HasPrefix(name, "arn:") {
			return nil, "", ""
		}
		return &resourceKinds[i], trimToken(name), strings.TrimSpace(rest)
	}
	return nil, "", ""
}

// setKind makes an ARN of "role NAME": partition and account are the principal's,
// the path isn't known (rule T64). Where there is no ARN to be made, the words stay as they are.
func (m *Message) setKind(k resourceKind, name string) {
	m.Pattern = "M12"
	if k.arnType == "" {
		m.Pattern = "M13"
	}
	if strings.HasSuffix(name, cutMark) {
		return
	}
	m.Resource = k.words + " " + name
	if p, ok := splitARN(m.Principal); ok && p.account != "" {
		if arn := k.arn(p.partition, p.account, name); arn != "" {
			m.Resource, m.PathUnknown = arn, k.hasPath
		}
	}
}

// readReason reads why AWS said no (rules T52 to T55). No reason, or one that was cut, claims
// nothing (rule T54).
func (m *Message) readReason(s string) {
	if rest, ok := cutPrefixFold(s, "with an explicit deny"); ok {
		m.readExplicit(rest)
		return
	}
	if rest, ok := cutPrefixFold(s, "because no "); ok {
		m.readImplicit(rest)
		return
	}
	for _, r := range reasons {
		if r.re.MatchString(s) {
			m.Pattern, m.Layer = r.pattern, r.layer
			return
		}
	}
}

var explicitIn = regexp.MustCompile(`(?i)^ ?in (?:an|a|the) `)
var transitively = regexp.MustCompile(`(?i)^ ?transitively through (?:an|a|the) `)
var policyARN = regexp.MustCompile(`(?i)^(?:, with policy ARN:|:)? ?"?(arn:\S+)`)

// readExplicit reads what follows "with an explicit deny" (M1 to M4, M6).
func (m *Message) readExplicit(s string) {
	m.Claim = ClaimExplicitDeny
	if m.Pattern == "M10" || m.Pattern == "M11" {
		m.Pattern = "M6"
	}
	hasResource := m.Resource != ""
	t, s, ok := cutPolicyType(s[len(explicitIn.FindString(s)):])
	if !ok {
		return
	}
	m.Pattern, m.Layer, m.PolicyType = "M4", t.layer, t.policyType
	if at := transitively.FindString(s); at != "" {
		if through, rest, ok := cutPolicyType(s[len(at):]); ok { // rule T53
			m.Pattern, m.ViaLayer, m.Layer, m.PolicyType = "M3", t.layer, through.layer, through.policyType
			s = rest
		}
	}
	arn := policyARN.FindStringSubmatch(s)
	if arn == nil || strings.HasSuffix(arn[1], cutMark) { // half an ARN names nothing
		return
	}
	m.PolicyARN = trimToken(arn[1])
	if m.Pattern == "M4" {
		m.Pattern = "M2"
		if hasResource {
			m.Pattern = "M1"
		}
	}
}

var allowsAction = regexp.MustCompile(`(?i)^ allows? the (\S+) action\b`)

// readImplicit reads what follows "because no " (M5). The reason must be whole.
func (m *Message) readImplicit(s string) {
	t, rest, ok := cutPolicyType(s)
	if !ok {
		if i := strings.Index(strings.ToLower(s), " allows the "); i >= 0 {
			t, rest = policyTypeName{layer: LayerUnknown}, s[i:]
		}
	}
	allows := allowsAction.FindStringSubmatch(rest)
	if allows == nil {
		return
	}
	m.Pattern, m.Claim, m.Layer, m.PolicyType = "M5", ClaimImplicitDeny, t.layer, t.policyType
	if a := lowerService(allows[1]); !strings.EqualFold(a, m.Action) {
		m.ReasonAction = a // rule T55: AWS misspells some
	}
}

// cutPolicyType takes a policy type's name off s, with the word policy if it follows (rule T52).
func cutPolicyType(s string) (t policyTypeName, rest string, ok bool) {
	for _, t := range policyTypes {
		rest, ok := cutPrefixFold(s, t.words)
		if !ok || rest != "" && (isLetter(rest[0]) || rest[0] == '-') {
			continue
		}
		for _, word := range []string{" policy", " policies"} {
			if after, ok := cutPrefixFold(rest, word); ok && (after == "" || !isLetter(after[0])) {
				rest = after
				break
			}
		}
		return t, rest, true
	}
	return policyTypeName{}, s, false
}

// readText reads the texts that aren't AWS's sentence (M16 to M34).
func (m *Message) readText(s, service string) {
	m.Pattern = "M34"
	for _, t := range texts {
		at := t.re.FindStringSubmatchIndex(s)
		if at == nil {
			continue
		}
		m.Pattern, m.NotDenial = t.pattern, t.notDenial
		if t.layer != "" {
			m.Layer = t.layer
		}
		m.Principal = group(t.re, s, at, "principal")
		m.Action = lowerService(group(t.re, s, at, "action"))
		m.setResource(trimToken(group(t.re, s, at, "resource")))
		if t.action != "" {
			m.Action = t.action
		}
		if url := group(t.re, s, at, "url"); url != "" {
			m.Resource = queueARN(url)
		}
		if call := group(t.re, s, at, "call"); call != "" {
			m.Action = ""
			if called := group(t.re, s, at, "service"); called != "" {
				m.Action = strings.ToLower(called) + ":" + call
			} else if called := calledServices[servicePrefix(service)]; called != "" && t.pattern == "M27" {
				m.Action = called + ":" + call
			}
		}
		if tail := group(t.re, s, at, "reason"); tail != "" {
			m.readReason(strings.TrimSpace(tail))
			m.Pattern = t.pattern
		}
		return
	}
}

var queueURL = regexp.MustCompile(`(?i)^https?://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.[a-z0-9.-]+/(\d{12})/([A-Za-z0-9_.-]+)$`)

// queueARN returns the ARN of a queue's URL, or "" if it isn't one (row 11 of T82).
func queueARN(url string) string {
	g := queueURL.FindStringSubmatch(url)
	if g == nil {
		return ""
	}
	region := strings.ToLower(g[1] + g[2])
	return "arn:" + regionPartition(region) + ":sqs:" + region + ":" + g[3] + ":" + g[4]
}

// lowerService writes an action's service in lower case (rule T51).
func lowerService(action string) string {
	service, name, ok := strings.Cut(action, ":")
	if !ok {
		return action
	}
	return strings.ToLower(service) + ":" + name
}

// servicePrefix is the first guess at a service's IAM prefix: its eventSource
// without the domain (rule T76). Package apicall knows the exceptions.
func servicePrefix(service string) string {
	s := strings.ToLower(service)
	for _, domain := range []string{".amazonaws.com.cn", ".amazonaws.com", ".aws.internal"} {
		s = strings.TrimSuffix(s, domain)
	}
	return s
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// recognised reports whether the text is one that speaks of access denied, so that
// a code that may mean anything (class maybe of T40) is a denial.
func (m *Message) recognised() bool {
	switch m.Pattern {
	case "M30", "M33", "M34":
		return false
	case "M17":
		return strings.TrimSpace(m.Text) != ""
	}
	return true
}

// hasCore reports whether the text is AWS's own sentence or EC2's encoded form of it.
func (m *Message) hasCore() bool { return coreRows[m.Pattern] }

var coreRows = map[string]bool{
	"M1": true, "M2": true, "M3": true, "M4": true, "M5": true, "M6": true, "M7": true, "M8": true, "M9": true,
	"M10": true, "M11": true, "M12": true, "M13": true, "M14": true, "M15": true,
}
