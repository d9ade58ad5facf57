package policy

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/iamwhy/iamwhy/evaluator/internal/jsontree"
)

// shared is the directory of published policies that aren't ours to keep here.
func shared(t *testing.T) fs.FS {
	t.Helper()
	dir := os.Getenv("IAMWHY_SHARED")
	if dir == "" {
		t.Skip("IAMWHY_SHARED isn't set: it names the directory with data/policies")
	}
	return os.DirFS(dir)
}

// brokenFile is the one published policy that is no JSON: it has a comment
// where a comma or the end of the list should be.
const brokenFile = "deny-service-specific-credential-by-type.json"

func TestPublishedFiles(t *testing.T) {
	fsys := shared(t)
	for dir, want := range map[string]int{
		"data/policies/service-control-policy-examples":  57,
		"data/policies/resource-control-policy-examples": 23,
		"data/policies/data-perimeter-policy-examples":   29,
	} {
		found := 0
		err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || path.Ext(name) != ".json" {
				return err
			}
			found++
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			doc, err := Parse(name, data)
			if path.Base(name) == brokenFile {
				checkBroken(t, name, err)
				return nil
			}
			if err != nil {
				t.Error(err)
				return nil
			}
			checkPublished(t, data, doc)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if found != want {
			t.Errorf("%s: %d policies, want %d", dir, found, want)
		}
	}
}

func checkBroken(t *testing.T, name string, err error) {
	t.Helper()
	want := name + ":15:13: expected ',' or ']', found a comment, which JSON doesn't have (the value before it ends at 14:38)"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// oddPrincipal begins the one recorded policy, a bucket's, with "Principal":
// "arn:...", which the grammar doesn't have. It was edited by hand: its two
// statements share a Sid, which S3 refuses.
const oddPrincipal = `{"Version":"2012-10-17","Statement":[{"Sid":"Zebra","Effect":"Deny","Principal":"*"`

// TestPublishedLines has files with a policy a line, in which each stands as a document.
func TestPublishedLines(t *testing.T) {
	fsys := shared(t)
	for name, want := range map[string]int{
		"data/policies/aws-managed-policies.jsonl":                1324,
		"data/policies/recorded-resource-policies/policies.jsonl": 89,
	} {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		odd := 0
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, maxDocument)
		found := 0
		for lines.Scan() {
			root, err := jsontree.Parse(lines.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			f := NewFile(name, lines.Bytes())
			doc, err := f.Parse(root.Get("document").Offset())
			if err != nil {
				t.Errorf("%s: line %d: %v", name, found+1, err)
				continue
			}
			found++
			if strings.HasPrefix(string(doc.Text), oddPrincipal) && len(doc.AllDefects()) == 1 {
				odd++
				continue
			}
			checkPublished(t, f.Data, doc)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		if found != want {
			t.Errorf("%s: %d policies, want %d", name, found, want)
		}
		if strings.Contains(name, "recorded") != (odd == 1) {
			t.Errorf("%s: %d policies with an ARN for a Principal", name, odd)
		}
	}
}

// TestPublishedAuthorizationDetails finds every policy of a file that has many, in its place.
func TestPublishedAuthorizationDetails(t *testing.T) {
	const name = "data/policies/cloudsplaining/account-authorization-details.json"
	data, err := fs.ReadFile(shared(t), name)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsontree.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	f := NewFile(name, data)
	found := 0
	var walk func(n jsontree.Node)
	walk = func(n jsontree.Node) {
		for item := range n.Items() {
			walk(item)
		}
		for m := range n.Members() {
			if m.Name != "Document" && !strings.HasSuffix(m.Name, "PolicyDocument") {
				walk(m.Value)
				continue
			}
			doc, err := f.Parse(m.Value.Offset())
			if err != nil {
				t.Error(err)
				continue
			}
			found++
			checkPublished(t, data, doc)
		}
	}
	walk(root)
	if found < 200 {
		t.Errorf("only %d policies", found)
	}
}

// checkPublished holds a policy that somebody uses to having no defects and true positions.
func checkPublished(t *testing.T, data []byte, doc *Document) {
	t.Helper()
	for _, d := range doc.AllDefects() {
		t.Error(d)
	}
	if len(doc.Statements) == 0 {
		t.Errorf("%v: no statements", doc.Pos)
	}
	if len(data) < 64<<10 { // the slow way to find a position is too slow for large files
		for _, text := range texts(doc) {
			checkText(t, data, text)
		}
	}
	var syntax *SyntaxError
	if _, err := ParseString(doc.Pos, string(doc.Text)); errors.As(err, &syntax) {
		t.Error(err)
	}
}
