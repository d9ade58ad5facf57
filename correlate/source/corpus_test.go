package source

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/iamwhy/iamwhy/correlate"
)

// sharedData is the folder of recorded CloudTrail files that aren't part of the repository.
func sharedData(t *testing.T) string {
	t.Helper()
	root := os.Getenv("IAMWHY_SHARED")
	if root == "" {
		t.Skip("IAMWHY_SHARED isn't set: no recorded CloudTrail files to read")
	}
	return filepath.Join(root, "data", "cloudtrail")
}

// TestRecordedTrail reads the files of a real trail: every record, and
// no complaint.
func TestRecordedTrail(t *testing.T) {
	got := collect(t, filepath.Join(sharedData(t), "aws_dataset", "*.json"), Options{})
	ids := make(map[string]bool)
	files := make(map[string]bool)
	var identities, sessions, tls, resources, errorCodes, errorMessages, console, endpoints, shared int
	for _, e := range got.events {
		ids[e.ID] = true
		files[e.Origin.Path] = true
		if e.Time.IsZero() || e.Source == "" || e.Name == "" || e.Region == "" {
			t.Errorf("%s record %d: time, source, name or region is missing", e.Origin.Path, e.Origin.Index)
		}
		count(&identities, e.Identity.Type != "")
		count(&sessions, e.Identity.Session != nil)
		count(&tls, e.HasTLS)
		count(&resources, len(e.Resources) > 0)
		count(&errorCodes, e.ErrorCode != "")
		count(&errorMessages, e.ErrorMessage != "")
		count(&console, e.ConsoleSession)
		count(&endpoints, e.VPCEndpointID != "")
		count(&shared, e.SharedID != "")
	}
	if len(got.errs) > 0 {
		t.Errorf("complaints: %v", got.errs)
	}
	// The counts are those of T26 and T27.
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"events", len(got.events), 2900}, {"distinct events", len(ids), 2900}, {"files", len(files), 55},
		{"userIdentity.type", identities, 2858}, {"tlsDetails", tls, 2295}, {"resources", resources, 693},
		{"errorCode", errorCodes, 300}, {"errorMessage", errorMessages, 296}, {"console", console, 256},
		{"vpcEndpointId", endpoints, 155}, {"sharedEventID", shared, 36},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
}

// TestRecordedArrays reads records in JSON arrays.
func TestRecordedArrays(t *testing.T) {
	got := collect(t, filepath.Join(sharedData(t), "stratus-red-team", "*.json"), Options{})
	if n := len(got.events); n < 310 || n > 312 || len(got.errs) > 0 {
		t.Errorf("%d events and %v, want 310 to 312 events", n, got.errs)
	}
}

// TestRecordedSamples reads events that were cut down or altered by hand.
func TestRecordedSamples(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedData(t), "panther-analysis", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(data) {
		var sample struct{ Event json.RawMessage }
		if err := json.Unmarshal(line, &sample); err != nil {
			t.Fatal(err)
		}
		if _, err := correlate.DecodeEvent(sample.Event); err != nil {
			t.Errorf("%.100s: %v", sample.Event, err)
		}
		n++
	}
	if n != 432 {
		t.Errorf("%d samples, want 432", n)
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}
