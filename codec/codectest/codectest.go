// Package codectest tells whether a [codec.Codec] does what hubs rely on, for those who write one.
//
//	func TestCodec(t *testing.T) { codectest.Test(t, toml.New()) }
package codectest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/codec"
)

// Test checks a codec as [codec.Codec] describes it, and in a hub if it has a subprotocol. It knows nothing of the
// encoding: what is wrong in that alone, lengths that lie for example, is for tests of the codec's own, and for
// fuzzing. The fields of the structs that it encodes have the tags json and msgpack.
func Test(t *testing.T, k codec.Codec) {
	t.Run("Append", func(t *testing.T) { testAppend(t, k) })
	t.Run("Open", func(t *testing.T) { testOpen(t, k) })
	t.Run("ID", func(t *testing.T) { testID(t, k) })
	t.Run("Without", func(t *testing.T) { testWithout(t, k) })
	t.Run("Misfits", func(t *testing.T) { testMisfits(t, k) })
	if k.Subprotocol() != "" {
		t.Run("Hub", func(t *testing.T) { testHub(t, k) })
	}
}

// Fuzz looks for messages that a codec opens and cannot take apart, and for those that it panics for. Give f a few
// seeds first.
func Fuzz(f *testing.F, k codec.Codec) {
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := k.Open(message)
		if err != nil {
			return
		}
		var all map[string]any
		if err := k.Decode(message, &all); err == nil && all[codec.Type] != string(e.Type) {
			t.Errorf("%x: got the type %q of %v", message, e.Type, all)
		}
		if _, err := k.Open(k.Without(message, codec.ID, codec.Data)); err != nil {
			t.Errorf("%x: without id and data: %v", message, err)
		}
	})
}

// post is a body.
type post struct {
	Room string `json:"room" msgpack:"room"`
	Text string `json:"text" msgpack:"text"`
}

func testAppend(t *testing.T, k codec.Codec) {
	id := k.AppendID(nil, 1)
	for _, row := range []struct {
		header codec.Header
		body   any
		size   int // members of the message
		err    error
	}{
		{codec.Header{Type: "a"}, nil, 1, nil},
		{codec.Header{Type: "a"}, post{"b", "c"}, 3, nil},
		{codec.Header{Type: "a"}, &post{"b", "c"}, 3, nil},
		{codec.Header{Type: "a"}, (*post)(nil), 1, nil},
		{codec.Header{Type: "a"}, struct{}{}, 1, nil},
		{codec.Header{Type: "a"}, map[string]int{"b": 1, "id": 2}, 3, nil},
		{codec.Header{Type: "a"}, 3, 2, nil},
		{codec.Header{Type: "a"}, []string{"b"}, 2, nil},
		{codec.Header{Type: "a"}, time.Unix(0, 0).UTC(), 2, nil},
		{codec.Header{Type: "a", InData: true}, nil, 2, nil},
		{codec.Header{Type: "a", ID: id, InData: true}, map[string]int{"type": 1, "id": 2}, 3, nil},
		{codec.Header{Type: "a"}, map[string]int{"type": 1}, 0, codec.ErrOwnType},
		{codec.Header{Type: "a", ID: id}, map[string]int{"id": 1}, 0, codec.ErrOwnType},
		{codec.Header{}, nil, 0, codec.ErrNoType},
	} {
		got, err := k.Append([]byte("x"), row.header, row.body)
		if !errors.Is(err, row.err) || !bytes.HasPrefix(got, []byte("x")) || err != nil && len(got) > 1 {
			t.Errorf("%+v, %v: got %x, %v, want the error %v", row.header, row.body, got, err, row.err)
		}
		if err != nil {
			continue
		}
		e, err := k.Open(got[1:])
		if err != nil || string(e.Type) != row.header.Type || row.header.ID != nil && !bytes.Equal(e.ID, row.header.ID) {
			t.Errorf("%+v, %v: opens as %+v, %v", row.header, row.body, e, err)
		}
		if m := members(t, k, got[1:]); len(m) != row.size {
			t.Errorf("%+v, %v: got %v, want %d members", row.header, row.body, m, row.size)
		}
	}
	if got, err := k.Append([]byte("x"), codec.Header{Type: "a"}, make(chan int)); err == nil || string(got) != "x" {
		t.Errorf("a channel: got %x, %v", got, err)
	}
}

func testOpen(t *testing.T, k codec.Codec) {
	good := message(t, k, codec.Header{Type: "a"}, nil)
	for name, row := range map[string]struct {
		message []byte
		ok      bool
	}{
		"a type":            {good, true},
		"as deep as may be": {nested(t, k, codec.MaxDepth), true},
		"too deep":          {nested(t, k, codec.MaxDepth+1), false},
		"nothing":           {nil, false},
		"no object":         {encoded(t, k, []string{"type", "a"}), false},
		"no type":           {encoded(t, k, map[string]any{"x": 1}), false},
		"a number":          {encoded(t, k, map[string]any{"type": 1}), false},
		"an empty type":     {encoded(t, k, map[string]any{"type": ""}), false},
		"cut":               {good[:len(good)-1], false},
		"two":               {append(bytes.Clone(good), good...), false},
	} {
		switch e, err := k.Open(row.message); {
		case row.ok && (err != nil || string(e.Type) != "a"):
			t.Errorf("%s: got %+v, %v", name, e, err)
		case !row.ok && !errors.Is(err, codec.ErrMalformed):
			t.Errorf("%s: got %+v, %v, want %v", name, e, err, codec.ErrMalformed)
		}
	}
}

func testID(t *testing.T, k codec.Codec) {
	id := k.AppendID(nil, 7)
	if e, err := k.Open(encoded(t, k, map[string]any{"id": 7})); !errors.Is(err, codec.ErrMalformed) || !bytes.Equal(e.ID, id) {
		t.Errorf("an id without a type: got %x, %v, want %x and %v", e.ID, err, id, codec.ErrMalformed)
	}
	var number uint64
	if err := k.Decode(id, &number); err != nil || number != 7 {
		t.Errorf("7 is decoded as %d, %v", number, err)
	}
	for _, id := range []any{nil, true, []int{1}, string(make([]byte, codec.MaxID))} {
		if e, err := k.Open(encoded(t, k, map[string]any{"type": "a", "id": id})); err != nil || e.ID != nil {
			t.Errorf("the id %v: got %x, %v, want none", id, e.ID, err)
		}
	}
}

func testWithout(t *testing.T, k codec.Codec) {
	all := message(t, k, codec.Header{Type: "a", ID: k.AppendID(nil, 1)}, map[string]int{"b": 1, "c": 2})
	rest := members(t, k, k.Without(bytes.Clone(all), codec.Type, codec.ID, "not there"))
	if len(rest) != 2 || fmt.Sprint(rest["b"], rest["c"]) != "1 2" {
		t.Errorf("without type and id: %v", rest)
	}
}

// message returns a message.
func message(t *testing.T, k codec.Codec, h codec.Header, body any) []byte {
	t.Helper()
	p, err := k.Append(nil, h, body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// encoded returns a value alone, encoded.
func encoded(t *testing.T, k codec.Codec, v any) []byte {
	t.Helper()
	e, err := k.Open(message(t, k, codec.Header{Type: "a", InData: true}, v))
	if err != nil {
		t.Fatal(err)
	}
	return e.Data
}

// nested returns a message that is so deep.
func nested(t *testing.T, k codec.Codec, depth int) []byte {
	t.Helper()
	var v any = 1
	for range depth - 1 {
		v = []any{v}
	}
	return message(t, k, codec.Header{Type: "a", InData: true}, v)
}

// members decodes a message.
func members(t *testing.T, k codec.Codec, message []byte) (m map[string]any) {
	t.Helper()
	if err := k.Decode(message, &m); err != nil {
		t.Errorf("%x: %v", message, err)
	}
	return m
}
