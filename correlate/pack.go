package correlate

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"
)

// A packer packs events. Those of a trail are much alike, so each is compressed by what others before it have said: to
// a tenth of what an Event takes, and nothing in it that the garbage collector has to follow.
type packer struct {
	room, packed []byte
	sample       []byte   // events, until they are enough to compress others by
	dict         *s2.Dict // made of them
	left         int      // how many more events are compressed by it
}

// How much text others are compressed by, and how many are before another sample is taken: what a trail says changes.
const (
	sampleSize = 16 << 10
	perSample  = 2000
)

// A packedEvent is an Event in few bytes.
type packedEvent struct {
	fields []byte
	dict   *s2.Dict // by which they are compressed; nil if they aren't
}

func (p *packer) pack(e *Event) *packedEvent {
	p.room = appendEvent(p.room[:0], e)
	if p.left > 0 {
		p.left--
		p.packed = slices.Grow(p.packed[:0], s2.MaxEncodedLen(len(p.room)))
		return &packedEvent{bytes.Clone(p.dict.Encode(p.packed[:cap(p.packed)], p.room)), p.dict}
	}
	p.sample = append(p.sample, p.room...)
	if n := len(p.sample); n >= sampleSize {
		p.dict, p.left = s2.MakeDict(bytes.Clone(p.sample[n-sampleSize:]), nil), perSample
		p.sample = nil
	}
	return &packedEvent{bytes.Clone(p.room), nil}
}

// appendEvent appends all of an event: texts with their lengths, in an order of their own.
func appendEvent(b []byte, e *Event) []byte {
	for _, s := range e.texts() {
		b = appendText(b, *s)
	}
	for _, raw := range e.raws() {
		if *raw == nil {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(*raw))+1), *raw...)
	}
	for _, flag := range e.flags() {
		b = appendFlag(b, *flag)
	}
	b = binary.AppendVarint(b, int64(e.Origin.Index))
	b = appendTime(b, e.Time)
	b = binary.AppendUvarint(b, uint64(len(e.Resources)))
	for i := range e.Resources {
		for _, s := range e.Resources[i].texts() {
			b = appendText(b, *s)
		}
	}
	s := e.Identity.Session
	b = appendFlag(b, s != nil)
	if s != nil {
		for _, text := range s.texts() {
			b = appendText(b, *text)
		}
		b = appendTime(appendFlag(b, s.AssumedRoot), s.Created)
	}
	return b
}

// event returns an Event that is equal to the one that was packed.
func (p *packedEvent) event() *Event {
	u := unpacker(p.fields)
	if p.dict != nil {
		fields, err := p.dict.Decode(nil, p.fields)
		if err != nil {
			panic("an event that was packed can't be unpacked: " + err.Error()) // its bytes were changed in memory
		}
		u = fields
	}
	e := new(Event)
	for _, s := range e.texts() {
		*s = u.text()
	}
	for _, raw := range e.raws() {
		if n := u.length(); n > 0 {
			*raw = append(json.RawMessage{}, u.bytes(n-1)...)
		}
	}
	for _, flag := range e.flags() {
		*flag = u.flag()
	}
	e.Origin.Index = int(u.number())
	e.Time = u.time()
	if n := u.length(); n > 0 {
		e.Resources = make([]EventResource, n)
	}
	for i := range e.Resources {
		for _, s := range e.Resources[i].texts() {
			*s = u.text()
		}
	}
	if u.flag() {
		s := new(Session)
		for _, text := range s.texts() {
			*text = u.text()
		}
		s.AssumedRoot, s.Created = u.flag(), u.time()
		e.Identity.Session = s
	}
	return e
}

// texts are an event's texts but for those of resources and session.
func (e *Event) texts() [29]*string {
	id := &e.Identity
	return [...]*string{
		&e.Origin.Path, &e.ID, &e.RequestID, &e.SharedID, &e.Version, &e.Source, &e.Name, &e.Region, &e.SourceIP, &e.UserAgent, &e.ErrorCode,
		&e.ErrorMessage, &e.Type, &e.Category, &e.RecipientAccount, &e.VPCEndpointID, &e.VPCEndpointAccount, &e.ReadOnly, &e.TLSVersion, &e.TLSHost,
		&id.Type, &id.PrincipalID, &id.ARN, &id.Account, &id.AccessKeyID, &id.UserName, &id.InvokedBy, &id.IdentityProvider, &id.InScopeOf,
	}
}

func (e *Event) raws() [4]*json.RawMessage {
	return [...]*json.RawMessage{&e.RequestParameters, &e.ResponseElements, &e.AdditionalData, &e.Context}
}

func (e *Event) flags() [4]*bool {
	return [...]*bool{&e.Origin.Lossy, &e.ConsoleSession, &e.HasTLS, &e.Identity.OnBehalfOf}
}

func (r *EventResource) texts() [3]*string { return [...]*string{&r.ARN, &r.Account, &r.Type} }

func (s *Session) texts() [10]*string {
	return [...]*string{
		&s.IssuerType, &s.IssuerID, &s.IssuerARN, &s.IssuerAccount, &s.IssuerUserName, &s.CreatedText, &s.MFA, &s.SourceIdentity, &s.EC2RoleDelivery,
		&s.FederatedProvider,
	}
}

// appendText appends a text so that where it ends can be told.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// An unpacker is what is left of a packed event.
type unpacker []byte

func (u *unpacker) bytes(n int) []byte {
	b := (*u)[:n]
	*u = (*u)[n:]
	return b
}

func (u *unpacker) length() int {
	v, n := binary.Uvarint(*u)
	u.bytes(n)
	return int(v)
}

func (u *unpacker) number() int64 {
	v, n := binary.Varint(*u)
	u.bytes(n)
	return v
}

func (u *unpacker) text() string { return string(u.bytes(u.length())) }

func (u *unpacker) flag() bool { return u.bytes(1)[0] == 1 }

func (u *unpacker) time() time.Time {
	seconds := u.number()
	return time.Unix(seconds, int64(u.length())).UTC()
}
