package correlate

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
)

// uuidOf returns the bytes of an id as CloudTrail writes them; ok is false of any other, and of the one that is all zeros.
func uuidOf(id string) (uuid [16]byte, ok bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return uuid, false
	}
	digits := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	if _, err := hex.Decode(uuid[:], []byte(digits)); err != nil || uuid == [16]byte{} || uuidText(uuid) != id {
		return [16]byte{}, false
	}
	return uuid, true
}

func uuidText(uuid [16]byte) string {
	digits := hex.EncodeToString(uuid[:])
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}

// eventIDs are a set of ids.
type eventIDs struct {
	uuids  map[[16]byte]struct{}
	others map[string]struct{}
}

// add adds an id and reports whether it is new.
func (s *eventIDs) add(id string) bool {
	if uuid, ok := uuidOf(id); ok {
		return addNew(&s.uuids, uuid)
	}
	return addNew(&s.others, id)
}

// addNew adds a key to a set, which is made for the first one, and reports whether it is new.
func addNew[K comparable](set *map[K]struct{}, key K) bool {
	if *set == nil {
		*set = map[K]struct{}{}
	}
	before := len(*set)
	(*set)[key] = struct{}{}
	return len(*set) > before
}

// A sighting is one event of a cluster, in as few bytes as it takes: there may be a million of them.
type sighting struct {
	uuid    [16]byte // of its id
	other   int32    // which of sightings.others that is, from 1, if it is no UUID; 0 if there is none
	nanos   int32
	seconds int64 // of its time, since 1970
}

// sightings make sightings, and hold what doesn't fit into them.
type sightings struct{ others []string }

func (all *sightings) of(e *Event) sighting {
	s := sighting{seconds: e.Time.Unix(), nanos: int32(e.Time.Nanosecond())}
	if uuid, ok := uuidOf(e.ID); ok {
		s.uuid = uuid
	} else if e.ID != "" {
		all.others = append(all.others, e.ID)
		s.other = int32(len(all.others))
	}
	return s
}

// id is the event's id; "" if it has none.
func (all *sightings) id(s sighting) string {
	switch {
	case s.other > 0:
		return all.others[s.other-1]
	case s.uuid != [16]byte{}:
		return uuidText(s.uuid)
	}
	return ""
}

// at is the time of the event; zero if it isn't known.
func (s *sighting) at() time.Time { return time.Unix(s.seconds, int64(s.nanos)).UTC() }

// sessionStarts are what is known of how sessions were made, by their access keys. All but few have nothing to tell but that
// they have no session policy; of these only the key is held, which mostly is a number of ten bytes in base 32.
type sessionStarts struct {
	plain  map[[10]byte]struct{} // ASIA and the number
	others map[string]*sessionStart
}

const sessionKeyPrefix = "ASIA"

func packedKey(accessKey string) (key [10]byte, ok bool) {
	number, ok := strings.CutPrefix(accessKey, sessionKeyPrefix)
	if !ok || len(number) != 16 {
		return key, false
	}
	n, err := base32.StdEncoding.Decode(key[:], []byte(number))
	return key, err == nil && n == len(key)
}

// put notes how a session was made; what was noted before of it doesn't count any more.
func (m *sessionStarts) put(accessKey string, s *sessionStart) {
	key, packed := packedKey(accessKey)
	switch {
	case packed && s.plain():
		addNew(&m.plain, key)
		delete(m.others, accessKey)
		return
	case packed:
		delete(m.plain, key)
	}
	if m.others == nil {
		m.others = map[string]*sessionStart{}
	}
	m.others[strings.Clone(accessKey)] = s.short() // and not the event that it is of
}

// get returns what is known of a session; nil if that is nothing.
func (m *sessionStarts) get(accessKey string) *sessionStart {
	if key, ok := packedKey(accessKey); ok {
		if _, ok := m.plain[key]; ok {
			return plainSession
		}
	}
	return m.others[accessKey]
}

// repeated are texts that come again and again, each held once.
type repeated map[string]string

func (t repeated) one(s string) string {
	if same, ok := t[s]; ok {
		return same
	}
	s = strings.Clone(s) // and not the record that it was cut from
	t[s] = s
	return s
}
