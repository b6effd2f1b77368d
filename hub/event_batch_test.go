package hub_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// reading is what a device of these tests sends.
type reading struct {
	Celsius *float64 `json:"celsius"`
}

func (r reading) Validate() error {
	switch {
	case r.Celsius == nil:
		return errors.New(marker)
	case *r.Celsius < -273:
		return hub.EventError{Code: "too_cold", Message: "no"}
	case *r.Celsius > 1e6:
		panic(marker)
	}
	return nil
}

// newTypedHub is newHub for typed batches, which the witness of the others does not see.
func newTypedHub[T any](t *testing.T, cfg hub.Config, handle func(context.Context, *hub.BatchOf[T]) error) *hub.Hub {
	t.Helper()
	cfg.Logger, cfg.PingInterval = logged.logger(io.Discard), -1
	h := hub.New(cfg)
	hub.OnBatch(h, "reading", handle)
	t.Cleanup(func() {
		_ = h.Shutdown(context.Background())
		s := h.Stats()
		want(t, "accepted and refused", s.BatchAccepted+s.RateLimited+s.Unnumbered+s.Invalid, s.MessagesIn)
		want(t, "accounted for", s.BatchHandled+s.DeadLettered+s.Rejected, s.BatchAccepted)
	})
	return h
}

// storing keeps the readings that it gets, and rejects those below zero.
func storing(into *list[string]) func(context.Context, *hub.BatchOf[reading]) error {
	return func(_ context.Context, b *hub.BatchOf[reading]) error {
		for i, it := range b.All() {
			if *it.Value.Celsius < 0 {
				b.Reject(i, nil)
				continue
			}
			into.add(fmt.Sprint(it.Conn.Subject(), " ", *it.Value.Celsius, " ", it.Number))
		}
		return nil
	}
}

// TestTypedBatch: what fits comes in batches, in order; what does not is answered, and never enters one.
func TestTypedBatch(t *testing.T) {
	var got list[string]
	h := newTypedHub(t, hub.Config{Batch: batch.Config{MaxItems: 3, MaxAge: -1}}, storing(&got))
	s := connectAs(t, h, "d")
	s.SendText(`{"type":"reading","celsius":1}`)
	for message, answer := range map[string]string{
		`{"type":"reading","id":7}`:                     withID(invalidBody, "7"),
		`{"type":"reading","celsius":"` + marker + `"}`: invalidBody,
		`{"type":"reading","celsius":-300}`:             `{"type":"error","code":"too_cold","message":"no"}`,
		`{"type":"other"}`:                              unknownType,
		`{"type":"reply","id":1}`:                       withID(unknownType, "1"),
		`{"celsius":1}`:                                 malformed,
		`1`:                                             malformed,
	} {
		want(t, message, s.exchange(message), answer)
	}
	s.SendText(`{"type":"reading","celsius":2}`)
	s.SendText(`{"type":"reading","celsius":3}`)
	s.Close()
	must(t, h.Shutdown(context.Background()))
	want(t, "readings", strings.Join(got.all(), ", "), "d 1 0, d 2 0, d 3 0")
	want(t, "invalid ones", h.Stats().Invalid, 7)
	if err := s.handle.Request(t.Context(), "x", nil, nil); !errors.Is(err, hub.ErrNoEvents) {
		t.Errorf("Request: %v", err)
	}
}

// TestTypedBatchWithAcks: every message has its number; what is refused has a nack, and holds up nobody.
func TestTypedBatchWithAcks(t *testing.T) {
	var got list[string]
	letters := make(chan string, 1)
	h := newTypedHub(t, hub.Config{
		Ack: hub.AckBatch, Batch: batch.Config{MaxItems: 3},
		DeadLetter: func(_ context.Context, rejected []hub.Rejected) error {
			letters <- rejected[0].Message.Text()
			return nil
		},
	}, storing(&got))
	want(t, "Acknowledges", h.Acknowledges(), true)
	d := connectDevice(t, h, "d")
	d.SendText(`{"type":"reading","celsius":1}`)
	for i, row := range []struct{ message, code string }{
		{`{"type":"reading"}`, "invalid"}, {`{"type":"reading","celsius":-300}`, "invalid"}, {`{"type":"other"}`, "unknown_type"},
		{marker, "invalid"},
	} {
		d.SendText(row.message)
		for n := d.note(); ; n = d.note() {
			if n.WSX == "ack" {
				continue // of the first one
			}
			if n.WSX != "nack" || n.Seq != uint64(i+2) || n.Code != row.code || n.Retry {
				t.Errorf("%s: got %+v", row.message, n)
			}
			break
		}
	}
	d.SendText(`{"type":"reading","celsius":-1}`)
	d.SendText(`{"type":"reading","celsius":2}`)
	for n := d.note(); n.Seq < 7; n = d.note() {
		want(t, "note", n.WSX, "ack")
	}
	want(t, "dead letter", await(t, letters, "the dead letter"), `{"type":"reading","celsius":-1}`)
	want(t, "readings", strings.Join(got.all(), ", "), "d 1 1, d 2 7")
	want(t, "nacks", h.Stats().Nacks, 4)
}

// TestTypedBatchOfValues: a body that is no struct travels in "data" here too.
func TestTypedBatchOfValues(t *testing.T) {
	var got list[int]
	h := newTypedHub(t, hub.Config{}, func(_ context.Context, b *hub.BatchOf[[]int]) error {
		for _, it := range b.All() {
			got.add(it.Value[0])
		}
		return nil
	})
	s := connect(t, h)
	s.SendText(`{"type":"reading","data":[1]}`)
	want(t, "no data", s.exchange(`{"type":"reading"}`), noData)
	s.Close()
	must(t, h.Shutdown(context.Background()))
	want(t, "readings", fmt.Sprint(got.all()), "[1]")
}

// TestValidateCrash: a panic in Validate ends its connection alone.
func TestValidateCrash(t *testing.T) {
	crashes := make(chan error, 1)
	var got list[string]
	h := newTypedHub(t, hub.Config{OnError: func(_ *hub.Conn, err error) { crashes <- err }}, storing(&got))
	s, other := connect(t, h), connect(t, h)
	s.SendText(`{"type":"reading","celsius":1e7}`)
	s.wantClose(ws.StatusInternalError)
	want(t, "error", await(t, crashes, "the error").Error(), `hub: panic in OnBatch "reading"`)
	want(t, "another one", other.exchange(`1`), malformed)
}

// TestMisplacedBatches: what can never work panics when the program starts.
func TestMisplacedBatches(t *testing.T) {
	store := func(context.Context, *hub.BatchOf[reading]) error { return nil }
	for name, f := range map[string]func(){
		"twice": func() { hub.OnBatch(newTypedHub(t, hub.Config{}, store), "reading", store) },
		"On behind it": func() {
			hub.On(newTypedHub(t, hub.Config{}, store), "say", said)
		},
		"behind On": func() {
			h := newHub(t, hub.Config{})
			hub.On(h, "say", said)
			hub.OnBatch(h, "reading", store)
		},
		"behind Use": func() {
			h := newHub(t, hub.Config{})
			h.Use(func(next hub.Handler) hub.Handler { return next })
			hub.OnBatch(h, "reading", store)
		},
		"beside OnMessage": func() { hub.OnBatch(newHub(t, hub.Config{OnMessage: nothing}), "reading", store) },
		"no name":          func() { hub.OnBatch(newHub(t, hub.Config{}), "", store) },
		"no handler":       func() { hub.OnBatch[reading](newHub(t, hub.Config{}), "reading", nil) },
		"On with acks":     func() { hub.On(newHub(t, hub.Config{Ack: hub.AckBatch}), "say", said) },
		"a batch that drops": func() {
			cfg := hub.Config{Ack: hub.AckBatch, Batch: batch.Config{DropOldest: true}}
			hub.OnBatch(newHub(t, cfg), "reading", store)
		},
	} {
		func() {
			defer func() {
				if what, _ := recover().(string); !strings.HasPrefix(what, "hub: ") {
					t.Errorf("%s: %q", name, what)
				}
			}()
			f()
			t.Errorf("%s works", name)
		}()
	}
	want(t, "Handles", newTypedHub(t, hub.Config{}, store).Handles(), true)
}
