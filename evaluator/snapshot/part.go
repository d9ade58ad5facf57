package snapshot

import "fmt"

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
