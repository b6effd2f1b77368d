package msgpack_test

import (
	"bytes"
	"errors"
	"testing"

	shamaton "github.com/shamaton/msgpack/v3"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/codec/codectest"
	"github.com/fiberwsx/wsx/codec/msgpack"
)

func TestCodec(t *testing.T) { codectest.Test(t, msgpack.New()) }

func encode(t testing.TB, v any) []byte {
	t.Helper()
	p, err := shamaton.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOpen has what only this encoding can have.
func TestOpen(t *testing.T) {
	good := encode(t, map[string]any{"type": "a"})
	if e, err := msgpack.New().Open(good); err != nil || string(e.Type) != "a" {
		t.Errorf("got %+v, %v", e, err)
	}
	for name, message := range map[string][]byte{
		"bytes":            encode(t, map[string]any{"type": []byte("a")}),
		"twice":            append([]byte{0x82}, append(bytes.Clone(good[1:]), good[1:]...)...),
		"a key of numbers": {0x81, 0x01, 0x01},
		"a key of lists":   append([]byte{0x82, 0xa1, 'x', 0x81, 0x90, 0x01}, good[1:]...),
		"never used":       append([]byte{0x82, 0xa1, 'x', 0xc1}, good[1:]...),
		"no UTF-8":         append([]byte{0x82, 0xa1, 'x', 0xa1, 0xff}, good[1:]...),
		"a huge map":       {0xdf, 0xff, 0xff, 0xff, 0xff},
		"a huge list":      append([]byte{0x82, 0xa1, 'x', 0xdd, 0xff, 0xff, 0xff, 0xff}, good[1:]...),
		"a huge text":      append([]byte{0x82, 0xa1, 'x', 0xdb, 0xff, 0xff, 0xff, 0xff}, good[1:]...),
	} {
		if e, err := msgpack.New().Open(message); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(encode(f, map[string]any{"type": "a", "id": 1, "data": []int{1}}))
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	codectest.Fuzz(f, msgpack.New())
}
