package codec

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"
)

var (
	known sync.Map // reflect.Type → bool

	encodesItself = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
)

// Beside reports whether a body of that type stands beside "type" with its own fields: structs and maps, and pointers
// to them, unless they have a MarshalJSON or a MarshalText of their own, or the opposite, as [time.Time] does. Every
// other body stands in "data". It remembers its answers; t may be nil.
func Beside(t reflect.Type) bool {
	if t == nil {
		return true
	}
	if answer, ok := known.Load(t); ok {
		return answer.(bool)
	}
	answer := beside(t)
	known.Store(t, answer)
	return answer
}

func beside(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		return false
	}
	for _, own := range encodesItself {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return false
		}
	}
	return true
}
