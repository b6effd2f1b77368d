package codec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/codec"
)

func ExampleCodec() {
	type post struct {
		Room string `json:"room"`
		Text string `json:"text"`
	}
	said, _ := codec.JSON.Append(nil, codec.Header{Type: "said"}, post{"lobby", "hello"})
	count, _ := codec.JSON.Append(nil, codec.Header{Type: "count"}, 3)
	fmt.Printf("%s\n%s\n", said, count)

	e, err := codec.JSON.Open(said)
	fmt.Println(string(e.Type), err)
	// Output:
	// {"type":"said","room":"lobby","text":"hello"}
	// {"type":"count","data":3}
	// said <nil>
}

func TestOpen(t *testing.T) {
	deep := func(n int) string {
		return `{"type":"a","x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	nested := func(n int) string { return `{"type":"a"` + strings.Repeat(`,"x":{"y":1`, n-1) + strings.Repeat("}", n) }
	long := strings.Repeat("1", codec.MaxID)
	for message, want := range map[string]string{ // type, id and data; "" is malformed
		`{"type":"say"}`:                           "say||",
		" {\r\n\t\"type\" : \"say\" } ":            "say||",
		`{"x":1,"type":"say","id":7,"data":[1,2]}`: "say|7|[1,2]",
		`{"type":"say","id":"a\"b"}`:               `say|"a\"b"|`,
		`{"type":"say","id":-1.5e3}`:               "say|-1.5e3|",
		`{"type":"say","id":null}`:                 "say||",
		`{"type":"say","id":{"a":1}}`:              "say||",
		`{"type":"say","id":` + long + `}`:         "say|" + long + "|",
		`{"type":"say","id":` + long + `1}`:        "say||",
		`{"type":"say","ID":7}`:                    "say||",
		`{"ty\u0070e":"s\u0061y"}`:                 "say||",
		deep(codec.MaxDepth):                       "a||",
		deep(codec.MaxDepth + 1):                   "",
		nested(codec.MaxDepth):                     "a||",
		nested(codec.MaxDepth + 1):                 "",
		``:                                         "",
		`{}`:                                       "",
		`null`:                                     "",
		`["type"]`:                                 "",
		`{"type":7}`:                               "",
		`{"type":""}`:                              "",
		`{"type":"a"}x`:                            "",
		`{"type":"a"}{}`:                           "",
		`{"type":"a",}`:                            "",
		`{"type":"a" "b":1}`:                       "",
		`{"type":"a","b":[1,]}`:                    "",
		`{"type":"a","b":01}`:                      "",
		`{"type":"a","b":1.}`:                      "",
		`{"type":"a","b":+1}`:                      "",
		`{"type":"a","b":tru}`:                     "",
		`{"type":"a","b":"` + "\n" + `"}`:          "",
		`{"type":"a","b":"\x"}`:                    "",
		`{"type":"a","b":"\u00g0"}`:                "",
		`{"type":"a","type":"a"}`:                  "",
		`{"type":"a","Type":"a"}`:                  "",
		`{"type":"a","t\u0079pe":"b"}`:             "",
		`{"Type":"a"}`:                             "",
		`{"type":"a","id":1,"id":1}`:               "",
		`{"type":"a","id":1,"Id":1}`:               "",
		`{"type":"a","data":1,"DATA":1}`:           "",
	} {
		e, err := codec.JSON.Open([]byte(message))
		switch got := fmt.Sprintf("%s|%s|%s", e.Type, e.ID, e.Data); {
		case want == "" && !errors.Is(err, codec.ErrMalformed):
			t.Errorf("%s: got %s, %v, want %v", message, got, err, codec.ErrMalformed)
		case want != "" && (err != nil || got != want):
			t.Errorf("%s: got %s, %v, want %s", message, got, err, want)
		}
	}
}

// TestOpenKeepsTheID: who sent a well-formed message without a type still learns which one that was.
func TestOpenKeepsTheID(t *testing.T) {
	if e, err := codec.JSON.Open([]byte(`{"id":7}`)); err == nil || string(e.ID) != "7" {
		t.Errorf("got %s, %v", e.ID, err)
	}
}

func TestWithout(t *testing.T) {
	for message, want := range map[string]string{
		`{"type":"a"}`:                            `{}`,
		`{"type":"a","b":1}`:                      `{"b":1}`,
		` { "b" : {"type":1} , "ty\u0070e":"a" }`: `{"b":{"type":1}}`,
		`{"b":1,"type":"a","c":"}"}`:              `{"b":1,"c":"}"}`,
		`{"id":1}`:                                `{"id":1}`,
	} {
		if got := codec.JSON.Without([]byte(message), "type"); string(got) != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}

type inner struct {
	A int `json:"a"`
}

type owner struct {
	Kind string `json:"type"`
}

type untagged struct{ Type string }

func TestAppend(t *testing.T) {
	id := []byte("7")
	for _, row := range []struct {
		header codec.Header
		body   any
		want   string
		err    error
	}{
		{codec.Header{Type: "a"}, nil, `{"type":"a"}`, nil},
		{codec.Header{Type: "a"}, inner{1}, `{"type":"a","a":1}`, nil},
		{codec.Header{Type: "a"}, &inner{1}, `{"type":"a","a":1}`, nil},
		{codec.Header{Type: "a"}, (*inner)(nil), `{"type":"a"}`, nil},
		{codec.Header{Type: "a"}, struct{}{}, `{"type":"a"}`, nil},
		{codec.Header{Type: "a"}, map[string]any{"type2": map[string]int{"type": 1}}, `{"type":"a","type2":{"type":1}}`, nil},
		{codec.Header{Type: "a"}, map[string]int(nil), `{"type":"a"}`, nil},
		{codec.Header{Type: "a"}, "x", `{"type":"a","data":"x"}`, nil},
		{codec.Header{Type: "a"}, []int{1, 2}, `{"type":"a","data":[1,2]}`, nil},
		{codec.Header{Type: "a"}, time.Unix(0, 0).UTC(), `{"type":"a","data":"1970-01-01T00:00:00Z"}`, nil},
		{codec.Header{Type: "a"}, json.RawMessage(`{"b":1}`), `{"type":"a","data":{"b":1}}`, nil},
		{codec.Header{Type: "a", InData: true}, inner{1}, `{"type":"a","data":{"a":1}}`, nil},
		{codec.Header{Type: "a", InData: true}, nil, `{"type":"a","data":null}`, nil},
		{codec.Header{Type: "a", ID: id}, inner{1}, `{"type":"a","id":7,"a":1}`, nil},
		{codec.Header{Type: "a", ID: id, InData: true}, owner{"b"}, `{"type":"a","id":7,"data":{"type":"b"}}`, nil},
		{codec.Header{Type: "a"}, map[string]int{"id": 1}, `{"type":"a","id":1}`, nil},
		{codec.Header{Type: "\"é\n<"}, nil, `{"type":"\"é\n\u003c"}`, nil},
		{codec.Header{Type: "a", ID: id}, map[string]int{"id": 1}, "", codec.ErrOwnType},
		{codec.Header{Type: "a"}, owner{"b"}, "", codec.ErrOwnType},
		{codec.Header{Type: "a"}, untagged{"b"}, "", codec.ErrOwnType},
		{codec.Header{Type: "a"}, map[string]int{"b": 1, "type": 1}, "", codec.ErrOwnType},
		{codec.Header{}, inner{1}, "", codec.ErrNoType},
	} {
		got, err := codec.JSON.Append([]byte("before "), row.header, row.body)
		if string(got) != "before "+row.want || !errors.Is(err, row.err) {
			t.Errorf("%+v, %v: got %s, %v, want %s, %v", row.header, row.body, got, err, row.want, row.err)
		}
	}
	var unsupported *json.UnsupportedTypeError
	if got, err := codec.JSON.Append(nil, codec.Header{Type: "a"}, func() {}); !errors.As(err, &unsupported) || got != nil {
		t.Errorf("a function: got %s, %v", got, err)
	}
}

func TestBeside(t *testing.T) {
	for of, want := range map[reflect.Type]bool{
		nil:                               true,
		reflect.TypeFor[inner]():          true,
		reflect.TypeFor[**inner]():        true,
		reflect.TypeFor[map[string]int](): true,
		reflect.TypeFor[url.Values]():     true,
		reflect.TypeFor[int]():            false,
		reflect.TypeFor[[]inner]():        false,
		reflect.TypeFor[*string]():        false,
		reflect.TypeFor[time.Time]():      false,
		reflect.TypeFor[*time.Time]():     false,
		reflect.TypeFor[big.Int]():        false,
	} {
		for range 2 {
			if got := codec.Beside(of); got != want {
				t.Errorf("%v: got %t", of, got)
			}
		}
	}
}

// FuzzEnvelope compares the scanner with what encoding/json makes of the same message.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"type":"say","id":7,"data":[1,2]}`, ` {"ty\u0070e":"a","TYPE":1}`, `{"type":"a","b":{"c":[tru]}}`, `{"type":"a"}x`,
		`{"type":"a","id":"\ud800"}`, `{"id":-0.1e+5,"x":"\\\""}`, `[[[[]]]]`, `{"type":"a","type":"b"}`, "{\"type\":\"\xec\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := codec.JSON.Open(message)
		want, ok := naive(message)
		ok = ok && utf8.Valid(message) // encoding/json puts U+FFFD in its place
		if ok != (err == nil) {
			t.Fatalf("%q: got %v, the oracle says %t", message, err, ok)
		}
		if !ok {
			return
		}
		if string(e.Type) != want.kind || string(e.ID) != want.id || string(e.Data) != want.data {
			t.Fatalf("%q: got %q, %q, %q, want %q", message, e.Type, e.ID, e.Data, want)
		}
		var rest, all map[string]json.RawMessage
		if err := json.Unmarshal(codec.JSON.Without(message, codec.Type), &rest); err != nil {
			t.Fatalf("%q without its type: %v", message, err)
		}
		_ = json.Unmarshal(message, &all)
		delete(all, codec.Type)
		if !maps.EqualFunc(rest, all, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("%q without its type: got %q, want %q", message, rest, all)
		}
	})
}

type naiveEnvelope struct{ kind, id, data string }

// naive reads an envelope with encoding/json, token by token.
func naive(message []byte) (e naiveEnvelope, ok bool) {
	if !json.Valid(message) || depth(message) > codec.MaxDepth {
		return e, false
	}
	d := json.NewDecoder(strings.NewReader(string(message)))
	if open, _ := d.Token(); open != json.Delim('{') {
		return e, false
	}
	var names []string
	for d.More() {
		key, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		switch names = append(names, strings.ToLower(key.(string))); key {
		case codec.Type:
			if json.Unmarshal(value, &e.kind) != nil || value[0] != '"' {
				return e, false
			}
		case codec.ID:
			if len(value) <= codec.MaxID && strings.ContainsRune(`"-0123456789`, rune(value[0])) {
				e.id = string(value)
			}
		case codec.Data:
			e.data = string(value)
		}
	}
	for _, name := range []string{codec.Type, codec.ID, codec.Data} {
		if i := slices.Index(names, name); i >= 0 && slices.Contains(names[i+1:], name) {
			return e, false
		}
	}
	return e, e.kind != ""
}

// depth returns how deep valid JSON is nested.
func depth(message []byte) (deepest int) {
	d := json.NewDecoder(strings.NewReader(string(message)))
	for now := 0; ; {
		switch token, err := d.Token(); {
		case err != nil:
			return deepest
		case token == json.Delim('{') || token == json.Delim('['):
			now++
			deepest = max(deepest, now)
		case token == json.Delim('}') || token == json.Delim(']'):
			now--
		}
	}
}
