package peers_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestEcho(t *testing.T) {
	messages := []ws.Message{
		text("hello"),
		binary([]byte{0, 255, 0x80}),
		text(""),
		binary(nil),
		text(strings.Repeat("a", 125)),
		text(strings.Repeat("b", 126)),
		binary(pattern(4 << 10)),
		binary(pattern(1<<16 - 1)),
		binary(pattern(1 << 16)),
		binary(pattern(1 << 20)),
	}
	each(t, func(t *testing.T, address string) {
		c := wsxtest.Dial(t, address+"/echo")
		for _, m := range messages {
			c.Send(m)
			expect(t, c, m)
		}
		settle(t, c)
		c.Close()
	})
}

// TestEchoInFlight writes many messages at once, though not more than melody queues, and then the same in pieces.
func TestEchoInFlight(t *testing.T) {
	const flight = 200
	each(t, func(t *testing.T, address string) {
		c := wsxtest.Dial(t, address+"/echo")
		var all []byte
		for i := range flight {
			all = wsxtest.AppendFrame(all, true, 2, pattern(i))
		}
		write := func(size int) {
			for rest := all; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if err := c.Raw(rest[:min(size, len(rest))]); err != nil {
					t.Error(err)
					return
				}
			}
		}
		for _, size := range []int{len(all), 97} {
			go write(size)
			for i := range flight {
				expect(t, c, binary(pattern(i)))
			}
		}
		c.Close()
	})
}

func TestBroadcastReachesEverybodyInOrder(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		members := make([]*wsxtest.Client, 7)
		for i := range members {
			members[i] = wsxtest.Dial(t, address+"/broadcast")
			settle(t, members[i])
		}
		sender, leaver := members[0], members[len(members)-1]
		var burst []byte
		for i := range 100 {
			burst = wsxtest.AppendFrame(burst, true, 1, fmt.Append(nil, i))
		}
		for range 3 {
			if err := sender.Raw(burst); err != nil {
				t.Fatal(err)
			}
			for _, c := range members {
				for i := range 100 {
					expect(t, c, text(fmt.Sprint(i)))
				}
			}
		}
		leaver.Close()
		sender.Send(binary(pattern(4 << 10)))
		for _, c := range members[:len(members)-1] {
			expect(t, c, binary(pattern(4<<10)))
			c.Close()
		}
	})
}

func TestIngestTakesMessagesAndAnswersPings(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		c := wsxtest.Dial(t, address+"/ingest")
		for range 700 { // over a batch
			c.Send(binary(pattern(128)))
		}
		c.SendText("")
		settle(t, c) // and nothing else has come
		c.Close()
	})
}

// TestMessageAndEndTogether sends a message and the end of the stream one right after the other: in a server that takes
// a short read for the last the descriptor leaks.
func TestMessageAndEndTogether(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		for range 50 {
			c := wsxtest.Dial(t, address+"/echo")
			c.SendText("bye")
			if err := c.Conn().(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			for { // the answer, if it comes, and perhaps a close frame
				if _, err := c.ReadFrame(); err != nil {
					break
				}
			}
			if _, err := c.Conn().Read(make([]byte, 1)); !over(err) {
				t.Fatalf("the server has not hung up: %v", err)
			}
		}
	})
}

// over reports whether the server has hung up, in peace or with a reset.
func over(err error) bool {
	var timeout net.Error
	return err != nil && (errors.Is(err, io.EOF) || !errors.As(err, &timeout) || !timeout.Timeout())
}

func TestHeartbeat(t *testing.T) {
	for _, s := range servers {
		if !s.heartbeat || len(s.args) > 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			address := start(t, s, "-ping-interval", "50ms")
			for _, path := range []string{"/echo", "/broadcast", "/ingest"} {
				c := wsxtest.Dial(t, address+path)
				for range 3 {
					f, err := c.ReadFrame()
					if err != nil || f.Op != 9 {
						t.Fatalf("%s: got %+v, %v, want a ping", path, f, err)
					}
					if err := c.Frame(true, 10, f.Payload); err != nil {
						t.Fatal(err)
					}
				}
				c.Close()
			}
		})
	}
}

func TestTLS(t *testing.T) {
	flags := certificate(t)
	for _, s := range servers {
		if !s.tls {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			address := strings.Replace(start(t, s, flags...), "ws:", "wss:", 1)
			c := wsxtest.Dial(t, address+"/echo")
			for _, m := range []ws.Message{text("hello"), binary(pattern(4 << 10))} {
				c.Send(m)
				expect(t, c, m)
			}
			c.Close()
		})
	}
}

// certificate returns the flags of a server with a certificate that nobody trusts.
func certificate(t *testing.T) (flags []string) {
	t.Helper()
	cert, err := wsx.SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		flag, kind string
		bytes      []byte
	}{{"-tls-cert", "CERTIFICATE", cert.Certificate[0]}, {"-tls-key", "PRIVATE KEY", key}} {
		name := filepath.Join(t.TempDir(), "part.pem")
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: part.kind, Bytes: part.bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, part.flag, name)
	}
	return flags
}

func TestFlagsThatNoServerTakes(t *testing.T) {
	for _, s := range []struct {
		name string
		args []string
		says string
	}{
		{"contrib", []string{"-mode", "magic"}, "magic"},
		{"contrib", []string{"-addr", "127.0.0.1:0", "-tls-cert", "missing.pem"}, "missing.pem"},
		{"gobwas", []string{"-addr", "127.0.0.1:0", "-tls-cert", "missing.pem"}, "no TLS"},
		{"rawnet", []string{"-addr", "nowhere"}, "nowhere"},
	} {
		t.Run(s.name+" "+s.says, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			out, err := command(ctx, s.name, s.args...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), s.says) {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}

func expect(t *testing.T, c *wsxtest.Client, want ws.Message) {
	t.Helper()
	got, err := c.Read()
	if err != nil {
		t.Fatalf("got %v, want a message of %d bytes", err, len(want.Data))
	}
	if got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("got %v of %d bytes, want %v of %d", got.Type, len(got.Data), want.Type, len(want.Data))
	}
}

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7)
	}
	return p
}

func text(s string) ws.Message { return ws.Message{Type: ws.Text, Data: []byte(s)} }

func binary(p []byte) ws.Message { return ws.Message{Type: ws.Binary, Data: p} }
