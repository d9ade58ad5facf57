package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Collection is what came of collecting a snapshot.
type Collection struct {
	Folder      string // where the snapshot is
	CollectedBy string // ARN
	Written     bool   // false if nothing at all was got, and the folder is as it was
	Parts       []CollectedPart
	Dropped     []string // accounts that left the organisation, and the snapshot
}

// A CollectedPart is one part of it.
type CollectedPart struct {
	Account string // "" for the organisation's
	Part    string
	Status  string // ok, denied, error or skipped
	Reason  string
	Kept    string // when an earlier collection got it, if this one wasn't asked to
}

// WriteCollection writes a collection in the named format; if there is no such format it is an error that lists them.
func WriteCollection(format string, w io.Writer, opts Options, c Collection) error {
	switch format {
	case "text":
		return (&textCollection{page{w: w, opts: opts}}).collection(c)
	case "json":
		return jsonCollectionOf(w, c)
	}
	return fmt.Errorf("unknown output %q: have text, json", format)
}

// A textCollection writes a line an account: how many parts are ok, and which aren't.
type textCollection struct{ page }

// statusStyles are the statuses whose parts are named, in this order, and how each looks.
var statusStyles = []struct {
	status string
	style  style
}{{"error", bad}, {"denied", doubtful}}

func (t *textCollection) collection(c Collection) error {
	for _, parts := range byAccount(c.Parts) {
		t.account(parts)
	}
	t.reasons(c.Parts)
	for _, account := range c.Dropped {
		t.line(0, span{"account " + account + " is no longer in the organisation, nor in the snapshot", plain})
	}
	ok, bad := 0, 0
	for _, p := range c.Parts {
		switch p.Status {
		case "ok":
			ok++
		case "denied", "error":
			bad++
		}
	}
	switch {
	case !c.Written:
		t.line(0, span{"nothing was got: no snapshot was written, and " + c.Folder + " is as it was", strong})
	case bad > 0:
		t.line(0, span{fmt.Sprintf("%s: %s whole, %d not: what depends on those is unknown", c.Folder, number(ok, "part"), bad), strong})
	default:
		t.line(0, span{fmt.Sprintf("%s: %s, all whole", c.Folder, number(ok, "part")), strong})
	}
	return t.err
}

// byAccount are the parts by account, which they are sorted by.
func byAccount(parts []CollectedPart) [][]CollectedPart {
	var all [][]CollectedPart
	for _, p := range parts {
		if n := len(all); n > 0 && all[n-1][0].Account == p.Account {
			all[n-1] = append(all[n-1], p)
			continue
		}
		all = append(all, []CollectedPart{p})
	}
	return all
}

func (t *textCollection) account(parts []CollectedPart) {
	kept := 0
	words := make(map[string][]string)
	for _, p := range parts {
		words[p.Status] = append(words[p.Status], p.Part)
		if p.Kept != "" {
			kept++
		}
	}
	line := []span{{fmt.Sprintf("%-12s  %3d ok", cmp.Or(parts[0].Account, "organisation"), len(words["ok"])), plain}}
	for _, s := range statusStyles {
		if len(words[s.status]) > 0 {
			line = append(line, span{"   " + s.status, s.style}, span{" " + strings.Join(words[s.status], ", "), plain})
		}
	}
	if n := len(words["skipped"]); n > 0 {
		line = append(line, span{fmt.Sprintf("   %d skipped", n), faint})
	}
	if kept > 0 {
		line = append(line, span{fmt.Sprintf("   (%d of an earlier collection)", kept), faint})
	}
	t.line(0, line...)
}

// reasonsAtOnce is how many reasons are told without -v; snapshot.json has them all.
const reasonsAtOnce = 5

// reasons says why parts were denied or failed, each reason once.
func (t *textCollection) reasons(parts []CollectedPart) {
	var told []string
	left := 0
	for _, p := range parts {
		if p.Status != "denied" && p.Status != "error" || slices.Contains(told, p.Reason) {
			continue
		}
		if len(told) == reasonsAtOnce && !t.opts.Verbose {
			left++
			continue
		}
		told = append(told, p.Reason)
		t.line(2, span{p.Part + " of " + cmp.Or(p.Account, "the organisation") + ": ", faint}, span{p.Reason, plain})
	}
	if left > 0 {
		t.line(2, span{number(left, "further reason") + " (-v tells them, and snapshot.json)", faint})
	}
}

// The JSON form is a contract: fields are added, never renamed. A list is never null.
type (
	jsonCollection struct {
		Folder      string              `json:"folder"`
		CollectedBy string              `json:"collectedBy"`
		Written     bool                `json:"written"`
		Parts       []jsonCollectedPart `json:"parts"`
		Dropped     []string            `json:"dropped"`
	}
	jsonCollectedPart struct {
		Account     string `json:"account"`
		Part        string `json:"part"`
		Status      string `json:"status"`
		Reason      string `json:"reason,omitempty"`
		CollectedAt string `json:"collectedAt,omitempty"`
	}
)

func jsonCollectionOf(w io.Writer, c Collection) error {
	out := jsonCollection{Folder: c.Folder, CollectedBy: c.CollectedBy, Written: c.Written, Parts: []jsonCollectedPart{}, Dropped: append([]string{}, c.Dropped...)}
	for _, p := range c.Parts {
		out.Parts = append(out.Parts, jsonCollectedPart{Account: p.Account, Part: p.Part, Status: p.Status, Reason: p.Reason, CollectedAt: p.Kept})
	}
	text, err := marshal(out, "")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text+"\n")
	return err
}
