package awsfake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A CloudTrail is event history and CloudTrail Lake. Its fields aren't for change once calls are made.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
type CloudTrail struct {
	Now time.Time // of the service's clock; zero is the real one's
	// Events are records as CloudTrail writes them, by region. What isn't a record is given as it is.
	Events map[string][]string

	Stores []EventDataStore
	// Query answers a Lake query; nil is a query without rows.
	Query func(statement string) LakeQuery

	mu      sync.Mutex
	queries map[string]*runningQuery
}

// An EventDataStore is one of Lake's.
type EventDataStore struct {
	Region, Name, ID string
	Status           string // "" is ENABLED
}

// ARN is the store's.
func (s EventDataStore) ARN() string {
	return "arn:aws:cloudtrail:" + s.Region + ":" + Account + ":eventdatastore/" + s.ID
}

// A LakeQuery is what becomes of a query.
type LakeQuery struct {
	Refuse Reply                 // of StartQuery, if it isn't the zero Reply
	States []string              // that DescribeQuery tells one after the other, the last one for ever; nil is QUEUED, RUNNING, FINISHED
	Error  string                // of a query that fails
	Rows   [][]map[string]string // a map with one member for each column
	Bytes  int64                 // scanned
}

type runningQuery struct {
	LakeQuery
	asked int
}

// Operations returns the rows of CloudTrail.
func (ct *CloudTrail) Operations() (string, map[string]Handler) {
	return "cloudtrail", map[string]Handler{
		"LookupEvents":        ct.lookupEvents,
		"StartQuery":          ct.startQuery,
		"DescribeQuery":       ct.describeQuery,
		"GetQueryResults":     ct.getQueryResults,
		"CancelQuery":         ct.cancelQuery,
		"ListEventDataStores": ct.listEventDataStores,
	}
}

// Seconds is a time as AWS's JSON protocols write it.
func Seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func fromSeconds(s float64) time.Time { return time.UnixMilli(int64(s * 1000)).UTC() }

// history is how far back LookupEvents goes.
const history = 90 * 24 * time.Hour

type lookupInput struct {
	StartTime, EndTime *float64
	LookupAttributes   []struct{ AttributeKey, AttributeValue string }
	EventCategory      string
	MaxResults         *int
	NextToken          string
}

// lookupEvents gives the management events of the last 90 days, newest first.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func (ct *CloudTrail) lookupEvents(c *Call) Reply {
	var in lookupInput
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	size := 50
	switch {
	case in.MaxResults != nil && (*in.MaxResults < 1 || *in.MaxResults > size):
		return Error("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
	case in.StartTime != nil && in.EndTime != nil && *in.EndTime < *in.StartTime:
		return Error("InvalidTimeRangeException", "The start time must be before the end time.")
	case len(in.LookupAttributes) > 1:
		return Error("InvalidLookupAttributesException", "The list of lookup attributes can contain only one item.")
	case in.MaxResults != nil:
		size = *in.MaxResults
	}
	var attribute func(*lookupEvent) []string
	value := ""
	if len(in.LookupAttributes) == 1 {
		attribute, value = lookupAttributes[in.LookupAttributes[0].AttributeKey], in.LookupAttributes[0].AttributeValue
		if attribute == nil || value == "" {
			return Error("InvalidLookupAttributesException", "You specified an invalid lookup attribute.")
		}
	}
	now := ct.Now
	if now.IsZero() {
		now = time.Now()
	}
	var found []*lookupEvent
	for _, raw := range ct.Events[c.Region] {
		e := newLookupEvent(raw, now)
		switch {
		case !e.management || e.at.Before(now.Add(-history)) || e.at.After(now):
		case in.StartTime != nil && e.at.Before(fromSeconds(*in.StartTime)), in.EndTime != nil && e.at.After(fromSeconds(*in.EndTime)):
		case attribute != nil && !slices.Contains(attribute(e), value):
		default:
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b *lookupEvent) int { return b.at.Compare(a.at) })
	page, next, bad := pageOf(found, in.NextToken, size, in)
	if bad != nil {
		return *bad
	}
	out := map[string]any{"Events": page}
	if next != "" {
		out["NextToken"] = next
	}
	return JSON(out)
}

// pageOf cuts a page out of a list. A token is valid only with the parameters it was given for.
func pageOf[T any](list []T, token string, size int, in lookupInput) (page []T, next string, bad *Reply) {
	in.NextToken = ""
	hash := fnv.New32()
	_, _ = hash.Write(JSON(in).Body) // a hash takes everything
	prefix := strconv.FormatUint(uint64(hash.Sum32()), 16) + "-"
	from := 0
	if token != "" {
		at, ok := strings.CutPrefix(token, prefix)
		n, err := strconv.Atoi(at)
		if !ok || err != nil || n < 0 || n > len(list) {
			r := Error("InvalidNextTokenException", "A token that is used with other parameters than it was given for, or that no call gave.")
			return nil, "", &r
		}
		from = n
	}
	end := min(from+size, len(list))
	if end < len(list) {
		next = prefix + strconv.Itoa(end)
	}
	return list[from:end], next, nil
}

// A lookupEvent is an item of LookupEvents's answer.
type lookupEvent struct {
	EventID         string `json:"EventId"`
	EventName       string
	ReadOnly        string
	AccessKeyID     string `json:"AccessKeyId,omitempty"`
	EventTime       float64
	EventSource     string
	Username        string `json:",omitempty"`
	Resources       []lookupResource
	CloudTrailEvent string

	at         time.Time
	management bool
}

type lookupResource struct{ ResourceType, ResourceName string }

// newLookupEvent says of a record what LookupEvents does. What isn't a record happened an hour ago.
func newLookupEvent(raw string, now time.Time) *lookupEvent {
	var r struct {
		EventID, EventName, EventSource, EventCategory string
		EventTime                                      time.Time
		ReadOnly                                       any
		ManagementEvent                                *bool
		UserIdentity                                   struct{ Type, ARN, UserName, AccessKeyID string }
		Resources                                      []struct{ ARN, Type string }
		ResponseElements                               json.RawMessage
	}
	if json.Unmarshal([]byte(raw), &r) != nil {
		r.EventTime, r.EventCategory = now.Add(-time.Hour), ""
	}
	e := &lookupEvent{
		EventID: r.EventID, EventName: r.EventName, EventSource: r.EventSource, CloudTrailEvent: raw,
		AccessKeyID: r.UserIdentity.AccessKeyID, ReadOnly: fmt.Sprint(r.ReadOnly), Resources: []lookupResource{},
		EventTime: Seconds(r.EventTime), at: r.EventTime,
		management: r.EventCategory == "Management" || r.EventCategory == "" && (r.ManagementEvent == nil || *r.ManagementEvent),
	}
	switch id := r.UserIdentity; id.Type {
	case "Root":
		e.Username = "root"
	case "AssumedRole", "FederatedUser": // the session's name [assumed; cloudtrail.md T14]
		e.Username = id.ARN[strings.LastIndexByte(id.ARN, '/')+1:]
	default:
		e.Username = id.UserName
	}
	for _, x := range r.Resources {
		e.Resources = append(e.Resources, lookupResource{x.Type, x.ARN})
	}
	var made struct {
		Credentials     struct{ AccessKeyID string }
		AssumedRoleUser struct{ ARN string }
	}
	if json.Unmarshal(r.ResponseElements, &made) == nil && made.Credentials.AccessKeyID != "" { // observed of AssumeRole
		arn := made.AssumedRoleUser.ARN
		e.Resources = append(e.Resources, lookupResource{"AWS::IAM::AccessKey", made.Credentials.AccessKeyID},
			lookupResource{"AWS::STS::AssumedRole", arn}, lookupResource{"AWS::STS::AssumedRole", arn[strings.LastIndexByte(arn, '/')+1:]})
	}
	return e
}

// lookupAttributes are the attributes that LookupEvents knows, in their spelling.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupAttribute.html
var lookupAttributes = map[string]func(*lookupEvent) []string{
	"AccessKeyId": func(e *lookupEvent) []string { return []string{e.AccessKeyID} },
	"EventId":     func(e *lookupEvent) []string { return []string{e.EventID} },
	"EventName":   func(e *lookupEvent) []string { return []string{e.EventName} },
	"EventSource": func(e *lookupEvent) []string { return []string{e.EventSource} },
	"ReadOnly":    func(e *lookupEvent) []string { return []string{e.ReadOnly} },
	"Username":    func(e *lookupEvent) []string { return []string{e.Username} },
	"ResourceName": func(e *lookupEvent) []string {
		return e.resources(func(r lookupResource) string { return r.ResourceName })
	},
	"ResourceType": func(e *lookupEvent) []string {
		return e.resources(func(r lookupResource) string { return r.ResourceType })
	},
}

func (e *lookupEvent) resources(part func(lookupResource) string) []string {
	var parts []string
	for _, r := range e.Resources {
		parts = append(parts, part(r))
	}
	return parts
}

// fromStore finds the store of a statement.
var fromStore = regexp.MustCompile(`(?i)\bFROM\s+(\S+)`)

// startQuery begins a query of a store of the region.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartQuery.html
func (ct *CloudTrail) startQuery(c *Call) Reply {
	var in struct{ QueryStatement string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	m := fromStore.FindStringSubmatch(in.QueryStatement)
	if m == nil {
		return Error("InvalidQueryStatementException", "The query statement has no FROM.")
	}
	i := slices.IndexFunc(ct.Stores, func(s EventDataStore) bool { return s.ID == m[1] && s.Region == c.Region })
	switch {
	case i < 0:
		return Error("EventDataStoreNotFoundException", "The specified event data store was not found.")
	case ct.Stores[i].status() != "ENABLED":
		return Error("InactiveEventDataStoreException", "The event data store is inactive.")
	}
	q := &runningQuery{}
	if ct.Query != nil {
		q.LakeQuery = ct.Query(in.QueryStatement)
	}
	if q.Refuse.code != "" || q.Refuse.Status != 0 {
		return q.Refuse
	}
	if q.States == nil {
		q.States = []string{"QUEUED", "RUNNING", "FINISHED"}
	}
	ct.mu.Lock()
	defer ct.mu.Unlock()
	if ct.queries == nil {
		ct.queries = make(map[string]*runningQuery)
	}
	id := fmt.Sprintf("a1b2c3d4-0000-4000-8000-%012d", len(ct.queries)+1)
	ct.queries[id] = q
	return JSON(map[string]string{"QueryId": id})
}

func (s EventDataStore) status() string { return cmp.Or(s.Status, "ENABLED") }

// state is the query's; each look at it brings it one further.
func (q *runningQuery) state(look bool) string {
	state := q.States[min(q.asked, len(q.States)-1)]
	if look {
		q.asked++
	}
	return state
}

// query reads which query a call is about. ct.mu is held.
func (ct *CloudTrail) query(c *Call, in any, id *string) (*runningQuery, *Reply) {
	if bad := c.Decode(in); bad != nil {
		return nil, bad
	}
	q := ct.queries[*id]
	if q == nil {
		r := Error("QueryIdNotFoundException", "The query ID does not exist or does not map to a query.")
		return nil, &r
	}
	return q, nil
}

// describeQuery tells how a query does.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeQuery.html
func (ct *CloudTrail) describeQuery(c *Call) Reply {
	ct.mu.Lock()
	defer ct.mu.Unlock()
	var in struct{ QueryID string }
	q, bad := ct.query(c, &in, &in.QueryID)
	if bad != nil {
		return *bad
	}
	out := map[string]any{"QueryId": in.QueryID, "QueryStatus": q.state(true), "QueryStatistics": map[string]any{"BytesScanned": q.Bytes, "EventsMatched": len(q.Rows)}}
	if q.Error != "" && out["QueryStatus"] == "FAILED" {
		out["ErrorMessage"] = q.Error
	}
	return JSON(out)
}

// getQueryResults gives a page of a query's rows.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html
func (ct *CloudTrail) getQueryResults(c *Call) Reply {
	ct.mu.Lock()
	defer ct.mu.Unlock()
	var in struct {
		QueryID         string
		MaxQueryResults *int
		NextToken       string
	}
	q, bad := ct.query(c, &in, &in.QueryID)
	if bad != nil {
		return *bad
	}
	size := 1000
	if in.MaxQueryResults != nil {
		if *in.MaxQueryResults < 1 || *in.MaxQueryResults > size {
			return Error("InvalidMaxResultsException", "MaxQueryResults must be between 1 and 1000.")
		}
		size = *in.MaxQueryResults
	}
	out := map[string]any{"QueryStatus": q.state(false)}
	if out["QueryStatus"] != "FINISHED" {
		return JSON(out)
	}
	page, next, bad := pageOf(q.Rows, in.NextToken, size, lookupInput{})
	if bad != nil {
		return *bad
	}
	out["QueryResultRows"] = page
	out["QueryStatistics"] = map[string]any{"BytesScanned": q.Bytes, "ResultsCount": len(page), "TotalResultsCount": len(q.Rows)}
	if next != "" {
		out["NextToken"] = next
	}
	return JSON(out)
}

// cancelQuery stops a query that has not ended.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CancelQuery.html
func (ct *CloudTrail) cancelQuery(c *Call) Reply {
	ct.mu.Lock()
	defer ct.mu.Unlock()
	var in struct{ QueryID string }
	q, bad := ct.query(c, &in, &in.QueryID)
	if bad != nil {
		return *bad
	}
	if state := q.state(false); state != "QUEUED" && state != "RUNNING" {
		return Error("InactiveQueryException", "The specified query cannot be canceled because it is in the FINISHED, FAILED, TIMED_OUT, or CANCELLED state.")
	}
	q.States = []string{"CANCELLED"}
	return JSON(map[string]string{"QueryId": in.QueryID, "QueryStatus": "CANCELLED"})
}

// listEventDataStores lists the stores of the region, one a page: what follows a page is easily forgotten.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListEventDataStores.html
func (ct *CloudTrail) listEventDataStores(c *Call) Reply {
	var in struct{ NextToken string }
	if bad := c.Decode(&in); bad != nil {
		return *bad
	}
	list := []map[string]any{}
	for _, s := range ct.Stores {
		if s.Region == c.Region {
			list = append(list, map[string]any{"EventDataStoreArn": s.ARN(), "Name": s.Name, "Status": s.status()})
		}
	}
	page, next, bad := pageOf(list, in.NextToken, 1, lookupInput{})
	if bad != nil {
		return *bad
	}
	out := map[string]any{"EventDataStores": page}
	if next != "" {
		out["NextToken"] = next
	}
	return JSON(out)
}
