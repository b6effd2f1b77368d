package msgpack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	shamaton "github.com/shamaton/msgpack/v3"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/codec/msgpack"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

type post struct {
	Room string `json:"room" msgpack:"room"`
	Text string `json:"text" msgpack:"text"`
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	p, err := shamaton.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decode(t *testing.T, p []byte) (m map[string]any) {
	t.Helper()
	if err := shamaton.Unmarshal(p, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestHub has two clients of one room, one with MessagePack and one with JSON, and a request.
func TestHub(t *testing.T) {
	h := hub.New(hub.Config{Codecs: []codec.Codec{msgpack.New()}, PingInterval: -1})
	hub.On(h, "say", func(_ *hub.Conn, p post) error { return h.All().Emit("said", p) })
	hub.Reply(h, "length", func(_ *hub.Conn, p post) (int, error) { return len(p.Text), nil })
	if got := h.Subprotocols(); len(got) != 1 || got[0] != msgpack.Subprotocol {
		t.Errorf("the hub speaks %q", got)
	}
	connect := func(subprotocol string) *wsxtest.Client {
		client, server := net.Pipe()
		go func() { _ = h.Serve(server, hub.Request{Subprotocol: subprotocol}) }()
		return wsxtest.NewClient(t, client)
	}
	inMessagePack, inJSON := connect(msgpack.Subprotocol), connect("")
	inJSON.SendText(`{"type":"length","id":1,"text":"ab"}`)
	if got := inJSON.ReadText(); got != `{"type":"reply","id":1,"data":2}` {
		t.Errorf("got %s", got)
	}
	ask := func(v any) map[string]any {
		inMessagePack.Send(ws.Message{Type: ws.Binary, Data: encode(t, v)})
		m, err := inMessagePack.Read()
		if err != nil || m.Type != ws.Binary {
			t.Fatalf("got %v, %v", m, err)
		}
		return decode(t, m.Data)
	}
	if got := ask(map[string]any{"type": "length", "id": "q", "text": "four"}); fmt.Sprint(got["data"]) != "4" || got["id"] != "q" {
		t.Errorf("got %v", got)
	}
	if got := ask(map[string]any{"type": "dance", "id": 7}); got["type"] != "error" || got["code"] != "unknown_type" || fmt.Sprint(got["id"]) != "7" {
		t.Errorf("got %v", got)
	}
	said := make(chan string, 1)
	go func() { said <- inJSON.ReadText() }()
	if got := ask(map[string]any{"type": "say", "room": "a", "text": "b"}); got["type"] != "said" || got["text"] != "b" {
		t.Errorf("got %v", got)
	}
	if got := <-said; got != `{"type":"said","room":"a","text":"b"}` {
		t.Errorf("got %s", got)
	}
	inMessagePack.Close()
	inJSON.Close()
	_ = h.Shutdown(context.Background())
}

func TestOpen(t *testing.T) {
	nested := func(n int) any {
		var v any = 1
		for range n - 1 {
			v = []any{v}
		}
		return map[string]any{"type": "a", "x": v}
	}
	good := encode(t, map[string]any{"type": "a"})
	for name, row := range map[string]struct {
		message []byte
		ok      bool
	}{
		"a type":           {good, true},
		"deep":             {encode(t, nested(codec.MaxDepth)), true},
		"too deep":         {encode(t, nested(codec.MaxDepth+1)), false},
		"nothing":          {nil, false},
		"no map":           {encode(t, []string{"type", "a"}), false},
		"no type":          {encode(t, map[string]any{"x": 1}), false},
		"a number":         {encode(t, map[string]any{"type": 1}), false},
		"bytes":            {encode(t, map[string]any{"type": []byte("a")}), false},
		"empty":            {encode(t, map[string]any{"type": ""}), false},
		"cut":              {good[:len(good)-1], false},
		"something behind": {append(bytes.Clone(good), 1), false},
		"twice":            {append([]byte{0x82}, append(bytes.Clone(good[1:]), good[1:]...)...), false},
		"a key of numbers": {[]byte{0x81, 0x01, 0x01}, false},
		"a key of lists":   {append([]byte{0x82, 0xa1, 'x', 0x81, 0x90, 0x01}, good[1:]...), false},
		"never used":       {append([]byte{0x82, 0xa1, 'x', 0xc1}, good[1:]...), false},
		"no UTF-8":         {append([]byte{0x82, 0xa1, 'x', 0xa1, 0xff}, good[1:]...), false},
		"a huge map":       {[]byte{0xdf, 0xff, 0xff, 0xff, 0xff}, false},
		"a huge list":      {append([]byte{0x82, 0xa1, 'x', 0xdd, 0xff, 0xff, 0xff, 0xff}, good[1:]...), false},
		"a huge text":      {append([]byte{0x82, 0xa1, 'x', 0xdb, 0xff, 0xff, 0xff, 0xff}, good[1:]...), false},
	} {
		if e, err := msgpack.New().Open(row.message); (err == nil) != row.ok || row.ok && string(e.Type) != "a" {
			t.Errorf("%s: got %+v, %v", name, e, err)
		}
	}
	e, err := msgpack.New().Open(encode(t, map[string]any{"id": 7}))
	if !errors.Is(err, codec.ErrMalformed) || !bytes.Equal(e.ID, []byte{7}) {
		t.Errorf("an id without a type: got %v, %v", e, err)
	}
	for _, id := range []any{nil, true, []int{1}, string(make([]byte, codec.MaxID))} {
		if e, err := msgpack.New().Open(encode(t, map[string]any{"type": "a", "id": id})); err != nil || e.ID != nil {
			t.Errorf("id %v: got %v, %v", id, e.ID, err)
		}
	}
}

func TestAppend(t *testing.T) {
	k := msgpack.New()
	at := time.Unix(0, 0).UTC()
	for _, row := range []struct {
		header codec.Header
		body   any
		size   int // of the map
		err    error
	}{
		{codec.Header{Type: "a"}, nil, 1, nil},
		{codec.Header{Type: "a"}, post{"b", "c"}, 3, nil},
		{codec.Header{Type: "a"}, (*post)(nil), 1, nil},
		{codec.Header{Type: "a"}, map[string]int{"b": 1, "id": 2}, 3, nil},
		{codec.Header{Type: "a"}, 3, 2, nil},
		{codec.Header{Type: "a"}, at, 2, nil},
		{codec.Header{Type: "a", ID: k.AppendID(nil, 1), InData: true}, map[string]int{"type": 1, "id": 2}, 3, nil},
		{codec.Header{Type: "a", InData: true}, nil, 2, nil},
		{codec.Header{Type: "a"}, map[string]int{"type": 1}, 0, codec.ErrOwnType},
		{codec.Header{Type: "a", ID: k.AppendID(nil, 1)}, map[string]int{"id": 1}, 0, codec.ErrOwnType},
		{codec.Header{}, nil, 0, codec.ErrNoType},
	} {
		got, err := k.Append([]byte("x"), row.header, row.body)
		if !errors.Is(err, row.err) || got[0] != 'x' {
			t.Errorf("%+v, %v: got %x, %v", row.header, row.body, got, err)
		}
		if err != nil {
			continue
		}
		if m := decode(t, got[1:]); len(m) != row.size || m["type"] != "a" {
			t.Errorf("%+v, %v: got %v", row.header, row.body, m)
		}
		if _, err := k.Open(got[1:]); err != nil {
			t.Errorf("%+v, %v: does not open: %v", row.header, row.body, err)
		}
	}
	if _, err := k.Append(nil, codec.Header{Type: "a"}, make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
	rest := decode(t, k.Without(encode(t, map[string]any{"type": "a", "b": 1}), "type"))
	if len(rest) != 1 || fmt.Sprint(rest["b"]) != "1" {
		t.Errorf("without its type: %v", rest)
	}
}

// FuzzOpen: what opens can be taken apart, and nothing panics.
func FuzzOpen(f *testing.F) {
	f.Add(encode(f, map[string]any{"type": "a", "id": 1, "data": []int{1}}))
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	k := msgpack.New()
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := k.Open(message)
		if err != nil {
			return
		}
		var all map[string]any
		if err := k.Decode(message, &all); err == nil && all["type"] != string(e.Type) {
			t.Errorf("%x: got the type %q of %v", message, e.Type, all)
		}
		if _, err := k.Open(k.Without(message, codec.ID, codec.Data)); err != nil {
			t.Errorf("%x: without id and data: %v", message, err)
		}
	})
}
