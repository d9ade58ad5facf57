package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRegionIn(t *testing.T) {
	const text = `# a comment
[default]
output = json
region = eu-west-1
s3 =
  region = indented
[profile  dev ]
region=eu-central-1 
[profile none]
[sso-session dev]
region = us-east-1
`
	for profile, want := range map[string]string{"": "eu-west-1", "default": "eu-west-1", "dev": "eu-central-1", "none": "", "other": ""} {
		if got := regionIn(strings.ReplaceAll(text, "\n", "\r\n"), profile); got != want {
			t.Errorf("profile %q: region %q, want %q", profile, got, want)
		}
	}
	if got := regionIn("[profile default]\nregion = eu-west-3", ""); got != "eu-west-3" {
		t.Errorf("[profile default]: region %q", got)
	}
}

func TestReadParameterFile(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, maxParameterFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{large: "is larger than", dir: "isn't a regular file", filepath.Join(dir, "no"): "no such file"} {
		if _, err := readParameterFile(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
