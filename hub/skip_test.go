package hub_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// What compressed messages of clients hold; see RFC 7692, section 7.2.3.
var (
	hello      = []byte("\xf2\x48\xcd\xc9\xc9\x07\x00") // "Hello"
	helloAgain = []byte("\xf2\x00\x11\x00\x00")         // the same, which refers to the one before
	corrupt    = []byte("\xff\xff\xff\xff")
)

const compressedText = wire.OpText | 0x40

// overRate connects to a hub that allows a message a second, and sends the first.
func overRate(t *testing.T, over hub.OverRate, c hub.Compression) (s *compressedSession, h *hub.Hub, texts *list[string]) {
	t.Helper()
	texts = new(list[string])
	h = newHub(t, hub.Config{
		Rate: 1, Burst: 1, OverRate: over, Compression: c,
		OnMessage: func(_ *hub.Conn, m hub.Message) error {
			texts.add(m.Text())
			return nil
		},
	})
	s = connectCompressed(t, h, "permessage-deflate")
	must(t, s.Frame(true, compressedText, hello))
	return s, h, texts
}

// TestOverTheRateNothingIsInflated: what is over the rate is dropped before it costs anything, so nobody sees that it
// is corrupt. With takeover it has to be inflated, because later messages refer to it.
func TestOverTheRateNothingIsInflated(t *testing.T) {
	alone := hub.Compression{Enabled: true}
	for name, row := range map[string]struct {
		over        hub.OverRate
		compression hub.Compression
		close       ws.Status // 0: none
	}{
		"dropped":                {hub.Notify, alone, 0},
		"closed":                 {hub.CloseOver, alone, ws.StatusRateLimited},
		"waited for":             {hub.Pause, alone, ws.StatusInvalidPayload},
		"dropped, with takeover": {hub.Notify, compression, ws.StatusInvalidPayload},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h, _ := overRate(t, row.over, row.compression)
				must(t, s.Frame(true, compressedText, corrupt))
				if row.over == hub.Notify {
					want(t, "notice", strings.HasPrefix(s.ReadText(), `{"type":"error","code":"rate_limited"`), true)
				}
				if row.close != 0 {
					s.wantClose(row.close)
					return
				}
				synctest.Wait()
				want(t, "received", h.Stats().MessagesIn, 2)
				want(t, "over the rate", h.Stats().RateLimited, 1)
				want(t, "state", s.handle.State(), hub.StateOpen)
			})
		})
	}
}

// TestOverTheRateWithTakeover: what is dropped stays what later messages refer to, and a client that has much inflated
// for nothing waits: 4 MiB a second.
func TestOverTheRateWithTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, texts := overRate(t, hub.Notify, compression)
		must(t, s.Frame(true, compressedText, helloAgain))
		_ = s.ReadText()
		time.Sleep(time.Second)
		must(t, s.Frame(true, compressedText, helloAgain))
		synctest.Wait()
		want(t, "over the rate", h.Stats().RateLimited, 1)
		want(t, "handled", strings.Join(texts.all(), " "), "Hello Hello")

		begun := time.Now()
		zeros := deflate.NewCompressor(1).Append(nil, make([]byte, 60<<10), nil, 12)
		must(t, s.Frame(true, compressedText, zeros))
		must(t, s.Frame(true, wire.OpPing, nil))
		_ = s.ReadText()
		f, err := s.ReadFrame()
		must(t, err)
		want(t, "answer", f.Op, wire.OpPong)
		want(t, "after", time.Since(begun), (5+60<<10)*time.Second/(4<<20)) // the 5 of the first one too
	})
}

// TestOverTheRateInSmallMessages: a client that has much inflated for nothing waits for all of it, in messages of less
// than 4 KiB too.
func TestOverTheRateInSmallMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := overRate(t, hub.Notify, compression)
		synctest.Wait()
		go s.live()
		zeros := deflate.NewCompressor(1).Append(nil, make([]byte, 4000), nil, 12)
		begun := time.Now()
		for range 1000 {
			must(t, s.Frame(true, compressedText, zeros))
		}
		s.sync()
		want(t, "over the rate", h.Stats().RateLimited, 1000)
		want(t, "4 MB took", time.Since(begun), 500*(2*4000*time.Second/(4<<20))) // it waits when there are 4 KiB
	})
}

// TestATokenOverTheRate: a client that has sent too much may still renew its token, as it may without compression. It
// is not believed for ever: what is over the rate is dropped unseen again soon.
func TestATokenOverTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{Rate: 1, Burst: 1, Compression: hub.Compression{Enabled: true}, OnMessage: nothing})
		answer, err := h.Extensions("permessage-deflate")
		must(t, err)
		r := renewable()
		r.Extensions = answer
		s := connect(t, h, r)
		for range 2 { // the second is over the rate
			must(t, s.Frame(true, compressedText, hello))
		}
		want(t, "notice", strings.HasPrefix(s.ReadText(), `{"type":"error","code":"rate_limited"`), true)
		token := deflate.NewCompressor(1).Append(nil, []byte(authMessage("ann/60s")), nil, 15)
		must(t, s.Frame(true, compressedText, token))
		want(t, "answer", s.ReadText(), `{"type":"auth","ok":true,"expires_in_ms":60000}`)
		for range 5 {
			must(t, s.Frame(true, compressedText, hello))
		}
		must(t, s.Frame(true, compressedText, corrupt))
		s.sync()
		want(t, "state", s.handle.State(), hub.StateOpen)
	})
}
