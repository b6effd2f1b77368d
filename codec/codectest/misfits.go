package codectest

import (
	"reflect"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/codec"
)

// testMisfits decodes values of every kind into types of every kind: a client may send any of them, and where a reply
// is decoded nobody recovers.
func testMisfits(t *testing.T, k codec.Codec) {
	var values [][]byte
	for _, v := range []any{nil, true, -1, 1 << 40, 1.5, "text", "", []byte("bytes"), []int{1, 2}, []string{"a"}, []any{nil},
		map[string]int{"a": 1}, map[string]any{"Room": []int{1}, "room": 5}, post{"b", "c"}, time.Unix(1, 0).UTC()} {
		message, err := k.Append(nil, codec.Header{Type: "a", InData: true}, v)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		e, err := k.Open(message)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		values = append(values, e.Data)
	}
	for _, into := range []any{false, 0, int8(0), uint64(0), float32(0), "", []byte(nil), []int(nil), []string(nil), []post(nil),
		[3]byte{}, [3]int{}, map[string]int(nil), map[string][]post(nil), post{}, &post{}, new(int), time.Time{}, any(nil),
		struct{ Room []string }{}, struct{ Room map[string]post }{}} {
		for _, value := range values {
			decodeInto(t, k, value, into)
		}
	}
}

// decodeInto decodes a value into a new one of a type, in which it need not fit.
func decodeInto(t *testing.T, k codec.Codec, value []byte, like any) {
	to := any(new(any))
	if like != nil {
		to = reflect.New(reflect.TypeOf(like)).Interface()
	}
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%x into a %T: it panics with %v", value, to, r)
		}
	}()
	_ = k.Decode(value, to)
}
