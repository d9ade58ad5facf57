package correlate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// referenceEvent is DecodeEvent, slow and plain: jsontext reads all JSON, a member is sought among all others, nothing is
// shared. The real one has to give the same for every text, errors too.
func referenceEvent(data []byte) (*Event, error) {
	text := bytes.Trim(data, " \t\r\n")
	if len(text) == 0 || !jsontext.Value(text).IsValid(recordJSON...) || text[0] != '{' {
		return nil, notOneObject(data)
	}
	r := membersOf(text)
	r.exact = slices.Contains(r.names, "eventVersion")
	if r.text("eventName") == "" && r.text("eventSource") == "" {
		what := "an empty object"
		if len(r.names) > 0 {
			var names []string
			for _, name := range r.names[:min(len(r.names), 6)] {
				names = append(names, quoteShort([]byte(name)))
			}
			what = "it has " + strings.Join(names, ", ")
		}
		if len(r.names) > 6 {
			what += ", …"
		}
		return nil, fmt.Errorf("neither eventName nor eventSource: not a CloudTrail record (%s)", what)
	}
	major, _, _ := strings.Cut(r.literal("eventVersion"), ".")
	if n, err := strconv.Atoi(major); err == nil && n != 1 {
		return nil, fmt.Errorf("eventVersion %q: only records of version 1 can be read", r.literal("eventVersion"))
	}
	tls, id := r.object("tlsDetails"), r.object("userIdentity")
	e := &Event{
		ID: r.text("eventID"), RequestID: r.text("requestID"), SharedID: r.text("sharedEventID"), Time: parseTime(r.text("eventTime")),
		Version: r.literal("eventVersion"), Source: r.text("eventSource"), Name: r.text("eventName"), Region: r.text("awsRegion"),
		SourceIP: r.text("sourceIPAddress"), UserAgent: r.text("userAgent"), ErrorCode: r.text("errorCode"),
		ErrorMessage: r.text("errorMessage"), Type: r.text("eventType"), Category: r.text("eventCategory"),
		RecipientAccount: r.account("recipientAccountId"), VPCEndpointID: r.text("vpcEndpointId"),
		VPCEndpointAccount: r.account("vpcEndpointAccountId"), ReadOnly: r.flag("readOnly"),
		ConsoleSession: r.flag("sessionCredentialFromConsole") == "true",
		HasTLS:         len(tls.names) > 0, TLSVersion: tls.text("tlsVersion"), TLSHost: tls.text("clientProvidedHostHeader"),
		Identity: Identity{
			Type: id.text("type"), PrincipalID: id.text("principalId"), ARN: id.text("arn"), Account: id.account("accountId"),
			AccessKeyID: id.text("accessKeyId"), UserName: id.text("userName"), InvokedBy: id.text("invokedBy"),
			IdentityProvider: id.text("identityProvider"), OnBehalfOf: len(id.object("onBehalfOf").names) > 0,
			InScopeOf: id.object("inScopeOf").text("sourceArn"),
		},
		RequestParameters: json.RawMessage(r.unwrapped("requestParameters")), ResponseElements: json.RawMessage(r.unwrapped("responseElements")),
		AdditionalData: json.RawMessage(r.unwrapped("additionalEventData")), Context: json.RawMessage(r.unwrapped("eventContext")),
	}
	if e.VPCEndpointID == "" {
		e.VPCEndpointID = r.object("additionalEventData").text("vpcEndpointId")
	}
	if o := id.object("sessionContext"); len(o.names) > 0 {
		issuer, attributes := o.object("sessionIssuer"), o.object("attributes")
		s := &Session{
			IssuerType: issuer.text("type"), IssuerID: issuer.text("principalId"), IssuerARN: issuer.text("arn"),
			IssuerAccount: issuer.account("accountId"), IssuerUserName: issuer.text("userName"),
			Created: parseTime(attributes.text("creationDate")), CreatedText: attributes.text("creationDate"),
			MFA: attributes.flag("mfaAuthenticated"), SourceIdentity: o.text("sourceIdentity"), EC2RoleDelivery: o.literal("ec2RoleDelivery"),
			FederatedProvider: o.object("webIdFederationData").text("federatedProvider"), AssumedRoot: o.flag("assumedRoot") == "true",
		}
		if s.SourceIdentity == "" {
			s.SourceIdentity = attributes.text("sourceIdentity")
		}
		e.Identity.Session = s
	}
	if list := r.unwrapped("resources"); len(list) > 0 && list[0] == '[' {
		d := jsontext.NewDecoder(bytes.NewReader(list), recordJSON...)
		_, _ = d.ReadToken()
		for d.PeekKind() != ']' {
			entry, _ := d.ReadValue()
			o := membersOf(entry)
			resource := EventResource{ARN: o.text("ARN"), Account: o.account("accountId"), Type: o.text("type")}
			if resource != (EventResource{}) {
				e.Resources = append(e.Resources, resource)
			}
		}
	}
	return e, nil
}

// referenceMembers are an object's members in the order of the text.
type referenceMembers struct {
	names  []string
	values []jsontext.Value
	exact  bool // a name in another case is another name
}

// membersOf reads a valid value; it has no members if it isn't an object.
func membersOf(v jsontext.Value) (o referenceMembers) {
	if len(v) == 0 || v[0] != '{' {
		return o
	}
	d := jsontext.NewDecoder(bytes.NewReader(v), recordJSON...)
	_, _ = d.ReadToken()
	for d.PeekKind() != '}' {
		name, _ := d.ReadValue()
		unquoted, _ := jsontext.AppendUnquote(nil, name)
		value, _ := d.ReadValue()
		o.names, o.values = append(o.names, string(unquoted)), append(o.values, value.Clone())
	}
	return o
}

// get is the last member of exactly that name, else the last of another case.
func (o referenceMembers) get(name string) (found jsontext.Value) {
	for i, n := range o.names {
		if !o.exact && len(n) == len(name) && strings.EqualFold(n, name) { // ſ is no s
			found = o.values[i]
		}
	}
	for i, n := range o.names {
		if n == name {
			found = o.values[i]
		}
	}
	return found
}

func (o referenceMembers) text(name string) string {
	v := o.get(name)
	if len(v) == 0 || v[0] != '"' {
		return ""
	}
	text, _ := jsontext.AppendUnquote(nil, v)
	return string(text)
}

func (o referenceMembers) literal(name string) string {
	if v := o.get(name); len(v) > 0 && strings.IndexByte("-0123456789", v[0]) >= 0 {
		return string(v)
	}
	return o.text(name)
}

func (o referenceMembers) account(name string) string {
	if text := o.literal(name); o.text(name) == "" {
		return padAccount(text)
	}
	return o.text(name)
}

func (o referenceMembers) flag(name string) string {
	text := strings.ToLower(o.text(name))
	if v := string(o.get(name)); v == "true" || v == "false" {
		text = v
	}
	if text == "true" || text == "false" {
		return text
	}
	return ""
}

// unwrapped is a member's value, or the object or array that it holds as a string.
func (o referenceMembers) unwrapped(name string) jsontext.Value {
	inner := jsontext.Value(strings.TrimSpace(o.text(name)))
	if len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') && inner.IsValid(recordJSON...) {
		return inner
	}
	return o.get(name)
}

func (o referenceMembers) object(name string) referenceMembers { return membersOf(o.unwrapped(name)) }

// asReference holds DecodeEvent to the reference.
func asReference(t rapid.TB, data []byte) {
	t.Helper()
	want, wantErr := referenceEvent(data)
	got, err := DecodeEvent(data)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("DecodeEvent(%q): error %v, want %v", data, err, wantErr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("DecodeEvent(%q) (-want +got):\n%s", data, diff)
	}
}

// TestDecodeEventAsReference: records made to be misread give what the reference reads.
func TestDecodeEventAsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			asReference(t, []byte(oddRecord(t)))
		}
	})
}

// oddRecord draws the text of a record that is odd in what JSON leaves open: names in another case, doubled or
// escaped, members of any type, objects within strings, blanks, invalid UTF-8. Some aren't valid.
func oddRecord(t *rapid.T) string {
	text := oddBlank(t) + oddObject(t, recordForm, 3) + oddBlank(t)
	if rapid.IntRange(0, 3).Draw(t, "break") == 0 {
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		cut := rapid.IntRange(0, min(2, len(text)-at)).Draw(t, "cut")
		text = text[:at] + rapid.SampledFrom([]string{"", "", `"`, `\`, "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\x00", "\n", "\xff", "é", "null"}).Draw(t, "insert") + text[at+cut:]
	}
	return text
}

func oddBlank(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", "", " ", "\n\t", "\r\n  "}).Draw(t, "blank")
}

// oddObject draws an object of a form's members, and others.
func oddObject(t *rapid.T, f form, depth int) string {
	var members []string
	add := func(name, value string) {
		members = append(members, oddBlank(t)+name+oddBlank(t)+":"+oddBlank(t)+value+oddBlank(t))
	}
	if f == recordForm {
		if rapid.IntRange(0, 9).Draw(t, "named") > 0 {
			add(`"eventName"`, `"GetObject"`)
		}
		if rapid.Bool().Draw(t, "versioned") {
			add(`"eventVersion"`, `"1.08"`)
		}
	}
	for range rapid.IntRange(0, 8).Draw(t, "members") {
		place := rapid.IntRange(f.first, max(f.first, f.end-1)).Draw(t, "member")
		if rapid.IntRange(0, 9).Draw(t, "elsewhere") == 0 || f.first == f.end {
			place = rapid.IntRange(0, places-1).Draw(t, "any member")
		}
		add(oddName(t, memberNames[place]), oddMember(t, place, depth))
	}
	if len(members) > 1 {
		members = rapid.Permutation(members).Draw(t, "order")
	}
	return "{" + oddBlank(t) + strings.Join(members, ",") + "}"
}

func oddName(t *rapid.T, name string) string {
	at := rapid.IntRange(0, len(name)-1).Draw(t, "letter")
	switch rapid.IntRange(0, 11).Draw(t, "spelling") {
	case 0:
		return strconv.Quote(strings.ToLower(name))
	case 1:
		return strconv.Quote(strings.ToUpper(name))
	case 2:
		return fmt.Sprintf(`"%s\u%04x%s"`, name[:at], name[at], name[at+1:])
	case 3:
		return fmt.Sprintf(`"%s\u%04X%s"`, strings.ToLower(name[:at]), name[at], name[at+1:])
	case 4: // two letters fold to s and k, but are longer
		return `"` + strings.NewReplacer("s", "ſ", "k", "\u212a").Replace(name) + `"`
	case 5:
		return `"` + name[:at] + "\xff" + name[at+1:] + `"`
	case 6:
		return `"` + name[:at] + name[at+1:] + `"`
	}
	return `"` + name + `"`
}

// oddMember draws a value for a member: most often of the kind that belongs there.
func oddMember(t *rapid.T, place, depth int) string {
	f := inside[place]
	value := oddValue(t, depth-1)
	switch {
	case depth == 0 || rapid.IntRange(0, 5).Draw(t, "kind") == 0:
	case f != (form{}):
		value = oddObject(t, f, depth)
	case place == recordResources:
		var entries []string
		for range rapid.IntRange(0, 6).Draw(t, "resources") {
			entry := oddObject(t, resourceForm, 0)
			if rapid.IntRange(0, 4).Draw(t, "no object") == 0 {
				entry = oddValue(t, 0)
			}
			entries = append(entries, oddBlank(t)+entry+oddBlank(t))
		}
		value = "[" + oddBlank(t) + strings.Join(entries, ",") + "]"
	default:
		return oddString(t)
	}
	if rapid.IntRange(0, 3).Draw(t, "wrapped") == 0 {
		around := rapid.SampledFrom([]string{"", "", " ", "\u00a0", "\n", "x"}).Draw(t, "around")
		return jsonQuote(around + value + around)
	}
	return value
}

// jsonQuote quotes text, and leaves what isn't UTF-8 as it is.
func jsonQuote(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

func oddString(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{
		"", "a", "arn:aws:iam::111122223333:role/r", "true", "False", "TRUE", "1.08", "2.0", "111122223333", "2025-06-01T10:00:00Z",
		"2025-06-01 10:00:00 UTC", "20250601T090000Z", "é", "\xc3", "\xe2\x82", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\x7f", " ", "{}", "[", `{\"a\":1}`, `\"`, `\\`, `\/`, `\n`, `\u0000`, `\u00e9`, `\ud83d`,
		`\ud83d\ude00`, `\ude00`, `\uD83D\u0041`,
	}), 0, 3).Draw(t, "text")
	return `"` + strings.Join(parts, "") + `"`
}

// oddValue draws any value.
func oddValue(t *rapid.T, depth int) string {
	kinds := []string{"null", "true", "false", "0", "-1", "1.5e+3", "22223333", "111122223333", "1234567890123", "{}", "[]", "[ ]", `""`}
	if depth > 0 && rapid.Bool().Draw(t, "nested") {
		if rapid.Bool().Draw(t, "array") {
			return "[" + oddValue(t, depth-1) + oddBlank(t) + "," + oddBlank(t) + oddString(t) + "]"
		}
		return "{" + oddString(t) + ":" + oddValue(t, depth-1) + "}"
	}
	if rapid.Bool().Draw(t, "string") {
		return oddString(t)
	}
	return rapid.SampledFrom(kinds).Draw(t, "value")
}
