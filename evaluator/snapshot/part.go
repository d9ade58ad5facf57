package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The statuses of a part. The first four are written in snapshot.json.
const (
	statusOK      = "ok"
	statusDenied  = "denied"
	statusError   = "error"
	statusSkipped = "skipped"
	statusMissing = "missing" // said to be ok, or never mentioned, and not there
	statusBroken  = "broken"  // there, and can't be used
)

// A part is what is known of how a part was collected.
type part struct {
	status string
	reason string
	listed bool // in snapshot.json

	collectedAt time.Time // if an earlier collection got it; else zero
	regions     []string  // that were asked, if not all were
	gaps        []Gap
	only        []string // what was asked for, if not all that there is
}

func iamPart(account string) string       { return "accounts/" + account + "/iam" }
func endpointsPart(account string) string { return "accounts/" + account + "/endpoints" }
func resourcesPart(account, service string) string {
	return "accounts/" + account + "/resources/" + service
}

// isOK reports whether a part was collected and could be read, whole.
func (s *Snapshot) isOK(name string) bool {
	p := s.parts[name]
	return p != nil && p.status == statusOK
}

// has reports whether a part, of which some things only were asked for, is whole as to one of them.
func (s *Snapshot) has(name, thing string) bool {
	return s.isOK(name) && slices.Contains(s.parts[name].only, thing)
}

// isOKIn reports whether what a part has of a region was collected, whole. Where
// region is "", or a pattern, the part must be whole.
func (s *Snapshot) isOKIn(name, region string) bool {
	p := s.parts[name]
	switch {
	case p == nil || len(p.only) > 0:
		return false
	case region == "" || hasWildcard(region):
		return p.status == statusOK && len(p.regions) == 0
	case len(p.regions) > 0 && !slices.Contains(p.regions, region):
		return false
	case p.status == statusOK:
		return true
	case p.status != statusDenied && p.status != statusError:
		return false
	}
	elsewhere := func(g Gap) bool { return g.Region != "" && g.Region != region }
	return len(p.gaps) > 0 && !slices.ContainsFunc(p.gaps, func(g Gap) bool { return !elsewhere(g) })
}

// whyMissingIn is whyMissing for what a part has of a region.
func (s *Snapshot) whyMissingIn(name, region, permission string) string {
	p := s.parts[name]
	if p == nil || p.status == statusSkipped || p.status == statusMissing || p.status == statusBroken || len(p.regions) == 0 || slices.Contains(p.regions, region) {
		return s.whyMissing(name, permission)
	}
	if region == "" {
		if p.status == statusDenied || p.status == statusError { // which is told first: of the regions that were asked it lacks something, too
			return s.whyMissing(name, permission)
		}
		return fmt.Sprintf("%s is of some regions only; %s in the others would tell", name, permission)
	}
	return fmt.Sprintf("%s wasn't collected in %s; %s there would tell", name, region, permission)
}

// denied are the actions that were denied while a part was collected; otherwise if it doesn't say.
func (p *part) denied(otherwise string) string {
	var actions []string
	for _, g := range p.gaps {
		if g.Status == statusDenied && g.Action != "" && !slices.Contains(actions, g.Action) {
			actions = append(actions, g.Action)
		}
	}
	return cmp.Or(strings.Join(actions, ", "), otherwise)
}

// whyMissing says why a part isn't there, and which permission would have
// shown it: the Missing of a layer that depends on it (rule U6).
func (s *Snapshot) whyMissing(name, permission string) string {
	p := s.parts[name]
	if p == nil {
		return fmt.Sprintf("%s isn't in the snapshot; %s would tell", name, permission)
	}
	reason := ""
	if p.reason != "" {
		reason = " (" + p.reason + ")"
	}
	if p.status == statusDenied && len(p.only) > 0 { // these are asked for by other calls
		permission = p.denied(permission)
	}
	switch p.status {
	case statusDenied:
		return fmt.Sprintf("%s was denied%s", permission, reason)
	case statusError:
		return fmt.Sprintf("collecting %s failed%s; it needs %s", name, reason, permission)
	case statusSkipped:
		return fmt.Sprintf("%s was skipped%s; %s would tell", name, reason, permission)
	case statusBroken:
		return fmt.Sprintf("%s.json can't be used%s", name, reason)
	}
	return fmt.Sprintf("%s isn't in the snapshot%s; %s would tell", name, reason, permission)
}
