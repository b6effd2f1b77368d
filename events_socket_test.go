package wsx_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// inBinary is JSON in binary messages, for who asks for it.
type inBinary struct{ codec.Codec }

func (inBinary) Subprotocol() string { return "test.binary" }
func (inBinary) Binary() bool        { return true }

// amount is a body that may not be negative.
type amount struct {
	N figure `json:"n"`
}

func (a amount) Validate() error {
	if a.N < 0 {
		return hub.EventError{Code: "negative", Message: "at least 0"}
	}
	return nil
}

// figure is a number; decodings counts how often one is decoded.
type figure int

var decodings atomic.Int64

func (n *figure) UnmarshalJSON(p []byte) error {
	decodings.Add(1)
	return json.Unmarshal(p, (*int)(n))
}

// sums is a hub with an event of each kind, and a layer around them.
func sums() *hub.Hub {
	h := hub.New(hub.Config{Codecs: []codec.Codec{inBinary{codec.JSON}}, Rate: -1, Logger: quiet, MaxMessage: 2000})
	h.Use(func(next hub.Handler) hub.Handler {
		return func(c *hub.Conn, e hub.Event) error {
			if c.Query("muted") != "" {
				return hub.EventError{Code: "muted"}
			}
			return next(c, e)
		}
	})
	hub.On(h, "add", func(c *hub.Conn, a amount) error { return c.Emit("added", int(a.N)+1) })
	hub.Reply(h, "double", func(_ *hub.Conn, a amount) (int, error) { return 2 * int(a.N), nil })
	hub.On(h, "ask me", func(c *hub.Conn, _ struct{}) error {
		go ask(c) // the reply is not read before the handler has returned
		return nil
	})
	return h
}

// ask asks the client, and tells it what it has heard.
func ask(c *hub.Conn) {
	patience := 10 * time.Second
	if c.Query("impatient") != "" {
		patience = 50 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	var answer int
	if err := c.Request(ctx, "how many", nil, &answer); err != nil {
		_ = c.Emit("unheard", err.Error())
		return
	}
	_ = c.Emit("heard", answer)
}

// TestTypedEvents talks to a hub with events over sockets, as text and in the encoding that a subprotocol chooses.
func TestTypedEvents(t *testing.T) {
	for name, row := range map[string]struct {
		query string
		say   []string // until there is an answer
		hear  string
	}{
		"an event":          {"", []string{`{"type":"add","n":1}`}, `{"type":"added","data":2}`},
		"a request":         {"", []string{`{"type":"double","id":7,"n":4}`}, `{"type":"reply","id":7,"data":8}`},
		"an unknown type":   {"", []string{`{"type":"dance"}`}, `{"type":"error","code":"unknown_type","message":"no event has this type"}`},
		"an unknown one":    {"", []string{`{"type":"dance","id":1}`}, `{"type":"error","id":1,"code":"unknown_type","message":"no event has this type"}`},
		"a bad body":        {"", []string{`{"type":"add","n":"one"}`}, `{"type":"error","code":"invalid","message":"the body does not fit the type"}`},
		"no valid body":     {"", []string{`{"type":"double","id":"x","n":-1}`}, `{"type":"error","id":"x","code":"negative","message":"at least 0"}`},
		"no event":          {"", []string{`[]`}, `{"type":"error","code":"invalid","message":"not an object with a \"type\""}`},
		"behind a layer":    {"?muted=yes", []string{`{"type":"add","n":1}`}, `{"type":"error","code":"muted"}`},
		"a server's":        {"", []string{`{"type":"ask me"}`, `{"type":"how many","id":1}`, `{"type":"reply","id":1,"data":5}`}, `{"type":"heard","data":5}`},
		"a server's, no":    {"", []string{`{"type":"ask me"}`, `{"type":"how many","id":1}`, `{"type":"error","id":1,"code":"no"}`}, `{"type":"unheard","data":"hub: event error no"}`},
		"a server's, never": {"?impatient=yes", []string{`{"type":"ask me"}`, `{"type":"how many","id":1}`}, `{"type":"unheard","data":"context deadline exceeded"}`},
	} {
		for kind, o := range map[ws.MessageType]wsxtest.Options{ws.Text: {}, ws.Binary: {Subprotocols: []string{"test.binary"}}} {
			t.Run(name+"/"+kind.String(), func(t *testing.T) {
				onEach(t, func(t *testing.T, on transport) {
					c := wsxtest.Dial(t, on.serve(t, sums())+row.query, o)
					hear := func(want string) {
						t.Helper()
						if m, err := c.Read(); err != nil || m.Type != kind || m.Text() != want {
							t.Errorf("got %s %s, %v, want %s %s", m.Type, m.Data, err, kind, want)
						}
					}
					for i, s := range row.say {
						if i%2 == 1 {
							hear(s)
							continue
						}
						c.Send(ws.Message{Type: kind, Data: []byte(s)})
					}
					hear(row.hear)
				})
			})
		}
	}
}

// TestNothingIsDecodedOfWhatIsTooMuch: depth and size are looked at before a body is decoded.
func TestNothingIsDecodedOfWhatIsTooMuch(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		c := wsxtest.Dial(t, on.serve(t, sums()))
		c.SendText(`{"type":"add","n":1}`)
		gets(t, c, `{"type":"added","data":2}`)
		before := decodings.Load()
		c.SendText(`{"type":"add","n":1,"x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`)
		gets(t, c, `{"type":"error","code":"invalid","message":"not an object with a \"type\""}`)
		_ = c.Raw(texts(`{"type":"add","n":1,"x":"` + strings.Repeat("x", 2000) + `"}`))
		if got := c.ReadClose().Status; got != ws.StatusMessageTooBig {
			t.Errorf("closed with %v", got)
		}
		if got := decodings.Load() - before; got != 0 {
			t.Errorf("%d bodies were decoded", got)
		}
	})
}

// TestTypedBatches: what fits comes in a batch, and the rest is answered, over sockets.
func TestTypedBatches(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		sums := make(chan int, 2)
		h := hub.New(hub.Config{Batch: batch.Config{MaxItems: 3, MaxAge: -1}, Logger: quiet})
		hub.OnBatch(h, "add", func(_ context.Context, b *hub.BatchOf[amount]) error {
			sum := 0
			for _, it := range b.All() {
				sum += int(it.Value.N)
			}
			sums <- sum
			return nil
		})
		c := wsxtest.Dial(t, on.serve(t, h))
		_ = c.Raw(texts(`{"type":"add","n":1}`, `{"type":"add","n":-1}`, `{"type":"add","n":10}`, `{"type":"add","n":100}`))
		gets(t, c, `{"type":"error","code":"negative","message":"at least 0"}`)
		select {
		case got := <-sums:
			if got != 111 {
				t.Errorf("the batch has %d", got)
			}
		case <-time.After(10 * time.Second):
			t.Error("no batch comes")
		}
	})
}
