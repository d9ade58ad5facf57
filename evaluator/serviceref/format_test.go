package serviceref

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// zoo is a small service with every field in use.
func zoo() Service {
	return Service{
		Prefix: "zoo", Name: "Amazon Zoo",
		Actions: []Action{
			{
				Name: "FeedAnimal", AccessLevel: Write, PermissionOnly: true,
				Resources: []ActionResource{
					{Type: "animal", Required: true, Keys: []string{"zoo:Diet"}, Dependent: []string{"iam:PassRole"}},
					{Type: "cage"},
				},
				Keys: []string{"aws:TagKeys", "zoo:Diet"}, Dependent: []string{"kms:Decrypt"},
			},
			{Name: "ListAnimals", AccessLevel: List},
		},
		ResourceTypes: []ResourceType{
			{Name: "animal", ARNs: []string{"arn:${Partition}:zoo:::b", "arn:${Partition}:zoo:::a"}, Keys: []string{"aws:TagKeys"}},
			{Name: "cage", ARNs: []string{"arn:${Partition}:zoo:::c"}},
		},
		Keys: []Key{{Name: "aws:TagKeys", Types: []string{"ArrayOfString"}}, {Name: "zoo:Diet", Types: []string{"Date", "Numeric"}}},
	}
}

// withFirsts sets the fields that repeat the first of a list.
func withFirsts(s Service) Service {
	for i := range s.ResourceTypes {
		s.ResourceTypes[i].ARN = s.ResourceTypes[i].ARNs[0]
	}
	for i := range s.Keys {
		s.Keys[i].Type = s.Keys[i].Types[0]
	}
	return s
}

func TestEncode(t *testing.T) {
	aquarium := zoo()
	aquarium.Prefix = "aquarium"
	data, err := Encode("2026-01-02", []Service{zoo(), aquarium})
	if err != nil {
		t.Fatal(err)
	}
	st, err := open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"aquarium", "zoo"}, st.prefixes); diff != "" || st.date != "2026-01-02" {
		t.Errorf("date %s, prefixes (-want +got)\n%s", st.date, diff)
	}
	got, err := st.lookup("zoo")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withFirsts(zoo()), *got); diff != "" {
		t.Errorf("decoded (-want +got)\n%s", diff)
	}
}

// TestEncodeCanonical: order in, duplicates in lists and so on don't show in the bytes.
func TestEncodeCanonical(t *testing.T) {
	want, err := Encode("2026-01-02", []Service{zoo()})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	shuffle := func(n int, swap func(i, j int)) { random.Shuffle(n, swap) }
	for range 20 {
		s := zoo()
		shuffle(len(s.Actions), func(i, j int) { s.Actions[i], s.Actions[j] = s.Actions[j], s.Actions[i] })
		shuffle(len(s.ResourceTypes), func(i, j int) { s.ResourceTypes[i], s.ResourceTypes[j] = s.ResourceTypes[j], s.ResourceTypes[i] })
		shuffle(len(s.Keys), func(i, j int) { s.Keys[i], s.Keys[j] = s.Keys[j], s.Keys[i] })
		for i := range s.Actions {
			a := &s.Actions[i]
			a.Keys = append(a.Keys, a.Keys...)
			shuffle(len(a.Keys), func(i, j int) { a.Keys[i], a.Keys[j] = a.Keys[j], a.Keys[i] })
			shuffle(len(a.Resources), func(i, j int) { a.Resources[i], a.Resources[j] = a.Resources[j], a.Resources[i] })
		}
		got, err := Encode("2026-01-02", []Service{s})
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatal("the same service gives other bytes in another order")
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Service)
		want   string
	}{
		{"capitals in the prefix", func(s *Service) { s.Prefix = "Zoo" }, "lower case"},
		{"no prefix", func(s *Service) { s.Prefix = "" }, "lower case"},
		{"an action twice, but for case", func(s *Service) { s.Actions[1].Name = "feedanimal" }, "twice"},
		{"a type twice", func(s *Service) { s.ResourceTypes[1].Name = "animal" }, "twice"},
		{"a key twice", func(s *Service) { s.Keys[0].Name = "zoo:diet" }, "twice"},
		{"a resource of an action twice", func(s *Service) { s.Actions[0].Resources[1].Type = "animal" }, "twice"},
		{"an action without a name", func(s *Service) { s.Actions[1].Name = "" }, "empty"},
		{"an unknown access level", func(s *Service) { s.Actions[1].AccessLevel = "Admin" }, `unknown access level "Admin"`},
	}
	for _, tt := range tests {
		s := zoo()
		tt.change(&s)
		if _, err := Encode("2026-01-02", []Service{s}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	if _, err := Encode("2026-01-02", []Service{zoo(), zoo()}); err == nil {
		t.Error("a service twice: no error")
	}
}

// TestEncodeReference: what the package embeds says the same after another round.
func TestEncodeReference(t *testing.T) {
	first, err := open(reference)
	if err != nil {
		t.Fatal(err)
	}
	again := reencode(t, first)
	for _, prefix := range first.prefixes {
		want, err := first.members[prefix].decode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.members[prefix].decode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got)\n%s", prefix, diff)
		}
	}
}

func reencode(t *testing.T, s *store) *store {
	t.Helper()
	var services []Service
	for _, prefix := range s.prefixes {
		service, err := s.members[prefix].decode()
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, *service)
	}
	data, err := Encode(s.date, services)
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// file is a file with one service of these bytes.
func file(t testing.TB, unpacked string, size int) string {
	t.Helper()
	packed, err := pack([]byte(unpacked))
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{buf: []byte(magic)}
	w.str("2026-01-02")
	w.number(1)
	w.str("zoo")
	w.str("Amazon Zoo")
	w.number(len(packed))
	w.number(size)
	return string(w.buf) + string(packed)
}

func TestCorrupt(t *testing.T) {
	good, err := Encode("2026-01-02", []Service{zoo()})
	if err != nil {
		t.Fatal(err)
	}
	body := "\x01\x01a\x01\x00\x00\x00\x00" // a string, an empty list, and nothing else
	tests := []struct{ name, data, want string }{
		{"empty", "", "doesn't start with"},
		{"another format", "PK\x03\x04", "doesn't start with"},
		{"cut after the magic", magic, "breaks off"},
		{"cut in the index", string(good[:len(magic)+15]), "bytes"},
		{"cut in a service", string(good[:len(good)-1]), "bytes where"},
		{"something behind", string(good) + "x", "1 bytes after"},
		{"far too many services", magic + "\x00\xff\xff\xff\xff\x07", "things in"},
		{"a number too long", magic + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "breaks off"},
		{"larger than it says", file(t, body, len(body)-1), "want"},
		{"smaller than it says", file(t, body, len(body)+1), "want"},
		{"a bomb", file(t, strings.Repeat("\x00", 8<<20), 1<<20), "1048577 bytes, want 1048576"},
		{"a size that can't be", file(t, body, maxUnpacked), "can't be"},
		{"a string of a string", file(t, "\x01\x05a", 3), "bytes where"},
		{"far too many strings", file(t, "\xff\xff\xff\xff\x07", 5), "things in"},
		{"a list of a string that isn't there", file(t, "\x01\x01a\x01\x01\x01\x00\x00\x00", 9), "more than"},
		{"an action without strings", file(t, "\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", 10), "empty table"},
		{"an unknown access level", file(t, "\x01\x01a\x01\x00\x01\x00\x0a\x00\x00\x00\x00\x00", 13), "more than"},
		{"bytes behind the service", file(t, body+"\x00", len(body)+1), "1 bytes too many"},
	}
	for _, tt := range tests {
		_, err := decodeAll(tt.data)
		if !errors.Is(err, errCorrupt) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a corrupt reference with %q", tt.name, err, tt.want)
		}
	}
	if _, err := decodeAll(file(t, body, len(body))); err != nil {
		t.Errorf("the body without a defect: %v", err)
	}
	// A store that met a defect knows the others' services and not this one.
	st, err := open(file(t, "\x01", 1))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := st.lookup("zoo"); s != nil || !errors.Is(err, errCorrupt) {
		t.Errorf("lookup of a corrupt service: %v, %v", s, err)
	}
}

// decodeAll opens a file and decodes all of its services.
func decodeAll(data string) ([]Service, error) {
	st, err := open(data)
	if err != nil {
		return nil, err
	}
	var services []Service
	for _, prefix := range st.prefixes {
		s, err := st.lookup(prefix)
		if err != nil {
			return nil, err
		}
		services = append(services, *s)
	}
	return services, nil
}

// FuzzService: any bytes are a service or an error; a service that Encode accepts
// decodes to itself.
func FuzzService(f *testing.F) {
	s := zoo()
	unpacked, err := encodeService(&s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(unpacked))
	f.Add("\x01\x01a\x01\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, unpacked string) {
		services, err := decodeAll(file(t, unpacked, len(unpacked)))
		if err != nil {
			if !errors.Is(err, errCorrupt) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		data, err := Encode("2026-01-02", services)
		if err != nil {
			return // a name twice, say: no file of ours has it
		}
		again, err := decodeAll(string(data))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(services, again); diff != "" {
			t.Errorf("decoded, encoded, decoded (-want +got)\n%s", diff)
		}
	})
}

// FuzzFile: any bytes are a file or an error.
func FuzzFile(f *testing.F) {
	good, err := Encode("2026-01-02", []Service{zoo()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add(string(good[:len(good)/2]))
	f.Add(magic)
	f.Fuzz(func(t *testing.T, data string) {
		if _, err := decodeAll(data); err != nil && !errors.Is(err, errCorrupt) {
			t.Errorf("error of another kind: %v", err)
		}
	})
}

// FuzzMatchTemplate holds the matcher of placeholders to a regular expression.
func FuzzMatchTemplate(f *testing.F) {
	f.Add("aws:RequestTag/${TagKey}", "aws:requesttag/team")
	f.Add("events:Metadata/${MetadataKey}/Matcher", "events:Metadata/a/Matcher/Matcher")
	f.Add("s3:ExistingObjectTag/<key>", "s3:ExistingObjectTag/")
	f.Add("a${x}b${y}b", "aBbb")
	f.Add("a${x}${y}", "abc")
	f.Add("a${x", "a${x")
	f.Fuzz(func(t *testing.T, template, name string) {
		if !ascii(template) || !ascii(name) || len(template) > 100 {
			return
		}
		_, got := matchTemplate(template, name)
		if want := slowMatch(template, name); got != want {
			t.Errorf("matchTemplate(%q, %q) = %v, want %v", template, name, got, want)
		}
	})
}

var placeholder = regexp.MustCompile(`(?s)\$\{.*?\}|<.*?>`)

func slowMatch(template, name string) bool {
	if !placeholder.MatchString(template) {
		return false
	}
	expression := `(?is)\A`
	for _, fixed := range placeholder.Split(template, -1) {
		expression += regexp.QuoteMeta(fixed) + `.+`
	}
	expression = strings.TrimSuffix(expression, `.+`) + `\z`
	return regexp.MustCompile(expression).MatchString(name)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
