package source

import (
	"os"
	"testing"
)

// TestMeantBy is of sources that look like one of another kind (product.md §3).
func TestMeantBy(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"s3:/b/p", "s3://b/p"},
		{"s3:b", "s3://b"},
		{"S3://b/AWSLogs/", "s3://b/AWSLogs/"},
		{"s3:", "s3://BUCKET/PREFIX"},
		{"s3", "s3://BUCKET/PREFIX"},
		{"arn:aws:s3:::b/p", "s3://b/p"},
		{"lookup", "lookup:, lookup:REGION,..."},
		{"Lookup:eu-west-1", "lookup:eu-west-1"},
		{"lokup:eu-west-1", "lookup:, lookup:REGION,..."},
		{"ATHENA:primary/db.t", "athena:primary/db.t"},
		{"athna:primary/db.t", "athena:WORKGROUP/DATABASE.TABLE"},
		{"lake", "lake:EVENT-DATA-STORE"},
		{"logs", ""},
		{"https://example.com/x", ""},
		{`C:\logs`, ""},
		{"s4:x", ""},
		{"", ""},
		{":", ""},
	} {
		if got := meantBy(tt.src); got != tt.want {
			t.Errorf("meantBy(%q): got %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestOpenMistyped(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Open(t.Context(), "s3:/b\x1b", Options{})
	if want := `"s3:/b\x1b": no such file or directory; to read another kind of source, write s3://"b\x1b"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// A file that has such a name is meant.
	if err := os.WriteFile("lake", []byte(`{"Records":[]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "lake", Options{}); err != nil {
		t.Error(err)
	}
}
