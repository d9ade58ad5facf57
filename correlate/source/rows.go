package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/correlate"
)

// Rows of a table hold some of a record's fields as columns: CSV of Athena,
// CloudTrail Lake or the console (T23), and the answers of their APIs (T3 f, g).

// columns are the columns that are read, by folded name (see fold), with where their
// value belongs in a record. Struct columns come whole (useridentity) or leaf by leaf
// (useridentity.arn). The names with blanks are the console's.
var columns = map[string][]string{
	"eventid":                            {"eventID"},
	"requestid":                          {"requestID"},
	"sharedeventid":                      {"sharedEventID"},
	"eventtime":                          {"eventTime"},
	"eventversion":                       {"eventVersion"},
	"eventsource":                        {"eventSource"},
	"eventname":                          {"eventName"},
	"awsregion":                          {"awsRegion"},
	"sourceipaddress":                    {"sourceIPAddress"},
	"useragent":                          {"userAgent"},
	"errorcode":                          {"errorCode"},
	"errormessage":                       {"errorMessage"},
	"eventtype":                          {"eventType"},
	"eventcategory":                      {"eventCategory"},
	"recipientaccountid":                 {"recipientAccountId"},
	"vpcendpointid":                      {"vpcEndpointId"},
	"vpcendpointaccountid":               {"vpcEndpointAccountId"},
	"readonly":                           {"readOnly"},
	"sessioncredentialfromconsole":       {"sessionCredentialFromConsole"},
	"requestparameters":                  {"requestParameters"},
	"responseelements":                   {"responseElements"},
	"additionaleventdata":                {"additionalEventData"},
	"eventcontext":                       {"eventContext"},
	"resources":                          {"resources"},
	"tlsdetails":                         {"tlsDetails"},
	"tlsdetailstlsversion":               {"tlsDetails", "tlsVersion"},
	"tlsdetailsciphersuite":              {"tlsDetails", "cipherSuite"},
	"tlsdetailsclientprovidedhostheader": {"tlsDetails", "clientProvidedHostHeader"},

	"useridentity":                                         {"userIdentity"},
	"useridentitytype":                                     {"userIdentity", "type"},
	"useridentityprincipalid":                              {"userIdentity", "principalId"},
	"useridentityarn":                                      {"userIdentity", "arn"},
	"useridentityaccountid":                                {"userIdentity", "accountId"},
	"useridentityaccesskeyid":                              {"userIdentity", "accessKeyId"},
	"useridentityusername":                                 {"userIdentity", "userName"},
	"useridentityinvokedby":                                {"userIdentity", "invokedBy"},
	"useridentityidentityprovider":                         {"userIdentity", "identityProvider"},
	"useridentityonbehalfofuserid":                         {"userIdentity", "onBehalfOf", "userId"},
	"useridentityonbehalfofidentitystorearn":               {"userIdentity", "onBehalfOf", "identityStoreArn"},
	"useridentityinscopeofsourcearn":                       {"userIdentity", "inScopeOf", "sourceArn"},
	"useridentitysessioncontextsessionissuertype":          {"userIdentity", "sessionContext", "sessionIssuer", "type"},
	"useridentitysessioncontextsessionissuerprincipalid":   {"userIdentity", "sessionContext", "sessionIssuer", "principalId"},
	"useridentitysessioncontextsessionissuerarn":           {"userIdentity", "sessionContext", "sessionIssuer", "arn"},
	"useridentitysessioncontextsessionissueraccountid":     {"userIdentity", "sessionContext", "sessionIssuer", "accountId"},
	"useridentitysessioncontextsessionissuerusername":      {"userIdentity", "sessionContext", "sessionIssuer", "userName"},
	"useridentitysessioncontextattributescreationdate":     {"userIdentity", "sessionContext", "attributes", "creationDate"},
	"useridentitysessioncontextattributesmfaauthenticated": {"userIdentity", "sessionContext", "attributes", "mfaAuthenticated"},
	"useridentitysessioncontextsourceidentity":             {"userIdentity", "sessionContext", "sourceIdentity"},
	"useridentitysessioncontextec2roledelivery":            {"userIdentity", "sessionContext", "ec2RoleDelivery"},
	"useridentitysessioncontextassumedroot":                {"userIdentity", "sessionContext", "assumedRoot"},

	"useridentitysessioncontextwebidfederationdatafederatedprovider": {"userIdentity", "sessionContext", "webIdFederationData", "federatedProvider"},

	"username":     {"userIdentity", "userName"},
	"awsaccesskey": {"userIdentity", "accessKeyId"},
}

// wholeEvent is CloudTrail Lake's column that has the record as it was (T17b).
const wholeEvent = "eventjson"

// fold makes one of the ways in which a column's name is spelled: eventName,
// eventname, event_name, "Event name".
func fold(column string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ._-", r) {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(column)))
}

// rows turns rows into events.
type rows struct {
	t      *text
	header []string // folded names, "" for a column that isn't read; nil before the first row

	// complete says that a column without a value means a record without the field, and
	// that columns which aren't there matter only to the rows that lacks tells. Where it isn't set, as
	// in a file that anybody may have cut, all that is missing is unknown.
	complete bool
	// lacks reports whether a record may have had more than the columns could hold; nil is never.
	lacks func(record map[string]any) bool
}

// setHeader takes the names of the columns; ok is false if they aren't CloudTrail's. A
// name that is there twice could mean either column: neither is read.
func (r *rows) setHeader(names []string) (ok bool) {
	count := make(map[string]int)
	r.header = make([]string, len(names))
	for i, name := range names {
		r.header[i] = fold(name)
		count[r.header[i]]++
	}
	for i, name := range r.header {
		if count[name] > 1 {
			r.header[i] = ""
		}
	}
	return count["eventname"] == 1 || count[wholeEvent] == 1
}

// row reads one row; values has a value for each column.
func (r *rows) row(at place, values []string) error {
	if len(values) != len(r.header) {
		return r.t.bad(at, fmt.Errorf("%d columns, but the header has %d", len(values), len(r.header)))
	}
	record := make(map[string]any)
	for i, name := range r.header {
		if values[i] == "" { // not in the record, or not in the export: unknown
			continue
		}
		if name == wholeEvent {
			return r.t.record(at, []byte(values[i]), 1)
		}
		path := columns[name]
		if path == nil || values[i] == "null" && len(path) == 1 && !isRaw(path[0]) && !r.complete {
			continue
		}
		if value := cell(path[len(path)-1], values[i]); value != nil {
			put(record, path, value)
		}
	}
	if r.complete {
		r.putNulls(record)
	}
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false) // or & would come out as an escape in the members that are kept as they are
	if err := enc.Encode(record); err != nil {
		return r.t.bad(at, err)
	}
	e, err := correlate.DecodeEvent(raw.Bytes())
	if err != nil {
		return r.t.bad(at, err)
	}
	return r.t.event(at, e, !r.complete || r.lacks != nil && r.lacks(record))
}

// put sets a member of nested objects. What is there already stays: a
// struct column knows better than a column of one of its leaves.
func put(o map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		inner, ok := o[path[0]].(map[string]any)
		if !ok {
			if o[path[0]] != nil {
				return
			}
			inner = make(map[string]any)
			o[path[0]] = inner
		}
		o = inner
	}
	if _, nested := o[path[0]].(map[string]any); nested || o[path[0]] == nil {
		o[path[0]] = value
	}
}

// cell is the JSON of a column's value; nil if it can't be told.
func cell(member, value string) any {
	switch member {
	case "accountId", "recipientAccountId", "vpcEndpointAccountId":
		if strings.Trim(value, "0123456789") == "" && len(value) < 12 { // a spreadsheet took it for a number
			return strings.Repeat("0", 12-len(value)) + value
		}
		return value
	case "userIdentity", "resources", "tlsDetails":
		if json.Valid([]byte(value)) {
			return json.RawMessage(value)
		}
		return structJSON(value, structs[member])
	}
	if isRaw(member) {
		if json.Valid([]byte(value)) {
			return json.RawMessage(value)
		}
		return nil // {k=v} can't be told apart from its values
	}
	return value
}

// isRaw reports whether an event keeps a member's JSON, in which a null means
// something: the call had no parameters.
func isRaw(member string) bool {
	switch member {
	case "requestParameters", "responseElements", "additionalEventData", "eventContext":
		return true
	}
	return false
}

// putNulls writes the nulls that a complete row can't show. CloudTrail writes both members into the
// record of every call, as null if there is nothing to say; only network activity events have neither
// (observed; T33).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func (r *rows) putNulls(record map[string]any) {
	if kind, _ := record["eventType"].(string); strings.HasPrefix(kind, "AwsVpceEvent") {
		return
	}
	for _, member := range []string{"requestParameters", "responseElements"} {
		if record[member] == nil && slices.Contains(r.header, strings.ToLower(member)) {
			record[member] = json.RawMessage("null")
		}
	}
}

// lake reads a row of GetQueryResults: a list of objects with one member each (T17a).
func (r *rows) lake(at place, raw []byte) error {
	var cells []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cells); err != nil {
		return r.t.bad(at, errors.New("not a row of CloudTrail Lake, which is a list of objects with one member each"))
	}
	var names, values []string
	for _, c := range cells {
		for _, name := range slices.Sorted(maps.Keys(c)) {
			names = append(names, name)
			values = append(values, plain(c[name]))
		}
	}
	if !r.setHeader(names) {
		return r.t.bad(at, errors.New("a row without an eventName column"))
	}
	return r.row(at, values)
}

// plain is the text of a JSON value: of a string what it stands for, of null nothing.
func plain(v json.RawMessage) string {
	var s *string
	if json.Unmarshal(v, &s) == nil {
		if s == nil {
			return ""
		}
		return *s
	}
	return string(v)
}

// athena reads a row of GetQueryResults, of which the first one of the first
// page is the header (T3 g).
func (r *rows) athena(at place, raw []byte) error {
	var row struct {
		Data []struct{ VarCharValue string }
	}
	if err := json.Unmarshal(raw, &row); err != nil {
		return r.t.bad(at, errors.New(`not a row of Athena, which is {"Data":[{"VarCharValue":"…"}]}`))
	}
	values := make([]string, len(row.Data))
	for i, d := range row.Data {
		values[i] = d.VarCharValue
	}
	if r.header != nil {
		return r.row(at, values)
	}
	r.t.index-- // the header isn't a record
	if !r.setHeader(values) {
		r.t.rejected = true
		return r.t.bad(at, errors.New("the first row isn't a header with an eventName column: give the first page of the result, or its CSV"))
	}
	return nil
}
