package serviceref

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// The file is, all numbers being unsigned varints and all strings a length and bytes:
//
//	magic, date
//	number of services; for each, by prefix: prefix, name, packed size, unpacked size
//	the services, each packed with DEFLATE
//
// An unpacked service names every string and every list of strings once and refers
// to them by place:
//
//	strings: number, strings
//	lists: number; for each: number, places of strings
//	actions: number; for each: name, bits (access level, permission only), list of keys, list of
//	  dependent actions, number of resources; for each: type, required, list of keys, of dependent actions
//	resource types: number; for each: name, list of ARNs, list of keys
//	keys: number; for each: name, list of types
const magic = "iamwhy service reference 1\n"

// Limits of what is read, far above AWS's largest service (EC2: 60 KB).
const (
	maxServices = 10_000
	maxUnpacked = 16 << 20
)

// errCorrupt is the cause of all errors about data that isn't in the format above.
var errCorrupt = errors.New("corrupt service reference")

// open reads the index of a file.
func open(data string) (*store, error) {
	rest, ok := strings.CutPrefix(data, magic)
	if !ok {
		return nil, fmt.Errorf("%w: it doesn't start with %q", errCorrupt, magic)
	}
	r := &reader{rest: rest}
	s := &store{date: r.str()}
	n := r.count(4)
	if n > maxServices {
		r.fail("%d services", n)
		n = 0
	}
	s.members = make(map[string]*member, n)
	s.prefixes = make([]string, 0, n)
	members := make([]*member, 0, n)
	sizes := make([]int, 0, n)
	for range n {
		m := &member{prefix: r.str(), name: r.str()}
		sizes = append(sizes, r.number(len(data)))
		m.size = r.number(maxUnpacked)
		if k := len(s.prefixes); k > 0 && s.prefixes[k-1] >= m.prefix || m.prefix != strings.ToLower(m.prefix) {
			r.fail("prefix %q is out of order or not in lower case", m.prefix)
		}
		s.prefixes = append(s.prefixes, m.prefix)
		members = append(members, m)
		s.members[m.prefix] = m
	}
	for i, m := range members {
		m.packed = r.bytes(sizes[i])
	}
	if r.rest != "" {
		r.fail("%d bytes after the last service", len(r.rest))
	}
	if r.err != nil {
		return nil, r.err
	}
	return s, nil
}

// decode unpacks and reads a service.
func (m *member) decode() (*Service, error) {
	unpacked, err := unpack(m.packed, m.size)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", m.prefix, err)
	}
	r := &reader{rest: unpacked}
	s := r.service()
	if r.rest != "" {
		r.fail("%d bytes too many", len(r.rest))
	}
	if r.err != nil {
		return nil, fmt.Errorf("service %s: %w", m.prefix, r.err)
	}
	s.Prefix, s.Name = m.prefix, m.name
	return s, nil
}

// unpack inflates to exactly size bytes; a stream that has more isn't read further.
func unpack(packed string, size int) (string, error) {
	if size > maxUnpacked || size > 2000*(len(packed)+1) { // DEFLATE gains at most a factor of 1032
		return "", fmt.Errorf("%w: %d bytes packed can't be %d", errCorrupt, len(packed), size)
	}
	in := flate.NewReader(strings.NewReader(packed))
	var b strings.Builder
	b.Grow(size)
	n, err := io.Copy(&b, io.LimitReader(in, int64(size)+1))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errCorrupt, err)
	}
	if n != int64(size) {
		return "", fmt.Errorf("%w: %d bytes, want %d", errCorrupt, n, size)
	}
	return b.String(), nil
}

// A reader takes the format apart. After an error all that it returns is zero.
type reader struct {
	rest    string
	strings []string
	lists   [][]string
	err     error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errCorrupt, fmt.Sprintf(format, args...))
	}
	r.rest = ""
}

// number reads a number that is at most limit.
func (r *reader) number(limit int) int {
	var v uint64
	for i := range min(len(r.rest), binary.MaxVarintLen32) {
		c := r.rest[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if v > uint64(limit) {
				r.fail("%d is more than %d", v, limit)
				return 0
			}
			r.rest = r.rest[i+1:]
			return int(v)
		}
	}
	r.fail("a number breaks off")
	return 0
}

// count reads how many things follow, each of which takes at least size bytes: a number
// that can't be true is found before room is made for so many.
func (r *reader) count(size int) int {
	n := r.number(math.MaxInt32)
	if n > len(r.rest)/size {
		r.fail("%d things in %d bytes", n, len(r.rest))
		return 0
	}
	return n
}

func (r *reader) bytes(n int) string {
	if n > len(r.rest) {
		r.fail("%d bytes where %d are left", n, len(r.rest))
		return ""
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) str() string { return r.bytes(r.number(math.MaxInt32)) }

// place reads a reference into a table of n rows; false after an error.
func (r *reader) place(n int) (int, bool) {
	if n == 0 {
		r.fail("a reference to an empty table")
		return 0, false
	}
	i := r.number(n - 1)
	return i, r.err == nil
}

func (r *reader) name() string {
	if i, ok := r.place(len(r.strings)); ok {
		return r.strings[i]
	}
	return ""
}

func (r *reader) list() []string {
	if i, ok := r.place(len(r.lists)); ok {
		return r.lists[i]
	}
	return nil
}

func (r *reader) flag() bool { return r.number(1) == 1 }

func (r *reader) service() *Service {
	r.strings = table(r, 1, (*reader).str)
	r.lists = table(r, 1, func(r *reader) []string { return table(r, 1, (*reader).name) })
	return &Service{
		Actions:       table(r, 5, (*reader).action),
		ResourceTypes: table(r, 3, (*reader).resourceType),
		Keys:          table(r, 2, (*reader).key),
	}
}

// table reads how many rows follow, each of at least size bytes, and reads them.
func table[T any](r *reader, size int, row func(*reader) T) []T {
	n := r.count(size)
	if n == 0 {
		return nil
	}
	rows := make([]T, 0, n)
	for range n {
		rows = append(rows, row(r))
		if r.err != nil {
			return nil
		}
	}
	return rows
}

func (r *reader) action() Action {
	a := Action{Name: r.name()}
	bits := r.number(2*len(accessLevels) - 1)
	a.AccessLevel, a.PermissionOnly = accessLevels[bits/2], bits%2 == 1
	a.Keys, a.Dependent = r.list(), r.list()
	a.Resources = table(r, 4, func(r *reader) ActionResource {
		return ActionResource{Type: r.name(), Required: r.flag(), Keys: r.list(), Dependent: r.list()}
	})
	return a
}

func (r *reader) resourceType() ResourceType {
	t := ResourceType{Name: r.name(), ARNs: r.list(), Keys: r.list()}
	if len(t.ARNs) > 0 {
		t.ARN = t.ARNs[0]
	}
	return t
}

func (r *reader) key() Key {
	k := Key{Name: r.name(), Types: r.list()}
	if len(k.Types) > 0 {
		k.Type = k.Types[0]
	}
	return k
}

// Encode writes services in the format that this package embeds. It is for the generator:
// the same services give the same bytes, in whatever order they and their parts come.
// It sorts its argument. Services and names must be unique, without regard to case.
func Encode(date string, services []Service) ([]byte, error) {
	slices.SortFunc(services, func(a, b Service) int { return cmp.Compare(a.Prefix, b.Prefix) })
	w := &writer{}
	w.buf = append(w.buf, magic...)
	w.str(date)
	w.number(len(services))
	var members []byte
	for i := range services {
		s := &services[i]
		if err := arrange(s); err != nil {
			return nil, fmt.Errorf("service %q: %w", s.Prefix, err)
		}
		if i > 0 && services[i-1].Prefix == s.Prefix {
			return nil, fmt.Errorf("service %q comes twice", s.Prefix)
		}
		unpacked, err := encodeService(s)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", s.Prefix, err)
		}
		packed, err := pack(unpacked)
		if err != nil {
			return nil, err
		}
		w.str(s.Prefix)
		w.str(s.Name)
		w.number(len(packed))
		w.number(len(unpacked))
		members = append(members, packed...)
	}
	return append(w.buf, members...), nil
}

// arrange sorts the parts of a service and refuses what Lookup couldn't find again.
func arrange(s *Service) error {
	if s.Prefix == "" || s.Prefix != strings.ToLower(s.Prefix) {
		return errors.New("the prefix must be in lower case")
	}
	for i := range s.Actions {
		a := &s.Actions[i]
		sortNames(&a.Keys, &a.Dependent)
		for j := range a.Resources {
			sortNames(&a.Resources[j].Keys, &a.Resources[j].Dependent)
		}
		if err := sortRows(a.Resources, func(r *ActionResource) string { return r.Type }); err != nil {
			return fmt.Errorf("action %s: %w", a.Name, err)
		}
	}
	for i := range s.ResourceTypes {
		sortNames(&s.ResourceTypes[i].Keys)
	}
	return errors.Join(
		sortRows(s.Actions, func(a *Action) string { return a.Name }),
		sortRows(s.ResourceTypes, func(t *ResourceType) string { return t.Name }),
		sortRows(s.Keys, func(k *Key) string { return k.Name }),
	)
}

func sortNames(lists ...*[]string) {
	for _, l := range lists {
		sorted := slices.SortedFunc(slices.Values(*l), compareFold) // a list of its own: a decoded service's may be shared
		*l = slices.Compact(sorted)
	}
}

func sortRows[T any](rows []T, nameOf func(*T) string) error {
	slices.SortFunc(rows, func(a, b T) int { return compareFold(nameOf(&a), nameOf(&b)) })
	for i := range rows {
		switch name := nameOf(&rows[i]); {
		case name == "":
			return errors.New("a name is empty")
		case i > 0 && compareFold(nameOf(&rows[i-1]), name) == 0:
			return fmt.Errorf("%q comes twice", name)
		}
	}
	return nil
}

func pack(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// A writer puts the format together. Its tables are filled on a first pass over the
// service, sorted, and referred to on the second.
type writer struct {
	buf     []byte
	strings map[string]int
	lists   map[string]*placed // by listKey
}

// A placed list is one row of the table of lists.
type placed struct {
	list  []string
	place int
}

func (w *writer) number(n int) { w.buf = binary.AppendUvarint(w.buf, uint64(n)) }

func (w *writer) str(s string) {
	w.number(len(s))
	w.buf = append(w.buf, s...)
}

func encodeService(s *Service) ([]byte, error) {
	w := &writer{strings: map[string]int{}, lists: map[string]*placed{}}
	if err := w.body(s); err != nil { // only to fill the tables
		return nil, err
	}
	w.buf = nil
	w.tables()
	err := w.body(s)
	return w.buf, err
}

// name refers to a string, or on the first pass notes it.
func (w *writer) name(s string) {
	if _, ok := w.strings[s]; !ok {
		w.strings[s] = 0
	}
	w.number(w.strings[s])
}

// list refers to a list, or on the first pass notes it.
func (w *writer) list(l []string) {
	key := listKey(l)
	if w.lists[key] == nil {
		w.lists[key] = &placed{list: l}
		for _, s := range l {
			w.name(s)
		}
	}
	w.number(w.lists[key].place)
}

// listKey is the same for equal lists only, whatever their strings hold.
func listKey(l []string) string {
	var key []byte
	for _, s := range l {
		key = append(binary.AppendUvarint(key, uint64(len(s))), s...)
	}
	return string(key)
}

// tables writes the strings and lists that were noted, in order, and numbers them.
func (w *writer) tables() {
	names := slices.SortedFunc(maps.Keys(w.strings), func(a, b string) int {
		return cmp.Or(compareFold(a, b), strings.Compare(a, b))
	})
	w.number(len(names))
	for i, s := range names {
		w.strings[s] = i
		w.str(s)
	}
	lists := slices.SortedFunc(maps.Values(w.lists), func(a, b *placed) int { return slices.Compare(a.list, b.list) })
	w.number(len(lists))
	for i, l := range lists {
		l.place = i
		w.number(len(l.list))
		for _, s := range l.list {
			w.name(s)
		}
	}
}

func (w *writer) body(s *Service) error {
	w.number(len(s.Actions))
	for _, a := range s.Actions {
		level := slices.Index(accessLevels, a.AccessLevel)
		if level < 0 {
			return fmt.Errorf("action %s: unknown access level %q: have %s", a.Name, a.AccessLevel, strings.Join(accessLevels, ", "))
		}
		w.name(a.Name)
		w.number(2*level + bit(a.PermissionOnly))
		w.list(a.Keys)
		w.list(a.Dependent)
		w.number(len(a.Resources))
		for _, r := range a.Resources {
			w.name(r.Type)
			w.number(bit(r.Required))
			w.list(r.Keys)
			w.list(r.Dependent)
		}
	}
	w.number(len(s.ResourceTypes))
	for _, t := range s.ResourceTypes {
		w.name(t.Name)
		w.list(t.ARNs)
		w.list(t.Keys)
	}
	w.number(len(s.Keys))
	for _, k := range s.Keys {
		w.name(k.Name)
		w.list(k.Types)
	}
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
