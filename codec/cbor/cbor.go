// Package cbor encodes the events of wsx as CBOR (RFC 8949) in binary messages, for clients that ask for
// [Subprotocol]:
//
//	h := hub.New(hub.Config{Codecs: []codec.Codec{cbor.New()}})
//
// A message is a map with the members that the JSON has. Fields are named by their tags "cbor" or "json".
package cbor

import (
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"github.com/fiberwsx/wsx/codec"
)

// Subprotocol is what a client asks for CBOR with.
const Subprotocol = "wsx.cbor.v1"

// New returns the codec. It refuses indefinite lengths, a key twice in any map, maps whose keys are no strings at the
// top, and what is nested deeper than [codec.MaxDepth]. Names of fields are compared exactly.
func New() codec.Codec { return cborCodec{} }

type cborCodec struct{}

var (
	dec = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: codec.MaxDepth, IndefLength: cbor.IndefLengthForbidden,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive, DefaultMapType: reflect.TypeFor[map[string]any](),
	}.DecMode())
	enc = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano, TimeTag: cbor.EncTagRequired}.EncMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options are constant
	}
	return v
}

func (cborCodec) Subprotocol() string { return Subprotocol }

func (cborCodec) Binary() bool { return true }

func (cborCodec) Open(message []byte) (e codec.Envelope, err error) {
	var members map[string]cbor.RawMessage
	if len(message) == 0 || message[0]>>5 != majorMap || dec.Unmarshal(message, &members) != nil {
		return e, codec.ErrMalformed
	}
	if id := members[codec.ID]; len(id) > 0 && len(id) <= codec.MaxID && isID(id[0]>>5) {
		e.ID = id
	}
	var kind string
	if raw := members[codec.Type]; len(raw) == 0 || raw[0]>>5 != majorText || dec.Unmarshal(raw, &kind) != nil || kind == "" {
		return e, codec.ErrMalformed
	}
	e.Type, e.Data = []byte(kind), members[codec.Data]
	return e, nil
}

// The major types of RFC 8949, section 3.1.
const (
	majorUnsigned = 0
	majorNegative = 1
	majorText     = 3
	majorMap      = 5
)

func isID(major byte) bool {
	return major == majorUnsigned || major == majorNegative || major == majorText
}

func (cborCodec) AppendID(b []byte, number uint64) []byte {
	id, _ := enc.Marshal(number) // a number can always be encoded
	return append(b, id...)
}

func (cborCodec) Without(message []byte, names ...string) []byte {
	var members map[string]cbor.RawMessage
	if dec.Unmarshal(message, &members) != nil {
		return nil // no message
	}
	for _, name := range names {
		delete(members, name)
	}
	rest, _ := enc.Marshal(uint64(len(members)))
	rest[0] |= majorMap << 5
	for _, name := range slices.Sorted(maps.Keys(members)) {
		key, _ := enc.Marshal(name)
		rest = append(append(rest, key...), members[name]...) // as it came: not all that is well-formed can be encoded
	}
	return rest
}

func (cborCodec) Decode(p []byte, v any) error { return dec.Unmarshal(p, v) }

func (cborCodec) Append(b []byte, h codec.Header, v any) ([]byte, error) {
	if h.Type == "" {
		return b, codec.ErrNoType
	}
	body, err := enc.Marshal(v)
	if err != nil {
		return b, err
	}
	members := make(map[string]cbor.RawMessage)
	switch {
	case v == nil && !h.InData:
	case h.InData || !codec.Beside(reflect.TypeOf(v)):
		members[codec.Data] = body
	case body[0]>>5 == majorMap: // and not that of a nil pointer
		if err := cbor.Unmarshal(body, &members); err != nil {
			return b, errors.Join(codec.ErrMalformed, err)
		}
	}
	if _, own := members[codec.Type]; own {
		return b, codec.ErrOwnType
	}
	if h.ID != nil {
		if _, own := members[codec.ID]; own {
			return b, codec.ErrOwnType
		}
		members[codec.ID] = h.ID
	}
	members[codec.Type], _ = enc.Marshal(h.Type) // a string can always be encoded
	message, err := enc.Marshal(members)
	if err != nil {
		return b, err
	}
	return append(b, message...), nil
}
