package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// JSON is the codec of clients which ask for none. It encodes as [json.Marshal] does and decodes as [json.Unmarshal].
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) Subprotocol() string { return "" }

func (jsonCodec) Binary() bool { return false }

func (jsonCodec) Open(message []byte) (Envelope, error) {
	s := scanner{p: message}
	s.space()
	if !utf8.Valid(message) || !s.byte('{') { // RFC 8259, section 8.1
		return Envelope{}, ErrMalformed
	}
	var found jsonMembers
	for first := true; ; first = false {
		key, more, ok := s.member(first)
		from := s.at
		if !ok || more && !s.value(1) {
			return Envelope{}, ErrMalformed
		}
		if !more {
			break
		}
		found.note(key, message[from:s.at])
	}
	s.space()
	if s.at < len(message) {
		return Envelope{}, ErrMalformed
	}
	return found.envelope()
}

// jsonMembers are the members of an object that are the envelope's, as they are encoded.
type jsonMembers struct {
	kind, id, data    []byte
	kinds, ids, datas int // how many there are, in capitals or small letters
}

// note notes a member. encoding/json does not tell capitals from small letters, so two members which differ in that
// alone would be one for the handler and two for everybody else.
func (m *jsonMembers) note(key, value []byte) {
	switch name := unquote(key); {
	case bytes.EqualFold(name, []byte(Type)):
		m.kinds++
		if string(name) == Type {
			m.kind = value
		}
	case bytes.EqualFold(name, []byte(ID)):
		m.ids++
		if string(name) == ID {
			m.id = value
		}
	case bytes.EqualFold(name, []byte(Data)):
		m.datas++
		if string(name) == Data {
			m.data = value
		}
	}
}

func (m *jsonMembers) envelope() (e Envelope, err error) {
	if m.ids > 1 || m.datas > 1 {
		return e, ErrMalformed
	}
	if len(m.id) > 0 && len(m.id) <= MaxID && (m.id[0] == '"' || m.id[0] == '-' || m.id[0] >= '0' && m.id[0] <= '9') {
		e.ID = m.id
	}
	if m.kinds != 1 || len(m.kind) <= len(`""`) || m.kind[0] != '"' {
		return e, ErrMalformed
	}
	e.Type, e.Data = unquote(m.kind), m.data
	return e, nil
}

// unquote returns what stands in a string. Few have an escape.
func unquote(p []byte) []byte {
	if bytes.IndexByte(p, '\\') < 0 {
		return p[1 : len(p)-1]
	}
	var text string
	_ = json.Unmarshal(p, &text) // p is a string
	return []byte(text)
}

func (jsonCodec) AppendID(b []byte, number uint64) []byte { return strconv.AppendUint(b, number, 10) }

func (jsonCodec) Without(message []byte, names ...string) []byte {
	s := scanner{p: message}
	s.space()
	s.byte('{')
	rest := append(make([]byte, 0, len(message)), '{')
	for first := true; ; first = false {
		s.space()
		key, more, _ := s.member(first)
		if !more {
			return append(rest, '}')
		}
		from := s.at
		s.value(1)
		if slices.Contains(names, string(unquote(key))) {
			continue
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(append(append(rest, key...), ':'), message[from:s.at]...)
	}
}

func (jsonCodec) Decode(p []byte, v any) error { return json.Unmarshal(p, v) }

// jsonWriter is an encoder and where it writes to; both are used again.
type jsonWriter struct {
	b   []byte
	enc *json.Encoder
}

func (w *jsonWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

var jsonWriters = sync.Pool{New: func() any {
	w := new(jsonWriter)
	w.enc = json.NewEncoder(w)
	return w
}}

func (jsonCodec) Append(b []byte, h Header, v any) ([]byte, error) {
	if h.Type == "" {
		return b, ErrNoType
	}
	w := jsonWriters.Get().(*jsonWriter)
	w.b = b
	err := w.message(h, v)
	message := w.b
	w.b = nil
	jsonWriters.Put(w)
	if err != nil {
		return b, err
	}
	return message, nil
}

func (w *jsonWriter) message(h Header, v any) error {
	w.b = appendQuoted(append(w.b, `{"type":`...), h.Type)
	if h.ID != nil {
		w.b = append(append(w.b, `,"id":`...), h.ID...)
	}
	if v == nil && !h.InData {
		w.b = append(w.b, '}')
		return nil
	}
	if h.InData || !Beside(reflect.TypeOf(v)) {
		w.b = append(w.b, `,"data":`...)
		if err := w.encode(v); err != nil {
			return err
		}
		w.b = append(w.b, '}')
		return nil
	}
	from := len(w.b)
	if err := w.encode(v); err != nil {
		return err
	}
	return w.join(from, h)
}

// encode appends v without the line feed that a stream has.
func (w *jsonWriter) encode(v any) error {
	if err := w.enc.Encode(v); err != nil {
		return err
	}
	w.b = w.b[:len(w.b)-1]
	return nil
}

// join makes one object of the envelope and of what begins at from: an object too, or null.
func (w *jsonWriter) join(from int, h Header) error {
	body := w.b[from:]
	switch {
	case body[0] != '{': // a nil pointer or map
		w.b = append(w.b[:from], '}')
		return nil
	case len(body) == len("{}"):
		w.b = append(w.b[:from], '}')
		return nil
	}
	s := scanner{p: body, at: 1}
	for first := true; ; first = false {
		key, more, _ := s.member(first)
		if !more {
			break
		}
		if name := unquote(key); bytes.EqualFold(name, []byte(Type)) || h.ID != nil && bytes.EqualFold(name, []byte(ID)) {
			return ErrOwnType
		}
		if !s.value(-1 << 30) { // how deep a value of the server's own is, is its own affair
			return ErrMalformed
		}
	}
	body[0] = ','
	return nil
}

// appendQuoted appends a string as JSON has it.
func appendQuoted(b []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }) {
		quoted, _ := json.Marshal(text) // a string can always be encoded
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), text...), '"')
}
