package correlate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
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
	var room [32]member // more than CloudTrail's records have
	record, err := parseObject(data, room[:])
	if err != nil {
		return nil, err
	}
	record.exact = record.has("eventVersion")
	name, src := record.text("eventName"), record.text("eventSource")
	if name == "" && src == "" {
		return nil, fmt.Errorf("neither eventName nor eventSource: not a CloudTrail record (%s)", record.describe())
	}
	version := record.literal("eventVersion")
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	var identity [16]member
	e := &Event{
		ID:                 record.text("eventID"),
		RequestID:          record.text("requestID"),
		SharedID:           record.text("sharedEventID"),
		Time:               record.time("eventTime"),
		Version:            version,
		Source:             src,
		Name:               name,
		Region:             record.text("awsRegion"),
		SourceIP:           record.text("sourceIPAddress"),
		UserAgent:          record.text("userAgent"),
		ErrorCode:          record.text("errorCode"),
		ErrorMessage:       record.text("errorMessage"),
		Type:               record.text("eventType"),
		Category:           record.text("eventCategory"),
		RecipientAccount:   record.account("recipientAccountId"),
		VPCEndpointID:      record.text("vpcEndpointId"),
		VPCEndpointAccount: record.account("vpcEndpointAccountId"),
		ReadOnly:           record.flag("readOnly"),
		ConsoleSession:     record.flag("sessionCredentialFromConsole") == "true",
		Identity:           decodeIdentity(record.object("userIdentity", identity[:])),
		Resources:          decodeResources(record.array("resources")),
		RequestParameters:  record.raw("requestParameters"),
		ResponseElements:   record.raw("responseElements"),
		AdditionalData:     record.raw("additionalEventData"),
		Context:            record.raw("eventContext"),
	}
	if e.VPCEndpointID == "" { // the place it had before version 1.04
		e.VPCEndpointID = record.object("additionalEventData", nil).text("vpcEndpointId")
	}
	if tls := record.object("tlsDetails", identity[:]); len(tls.members) > 0 {
		e.HasTLS = true
		e.TLSVersion = tls.text("tlsVersion")
		e.TLSHost = tls.text("clientProvidedHostHeader")
	}
	return e, nil
}

// checkVersion refuses a record of another major version than 1; a minor one
// that nobody has seen yet is read like the others (T25).
func checkVersion(version string) error {
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n != 1 {
		return fmt.Errorf("eventVersion %q: only records of version 1 can be read", version)
	}
	return nil
}

// decodeIdentity reads userIdentity. Any of it may be missing (T107).
func decodeIdentity(o object) Identity {
	id := Identity{
		Type:             o.text("type"),
		PrincipalID:      o.text("principalId"),
		ARN:              o.text("arn"),
		Account:          o.account("accountId"),
		AccessKeyID:      o.text("accessKeyId"),
		UserName:         o.text("userName"),
		InvokedBy:        o.text("invokedBy"),
		IdentityProvider: o.text("identityProvider"),
		OnBehalfOf:       len(o.object("onBehalfOf", nil).members) > 0,
		InScopeOf:        o.object("inScopeOf", nil).text("sourceArn"),
	}
	var room [8]member
	if session := o.object("sessionContext", room[:]); len(session.members) > 0 {
		id.Session = decodeSession(session)
	}
	return id
}

// decodeSession reads sessionContext. For IAM users it holds an empty
// sessionIssuer and an empty webIdFederationData, which say nothing (T31).
func decodeSession(o object) *Session {
	var room [2][8]member
	issuer, attributes := o.object("sessionIssuer", room[0][:]), o.object("attributes", room[1][:])
	s := &Session{
		IssuerType:        issuer.text("type"),
		IssuerID:          issuer.text("principalId"),
		IssuerARN:         issuer.text("arn"),
		IssuerAccount:     issuer.account("accountId"),
		IssuerUserName:    issuer.text("userName"),
		Created:           attributes.time("creationDate"),
		CreatedText:       attributes.text("creationDate"),
		MFA:               attributes.flag("mfaAuthenticated"),
		SourceIdentity:    o.text("sourceIdentity"),
		EC2RoleDelivery:   o.literal("ec2RoleDelivery"),
		FederatedProvider: o.object("webIdFederationData", nil).text("federatedProvider"),
		AssumedRoot:       o.flag("assumedRoot") == "true",
	}
	if s.SourceIdentity == "" {
		s.SourceIdentity = attributes.text("sourceIdentity")
	}
	return s
}

// decodeResources reads resources; ARN is also spelled arn.
func decodeResources(entries []jsonValue) []EventResource {
	var out []EventResource
	var room [8]member
	for _, entry := range entries {
		o := entry.object(room[:])
		r := EventResource{ARN: o.text("ARN"), Account: o.account("accountId"), Type: o.text("type")}
		if r != (EventResource{}) {
			out = append(out, r)
		}
	}
	return out
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

// text is a member that is a string; "" if it isn't one.
func (o object) text(name string) string { return o.get(name).text() }

// literal is a member that is a string, or a number as it was written.
func (o object) literal(name string) string {
	v := o.get(name)
	if v.kind() == '0' {
		return string(v)
	}
	return v.text()
}

// account is a member that is an account id, as a string or as a number.
func (o object) account(name string) string {
	v := o.get(name)
	if v.kind() == '0' {
		return padAccount(string(v))
	}
	return v.text()
}

// flag is a member that is true or false, as such or as a string; "" if it isn't.
func (o object) flag(name string) string {
	v := o.get(name)
	switch v.kind() {
	case 't':
		return "true"
	case 'f':
		return "false"
	}
	switch text := strings.ToLower(v.text()); text {
	case "true", "false":
		return text
	}
	return ""
}

// time is a member that is a time.
func (o object) time(name string) time.Time { return parseTime(o.text(name)) }

// object is a member that is an object, or a string with one inside (T20).
func (o object) object(name string, room []member) object { return o.get(name).unwrap().object(room) }

// array is a member that is an array, or a string with one inside.
func (o object) array(name string) []jsonValue { return o.get(name).unwrap().elements() }

// raw is a copy of a member's JSON, out of the string that Athena keeps it in (T20).
func (o object) raw(name string) json.RawMessage {
	v := o.get(name)
	if v == nil {
		return nil
	}
	return bytes.Clone(v.unwrap())
}

// describe names some of the members, for an error.
func (o object) describe() string {
	const most = 6
	if len(o.members) == 0 {
		return "an empty object"
	}
	var names []string
	for _, m := range o.members[:min(len(o.members), most)] {
		names = append(names, quoteShort(m.name))
	}
	if len(o.members) > most {
		names = append(names, "…")
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
