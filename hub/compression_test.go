package hub_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/deflate"
)

var compression = hub.Compression{Enabled: true, Threshold: 64, ServerContextTakeover: true, ClientContextTakeover: true}

// compressedSession is a session that has agreed to permessage-deflate.
type compressedSession struct {
	*session
	receiving *deflate.Session
}

// connectCompressed connects with an offer; "" offers nothing.
func connectCompressed(t *testing.T, h *hub.Hub, offer string) *compressedSession {
	t.Helper()
	answer, err := h.Extensions(offer)
	must(t, err)
	c := &compressedSession{session: connect(t, h, hub.Request{Extensions: answer})}
	if answer != "" {
		p := deflate.ParseAnswer(answer)
		c.receiving = deflate.NewSession(deflate.Params{ClientTakeover: p.ServerTakeover, ClientBits: p.ServerBits, ServerBits: 15})
	}
	return c
}

// read returns the next message and how many bytes its payload took.
func (c *compressedSession) read() (payload string, size int) {
	c.t.Helper()
	f, err := c.ReadFrame()
	must(c.t, err)
	if f.RSV == 0 {
		return string(f.Payload), len(f.Payload)
	}
	if c.receiving == nil {
		c.t.Fatal("compressed for a client that has not agreed")
	}
	var o bytes.Buffer
	must(c.t, c.receiving.Inflate(&o, append(f.Payload, deflate.Tail...)))
	return o.String(), len(f.Payload)
}

// TestExtensions: off by default; what a hub agrees to is what its configuration says.
func TestExtensions(t *testing.T) {
	for name, row := range map[string]struct {
		compression hub.Compression
		offer, want string
	}{
		"off":      {hub.Compression{}, "permessage-deflate", ""},
		"on":       {hub.Compression{Enabled: true}, "permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		"takeover": {compression, "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"},
		"windows": {
			hub.Compression{Enabled: true, ServerMaxWindowBits: 10, ClientMaxWindowBits: 9}, "permessage-deflate; client_max_window_bits",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9",
		},
		"nothing offered": {compression, "", ""},
		"bad offer":       {compression, "permessage-deflate; foo", ""},
	} {
		got, err := newHub(t, hub.Config{OnMessage: nothing, Compression: row.compression}).Extensions(row.offer)
		if got != row.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, row.want)
		}
	}
	for _, c := range []hub.Compression{{}, compression} {
		if _, err := newHub(t, hub.Config{OnMessage: nothing, Compression: c}).Extensions("permessage-deflate; ="); err == nil {
			t.Errorf("enabled %t: a malformed field was taken", c.Enabled)
		}
	}
}

func TestCompressionConfig(t *testing.T) {
	for _, c := range []hub.Compression{
		{Level: 10}, {Level: -1}, {ServerMaxWindowBits: 7}, {ServerMaxWindowBits: 16}, {ClientMaxWindowBits: 7}, {ClientMaxWindowBits: 16},
	} {
		func() {
			defer func() {
				if s := fmt.Sprint(recover()); !strings.HasPrefix(s, "hub: Config.Compression.") {
					t.Errorf("%+v: got panic %q, want a sentence", c, s)
				}
			}()
			hub.New(hub.Config{OnMessage: nothing, Compression: c})
		}()
	}
}

// TestCompressedBroadcasts: everybody gets everything in order, whatever they have agreed to, although each is sent to
// in between.
func TestCompressedBroadcasts(t *testing.T) {
	long := func(i int) string { return strings.Repeat(fmt.Sprintf(`{"reading":%d}`, i), 20) }
	for name, c := range map[string]hub.Compression{"takeover": compression, "alone": {Enabled: true, Threshold: 64}} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, hub.Config{OnMessage: nothing, Compression: c})
			all := map[string]*compressedSession{
				"nothing":     connectCompressed(t, h, ""),
				"no takeover": connectCompressed(t, h, "permessage-deflate; server_no_context_takeover"),
				"takeover":    connectCompressed(t, h, "permessage-deflate"),
				"narrow":      connectCompressed(t, h, "permessage-deflate; server_max_window_bits=8"),
			}
			done := make(chan error, 1)
			go func() {
				for i := range 50 {
					for _, s := range all {
						if err := s.handle.SendText(long(i)); err != nil {
							done <- err
							return
						}
					}
					if err := h.All().SendText(long(i)); err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			for i := range 100 {
				for who, s := range all {
					got, size := s.read()
					if got != long(i/2) {
						t.Fatalf("%s, message %d: got %q", who, i, got)
					}
					direct := i%2 == 0
					if compressed := size < len(got); compressed != (who != "nothing" && (direct || who != "narrow" || c.ServerContextTakeover)) {
						t.Errorf("%s, message %d: %d bytes take %d", who, i, len(got), size)
					}
				}
			}
			must(t, await(t, done, "the sender"))
		})
	}
}
