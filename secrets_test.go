package wsx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// marker is in every token, payload and panic of these tests that nobody else may see.
const marker = "s3cr3t"

// logged is where everything goes that the tests of this package log. A secret in it fails the run.
var logged = newSink(marker, "hunter2", "eyJ") // eyJ is how every JWT begins

// sink looks for secrets in what is written.
type sink struct {
	mu      sync.Mutex
	secrets map[string]struct{}
	found   []string // lines
}

func newSink(secrets ...string) *sink {
	s := &sink{secrets: make(map[string]struct{})}
	s.watch(secrets...)
	return s
}

// watch adds secrets.
func (s *sink) watch(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		s.secrets[secret] = struct{}{}
	}
}

// watchToken adds the signature of a JWT, and returns the token.
func (s *sink) watchToken(token string) string {
	if signature := token[strings.LastIndexByte(token, '.')+1:]; len(signature) > 8 {
		s.watch(signature)
	}
	return token
}

// in returns a secret that p holds, or "".
func (s *sink) in(p []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for secret := range s.secrets {
		if bytes.Contains(p, []byte(secret)) {
			return secret
		}
	}
	return ""
}

// Write takes a line of a log.
func (s *sink) Write(p []byte) (int, error) {
	if s.in(p) != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.found = append(s.found, string(p))
	}
	return len(p), nil
}

// logger returns a logger whose lines go to w, and are looked at.
func (s *sink) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.MultiWriter(s, w), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// report writes the lines with secrets, and reports whether there are any.
func (s *sink) report(w io.Writer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.found {
		fmt.Fprintf(w, "a secret is in the log: %s", line)
	}
	return len(s.found) > 0
}

// watched is a run of tests that fails when a secret was logged.
type watched struct{ *testing.M }

func (m watched) Run() int {
	if code := m.M.Run(); code != 0 {
		return code
	}
	if logged.report(os.Stderr) {
		return 1
	}
	return 0
}

// TestTheSinkSees shows that the sink finds a secret when there is one, quoted or in a value.
func TestTheSinkSees(t *testing.T) {
	for name, row := range map[string]struct {
		log  func(*slog.Logger)
		seen bool
	}{
		"clean":       {func(l *slog.Logger) { l.Info("a", "b", "c") }, false},
		"message":     {func(l *slog.Logger) { l.Debug("a " + marker) }, true},
		"value":       {func(l *slog.Logger) { l.Info("a", "b", "\n"+marker+"\"") }, true},
		"error":       {func(l *slog.Logger) { l.Info("a", "error", fmt.Errorf("b: %w", errors.New(marker))) }, true},
		"group":       {func(l *slog.Logger) { l.WithGroup("g").With("x", marker).Error("a") }, true},
		"a signature": {func(l *slog.Logger) { l.Info("a", "b", "sIgNaTuRe-of_it") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(marker)
			s.watchToken("header.claims.sIgNaTuRe-of_it")
			row.log(s.logger(io.Discard))
			if got := s.report(io.Discard); got != row.seen {
				t.Errorf("seen: %t", got)
			}
		})
	}
}

// leakTest collects what is to be seen from outside.
type leakTest struct {
	*testing.T
	log  record
	seen strings.Builder // of the peer
}

// answer notes all that a response holds, and returns its status.
func (l *leakTest) answer(resp *http.Response) int {
	dump, err := httputil.DumpResponse(resp, resp.StatusCode != http.StatusSwitchingProtocols)
	if err != nil {
		l.Fatal(err)
	}
	l.seen.Write(dump)
	return resp.StatusCode
}

// check looks for secrets in all that was seen, and in the hub's figures.
func (l *leakTest) check(h *hub.Hub) {
	l.Helper()
	for where, text := range map[string]string{
		"log": l.log.String(), "peer": l.seen.String(), "stats": fmt.Sprintf("%+v", h.Stats()),
	} {
		if secret := logged.in([]byte(text)); secret != "" {
			at := strings.Index(text, secret)
			l.Errorf("%s: %q in %q", where, secret, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

const goodToken, badToken = marker + "-good", marker + "-bad"

// byMarker knows one token. Its error is of the kind that the contract of auth.Authenticator allows.
var byMarker = auth.Func(func(_ context.Context, token string) (auth.Identity, error) {
	if token != goodToken {
		return auth.Identity{}, errors.New("not known")
	}
	return auth.Identity{Subject: "ann"}, nil
})

// TestTokensStayInside sends tokens by every way that a browser has, good and bad, and looks at what comes out.
func TestTokensStayInside(t *testing.T) {
	ann := tokenFor(t, "ann")
	forged := ann[:len(ann)-4] + "AAAA"
	logged.watchToken(forged)
	long := marker + strings.Repeat("x", auth.MaxToken)
	for gate, row := range map[string]struct {
		by        auth.Authenticator
		good, bad string
	}{
		"function": {byMarker, goodToken, badToken},
		"static":   {auth.Static(map[string]string{marker + "-of-sixteen-bytes": "ann"}), marker + "-of-sixteen-bytes", badToken},
		"jwt":      {jwt.HMAC(key), ann, forged},
	} {
		requests := map[string]int{
			handshake("/ws", "+Authorization: Bearer "+row.good):                                                   101,
			handshake("/ws", "+Authorization: Bearer "+row.bad):                                                    401,
			handshake("/ws", "+Authorization: Basic "+row.good):                                                    401,
			handshake("/ws", "+Authorization: Bearer "+row.good+" "+row.bad):                                       400,
			handshake("/ws", "+Authorization: Bearer "+row.good, "+Authorization: Bearer "+row.bad):                400,
			handshake("/ws", "+Authorization: Bearer "+long):                                                       400,
			handshake("/ws", "+Authorization: Bearer "+row.good, "+Origin: https://evil.example"):                  403,
			handshake("/ws", "+Authorization: Bearer "+row.good, "Sec-WebSocket-Key: short"):                       400,
			handshake("/ws", "+Authorization: Bearer "+row.good, "Sec-WebSocket-Version: 8"):                       426,
			handshake("/ws", "+Authorization: Bearer "+row.good, "+Host: "+marker):                                 400,
			handshake("/ws", "+Cookie: a=b; token="+row.good):                                                      101,
			handshake("/ws", "+Cookie: token="+row.bad):                                                            401,
			handshake("/ws", "+Cookie: token="+row.good+"; token="+row.bad):                                        400,
			handshake("/ws", "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer."+row.good):                              101,
			handshake("/ws", "+Sec-WebSocket-Protocol: wsx.bearer."+row.good):                                      101,
			handshake("/ws", "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer."+row.bad):                               401,
			handshake("/ws", "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer. "+row.good+" "+row.bad):                 400,
			handshake("/ws?token=" + row.good):                                                                     101,
			handshake("/ws?token=" + row.bad):                                                                      401,
			handshake("/ws?token="+row.good, "+Cookie: token="+row.bad):                                            400,
			handshake("/ws/forbidden", "+Authorization: Bearer "+row.good):                                         403,
			"POST" + strings.TrimPrefix(handshake("/ws?token="+row.good), "GET"):                                   405,
			strings.Replace(handshake("/ws?token="+row.good), "HTTP/1.1", "HTTP/1.0", 1):                           400,
			handshake("/ws?token="+row.good, "-Upgrade", "-Connection", "+Cookie: token="+row.good):                426,
			handshake("/ws?token="+row.good, "+Authorization: Bearer "+row.good, "+Cookie: token="+row.good+"; x"): 101,
		}
		t.Run(gate, func(t *testing.T) {
			l := &leakTest{T: t}
			addr, h := serveTokens(t, &l.log, row.by)
			for request, want := range requests {
				resp, c := wsxtest.Exchange(t, addr, request)
				if got := l.answer(resp); got != want {
					t.Errorf("got %d, want %d, for\n%.300s", got, want, request)
				}
				if resp.StatusCode == http.StatusSwitchingProtocols {
					c.SendClose(ws.StatusNormalClosure, "")
					fmt.Fprintln(&l.seen, c.ReadClose())
				}
				_ = c.Conn().Close()
			}
			eventually(t, "all are over", func() bool { return h.Len() == 0 })
			l.check(h)
			if !strings.Contains(l.log.String(), "refused") || !strings.Contains(l.log.String(), "websocket opened") {
				t.Errorf("there is nothing in the log: %s", l.log.String())
			}
		})
	}
}

// serveTokens serves an echo that takes tokens from everywhere but the path.
func serveTokens(t *testing.T, log *record, by auth.Authenticator) (addr string, h *hub.Hub) {
	t.Helper()
	h = echoHub(hub.Config{Logger: log.logger()})
	app := newApp(fiber.Config{ReadBufferSize: 32 << 10, ReadTimeout: 5 * time.Second})
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Auth: by, Logger: log.logger(), RequireUpgrade: true,
		TokenLookup: "header:Authorization,cookie:token,protocol:wsx.bearer,query:token",
		Authorize: func(c *fiber.Ctx, _ auth.Identity) error {
			if strings.HasSuffix(c.Path(), "forbidden") {
				return errors.New("not there")
			}
			return nil
		},
	}))
	return serve(t, app, h), h
}

// TestPanicsAndPayloadsStayInside has callbacks crash with a secret, and peers send one where it is refused.
func TestPanicsAndPayloadsStayInside(t *testing.T) {
	crash := func() error { panic(errors.New(marker)) }
	text := func(s string) func(*wsxtest.Client) {
		return func(c *wsxtest.Client) { c.SendText(s) }
	}
	frame := func(fin bool, op wsxtest.Opcode, payload string) func(*wsxtest.Client) {
		return func(c *wsxtest.Client) { _ = c.Frame(fin, op, []byte(payload)) }
	}
	for name, row := range map[string]struct {
		cfg hub.Config
		act func(*wsxtest.Client)
	}{
		"panic in OnOpen":    {hub.Config{OnOpen: func(*hub.Conn) error { panic(marker) }}, nil},
		"panic in OnMessage": {hub.Config{OnMessage: func(_ *hub.Conn, m hub.Message) error { panic(m.Text()) }}, text(marker)},
		"panic in OnConn":    {hub.Config{OnConn: func(*hub.Conn) error { return crash() }}, nil},
		"panic in OnPing":    {hub.Config{OnPing: func(_ *hub.Conn, p []byte) { panic(string(p)) }}, frame(true, opPing, marker)},
		"panic in OnPong":    {hub.Config{OnPong: func(*hub.Conn, []byte) { _ = crash() }}, frame(true, opPong, marker)},
		"panic in OnJoin": {hub.Config{
			OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Join(m.Text()) },
			OnJoin:    func(_ *hub.Conn, room string) error { panic(room) },
		}, text(marker)},
		"panic in OnClose": {hub.Config{OnClose: func(*hub.Conn, error) { _ = crash() }}, nil},
		"panic in OnError": {hub.Config{
			OnMessage: func(*hub.Conn, hub.Message) error { return errors.New("no") },
			OnError:   func(*hub.Conn, error) { panic(marker) },
		}, text(marker)},
		"panic in OnBatch": {hub.Config{
			Batch: batch.Config{MaxItems: 1, Attempts: 2, Backoff: time.Millisecond},
			OnBatch: func(_ context.Context, b *hub.Batch) error {
				if b.Attempt() == 1 {
					return crash()
				}
				return nil
			},
		}, text(marker)},
		"a status that may not be sent": {hub.Config{OnMessage: func(*hub.Conn, hub.Message) error {
			return ws.CloseError{Status: ws.StatusAbnormalClosure, Reason: marker}
		}}, text(marker)},
		"not UTF-8":                        {hub.Config{}, frame(true, opText, marker+"\xff")},
		"not UTF-8, in fragments":          {hub.Config{}, func(c *wsxtest.Client) { frame(false, opText, marker)(c); frame(true, 0, "\xff")(c) }},
		"too long":                         {hub.Config{MaxMessage: 10}, text(marker + marker)},
		"a reserved opcode":                {hub.Config{}, frame(true, 3, marker)},
		"a close reason that is not UTF-8": {hub.Config{}, frame(true, opClose, "\x03\xe8"+marker+"\xff")},
		"a control frame too long":         {hub.Config{}, frame(true, opPing, strings.Repeat(marker, 30))},
		"over the rate":                    {hub.Config{Burst: 1, OverRate: hub.CloseOver}, func(c *wsxtest.Client) { text(marker)(c); text(marker)(c) }},
		"over the errors": {hub.Config{ErrorBudget: 1, OnMessage: func(_ *hub.Conn, m hub.Message) error {
			return errors.New("no number")
		}}, text(marker)},
		"cut in a message": {hub.Config{}, func(c *wsxtest.Client) { frame(false, opText, marker)(c); _ = c.Conn().Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			l := &leakTest{T: t}
			row.cfg.Logger, row.cfg.CloseTimeout = l.log.logger(), 100*time.Millisecond
			addr, h := serveEcho(t, wsx.Config{Logger: l.log.logger()}, row.cfg)
			resp, c := wsxtest.Exchange(t, addr, handshake("/ws"))
			l.answer(resp)
			if row.act != nil {
				row.act(c)
			}
			l.hear(c, name == "panic in OnBatch" || name == "panic in OnClose")
			_ = c.Conn().Close()
			eventually(t, "it is over", func() bool { return h.Stats().Closed == 1 && h.Len() == 0 })
			if err := h.Shutdown(t.Context()); err != nil {
				l.seen.WriteString(err.Error())
			}
			l.check(h)
		})
	}
}

// hear notes what close frame comes; goodbye says that the client has to begin.
func (l *leakTest) hear(c *wsxtest.Client, goodbye bool) {
	if goodbye {
		c.SendClose(ws.StatusNormalClosure, "")
	}
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return
		}
		if f.Op == opClose {
			fmt.Fprintf(&l.seen, "%q", f.Payload)
		}
	}
}

// TestContribKeepsSecretsInside does the same for a handler of contrib's.
func TestContribKeepsSecretsInside(t *testing.T) {
	for name, fn := range map[string]func(*websocket.Conn){
		"text":  func(*websocket.Conn) { panic(marker) },
		"error": func(*websocket.Conn) { panic(errors.New(marker)) },
		"payload": func(c *websocket.Conn) {
			_, p, _ := c.ReadMessage()
			panic(string(p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &leakTest{T: t}
			addr, h := serveContrib(t, fn, wsx.Config{
				Auth: byMarker, Logger: l.log.logger(), TokenLookup: "query:token",
			}, hub.Config{Logger: l.log.logger()})
			resp, c := wsxtest.Exchange(t, addr, handshake("/ws/blue?token="+goodToken))
			l.answer(resp)
			_ = c.Frame(true, opText, []byte(marker))
			l.hear(c, false)
			l.check(h)
			if !strings.Contains(l.log.String(), "panicked") {
				t.Errorf("there is nothing in the log: %s", l.log.String())
			}
		})
	}
}

// bare is a log handler that quotes nothing by itself.
type bare struct {
	slog.Handler
	values *[]string // written by requests one at a time
}

func (b bare) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		*b.values = append(*b.values, a.Value.String())
		return true
	})
	return nil
}

// TestRefusalsAreQuotedAndCut refuses handshakes whose path, host and origin want to be more than a value in a line.
func TestRefusalsAreQuotedAndCut(t *testing.T) {
	var values []string
	addr, _ := serveEcho(t, wsx.Config{Logger: slog.New(bare{quiet.Handler(), &values})})
	for _, request := range []string{
		handshake("/ws/%0alevel=ERROR%1b[2J%00", "+Origin: https://evil.example"),
		handshake("/ws/"+strings.Repeat("%f0%9f%98%80", 250), "+Origin: https://evil.example"),
		handshake("/ws", "+Origin: https://"+strings.Repeat("\xf0\x9f\x98\x80", 300)),
		handshake("/ws", "Host: "+strings.Repeat("h", 1000), "+Origin: https://evil.example"),
	} {
		values = nil
		if got := status(t, addr, request); got != http.StatusForbidden {
			t.Errorf("got %d for %.100q", got, request)
		}
		if len(values) < 4 {
			t.Errorf("%d values in the log", len(values))
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\n\x1b\x00") {
				t.Errorf("not quoted: %.200q", v)
			}
			if strings.Count(v, "\xf0\x9f\x98\x80") > 64 || strings.Count(v, "h") > 300 {
				t.Errorf("not cut: %d bytes", len(v))
			}
		}
	}
}

// TestATokenInThePathStaysInside: a refused handshake is logged with its route, not with its path.
func TestATokenInThePathStaysInside(t *testing.T) {
	l := &leakTest{T: t}
	h := echoHub(hub.Config{Logger: quiet})
	app := newApp()
	app.Use("/ws/:token", wsx.New(wsx.Config{Hub: h, Auth: byMarker, Logger: l.log.logger(), TokenLookup: "param:token"}))
	resp, c := wsxtest.Exchange(t, serve(t, app, h), handshake("/ws/"+badToken))
	if got := l.answer(resp); got != 401 {
		t.Errorf("got %d", got)
	}
	_ = c.Conn().Close()
	l.check(h)
}
