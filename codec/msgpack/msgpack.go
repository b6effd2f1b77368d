// Package msgpack encodes the events of wsx as MessagePack in binary messages, for clients that ask for [Subprotocol]:
//
//	h := hub.New(hub.Config{Codecs: []codec.Codec{msgpack.New()}})
//
// A message is a map with the members that the JSON has. Fields are named by their tag "msgpack"; those without one
// have their Go name.
package msgpack

import (
	"errors"
	"reflect"
	"slices"

	"github.com/shamaton/msgpack/v3"

	"github.com/fiberwsx/wsx/codec"
)

// Subprotocol is what a client asks for MessagePack with.
const Subprotocol = "wsx.msgpack.v1"

// New returns the codec. It refuses a member of the envelope twice, text that is not UTF-8, maps with keys other than
// text and numbers, and what is nested deeper than [codec.MaxDepth].
func New() codec.Codec { return msgpackCodec{} }

type msgpackCodec struct{}

func (msgpackCodec) Subprotocol() string { return Subprotocol }

func (msgpackCodec) Binary() bool { return true }

func (msgpackCodec) Open(message []byte) (e codec.Envelope, err error) {
	all, ok := members(message)
	if !ok {
		return e, codec.ErrMalformed
	}
	found := make(map[string][]byte, 3)
	for _, m := range all {
		if m.name != codec.Type && m.name != codec.ID && m.name != codec.Data {
			continue
		}
		if _, twice := found[m.name]; twice {
			return e, codec.ErrMalformed
		}
		found[m.name] = m.value
	}
	if id := found[codec.ID]; len(id) <= codec.MaxID {
		if f := headAt(id, 0).family; f == text || f == number {
			e.ID = id
		}
	}
	kind := headAt(found[codec.Type], 0)
	if kind.family != text || kind.n == 0 {
		return e, codec.ErrMalformed
	}
	e.Type, e.Data = found[codec.Type][kind.at:], found[codec.Data]
	return e, nil
}

func (msgpackCodec) AppendID(b []byte, n uint64) []byte {
	id, _ := msgpack.Marshal(n) // a number can always be encoded
	return append(b, id...)
}

func (msgpackCodec) Without(message []byte, names ...string) []byte {
	all, _ := members(message)
	all = slices.DeleteFunc(all, func(m member) bool { return slices.Contains(names, m.name) })
	rest := appendMap(make([]byte, 0, len(message)), len(all))
	for _, m := range all {
		rest = append(append(rest, m.key...), m.value...)
	}
	return rest
}

// errDecode is what a panic of the decoder becomes. It has one for a text where a slice is expected, for example, and
// what a client sends must not end the goroutine that decodes it.
var errDecode = errors.New("msgpack: the value does not fit")

func (msgpackCodec) Decode(p []byte, v any) (err error) {
	defer func() {
		if recover() != nil {
			err = errDecode
		}
	}()
	return msgpack.UnmarshalAsMap(p, v)
}

func (msgpackCodec) Append(b []byte, h codec.Header, v any) ([]byte, error) {
	if h.Type == "" {
		return b, codec.ErrNoType
	}
	own, err := bodyOf(h, v)
	if err != nil {
		return b, err
	}
	kind, _ := msgpack.Marshal(h.Type) // a string can always be encoded
	envelope := []member{{codec.Type, name(codec.Type), kind}}
	if h.ID != nil {
		envelope = append(envelope, member{codec.ID, name(codec.ID), h.ID})
	}
	for _, m := range own {
		if m.name == codec.Type || m.name == codec.ID && h.ID != nil {
			return b, codec.ErrOwnType
		}
	}
	all := append(envelope, own...)
	b = appendMap(b, len(all))
	for _, m := range all {
		b = append(append(b, m.key...), m.value...)
	}
	return b, nil
}

// bodyOf returns the members that v has in a message.
func bodyOf(h codec.Header, v any) ([]member, error) {
	if v == nil && !h.InData {
		return nil, nil
	}
	body, err := msgpack.MarshalAsMap(v)
	if err != nil {
		return nil, err
	}
	if h.InData || !codec.Beside(reflect.TypeOf(v)) {
		return []member{{codec.Data, name(codec.Data), body}}, nil
	}
	if headAt(body, 0).family != mapping { // a nil pointer
		return nil, nil
	}
	all, ok := members(body)
	if !ok {
		return nil, codec.ErrMalformed
	}
	return all, nil
}

// name returns a short text, encoded.
func name(s string) []byte { return append([]byte{0xa0 | byte(len(s))}, s...) }
