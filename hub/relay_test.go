package hub_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// signal is what two browsers tell each other before they talk without the server.
type signal struct {
	To   string `json:"to,omitempty"`
	From string `json:"from,omitempty"`
	Kind string `json:"kind"`
	Body string `json:"body"`
}

// relay hands a signal to one peer of the same room, and says from whom it comes.
func relay(h func() *hub.Hub) func(*hub.Conn, hub.Message) error {
	return func(c *hub.Conn, m hub.Message) error {
		var s signal
		if err := json.Unmarshal(m.Data, &s); err != nil {
			return ws.CloseError{Status: ws.StatusInvalidPayload}
		}
		peer, ok := h().Conn(s.To)
		if !ok || !peer.In("call") || !c.In("call") {
			return c.SendJSON(signal{Kind: "gone", Body: s.To})
		}
		s.From, s.To = c.ID(), ""
		return peer.Target().SendJSON(s)
	}
}

// TestRelayToOnePeer passes an offer, its answer and candidates between two of three, over sockets.
func TestRelayToOnePeer(t *testing.T) {
	var h *hub.Hub
	h = newHub(t, hub.Config{
		OnOpen:    func(c *hub.Conn) error { return c.Join("call") },
		OnMessage: relay(func() *hub.Hub { return h }),
	})
	ann, bob, eve := connectTCP(t, h), connectTCP(t, h), connectTCP(t, h)
	tell := func(from, to *session, kind, body string) {
		t.Helper()
		p, err := json.Marshal(signal{To: to.handle.ID(), Kind: kind, Body: body})
		must(t, err)
		from.SendText(string(p))
	}
	hears := func(s, from *session, kind, body string) {
		t.Helper()
		var got signal
		must(t, json.Unmarshal([]byte(s.ReadText()), &got))
		want(t, "signal", got, signal{From: from.handle.ID(), Kind: kind, Body: body})
	}
	tell(ann, bob, "offer", "v=0 ann")
	for i := range 20 {
		tell(ann, bob, "candidate", fmt.Sprint(i))
	}
	hears(bob, ann, "offer", "v=0 ann")
	tell(bob, ann, "answer", "v=0 bob")
	hears(ann, bob, "answer", "v=0 bob")
	for i := range 20 {
		hears(bob, ann, "candidate", fmt.Sprint(i))
	}
	must(t, eve.handle.SendText("only this"))
	want(t, "what the third one hears", eve.ReadText(), "only this")
	must(t, bob.Conn().Close())
	<-bob.handle.Done()
	tell(ann, bob, "candidate", "late")
	want(t, "to one that has gone", ann.ReadText(), fmt.Sprintf(`{"kind":"gone","body":%q}`, bob.handle.ID()))
}

// TestAFrameToARoomIsSharedWhileItWaits: a binary frame waits once for all members, whatever their policy.
func TestAFrameToARoomIsSharedWhileItWaits(t *testing.T) {
	for name, policy := range map[string]hub.Policy{"Close": hub.Close, "DropOldest": hub.DropOldest, "Conflate": hub.Conflate("x")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const members, size = 50, 256 << 10
				h := newHub(t, hub.Config{OnMessage: nothing})
				var all []*session
				for range members {
					s := connect(t, h)
					must(t, s.handle.Join("x"))
					all = append(all, s)
				}
				must(t, h.To("x").With(policy).SendBinary(make([]byte, size)))
				synctest.Wait()
				if n := h.Stats().OutboxBytes; n < size || n > size*5/4*runtime.GOMAXPROCS(0) { // one a shard
					t.Errorf("%d bytes wait for %d members, want those of one frame a processor", n, members)
				}
				for _, s := range all {
					m, err := s.Read()
					must(t, err)
					want(t, "bytes", len(m.Data), size)
				}
			})
		})
	}
}
