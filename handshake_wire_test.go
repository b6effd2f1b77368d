package wsx_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestHandshakeCutAnywhere sends a handshake with frames behind it in two pieces, cut at every byte.
func TestHandshakeCutAnywhere(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{}, hub.Config{Rate: -1})
	request := []byte(handshake("/ws"))
	request = wsxtest.AppendFrame(request, true, opText, []byte("one"))
	request = wsxtest.AppendFrame(request, true, opClose, []byte{0x03, 0xe8})
	for cut := 1; cut < len(request); cut++ {
		checkOne(t, addr, request[:cut], request[cut:])
	}
	checkOne(t, addr, slices.Collect(slices.Chunk(request, 1))...)
}

// checkOne sends the pieces, each with a packet of its own, and wants the answer, an echo and a close.
func checkOne(t *testing.T, addr string, pieces ...[]byte) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	for _, p := range pieces { // Go switches Nagle's algorithm off
		if _, err := nc.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	head, frames, _ := strings.Cut(string(got), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") || frames != "\x81\x03one\x88\x02\x03\xe8" {
		t.Errorf("%d pieces, the first of %d bytes: got %q", len(pieces), len(pieces[0]), got)
	}
}

// TestAPipelinedRequestIsNoFrame: behind an upgrade there is no HTTP any more.
func TestAPipelinedRequestIsNoFrame(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{})
	for name, second := range map[string]string{
		"GET":     "GET /ws HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"upgrade": handshake("/ws"),
		"POST":    "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n\r\nabc",
		"chunk":   "0\r\n\r\n",
		"line":    "\r\n",
	} {
		resp, c := wsxtest.Exchange(t, addr, handshake("/ws")+second)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%s: got %s", name, resp.Status)
		}
		if e := c.ReadClose(); e.Status != ws.StatusProtocolError {
			t.Errorf("%s: closed with %v", name, e)
		}
		_ = c.Conn().Close()
	}
	eventually(t, "all are over", func() bool { return h.Len() == 0 })
}

// TestExpectedContinue: 100 comes before 101 (RFC 9110, section 7.8).
func TestExpectedContinue(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{})
	for name, request := range map[string]string{
		"with a body":    handshake("/ws", "+Expect: 100-continue", "+Content-Length: 5") + "hello",
		"without a body": handshake("/ws", "+Expect: 100-continue"),
	} {
		frame := wsxtest.AppendFrame(nil, true, opClose, nil)
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write(append([]byte(request), frame...)); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(nc)
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.Close()
		before, after, ok := strings.Cut(string(got), "HTTP/1.1 101 ")
		if !ok || before != "HTTP/1.1 100 Continue\r\n\r\n" || !strings.HasSuffix(after, "\r\n\r\n\x88\x00") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestWhatFasthttpRefuses never reaches the middleware: it is answered all the same.
func TestWhatFasthttpRefuses(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{})
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"a long field":       {handshake("/ws", "+X-Long: "+strings.Repeat("a", 5000)), 431},
		"a long token":       {handshake("/ws", "+Authorization: Bearer "+strings.Repeat("a", 5000)), 431},
		"many fields":        {handshake("/ws", slices.Repeat([]string{"+X: y"}, 1000)...), 431},
		"a long target":      {handshake("/ws?" + strings.Repeat("a", 5000)), 431},
		"a long body":        {handshake("/ws", "+Content-Length: 5242880"), fiber.StatusRequestEntityTooLarge},
		"gzip and chunks":    {handshake("/ws", "+Transfer-Encoding: gzip, chunked"), 400},
		"a method in small":  {handshake("get /ws HTTP/1.1"), 400},
		"a method of no one": {handshake("GETX /ws HTTP/1.1"), 400},
	} {
		if got := status(t, addr, row.request); got != row.status {
			t.Errorf("%s: got %d, want %d", name, got, row.status)
		}
	}
	if n := h.Stats().Opened; n != 0 {
		t.Errorf("%d connections opened", n)
	}
}
