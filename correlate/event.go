// Package correlate joins CloudTrail denials to the policy layer, policy and statement responsible.
package correlate

import (
	"encoding/json"
	"strings"
	"time"
)

// An Origin says where an event was read.
type Origin struct {
	Path  string // file name, "-", or another source's name
	Index int    // of the record in its file, from 0
	// Lossy says that the source holds only some of the record's fields, as
	// the console's CSV does: what is missing is unknown, not absent.
	Lossy bool
}

// An Event is one CloudTrail record. Fields that the record doesn't have are
// zero; raw JSON fields are nil if missing and "null" if recorded as null.
type Event struct {
	Origin             Origin
	ID                 string // eventID
	RequestID          string
	SharedID           string    // sharedEventID
	Time               time.Time // eventTime, UTC
	Version            string
	Source             string // eventSource
	Name               string // eventName
	Region             string
	SourceIP           string // sourceIPAddress: an IP, a service name, "AWS Internal"
	UserAgent          string
	ErrorCode          string
	ErrorMessage       string
	Type               string // eventType
	Category           string // eventCategory
	RecipientAccount   string
	VPCEndpointID      string
	VPCEndpointAccount string
	ReadOnly           string // "true", "false" or ""
	ConsoleSession     bool   // sessionCredentialFromConsole
	Identity           Identity
	Resources          []EventResource
	TLSVersion         string
	TLSHost            string // tlsDetails.clientProvidedHostHeader
	HasTLS             bool
	RequestParameters  json.RawMessage
	ResponseElements   json.RawMessage
	AdditionalData     json.RawMessage // additionalEventData
	Context            json.RawMessage // eventContext, CloudTrail Lake only
}

// DeliveryID is what two deliveries of one event have in common (rule T100): its id or,
// where the source lost that, its request's. "" if there is neither.
func (e *Event) DeliveryID() string {
	if e.ID != "" || e.RequestID == "" {
		return e.ID
	}
	return strings.Join([]string{e.RequestID, e.Source, e.Name, e.ErrorCode, e.Time.String()}, "\x00")
}

// An EventResource is an entry of an event's resources.
type EventResource struct{ ARN, Account, Type string }

// An Identity is an event's userIdentity.
type Identity struct {
	Type             string
	PrincipalID      string
	ARN              string
	Account          string // accountId
	AccessKeyID      string
	UserName         string
	InvokedBy        string
	IdentityProvider string
	OnBehalfOf       bool
	// Session is nil if the event has no sessionContext.
	Session *Session
	// InScopeOf is inScopeOf.sourceArn: the resource that a service role session works for.
	InScopeOf string
}

// A Session is an identity's sessionContext.
type Session struct {
	IssuerType        string
	IssuerID          string // AROA…
	IssuerARN         string
	IssuerAccount     string
	IssuerUserName    string
	Created           time.Time // zero if missing or unreadable
	CreatedText       string
	MFA               string // mfaAuthenticated: "true", "false" or ""
	SourceIdentity    string
	EC2RoleDelivery   string
	FederatedProvider string
	AssumedRoot       bool
}
