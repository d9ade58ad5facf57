package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule has code that says so, and a test or a case that names it.
var (
	// uncoded are those that no code serves, and why.
	uncoded = map[string]string{
		"E5":  "a definition: what isn't a policy layer",
		"E29": "a forward access session is a request of its own, of the original caller: P22",
		"A6":  "actions are compared as they are written, so there is nothing to do",
		"R17": "the partition is a segment like any other, so there is nothing to do",
		"C2":  "a statement that doesn't apply does nothing",
		"E25": "organisations don't enter into whose a resource is",
		"E38": "SCPs and RCPs are evaluated by what evaluates every policy",
		"S23": "E14, E16 and E18, of buckets",
	}
)

// excusedFromCode are the rules that the code need not cite.
func excusedFromCode() map[string]string {
	all := maps.Clone(uncoded)
	for n := 2; n <= 16; n++ {
		all["M"+strconv.Itoa(n)] = "a phrase of AWS's: it is read under the number of its form in cloudtrail.md"
	}
	return all
}

// ruleRow is the row of a rule in the tables of the specification; E20 is a table of its own.
var ruleRow = regexp.MustCompile(`(?m)^(?:\| ([GARPCVESMU]\d+) \|(.*)|(E20) - )`)

// TestRulesAreCited holds code and tests to the specification: every rule is cited in a comment of
// the code, and in a test, a case or a script.
func TestRulesAreCited(t *testing.T) {
	shared := os.Getenv("IAMWHY_SHARED")
	if shared == "" {
		t.Skip("IAMWHY_SHARED isn't set: no specification to hold the code to")
	}
	spec, err := os.ReadFile(filepath.Join(shared, "spec", "evaluation.md"))
	if err != nil {
		t.Fatal(err)
	}
	code, tests := citations(t, "../..")
	uncoded := excusedFromCode()
	var rules []string
	for _, row := range ruleRow.FindAllStringSubmatch(string(spec), -1) {
		if !strings.Contains(row[2], "WITHDRAWN") {
			rules = append(rules, row[1]+row[3])
		}
	}
	if len(rules) < 200 {
		t.Fatalf("found %d rules in the specification, want all of them", len(rules))
	}
	for _, rule := range rules {
		if !code[rule] && uncoded[rule] == "" {
			t.Errorf("%s: no comment of the code cites it", rule)
		}
		if !tests[rule] {
			t.Errorf("%s: no test, case or script cites it", rule)
		}
	}
	for rule := range uncoded {
		if !slices.Contains(rules, rule) {
			t.Errorf("%s is excused, but there is no such rule", rule)
		}
		if code[rule] {
			t.Errorf("%s is excused from being cited by the code, but is cited", rule)
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| (T\d+) \|`).FindAllStringSubmatch(string(spec), -1) {
		if !tests[row[1]] {
			t.Errorf("%s: no case of testdata and no test cites this worked case", row[1])
		}
	}
}

// TestCitations is of the reading of comments: a test that finds too much holds nothing.
func TestCitations(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"rules E10 to E12, P16–P18 and U7", []string{"E10", "E11", "E12", "P16", "P17", "P18", "U7"}},
		{"(rules E24, S3, S16)", []string{"E24", "S16", "S3"}},
		{"an S3 bucket, S3's own, EC2 and SHA1", nil},
		{"S3: a grant (S4)", []string{"S3", "S4"}},
		{"M8 of cloudtrail.md", nil},
		{"rules S28 to S2", []string{"S2", "S28"}},
	} {
		got := map[string]bool{}
		cite(got, tt.text)
		var list []string
		for rule := range got {
			list = append(list, rule)
		}
		slices.Sort(list)
		if !slices.Equal(list, tt.want) {
			t.Errorf("%q cites %v, want %v", tt.text, list, tt.want)
		}
	}
}

// citations collects what the comments of the code cite and what tests, cases and scripts do. Of a case
// file only the names count: its first lines give intervals.
func citations(t *testing.T, root string) (code, tests map[string]bool) {
	t.Helper()
	code, tests = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir() || d.Name() == "rules_test.go":
			return nil
		}
		switch filepath.Ext(path) {
		case ".go":
			// The message forms of cloudtrail.md are numbered M1, M2, … as well.
			forms := strings.HasPrefix(d.Name(), "message")
			if strings.HasSuffix(path, "_test.go") {
				text, err := os.ReadFile(path)
				citeFile(tests, string(text), forms)
				return err
			}
			text, err := comments(path)
			citeFile(code, text, forms)
			return err
		case ".yaml", ".txtar":
			text, err := os.ReadFile(path)
			for line := range strings.Lines(string(text)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- name: "); ok {
					cite(tests, name)
				}
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return code, tests
}

func comments(path string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, group := range file.Comments {
		b.WriteString(group.Text())
	}
	return b.String(), nil
}

func citeFile(into map[string]bool, text string, withoutM bool) {
	found := map[string]bool{}
	cite(found, text)
	for rule := range found {
		if !withoutM || rule[0] != 'M' {
			into[rule] = true
		}
	}
}

var (
	citation = regexp.MustCompile(`\b([GARPCVESMUT])(\d+)\b(?:(?:\s+to\s+|\s*[–-]\s*)([GARPCVESMUT])(\d+)\b)?`)
	// S3 is also a service: it is the rule after the word, or where it stands among rules.
	anyS3     = regexp.MustCompile(`\bS3\b`)
	afterS3   = regexp.MustCompile(`^(?:$|[,:;)"]| (?:to|and|or) [GARPCVESMUT]\d| [GARPCVESMUT]\d)`)
	beforeS3  = regexp.MustCompile(`(?:^|[("]|\b[GARPCVESMUT]\d+(?:,|,? and| or| to)?)\s*$`)
	wordS3    = regexp.MustCompile(`\brules?\s+$`)
	elsewhere = regexp.MustCompile(`\b[A-Z]\d+ of (the event rules|cloudtrail\.md)`)
)

// cite adds the rules that a text cites, intervals in full.
func cite(into map[string]bool, text string) {
	text = elsewhere.ReplaceAllString(text, "")
	if !citesS3(text) {
		text = anyS3.ReplaceAllString(text, "the service")
	}
	for _, m := range citation.FindAllStringSubmatch(text, -1) {
		from, _ := strconv.Atoi(m[2])
		into[m[1]+m[2]] = true
		if m[3] != m[1] {
			continue
		}
		to, _ := strconv.Atoi(m[4])
		into[m[3]+m[4]] = true
		for n := from; n < to && n < from+100; n++ {
			into[m[1]+strconv.Itoa(n)] = true
		}
	}
}

func citesS3(text string) bool {
	for _, at := range anyS3.FindAllStringIndex(text, -1) {
		before, after := text[max(0, at[0]-20):at[0]], text[at[1]:]
		if wordS3.MatchString(before) || beforeS3.MatchString(before) && afterS3.MatchString(after) {
			return true
		}
	}
	return false
}
