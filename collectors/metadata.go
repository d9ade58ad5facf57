package collectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// metadataFile says how the other files were collected.
const metadataFile = "snapshot.json"

// formatVersion is the version of the format that this package writes.
const formatVersion = 1

// A metadata is snapshot.json.
type metadata struct {
	FormatVersion int                   `json:"formatVersion"`
	CollectedAt   string                `json:"collectedAt"` // RFC 3339, UTC
	CollectedBy   string                `json:"collectedBy"` // the caller's ARN
	Parts         map[string]partRecord `json:"parts"`
}

// A partRecord says how a part was collected.
type partRecord struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// CollectedAt is set for a part that an earlier collection got, and this one wasn't asked for.
	CollectedAt string `json:"collectedAt,omitempty"`
	// Regions are those that were asked, if they were given; else all that the account has enabled were.
	Regions []string `json:"regions,omitempty"`
	// Only are the users, roles, resources or accounts that were asked for, if not all that there are.
	Only []string `json:"only,omitempty"`
	// NotOffered are regions in which the service has no endpoint.
	NotOffered []string `json:"notOffered,omitempty"`
	Gaps       []gap    `json:"gaps,omitempty"`
}

// readMetadata reads the snapshot.json of a folder; none is no error, and nil.
func readMetadata(folder string) (*metadata, error) {
	name := filepath.Join(folder, metadataFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the snapshot that is there: %w", err)
	}
	var m metadata
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w; mend it, or collect into another folder", name, err)
	}
	if m.FormatVersion != formatVersion {
		return nil, fmt.Errorf("%s: format version %d isn't known: this iamwhy writes version %d; collect into another folder, or with the iamwhy that made it", name, m.FormatVersion, formatVersion)
	}
	return &m, nil
}

// record makes a part's record of the gaps that it has.
func record(gaps []gap, regions []string) partRecord {
	r := partRecord{Status: statusOK, Regions: regions}
	for _, g := range gaps {
		if g.notOffered {
			r.NotOffered = append(r.NotOffered, g.Region)
			continue
		}
		r.Gaps = append(r.Gaps, g)
	}
	slices.Sort(r.NotOffered)
	r.NotOffered = slices.Compact(r.NotOffered)
	slices.SortFunc(r.Gaps, gap.compare)
	r.Gaps = slices.CompactFunc(r.Gaps, func(a, b gap) bool { return a.compare(b) == 0 })
	if len(r.Gaps) == 0 {
		return r
	}
	worst := r.Gaps[0] // an error comes before a denial
	r.Status, r.Reason = worst.Status, worst.text()
	if more := len(r.Gaps) - 1; more == 1 {
		r.Reason += "; and 1 more call"
	} else if more > 1 {
		r.Reason += fmt.Sprintf("; and %d more calls", more)
	}
	return r
}

// of adds what a part was collected for.
func (r partRecord) of(p *part) partRecord {
	r.Only = p.only
	return r
}

// accountOf is the account that a part of snapshot.json is of; "" if it is the organisation's.
func accountOf(partName string) string {
	rest, ok := strings.CutPrefix(partName, "accounts/")
	if !ok {
		return ""
	}
	account, _, _ := strings.Cut(rest, "/")
	return account
}

// stamp is a time as snapshot.json has it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
