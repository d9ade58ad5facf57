package render

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/iamwhy/iamwhy/correlate"
	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/apicall"
)

// TestDenialJSON: a denied call is written as encoding/json would write it, whatever is in it.
func TestDenialJSON(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`), rapid.StringOf(rapid.Rune()),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", `say "no"`, `a\b`, "<&>", "\x7f", "\u2028\u202e", "a\tb\nc\x00", "\xff", "\U000e0001", "arn:aws:s3:::b/k"}))
	texts := rapid.SliceOfN(text, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		d := correlate.Denial{Code: text.Draw(t, "code"), Message: correlate.Message{Text: text.Draw(t, "message")}}
		if rapid.Bool().Draw(t, "recorded") {
			d.Event = &correlate.Event{ID: text.Draw(t, "id"), Source: text.Draw(t, "source"), Name: text.Draw(t, "name"),
				Time: time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "time"), 0), Identity: correlate.Identity{ARN: text.Draw(t, "arn")}}
		}
		var requests []correlate.Request
		for range rapid.IntRange(0, 3).Draw(t, "requests") {
			r := correlate.Request{ActionSource: apicall.FromName, ResourceSource: apicall.Source(text.Draw(t, "from")), Required: rapid.Bool().Draw(t, "required")}
			r.Action = rapid.OneOf(rapid.Just("s3:GetObject"), text).Draw(t, "action")
			r.Resource = evaluator.Resource{ARN: text.Draw(t, "resource"), Pattern: rapid.Bool().Draw(t, "pattern")}
			r.Context.Open = rapid.Bool().Draw(t, "open")
			for range rapid.IntRange(0, 5).Draw(t, "keys") {
				r.Context.Put(evaluator.ContextValue{
					Name: text.Draw(t, "key"), State: evaluator.KeyState(rapid.IntRange(0, 4).Draw(t, "state")), Values: texts.Draw(t, "values"),
					Pattern: rapid.Bool().Draw(t, "partly"),
				})
			}
			requests = append(requests, r)
		}
		d = d.WithRequests(requests...)
		want, err := marshal(denialOf(d), "-")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(appendDenial(nil, d))); diff != "" {
			t.Errorf("(-encoding/json +ours):\n%s", diff)
		}
	})
}

// The JSON of a denied call, as encoding/json would have it.
type (
	jsonDenial struct {
		Time      string              `json:"time"`
		EventID   string              `json:"eventId"`
		Principal string              `json:"principal"`
		Service   string              `json:"service"`
		EventName string              `json:"eventName"`
		ErrorCode string              `json:"errorCode"`
		Message   string              `json:"message"`
		Requests  []jsonDeniedRequest `json:"requests"`
	}
	jsonDeniedRequest struct {
		Action          string              `json:"action"`
		Resources       []string            `json:"resources"`
		ResourcePattern bool                `json:"resourcePattern,omitempty"`
		Context         map[string][]string `json:"context"`
		Unknown         []string            `json:"unknown"`
		Required        bool                `json:"required"`
		ActionSource    string              `json:"actionSource"`
		ResourceSource  string              `json:"resourceSource"`
	}
)

func denialOf(d correlate.Denial) jsonDenial {
	cells := row(d)
	out := jsonDenial{
		Time: cells[0], Principal: cells[1], EventID: cells[2], Service: cells[3], EventName: cells[4], ErrorCode: cells[5], Message: cells[6],
		Requests: []jsonDeniedRequest{},
	}
	for _, q := range d.Requests() {
		r := requestOf(q.Request)
		out.Requests = append(out.Requests, jsonDeniedRequest{
			r.Action, r.Resources, r.ResourcePattern, r.Context, list(q.Unknown()), q.Required, string(q.ActionSource), string(q.ResourceSource),
		})
	}
	return out
}
