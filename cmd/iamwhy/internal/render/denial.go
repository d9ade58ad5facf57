package render

import (
	"time"

	"github.com/iamwhy/iamwhy/correlate"
)

// row returns a denied call as the cells of the columns.
func row(d correlate.Denial) []string {
	e := d.Event
	if e == nil {
		return []string{"", d.Principal.ARN, "", "", d.Message.Operation, d.Code, d.Message.Text}
	}
	return []string{timeText(e.Time), caller(d), e.ID, e.Source, e.Name, d.Code, text(d)}
}

// text is AWS's message: that of the denial, which in a batch isn't the event's.
func text(d correlate.Denial) string {
	if d.Message.Text == "" && d.Event != nil {
		return d.Event.ErrorMessage
	}
	return d.Message.Text
}

// caller is the best that an event says of who called: not every identity has an ARN (T107).
func caller(d correlate.Denial) string {
	for _, name := range []string{d.Event.Identity.ARN, d.Principal.ARN, d.Event.Identity.PrincipalID, d.Event.Identity.InvokedBy, d.Event.Identity.UserName} {
		if name != "" {
			return name
		}
	}
	return d.Event.Identity.Type
}

// timeText is a time in UTC as RFC 3339 has it; "" for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
