package serviceref

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// reference is the data: an index, and behind it each service compressed by itself, so
// that a run pays for the services it asks about and for no other.
//
//go:embed reference.bin
var reference string

// embedded is the index of the embedded data, read on first use.
var embedded = sync.OnceValue(func() *store {
	s, err := open(reference)
	if err != nil {
		// The file is made and checked by our own tests: a binary with a broken one was never
		// released. Knowing nothing is then better than a panic in somebody's library.
		return &store{}
	}
	return s
})

// A store holds the services of one file and decodes each when it is first asked for.
type store struct {
	date     string
	prefixes []string
	members  map[string]*member
}

// A member is one service of a file.
type member struct {
	prefix, name string
	packed       string
	size         int // unpacked, in bytes
	once         sync.Once
	service      *Service
	err          error
}

// Date is the day of the data, as YYYY-MM-DD.
func Date() string { return embedded().date }

// Prefixes are all service prefixes, in lower case and sorted. The slice is the caller's.
func Prefixes() []string { return slices.Clone(embedded().prefixes) }

// Lookup returns the service with the prefix, in any case. It is decoded on first use and
// kept; any number of goroutines may call at once.
func Lookup(prefix string) (*Service, bool) {
	s, err := embedded().lookup(prefix)
	return s, s != nil && err == nil
}

// lookup returns the service with the prefix, nil if there is none.
func (s *store) lookup(prefix string) (*Service, error) {
	m, ok := s.members[strings.ToLower(prefix)]
	if !ok {
		return nil, nil
	}
	m.once.Do(func() {
		m.service, m.err = m.decode()
		if m.err == nil {
			correct(m.service)
		}
	})
	return m.service, m.err
}
