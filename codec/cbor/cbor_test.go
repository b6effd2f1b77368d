package cbor_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	fxcbor "github.com/fxamacker/cbor/v2"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/codec/cbor"
	"github.com/fiberwsx/wsx/codec/codectest"
)

func TestCodec(t *testing.T) { codectest.Test(t, cbor.New()) }

func encode(t testing.TB, v any) []byte {
	t.Helper()
	p, err := fxcbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOpen has what only this encoding can have.
func TestOpen(t *testing.T) {
	good := encode(t, map[string]any{"type": "a"})
	if e, err := cbor.New().Open(good); err != nil || string(e.Type) != "a" {
		t.Errorf("got %+v, %v", e, err)
	}
	for name, message := range map[string][]byte{
		"bytes":            encode(t, map[string]any{"type": []byte("a")}),
		"twice":            append([]byte{0xa2}, append(bytes.Clone(good[1:]), good[1:]...)...),
		"indefinite":       append(append([]byte{0xbf}, good[1:]...), 0xff),
		"a key of numbers": {0xa1, 0x01, 0x01},
		"a huge length":    {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		if e, err := cbor.New().Open(message); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
	if e, err := cbor.New().Open(encode(t, map[string]any{"type": "a", "id": 1.5})); err != nil || e.ID != nil {
		t.Errorf("the id 1.5: got %v, %v, want none", e.ID, err)
	}
}

// TestWithoutKeepsTheRest: also what is well-formed, but could not be encoded.
func TestWithoutKeepsTheRest(t *testing.T) {
	tag := []byte{0x81, 0xc1, 0x41, 0x30} // in a list a time, which bytes cannot be
	member := func(key string, value []byte) []byte { return append(encode(t, key), value...) }
	message := slices.Concat([]byte{0xa2}, member("id", encode(t, 1)), member("x", tag))
	if got, want := cbor.New().Without(message, "id"), append([]byte{0xa1}, member("x", tag)...); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(encode(f, map[string]any{"type": "a", "id": 1, "data": []int{1}}))
	f.Add([]byte{0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	codectest.Fuzz(f, cbor.New())
}
