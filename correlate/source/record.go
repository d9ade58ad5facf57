package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/correlate"
)

// maxWrapping is how deep a record may be wrapped in envelopes; an EventBridge
// envelope in a CloudWatch Logs event is the most that is useful.
const maxWrapping = 4

const (
	controlMessage = "CloudWatch Logs control message"
	digestFile     = "digest file, which has no events"
)

var errNotification = errors.New("an S3, SNS or SQS notification: it tells of a log file and has no events; read the log file")

// record reads one object, unless it can't matter.
func (t *text) record(at place, raw []byte, depth int) error {
	if !matters(raw, t.in.opts.Query.Want) {
		t.see()
		return nil
	}
	return t.decode(at, raw, depth)
}

// decode reads one object: an event, or an envelope with one inside (T3).
func (t *text) decode(at place, raw []byte, depth int) error {
	e, err := correlate.DecodeEvent(raw)
	if err == nil {
		return t.event(at, e, false)
	}
	var o envelope
	if depth > maxWrapping || json.Unmarshal(raw, &o) != nil {
		return t.bad(at, err)
	}
	switch {
	case notACall(o.text("eventCategory"), o.text("eventType")) != "":
		return t.skip(notACall(o.text("eventCategory"), o.text("eventType")))
	case o.has("detail", '{'):
		return t.eventBridge(at, o)
	case o.has("eventData", '{'):
		return t.partner(at, o)
	case o.has("CloudTrailEvent", '"'):
		return t.inside(at, o.text("CloudTrailEvent"), depth)
	case strings.HasPrefix(o.text("message"), "CWL CONTROL MESSAGE"):
		return t.skip(controlMessage)
	case o.has("message", '"') && o["timestamp"] != nil:
		return t.inside(at, o.text("message"), depth)
	case o["digestStartTime"] != nil && o["logFiles"] != nil:
		return t.skip(digestFile)
	case o.isNotification():
		return t.notification(at)
	}
	return t.bad(at, err)
}

// inside reads a record that is a string in its envelope (T3 c, h, i).
func (t *text) inside(at place, content string, depth int) error {
	if !strings.HasPrefix(strings.TrimSpace(content), "{") {
		return t.bad(at, fmt.Errorf("no CloudTrail record, but the text %s", quoteShort([]byte(content))))
	}
	return t.record(at, []byte(content), depth+1)
}

// readRecord reads the text of a record that an API gave.
func (o Options) readRecord(t *text, at place, record string) error {
	o.Progress.DecompressedBytes.Add(int64(len(record)))
	if int64(len(record)) > o.MaxRecord {
		return t.bad(at, tooLong(int64(len(record)), o.MaxRecord))
	}
	return t.inside(at, record, 0)
}

// eventBridge reads an EventBridge envelope. What it repeats of the
// event stands in where the event doesn't have it (T3 d).
func (t *text) eventBridge(at place, o envelope) error {
	e, err := correlate.DecodeEvent(o["detail"])
	if err != nil {
		var detail envelope
		if json.Unmarshal(o["detail"], &detail) == nil {
			if what := notACall(detail.text("eventCategory"), detail.text("eventType")); what != "" {
				return t.skip(what)
			}
		}
		return t.bad(at, fmt.Errorf("EventBridge event %s: detail: %w", quoteShort([]byte(o.text("detail-type"))), err))
	}
	fill(&e.RecipientAccount, o.text("account"))
	fill(&e.Region, o.text("region"))
	fill(&e.ID, o.text("id"))
	fillTime(&e.Time, o.text("time"))
	return t.event(at, e, false)
}

// partner reads an event that another product put into CloudTrail Lake (T3 k).
func (t *text) partner(at place, o envelope) error {
	e, err := correlate.DecodeEvent(o["eventData"])
	if err != nil {
		return t.bad(at, fmt.Errorf("eventData: %w", err))
	}
	fill(&e.Region, o.text("awsRegion"))
	fill(&e.RecipientAccount, o.text("recipientAccountId"))
	fill(&e.ID, o.text("eventID"))
	fill(&e.Category, o.text("eventCategory"))
	fill(&e.Type, o.text("eventType"))
	fillTime(&e.Time, o.text("eventTime"))
	return t.event(at, e, false)
}

func fill(field *string, fallback string) {
	if *field == "" {
		*field = fallback
	}
}

func fillTime(field *time.Time, fallback string) {
	if parsed, err := time.Parse(time.RFC3339, fallback); field.IsZero() && err == nil {
		*field = parsed.UTC()
	}
}

// An envelope is an object that isn't an event.
type envelope map[string]json.RawMessage

// has reports whether o has a member whose value begins with first.
func (o envelope) has(name string, first byte) bool {
	v := o[name]
	return len(v) > 0 && v[0] == first
}

// text is a member that is a string.
func (o envelope) text(name string) string {
	var s string
	if o.has(name, '"') {
		_ = json.Unmarshal(o[name], &s) // it is valid, being part of o
	}
	return s
}

// isNotification reports whether o tells of a log file (T3 b).
func (o envelope) isNotification() bool {
	return o.has("s3", '{') || o.has("Sns", '{') || o.has("body", '"') ||
		o.text("Type") == "Notification" && o["TopicArn"] != nil
}

// quoteShort quotes the begin of untrusted text.
func quoteShort(text []byte) string {
	const most = 80
	if len(text) > most {
		return strconv.QuoteToASCII(string(text[:most])) + "…"
	}
	return strconv.QuoteToASCII(string(text))
}
