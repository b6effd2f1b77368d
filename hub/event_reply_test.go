package hub_test

import (
	"errors"
	"math"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

type numbered struct {
	ID   any    `json:"id"`
	Text string `json:"text"`
}

// answering is a hub with a request of each kind.
func answering(t *testing.T, cfg hub.Config) *hub.Hub {
	t.Helper()
	h := newHub(t, cfg)
	hub.Reply(h, "length", func(_ *hub.Conn, p post) (int, error) { return len(p.Text), nil })
	hub.Reply(h, "same", func(_ *hub.Conn, m map[string]string) (map[string]string, error) { return m, nil })
	hub.Reply(h, "numbered", func(_ *hub.Conn, n numbered) (numbered, error) { return n, nil })
	hub.Reply(h, "square", func(_ *hub.Conn, x float64) (float64, error) { return x * x, nil })
	hub.Reply(h, "nothing", func(*hub.Conn, struct{}) (*post, error) { return nil, nil })
	hub.Reply(h, "denied", func(*hub.Conn, struct{}) (int, error) { return 0, hub.EventError{Code: "denied", Message: "not you"} })
	hub.Reply(h, "broken", func(*hub.Conn, struct{}) (int, error) { return 0, errors.New(marker) })
	hub.Reply(h, "infinite", func(*hub.Conn, struct{}) (float64, error) { return math.Inf(1), nil })
	hub.Reply(h, "closing", func(*hub.Conn, struct{}) (int, error) { return 0, ws.CloseError{Status: ws.StatusKicked} })
	return h
}

func TestReply(t *testing.T) {
	const (
		internal = `{"type":"error","code":"internal","message":"internal error"}`
		needsID  = `{"type":"error","code":"invalid","message":"a request needs an \"id\": a number, or a string of at most 62 bytes"}`
	)
	var reported list[error]
	h := answering(t, hub.Config{ErrorBudget: -1, OnError: func(_ *hub.Conn, err error) { reported.add(err) }})
	s := connect(t, h)
	for _, row := range []struct{ message, answer string }{
		{`{"type":"length","id":7,"text":"four"}`, `{"type":"reply","id":7,"data":4}`},
		{`{"type":"same","id":"q\u0031","a":"b"}`, `{"type":"reply","id":"q\u0031","data":{"a":"b"}}`},
		{`{"type":"numbered","id":1,"text":"x"}`, `{"type":"reply","id":1,"data":{"id":1,"text":"x"}}`},
		{`{"type":"square","id":-1,"data":1.5}`, `{"type":"reply","id":-1,"data":2.25}`},
		{`{"type":"nothing","id":1}`, `{"type":"reply","id":1,"data":null}`},
		{`{"type":"denied","id":1}`, `{"type":"error","id":1,"code":"denied","message":"not you"}`},
		{`{"type":"broken","id":1}`, withID(internal, "1")},
		{`{"type":"infinite","id":1}`, withID(internal, "1")},
		{`{"type":"length","id":1,"text":""}`, withID(invalidBody, "1")},
		{`{"type":"square","id":1}`, withID(noData, "1")},
		{`{"type":"length","text":"four"}`, needsID},
		{`{"type":"length","id":null,"text":"four"}`, needsID},
		{`{"type":"length","id":[1],"text":"four"}`, needsID},
	} {
		want(t, row.message, s.exchange(row.message), row.answer)
	}
	want(t, "errors reported", len(reported.all()), 2)
	want(t, "invalid ones", h.Stats().Invalid, 5)
	want(t, "the close", s.exchange(`{"type":"closing","id":1}`), withID(internal, "1"))
	s.wantClose(ws.StatusKicked)
}

// TestRepliesAreNotBounded: who asks a hundred times is answered a hundred times, also when the answer is an error.
func TestRepliesAreNotBounded(t *testing.T) {
	h := answering(t, hub.Config{})
	s := connect(t, h)
	for range 100 {
		want(t, "answer", s.exchange(`{"type":"denied","id":1}`), `{"type":"error","id":1,"code":"denied","message":"not you"}`)
	}
}
