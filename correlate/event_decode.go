package correlate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// DecodeEvent reads one CloudTrail record, a JSON object. It keeps nothing of
// data, so the caller may use the buffer again.
//
// Names are CloudTrail's. In a record without an eventVersion so spelled, the same name in
// another case stands in, since Athena writes all of them in lower case; so it does anywhere
// inside a record, since a member may be Athena's. A
// member of the wrong JSON type is left zero. Only what isn't a record is an
// error: text that isn't one JSON object, an object with neither
// eventName nor eventSource, and a record of another major version (T25).
func DecodeEvent(data []byte) (*Event, error) {
	var d decoder
	begin := skipBlank(data, 0)
	if at(data, begin) != '{' || skipBlank(data, d.read(data, begin, recordForm, 1)) != len(data) {
		return nil, notOneObject(data)
	}
	if d[recordVersion].exact { // CloudTrail's own: another case is another name
		for place := recordForm.first; place < recordForm.end; place++ {
			if !d[place].exact {
				d.drop(place)
			}
		}
	}
	name, src := d.text(recordName), d.text(recordSource)
	if len(name) == 0 && len(src) == 0 {
		return nil, fmt.Errorf("neither eventName nor eventSource: not a CloudTrail record (%s)", describe(data))
	}
	version := d.literal(recordVersion)
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	e := &Event{
		ID:             string(d.text(recordID)), // by itself, and the next: they are remembered for longer than the event
		SharedID:       string(d.text(recordSharedID)),
		Time:           d.time(recordTime),
		ReadOnly:       d.flag(recordReadOnly),
		ConsoleSession: d.flag(recordConsoleSession) == "true",
		HasTLS:         !d[recordTLS].value.empty(),
	}
	var room [48]field // more than most records have
	fields := append(room[:0],
		field{&e.RequestID, d.text(recordRequestID)},
		field{&e.Version, version},
		field{&e.Source, src},
		field{&e.Name, name},
		field{&e.Region, d.text(recordRegion)},
		field{&e.SourceIP, d.text(recordSourceIP)},
		field{&e.UserAgent, d.text(recordUserAgent)},
		field{&e.ErrorCode, d.text(recordErrorCode)},
		field{&e.ErrorMessage, d.text(recordErrorMessage)},
		field{&e.Type, d.text(recordType)},
		field{&e.Category, d.text(recordCategory)},
		field{&e.RecipientAccount, d.account(recordRecipientAccount)},
		field{&e.VPCEndpointID, either(d.text(recordVPCEndpoint), d.text(additionalVPCEndpoint))}, // the latter before version 1.04
		field{&e.VPCEndpointAccount, d.account(recordVPCEndpointAccount)},
		field{&e.TLSVersion, d.text(tlsVersion)},
		field{&e.TLSHost, d.text(tlsHost)},
	)
	fields = d.identity(&e.Identity, fields)
	fields = d.session(&e.Identity, fields)
	e.Resources, fields = d.resources(fields)
	setStrings(fields)
	d.setRaw(e)
	return e, nil
}

// checkVersion refuses a record of another major version than 1; a minor one
// that nobody has seen yet is read like the others (T25).
func checkVersion(version []byte) error {
	major, _, _ := bytes.Cut(version, []byte("."))
	if n, err := strconv.Atoi(string(major)); err == nil && n != 1 {
		return fmt.Errorf("eventVersion %q: only records of version 1 can be read", version)
	}
	return nil
}

// identity reads userIdentity. Any of it may be missing (T107).
func (d *decoder) identity(id *Identity, fields []field) []field {
	id.OnBehalfOf = !d[identityOnBehalfOf].value.empty()
	return append(fields,
		field{&id.Type, d.text(identityType)},
		field{&id.PrincipalID, d.text(identityPrincipalID)},
		field{&id.ARN, d.text(identityARN)},
		field{&id.Account, d.account(identityAccount)},
		field{&id.AccessKeyID, d.text(identityAccessKeyID)},
		field{&id.UserName, d.text(identityUserName)},
		field{&id.InvokedBy, d.text(identityInvokedBy)},
		field{&id.IdentityProvider, d.text(identityProvider)},
		field{&id.InScopeOf, d.text(scopeSourceARN)},
	)
}

// session reads sessionContext. For IAM users it holds an empty
// sessionIssuer and an empty webIdFederationData, which say nothing (T31).
func (d *decoder) session(id *Identity, fields []field) []field {
	if d[identitySession].value.empty() {
		return fields
	}
	id.Session = &Session{
		Created:     d.time(attributesCreated),
		MFA:         d.flag(attributesMFA),
		AssumedRoot: d.flag(sessionAssumedRoot) == "true",
	}
	s := id.Session
	return append(fields,
		field{&s.IssuerType, d.text(issuerType)},
		field{&s.IssuerID, d.text(issuerPrincipalID)},
		field{&s.IssuerARN, d.text(issuerARN)},
		field{&s.IssuerAccount, d.account(issuerAccount)},
		field{&s.IssuerUserName, d.text(issuerUserName)},
		field{&s.CreatedText, d.text(attributesCreated)},
		field{&s.SourceIdentity, either(d.text(sessionSourceIdentity), d.text(attributesSourceIdentity))},
		field{&s.EC2RoleDelivery, d.literal(sessionEC2RoleDelivery)},
		field{&s.FederatedProvider, d.text(webIDProvider)},
	)
}

// resources reads resources; ARN is also spelled arn.
func (d *decoder) resources(fields []field) ([]EventResource, []field) {
	v := d[recordResources].value.unwrap()
	if v.kind() != '[' {
		return nil, fields
	}
	var room [4][3][]byte
	found := room[:0]
	for i := skipBlank(v, 1); v[i] != ']'; {
		d.drop(resourceARN)
		d.drop(resourceAccount)
		d.drop(resourceType)
		if v[i] == '{' {
			i = d.read(v, i, resourceForm, 1)
		} else {
			i = scanValue(v, i, 1)
		}
		if i = skipBlank(v, i); v[i] == ',' {
			i = skipBlank(v, i+1)
		}
		arn, account, kind := d.text(resourceARN), d.account(resourceAccount), d.text(resourceType)
		if len(arn)+len(account)+len(kind) > 0 {
			found = append(found, [3][]byte{arn, account, kind})
		}
	}
	if len(found) == 0 {
		return nil, fields
	}
	out := make([]EventResource, len(found))
	for i, f := range found {
		fields = append(fields, field{&out[i].ARN, f[0]}, field{&out[i].Account, f[1]}, field{&out[i].Type, f[2]})
	}
	return out, fields
}

// A field is what one of an event's strings is to be.
type field struct {
	to   *string
	text []byte
}

// setStrings makes the strings of an event out of one allocation, which holds nothing else of the record: an event is
// kept as a whole or not at all. Who keeps one of them for longer than the event clones it.
func setStrings(fields []field) {
	size := 0
	for _, p := range fields {
		size += len(p.text)
	}
	var b strings.Builder
	b.Grow(size)
	for _, p := range fields {
		b.Write(p.text)
	}
	all := b.String()
	for _, p := range fields {
		*p.to, all = all[:len(p.text)], all[len(p.text):]
	}
}

// setRaw copies what is kept as JSON, out of the strings that Athena keeps it in (T20), into one allocation.
func (d *decoder) setRaw(e *Event) {
	members := [...]struct {
		to    *json.RawMessage
		value jsonValue
	}{
		{&e.RequestParameters, d[recordRequestParameters].value.unwrap()},
		{&e.ResponseElements, d[recordResponseElements].value.unwrap()},
		{&e.AdditionalData, d[recordAdditionalData].value.unwrap()},
		{&e.Context, d[recordContext].value.unwrap()},
	}
	size := 0
	for _, m := range members {
		size += len(m.value)
	}
	all := make([]byte, 0, size)
	for _, m := range members {
		if m.value != nil {
			start := len(all)
			all = append(all, m.value...)
			*m.to = all[start:len(all):len(all)]
		}
	}
}

// timeLayouts are the ways in which times are written: CloudTrail's, the one
// of some sessions' creationDate (T31), CloudTrail Lake's timestamp (T17b, no
// zone, UTC) and Athena's with its zone.
var timeLayouts = []string{
	time.RFC3339,
	"20060102T150405Z",
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05 UTC",
}

// parseTime returns the time in UTC, or the zero time if text isn't one.
func parseTime(text string) time.Time {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// padAccount completes an account id that was written as a number and so lost
// its leading zeros (T5). What can't be an account id gives "".
func padAccount(digits string) string {
	const size = 12
	if digits == "" || len(digits) > size || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return strings.Repeat("0", size-len(digits)) + digits
}

// either is the first of two texts, the second if that is empty.
func either(first, second []byte) []byte {
	if len(first) == 0 {
		return second
	}
	return first
}

// describe names some of the members of a record, for an error.
func describe(record []byte) string {
	const most = 6
	d := jsontext.NewDecoder(bytes.NewReader(record), recordJSON...)
	_, _ = d.ReadToken() // its bracket; all of it is valid
	var names []string
	for d.PeekKind() == '"' {
		if len(names) == most {
			names = append(names, "…")
			break
		}
		name, _ := d.ReadValue()
		names = append(names, quoteShort(unquote(name)))
		_ = d.SkipValue()
	}
	if len(names) == 0 {
		return "an empty object"
	}
	return "it has " + strings.Join(names, ", ")
}

// quoteShort quotes untrusted text for an error.
func quoteShort(text []byte) string {
	const most = 40
	if len(text) > most {
		return strconv.QuoteToASCII(string(text[:most])) + "…"
	}
	return strconv.QuoteToASCII(string(text))
}

var errEmptyRecord = errors.New("empty record")
