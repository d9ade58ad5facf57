package correlate

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever events hold, a field that is new included, is there again: of those that others are compressed by, too.
func TestPackedEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p packer
		var events []*Event
		var packed []*packedEvent
		for range 8 {
			e := new(Event)
			fill(t, reflect.ValueOf(e).Elem())
			e.UserAgent += strings.Repeat("a long one ", rapid.IntRange(0, sampleSize/10).Draw(t, "words"))
			events, packed = append(events, e), append(packed, p.pack(e))
			if rapid.Bool().Draw(t, "another sample") {
				p.left = 0
			}
		}
		for i, want := range events {
			if diff := cmp.Diff(want, packed[i].event()); diff != "" {
				t.Errorf("packed and unpacked (-want +got):\n%s", diff)
			}
		}
	})
}

// fill draws a value for everything in v.
func fill(t *rapid.T, v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		if rapid.Bool().Draw(t, "timed") {
			*at = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond")).UTC()
		}
		return
	case *json.RawMessage:
		if rapid.Bool().Draw(t, "there") {
			*at = json.RawMessage(rapid.String().Draw(t, "raw"))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int:
		v.SetInt(int64(rapid.Int().Draw(t, "number")))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(0, 3).Draw(t, "items"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	default:
		t.Fatalf("a field of type %s: how is it packed?", v.Type())
	}
}
