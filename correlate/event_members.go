package correlate

import (
	"bytes"
	"strings"
	"time"
)

// The members that an event is made of, as places in a decoder. Those of one object follow each other, in about the
// order in which CloudTrail writes them.
const (
	recordVersion = iota
	recordIdentity
	recordTime
	recordSource
	recordName
	recordRegion
	recordSourceIP
	recordUserAgent
	recordErrorCode
	recordErrorMessage
	recordRequestParameters
	recordResponseElements
	recordAdditionalData
	recordRequestID
	recordID
	recordReadOnly
	recordResources
	recordType
	recordRecipientAccount
	recordSharedID
	recordVPCEndpoint
	recordVPCEndpointAccount
	recordContext
	recordCategory
	recordTLS
	recordConsoleSession

	identityType
	identityPrincipalID
	identityARN
	identityAccount
	identityAccessKeyID
	identityUserName
	identitySession
	identityInvokedBy
	identityProvider
	identityOnBehalfOf
	identityInScopeOf

	sessionIssuer
	sessionWebIDFederation
	sessionAttributes
	sessionSourceIdentity
	sessionEC2RoleDelivery
	sessionAssumedRoot

	issuerType
	issuerPrincipalID
	issuerARN
	issuerAccount
	issuerUserName

	attributesCreated
	attributesMFA
	attributesSourceIdentity

	webIDProvider

	scopeSourceARN

	additionalVPCEndpoint

	tlsVersion
	tlsHost

	resourceARN
	resourceAccount
	resourceType

	places // how many there are
)

// memberNames are how CloudTrail spells them.
var memberNames = [places]string{
	recordVersion:            "eventVersion",
	recordIdentity:           "userIdentity",
	recordTime:               "eventTime",
	recordSource:             "eventSource",
	recordName:               "eventName",
	recordRegion:             "awsRegion",
	recordSourceIP:           "sourceIPAddress",
	recordUserAgent:          "userAgent",
	recordErrorCode:          "errorCode",
	recordErrorMessage:       "errorMessage",
	recordRequestParameters:  "requestParameters",
	recordResponseElements:   "responseElements",
	recordAdditionalData:     "additionalEventData",
	recordRequestID:          "requestID",
	recordID:                 "eventID",
	recordReadOnly:           "readOnly",
	recordResources:          "resources",
	recordType:               "eventType",
	recordRecipientAccount:   "recipientAccountId",
	recordSharedID:           "sharedEventID",
	recordVPCEndpoint:        "vpcEndpointId",
	recordVPCEndpointAccount: "vpcEndpointAccountId",
	recordContext:            "eventContext",
	recordCategory:           "eventCategory",
	recordTLS:                "tlsDetails",
	recordConsoleSession:     "sessionCredentialFromConsole",

	identityType:        "type",
	identityPrincipalID: "principalId",
	identityARN:         "arn",
	identityAccount:     "accountId",
	identityAccessKeyID: "accessKeyId",
	identityUserName:    "userName",
	identitySession:     "sessionContext",
	identityInvokedBy:   "invokedBy",
	identityProvider:    "identityProvider",
	identityOnBehalfOf:  "onBehalfOf",
	identityInScopeOf:   "inScopeOf",

	sessionIssuer:          "sessionIssuer",
	sessionWebIDFederation: "webIdFederationData",
	sessionAttributes:      "attributes",
	sessionSourceIdentity:  "sourceIdentity",
	sessionEC2RoleDelivery: "ec2RoleDelivery",
	sessionAssumedRoot:     "assumedRoot",

	issuerType:        "type",
	issuerPrincipalID: "principalId",
	issuerARN:         "arn",
	issuerAccount:     "accountId",
	issuerUserName:    "userName",

	attributesCreated:        "creationDate",
	attributesMFA:            "mfaAuthenticated",
	attributesSourceIdentity: "sourceIdentity",

	webIDProvider: "federatedProvider",

	scopeSourceARN: "sourceArn",

	additionalVPCEndpoint: "vpcEndpointId",

	tlsVersion: "tlsVersion",
	tlsHost:    "clientProvidedHostHeader",

	resourceARN:     "ARN",
	resourceAccount: "accountId",
	resourceType:    "type",
}

// A form is an object of which some members are wanted: those from first to before end.
type form struct{ first, end int }

var (
	recordForm   = form{recordVersion, identityType}
	resourceForm = form{resourceARN, places}
)

// inside are the forms of members that are objects, or strings that hold one (T20).
var inside = [places]form{
	recordIdentity:         {identityType, sessionIssuer},
	identitySession:        {sessionIssuer, issuerType},
	sessionIssuer:          {issuerType, attributesCreated},
	sessionAttributes:      {attributesCreated, webIDProvider},
	sessionWebIDFederation: {webIDProvider, scopeSourceARN},
	identityInScopeOf:      {scopeSourceARN, additionalVPCEndpoint},
	recordAdditionalData:   {additionalVPCEndpoint, tlsVersion},
	recordTLS:              {tlsVersion, resourceARN},
	identityOnBehalfOf:     {places, places}, // only whether it is empty
}

// find returns the place of the member of that name: of exactly that name, else of one that differs in case only;
// -1 if no such member is wanted. The search begins at next, which most often is the place.
func (f form) find(name []byte, next int) (place int, exact bool) {
	for range f.end - f.first {
		if next >= f.end {
			next = f.first
		}
		if wanted := memberNames[next]; len(wanted) == len(name) {
			if wanted == string(name) {
				return next, true
			}
			if bytes.EqualFold([]byte(wanted), name) {
				return next, false // no two of a form differ in case only
			}
		}
		next++
	}
	return -1, false
}

// A decoder holds a record's members, by place. They lie in its text, or in what a string there stands for.
type decoder [places]slot

// A slot is one member. The zero slot is one that isn't there.
type slot struct {
	value jsonValue
	plain bool // a string that stands for what is between its quotes
	exact bool // the name is of the right case
}

// read puts the wanted members of the object that begins at v[i] into their places, within depth-1 arrays and
// objects. It returns where the object ends; -1 if it isn't valid, and then no place is to be relied on.
// Of members of one name the last counts, as everywhere, but none of another case beside one of the right case.
func (d *decoder) read(v []byte, i int, f form, depth int) int {
	if i = skipBlank(v, i+1); at(v, i) == '}' {
		return i + 1
	}
	for next := f.first; ; {
		end, plain := scanString(v, i)
		value := scanColon(v, end)
		if value < 0 {
			return -1
		}
		name := v[i+1 : end-1]
		if !plain {
			name = unquote(v[i:end])
		}
		place, exact := f.find(name, next)
		if place < 0 || d[place].exact && !exact {
			i = scanValue(v, value, depth+1)
		} else {
			i = d.put(place, exact, v, value, depth+1)
			next = place + 1
		}
		i = skipBlank(v, i)
		switch at(v, i) {
		case ',':
			i = skipBlank(v, i+1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// put puts the value that begins at v[i] into a place, and what it is made of into the places inside. It returns where the
// value ends, -1 if it isn't valid.
func (d *decoder) put(place int, exact bool, v []byte, i, depth int) (end int) {
	d.drop(place)
	s, f := slot{exact: exact}, inside[place]
	switch c := at(v, i); {
	case c == '"':
		end, s.plain = scanString(v, i)
	case c == '{' && f != (form{}):
		end = d.read(v, i, f, depth)
	default:
		end = scanValue(v, i, depth)
	}
	if end < 0 {
		return -1
	}
	s.value = v[i:end]
	if v[i] == '"' && f != (form{}) {
		if s = (slot{value: s.value.unwrap(), exact: exact}); s.value[0] == '{' {
			d.read(s.value, 0, f, 1)
		}
	}
	d[place] = s
	return end
}

// drop forgets a member, and what is inside of it.
func (d *decoder) drop(place int) {
	if d[place].value == nil {
		return
	}
	d[place] = slot{}
	for inner := inside[place].first; inner < inside[place].end; inner++ {
		d.drop(inner)
	}
}

// text is a member that is a string; empty if it isn't one. The bytes may be the record's.
func (d *decoder) text(place int) []byte {
	switch s := &d[place]; {
	case s.plain:
		return s.value[1 : len(s.value)-1]
	case s.value.kind() == '"':
		return unquote(s.value)
	}
	return nil
}

// literal is a member that is a string, or a number as it was written.
func (d *decoder) literal(place int) []byte {
	if v := d[place].value; v.kind() == '0' {
		return v
	}
	return d.text(place)
}

// account is a member that is an account id, as a string or as a number.
func (d *decoder) account(place int) []byte {
	if v := d[place].value; v.kind() == '0' {
		return []byte(padAccount(string(v)))
	}
	return d.text(place)
}

// flag is a member that is true or false, as such or as a string; "" if it isn't.
func (d *decoder) flag(place int) string {
	switch d[place].value.kind() {
	case 't':
		return "true"
	case 'f':
		return "false"
	}
	switch strings.ToLower(string(d.text(place))) {
	case "true":
		return "true"
	case "false":
		return "false"
	}
	return ""
}

// time is a member that is a time.
func (d *decoder) time(place int) time.Time { return parseTime(string(d.text(place))) }
